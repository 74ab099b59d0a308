"""
`%cuaws login --pkce` in JupyterLab on a hub: the page that it opens, and where the browser ends.

Kernel and browser are on one machine here, so both ways can be walked: the browser comes back by itself where the
kernel is told so, and otherwise the address is pasted, as on a hub. Pictures are made under `build/screenshots/`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from browser.test_login_card import SECONDS, picture, start

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

LOAD, LOGIN = "%load_ext cuaws_magic", "%cuaws login --pkce"
HERE = f"{LOAD}\n%config CuawsMagics.remote = False"


def test_the_browser_comes_back(open_lab: Callable) -> None:
    """One press, and the page says that it is done; so does the notebook, and no address of it stays."""
    lab = open_lab(HERE, LOGIN, zoom=2)
    card, page, opened = start(lab)
    picture(lab, card, "by-code-here", "Light")
    picture(lab, card, "by-code-here", "Dark")

    page.get_by_role("button", name="Allow access").click()
    page.get_by_role("heading", name="You are signed in").wait_for(timeout=10 * SECONDS)
    page.screenshot(path="build/screenshots/login-by-code-page.png")
    said = lab.finished(1)

    assert "Signed in for" in said
    assert len(opened) == 1
    assert "authorize?" not in lab.page.content()
    lab.save()
    assert "authorize?" not in lab.saved
    assert "code=" not in lab.saved


def ended_at(page: Page) -> str:
    """Press *Allow access*; returns the address of the page on which the browser then ends, and cannot show."""
    with page.expect_event("requestfailed", lambda request: "/oauth/callback?" in request.url) as failed:
        page.get_by_role("button", name="Allow access").click()
    return str(failed.value.url)


def box(card: Locator) -> Locator:
    return card.locator("input.jp-Stdin-input")


def test_on_a_hub_the_address_is_pasted(open_lab: Callable) -> None:
    """The browser ends on a page that cannot be reached; its address goes into a box that hides it."""
    lab = open_lab(LOAD, LOGIN, zoom=2)
    card, page, _ = start(lab)
    box(card).wait_for()
    picture(lab, card, "by-code-hub", "Light")
    picture(lab, card, "by-code-hub", "Dark")
    address = ended_at(page)
    page.close()

    assert box(card).get_attribute("type") == "password"
    box(card).fill(address)
    box(card).press("Enter")
    said = lab.finished(1)

    assert "Signed in for" in said
    lab.save()
    code = address.split("code=")[1].split("&")[0]
    assert code not in lab.page.content()
    assert code not in lab.saved
    assert "authorize?" not in lab.saved


def test_another_address_is_refused_in_one_line(open_lab: Callable) -> None:
    """What is wrong and what to type, and the card is gone."""
    lab = open_lab(LOAD, LOGIN)
    card, page, _ = start(lab)
    box(card).wait_for()
    box(card).fill(page.url)
    box(card).press("Enter")
    lab.finished(1)

    assert "That is not the address of the page on which this sign-in ended" in card.inner_text()
    assert "Type %cuaws login --pkce to start again" in card.inner_text().replace("`", "")
    assert "authorize?" not in lab.page.content()


def test_a_qr_code_on_the_page(open_lab: Callable) -> None:
    """Beside the code, in both themes; it goes with the code."""
    lab = open_lab(LOAD, "%cuaws login --qr", zoom=2)
    card, page, _ = start(lab)
    code = card.get_by_role("img", name="QR code: the sign-in page, for your phone")
    size = code.bounding_box()
    picture(lab, card, "qr", "Light")
    picture(lab, card, "qr", "Dark")

    page.get_by_role("button", name="Submit and continue").click()
    page.get_by_role("button", name="Allow access").click()
    lab.finished(1)

    assert size["width"] > 100
    assert code.count() == 0
    lab.save()
    assert "image/png;base64" not in lab.saved
