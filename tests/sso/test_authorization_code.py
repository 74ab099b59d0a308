"""RFC 6749 §4.1 with RFC 7636, without socket, sleep or page: a scripted service and browser."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from doubles import Clock, a_registration, an_sso_token, documented, walk

from cuaws_magic.errors import (
    AuthorizationCodeRefused,
    AuthorizationDenied,
    AuthorizationExpired,
    AuthorizationRefused,
    RegistrationRefused,
    Unreachable,
)
from cuaws_magic.model import CodeRequest, Secret
from cuaws_magic.sso.authorization_code import authorization_code_flow, code_in
from cuaws_magic.sso.device_flow import AwaitRedirect, Wait

HERE = "http://127.0.0.1:50000/oauth/callback"
STATE = "s3cret-state"
GOOD = f"{HERE}?code=s3cret-code&state={STATE}"


@dataclass
class Browser:
    """Comes back after some looks."""

    answers: list = field(default_factory=list)
    redirect_uri: str = HERE
    pasted: bool = False
    closed: list = field(default_factory=list)

    def answer(self):
        return Secret(found) if self.answers and (found := self.answers.pop(0)) else None

    def close(self, outcome):
        self.closed.append(outcome)


@dataclass
class Service:
    clock: Clock = field(default_factory=Clock)
    trouble: Exception | None = None
    registrations: list = field(default_factory=list)
    codes: list = field(default_factory=list)

    def registration(self, *, refused):
        self.registrations.append(refused)
        return a_registration()

    def request(self, registration, redirect_uri):
        now = self.clock()
        page = f"https://oidc.us-west-2.amazonaws.com/authorize?state={STATE}"
        ends = now + timedelta(minutes=10)
        return CodeRequest(page, redirect_uri, Secret(STATE), Secret("s3cret-verifier"), now, ends)

    def redeem(self, registration, request, code):
        self.codes.append(code.reveal())
        if self.trouble is not None:
            raise self.trouble
        return an_sso_token()


def drive(service, browser):
    return walk(authorization_code_flow(service, browser, service.clock), service.clock)


def test_the_page_then_the_token():
    """The page is shown once, the browser is waited for, its code is exchanged once, and it is told."""
    service, browser = Service(), Browser([None, None, GOOD])

    sso_token, seen = drive(service, browser)

    assert sso_token == an_sso_token()
    assert [type(step) for step in seen] == [AwaitRedirect, Wait, Wait]
    assert (service.codes, browser.closed) == (["s3cret-code"], [None])


def test_nobody_comes_back():
    """After ten minutes it is over."""
    service, browser = Service(), Browser()
    began = service.clock()

    with pytest.raises(AuthorizationExpired, match="Nobody approved on the sign-in page in time"):
        drive(service, browser)

    assert timedelta(minutes=10) <= service.clock() - began < timedelta(minutes=11)
    assert service.codes == []
    assert browser.closed == ["Nobody approved on the sign-in page in time. Type `%cuaws login --pkce` to start again."]


def test_a_flow_that_is_given_up():
    """Ctrl-C closes the end, too."""
    service, browser = Service(), Browser()
    steps = authorization_code_flow(service, browser, service.clock)
    next(steps)

    steps.close()

    assert browser.closed == ["The sign-in was stopped."]


@pytest.mark.parametrize(
    ("trouble", "kind", "says"),
    [
        (AuthorizationCodeRefused(), AuthorizationRefused, "it was used before, or is old"),
        (RegistrationRefused(), AuthorizationRefused, "which has registered again"),
        (Unreachable("no network. Look."), Unreachable, "no network"),
    ],
)
def test_a_code_that_is_not_taken(trouble, kind, says):
    """It is asked once, and the browser is told what the notebook says; a refused registration is made anew."""
    service, browser = Service(trouble=trouble), Browser([GOOD])

    with pytest.raises(kind, match=says) as caught:
        drive(service, browser)

    assert len(service.codes) == 1
    assert browser.closed == [str(caught.value)]
    assert service.registrations == ([False, True] if isinstance(trouble, RegistrationRefused) else [False])


@dataclass(frozen=True)
class Answer:
    documentation: str
    text: str
    says: str
    kind: type = AuthorizationRefused


NOT_IT = "That is not the address of the page on which this sign-in ended"
OTHER = "That is the answer to another sign-in, perhaps an earlier one"


@documented(
    [
        Answer("nothing", "", NOT_IT),
        Answer("the start URL", "https://cuboulder.awsapps.com/start/#/?tab=accounts", NOT_IT),
        Answer("the sign-in page", f"https://oidc.us-west-2.amazonaws.com/authorize?state={STATE}", NOT_IT),
        Answer("another port", f"http://127.0.0.1:50001/oauth/callback?code=c&state={STATE}", NOT_IT),
        Answer("another path", f"http://127.0.0.1:50000/callback?code=c&state={STATE}", NOT_IT),
        Answer("another host", f"http://localhost.evil:50000/oauth/callback?code=c&state={STATE}", NOT_IT),
        Answer("another scheme", f"https://127.0.0.1:50000/oauth/callback?code=c&state={STATE}", NOT_IT),
        Answer("the code alone", "s3cret-code", NOT_IT),
        Answer("no code", f"{HERE}?state={STATE}", NOT_IT),
        Answer("nonsense", "http://[::1", NOT_IT),
        Answer("far too much", f"{HERE}?" + "&".join(f"a{n}=1" for n in range(100)), NOT_IT),
        Answer("no state", f"{HERE}?code=c", OTHER),
        Answer("another state", f"{HERE}?code=c&state=s3cret-other", OTHER),
        Answer("part of the state", f"{HERE}?code=c&state={STATE[:-1]}", OTHER),
        Answer("a state outside of ASCII", f"{HERE}?code=c&state=%C3%A9", OTHER),
        Answer("denied, for another sign-in", f"{HERE}?error=access_denied&state=x", OTHER),
        Answer("denied", f"{HERE}?error=access_denied&state={STATE}", "The request was denied", AuthorizationDenied),
        Answer("an error", f"{HERE}?error=server_error&state={STATE}", "in an error: server_error"),
        Answer("an error that draws", f"{HERE}?error=%1b[2J&state={STATE}", "The sign-in page ended"),
    ]
)
def test_what_is_not_the_answer(case):
    """One clean line, with what to type; nothing secret of it."""
    service, browser = Service(), Browser([case.text or " "])

    with pytest.raises(case.kind) as caught:
        drive(service, browser)

    assert case.says in str(caught.value)
    assert str(caught.value).endswith("Type `%cuaws login --pkce` to start again.")
    assert "s3cret" not in str(caught.value).replace(HERE, "")
    assert "\x1b" not in str(caught.value)
    assert service.codes == []


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"  {GOOD}\n",
        GOOD.replace("http://", ""),
        f"{HERE}?state={STATE}&code=s3cret-code",
        f"{GOOD}#",
        f"{HERE}?code=s3cret-\n  code&state={STATE}",
    ],
    ids=repr,
)
def test_ways_to_copy_an_address(text):
    """With blanks and line ends, without what some browsers leave out, in any order."""
    request = Service().request(a_registration(), HERE)

    assert code_in(Secret(text), request).reveal() == "s3cret-code"


def test_what_a_request_prints():
    """Neither state nor verifier."""
    assert "s3cret" not in repr(Service().request(a_registration(), HERE))
