"""
Where views go: a notebook page, an IPython terminal, or plain standard output.

The only module that displays. A view that a command has shown is not shown a second
time as the cell's result, so `%cuaws use …` may stand anywhere in a cell.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import sys
import threading
import webbrowser
from typing import TYPE_CHECKING, Any

from cuaws_magic.humanize import printable, until
from cuaws_magic.views.render import Cell, View
from cuaws_magic.views.sign_in import AwaitingApproval, session_label
from cuaws_magic.views.sign_in_page import AwaitingRedirect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cuaws_magic.views.render import DisplayHandle


class NotebookDisplay:
    """
    Shows on the page of a notebook, replaced in place.

    Where nobody sees the page (nbconvert, papermill) a code to approve goes to the
    terminal too in which the run was started.

    Args:
        shell: The running `InteractiveShell`.
    """

    beside_browser = False  # a kernel cannot tell where its page is

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._told = ""  # the last code that went to the terminal
        self._shown: tuple[int, list[View]] = (-1, [])
        shell.display_formatter.ipython_display_formatter.for_type(View, self._show_once)

    def __call__(self, view: View) -> DisplayHandle:
        """Show a view; what comes back replaces it."""
        from IPython.display import display

        self._mark(view)
        self._tell(view)
        with _as_wanted(view):
            handle: Any = display(  # type: ignore[no-untyped-call]  # IPython is half typed
                view.mimebundle(), raw=True, display_id=True
            )
        return _OnPage(self, handle)

    @property
    def in_place(self) -> bool:
        """Whether the value of the command that runs is to be on the page."""
        return not _typed(self._shell, r"=\s*%cuaws\b")

    @property
    def attended(self) -> bool:
        """Whether somebody sits before the page who can approve a sign-in."""
        return self.cell is not None

    @property
    def cell(self) -> Cell | None:
        """The cell that runs, where a person can press buttons; `None` where nobody can (nbconvert, papermill)."""
        # The front end says so with each cell; ipykernel keeps it for `input()`.
        if not getattr(self._shell.kernel, "_allow_stdin", False):
            return None
        message = self._shell.get_parent()
        return Cell(
            str(message.get("metadata", {}).get("cellId") or ""), str(message.get("header", {}).get("msg_id") or "")
        )

    def result(self, view: View, line: str) -> View | None:
        """Show the value of a command, unless it is assigned or stands there already; the shell shows it no more."""
        if not self._stands(view) and not _typed(self._shell, _ASSIGNED.format(re.escape(line.strip()))):
            self(view)
        return view

    def close(self) -> None:
        """Forget what was shown, and show views as IPython would."""
        formatter = self._shell.display_formatter.ipython_display_formatter
        with contextlib.suppress(KeyError):
            formatter.pop(View)

    def replaced(self, view: View) -> None:
        """Take a view as shown, for the cell that runs; another replaced it."""
        self._mark(view)
        self._tell(view)

    def _tell(self, view: View) -> None:
        """Write a new code, or link, to the terminal, where nobody sees the page."""
        if self.cell is not None:
            return
        if isinstance(view, AwaitingRedirect):
            _to_terminal(f"Sign in to {session_label(view.sso_session)}: open {view.page}")
        if not isinstance(view, AwaitingApproval):
            return
        authorization = view.authorization
        if authorization.user_code != self._told:
            self._told = authorization.user_code
            _to_terminal(
                f"Sign in to {session_label(view.sso_session)}: open {authorization.verification_uri_complete} "
                f"and check the code {authorization.user_code} (good for {until(authorization.expires_at, view.at)})"
            )

    def _mark(self, view: View) -> None:
        count = self._shell.execution_count
        earlier = self._shown[1] if self._shown[0] == count else []
        self._shown = (count, [*earlier, view])

    def _show_once(self, view: View) -> None:
        """Stand in for IPython's display of a view, also as a cell's result."""
        if not self._stands(view):
            from IPython.display import display

            with _as_wanted(view):
                display(view.mimebundle(), raw=True)  # type: ignore[no-untyped-call]  # as above

    def _stands(self, view: View) -> bool:
        count, views = self._shown
        return count == self._shell.execution_count and any(one is view for one in views)


class _OnPage:
    def __init__(self, face: NotebookDisplay, handle: Any) -> None:
        self._face = face
        self._handle = handle

    def update(self, view: View) -> None:
        self._face.replaced(view)
        self._handle.update(view.mimebundle(), raw=True)


def _as_wanted(view: View) -> contextlib.AbstractContextManager[None]:
    """Have secrets shown that a person asked to see."""
    if not getattr(view, "shows_secrets", False):
        return contextlib.nullcontext()
    from cuaws_magic.ipython.masked_output import unmasked

    return unmasked()


def _to_terminal(line: str) -> None:
    """Write to the standard error that this kernel was started with; never into the notebook, where it would stay."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or none at all
        try:
            # ipykernel puts what goes to the true one on the page too, and keeps a copy that does not.
            terminal = sys.stderr.fileno()
        except (OSError, ValueError, AttributeError):
            terminal = sys.__stderr__.fileno()  # type: ignore[union-attr]  # as above: none at all
        os.write(terminal, f"{printable(line)}\n".encode())


class TextDisplay:
    """
    Prints plain text; where a browser runs beside it, the sign-in page opens in it.

    Args:
        environ: Tells whether somebody sits in front of this machine.
    """

    cell: Cell | None = None  # nothing to press here
    in_place = False  # what was printed stays

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ

    def __call__(self, view: View) -> DisplayHandle:
        """Print a view; what comes back prints the next one."""
        self.update(view)
        if isinstance(view, AwaitingApproval) and view.attempt == 1:
            self._open(view.authorization.verification_uri_complete)
        if isinstance(view, AwaitingRedirect):
            self._open(view.page)
        return self

    def update(self, view: View) -> None:
        """Print a view below the one before."""
        print(repr(view), flush=True)  # noqa: T201 - this text is for a person

    @property
    def attended(self) -> bool:
        """Whether somebody sits at the terminal; nobody does where neither side of this program is one (cron)."""
        return any(one is not None and one.isatty() for one in (sys.stdin, sys.stdout))

    @property
    def beside_browser(self) -> bool:
        """Whether a browser surely opens on this machine, before the person who types here."""
        windows = any(name in self._environ for name in ("DISPLAY", "WAYLAND_DISPLAY"))
        return not self._far and (windows or sys.platform in {"darwin", "win32"})

    @property
    def _far(self) -> bool:
        return any(name in self._environ for name in ("SSH_CONNECTION", "SSH_TTY"))

    def _open(self, page: str) -> None:
        """Open the page as `aws sso login` does, but never a browser inside the terminal, far away, or for nobody."""
        wanted = self.beside_browser or (not self._far and "BROWSER" in self._environ)
        if not (self.attended and wanted):
            return
        # Not here: a browser that BROWSER names is waited for until it ends, and the page may wait for us.
        threading.Thread(target=_opened, args=(page,), name="cuaws-browser", daemon=True).start()


def _opened(page: str) -> None:
    with contextlib.suppress(webbrowser.Error, OSError):
        webbrowser.open_new_tab(page)


class TerminalDisplay(TextDisplay):
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
        shell.display_formatter.formatters["text/plain"].for_type(View, self._as_value)

    def update(self, view: View) -> None:
        """Print a view below the one before."""
        self._printed = view
        super().update(view)

    def result(self, view: View, line: str) -> View | None:
        """Print the value of a command, unless it is assigned, the terminal is about to, or it stands there already."""
        if view is self._printed:
            return None
        its = re.escape(line.strip())
        if not _typed(self._shell, rf"{_ASSIGNED.format(its)}|^\s*%?cuaws\b\s*{its}\s*\Z"):  # the value of the cell
            self.update(view)
        return view

    def _as_value(self, view: View, printer: Any, cycle: bool) -> None:  # noqa: ARG002, FBT001 - IPython's protocol
        """Print a view as the value of a cell; what was printed a moment ago is not printed twice."""
        printer.text("" if view is self._printed else repr(view))

    def close(self) -> None:
        """Print views as IPython would."""
        with contextlib.suppress(KeyError):
            self._shell.display_formatter.formatters["text/plain"].pop(View)


_ASSIGNED = r"=\s*%cuaws\s+{}\s*$"  # the value of a command goes into a variable: `x = %cuaws whoami`


def _typed(shell: Any, pattern: str) -> bool:
    typed = str(shell.history_manager.input_hist_raw[-1])
    return re.search(pattern, typed, re.MULTILINE) is not None


def display_for(shell: Any) -> NotebookDisplay | TerminalDisplay:
    """Return the face of an IPython shell: a page if a kernel runs it, a terminal otherwise."""
    made: NotebookDisplay | TerminalDisplay = _display_for(shell)
    return made


@functools.cache
def _display_for(shell: Any) -> NotebookDisplay | TerminalDisplay:
    return NotebookDisplay(shell) if hasattr(shell, "kernel") else TerminalDisplay(shell)


def close_display(shell: Any) -> None:
    """Have a shell show views as IPython would; its face is made anew when it is asked for again."""
    display_for(shell).close()
    _display_for.cache_clear()


def display_here() -> NotebookDisplay | TextDisplay:
    """Return the face of wherever this process runs, for functions called from Python."""
    if "IPython" in sys.modules:
        from IPython import get_ipython

        shell = get_ipython()
        if shell is not None:
            return display_for(shell)
    return TextDisplay()
