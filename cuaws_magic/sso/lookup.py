"""Accounts looked up in several organisations at once: the ones that answer, and why the others did not."""

from __future__ import annotations

import difflib
import functools
import heapq
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cuaws_magic.errors import CuawsError, ServiceFailure
from cuaws_magic.humanize import quoted
from cuaws_magic.model import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cuaws_magic.model import Account, SsoSession
    from cuaws_magic.sso.accounts import Accounts, Listing

_PATIENCE = 10.0  # seconds that a command waits for an organisation while others have answered
_AT_A_TIME = 8
_COMPARED = 100  # names, letter by letter
_PART = 3  # letters
_NEAREST = 5
_FEW = 3  # organisations that are named one by one


@dataclass(frozen=True)
class Listings:
    """
    The lists of several organisations.

    Attributes:
        found: Each sign-in with its list, in the order in which they were asked for.

        silent: Those that could not be asked, and why.
    """

    found: tuple[tuple[SsoSession, Listing], ...]
    silent: tuple[tuple[SsoSession, CuawsError], ...] = ()

    def named(self, name: str) -> list[tuple[SsoSession, Account]]:
        """Return the accounts with that name, in any case, or that number."""
        return [
            (sso_session, account)
            for sso_session, listing in self.found
            for account in listing.accounts
            if account.id == name or account.name.casefold() == name.casefold()
        ]

    def looked_again(self, directory: Accounts) -> Listings:
        """Return new lists, for somebody who misses an account in these; what has just been listed is not again."""
        if len(self.found) == 1:
            return Listings(tuple((one, directory.looked_again(one, listing)) for one, listing in self.found))
        asked_together([functools.partial(directory.looked_again, one, listing) for one, listing in self.found])
        return Listings(tuple((one, directory.remembered(one) or listing) for one, listing in self.found), self.silent)


def listings(
    directory: Accounts, sso_sessions: Sequence[SsoSession], *, refresh: bool = False, patience: float = _PATIENCE
) -> Listings:
    """
    Return the accounts of several sign-ins; the portals are asked at the same time where no fresh list is remembered.

    Args:
        directory: Lists and remembers.

        sso_sessions: Which sign-ins.

        refresh: Ask the portals.

        patience: Seconds after which an organisation counts as one that does not answer.

    Raises:
        CuawsError: Not one could be asked: what the first of them said.
    """
    if len(sso_sessions) == 1:
        return Listings(((sso_sessions[0], directory.accounts(sso_sessions[0], refresh=refresh)),))
    kept = {one: directory.remembered(one) for one in sso_sessions}
    missing = [one for one, old in kept.items() if refresh or old is None or not old.fresh(utc_now())]
    answers = dict(
        zip(
            missing,
            asked_together([functools.partial(directory.accounts, one, refresh=refresh) for one in missing], patience),
            strict=True,
        )
    )
    silent = tuple((one, error) for one in sso_sessions if (error := answers.get(one)) is not None)
    # An old list is better than none.
    found = tuple((one, listing) for one in sso_sessions if (listing := directory.remembered(one)) is not None)
    if not found and silent:
        raise silent[0][1]
    return Listings(found, silent)


def asked_together(questions: Sequence[Callable[[], object]], patience: float = _PATIENCE) -> list[CuawsError | None]:
    """Ask at the same time; returns for each why it came to nothing, if it did. The slow are left to themselves."""
    pool = ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="cuaws-organisations")
    try:
        asked = [pool.submit(one) for one in questions]
        wait(asked, patience)
        return [_error_of(one, patience) for one in asked]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _error_of(future: Future[object], patience: float) -> CuawsError | None:
    if not future.done():
        return ServiceFailure(
            f"The access portal did not answer in {patience:g} seconds. Run the cell again, or name another "
            "organisation with `--session`."
        )
    try:
        future.result()
    except CuawsError as error:
        return error
    return None


def said_of(sso_session: SsoSession, error: CuawsError) -> str:
    """Say that an organisation could not be asked, and why."""
    return f"{sso_session.label} could not be asked: {str(error).split('. ', 1)[0].rstrip('.')}."


def elsewhere(unasked: Sequence[tuple[SsoSession, str]]) -> list[str]:
    """Say where nobody is signed in, and what to type to look there too: for a few each, for many once."""
    if len(unasked) <= _FEW:
        return [f"Nobody is signed in to {one.label}. To look there too, type {typed}." for one, typed in unasked]
    names = ", ".join(one.label for one, _ in unasked[:_FEW])
    others = f"Nobody is signed in to {names} and {len(unasked) - _FEW} others."
    return [f"{others} To look in one of them too, type `%cuaws login --session NAME`."]


def also_named(sso_session: SsoSession, account: Account) -> str:
    """Say that another organisation has an account of that name, which was not meant because nobody is signed in."""
    return (
        f"{sso_session.label}, where nobody is signed in, has an account of that name too: {account.id}. If you mean "
        f"that, type `%cuaws use {quoted(f'{sso_session.label}:{account.name}')}`."
    )


def several_named(name: str, found: Sequence[tuple[SsoSession, Account]]) -> str:
    """Say that a name means several accounts, and how to say which."""
    found = sorted(found, key=lambda one: one[0].label)
    (sso_session, first), *_ = found
    if len({one.cache_key for one, _ in found}) == 1:
        ids = " or ".join(account.id for _, account in found)
        return f"{len(found)} accounts are named {name}: {ids}. Type the number: `%cuaws use {first.id}`."
    which = " and ".join(f"{account.id} ({one.label})" for one, account in found)
    typed = f"`%cuaws use {quoted(f'{sso_session.label}:{name}')}`"
    return f"{name} is an account in more than one organisation: {which}. To say which you mean, type {typed}."


def named(accounts: Iterable[Account], name: str) -> list[Account]:
    """Return the accounts of a name, in any case."""
    return [account for account in accounts if account.name.casefold() == name.casefold()]


def _candidates(name: str, names: list[str]) -> list[str]:
    """Return the names that share most with one: to compare it with thousands letter by letter takes seconds."""
    if len(names) <= _COMPARED:
        return names
    parts = {name[start : start + _PART] for start in range(max(1, len(name) - _PART + 1))}
    shared = {one: count for one in names if (count := len([True for part in parts if part in one]))}
    return heapq.nlargest(_COMPARED, shared, key=shared.__getitem__)


def nearest(name: str, names: list[str]) -> str:
    """Say what comes nearest to a name that there is not, and what to type."""
    by_fold = {one.casefold(): one for one in names}
    inside = [fold for fold in sorted(by_fold) if name.casefold() in fold]
    candidates = _candidates(name.casefold(), list(by_fold))
    close = difflib.get_close_matches(name.casefold(), candidates, n=_NEAREST, cutoff=0.6)
    found = list(dict.fromkeys(close + inside))[:_NEAREST]
    if found:
        listed = ", ".join(by_fold[fold] for fold in found)
        return f"Nearest: {listed}. Type `%cuaws use {quoted(by_fold[found[0]])}`."
    return f"Type `%cuaws accounts` to see all {len(names)}."
