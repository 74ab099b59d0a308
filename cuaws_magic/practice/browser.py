"""What a browser asks: the pages, and the forms behind the buttons."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from cuaws_magic.practice import oidc, pages, people
from cuaws_magic.practice.server import Reply
from cuaws_magic.practice.state import Authorization, CodeRequest, Decision, State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cuaws_magic.practice.knobs import Knobs
    from cuaws_magic.practice.people import PretendAccount
    from cuaws_magic.practice.server import Request

    Form = Callable[[Authorization, Mapping[str, str]], Reply]

_MOST_NONCES = 1000  # pages that may be open at once; the oldest are forgotten first


class Browser:
    """The pages of one running portal; every form carries a nonce that is good for one press of a button."""

    def __init__(self, state: State, environment: Mapping[str, str]) -> None:
        """Show this state; the environment is what the first page tells people to set."""
        self._state = state
        self._environment = environment
        self._lock = threading.Lock()
        self._nonces: OrderedDict[str, str] = OrderedDict()
        self._asked: dict[str, CodeRequest] = {}

    def answer(self, request: Request, knobs: Knobs) -> Reply:
        """Answer a page or a form."""
        shown = {
            "/": self._home,
            "/start": self._start,
            "/start/": self._start,
            "/device": self._device,
            "/authorize": self._authorize,
        }
        pressed = {"/device": self._code_entered, "/consent": self._decided}
        if request.method in ("GET", "HEAD") and request.path in shown:
            return shown[request.path](request, knobs)
        if request.method == "POST" and request.path == "/authorize":
            return self._code_decided(request)
        if request.method == "POST" and request.path in pressed:
            return self._press(request, pressed[request.path], request.path)
        text = "There is no such page in the practice portal."
        return pages.message("Not found", text, status=HTTPStatus.NOT_FOUND)

    def _home(self, _: Request, knobs: Knobs) -> Reply:
        return pages.home(self._accounts(knobs), self._codes(), self._environment)

    def _start(self, _: Request, knobs: Knobs) -> Reply:
        return pages.start(self._accounts(knobs), self._codes())

    def _accounts(self, knobs: Knobs) -> list[PretendAccount]:
        return [one for url in people.start_urls(knobs.organisations) for one in self._state.assignments(knobs, url)]

    def _device(self, request: Request, _: Knobs) -> Reply:
        user_code = request.parameters().get("user_code", "")
        if user_code:
            authorization, refusal = self._waiting(user_code)
            if authorization is None:
                return refusal
            user_code = authorization.user_code
        return pages.enter_code(user_code, self._new_nonce("/device"))

    def _authorize(self, request: Request, knobs: Knobs) -> Reply:
        asked, refusal = oidc.code_request(request.parameters(), self._state, knobs)
        if asked is None:
            return pages.message("This request cannot be answered", refusal, status=HTTPStatus.BAD_REQUEST)
        if knobs.deny or knobs.approve_after is not None:
            return self._redirected(asked, allowed=not knobs.deny)
        nonce = self._new_nonce("/authorize")
        with self._lock:
            self._asked[nonce] = asked
        return pages.ask_consent(asked.registration.client_name, None, nonce)

    def _code_decided(self, request: Request) -> Reply:
        fields = request.form()
        nonce = fields.get("nonce", "")
        with self._lock:
            asked = self._asked.pop(nonce, None)
        if not self._spend(nonce, "/authorize") or asked is None or self._state.now() >= asked.expires_at:
            return pages.out_of_date()
        return self._redirected(asked, allowed=fields.get("decision") == "allow")

    def _redirected(self, asked: CodeRequest, *, allowed: bool) -> Reply:
        """Send the browser back to the client (RFC 6749 §4.1.2)."""
        answer = {"code": self._state.issue_code(asked)} if allowed else {"error": "access_denied"}
        location = f"{asked.redirect_uri}?{urlencode(answer | {'state': asked.state})}"
        return Reply(HTTPStatus.FOUND, headers=(("Location", location), ("Cache-Control", "no-store")))

    def _press(self, request: Request, form: Form, path: str) -> Reply:
        fields = request.form()
        if not self._spend(fields.get("nonce", ""), path):
            return pages.out_of_date()
        authorization, refusal = self._waiting(fields.get("user_code", ""))
        if authorization is None:
            return refusal
        return form(authorization, fields)

    def _code_entered(self, authorization: Authorization, _: Mapping[str, str]) -> Reply:
        client_name = authorization.registration.client_name
        return pages.ask_consent(client_name, authorization.user_code, self._new_nonce("/consent"))

    def _decided(self, authorization: Authorization, fields: Mapping[str, str]) -> Reply:
        if fields.get("decision") == "allow":
            self._state.decide(authorization.user_code, Decision.APPROVED)
            return pages.message("Request approved", "You can close this window and return to your notebook.")
        self._state.decide(authorization.user_code, Decision.DENIED)
        return pages.message("Request denied", "Nothing was given access. You can close this window.")

    def _waiting(self, user_code: str) -> tuple[Authorization | None, Reply]:
        authorization = self._state.authorization_of(user_code)
        status = HTTPStatus.BAD_REQUEST
        if authorization is None:
            text = "Compare it with the code in your notebook, or start the sign-in again there."
            return None, pages.message("No request has this code", text, status=status)
        if authorization.decision is Decision.DENIED:
            return None, pages.message("This request was denied", "Start the sign-in again to get a new code.")
        if authorization.decision is not Decision.WAITING:
            return None, pages.message("This request was already approved", "A code works once. Close this window.")
        if self._state.now() >= authorization.expires_at:
            text = "Nobody approved it in time. Start the sign-in again to get a new one."
            return None, pages.message("This code has expired", text, status=status)
        return authorization, Reply(HTTPStatus.OK)

    def _codes(self) -> list[str]:
        return [authorization.user_code for authorization in self._state.waiting()]

    def _new_nonce(self, path: str) -> str:
        nonce = secrets.token_urlsafe(24)
        with self._lock:
            self._nonces[nonce] = path
            while len(self._nonces) > _MOST_NONCES:
                self._asked.pop(self._nonces.popitem(last=False)[0], None)
        return nonce

    def _spend(self, nonce: str, path: str) -> bool:
        with self._lock:
            return self._nonces.pop(nonce, None) == path
