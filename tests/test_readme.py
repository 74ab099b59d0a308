"""The README's first screen is true: its session, its commands, its links, its pictures."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path

import pytest
from doubles import RecordingShow

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *(ROOT / "docs").glob("*.md")])


def test_the_session_is_a_real_one(app):
    """What stands below `%cuaws use` is what it prints; times of day differ."""
    said = repr(app.use(RecordingShow(), "awsucob0myaccount"))
    block = README.split("In [2]: %cuaws use awsucob0myaccount\n")[1].split("\n\nIn [3]")[0]

    def without_times(text: str) -> str:
        return re.sub(r"\b(?:[A-Z][a-z]{2} )?\d\d:\d\d \w+", "TIME", text)  # in the evening it says the day too

    assert without_times(said) == without_times(block)


def test_what_make_can_do():
    """Each command that the README has a person type is there."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"`make ([a-z]+)`", README))

    assert {"demo", "lab", "test"} <= targets
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    """Files that a page links to, or shows, are there."""
    text = page.read_text(encoding="utf-8")
    linked = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text) + re.findall(r'(?:src|srcset)="([^"]+)"', text)

    missing = [one for one in linked if "://" not in one and not (page.parent / one).exists()]

    assert missing == []


def test_the_pictures_are_of_today():
    """They were drawn from the sources as they are now. If not, type `make pictures`."""
    pictures = runpy.run_path(str(ROOT / "scripts" / "pictures.py"))

    assert [name for name in pictures["PICTURES"] if not (ROOT / "docs" / name).exists()] == []
    drawn_from = json.loads(pictures["STAMP"].read_text(encoding="utf-8"))["drawn from"]
    assert drawn_from == pictures["digest"](), "Type `make pictures`."
