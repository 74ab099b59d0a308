"""One sign-in under way: what is shown, when it waits, and how it ends."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest
from doubles import HOUR, NOON, Clock, RecordingShow, a_device_authorization, an_sso_token

from cuaws_magic.commands.approval import Approval
from cuaws_magic.errors import AuthorizationDenied, Cancelled, SignInTimeout
from cuaws_magic.humanize import printable
from cuaws_magic.sso.device_flow import AwaitApproval, Wait
from cuaws_magic.sso.login import SignIn
from cuaws_magic.sso.session import CU_BOULDER

SIGN_IN = SignIn(CU_BOULDER, an_sso_token(), NOON + 8 * HOUR, ("A note.",))
CODE = a_device_authorization()


@dataclass
class Waits:
    """Remembers the waits instead of waiting; interrupts one of them."""

    interrupt_at: int = 0
    seconds: list[float] = field(default_factory=list)

    def __call__(self, event, seconds):
        self.seconds.append(seconds)
        if len(self.seconds) == self.interrupt_at:
            raise KeyboardInterrupt
        return event.is_set()


def script(*steps, end=SIGN_IN):
    """Steps as `Login.approval` gives them."""
    yield from steps
    if isinstance(end, Exception):
        raise end
    return end


def approval(*steps, show=None, end=SIGN_IN, sleep=None, **more):
    return Approval(
        CU_BOULDER, script(*steps, end=end), show or RecordingShow(), now=Clock(), sleep=sleep or Waits(), **more
    )


def texts(show):
    return " ".join(view.mimebundle()["text/plain"] + view.mimebundle()["text/html"] for view in show.views)


def test_approved_before_anything_was_shown():
    """A sign-in without a question shows no card."""
    show = RecordingShow()

    signed_in = approval(show=show).run()

    assert (signed_in.until, signed_in.already, signed_in.notes) == (SIGN_IN.ends_at, False, ("A note.",))
    assert show.views == []


def test_one_card_updated_in_place():
    """The card is put on the page once, and what it becomes has no code in it."""
    show, waits = RecordingShow(), Waits()

    approval(AwaitApproval(CODE), Wait(5), Wait(10), show=show, sleep=waits).run()

    assert show.kinds == ["AwaitingApproval", "SignedIn"]
    assert show.shown == 1
    assert waits.seconds == [5, 10]
    assert CODE.user_code not in show.views[-1].mimebundle()["text/html"]


def test_trouble_comes_and_goes_on_the_card():
    """Why there is no answer stands on the card as long as there is none, and is not repeated."""
    show = RecordingShow()

    approval(AwaitApproval(CODE), Wait(5), Wait(10, "Down."), Wait(20, "Down."), Wait(5), show=show).run()

    assert [getattr(view, "trouble", None) for view in show.views] == [None, "Down.", None, None]
    assert show.kinds == ["AwaitingApproval"] * 3 + ["SignedIn"]


def test_a_new_code_replaces_the_old_one():
    """The second code is shown in the same place."""
    show = RecordingShow()
    second = a_device_authorization(user_code="WXYZ-9876", verification_uri_complete="https://x.awsapps.com/")

    approval(AwaitApproval(CODE), Wait(5), AwaitApproval(second, 2), Wait(5), show=show).run()

    assert [view.authorization.user_code for view in show.views[:2]] == ["ABCD-1234", "WXYZ-9876"]
    assert show.shown == 1
    assert "ABCD-1234" not in show.views[1].mimebundle()["text/html"]


def test_denied():
    """A denial comes out, so that "Run all" stops; the card, which stands above that line, does not say it again."""
    show = RecordingShow()

    with pytest.raises(AuthorizationDenied):
        approval(AwaitApproval(CODE), show=show, end=AuthorizationDenied("Denied.")).run()

    assert show.kinds == ["AwaitingApproval", "SignInEnded"]
    assert show.views[-1].mimebundle()["text/plain"] == "Not signed in"
    assert "--jp-error-color" not in show.views[-1].mimebundle()["text/html"]


@pytest.mark.parametrize("end", [AuthorizationDenied("Denied."), Cancelled("Stopped."), KeyboardInterrupt()])
def test_a_sign_in_from_before_holds(end):
    """A new sign-in that came to nothing takes nothing away, and the card says until when."""
    show = RecordingShow()

    def steps():
        yield AwaitApproval(CODE)
        raise end

    with pytest.raises((AuthorizationDenied, Cancelled)):
        Approval(CU_BOULDER, steps(), show, now=Clock(), sleep=Waits(), standing=lambda: SIGN_IN).run()

    ended = show.views[-1]
    assert (ended.title, printable(ended.sentences[-1])) == (
        "Not signed in again",
        "You are still signed in from before, for 8 h, until about 20:00 UTC.",
    )


def test_interrupted():
    """Ctrl-C and the stop button end it: the code is off the page, the steps are closed, one line comes out."""
    show = RecordingShow()
    steps = script(AwaitApproval(CODE), Wait(5), Wait(5))
    run = Approval(CU_BOULDER, steps, show, now=Clock(), sleep=Waits(interrupt_at=2))

    with pytest.raises(Cancelled, match=r"Sign-in cancelled\. Type `%cuaws login` to start again\."):
        run.run()

    assert show.kinds == ["AwaitingApproval", "SignInEnded"]
    assert CODE.user_code not in show.views[-1].mimebundle()["text/html"]
    assert list(steps) == []


def test_cancelled_by_another_command():
    """`cancel` ends it at the next wait."""
    show = RecordingShow()
    run = approval(AwaitApproval(CODE), Wait(5), Wait(5), show=show)
    run.cancel()

    with pytest.raises(Cancelled):
        run.run()

    assert show.kinds == ["AwaitingApproval", "SignInEnded"]


def test_the_time_is_over():
    """`--timeout` ends it, with the number of seconds; no wait is longer than what is left."""
    show = RecordingShow()
    slept = []

    def sleep(event, seconds):
        slept.append(seconds)
        return event.wait(seconds)

    with pytest.raises(SignInTimeout, match=r"within 0.05 s. Type `%cuaws login` when you are ready"):
        approval(AwaitApproval(CODE), *[Wait(5)] * 10, show=show, sleep=sleep, timeout=0.05).run()

    assert max(slept) <= 0.05
    assert show.kinds[-1] == "SignInEnded"


def test_in_the_background():
    """In a thread it goes on while the cell is over; whoever joins gets the end."""
    show = RecordingShow()
    go_on = threading.Event()
    run = approval(AwaitApproval(CODE), Wait(5), show=show, sleep=lambda event, _: go_on.wait(10) and event.is_set())

    run.start()
    alive = run.alive
    go_on.set()
    run.join()

    assert alive
    assert not run.alive
    assert show.kinds == ["AwaitingApproval", "SignedIn"]


def test_an_error_in_the_background():
    """What went wrong in the thread is on the card and is raised to whoever waits for it."""
    show = RecordingShow()
    run = approval(AwaitApproval(CODE), show=show, end=AuthorizationDenied("Denied."))

    run.start()

    with pytest.raises(AuthorizationDenied):
        run.join()
    assert show.kinds == ["AwaitingApproval", "SignInEnded"]


def test_cancelled_in_the_background():
    """A sign-in in the background ends within a moment of `cancel`, however long its wait."""
    show = RecordingShow()
    run = approval(AwaitApproval(CODE), Wait(1000), show=show, sleep=threading.Event.wait)
    run.start()

    run.cancel()

    with pytest.raises(Cancelled):
        run.join()
    assert not run.alive
    assert show.kinds[-1:] in ([], ["SignInEnded"])


def test_nothing_secret_is_shown():
    """The card shows the user code and no device code; when all is over not even that."""
    show = RecordingShow()

    approval(AwaitApproval(CODE), Wait(5), show=show).run()

    assert "s3cret" not in texts(show)
    assert "ABCD-1234" in show.views[0].mimebundle()["text/plain"]
    assert "ABCD-1234" not in repr(show.views[-1])
