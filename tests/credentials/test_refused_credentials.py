"""Cached credentials that AWS refuses: revoked, of a role that was made anew. Following the advice leads out."""

from __future__ import annotations

import json

import boto3
import botocore.exceptions
import pytest
from doubles import App, RecordingShow

from cuaws_magic.commands.status import replace_if_refused
from cuaws_magic.errors import CredentialsRefused
from cuaws_magic.practice import Failure, Knobs

ACCOUNT = "awsucob0myaccount"


def revoke(app):
    """Make the cached set one that AWS does not know (any more), as after "Revoke active sessions"."""
    (path,) = app.token_cache.role_folder.glob("*.json")
    content = json.loads(path.read_text())
    content["Credentials"] |= {"AccessKeyId": "ASIAREV0KEDREV0KED00", "SessionToken": "revoked" * 20}
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def revoked(app, portal, show):
    """A new kernel in a home whose cached credentials AWS refuses; the sign-in stands."""
    app.use(show, ACCOUNT)
    app.release()
    revoke(app)
    portal.clear_calls()
    another = App()
    yield another
    another.release()


@pytest.fixture
def show():
    return RecordingShow()


def test_use_fetches_another_set(revoked, portal, show):
    """`use` drops the refused set from memory and file, fetches one with the standing sign-in, and asks nobody."""
    used = revoked.use(show, ACCOUNT)

    assert used.identity.account == "111111111111"
    assert portal.count("GetRoleCredentials") == 1
    assert portal.count("StartDeviceAuthorization") == 0
    (path,) = revoked.token_cache.role_folder.glob("*.json")
    assert "ASIAREV0KED" not in path.read_text()


def test_a_second_refusal_says_what_to_do(app, portal, show):
    """New credentials that AWS refuses too are an error whose advice is not what was just typed."""
    app.use(show, ACCOUNT)
    app.release()
    refusing = CredentialsRefused("AWS did not accept the credentials.")

    def refused(*_arguments, **_named):
        raise refusing

    app.identity_center.caller_identity = refused

    with pytest.raises(
        CredentialsRefused, match=r"not even new ones.*wait a minute, then run the cell again"
    ) as caught:
        app.use(show, ACCOUNT)

    assert "`%cuaws use" not in str(caught.value)
    assert app.credentials.current is None


def test_without_a_sign_in_it_is_asked_for(revoked, portal, show):
    """Where the sign-in was revoked as well, a person approves a new one, and the account is in use."""
    portal.revoke_sign_ins()

    used = revoked.use(show, ACCOUNT)

    assert used.identity.account == "111111111111"
    assert portal.count("StartDeviceAuthorization") == 1


def test_a_failing_cell_brings_new_ones(revoked, portal, show):
    """After `use --no-verify` of a dead set, the look after a failing call replaces it; the same client works then."""
    revoked.use(show, ACCOUNT, verify=False)
    client = boto3.client("sts")
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidClientTokenId") as caught:
        client.get_caller_identity()

    hint = revoked.hints.after(caught.value, lambda: replace_if_refused(revoked.context))

    assert hint.title == f"AWS refused the credentials for {ACCOUNT}; new ones are in use now"
    assert client.get_caller_identity()["Account"] == "111111111111"
    assert portal.count("GetRoleCredentials") == 1


def test_whoami_brings_new_ones(revoked, portal, show):
    """`whoami` says who you are, with a set that AWS accepts."""
    revoked.use(show, ACCOUNT, verify=False)

    assert revoked.whoami().account == "111111111111"
    assert portal.count("GetRoleCredentials") == 1


def test_a_good_set_stays(app, portal, show):
    """Where AWS accepts what is in use, nothing is replaced."""
    app.use(show, ACCOUNT)
    portal.clear_calls()

    assert not replace_if_refused(app.context)
    assert portal.count("GetRoleCredentials") == 0


def test_login_asks_whether_the_portal_knows_the_sign_in(app, portal, show):
    """A sign-in that was ended at AWS, by an administrator say, is not "still signed in": a new one is asked for."""
    app.login(show)
    portal.revoke_sign_ins()
    portal.clear_calls()

    again = App().login(show)

    assert not again.already
    assert portal.count("StartDeviceAuthorization") == 1


def test_login_believes_the_file_where_the_portal_is_down(app, portal, show):
    """A portal that does not answer says nothing about the sign-in."""
    app.login(show)
    portal.knobs = Knobs(approve_after=1, failures=(Failure("ListAccounts", 10, "503"),))

    assert App().login(show).already


def test_renewal_does_not_take_the_refused_set_again(revoked, show):
    """What AWS refused is not served from memory or file again in this kernel."""
    used = revoked.use(show, ACCOUNT, verify=False)
    current = revoked.credentials.current

    revoked.credentials.replace_refused(current)

    assert used.expires_at is not None
    assert revoked.credentials.current.credentials.access_key_id.reveal() != "ASIAREV0KEDREV0KED00"


def test_the_doctor_says_so(revoked, show):
    """Credentials in use that AWS refuses are an error of the doctor, whose advice leads out."""
    revoked.use(show, ACCOUNT, verify=False)

    (finding,) = [one for one in revoked.doctor().findings if one.subject == "Credentials"]

    assert finding.severity == "error"
    assert finding.do == f"Type `%cuaws use {ACCOUNT}`."
    revoked.use(show, ACCOUNT)
    assert not [one for one in revoked.doctor().findings if one.subject == "Credentials"]
