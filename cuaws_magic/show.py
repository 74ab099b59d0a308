"""
Where views go: a notebook page, an IPython terminal, or plain standard output.

The only module that displays. A view that a command has shown is not shown a second
time as the cell's result, so `%cuaws use …` may stand anywhere in a cell.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import webbrowser
from typing import TYPE_CHECKING, Any

from cuaws_magic.results import AwaitingApproval, View

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cuaws_magic.approval import Shown


class NotebookFace:
    """
    Shows on the page of a notebook, replaced in place.

    Args:
        shell: The running `InteractiveShell`.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._shown: tuple[int, list[View]] = (-1, [])
        shell.display_formatter.ipython_display_formatter.for_type(View, self._show_once)

    def __call__(self, view: View) -> Shown:
        """Show a view; what comes back replaces it."""
        from IPython.display import display

        self._mark(view)
        handle: Any = display(  # type: ignore[no-untyped-call]  # IPython is half typed
            view.bundle(), raw=True, display_id=True
        )
        return _OnPage(self, handle)

    def result(self, view: View) -> View | None:
        """Show the value of a command, unless it stands there already; the shell will not show it again."""
        if not self._stands(view):
            self(view)
        return view

    def done(self) -> None:
        """Forget what was shown, and show views as IPython would."""
        formatter = self._shell.display_formatter.ipython_display_formatter
        with contextlib.suppress(KeyError):
            formatter.pop(View)

    def mark(self, view: View) -> None:
        """Take a view as shown, for the cell that runs."""
        self._mark(view)

    def _mark(self, view: View) -> None:
        count = self._shell.execution_count
        earlier = self._shown[1] if self._shown[0] == count else []
        self._shown = (count, [*earlier, view])

    def _show_once(self, view: View) -> None:
        """Stand in for IPython's display of a view, also as a cell's result."""
        if not self._stands(view):
            from IPython.display import display

            display(view.bundle(), raw=True)  # type: ignore[no-untyped-call]  # as above

    def _stands(self, view: View) -> bool:
        count, views = self._shown
        return count == self._shell.execution_count and any(one is view for one in views)


class _OnPage:
    def __init__(self, face: NotebookFace, handle: Any) -> None:
        self._face = face
        self._handle = handle

    def update(self, view: View) -> None:
        self._face.mark(view)
        self._handle.update(view.bundle(), raw=True)


class TextFace:
    """
    Prints plain text; where a browser runs beside it, the sign-in page opens in it.

    Args:
        environ: Tells whether somebody sits in front of this machine.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ

    def __call__(self, view: View) -> Shown:
        """Print a view; what comes back prints the next one."""
        self.update(view)
        if isinstance(view, AwaitingApproval) and view.attempt == 1:
            self._open(view.authorization.verification_uri_complete)
        return self

    def update(self, view: View) -> None:
        """Print a view below the one before."""
        print(view.bundle()["text/plain"], flush=True)  # noqa: T201 - this text is for a person

    def _open(self, page: str) -> None:
        """Open the page as `aws sso login` does, but never a browser inside the terminal, nor far away."""
        remote = any(name in self._environ for name in ("SSH_CONNECTION", "SSH_TTY"))
        windows = any(name in self._environ for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
        if remote or not (windows or sys.platform in {"darwin", "win32"}):
            return
        with contextlib.suppress(webbrowser.Error, OSError):
            webbrowser.open_new_tab(page)


class TerminalFace(TextFace):
    """
    Prints in an IPython terminal, where the value of the last line is printed anyway.

    Args:
        shell: The running `InteractiveShell`.

        environ: Tells whether somebody sits in front of this machine.
    """

    def __init__(self, shell: Any, environ: Mapping[str, str] = os.environ) -> None:
        super().__init__(environ)
        self._shell = shell
        self._printed: View | None = None

    def update(self, view: View) -> None:
        """Print a view below the one before."""
        self._printed = view
        super().update(view)

    def result(self, view: View) -> View | None:
        """Print the value of a command, unless the terminal is about to, or it stands there already."""
        if view is self._printed:
            return None
        if not self._printed_by_shell():
            self.update(view)
        return view

    def _printed_by_shell(self) -> bool:
        """Whether the last line of what was typed is a command: alone (printed) or assigned (not wanted)."""
        typed = self._shell.history_manager.input_hist_raw[-1].strip().rsplit("\n", 1)[-1]
        return "cuaws" in typed

    def done(self) -> None:
        """Nothing to undo."""


def face_of(shell: Any) -> NotebookFace | TerminalFace:
    """Return the face of an IPython shell: a page if a kernel runs it, a terminal otherwise."""
    made: NotebookFace | TerminalFace = _face_of(shell)
    return made


@functools.cache
def _face_of(shell: Any) -> NotebookFace | TerminalFace:
    return NotebookFace(shell) if hasattr(shell, "kernel") else TerminalFace(shell)


def face_here() -> NotebookFace | TextFace:
    """Return the face of wherever this process runs, for functions called from Python."""
    if "IPython" in sys.modules:
        from IPython import get_ipython

        shell = get_ipython()
        if shell is not None:
            return face_of(shell)
    return TextFace()
