"""What a person means by TARGET: one account and role, or an error with the nearest names. Never a guess."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from doubles import NOON, documented

from cuaws_magic.config.files import AwsFiles
from cuaws_magic.errors import AmbiguousTarget, NoAccess, RoleNeeded, UnknownTarget
from cuaws_magic.humanize import quoted
from cuaws_magic.model import Account, SsoSession
from cuaws_magic.sso.accounts import Listing
from cuaws_magic.sso.session import CU_BOULDER
from cuaws_magic.sso.targets import Targets, classify, of_the_portal

ACCOUNTS = {
    "111111111111": "awsucob0myaccount",
    "222222222222": "awsucob0myotheraccount",
    "333333333333": "awsucob0production",
    "044444444444": "research-climate-dev",
    "555555555555": "Two Words",
    "666666666666": "shared",
    "777777777777": "Shared",
    "888888888888": "team/sandbox",
    "999999999999": "empty",
    "123123123123": "conflict",
    "321321321321": "keys",
    "456456456456": "last-role-gone",
}
ROLES = {
    "111111111111": ("MyRole",),
    "222222222222": ("MyOtherRole",),
    "333333333333": ("Admin", "ReadOnly"),
    "044444444444": ("DataSteward", "Researcher"),
    "555555555555": ("Researcher",),
    "666666666666": ("R",),
    "777777777777": ("R",),
    "888888888888": ("R",),
    "999999999999": (),
    "123123123123": ("R",),
    "321321321321": ("R",),
    "456456456456": ("A", "B"),
}
CONFIG = """
[sso-session fedauth]
sso_start_url = https://cuboulder.awsapps.com/start
sso_region = us-west-2
sso_registration_scopes = sso:account:access
[sso-session work]
sso_start_url = https://acme.awsapps.com/start
sso_region = us-east-1
[profile mine]
sso_session = fedauth
sso_account_id = 111111111111
sso_role_name = MyRole
region = eu-west-1
[profile 'spaced profile']
sso_session = fedauth
sso_account_id = 044444444444
sso_role_name = Researcher
[profile at-work]
sso_session = work
sso_account_id = 676767676767
sso_role_name = Dev
[profile legacy]
sso_start_url = https://acme.awsapps.com/start
sso_region = us-east-1
sso_account_id = 676767676767
sso_role_name = Dev
[profile awsucob0myaccount]
sso_session = fedauth
sso_account_id = 111111111111
sso_role_name = MyRole
[profile conflict]
sso_session = fedauth
sso_account_id = 111111111111
sso_role_name = MyRole
[profile keys]
region = us-west-2
"""
WORK = SsoSession("work", "https://acme.awsapps.com/start", "us-east-1", None)


def meant(text, config):
    return of_the_portal(classify(text, config))


@dataclass
class PretendDirectory:
    """The lists, remembered or not; counts what the portal is asked."""

    known: bool = True
    new: dict[str, str] = field(default_factory=dict)  # accounts that only a refresh brings
    used: dict[str, str] = field(default_factory=dict)
    refused: str = ""  # an account that the portal does not let the person into
    asked: list[str] = field(default_factory=list)

    def _listing(self, names):
        return Listing(tuple(Account(one, name) for one, name in names.items()), {}, NOON)

    def remembered(self, sso_session):
        return self._listing(ACCOUNTS) if self.known and sso_session == CU_BOULDER else None

    def accounts(self, sso_session, *, refresh=False):
        self.asked.append("refresh" if refresh else "accounts")
        return self._listing({**ACCOUNTS, **(self.new if refresh else {})})

    def looked_again(self, sso_session, listing):
        return self.accounts(sso_session, refresh=True)

    def roles(self, sso_session, account_ids, *, refresh=False):
        self.asked.append("roles again" if refresh else "roles")
        if self.refused in account_ids:
            raise NoAccess("You may not enter this account. Type `%cuaws accounts`.")
        return {one: ROLES.get(one, ("New",)) for one in account_ids}

    def used_before(self, sso_session):
        return self.used


@pytest.fixture(name="config")
def _config(tmp_path):
    (tmp_path / "config").write_text(CONFIG)
    (tmp_path / "credentials").write_text("[saved-keys]\naws_access_key_id = A\n")
    return AwsFiles(
        {
            "AWS_CONFIG_FILE": str(tmp_path / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        }
    ).read()


@dataclass(frozen=True)
class Meant:
    documentation: str
    target: str
    account_id: str
    role: str
    named: str | None = None  # --role
    more: dict[str, Any] = field(default_factory=dict)
    sso_session: SsoSession = CU_BOULDER
    region: str | None = None


@documented(
    [
        Meant("an account's name", "awsucob0myotheraccount", "222222222222", "MyOtherRole"),
        Meant("an account's name in another case", "AWSUCOB0MyOtherAccount", "222222222222", "MyOtherRole"),
        Meant("a name with a space", "Two Words", "555555555555", "Researcher"),
        Meant("a name with a slash in it", "team/sandbox", "888888888888", "R"),
        Meant("a name with a slash, and a role", "team/sandbox/R", "888888888888", "R"),
        Meant("an id", "222222222222", "222222222222", "MyOtherRole"),
        Meant("an id with a leading zero", "044444444444", "044444444444", "Researcher", "Researcher"),
        Meant("an id that is in no list", "121212121212", "121212121212", "New"),
        Meant("an account and a role", "awsucob0production/ReadOnly", "333333333333", "ReadOnly"),
        Meant("an id and a role", "333333333333/Admin", "333333333333", "Admin"),
        Meant("a role apart", "awsucob0production", "333333333333", "Admin", "Admin"),
        Meant("a role in another case", "awsucob0production/readonly", "333333333333", "ReadOnly"),
        Meant("the same role twice", "awsucob0production/Admin", "333333333333", "Admin", "Admin"),
        Meant(
            "the role taken last", "awsucob0production", "333333333333", "ReadOnly",
            more={"used": {"333333333333": "ReadOnly"}},
        ),
        Meant(
            "an account that is new at the portal", "brand-new", "767676767676", "New",
            more={"new": {"767676767676": "brand-new"}},
        ),
        Meant("a profile, with its region", "mine", "111111111111", "MyRole", region="eu-west-1"),
        Meant("a profile with a space", "spaced profile", "044444444444", "Researcher"),
        Meant("a profile and another role", "mine/Other", "111111111111", "Other", region="eu-west-1"),
        Meant("a profile and a role apart", "mine", "111111111111", "Other", "Other", region="eu-west-1"),
        Meant("a profile of another organisation", "at-work", "676767676767", "Dev", sso_session=WORK),
        Meant(
            "a legacy profile", "legacy", "676767676767", "Dev",
            sso_session=SsoSession(None, WORK.start_url, "us-east-1", None),
        ),
        Meant("a profile named as its own account", "awsucob0myaccount", "111111111111", "MyRole"),
    ]
)  # fmt: skip
def test_what_is_meant(case, config):
    """One exact match is that account and role, whatever form it was typed in."""
    directory = PretendDirectory(**case.more)

    found = Targets(directory).resolve(meant(case.target, config), case.named, lambda *_: [CU_BOULDER], config)

    assert (found.account.id, found.role_name) == (case.account_id, case.role)
    assert (found.sso_session, found.region) == (case.sso_session, case.region)


@dataclass(frozen=True)
class NotMeant:
    documentation: str
    target: str
    expected: type
    message: str
    named: str | None = None
    more: dict[str, Any] = field(default_factory=dict)


@documented(
    [
        NotMeant(
            "a typing mistake", "awsucob0myacount", UnknownTarget,
            "There is no account or profile awsucob0myacount. Nearest: awsucob0myaccount, ",
        ),
        NotMeant("the nearest first", "awsucob0myacount", UnknownTarget, "Type `%cuaws use awsucob0myaccount`."),
        NotMeant("part of a name is no name", "climate", UnknownTarget, "Nearest: research-climate-dev."),
        NotMeant("a name to quote", "Two Wrds", UnknownTarget, 'Type `%cuaws use "Two Words"`.'),
        NotMeant("a profile may be near", "spaced profil", UnknownTarget, 'Type `%cuaws use "spaced profile"`.'),
        NotMeant("nothing near", "zzzzzzzz", UnknownTarget, "Type `%cuaws accounts` to see all"),
        NotMeant("eleven digits are no id", "11111111111", UnknownTarget, "no account or profile 11111111111."),
        NotMeant(
            "an id without its zero", "44444444444", UnknownTarget,
            "There is no account or profile 44444444444. Nearest: 044444444444, research-climate-dev. "
            "Type `%cuaws use 044444444444`.",
        ),
        NotMeant(
            "an id that the portal refuses", "121212121212", NoAccess,
            "The account 121212121212 is not among yours at the access portal. Type `%cuaws accounts --refresh`",
            more={"refused": "121212121212"},
        ),
        NotMeant(
            "a listed account that the portal refuses", "awsucob0production", NoAccess,
            "The account 333333333333 (awsucob0production) is not among yours",
            more={"refused": "333333333333"},
        ),
        NotMeant(
            "digits of another alphabet", "\u0661" * 12, UnknownTarget, "There is no account or profile",
        ),
        NotMeant(
            "two accounts whose names differ in case", "shared", AmbiguousTarget,
            "2 accounts are named shared: 666666666666 or 777777777777. Type the number: `%cuaws use 666666666666`.",
        ),
        NotMeant("two accounts, also with a role", "Shared/R", AmbiguousTarget, "2 accounts are named Shared"),
        NotMeant(
            "a profile that is named as another account", "conflict", AmbiguousTarget,
            "conflict is a profile for account 111111111111 and also the name of account 123123123123. "
            "Type the number of the one you mean: `%cuaws use 123123123123`.",
        ),
        NotMeant(
            "several roles", "awsucob0production", RoleNeeded,
            "You have several roles in awsucob0production: ReadOnly, Admin. "
            "Type `%cuaws use awsucob0production --role ROLE` with the one you want.",
        ),
        NotMeant(
            "the role taken last is gone", "last-role-gone", RoleNeeded, "several roles in last-role-gone: A, B.",
            more={"used": {"456456456456": "C"}},
        ),
        NotMeant(
            "a role that is not yours", "awsucob0production/Owner", UnknownTarget,
            "You have no role Owner in awsucob0production (yours there: ReadOnly, Admin). "
            "Type `%cuaws use awsucob0production --role ROLE`.",
        ),
        NotMeant("no role at all", "empty", UnknownTarget, "no role in empty. Type `%cuaws accounts --refresh`"),
        NotMeant(
            "two roles", "awsucob0production/Admin", UnknownTarget,
            "Two roles were named, Admin and ReadOnly. Leave one of them out.", "ReadOnly",
        ),
        NotMeant(
            "a profile of another kind, though an account has its name", "keys", UnknownTarget,
            "The profile keys does not sign in with Identity Center",
        ),
        NotMeant("a profile of the credentials file", "saved-keys", UnknownTarget, "The profile saved-keys does not"),
        NotMeant("only a slash", "/", UnknownTarget, "There is no account or profile /."),
        NotMeant("nothing after the slash", "awsucob0production/", UnknownTarget, "There is no account or profile"),
        NotMeant("nothing before the slash", "/Admin", UnknownTarget, "There is no account or profile /Admin."),
    ]
)  # fmt: skip
def test_what_is_not_meant(case, config):
    """Anything but one exact match is an error that says what to type."""
    directory = PretendDirectory(**case.more)

    with pytest.raises(case.expected, match=re.escape(case.message)):
        Targets(directory).resolve(meant(case.target, config), case.named, lambda *_: [CU_BOULDER], config)


def test_a_hostile_name_is_shown_and_not_obeyed(config):
    """An error that names an account of the portal writes no escape sequence to the terminal."""
    directory = PretendDirectory(new={"767676767676": "evil\x1b]0;pwned\x07\x1b[2J"})

    with pytest.raises(UnknownTarget) as caught:
        Targets(directory).resolve(meant("evil", config), None, lambda *_: [CU_BOULDER], config)

    assert "Nearest: evil\N{REPLACEMENT CHARACTER}]0;pwned" in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_name_is_looked_up_before_it_is_unknown(config):
    """Before a person hears that an account does not exist, the portal is asked anew, once."""
    directory = PretendDirectory()

    with pytest.raises(UnknownTarget):
        Targets(directory).resolve(meant("nope", config), None, lambda *_: [CU_BOULDER], config)

    assert directory.asked == ["accounts", "refresh"]


def test_a_role_is_looked_up_before_it_is_unknown(config):
    """A permission set that was assigned a minute ago is found, too."""
    directory = PretendDirectory()

    with pytest.raises(UnknownTarget):
        Targets(directory).resolve(meant("awsucob0production/New", config), None, lambda *_: [CU_BOULDER], config)

    assert directory.asked == ["accounts", "roles", "roles again"]


@pytest.mark.parametrize("target", ["mine", "at-work", "121212121212/Any"])
def test_what_needs_no_question(config, target):
    """A profile, or an id that is in no list with a role, is taken at its word: the portal is not asked."""
    directory = PretendDirectory(known=False)

    Targets(directory).resolve(meant(target, config), None, lambda *_: [CU_BOULDER], config)

    assert directory.asked == []


def test_a_profile_does_not_need_the_other_organisation(config):
    """A profile names its own sign-in, so what else is configured, or is not, does not matter."""

    def several(*_):
        raise AssertionError("nobody should ask")

    found = Targets(PretendDirectory(known=False)).resolve(meant("at-work", config), None, several, config)

    assert found.sso_session == WORK


@pytest.mark.parametrize(
    ("name", "typed"), [("plain-name", "plain-name"), ("two words", '"two words"'), ("it's", '"it\'s"')]
)
def test_names_are_quoted_as_they_have_to_be_typed(name, typed):
    """A message shows a name so that it can be typed after `%cuaws use`."""
    assert quoted(name) == typed
