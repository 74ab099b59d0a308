"""The practice portal as a thing: start, stop, sockets, threads, and the command."""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore import handlers

from cuaws_magic.practice import Call, Knobs, PracticePortal, command

ROOT = Path(__file__).resolve().parents[2]
CHUNKS = b"2\r\n{}\r\n0\r\n\r\n"


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port
    return port


def test_stop_leaves_nothing() -> None:
    """After a stop no thread, no socket; a kept-alive connection does not delay it; twice is fine."""
    before = set(threading.enumerate())
    portal = PracticePortal()
    portal.start()
    address = ("127.0.0.1", _port(portal.url))

    with socket.create_connection(address, timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        connection.recv(100)
        began = time.monotonic()
        portal.stop()
        portal.stop()
        took = time.monotonic() - began

    assert took < 1
    assert set(threading.enumerate()) <= before
    with pytest.raises(OSError):  # noqa: PT011  # refused; the words differ by system
        socket.create_connection(address, timeout=1)


def test_stop_does_not_wait_for_slow_answers() -> None:
    """A stop ends the waiting of a slow answer."""
    portal = PracticePortal(Knobs(latency=30))
    portal.start()

    with socket.create_connection(("127.0.0.1", _port(portal.url)), timeout=5) as connection:
        connection.sendall(b"GET /assignment/accounts HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        time.sleep(0.05)
        began = time.monotonic()
        portal.stop()

    assert time.monotonic() - began < 2


def test_start_again_is_a_clean_world(enroll: Any) -> None:
    """A portal started again knows no sign-in, no bucket and no call of before."""
    learner = enroll()
    _, answer = learner.sign_in()
    s3 = learner.aws("s3", learner.take_role(answer["accessToken"]))
    s3.create_bucket(Bucket="before", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})

    learner.portal.stop()
    learner.portal.start()
    again = type(learner)(learner.portal, learner.open_clients)
    _, answer = again.sign_in()

    s3 = again.aws("s3", again.take_role(answer["accessToken"]))
    assert s3.list_buckets()["Buckets"] == []
    assert again.portal.count("RegisterClient") == 1


def test_two_portals_at_once(enroll: Any) -> None:
    """The end of one portal does not empty the AWS of another in the same process."""
    first, second = enroll(), enroll()
    _, answer = first.sign_in()
    sts = first.aws("sts", first.take_role(answer["accessToken"]))

    second.portal.stop()

    assert sts.get_caller_identity()["Account"] == "111111111111"


def test_not_started() -> None:
    """A portal that was not started says what to do."""
    with pytest.raises(RuntimeError, match=r"start\(\)"):
        _ = PracticePortal().url


def test_taken_port(learner: Any) -> None:
    """A taken port is an error, and leaves nothing open."""
    taken = _port(learner.portal.url)

    with pytest.raises(OSError):  # noqa: PT011  # address in use; the words differ by system
        PracticePortal(port=taken).start()
    with pytest.raises(OSError):  # noqa: PT011  # the same for the second socket
        PracticePortal(aws_port=taken).start()


def test_environment(learner: Any) -> None:
    """The four variables lead to the two ports, on 127.0.0.1 only."""
    portal = learner.portal

    assert portal.environment == {
        "AWS_ENDPOINT_URL_SSO_OIDC": portal.url,
        "AWS_ENDPOINT_URL_SSO": portal.url,
        "AWS_ENDPOINT_URL_STS": portal.aws_url,
        "AWS_ENDPOINT_URL": portal.aws_url,
    }
    assert portal.url.startswith("http://127.0.0.1:")
    assert portal.start_url == "https://cuboulder.awsapps.com/start"


def test_botocore_is_left_as_it_was(learner: Any) -> None:
    """Importing moto hangs nothing into the botocore of this process."""
    assert learner.portal.url
    assert not [entry for entry in handlers.BUILTIN_HANDLERS if "moto" in type(entry[1]).__module__]


def test_broken_profile_of_the_user_does_not_matter(learner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An AWS_PROFILE that does not exist does not reach moto's own sessions."""
    _, answer = learner.sign_in()
    client = learner.aws("dynamodb", learner.take_role(answer["accessToken"]))

    monkeypatch.setenv("AWS_PROFILE", "nowhere")

    assert client.list_tables()["TableNames"] == []


def test_many_at_once(enroll: Any) -> None:
    """Many threads may ask at the same time."""
    learner = enroll(accounts=50)
    _, answer = learner.sign_in()
    accounts = learner.sso.list_accounts(accessToken=answer["accessToken"], maxResults=100)["accountList"]

    def roles(account: dict[str, str]) -> int:
        listing = learner.sso.list_account_roles(accessToken=answer["accessToken"], accountId=account["accountId"])
        return len(listing["roleList"])

    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(roles, accounts))

    assert len(counts) == 55
    assert learner.portal.count("ListAccountRoles") == 55


def test_secrets_stay_out_of_repr(learner: Any) -> None:
    """No SSO token, key or code is in the repr of what the portal shows or keeps."""
    _, answer = learner.sign_in()
    credentials = learner.take_role(answer["accessToken"])

    shown = repr(learner.portal.calls) + repr(learner.portal)

    assert isinstance(learner.portal.calls[0], Call)
    for secret in (answer["accessToken"], answer["refreshToken"], credentials["secretAccessKey"]):
        assert secret not in shown


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"POST /token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: x\r\n\r\n", b"400"),
        (b"POST /token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9999999\r\n\r\n", b"413"),
        (b"POST /token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n[]", b"400"),
        (
            b"POST /token HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
            b"400",
        ),
        (b"GET / HTTP/1.0\r\n\r\n", b"421"),
        (b"DELETE / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"404"),
        (b"HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"200"),
    ],
)
def test_odd_requests(learner: Any, request_bytes: bytes, status: bytes) -> None:
    """Odd requests have an answer too."""
    with socket.create_connection(("127.0.0.1", _port(learner.portal.url)), timeout=5) as connection:
        connection.sendall(request_bytes)
        answer = connection.recv(4000)

    assert answer.split()[1] == status


@pytest.mark.parametrize(
    ("shell", "expected"),
    [
        ("sh", 'export AWS_ENDPOINT_URL_SSO="http://127.0.0.1:1"'),
        ("powershell", '$Env:AWS_ENDPOINT_URL_SSO="http://127.0.0.1:1"'),
        ("cmd", "set AWS_ENDPOINT_URL_SSO=http://127.0.0.1:1"),
    ],
)
def test_announcement_in_a_shell(shell: str, expected: str) -> None:
    """Every line can be pasted: the variables, and comments around them."""
    lines = command.announcement({"AWS_ENDPOINT_URL_SSO": "http://127.0.0.1:1"}, shell).splitlines()

    mark = "rem " if shell == "cmd" else "# "
    assert lines[1:-1] == [expected]
    assert lines[0].startswith(mark)
    assert lines[-1] == f"{mark}Then open http://127.0.0.1:1/"


def test_announcement_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python form can be run in a cell."""
    monkeypatch.setattr(os, "environ", {})

    text = command.announcement({"AWS_ENDPOINT_URL_SSO": "http://127.0.0.1:1"}, "python")
    exec(text, {})  # our own

    assert os.environ == {"AWS_ENDPOINT_URL_SSO": "http://127.0.0.1:1"}


def test_announcement_in_json() -> None:
    """The JSON form is one object with the variables in it."""
    found = json.loads(command.announcement({"AWS_ENDPOINT_URL_SSO": "http://127.0.0.1:1"}, "json"))

    assert found["environment"] == {"AWS_ENDPOINT_URL_SSO": "http://127.0.0.1:1"}


def test_taken_port_on_the_command_line(learner: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A taken port is one line that says what to type, and exit status 1."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    output = io.StringIO()

    status = command.run(parser.parse_args(["--port", str(_port(learner.portal.url))]), output)

    assert (status, output.getvalue()) == (1, "")
    assert "--aws-port" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM that can be caught")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_command_runs_until_told(number: signal.Signals) -> None:
    """The command announces itself, answers, and ends cleanly with status 0."""
    program = (
        "import argparse, sys; from cuaws_magic.practice import command;"
        "p = argparse.ArgumentParser(); command.add_arguments(p); sys.exit(command.run(p.parse_args()))"
    )
    with subprocess.Popen(  # our own program
        [
            sys.executable,
            "-W",
            "error",
            "-c",
            program,
            "--accounts",
            "2",
            "--approve-after",
            "1",
            "--shell",
            "sh",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(6)]
        url = lines[-1].split()[-1]
        with socket.create_connection(("127.0.0.1", _port(url)), timeout=5):
            process.send_signal(number)
            rest, errors = process.communicate(timeout=10)

    assert lines[1].startswith('export AWS_ENDPOINT_URL_SSO_OIDC="http://127.0.0.1:')
    assert (process.returncode, rest, errors) == (0, "", "")
