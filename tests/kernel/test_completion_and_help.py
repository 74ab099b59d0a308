"""Tab and `?` through the kernel's own protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@pytest.fixture
def offline(kernel, portal: PracticePortal) -> Iterator:
    """A kernel that has listed the accounts, and whose portal is gone since."""
    (kernel.home / ".aws").mkdir()
    (kernel.home / ".aws" / "config").write_text(_CONFIG)
    kernel.good("%cuaws accounts --roles")
    kernel.good("%config Completer.use_jedi = False")  # it adds Python names to everybody's completions
    portal.stop()
    before = len(portal.calls)
    yield kernel
    assert len(portal.calls) == before


def test_completion_asks_nobody(offline):
    """Commands, options, profiles, accounts, roles and sso-sessions are offered, from the remembered list."""
    table = {
        "%cuaws lo": ["login", "logout"],
        "%cuaws login --t": ["--timeout"],
        "%cuaws login --session ": ["fedauth", "work"],
        "%cuaws login --sso-region us-": ["us-west-2", "us-east-1", "us-east-2", "us-west-1"],
        "%cuaws use aws": ["awsucob0myaccount", "awsucob0myotheraccount", "awsucob0production"],
        "%cuaws use clim": ["climate"],
        "%cuaws use awsucob0production --role ": ["Admin", "ReadOnly"],
        "%cuaws use climate --role R": ["Researcher"],
        "%cuaws use climate --": ["--help", "--role", "--region", "--via", "--no-verify"],
        "%cuaws use climate --via ": ["env", "profile"],
        "x = 1\n%cuaws use awsucob0myo": ["awsucob0myotheraccount"],
        "%cuaws logout --": ["--help", "--all"],
    }

    offered = {line: offline.complete(line) for line in table}

    assert {"status", "login", "logout", "use", "release", "whoami", "accounts"} <= set(offline.complete("%cuaws "))
    assert {line: sorted(names) for line, names in offered.items()} == {
        line: sorted(names) for line, names in table.items()
    }


def test_completion_in_any_case(offline):
    """Account names are completed in any case, as they may be typed."""
    offered = offline.complete("%cuaws use AWSUCOB0MYA")

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
def test_quoted_names(offline, typed: str, whole: str):
    """A name with spaces is completed inside its quotation marks, which are closed."""
    message_id = offline._client.complete(typed, len(typed))
    reply = offline._reply(message_id)

    results = {typed[: reply["cursor_start"]] + match + typed[reply["cursor_end"] :] for match in reply["matches"]}

    assert results == {whole}


def test_names_with_spaces_are_offered_quoted(offline):
    """Where nothing is typed yet, a name with spaces is offered with its quotation marks."""
    assert '"my own work"' in offline.complete("%cuaws use ")


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
