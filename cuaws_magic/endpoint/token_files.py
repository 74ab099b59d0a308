"""
Files with the tokens that open the paths of the endpoint: 0600, without a newline, gone with their kernel.

The SDKs on object_store read the token from a file only, and every SDK takes what is in
the file as it is, a newline at its end included.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import socket
import tempfile
import time
from pathlib import Path

from cuaws_magic import storage
from cuaws_magic.errors import StorageError

_NAME = re.compile(r"(?P<host>.+)\.(?P<pid>[0-9]+)\.[0-9a-f]{16}\.token")
_ABANDONED = 40 * 24 * 3600.0  # seconds after which the file of another machine's kernel is nobody's


class TokenFiles:
    """
    The token files of one kernel.

    Args:
        folder: Where they are; a home may be shared by machines, so the name of this one is in theirs.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: list[Path] = []
        self._pid = os.getpid()

    def write(self, token: str) -> Path:
        """
        Write a token to a new file; those of kernels that were killed go.

        Raises:
            StorageError: Neither the home nor the temporary folder can be written.
        """
        self._sweep()
        name = f"{_host()}.{self._pid}.{secrets.token_hex(8)}.token"
        path = self._folder / name
        try:
            storage.write_private(path, token.encode("ascii"))
        except StorageError:
            # A home that is full or read-only. `mkdtemp` makes a folder that only its owner can enter.
            path = Path(tempfile.mkdtemp(prefix="cuaws-")) / name
            storage.write_private(path, token.encode("ascii"))
        self._made.append(path)
        return path

    def remove(self) -> None:
        """Delete those of this process; a forked one leaves its parent's alone."""
        if os.getpid() != self._pid:
            return
        while self._made:
            path = self._made.pop()
            with contextlib.suppress(OSError):
                path.unlink()
            if path.parent != self._folder:
                with contextlib.suppress(OSError):
                    path.parent.rmdir()

    def after_fork(self) -> None:
        """Leave the parent's files to the parent."""
        self._made = []
        self._pid = os.getpid()

    def _sweep(self) -> None:
        with contextlib.suppress(OSError):
            for path in self._folder.iterdir():
                match = _NAME.fullmatch(path.name)
                if match is not None and self._abandoned(path, match["host"], int(match["pid"])):
                    with contextlib.suppress(OSError):
                        path.unlink()

    def _abandoned(self, path: Path, host: str, pid: int) -> bool:
        if host == _host():
            return not storage.alive(pid, path)
        with contextlib.suppress(OSError):
            return time.time() - path.stat().st_mtime > _ABANDONED
        return False


def _host() -> str:
    """Return the name of this machine, as it can stand in the name of a file."""
    return re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname()) or "localhost"
