"""
HTTP on loopback: requests and replies as values, and the threads and sockets behind them.

The rest of the practice portal is functions from `Request` to `Reply`; only this module knows about sockets.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import socketserver
import struct
import threading
from dataclasses import dataclass, field
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from email.message import Message

_LOG = logging.getLogger(__name__)
_ADDRESS = "127.0.0.1"
_OWN_NAMES = ("127.0.0.1", "localhost")
_ENDING_SECONDS = 2.0  # how long stop() waits for a thread that is still computing an answer
_BODILESS = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


@dataclass(frozen=True, slots=True)
class Request:
    """What came in; the target and headers stay out of `repr`, they carry secrets."""

    method: str
    target: str = field(repr=False)
    headers: Message = field(repr=False)
    body: bytes = field(repr=False, default=b"")

    @property
    def path(self) -> str:
        """The path as it was sent, still percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """What follows the question mark, as it was sent."""
        return self.target.partition("?")[2]

    def header(self, name: str) -> str:
        """Return a header, or an empty string."""
        return str(self.headers.get(name, ""))

    def parameters(self) -> dict[str, str]:
        """Decode the query."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    def form(self) -> dict[str, str]:
        """Decode a form in the body."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes out; `error` and `detail` are for the journal, `reset` breaks the connection instead."""

    status: int
    body: bytes = field(repr=False, default=b"")
    headers: tuple[tuple[str, str], ...] = ()
    error: str | None = None
    reset: bool = False


class LoopbackServer(ThreadingHTTPServer):
    """One listening socket on 127.0.0.1, one thread per connection, and a quick end."""

    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = os.name != "nt"  # on Windows the option lets two servers share a port

    def __init__(
        self, port: int, answer: Callable[[Request], Reply], now: Callable[[], datetime], largest_body: int
    ) -> None:
        """Bind, so that the port is known; `start` begins to answer."""
        self.answer = answer
        self.now = now
        self.largest_body = largest_body
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._workers: set[threading.Thread] = set()
        self._broken: set[socket.socket] = set()
        self._accepting: threading.Thread | None = None
        super().__init__((_ADDRESS, port), _Exchange)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{_ADDRESS}:{self.server_port}"

    def start(self) -> None:
        """Answer from now on, in a thread."""
        self._accepting = threading.Thread(
            target=self.serve_forever, args=(0.02,), name=f"practice-{self.server_port}", daemon=True
        )
        self._accepting.start()

    def stop(self) -> None:
        """End the listening socket, every connection and every thread."""
        if self._accepting is not None:
            self.shutdown()
            self._accepting.join()
        self.server_close()
        with self._lock:
            connections, workers = list(self._connections), list(self._workers)
        for connection in connections:
            # A kept-alive connection sits in a read; this wakes it up with an end of file.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for worker in workers:
            worker.join(_ENDING_SECONDS)

    def server_bind(self) -> None:
        """Bind without the name lookup of the standard library, which may ask the network."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = _ADDRESS, self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:  # as inherited
        """Serve a connection in a thread that `stop` can wait for."""
        worker = threading.Thread(target=self._work, args=(request, client_address), daemon=True)
        with self._lock:
            self._connections.add(request)
            self._workers.add(worker)
        worker.start()

    def shutdown_request(self, request: Any) -> None:  # as inherited
        """Close a connection: politely, unless it was to be broken."""
        with self._lock:
            self._connections.discard(request)
            broken = request in self._broken
            self._broken.discard(request)
        if broken:
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # as inherited
        """Say nothing: what ends up here is a client that went away."""

    def break_connection(self, connection: socket.socket) -> None:
        """Make the end of this connection a reset."""
        # No lingering: the kernel throws the connection away. Windows has shorter integers here.
        linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        with self._lock:
            self._broken.add(connection)

    def is_own_name(self, host: str) -> bool:
        """Tell whether a Host header means this server; a rebound name of a web page does not."""
        try:
            parts = urlsplit(f"//{host}")
            name, port = parts.hostname, parts.port
        except ValueError:
            return False
        return name in _OWN_NAMES and port in (None, self.server_port)

    def _work(self, request: socket.socket, client_address: Any) -> None:  # as inherited
        try:
            self.process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._workers.discard(threading.current_thread())


class _Exchange(BaseHTTPRequestHandler):
    server: LoopbackServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        try:
            body = self._read_body()
        except ValueError:
            self.close_connection = True
            return self._send(Reply(HTTPStatus.BAD_REQUEST, b"The body could not be read.\n"))
        if body is None:
            self.close_connection = True
            return self._send(Reply(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b"Too large for practice.\n"))
        if not self.server.is_own_name(self.headers.get("Host", "")):
            refusal = b"This practice portal answers only to 127.0.0.1 and localhost.\n"
            return self._send(Reply(HTTPStatus.MISDIRECTED_REQUEST, refusal))
        try:
            reply = self.server.answer(Request(self.command, self.path, self.headers, body))
        except Exception:  # noqa: BLE001 - a bug of ours is an answer too, and is logged
            _LOG.exception("The practice portal failed to answer %s.", self.command)
            reply = Reply(HTTPStatus.INTERNAL_SERVER_ERROR, b"The practice portal has a bug.\n")
        if reply.reset:
            self.close_connection = True
            return self.server.break_connection(self.connection)
        return self._send(reply)

    # The names that http.server looks for.
    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _serve  # noqa: N815 - http.server's names

    def _read_body(self) -> bytes | None:
        limit = self.server.largest_body
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._read_chunks(limit)
        length = int(self.headers.get("Content-Length") or 0)
        if length < 0:
            raise ValueError
        return None if length > limit else self.rfile.read(length)

    def _read_chunks(self, limit: int) -> bytes | None:
        chunks, total = [], 0
        while size := int(self.rfile.readline(100).split(b";")[0], 16):
            total += size
            if size < 0 or total > limit:
                return None
            chunks.append(self.rfile.read(size))
            self.rfile.readline(3)
        while self.rfile.readline(1000).strip():  # trailers
            pass
        return b"".join(chunks)

    def _send(self, reply: Reply) -> None:
        present = {name.lower() for name, _ in reply.headers}
        lines = [f"{self.protocol_version} {int(reply.status)} {_phrase(reply.status)}"]
        lines += [f"{name}: {value}" for name, value in reply.headers]
        if "date" not in present:
            lines.append(f"Date: {format_datetime(self.server.now(), usegmt=True)}")
        # A HEAD answer announces the length of what GET would have brought.
        if reply.status not in _BODILESS and not (self.command == "HEAD" and "content-length" in present):
            lines.append(f"Content-Length: {len(reply.body)}")
        if self.close_connection:
            lines.append("Connection: close")
        head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
        try:
            # One write: two would wait for each other (Nagle and delayed acknowledgement).
            self.wfile.write(head if self.command == "HEAD" or reply.status in _BODILESS else head + reply.body)
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the base class has it
        pass


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
