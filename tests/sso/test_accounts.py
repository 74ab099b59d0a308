"""Accounts and roles: listed at the portal, remembered for a day."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from doubles import account_role

from cuaws_magic.config.files import AwsFiles
from cuaws_magic.errors import NoAccess, NotSignedIn, ServiceFailure
from cuaws_magic.practice import Failure
from cuaws_magic.sso.session import CU_BOULDER

EMPTY = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
ALL_IDS = ["111111111111", "222222222222", "333333333333", "044444444444", "555555555555"]


@pytest.fixture(autouse=True)
def _signed_in(kernel):
    kernel.portal.knobs = dataclasses.replace(kernel.portal.knobs, token_lifetime=48 * 3600)
    kernel.sign_in()
    kernel.portal.clear_calls()


def turn(kernel, **knobs):
    kernel.portal.knobs = dataclasses.replace(kernel.portal.knobs, **knobs)


def test_in_the_order_of_names(kernel):
    """Accounts come in the order of their names, ids as text."""
    accounts = kernel.directory.accounts(CU_BOULDER).accounts

    assert [account.name for account in accounts] == sorted(account.name for account in accounts)
    assert sorted(account.id for account in accounts) == sorted(ALL_IDS)


def test_remembered_for_a_day_by_every_kernel(kernel):
    """For a day nobody is asked again, in this kernel or another; then once."""
    kernel.directory.accounts(CU_BOULDER)

    kernel.clock.forward(hours=23, minutes=59)
    kernel.another().directory.accounts(CU_BOULDER)
    within_a_day = kernel.portal.count("ListAccounts")
    kernel.clock.forward(minutes=1)
    kernel.directory.accounts(CU_BOULDER)

    assert within_a_day == 1
    assert kernel.portal.count("ListAccounts") == 2


def test_refreshed_when_asked(kernel):
    """`refresh` asks the portal, and forgets the roles that were listed before."""
    kernel.directory.accounts(CU_BOULDER)
    kernel.directory.roles(CU_BOULDER, ["111111111111"])

    listing = kernel.directory.accounts(CU_BOULDER, refresh=True)

    assert kernel.portal.count("ListAccounts") == 2
    assert listing.roles == {}


def test_what_is_remembered_is_names_only(kernel):
    """On disk are names, ids and a time; nothing of the sign-in."""
    kernel.directory.accounts(CU_BOULDER)
    sso_token = kernel.cache.load(CU_BOULDER).sso_token

    written = "".join(path.read_text() for path in kernel.own_state.folder.glob("*.json"))

    assert "research-climate-dev" in written
    assert sso_token.access_token.reveal() not in written
    assert sso_token.refresh_token.reveal() not in written


def test_nothing_remembered(kernel):
    """Before the first list there is nothing, and nobody is asked."""
    assert kernel.directory.remembered(CU_BOULDER) is None
    assert kernel.portal.calls == []


def test_a_damaged_memory_is_asked_for_again(kernel):
    """Whatever stands in the file of the list, the portal is asked and the list is there."""
    for damage in ({}, {"accounts": []}, {"accounts": {"1": "a"}, "roles": {}, "listed_at": "yesterday"}):
        kernel.own_state.save("accounts", "fedauth", damage)

        assert len(kernel.directory.accounts(CU_BOULDER).accounts) == 5

    assert kernel.portal.count("ListAccounts") == 3


def test_roles_are_asked_once(kernel):
    """Roles are asked for the accounts that are needed, and remembered with the list."""
    kernel.directory.accounts(CU_BOULDER)

    first = kernel.directory.roles(CU_BOULDER, ["333333333333"])
    second = kernel.another().directory.roles(CU_BOULDER, ["333333333333", "044444444444"])

    assert first == {"333333333333": ("Admin", "ReadOnly")}
    assert second == {"333333333333": ("Admin", "ReadOnly"), "044444444444": ("DataSteward", "Researcher")}
    assert kernel.portal.count("ListAccountRoles") == 2


def test_roles_of_many_accounts(kernel):
    """Every account has its own roles, however many are asked at a time; progress counts to the end."""
    turn(kernel, accounts=60)
    accounts = kernel.directory.accounts(CU_BOULDER).accounts
    progress = []

    roles = kernel.directory.roles(
        CU_BOULDER, [one.id for one in accounts], progress=lambda *counts: progress.append(counts)
    )

    assert len(roles) == 65
    assert roles["111111111111"] == ("MyRole",)
    assert all(roles.values())
    assert progress[-1] == (65, 65)
    assert [done for done, _ in progress] == sorted(done for done, _ in progress)


def test_a_portal_that_fails_while_roles_are_listed(kernel):
    """A failure in the middle comes out, and what is remembered stays right."""
    accounts = kernel.directory.accounts(CU_BOULDER).accounts
    turn(kernel, failures=(Failure("ListAccountRoles", 1000, "500"),))

    with pytest.raises(ServiceFailure):
        kernel.directory.roles(CU_BOULDER, [one.id for one in accounts])

    assert kernel.directory.remembered(CU_BOULDER).roles == {}


def test_an_account_of_somebody_else(kernel):
    """Roles of an account that is not the person's: no access."""
    with pytest.raises(NoAccess):
        kernel.directory.roles(CU_BOULDER, ["999999999999"])


def test_an_ended_sign_in_asks_once(kernel):
    """When the sign-in has ended, one request finds out, not one per account."""
    accounts = kernel.directory.accounts(CU_BOULDER).accounts
    kernel.portal.revoke_sign_ins()
    kernel.portal.clear_calls()

    with pytest.raises(NotSignedIn):
        kernel.directory.roles(CU_BOULDER, [one.id for one in accounts])

    assert kernel.portal.count("ListAccountRoles") == 1


def test_an_sso_token_that_the_portal_refuses_is_refreshed(kernel):
    """401 although fresh: one refresh, and the list comes."""
    kernel.portal._state._sso_tokens.clear()  # the portal lost them; refresh tokens live on

    assert len(kernel.directory.accounts(CU_BOULDER).accounts) == 5


def test_the_role_taken_last(kernel):
    """Which role was taken in which account is remembered beyond this kernel; the last one counts."""
    kernel.directory.used(account_role("333333333333", "Admin"))
    kernel.directory.used(account_role("333333333333", "ReadOnly"))
    kernel.directory.used(account_role("111111111111", "MyRole"))

    assert kernel.another().directory.used_before(CU_BOULDER) == {"333333333333": "ReadOnly", "111111111111": "MyRole"}


def test_known_roles(kernel, home):
    """Roles that were listed, taken or configured are known, so that a logout finds their files."""
    config_file = home / "config"
    config_file.write_text(
        "[sso-session fedauth]\nsso_start_url = https://cuboulder.awsapps.com/start\nsso_region = us-west-2\n"
        "[profile a]\nsso_session = fedauth\nsso_account_id = 666666666666\nsso_role_name = Configured\n"
        "[profile b]\nsso_session = other\nsso_account_id = 777777777777\nsso_role_name = Others\n"
    )
    kernel.directory.accounts(CU_BOULDER)
    kernel.directory.roles(CU_BOULDER, ["111111111111"])
    kernel.directory.used(account_role("333333333333", "Admin"))

    known = kernel.directory.known_roles(CU_BOULDER, AwsFiles({**EMPTY, "AWS_CONFIG_FILE": str(config_file)}).read())

    assert known == {("111111111111", "MyRole"), ("333333333333", "Admin"), ("666666666666", "Configured")}


def test_a_list_is_fresh_for_a_day(kernel):
    """The list knows itself whether it may be shown without asking."""
    listing = kernel.directory.accounts(CU_BOULDER)

    assert listing.fresh(kernel.clock() + timedelta(hours=23))
    assert not listing.fresh(kernel.clock() + timedelta(hours=24))


def test_a_typing_mistake_lists_nothing_anew(kernel):
    """A list that has just come is not asked for again; one of some minutes ago is, for the account may be new."""
    listing = kernel.directory.accounts(CU_BOULDER)
    kernel.portal.clear_calls()

    kernel.clock.forward(seconds=59)
    assert kernel.directory.looked_again(CU_BOULDER, listing) is listing
    assert kernel.portal.count("ListAccounts") == 0

    kernel.clock.forward(seconds=1)
    assert kernel.directory.looked_again(CU_BOULDER, listing).listed_at == kernel.clock()
    assert kernel.portal.count("ListAccounts") == 1


def test_a_list_is_made_once_of_its_file(kernel):
    """As long as the file is as it was; what another kernel lists is seen."""
    first = kernel.directory.accounts(CU_BOULDER)
    assert kernel.directory.remembered(CU_BOULDER) is kernel.directory.remembered(CU_BOULDER)
    assert kernel.directory.remembered(CU_BOULDER).listed_at == first.listed_at

    kernel.clock.forward(seconds=5)
    later = kernel.another().directory.accounts(CU_BOULDER, refresh=True)
    assert kernel.directory.remembered(CU_BOULDER).listed_at == later.listed_at == kernel.clock()
