"""
A sign-in by authorization code: the whole way through the portal's pages, and one sign-in with the AWS CLI, both ways.

The browser is one without a window (`browsing`); the AWS CLI is the real one, which signs in this way by itself.
"""

from __future__ import annotations

import _thread
import contextlib
import dataclasses
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from aws_commands import newest_version_2, python, run
from browsing import Person, decide, fetch
from doubles import THE_GUIDES_SIGN_IN, RecordingShow, sso_profile, until

from cuaws_magic.commands.callback import Wanted
from cuaws_magic.errors import (
    AuthorizationDenied,
    AuthorizationRefused,
    Cancelled,
    ConfigurationError,
    ServiceFailure,
    SignInError,
    UnsafeSignInPage,
)
from cuaws_magic.practice import Failure
from cuaws_magic.settings import Settings
from cuaws_magic.sso.session import CU_BOULDER
from cuaws_magic.views.sign_in_page import AwaitingRedirect


@pytest.fixture(autouse=True)
def _here(home, monkeypatch, portal):
    """The guide's config; the browser is on this machine; a person has to approve."""
    (home / ".aws").mkdir(exist_ok=True)
    (home / ".aws" / "config").write_text(
        THE_GUIDES_SIGN_IN + sso_profile("awsucob0myaccount", "111111111111", "MyRole")
    )
    monkeypatch.setenv("CUAWS_REMOTE", "no")
    portal.knobs = dataclasses.replace(portal.knobs, approve_after=None)


class Page(RecordingShow):
    """A page before which a person sits, who presses a button in the browser that it opens."""

    def __init__(self, decision="allow"):
        super().__init__()
        self.decision, self.person = decision, None

    def __call__(self, view):
        if isinstance(view, AwaitingRedirect):
            self.person = Person(view.page, self.decision)
        return super().__call__(view)


def registration_file(app):
    return json.loads(app.token_cache.registration_path(CU_BOULDER).read_text())


def token_file(app):
    return json.loads(app.token_cache.token_path(CU_BOULDER).read_text())


def test_the_whole_way(app, portal):
    """A page, Allow access, and everything works as after a device code: nothing of it stays on the page."""
    page = Page()

    view = app.login(page, wanted=Wanted(pkce=True), timeout=60)

    assert not view.already
    assert "You are signed in" in page.person.sees()
    assert page.kinds == ["AwaitingRedirect", "SignedIn"]
    assert app.use(RecordingShow(), "awsucob0myaccount").account == "111111111111"
    assert portal.count("StartDeviceAuthorization") == 0
    assert [call.detail for call in portal.calls if call.operation == "CreateToken"] == ["authorization_code"]


def test_the_files_are_the_clis(app):
    """Keys of the token file as for a device code; the registration tells its grants (contracts 2.3)."""
    app.login(Page(), wanted=Wanted(pkce=True), timeout=60)

    assert set(token_file(app)) == {
        "startUrl", "region", "accessToken", "expiresAt", "clientId", "clientSecret", "registrationExpiresAt",
        "refreshToken",
    }  # fmt: skip
    assert registration_file(app)["grantTypes"] == ["authorization_code", "refresh_token"]
    assert registration_file(app)["scopes"] == ["sso:account:access"]


def test_it_is_refreshed(app, portal):
    """Nobody is asked again while the organisation allows it."""
    app.login(Page(), wanted=Wanted(pkce=True), timeout=60)
    sign_in = app.context.login.current(CU_BOULDER)

    again = app.context.login.current(CU_BOULDER, refused=sign_in.sso_token)

    assert again.sso_token.access_token != sign_in.sso_token.access_token
    assert [call.detail for call in portal.calls if call.operation == "CreateToken"][-1] == "refresh_token"


def test_each_grant_keeps_its_registration(app, portal):
    """One is not used for the other; the next sign-in of the same kind uses it again."""
    app.login(Page(), wanted=Wanted(pkce=True), timeout=60)
    app.login(Page(), wanted=Wanted(pkce=True), force=True, timeout=60)
    assert portal.count("RegisterClient") == 1

    portal.knobs = dataclasses.replace(portal.knobs, approve_after=1)
    app.login(RecordingShow(), wanted=Wanted(pkce=False), force=True)
    assert portal.count("RegisterClient") == 2
    assert "grantTypes" not in registration_file(app)
    app.login(Page(), wanted=Wanted(pkce=True), force=True, timeout=60)
    assert portal.count("RegisterClient") == 3


def test_denied(app, portal):
    """One line, in the notebook and in the browser; nothing is kept."""
    page = Page("deny")

    with pytest.raises(AuthorizationDenied) as caught:
        app.login(page, wanted=Wanted(pkce=True), timeout=60)

    assert str(caught.value) == (
        "The request was denied on the sign-in page. Type `%cuaws login --pkce` to start again."
    )
    assert "The request was denied on the sign-in page" in page.person.sees()
    assert page.kinds[-1] == "SignInEnded"
    assert not app.token_cache.token_path(CU_BOULDER).exists()
    assert portal.count("CreateToken") == 0
    assert app.login(Page(), wanted=Wanted(pkce=True), timeout=60).until


def test_an_answer_with_another_state(app, portal):
    """Somebody sends the browser here with a code of their own: it is not exchanged."""

    class Attacked(RecordingShow):
        def __call__(self, view):
            if isinstance(view, AwaitingRedirect):
                address = f"{view.request.redirect_uri}?code=theirs&state=theirs"
                threading.Thread(target=fetch, args=(address,), daemon=True).start()
            return super().__call__(view)

    with pytest.raises(AuthorizationRefused, match="That is the answer to another sign-in"):
        app.login(Attacked(), wanted=Wanted(pkce=True), timeout=60)

    assert portal.count("CreateToken") == 0
    assert not app.token_cache.token_path(CU_BOULDER).exists()


def test_the_service_fails_at_the_end(app, portal):
    """The code may be used up, so it is asked once; the browser is told that nobody is signed in."""
    portal.knobs = dataclasses.replace(portal.knobs, failures=(Failure("CreateToken", times=1),))
    page = Page()

    with pytest.raises(ServiceFailure):
        app.login(page, wanted=Wanted(pkce=True), timeout=60)

    assert "Not signed in" in page.person.sees()
    assert portal.count("CreateToken") == 1


def test_a_person_stops_it(app):
    """Ctrl-C leaves nothing behind that listens, and no page to press."""

    class Stopped(RecordingShow):
        def __call__(self, view):
            threading.Timer(0.5, _thread.interrupt_main).start()
            return super().__call__(view)

    page = Stopped()
    with pytest.raises(Cancelled):
        app.login(page, wanted=Wanted(pkce=True), timeout=60)

    assert page.kinds == ["AwaitingRedirect", "SignInEnded"]
    with pytest.raises(OSError, match="refused"):
        fetch(page.views[0].request.redirect_uri)


def test_nothing_can_listen_here(app, monkeypatch, portal):
    """What it says to type is by device code, whatever is set."""
    monkeypatch.setenv("CUAWS_PKCE", "1")

    def refused(*_):
        raise OSError(98, "Address already in use")

    monkeypatch.setattr("cuaws_magic.commands.listener._Server", refused)
    with pytest.raises(SignInError, match="Type `%cuaws login --qr`"):
        app.login(Page(), wanted=Wanted(pkce=True), timeout=60)

    portal.knobs = dataclasses.replace(portal.knobs, approve_after=1)
    assert app.login(RecordingShow(), wanted=Wanted(qr=True), timeout=60).until


def test_in_the_background(app, portal):
    """With `--no-wait` the cell goes on; the page arrives all the same."""
    page = Page()

    app.login(page, wanted=Wanted(pkce=True), wait=False, timeout=60)

    until(lambda: page.kinds[-1:] == ["SignedIn"])
    assert page.kinds[0] == "AwaitingRedirect"
    assert page.kinds[-1] == "SignedIn"


def test_one_of_the_cli_ends_the_wait(app, portal):
    """While a page waits, a sign-in elsewhere in this home will do."""
    page = RecordingShow()
    content = {}

    class Waiting(RecordingShow):
        def __call__(self, view):
            path = app.token_cache.token_path(CU_BOULDER)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(content))
            return super().__call__(view)

    app.login(Page(), wanted=Wanted(pkce=True), timeout=60)
    content.update(token_file(app))
    app.context.token_cache.token_path(CU_BOULDER).unlink()

    assert app.login(Waiting(), wanted=Wanted(pkce=True), timeout=60).until
    assert page.views == []


# Elsewhere: a person brings the address.


@pytest.fixture
def elsewhere(app, monkeypatch):
    """The browser is on another machine; returns what was asked, and takes how it is answered."""
    monkeypatch.setenv("CUAWS_REMOTE", "1")
    asked, answers = [], []

    def ask(question):
        asked.append(question)
        return answers.pop(0)(app.shown.views[-1].page)

    app.context.callback_choice.asking = lambda: ask
    app.__dict__["shown"] = RecordingShow()
    return asked, answers


def test_a_pasted_address(app, portal, elsewhere):
    """The browser ends on a page that cannot be reached; its address is all that is needed."""
    asked, answers = elsewhere
    answers.append(decide)

    app.login(app.shown, wanted=Wanted(pkce=True), timeout=60)

    assert len(asked) == 1
    assert app.shown.kinds == ["AwaitingRedirect", "SignedIn"]
    assert "Copy its address, and paste it below" in repr(app.shown.views[0])
    assert app.use(RecordingShow(), "awsucob0myaccount").account == "111111111111"


@pytest.mark.parametrize(
    ("paste", "says"),
    [
        (lambda _: "", "That is not the address of the page on which this sign-in ended"),
        (lambda page: page, "That is not the address of the page"),
        (lambda page: re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:1", decide(page)), "That is not the address of the page"),
        (lambda page: re.sub(r"state=[^&]+", "state=x", decide(page)), "That is the answer to another sign-in"),
        (lambda page: decide(page, "deny"), "The request was denied on the sign-in page"),
        (lambda page: re.sub(r"code=[^&]+", "code=practice-x", decide(page)), "was used before, or is old"),
    ],
    ids=["nothing", "the sign-in page", "of another port", "another state", "denied", "another code"],
)
def test_a_wrong_address(app, portal, elsewhere, paste, says):
    """One clean line, and nothing kept."""
    elsewhere[1].append(paste)

    with pytest.raises((AuthorizationRefused, AuthorizationDenied), match=says):
        app.login(app.shown, wanted=Wanted(pkce=True), timeout=60)

    assert app.shown.kinds == ["AwaitingRedirect", "SignInEnded"]
    assert not app.token_cache.token_path(CU_BOULDER).exists()
    elsewhere[1].append(decide)
    assert app.login(app.shown, wanted=Wanted(pkce=True), timeout=60).until


def test_the_address_of_last_week(app, elsewhere, clock):
    """An address of an earlier sign-in has another state, whatever else it has."""
    _, answers = elsewhere
    kept = []
    answers += [lambda page: kept.append(decide(page)) or kept[0], lambda _: kept[0]]
    app.login(app.shown, wanted=Wanted(pkce=True), timeout=60)

    with pytest.raises(AuthorizationRefused, match=r"ended: it begins with|another sign-in, perhaps an earlier one"):
        app.login(app.shown, wanted=Wanted(pkce=True), force=True, timeout=60)


def test_it_cannot_go_on_in_the_background(app, elsewhere):
    """Somebody has to be asked."""
    with pytest.raises(ConfigurationError, match="Type `%cuaws login --pkce`"):
        app.login(app.shown, wanted=Wanted(pkce=True), wait=False, timeout=60)

    assert app.shown.views == []


# What is sent where.


def test_the_page_is_the_services_own(app, monkeypatch):
    """Only AWS's sign-in service, or one on this machine: never where a setting leads off AWS."""
    monkeypatch.setattr(
        "cuaws_magic.aws.identity_center.IdentityCenter.sign_in_endpoint", lambda *_: "https://oidc.evil.example"
    )

    with pytest.raises(UnsafeSignInPage, match="which is not AWS's"):
        app.login(Page(), wanted=Wanted(pkce=True), timeout=60)


def test_a_setting_for_all_sign_ins(app, portal, monkeypatch):
    """Where device codes are forbidden, `use` signs in this way too."""
    monkeypatch.setenv("CUAWS_PKCE", "1")
    page = Page()
    page.beside_browser = False  # a notebook

    assert app.use(page, "awsucob0myaccount").account == "111111111111"
    assert portal.count("StartDeviceAuthorization") == 0


# A terminal beside a browser.


BROWSER = """#!{python}
import sys
sys.path.insert(0, {tests!r})
from browsing import decide, fetch
open({seen!r}, "a").write(fetch(decide(sys.argv[1]))[1])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals for pexpect")
@pytest.mark.parametrize("said", ["", "no"], ids=["by itself", "where device codes are wished"])
def test_a_terminal_beside_a_browser(portal, tmp_path, monkeypatch, said):
    """The browser opens, comes back, and says so, as with `aws sso login`: nothing is typed, and no code compared."""
    import pexpect

    seen = tmp_path / "seen"
    browser = tmp_path / "browser"
    browser.write_text(BROWSER.format(python=sys.executable, tests=str(Path(__file__).parent), seen=str(seen)))
    browser.chmod(0o755)
    for name, value in {"DISPLAY": ":99", "BROWSER": str(browser), "CUAWS_PKCE": said}.items():
        monkeypatch.setenv(name, value)
    portal.knobs = dataclasses.replace(portal.knobs, approve_after=2 if said else None)

    terminal = pexpect.spawn(
        sys.executable, ["-c", "import cuaws_magic as c; c.login()"], encoding="utf-8", timeout=60, dimensions=(40, 300)
    )
    terminal.expect("Signed in for 8 h")
    terminal.expect(pexpect.EOF)
    terminal.close()

    assert terminal.exitstatus == 0
    assert portal.count("StartDeviceAuthorization") == (1 if said else 0)
    if not said:
        assert "You are signed in" in seen.read_text()


# The AWS CLI, which signs in this way by itself.


@contextlib.contextmanager
def signing_in_by_the_cli():
    """Run `aws sso login`; yields the page that it wants opened."""
    words = [newest_version_2().path, "sso", "login", "--sso-session", "fedauth", "--no-browser"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={**os.environ, "AWS_PAGER": ""}) as process:
        page = next(line.strip() for line in process.stdout if line.startswith("http"))
        try:
            yield page
            assert process.wait(30) == 0
        finally:
            process.kill()


def test_a_sign_in_of_the_cli_is_ours(app, portal):
    """By authorization code: nobody is asked here, and it is refreshed with its registration."""
    with signing_in_by_the_cli() as page:
        Person(page).sees()

    assert app.login(RecordingShow(), wanted=Wanted(pkce=True), timeout=60).already
    sign_in = app.context.login.current(CU_BOULDER)
    assert app.context.login.current(CU_BOULDER, refused=sign_in.sso_token) is not None
    assert app.use(RecordingShow(), "awsucob0myaccount").account == "111111111111"
    assert portal.count("RegisterClient") == 1


def test_its_registration_is_ours(app, portal):
    """We sign in with what it registered."""
    with signing_in_by_the_cli() as page:
        Person(page).sees()

    app.login(Page(), wanted=Wanted(pkce=True), force=True, timeout=60)

    assert portal.count("RegisterClient") == 1


def test_ours_is_the_clis(app, portal):
    """It is signed in after us, in its own words and boto3's; its own sign-in uses our registration."""
    app.login(Page(), wanted=Wanted(pkce=True), timeout=60)

    status, output, errors = run(
        newest_version_2().path, "sts", "get-caller-identity", "--profile", "awsucob0myaccount"
    )
    assert (status, errors) == (0, "")
    assert json.loads(output)["Account"] == "111111111111"
    assert python(
        "import boto3; "
        "print(boto3.Session(profile_name='awsucob0myaccount').client('sts').get_caller_identity()['Account'])"
    ) == (0, "111111111111", "")
    with signing_in_by_the_cli() as page:
        Person(page).sees()
    assert portal.count("RegisterClient") == 1


def test_the_same_question(app, portal, tmp_path):
    """Our page asks what theirs asks: the same names, and the same values but for what is drawn anew."""
    page = Page()
    app.login(page, wanted=Wanted(pkce=True), timeout=60)
    with signing_in_by_the_cli() as theirs:
        Person(theirs).sees()
    ours = page.views[0].page

    drawn = {"state", "code_challenge", "redirect_uri"}
    said = [dict(parse_qsl(urlsplit(one).query)) for one in (ours, theirs)]
    assert urlsplit(ours)[:3] == urlsplit(theirs)[:3]
    assert said[0].keys() == said[1].keys()
    assert {name: value for name, value in said[0].items() if name not in drawn} == {
        name: value for name, value in said[1].items() if name not in drawn
    }


def test_settings_are_read():
    """As variables, and as words that mean no."""
    assert Settings.from_environ({"CUAWS_PKCE": "1", "CUAWS_REMOTE": "off"}) == Settings(pkce=True, remote=False)
