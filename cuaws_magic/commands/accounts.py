"""`%cuaws accounts`: the accounts that a sign-in reaches, and their roles, as a table."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from cuaws_magic.background import hold_interrupts
from cuaws_magic.commands.names import on_top
from cuaws_magic.errors import CuawsError
from cuaws_magic.humanize import clock
from cuaws_magic.sso.accounts import in_order, matching_accounts
from cuaws_magic.views.accounts import AccountTable
from cuaws_magic.views.render import Progress

if TYPE_CHECKING:
    from cuaws_magic.commands.context import Context
    from cuaws_magic.model import SsoSession
    from cuaws_magic.views.render import Display, DisplayHandle

_FEW = 10  # accounts that are asked for in a moment
_PROGRESS_STEP = 10  # accounts between two updates on the page


def accounts(
    context: Context,
    display: Display,
    pattern: str | None = None,
    *,
    roles: bool = False,
    refresh: bool = False,
    star: str | None = None,
) -> AccountTable:
    """
    List accounts, from memory for a day; an older list is shown at once and renewed in the background.

    Args:
        display: Where progress, and the card of a sign-in, go.

        pattern: Part of a name or id, or a pattern with `*`; any case.

        roles: Also the roles of each.

        refresh: Ask the portal.

        star: An account to make a favourite, or no favourite any more.

    Raises:
        CuawsError: The portal cannot be asked, or there is no such account.
    """
    sso_session = context.choice.sso_session()
    notes: list[str] = []
    old = context.accounts.remembered(sso_session)
    if old is not None and not refresh and not old.fresh(context.now()):
        listing = old
        notes.append(f"From {clock(old.listed_at, context.now())}; a newer list is being fetched in the background.")
        _refresh_in_background(context, sso_session)
    else:
        listing = context.approvals.retry_after_sign_in(
            lambda: context.accounts.accounts(sso_session, refresh=refresh), display
        )
    if star is not None:
        notes.append(_starred(context, sso_session, star))
        listing = context.accounts.remembered(sso_session) or listing
    starred, recent = on_top(context, sso_session)
    is_production = context.settings.is_production
    matching = in_order(matching_accounts(listing.accounts, pattern), starred, recent)
    marks = {
        "starred": frozenset(starred),
        "production": frozenset(account.id for account in matching if is_production(account.name)),
    }
    if pattern and not matching:
        # A list from memory may be older than the account.
        more = "`%cuaws accounts` to see all" if old is None or refresh else "`%cuaws accounts --refresh` to ask again"
        notes.append(f"No account matches {pattern}. Type {more}.")
    if not roles or not matching:
        return AccountTable(tuple(matching), None, len(listing.accounts), tuple(notes), **marks)
    progress = ProgressCard(display)
    ids = [account.id for account in matching]
    try:
        by_account = context.approvals.retry_after_sign_in(
            lambda: context.accounts.roles(sso_session, ids, refresh=refresh, progress=progress), display
        )
    except BaseException:
        progress.stop()
        raise
    table = AccountTable(tuple(matching), by_account, len(listing.accounts), tuple(notes), **marks)
    if progress.shown is not None:
        progress.shown.update(table)
    return table


def _starred(context: Context, sso_session: SsoSession, name: str) -> str:
    account = context.targets.account(name, sso_session, context.aws_files.read())
    if context.accounts.star(sso_session, account):
        return f"{account.name} is a favourite now: it stands on top of lists."
    return f"{account.name} is no favourite any more."


def _refresh_in_background(context: Context, sso_session: SsoSession) -> None:
    def run() -> None:
        with contextlib.suppress(CuawsError):
            context.accounts.accounts(sso_session, refresh=True)

    threading.Thread(target=run, name="cuaws-accounts", daemon=True).start()


class ProgressCard:
    """
    A line that counts, on the page only while something long is under way.

    Args:
        display: Where it goes.
    """

    def __init__(self, display: Display) -> None:
        self._display = display
        self.shown: DisplayHandle | None = None
        self._last = Progress("", 0, 0)

    def stop(self) -> None:
        """Say how far it came, so that the page does not show it as under way."""
        if self.shown is not None:
            self.shown.update(Progress("Stopped asking for roles", self._last.done, self._last.total))

    def __call__(self, done: int, total: int) -> None:
        """Take note, and update the page now and then."""
        if done % _PROGRESS_STEP and done != total:
            return
        self._last = view = Progress("Asking for roles", done, total)
        if self.shown is not None:
            self.shown.update(view)
        elif done != total and total > _FEW:
            with hold_interrupts():
                self.shown = self._display(view)
