"""`%cuaws paste` in an IPython terminal: several lines at a hidden prompt, and nothing of them in any history."""

from __future__ import annotations

import json
import os
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from doubles import App, RecordingShow

pexpect = pytest.importorskip("pexpect", reason="needs a pseudo-terminal")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cuaws_magic.practice import PracticePortal

_PATIENCE = 30
WHO = "import boto3; print('I am', boto3.client('sts').get_caller_identity()['Account'])"


@pytest.fixture
def keys(portal: PracticePortal, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Keys as the portal's page gives them."""
    for name, value in portal.environment.items():
        monkeypatch.setenv(name, value)
    app = App(environ=dict(os.environ))
    values = json.loads(app.export(RecordingShow(), "awsucob0myaccount", "process").reveal())
    return {name: values[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")}


def lines(keys: dict[str, str]) -> list[str]:
    return [
        f'export AWS_ACCESS_KEY_ID="{keys["AccessKeyId"]}"',
        f'export AWS_SECRET_ACCESS_KEY="{keys["SecretAccessKey"]}"',
        f'export AWS_SESSION_TOKEN="{keys["SessionToken"]}"',
    ]


@pytest.fixture
def terminal(portal: PracticePortal, tmp_path: Path) -> Iterator[Callable[..., pexpect.spawn]]:
    """Start IPython in a pseudo-terminal, with its full prompt or the simple one."""
    home = tmp_path / "terminal-home"
    home.mkdir()
    with ExitStack() as stack:

        def start(*options: str) -> pexpect.spawn:
            environment = os.environ | portal.environment | {
                "HOME": str(home), "IPYTHONDIR": str(home / ".ipython"), "AWS_EC2_METADATA_DISABLED": "true",
                "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1",
            }  # fmt: skip
            child = pexpect.spawn(
                sys.executable,
                ["-m", "IPython", "--no-banner", "--colors=nocolor", "--no-confirm-exit", *options],
                env=environment, cwd=str(home), encoding="utf-8", timeout=_PATIENCE, dimensions=(60, 500),
            )  # fmt: skip
            stack.callback(child.close, force=True)
            child.expect(r"In \[1\]:")
            run(child, "%load_ext cuaws_magic")
            return child

        yield start


def run(child: pexpect.spawn, line: str, answer: str = r"In \[") -> str:
    child.send(f"{line}\r")
    child.expect(answer)
    return str(child.before)


def assert_gone(tmp_path: Path, keys: dict[str, str]) -> None:
    wanted = [part.encode() for value in keys.values() for part in (value[:16], value[-16:])]
    files = [path for path in (tmp_path / "terminal-home").rglob("*") if path.is_file()]
    assert any(path.name == "history.sqlite" for path in files)
    assert [path for path in files if any(one in path.read_bytes() for one in wanted)] == []


@pytest.mark.parametrize("bracketed", [True, False], ids=["as one paste", "line by line"])
def test_several_lines_at_the_hidden_prompt(terminal, keys, tmp_path, bracketed) -> None:
    """All lines are taken, none is shown, none is left to be run as a command or remembered."""
    child = terminal()
    child.send("%cuaws paste\r")
    child.expect("Paste the keys here")

    if bracketed:
        child.send("\x1b[200~" + "\n".join(lines(keys)) + "\x1b[201~")
        child.send("\r")
    else:
        for line in lines(keys):
            child.send(f"{line}\r")
    child.expect("not renewed")
    shown = str(child.before)
    child.expect(r"In \[")
    who = run(child, WHO, "I am 111111111111")
    child.expect(r"In \[")
    child.send("exit\r")
    child.expect(pexpect.EOF)

    assert "ralphie@colorado.edu" in shown
    everything = shown + who + str(child.before)
    assert not [value for value in keys.values() if value[:16] in everything]
    assert_gone(tmp_path, keys)


def test_ctrl_c_at_the_hidden_prompt(terminal, tmp_path) -> None:
    """One line, and the terminal goes on."""
    child = terminal()
    child.send("%cuaws paste\r")
    child.expect("Paste the keys here")

    child.sendintr()
    child.expect("was stopped")
    child.expect(r"In \[")
    child.send("%cuaws paste\r")  # as the line says: run it again
    child.expect("Paste the keys here")
    child.sendintr()
    child.expect("was stopped")
    child.expect(r"In \[")
    run(child, "print(6 * 7)", "42")


def test_a_cell_in_the_simple_prompt(terminal, keys, tmp_path) -> None:
    """What was typed stands in the scroll-back of the terminal, and in no history."""
    child = terminal("--simple-prompt")
    child.send("%%cuaws paste\r")
    for line in lines(keys):
        child.send(f"{line}\r")
    child.send("\r\r")
    child.expect("not renewed")
    child.expect(r"In \[")
    child.send("%history\r")
    child.expect(r"In \[")
    history = str(child.before)
    child.send("exit\r")
    child.expect(pexpect.EOF)

    assert "# The keys that were here have been removed" in history
    assert not [value for value in keys.values() if value[:16] in history]
    assert_gone(tmp_path, keys)
