"""
Background work: locks that survive a fork, observers of a change, tasks in threads, interrupts held for a moment.

Observers get no news, only the hint to look again: state is derived, never copied.
"""

from __future__ import annotations

import contextlib
import contextvars
import importlib
import os
import signal
import sys
import threading
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cuaws_magic.errors import Cancelled, CuawsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Task = Callable[[], object]


class ForkSafeLock:
    """
    A lock that a forked process finds open: whoever held it in the parent is not there to give it back.

    Args:
        make: `threading.Lock` or `threading.RLock`.
    """

    def __init__(self, make: Callable[[], Any] = threading.Lock) -> None:
        self._make = make
        self._lock = make()
        _LOCKS.add(self)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_error: object) -> None:
        self._lock.release()

    def locked(self) -> bool:
        """Whether somebody holds it; of a `threading.Lock` only."""
        return bool(self._lock.locked())

    def open_anew(self) -> None:
        """Forget who holds it; in a forked process, before anything else runs."""
        self._lock = self._make()


_LOCKS: weakref.WeakSet[ForkSafeLock] = weakref.WeakSet()


def _open_locks() -> None:
    for lock in list(_LOCKS):
        lock.open_anew()


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_open_locks)


class Observers:
    """A list of callbacks, safe from any thread."""

    def __init__(self) -> None:
        self._lock = ForkSafeLock()
        self._callbacks: list[Callable[[], None]] = []

    def observe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Have a function called after each change, on the thread that changed; returns how to end that."""
        with self._lock:
            self._callbacks.append(callback)

        def stop() -> None:
            with self._lock:
                if callback in self._callbacks:
                    self._callbacks.remove(callback)

        return stop

    def notify(self) -> None:
        """Say that something changed. Callbacks must not raise, nor take long."""
        with self._lock:
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback()


@dataclass(frozen=True, eq=False)
class Outcome:
    """
    What came of a task.

    Attributes:
        kind: Which button.

        result: What it gave, if it went well.

        error: Why it did not go well, if so.

        task: The same again.

        stamp: The state when it ended; once that has changed, the outcome is out of date.
    """

    kind: str
    result: object = None
    error: CuawsError | None = None
    task: Task | None = field(default=None, repr=False)
    stamp: object = None


def unforeseen(error: Exception) -> CuawsError:
    """Return what a person is told of a bug behind a button: its kind alone, since its text may hold anything."""
    return CuawsError(f"Something went wrong inside cuaws_magic ({type(error).__name__}). Type `%cuaws status`.")


class Tasks:
    """
    Background tasks, one of a kind at a time, with the last outcome kept for whoever looks.

    Args:
        changes: Told when one begins and when it ends.

        stamp: Says what is in use now.
    """

    def __init__(self, changes: Observers | None = None, stamp: Callable[[], object] = lambda: None) -> None:
        self._changes = changes or Observers()
        self._stamp = stamp
        self._lock = ForkSafeLock()
        self._under_way: dict[str, object] = {}
        self._next: dict[str, tuple[object, Task]] = {}
        self._last: Outcome | None = None

    def after_fork(self) -> None:
        """Start anew in a forked process, which has none of the threads."""
        self._under_way = {}
        self._next = {}

    @property
    def last(self) -> Outcome | None:
        """What came of the last one; `None` once somebody asks for something else."""
        return self._last

    def forget(self, kind: str) -> None:
        """Say no more of what came of the last one, if it was of this kind: somebody looks at something else now."""
        with self._lock:
            had = self._last is not None and self._last.kind == kind
            if had:
                self._last = None
        if had:
            self._changes.notify()

    def under_way(self, kind: str) -> bool:
        """Whether one of a kind is running."""
        return kind in self._under_way

    def start(self, kind: str, task: Task, key: object = None, *, quiet: bool = False) -> None:
        """
        Run a task in a thread.

        Args:
            kind: Which button; one of a kind runs at a time.

            task: What to run.

            key: With which choice. The same choice again is the same task; another one
                is done afterwards, and the last one wins.

            quiet: Nobody pressed a button for it: what was said last stands, unless this
                one fails.
        """
        with self._lock:
            if not quiet:
                self._last = None
            if kind in self._under_way:
                if self._under_way[kind] != key:
                    self._next[kind] = (key, task)
                else:
                    self._next.pop(kind, None)
                return
            self._under_way[kind] = key
        # A copied context sends what libraries print to the cell of the panel.
        run = contextvars.copy_context().run
        threading.Thread(target=run, args=(self._run, kind, task, quiet), name=f"cuaws-{kind}", daemon=True).start()
        self._changes.notify()

    def _run(self, kind: str, task: Task, quiet: bool) -> None:  # noqa: FBT001 - as `start` says it
        following: tuple[object, Task] | None = (None, task)
        while following is not None:
            outcome = self._outcome(kind, following[1])
            with self._lock:
                following = self._next.pop(kind, None)
                if following is not None:
                    self._under_way[kind] = following[0]
                else:
                    del self._under_way[kind]
                    if outcome.error is not None or not quiet:
                        self._last = outcome
            self._changes.notify()

    def _outcome(self, kind: str, task: Task) -> Outcome:
        try:
            return Outcome(kind, result=task(), stamp=self._stamp())
        except Cancelled:
            return Outcome(kind, stamp=self._stamp())
        except CuawsError as error:
            return Outcome(kind, error=error, task=task, stamp=self._stamp())
        except Exception as error:  # noqa: BLE001 - a bug must not leave a dead button
            return Outcome(kind, error=unforeseen(error), task=task, stamp=self._stamp())


@contextlib.contextmanager
def interrupts_as_themselves() -> Iterator[None]:
    """
    Have an interrupt come out as an interrupt, whatever error it met on its way.

    `threading.Condition` and all that is built of it (events, futures, queues) answer an
    interrupt that comes while they take their lock back with `RuntimeError`: their
    `__exit__` releases a lock that nobody holds. Libraries in between may make yet
    another error of that one.

    Raises:
        KeyboardInterrupt: In place of an error that an interrupt led to.
    """
    handled_before = sys.exc_info()[1]
    try:
        yield
    except Exception as error:
        cause = error.__context__
        while cause is not None and cause is not handled_before:
            if isinstance(cause, KeyboardInterrupt):
                raise cause from None
            cause = cause.__context__
        raise


@contextlib.contextmanager
def hold_interrupts() -> Iterator[None]:
    """
    Have an interrupt come after the block instead of in it; for moments only.

    What was put on the page has to be remembered in the same breath: whoever is
    interrupted in between could not take it off again. Only the main thread is ever
    interrupted; in others this does nothing.

    Raises:
        KeyboardInterrupt: At its end, if one came meanwhile.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    came: list[Any] = []
    signal.signal(signal.SIGINT, lambda *how: came.append(how))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            before(*came[0])


def import_whole(name: str) -> None:
    """
    Import somebody else's package so that an interrupt comes after it.

    Python takes a module out again whose import was interrupted, but not its parts that were loaded already: botocore
    or boto3 would be without some of them for the rest of the kernel's life.

    Raises:
        KeyboardInterrupt: One came meanwhile.
    """
    if name not in sys.modules:
        with hold_interrupts():
            importlib.import_module(name)
