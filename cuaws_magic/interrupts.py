"""Ctrl-C and the stop button, at moments when half of a thing would be worse than a moment later."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """
    Have an interrupt come after the block instead of in it; for moments only.

    What was put on the page has to be remembered in the same breath: whoever is
    interrupted in between could not take it off again. Only the main thread is ever
    interrupted; in others this does nothing.

    Raises:
        KeyboardInterrupt: At its end, if one came meanwhile.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    came: list[Any] = []
    signal.signal(signal.SIGINT, lambda *how: came.append(how))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            before(*came[0])
