"""Where start URLs lead: by one redirect, over TLS and through a proxy, to AWS and nowhere else."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import pytest
from doubles import App, RecordingShow, documented

from cuaws_magic.errors import ConfigurationError, Unreachable
from cuaws_magic.settings import CU_START_URL, Settings
from cuaws_magic.sso.token_cache import TokenCache

OWN = "https://aws.example.edu"
DUAL_STACK = "https://ssoins-1234.portal.us-west-2.app.aws"


@pytest.fixture
def signing_in(way_out):
    """Makes a new kernel and signs in at a start URL."""
    made = []

    def sign_in(start_url=OWN, region="us-west-2", **more):
        app = App()
        made.append(app)
        return app, app.login(RecordingShow(), Settings(None, start_url, region), **more)

    yield sign_in
    for app in made:
        app.release()


def start_urls_asked(portal, monkeypatch):
    asked = []
    authorize = portal._state.authorize
    monkeypatch.setattr(
        portal._state,
        "authorize",
        lambda registration, url, knobs: (asked.append(url), authorize(registration, url, knobs))[1],
    )
    return asked


def test_one_that_forwards(portal, way_out, signing_in, monkeypatch):
    """The sign-in is asked for at the portal's own address; the file has the name and the URL that are configured."""
    asked = start_urls_asked(portal, monkeypatch)
    way_out.answers["HEAD", f"{OWN}/"] = (302, f"{CU_START_URL}/#/")

    app, view = signing_in()

    assert asked == [CU_START_URL]
    assert way_out.asked[0] == ("HEAD", "aws.example.edu", "/")
    assert way_out.tunnels[0] == "aws.example.edu:443"
    assert view.start_url == OWN
    sso_token = app.token_cache.load(app.choice.sso_session()).sso_token
    assert sso_token.start_url == OWN
    assert app.token_cache.token_path(app.choice.sso_session()) == TokenCache.default().token_path(
        dataclasses.replace(app.choice.sso_session(), name=None)
    )
    assert "awsucob0myaccount" in repr(app.accounts(RecordingShow()))


@dataclass(frozen=True)
class Forwarding:
    documentation: str
    answers: dict[tuple[str, str], tuple[int, str | None]]


@documented(
    [Forwarding(f"{status}", {("HEAD", "/"): (status, CU_START_URL)}) for status in (301, 302, 303, 307, 308)]
    + [
        Forwarding("a server that knows no HEAD", {("HEAD", "/"): (405, None), ("GET", "/"): (302, CU_START_URL)}),
        Forwarding("one that says so otherwise", {("HEAD", "/"): (501, None), ("GET", "/"): (302, CU_START_URL)}),
    ]
)
def test_ways_to_forward(portal, way_out, signing_in, monkeypatch, case):
    """Every kind of redirect, with GET where HEAD is not known."""
    asked = start_urls_asked(portal, monkeypatch)
    way_out.answers |= {(method, f"{OWN}{path}"): answer for (method, path), answer in case.answers.items()}

    signing_in()

    assert asked == [CU_START_URL]


@dataclass(frozen=True)
class Wrong:
    documentation: str
    status: int
    location: str | None
    says: str


@documented(
    [
        Wrong("a page", 200, None, "leads to no AWS access portal (HTTP 200)"),
        Wrong("nothing there", 404, None, "leads to no AWS access portal (HTTP 404)"),
        Wrong("a redirect without an address", 302, None, "leads to no AWS access portal (HTTP 302)"),
        Wrong("off AWS", 302, "https://evil.example/start", "leads to https://evil.example/start, which is not on"),
        Wrong("a lookalike", 302, "https://x.awsapps.com.evil.example", "which is not on a host of AWS"),
        Wrong("not https", 302, "http://cuboulder.awsapps.com/start", "which is not on a host of AWS"),
        Wrong("in a circle", 302, f"{OWN}/", f"leads to {OWN}/, which is not on a host of AWS"),
        Wrong("to another that forwards", 302, "https://other.example.edu/", "which is not on a host of AWS"),
        Wrong("a relative address", 302, "/start", f"leads to {OWN}/start, which is not on a host of AWS"),
        Wrong("a script", 302, "javascript:alert(1)", "which is not on a host of AWS"),
    ]
)
def test_one_that_leads_nowhere(portal, way_out, signing_in, case):
    """One clean line, before anything is asked of AWS; nothing is kept. Only one redirect is followed."""
    way_out.answers["HEAD", f"{OWN}/"] = (case.status, case.location)

    with pytest.raises(ConfigurationError) as caught:
        signing_in()

    assert case.says in str(caught.value)
    assert "type `%cuaws login --start-url" in str(caught.value)
    assert len(way_out.asked) == 1
    assert portal.calls == []
    assert not list(TokenCache.default().sso_folder.glob("*.json"))
    signing_in(CU_START_URL)  # what it says to type


def test_one_that_leads_to_another_region(way_out, signing_in):
    """The region that the portal's own host names is told; the AWS CLI writes it into the file, we ask first."""
    way_out.answers["HEAD", f"{OWN}/"] = (302, "https://x.portal.eu-west-1.app.aws")

    with pytest.raises(ConfigurationError) as caught:
        signing_in()

    assert str(caught.value) == (
        f"{OWN} leads to an access portal in eu-west-1, not in us-west-2. Correct sso_region, or type "
        f"`%cuaws login --start-url {OWN} --sso-region eu-west-1`."
    )
    signing_in(OWN, "eu-west-1")
    assert names_of_aws(way_out) == {"oidc.eu-west-1.api.aws"}


def test_links_into_the_console(way_out, signing_in):
    """They lead to the portal itself."""
    way_out.answers["HEAD", f"{OWN}/"] = (302, CU_START_URL)
    app, _ = signing_in()
    app.use(RecordingShow(), "awsucob0myaccount", verify=False)

    assert app.console(RecordingShow(), None, None).url.startswith(f"{CU_START_URL}/#/console?")
    assert app.status().in_use.console_url.startswith(f"{CU_START_URL}/#/console?")


def test_one_that_leads_to_another_organisation_than_before(portal, way_out, signing_in):
    """Nobody is taken to another portal unseen; a logout forgets where it led, and then it is taken as it is."""
    way_out.answers["HEAD", f"{OWN}/"] = (302, CU_START_URL)
    app, _ = signing_in()
    way_out.answers["HEAD", f"{OWN}/"] = (302, "https://partner.awsapps.com/start")

    with pytest.raises(ConfigurationError) as caught:
        signing_in(force=True)

    assert str(caught.value) == (
        f"{OWN} leads to https://partner.awsapps.com/start now; before, it led to {CU_START_URL}. "
        "If your organisation has moved, type `%cuaws logout --all`, then sign in again."
    )
    app.logout(every=True)
    signing_in()
    assert portal.count("StartDeviceAuthorization") == 2


def test_one_that_does_not_answer(portal, signing_in, way_out, monkeypatch):
    """It says which address, and what to look at."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setattr("time.sleep", lambda _: None)

    with pytest.raises(Unreachable) as caught:
        signing_in()

    assert str(caught.value) == (
        f"{OWN} cannot be reached from this machine (the proxy does not answer). "
        "Check the network or proxy, then run the cell again."
    )
    assert portal.calls == []


def test_one_that_is_not_trusted(portal, signing_in, way_out, monkeypatch):
    """A certificate that does not verify is no answer."""
    way_out.answers["HEAD", f"{OWN}/"] = (302, CU_START_URL)
    monkeypatch.delenv("AWS_CA_BUNDLE")

    with pytest.raises(Unreachable, match=f"The connection to {OWN} is not trusted"):
        signing_in()

    assert portal.calls == []


def names_of_aws(way_out):
    return {name for _, name, _ in way_out.asked if name.startswith(("oidc", "portal"))}


@pytest.mark.parametrize("said", [None, "true", "false"])
def test_dual_stack_portals(portal, way_out, signing_in, monkeypatch, said):
    """Sign-in, lists, credentials and refresh go to the dual-stack addresses, whatever the variable says."""
    if said is not None:
        monkeypatch.setenv("AWS_USE_DUALSTACK_ENDPOINT", said)

    app, _ = signing_in(DUAL_STACK, None)
    app.use(RecordingShow(), "awsucob0myaccount", verify=False)
    app.accounts(RecordingShow(), refresh=True)
    app.logout()

    assert names_of_aws(way_out) == {"oidc.us-west-2.api.aws", "portal.sso.us-west-2.api.aws"}
    assert {call.operation for call in portal.calls} >= {
        "RegisterClient", "StartDeviceAuthorization", "CreateToken", "ListAccounts", "GetRoleCredentials", "Logout",
    }  # fmt: skip


def test_a_refresh_of_a_dual_stack_portal(portal, way_out, signing_in, home):
    """A named one is refreshed there, too."""
    (home / ".aws").mkdir(exist_ok=True)
    (home / ".aws" / "config").write_text(
        f"[sso-session lab]\nsso_start_url = {DUAL_STACK}\nsso_region = us-west-2\n"
        "sso_registration_scopes = sso:account:access\n"
    )
    app = App()
    app.login(RecordingShow())
    way_out.asked.clear()
    sso_session = app.choice.sso_session()
    sign_in = app.context.login.current(sso_session)

    assert app.context.login.current(sso_session, refused=sign_in.sso_token) is not None

    assert [call.detail for call in portal.calls if call.operation == "CreateToken"][-1] == "refresh_token"
    assert names_of_aws(way_out) == {"oidc.us-west-2.api.aws"}


def test_one_that_forwards_to_a_dual_stack_portal(way_out, signing_in):
    """What is behind it decides from the first request on, and in a later kernel without asking again."""
    way_out.answers["HEAD", f"{OWN}/"] = (302, DUAL_STACK)

    signing_in()
    later = App()
    later.choice.configure(Settings(None, OWN, "us-west-2"))
    later.accounts(RecordingShow(), refresh=True)

    assert names_of_aws(way_out) == {"oidc.us-west-2.api.aws", "portal.sso.us-west-2.api.aws"}
    assert [name for _, name, _ in way_out.asked].count("aws.example.edu") == 1


@pytest.mark.parametrize("said", [None, "false"])
def test_usual_portals(way_out, signing_in, monkeypatch, said):
    """CU's are asked where they always were."""
    if said is not None:
        monkeypatch.setenv("AWS_USE_DUALSTACK_ENDPOINT", said)

    app, _ = signing_in(CU_START_URL, "us-west-2")
    app.accounts(RecordingShow(), refresh=True)

    assert names_of_aws(way_out) == {"oidc.us-west-2.amazonaws.com", "portal.sso.us-west-2.amazonaws.com"}
