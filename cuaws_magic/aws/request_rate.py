"""
How many requests a second the access portal takes: found out, since AWS publishes no limit for it. Pure.

Peers assume 20 requests a second for all of an organisation together, and see 429 from 50
accounts on. So the rate starts there, with a second's worth at once, and rises with
each answer until the portal says no. From then on it is a little more than what the
portal answered within the last second: a few refusals, which are asked again, are the
price of knowing the limit, which is shared with others and changes.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST_RATE = 20.0  # requests a second
SLOWEST_RATE = 1.0
FASTEST_RATE = 200.0
BURST = 20  # requests at once, before the portal said no for the first time
_RISE = 1.05  # with each answer, as long as nothing is refused
_FALL = 0.7  # at the first refusal, until there is something to measure
_WINDOW = 1.0  # seconds that are measured
_ABOVE = 1.05  # beside what was answered in a window with refusals
_PROBE = 1.1  # beside the rate of a window without any


@dataclass
class RequestRate:
    """
    The rate, and when the next request may go; times are monotonic seconds.

    Attributes:
        rate: Requests a second.
    """

    rate: float = FIRST_RATE
    _next: float = -float("inf")
    _limited: bool = False
    _first_refusal: float = -float("inf")
    _window_began: float = 0.0
    _answered: int = 0
    _refused: int = 0

    def slot(self, now: float) -> float:
        """Take the next slot; returns when it is: now, or later."""
        ahead = 0 if self._limited else (BURST - 1) / self.rate
        slot = max(self._next, now - ahead)
        self._next = slot + 1 / self.rate
        return max(now, slot)

    def answered(self, now: float) -> None:
        """Note an answer."""
        self._answered += 1
        if self._limited:
            self._measure(now)
        else:
            self.rate = min(FASTEST_RATE, self.rate * _RISE)

    def refused(self, sent: float, now: float) -> None:
        """
        Note that the portal said: too many requests.

        Args:
            sent: When the request went; those that were on their way at the first refusal say nothing new.
        """
        if not self._limited:
            self._limited = True
            self.rate = max(SLOWEST_RATE, self.rate * _FALL)
            self._next = self._first_refusal = now
            self._begin_window(now)
            return
        if sent > self._first_refusal:
            self._refused += 1
        self._measure(now)

    def _measure(self, now: float) -> None:
        seconds = now - self._window_began
        if seconds < _WINDOW:
            return
        found = self._answered / seconds * _ABOVE if self._refused else self.rate * _PROBE
        self.rate = min(FASTEST_RATE, max(SLOWEST_RATE, found))
        self._begin_window(now)

    def _begin_window(self, now: float) -> None:
        self._window_began, self._answered, self._refused = now, 0, 0
