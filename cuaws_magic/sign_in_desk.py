"""Where a kernel's sign-ins are taken: one at a time, in the cell or behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from cuaws_magic.approval import Approval
from cuaws_magic.changes import Changes
from cuaws_magic.errors import NotSignedIn
from cuaws_magic.model import utc_now
from cuaws_magic.results import SignedIn, SigningIn

if TYPE_CHECKING:
    from collections.abc import Callable

    from cuaws_magic.approval import Show
    from cuaws_magic.login import Login
    from cuaws_magic.model import Now, SsoSession
    from cuaws_magic.results import AwaitingApproval

Result = TypeVar("Result")


class SignInDesk:
    """
    Has a person approve, and knows whether somebody is about to.

    Args:
        login: Where an approved sign-in is kept.

        now: The current time, aware, UTC.

        changes: Told when a sign-in begins, shows another code, or ends.
    """

    def __init__(self, login: Login, now: Now = utc_now, changes: Changes | None = None) -> None:
        self._login = login
        self._now = now
        self._changes = changes or Changes()
        self._pending: Approval | None = None

    @property
    def card(self) -> AwaitingApproval | None:
        """The code that waits for a person, whoever asked for it; `None` if none does."""
        return self._pending.card if self._pending is not None else None

    @property
    def error(self) -> BaseException | None:
        """Why the last sign-in came to nothing; `None` if it did not, or was not asked for."""
        return self._pending.error if self._pending is not None else None

    @property
    def waiting(self) -> bool:
        """Whether a sign-in goes on in the background."""
        return self._pending is not None and self._pending.alive

    def approve(
        self,
        sso_session: SsoSession,
        show: Show,
        *,
        force: bool = False,
        wait: bool = True,
        timeout: float | None = None,
    ) -> SignedIn | SigningIn:
        """
        Have a person approve a sign-in, or wait for the one that goes on already.

        Args:
            sso_session: Which sign-in.

            show: Where the card goes.

            force: A new one, whatever stands or goes on.

            wait: Until it is approved; otherwise in the background.

            timeout: Seconds after which to give up.

        Raises:
            CuawsError: It came to nothing.

            Cancelled: Ctrl-C or the stop button.
        """
        pending = self._pending
        if pending is not None and pending.alive and pending.sso_session == sso_session and not force:
            if not wait:
                return SigningIn(sso_session)
            pending.join()
            sign_in = self._login.required(sso_session)
            return SignedIn(sso_session, sign_in.ends_at, already=True, notes=sign_in.notes, at=self._now())
        self.cancel()
        steps = self._login.approval(sso_session, force=force)
        approval = Approval(
            sso_session, steps, show, timeout, self._now, self._changes,
            standing=lambda: self._login.peek(sso_session)[0],
        )  # fmt: skip
        self._pending = approval
        if wait:
            return approval.run()
        approval.start()
        return SigningIn(sso_session)

    def answered(self, question: Callable[[], Result], show: Show) -> Result:
        """Answer a question; when it needs a sign-in, have one approved and ask again."""
        try:
            return question()
        except NotSignedIn as error:
            self.approve(error.sso_session, show)
        return question()

    def cancel(self) -> None:
        """End the one in the background, if there is one."""
        if self._pending is not None:
            self._pending.cancel()
            self._pending = None
