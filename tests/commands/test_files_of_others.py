"""Files that killed, foreign and lockless programs leave: removed, not used, not overwritten; a proxy is no portal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import pytest
from doubles import THE_GUIDES_SIGN_IN, App, RecordingShow, sso_profile

from cuaws_magic.config.edits import Put
from cuaws_magic.config.files import ConfigWriter
from cuaws_magic.errors import StorageError
from cuaws_magic.sso.session import CU_BOULDER
from cuaws_magic.state_store import StateStore

ROOT = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def show():
    return RecordingShow()


def a_leftover(folder, name):
    """A temporary file of a process that is gone."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f".{name}.{gone.pid}.0123abcd.tmp"
    path.write_text(json.dumps({"accessToken": "s3cret"}))
    return path


@pytest.mark.parametrize("every", [False, True], ids=["logout", "logout --all"])
def test_logout_removes_what_killed_writers_left(app, portal, show, every):
    """An SSO token in a temporary file outlives no logout."""
    app.login(show)
    left = [
        a_leftover(app.token_cache.sso_folder, "68fff89d877d206161aeff3f3b70f2647f88c7b6.json"),
        a_leftover(app.token_cache.role_folder, "f18522e68fb51d722d6e0a8d829346a199af29df.json"),
    ]

    app.logout(every=every)

    assert [path.exists() for path in left] == [False, False]


def test_the_doctor_names_what_killed_writers_left(app, portal):
    """With what to type."""
    left = a_leftover(app.token_cache.sso_folder, "x.json")

    said = [one.line for one in app.doctor().findings]

    assert any(f"{left} was left by a program that was killed" in line and f"`!rm {left}`" in line for line in said)


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
@pytest.mark.parametrize("what", [".aws", ".aws/sso/cache", ".aws/config", ".aws/credentials"])
@pytest.mark.parametrize("mode", [0o020, 0o002], ids=["group", "everybody"])
def test_the_doctor_says_who_can_change_the_configuration(app, portal, home, what, mode):
    """Who can write the config file can have a program run as you: that is an error."""
    (home / ".aws" / "sso" / "cache").mkdir(parents=True)
    for name in ("config", "credentials"):
        (home / ".aws" / name).write_text("")
        (home / ".aws" / name).chmod(0o600)
    path = home / what
    path.chmod(path.stat().st_mode | mode)

    found = app.doctor()

    said = [one.line for one in found.findings if one.severity == "error"]
    assert any(f"can change {path}, and so run programs as you" in line for line in said), said
    assert not any("only you can read" in one.line for one in found.findings)


@ROOT
def test_a_sign_in_of_somebody_else_is_not_used(app, portal, show):
    """A token file that another user laid there is nobody's sign-in here; the doctor says so."""
    app.login(show)
    path = app.token_cache.token_path(CU_BOULDER)
    os.chown(path, 12345, 12345)

    another = App()
    sign_in, trouble = another.context.login.peek(CU_BOULDER)

    assert sign_in is None
    assert "another user" in trouble
    assert any("belongs to another user" in one.line for one in another.doctor().findings)


@ROOT
def test_no_token_is_written_through_a_foreign_link(app, portal, show, tmp_path):
    """A link of another user in place of the cache file is not followed; the sign-in works in this kernel."""
    target, path = tmp_path / "theirs", app.token_cache.token_path(CU_BOULDER)
    path.parent.mkdir(parents=True)
    path.symlink_to(target)
    os.chown(path, 12345, 12345, follow_symlinks=False)

    signed_in = app.login(show)

    assert not target.exists()
    assert any("a link that another user made" in note for note in signed_in.notes)


# Writers without a lock.


def test_nothing_is_lost_beside_a_writer_without_a_lock(home):
    """
    An editor that saves all the time loses nothing but what falls between our last look and the rename.

    That gap is some 20 microseconds, and as long as the system keeps the process waiting there: of 500 writes beside an
    editor that saves every 30 ms, at most one in a hundred meets it.
    """
    path = home / ".aws" / "config"
    path.parent.mkdir()
    path.write_text("[profile theirs]\nnote = 0\n")
    writer, rounds, over = ConfigWriter(StateStore(home / "state")), 0, threading.Event()
    lost, saved = [], [0]

    def editor():
        number = 0
        while not over.is_set():
            before = path.read_text()
            temporary = path.with_name("editor")
            temporary.write_text(before.replace(f"note = {number}\n", f"note = {number + 1}\n"))
            if path.read_text() != before:  # an editor that looks before it saves; the rest of the gap is its own
                continue
            temporary.replace(path)
            number += 1
            saved.append(number)
            over.wait(0.03)
            if f"note = {number}\n" not in path.read_text():
                lost.append(number)
                path.write_text(f"[profile theirs]\nnote = {number}\n")

    thread = threading.Thread(target=editor)
    thread.start()
    try:
        while rounds < 500 or saved[-1] <= 50:  # a fast disk has done 500 before the editor saved often enough
            rounds += 1
            region = {"region": f"us-east-{rounds % 2 + 1}"}
            writer.change(
                path, lambda opened, region=region: opened.write(opened.edited([Put("profile", "ours", region)]))
            )
    finally:
        over.set()
        thread.join()

    assert saved[-1] > 50
    assert len(lost) <= rounds / 100


def test_a_file_that_changes_under_the_hand_is_started_over(home):
    """The change is made again, of what is there now."""
    path = home / ".aws" / "config"
    path.parent.mkdir()
    path.write_text("[default]\nregion = us-west-2\n")
    seen = []

    def change(opened):
        seen.append(sorted(opened.sections))
        edited = opened.edited([Put("profile", "ours", {"region": "us-east-1"})])
        if len(seen) == 1:
            path.write_text(path.read_text() + "[profile theirs]\nregion = us-west-2\n")
        opened.write(edited)

    ConfigWriter(StateStore(home / "state")).change(path, change)

    assert seen == [["default"], ["default", "profile theirs"]]
    assert "[profile theirs]" in path.read_text()
    assert "[profile ours]" in path.read_text()


def test_a_file_that_never_rests_is_left_alone(home):
    """After some attempts a line says so."""
    path = home / ".aws" / "config"
    path.parent.mkdir()
    path.write_text("")

    def change(opened):
        edited = opened.edited([Put("profile", "ours", {"region": "us-east-1"})])
        path.write_text(path.read_text() + "#\n")
        opened.write(edited)

    with pytest.raises(StorageError, match=r"keeps changing .*config; nothing was written\. Wait a minute"):
        ConfigWriter(StateStore(home / "state")).change(path, change)


# What a proxy answers.


def test_a_page_is_no_logout(app, portal, show, monkeypatch):
    """HTTP 200 with a proxy's page does not end the sign-in at AWS, and is not taken for that."""
    app.login(show)
    portal_client = app.identity_center._questions._clients.unsigned("sso", "us-west-2")
    page = {
        "ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {"content-type": "text/html", "content-length": "9"}}
    }
    monkeypatch.setattr(portal_client, "logout", lambda **_: page)
    monkeypatch.setattr(app.identity_center._questions._pace, "_sleep", lambda _: None)

    said = repr(app.logout())

    assert "AWS ends it only at" in said


def test_the_portals_own_answer_is_a_logout(app, portal, show):
    """And says nothing more."""
    app.login(show)

    said = repr(app.logout())

    assert "AWS ends it only" not in said
    assert portal.count("Logout") == 1


def test_settings_that_have_no_effect_are_named(app, portal, home):
    """Saved keys that hide a program, a role_arn that hides sso keys: the doctor says which and what to type."""
    folder = home / ".aws"
    folder.mkdir()
    (folder / "config").write_text(
        THE_GUIDES_SIGN_IN
        + sso_profile("mixed", "111111111111", "MyRole")
        + "role_arn = arn:aws:iam::222222222222:role/Deploy\nsource_profile = mixed\n"
        + "[profile lab]\ncredential_process = keys\n"
    )
    (folder / "credentials").write_text("[lab]\naws_access_key_id = AKIAX\naws_secret_access_key = S\n")

    said = [one.line for one in app.doctor().findings]

    assert any("credential_process of [profile lab]" in line and "`%cuaws forget lab`" in line for line in said)
    assert any("sso_role_name of [profile mixed]" in line and "role_arn wins" in line for line in said)
