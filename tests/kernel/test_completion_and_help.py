"""Tab and `?` through the kernel's own protocol."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Kernel

    from cuaws_magic.practice import PracticePortal

_CONFIG = """\
[sso-session fedauth]
sso_start_url = https://cuboulder.awsapps.com/start
sso_region = us-west-2

[sso-session work]
sso_start_url = https://work.awsapps.com/start
sso_region = us-east-1

[profile climate]
sso_session = fedauth
sso_account_id = 044444444444
sso_role_name = Researcher

[profile "my own work"]
sso_session = fedauth
sso_account_id = 111111111111
sso_role_name = MyRole
"""


# Every connection that this kernel opens from now on, beside those that it has. Its own messages go through libzmq.
_LISTEN = """\
import sys
reached = []
def listen(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname"):
        reached.append(event)
sys.addaudithook(listen)
"""


@pytest.fixture
def remembering(kernel, portal: PracticePortal) -> Iterator[Kernel]:
    """A kernel with a list of accounts that is two days old, and a portal that would answer, if it were asked."""
    (kernel.home / ".aws").mkdir()
    (kernel.home / ".aws" / "config").write_text(_CONFIG)
    kernel.good("%cuaws login --session fedauth\n%cuaws accounts --roles")
    (remembered,) = (path for path in kernel.home.rglob("*.json") if "listed_at" in path.read_text())
    listing = json.loads(remembered.read_text())
    remembered.write_text(json.dumps(listing | {"listed_at": listing["listed_at"] - 2 * 24 * 3600}))
    kernel.good("%config Completer.use_jedi = False")  # it adds Python names to everybody's completions
    kernel.good(_LISTEN)
    before = portal.calls

    yield kernel

    assert portal.calls == before
    assert kernel.value("reached") == []
    # Both would have seen it.
    kernel.good("%cuaws accounts --refresh\nimport socket; socket.getaddrinfo('127.0.0.1', 80)")
    assert len(portal.calls) > len(before)
    assert "socket.getaddrinfo" in kernel.value("reached")


def test_completion_asks_nobody(remembering):
    """Commands, options, profiles, accounts, roles and sso-sessions are offered, from the remembered list."""
    table = {
        "%cuaws lo": ["login", "logout"],
        "%cuaws login --t": ["--timeout"],
        "%cuaws login --session ": ["fedauth", "work"],
        "%cuaws login --sso-region us-": ["us-west-2", "us-east-1", "us-east-2", "us-west-1"],
        "%cuaws use aws": ["awsucob0myaccount", "awsucob0myotheraccount", "awsucob0production"],
        "%cuaws use clim": ["climate", "research-climate-dev"],
        "%cuaws use awsucob0production --role ": ["Admin", "ReadOnly"],
        "%cuaws use climate --role R": ["Researcher"],
        "%cuaws use climate --": [
            "--help",
            "--role",
            "--region",
            "--via",
            "--no-verify",
            "--yes",
            "--wait-for-sign-in",
            "--session",
        ],
        "%cuaws use climate --via ": ["auto", "endpoint", "env", "profile"],
        "x = 1\n%cuaws use awsucob0myo": ["awsucob0myotheraccount"],
        "%cuaws logout --": ["--help", "--all", "--session"],
    }

    offered = {line: remembering.complete(line) for line in table}

    assert {"status", "login", "logout", "use", "release", "whoami", "accounts"} <= set(remembering.complete("%cuaws "))
    assert {line: sorted(names) for line, names in offered.items()} == {
        line: sorted(names) for line, names in table.items()
    }


def test_completion_in_any_case(remembering):
    """Account names are completed in any case, as they may be typed."""
    offered = remembering.complete("%cuaws use AWSUCOB0MYA")

    assert offered == ["awsucob0myaccount"]


@pytest.mark.parametrize(
    ("typed", "whole"),
    [
        ('%cuaws use "my', '%cuaws use "my own work"'),
        ('%cuaws use "my ow', '%cuaws use "my own work"'),
        ("%cuaws use 'my own ", "%cuaws use 'my own work'"),
        ('%cuaws use "awsucob0myo', '%cuaws use "awsucob0myotheraccount"'),
        ('%cuaws use "my own work" --role M', '%cuaws use "my own work" --role MyRole'),
    ],
)
def test_quoted_names(remembering, typed: str, whole: str):
    """A name with spaces is completed inside its quotation marks, which are closed."""
    message_id = remembering._client.complete(typed, len(typed))
    reply = remembering._reply(message_id)

    results = {typed[: reply["cursor_start"]] + match + typed[reply["cursor_end"] :] for match in reply["matches"]}

    assert results == {whole}


def test_names_with_spaces_are_offered_quoted(remembering):
    """Where nothing is typed yet, a name with spaces is offered with its quotation marks."""
    assert '"my own work"' in remembering.complete("%cuaws use ")


def test_completion_before_anything_else(start_kernel):
    """In a new kernel with nothing remembered, Tab offers commands and fails at nothing."""
    kernel = start_kernel().load()

    assert kernel.complete("%cuaws us") == ["use"]
    assert kernel.complete("%cuaws use aws") == []


def test_question_mark_shows_the_parsers_help(kernel):
    """`%cuaws?` is the parser's own help, with every command."""
    shown = kernel.inspect("%cuaws")
    cell = kernel.good("%cuaws --help")

    for command in ("status", "login", "logout", "use", "release", "whoami", "accounts"):
        assert command in shown
        assert f"  {command} " in cell.text
    assert "awsucob0myaccount" in shown
    assert "%%" not in cell.text.replace("`%%cuaws paste`", "")


def test_help_of_a_command(kernel, portal: PracticePortal):
    """`%cuaws use --help` prints that command's arguments and does nothing else."""
    cell = kernel.good("%cuaws use --help")

    assert "TARGET" in cell.text
    assert "--no-verify" in cell.text
    assert portal.calls == []
