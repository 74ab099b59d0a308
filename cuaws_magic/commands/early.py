"""What people wait for is on the page before it is confirmed, where AWS takes its time."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from cuaws_magic.background import hold_interrupts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cuaws_magic.views.account import Confirming
    from cuaws_magic.views.render import Display, DisplayHandle, View

Result = TypeVar("Result")

_AT_ONCE = 0.1  # seconds that nobody notices
_LOOK_UP = 0.2  # seconds


class EarlyCard:
    """
    A card that says what comes into use, replaced by the answer of the command.

    Args:
        display: Where it goes, if what is there can be replaced.
    """

    def __init__(self, display: Display) -> None:
        self._display = display
        self._shown: DisplayHandle | None = None
        self._view: Confirming | None = None

    @contextlib.contextmanager
    def kept_true(self) -> Iterator[None]:
        """Say that nothing came of it, if the block fails: the card said that something would."""
        try:
            yield
        except BaseException:
            if self._shown is not None and self._view is not None:
                self._shown.update(self._view.failed())
            raise

    def while_waiting(self, question: Callable[[], Result], view: Callable[[], Confirming]) -> Result:
        """Return the answer to a question; a view is made and shown if that takes long enough to be noticed."""
        if self._shown is not None or not self._display.in_place:
            return question()
        answer: Future[Result] = Future()
        # A daemon: after an interrupt nobody waits for it.
        threading.Thread(target=_answered, args=(question, answer), name="cuaws-confirm", daemon=True).start()
        done = threading.Event()
        answer.add_done_callback(lambda _: done.set())
        if not done.wait(_AT_ONCE):
            self._view = view()
            with hold_interrupts():  # what is shown must be known, to be replaced
                self._shown = self._display(self._view)
        while not done.wait(_LOOK_UP):  # a wait without an end hears no Ctrl-C on Windows
            pass
        return answer.result()

    def finish(self, view: View) -> None:
        """Have the answer of the command stand in its place."""
        if self._shown is not None:
            self._shown.update(view)


def _answered(question: Callable[[], Result], answer: Future[Result]) -> None:
    try:
        answer.set_result(question())
    except BaseException as error:  # noqa: BLE001 - raised where it is waited for
        answer.set_exception(error)
