"""
A real JupyterHub with two users, a practice portal in AWS's place, and Chromium in front of it.

Started once for all browser tests of a pytest process; two of them do not disturb each
other. `scripts/browser_parts.sh` brings what they need and pip cannot: Chromium, the
hub's proxy, other lines of ipykernel.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser.hub import Hub, give_up, missing_parts
from browser.lab import Lab

from cuaws_magic.practice import Knobs, PracticePortal, people

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parents[2]
PARTS = ROOT / "build" / "browser"
CHROMIUM = Path("/usr/bin/chromium")
# Nothing of Chromium's own goes out; as root it has no sandbox.
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--force-color-profile=srgb",
)  # fmt: skip


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Hub, PracticePortal]]:
    """The hub and the portal, started once."""
    missing = missing_parts(PARTS, CHROMIUM)
    if missing:
        give_up(missing, os.environ)
    with PracticePortal(knobs=Knobs()) as portal, Hub(tmp_path_factory.mktemp("hub"), PARTS, portal.environment) as hub:
        yield hub, portal


@pytest.fixture(scope="session")
def browser(world: tuple[Hub, PracticePortal]) -> Iterator[Browser]:
    """Chromium, once."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        yield running
        running.close()


@pytest.fixture
def hub(world: tuple[Hub, PracticePortal]) -> Hub:
    """The hub, with homes in which nobody has signed in."""
    world[0].clean()
    return world[0]


@pytest.fixture
def portal(world: tuple[Hub, PracticePortal]) -> Iterator[PracticePortal]:
    """The portal, friendly again, where a person approves."""
    running = world[1]
    running.knobs = Knobs()
    running.clear_calls()
    yield running
    for code in running.pending_user_codes():
        running.deny(code)


@pytest.fixture
def hostile_account(monkeypatch: pytest.MonkeyPatch) -> people.PretendAccount:
    """An account at the portal with HTML in its name."""
    account = people.PretendAccount("666666666666", "<img src=x onerror=stolen()>", ("My<b>Role",))
    monkeypatch.setattr(people, "BUILT_IN", (*people.BUILT_IN, account))
    return account


@pytest.fixture
def open_lab(hub: Hub, portal: PracticePortal, browser: Browser) -> Iterator[Callable[..., Lab]]:
    """Open notebooks in JupyterLab; afterwards no page has complained of ours."""
    labs: list[Lab] = []

    def open_one(*cells: str, user: str = "ralphie", kernel: str = "python3", **more: object) -> Lab:
        labs.append(Lab(browser, hub, user, kernel, cells, **more))
        return labs[-1]

    yield open_one
    complaints = [complaint for lab in labs for complaint in lab.complaints]
    for lab in labs:
        lab.close()
    assert complaints == []


@pytest.fixture
def knob(portal: PracticePortal) -> Callable[..., None]:
    """Turn knobs of the portal."""

    def turn(**knobs: object) -> None:
        portal.knobs = dataclasses.replace(portal.knobs, **knobs)

    return turn
