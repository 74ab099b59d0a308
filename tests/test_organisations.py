"""Several organisations at once: which are looked in, who is asked, and how many approvals that takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from doubles import App, NotebookPage, RecordingShow, documented, until

from cuaws_magic.errors import AmbiguousTarget, ConfigurationError, CuawsError, UnknownTarget
from cuaws_magic.practice import Failure, Knobs
from cuaws_magic.practice.people import PARTNER_START_URL, START_URL
from cuaws_magic.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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


@pytest.fixture(autouse=True)
def _nothing_is_renewed_at_the_next_tests_portal(portal: PracticePortal) -> Iterator[None]:
    yield
    for app in App.opened:
        app.release()
        app.credentials._bound.clear()


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
    """Return which organisations were asked; a client of an earlier test comes with a sign-in that is none here."""
    asked = {call.detail for call in portal.calls if call.operation in {"ListAccounts", "GetRoleCredentials"}}
    return asked - {""}


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
        OF_PARTNER, "To look there too, type `%cuaws login --session cu`.", fails=True,
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
    Case("login, same portal twice", SAME, ("dev",), lambda app, show: app.login(show, Settings(session="prod")),
         (), OF_CU,
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


# One approval per portal.


def cache_files(home: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (home / ".aws").rglob("cache/*.json")}


def profile(name: str, session: str) -> str:
    return f"[profile {name}]\nsso_session = {session}\nsso_account_id = 111111111111\nsso_role_name = MyRole\n"


def test_nothing_is_written_under_a_name_that_did_not_sign_in(configured, home: Path):
    """One sign-in serves the other name, whose files stay the AWS CLI's to write; no refresh token is copied."""
    configured(SAME)
    sign_in("dev")
    app = App()
    dev, prod = app.organisations.named("dev"), app.organisations.named("prod")

    app.use(RecordingShow(), "prod:awsucob0myaccount")

    assert app.credentials.current.sso_session == prod
    assert app.token_cache.token_path(dev).exists()
    assert not app.token_cache.token_path(prod).exists()
    assert app.token_cache.role_path(dev, "111111111111", "MyRole").exists()
    assert not app.token_cache.role_path(prod, "111111111111", "MyRole").exists()
    assert sum("refreshToken" in text for text in cache_files(home).values()) == 1


def test_a_shared_sign_in_is_refreshed_in_its_own_file(configured, portal: PracticePortal):
    """Rotating refresh tokens work once: the other name never uses up one behind its owner's back."""
    configured(SAME)
    portal.knobs = replace(portal.knobs, rotate_refresh_tokens=True, token_lifetime=3)
    sign_in("dev")
    app = App()
    dev, prod = app.organisations.named("dev"), app.organisations.named("prod")
    first = app.token_cache.load(dev).sso_token

    until(lambda: app.context.login.current(prod).sso_token != first)  # after two thirds of its life

    assert app.context.login.current(prod).sso_session == dev
    assert app.token_cache.load(dev).sso_token != first
    assert not app.token_cache.token_path(prod).exists()
    assert len(approvals(portal)) == 1


def test_a_profile_by_name_signs_in_for_its_own_session(configured, home: Path, portal: PracticePortal, monkeypatch):
    """Programs look under that name alone; the page says why somebody who is signed in is asked again."""
    # botocore reckons the folder once, as it is imported.
    for provider in ("botocore.credentials.SSOProvider", "botocore.tokens.SSOTokenProvider"):
        monkeypatch.setattr(f"{provider}._SSO_TOKEN_CACHE_DIR", str(home / ".aws" / "sso" / "cache"))
    configured(SAME + profile("lab", "prod"))
    sign_in("dev")
    portal.clear_calls()
    show, app = RecordingShow(), App()

    app.use(show, "lab", via="profile")

    assert approvals(portal) == [CU]
    assert "look for a sign-in of prod; the one of dev does not serve them" in repr(show.views[0])
    assert app.token_cache.token_path(app.organisations.named("prod")).exists()


def test_logout_takes_out_what_was_served(configured, home: Path, portal: PracticePortal):
    """The other name's account is out of the kernel, and no credentials of it are left."""
    configured(SAME)
    sign_in("dev")
    app = App()
    app.use(RecordingShow(), "prod:awsucob0myaccount")

    signed_out = app.logout(session="dev")

    assert app.credentials.current is None
    assert "prod used the same sign-in" in repr(signed_out)
    assert not any('"Credentials"' in text or '"accessToken"' in text for text in cache_files(home).values())
    assert portal.count("Logout") == 1


def test_a_token_of_the_older_form_serves_the_newer(configured, portal: PracticePortal):
    """As long as it lasts; nobody approves again."""
    configured(OLD)
    first = App()
    first.use(RecordingShow(), "lab")
    configured(OLD + section("fedauth", CU))

    app = App()
    app.use(RecordingShow(), "fedauth:research-genomics")

    assert app.credentials.current.account.id == "555555555555"
    assert len(approvals(portal)) == 1


# Each sign-in by itself.


def test_the_end_of_one_does_not_disturb_another(configured, portal: PracticePortal):
    """Renewal, the look before a cell and what clients do go by the account's own sign-in."""
    import boto3

    configured(TWO)
    sign_in("cu", "partner")
    app = App()
    app.use(RecordingShow(), "awsucob0myaccount")
    client = boto3.Session().client("sts")
    app.logout(session="partner")

    assert app.hints.before() is None
    assert app.credentials.current.account.id == "111111111111"
    app.credentials.renew()
    assert client.get_caller_identity()["Account"] == "111111111111"
    assert "partner" not in repr(app.status()).split("cu")[0]


def test_what_is_said_of_an_end_leads_back_to_the_same_organisation(configured):
    """`%cuaws login` alone would sign in to the other."""
    configured(TWO)
    sign_in("partner", "cu")
    app = App()
    app.use(RecordingShow(), "partner-imaging")
    app.context.login.forget(app.organisations.named("partner"))
    app.choice.configure(Settings(session="cu"))

    hint = app.hints.signed_out(app.credentials.current)

    assert "`%cuaws login --session partner`" in repr(hint)
    assert "`%cuaws login --session partner`" in repr(app.status())


def test_the_account_used_last_is_in_its_own_organisation(configured, portal: PracticePortal):
    """`%cuaws use` in a new kernel, whatever was signed in to since; `-` goes back to the other one's."""
    configured(TWO)
    sign_in("cu", "partner")
    app = App()
    app.use(RecordingShow(), "awsucob0myaccount")
    app.use(RecordingShow(), "partner:research-genomics")

    again = App()
    again.use(RecordingShow(), None)
    assert again.credentials.current.account.id == "777777777777"
    again.use(RecordingShow(), "-")
    assert again.credentials.current.account.id == "111111111111"
    assert len(approvals(portal)) == 2


def test_a_name_that_only_an_ended_sign_in_is_known_to_have(configured, portal: PracticePortal):
    """Its list is remembered: the sign-in is asked for, and no other account is near enough."""
    configured(TWO)
    sign_in("cu", "partner")
    app = App()
    app.accounts(RecordingShow())
    app.logout(session="partner")
    portal.clear_calls()

    app.use(RecordingShow(), "partner-imaging")

    assert approvals(portal) == [PARTNER]
    assert app.credentials.current.sso_session.name == "partner"


def test_a_name_that_one_without_a_sign_in_has_too(configured):
    """The one where somebody is signed in is taken, as its name says; a line tells of the other."""
    configured(TWO)
    sign_in("cu", "partner")
    app = App()
    app.accounts(RecordingShow())
    app.logout(session="partner")

    view = app.use(RecordingShow(), "research-genomics")

    assert view.account == "555555555555"
    assert "partner, where nobody is signed in, has an account of that name too: 777777777777." in repr(view)
    assert "`%cuaws use partner:research-genomics`" in repr(view)
    assert "that name too" not in repr(app.use(RecordingShow(), "cu:research-genomics"))
    assert "that name too" not in repr(app.use(RecordingShow(), "555555555555"))


def test_a_profile_that_is_named_as_an_account_elsewhere(configured):
    """Which is meant is not guessed, whosever the account is; behind the name of a sign-in it is clear."""
    configured(TWO + profile("partner-imaging", "cu"))
    sign_in("cu", "partner")
    app = App()
    app.accounts(RecordingShow())

    with pytest.raises(
        AmbiguousTarget, match="partner-imaging is a profile for account 111111111111 and also the name"
    ):
        app.use(RecordingShow(), "partner-imaging")

    assert app.use(RecordingShow(), "666666666666").account == "666666666666"
    assert app.use(RecordingShow(), "partner:partner-imaging").account == "666666666666"
    assert app.use(RecordingShow(), "cu:partner-imaging").account == "111111111111"


def test_a_warning_is_of_the_accounts_own_sign_in(configured, portal: PracticePortal):
    """What ends soon elsewhere is no news for somebody who works here."""
    configured(TWO)
    sign_in("cu")
    portal.knobs = replace(portal.knobs, token_lifetime=600, refresh_tokens=False)
    sign_in("partner")
    app = App()

    app.use(RecordingShow(), "awsucob0myaccount")
    here = (app.credentials.warning(), repr(app.status()))
    app.use(RecordingShow(), "partner-imaging")
    there = repr(app.status())

    assert here[0] is None
    assert "ends soon" not in here[1]
    assert "The sign-in ends soon" in there
    assert "`%cuaws login --force`" in there  # of the partner, whose account is in use


# Lists of all.


def test_a_list_says_whose_each_account_is(configured):
    """In a column, as soon as there is more than one organisation; favourites are each one's own."""
    configured(TWO)
    sign_in("cu", "partner")
    app = App()

    table = app.accounts(RecordingShow(), star="partner-imaging")

    assert len(table) == 7
    assert set(table.organisations) == {"cu", "partner"}
    assert "Organisation" in repr(table)
    assert "★ partner-imaging" in repr(table)
    assert app.accounts(RecordingShow(), session="cu").organisations == ()


def test_completion_knows_all(configured):
    """A name of both stands behind the organisation that has it."""
    from cuaws_magic.commands.names import Names
    from cuaws_magic.ipython.grammar import Grammar

    configured(TWO)
    sign_in("cu", "partner")
    app = App()
    app.accounts(RecordingShow(), roles=True)

    names = Names(app.context)

    assert {"partner-imaging", "awsucob0myaccount", "cu:research-genomics"} <= set(names.target_names())
    assert "research-genomics" not in names.target_names()
    assert names.role_names("partner:research-genomics") == ["Researcher"]
    assert names.session_names() == ["cu", "fedauth", "partner"]
    complete = Grammar().complete
    assert complete("cuaws use partner:res", "res", names) == ["research-genomics"]
    assert complete("cuaws use partner:res", "partner:res", names) == ["partner:research-genomics"]
    assert complete('cuaws use "partner:res', "partner:res", names) == ['partner:research-genomics"']
    assert complete("cuaws use cu:aw", "aw", names) == [
        "awsucob0myaccount",
        "awsucob0myotheraccount",
        "awsucob0production",
    ]
    assert complete("cuaws use partner:aw", "aw", names) == []
    assert complete("cuaws use partner:research-genomics/R", "research-genomics/R", names) == [
        "research-genomics/Researcher"
    ]


def test_a_link_for_an_account_of_one(configured):
    """Named alone, it is no service."""
    configured(TWO)
    sign_in("cu", "partner")

    link = App().console(RecordingShow(), "partner:research-genomics")

    assert "account_id=777777777777" in link.url


def test_a_session_of_each(configured):
    """For scripts: sessions of boto3 beside each other, and a function over all of one."""
    from cuaws_magic.commands.sessions import session

    configured(TWO)
    sign_in("cu", "partner")
    app = App()

    def caller(target: str) -> str:
        made = session(app.context, RecordingShow(), target)
        return str(made.client("sts").get_caller_identity()["Account"])

    assert [caller(f"{one}:research-genomics") for one in ("cu", "partner")] == ["555555555555", "777777777777"]


def test_each_runs_in_all(configured, portal: PracticePortal):
    """Accounts of both; an organisation that does not answer is a row that says so."""
    from cuaws_magic.commands.many import in_threads, places

    configured(TWO)
    sign_in("cu", "partner")
    app = App()

    found = places(app.context, RecordingShow(), ["*genomics"])
    narrowed = places(app.context, RecordingShow(), ["*genomics"], session="cu")
    runs = in_threads(app.context, RecordingShow(), lambda place, _: place.account.id, found, workers=2)
    assert [(one.account.id, one.role.sso_session.name) for one in found] == [
        ("555555555555", "cu"),
        ("777777777777", "partner"),
    ]
    assert [one.account.id for one in narrowed] == ["555555555555"]
    assert [one.organisation for one in narrowed] == [""]
    assert [one.organisation for one in runs] == ["cu", "partner"]
    assert "Organisation" in repr(runs)
    assert [row["organisation"] for row in runs.records()] == ["cu", "partner"]

    app.accounts(RecordingShow(), refresh=True)  # and the roles are to be asked for again
    portal.knobs = replace(portal.knobs, failures=(Failure("ListAccountRoles", 100, "403", start_url=PARTNER),))
    some = places(app.context, RecordingShow(), ["*genomics"])
    assert [(one.account.name, one.why_not[:26]) for one in some] == [
        ("research-genomics", ""),
        ("partner", "partner could not be asked"),
    ]


def test_many_that_were_not_asked_are_named_once(configured):
    """Twenty lines would hide the one that matters."""
    configured("".join(section(f"o{number:02}", f"https://o{number}.awsapps.com/start") for number in range(18)) + TWO)
    sign_in("cu")

    said = repr(App().accounts(RecordingShow()))

    assert said.count("Nobody is signed in") == 1
    assert "and 16 others" in said


def test_never_ended_or_until(configured):
    """The three things that the status says of a sign-in: a logout is an end too."""
    configured(THREE)
    sign_in("cu", "partner")
    app = App()
    app.logout(session="partner")

    of_cu, of_partner, of_third = app.status().sign_ins
    app.logout(every=True)
    of_cu_then, *_ = app.status().sign_ins

    assert of_cu_then.said(app.now()).startswith("ended at ")
    assert "left, until about" in of_cu.said(app.now())
    assert of_partner.said(app.now()).startswith("ended at ")
    assert of_third.said(app.now()).startswith("never signed in")


def test_configure_says_for_which(configured, home: Path):
    """And takes another by name."""
    configured(TWO)
    sign_in("cu", "partner")
    app = App()
    app.use(RecordingShow(), "awsucob0myaccount")

    own = app.configure(RecordingShow(), dry_run=True)
    named = app.configure(RecordingShow(), session="partner")

    assert "CU Boulder · cu" in repr(own)
    assert "partner.awsapps.com · partner" in repr(named)
    assert "sso_session = partner" in (home / ".aws" / "config").read_text()
    assert "111111111111" not in (home / ".aws" / "config").read_text()


def test_the_status_says_whose_the_account_is(configured):
    """Where there is more than one organisation."""
    configured(TWO)
    sign_in("cu", "partner")
    app = App()

    view = app.use(RecordingShow(), "partner-imaging")

    assert "Organisation  partner.awsapps.com · partner" in " ".join(repr(view).split("\n"))
    assert "CU Boulder · cu" in repr(app.status())


def test_a_sign_in_under_a_name_that_nobody_knows(configured, home: Path, portal: PracticePortal):
    """Another program's, of a section that is gone: it serves as long as it lasts, and nothing is written for it."""
    configured(SAME)
    sign_in("dev")
    configured(section("prod", CU))
    for path in [*home.rglob("sign-ins-*.json"), *home.rglob("sign-in-*.json")]:
        path.unlink()
    before = set(cache_files(home))
    portal.clear_calls()

    App().use(RecordingShow(), "awsucob0myaccount")

    assert approvals(portal) == []
    assert set(cache_files(home)) == before
    app = App()
    assert "`%cuaws logout --all`" in repr(app.logout())
    app.logout(every=True)
    assert "still signed in" not in repr(app.logout())


# Choosing on a page.


def _chosen(app: App, page: NotebookPage, *, asked: bool = True) -> object:
    from cuaws_magic.ipython.offers import login

    return login(app.context, page, Settings(), asked=asked, wait=True)


def test_a_page_asks_where_to_sign_in(configured, portal: PracticePortal):
    """Nothing was used before: each organisation is a button, and nobody is asked for anything yet."""
    configured(TWO)
    app, page = App(), NotebookPage()

    said = _chosen(app, page)

    assert "Where do you want to sign in?" in repr(said)
    assert approvals(portal) == []
    page.button("Sign in to CU Boulder · cu")
    page.button("Sign in to partner.awsapps.com · partner")._button.click()
    until(lambda: app.context.login.peek(app.organisations.named("partner"))[0] is not None)
    assert approvals(portal) == [PARTNER]


def test_a_page_proposes_the_one_used_last(configured, portal: PracticePortal):
    """Its code waits in the background, so that the buttons for the others work meanwhile."""
    configured(TWO)
    sign_in("partner", "cu")
    app, page = App(), NotebookPage()
    app.use(RecordingShow(), "awsucob0myaccount")
    app.release()
    app.context.login.forget(app.organisations.named("cu"))
    portal.knobs = replace(portal.knobs, approve_after=None)
    portal.clear_calls()

    said = _chosen(app, page)
    until(lambda: app.approvals.card is not None)

    assert "Signing in while you work" in repr(said)
    assert app.approvals.sso_session.name == "cu"
    page.button("Sign in to partner.awsapps.com · partner")
    app.approvals.cancel()


def test_in_a_terminal_the_others_are_one_word_away(configured):
    """Where nothing can be pressed, the sign-in to the one used last says how to get to the others."""
    configured(TWO)
    sign_in("partner", "cu")
    app, page = App(), NotebookPage(cell=None)
    app.context.login.forget(app.organisations.named("cu"))
    app.context.login.records.approved(app.organisations.named("cu"), app.now())

    said = _chosen(app, page)

    assert page.kinds[0] == "ChooseOrganisation"
    assert "For partner, stop this and type `%cuaws login --session NAME`." in repr(page.views[0])
    assert "Signed in" in repr(said)


def test_where_nobody_can_choose_it_is_an_error(configured):
    """A notebook that is run by a program."""
    configured(TWO)

    with pytest.raises(ConfigurationError, match="several sso-sessions"):
        _chosen(App(), NotebookPage(), asked=False)


# What may be wrong.


def test_a_section_that_lacks_something_beside_good_ones(configured):
    """It is named, and the others work."""
    configured(TWO + "[sso-session broken]\nsso_region = us-west-2\n")
    sign_in("cu")
    app = App()

    app.use(RecordingShow(), "awsucob0myaccount")

    assert "[sso-session broken]" in repr(app.status())
    assert "has no sso_start_url" in repr(app.status())


def test_one_start_url_in_two_regions(configured, portal: PracticePortal):
    """Two organisations: Identity Center of one region knows nothing of the other's sign-ins."""
    configured(section("west", CU) + section("east", CU, "us-east-1"))
    sign_in("west")

    app = App()
    said = repr(app.status())
    app.use(RecordingShow(), "awsucob0myaccount")

    assert "Signed in to 1 of 2" in said
    assert "`%cuaws login --session east`" in said
    assert app.credentials.current.sso_session.name == "west"
    assert len(approvals(portal)) == 1


def test_a_section_that_got_another_address(configured, portal: PracticePortal):
    """What the file says now holds, not what was signed in to under that name."""
    configured(section("lab", CU))
    sign_in("lab")
    configured(section("lab", PARTNER))
    app = App()
    portal.clear_calls()

    app.login(RecordingShow())
    app.use(RecordingShow(), "partner-imaging")

    assert approvals(portal) == [PARTNER]
    assert [one.start_url for one in app.organisations.all() if one.name == "lab"] == [PARTNER]


def test_two_sections_of_one_name(configured):
    """As botocore: it reads no file that has them."""
    import botocore.session
    from botocore.exceptions import ConfigParseError

    configured(section("cu", CU) + section("cu", PARTNER))

    with pytest.raises(ConfigParseError):
        _ = botocore.session.Session().full_config
    assert "[sso-session cu] is there twice" in repr(App().status())
    with pytest.raises(ConfigurationError):
        App().use(RecordingShow(), "awsucob0myaccount")


def test_twenty_organisations(configured, portal: PracticePortal):
    """All are listed, and only those are asked that somebody is signed in to."""
    configured("".join(section(f"o{number:02}", f"https://o{number}.awsapps.com/start") for number in range(18)) + TWO)
    sign_in("cu", "partner")
    app = App()
    portal.clear_calls()

    app.use(RecordingShow(), "partner-imaging")

    assert repr(app.status()).count("never signed in") == 18
    assert listed(portal) == {CU, PARTNER}


def test_one_organisation_that_is_down(configured, portal: PracticePortal):
    """The others answer, that one is named, and nothing waits for it longer than its time."""
    configured(TWO)
    sign_in("cu", "partner")
    app = App()
    portal.knobs = replace(portal.knobs, failures=(Failure("ListAccounts", 1000, "503", start_url=PARTNER),))

    table = app.accounts(RecordingShow())
    view = app.use(RecordingShow(), "awsucob0myaccount")

    assert len(table) == 5
    assert "partner could not be asked" in repr(table)
    assert view.account == "111111111111"
    assert "partner could not be asked" in repr(view)


def test_the_same_number_in_two_organisations(configured, portal: PracticePortal):
    """Not possible at AWS, possible in a file; which is meant is for the person to say."""
    configured(TWO)
    portal.knobs = replace(portal.knobs, organisations=1)  # both answer the same
    sign_in("cu", "partner")
    app = App()

    with pytest.raises(AmbiguousTarget, match=r"111111111111 \(cu\) and 111111111111 \(partner\)"):
        app.use(RecordingShow(), "111111111111")
    app.use(RecordingShow(), "partner:111111111111")

    assert app.credentials.current.sso_session.name == "partner"


def test_two_sign_ins_named_at_once(configured):
    """Which is meant is not guessed."""
    configured(TWO)
    sign_in("cu", "partner")

    with pytest.raises(ConfigurationError, match="Two sign-ins were named, cu and partner"):
        App().use(RecordingShow(), "partner:partner-imaging", session="cu")
    with pytest.raises(UnknownTarget, match="No account of partner was used here before"):
        App().use(RecordingShow(), None, session="partner")


def test_a_slow_organisation_is_not_waited_for(configured, portal: PracticePortal):
    """Its time limit holds for a first list and for a second look; the one that answers is not held up."""
    from cuaws_magic.sso.lookup import listings

    configured(TWO)
    sign_in("cu", "partner")
    app = App()
    portal.knobs = replace(portal.knobs, failures=(Failure("ListAccounts", 9, "slow", delay=60, start_url=PARTNER),))

    found = listings(app.context.accounts, app.organisations.standing(), patience=2)

    assert [one.name for one, _ in found.found] == ["cu"]
    ((silent, error),) = found.silent
    assert silent.name == "partner"
    assert "did not answer in 2 seconds" in str(error)


def test_a_notebook_that_is_made_for_an_account_of_one(configured, home: Path, monkeypatch):
    """The stamp may name the organisation; that it is in use then is no surprise."""
    import json

    configured(TWO)
    sign_in("partner", "cu")
    notebook = home / "made.ipynb"
    metadata = {"cuaws": {"account": "partner:research-genomics", "role": "Researcher"}}
    notebook.write_text(json.dumps({"cells": [], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}))
    monkeypatch.setenv("JPY_SESSION_NAME", str(notebook))
    app = App()

    view = app.use(RecordingShow(), None)

    assert view.account == "777777777777"
    assert "made for" not in repr(view)


def test_a_button_for_an_organisation_without_a_name(configured, portal: PracticePortal):
    """One that a profile of the older form names by its start URL."""
    configured(older("lab", PARTNER) + section("third", THIRD))
    app, page = App(), NotebookPage()

    _chosen(app, page)
    page.button("Sign in to partner.awsapps.com")._button.click()

    until(lambda: len(app.organisations.standing()) == 1)
    assert approvals(portal) == [PARTNER]


def test_sessions_are_completed_for_every_command_that_takes_one(configured):
    """As for `login`."""
    from cuaws_magic.commands.names import Names
    from cuaws_magic.ipython.grammar import Grammar

    configured(TWO)
    names = Names(App().context)

    for command in ("use lab", "accounts", "as lab", "each", "export", "console s3", "configure", "logout", "login"):
        found = Grammar().complete(f"cuaws {command} --session ", "", names)
        assert found == ["cu", "fedauth", "partner"], command
