"""`cuaws-magic stamp NOTEBOOK`: says in a notebook's metadata which account it is made for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from cuaws_magic import storage
from cuaws_magic.errors import CuawsError, StorageError


def stamp(path: str, account: str | None, role: str | None, region: str | None, *, remove: bool = False) -> int:
    """
    Write the stamp, or take it out; returns the exit status.

    Args:
        path: The notebook; not open in a browser, which would write it as it knows it.

        account: Name or id.
    """
    try:
        what = _stamped(Path(path), account, role, region, remove=remove)
    except CuawsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command line's answer
        return 1
    print(what)  # noqa: T201 - as above
    return 0


def _stamped(path: Path, account: str | None, role: str | None, region: str | None, *, remove: bool) -> str:
    import nbformat

    try:
        notebook: Any = nbformat.read(path, as_version=nbformat.NO_CONVERT)  # type: ignore[no-untyped-call]  # half typed
    except OSError as error:
        raise StorageError(f"Cannot read {path}: {storage.reason(error)}. Name a notebook.") from None
    except Exception:  # noqa: BLE001 - whatever is in the file
        raise StorageError(f"{path} is not a notebook. Nothing was changed. Name one that ends in .ipynb.") from None
    if remove:
        if notebook.metadata.pop("cuaws", None) is None:
            return f"{path} has no stamp."
        what = f"{path} is made for no account any more."
    else:
        values = {"account": account, "role": role, "region": region}
        notebook.metadata["cuaws"] = {name: value for name, value in values.items() if value}
        what = f"{path} is made for {account}{f' as {role}' if role else ''}: `%cuaws use` alone means that."
    text = nbformat.writes(notebook, version=nbformat.NO_CONVERT)  # type: ignore[no-untyped-call]  # as above
    storage.write_private(path, f"{text}\n".encode(), keep_mode=True)
    return what
