"""A day in front of a real page: what is remembered, asked, marked, offered, and said in the reader's time."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser.hub import give_up, let_it_end

from cuaws_magic.practice import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from browser.hub import Hub
    from browser.lab import Lab

    from cuaws_magic.practice import PracticePortal

PANEL = "%load_ext cuaws_magic\n%cuaws panel"
LOAD = "%load_ext cuaws_magic"
AXE = Path(__file__).resolve().parents[2] / "build" / "browser" / "node_modules" / "axe-core" / "axe.min.js"
_HERE = """(element) => new Date(element.getAttribute('datetime'))
    .toLocaleString([], {hour: 'numeric', minute: '2-digit'})"""


# JupyterLab, and Notebook 7.
EVERYWHERE = pytest.mark.parametrize("page", ["lab", "notebooks"])


def rows(lab: Lab) -> list[str]:
    return lab.panel.locator(".cuaws-rows p > span:first-child").all_inner_texts()


@pytest.mark.parametrize(("page", "time_zone"), [("lab", "America/Denver"), ("notebooks", "Asia/Kolkata")])
def test_times_are_the_readers(open_lab: Callable, knob: Callable, page: str, time_zone: str):
    """The kernel runs in UTC; cards and panel say the time of the browser, and in a tip the kernel's."""
    knob(approve_after=1)
    lab = open_lab(f"{LOAD}\n%cuaws use awsucob0myaccount", "%cuaws panel", time_zone=time_zone, page=page)
    lab.run(0)
    lab.finished(0)
    lab.open_panel(1)
    lab.says("ralphie@colorado.edu")

    for place, zone in ((lab.output(0), "UTC"), (lab.panel, "")):
        for moment in place.locator("time").all():
            assert moment.inner_text().endswith(moment.evaluate(_HERE))
            assert moment.get_attribute("title").endswith(zone)
    assert lab.output(0).locator("time").count() == 2
    assert lab.panel.locator("time").count() >= 2


@EVERYWHERE
def test_search_and_choose(open_lab: Callable, page: str):
    """Patterns and parts with what was found marked; Escape clears; a click and the arrow keys choose; a star lifts."""
    lab = open_lab(PANEL, page=page)
    lab.open_panel()
    lab.sign_in()
    search = lab.panel.get_by_label("Search accounts")
    lab.panel.locator(".cuaws-rows p").first.wait_for()
    before = rows(lab)

    search.fill("*-dev")
    lab.panel.locator(".cuaws-rows mark").filter(has_text="-dev").wait_for()
    found = rows(lab)
    search.press("Escape")
    lab.panel.locator(".cuaws-rows p").nth(4).wait_for()
    cleared = search.input_value()
    lab.panel.locator(".cuaws-rows p").filter(has_text="research-genomics").click()
    lab.panel.locator("select").filter(has_text="Researcher").wait_for()
    clicked = lab.panel.locator(".cuaws-chosen").inner_text()
    lab.button("☆ Favourite").click()
    lab.button("★ Favourite").wait_for()
    lab.panel.get_by_label("Accounts", exact=True).press("ArrowDown")
    lab.panel.locator(".cuaws-chosen").filter(has_text="awsucob0myaccount").wait_for()

    assert before[0] == "awsucob0myaccount"
    assert found == ["research-climate-dev"]
    assert cleared == ""
    assert "research-genomics" in clicked
    assert rows(lab)[:2] == ["★ research-genomics", "awsucob0myaccount"]


@EVERYWHERE
def test_production_asks(open_lab: Callable, knob: Callable, page: str):
    """The panel has a second button, the command asks for the name; a role that only looks is not asked about."""
    knob(approve_after=1)
    lab = open_lab(PANEL, "%cuaws use awsucob0production --role Admin", "%cuaws use awsucob0production --role ReadOnly")
    lab.open_panel()
    lab.button("Sign in").click()
    lab.button("Use this account").wait_for()
    lab.run(2)
    looking = lab.finished(2)
    lab.run(1)
    answer = lab.page.locator(".jp-Stdin-input")
    answer.wait_for()
    asked = lab.output(1).inner_text()
    answer.fill("no")
    answer.press("Enter")
    refused = lab.finished(1)
    lab.panel.locator(".cuaws-rows p").filter(has_text="awsucob0production").click()
    lab.panel.get_by_label("Role", exact=True).select_option("Admin")
    lab.button("Use this account").click()
    lab.says("awsucob0production is a production account, and Admin may change things there.")
    lab.button("Use it").click()
    lab.says("awsucob0production · Admin")

    assert "awsucob0production · ReadOnly" in looking
    assert "awsucob0production is a production account, and Admin may change things there." in asked
    assert "Nothing was changed: awsucob0production was not confirmed." in refused


@EVERYWHERE
def test_a_new_kernel_offers_the_account_used_last(
    open_lab: Callable, knob: Callable, portal: PracticePortal, page: str
):
    """After a restart one press puts it in use again, without another approval."""
    knob(approve_after=1)
    cells = (f"{LOAD}\n%cuaws use awsucob0myaccount", f"{LOAD}\n%cuaws", "%cuaws whoami")
    lab = open_lab(*cells, page=page)
    lab.run(0)
    lab.finished(0)
    lab.restart_kernel()
    lab.ready()
    lab.run(1)
    lab.finished(1)

    lab.output(1).get_by_role("button", name="Use awsucob0myaccount as MyRole").click()
    lab.output(1).get_by_text("renewed automatically").wait_for()
    lab.run(2)

    assert "assumed-role/AWSReservedSSO_MyRole" in lab.finished(2)
    assert portal.count("StartDeviceAuthorization") == 1


@EVERYWHERE
def test_buttons_on_cards(open_lab: Callable, knob: Callable, page: str):
    """They copy the number and the ARN; a page that does not trust the notebook shows none that do nothing."""
    knob(approve_after=1)
    lab = open_lab(f"{LOAD}\n%cuaws use awsucob0myaccount", page=page)
    lab.run(0)
    lab.finished(0)
    card = lab.output(0)

    copied = []
    for words in ("Copy account number", "Copy ARN"):
        card.get_by_role("button", name=words).click()
        card.get_by_role("button", name="Copied").wait_for()
        copied.append(lab.page.evaluate("navigator.clipboard.readText()"))
        card.get_by_role("button", name=words).wait_for()
    console = card.get_by_role("link", name="Open console").get_attribute("href")
    lab.save()

    assert copied[0] == "111111111111"
    assert re.fullmatch(
        r"arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_MyRole_\w+/ralphie@colorado\.edu", copied[1]
    )
    assert console.startswith("https://cuboulder.awsapps.com/start/#/console?account_id=111111111111&role_name=MyRole")
    assert re.search(r"<button[^>]* hidden ", lab.saved.replace('\\"', '"'))


@EVERYWHERE
def test_a_stop_is_not_red(open_lab: Callable, page: str):
    """Who stops a sign-in reads that on its card, once, and "Run all" stops."""
    lab = open_lab(f"{LOAD}\n%cuaws login", page=page)
    lab.run(0)
    lab.output(0).get_by_role("link", name="Open sign-in page").wait_for()

    lab.page.evaluate("window.jupyterapp.commands.execute('notebook:interrupt-kernel')")
    lab.output(0).get_by_text("Sign-in cancelled").wait_for()
    lab.finished(0)

    assert lab.output(0).inner_text().count("Sign-in cancelled") == 1
    assert lab.output(0).locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_accessible(open_lab: Callable, knob: Callable, theme: str):
    """axe-core finds nothing serious in the panel's faces and in the cards, and changes are announced."""
    if not AXE.exists():
        give_up("axe-core is not there. Type `sh scripts/browser_parts.sh`.", os.environ)
    lab = open_lab(
        PANEL, "%cuaws use awsucob0production --role ReadOnly", "%cuaws accounts --roles", "%cuaws", theme=theme
    )
    found: dict[str, list[str]] = {}

    def look(name: str, place: str) -> None:
        if not lab.page.evaluate("'axe' in window"):
            lab.page.evaluate(AXE.read_text(encoding="utf-8"))
        found[name] = lab.page.evaluate(
            """async (place) => (await axe.run(place)).violations
                .filter((one) => ['serious', 'critical'].includes(one.impact))
                .map((one) => one.id + ': ' + one.nodes.map((node) => node.html.slice(0, 200)).join(' | '))""",
            place,
        )

    lab.open_panel()
    look("signed out", ".cuaws-panel")
    lab.button("Sign in").click()
    lab.panel.locator(".cuaws-code").wait_for()
    look("waiting", ".cuaws-panel")
    lab.approve()
    lab.button("Use this account").wait_for()
    look("choosing", ".cuaws-panel")
    for cell in (1, 2, 3):
        lab.run(cell)
        lab.finished(cell)
    lab.says("awsucob0production · ReadOnly")
    look("in use", ".cuaws-panel")
    look("cards", ".jp-Notebook .jp-OutputArea:has([role=status])")

    assert found == {name: [] for name in found}
    assert lab.panel.locator("[role=status]").count() >= 1


@EVERYWHERE
def test_errors_go_and_enter_does_not_guess(open_lab: Callable, knob: Callable, page: str):
    """Enter on the first of many does nothing; what went wrong with one account is not said beside another."""
    lab = open_lab(PANEL, PANEL, page=page)
    lab.open_panel(1)
    lab.open_panel()
    lab.panel.get_by_role("button", name="Sign in", exact=True).click()
    lab.approve()
    search = lab.panel.get_by_label("Search accounts")
    search.fill("awsucob0")
    lab.panel.locator(".cuaws-rows mark").first.wait_for()
    search.press("Enter")
    lab.page.wait_for_timeout(700)
    guessed = lab.panel.get_by_text("You are").count()
    knob(failures=(Failure("GetRoleCredentials", 1000, "403"),))
    search.fill("myother")
    lab.panel.locator(".cuaws-rows mark").filter(has_text="myother").wait_for()
    search.press("Enter")
    alerts = lab.page.locator(".cuaws-panel [role=alert]")
    alerts.nth(1).wait_for()
    search.fill("")
    lab.panel.locator(".cuaws-rows p").filter(has_text="research-genomics").click()
    alerts.first.wait_for(state="hidden")
    alerts.nth(1).wait_for(state="hidden")

    assert guessed == 0


@EVERYWHERE
def test_after_a_restart_a_cell_says_what_to_type(open_lab: Callable, knob: Callable, page: str):
    """The account used last, below the traceback of boto3; `%cuaws use` alone takes it."""
    knob(approve_after=1)
    cells = (
        f"{LOAD}\n%cuaws use awsucob0myaccount",
        LOAD,
        'import boto3; boto3.client("s3").list_buckets()',
        "%cuaws use",
    )
    lab = open_lab(*cells, page=page)
    lab.run(0)
    lab.finished(0)
    lab.restart_kernel()
    lab.ready()
    for cell in (1, 2):
        lab.run(cell)
        lab.finished(cell)
    lab.output(2).get_by_text("%cuaws use awsucob0myaccount").wait_for()
    lab.run(3)

    assert "awsucob0myaccount · MyRole" in lab.finished(3)


@EVERYWHERE
def test_a_summary_first_the_difference_folded(open_lab: Callable, knob: Callable, page: str):
    """`configure` says what it would add; a click opens the lines."""
    knob(approve_after=1)
    lab = open_lab(f"{LOAD}\n%cuaws configure --dry-run", "%cuaws console nosuchservice awsucob0myaccount", page=page)
    lab.run(0)
    summary = lab.finished(0)
    lines = lab.output(0).get_by_text("[profile awsucob0myaccount]")
    folded = lines.is_visible()
    lab.output(0).get_by_text("Show the difference").click()
    lines.wait_for()
    lab.run(1)

    assert "research-genomics" in summary
    assert folded is False
    assert "The console has no page nosuchservice that is known here. Nearest: " in lab.finished(1)


@EVERYWHERE
def test_the_end_is_said_in_time(open_lab: Callable, knob: Callable, hub: Hub, portal: PracticePortal, page: str):
    """Renew says what it did; before a sign-in ends, a line above a cell has a button, and the panel its own."""
    knob(approve_after=1)
    lab = open_lab(PANEL, "%cuaws use awsucob0myaccount", "print('a cell')", page=page)
    lab.open_panel()
    lab.run(1)
    lab.finished(1)
    lab.button("Renew").click()
    lab.says("New credentials are in use, good for 4 h, until")
    let_it_end(hub, 30.2)
    lab.button("Renew").click()  # the kernel looks at the files again
    lab.says("The sign-in ends in 30 min")  # when that moment comes
    lab.run(2)
    said = lab.finished(2)
    lab.output(2).get_by_role("button", name="Sign in again").click()
    lab.output(2).get_by_text("Signed in for 8 h").wait_for()
    lab.panel.get_by_text("nothing is interrupted").wait_for(state="hidden")
    lab.button("Sign out").click()
    lab.button("Sign out everywhere").click()
    lab.says("Not signed in")

    assert "The sign-in ends in " in said
    assert "a cell" in said
    assert portal.count("StartDeviceAuthorization") == 2
    assert portal.count("Logout") == 1
