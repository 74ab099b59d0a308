"""What may stand where the cursor is on a line of `%cuaws`; nobody is asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cuaws_magic.settings import REGIONS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence
    from typing import Protocol

    class Names(Protocol):
        """What can be typed, as far as it is known without asking anyone."""

        def target_names(self) -> list[str]:
            """Return profiles and account names."""

        def names_in(self, session: str) -> list[str]:
            """Return the account names of one sign-in."""

        def account_ids(self) -> list[str]:
            """Return the numbers of the accounts."""

        def role_names(self, target: str) -> list[str]:
            """Return the roles known for a target."""

        def session_names(self) -> list[str]:
            """Return the sso-sessions."""

        def saved_names(self) -> list[str]:
            """Return the blocks of the credentials file."""

        def profile_names(self) -> list[str]:
            """Return all profiles, of both files."""


def complete(commands: Mapping[str, argparse.ArgumentParser], line: str, symbol: str, names: Names) -> list[str]:
    """
    Return what may stand where the cursor is.

    Args:
        commands: The parser of each command.

        line: The text from `%cuaws` to the cursor.

        symbol: Its last, unfinished word.

        names: What can be typed; asked for only where it may be.
    """
    words, typed = _words(line)
    if not words:
        return _beginning(symbol, [*commands, "--help"])
    parser = commands.get(words[0])
    if parser is None:
        return []
    options = {option: action for action in parser._actions for option in action.option_strings}  # noqa: SLF001 - argparse has no public way to it
    previous = options.get(words[-1])
    if previous is not None and previous.nargs != 0:
        found = _values(previous, words, names)
        return _endings(typed, symbol, found) if previous.dest == "star" else _beginning(symbol, found)
    if symbol.startswith("-"):
        return _beginning(symbol, [option for option in options if option.startswith("--") and option not in words])
    targets = words[0] in _TAKE_TARGETS
    account, slash, _ = typed.strip("\"'").rpartition("/")
    if targets and slash and account:
        # IPython's last part begins after a colon, unless there is a quotation mark.
        shown = account if ":" in symbol or typed[:1] in {'"', "'"} else account.rpartition(":")[2]
        return _endings(typed, symbol, [f"{shown}/{role}" for role in names.role_names(account)])
    within = _in_session(typed, symbol, names) if targets else None
    found = _endings(typed, symbol, _places(words, names) if within is None else within)
    if targets and typed.isdigit():
        found += _beginning(symbol, names.account_ids())
    return found


def _in_session(typed: str, symbol: str, names: Names) -> list[str] | None:
    """Return the names behind `SESSION:`; nothing where none is named so."""
    session, colon, _ = typed.strip("\"'").partition(":")
    if not colon or session not in names.session_names():
        return None
    # IPython's last part begins after the colon, unless there is a quotation mark.
    before = f"{session}:" if ":" in symbol or typed[:1] in {'"', "'"} else ""
    return [f"{before}{name}" for name in names.names_in(session)]


_PART = 3  # letters of a part of a name
_TAKE_TARGETS = {"use", "as", "export", "console"}


def _places(words: Sequence[str], names: Names) -> list[str]:
    """Return what may stand in the place of an argument without option."""
    if words[0] == "console" and len(words) == 1:
        from cuaws_magic.aws.console_links import SERVICES

        return [*SERVICES, *names.target_names()]
    if words[0] == "forget":
        return names.saved_names()
    if words[0] == "use":
        return list(dict.fromkeys([*names.target_names(), *names.profile_names()]))
    return names.target_names() if words[0] in {"as", "each", "export", "console"} else []


def _values(action: argparse.Action, words: Sequence[str], names: Names) -> list[str]:
    target = next((word for word in words[1:] if not word.startswith("-")), "")
    sources: dict[str, Callable[[], list[str]]] = {
        "role": lambda: names.role_names(target.strip("\"'")),
        "region": lambda: list(REGIONS),
        "sso_region": lambda: list(REGIONS),
        "session": names.session_names,
        "star": names.target_names,
        "save": lambda: names.saved_names(),  # noqa: PLW0108 - asked for only where it may be
    }
    if action.choices is not None:
        return [str(choice) for choice in action.choices]
    return sources.get(action.dest, list)()


def _beginning(symbol: str, names: Sequence[str], *, any_case: bool = False) -> list[str]:
    if any_case:
        return [name for name in names if name.casefold().startswith(symbol.casefold())]
    return [name for name in names if name.startswith(symbol)]


def _words(line: str) -> tuple[list[str], str]:
    """Split a line at spaces outside quotation marks: the finished words after `%cuaws`, and the unfinished one."""
    words, word, quote = [], "", ""
    for character in line:
        if character.isspace() and not quote:
            words += [word] if word else []
            word = ""
            continue
        if character == quote:
            quote = ""
        elif not quote and character in {'"', "'"}:
            quote = character
        word += character
    return [one.strip("\"'") for one in words[1:]], word


def _endings(typed: str, symbol: str, names: Sequence[str]) -> list[str]:
    """
    Complete an unfinished word in any case: names that begin with it, then those that have it inside.

    What is given back stands in for the last part of the word, `symbol`.
    """
    quote = typed[:1] if typed[:1] in {'"', "'"} else ""
    if quote:
        # IPython's last part begins after the mark and after each space.
        kept = len(typed) - len(symbol)
        return [
            f"{quote}{name}{quote}"[kept:] for name in names if f"{quote}{name}".casefold().startswith(typed.casefold())
        ]
    written = [f'"{name}"' if " " in name else name for name in names]
    found = _beginning(symbol, written, any_case=True)
    inside = [name for name in written if symbol.casefold() in name.casefold()] if len(symbol) >= _PART else []
    return list(dict.fromkeys([*found, *inside]))
