"""One request to the container-credentials service: read, judged by where it comes from, and answered."""

from __future__ import annotations

import http.server
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

from cuaws_magic.endpoint.answers import HOST, refusal

if TYPE_CHECKING:
    import socket


class Server(Protocol):
    """What answers a request that is in order."""

    port: int

    def answer(self, path: str, token: bytes) -> tuple[HTTPStatus, dict[str, str]]:
        """Return status and content."""


class Request(http.server.BaseHTTPRequestHandler):
    """One request: GET, to us by our own address, with a token."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "cuaws", ""

    def __init__(self, connection: socket.socket, server: Server) -> None:
        self._endpoint = server
        super().__init__(connection, ("", 0), server)  # type: ignore[arg-type]  # it is only kept

    def handle(self) -> None:
        """Answer one request; SDKs open a connection for each."""
        self.close_connection = True
        self.handle_one_request()

    def do_GET(self) -> None:
        """Answer."""
        # A page in a browser can have its own name lead here (DNS rebinding); its requests carry that name.
        # The C SDK (TensorStore's) leaves the port out.
        if self.headers.get("Host") not in {HOST, f"{HOST}:{self._endpoint.port}"} or "Origin" in self.headers:
            self._send(HTTPStatus.FORBIDDEN, refusal("Forbidden", "Only programs of this machine are served."))
            return
        token = self.headers.get("Authorization", "").encode("utf-8", "replace")
        self._send(*self._endpoint.answer(self.path, token))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what is no request of an SDK; without repeating anything of it."""
        del message, explain
        self._send(HTTPStatus(code), refusal("Refused", HTTPStatus(code).phrase))

    def _send(self, status: HTTPStatus, content: dict[str, str]) -> None:
        body = json.dumps(content).encode("ascii")
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Log nothing: a path or a token could be in it."""
