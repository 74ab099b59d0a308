"""Following the advice of a message leads out of it: each command that a message names is typed, and the line again."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from doubles import THE_GUIDES_SIGN_IN, App, documented, sso_profile
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

import cuaws_magic
from cuaws_magic.errors import CuawsError
from cuaws_magic.ipython.grammar import Grammar
from cuaws_magic.ipython.magics import CuawsMagics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ACCOUNT, ID, OTHER = "awsucob0myaccount", "111111111111", "222222222222"
COMMAND = re.compile(r"`%cuaws(?: ([^`]*))?`")
WORKING = "[sso-session {0}]\nsso_start_url = https://cuboulder.awsapps.com/start\nsso_region = us-west-2\n\n"


@dataclass(frozen=True)
class Case:
    """
    One message.

    Attributes:
        documentation: What it is about.

        line: What is typed, after `%cuaws`.

        config: `~/.aws/config`.

        credentials: `~/.aws/credentials`.

        before: Lines that are typed first.

        revoked: The cached credentials are made ones that AWS does not know.

        placeholders: What a person puts for the words in capitals.

        again: The line itself works after the advice; otherwise the advice is what to type instead.
    """

    documentation: str
    line: str
    config: str = ""
    credentials: str = ""
    before: tuple[str, ...] = ()
    revoked: bool = False
    placeholders: tuple[tuple[str, str], ...] = (("ACCOUNT", ACCOUNT),)
    again: bool = False


URL = (("URL", "https://cuboulder.awsapps.com/start"), ("REGION", "us-west-2"))
TWO = WORKING.format("one") + WORKING.format("two").replace("cuboulder", "two")

CASES = [
    Case("an account that is not there", "use nosuchaccount", before=("login",)),
    Case("a name with a mistake in it", "use awsucob0myacount", before=("login",)),
    Case("two roles, none said", "use awsucob0production", before=("login",), placeholders=(("ROLE", "ReadOnly"),)),
    Case("a production account, not confirmed", "use awsucob0production --role Admin", before=("login",)),
    Case("a role that is not one's own", f"use {ACCOUNT} --role Nobody", placeholders=(("ROLE", "MyRole"),)),
    Case("an account id that is not one's own", "use 999999999999", before=("login",)),
    Case("a profile that is not there", f"use {ACCOUNT}x --via profile", config=THE_GUIDES_SIGN_IN),
    Case("nothing to export", "export --show", placeholders=(("ACCOUNT", ACCOUNT), ("FILE", "keys.json"))),
    Case("no console without an account", "console s3"),
    Case("no console of saved keys", "console s3", before=("use saved",), credentials="saved"),
    Case(
        "a console with a sign-in alone",
        "console s3 --session fedauth",
        before=(f"use {ACCOUNT}",),
        placeholders=(("ACCOUNT", ACCOUNT),),
    ),
    Case(
        "an export with a sign-in alone",
        "export --show --session fedauth",
        before=(f"use {ACCOUNT}",),
        placeholders=(("ACCOUNT", ACCOUNT), ("FILE", "keys.json")),
    ),
    Case("nothing used of a sign-in", "use --session fedauth", before=("login",)),
    Case("no such service", "console not_a_service", before=(f"use {ACCOUNT}",)),
    Case("a page that the console does not have", "console sagemakr", before=(f"use {ACCOUNT}",)),
    Case("nothing to forget", "forget nothing"),
    Case("a block that is not saved", "forget nothing", credentials="saved", placeholders=(("NAME", "saved"),)),
    Case("no account for a profile", "configure nosuch*"),
    Case("several sign-ins, none said", "accounts", config=TWO, again=True),
    Case(
        "a sign-in that is not configured",
        "use dev",
        config=sso_profile("dev", ID, "MyRole").replace("fedauth", "nowhere"),
        placeholders=URL,
        again=False,
    ),
    Case(
        "a profile without account and role",
        "use token",
        config=THE_GUIDES_SIGN_IN + "[profile token]\nsso_session = fedauth\n",
    ),
    Case("a profile of nothing", "use empty", config="[profile empty]\nregion = us-west-2\n"),
    Case("keys that AWS refuses", "use saved", credentials="refused", placeholders=(("ACCOUNT", ACCOUNT),)),
    Case("example keys", "use saved", credentials="example"),
    Case(
        "a profile named as the number of another account",
        f"use {OTHER}",
        config=THE_GUIDES_SIGN_IN + sso_profile(OTHER, ID, "MyRole"),
        placeholders=(("ROLE", "MyOtherRole"),),
    ),
    Case("no credentials at all", "whoami"),
    Case("a command with a mistake in it", "acounts"),
    Case("an argument too many", "release everything", placeholders=()),
    Case("a role of a profile", "use work --via profile", config=THE_GUIDES_SIGN_IN),
]  # fmt: skip


# Words of the messages of these cases that are a text of their own in the package.
SAYS = {
    "a name with a mistake in it": "There is no account or profile",
    "two roles, none said": "You have several roles in",
    "a production account, not confirmed": " is a production account, and ",
    "a page that the console does not have": "The console has no page ",
    "a role that is not one's own": "You have no role ",
    "an account id that is not one's own": "is not among yours at the access portal",
    "a profile that is not there": "There is no profile ",
    "nothing to export": "`%cuaws export ACCOUNT --to FILE`",
    "no console without an account": "or name one: `%cuaws console s3 ACCOUNT`",
    "no console of saved keys": "and a link leads through the sign-in",
    "a console with a sign-in alone": "`%cuaws console s3 ACCOUNT --session",
    "an export with a sign-in alone": "`%cuaws export ACCOUNT --session",
    "nothing used of a sign-in": "was used here before. To see yours, type `%cuaws accounts --session",
    "no such service": "is not the name of an AWS service",
    "nothing to forget": "There is nothing to forget",
    "a block that is not saved": "has no block",
    "no account for a profile": "No account matches",
    "several sign-ins, none said": "has several sso-sessions",
    "a sign-in that is not configured": "There is no [sso-session",
    "a profile without account and role": "signs in, but names no account and role",
    "a profile of nothing": "configures no credentials",
    "a profile named as the number of another account": "also the number of another account",
    "no credentials at all": "There are no AWS credentials in this kernel",
}


@pytest.fixture
def page(portal, home, tmp_path, monkeypatch) -> Iterator[Callable[[str], object]]:
    """A page of a new kernel: what is typed there after `%cuaws`, is run."""
    monkeypatch.chdir(tmp_path)
    app, shell = App(), InteractiveShell()
    magics = CuawsMagics(shell)
    magics._context = app.context
    magics._configure()
    yield magics.cuaws
    app.release()
    app.credentials._bound.clear()


def arrange(case: Case, page: Callable[[str], object], home: Path) -> None:
    aws = home / ".aws"
    aws.mkdir()
    if case.credentials == "saved":
        keys = json.loads(page(f"export {ID}/MyRole --format process --var keys").reveal())
        page("logout")
        token = f"aws_session_token = {keys['SessionToken']}\n"
    elif case.credentials:
        name = "AKIAIOSFODNN7EXAMPLE" if case.credentials == "example" else "ASIA0000000000000000"
        keys = {"AccessKeyId": name, "SecretAccessKey": "no" + "t" * 38}
        token = "aws_session_token = nothing\n"
    if case.credentials:
        (aws / "credentials").write_text(
            f"[saved]\naws_access_key_id = {keys['AccessKeyId']}\n"
            f"aws_secret_access_key = {keys['SecretAccessKey']}\n{token}"
        )
    if case.config:
        (aws / "config").write_text(case.config)
    for line in case.before:
        page(line)


@documented(CASES)
def test_following_it_leads_out(case: Case, page, home, monkeypatch) -> None:
    """The line fails; each command that its message names works; then the line works too, where it was no mistake."""
    arrange(case, page, home)
    monkeypatch.setattr("cuaws_magic.ipython.paste_cell.ask", lambda _shell: "export AWS_ACCESS_KEY_ID=x")

    with pytest.raises((CuawsError, UsageError)) as caught:
        page(case.line)

    assert SAYS.get(case.documentation, "") in str(caught.value)
    advice = COMMAND.findall(str(caught.value)) or COMMAND.findall(str(getattr(caught.value, "line", "")))
    assert advice, str(caught.value)
    for one in advice:
        command = one
        for word, value in case.placeholders:
            command = re.sub(rf"\b{word}\b", value, command)
        assert command != case.line, f"the advice is what was typed: {caught.value}"
        if command.startswith("paste"):
            continue  # `tests/kernel/test_paste.py` pastes
        page(command)
    if case.again:
        page(case.line)


# Texts that speak of a command, without an argument that it needs.
OF_A_COMMAND = {"use", "export", "forget", "console"}
OF_ANY = re.compile(r"COMMAND|X\b|…|\{(arguments|near|typed|asked|command|self\._command)")
PLACEHOLDER = re.compile(r"\{[^{}]*\}")


def advised() -> dict[str, str]:
    """Return every command that a text of the package tells people to type, with where it stands."""
    found = {}
    folder = Path(cuaws_magic.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                text = "".join(
                    part.value if isinstance(part, ast.Constant) else "{" + ast.unparse(part.value) + "}"
                    for part in node.values
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = node.value
            else:
                continue
            for command in COMMAND.findall(text):
                found.setdefault(command, f"{path.relative_to(folder)}:{node.lineno}")
    return found


def test_every_command_that_a_text_names_is_one() -> None:
    """No message, card or help tells people to type what the grammar refuses."""
    grammar, wrong, commands = Grammar(), [], advised()
    assert len(commands) > 50

    for command, where in commands.items():
        if command in OF_A_COMMAND or OF_ANY.match(command):
            continue
        line = re.sub(r"\bREGION\b", "eu-west-1", PLACEHOLDER.sub("name", command))
        line = re.sub(r"region name", "region eu-west-1", line)
        try:
            grammar.parse(line)
        except UsageError as error:
            wrong.append(f"{where}: `%cuaws {command}`: {error}")

    assert wrong == []
