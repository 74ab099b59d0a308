"""The door to the services, over a real socket: values in and out, failures translated, nothing secret."""

from __future__ import annotations

import dataclasses
import itertools
import traceback
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from doubles import Clock, a_registration, an_sso_token, documented, role_credentials

from cuaws_magic.aws.identity_center import IdentityCenter
from cuaws_magic.aws.transport import RateLimiter
from cuaws_magic.errors import (
    AuthorizationDenied,
    AuthorizationPending,
    ClockWrong,
    CredentialsRefused,
    CuawsError,
    DeviceCodeExpired,
    NoAccess,
    NoCredentials,
    RefreshRefused,
    RegistrationRefused,
    ServiceFailure,
    Signal,
    SlowDown,
    SsoTokenRefused,
    Throttled,
    Unreachable,
)
from cuaws_magic.model import RoleCredentials, Secret, SsoSession, SsoToken, utc_now
from cuaws_magic.practice import Failure
from cuaws_magic.sso.session import CU_BOULDER

if TYPE_CHECKING:
    from collections.abc import Callable

REGION = "us-west-2"


@dataclass
class Caller:
    """Asks everything there is to ask, with what the answers before gave."""

    center: IdentityCenter
    sleeps: list[float]

    def __post_init__(self) -> None:
        self.registration = self.center.register_client(CU_BOULDER)
        self.sign_in()
        self.credentials = self.center.role_credentials(self.sso_token, REGION, "111111111111", "MyRole")

    def sign_in(self) -> None:
        self.authorization = self.center.start_device_authorization(CU_BOULDER, self.registration)
        self.sso_token = self.center.create_token(CU_BOULDER, self.registration, self.authorization)

    @property
    def questions(self) -> dict[str, Callable[[], Any]]:
        center, sso_token = self.center, self.sso_token
        return {
            "RegisterClient": lambda: center.register_client(CU_BOULDER),
            "StartDeviceAuthorization": lambda: center.start_device_authorization(CU_BOULDER, self.registration),
            "CreateToken": lambda: center.create_token(CU_BOULDER, self.registration, self.authorization),
            "RefreshToken": lambda: center.refresh_token(CU_BOULDER, sso_token),
            "ListAccounts": lambda: list(center.list_accounts(sso_token, REGION)),
            "ListAccountRoles": lambda: list(center.list_account_roles(sso_token, REGION, "333333333333")),
            "GetRoleCredentials": lambda: center.role_credentials(sso_token, REGION, "111111111111", "MyRole"),
            "Logout": lambda: center.logout(sso_token, REGION),
            "GetCallerIdentity": lambda: center.caller_identity(self.credentials, REGION),
        }

    @property
    def secrets(self) -> list[str]:
        keys = self.credentials
        found = [
            self.registration.client_id,
            self.registration.client_secret,
            self.authorization.device_code,
            self.authorization.user_code,
            self.sso_token.access_token,
            self.sso_token.refresh_token,
            keys.access_key_id,
            keys.secret_access_key,
            keys.session_token,
        ]
        return [one.reveal() if isinstance(one, Secret) else one for one in found]


# As the portal calls them in its journal and its knobs.
AT_THE_PORTAL = {"RefreshToken": "CreateToken", "GetCallerIdentity": "sts:GetCallerIdentity"}
OPERATIONS = (
    "RegisterClient",
    "StartDeviceAuthorization",
    "RefreshToken",
    "ListAccounts",
    "ListAccountRoles",
    "GetRoleCredentials",
    "Logout",
    "GetCallerIdentity",
)


@pytest.fixture(name="caller")
def _caller(portal):
    sleeps: list[float] = []
    # A clock that is always later: what is left of the sleeps are the pauses after trouble.
    later = itertools.count(step=100)
    return Caller(IdentityCenter(pace=RateLimiter(lambda: float(next(later)), sleeps.append, lambda: 0.5)), sleeps)


def fail(portal, operation, kind, times):
    name = AT_THE_PORTAL.get(operation, operation)
    portal.knobs = dataclasses.replace(portal.knobs, failures=(Failure(name, times, kind),))
    portal.clear_calls()


def asked(portal, operation):
    return portal.count(AT_THE_PORTAL.get(operation, operation))


# What the answers become.


def test_registering(caller):
    """A registration lives 90 days, counted in seconds on this wire."""
    left = caller.registration.expires_at - utc_now()

    assert timedelta(days=89, hours=23) < left <= timedelta(days=90)


def test_the_name_on_the_consent_page(portal, caller):
    """The page asks whether to allow `botocore-client-` and the session's name, as the guide shows."""
    assert _client_name(portal, caller, CU_BOULDER) == "botocore-client-fedauth"


def test_the_name_of_a_sign_in_without_a_name(portal, caller):
    """The legacy form's client is named by the time, as the CLI's."""
    legacy = SsoSession(None, CU_BOULDER.start_url, REGION, None)

    name = _client_name(portal, caller, legacy)

    assert abs(int(name.removeprefix("botocore-client-")) - utc_now().timestamp()) < 60


def _client_name(portal, caller, sso_session):
    names = []
    original = portal._state.register  # the journal keeps no names

    def remember(name, *rest):
        names.append(name)
        return original(name, *rest)

    portal._state.register = remember
    caller.center.register_client(sso_session)
    return names[0]


def test_starting(portal, caller):
    """A code lives as long as the service says, in seconds from when we asked."""
    authorization = caller.authorization

    assert authorization.expires_at - authorization.issued_at == timedelta(seconds=600)
    assert authorization.interval == 1
    assert authorization.user_code in authorization.verification_uri_complete
    assert authorization.verification_uri == f"{portal.url}/device"


def test_no_interval_means_five_seconds(portal, caller):
    """Where the service names no interval it is five seconds (RFC 8628 §3.2)."""
    portal.knobs = dataclasses.replace(portal.knobs, interval=0)

    assert caller.center.start_device_authorization(CU_BOULDER, caller.registration).interval == 5


def test_an_sso_token(caller):
    """An SSO token keeps the configured URL, its registration, and its end in aware UTC."""
    sso_token = caller.sso_token

    assert (sso_token.start_url, sso_token.sso_region) == (CU_BOULDER.start_url, REGION)
    assert sso_token.registration == caller.registration
    assert abs(sso_token.expires_at - sso_token.obtained_at - timedelta(hours=8)) < timedelta(seconds=5)
    assert sso_token.refresh_token is not None


def test_no_scopes_no_refresh_token(caller):
    """A client that registered without scopes gets no refresh token."""
    legacy = SsoSession(None, CU_BOULDER.start_url, REGION, None)
    registration = caller.center.register_client(legacy)
    authorization = caller.center.start_device_authorization(legacy, registration)

    sso_token = caller.center.create_token(legacy, registration, authorization)

    assert sso_token.refresh_token is None


@pytest.mark.parametrize(
    ("knob", "kept"), [("omit_refresh_token", True), ("rotate_refresh_tokens", False)], ids=["omitted", "rotated"]
)
def test_refreshing(portal, caller, knob, kept):
    """A refresh brings a new SSO token; the old refresh token stays where no new one comes (RFC 6749 §6)."""
    portal.knobs = dataclasses.replace(portal.knobs, **{knob: True})

    renewed = caller.center.refresh_token(CU_BOULDER, caller.sso_token)

    assert renewed.access_token != caller.sso_token.access_token
    assert (renewed.refresh_token == caller.sso_token.refresh_token) is kept
    assert renewed.registration == caller.registration


def test_refreshing_what_cannot_be_refreshed(caller):
    """To refresh without a refresh token is a mistake of the program."""
    with pytest.raises(ValueError, match="cannot be refreshed"):
        caller.center.refresh_token(CU_BOULDER, an_sso_token(refresh_token=None))


def test_accounts(caller):
    """An account has an id of twelve digits, a string with its zeros, a name and an address."""
    accounts = list(caller.center.list_accounts(caller.sso_token, REGION))

    by_name = {account.name: account for account in accounts}
    assert by_name["awsucob0myaccount"].id == "111111111111"
    assert by_name["research-climate-dev"].id == "044444444444"
    assert by_name["awsucob0myaccount"].email == "awsucob0myaccount@colorado.edu"


def test_250_accounts_are_three_pages(portal, caller):
    """A page has a hundred; the last one, whose `nextToken` is null, ends the list."""
    portal.knobs = dataclasses.replace(portal.knobs, accounts=245)

    accounts = list(caller.center.list_accounts(caller.sso_token, REGION))

    assert len({account.id for account in accounts}) == 250
    assert portal.count("ListAccounts") == 3


def test_exactly_full_pages(portal, caller):
    """A list that ends with a full page asks for no empty one."""
    portal.knobs = dataclasses.replace(portal.knobs, accounts=95)

    assert len(list(caller.center.list_accounts(caller.sso_token, REGION))) == 100
    assert portal.count("ListAccounts") == 1


def test_roles(caller):
    """Roles are names."""
    assert list(caller.center.list_account_roles(caller.sso_token, REGION, "333333333333")) == ["ReadOnly", "Admin"]


def test_role_credentials(caller):
    """The expiration on this wire is milliseconds: four hours from now, not in the year 58000."""
    credentials = caller.credentials

    assert isinstance(credentials, RoleCredentials)
    assert timedelta(hours=3, minutes=59) < credentials.expires_at - utc_now() <= timedelta(hours=4)
    assert credentials.account_id == "111111111111"
    assert timedelta(0) <= utc_now() - credentials.obtained_at < timedelta(minutes=1)


def test_identity(caller):
    """STS says the account, the role and the person of the credentials."""
    identity = caller.center.caller_identity(caller.credentials, REGION)

    assert (identity.account, identity.person) == ("111111111111", "ralphie@colorado.edu")
    assert "assumed-role/AWSReservedSSO_MyRole_" in identity.arn


def test_identity_of_the_kernels_own_chain(caller, monkeypatch):
    """Without credentials of ours STS is asked with whatever the kernel's chain finds."""
    with pytest.raises(NoCredentials):
        caller.center.caller_identity(None, REGION)

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", caller.credentials.access_key_id.reveal())
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", caller.credentials.secret_access_key.reveal())
    monkeypatch.setenv("AWS_SESSION_TOKEN", caller.credentials.session_token.reveal())

    assert caller.center.caller_identity(None, REGION).account == "111111111111"


def test_logout(caller):
    """After `Logout` the portal does not know the SSO token; the credentials given before go on working."""
    caller.center.logout(caller.sso_token, REGION)

    with pytest.raises(SsoTokenRefused):
        list(caller.center.list_accounts(caller.sso_token, REGION))
    assert caller.center.caller_identity(caller.credentials, REGION).account == "111111111111"


def test_where_sign_ins_are_asked_for(portal, caller, monkeypatch):
    """The endpoint is the SDK's setting at the time, and AWS's own without any."""
    before = caller.center.sign_in_endpoint(CU_BOULDER)
    for name in portal.environment:
        monkeypatch.delenv(name)
    after = caller.center.sign_in_endpoint(CU_BOULDER)

    assert before == portal.url
    assert after == "https://oidc.us-west-2.amazonaws.com"


# What goes wrong.


@dataclass(frozen=True)
class Refused:
    documentation: str
    question: Callable[[Caller], Any]
    expected: type
    knobs: tuple[tuple[str, Any], ...] = ()


def _new_code(caller: Caller) -> Any:
    return caller.center.start_device_authorization(CU_BOULDER, caller.registration)


def _poll(caller: Caller, times: int = 1) -> Any:
    authorization = _new_code(caller)
    for _ in range(times - 1):
        with pytest.raises(AuthorizationPending):
            caller.center.create_token(CU_BOULDER, caller.registration, authorization)
    return caller.center.create_token(CU_BOULDER, caller.registration, authorization)


@documented(
    [
        Refused("not approved yet", _poll, AuthorizationPending, (("approve_after", None),)),
        Refused("asked too fast", lambda caller: _poll(caller, 2), SlowDown, (("approve_after", None),)),
        Refused("denied", _poll, AuthorizationDenied, (("deny", True),)),
        Refused("code over", _poll, DeviceCodeExpired, (("code_lifetime", 0),)),
        Refused("code used", lambda caller: caller.questions["CreateToken"](), DeviceCodeExpired),
        Refused(
            "registration unknown",
            lambda caller: caller.center.start_device_authorization(CU_BOULDER, a_registration()),
            RegistrationRefused,
        ),
        Refused(
            "refresh token unknown",
            lambda caller: caller.center.refresh_token(
                CU_BOULDER, dataclasses.replace(caller.sso_token, refresh_token=Secret("other"))
            ),
            RefreshRefused,
        ),
        Refused(
            "SSO token unknown",
            lambda caller: list(caller.center.list_accounts(an_sso_token(), REGION)),
            SsoTokenRefused,
        ),
        Refused(
            "account of somebody else",
            lambda caller: list(caller.center.list_account_roles(caller.sso_token, REGION, "999999999999")),
            NoAccess,
        ),
        Refused(
            "role of somebody else",
            lambda caller: caller.center.role_credentials(caller.sso_token, REGION, "111111111111", "Admin"),
            NoAccess,
        ),
        Refused(
            "keys unknown", lambda caller: caller.center.caller_identity(role_credentials(), REGION), CredentialsRefused
        ),
        Refused(
            "keys mixed",
            lambda caller: caller.center.caller_identity(
                dataclasses.replace(caller.credentials, session_token=Secret("another")), REGION
            ),
            CredentialsRefused,
        ),
    ]
)
def test_refusals(case, portal, caller):
    """What the services refuse comes out in our words, at once."""
    portal.knobs = dataclasses.replace(portal.knobs, **dict(case.knobs))

    with pytest.raises(case.expected):
        case.question(caller)

    assert caller.sleeps == []


@pytest.mark.parametrize("operation", OPERATIONS)
def test_passing_trouble_passes(portal, caller, operation):
    """A service that is throttling, broken or gone for two requests is asked a third time, and answers."""
    counts = {}
    # STS throttles in another way.
    for kind in ["500", "503", "reset", *(["429"] if operation != "GetCallerIdentity" else [])]:
        fail(portal, operation, kind, 2)
        caller.questions[operation]()
        counts[kind] = asked(portal, operation)
        if operation == "Logout":
            caller.sign_in()

    assert set(counts.values()) == {3}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("429", Throttled), ("500", ServiceFailure), ("503", ServiceFailure), ("reset", Unreachable)],
)
@pytest.mark.parametrize(
    ("operation", "attempts"), [("ListAccounts", 10), ("GetRoleCredentials", 4), ("CreateToken", 1)]
)
def test_lasting_trouble_ends(portal, caller, operation, attempts, kind, expected):
    """After its attempts the trouble comes out; a poll has one, since the device flow asks again by itself."""
    fail(portal, operation, kind, 1000)

    # CreateToken's own word for too many requests belongs to the protocol.
    with pytest.raises(SlowDown if (operation, kind) == ("CreateToken", "429") else expected):
        caller.questions[operation]()

    assert asked(portal, operation) == attempts


@pytest.mark.parametrize("kind", ["malformed", "empty"])
@pytest.mark.parametrize("operation", [name for name in (*OPERATIONS, "CreateToken") if name != "Logout"])
def test_answers_without_sense(portal, caller, operation, kind):
    """Broken JSON, or nothing with status 200, is a failure of the service: one clean line."""
    fail(portal, operation, kind, 1000)

    with pytest.raises(ServiceFailure, match="cannot be read") as caught:
        caller.questions[operation]()

    assert str(caught.value).endswith("then run the cell again.")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_secret_in_an_error(portal, caller, operation):
    """Neither the message nor the traceback of a failure shows what was sent."""
    shown = {}
    for kind in ("401", "403", "429", "500", "reset", "malformed", "empty"):
        fail(portal, operation, kind, 1000)
        try:
            caller.questions[operation]()
        except (CuawsError, Signal) as error:
            shown[kind] = "".join(traceback.format_exception(error)) + repr(error) + str(error)

    # `Logout` has no answer to make sense of.
    assert len(shown) == (5 if operation == "Logout" else 7)
    assert [secret for secret in caller.secrets if secret in str(shown)] == []


def test_no_secret_in_a_value(caller):
    """What the services gave does not print itself."""
    values = (caller.registration, caller.authorization, caller.sso_token, caller.credentials)
    shown = f"{values!r} {[str(value) for value in values]}"

    assert isinstance(caller.sso_token, SsoToken)
    assert [secret for secret in caller.secrets if secret in shown] == []


def test_a_clock_that_is_wrong_by_an_hour(portal, caller):
    """When AWS's clock is an hour ahead, STS refuses, and the message says whose clock to set."""
    portal.knobs = dataclasses.replace(portal.knobs, clock_offset=3600)

    with pytest.raises(ClockWrong, match="60 minutes behind AWS's"):
        caller.center.caller_identity(caller.credentials, REGION)


def test_a_throttled_listing_gets_slower_and_ends(portal, caller):
    """250 accounts of a portal that says 429 and when to come back: all there, with pauses, and no error."""
    portal.knobs = dataclasses.replace(
        portal.knobs, accounts=245, failures=(Failure("ListAccounts", 6, "429"),), retry_after=3
    )

    accounts = list(caller.center.list_accounts(caller.sso_token, REGION))

    assert len(accounts) == 250
    assert [sleep for sleep in caller.sleeps if sleep] == pytest.approx([3] * 6)


def test_nobody_there(caller, monkeypatch):
    """No connection at all is one clean line."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSO", "http://127.0.0.1:9")

    with pytest.raises(
        Unreachable,
        match=r"cannot be reached at http://127\.0\.0\.1:9 \(no connection\), set by AWS_ENDPOINT_URL_SSO\.",
    ):
        list(caller.center.list_accounts(caller.sso_token, REGION))


def test_a_region_that_is_none(monkeypatch):
    """A region with an inline comment, as people write it, is a setting to correct, not a broken network."""
    center = IdentityCenter(pace=RateLimiter(sleep=lambda _: None))
    wrong = dataclasses.replace(CU_BOULDER, sso_region="us-west-2 # Oregon")

    with pytest.raises(CuawsError, match=r"us-west-2 # Oregon.*Correct sso_region"):
        center.register_client(wrong)


def test_times_go_by_the_given_clock(portal):
    """Ends are reckoned from the clock that was given, not from another."""
    clock = Clock()
    center = IdentityCenter(now=clock, pace=RateLimiter(sleep=lambda _: None))
    registration = center.register_client(CU_BOULDER)

    authorization = center.start_device_authorization(CU_BOULDER, registration)
    sso_token = center.create_token(CU_BOULDER, registration, authorization)

    assert authorization.expires_at == clock() + timedelta(seconds=600)
    assert sso_token.expires_at == clock() + timedelta(hours=8)
