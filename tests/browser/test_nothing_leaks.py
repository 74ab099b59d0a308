"""No secret reaches the page, its messages, the saved notebook with the state of its widgets, or the server's log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from doubles import until
from marks import Marks

from cuaws_magic.practice import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from browser.hub import Hub

    from cuaws_magic.practice import PracticePortal

PANEL = "%load_ext cuaws_magic\nfrom cuaws_magic.ipython import masked_output\n%cuaws panel"
USE = "%load_ext cuaws_magic\n%cuaws use awsucob0myaccount"
UNMASK = "masked_output.unmask()"
LISTEN = """() => {
    window.heard = [];
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    kernel.anyMessage.connect((_, { msg }) => { window.heard.push(JSON.stringify(msg)); });
}"""
KEY_ID, KEY = "AKIAQ3EGR7Y2KJ5MZ4NB", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYsEcReTkEy1"
EXTENSION = "c.ServerApp.jpserver_extensions = {'cuaws_magic.integrations.server_extension': True}\n"


def save_with_widgets(hub: Hub, user: str) -> None:
    """Have JupyterLab save the state of widgets, as some people set it."""
    folder = hub.home(user) / ".jupyter" / "lab" / "user-settings" / "@jupyter-widgets" / "jupyterlab-manager"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plugin.jupyterlab-settings").write_text(json.dumps({"saveState": True}))


def test_the_panel_leaks_nothing(open_lab: Callable, hub: Hub, portal: PracticePortal, knob: Callable) -> None:
    """Sign in, denied once; use, refused once; switch, renew, sign out: with masking off, nothing is anywhere."""
    save_with_widgets(hub, "ralphie")
    marks = Marks(portal, hub.home("ralphie"))
    lab = open_lab(PANEL, UNMASK)
    lab.page.evaluate(LISTEN)
    lab.open_panel()
    lab.run(1)
    lab.finished(1)

    lab.button("Sign in").click()
    lab.approve(allow=False)
    lab.button("Sign in again").click()
    lab.panel.get_by_role("link", name="Open sign-in page").wait_for()
    marks.collect()
    lab.approve()
    lab.button("Use this account").wait_for()
    marks.collect()
    knob(failures=(Failure("GetRoleCredentials", 9, "403"),))
    lab.button("Use this account").click()
    lab.says("You may not")
    knob(failures=())
    lab.button("Use this account").click()
    lab.says("ralphie@colorado.edu")
    lab.button("Renew").click()
    lab.page.wait_for_timeout(500)
    marks.collect()
    lab.save()
    until(lambda: "application/vnd.jupyter.widget-state+json" in lab.saved)
    page, saved = lab.page.content(), lab.saved
    lab.button("Sign out").click()
    lab.says("This signs out every notebook and the AWS CLI in your home folder, too.")
    lab.button("Sign out everywhere").click()
    lab.says("Not signed in")
    heard = lab.page.evaluate("window.heard.join(' ')")

    assert len(marks.values) > 5
    assert len(heard) > 10_000
    for where in (page, saved, heard, hub.log.read_text()):
        assert marks.found_in(where) == []


def test_what_the_browser_saves_is_scrubbed(open_lab: Callable, hub: Hub) -> None:
    """A server with the save hook: the keys stay on the page, and are not in the file; the rest of it is."""
    user = "scrubber"
    config = hub.home(user) / ".jupyter" / "jupyter_server_config.py"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(EXTENSION)
    lab = open_lab(f"aws_secret_access_key = '{KEY}'\nprint('{KEY_ID}', aws_secret_access_key)", user=user)
    lab.run(0)
    lab.finished(0)

    lab.save()
    until(lambda: "[removed: " in lab.saved)

    assert KEY not in lab.saved
    assert KEY_ID not in lab.saved
    assert "print(" in lab.saved
    assert KEY in lab.page.content()


@pytest.mark.parametrize("kernel", ["python3", "ipykernel6"])
def test_what_is_printed_is_masked_on_the_page(open_lab: Callable, hub: Hub, knob: Callable, kernel: str) -> None:
    """With this ipykernel and the line before: the page, and the file, have the mask and the line about it."""
    if kernel not in hub.kernels:
        pytest.skip(f"{kernel} is not there. Type `sh scripts/browser_parts.sh`.")
    knob(approve_after=1)
    lab = open_lab(USE, "import os; key = os.environ['AWS_SECRET_ACCESS_KEY']; print(key, [key])\nkey", kernel=kernel)
    lab.run(0)
    lab.finished(0)

    lab.run(1)
    shown = lab.finished(1)
    lab.save()
    until(lambda: "was masked in this output" in lab.saved)

    assert shown.count("[masked by cuaws_magic]") == 3
    assert "cuaws_magic.reveal()" in shown
