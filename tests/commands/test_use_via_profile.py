"""`use … --via profile`: the guide's `export AWS_PROFILE=…`, with our sign-in behind it; nothing else is set."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import boto3
import pytest
from doubles import THE_GUIDES_SIGN_IN, RecordingShow, sso_profile

from cuaws_magic.credentials.environment import TAKEN_OUT_FOR_A_PROFILE
from cuaws_magic.errors import ConfigurationError, CredentialsRefused, UnknownTarget

ID, OTHER_ID = "111111111111", "222222222222"
CONFIG = (
    THE_GUIDES_SIGN_IN
    + sso_profile("awsucob0myaccount", ID, "MyRole")
    + sso_profile("other", OTHER_ID, "MyOtherRole", "us-east-2")
)
ASK = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"


@pytest.fixture(autouse=True)
def _botocore_looks_into_this_home(home, monkeypatch):
    """botocore expands `~` when it is imported, which in a test run is a home before."""
    from botocore.credentials import SSOProvider
    from botocore.tokens import SSOTokenProvider

    for provider in (SSOProvider, SSOTokenProvider):
        monkeypatch.setattr(provider, "_SSO_TOKEN_CACHE_DIR", str(home / ".aws" / "sso" / "cache"))
    (home / ".aws").mkdir()
    (home / ".aws" / "config").write_text(CONFIG)


def via(app, target, **more):
    return app.use(RecordingShow(), target, via="profile", **more)


def another_process():
    return subprocess.run(
        [sys.executable, "-c", ASK], capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()


def test_only_the_name_is_set(app, portal):
    """AWS_PROFILE, and nothing else; signed in; confirmed as that account; the card says how it works."""
    before = dict(os.environ)

    used = via(app, "awsucob0myaccount")

    assert {name: one for name, one in os.environ.items() if before.get(name) != one} == {
        "AWS_PROFILE": "awsucob0myaccount"
    }
    assert before.keys() <= os.environ.keys()
    assert (used.account, used.role, used.identity.account) == (ID, "MyRole", ID)
    assert "programs fetch and renew their own (AWS_PROFILE=awsucob0myaccount)" in repr(used)
    assert used.signed_in_until is not None
    assert portal.count("StartDeviceAuthorization") == 1


def test_botocore_and_other_processes_find_it(app):
    """In this process botocore's own SSO provider answers; a subprocess finds the profile and our sign-in."""
    via(app, "awsucob0myaccount")

    session = boto3.Session()

    assert session.get_credentials().method == "sso"
    assert session.region_name == "us-west-2"
    assert boto3.client("sts").get_caller_identity()["Account"] == ID
    assert another_process() == ID


def test_what_would_win_is_taken_out_and_comes_back(app, monkeypatch):
    """Keys, another profile, the role of a hub's pod: out of the way meanwhile, back after `release`."""
    for name in TAKEN_OUT_FOR_A_PROFILE:
        monkeypatch.setenv(name, f"theirs {name}")
    monkeypatch.setenv("AWS_PROFILE", "other")
    monkeypatch.setenv("AWS_DEFAULT_PROFILE", "other")
    before = dict(os.environ)

    via(app, "awsucob0myaccount")
    meanwhile = dict(os.environ)
    account = another_process()
    app.release()

    assert not set(TAKEN_OUT_FOR_A_PROFILE) & meanwhile.keys()
    assert account == ID
    assert dict(os.environ) == before


def test_from_keys_to_a_profile_and_back(app, monkeypatch):
    """Each way takes out what the other put in, and keeps what was there before both."""
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    before = dict(os.environ)

    app.use(RecordingShow(), "other")
    via(app, "awsucob0myaccount")
    by_name = dict(os.environ)
    app.use(RecordingShow(), "other")
    by_keys = dict(os.environ)
    app.release()

    assert by_name == {**before, "AWS_PROFILE": "awsucob0myaccount"}
    assert (by_keys["AWS_ACCOUNT_ID"], by_keys["AWS_REGION"]) == (OTHER_ID, "us-east-2")
    assert by_keys["AWS_PROFILE"] == "other"
    assert dict(os.environ) == before


def test_clients_and_unused_sessions_keep_it(app):
    """What was made while a profile was in use stays with it, also if it asks for credentials only later."""
    via(app, "awsucob0myaccount")
    client, unused = boto3.client("sts"), boto3.Session()

    app.use(RecordingShow(), "other")
    via(app, "other")
    app.release()

    assert client.get_caller_identity()["Account"] == ID
    assert unused.client("sts").get_caller_identity()["Account"] == ID
    assert unused.region_name == "us-west-2"


def test_an_explicit_profile_or_explicit_keys_are_used(app):
    """A session that says itself what it wants gets that."""
    via(app, "awsucob0myaccount")

    assert boto3.Session(profile_name="other").client("sts").get_caller_identity()["Account"] == OTHER_ID
    assert boto3.Session(aws_access_key_id="AKIA1", aws_secret_access_key="x").get_credentials().method == "explicit"


def test_a_profile_that_somebody_sets_by_hand_wins(app, monkeypatch):
    """As with keys: a change after `use` is what new sessions see."""
    via(app, "awsucob0myaccount")
    monkeypatch.setenv("AWS_PROFILE", "other")

    assert boto3.client("sts").get_caller_identity()["Account"] == OTHER_ID
    assert "AWS_PROFILE changed since" in repr(app.status())


def test_a_saved_block(app, home):
    """The guide's option 2: the name of a block of the credentials file."""
    values = json.loads(app.export(RecordingShow(), "other", "process").reveal())
    (home / ".aws" / "credentials").write_text(
        f"[222222222222_MyOtherRole]\naws_access_key_id={values['AccessKeyId']}\n"
        f"aws_secret_access_key={values['SecretAccessKey']}\naws_session_token={values['SessionToken']}\n"
    )
    os.environ["AWS_DEFAULT_REGION"] = "us-west-2"

    used = via(app, "222222222222_MyOtherRole")

    assert (used.account, used.role) == (OTHER_ID, "MyOtherRole")
    assert "Sign-in" not in repr(used)
    assert "(AWS_PROFILE=222222222222_MyOtherRole); saved keys are not renewed" in repr(used)
    assert "renews" not in repr(used)
    assert another_process() == OTHER_ID


def test_without_asking_sts(app, portal):
    """`--no-verify` still signs in, since every program needs that."""
    used = via(app, "other", verify=False)

    assert used.identity is None
    assert used.signed_in_until is not None
    assert portal.count("sts:GetCallerIdentity") == portal.count("GetRoleCredentials") == 0


def test_the_sign_in_stays_watched(app, portal):
    """After it ended, before the next cell one line says so and what to type."""
    via(app, "awsucob0myaccount")
    portal.revoke_sign_ins()
    app.token_cache.forget(app.credentials.current.sso_session)
    app.credentials._look_each_cell()

    hint = app.hints.before()

    assert "The sign-in ended" in repr(hint)
    assert "%cuaws login" in repr(hint)


def test_it_is_released_and_logged_out(app):
    """`logout` takes the name out as well."""
    via(app, "awsucob0myaccount")

    said = repr(app.logout())

    assert "AWS_PROFILE" not in os.environ
    assert "until they expire" in said


# One line, nothing changed.


def refused(app, target, error, match, **more):
    before = dict(os.environ)

    with pytest.raises(error, match=match):
        via(app, target, **more)

    assert dict(os.environ) == before
    assert app.credentials.current is None


def test_no_such_profile(app):
    """The nearest are named, and the command that writes profiles."""
    refused(app, "awsucob0myacount", UnknownTarget, "Nearest: awsucob0myaccount. .*type `%cuaws configure`")


def test_an_account_is_no_profile(app):
    """An account id or a name at the portal does not do: the name must stand in the file."""
    refused(app, "333333333333", UnknownTarget, "`%cuaws configure`")


@pytest.mark.parametrize("more", [{"role": "Admin"}, {"region": "eu-west-1"}])
def test_role_and_region_are_the_profiles(app, more):
    """They stand in the file, and every other program reads them there."""
    refused(app, "other", ConfigurationError, "role and region are those of the profile other", **more)


def test_a_profile_that_leads_to_another_account(app, monkeypatch):
    """What AWS says of it must be what the file says."""
    real = app.identity_center.caller_identity

    def another(keys, region, profile=None):
        from dataclasses import replace

        return replace(real(keys, region), account="999999999999")

    monkeypatch.setattr(app.identity_center, "caller_identity", another)

    refused(app, "other", CredentialsRefused, "for account 999999999999, not 222222222222")
