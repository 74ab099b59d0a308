"""
One object per kernel that wires the rest. Knows no IPython.

Every command is one method here: it takes what a person typed and where to show
things, and returns a value that shows itself.
"""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from typing import TYPE_CHECKING

from cuaws_magic.aws.clients import BotoClients
from cuaws_magic.aws.identity_center import IdentityCenter
from cuaws_magic.background import Observers, Tasks
from cuaws_magic.commands.accounts import Catalogue
from cuaws_magic.commands.approval import Approvals
from cuaws_magic.commands.hints import CellHints
from cuaws_magic.commands.login import Logout
from cuaws_magic.commands.use import Entry, whoami
from cuaws_magic.config.files import AwsFiles
from cuaws_magic.credentials.broker import Broker
from cuaws_magic.credentials.environment import KernelEnvironment
from cuaws_magic.credentials.kernel import KernelCredentials
from cuaws_magic.errors import ConfigurationError, CuawsError
from cuaws_magic.humanize import clock
from cuaws_magic.model import utc_now
from cuaws_magic.settings import SIGN_IN_WARNING, Settings
from cuaws_magic.sso import session
from cuaws_magic.sso.accounts import Accounts
from cuaws_magic.sso.login import Login
from cuaws_magic.sso.session import SignInChoice
from cuaws_magic.sso.targets import Targets
from cuaws_magic.sso.token_cache import TokenCache
from cuaws_magic.storage import StateStore
from cuaws_magic.views.account import AccountTable, InUse, Released, Status, Whoami
from cuaws_magic.views.sign_in import SignedIn, SignedOut, SigningIn

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from cuaws_magic.commands.login import Ended
    from cuaws_magic.commands.side_desk import SideDesk
    from cuaws_magic.credentials.kernel import InUseRole
    from cuaws_magic.model import Now, SsoSession
    from cuaws_magic.views.render import Display


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
        self._env = KernelEnvironment(environ)
        self._choice = SignInChoice(environ, self._env.found, self._files)
        self._cache = TokenCache.default()
        own_state = StateStore.default()
        self._identity_center = IdentityCenter(BotoClients(self._env.found), now=now)
        self._login = Login(self._identity_center, self._cache, own_state, now)
        self._broker = Broker(self._identity_center, self._login, self._cache, own_state, now)
        self.directory = Accounts(self._identity_center, self._login, own_state, now)
        self._targets = Targets(self.directory)
        self.changes = Observers()
        self.desk = Approvals(self._login, now, self.changes)
        self.catalogue = Catalogue(self.directory, self.desk, now)
        self._logout = Logout(self._identity_center, self._login, self._broker, self.directory, self._cache, now)
        self.credentials = KernelCredentials(self._env, self._login, now, self.changes)
        self.changes.observe(self.credentials.sign_in_changed)
        self.entry = Entry(
            aws_files=self._files, targets=self._targets, broker=self._broker, login=self._login,
            identity_center=self._identity_center, desk=self.desk, directory=self.directory,
            credentials=self.credentials, sso_session=self._choice.sso_session, region=self._choice.region,
            marked=self._is_production, now=now,
        )  # fmt: skip
        self.watch = CellHints(self.credentials, self._login, self._choice, now, environ=environ)
        self.errands = Tasks(self.changes, lambda: self.in_use_key)

    def configure(self, settings: Settings) -> None:
        """Take settings for all later commands, over the ones before: IPython's, or a person's choice."""
        self._choice.configure(settings)

    def prepare(self) -> None:
        """Be in front of botocore sessions that are made before an account is in use."""
        self.credentials.prepare()

    @functools.cached_property
    def side_desk(self) -> SideDesk:
        """Profiles, exports, links into the console, the doctor."""
        from cuaws_magic.commands.side_desk import SideDesk

        return SideDesk(
            environ=self._environ, env=self._env, aws_files=self._files, cache=self._cache, broker=self._broker,
            login=self._login, credentials=self.credentials, desk=self.desk, targets=self._targets,
            target_names=self.target_names, sso_session=self._choice.sso_session, region=self._choice.region,
            now=self._now, directory=self.directory, settings=lambda: self.settings,
        )  # fmt: skip

    def after_fork(self) -> None:
        """Go on in a forked process, a worker of somebody's pool say."""
        for part in (self._identity_center, self._broker, self.credentials, self.changes, self.errands):
            part.after_fork()

    # Signing in.

    def login(
        self,
        show: Display,
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
        sso_session = self._choice.sso_session(settings)
        standing = None if force else self._login.current(sso_session)
        if standing is not None:
            signed_in: SignedIn | SigningIn = SignedIn(
                sso_session, standing.ends_at, already=True, notes=standing.notes, at=self._now()
            )
        else:
            signed_in = self.desk.approve(sso_session, show, force=force, wait=wait, timeout=timeout)
        if settings is not None:
            self.configure(settings)
        return signed_in

    def logout(self, *, every: bool = False) -> SignedOut:
        """
        End the sign-in at the portal and here, and take everything out of the kernel.

        Args:
            every: Every sign-in of the cache, as `aws sso logout` does.

        Raises:
            StorageError: A file is there and cannot be deleted.
        """
        self.desk.cancel()
        current = self.credentials.current
        self.credentials.deactivate()  # first: whatever is wrong with the files, no keys stay in the kernel
        ended = self._logout.every(self._own_sign_in(current)) if every else self._end_own(current)
        sentences = list(ended.sentences)
        sentences += self.entry.lives_on(current) if current is not None else []
        if ended.organisations:
            sentences.append(
                "Your browser may still be signed in to the access portal: on a shared computer sign out there too."
            )
        self.changes.notify()
        return SignedOut(ended.organisations, tuple(sentences))

    # Using an account.

    def use(
        self,
        show: Display,
        target: str,
        *,
        role: str | None = None,
        region: str | None = None,
        via: str = "env",
        verify: bool = True,
    ) -> InUse:
        """Put an account in use, as `Entry.use`; signs in first if need be."""
        return self.entry.use(show, target, role=role, region=region, via=via, verify=verify)

    def paste(self, text: str, save: str | None = None) -> InUse:
        """Put keys from the access portal in use, as `PasteDesk.paste`."""
        from cuaws_magic.commands.paste import PasteDesk

        desk = PasteDesk(
            entry=self.entry, credentials=self.credentials, identity_center=self._identity_center,
            aws_files=self._files, own_state=StateStore.default(), region=self._choice.region(None), now=self._now,
        )  # fmt: skip
        return desk.paste(text, save)

    def release(self) -> Released:
        """Take the credentials out of the kernel; every variable is again as it was found."""
        current = self.credentials.current
        touched = self._env.touched
        self.credentials.deactivate()
        notes = [f"{', '.join(touched)} had been changed since, and stays as it is."] if touched else []
        if current is not None and current.sso_session is None:
            notes += self.entry.lives_on(current)
        elif current is not None:
            notes.append("You are still signed in: `%cuaws use ACCOUNT` needs no approval.")
        return Released(current.account.name if current else None, tuple(notes))

    def whoami(self) -> Whoami:
        """
        Ask STS as whom this kernel's AWS calls go out, whoever set that up.

        Raises:
            NoCredentials: There are none.

            ServiceError: STS does not accept them, or does not answer.
        """
        region = self._environ.get("AWS_REGION") or self._environ.get("AWS_DEFAULT_REGION")
        try:
            identity = self._identity_center.caller_identity(None, region or self._choice.region(None))
        except ConfigurationError:
            self._files.read()  # names file and line, where a file is the reason
            raise
        return whoami(identity, self.entry.account(identity.account).name)

    def status(self) -> Status:
        """Say what holds in this kernel; asks nobody."""
        current = self.credentials.current
        sso_session = self._sign_in_of_status(current)
        sign_in, trouble = self._login.peek(sso_session) if sso_session is not None else (None, None)
        notes = [f"{trouble} `%cuaws login` replaces it."] if trouble and sign_in is None else []
        if sign_in is not None and sign_in.ends_at - self._now() <= SIGN_IN_WARNING:
            at = clock(sign_in.ends_at, self._now())
            notes.append(f"The sign-in ends soon, at {at}. Type `%cuaws login --force` when it suits you.")
        if self.desk.waiting:
            notes.append("A sign-in is waiting for your approval, in the cell where it was started.")
        if self._env.touched:
            notes.append(
                f"{', '.join(self._env.touched)} changed since `%cuaws use`; `%cuaws whoami` tells who you are now."
            )
        in_use = self.entry.card(current) if current is not None else None
        return Status(sso_session, sign_in.ends_at if sign_in else None, in_use, tuple(notes), self._now())

    # Looking around.

    def accounts(
        self, show: Display, pattern: str | None = None, *, roles: bool = False, refresh: bool = False
    ) -> AccountTable:
        """List accounts, as `Catalogue.accounts`; signs in first if need be."""
        return self.catalogue.accounts(self._choice.sso_session(), show, pattern, roles=roles, refresh=refresh)

    def target_names(self) -> list[str]:
        """Return what can be typed as TARGET, as far as it is known without asking anyone."""
        with contextlib.suppress(CuawsError):
            return self.catalogue.target_names(self._choice.sso_session(), self._files.read())
        return []

    def role_names(self, target: str) -> list[str]:
        """Return the roles known for a target, without asking anyone."""
        with contextlib.suppress(CuawsError):
            return self.catalogue.role_names(self._choice.sso_session(), self._files.read(), target)
        return []

    def session_names(self) -> list[str]:
        """Return the names of the sso-sessions that are configured."""
        with contextlib.suppress(CuawsError):
            return sorted({*self._files.read().session_sections, session.CU_BOULDER.label})
        return []

    def saved_names(self) -> list[str]:
        """Return the names of the blocks in the credentials file."""
        with contextlib.suppress(CuawsError):
            return list(self._files.read().static_profiles)
        return []

    def profile_names(self) -> list[str]:
        """Return the names of all profiles, of both files."""
        with contextlib.suppress(CuawsError):
            config = self._files.read()
            return [*config.profiles, *config.static_profiles]
        return []

    # For the panel.

    @property
    def in_use_key(self) -> object:
        """Tells one account and role in use from another."""
        current = self.credentials.current
        return None if current is None else current.source.key

    @property
    def settings(self) -> Settings:
        """What was set, from all places put together."""
        return self._choice.settings

    def configured_sessions(self) -> list[str]:
        """Return the sso-sessions of `~/.aws/config`, and no others."""
        with contextlib.suppress(CuawsError):
            return sorted(self._files.read().session_sections)
        return []

    def default_region(self) -> str:
        """Return where clients go if nobody says otherwise."""
        return self._choice.region(self._choice.sso_session())

    # Inside.

    def _is_production(self, name: str) -> bool:
        return self.settings.is_production(name)

    def _end_own(self, current: InUseRole | None) -> Ended:
        sso_session = (current.sso_session if current is not None else None) or self._choice.sso_session()
        config = None
        with contextlib.suppress(CuawsError):  # it only tells of more files to delete
            config = self._files.read()
        return self._logout.one(sso_session, config)

    def _own_sign_in(self, current: InUseRole | None) -> SsoSession | None:
        """Return the sign-in of this kernel, if it is settled which that is."""
        return (current.sso_session if current is not None else None) or self._choice.settled()

    def _sign_in_of_status(self, current: InUseRole | None) -> SsoSession | None:
        # What is in use may need none; then it need not be settled which.
        return self._choice.sso_session() if current is None else self._own_sign_in(current)


_ONE_AT_A_TIME = threading.Lock()


def the_app() -> App:
    """Return the one of this process: the environment that it looks after is the process's too."""
    with _ONE_AT_A_TIME:
        return _made()


@functools.cache
def _made() -> App:
    app = App()
    if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
        os.register_at_fork(after_in_child=app.after_fork)
    return app
