"""
The main job in Firefox, on the hub: the card, the sign-in page, an account in use, the panel.

Firefox opens no page that nobody pressed for; the card's own button does, and so everything works with one press more.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import quote

import nbformat
import pytest
from browser.firefox import FIREFOX, Firefox, wait
from browser.hub import give_up
from browser.test_looks import PICTURES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from browser.firefox import Page
    from browser.hub import Hub

    from cuaws_magic.practice import PracticePortal

CELLS = (
    "%load_ext cuaws_magic",
    "%cuaws login",
    "%cuaws use awsucob0myaccount",
    "import boto3; print('account', boto3.client('sts').get_caller_identity()['Account'])",
    "%cuaws panel",
    "%cuaws login --pkce --force",
)
USER = "firefox"


@pytest.fixture
def firefox(tmp_path: Path) -> Iterator[Firefox]:
    """Firefox, where it is installed."""
    if FIREFOX is None:
        give_up("Firefox is needed (`sh scripts/browser_parts.sh`, or `apt-get install firefox-esr`).", os.environ)
    with Firefox(tmp_path / "firefox") as running:
        yield running


@pytest.fixture
def lab(hub: Hub, portal: PracticePortal, firefox: Firefox) -> Page:
    """A notebook in JupyterLab, opened by a person who signs in to the hub."""
    hub.settings(USER, "Light")
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(one) for one in CELLS],
        metadata={"kernelspec": {"name": "python3", "display_name": "python3", "language": "python"}},
    )
    nbformat.write(notebook, hub.home(USER) / "work.ipynb")
    page = firefox.pages()[0]
    path = quote(f"/user/{USER}/lab/tree/work.ipynb?reset", safe="")
    page.open(f"{hub.url}/hub/login?next={quote(f'/hub/spawn?next={path}', safe='')}")
    for field, text in (("username", USER), ("password", "any")):
        page.click(f"document.querySelector('input[name={field}]')")
        page.type(text)
    page.type("\ue007")  # Enter
    ready = (
        "(() => { const one = window.jupyterapp?.shell?.currentWidget; return !!(one?.sessionContext?.isReady &&"
        " one.sessionContext.session?.kernel?.status === 'idle' && document.querySelector('.jp-Notebook .jp-CodeCell'))"
        " })()"
    )
    page.wait_for(CELLS[0])
    # A window that nobody looks at never gets the focus, by which JupyterLab knows the notebook that is meant.
    page.run("[...window.jupyterapp.shell.widgets('main')].map(one => one.node.dispatchEvent(new FocusEvent('focus')))")
    wait(lambda: page.run(ready))
    return page


def run(page: Page, number: int) -> None:
    """Run a cell, and do not wait for it."""
    page.run(
        "(async () => { const notebook = window.jupyterapp.shell.currentWidget.content;"
        f"notebook.activeCellIndex = {number}; window.jupyterapp.commands.execute('notebook:run-cell') }})()"
    )


def output(page: Page, number: int) -> str:
    """Return what a person reads below a cell."""
    cell = f"document.querySelectorAll('.jp-Notebook .jp-CodeCell')[{number}]"
    return str(page.run(f"{cell}.querySelector('.jp-OutputArea').innerText"))


def test_the_main_job(firefox: Firefox, lab: Page, portal: PracticePortal) -> None:
    """Sign in with the card's button, use an account, see it in the panel."""
    run(lab, 0)
    run(lab, 1)
    wait(lambda: "Waiting for you to approve" in output(lab, 1))
    wait(lambda: "code good for" in output(lab, 1))
    lab.picture(PICTURES / "firefox-login.png")
    code = lab.run("document.querySelector('.jp-OutputArea code').innerText")
    opened = len(firefox.pages())

    lab.press("Open sign-in page")
    page = firefox.wait_for_page("/device?user_code=")
    assert page.run("document.querySelector('#user_code').value") == code
    page.press("Submit and continue")
    page.wait_for("Allow access")
    page.press("Allow access")
    page.wait_for("Request approved")
    page.close()
    wait(lambda: "Signed in for" in output(lab, 1))
    run(lab, 2)
    run(lab, 3)
    wait(lambda: "account 111111111111" in output(lab, 3))
    run(lab, 4)
    wait(lambda: "awsucob0myaccount" in output(lab, 4))
    lab.picture(PICTURES / "firefox-panel.png")

    assert opened == 1  # none by itself
    assert code not in output(lab, 1)
    assert "MyRole" in output(lab, 2)
    # The card's time is the reader's own; the kernel's stands behind it.
    assert lab.run("document.querySelector('.jp-OutputArea time').title").endswith("UTC")


def test_the_address_of_a_page_that_cannot_be_reached(firefox: Firefox, lab: Page) -> None:
    """Firefox shows it in its address bar; from there it goes into the hidden box."""
    run(lab, 0)
    run(lab, 5)
    wait(lambda: lab.run("!!document.querySelector('input.jp-Stdin-input')"))
    lab.press("Open sign-in page")
    page = firefox.wait_for_page("/authorize?")
    page.press("Allow access")
    shown = "browsingContext.getTree"
    address = wait(
        lambda: next((one["url"] for one in firefox._ask(shown)["contexts"] if "/oauth/callback?" in one["url"]), None)
    )

    lab.click("document.querySelector('input.jp-Stdin-input')")
    lab.type(address)
    lab.type("\ue007")
    wait(lambda: "Signed in for" in output(lab, 5))

    assert "code=" not in output(lab, 5)
