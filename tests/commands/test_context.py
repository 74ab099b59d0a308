"""The commands as methods, against a practice portal: what changes, what is asked, what is said."""

from __future__ import annotations

import dataclasses
import functools
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import boto3
import pytest
from doubles import App, RecordingShow, documented

from cuaws_magic.aws import request_rate, transport
from cuaws_magic.aws.identity_center import IdentityCenter
from cuaws_magic.commands.context import _made, the_context
from cuaws_magic.commands.names import Names
from cuaws_magic.errors import (
    AuthorizationDenied,
    ClockWrong,
    ConfigFileError,
    ConfigurationError,
    CredentialsRefused,
    CuawsError,
    NoAccess,
    NoCredentials,
    RoleNeeded,
    ServiceFailure,
    SignInTimeout,
    UnknownProfile,
    UnknownTarget,
)
from cuaws_magic.model import Identity
from cuaws_magic.practice import Failure
from cuaws_magic.settings import Settings
from cuaws_magic.sso.session import CU_BOULDER
from cuaws_magic.sso.token_cache import TokenCache
from cuaws_magic.views.sign_in import SignedIn, SigningIn

CONFIG = """
[sso-session fedauth]
sso_start_url = https://cuboulder.awsapps.com/start
sso_region = us-west-2
sso_registration_scopes = sso:account:access
[sso-session work]
sso_start_url = https://acme.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access
[profile mine]
sso_session = fedauth
sso_account_id = 222222222222
sso_role_name = MyOtherRole
region = eu-west-1
[profile found]
region = us-east-2
"""
# Everything that `use` touches, as somebody might have had it.
FOUND = {
    "AWS_ACCESS_KEY_ID": "AKIAFOUND",
    "AWS_SECRET_ACCESS_KEY": "found-secret",
    "AWS_SESSION_TOKEN": "found-session",
    "AWS_SECURITY_TOKEN": "found-security",
    "AWS_CREDENTIAL_EXPIRATION": "2026-01-01T00:00:00Z",
    "AWS_ACCOUNT_ID": "999999999999",
    "AWS_REGION": "us-east-2",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_PROFILE": "found",
    "AWS_DEFAULT_PROFILE": "found",
}


@pytest.fixture(autouse=True)
def _no_pace(monkeypatch):
    """The portal of a test belongs to nobody else, so requests need not be spread, nor pauses be long."""
    monkeypatch.setattr(request_rate.RequestRate, "slot", lambda _, now: now)
    monkeypatch.setattr(transport, "FIRST_PAUSE", 0.0)


@pytest.fixture(name="show")
def _show():
    return RecordingShow()


@pytest.fixture
def config(home, monkeypatch):
    """A config file with two organisations and two profiles; the first is meant where nothing else is said."""
    monkeypatch.setenv("CUAWS_SESSION", "fedauth")
    path = home / ".aws" / "config"
    path.parent.mkdir()
    path.write_text(CONFIG)
    return path


def turn(portal, **knobs):
    portal.knobs = dataclasses.replace(portal.knobs, **knobs)
    portal.clear_calls()


def aws_variables():
    return {name: value for name, value in os.environ.items() if name in FOUND}


def until(condition):
    """Wait for something that a thread does."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


# Signing in.


def test_login(app, portal, show):
    """A sign-in that is approved at the first look shows no card and says until when."""
    signed_in = app.login(show)

    assert isinstance(signed_in, SignedIn)
    assert signed_in.already is False
    assert (signed_in.until - signed_in.at).total_seconds() == pytest.approx(8 * 3600, abs=60)
    assert show.views == []


def test_login_when_signed_in(app, portal, show):
    """Who is signed in hears until when, at once, and nobody is asked."""
    app.login(show)
    portal.clear_calls()

    again = app.login(show)

    assert again.already is True
    assert [call.operation for call in portal.calls] == ["ListAccounts"]  # whether the portal still knows the sign-in


def test_login_although_signed_in(app, portal, show):
    """`--force` has a new sign-in approved."""
    app.login(show)

    again = app.login(show, force=True)

    assert again.already is False
    assert portal.count("StartDeviceAuthorization") == 2


def test_login_waits_for_a_person(app, portal, show):
    """The code is shown once, and replaced when it is approved."""
    turn(portal, approve_after=2)

    app.login(show)

    assert show.kinds == ["AwaitingApproval", "SignedIn"]
    assert show.shown == 1
    assert portal.pending_user_codes() == []


def test_login_that_is_denied(app, portal, show):
    """A denial comes out, and nobody is signed in."""
    turn(portal, deny=True)

    with pytest.raises(AuthorizationDenied):
        app.login(show)

    assert app.status().signed_in_until is None


def test_login_with_a_time(app, portal, show):
    """`--timeout` ends the wait; the card has no code any more."""
    turn(portal, approve_after=None)

    with pytest.raises(SignInTimeout):
        app.login(show, timeout=0.05)

    assert show.kinds == ["AwaitingApproval", "SignInEnded"]


def test_login_in_the_background(app, portal, show):
    """`--no-wait` returns at once; `use` waits for that sign-in and asks for no second one."""
    turn(portal, approve_after=None)

    signing_in = app.login(show, wait=False)
    until(portal.pending_user_codes)
    waiting = app.status().notes
    portal.approve(portal.pending_user_codes()[0])
    in_use = app.use(show, "awsucob0myaccount")

    assert isinstance(signing_in, SigningIn)
    assert any("waiting for your approval" in note for note in waiting)
    assert in_use.account == "111111111111"
    assert portal.count("StartDeviceAuthorization") == 1


@dataclass(frozen=True)
class Wanted:
    documentation: str
    label: str
    settings: Settings | None = None
    configured: Settings = field(default_factory=Settings)
    environ: dict = field(default_factory=dict)


@documented(
    [
        Wanted("an argument", "work", Settings(session="work")),
        Wanted("IPython's configuration", "work", None, Settings(session="work")),
        Wanted("the environment", "work", environ={"CUAWS_SESSION": "work"}),
        Wanted("an argument over the environment", "fedauth", Settings("fedauth"), environ={"CUAWS_SESSION": "work"}),
        Wanted("IPython over the environment", "fedauth", None, Settings("fedauth"), {"CUAWS_SESSION": "work"}),
        Wanted("an argument over IPython", "work", Settings("work"), Settings("fedauth")),
        Wanted(
            "an address", "https://x.awsapps.com/start",
            Settings(start_url="https://x.awsapps.com/start", sso_region="us-east-1"),
        ),
        Wanted("the profile in the environment", "fedauth", environ={"AWS_PROFILE": "mine"}),
    ]
)  # fmt: skip
def test_the_organisation_that_is_meant(case, app, portal, show, config, monkeypatch):
    """Argument, IPython, environment, profile: the strongest that says something."""
    monkeypatch.delenv("CUAWS_SESSION")
    for name, value in case.environ.items():
        monkeypatch.setenv(name, value)
    app.choice.configure(case.configured)

    signed_in = app.login(show, case.settings)

    assert signed_in.sso_session.label == case.label
    assert app.status().sso_session.label == case.label


@pytest.mark.parametrize("command", ["login", "use", "accounts"])
def test_a_config_file_that_does_not_parse(app, show, config, command):
    """A broken file is one clean line with its place, whatever the command; nobody is asked."""
    config.write_text(CONFIG + "[profile mine]\n")
    run = {
        "login": lambda: app.login(show),
        "use": lambda: app.use(show, "awsucob0myaccount"),
        "accounts": lambda: app.accounts(show),
    }

    with pytest.raises(ConfigFileError, match=rf"{config}, line 17: \[profile mine\] is there twice"):
        run[command]()
    assert f"{config}, line 17: [profile mine] is there twice" in repr(app.status())  # never an error itself


def test_an_organisation_that_is_not_awss(app, portal, show, monkeypatch):
    """A start URL that is no https address is refused before anybody is asked."""
    monkeypatch.setenv("CUAWS_START_URL", "http://evil.example/start")
    monkeypatch.setenv("CUAWS_SSO_REGION", "us-west-2")

    with pytest.raises(ConfigurationError, match=r"evil\.example"):
        app.login(show)

    assert portal.calls == []


# Using an account.


def test_use_puts_credentials_in(app, portal, show):
    """After `use` the environment holds a working set of that account, and the result says who and what."""
    app.login(show)

    in_use = app.use(show, "awsucob0myaccount")

    assert (in_use.account, in_use.account_name, in_use.role) == ("111111111111", "awsucob0myaccount", "MyRole")
    assert (in_use.region, in_use.identity.person) == ("us-west-2", "ralphie@colorado.edu")
    assert os.environ["AWS_ACCOUNT_ID"] == "111111111111"
    assert os.environ["AWS_REGION"] == os.environ["AWS_DEFAULT_REGION"] == "us-west-2"
    assert os.environ["AWS_CREDENTIAL_EXPIRATION"] == in_use.expires_at.isoformat()
    assert app.whoami().account == "111111111111"


def test_use_signs_in_first(app, portal, show):
    """Who is not signed in signs in, and the command goes on."""
    in_use = app.use(show, "awsucob0myaccount")

    assert in_use.account == "111111111111"
    assert portal.count("StartDeviceAuthorization") == 1


def test_use_by_profile(app, portal, show, config):
    """A profile brings its account, role and region."""
    in_use = app.use(show, "mine")

    assert (in_use.account, in_use.role, in_use.region) == ("222222222222", "MyOtherRole", "eu-west-1")


def test_use_remembers_the_role(app, portal, show):
    """The role taken last is taken again where none is named."""
    with pytest.raises(RoleNeeded):
        app.use(show, "awsucob0production")
    app.use(show, "awsucob0production", role="ReadOnly")

    assert app.use(show, "awsucob0production").role == "ReadOnly"


def test_use_without_a_question(app, portal, show):
    """`--no-verify` does not ask STS, and says that nobody confirmed."""
    in_use = app.use(show, "awsucob0myaccount", verify=False)

    assert portal.count("sts:GetCallerIdentity") == 0
    assert in_use.identity is None
    assert "not confirmed" in repr(in_use)


def test_a_second_use_of_an_account_asks_nobody(app, portal, show):
    """Switching back to an account that was in use costs no request but the confirmation."""
    app.use(show, "awsucob0myaccount")
    app.use(show, "awsucob0myotheraccount")
    portal.clear_calls()

    app.use(show, "awsucob0myaccount", verify=False)

    assert portal.calls == []


@dataclass(frozen=True)
class Region:
    documentation: str
    expected: str
    target: str = "awsucob0myotheraccount"
    region: str | None = None
    environ: dict = field(default_factory=dict)


@documented(
    [
        Region("the argument", "sa-east-1", "mine", "sa-east-1", {"CUAWS_REGION": "ca-central-1"}),
        Region("the profile's", "eu-west-1", "mine", None, {"CUAWS_REGION": "ca-central-1"}),
        Region("the person's setting", "ca-central-1", environ={"CUAWS_REGION": "ca-central-1", "AWS_REGION": "r"}),
        Region("the one that was there", "us-east-2", environ={"AWS_REGION": "us-east-2", "AWS_DEFAULT_REGION": "r"}),
        Region("boto3's that was there", "us-east-1", environ={"AWS_DEFAULT_REGION": "us-east-1"}),
        Region("Identity Center's", "us-west-2"),
    ]
)
def test_the_region(case, app, portal, show, config, monkeypatch):
    """The region comes from the strongest place that has one."""
    for name, value in case.environ.items():
        monkeypatch.setenv(name, value)

    assert app.use(show, case.target, region=case.region, verify=False).region == case.expected
    assert os.environ["AWS_REGION"] == case.expected


def test_a_switch_does_not_inherit_the_region(app, portal, show, config):
    """The region of the account before is not the region of the next one."""
    app.use(show, "mine", verify=False)

    assert app.use(show, "awsucob0myaccount", verify=False).region == "us-west-2"


@dataclass(frozen=True)
class Failed:
    documentation: str
    expected: type
    target: str = "awsucob0myotheraccount"
    knobs: dict = field(default_factory=dict)
    role: str | None = None


@documented(
    [
        Failed("unknown account", UnknownTarget, "awsucob0nothing"),
        Failed("unknown role", UnknownTarget, role="Owner"),
        Failed("an account of somebody else", NoAccess, "121212121212/MyRole"),
        Failed(
            "the portal is down", ServiceFailure, knobs={"failures": (Failure("GetRoleCredentials", 99, "malformed"),)}
        ),
        Failed("STS is down", ServiceFailure, knobs={"failures": (Failure("sts:GetCallerIdentity", 99, "malformed"),)}),
        Failed("the clock is wrong", ClockWrong, knobs={"clock_offset": 3600}),
    ]
)
@pytest.mark.parametrize("before", [True, False], ids=["with another in use", "with none in use"])
def test_a_use_that_fails_changes_nothing(case, before, app, portal, show, monkeypatch):
    """Unless all of it succeeds, environment and status are as before."""
    app.login(show)
    if before:
        app.use(show, "awsucob0myaccount")
    environment, status = aws_variables(), app.status().in_use
    turn(portal, **case.knobs)

    with pytest.raises(case.expected):
        app.use(show, case.target, role=case.role)

    assert aws_variables() == environment
    assert (app.status().in_use and app.status().in_use.account) == (status and status.account)


def test_credentials_for_another_account_are_not_used(app, portal, show, monkeypatch):
    """The right account, always: when STS names another one, nothing is changed."""
    monkeypatch.setattr(
        IdentityCenter, "caller_identity", lambda *_: Identity("999999999999", "arn:aws:sts::999999999999:x/y/z", "A")
    )

    with pytest.raises(CredentialsRefused, match=r"for account 999999999999, not 111111111111\. Nothing was changed"):
        app.use(show, "awsucob0myaccount")

    assert aws_variables() == {}


def test_boto3_looks_again(app, portal, show):
    """`boto3.client(…)` follows a switch, though boto3 keeps the session of its first call."""
    app.use(show, "awsucob0myaccount")
    first = boto3.client("sts").get_caller_identity()["Account"]

    app.use(show, "awsucob0myotheraccount")
    second = boto3.client("sts").get_caller_identity()["Account"]

    assert (first, second) == ("111111111111", "222222222222")


# Giving it back.


@pytest.mark.parametrize("end", ["release", "logout"])
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("found", [{}, FOUND], ids=["nothing found", "everything found"])
def test_the_environment_is_as_it_was_found(found, times, end, app, portal, show, config, monkeypatch):
    """After `release` or `logout` every variable is as it was, also after two `use` in a row."""
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)

    for target in ["awsucob0myaccount", "mine"][:times]:
        app.use(show, target)
    during = aws_variables()
    getattr(app, end)()

    assert during["AWS_ACCOUNT_ID"] == ("111111111111" if times == 1 else "222222222222")
    assert not {"AWS_DEFAULT_PROFILE", "AWS_SECURITY_TOKEN"} & set(during)
    assert during.get("AWS_PROFILE") == (None if times == 1 else "mine")
    assert dict(os.environ) == before


def test_release_stays_signed_in(app, portal, show):
    """After `release` the next `use` needs no approval; the result says so."""
    app.use(show, "awsucob0myaccount")

    released = app.release()
    app.use(show, "awsucob0myotheraccount")

    assert released.account == "awsucob0myaccount"
    assert any("still signed in" in sentence for sentence in released.sentences)
    assert portal.count("StartDeviceAuthorization") == 1


def test_release_of_nothing(app):
    """Nothing in use, nothing to release, no error."""
    released = app.release()

    assert (released.account, released.sentences) == (None, ())


def test_release_leaves_what_was_changed_by_hand(app, portal, show, monkeypatch):
    """A variable that somebody set since is theirs; `release` says which."""
    app.use(show, "awsucob0myaccount")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")

    released = app.release()

    assert os.environ["AWS_REGION"] == "eu-central-1"
    assert "AWS_ACCESS_KEY_ID" not in os.environ
    assert released.sentences[0] == "AWS_REGION changed after `%cuaws use`, so it stays as it is."


# Signing out.


def test_logout(app, portal, show, home):
    """A logout ends the sign-in at the portal and on disk, role credentials too; the registration stays."""
    app.use(show, "awsucob0myaccount")
    cache = TokenCache.default()

    signed_out = app.logout()

    assert signed_out.organisations == ("CU Boulder · fedauth",)
    assert portal.count("Logout") == 1
    assert cache.load(CU_BOULDER).sso_token is None
    assert cache.load_role_credentials(CU_BOULDER, "111111111111", "MyRole") is None
    assert cache.load_registration(CU_BOULDER) is not None
    assert app.status().signed_in_until is None


def test_logout_says_what_lives_on(app, portal, show):
    """It says that credentials already handed out live on, until when, and of the browser's own sign-in."""
    app.use(show, "awsucob0myaccount")

    said = " ".join(app.logout().sentences)

    assert "Programs that already hold credentials for awsucob0myaccount can use them until " in said
    assert "Your browser may still be signed in to the access portal" in said


def test_logout_of_nobody(app, portal):
    """Who was not signed in hears so; nobody is asked."""
    signed_out = app.logout()

    assert "You were not signed in" in repr(signed_out)
    assert portal.calls == []


def test_logout_while_the_portal_is_down(app, portal, show, monkeypatch):
    """When the portal cannot be told, the sign-in is gone from here, and it says until when it lives there."""
    app.login(show)
    turn(portal, failures=(Failure("Logout", 99, "500"),))

    said = " ".join(app.logout().sentences)

    assert "It is deleted here, but AWS ends it only at " in said
    assert TokenCache.default().load(CU_BOULDER).sso_token is None


def test_logout_of_what_has_ended_already(app, portal, show):
    """A sign-in that the portal does not know any more is no trouble."""
    app.login(show)
    portal.revoke_sign_ins()

    signed_out = app.logout()

    assert signed_out.organisations == ("CU Boulder · fedauth",)
    assert not any("gone from here" in sentence for sentence in signed_out.sentences)


def test_logout_of_one_leaves_the_other(app, portal, show, config):
    """A logout ends the sign-in of this kernel and no other organisation's."""
    app.login(show, Settings(session="work"))
    app.login(show, Settings(session="fedauth"))

    app.logout()

    assert portal.count("Logout") == 1
    assert app.login(show, Settings(session="work")).already is True


def test_logout_of_everything(app, portal, show, config):
    """`--all` ends every sign-in of the cache at the portal, and deletes SSO tokens and role credentials."""
    app.login(show, Settings(session="work"))
    app.login(show, Settings(session="fedauth"))
    app.use(show, "fedauth:awsucob0myaccount")
    cache = TokenCache.default()

    signed_out = app.logout(every=True)

    assert sorted(signed_out.organisations) == ["https://acme.awsapps.com/start", CU_BOULDER.start_url]
    assert portal.count("Logout") == 2
    assert list(cache.all_tokens()) == []
    assert list(cache.role_folder.iterdir()) == []
    assert "AWS_ACCESS_KEY_ID" not in os.environ


def test_logout_ends_a_sign_in_in_the_background(app, portal, show):
    """A code that still waits is taken off the page."""
    turn(portal, approve_after=None)
    app.login(show, wait=False)
    until(lambda: show.views)

    app.logout()

    until(lambda: show.kinds[-1] == "SignInEnded")


# Looking.


def test_whoami_without_credentials(app, portal):
    """Where there is nothing to ask with, it says what to type."""
    with pytest.raises(NoCredentials, match="Type `%cuaws use ACCOUNT`"):
        app.whoami()


def test_whoami_tells_whose_keys_are_there(app, portal, show):
    """It asks STS with what is in the environment, whoever put it there."""
    app.use(show, "awsucob0myaccount")

    found = app.whoami()

    assert (found.account, found.person) == ("111111111111", "ralphie@colorado.edu")
    assert "AWSReservedSSO_MyRole_" in found.arn


def test_status_asks_nobody(app, portal, show):
    """Nobody is asked, signed in or not, with an account or without."""
    nobody = app.status()
    app.use(show, "awsucob0myaccount")
    portal.clear_calls()
    somebody = app.status()

    assert (nobody.signed_in_until, nobody.in_use) == (None, None)
    assert somebody.in_use.account == "111111111111"
    assert somebody.signed_in_until is not None
    assert portal.calls == []


def test_status_notices_what_was_changed_by_hand(app, portal, show, monkeypatch):
    """Keys that somebody put in since are not shown as ours without a word."""
    app.use(show, "awsucob0myaccount")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAMINE")

    assert any("AWS_ACCESS_KEY_ID changed since" in note for note in app.status().notes)


def test_status_of_a_damaged_cache(app, portal):
    """A damaged token file is said, with what replaces it."""
    path = TokenCache.default().token_path(CU_BOULDER)
    path.parent.mkdir(parents=True)
    path.write_text('{"accessToken": "s3cret')

    (note,) = app.status().notes

    assert note == f"{path} is not a token file of the AWS CLI. `%cuaws login` replaces it."


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (None, 5),
        ("research", 2),
        ("RESEARCH", 2),
        ("044", 1),
        ("awsucob0my*", 2),
        ("*account", 2),
        ("awsucob0?roduction", 1),
        ("nothing", 0),
    ],
)
def test_accounts_by_pattern(app, portal, show, pattern, expected):
    """A pattern is part of a name or an id in any case, or a whole one with `*` and `?`."""
    table = app.accounts(show, pattern)

    assert len(table) == expected
    assert table.total == 5
    assert bool(table.notes) is (expected == 0)


def test_an_account_that_is_not_in_the_list_may_be_new(app, show):
    """From memory, the way to a newer list is said; of a list that has just come it is no use."""
    (asked,) = app.accounts(show, "nothing").notes
    (remembered,) = app.accounts(show, "nothing").notes
    (again,) = app.accounts(show, "nothing", refresh=True).notes

    assert asked == again == "No account matches nothing. Type `%cuaws accounts` to see all."
    assert remembered == "No account matches nothing. Type `%cuaws accounts --refresh` to ask again."


def test_accounts_with_roles(app, portal, show):
    """Roles come with the accounts, sorted."""
    table = app.accounts(show, "production", roles=True)

    assert table.roles == {"333333333333": ("Admin", "ReadOnly")}
    assert portal.count("ListAccountRoles") == 1


def test_roles_of_many_accounts_show_how_far_it_is(app, portal, show):
    """While roles of many accounts are asked a line counts, and the table takes its place."""
    turn(portal, accounts=20)

    table = app.accounts(show, roles=True)

    assert show.shown == 1
    assert show.kinds[0] == "Progress"
    assert show.views[-1] is table
    assert len(table.roles) == 25


def test_an_old_list_is_shown_at_once(kernel, show):
    """After a day the list is shown as it was, says so, and is renewed behind for the next time."""
    kernel.portal.knobs = dataclasses.replace(kernel.portal.knobs, token_lifetime=48 * 3600)
    app = App(now=kernel.clock)
    app.accounts(show)
    kernel.clock.forward(hours=25)
    kernel.portal.remove_role("111111111111", "MyRole")

    old = app.accounts(show)
    until(lambda: kernel.portal.count("ListAccounts") >= 2 and len(app.accounts(show)) == 4)

    assert len(old) == 5
    assert old.notes[0].startswith("From ")


def test_an_old_list_is_whole_although_the_new_one_comes_at_once(kernel, show, monkeypatch):
    """What is shown is what its line says: a renewal that is done before the table is drawn is for the next time."""
    kernel.portal.knobs = dataclasses.replace(kernel.portal.knobs, token_lifetime=48 * 3600)
    app = App(now=kernel.clock)
    app.accounts(show)
    kernel.clock.forward(hours=25)
    kernel.portal.remove_role("111111111111", "MyRole")

    def at_once(context, sso_session):
        context.accounts.accounts(sso_session, refresh=True)

    monkeypatch.setattr("cuaws_magic.commands.accounts._refresh_in_background", at_once)
    old = app.accounts(show)

    assert old.notes[0].startswith("From ")
    assert len(old) == 5
    assert len(app.accounts(show)) == 4


def test_names_for_completion_ask_nobody(app, portal, show, config):
    """Completion knows profiles, listed accounts, their roles and the sessions, and asks nobody."""
    app.accounts(show, roles=True)
    portal.clear_calls()

    assert {"mine", "awsucob0myaccount", "research-genomics"} <= set(Names(app.context).target_names())
    assert "found" not in Names(app.context).target_names()
    assert Names(app.context).role_names("AWSUCOB0PRODUCTION") == ["ReadOnly", "Admin"]
    assert Names(app.context).role_names("mine") == ["MyOtherRole"]
    assert Names(app.context).session_names() == ["fedauth", "work"]
    assert portal.calls == []


def test_completion_never_fails(app, config):
    """A config file that does not parse gives no names, and no error under the person's fingers."""
    config.write_text("[profile a]\n[profile a]\n")

    names = Names(app.context)

    assert (names.target_names(), names.role_names("a"), names.session_names()) == ([], [], ["fedauth"])


# Machines that are not as they should be.


def test_a_home_that_cannot_be_written(app, portal, show, home):
    """Sign-in and use work where nothing can be kept, and it is said."""
    (home / ".aws").write_text("a file in place of the folder")
    (home / ".local").write_text("a file in place of the folder")

    signed_in = app.login(show)
    in_use = app.use(show, "awsucob0myaccount")
    signed_out = app.logout()

    assert "works in this kernel only" in signed_in.notes[0]
    assert in_use.account == "111111111111"
    assert signed_out.organisations == ("CU Boulder · fedauth",)
    assert portal.count("Logout") == 1


def test_two_kernels_of_one_home(app, portal, show):
    """What one kernel signed in to, another is signed in to; each has its own account in use."""
    app.use(show, "awsucob0myaccount")
    other_environ = {name: value for name, value in os.environ.items() if name not in FOUND}
    other = App(other_environ)

    in_use = other.use(show, "awsucob0myotheraccount", verify=False)

    assert (in_use.account, os.environ["AWS_ACCOUNT_ID"]) == ("222222222222", "111111111111")
    assert other_environ["AWS_ACCOUNT_ID"] == "222222222222"
    assert portal.count("StartDeviceAuthorization") == 1
    other.release()


@pytest.mark.parametrize("variable", ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"])
def test_the_way_that_a_profile_says_holds_while_it_is_taken_out(app, portal, show, config, monkeypatch, variable):
    """A profile that only says how to reach AWS: `use` takes its variable out, and renewals still go that way."""
    services = ("sso", "sso_oidc", "sts")
    lines = "".join(
        f"{name} =\n  endpoint_url = {portal.url if name != 'sts' else portal.aws_url}\n" for name in services
    )
    nowhere = "[default]\nendpoint_url = http://127.0.0.1:1\n"
    config.write_text(f"{nowhere}{CONFIG}services = by-the-proxy\n[services by-the-proxy]\n{lines}")
    for name in portal.environment:
        monkeypatch.delenv(name)
    monkeypatch.setenv(variable, "found")

    app.use(show, "awsucob0myotheraccount")
    assert variable not in os.environ
    portal.clear_calls()
    app.credentials.renew()

    assert portal.count("GetRoleCredentials") == 1
    app.release()
    assert os.environ[variable] == "found"


def test_a_setting_that_was_corrected_holds_at_once(app, portal, show, monkeypatch):
    """A certificate file that is wrong, then taken away, as the doctor says: the next question goes without it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSO_OIDC", "https://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent.pem")
    with pytest.raises(CuawsError):
        app.login(show)

    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSO_OIDC", portal.url)
    before = app.identity_center._questions._clients.unsigned("sso-oidc", "us-west-2")
    for name in ("NO_PROXY", "all_proxy", "AWS_USE_FIPS_ENDPOINT"):
        with monkeypatch.context() as changed:
            changed.setenv(name, "false")
            assert app.identity_center._questions._clients.unsigned("sso-oidc", "us-west-2") is not before
    assert app.identity_center._questions._clients.unsigned("sso-oidc", "us-west-2") is before
    app.login(show)


@pytest.mark.parametrize("variable", ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"])
def test_a_profile_that_is_not_there_is_told_by_its_variable(app, config, show, monkeypatch, variable):
    """What there is to type takes that variable away, and no other; an empty one is none."""
    monkeypatch.setenv(variable, "nothere")
    monkeypatch.delenv("CUAWS_SESSION")
    with pytest.raises(UnknownProfile, match=rf'{variable} names the profile nothere.*del os.environ\["{variable}"\]'):
        app.login(show)
    assert f"{variable} names the profile nothere" in repr(app.status())

    monkeypatch.setenv("CUAWS_SESSION", "fedauth")
    monkeypatch.setenv(variable, "")
    assert app.status().signed_in_until is None


def test_one_app_for_all_threads(monkeypatch):
    """Two threads that come first get the same."""
    made = []

    class Slow:
        def __init__(self):
            made.append(self)
            time.sleep(0.2)

        def after_fork(self):
            pass

    monkeypatch.setattr("cuaws_magic.commands.context.Context", Slow)
    monkeypatch.setattr("cuaws_magic.commands.context._made", functools.cache(_made.__wrapped__))
    with ThreadPoolExecutor(4) as pool:
        apps = set(pool.map(lambda _: the_context(), range(4)))

    assert len(made) == len(apps) == 1


def test_what_the_cards_know_of_the_account(app, portal, show, home):
    """The account's name with `whoami`, the mark of production with `use`, and a block that is in use when it goes."""
    used = app.use(show, "awsucob0production", role="Admin", production=True)
    assert used.production is True
    assert app.whoami().account_name == "awsucob0production"
    assert app.use(show, "awsucob0myaccount").production is False
    app.choice.configure(Settings(production=("*my*",)))
    assert app.use(show, "awsucob0myaccount", production=True).production is True

    (home / ".aws" / "credentials").write_text("[mine]\naws_access_key_id = AKIAMINE\naws_secret_access_key = m\n")
    app.use(show, "mine", verify=False)
    assert "It is in use here: type `%cuaws release`" in repr(app.forget("mine"))


def test_a_new_sign_in_that_fails_leaves_the_one_before(app, portal, show):
    """`login --force` that nobody approves says that you are still signed in."""
    app.login(show)
    portal.knobs = dataclasses.replace(portal.knobs, approve_after=None)

    with pytest.raises(SignInTimeout):
        app.login(show, force=True, timeout=1.5)

    assert "Not signed in again" in repr(show.views[-1])
    assert "You are still signed in from before, for" in repr(show.views[-1])
    assert app.status().signed_in_until is not None
