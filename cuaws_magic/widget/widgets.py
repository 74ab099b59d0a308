"""
The panel's widgets: made once, then only told what changed.

Knows how things look and which widget shows what; knows nothing of the context. Every
change goes through `show`, `offer_*` and the like, which one thread calls.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from ipywidgets import HTML, Box, Button, DOMWidget, Dropdown, HBox, Select, Text, VBox

from cuaws_magic.widget import html
from cuaws_magic.widget.state import RENEW, SIGN_IN, SIGN_OUT, USE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from cuaws_magic.views.sign_in import SignInState
    from cuaws_magic.widget.state import PanelState, Remedy, Screen

    Options = Sequence[tuple[str, str]]

ASKING = "asking for your roles …"
CHOOSE = "Choose a role"
_REMEDIES: dict[Remedy, str] = {
    "sign-in": "Sign in again",
    "again": "Try again",
    "confirm": "Use it",
    "sign-out": "Sign out everywhere",
}


class PanelWidgets:
    """
    The widgets of one panel.

    Attributes:
        root: What to display.
    """

    def __init__(self) -> None:
        self._head = _html("cuaws-head")
        self._notice_text = _html()
        self.remedy = _button("Try again", "Try again")
        self._notice = _box(HBox, "cuaws-notice", self._notice_text, self.remedy)
        self._body = _box(VBox, "cuaws-body")
        self._sign_ins = _box(VBox, "cuaws-sign-ins")
        # Each organisation's line, by its sign-in; what its buttons do is the panel's.
        self._lines: dict[str, _Line] = {}
        self.on_sign_in: Callable[[str], None] = lambda _: None
        self.on_sign_out: Callable[[str], None] = lambda _: None
        self._screens: dict[Screen, Box] = {
            "out": self._signed_out(),
            "waiting": self._waiting(),
            "in": self._signed_in(),
        }
        self.root = _box(
            VBox,
            "cuaws-panel",
            _html("cuaws-style", html.style() + html.keys()),
            self._head,
            _html("cuaws-gone", html.gone()),
            self._body,
        )

    def _signed_out(self) -> Box:
        self.sign_in = _button("Sign in", "Show a code to approve in the browser", primary=True)
        self._how = _html("cuaws-grow")
        self._said = _html()
        self._begin = _box(HBox, "cuaws-row", self.sign_in, self._how)
        return _box(VBox, "cuaws-column", self._begin, self._said)

    def _waiting(self) -> Box:
        self._code = _html()
        self._left = _html("cuaws-grow")
        self.cancel = _button("Cancel", "Give up this sign-in")
        self._warning = _html()
        row = _box(HBox, "cuaws-row", self._left, self.cancel)
        return _box(VBox, "cuaws-column", self._code, row, self._warning)

    def _signed_in(self) -> Box:
        self.search = Text(description="Search accounts", placeholder="Search accounts")
        self.accounts = Select(description="Accounts", options=[], rows=6)
        self._rows = _html("cuaws-drawn")
        self._count = _html()
        self.role = Dropdown(description="Role", options=[("", "")])
        self.region = Dropdown(description="Region", options=[""])
        for widget in (self.search, self.accounts, self.role, self.region):
            widget.add_class("cuaws-unseen")
        self.search.add_class("cuaws-search")
        self.accounts.add_class("cuaws-list")
        for widget in (self.role, self.region):
            widget.add_class("cuaws-grow")
        self.use = _button("Use this account", "Put credentials for this account into the notebook", primary=True)
        self.use.add_class("cuaws-use")
        self._facts = _html()
        self._times = _html()
        self.renew = _button("Renew", "Fetch new credentials for this account now")
        self._console = _html()
        self.star = _button("☆ Favourite", "Keep this account on top of lists")
        self.sign_out = _button("Sign out", "End the sign-in, and take the credentials out of the notebook")
        self.sign_out.add_class("cuaws-end")
        self._choice = _box(HBox, "cuaws-row", self.role, self.region, self.use)
        buttons = _box(HBox, "cuaws-row", self.renew, self._console, self.star, self.sign_out)
        return _box(
            VBox,
            "cuaws-column",
            self.search,
            self.accounts,
            self._rows,
            self._count,
            self._choice,
            self._facts,
            self._times,
            buttons,
        )

    def close(self) -> None:
        """Take everything off the page and out of the kernel."""
        lines = [line.box for line in self._lines.values()]
        for widget in [self._notice, *self._screens.values(), *lines, self._sign_ins, self.root]:
            _close(widget)

    # What the state says.

    def show(self, state: PanelState, now: datetime) -> None:
        """Show what holds."""
        _draw(self._head, html.head(state))
        if state.card is not None:
            _draw(self._code, html.code(state.card))
            _draw(self._left, html.code_left(state.card, now))
            _draw(self._warning, html.dim(html.warnings(state.card)))
        else:
            # The code lives no longer than its card, neither on the page nor in the kernel.
            self._code.value = self._left.value = ""
        if state.screen == "out":
            self._show_signed_out(state)
        elif state.screen == "in":
            self._show_signed_in(state)
        self._show_notice(state)
        self._show_sign_ins(state, now)
        shown = (self._notice, self._sign_ins, self._screens[state.screen])
        if self._body.children != shown:
            self._body.children = shown

    def _show_sign_ins(self, state: PanelState, now: datetime) -> None:
        """Show a line for each sign-in where there are several organisations."""
        lines = state.sign_ins if state.screen != "waiting" else ()
        _seen(self._sign_ins, bool(lines))
        for one in lines:
            key = one.sso_session.cache_key
            if key not in self._lines:
                self._lines[key] = _Line(
                    functools.partial(self._pressed, "in", key), functools.partial(self._pressed, "out", key)
                )
            self._lines[key].show(one, state.busy, now)
        boxes = tuple(self._lines[one.sso_session.cache_key].box for one in lines)
        if self._sign_ins.children != boxes:
            self._sign_ins.children = boxes

    def _pressed(self, what: str, key: str, _: object) -> None:
        (self.on_sign_in if what == "in" else self.on_sign_out)(key)

    def _show_notice(self, state: PanelState) -> None:
        trouble = state.trouble
        _seen(self._notice, trouble is not None)
        if trouble is None:
            return
        _draw(self._notice_text, html.notice(trouble))
        (self._notice.add_class if trouble.urgent else self._notice.remove_class)("cuaws-urgent")
        # Signed out, the button below is the one that helps.
        _seen(self.remedy, trouble.remedy is not None and not (state.screen == "out" and trouble.remedy == "sign-in"))
        self.remedy.description = _REMEDIES[trouble.remedy or "again"]
        self.remedy.disabled = SIGN_IN in state.busy

    def _show_signed_out(self, state: PanelState) -> None:
        asking = SIGN_IN in state.busy
        again = state.ended or (state.trouble is not None and state.trouble.remedy == "sign-in")
        self.sign_in.description = "Asking for a code …" if asking else "Sign in again" if again else "Sign in"
        self.sign_in.disabled = asking
        _seen(self._begin, not state.sign_ins)
        _seen(self._screens["out"], not state.sign_ins or bool(state.said))  # an empty one would take room
        _draw(self._how, html.how_to_sign_in(state))
        _draw(self._said, html.dim(state.said))
        _seen(self._said, bool(state.said))

    def _show_signed_in(self, state: PanelState) -> None:
        using = USE in state.busy
        self.use.description = "Getting credentials …" if using else "Use this account"
        self.use.disabled = using
        in_use = state.in_use
        _draw(self._facts, html.facts(in_use) if in_use is not None else "")
        _seen(self._facts, in_use is not None)
        bars = [("Credentials", state.credentials), ("Sign-in", state.sign_in)]
        _draw(self._times, html.times([(name, bar) for name, bar in bars if bar is not None]))
        self.renew.description = "Renewing …" if RENEW in state.busy else "Renew"
        self.renew.disabled = RENEW in state.busy
        _seen(self.renew, in_use is not None)
        _draw(self._console, html.link(state.console_url, "Open console") if state.console_url else "")
        _seen(self._console, state.console_url is not None)
        self.sign_out.description = "Signing out …" if SIGN_OUT in state.busy else "Sign out"
        self.sign_out.disabled = SIGN_OUT in state.busy
        _seen(self.sign_out, not state.sign_ins)  # each organisation's line has its own

    # What there is to choose from.

    def offer_accounts(
        self, options: Options, chosen: str | None, said: str, placeholder: str, drawn: str = ""
    ) -> None:
        """
        Offer accounts.

        Args:
            options: Those to show, labels and ids.

            chosen: The one that is selected.

            said: What to say below, such as how many more there are.

            placeholder: What the empty search field says.

            drawn: The same as HTML, for pages that run scripts.
        """
        _draw(self._rows, drawn)
        _seen(self._rows, bool(options))
        _offer(self.accounts, options, chosen)
        _seen(self.accounts, bool(options))
        _seen(self._choice, bool(options))
        _draw(self._count, html.dim([said]) if said else "")
        _seen(self._count, bool(said))
        self.search.placeholder = placeholder

    def offer_roles(self, names: Sequence[str] | None, chosen: str | None) -> None:
        """Offer the roles of the selected account; `None` while they are asked for."""
        if names is None:
            _offer(self.role, [(ASKING, "")], "")
        elif chosen is None and len(names) != 1:
            _offer(self.role, [(CHOOSE, ""), *((name, name) for name in names)], "")
        else:
            _offer(self.role, [(name, name) for name in names], chosen or names[0])
        self.role.disabled = names is None
        if names is not None and chosen is None and len(names) > 1:
            self.use.description = "Choose a role first"  # not disabled: the Tab key would pass it by

    def offer_star(self, offered: bool, starred: bool) -> None:  # noqa: FBT001 - two facts of the same account
        """Offer to make the selected account a favourite, or no favourite any more."""
        _seen(self.star, offered)
        self.star.description = "★ Favourite" if starred else "☆ Favourite"
        self.star.tooltip = "No longer keep it on top of lists" if starred else "Keep this account on top of lists"

    def offer_regions(self, names: Sequence[str], chosen: str) -> None:
        """Offer regions."""
        _offer(self.region, [(name, name) for name in names], chosen)


class _Line:
    """One organisation: its state, and the button that fits it."""

    def __init__(self, sign_in: Callable[[object], None], sign_out: Callable[[object], None]) -> None:
        self._said = _html("cuaws-grow")
        self.sign_in = _button("Sign in", "Show a code to approve in the browser")
        self.sign_out = _button("Sign out", "End this sign-in, and take its credentials out of the notebook")
        self.sign_in.on_click(sign_in)
        self.sign_out.on_click(sign_out)
        self.box = _box(HBox, "cuaws-row", self._said, self.sign_in, self.sign_out)

    def show(self, state: SignInState, busy: frozenset[str], now: datetime) -> None:
        stands = state.until is not None and state.until > now
        _draw(self._said, html.sign_in_line(state, now))
        _seen(self.sign_in, not stands)
        _seen(self.sign_out, stands and state.through is None)
        self.sign_in.disabled = SIGN_IN in busy
        self.sign_out.disabled = SIGN_OUT in busy


def _close(widget: DOMWidget) -> None:
    for child in getattr(widget, "children", ()):
        _close(child)
    for part in (getattr(widget, "style", None), widget.layout, widget):
        if part is not None:
            part.close()


def _offer(choice: Dropdown | Select, options: Options, chosen: str | None) -> None:
    """Change options and selection, in one message, and only if they differ."""
    wanted = tuple(options)
    if choice.options != wanted or choice.value != chosen:
        with choice.hold_sync():
            if choice.options != wanted:
                choice.options = wanted
            choice.value = chosen if any(value == chosen for _, value in wanted) else None


def _draw(widget: HTML, markup: str) -> None:
    """Show HTML; times in it become the reader's own."""
    widget.value = html.page(markup)


def _seen(widget: DOMWidget, wanted: bool) -> None:  # noqa: FBT001 - the one thing it is told
    """Show a widget or not; it keeps its place, so that nothing beside it is drawn anew."""
    widget.layout.display = None if wanted else "none"


def _button(text: str, hint: str, *, primary: bool = False) -> Button:
    return Button(description=text, tooltip=hint, button_style="primary" if primary else "")


def _box(kind: type[Box], name: str, *children: DOMWidget) -> Box:
    box = kind(children)
    box.add_class(name)
    return box


def _html(name: str = "", value: str = "") -> HTML:
    html = HTML(value)
    if name:
        html.add_class(name)
    return html
