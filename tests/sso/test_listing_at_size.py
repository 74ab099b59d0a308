"""Listing is right from one account to twenty thousand, whatever the accounts are called."""

from __future__ import annotations

import dataclasses

import pytest
from doubles import RecordingShow

from cuaws_magic.aws import request_rate
from cuaws_magic.errors import AmbiguousTarget
from cuaws_magic.model import Account
from cuaws_magic.practice import people


@pytest.fixture(autouse=True)
def _no_rate(monkeypatch):
    """The portal of a test belongs to nobody else."""
    monkeypatch.setattr(request_rate.RequestRate, "slot", lambda _, now: now)


@pytest.mark.parametrize("count", [5, 100, 101, 1_000, 20_000])
def test_every_account_once(app, portal, count):
    """A hundred come with each page; none is missing, none comes twice, and the last page ends it."""
    portal.knobs = dataclasses.replace(portal.knobs, approve_after=1, accounts=count - len(people.BUILT_IN))
    app.login(RecordingShow())

    listing = app.context.accounts.accounts(app.choice.sso_session())

    wanted = people.accounts(count - len(people.BUILT_IN))
    assert sorted(one.id for one in listing.accounts) == sorted(one.account_id for one in wanted)
    # What an earlier test left in the background may ask this portal too, which does not know its sign-in.
    pages = [call for call in portal.calls if (call.operation, call.status) == ("ListAccounts", 200)]
    assert len(pages) == -(-count // 100)
    names = [one.name.casefold() for one in listing.accounts]
    assert names == sorted(names)


ODD = [
    Account("100000000001", ""),
    Account("100000000002", "twin"),
    Account("100000000003", "twin"),
    Account("100000000004", "Tiefbohrung Süd — 東京"),
    Account("100000000005", "<script>alert(1)</script>"),
    Account("100000000006", "\x1b[31mred\x1b[0m\u202e"),
    Account("100000000007", "[profile x]\naws_access_key_id = AKIA0"),
    Account("100000000008", "a/b"),
    Account("100000000009", "100000000001"),
]


@pytest.fixture
def odd(app, portal, monkeypatch):
    """A portal whose accounts are called so."""
    portal.knobs = dataclasses.replace(portal.knobs, approve_after=1)
    monkeypatch.setattr(app.identity_center, "list_accounts", lambda *_: iter(ODD))
    monkeypatch.setattr(app.identity_center, "list_account_roles", lambda *_: iter(["MyRole"]))
    app.login(RecordingShow())
    return app


def test_what_the_portal_leaves_out(app, portal, monkeypatch):
    """An account without a name is called by its number; an e-mail address need not be there."""
    portal.knobs = dataclasses.replace(portal.knobs, approve_after=1)
    app.login(RecordingShow())

    class Portal:
        def list_accounts(self, **_):
            return {"accountList": [{"accountId": "100000000001"}, {"accountId": "100000000002", "accountName": None}]}

    monkeypatch.setattr(app.identity_center._questions._clients, "portal", lambda *_, **__: Portal())

    found = app.context.accounts.accounts(app.choice.sso_session(), refresh=True).accounts

    assert [(one.id, one.name) for one in found] == [("100000000001",) * 2, ("100000000002",) * 2]


def test_one_account(app, portal, monkeypatch):
    """A list of one is a list."""
    monkeypatch.setattr(people, "BUILT_IN", people.BUILT_IN[:1])
    portal.knobs = dataclasses.replace(portal.knobs, approve_after=1)
    app.login(RecordingShow())

    assert [one.id for one in app.context.accounts.accounts(app.choice.sso_session()).accounts] == ["111111111111"]


def test_names_of_every_kind_are_shown(odd):
    """Each is a row with its number; nothing of a name is markup, a control sequence, or a line of its own."""
    view = odd.accounts(RecordingShow())
    shown = view.mimebundle()

    for account in ODD:
        assert account.id in shown["text/plain"]
        assert account.id in shown["text/html"]
    assert "<script>" not in shown["text/html"]
    assert not {"\x1b", "\u202e"} & set(shown["text/plain"] + shown["text/html"])
    assert "\naws_access_key_id" not in shown["text/plain"]


def test_the_number_decides_where_a_name_does_not(odd, portal):
    """Of two that are called the same, both numbers are shown, and either can be used."""
    with pytest.raises(AmbiguousTarget) as raised:
        odd.use(RecordingShow(), "twin", verify=False)

    assert "100000000002" in str(raised.value)
    assert "100000000003" in str(raised.value)
    # A number is the account of that number, also where another is called so.
    resolved = odd.context.targets.resolve
    from cuaws_magic.sso.targets import classify

    config = odd.context.aws_files.read()
    for number in ("100000000003", "100000000001"):
        found = resolved(classify(number, config), None, odd.organisations.looked_in, config)
        assert found.account.id == number


def test_profiles_of_odd_names(odd, home):
    """Every account has a profile that botocore reads, and none has a key out of a name."""
    import botocore.session

    odd.configure(RecordingShow())

    profiles = botocore.session.Session().full_config["profiles"]
    assert sorted(one["sso_account_id"] for one in profiles.values()) == [account.id for account in ODD]
    assert not [name for name, one in profiles.items() if "aws_access_key_id" in one]
