"""
Writing to disk so that nothing is ever half written or readable by others.

The one place where this package creates files: a file is the old one or the new
one, whoever is killed in between, and two kernels that write under a lock lose
nothing. Where a home has no working locks (some network file systems) the work
goes on without one: a rare lost write is better than a notebook that hangs.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from cuaws_magic.errors import ChangedMeanwhile, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700

_LINKS = 40  # that lead from one to the next, as Linux allows

# Windows refuses to replace a file while another program has it open.
_REPLACE_ATTEMPTS = 5
_REPLACE_PAUSE = 0.05  # seconds

_TRIAL = 4096  # bytes: more than what a file system keeps in its own tables

# A lock is held for one question to AWS at the most, asked up to four times at half a minute each; who waits longer
# goes on without.
_LOCK_PATIENCE = 150.0  # seconds


def write_private(
    path: Path,
    data: bytes,
    *,
    keep_mode: bool = False,
    unchanged: Callable[[], bool] = lambda: True,
    durable: bool = True,
) -> None:
    """
    Replace a file's content at once, readable by its owner only.

    Follows symbolic links, creates missing folders (0700), removes what an earlier writer left that was killed.

    Args:
        path: The file.

        data: All of its content.

        keep_mode: A file that is there keeps its mode and its owner; for files that are a person's own.

        durable: Wait for the disk, so that the content outlasts a power failure too.

        unchanged: Asked right before the file is replaced; `False` if somebody changed it since it was read.

    Raises:
        StorageError: The file cannot be written; what was there is still there.

        ChangedMeanwhile: `unchanged` said no; nothing was written.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        for one in leftovers(target.parent, target.name):
            one.unlink(missing_ok=True)
        try:
            descriptor = _created(temporary)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                if durable:
                    os.fsync(stream.fileno())
            if keep_mode:
                _take_after(temporary, target)
            if not unchanged():
                raise ChangedMeanwhile  # noqa: TRY301 - the temporary file goes as after any failure
            _replace(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
    except OSError as error:
        raise _unwritable(path, error) from None


def _created(path: Path) -> int:
    """Create a file that only its owner reads, and its folder where that is missing; returns the descriptor."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        return os.open(path, flags, PRIVATE_FILE)
    except FileNotFoundError:
        _make_private_folder(path.parent)
        return os.open(path, flags, PRIVATE_FILE)


_LEFTOVER = re.compile(r"\.(?P<name>.+)\.(?P<pid>[0-9]+)\.[0-9a-f]{8}\.tmp")
_FORGOTTEN = 24 * 3600.0  # seconds after which a temporary file is nobody's, where processes cannot be looked up


def leftovers(folder: Path, name: str | None = None) -> list[Path]:
    """
    Find temporary files of writers that were killed (`kill -9`, a lost machine): they may hold what the file holds.

    Args:
        folder: Where to look.

        name: Only those of this file.
    """
    found = []
    with contextlib.suppress(OSError):
        for entry in os.listdir(folder):  # noqa: PTH208 - at each write: names are enough, paths of all cost ten times that
            match = _LEFTOVER.fullmatch(entry)
            if match is not None and name in {None, match["name"]} and not alive(int(match["pid"]), folder / entry):
                found.append(folder / entry)
    return sorted(found)


def sweep(folder: Path) -> None:
    """Delete the temporary files of writers that were killed."""
    for path in leftovers(folder):
        with contextlib.suppress(OSError):
            path.unlink()


def alive(pid: int, path: Path) -> bool:
    """Whether the process that wrote a file may still be at work."""
    if os.name != "posix":  # there, `os.kill` with 0 ends the process
        with contextlib.suppress(OSError):
            return time.time() - path.stat().st_mtime < _FORGOTTEN
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


if sys.platform == "win32":

    def _user() -> int:
        return -1  # files there have no number of an owner

    def _try_lock(descriptor: int) -> None:
        """Do nothing: locks always work there."""

else:

    def _user() -> int:
        return os.geteuid()

    def _try_lock(descriptor: int) -> None:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)


def is_foreign(path: Path) -> bool:
    """Whether another user owns a file, or the link in its place; to root, the owner of the home is no stranger."""
    if os.name != "posix":
        return False
    own = {_user()}
    with contextlib.suppress(OSError):
        own.add(Path(os.path.expanduser("~")).stat().st_uid)  # noqa: PTH111 - Path.expanduser raises where there is no home
    try:
        return path.lstat().st_uid not in own or path.stat().st_uid not in own
    except OSError:
        return False


def stamp(path: Path) -> object | None:
    """Tell one state of a plain file from another; `None` for a link, whose target may change, and where nothing is."""
    try:
        status = path.lstat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_uid, status.st_mode)


def refuse_foreign_link(path: Path) -> None:
    """
    Refuse to write through a link that another user laid, in /tmp say: what is written would go where they want it.

    Raises:
        StorageError: It is one, or leads back to itself.
    """
    link, followed = path, 0
    while os.name == "posix" and link.is_symlink() and followed < _LINKS:
        if link.lstat().st_uid != _user():
            raise StorageError(f"{path} is a link that another user made, so it is not followed. Name another file.")
        link, followed = link.parent / link.readlink(), followed + 1
    if followed == _LINKS:
        raise StorageError(f"{path} is a link that leads back to itself. Name another file.")


def remove(path: Path) -> bool:
    """
    Delete a file; `False` if there was none.

    Raises:
        StorageError: It is there and cannot be deleted.
    """
    try:
        path.unlink()
    except (FileNotFoundError, NotADirectoryError):  # the second: a folder of its path is a file
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
        _make_private_folder(path.parent)
        _refuse_without_locks(path)
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


def _make_private_folder(folder: Path) -> None:
    """Create a folder and those above it that are missing; `mkdir(parents=True)` gives its mode to the last only."""
    for missing in [one for one in (*reversed(folder.parents), folder) if not one.exists()]:
        missing.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)


def _refuse_without_locks(path: Path) -> None:
    """
    Raise `OSError` where locks do not work.

    filelock would wait for them to, or fall back to files that a killed holder leaves behind.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    try:
        _try_lock(descriptor)
    except BlockingIOError:
        pass  # somebody holds it: it works
    finally:
        os.close(descriptor)


def _unwritable(path: Path, error: OSError) -> StorageError:
    why = reason(error)
    if error.errno == errno.ENOSPC:
        return StorageError(f"Cannot write {path}: {why}. Free some space there, then run the cell again.")
    if error.errno == errno.EDQUOT:
        return StorageError(f"Cannot write {path}: {why}. Delete what you do not need, then run the cell again.")
    return StorageError(f"Cannot write {path}: {why}. Make it writable and try again.")


def reason(error: OSError) -> str:
    """Say in a few words why the system refused."""
    return (error.strerror or type(error).__name__).lower()


def trouble_writing(folder: Path) -> str | None:
    """
    Say why no file can be written into a folder, or `None`: a small file is written and removed.

    The mode alone does not tell of a full disk, a quota, a read-only file system. A folder that is not there would be
    made: the nearest one above it that is there is tried.
    """
    for part in (folder, *folder.parents):
        if not os.path.lexists(part):
            continue  # another thread may make it meanwhile
        if part.is_dir():
            break
        return f"{part} is not a folder"
    else:
        return "there is no such place"
    try:
        with tempfile.TemporaryFile(dir=part) as stream:
            stream.write(b"\0" * _TRIAL)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        return f"{part}: {reason(error)}"
    return None


def check_writable(path: Path) -> None:
    """
    Find out before a long question whether its answer could be written.

    Raises:
        StorageError: It could not.
    """
    real = Path(os.path.realpath(path))
    if real.exists() and not os.access(real, os.W_OK):
        raise StorageError(f"Cannot write {path}: it is read-only. Make it writable and try again.")
    trouble = trouble_writing(real.parent)
    if trouble is not None:
        raise StorageError(
            f"Cannot write {path}: {trouble}. Free some space or make it writable, then run the cell again."
        )


def _take_after(path: Path, model: Path) -> None:
    """Give a file the owner, as far as we may, and the mode of another, if that is there."""
    try:
        status = model.stat()
    except FileNotFoundError:
        return
    if hasattr(os, "chown"):
        with contextlib.suppress(OSError):
            os.chown(path, status.st_uid, status.st_gid)
    path.chmod(status.st_mode & 0o777)


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
