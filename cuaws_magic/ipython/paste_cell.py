"""Asking for keys without showing them: a password field on a page, a hidden prompt in a terminal."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import re
import sys
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from cuaws_magic.credentials import pasted
from cuaws_magic.errors import Cancelled, CuawsError, PasteRefused
from cuaws_magic.humanize import clock
from cuaws_magic.ipython.cell_wipe import CellWipe

if TYPE_CHECKING:
    from collections.abc import Callable

    from prompt_toolkit.key_binding import KeyPressEvent
    from prompt_toolkit.layout.processors import TransformationInput

    from cuaws_magic.ipython.display import NotebookDisplay, TerminalDisplay
    from cuaws_magic.views.account import InUse

_PROMPT = "Paste the keys here (they stay hidden), then press Enter: "


def ask(shell: Any) -> str:
    """
    Return what a person pastes.

    Args:
        shell: The running `InteractiveShell`.

    Raises:
        PasteRefused: Nobody can be asked here.

        KeyboardInterrupt: Ctrl-C or the stop button.
    """
    kernel = getattr(shell, "kernel", None)
    # The front end says with each cell whether somebody sits there; ipykernel keeps it for `input()`.
    somebody = sys.stdin.isatty() if kernel is None else getattr(kernel, "_allow_stdin", False)
    if not somebody:
        # Not below `%%cuaws paste` either: nothing wipes that cell there, and its keys would stay in the file.
        raise PasteRefused(
            "Keys cannot be asked for here. Type `%cuaws use ACCOUNT` instead, or `%cuaws use NAME` with the name "
            "of a saved profile."
        )
    return _in_terminal() if kernel is None else str(kernel.getpass(_PROMPT))


def _in_terminal() -> str:
    """
    Read several lines without showing them.

    Python's own `getpass` takes one line and leaves the others to the next prompt, where
    they would be shown, run and remembered. Enter ends it when the keys are there, or
    on an empty line.
    """
    from prompt_toolkit import PromptSession
    from prompt_toolkit.key_binding import KeyBindings
    from prompt_toolkit.layout.processors import Processor, Transformation

    class Hidden(Processor):
        def apply_transformation(self, _: TransformationInput) -> Transformation:
            return Transformation([], source_to_display=lambda _: 0, display_to_source=lambda _: 0)

    keys = KeyBindings()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        text = event.current_buffer.text
        if pasted.complete(text) or not text.rpartition("\n")[2].strip():
            event.current_buffer.validate_and_handle()
        else:
            event.current_buffer.insert_text("\n")

    asked: PromptSession[str] = PromptSession(key_bindings=keys, multiline=True, input_processors=[Hidden()])
    # In a thread: IPython's own loop may be running in this one.
    return asked.prompt(_PROMPT, in_thread=True)


# A cell that was wiped before, and runs again.
_COMMENTS = re.compile(r"(?:\s*#[^\n]*(?:\n|\Z))*\s*")
_GONE = "# The keys that were here have been removed from this page."
_REFUSED = (
    "# What was here was refused and has been removed from this page. "
    "Put the keys below this line, then run the cell again."
)


class PasteCell:
    """
    One run of a cell, or line, that may have keys in it.

    Args:
        shell: The running `InteractiveShell`.

        face: Where things are shown.

        line: What stands behind `%cuaws`.

        cell: What stands below it; empty for a line alone.
    """

    def __init__(self, shell: Any, face: NotebookDisplay | TerminalDisplay, line: str, cell: str) -> None:
        self._shell = shell
        self._face = face
        self._on_the_line = pasted.holds_keys(line)
        self._text = cell
        self._command = "%%cuaws paste" if self._on_the_line else f"%%cuaws {line.strip()}"
        self._wipe = CellWipe(shell, f"{line}\n{cell}" if self._on_the_line else cell, f"{self._command}\n{_GONE}")

    def run(self, paste: Callable[[str], InUse]) -> InUse | None:
        """
        Wipe the cell and bring its keys into use; in a cell without any, ask for them.

        Args:
            paste: Brings the pasted text into use.

        Returns:
            What is in use; nothing if the keys were refused, and the page says so already.

        Raises:
            CuawsError: It came to nothing, and there is no page to show that on.

            Cancelled: Ctrl-C or the stop button.
        """
        if _COMMENTS.fullmatch(self._text) and not self._on_the_line:
            return paste(ask(self._shell))
        self._wipe.memory()
        trouble = self._wipe.disk()
        try:
            view = self._answer(paste)
        except (CuawsError, UsageError, Cancelled):
            self._wipe.page(f"{self._command}\n{_REFUSED}")
            if self._face.cell is None:
                raise
            self._shell.showtraceback()
            _stop_run_all(self._shell.kernel)
            return None
        about = "at most until about" if view.end_assumed else "until about"
        until = f", {about} {clock(view.expires_at, view.at)}" if view.expires_at is not None else ""
        self._wipe.page(
            f"{self._command}\n# The keys that were here are now in this kernel{until}. Paste new ones below this line."
        )
        return dataclasses.replace(view, notes=(*view.notes, trouble)) if trouble else view

    def after(self, result: Any) -> None:
        """Wipe what the end of the cell has kept (IPython's `post_run_cell`)."""
        self._wipe.after(result)

    def _answer(self, paste: Callable[[str], InUse]) -> InUse:
        try:
            if hasattr(self._shell, "kernel") and self._face.cell is None:
                raise PasteRefused(  # noqa: TRY301 - as any refusal from here on
                    "The keys in this cell were not used: the cell cannot be cleared here, so they are still in the "
                    "notebook file. Delete them there by hand, then type `%cuaws use ACCOUNT` instead."
                )
            if self._on_the_line:
                raise PasteRefused(  # noqa: TRY301 - as any refusal from here on
                    "Do not type keys on the command line. Put them below it: the first line of the cell is "
                    "`%%cuaws paste`, and the keys come after it."
                )
            return paste(self._text)
        except (CuawsError, UsageError, Cancelled):
            raise
        except KeyboardInterrupt:
            message = "`%cuaws paste` was stopped; nothing was changed. Run the cell again to start over."
            raise Cancelled(message) from None
        except Exception as error:  # noqa: BLE001 - a bug; its traceback would show the keys
            raise PasteRefused(
                f"Something went wrong inside cuaws_magic ({type(error).__name__}). "
                "To do without keys, type `%cuaws use ACCOUNT`."
            ) from None


def command_of(line: str, cell: str) -> str:
    """Return which command is meant; keys are always meant for `paste`, whatever was typed before them."""
    if pasted.holds_keys(line) or pasted.holds_keys(cell):
        return "paste"
    return next(iter(line.split()), "")


def _stop_run_all(kernel: Any) -> None:
    """Drop the cells that wait behind this one, as ipykernel does after an error; it has no public way to it."""
    stop = getattr(kernel, "_abort_queues", None)
    stopping = stop() if stop is not None else None
    if inspect.isawaitable(stopping):
        asyncio.ensure_future(stopping)  # noqa: RUF006 - ipykernel's own business, over in a moment
