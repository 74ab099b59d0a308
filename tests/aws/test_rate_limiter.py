"""The pace of requests, with a clock that the sleeps move."""

from __future__ import annotations

import random

import pytest

from cuaws_magic.aws.request_rate import BURST, FIRST_RATE
from cuaws_magic.aws.transport import LONGEST_PAUSE, LONGEST_THROTTLED, RateLimiter
from cuaws_magic.errors import NoAccess, PassingTrouble, Throttled, Unreachable

UNREACHABLE = PassingTrouble(Unreachable("final"))
THROTTLED = PassingTrouble(Throttled("final"), throttled=True)


class Script:
    """Answers, or raises, one after another; remembers when it was asked."""

    def __init__(self, *answers, jitter=1.0):
        self.answers = list(answers)
        self.time = 0.0
        self.sleeps = []
        self.asked = []
        self.pace = RateLimiter(clock=lambda: self.time, sleep=self._sleep, jitter=lambda: jitter)

    def _sleep(self, seconds):
        self.sleeps.append(round(seconds, 6))
        self.time += seconds

    def __call__(self):
        self.asked.append(round(self.time, 6))
        answer = self.answers.pop(0) if self.answers else "answer"
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_the_first_request_waits_for_nothing():
    """Nobody waits who asks once."""
    script = Script("yes")

    assert script.pace.ask(script, 1) == "yes"
    assert script.sleeps == []


def test_many_requests_keep_the_rate():
    """After a second's worth at once, requests without a pause in between go out a twentieth of a second apart."""
    script = Script(*[NoAccess("no")] * (BURST + 2))  # no answer of the portal raises the rate

    for _ in range(BURST + 2):
        with pytest.raises(NoAccess):
            script.pace.ask(script, 1)

    assert script.asked == [0] * BURST + [0.05, 0.1]


def test_a_429_slows_down():
    """The portal's no is heeded at once."""
    script = Script(THROTTLED)

    script.pace.ask(script, 2)

    assert script.pace.rate < FIRST_RATE


def test_a_429_of_another_service_does_not():
    """What is asked outside of the common rate has a limit of its own."""
    script = Script(THROTTLED)

    script.pace.ask(script, 2, paced=False)

    assert script.pace.rate == FIRST_RATE


def test_trouble_of_another_kind_keeps_the_pace():
    """A connection that breaks is no reason to ask slower."""
    script = Script(UNREACHABLE)

    script.pace.ask(script, 2)

    assert script.pace.rate >= FIRST_RATE


def test_pauses_double_up_to_a_limit():
    """With full jitter at its longest the pauses are 1/4, 1/2, 1, 2, 4, 8, 8 seconds."""
    script = Script(*[UNREACHABLE] * 7)

    script.pace.ask(script, 8)

    assert script.sleeps == [0.25, 0.5, 1, 2, 4, 8, 8]
    assert LONGEST_PAUSE == 8


def test_pauses_after_a_429_are_short():
    """The rate is what helps there; whoever was refused several times must not wait long for the next try."""
    script = Script(*[THROTTLED] * 5)

    script.pace.ask(script, 6)

    assert [pause for pause in script.sleeps if pause >= 0.25] == [0.25, 0.5, 1, 1, 1]
    assert LONGEST_THROTTLED == 1


def test_full_jitter_may_be_no_pause():
    """With full jitter at its shortest there is no pause but the pace."""
    script = Script(UNREACHABLE, UNREACHABLE, jitter=0.0)

    script.pace.ask(script, 3)

    assert script.asked == [0, 0, 0]


def test_retry_after_is_obeyed():
    """A pause is never shorter than the service asked for."""
    script = Script(PassingTrouble(Throttled("x"), throttled=True, retry_after=30.0))

    script.pace.ask(script, 2)

    assert script.asked == [0, 30]


def test_attempts_have_an_end():
    """After the last attempt the final error comes out, not the passing one, and nothing waits any more."""
    script = Script(*[UNREACHABLE] * 5)

    with pytest.raises(Unreachable) as caught:
        script.pace.ask(script, 3)

    assert caught.value is UNREACHABLE.final
    assert len(script.asked) == 3
    assert script.sleeps == [0.25, 0.5]


def test_a_refusal_is_not_asked_again():
    """What will not be different next time comes out at once."""
    script = Script(NoAccess("no"))

    with pytest.raises(NoAccess):
        script.pace.ask(script, 5)

    assert len(script.asked) == 1


def test_attempts_must_be_some():
    """To ask zero times is a mistake of the program."""
    script = Script()

    with pytest.raises(ValueError, match="1 or more"):
        script.pace.ask(script, 0)


def test_an_interrupt_ends_the_waiting():
    """Ctrl-C while waiting for the next attempt is not swallowed."""

    def interrupted(_):
        raise KeyboardInterrupt

    pace = RateLimiter(sleep=interrupted, jitter=lambda: 1.0)

    with pytest.raises(KeyboardInterrupt):
        pace.ask(Script(UNREACHABLE), 2)


def test_the_common_random_generator_is_left_alone():
    """What a person seeded it for comes out the same, however often the network failed in the background."""
    script = Script(UNREACHABLE, UNREACHABLE, THROTTLED)
    pace = RateLimiter(clock=lambda: script.time, sleep=script._sleep)
    before = random.getstate()

    pace.ask(script, 4)

    assert len(script.sleeps) == 3
    assert random.getstate() == before
