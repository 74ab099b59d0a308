"""
`%cuaws login` as a person meets it: a card in JupyterLab, and the sign-in page that it opens.

What the card says is in `tests/views/test_sign_in.py`; here is what its script does, which
only a browser runs. Pictures of it are made under `build/screenshots/`, as in `test_looks`.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from browser.test_looks import _CONTRAST, ENOUGH, PICTURES

if TYPE_CHECKING:
    from collections.abc import Callable

    from browser.lab import Lab
    from playwright.sync_api import Locator, Page

    from cuaws_magic.practice import PracticePortal

LOAD, LOGIN = "%load_ext cuaws_magic", "%cuaws login"
SECONDS = 1000  # milliseconds
TIME_LEFT = re.compile(r"code good for (\d+):(\d\d)")
MINUTE, DAY = 60, 24 * 3600  # seconds
LONG_ENOUGH = 1 * SECONDS  # for a page to open that must not


def start(lab: Lab) -> tuple[Locator, Page, list[Page]]:
    """Run the login; returns the card, the page that it opened, and a list in which all such pages are."""
    opened: list[Page] = []
    lab.context.on("page", lambda page: opened.append(page))  # noqa: PLW0108 - Playwright cannot call a list's method
    lab.run(0)
    lab.finished(0)
    with lab.context.expect_page(timeout=10 * SECONDS) as first:
        card = lab.run(1)
    page = first.value
    page.wait_for_load_state()
    lab.page.bring_to_front()
    return card, page, opened


def allow(page: Page) -> None:
    page.get_by_role("button", name="Submit and continue").click()
    page.get_by_role("button", name="Allow access").click()
    page.wait_for_load_state()
    page.close()


def seconds_left(card: Locator) -> int:
    minutes, seconds = TIME_LEFT.fullmatch(card.locator("[data-left]").inner_text()).groups()
    return 60 * int(minutes) + int(seconds)


def load_again(lab: Lab) -> None:
    """Load the page; `Lab.reload` would wait for a kernel that is idle, and the cell still runs."""
    lab.page.reload()
    lab.output(1).get_by_text("CU Boulder · fedauth").wait_for()
    lab.page.wait_for_timeout(LONG_ENOUGH)


def width_of_bar(card: Locator) -> float:
    """Return how much of the bar is left, in percent."""
    return float(card.locator("[data-bar]").evaluate("one => one.style.width").rstrip("%"))


def picture(lab: Lab, card: Locator, name: str, theme: str) -> None:
    """Take a picture of the card, after a change to the theme; all of it can be read."""
    lab.page.evaluate(
        "name => window.jupyterapp.commands.execute('apputils:change-theme', { theme: name })", f"JupyterLab {theme}"
    )
    lab.page.locator(f"body[data-jp-theme-name='JupyterLab {theme}']").wait_for(state="attached")
    lab.page.wait_for_timeout(200)  # its colours come a moment later
    PICTURES.mkdir(parents=True, exist_ok=True)
    card.screenshot(path=PICTURES / f"login-{name}-{theme.lower()}.png")
    assert [one for one in card.evaluate(_CONTRAST) if one[0] < ENOUGH] == []


def test_from_the_cell_to_the_sign_in(open_lab: Callable):
    """The page opens by itself, once, with the code in it; after the approval the card has the outcome and no code."""
    lab = open_lab(LOAD, LOGIN, zoom=2)
    card, page, opened = start(lab)
    code = card.locator("code").inner_text()
    asked_for = page.get_by_label("Code").input_value()
    size = card.locator("code").evaluate("one => parseFloat(getComputedStyle(one).fontSize)")
    before = seconds_left(card)
    bar = width_of_bar(card)

    picture(lab, card, "waiting", "Light")
    card.get_by_role("button", name="Copy").click()
    card.get_by_role("button", name="Copied").wait_for()
    copied = lab.page.evaluate("navigator.clipboard.readText()")
    lab.page.wait_for_timeout(1.5 * SECONDS)
    after = seconds_left(card)
    bar_after = width_of_bar(card)
    picture(lab, card, "waiting", "Dark")
    lab.save()
    saved = lab.saved
    allow(page)
    said = lab.finished(1)
    outputs = card.locator(".jp-OutputArea-child").count()
    content = lab.page.content()
    picture(lab, card, "signed-in", "Dark")
    picture(lab, card, "signed-in", "Light")
    lab.save()
    lab.reload()
    lab.page.wait_for_timeout(LONG_ENOUGH)

    assert re.fullmatch(r"[A-Z]{4}-\d{4}", code)
    assert asked_for == code == copied
    assert size >= 24
    assert 9 * MINUTE < before <= 10 * MINUTE
    assert 1 <= before - after <= 10
    assert bar_after < bar
    assert code in saved
    assert said.startswith("Signed in for ")
    assert outputs == 1
    assert code not in content
    assert "Signed in for " in lab.saved
    assert code not in lab.saved
    assert "window.open" not in lab.saved
    assert lab.output(1).inner_text() == said
    assert opened == [page]


def test_a_page_that_is_loaded_again_opens_nothing(open_lab: Callable, portal: PracticePortal):
    """Not while the cell waits, not later, not in another browser; and a code that has expired is not shown."""
    lab = open_lab(LOAD, LOGIN, "%cuaws")
    card, page, opened = start(lab)
    page.close()
    code, now = card.locator("code").inner_text(), time.time()
    lab.save()

    load_again(lab)
    again = card.inner_text()
    left = seconds_left(card)
    portal.approve(code)
    lab.run(2)
    status = lab.finished(2)
    lab.page.clock.set_fixed_time(now + 11 * MINUTE)
    card.get_by_text("This code has expired", exact=True).wait_for()
    over = card.inner_text(), card.locator("a, button").count()
    # As a browser that has not had the card before.
    lab.page.evaluate("localStorage.clear()")
    lab.page.clock.set_fixed_time(now + MINUTE)
    load_again(lab)
    elsewhere = card.inner_text()
    # This one might still change, and the clock be wrong: the way to sign in stays.
    lab.page.clock.set_fixed_time(now + 11 * MINUTE)
    card.get_by_text("this code has expired", exact=True).wait_for()
    link = card.get_by_role("link", name="Open sign-in page").get_attribute("href")
    lab.page.clock.set_fixed_time(now + 2 * DAY)
    card.get_by_text("This code has expired", exact=True).wait_for()
    days_later = card.inner_text()

    assert code in again
    assert "The page was reloaded" in again
    assert left > 9 * MINUTE
    assert "Signed in" in status
    assert code not in over[0]
    assert over[1] == 0
    assert code in elsewhere
    assert "The page was reloaded" not in elsewhere
    assert code in link
    assert days_later == over[0]
    assert opened == [page]


def test_the_stop_button(open_lab: Callable, knob: Callable):
    """A code that replaces another opens no page; a stop takes it off page and file, and the kernel goes on."""
    knob(code_lifetime=4)
    lab = open_lab(LOAD, LOGIN, "print('goes on')")
    lab.context.once("page", lambda _: knob(code_lifetime=600))  # the first code runs out soon, the second does not
    card, page, opened = start(lab)
    first = page.get_by_label("Code").input_value()

    card.get_by_text("The last code expired; this is a new one.").wait_for()
    second = card.locator("code").inner_text()
    lab.page.wait_for_timeout(LONG_ENOUGH)
    lab.page.locator(".jp-NotebookPanel-toolbar [data-command='notebook:interrupt-kernel']").first.click()
    card.get_by_text("Sign-in cancelled").first.wait_for()
    said = lab.finished(1)
    lab.run(2)
    after = lab.finished(2)
    lab.save()

    assert second != first
    assert "Waiting" not in said
    assert "Traceback" not in said
    assert not re.search(r"[A-Z]{4}-\d{4}", said)
    assert card.locator("a, button").count() == 0
    assert after.strip() == "goes on"
    assert "Sign-in cancelled" in lab.saved
    assert not re.search(r"[A-Z]{4}-\d{4}", lab.saved)
    assert "window.open" not in lab.saved
    assert opened == [page]
