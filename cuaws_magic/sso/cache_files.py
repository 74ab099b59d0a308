"""The files of the AWS CLI's caches as JSON objects: read with care, written whole, times in the CLI's own form."""

from __future__ import annotations

import errno
import hashlib
import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, cast

from cuaws_magic import storage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# The CLI's own date format; granted reads nothing else.
_WIRE_TIME = "%Y-%m-%dT%H:%M:%SZ"


def objects(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the objects of a folder."""
    # Whatever their names end in, as the CLI's sweeper; a name with a dot is a file that is just being written.
    for path in sorted(folder.glob("[!.]*")):
        try:
            content = read_object(path)
        except (OSError, ValueError):
            continue
        if content is not None:
            yield path, content


def read_object(path: Path) -> dict[str, Any] | None:
    """Return the object of a file, `None` if there is none; raises what is wrong with it."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    if storage.is_foreign(path):
        raise PermissionError(errno.EPERM, "it belongs to another user")
    try:
        content = json.loads(data)
    except RecursionError:
        content = None
    if not isinstance(content, dict):
        message = "not a JSON object"
        raise ValueError(message)  # noqa: TRY004 - one kind of error for every content that is not ours
    return cast("dict[str, Any]", content)


def write_object(path: Path, content: Mapping[str, Any]) -> None:
    """Write the object of a file, for its owner alone."""
    storage.refuse_foreign_link(path)
    # One line with the separators of `json.dumps`: what the CLI's JSONFileCache writes.
    storage.write_private(path, json.dumps(content).encode())


def written_at(path: Path) -> datetime:
    """When the content was fetched: no file says it, but its own date does."""
    return datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)


def text_of(content: Mapping[str, Any], key: str) -> str:
    """Return a text of an object; a `ValueError` where it is none."""
    value = content[key]
    if not isinstance(value, str) or not value:
        raise ValueError(key)
    return value


def wire(moment: datetime) -> str:
    """Return a time as files have it."""
    return moment.astimezone(timezone.utc).strftime(_WIRE_TIME)


def moment_of(text: str) -> datetime:
    """Return the time of a file."""
    try:
        return datetime.strptime(text, _WIRE_TIME).replace(tzinfo=timezone.utc)
    except ValueError:
        # Older files end in "UTC"; botocore's readers take what dateutil takes.
        from dateutil import parser

        try:
            moment: datetime = parser.parse(text)
            return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)
        except OverflowError:
            raise ValueError(text) from None


def sha1(text: str) -> str:
    """Return the digest that names a file."""
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
