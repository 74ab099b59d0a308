"""
Where the credentials of an account come from, for as long as somebody holds them.

A role of Identity Center, keys that somebody pasted or saved, a profile that botocore
resolves: the environment, the clients of this kernel, the renewal and the cards treat
them alike, by what is said here.
"""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING

from cuaws_magic.background import ForkSafeLock
from cuaws_magic.errors import CuawsError, NoCredentials
from cuaws_magic.model import Origin, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from datetime import datetime

    from cuaws_magic.credentials.broker import Broker
    from cuaws_magic.model import Account, AccountRole, Credentials, Now, SsoSession

IDENTITY_CENTER = Origin("the credentials", "`%cuaws login`", renews=True)


class Source(abc.ABC):
    """
    One account and role, and where its credentials come from.

    Attributes:
        key: Tells it from another.

        account: The account; its id is empty where nobody has said it yet.

        role_name: The role, as a person knows it.

        origin: The same in words.

        sso_session: The sign-in that its credentials depend on; `None` where none does.

        account_role: The way through the access portal; `None` where there is none.

        profile: Set where programs are pointed to a profile instead of being given keys.
    """

    def __init__(
        self,
        key: Hashable,
        account: Account,
        role_name: str,
        origin: Origin,
        *,
        sso_session: SsoSession | None = None,
        account_role: AccountRole | None = None,
        profile: str | None = None,
    ) -> None:
        self.key = key
        self.account = account
        self.role_name = role_name
        self.origin = origin
        self.sso_session = sso_session
        self.account_role = account_role
        self.profile = profile

    @abc.abstractmethod
    def credentials(self) -> Credentials:
        """
        Return a set of which less than a third is used; an older one if no newer can be had.

        Raises:
            CuawsError: There is none that is good.
        """

    def ready(self) -> Credentials:
        """Return a set at once while there is one with some life left; else as `credentials`."""
        return self.credentials()

    def renew(self) -> Credentials:
        """
        Fetch a new set now.

        Raises:
            CuawsError: There is none to be had.
        """
        raise NoCredentials(f"{self.origin.label} are not renewed. For new ones, type {self.origin.remedy}.")

    def refused(self, credentials: Credentials) -> bool:  # noqa: ARG002 - most never hear of it
        """Whether AWS did not accept a set, as far as this kernel was told."""
        return False

    def replace_refused(self, credentials: Credentials) -> Credentials:  # noqa: ARG002 - as above
        """
        Return another set in place of one that AWS did not accept.

        Raises:
            CuawsError: There is none to be had.
        """
        return self.renew()

    def ends_at(self, credentials: Credentials) -> datetime | None:
        """Return when a set ends, as well as we know."""
        return credentials.expires_at


class RoleSource(Source):
    """
    A role of Identity Center.

    Args:
        broker: Who fetches its credentials.

        account_role: The role; afterwards `role`.
    """

    def __init__(self, broker: Broker, account_role: AccountRole) -> None:
        super().__init__(
            account_role.key,
            account_role.account,
            account_role.role_name,
            IDENTITY_CENTER,
            sso_session=account_role.sso_session,
            account_role=account_role,
        )
        self._broker = broker
        self.role = account_role

    def credentials(self) -> Credentials:
        """Return a set, as `Broker.credentials`."""
        return self._broker.credentials(self.role)

    def ready(self) -> Credentials:
        """Return a set, as `Broker.ready`."""
        return self._broker.ready(self.role)

    def renew(self) -> Credentials:
        """Fetch a set, as `Broker.renew`."""
        return self._broker.renew(self.role)

    def refused(self, credentials: Credentials) -> bool:
        """Whether AWS did not accept a set, as `Broker.refused`."""
        return self._broker.refused(credentials)

    def replace_refused(self, credentials: Credentials) -> Credentials:
        """Return another set, as `Broker.replace_refused`."""
        return self._broker.replace_refused(self.role, credentials)


class StaticSource(Source):
    """
    Keys that are what they are until they end: pasted, or saved in a file.

    Args:
        keys: The keys.

        account: Whose they are.

        role_name: The role, as STS said it.

        origin: Where they come from; not renewed.

        assumed_end: When they end, where nobody said so.
    """

    def __init__(
        self, keys: Credentials, account: Account, role_name: str, origin: Origin, assumed_end: datetime | None = None
    ) -> None:
        super().__init__(("kept", keys.access_key_id), account, role_name, origin)
        self._keys = keys
        self._assumed_end = assumed_end

    def credentials(self) -> Credentials:
        """Return the keys; only AWS knows whether they are still good."""
        return self._keys

    def ends_at(self, credentials: Credentials) -> datetime | None:
        """Return when they end: as AWS said, or else as is usual."""
        return credentials.expires_at or self._assumed_end


class RefreshableSource(Source):
    """
    Credentials that a function gives, again and again: kept, and renewed early.

    Args:
        first: The first set.

        fetch: Gives the next.

        now: The current time, aware, UTC.

        more: As `Source`.
    """

    def __init__(
        self,
        key: Hashable,
        account: Account,
        role_name: str,
        origin: Origin,
        *,
        sso_session: SsoSession | None,
        first: Credentials,
        fetch: Callable[[], Credentials],
        now: Now = utc_now,
    ) -> None:
        super().__init__(key, account, role_name, origin, sso_session=sso_session)
        self._held = first
        self._fetch = fetch
        self._now = now
        self._turn = ForkSafeLock()

    def credentials(self) -> Credentials:
        """Return a set of which less than a third is used; one is fetched at a time."""
        if not self._held.refresh_needed(self._now()):
            return self._held
        with self._turn:
            if self._held.refresh_needed(self._now()):
                try:
                    self._held = self._fetch()
                except CuawsError:
                    if self._held.expired(self._now()):
                        raise
            return self._held

    def ready(self) -> Credentials:
        """Return a set at once while there is one with some life left."""
        held, now = self._held, self._now()
        return held if not held.expired(now + held.last_moments()) else self.credentials()

    def renew(self) -> Credentials:
        """Fetch a set now."""
        with self._turn:
            self._held = self._fetch()
            return self._held


class ProfileSource(Source):
    """
    A profile that programs are pointed to with `AWS_PROFILE`; each of them fetches its own credentials.

    Args:
        name: Name of the profile.

        account: Whose it is.

        role_name: The role.

        sso_session: The sign-in that it needs.

        account_role: The way through the access portal, if it is that.
    """

    def __init__(
        self,
        name: str,
        account: Account,
        role_name: str,
        sso_session: SsoSession | None,
        account_role: AccountRole | None,
    ) -> None:
        again = "`%cuaws login`" if sso_session is not None else f"`%cuaws use {name} --via profile`"
        super().__init__(
            ("profile", name),
            account,
            role_name,
            Origin(f"the credentials of the profile {name}", again, renews=False),
            sso_session=sso_session,
            account_role=account_role,
            profile=name,
        )

    def credentials(self) -> Credentials:
        """Raise: there are none here, so that nobody needs any."""
        raise NoCredentials(
            f"The profile {self.profile} is in use by its name only. For keys, type `%cuaws use {self.profile}`."
        )


class Bound:
    """
    Fresh credentials of one source, each time it is called.

    Keeps the last set: after a logout it is good until its end, and AWS honours it.

    Args:
        source: Which.

        now: The current time, aware, UTC.
    """

    def __init__(self, source: Source, now: Now = utc_now) -> None:
        self.source = source
        self._now = now
        self._last: Credentials | None = None

    @property
    def renewed(self) -> bool:
        """Whether to ask again before a set ends."""
        return self.source.origin.renews

    @property
    def profile(self) -> str | None:
        """The profile that botocore is to resolve itself, instead of asking here."""
        return self.source.profile

    def __call__(self) -> Credentials:
        """
        Return a set that is good now.

        Raises:
            CuawsError: There is none left, and no new one can be had.
        """
        try:
            self._last = self.source.ready()
        except CuawsError:
            if self._last is None or self._last.expired(self._now()) or self.source.refused(self._last):
                raise
        return self._last

    def refused(self) -> bool:
        """Whether AWS did not accept the set that was given last: then the next is due, whatever its date says."""
        return self._last is not None and self.source.refused(self._last)
