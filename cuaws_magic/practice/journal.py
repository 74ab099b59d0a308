"""What was asked of the portal, and what was answered: for tests to count and to read."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Call:
    """
    One answered call.

    Args:
        operation: `"ListAccounts"` and so on; on the AWS side `"sts:GetCallerIdentity"`, or only `"s3"`.

        at: When it was answered, aware, UTC, by the clock that the portal was given.

        status: The HTTP status; 0 when the connection was broken instead.

        error: The name of the error that was answered, if any.

        detail: The grant type of CreateToken: `"device_code"` or `"refresh_token"`.
    """

    operation: str
    at: datetime
    status: int
    error: str | None = None
    detail: str = ""


class Journal:
    """Calls in the order of their answers; safe to use from every thread."""

    def __init__(self) -> None:
        """Begin with an empty page."""
        self._lock = threading.Lock()
        self._calls: list[Call] = []

    def write(self, call: Call) -> None:
        """Add a call."""
        with self._lock:
            self._calls.append(call)

    def read(self) -> list[Call]:
        """Copy what there is."""
        with self._lock:
            return list(self._calls)

    def clear(self) -> None:
        """Forget all calls."""
        with self._lock:
            self._calls.clear()
