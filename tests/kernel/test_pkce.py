"""`%cuaws login --pkce` in a real kernel: a listener beside it, or an address that is pasted into a hidden prompt."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

import pytest
from browsing import Person, decide

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Kernel

    from cuaws_magic.practice import PracticePortal


@pytest.fixture(autouse=True)
def _a_person(portal: PracticePortal) -> None:
    portal.knobs = dataclasses.replace(portal.knobs, approve_after=None)


def page_of(kernel: Kernel, cell) -> str:
    kernel.until(lambda: "/authorize?" in cell.ever)
    found = re.search(r"http://127\.0\.0\.1:\d+/authorize\?\S+", cell.ever)
    assert found is not None
    return found[0]


def test_the_browser_beside_the_kernel(start_kernel: Callable[..., Kernel]) -> None:
    """The browser comes back by itself; no address stays in the notebook."""
    kernel = start_kernel(CUAWS_REMOTE="0").load()
    cell = kernel.send("%cuaws login --pkce")
    person = Person(page_of(kernel, cell))

    kernel.finish(cell)

    assert cell.status == "ok"
    assert "You are signed in" in person.sees()
    assert "Signed in for" in cell.text
    assert "authorize?" not in cell.text + cell.html
    assert kernel.good("%cuaws use awsucob0myaccount").status == "ok"


def test_the_browser_elsewhere(start_kernel: Callable[..., Kernel]) -> None:
    """On a hub the person pastes the address of the dead page; it is nowhere afterwards."""
    kernel = start_kernel(JUPYTERHUB_USER="ralphie").load()
    cell = kernel.send("%cuaws login --pkce")
    question = kernel.asked()
    address = decide(page_of(kernel, cell))
    kernel.answer(address)

    kernel.finish(cell)

    assert (question["password"], question["prompt"]) == (
        True,
        "Paste the address of the page that cannot be reached (it stays hidden), then press Enter: ",
    )
    assert "Signed in for" in cell.text
    code = re.search(r"code=([^&]+)", address)[1]
    assert code not in cell.ever + kernel.good("%history").text + kernel.good("print(list(globals().values()))").text


def test_stopped_while_it_asks(start_kernel: Callable[..., Kernel]) -> None:
    """The stop button ends the question and the sign-in; the next command works."""
    kernel = start_kernel(JUPYTERHUB_USER="ralphie").load()
    cell = kernel.send("%cuaws login --pkce")
    kernel.asked()

    kernel.interrupt()
    kernel.finish(cell)

    assert "Sign-in cancelled" in cell.stopped
    assert "authorize?" not in cell.text + cell.html
    assert kernel.good("%cuaws status").status == "ok"


def test_it_turns_out_to_be_elsewhere(start_kernel: Callable[..., Kernel]) -> None:
    """A kernel that does not look far away is told so, as the card says."""
    kernel = start_kernel(CUAWS_REMOTE="").load()
    kernel.good("%config CuawsMagics.remote = False")
    cell = kernel.send("%cuaws login --pkce")
    page_of(kernel, cell)
    kernel.interrupt()
    kernel.finish(cell)

    kernel.good("%config CuawsMagics.remote = True")
    cell = kernel.send("%cuaws login --pkce")
    kernel.asked()
    kernel.answer(decide(page_of(kernel, cell)))
    kernel.finish(cell)

    assert "Signed in for" in cell.text


def test_nobody_to_ask(start_kernel: Callable[..., Kernel]) -> None:
    """Where no front end takes questions it is one line, and "Run all" stops."""
    kernel = start_kernel(JUPYTERHUB_USER="ralphie")

    _, error = kernel.run_all("%load_ext cuaws_magic", "%cuaws login --pkce", "print('on')")

    assert "Nobody can be asked here" in str(error)
