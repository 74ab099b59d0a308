"""A button below a card does what the card would have a person type."""

from __future__ import annotations

import pytest
from doubles import App, NotebookPage, until

from cuaws_magic.errors import UnknownTarget
from cuaws_magic.ipython import offers
from cuaws_magic.practice import Knobs
from cuaws_magic.widget.offer import Offer


@pytest.fixture
def used(app: App) -> App:
    """A new kernel of a home where an account was used."""
    app.use(NotebookPage(), "awsucob0myaccount")
    app.release()
    return App()


def test_a_new_kernel_offers_the_account_used_last(used):
    """One press: it is in use, and the card of it stands below."""
    page = NotebookPage()
    view = offers.status(used.context, page)
    button = page.button()

    button._button.click()
    until(lambda: "ralphie@colorado.edu" in button._shown.value)

    assert page.views[0] is view
    assert "none in use; for awsucob0myaccount as MyRole, used last, type `%cuaws use`" in repr(view)
    assert button._button.description == "Use awsucob0myaccount as MyRole"
    assert used.credentials.current.account.name == "awsucob0myaccount"
    assert button._button.layout.display == "none"
    used.release()


def test_it_signs_in_first_if_it_must(used, portal):
    """The code stands below the button, and no longer than it waits."""
    used.logout()
    portal.knobs = Knobs(interval=1)
    page = NotebookPage()
    offers.status(used.context, page)

    page.button()._button.click()
    until(lambda: "user_code=" in page.button()._shown.value)
    (code,) = portal.pending_user_codes()
    portal.approve(code)
    until(lambda: "ralphie@colorado.edu" in page.button()._shown.value)

    assert code not in page.button()._shown.value
    used.release()


def test_what_goes_wrong_is_said_and_can_be_tried_again(used, monkeypatch):
    """In the words of the magic."""

    def refuse(*_):
        raise UnknownTarget("There is no account x. Type `%cuaws accounts`.")

    button = Offer("Use x", refuse)

    button._button.click()
    until(lambda: "There is no account x." in button._shown.value)

    assert button._button.disabled is False


def test_a_bug_leaves_no_dead_button_and_says_nothing_of_its_text():
    """Its text may hold anything."""

    def break_down(*_):
        raise ValueError("a secret")

    button = Offer("Use x", break_down)

    button._button.click()
    until(lambda: "Something went wrong inside cuaws_magic (ValueError)." in button._shown.value)

    assert "a secret" not in button._shown.value
    assert button._button.disabled is False


def test_another_sign_in_is_offered(app, portal):
    """Below the line that says that it ends."""
    app.use(NotebookPage(), "awsucob0myaccount")
    page = NotebookPage()
    offers.sign_in_again(app.context, page)

    page.button()._button.click()
    until(lambda: "Signed in for" in page.button()._shown.value)

    assert portal.count("StartDeviceAuthorization") == 2


@pytest.mark.parametrize("page", [NotebookPage(None)], ids=["nobody there"])
def test_where_nobody_can_press_there_is_no_button(used, page):
    """A notebook that is run by a program has the card alone."""
    offers.status(used.context, page)
    offers.sign_in_again(used.context, page)

    assert page.views == []


def test_a_page_without_widgets_shows_nothing_in_its_place():
    """The text and the HTML beside the widget are empty: the card says what to type."""
    bundle = Offer("Use x", lambda _: None).mimebundle()

    assert (bundle["text/plain"], bundle["text/html"]) == ("", "")
    assert "application/vnd.jupyter.widget-view+json" in bundle
