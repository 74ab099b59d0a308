"""What still works as another account than the one in use, or would mix two, although no object of a person's does."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from cuaws_magic.credentials.duckdb_secrets import ChainSecrets
from cuaws_magic.credentials.gdal_files import OpenFiles
from cuaws_magic.credentials.libraries import LOOKED_AFTER, let_go, remaining_clients
from cuaws_magic.credentials.provider import bound_of, marked_clients

if TYPE_CHECKING:
    from collections.abc import Callable

    from cuaws_magic.credentials.in_use import InUseRole
    from cuaws_magic.credentials.processes import HelperProcesses


class Remaining:
    """
    Looks for it when it is asked.

    Args:
        current: Returns the account in use.

        processes: Knows the pools of other accounts.

    Attributes:
        remarks: What else has something to say, by the name of the account in use: clusters with credentials.
    """

    def __init__(self, current: Callable[[], InUseRole | None], processes: HelperProcesses) -> None:
        self._current = current
        self._processes = processes
        self.remarks: list[Callable[[str], list[str]]] = [ChainSecrets().lines, OpenFiles().lines]

    def lines(self) -> tuple[str, ...]:
        """Say so, each with what to type; nearly always nothing."""
        current = self._current()
        if current is None:
            return ()
        name = current.account.name
        remarks = [line for remark in self.remarks for line in remark(name)]
        return (*self._processes.remaining(name), *remaining_clients(self.clients()), *remarks)

    def clients(self) -> dict[str, str]:
        """Return the packages that hold clients of another account, each with its name."""
        if set(self._found()) - LOOKED_AFTER:
            gc.collect()  # clients are held by circles of references; those that nobody holds are not to be named
        return {package: name for package, name in self._found().items() if package not in LOOKED_AFTER}

    def forget_clients(self) -> dict[str, int]:
        """Have packages forget clients of another account that they keep; returns how many each kept."""

        def foreign(held: object) -> bool:
            bound = bound_of(held)
            return bound is not None and bound.source.key != self._key

        return {package: let_go(package, foreign) for package in self.clients()}

    @property
    def _key(self) -> object:
        current = self._current()
        return None if current is None else current.source.key

    def _found(self) -> dict[str, str]:
        marks = [one for one in marked_clients() if one.bound.source.key != self._key]
        return {one.asked_by: one.bound.source.account.name for one in marks}
