"""A button below a card where a page has widgets: the account used last in a new kernel, another sign-in in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cuaws_magic.commands.context import Context
    from cuaws_magic.ipython.display import NotebookDisplay, TerminalDisplay
    from cuaws_magic.views.account import Status


def status(context: Context, display: NotebookDisplay | TerminalDisplay) -> Status:
    """Return what holds in this kernel; where no account is in use, a button offers the one used last."""
    from cuaws_magic.commands.status import status as holds
    from cuaws_magic.commands.use import use

    view = holds(context)
    if view.last is not None and display.cell is not None:
        display(view)
        _put(display, f"Use {view.last}", lambda below: use(context, below, None))
    return view


def sign_in_again(context: Context, display: NotebookDisplay | TerminalDisplay) -> None:
    """Offer to sign in again, below the line that says why."""
    from cuaws_magic.commands.login import login

    if display.cell is not None:
        _put(display, "Sign in again", lambda below: login(context, below, force=True))


def _put(display: NotebookDisplay | TerminalDisplay, words: str, act: Any) -> None:
    from cuaws_magic.widget.offer import offer

    button = offer(words, act)
    if button is not None:
        display(button)
