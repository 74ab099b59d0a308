"""Several organisations at once: which are looked in, who is asked, and how many approvals that takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from doubles import App, RecordingShow, documented

from cuaws_magic.errors import CuawsError
from cuaws_magic.practice import Knobs
from cuaws_magic.practice.people import PARTNER_START_URL, START_URL
from cuaws_magic.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cuaws_magic.practice import PracticePortal

CU, PARTNER, THIRD = START_URL, PARTNER_START_URL, "https://third.awsapps.com/start"


def section(name: str, start_url: str, region: str = "us-west-2") -> str:
    return (
        f"[sso-session {name}]\nsso_start_url = {start_url}\nsso_region = {region}\n"
        "sso_registration_scopes = sso:account:access\n"
    )


def older(name: str, start_url: str, *, whole: bool = True) -> str:
    account = "sso_account_id = 111111111111\nsso_role_name = MyRole\n" if whole else ""
    header = "[default]" if name == "default" else f"[profile {name}]"
    return f"{header}\nsso_start_url = {start_url}\nsso_region = us-west-2\n{account}"


NONE = ""
ONE = section("fedauth", CU)
TWO = section("cu", CU) + section("partner", PARTNER)
THREE = TWO + section("third", THIRD)
SAME = section("dev", CU) + section("prod", CU)
OLD = older("lab", CU)
OLD_AND_NEW = older("lab", CU) + section("partner", PARTNER)
DEFAULT_ONLY = older("default", PARTNER, whole=False)


@pytest.fixture
def portal(portal: PracticePortal) -> PracticePortal:
    portal.knobs = Knobs(approve_after=1, interval=1, organisations=2)
    return portal


@pytest.fixture
def configured(home: Path) -> Callable[[str], None]:
    def write(text: str) -> None:
        (home / ".aws").mkdir(exist_ok=True)
        (home / ".aws" / "config").write_text(text)

    return write


def sign_in(*names: str) -> None:
    """Sign in from another kernel of this home."""
    for name in names:
        other = App()
        other.login(RecordingShow(), Settings(session=name))


def approvals(portal: PracticePortal) -> list[str]:
    return [call.detail for call in portal.calls if call.operation == "StartDeviceAuthorization"]


def listed(portal: PracticePortal) -> set[str]:
    return {call.detail for call in portal.calls if call.operation in {"ListAccounts", "GetRoleCredentials"}}


@dataclass(frozen=True)
class Case:
    documentation: str
    config: str
    signed_in: tuple[str, ...]
    command: Callable[[App, RecordingShow], object]
    approvals: tuple[str, ...] = ()
    asked: frozenset[str] = frozenset()
    says: str = ""
    fails: bool = False


def use(target: str, **how: str) -> Callable[[App, RecordingShow], object]:
    return lambda app, show: app.use(show, target, **how)


def _status(app: App, _: RecordingShow) -> object:
    return app.status()


def _accounts(app: App, show: RecordingShow) -> object:
    return app.accounts(show)


def _login(app: App, show: RecordingShow) -> object:
    return app.login(show)


def _logout(app: App, _: RecordingShow) -> object:
    return app.logout()


BOTH = frozenset({CU, PARTNER})
OF_CU, OF_PARTNER = frozenset({CU}), frozenset({PARTNER})

CASES = [
    # Status is never an error, and asks nobody.
    Case("status, nothing configured", NONE, (), _status, says="Not signed in to CU Boulder · fedauth"),
    Case("status, one", ONE, ("fedauth",), _status, says="Signed in to CU Boulder · fedauth"),
    Case("status, two, none signed in", TWO, (), _status, says="partner.awsapps.com · partner"),
    Case("status, two, one signed in", TWO, ("cu",), _status, says="Signed in to 1 of 2"),
    Case("status, two, both signed in", TWO, ("cu", "partner"), _status, says="Signed in to 2 of 2"),
    Case("status, three, one signed in", THREE, ("partner",), _status, says="Signed in to 1 of 3"),
    Case("status, same portal twice", SAME, ("dev",), _status, says="Signed in to CU Boulder"),
    Case("status, older form", OLD, (), _status, says="Not signed in to CU Boulder · fedauth"),
    Case("status, older and newer form", OLD_AND_NEW, (), _status, says="partner.awsapps.com · partner"),
    Case("status, default only", DEFAULT_ONLY, (), _status, says="Not signed in to partner.awsapps.com"),
    # A name is looked up wherever somebody is signed in, and nowhere else.
    Case("use, nothing configured", NONE, (), use("awsucob0myaccount"), (CU,), OF_CU, "awsucob0myaccount"),
    Case("use, two, both, in the first", TWO, ("cu", "partner"), use("awsucob0myaccount"), (), BOTH, "111111111111"),
    Case("use, two, both, in the second", TWO, ("cu", "partner"), use("partner-imaging"), (), BOTH, "666666666666"),
    Case("use by number, in the second", TWO, ("partner", "cu"), use("666666666666"), (), BOTH, "partner-imaging"),
    Case("use by number and role", TWO, ("partner", "cu"), use("666666666666/Researcher"), (), BOTH, "666666666666"),
    Case("use, only one signed in", TWO, ("partner",), use("partner-imaging"), (), OF_PARTNER, "666666666666"),
    Case(
        "use, what only one that is not signed in may have", TWO, ("partner",), use("awsucob0myaccount"), (),
        OF_PARTNER, "To look in cu too, type `%cuaws login --session cu`.", fails=True,
    ),
    Case(
        "use, a name of both", TWO, ("cu", "partner"), use("research-genomics"), (), BOTH,
        "555555555555 (cu) and 777777777777 (partner)", fails=True,
    ),
    Case("use, a name of both, by session", TWO, ("cu", "partner"), use("partner:research-genomics"), (), OF_PARTNER,
         "777777777777"),
    Case("use, a name of both, by option", TWO, ("cu", "partner"), use("research-genomics", session="cu"), (), OF_CU,
         "555555555555"),
    Case("use, a name of both, by number", TWO, ("cu", "partner"), use("777777777777"), (), BOTH, "777777777777"),
    Case("use, a name of both, one signed in", TWO, ("cu",), use("research-genomics"), (), OF_CU, "555555555555"),
    Case("use, by session, not signed in", TWO, ("cu",), use("partner:partner-imaging"), (PARTNER,), OF_PARTNER,
         "666666666666"),
    Case("use, two, none signed in", TWO, (), use("awsucob0myaccount"), (), frozenset(),
         "several sso-sessions: cu, partner", fails=True),
    Case("use, no match anywhere", TWO, ("cu", "partner"), use("partner-imagin"), (), BOTH, "Nearest: partner-imaging",
         fails=True),
    Case("use, a session that is not there", TWO, ("cu",), use("lab", session="nope"), (), frozenset(),
         "There is no [sso-session nope]", fails=True),
    Case("use, CU needs no configuration", section("partner", PARTNER), ("partner",),
         use("fedauth:awsucob0myaccount"), (CU,), OF_CU, "111111111111"),
    # One approval serves all that lead to the same portal.
    Case("use, same portal twice", SAME, ("dev",), use("awsucob0myaccount", session="prod"), (), OF_CU,
         "111111111111"),
    Case("login, same portal twice", SAME, ("dev",), lambda app, show: app.login(show, Settings(session="prod")), (), OF_CU,
         says="Through the sign-in of dev"),
    Case("use, older form stands", OLD, (),
         lambda app, show: (app.use(show, "lab"), App().use(show, "111111111111"))[1],
         (CU,), OF_CU, "111111111111"),
    Case("use, default only", DEFAULT_ONLY, (), use("partner-imaging"), (PARTNER,), OF_PARTNER, "666666666666"),
    # Lists.
    Case("accounts, both", TWO, ("cu", "partner"), _accounts, (), BOTH, "7 accounts"),
    Case("accounts, one signed in", TWO, ("cu",), _accounts, (), OF_CU, "Nobody is signed in to partner."),
    Case("accounts, by session", TWO, ("cu", "partner"), lambda app, show: app.accounts(show, session="partner"), (),
         OF_PARTNER, "2 accounts"),
    Case("accounts, same portal twice", SAME, ("dev", "prod"), _accounts, (), OF_CU, "5 accounts"),
    # Signing in and out.
    Case("login, two, none said", TWO, (), _login, says="several sso-sessions: cu, partner", fails=True),
    Case("login, two, one used before", TWO, ("partner",), _login, (), OF_PARTNER, says="partner"),
    Case("login, three, one named", THREE, (), lambda app, show: app.login(show, Settings(session="third")), (THIRD,),
         says="third"),
    Case("logout, both: of the last", TWO, ("cu", "partner"), _logout,
         says="You are still signed in to CU Boulder · cu."),
    Case("logout, by session", TWO, ("cu", "partner"), lambda app, _: app.logout(session="cu"),
         says="Signed out of CU Boulder · cu."),
    Case("logout, same portal twice", SAME, ("dev",), lambda app, _: app.logout(session="prod"),
         says="prod used the same sign-in, and is signed out too."),
    Case("logout, all", TWO, ("cu", "partner"), lambda app, _: app.logout(every=True), says="Signed out of"),
]  # fmt: skip


@documented(CASES)
def test_who_is_asked(case: Case, configured, portal: PracticePortal):
    """What each command does in each home, how many approvals it takes, and of whom."""
    configured(case.config)
    sign_in(*case.signed_in)
    portal.clear_calls()
    show = RecordingShow()

    try:
        said = repr(case.command(App(), show))
        failed = False
    except CuawsError as error:
        said, failed = str(error), True

    assert case.says in said
    assert failed == case.fails
    assert tuple(approvals(portal)) == case.approvals
    assert listed(portal) <= case.asked
    assert (not case.asked) == (not listed(portal))
