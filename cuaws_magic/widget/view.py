"""
The panel as the value of a command: a widget where a page shows widgets, else the commands to type.

A page takes the richest form that it knows, so the same output is a widget in
JupyterLab, and a card with the commands in a saved notebook, in nbconvert, or where the
widget's kernel has gone. ipywidgets is imported only when somebody asks for a panel.
"""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from markupsafe import Markup

from cuaws_magic.views import render
from cuaws_magic.views.render import View

if TYPE_CHECKING:
    from cuaws_magic.commands.context import Context
    from cuaws_magic.views.render import Cell, MimeBundle
    from cuaws_magic.widget.panel import Panel

WIDGET = "application/vnd.jupyter.widget-view+json"

_COMMANDS = (
    ("%cuaws login", "sign in"),
    ("%cuaws accounts", "the accounts that you may enter"),
    ("%cuaws use ACCOUNT", "put credentials for one into the notebook"),
    ("%cuaws", "who you are, in which account, and how long that lasts"),
    ("%cuaws logout", "sign out"),
)
_NOT_LIVE = "A panel lives as long as its kernel: in a notebook, run `%load_ext cuaws_magic`, then run this cell again."
_NO_FRONT_END = (
    "No buttons in a running notebook? Then the page cannot show widgets. Where the Jupyter server runs (on a hub that "
    "may be another environment than this kernel's), type `pip install jupyterlab_widgets`, then reload the page."
)


@dataclass(frozen=True, repr=False)
class PanelView(View):
    """
    A panel.

    Attributes:
        panel: The living panel; `None` where there are no buttons to press.

        notes: Why not.
    """

    panel: Panel | None
    notes: tuple[str, ...] = ()

    def mimebundle(self) -> MimeBundle:
        """Return the widget, with text and HTML for wherever there is none."""
        title = "AWS accounts in this notebook"
        width = max(len(command) for command, _ in _COMMANDS)
        lines = [f"  {command:<{width}}  {what}" for command, what in _COMMANDS]
        rows = Markup("").join(
            Markup('<code style="background:none;color:inherit">{}</code><span>{}</span>').format(*row)
            for row in _COMMANDS
        )
        grid = Markup(
            '<div style="display:grid;grid-template-columns:auto 1fr;gap:2px 16px;margin-bottom:8px">{}</div>'
        ).format(rows)
        html = render.card("idle", title, "%cuaws panel", grid + render.lines(self.notes))
        both = render.mimebundle(
            render.text(f"{title}: what the panel does, as commands.", [], [*lines, *self.notes]), html
        )
        if self.panel is None:
            return both
        widget = {"version_major": 2, "version_minor": 0, "model_id": self.panel.model_id}
        return cast("MimeBundle", {WIDGET: widget, **both})


def open_panel(context: Context, cell: Cell | None) -> PanelView:
    """
    Return a panel for the page.

    Args:
        context: What it is a view of.

        cell: The cell that runs, where a person can press buttons. A cell that is run
            again has a new panel, and the old one ends.
    """
    if cell is None:
        return PanelView(None, (_NOT_LIVE,))
    trouble = missing()
    if trouble is not None:
        return PanelView(None, (trouble,))
    from cuaws_magic.widget.panel import Panel

    panel = Panel(context)
    _keep(context, cell, panel)
    return PanelView(panel, (_NOT_LIVE, _NO_FRONT_END))


def missing() -> str | None:
    """Say what this kernel lacks for a widget, if something."""
    # As a person in a notebook can type it; this kernel's own environment, wherever that is.
    install = "`%pip install --upgrade ipywidgets` in a cell, then restart the kernel"
    try:
        import ipywidgets
    except ImportError:
        return f"This kernel has no ipywidgets ({sys.prefix}). Type {install}; until then, type the commands."
    version = str(ipywidgets.__version__)
    if int(version.split(".", 1)[0]) < 8:  # noqa: PLR2004 - as in pyproject.toml
        return f"This kernel has ipywidgets {version}, and the panel needs 8. Type {install}."
    return None


@functools.cache
def _open_panels(context: Context) -> dict[str, tuple[str, list[Panel]]]:  # noqa: ARG001 - one list for each
    return {}


def _keep(context: Context, cell: Cell, panel: Panel) -> None:
    """Remember a panel by its cell, and end those of an earlier run of it: the page has let go of them."""
    if not cell.id:
        return
    panels = _open_panels(context)
    run, earlier = panels.get(cell.id, (cell.run, []))
    if run != cell.run:
        for one in earlier:
            one.close()
        earlier = []
    panels[cell.id] = (cell.run, [*earlier, panel])
