"""
What this package itself remembers between kernels: names and times, never a secret.

The lists of accounts, the role taken last in each account, and when a person signed
in. Losing it costs a question to the portal, so a file that is missing, damaged or
not writable is never an error here. It stays out of `~/.aws`, where other programs
read every file.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, cast

from cuaws_magic import files
from cuaws_magic.errors import StorageError


class OwnState:
    """
    A folder of small JSON objects.

    Args:
        folder: Where they are kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._kept: dict[str, tuple[tuple[int, int], dict[str, Any]]] = {}

    @classmethod
    def default(cls) -> OwnState:
        """Return the one of this user, in the place that this system has for it."""
        from platformdirs import user_state_dir

        return cls(Path(user_state_dir("cuaws_magic", appauthor=False)))

    def load(self, kind: str, key: str) -> dict[str, Any]:
        """Return an object, empty if there is none that can be read."""
        path = self._path(kind, key)
        try:
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            kept = self._kept.get(path.name)
            if kept is None or kept[0] != stamp:
                content = json.loads(path.read_bytes())
                kept = (stamp, cast("dict[str, Any]", content) if isinstance(content, dict) else {})
                self._kept[path.name] = kept
        except (OSError, ValueError, RecursionError):
            return {}
        return kept[1]

    def save(self, kind: str, key: str, content: dict[str, Any]) -> bool:
        """Keep an object; `False` if this home cannot."""
        try:
            files.write_private(self._path(kind, key), json.dumps(content, separators=(",", ":")).encode())
        except StorageError:
            return False
        return True

    def lock_path(self, key: str) -> Path:
        """Return the path of the lock that guards one thing between kernels."""
        return self.folder / "locks" / f"{_digest(key)}.lock"

    def _path(self, kind: str, key: str) -> Path:
        return self.folder / f"{kind}-{_digest(key)}.json"


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:16]
