"""The next workers of a pool begin as the account that it was made under, whichever is in use by then."""

from __future__ import annotations

import functools
import inspect
import os
import sys
import threading
import weakref
from collections.abc import Callable, Mapping  # noqa: TC003 - named in an annotation of a variable
from typing import Any


class BeginAs:
    """
    The initializer of such a worker, around the pool's own.

    Args:
        variables: What a child process inherited under that account, of AWS's variables.

        become: Puts the account in use; for a worker that is forked, and with it this package.

        initializer: The pool's own.

        initargs: Its arguments.
    """

    def __init__(
        self,
        variables: Mapping[str, str],
        become: Callable[[], object] | None,
        initializer: Callable[..., object] | None,
        initargs: tuple[Any, ...],
    ) -> None:
        self._variables = dict(variables)
        self._become = become
        self._initializer = initializer
        self._initargs = initargs

    def __call__(self) -> None:
        """Begin as that account; in the worker."""
        if self._become is not None:
            self._become()
        else:
            for name in [one for one in os.environ if one.startswith("AWS_") and one not in self._variables]:
                del os.environ[name]
            os.environ.update(self._variables)
        if self._initializer is not None:
            self._initializer(*self._initargs)

    def __reduce__(self) -> Any:
        """Leave the account behind on the way to a worker that is started anew: it has the variables."""
        return BeginAs, (self._variables, None, self._initializer, self._initargs)


def aws_variables(inherited: Mapping[str, str]) -> dict[str, str]:
    """Return AWS's variables of an environment."""
    return {name: value for name, value in inherited.items() if name.startswith("AWS_")}


# By the thread that starts the workers of a pool: it is what calls.
_BEGIN: weakref.WeakKeyDictionary[threading.Thread, tuple[Mapping[str, str], Callable[[], object]]]
_BEGIN = weakref.WeakKeyDictionary()


def hold_executor(executor: Any, variables: Mapping[str, str], become: Callable[[], object]) -> None:
    """Have the next workers of a `ProcessPoolExecutor` begin so; there is no public way."""
    initializer, initargs = executor._initializer, executor._initargs  # noqa: SLF001 - as it says
    if not isinstance(initializer, BeginAs):
        executor._initializer, executor._initargs = BeginAs(variables, become, initializer, initargs), ()  # noqa: SLF001 - as above


def hold_pool(thread: threading.Thread, variables: Mapping[str, str], become: Callable[[], object]) -> None:
    """
    Have the next workers of a `multiprocessing.Pool` begin so.

    Args:
        thread: Starts them. It has taken the initializer at its own start; what it calls is told it each time.
    """
    pool: Any = vars(sys.modules["multiprocessing.pool"])["Pool"]
    _BEGIN.setdefault(thread, (variables, become))
    usual = pool._repopulate_pool_static  # noqa: SLF001 - there is no public way
    if getattr(usual, "_of_cuaws", False):
        return

    @functools.wraps(usual)
    def repopulate(*given: Any) -> Any:
        begin = _BEGIN.get(threading.current_thread())
        if begin is not None:
            bound = inspect.signature(usual).bind(*given)
            initializer, initargs = bound.arguments["initializer"], bound.arguments["initargs"]
            bound.arguments |= {"initializer": BeginAs(*begin, initializer, initargs), "initargs": ()}
            given = bound.args
        return usual(*given)

    repopulate._of_cuaws = True  # type: ignore[attr-defined]  # noqa: SLF001 - our own mark, on a function
    pool._repopulate_pool_static = staticmethod(repopulate)  # noqa: SLF001 - as above
