"""The credentials endpoint: who gets an answer, which one, and that nothing of it is left."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

import pytest
from doubles import role_credentials, until

from cuaws_magic.credentials.sources import Source
from cuaws_magic.endpoint import server
from cuaws_magic.endpoint.server import CredentialsEndpoint
from cuaws_magic.endpoint.token_files import TokenFiles
from cuaws_magic.errors import NotSignedIn
from cuaws_magic.model import Account, Origin
from cuaws_magic.sso.session import CU_BOULDER


class Held(Source):
    """A source whose set a test changes."""

    def __init__(self, account_id: str, key: str = "") -> None:
        super().__init__(
            (account_id, key), Account(account_id, "awsucob0myaccount"), "MyRole", Origin("x", "y", renews=True)
        )
        ends_at = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(hours=4)
        self.held = role_credentials(account_id, expires_at=ends_at, obtained_at=ends_at - timedelta(hours=4))
        self.error: Exception | None = None

    def credentials(self):
        if self.error is not None:
            raise self.error
        return self.held


@pytest.fixture
def endpoint(tmp_path):
    made = CredentialsEndpoint(tmp_path / "endpoint")
    yield made
    made.close()


def ask(address, *, method="GET", token=None, path=None, **headers):
    """Ask as an SDK does; returns status and content."""
    parts = urlsplit(address.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    token = address.token_file.read_text() if token is None else token
    try:
        connection.request(method, path or parts.path, headers={"Authorization": token, **headers})
        answer = connection.getresponse()
        body = answer.read()
        return answer.status, json.loads(body) if body else None
    finally:
        connection.close()


A, B = "111111111111", "222222222222"


def test_an_sdk_gets_the_set(endpoint):
    """In the form of the container service, dates with `Z`; the address is the literal one."""
    source = Held(A)
    address = endpoint.address(source)

    status, content = ask(address)

    assert address.url.startswith("http://127.0.0.1:")
    assert status == 200
    assert content == {
        "AccessKeyId": "ASIAS3CRET1",
        "SecretAccessKey": "s3cret-key-1",
        "Token": "s3cret-role-1",
        "Expiration": source.held.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "AccountId": A,
    }


def test_the_token_file_is_private_and_has_no_newline(endpoint):
    """An SDK takes the file as it is."""
    path = endpoint.address(Held(A)).token_file

    assert path.read_bytes() == path.read_bytes().strip()
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600


def test_an_address_stays_with_its_account(endpoint):
    """The same source has the same address, each its own; a renewal changes neither."""
    first, second = Held(A), Held(B)
    address, other = endpoint.address(first), endpoint.address(second)

    first.held = role_credentials(A, 2, expires_at=first.held.expires_at)

    assert endpoint.address(first) == address != other
    assert ask(address)[1]["AccessKeyId"] == "ASIAS3CRET2"
    assert ask(other)[1]["AccountId"] == B


def test_the_same_set_until_there_is_a_newer_one(endpoint):
    """Who asks for the three parts one after another gets parts of one set."""
    address = endpoint.address(Held(A))

    assert ask(address) == ask(address)


def test_a_path_is_opened_by_its_own_token_alone(endpoint):
    """Neither none, nor a wrong one, nor that of another account; the answer tells not which was wrong."""
    address, other = endpoint.address(Held(A)), endpoint.address(Held(B))
    right = address.token_file.read_text()
    refusal = (403, {"code": "Forbidden", "message": "The path or its token is not one of this kernel."})

    for wrong in ("", "-", "x", right[:-1], right + "x", f"Bearer {right}", other.token_file.read_text(), "ü"):
        assert ask(address, token=wrong.encode("utf-8").decode("latin-1")) == refusal
    assert ask(address, path="/") == refusal
    assert ask(address, path="/x", token="-") == refusal
    assert ask(address)[0] == 200


@pytest.mark.parametrize(
    "host", ["localhost", "evil.example", "127.0.0.1:1", "127.0.0.2:{port}", "localhost:{port}", ""]
)
def test_a_page_that_was_led_here_gets_nothing(endpoint, host):
    """Only our own address counts (DNS rebinding), also with the right token."""
    address = endpoint.address(Held(A))

    assert ask(address, Host=host.format(port=urlsplit(address.url).port))[0] == 403


def test_a_browser_gets_nothing(endpoint):
    """A page's request says where it comes from."""
    assert ask(endpoint.address(Held(A)), Origin="http://127.0.0.1:8888")[0] == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD", "OPTIONS", "DELETE", "get", "CONNECT"])
def test_only_get(endpoint, method):
    """Nothing else is answered."""
    assert ask(endpoint.address(Held(A)), method=method)[0] in {400, 501}


@pytest.mark.parametrize(
    "sent",
    [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET " + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 1000 + b"\r\n",
    ],
    ids=["nothing", "no path", "no such version", "TLS", "a long line", "many headers"],
)
def test_what_is_no_request(endpoint, sent):
    """It is refused without a word of it, and the next request is answered."""
    address = endpoint.address(Held(A))

    with socket.create_connection(("127.0.0.1", urlsplit(address.url).port), timeout=10) as connection:
        answer = b""
        with contextlib.suppress(OSError):  # the server may have hung up before all of it was sent
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(10_000)

    assert b"s3cret" not in answer
    assert b"xxx" not in answer
    assert ask(address)[0] == 200


def test_no_credentials(endpoint):
    """Who asks after the sign-in ended is told what to do, and nothing secret."""
    source = Held(A)
    address = endpoint.address(source)
    source.error = NotSignedIn("Your sign-in to CU Boulder · fedauth ended. Type `%cuaws login`.", CU_BOULDER)

    assert ask(address) == (
        503,
        {"code": "NoCredentials", "message": "Your sign-in to CU Boulder · fedauth ended. Type `%cuaws login`."},
    )
    source.error = None
    source.held = replace(source.held, expires_at=datetime.now(timezone.utc))
    assert ask(address)[0] == 503


def test_keys_without_an_end_are_asked_for_again(endpoint):
    """An SDK wants a date: one that is some way ahead, and the same keys when it comes."""
    source = Held(A)
    source.held = replace(source.held, expires_at=None, session_token=None, account_id=None)

    content = ask(endpoint.address(source))[1]

    ends_at = datetime.fromisoformat(content["Expiration"].replace("Z", "+00:00"))
    assert timedelta(minutes=50) < ends_at - datetime.now(timezone.utc) < timedelta(minutes=70)
    assert content["Token"] == ""
    assert "AccountId" not in content


def test_a_thousand_requests_at_once(endpoint):
    """Each gets its answer, from a handful of threads; slow ones hold up nobody for long."""
    address = endpoint.address(Held(A))
    before = threading.active_count()
    idle = [socket.create_connection(("127.0.0.1", urlsplit(address.url).port), timeout=10) for _ in range(3)]
    answers, lock = [], threading.Lock()

    def some():
        for _ in range(50):
            status, _content = ask(address)
            with lock:
                answers.append(status)

    threads = [threading.Thread(target=some) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for connection in idle:
        connection.close()

    assert answers == [200] * 1000
    assert threading.active_count() <= before


def test_nothing_is_left(endpoint, tmp_path):
    """After the end the port is closed, and the token file is gone."""
    address = endpoint.address(Held(A))

    endpoint.close()

    assert list((tmp_path / "endpoint").iterdir()) == []
    with pytest.raises(ConnectionError):
        socket.create_connection(("127.0.0.1", urlsplit(address.url).port), timeout=5)
    until(lambda: not [one for one in threading.enumerate() if one.name.startswith("cuaws-endpoint")])


def test_a_token_file_that_was_deleted_is_made_anew(endpoint):
    """By a machine that cleans its folders; what has the old address goes on as long as it holds the token."""
    source = Held(A)
    address = endpoint.address(source)
    token = address.token_file.read_text()
    address.token_file.unlink()

    again = endpoint.address(source)

    assert ask(again)[0] == 200
    assert ask(address, token=token)[0] == 200


def test_no_port(endpoint, monkeypatch):
    """Where no port can be had, that is the error."""

    def refuse(*_arguments, **_named):
        raise OSError(99, "Cannot assign requested address")

    monkeypatch.setattr(server.socket, "create_server", refuse)

    with pytest.raises(OSError, match="assign"):
        endpoint.address(Held(A))


def test_files_of_killed_kernels_go(tmp_path):
    """Those of this machine whose process is gone; not those of living ones, or of other machines."""
    folder = tmp_path / "endpoint"
    code = (
        "import os, pathlib, sys; from cuaws_magic.endpoint.token_files import TokenFiles;"
        f"print(TokenFiles(pathlib.Path({str(folder)!r})).write('s3cret'), flush=True); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    elsewhere = folder / "another-machine.1.0123456789abcdef.token"
    elsewhere.write_text("x")
    mine = TokenFiles(folder).write("t")

    TokenFiles(folder).write("u")

    assert killed.stdout.strip() not in {str(path) for path in folder.iterdir()}
    assert {mine, elsewhere} < set(folder.iterdir())


def test_a_home_that_cannot_be_written(tmp_path):
    """The token goes to the temporary folder, which only its owner can enter."""
    (tmp_path / "file").write_text("")
    files = TokenFiles(tmp_path / "file" / "endpoint")

    path = files.write("token")

    assert path.read_text() == "token"
    assert path.parent.stat().st_mode & 0o777 == 0o700
    files.remove()
    assert not path.parent.exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_asks_its_parent(endpoint):
    """It does not serve, holds no copy of the port, and its end takes no file away."""
    address = endpoint.address(Held(A))
    reading, writing = os.pipe()

    child = os.fork()
    if child == 0:
        endpoint.after_fork()
        status, _ = ask(address)
        endpoint.close()
        os.write(writing, str(status).encode())
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reading, 10) == b"200"
    assert ask(address)[0] == 200
    os.close(reading)
    os.close(writing)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_the_port_ends_with_its_kernel_although_a_child_lives(tmp_path):
    """A forked worker that outlives the kernel keeps no port open that nobody answers."""
    code = f"""
import os, pathlib, sys, time
import cuaws_magic as cuaws
from cuaws_magic.commands.context import the_context
from cuaws_magic.credentials.sources import StaticSource
from cuaws_magic.model import *
keys = Credentials("{A}", Secret("a"), Secret("b"), None, None, utc_now())
source = StaticSource(keys, Account("{A}", "x"), "r", Origin("x", "y", renews=False))
address = the_context().endpoint.address(source)
print(address.url, address.token_file.read_text(), flush=True)
child = os.fork()
if child == 0:
    time.sleep(30)
    os._exit(0)
print(child, flush=True)
os._exit(0)
"""
    done = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    )
    (url, token), child = done.stdout.readline().split(), int(done.stdout.readline())
    done.wait(30)
    try:
        # Another program may have taken the port meanwhile: it answers otherwise. A port that nobody serves would hang.
        address = server.Address(url, tmp_path / "token")
        with contextlib.suppress(ConnectionError):
            assert ask(address, token=token)[0] != 200
    finally:
        os.kill(child, signal.SIGKILL)
        done.stdout.close()


def test_answers_wait_for_no_slow_client(endpoint, monkeypatch):
    """Clients that connect and say nothing lose their turn after a moment."""
    monkeypatch.setattr(server, "_PATIENCE", 0.2)
    address = endpoint.address(Held(A))
    silent = [socket.create_connection(("127.0.0.1", urlsplit(address.url).port)) for _ in range(20)]
    began = time.monotonic()

    assert ask(address)[0] == 200

    assert time.monotonic() - began < 5
    for connection in silent:
        connection.close()
