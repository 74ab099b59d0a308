"""What goes wrong on purpose: failures counted down, and the limit on requests per second."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from cuaws_magic.practice.knobs import Failure, Knobs


class Faults:
    """The misfortunes of one set of knobs; a new set starts counting anew."""

    def __init__(self, knobs: Knobs) -> None:
        """Load the failures and fill the bucket."""
        self._lock = threading.Lock()
        self._failures = knobs.failures
        self._left = [failure.times for failure in knobs.failures]
        self._rate = knobs.requests_per_second
        # One second's worth may come at once, as with AWS's own token buckets.
        self._capacity = max(1.0, self._rate or 0.0)
        self._level = self._capacity
        self._filled_at: datetime | None = None

    def next_failure(self, operation: str, start_url: str | None = None) -> Failure | None:
        """Take the failure that this call must suffer, if there is one left."""
        names = (operation, operation.partition(":")[0])
        with self._lock:
            for number, failure in enumerate(self._failures):
                concerns = failure.operation in names and failure.start_url in {None, start_url}
                if concerns and self._left[number] > 0:
                    self._left[number] -= 1
                    return failure
        return None

    def over_the_limit(self, at: datetime) -> bool:
        """Take one request out of the bucket; true when it was empty."""
        if self._rate is None:
            return False
        with self._lock:
            if self._filled_at is not None:
                elapsed = max(0.0, (at - self._filled_at).total_seconds())
                self._level = min(self._capacity, self._level + elapsed * self._rate)
            self._filled_at = at
            if self._level < 1:
                return True
            self._level -= 1
            return False
