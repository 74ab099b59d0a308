"""What this home remembers of its sign-ins: when a person approved them, and what is behind their names."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from cuaws_magic import storage
from cuaws_magic.model import SsoSession

if TYPE_CHECKING:
    from cuaws_magic.state_store import StateStore

_ONE, _ALL = "sign-in", "sign-ins"


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
