"""The portal's limit is found: simulated portals and workers, in simulated time, beside what the limit allows."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass

import pytest
from doubles import documented

from cuaws_magic.aws.request_rate import BURST, FASTEST_RATE, FIRST_RATE, SLOWEST_RATE, RequestRate

WORKERS, LATENCY, ATTEMPTS = 8, 0.06, 10


class Portal:
    """A token bucket, as AWS's own."""

    def __init__(self, limit: float | None, capacity: float) -> None:
        self.limit, self.capacity = limit, capacity
        self.level, self.at = capacity, 0.0

    def takes(self, now: float) -> bool:
        if self.limit is None:
            return True
        self.level = min(self.capacity, self.level + (now - self.at) * self.limit)
        self.at = now
        if self.level < 1:
            return False
        self.level -= 1
        return True


def simulate(portal: Portal, requests: int, kernels: int, seed: int) -> tuple[float, int, int]:
    """Ask as `Accounts.roles` does; returns the seconds until all is answered, what was lost, and what was sent."""
    jitter, rates = random.Random(seed), [RequestRate() for _ in range(kernels)]
    left, end, lost, sent, count = [requests] * kernels, 0.0, 0, 0, 0
    events: list[tuple[float, int, str, int, int, float]] = []

    def at(moment: float, what: str, kernel: int, attempt: int = 1, of: float = 0.0) -> None:
        nonlocal count
        count += 1
        heapq.heappush(events, (moment, count, what, kernel, attempt, of))

    for kernel in range(kernels):
        for _ in range(WORKERS):
            at(0.0, "take", kernel)
    while events:
        now, _, what, kernel, attempt, of = heapq.heappop(events)
        if what == "take":
            if left[kernel]:
                left[kernel] -= 1
                at(now, "wait", kernel)
        elif what == "wait":
            at(rates[kernel].slot(now), "send", kernel, attempt)
        elif what == "send":
            sent += 1
            at(now + LATENCY, "answered" if portal.takes(now) else "refused", kernel, attempt, now)
        elif what == "answered":
            rates[kernel].answered(now)
            end = now
            at(now, "take", kernel)
        else:
            rates[kernel].refused(of, now)
            lost += attempt == ATTEMPTS
            pause = jitter.random() * min(1.0, 0.25 * 2 ** (attempt - 1))
            at(now + pause, "take" if attempt == ATTEMPTS else "wait", kernel, attempt + 1)
    return end, lost, sent


@dataclass(frozen=True)
class Case:
    """A portal, and how close to its limit all is answered."""

    documentation: str
    requests: int
    limit: float | None
    capacity: float
    at_most: float
    kernels: int = 1
    sent: float = 1.6

    @property
    def least(self) -> float:
        """The seconds that the limit needs; without one, what 16 at once need."""
        if self.limit is None:
            return self.requests / 16 * LATENCY
        return max(0.0, self.requests * self.kernels - self.capacity) / self.limit + LATENCY


CASES = [
    Case("100 roles, 10 a second", 100, 10, 10, 1.15),
    Case("100 roles, 20 a second", 100, 20, 20, 1.15),
    Case("500 roles, 20 a second", 500, 20, 20, 1.15),
    Case("two kernels share 20 a second", 100, 20, 20, 1.2, kernels=2),
    Case("20 a second, none ahead", 100, 20, 1, 1.35),
    Case("no limit", 500, None, 0, 3.0),
    Case("10 roles", 10, 20, 20, 2.1),
    Case("a slow portal", 30, 1, 1, 1.3, sent=2.5),
]


@documented(CASES)
def test_close_to_the_limit(case: Case) -> None:
    """Everything is answered, in little more time than the limit needs, and few requests are refused."""
    runs = [simulate(Portal(case.limit, case.capacity), case.requests, case.kernels, seed) for seed in range(10)]

    assert [lost for _, lost, _ in runs] == [0] * len(runs)
    assert sum(seconds for seconds, _, _ in runs) / len(runs) <= case.at_most * case.least
    assert max(sent for _, _, sent in runs) <= case.sent * case.requests * case.kernels


def test_a_burst_first():
    """A second's worth goes at once; then the rate holds."""
    rate = RequestRate()

    slots = [rate.slot(100.0) for _ in range(BURST + 2)]

    assert slots[:BURST] == [100.0] * BURST
    assert slots[BURST:] == pytest.approx([100 + 1 / FIRST_RATE, 100 + 2 / FIRST_RATE])


def test_it_stays_within_its_bounds():
    """Answers do not make it boundless; refusals leave it a request a second."""
    rate = RequestRate()
    for _ in range(1_000):
        rate.answered(0.0)
    assert rate.rate == FASTEST_RATE
    for second in range(1, 60):
        rate.refused(second - 0.5, float(second))
    assert rate.rate == SLOWEST_RATE


def test_refusals_of_one_moment_are_one():
    """What was on its way when the portal first said no does not slow it down again."""
    rate = RequestRate()
    for _ in range(8):
        rate.refused(1.0, 1.06)

    assert rate.rate == pytest.approx(FIRST_RATE * 0.7)
