"""`use` of profiles that are not Identity Center's own: botocore resolves them, we inject and renew the same way."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from datetime import datetime, timedelta, timezone

import boto3
import pytest
from doubles import THE_GUIDES_SIGN_IN, RecordingShow, sso_profile

from cuaws_magic.aws import profile_credentials
from cuaws_magic.errors import (
    AmbiguousTarget,
    ConfigurationError,
    CredentialsRefused,
    NoAccess,
    NoCredentials,
    UnknownTarget,
)
from cuaws_magic.practice import Failure

ACCOUNT, ID = "awsucob0myaccount", "111111111111"
OTHER_ID = "222222222222"
SIGN_IN = THE_GUIDES_SIGN_IN + sso_profile("base", ID, "MyRole")
CHAIN = f"""
[profile chained]
role_arn = arn:aws:iam::{OTHER_ID}:role/Deploy
source_profile = base
region = us-east-2
"""


@pytest.fixture(autouse=True)
def _botocore_looks_into_this_home(home, monkeypatch):
    """botocore expands `~` when it is imported, which in a test run is a home before."""
    from botocore.credentials import SSOProvider
    from botocore.tokens import SSOTokenProvider

    for provider in (SSOProvider, SSOTokenProvider):
        monkeypatch.setattr(provider, "_SSO_TOKEN_CACHE_DIR", str(home / ".aws" / "sso" / "cache"))


@pytest.fixture
def config(home):
    """Write the config file."""

    def write(text):
        folder = home / ".aws"
        folder.mkdir(exist_ok=True)
        (folder / "config").write_text(text)

    return write


@pytest.fixture
def save(app, home):
    """Save keys of an account as a block, as the portal gives them; nobody is signed in afterwards."""

    def write(name, target=ACCOUNT, **more):
        values = json.loads(app.export(RecordingShow(), target, "process").reveal())
        app.logout()
        lines = {
            "aws_access_key_id": values["AccessKeyId"],
            "aws_secret_access_key": values["SecretAccessKey"],
            "aws_session_token": values["SessionToken"],
            **more,
        }
        path = home / ".aws" / "credentials"
        text = f"[{name}]\n" + "".join(f"{key}={value}\n" for key, value in lines.items())
        path.write_text((path.read_text() if path.exists() else "") + text)
        return values

    return write


@pytest.fixture
def program(tmp_path, app, config):
    """A `credential_process` that gives the content of a file, and counts how often it was asked."""
    answer, count, script = (tmp_path / name for name in ("answer.json", "count", "program.py"))
    count.write_text("")
    script.write_text(
        f"open({str(count)!r}, 'a').write('x')\nprint(open({str(answer)!r}).read())\n"
        "import sys; print('s3cret on stderr', file=sys.stderr)\n"
        f"sys.exit(0 if open({str(answer)!r}).read() else 1)\n"
    )
    config(f"[profile program]\ncredential_process = {sys.executable} {script}\nregion = us-west-2\n")

    class Program:
        path = answer

        @property
        def asked(self):
            return len(count.read_text())

        def gives(self, target=ACCOUNT, **more):
            values = json.loads(app.export(RecordingShow(), target, "process").reveal())
            answer.write_text(json.dumps({key: one for key, one in (values | more).items() if one is not None}))

    return Program()


# What works.


def test_a_saved_block(app, save):
    """In use with its own keys: environment, client, account, "not renewed"."""
    save("111111111111_MyRole")

    used = app.use(RecordingShow(), "111111111111_MyRole")

    assert (used.account, used.role, used.identity.person) == (ID, "MyRole", "ralphie@colorado.edu")
    assert "the saved keys of 111111111111_MyRole" in repr(used)
    assert "not renewed; it is not known when they expire" in repr(used)
    assert "Sign-in" not in repr(used)
    assert "AWS_CREDENTIAL_EXPIRATION" not in os.environ
    assert boto3.client("sts").get_caller_identity()["Account"] == ID
    app.release()
    assert "AWS_ACCESS_KEY_ID" not in os.environ


def test_a_role_on_top_of_a_sign_in(app, config, portal):
    """Signs in first, takes on the role, names account, role, region of the profile, and says until when."""
    config(SIGN_IN + CHAIN)

    used = app.use(RecordingShow(), "chained")

    assert portal.count("StartDeviceAuthorization") == 1
    assert (used.account, used.role, used.region) == (OTHER_ID, "Deploy", "us-east-2")
    assert "the profile chained" in repr(used)
    assert "renewed automatically" in repr(used)
    assert used.signed_in_until is not None
    assert os.environ["AWS_ACCOUNT_ID"] == OTHER_ID
    assert os.environ["AWS_DEFAULT_REGION"] == "us-east-2"
    assert boto3.client("sts").get_caller_identity()["Account"] == OTHER_ID


def test_a_role_on_top_of_saved_keys(app, config, save):
    """The chain may begin in the credentials file."""
    save("keys")
    config(f"[profile chained]\nrole_arn = arn:aws:iam::{OTHER_ID}:role/Deploy\nsource_profile = keys\n")

    used = app.use(RecordingShow(), "chained")

    assert (used.account, used.role, used.signed_in_until) == (OTHER_ID, "Deploy", None)


def test_a_program(app, program):
    """`credential_process` with an end is renewed, without an end it is not."""
    program.gives(Expiration=(datetime.now(timezone.utc) + timedelta(hours=1)).isoformat())
    first = app.use(RecordingShow(), "program")
    program.gives(Expiration=None)
    second = app.use(RecordingShow(), "program")

    assert "renewed automatically" in repr(first)
    assert "not renewed" in repr(second)


def test_a_legacy_sso_profile(app, config):
    """It goes through the portal, as ever."""
    config(
        "[profile old]\nsso_start_url = https://cuboulder.awsapps.com/start\nsso_region = us-west-2\n"
        f"sso_account_id = {ID}\nsso_role_name = MyRole\n"
    )

    used = app.use(RecordingShow(), "old")

    assert (used.account, used.role) == (ID, "MyRole")
    assert used.signed_in_until is not None


def test_what_is_in_use_or_in_the_environment_does_not_matter(app, config, save, monkeypatch):
    """A profile is resolved by its name alone, whatever keys stand in the environment."""
    save("keys")
    config("")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATHEIRS")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "theirs")

    assert app.use(RecordingShow(), "keys").account == ID


def test_without_asking_sts(app, config, save, portal):
    """`--no-verify` asks nobody; what is not known is not claimed, and not renewed."""
    save("keys")
    config("")
    portal.clear_calls()

    used = app.use(RecordingShow(), "keys", verify=False)

    assert portal.count("sts:GetCallerIdentity") == 0
    assert (used.account, used.account_name) == ("", "keys")
    assert "not confirmed with AWS" in repr(used)
    assert "AWS_ACCOUNT_ID" not in os.environ


# Renewal.


def test_it_is_renewed_and_clients_go_on(app, program, portal):
    """Credentials of 4 s: the environment and a client see new ones, of the same account, long after."""
    import time

    def give():
        program.gives(Expiration=(datetime.now(timezone.utc) + timedelta(seconds=4)).isoformat())

    give()
    app.use(RecordingShow(), "program")
    # A slow machine makes the client when the first are renewed already.
    seen = {os.environ["AWS_ACCESS_KEY_ID"]}
    client = boto3.client("sts")

    ends = time.monotonic() + 7
    while time.monotonic() < ends:
        portal.knobs = dataclasses.replace(portal.knobs, role_lifetime=3600 - int(ends - time.monotonic()))
        app.broker.forget_every()  # so that the program gives others
        give()
        assert client.get_caller_identity()["Account"] == ID
        seen.add(os.environ["AWS_ACCESS_KEY_ID"])
        time.sleep(0.3)

    assert len(seen) >= 3
    assert program.asked < 60


def test_a_profile_that_leads_elsewhere_is_not_followed(app, program):
    """After somebody edited what stands behind it: the account stays, or a line says why not."""
    program.gives(Expiration=(datetime.now(timezone.utc) + timedelta(hours=1)).isoformat())
    app.use(RecordingShow(), "program")
    kept = os.environ["AWS_ACCESS_KEY_ID"]

    program.gives("222222222222/MyOtherRole", Expiration=(datetime.now(timezone.utc) + timedelta(hours=1)).isoformat())

    with pytest.raises(CredentialsRefused, match=f"leads to account {OTHER_ID} now, not to {ID}"):
        app.credentials.renew()
    assert os.environ["AWS_ACCESS_KEY_ID"] == kept


def test_clients_keep_the_profile_they_were_made_with(app, config, save):
    """Through a switch to a role of Identity Center and back."""
    save("keys", "222222222222/MyOtherRole")
    config(SIGN_IN)
    app.use(RecordingShow(), "keys")
    client = boto3.client("sts")

    app.use(RecordingShow(), "base")

    assert client.get_caller_identity()["Account"] == OTHER_ID
    assert boto3.client("sts").get_caller_identity()["Account"] == ID


# What does not work: one line, nothing changed.


def refused(app, target, error, match, **more):
    before = dict(os.environ)

    with pytest.raises(error, match=match) as caught:
        app.use(RecordingShow(), target, **more)

    assert dict(os.environ) == before
    assert "\n" not in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_keys_that_are_over(app, config, save, portal):
    """STS does not take them."""
    portal.knobs = dataclasses.replace(portal.knobs, role_lifetime=2)
    save("keys")
    portal.knobs = dataclasses.replace(portal.knobs, clock_offset=10)

    refused(app, "keys", CredentialsRefused, "does not accept the saved keys of keys: they have expired")


def test_a_role_that_is_not_yours(app, config, save, portal):
    """The trust policy says no."""
    save("keys")
    config(f"[profile chained]\nrole_arn = arn:aws:iam::{OTHER_ID}:role/X\nsource_profile = keys\nregion = us-west-2\n")
    portal.knobs = dataclasses.replace(portal.knobs, failures=(Failure("sts:AssumeRole", 20, "403"),))

    refused(app, "chained", NoAccess, "does not let the profile chained take on its role")


def test_a_program_that_fails(app, program):
    """Nothing of what it printed is repeated."""
    program.path.write_text("")

    refused(app, "program", NoCredentials, "The program that the profile program names gives no credentials")


def test_a_program_that_prints_something_else(app, program):
    """… nor of what is no answer."""
    program.path.write_text("s3cret not json")

    refused(app, "program", NoCredentials, "The program that the profile program names gives no credentials")


def test_a_program_that_is_not_there(app, config):
    """A path that is wrong."""
    config("[profile program]\ncredential_process = /does/not/exist\n")

    refused(app, "program", NoCredentials, "the program /does/not/exist, which is not installed here")


def test_a_program_whose_credentials_are_over(app, program):
    """What it gives must last."""
    program.gives(Expiration="2020-01-01T00:00:00Z")

    refused(app, "program", NoCredentials, "profile program")


def test_a_profile_that_says_nothing_of_credentials(app, config):
    """It would get the role of the machine, which nobody asked for."""
    config("[profile region-only]\nregion = us-west-2\n")

    refused(app, "region-only", ConfigurationError, "configures no credentials")


def test_half_a_block(app, home):
    """A key id without its secret."""
    folder = home / ".aws"
    folder.mkdir(exist_ok=True)
    (folder / "credentials").write_text("[half]\naws_access_key_id = AKIAHALF\n")

    refused(app, "half", ConfigurationError, "not complete")


def test_a_chain_that_begins_in_the_environment(app, config):
    """The environment is what `use` writes: such a role would soon stand on itself."""
    config(f"[profile env]\nrole_arn = arn:aws:iam::{OTHER_ID}:role/X\ncredential_source = Environment\n")

    refused(app, "env", ConfigurationError, "which `%cuaws use` writes itself")


def test_a_chain_in_a_circle(app, config):
    """botocore's own words, and what to correct."""
    config(
        "[profile a]\nrole_arn = arn:aws:iam::111111111111:role/A\nsource_profile = b\n"
        "[profile b]\nrole_arn = arn:aws:iam::111111111111:role/B\nsource_profile = a\n"
    )

    refused(app, "a", ConfigurationError, "Correct ~/.aws/config|configures no credentials")


def test_a_sign_in_without_account(app, config):
    """A profile that only signs in gives no credentials."""
    config(SIGN_IN + "[profile only]\nsso_session = fedauth\n")

    refused(app, "only", ConfigurationError, "names no account and role")


def test_a_code_of_a_device_where_nobody_can_be_asked(app, config, save, monkeypatch):
    """A profile with `mfa_serial` in a run without a person."""

    class StdinNotImplementedError(NotImplementedError):
        pass

    def nobody(_):
        raise StdinNotImplementedError

    save("keys")
    config(
        f"[profile mfa]\nrole_arn = arn:aws:iam::{OTHER_ID}:role/X\nsource_profile = keys\nregion = us-west-2\n"
        "mfa_serial = arn:aws:iam::111111111111:mfa/x\n"
    )
    monkeypatch.setattr(profile_credentials.getpass, "getpass", nobody)

    refused(app, "mfa", NoCredentials, "asks for a code from your MFA device")


def test_a_code_of_a_device_is_asked_for_once(app, config, save, monkeypatch):
    """… and the credentials are not renewed behind the person's back, since each time needs a code."""
    asked = []
    save("keys")
    config(
        f"[profile mfa]\nrole_arn = arn:aws:iam::{OTHER_ID}:role/X\nsource_profile = keys\nregion = us-west-2\n"
        "mfa_serial = arn:aws:iam::111111111111:mfa/x\n"
    )
    monkeypatch.setattr(profile_credentials.getpass, "getpass", lambda text: asked.append(text) or "123456")

    used = app.use(RecordingShow(), "mfa")

    assert len(asked) == 1
    assert used.account == OTHER_ID
    assert "not renewed" in repr(used)


def test_a_role_named_beside_it(app, save, config):
    """A profile has its role."""
    save("keys")
    config("")

    refused(app, "keys", ConfigurationError, "has its own role", role="Admin")


def test_a_name_that_is_another_accounts(app, save, config):
    """A block that has the name of an account, and the keys of another: neither is guessed."""
    app.accounts(RecordingShow())
    save(ACCOUNT, "222222222222/MyOtherRole")
    config("")

    refused(app, ACCOUNT, AmbiguousTarget, f"profile for account {OTHER_ID} and also the name of account {ID}")


def test_what_only_use_takes(app, save, config):
    """A link into the console leads through the portal: the error says which command takes the profile."""
    save("keys")
    config("")

    with pytest.raises(UnknownTarget, match="`%cuaws use keys`"):
        app.console(RecordingShow(), "s3", "keys")


# What AWS or the machine refuses: the line leads out.


def test_saved_keys_that_aws_refuses(app, save, home):
    """Saved keys do not get fresh: new ones are pasted, or an account is used."""
    save("saved", aws_session_token="revoked" * 20)

    with pytest.raises(CredentialsRefused) as caught:
        app.use(RecordingShow(), "saved")

    assert str(caught.value) == (
        "AWS does not accept the saved keys of saved: they have expired. For new ones, type "
        "`%cuaws paste --save saved`, or `%cuaws use ACCOUNT`."
    )
    assert app.use(RecordingShow(), ACCOUNT).account == ID  # as the line says


def test_permanent_keys_that_aws_refuses(app, portal, home):
    """Pasting does not replace them: they are corrected in their file."""
    (home / ".aws").mkdir()
    (home / ".aws" / "credentials").write_text(
        "[mine]\naws_access_key_id = AKIA0000000000000000\naws_secret_access_key = no" + "t" * 38
    )

    with pytest.raises(CredentialsRefused, match=r"deleted or switched off in IAM.*Correct them in"):
        app.use(RecordingShow(), "mine")


def test_the_example_keys_of_the_documentation(app, portal, home):
    """Keys copied from a tutorial are recognised as such."""
    (home / ".aws").mkdir()
    (home / ".aws" / "credentials").write_text(
        "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n"
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n"
    )

    with pytest.raises(CredentialsRefused, match=r"are the example keys of AWS's documentation"):
        app.use(RecordingShow(), "default")


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (
            "credential_process = granted-is-not-here credential-process --profile x",
            (
                "The profile x gets its credentials from the program granted-is-not-here, which is not installed here. "
                "Install it and run the cell again."
            ),
        ),
        (
            (
                f"credential_process = granted-is-not-here --profile x\ngranted_sso_account_id = {ID}\n"
                "granted_sso_role_name = MyRole"
            ),
            (
                "The profile x gets its credentials from the program granted-is-not-here, which is not installed here. "
                f"Install it and run the cell again, or do without it: type `%cuaws use {ID}/MyRole`."
            ),
        ),
        (
            f"role_arn = arn:aws:iam::{OTHER_ID}:role/Deploy\ncredential_source = Ec2InstanceMetadata",
            (
                "The profile x begins with the role of this machine (credential_source = Ec2InstanceMetadata), and "
                "there is none here. Use it on an EC2 instance that has a role, or give it a source_profile in "
                "~/.aws/config; then run the cell again."
            ),
        ),
        (
            f"role_arn = arn:aws:iam::{OTHER_ID}:role/Deploy\nsource_profile = nobody",
            (
                "The profile x has source_profile = nobody, and there is no profile of that name. Correct it in "
                "~/.aws/config, then run the cell again."
            ),
        ),
    ],
    ids=["a program that is not there", "what Granted writes", "no instance role here", "no source profile"],
)
def test_what_is_not_there_is_named(app, portal, config, settings, line):
    """The program, the machine's role, the profile: the line names what is missing."""
    config(f"[profile x]\n{settings}\n")

    with pytest.raises((NoCredentials, ConfigurationError)) as caught:
        app.use(RecordingShow(), "x")

    assert str(caught.value) == line


def test_what_granted_writes_is_used_without_granted(app, portal, config):
    """The line about Granted's profile leads out."""
    config(
        f"[profile x]\ncredential_process = granted-is-not-here\ngranted_sso_account_id = {ID}\n"
        "granted_sso_role_name = MyRole\n"
    )

    assert app.use(RecordingShow(), f"{ID}/MyRole").account == ID
