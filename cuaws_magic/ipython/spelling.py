"""What hands type: habits of other tools and of Python, read as what is meant, or answered with what to type."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from cuaws_magic.humanize import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

# What other tools call it: the AWS CLI, Granted, aws-vault, aws-sso-cli, saml2aws, Leapp. The value is what to type.
_ELSEWHERE = {
    "add": "configure",
    "assume": "use",
    "assume-role": "use",
    "cache": "accounts --refresh",
    "clear": "release",
    "config": "configure",
    "configure-sso": "configure",
    "credentials": "export",
    "creds": "export",
    "current": "status",
    "deactivate": "release",
    "env": "export --format env",
    "eval": "export",
    "exec": "use",
    "exit": "logout",
    "export-credentials": "export",
    "flush": "logout",
    "get-caller-identity": "whoami",
    "gui": "panel",
    "id": "whoami",
    "import": "paste",
    "info": "status",
    "init": "configure",
    "keys": "export",
    "list": "accounts",
    "list-accounts": "accounts",
    "list-roles": "accounts --roles",
    "log-in": "login",
    "log-out": "logout",
    "logoff": "logout",
    "logon": "login",
    "ls": "accounts",
    "me": "whoami",
    "off": "release",
    "on": "use",
    "open": "console",
    "open-browser": "console",
    "populate": "configure",
    "process": "export",
    "profile": "use",
    "profiles": "accounts",
    "quit": "logout",
    "refresh": "login",
    "region": "use",
    "remove": "forget",
    "reset": "release",
    "role": "use",
    "roles": "accounts --roles",
    "rotate": "login",
    "save": "paste --save",
    "select": "use",
    "set": "use",
    "setup": "configure",
    "show": "status",
    "signin": "login",
    "sign-in": "login",
    "signout": "logout",
    "sign-out": "logout",
    "sso": "login",
    "start": "login",
    "stop": "release",
    "sts": "whoami",
    "switch": "use",
    "switch-role": "use",
    "unset": "release",
    "web": "console",
    "who": "whoami",
}


# What stands before a comment: a # at the start, or after a space, that no quotes are around.
_CODE = re.compile(r"""(?:"[^"]*(?:"|$)|'[^']*(?:'|$)|[^"'#]|(?<=\S)#)*""")


def cleaned(line: str, commands: Sequence[str]) -> str:
    """Return a line without what Python would not mind: a comment, a semicolon at its end, a command in capitals."""
    line = _CODE.match(line)[0].rstrip().rstrip(";").rstrip()  # type: ignore[index]  # it matches anything
    first, blank, rest = line.partition(" ")
    if first not in commands and first.casefold() in commands:
        line = f"{first.casefold()}{blank}{rest}"
    return line


def meant(word: str, rest: Sequence[str], commands: Sequence[str]) -> str:
    """Say what to type instead of a command that there is not; empty where nothing comes to mind."""
    asked = word.rstrip("?").casefold()
    if word.endswith("?") and asked in commands:
        return f" For help, type `%cuaws {asked} --help`."
    near = _ELSEWHERE.get(asked) or next(iter(difflib.get_close_matches(asked, commands, n=1)), None)
    if near is None:
        return ""
    typed = " ".join([near, *map(quoted, rest[:1])]) if near == "use" and rest and not rest[0].startswith("-") else near
    return f" Did you mean `%cuaws {typed}`?"


def surplus(command: str, values: Sequence[str], rest: Sequence[str], *, role: bool = False) -> str:
    """
    Say how to type what was too much on a line.

    Args:
        command: The command.

        values: What its arguments took.

        rest: What was left over.

        role: A role was named.
    """
    names = [word for word in rest if not word.startswith("-")]
    named = next((word for word in rest if word.partition("=")[0] in {"--profile", "--account", "--account-id"}), None)
    if named is not None and command in {"use", "export", "console"}:
        name = named.partition("=")[2] or next(iter([*names, *values[-1:]]), "ACCOUNT")
        return f". Name it without an option: `%cuaws {command} {quoted(name)}`"
    if command == "use" and not role and len(values) == 1 and len(rest) == len(names) == 1:
        whole = f"{values[0]} {names[0]}"
        return (
            f". For a role, type `%cuaws use {quoted(values[0])} --role {quoted(names[0])}`; for a name with spaces, "
            f"`%cuaws use {quoted(whole)}`"
        )
    if not values or not values[-1] or len(names) < len(rest):
        return ""
    name = " ".join([values[-1], *rest])
    typed = " ".join(["%cuaws", command, *values[:-1], f'"{name}"'])
    return f". Put a name with spaces into quotes: `{typed}`"
