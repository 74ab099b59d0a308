"""
Firefox, driven by the protocol that it speaks itself (WebDriver BiDi, W3C): Debian has Firefox and no driver for it.

As little of the protocol as a person in front of a notebook needs: pages, what stands on them, keys and the mouse.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import websocket

FIREFOX = next((path for path in map(Path, ("/usr/bin/firefox-esr", "/usr/bin/firefox")) if path.exists()), None)
PATIENCE = 40.0  # seconds; more than anything here takes
_LISTENS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
# Nothing of Firefox's own goes out or asks.
_SETTINGS = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.safebrowsing.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "dom.disable_open_during_load": True,  # as a person has it, and automation does not
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "remote.prefs.recommended": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.enabled": False,
}


class Firefox:
    """
    A running Firefox, with a profile of its own.

    Args:
        folder: Where its profile is.
    """

    def __init__(self, folder: Path) -> None:
        profile = folder / "profile"
        profile.mkdir(parents=True)
        (profile / "user.js").write_text(
            "".join(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in _SETTINGS.items())
        )
        self._log = folder / "firefox.log"
        self._profile = profile
        self._numbers = itertools.count(1)

    def __enter__(self) -> Firefox:  # noqa: PYI034 - Self is not in Python 3.10
        words = [str(FIREFOX), "--headless", "--no-remote", "--profile", str(self._profile),
                 "--remote-debugging-port", "0", "--width", "1100", "--height", "1000"]  # fmt: skip
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + PATIENCE
        while (found := _LISTENS.search(self._log.read_text(errors="replace"))) is None:
            if time.monotonic() > end or self._process.poll() is not None:
                self.__exit__()
                raise AssertionError(f"Firefox did not start:\n{self._log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)
        self._socket = websocket.create_connection(f"{found[1]}/session", timeout=PATIENCE, suppress_origin=True)
        self._ask("session.new", capabilities={})
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(AttributeError, OSError, websocket.WebSocketException):
            self._socket.close()
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def pages(self) -> list[Page]:
        """Return the open pages, the oldest first."""
        return [Page(self, one["context"]) for one in self._ask("browsingContext.getTree")["contexts"]]

    def wait_for_page(self, address: str) -> Page:
        """Return the page whose address has these words, when it is there."""
        return wait(lambda: next((one for one in self.pages() if address in str(one.run("location.href"))), None))

    def _ask(self, method: str, **parameters: Any) -> Any:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == number:
                assert answer["type"] == "success", answer
                return answer["result"]


class Page:
    """A page of it."""

    def __init__(self, firefox: Firefox, context: str) -> None:
        self._firefox = firefox
        self._context = context

    def ask(self, method: str, **parameters: Any) -> Any:
        """Send a command for this page."""
        return self._firefox._ask(method, context=self._context, **parameters)

    def open(self, address: str) -> None:
        """Go to an address."""
        self.ask("browsingContext.navigate", url=address, wait="complete")

    def run(self, expression: str) -> Any:
        """Return what an expression of JavaScript gives, as far as JSON can say it."""
        found = self._firefox._ask(
            "script.evaluate", expression=f"(async () => JSON.stringify(await ({expression})))()",
            target={"context": self._context}, awaitPromise=True, userActivation=False,
        )  # fmt: skip
        assert found["type"] == "success", found
        said = found["result"].get("value")
        return None if said is None else json.loads(said)

    def text(self, selector: str = "body") -> str:
        """Return what a person reads in an element; empty if there is none."""
        return str(self.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    def wait_for(self, words: str, selector: str = "body") -> None:
        """Wait until words stand in an element."""
        wait(lambda: words in self.text(selector))

    def click(self, element: str) -> None:
        """Press the left button on an element, which an expression gives, when it is in sight and stands still."""
        middle = (
            f"(async () => {{ const one = {element}; if (!one) return null; one.scrollIntoView({{block: 'center'}});"
            "const at = () => { const box = one.getBoundingClientRect();"
            "return [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)] };"
            "const first = at(); await new Promise(done => setTimeout(done, 150)); const [x, y] = at();"
            "const hit = one.contains(document.elementFromPoint(x, y));"
            "return hit && first[0] === x && first[1] === y ? [x, y] : null })()"
        )
        x, y = wait(lambda: self.run(middle))
        actions = [
            {"type": "pointerMove", "x": x, "y": y},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        self.ask("input.performActions", actions=[{"type": "pointer", "id": "mouse", "actions": actions}])

    def press(self, words: str, kind: str = "button, a") -> None:
        """Press a button or link by its words."""
        self.click(
            f"[...document.querySelectorAll({json.dumps(kind)})].find(one => one.innerText.includes("
            f"{json.dumps(words)}) && one.offsetParent)"
        )

    def type(self, text: str) -> None:
        """Press keys."""
        keys = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        self.ask("input.performActions", actions=[{"type": "key", "id": "keys", "actions": keys}])

    def picture(self, path: Path) -> None:
        """Take a picture."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self.ask("browsingContext.captureScreenshot")["data"]))

    def close(self) -> None:
        """Close it."""
        self.ask("browsingContext.close")


def wait(condition: Any, patience: float = PATIENCE) -> Any:
    """Wait until something holds; returns what it gave."""
    end = time.monotonic() + patience
    while not (found := condition()):
        assert time.monotonic() < end, f"still waiting after {patience:.0f} s"
        time.sleep(0.1)
    return found
