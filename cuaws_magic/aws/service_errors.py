"""
What botocore raises, in our words: the one place where foreign errors are translated.

`tests/aws/test_service_errors.py` enumerates the error shapes of the operations that we
call in botocore's own service models and fails on one that is not in `MODELLED`.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from cuaws_magic.aws.endpoints import missing_certificates, setting_of, unknown_region
from cuaws_magic.errors import (
    AuthorizationCodeRefused,
    AuthorizationDenied,
    AuthorizationPending,
    ClockWrong,
    ConfigurationError,
    CredentialsRefused,
    DeviceCodeExpired,
    NoAccess,
    NoCredentials,
    PassingTrouble,
    RefreshRefused,
    RegistrationRefused,
    RequestRefused,
    ServiceError,
    ServiceFailure,
    Signal,
    SlowDown,
    SsoTokenRefused,
    Throttled,
    Unreachable,
)
from cuaws_magic.humanize import printable

if TYPE_CHECKING:
    from collections.abc import Callable

# AWS refuses a signature that is more than five minutes off (SigV4).
_CLOCK_TOLERANCE = timedelta(minutes=5)

_OIDC = "the sign-in service of AWS"
_PORTAL = "the AWS access portal"
_STS = "AWS STS"


def _denied(_: str) -> Exception:
    return AuthorizationDenied("The request was denied on the sign-in page. Type `%cuaws login` to ask again.")


def _throttled(operation: str) -> Exception:
    return PassingTrouble(
        Throttled(f"{_subject(operation)} says: too many requests. Wait a minute, then run the cell again."),
        throttled=True,
    )


def _failed(operation: str) -> Exception:
    return PassingTrouble(
        ServiceFailure(f"{_subject(operation)} has a problem ({operation}). Wait a minute, then run the cell again.")
    )


def _refused_request(operation: str) -> Exception:
    return RequestRefused(f"{_subject(operation)} refused our request ({operation}). Type `%cuaws login --force`.")


def _wrong_organisation(_: str) -> Exception:
    return ConfigurationError(
        "AWS does not know this start URL in this region. "
        "Check both, then type `%cuaws login --start-url URL --sso-region REGION`."
    )


def _wrong_scopes(_: str) -> Exception:
    return ConfigurationError(
        "AWS does not know these scopes. Set `sso_registration_scopes = sso:account:access` in ~/.aws/config, "
        "then type `%cuaws login`."
    )


def _turned_away(operation: str) -> Exception:
    return ServiceFailure(
        f"Something between this machine and {_service(operation)} refused the request ({operation}); a proxy or a "
        "firewall, perhaps. Check HTTPS_PROXY and NO_PROXY, or ask your network's operators; then run the cell again."
    )


def _no_access(operation: str) -> Exception:
    if operation == "GetCallerIdentity":
        return ServiceFailure(
            "AWS STS does not answer who this is: a policy or a network rule forbids it. To use the account without "
            "that confirmation, type `%cuaws use ACCOUNT --no-verify`."
        )
    if operation not in _SPEAK_OF_ROLES:
        return _turned_away(operation)
    what = "enter this account" if operation == "ListAccountRoles" else "use this role in this account"
    return NoAccess(
        f"You may not {what} ({operation}: no access). Type `%cuaws accounts --roles --refresh` to see what is yours."
    )


# Only these speak of roles and accounts; a refusal of anything else is not about them.
_SPEAK_OF_ROLES = {"GetRoleCredentials", "ListAccountRoles", "ListAccounts"}

# (operation, code) → what it means. `*` stands for every operation of the service.
MODELLED: dict[tuple[str, str], Callable[[str], Exception]] = {
    # sso-oidc, in the order of RFC 8628 §3.5 and RFC 6749 §5.2.
    ("CreateToken", "AuthorizationPendingException"): lambda _: AuthorizationPending(),
    ("CreateToken", "SlowDownException"): lambda _: SlowDown(),
    ("CreateToken", "AccessDeniedException"): _denied,
    ("CreateToken", "ExpiredTokenException"): lambda _: DeviceCodeExpired(),
    ("CreateToken", "InvalidGrantException"): lambda _: DeviceCodeExpired(),
    ("CreateToken", "InvalidRequestException"): _refused_request,
    ("RedeemCode", "ExpiredTokenException"): lambda _: AuthorizationCodeRefused(),
    ("RedeemCode", "InvalidGrantException"): lambda _: AuthorizationCodeRefused(),
    ("RedeemCode", "AccessDeniedException"): _denied,
    ("RefreshToken", "ExpiredTokenException"): lambda _: RefreshRefused(),
    ("RefreshToken", "InvalidGrantException"): lambda _: RefreshRefused(),
    ("RefreshToken", "InvalidRequestException"): lambda _: RefreshRefused(),
    ("RefreshToken", "AccessDeniedException"): lambda _: RefreshRefused(),
    ("RefreshToken", "InvalidClientException"): lambda _: RefreshRefused(),
    ("RefreshToken", "UnauthorizedClientException"): lambda _: RefreshRefused(),
    ("StartDeviceAuthorization", "InvalidRequestException"): _wrong_organisation,
    ("*", "InvalidClientException"): lambda _: RegistrationRefused(),
    ("*", "UnauthorizedClientException"): lambda _: RegistrationRefused(),
    ("*", "InvalidScopeException"): _wrong_scopes,
    ("*", "InvalidClientMetadataException"): _refused_request,
    ("*", "InvalidRedirectUriException"): _refused_request,
    ("*", "UnsupportedGrantTypeException"): _refused_request,
    ("*", "SlowDownException"): _throttled,
    ("*", "InternalServerException"): _failed,
    # The access portal.
    ("*", "UnauthorizedException"): lambda _: SsoTokenRefused(),
    ("*", "ForbiddenException"): _no_access,  # sent, though not in the model
    ("*", "ResourceNotFoundException"): _no_access,
    ("*", "TooManyRequestsException"): _throttled,
    ("*", "InvalidRequestException"): _refused_request,
}

# Which turns of a protocol the policy above expects from which operation.
_EXPECTED: dict[str, tuple[type[Signal], ...]] = {
    "StartDeviceAuthorization": (RegistrationRefused,),
    "CreateToken": (AuthorizationPending, SlowDown, DeviceCodeExpired, RegistrationRefused),
    "RedeemCode": (AuthorizationCodeRefused, RegistrationRefused),
    "RefreshToken": (RefreshRefused,),
    "ListAccounts": (SsoTokenRefused,),
    "ListAccountRoles": (SsoTokenRefused,),
    "GetRoleCredentials": (SsoTokenRefused,),
    "Logout": (SsoTokenRefused,),
}

# STS models no errors of GetCallerIdentity; these come with every signed request.
_REFUSED_CREDENTIALS = {
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidToken",
}
_THROTTLING = {"Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequests"}
_REFUSED_SIGNATURE = {
    "SignatureDoesNotMatch",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "InvalidSignatureException",
    "IncompleteSignature",
}


_OF_OIDC = {
    "RegisterClient", "StartDeviceAuthorization", "CreateToken", "RedeemCode", "RefreshToken", "CreateOAuth2Token",
}  # fmt: skip

_PROXY_WANTS_A_NAME = " 407 "  # RFC 9110 §15.5.8, in what urllib3 says of a tunnel

# What an answer that is not of the model's form makes of our reading.
_NONSENSE = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)


def translate(error: Exception, operation: str, now: datetime) -> Exception:  # noqa: PLR0911 - one return a kind
    """
    Say in our words what went wrong.

    Args:
        error: What botocore raised.

        operation: The AWS operation; `RefreshToken` and `RedeemCode` for CreateToken with a refresh token or an
            authorization code; the address for the page of an organisation.

        now: This machine's time, to compare with the one in the answer.

    Returns:
        A `CuawsError` or a `Signal`, a `PassingTrouble` around an error too; never raises.
    """
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConfigParseError,
        ConnectionError,  # noqa: A004 - botocore's name
        HTTPClientError,
        InvalidConfigError,
        InvalidRegionError,
        NoCredentialsError,
        PartialCredentialsError,
        ProfileNotFound,
        SSLError,
    )
    from botocore.parsers import ResponseParserError

    if isinstance(error, ResponseParserError):
        error = ValueError()

    if isinstance(error, ClientError):
        return _client_error(error.response, operation, now)
    if isinstance(error, SSLError):
        return _untrusted(operation)
    if isinstance(error, (ConnectionError, HTTPClientError)):
        return PassingTrouble(_unreachable(error, operation))
    if isinstance(error, InvalidRegionError):  # before the next: it is a ValueError too
        return ConfigurationError(
            f"{error} Correct sso_region or region in ~/.aws/config, or AWS_REGION, then run the cell again."
        )
    if isinstance(error, _NONSENSE):
        return PassingTrouble(
            ServiceFailure(
                f"{_subject(operation)} sent an answer that cannot be read ({operation}); a proxy or a Wi-Fi sign-in "
                "page may be in between. Open any web page to check, then run the cell again."
            )
        )
    if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        return NoCredentials("There are no AWS credentials in this kernel. Type `%cuaws use ACCOUNT`.")
    if isinstance(error, (ConfigParseError, InvalidConfigError, ProfileNotFound)):
        return ConfigurationError(f"{error}. Correct ~/.aws/config or AWS_PROFILE, then run the cell again.")
    if isinstance(error, BotoCoreError):
        return ServiceFailure(f"{_subject(operation)}: {error}. Type `%cuaws status` to see the settings in use.")
    return error


def _untrusted(operation: str) -> ServiceError | ConfigurationError:
    missing = missing_certificates()
    if missing is not None:
        return ConfigurationError(
            f"The file of certificates {printable(missing[0])}, set by {missing[1]}, is not there. "
            "Correct or delete that setting, then run the cell again."
        )
    return Unreachable(
        f"The connection to {_service(operation)} is not trusted: the TLS certificate did not verify. "
        "Behind a company proxy set AWS_CA_BUNDLE to its certificate file, then run the cell again."
    )


def _unreachable(error: Any, operation: str) -> Unreachable:
    stranger = unknown_region(str(error.kwargs.get("endpoint_url")))
    if stranger is not None:
        return Unreachable(
            f"{_subject(operation)} cannot be reached in {stranger[0]}, which is not a region known here. "
            f"Nearest: {stranger[1]}. Correct the region, or check the network, then run the cell again."
        )
    if _PROXY_WANTS_A_NAME in str(error.kwargs.get("error")):
        return Unreachable(
            f"{_subject(operation)} cannot be reached from this machine: the proxy wants a name and a password. "
            "Set HTTPS_PROXY to http://NAME:PASSWORD@HOST:PORT, then run the cell again."
        )
    address = str(error.kwargs.get("endpoint_url"))
    setting = setting_of(address)
    if setting is not None:
        return Unreachable(
            f"{_subject(operation)} cannot be reached at {_origin(address)} ({_what(error)}), set by {setting}. "
            "Correct or delete that setting, then run the cell again."
        )
    return Unreachable(
        f"{_subject(operation)} cannot be reached from this machine ({_what(error)}). "
        "Check the network or proxy, then run the cell again."
    )


def _origin(address: str) -> str:
    """Leave out the path of a request."""
    return printable("/".join(address.split("/")[:3]))


def _client_error(response: Any, operation: str, now: datetime) -> Exception:
    code = str(response.get("Error", {}).get("Code", ""))
    metadata = response.get("ResponseMetadata", {})
    status = metadata.get("HTTPStatusCode", 0)
    headers = metadata.get("HTTPHeaders", {})

    if code in _REFUSED_SIGNATURE:
        return _clock_wrong(headers, now) or CredentialsRefused(
            f"AWS did not accept the signature ({code}): these keys do not belong together. "
            "Type `%cuaws use ACCOUNT` to use others."
        )
    if code in _REFUSED_CREDENTIALS and operation == "GetCallerIdentity":
        return _clock_wrong(headers, now) or CredentialsRefused(
            f"AWS did not accept the credentials ({code}): they have expired or are not valid here. "
            "Type `%cuaws use ACCOUNT` to use others."
        )
    if code in _THROTTLING:
        return _throttled(operation)
    meaning = MODELLED.get((operation, code)) or MODELLED.get(("*", code)) or _by_status(status, operation)
    translated = meaning(operation)
    if isinstance(translated, PassingTrouble):
        return PassingTrouble(
            translated.final, throttled=translated.throttled, retry_after=_seconds(headers.get("retry-after"))
        )
    if isinstance(translated, Signal) and type(translated) not in _EXPECTED.get(operation, ()):
        return _out_of_place(status, operation)
    return translated


def _out_of_place(status: int, operation: str) -> ServiceError:
    """Say of an answer that belongs to another operation, as a proxy may give it, that it is a refusal."""
    if operation == "GetCallerIdentity":
        return CredentialsRefused("AWS did not accept the credentials. Type `%cuaws use ACCOUNT` to use others.")
    return ServiceFailure(
        f"{_subject(operation)} refused our request ({operation}, HTTP {status}). Type `%cuaws login --force`."
    )


def _by_status(status: int, operation: str) -> Callable[[str], Exception]:
    """Judge an answer whose code we do not know by its HTTP status, as granted and aws-sso-cli do."""
    if status == HTTPStatus.UNAUTHORIZED and operation != "GetCallerIdentity":
        return lambda _: RefreshRefused() if operation == "RefreshToken" else SsoTokenRefused()
    if status == HTTPStatus.FORBIDDEN:
        return _no_access
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _throttled
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _failed
    return lambda _: _out_of_place(status, operation)


def _clock_wrong(headers: Any, now: datetime) -> ServiceError | None:
    try:
        theirs = parsedate_to_datetime(headers["date"]).astimezone(timezone.utc)
    except (KeyError, TypeError, ValueError):
        return None
    skew = now - theirs
    if abs(skew) <= _CLOCK_TOLERANCE:
        return None
    minutes = round(abs(skew).total_seconds() / 60)
    direction = "ahead of" if skew > timedelta() else "behind"
    return ClockWrong(
        f"The clock of this machine is {minutes} minutes {direction} AWS's, so AWS refuses every request. "
        "Set the clock (or ask the operator of this hub to), then run the cell again."
    )


def _seconds(text: object) -> float | None:
    try:
        return max(0.0, float(str(text)))
    except ValueError:
        return None


def _service(operation: str) -> str:
    if operation in _OF_OIDC:
        return _OIDC
    if operation.startswith("https://"):  # a start URL that is asked where it leads
        return printable(operation)
    return _STS if operation == "GetCallerIdentity" else _PORTAL


def _subject(operation: str) -> str:
    """Name the service at the beginning of a sentence."""
    service = _service(operation)
    return service if service == operation else service[0].upper() + service[1:]


def _what(error: Exception) -> str:
    """Name the kind of failure without the address, which may be long."""
    words = {
        "EndpointConnectionError": "no connection",
        "ConnectTimeoutError": "connecting took too long",
        "ReadTimeoutError": "no answer in time",
        "ProxyConnectionError": "the proxy does not answer",
        "ConnectionClosedError": "the connection was closed",
    }
    return words.get(type(error).__name__, type(error).__name__)
