"""
One thread that sleeps until something is due.

It goes by the wall clock, since credentials end by the wall clock: a machine that
slept, or a clock that was set, is noticed at the next look. It ends when
nothing is left to renew, and never keeps a process alive.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from cuaws_magic.background import ForkSafeLock
from cuaws_magic.model import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cuaws_magic.model import Now

_LOGGER = logging.getLogger(__name__)

# The monotonic clock that a wait goes by stands still while the machine sleeps.
LONGEST_SLEEP = timedelta(minutes=5)
SHORTEST_SLEEP = timedelta(milliseconds=50)


class RefreshThread:
    """
    Does work when it is due.

    Args:
        work: Does what is due, and returns when to come back; `None` when nothing is
            left.

        now: The current time, aware, UTC.

        wait: Waits on an event for some seconds; `True` if it was set.
    """

    def __init__(
        self,
        work: Callable[[], datetime | None],
        now: Now = utc_now,
        wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
    ) -> None:
        self._work = work
        self._now = now
        self._wait = wait
        self._lock = ForkSafeLock()
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def alive(self) -> bool:
        """Whether the thread is there."""
        return self._thread is not None and self._thread.is_alive()

    def after_fork(self) -> None:
        """Start anew in a forked process, which has no thread."""
        self._woken = threading.Event()
        self._thread = None

    def wake(self) -> None:
        """Look now, whatever was due when; starts the thread if it has ended."""
        with self._lock:
            self._woken.set()
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="cuaws-renewal", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._woken.clear()
            try:
                due = self._work()
            except Exception:  # noqa: BLE001 - a thread that dies would let everything run out in silence
                _LOGGER.warning("A renewal failed in an unforeseen way; it is tried again in five minutes.")
                due = self._now() + LONGEST_SLEEP
            with self._lock:
                if due is None and not self._woken.is_set():
                    self._thread = None
                    return
            if due is not None:
                sleep = min(LONGEST_SLEEP, max(SHORTEST_SLEEP, due - self._now()))
                self._wait(self._woken, sleep.total_seconds())
