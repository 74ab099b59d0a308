"""The grammar of `%cuaws`: what parses, what help says, what is completed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from doubles import documented
from IPython.core.error import UsageError

from cuaws_magic.ipython.grammar import Grammar
from cuaws_magic.settings import REGIONS

HELP = Path(__file__).parent / "help"
COMMANDS = ("status", "login", "logout", "use", "release", "whoami", "accounts")


@pytest.fixture(name="grammar", scope="module")
def _grammar():
    return Grammar()


@dataclass(frozen=True)
class Line:
    documentation: str
    line: str
    expected: dict


@documented(
    [
        Line("nothing is status", "", {"command": "status"}),
        Line("blanks are nothing", "   ", {"command": "status"}),
        Line("status", "status", {"command": "status"}),
        Line(
            "login",
            "login",
            {
                "command": "login",
                "session": None,
                "start_url": None,
                "sso_region": None,
                "force": False,
                "no_wait": False,
                "timeout": None,
            },
        ),
        Line(
            "login with everything",
            "login --session s --start-url https://x --sso-region r --force --no-wait --timeout 90",
            {
                "session": "s",
                "start_url": "https://x",
                "sso_region": "r",
                "force": True,
                "no_wait": True,
                "timeout": 90,
            },
        ),
        Line("part of a second", "login --timeout 0.5", {"timeout": 0.5}),
        Line("an equals sign", "login --session=s", {"session": "s"}),
        Line("logout", "logout", {"command": "logout", "all": False}),
        Line("logout of everything", "logout --all", {"all": True}),
        Line(
            "use",
            "use awsucob0myaccount",
            {
                "command": "use",
                "target": "awsucob0myaccount",
                "role": None,
                "region": None,
                "via": None,
                "no_verify": False,
            },
        ),
        Line(
            "use with everything",
            "use x --role R --region us-east-1 --via env --no-verify",
            {"target": "x", "role": "R", "region": "us-east-1", "via": "env", "no_verify": True},
        ),
        Line("options before the target", "use --role R x", {"target": "x", "role": "R"}),
        Line("a target in double quotes", 'use "two words"', {"target": "two words"}),
        Line(
            "a target in single quotes", "use 'two words' --role 'My Role'", {"target": "two words", "role": "My Role"}
        ),
        Line("a target with a quote in it", 'use "it\'s"', {"target": "it's"}),
        Line("an id keeps its zero", "use 044444444444", {"target": "044444444444"}),
        Line("account and role", "use a/R", {"target": "a/R"}),
        Line("release", "release", {"command": "release"}),
        Line("whoami", "whoami", {"command": "whoami"}),
        Line("accounts", "accounts", {"command": "accounts", "pattern": None, "roles": False, "refresh": False}),
        Line(
            "accounts with everything",
            "accounts res* --roles --refresh",
            {"pattern": "res*", "roles": True, "refresh": True},
        ),
        Line("help", "--help", {"command": None, "help": True}),
        Line("help of a command", "login --help", {"command": "login", "help": True}),
        Line("help of a command that wants an argument", "use --help", {"command": "use", "help": True}),
        Line("help, also where the rest is wrong", "use a b c -h", {"command": "use", "help": True}),
    ]
)
def test_what_parses(case, grammar):
    """Every command and argument of the contract, with its default."""
    parsed = vars(grammar.parse(case.line))

    assert {name: parsed[name] for name in case.expected} == case.expected
    assert parsed["help"] is case.expected.get("help", False)


@dataclass(frozen=True)
class Wrong:
    documentation: str
    line: str
    message: str


@documented(
    [
        Wrong("unknown command", "frobnicate", "no command frobnicate. There is: status, login, logout, use, "),
        Wrong("nearly a command", "logni", "Did you mean `%cuaws login`?"),
        Wrong("unknown option", "login --frob", "unrecognized arguments: --frob. Type `%cuaws login --help`."),
        Wrong("an option before the command", "--force login", "Type `%cuaws login --help`."),
        Wrong("only dashes", "--", "Type `%cuaws --help`."),
        Wrong("two targets", "use a b", "unrecognized arguments: b."),
        Wrong(
            "an option without its value", "use x --role", "--role: expected one argument. Type `%cuaws use --help`."
        ),
        Wrong("a way that is not there yet", "use x --via carrier-pigeon", "invalid choice: 'carrier-pigeon'"),
        Wrong("a time that is none", "login --timeout soon", "invalid number of seconds value: 'soon'"),
        Wrong("no time", "login --timeout 0", "invalid number of seconds value: '0'"),
        Wrong("a time without end", "login --timeout inf", "invalid number of seconds value: 'inf'"),
        Wrong("a time before now", "login --timeout=-5", "invalid number of seconds value: '-5'"),
        Wrong("not a number", "login --timeout nan", "invalid number of seconds value: 'nan'"),
        Wrong("an open quotation mark", 'use "two words', "a quotation mark is not closed. Close it"),
        Wrong("an argument too many", "release now", "unrecognized arguments: now."),
    ]
)
def test_what_does_not_parse(case, grammar):
    """What is wrong is exactly IPython's `UsageError`, one line that says what to type; never an exit."""
    with pytest.raises(UsageError) as caught:
        grammar.parse(case.line)

    assert type(caught.value) is UsageError
    assert case.message in str(caught.value)
    assert str(caught.value).startswith("%cuaws")
    assert "\n" not in str(caught.value)


# Help.


def test_the_help(grammar):
    """The whole help text, as `%cuaws?` shows it."""
    expected = (HELP / "cuaws.txt").read_text()

    assert grammar.help() == expected


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command(grammar, command):
    """A command's help begins with how to type it, and has no argparse in it that a person must decode."""
    text = grammar.help(command)

    assert f"\nUsage: %cuaws {command}" in text
    assert "positional" not in text
    assert "{" not in text
    assert "%%" not in text
    assert "%(" not in text
    assert "SUPPRESS" not in text


def test_the_commands_of_the_contract(grammar):
    """The commands are there, in the order of the contract, and each has its line in the help."""
    assert tuple(name for name in grammar.names if name in COMMANDS) == COMMANDS
    assert [name for name in grammar.names if f"\n  {name} " not in grammar.help()] == []


# Completion.


@dataclass
class Known:
    """What is known without asking; remembers what was wanted."""

    wanted: list[str] = field(default_factory=list)

    def target_names(self):
        self.wanted.append("targets")
        return ["awsucob0myaccount", "awsucob0production", "Research-1", "two words"]

    def role_names(self, target):
        self.wanted.append(f"roles of {target}")
        return ["Admin", "ReadOnly"]

    def session_names(self):
        self.wanted.append("sessions")
        return ["fedauth", "work"]

    def saved_names(self):
        self.wanted.append("saved")
        return ["111111111111_MyRole"]

    def profile_names(self):
        self.wanted.append("profiles")
        return ["awsucob0myaccount", "chained"]


@dataclass(frozen=True)
class Completion:
    documentation: str
    line: str  # up to the cursor
    expected: list[str]
    wanted: list[str] = field(default_factory=list)


EVERY_COMMAND = (
    "status login logout use as each release whoami panel accounts paste configure forget export console doctor --help"
)


@documented(
    [
        Completion("every command", "%cuaws ", EVERY_COMMAND.split()),
        Completion("commands by their beginning", "%cuaws log", ["login", "logout"]),
        Completion("a command is not completed in another case", "%cuaws LOG", []),
        Completion("targets", "%cuaws use aws", ["awsucob0myaccount", "awsucob0production"], ["targets", "profiles"]),
        Completion("targets in any case", "%cuaws use RES", ["Research-1"], ["targets", "profiles"]),
        Completion("targets with a space come in quotes", '%cuaws use "two', ['"two words"'], ["targets", "profiles"]),
        Completion(
            "targets of nothing yet",
            "%cuaws use ",
            ["awsucob0myaccount", "awsucob0production", "Research-1", '"two words"', "chained"],
            ["targets", "profiles"],
        ),
        Completion(
            "options",
            "%cuaws login --s",
            ["--session", "--start-url", "--sso-region"],
        ),
        Completion(
            "every option, by its long name",
            "%cuaws login -",
            [
                "--help",
                "--session",
                "--start-url",
                "--sso-region",
                "--force",
                "--no-wait",
                "--timeout",
                "--pkce",
                "--qr",
            ],
        ),
        Completion("an option that is there is not offered again", "%cuaws login --force --f", []),
        Completion("roles of the target", "%cuaws use x --role ", ["Admin", "ReadOnly"], ["roles of x"]),
        Completion("roles by their beginning", "%cuaws use x --role R", ["ReadOnly"], ["roles of x"]),
        Completion("sessions", "%cuaws login --session f", ["fedauth"], ["sessions"]),
        Completion("regions", "%cuaws use x --region us-w", ["us-west-2", "us-west-1"]),
        Completion("regions of Identity Center", "%cuaws login --sso-region eu-n", ["eu-north-1"]),
        Completion("ways", "%cuaws use x --via e", ["env", "endpoint"]),
        Completion("profiles of any kind", "%cuaws use ch", ["chained"], ["targets", "profiles"]),
        Completion("where pasted keys are saved", "%cuaws paste --save 1", ["111111111111_MyRole"], ["saved"]),
        Completion("the same below a cell's first line", "%%cuaws paste --save 1", ["111111111111_MyRole"], ["saved"]),
        Completion("what can be forgotten", "%cuaws forget ", ["111111111111_MyRole"], ["saved"]),
        Completion("formats", "%cuaws export --format e", ["env", "env-no-export"]),
        Completion("targets to export", "%cuaws export awsucob0m", ["awsucob0myaccount"], ["targets"]),
        Completion(
            "services before targets", "%cuaws console re", ["redshift", "rekognition", "Research-1"], ["targets"]
        ),
        Completion("after a service, targets only", "%cuaws console s3 r", ["Research-1"], ["targets"]),
        Completion("no file that is there", "%cuaws export --to ", []),
        Completion("nothing to say about keys", "%cuaws paste A", []),
        Completion("nothing to say about a URL", "%cuaws login --start-url h", []),
        Completion("nothing after an unknown command", "%cuaws frob x", []),
        Completion("nothing where a pattern stands", "%cuaws accounts r", []),
    ]
)
def test_what_is_completed(case, grammar):
    """Completion offers what may stand there and nothing else, and asks only for the names that may."""
    known = Known()
    symbol = case.line.rsplit(" ", 1)[-1]

    offered = grammar.complete(case.line, symbol, known)

    assert offered == case.expected
    assert known.wanted == case.wanted


def test_cus_region_is_the_first(grammar):
    """CU's region is the first that is offered."""
    assert REGIONS[0] == "us-west-2"
    assert len(set(REGIONS)) == len(REGIONS)


@pytest.mark.parametrize(
    "name", ["__builtins__", "_dh", "_i1", "_oh", "_", "exit", "quit", "get_ipython", "In", "Out", "print", "class"]
)
def test_a_variable_of_python_or_ipython_is_refused(grammar, name):
    """`--var` never takes a name whose loss breaks the kernel."""
    with pytest.raises(UsageError, match="name of a variable"):
        grammar.parse(f"export --var {name}")


@pytest.mark.parametrize("line", ["\x1b]0;pwned\x07", "use a b\x1b[2J", "login --nosuch\u202e"])
def test_a_mistyped_line_is_shown_and_not_obeyed(grammar, line):
    """An escape sequence in what was typed reaches no terminal, a mark that turns the line around no page."""
    with pytest.raises(UsageError) as caught:
        grammar.parse(line)

    assert str(caught.value).isprintable()
