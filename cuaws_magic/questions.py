"""
How the services are asked: at one pace, again after a passing trouble, and unseen by logs.

What comes back is a value of ours or an error of ours (`service_errors`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from cuaws_magic.errors import ServiceFailure
from cuaws_magic.service_errors import translate
from cuaws_magic.unlogged import unlogged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cuaws_magic.boto_clients import BotoClients
    from cuaws_magic.model import Keys, Now, Secret
    from cuaws_magic.pacing import Pace

Result = TypeVar("Result")

ATTEMPTS = 4
LISTING_ATTEMPTS = 10
PAGE = 100  # accounts or roles; the most that the portal gives


class Questions:
    """
    Asks them.

    Args:
        clients: Botocore's.

        pace: How fast, for the access portal.

        now: The current time, aware, UTC.
    """

    def __init__(self, clients: BotoClients, pace: Pace, now: Now) -> None:
        self._clients = clients
        self._pace = pace
        self._now = now

    def after_fork(self) -> None:
        """Start anew in a forked process, with connections of its own."""
        self._clients.after_fork()
        self._pace.after_fork()

    def sign_in_endpoint(self, region: str) -> str:
        """Return the address of `sso-oidc`: AWS's, or where the SDK's settings point."""
        with unlogged():
            return str(self._clients.unsigned("sso-oidc", region).meta.endpoint_url)

    def oidc(
        self,
        operation: str,
        region: str,
        call: Callable[[Any], Mapping[str, Any]],
        value: Callable[[Mapping[str, Any]], Result],
        attempts: int = ATTEMPTS,
    ) -> Result:
        """
        Ask the sign-in service.

        Args:
            operation: The AWS operation; `RefreshToken` for CreateToken with a refresh token.

            region: Which one.

            call: Makes the request with a client.

            value: Makes a value of ours of the answer.

            attempts: How often at the most, while the trouble may pass.

        Raises:
            ServiceError: It gave no answer that can be used.

            Signal: It answered with a turn of its protocol.
        """
        return self._ask(operation, lambda: call(self._clients.unsigned("sso-oidc", region)), value, attempts)

    def portal(
        self,
        operation: str,
        region: str,
        call: Callable[[Any], Mapping[str, Any]],
        value: Callable[[Mapping[str, Any]], Result],
        attempts: int = ATTEMPTS,
    ) -> Result:
        """Ask the access portal, as `oidc`, at the common pace."""
        return self._ask(operation, lambda: call(self._clients.unsigned("sso", region)), value, attempts, paced=True)

    def sts(
        self,
        operation: str,
        credentials: Keys | None,
        region: str,
        call: Callable[[Any], Mapping[str, Any]],
        value: Callable[[Mapping[str, Any]], Result],
    ) -> Result:
        """Ask STS, as `oidc`; as these credentials, or as whatever this kernel's own chain finds."""
        return self._ask(operation, lambda: call(self._clients.sts(credentials, region)), value, ATTEMPTS)

    def pages(
        self,
        operation: str,
        method: str,
        bearer: Secret,
        parameters: dict[str, Any],
        region: str,
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
                    f"The AWS access portal sends the same page again and again ({operation}). "
                    "Wait a minute, then run the cell again."
                )
            seen.add(str(following))
            position = {"nextToken": str(following)}

    def _ask(
        self,
        operation: str,
        call: Callable[[], Mapping[str, Any]],
        value: Callable[[Mapping[str, Any]], Result],
        attempts: int,
        *,
        paced: bool = False,
    ) -> Result:
        def question() -> Result:
            try:
                with unlogged():
                    return value(call())
            except Exception as error:  # noqa: BLE001 - a door: everything foreign is translated or answered here
                translated = translate(error, operation, self._now())
            # Out of the handler, and without what a bug's traceback went through: requests with their secrets.
            translated.__cause__ = translated.__context__ = None
            raise translated.with_traceback(None)

        return self._pace.ask(question, attempts, paced=paced)
