"""What this home remembers of its sign-ins: when a person approved them, and what is behind their names."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from cuaws_magic import storage
from cuaws_magic.aws.hosts import portal_of
from cuaws_magic.humanize import END_UNKNOWN
from cuaws_magic.model import SsoSession
from cuaws_magic.settings import CU_SIGN_IN_LIFE, CU_SSO_REGION, CU_START_URL

if TYPE_CHECKING:
    from cuaws_magic.state_store import StateStore

_ONE, _ALL, _LIFE = "sign-in", "sign-ins", "sign-in-life"
_REMEMBERED = 3  # ends of sign-ins, the latest
_LONGEST = 91 * 24 * 3600.0  # seconds; Identity Center allows 90 days
_VAGUE = timedelta(hours=2)  # a machine that slept longer does not know when it ended


class SignInRecords:
    """
    The sign-ins that were approved in this home and not ended here.

    Args:
        own_state: Where they are kept.
    """

    def __init__(self, own_state: StateStore) -> None:
        self._own_state = own_state

    def approved(self, sso_session: SsoSession, at: datetime) -> None:
        """Note that a person approved a sign-in."""
        self._own_state.save(_ONE, sso_session.cache_key, {"at": at.timestamp()})
        self._keep(sso_session, there=True)

    def forget(self, sso_session: SsoSession, at: datetime) -> None:
        """Note that a sign-in was ended."""
        if "at" in self._own_state.load(_ONE, sso_session.cache_key):
            self._own_state.save(_ONE, sso_session.cache_key, {"ended": at.timestamp()})
        if sso_session.cache_key in self._own_state.load(_ALL, ""):
            self._keep(sso_session, there=False)

    def approved_at(self, sso_session: SsoSession) -> datetime | None:
        """Return when a person last approved a sign-in from this home, if that is known."""
        return self._moment(sso_session, "at")

    def ended_at(self, sso_session: SsoSession) -> datetime | None:
        """Return when a person last signed out in this home, if they have not signed in again."""
        return self._moment(sso_session, "ended")

    def ends_at(self, sso_session: SsoSession) -> datetime:
        """Return when a sign-in ends, reckoned from its approval; `END_UNKNOWN` where that cannot be told."""
        approved_at, life = self.approved_at(sso_session), self.life(sso_session)
        return END_UNKNOWN if approved_at is None or life is None else approved_at + life

    def life(self, sso_session: SsoSession) -> timedelta | None:
        """Return how long sign-ins of this organisation last: as was seen here, else as is known of CU; or nothing."""
        seen = self._own_state.load(_LIFE, _portal(sso_session))
        longer = _seconds(seen.get("longer"))
        ends = [life for one in _list(seen.get("ends")) if (life := _seconds(one)) > longer]
        at_cu = _portal(sso_session) == _portal_key(CU_START_URL, CU_SSO_REGION)
        # One end may be somebody who signed out elsewhere; what is known of CU is believed longer than that.
        if len(ends) > at_cu:
            return timedelta(seconds=max(ends))
        return CU_SIGN_IN_LIFE if at_cu and longer < CU_SIGN_IN_LIFE.total_seconds() else None

    def refused(self, sso_session: SsoSession, good_at: datetime | None, at: datetime) -> None:
        """
        Note that AWS refreshes a sign-in no more, and learn how long they last if that can be told.

        Args:
            good_at: When it was last good, if that is known.

            at: When it no longer was.
        """
        approved_at = self.approved_at(sso_session)
        if approved_at is None or good_at is None or not approved_at <= good_at <= at or at - good_at > _VAGUE:
            return
        seen = self._own_state.load(_LIFE, _portal(sso_session))
        ended = _round_between((good_at - approved_at).total_seconds(), (at - approved_at).total_seconds())
        ends = [*_list(seen.get("ends")), ended][-_REMEMBERED:]
        self._own_state.save(_LIFE, _portal(sso_session), {**seen, "ends": ends})

    def refreshed(self, sso_session: SsoSession, at: datetime) -> None:
        """Note that a sign-in stands; what was thought of its length may be too little."""
        approved_at, life = self.approved_at(sso_session), self.life(sso_session)
        if approved_at is not None and life is not None and at - approved_at > life:
            seen = self._own_state.load(_LIFE, _portal(sso_session))
            longer = (at - approved_at).total_seconds()
            self._own_state.save(_LIFE, _portal(sso_session), {**seen, "longer": longer})

    def _moment(self, sso_session: SsoSession, name: str) -> datetime | None:
        moment = self._own_state.load(_ONE, sso_session.cache_key).get(name)
        try:
            return None if moment is None else datetime.fromtimestamp(moment, timezone.utc)
        except (TypeError, OverflowError, OSError, ValueError):
            return None

    @property
    def content(self) -> object:
        """What is kept of all; another object whenever it changed."""
        return self._own_state.load(_ALL, "") or None

    def all(self) -> list[SsoSession]:
        """Return them, the latest first; the name of a token file does not tell what they are."""
        found = []
        for entry in reversed(self._own_state.load(_ALL, "").values()):
            with contextlib.suppress(KeyError, TypeError, AttributeError):
                name, scopes = entry["name"], entry["scopes"]
                found.append(
                    SsoSession(
                        None if name is None else str(name),
                        str(entry["start_url"]),
                        str(entry["sso_region"]),
                        None if scopes is None else tuple(map(str, scopes)),
                    )
                )
        return found

    def _keep(self, sso_session: SsoSession, *, there: bool) -> None:
        with storage.lock(self._own_state.lock_path(_ALL)):  # two kernels may sign in to two organisations
            kept = dict(self._own_state.load(_ALL, ""))
            kept.pop(sso_session.cache_key, None)
            self._own_state.save(_ALL, "", {**kept, sso_session.cache_key: asdict(sso_session)} if there else kept)


def _portal(sso_session: SsoSession) -> str:
    return _portal_key(*portal_of(sso_session))


def _portal_key(start_url: str, sso_region: str | None) -> str:
    return f"{start_url} {sso_region}"


def _seconds(found: object) -> float:
    """Read what is kept; 0 for nonsense."""
    if not isinstance(found, (int, float)) or isinstance(found, bool):
        return 0.0
    return float(found) if 0 < found < _LONGEST else 0.0


def _list(found: object) -> list[object]:
    return found if isinstance(found, list) else []


def _round_between(low: float, high: float) -> float:
    """Return the roundest time in a span, in seconds: whole hours, else quarters; administrators type such."""
    for step in (3600, 900):
        found = high // step * step
        if found > low:
            return found
    return high
