"""`%cuaws accounts`: the accounts that a sign-in reaches, and their roles, as a table."""

from __future__ import annotations

import contextlib
import functools
import threading
from typing import TYPE_CHECKING

from cuaws_magic.background import hold_interrupts
from cuaws_magic.commands.names import on_top
from cuaws_magic.errors import CuawsError, ServiceError
from cuaws_magic.humanize import clock
from cuaws_magic.sso.accounts import in_order, matching_accounts
from cuaws_magic.sso.lookup import Listings, elsewhere, listings, said_of
from cuaws_magic.views.accounts import AccountTable
from cuaws_magic.views.render import Progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cuaws_magic.commands.context import Context
    from cuaws_magic.model import Account, SsoSession
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
    session: str | None = None,
) -> AccountTable:
    """
    List accounts, from memory for a day; an older list is shown at once and renewed in the background.

    Args:
        display: Where progress, and the card of a sign-in, go.

        pattern: Part of a name or id, or a pattern with `*`; any case.

        roles: Also the roles of each.

        refresh: Ask the portal.

        star: An account to make a favourite, or no favourite any more.

        session: The sign-in; otherwise all that stand.

    Raises:
        CuawsError: The portal cannot be asked, or there is no such account.
    """
    lists, notes, asked = _lists(context, display, session, refresh=refresh)
    if star is not None:
        notes.append(_starred(context, [one for one, _ in lists.found], star))
    rows, starred, total = _rows(context, lists, pattern, anew=star is not None)
    is_production = context.settings.is_production
    if pattern and not rows:
        # A list from memory may be older than the account.
        more = "`%cuaws accounts` to see all" if asked else "`%cuaws accounts --refresh` to ask again"
        notes.append(f"No account matches {pattern}. Type {more}.")

    def table(by_account: dict[str, tuple[str, ...]] | None) -> AccountTable:
        return AccountTable(
            tuple(account for account, _ in rows),
            by_account,
            total,
            tuple(notes),
            starred=frozenset(starred),
            production=frozenset(account.id for account, _ in rows if is_production(account.name)),
            organisations=tuple(one.label for _, one in rows) if context.organisations.several(session) else (),
        )

    if not roles or not rows:
        return table(None)
    progress = ProgressCard(display)
    by_account: dict[str, tuple[str, ...]] = {}
    try:
        for sso_session in dict.fromkeys(one for _, one in rows):
            ids = [account.id for account, its_own in rows if its_own == sso_session]
            ask = functools.partial(context.accounts.roles, sso_session, ids, refresh=refresh, progress=progress)
            try:
                by_account |= context.approvals.retry_after_sign_in(ask, display)
            except ServiceError as error:
                if len(lists.found) == 1:
                    raise
                notes.append(said_of(sso_session, error))
                by_account |= dict.fromkeys(ids, ())
    except BaseException:
        progress.stop()
        raise
    view = table(by_account)
    if progress.shown is not None:
        progress.shown.update(view)
    return view


def _lists(
    context: Context, display: Display, session: str | None, *, refresh: bool
) -> tuple[Listings, list[str], bool]:
    """Return the lists, what to say of them, and whether a portal was asked; an old list is better than a wait."""
    looked_in = context.organisations.looked_in(session)
    old = [(one, context.accounts.remembered(one)) for one in looked_in]
    shown = [(one, listing) for one, listing in old if listing is not None]
    outdated = [(one, listing) for one, listing in shown if not listing.fresh(context.now())]
    notes = []
    if outdated and len(shown) == len(old) and not refresh:
        when = clock(min(listing.listed_at for _, listing in outdated), context.now())
        notes.append(f"From {when}; a newer list is being fetched in the background.")
        for one, _ in outdated:
            _refresh_in_background(context, one)
        lists = Listings(tuple(shown))
    else:
        lists = context.approvals.retry_after_sign_in(
            lambda: listings(context.accounts, context.organisations.looked_in(session), refresh=refresh), display
        )
    notes += [said_of(*one) for one in lists.silent]
    if session is None:
        notes += elsewhere([(one, context.choice.command(one)) for one in context.organisations.unasked()])
    return lists, notes, refresh or len(shown) < len(old)


def _rows(
    context: Context, lists: Listings, pattern: str | None, *, anew: bool
) -> tuple[list[tuple[Account, SsoSession]], list[str], int]:
    """
    Return the accounts to show with whose they are, the ids of the favourites, and how many there are in all.

    Args:
        anew: Something may have listed again since; a renewal in the background is for the next time.
    """
    rows, starred, total = [], [], 0
    for sso_session, found in lists.found:
        listing = (context.accounts.remembered(sso_session) if anew else None) or found
        total += len(listing.accounts)
        favourites, recent = on_top(context, sso_session)
        starred += favourites
        matching = in_order(matching_accounts(listing.accounts, pattern), favourites, recent)
        rows += [(one, sso_session) for one in matching]
    return rows, starred, total


def _starred(context: Context, sso_sessions: Sequence[SsoSession], name: str) -> str:
    sso_session, account = context.targets.account(name, sso_sessions, context.aws_files.read())
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
