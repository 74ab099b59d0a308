"""
The service `sso`, the access portal: ListAccounts, ListAccountRoles, GetRoleCredentials, Logout.

The expiration on this wire is epoch milliseconds, other than everywhere else in AWS.
"""

from __future__ import annotations

import base64
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from cuaws_magic.practice.server import Reply

if TYPE_CHECKING:
    from cuaws_magic.practice.faults import Faults
    from cuaws_magic.practice.knobs import Knobs
    from cuaws_magic.practice.moto_world import MotoWorld
    from cuaws_magic.practice.people import PretendAccount
    from cuaws_magic.practice.server import Request
    from cuaws_magic.practice.state import State

OPERATIONS = {
    ("GET", "/assignment/accounts"): "ListAccounts",
    ("GET", "/assignment/roles"): "ListAccountRoles",
    ("GET", "/federation/credentials"): "GetRoleCredentials",
    ("POST", "/logout"): "Logout",
}

_SHAPE = "com.amazonaws.switchboard.portal#"
_CORAL = "http://internal.amazon.com/coral/com.amazonaws.switchboard.portal/"
_STATUSES = {
    "ForbiddenException": HTTPStatus.FORBIDDEN,
    "InternalServerException": HTTPStatus.INTERNAL_SERVER_ERROR,
    "InvalidRequestException": HTTPStatus.BAD_REQUEST,
    "ResourceNotFoundException": HTTPStatus.NOT_FOUND,
    "ServiceUnavailableException": HTTPStatus.SERVICE_UNAVAILABLE,
    "TooManyRequestsException": HTTPStatus.TOO_MANY_REQUESTS,
    "UnauthorizedException": HTTPStatus.UNAUTHORIZED,
}
_MESSAGES = {
    "ForbiddenException": "No access",
    "TooManyRequestsException": "HTTP 429 Unknown Code",
    "UnauthorizedException": "Session token not found or invalid",
}
_USUAL_PAGE, _LARGEST_PAGE = 20, 100


class _Refusal(Exception):  # a signal inside this module, not an error of the program
    def __init__(self, name: str, message: str = "") -> None:
        super().__init__(name)
        self.name, self.message = name, message


def error(name: str, message: str = "", *, retry_after: int | None = None) -> Reply:
    """Answer an error by its name, such as `UnauthorizedException`."""
    body = {"message": message or _MESSAGES.get(name, name), "__type": f"{_SHAPE}{name}"}
    headers = [("Content-Type", "application/json"), ("x-amzn-ErrorType", f"{name}:{_CORAL}")]
    if retry_after is not None:
        headers.append(("Retry-After", str(retry_after)))
    return Reply(_STATUSES[name], json.dumps(body, separators=(",", ":")).encode(), tuple(headers), error=name)


def answer(request: Request, state: State, knobs: Knobs, faults: Faults, world: MotoWorld) -> Reply:
    """Answer one of `OPERATIONS`."""
    operation = OPERATIONS[request.method, request.path]
    if operation != "Logout" and faults.over_the_limit(state.now()):
        return error("TooManyRequestsException", retry_after=knobs.retry_after)
    sso_token = request.header("x-amz-sso_bearer_token")
    if not state.is_signed_in(sso_token):
        return error("UnauthorizedException")
    if operation == "Logout":
        state.sign_out(sso_token)
        return Reply(HTTPStatus.OK)
    try:
        if operation == "ListAccounts":
            body = _list_accounts(request, state, knobs)
        elif operation == "ListAccountRoles":
            body = _list_account_roles(request, state, knobs)
        else:
            body = _get_role_credentials(request, state, knobs, world)
    except _Refusal as refusal:
        return error(refusal.name, refusal.message)
    headers = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
    return Reply(HTTPStatus.OK, json.dumps(body, separators=(",", ":")).encode(), headers)


def sign_in_of(request: Request, state: State) -> str | None:
    """Return the start URL of the sign-in that a request comes with."""
    return state.start_url_of(request.header("x-amz-sso_bearer_token"))


def _assignments(request: Request, state: State, knobs: Knobs) -> tuple[PretendAccount, ...]:
    return state.assignments(knobs, sign_in_of(request, state) or "")


def _list_accounts(request: Request, state: State, knobs: Knobs) -> dict[str, Any]:
    accounts = [
        {"accountId": account.account_id, "accountName": account.name, "emailAddress": account.email}
        for account in _assignments(request, state, knobs)
    ]
    page, next_page = _page(accounts, request, "accounts")
    return {"accountList": page, "nextToken": next_page}


def _list_account_roles(request: Request, state: State, knobs: Knobs) -> dict[str, Any]:
    account_id = _required(request, "account_id")
    for account in _assignments(request, state, knobs):
        if account.account_id == account_id:
            roles = [{"roleName": role, "accountId": account_id} for role in account.roles]
            page, next_page = _page(roles, request, account_id)
            return {"roleList": page, "nextToken": next_page}
    raise _Refusal("ResourceNotFoundException", "Account not found")


def _get_role_credentials(request: Request, state: State, knobs: Knobs, world: MotoWorld) -> dict[str, Any]:
    account_id, role_name = _required(request, "account_id"), _required(request, "role_name")
    if not any(one.account_id == account_id and role_name in one.roles for one in _assignments(request, state, knobs)):
        raise _Refusal("ForbiddenException")
    issued = world.issue(account_id, role_name, knobs.role_lifetime)
    return {
        "roleCredentials": {
            "accessKeyId": issued.access_key_id,
            "secretAccessKey": issued.secret_access_key,
            "sessionToken": issued.session_token,
            "expiration": int(issued.expires_at.timestamp() * 1000) if issued.expires_at else 0,
        }
    }


def _page(entries: list[dict[str, str]], request: Request, listing: str) -> tuple[list[dict[str, str]], str | None]:
    parameters = request.parameters()
    try:
        size = int(parameters.get("max_result", _USUAL_PAGE))
    except ValueError:
        size = 0
    if not 1 <= size <= _LARGEST_PAGE:
        raise _Refusal("InvalidRequestException", "maxResults must be between 1 and 100")
    first = _decode_next(parameters["next_token"], listing) if parameters.get("next_token") else 0
    last = first + size
    return entries[first:last], _encode_next(last, listing) if last < len(entries) else None


def _encode_next(first: int, listing: str) -> str:
    return base64.urlsafe_b64encode(f"{listing}:{first}".encode()).decode()


def _decode_next(next_page: str, listing: str) -> int:
    try:
        name, _, first = base64.urlsafe_b64decode(next_page.encode()).decode().partition(":")
        number = int(first)
    except ValueError:
        name, number = "", 0
    if name != listing or number < 0:
        raise _Refusal("InvalidRequestException", "nextToken is invalid")
    return number


def _required(request: Request, name: str) -> str:
    value = request.parameters().get(name, "")
    if not value:
        raise _Refusal("InvalidRequestException", f"{name} is missing")
    return value
