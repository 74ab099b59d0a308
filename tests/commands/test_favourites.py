"""Favourites, and the order of everything that lists accounts: favourites, those used last, the rest by name."""

from __future__ import annotations

import pytest
from doubles import RecordingShow

from cuaws_magic.commands.names import Names
from cuaws_magic.errors import UnknownTarget
from cuaws_magic.sso.accounts import AccountList

BY_NAME = [
    "awsucob0myaccount",
    "awsucob0myotheraccount",
    "awsucob0production",
    "research-climate-dev",
    "research-genomics",
]


@pytest.fixture
def show() -> RecordingShow:
    return RecordingShow()


def names(table):
    return [account.name for account in table]


def test_a_star_comes_and_goes(app, show):
    """The same command again takes it away; what was done is said, and other kernels of the home see it."""
    before = app.accounts(show)
    starred = app.accounts(show, star="RESEARCH-genomics")
    again = app.accounts(show)
    gone = app.accounts(show, star="555555555555")

    assert names(before) == BY_NAME
    assert names(starred) == names(again) == [BY_NAME[-1], *BY_NAME[:-1]]
    assert "research-genomics is a favourite now: it stands on top of lists." in repr(starred)
    assert "★ research-genomics" in repr(again)
    assert 'title="Favourite"' in again.mimebundle()["text/html"]
    assert names(gone) == BY_NAME
    assert "research-genomics is no favourite any more." in repr(gone)


def test_who_is_not_there_is_not_starred(app, show):
    """An error that names the nearest, as everywhere."""
    with pytest.raises(UnknownTarget, match="Nearest: research-genomics"):
        app.accounts(show, star="research-genomic")


def test_the_order_everywhere(app, show):
    """The table, completion and the panel's list agree."""
    app.use(show, "awsucob0myotheraccount")
    app.use(show, "research-genomics")
    table = app.accounts(show, star="research-climate-dev")

    expected = [
        "research-climate-dev",
        "research-genomics",
        "awsucob0myotheraccount",
        "awsucob0myaccount",
        "awsucob0production",
    ]
    assert names(table) == expected
    assert Names(app.context).target_names() == expected


def test_production_in_the_table(app, show):
    """Marked in words in the text, in a frame on the page; the number stays in its column."""
    table = app.accounts(show)

    lines = repr(table).splitlines()
    assert "awsucob0production (production)  333333333333" in lines[3]
    assert len({line.index(line.split()[-1]) for line in lines[1:6]}) == 1
    assert table.mimebundle()["text/html"].count(">production</span>") == 1


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("*-dev", ["research-climate-dev"]),
        ("research-*", ["research-climate-dev", "research-genomics"]),
        ("AWSUCOB0my?account", []),
        ("*my*account", ["awsucob0myaccount", "awsucob0myotheraccount"]),
        (" *-dev ", ["research-climate-dev"]),
        ("4444*", []),
        ("0444*", ["research-climate-dev"]),
        ("clim dev", ["research-climate-dev"]),
    ],
)
def test_patterns_in_the_search_of_the_panel(app, show, typed, found):
    """As in `accounts`; words without a star are parts."""
    listed = AccountList(app.accounts(show), (), (), lambda _: False)

    assert [account.name for account in listed.find(typed)] == found


def test_production_is_marked_everywhere(app, show, home):
    """The same word in `use`, `status`, `whoami`, `export`, `console`, `accounts`; in a frame on a page."""
    app.use(show, "awsucob0production", role="ReadOnly")
    app.accounts(show)
    views = {
        "use": app.use(show, "awsucob0production", role="ReadOnly"),
        "status": app.status(),
        "whoami": app.whoami(),
        "export": app.export(show, None, "process", variable="keys"),
        "console": app.console(show),
        "accounts": app.accounts(show, "*production"),
    }

    plain = {
        name: "production" in repr(view).splitlines()[0].replace("awsucob0production", "")
        for name, view in views.items()
    }
    plain["accounts"] = "(production)" in repr(views["accounts"])
    assert plain == dict.fromkeys(views, True)
    assert {
        name: view.mimebundle()["text/html"].count(">production</span>") for name, view in views.items()
    } == dict.fromkeys(views, 1)
