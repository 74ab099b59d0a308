"""The thread that renews: asleep until something is due, by the wall clock, gone when nothing is left."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

from doubles import NOON, Clock

from cuaws_magic.credentials.refresh import LONGEST_SLEEP, SHORTEST_SLEEP, RefreshThread


class Sleeps:
    """Waits that end at once, and are remembered; the clock goes on as if it had slept."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.seconds: list[float] = []

    def __call__(self, woken: threading.Event, seconds: float) -> bool:
        self.seconds.append(seconds)
        self.clock.forward(seconds=seconds)
        return woken.is_set()


def wait_until_gone(renewal: RefreshThread) -> None:
    end = time.monotonic() + 10
    while renewal.alive:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_it_sleeps_until_something_is_due_and_ends_when_nothing_is_left() -> None:
    """Work says when to come back; `None` ends the thread."""
    clock = Clock()
    sleeps = Sleeps(clock)
    dues = [NOON + timedelta(minutes=2), NOON + timedelta(minutes=3), None]
    looked: list[object] = []

    def work():
        looked.append(clock())
        return dues.pop(0)

    renewal = RefreshThread(work, clock, sleeps)
    renewal.wake()
    wait_until_gone(renewal)

    assert looked == [NOON, NOON + timedelta(minutes=2), NOON + timedelta(minutes=3)]
    assert sleeps.seconds == [120.0, 60.0]


def test_it_looks_at_the_wall_clock_at_least_every_five_minutes() -> None:
    """A machine that slept is noticed: the clock that a wait goes by stands still meanwhile."""
    clock = Clock()
    sleeps = Sleeps(clock)
    answers = [NOON + timedelta(hours=4), NOON + timedelta(hours=4), None]

    renewal = RefreshThread(lambda: answers.pop(0), clock, sleeps)
    renewal.wake()
    wait_until_gone(renewal)

    assert sleeps.seconds == [LONGEST_SLEEP.total_seconds()] * 2


def test_it_never_spins() -> None:
    """What is overdue, by a clock that was set say, is looked at again after a moment."""
    clock = Clock()
    sleeps = Sleeps(clock)
    answers = [NOON - timedelta(hours=1), None]

    renewal = RefreshThread(lambda: answers.pop(0), clock, sleeps)
    renewal.wake()
    wait_until_gone(renewal)

    assert sleeps.seconds == [SHORTEST_SLEEP.total_seconds()]


def test_waking_it_ends_a_sleep_and_starts_it_again_when_it_has_ended() -> None:
    """One thread at a time, and no wake is lost."""
    looked = threading.Semaphore(0)
    answers = [NOON + timedelta(hours=1), None, None]

    def work():
        looked.release()
        return answers.pop(0)

    renewal = RefreshThread(work, Clock())
    renewal.wake()
    assert looked.acquire(timeout=5)
    renewal.wake()
    assert looked.acquire(timeout=5)
    wait_until_gone(renewal)
    renewal.wake()

    assert looked.acquire(timeout=5)
    wait_until_gone(renewal)
    assert answers == []


def test_it_keeps_no_process_alive() -> None:
    """The thread is a daemon."""
    seen: list[bool] = []

    renewal = RefreshThread(lambda: seen.append(threading.current_thread().daemon), Clock())
    renewal.wake()
    wait_until_gone(renewal)

    assert seen == [True]
