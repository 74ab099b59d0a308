"""
What this kernel acts as, and how it stays fresh.

Puts the account in use where programs look for it (the environment, and in front of botocore's own chain), renews it
in the background, and notices when the sign-in has ended or somebody signed in again. Nobody waits for a renewal.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from cuaws_magic.background import ForkSafeLock, Observers, hold_interrupts
from cuaws_magic.credentials.followers import Followers
from cuaws_magic.credentials.libraries import LibraryState
from cuaws_magic.credentials.processes import HelperProcesses
from cuaws_magic.credentials.provider import BotoProvider
from cuaws_magic.credentials.refresh import RefreshThread
from cuaws_magic.credentials.remaining import Remaining
from cuaws_magic.credentials.sources import Bound
from cuaws_magic.credentials.thread_accounts import kept_by_threads, of_this_thread, unwatch
from cuaws_magic.errors import CuawsError, NotSignedIn, Superseded
from cuaws_magic.model import utc_now
from cuaws_magic.settings import SIGN_IN_WARNINGS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cuaws_magic.credentials.environment import KernelEnvironment
    from cuaws_magic.credentials.in_use import InUseRole
    from cuaws_magic.credentials.sources import Source
    from cuaws_magic.model import Credentials, Now, SsoSession
    from cuaws_magic.sso.login import Login

# After a failed renewal: the first pause, doubled each time, and the longest.
_FIRST_RETRY = timedelta(seconds=5)
_LONGEST_RETRY = timedelta(minutes=5)
_LOOK_FOR_SIGN_IN = timedelta(minutes=1)  # how often to look whether somebody signed in elsewhere
_PATIENCE_OF_A_CELL = 3.0  # seconds that a cell waits for a renewal at the most
_NEVER = float("inf")


class KernelCredentials:
    """
    The account in use.

    Args:
        env: The environment.

        login: The sign-ins behind credentials.

        now: The current time, aware, UTC.

        changes: Told when the account in use changes, or its credentials do.
    """

    def __init__(
        self, env: KernelEnvironment, login: Login, now: Now = utc_now, changes: Observers | None = None
    ) -> None:
        self._env = env
        self._login = login
        self._now = now
        self._lock = ForkSafeLock(threading.RLock)
        self._provider = BotoProvider(self._in_use, self._bind, lambda: env.region_touched)
        self._bound: weakref.WeakSet[Bound] = weakref.WeakSet()
        self._bound_lock = ForkSafeLock()  # sessions are made in any thread
        self._libraries = LibraryState()
        self._processes = HelperProcesses(env.inherited)
        self.followers = Followers()
        self.remaining = Remaining(lambda: self._current, self._processes)
        self._renewed = threading.Event()
        self._renewal = RefreshThread(self._keep_up, now)
        self._changes = changes or Observers()
        self._current: InUseRole | None = None
        self._failures = 0
        self._generation = 0
        self._released = False
        self._sign_outs = 0
        self._sign_in_seen: tuple[datetime, datetime] | None = None  # when it ends, and when that was first seen here
        self._warned: datetime | None = None
        # Seconds of the wall clock from which on a cell has something to look at first.
        self._look_at = _NEVER

    @property
    def current(self) -> InUseRole | None:
        """The account in use."""
        return self._current

    def next_generation(self) -> int:
        """
        Note that a person wants an account in use, or none; the latest command counts.

        Returns:
            Its number, for `take`: fetching and confirming take a while.
        """
        with self._lock:
            self._generation += 1
            return self._generation

    def activate(self, wanted: InUseRole, generation: int) -> InUseRole:
        """
        Put an account in use, in place of the one before.

        Args:
            wanted: The account, with its first credentials.

            generation: Since when it is wanted, from `next_generation`.

        Raises:
            Overtaken: Something else was wanted since; nothing is changed.
        """
        with self._lock, self._all_or_nothing():
            if generation != self._generation:
                raise Superseded(
                    f"{wanted.account.name} was not put in use: another command came in between. "
                    "Type `%cuaws` to see what is in use."
                )
            self._libraries.settle()
            self._settle_processes(wanted.source)
            if wanted.credentials is not None:
                self._env.install(wanted.credentials, wanted.region, wanted.client_profile, wanted.served)
            else:
                self._env.install_profile(wanted.source.profile or "")
            self._current = wanted
            self._failures = 0
            self._look_later()
        self._provider.install()
        self._libraries.renew(wanted.source, self._bind)
        self._processes.follow()
        self._renewal.wake()
        self._changes.notify()
        return wanted

    @contextlib.contextmanager
    def activated(self, wanted: InUseRole) -> Iterator[InUseRole]:
        """
        Put an account in use for a block; afterwards everything is as before, whatever happened in it.

        What was made in the block keeps its account. An interrupt comes after the environment was put back.
        """
        before, put_back, released = self._current, self._env.snapshot(), self._released
        sign_outs = self._sign_outs
        try:
            with kept_by_threads(wanted.source):
                yield self.activate(wanted, self.next_generation())
        finally:
            with hold_interrupts():
                self._libraries.settle()
                self._settle_processes(before.source if before is not None else None)
                with self._lock:
                    self._generation += 1
                    put_back()
                    self._current, self._released = before, released
                    self._look_later()
                if before is None:
                    self._libraries.restore()
                    self._processes.restore()
                    if released:
                        self._provider.remove()
                else:
                    self._libraries.renew(before.source, self._bind)
                    self._renewal.wake()  # its credentials may have been renewed meanwhile
            self._changes.notify()
            if self._sign_outs != sign_outs:
                self.deactivate()

    def sign_out(self) -> None:
        """Put none in use, also after the block of an account that this happens in."""
        self._sign_outs += 1
        self.deactivate()

    def deactivate(self) -> None:
        """Put none in use; the environment is as it was found, and new botocore sessions are as without us."""
        self._libraries.settle()
        self._settle_processes(None)
        with self._lock, self._all_or_nothing():
            self._generation += 1
            self._env.remove()
            self._current = None
            self._released = True
            self._look_at = _NEVER
        self._provider.remove()
        self._libraries.restore()
        self._processes.restore()
        unwatch()
        self._changes.notify()

    def _settle_processes(self, wanted: Source | None) -> None:
        """Have helper processes of libraries keep their account, unless the same comes into use again."""
        current = self._current
        if current is None:
            self._processes.settle()
        elif wanted is None or current.source.key != wanted.key:
            self._processes.settle(current.account.name, lambda: self.activate(current, self.next_generation()))

    def renew(self) -> None:
        """
        Fetch new credentials for the account in use now, whatever life the ones in hand have.

        Raises:
            CuawsError: There are none to be had; those in hand stay.
        """
        current = self._current
        if current is not None:
            self._rewrite(current.source, current.source.renew())

    def replace_refused(self, refused: InUseRole) -> None:
        """
        Put another set in use in place of one that AWS did not accept, if that account is still in use.

        Raises:
            CuawsError: There is none to be had.
        """
        if refused.credentials is not None:
            self._rewrite(refused.source, refused.source.replace_refused(refused.credentials))

    def after_fork(self) -> None:
        """Start anew in a forked process, which has no thread that renews."""
        self._renewal.after_fork()

    def prepare(self) -> None:
        """Be in front of botocore sessions that are made before an account is in use."""
        if not self._released:
            self._provider.install()

    def follow_a_hand(self) -> None:
        """Have child processes inherit what somebody put into `os.environ` in place of ours; cheap, for every cell."""
        self._env.follow_a_hand()
        if self._current is not None:
            self._libraries.bind_polars(self._current.source, self._bind)  # it may have been imported since

    def sign_in_changed(self) -> None:
        """Go on at once after somebody signed in here, instead of at the next look."""
        if self._current is not None:
            self._renewal.wake()

    def wants_a_look(self, seconds: float) -> bool:
        """Whether a cell that starts at this second of the wall clock has something to look at first."""
        return seconds >= self._look_at

    def look(self) -> InUseRole | None:
        """
        See to what a cell should not start without; may wait for a renewal if the set in use has expired.

        Returns:
            The account in use if its sign-in has ended, or keys that nobody renews have; else nothing.
        """
        current = self._current
        if current is None:
            return None
        over = current.ends_at is not None and self._now() >= current.ends_at
        if over and current.source.origin.renews:
            self._renew_now(current)
        else:
            self._renewal.wake()
        ended = self._signed_out(current) or (over and not current.source.origin.renews)
        if ended:
            self._look_each_cell()
        elif self._current is current and over:
            self._look_at = self._now().timestamp() + _PATIENCE_OF_A_CELL  # not again in the next cell
        else:
            self._look_later()
        return self._current if ended else None

    def _renew_now(self, current: InUseRole) -> None:
        """Have the thread renew, and wait a moment for it; then the cell says itself what is missing."""
        self._renewed.clear()
        self._renewal.wake()
        if self._current is current:
            self._renewed.wait(_PATIENCE_OF_A_CELL)

    @contextlib.contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """Have environment and account in use as they were, if the block does not come to its end."""
        current = self._current
        with self._env.all_or_nothing():
            try:
                yield
            except BaseException:
                self._current = current
                raise

    def _signed_out(self, current: InUseRole) -> bool:
        """Whether a sign-in that the account depends on has ended."""
        return current.sso_session is not None and self._login.peek(current.sso_session)[0] is None

    # In the background.

    def _keep_up(self) -> datetime | None:
        """Renew what is due; returns when the next is."""
        current = self._current
        with self._bound_lock:
            sources = {bound.source.key: bound.source for bound in self._bound}
        if current is not None:
            sources[current.source.key] = current.source
        sign_ins = {one.sso_session.cache_key: one.sso_session for one in sources.values() if one.sso_session}
        # What stays overdue could not be renewed.
        due = [self._keep_sign_in(sso_session) for sso_session in sign_ins.values()]
        due += [self._keep(source) for source in sources.values() if source.origin.renews]
        if current is not None and self._signed_out(current):
            self._look_each_cell()
        times = [moment for moment in due if moment is not None]
        overdue = any(moment <= self._now() for moment in times)
        self._failures = self._failures + 1 if overdue else 0
        retry = [self._retry_at()] if overdue else []
        return min([*retry, *(moment for moment in times if moment > self._now())], default=None)

    def _keep_sign_in(self, sso_session: SsoSession) -> datetime | None:
        """Refresh an SSO token if that is due; returns when it is next, or was if it failed."""
        try:
            return self._login.keep_fresh(sso_session)
        except CuawsError:
            return self._now()

    def _keep(self, source: Source) -> datetime | None:
        """Renew credentials if that is due; returns when it is next, or was if it failed."""
        try:
            credentials = source.credentials()
        except NotSignedIn:
            return self._now() + _LOOK_FOR_SIGN_IN
        except CuawsError:
            return self._now()
        self._rewrite(source, credentials)
        self.followers.renewed(source, credentials)
        return credentials.refresh_at()

    def _retry_at(self) -> datetime:
        pause: timedelta = min(_LONGEST_RETRY, _FIRST_RETRY * 2 ** min(self._failures - 1, 10))
        return self._now() + pause

    def _rewrite(self, source: Source, credentials: Credentials) -> None:
        """Put a renewed set into the environment, if its account is still the one in use."""
        with self._lock:
            current = self._current
            if current is None or current.source.key != source.key or current.credentials == credentials:
                return
            with self._all_or_nothing():
                self._env.renew(credentials)
                self._current = replace(current, credentials=credentials)
            self._look_later()
        self._renewed.set()
        self._changes.notify()

    def _look_later(self) -> None:
        """Look when the credentials end, when the sign-in does, and some time before that."""
        current = self._current
        moments = [ends_at] if current is not None and (ends_at := current.ends_at) is not None else []
        # One that has passed is to be said in the next cell, if it was not.
        moments += [moment for moment in self._sign_in_moments() if self._warned is None or moment > self._warned]
        self._look_at = min((moment.timestamp() for moment in moments), default=_NEVER)

    def _sign_in_moments(self) -> list[datetime]:
        """Return when the sign-in ends, and when to say so: moments that had not passed when it was first seen here."""
        current = self._current
        sign_in = self._login.peek(current.sso_session)[0] if current is not None and current.sso_session else None
        if sign_in is None:
            return []
        ends_at = sign_in.ends_at
        if self._sign_in_seen is None or self._sign_in_seen[0] != ends_at:
            self._sign_in_seen = (ends_at, self._now())
        warnings = [ends_at - before for before in SIGN_IN_WARNINGS]
        return [*(moment for moment in warnings if moment >= self._sign_in_seen[1]), ends_at]

    def warning(self) -> datetime | None:
        """Return when the sign-in ends, if that is to be said now: once each time that one of the moments has come."""
        moments, now = self._sign_in_moments(), self._now()
        passed = [moment for moment in moments if moment <= now]
        if not passed or moments[-1] <= now or max(passed) == self._warned:
            return None
        self._warned = max(passed)
        return moments[-1]

    def _look_each_cell(self) -> None:
        self._look_at = 0.0

    # For clients that other people make.

    def bind(self, source: Source) -> Bound:
        """Return credentials that stay those of a source, renewed for as long as somebody holds them."""
        bound = Bound(source, self._now)
        with self._bound_lock:
            self._bound.add(bound)
        return bound

    def _in_use(self) -> Source | None:
        current = self._current
        return of_this_thread() or (current.source if current is not None else None)

    def _bind(self, made_with: Source | None = None) -> Bound | None:
        """Bind a botocore session, unless somebody's own keys are in the environment."""
        with self._lock:
            source = made_with or self._in_use()
            if source is None or self._env.keys_touched:
                return None
            return self.bind(source)
