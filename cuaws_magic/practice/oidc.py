"""
The service `sso-oidc`: RegisterClient, StartDeviceAuthorization, CreateToken.

The page of the authorization code grant, `/authorize`, is in `browser`; what may stand in its address is judged here.

Times on this wire are seconds. Errors are those of RFC 6749 and RFC 8628 in AWS's clothes: the name of the
exception in the header `x-amzn-ErrorType`, the code of the RFC in the body.
"""

from __future__ import annotations

import json
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from cuaws_magic.practice.server import Reply
from cuaws_magic.practice.state import CodeRequest, Decision, IssuedTokens, Registration, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cuaws_magic.practice.knobs import Knobs
    from cuaws_magic.practice.server import Request

AUTHORIZATION_CODE_GRANT = "authorization_code"
DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
REFRESH_TOKEN_GRANT = "refresh_token"  # noqa: S105 - the name of the grant
OPERATIONS = {
    ("POST", "/client/register"): "RegisterClient",
    ("POST", "/device_authorization"): "StartDeviceAuthorization",
    ("POST", "/token"): "CreateToken",
}

_CORAL = "http://internal.amazon.com/coral/com.amazonaws.sso.oidc/"
_DESCRIPTIONS = {
    "access_denied": ("AccessDeniedException", "Access denied"),
    "authorization_pending": ("AuthorizationPendingException", "Authorization is still pending"),
    "expired_token": ("ExpiredTokenException", "Device code expired"),
    "internal_server_error": ("InternalServerException", "Internal server error"),
    "invalid_client": ("InvalidClientException", "Invalid client provided"),
    "invalid_redirect_uri": ("InvalidRedirectUriException", "Invalid redirect uri provided"),
    "invalid_client_metadata": ("InvalidClientMetadataException", "Invalid client metadata provided"),
    "invalid_grant": ("InvalidGrantException", "Invalid grant provided"),
    "invalid_request": ("InvalidRequestException", "Invalid request"),
    "invalid_scope": ("InvalidScopeException", "Invalid scope provided"),
    "slow_down": ("SlowDownException", "Too many requests"),
    "unsupported_grant_type": ("UnsupportedGrantTypeException", "Unsupported grant type"),
}
_STATUSES = {
    "invalid_client": HTTPStatus.UNAUTHORIZED,
    "internal_server_error": HTTPStatus.INTERNAL_SERVER_ERROR,
}
_LONGEST_NAME = 256


class _Refusal(Exception):  # a signal inside this module, not an error of the program
    def __init__(self, code: str, description: str = "") -> None:
        super().__init__(code)
        self.code, self.description = code, description


def error(code: str, description: str = "") -> Reply:
    """Answer an error by its RFC name, such as `slow_down`."""
    name, usual = _DESCRIPTIONS[code]
    body = {"error": code, "error_description": description or usual}
    return Reply(
        _STATUSES.get(code, HTTPStatus.BAD_REQUEST),
        json.dumps(body, separators=(",", ":")).encode(),
        (("Content-Type", "application/json"), ("x-amzn-ErrorType", f"{name}:{_CORAL}")),
        error=name,
    )


def grant_name(request: Request) -> str:
    """Name the grant of a CreateToken call for the journal."""
    return _said(request, "grantType").rpartition(":")[2]


def start_url_of(request: Request) -> str:
    """Name the organisation of a StartDeviceAuthorization call for the journal."""
    return _said(request, "startUrl")


def _said(request: Request, field: str) -> str:
    try:
        return str(_fields(request).get(field, ""))
    except _Refusal:
        return ""


def answer(request: Request, state: State, knobs: Knobs, url: str) -> Reply:
    """Answer one of `OPERATIONS`."""
    operation = OPERATIONS[request.method, request.path]
    try:
        fields = _fields(request)
        if operation == "RegisterClient":
            body = _register_client(fields, state, knobs)
        elif operation == "StartDeviceAuthorization":
            body = _start_device_authorization(fields, state, knobs, url)
        else:
            body = _create_token(fields, state, knobs)
    except _Refusal as refusal:
        return error(refusal.code, refusal.description)
    headers = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
    return Reply(HTTPStatus.OK, json.dumps(body, separators=(",", ":")).encode(), headers)


def _register_client(fields: dict[str, Any], state: State, knobs: Knobs) -> dict[str, Any]:
    client_name = _required(fields, "clientName")
    if len(client_name) > _LONGEST_NAME:
        raise _Refusal("invalid_client_metadata")
    if _required(fields, "clientType") != "public":
        raise _Refusal("invalid_client_metadata", "Only public clients may register")
    scopes = fields.get("scopes") or []
    if not isinstance(scopes, list):
        raise _Refusal("invalid_request", "scopes is not a list")
    if not all(isinstance(scope, str) and scope.strip() == scope and scope for scope in scopes):
        raise _Refusal("invalid_scope")
    redirect_uris, issuer_url = _code_grant_of(fields, scopes)
    registration = state.register(client_name, tuple(scopes), knobs.registration_lifetime, redirect_uris, issuer_url)
    return {
        "clientId": registration.client_id,
        "clientSecret": registration.client_secret,
        "clientIdIssuedAt": int(state.now().timestamp()),
        "clientSecretExpiresAt": int(registration.expires_at.timestamp()),
        "authorizationEndpoint": None,
        "tokenEndpoint": None,
    }


def _code_grant_of(fields: dict[str, Any], scopes: list[str]) -> tuple[tuple[str, ...], str | None]:
    """Read what a client registers for the authorization code grant, if it does."""
    grants = fields.get("grantTypes") or []
    if AUTHORIZATION_CODE_GRANT not in grants:
        return (), None
    uris = fields.get("redirectUris") or []
    if not isinstance(uris, list) or not uris or not all(_is_loopback(uri) for uri in uris):
        raise _Refusal("invalid_redirect_uri")
    issuer_url = _required(fields, "issuerUrl")
    if not scopes:
        raise _Refusal("invalid_scope")
    return tuple(uris), issuer_url


def _is_loopback(uri: object) -> bool:
    """Tell whether a redirect goes to the client's own machine (RFC 8252 §7.3)."""
    parts = urlsplit(uri) if isinstance(uri, str) else None
    return parts is not None and parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1")


def code_request(parameters: Mapping[str, str], state: State, knobs: Knobs) -> tuple[CodeRequest | None, str]:
    """
    Judge the address of the page that asks for an authorization code.

    Returns:
        The request; or nothing, and why. Whatever is wrong is said on the page and nobody is redirected.
    """
    registration = state.client(parameters.get("client_id", ""))
    redirect_uri = parameters.get("redirect_uri", "")
    if registration is None or state.now() >= registration.expires_at:
        return None, "This client is not registered."
    if registration.issuer_url is None:
        return None, "This client did not register for authorization codes."
    # On loopback any port will do (RFC 8252 §7.3).
    parts = urlsplit(redirect_uri)
    if f"{parts.scheme}://{parts.hostname}{parts.path}" not in registration.redirect_uris:
        return None, "This client did not register the address that the answer is to go to."
    challenge, method = parameters.get("code_challenge", ""), parameters.get("code_challenge_method", "")
    if parameters.get("response_type") != "code" or not challenge or method != "S256":
        return None, "Only codes with PKCE are given: response_type=code, code_challenge_method=S256."
    if not set(parameters.get("scopes", "").split()) <= set(registration.scopes):
        return None, "This client did not register these scopes."
    expires_at = state.now() + timedelta(seconds=knobs.code_lifetime)
    return CodeRequest(registration, redirect_uri, parameters.get("state", ""), challenge, expires_at), ""


def _start_device_authorization(fields: dict[str, Any], state: State, knobs: Knobs, url: str) -> dict[str, Any]:
    start_url = _required(fields, "startUrl")
    address = urlsplit(start_url)
    if address.scheme not in ("http", "https") or not address.netloc:
        raise _Refusal("invalid_request", "startUrl is not an address")
    authorization = state.authorize(_registered(fields, state), start_url, knobs)
    return {
        "deviceCode": authorization.device_code,
        "userCode": authorization.user_code,
        "verificationUri": f"{url}/device",
        "verificationUriComplete": f"{url}/device?user_code={quote(authorization.user_code)}",
        "expiresIn": int(knobs.code_lifetime),
        "interval": knobs.interval,
    }


def _create_token(fields: dict[str, Any], state: State, knobs: Knobs) -> dict[str, Any]:
    grant = _required(fields, "grantType")
    registration = _registered(fields, state)
    if grant == DEVICE_CODE_GRANT:
        issued = _redeem_device_code(_required(fields, "deviceCode"), registration, state, knobs)
    elif grant == AUTHORIZATION_CODE_GRANT:
        issued = _redeem_code(fields, registration, state, knobs)
    elif grant == REFRESH_TOKEN_GRANT:
        renewed = state.refresh(registration, _required(fields, "refreshToken"), knobs)
        if renewed is None:
            raise _Refusal("invalid_grant", "Invalid refresh token provided")
        issued = renewed
    else:
        raise _Refusal("unsupported_grant_type")
    body = {"accessToken": issued.sso_token, "tokenType": "Bearer", "expiresIn": int(knobs.token_lifetime)}
    return body | ({"refreshToken": issued.refresh_token} if issued.refresh_token else {})


def _redeem_code(fields: dict[str, Any], registration: Registration, state: State, knobs: Knobs) -> IssuedTokens:
    code, verifier = _required(fields, "code"), _required(fields, "codeVerifier")
    request = state.spend_code(code)
    if request is None or request.registration != registration or registration.issuer_url is None:
        raise _Refusal("invalid_grant", "Invalid authorization code provided")
    if fields.get("redirectUri") != request.redirect_uri or not request.verified(verifier):
        raise _Refusal("invalid_grant", "Invalid authorization code provided")
    if state.now() >= request.expires_at:
        raise _Refusal("expired_token", "Authorization code expired")
    return state.sign_in(registration, registration.issuer_url, knobs)


def _redeem_device_code(device_code: str, registration: Registration, state: State, knobs: Knobs) -> IssuedTokens:
    with state.lock:
        authorization = state.authorization(device_code)
        if authorization is None or authorization.registration != registration:
            raise _Refusal("invalid_grant", "Invalid device code provided")
        if authorization.decision is Decision.USED:
            raise _Refusal("invalid_grant", "Device code was used before")
        now = state.now()
        authorization.polls += 1
        if now >= authorization.expires_at:
            raise _Refusal("expired_token")

        waited = (now - authorization.last_poll).total_seconds() if authorization.last_poll else None
        authorization.last_poll = now
        # A tenth, because clients' timers and ours are not the same.
        too_fast = waited is not None and waited < 0.9 * authorization.interval
        if too_fast or authorization.polls <= knobs.slow_down:
            authorization.interval += knobs.slow_down_step
            raise _Refusal("slow_down")

        if authorization.decision is Decision.WAITING:
            if knobs.deny:
                authorization.decision = Decision.DENIED
            elif knobs.approve_after is not None and authorization.polls >= knobs.approve_after:
                authorization.decision = Decision.APPROVED
        if authorization.decision is Decision.DENIED:
            raise _Refusal("access_denied")
        if authorization.decision is Decision.WAITING:
            raise _Refusal("authorization_pending")
        authorization.decision = Decision.USED
        return state.sign_in(registration, authorization.start_url, knobs)


def _registered(fields: dict[str, Any], state: State) -> Registration:
    registration = state.registration(_required(fields, "clientId"), _required(fields, "clientSecret"))
    if registration is None:
        raise _Refusal("invalid_client")
    if state.now() >= registration.expires_at:
        raise _Refusal("invalid_client", "Client registration expired")
    return registration


def _fields(request: Request) -> dict[str, Any]:
    try:
        fields = json.loads(request.body or b"{}")
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise _Refusal("invalid_request", "The body is not a JSON object")
    return fields


def _required(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise _Refusal("invalid_request", f"{name} is missing")
    return value
