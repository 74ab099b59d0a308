"""What a person asks for beside an account to use: profiles, exports, links into the console, the doctor."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    from cuaws_magic.commands.approval import Approvals
    from cuaws_magic.commands.configure import ProfileBook
    from cuaws_magic.commands.console import Console
    from cuaws_magic.commands.export import Handover
    from cuaws_magic.config.files import AwsFiles
    from cuaws_magic.credentials.broker import Broker
    from cuaws_magic.credentials.environment import KernelEnvironment
    from cuaws_magic.credentials.kernel import KernelCredentials
    from cuaws_magic.diagnostics.gather import Examination
    from cuaws_magic.model import AccountRole, Now, SsoSession
    from cuaws_magic.settings import Settings
    from cuaws_magic.sso.accounts import Accounts
    from cuaws_magic.sso.login import Login
    from cuaws_magic.sso.targets import Targets
    from cuaws_magic.sso.token_cache import TokenCache
    from cuaws_magic.views.account import ConsoleLink
    from cuaws_magic.views.diagnosis import Diagnosis
    from cuaws_magic.views.export import Exported
    from cuaws_magic.views.profiles import Configured, Forgotten
    from cuaws_magic.views.render import Display


class SideDesk:
    """
    Each command's own module is imported with its first use.

    Args:
        environ: The environment of this process.

        env: Which of it is ours.

        aws_files: The AWS files.

        cache: Where the AWS CLI keeps sign-ins.

        broker: Where role credentials come from.

        login: The sign-ins.

        credentials: Knows the account in use.

        desk: Where a person signs in if that is needed.

        targets: Knows what a TARGET means.

        target_names: What can be typed as TARGET, as far as it is known without asking anyone.

        sso_session: The sign-in that commands use.

        region: Where clients of a sign-in go by default.

        now: The current time, aware, UTC.

        directory: Knows accounts and roles.

        settings: What was set, from all places put together.
    """

    def __init__(  # noqa: PLR0913 - it passes on what several commands need
        self,
        *,
        environ: Mapping[str, str],
        env: KernelEnvironment,
        aws_files: AwsFiles,
        cache: TokenCache,
        broker: Broker,
        login: Login,
        credentials: KernelCredentials,
        desk: Approvals,
        targets: Targets,
        target_names: Callable[[], list[str]],
        sso_session: Callable[[], SsoSession],
        region: Callable[[SsoSession], str],
        now: Now,
        directory: Accounts,
        settings: Callable[[], Settings],
    ) -> None:
        self._environ = environ
        self._env = env
        self._aws_files = aws_files
        self._cache = cache
        self._broker = broker
        self._login = login
        self._credentials = credentials
        self._desk = desk
        self._targets = targets
        self._target_names = target_names
        self._sso_session = sso_session
        self._region = region
        self._now = now
        self._directory = directory
        self._settings = settings

    def configure(
        self, show: Display, pattern: str | None = None, *, dry_run: bool = False, prune: bool = False
    ) -> Configured:
        """Write profiles, as `ProfileBook.configure`."""
        sso_session = self._sso_session()
        # Not the region of this machine's environment: the file may be read on others.
        region = self._settings().region or sso_session.sso_region
        return self._profile_book.configure(sso_session, region, show, pattern, dry_run=dry_run, prune=prune)

    def forget(self, name: str) -> Forgotten:
        """Delete a saved block of keys, as `ProfileBook.forget`."""
        return self._profile_book.forget(name, self._credentials.current)

    def export(
        self,
        show: Display,
        target: str | None,
        format_name: str,
        *,
        to: str | os.PathLike[str] | None = None,
        variable: str | None = None,
        shown: bool = False,
    ) -> Exported:
        """Export credentials, as `Handover.export`."""
        return self._handover.export(show, target, format_name, to=to, variable=variable, shown=shown)

    def console(self, show: Display, service: str | None = None, target: str | None = None) -> ConsoleLink:
        """Return a link into the console, as `Console.link`."""
        return self._console.link(show, service, target)

    def doctor(self) -> Diagnosis:
        """Look at this machine and judge; raises for nothing that it finds."""
        from cuaws_magic.diagnostics.checks import diagnose

        return diagnose(self._examination.snapshot())

    def account_role(self, show: Display, target: str) -> AccountRole:
        """Return the one account and role that a TARGET means, signing in first if need be."""
        config = self._aws_files.read()
        return self._desk.retry_after_sign_in(
            lambda: self._targets.resolve(target, None, self._sso_session, config), show
        )

    @functools.cached_property
    def _profile_book(self) -> ProfileBook:
        from cuaws_magic.commands.configure import ProfileBook
        from cuaws_magic.storage import StateStore

        return ProfileBook(self._aws_files, self._directory, self._desk, StateStore.default())

    @functools.cached_property
    def _handover(self) -> Handover:
        from cuaws_magic.commands.export import Handover

        return Handover(self._credentials, self._broker, self._desk, self.account_role, self._aws_files, self._now)

    @functools.cached_property
    def _console(self) -> Console:
        from cuaws_magic.commands.console import Console

        return Console(self._credentials, self.account_role, self._target_names, self._region, self._environ)

    @functools.cached_property
    def _examination(self) -> Examination:
        from cuaws_magic.diagnostics.gather import Examination

        return Examination(
            self._environ,
            env=self._env,
            aws_files=self._aws_files,
            cache=self._cache,
            credentials=self._credentials,
            login=self._login,
            choose=self._sso_session,
            now=self._now,
        )
