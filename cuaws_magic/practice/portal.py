"""The practice portal itself: two servers, one state, and the buttons of a person in between."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from cuaws_magic.practice import access_portal, aws_side, oidc, people
from cuaws_magic.practice.browser import Browser
from cuaws_magic.practice.faults import Faults
from cuaws_magic.practice.journal import Call, Journal
from cuaws_magic.practice.knobs import Failure, Knobs
from cuaws_magic.practice.moto_world import MotoWorld
from cuaws_magic.practice.server import LoopbackServer, Reply, Request
from cuaws_magic.practice.state import Decision, State

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_Part = TypeVar("_Part")

_LARGEST_FORM = 64 * 1024  # bytes; what OIDC and the pages read is small
_LARGEST_OBJECT = 256 * 1024 * 1024  # bytes; held in memory, so not as large as S3 itself allows
_PORTAL_ERRORS = {
    "401": "UnauthorizedException",
    "403": "ForbiddenException",
    "429": "TooManyRequestsException",
    "500": "InternalServerException",
    "503": "ServiceUnavailableException",
}
_OIDC_ERRORS = {"401": "invalid_client", "403": "access_denied", "429": "slow_down"}


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


class PracticePortal:
    """
    A pretend IAM Identity Center with a pretend AWS behind it, on 127.0.0.1.

    Clients reach it through `environment`, the SDK's own settings. It is a context manager::

        with PracticePortal(knobs=Knobs(approve_after=1)) as portal:
            os.environ.update(portal.environment)

    Whatever depends on time (pace of polls, lifetimes, limit on requests, signatures) goes by `now` and
    `Knobs.clock_offset`; only `Knobs.latency` and `Failure.delay` really wait.

    Args:
        knobs: How it behaves; a new value may be assigned at any time.

        port: For OIDC, the access portal and the pages; 0 takes a free one.

        aws_port: For STS, S3 and the rest; 0 takes a free one.

        now: The current time, aware, UTC.
    """

    def __init__(
        self,
        knobs: Knobs | None = None,
        port: int = 0,
        aws_port: int = 0,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        """Prepare; nothing listens before `start`."""
        self._lock = threading.RLock()
        self._knobs = knobs or Knobs()
        self._faults = Faults(self._knobs)
        self._ports = (port, aws_port)
        self._now = now
        self._journal = Journal()
        self._stopping = threading.Event()
        self._running = False
        self._state = State(self._clock)
        self._world: MotoWorld | None = None
        self._front: LoopbackServer | None = None
        self._back: LoopbackServer | None = None

    def __enter__(self) -> PracticePortal:  # noqa: PYI034 - Self is not in Python 3.10
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def start(self) -> None:
        """Begin to listen, with nobody signed in and an empty AWS."""
        with self._lock:
            if self._running:
                return
            self._stopping.clear()
            front = LoopbackServer(self._ports[0], self._answer_front, self._clock, _LARGEST_FORM)
            try:
                back = LoopbackServer(self._ports[1], self._answer_back, self._clock, _LARGEST_OBJECT)
            except BaseException:
                front.server_close()
                raise
            try:
                self._world = MotoWorld(self._clock)
            except BaseException:
                front.server_close()
                back.server_close()
                raise
            self._state = State(self._clock)
            self._faults = Faults(self._knobs)
            self._journal.clear()
            self._front, self._back = front, back
            self._browser = Browser(self._state, self.environment)
            self._running = True
            front.start()
            back.start()

    def stop(self) -> None:
        """End all threads and sockets; a second time does nothing."""
        with self._lock:
            if not self._running or self._front is None or self._back is None or self._world is None:
                return
            self._running = False
        self._stopping.set()
        self._front.stop()
        self._back.stop()
        self._world.close()

    @property
    def url(self) -> str:
        """Where OIDC, the access portal and the pages are."""
        return _started(self._front).url

    @property
    def aws_url(self) -> str:
        """Where STS, S3 and the rest of the pretend AWS are."""
        return _started(self._back).url

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead every AWS SDK here."""
        return {
            "AWS_ENDPOINT_URL_SSO_OIDC": self.url,
            "AWS_ENDPOINT_URL_SSO": self.url,
            "AWS_ENDPOINT_URL_STS": self.aws_url,
            "AWS_ENDPOINT_URL": self.aws_url,
        }

    @property
    def start_url(self) -> str:
        """The start URL to sign in with: CU's own, though any other is answered too."""
        return people.START_URL

    @property
    def knobs(self) -> Knobs:
        """How the portal behaves now."""
        with self._lock:
            return self._knobs

    @knobs.setter
    def knobs(self, knobs: Knobs) -> None:
        with self._lock:
            self._knobs, self._faults = knobs, Faults(knobs)

    @property
    def calls(self) -> list[Call]:
        """The answered calls since the start, oldest first."""
        return self._journal.read()

    def count(self, operation: str) -> int:
        """Count the calls of an operation, such as `"CreateToken"` or `"s3"`."""
        return sum(call.operation == operation for call in self.calls)

    def clear_calls(self) -> None:
        """Forget the calls so far."""
        self._journal.clear()

    def pending_user_codes(self) -> list[str]:
        """List the user codes that wait for approval, oldest first."""
        return [authorization.user_code for authorization in self._state.waiting()]

    def approve(self, user_code: str) -> None:
        """Press *Allow access*."""
        self._decide(user_code, Decision.APPROVED)

    def deny(self, user_code: str) -> None:
        """Press *Deny access*."""
        self._decide(user_code, Decision.DENIED)

    def revoke_sign_ins(self) -> None:
        """End all sign-ins, as an administrator can; role credentials already given go on working."""
        self._state.revoke_sign_ins()

    def remove_role(self, account_id: str, role_name: str) -> None:
        """Take a permission set away from the user; role credentials already given go on working."""
        self._state.remove_role(account_id, role_name)

    def _decide(self, user_code: str, decision: Decision) -> None:
        if not self._state.decide(user_code, decision):
            message = f"No request waits with the code {user_code!r}; see pending_user_codes()."
            raise LookupError(message)

    def _clock(self) -> datetime:
        return self._now() + timedelta(seconds=self.knobs.clock_offset)

    def _answer_front(self, request: Request) -> Reply:
        key = (request.method, request.path)
        knobs, faults = self._settings()
        if key in oidc.OPERATIONS:
            name = oidc.OPERATIONS[key]
            detail = oidc.grant_name(request) if name == "CreateToken" else ""
            if name == "StartDeviceAuthorization" and knobs.organisations > 1:
                detail = oidc.start_url_of(request)
            return self._perform(name, lambda: oidc.answer(request, self._state, knobs, self.url), _fail_oidc, detail)
        if key in access_portal.OPERATIONS:
            world = _started(self._world)
            return self._perform(
                access_portal.OPERATIONS[key],
                lambda: access_portal.answer(request, self._state, knobs, faults, world),
                lambda kind: access_portal.error(
                    _PORTAL_ERRORS[kind], retry_after=knobs.retry_after if kind == "429" else None
                ),
                start_url=access_portal.sign_in_of(request, self._state) if knobs.organisations > 1 else None,
            )
        return self._browser.answer(request, knobs)

    def _answer_back(self, request: Request) -> Reply:
        world = _started(self._world)
        return self._perform(
            aws_side.operation_of(request),
            lambda: aws_side.answer(request, world, self._clock),
            lambda kind: aws_side.fail(kind, request),
        )

    def _perform(
        self,
        operation: str,
        work: Callable[[], Reply],
        fail: Callable[[str], Reply],
        detail: str = "",
        start_url: str | None = None,
    ) -> Reply:
        knobs, faults = self._settings()
        failure = faults.next_failure(operation, start_url)
        self._stopping.wait(knobs.latency + (failure.delay if failure else 0.0))
        reply = work() if failure is None or failure.kind == "slow" else _failed(failure, fail)
        error = reply.error or (f"HTTP {int(reply.status)}" if reply.status >= HTTPStatus.BAD_REQUEST else None)
        self._journal.write(Call(operation, self._now(), int(reply.status), error, detail or start_url or ""))
        return reply

    def _settings(self) -> tuple[Knobs, Faults]:
        with self._lock:
            return self._knobs, self._faults


def _failed(failure: Failure, fail: Callable[[str], Reply]) -> Reply:
    if failure.kind == "reset":
        return Reply(0, reset=True, error="reset")
    if failure.kind == "malformed":
        return Reply(HTTPStatus.OK, b'{"accessToken": ', (("Content-Type", "application/json"),))
    if failure.kind == "empty":
        return Reply(HTTPStatus.OK)
    return fail(failure.kind)


def _fail_oidc(kind: str) -> Reply:
    reply = oidc.error(_OIDC_ERRORS.get(kind, "internal_server_error"))
    return Reply(int(kind), reply.body, reply.headers, error=reply.error)


def _started(part: _Part | None) -> _Part:
    if part is None:
        message = "The practice portal has not been started: call start(), or use it in a with statement."
        raise RuntimeError(message)
    return part
