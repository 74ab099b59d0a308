"""Something to do just before a module is imported for the first time."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class AtImport:
    """Is told just before a module is imported for the first time; finds nothing itself (`sys.meta_path`)."""

    def __init__(self, module: str, do: Callable[[], None]) -> None:
        self._module = module
        self._do = do

    def find_spec(self, name: str, *_: object) -> None:
        """Pass on what is looked for."""
        if name == self._module:
            self.leave()
            self._do()

    def leave(self) -> None:
        """Be told no more."""
        with contextlib.suppress(ValueError):
            sys.meta_path.remove(self)
