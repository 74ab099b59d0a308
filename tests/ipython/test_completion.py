"""What completion offers, from names alone."""

from __future__ import annotations

import pytest

from cuaws_magic.ipython.grammar import Grammar


class Known:
    """Some accounts and roles; notes whose roles were wanted."""

    def __init__(self) -> None:
        self.wanted: list[str] = []

    def target_names(self) -> list[str]:
        return ["research-genomics", "awsucob0myaccount", "two words", "research-climate-dev"]

    def account_ids(self) -> list[str]:
        return ["111111111111", "044444444444"]

    def role_names(self, target: str) -> list[str]:
        self.wanted.append(target)
        return {"research-climate-dev": ["ReadOnly", "Researcher"], "111111111111": ["MyRole"]}.get(target, [])

    def session_names(self) -> list[str]:
        return ["fedauth"]

    def saved_names(self) -> list[str]:
        return []

    def profile_names(self) -> list[str]:
        return []


def offered(line: str) -> list[str]:
    return Grammar().complete(line, line.rsplit(" ", 1)[-1], Known())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("%cuaws use genom", ["research-genomics"]),
        ("%cuaws use GENOM", ["research-genomics"]),
        ("%cuaws use re", ["research-genomics", "research-climate-dev"]),
        ("%cuaws use my", []),
        ("%cuaws use acc", ["awsucob0myaccount"]),
        ("%cuaws use word", ['"two words"']),
        ("%cuaws use 1111", ["111111111111"]),
        ("%cuaws use 04", ["044444444444"]),
        ("%cuaws use research-climate-dev/", ["research-climate-dev/ReadOnly", "research-climate-dev/Researcher"]),
        ("%cuaws use research-climate-dev/rese", ["research-climate-dev/Researcher"]),
        ("%cuaws console s3 111111111111/M", ["111111111111/MyRole"]),
        ("%cuaws accounts --star gen", ["research-genomics"]),
        ("%%cuaws as clima", ["research-climate-dev"]),
        ("%cuaws use research-climate-dev --y", ["--yes"]),
    ],
)
def test_parts_numbers_and_roles(line, expected):
    """Names that begin so, then those that have it inside (three letters or more); numbers; roles behind a slash."""
    assert offered(line) == expected


def test_every_command_has_its_parser():
    """What the help lists without making a parser is what there is."""
    grammar = Grammar()

    assert grammar.names == list(grammar._commands)


def test_roles_are_asked_for_behind(app, portal):
    """A press of Tab offers what is known and waits for nobody; the next one knows more."""
    from doubles import RecordingShow, until

    from cuaws_magic.commands.names import Names

    app.accounts(RecordingShow())
    first = Names(app.context).role_names("research-climate-dev")
    until(lambda: portal.count("ListAccountRoles") == 1 and not app.tasks.under_way("names"))

    assert first == []
    assert Names(app.context).role_names("research-climate-dev") == ["DataSteward", "Researcher"]
    assert portal.count("ListAccountRoles") == 1
