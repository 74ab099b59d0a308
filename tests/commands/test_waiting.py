"""`--wait-for-sign-in`: a running cell waits for the next sign-in instead of failing."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from doubles import RecordingShow, until

from cuaws_magic.commands.waiting import SignInWait
from cuaws_magic.errors import NotSignedIn
from cuaws_magic.practice import Knobs
from cuaws_magic.settings import Settings


@pytest.fixture
def show() -> RecordingShow:
    return RecordingShow()


def end_the_sign_in(app, portal):
    """No sign-in and no credentials are left, and nobody approves."""
    portal.knobs = Knobs(interval=1)
    sso_session = app.choice.sso_session()
    app.context.login.forget(sso_session)
    app.broker.forget_all(sso_session, [("111111111111", "MyRole")])


def caller(client):
    return client.get_caller_identity()["Account"]


def caller_anew():
    """The same of a client that is only made now, which waits as it is made."""
    return caller(boto3.Session().client("sts"))


def all_wait(number):
    """Whether that many threads are inside the wait for a sign-in: the one that shows the code, and those behind it."""
    waiting = 0
    for frame in sys._current_frames().values():
        names = {one.f_code for one, _ in traceback.walk_stack(frame)}
        waiting += SignInWait.__call__.__code__ in names
    return waiting >= number


def ended_client(app, portal, show, **options):
    """A client of an account in use whose first credentials and sign-in have ended."""
    portal.knobs = Knobs(approve_after=1, interval=1)
    app.use(show, "awsucob0myaccount", **options)
    client = boto3.Session().client("sts")
    client._request_signer._credentials._expiry_time = client._request_signer._credentials._time_fetcher()
    client._request_signer._credentials._bound._last = None
    end_the_sign_in(app, portal)
    return client


def test_a_client_waits_for_the_next_sign_in(app, portal, show):
    """The code is shown again, the call returns what it was asked for, and only one person was asked."""
    client = ended_client(app, portal, show, wait_for_sign_in=True)

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(caller, client) for _ in range(4)]
        until(lambda: show.kinds[-1:] == ["AwaitingApproval"])
        waiting = [one.done() for one in asked]
        portal.approve(portal.pending_user_codes()[0])
        accounts = [one.result(timeout=30) for one in asked]

    assert waiting == [False] * 4
    assert accounts == ["111111111111"] * 4
    until(lambda: show.kinds[-1:] == ["SignedIn"])
    assert show.kinds == ["AwaitingApproval", "SignedIn"]
    assert portal.count("StartDeviceAuthorization") == 2


def test_a_sign_in_from_elsewhere_ends_the_wait(app, portal, show):
    """Another notebook, or the AWS CLI: the code is not needed any more, and goes."""
    client = ended_client(app, portal, show, wait_for_sign_in=True)

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(caller, client)
        until(lambda: show.kinds[-1:] == ["AwaitingApproval"])
        from doubles import App

        other = App()
        portal.knobs = Knobs(approve_after=1, interval=1)
        other.login(RecordingShow())
        account = asked.result(timeout=30)

    assert account == "111111111111"


def test_without_it_the_call_fails_at_once(app, portal, show):
    """As ever; nobody is asked for anything."""
    client = ended_client(app, portal, show)

    with pytest.raises(NotSignedIn):
        caller(client)

    assert portal.pending_user_codes() == []


def test_a_setting_says_it_for_all(app, portal, show):
    """`c.CuawsMagics.wait_for_sign_in` in minutes: then the call fails as it would have."""
    app.choice.configure(Settings(wait_for_sign_in=0.02))
    client = ended_client(app, portal, show)
    began = time.monotonic()

    with pytest.raises(NotSignedIn):
        caller(client)

    assert time.monotonic() - began >= 1
    until(lambda: not app.approvals.waiting)
    assert "AwaitingApproval" in show.kinds


def test_an_interrupt_ends_it(app, portal, show):
    """In a thread of the cell too, and the code leaves the page."""
    client = ended_client(app, portal, show, wait_for_sign_in=True)
    failed = []

    def work():
        try:
            caller(client)
        except NotSignedIn as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    until(lambda: show.kinds[-1:] == ["AwaitingApproval"])
    app.sign_in_wait.stop()
    thread.join(timeout=30)

    assert len(failed) == 1
    until(lambda: show.kinds[-1] == "SignInEnded")


def test_who_denies_it_is_not_asked_again(app, portal, show):
    """The wait ends there: the call fails as it would have, and no further code is shown."""
    client = ended_client(app, portal, show, wait_for_sign_in=True)

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(caller, client)
        until(lambda: show.kinds[-1:] == ["AwaitingApproval"])
        portal.deny(portal.pending_user_codes()[0])
        with pytest.raises(NotSignedIn):
            asked.result(timeout=30)

    assert show.kinds.count("AwaitingApproval") == 1
    assert "was denied" in repr(show.views[-1])


def test_who_denies_it_late_is_not_asked_again(app, portal, show, monkeypatch):
    """However long they took to decide, and however many threads wait."""
    client = ended_client(app, portal, show, wait_for_sign_in=True)
    passed = [0.0]
    monkeypatch.setattr(app.sign_in_wait, "_seconds", lambda: time.monotonic() + passed[0])

    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(work) for work in (lambda: caller(client), caller_anew, caller_anew)]
        until(lambda: show.kinds[-1:] == ["AwaitingApproval"])
        until(lambda: all_wait(3))
        passed[0] = 120.0
        portal.deny(portal.pending_user_codes()[0])
        failed = [one.exception(timeout=30) for one in asked]

    assert all(isinstance(error, NotSignedIn) for error in failed), failed
    assert show.kinds.count("AwaitingApproval") == 1


def test_an_interrupt_ends_every_wait(app, portal, show):
    """The threads behind the one that shows the code do not show another."""
    client = ended_client(app, portal, show, wait_for_sign_in=True)

    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(work) for work in (lambda: caller(client), caller_anew, caller_anew)]
        until(lambda: show.kinds[-1:] == ["AwaitingApproval"])
        until(lambda: all_wait(3))
        app.sign_in_wait.stop()
        failed = [one.exception(timeout=30) for one in asked]

    assert all(isinstance(error, NotSignedIn) for error in failed), failed
    assert show.kinds.count("AwaitingApproval") == 1
