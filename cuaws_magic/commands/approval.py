"""
One sign-in under way: drives the steps of `login`, shows the card, waits.

The same run serves a cell that blocks until a person approved, and a thread that
lets the cell go on. Ctrl-C, the stop button and `cancel` end it within a moment.
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
import time
from typing import TYPE_CHECKING, TypeVar

from cuaws_magic import humanize
from cuaws_magic.background import Observers, hold_interrupts
from cuaws_magic.commands.callback import AS_SET
from cuaws_magic.commands.unattended import patience
from cuaws_magic.errors import Cancelled, ConfigurationError, CuawsError, NotSignedIn, SignInTimeout
from cuaws_magic.model import utc_now
from cuaws_magic.settings import Settings
from cuaws_magic.sso.device_flow import AwaitApproval, AwaitRedirect, Keep
from cuaws_magic.views.render import Blank, Hint
from cuaws_magic.views.sign_in import AwaitingApproval, SignedIn, SignInEnded, SigningIn
from cuaws_magic.views.sign_in_page import AwaitingRedirect

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from cuaws_magic.commands.callback import Wanted
    from cuaws_magic.model import Now, SsoSession
    from cuaws_magic.sso.authorization_code import Callback
    from cuaws_magic.sso.device_flow import Step
    from cuaws_magic.sso.login import Login, SignIn
    from cuaws_magic.views.render import Display, DisplayHandle, View

_CANCELLED = "Sign-in cancelled"
_LOOK_UP = 0.2  # seconds between two looks at a thread that we wait for; Ctrl-C is noticed in between


class Approval:
    """
    A run of sign-in steps.

    Args:
        sso_session: Which sign-in.

        steps: What to do next; returns the sign-in.

        show: Where the card goes.

        timeout: Seconds after which to give up; `None` for as long as codes last.

        now: The current time, aware, UTC.

        changes: Told when the code changed, and at the end.

        sleep: Waits on an event for some seconds; `True` if it was set.

        standing: Says which sign-in holds all the same, if one does.

    Attributes:
        qr: Show the link as a QR code, too.

        card: The code that waits for a person now, for others who want to show it.

        error: Why it came to nothing, once it did.
    """

    def __init__(
        self,
        sso_session: SsoSession,
        steps: Generator[Step, None, SignIn],
        show: Display,
        timeout: float | None = None,
        now: Now = utc_now,
        changes: Observers | None = None,
        sleep: Callable[[threading.Event, float], bool] = threading.Event.wait,
        standing: Callable[[], SignIn | None] = lambda: None,
    ) -> None:
        self.sso_session = sso_session
        self._steps = steps
        self._show = show
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._timeout = timeout
        self._now = now
        self._sleep = sleep
        self._standing = standing
        self.qr = False
        self._changes = changes or Observers()
        self._cancelled = threading.Event()
        self._shown: DisplayHandle | None = None
        self.card: AwaitingApproval | None = None
        self.error: BaseException | None = None
        self._started = self._behind = False
        self._done = threading.Event()
        self._explaining = threading.Lock()
        self._explanations: list[DisplayHandle] = []
        self._closed = False

    def run(self) -> SignedIn:
        """
        Go on until the sign-in stands; returns what the card says then.

        Raises:
            SignInError: It was denied, or nobody approved in time.

            ServiceError: The service could not be asked.

            Cancelled: Ctrl-C, the stop button, or `cancel`.
        """
        self._started = True
        try:
            sign_in = self._drive()
        except KeyboardInterrupt:
            message = "Sign-in cancelled. Type `%cuaws login` to start again."
            self._close(self._nothing(_CANCELLED, "Type `%cuaws login` to start again."))
            cancelled = self.error = Cancelled(message)
            cancelled.said = self._shown is not None
            raise cancelled from None
        except CuawsError as error:
            self.error = error
            # Where a cell waits, its error says why, below the card.
            self._close(self._nothing("Not signed in", str(error) if self._behind else ""))
            raise
        except BaseException:
            # Whatever it is, no code stays on the page.
            self._close(self._nothing("Not signed in", "Type `%cuaws login` to try again."))
            raise
        finally:
            self._steps.close()
            self.card = None
            self._done.set()
            self._changes.notify()
        view = SignedIn(self.sso_session, sign_in.ends_at, already=False, notes=sign_in.notes, at=self._now())
        self._close(view)
        return view

    def start(self) -> None:
        """Go on in a thread, whose card stays with the cell that runs now."""
        # A copied context sends the thread's output to this cell, on every version of ipykernel.
        context = contextvars.copy_context()
        self._started = self._behind = True
        threading.Thread(target=context.run, args=(self._run_quietly,), name="cuaws-sign-in", daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether it goes on, in its thread or in a cell."""
        return self._started and not self._done.is_set()

    def join(self) -> None:
        """
        Wait for its end; Ctrl-C ends the sign-in.

        Raises:
            CuawsError: It came to nothing.

            Cancelled: Ctrl-C or the stop button.
        """
        try:
            while not self._done.wait(_LOOK_UP):
                pass
        except KeyboardInterrupt:
            self.cancel()
            message = "Sign-in cancelled. Type `%cuaws login` to start again."
            raise Cancelled(message) from None
        if self.error is not None:
            raise self.error

    def explained(self, show: Display) -> SigningIn:
        """Show that it goes on behind, for as long as it does."""
        view = SigningIn(self.sso_session)
        if show.in_place:
            with self._explaining:
                if not self._closed:
                    self._explanations.append(show(view))
        return view

    def cancel(self) -> None:
        """End it from any thread."""
        self._cancelled.set()

    def _run_quietly(self) -> None:
        """Run in the thread; what went wrong is on the card, and kept for whoever waits."""
        with contextlib.suppress(CuawsError, Cancelled):
            self.run()

    def _drive(self) -> SignIn:
        authorization, attempt, trouble = None, 1, None
        while True:
            try:
                step = next(self._steps)
            except StopIteration as finished:
                sign_in: SignIn = finished.value
                return sign_in
            if isinstance(step, Keep):
                if self._cancelled.is_set():
                    raise KeyboardInterrupt
                continue
            if isinstance(step, AwaitRedirect):
                self._put(AwaitingRedirect(self.sso_session, step.request, step.pasted, self._now(), self._behind))
                continue
            if isinstance(step, AwaitApproval):
                authorization, attempt, trouble = step.authorization, step.attempt, None
            else:
                if step.trouble == trouble:
                    self._wait(step.seconds)
                    continue
                trouble = step.trouble
            if authorization is not None:
                self.card = AwaitingApproval(
                    self.sso_session, authorization, attempt, trouble, self._now(), self._behind, self.qr
                )
                self._put(self.card)
                self._changes.notify()
            if not isinstance(step, AwaitApproval):
                self._wait(step.seconds)

    def _wait(self, seconds: float) -> None:
        if self._deadline is not None:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise SignInTimeout(
                    f"The sign-in was not approved within {self._timeout:g} s. Type `%cuaws login` when you are ready."
                )
            seconds = min(seconds, left)
        if self._sleep(self._cancelled, seconds):
            raise KeyboardInterrupt

    def _nothing(self, title: str, sentence: str) -> SignInEnded:
        """Say that it came to nothing; where a sign-in from before holds, that nothing is lost."""
        standing, said = self._standing(), (sentence,) if sentence else ()
        quiet = not sentence or title == _CANCELLED
        if standing is None:
            return SignInEnded(self.sso_session, title, said, quiet)
        left = humanize.until(standing.ends_at, self._now(), about=True)
        holds = f"You are still signed in from before{f', for {left}' if left else ''}."
        return SignInEnded(self.sso_session, "Not signed in again", (*said, holds), quiet)

    def _put(self, view: View) -> None:
        if self._shown is None:
            with hold_interrupts():
                self._shown = self._show(view)
        else:
            self._shown.update(view)

    def _close(self, view: View) -> None:
        """Replace the card, if one was shown, so that no code stays on the page; what explained it goes."""
        with self._explaining:
            self._closed = True
            for shown in self._explanations:
                shown.update(Blank())
            self._explanations.clear()
        if self._shown is not None:
            self._shown.update(view)


Result = TypeVar("Result")


class Approvals:
    """
    Has a person approve, and knows whether somebody is about to.

    Args:
        login: Where an approved sign-in is kept.

        now: The current time, aware, UTC.

        changes: Told when a sign-in begins, shows another code, or ends.

        settings: Say whether somebody is there to approve.
    """

    def __init__(
        self,
        login: Login,
        now: Now = utc_now,
        changes: Observers | None = None,
        settings: Callable[[], Settings] = Settings,
    ) -> None:
        self._login = login
        self._settings = settings
        self._now = now
        self._changes = changes or Observers()
        self._pending: Approval | None = None
        # Where a sign-in by authorization code ends; nothing for one by device code.
        self.callback: Callable[[SsoSession, Display, bool | None], Callback | None] = lambda *_: None

    @property
    def card(self) -> AwaitingApproval | None:
        """The code that waits for a person, whoever asked for it; `None` if none does."""
        return self._pending.card if self._pending is not None else None

    @property
    def error(self) -> BaseException | None:
        """Why the last sign-in came to nothing; `None` if it did not, or was not asked for."""
        return self._pending.error if self._pending is not None else None

    @property
    def sso_session(self) -> SsoSession | None:
        """What the sign-in in the background is for."""
        return self._pending.sso_session if self._pending is not None else None

    @property
    def waiting(self) -> bool:
        """Whether a sign-in goes on in the background."""
        return self._pending is not None and self._pending.alive

    def approve(
        self,
        sso_session: SsoSession,
        show: Display,
        *,
        force: bool = False,
        wait: bool = True,
        timeout: float | None = None,
        wanted: Wanted = AS_SET,
    ) -> SignedIn | SigningIn:
        """
        Have a person approve a sign-in, or wait for the one that goes on already.

        Args:
            sso_session: Which sign-in.

            show: Where the card goes.

            force: A new one, whatever stands or goes on.

            wait: Until it is approved; otherwise in the background.

            timeout: Seconds after which to give up.

            wanted: How it is approved.

        Raises:
            CuawsError: It came to nothing.

            Cancelled: Ctrl-C or the stop button.
        """
        pending = self._pending
        if pending is not None and pending.alive and pending.sso_session == sso_session and not force:
            if not wait:
                return pending.explained(show)
            pending.join()
            sign_in = self._login.required(sso_session)
            return SignedIn(sso_session, sign_in.ends_at, already=True, notes=sign_in.notes, at=self._now())
        timeout = patience(self._settings(), sso_session, show, timeout)
        callback = self.callback(sso_session, show, wanted.by_code)
        if callback is not None and callback.pasted and not wait:
            raise ConfigurationError(
                "By authorization code you are asked for an address here, so the cell has to wait. "
                "Type `%cuaws login --pkce`."
            )
        approval = self._new(sso_session, show, force=force, timeout=timeout, callback=callback)
        approval.qr = wanted.qr
        if wait:
            return approval.run()
        approval.start()
        return approval.explained(show)

    def begin(self, sso_session: SsoSession, show: Display) -> Approval:
        """Ask a person to approve a sign-in by device code, in the background; returns it."""
        approval = self._new(sso_session, show)
        approval.start()
        return approval

    def _new(
        self,
        sso_session: SsoSession,
        show: Display,
        *,
        force: bool = False,
        timeout: float | None = None,
        callback: Callback | None = None,
    ) -> Approval:
        self.cancel()
        steps = self._login.approval(sso_session, force=force, callback=callback)
        approval = self._pending = Approval(
            sso_session, steps, show, timeout, self._now, self._changes,
            standing=lambda: self._login.peek(sso_session)[0],
        )  # fmt: skip
        return approval

    def retry_after_sign_in(self, question: Callable[[], Result], show: Display) -> Result:
        """Answer a question; when it needs a sign-in, have one approved and ask again."""
        try:
            return question()
        except NotSignedIn as error:
            if error.why:
                show(Hint(f"A sign-in of {error.sso_session.label} is needed", (error.why,), soon=True))
            self.approve(error.sso_session, show)
        return question()

    def cancel(self) -> None:
        """End the one in the background, if there is one."""
        if self._pending is not None:
            self._pending.cancel()
            self._pending = None
