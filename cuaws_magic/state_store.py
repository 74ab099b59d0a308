"""What this package remembers in a home: small JSON objects in one folder, read again only when they changed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, cast

from cuaws_magic.errors import StorageError
from cuaws_magic.storage import write_private


class StateStore:
    """
    A folder of small JSON objects.

    Args:
        folder: Where they are kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._kept: dict[Path, tuple[tuple[int, int, int], dict[str, Any]]] = {}
        self._paths: dict[tuple[str, str], Path] = {}

    @classmethod
    def default(cls) -> StateStore:
        """Return the one of this user, in the place that this system has for it."""
        from platformdirs import user_state_dir

        return cls(Path(user_state_dir("cuaws_magic", appauthor=False)))

    def load(self, kind: str, key: str) -> dict[str, Any]:
        """Return an object, empty if there is none that can be read."""
        path = self._path(kind, key)
        try:
            status = path.stat()
            seen = (status.st_mtime_ns, status.st_size, status.st_ino)
            kept = self._kept.get(path)
            if kept is None or kept[0] != seen:
                content = json.loads(path.read_bytes())
                kept = (seen, cast("dict[str, Any]", content) if isinstance(content, dict) else {})
                self._kept[path] = kept
        except (OSError, ValueError, RecursionError):
            return {}
        return kept[1]

    def save(self, kind: str, key: str, content: dict[str, Any], *, durable: bool = True) -> bool:
        """Keep an object; `False` if this home cannot. `durable` as in `write_private`."""
        try:
            write_private(self._path(kind, key), json.dumps(content, separators=(",", ":")).encode(), durable=durable)
        except StorageError:
            return False
        return True

    def lock_path(self, key: str) -> Path:
        """Return the path of the lock that guards one thing between kernels."""
        return self.folder / "locks" / f"{_digest(key)}.lock"

    def _path(self, kind: str, key: str) -> Path:
        path = self._paths.get((kind, key))
        if path is None:
            path = self._paths[kind, key] = self.folder / f"{kind}-{_digest(key)}.json"
        return path


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:16]
