"""The values: secrets that do not print, times of renewal, names."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from doubles import (
    HOUR,
    NOON,
    a_device_authorization,
    a_registration,
    account_role,
    an_sso_token,
    documented,
    role_credentials,
)

from cuaws_magic.model import Identity, Secret, SsoSession, utc_now
from cuaws_magic.sso.session import CU_BOULDER

VALUES = (a_registration(), a_device_authorization(), an_sso_token(), role_credentials(), account_role())


def test_a_secret_is_revealed_only_when_asked():
    """`reveal()` gives the text; `repr`, `str` and every way to format give `…`."""
    secret = Secret("s3cret")

    assert secret.reveal() == "s3cret"
    assert {repr(secret), str(secret), f"{secret}", f"{secret!r}", "%s" % secret} == {"…"}  # noqa: UP031 - one of the ways


@pytest.mark.parametrize("leave", [pickle.dumps, copy.deepcopy, json.dumps], ids=["pickle", "deepcopy", "json"])
def test_a_secret_does_not_leave_by_a_side_door(leave):
    """A secret cannot be pickled, copied or written as JSON."""
    with pytest.raises(TypeError) as caught:
        leave(Secret("s3cret"))

    assert "s3cret" not in str(caught.value)


def test_secrets_compare_and_hash_by_their_text():
    """Two secrets are equal if their texts are; a secret is never equal to the text itself."""
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_no_value_prints_a_secret(value):
    """Neither `repr` nor `str` of a value shows a key, an SSO token, a device code or a user code."""
    printed = f"{value!r} {value}".casefold()

    assert "s3cret" not in printed
    assert "abcd-1234" not in printed
    assert "client-id" not in printed


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_are_frozen(value):
    """A value cannot be changed after it was made."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, dataclasses.fields(value)[0].name, "other")


@dataclass(frozen=True)
class RefreshThread:
    documentation: str
    life: timedelta
    margin: timedelta
    known_start: bool
    expected: datetime


@documented(
    [
        RefreshThread(
            "a long life is renewed the margin before its end", 8 * HOUR, HOUR / 3, True, NOON + HOUR * 23 / 3
        ),
        RefreshThread("a short life is renewed after two thirds", HOUR / 2, HOUR / 3, True, NOON + HOUR / 3),
        RefreshThread("without a known start the margin holds", HOUR / 2, HOUR / 3, False, NOON + HOUR / 6),
    ]
)
def test_when_an_sso_token_is_renewed(case):
    """An SSO token is renewed a margin before its end, but a short one not before two thirds of its life."""
    sso_token = an_sso_token(expires_at=NOON + case.life, obtained_at=NOON if case.known_start else None)

    assert sso_token.refresh_at(case.margin) == case.expected


@dataclass(frozen=True)
class Refreshable:
    documentation: str
    changes: dict
    expected: bool


@documented(
    [
        Refreshable("a refresh token and a living registration", {}, True),
        Refreshable("no refresh token", {"refresh_token": None}, False),
        Refreshable("no registration", {"registration": None}, False),
        Refreshable("a registration that ends now", {"registration": a_registration(NOON)}, False),
        Refreshable("an access token that is long over", {"expires_at": NOON - 20 * HOUR}, True),
    ]
)
def test_what_can_be_refreshed(case):
    """A refresh needs a refresh token and the registration it belongs to, and not the access token."""
    sso_token = an_sso_token(**case.changes)

    assert sso_token.refreshable(NOON) is case.expected


def test_role_credentials_are_renewed_after_a_third():
    """Role credentials of four hours have at least 2 h 40 min ahead when they are renewed."""
    credentials = role_credentials()

    assert credentials.refresh_at() == NOON + timedelta(hours=1, minutes=20)
    assert credentials.remaining(credentials.refresh_at()) == timedelta(hours=2, minutes=40)


def test_the_name_of_a_sign_in():
    """A sign-in is known by the name of its section, and by its start URL where there is none."""
    legacy = SsoSession(None, "https://x.awsapps.com/start", "us-west-2", None)

    assert (CU_BOULDER.cache_key, CU_BOULDER.label) == ("fedauth", "fedauth")
    assert (legacy.cache_key, legacy.label) == (legacy.start_url, legacy.start_url)


def test_the_key_of_role_credentials():
    """Two sets of role credentials are the same only for one sign-in, account and role."""
    one = account_role()

    assert one.key == ("fedauth", "111111111111", "MyRole")
    assert len({one.key, account_role("222222222222").key, account_role(role_name="Other").key}) == 3


def test_the_person_of_an_identity():
    """The person is the name of the role session: the last part of the ARN."""
    arn = "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_MyRole_aa/ralphie@colorado.edu"

    assert Identity("111111111111", arn, "AROA:ralphie").person == "ralphie@colorado.edu"


def test_now_is_aware_and_utc():
    """The clock of the package is aware and in UTC."""
    assert utc_now().utcoffset() == timedelta(0)
