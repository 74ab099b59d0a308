"""The pages of the practice portal, as a browser sees them."""

from __future__ import annotations

import http.client
import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

WARNING = "Practice portal: this is not AWS. Do not type a real password."


class Page(HTMLParser):
    """What matters of a page: its text, its form and its headers."""

    def __init__(self, status: int, headers: dict[str, str], body: str) -> None:
        super().__init__()
        self.status, self.headers, self.body = status, headers, body
        self.fields: dict[str, str] = {}
        self.buttons: list[tuple[str, str]] = []
        self.action = ""
        self.outside: list[str] = []
        self.feed(body)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        words = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = words["action"]
        elif tag == "input":
            self.fields[words["name"]] = words["value"]
        elif tag == "button":
            self.buttons.append((words.get("name", ""), words.get("value", "")))
        self.outside += [words[name] for name in ("src", "href") if words.get(name, "/")[:1] != "/"]


def visit(url: str, path: str, form: dict[str, str] | None = None, headers: dict[str, str] | None = None) -> Page:
    """Open a page, or press the button of a form."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        if form is None:
            connection.request("GET", path, headers=headers or {})
        else:
            connection.request("POST", path, urlencode(form), headers or {})
        answer = connection.getresponse()
        return Page(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read().decode())
    finally:
        connection.close()


def link(learner: Any, client_name: str | None = None) -> tuple[dict[str, str], Any, str]:
    """Begin a sign-in; return what the client knows, and the path of its link."""
    if client_name is None:
        registration = learner.register()
    else:
        answer = learner.oidc.register_client(clientName=client_name, clientType="public")
        registration = {"clientId": answer["clientId"], "clientSecret": answer["clientSecret"]}
    authorization = learner.authorize(registration)
    return (
        registration,
        authorization,
        authorization["verificationUriComplete"].removeprefix(learner.portal.url),
    )


@pytest.mark.parametrize(("decision", "title"), [("allow", "Request approved"), ("deny", "Request denied")])
def test_from_the_link_to_the_decision(learner: Any, clock: Any, decision: str, title: str) -> None:
    """Code filled in, consent for the client by name, decision: as the guide shows it."""
    registration, authorization, path = link(learner)
    url = learner.portal.url

    first = visit(url, path)
    second = visit(url, first.action, first.fields)
    third = visit(url, second.action, {**second.fields, "decision": decision})
    clock.move(1)

    assert "Authorization requested" in first.body
    assert "Submit and continue" in first.body
    assert first.fields["user_code"] == authorization["userCode"]
    assert "Allow botocore-client-fedauth to access your data?" in second.body
    assert second.buttons == [("decision", "allow"), ("decision", "deny")]
    assert title in third.body
    if decision == "allow":
        assert learner.poll(registration, authorization["deviceCode"])["accessToken"]
    else:
        with pytest.raises(learner.oidc.exceptions.AccessDeniedException):
            learner.poll(registration, authorization["deviceCode"])


def test_typed_code(learner: Any) -> None:
    """Someone on another device types the code, in small letters and without the hyphen."""
    _, authorization, _ = link(learner)
    url = learner.portal.url

    first = visit(url, "/device")
    typed = authorization["userCode"].replace("-", "").lower()
    second = visit(url, "/device", {**first.fields, "user_code": typed})

    assert first.fields["user_code"] == ""
    assert second.fields["user_code"] == authorization["userCode"]


def test_codes_that_do_not_wait(learner: Any, clock: Any) -> None:
    """Unknown, approved, denied and expired codes each have a clear page."""
    url = learner.portal.url
    _, approved, approved_path = link(learner)
    _, denied, denied_path = link(learner)
    _, _, expired_path = link(learner)
    learner.portal.approve(approved["userCode"])
    learner.portal.deny(denied["userCode"])

    clock.move(601)

    assert "No request has this code" in visit(url, "/device?user_code=XXXX-0000").body
    assert "This request was already approved" in visit(url, approved_path).body
    assert "This request was denied" in visit(url, denied_path).body
    assert "This code has expired" in visit(url, expired_path).body


@pytest.mark.parametrize("nonce", ["", "wrong"])
def test_forms_need_their_nonce(learner: Any, nonce: str) -> None:
    """A form that another site sends has no nonce of ours, and decides nothing."""
    _, authorization, _ = link(learner)
    form = {"nonce": nonce, "user_code": authorization["userCode"], "decision": "allow"}

    page = visit(learner.portal.url, "/consent", form)

    assert page.status == 403
    assert learner.portal.pending_user_codes() == [authorization["userCode"]]


def test_a_nonce_works_once_and_for_its_page(learner: Any) -> None:
    """The nonce of the first page neither presses its button twice nor the button of the second."""
    _, _, path = link(learner)
    url = learner.portal.url
    first, again = visit(url, path), visit(url, path)

    visit(url, first.action, first.fields)

    assert visit(url, first.action, first.fields).status == 403
    assert visit(url, "/consent", {**again.fields, "decision": "allow"}).status == 403


def test_what_clients_say_is_escaped(learner: Any) -> None:
    """A client name and a code are text, never HTML."""
    _, _, path = link(learner, "<script>alert(1)</script>")
    url = learner.portal.url

    first = visit(url, path)
    second = visit(url, first.action, first.fields)
    odd = visit(url, "/device?user_code=%22%3E%3Cscript%3E")

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in second.body
    for page in (first, second, odd):
        assert "<script" not in page.body


@pytest.mark.parametrize("path", ["/", "/start", "/device", "/device?user_code=NONE-0000", "/nothing", "link"])
def test_every_page(learner: Any, path: str) -> None:
    """Every page warns, loads nothing from elsewhere and forbids everything that it does not need."""
    _, authorization, complete = link(learner)

    page = visit(learner.portal.url, complete if path == "link" else path)

    assert WARNING in page.body
    assert page.outside == []
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert "form-action 'self'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert authorization["deviceCode"] not in page.body
    assert "prefers-color-scheme: dark" in page.body


def test_first_page_says_what_to_do(learner: Any) -> None:
    """The first page lists accounts, waiting codes and the variables to set."""
    _, authorization, _ = link(learner)

    body = visit(learner.portal.url, "/").body

    for word in ("awsucob0myaccount", "044444444444", authorization["userCode"], "ralphie@colorado.edu"):
        assert word in body
    for name, value in learner.portal.environment.items():
        assert f"{name}={value}" in body
    assert re.search(r'href="/device\?user_code=', body)


def test_decided_codes_leave_the_list(learner: Any) -> None:
    """The access portal lists only what waits."""
    _, authorization, _ = link(learner)
    before = visit(learner.portal.url, "/start").body

    learner.portal.approve(authorization["userCode"])

    assert authorization["userCode"] in before
    assert authorization["userCode"] not in visit(learner.portal.url, "/start").body


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost:{port}", 200),
        ("", 421),
        ("[", 421),
    ],
)
def test_only_its_own_names(learner: Any, host: str, status: int) -> None:
    """A name that was rebound to loopback reaches neither side of the portal."""
    front, back = learner.portal.url, learner.portal.aws_url
    named = host.format(port=urlsplit(front).port)

    assert visit(front, "/", headers={"Host": named}).status == status
    if status != 200:
        assert visit(back, "/", headers={"Host": named}).status == status
