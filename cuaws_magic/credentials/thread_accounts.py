"""
Threads that a cell in another account starts keep that account, also for what they make after the cell.

Only threads that the cell's own code starts: what a library starts (a pool, an event loop) serves whoever comes later,
and follows the account in use.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import threading
import weakref
from typing import TYPE_CHECKING, Any

from cuaws_magic.background import import_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cuaws_magic.credentials.sources import Source

_MARK = "_of_cuaws"  # on what stands in place of a function: that function

_SOURCES: weakref.WeakKeyDictionary[threading.Thread, Source] = weakref.WeakKeyDictionary()
_CELLS: dict[threading.Thread, Source] = {}  # the threads in which cells run now, the account of each
# `boto3.client` in such a thread makes it with a session of the thread's own: the default one is for all the others.
_DEFAULT_SESSIONS: weakref.WeakKeyDictionary[threading.Thread, Any] = weakref.WeakKeyDictionary()


def of_this_thread() -> Source | None:
    """Return the account of a thread that was started in the block of one; nothing for every other thread."""
    return _SOURCES.get(threading.current_thread()) if _SOURCES else None


@contextlib.contextmanager
def kept_by_threads(source: Source) -> Iterator[None]:
    """Have the threads that a cell starts in the block keep this account."""
    cell = threading.current_thread()
    outer = _CELLS.get(cell)
    _CELLS[cell] = source
    _watch()
    try:
        yield
    finally:
        if outer is None:
            _CELLS.pop(cell, None)
        else:
            _CELLS[cell] = outer
        unwatch()


def _watch() -> None:
    usual: Any = threading.Thread.start
    if getattr(usual, _MARK, None) is not None:
        return

    @functools.wraps(usual)
    def start(self: threading.Thread, *given: Any, **named: Any) -> None:
        parent = threading.current_thread()
        source = _SOURCES.get(parent) or _CELLS.get(parent)
        # Code of a notebook runs in `__main__`, whichever of its cells it stands in.
        if source is not None and sys._getframe(1).f_globals.get("__name__") == "__main__":  # noqa: SLF001 - there is no public way
            _SOURCES[self] = source
            _give_default_sessions()
        usual(self, *given, **named)

    setattr(start, _MARK, usual)
    threading.Thread.start = start  # type: ignore[method-assign]  # put back by `unwatch`


def _give_default_sessions() -> None:
    import_whole("boto3")
    import boto3

    usual: Any = vars(boto3)["_get_default_session"]  # there is no public way
    if getattr(usual, _MARK, None) is not None:
        return

    @functools.wraps(usual)
    def default_session(*given: Any, **named: Any) -> Any:
        thread = threading.current_thread()
        if thread not in _SOURCES:
            return usual(*given, **named)
        if thread not in _DEFAULT_SESSIONS:
            _DEFAULT_SESSIONS[thread] = boto3.Session()
        return _DEFAULT_SESSIONS[thread]

    setattr(default_session, _MARK, usual)
    vars(boto3)["_get_default_session"] = default_session


def unwatch() -> None:
    """Leave no trace in `threading` and boto3, as soon as no thread needs it any more."""
    if _CELLS or any(thread.is_alive() for thread in list(_SOURCES)):
        return
    boto3: Any = sys.modules.get("boto3")
    for where, name in ((threading.Thread, "start"), (boto3, "_get_default_session")):
        usual = getattr(getattr(where, name, None), _MARK, None)
        if usual is not None:
            setattr(where, name, usual)
