"""Writing: old or new, never half, never readable by others; and locks that never hang a notebook."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from filelock import FileLock

from cuaws_magic import storage
from cuaws_magic.errors import ChangedMeanwhile, StorageError

# Writes the one and the other, without end.
WRITER = """
import pathlib, sys
from cuaws_magic import storage
path = pathlib.Path(sys.argv[1])
storage.write_private(path, b"a" * 200_000)
print("begun", flush=True)
while True:
    storage.write_private(path, b"b" * 200_000)
    storage.write_private(path, b"a" * 200_000)
"""


@pytest.fixture(name="folder")
def _folder(tmp_path):
    """A folder of the test's own; the pretended home is beside it."""
    made = tmp_path / "folder"
    made.mkdir()
    return made


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_is_private(folder):
    """File 0600 and missing folders 0700, whatever the umask allows."""
    path = folder / "a" / "b" / "file"
    before = os.umask(0)

    try:
        storage.write_private(path, b"new")
    finally:
        os.umask(before)

    assert path.read_bytes() == b"new"
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)


def test_a_file_that_was_open_to_others_is_closed(folder):
    """Replacing a file makes it private."""
    path = folder / "file"
    path.write_bytes(b"old")
    path.chmod(0o644)

    storage.write_private(path, b"new")

    assert mode(path) == 0o600


def test_a_symbolic_link_stays_one(folder):
    """Who keeps `~/.aws` in another place keeps it there."""
    real = folder / "elsewhere" / "file"
    real.parent.mkdir()
    real.write_bytes(b"old")
    link = folder / "link"
    link.symlink_to(real)

    storage.write_private(link, b"new")

    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert list(real.parent.iterdir()) == [real]


def test_a_write_that_fails_changes_nothing(folder, monkeypatch):
    """When the last step fails the old file is there, no other, and the error says what to do."""
    path = folder / "file"
    path.write_bytes(b"old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        StorageError, match=r"Cannot write .*file: no space left on device. Free some space there"
    ) as caught:
        storage.write_private(path, b"s3cret")

    assert path.read_bytes() == b"old"
    assert list(folder.iterdir()) == [path]
    assert "s3cret" not in str(caught.value)


def test_a_quota_is_named_as_one(folder, monkeypatch):
    """Where the quota of a home is used up, the advice is to delete something."""

    def over_quota(*_):
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    monkeypatch.setattr(os, "fsync", over_quota)
    with pytest.raises(StorageError, match=r"quota exceeded. Delete what you do not need"):
        storage.write_private(folder / "file", b"s3cret")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_whether_a_folder_can_be_written_is_tried(folder, monkeypatch, number):
    """The mode says nothing of a full disk: a file is written, and removed."""
    assert storage.trouble_writing(folder / "not" / "there" / "yet") is None
    assert list(folder.iterdir()) == []

    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)

    assert storage.trouble_writing(folder) == f"{folder}: {os.strerror(number).lower()}"
    with pytest.raises(StorageError, match="Free some space or make it writable"):
        storage.check_writable(folder / "config")
    assert list(folder.iterdir()) == []


def test_a_target_that_cannot_be_replaced_leaves_no_temporary_file(folder):
    """A folder in the file's place is not replaced, and nothing is left beside it."""
    path = folder / "file"
    path.mkdir()

    with pytest.raises(StorageError):
        storage.write_private(path, b"new")

    assert path.is_dir()
    assert list(folder.iterdir()) == [path]


def test_an_interrupted_write_leaves_no_temporary_file(folder, monkeypatch):
    """Ctrl-C in the middle comes out, and leaves the old file alone."""
    path = folder / "file"
    path.write_bytes(b"old")

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        storage.write_private(path, b"new")

    assert list(folder.iterdir()) == [path]
    assert path.read_bytes() == b"old"


def test_a_folder_that_cannot_be_made(folder):
    """A file where a folder should be is an error of the machine, in words."""
    (folder / "folder").write_bytes(b"")

    with pytest.raises(StorageError, match="Make it writable and try again"):
        storage.write_private(folder / "folder" / "file", b"new")


@pytest.mark.parametrize("rest_of_a_second", [0.02, 0.05, 0.11])
def test_killed_in_the_middle_of_writing(folder, rest_of_a_second):
    """Whoever is killed while writing leaves the old content or the new, whole."""
    path = folder / "file"
    contents = [letter * 200_000 for letter in (b"a", b"b")]
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)

    writer.stdout.readline()
    time.sleep(rest_of_a_second)
    writer.kill()
    writer.wait()
    writer.stdout.close()

    assert path.read_bytes() in contents


def test_removing(folder):
    """Removing says whether there was a file."""
    path = folder / "file"
    path.write_bytes(b"")

    assert storage.remove(path) is True
    assert storage.remove(path) is False


def test_removing_from_what_is_no_folder(folder):
    """Below a file there is nothing, so there is nothing to remove either."""
    (folder / "folder").write_bytes(b"")

    assert storage.remove(folder / "folder" / "file") is False


def test_what_cannot_be_removed_is_an_error(folder):
    """What is there and cannot be deleted is not passed over in silence."""
    (folder / "folder").mkdir()

    with pytest.raises(StorageError, match=r"Cannot delete .*folder.*Delete it by hand"):
        storage.remove(folder / "folder")


def test_a_lock_lets_one_in_at_a_time(folder):
    """Two holders of one lock are never inside together."""
    inside, most = 0, 0

    def work():
        nonlocal inside, most
        for _ in range(5):
            with storage.lock(folder / "locks" / "one") as held:
                assert held
                inside += 1
                most = max(most, inside)
                time.sleep(0.002)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == 1
    assert mode(folder / "locks") == 0o700


def test_a_lock_is_let_go_after_an_error(folder):
    """An error inside comes out and does not keep the lock."""
    with pytest.raises(RuntimeError, match="inside"), storage.lock(folder / "one"):
        raise RuntimeError("inside")

    with FileLock(folder / "one", timeout=0):
        pass


def test_a_home_without_locks(folder):
    """Where no lock can be made the work goes on without one, and knows."""
    (folder / "folder").write_bytes(b"")

    with storage.lock(folder / "folder" / "one") as held:
        assert held is False


def test_a_lock_that_somebody_keeps(folder, monkeypatch):
    """A holder that never lets go stops nobody for ever."""
    # The patience is half a minute; a test has less.
    monkeypatch.setattr(storage, "_LOCK_PATIENCE", 0.05)

    with FileLock(folder / "one"), storage.lock(folder / "one") as held:
        assert held is False


# What killed writers leave.

DIES = """
import os, pathlib, signal, sys
from cuaws_magic import storage
storage._replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
storage.write_private(pathlib.Path(sys.argv[1]), b"s3cret")
"""


def killed_while_writing(path):
    subprocess.run([sys.executable, "-c", DIES, str(path)], check=False, timeout=60)
    (left,) = storage.leftovers(path.parent)
    assert left.read_bytes() == b"s3cret"
    return left


@pytest.mark.skipif(sys.platform == "win32", reason="no kill -9")
def test_the_next_write_removes_what_a_killed_writer_left(folder):
    """`kill -9` between write and rename leaves a file with all of the content; the next write to that file ends it."""
    path = folder / "file"
    left = killed_while_writing(path)

    storage.write_private(path, b"new")

    assert not left.exists()
    assert [one.name for one in folder.iterdir()] == ["file"]


@pytest.mark.skipif(sys.platform == "win32", reason="no kill -9")
def test_a_sweep_leaves_who_is_at_work(folder):
    """Only files of processes that are gone are removed, and only those of our own pattern."""
    left = killed_while_writing(folder / "file")
    ours = folder / f".file.{os.getpid()}.0123abcd.tmp"
    ours.write_bytes(b"in the middle")
    foreign = folder / ".file.tmp"
    foreign.write_bytes(b"somebody's")

    storage.sweep(folder)

    assert (left.exists(), ours.exists(), foreign.exists()) == (False, True, True)


def test_a_change_right_before_the_rename_is_noticed(folder):
    """Who asks for it is told that the file changed since it was read; nothing is written, nothing is left."""
    path = folder / "file"
    path.write_bytes(b"before")

    with pytest.raises(ChangedMeanwhile):
        storage.write_private(path, b"after", unchanged=lambda: False)

    assert path.read_bytes() == b"before"
    assert [one.name for one in folder.iterdir()] == ["file"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_somebody_else_is_foreign(folder):
    """Another user's file or link is told from one's own."""
    mine, theirs, link = folder / "mine", folder / "theirs", folder / "link"
    for path in (mine, theirs):
        path.write_bytes(b"")
    link.symlink_to(mine)
    os.chown(theirs, 12345, 12345)
    os.chown(link, 12345, 12345, follow_symlinks=False)

    assert [storage.is_foreign(path) for path in (mine, theirs, link)] == [False, True, True]


def test_a_folder_that_another_thread_makes_meanwhile(tmp_path, monkeypatch):
    """A folder that comes while it is looked for is one, and not something in its place."""
    folder = tmp_path / "home" / ".aws"
    looked = Path.is_dir

    def made_right_after(path):
        found = looked(path)
        folder.mkdir(parents=True, exist_ok=True)
        return found

    monkeypatch.setattr(Path, "is_dir", made_right_after)

    assert storage.trouble_writing(folder) is None
