"""The ends of a sign-in by authorization code, and which way a sign-in goes."""

from __future__ import annotations

import socket
import struct
import sys
import threading
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from browsing import fetch
from doubles import RecordingShow, documented

from cuaws_magic.commands.callback import CallbackChoice, PastedCallback
from cuaws_magic.commands.listener import ListeningCallback
from cuaws_magic.errors import SignInError
from cuaws_magic.settings import Settings
from cuaws_magic.sso.session import CU_BOULDER


@pytest.fixture
def callback():
    made = ListeningCallback()
    yield made
    made.close("over")


class Browsing(threading.Thread):
    """A browser on its way; a page may be long in coming."""

    def __init__(self, address, **headers):
        super().__init__(daemon=True)
        self.address, self.headers, self.page = address, headers, None
        self.start()

    def run(self):
        self.page = fetch(self.address, **self.headers)

    def sees(self):
        self.join(10)
        return self.page


def waits_for(callback):
    while (answer := callback.answer()) is None:
        pass
    return answer.reveal()


def test_it_listens_on_loopback_alone(callback):
    """127.0.0.1 and no other address of this machine, at the path that is registered."""
    parts = urlsplit(callback.redirect_uri)

    assert (parts.scheme, parts.hostname, parts.path) == ("http", "127.0.0.1", "/oauth/callback")
    assert callback._server.server_address[0] == "127.0.0.1"
    assert callback.redirect_uri == callback.redirect_uri


@pytest.mark.parametrize(
    ("outcome", "status", "title"),
    [(None, 200, "You are signed in"), ("It was <denied>. Type `%cuaws login`.", 400, "Not signed in")],
)
def test_the_page_says_how_it_ended(callback, outcome, status, title):
    """The browser waits for the exchange, and is told the truth."""
    address = f"{callback.redirect_uri}?code=c&state=s"
    browser = Browsing(address)

    assert waits_for(callback) == address
    assert browser.page is None
    callback.close(outcome)

    found = browser.sees()
    assert (found[0], f"<h1>{title}</h1>" in found[1]) == (status, True)
    assert "<denied>" not in found[1]
    with pytest.raises(OSError, match="refused"):
        fetch(address)


def test_one_answer_is_taken(callback):
    """A second request is told so, and changes nothing."""
    address = f"{callback.redirect_uri}?code=c&state=s"
    first = Browsing(address)
    waits_for(callback)

    second = fetch(f"{callback.redirect_uri}?code=other&state=s")

    assert (second[0], "Already answered" in second[1]) == (409, True)
    assert callback.answer().reveal() == address
    callback.close(None)
    assert first.sees()[0] == 200


@pytest.mark.parametrize("path", ["/", "/favicon.ico", "/oauth/callback", "/oauth/callback/x?code=c", "/x?code=c"])
def test_other_requests_are_no_answer(callback, path):
    """What a browser asks besides is not taken."""
    origin = callback.redirect_uri.removesuffix("/oauth/callback")

    assert fetch(f"{origin}{path}")[0] == 404
    assert callback.answer() is None


def test_a_page_that_means_another_host(callback):
    """DNS rebinding: the name that the browser thinks it talks to is not this machine's."""
    assert fetch(f"{callback.redirect_uri}?code=c&state=s", Host="evil.example")[0] == 404
    assert callback.answer() is None


def test_no_other_method(callback):
    """A form of a web page is no answer."""
    assert fetch(f"{callback.redirect_uri}?code=c&state=s", {"a": "b"})[0] == 501
    assert callback.answer() is None


def test_a_connection_that_says_nothing(callback):
    """Browsers open some in advance; the end waits for none of them."""
    parts = urlsplit(callback.redirect_uri)
    with socket.create_connection((parts.hostname, parts.port)):
        callback.close(None)

        with pytest.raises(OSError, match="refused"):
            fetch(callback.redirect_uri)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lingers otherwise")
def test_a_browser_that_goes_away(callback, capfd):
    """Nothing of it is printed: that would stand on the page, with the address in it."""
    parts = urlsplit(callback.redirect_uri)
    for _ in range(3):
        with socket.create_connection((parts.hostname, parts.port)) as gone:
            gone.sendall(b"GET /oauth/callback?code=s3cret&state=s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    waits_for(callback)
    callback.close(None)

    assert capfd.readouterr() == ("", "")


def test_nothing_can_listen(monkeypatch, callback):
    """It says why, and the way that needs none."""

    def refused(*_):
        raise OSError(98, "Address already in use")

    monkeypatch.setattr("cuaws_magic.commands.listener._Server", refused)

    with pytest.raises(SignInError, match=r"\(Address already in use\). Type `%cuaws login --qr`"):
        _ = callback.redirect_uri


def test_a_pasted_address():
    """Nothing listens; a port of those that nobody registers; what is typed does not print itself."""
    asked = []
    callback = PastedCallback(lambda question: (asked.append(question), "http://127.0.0.1:1/?code=s3cret")[1])

    assert callback.pasted
    assert 49152 <= urlsplit(callback.redirect_uri).port <= 65535
    assert "s3cret" not in repr(callback.answer())
    assert len(asked) == 1


UNSET = Settings()


@dataclass(frozen=True)
class Case:
    documentation: str
    expected: type | None
    wanted: bool | None = None
    beside: bool | None = False
    environ: tuple[str, ...] = ()
    settings: Settings = UNSET
    container: bool = False
    name: str | None = "fedauth"


@documented(
    [
        Case("a notebook", None),
        Case("a notebook, asked for", ListeningCallback, wanted=True),
        Case("a hub, asked for", PastedCallback, wanted=True, environ=("JUPYTERHUB_API_TOKEN",)),
        Case("over ssh, asked for", PastedCallback, wanted=True, environ=("SSH_CONNECTION",)),
        Case("a container, asked for", PastedCallback, wanted=True, container=True),
        Case("a cluster, asked for", PastedCallback, wanted=True, environ=("KUBERNETES_SERVICE_HOST",)),
        Case(
            "a hub here",
            ListeningCallback,
            True,
            environ=("JUPYTERHUB_USER",),
            settings=Settings(remote=False),
        ),
        Case("a notebook that says it is elsewhere", PastedCallback, True, settings=Settings(remote=True)),
        Case("a terminal beside its browser", ListeningCallback, beside=True),
        Case("the same, without an sso-session", None, beside=True, name=None),
        Case("the same, over ssh", None, beside=True, environ=("SSH_TTY",)),
        Case("the same, in a container", None, beside=True, container=True),
        Case("the same, where device codes are wished", None, beside=True, settings=Settings(pkce=False)),
        Case("a setting", ListeningCallback, settings=Settings(pkce=True)),
        Case("a setting, on a hub", PastedCallback, environ=("JUPYTERHUB_USER",), settings=Settings(pkce=True)),
        Case("a panel", None, beside=None, settings=Settings(pkce=True)),
    ]
)
def test_which_way(case):
    """By itself only where the browser is surely here; asked for, by what can work there."""
    show = RecordingShow()
    if case.beside is not None:
        show.beside_browser = case.beside
    choice = CallbackChoice(lambda: case.settings, dict.fromkeys(case.environ, "1"), lambda: case.container)
    choice.asking = lambda: str
    sso_session = CU_BOULDER if case.name else CU_BOULDER.__class__(None, CU_BOULDER.start_url, "us-west-2", None)

    found = choice(sso_session, show, case.wanted)

    assert (None if found is None else type(found)) is case.expected


def test_nobody_to_ask():
    """Elsewhere somebody has to bring the address back."""
    choice = CallbackChoice(lambda: Settings(remote=True), {}, lambda: False)
    choice.asking = lambda: None

    with pytest.raises(SignInError, match="Nobody can be asked here for the address"):
        choice(CU_BOULDER, RecordingShow(), True)
