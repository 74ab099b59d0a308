"""Secrets that tests mark by knowing them, and the dresses in which one could stand somewhere."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cuaws_magic.practice import PracticePortal


class Marks:
    """Every secret that came into being, with the dresses in which it could stand somewhere."""

    def __init__(self, portal: PracticePortal, home: Path) -> None:
        self._portal, self._home = portal, home
        self.values: set[str] = set()

    def collect(self) -> None:
        """Take what there is now: a logout deletes it."""
        for path in (self._home / ".aws").rglob("*.json"):
            self.values |= set(_secrets_in(json.loads(path.read_bytes())))
        for path in self._home.rglob("endpoint*/*"):
            if path.is_file():
                self.values.add(path.read_text())
        state = self._portal._state
        self.values |= {one.device_code for one in state._authorizations.values()}
        self.values |= {*state._sso_tokens, *state._refresh_tokens}

    def found_in(self, text: str) -> list[str]:
        """Which are in a text: as they are, cut in the middle, in base64, as an address has them."""
        return sorted({value[:6] for value in self.values if any(one in text for one in _dresses(value))})


def _secrets_in(content: object) -> Iterator[str]:
    wanted = {"accessToken", "refreshToken", "clientSecret", "SecretAccessKey", "SessionToken"}
    for key, value in content.items() if isinstance(content, dict) else ():
        if key in wanted:
            yield value
        yield from _secrets_in(value)


def _dresses(value: str) -> Iterator[str]:
    yield from (value, value[:20], value[-20:], quote(value, safe="")[:24])
    for shift in range(3):
        # What base64 makes of it, wherever in a text it begins.
        coded = base64.b64encode(b"\0" * shift + value.encode()).decode()
        yield coded[4:28]
