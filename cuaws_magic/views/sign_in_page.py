"""The views of a sign-in by authorization code: the card that leads to its page, and the page on which it ends."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from cuaws_magic import humanize
from cuaws_magic.views import render
from cuaws_magic.views.render import View
from cuaws_magic.views.sign_in import AGE, OPEN_WITHIN, SCRIPT, first_step, quoted, session_label

if TYPE_CHECKING:
    from datetime import datetime

    from cuaws_magic.model import CodeRequest, SsoSession
    from cuaws_magic.views.render import MimeBundle

_HERE = "Choose Allow access. The page then says that you are signed in, and this goes on by itself."
_PASTED = (
    "Choose Allow access. Your browser then shows a page that cannot be reached: that is as it should be. "
    "Copy its address, and paste it below."
)
_FAR = (
    "If your browser shows a page that cannot be reached, Jupyter runs on another computer: stop this cell, type "
    "`%config CuawsMagics.remote = True`, then sign in again."
)
_AGAIN = "The page was reloaded, so this card may not update any more."
_OVER = ("If you approved it in time, you are signed in; `%cuaws` shows it.", "If not, run the cell again.")


@dataclass(frozen=True, repr=False)
class AwaitingRedirect(View):
    """
    A page on which a person approves. Shown while it lives, then replaced; never kept.

    Attributes:
        pasted: The person brings back the address on which it ends.

        behind: No cell waits for it.
    """

    sso_session: SsoSession
    request: CodeRequest
    pasted: bool
    at: datetime
    behind: bool = False

    @property
    def page(self) -> str:
        """The page to open."""
        return self.request.page

    def mimebundle(self) -> MimeBundle:
        """Return text and HTML."""
        first, second = first_step(self.sso_session), _PASTED if self.pasted else _HERE
        notes = [] if self.pasted else [_FAR]
        where = session_label(self.sso_session)
        ends = humanize.until(self.request.expires_at, self.at)
        plain = render.text(
            f"Sign in to {where}",
            [],
            [f"  1. {first}", f"       {self.request.page}", f"  2. {second}", f"  The page is good for {ends}."],
        )
        # The same card whenever it is drawn, so that a browser opens its page once.
        card_id = f"cuaws-{hashlib.sha256(self.request.state.reveal().encode()).hexdigest()[:16]}"
        body = Markup(
            '<ol style="margin:2px 0 8px 18px;padding:0"><li style="margin:3px 0">{first}</li>'
            '<li style="margin:3px 0">{second}</li></ol>'
            '<div style="margin:6px 0"><a href="{url}" target="_blank" rel="noopener noreferrer" style="{style}">'
            "Open sign-in page ↗</a></div>"
            '<div style="display:flex;gap:8px;align-items:center;color:{dim};margin:6px 0">'
            '<span aria-hidden="true" style="height:4px;border-radius:2px;background:{line};overflow:hidden;flex:1">'
            '<span data-bar style="display:block;height:100%;width:100%;background:{brand}"></span></span>'
            "<span data-left>page good for {ends}</span></div>"
            '<div style="color:{dim}">{how}</div><div style="color:{dim}" data-again></div>{notes}'
        ).format(
            first=first, second=second, url=self.request.page, style=render.PRIMARY, dim=render.DIM, line=render.LINE,
            brand=render.BRAND, ends=ends, notes=render.lines(notes),
            how="" if self.behind else "To give up, stop this cell.",
        )  # fmt: skip
        html = Markup('<div id="{}">{}</div>').format(
            card_id, render.card("wait", "Waiting for you to approve", where, body)
        )
        life = self.request.expires_at - self.request.issued_at
        script = SCRIPT.format(
            good=quoted("page good for "),
            gone=quoted("this page has expired"),
            id=quoted(card_id),
            again=quoted(_AGAIN),
            over=quoted(render.card("idle", "This page has expired", where, render.lines(_OVER))),
            age=AGE,
            issued=int(self.request.issued_at.timestamp() * 1000),
            expires=int(self.request.expires_at.timestamp() * 1000),
            within=OPEN_WITHIN,
            forget=int(life.total_seconds() * 1000),
        )
        return render.mimebundle(plain, html + script)


_PAGE = Markup(
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><style>'
    ":root{{color-scheme:light dark}}body{{font:16px/1.5 system-ui,sans-serif;max-width:30rem;margin:15vh auto;"
    "padding:0 1.5rem}}h1{{font-size:1.4rem;margin:0 0 .5rem}}p{{margin:0}}"
    "</style></head><body><main><h1>{title}</h1><p>{sentence}</p></main></body></html>\n"
)


def browser_page(title: str, sentence: str) -> str:
    """Return the page on which a browser ends."""
    return str(_PAGE.format(title=title, sentence=render.coded(sentence)))
