"""
What the panel shows, derived from the context of the kernel and nothing else; sends no request.

One function from state to words, so that a magic and the panel cannot disagree, and
two panels neither.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from cuaws_magic.aws.hosts import portal_of
from cuaws_magic.commands.status import console_of, status
from cuaws_magic.errors import (
    CuawsError,
    NotSignedIn,
    ProductionUnconfirmed,
    SignInError,
    TargetError,
)
from cuaws_magic.humanize import END_UNKNOWN, clock, left, remaining
from cuaws_magic.humanize import until as until_text
from cuaws_magic.settings import CU_START_URL, SIGN_IN_WARNING
from cuaws_magic.views.sign_in import SignedOut, session_label

if TYPE_CHECKING:
    from datetime import datetime

    from cuaws_magic.commands.context import Context
    from cuaws_magic.credentials.in_use import InUseRole
    from cuaws_magic.model import SsoSession
    from cuaws_magic.views.account import InUse, Status
    from cuaws_magic.views.render import Tone
    from cuaws_magic.views.sign_in import AwaitingApproval, SignInState

Screen = Literal["out", "waiting", "in"]
Remedy = Literal["sign-in", "again", "confirm", "sign-out"]

SIGN_IN, USE, RENEW, SIGN_OUT, ACCOUNTS, ROLES = "sign-in", "use", "renew", "sign-out", "accounts", "roles"


@dataclass(frozen=True)
class Trouble:
    """
    Something to say where people look.

    Attributes:
        text: One line.

        remedy: The button that helps.

        urgent: Whether it is an error; otherwise only good to know.
    """

    text: str
    remedy: Remedy | None
    urgent: bool = True


@dataclass(frozen=True)
class Bar:
    """How much of a time is left: in words, and as a part of the whole."""

    text: str
    part: float
    tone: Tone


@dataclass(frozen=True)
class PanelState:
    """
    Everything on a panel but what the person is typing or choosing.

    Attributes:
        title: What is the case.

        side: Where, and until when.

        production: Whether the account in use is to be marked.

        card: The code that waits for a person.

        busy: Which buttons are at work.

        said: What a command left to say.

        signed_in_at: When the sign-in began, as well as we know.

        changes_at: When something of this changes by itself, if that is known.

        sign_ins: Every sign-in that is known, where they are of more than one organisation.
    """

    screen: Screen
    tone: Tone
    title: str
    side: str
    production: bool = False
    sso_session: SsoSession | None = None
    card: AwaitingApproval | None = None
    in_use: InUse | None = None
    trouble: Trouble | None = None
    ended: bool = False
    busy: frozenset[str] = frozenset()
    said: tuple[str, ...] = ()
    sign_in: Bar | None = None
    credentials: Bar | None = None
    console_url: str | None = None
    signed_in_at: datetime | None = None
    changes_at: datetime | None = None
    sign_ins: tuple[SignInState, ...] = ()

    @property
    def listed(self) -> list[tuple[SsoSession, datetime | None]]:
        """The sign-ins whose accounts are shown, one of each organisation, and since when they stand."""
        if not self.sign_ins:
            return [] if self.sso_session is None else [(self.sso_session, self.signed_in_at)]
        found = {portal_of(one.sso_session): one for one in reversed(self.sign_ins) if one.until is not None}
        order = dict.fromkeys(portal_of(one.sso_session) for one in self.sign_ins)
        standing = [found[portal] for portal in order if portal in found]
        return [(one.sso_session, one.since) for one in standing]

    @property
    def at_cu(self) -> bool:
        """Whether CU Boulder's own words fit."""
        return self.sso_session is not None and self.sso_session.start_url == CU_START_URL


def panel_state(context: Context, now: datetime) -> PanelState:
    """Return what the panel of a kernel shows now."""
    busy = frozenset(kind for kind in (SIGN_IN, USE, RENEW, SIGN_OUT, ACCOUNTS, ROLES) if context.tasks.under_way(kind))
    card = context.approvals.card
    if card is not None:
        side = session_label(card.sso_session)
        return PanelState(
            "waiting", "wait", "Waiting for you to approve", side, sso_session=card.sso_session, card=card, busy=busy
        )
    if context.approvals.waiting:
        busy |= {SIGN_IN}
    try:
        holds = status(context)
    except CuawsError as error:
        trouble = Trouble(for_a_panel(str(error)), "again")
        return PanelState(
            "out", "idle", "Not signed in", "", trouble=_trouble(context, None, now) or trouble, busy=busy
        )
    until = holds.signed_in_until
    if holds.sso_session is None and not holds.sign_ins:
        return _unsettled(context, holds, now, busy)
    if until is None or until <= now:
        elsewhere = [one.until for one in holds.sign_ins if one.until is not None and one.until > now]
        if not elsewhere:
            return replace(_signed_out(context, holds, now, busy), sign_ins=holds.sign_ins)
        state = _signed_in(context, holds, max(elsewhere), now, busy)
        if context.credentials.current is not None:  # whose own sign-in has ended
            ended = _signed_out(context, holds, now, busy)
            state = replace(state, tone="bad", trouble=ended.trouble, ended=ended.ended)
        return replace(state, sign_in=None, side="", sign_ins=holds.sign_ins)
    return replace(_signed_in(context, holds, until, now, busy), sign_ins=holds.sign_ins)


def _unsettled(context: Context, holds: Status, now: datetime, busy: frozenset[str]) -> PanelState:
    """Say what is wrong with what is configured."""
    trouble = Trouble(for_a_panel(holds.notes[0]), "again") if holds.notes else None
    return PanelState("out", "idle", "Not signed in", "", trouble=_trouble(context, None, now) or trouble, busy=busy)


# Where a sentence ends and another begins.
_SENTENCES = re.compile(r"(?<=[.!?]) (?=[A-Z`])")
_TYPED = re.compile(r"`|[Rr]un the (?:cell|notebook)|[Rr]un this cell|wait a minute, then", re.IGNORECASE)


def for_a_panel(text: str) -> str:
    """Leave out what a message has people type: here there is a button for it."""
    kept = [one for one in _SENTENCES.split(text) if not _TYPED.search(one)]
    return " ".join(kept) or text


def signing_out(of: SsoSession, *, one_of_several: bool) -> Trouble:
    """Say whom it concerns when somebody signs out."""
    where = f" of {session_label(of)}" if one_of_several else ""
    return Trouble(
        f"This signs out every notebook and the AWS CLI in your home folder{where}, too.", "sign-out", urgent=False
    )


def marked(context: Context, name: str) -> bool:
    """Whether an account's name is one of those to mark."""
    return context.settings.is_production(name)


def _signed_out(context: Context, holds: Status, now: datetime, busy: frozenset[str]) -> PanelState:
    current = context.credentials.current
    if current is not None and current.sso_session is not None:
        hint = context.hints.signed_out(current)
        trouble = _trouble(context, None, now) or Trouble(
            for_a_panel(f"{hint.title}. {' '.join(hint.sentences)}"), "sign-in"
        )
        name = current.account.name
        production = marked(context, name)
        return PanelState(
            "out", "bad", "Sign-in ended", f"{name} · {current.role_name}", production,
            sso_session=holds.sso_session, in_use=holds.in_use, trouble=trouble, ended=True, busy=busy,
        )  # fmt: skip
    last = context.tasks.last
    said = last.result.sentences if last is not None and isinstance(last.result, SignedOut) else ()
    if current is not None:
        said = (*said, f"{current.account.name} is still in use, with {current.source.origin.label}.")
    return PanelState(
        "out", "idle", "Not signed in", holds.where,
        sso_session=holds.sso_session, trouble=_trouble(context, None, now), busy=busy, said=said,
    )  # fmt: skip


def _signed_in(context: Context, holds: Status, until: datetime, now: datetime, busy: frozenset[str]) -> PanelState:
    in_use, current = holds.in_use, context.credentials.current
    known = until != END_UNKNOWN
    ends = f" until about {clock(until, now, zone=False)}" if known else ""
    side = f"{holds.where.split(' · ', 1)[0]} · signed in{ends}"
    soon = until - now <= SIGN_IN_WARNING
    trouble = _trouble(context, until, now)
    if trouble is None and soon:
        trouble = Trouble(
            f"The sign-in ends in {left(until, now)}. Sign in again now, and nothing is interrupted.", "sign-in", False
        )
    since = context.login.records.approved_at(holds.sso_session) if holds.sso_session is not None else None
    lasts = f"{left(until, now)}, until about {clock(until, now)}" if known else remaining(until, now)
    part = (until - now) / (until - since) if known and since is not None and since < until else 1.0
    sign_in = Bar(lasts, min(1.0, part), "wait" if soon else "good")
    return PanelState(
        "in", "wait" if soon else "good",
        f"{in_use.account_name} · {in_use.role}" if in_use is not None else "Signed in",
        side, marked(context, in_use.account_name) if in_use is not None else False,
        sso_session=holds.sso_session, in_use=in_use, trouble=trouble, busy=busy, sign_in=sign_in,
        credentials=_credentials_bar(current, now) if current is not None else None,
        console_url=console_of(context, current) if current is not None else None,
        signed_in_at=since, changes_at=(until if soon else until - SIGN_IN_WARNING) if known else None,
    )  # fmt: skip


def _credentials_bar(current: InUseRole, now: datetime) -> Bar | None:
    credentials, ends_at = current.credentials, current.ends_at
    if credentials is None or ends_at is None:
        return None  # nothing that runs out here
    life, renewed = ends_at - now, current.source.origin.renews
    if life <= timedelta():
        return Bar("expired; trying to renew them" if renewed else "expired, and not renewed", 0.0, "bad")
    part = min(1.0, life / (ends_at - credentials.obtained_at))
    tone: Tone = "good" if part > 1 / 2 or (renewed and not credentials.refresh_needed(now)) else "wait"
    at_most = "at most " if credentials.expires_at is None else ""
    return Bar(f"{at_most}{left(ends_at, now)}, {'renewed automatically' if renewed else 'not renewed'}", part, tone)


def _remedy(error: CuawsError) -> Remedy | None:
    if isinstance(error, SignInError):
        return "sign-in"
    if isinstance(error, ProductionUnconfirmed):
        return "confirm"
    return None if isinstance(error, TargetError) else "again"


def _trouble(context: Context, until: datetime | None, now: datetime) -> Trouble | None:
    """Return what went wrong last, as long as its button still helps."""
    last = context.tasks.last
    wants_sign_in = until is None or until - now <= SIGN_IN_WARNING
    if last is not None and isinstance(last.error, NotSignedIn) and until is None:
        return None  # the title says so already, and the button is there
    if last is not None and last.error is not None and last.stamp == context.in_use_key:
        if last.kind == SIGN_IN and not wants_sign_in:
            return None
        unconfirmed = isinstance(last.error, ProductionUnconfirmed)
        text = last.error.what if isinstance(last.error, ProductionUnconfirmed) else str(last.error)
        remedy = _remedy(last.error)
        return Trouble(for_a_panel(text) if remedy else text, remedy, not unconfirmed)
    current = context.credentials.current
    renewed = last is not None and last.kind == RENEW and not wants_sign_in
    if renewed and current is not None and current.ends_at is not None:
        return Trouble(f"New credentials are in use, good for {until_text(current.ends_at, now)}.", None, urgent=False)
    error = context.approvals.error
    if wants_sign_in and isinstance(error, CuawsError):
        return Trouble(for_a_panel(str(error)), "sign-in")
    return None
