"""
`%cuaws panel`: sign in and pick an account with the mouse, or with the keyboard alone.

A panel is a view of one kernel's context: all that it shows is derived from that (`panel_state`), and
it keeps nothing of its own but what the person typed and selected (`panel_choice`).
Handlers only write down an action; one thread per panel grants the actions in their order
and is the only one that touches the widgets. So it does not matter on which thread
ipykernel calls a handler, and what was typed counts before the Enter behind it. What
takes time goes into `Tasks`.
"""

from __future__ import annotations

import contextvars
import logging
import queue
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cuaws_magic.commands.login import login, logout
from cuaws_magic.commands.use import use
from cuaws_magic.errors import RoleNeeded
from cuaws_magic.model import utc_now
from cuaws_magic.widget.selection import Selection, Wanted
from cuaws_magic.widget.state import RENEW, SIGN_IN, SIGN_OUT, USE, panel_state, signing_out
from cuaws_magic.widget.widgets import PanelWidgets

if TYPE_CHECKING:
    from collections.abc import Callable

    from cuaws_magic.commands.context import Context
    from cuaws_magic.model import Now, SsoSession
    from cuaws_magic.views.render import View

    Action = Callable[[], None]

_CODE_TICK = 1.0  # seconds between two looks while a code counts down
_JUST_AFTER = 0.05  # seconds after a moment, so that it has passed
_TICK = 30.0  # otherwise; what has not changed is not sent

_log = logging.getLogger(__name__)


class Nowhere:
    """Shows nothing: the panel itself is where a sign-in is seen."""

    in_place = False

    def __call__(self, view: View) -> Nowhere:  # noqa: ARG002 - as every `Display`
        """Take a view."""
        return self

    def update(self, view: View) -> None:
        """Take the next."""


class Panel:
    """
    One panel.

    Args:
        context: What it is a view of.

        now: The current time, aware, UTC.
    """

    def __init__(self, context: Context, now: Now = utc_now) -> None:
        self._context = context
        self._now = now
        self._actions: queue.SimpleQueue[Action | None] = queue.SimpleQueue()
        self._open = True
        self._leaving: SsoSession | None = None  # asked whether to sign out, of which
        self._used: Wanted | None = None  # what *Use this account* meant last
        self._choice = Selection(context, now)
        self._widgets = PanelWidgets()
        self._stop = context.observers.observe(self._look_again)  # first: drawing may set something going
        self._state = panel_state(context, now())
        self._paint()
        self._listen()
        # On ipykernel 7.0 a thread reaches the page only in the context of its cell.
        run = contextvars.copy_context().run
        self._thread = threading.Thread(target=run, args=(self._run_actions,), name="cuaws-panel", daemon=True)
        self._thread.start()

    @property
    def root(self) -> Any:
        """The widget to display."""
        return self._widgets.root

    @property
    def model_id(self) -> str:
        """What a page calls that widget."""
        return str(self._widgets.root.model_id)

    def close(self) -> None:
        """Take it off the page, and out of the kernel; the sign-in and the account stay."""
        self._open = False
        self._stop()
        self._actions.put(None)

    # Handlers: on whatever thread ipykernel likes, while the panel's own thread may be at work.

    def _listen(self) -> None:
        widgets = self._widgets
        for button, action in (
            (widgets.sign_in, self._sign_in),
            (widgets.cancel, self._cancel),
            (widgets.use, self._use),
            (widgets.renew, self._renew),
            (widgets.star, self._star),
            (widgets.sign_out, self._ask_to_sign_out),
            (widgets.remedy, self._remedy),
        ):
            button.on_click(self._on_click(action))
        choice = self._choice
        for widget, act in (
            (widgets.search, self._elsewhere(choice.type)),
            (widgets.accounts, self._elsewhere(choice.pick_account)),
            (widgets.role, self._elsewhere(choice.pick_role)),
            (widgets.region, choice.pick_region),
        ):
            widget.observe(self._on_value(act), names="value")
        widgets.search.on_msg(self._on_message)
        widgets.on_sign_in, widgets.on_sign_out = self._of_line(self._sign_in_to), self._of_line(self._sign_out_of)

    def _elsewhere(self, act: Callable[[Any], None]) -> Callable[[Any], None]:
        """Have the trouble with one account not stand above another."""

        def acted(value: Any) -> None:
            act(value)
            self._leaving = None
            self._context.tasks.forget(USE)

        return acted

    def _on_click(self, action: Action) -> Callable[[object], None]:
        return lambda _: self._actions.put(action)

    def _on_value(self, act: Callable[[Any], None]) -> Callable[[Any], None]:
        def changed(change: Any) -> None:
            if threading.current_thread() is not self._thread:  # not by ourselves
                self._actions.put(lambda: act(change.new))

        return changed

    def _on_message(self, _: object, content: dict[str, Any], __: object) -> None:
        """Enter in the search field (its front end's `submit`)."""
        if content.get("event") == "submit":
            self._actions.put(self._use_if_sure)

    def _look_again(self) -> None:
        self._actions.put(_nothing)

    # The panel's own thread.

    def _run_actions(self) -> None:
        while self._open:
            try:
                action = self._actions.get(timeout=self._pause())
                while action is not None:
                    action()
                    action = self._actions.get_nowait()
            except queue.Empty:
                pass
            except Exception as error:  # noqa: BLE001 - a panel that stops listening is worse; the text may hold anything
                _log.warning("The cuaws panel could not do something: %s", type(error).__name__)
            if self._open:
                self._paint_safely()
        self._widgets.close()

    def _paint_safely(self) -> None:
        try:
            self._state = panel_state(self._context, self._now())
            self._leaving = self._leaving if self._state.screen == "in" else None
            if self._leaving is not None:
                trouble = signing_out(self._leaving, one_of_several=bool(self._state.sign_ins))
                self._state = replace(self._state, trouble=trouble)
            self._paint()
        except Exception as error:  # noqa: BLE001 - as above
            _log.warning("The cuaws panel could not be drawn: %s", type(error).__name__)

    def _paint(self) -> None:
        self._widgets.show(self._state, self._now())
        if self._state.screen == "in":
            self._choice.offer_accounts(self._widgets, self._state)

    def _pause(self) -> float:
        if self._state.card is not None:
            return _CODE_TICK
        changes_at = self._state.changes_at
        soon = max(0.0, (changes_at - self._now()).total_seconds()) if changes_at is not None else _TICK
        return min(_TICK, self._choice.soon, soon + _JUST_AFTER)

    # Actions.

    def _sign_in(self) -> None:
        """Sign in where the account in use is, else where it is settled; again if that stands."""
        current = self._context.credentials.current
        self._sign_in_to((current.sso_session if current is not None else None) or self._state.sso_session)

    def _sign_in_to(self, sso_session: SsoSession | None) -> None:
        force = sso_session is not None and self._context.login.peek(sso_session)[0] is not None
        self._context.tasks.start(
            SIGN_IN,
            lambda: login(self._context, Nowhere(), force=force, wait=False, sso_session=sso_session),
            (sso_session, force),
        )

    def _of_line(self, act: Callable[[SsoSession], None]) -> Callable[[str], None]:
        """Return what a button of an organisation's line does."""

        def pressed(key: str) -> None:
            for one in self._state.sign_ins:
                if one.sso_session.cache_key == key:
                    act(one.sso_session)

        return lambda key: self._actions.put(lambda: pressed(key))

    def _sign_out_of(self, sso_session: SsoSession) -> None:
        """Say first whom it concerns, as for all."""
        self._leaving = None if self._leaving == sso_session else sso_session

    def _cancel(self) -> None:
        self._context.approvals.cancel()

    def _use_if_sure(self) -> None:
        if self._choice.sure:
            self._use()

    def _use(self, *, confirmed: bool = False) -> None:
        wanted = self._choice.wanted
        if self._state.screen != "in" or wanted is None or self._choice.lacks_role:
            return
        if confirmed and wanted != self._used:
            return  # another choice crossed the press: it is not what was asked about
        self._used = wanted

        def put_in_use() -> object:
            try:
                view = use(
                    self._context, Nowhere(), wanted.account_id, role=wanted.role_name, region=wanted.region,
                    session=wanted.session, production=confirmed,
                )  # fmt: skip
            except RoleNeeded:
                # The roles stand in the panel, for the person to choose one.
                self._choice.learn_roles(wanted.account_id)
                return None
            self._choice.granted(wanted)
            return view

        self._context.tasks.start(USE, put_in_use, wanted)

    def _renew(self) -> None:
        self._context.tasks.start(RENEW, self._context.credentials.renew)

    def _star(self) -> None:
        sso_session, account = self._choice.whose, self._choice.account
        if sso_session is not None and account is not None:
            self._context.accounts.star(sso_session, account)
            self._context.observers.notify()  # other panels have the same list

    def _ask_to_sign_out(self) -> None:
        """Say first whom it concerns; a second button does it."""
        if self._state.sso_session is not None:
            self._sign_out_of(self._state.sso_session)

    def _sign_out(self) -> None:
        named = self._leaving.label if self._leaving is not None and self._state.sign_ins else None
        self._leaving = None
        if named is None:
            self._choice.forget()
        self._context.tasks.start(SIGN_OUT, lambda: logout(self._context, session=named), named)

    def _remedy(self) -> None:
        trouble, last = self._state.trouble, self._context.tasks.last
        if trouble is None:
            return
        if trouble.remedy == "sign-in":
            self._sign_in()
        elif trouble.remedy == "confirm":
            self._use(confirmed=True)
        elif trouble.remedy == "sign-out":
            self._sign_out()
        elif last is not None and last.task is not None:
            self._context.tasks.start(last.kind, last.task, "again")


def _nothing() -> None:
    """Only look again."""
