"""
The device authorization grant (RFC 8628), without sleep, display or socket.

A generator yields what to do next and never does it itself, so a cell, a widget, a
thread and a test can drive the same protocol.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Union

from cuaws_magic.errors import (
    AuthorizationExpired,
    AuthorizationPending,
    DeviceCodeExpired,
    RegistrationRefused,
    RequestRefused,
    ServiceError,
    ServiceFailure,
    SlowDown,
    Throttled,
    Unreachable,
)

if TYPE_CHECKING:
    from collections.abc import Generator

    from cuaws_magic.model import ClientRegistration, CodeRequest, DeviceAuthorization, Now, SsoToken

SLOW_DOWN_SECONDS = 5  # RFC 8628 §3.5
CODES = 4  # the first, and three in its place; then we believe that nobody is there
LONGEST_INTERVAL = 30  # seconds between two polls while the service cannot be reached


class Gateway(Protocol):
    """Where the flow asks; in production the identity center, bound to one sign-in."""

    def registration(self, *, refused: bool) -> ClientRegistration:
        """Return a client registration; a new one if the last was refused."""

    def start(self, registration: ClientRegistration) -> DeviceAuthorization:
        """Ask for a code, and check that its page may be shown."""

    def poll(self, registration: ClientRegistration, authorization: DeviceAuthorization) -> SsoToken:
        """Ask once whether the code was approved."""


@dataclass(frozen=True, slots=True)
class AwaitApproval:
    """
    Show this code to the person, in place of the one before.

    Attributes:
        authorization: The code and its page.

        attempt: 1 for the first code; more when earlier ones ran out.
    """

    authorization: DeviceAuthorization
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class AwaitRedirect:
    """
    Show this page to the person (`authorization_code`).

    Attributes:
        request: The page.

        pasted: The person brings back the address on which it ends; otherwise something listens there.
    """

    request: CodeRequest
    pasted: bool


@dataclass(frozen=True, slots=True)
class Wait:
    """
    Wait before the next step.

    Attributes:
        seconds: How long.

        trouble: Why the last poll had no answer, if it had none; a sentence.
    """

    seconds: float
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Keep:
    """The sign-in was approved and is about to be kept; whoever does not want it any more stops here."""


Step = Union[AwaitApproval, AwaitRedirect, Wait, Keep]


def device_flow(gateway: Gateway, now: Now) -> Generator[Step, None, SsoToken]:
    """
    Obtain an SSO token.

    Polls once before a code is shown, as the AWS CLI does, then at the interval of
    the service. A code that runs out is replaced by a new one; a registration that
    is refused, by a new one, once.

    Args:
        gateway: Where to ask.

        now: The current time, aware, UTC.

    Yields:
        What to do next.

    Returns:
        The SSO token, once a person approved.

    Raises:
        AuthorizationExpired: Nobody approved any of the codes in time.

        AuthorizationDenied: The person pressed *Deny*.

        ServiceError: The service could not be asked for a code, or refused a poll.
    """
    registration = gateway.registration(refused=False)
    registered_again = False
    attempt = 1
    while attempt <= CODES:
        try:
            authorization = gateway.start(registration)
            sso_token = yield from _poll(gateway, registration, authorization, now, attempt)
        except RegistrationRefused:
            if registered_again:
                raise ServiceFailure(
                    "AWS refuses the registration of this program, a new one too. "
                    "Check the region of the start URL, then type `%cuaws login`."
                ) from None
            registered_again = True
            registration = gateway.registration(refused=True)
            continue
        if sso_token is not None:
            return sso_token
        attempt += 1
    raise AuthorizationExpired(
        f"The sign-in was not approved: {CODES} codes expired. Type `%cuaws login` when you are ready."
    )


def _poll(
    gateway: Gateway,
    registration: ClientRegistration,
    authorization: DeviceAuthorization,
    now: Now,
    attempt: int,
) -> Generator[Step, None, SsoToken | None]:
    """Poll for one code until it is approved (the SSO token) or over (nothing)."""
    interval = authorization.interval
    pause = interval
    shown = False
    trouble = None
    while now() < authorization.expires_at:
        try:
            return gateway.poll(registration, authorization)
        except AuthorizationPending:
            pause, trouble = interval, None
        except SlowDown:
            interval += SLOW_DOWN_SECONDS
            pause, trouble = interval, None
        except DeviceCodeExpired:
            return None
        except RequestRefused:
            raise
        except (Unreachable, Throttled, ServiceFailure) as error:
            # RFC 8628 §3.5: back off when the service does not answer; the code is still good.
            pause, trouble = max(interval, min(LONGEST_INTERVAL, pause * 2)), _first_sentence(error)
        if not shown:
            yield AwaitApproval(authorization, attempt)
            shown = True
        yield Wait(pause, trouble)
    return None


def _first_sentence(error: ServiceError) -> str:
    return str(error).split(". ", 1)[0] + "."
