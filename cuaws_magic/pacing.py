"""
How fast to ask the access portal, and when to ask again.

AWS publishes no limit for the portal. Peers assume 20 requests a second for all of
an organisation together, and see 429 from 50 accounts on. So the pace starts there,
halves at each 429, and comes back bit by bit; what failed for a passing reason is
asked again with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter").
"""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING, TypeVar

from cuaws_magic.errors import PassingTrouble

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")

FULL_PACE = 20.0  # requests a second
SLOWEST_PACE = 1.0
RECOVERY = 0.5  # requests a second more after each answer
FIRST_PAUSE = 0.25  # seconds; doubles with each attempt
LONGEST_PAUSE = 8.0  # seconds


class Pace:
    """
    One pace for all requests of this kernel, whichever thread makes them.

    Args:
        clock: Monotonic seconds.

        sleep: Waits that many seconds; an interrupt must end it.

        jitter: A number from 0 to 1.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._lock = threading.Lock()
        self._next_slot = 0.0
        self.rate = FULL_PACE

    def after_fork(self) -> None:
        """Start anew in a forked process: who held a lock is not there to give it back."""
        self._lock = threading.Lock()

    def ask(self, question: Callable[[], Result], attempts: int, *, paced: bool = True) -> Result:
        """
        Ask until it is answered or the attempts are used up.

        Args:
            question: One request; raises `PassingTrouble` for what may be gone next time.

            attempts: How often to ask at the most.

            paced: At the common pace; otherwise at once.

        Raises:
            ServiceError: The last trouble's final error.
        """
        for attempt in range(1, attempts + 1):
            if paced:
                self._wait_for_slot()
            try:
                answer = question()
            except PassingTrouble as trouble:
                if trouble.throttled:
                    self._slow_down()
                if attempt == attempts:
                    raise trouble.final from None
                pause = self._jitter() * min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempt - 1))
                self._sleep(max(pause, trouble.retry_after or 0.0))
            else:
                self._recover()
                return answer
        message = "attempts must be 1 or more"
        raise ValueError(message)

    def _wait_for_slot(self) -> None:
        with self._lock:
            now = self._clock()
            slot = max(now, self._next_slot)
            self._next_slot = slot + 1 / self.rate
        if slot > now:
            self._sleep(slot - now)

    def _slow_down(self) -> None:
        with self._lock:
            self.rate = max(SLOWEST_PACE, self.rate / 2)

    def _recover(self) -> None:
        with self._lock:
            self.rate = min(FULL_PACE, self.rate + RECOVERY)
