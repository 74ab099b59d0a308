"""`%cuaws logout --all` beside the real `aws sso logout`: the same files left, the same calls made."""

from __future__ import annotations

import json
import os
import shutil
import time

import pytest
from aws_commands import newest_version_2, run
from doubles import App, RecordingShow

from cuaws_magic.errors import StorageError
from cuaws_magic.practice import Failure, Knobs
from cuaws_magic.settings import Settings
from cuaws_magic.sso.session import CU_BOULDER
from cuaws_magic.sso.token_cache import TokenCache

# Where the real command counts how it is used; nothing of a sign-in is in there.
COUNTED = ".aws/cli/cache/session.db"
FAR = "2099-01-02T03:04:05Z"
OVER = "2020-01-02T03:04:05Z"
SSO_CACHE = {
    "a-sign-in-elsewhere.json": {"startUrl": "https://e.awsapps.com/start", "region": "us-east-1", "accessToken": "a"},
    "over.json": {"region": "us-west-2", "accessToken": "b", "expiresAt": OVER},
    "over-and-old.json": {"region": "us-west-2", "accessToken": "c", "expiresAt": "2020-01-02T03:04:05UTC"},
    "no-region.json": {"accessToken": "d", "expiresAt": FAR},
    "bad-date.json": {"region": "us-west-2", "accessToken": "e", "expiresAt": "soon"},
    "another-ending.bak": {"region": "us-west-2", "accessToken": "f", "expiresAt": FAR},
    "registration.json": {"clientId": "i", "clientSecret": "s", "expiresAt": FAR},
    "another-program.json": {"cookies": []},
    "a-list.json": [],
}
ROLE_CACHE = {
    "of-sso.json": {"ProviderType": "sso", "Credentials": {"AccessKeyId": "k"}},
    "of-sso-damaged.json": {"ProviderType": "sso"},
    "of-assume-role.json": {"ProviderType": "assume-role", "Credentials": {}},
    "of-nobody.json": {"Credentials": {}},
}


def fill(home):
    for folder, content in (("sso", SSO_CACHE), ("cli", ROLE_CACHE)):
        path = home / ".aws" / folder / "cache"
        path.mkdir(parents=True, exist_ok=True)
        for name, value in content.items():
            (path / name).write_text(json.dumps(value))
        (path / "not-json.json").write_text("{")
        (path / "a-folder.json").mkdir()


def left(home):
    return sorted(str(path.relative_to(home)) for path in (home / ".aws").rglob("*"))


def logouts(portal):
    return sorted((call.status, call.error) for call in portal.calls if call.operation == "Logout")


def test_as_the_real_command(app, portal, home, tmp_path):
    """The same home, by the one and by the other: what remains on disk and what was asked at the portal agree."""
    app.use(RecordingShow(), "awsucob0myaccount")
    fill(home)
    twin = tmp_path / "twin"
    shutil.copytree(home, twin)
    portal.clear_calls()

    ours = app.logout(every=True)
    our_calls, our_files = logouts(portal), left(home)
    portal.clear_calls()
    theirs = run(newest_version_2().path, "sso", "logout", HOME=str(twin))

    assert theirs == (0, "", "")
    assert our_files == [path for path in left(twin) if path != COUNTED]
    assert len(our_calls) == len(logouts(portal)) == 6
    assert {status for status, _ in our_calls} == {200, 401}
    # What we have ended already, the portal knows no more when the real command comes.
    assert {status for status, _ in logouts(portal)} == {401}
    assert ".aws/sso/cache/registration.json" in our_files
    assert ".aws/cli/cache/of-assume-role.json" in our_files
    assert "over.json" not in " ".join(our_files)
    assert "https://e.awsapps.com/start" in ours.organisations


def test_the_real_command_ends_our_sign_in(app, portal, home):
    """The other way round: after `aws sso logout` this kernel is signed out too."""
    app.login(RecordingShow())

    assert run(newest_version_2().path, "sso", "logout") == (0, "", "")

    assert app.status().signed_in_until is None
    assert logouts(portal) == [(200, None)]


def test_the_kernel_is_empty_afterwards(app, portal, monkeypatch):
    """Beyond the files: nothing is in use, and the environment is as it was found."""
    monkeypatch.setenv("AWS_SECURITY_TOKEN", "as found")
    before = dict(os.environ)
    app.use(RecordingShow(), "awsucob0myaccount")

    said = " ".join(app.logout(every=True).sentences)

    assert dict(os.environ) == before
    assert app.credentials.current is None
    assert app.status().in_use is None
    assert "AWS does not revoke them" in said


def test_a_portal_that_does_not_answer(app, portal, monkeypatch):
    """The files are gone although the portal could not be asked, and it says what lives on; over is over."""
    app.login(RecordingShow())
    cache = TokenCache.default()
    (cache.sso_folder / "over.json").write_text(json.dumps(SSO_CACHE["over.json"]))
    portal.stop()
    monkeypatch.setattr("cuaws_magic.aws.transport.FIRST_PAUSE", 0.0)

    signed_out = app.logout(every=True)

    assert list(cache.all_tokens()) == []
    assert [one for one in signed_out.sentences if "AWS ends it only at" in one] == [signed_out.sentences[0]]
    assert CU_BOULDER.start_url in signed_out.organisations


SEVERAL = "".join(
    f"[sso-session {name}]\nsso_start_url = https://{name}.awsapps.com/start\nsso_region = us-west-2\n"
    for name in ("one", "two")
)


def test_whichever_sign_in_is_meant(app, portal, home):
    """With several sso-sessions, none of them chosen, all are ended."""
    (home / ".aws").mkdir()
    (home / ".aws" / "config").write_text(SEVERAL)
    for name in ("one", "two"):
        App().login(RecordingShow(), Settings(session=name))

    ended = app.logout(every=True)

    assert sorted(ended.organisations) == ["https://one.awsapps.com/start", "https://two.awsapps.com/start"]
    assert list(TokenCache.default().all_tokens()) == []
    assert logouts(portal) == [(200, None), (200, None)]


@pytest.mark.parametrize("every", [False, True])
def test_a_config_that_went_bad(app, portal, home, every):
    """The account in use and its sign-in are ended, however broken the file is now; not a key stays."""
    app.use(RecordingShow(), "awsucob0myaccount")
    (home / ".aws" / "config").write_text("nonsense\n")

    app.logout(every=every)

    assert "AWS_ACCESS_KEY_ID" not in os.environ
    assert list(TokenCache.default().all_tokens()) == []
    assert list(TokenCache.default().role_folder.glob("*.json")) == []
    assert logouts(portal) == [(200, None)]


def test_keys_go_although_it_is_not_settled_which_sign_in_is_meant(app, home):
    """Saved keys in use, several sso-sessions, signed in to none of them: there is nothing to choose."""
    values = json.loads(app.export(RecordingShow(), "awsucob0myaccount", "process").reveal())
    app.logout()
    (home / ".aws" / "config").write_text(SEVERAL)
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    keys = zip(names, ("AccessKeyId", "SecretAccessKey", "SessionToken"), strict=True)
    (home / ".aws" / "credentials").write_text("[keys]\n" + "".join(f"{one} = {values[two]}\n" for one, two in keys))
    app.use(RecordingShow(), "keys")
    assert "AWS_ACCESS_KEY_ID" in os.environ

    signed_out = app.logout()

    assert signed_out.organisations == ()
    assert "AWS_ACCESS_KEY_ID" not in os.environ


def test_a_sign_in_that_only_this_kernel_has(app, portal, home, monkeypatch):
    """A home that cannot be written: the sign-in in memory is ended too, whichever is meant."""
    monkeypatch.setattr("cuaws_magic.sso.token_cache.write_object", refuse)
    app.login(RecordingShow(), Settings(session="fedauth"))
    (home / ".aws").mkdir(exist_ok=True)
    (home / ".aws" / "config").write_text(SEVERAL)
    app.choice._said = Settings()  # as if nobody had said which

    app.logout(every=True)

    assert logouts(portal) == [(200, None)]
    assert list(app.token_cache.all_tokens()) == []


def refuse(*_):
    raise StorageError("Cannot write. Make it writable and try again.")


def test_a_portal_that_is_silent(app, portal, home, monkeypatch):
    """Nobody waits for it longer than said; the files are gone, a line says until when AWS takes the sign-in."""
    app.login(RecordingShow())
    portal.knobs = Knobs(failures=(Failure("Logout", 1, "slow", 3),))
    monkeypatch.setattr("cuaws_magic.commands.login._PATIENCE", 1)

    began = time.monotonic()
    sentences = app.logout(every=True).sentences
    took = time.monotonic() - began

    assert any("did not answer in 1 seconds. It is deleted here, but AWS ends" in one for one in sentences)
    assert list(app.token_cache.all_tokens()) == []
    assert took < 2.5


def test_hundreds_that_ended(app, portal, home):
    """All are asked for, several at a time, and none is left."""
    folder = TokenCache.default().sso_folder
    folder.mkdir(parents=True)
    for number in range(300):
        (folder / f"{number:040x}.json").write_text(json.dumps(SSO_CACHE["over.json"] | {"accessToken": f"t{number}"}))

    app.logout(every=True)

    assert len(logouts(portal)) == 300
    assert list(app.token_cache.all_tokens()) == []
