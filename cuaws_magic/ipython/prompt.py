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


def asking_hidden(shell: Any) -> Callable[[str], str] | None:
    """Return what asks for a line that stays hidden; nothing where nobody can be asked."""
    if not asking(shell):
        return None
    kernel = getattr(shell, "kernel", None)
    return _hidden_line if kernel is None else kernel.getpass


def _hidden_line(question: str) -> str:
    """Ask in a terminal; Python's own `getpass` takes no line as long as such an address can be."""
    from prompt_toolkit import PromptSession

    asked: PromptSession[str] = PromptSession(is_password=True)
    # In a thread: IPython's own loop may be running in this one.
    return asked.prompt(question, in_thread=True)
