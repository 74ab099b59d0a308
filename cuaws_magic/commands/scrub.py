"""`cuaws-magic scrub` and `cuaws.scrub`: secrets of AWS out of notebooks."""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cuaws_magic import storage
from cuaws_magic.errors import CuawsError, StorageError
from cuaws_magic.humanize import counted, printable
from cuaws_magic.redaction.known import KnownSecrets
from cuaws_magic.redaction.notebook import Removed, scrubbed
from cuaws_magic.state_store import StateStore
from cuaws_magic.views.render import text_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cuaws_magic.commands.context import Context

_CLEAN, _FOUND, _ERROR = 0, 1, 2


def scrub_files(paths: Sequence[str], *, check: bool, account_ids: bool) -> int:
    """
    Take secrets out of notebooks, and say in a table where they were; returns the exit status.

    Args:
        paths: Notebooks, and folders that are looked through; `-` for a filter of git.

        check: Only look.
    """
    known = KnownSecrets(StateStore.default()).lookup()
    if list(paths) == ["-"]:
        return _filter(known, account_ids=account_ids)
    rows: list[list[str]] = []
    status = _CLEAN
    for path in _notebooks(paths):
        try:
            removed = _scrubbed(path, known, check=check, account_ids=account_ids)
        except CuawsError as error:
            print(f"{printable(str(path))}: {error}", file=sys.stderr)  # noqa: T201 - the command line's answer
            status = _ERROR
            continue
        rows += [[printable(str(path)), str(one.cell or "-"), one.place, one.kind] for one in removed]
    if rows:
        print(text_table(["Notebook", "Cell", "Place", "Kind"], rows))  # noqa: T201 - as above
        what = "found" if check else "removed"
        print(f"{counted(len(rows), 'secret')} {what}. Keys that were published: revoke them.")  # noqa: T201 - as above
        status = max(status, _FOUND)
    return status


def _notebooks(paths: Sequence[str]) -> list[Path]:
    found: list[Path] = []
    for path in map(Path, paths):
        inside = [one for one in sorted(path.rglob("*.ipynb")) if ".ipynb_checkpoints" not in one.parts]
        found += inside if path.is_dir() else [path]
    return list(dict.fromkeys(found))


def _scrubbed(path: Path, known: Any, *, check: bool, account_ids: bool) -> list[Removed]:
    try:
        data = path.read_bytes()
        text = data.decode("utf-8")
    except OSError as error:
        raise StorageError(f"It cannot be read ({storage.reason(error)}). Name another file.") from None
    except UnicodeDecodeError:
        raise StorageError("It is not a notebook. Name one that ends in .ipynb.") from None
    clean, removed = scrubbed(text, known, account_ids=account_ids)
    if removed and not check:
        storage.write_private(path, clean.encode(), keep_mode=True, unchanged=lambda: path.read_bytes() == data)
    return removed


def _filter(known: Any, *, account_ids: bool) -> int:
    """Do what a clean filter of git does: from stdin to stdout; what is no notebook goes through as it is."""
    data = sys.stdin.buffer.read()
    try:
        clean, _ = scrubbed(data.decode("utf-8"), known, account_ids=account_ids)
    except (UnicodeDecodeError, CuawsError):
        sys.stdout.buffer.write(data)
        return _CLEAN
    sys.stdout.buffer.write(clean.encode())
    return _CLEAN


def scrub(context: Context, notebook: Any, *, account_ids: bool = False) -> Any:
    """
    Return a notebook without secrets: the text of a file, or an object of nbformat; what was given is not changed.

    Raises:
        CuawsError: It is no notebook.
    """
    known = context.known_secrets.lookup()
    if isinstance(notebook, str):
        return scrubbed(notebook, known, account_ids=account_ids)[0]
    clean = json.loads(scrubbed(json.dumps(notebook), known, account_ids=account_ids)[0])
    made = copy.deepcopy(notebook)
    made.clear()
    if type(made) is dict:
        made.update(clean)
        return made
    from nbformat import from_dict

    return from_dict(clean)  # type: ignore[no-untyped-call]  # half typed
