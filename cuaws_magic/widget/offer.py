"""
One button below a card, where a page shows widgets: what the card would have a person type.

A saved notebook, or a page without widgets, shows nothing in its place: the card itself says what to type.
"""

from __future__ import annotations

import contextvars
import threading
from typing import TYPE_CHECKING, Any, cast

from cuaws_magic.background import unforeseen
from cuaws_magic.errors import Cancelled, CuawsError
from cuaws_magic.views import render
from cuaws_magic.views.render import View
from cuaws_magic.widget.view import WIDGET, missing

if TYPE_CHECKING:
    from collections.abc import Callable

    from cuaws_magic.views.render import MimeBundle


class _Below:
    """Shows views below the button, each in place of the one before."""

    in_place = True

    def __init__(self, shown: Any) -> None:
        self._shown = shown

    def __call__(self, view: View) -> _Below:
        self.update(view)
        return self

    def update(self, view: View) -> None:
        self._shown.value = view.mimebundle()["text/html"]


class Offer(View):
    """
    The button.

    Args:
        words: What it says.

        act: What it does, with where to show what comes of it; returns what to show at the end.
    """

    def __init__(self, words: str, act: Callable[[Any], View]) -> None:
        from ipywidgets import HTML, Button, VBox

        self._act = act
        self._button = Button(description=words, layout={"width": "auto"})
        self._shown = HTML()
        self._root = VBox([self._button, self._shown])
        self._button.on_click(self._pressed)

    def mimebundle(self) -> MimeBundle:
        """Return the widget; nothing for a page without it."""
        widget = {"version_major": 2, "version_minor": 0, "model_id": self._root.model_id}
        return cast("MimeBundle", {WIDGET: widget, "text/plain": "", "text/html": ""})

    def _pressed(self, _: object) -> None:
        self._button.disabled = True
        # On ipykernel 7.0 a thread reaches the page only in the context of its cell.
        run = contextvars.copy_context().run
        threading.Thread(target=run, args=(self._run,), name="cuaws-offer", daemon=True).start()

    def _run(self) -> None:
        try:
            view = self._act(_Below(self._shown))
        except (CuawsError, Cancelled) as error:
            self._failed(error)
            return
        except Exception as error:  # noqa: BLE001 - a bug must not leave a dead button
            self._failed(unforeseen(error))
            return
        self._shown.value = view.mimebundle()["text/html"]
        self._button.layout.display = "none"

    def _failed(self, error: BaseException) -> None:
        self._shown.value = render.page(render.card("bad", "That did not work", "", render.lines([str(error)])))
        self._button.disabled = False


def offer(words: str, act: Callable[[Any], View]) -> Offer | None:
    """Return a button for a page; nothing where this kernel has no ipywidgets."""
    return None if missing() is not None else Offer(words, act)
