"""
Helper processes that libraries keep: what is started under another account must not mix two of them.

A pool that was made under one account goes on as that one; its idle helpers, from which new
pools would begin as the account before, are ended when another comes into use. All of it is looked up in what is
loaded already: nothing is imported.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import threading
import weakref
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

from cuaws_magic.credentials.pool_workers import aws_variables, hold_executor, hold_pool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# joblib brings a copy of loky of its own.
_LOKYS = ("joblib.externals.loky", "loky")
# Modules that start processes with a copy of `os.environ` (loky's is imported with its first worker).
_STARTERS = frozenset(
    {
        *(f"{loky}.backend.fork_exec" for loky in _LOKYS),
        "ipyparallel.cluster.launcher",
        "ray._private.services",
    }
)


class HelperProcesses:
    """
    Those of this kernel.

    Args:
        inherited: What a child process inherits now; for libraries that start them with a copy of `os.environ`.
    """

    def __init__(self, inherited: Callable[[], Mapping[str, str]]) -> None:
        self._inherited = inherited
        self._at_import = _AtImport(_STARTERS, self._give_environment)
        self._made_under: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()
        self._busy: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()

    def settle(self, name: str | None = None, become: Callable[[], object] | None = None) -> None:
        """
        Before another account comes into use, or none: have what was started stay as it is, and nothing new come of it.

        Args:
            name: The account in use until now.

            become: Puts it in use again, in a worker that is forked later.
        """
        self._stop_fork_server()
        for executor in _loky_executors():
            self._end_if_idle(executor, name or "")
        if name is None or become is None:
            return
        variables = aws_variables(self._inherited())
        for executor in _growing_executors():
            if executor not in self._made_under:
                # It starts workers as they are needed, and those would be of the next account.
                executor._max_workers = max(1, len(executor._processes))  # noqa: SLF001 - there is no public way
                self._made_under[executor] = name
                if getattr(executor, "_max_tasks_per_child", None) is not None:
                    hold_executor(executor, variables, become)
        for thread in _threads_of_pools():
            hold_pool(thread, variables, become)

    def follow(self) -> None:
        """Have such modules start processes with what a child process inherits, not with a copy of `os.environ`."""
        for name in _STARTERS:
            if name in sys.modules:
                self._give_environment(sys.modules[name])
        if self._at_import not in sys.meta_path:
            sys.meta_path.insert(0, self._at_import)

    def _give_environment(self, module: Any) -> None:
        if not isinstance(vars(module).get("os"), _OsOfChildren):
            vars(module)["os"] = _OsOfChildren(self._inherited)

    def restore(self) -> None:
        """Leave no trace in them."""
        with contextlib.suppress(ValueError):
            sys.meta_path.remove(self._at_import)
        for name in _STARTERS:
            if isinstance(vars(sys.modules.get(name, os)).get("os"), _OsOfChildren):
                vars(sys.modules[name])["os"] = os

    def remaining(self, name: str) -> Iterator[str]:
        """Say what would start workers of the account in use beside those of another; nearly always nothing."""
        for made_under in sorted({other for other in self._busy.values() if other and other != name}):
            yield (
                f"joblib workers are still running as {made_under}. When they are done, type "
                "`from joblib.externals.loky import get_reusable_executor as e; e().shutdown()`."
            )

    def _stop_fork_server(self) -> None:
        """End the server that forks new workers: it keeps the environment that it was started with."""
        module = sys.modules.get("multiprocessing.forkserver")
        server = getattr(module, "_forkserver", None)
        pid = getattr(server, "_forkserver_pid", None)
        if server is None or pid is None:
            return
        # There is no public way. `_stop` waits for the server, and the server for the workers that it made; they go on.
        state = vars(server)
        with contextlib.suppress(OSError, KeyError), state["_lock"]:
            os.close(state["_forkserver_alive_fd"])
            state |= dict.fromkeys(("_forkserver_alive_fd", "_forkserver_pid", "_forkserver_address"))
            threading.Thread(target=_reap, args=(pid,), name="cuaws-reaper", daemon=True).start()

    def _end_if_idle(self, executor: Any, name: str) -> None:
        if getattr(executor, "_pending_work_items", None):
            self._busy[executor] = name
            return
        executor.shutdown(wait=False)


def _reap(pid: int) -> None:
    with contextlib.suppress(OSError):
        os.waitpid(pid, 0)


def _loky_executors() -> Iterator[Any]:
    """Return loky's executors that are used again and again."""
    for loky in _LOKYS:
        executor = getattr(sys.modules.get(f"{loky}.reusable_executor"), "_executor", None)
        if executor is not None:
            yield executor


def _growing_executors() -> list[Any]:
    """Return the standard library's executors with processes that may start more of them."""
    wakeups = getattr(sys.modules.get("concurrent.futures.process"), "_threads_wakeups", {})
    executors = [getattr(thread, "executor_reference", lambda: None)() for thread in list(wakeups)]
    return [one for one in executors if one is not None and getattr(one, "_processes", None) is not None]


def _threads_of_pools() -> Iterator[threading.Thread]:
    """Return the threads that start a new worker of a `multiprocessing.Pool` where one has ended."""
    pool = getattr(sys.modules.get("multiprocessing.pool"), "Pool", None)
    if pool is None:
        return
    handle = pool._handle_workers  # noqa: SLF001 - its thread is the only thing that knows
    for thread in threading.enumerate():
        if getattr(getattr(thread, "_target", None), "__func__", None) is handle.__func__:
            yield thread


class _AtImport:
    """Has something done to a module as soon as it is loaded; finds nothing itself (`sys.meta_path`)."""

    def __init__(self, names: frozenset[str], do: Callable[[Any], None]) -> None:
        self._names = names
        self._do = do
        self._looking = False

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> Any:
        """Return the spec that the others find, with a loader that tells us at its end."""
        if name not in self._names or self._looking:
            return None
        self._looking = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._looking = False
        loader: Any = spec.loader if spec is not None else None
        if loader is None or not hasattr(loader, "exec_module"):
            return None
        load, do = loader.exec_module, self._do

        def exec_module(module: Any) -> None:
            load(module)
            do(module)

        loader.exec_module = exec_module
        return spec


class _OsOfChildren:
    """The module `os` as such a module sees it, with the environment that its children are to have."""

    def __init__(self, inherited: Callable[[], Mapping[str, str]]) -> None:
        self._inherited = inherited

    @property
    def environ(self) -> _EnvironOfChildren:
        """What a child process inherits."""
        return _EnvironOfChildren(self._inherited)

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


class _EnvironOfChildren(MutableMapping[str, str]):
    """Reads what a child process inherits, and writes to `os.environ`."""

    def __init__(self, inherited: Callable[[], Mapping[str, str]]) -> None:
        self._values = inherited()

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __setitem__(self, name: str, value: str) -> None:
        os.environ[name] = value

    def __delitem__(self, name: str) -> None:
        del os.environ[name]

    def copy(self) -> dict[str, str]:
        """Return a copy, as `os.environ.copy` does."""
        return dict(self._values)
