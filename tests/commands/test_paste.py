"""Pasted keys: in the environment, in clients, in `status`, in the credentials file; confirmed, and never renewed."""

from __future__ import annotations

import dataclasses
import os
import stat
from datetime import datetime, timedelta, timezone

import boto3
import pytest
from doubles import App, Clock, RecordingShow

from cuaws_magic import humanize
from cuaws_magic.credentials.environment import SET, TAKEN_OUT
from cuaws_magic.errors import ConfigurationError, NoCredentials, PasteRefused, StorageError, Unreachable
from cuaws_magic.model import Credentials, Secret
from cuaws_magic.practice import Failure

ACCOUNT, ID = "awsucob0myaccount", "111111111111"
OTHER, OTHER_ID = "awsucob0myotheraccount", "222222222222"
BLOCK = "111111111111_MyRole"


def copied(app, target=ACCOUNT, form="env"):
    """What a person copies; the sign-in that it took is not in this kernel any more."""
    text = app.export(RecordingShow(), target, form).reveal()
    app.logout()
    return text


def without_end(text):
    return "".join(line for line in text.splitlines(keepends=True) if "EXPIRATION" not in line)


def environment():
    return {name: os.environ.get(name) for name in {*SET, *TAKEN_OUT}}


def test_pasted_keys_are_in_use(app, portal):
    """The environment, a new client and the card agree; STS was asked; they end within about four hours."""
    text = without_end(copied(app))
    before = environment()

    used = app.paste(text)

    assert (used.account, used.role, used.identity.person) == (ID, "MyRole", "ralphie@colorado.edu")
    assert used.identity.arn.startswith("arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_MyRole_")
    ends = humanize.clock(used.at + timedelta(hours=4), used.at)
    assert f"at most until about {humanize.printable(ends)}, not renewed" in repr(used)
    assert "Sign-in" not in repr(used)
    assert os.environ["AWS_ACCOUNT_ID"] == ID
    assert "AWS_CREDENTIAL_EXPIRATION" not in os.environ  # nobody said it, and botocore would believe it
    session = boto3.Session()
    assert session.get_credentials().method == "cuaws-magic"
    assert session.client("sts").get_caller_identity()["Account"] == ID
    app.release()
    assert environment() == before


def test_a_named_end_is_believed(app):
    """With an expiration in what was pasted, that is the end, without "about"."""
    used = app.paste(copied(app, form="process"))

    assert "about" not in repr(used)
    assert "at most" not in repr(used)
    assert "not renewed" in repr(used)
    assert os.environ["AWS_CREDENTIAL_EXPIRATION"]


def test_the_account_has_its_name_where_it_is_known(app):
    """After a sign-in the list of accounts is remembered; a logout does not take names away."""
    app.accounts(RecordingShow())

    used = app.paste(copied(app))

    assert used.account_name == ACCOUNT


def test_keys_of_before_do_not_mix_with_pasted_ones(app, home, monkeypatch):
    """An old session token, profile or expiration is taken out, and comes back."""
    text = without_end(copied(app))
    (home / ".aws" / "config").write_text("[profile old]\nregion = us-west-2\n")
    monkeypatch.setenv("AWS_SECURITY_TOKEN", "old")
    monkeypatch.setenv("AWS_PROFILE", "old")
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", "2020-01-01T00:00:00+00:00")

    app.paste(text)
    meanwhile = environment()
    app.release()

    assert [meanwhile[name] for name in ("AWS_SECURITY_TOKEN", "AWS_PROFILE", "AWS_CREDENTIAL_EXPIRATION")] == [
        None
    ] * 3
    assert os.environ["AWS_SECURITY_TOKEN"] == os.environ["AWS_PROFILE"] == "old"
    assert os.environ["AWS_CREDENTIAL_EXPIRATION"].startswith("2020")


def test_a_client_keeps_pasted_keys_through_a_switch_and_back(app):
    """A client of pasted keys and one of a role stay what they are, also unused sessions, also after `release`."""
    text = copied(app, OTHER)
    app.use(RecordingShow(), ACCOUNT)
    of_role = boto3.client("sts")

    app.paste(text)
    of_keys, unused = boto3.client("sts"), boto3.Session()
    app.use(RecordingShow(), ACCOUNT)
    later = unused.client("sts")
    app.release()

    assert of_role.get_caller_identity()["Account"] == ID
    assert of_keys.get_caller_identity()["Account"] == later.get_caller_identity()["Account"] == OTHER_ID


def test_nobody_renews_them(app, portal):
    """No portal is asked for them, and to ask for a renewal is an error that says what to type."""
    app.paste(copied(app))
    portal.clear_calls()

    with pytest.raises(NoCredentials, match="%cuaws paste"):
        app.credentials.renew()
    assert app.credentials._keep_up() is None  # nothing is due, ever
    assert portal.count("GetRoleCredentials") == 0


def test_status_after_their_end(portal):
    """From the end on, `status` says so; before the next cell one line does, once."""
    clock = Clock(datetime.now(timezone.utc))
    app = App(now=clock)
    app.paste(without_end(copied(app)))
    watch = app.hints
    watch._seconds = lambda: clock().timestamp()

    before = watch.before()
    clock.forward(hours=4, minutes=1)
    over, again = watch.before(), watch.before()

    assert before is None
    assert "Pasted keys expired at about" in repr(over)
    assert "%cuaws paste" in repr(over)
    assert again is None
    assert "expired at about" in repr(app.status())
    app.release()


def test_a_failure_for_their_sake_is_told(app, portal):
    """AWS says that they are over, at a time when we thought them good: that line, not "fresh"."""
    portal.knobs = dataclasses.replace(portal.knobs, role_lifetime=2)
    text = without_end(copied(app))
    app.paste(text)
    client = boto3.client("sts")
    portal.knobs = dataclasses.replace(portal.knobs, clock_offset=10)

    with pytest.raises(Exception, match="ExpiredToken") as failed:
        client.get_caller_identity()

    hint = app.hints.after(failed.value)
    assert "Pasted keys have expired, or are not valid here" in repr(hint)
    assert "`%cuaws paste` with new ones, or `%cuaws use ACCOUNT`" in repr(hint)


def test_status_without_a_settled_organisation(app, home):
    """Several sso-sessions, and no choice between them: pasted keys need none."""
    text = copied(app)
    folder = home / ".aws"
    folder.mkdir(exist_ok=True)
    sections = "".join(
        f"[sso-session {name}]\nsso_start_url = https://{name}.awsapps.com/start\nsso_region = us-west-2\n"
        for name in ("one", "two")
    )
    (folder / "config").write_text(sections)

    app.paste(text)

    assert ID in repr(app.status())


# Refusals; nothing changes.


def refused(app, text, match, error=PasteRefused, save=None):
    before = dict(os.environ)

    with pytest.raises(error, match=match) as caught:
        app.paste(text, save)

    assert dict(os.environ) == before
    assert app.credentials.current is None
    assert not [value for value in secrets_of(text) if value in str(caught.value)]


def secrets_of(text):
    return [part for part in text.replace('"', " ").replace("=", " ").split() if len(part) > 15 and "AWS" not in part]


def test_keys_that_do_not_belong_together(app):
    """The secret of one set with the id of another: AWS finds out."""
    first, second = copied(app), copied(app, OTHER)
    lines = [*first.splitlines()[:1], *second.splitlines()[1:]]

    refused(app, "\n".join(lines), "AWS does not accept these keys")


def test_keys_that_are_over(app, portal):
    """AWS does not take them any more."""
    portal.knobs = dataclasses.replace(portal.knobs, role_lifetime=2)
    text = without_end(copied(app))
    portal.knobs = dataclasses.replace(portal.knobs, clock_offset=10)

    refused(app, text, "AWS does not accept these keys")


def test_an_end_that_has_passed(app, portal):
    """Then AWS need not be asked."""
    text = without_end(copied(app)) + "export AWS_CREDENTIAL_EXPIRATION=2020-01-02T03:04:05Z\n"
    portal.clear_calls()

    refused(app, text, "These keys expired at")
    assert portal.calls == []


def test_no_network(app, portal, monkeypatch):
    """Keys that cannot be confirmed are not taken."""
    text = copied(app)
    portal.knobs = dataclasses.replace(portal.knobs, failures=(Failure("sts:GetCallerIdentity", 20, "reset"),))

    refused(app, text, "cannot be reached", Unreachable)


# Saving.


def saved(home):
    return (home / ".aws" / "credentials").read_text()


def test_saved_under_the_portals_name(app, home):
    """The block has the portal's form and name; a botocore session with that profile works; nobody else can read it."""
    used = app.paste(copied(app), save="")

    path = home / ".aws" / "credentials"
    assert saved(home).startswith(f"[{BLOCK}]\naws_access_key_id=ASIA")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert f"Saved as {BLOCK} in {path}" in repr(used)
    app.release()
    named = boto3.Session(profile_name=BLOCK, region_name="us-west-2")
    assert named.client("sts").get_caller_identity()["Account"] == ID


def test_the_name_in_brackets_is_taken(app, home):
    """A block brings its own name."""
    values = dict(line.removeprefix("export ").split("=", 1) for line in without_end(copied(app)).splitlines())
    block = "[mine]\n" + "".join(f"{name.lower()}={value}\n" for name, value in values.items())

    app.paste(block, save="")

    assert saved(home).startswith("[mine]\n")


def test_only_that_block_changes(app, home):
    """Comments, other blocks and line ends stay; a second paste replaces the first and doubles nothing."""
    path = home / ".aws" / "credentials"
    path.parent.mkdir(exist_ok=True)
    other = "# mine\r\n[other]\r\naws_access_key_id = AKIAOTHER\r\naws_secret_access_key = x\r\n\r\n"
    path.write_bytes(other.encode())
    path.chmod(0o644)

    app.paste(copied(app), save="work")
    first = path.read_bytes()
    app.paste(copied(app, OTHER), save="work")
    second = path.read_bytes()

    assert first.startswith(other.encode())
    assert second.startswith(other.encode())
    assert first != second
    assert second.count(b"[work]") == 1
    assert second.count(b"aws_access_key_id") == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_legacy_name_of_the_session_token_is_kept_in_step(app, home):
    """botocore reads `aws_security_token` first: an old one there would break the set."""
    path = home / ".aws" / "credentials"
    path.parent.mkdir(exist_ok=True)
    path.write_text("[work]\naws_access_key_id=ASIAOLD\naws_secret_access_key=x\naws_security_token=old\n")

    app.paste(copied(app), save="work")
    app.release()

    assert "=old" not in saved(home)
    assert boto3.Session(profile_name="work", region_name="us-west-2").client("sts").get_caller_identity()


def test_permanent_keys_are_not_lost(app, home):
    """Keys that AWS shows only once are never written over."""
    path = home / ".aws" / "credentials"
    path.parent.mkdir(exist_ok=True)
    path.write_text("[work]\naws_access_key_id=AKIAPERMANENT\naws_secret_access_key=x\n")

    refused(app, copied(app), "holds permanent keys, which would be lost", ConfigurationError, save="work")

    assert "AKIAPERMANENT" in path.read_text()


def test_a_profile_that_would_hide_the_block(app, home):
    """A profile of Identity Center of the same name wins in every program, so the block would do nothing."""
    folder = home / ".aws"
    folder.mkdir(exist_ok=True)
    text = copied(app)
    (folder / "config").write_text(
        "[profile work]\nsso_start_url = https://x.awsapps.com/start\nsso_region = us-west-2\n"
        f"sso_account_id = {ID}\nsso_role_name = MyRole\n"
    )

    refused(app, text, "takes precedence over saved keys", ConfigurationError, save="work")


@pytest.mark.parametrize("name", ["a]b", "a\nb", " a", "DEFAULT", "a[b"])
def test_a_name_that_cannot_be_written(app, home, name):
    """It could break the file, or be read as another."""
    refused(app, copied(app), "cannot be used in the credentials file", ConfigurationError, save=name)

    assert not (home / ".aws" / "credentials").exists()


def test_a_file_that_cannot_be_written(app, home):
    """Then nothing is in use either."""
    folder = home / ".aws"
    folder.mkdir(exist_ok=True)
    text = copied(app)
    (folder / "credentials").mkdir()

    refused(app, text, "credentials", StorageError, save="work")


def test_another_credentials_file(app, home, monkeypatch, tmp_path):
    """`AWS_SHARED_CREDENTIALS_FILE` says where."""
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "elsewhere"))

    app.paste(copied(app), save="work")

    assert (tmp_path / "elsewhere").read_text().startswith("[work]\n")
    assert not (home / ".aws" / "credentials").exists()


def test_keys_of_an_iam_user(app, portal):
    """Permanent keys have no session token and no end; the environment has none either."""
    from moto.iam.models import iam_backends

    user = iam_backends[ID]["aws"].create_user("us-west-2", "robot")
    key = iam_backends[ID]["aws"].create_access_key(user_name=user.name)
    text = f"[robot]\naws_access_key_id = {key.access_key_id}\naws_secret_access_key = {key.secret_access_key}\n"
    os.environ.pop("AWS_SESSION_TOKEN", None)

    used = app.paste(text)

    assert (used.account, used.role, used.expires_at) == (ID, "user robot", None)
    assert "AWS_SESSION_TOKEN" not in os.environ
    assert "not known when they expire" in repr(used)
    assert boto3.client("sts").get_caller_identity()["Arn"].endswith(":user/robot")


def test_the_face_of_the_keys():
    """A set of keys prints none of its secrets."""
    one = Credentials(
        ID, Secret("ASIA1"), Secret("s3cret"), None, None, datetime.now(timezone.utc) + timedelta(hours=1)
    )

    assert "s3cret" not in repr(one)
    assert one.refresh_at() is None
    assert not one.expired(datetime.now(timezone.utc))


# Beside it.


def test_what_needs_a_sign_in_says_so(app, portal):
    """A link into the console needs the portal; an export hands over the pasted keys."""
    text = copied(app)
    app.paste(text)

    with pytest.raises(Exception, match="a link leads through the sign-in"):
        app.console(RecordingShow(), "s3", None)
    again = app.export(RecordingShow(), None, "env").reveal()
    assert again.splitlines()[:3] == text.splitlines()[:3]


def test_logout_takes_them_out_too(app):
    """`logout` leaves nothing in the kernel, and says what lives on."""
    app.paste(copied(app))

    said = repr(app.logout())

    assert "AWS_ACCESS_KEY_ID" not in os.environ
    assert "AWS does not revoke them" in said
