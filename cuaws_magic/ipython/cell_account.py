"""
`%%cuaws as` and `%%cuaws each`: cells in other accounts.

For `as`, the first line of the cell becomes an ordinary line that puts the account in use, and the end of
the cell (IPython's `post_run_cell`, whatever happened) puts everything back. So the rest runs as any cell does:
its value, its displays, its traceback and a top-level `await` are its own.
"""

from __future__ import annotations

import ast
import contextlib
import re
from typing import TYPE_CHECKING, Any

from cuaws_magic.background import hold_interrupts
from cuaws_magic.commands.many import each, in_threads, places, refuse_production
from cuaws_magic.commands.use import ready

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from cuaws_magic.commands.context import Context
    from cuaws_magic.commands.many import Place
    from cuaws_magic.views.many import Runs
    from cuaws_magic.views.render import Display

_FIRST_LINE = re.compile(r"\s*%%cuaws[ \t]+as\b[ \t]*(?P<rest>[^\n]*)\n?", re.IGNORECASE)
_NAMES = ("account", "region", "session")  # what a cell of `each` finds
_ABSENT = object()


def transformed(lines: list[str]) -> list[str]:
    """Return the lines of a cell for IPython's `input_transformers_cleanup`."""
    match = _FIRST_LINE.match("".join(lines[:1]))
    if match is None:
        return lines
    return [f"get_ipython().run_line_magic('cuaws', {('as ' + match['rest'].strip())!r})\n", *lines[1:]]


class CellAccounts:
    """
    The accounts that cells are in; a cell may run another.

    Args:
        shell: The running `InteractiveShell`.
    """

    def __init__(self, shell: Any, context: Context, display: Display) -> None:
        self._shell = shell
        self._context = context
        self._display = display
        self._depth = 1  # made while a cell runs
        self._entered: list[tuple[int, contextlib.ExitStack]] = []
        self._last: tuple[object, Runs] | None = None

    def before(self) -> None:
        """Note that a cell begins."""
        self._depth += 1

    def after(self) -> None:
        """Note that a cell has ended, in whatever way: its account is put out of use."""
        while self._entered and self._entered[-1][0] >= self._depth:
            _, stack = self._entered.pop()
            stack.close()
        self._depth = max(0, self._depth - 1)

    def enter(self, arguments: argparse.Namespace) -> None:
        """Put an account in use until the end of the cell that runs."""
        named = {name: getattr(arguments, name) for name in ("role", "region", "session")}
        wanted = ready(self._context, self._display, arguments.target, **named)
        with hold_interrupts():  # what was put in use must be known to be put out of use
            stack = contextlib.ExitStack()
            stack.enter_context(self._context.credentials.activated(wanted))
            self._entered.append((self._depth, stack))

    def run(self, arguments: argparse.Namespace, line: str, cell: str) -> Runs | None:
        """Run a cell in another account, or in many."""
        if arguments.command == "as":
            # Only where the magic is called by its name; a cell on the page was transformed.
            self._shell.run_cell(f"%%cuaws {line}\n{cell}").raise_error()
            return None
        regions = [one.strip() for one in arguments.regions.split(",") if one.strip()] if arguments.regions else None
        named = {"role": arguments.role, "regions": regions, "session": arguments.session}
        found = places(self._context, self._display, arguments.patterns, **named)
        if not arguments.yes:
            refuse_production(self._context, found, f"%%cuaws {line.strip()}")
        key = (cell, tuple(place.key for place in found))
        before = self._last[1] if arguments.again and self._last is not None and self._last[0] == key else None
        run = cell_of(self._shell, cell, apart=arguments.workers > 1)
        if arguments.workers > 1:
            runs = in_threads(self._context, self._display, run, found, workers=arguments.workers, before=before)
        else:
            runs = each(self._context, self._display, found, run, stop=arguments.stop, before=before)
        self._last = (key, runs)
        return runs


def cell_of(shell: Any, cell: str, *, apart: bool = False) -> Callable[[Place, Any], Any]:
    """
    Compile a cell; what comes back runs it with `account`, `region` and `session`, and returns its last expression.

    Args:
        apart: Each run has variables of its own, as threads need; what it assigns is gone afterwards.

    Raises:
        SyntaxError: It is no Python.
    """
    tree = ast.parse(shell.transform_cell(cell), "<%%cuaws each>")
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    body = compile(tree, "<%%cuaws each>", "exec")
    value = compile(ast.Expression(last.value), "<%%cuaws each>", "eval") if isinstance(last, ast.Expr) else None

    def run(place: Place, session: Any) -> Any:
        namespace = dict(shell.user_ns) if apart else shell.user_ns
        before = {name: namespace.get(name, _ABSENT) for name in _NAMES}
        namespace.update(account=place.account.name, region=place.region, session=session)
        try:
            exec(body, namespace)  # noqa: S102 - the cell that a person runs
            return eval(value, namespace) if value is not None else None  # noqa: S307 - as above
        finally:
            for name, found in before.items():
                if found is _ABSENT:
                    namespace.pop(name, None)
                else:
                    namespace[name] = found

    return run
