"""An interrupt waits for the end of a moment, and is not lost."""

from __future__ import annotations

import os
import signal
import sys
import threading

import pytest
from doubles import NOON, Clock, RecordingShow, a_device_authorization

from cuaws_magic.background import hold_interrupts, interrupts_as_themselves
from cuaws_magic.commands.accounts import ProgressCard
from cuaws_magic.commands.approval import Approval
from cuaws_magic.errors import Cancelled
from cuaws_magic.sso.device_flow import AwaitApproval
from cuaws_magic.sso.session import CU_BOULDER

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no signal to oneself")


def press():
    os.kill(os.getpid(), signal.SIGINT)


def test_it_comes_at_the_end():
    """Everything of the block is done, then the interrupt is there; the handler is the one that was there."""
    before, done = signal.getsignal(signal.SIGINT), []

    with pytest.raises(KeyboardInterrupt), hold_interrupts():  # noqa: PT012 - what comes after the first is the point
        press()
        done.append("to the end")

    assert done == ["to the end"]
    assert signal.getsignal(signal.SIGINT) is before


def test_without_one_nothing_happens():
    """… nor in another thread, which no interrupt reaches."""
    before, seen = signal.getsignal(signal.SIGINT), []

    def elsewhere():
        with hold_interrupts():
            seen.append(signal.getsignal(signal.SIGINT))

    with hold_interrupts():
        pass
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()

    assert seen == [before]
    assert signal.getsignal(signal.SIGINT) is before


class PressedWhileShown(RecordingShow):
    """A page on which the stop button is pressed the moment that something appears."""

    def __call__(self, view):
        super().__call__(view)
        press()
        return self


def test_a_code_is_taken_off_however_early_the_stop_button_is_pressed():
    """Pressed between the code's appearance and our knowing of it: the card is closed all the same."""
    show = PressedWhileShown()

    def steps():
        yield AwaitApproval(a_device_authorization(NOON), 1)

    with pytest.raises(Cancelled):
        Approval(CU_BOULDER, steps(), show, now=Clock()).run()

    assert show.kinds == ["AwaitingApproval", "SignInEnded"]


def test_a_progress_card_is_closed_however_early():
    """The same for the card of a long listing."""
    show = PressedWhileShown()
    progress = ProgressCard(show)

    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - as above
        for done in range(2, 500):
            progress(done, 500)
    progress.stop()

    assert "Stopped asking" in repr(show.views[-1])


def test_an_interrupt_that_became_another_error():
    """A condition interrupted while it takes its lock back raises `RuntimeError`: the interrupt comes out."""
    condition = threading.Condition(threading.Lock())

    def interrupted(_state: object) -> None:
        raise KeyboardInterrupt

    condition._acquire_restore = interrupted  # type: ignore[method-assign,attr-defined]

    def wait() -> None:
        with condition:
            condition.wait(0.001)

    with pytest.raises(RuntimeError, match="release unlocked lock"):
        wait()
    with pytest.raises(KeyboardInterrupt), interrupts_as_themselves():
        wait()


def test_errors_after_an_interrupt_that_was_dealt_with():
    """Whoever runs a command while dealing with an interrupt gets the command's own error."""

    def command() -> None:
        with interrupts_as_themselves():
            raise KeyError

    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        with pytest.raises(KeyError):
            command()
