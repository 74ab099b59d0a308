"""
The grammar of `%cuaws`: one declaration for parsing, help and completion.

Built on IPython's own parser, which raises `UsageError` where argparse would end
the kernel.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, NoReturn

from IPython.core.error import UsageError
from IPython.core.magic_arguments import MagicArgumentParser, MagicHelpFormatter
from IPython.utils.process import arg_split  # type: ignore[attr-defined]  # public, though not in its __all__

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from typing import Protocol

    class Names(Protocol):
        """What can be typed, as far as it is known without asking anyone."""

        def target_names(self) -> list[str]:
            """Return profiles and account names."""

        def role_names(self, target: str) -> list[str]:
            """Return the roles known for a target."""

        def session_names(self) -> list[str]:
            """Return the sso-sessions."""


# For completion only: any region can be typed. Those open by default, in the order of `us-*` first.
REGIONS = (
    "us-west-2", "us-east-1", "us-east-2", "us-west-1", "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1",
    "eu-west-2", "eu-west-3", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1",
    "ap-southeast-2", "sa-east-1",
)  # fmt: skip

_TARGET = "profile, account name (any case), account id, or ACCOUNT/ROLE"
_DESCRIPTION = """AWS credentials in this notebook, by IAM Identity Center.

  %cuaws login                  sign in
  %cuaws use awsucob0myaccount  credentials for an account (signs in first if it must)
  %cuaws                        what holds now
"""


class _Parser(MagicArgumentParser):
    """IPython's parser, with `--help` and errors that say what to type."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"%{self.prog}: {message}. Type `%{self.prog} --help`.")


def _positive_seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError
    return value


_positive_seconds.__name__ = "number of seconds"  # argparse names the type in its message


def _command(commands: Any, name: str, summary: str) -> Any:
    parser = commands.add_parser(
        name, help=summary, description=summary, prog=f"cuaws {name}", formatter_class=MagicHelpFormatter
    )
    parser.add_argument("-h", "--help", action="store_true", help="show this help")
    return parser


def build_parser() -> Any:
    """Declare every command and argument of the contract."""
    parser: Any = _Parser(  # type: ignore[no-untyped-call]  # IPython is half typed
        "cuaws", description=_DESCRIPTION, formatter_class=MagicHelpFormatter
    )
    parser.add_argument("-h", "--help", action="store_true", help="show this help")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)

    _command(commands, "status", "who, which account, time left; asks nobody (also plain `%%cuaws`)")

    login = _command(commands, "login", "sign in; returns at once when still signed in")
    login.add_argument("--session", metavar="NAME", help="an [sso-session] of ~/.aws/config")
    login.add_argument("--start-url", metavar="URL", help="address of the access portal of another organisation")
    login.add_argument("--sso-region", metavar="REGION", help="region of its Identity Center")
    login.add_argument("--force", action="store_true", help="although still signed in")
    login.add_argument("--no-wait", action="store_true", help="go on in the background")
    login.add_argument("--timeout", metavar="S", type=_positive_seconds, help="give up after S seconds")

    logout = _command(commands, "logout", "end the sign-in, at AWS and here; takes everything out of the kernel")
    logout.add_argument("--all", action="store_true", help="every sign-in of this home, as `aws sso logout` does")

    use = _command(commands, "use", "credentials for an account into this kernel, confirmed with AWS")
    use.add_argument("target", metavar="TARGET", help=_TARGET)
    use.add_argument("--role", metavar="R", help="the role, where you have several")
    use.add_argument("--region", metavar="R", help="where clients go by default")
    use.add_argument("--via", choices=["env"], default="env", help="how: env (environment variables)")
    use.add_argument("--no-verify", action="store_true", help="do not ask AWS to confirm")

    _command(commands, "release", "take the credentials out again; stays signed in")
    _command(commands, "whoami", "the caller identity, asked from AWS STS")

    accounts = _command(commands, "accounts", "the accounts that you may enter")
    accounts.add_argument("pattern", metavar="PATTERN", nargs="?", help="part of a name or id, or a pattern with *")
    accounts.add_argument("--roles", action="store_true", help="with your roles in each")
    accounts.add_argument("--refresh", action="store_true", help="ask the portal, not the list of the last 24 hours")
    return parser


class Grammar:
    """Parses, explains and completes the line after `%cuaws`."""

    def __init__(self) -> None:
        self._parser = build_parser()
        action = next(one for one in self._parser._actions if one.dest == "command")  # noqa: SLF001 - argparse has no public way to it
        self._commands: dict[str, argparse.ArgumentParser] = dict(action.choices)

    @property
    def names(self) -> list[str]:
        """The commands there are."""
        return list(self._commands)

    def parse(self, line: str) -> argparse.Namespace:
        """
        Return the arguments; `command` is `status` for an empty line.

        Raises:
            UsageError: The line is not one of the grammar's.
        """
        try:
            words = arg_split(line, posix=True)
        except ValueError:
            raise UsageError("%cuaws: a quotation mark is not closed. Close it and run the cell again.") from None
        if words and not words[0].startswith("-") and words[0] not in self._commands:
            raise UsageError(self._unknown(words[0]))
        helping = words[:1] if words[0:1] and words[0] in self._commands else []
        if any(word in {"-h", "--help"} for word in words):
            words = [*helping, "--help"]
            if helping == ["use"]:  # argparse wants TARGET before it looks at options
                words = ["use", "TARGET", "--help"]
        arguments: argparse.Namespace = self._parser.parse_args(words or ["status"])
        return arguments

    def help(self, command: str | None = None) -> str:
        """Return the help text of a command, or of all."""
        parser = self._parser if command is None else self._commands[command]
        return parser.format_help().replace("::\n\n", "", 1).strip() + "\n"

    def complete(self, line: str, symbol: str, names: Names) -> list[str]:
        """
        Return what may stand where the cursor is.

        Args:
            line: The text from `%cuaws` to the cursor.

            symbol: Its last, unfinished word.

            names: What can be typed; asked for only where it may be.
        """
        words = line[: len(line) - len(symbol)].split()[1:]
        if not words:
            return _beginning(symbol, [*self.names, "--help"])
        parser = self._commands.get(words[0])
        if parser is None:
            return []
        options = {option: action for action in parser._actions for option in action.option_strings}  # noqa: SLF001 - argparse has no public way to it
        previous = options.get(words[-1])
        if previous is not None and previous.nargs != 0:
            return _beginning(symbol, self._values(previous, words, names))
        if symbol.startswith("-"):
            return _beginning(symbol, [option for option in options if option.startswith("--") and option not in words])
        if words[0] == "use":
            return _beginning(symbol, [_typed(name) for name in names.target_names()], any_case=True)
        return []

    def _values(self, action: argparse.Action, words: Sequence[str], names: Names) -> list[str]:
        target = next((word for word in words[1:] if not word.startswith("-")), "")
        sources: dict[str, Callable[[], list[str]]] = {
            "role": lambda: names.role_names(target.strip("\"'")),
            "region": lambda: list(REGIONS),
            "sso_region": lambda: list(REGIONS),
            "session": names.session_names,
            "via": lambda: [str(choice) for choice in action.choices or ()],
        }
        return sources.get(action.dest, list)()

    def _unknown(self, word: str) -> str:
        near = difflib.get_close_matches(word, self.names, n=1)
        hint = f" Did you mean `%cuaws {near[0]}`?" if near else ""
        return f"%cuaws has no command {word}.{hint} There is: {', '.join(self.names)}."


def _beginning(symbol: str, names: Sequence[str], *, any_case: bool = False) -> list[str]:
    if any_case:
        return [name for name in names if name.casefold().startswith(symbol.casefold())]
    return [name for name in names if name.startswith(symbol)]


def _typed(name: str) -> str:
    return f'"{name}"' if " " in name else name
