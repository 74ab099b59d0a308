"""How long a sign-in lasts: never said where it is not known, and learned from what was seen."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from datetime import timedelta

import pytest
from doubles import App, RecordingShow, documented

from cuaws_magic.humanize import END_UNKNOWN, remaining, until
from cuaws_magic.model import SsoSession
from cuaws_magic.settings import Settings
from cuaws_magic.sso.records import SignInRecords
from cuaws_magic.sso.session import CU_BOULDER
from cuaws_magic.state_store import StateStore
from cuaws_magic.views.sign_in import SignedIn

LAB = SsoSession("lab", "https://lab.awsapps.com/start", "eu-west-1", ("sso:account:access",))
HOUR = timedelta(hours=1)
UNKNOWN = "ends when your organisation says so"


@pytest.fixture
def records(tmp_path):
    return SignInRecords(StateStore(tmp_path / "state"))


def ended(records, clock, sso_session, after, last_good=None):
    """Sign in, and have AWS end it some time after."""
    began = clock()
    records.approved(sso_session, began)
    records.refused(
        sso_session, began + (after - timedelta(minutes=40) if last_good is None else last_good), began + after
    )


def test_what_nobody_knows(records, clock):
    """CU's eight hours are CU's; an organisation that was not seen to end a sign-in has said nothing."""
    for one in (CU_BOULDER, LAB):
        records.approved(one, clock())

    assert records.ends_at(CU_BOULDER) == clock() + 8 * HOUR
    assert records.ends_at(LAB) == END_UNKNOWN
    assert records.ends_at(dataclasses.replace(CU_BOULDER, sso_region="us-east-1")) == END_UNKNOWN


@dataclass(frozen=True)
class Seen:
    documentation: str
    last_good: timedelta
    ended: timedelta
    learned: timedelta | None


MINUTE = timedelta(minutes=1)


@documented(
    [
        Seen("a whole hour in the span is it", 11 * HOUR + 20 * MINUTE, 12 * HOUR + MINUTE, 12 * HOUR),
        Seen("else a quarter", 20 * MINUTE, 46 * MINUTE, 45 * MINUTE),
        Seen("else what was seen", 61 * MINUTE, 62 * MINUTE, 62 * MINUTE),
        Seen("days", 29 * 24 * HOUR, 29 * 24 * HOUR + 90 * MINUTE, 29 * 24 * HOUR + HOUR),
        Seen("a machine that slept does not know", HOUR, 9 * HOUR, None),
        Seen("a clock that went back tells nothing", 2 * HOUR, HOUR, None),
    ]
)
def test_what_one_end_tells(records, clock, case):
    """It ended between the last time that it was good and the first that it was not."""
    ended(records, clock, LAB, case.ended, case.last_good)

    assert records.life(LAB) == case.learned


def test_the_longest_of_the_last_three(records, clock):
    """Somebody who signed out elsewhere, or was revoked, does not make every sign-in short."""
    for hours in (12, 1, 12):
        ended(records, clock, LAB, hours * HOUR)
    assert records.life(LAB) == 12 * HOUR

    for _ in range(3):
        ended(records, clock, LAB, 4 * HOUR)
    assert records.life(LAB) == 4 * HOUR


def test_one_end_does_not_change_what_is_known_of_cu(records, clock):
    """Two do."""
    ended(records, clock, CU_BOULDER, 2 * HOUR)
    assert records.life(CU_BOULDER) == 8 * HOUR

    ended(records, clock, CU_BOULDER, 4 * HOUR)
    assert records.life(CU_BOULDER) == 4 * HOUR


@pytest.mark.parametrize("sso_session", [CU_BOULDER, LAB], ids=lambda one: one.name)
def test_one_that_lasts_longer_than_was_thought(records, clock, sso_session):
    """What is seen to stand beyond is not known any more, until an end is seen."""
    for _ in range(2):
        ended(records, clock, sso_session, 2 * HOUR)
    records.approved(sso_session, clock())

    records.refreshed(sso_session, clock() + 9 * HOUR)

    assert records.ends_at(sso_session) == END_UNKNOWN
    for _ in range(2):
        ended(records, clock, sso_session, 12 * HOUR)
    assert records.life(sso_session) == 12 * HOUR


@pytest.mark.parametrize(
    "kept", [{"ends": "nonsense"}, {"ends": [None, "x", -1, 1e12, True]}, {"longer": "x"}, {"ends": 3}]
)
def test_what_is_kept_may_be_nonsense(records, kept):
    """It is as good as nothing."""
    records._own_state.save("sign-in-life", "https://lab.awsapps.com/start eu-west-1", kept)

    assert records.life(LAB) is None


def test_it_is_learned_from_the_service(kernel):
    """A refresh that AWS refuses tells; the next sign-in is said to last as long."""
    kernel.portal.knobs = dataclasses.replace(kernel.portal.knobs, token_lifetime=3600, sso_session_lifetime=6 * 3600)
    kernel.sign_in(LAB)
    assert kernel.login.current(LAB).ends_at == END_UNKNOWN

    for _ in range(40):
        kernel.clock.forward(minutes=10)
        if kernel.login.current(LAB) is None:
            break
        now = kernel.clock().timestamp()
        os.utime(kernel.cache.token_path(LAB), (now, now))  # when it was written, by the clock that was moved
    kernel.sign_in(LAB, force=True)

    assert kernel.login.current(LAB).ends_at == kernel.clock() + 6 * HOUR


# What is said of it.


def test_texts(clock):
    """No number."""
    assert remaining(END_UNKNOWN, clock(), about=True) == UNKNOWN
    assert until(END_UNKNOWN, clock()) == ""
    said = repr(SignedIn(LAB, END_UNKNOWN, already=False, notes=(), at=clock()))
    assert said.splitlines() == [
        "Signed in to lab.awsapps.com · lab.",
        "It ends when your organisation says so; at CU Boulder that is after about eight hours.",
    ]


def test_everywhere_a_person_reads_it(home, portal):
    """The card, the status, the account, the doctor, the panel: none names an hour, and none warns of one."""
    from cuaws_magic.widget.state import panel_state

    (home / ".aws").mkdir(exist_ok=True)
    (home / ".aws" / "config").write_text(
        "[sso-session lab]\nsso_start_url = https://lab.awsapps.com/start\nsso_region = us-west-2\n"
        "sso_registration_scopes = sso:account:access\n"
    )
    app = App()
    show = RecordingShow()

    signed_in = app.login(show, Settings("lab"))
    used = app.use(show, "awsucob0myaccount")
    state = panel_state(app.context, app.now())
    said = [repr(signed_in), repr(app.status()), repr(used), repr(app.doctor()), state.side, state.sign_in.text]

    assert all("until" not in line for text in said for line in text.splitlines() if "ign" in line)
    assert sum(UNKNOWN in text for text in said) == 5
    assert state.side == "lab.awsapps.com · signed in"
    assert state.sign_in.part == 1.0
    assert state.trouble is None
    assert app.context.hints.before() is None
    app.release()
