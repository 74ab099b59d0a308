"""A browser that follows the pages of a sign-in by authorization code, without a window."""

from __future__ import annotations

import re
import threading
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPRedirectHandler, Request, build_opener


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def fetch(address: str, form: dict[str, str] | None = None, **headers: str) -> tuple[int, str, str | None]:
    """Ask for a page; returns status, text and where it redirects to."""
    body = urlencode(form).encode() if form is not None else None
    try:
        with build_opener(_Stay).open(Request(address, body, headers), timeout=20) as answer:
            return answer.status, answer.read().decode(), None
    except HTTPError as answer:
        with answer:
            return answer.code, answer.read().decode(), answer.headers.get("location")


def decide(page: str, decision: str = "allow") -> str:
    """Press a button of the consent page; returns where the browser is sent to."""
    _, text, location = fetch(page)
    if location is not None:  # a portal that approves by itself
        return location
    fields = dict(re.findall(r'name="(nonce|user_code)" value="([^"]*)"', text))
    action = re.search(r'action="([^"]+)"', text)
    assert action is not None, text
    _, _, location = fetch(urljoin(page, action[1]), {**fields, "decision": decision})
    assert location is not None
    return location


class Person(threading.Thread):
    """Opens a page in the background, decides, and goes where the browser is sent to."""

    def __init__(self, page: str, decision: str = "allow") -> None:
        super().__init__(daemon=True)
        self.page, self.decision = page, decision
        self.last: tuple[int, str, str | None] | None = None
        self.start()

    def run(self) -> None:
        self.last = fetch(decide(self.page, self.decision))

    def sees(self) -> str:
        """Return the text of the last page."""
        self.join(20)
        assert self.last is not None
        return self.last[1]
