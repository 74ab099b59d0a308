"""
What a person typed and selected on one panel, and what there is to select.

The only state that a panel has of its own. Lists come from the directory's memory; what
is not there is asked for behind, and the panel looks again when it comes.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from cuaws_magic.commands.names import Names, on_top
from cuaws_magic.commands.status import status
from cuaws_magic.errors import CuawsError
from cuaws_magic.model import utc_now
from cuaws_magic.settings import REGIONS
from cuaws_magic.sso.accounts import SHOWN, AccountList
from cuaws_magic.sso.targets import power
from cuaws_magic.widget import html
from cuaws_magic.widget.state import ACCOUNTS, ROLES

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cuaws_magic.commands.context import Context
    from cuaws_magic.model import Account, Now, SsoSession
    from cuaws_magic.sso.accounts import Listing
    from cuaws_magic.widget.state import PanelState
    from cuaws_magic.widget.widgets import PanelWidgets

_SETTLED = 0.25  # seconds that a selection stands before its roles are asked for: arrow keys pass by many
_NEVER = float("inf")
_SEVERAL = 2
_JUST_NOW = timedelta(minutes=1)  # a list of that age has what there is


@dataclass(frozen=True)
class Wanted:
    """What *Use this account* means now; no role where the person has not chosen one."""

    account_id: str
    role_name: str | None
    region: str | None


class Selection:
    """
    The choices of one panel.

    Args:
        context: Where lists come from.

        now: The current time, aware, UTC.
    """

    def __init__(self, context: Context, now: Now = utc_now) -> None:
        self._context = context
        self._now = now
        self._organisation: str | None = None
        self._region: str | None = None
        self._offered_region: str | None = None
        self.forget()

    def forget(self) -> None:
        """Begin anew, as after a sign-out."""
        self._typed = ""
        self._account_id: str | None = None
        # Whether the selection is a person's; otherwise it follows the account in use.
        self._picked = False
        # Whether the account itself was picked; a search only leads to it.
        self._pointed_at = False
        self._role_name: str | None = None
        # What came into use from here and was not looked at since; a cell may have used another role meanwhile.
        self._granted: Wanted | None = None
        self._selected_at = -_NEVER
        self._list = AccountList((), (), (), lambda _: False)
        self._found: list[Account] = []
        self._made_of: object = None
        self._used: dict[str, str] = {}
        # What was asked for behind, once; and what came, for a home where nothing can be kept.
        self._asked: set[object] = set()
        self._came: list[Listing] = []
        self._roles: dict[str, tuple[str, ...]] = {}
        # Whether it was asked for new accounts since a search last found something.
        self._looked = False
        # Seconds until there is something to look at, though nobody does anything.
        self.soon = _NEVER

    # What the person does.

    def pick_organisation(self, name: str | None) -> None:
        """Choose what to sign in to."""
        self._organisation = name

    def type(self, text: str) -> None:
        """Search; the first that is found is selected."""
        self._typed = text
        self._found = self._list.find(text)
        self._picked = bool(text.strip())
        self._pointed_at = False
        self._select(self._found[0].id if self._found else None)

    def pick_account(self, account_id: str | None) -> None:
        """Select an account."""
        self._picked = self._pointed_at = True
        self._select(account_id)

    def pick_role(self, role_name: str | None) -> None:
        """Choose a role."""
        self._picked = True
        self._granted = None
        self._role_name = role_name or None

    def granted(self, wanted: Wanted) -> None:
        """Note that a choice came into use, and is none any more; from any thread."""
        self._granted = wanted

    def pick_region(self, region: str | None) -> None:
        """Choose a region."""
        self._region = self._offered_region = region

    @property
    def organisation(self) -> str | None:
        """The sso-session to sign in to, where that is a choice."""
        return self._organisation

    @property
    def wanted(self) -> Wanted | None:
        """What *Use this account* means now; nothing where no account is selected."""
        if self._account_id is None:
            return None
        return Wanted(self._account_id, self._role(self._account_id), self._offered_region)

    @property
    def account(self) -> Account | None:
        """The account that is selected."""
        return self._list.get(self._account_id)

    @property
    def starred(self) -> bool:
        """Whether that is a favourite."""
        return self._account_id is not None and self._list.starred(self._account_id)

    @property
    def sure(self) -> bool:
        """Whether Enter can only mean one account: it was picked, or is the only one that was found."""
        return self._pointed_at or len(self._found) == 1

    @property
    def lacks_role(self) -> bool:
        """Whether the person has to choose a role first: there are several, and none was taken before."""
        names = self._roles.get(self._account_id or "")
        return names is not None and len(names) > 1 and self._role(self._account_id or "") is None

    def learn_roles(self, account_id: str) -> None:
        """
        Ask for the roles of an account, so that the person can choose.

        Raises:
            CuawsError: The portal does not answer.
        """
        if account_id not in self._roles:
            self._learn_roles(self._context.choice.sso_session(), account_id)

    # What there is.

    def offer_organisations(self, widgets: PanelWidgets) -> None:
        """Offer the sso-sessions of `~/.aws/config`, if there are several."""
        names = Names(self._context).configured_sessions()
        if len(names) < _SEVERAL:
            self._organisation = None
        elif self._organisation not in names:
            self._organisation = names[0]
            with contextlib.suppress(CuawsError):
                chosen = status(self._context).sso_session
                self._organisation = chosen.name if chosen is not None and chosen.name in names else names[0]
        widgets.offer_organisations(names, self._organisation)

    def offer_accounts(self, widgets: PanelWidgets, state: PanelState) -> None:
        """Offer what the directory remembers, and ask for what it does not."""
        if state.sso_session is None:
            return
        listing = self._listing(state.sso_session, state.signed_in_at)
        self._renew_list(listing, state.sso_session)
        self._follow()
        self._look_for_new(listing, state.sso_session)
        shown = self._found[:SHOWN]
        widgets.offer_accounts(
            self._list.labels(shown),
            self._account_id,
            self._said(listing, state),
            self._placeholder(listing),
            html.accounts(
                [(one, self._list.starred(one.id), self._list.production(one)) for one in shown],
                self._account_id,
                self._typed,
            ),
        )
        widgets.offer_star(self.account is not None, self.starred)
        self._offer_roles(widgets, state.sso_session)
        self._offered_region = self._region or (
            state.in_use.region if state.in_use else self._context.choice.region(self._context.choice.sso_session())
        )
        names = REGIONS if self._offered_region in REGIONS else (self._offered_region, *REGIONS)
        widgets.offer_regions(names, self._offered_region)

    def _listing(self, sso_session: SsoSession, signed_in_at: datetime | None) -> Listing | None:
        """Return the list in memory; one from a day ago, or from before the sign-in, is renewed behind."""
        listing = self._context.accounts.remembered(sso_session) or (self._came[-1] if self._came else None)
        before = listing is not None and signed_in_at is not None and listing.listed_at < signed_in_at
        if listing is None or before or not listing.fresh(self._now()):
            self._ask_for_accounts(listing, sso_session)
        return listing

    def _look_for_new(self, listing: Listing | None, sso_session: SsoSession) -> None:
        """Have the list renewed where a search finds nothing: once, not with each further letter."""
        self._looked = self._looked and not self._found
        wanted = self._typed.strip() and not self._found and not self._looked
        if wanted and listing is not None and self._now() - listing.listed_at >= _JUST_NOW:
            self._looked = True
            self._ask_for_accounts(listing, sso_session)

    def _ask_for_accounts(self, listing: Listing | None, sso_session: SsoSession) -> None:
        listed_at = listing.listed_at if listing is not None else None
        self._ask(
            ACCOUNTS,
            (sso_session.cache_key, listed_at),
            lambda: self._came.append(self._context.accounts.accounts(sso_session, refresh=listing is not None)),
        )

    def _renew_list(self, listing: Listing | None, sso_session: SsoSession) -> None:
        self._used = self._context.accounts.used_before(sso_session)
        is_production = self._context.settings.is_production
        starred, recent = on_top(self._context, sso_session)
        made_of = (
            sso_session.cache_key,
            listing.listed_at if listing is not None else None,
            tuple(starred),
            tuple(recent),
            self._context.settings.production,
        )
        if made_of == self._made_of:
            return
        self._made_of = made_of
        self._list = AccountList(listing.accounts if listing is not None else (), starred, recent, is_production)
        self._found = self._list.find(self._typed)
        shown = [account.id for account in self._found[:SHOWN]]
        if self._account_id not in shown:
            self._picked = bool(self._typed.strip())
            last = next(iter(recent), None)  # favourites stand above it, and are not what was used last
            self._select(last if last in shown and not self._picked else shown[0] if shown else None)

    def _follow(self) -> None:
        """Select the account in use, unless the person has chosen another; a choice that was granted is none."""
        current = self._context.credentials.current
        if current is None:
            return
        in_use, granted = current.account.id, self._granted
        came_true = granted is not None and (granted.account_id, granted.role_name) == (in_use, self._role_name)
        if in_use == self._account_id and (came_true or self._role_name in (None, current.role_name)):
            self._picked, self._role_name, self._granted = False, None, None
        elif not self._picked and any(account.id == in_use for account in self._found[:SHOWN]):
            self._select(in_use)

    def _offer_roles(self, widgets: PanelWidgets, sso_session: SsoSession) -> None:
        self.soon = _NEVER
        account_id = self._account_id
        if account_id is None:
            widgets.offer_roles((), None)
            return
        names = self._known_roles(sso_session, account_id)
        if names is None:
            settled = self._selected_at + _SETTLED - time.monotonic()
            if settled > 0:
                self.soon = settled
            elif not self._context.tasks.under_way(ACCOUNTS):  # a list that comes meanwhile must not be written over
                self._ask(ROLES, account_id, lambda: self._learn_roles(sso_session, account_id))
        failed = names is None and (ROLES, account_id) in self._asked and not self._context.tasks.under_way(ROLES)
        names = None if names is None else tuple(sorted(names, key=power))
        widgets.offer_roles(() if failed else names, self._role(account_id))

    def _known_roles(self, sso_session: SsoSession, account_id: str) -> tuple[str, ...] | None:
        if account_id not in self._roles:
            listing = self._context.accounts.remembered(sso_session)
            if listing is None or not listing.fresh(self._now()) or account_id not in listing.roles:
                return None
            self._roles[account_id] = listing.roles[account_id]
        return self._roles[account_id]

    def _learn_roles(self, sso_session: SsoSession, account_id: str) -> None:
        self._roles.update(self._context.accounts.roles(sso_session, [account_id]))

    def _role(self, account_id: str) -> str | None:
        """Return the role that the person chose, or has in use, or took last, or has alone, or prefers."""
        names = self._roles.get(account_id)
        current = self._context.credentials.current
        in_use = current.role_name if current is not None and current.account.id == account_id else None
        last = in_use if in_use is not None and (names is None or in_use in names) else self._used.get(account_id)
        chosen = self._role_name or (last if names is None or last in names else None)
        if chosen or names is None:
            return chosen
        return names[0] if len(names) == 1 else self._context.settings.preferred(sorted(names, key=power))

    def _ask(self, kind: str, what: object, work: Callable[[], object]) -> None:
        if (kind, what) not in self._asked:
            self._asked.add((kind, what))
            self._context.tasks.start(kind, work, what, quiet=True)

    def _select(self, account_id: str | None) -> None:
        if account_id != self._account_id:
            self._account_id = account_id
            self._role_name = None
            self._selected_at = time.monotonic()
            self._asked.discard((ROLES, account_id))

    def _said(self, listing: Listing | None, state: PanelState) -> str:
        if listing is None:
            return "Asking for your accounts …" if ACCOUNTS in state.busy or state.trouble is None else ""
        if ACCOUNTS in state.busy:
            return "Looking for new accounts …"
        if not self._found:
            return f"No account matches “{self._typed.strip()}”." if self._typed.strip() else "You have no accounts."
        if len(self._found) > SHOWN:
            return f"The first {SHOWN} of {len(self._found):,}; type more of a name or number."
        return ""

    def _placeholder(self, listing: Listing | None) -> str:
        return f"Search {len(self._list):,} accounts by name or number" if listing is not None else "Search accounts"
