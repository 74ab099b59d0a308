"""
The grammar of `%cuaws`: one declaration for parsing, help and completion.

Built on IPython's own parser, which raises `UsageError` where argparse would end
the kernel.
"""

from __future__ import annotations

import argparse
import builtins
import difflib
import functools
import keyword
from typing import TYPE_CHECKING, Any, NoReturn

from IPython.core.error import UsageError
from IPython.core.magic_arguments import MagicArgumentParser
from IPython.utils.process import arg_split  # type: ignore[attr-defined]  # public, though not in its __all__

from cuaws_magic.settings import EXPORT_FORMATS, REGION, REGIONS, WAYS

if TYPE_CHECKING:
    from cuaws_magic.ipython.completion import Names

_TARGET = "a profile, an account name (any case), an account id, ACCOUNT/ROLE, or SESSION: before one of these"

# What each command does, in the order of the help. The parsers are made with the first line that is typed:
# they would be most of what a load costs.
_ABOUT = "AWS credentials in this notebook, by IAM Identity Center."
COMMANDS = {
    "status": "who you are, which account, time left; sends no request (plain `%%cuaws` is the same)",
    "login": "sign in; returns at once if you are still signed in",
    "logout": "end the sign-in, at AWS and here; takes the credentials out of the kernel",
    "use": "put credentials for an account into this kernel, confirmed with AWS",
    "as": "run the cell below it in another account, then put everything back",
    "each": "run the cell below it once in each matching account",
    "release": "take the credentials out again; you stay signed in",
    "whoami": "ask AWS who you are (STS GetCallerIdentity)",
    "panel": "sign in and pick an account with the mouse",
    "accounts": "list the accounts that you can use",
    "paste": "use keys copied from the access portal (hidden prompt, or below a line `%%%%cuaws paste`)",
    "configure": "write a profile for each account and role to ~/.aws/config",
    "forget": "delete a saved block of keys from ~/.aws/credentials",
    "export": "write credentials for another program; they are not renewed",
    "console": "show a link that opens the AWS console in an account and role",
    "doctor": "look for problems on this machine, and say what to do",
}

# What the help of a command shows; the first are those of all.
_EXAMPLES = {
    None: (
        ("%cuaws login", "sign in"),
        ("%cuaws use awsucob0myaccount", "credentials for an account; signs in first if it must"),
        ("%cuaws", "what is in use now"),
    ),
    "login": (("%cuaws login --no-wait", "keep working while you approve"),),
    "use": (
        ("%cuaws use awsucob0myaccount", "by name"),
        ("%cuaws use 111111111111/MyRole", "by id and role"),
        ("%cuaws use awsucob0myaccount --region us-east-1", "in another region"),
    ),
    "accounts": (("%cuaws accounts *-dev --roles", "some accounts, with your roles"),),
    "configure": (("%cuaws configure --dry-run", "what would change"),),
    "export": (("%cuaws export --format env --to keys.env", "for `source keys.env` in a terminal"),),
    "console": (("%cuaws console s3", "the buckets of the account in use"),),
}


def usage_error(text: str) -> UsageError:
    """Return IPython's one-line error of wrong arguments; what a person typed may hold an escape sequence."""
    from cuaws_magic.humanize import printable  # deferred: nobody mistypes at `%load_ext`

    return UsageError(printable(text))


class _Parser(MagicArgumentParser):
    """IPython's parser, with `--help` and errors that say what to type."""

    def error(self, message: str) -> NoReturn:
        raise usage_error(f"%{self.prog}: {message}. Type `%{self.prog} --help`.")


def _positive_seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError
    return value


_positive_seconds.__name__ = "number of seconds"  # argparse names the type in its message


def _region(text: str) -> str:
    if not REGION.fullmatch(text):
        near = difflib.get_close_matches(text.lower(), REGIONS, n=1) or REGIONS[:1]
        raise argparse.ArgumentTypeError(f"{text} is not the name of a region. Nearest: {near[0]}")
    return text


# Of IPython; its others begin with an underscore (`_dh`, `_i1`, `_oh`).
_TAKEN = {"In", "Out", "exit", "quit", "get_ipython", "open", "display"}


def _variable(text: str) -> str:
    # A name that hides a builtin, or one of IPython's own, would break the cells after this one.
    taken = keyword.iskeyword(text) or hasattr(builtins, text) or text in _TAKEN or text.startswith("_")
    if not text.isidentifier() or taken:
        raise ValueError
    return text


_variable.__name__ = "name of a variable"  # as above


def _command(commands: Any, name: str) -> Any:
    summary = COMMANDS[name]
    parser = commands.add_parser(
        name,
        help=summary,
        description=summary,
        prog=f"cuaws {name}",
    )
    parser.add_argument("-h", "--help", action="store_true", help="show this help")
    return parser


def build_parser() -> Any:
    """Declare every command and argument of the contract."""
    parser: Any = _Parser("cuaws", description=_ABOUT)  # type: ignore[no-untyped-call]  # IPython is half typed
    parser.add_argument("-h", "--help", action="store_true", help="show this help")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)

    _command(commands, "status")

    login = _command(commands, "login")
    login.add_argument("--session", metavar="NAME", help="an [sso-session] of ~/.aws/config")
    login.add_argument("--start-url", metavar="URL", help="address of the access portal of another organisation")
    login.add_argument("--sso-region", metavar="REGION", help="region of its Identity Center")
    login.add_argument("--force", action="store_true", help="sign in again although still signed in")
    login.add_argument("--no-wait", action="store_true", help="do not wait: continue in the background")
    login.add_argument("--timeout", metavar="S", type=_positive_seconds, help="give up after S seconds")
    login.add_argument("--pkce", action="store_true", default=None, help="by authorization code, not a device code")
    login.add_argument("--qr", action="store_true", help="show the link as a QR code too, for your phone")

    logout = _command(commands, "logout")
    logout.add_argument(
        "--all", action="store_true", help="every sign-in in your home folder, as `aws sso logout` does"
    )
    _session(logout)

    use = _command(commands, "use")
    use.add_argument(
        "target", metavar="TARGET", nargs="?", help=_TARGET + "; none for the last one, - for the one before"
    )
    use.add_argument("--role", metavar="R", help="the role, where you have several")
    use.add_argument("--region", metavar="R", type=_region, help="the region for clients that name none")
    _session(use)
    use.add_argument(
        "--via",
        choices=WAYS,
        metavar="WAY",
        help="auto: keys for Python, an address for other programs (default); env: keys everywhere; endpoint: "
        "the address only; profile: AWS_PROFILE only",
    )
    use.add_argument("--no-verify", action="store_true", help="do not ask AWS to confirm")
    use.add_argument(
        "--wait-for-sign-in", action="store_true", help="a running cell waits for the next sign-in instead of failing"
    )
    use.add_argument("--yes", action="store_true", help="a role that can change a production account is meant")

    _many(commands)
    _command(commands, "release")
    _command(commands, "whoami")

    _command(commands, "panel")

    accounts = _command(commands, "accounts")
    accounts.add_argument("pattern", metavar="PATTERN", nargs="?", help="part of a name or id, or a pattern with *")
    accounts.add_argument("--roles", action="store_true", help="with your roles in each")
    accounts.add_argument(
        "--refresh", action="store_true", help="ask the portal instead of showing the list of the last 24 hours"
    )
    accounts.add_argument("--star", metavar="NAME", help="make an account a favourite, on top of lists; again: not")
    _session(accounts)
    _paste(commands)
    _profiles(commands)
    _export(commands)
    _console(commands)
    _command(commands, "doctor")
    return parser


def _session(command: Any) -> None:
    command.add_argument("--session", metavar="NAME", help="the sign-in, where you have several")


def _paste(commands: Any) -> None:
    paste = _command(commands, "paste")
    paste.add_argument(
        "--save",
        metavar="PROFILE",
        nargs="?",
        const="",
        help="also save them to ~/.aws/credentials, by default under the portal's own name",
    )


def _profiles(commands: Any) -> None:
    configure = _command(commands, "configure")
    configure.add_argument("pattern", metavar="PATTERN", nargs="?", help="which accounts, as in `accounts`; else all")
    configure.add_argument("--dry-run", action="store_true", help="show the difference, write nothing")
    configure.add_argument(
        "--prune",
        action="store_true",
        help="remove profiles written by this command whose account or role you no longer have",
    )
    configure.add_argument("--process", action="store_true", help="profiles for tools that do not know sso-session")
    _session(configure)
    forget = _command(commands, "forget")
    forget.add_argument("profile", metavar="PROFILE", help="the name of the block")


def _many(commands: Any) -> None:
    within = _command(commands, "as")
    within.add_argument("target", metavar="TARGET", help=_TARGET)
    within.add_argument("--role", metavar="R", help="the role, where you have several")
    within.add_argument("--region", metavar="R", type=_region, help="the region for clients that name none")
    _session(within)
    each = _command(commands, "each")
    each.add_argument("patterns", metavar="PATTERN", nargs="*", help="which accounts, as in `accounts`; else all")
    each.add_argument("--role", metavar="R", help="the role, or a pattern of it")
    each.add_argument("--regions", metavar="R,…", help="in these regions, each")
    each.add_argument("--workers", metavar="N", type=int, default=1, help="at a time, in threads with `session` only")
    each.add_argument("--again", action="store_true", help="run only what failed or is missing")
    each.add_argument("--stop", action="store_true", help="end at the first error")
    each.add_argument("--yes", action="store_true", help="in accounts marked production too")
    _session(each)


def _export(commands: Any) -> None:
    export = _command(commands, "export")
    export.add_argument("target", metavar="TARGET", nargs="?", help=f"{_TARGET}; else the account in use")
    export.add_argument(
        "--format", choices=EXPORT_FORMATS, metavar="F", default=EXPORT_FORMATS[0], help=f"{', '.join(EXPORT_FORMATS)}"
    )
    where = export.add_mutually_exclusive_group(required=True)
    where.add_argument("--to", metavar="FILE", help="to a file that only you can read")
    where.add_argument("--var", metavar="NAME", type=_variable, help="into a variable of this notebook, as text")
    where.add_argument("--show", action="store_true", help="on the page; a saved notebook keeps them")
    _session(export)


def _console(commands: Any) -> None:
    console = _command(commands, "console")
    console.add_argument("service", metavar="SERVICE", nargs="?", help="the page to open: s3, ec2, sagemaker and so on")
    console.add_argument("target", metavar="TARGET", nargs="?", help=f"{_TARGET}; else the account in use")
    _session(console)


class Grammar:
    """Parses, explains and completes the line after `%cuaws`."""

    @functools.cached_property
    def _parser(self) -> Any:
        return build_parser()

    @functools.cached_property
    def _commands(self) -> dict[str, argparse.ArgumentParser]:
        action = next(one for one in self._parser._actions if one.dest == "command")  # noqa: SLF001 - argparse has no public way to it
        return dict(action.choices)

    @property
    def names(self) -> list[str]:
        """The commands there are."""
        return list(COMMANDS)

    def parse(self, line: str) -> argparse.Namespace:
        """
        Return the arguments; `command` is `status` for an empty line.

        Raises:
            UsageError: The line is not one of the grammar's.
        """
        from cuaws_magic.ipython.spelling import cleaned, meant, surplus  # deferred: not needed at `%load_ext`

        try:
            words = arg_split(cleaned(line, self.names), posix=True)
        except ValueError:
            raise usage_error("%cuaws: a quotation mark is not closed. Close it and run the cell again.") from None
        if words[:1] == ["help"]:
            words = [*words[1:], "--help"]
        if words and not words[0].startswith("-") and words[0] not in self._commands:
            hint = meant(words[0], words[1:], self.names)
            raise usage_error(f"%cuaws has no command {words[0]}.{hint} There is: {', '.join(self.names)}.")
        if any(word in {"-h", "--help"} for word in words):
            # Not argparse's business: it would ask for what is missing first.
            return argparse.Namespace(command=words[0] if words[0] in self._commands else None, help=True)
        arguments: argparse.Namespace
        arguments, rest = self._parser.parse_known_args(words or ["status"])
        if rest:
            hint = surplus(arguments.command or "", self._values_of(arguments), rest, role="--role" in words)
            parser: Any = self._commands.get(arguments.command, self._parser)
            parser.error(f"unrecognized arguments: {' '.join(rest)}{hint}")
        return arguments

    def help(self, command: str | None = None) -> str:
        """Return the help text of a command, or of all: usage, a line for each thing to type, examples."""
        if command is None:
            about, usage = _ABOUT, "%cuaws COMMAND [OPTIONS]"
            parts = [("Commands", list(COMMANDS.items()))]
        else:
            parser, about = self._commands[command], COMMANDS[command]
            places = [one for one in parser._actions if not one.option_strings]  # noqa: SLF001 - argparse has no public way to it
            options = [one for one in parser._actions if one.option_strings]  # noqa: SLF001 - as above
            usage = " ".join([f"%cuaws {command}", *map(_place, places), *(["[OPTIONS]"] if options else [])])
            parts = [
                ("Arguments", [(str(one.metavar), one.help or "") for one in places]),
                ("Options", [(_option(one), one.help or "") for one in options]),
            ]
        parts.append(("Examples", list(_EXAMPLES.get(command, ()))))
        lines = [f"{about.rstrip('.')}.", "", f"Usage: {usage}"]
        for title, rows in parts:
            width = max((len(name) for name, _ in rows), default=0)
            lines += ["", f"{title}:", *(f"  {name:<{width}}  {text}" for name, text in rows)] if rows else []
        if command is None:
            lines += ["", "For more about a command, type `%cuaws COMMAND --help`."]
        text = "\n".join(lines).replace("%%", "%")
        return text[:1].upper() + text[1:] + "\n"

    def complete(self, line: str, symbol: str, names: Names) -> list[str]:
        """Return what may stand where the cursor is; see `completion.complete`."""
        from cuaws_magic.ipython.completion import complete

        return complete(self._commands, line, symbol, names)

    def _values_of(self, arguments: argparse.Namespace) -> list[str]:
        """Return what the arguments without an option took."""
        actions = self._commands[arguments.command]._actions if arguments.command else []  # noqa: SLF001 - argparse has no public way to it
        values = [getattr(arguments, one.dest) for one in actions if not one.option_strings]
        return [value for value in values if value is not None]


def _place(action: argparse.Action) -> str:
    return f"[{action.metavar}]" if action.nargs == "?" else str(action.metavar)


def _option(action: argparse.Action) -> str:
    """Write an option with its value: `--role R`."""
    value = f" [{action.metavar}]" if action.nargs == "?" else f" {action.metavar}" if action.metavar else ""
    return ", ".join(action.option_strings) + value
