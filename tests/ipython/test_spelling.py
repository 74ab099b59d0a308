"""What people of other tools type (AWS CLI, Granted, aws-vault, aws-sso-cli, saml2aws)."""

from __future__ import annotations

import pytest
from doubles import RecordingShow
from IPython.core.error import UsageError

from cuaws_magic.config.content import AwsConfig
from cuaws_magic.ipython.grammar import Grammar
from cuaws_magic.sso.targets import classify, power, spelled

# Lines that do what is meant: the command, and its TARGET or pattern where it takes one.
DONE = {
    "use lab  # my account": ("use", "lab"),
    "use lab # it's mine": ("use", "lab"),
    "use lab\t# tabs": ("use", "lab"),
    'use "a # b"': ("use", "a # b"),
    "use lab#1": ("use", "lab#1"),
    "# nothing": ("status", None),
    "login;": ("login", None),
    "login ;": ("login", None),
    "use lab;": ("use", "lab"),
    "use lab ;; # twice": ("use", "lab"),
    "USE lab": ("use", "lab"),
    "Login": ("login", None),
    "LOGOUT": ("logout", None),
    "WhoAmI": ("whoami", None),
    "accounts *-dev # mine": ("accounts", "*-dev"),
    "   use    lab   ": ("use", "lab"),
    "use 1111-1111-1111": ("use", "1111-1111-1111"),
    "use 'my lab'": ("use", "my lab"),
    "": ("status", None),
}

# Lines that are answered with what to type.
SAID = {
    "use lab Admin": "`%cuaws use lab --role Admin`",
    "use my lab": '`%cuaws use "my lab"`',
    "use my big lab": '`%cuaws use "my big lab"`',
    "use --profile lab": "`%cuaws use lab`",
    "use lab --profile dev": "%cuaws use",
    "use x --account lab": "%cuaws use",
    "console s3 --profile lab": "%cuaws console",
    "export --account-id 111111111111 --show": "`%cuaws export 111111111111`",
    "switch lab": "Did you mean `%cuaws use lab`?",
    "assume lab": "Did you mean `%cuaws use lab`?",
    "assume 'my lab'": 'Did you mean `%cuaws use "my lab"`?',
    "exec lab -- aws s3 ls": "Did you mean `%cuaws use lab`?",
    "switch": "Did you mean `%cuaws use`?",
    "list": "Did you mean `%cuaws accounts`?",
    "ls": "Did you mean `%cuaws accounts`?",
    "roles": "Did you mean `%cuaws accounts --roles`?",
    "list-roles": "Did you mean `%cuaws accounts --roles`?",
    "profiles": "Did you mean `%cuaws accounts`?",
    "exit": "Did you mean `%cuaws logout`?",
    "quit": "Did you mean `%cuaws logout`?",
    "signout": "Did you mean `%cuaws logout`?",
    "flush": "Did you mean `%cuaws logout`?",
    "whoami?": "For help, type `%cuaws whoami --help`.",
    "use?": "For help, type `%cuaws use --help`.",
    "sso login": "Did you mean `%cuaws login`?",
    "signin": "Did you mean `%cuaws login`?",
    "sign-in": "Did you mean `%cuaws login`?",
    "sts get-caller-identity": "Did you mean `%cuaws whoami`?",
    "get-caller-identity": "Did you mean `%cuaws whoami`?",
    "who": "Did you mean `%cuaws whoami`?",
    "id": "Did you mean `%cuaws whoami`?",
    "open s3": "Did you mean `%cuaws console`?",
    "web": "Did you mean `%cuaws console`?",
    "open-browser": "Did you mean `%cuaws console`?",
    "env": "Did you mean `%cuaws export --format env`?",
    "eval": "Did you mean `%cuaws export`?",
    "creds": "Did you mean `%cuaws export`?",
    "export-credentials": "Did you mean `%cuaws export`?",
    "process": "Did you mean `%cuaws export`?",
    "populate": "Did you mean `%cuaws configure`?",
    "config": "Did you mean `%cuaws configure`?",
    "setup": "Did you mean `%cuaws configure`?",
    "cache": "Did you mean `%cuaws accounts --refresh`?",
    "unset": "Did you mean `%cuaws release`?",
    "clear": "Did you mean `%cuaws release`?",
    "remove lab": "Did you mean `%cuaws forget`?",
    "import": "Did you mean `%cuaws paste`?",
    "set lab": "Did you mean `%cuaws use lab`?",
    "select lab": "Did you mean `%cuaws use lab`?",
    "show": "Did you mean `%cuaws status`?",
    "acounts": "Did you mean `%cuaws accounts`?",
    "loggin": "Did you mean `%cuaws login`?",
    "ACOUNTS": "Did you mean `%cuaws accounts`?",
    "gui": "Did you mean `%cuaws panel`?",
    "xyzzy": "There is: status, login",
    'use "lab': "a quotation mark is not closed",
    "release lab": "Type `%cuaws release --help`",
}


def test_there_are_enough_of_them():
    """At least sixty lines that people type."""
    assert len(DONE) + len(SAID) >= 75


@pytest.mark.parametrize("line", DONE)
def test_what_is_meant_is_done(line):
    """A comment, a semicolon, capitals change nothing."""
    arguments = Grammar().parse(line)

    target = getattr(arguments, "target", None) or getattr(arguments, "pattern", None)
    assert (arguments.command, target) == DONE[line]


@pytest.mark.parametrize("line", SAID)
def test_the_line_says_what_to_type(line):
    """One line, and what it proposes is a command that there is."""
    with pytest.raises(UsageError) as caught:
        Grammar().parse(line)

    assert SAID[line] in str(caught.value)
    assert "\n" not in str(caught.value)


ROLE = "arn:aws:iam::111111111111:role"
RESERVED = "AWSReservedSSO_MyRole_0123456789abcdef"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("1111-1111-1111", "111111111111"),
        ("1111-1111-1111/MyRole", "111111111111/MyRole"),
        ("111111111111:MyRole", "111111111111/MyRole"),
        (f"{ROLE}/MyRole", "111111111111/MyRole"),
        (f"{ROLE}/some/path/MyRole", "111111111111/MyRole"),
        (f"{ROLE}/aws-reserved/sso.amazonaws.com/us-west-2/{RESERVED}", "111111111111/MyRole"),
        (f"{ROLE}/aws-reserved/sso.amazonaws.com/{RESERVED}", "111111111111/MyRole"),
        (f"arn:aws:sts::111111111111:assumed-role/{RESERVED}/ralphie@colorado.edu", "111111111111/MyRole"),
        ("arn:aws:sts::111111111111:assumed-role/Deploy/session", "111111111111/Deploy"),
        ("arn:aws-us-gov:iam::111111111111:role/MyRole", "111111111111/MyRole"),
        ("arn:aws-cn:iam::111111111111:root", "111111111111"),
        ("111111111111", "111111111111"),
        ("lab", "lab"),
        ("lab/MyRole", "lab/MyRole"),
        ("1111-1111", "1111-1111"),
        ("arn:aws:s3:::bucket", "arn:aws:s3:::bucket"),
        ("arn:aws:iam::111111111111:role/" + "x" * 100_000, None),
        ("arn:aws:iam::111111111111:role/" + "x/" * 50_000, None),
    ],
    ids=lambda value: str(value)[:60],
)
def test_an_account_in_another_form(typed, meant):
    """As consoles, logs and other tools write it; anything else stays as it is, however long."""
    assert spelled(typed) == (typed if meant is None else meant)


def test_a_profile_of_that_name_comes_first(tmp_path):
    """What somebody calls a profile is that profile."""
    from cuaws_magic.config.content import Profile

    profile = Profile("1111-1111-1111", {"sso_session": "x", "sso_account_id": "222222222222", "sso_role_name": "R"})
    config = AwsConfig(tmp_path, {profile.name: profile}, {})

    assert classify("1111-1111-1111", config).profile is not None


@pytest.mark.parametrize(
    "typed",
    [
        "1111-1111-1111/MyRole",
        "111111111111:MyRole",
        "arn:aws:iam::111111111111:role/MyRole",
        f"arn:aws:sts::111111111111:assumed-role/{RESERVED}/ralphie@colorado.edu",
    ],
)
def test_used_in_that_form(app, typed):
    """For real: the account and the role."""
    used = app.use(RecordingShow(), typed)

    assert (used.account, used.role) == ("111111111111", "MyRole")


def test_what_whoami_prints_can_be_used(app):
    """The ARN of the account in use leads to the same account and role."""
    arn = app.use(RecordingShow(), "awsucob0myaccount").identity.arn

    assert app.use(RecordingShow(), arn).role == "MyRole"


def test_roles_by_what_they_can_do():
    """Those that only look first, those that can do anything last; within that by the alphabet."""
    names = ["AdministratorAccess", "ReadOnlyAccess", "Billing", "MyRole", "PowerUserAccess", "ViewOnly", "analyst"]

    assert sorted(names, key=power) == [
        "Billing", "ReadOnlyAccess", "ViewOnly", "analyst", "MyRole", "AdministratorAccess", "PowerUserAccess"
    ]  # fmt: skip


def test_several_roles_are_listed_by_that(app):
    """The message never begins with Admin."""
    from cuaws_magic.errors import RoleNeeded

    with pytest.raises(RoleNeeded) as caught:
        app.use(RecordingShow(), "awsucob0production")

    assert str(caught.value).index("ReadOnly") < str(caught.value).index("Admin")
    assert "--role ROLE` with the one you want" in str(caught.value)
