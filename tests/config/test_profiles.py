"""Which profiles are written, under which names, and which are removed: a table of portals and files."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from doubles import documented

from cuaws_magic.config import text as ini_text
from cuaws_magic.config.edits import Drop, Put, edited
from cuaws_magic.config.files import config_from
from cuaws_magic.config.profiles import Ours, Portal, no_longer_there, plan
from cuaws_magic.errors import ConfigurationError
from cuaws_magic.model import Account, SsoSession
from cuaws_magic.sso.session import CU_BOULDER

SESSION = """\
[sso-session fedauth]
sso_start_url = https://cuboulder.awsapps.com/start
sso_region = us-west-2
sso_registration_scopes = sso:account:access
"""
ONE, TWO = "111111111111", "222222222222"


def listed(**accounts):
    """A portal: name → id and roles; a name with `_` stands for one with spaces."""
    return Portal(
        [Account(account_id, name) for name, (account_id, *_) in accounts.items()],
        {account_id: roles for account_id, *roles in accounts.values()},
    )


def profile(name, account_id=ONE, role_name="MyRole", region="us-west-2", output="json", session="fedauth"):
    return (
        f"\n[profile {name}]\nsso_session = {session}\nsso_account_id = {account_id}\n"
        f"sso_role_name = {role_name}\nregion = {region}\noutput = {output}\n"
    )


def ours(text):
    """Remember every profile of a text as ours."""
    return {
        name: Ours(one.settings, name)
        for name, one in config_from(Path("c"), ini_text.values(text), {}, Path("k")).profiles.items()
    }


def planned(portal, text="", *, saved=(), remembered=None, gone=(), sso_session=CU_BOULDER):
    config = config_from(
        Path("/home/ralphie/.aws/config"), ini_text.values(text), {name: {} for name in saved}, Path("k")
    )
    return plan(portal, sso_session, "us-west-2", config, remembered or {}, gone)


@dataclass(frozen=True)
class Named:
    documentation: str
    portal: Portal
    names: dict
    text: str = SESSION
    saved: tuple = ()
    kept: tuple = ()
    note: str = ""


NAMES = [
    Named("the account's name where one role is assigned", listed(acc=(ONE, "MyRole")), {"acc": (ONE, "MyRole")}),
    Named(
        "account-Role where there are several",
        listed(acc=(ONE, "Admin", "ReadOnly")),
        {"acc-Admin": (ONE, "Admin"), "acc-ReadOnly": (ONE, "ReadOnly")},
    ),
    Named("an account without roles has no profile", listed(acc=(ONE,)), {}),
    Named(
        "what is there keeps its name, whatever that is",
        listed(acc=(ONE, "MyRole")),
        {},
        text=SESSION + profile("mine"),
        kept=("mine",),
    ),
    Named(
        "what is there keeps its name when another role comes",
        listed(acc=(ONE, "MyRole", "New")),
        {"acc-New": (ONE, "New")},
        text=SESSION + profile("acc"),
        kept=("acc",),
    ),
    Named(
        "what is there twice stays twice",
        listed(acc=(ONE, "MyRole")),
        {},
        text=SESSION + profile("a") + profile("b"),
        kept=("a", "b"),
    ),
    Named(
        "a profile that has the name and is for another account is not touched",
        listed(acc=(ONE, "MyRole")),
        {"acc-MyRole": (ONE, "MyRole")},
        text=SESSION + profile("acc", TWO),
    ),
    Named(
        "a profile that has the name and holds keys is not touched",
        listed(acc=(ONE, "MyRole")),
        {"acc-MyRole": (ONE, "MyRole")},
        text=SESSION + "[profile acc]\naws_access_key_id = AKIAS3CRET\n",
    ),
    Named(
        "a profile of another sign-in is not touched",
        listed(acc=(ONE, "MyRole")),
        {"acc-MyRole": (ONE, "MyRole")},
        text=SESSION + profile("acc", session="work"),
    ),
    Named(
        "a saved block that has the name is not hidden",
        listed(acc=(ONE, "MyRole")),
        {"acc-MyRole": (ONE, "MyRole")},
        saved=("acc",),
    ),
    Named(
        "both names taken",
        listed(acc=(ONE, "MyRole")),
        {f"acc-MyRole-{ONE}": (ONE, "MyRole")},
        saved=("acc", "acc-MyRole"),
    ),
    Named(
        "an account called default does not become everybody's default",
        listed(default=(ONE, "MyRole")),
        {"default-MyRole": (ONE, "MyRole")},
    ),
    Named(
        "two accounts of the same name: neither has it for itself",
        Portal([Account(ONE, "acc"), Account(TWO, "Acc")], {ONE: ["MyRole"], TWO: ["MyRole"]}),
        {"acc-MyRole": (ONE, "MyRole"), "Acc-MyRole": (TWO, "MyRole")},
    ),
    Named(
        "two accounts of the same name and the same role",
        Portal([Account(ONE, "acc"), Account(TWO, "acc")], {ONE: ["MyRole"], TWO: ["MyRole"]}),
        {f"acc-MyRole-{ONE}": (ONE, "MyRole"), f"acc-MyRole-{TWO}": (TWO, "MyRole")},
    ),
    Named(
        "a profile is never called like another account",
        Portal([Account(ONE, "acc"), Account(TWO, "ACC-Admin")], {ONE: ["Admin", "ReadOnly"]}),
        {f"acc-Admin-{ONE}": (ONE, "Admin"), "acc-ReadOnly": (ONE, "ReadOnly")},
    ),
    Named(
        "an account whose name nobody told",
        Portal([Account(ONE, "")], {ONE: ["MyRole"]}),
        {ONE: (ONE, "MyRole")},
    ),
    Named(
        "spaces and quotes",
        Portal([Account(ONE, "my account"), Account(TWO, "ralphie's")], {ONE: ["MyRole"], TWO: ["MyRole"]}),
        {"my account": (ONE, "MyRole"), "ralphie's": (TWO, "MyRole")},
    ),
    Named(
        "a name that would break the file",
        Portal([Account(ONE, "evil]\n[default]\ncredential_process = x")], {ONE: ["MyRole"]}),
        {f"{ONE}-MyRole": (ONE, "MyRole")},
    ),
    Named(
        "a role that would break the file",
        Portal([Account(ONE, "acc")], {ONE: ["evil\ncredential_process = x"]}),
        {},
        note=f"No profile for acc ({ONE}) as evil�credential_process = x: its name cannot be written in the file.",
    ),
    Named("a leading zero stays", listed(acc=("044444444444", "MyRole")), {"acc": ("044444444444", "MyRole")}),
    Named(
        "a legacy profile of the same portal counts as there",
        listed(acc=(ONE, "MyRole")),
        {},
        text=SESSION
        + "[profile old]\nsso_start_url = https://cuboulder.awsapps.com/start#/\nsso_region = us-west-2\n"
        + f"sso_account_id = {ONE}\nsso_role_name = MyRole\n",
        kept=("old",),
        note="old: needs a sign-in of its own, because the profile has sso_start_url (`aws sso login --profile old`).",
    ),
]


@documented(NAMES)
def test_names(case):
    """Each account and role has one profile; the file says so afterwards, and a second run has nothing to do."""
    made = planned(case.portal, case.text, saved=case.saved)

    assert {
        name: (one.settings["sso_account_id"], one.settings["sso_role_name"]) for name, one in made.added.items()
    } == case.names
    assert made.kept == case.kept
    assert " ".join(made.notes) == case.note
    after = edited(case.text, made.edits).after
    again = planned(case.portal, after, saved=case.saved)
    assert again.edits == ()
    assert set(again.kept) == {*case.names, *case.kept}
    assert set(again.others) == set(made.others)


def test_the_guides_lines():
    """Section and profile are those of the guide, word for word."""
    made = planned(listed(awsucob0myaccount=(ONE, "MyRole"), awsucob0myotheraccount=(TWO, "MyOtherRole")))

    assert edited("", made.edits).after == SESSION + profile("awsucob0myaccount") + profile(
        "awsucob0myotheraccount", TWO, "MyOtherRole"
    )


def test_a_sign_in_without_scopes_is_given_them():
    """Without the scope of the guide the service gives nothing to renew a sign-in with."""
    text = SESSION.replace("sso_registration_scopes = sso:account:access\n", "# mine\n")
    bare = SsoSession("fedauth", CU_BOULDER.start_url, CU_BOULDER.sso_region, None)

    made = planned(listed(), text, sso_session=bare)

    assert made.edits == (Put("sso-session", "fedauth", {"sso_registration_scopes": "sso:account:access"}),)
    assert not made.session_is_new


def test_scopes_that_are_there_stay():
    """A person's own scopes are a person's own."""
    text = SESSION.replace("sso:account:access", "sso:account:access,codewhisperer:completions")

    assert planned(listed(), text).edits == ()


def test_another_sign_in_of_that_name_is_refused():
    """A section that leads elsewhere is not overwritten, and profiles are not made to lead there."""
    with pytest.raises(ConfigurationError, match=r"\[sso-session fedauth\] in .*config says sso_region = eu-west-1"):
        planned(listed(acc=(ONE, "MyRole")), SESSION.replace("us-west-2", "eu-west-1"))


# What goes.


@dataclass(frozen=True)
class Pruned:
    documentation: str
    portal: Portal
    removed: tuple
    text: str = SESSION + profile("acc")
    extra: str = ""
    asked_for: str = ""
    note: str = ""
    ours: dict = field(default_factory=dict)


PRUNED = [
    Pruned("an account that is gone", listed(other=(TWO, "MyRole")), ("acc",)),
    Pruned("a role that is gone", listed(acc=(ONE, "Other")), ("acc",)),
    Pruned("a role that is there", listed(acc=(ONE, "MyRole")), ()),
    Pruned("an account whose roles were not asked for", Portal([Account(ONE, "acc")], {}), ()),
    Pruned("an account that is gone and was not asked for", listed(other=(TWO, "MyRole")), (), asked_for="oth"),
    Pruned("an account that is gone and was asked for", listed(other=(TWO, "MyRole")), ("acc",), asked_for="ac"),
    Pruned(
        "a profile that was changed by hand stays",
        listed(other=(TWO, "MyRole")),
        (),
        extra="s3 =\n  addressing_style = path\n",
        note="acc is no longer at the portal, but it was edited, so it stays.",
    ),
    Pruned(
        "a profile that another one begins with stays",
        listed(other=(TWO, "MyRole")),
        (),
        extra="\n[profile chained]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = acc\n",
        note="acc is no longer at the portal, but it is the source_profile of chained: it stays.",
    ),
    Pruned("a profile that was deleted by hand", listed(other=(TWO, "MyRole")), (), text=SESSION),
]


@documented(PRUNED)
def test_what_is_removed(case):
    """Only what we wrote, as we wrote it, whose account or role was asked for and is not listed."""
    remembered = ours(SESSION + profile("acc"))
    gone = no_longer_there(case.portal, CU_BOULDER, remembered, lambda account: case.asked_for in account.name)

    made = planned(case.portal, case.text + case.extra, remembered=remembered, gone=gone)

    assert made.removed == case.removed
    assert [edit.name for edit in made.edits if isinstance(edit, Drop)] == list(case.removed)
    assert " ".join(made.notes) == case.note


def test_what_others_wrote_is_never_gone():
    """A profile that looks like ours and is not remembered as ours is none of our business."""
    assert no_longer_there(listed(), CU_BOULDER, {}, lambda _: True) == []


def test_a_profile_of_another_sign_in_is_not_gone():
    """What the portal of one sign-in lists says nothing about another's."""
    remembered = ours(SESSION + profile("acc", session="work"))

    assert no_longer_there(listed(), CU_BOULDER, remembered, lambda _: True) == []
