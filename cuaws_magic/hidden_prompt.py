"""Asking for keys without showing them: a password field on a page, a hidden prompt in a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from cuaws_magic import pasted
from cuaws_magic.errors import PasteRefused

if TYPE_CHECKING:
    from prompt_toolkit.key_binding import KeyPressEvent
    from prompt_toolkit.layout.processors import TransformationInput

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
            "Nobody can be asked for keys here. Type `%cuaws use ACCOUNT` instead, or `%cuaws use NAME` with the name "
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
