"""Foreign errors in our words: complete by botocore's own service models, and without secrets."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime

import botocore.exceptions as foreign
import botocore.session
import pytest
from botocore.parsers import ResponseParserError
from doubles import NOON, documented

from cuaws_magic import errors
from cuaws_magic.aws.service_errors import MODELLED, translate
from cuaws_magic.errors import CuawsError, PassingTrouble, Signal

# What we call, by our name: RefreshToken and RedeemCode are CreateToken with a refresh token, an authorization code.
OPERATIONS = {
    "RegisterClient": ("sso-oidc", "RegisterClient"),
    "StartDeviceAuthorization": ("sso-oidc", "StartDeviceAuthorization"),
    "CreateToken": ("sso-oidc", "CreateToken"),
    "RefreshToken": ("sso-oidc", "CreateToken"),
    "RedeemCode": ("sso-oidc", "CreateToken"),
    "ListAccounts": ("sso", "ListAccounts"),
    "ListAccountRoles": ("sso", "ListAccountRoles"),
    "GetRoleCredentials": ("sso", "GetRoleCredentials"),
    "Logout": ("sso", "Logout"),
}
# Only a device code can be pending.
IMPOSSIBLE = {(one, "AuthorizationPendingException") for one in ("RefreshToken", "RedeemCode")}
# Sent, though in no model.
BEYOND_THE_MODEL = {"ForbiddenException"}


@functools.cache
def modelled_codes(operation):
    service, name = OPERATIONS[operation]
    model = botocore.session.Session().get_service_model(service)
    shapes = model.operation_model(name).error_shapes
    return tuple(shape.metadata.get("error", {}).get("code") or shape.name for shape in shapes)


def shapes():
    return [(operation, code) for operation in OPERATIONS for code in modelled_codes(operation)]


def refusal(code, status=400, **headers):
    response = {
        "Error": {"Code": code, "Message": "s3cret in the service's own message"},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers},
    }
    return foreign.ClientError(response, "Any")


def final(translated):
    return translated.final if isinstance(translated, PassingTrouble) else translated


@pytest.mark.parametrize(("operation", "code"), shapes())
def test_every_modelled_error_is_in_the_table(operation, code):
    """Each error shape of each operation that we call has a meaning of ours; a new one must be thought about."""
    known = (operation, code) in MODELLED or ("*", code) in MODELLED

    assert known or (operation, code) in IMPOSSIBLE


@pytest.mark.parametrize(("operation", "code"), shapes())
def test_every_modelled_error_becomes_one_of_ours(operation, code):
    """What comes out is an error or a signal of ours, without the service's text, and an error says what to do."""
    translated = translate(refusal(code), operation, NOON)

    assert isinstance(translated, (CuawsError, Signal))
    assert "s3cret" not in str(translated)
    if isinstance(translated, CuawsError):
        assert "`" in str(translated) or "run the cell again" in str(translated)


def test_the_table_has_no_dead_entries():
    """What is in the table is in a model, so that the table can be read as the truth."""
    in_models = {(operation, code) for operation, code in shapes()}
    codes = {code for _, code in in_models} | BEYOND_THE_MODEL

    dead = {key for key in MODELLED if (key not in in_models if key[0] != "*" else key[1] not in codes)}

    assert dead == set()


@dataclass(frozen=True)
class Meaning:
    documentation: str
    operation: str
    error: Exception
    expected: type
    again: bool = False  # worth asking again
    says: str = ""
    throttled: bool = False
    retry_after: float | None = None


def endpoint(kind, **more):
    return kind(endpoint_url="https://s3cret.example", error="s3cret", **more)


MEANINGS = [
    # RFC 8628 §3.5.
    Meaning("pending", "CreateToken", refusal("AuthorizationPendingException"), errors.AuthorizationPending),
    Meaning("slow down while polling", "CreateToken", refusal("SlowDownException"), errors.SlowDown),
    Meaning("denied", "CreateToken", refusal("AccessDeniedException"), errors.AuthorizationDenied),
    Meaning("code over", "CreateToken", refusal("ExpiredTokenException"), errors.DeviceCodeExpired),
    Meaning("code used", "CreateToken", refusal("InvalidGrantException"), errors.DeviceCodeExpired),
    Meaning("registration unknown", "CreateToken", refusal("InvalidClientException", 401), errors.RegistrationRefused),
    Meaning(
        "registration unknown at the start",
        "StartDeviceAuthorization",
        refusal("InvalidClientException", 401),
        errors.RegistrationRefused,
    ),
    Meaning(
        "wrong organisation",
        "StartDeviceAuthorization",
        refusal("InvalidRequestException"),
        errors.ConfigurationError,
        says="does not know this start URL in this region",
    ),
    Meaning("a malformed poll", "CreateToken", refusal("InvalidRequestException"), errors.RequestRefused),
    Meaning(
        "wrong scopes",
        "RegisterClient",
        refusal("InvalidScopeException"),
        errors.ConfigurationError,
        says="sso_registration_scopes",
    ),
    Meaning(
        "slow down elsewhere", "RegisterClient", refusal("SlowDownException"), errors.Throttled, True, throttled=True
    ),
    Meaning("OIDC has a problem", "CreateToken", refusal("InternalServerException", 500), errors.ServiceFailure, True),
    # Refreshing.
    Meaning("refresh token used up", "RefreshToken", refusal("InvalidGrantException"), errors.RefreshRefused),
    Meaning("refresh token over", "RefreshToken", refusal("ExpiredTokenException"), errors.RefreshRefused),
    Meaning("registration over", "RefreshToken", refusal("InvalidClientException", 401), errors.RefreshRefused),
    Meaning("refresh, unknown 401", "RefreshToken", refusal("Strange", 401), errors.RefreshRefused),
    # The portal.
    Meaning("SSO token refused", "ListAccounts", refusal("UnauthorizedException", 401), errors.SsoTokenRefused),
    Meaning("no access", "GetRoleCredentials", refusal("ForbiddenException", 403), errors.NoAccess),
    Meaning(
        "no such account", "ListAccountRoles", refusal("ResourceNotFoundException", 404), errors.NoAccess,
        says="You may not enter this account",
    ),
    Meaning(
        "429 is not 401", "ListAccounts", refusal("TooManyRequestsException", 429), errors.Throttled, True,
        throttled=True,
    ),
    Meaning(
        "429 with a time", "ListAccounts", refusal("TooManyRequestsException", 429, **{"retry-after": "7"}),
        errors.Throttled, True, throttled=True, retry_after=7.0,
    ),
    Meaning(
        "429 with a date", "ListAccounts", refusal("429", 429, **{"retry-after": "Mon, 02 Mar 2026 12:00:00 GMT"}),
        errors.Throttled, True, throttled=True,
    ),
    Meaning("unknown code, 401", "ListAccounts", refusal("Strange", 401), errors.SsoTokenRefused),
    Meaning("unknown code, 403", "ListAccounts", refusal("Strange", 403), errors.NoAccess),
    Meaning("unknown code, 429", "ListAccounts", refusal("", 429), errors.Throttled, True, throttled=True),
    Meaning("unknown code, 503", "ListAccounts", refusal("Strange", 503), errors.ServiceFailure, True),
    Meaning("unknown code, 400", "ListAccounts", refusal("Strange", 400), errors.ServiceFailure, says="HTTP 400"),
    # STS.
    Meaning("credentials over", "GetCallerIdentity", refusal("ExpiredToken", 403), errors.CredentialsRefused),
    Meaning("key unknown", "GetCallerIdentity", refusal("InvalidClientTokenId", 403), errors.CredentialsRefused),
    Meaning("mixed keys", "GetCallerIdentity", refusal("SignatureDoesNotMatch", 403), errors.CredentialsRefused),
    Meaning(
        "mixed keys, clock right",
        "GetCallerIdentity",
        refusal("SignatureDoesNotMatch", 403, date=format_datetime(NOON + timedelta(minutes=4))),
        errors.CredentialsRefused,
    ),
    Meaning(
        "clock behind",
        "GetCallerIdentity",
        refusal("SignatureDoesNotMatch", 403, date=format_datetime(NOON + timedelta(hours=1))),
        errors.ClockWrong,
        says="60 minutes behind AWS's",
    ),
    Meaning(
        "clock ahead",
        "GetCallerIdentity",
        refusal("RequestExpired", 400, date=format_datetime(NOON - timedelta(minutes=10))),
        errors.ClockWrong,
        says="10 minutes ahead of AWS's",
    ),
    Meaning(
        "a date that is none", "GetCallerIdentity", refusal("RequestExpired", date="soon"), errors.CredentialsRefused
    ),
    Meaning("nothing in the chain", "GetCallerIdentity", foreign.NoCredentialsError(), errors.NoCredentials),
    Meaning(
        "half a set in the chain",
        "GetCallerIdentity",
        foreign.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
        errors.NoCredentials,
    ),
    # The way there.
    Meaning(
        "no connection", "ListAccounts", endpoint(foreign.EndpointConnectionError), errors.Unreachable, True,
        says="no connection",
    ),
    Meaning(
        "no connection in time", "ListAccounts", endpoint(foreign.ConnectTimeoutError), errors.Unreachable, True,
        says="connecting took too long",
    ),
    Meaning(
        "no answer in time", "CreateToken", endpoint(foreign.ReadTimeoutError), errors.Unreachable, True,
        says="no answer in time",
    ),
    Meaning(
        "connection closed", "Logout", endpoint(foreign.ConnectionClosedError), errors.Unreachable, True,
        says="the connection was closed",
    ),
    Meaning(
        "proxy", "Logout", foreign.ProxyConnectionError(proxy_url="http://me:s3cret@proxy"), errors.Unreachable, True,
        says="the proxy does not answer",
    ),
    Meaning(
        "a region that there is not", "GetCallerIdentity",
        foreign.EndpointConnectionError(endpoint_url="https://sts.us-wset-2.amazonaws.com/", error="s3cret"),
        errors.Unreachable, True, says="in us-wset-2, which is not a region known here. Nearest: us-west-2.",
    ),
    Meaning(
        "a region that there is not, of the portal", "ListAccounts",
        foreign.ConnectTimeoutError(endpoint_url="https://portal.sso.us-east-9.amazonaws.com/x", error="s3cret"),
        errors.Unreachable, True, says="in us-east-9, which is not a region",
    ),
    Meaning(
        "a region of another partition", "GetCallerIdentity",
        foreign.EndpointConnectionError(endpoint_url="https://sts.cn-north-1.amazonaws.com.cn/", error="s3cret"),
        errors.Unreachable, True, says="cannot be reached from this machine",
    ),
    Meaning("any HTTP trouble", "Logout", foreign.HTTPClientError(error="s3cret"), errors.Unreachable, True),
    Meaning(
        "TLS is not asked again", "ListAccounts", endpoint(foreign.SSLError), errors.Unreachable, says="AWS_CA_BUNDLE"
    ),
    Meaning("not JSON", "ListAccounts", ResponseParserError("s3cret"), errors.ServiceFailure, True, says="Wi-Fi"),
    Meaning("a field missing", "ListAccounts", KeyError("s3cret"), errors.ServiceFailure, True),
    Meaning("a field of another type", "ListAccounts", TypeError("s3cret"), errors.ServiceFailure, True),
    Meaning("a field without sense", "ListAccounts", ValueError("s3cret"), errors.ServiceFailure, True),
    # Settings.
    Meaning(
        "a region that is none",
        "RegisterClient",
        foreign.InvalidRegionError(region_name="us-west-2 # Oregon"),
        errors.ConfigurationError,
        says="us-west-2 # Oregon",
    ),
    Meaning(
        "no such profile", "GetCallerIdentity", foreign.ProfileNotFound(profile="nope"), errors.ConfigurationError,
        says="nope",
    ),
    Meaning(
        "config does not parse", "GetCallerIdentity", foreign.ConfigParseError(path="/c", error="x"),
        errors.ConfigurationError, says="/c",
    ),
    Meaning(
        "config contradicts itself", "GetCallerIdentity", foreign.InvalidConfigError(error_msg="differs"),
        errors.ConfigurationError, says="differs",
    ),
    Meaning(
        "anything else of botocore's", "GetCallerIdentity", foreign.NoRegionError(), errors.ServiceFailure,
        says="You must specify a region",
    ),
]  # fmt: skip


@documented(MEANINGS)
def test_what_an_error_means(case):
    """Each foreign error has its meaning, tells whether to ask again, says what to do and nothing secret."""
    translated = translate(case.error, case.operation, NOON)

    assert type(final(translated)) is case.expected
    assert isinstance(translated, PassingTrouble) is case.again
    assert case.says in str(translated)
    assert "s3cret" not in f"{translated} {translated!r} {final(translated)!r}"
    if case.again:
        assert (translated.throttled, translated.retry_after) == (case.throttled, case.retry_after)
    if isinstance(translated, CuawsError):
        assert "`" in str(translated) or str(translated).endswith("then run the cell again.")


@dataclass(frozen=True)
class Named:
    documentation: str
    operation: str
    service: str


@documented(
    [
        Named("signing in", "RegisterClient", "The sign-in service of AWS"),
        Named("refreshing", "RefreshToken", "The sign-in service of AWS"),
        Named("the portal", "GetRoleCredentials", "The AWS access portal"),
        Named("STS", "GetCallerIdentity", "AWS STS"),
    ]
)
def test_the_service_is_named(case):
    """A person hears which service did not answer."""
    translated = translate(endpoint(foreign.EndpointConnectionError), case.operation, NOON)

    assert str(translated).startswith(case.service)


def test_a_bug_stays_a_bug():
    """What is neither botocore's nor an answer's is not dressed up: it keeps its traceback."""
    bug = RuntimeError("ours")

    assert translate(bug, "ListAccounts", NOON) is bug


def answered(operation, status, code):
    response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {}}}
    return translate(foreign.ClientError(response, operation), operation, NOON)


@pytest.mark.parametrize(
    "operation", ["RegisterClient", "StartDeviceAuthorization", "CreateToken", "RefreshToken", "Logout"]
)
@pytest.mark.parametrize(
    ("status", "code"), [(403, "403"), (403, "ForbiddenException"), (404, "ResourceNotFoundException")]
)
def test_a_proxys_refusal_is_not_about_a_role(operation, status, code):
    """Only listings and GetRoleCredentials speak of accounts and roles; other refusals are a proxy's or firewall's."""
    said = str(answered(operation, status, code))

    assert "role" not in said
    assert "a proxy or a firewall, perhaps" in said
    assert said.endswith("then run the cell again.")


def test_a_refusal_of_sts_leads_to_no_verify():
    """A policy that forbids GetCallerIdentity is not a missing role."""
    said = str(answered("GetCallerIdentity", 403, "AccessDenied"))

    assert "`%cuaws use ACCOUNT --no-verify`" in said


@pytest.mark.parametrize("operation", ["GetRoleCredentials", "ListAccountRoles"])
def test_a_refusal_of_the_portal_speaks_of_roles(operation):
    """These do."""
    assert isinstance(answered(operation, 403, "ForbiddenException"), errors.NoAccess)
