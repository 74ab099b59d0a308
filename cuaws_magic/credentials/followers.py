"""Who has to be told of each renewal of an account: what holds a set instead of asking for one."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from cuaws_magic.background import ForkSafeLock

if TYPE_CHECKING:
    from collections.abc import Callable

    from cuaws_magic.credentials.sources import Bound, Source
    from cuaws_magic.model import Credentials


class Follower:
    """
    Someone who is given each new set of an account, for as long as they are held.

    Args:
        bound: The account's credentials.

        update: Takes a new set. Called in the thread that renews; must not raise.
    """

    def __init__(self, bound: Bound, update: Callable[[Credentials], None]) -> None:
        self.bound = bound
        self._update = update
        self._last: Credentials | None = None

    def give(self, credentials: Credentials) -> None:
        """Hand over a set, if it is another than the last."""
        if credentials != self._last:
            self._last = credentials
            self._update(credentials)


class Followers:
    """Those of one kernel."""

    def __init__(self) -> None:
        self._lock = ForkSafeLock()
        self._all: weakref.WeakSet[Follower] = weakref.WeakSet()

    def add(self, bound: Bound, update: Callable[[Credentials], None]) -> Follower:
        """
        Give a new follower the set in hand, and each one after it.

        Raises:
            CuawsError: There is none to be had.
        """
        follower = Follower(bound, update)
        follower.give(bound())
        with self._lock:
            self._all.add(follower)
        return follower

    def renewed(self, source: Source, credentials: Credentials) -> None:
        """Tell those of a source."""
        with self._lock:
            concerned = [one for one in self._all if one.bound.source.key == source.key]
        for follower in concerned:
            follower.give(credentials)
