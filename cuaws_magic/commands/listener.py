"""The end of a sign-in by authorization code where kernel and browser are on one machine: a listener on loopback."""

from __future__ import annotations

import functools
import socketserver
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from cuaws_magic.aws.hosts import CALLBACK_HOST, CALLBACK_PATH, callback_address
from cuaws_magic.errors import SignInError
from cuaws_magic.humanize import printable
from cuaws_magic.model import Secret
from cuaws_magic.views.sign_in_page import browser_page

_LAST_WORDS = 2.0  # seconds in which the browser is told how it ended
_OUTCOME = 30.0  # seconds that the browser waits for the exchange of its code


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
                self._server = _Server((CALLBACK_HOST, 0), functools.partial(_Request, self))
            except OSError as error:
                raise SignInError(
                    f"Nothing can listen on {CALLBACK_HOST} of this machine ({error.strerror}). "
                    "Type `%cuaws login --qr`: that is by a code, and needs nothing of the kind."
                ) from None
            threading.Thread(
                target=self._server.serve_forever, args=(0.05,), name="cuaws-callback", daemon=True
            ).start()
            self._address = callback_address(self._server.server_address[1])
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


class _Server(socketserver.ThreadingTCPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a browser that went away: what would be printed stands on the page of the notebook."""

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
        if parts.hostname != CALLBACK_HOST or parts.path != CALLBACK_PATH or not parts.query:
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
