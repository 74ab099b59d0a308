"""The service `sso` of the practice portal, as unmodified boto3 sees it."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError

from cuaws_magic.practice import Failure

if TYPE_CHECKING:
    from collections.abc import Callable


def refusal(call: Callable[[], Any]) -> tuple[str, int, str]:
    """Return name, status and message of the error that a call must end in."""
    with pytest.raises(ClientError) as caught:
        call()
    response = caught.value.response
    return (
        response["Error"]["Code"],
        response["ResponseMetadata"]["HTTPStatusCode"],
        response["Error"]["Message"],
    )


def test_accounts_are_the_guides(learner: Any) -> None:
    """The listing has the guide's accounts, ids as strings with their leading zero, and its end."""
    _, answer = learner.sign_in()

    listing = learner.sso.list_accounts(accessToken=answer["accessToken"])

    assert {account["accountId"]: account["accountName"] for account in listing["accountList"]} == {
        "111111111111": "awsucob0myaccount",
        "222222222222": "awsucob0myotheraccount",
        "333333333333": "awsucob0production",
        "044444444444": "research-climate-dev",
        "555555555555": "research-genomics",
    }
    assert all("@" in account["emailAddress"] for account in listing["accountList"])
    assert "nextToken" not in listing


def test_roles_of_an_account(learner: Any) -> None:
    """Roles are listed per account; an account that does not exist is not found."""
    _, answer = learner.sign_in()

    listing = learner.sso.list_account_roles(accessToken=answer["accessToken"], accountId="333333333333")

    assert [role["roleName"] for role in listing["roleList"]] == ["ReadOnly", "Admin"]
    assert {role["accountId"] for role in listing["roleList"]} == {"333333333333"}
    assert refusal(lambda: learner.sso.list_account_roles(accessToken=answer["accessToken"], accountId="999999999999"))[
        :2
    ] == ("ResourceNotFoundException", 404)


@pytest.mark.parametrize(
    ("generated", "size", "pages"),
    [(0, None, 1), (200, 100, 3), (200, None, 11), (95, 100, 1), (0, 2, 3)],
)
def test_pages(enroll: Any, generated: int, size: int | None, pages: int) -> None:
    """The paginator finds every account once, whatever the page size; the usual page is 20."""
    learner = enroll(accounts=generated)
    _, answer = learner.sign_in()

    found = list(
        learner.sso.get_paginator("list_accounts").paginate(
            accessToken=answer["accessToken"], **({"maxResults": size} if size else {})
        )
    )

    ids = [account["accountId"] for page in found for account in page["accountList"]]
    assert (len(found), len(ids), len(set(ids))) == (pages, 5 + generated, 5 + generated)


def test_generated_accounts_are_always_the_same(enroll: Any) -> None:
    """The first generated accounts do not depend on how many there are; each has one to three roles."""
    learner = enroll(accounts=3)
    _, answer = learner.sign_in()
    few = learner.sso.list_accounts(accessToken=answer["accessToken"])["accountList"]

    learner.portal.knobs = replace(learner.portal.knobs, accounts=10)
    more = learner.sso.list_accounts(accessToken=answer["accessToken"])["accountList"]

    assert more[: len(few)] == few
    for account in more[5:]:
        assert account["accountName"].startswith("research-")
        assert len(account["accountId"]) == 12
        roles = learner.sso.list_account_roles(accessToken=answer["accessToken"], accountId=account["accountId"])[
            "roleList"
        ]
        assert 1 <= len(roles) <= 3


@pytest.mark.parametrize("words", [{"maxResults": 101}, {"nextToken": "nonsense"}, {"nextToken": "cm9sZXM6MQ=="}])
def test_listing_validates(learner: Any, words: dict[str, Any]) -> None:
    """A page size or a next token that cannot be is an invalid request."""
    _, answer = learner.sign_in()

    assert refusal(lambda: learner.sso.list_accounts(accessToken=answer["accessToken"], **words))[:2] == (
        "InvalidRequestException",
        400,
    )


def test_unauthorized_is_worded_as_the_real_one(learner: Any) -> None:
    """An unknown SSO token is 401 with the service's own message."""
    assert refusal(lambda: learner.sso.list_accounts(accessToken="nobody")) == (
        "UnauthorizedException",
        401,
        "Session token not found or invalid",
    )


def test_token_lifetime(enroll: Any, clock: Any) -> None:
    """An SSO token ends when `expiresIn` said."""
    learner = enroll(token_lifetime=600)
    _, answer = learner.sign_in()

    clock.move(599)
    before = learner.sso.list_accounts(accessToken=answer["accessToken"])
    clock.move(2)

    assert answer["expiresIn"] == 600
    assert before["accountList"]
    assert refusal(lambda: learner.sso.list_accounts(accessToken=answer["accessToken"]))[1] == 401


def test_logout_ends_the_sign_in(learner: Any) -> None:
    """Logout ends the SSO token and its refresh token, and no other sign-in."""
    registration, answer = learner.sign_in()
    _, other = learner.sign_in()

    learner.sso.logout(accessToken=answer["accessToken"])

    assert refusal(lambda: learner.sso.list_accounts(accessToken=answer["accessToken"]))[1] == 401
    assert refusal(lambda: learner.refresh(registration, answer["refreshToken"]))[0] == "InvalidGrantException"
    assert learner.sso.list_accounts(accessToken=other["accessToken"])["accountList"]
    assert learner.portal.count("Logout") == 1


def test_role_lifetime_in_milliseconds(enroll: Any, clock: Any) -> None:
    """Role credentials expire after `role_lifetime`, told in epoch milliseconds."""
    learner = enroll(role_lifetime=900)
    _, answer = learner.sign_in()

    credentials = learner.take_role(answer["accessToken"])

    seconds_left = credentials["expiration"] / 1000 - clock().timestamp()
    assert 895 < seconds_left <= 900
    assert credentials["accessKeyId"].startswith("ASIA")


@pytest.mark.parametrize(
    ("account_id", "role_name"),
    [("111111111111", "Admin"), ("999999999999", "MyRole"), ("222222222222", "MyRole")],
)
def test_no_access(learner: Any, account_id: str, role_name: str) -> None:
    """A role that is not assigned is 403 "No access", also in an account that does not exist."""
    _, answer = learner.sign_in()

    assert refusal(lambda: learner.take_role(answer["accessToken"], account_id, role_name)) == (
        "ForbiddenException",
        403,
        "No access",
    )


def test_remove_role(learner: Any) -> None:
    """A permission set taken away is gone from the listing, and its account with the last one."""
    _, answer = learner.sign_in()
    sso_token = answer["accessToken"]

    learner.portal.remove_role("333333333333", "Admin")
    learner.portal.remove_role("111111111111", "MyRole")

    roles = learner.sso.list_account_roles(accessToken=sso_token, accountId="333333333333")["roleList"]
    accounts = learner.sso.list_accounts(accessToken=sso_token)["accountList"]
    assert [role["roleName"] for role in roles] == ["ReadOnly"]
    assert "111111111111" not in [account["accountId"] for account in accounts]
    assert refusal(lambda: learner.take_role(sso_token))[:2] == ("ForbiddenException", 403)


def test_requests_per_second(enroll: Any, clock: Any) -> None:
    """Beyond the limit the portal answers 429, with Retry-After when told so, and recovers with time."""
    learner = enroll(requests_per_second=2, retry_after=7)
    _, answer = learner.sign_in()
    clock.move(10)

    def ask() -> int:
        try:
            answered = learner.sso.list_accounts(accessToken=answer["accessToken"])
        except ClientError as error:
            answered = error.response
            assert answered["Error"]["Code"] == "TooManyRequestsException"
            assert answered["Error"]["Message"] == "HTTP 429 Unknown Code"
            assert answered["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "7"
        return int(answered["ResponseMetadata"]["HTTPStatusCode"])

    seen = [ask() for _ in range(3)]
    clock.move(1)

    assert seen == [200, 200, 429]
    assert ask() == 200


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("500", ("InternalServerException", 500)),
        ("503", ("ServiceUnavailableException", 503)),
        ("429", ("TooManyRequestsException", 429)),
        ("401", ("UnauthorizedException", 401)),
        ("403", ("ForbiddenException", 403)),
    ],
)
def test_failures_with_a_status(enroll: Any, kind: str, expected: tuple[str, int]) -> None:
    """The first calls fail as told, then all is well; other operations are not concerned."""
    learner = enroll(failures=(Failure("ListAccounts", times=2, kind=kind),))
    _, answer = learner.sign_in()
    sso_token = answer["accessToken"]

    seen = [refusal(lambda: learner.sso.list_accounts(accessToken=sso_token))[:2] for _ in range(2)]

    assert seen == [expected, expected]
    assert learner.take_role(sso_token)
    assert learner.sso.list_accounts(accessToken=sso_token)["accountList"]
    errors = [call.error for call in learner.portal.calls if call.operation == "ListAccounts"]
    assert errors == [expected[0], expected[0], None]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("500", ("InternalServerException", 500)),
        ("503", ("InternalServerException", 503)),
        ("429", ("SlowDownException", 429)),
        ("401", ("InvalidClientException", 401)),
        ("403", ("AccessDeniedException", 403)),
    ],
)
def test_failures_of_oidc(enroll: Any, kind: str, expected: tuple[str, int]) -> None:
    """The same kinds in the words of the OIDC service."""
    learner = enroll(failures=(Failure("RegisterClient", kind=kind),))

    assert refusal(learner.register)[:2] == expected
    assert learner.register()["clientId"]


def test_failures_without_an_answer(enroll: Any) -> None:
    """A broken connection is an error; of broken JSON or nothing botocore makes an empty answer."""
    kinds = ("reset", "malformed", "empty")
    learner = enroll(failures=tuple(Failure("ListAccounts", kind=kind) for kind in kinds))
    _, answer = learner.sign_in()

    def ask() -> Any:
        return learner.sso.list_accounts(accessToken=answer["accessToken"])

    with pytest.raises((ConnectionClosedError, HTTPClientError)):
        ask()
    malformed, empty = ask(), ask()

    assert "accountList" not in malformed
    assert "accountList" not in empty
    assert ask()["accountList"]
    assert [call.status for call in learner.portal.calls if call.operation == "ListAccounts"] == [
        0,
        200,
        200,
        200,
    ]


@pytest.mark.parametrize(
    "knobs", [{"failures": (Failure("RegisterClient", kind="slow", delay=0.15),)}, {"latency": 0.15}]
)
def test_slow_answers(enroll: Any, knobs: dict[str, Any]) -> None:
    """A slow answer is right, and late."""
    learner = enroll(**knobs)

    began = time.monotonic()
    registration = learner.register()

    assert registration["clientId"]
    assert time.monotonic() - began >= 0.14


def test_unknown_failure_kind() -> None:
    """A failure kind that does not exist is refused where it is written."""
    with pytest.raises(ValueError, match="malformed"):
        Failure("ListAccounts", kind="418")


def test_clock_offset(enroll: Any, clock: Any) -> None:
    """With an offset the portal's Date and expirations are those of its own clock."""
    learner = enroll(clock_offset=7200)
    _, answer = learner.sign_in()

    credentials = learner.take_role(answer["accessToken"])
    listing = learner.sso.list_accounts(accessToken=answer["accessToken"])

    expected = clock() + timedelta(seconds=7200 + 14400)
    assert abs(credentials["expiration"] / 1000 - expected.timestamp()) < 30
    assert listing["ResponseMetadata"]["HTTPHeaders"]["date"].endswith("GMT")
    assert f"{clock() + timedelta(hours=2):%H:}" in listing["ResponseMetadata"]["HTTPHeaders"]["date"]
