"""What there is to use: the list of accounts for the eye, and names for completion."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from cuaws_magic.background import hold_interrupts
from cuaws_magic.errors import CuawsError
from cuaws_magic.humanize import clock
from cuaws_magic.model import utc_now
from cuaws_magic.sso.accounts import matching_accounts
from cuaws_magic.views.account import AccountTable
from cuaws_magic.views.render import Progress

if TYPE_CHECKING:
    from cuaws_magic.commands.approval import Approvals
    from cuaws_magic.config.files import AwsConfig
    from cuaws_magic.model import Now, SsoSession
    from cuaws_magic.sso.accounts import Accounts
    from cuaws_magic.views.render import Display, DisplayHandle

_PROGRESS_STEP = 10  # accounts between two updates on the page


class Catalogue:
    """
    Lists accounts.

    Args:
        directory: Knows them.

        desk: Where a person signs in when the portal has to be asked.

        now: The current time, aware, UTC.
    """

    def __init__(self, directory: Accounts, desk: Approvals, now: Now = utc_now) -> None:
        self._directory = directory
        self._desk = desk
        self._now = now

    def accounts(
        self, sso_session: SsoSession, show: Display, pattern: str | None, *, roles: bool, refresh: bool
    ) -> AccountTable:
        """
        List accounts, from memory for a day; an older list is shown at once and renewed behind.

        Args:
            sso_session: The sign-in.

            show: Where progress, and the card of a sign-in, go.

            pattern: Part of a name or id, or a pattern with `*`; any case.

            roles: Also the roles of each.

            refresh: Ask the portal.

        Raises:
            CuawsError: The portal cannot be asked.
        """
        notes: list[str] = []
        old = self._directory.remembered(sso_session)
        if old is not None and not refresh and not old.fresh(self._now()):
            listing = old
            notes.append(f"As of {clock(old.listed_at, self._now())}; a newer list is fetched for the next time.")
            self._refresh_behind(sso_session)
        else:
            listing = self._desk.retry_after_sign_in(
                lambda: self._directory.accounts(sso_session, refresh=refresh), show
            )
        matching = matching_accounts(listing.accounts, pattern)
        if pattern and not matching:
            # A list from memory may be older than the account.
            more = (
                "`%cuaws accounts` to see all" if old is None or refresh else "`%cuaws accounts --refresh` to ask again"
            )
            notes.append(f"None matches {pattern}. Type {more}.")
        if not roles or not matching:
            return AccountTable(tuple(matching), None, len(listing.accounts), tuple(notes))
        progress = ProgressCard(show)
        ids = [account.id for account in matching]
        try:
            by_account = self._desk.retry_after_sign_in(
                lambda: self._directory.roles(sso_session, ids, refresh=refresh, progress=progress), show
            )
        except BaseException:
            progress.stop()
            raise
        table = AccountTable(tuple(matching), by_account, len(listing.accounts), tuple(notes))
        if progress.shown is not None:
            progress.shown.update(table)
        return table

    def target_names(self, sso_session: SsoSession, config: AwsConfig) -> list[str]:
        """Return profiles and account names, without asking anyone."""
        listing = self._directory.remembered(sso_session)
        names = [profile.name for profile in config.profiles.values() if profile.sso]
        names += [account.name for account in listing.accounts] if listing is not None else []
        return list(dict.fromkeys(names))

    def role_names(self, sso_session: SsoSession, config: AwsConfig, target: str) -> list[str]:
        """Return the roles known for a target, without asking anyone."""
        listing = self._directory.remembered(sso_session)
        profile = config.profiles.get(target)
        found = [profile.role_name] if profile is not None and profile.sso else []
        if listing is not None:
            fold = target.casefold()
            ids = [one.id for one in listing.accounts if fold in {one.name.casefold(), one.id}]
            found += [role for account_id in ids for role in listing.roles.get(account_id, ())]
        return list(dict.fromkeys(found))

    def _refresh_behind(self, sso_session: SsoSession) -> None:
        def run() -> None:
            with contextlib.suppress(CuawsError):
                self._directory.accounts(sso_session, refresh=True)

        threading.Thread(target=run, name="cuaws-accounts", daemon=True).start()


class ProgressCard:
    """
    A line that counts, on the page only while something long is under way.

    Args:
        show: Where it goes.
    """

    def __init__(self, show: Display) -> None:
        self._show = show
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
        elif done != total:
            with hold_interrupts():
                self.shown = self._show(view)
