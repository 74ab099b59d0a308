"""Which sign-in commands use, and in which region: all that was said about it, in one place."""

from __future__ import annotations

import contextlib
import shlex
from typing import TYPE_CHECKING

from cuaws_magic import organisation
from cuaws_magic.errors import CuawsError
from cuaws_magic.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cuaws_magic.aws_files import AwsFiles
    from cuaws_magic.kernel_env import KernelEnv
    from cuaws_magic.model import SsoSession


class SignInChoice:
    """
    The choice of one kernel.

    Args:
        environ: The environment of this process.

        env: The same as it is without us.

        aws_files: The AWS files.
    """

    def __init__(self, environ: Mapping[str, str], env: KernelEnv, aws_files: AwsFiles) -> None:
        self._environ = environ
        self._env = env
        self._aws_files = aws_files
        self._said = Settings()

    @property
    def settings(self) -> Settings:
        """What was set, from all places put together."""
        return self._said.over(Settings.from_environ(self._environ))

    def configure(self, settings: Settings) -> None:
        """Take settings for all later commands, over the ones before: IPython's, or a person's choice."""
        self._said = settings.over(self._said)

    def sso_session(self, settings: Settings | None = None) -> SsoSession:
        """
        Return the sign-in that is meant.

        Args:
            settings: What the arguments of this command say.

        Raises:
            ConfigurationError: It is not settled which, or something of it is not in order.
        """
        named = [(name, self._env.found(name)) for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")]
        profile = next(((name, value) for name, value in named if value), None)
        return organisation.choose((settings or Settings()).over(self.settings), self._aws_files.read(), profile)

    def settled(self) -> SsoSession | None:
        """Return the same, or nothing where it is not settled."""
        with contextlib.suppress(CuawsError):
            return self.sso_session()
        return None

    def known(self) -> list[SsoSession]:
        """Return every sign-in that a command or a profile may need, the settled one first."""
        own = self.settled()
        found = {} if own is None else {own.cache_key: own}
        with contextlib.suppress(CuawsError):
            found |= {one.cache_key: one for one in self._aws_files.read().sign_ins()}
        return list(found.values())

    def command(self, sso_session: SsoSession, *, force: bool = False) -> str:
        """Return what to type to be signed in there, as a person reads it."""
        own = self.settled()
        words = ["%cuaws login"]
        if sso_session.name is None:
            # `--start-url` may mean a section with the same address, which keeps another file.
            with contextlib.suppress(CuawsError):
                for profile in self._aws_files.read().profiles.values():
                    if "sso_session" not in profile.settings and sso_session.cache_key == profile.settings.get(
                        "sso_start_url"
                    ):
                        return f"`%cuaws use {shlex.quote(profile.name)}`"
            words += ["--start-url", sso_session.start_url, "--sso-region", sso_session.sso_region]
        elif own is None or sso_session.cache_key != own.cache_key:
            words += ["--session", shlex.quote(sso_session.name)]
        return f"`{' '.join([*words, '--force'] if force else words)}`"

    def region(self, sso_session: SsoSession | None) -> str:
        """Return where the clients of a sign-in go if nobody says otherwise."""
        as_found = self._env.found("AWS_REGION") or self._env.found("AWS_DEFAULT_REGION")
        return self.settings.region or as_found or (sso_session or organisation.CU_BOULDER).sso_region
