"""
One object per kernel that wires the rest. Knows no IPython.

Every command is one method here: it takes what a person typed and where to show
things, and returns a value that shows itself.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cuaws_magic import organisation
from cuaws_magic.aws_files import AwsFiles
from cuaws_magic.broker import Broker
from cuaws_magic.catalogue import Catalogue
from cuaws_magic.directory import Directory
from cuaws_magic.errors import CredentialsRefused, CuawsError
from cuaws_magic.identity_center import IdentityCenter
from cuaws_magic.kernel_env import KernelEnv
from cuaws_magic.login import Login
from cuaws_magic.logout import Logout
from cuaws_magic.model import utc_now
from cuaws_magic.own_state import OwnState
from cuaws_magic.render import clock
from cuaws_magic.results import (
    AccountTable,
    InUse,
    Released,
    SignedIn,
    SignedOut,
    SigningIn,
    Status,
    Whoami,
)
from cuaws_magic.settings import Settings
from cuaws_magic.sign_in_desk import SignInDesk
from cuaws_magic.targets import Targets
from cuaws_magic.token_cache import TokenCache

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from cuaws_magic.approval import Show
    from cuaws_magic.model import AccountRole, Identity, Now, RoleCredentials, SsoSession


@dataclass(frozen=True, slots=True)
class _Current:
    account_role: AccountRole
    credentials: RoleCredentials
    region: str
    identity: Identity | None


class App:
    """
    What the commands do.

    Args:
        environ: The environment of this process.

        now: The current time, aware, UTC.
    """

    def __init__(self, environ: MutableMapping[str, str] = os.environ, now: Now = utc_now) -> None:
        self._environ = environ
        self._now = now
        self._files = AwsFiles(environ)
        self._env = KernelEnv(environ)
        self._cache = TokenCache.default()
        own_state = OwnState.default()
        self._identity_center = IdentityCenter(now=now)
        self._login = Login(self._identity_center, self._cache, own_state, now)
        self._broker = Broker(self._identity_center, self._login, self._cache, own_state, now)
        self._directory = Directory(self._identity_center, self._login, own_state, now)
        self._targets = Targets(self._directory)
        self._desk = SignInDesk(self._login, now)
        self.catalogue = Catalogue(self._directory, self._desk, now)
        self._logout = Logout(self._identity_center, self._login, self._broker, self._directory, self._cache, now)
        self._settings = Settings()
        self._current: _Current | None = None

    def configure(self, settings: Settings) -> None:
        """Take settings for all later commands, over the ones before: IPython's, or a person's choice."""
        self._settings = settings.over(self._settings)

    # Signing in.

    def login(
        self,
        show: Show,
        settings: Settings | None = None,
        *,
        force: bool = False,
        wait: bool = True,
        timeout: float | None = None,
    ) -> SignedIn | SigningIn:
        """
        Sign in, unless that is done.

        Args:
            show: Where the card goes.

            settings: What the arguments say of the organisation; holds for later commands.

            force: Although still signed in.

            wait: Until a person approved; otherwise in the background.

            timeout: Seconds after which to give up.

        Raises:
            CuawsError: It came to nothing.

            Cancelled: Ctrl-C or the stop button.
        """
        sso_session = self._sso_session(settings)
        if settings is not None:
            self.configure(settings)
        if not force:
            standing = self._login.current(sso_session)
            if standing is not None:
                return SignedIn(sso_session, standing.ends_at, already=True, notes=standing.notes, at=self._now())
        return self._desk.approve(sso_session, show, force=force, wait=wait, timeout=timeout)

    def logout(self, *, every: bool = False) -> SignedOut:
        """
        End the sign-in at the portal and here, and take everything out of the kernel.

        Args:
            every: Every sign-in of the cache, as `aws sso logout` does.

        Raises:
            StorageError: A file is there and cannot be deleted.
        """
        self._desk.cancel()
        config = self._files.read()
        sso_session = self._sso_session(None)
        current = self._current
        ended = self._logout.every(sso_session) if every else self._logout.one(sso_session, config)
        sentences = list(ended.sentences)
        if current is not None and (every or current.account_role.sso_session.cache_key == sso_session.cache_key):
            self._take_out()
            if current.credentials.expires_at > self._now():
                name = current.account_role.account.name
                ends = clock(current.credentials.expires_at, self._now())
                sentences.append(
                    f"Programs that already hold credentials for {name} can use them until {ends}: "
                    "AWS does not take them back."
                )
        if ended.organisations:
            sentences.append(
                "Your browser may still be signed in to the access portal: on a shared computer sign out there too."
            )
        return SignedOut(ended.organisations, tuple(sentences))

    # Using an account.

    def use(
        self,
        show: Show,
        target: str,
        *,
        role: str | None = None,
        region: str | None = None,
        verify: bool = True,
    ) -> InUse:
        """
        Put credentials for an account into the kernel, signing in first if need be.

        Nothing changes unless all of it succeeds.

        Args:
            show: Where the card of a sign-in goes.

            target: Profile, account name, account id, or one of them with `/role`.

            role: The role.

            region: Where clients go by default.

            verify: Confirm with `sts:GetCallerIdentity`.

        Raises:
            CuawsError: There is no such account, or no credentials for it.

            Cancelled: Ctrl-C or the stop button during the sign-in.
        """
        config = self._files.read()

        def obtain() -> tuple[AccountRole, RoleCredentials]:
            account_role = self._targets.resolve(target, role, lambda: self._sso_session(None), config)
            return account_role, self._broker.credentials(account_role)

        account_role, credentials = self._desk.answered(obtain, show)
        region = region or account_role.region or self._default_region(account_role.sso_session)
        identity = self._confirmed(account_role, credentials, region) if verify else None
        self._env.install(credentials, region)
        _drop_default_session()
        self._current = _Current(account_role, credentials, region, identity)
        self._directory.used(account_role)
        return self._in_use(self._current)

    def release(self) -> Released:
        """Take the credentials out of the kernel; every variable is again as it was found."""
        current = self._current
        touched = self._env.touched
        self._take_out()
        notes = [f"{', '.join(touched)} had been changed since, and stays as it is."] if touched else []
        notes += ["You are still signed in: `%cuaws use ACCOUNT` needs no approval."] if current else []
        return Released(current.account_role.account.name if current else None, tuple(notes))

    def whoami(self) -> Whoami:
        """
        Ask STS as whom this kernel's AWS calls go out, whoever set that up.

        Raises:
            NoCredentials: There are none.

            ServiceError: STS does not accept them, or does not answer.
        """
        region = self._environ.get("AWS_REGION") or self._environ.get("AWS_DEFAULT_REGION")
        return _whoami(
            self._identity_center.caller_identity(
                None, region or self._settings.region or organisation.CU_BOULDER.sso_region
            )
        )

    def status(self) -> Status:
        """Say what holds in this kernel; asks nobody."""
        sso_session = self._current.account_role.sso_session if self._current else self._sso_session(None)
        sign_in, trouble = self._login.peek(sso_session)
        notes = [f"{trouble} `%cuaws login` replaces it."] if trouble and sign_in is None else []
        if self._desk.waiting:
            notes.append("A sign-in is waiting for your approval, in the cell where it was started.")
        if self._env.touched:
            notes.append(
                f"{', '.join(self._env.touched)} changed since `%cuaws use`; `%cuaws whoami` tells who you are now."
            )
        in_use = self._in_use(self._current) if self._current is not None else None
        return Status(sso_session, sign_in.ends_at if sign_in else None, in_use, tuple(notes), self._now())

    # Looking around.

    def accounts(
        self, show: Show, pattern: str | None = None, *, roles: bool = False, refresh: bool = False
    ) -> AccountTable:
        """List accounts, as `Catalogue.accounts`; signs in first if need be."""
        return self.catalogue.accounts(self._sso_session(None), show, pattern, roles=roles, refresh=refresh)

    def target_names(self) -> list[str]:
        """Return what can be typed as TARGET, as far as it is known without asking anyone."""
        with contextlib.suppress(CuawsError):
            return self.catalogue.target_names(self._sso_session(None), self._files.read())
        return []

    def role_names(self, target: str) -> list[str]:
        """Return the roles known for a target, without asking anyone."""
        with contextlib.suppress(CuawsError):
            return self.catalogue.role_names(self._sso_session(None), self._files.read(), target)
        return []

    def session_names(self) -> list[str]:
        """Return the names of the sso-sessions that are configured."""
        with contextlib.suppress(CuawsError):
            return sorted({*self._files.read().session_sections, organisation.CU_BOULDER.label})
        return []

    # Inside.

    def _sso_session(self, settings: Settings | None) -> SsoSession:
        wanted = (settings or Settings()).over(self._settings).over(Settings.from_environ(self._environ))
        profile = self._env.found("AWS_PROFILE") or self._env.found("AWS_DEFAULT_PROFILE")
        return organisation.choose(wanted, self._files.read(), profile)

    def _default_region(self, sso_session: SsoSession) -> str:
        settings = self._settings.over(Settings.from_environ(self._environ))
        as_found = self._env.found("AWS_REGION") or self._env.found("AWS_DEFAULT_REGION")
        return settings.region or as_found or sso_session.sso_region

    def _confirmed(self, account_role: AccountRole, credentials: RoleCredentials, region: str) -> Identity:
        identity = self._identity_center.caller_identity(credentials, region)
        if identity.account != account_role.account.id:
            raise CredentialsRefused(
                f"AWS says that these credentials are for account {identity.account}, not {account_role.account.id}. "
                "Nothing was changed. Type `%cuaws logout`, then sign in again."
            )
        return identity

    def _in_use(self, current: _Current) -> InUse:
        account = current.account_role.account
        sign_in, _ = self._login.peek(current.account_role.sso_session)
        return InUse(
            account=account.id,
            account_name=account.name,
            role=current.account_role.role_name,
            region=current.region,
            expires_at=current.credentials.expires_at,
            signed_in_until=sign_in.ends_at if sign_in is not None else None,
            identity=_whoami(current.identity) if current.identity is not None else None,
            notes=(),
            at=self._now(),
        )

    def _take_out(self) -> None:
        self._env.remove()
        self._current = None
        _drop_default_session()


@functools.cache
def the_app() -> App:
    """Return the one of this process: the environment that it looks after is the process's too."""
    return App()


def _whoami(identity: Identity) -> Whoami:
    return Whoami(identity.account, identity.arn, identity.user_id, identity.person)


def _drop_default_session() -> None:
    """Make `boto3.client(…)` look again: boto3 keeps the session of its first call."""
    if "boto3" in sys.modules:
        vars(sys.modules["boto3"])["DEFAULT_SESSION"] = None
