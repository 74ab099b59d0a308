"""
The panel without a browser: real widgets, a real app, the practice portal.

What only a page shows is in `tests/browser/`.
"""

from __future__ import annotations

import dataclasses
import itertools
import sys
import threading
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from doubles import App
from ipywidgets import HTML, Widget

from cuaws_magic.ipython.display import TextDisplay
from cuaws_magic.model import Account
from cuaws_magic.practice import Failure, Knobs, people
from cuaws_magic.settings import Settings
from cuaws_magic.sso.accounts import AccountList
from cuaws_magic.views.render import Cell
from cuaws_magic.widget import html, selection
from cuaws_magic.widget import view as panel_view
from cuaws_magic.widget.panel import Nowhere, Panel
from cuaws_magic.widget.state import Trouble, for_a_panel, marked, panel_state
from cuaws_magic.widget.view import open_panel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cuaws_magic.practice import PracticePortal

PATIENCE = 15.0  # seconds; far more than anything here takes
_RUNS = itertools.count()
NEW = people.PretendAccount("777777777777", "brand-new", ("MyRole",))


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def texts(panel: Panel) -> str:
    """Everything that stands in the state of the panel's widgets: what a page has, or a notebook could save."""
    return " ".join(str(widget.get_state()) for widget in everything(panel.root))


def everything(widget: Widget) -> Iterator[Widget]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from everything(child)


@pytest.fixture
def panels(app: App) -> Iterator[Callable[..., Any]]:
    """Open panels; each is in a cell of its own unless it is named."""
    opened: list[Panel] = []

    def one(cell: str | None = None, of: App = app) -> Any:
        number = next(_RUNS)
        view = open_panel(of.context, Cell(cell or f"cell-{number}", f"run-{number}"))
        assert view.panel is not None
        opened.append(view.panel)
        return view.panel

    yield one
    app.approvals.cancel()
    for panel in opened:
        panel.close()
    until(lambda: not any(thread.name == "cuaws-panel" for thread in threading.enumerate()))


@pytest.fixture
def signed_in(app: App, portal: PracticePortal) -> App:
    """The app after a sign-in."""
    app.login(Nowhere())
    return app


def ready(panel: Panel) -> Any:
    """Wait for the accounts and roles; returns the widgets."""
    widgets = panel._widgets  # what a page shows
    until(lambda: widgets.accounts.options and widgets.role.options and not widgets.role.disabled)
    return widgets


def test_signed_out_to_in_use_and_back(panels, app: App, portal: PracticePortal):
    """The buttons lead through the three faces; the code is in no widget once it is used."""
    portal.knobs = Knobs()
    panel = panels()
    widgets = panel._widgets

    widgets.sign_in.click()
    until(portal.pending_user_codes)
    (code,) = portal.pending_user_codes()
    until(lambda: code in texts(panel))
    portal.approve(code)
    ready(panel)
    after = texts(panel)
    widgets.accounts.value = "222222222222"
    widgets.use.click()
    until(lambda: app.credentials.current)
    until(lambda: "ralphie@colorado.edu" in texts(panel))
    in_use = texts(panel)
    widgets.sign_out.click()
    until(lambda: "This signs out every notebook and the AWS CLI in your home folder, too." in texts(panel))
    still = app.context.login.peek(app.choice.sso_session())[0]
    widgets.remedy.click()
    until(lambda: "Not signed in" in texts(panel))
    assert still is not None

    assert code not in after
    assert "awsucob0myotheraccount · MyOtherRole" in in_use
    assert "https://cuboulder.awsapps.com/start/#/console?account_id=222222222222" in in_use
    assert app.credentials.current is None
    assert "AWS does not revoke them" in texts(panel)


def test_no_secret_is_in_a_widget(panels, app: App, portal: PracticePortal):
    """Neither device code nor key nor SSO token is in the state of a widget, whatever face it shows."""
    portal.knobs = Knobs()
    panel = panels()
    seen = []

    panel._widgets.sign_in.click()
    until(portal.pending_user_codes)
    card = app.approvals.card
    until(lambda: app.approvals.card)
    card = app.approvals.card
    seen.append(texts(panel))
    portal.approve(portal.pending_user_codes()[0])
    ready(panel)
    panel._widgets.use.click()
    until(lambda: app.credentials.current)
    until(lambda: "ralphie@colorado.edu" in texts(panel))
    seen.append(texts(panel))

    credentials = app.credentials.current.credentials
    secrets = [card.authorization.device_code, credentials.secret_access_key, credentials.session_token]
    secrets.append(credentials.access_key_id)
    assert not [secret for secret in secrets for text in seen if secret.reveal() in text]


def test_many_clicks_are_one_sign_in(panels, portal: PracticePortal):
    """Clicks that come while the first is at work are the same wish, in two panels too."""
    portal.knobs = Knobs(latency=0.2)
    one, two = panels(), panels()

    for _ in range(5):
        one._widgets.sign_in.click()
        two._widgets.sign_in.click()
    until(portal.pending_user_codes)
    time.sleep(0.7)

    assert portal.count("StartDeviceAuthorization") == 1


def test_handlers_return_at_once(panels, portal: PracticePortal):
    """A click costs its handler nothing, however slow the portal is."""
    portal.knobs = Knobs(latency=1.0)
    panel = panels()

    began = time.perf_counter()
    panel._widgets.sign_in.click()
    took = time.perf_counter() - began

    assert took < 0.1


def test_cancel(panels, app: App, portal: PracticePortal):
    """Cancel ends the sign-in at once, and nothing is said to be wrong."""
    portal.knobs = Knobs()
    panel = panels()

    panel._widgets.sign_in.click()
    until(lambda: app.approvals.card and "Waiting for you to approve" in texts(panel))
    panel._widgets.cancel.click()
    until(lambda: "Not signed in" in texts(panel))

    assert app.approvals.card is None
    assert panel_state(app.context, app.context.now()).trouble is None


def test_magics_and_panels_see_one_state(panels, signed_in: App):
    """What a command does is in every panel, and what a panel does is in every command."""
    one, two = panels(), panels()
    ready(one)

    signed_in.use(Nowhere(), "awsucob0myaccount")
    until(lambda: all("awsucob0myaccount · MyRole" in texts(panel) for panel in (one, two)))
    one._widgets.accounts.value = "222222222222"
    one._widgets.use.click()
    until(lambda: "awsucob0myotheraccount · MyOtherRole" in texts(two))

    assert signed_in.status().in_use.account == "222222222222"


def test_what_was_typed_counts_before_the_enter_behind_it(panels, signed_in: App):
    """Enter right behind the last letter uses what that letter found, not what stood there before."""
    panel = panels()
    widgets = ready(panel)

    widgets.search.value = "genomics"
    widgets.search._handle_custom_msg({"event": "submit"}, [])
    until(lambda: signed_in.credentials.current)

    assert signed_in.credentials.current.account_role.account.name == "research-genomics"


def test_used_last_is_on_top(panels, signed_in: App):
    """The account used last is first in the list, the one before second."""
    signed_in.use(Nowhere(), "research-genomics", verify=False)
    signed_in.use(Nowhere(), "awsucob0myotheraccount", verify=False)
    signed_in.use(Nowhere(), "research-genomics", verify=False)

    widgets = ready(panels())

    assert [value for _, value in widgets.accounts.options][:2] == ["555555555555", "222222222222"]
    assert widgets.accounts.value == "555555555555"


def test_a_new_kernel_selects_what_was_used_last(panels, signed_in: App):
    """Also where a favourite stands above it."""
    signed_in.use(Nowhere(), "research-genomics")
    signed_in.accounts(Nowhere(), star="awsucob0myaccount")
    signed_in.release()
    widgets = ready(panels(of=App()))

    assert [value for _, value in widgets.accounts.options][:2] == ["111111111111", "555555555555"]
    assert widgets.accounts.value == "555555555555"


@pytest.mark.parametrize(("minutes", "said"), [(30, "nothing is interrupted"), (0, "Sign-in ended")])
def test_the_end_of_a_sign_in_is_said_at_that_moment(app: App, portal: PracticePortal, panels, minutes, said):
    """Not at the next of the looks that come every half minute."""
    app.use(Nowhere(), "awsucob0myaccount")
    ends = app.context.login.peek(app.choice.sso_session())[0].ends_at
    ahead = ends - timedelta(minutes=minutes) - timedelta(seconds=1) - datetime.now(timezone.utc)

    panel = Panel(app.context, lambda: datetime.now(timezone.utc) + ahead)
    before = said in texts(panel)
    began = time.monotonic()
    until(lambda: said in texts(panel))
    panel.close()

    assert before is False
    assert time.monotonic() - began < 10


def test_the_selection_follows_the_account_in_use(panels, signed_in: App):
    """What nobody picked on the panel is what is in use, whatever a cell puts in use; its role too."""
    signed_in.use(Nowhere(), "awsucob0production", role="ReadOnly")
    widgets = ready(panels())
    before = widgets.accounts.value, widgets.role.value

    signed_in.use(Nowhere(), "awsucob0myaccount")
    until(lambda: (widgets.accounts.value, widgets.role.value) == ("111111111111", "MyRole"))
    signed_in.use(Nowhere(), "awsucob0production", role="Admin", production=True)
    until(lambda: (widgets.accounts.value, widgets.role.value) == ("333333333333", "Admin"))

    assert before == ("333333333333", "ReadOnly")


def test_a_picked_account_stays_until_it_is_used(panels, signed_in: App):
    """A row that a person picked stays whatever a cell does; once it was used, the selection follows again."""
    signed_in.use(Nowhere(), "awsucob0production", role="ReadOnly")
    panel = panels()
    widgets = ready(panel)

    widgets.accounts.value = "222222222222"
    signed_in.use(Nowhere(), "awsucob0myaccount")
    until(lambda: "awsucob0myaccount · MyRole" in texts(panel))
    picked = widgets.accounts.value
    widgets.use.click()
    until(lambda: signed_in.credentials.current.account.id == "222222222222")
    until(lambda: "awsucob0myotheraccount · MyOtherRole" in texts(panel))
    signed_in.use(Nowhere(), "awsucob0myaccount")
    until(lambda: widgets.accounts.value == "111111111111")

    assert picked == "222222222222"


def test_a_picked_role_gives_way_once_it_was_used(panels, signed_in: App):
    """A role from the panel that was used is no choice any more: a role from a cell takes its place."""
    signed_in.choice.configure(Settings(confirm_production=False))
    signed_in.use(Nowhere(), "awsucob0production", role="ReadOnly")
    widgets = ready(panels())

    until(lambda: len(widgets.role.options) == 2)
    widgets.role.value = "Admin"
    widgets.use.click()
    until(lambda: signed_in.credentials.current.role_name == "Admin")
    signed_in.use(Nowhere(), "awsucob0production", role="ReadOnly")
    until(lambda: widgets.role.value == "ReadOnly")

    assert widgets.accounts.value == "333333333333"


def test_a_role_from_a_cell_right_after_one_from_the_panel(panels, signed_in: App, monkeypatch):
    """Both come into use before the panel looks: it shows the role that is in use, not the one that was picked."""
    signed_in.choice.configure(Settings(confirm_production=False))
    signed_in.use(Nowhere(), "awsucob0production", role="ReadOnly")
    panel = panels()
    widgets = ready(panel)
    until(lambda: len(widgets.role.options) == 2)
    widgets.role.value = "Admin"
    looked, follow = threading.Event(), panel._choice._follow
    monkeypatch.setattr(panel._choice, "_follow", lambda: follow() if looked.is_set() else None)

    widgets.use.click()
    until(lambda: signed_in.credentials.current.role_name == "Admin")
    signed_in.use(Nowhere(), "awsucob0production", role="ReadOnly")
    until(lambda: not signed_in.tasks.under_way("use"))
    looked.set()
    signed_in.observers.notify()

    until(lambda: widgets.role.value == "ReadOnly")


def test_pasted_keys_select_their_account_among_many(panels, signed_in: App, portal: PracticePortal):
    """The account in use is on top and selected, also where it came in use without the portal."""
    portal.knobs = dataclasses.replace(portal.knobs, accounts=995)
    signed_in.accounts(Nowhere(), refresh=True)
    text = signed_in.export(Nowhere(), "555555555555", "env").reveal()
    panel = panels()
    before = [value for _, value in panel._widgets.accounts.options]

    signed_in.paste(text)
    until(lambda: panel._widgets.accounts.value == "555555555555")

    assert "555555555555" not in before
    assert panel._widgets.accounts.options[0][1] == "555555555555"


def test_a_new_sign_in_renews_the_list(panels, signed_in: App, portal: PracticePortal, monkeypatch):
    """Accounts that are new are in the panel after the next sign-in, with no day to wait; the list comes once."""
    sso_session = signed_in.status().sso_session
    listing = signed_in.context.accounts.accounts(sso_session)
    earlier = dataclasses.replace(listing, listed_at=listing.listed_at - timedelta(minutes=30))
    signed_in.context.accounts._remember(sso_session, earlier)
    monkeypatch.setattr(people, "BUILT_IN", (*people.BUILT_IN, NEW))
    portal.clear_calls()
    portal.knobs = dataclasses.replace(portal.knobs, latency=0.3)

    panel = panels()
    until(lambda: "Looking for new accounts …" in texts(panel))
    until(lambda: any(value == NEW.account_id for _, value in panel._widgets.accounts.options))
    panels()
    time.sleep(0.5)

    assert portal.count("ListAccounts") == 1
    assert "Looking for new accounts" not in texts(panel)


def test_a_search_that_finds_nothing_renews_the_list_once(panels, signed_in: App, portal: PracticePortal, monkeypatch):
    """The first letter with nothing to show asks the portal again, further ones do not, the next such search does."""
    monkeypatch.setattr(selection, "_JUST_NOW", timedelta(0))
    panel = panels()
    widgets = ready(panel)
    monkeypatch.setattr(people, "BUILT_IN", (*people.BUILT_IN, NEW))
    portal.clear_calls()
    portal.knobs = dataclasses.replace(portal.knobs, latency=0.3)

    for typed in ("brand", "brand-", "brand-n"):
        widgets.search.value = typed
    until(lambda: "Looking for new accounts …" in texts(panel))
    until(lambda: [value for _, value in widgets.accounts.options] == [NEW.account_id])
    for typed in ("zz", "zzz", "zz", "zzzz"):
        widgets.search.value = typed
        time.sleep(0.5)
    until(lambda: "No account matches “zzzz”." in texts(panel))

    assert portal.count("ListAccounts") == 2


def test_a_list_that_has_just_come_is_not_asked_for_again(panels, signed_in: App, portal: PracticePortal):
    """Within a minute of the list an empty search is answered from it."""
    widgets = ready(panel := panels())
    portal.clear_calls()

    widgets.search.value = "zz"
    until(lambda: "No account matches “zz”." in texts(panel))
    time.sleep(0.3)

    assert portal.count("ListAccounts") == 0


def test_the_bar_of_pasted_keys_promises_nothing(signed_in: App):
    """Keys whose end nobody said last at most as long as the bar says."""
    text = signed_in.export(Nowhere(), "awsucob0myaccount", "env").reveal()
    signed_in.paste("".join(line for line in text.splitlines(keepends=True) if "EXPIRATION" not in line))

    bar = panel_state(signed_in.context, signed_in.context.now()).credentials

    assert bar.text == "at most 4 h, not renewed"


def test_the_mark_stands_before_the_number(panels, signed_in: App):
    """What little room cuts off is the number, not the word that warns; the other numbers stand where they stood."""
    labels = {value: label for label, value in ready(panels()).accounts.options}

    assert labels["333333333333"] == "awsucob0production  production  3333 3333 3333"
    assert labels["111111111111"] == "awsucob0myaccount       1111 1111 1111"
    assert labels["222222222222"] == "awsucob0myotheraccount  2222 2222 2222"


def test_a_long_name_is_whole():
    """Names are never cut: not where they differ, nor anywhere else; the mark and the number have their own place."""
    accounts = [Account("1" * 12, "production-" + "x" * 90 + "-a"), Account("2" * 12, "production-" + "x" * 90 + "-b")]
    listed = AccountList(accounts, {"2" * 12}, (), Settings().is_production)

    labels = [label for label, _ in listed.labels(accounts)]
    drawn = html.accounts([(one, listed.starred(one.id), listed.production(one)) for one in accounts], "1" * 12, "")

    assert [account.name in label for account, label in zip(accounts, labels, strict=True)] == [True, True]
    assert drawn.count("…") == 0
    assert '<p class="cuaws-chosen"><span>production-' in drawn
    assert "<p><span>★ production-" in drawn
    assert drawn.count('-tag">production</span><code>') == 2


@pytest.mark.parametrize(
    ("typed", "name", "number"),
    [
        ("genom", "research-<mark>genom</mark>ics", "5555 5555 0123"),
        ("GENOM res", "<mark>res</mark>earch-<mark>genom</mark>ics", "5555 5555 0123"),
        ("50123", "research-genomics", "5555 555<mark>5 0123</mark>"),
        ("research-*ics", "<mark>research-</mark>genom<mark>ics</mark>", "5555 5555 0123"),
        ("", "research-genomics", "5555 5555 0123"),
        ("<b>", "research-genomics", "5555 5555 0123"),
    ],
)
def test_what_was_found_is_marked(typed, name, number):
    """The part of a name or number that a search found."""
    drawn = html.accounts([(Account("555555550123", "research-genomics"), False, False)], None, typed)

    assert f"<span>{name}</span>" in drawn
    assert f"<code>{number}</code>" in drawn


def test_a_panel_without_kernel_says_what_to_run():
    """After a restart the extension has to be loaded again, which may stand in another cell."""
    assert "Run <code>%load_ext cuaws_magic</code> and this cell again" in html.gone()


def test_commands_in_what_goes_wrong_are_code():
    """Backticks become code, and what is between them stays text."""
    drawn = html.notice(Trouble("<b> Type `%cuaws login <i>`.", None)) + html.dim(["`a`"])

    assert "<code" in drawn
    assert "`" not in drawn
    assert "<b>" not in drawn
    assert "%cuaws login &lt;i&gt;</code>." in drawn


def test_use_it_means_what_was_asked_about(panels, signed_in: App):
    """A press that crosses another choice confirms nothing else: that is asked about anew."""
    signed_in.choice.configure(Settings(production=("*",)))
    panel = panels()
    widgets = ready(panel)
    widgets.accounts.value = "333333333333"
    until(lambda: len(widgets.role.options) > 2)
    widgets.role.value = "Admin"
    widgets.use.click()
    until(lambda: panel._state.trouble is not None and panel._state.trouble.remedy == "confirm")
    asked = panel._state

    panel._choice.pick_account("222222222222")
    panel._state = asked  # what is on the page still
    panel._remedy()
    until(lambda: not signed_in.tasks.under_way("use"))

    assert signed_in.credentials.current is None


def test_a_preferred_role_is_selected(panels, signed_in: App):
    """Where a person said which they prefer; the button waits for nothing then."""
    signed_in.choice.configure(Settings(prefer_roles=("read*",)))
    widgets = ready(panels())

    widgets.accounts.value = "333333333333"
    until(lambda: widgets.role.value == "ReadOnly")

    assert widgets.use.description == "Use this account"


def test_a_role_is_never_guessed(panels, signed_in: App):
    """With several roles and none used, the person chooses; then that one is remembered."""
    panel = panels()
    widgets = ready(panel)

    widgets.accounts.value = "333333333333"
    until(lambda: len(widgets.role.options) == 3)
    offered = widgets.role.value
    until(lambda: widgets.use.description == "Choose a role first")
    names = [name for name, _ in widgets.role.options]
    widgets.use.click()
    widgets.search._handle_custom_msg({"event": "submit"}, [])
    until(panel._actions.empty)
    widgets.role.value = "ReadOnly"
    until(lambda: widgets.use.description == "Use this account")
    assert "Type" not in texts(panel).replace("Type of", "")
    widgets.use.click()
    until(lambda: "awsucob0production · ReadOnly" in texts(panel))
    again = ready(panels())

    assert offered == ""
    assert names[1:] == ["ReadOnly", "Admin"]  # the least powerful first
    assert signed_in.credentials.current.account_role.role_name == "ReadOnly"
    assert again.role.value == "ReadOnly"


def test_a_trouble_goes_with_what_it_speaks_of(panels, signed_in: App, portal: PracticePortal):
    """When another account is selected, what was said of the one before is gone, in every open panel."""
    panel, beside = panels(), panels()
    widgets = ready(panel)
    ready(beside)
    widgets.accounts.value = "222222222222"
    until(lambda: widgets.role.value == "MyOtherRole")
    portal.knobs = dataclasses.replace(portal.knobs, failures=(Failure("GetRoleCredentials", 20, "403"),))
    widgets.use.click()
    until(lambda: panel._state.trouble is not None and beside._state.trouble is not None)

    widgets.accounts.value = "111111111111"

    until(lambda: panel._state.trouble is None and beside._state.trouble is None)


def test_enter_does_not_take_the_first_of_many(panels, signed_in: App):
    """It acts on the only match, or on what was picked; never on the first of many."""
    panel = panels()
    widgets = ready(panel)

    widgets.search.value = "awsucob0my"
    widgets.search._handle_custom_msg({"event": "submit"}, [])
    until(lambda: len(widgets.accounts.options) == 2 and panel._actions.empty())
    time.sleep(0.3)
    nothing = signed_in.credentials.current
    widgets.search.value = "awsucob0myother"
    widgets.search._handle_custom_msg({"event": "submit"}, [])
    until(lambda: signed_in.credentials.current is not None)

    assert nothing is None
    assert signed_in.credentials.current.account.id == "222222222222"


def test_renew_fetches_new_credentials(panels, signed_in: App, portal: PracticePortal):
    """*Renew* has new credentials in the environment, whatever life the old ones had."""
    signed_in.use(Nowhere(), "awsucob0myaccount")
    before = signed_in.credentials.current.credentials
    panel = panels()

    panel._widgets.renew.click()
    until(lambda: signed_in.credentials.current.credentials != before)

    assert portal.count("GetRoleCredentials") == 2


def test_errors_are_the_words_of_the_magics(panels, signed_in: App, portal: PracticePortal):
    """An error stands in the panel in the magic's words, but for what to type: a button does that."""
    portal.knobs = dataclasses.replace(portal.knobs, failures=(Failure("GetRoleCredentials", 1000, "403"),))
    panel = panels()
    widgets = ready(panel)

    widgets.use.click()
    until(lambda: panel._state.trouble)
    said = panel._state.trouble.text
    with pytest.raises(Exception, match=r".") as raised:
        signed_in.use(Nowhere(), "awsucob0myaccount")
    portal.knobs = Knobs(approve_after=1)
    until(lambda: not widgets.remedy.disabled)
    widgets.remedy.click()
    until(lambda: signed_in.credentials.current)
    until(lambda: panel._state.trouble is None)

    assert said == for_a_panel(str(raised.value))
    assert "`" not in said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The request was denied. Type `%cuaws login` to ask again.", "The request was denied."),
        ("The portal has a problem. Wait a minute, then run the cell again.", "The portal has a problem."),
        (
            "It ended at 10:05. Credentials work until 11:00. Type `%cuaws login`.",
            "It ended at 10:05. Credentials work until 11:00.",
        ),
        ("Type `%cuaws use x`.", "Type `%cuaws use x`."),
    ],
)
def test_a_panel_has_nobody_type(text, expected):
    """Whole sentences go, and never all of them."""
    assert for_a_panel(text) == expected


def lines(panel) -> dict[str, Any]:
    return {key: line for key, line in panel._widgets._lines.items() if line.box in panel._widgets._sign_ins.children}


def test_a_line_for_each_organisation_only_where_there_are_several(panels, app: App, home: Path):
    """Each has its state and its own button; one alone looks as ever."""
    config = home / ".aws" / "config"
    config.parent.mkdir()
    section = "[sso-session {}]\nsso_start_url = https://{}.awsapps.com/start\nsso_region = us-east-1\n"
    config.write_text(section.format("lab", "lab"))
    single = panels()
    assert single._widgets._sign_ins.layout.display == "none"
    assert single._widgets._begin.layout.display is None
    config.write_text(section.format("lab", "lab") + section.format("work", "work"))

    panel = panels()
    assert list(lines(panel)) == ["lab", "work"]
    assert panel._widgets._begin.layout.display == "none"
    lines(panel)["work"].sign_in.click()
    until(lambda: panel._state.screen == "in")

    until(lambda: lines(panel)["work"].sign_out.layout.display is None)
    assert lines(panel)["work"].sign_in.layout.display == "none"
    assert lines(panel)["lab"].sign_in.layout.display is None
    assert "never signed in" in lines(panel)["lab"]._said.value
    assert panel._widgets.sign_out.layout.display == "none"  # each line has its own


def two_organisations(app: App, home: Path, portal: PracticePortal) -> None:
    (home / ".aws").mkdir(exist_ok=True)
    section = "[sso-session {}]\nsso_start_url = {}\nsso_region = us-west-2\n"
    (home / ".aws" / "config").write_text(
        section.format("cu", people.START_URL) + section.format("partner", people.PARTNER_START_URL)
    )
    portal.knobs = dataclasses.replace(portal.knobs, organisations=2)
    for name in ("cu", "partner"):
        App().login(Nowhere(), Settings(session=name))


def test_the_accounts_of_two_organisations_in_one_list(panels, app: App, home: Path, portal: PracticePortal):
    """With a heading for each; what is used is looked up where it stands in the list, though both have the name."""
    two_organisations(app, home, portal)
    panel = panels()
    widgets = panel._widgets
    until(lambda: len(widgets.accounts.options) == 7)

    assert widgets._rows.value.count("<b>") == 2
    assert [text.split()[-1] for text, _ in widgets.accounts.options] == ["cu"] * 5 + ["partner"] * 2
    widgets.search.value = "genomics"
    until(lambda: [value for _, value in widgets.accounts.options] == ["555555555555", "777777777777"])
    widgets.accounts.value = "777777777777"
    until(lambda: widgets.role.value == "Researcher")
    widgets.use.click()
    until(lambda: app.credentials.current is not None)

    assert app.credentials.current.account.id == "777777777777"
    assert app.credentials.current.sso_session.name == "partner"


def test_signing_out_of_one_of_two(panels, app: App, home: Path, portal: PracticePortal):
    """It is asked about first, and the other stands with its account in use."""
    two_organisations(app, home, portal)
    app.use(Nowhere(), "awsucob0myaccount")
    panel = panels()
    until(lambda: len(lines(panel)) == 2)

    lines(panel)["partner"].sign_out.click()
    until(lambda: panel._state.trouble is not None)
    assert "partner.awsapps.com" in panel._state.trouble.text
    assert portal.count("Logout") == 0
    panel._widgets.remedy.click()
    until(lambda: lines(panel)["partner"].sign_in.layout.display is None)

    assert portal.count("Logout") == 1
    assert app.credentials.current.account.id == "111111111111"
    assert panel._state.screen == "in"


def test_one_organisation_that_does_not_answer(panels, app: App, home: Path, portal: PracticePortal):
    """The other's accounts are there; the one that is silent is named."""
    two_organisations(app, home, portal)
    down = Failure("ListAccounts", 100, "503", start_url=people.PARTNER_START_URL)
    portal.knobs = dataclasses.replace(portal.knobs, failures=(down,))
    panel = panels()
    widgets = panel._widgets

    until(lambda: len(widgets.accounts.options) == 5)
    until(lambda: "partner could not be asked" in widgets._count.value)


def test_the_end_of_the_sign_in_is_said_before_and_after(signed_in: App):
    """From half an hour before the end the panel says so; afterwards it says how long credentials last."""
    signed_in.use(Nowhere(), "awsucob0myaccount")
    end = signed_in.status().signed_in_until

    fine = panel_state(signed_in.context, end - timedelta(minutes=31))
    soon = panel_state(signed_in.context, end - timedelta(minutes=29))
    over = panel_state(signed_in.context, end + timedelta(minutes=1))

    assert fine.trouble is None
    assert soon.trouble.text.startswith("The sign-in ends in 29 min.")
    assert soon.trouble.remedy == "sign-in"
    assert over.title == "Sign-in ended"


@pytest.mark.parametrize(
    ("patterns", "name", "expected"),
    [
        (None, "awsucob0production", True),
        (None, "lab-PROD-1", True),
        (None, "awsucob0myaccount", False),
        (("*live*",), "awsucob0production", False),
        (("*live*",), "Live-data", True),
        ((), "awsucob0production", False),
    ],
)
def test_production_is_a_setting(patterns, name: str, expected):
    """Names are marked by patterns, any case; an empty list marks none."""
    app = App({})
    app.choice.configure(Settings(production=patterns))

    assert marked(app.context, name) is expected


def test_production_from_the_environment():
    """`CUAWS_PRODUCTION` has patterns with commas in between."""
    assert marked(App({"CUAWS_PRODUCTION": "live-*, *-main"}).context, "data-main")


def test_a_thousand_accounts_are_quick_and_small(panels, signed_in: App, portal: PracticePortal):
    """A keystroke among 1,000 accounts sends under 20 kB, and takes well under 50 ms."""
    portal.knobs = dataclasses.replace(portal.knobs, accounts=995)
    signed_in.accounts(Nowhere(), refresh=True)
    panel = panels()
    widgets = ready(panel)
    sent: list[int] = []
    send = Widget.send_state

    def counted(self: Widget, key: object = None) -> None:
        sent.append(len(str(self.get_state(key=key))))
        send(self, key)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Widget, "send_state", counted)
        began = time.perf_counter()
        widgets.search.value = "research"
        until(lambda: "The first 100 of" in texts(panel) and widgets.accounts.options[0][0].startswith("research"))
        took = time.perf_counter() - began

    assert len(widgets.accounts.options) == 100
    assert sum(sent) < 20_000
    assert took < 1.0  # the figure itself is in benchmarks/panel.py


def test_opening_shows_all_at_once(panels, signed_in: App, portal: PracticePortal):
    """A panel is complete when its cell ends: what is remembered needs no second look."""
    portal.knobs = dataclasses.replace(portal.knobs, accounts=995)
    signed_in.accounts(Nowhere(), refresh=True)
    portal.clear_calls()

    panel = panels()

    assert len(panel._widgets.accounts.options) == 100
    assert portal.count("ListAccounts") == 0


def test_html_in_names_is_text(panels, app: App, monkeypatch):
    """Nothing that a portal says becomes HTML."""
    evil = people.PretendAccount("666666666666", "<img src=x onerror=alert(1)>", ("My<b>Role",))
    monkeypatch.setattr(people, "BUILT_IN", (evil,))
    app.accounts(Nowhere())
    app.use(Nowhere(), evil.account_id)

    panel = panels()
    html = " ".join(widget.value for widget in everything(panel.root) if isinstance(widget, HTML))

    assert "<img src=x" not in html
    assert "<b>Role" not in html
    assert "&lt;img src=x" in html


def test_a_cell_run_again_leaves_one_panel(panels):
    """The panel of an earlier run of the same cell ends; others do not."""
    first, other = panels("here"), panels("there")

    second = panels("here")
    until(lambda: not first._thread.is_alive())

    assert second._thread.is_alive()
    assert other._thread.is_alive()


def test_what_changes_while_a_panel_is_drawn_is_seen(panels, app: App, monkeypatch):
    """Drawing may set something going, and what is announced meanwhile is not lost."""
    drawn: list[Panel] = []
    paint = Panel._paint

    def announced(panel: Panel) -> None:
        drawn.append(panel)
        paint(panel)
        if len(drawn) == 1:
            app.observers.notify()

    monkeypatch.setattr(Panel, "_paint", announced)
    panels()

    until(lambda: len(drawn) > 1)


def test_closing_a_panel_leaves_the_account(panels, signed_in: App):
    """A panel is only a view: without it the account stays in use and is renewed."""
    signed_in.use(Nowhere(), "awsucob0myaccount")
    panel = panels()

    panel.close()
    until(lambda: not panel._thread.is_alive())

    assert signed_in.credentials.current is not None
    assert signed_in.credentials._renewal.alive


def test_where_nobody_can_press_buttons(app: App):
    """In a terminal, in nbconvert and from a script it is the commands to type, in both faces, and no widget."""
    view = open_panel(app.context, TextDisplay().cell)

    bundle = view.mimebundle()
    assert view.panel is None
    assert set(bundle) == {"text/plain", "text/html"}
    for face in bundle.values():
        assert "%cuaws login" in face
        assert "%load_ext cuaws_magic" in face
        assert "run this cell again" in face


def test_a_page_without_widgets_has_the_commands_too(panels, app: App):
    """A notebook that is saved has the commands beside the widget, where to install what, and no state."""
    view = open_panel(app.context, Cell("a", "b"))

    bundle = view.mimebundle()
    view.panel.close()
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == view.panel.model_id
    assert "pip install jupyterlab_widgets" in bundle["text/plain"]
    assert "Jupyter server" in bundle["text/html"]


@pytest.mark.parametrize(("module", "says"), [(None, "has no ipywidgets"), ("7.8.1", "has ipywidgets 7.8.1")])
def test_a_kernel_without_widgets_says_what_to_install(app: App, monkeypatch, module: str | None, says: str):
    """Without ipywidgets, or with an old one, the panel says what to install, and where."""
    if module is None:
        monkeypatch.setitem(sys.modules, "ipywidgets", None)
    else:
        monkeypatch.setattr("ipywidgets.__version__", module)

    view = open_panel(app.context, Cell("a", "b"))

    assert says in str(view)
    assert "`%pip install --upgrade ipywidgets`" in str(view)


def test_ipywidgets_is_imported_only_for_a_panel():
    """The module that every face imports does not import it."""
    assert "ipywidgets" not in vars(panel_view)
