"""The authorization code grant of the practice portal, as the service's own client and a browser go through it."""

from __future__ import annotations

import base64
import hashlib
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from browsing import decide, fetch

REDIRECT = "http://127.0.0.1/oauth/callback"
HERE = "http://127.0.0.1:50000/oauth/callback"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def registered(learner, **more):
    said = {
        "clientName": "botocore-client-fedauth",
        "clientType": "public",
        "scopes": ["sso:account:access"],
        "grantTypes": ["authorization_code", "refresh_token"],
        "redirectUris": [REDIRECT],
        "issuerUrl": learner.portal.start_url,
    }
    answer = learner.oidc.register_client(**{name: value for name, value in (said | more).items() if value is not None})
    return {"clientId": answer["clientId"], "clientSecret": answer["clientSecret"]}


def page(learner, registration, **more):
    query = {
        "response_type": "code",
        "client_id": registration["clientId"],
        "redirect_uri": HERE,
        "state": "a state",
        "code_challenge_method": "S256",
        "scopes": "sso:account:access",
        "code_challenge": CHALLENGE,
    }
    return f"{learner.portal.url}/authorize?{urlencode(query | more)}"


def redeem(learner, registration, code, /, **more):
    said = {"redirectUri": HERE, "codeVerifier": VERIFIER, "code": code, **more}
    return learner.oidc.create_token(grantType="authorization_code", **registration, **said)


def test_the_whole_way(learner):
    """Register, approve, come back with code and state, exchange: an SSO token that works and refreshes."""
    registration = registered(learner)

    location = decide(page(learner, registration))
    said = parse_qs(urlsplit(location).query)
    answer = redeem(learner, registration, said["code"][0])

    assert location.startswith(f"{HERE}?")
    assert said["state"] == ["a state"]
    assert learner.take_role(answer["accessToken"])["accessKeyId"]
    assert learner.refresh(registration, answer["refreshToken"])["accessToken"] != answer["accessToken"]


def test_denied(learner):
    """The browser comes back with RFC 6749's error, and no code."""
    said = parse_qs(urlsplit(decide(page(learner, registered(learner)), "deny")).query)

    assert said == {"error": ["access_denied"], "state": ["a state"]}


def test_a_code_is_good_once(learner):
    """A second exchange is refused."""
    registration = registered(learner)
    code = parse_qs(urlsplit(decide(page(learner, registration))).query)["code"][0]
    redeem(learner, registration, code)

    with pytest.raises(learner.oidc.exceptions.InvalidGrantException):
        redeem(learner, registration, code)


@pytest.mark.parametrize(
    "wrong",
    [
        {"codeVerifier": "w" * 64},
        {"redirectUri": "http://127.0.0.1:50001/oauth/callback"},
        {"code": "practice-nonsense"},
    ],
    ids=str,
)
def test_what_does_not_belong_to_the_code(learner, wrong):
    """Another verifier (RFC 7636 §4.6), another address, another code."""
    registration = registered(learner)
    code = parse_qs(urlsplit(decide(page(learner, registration))).query)["code"][0]

    with pytest.raises(learner.oidc.exceptions.InvalidGrantException):
        redeem(learner, registration, code, **wrong)


def test_the_code_of_another_client(learner):
    """A code is its own client's."""
    code = parse_qs(urlsplit(decide(page(learner, registered(learner)))).query)["code"][0]

    with pytest.raises(learner.oidc.exceptions.InvalidGrantException):
        redeem(learner, registered(learner), code)


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "nobody"},
        {"redirect_uri": "http://127.0.0.1:50000/elsewhere"},
        {"redirect_uri": "http://evil.example:50000/oauth/callback"},
        {"response_type": "token"},
        {"code_challenge": ""},
        {"code_challenge_method": "plain"},
        {"scopes": "sso:account:access everything"},
    ],
    ids=str,
)
def test_a_page_that_is_asked_for_wrongly(learner, wrong):
    """It says so, and sends nobody anywhere."""
    status, text, location = fetch(page(learner, registered(learner), **wrong))

    assert (status, location) == (400, None)
    assert "This request cannot be answered" in text


def test_a_client_for_device_codes(learner):
    """Who did not register for this grant gets no page."""
    assert fetch(page(learner, learner.register()))[0] == 400


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"redirectUris": ["https://evil.example/oauth/callback"]}, "InvalidRedirectUriException"),
        ({"redirectUris": None}, "InvalidRedirectUriException"),
        ({"issuerUrl": None}, "InvalidRequestException"),
        ({"scopes": None}, "InvalidScopeException"),
    ],
    ids=str,
)
def test_what_is_not_registered(learner, wrong, refusal):
    """A redirect off this machine, none at all, no issuer, no scopes."""
    with pytest.raises(learner.oidc.exceptions.ClientError) as caught:
        registered(learner, **wrong)

    assert caught.value.response["Error"]["Code"] == refusal


def test_a_form_counts_once(learner):
    """Its nonce is spent with the first press."""
    asked = page(learner, registered(learner))
    nonce = re.search(r'name="nonce" value="([^"]*)"', fetch(asked)[1])[1]
    form = {"nonce": nonce, "decision": "allow"}

    assert fetch(f"{learner.portal.url}/authorize", form)[0] == 302
    assert fetch(f"{learner.portal.url}/authorize", form)[0] == 403
