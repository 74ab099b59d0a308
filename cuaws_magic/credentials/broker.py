"""
Role credentials: fetched once, kept, renewed early, shared between kernels.

One set per sign-in, account and role. It is the same set for every program of this
home, since it lies where the AWS CLI keeps it; whoever is first when a renewal is due
fetches it, under a lock, and the others read it.
"""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING

from cuaws_magic import storage
from cuaws_magic.background import ForkSafeLock
from cuaws_magic.errors import CuawsError, NoAccess, NotSignedIn, ServiceError, ServiceFailure, StorageError
from cuaws_magic.model import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cuaws_magic.aws.identity_center import IdentityCenter
    from cuaws_magic.model import AccountRole, Credentials, Now, RoleCredentials, Secret, SsoSession
    from cuaws_magic.sso.login import Login
    from cuaws_magic.sso.token_cache import TokenCache
    from cuaws_magic.state_store import StateStore


# The date of a file may be a tick of the system's clock behind.
_CLOCK_GRAIN = timedelta(milliseconds=50)


class Broker:
    """
    Hands out role credentials that have hours ahead of them.

    Args:
        identity_center: Where they are fetched.

        login: The sign-in that they are fetched with.

        cache: Where the AWS CLI keeps them.

        own_state: Where the locks are.

        now: The current time, aware, UTC.
    """

    def __init__(
        self,
        identity_center: IdentityCenter,
        login: Login,
        cache: TokenCache,
        own_state: StateStore,
        now: Now = utc_now,
    ) -> None:
        self._identity_center = identity_center
        self._login = login
        self._cache = cache
        self._own_state = own_state
        self._now = now
        self._kept: dict[tuple[str, str, str], RoleCredentials] = {}
        self._turns: dict[tuple[str, str, str], ForkSafeLock] = {}
        self._turns_lock = ForkSafeLock()
        # Key ids of sets that AWS did not accept, whatever their dates say.
        self._refused: set[Secret] = set()
        # Whether a client may wait until somebody is signed in again; it returns when somebody is.
        self.wait_for_sign_in: Callable[[SsoSession], bool] = lambda _: False

    def credentials(self, account_role: AccountRole) -> RoleCredentials:
        """
        Return a set of which less than a third is used; an older one if no newer can be had.

        Raises:
            NotSignedIn: A person has to approve a sign-in first, and no set is left.

            NoAccess: The role is not, or no longer, assigned to the person.

            ServiceError: The portal does not answer, and no set is left.
        """
        held = self._kept.get(account_role.key)
        if (
            held is not None
            and not held.refresh_needed(self._now())
            and held.access_key_id not in self._refused
            and self._of_this_sign_in(account_role, held)
        ):
            return held
        with self._turn(account_role):
            return self._renewed(account_role)

    def in_memory(self) -> list[RoleCredentials]:
        """Return the sets that this process holds."""
        return list(self._kept.values())

    def renew(self, account_role: AccountRole) -> RoleCredentials:
        """
        Fetch a new set now, whatever life the one in hand has.

        Raises:
            NotSignedIn: A person has to approve a sign-in first.

            ServiceError: The portal gives none.
        """
        with self._turn(account_role), self._fetching(account_role.key):
            return self._fetched(account_role)

    def ready(self, account_role: AccountRole) -> RoleCredentials:
        """
        Return a set at once while there is one with some life left; waits only when there is none.

        For clients in the middle of their work: renewing is somebody else's business
        (`credentials`, in the background) until the very end.

        Raises:
            CuawsError: There is none left, and no new one can be had.
        """
        held = self._kept.get(account_role.key)
        if held is not None and held.remaining(self._now()) > held.last_moments() and not self.refused(held):
            return held
        try:
            return self.credentials(account_role)
        except CuawsError as error:
            if held is not None and self._now() < held.expires_at:
                return held
            if isinstance(error, NotSignedIn) and self.wait_for_sign_in(error.sso_session):
                return self.credentials(account_role)
            raise

    def refused(self, credentials: Credentials) -> bool:
        """Whether AWS did not accept a set, as far as this kernel was told."""
        return credentials.access_key_id in self._refused

    def replace_refused(self, account_role: AccountRole, credentials: Credentials) -> RoleCredentials:
        """
        Return another set in place of one that AWS did not accept: revoked, or of a role that was made anew.

        The refused one is dropped, from memory and from the cache of this home.

        Raises:
            NotSignedIn: A person has to approve a sign-in first.

            ServiceError: The portal gives none.
        """
        self._refused.add(credentials.access_key_id)
        with self._turn(account_role), self._fetching(account_role.key):
            best = self._best_cached(account_role)  # another kernel may have been faster
            if best is not None and not best.refresh_needed(self._now()):
                self._kept[account_role.key] = best
                return best
            for sso_session in self._kept_under(account_role):
                with contextlib.suppress(StorageError):
                    self._cache.forget_role_credentials(sso_session, account_role.account.id, account_role.role_name)
            return self._fetched(account_role)

    def forget_all(self, sso_session: SsoSession, roles: Iterable[tuple[str, str]]) -> None:
        """
        Delete the sets of one sign-in from this kernel and this home.

        Args:
            sso_session: The sign-in.

            roles: Account ids and role names that there may be sets of; a file's name
                is a digest of them, so it is found only by those who know them.

        Raises:
            StorageError: One is there and cannot be deleted.
        """
        active = {(key[1], key[2]) for key in (*self._kept, *self._turns) if key[0] == sso_session.cache_key}
        for account_id, role_name in {*roles, *active}:
            there = self._cache.role_path(sso_session, account_id, role_name).exists()
            waits = there or (account_id, role_name) in active
            key = (sso_session.cache_key, account_id, role_name)
            with self._fetching(key) if waits else contextlib.nullcontext():
                self._kept.pop(key, None)
                self._cache.forget_role_credentials(sso_session, account_id, role_name)

    def forget_every(self) -> None:
        """
        Delete all sets from this kernel, and all of Identity Center from this home.

        Raises:
            StorageError: One is there and cannot be deleted.
        """
        for key in {*self._kept, *self._turns}:
            with self._fetching(key):
                self._kept.pop(key, None)
        self._cache.forget_all_role_credentials()

    def _fetching(self, key: tuple[str, str, str]) -> contextlib.AbstractContextManager[bool]:
        """Hold the lock of one role: no renewal, here or in another kernel, is on its way back meanwhile."""
        return storage.lock(self._own_state.lock_path(f"role {key}"))

    def _renewed(self, account_role: AccountRole) -> RoleCredentials:
        best = self._best_cached(account_role)
        if best is not None and not best.refresh_needed(self._now()):
            self._kept[account_role.key] = best
            return best
        with self._fetching(account_role.key):
            best = self._best_cached(account_role)  # another kernel may have been faster
            if best is not None and not best.refresh_needed(self._now()):
                self._kept[account_role.key] = best
                return best
            try:
                return self._fetched(account_role)
            except NoAccess:
                raise  # the role was taken away; the old set would only hide it
            except (ServiceError, NotSignedIn):
                if best is None:
                    raise
                return best

    def _of_this_sign_in(self, account_role: AccountRole, credentials: RoleCredentials) -> bool:
        """Whether a set was fetched since a person signed in: it may have been another person before."""
        owner = self._login.owner(account_role.sso_session) or account_role.sso_session
        approved_at = self._login.records.approved_at(owner)
        return approved_at is None or credentials.obtained_at > approved_at - _CLOCK_GRAIN

    def _fetched(self, account_role: AccountRole) -> RoleCredentials:
        fetched = self._fetch(account_role)
        if fetched.expired(self._now()):
            raise ServiceFailure(
                "The AWS access portal gave credentials that had already expired. Check the clock of this machine, "
                "then run the cell again."
            )
        self._kept[account_role.key] = fetched
        owner = self._login.owner(account_role.sso_session)  # never under a name that did not sign in
        with contextlib.suppress(StorageError):  # this kernel has them; the next one fetches its own
            if owner is not None:
                self._cache.save_role_credentials(owner, account_role.role_name, fetched)
        return fetched

    def _kept_under(self, account_role: AccountRole) -> dict[SsoSession, None]:
        """Return the names under which a role's credentials may be in the cache."""
        owner = self._login.owner(account_role.sso_session)
        return dict.fromkeys([account_role.sso_session, *([owner] if owner is not None else [])])

    def _best_cached(self, account_role: AccountRole) -> RoleCredentials | None:
        """Return the set with the longest life ahead, of this kernel and the cache; none that expired or is refused."""
        sets = (
            self._kept.get(account_role.key),
            *(
                self._cache.load_role_credentials(one, account_role.account.id, account_role.role_name)
                for one in self._kept_under(account_role)
            ),
        )
        good = [
            one
            for one in sets
            if one is not None
            and self._now() < one.expires_at
            and not self.refused(one)
            and self._of_this_sign_in(account_role, one)
        ]
        return max(good, key=lambda one: one.expires_at, default=None)

    def _fetch(self, account_role: AccountRole) -> RoleCredentials:
        sso_session = account_role.sso_session
        return self._login.asking(
            sso_session,
            lambda sso_token: self._identity_center.role_credentials(
                sso_token, sso_session.sso_region, account_role.account.id, account_role.role_name
            ),
        )

    def _turn(self, account_role: AccountRole) -> ForkSafeLock:
        with self._turns_lock:
            return self._turns.setdefault(account_role.key, ForkSafeLock())
