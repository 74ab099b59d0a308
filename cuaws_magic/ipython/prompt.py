"""Questions that a person answers below the cell that runs, where somebody sits there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable


def asking(shell: Any) -> Callable[[str], str] | Literal[False]:
    """Return what shows a question and returns what was typed; `False` where nobody can (papermill, cron)."""
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return input if sys.stdin is not None and sys.stdin.isatty() else False
    # The front end says with each cell whether somebody sits there; ipykernel keeps it for `input()`.
    return kernel.raw_input if getattr(kernel, "_allow_stdin", False) else False
