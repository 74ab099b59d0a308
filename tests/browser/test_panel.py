"""
`%cuaws panel` as a person meets it: JupyterHub, JupyterLab, a browser, a portal page to approve on.

What each part says is in `tests/widget/test_panel.py`; here is what only a real page shows.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from browser.hub import give_up, missing_parts

from cuaws_magic.practice import Failure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from browser.hub import Hub

    from cuaws_magic.practice import PracticePortal
    from cuaws_magic.practice.people import PretendAccount

PANEL = "%load_ext cuaws_magic\n%cuaws panel"
WHO = 'import boto3; print(boto3.client("sts").get_caller_identity()["Arn"])'
SLEEP = "import time; time.sleep(4); print('slept')"
FOCUSED = "document.activeElement.innerText"
_CODE = re.compile(r"[A-Z]{4}-\d{4}")


@pytest.fixture(params=["python3", "ipykernel6"])
def kernel(request: pytest.FixtureRequest, hub: Hub) -> str:
    """This ipykernel, and the line before."""
    if request.param not in hub.kernels:
        pytest.skip(f"{request.param} is not there. Type `sh scripts/browser_parts.sh`.")
    return request.param


def test_the_whole_job(open_lab: Callable, portal: PracticePortal, kernel: str):
    """Sign in on the portal's page, reload meanwhile, search, use, call AWS, switch, reload, sign out."""
    lab = open_lab(PANEL, WHO, kernel=kernel)
    lab.open_panel()

    lab.button("Sign in").dblclick()
    code = lab.panel.locator(".cuaws-code").inner_text()
    lab.button("Copy").click()
    lab.button("Copied").wait_for()
    copied = lab.page.evaluate("navigator.clipboard.readText()")
    lab.save()
    lab.reload()
    lab.says(code)
    lab.approve()

    lab.panel.get_by_label("Accounts", exact=True).wait_for()
    signed_in = lab.panel.inner_text()
    lab.panel.get_by_label("Search accounts").press_sequentially("1111")
    lab.panel.get_by_label("Search accounts").press("Enter")
    lab.says("ralphie@colorado.edu")
    lab.run(1)
    first = lab.finished(1)
    lab.panel.get_by_label("Search accounts").fill("")
    lab.panel.get_by_label("Accounts", exact=True).select_option(label="awsucob0myotheraccount  " + "2222 2222 2222")
    lab.panel.locator("select").filter(has_text="MyOtherRole").wait_for()
    lab.button("Use this account").click()
    lab.says("awsucob0myotheraccount · MyOtherRole")
    lab.run(1)
    second = lab.finished(1)
    lab.save()
    lab.reload()
    lab.says("awsucob0myotheraccount · MyOtherRole")
    top = lab.panel.get_by_label("Accounts", exact=True).locator("option").first.inner_text()
    lab.button("Sign out").click()
    lab.says("This signs out every notebook and the AWS CLI in your home folder, too.")
    lab.button("Sign out everywhere").click()
    lab.says("Not signed in")
    lab.save()

    assert copied == code
    assert portal.count("StartDeviceAuthorization") == 1
    assert code not in signed_in
    assert "111111111111:assumed-role/AWSReservedSSO_MyRole" in first
    assert "222222222222:assumed-role/AWSReservedSSO_MyOtherRole" in second
    assert top.startswith("awsucob0myotheraccount")
    assert portal.count("Logout") == 1
    assert "AWS does not revoke them" in lab.panel.inner_text()
    assert code not in lab.page.content()
    assert code not in lab.saved
    assert lab.leaks() == []
    assert "{" not in lab.panel.inner_text()


def test_two_people_at_once(open_lab: Callable, hub: Hub):
    """The other person of the hub sees nothing of a sign-in: not on the page, not on disk."""
    mine, theirs = open_lab(PANEL), open_lab(PANEL, "%cuaws", user="chip")
    mine.open_panel()
    theirs.open_panel()

    mine.sign_in()
    mine.button("Use this account").click()
    mine.says("ralphie@colorado.edu")
    theirs.run(1)
    status = theirs.finished(1)

    assert "Not signed in" in theirs.panel.inner_text()
    assert "Not signed in" in status
    assert "ralphie" not in theirs.page.locator(".jp-Notebook").inner_text()
    assert "accessToken" in hub.files("ralphie")
    assert "accessToken" not in hub.files("chip")
    assert not [path for path in hub.home("ralphie").glob(".aws/**/*.json") if path.stat().st_mode & 0o077]


def test_what_goes_wrong_is_said_in_the_panel(open_lab: Callable, knob: Callable):
    """Denied, run out, no portal: one line, the words of the magics, and the button that helps."""
    lab = open_lab(PANEL, "%cuaws login --timeout 1")
    lab.open_panel()

    lab.button("Sign in").click()
    lab.approve(allow=False)
    lab.button("Sign in again").wait_for()
    denied = lab.panel.get_by_role("alert").inner_text()
    lab.button("Sign in again").click()
    lab.button("Cancel").click()
    lab.button("Sign in").wait_for()
    knob(code_lifetime=1.0)
    lab.button("Sign in").click()
    lab.says("The last code expired; this is a new one.")
    lab.button("Sign in again").wait_for()
    over = lab.panel.get_by_role("alert").inner_text()
    knob(code_lifetime=600.0, failures=(Failure("StartDeviceAuthorization", 1000, "reset"),))
    lab.button("Sign in again").click()
    lab.panel.get_by_role("alert").filter(has_not_text=over).wait_for()
    down = lab.panel.get_by_role("alert").inner_text()
    knob(failures=())
    lab.panel.get_by_role("button", name=re.compile("again")).first.click()
    lab.panel.get_by_role("link", name="Open sign-in page").wait_for()
    gone = lab.panel.get_by_role("alert").count()

    assert "denied" in denied.lower()
    assert "%cuaws" not in denied + over + down
    assert "approved" in over
    assert "reach" in down.lower() or "connect" in down.lower()
    assert "\n" not in denied + over + down
    assert gone == 0


@pytest.mark.parametrize("page", ["lab", "notebooks"])
def test_a_thousand_accounts_by_keyboard(
    open_lab: Callable, knob: Callable, hostile_account: PretendAccount, page: str
):
    """With the keyboard alone: sign in, search, choose, use; HTML in a name is text, and a keystroke sends little."""
    knob(accounts=994)
    lab = open_lab(PANEL, WHO, page=page)
    lab.open_panel()
    lab.button("Sign in").focus()
    lab.page.keyboard.press("Enter")
    lab.page.wait_for_function(f"() => {FOCUSED}.startsWith('Open sign-in page')")
    lab.approve()

    search = lab.panel.get_by_label("Search accounts")
    lab.panel.get_by_placeholder("Search 1,000 accounts by name or number").wait_for()
    lab.says("The first 100 of 1,000")
    search.focus()
    lab.count_bytes()
    lab.page.keyboard.press("r")
    lab.page.wait_for_timeout(700)
    sent = lab.bytes_sent()
    lab.page.keyboard.press("Backspace")
    lab.page.keyboard.type("awsucob0")
    lab.panel.locator("option").nth(2).wait_for(state="attached")
    lab.page.wait_for_function("() => document.querySelectorAll('.cuaws-panel .cuaws-list option').length == 3")
    for _ in range(3):
        lab.page.keyboard.press("ArrowDown")
    role = lab.panel.get_by_label("Role", exact=True)
    role.locator("option", has_text="ReadOnly").wait_for(state="attached")
    ring = lab.panel.locator(".cuaws-rows").evaluate("element => getComputedStyle(element).outlineStyle")
    lab.page.keyboard.press("Tab")
    lab.page.keyboard.type("Read")
    lab.page.keyboard.press("Tab")
    lab.page.keyboard.press("Tab")
    lab.page.wait_for_function(f"() => {FOCUSED} === 'Use this account'")  # before that: "Choose a role first"
    focused = lab.page.evaluate(FOCUSED)
    lab.page.keyboard.press("Enter")
    lab.says("awsucob0production · ReadOnly")
    lab.page.wait_for_function(f"() => {FOCUSED} === 'Use this account'")
    cells = lab.page.locator(".jp-Notebook .jp-Cell").count()
    search.fill("onerror")
    lab.page.wait_for_function("() => document.querySelectorAll('.cuaws-panel .cuaws-list option').length == 1")
    option = lab.panel.locator("option", has_text="onerror").inner_text()
    role.locator("option", has_text="My<b>Role").wait_for(state="attached")
    search.press("Enter")
    lab.says("My<b>Role in us-west-2")

    assert sent < 20_000
    assert ring == "solid"
    assert focused == "Use this account"
    assert cells == 2
    assert hostile_account.name in option.replace("\xa0", " ")
    assert lab.panel.locator("img[src=x]").count() == 0
    assert lab.panel.locator("b", has_text="Role").count() == 0


def test_the_focus_is_not_taken_from_elsewhere(open_lab: Callable, knob: Callable):
    """Who goes on in a cell while a button is at work stays there."""
    lab = open_lab(PANEL, WHO)
    lab.open_panel()
    lab.sign_in()
    knob(latency=1.0)

    lab.button("Use this account").focus()
    lab.page.keyboard.press("Enter")
    lab.button("Getting credentials …").wait_for()
    lab.page.locator(".jp-Notebook .cm-content").nth(1).click()
    lab.says("ralphie@colorado.edu")
    lab.page.wait_for_timeout(1000)

    assert "get_caller_identity" in lab.page.evaluate(FOCUSED)


@pytest.mark.parametrize("kernel_name", ["python3", "ipykernel6", "ipykernel7.0", "ipykernel7.2"])
def test_a_blocking_cell_loses_no_click(open_lab: Callable, hub: Hub, portal: PracticePortal, kernel_name: str):
    """A click while a cell runs is done at once or after it, but done, and once; news reach the panel meanwhile."""
    if kernel_name not in hub.kernels:
        pytest.skip(f"{kernel_name} is not there. Type `sh scripts/browser_parts.sh`.")
    lab = open_lab(PANEL, SLEEP, kernel=kernel_name)
    lab.open_panel()

    lab.run(1)
    lab.page.wait_for_timeout(500)
    lab.button("Sign in").click()
    lab.button("Sign in").or_(lab.button("Asking for a code …")).or_(lab.button("Cancel")).first.wait_for()
    lab.panel.get_by_role("link", name="Open sign-in page").wait_for()
    lab.approve()
    lab.button("Use this account").wait_for()

    assert "slept" in lab.finished(1)
    assert portal.count("StartDeviceAuthorization") == 1


def test_panels_magics_and_kernel_agree(open_lab: Callable, portal: PracticePortal):
    """Two panels and the magics show one state; a run again leaves one panel; a panel without kernel says so."""
    lab = open_lab(PANEL, "%cuaws panel", "%cuaws use awsucob0myaccount", "%cuaws logout")
    lab.open_panel(0)
    lab.open_panel(1)
    panels = lab.page.locator(".cuaws-panel")

    lab.run(2)
    panels.nth(1).locator(".cuaws-code").wait_for()
    codes = {panels.nth(number).locator(".cuaws-code").inner_text() for number in (0, 1)}
    lab.approve()
    for number in (0, 1):
        panels.nth(number).get_by_text("awsucob0myaccount · MyRole").wait_for()
    lab.run(3)
    for number in (0, 1):
        panels.nth(number).get_by_text("Not signed in").wait_for()
    lab.run(1)
    lab.page.wait_for_timeout(500)
    lab.page.wait_for_function("() => document.querySelectorAll('.cuaws-panel').length == 2")
    lab.restart_kernel()
    for number in (0, 1):
        panels.nth(number).get_by_text("This panel has lost its kernel.").wait_for()
        panels.nth(number).get_by_text("Run %load_ext cuaws_magic and this cell again").wait_for()

    assert len(codes) == 1
    assert portal.count("StartDeviceAuthorization") == 1
    assert not panels.nth(0).get_by_role("button").first.is_visible()


def test_closing_the_page_does_not_stop_renewals(open_lab: Callable, portal: PracticePortal, knob: Callable):
    """The kernel looks after its credentials, whether or not somebody looks at it."""
    knob(role_lifetime=9)
    lab = open_lab(PANEL)
    lab.open_panel()
    lab.sign_in()
    lab.button("Use this account").click()
    lab.says("ralphie@colorado.edu")

    lab.page.close()
    portal.clear_calls()
    time.sleep(10)

    assert portal.count("GetRoleCredentials") >= 2


def test_a_missing_browser_is_a_line_for_people_and_a_failure_for_ci(tmp_path: Path):
    """One line says how to get what is missing."""
    missing = missing_parts(tmp_path, tmp_path / "chromium")

    assert "apt-get install chromium" in missing
    assert "\n" not in missing
    with pytest.raises(pytest.skip.Exception, match="apt-get install chromium"):
        give_up(missing, {})
    with pytest.raises(pytest.fail.Exception, match="apt-get install chromium"):
        give_up(missing, {"CI": "true"})
