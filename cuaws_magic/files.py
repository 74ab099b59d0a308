"""
Writing to disk so that nothing is ever half written or readable by others.

The one place where this package creates files: a file is the old one or the new
one, whoever is killed in between, and two kernels that write under a lock lose
nothing. Where a home has no working locks (some network file systems) the work
goes on without one: a rare lost write is better than a notebook that hangs.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING

from cuaws_magic.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700

# Windows refuses to replace a file while another program has it open.
_REPLACE_ATTEMPTS = 5
_REPLACE_PAUSE = 0.05  # seconds

# A lock is held for one request to AWS at the most; who waits longer goes on without.
_LOCK_PATIENCE = 30.0  # seconds


def write_private(path: Path, data: bytes) -> None:
    """
    Replace a file's content at once, readable by its owner only.

    Follows symbolic links, creates missing folders (0700).

    Raises:
        StorageError: The file cannot be written; what was there is still there.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        target.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            _replace(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
    except OSError as error:
        raise StorageError(f"Cannot write {path}: {reason(error)}. Make it writable and try again.") from None


def remove(path: Path) -> bool:
    """
    Delete a file; `False` if there was none.

    Raises:
        StorageError: It is there and cannot be deleted.
    """
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StorageError(f"Cannot delete {path}: {reason(error)}. Delete it by hand.") from None
    return True


@contextlib.contextmanager
def lock(path: Path) -> Iterator[bool]:
    """
    Hold a lock between the kernels of one home while the block runs.

    Yields:
        Whether the lock is held. `False` where this home has no working locks, or
        another holder kept it for longer than any request takes.
    """
    from filelock import FileLock, Timeout  # deferred: 10 ms that `%load_ext` does not need

    held = None
    try:
        path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        candidate = FileLock(path, timeout=_LOCK_PATIENCE, mode=PRIVATE_FILE)
        candidate.acquire()
        held = candidate
    except (OSError, NotImplementedError, Timeout):
        pass
    try:
        yield held is not None
    finally:
        if held is not None:
            held.release()


def reason(error: OSError) -> str:
    """Say in a few words why the system refused."""
    return (error.strerror or type(error).__name__).lower()


def _replace(source: Path, target: Path) -> None:
    for attempt in range(_REPLACE_ATTEMPTS):
        try:
            source.replace(target)
        except PermissionError:  # noqa: PERF203 - a handful of attempts
            if os.name != "nt" or attempt == _REPLACE_ATTEMPTS - 1:
                raise
            time.sleep(_REPLACE_PAUSE)
        else:
            return
