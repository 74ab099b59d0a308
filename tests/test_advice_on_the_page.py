"""
Advice that is no error: below a cell, on a card, in a row of the status, of the doctor. Each is followed once.

What it speaks of is arranged, the advice is on the page, what it says is done, and then it works or is said no more.
Errors have their own walks (`test_advice.py`, `test_advice_walks.py`); the last test holds that nothing is left out.
"""

from __future__ import annotations

import ast
import json
import os
import re
import stat
import subprocess
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import nbformat
import pytest
from botocore.exceptions import ClientError, NoCredentialsError, UnauthorizedSSOTokenError
from diagnostics.test_checks import GOOD, snapshot
from doubles import THE_GUIDES_SIGN_IN, App, Clock, RecordingShow, sso_profile, until
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from test_advice_walks import ACCOUNT, ID, OTHER, TWO_ROLES, World, config, literal, messages, variable

import cuaws_magic
from cuaws_magic import storage
from cuaws_magic.diagnostics.checks import judge
from cuaws_magic.diagnostics.snapshot import Clock as ClockFact
from cuaws_magic.diagnostics.snapshot import Installed
from cuaws_magic.errors import Cancelled, CuawsError
from cuaws_magic.ipython.magics import CuawsMagics
from cuaws_magic.practice import Knobs, PracticePortal
from cuaws_magic.views.render import Cell
from cuaws_magic.widget import view as panel_view

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LAB = "[sso-session lab]\nsso_start_url = https://lab.awsapps.com/start\nsso_region = us-west-2\n"
LAB_PROFILE = (
    "[profile lab]\nsso_session = lab\nsso_account_id = 222222222222\nsso_role_name = MyOtherRole\nregion = us-west-2\n"
)
HOURS = timedelta(hours=1)


class Page(World):
    """A page of a kernel whose clock a test moves, and AWS's with it."""

    def __init__(
        self, portal: PracticePortal, home: Path, patch: pytest.MonkeyPatch, folder: Path, clock: Clock
    ) -> None:
        super().__init__(portal, home, patch, folder)
        self.clock = clock
        self.new_kernel()

    def new_kernel(self) -> None:
        """Restart the kernel."""
        clock = self.clock
        self.app = App(now=clock)
        self.app.hints._seconds = lambda: clock().timestamp()
        self.magics = CuawsMagics(InteractiveShell())
        self.magics._context = self.app.context
        self.magics._configure()

    def text(self, line: str) -> str:
        """Return what a command shows, or the line that it fails with."""
        try:
            shown = self.magics.cuaws(line)
            if line == "doctor":
                return "\n".join([*(one.line for one in shown.findings), shown.conclusion])
            return repr(shown)
        except (CuawsError, UsageError) as error:
            return str(error)

    def follow(self, advice: str) -> None:
        """Do what stands between backticks, in its order, as a person would type it."""
        typed = re.findall(r"`([^`]+)`", advice)
        assert typed, advice
        for one in typed:
            filled = one.replace("ACCOUNT", ID).replace("REGION", "us-west-2").replace("NAME", "lab")
            if filled.startswith("%cuaws"):
                self.do(filled.removeprefix("%cuaws").strip())
            elif filled.startswith("!"):
                subprocess.run(filled[1:], shell=True, check=True, capture_output=True)
            elif filled.startswith("import "):
                exec(filled)


def sts(profile: str | None = None) -> str:
    """Call AWS as a cell would, by botocore alone."""
    return str(boto3.Session(profile_name=profile).client("sts").get_caller_identity()["Account"])


@dataclass(frozen=True)
class Advice:
    """
    One piece of advice.

    Attributes:
        says: Words of it.

        shown: Where it stands: a line after `%cuaws`, or what returns its text.

        before: What is done first.

        then: What it says to do; by default what stands between its backticks.

        works: Shows that it led out; by default that it is said no more.
    """

    says: str
    shown: str | Callable[[Page], str]
    before: tuple[str | Callable[[Page], object], ...] = ()
    then: tuple[str | Callable[[Page], object], ...] | None = None
    works: Callable[[Page], object] | None = None


def above(page: Page) -> str:
    """What stands above the next cell."""
    hint = page.app.hints.before()
    return "" if hint is None else repr(hint)


def below(cell: Callable[[], object], replaced: bool = False) -> Callable[[Page], str]:  # noqa: FBT001, FBT002 - as it is asked
    """What stands below a cell that failed."""

    def shown(page: Page) -> str:
        from cuaws_magic.commands.status import replace_if_refused

        try:
            cell()
        except Exception as error:  # noqa: BLE001 - as IPython hands it on
            hint = page.app.hints.after(
                error, (lambda: replace_if_refused(page.app.context)) if replaced else lambda: False
            )
            return "" if hint is None else repr(hint)
        return ""

    return shown


def fails_with(error: BaseException) -> Callable[[], object]:
    def cell() -> object:
        raise error

    return cell


def later(**by: float) -> Callable[[Page], object]:
    """Some time passes, here and at AWS."""
    return lambda page: page.clock.forward(**by)


def background(page: Page) -> None:
    """What is renewed in the background is looked after."""
    page.app.credentials._keep_up()


def ended_at_aws(page: Page) -> None:
    """An administrator ends the sign-in."""
    page.portal.revoke_sign_ins()


def refused_keys(page: Page) -> None:
    """The role is made anew: AWS does not know the credentials any more."""
    page.do("release")
    (path,) = page.app.token_cache.role_folder.glob("*.json")
    content = json.loads(path.read_text())
    content["Credentials"] |= {"AccessKeyId": "ASIAREV0KEDREV0KED00", "SessionToken": "revoked" * 20}
    path.write_text(json.dumps(content))
    page.new_kernel()
    page.do(f"use {ID} --no-verify")


def pasted(page: Page) -> None:
    """Keys from the portal's page."""
    keys = page.good_keys()
    page.cell("paste", "\n".join(f'export {name.upper()}="{value}"' for name, value in keys.items()))


def renewed(page: Page) -> bool:
    """The account in use has credentials again that have not expired."""
    until(lambda: page.app.credentials.current.credentials.expires_at > page.clock())
    return page.app.credentials.current.account.id == ID


def refused() -> ClientError:
    return ClientError({"Error": {"Code": "ExpiredToken", "Message": "no"}}, "ListBuckets")


use = f"use {ID}"
signed_in = (config(THE_GUIDES_SIGN_IN + sso_profile(ACCOUNT, ID, "MyRole")), "login")

HINTS = [
    Advice("The sign-in ends in", above, (use, later(hours=7, minutes=31))),
    Advice(
        "Type `%cuaws login` to keep working after that",
        above,
        (use, later(hours=5), lambda page: page.app.credentials.renew(), later(hours=3, minutes=1), background),
        works=lambda page: above(page) == "",
    ),
    Advice(
        "Type `%cuaws login`; the account stays in use",
        above,
        (use, later(hours=9)),
        works=renewed,
    ),
    Advice(
        "Type `%cuaws login` to renew them",
        above,
        (*signed_in, f"use {ACCOUNT} --via profile", later(hours=9), background),
        works=lambda page: page.app.context.login.peek(page.app.context.choice.sso_session())[0] is not None,
    ),
    Advice(
        "Run this cell again. Clients that you made before use the new ones too.",
        below(sts, replaced=True),
        (use, refused_keys),
        then=(),
        works=lambda _: sts() == ID,
    ),
    Advice(
        "Run the cell that made the client again, then this one.",
        below(fails_with(refused())),
        (use,),
        works=lambda _: sts() == ID,
    ),
    Advice("That profile needs a sign-in", below(lambda: sts(ACCOUNT)), signed_in[:1], works=lambda _: sts(ACCOUNT)),
    Advice(
        "with the NAME of the profile's sso_session",
        below(fails_with(UnauthorizedSSOTokenError())),
        (config(THE_GUIDES_SIGN_IN + LAB + LAB_PROFILE),),
        works=lambda _: sts("lab") == OTHER,
    ),
    Advice(
        "The sign-in of a profile was not accepted",
        below(lambda: sts(ACCOUNT)),
        (*signed_in, f"use {ACCOUNT} --via profile", lambda page: page.portal._state._sso_tokens.clear()),
        works=lambda _: sts(ACCOUNT) == ID,
    ),
    Advice(
        "Leave the profile out to act in",
        below(lambda: sts("lab")),
        (config(THE_GUIDES_SIGN_IN + LAB + LAB_PROFILE), "login --session fedauth", use),
        works=lambda _: sts("lab") == OTHER,
    ),
    Advice("No account is in use in this kernel", below(fails_with(NoCredentialsError())), works=lambda _: sts() == ID),
    Advice(
        ", which also sets the region, then run this cell again.",
        below(lambda: boto3.Session().client("ec2")),
        works=lambda _: boto3.Session().client("ec2"),
    ),
    Advice(
        f"Type `%cuaws use {ACCOUNT}`",
        below(lambda: boto3.Session().client("ec2")),
        (f"use {ACCOUNT}", "release"),
        works=lambda _: boto3.Session().client("ec2"),
    ),
    Advice(
        "names the profile gone, which is not there",
        below(sts),
        (config(THE_GUIDES_SIGN_IN), variable("AWS_PROFILE", "gone")),
        works=lambda _: sts() == ID,
    ),
    Advice(
        "Then run the cell that made the client again, and this one.",
        below(fails_with(refused())),
        (pasted,),
        then=(pasted,),
        works=lambda _: sts() == ID,
    ),
]

# Hints that need a library, a pool or a connection: the tests that walk them.
HINTS_ELSEWHERE = {
    "Run the cell that opened it again": "tests/libraries/test_matrix.py::test_the_right_account",
    "Make a new pool": "tests/libraries/test_matrix.py::test_the_right_account",
    "keeps it fresh, then run this cell again.": "tests/libraries/test_matrix.py::test_the_right_account",
}


@pytest.fixture
def page(home: Path, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """A page of a new kernel at a practice portal that goes by the same clock, in a folder of its own."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    with PracticePortal(knobs=Knobs(approve_after=1, interval=0), now=clock) as portal:
        for name, value in portal.environment.items():
            monkeypatch.setenv(name, value)
        made = Page(portal, home, monkeypatch, folder, clock)
        made.app.context.identity_center._questions._pace._sleep = lambda _: None
        yield made
        made.app.release()
        made.app.credentials._bound.clear()


def walk(advice: Advice, page: Page) -> None:
    """Arrange, read, do, and see that it led out."""
    for step in advice.before:
        page.do(step)  # type: ignore[arg-type]  # a page is a world
    shown = page.text(advice.shown) if isinstance(advice.shown, str) else advice.shown(page)
    assert advice.says in shown, shown

    if advice.then is None:
        line = next(one for one in shown.splitlines() if advice.says in one)
        page.follow(line if "`" in line else shown)
    for step in advice.then or ():
        page.do(step)  # type: ignore[arg-type]  # as above

    if advice.works is not None:
        assert advice.works(page)
    else:
        again = page.text(advice.shown) if isinstance(advice.shown, str) else advice.shown(page)
        assert advice.says not in again, again


@pytest.mark.parametrize("advice", HINTS, ids=lambda one: one.says)
def test_hints(advice: Advice, page: Page) -> None:
    """What stands above or below a cell leads out of it."""
    walk(advice, page)


# Cards, rows, notes.


def notebook(page: Page) -> None:
    """The notebook is made for an account."""
    path = page.folder / "made.ipynb"
    made = nbformat.v4.new_notebook(metadata={"cuaws": {"account": OTHER}})
    path.write_text(nbformat.writes(made))
    page.patch.setenv("JPY_SESSION_NAME", str(path))


def damaged_token(page: Page) -> None:
    """The token file is cut off."""
    page.do("login")
    (path,) = [one for one in page.app.token_cache.sso_folder.glob("*.json") if "accessToken" in one.read_text()]
    path.write_text("{")
    page.new_kernel()


def many_accounts(page: Page) -> None:
    """The person may enter more accounts than a table shows."""
    from cuaws_magic.model import Account

    found = [Account(f"{number:012}", f"lab{number:03}") for number in range(1, 231)]
    page.patch.setattr(page.app.context.identity_center, "list_accounts", lambda *_, **__: iter(found))


def saved_keys(page: Page) -> None:
    """Keys that AWS knows, saved as a profile by `paste --save`."""
    keys = page.good_keys()
    page.cell("paste --save mine", "\n".join(f'export {name.upper()}="{value}"' for name, value in keys.items()))


def error_of(call: Callable[[], object]) -> CuawsError:
    """Return the error that something ends with."""
    with pytest.raises(CuawsError) as caught:
        call()
    return caught.value


def text_of_saving(page: Page) -> str:
    keys = page.good_keys()
    text = "\n".join(f'export {name.upper()}="{value}"' for name, value in keys.items())
    return repr(page.app.paste(text, "lab"))


def signed(page: Page) -> bool:
    return page.app.context.login.peek(page.app.context.choice.sso_session())[0] is not None


def approvals(page: Page) -> int:
    return page.portal.count("StartDeviceAuthorization")


def interrupted(page: Page, error: BaseException) -> str:
    """The card of a sign-in that ended in an error while it waited for the approval."""
    show = RecordingShow()
    page.portal.knobs = Knobs(interval=0)
    patch = pytest.MonkeyPatch()
    patch.setattr("cuaws_magic.commands.approval.Approval._wait", lambda *_: fails_with(error)())
    with pytest.raises(type(error) if not isinstance(error, KeyboardInterrupt) else Cancelled):
        page.app.login(show)
    patch.undo()
    page.portal.knobs = Knobs(approve_after=1, interval=0)
    return repr(show.views[-1])


def a_panel(page: Page) -> str:
    """What the panel is on the page; where there are buttons, only that."""
    view = panel_view.open_panel(page.app.context, Cell("a", "b"))
    if view.panel is None:
        return repr(view)
    view.panel.close()
    return "a panel"


NOTES = [
    Advice(
        "Nobody is signed in to",
        "accounts",
        (config(LAB), "login --session fedauth"),
        works=lambda page: "Nobody" not in page.text("accounts"),
    ),
    Advice(
        "`%cuaws logout --session",
        "logout",
        (config(LAB), "login --session fedauth", "login --session lab"),
        works=lambda page: "You were not signed in" in page.text("logout"),
    ),
    Advice("`%cuaws login` replaces it.", "status", (damaged_token,)),
    Advice("The sign-in ends soon, at", "status", (use, later(hours=7, minutes=31))),
    Advice(
        "changed since `%cuaws use`; `%cuaws whoami` tells who you are now.",
        "status",
        (use, lambda page: page.patch.setenv("AWS_REGION", "eu-west-1")),
        then=("whoami", use),
    ),
    Advice("so it stays as it is.", "release", (use, variable("AWS_REGION", "eu-west-1")), then=()),
    Advice(
        "You are still signed in: `%cuaws use ACCOUNT` needs no approval.",
        "release",
        (use,),
        works=lambda page: approvals(page) == 1 and page.do("whoami"),
    ),
    Advice(
        "; after that, type `%cuaws login`",
        "status",
        (use, later(hours=5), lambda page: page.app.credentials.renew(), later(hours=3, minutes=1), background),
        then=("login",),
    ),
    Advice("expired; type `%cuaws login`", "status", (use, later(hours=9), background), then=("login",), works=renewed),
    Advice(
        "There is no time zone Denver. Set CUAWS_TZ to one such as `America/Denver`.",
        "status",
        (variable("CUAWS_TZ", "Denver"),),
        then=(variable("CUAWS_TZ", "America/Denver"),),
        works=lambda page: "no time zone" not in repr(page.do("status")),
    ),
    Advice("none in use; type `%cuaws use ACCOUNT`", "status", ("login",)),
    Advice(", used last, type `%cuaws use`", "status", (use, lambda page: page.new_kernel())),
    Advice("none; type `%cuaws login`", "status"),
    Advice(
        "not renewed; then type `%cuaws paste` with new ones, or `%cuaws use ACCOUNT`",
        "status",
        (pasted,),
        then=(use,),
    ),
    Advice("`%cuaws accounts` to see all", "accounts nosuch", works=lambda page: len(page.do("accounts")) > 2),
    Advice(
        "`%cuaws accounts --refresh` to ask again",
        "accounts nosuch",
        ("accounts",),
        works=lambda page: len(page.do("accounts")) > 2,
    ),
    Advice(
        "The first 200 are shown. For others, type a part of the name: `%cuaws accounts NAME`.",
        "accounts",
        (many_accounts,),
        then=("accounts lab22",),
        works=lambda page: "lab229" in page.text("accounts lab22"),
    ),
    Advice(
        "`%cuaws forget lab` deletes it.",
        text_of_saving,
        then=("release", "forget lab"),
        works=lambda page: "[lab]" not in (page.home / ".aws" / "credentials").read_text(),
    ),
    Advice(
        "It is in use here: type `%cuaws release`.",
        "forget mine",
        (saved_keys,),
        works=lambda page: page.app.credentials.current is None,
    ),
    Advice(
        "This notebook was made for", f"use {ID}", (notebook,), works=lambda page: page.do("whoami").account == OTHER
    ),
    Advice(
        "The card with the code updates when you approve; `%cuaws use ACCOUNT` waits for it.",
        "login --no-wait",
        works=lambda page: page.do("whoami").account == ID,
    ),
    Advice("Ready: type `%cuaws use ACCOUNT`.", "doctor", works=lambda page: page.do("whoami").account == ID),
    Advice(" Did you mean `%cuaws use", f"us {ID}", works=lambda page: page.do("whoami").account == ID),
    Advice(" For help, type `%cuaws use --help`.", "use?", works=lambda _: True),
    Advice(
        ". Name it without an option: `%cuaws use",
        f"use --profile {ID}",
        works=lambda page: page.do("whoami").account == ID,
    ),
    Advice(
        ". For a role, type `%cuaws use",
        f"use {TWO_ROLES} ReadOnly",
        then=(f"use {TWO_ROLES} --role ReadOnly",),
        works=lambda page: page.do("whoami").role == "ReadOnly",
    ),
    Advice(
        "That is a command, not keys. To sign in, type `%cuaws login`.",
        lambda page: str(error_of(lambda: page.app.paste("aws sso login"))),
        then=("login",),
        works=signed,
    ),
    Advice("Type `%cuaws login` to start again.", lambda page: interrupted(page, KeyboardInterrupt()), works=signed),
    Advice("Type `%cuaws login` to try again.", lambda page: interrupted(page, ZeroDivisionError()), works=signed),
    Advice(
        "`%pip install --upgrade ipywidgets` in a cell, then restart the kernel",
        a_panel,
        (lambda page: page.patch.setattr("ipywidgets.__version__", "7.8.1"),),
        then=(lambda page: page.patch.setattr("ipywidgets.__version__", "8.1.9"),),
    ),
    Advice(
        ". Put a name with spaces into quotes: `",
        "accounts no such",
        works=lambda _: True,
    ),
]


# What needs a browser, a package or a program: the tests that walk it.
NOTES_ELSEWHERE = {
    "to start again": "tests/test_pkce.py::test_a_wrong_address",
    "`%config CuawsMagics.remote = True`": "tests/kernel/test_pkce.py::test_it_turns_out_to_be_elsewhere",
    "If not, run the cell again": "tests/kernel/test_pkce.py::test_stopped_while_it_asks",
    "has an account of that name too": "tests/test_organisations.py::test_a_name_that_one_without_a_sign_in_has_too",
    "Choose one below, or type": "tests/test_organisations.py::test_a_page_asks_where_to_sign_in",
    "`%cuaws logout --all`": "tests/test_organisations.py::test_a_sign_in_under_a_name_that_nobody_knows",
    "accounts are named": "tests/kernel/test_bad_input.py::test_two_accounts_of_one_name",
    "To look in one of them too, type": "tests/test_organisations.py::test_many_that_were_not_asked_are_named_once",
    "The AWS CLI keeps the two apart": "tests/test_organisations.py::test_who_is_asked",
    "stop this and type `%cuaws login --session NAME`": (
        "tests/test_organisations.py::test_in_a_terminal_the_others_are_one_word_away"
    ),
    "To say which you mean, type": "tests/test_organisations.py::test_who_is_asked",
    "To give up, stop this cell.": "tests/kernel/test_waiting.py::test_stop_button_ends_a_sign_in",
    "Keep this account on top of lists": "tests/commands/test_favourites.py::test_a_star_comes_and_goes",
    "To see what was masked, type": "tests/kernel/test_masked_output.py::test_who_insists_sees_it",
    "To undo it, type `cuaws-magic autoload --remove`.": "tests/commands/test_autoload.py::test_it_is_taken_out_again",
    "`%cuaws login` in a notebook": "tests/commands/test_credential_process.py::test_without_a_sign_in",
    "Restart the kernel to be rid of them.": (
        "tests/libraries/test_forgetting.py::test_nothing_is_named_where_nothing_is_kept"
    ),
    ": `%cuaws use` alone means that.": "tests/commands/test_last_used.py::test_the_stamp",
    "To have one that stays what it is": "tests/libraries/test_matrix.py::test_a_secret_of_duckdbs_own",
    "To have it forget that, type": "tests/libraries/test_forgetting.py::test_a_package_that_keeps_a_client",
    "joblib workers are still running as": "tests/libraries/test_processes.py::test_busy_workers_of_joblib",
    "Put the keys below this line, then run the cell again.": (
        "tests/kernel/test_paste.py::test_a_wiped_cell_asks_when_it_runs_again"
    ),
    "`%cuaws paste` was stopped; nothing was changed.": (
        "tests/kernel/test_paste_terminal.py::test_ctrl_c_at_the_hidden_prompt"
    ),
    "so this card may not update any more.": (
        "tests/browser/test_login_card.py::test_a_page_that_is_loaded_again_opens_nothing"
    ),
    "If you approved it in time, you are signed in": (
        "tests/browser/test_login_card.py::test_a_page_that_is_loaded_again_opens_nothing"
    ),
    "If not, stop this cell if it still runs": "tests/browser/test_login_card.py::test_the_stop_button",
    "Check that the page shows this code": "tests/browser/test_login_card.py::test_from_the_cell_to_the_sign_in",
    "A panel lives as long as its kernel": "tests/widget/test_panel.py::test_a_cell_run_again_leaves_one_panel",
    # Parts of errors.
    "Correct that line, then run the cell again.": "tests/test_advice_walks.py::test_doing_what_it_says_leads_out",
    "--start-url URL --sso-region REGION": "tests/test_advice_walks.py::test_doing_what_it_says_leads_out",
    ", or do without it: type `%cuaws use": "tests/test_advice_walks.py::test_doing_what_it_says_leads_out",
    "are the example keys of AWS's documentation": "tests/test_advice.py::test_following_it_leads_out",
    "`%cuaws paste --save …`, or `%cuaws use ACCOUNT`": "tests/test_advice.py::test_following_it_leads_out",
    "Something went wrong inside cuaws_magic": "tests/kernel/test_paste.py::test_a_bug_shows_no_traceback",
    "AWS did not answer in": "tests/diagnostics/test_checks.py::test_who_does_not_answer_is_not_waited_for",
    "No buttons in a running notebook?": "tests/widget/test_panel.py::test_a_page_without_widgets_has_the_commands_too",
}


@pytest.mark.parametrize("advice", NOTES, ids=lambda one: one.says)
def test_cards_and_notes(advice: Advice, page: Page) -> None:
    """What a card, a row or a note says to do leads where it says."""
    walk(advice, page)


# The doctor.

KEYS = {"AWS_ACCESS_KEY_ID": "AKIA0", "AWS_SECRET_ACCESS_KEY": "x"}


def environment(**values: str) -> Callable[[Page], object]:
    """Somebody set variables before the kernel was started."""

    def arrange(page: Page) -> None:
        for name, value in values.items():
            page.patch.setenv(name, value)
        page.new_kernel()

    return arrange


def mode(number: int, name: str = "credentials") -> Callable[[Page], object]:
    """A file of `~/.aws` has this mode."""

    def arrange(page: Page) -> None:
        path = page.home / ".aws" / name
        if not path.exists():
            path.write_text("")
        path.chmod(number)

    return arrange


def leftover(page: Page) -> None:
    """A program was killed while it wrote."""
    folder = page.home / ".aws" / "sso" / "cache"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".x.json.99999999.0123abcd.tmp").write_text("{}")


def of_somebody_else(page: Page) -> None:
    """A token file belongs to another user."""
    page.do("login")
    page.patch.setattr(storage, "is_foreign", lambda path: path.suffix == ".json" and path.exists())


def aws_program(script: str) -> Callable[[Page], object]:
    """There is a program `aws`."""

    def arrange(page: Page) -> None:
        program = page.folder / "aws"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        page.patch.setenv("PATH", str(page.folder), prepend=os.pathsep)

    return arrange


def profile(text: str) -> Callable[[Page], object]:
    """The guide's sign-in, and a profile."""
    return config(f"{THE_GUIDES_SIGN_IN}[profile lab]\n{text}")


SSO = "sso_session = fedauth\nsso_account_id = 111111111111\nsso_role_name = MyRole\nregion = us-west-2\n"

DOCTOR = [
    Advice(
        "AWS does not accept those of",
        "doctor",
        (use, refused_keys),
        works=lambda page: page.do("whoami").account == ID,
    ),
    Advice("which replaces it.", "doctor", (damaged_token,)),
    Advice(
        "a sign-in works in this kernel only",
        "doctor",
        (lambda page: (page.home / ".aws" / "sso").write_text(""),),
        then=(lambda page: (page.home / ".aws" / "sso").unlink(),),
    ),
    Advice(
        "did not say its version in time",
        "doctor",
        (aws_program("echo hello; exit 3"),),
        then=(aws_program("echo aws-cli/2.36.7"),),
    ),
    Advice(
        "`%cuaws login` does that for it.",
        "doctor",
        (aws_program("echo aws-cli/1.46.3"),),
        works=signed,
    ),
    Advice(
        "which does not know [sso-session]",
        "doctor",
        (aws_program("echo aws-cli/2.8.1"),),
        then=(aws_program("echo aws-cli/2.9.0"),),
    ),
    # ~/.aws
    Advice("with secrets in it", "doctor", (mode(0o644),)),
    Advice("and so run programs as you", "doctor", (mode(0o666, "config"),)),
    Advice("was left by a program that was killed", "doctor", (leftover,)),
    Advice("belongs to another user, so it is not used", "doctor", (of_somebody_else,)),
    Advice(
        "a name with spaces needs quotation marks",
        "doctor",
        (config("[profile my lab]\nregion = us-west-2\n"),),
        then=(config('[profile "my lab"]\nregion = us-west-2\n'),),
    ),
    Advice(
        "Write it [sso-session acme].",
        "doctor",
        (config("[sso_session acme]\nsso_region = us-west-2\n"),),
        then=(config("[sso-session acme]\nsso_start_url = https://a.awsapps.com/start\nsso_region = us-west-2\n"),),
    ),
    Advice(
        "the word sso-session is missing",
        "doctor",
        (
            config(
                "[work]\nsso_start_url = https://a.awsapps.com/start\nsso_region = us-west-2\n"
                "[profile a]\nsso_session = work\n"
            ),
        ),
        then=(
            config(
                "[sso-session work]\nsso_start_url = https://a.awsapps.com/start\nsso_region = us-west-2\n"
                "[profile a]\nsso_session = work\nsso_account_id = 111111111111\nsso_role_name = R\n"
            ),
        ),
    ),
    Advice(
        "the word profile is missing",
        "doctor",
        (config("[lab]\nregion = us-west-2\n"),),
        then=(config("[profile lab]\nregion = us-west-2\n"),),
    ),
    Advice(
        "is not a region. Correct it, for example to `region = us-west-2`",
        "doctor",
        (config("[profile a]\nregion = oregon\n"),),
        then=(config("[profile a]\nregion = us-west-2\n"),),
    ),
    Advice(
        "sign-ins are asked for in another region. Write `sso_region = us-west-2`.",
        "doctor",
        (config(THE_GUIDES_SIGN_IN.replace("us-west-2", "us-east-1")),),
        then=(config(THE_GUIDES_SIGN_IN),),
    ),
    Advice(
        "Add the line `sso_role_name = …` to it, or type `%cuaws configure`.",
        "doctor",
        (profile("sso_session = fedauth\nsso_account_id = 111111111111\n"),),
        then=(profile(SSO),),
    ),
    Advice(
        "is no profile: AWS programs refuse it",
        "doctor",
        (profile("role_arn = arn:aws:iam::222222222222:role/R\nsource_profile = gone\n"),),
        then=(profile(f"role_arn = arn:aws:iam::222222222222:role/R\nsource_profile = gone\n[profile gone]\n{SSO}"),),
    ),
    Advice(
        "Write all twelve, zeros in front too.",
        "doctor",
        (profile(SSO.replace("111111111111", "11111111111")),),
        then=(profile(SSO.replace("111111111111", "011111111111")),),
    ),
    Advice(
        "Delete what is in front of the key in that line.",
        "doctor",
        (profile("sso_session = fedauth\n  sso_account_id = 111111111111\nsso_role_name = MyRole\n"),),
        then=(profile(SSO),),
    ),
    Advice(
        "Put the comment on a line of its own.",
        "doctor",
        (profile(SSO.replace("MyRole", "MyRole  # mine")),),
        then=(profile("# mine\n" + SSO),),
    ),
    Advice(
        "has no effect: saved keys of the same name",
        "doctor",
        (
            profile("credential_process = echo\n"),
            lambda page: page.write("credentials", "[lab]\naws_access_key_id = A\naws_secret_access_key = B\n"),
        ),
    ),
    Advice(
        "has no effect: its role_arn wins. Delete one of them.",
        "doctor",
        (profile(f"{SSO}role_arn = arn:aws:iam::222222222222:role/R\nsource_profile = b\n[profile b]\n{SSO}"),),
        then=(profile(SSO),),
    ),
    # The environment.
    Advice(
        "and what is there now wins. Type `%cuaws whoami`",
        "doctor",
        (use, variable("AWS_REGION", "eu-west-1")),
        then=("whoami", use),
    ),
    Advice(
        "back with `%cuaws release`",
        "doctor",
        (environment(**KEYS), use),
        then=("release", lambda page: [page.patch.delenv(name) for name in KEYS], use),
    ),
    Advice(
        "the id is there without its AWS_SECRET_ACCESS_KEY",
        "doctor",
        (environment(AWS_ACCESS_KEY_ID="AKIA0"),),
        works=lambda page: page.do("whoami").account == ID,
    ),
    Advice(
        "are set; they win over every profile.",
        "doctor",
        (environment(**KEYS),),
        works=lambda page: page.do("whoami").account == ID,
    ),
    Advice("every AWS client refuses to start", "doctor", (environment(AWS_PROFILE="gone"),)),
    Advice(
        "; it comes back with `%cuaws release`",
        "doctor",
        (use, variable("AWS_PROFILE", "gone")),
    ),
    Advice(
        "differs from AWS_PROFILE",
        "doctor",
        (
            config("[profile a]\nregion = us-west-2\n[profile b]\nregion = us-west-2\n"),
            environment(AWS_PROFILE="a", AWS_DEFAULT_PROFILE="b"),
        ),
        then=(variable("AWS_DEFAULT_PROFILE", None),),
    ),
    Advice(
        "may have the hub's own role",
        "doctor",
        (environment(AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="/x"),),
        works=lambda _: sts() == ID,
    ),
    Advice(
        "Give that profile another name, if programs are to have the hub's role.",
        "doctor",
        (
            config("[default]\naws_access_key_id = A\naws_secret_access_key = B\n"),
            environment(AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="/x"),
        ),
        then=(config("[profile other]\naws_access_key_id = A\naws_secret_access_key = B\n"),),
    ),
    Advice("is set without AWS_ROLE_ARN", "doctor", (environment(AWS_WEB_IDENTITY_TOKEN_FILE="/t"),)),
    Advice(
        "(IRSA); it wins over AWS_PROFILE. Type `%cuaws use ACCOUNT` before the first AWS call.",
        "doctor",
        (environment(AWS_WEB_IDENTITY_TOKEN_FILE="/t", AWS_ROLE_ARN="arn:aws:iam::222222222222:role/Hub"),),
        works=lambda _: sts() == ID,
        then=(use,),
    ),
    Advice(
        "boto3 takes the second, the AWS CLI the first",
        "doctor",
        (environment(AWS_REGION="eu-west-1", AWS_DEFAULT_REGION="eu-west-2"),),
        works=lambda _: os.environ["AWS_REGION"] == os.environ["AWS_DEFAULT_REGION"] == "us-west-2",
    ),
    Advice(
        "but boto3 reads only AWS_DEFAULT_REGION",
        "doctor",
        (environment(AWS_REGION="eu-west-1"),),
        works=lambda _: os.environ["AWS_REGION"] == os.environ["AWS_DEFAULT_REGION"],
    ),
    Advice(
        "Delete them, unless that is meant.",
        "doctor",
        (environment(AWS_ENDPOINT_URL_S3="https://s3.example.org"),),
        then=(variable("AWS_ENDPOINT_URL_S3", None),),
    ),
    Advice(
        "Delete that, unless it is meant.",
        "doctor",
        (config("[profile a]\nendpoint_url = https://s3.example.org\n"),),
        then=(config("[profile a]\nregion = us-west-2\n"),),
    ),
    Advice("no TLS connection can be made", "doctor", (environment(AWS_CA_BUNDLE="/gone.pem"),)),
    Advice(
        "Delete that line, or name the right file.",
        "doctor",
        (config("[profile a]\nca_bundle = /gone.pem\n"),),
        then=(config("[profile a]\nregion = us-west-2\n"),),
    ),
    Advice(
        "Delete the variable, or name the right file.",
        "doctor",
        (environment(AWS_CONFIG_FILE="/gone/config"),),
        then=(variable("AWS_CONFIG_FILE", None),),
    ),
    Advice(
        "If it reads TLS, set AWS_CA_BUNDLE to its certificate file.",
        "doctor",
        (environment(HTTPS_PROXY="http://proxy.example.org:3128", NO_PROXY="127.0.0.1"),),
        then=(variable("HTTPS_PROXY", None),),
    ),
]

# Machines: what was so, and what is so when the advice was followed.
MACHINES = {
    "is not installed": ({"packages": (Installed("boto3", None, None, "1.29"),)}, {"packages": GOOD}),
    "but this kernel still runs": ({"packages": (Installed("boto3", "1.43.0", "1.40.0", "1.29"),)}, {"packages": GOOD}),
    "or later is needed": ({"packages": (Installed("boto3", "1.2.0", None, "1.29"),)}, {"packages": GOOD}),
    "cannot update a widget from the background": (
        {"packages": (Installed("ipykernel", "7.0.1"),), "kernel": True},
        {"packages": (*GOOD[:3], Installed("ipykernel", "7.1.0"), *GOOD[4:]), "kernel": True},
    ),
    "is not in this environment; the server may have it": ({"packages": GOOD[:-1]}, {"packages": GOOD}),
    "does not match ipywidgets": (
        {"packages": (*GOOD[:-1], Installed("jupyterlab_widgets", "1.1.7"))},
        {"packages": (*GOOD[:-1], Installed("jupyterlab_widgets", "3.0.0"))},
    ),
    "did not send its time": ({"clock": ClockFact("aws", None)}, {"clock": ClockFact("aws", timedelta(0))}),
    "AWS refuses every request": ({"clock": ClockFact("aws", HOURS)}, {"clock": ClockFact("aws", timedelta(0))}),
    "lead to this machine, not to AWS": (
        {"variables": {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9000", "AWS_ENDPOINT_URL": "http://localhost:1"}},
        {"variables": {}},
    ),
    "AWS tolerates five minutes": (
        {"clock": ClockFact("aws", timedelta(minutes=3))},
        {"clock": ClockFact("aws", timedelta(0))},
    ),
}


@pytest.fixture
def seen_by_the_doctor(page: Page, monkeypatch: pytest.MonkeyPatch) -> Page:
    """AWS's own addresses, but for that of the sign-in; no `aws` but the one that a walk puts there."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("PATH", "/bin" if not Path("/bin/aws").exists() else os.devnull)
    return page


@pytest.mark.parametrize("advice", DOCTOR, ids=lambda one: one.says)
def test_the_doctor(advice: Advice, seen_by_the_doctor: Page) -> None:
    """A finding ends when what it says is done."""
    walk(advice, seen_by_the_doctor)


@pytest.mark.parametrize(("before", "after"), MACHINES.values(), ids=MACHINES)
def test_the_doctor_of_a_machine(before: dict[str, Any], after: dict[str, Any], request: Any) -> None:
    """What is installed, and the clock: facts that no test changes on this machine."""
    says = request.node.callspec.id
    assert any(says in one.what and one.do for one in judge(snapshot(**before)))
    assert all(one.severity == "ok" for one in judge(snapshot(**after)))


UNREADABLE = "cannot be read by you"


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """To root every file is readable: the command of the advice is run, and the mode looked at."""
    path = tmp_path / "token.json"
    path.write_text("{}")
    path.chmod(0)

    (finding,) = [one for one in judge(snapshot(unreadable=(path,))) if UNREADABLE in one.what]
    subprocess.run(finding.do.split("`")[1].removeprefix("!"), shell=True, check=True)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


# Nothing is left out.

_ADVICE = re.compile(
    r"[Tt]ype `|[Rr]un (the|this|that) cell|[Rr]estart|`%cuaws|Make a new|Correct |Delete |Write |Set the |Add the |"
    r"Keep |Give that |Update |Compare |Start the |stop this cell|reload"
)

_SHOWN_AS_ONE = {"Hint", "error", "warning"}  # a finding, a hint: what is so, and what to do, are one

# Words of the source by which a walk is known, where what it reads has names in it.
_KNOWN_BY = {
    "Write it [sso-session acme].": "it is written with a hyphen",
    "are set; they win over every profile.": "which replaces them while the account is in use",
    "every AWS client refuses to start": "and delete it where it is set",
    "names the profile gone, which is not there": "names the profile …, which is not there",
    "lead to this machine, not to AWS": "to this machine, not to AWS",
    "and what is there now wins. Type `%cuaws whoami`": "and what is there now wins",
    "back with `%cuaws release`": "Delete them where they are set, if you no longer need them.",
    "AWS refuses every request": "Set the clock, or ask the operator",
}

# What is no advice, or a part of one that is walked: why.
NO_ADVICE = {
    "__main__.py": "the help of the command line",
    "ipython/grammar.py": "help",
    "ipython/configuration.py": "help of a setting",
    "ipython/magics.py": "help of a setting",
    "practice/": "the practice portal speaks for itself",
    "redaction/": "marks",
    "views/diagnosis.py": "where a message says nothing to do",
}


def advice_in_the_source() -> dict[str, str]:
    """Every text that tells somebody to do something and is no error, with … for what differs, and where it is."""
    of_errors = set(messages())
    house = Path(cuaws_magic.__file__).parent
    found = {}
    for path in sorted(house.rglob("*.py")):
        where = path.relative_to(house).as_posix()
        if not any(where.startswith(one) for one in NO_ADVICE):
            for text, line in shown_to_people(ast.parse(path.read_text(encoding="utf-8"))):
                if _ADVICE.search(text) and not any(text in one for one in of_errors):
                    found[text] = f"{where}:{line}"
    return found


def shown_to_people(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The texts of a module but for docstrings, each with its line; what a hint or a finding says is one text."""
    apart = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            apart |= {id(part) for part in node.values}
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            apart.add(id(node.value))  # a docstring
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {*_SHOWN_AS_ONE, "ok"}:
            strings = [
                one for one in ast.walk(node) if isinstance(one, (ast.Constant, ast.JoinedStr)) and id(one) not in apart
            ]
            apart |= {id(one) for one in strings}
            if node.func.id != "ok":  # all is well: nothing to do
                yield " … ".join(literal(one) or "" for one in strings), node.lineno
    for node in ast.walk(tree):
        if isinstance(node, (ast.Constant, ast.JoinedStr)) and id(node) not in apart:
            yield literal(node) or "", node.lineno


def test_no_advice_is_left_out() -> None:
    """Each advice of the package is walked here, or by a test that is named."""
    says = [one.says for one in (*HINTS, *NOTES, *DOCTOR)]
    assert set(_KNOWN_BY) <= {*says, *MACHINES}
    walked = [*says, *_KNOWN_BY.values(), *MACHINES, *HINTS_ELSEWHERE, *NOTES_ELSEWHERE, UNREADABLE]
    found = advice_in_the_source()
    assert len(found) > 80

    def has_its_walk(text: str) -> bool:
        pieces = [piece for piece in text.split("…") if len(piece) > len("Type ``.")]
        return any(says in text or any(piece in says for piece in pieces) for says in walked)

    assert [f"{where}: {text}" for text, where in found.items() if not has_its_walk(text)] == []
    root = Path(__file__).parent.parent
    for words, test in (HINTS_ELSEWHERE | NOTES_ELSEWHERE).items():
        path, name = test.split("::")
        assert f"def {name}(" in (root / path).read_text(encoding="utf-8"), words
