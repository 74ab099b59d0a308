"""Lines that do not parse, or nearly: what the message tells to type is what the person meant."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from doubles import documented
from IPython.core.error import UsageError

from cuaws_magic.ipython.grammar import Grammar


@dataclass(frozen=True)
class Meant:
    documentation: str
    line: str
    expected: str


@documented(
    [
        Meant("a name of three words", "use my account name", '%cuaws use "my account name"'),
        Meant("words around an option", "use my --role R account", '%cuaws use "my account"'),
        Meant("in the second place", "console s3 my account", '%cuaws console s3 "my account"'),
        Meant("a pattern", "accounts my acc*", '%cuaws accounts "my acc*"'),
    ]
)
def test_a_name_with_spaces(case):
    """The message has the line in quotes, and that line parses."""
    with pytest.raises(UsageError) as caught:
        Grammar().parse(case.line)

    assert f"Put a name with spaces into quotes: `{case.expected}`." in str(caught.value)
    Grammar().parse(case.expected.removeprefix("%cuaws "))


@pytest.mark.parametrize("line", ["use a b --frob", "release now", "login --frob", "--frob"])
def test_what_is_no_name_with_spaces(line):
    """Nothing is said of quotes where they would not help."""
    with pytest.raises(UsageError) as caught:
        Grammar().parse(line)

    assert "quotes" not in str(caught.value)


@pytest.mark.parametrize(
    ("typed", "nearest"),
    [
        ("us-west2", "us-west-2"),
        ("US-WEST-2", "us-west-2"),
        ("us_east_1", "us-east-1"),
        ("eu-cental1", "eu-central-1"),
        ("''", "us-west-2"),
    ],
)
def test_what_is_no_region(typed, nearest):
    """A region that cannot be one is refused before anything is asked, with the nearest."""
    with pytest.raises(UsageError, match=re.escape(f"is not the name of a region. Nearest: {nearest}.")):
        Grammar().parse(f"use x --region {typed}")


@pytest.mark.parametrize(
    "typed", ["us-west-2", "eu-west-9", "us-gov-east-1", "cn-north-1", "mx-central-1", "me-new-12"]
)
def test_what_may_be_a_region(typed):
    """AWS opens new ones: whatever has the form is taken."""
    assert Grammar().parse(f"use x --region {typed}").region == typed


@pytest.mark.parametrize(
    ("line", "command"), [("help", None), ("--help", None), ("help use", "use"), ("help --help", None)]
)
def test_help_by_its_name(line, command):
    """`%cuaws help` is what a person types first."""
    arguments = Grammar().parse(line)

    assert (arguments.command, arguments.help) == (command, True)


def test_help_of_nothing():
    """A command that is not there is not explained."""
    with pytest.raises(UsageError, match=r"no command lgin\. Did you mean `%cuaws login`\?"):
        Grammar().parse("help lgin")
