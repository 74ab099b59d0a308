"""The same in an IPython terminal, in a real pseudo-terminal: plain text, and the browser opened once."""

from __future__ import annotations

import os
import stat
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from cuaws_magic.practice import Knobs

pexpect = pytest.importorskip("pexpect", reason="needs a pseudo-terminal")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cuaws_magic.practice import PracticePortal

_PATIENCE = 30


@pytest.fixture
def opened(tmp_path: Path) -> Path:
    """The file in which the pretend browser writes what it was asked to open."""
    return tmp_path / "opened"


@pytest.fixture
def terminal(portal: PracticePortal, tmp_path: Path, opened: Path) -> Iterator[Callable[..., pexpect.spawn]]:
    """Start IPython with the extension loaded, and a browser that only writes down addresses."""
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >> {opened}\n')
    browser.chmod(browser.stat().st_mode | stat.S_IXUSR)
    home = tmp_path / "terminal-home"
    home.mkdir()
    with ExitStack() as stack:

        def start(**variables: str) -> pexpect.spawn:
            environment = os.environ | portal.environment | {
                "HOME": str(home), "IPYTHONDIR": str(home / ".ipython"), "BROWSER": str(browser),
                "AWS_EC2_METADATA_DISABLED": "true", "TERM": "dumb",
            } | variables  # fmt: skip
            for name in ("SSH_CONNECTION", "SSH_TTY"):
                if name not in variables:
                    environment.pop(name, None)
            child = pexpect.spawn(
                sys.executable,
                ["-m", "IPython", "--simple-prompt", "--no-banner", "--colors=nocolor"],
                env=environment, cwd=str(home), encoding="utf-8", timeout=_PATIENCE, dimensions=(50, 200),
            )  # fmt: skip
            stack.callback(child.close, force=True)
            child.expect(r"In \[1\]: ")
            child.sendline("%load_ext cuaws_magic")
            child.expect(r"In \[2\]: ")
            return child

        yield start


def _type(child: pexpect.spawn, line: str) -> str:
    child.sendline(line)
    child.expect(r"In \[\d+\]: ")
    return str(child.before)


def test_sign_in_and_use(terminal: Callable, portal: PracticePortal, opened: Path):
    """Plain text says what the card says, once each; the page opens in the browser, once."""
    portal.knobs = Knobs(approve_after=3)
    child = terminal()

    login = _type(child, "%cuaws login")
    use = _type(child, "%cuaws use awsucob0myaccount")
    assigned = _type(child, "x = %cuaws whoami")
    value = _type(child, "print('account', x.account)")

    assert f"{portal.url}/device?user_code=" in login
    assert "IdentiKey" in login
    assert login.count("Signed in for") == 1
    assert "object at" not in login + use
    assert use.count("Using awsucob0myaccount (111111111111) as MyRole") == 1
    assert "ralphie" not in assigned
    assert "account 111111111111" in value
    (address,) = opened.read_text().split()
    assert address.startswith(f"{portal.url}/device?user_code=")
    assert address in login


def test_no_browser_from_far_away(terminal: Callable, portal: PracticePortal, opened: Path):
    """Over SSH nothing is opened on the machine at the other end; the address is there to be copied."""
    portal.knobs = Knobs(approve_after=2)
    child = terminal(SSH_CONNECTION="192.0.2.1 50000 192.0.2.2 22")

    login = _type(child, "%cuaws login")

    assert f"{portal.url}/device?user_code=" in login
    assert "Signed in for" in login
    assert not opened.exists()


def test_ctrl_c_ends_the_sign_in(terminal: Callable, portal: PracticePortal):
    """Ctrl-C ends the wait at once with one line and no traceback; login works afterwards."""
    portal.knobs = Knobs()
    child = terminal()

    child.sendline("%cuaws login")
    child.expect("Approve only a code that you see here")
    time.sleep(0.5)  # into the wait
    pressed = time.monotonic()
    child.sendintr()
    child.expect(r"In \[3\]: ")
    took = time.monotonic() - pressed
    ended = str(child.before)
    portal.knobs = Knobs(approve_after=1)
    again = _type(child, "%cuaws login")

    assert took < 2
    assert ended.count("Sign-in cancelled") == 1
    assert "Type `%cuaws login` to start again." in ended
    assert "Traceback" not in ended
    assert "Signed in for" in again


def test_errors_are_one_line(terminal: Callable):
    """An expected error is one line; nothing of a traceback."""
    child = terminal()

    unknown = _type(child, "%cuaws nosuch")
    role = _type(child, "%cuaws use awsucob0production")

    assert "UsageError: %cuaws has no command nosuch." in unknown
    assert "You have several roles in awsucob0production: ReadOnly, Admin." in role
    assert "Traceback" not in unknown + role
