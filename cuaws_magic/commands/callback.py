"""
Where the browser goes at the end of a sign-in by authorization code (`sso.authorization_code.Callback`).

A `listener` on loopback, where kernel and browser are on one machine (RFC 8252 §7.3). Elsewhere nothing listens: the
browser ends on a page that cannot be reached, and a person pastes its address.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cuaws_magic.aws.hosts import callback_address
from cuaws_magic.errors import ConfigurationError, SignInError
from cuaws_magic.model import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cuaws_magic.model import SsoSession
    from cuaws_magic.settings import Settings
    from cuaws_magic.sso.authorization_code import Callback
    from cuaws_magic.views.render import Display

# Variables of machines whose kernels have their browsers elsewhere: ssh, hubs, clusters, and hosted notebooks.
_ELSEWHERE = (
    "SSH_CONNECTION", "SSH_TTY", "JUPYTERHUB_API_TOKEN", "JUPYTERHUB_USER", "KUBERNETES_SERVICE_HOST", "CODESPACES",
    "COLAB_RELEASE_TAG", "SAGEMAKER_APP_TYPE",
)  # fmt: skip
_CONTAINERS = ("/.dockerenv", "/run/.containerenv")
_DYNAMIC_PORTS = range(49152, 65536)  # RFC 6335 §6: nothing is registered there


class PastedCallback:
    """
    Has a person paste the address on which the browser ended.

    Args:
        ask: Shows a question and returns what was typed, hidden.
    """

    pasted = True
    _QUESTION = "Paste the address of the page that cannot be reached (it stays hidden), then press Enter: "

    def __init__(self, ask: Callable[[str], str]) -> None:
        import secrets  # deferred

        self._ask = ask
        # Of the browser's machine: a port on which nothing listens there, as far as anybody can know.
        self.redirect_uri = callback_address(secrets.choice(_DYNAMIC_PORTS))

    def answer(self) -> Secret:
        """Ask for it."""
        return Secret(self._ask(self._QUESTION))

    def close(self, outcome: str | None) -> None:
        """Nothing to close."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    How a person wants to approve.

    Attributes:
        pkce: By authorization code, or by device code; `None`: as `CallbackChoice` has it.

        qr: With the link as a QR code; for a phone, so by device code.
    """

    pkce: bool | None = None
    qr: bool = False

    @property
    def by_code(self) -> bool | None:
        """
        Whether by authorization code.

        Raises:
            ConfigurationError: That, and a QR code.
        """
        if self.qr and self.pkce:
            raise ConfigurationError(
                "A QR code is for a phone, and by authorization code you sign in on this computer. "
                "Type `%cuaws login --qr`."
            )
        return False if self.qr else self.pkce


AS_SET = Wanted()


class CallbackChoice:
    """
    How a sign-in is approved: by device code, or by authorization code and with which end.

    Args:
        settings: What a person set.

        environ: Tells whether the kernel is on another machine than the browser.

        in_container: Whether this process is in a container, whose loopback no browser outside reaches.

    Attributes:
        asking: Returns what asks a person for a text that stays hidden; nothing where nobody can be asked.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        environ: Mapping[str, str] = os.environ,
        in_container: Callable[[], bool] = lambda: any(map(os.path.exists, _CONTAINERS)),
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._in_container = in_container
        self.asking: Callable[[], Callable[[str], str] | None] = _in_terminal

    def __call__(self, sso_session: SsoSession, show: Display, wanted: bool | None) -> Callback | None:  # noqa: FBT001 - what was typed, or nothing
        """
        Choose; `None` for a device code.

        Args:
            sso_session: Which sign-in.

            show: Where its card goes.

            wanted: What was typed.

        Raises:
            SignInError: By authorization code, and nobody can bring back the address.
        """
        settings = self._settings()
        # Whether a browser surely opens on this machine; only cells and scripts say so, not a panel.
        beside_browser: bool | None = getattr(show, "beside_browser", None)
        remote = self._remote() if settings.remote is None else settings.remote
        if wanted is None and beside_browser is not None:
            # By itself as the AWS CLI does it: for an sso-session, where the browser is surely here.
            alone = beside_browser and not remote and sso_session.name is not None
            wanted = settings.pkce if settings.pkce is not None else alone
        if not wanted:
            return None
        if not remote:
            from cuaws_magic.commands.listener import ListeningCallback  # deferred: http.server takes its time

            return ListeningCallback()
        ask = self.asking()
        if ask is None:
            raise SignInError(
                "Nobody can be asked here for the address on which the sign-in ends. Type `%cuaws login --pkce` in a "
                "notebook or terminal first; this program is signed in then, too."
            )
        return PastedCallback(ask)

    def _remote(self) -> bool:
        return any(name in self._environ for name in _ELSEWHERE) or self._in_container()


def _in_terminal() -> Callable[[str], str] | None:
    if sys.stdin is None or not sys.stdin.isatty():
        return None
    import getpass  # deferred, as all that only such a sign-in needs

    return getpass.getpass
