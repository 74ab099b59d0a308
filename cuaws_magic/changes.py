"""
Who wants to know when something changed: several panels and the commands see one state.

Callbacks get no news, only the hint to look again: state is derived, never copied.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Changes:
    """A list of callbacks, safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []

    def after_fork(self) -> None:
        """Start anew in a forked process: who held a lock is not there to give it back."""
        self._lock = threading.Lock()

    def observe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Have a function called after each change, on the thread that changed; returns how to end that."""
        with self._lock:
            self._callbacks.append(callback)

        def stop() -> None:
            with self._lock:
                if callback in self._callbacks:
                    self._callbacks.remove(callback)

        return stop

    def announce(self) -> None:
        """Say that something changed. Callbacks must not raise, nor take long."""
        with self._lock:
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback()
