"""
What a person typed and selected on one panel, and what there is to select.

The only state that a panel has of its own. Lists come from the directory's memory; what
is not there is asked for behind, and the panel looks again when it comes.
"""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from cuaws_magic.commands.names import on_top
from cuaws_magic.model import utc_now
from cuaws_magic.settings import REGIONS
from cuaws_magic.sso.accounts import SHOWN, AccountGroups, AccountList
from cuaws_magic.sso.lookup import asked_together, said_of
from cuaws_magic.sso.targets import power
from cuaws_magic.views.sign_in import session_label
from cuaws_magic.widget import html
from cuaws_magic.widget.state import ACCOUNTS, ROLES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from typing import TypeAlias

    from cuaws_magic.commands.context import Context
    from cuaws_magic.model import Account, Now, SsoSession
    from cuaws_magic.sso.accounts import Listing
    from cuaws_magic.widget.state import PanelState
    from cuaws_magic.widget.widgets import PanelWidgets

    Lists: TypeAlias = Sequence[tuple[SsoSession, Listing | None]]

_SETTLED = 0.25  # seconds that a selection stands before its roles are asked for: arrow keys pass by many
_NEVER = float("inf")
_JUST_NOW = timedelta(minutes=1)  # a list of that age has what there is


@dataclass(frozen=True)
class Wanted:
    """What *Use this account* means now; no role where the person has not chosen one."""

    account_id: str
    role_name: str | None
    region: str | None
    session: str | None = None


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
        self._list = AccountGroups()
        self._found: list[Account] = []
        self._made_of: object = None
        self._used: dict[str, str] = {}
        # What was asked for behind, once; and what came, for a home where nothing can be kept.
        self._asked: set[object] = set()
        self._came: dict[str, Listing] = {}
        # Those that could not be asked, and what to say of them.
        self._silent: dict[str, str] = {}
        self._roles: dict[str, tuple[str, ...]] = {}
        # Whether it was asked for new accounts since a search last found something.
        self._looked = False
        # Seconds until there is something to look at, though nobody does anything.
        self.soon = _NEVER

    # What the person does.

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
    def wanted(self) -> Wanted | None:
        """What *Use this account* means now; nothing where no account is selected."""
        if self._account_id is None:
            return None
        whose = self._list.whose(self._account_id)
        session = whose.label if whose is not None and self._list.several else None
        return Wanted(self._account_id, self._role(self._account_id), self._offered_region, session)

    @property
    def account(self) -> Account | None:
        """The account that is selected."""
        return self._list.get(self._account_id)

    @property
    def whose(self) -> SsoSession | None:
        """The sign-in through which it is reached."""
        return self._list.whose(self._account_id)

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
        whose = self._list.whose(account_id)
        if account_id not in self._roles and whose is not None:
            self._learn_roles(whose, account_id)

    # What there is.

    def offer_accounts(self, widgets: PanelWidgets, state: PanelState) -> None:
        """Offer what the directory remembers, and ask for what it does not."""
        if not state.listed:
            return
        lists = [
            (one, self._context.accounts.remembered(one) or self._came.get(one.cache_key)) for one, _ in state.listed
        ]
        self._renew_lists(lists, dict(state.listed))
        self._renew_groups(lists)
        self._follow()
        self._look_for_new(lists)
        shown = self._found[:SHOWN]
        whose = [session_label(one) if (one := self._list.whose(account.id)) else "" for account in shown]
        widgets.offer_accounts(
            self._list.labels(shown),
            self._account_id,
            self._said(lists, state),
            self._placeholder(lists),
            html.accounts(
                [(one, self._list.starred(one.id), self._list.production(one)) for one in shown],
                self._account_id,
                self._typed,
                whose if self._list.several else (),
            ),
        )
        widgets.offer_star(self.account is not None, self.starred)
        self._offer_roles(widgets)
        at = self._list.whose(self._account_id) or state.sso_session
        self._offered_region = self._region or (
            state.in_use.region if state.in_use else self._context.choice.region(at)
        )
        names = REGIONS if self._offered_region in REGIONS else (self._offered_region, *REGIONS)
        widgets.offer_regions(names, self._offered_region)

    def _renew_lists(self, lists: Lists, since: Mapping[SsoSession, datetime | None]) -> None:
        """Have lists renewed behind that are not there, from a day ago, or from before the sign-in."""
        old = []
        for sso_session, listing in lists:
            signed_in_at = since.get(sso_session)
            before = listing is not None and signed_in_at is not None and listing.listed_at < signed_in_at
            if listing is None or before or not listing.fresh(self._now()):
                old.append((sso_session, listing))
        if old:
            self._ask_for_accounts(old)

    def _look_for_new(self, lists: Lists) -> None:
        """Have the lists renewed where a search finds nothing: once, not with each further letter."""
        self._looked = self._looked and not self._found
        wanted = self._typed.strip() and not self._found and not self._looked
        old = [one for one in lists if one[1] is not None and self._now() - one[1].listed_at >= _JUST_NOW]
        if wanted and old:
            self._looked = True
            self._ask_for_accounts(old)

    def _ask_for_accounts(self, lists: Lists) -> None:
        keyed = {(one.cache_key, old.listed_at if old is not None else None): (one, old) for one, old in lists}
        new = {key: one for key, one in keyed.items() if (ACCOUNTS, key) not in self._asked}
        if new:
            self._asked |= {(ACCOUNTS, key) for key in new}
            self._context.tasks.start(ACCOUNTS, lambda: self._list_all(list(new.values())), tuple(new), quiet=True)

    def _list_all(self, lists: Lists) -> None:
        """Ask the portals at the same time; who answers is shown at once, who does not is named."""

        def ask(sso_session: SsoSession, listing: Listing | None) -> None:
            came = self._context.accounts.accounts(sso_session, refresh=listing is not None)
            self._came[sso_session.cache_key] = came
            self._silent.pop(sso_session.label, None)
            self._context.observers.notify()

        if len(lists) == 1:
            ask(*lists[0])
            return
        asked = asked_together([functools.partial(ask, *one) for one in lists])
        for (sso_session, _), error in zip(lists, asked, strict=True):
            if error is not None:
                self._silent[sso_session.label] = said_of(sso_session, error)

    def _renew_groups(self, lists: Lists) -> None:
        is_production = self._context.settings.is_production
        on_tops = [on_top(self._context, one) for one, _ in lists]
        made_of = [
            (one.cache_key, listing.listed_at if listing is not None else None, tuple(starred), tuple(recent))
            for (one, listing), (starred, recent) in zip(lists, on_tops, strict=True)
        ]
        self._used = {k: v for one, _ in lists for k, v in self._context.accounts.used_before(one).items()}
        if (made_of, self._context.settings.production) == self._made_of:
            return
        self._made_of = (made_of, self._context.settings.production)
        self._list = AccountGroups(
            [
                (one, AccountList(listing.accounts if listing is not None else (), starred, recent, is_production))
                for (one, listing), (starred, recent) in zip(lists, on_tops, strict=True)
            ]
        )
        self._found = self._list.find(self._typed)
        shown = [account.id for account in self._found[:SHOWN]]
        if self._account_id not in shown:
            self._picked = bool(self._typed.strip())
            # Favourites stand above it, and are not what was used last.
            last = next((recent[0] for _, recent in on_tops if recent), None)
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

    def _offer_roles(self, widgets: PanelWidgets) -> None:
        self.soon = _NEVER
        account_id, sso_session = self._account_id, self._list.whose(self._account_id)
        if account_id is None or sso_session is None:
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

    def _said(self, lists: Lists, state: PanelState) -> str:
        if self._silent and ACCOUNTS not in state.busy:
            return " ".join(self._silent.values())
        if any(listing is None for _, listing in lists):
            return "Asking for your accounts …" if ACCOUNTS in state.busy or state.trouble is None else ""
        if ACCOUNTS in state.busy:
            return "Looking for new accounts …"
        if not self._found:
            return f"No account matches “{self._typed.strip()}”." if self._typed.strip() else "You have no accounts."
        if len(self._found) > SHOWN:
            return f"The first {SHOWN} of {len(self._found):,}; type more of a name or number."
        return ""

    def _placeholder(self, lists: Lists) -> str:
        there = any(listing is not None for _, listing in lists)
        return f"Search {len(self._list):,} accounts by name or number" if there else "Search accounts"
