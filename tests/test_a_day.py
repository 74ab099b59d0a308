"""From nine in the morning to the evening, by a clock that a test moves: one press, work, a warning, no failed cell."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import boto3
import botocore.auth
import pytest
from doubles import Clock, NotebookPage, until
from test_advice_on_the_page import Page, above, background, page  # noqa: F401 - the fixture
from test_advice_walks import ACCOUNT, ID

from cuaws_magic.aws import plain_clients
from cuaws_magic.ipython import offers


@pytest.fixture
def clock() -> Clock:
    """Nine in the morning in Boulder."""
    return Clock(datetime.now(timezone.utc).replace(microsecond=0))


@pytest.fixture(autouse=True)
def signed_at(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests are signed by the same clock: AWS goes by it."""
    if not hasattr(botocore.auth, "get_current_datetime"):
        pytest.skip("the signer of this botocore goes by a clock that no test can move")
    signed = plain_clients.signed
    for module in ("botocore.auth", "botocore.crt.auth"):
        if importlib.util.find_spec("awscrt") is not None or "crt" not in module:
            monkeypatch.setattr(
                f"{module}.get_current_datetime",
                lambda remove_tzinfo=True: clock().replace(tzinfo=None) if remove_tzinfo else clock(),
            )
    monkeypatch.setattr(plain_clients, "signed", lambda *what: signed(*what[:-1], clock()))


def press(notebook: NotebookPage, words: str, until_it_says: str) -> None:
    button = notebook.button(words)
    button._button.click()
    until(lambda: until_it_says in button._shown.value or not button._button.disabled)
    assert until_it_says in button._shown.value


def test_from_morning_to_evening(page: Page, clock: Clock, monkeypatch: pytest.MonkeyPatch):  # noqa: F811 - as above
    """Yesterday's account comes back with one press; each cell of the day works; the end is said before it comes."""
    monkeypatch.setenv("CUAWS_TZ", "America/Denver")
    # SSO tokens are refreshed each hour; eight hours after a sign-in that ends.
    page.portal.knobs = replace(page.portal.knobs, token_lifetime=3600)
    page.do(f"use {ACCOUNT}")  # yesterday
    page.do("logout")
    clock.forward(hours=16)
    page.new_kernel()
    morning = NotebookPage()

    # Nine o'clock: a new kernel, one press.
    offers.status(page.app.context, morning)
    press(morning, f"Use {ACCOUNT} as MyRole", "renewed automatically")
    client = boto3.Session().client("sts")
    client._request_signer._credentials._time_fetcher = clock
    began, said, failed = clock(), [], []
    signed_in_again = 0

    # A cell every ten minutes until seven.
    while clock() - began < timedelta(hours=10):
        clock.forward(minutes=10)
        background(page)
        hint = above(page)
        if hint:
            said.append((clock() - began, hint.splitlines()[0]))
        if "The sign-in ends in 10 min" in hint:
            evening = NotebookPage()
            offers.sign_in_again(page.app.context, evening)
            press(evening, "Sign in again", "Signed in for 8 h")
            signed_in_again += 1
        try:
            assert client.get_caller_identity()["Account"] == ID
        except Exception as error:  # noqa: BLE001 - whatever a cell fails with
            failed.append((clock() - began, error))

    assert failed == [], said
    assert signed_in_again == 1, said
    (first, thirty), (second, ten) = said
    assert thirty.startswith("The sign-in ends in 30 min, at ")
    assert ten.startswith("The sign-in ends in 10 min, at ")
    assert second - first == timedelta(minutes=20)
    assert timedelta(hours=7) < first < timedelta(hours=8)
    assert all(" MST." in line or " MDT." in line for _, line in said)
    assert page.portal.count("StartDeviceAuthorization") == 3
