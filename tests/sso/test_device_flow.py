"""RFC 8628 without socket, sleep or page: a scripted service and a clock that the waits move."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from doubles import Clock, a_device_authorization, a_registration, an_sso_token, walk

from cuaws_magic.errors import (
    AuthorizationDenied,
    AuthorizationExpired,
    AuthorizationPending,
    DeviceCodeExpired,
    RegistrationRefused,
    RequestRefused,
    ServiceFailure,
    SlowDown,
    Throttled,
    Unreachable,
)
from cuaws_magic.sso.device_flow import CODES, LONGEST_INTERVAL, AwaitApproval, Wait, device_flow

SSO_TOKEN = an_sso_token()


@dataclass
class ScriptedService:
    """Answers the polls one after another; after the last, pending for ever."""

    answers: list = field(default_factory=list)
    clock: Clock = field(default_factory=Clock)
    interval: int = 5
    life: int = 600
    refuse_starts: int = 0
    registrations: list = field(default_factory=list)
    starts: int = 0
    polls: list = field(default_factory=list)

    def registration(self, *, refused):
        self.registrations.append(refused)
        return a_registration()

    def start(self, registration):
        if len(self.registrations) <= self.refuse_starts:
            raise RegistrationRefused
        self.starts += 1
        return a_device_authorization(
            self.clock(),
            user_code=f"CODE-{self.starts}",
            interval=self.interval,
            expires_at=self.clock() + timedelta(seconds=self.life),
        )

    def poll(self, registration, authorization):
        self.polls.append(authorization.user_code)
        answer = self.answers.pop(0) if self.answers else AuthorizationPending()
        if isinstance(answer, Exception):
            raise answer
        return answer


def drive(service, steps=None):
    """Do what the flow says; returns the SSO token and the steps."""
    return walk(device_flow(service, service.clock), service.clock, steps)


def waits(steps):
    return [step.seconds for step in steps if isinstance(step, Wait)]


def codes(steps):
    return [(step.authorization.user_code, step.attempt) for step in steps if isinstance(step, AwaitApproval)]


def test_approved_before_anything_is_shown():
    """The first poll comes before the code is shown, so an approval that is there already shows nothing."""
    service = ScriptedService([SSO_TOKEN])

    sso_token, steps = drive(service)

    assert sso_token == SSO_TOKEN
    assert steps == []


def test_pending_is_polled_at_the_interval():
    """`authorization_pending`: the code is shown once and asked for at the interval of the service."""
    service = ScriptedService([AuthorizationPending()] * 3 + [SSO_TOKEN], interval=7)

    sso_token, steps = drive(service)

    assert sso_token == SSO_TOKEN
    assert codes(steps) == [("CODE-1", 1)]
    assert waits(steps) == [7, 7, 7]
    assert isinstance(steps[0], AwaitApproval)


def test_slow_down_lasts():
    """`slow_down` adds five seconds for good (RFC 8628 §3.5): 5, 10, 10."""
    service = ScriptedService([AuthorizationPending(), SlowDown(), AuthorizationPending(), SSO_TOKEN])

    _, steps = drive(service)

    assert waits(steps) == [5, 10, 10]


def test_pending_twice_then_slow_down():
    """The waits of pending, pending, slow_down come out as 5, 5, 10."""
    service = ScriptedService([AuthorizationPending(), AuthorizationPending(), SlowDown(), SSO_TOKEN])

    _, steps = drive(service)

    assert waits(steps) == [5, 5, 10]


def test_every_slow_down_counts():
    """Two `slow_down` make it ten seconds slower."""
    service = ScriptedService([SlowDown(), SlowDown(), AuthorizationPending(), SSO_TOKEN])

    _, steps = drive(service)

    assert waits(steps) == [10, 15, 15]


@pytest.mark.parametrize("told", [True, False], ids=["by the service", "by our clock"])
def test_three_new_codes(told):
    """A code that runs out is replaced by a new one, three times; then nobody is there."""
    service = ScriptedService([AuthorizationPending(), DeviceCodeExpired()] * 4) if told else ScriptedService(life=12)
    steps = []

    with pytest.raises(AuthorizationExpired, match=r"4 codes expired\. Type `%cuaws login`"):
        drive(service, steps)

    assert codes(steps) == [("CODE-1", 1), ("CODE-2", 2), ("CODE-3", 3), ("CODE-4", 4)]
    assert service.starts == CODES == 4


def test_the_second_code_may_be_approved():
    """The sign-in succeeds with any of the codes; only the newest is asked for."""
    service = ScriptedService([AuthorizationPending(), DeviceCodeExpired(), AuthorizationPending(), SSO_TOKEN])

    sso_token, steps = drive(service)

    assert sso_token == SSO_TOKEN
    assert codes(steps) == [("CODE-1", 1), ("CODE-2", 2)]
    assert service.polls == ["CODE-1", "CODE-1", "CODE-2", "CODE-2"]


def test_denied_ends_it():
    """`access_denied` is the person's word: no further poll, no further code."""
    service = ScriptedService([AuthorizationPending(), AuthorizationDenied("denied")])

    with pytest.raises(AuthorizationDenied):
        drive(service)

    assert (service.starts, len(service.polls)) == (1, 2)


def test_a_refused_registration_is_replaced_once():
    """A registration that the service does not know (any more) is replaced, and the sign-in goes on."""
    service = ScriptedService([SSO_TOKEN], refuse_starts=1)

    sso_token, _ = drive(service)

    assert sso_token == SSO_TOKEN
    assert service.registrations == [False, True]


def test_a_registration_refused_while_polling():
    """A registration may also be refused after the code was shown; the next code replaces it on the page."""
    service = ScriptedService([AuthorizationPending(), RegistrationRefused(), AuthorizationPending(), SSO_TOKEN])

    sso_token, steps = drive(service)

    assert sso_token == SSO_TOKEN
    assert codes(steps) == [("CODE-1", 1), ("CODE-2", 1)]
    assert service.registrations == [False, True]


def test_a_new_registration_that_is_refused_too():
    """Refused twice means that something else is wrong: an error, not a loop."""
    service = ScriptedService([SSO_TOKEN], refuse_starts=2)

    with pytest.raises(ServiceFailure, match=r"a new one too.*type `%cuaws login`"):
        drive(service)

    assert service.registrations == [False, True]


def test_a_request_that_is_refused_is_not_asked_again():
    """What the service calls malformed stays so: an error now, not three codes that nobody can use."""
    service = ScriptedService([AuthorizationPending(), RequestRefused("Refused. Type `%cuaws login --force`.")])

    with pytest.raises(RequestRefused):
        drive(service)

    assert service.polls == ["CODE-1", "CODE-1"]


@pytest.mark.parametrize("error", [Unreachable, Throttled, ServiceFailure])
def test_trouble_and_recovery(error):
    """While the service does not answer, the polls back off and say why; then all is as before."""
    trouble = error("It is down. Check the network.")
    service = ScriptedService([AuthorizationPending(), trouble, trouble, AuthorizationPending(), SSO_TOKEN])

    sso_token, steps = drive(service)

    assert sso_token == SSO_TOKEN
    assert [step for step in steps if isinstance(step, Wait)] == [
        Wait(5),
        Wait(10, "It is down."),
        Wait(20, "It is down."),
        Wait(5),
    ]


def test_backing_off_has_an_end():
    """However long the trouble lasts, two polls are at most half a minute apart."""
    service = ScriptedService([Unreachable("Down.")] * 5 + [SSO_TOKEN])

    _, steps = drive(service)

    assert waits(steps) == [10, 20, 30, 30, 30]
    assert LONGEST_INTERVAL == 30


def test_trouble_never_polls_faster_than_the_service_asked():
    """An interval that `slow_down` made longer than the longest pause holds in trouble too (RFC 8628 §3.5)."""
    service = ScriptedService([SlowDown(), Unreachable("Down."), SSO_TOKEN], interval=40)

    _, steps = drive(service)

    assert waits(steps) == [45, 45]


def test_trouble_from_the_first_poll_still_shows_the_code():
    """A first poll without an answer does not hide the code: it may be approved meanwhile."""
    service = ScriptedService([Unreachable("Down."), SSO_TOKEN])

    _, steps = drive(service)

    assert codes(steps) == [("CODE-1", 1)]


def test_no_code_at_all_is_an_error():
    """When not even a code can be had, the person hears of it at once."""

    class Closed(ScriptedService):
        def start(self, registration):
            raise Unreachable("closed")

    with pytest.raises(Unreachable):
        drive(Closed())
