"""
What this home has seen as a secret, as salted hashes: a bare key is found in a notebook without any doubt.

A hash tells nothing of a secret of forty random characters. It is forgotten thirty days after its secret's end.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from cuaws_magic import storage
from cuaws_magic.model import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cuaws_magic.model import Now, Secret
    from cuaws_magic.state_store import StateStore

_KIND, _KEY = "seen", "secrets"
_MOST = 5000  # hashes
_SHORTEST = 16  # characters of a secret that can be known again
_KEPT = timedelta(days=30)  # after the end
_NO_END = timedelta(days=365)  # where nobody said one


class KnownSecrets:
    """
    The memory of a home.

    Args:
        state_store: Where it is.

        now: The current time.
    """

    def __init__(self, state_store: StateStore, now: Now = utc_now) -> None:
        self._store = state_store
        self._now = now
        self._remembered: set[str] = set()

    def remember(self, seen: Iterable[tuple[Secret, datetime | None]]) -> None:
        """Remember secrets until some time after their end; `None` for one that has none."""
        new = {secret.reveal(): ends_at for secret, ends_at in seen if not self.remembers(secret)}
        content = self._load()
        if all(_hash(content["salt"], text) in content["hashes"] for text in new):
            self._remembered |= set(new)  # by another kernel, or one before
            return
        now = self._now()
        with storage.lock(self._store.lock_path("seen")):
            content = self._load()
            hashes = {name: end for name, end in content["hashes"].items() if end > now.timestamp()}
            hashes |= {
                _hash(content["salt"], text): int(((ends_at or now + _NO_END) + _KEPT).timestamp())
                for text, ends_at in new.items()
            }
            latest = sorted(hashes.items(), key=lambda entry: entry[1])[-_MOST:]
            self._store.save(_KIND, _KEY, {"salt": content["salt"], "hashes": dict(latest)})
        self._remembered |= set(new)

    def remembers(self, secret: Secret) -> bool:
        """Whether it was remembered in this process, or is too short to be; looks at no file."""
        return len(secret.reveal()) < _SHORTEST or secret.reveal() in self._remembered

    def lookup(self) -> Callable[[str], bool]:
        """Return what tells whether a text is one of them."""
        content = self._load()
        salt, hashes = content["salt"], content["hashes"].keys()
        return lambda text: bool(hashes) and _hash(salt, text) in hashes

    def _load(self) -> dict[str, Any]:
        content = self._store.load(_KIND, _KEY)
        salt, hashes = content.get("salt"), content.get("hashes")
        if not isinstance(salt, str) or not isinstance(hashes, dict):
            return {"salt": secrets.token_hex(16), "hashes": {}}
        return {"salt": salt, "hashes": {str(name): end for name, end in hashes.items() if isinstance(end, int)}}


def _hash(salt: str, text: str) -> str:
    return hashlib.blake2b(text.encode(), key=salt.encode(), digest_size=16).hexdigest()
