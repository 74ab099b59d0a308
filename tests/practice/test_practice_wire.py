"""
Every error of the practice portal as it stands on the wire: status, type, body, and when to come back.

The words are those that the real services were seen to say, so that a client which passes here meets nothing new there.
What boto3 makes of them stands in `test_practice_access_portal.py` and `test_practice_oidc.py`.
"""

from __future__ import annotations

import dataclasses
import http.client
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import botocore.session
import pytest

from cuaws_magic.practice import Failure, access_portal, oidc

if TYPE_CHECKING:
    from collections.abc import Callable

# As the services write them.
PORTAL_TYPE = "{}:http://internal.amazon.com/coral/com.amazonaws.switchboard.portal/"
PORTAL_BODY = '{{"message":"{}","__type":"com.amazonaws.switchboard.portal#{}"}}'
OIDC_TYPE = "{}:http://internal.amazon.com/coral/com.amazonaws.sso.oidc/"
OIDC_BODY = '{{"error":"{}","error_description":"{}"}}'

ACCOUNTS, ROLES = "/assignment/accounts", "/assignment/roles?account_id=111111111111"
CREDENTIALS = "/federation/credentials?account_id=111111111111&role_name=MyRole"
LOGOUT = "/logout"
OPERATIONS = {
    "ListAccounts": ACCOUNTS,
    "ListAccountRoles": ROLES,
    "GetRoleCredentials": CREDENTIALS,
    "Logout": LOGOUT,
}
REGISTER, AUTHORIZE, TOKEN = "/client/register", "/device_authorization", "/token"
DEVICE_CODE, REFRESH = "urn:ietf:params:oauth:grant-type:device_code", "refresh_token"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Error:
    """What an answer must be; `word` is what RFC 6749 and RFC 8628 call it, where they do."""

    name: str
    status: int
    message: str
    word: str = ""


def ask(url: str, method: str, target: str, headers: dict[str, str] | None = None, body: bytes | None = None) -> Answer:
    """Ask as a client does that knows nothing of AWS."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def ask_portal(learner: Any, target: str, sso_token: str | None) -> Answer:
    headers = {} if sso_token is None else {"x-amz-sso_bearer_token": sso_token}
    return ask(learner.portal.url, "POST" if target == LOGOUT else "GET", target, headers)


def ask_oidc(learner: Any, path: str, fields: dict[str, Any] | bytes) -> Answer:
    body = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
    return ask(learner.portal.url, "POST", path, {"Content-Type": "application/json"}, body)


def check(answer: Answer, error: Error, retry_after: str | None = None) -> None:
    """Fail unless an answer is this error, to the letter."""
    if error.word:
        kind, body = OIDC_TYPE.format(error.name), OIDC_BODY.format(error.word, error.message)
    else:
        kind, body = PORTAL_TYPE.format(error.name), PORTAL_BODY.format(error.message, error.name)
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (error.status, kind)
    assert answer.body == body.encode()
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers.get("retry-after") == retry_after


# The access portal.

UNAUTHORIZED = Error("UnauthorizedException", 401, "Session token not found or invalid")
FORBIDDEN = Error("ForbiddenException", 403, "No access")
TOO_MANY = Error("TooManyRequestsException", 429, "HTTP 429 Unknown Code")
NOT_FOUND = Error("ResourceNotFoundException", 404, "Account not found")
PAGE_SIZE = Error("InvalidRequestException", 400, "maxResults must be between 1 and 100")
NEXT_PAGE = Error("InvalidRequestException", 400, "nextToken is invalid")

PORTAL_FAILURES = {
    "401": UNAUTHORIZED,
    "403": FORBIDDEN,
    "429": TOO_MANY,
    "500": Error("InternalServerException", 500, "InternalServerException"),
    "503": Error("ServiceUnavailableException", 503, "ServiceUnavailableException"),
}
PORTAL_REFUSALS = [
    pytest.param(f"{ACCOUNTS}?max_result=0", PAGE_SIZE, id="a page of nothing"),
    pytest.param(f"{ACCOUNTS}?max_result=101", PAGE_SIZE, id="a page too large"),
    pytest.param(f"{ROLES}&max_result=x", PAGE_SIZE, id="a page size that is no number"),
    pytest.param(f"{ACCOUNTS}?next_token=nonsense", NEXT_PAGE, id="a next page that is none"),
    pytest.param(f"{ACCOUNTS}?next_token=cm9sZXM6MQ==", NEXT_PAGE, id="the next page of another listing"),
    pytest.param(f"{ACCOUNTS}?next_token=YWNjb3VudHM6LTE=", NEXT_PAGE, id="a page before the first"),
    pytest.param(
        "/assignment/roles",
        Error("InvalidRequestException", 400, "account_id is missing"),
        id="the roles of no account",
    ),
    pytest.param(
        "/federation/credentials?role_name=MyRole",
        Error("InvalidRequestException", 400, "account_id is missing"),
        id="credentials for no account",
    ),
    pytest.param(
        "/federation/credentials?account_id=111111111111&role_name=",
        Error("InvalidRequestException", 400, "role_name is missing"),
        id="credentials for no role",
    ),
    pytest.param("/assignment/roles?account_id=999999999999", NOT_FOUND, id="the roles of an unknown account"),
    pytest.param(CREDENTIALS.replace("MyRole", "Admin"), FORBIDDEN, id="a role that is not assigned"),
    pytest.param(CREDENTIALS.replace("1" * 12, "9" * 12), FORBIDDEN, id="credentials for an unknown account"),
]


@pytest.mark.parametrize("target", OPERATIONS.values(), ids=OPERATIONS)
@pytest.mark.parametrize("sso_token", [None, "", "nobody"], ids=["none", "empty", "unknown"])
def test_without_a_sign_in(learner: Any, target: str, sso_token: str | None) -> None:
    """Every operation asks first who is there."""
    check(ask_portal(learner, target, sso_token), UNAUTHORIZED)


@pytest.mark.parametrize("target", OPERATIONS.values(), ids=OPERATIONS)
@pytest.mark.parametrize("end", ["expired", "revoked", "signed out"])
def test_after_the_end_of_a_sign_in(learner: Any, clock: Any, target: str, end: str) -> None:
    """An SSO token that was good is refused as one that never was, whatever ended it."""
    sso_token = learner.sign_in()[1]["accessToken"]
    before = ask_portal(learner, ACCOUNTS, sso_token)
    if end == "expired":
        clock.move(8 * 3600)
    elif end == "revoked":
        learner.portal.revoke_sign_ins()
    else:
        assert ask_portal(learner, LOGOUT, sso_token).status == 200

    answer = ask_portal(learner, target, sso_token)

    assert before.status == 200
    check(answer, UNAUTHORIZED)


@pytest.mark.parametrize(("target", "error"), PORTAL_REFUSALS)
def test_what_the_portal_refuses(learner: Any, target: str, error: Error) -> None:
    """Each wrong word has its own error."""
    check(ask_portal(learner, target, learner.sign_in()[1]["accessToken"]), error)


@pytest.mark.parametrize(("retry_after", "header"), [(None, None), (7, "7"), (0, "0")])
@pytest.mark.parametrize("operation", ["ListAccounts", "ListAccountRoles", "GetRoleCredentials"])
def test_beyond_the_limit(enroll: Any, operation: str, retry_after: int | None, header: str | None) -> None:
    """Too many requests: when to come back is said only where the knob says it; signing out is never too much."""
    learner = enroll(requests_per_second=1, retry_after=retry_after)
    sso_token = learner.sign_in()[1]["accessToken"]

    within, beyond, logout = [
        ask_portal(learner, target, sso_token) for target in (ACCOUNTS, OPERATIONS[operation], LOGOUT)
    ]

    assert (within.status, within.headers.get("retry-after")) == (200, None)
    check(beyond, TOO_MANY, header)
    assert logout.status == 200


@pytest.mark.parametrize("retry_after", [None, 7])
@pytest.mark.parametrize("kind", PORTAL_FAILURES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_portal_failures(enroll: Any, operation: str, kind: str, retry_after: int | None) -> None:
    """A failure of the knobs says what the service says; only a 429 says when to come back, and only if told to."""
    learner = enroll(failures=(Failure(operation, kind=kind),), retry_after=retry_after)
    sso_token = learner.sign_in()[1]["accessToken"]

    failed, after = [ask_portal(learner, OPERATIONS[operation], sso_token) for _ in range(2)]

    check(failed, PORTAL_FAILURES[kind], "7" if kind == "429" and retry_after else None)
    assert after.status == 200


def test_every_error_of_the_portal_is_here() -> None:
    """An error that is added gets its row; what the service's model knows has the model's status."""
    natural = [UNAUTHORIZED, TOO_MANY, *(row.values[1] for row in PORTAL_REFUSALS)]
    errors = {error.name: error for error in [*natural, *PORTAL_FAILURES.values()]}
    modelled = botocore.session.get_session().get_service_model("sso").error_shapes

    assert set(errors) == set(access_portal._STATUSES)
    for shape in modelled:
        assert errors[shape.name].status == shape.metadata["error"]["httpStatusCode"]


# OIDC.


def oidc_error(word: str, message: str, status: int = 400) -> Error:
    name = "".join(part.capitalize() for part in word.split("_")) + "Exception"
    return Error("InternalServerException" if word == "internal_server_error" else name, status, message, word)


PENDING = oidc_error("authorization_pending", "Authorization is still pending")
SLOW_DOWN = oidc_error("slow_down", "Too many requests")
DENIED = oidc_error("access_denied", "Access denied")
EXPIRED = oidc_error("expired_token", "Device code expired")
UNKNOWN_CLIENT = oidc_error("invalid_client", "Invalid client provided", 401)
USED = oidc_error("invalid_grant", "Device code was used before")
NOT_REFRESHABLE = oidc_error("invalid_grant", "Invalid refresh token provided")

OIDC_FAILURES = {
    "401": UNKNOWN_CLIENT,
    "403": oidc_error("access_denied", "Access denied", 403),
    "429": oidc_error("slow_down", "Too many requests", 429),
    "500": oidc_error("internal_server_error", "Internal server error", 500),
    "503": oidc_error("internal_server_error", "Internal server error", 503),
}


@dataclass(frozen=True)
class Wrong:
    """A request that is right but for one word; `None` leaves that out."""

    documentation: str
    path: str
    error: Error
    change: dict[str, Any] = field(default_factory=dict)
    body: bytes | None = None


def missing(name: str) -> Error:
    return oidc_error("invalid_request", f"{name} is missing")


NO_OBJECT = oidc_error("invalid_request", "The body is not a JSON object")
METADATA = oidc_error("invalid_client_metadata", "Invalid client metadata provided")
ONLY_PUBLIC = oidc_error("invalid_client_metadata", "Only public clients may register")
NO_LIST = oidc_error("invalid_request", "scopes is not a list")
REDIRECT_URI = oidc_error("invalid_redirect_uri", "Invalid redirect uri provided")
SCOPE = oidc_error("invalid_scope", "Invalid scope provided")
NO_ADDRESS = oidc_error("invalid_request", "startUrl is not an address")
GRANT = oidc_error("unsupported_grant_type", "Unsupported grant type")
UNKNOWN_CODE = oidc_error("invalid_grant", "Invalid device code provided")

WRONG = [
    *(Wrong(f"{path}: no JSON", path, NO_OBJECT, body=b"x=1") for path in (REGISTER, AUTHORIZE, TOKEN)),
    *(Wrong(f"{path}: a list", path, NO_OBJECT, body=b"[]") for path in (REGISTER, AUTHORIZE, TOKEN)),
    Wrong("a client without a name", REGISTER, missing("clientName"), {"clientName": None}),
    Wrong("a client with a number for a name", REGISTER, missing("clientName"), {"clientName": 1}),
    Wrong("a client with too long a name", REGISTER, METADATA, {"clientName": "x" * 257}),
    Wrong("a client of no type", REGISTER, missing("clientType"), {"clientType": None}),
    Wrong("a client that is not public", REGISTER, ONLY_PUBLIC, {"clientType": "confidential"}),
    Wrong("scopes that are no list", REGISTER, NO_LIST, {"scopes": "sso:account:access"}),
    Wrong("a scope of blanks", REGISTER, SCOPE, {"scopes": [" "]}),
    Wrong("codes to another machine", REGISTER, REDIRECT_URI,
          {"grantTypes": ["authorization_code"], "redirectUris": ["http://example.org/"], "issuerUrl": "https://x"}),
    Wrong("no start URL", AUTHORIZE, missing("startUrl"), {"startUrl": None}),
    Wrong("a start URL that is no address", AUTHORIZE, NO_ADDRESS, {"startUrl": "cuboulder"}),
    Wrong("a code for no client", AUTHORIZE, missing("clientId"), {"clientId": None}),
    Wrong("a code for an unknown client", AUTHORIZE, UNKNOWN_CLIENT, {"clientId": "nobody"}),
    Wrong("a code for a client's wrong secret", AUTHORIZE, UNKNOWN_CLIENT, {"clientSecret": "wrong"}),
    Wrong("no grant", TOKEN, missing("grantType"), {"grantType": None}),
    Wrong("an unknown grant", TOKEN, GRANT, {"grantType": "password"}),
    Wrong("a poll of no client", TOKEN, missing("clientSecret"), {"clientSecret": None}),
    Wrong("a poll of an unknown client", TOKEN, UNKNOWN_CLIENT, {"clientId": "nobody"}),
    Wrong("a poll with a client's wrong secret", TOKEN, UNKNOWN_CLIENT, {"clientSecret": "wrong"}),
    Wrong("a poll for no code", TOKEN, missing("deviceCode"), {"deviceCode": None}),
    Wrong("a poll for an unknown code", TOKEN, UNKNOWN_CODE, {"deviceCode": "wrong"}),
    Wrong("a refresh of nothing", TOKEN, missing("refreshToken"), {"grantType": REFRESH}),
    Wrong(
        "a refresh of what never was", TOKEN, NOT_REFRESHABLE, {"grantType": REFRESH, "refreshToken": "aorAAAAAGnobody"}
    ),
]  # fmt: skip


@dataclass
class Waiting:
    """A learner with a code, who polls for it."""

    learner: Any
    clock: Any

    def __post_init__(self) -> None:
        self.client = self.learner.register()
        self.authorization = self.learner.authorize(self.client)

    @property
    def fields(self) -> dict[str, Any]:
        """What all three operations want to hear."""
        return {
            "clientName": "botocore-client-fedauth",
            "clientType": "public",
            "scopes": ["sso:account:access"],
            "startUrl": self.learner.portal.start_url,
            "grantType": DEVICE_CODE,
            "deviceCode": self.authorization["deviceCode"],
            **self.client,
        }

    def poll(self, after: float = 1, **change: Any) -> Answer:
        self.clock.move(after)
        return ask_oidc(self.learner, TOKEN, {**self.fields, **change})


@pytest.fixture(name="wait")
def _wait(enroll: Callable[..., Any], clock: Any) -> Callable[..., Waiting]:
    """Give a learner at a portal with these knobs a code."""
    return lambda **knobs: Waiting(enroll(**knobs), clock)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.documentation)
def test_what_oidc_refuses(wait: Any, wrong: Wrong) -> None:
    """Each wrong word has its own error, in the words of the RFCs."""
    waiting = wait()
    fields = {name: value for name, value in {**waiting.fields, **wrong.change}.items() if value is not None}

    check(ask_oidc(waiting.learner, wrong.path, fields if wrong.body is None else wrong.body), wrong.error)


def test_until_the_person_says_no(wait: Any) -> None:
    """Pending as long as nobody decides, then denied."""
    waiting = wait()

    before = [waiting.poll(), waiting.poll()]
    waiting.learner.portal.deny(waiting.authorization["userCode"])

    for answer in before:
        check(answer, PENDING)
    check(waiting.poll(), DENIED)


def test_deny(wait: Any) -> None:
    """The knob says no in the person's place."""
    check(wait(deny=True).poll(), DENIED)


@pytest.mark.parametrize(
    ("knobs", "pause"), [pytest.param({}, 0.1, id="too fast"), pytest.param({"slow_down": 2}, 1, id="slow_down")]
)
def test_slower(wait: Any, knobs: dict[str, int], pause: float) -> None:
    """Who polls too fast is told to be slower, and so is everybody while the knob says so."""
    waiting = wait(**knobs)
    waiting.poll()

    check(waiting.poll(pause), SLOW_DOWN)


def test_nobody_decides_in_time(wait: Any) -> None:
    """A code expires."""
    check(wait(code_lifetime=60).poll(60), EXPIRED)


def test_a_code_works_once(wait: Any) -> None:
    """The second client with the same code gets nothing."""
    waiting = wait(approve_after=1)
    first = waiting.poll()

    check(waiting.poll(), USED)
    assert first.status == 200


def test_the_code_of_another_client(wait: Any) -> None:
    """A code belongs to whom it was given."""
    waiting = wait(approve_after=1)
    other = waiting.learner.register()

    check(waiting.poll(**other), UNKNOWN_CODE)


@pytest.mark.parametrize("path", [AUTHORIZE, TOKEN])
def test_a_registration_expires(wait: Any, clock: Any, path: str) -> None:
    """A client whose registration is over must register anew."""
    waiting = wait(registration_lifetime=60)
    clock.move(60)

    check(
        ask_oidc(waiting.learner, path, waiting.fields),
        oidc_error("invalid_client", "Client registration expired", 401),
    )


@pytest.mark.parametrize("end", ["revoked", "over", "used", "of another client"])
def test_no_refresh(wait: Any, clock: Any, end: str) -> None:
    """A refresh token that is good no longer, or not for this client, is refused as one that never was."""
    waiting = wait(approve_after=1, sso_session_lifetime=60, rotate_refresh_tokens=True)
    refresh = {"grantType": REFRESH, "refreshToken": json.loads(waiting.poll().body)["refreshToken"]}
    if end == "revoked":
        waiting.learner.portal.revoke_sign_ins()
    elif end == "over":
        clock.move(60)
    elif end == "used":
        assert waiting.poll(**refresh).status == 200
    else:
        refresh |= waiting.learner.register()

    check(waiting.poll(0, **refresh), NOT_REFRESHABLE)


@pytest.mark.parametrize("retry_after", [None, 7])
@pytest.mark.parametrize("kind", OIDC_FAILURES)
@pytest.mark.parametrize(
    ("operation", "path"),
    [("RegisterClient", REGISTER), ("StartDeviceAuthorization", AUTHORIZE), ("CreateToken", TOKEN)],
)
def test_oidc_failures(wait: Any, operation: str, path: str, kind: str, retry_after: int | None) -> None:
    """A failure of the knobs says what the service says; OIDC never says when to come back."""
    waiting = wait(approve_after=1)
    waiting.learner.portal.knobs = dataclasses.replace(
        waiting.learner.portal.knobs, failures=(Failure(operation, kind=kind),), retry_after=retry_after
    )

    failed, after = [ask_oidc(waiting.learner, path, waiting.fields) for _ in range(2)]

    check(failed, OIDC_FAILURES[kind])
    assert after.status == 200


def test_every_error_of_oidc_is_here() -> None:
    """An error that is added gets its row; what happens by itself has the status of the service's model."""
    natural = [PENDING, SLOW_DOWN, DENIED, EXPIRED, USED, NOT_REFRESHABLE, *(wrong.error for wrong in WRONG)]
    errors = {error.word: error for error in natural}
    shapes = {shape.name: shape for shape in botocore.session.get_session().get_service_model("sso-oidc").error_shapes}

    assert {*errors, "internal_server_error"} == set(oidc._DESCRIPTIONS)
    for error in [*errors.values(), OIDC_FAILURES["500"]]:
        assert error.status == shapes[error.name].metadata["error"]["httpStatusCode"]


# Without an error in it.


@pytest.mark.parametrize(("kind", "body"), [("malformed", b'{"accessToken": '), ("empty", b"")])
@pytest.mark.parametrize("path", [ACCOUNTS, CREDENTIALS, TOKEN, REGISTER])
def test_answers_that_say_nothing(wait: Any, path: str, kind: str, body: bytes) -> None:
    """Broken JSON and nothing at all come with 200, as from a proxy that gave up; no header calls them an error."""
    operations = {
        ACCOUNTS: "ListAccounts", CREDENTIALS: "GetRoleCredentials", TOKEN: "CreateToken", REGISTER: "RegisterClient",
    }  # fmt: skip
    waiting = wait()
    sso_token = waiting.learner.sign_in()[1]["accessToken"]
    waiting.learner.portal.knobs = dataclasses.replace(
        waiting.learner.portal.knobs, failures=(Failure(operations[path], kind=kind),), retry_after=7
    )

    if path in (TOKEN, REGISTER):
        answer = ask_oidc(waiting.learner, path, waiting.fields)
    else:
        answer = ask_portal(waiting.learner, path, sso_token)

    assert (answer.status, answer.body) == (200, body)
    assert not {"x-amzn-errortype", "retry-after"} & set(answer.headers)


@pytest.mark.parametrize("path", [ACCOUNTS, TOKEN])
def test_a_broken_connection(wait: Any, path: str) -> None:
    """`reset` answers nothing at all, not even a status."""
    waiting = wait(failures=(Failure("ListAccounts", kind="reset"), Failure("CreateToken", kind="reset")))

    with pytest.raises(ConnectionError):
        ask_oidc(waiting.learner, path, {}) if path == TOKEN else ask_portal(waiting.learner, path, "x")
