"""The card of a sign-in: what it asks of a person, what runs on the page, and what is left of it."""

from __future__ import annotations

import html
import json
import re

import pytest
from doubles import HOUR, NOON, a_device_authorization

from cuaws_magic.model import Secret, SsoSession
from cuaws_magic.sso.session import CU_BOULDER
from cuaws_magic.views import sign_in
from cuaws_magic.views.render import PAGE_SCRIPT

ACME = SsoSession(None, "https://acme.awsapps.com/start", "us-east-1", None)
CODE = a_device_authorization()


def waiting(authorization=CODE, sso_session=CU_BOULDER, attempt=1, trouble=None):
    return sign_in.waiting(sso_session, authorization, attempt, trouble, NOON)


@pytest.mark.parametrize(
    ("sso_session", "expected"),
    [
        (CU_BOULDER, "CU Boulder · fedauth"),
        (SsoSession(None, CU_BOULDER.start_url, "us-west-2", None), f"CU Boulder · {CU_BOULDER.start_url}"),
        (ACME, "acme.awsapps.com"),
        (SsoSession("work", ACME.start_url, "us-east-1", None), "acme.awsapps.com · work"),
    ],
)
def test_the_organisation(sso_session, expected):
    """An organisation is called by its name where we know it, and by its host elsewhere."""
    assert sign_in.session_label(sso_session) == expected


def test_the_words_of_cu():
    """At CU the card speaks of IdentiKey and Duo."""
    first, second = sign_in.instructions(CU_BOULDER)

    assert "IdentiKey" in first
    assert "Duo" in first
    assert second == "Check that the page shows this code, then choose Allow access."


def test_the_words_of_others():
    """Elsewhere it does not."""
    assert "IdentiKey" not in str(waiting(sso_session=ACME))
    assert "sign in with your organisation&#39;s account" in waiting(sso_session=ACME)["text/html"]


def test_the_link_has_the_code_in_it():
    """The link opens the page with the code filled in, in a tab that cannot reach back."""
    (link,) = re.findall(r"<a ([^>]*)>", waiting()["text/html"])

    assert f'href="{CODE.verification_uri_complete}"' in link
    assert 'target="_blank"' in link
    assert 'rel="noopener noreferrer"' in link
    assert CODE.verification_uri_complete in waiting()["text/plain"]


def test_a_link_with_an_ampersand_still_leads_there():
    """An address goes into the attribute escaped, once, so that the browser gets it whole."""
    page = "https://device.sso.us-west-2.amazonaws.com/?user_code=A&x=1"

    markup = waiting(a_device_authorization(verification_uri_complete=page))["text/html"]

    (address,) = re.findall(r'<a href="([^"]*)"', markup)
    assert "&x" not in address
    assert html.unescape(address) == page


def test_how_long_the_code_lives():
    """Both faces say until when the code is good."""
    assert "for 10 min, until" in waiting()["text/plain"]
    assert "for 10 min, until" in waiting()["text/html"]


def test_no_device_code_anywhere():
    """What we poll with is in neither face, nor can it be had from the id of the card."""
    shown = str(waiting())

    assert "s3cret-device" not in shown
    assert re.search(r'id="cuaws-[0-9a-f]{16}"', shown)


def test_one_card_for_one_code():
    """The id is the same at each update of one code, and another for another: a page is opened once per code."""

    def card_id(authorization, **more):
        return re.search(r'<div id="([^"]*)"', waiting(authorization, **more)["text/html"])[1]

    assert card_id(CODE) == card_id(CODE, trouble="Down.")
    assert card_id(CODE) != card_id(a_device_authorization(device_code=Secret("another")))


def test_the_script_opens_a_code_that_is_new():
    """The first code's page opens by itself within seconds of the run; a later code's never."""
    issued = int(NOON.timestamp() * 1000)

    assert f"Math.abs(Date.now()-{issued})<30000" in waiting()["text/html"]
    assert f"Math.abs(Date.now()-{issued})<0&&" in waiting(attempt=2)["text/html"]


def test_the_script_says_nothing_of_the_code():
    """The script finds link and code on the card: neither is in it, so neither has to be escaped for it."""
    script = re.search(r"<script>(.*)</script>", waiting()["text/html"], re.DOTALL)[1]

    assert CODE.user_code not in script
    assert "amazonaws" not in script
    assert "{{" not in script
    assert script.count("{") == script.count("}")


def test_what_stands_there_when_the_code_has_run_out():
    """The script has a card without code and link for the page of an old notebook; no name in it ends the script."""
    acme = SsoSession("</script><b>", ACME.start_url, "us-east-1", None)

    script = re.search(r"<script>(.*?)</script>", waiting(sso_session=acme)["text/html"], re.DOTALL)[1]
    over = json.loads(re.search(r"card.innerHTML=(\".*?[^\\]\");return", script)[1])

    assert "This code has expired" in over
    assert "&lt;/script&gt;&lt;b&gt;" in over
    assert "<a " not in over
    assert "<button" not in over
    assert CODE.user_code not in over
    assert "</" not in script


def test_a_new_code_says_why():
    """The second code says that the first ran out."""
    assert "The last code expired; this is a new one." in waiting(attempt=2)["text/plain"]
    assert "The last code expired; this is a new one." in waiting(attempt=2)["text/html"]
    assert "ran out" not in waiting()["text/plain"]


def test_trouble_is_on_the_card():
    """While the service does not answer the card says why, and that it goes on."""
    assert "It is down. Still trying." in waiting(trouble="It is down.")["text/plain"]
    assert "It is down. Still trying." in waiting(trouble="It is down.")["text/html"]


@pytest.mark.parametrize(
    "after",
    [
        sign_in.signed_in(CU_BOULDER, NOON + 8 * HOUR, (), NOON),
        sign_in.ended(CU_BOULDER, "Not signed in", ("Denied.",)),
    ],
    ids=["signed in", "ended"],
)
def test_what_replaces_the_card(after):
    """What a saved notebook keeps has no code, no link, no script but the one that writes times."""
    markup = after["text/html"].replace(PAGE_SCRIPT, "")

    assert "<script" not in markup
    assert "<a " not in markup
    assert "<button" not in markup
    assert "ABCD" not in str(after)


def test_signed_in_until():
    """The card says until about when, rounded: eight hours are eight hours."""
    done = sign_in.signed_in(CU_BOULDER, NOON + 8 * HOUR, ("A note.",), NOON)

    assert done["text/plain"].startswith("Signed in for ")
    assert " to CU Boulder · fedauth." in done["text/plain"]
    assert done["text/plain"].endswith("\nA note.")
