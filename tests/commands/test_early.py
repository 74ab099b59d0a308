"""`use` shows the account as soon as its credentials are there, where AWS takes its time to confirm them."""

from __future__ import annotations

import json
import threading

import pytest
from doubles import RecordingShow

from cuaws_magic.errors import CuawsError
from cuaws_magic.practice import Failure, Knobs

ID = "111111111111"


@pytest.fixture
def page():
    """A page where what is shown can be replaced."""
    return RecordingShow(in_place=True)


def slow(portal, **more):
    portal.knobs = Knobs(approve_after=1, failures=(Failure("sts:GetCallerIdentity", 1, "slow", 0.6),), **more)


def test_the_account_is_there_before_its_confirmation(app, portal, page):
    """One card: first what comes into use, then, in its place, what AWS confirmed; that is the answer."""
    app.login(RecordingShow())
    slow(portal)

    used = app.use(page, ID)

    assert page.kinds == ["Confirming", "InUse"]
    assert page.shown == 1
    assert "Confirming them with AWS" in repr(page.views[0])
    assert page.views[1] is used
    assert used.identity.account == ID


def test_a_profile_too(app, portal, page, home):
    """Saved keys, with nothing known of them but the profile's name."""
    keys = json.loads(app.export(RecordingShow(), ID, "process").reveal())
    (home / ".aws" / "credentials").write_text(
        f"[mine]\naws_access_key_id = {keys['AccessKeyId']}\naws_secret_access_key = {keys['SecretAccessKey']}\n"
        f"aws_session_token = {keys['SessionToken']}\n"
    )
    slow(portal)

    used = app.use(page, "mine")

    assert page.kinds == ["Confirming", "InUse"]
    assert "mine" in repr(page.views[0])
    assert used.identity.account == ID


def test_a_quick_answer_needs_no_card(app, portal, page):
    """What nobody has to wait for is shown once, by whoever asked."""
    app.login(RecordingShow())
    app.use(RecordingShow(), ID)

    app.use(page, ID)

    assert page.kinds == []


def test_what_is_not_confirmed_is_not_said_to_be(app, portal, page):
    """The card says that nothing came of it; the environment is as it was."""
    app.login(RecordingShow())
    portal.knobs = Knobs(approve_after=1, failures=(Failure("sts:GetCallerIdentity", 9, "403", 0.6),))

    with pytest.raises(CuawsError):
        app.use(page, ID)

    assert page.kinds == ["Confirming", "Confirming"]
    assert "Not put in use." in repr(page.views[-1])
    assert app.credentials.current is None


def test_an_interrupt(app, portal, page, monkeypatch):
    """Ctrl-C while AWS is asked: the card says that nothing came of it, and nothing does later."""
    app.login(RecordingShow())
    slow(portal)
    shown = RecordingShow.__call__

    def pressed(self, view):
        shown(self, view)
        raise KeyboardInterrupt

    monkeypatch.setattr(RecordingShow, "__call__", pressed)
    with pytest.raises(KeyboardInterrupt):
        app.use(page, ID)
    for thread in threading.enumerate():
        if thread.name == "cuaws-confirm":
            thread.join(5)

    assert app.credentials.current is None


def test_where_nothing_is_replaced_nothing_is_early(app, portal):
    """A terminal, a script: one answer, at the end."""
    app.login(RecordingShow())
    slow(portal)
    show = RecordingShow()

    app.use(show, ID)

    assert show.kinds == []
