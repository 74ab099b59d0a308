"""
How panel and cards look: every face, light and dark, in pictures under `build/screenshots/`.

What a program can judge of it is asserted: contrast, nothing cut off, a mark that is
not colour alone. The pictures are for people.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser.hub import let_it_end

from cuaws_magic.practice import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from browser.hub import Hub
    from browser.lab import Lab
    from playwright.sync_api import Locator

PICTURES = Path(__file__).resolve().parents[2] / "build" / "screenshots"
PANEL = "%load_ext cuaws_magic\n%cuaws panel"
ENOUGH = 4.5  # WCAG 2.2, 1.4.3

# Every piece of text with its colour as seen (opacity and all) against what is behind it.
_CONTRAST = """(panel) => {
    const parse = (text) => {
        const numbers = text.match(/[\\d.]+/g).map(Number);
        const [r, g, b] = text.startsWith('color(') ? numbers.slice(0, 3).map((one) => one * 255) : numbers;
        return [r, g, b, numbers[3] ?? 1];
    };
    const over = (front, back, alpha) => front.slice(0, 3).map((one, at) => one * alpha + back[at] * (1 - alpha));
    const light = (colour) => colour.slice(0, 3)
        .map((one) => (one /= 255) <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
        .reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0);
    const behind = (element) => {
        for (let one = element; one; one = one.parentElement) {
            const colour = parse(getComputedStyle(one).backgroundColor);
            if (colour[3] === 1) return colour;
        }
        return [255, 255, 255];
    };
    const found = [];
    for (const element of panel.querySelectorAll('*')) {
        const text = [...element.childNodes].filter((one) => one.nodeType === 3).map((one) => one.data).join('').trim();
        if (!text || element.closest('style, :disabled') || !element.checkVisibility()) continue;
        if (element.closest('option:checked') || element.matches('.widget-label')) continue;
        let alpha = parse(getComputedStyle(element).color)[3];
        for (let one = element; one && one !== panel; one = one.parentElement) alpha *= getComputedStyle(one).opacity;
        if (alpha === 0) continue;  // not drawn: what keys and screen readers have beside the list
        const back = behind(element), front = over(parse(getComputedStyle(element).color), back, alpha);
        const [high, low] = [light(front), light(back)].sort((a, b) => b - a);
        found.push([Math.round(((high + 0.05) / (low + 0.05)) * 100) / 100, text.slice(0, 40)]);
    }
    return found;
}"""


# What of the list of accounts little room cuts off: names, marks, numbers.
_CUT_OFF = """(list) => {
    const right = list.getBoundingClientRect().left + list.clientWidth + 2;
    const parts = [...list.querySelectorAll('p > *')];
    const cut = parts.filter((one) => one.getBoundingClientRect().right > right || one.scrollWidth > one.clientWidth + 2
        && getComputedStyle(one).display !== 'inline');
    return parts.length ? cut.map((one) => one.innerText) : ['nothing is there'];
}"""

# On how many lines a word of a card stands.
_LINES_OF = """(card, word) => {
    const texts = document.createTreeWalker(card, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const at = texts.currentNode.data.indexOf(word);
        if (at < 0 || texts.currentNode.data === word && !texts.currentNode.previousSibling) continue;
        const range = document.createRange();
        range.setStart(texts.currentNode, at);
        range.setEnd(texts.currentNode, at + word.length);
        return range.getClientRects().length;
    }
    return 0;
}"""


def _picture(lab: Lab, name: str, part: Locator | None = None) -> None:
    """Take a picture of the panel, or of a card, and judge it."""
    part = part or lab.panel
    PICTURES.mkdir(parents=True, exist_ok=True)
    lab.page.mouse.move(0, 0)
    lab.page.wait_for_timeout(150)
    part.scroll_into_view_if_needed()
    box = part.bounding_box()
    assert box is not None
    clip = {"x": box["x"] - 12, "y": box["y"] - 12, "width": box["width"] + 24, "height": box["height"] + 24}
    lab.page.screenshot(path=PICTURES / f"{name}.png", clip=clip)
    faint = [one for one in part.evaluate(_CONTRAST) if one[0] < ENOUGH]
    cut = part.evaluate(
        "(panel) => [...panel.querySelectorAll('button, .cuaws-link, .widget-html-content')]"
        ".filter((one) => one.checkVisibility() && one.scrollWidth > one.clientWidth + 2).map((one) => one.innerText)"
    )
    assert faint == []
    assert cut == []


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_every_face(open_lab: Callable, hub: Hub, knob: Callable, theme: str):  # noqa: PLR0915 - one visit
    """Signed out, signing in, signed in, an account, a production one, a search, an error, the end, no kernel."""
    knob(accounts=209)
    lab = open_lab(PANEL, theme=theme, width=1000, zoom=2)
    name = theme.lower()
    lab.open_panel()

    _picture(lab, f"signed-out-{name}")
    lab.button("Sign in").click()
    lab.panel.get_by_role("link", name="Open sign-in page").wait_for()
    _picture(lab, f"signing-in-{name}")
    lab.approve(allow=False)
    lab.panel.get_by_role("alert").wait_for()
    _picture(lab, f"denied-{name}")
    lab.button("Sign in again").click()
    lab.approve()
    lab.panel.get_by_placeholder("Search 214 accounts").wait_for()
    lab.panel.get_by_label("Search accounts").fill("awsucob0")
    lab.panel.get_by_label("Search accounts").press("ArrowDown")
    lab.panel.locator("select").filter(has_text="MyRole").wait_for()
    ring = lab.panel.get_by_label("Accounts", exact=True).evaluate("(one) => getComputedStyle(one).outline")
    _picture(lab, f"choosing-{name}")
    lab.page.keyboard.press("Enter")
    lab.says("awsucob0myaccount · MyRole")
    lab.panel.get_by_label("Search accounts").fill("")
    lab.page.wait_for_timeout(300)
    _picture(lab, f"signed-in-{name}")
    lab.page.screenshot(path=PICTURES / f"page-{name}.png")
    lab.panel.get_by_label("Search accounts").fill("3333")
    lab.panel.get_by_label("Role", exact=True).locator("option", has_text="ReadOnly").wait_for(state="attached")
    lab.panel.get_by_label("Role", exact=True).select_option("ReadOnly")
    lab.button("Use this account").click()
    lab.says("awsucob0production · ReadOnly")
    lab.page.wait_for_timeout(300)
    _picture(lab, f"production-{name}")
    tag = lab.panel.locator(".cuaws-head .cuaws-tag").inner_text()
    lab.panel.get_by_label("Search accounts").fill("nothing like this")
    knob(failures=(Failure("GetRoleCredentials", 1000, "500"),))
    lab.button("Renew").click()
    lab.panel.get_by_role("alert").wait_for()
    _picture(lab, f"error-{name}")
    knob(failures=())
    lab.panel.get_by_label("Search accounts").fill("")
    let_it_end(hub, 24)
    lab.button("Try again").click()
    lab.says("Sign in again now, and nothing is interrupted.")
    _picture(lab, f"ending-{name}")
    for path in hub.home("ralphie").glob(".aws/sso/cache/*.json"):
        path.unlink()
    lab.button("Renew").click()
    lab.says("Sign-in ended")
    lab.page.wait_for_timeout(300)
    _picture(lab, f"ended-{name}")
    lab.restart_kernel()
    lab.says("This panel has lost its kernel.")
    _picture(lab, f"lost-{name}")

    assert tag == "production"
    assert "solid" in ring


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_cards(open_lab: Callable, knob: Callable, theme: str):
    """What commands show can be read, has code where one is to type, and breaks an ARN where it may be broken."""
    knob(approve_after=1)
    cells = {
        "nobody": "%load_ext cuaws_magic\n%cuaws",
        "login": "%cuaws login",
        "use": "used = %cuaws use awsucob0myaccount\nused",
        "whoami": "%cuaws whoami",
        "production": "import dataclasses\ndataclasses.replace(used, account_name='lab-prod', production=True)",
        "accounts": "%cuaws accounts nothing-like-this",
        "configure": "%cuaws configure --dry-run",
        "logout": "%cuaws logout",
    }
    lab = open_lab(*cells.values(), theme=theme, width=1000, zoom=2)

    said, lines = "", []
    for number, name in enumerate(cells):
        card = lab.run(number).locator("[role=status]").last
        lab.finished(number)
        _picture(lab, f"card-{name}-{theme.lower()}", card)
        said += card.inner_text()
        if name in {"use", "whoami"}:
            lines.append(card.evaluate(_LINES_OF, "ralphie@colorado.edu"))
            lab.page.set_viewport_size({"width": 480, "height": 900})
            lab.page.wait_for_timeout(300)
            _picture(lab, f"card-{name}-narrow-{theme.lower()}", card)
            lines.append(card.evaluate(_LINES_OF, "ralphie@colorado.edu"))
            lab.page.set_viewport_size({"width": 1000, "height": 900})

    assert "`" not in said
    assert lab.output(0).locator("code", has_text="%cuaws login").count() == 1
    assert lines == [1, 1, 1, 1]


def test_little_room(open_lab: Callable, knob: Callable):
    """Beside another page, beside two, and at 200 % zoom, everything is there and nothing is cut off."""
    knob(accounts=209)
    # At 200 % a window of 1280 by 800 has half as many CSS pixels; higher here, so that all is in the picture.
    rooms = {"zoom-200": 640, "narrow": 450, "very-narrow": 330}
    lab = open_lab(PANEL, zoom=2)
    cut_off = {}

    def pictures(name: str) -> None:
        for room, width in rooms.items():
            lab.page.set_viewport_size({"width": width, "height": 1000})
            lab.page.wait_for_timeout(300)
            _picture(lab, f"{name}-{room}")
            if name == "signed-in":
                cut_off[room] = lab.panel.locator(".cuaws-rows").evaluate(_CUT_OFF)

    lab.open_panel()
    lab.button("Sign in").click()
    lab.panel.get_by_role("link", name="Open sign-in page").wait_for()
    pictures("signing-in")
    lab.approve()
    lab.panel.get_by_label("Search accounts").fill("3333")
    lab.panel.get_by_label("Role", exact=True).locator("option", has_text="ReadOnly").wait_for(state="attached")
    lab.panel.get_by_label("Role", exact=True).select_option("ReadOnly")
    lab.button("Use this account").click()
    lab.says("awsucob0production · ReadOnly")
    lab.panel.get_by_label("Search accounts").fill("")
    pictures("signed-in")

    assert cut_off == {room: [] for room in rooms}
