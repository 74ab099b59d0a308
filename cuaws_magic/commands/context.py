"""
One object per kernel: what the commands of that kernel work with. Knows no IPython.

A command is a function of it (`use(context, display, "lab")`), in the module of its own
name. Everything here is made once and shared, so that cells, panels and scripts of one
process see one sign-in and one account in use.
"""

from __future__ import annotations

import functools
import os
import threading
from typing import TYPE_CHECKING

from cuaws_magic.aws.clients import BotoClients
from cuaws_magic.aws.identity_center import IdentityCenter
from cuaws_magic.background import Observers, Tasks
from cuaws_magic.commands.approval import Approvals
from cuaws_magic.commands.callback import CallbackChoice
from cuaws_magic.commands.hints import CellHints
from cuaws_magic.commands.last_used import LastUsed
from cuaws_magic.commands.production import ConfirmedProduction
from cuaws_magic.commands.seen import SeenSecrets
from cuaws_magic.commands.waiting import SignInWait
from cuaws_magic.config.files import AwsFiles
from cuaws_magic.credentials.broker import Broker
from cuaws_magic.credentials.environment import KernelEnvironment
from cuaws_magic.credentials.kernel import KernelCredentials
from cuaws_magic.endpoint.server import CredentialsEndpoint
from cuaws_magic.model import utc_now
from cuaws_magic.redaction.known import KnownSecrets
from cuaws_magic.sso.accounts import Accounts
from cuaws_magic.sso.login import Login
from cuaws_magic.sso.organisations import Organisations
from cuaws_magic.sso.session import SignInChoice
from cuaws_magic.sso.targets import Targets
from cuaws_magic.sso.token_cache import TokenCache
from cuaws_magic.state_store import StateStore

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence

    from cuaws_magic.model import Now, SsoSession
    from cuaws_magic.settings import Settings


class Context:
    """
    The parts of one kernel.

    Attributes:
        environ: The environment of this process, as it is.

        environment: The same, and which of it this package has set.

        aws_files: `~/.aws/config` and `~/.aws/credentials`.

        choice: Which sign-in commands use, and in which region.

        token_cache: The AWS CLI's cached SSO tokens and role credentials.

        state_store: What this package remembers between kernels.

        identity_center: IAM Identity Center and STS.

        login: The sign-ins of this home.

        accounts: Accounts and roles, listed and remembered.

        organisations: Which organisations this home knows, and which sign-ins stand.

        targets: What a person means by TARGET.

        broker: Role credentials.

        observers: Told when anything here changes.

        approvals: Sign-ins that a person is asked to approve.

        callback_choice: How they are approved: by device code, or by authorization code.

        credentials: The account in use.

        known_secrets: What this home has seen as a secret, as salted hashes.

        seen: The secrets that this kernel holds now.

        endpoint: Serves its credentials to native libraries and child processes.

        last_used: What was used last, in this notebook and home.

        sign_in_wait: What clients do whose sign-in has ended.

        confirmed_production: Which production accounts a person confirmed in this kernel.

        hints: What a person is told around a cell.

        tasks: What the buttons of panels started.
    """

    def __init__(self, environ: MutableMapping[str, str] = os.environ, now: Now = utc_now) -> None:
        self.environ = environ
        self.now = now
        self.environment = KernelEnvironment(environ)
        self.aws_files = AwsFiles(environ)
        self.choice = SignInChoice(environ, self.environment.found, self.aws_files)
        self.token_cache = TokenCache.default()
        self.state_store = StateStore.default()
        self.identity_center = IdentityCenter(
            BotoClients(self.environment.found, self.aws_files.plain), now, own_state=self.state_store
        )
        self.login = Login(self.identity_center, self.token_cache, self.state_store, now)
        self.organisations = Organisations(
            self.choice, self.login, self.token_cache, self.aws_files, self._used_last, now
        )
        self.choice.remembered, self.choice.preferred = self.login.records.all, self.organisations.preferred
        self.login.known, self.login.command = self.organisations.all, self.choice.command
        self.accounts = Accounts(self.identity_center, self.login, self.state_store, now)
        self.targets = Targets(self.accounts, self._preferred, self._unasked, self.organisations.each)
        self.broker = Broker(self.identity_center, self.login, self.token_cache, self.state_store, now)
        self.observers = Observers()
        self.approvals = Approvals(self.login, now, self.observers, lambda: self.choice.settings)
        self.approvals.callback = self.callback_choice = CallbackChoice(lambda: self.choice.settings, environ)
        self.credentials = KernelCredentials(self.environment, self.login, now, self.observers)
        self.observers.observe(self.credentials.sign_in_changed)
        self.known_secrets = KnownSecrets(self.state_store, now)
        self.seen = SeenSecrets(self.known_secrets, self.credentials, self.token_cache, self.broker)
        self.observers.observe(self.seen.remember_soon)
        self.endpoint = CredentialsEndpoint(self.state_store.folder / "endpoint", now)
        self.last_used = LastUsed(self.state_store, environ)
        self.sign_in_wait = SignInWait(self.login, self.approvals, lambda: self.choice.settings)
        self.broker.wait_for_sign_in = self.sign_in_wait
        self.confirmed_production = ConfirmedProduction()
        self.hints = CellHints(
            self.credentials, self.login, self.choice, now, environ=environ, last_used=self.last_used
        )
        self.tasks = Tasks(self.observers, lambda: self.in_use_key)

    @property
    def settings(self) -> Settings:
        """What was set, from all places put together."""
        return self.choice.settings

    def _used_last(self) -> list[str]:
        return self.last_used.sign_ins(self.aws_files)

    def _unasked(self) -> list[tuple[SsoSession, str]]:
        return [(one, self.choice.command(one)) for one in self.organisations.unasked()]

    def _preferred(self, role_names: Sequence[str]) -> str | None:
        return self.settings.preferred(role_names)

    @property
    def in_use_key(self) -> object:
        """Tells one account and role in use from another."""
        current = self.credentials.current
        return None if current is None else current.source.key

    def after_fork(self) -> None:
        """Go on in a forked process, a worker of somebody's pool say."""
        for part in (self.identity_center, self.credentials, self.tasks, self.endpoint):
            part.after_fork()


_ONE_AT_A_TIME = threading.Lock()


def the_context() -> Context:
    """Return the one of this process: the environment that it looks after is the process's too."""
    with _ONE_AT_A_TIME:
        return _made()


@functools.cache
def _made() -> Context:
    context = Context()
    if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
        os.register_at_fork(after_in_child=context.after_fork)
    return context
