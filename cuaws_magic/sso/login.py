"""
How a kernel comes to hold a fresh SSO token: cached, else refreshed, else approved.

An approval is a generator of steps, as `device_flow`: nothing here shows or sleeps. Two
kernels never refresh at once, and a refusal is believed only after a second look
at the file: refresh tokens may be single use, and the AWS CLI may have been faster.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from cuaws_magic import storage
from cuaws_magic.aws.hosts import portal_of
from cuaws_magic.errors import (
    CuawsError,
    NotSignedIn,
    RefreshRefused,
    ServiceError,
    Signal,
    SsoTokenRefused,
    StorageError,
)
from cuaws_magic.model import utc_now
from cuaws_magic.settings import SSO_TOKEN_MARGIN
from cuaws_magic.sso.device_flow import Keep, Wait
from cuaws_magic.sso.gateway import approval_steps
from cuaws_magic.sso.records import SignInRecords

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from datetime import datetime
    from pathlib import Path

    from cuaws_magic.aws.identity_center import IdentityCenter
    from cuaws_magic.model import Now, Secret, SsoSession, SsoToken
    from cuaws_magic.sso.authorization_code import Callback
    from cuaws_magic.sso.device_flow import Step
    from cuaws_magic.sso.token_cache import TokenCache
    from cuaws_magic.state_store import StateStore

# Seconds before each look at the file after a refused refresh: the AWS CLI takes no lock,
# and writes a moment after the service answered it.
_SECOND_LOOKS = (0.0, 0.2, 0.8)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class SignIn:
    """
    A sign-in that stands.

    Attributes:
        sso_session: Which one; another than was asked for where that one serves the same portal.

        sso_token: Its proof, fresh.

        ends_at: When a person has to approve again, as well as we know; `END_UNKNOWN` where nobody does.

        notes: What the person should know, one sentence each.
    """

    sso_session: SsoSession
    sso_token: SsoToken
    ends_at: datetime
    notes: tuple[str, ...] = ()


class Login:
    """
    Sign-ins of this kernel, shared with every program of this home.

    Args:
        identity_center: Where to ask.

        cache: Where the AWS CLI keeps SSO tokens.

        own_state: Where we remember when a person signed in.

        now: The current time, aware, UTC.

        sleep: Waits that many seconds.

    Attributes:
        records: What this home remembers of its sign-ins.
    """

    def __init__(
        self,
        identity_center: IdentityCenter,
        cache: TokenCache,
        own_state: StateStore,
        now: Now = utc_now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._identity_center = identity_center
        self._cache = cache
        self._own_state = own_state
        self._now = now
        self._sleep = sleep
        # SSO tokens and refresh tokens that the service did not take, whatever their dates say.
        self._refused: set[Secret] = set()
        # Every sign-in that this home knows: one for the same portal serves whoever only asks the portal.
        self.known: Callable[[], Iterable[SsoSession]] = tuple
        # What a person types to be signed in.
        self.command: Callable[[SsoSession], str] = lambda _: "`%cuaws login`"
        self.records = SignInRecords(own_state)

    def current(self, sso_session: SsoSession, *, refused: SsoToken | None = None, own: bool = False) -> SignIn | None:
        """
        Return the sign-in if it can be had without a person: its own, else another to the same portal.

        Args:
            sso_session: Which one.

            refused: An SSO token that the portal did not take although it looked good; anything newer will do.

            own: Only its own will do, for programs that look under its name.

        Raises:
            ServiceError: It wants a refresh, the service does not answer, and the SSO token in hand has expired.
        """
        if refused is not None:
            self._refused.add(refused.access_token)
        try:
            sign_in = self._own(sso_session)
        except ServiceError:
            shared = None if own else self._shared(sso_session, self._own)
            if shared is None:
                raise
            return shared
        return sign_in if sign_in is not None or own else self._shared(sso_session, self._own)

    def _own(self, sso_session: SsoSession) -> SignIn | None:
        sso_token = self._cache.load(sso_session).sso_token
        if sso_token is None:
            return None
        if self._fresh(sso_token):
            return self._sign_in(sso_session, sso_token)
        if not self._refreshable(sso_token):
            return self._sign_in(sso_session, sso_token) if self._good(sso_token) else None
        return self._refreshed(sso_session)

    def _shared(self, sso_session: SsoSession, own: Callable[[SsoSession], SignIn | None]) -> SignIn | None:
        """
        Return another sign-in to the same portal: refreshed in its own file, never copied.

        One whose name is not known here serves as long as its SSO token lasts.
        """
        for other in self.same_portal(sso_session):
            with contextlib.suppress(ServiceError):
                sign_in = own(other)
                if sign_in is not None:
                    return sign_in
        portal = portal_of(sso_session)
        good = [one for one in self._cache.tokens() if self._good(one) and portal_of(one) == portal]
        if not good:
            return None
        sso_token = max(good, key=lambda one: one.expires_at)
        return SignIn(replace(sso_session, name=None, scopes=None), sso_token, sso_token.expires_at)

    def same_portal(self, sso_session: SsoSession) -> list[SsoSession]:
        """Return the other names under which this home signs in to the same portal."""
        key, portal = sso_session.cache_key, portal_of(sso_session)
        return [one for one in self.known() if one.cache_key != key and portal_of(one) == portal]

    def confirmed(self, sso_session: SsoSession) -> SignIn | None:
        """
        Return the sign-in as `current`, if the portal knows it: a file does not tell that it was ended at AWS.

        Where the portal does not answer, what the file says counts.

        Raises:
            ServiceError: As `current`.
        """
        sign_in = self.current(sso_session)
        if sign_in is None:
            return None
        try:
            self.asking(sso_session, lambda sso_token: self._identity_center.check(sso_token, sso_session.sso_region))
        except NotSignedIn:
            return None
        except ServiceError:
            return sign_in
        return self.current(sso_session)

    def keep_fresh(self, sso_session: SsoSession) -> datetime | None:
        """
        Refresh the SSO token if that is due; returns when it is due next, or nothing where it cannot be refreshed.

        Raises:
            ServiceError: The service does not answer.
        """
        sign_in = self.current(sso_session)
        if sign_in is None or not self._refreshable(sign_in.sso_token):
            return None
        return sign_in.sso_token.refresh_at(SSO_TOKEN_MARGIN)

    def required(self, sso_session: SsoSession, *, refused: SsoToken | None = None, own: bool = False) -> SignIn:
        """Return the sign-in, as `current`; raises `NotSignedIn` where a person has to approve first."""
        sign_in = self.current(sso_session, refused=refused, own=own)
        if sign_in is None:
            typed = self.command(sso_session)
            raise NotSignedIn(f"You are not signed in to {sso_session.label}. Type {typed}.", sso_session)
        return sign_in

    def asking(self, sso_session: SsoSession, question: Callable[[SsoToken], Result]) -> Result:
        """
        Ask the portal with the SSO token; once more with a refreshed one if it does not take it.

        Args:
            sso_session: The sign-in.

            question: Asks.

        Raises:
            NotSignedIn: A person has to approve a sign-in first.

            ServiceError: The service does not answer, or says no.
        """
        refused = None
        for _ in range(2):
            sso_token = self.required(sso_session, refused=refused).sso_token
            try:
                return question(sso_token)
            except SsoTokenRefused:
                refused = sso_token  # its `expiresAt` was wrong; a refresh may help, once
        typed = self.command(sso_session)
        raise NotSignedIn(f"Your sign-in to {sso_session.label} ended. Type {typed}.", sso_session)

    def peek(self, sso_session: SsoSession) -> tuple[SignIn | None, str | None]:
        """Return the sign-in, asking nobody, if one is good or can be refreshed; and what is wrong with its file."""
        cached = self._cache.load(sso_session)
        sign_in = self._usable(sso_session, cached.sso_token) or self._shared(sso_session, self.peek_own)
        return sign_in, cached.trouble

    def peek_own(self, sso_session: SsoSession) -> SignIn | None:
        """Return the sign-in under this very name, as `peek`."""
        return self._usable(sso_session, self._cache.load(sso_session).sso_token)

    def _usable(self, sso_session: SsoSession, sso_token: SsoToken | None) -> SignIn | None:
        if sso_token is None or not (self._good(sso_token) or self._refreshable(sso_token)):
            return None
        return self._sign_in(sso_session, sso_token)

    def owner(self, sso_session: SsoSession) -> SsoSession | None:
        """Return whose sign-in serves one, and so under whose name files go; nothing where it has no name here."""
        sign_in = self.peek(sso_session)[0]
        if sign_in is None or sign_in.sso_session is sso_session:
            return sso_session
        return sign_in.sso_session if self.peek_own(sign_in.sso_session) is not None else None

    def ended_at(self, sso_session: SsoSession) -> datetime | None:
        """Return when the last sign-in ended, as well as we know; `None` if there was none, or it stands."""
        sso_token = self._cache.load(sso_session).sso_token
        if sso_token is None:
            return None
        ended = self._ends_at(sso_session, sso_token)
        return ended if ended <= self._now() else None

    def approval(
        self, sso_session: SsoSession, *, force: bool = False, callback: Callback | None = None
    ) -> Generator[Step, None, SignIn]:
        """
        Have a person approve a new sign-in; ends early when one succeeds elsewhere.

        Args:
            sso_session: Which one.

            force: Although one stands; then only this approval will do.

            callback: By authorization code, with this end; otherwise by device code.

        Yields what to do next, as `device_flow`, and returns the new sign-in, kept in the cache.

        Raises:
            SignInError: It was denied, or nobody approved in time.

            ServiceError: The service could not be asked.
        """
        before = self._cache.load(sso_session)
        made = approval_steps(self._identity_center, self._cache, sso_session, self._now, callback)
        with contextlib.closing(made) as steps:
            while True:
                try:
                    step = next(steps)
                except StopIteration as finished:
                    sso_token: SsoToken = finished.value
                    break
                yield step
                if isinstance(step, Wait) and not force:
                    elsewhere = self._cache.load(sso_session).sso_token
                    if elsewhere is not None and elsewhere != before.sso_token and self._good(elsewhere):
                        return self._sign_in(sso_session, elsewhere)
        try:
            yield Keep()
        except GeneratorExit:
            # Approved, but nobody wants it any more: it must not live on unseen.
            with contextlib.suppress(CuawsError, Signal):
                self._identity_center.logout(sso_token, sso_session.sso_region)
            raise
        return self._keep(sso_session, sso_token, before.trouble)

    def forget(self, sso_session: SsoSession) -> SsoToken | None:
        """
        Delete the sign-in from this home; returns the SSO token that was there.

        Raises:
            StorageError: It is there and cannot be deleted.
        """
        # A refresh on its way back, here or in another kernel, must not bring the sign-in back after us.
        with self._refreshing(self._cache.token_path(sso_session)):
            sso_token = self._cache.load(sso_session).sso_token
            self._cache.forget(sso_session)
        self.records.forget(sso_session, self._now())
        self._identity_center.start_urls.forget(sso_session.start_url)
        return sso_token

    def forget_files(self, paths: Iterable[Path]) -> None:
        """Delete token files, whosesoever, and what could not be written; a `StorageError` where one cannot be."""
        self._cache.forget_unsaved()
        for path in paths:
            with self._refreshing(path):
                storage.remove(path)

    def _refreshing(self, path: Path) -> contextlib.AbstractContextManager[bool]:
        """Hold the lock of one token file: its refresh token may be single use."""
        return storage.lock(self._own_state.lock_path(f"refresh {path}"))

    def _refreshed(self, sso_session: SsoSession) -> SignIn | None:
        with self._refreshing(self._cache.token_path(sso_session)):
            # Another kernel may have been faster while we waited.
            sso_token = self._cache.load(sso_session).sso_token
            if sso_token is None:
                return None
            if self._fresh(sso_token) or not self._refreshable(sso_token):
                return self._sign_in(sso_session, sso_token) if self._good(sso_token) else None
            try:
                renewed = self._identity_center.refresh_token(sso_session, sso_token)
            except RefreshRefused:
                if sso_token.refresh_token is not None:
                    self._refused.add(sso_token.refresh_token)
                other = self._written_meanwhile(sso_session, sso_token)
                if other is not None:
                    return self._sign_in(sso_session, other)
                self.records.refused(sso_session, sso_token.obtained_at, self._now())
                return self._sign_in(sso_session, sso_token) if self._good(sso_token) else None
            except ServiceError:
                if self._good(sso_token):
                    return self._sign_in(sso_session, sso_token)
                raise
            self.records.refreshed(sso_session, self._now())
            return self._sign_in(sso_session, renewed, self._save(sso_session, renewed))

    def _written_meanwhile(self, sso_session: SsoSession, refused: SsoToken) -> SsoToken | None:
        """Return the SSO token of somebody who, without our lock, used the refresh token just before us."""
        for pause in _SECOND_LOOKS:
            self._sleep(pause)
            other = self._cache.load(sso_session).sso_token
            if other is not None and other != refused and self._good(other):
                return other
        return None

    def _keep(self, sso_session: SsoSession, sso_token: SsoToken, trouble: str | None) -> SignIn:
        notes = self._save(sso_session, sso_token)
        if trouble and not notes:
            notes = (f"{trouble} It has been replaced.",)
        self.records.approved(sso_session, self._now())
        return self._sign_in(sso_session, sso_token, notes)

    def _save(self, sso_session: SsoSession, sso_token: SsoToken) -> tuple[str, ...]:
        try:
            self._cache.save(sso_session, sso_token)
        except StorageError as error:
            return (f"{error} Until then the sign-in works in this kernel only.",)
        return ()

    def _sign_in(self, sso_session: SsoSession, sso_token: SsoToken, notes: tuple[str, ...] = ()) -> SignIn:
        return SignIn(sso_session, sso_token, self._ends_at(sso_session, sso_token), notes)

    def _ends_at(self, sso_session: SsoSession, sso_token: SsoToken) -> datetime:
        """The SSO token may be refreshed until the sign-in ends; nobody tells when, so reckon from its start."""
        if not self._refreshable(sso_token):
            return sso_token.expires_at
        return max(sso_token.expires_at, self.records.ends_at(sso_session))

    def _fresh(self, sso_token: SsoToken) -> bool:
        return self._good(sso_token) and self._now() < sso_token.refresh_at(SSO_TOKEN_MARGIN)

    def _good(self, sso_token: SsoToken) -> bool:
        return self._now() < sso_token.expires_at and sso_token.access_token not in self._refused

    def _refreshable(self, sso_token: SsoToken) -> bool:
        return sso_token.refreshable(self._now()) and sso_token.refresh_token not in self._refused
