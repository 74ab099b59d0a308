"""Open files of GDAL keep no account: it looks for credentials at each request, and finds the account in use."""

from __future__ import annotations

import gc
import sys
import weakref
from typing import Any

_REMOTE = ("/vsis3/", "s3://")
_FEW = 3  # files that are named


class OpenFiles:
    """Which account was in use when a file of rasterio was first seen."""

    def __init__(self) -> None:
        self._opened_under: weakref.WeakKeyDictionary[Any, str | None] = weakref.WeakKeyDictionary()
        self._before: str | None = None

    def lines(self, name: str) -> list[str]:
        """
        Say which files were opened under another account.

        Args:
            name: The account in use now.
        """
        files = _open_files()
        for one in files:
            # What is new since the last look was opened under the account of then.
            self._opened_under.setdefault(one, self._before)
        self._before = name
        others: dict[str, list[str]] = {}
        for one in files:
            under = self._opened_under.get(one)
            if under not in {None, name}:
                others.setdefault(str(under), []).append(str(one.name))
        return [_line(sorted(paths), under, name) for under, paths in sorted(others.items())]


def _line(paths: list[str], under: str, name: str) -> str:
    more = f" and {len(paths) - _FEW} more" if len(paths) > _FEW else ""
    return (
        f"GDAL keeps no account for an open file: it may read {', '.join(paths[:_FEW])}{more} as {name}, opened under "
        f"{under}. Close it, or open it again."
    )


def _open_files() -> list[Any]:
    """Return the files in S3 that rasterio has open; looked for among all objects, and only where it is loaded."""
    kind = getattr(sys.modules.get("rasterio._base"), "DatasetBase", None)
    if kind is None:
        return []
    found = [one for one in gc.get_objects() if isinstance(one, kind)]
    return [one for one in found if not one.closed and str(one.name).startswith(_REMOTE)]
