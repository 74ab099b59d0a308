"""
Secrets out of a notebook, with every other byte left as it was.

A notebook is JSON, and JSON's strings are all that can hold a secret: each is read where it stands, and only one with
a secret is written anew. Neighbours in a list are one text, as lines of a source are. So it holds for nbformat 3 and
4, for outputs of every type, attachments, metadata and the state of widgets.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cuaws_magic.errors import ConfigFileError
from cuaws_magic.redaction.patterns import Found, apart, find

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]')


@dataclass(frozen=True, slots=True)
class Removed:
    """
    A secret that was in a notebook; its value is not kept.

    Attributes:
        cell: Which cell, counted from 1; `None` where it is in none.

        place: Where: `source`, `outputs`, `metadata`.

        kind: What it is, for people.
    """

    cell: int | None
    place: str
    kind: str


@dataclass(frozen=True, slots=True)
class _String:
    path: tuple[str | int, ...]
    start: int
    end: int


def scrubbed(
    text: str, known: Callable[[str], bool] | None = None, *, account_ids: bool = False
) -> tuple[str, list[Removed]]:
    """
    Return a notebook without secrets, and what was taken out.

    Args:
        text: The file.

        known: Whether this home has seen a text as a secret.

        account_ids: Account ids as well.

    Raises:
        ConfigFileError: It is no notebook.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise ConfigFileError(
            "It is not a notebook, or only a part of one. Nothing was changed: name another file."
        ) from None
    if not isinstance(content, dict) or not ({"cells", "worksheets"} & content.keys()):
        raise ConfigFileError("It is not a notebook. Nothing was changed: name one that ends in .ipynb.")
    parts, removed, at = [], [], 0
    for group in _groups(text):
        texts = [json.loads(text[one.start : one.end]) for one in group]
        found = _found(texts, known, account_ids=account_ids)
        if not found or _is_image(group[0].path):
            continue
        removed += [Removed(*_place(group[0].path), one.kind) for one in found]
        for one, before, after in zip(group, texts, _replaced(texts, found), strict=True):
            if after != before:
                parts += [text[at : one.start], _written(after, text[one.start : one.end])]
                at = one.end
    return "".join([*parts, text[at:]]), removed


def _found(texts: list[str], known: Callable[[str], bool] | None, *, account_ids: bool) -> list[Found]:
    """Find what is in each text, and what goes over several: lines may end with a newline in them, or without."""
    found, offset = find("".join(texts), known, account_ids=account_ids), 0
    if len(texts) > 1:
        for text in texts:
            one_by_one = find(text, known, account_ids=account_ids)
            found += [Found(one.start + offset, one.end + offset, one.kind) for one in one_by_one]
            offset += len(text)
    return apart(found)


def _replaced(texts: list[str], found: list[Any]) -> list[str]:
    """Put marks into texts that are one text; a secret that goes over several is marked in the first."""
    after, offset = [], 0
    for text in texts:
        parts, at = [], 0
        for one in found:
            start, end = one.start - offset, one.end - offset
            if end <= 0 or start >= len(text):
                continue
            parts += [text[at : max(start, 0)], one.mark if start >= 0 else ""]
            at = min(end, len(text))
            if end > len(text) and text.endswith("\n"):
                parts.append("\n")
        after.append("".join([*parts, text[at:]]))
        offset += len(text)
    return after


def _written(text: str, before: str) -> str:
    """Write a string as the file writes them."""
    return json.dumps(text, ensure_ascii=before.isascii() and "\\u" in before)


def _groups(text: str) -> Iterator[list[_String]]:
    """Return the strings of a file; neighbours in a list together."""
    group: list[_String] = []
    for one in _strings(text):
        if group and not _neighbours(group[-1], one):
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _neighbours(one: _String, other: _String) -> bool:
    last, first = one.path[-1:], other.path[-1:]
    return one.path[:-1] == other.path[:-1] and isinstance(last[0], int) and first == (last[0] + 1,)


def _strings(text: str) -> Iterator[_String]:
    """Return every string that is a value, with its path and its place."""
    path: list[str | int] = []
    kinds: list[str] = []
    expects_key = False
    for match in _PIECE.finditer(text):
        piece = match[0]
        if piece == "{":
            kinds.append(piece)
            path.append("")
            expects_key = True
        elif piece == "[":
            kinds.append(piece)
            path.append(0)
            expects_key = False
        elif piece in "]}":
            kinds.pop()
            path.pop()
            expects_key = False
        elif piece == ",":
            if kinds[-1] == "[":
                path[-1] = int(path[-1]) + 1
            expects_key = kinds[-1] == "{"
        elif piece == ":":
            expects_key = False
        elif expects_key:
            path[-1] = json.loads(piece)
        else:
            yield _String(tuple(path), match.start(), match.end())


def _is_image(path: tuple[str | int, ...]) -> bool:
    return any(
        isinstance(one, str) and one.startswith(("image/", "video/", "audio/", "application/pdf")) for one in path
    )


def _place(path: tuple[str | int, ...]) -> tuple[int | None, str]:
    if "cells" in path:
        at = path.index("cells")
        number = path[at + 1] if len(path) > at + 1 else None
        rest = path[at + 2 :]
        return (number + 1 if isinstance(number, int) else None), str(rest[0]) if rest else "cell"
    return None, str(path[0]) if path else "file"
