"""
Many accounts: the same in each of them, with progress; what fails is a row, what is missing can be run again.

`each` runs a cell one account after another, with that account in use. `in_threads` works with a session of each
account, several at a time, and touches nothing.
"""

from __future__ import annotations

import contextlib
import fnmatch
import functools
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cuaws_magic.background import interrupts_as_themselves
from cuaws_magic.commands.reach import chosen, reaching
from cuaws_magic.credentials.in_use import InUseRole
from cuaws_magic.credentials.provider import session_of
from cuaws_magic.credentials.sources import RoleSource
from cuaws_magic.errors import Cancelled, ConfigurationError, CuawsError, NotSignedIn, ServiceError, UnknownTarget
from cuaws_magic.humanize import counted, printable
from cuaws_magic.model import Account, AccountRole
from cuaws_magic.sso.accounts import matching_accounts
from cuaws_magic.sso.lookup import listings, said_of
from cuaws_magic.sso.targets import power
from cuaws_magic.views.many import Run, Runs
from cuaws_magic.views.render import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cuaws_magic.commands.context import Context
    from cuaws_magic.model import SsoSession
    from cuaws_magic.views.render import Display, DisplayHandle

_FEW = 20  # of as many, each is shown; of more, five a second
_STEP = 0.2  # seconds
_AHEAD = 4  # accounts whose credentials are fetched while another runs
# How services say that an account has not enabled a region.
_NOT_ENABLED = {"OptInRequired", "InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure", "InvalidToken"}


@dataclass(frozen=True)
class Place:
    """
    One account and region.

    Attributes:
        role: The account and role; `None` where there is none to take.

        why_not: Why there is none.

        organisation: Whose it is, where more than one organisation is known.
    """

    account: Account
    region: str
    role: AccountRole | None
    why_not: str = ""
    organisation: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from others."""
        return (self.account.id, self.region)

    def run(self, **more: Any) -> Run:
        """Return what came of it."""
        role = self.role.role_name if self.role is not None else ""
        return Run(self.account.name, self.account.id, role, self.region, organisation=self.organisation, **more)


def places(
    context: Context,
    display: Display,
    patterns: Sequence[str],
    *,
    role: str | None = None,
    regions: Sequence[str] | None = None,
    session: str | None = None,
) -> list[Place]:
    """
    Return the accounts and regions that are meant, by name; signs in first if need be.

    Args:
        patterns: Parts of names or ids, or patterns with `*`.

        role: The role, or a pattern of it.

        regions: Where; else the region of each account.

        session: The sign-in; otherwise all that stand.

    Raises:
        UnknownTarget: No account matches one of the patterns.

        CuawsError: The portal cannot be asked.
    """
    lists = context.approvals.retry_after_sign_in(
        lambda: listings(context.accounts, context.organisations.looked_in(session)), display
    )
    silent = dict(lists.silent)
    found: dict[tuple[SsoSession, str], Account] = {}
    for pattern in patterns or ["*"]:
        matching = {
            (sso_session, account.id): account
            for sso_session, listing in lists.found
            if sso_session not in silent
            for account in matching_accounts(listing.accounts, pattern)
        }
        if not matching and not silent:
            raise UnknownTarget(f"No account matches {pattern}. To see all, type `%cuaws accounts`.")
        found |= matching
    progress = _Counter(display, "Asking for roles")
    several, made = context.organisations.several(session), []
    for sso_session in dict.fromkeys(one for one, _ in found):
        accounts = {account_id: one for (its_own, account_id), one in found.items() if its_own == sso_session}
        ask = functools.partial(context.accounts.roles, sso_session, list(accounts), progress=progress)
        try:
            listed = context.approvals.retry_after_sign_in(ask, display)
        except ServiceError as error:
            if len(lists.found) == 1:
                raise
            silent[sso_session] = error
            continue
        used, usual = context.accounts.used_before(sso_session), context.choice.region(sso_session)
        for account in accounts.values():
            name, why_not = _role(listed[account.id], role, used.get(account.id))
            account_role = AccountRole(account, name, sso_session) if name else None
            whose = sso_session.label if several else ""
            made += [Place(account, region, account_role, why_not, whose) for region in regions or [usual]]
    made.sort(key=lambda one: (one.account.name.casefold(), one.account.id))  # regions in their own order
    # Those of an organisation that did not answer must not be missing unseen.
    return made + [
        Place(Account(one.label, one.label), context.choice.region(one), None, said_of(one, error), one.label)
        for one, error in silent.items()
    ]


def _role(names: Sequence[str], wanted: str | None, last: str | None) -> tuple[str, str]:
    """Return the role to take in an account, or why there is none; never one that somebody did not mean."""
    names = sorted(names, key=power)
    offered = ", ".join(names) or "none"
    if wanted is not None:
        matching = [one for one in names if fnmatch.fnmatchcase(one.casefold(), wanted.casefold())]
        if not matching:
            return "", f"no role {wanted} here (yours: {offered})"
        if len(matching) == 1 or matching[0] == wanted:
            return matching[0], ""
        return "", f"several roles match {wanted}: {', '.join(matching)}"
    if len(names) == 1:
        return names[0], ""
    if last in names:
        return str(last), ""
    return "", f"several roles ({offered}): say which with --role" if names else "no role here"


def refuse_production(context: Context, found: Sequence[Place], line: str) -> None:
    """
    Have a person say so before something runs in production.

    Raises:
        ConfigurationError: Nobody did.
    """
    names = list(dict.fromkeys(one.account.name for one in found if context.settings.is_production(one.account.name)))
    if names:
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")  # noqa: PLR2004 - a few
        raise ConfigurationError(
            f"{counted(len(names), 'account')} of {len({one.account.id for one in found})} marked production: {shown}. "
            f"To run it there too, type `{line} --yes`."
        )


def each(
    context: Context,
    display: Display,
    found: Sequence[Place],
    run_cell: Callable[[Place, Any], Any],
    *,
    stop: bool = False,
    before: Runs | None = None,
) -> Runs:
    """
    Run a cell once for each account and region, with that account in use; afterwards all is as before.

    Args:
        run_cell: Runs it with a session of the account, and returns its value.

        stop: End at the first error.

        before: What came of an earlier time; what went well then is not run again.
    """
    done = {(one.id, one.region): one for one in before.runs if one.error is None} if before is not None else {}
    todo = [place for place in found if place.key not in done]
    counter = _Counter(display, f"Running in {counted(len({one.account.id for one in found}), 'account')}", len(found))
    counter.begin(len(found) - len(todo))
    ahead = _Ahead(context, todo)
    try:
        for place in todo:
            done[place.key] = result = _one(context, display, place, run_cell)
            counter.add(result)
            if stop and result.error is not None:
                break
    except (KeyboardInterrupt, Cancelled):
        counter.stopped()
    finally:
        ahead.close()
    return _gathered(found, done)


def _one(context: Context, display: Display, place: Place, run_cell: Callable[[Place, Any], Any]) -> Run:
    began = time.monotonic()
    if place.role is None:
        return place.run(error=place.why_not)
    role = place.role
    try:
        keys = context.approvals.retry_after_sign_in(lambda: context.broker.credentials(role), display)
        source = RoleSource(context.broker, role)
        way = chosen(context, None)
        wanted = InUseRole(source, keys, place.region, None)
        wanted = reaching(context, wanted, "auto" if way == "profile" else way)
        with context.credentials.activated(wanted):
            value = run_cell(place, session_of(context.credentials.bind(source), place.region))
    except CuawsError as error:
        return place.run(error=str(error), seconds=time.monotonic() - began)
    except Exception as error:  # noqa: BLE001 - what the cell raises is what its account gave
        return _failed(context, place, error, time.monotonic() - began)
    return place.run(value=value, seconds=time.monotonic() - began)


def _failed(context: Context, place: Place, error: Exception, seconds: float) -> Run:
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    if (
        code in _NOT_ENABLED
        and place.role is not None
        and place.region != context.choice.region(place.role.sso_session)
    ):
        return place.run(seconds=seconds, enabled=False)
    return place.run(error=f"{type(error).__name__}: {printable(' '.join(str(error).split()))}"[:500], seconds=seconds)


def in_threads(
    context: Context,
    display: Display,
    work: Callable[[Place, Any], Any],
    found: Sequence[Place],
    *,
    workers: int,
    before: Runs | None = None,
) -> Runs:
    """
    Do some work for each account and region, several at a time, with none in use for it; errors are kept.

    Args:
        work: Takes a boto3 session too, which is its alone: making clients is not safe between threads.

        workers: How many at a time.

        before: What came of an earlier time; what went well then is not done again.
    """
    done = {(one.id, one.region): one for one in before.runs if one.error is None} if before is not None else {}
    todo = [place for place in found if place.key not in done]
    counter = _Counter(display, f"Running in {counted(len({one.account.id for one in found}), 'account')}", len(found))
    counter.begin(len(found) - len(todo))

    def call(place: Place) -> Run:
        return _called(context, work, place)

    try:
        with interrupts_as_themselves():
            signed_out = _call_all(call, todo, done, counter, workers, last=False)
            if signed_out is not None:
                with contextlib.suppress(CuawsError):  # the rows say what is missing
                    context.approvals.approve(signed_out.sso_session, display)
                left = [place for place in todo if place.key not in done]
                _call_all(call, left, done, counter, workers, last=True)
    except (KeyboardInterrupt, Cancelled):
        counter.stopped()
    return _gathered(found, done)


def _called(context: Context, work: Callable[[Place, Any], Any], place: Place) -> Run:
    began = time.monotonic()
    if place.role is None:
        return place.run(error=place.why_not)
    try:
        bound = context.credentials.bind(RoleSource(context.broker, place.role))
        bound()
        value = work(place, session_of(bound, place.region))
    except NotSignedIn:
        raise
    except CuawsError as error:
        return place.run(error=str(error), seconds=time.monotonic() - began)
    except Exception as error:  # noqa: BLE001 - what the function raises is what its account gave
        return _failed(context, place, error, time.monotonic() - began)
    return place.run(value=value, seconds=time.monotonic() - began)


def _call_all(
    call: Callable[[Place], Run],
    places: Sequence[Place],
    done: dict[tuple[str, str], Run],
    counter: _Counter,
    workers: int,
    *,
    last: bool,
) -> NotSignedIn | None:
    """
    Call for each place, several at a time; returns why some wait for a sign-in.

    Args:
        last: There is no second time: what waits for a sign-in is a row that says so.
    """
    signed_out = None
    pool = ThreadPoolExecutor(max(1, workers), thread_name_prefix="cuaws-map")
    try:
        futures = {pool.submit(call, place): place for place in places}
        for future, place in futures.items():
            try:
                result = future.result()
            except NotSignedIn as error:
                signed_out = error
                if not last:
                    continue
                result = place.run(error=str(error))
            done[place.key] = result
            counter.add(result)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return signed_out


def _gathered(found: Sequence[Place], done: dict[tuple[str, str], Run]) -> Runs:
    runs = tuple(done[place.key] for place in found if place.key in done)
    return Runs(runs, len(found) - len(runs))


class _Ahead:
    """Fetches the credentials of the next accounts while one runs."""

    def __init__(self, context: Context, todo: Iterable[Place]) -> None:
        self._pool = ThreadPoolExecutor(_AHEAD, thread_name_prefix="cuaws-ahead")
        for role in dict.fromkeys(place.role for place in todo if place.role is not None):
            self._pool.submit(self._fetch, context, role)

    @staticmethod
    def _fetch(context: Context, role: AccountRole) -> None:
        try:
            context.broker.credentials(role)
        except CuawsError:
            return  # whose turn it is says so

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


class _Counter:
    """A line that counts, with the accounts that failed."""

    def __init__(self, display: Display, what: str, total: int = 0) -> None:
        self._display = display
        self._what = what
        self._view = Progress(what, 0, total)
        self._handle: DisplayHandle | None = None
        self._failed: list[str] = []
        self._last = 0.0

    def __call__(self, done: int, total: int) -> None:
        """Take note of the roles of some accounts (`Accounts.roles`)."""
        self._show(replace(self._view, done=done, total=total))

    def begin(self, done: int) -> None:
        """Say how many there are before anything runs."""
        self._show(replace(self._view, done=done), at_once=True)

    def add(self, result: Run) -> None:
        """Take note of one."""
        if result.error is not None:
            self._failed.append(result.account)
        self._show(replace(self._view, done=self._view.done + 1, failed=tuple(self._failed)))

    def stopped(self) -> None:
        """Say how far it came."""
        self._show(replace(self._view, what=f"Stopped. {self._what}"), at_once=True)

    def _show(self, view: Progress, *, at_once: bool = False) -> None:
        self._view = view
        often = view.total > _FEW and time.monotonic() - self._last < _STEP
        if often and not at_once and view.done != view.total:
            return
        self._last = time.monotonic()
        if self._handle is None:
            if view.total and (at_once or view.done != view.total):
                self._handle = self._display(view)
        else:
            self._handle.update(view)
