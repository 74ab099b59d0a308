"""What commands return: values that show themselves, the same in both faces, and nothing hostile or secret."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

import pytest
from doubles import HOUR, NOON, a_device_authorization, documented

from cuaws_magic.model import Account, SsoSession
from cuaws_magic.sso.session import CU_BOULDER
from cuaws_magic.views.account import InUse, Released, Status, Whoami
from cuaws_magic.views.accounts import AccountTable
from cuaws_magic.views.render import PAGE_SCRIPT, Progress, View
from cuaws_magic.views.sign_in import AwaitingApproval, SignedIn, SignedOut, SignInEnded, SigningIn

HOSTILE = "<script>alert(1)</script>\"'&"
BAD_SESSION = SsoSession(HOSTILE, f"https://{HOSTILE}.awsapps.com/start", HOSTILE, None)


def whoami(text="ralphie@colorado.edu"):
    arn = f"arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_MyRole_aa/{text}"
    return Whoami("111111111111", arn, f"AROA:{text}", text)


def in_use(name="awsucob0myaccount", **more):
    return InUse(
        **{
            "account": "111111111111",
            "account_name": name,
            "role": "MyRole",
            "region": "us-west-2",
            "expires_at": NOON + 4 * HOUR,
            "signed_in_until": NOON + 8 * HOUR,
            "identity": whoami(),
            "notes": (),
            "at": NOON,
            **more,
        }
    )


def table(name="awsucob0myaccount", roles=("MyRole",)):
    return AccountTable((Account("111111111111", name),), {"111111111111": roles}, 5, ())


@dataclass(frozen=True)
class DisplayHandle:
    """A view in its usual and its hostile form, and what both of its faces must say."""

    documentation: str
    view: View
    hostile: View
    says: tuple[str, ...]


VIEWS = [
    DisplayHandle(
        "a code that waits",
        AwaitingApproval(CU_BOULDER, a_device_authorization(), 1, None, NOON),
        AwaitingApproval(
            BAD_SESSION,
            a_device_authorization(user_code=HOSTILE, verification_uri_complete=f"https://x.awsapps.com/{HOSTILE}"),
            2,
            HOSTILE,
            NOON,
        ),
        (
            "ABCD-1234",
            "CU Boulder · fedauth",
            "IdentiKey",
            "Duo",
            "Allow access",
            "Approve only a code that you see here",
        ),
    ),
    DisplayHandle(
        "a sign-in that came to nothing",
        SignInEnded(CU_BOULDER, "Not signed in", ("Denied. Type `%cuaws login`.",)),
        SignInEnded(BAD_SESSION, HOSTILE, (HOSTILE,)),
        ("Not signed in", "Denied. Type `%cuaws login`."),
    ),
    DisplayHandle(
        "a sign-in that stands",
        SignedIn(CU_BOULDER, NOON + 8 * HOUR, already=False, notes=("A note.",), at=NOON),
        SignedIn(BAD_SESSION, NOON + 8 * HOUR, already=True, notes=(HOSTILE,), at=NOON),
        ("Signed in for", "8 h, until about", "CU Boulder · fedauth", "A note."),
    ),
    DisplayHandle(
        "a sign-in in the background",
        SigningIn(CU_BOULDER),
        SigningIn(BAD_SESSION),
        ("Signing in while you work", "The card with the code updates when you approve", "`%cuaws use ACCOUNT`"),
    ),
    DisplayHandle("progress", Progress("Asking", 3, 9), Progress(HOSTILE, 3, 9), ("Asking: 3 of 9",)),
    DisplayHandle(
        "signed out",
        SignedOut(("CU Boulder · fedauth",), ("A sentence.",)),
        SignedOut((HOSTILE,), (HOSTILE,)),
        ("Signed out", "CU Boulder · fedauth", "A sentence."),
    ),
    DisplayHandle("not signed in before", SignedOut((), ()), SignedOut((), (HOSTILE,)), ("You were not signed in",)),
    DisplayHandle(
        "released",
        Released("awsucob0myaccount", ("You are still signed in.",)),
        Released(HOSTILE, (HOSTILE,)),
        ("Released awsucob0myaccount", "You are still signed in."),
    ),
    DisplayHandle("nothing to release", Released(None, ()), Released(None, (HOSTILE,)), ("Nothing to release",)),
    DisplayHandle(
        "who it is",
        whoami(),
        whoami(HOSTILE),
        (
            "ralphie@colorado.edu",
            "Account",
            "111111111111",
            "Role",
            "MyRole",
            "ARN",
            "arn:aws:sts::",
            "User ID",
            "AROA:",
        ),
    ),
    DisplayHandle(
        "an account in use",
        in_use(),
        in_use(HOSTILE, role=HOSTILE, region=HOSTILE, identity=whoami(HOSTILE), notes=(HOSTILE,)),
        (
            "awsucob0myaccount",
            "111111111111",
            "MyRole",
            "us-west-2",
            "arn:aws:sts::",
            "4 h left, until",
            "8 h left, until about",
        ),
    ),
    DisplayHandle(
        "a production account in use",
        in_use("lab", production=True),
        in_use(HOSTILE, production=True),
        ("lab", "production"),
    ),
    DisplayHandle(
        "status with a production account",
        Status(CU_BOULDER, NOON + 8 * HOUR, in_use("lab", production=True), (), NOON),
        Status(BAD_SESSION, NOON + 8 * HOUR, in_use(HOSTILE, production=True), (), NOON),
        ("lab", "production"),
    ),
    DisplayHandle(
        "an account in use, not confirmed",
        in_use(identity=None),
        in_use(HOSTILE, identity=None),
        ("not confirmed with AWS",),
    ),
    DisplayHandle(
        "status with an account",
        Status(CU_BOULDER, NOON + 8 * HOUR, in_use(), ("A note.",), NOON),
        Status(BAD_SESSION, NOON + 8 * HOUR, in_use(HOSTILE), (HOSTILE,), NOON),
        ("awsucob0myaccount", "MyRole", "us-west-2", "A note."),
    ),
    DisplayHandle(
        "status without account",
        Status(CU_BOULDER, NOON + 8 * HOUR, None, (), NOON),
        Status(BAD_SESSION, NOON + 8 * HOUR, None, (HOSTILE,), NOON),
        ("Signed in", "CU Boulder · fedauth", "none in use", "`%cuaws use ACCOUNT`"),
    ),
    DisplayHandle(
        "status of nobody",
        Status(CU_BOULDER, None, None, (), NOON),
        Status(BAD_SESSION, None, None, (HOSTILE,), NOON),
        ("Not signed in", "`%cuaws login`"),
    ),
    DisplayHandle(
        "accounts",
        table(),
        table(HOSTILE, (HOSTILE,)),
        ("Account", "Id", "Roles", "awsucob0myaccount", "111111111111", "MyRole", "1 of 5 accounts"),
    ),
    DisplayHandle(
        "no accounts",
        AccountTable((), None, 5, ("No account matches x.",)),
        AccountTable((), None, 5, (HOSTILE,)),
        ("0 of 5 accounts", "No account matches x."),
    ),
]


def seen(markup):
    """What a person sees of HTML: without tags and scripts, entities resolved, code between backticks."""
    without = re.sub(r"<script>.*?</script>", "", markup, flags=re.DOTALL)
    # A place where a line may break is not seen; plain text has code between backticks.
    code = re.sub(r"</?code[^>]*>", "`", without.replace("<wbr>", ""))
    return html.unescape(re.sub(r"<[^>]*>", " ", code))


@documented(VIEWS)
def test_both_faces_say_the_same(case):
    """What the HTML says the plain text says, too."""
    bundle = case.view.mimebundle()

    assert set(bundle) == {"text/plain", "text/html"}
    assert [one for one in case.says if one not in bundle["text/plain"]] == []
    assert [one for one in case.says if one not in seen(bundle["text/html"])] == []


@documented(VIEWS)
def test_a_hostile_name_is_text(case):
    """A name, a role, a message or an address with markup in it never becomes markup."""
    markup = case.hostile.mimebundle()["text/html"]

    assert "<script>alert" not in markup
    assert "&amp;lt;" not in markup
    assert "alert(1)" in seen(markup) or "alert" not in markup
    assert not re.search(r'="[^"]*<', markup)


@documented(VIEWS)
def test_a_view_shows_itself(case):
    """A notebook asks for the bundle, a terminal for the repr; both get the view's own."""
    view = case.view

    assert view._repr_mimebundle_() == view.mimebundle()  # IPython's protocol
    assert repr(view) == view.mimebundle()["text/plain"]


@documented(VIEWS)
def test_only_a_waiting_card_has_a_script(case):
    """But for the times: nothing else that a page shows has a script or a handler; nothing brings a device code."""
    markup = case.view.mimebundle()["text/html"].replace(PAGE_SCRIPT, "")
    waiting = isinstance(case.view, AwaitingApproval)

    assert ("<script" in markup) is waiting
    assert ("onclick=" in markup) is waiting
    assert ("ABCD-1234" in markup) is waiting
    assert "s3cret" not in str(case.view.mimebundle())


def test_whoami_is_a_value():
    """`x = %cuaws whoami` gives strings."""
    found = whoami()

    assert found.account == "111111111111"
    assert found.person == "ralphie@colorado.edu"
    assert found == whoami()


def test_whoami_says_each_thing_once():
    """Name, number and role of the account; the number stands in its row and in the ARN, not a third time."""
    found = Whoami("111111111111", whoami().arn.replace("_aa/", f"_{'a' * 16}/"), "AROA:x", "x", "lab")
    face = seen(found.mimebundle()["text/html"])

    assert found.rows()[:2] == [("Account", "lab (111111111111)"), ("Role", "MyRole")]
    assert face.count("111111111111") == 2
    assert Whoami("1", "arn:aws:iam::1:user/x", "A", "x", "1").rows()[0] == ("Account", "1")


def test_labels_are_the_same_on_every_card():
    """An ARN is an ARN, on the card of `use` and on that of `whoami`."""
    arns = [{label for label, value in view.rows() if value == whoami().arn} for view in (whoami(), in_use())]

    assert arns == [{"ARN"}, {"ARN"}]


def test_only_production_is_marked():
    """The mark is for those accounts; others have none."""
    assert "production" not in str(in_use("lab").mimebundle())


def test_profiles_in_use_by_name_promise_no_more_than_they_hold():
    """A sign-in renews what a program fetches; saved keys are renewed by nobody."""
    signed_in = repr(in_use(profile="lab"))
    saved = repr(in_use(profile="old", signs_in=False, signed_in_until=None))

    assert "programs fetch and renew their own (AWS_PROFILE=lab)" in signed_in
    assert "programs read the profile (AWS_PROFILE=old); saved keys are not renewed" in saved


def test_a_sign_in_is_a_value():
    """A sign-in tells its name, its address and its end."""
    signed_in = SignedIn(CU_BOULDER, NOON, already=True, notes=(), at=NOON)

    assert (signed_in.session_name, signed_in.start_url) == ("fedauth", CU_BOULDER.start_url)
    assert signed_in.until == NOON


def test_a_table_is_a_sequence():
    """Accounts can be counted, walked through, picked and cut."""
    accounts = tuple(Account(f"{number:012d}", f"a{number}") for number in range(3))
    found = AccountTable(accounts, None, 3, ())

    assert len(found) == 3
    assert list(found) == list(accounts)
    assert found[1].id == "000000000001"
    assert list(found[1:]) == list(accounts[1:])
    assert "3 accounts." in repr(found)


@pytest.mark.parametrize("until", [None, NOON, NOON - HOUR])
def test_a_sign_in_that_is_over(until):
    """A sign-in that is over says so, and what to type, though the credentials live on."""
    plain = repr(in_use(signed_in_until=until))

    assert re.search(r"Sign-in +expired; type `%cuaws login`", plain)
    assert "4 h left" in plain


def test_a_name_turns_no_line_around():
    """Marks of writing direction in a person's or an account's name reach neither text nor HTML."""
    evil = "ralphie\u202e\u2066\x1b[2J"
    view = Whoami("111111111111", f"arn:aws:sts::111111111111:assumed-role/R/{evil}", "A:r", evil, f"חשבון{evil}")

    for text in view.mimebundle().values():
        assert not set(text) & set("\u202e\u2066\x1b")
    assert "<bdi" in view.mimebundle()["text/html"]
    assert "חשבון" in repr(view)


def test_a_table_of_a_thousand_accounts_is_two_hundred_rows():
    """More would only make a notebook large; all of them are there as a value, and a line says how to see more."""
    accounts = tuple(Account(f"{number:012}", f"account-{number}") for number in range(1000))
    table = AccountTable(accounts, None, 1000, ())

    bundle = table.mimebundle()

    assert len(table) == 1000
    assert "account-199" in bundle["text/plain"]
    assert "account-200" not in bundle["text/plain"]
    assert "1,000 accounts." in bundle["text/plain"]
    assert "type a part of the name: `%cuaws accounts NAME`" in bundle["text/plain"]
    assert len(bundle["text/html"]) < 60_000
