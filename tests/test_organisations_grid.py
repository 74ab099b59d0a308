"""Each home, in each state, with each command: how many approvals, where, and which organisations are asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from doubles import App, RecordingShow
from test_organisations import (
    CU,
    DEFAULT_ONLY,
    NONE,
    OLD,
    OLD_AND_NEW,
    ONE,
    PARTNER,
    SAME,
    THIRD,
    THREE,
    TWO,
    approvals,
    listed,
)

from cuaws_magic.errors import CuawsError
from cuaws_magic.practice import Knobs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cuaws_magic.practice import PracticePortal

HOMES = {
    "none": NONE,
    "one": ONE,
    "two": TWO,
    "three": THREE,
    "same-twice": SAME,
    "older": OLD,
    "older-newer": OLD_AND_NEW,
    "default": DEFAULT_ONLY,
}
COMMANDS: dict[str, Callable[[App, RecordingShow], object]] = {
    "status": lambda app, _: app.status(),
    "accounts": lambda app, show: app.accounts(show),
    "use-cu": lambda app, show: app.use(show, "awsucob0myaccount"),
    "use-partner": lambda app, show: app.use(show, "partner-imaging"),
    "login": lambda app, show: app.login(show),
    "logout": lambda app, _: app.logout(),
}
LETTERS = {CU: "C", PARTNER: "P", THIRD: "T"}

# Approvals, a slash, who is asked for lists and credentials; ! where it is an error. C is CU, P the partner, T a third,
# which has no accounts. The states: signed in to none, to the first that the home knows, to all; the first has ended.
EXPECTED = """\
home        state  status       accounts     use-cu       use-partner  login        logout
none        none   -/-          C/C          C/C          C/C!         C/-          -/-
none        first  -/-          -/C          -/C          -/C!         -/C          -/-
none        all    -/-          -/C          -/C          -/C!         -/C          -/-
none        ended  -/-          -/-          C/C          -/-!         C/-          -/-
one         none   -/-          C/C          C/C          C/C!         C/-          -/-
one         first  -/-          -/C          -/C          -/C!         -/C          -/-
one         all    -/-          -/C          -/C          -/C!         -/C          -/-
one         ended  -/-          -/-          C/C          -/-!         C/-          -/-
two         none   -/-          -/-!         -/-!         -/-!         -/-!         -/-
two         first  -/-          -/C          -/C          -/C!         -/C          -/-
two         all    -/-          -/CP         -/CP         -/CP         -/P          -/-
two         ended  -/-          -/-          C/C          -/-!         C/-          -/-
three       none   -/-          -/-!         -/-!         -/-!         -/-!         -/-
three       first  -/-          -/C          -/C          -/C!         -/C          -/-
three       all    -/-          -/CPT        -/CPT        -/CPT        -/T          -/-
three       ended  -/-          -/-          C/C          -/-!         C/-          -/-
same-twice  none   -/-          C/C          C/C          C/C!         C/-          -/-
same-twice  first  -/-          -/C          -/C          -/C!         -/C          -/-
same-twice  all    -/-          -/C          -/C          -/C!         -/C          -/-
same-twice  ended  -/-          -/-          C/C          -/-!         C/-          -/-
older       none   -/-          C/C          C/C          C/C!         C/-          -/-
older       first  -/-          -/C          -/C          -/C!         -/C          -/-
older       all    -/-          -/C          -/C          -/C!         -/C          -/-
older       ended  -/-          -/-          C/C          -/-!         C/-          -/-
older-newer none   -/-          -/-!         -/-!         -/-!         -/-!         -/-
older-newer first  -/-          -/C          -/C          -/C!         -/C          -/-
older-newer all    -/-          -/CP         -/CP         -/CP         -/P          -/-
older-newer ended  -/-          -/-          C/C          -/-!         C/-          -/-
default     none   -/-          P/P          P/P!         P/P          P/-          -/-
default     first  -/-          -/P          -/P!         -/P          -/P          -/-
default     all    -/-          -/P          -/P!         -/P          -/P          -/-
default     ended  -/-          -/-          -/-!         P/P          P/-          -/-
"""


def cells() -> list[tuple[str, str, str, str]]:
    head, *rows = [line.split() for line in EXPECTED.splitlines()]
    return [(row[0], row[1], command, cell) for row in rows for command, cell in zip(head[2:], row[2:], strict=True)]


@pytest.fixture(autouse=True)
def _organisations(portal: PracticePortal) -> Iterator[None]:
    portal.knobs = Knobs(approve_after=1, interval=0, organisations=2)
    yield
    for app in App.opened:
        app.release()
        app.credentials._bound.clear()


def bring_about(state: str, home: Path) -> None:
    app = App()
    known = app.organisations.all()
    for one in {"none": [], "all": known}.get(state, known[:1]):
        app.login(RecordingShow(), sso_session=one, force=True)
    if state == "ended":
        App().accounts(RecordingShow())  # its list is remembered
        path = app.token_cache.token_path(known[0])
        content = json.loads(path.read_text())
        content.pop("refreshToken", None)
        path.write_text(json.dumps(content | {"expiresAt": "2026-01-01T00:00:00Z"}))


def seen(home: str, state: str, command: str, folder: Path, portal: PracticePortal) -> str:
    (folder / ".aws").mkdir()
    (folder / ".aws" / "config").write_text(HOMES[home])
    bring_about(state, folder)
    portal.clear_calls()
    failed = ""
    try:
        COMMANDS[command](App(), RecordingShow())
    except CuawsError:
        failed = "!"
    approved = "".join(LETTERS[one] for one in approvals(portal)) or "-"
    asked = "".join(sorted(LETTERS[one] for one in listed(portal))) or "-"
    return f"{approved}/{asked}{failed}"


@pytest.mark.parametrize(("home_name", "state", "command", "expected"), cells())
def test_who_is_asked_where(home_name, state, command, expected, home: Path, portal: PracticePortal):
    """As the table says."""
    assert seen(home_name, state, command, home, portal) == expected
