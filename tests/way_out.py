"""
The network between this machine and AWS, on loopback: a proxy, and behind it a TLS server for every name.

What is asked of a name that the practice portal stands in for goes on to it; STS answers as its first account would,
for what is signed for AWS's own name is good at no other; other names answer what a test says.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import socketserver
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from certificates import self_signed

if TYPE_CHECKING:
    from pathlib import Path

    from cuaws_magic.practice import PracticePortal

DEVICE_PAGE = "https://device.sso.us-west-2.amazonaws.com"
# Names of AWS by what answers them; the rest of a name is its region and domain.
_FRONT, _STS = re.compile(r"(oidc|portal\.sso)(-fips)?\."), re.compile(r"sts(-fips)?\.")
_IDENTITY = (
    b'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    b"<Arn>arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_MyRole_1/ralphie@colorado.edu</Arn>"
    b"<UserId>AROA:ralphie@colorado.edu</UserId><Account>111111111111</Account>"
    b"</GetCallerIdentityResult></GetCallerIdentityResponse>"
)


@dataclass
class WayOut:
    """
    A proxy for CONNECT.

    Attributes:
        portal: Stands in for AWS.

        certificate: What a client has to trust.

        names: Names that the certificate is for, besides AWS's.

        password: `name:password` in base64 that the proxy wants.

        answers: Status and `Location` by method and address, for names that are not AWS's.

        tunnels: The names that the proxy was asked for.

        asked: What was asked behind it: method, name and path.
    """

    portal: PracticePortal
    certificate: Path
    names: tuple[str, ...] = ()
    password: str | None = None
    answers: dict[tuple[str, str], tuple[int, str | None]] = field(default_factory=dict)
    tunnels: list[str] = field(default_factory=list)
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def __enter__(self) -> WayOut:  # noqa: PYI034 - Self is not in Python 3.10
        regions = ("us-west-2", "us-east-1", "us-gov-west-1", "cn-north-1", "eu-west-1")
        aws = [
            f"{service}.{region}.{domain}"
            for service in ("oidc", "oidc-fips", "portal.sso", "portal.sso-fips", "sts", "sts-fips")
            for region in regions
            for domain in ("amazonaws.com", "amazonaws.com.cn", "api.aws")
        ]
        self_signed(self.certificate, "127.0.0.1", *aws, *self.names)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        self._servers = [self._start(ThreadingHTTPServer(("127.0.0.1", 0), self._behind(context)))]
        proxy = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._proxy(self._servers[0].server_address))
        proxy.daemon_threads = True
        self._servers.append(self._start(proxy))
        self.url = f"http://127.0.0.1:{proxy.server_address[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def _start(self, server: Any) -> Any:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return server

    def _proxy(self, behind: Any) -> Any:
        way = self

        class Proxy(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                line = self.rfile.readline().decode()
                headers = {}
                while header := self.rfile.readline().decode().strip():
                    name, _, value = header.partition(":")
                    headers[name.lower()] = value.strip()
                if way.password is not None and headers.get("proxy-authorization") != f"Basic {way.password}":
                    self.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                    return
                way.tunnels.append(line.split()[1])
                with socket.create_connection(behind[:2]) as there:
                    self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    back = threading.Thread(target=_copied, args=(there, self.connection), daemon=True)
                    back.start()
                    _copied(self.connection, there)
                    back.join()

        return Proxy

    def _behind(self, context: ssl.SSLContext) -> Any:
        way = self

        class Behind(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                self.request = context.wrap_socket(self.request, server_side=True)
                super().setup()

            def finish(self) -> None:
                super().finish()
                self.request.close()

            def _answer(self) -> None:
                name = self.headers["Host"]
                way.asked.append((self.command, name, self.path))
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                status, headers, content = way._answered(self, name, body)
                self.send_response_only(status)
                for key, value in {**headers, "Content-Length": str(len(content))}.items():
                    self.send_header(key, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_POST = do_HEAD = _answer  # noqa: N815 - http.server's names

            def log_message(self, *_: object) -> None:
                pass

        return Behind

    def _answered(self, request: Any, name: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        if _STS.match(name):
            return 200, {"Content-Type": "text/xml"}, _IDENTITY
        there = self.portal.url if _FRONT.match(name) else None
        if there is None:
            status, location = self.answers[request.command, f"https://{name}{request.path}"]
            return status, {"Location": location} if location is not None else {}, b""
        connection = http.client.HTTPConnection(urlsplit(there).netloc)
        headers = {key: value for key, value in request.headers.items() if key.lower() != "host"}
        # The practice portal answers to no other name than its own.
        headers["Host"] = urlsplit(there).netloc
        connection.request(request.command, request.path, body, headers)
        answer = connection.getresponse()
        content = answer.read().replace(there.encode(), DEVICE_PAGE.encode())
        kept = {key: value for key, value in answer.getheaders() if key.lower() not in {"content-length", "connection"}}
        connection.close()
        return answer.status, kept, content


def _copied(source: Any, target: Any) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
