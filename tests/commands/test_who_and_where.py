"""Another person, another organisation, another default: nothing of the one before is taken for it."""

from __future__ import annotations

import dataclasses
import json
import os
import threading
import time

import boto3
import pytest
from doubles import RecordingShow, until

from cuaws_magic.errors import ServiceFailure
from cuaws_magic.practice import Failure
from cuaws_magic.settings import Settings
from cuaws_magic.sso.token_cache import TokenCache

ACCOUNT = "111111111111/MyRole"
CU, ACME = "https://cuboulder.awsapps.com/start", "https://acme.awsapps.com/start"


# Persons and organisations.


def test_another_person_who_signs_in_is_that_person(app, portal):
    """After `login --force` an account acts as who approved it, although the set before is still good."""
    app.use(RecordingShow(), ACCOUNT)
    portal.clear_calls()
    time.sleep(0.1)  # nobody is that fast, and the date of a file is not exact
    app.login(RecordingShow(), force=True)

    app.use(RecordingShow(), ACCOUNT)

    assert portal.count("GetRoleCredentials") == 1
    portal.clear_calls()
    app.use(RecordingShow(), ACCOUNT)
    assert portal.count("GetRoleCredentials") == 0


def test_a_section_with_another_address_is_not_signed_in(app, portal, home):
    """The file of an sso-session is named by its name: its token is looked at before it is taken."""
    app.login(RecordingShow(), Settings(session="work", start_url=CU, sso_region="us-west-2"))
    app.accounts(RecordingShow())
    portal.clear_calls()

    signed_in = app.login(RecordingShow(), Settings(session="work", start_url=ACME, sso_region="us-west-2"))

    assert portal.count("StartDeviceAuthorization") == 1
    assert signed_in.already is False
    app.accounts(RecordingShow())
    assert portal.count("ListAccounts") == 1


def test_the_same_address_in_another_spelling_is_the_same(app, portal, home):
    """A `/` or a `/#/` at its end makes no difference."""
    app.login(RecordingShow())
    path = TokenCache.default().token_path(app.choice.sso_session())
    path.write_text(json.dumps({**json.loads(path.read_text()), "startUrl": f"{CU}/#/"}))

    assert app.login(RecordingShow()).already is True


# What a late answer must not bring back, or bring at all.


def test_logout_of_all_holds_against_a_renewal_on_its_way_back(app, portal):
    """Credentials that arrive after `logout --all` are in no file and in no kernel."""
    app.use(RecordingShow(), ACCOUNT)
    slow = Failure("GetRoleCredentials", 1, "slow", delay=1.0)
    portal.knobs = dataclasses.replace(portal.knobs, failures=(slow,))
    asked = portal.count("GetRoleCredentials")
    renewing = threading.Thread(target=app.broker.renew, args=(app.credentials.current.account_role,))
    renewing.start()
    until(lambda: portal.count("GetRoleCredentials") > asked)

    app.logout(every=True)
    renewing.join(20)

    assert list(TokenCache.default().role_folder.glob("*.json")) == []
    assert app.broker._kept == {}


def test_credentials_that_are_over_do_not_replace_good_ones(app, portal):
    """A portal with a wrong clock: the set in hand stays."""
    app.use(RecordingShow(), ACCOUNT)
    keys = os.environ["AWS_ACCESS_KEY_ID"]
    portal.knobs = dataclasses.replace(portal.knobs, role_lifetime=-60)

    with pytest.raises(ServiceFailure, match="already expired"):
        app.credentials.renew()

    assert os.environ["AWS_ACCESS_KEY_ID"] == keys
    assert app.broker.credentials(app.credentials.current.account_role).access_key_id.reveal() == keys


# boto3's default session.


def test_the_default_session_that_was_set_is_there_again(app, portal):
    """`boto3.setup_default_session(…)` before `use` holds again after `release`, through a switch too."""
    boto3.setup_default_session(region_name="eu-west-1", aws_access_key_id="AKIAMINE", aws_secret_access_key="mine")
    mine = boto3.DEFAULT_SESSION

    app.use(RecordingShow(), ACCOUNT)
    assert boto3.client("sts").get_caller_identity()["Account"] == "111111111111"
    app.use(RecordingShow(), "222222222222/MyOtherRole")
    assert boto3.client("sts").get_caller_identity()["Account"] == "222222222222"
    app.release()

    assert boto3.DEFAULT_SESSION is mine


@pytest.mark.parametrize("end", ["release", "logout"])
def test_an_end_without_an_account_leaves_the_default_session_alone(app, portal, end):
    """Nothing was in use, so nothing of the kind is touched."""
    boto3.setup_default_session(region_name="eu-west-1")
    mine = boto3.DEFAULT_SESSION

    getattr(app, end)()

    assert boto3.DEFAULT_SESSION is mine
