"""
The authorization code grant with PKCE (RFC 6749 §4.1, RFC 7636), without sleep, display or socket.

For organisations that allow no device codes, and where kernel and browser are on one machine, as the AWS CLI does it
there. What the browser brings back comes through a `Callback`: a listener on loopback, or an address that a person
pastes. Steps as those of `device_flow`, so that the same run drives both.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qs, urlsplit

from cuaws_magic.errors import (
    AuthorizationCodeRefused,
    AuthorizationDenied,
    AuthorizationExpired,
    AuthorizationRefused,
    RegistrationRefused,
)
from cuaws_magic.humanize import printable
from cuaws_magic.model import Secret
from cuaws_magic.sso.device_flow import AwaitRedirect, Wait

if TYPE_CHECKING:
    from collections.abc import Generator

    from cuaws_magic.model import ClientRegistration, CodeRequest, Now, SsoToken
    from cuaws_magic.sso.device_flow import Step

_LOOK = 0.2  # seconds between two looks at what has come back
_AGAIN = "Type `%cuaws login --pkce` to start again."


class Callback(Protocol):
    """Where the browser goes at the end."""

    @property
    def redirect_uri(self) -> str:
        """Its address, with the port."""

    @property
    def pasted(self) -> bool:
        """Whether nothing listens there, and a person brings the address back."""

    def answer(self) -> Secret | None:
        """Return the address that the browser went to, or nothing as yet; asks a person for it where it is pasted."""

    def close(self, outcome: str | None) -> None:
        """Be done; `outcome`: why it came to nothing, `None` where the sign-in stands. A second time does nothing."""


class CodeGateway(Protocol):
    """Where the flow asks; in production the identity center, bound to one sign-in."""

    def registration(self, *, refused: bool) -> ClientRegistration:
        """Return a client registration for this grant; a new one if the last was refused."""

    def request(self, registration: ClientRegistration, redirect_uri: str) -> CodeRequest:
        """Make the page on which a person approves, with a state and a verifier of its own."""

    def redeem(self, registration: ClientRegistration, request: CodeRequest, code: Secret) -> SsoToken:
        """Exchange the code."""


def authorization_code_flow(gateway: CodeGateway, callback: Callback, now: Now) -> Generator[Step, None, SsoToken]:
    """
    Obtain an SSO token.

    One answer is taken.

    Args:
        gateway: Where to ask.

        callback: Where the browser goes at the end; closed with the flow.

        now: The current time, aware, UTC.

    Yields:
        What to do next.

    Returns:
        The SSO token, once a person approved.

    Raises:
        AuthorizationDenied: The person pressed *Deny*.

        AuthorizationExpired: Nobody approved in time.

        AuthorizationRefused: What came back is not the answer to this sign-in, or not an approval.

        ServiceError: The service could not be asked, or refused the code.
    """
    outcome: str | None = "The sign-in was stopped."
    try:
        sso_token = yield from _until_redeemed(gateway, callback, now)
        outcome = None
    except Exception as error:
        outcome = str(error)
        raise
    else:
        return sso_token
    finally:
        callback.close(outcome)


def _until_redeemed(gateway: CodeGateway, callback: Callback, now: Now) -> Generator[Step, None, SsoToken]:
    registration = gateway.registration(refused=False)
    request = gateway.request(registration, callback.redirect_uri)
    yield AwaitRedirect(request, pasted=callback.pasted)
    code = yield from _code(callback, request, now)
    try:
        return gateway.redeem(registration, request, code)
    except AuthorizationCodeRefused:
        why = "it was used before, or is old"
    except RegistrationRefused:
        gateway.registration(refused=True)  # for the next time
        why = "it does not know this program any more, which has registered again"
    raise AuthorizationRefused(f"AWS did not take the answer of the sign-in page: {why}. {_AGAIN}")


def _code(callback: Callback, request: CodeRequest, now: Now) -> Generator[Step, None, Secret]:
    while now() < request.expires_at:
        answer = callback.answer()
        if answer is not None:
            return code_in(answer, request)
        yield Wait(_LOOK)
    raise AuthorizationExpired(f"Nobody approved on the sign-in page in time. {_AGAIN}")


def code_in(answer: Secret, request: CodeRequest) -> Secret:
    """
    Take the authorization code out of the address that a browser was sent to (RFC 6749 §4.1.2).

    Args:
        answer: The address, as the browser shows it.

        request: What was asked for.

    Raises:
        AuthorizationDenied: It says that the person pressed *Deny*.

        AuthorizationRefused: It is not the answer to this request, or no approval.
    """
    text = "".join(answer.reveal().split())
    text = text if "://" in text.partition("?")[0] else f"http://{text}"  # as some browsers show it
    address, _, query = text.partition("?")
    try:
        said = {name: values[0] for name, values in parse_qs(query.partition("#")[0], max_num_fields=20).items()}
        there = urlsplit(request.redirect_uri)[:3] == urlsplit(address)[:3]
    except ValueError:
        said, there = {}, False
    if not there or not ("code" in said or "error" in said):
        raise AuthorizationRefused(
            "That is not the address of the page on which this sign-in ended: it begins with "
            f"{request.redirect_uri}?code=. {_AGAIN}"
        )
    # All of it, in a time that does not tell how much of it was right.
    if not hmac.compare_digest(said.get("state", "").encode(), request.state.reveal().encode()):
        raise AuthorizationRefused(f"That is the answer to another sign-in, perhaps an earlier one. {_AGAIN}")
    if said.get("error") == "access_denied":
        raise AuthorizationDenied(f"The request was denied on the sign-in page. {_AGAIN}")
    if "code" not in said:
        raise AuthorizationRefused(f"The sign-in page ended in an error: {printable(said['error'])}. {_AGAIN}")
    return Secret(said["code"])
