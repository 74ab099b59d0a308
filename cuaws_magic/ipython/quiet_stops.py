"""A command that a person stopped ends its cell and says so once, in plain words: no red box for what they wanted."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

from cuaws_magic.errors import Cancelled
from cuaws_magic.humanize import for_stream

if TYPE_CHECKING:
    from collections.abc import Callable


def quiet(shell: Any) -> Callable[[], None]:
    """
    Have a shell show `Cancelled` as a line, or not at all where a card says it already.

    The cell still fails, so "Run all" stops.

    Args:
        shell: The running `InteractiveShell`.

    Returns:
        What has it as it was.
    """
    before, shown_before = shell.custom_exceptions, shell.CustomTB

    def handler(shell: Any, kind: Any, value: Any, trace: Any, tb_offset: int | None = None) -> Any:
        if not isinstance(value, Cancelled):
            return shown_before(kind, value, trace, tb_offset)
        shell._last_traceback = [str(value)]  # noqa: SLF001 - what runs a notebook gets it with the answer
        if not value.said:
            print(for_stream(str(value), sys.stdout))  # noqa: T201 - this text is for a person
        return [str(value)]

    shell.set_custom_exc((*before, Cancelled), handler)
    ours = shell.CustomTB

    def undo() -> None:
        if shell.CustomTB is ours:  # nobody came after us
            shell.custom_exceptions = before
            with contextlib.suppress(AttributeError):
                shell.CustomTB = shown_before

    return undo
