"""The live secrets of this kernel, out of what is about to be shown: known values and nothing else, never a guess."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cuaws_magic.model import Secret

MASK = "[masked by cuaws_magic]"
_SHORTEST = 16  # characters of what is masked


class Masker:
    """
    Masks secrets in texts, and in what is made of texts.

    Args:
        secrets: Those that this kernel holds now.
    """

    def __init__(self, secrets: Callable[[], Iterable[Secret]]) -> None:
        self._secrets = secrets
        self._made_of: tuple[str, ...] = ()
        self._needles: tuple[str, ...] = ()

    def needles(self) -> tuple[str, ...]:
        """Return the texts to mask, the longest first: each secret as it is, and as an address has it."""
        values = tuple(text for secret in self._secrets() if len(text := secret.reveal()) >= _SHORTEST)
        if values != self._made_of:
            made = {form for value in values for form in (value, quote(value, safe=""))}
            self._made_of, self._needles = values, tuple(sorted(made, key=len, reverse=True))
        return self._needles

    def masked(self, value: Any) -> Any:
        """Return a value without secrets; the very same one where there is none in it."""
        return _masked(value, self.needles())

    def held_back(self, text: str) -> int:
        """Return how many characters at the end of a text may be the start of a secret whose rest is still to come."""
        most = 0
        for needle in self.needles():
            start = max(0, len(text) - len(needle) + 1)
            while (start := text.find(needle[0], start)) >= 0:
                if needle.startswith(text[start:]):
                    most = max(most, len(text) - start)
                    break
                start += 1
        return most


def _masked(value: Any, needles: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        for needle in needles:
            if needle in value:
                value = value.replace(needle, MASK)
        return value
    if isinstance(value, dict):
        made = {key: _masked(inner, needles) for key, inner in value.items()}
        return made if any(made[key] is not inner for key, inner in value.items()) else value
    if isinstance(value, (list, tuple)):
        parts = [_masked(inner, needles) for inner in value]
        changed = any(part is not inner for part, inner in zip(parts, value, strict=True))
        return type(value)(parts) if changed else value
    return value
