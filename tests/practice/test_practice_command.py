"""`cuaws-magic practice` as a person starts it: what each option does, seen over the socket."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sysconfig
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from cuaws_magic.practice import Knobs, command, lab, people

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no Ctrl-C for one process")

PATIENCE = 30  # seconds; a start takes less than one
PENDING = "AuthorizationPendingException"


@dataclass(frozen=True)
class Running:
    """A portal in a process of its own."""

    printed: str
    url: str = ""
    aws_url: str = ""
    start_url: str = "https://cuboulder.awsapps.com/start"


@pytest.fixture(name="program")
def _program() -> str:
    """The command as it was installed."""
    found = shutil.which("cuaws-magic", path=sysconfig.get_path("scripts"))
    assert found
    return found


@pytest.fixture(name="start")
def _start(program: str) -> Iterator[Callable[..., str]]:
    """Start the command; return what it prints. Ctrl-C must end it with status 0 and no further word."""
    with ExitStack() as stack:

        def start(*options: str) -> str:
            process = stack.enter_context(
                subprocess.Popen(
                    [program, "practice", *options],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    cwd=os.environ["HOME"],
                )
            )
            stack.callback(_end, process)
            assert process.stdout
            assert process.stderr
            lines: list[str] = []
            while not lines or not (lines[-1] == "}\n" or "Then open" in lines[-1]):
                lines.append(process.stdout.readline())
                assert lines[-1], process.stderr.read()
            return "".join(lines)

        yield start


def _end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        rest = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert (process.returncode, *rest) == (0, "", "")


@pytest.fixture(name="practice")
def _practice(start: Callable[..., str], learner_at: Callable[[Any], Any]) -> Callable[..., Any]:
    """Start the command with these options and give it a learner."""

    def practice(*options: str) -> Any:
        printed = start("--shell", "json", *options)
        environment = json.loads(printed)["environment"]
        return learner_at(Running(printed, environment["AWS_ENDPOINT_URL_SSO"], environment["AWS_ENDPOINT_URL"]))

    return practice


def sign_in(learner: Any, start_url: str | None = None) -> Any:
    """Sign in where the first poll is approved."""
    registration = learner.register()
    return learner.poll(registration, learner.authorize(registration, start_url)["deviceCode"])


def polls(learner: Any, number: int) -> list[str]:
    """Poll for one code at its own pace; return the names of the errors, `"token"` for the token."""
    registration = learner.register()
    authorization = learner.authorize(registration)
    seen = []
    for poll in range(number):
        if poll:
            time.sleep(authorization["interval"])
        try:
            assert learner.poll(registration, authorization["deviceCode"])["accessToken"]
        except ClientError as error:
            seen.append(error.response["Error"]["Code"])
        else:
            seen.append("token")
    return seen


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def test_every_option_has_its_test() -> None:
    """An option that is added gets a test below."""
    parser = argparse.ArgumentParser(add_help=False)

    command.add_arguments(parser)

    assert {option for action in parser._actions for option in action.option_strings} == {
        "--port", "--aws-port", "--approve-after", "--accounts", "--role-lifetime", "--token-lifetime", "--shell",
        "--organisations",
        "--lab",  # in kernel/test_demo_and_lab.py
    }  # fmt: skip


def test_lab_without_jupyterlab(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One line that says what to install."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)

    status = lab.run(Knobs())

    assert (status, capsys.readouterr().err) == (1, "JupyterLab is not installed here. Run: pip install jupyterlab\n")


def test_without_options(practice: Any) -> None:
    """Two portals beside each other take free ports, and a code waits for a person."""
    first, second = practice(), practice()

    assert len({url for one in (first, second) for url in (one.portal.url, one.portal.aws_url)}) == 4
    assert polls(first, 3) == [PENDING] * 3


def test_port(practice: Any) -> None:
    """`--port` is where the portal answers."""
    port = free_port()

    learner = practice("--port", str(port))

    assert learner.portal.url == f"http://127.0.0.1:{port}"
    assert learner.register()["clientId"]


def test_aws_port(practice: Any) -> None:
    """`--aws-port` is where its AWS answers, with the refusals of AWS, and the portal is elsewhere."""
    port = free_port()

    learner = practice("--aws-port", str(port))
    sts = learner.client("sts", f"http://127.0.0.1:{port}", config=Config(signature_version=UNSIGNED))
    with pytest.raises(ClientError) as caught:
        sts.get_caller_identity()

    assert learner.portal.aws_url == f"http://127.0.0.1:{port}" != learner.portal.url
    assert caught.value.response["Error"]["Code"] == "MissingAuthenticationToken"
    assert learner.register()["clientId"]


@pytest.mark.parametrize(
    ("number", "expected"), [("0", ["token"]), ("1", ["token"]), ("3", [PENDING, PENDING, "token"])]
)
def test_approve_after(practice: Any, number: str, expected: list[str]) -> None:
    """`--approve-after N` approves at the N-th poll of each code, and nobody presses anything."""
    learner = practice("--approve-after", number)

    assert polls(learner, len(expected)) == expected


@pytest.mark.parametrize(("options", "expected"), [((), 5), (("--accounts", "3"), 8)])
def test_accounts(practice: Any, options: tuple[str, ...], expected: int) -> None:
    """`--accounts N` adds N to the five of the guide."""
    learner = practice("--approve-after", "1", *options)

    listing = learner.sso.list_accounts(accessToken=sign_in(learner)["accessToken"])["accountList"]

    assert len({account["accountId"] for account in listing}) == expected


@pytest.mark.parametrize(
    ("options", "start_url", "expected"),
    [
        (
            (),
            people.PARTNER_START_URL,
            {"111111111111", "222222222222", "333333333333", "044444444444", "555555555555"},
        ),
        (("--organisations", "2"), people.PARTNER_START_URL, {"666666666666", "777777777777"}),
        (("--organisations", "2"), people.PARTNER_START_URL + "/#/", {"666666666666", "777777777777"}),
        (("--organisations", "2"), "https://third.awsapps.com/start", set()),
    ],
)
def test_organisations(practice: Any, options: tuple[str, ...], start_url: str, expected: set[str]) -> None:
    """`--organisations 2` has a partner's accounts behind another start URL, and says how to sign in there."""
    learner = practice("--approve-after", "1", *options)

    sso_token = sign_in(learner, start_url)["accessToken"]
    listing = learner.sso.list_accounts(accessToken=sso_token)["accountList"]

    assert {account["accountId"] for account in listing} == expected
    said = command.announcement({"AWS_ENDPOINT_URL_SSO": "http://127.0.0.1:1"}, "sh", 2 if options else 1)
    assert (f"--start-url {people.PARTNER_START_URL} --sso-region" in said) == bool(options)


@pytest.mark.parametrize(("options", "expected"), [((), 8 * 3600), (("--token-lifetime", "700"), 700)])
def test_token_lifetime(practice: Any, options: tuple[str, ...], expected: int) -> None:
    """`--token-lifetime S` is what an SSO token says of itself."""
    learner = practice("--approve-after", "1", *options)

    assert sign_in(learner)["expiresIn"] == expected


def test_the_sso_token_ends_then(practice: Any) -> None:
    """After the seconds of `--token-lifetime`, here none, the portal knows the SSO token no longer."""
    learner = practice("--approve-after", "1", "--token-lifetime", "0")
    answer = sign_in(learner)

    with pytest.raises(ClientError) as caught:
        learner.sso.list_accounts(accessToken=answer["accessToken"])

    assert answer["expiresIn"] == 0
    assert caught.value.response["Error"]["Code"] == "UnauthorizedException"


@pytest.mark.parametrize(("options", "expected"), [((), 4 * 3600), (("--role-lifetime", "1000"), 1000)])
def test_role_lifetime(practice: Any, options: tuple[str, ...], expected: int) -> None:
    """`--role-lifetime S` is how long role credentials live."""
    learner = practice("--approve-after", "1", *options)

    credentials = learner.take_role(sign_in(learner)["accessToken"])

    seconds_left = credentials["expiration"] / 1000 - time.time()
    assert expected - PATIENCE < seconds_left <= expected


@pytest.mark.parametrize(
    ("options", "form"),
    [
        ((), r'^export AWS_ENDPOINT_URL_SSO="(.*)"$'),
        (("--shell", "sh"), r'^export AWS_ENDPOINT_URL_SSO="(.*)"$'),
        (("--shell", "powershell"), r'^\$Env:AWS_ENDPOINT_URL_SSO="(.*)"$'),
        (("--shell", "cmd"), r"^set AWS_ENDPOINT_URL_SSO=(.*)$"),
        (("--shell", "python"), r'^    "AWS_ENDPOINT_URL_SSO": "(.*)",$'),
        (("--shell", "json"), r'^    "AWS_ENDPOINT_URL_SSO": "(.*)",$'),
    ],
    ids=["default", "sh", "powershell", "cmd", "python", "json"],
)
def test_shell(start: Any, learner_at: Any, options: tuple[str, ...], form: str) -> None:
    """`--shell` is how the variables are written; what they say leads to the portal."""
    printed = start(*options)

    (url,) = re.findall(form, printed, re.MULTILINE)
    assert learner_at(Running(printed, url, url)).register()["clientId"]
    assert ("import os" in printed) is ("python" in options)


@pytest.mark.parametrize("option", ["--port", "--aws-port"])
def test_a_port_that_cannot_be(program: str, option: str) -> None:
    """A number that is no port is one line that says what to type, and exit status 1."""
    done = subprocess.run(
        [program, "practice", option, "70000"], capture_output=True, text=True, timeout=PATIENCE, check=False
    )

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "Choose another --port or --aws-port." in done.stderr
