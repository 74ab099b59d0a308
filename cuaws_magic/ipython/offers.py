"""Buttons below a card where a page has widgets: the account used last, a sign-in again, a sign-in elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cuaws_magic.errors import SeveralSignIns

if TYPE_CHECKING:
    from typing import TypeAlias

    from cuaws_magic.commands.context import Context
    from cuaws_magic.ipython.display import NotebookDisplay, TerminalDisplay
    from cuaws_magic.model import SsoSession
    from cuaws_magic.settings import Settings
    from cuaws_magic.views.account import Status
    from cuaws_magic.views.render import View

    Page: TypeAlias = NotebookDisplay | TerminalDisplay


def status(context: Context, display: Page) -> Status:
    """Return what holds in this kernel; where no account is in use, a button offers the one used last."""
    from cuaws_magic.commands.status import status as holds
    from cuaws_magic.commands.use import use

    view = holds(context)
    if view.last is not None and display.cell is not None:
        display(view)
        _put(display, f"Use {view.last}", lambda below: use(context, below, None))
    return view


def login(context: Context, display: Page, settings: Settings, *, asked: bool, wait: bool, **how: Any) -> View:
    """
    Sign in; where several organisations are known and none is named, the others are offered as buttons.

    The sign-in to the proposed one then goes on in the background: a page does nothing else while a cell runs.

    Args:
        asked: Whether somebody sits there who can choose.

    Raises:
        CuawsError: Nobody is signed in, or it is not settled where to, and nobody can choose.
    """
    from cuaws_magic.commands.callback import AS_SET
    from cuaws_magic.commands.login import login as sign_in
    from cuaws_magic.views.sign_in import ChooseOrganisation
    from cuaws_magic.widget.view import missing

    said = settings.session or settings.start_url
    if said or not context.organisations.several():
        return sign_in(context, display, settings, wait=wait, **how)
    try:
        proposed: SsoSession | None = context.choice.sso_session(settings)
    except SeveralSignIns:
        proposed = None
    others = [one for one in context.organisations.offered() if proposed is None or one != proposed]
    choose = ChooseOrganisation(tuple(one.label for one in others), proposed.label if proposed is not None else None)
    # By authorization code a cell may have to ask for an address, so it cannot go on.
    by_code = how.get("wanted", AS_SET).pkce or context.settings.pkce
    if not asked or display.cell is None or missing() is not None or by_code:  # nothing to press here
        if proposed is not None and context.login.peek(proposed)[0] is None:
            display(choose)
        return sign_in(context, display, settings, wait=wait, **how)
    view = sign_in(context, display, settings, wait=False, **how) if proposed is not None else choose
    _buttons(context, display, others)
    return view


def _buttons(context: Context, display: Page, sso_sessions: list[SsoSession]) -> None:
    from cuaws_magic.commands.login import login as sign_in
    from cuaws_magic.views.sign_in import session_label

    for one in sso_sessions:

        def act(below: Any, one: SsoSession = one) -> View:
            return sign_in(context, below, sso_session=one)

        _put(display, f"Sign in to {session_label(one)}", act)


def sign_in_again(context: Context, display: Page) -> None:
    """Offer to sign in again where the account in use is, below the line that says why."""
    from cuaws_magic.commands.login import login as sign_in

    current = context.credentials.current
    where = current.sso_session if current is not None else None
    if display.cell is not None:
        _put(display, "Sign in again", lambda below: sign_in(context, below, force=True, sso_session=where))


def _put(display: Page, words: str, act: Any) -> None:
    from cuaws_magic.widget.offer import offer

    button = offer(words, act)
    if button is not None:
        display(button)
