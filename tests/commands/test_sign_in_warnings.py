"""The end of a sign-in is said before it comes, and when it comes: in a day of work with a clock that tests move."""

from __future__ import annotations

from datetime import timedelta

import pytest
from doubles import App, Clock, RecordingShow

from cuaws_magic.practice import Knobs, PracticePortal

ACCOUNT = "awsucob0myaccount"


@pytest.fixture
def day(home, clock: Clock, monkeypatch):
    """An app at a practice portal that goes by the same clock; `cell()` returns what is said above a cell."""
    with PracticePortal(knobs=Knobs(approve_after=1, interval=1, refresh_tokens=False), now=clock) as portal:
        for name, value in portal.environment.items():
            monkeypatch.setenv(name, value)
        app = App(now=clock)
        app.hints._seconds = lambda: clock().timestamp()

        class Day:
            began = clock()

            def at(self, **after):
                """Move the clock to this long after the sign-in, and run a cell."""
                clock.at = self.began + timedelta(**after)
                app.credentials._keep_up()  # as the thread that renews does
                hint = app.hints.before()
                return None if hint is None else hint.title.split(", at")[0].split(" at ")[0]

        made = Day()
        made.app = app
        app.use(RecordingShow(), ACCOUNT)
        yield made
        app.release()


def test_a_day(day):
    """Said half an hour before the end, ten minutes before, and at the end; once each."""
    said = {minutes: day.at(minutes=minutes) for minutes in (1, 100, 240, 449, 451, 452, 469, 471, 472, 479, 481, 482)}

    assert said == {
        1: None,
        100: None,
        240: None,
        449: None,
        451: "The sign-in ends in 29 min",
        452: None,
        469: None,
        471: "The sign-in ends in 9 min",
        472: None,
        479: None,
        481: "The sign-in ended",
        482: None,
    }


def test_signing_in_again_in_time(day):
    """After a warning and a new sign-in nothing more is said until that one comes to its end."""
    assert day.at(minutes=455) is not None
    day.app.login(RecordingShow(), force=True)

    assert [day.at(minutes=minutes) for minutes in (471, 481, 600)] == [None, None, None]
    assert day.at(minutes=455 + 451) == "The sign-in ends in 29 min"


def test_a_long_cell_over_the_warnings(day):
    """Who comes back after lunch is told once, of the nearer one."""
    assert day.at(minutes=475) == "The sign-in ends in 5 min"
    assert day.at(minutes=476) is None


def test_the_line_says_what_to_type(day, clock):
    """Signing in again interrupts nothing; until when the credentials work."""
    clock.at = day.began + timedelta(minutes=455)
    day.app.credentials._keep_up()

    hint = day.app.hints.before()

    assert hint.sentences[0].startswith("Type `%cuaws login --force` at a convenient time: it interrupts nothing; cred")
    assert "card" not in repr(hint)


def test_credentials_that_outlive_the_sign_in_are_not_said_to_be_renewed(day, clock):
    """They are good until then, and no longer."""
    clock.at = day.began + timedelta(minutes=300)
    day.app.credentials._keep_up()

    text = repr(day.app.status())

    assert "; not renewed after " in text
    assert "renewed automatically" not in text


def test_the_dot_is_not_green_after_the_end(day, clock):
    """An account whose sign-in has ended is not as it should be."""
    clock.at = day.began + timedelta(minutes=475)
    day.app.credentials._keep_up()
    clock.at = day.began + timedelta(minutes=485)

    status = day.app.status()

    assert status.in_use.tone == "wait"
    assert "after that, type `%cuaws login`" in repr(status)
