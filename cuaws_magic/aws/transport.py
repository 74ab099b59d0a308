"""
How the services are asked: at which rate, and when again.

What failed for a passing reason is asked again with full jitter (AWS Architecture Blog,
"Exponential Backoff And Jitter").
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any, TypeVar

from cuaws_magic.aws.clients import quiet
from cuaws_magic.aws.request_rate import RequestRate
from cuaws_magic.background import ForkSafeLock
from cuaws_magic.errors import PassingTrouble, ServiceFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cuaws_magic.aws.clients import BotoClients
    from cuaws_magic.aws.hosts import SsoRegion
    from cuaws_magic.model import Credentials, Now, Secret

Answer = TypeVar("Answer")
Result = TypeVar("Result")

FIRST_PAUSE = 0.25  # seconds; doubles with each attempt
LONGEST_PAUSE = 8.0  # seconds
LONGEST_THROTTLED = 1.0  # seconds; the rate is what helps there
_FULL_JITTER = random.SystemRandom().random


class RateLimiter:
    """
    One rate for all requests of this kernel to the portal, whichever thread makes them.

    Args:
        clock: Monotonic seconds.

        sleep: Waits that many seconds; an interrupt must end it.

        jitter: A number from 0 to 1. Not drawn from Python's common generator: what a person
            seeded it for would change with the network.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = _FULL_JITTER,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._lock = ForkSafeLock()
        self._rate = RequestRate()

    @property
    def rate(self) -> float:
        """Requests a second at the moment."""
        return self._rate.rate

    def ask(self, question: Callable[[], Result], attempts: int, *, paced: bool = True) -> Result:
        """
        Ask until it is answered or the attempts are used up.

        Args:
            question: One request; raises `PassingTrouble` for what may be gone next time.

            attempts: How often to ask at the most.

            paced: At the common rate; otherwise at once.

        Raises:
            ServiceError: The last trouble's final error.
        """
        for attempt in range(1, attempts + 1):
            sent = self._wait_for_slot() if paced else 0.0
            try:
                answer = question()
            except PassingTrouble as trouble:
                if trouble.throttled and paced:
                    with self._lock:
                        self._rate.refused(sent, self._clock())
                if attempt == attempts:
                    raise trouble.final from None
                longest = LONGEST_THROTTLED if trouble.throttled else LONGEST_PAUSE
                pause = self._jitter() * min(longest, FIRST_PAUSE * 2 ** (attempt - 1))
                self._sleep(max(pause, trouble.retry_after or 0.0))
            else:
                if paced:
                    with self._lock:
                        self._rate.answered(self._clock())
                return answer
        message = "attempts must be 1 or more"
        raise ValueError(message)

    def _wait_for_slot(self) -> float:
        """Wait for the next slot; returns when it was."""
        with self._lock:
            now = self._clock()
            slot = self._rate.slot(now)
        if slot > now:
            self._sleep(slot - now)
        return slot


ATTEMPTS = 4
LISTING_ATTEMPTS = 10
PAGE = 100  # accounts or roles; the most that the portal gives


class Transport:
    """
    Asks them.

    Args:
        clients: Botocore's.

        pace: How fast, for the access portal.

        now: The current time, aware, UTC.
    """

    def __init__(self, clients: BotoClients, pace: RateLimiter, now: Now) -> None:
        self._clients = clients
        self._pace = pace
        self._now = now

    def after_fork(self) -> None:
        """Start anew in a forked process, with connections of its own."""
        self._clients.after_fork()

    def sign_in_endpoint(self, region: SsoRegion) -> str:
        """Return the address of `sso-oidc`: AWS's, or where the SDK's settings point."""
        with quiet():
            return str(self._oidc_client(region).meta.endpoint_url)

    def page(self, method: str, address: str) -> tuple[int, str | None]:
        """
        Ask for a page of an organisation; returns its status and `Location`, and follows no redirect.

        Raises:
            ServiceError: It does not answer.
        """
        # In messages the address stands where AWS's operations have their names.
        return self._ask(address, lambda: self._clients.page(method, address), lambda answer: answer, ATTEMPTS)

    def _oidc_client(self, region: SsoRegion) -> Any:
        return self._clients.unsigned("sso-oidc", region.name, dual_stack=region.dual_stack)

    def oidc(
        self,
        operation: str,
        region: SsoRegion,
        call: Callable[[Any], Mapping[str, Any]],
        value: Callable[[Mapping[str, Any]], Result],
        attempts: int = ATTEMPTS,
    ) -> Result:
        """
        Ask the sign-in service.

        Args:
            operation: The AWS operation, as `service_errors.translate` names it.

            region: Which one.

            call: Makes the request with a client.

            value: Makes a value of ours of the answer.

            attempts: How often at the most, while the trouble may pass.

        Raises:
            ServiceError: It gave no answer that can be used.

            Signal: It answered with a turn of its protocol.
        """
        return self._ask(operation, lambda: call(self._oidc_client(region)), value, attempts)

    def portal(
        self,
        operation: str,
        region: SsoRegion,
        call: Callable[[Any], Mapping[str, Any]],
        value: Callable[[Mapping[str, Any]], Result],
        attempts: int = ATTEMPTS,
        *,
        paced: bool = True,
    ) -> Result:
        """Ask the access portal, as `oidc`, at the common rate or at once."""

        def asked() -> Mapping[str, Any]:
            return call(self._clients.portal(region.name, dual_stack=region.dual_stack))

        return self._ask(operation, asked, value, attempts, paced=paced)

    def sts(
        self,
        operation: str,
        credentials: Credentials | None,
        region: str,
        call: Callable[[Any], Mapping[str, Any]],
        value: Callable[[Mapping[str, Any]], Result],
        profile: str | None = None,
    ) -> Result:
        """Ask STS, as `oidc`; as these credentials, or as whatever this kernel's own chain finds."""
        return self._ask(operation, lambda: call(self._clients.sts(credentials, region, profile)), value, ATTEMPTS)

    def pages(
        self,
        operation: str,
        method: str,
        bearer: Secret,
        parameters: dict[str, Any],
        region: SsoRegion,
        items: Callable[[Mapping[str, Any]], list[Result]],
    ) -> Iterator[Result]:
        """
        Yield the items of all pages of a listing of the access portal.

        Args:
            operation: The AWS operation.

            method: The client's name for it.

            bearer: The SSO token's access token.

            parameters: Of the operation.

            region: Which portal.

            items: Takes the items out of a page.

        Raises:
            ServiceError: A page gave no answer that can be used, or leads back to an earlier one.
        """
        position: dict[str, str] = {}
        seen: set[str] = set()
        while True:

            def call(client: Any, position: dict[str, str] = position) -> Mapping[str, Any]:
                answer: Mapping[str, Any] = getattr(client, method)(
                    accessToken=bearer.reveal(), maxResults=PAGE, **parameters, **position
                )
                return answer

            found, following = self.portal(
                operation, region, call, lambda answer: (items(answer), answer.get("nextToken")), LISTING_ATTEMPTS
            )
            yield from found
            if not following:  # the last page may say null
                return
            if str(following) in seen:
                raise ServiceFailure(
                    f"The AWS access portal keeps sending the same page ({operation}). "
                    "Wait a minute, then run the cell again."
                )
            seen.add(str(following))
            position = {"nextToken": str(following)}

    def _ask(
        self,
        operation: str,
        call: Callable[[], Answer],
        value: Callable[[Answer], Result],
        attempts: int,
        *,
        paced: bool = False,
    ) -> Result:
        def question() -> Result:
            try:
                with quiet():
                    return value(call())
            except Exception as error:  # noqa: BLE001 - a door: everything foreign is translated or answered here
                from cuaws_magic.aws.service_errors import translate  # deferred: 10 ms that nothing wrong does not need

                translated = translate(error, operation, self._now())
            # Out of the handler, and without what a bug's traceback went through: requests with their secrets.
            translated.__cause__ = translated.__context__ = None
            raise translated.with_traceback(None)

        return self._pace.ask(question, attempts, paced=paced)
