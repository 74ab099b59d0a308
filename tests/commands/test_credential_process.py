"""`cuaws-magic credentials ACCOUNT/ROLE`, for `credential_process`: never asks, one line, nothing heavy."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from doubles import App, RecordingShow

from cuaws_magic.credentials import cached_process

ID, OTHER = "111111111111", "222222222222"
WORDS = ("credentials", f"{ID}/MyRole", "--session", "fedauth")


def run(*words, **environment):
    """Run it as a profile starts it."""
    return subprocess.run(
        [sys.executable, "-m", "cuaws_magic", *words],
        capture_output=True, text=True, check=False, timeout=60, env=os.environ | environment,
    )  # fmt: skip


@pytest.fixture
def signed_in(app, portal):
    """A home that is signed in; nothing is in use."""
    app.login(RecordingShow())
    portal.clear_calls()
    return app


def test_it_fetches_and_then_reads_the_cache(signed_in, portal):
    """The first answer asks the portal, the second nobody; both are version 1 of the protocol."""
    first, second = run(*WORDS), run(*WORDS)

    assert (first.returncode, first.stderr) == (second.returncode, second.stderr) == (0, "")
    keys, again = json.loads(first.stdout), json.loads(second.stdout)
    assert set(keys) == {"Version", "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"}
    assert keys["Version"] == again["Version"] == 1
    assert [keys[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")] == [
        again[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")
    ]
    assert portal.count("GetRoleCredentials") == 1


def test_what_is_cached_is_read_without_importing_anything_heavy(signed_in):
    """Neither botocore nor what the rest of this package needs: Python's own start is most of it."""
    run(*WORDS)

    def imported(*words):
        done = subprocess.run(
            [sys.executable, "-IS", "-X", "importtime", *words], capture_output=True, text=True, check=True
        )
        return {line.rsplit("|", 1)[1].strip() for line in done.stderr.splitlines()[1:] if "|" in line}

    assert imported(cached_process.__file__, *WORDS[1:]) - imported("-c", "pass") <= {
        "os", "os.path", "posixpath", "genericpath", "stat", "_stat", "_collections_abc", "abc", "_abc", "_sha1",
        "ntpath", "time",
    }  # fmt: skip


def test_the_file_that_a_profile_starts(signed_in, portal):
    """Fetches what is not cached, and reads what is."""
    command = [sys.executable, "-IS", cached_process.__file__, *WORDS[1:]]

    runs = [subprocess.run(command, capture_output=True, text=True, check=False) for _ in range(2)]

    assert [one.returncode for one in runs] == [0, 0], runs[0].stderr
    assert len({json.loads(one.stdout)["AccessKeyId"] for one in runs}) == 1
    assert portal.count("GetRoleCredentials") == 1


def test_what_ends_soon_is_not_given(signed_in, portal):
    """botocore asks twice in a row for what ends soon: it gets a set with some life."""
    portal.knobs = dataclasses.replace(portal.knobs, role_lifetime=600)
    run(*WORDS)
    portal.knobs = dataclasses.replace(portal.knobs, role_lifetime=4 * 3600)

    assert run(*WORDS).returncode == 0
    assert portal.count("GetRoleCredentials") >= 1


def test_without_a_sign_in(portal, home):
    """One line, exit 1; nobody is asked for anything."""
    done = run(*WORDS)

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "You are not signed in to fedauth. Type `%cuaws login` in a notebook.\n"
    assert portal.count("StartDeviceAuthorization") == 0

    App().login(RecordingShow())
    assert run(*WORDS).returncode == 0


@pytest.mark.parametrize("target", ["lab", "111/MyRole", f"{ID}", f"{ID}/", 'x"/y', "é/ü"])
def test_a_target_that_is_none(portal, target):
    """One line that says what to type."""
    done = run("credentials", target, "--session", "fedauth")

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "cuaws-magic credentials 111111111111/MyRole" in done.stderr


def test_a_role_that_is_not_ones_own(signed_in):
    """One line too."""
    done = run("credentials", f"{ID}/Nobody", "--session", "fedauth")

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{", b"[]", b'{"Credentials": {}}', b"\xff\xfe",
        b'{"AccessKeyId":"a\\u0041","SecretAccessKey":"b","SessionToken":"c","Expiration":"2099-01-01T00:00:00Z"}',
    ],
    ids=["empty", "cut", "a list", "no keys", "no text", "escapes"],
)  # fmt: skip
def test_a_cache_file_that_is_damaged(signed_in, portal, text):
    """It is passed over, and new credentials are fetched."""
    run(*WORDS)
    (path,) = signed_in.token_cache.role_folder.glob("*.json")
    path.write_bytes(text)

    done = run(*WORDS)

    assert done.returncode == 0
    assert json.loads(done.stdout)["AccessKeyId"].startswith("ASIA")


def test_configure_writes_profiles_with_it(signed_in, home, monkeypatch):
    """`configure --process`: botocore resolves such a profile, and a second time nothing is to be written."""
    done = signed_in.configure(RecordingShow(), ID, process=True)
    config = Path(home / ".aws" / "config").read_text()

    assert list(done.added) == ["awsucob0myaccount-process"]
    assert "credential_process = " in config
    assert f"cached_process.py {ID}/MyRole --session fedauth" in config
    assert boto3.Session(profile_name="awsucob0myaccount-process").client("sts").get_caller_identity()["Account"] == ID
    again = signed_in.configure(RecordingShow(), ID, process=True)
    assert not again.written
    assert again.kept == ("awsucob0myaccount-process",)
    # Beside those of the guide.
    assert list(signed_in.configure(RecordingShow(), ID).added) == ["awsucob0myaccount"]


def test_use_of_such_a_profile(signed_in, home):
    """It is a profile as any other."""
    signed_in.configure(RecordingShow(), ID, process=True)

    assert signed_in.use(RecordingShow(), "awsucob0myaccount-process").account == ID
