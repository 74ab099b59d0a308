"""Accounts and roles: listed at the portal, remembered for a day."""

from __future__ import annotations

import fnmatch
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from cuaws_magic.humanize import printable, spaced
from cuaws_magic.model import Account, utc_now
from cuaws_magic.settings import LISTING_LIFE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cuaws_magic.aws.identity_center import IdentityCenter
    from cuaws_magic.config.content import AwsConfig
    from cuaws_magic.model import AccountRole, Now, SsoSession, SsoToken
    from cuaws_magic.sso.login import Login
    from cuaws_magic.state_store import StateStore

    Progress = Callable[[int, int], None]

_WORKERS = 8  # requests on their way at the same time; the pace decides how many a second


_JUST_LISTED = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Listing:
    """
    The accounts of one sign-in.

    Attributes:
        accounts: In the order of their names.

        roles: Role names by account id, for the accounts whose roles were asked.

        listed_at: When the portal was asked.
    """

    accounts: tuple[Account, ...]
    roles: dict[str, tuple[str, ...]]
    listed_at: datetime

    def fresh(self, now: datetime) -> bool:
        """Whether it may be shown without asking the portal."""
        return now - self.listed_at < LISTING_LIFE


class Accounts:
    """
    Accounts and roles that the person may enter.

    Args:
        identity_center: Where they are listed.

        login: The sign-in that they are listed with.

        own_state: Where lists and choices are remembered.

        now: The current time, aware, UTC.
    """

    def __init__(
        self, identity_center: IdentityCenter, login: Login, own_state: StateStore, now: Now = utc_now
    ) -> None:
        self._identity_center = identity_center
        self._login = login
        self._own_state = own_state
        self._now = now
        # What was read of a list, for as long as the file is as it was: making twenty thousand accounts takes a while.
        self._read: dict[str, tuple[object, Listing | None]] = {}

    def remembered(self, sso_session: SsoSession) -> Listing | None:
        """Return the last list, however old; sends no request."""
        content = self._own_state.load("accounts", sso_session.cache_key)
        # A section keeps its name when somebody gives it another address.
        if content.get("start_url") != sso_session.start_url:
            return None
        read = self._read.get(sso_session.cache_key)
        if read is None or read[0] is not content:  # the store reads a file again only when it changed
            read = self._read[sso_session.cache_key] = (content, _listing_from(content))
        return read[1]

    def looked_again(self, sso_session: SsoSession, listing: Listing) -> Listing:
        """Return a list for somebody who misses an account in one: a new one, unless that one has just been fetched."""
        if self._now() - listing.listed_at < _JUST_LISTED:
            return listing
        return self.accounts(sso_session, refresh=True)

    def accounts(self, sso_session: SsoSession, *, refresh: bool = False) -> Listing:
        """
        Return the accounts, from memory for a day.

        Raises:
            NotSignedIn: A person has to approve a sign-in first.

            ServiceError: The portal does not answer.
        """
        remembered = self.remembered(sso_session)
        if remembered is not None and remembered.fresh(self._now()) and not refresh:
            return remembered
        found = self._login.asking(
            sso_session, lambda sso_token: list(self._identity_center.list_accounts(sso_token, sso_session.sso_region))
        )
        ordered = tuple(sorted(found, key=lambda account: (account.name.casefold(), account.id)))
        kept = {} if remembered is None or refresh else remembered.roles
        return self._remember(sso_session, Listing(ordered, kept, self._now()))

    def roles(
        self,
        sso_session: SsoSession,
        account_ids: Sequence[str],
        *,
        refresh: bool = False,
        progress: Progress | None = None,
    ) -> dict[str, tuple[str, ...]]:
        """
        Return the role names of some accounts, several asked at a time.

        Args:
            sso_session: The sign-in.

            account_ids: Which accounts.

            refresh: Ask the portal also for those that are remembered.

            progress: Told how many of how many are done.

        Raises:
            NotSignedIn: A person has to approve a sign-in first.

            NoAccess: The person may not enter one of the accounts.

            ServiceError: The portal does not answer.
        """
        listing = self.remembered(sso_session)
        known = dict(listing.roles) if listing is not None and listing.fresh(self._now()) and not refresh else {}
        missing = [account_id for account_id in account_ids if account_id not in known]
        if missing:
            known |= self._login.asking(
                sso_session, lambda sso_token: self._roles(sso_session, sso_token, missing, progress)
            )
            listing = self.remembered(sso_session) or listing  # somebody may have listed anew meanwhile
            if listing is not None:
                self._remember(sso_session, Listing(listing.accounts, {**listing.roles, **known}, listing.listed_at))
        return {account_id: known[account_id] for account_id in account_ids}

    def used(self, account_role: AccountRole) -> None:
        """Remember that a role was taken, for the next time that nobody names one."""
        key = account_role.sso_session.cache_key
        used = dict(self._own_state.load("used", key))
        if used.get(account_role.account.id) != account_role.role_name:
            used.pop(account_role.account.id, None)
            self._own_state.save("used", key, {**used, account_role.account.id: account_role.role_name}, durable=False)

    def used_before(self, sso_session: SsoSession) -> dict[str, str]:
        """Return the role taken last, by account id; the one that was taken anew last stands at the end."""
        return {str(k): str(v) for k, v in self._own_state.load("used", sso_session.cache_key).items()}

    def starred(self, sso_session: SsoSession) -> list[str]:
        """Return the ids of a person's favourites, in the order in which they were starred."""
        return [str(account_id) for account_id in self._own_state.load("starred", sso_session.cache_key)]

    def star(self, sso_session: SsoSession, account: Account) -> bool:
        """Make an account a favourite, or no favourite any more; returns whether it is one now."""
        key = sso_session.cache_key
        starred = dict(self._own_state.load("starred", key))
        is_one = starred.pop(account.id, None) is None
        self._own_state.save("starred", key, {**starred, account.id: account.name} if is_one else starred)
        return is_one

    def known_roles(self, sso_session: SsoSession, config: AwsConfig | None) -> set[tuple[str, str]]:
        """Return every account id and role name that was ever listed, taken or configured for a sign-in."""
        known = set(self.used_before(sso_session).items())
        listing = self.remembered(sso_session)
        if listing is not None:
            known |= {(account_id, role) for account_id, roles in listing.roles.items() for role in roles}
        for profile in config.profiles.values() if config is not None else ():
            if (
                profile.sso
                and profile.merged.get("sso_session", profile.merged.get("sso_start_url")) == sso_session.cache_key
            ):
                known.add((profile.account_id, profile.role_name))
        return known

    # Asking.

    def _roles(
        self, sso_session: SsoSession, sso_token: SsoToken, account_ids: Sequence[str], progress: Progress | None
    ) -> dict[str, tuple[str, ...]]:
        def ask(account_id: str) -> tuple[str, ...]:
            return tuple(
                sorted(self._identity_center.list_account_roles(sso_token, sso_session.sso_region, account_id))
            )

        if progress is not None:
            progress(0, len(account_ids))
        # The first alone: if the sign-in has ended, one request finds out, not eight.
        found = {account_ids[0]: ask(account_ids[0])}
        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="cuaws-roles") as pool:
            try:
                for account_id, names in zip(account_ids[1:], pool.map(ask, account_ids[1:]), strict=True):
                    found[account_id] = names
                    if progress is not None:
                        progress(len(found), len(account_ids))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return found

    def _remember(self, sso_session: SsoSession, listing: Listing) -> Listing:
        self._own_state.save(
            "accounts",
            sso_session.cache_key,
            {
                "start_url": sso_session.start_url,
                "listed_at": listing.listed_at.timestamp(),
                "accounts": {account.id: account.name for account in listing.accounts},
                "roles": {account_id: list(names) for account_id, names in listing.roles.items()},
            },
        )
        return listing


def _listing_from(content: dict[str, Any]) -> Listing | None:
    try:
        return Listing(
            accounts=tuple(Account(str(account_id), str(name)) for account_id, name in content["accounts"].items()),
            roles={str(account_id): tuple(map(str, names)) for account_id, names in content["roles"].items()},
            listed_at=datetime.fromtimestamp(content["listed_at"], timezone.utc),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError):
        return None


SHOWN = 100  # accounts sent to the page at a time
_MARK = "  production"
_NUMBER = re.compile(r"[\d\s-]*\d[\d\s-]*")


class AccountList:
    """
    The accounts of one sign-in, in the order to show them: favourites, those used last, the rest by name.

    Args:
        accounts: All of them.

        starred: Ids of the favourites.

        recent: Ids of those used before, the last used first; some of them more than once.

        is_production: Whether an account of that name is marked.
    """

    def __init__(
        self,
        accounts: Iterable[Account],
        starred: Iterable[str],
        recent: Iterable[str],
        is_production: Callable[[str], bool],
    ) -> None:
        self._by_id = {account.id: account for account in accounts}
        self._starred = set(starred)
        self._is_production = is_production
        found = in_order(self._by_id.values(), starred, recent)
        self._searchable = [(f"{one.name.casefold()} {one.id}", one) for one in found]

    def __len__(self) -> int:
        return len(self._searchable)

    def __contains__(self, account_id: object) -> bool:
        return account_id in self._by_id

    def get(self, account_id: str | None) -> Account | None:
        """Return an account by its id, if it is here."""
        return self._by_id.get(account_id or "")

    def find(self, typed: str) -> list[Account]:
        """Return the accounts that have every word of what was typed in their name or number, or match a pattern."""
        if "*" in typed or "?" in typed:
            return matching_accounts([account for _, account in self._searchable], typed.strip())
        number = _NUMBER.fullmatch(typed)
        words = [re.sub(r"\D", "", typed)] if number and not typed.isspace() else typed.casefold().split()
        if len(words) == 1:
            (word,) = words
            return [account for text, account in self._searchable if word in text]
        return [account for text, account in self._searchable if all(word in text for word in words)]

    def starred(self, account_id: str) -> bool:
        """Whether an account is a favourite."""
        return account_id in self._starred

    def production(self, account: Account) -> bool:
        """Whether an account is to be marked."""
        return self._is_production(account.name)

    def labels(self, accounts: Sequence[Account]) -> list[tuple[str, str]]:
        """Return what to show for each account where only text can be, in columns, with its id as the value."""
        return labels(accounts, self.production)


class AccountGroups:
    """
    The lists of several organisations, one below the other; an account that two of them list stands in the first.

    Args:
        groups: Each sign-in with its list.
    """

    def __init__(self, groups: Sequence[tuple[SsoSession, AccountList]] = ()) -> None:
        self._groups = groups

    @property
    def several(self) -> bool:
        """Whether there is more than one organisation."""
        return len(self._groups) > 1

    def __len__(self) -> int:
        return sum(len(one) for _, one in self._groups)

    def find(self, typed: str) -> list[Account]:
        """Return the accounts that `AccountList.find` finds, of all."""
        found: dict[str, Account] = {}
        for _, one in self._groups:
            for account in one.find(typed):
                found.setdefault(account.id, account)
        return list(found.values())

    def whose(self, account_id: str | None) -> SsoSession | None:
        """Return the sign-in of an account."""
        return next((sso_session for sso_session, one in self._groups if account_id in one), None)

    def get(self, account_id: str | None) -> Account | None:
        """Return an account by its id, if it is here."""
        return next((found for _, one in self._groups if (found := one.get(account_id)) is not None), None)

    def starred(self, account_id: str) -> bool:
        """Whether an account is a favourite."""
        return any(one.starred(account_id) for _, one in self._groups)

    def production(self, account: Account) -> bool:
        """Whether an account is to be marked."""
        return any(one.production(account) for _, one in self._groups)

    def labels(self, accounts: Sequence[Account]) -> list[tuple[str, str]]:
        """Return what to show where only text can be, and whose an account is if there are several organisations."""
        shown = labels(accounts, self.production)
        if not self.several:
            return shown
        return [(f"{text}  {one.label if (one := self.whose(key)) else ''}", key) for text, key in shown]


def labels(accounts: Sequence[Account], is_production: Callable[[Account], bool]) -> list[tuple[str, str]]:
    """Return what to show for each account where only text can be, in columns, with its id as the value."""
    names = [printable(one.name) for one in accounts]
    width = max(map(len, names), default=0)
    marked = [f"{name}{_MARK if is_production(one) else ''}" for name, one in zip(names, accounts, strict=True)]
    return [(f"{name.ljust(width)}  {spaced(one.id)}", one.id) for name, one in zip(marked, accounts, strict=True)]


def in_order(accounts: Iterable[Account], starred: Iterable[str], recent: Iterable[str]) -> list[Account]:
    """Return accounts in the order to show them: favourites by name, those used last, the rest by name."""
    by_id = {account.id: account for account in accounts}
    favourites = sorted((by_id[one] for one in {*starred} & by_id.keys()), key=_by_name)
    first = dict.fromkeys([*(one.id for one in favourites), *(one for one in recent if one in by_id)])
    rest = sorted((one for one in by_id.values() if one.id not in first), key=_by_name)
    return [*(by_id[one] for one in first), *rest]


def _by_name(account: Account) -> tuple[str, str]:
    return account.name.casefold(), account.id


def matching_accounts(accounts: Sequence[Account], pattern: str | None) -> list[Account]:
    """Return those that a pattern means: part of a name or id, or a pattern with `*`; any case."""
    if not pattern:
        return list(accounts)
    fold = pattern.casefold()
    glob = fold if "*" in fold or "?" in fold else f"*{fold}*"
    return [
        one for one in accounts if fnmatch.fnmatchcase(one.name.casefold(), glob) or fnmatch.fnmatchcase(one.id, glob)
    ]
