"""
The card of a sign-in: waiting, done, ended. Pure; `render` escapes.

The card works without any script: a link, the code, a time. Where the page runs
scripts (a freshly executed cell) one opens the sign-in page, once, and counts down.
It checks that the code is seconds old and that this browser has not opened it
before, so a notebook that is opened again opens nothing; and the output that holds
it is replaced when the sign-in ends, so a saved notebook has neither code nor script.

All but one that was saved, and loaded again, while the cell waited: JupyterLab has
forgotten then which output to replace. There the script says so, and takes the code
off the page when it has expired; the file keeps it until the cell runs again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markupsafe import Markup

from cuaws_magic import humanize
from cuaws_magic.settings import CU_START_URL
from cuaws_magic.views import render
from cuaws_magic.views.render import View

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cuaws_magic.model import DeviceAuthorization, SsoSession
    from cuaws_magic.views.render import MimeBundle, Tone

OPEN_WITHIN = 30_000  # milliseconds between the making of the card and its opening
AGE = 86_400_000  # milliseconds after its code; no clock of a browser is that wrong, so the card is from a file

# The browser keeps which load of the page had the card first; a later one has it from the file. Only such a card loses
# its code by the browser's clock, which may be wrong: in one that still changes, the link is the way to sign in.
SCRIPT = Markup("""<script>(function(){{
var card=document.getElementById({id}),link=card&&card.querySelector('a'),key='cuaws-opened-'+{id};
if(!link)return;
var page=String(performance.timeOrigin),first;
try{{first=localStorage.getItem(key);
if(Math.abs(Date.now()-{issued})<{within}&&!first){{localStorage.setItem(key,page);
setTimeout(function(){{try{{localStorage.removeItem(key)}}catch(e){{}}}},{forget});window.open(link.href,'_blank','noopener')}}}}catch(e){{}}
var again=first&&first!==page;
if(again)card.querySelector('[data-again]').textContent={again};
var left=card.querySelector('[data-left]'),bar=card.querySelector('[data-bar]'),timer=setInterval(tick,1000);
function tick(){{
if(!card.isConnected)return clearInterval(timer);
var s=Math.max(0,Math.round(({expires}-Date.now())/1000));
if(!s&&(again||Date.now()-{expires}>{age})){{clearInterval(timer);card.innerHTML={over};return}}
left.textContent=s?{good}+Math.floor(s/60)+':'+('0'+s%60).slice(-2):{gone};
bar.style.width=Math.min(100,100*s*1000/({expires}-{issued}))+'%'}}
tick()}})()</script>""")

_AGAIN = (
    "The page was reloaded, so this card may not update any more. The code still works: approve it, "
    "then run the next cell."
)
_NOBODY_KNOWS = "It ends when your organisation says so; at CU Boulder that is after about eight hours."
_OVER = (
    "If you approved it in time, you are signed in; `%cuaws` shows it.",
    "If not, stop this cell if it still runs, and run it again.",
)

# Copies the text before a button.
# `navigator.clipboard` is missing on plain http with a host name; `execCommand` works there.
COPY = (
    "var b=this,c=b.previousElementSibling.textContent,d=function(){b.textContent='Copied'};"
    "var f=function(){var t=document.createElement('textarea');t.value=c;document.body.appendChild(t);t.select();"
    "document.execCommand('copy');t.remove();d()};"
    "navigator.clipboard?navigator.clipboard.writeText(c).then(d,f):f()"
)


def session_label(sso_session: SsoSession) -> str:
    """Name the organisation of a sign-in for a person."""
    if sso_session.start_url == CU_START_URL:
        return f"CU Boulder · {sso_session.label}"
    host = sso_session.start_url.split("//", 1)[-1].split("/", 1)[0]
    return f"{host} · {sso_session.name}" if sso_session.name else host


def instructions(sso_session: SsoSession) -> tuple[str, str]:
    """Say what to do, in the words of the organisation."""
    return first_step(sso_session), "Check that the page shows this code, then choose Allow access."


def first_step(sso_session: SsoSession) -> str:
    """Say how to come to the page on which one approves, in the words of the organisation."""
    if sso_session.start_url == CU_START_URL:
        return "Open the sign-in page and sign in with your IdentiKey; approve the Duo push."
    return "Open the sign-in page and sign in with your organisation's account."


def waiting(
    sso_session: SsoSession,
    authorization: DeviceAuthorization,
    attempt: int,
    trouble: str | None,
    now: datetime,
    *,
    behind: bool = False,
    qr: bool = False,
) -> MimeBundle:
    """
    Show the code, and what to do with it.

    Args:
        sso_session: Which sign-in.

        authorization: The code and its page.

        attempt: More than 1 when an earlier code ran out.

        trouble: Why the last poll had no answer, if it had none.

        now: When this is shown; the page is opened only if the code is new.

        behind: No cell waits for it.

        qr: The link as a QR code beside it.
    """
    link = authorization.verification_uri_complete
    if qr:
        from cuaws_magic.views.qr import blocks, image  # deferred: nearly nobody wants one
    first, second = instructions(sso_session)
    ends = humanize.until(authorization.expires_at, now)
    renewed = "The last code expired; this is a new one." if attempt > 1 else None
    notes = [note for note in (renewed, f"{trouble} Still trying." if trouble else None) if note]
    plain = render.text(
        f"Sign in to {session_label(sso_session)}",
        [],
        [
            f"  1. {first}",
            f"       {link}",
            *(f"       {line}" for line in (blocks(link) if qr else [])),
            f"  2. {second}",
            f"       {authorization.user_code}",
            f"  The code is good for {ends}. Approve only a code that you see here.",
            *(f"  {note}" for note in notes),
        ],
    )
    # The same card at each update, so that a browser opens its page once.
    card_id = f"cuaws-{hashlib.sha256(authorization.device_code.reveal().encode()).hexdigest()[:16]}"
    button = Markup(
        '<a href="{url}" target="_blank" rel="noopener noreferrer" style="{style}">Open sign-in page ↗</a>'
    ).format(url=link, style=render.PRIMARY)
    code = Markup(
        '<code style="font:600 26px {mono};letter-spacing:.08em;padding:2px 10px;border:1px dashed {line};'
        'border-radius:4px;background:none;color:inherit">{code}</code>'
        '<button type="button" onclick="{copy}" style="{style}">Copy</button>'
    ).format(mono=render.MONO, line=render.LINE, code=authorization.user_code, copy=COPY, style=render.BUTTON)
    body = Markup(
        '<ol style="margin:2px 0 8px 18px;padding:0"><li style="margin:3px 0">{first}</li>'
        '<li style="margin:3px 0">Check that the page shows this code, then choose <b>Allow access</b>.</li></ol>'
        '<div style="display:flex;gap:8px;align-items:center;flex-wrap:wrap;margin:6px 0">{code}{button}</div>{image}'
        '<div style="display:flex;gap:8px;align-items:center;color:{dim};margin:6px 0">'
        '<span aria-hidden="true" style="height:4px;border-radius:2px;background:{line};overflow:hidden;flex:1">'
        '<span data-bar style="display:block;height:100%;width:100%;background:{brand}"></span></span>'
        "<span data-left>code good for {ends}</span></div>"
        '<div style="color:{dim}">Approve only a code that you see here. {how}</div>'
        '<div style="color:{dim}" data-again></div>{notes}'
    ).format(
        first=first, code=code, button=button, image=image(link) if qr else "",
        dim=render.DIM, line=render.LINE, brand=render.BRAND, ends=ends,
        notes=render.lines(notes), how="" if behind else "To give up, stop this cell.",
    )  # fmt: skip
    html = Markup('<div id="{}">{}</div>').format(
        card_id, render.card("wait", "Waiting for you to approve", session_label(sso_session), body)
    )
    over = render.card("idle", "This code has expired", session_label(sso_session), render.lines(_OVER))
    life = authorization.expires_at - authorization.issued_at
    script = SCRIPT.format(
        good=quoted("code good for "),
        gone=quoted("this code has expired"),
        id=quoted(card_id),
        again=quoted(_AGAIN),
        over=quoted(over),
        age=AGE,
        issued=int(authorization.issued_at.timestamp() * 1000),
        expires=int(authorization.expires_at.timestamp() * 1000),
        within=OPEN_WITHIN if attempt == 1 else 0,
        forget=int(life.total_seconds() * 1000),
    )
    return render.mimebundle(plain, html + script)


def quoted(text: str) -> Markup:
    """Write a text as JavaScript has it, inside a script of a page: nothing in it can end the script."""
    return Markup(json.dumps(text).replace("<", "\\u003c"))  # noqa: S704 - quoted here, for JavaScript


def signed_in(sso_session: SsoSession, ends_at: datetime, notes: Sequence[str], now: datetime) -> MimeBundle:
    """Say until when the sign-in holds."""
    left = humanize.until(ends_at, now, about=True)
    title, notes = f"Signed in{f' for {left}' if left else ''}", notes if left else [_NOBODY_KNOWS, *notes]
    return render.mimebundle(
        render.text(f"{title} to {session_label(sso_session)}.", [], list(notes)),
        render.card("good", title, session_label(sso_session), render.lines(notes)),
    )


def ended(sso_session: SsoSession, title: str, sentences: Sequence[str], tone: Tone = "bad") -> MimeBundle:
    """Say that a sign-in came to nothing, and why."""
    return render.mimebundle(
        render.text(title, [], list(sentences)),
        render.card(tone, title, session_label(sso_session), render.lines(sentences)),
    )


@dataclass(frozen=True, repr=False)
class AwaitingApproval(View):
    """A code that waits for a person. Shown while it lives, then replaced; never kept."""

    sso_session: SsoSession
    authorization: DeviceAuthorization
    attempt: int
    trouble: str | None
    at: datetime
    behind: bool = False
    qr: bool = False

    def mimebundle(self) -> MimeBundle:
        """Return text and HTML."""
        return waiting(
            self.sso_session, self.authorization, self.attempt, self.trouble, self.at, behind=self.behind, qr=self.qr
        )


@dataclass(frozen=True, repr=False)
class SignInEnded(View):
    """
    A sign-in that came to nothing.

    Attributes:
        quiet: A person stopped it, or an error below the card says why: nothing to be red about.
    """

    sso_session: SsoSession
    title: str
    sentences: tuple[str, ...]
    quiet: bool = False

    def mimebundle(self) -> MimeBundle:
        """Return text and HTML."""
        return ended(self.sso_session, self.title, self.sentences, "idle" if self.quiet else "bad")


@dataclass(frozen=True, repr=False)
class SignedIn(View):
    """
    A sign-in that stands.

    Attributes:
        session_name: Name of the sso-session, or `None` for a bare start URL.

        start_url: Address of the access portal.

        until: When a person has to approve again, as well as we know; in the year 9000 where nobody does.

        already: Nobody had to approve anything.

        notes: What the person should know.
    """

    sso_session: SsoSession = field(compare=False)
    until: datetime
    already: bool
    notes: tuple[str, ...]
    at: datetime

    @property
    def session_name(self) -> str | None:
        """Name of the sso-session."""
        return self.sso_session.name

    @property
    def start_url(self) -> str:
        """Address of the access portal."""
        return self.sso_session.start_url

    def mimebundle(self) -> MimeBundle:
        """Return text and HTML."""
        return signed_in(self.sso_session, self.until, self.notes, self.at)


@dataclass(frozen=True, repr=False)
class ChooseOrganisation(View):
    """
    Several organisations, and nobody has said which.

    Attributes:
        labels: Those that can be chosen, by buttons below or by name.

        proposed: The one that is signed in to meanwhile, because it was used last.
    """

    labels: tuple[str, ...]
    proposed: str | None = None

    def mimebundle(self) -> MimeBundle:
        """Return text and HTML."""
        names = ", ".join(self.labels)
        if self.proposed is not None:
            title = f"Signing in to {self.proposed}, used last"
            sentence = f"For {names}, stop this and type `%cuaws login --session NAME`."
        else:
            title = "Where do you want to sign in?"
            sentence = f"Your organisations: {names}. Choose one below, or type `%cuaws login --session NAME`."
        return render.mimebundle(
            render.text(title, [], [sentence]), render.card("idle", title, "", render.lines([sentence]))
        )


@dataclass(frozen=True)
class SignInState:
    """
    One of several sign-ins.

    Attributes:
        sso_session: Which one.

        until: When it ends, as well as we know; `None` where nobody is signed in.

        ended_at: When the last one ended, if that is known.

        command: What to type to be signed in there.

        since: When it was approved, if that is known.

        through: The sign-in to the same portal that serves it, where it has none of its own.
    """

    sso_session: SsoSession
    until: datetime | None
    ended_at: datetime | None
    command: str
    through: SsoSession | None = None
    since: datetime | None = None

    def said(self, at: datetime) -> str:
        """Say how it is."""
        if self.until is not None and self.until > at:
            through = f", through {self.through.label}" if self.through is not None else ""
            return f"{humanize.remaining(self.until, at, about=True)}{through}"
        how = "never signed in" if self.ended_at is None else f"ended at {humanize.clock(self.ended_at, at)}"
        return f"{how}; type {self.command}"


@dataclass(frozen=True, repr=False)
class SigningIn(View):
    """A sign-in that goes on in the background."""

    sso_session: SsoSession

    def mimebundle(self) -> MimeBundle:
        """Return text and HTML."""
        title = "Signing in while you work"
        sentence = "The card with the code updates when you approve; `%cuaws use ACCOUNT` waits for it."
        return render.mimebundle(
            render.text(f"{title}.", [], [sentence]),
            render.card("wait", title, session_label(self.sso_session), render.lines([sentence])),
        )


@dataclass(frozen=True, repr=False)
class SignedOut(View):
    """What a logout did, and what it could not do."""

    organisations: tuple[str, ...]
    sentences: tuple[str, ...]

    def mimebundle(self) -> MimeBundle:
        """Return text and HTML."""
        title = "Signed out" if self.organisations else "You were not signed in"
        side = ", ".join(self.organisations)
        return render.mimebundle(
            render.text(f"{title}{f' of {side}' if side else ''}.", [], self.sentences),
            render.card("idle", title, side, render.lines(self.sentences)),
        )
