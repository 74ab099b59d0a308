"""What this home has seen as a secret is remembered once, and again when there is something new."""

from __future__ import annotations

import threading

import pytest
from doubles import RecordingShow


@pytest.fixture
def looks(app, monkeypatch):
    """How often files were read for it; waits for the thread."""
    seen = next(one.__self__ for one in app.observers._callbacks if getattr(one, "__name__", "") == "remember_soon")
    count, look = [], seen._remember
    monkeypatch.setattr(seen, "_remember", lambda: (count.append(1), look()))

    def counted() -> int:
        for thread in threading.enumerate():
            if thread.name == "cuaws-seen":
                thread.join()
        return len(count)

    return counted


def test_once_for_the_same_keys_and_again_for_a_new_sign_in(app, portal, looks):
    """Going back and forth between accounts reads nothing; a new sign-in, other keys, are seen."""
    app.use(RecordingShow(), "111111111111/MyRole")
    first = looks()
    assert first >= 1
    app.use(RecordingShow(), "222222222222/MyOtherRole")
    second = looks()
    assert second > first

    for _ in range(3):
        app.use(RecordingShow(), "111111111111/MyRole")
        app.use(RecordingShow(), "222222222222/MyOtherRole")
    assert looks() == second

    app.login(RecordingShow(), force=True)
    app.use(RecordingShow(), "222222222222/MyOtherRole")
    assert looks() > second
    token = app.token_cache.load(app.choice.sso_session()).sso_token
    assert app.known_secrets.remembers(token.access_token)
    assert app.known_secrets.remembers(app.credentials.current.credentials.secret_access_key)
