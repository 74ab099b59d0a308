"""Two organisations on one page: a line for each in the panel, buttons below a card, accounts under their headings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from browser.test_looks import _picture

from cuaws_magic.practice.people import PARTNER_START_URL, START_URL

if TYPE_CHECKING:
    from collections.abc import Callable

    from browser.hub import Hub
    from browser.lab import Lab
    from playwright.sync_api import Locator

    from cuaws_magic.practice import PracticePortal

PANEL = "%load_ext cuaws_magic\n%cuaws panel"
WHOSE = "import boto3; boto3.client('sts').get_caller_identity()['Account']"


@pytest.fixture
def two(hub: Hub, knob: Callable) -> None:
    """A home that has both, signed in to neither."""
    knob(organisations=2)
    folder = hub.home("ralphie") / ".aws"
    folder.mkdir(exist_ok=True)
    section = "[sso-session {}]\nsso_start_url = {}\nsso_region = us-west-2\n"
    (folder / "config").write_text(section.format("cu", START_URL) + section.format("partner", PARTNER_START_URL))


def line(lab: Lab, whose: str) -> Locator:
    return lab.panel.locator(".cuaws-sign-ins > .cuaws-row").filter(has_text=whose)


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_the_panel(open_lab: Callable, theme: str):
    """Sign in to each by its own button, use an account of either, sign out of one: the other stays."""
    lab = open_lab(PANEL, WHOSE, theme=theme, width=1000, zoom=2)
    lab.open_panel()
    line(lab, "partner").wait_for()
    _picture(lab, f"two-signed-out-{theme.lower()}")

    for whose, count in (("partner", 2), ("CU Boulder", 7)):
        line(lab, whose).get_by_role("button", name="Sign in").click()
        lab.approve()
        lab.panel.get_by_placeholder(f"Search {count} accounts").wait_for()
    headings = lab.panel.locator(".cuaws-rows b").all_inner_texts()
    lab.panel.get_by_label("Search accounts").fill("imaging")
    lab.panel.locator("select").filter(has_text="Researcher").wait_for()
    lab.button("Use this account").click()
    lab.says("partner-imaging · Researcher")
    lab.run(1)
    first = lab.finished(1)
    lab.panel.get_by_label("Search accounts").fill("")
    lab.page.wait_for_timeout(300)
    _picture(lab, f"two-signed-in-{theme.lower()}")

    line(lab, "CU Boulder").get_by_role("button", name="Sign out").click()
    lab.says("of CU Boulder")
    lab.button("Sign out everywhere").click()
    line(lab, "CU Boulder").get_by_role("button", name="Sign in").wait_for()
    lab.run(1)
    second = lab.finished(1)

    assert headings == ["CU Boulder · cu", "partner.awsapps.com · partner"]
    assert "666666666666" in first
    assert "666666666666" in second


@pytest.mark.usefixtures("two")
def test_a_click_on_a_row_below_a_heading(open_lab: Callable):
    """Selects the account of that row, and no other."""
    lab = open_lab(PANEL)
    lab.open_panel()
    for whose, count in (("partner", 2), ("CU Boulder", 7)):
        line(lab, whose).get_by_role("button", name="Sign in").click()
        lab.approve()
        lab.panel.get_by_placeholder(f"Search {count} accounts").wait_for()

    lab.panel.locator(".cuaws-rows p", has_text="research-climate-dev").click()
    lab.panel.locator("select").filter(has_text="DataSteward").wait_for()

    chosen = lab.panel.locator(".cuaws-rows .cuaws-chosen").inner_text()
    assert "research-climate-dev" in chosen


@pytest.mark.usefixtures("two")
def test_the_buttons_below_login(open_lab: Callable, portal: PracticePortal):
    """`%cuaws login` asks where; the button of one shows its code, and the sign-in is that one's."""
    lab = open_lab("%load_ext cuaws_magic\n%cuaws login", "%cuaws status")
    lab.run(0)
    lab.finished(0)
    lab.output(0).get_by_role("button", name="Sign in to partner.awsapps.com · partner").click()
    lab.output(0).get_by_role("link", name="Open sign-in page").wait_for()
    portal.approve(portal.pending_user_codes()[0])
    lab.output(0).get_by_text("Signed in for").first.wait_for()
    lab.run(1)
    said = lab.finished(1)

    assert "Where do you want to sign in?" in lab.output(0).inner_text()
    assert "Signed in to 1 of 2" in said
