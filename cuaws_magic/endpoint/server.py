"""
The container-credentials service, on loopback, for what cannot be handed credentials in Python.

A native library or a child process finds `AWS_CONTAINER_CREDENTIALS_FULL_URI` and
`AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE` in its environment and asks here, again whenever what it
has comes to its end: so it is renewed, and since every SDK keeps the address that it began
with, it stays with the account that it began with. A path is opened by its own token and
no other.
"""

from __future__ import annotations

import atexit
import contextlib
import hmac
import queue
import secrets
import socket
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from cuaws_magic.background import ForkSafeLock
from cuaws_magic.endpoint.answers import HOST, of_credentials, refusal
from cuaws_magic.endpoint.token_files import TokenFiles
from cuaws_magic.errors import CuawsError
from cuaws_magic.model import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from pathlib import Path

    from cuaws_magic.credentials.sources import Source
    from cuaws_magic.model import Now

_WORKERS = 4  # threads; an answer from memory takes under a millisecond
_BACKLOG = 1024  # connections that wait for a worker
_PATIENCE = 5.0  # seconds for a client to send its request, and to take the answer


@dataclass(frozen=True)
class Address:
    """
    Where one account and role is served.

    Attributes:
        url: For `AWS_CONTAINER_CREDENTIALS_FULL_URI`.

        token_file: For `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`.
    """

    url: str
    token_file: Path


@dataclass(frozen=True)
class _Path:
    source: Source
    token: bytes = field(repr=False)
    address: Address


class CredentialsEndpoint:
    """
    Serves the credentials of this kernel to libraries and processes of its user.

    Args:
        folder: Where token files are kept.

        now: The current time.
    """

    def __init__(self, folder: Path, now: Now = utc_now) -> None:
        self._now = now
        self._files = TokenFiles(folder)
        self._lock = ForkSafeLock()
        self._server: _Server | None = None
        self._paths: dict[str, _Path] = {}
        self._by_source: dict[Hashable, _Path] = {}

    def address(self, source: Source) -> Address:
        """
        Return where a source is served; the same one has the same address as long as this kernel lives.

        Raises:
            OSError: No port can be had on loopback.

            StorageError: The token cannot be written.
        """
        with self._lock:
            known = self._by_source.get(source.key)
            # A token file may be deleted by hand, or by a machine that cleans its folders.
            if known is not None and known.address.token_file.exists():
                return known.address
            if self._server is None:
                self._server = _Server(self._answer)
                atexit.register(self.close)
            path, token = f"/{secrets.token_hex(8)}", secrets.token_urlsafe(32)
            address = Address(f"http://{HOST}:{self._server.port}{path}", self._files.write(token))
            self._paths[path] = self._by_source[source.key] = _Path(source, token.encode("ascii"), address)
            return address

    def close(self) -> None:
        """Serve no more, and leave nothing."""
        with self._lock:
            server, self._server = self._server, None
            self._paths, self._by_source = {}, {}
        if server is not None:
            server.close()
        self._files.remove()
        atexit.unregister(self.close)

    def after_fork(self) -> None:
        """Leave serving to the parent, whose address a forked process has in its environment."""
        if self._server is not None:
            self._server.forget()
        self._server = None
        self._paths, self._by_source = {}, {}
        self._files.after_fork()

    def _answer(self, path: str, token: bytes) -> tuple[HTTPStatus, dict[str, str]]:
        served = self._paths.get(path)
        # Compared even where there is no such path: how long an answer takes tells nothing.
        if not hmac.compare_digest(token, served.token if served is not None else b"-") or served is None:
            return HTTPStatus.FORBIDDEN, refusal("Forbidden", "The path or its token is not one of this kernel.")
        try:
            credentials = served.source.credentials()
        except CuawsError as error:
            return HTTPStatus.SERVICE_UNAVAILABLE, refusal("NoCredentials", str(error))
        if credentials.expired(self._now()):
            message = f"The credentials for {served.source.account.name} have expired."
            return HTTPStatus.SERVICE_UNAVAILABLE, refusal("Expired", message)
        return HTTPStatus.OK, of_credentials(credentials, self._now())


class _Server:
    """Accepts connections, and has a few threads answer them."""

    def __init__(self, answer: Callable[[str, bytes], tuple[HTTPStatus, dict[str, str]]]) -> None:
        self._socket = socket.create_server((HOST, 0), backlog=_BACKLOG)
        self.port: int = self._socket.getsockname()[1]
        self._answer = answer
        self._waiting: queue.SimpleQueue[socket.socket | None] = queue.SimpleQueue()
        names = [self._accept, *[self._work] * _WORKERS]
        for number, target in enumerate(names):
            threading.Thread(target=target, name=f"cuaws-endpoint-{number}", daemon=True).start()

    def close(self) -> None:
        """Accept no more connections."""
        # A blocked `accept` keeps a closed socket open; after a shutdown it returns.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for _ in range(_WORKERS):
            self._waiting.put(None)

    def forget(self) -> None:
        """Close this process's copy of the socket; the parent's goes on."""
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._waiting.put(connection)

    def _work(self) -> None:
        while (connection := self._waiting.get()) is not None:
            # With the first request: most kernels end without one, and `use` need not wait for 10 ms of imports.
            from cuaws_magic.endpoint.request import Request

            with contextlib.suppress(OSError), connection:
                connection.settimeout(_PATIENCE)
                Request(connection, self)

    def answer(self, path: str, token: bytes) -> tuple[HTTPStatus, dict[str, str]]:
        """Return status and content for a request that is in order."""
        return self._answer(path, token)
