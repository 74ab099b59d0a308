"""
Where the browser goes at the end of a sign-in by authorization code (`sso.authorization_code.Callback`).

A listener on loopback, where kernel and browser are on one machine (RFC 8252 §7.3). Elsewhere nothing listens: the
browser ends on a page that cannot be reached, and a person pastes its address.
"""

from __future__ import annotations

import functools
import getpass
import os
import secrets
import socketserver
import sys
import threading
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cuaws_magic.errors import ConfigurationError, SignInError
from cuaws_magic.humanize import printable
from cuaws_magic.model import Secret
from cuaws_magic.views.sign_in_page import browser_page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cuaws_magic.model import SsoSession
    from cuaws_magic.settings import Settings
    from cuaws_magic.sso.authorization_code import Callback
    from cuaws_magic.views.render import Display

_HERE = "127.0.0.1"
_PATH = "/oauth/callback"  # as the AWS CLI registers it
_LAST_WORDS = 2.0  # seconds in which the browser is told how it ended
_OUTCOME = 30.0  # seconds that the browser waits for the exchange of its code
# Variables of machines whose kernels have their browsers elsewhere: ssh, hubs, clusters, and hosted notebooks.
_ELSEWHERE = (
    "SSH_CONNECTION", "SSH_TTY", "JUPYTERHUB_API_TOKEN", "JUPYTERHUB_USER", "KUBERNETES_SERVICE_HOST", "CODESPACES",
    "COLAB_RELEASE_TAG", "SAGEMAKER_APP_TYPE",
)  # fmt: skip
_CONTAINERS = ("/.dockerenv", "/run/.containerenv")
_DYNAMIC_PORTS = range(49152, 65536)  # RFC 6335 §6: nothing is registered there


class ListeningCallback:
    """
    Takes one answer on a free port of 127.0.0.1, and tells the browser how it ended.

    Opened when its address is asked for.
    """

    pasted = False

    def __init__(self) -> None:
        self._server: socketserver.TCPServer | None = None
        self._address: str | None = None
        self._lock = threading.Lock()
        self._answer: Secret | None = None
        self._ended, self._told = threading.Event(), threading.Event()
        self._outcome: str | None = None

    @property
    def redirect_uri(self) -> str:
        """
        Its address, with the port.

        Raises:
            SignInError: Nothing can listen here.
        """
        if self._address is None:
            try:
                self._server = _Server((_HERE, 0), functools.partial(_Request, self))
            except OSError as error:
                raise SignInError(
                    f"Nothing can listen on {_HERE} of this machine ({error.strerror}). Type `%cuaws login`, which "
                    "needs nothing of that kind."
                ) from None
            threading.Thread(
                target=self._server.serve_forever, args=(0.05,), name="cuaws-callback", daemon=True
            ).start()
            self._address = f"http://{_HERE}:{self._server.server_address[1]}{_PATH}"
        return self._address

    def answer(self) -> Secret | None:
        """Return the address that the browser went to, or nothing as yet."""
        with self._lock:
            return self._answer

    def close(self, outcome: str | None) -> None:
        """Tell the browser how it ended, and stop listening."""
        self._outcome = outcome
        self._ended.set()
        server, self._server = self._server, None
        if server is not None:
            if self.answer() is not None:
                self._told.wait(_LAST_WORDS)
            server.shutdown()
            server.server_close()

    def taken(self, address: Secret) -> bool:
        """Take an answer; `False` if there is one already."""
        with self._lock:
            if self._answer is not None:
                return False
            self._answer = address
            return True

    def told(self) -> None:
        """The browser knows how it ended."""
        self._told.set()

    def ended(self) -> tuple[bool, str | None]:
        """Wait for the end of the sign-in; returns whether it came, and why it came to nothing."""
        return self._ended.wait(_OUTCOME), self._outcome


class PastedCallback:
    """
    Has a person paste the address on which the browser ended.

    Args:
        ask: Shows a question and returns what was typed, hidden.
    """

    pasted = True
    _QUESTION = "Paste the address of the page that cannot be reached (it stays hidden), then press Enter: "

    def __init__(self, ask: Callable[[str], str]) -> None:
        self._ask = ask
        # Of the browser's machine: a port on which nothing listens there, as far as anybody can know.
        self.redirect_uri = f"http://{_HERE}:{secrets.choice(_DYNAMIC_PORTS)}{_PATH}"

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
    return getpass.getpass if sys.stdin is not None and sys.stdin.isatty() else None


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True  # a browser may open connections in advance, and say nothing on them


class _Request(BaseHTTPRequestHandler):
    timeout = 10  # seconds for a request to come

    def __init__(self, callback: ListeningCallback, *what: Any) -> None:
        self._callback = callback
        super().__init__(*what)

    def do_GET(self) -> None:
        """Answer what may be the browser, and nothing of a page that means another host (DNS rebinding)."""
        address = f"http://{self.headers.get('Host', '')}{self.path}"
        parts = urlsplit(address)
        if parts.hostname != _HERE or parts.path != _PATH or not parts.query:
            self._page(HTTPStatus.NOT_FOUND, "There is nothing here", "Return to your notebook.")
            return
        if not self._callback.taken(Secret(address)):
            self._page(HTTPStatus.CONFLICT, "Already answered", "This sign-in has its answer. Close this page.")
            return
        came, outcome = self._callback.ended()
        try:
            if not came:
                self._page(HTTPStatus.OK, "Almost done", "Your notebook says how it ended. Close this page.")
            elif outcome is not None:
                self._page(HTTPStatus.BAD_REQUEST, "Not signed in", printable(outcome))
            else:
                self._page(HTTPStatus.OK, "You are signed in", "Close this page and return to your notebook.")
        finally:
            self._callback.told()

    def _page(self, status: HTTPStatus, title: str, sentence: str) -> None:
        body = browser_page(title, sentence).encode()
        self.send_response_only(status)
        for name, value in {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Length": str(len(body)),
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
            "Connection": "close",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: the address has the code in it."""
