"""One person in front of one notebook in JupyterLab, with the mouse and the keyboard."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import nbformat

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from browser.hub import Hub
    from playwright.sync_api import Browser, Locator, Page

PATIENCE = 30_000  # milliseconds; more than anything here takes
_NUMBERS = itertools.count(1)

# What JupyterLab and its extensions complain of by themselves.
_NOT_OURS = re.compile(
    r"status of 404|favicon|JupyterLab Extension Manager|jupyterlab-lsp|/lsp/status|/api/(kernels|sessions)/"
    r"|the server responded with a status of (403|404)|ResizeObserver loop"
    # Notebook 7, of its own parts, also where nothing of ours is on the page.
    r"|reading 'schema'|Command 'filebrowser:open-path' not registered",
    re.IGNORECASE,
)

# At a restart the page forgets its comms, and the kernel that ends closes each of them: a `comm_close` that comes after
# that is logged as an error by JupyterLab's own `_handleCommClose`. Nothing else of a panel may say it.
_CLOSED_TWICE = "Comm not found for comm id"

_SECRETS = ("accessToken", "deviceCode", "clientSecret", "ASIA[A-Z0-9]{12}")
_SECRET_TEXT = re.compile(r"ASIA[A-Z0-9]{12}|[A-Z]{4}-[0-9]{4}|accessToken")


class Lab:
    """
    A notebook in JupyterLab.

    Args:
        browser: Chromium.

        hub: Where the person's server is.

        user: Who.

        kernel: Which kernel.

        cells: The notebook's code cells.

        theme: `Light` or `Dark`.

        width: Of the window, in CSS pixels.

        zoom: As the browser's zoom; CSS pixels per device pixel.

        time_zone: Of the browser; the machine's without.

        page: `lab` for JupyterLab, `notebooks` for Notebook 7.
    """

    def __init__(  # noqa: PLR0913 - what a person may have different
        self,
        browser: Browser,
        hub: Hub,
        user: str,
        kernel: str,
        cells: Sequence[str],
        *,
        theme: str = "Light",
        width: int = 1000,
        height: int = 900,
        zoom: float = 1,
        time_zone: str | None = None,
        page: str = "lab",
    ) -> None:
        self._hub, self._user = hub, user
        hub.settings(user, theme)
        self.name = f"{user}-{next(_NUMBERS)}.ipynb"
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={"kernelspec": {"name": kernel, "display_name": kernel, "language": "python"}},
        )
        nbformat.write(notebook, self.path)
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, device_scale_factor=zoom, timezone_id=time_zone
        )
        self.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=hub.url)
        self.context.set_default_timeout(PATIENCE)
        self.complaints: list[str] = []
        self._restarted = False
        self._prompts: dict[int, str] = {}
        self.page = self.context.new_page()
        self._watch(self.page)
        self._tree = {"lab": "lab/tree", "notebooks": "notebooks"}[page]
        self._enter()
        self.ready()
        if page == "lab":
            self.page.evaluate("window.jupyterapp.shell.collapseLeft()")

    @property
    def path(self) -> Path:
        """The notebook's file."""
        return self._hub.home(self._user) / self.name

    @property
    def saved(self) -> str:
        """What the notebook's file says."""
        return self.path.read_text()

    @property
    def panel(self) -> Locator:
        """The panel; the last one, if there are several."""
        return self.page.locator(".cuaws-panel").last

    def button(self, name: str) -> Locator:
        """A button of the panel."""
        return self.panel.get_by_role("button", name=name, exact=True)

    def says(self, text: str) -> None:
        """Wait until the panel says something."""
        self.panel.get_by_text(text).first.wait_for()

    def run(self, number: int) -> Locator:
        """Run a cell, and do not wait for it; returns its output."""
        self._prompts[number] = self._prompt(number).inner_text()
        self.page.evaluate(
            """async (number) => {
                const notebook = window.jupyterapp.shell.currentWidget.content;
                notebook.activeCellIndex = number;
                window.jupyterapp.commands.execute('notebook:run-cell');
            }""",
            number,
        )
        return self.output(number)

    def output(self, number: int) -> Locator:
        """What stands below a cell."""
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(number).locator(".jp-OutputArea")

    def finished(self, number: int) -> str:
        """Wait for the end of a cell; returns the text below it."""
        before = re.escape(self._prompts[number])
        self._prompt(number).filter(has_text=re.compile(rf"^(?!{before})\[\d+\]")).wait_for()
        return self.output(number).inner_text()

    def _prompt(self, number: int) -> Locator:
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(number).locator(".jp-InputPrompt")

    def open_panel(self, number: int = 0) -> Locator:
        """Run the cell of the panel; returns the panel."""
        self.run(number).locator(".cuaws-panel").wait_for()
        return self.panel

    def approve(self, *, allow: bool = True) -> None:
        """Open the sign-in page from the panel, compare the code, and decide; the page closes afterwards."""
        link = self.panel.get_by_role("link", name="Open sign-in page")
        link.wait_for()
        code = self.panel.locator(".cuaws-code").inner_text()
        with self.context.expect_page() as opened:
            link.click()
        page = opened.value
        assert page.get_by_label("Code").input_value() == code
        page.get_by_role("button", name="Submit and continue").click()
        page.get_by_role("button", name="Allow access" if allow else "Deny access").click()
        page.wait_for_load_state()
        page.close()

    def sign_in(self) -> None:
        """Sign in from the panel, as a person does."""
        self.button("Sign in").click()
        self.approve()
        self.button("Use this account").wait_for()

    def save(self) -> None:
        """Save the notebook."""
        self.page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")

    def reload(self) -> None:
        """Reload the page; the kernel lives on."""
        self.page.reload()
        self.ready()

    def restart_kernel(self) -> None:
        """Restart the kernel, without a question."""
        self._restarted = True
        self.page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")

    def ready(self) -> None:
        """Wait until the notebook is there and its kernel idle."""
        self.page.wait_for_function(
            """() => {
                const widget = window.jupyterapp?.shell?.currentWidget;
                return widget?.sessionContext?.isReady && widget.sessionContext.session?.kernel?.status === 'idle'
                    && document.querySelector('.jp-Notebook .jp-CodeCell');
            }"""
        )

    def count_bytes(self) -> None:
        """Begin to count what the kernel sends."""
        self.page.evaluate(
            """() => {
                window.sent = 0;
                const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
                kernel.anyMessage.connect((_, { msg, direction }) => {
                    if (direction === 'recv') window.sent += JSON.stringify(msg).length;
                });
            }"""
        )

    def bytes_sent(self) -> int:
        """Return how much the kernel sent since."""
        return int(self.page.evaluate("window.sent"))

    def leaks(self) -> list[str]:
        """Return the names of secrets that stand in the state of a widget, as the page knows it."""
        state = self.page.evaluate(
            """async () => {
                const models = [];
                for (const element of document.querySelectorAll('.cuaws-panel, .cuaws-panel *'))
                    models.push(element.outerHTML);
                return models.join(' ');
            }"""
        )
        return [name for name in _SECRETS if re.search(name, state)] + _SECRET_TEXT.findall(self.saved)

    def close(self) -> None:
        """Close the page and end the kernel."""
        if not self.page.is_closed():
            self.page.evaluate("window.jupyterapp?.shell?.currentWidget?.sessionContext?.shutdown?.()")
        self.context.close()

    def _enter(self) -> None:
        # The hub starts the person's server if it is not there, then shows the notebook.
        path = quote(f"/user/{self._user}/{self._tree}/{self.name}?reset", safe="")
        self.page.goto(f"{self._hub.url}/hub/login?next={quote(f'/hub/spawn?next={path}', safe='')}")
        self.page.get_by_label("Username:").fill(self._user)
        self.page.get_by_label("Password:").fill("any")
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(f"**/{self._tree}/{self.name}*")

    def _watch(self, page: Page) -> None:
        def complain(text: str) -> None:
            if not _NOT_OURS.search(text) and not (self._restarted and text.startswith(_CLOSED_TWICE)):
                self.complaints.append(text)

        page.on("pageerror", lambda error: complain(f"page error: {error}"))
        page.on("console", lambda message: complain(message.text) if message.type == "error" else None)
