"""What we remember ourselves: losing it is never an error."""

from __future__ import annotations

import stat

import pytest

from cuaws_magic.state_store import StateStore

CONTENT = {"accounts": {"044444444444": "research-climate-dev"}}


@pytest.fixture(name="folder")
def _folder(tmp_path):
    """A folder of the test's own; the pretended home is beside it."""
    made = tmp_path / "folder"
    made.mkdir()
    return made


def only_file(folder):
    (path,) = folder.iterdir()
    return path


def test_kept_and_found_again(folder):
    """What one kernel saved another one loads."""
    saved = StateStore(folder).save("accounts", "fedauth", CONTENT)

    assert saved is True
    assert StateStore(folder).load("accounts", "fedauth") == CONTENT


def test_kinds_and_keys_are_apart(folder):
    """A kind or a key of its own is a file of its own."""
    state = StateStore(folder)

    state.save("accounts", "fedauth", CONTENT)

    assert state.load("used", "fedauth") == {}
    assert state.load("accounts", "other") == {}


def test_a_key_never_becomes_a_path(folder):
    """A start URL, or a name with slashes, is a digest in the file's name."""
    state = StateStore(folder / "state")

    state.save("accounts", "../../https://x/start", CONTENT)

    assert only_file(folder / "state").name.startswith("accounts-")
    assert list(folder.iterdir()) == [folder / "state"]


def test_private(folder):
    """Names of accounts are nobody else's business: 0600."""
    StateStore(folder).save("accounts", "fedauth", CONTENT)

    assert stat.S_IMODE(only_file(folder).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b'"text"', b"null", b"\xff\xfe"],
    ids=["empty", "truncated", "list", "text", "null", "not-utf8"],
)
def test_damage_is_as_good_as_nothing(folder, damage):
    """A damaged file is an empty object, and the next save replaces it."""
    state = StateStore(folder)
    state.save("accounts", "fedauth", CONTENT)
    only_file(folder).write_bytes(damage)

    assert state.load("accounts", "fedauth") == {}
    assert state.save("accounts", "fedauth", CONTENT)
    assert state.load("accounts", "fedauth") == CONTENT


def test_a_home_that_cannot_be_written(folder):
    """Where nothing can be written, saving says so and does not raise."""
    (folder / "state").write_bytes(b"a file in place of the folder")
    state = StateStore(folder / "state")

    assert state.save("accounts", "fedauth", CONTENT) is False
    assert state.load("accounts", "fedauth") == {}


def test_another_kernels_change_is_seen(folder):
    """What was loaded before is loaded again once the file has changed."""
    one, other = StateStore(folder), StateStore(folder)
    one.save("used", "fedauth", {"a": 1})
    before = one.load("used", "fedauth")

    other.save("used", "fedauth", {"a": 1, "b": 2})

    assert before == {"a": 1}
    assert one.load("used", "fedauth") == {"a": 1, "b": 2}


def test_one_lock_for_one_thing(folder):
    """A thing has the same lock in every kernel, and two things have two."""
    one = StateStore(folder).lock_path("refresh a")

    assert one == StateStore(folder).lock_path("refresh a")
    assert one != StateStore(folder).lock_path("refresh b")
    assert one.parent.parent == folder


def test_out_of_the_clis_folders(home):
    """Our own files are in the home and not in `~/.aws`, where other programs read every file."""
    folder = StateStore.default().folder

    assert home in folder.parents
    assert ".aws" not in folder.parts
