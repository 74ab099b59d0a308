"""The service `sso-oidc` of the practice portal, as unmodified boto3 sees it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from cuaws_magic.practice import Knobs

if TYPE_CHECKING:
    from collections.abc import Callable


def refusal(call: Callable[[], Any]) -> tuple[str, int]:
    """Return the name and the status of the error that a call must end in."""
    with pytest.raises(ClientError) as caught:
        call()
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_code_looks_like_the_guide(learner: Any) -> None:
    """A user code is four letters, a hyphen and four digits, and the complete link carries it."""
    authorization = learner.authorize(learner.register())

    letters, _, digits = authorization["userCode"].partition("-")
    assert (len(letters), letters.isalpha(), len(digits), digits.isdigit()) == (4, True, 4, True)
    assert authorization["verificationUri"] == f"{learner.portal.url}/device"
    assert authorization["verificationUriComplete"].endswith(f"/device?user_code={authorization['userCode']}")
    assert (authorization["interval"], authorization["expiresIn"]) == (1, 600)


def test_pending_until_approved(learner: Any, clock: Any) -> None:
    """A poll is pending until the person approves, and then brings the SSO token, once."""
    registration = learner.register()
    authorization = learner.authorize(registration)
    code = authorization["deviceCode"]

    before = refusal(lambda: learner.poll(registration, code))
    waiting = learner.portal.pending_user_codes()
    learner.portal.approve(authorization["userCode"].lower().replace("-", ""))
    clock.move(1)
    answer = learner.poll(registration, code)
    again = refusal(lambda: learner.poll(registration, code))

    assert before == ("AuthorizationPendingException", 400)
    assert waiting == [authorization["userCode"]]
    assert learner.portal.pending_user_codes() == []
    assert (answer["tokenType"], answer["expiresIn"], "refreshToken" in answer) == ("Bearer", 28800, True)
    assert again == ("InvalidGrantException", 400)


def test_error_body_is_the_services(learner: Any) -> None:
    """An OIDC error has `error` and `error_description` and no `message`, as the real one."""
    registration = learner.register()
    authorization = learner.authorize(registration)

    with pytest.raises(ClientError) as caught:
        learner.poll(registration, authorization["deviceCode"])

    assert caught.value.response["error"] == "authorization_pending"
    assert caught.value.response["error_description"] == "Authorization is still pending"
    assert caught.value.response["ResponseMetadata"]["HTTPHeaders"]["x-amzn-errortype"] == (
        "AuthorizationPendingException:http://internal.amazon.com/coral/com.amazonaws.sso.oidc/"
    )


def test_denied_by_the_person(learner: Any) -> None:
    """A denied code answers AccessDenied and waits no longer."""
    registration = learner.register()
    authorization = learner.authorize(registration)

    learner.portal.deny(authorization["userCode"])

    assert refusal(lambda: learner.poll(registration, authorization["deviceCode"])) == (
        "AccessDeniedException",
        400,
    )
    with pytest.raises(LookupError, match="pending_user_codes"):
        learner.portal.approve(authorization["userCode"])


@pytest.mark.parametrize(
    ("knobs", "expected"),
    [
        pytest.param({"approve_after": 0}, ["token"], id="approve_after 0: at the first poll"),
        pytest.param({"approve_after": 1}, ["token"], id="approve_after 1: at the first poll"),
        pytest.param({"approve_after": 3}, ["pending", "pending", "token"], id="approve_after 3"),
        pytest.param({"deny": True}, ["denied"], id="deny"),
        pytest.param(
            {"slow_down": 2, "approve_after": 1, "slow_down_step": 0},
            ["slow", "slow", "token"],
            id="slow_down",
        ),
        pytest.param({"slow_down": 1, "approve_after": 1, "slow_down_step": 2}, ["slow", "slow"], id="slow_down_step"),
        pytest.param({"interval": 5}, ["pending", "slow"], id="interval"),
        pytest.param({"code_lifetime": 1}, ["pending", "expired"], id="code_lifetime"),
    ],
)
def test_knobs_of_the_poll(enroll: Any, clock: Any, knobs: dict[str, Any], expected: list[str]) -> None:
    """Polls one second apart meet what the knobs say."""
    names = {
        "AuthorizationPendingException": "pending",
        "AccessDeniedException": "denied",
        "SlowDownException": "slow",
        "ExpiredTokenException": "expired",
    }
    learner = enroll(**knobs)
    registration = learner.register()
    code = learner.authorize(registration)["deviceCode"]

    seen = []
    for _ in expected:
        try:
            learner.poll(registration, code)
            seen.append("token")
        except ClientError as error:
            seen.append(names[error.response["Error"]["Code"]])
        clock.move(1.01)

    assert seen == expected


def test_slow_down_lasts(enroll: Any, clock: Any) -> None:
    """Polling too fast adds five seconds to the needed interval, for good (RFC 8628, section 3.5)."""
    learner = enroll(interval=1)
    registration = learner.register()
    code = learner.authorize(registration)["deviceCode"]

    seen = []
    for pause in (0, 0.2, 2, 11.1):  # the needed interval: 1, then 6, then 11
        clock.move(pause)
        seen.append(refusal(lambda: learner.poll(registration, code))[0])

    pending, slow = "AuthorizationPendingException", "SlowDownException"
    assert seen == [pending, slow, slow, pending]


def test_interval_zero_never_slows_down(enroll: Any) -> None:
    """With interval 0 a client may poll as fast as it likes."""
    learner = enroll(interval=0, approve_after=4)
    registration = learner.register()
    code = learner.authorize(registration)["deviceCode"]

    seen = [refusal(lambda: learner.poll(registration, code))[0] for _ in range(3)]

    assert set(seen) == {"AuthorizationPendingException"}
    assert learner.poll(registration, code)["accessToken"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({"clientSecret": "wrong"}, ("InvalidClientException", 401), id="wrong client secret"),
        pytest.param({"clientId": "nobody"}, ("InvalidClientException", 401), id="unknown client"),
        pytest.param({"deviceCode": "wrong"}, ("InvalidGrantException", 400), id="unknown device code"),
        pytest.param({"deviceCode": ""}, ("InvalidRequestException", 400), id="no device code"),
        pytest.param({"grantType": "password"}, ("UnsupportedGrantTypeException", 400), id="unknown grant"),
    ],
)
def test_create_token_validates(learner: Any, change: dict[str, str], expected: tuple[str, int]) -> None:
    """Each wrong word of CreateToken has its own error."""
    registration = learner.register()
    authorization = learner.authorize(registration)
    words = {
        "grantType": "urn:ietf:params:oauth:grant-type:device_code",
        "deviceCode": authorization["deviceCode"],
        **registration,
        **change,
    }

    assert refusal(lambda: learner.oidc.create_token(**words)) == expected


def test_code_belongs_to_its_client(learner: Any) -> None:
    """Another registered client cannot redeem a device code."""
    authorization = learner.authorize(learner.register())
    learner.portal.approve(authorization["userCode"])
    other = learner.register()

    assert refusal(lambda: learner.poll(other, authorization["deviceCode"]))[0] == "InvalidGrantException"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param({"clientName": "", "clientType": "public"}, "InvalidRequestException", id="no name"),
        pytest.param({"clientName": "x", "clientType": "secret"}, "InvalidClientMetadataException", id="not public"),
        pytest.param({"clientName": "x" * 300, "clientType": "public"}, "InvalidClientMetadataException", id="long"),
        pytest.param({"clientName": "x", "clientType": "public", "scopes": [" "]}, "InvalidScopeException", id="scope"),
    ],
)
def test_register_client_validates(learner: Any, words: dict[str, Any], expected: str) -> None:
    """A registration that cannot be read is refused."""
    assert refusal(lambda: learner.oidc.register_client(**words)) == (expected, 400)


def test_start_url_must_be_an_address(learner: Any) -> None:
    """Any start URL is answered, if it is one."""
    registration = learner.register()

    answer = learner.oidc.start_device_authorization(startUrl="https://d-1234567890.awsapps.com/start", **registration)

    assert answer["userCode"]
    assert refusal(lambda: learner.oidc.start_device_authorization(startUrl="cuboulder", **registration)) == (
        "InvalidRequestException",
        400,
    )


def test_registration_lifetime(enroll: Any, clock: Any) -> None:
    """An expired registration is an invalid client."""
    learner = enroll(registration_lifetime=60)
    registration = learner.register()

    clock.move(61)

    assert refusal(lambda: learner.authorize(registration)) == ("InvalidClientException", 401)


@pytest.mark.parametrize(
    ("knobs", "scopes", "expected"),
    [
        pytest.param({}, ("sso:account:access",), True, id="scopes"),
        pytest.param({}, (), False, id="no scopes"),
        pytest.param({"refresh_tokens": False}, ("sso:account:access",), False, id="refresh_tokens off"),
    ],
)
def test_who_gets_a_refresh_token(
    enroll: Any,
    knobs: dict[str, Any],
    scopes: tuple[str, ...],
    expected: bool,  # noqa: FBT001  # a row of the table
) -> None:
    """Only a client that registered with scopes gets a refresh token."""
    _, answer = enroll(**knobs).sign_in(scopes)

    assert ("refreshToken" in answer) is expected


def test_refresh_brings_a_new_sso_token(learner: Any) -> None:
    """A refresh brings another SSO token and the same refresh token, and both SSO tokens work."""
    registration, first = learner.sign_in()

    second = learner.refresh(registration, first["refreshToken"])

    assert second["accessToken"] != first["accessToken"]
    assert second["refreshToken"] == first["refreshToken"]
    for answer in (first, second):
        assert learner.sso.list_accounts(accessToken=answer["accessToken"])["accountList"]


def test_rotate_refresh_tokens(enroll: Any) -> None:
    """With rotation each refresh token works once."""
    learner = enroll(rotate_refresh_tokens=True)
    registration, first = learner.sign_in()

    second = learner.refresh(registration, first["refreshToken"])

    assert second["refreshToken"] != first["refreshToken"]
    assert refusal(lambda: learner.refresh(registration, first["refreshToken"])) == (
        "InvalidGrantException",
        400,
    )
    assert learner.refresh(registration, second["refreshToken"])["accessToken"]


def test_omit_refresh_token(enroll: Any) -> None:
    """The answer to a refresh may lack the refresh token; the old one goes on working."""
    learner = enroll(omit_refresh_token=True)
    registration, first = learner.sign_in()

    second = learner.refresh(registration, first["refreshToken"])

    assert "refreshToken" not in second
    assert learner.refresh(registration, first["refreshToken"])["accessToken"]


def test_sso_session_lifetime(enroll: Any, clock: Any) -> None:
    """After the session's end no refresh works."""
    learner = enroll(sso_session_lifetime=3600, token_lifetime=600)
    registration, answer = learner.sign_in()

    clock.move(3599)
    late = learner.refresh(registration, answer["refreshToken"])
    clock.move(2)

    assert late["expiresIn"] == 600
    assert refusal(lambda: learner.refresh(registration, answer["refreshToken"])) == (
        "InvalidGrantException",
        400,
    )


def test_revoke_sign_ins(learner: Any) -> None:
    """Revoking ends SSO tokens and refresh tokens."""
    registration, answer = learner.sign_in()

    learner.portal.revoke_sign_ins()

    assert refusal(lambda: learner.refresh(registration, answer["refreshToken"])) == (
        "InvalidGrantException",
        400,
    )
    assert refusal(lambda: learner.sso.list_accounts(accessToken=answer["accessToken"])) == (
        "UnauthorizedException",
        401,
    )


def test_calls_name_the_grant(learner: Any) -> None:
    """The journal tells a poll from a refresh, and can be cleared."""
    registration, answer = learner.sign_in()
    learner.refresh(registration, answer["refreshToken"])

    calls = [(call.operation, call.detail, call.status) for call in learner.portal.calls]
    learner.portal.clear_calls()

    assert calls == [
        ("RegisterClient", "", 200),
        ("StartDeviceAuthorization", "", 200),
        ("CreateToken", "device_code", 200),
        ("CreateToken", "refresh_token", 200),
    ]
    assert learner.portal.count("CreateToken") == 0


def test_knobs_turn_while_it_runs(learner: Any) -> None:
    """A new set of knobs holds from the next call on."""
    registration = learner.register()
    authorization = learner.authorize(registration)

    learner.portal.knobs = replace(learner.portal.knobs, approve_after=1, token_lifetime=60)
    answer = learner.poll(registration, authorization["deviceCode"])

    assert answer["expiresIn"] == 60
    assert learner.portal.knobs == Knobs(approve_after=1, token_lifetime=60)
