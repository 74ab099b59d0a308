"""
`%cuaws use … --wait-for-sign-in`: a running cell waits for the next sign-in instead of failing.

When a sign-in has ended and a client needs new credentials, the code is shown again and the request waits: for an
approval here, or for a sign-in by another notebook or the AWS CLI. Ctrl-C ends the wait, and so does the time given.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from cuaws_magic.background import ForkSafeLock
from cuaws_magic.errors import AuthorizationDenied, Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable

    from cuaws_magic.commands.approval import Approval, Approvals
    from cuaws_magic.model import SsoSession
    from cuaws_magic.settings import Settings
    from cuaws_magic.sso.login import Login
    from cuaws_magic.views.render import Display

LONGEST = 8 * 60.0  # minutes, where nobody said how long: a working day
_AGAIN = 30.0  # seconds between two attempts that came to nothing
_LOOK = 1.0  # seconds between two looks whether somebody signed in


class SignInWait:
    """
    What a client does whose sign-in has ended.

    Args:
        login: Knows whether somebody is signed in.

        approvals: Shows a code.

        settings: Says for how many minutes to wait.

        seconds: A clock that only goes forward.
    """

    def __init__(
        self,
        login: Login,
        approvals: Approvals,
        settings: Callable[[], Settings],
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._login = login
        self._approvals = approvals
        self._settings = settings
        self._seconds = seconds
        self._one_card = ForkSafeLock()
        self._stopped = threading.Event()
        self._waiting = 0
        self._wanted = False
        self._display: Display | None = None

    def begin(self, display: Display, *, wanted: bool) -> None:
        """
        Say whether to wait from now on.

        Args:
            display: Where the code goes.

            wanted: Whether a person asked for it with the account that comes into use.
        """
        self._display = display
        self._wanted = wanted or bool(self._settings().wait_for_sign_in)

    def stop(self) -> None:
        """End every wait that is under way: the cell was interrupted, or somebody said no."""
        if self._waiting:
            ended, self._stopped = self._stopped, threading.Event()
            ended.set()
            self._approvals.cancel()

    def __call__(self, sso_session: SsoSession) -> bool:
        """Wait until somebody is signed in; returns whether somebody is, at once where nobody asked to wait."""
        if not self._wanted or self._display is None:
            return False
        minutes = self._settings().wait_for_sign_in or LONGEST
        deadline, stopped = self._seconds() + 60 * minutes, self._stopped
        with self._one_card:  # in a pool, one thread shows the code
            self._waiting += 1
            try:
                return self._until_signed_in(sso_session, self._display, deadline, stopped)
            except KeyboardInterrupt:
                self.stop()
                raise
            finally:
                self._waiting -= 1

    def _until_signed_in(
        self, sso_session: SsoSession, display: Display, deadline: float, stopped: threading.Event
    ) -> bool:
        approval: Approval | None = None
        again_at = self._seconds()
        while self._login.peek(sso_session)[0] is None:
            now = self._seconds()
            if approval is not None and isinstance(approval.error, (AuthorizationDenied, Cancelled)):
                self.stop()
            if stopped.is_set() or now >= deadline:
                self._approvals.cancel()
                return False
            if now >= again_at and not self._approvals.waiting:
                approval = self._approvals.begin(sso_session, display)
                again_at = now + _AGAIN  # a service that does not answer is not asked each second
            stopped.wait(_LOOK)
        return True
