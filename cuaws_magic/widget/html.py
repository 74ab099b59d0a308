"""
The parts of the panel that are HTML. Pure; everything is escaped here, once.

An `ipywidgets.HTML` is not sanitised by JupyterLab, so nothing gets into one but
through `Markup.format`.
"""

from __future__ import annotations

import functools
import re
from importlib import resources
from typing import TYPE_CHECKING

from markupsafe import Markup

from cuaws_magic.humanize import printable, spaced
from cuaws_magic.views import render, sign_in
from cuaws_magic.views.render import breakable, coded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from cuaws_magic.model import Account
    from cuaws_magic.views.account import InUse
    from cuaws_magic.views.sign_in import AwaitingApproval, SignInState
    from cuaws_magic.widget.state import Bar, PanelState, Trouble

    Row = tuple[Account, bool, bool]


def head(state: PanelState) -> str:
    """Draw the title line: what is the case, and where. A screen reader hears it change."""
    return Markup(
        '<div role="status" class="{marked}"><span class="cuaws-title">'
        '<span class="cuaws-dot {tone}" aria-hidden="true"></span>{title} {tag}</span>'
        '<span class="cuaws-side">{side}</span></div>'
    ).format(
        marked="cuaws-marked" if state.production else "",
        tone=state.tone,
        title=state.title,
        tag=_TAG if state.production else "",
        side=state.side,
    )


def gone() -> str:
    """Say what a panel is whose kernel is not there any more."""
    return Markup(
        '<div><b>This panel has lost its kernel.</b> <span class="cuaws-dim">Run <code>%load_ext cuaws_magic</code> '
        "and this cell again; your sign-in is kept.</span></div>"
    )


def notice(trouble: Trouble) -> str:
    """Draw what went wrong, word for word as a magic would say it."""
    return Markup('<div role="{}">{}</div>').format("alert" if trouble.urgent else "status", coded(trouble.text))


def dim(sentences: Iterable[str]) -> str:
    """Draw sentences that are only good to know."""
    return Markup("").join(Markup('<div class="cuaws-dim">{}</div>').format(coded(one)) for one in sentences)


def code(card: AwaitingApproval) -> str:
    """Draw what to do, the code, and the way to the page; the link is one that `login` has checked."""
    first, _ = sign_in.instructions(card.sso_session)
    return Markup(
        "<ol><li>{first}</li><li>Check that the page shows this code, then choose <b>Allow access</b>.</li></ol>"
        '<div class="cuaws-line" style="margin-top:8px"><code class="cuaws-code" aria-label="Code {code}">{code}</code>'
        '<button type="button" class="cuaws-link" onclick="{copy}">Copy</button>'
        '<a class="cuaws-link cuaws-primary" href="{url}" target="_blank" rel="noopener noreferrer">'
        "Open sign-in page ↗</a></div>"
    ).format(
        first=first,
        code=card.authorization.user_code,
        copy=sign_in.COPY,
        url=card.authorization.verification_uri_complete,
    )


def warnings(card: AwaitingApproval) -> list[str]:
    """Return what to say below a code."""
    said = ["Approve only a code that you see here."]
    if card.attempt > 1:
        said.append("The last code expired; this is a new one.")
    return [*said, *([f"{card.trouble} Still trying."] if card.trouble else [])]


def how_to_sign_in(state: PanelState) -> str:
    """Say what the button will ask for."""
    if state.ended:
        return ""
    if state.at_cu:
        return Markup('<span class="cuaws-dim">with your IdentiKey and Duo; no keys to copy</span>')
    return Markup('<span class="cuaws-dim">in your browser; no keys to copy</span>')


def sign_in_line(state: SignInState, now: datetime) -> str:
    """Draw one of several sign-ins: whose, and until when; its button says what can be done."""
    stands = state.until is not None and state.until > now
    return Markup(
        '<span class="cuaws-dot {tone}" aria-hidden="true"></span>{whose} <span class="cuaws-dim">{said}</span>'
    ).format(
        tone="good" if stands else "idle",
        whose=sign_in.session_label(state.sso_session),
        said=state.said(now).split("; type", 1)[0],
    )


def code_left(card: AwaitingApproval, now: datetime) -> str:
    """Draw how long the code is good."""
    authorization = card.authorization
    left = (authorization.expires_at - now).total_seconds()
    part = left / (authorization.expires_at - authorization.issued_at).total_seconds()
    words = f"code good for {int(left) // 60}:{int(left) % 60:02d}" if left > 0 else "this code has expired"
    return Markup(
        '<div class="cuaws-line"><span class="cuaws-bar" aria-hidden="true"><span style="width:{}%"></span></span>'
        '<span class="cuaws-dim">{}</span></div>'
    ).format(_percent(part), words)


def facts(in_use: InUse) -> str:
    """Draw who this kernel is, in which account."""
    identity = in_use.identity
    rows = [("You are", Markup("<b>{}</b>").format(identity.person if identity else "not confirmed with AWS"))]
    if identity is not None:
        rows.append(("ARN", Markup('<code title="{}">{}</code>').format(identity.arn, breakable(_short(identity.arn)))))
    rows.append(
        (
            "Account",
            Markup("{} <code>{}</code>").format(printable(in_use.account_name), spaced(in_use.account)),
        )
    )
    rows.append(("Role", Markup("{} in {}").format(in_use.role, in_use.region)))
    return _grid(rows)


def accounts(rows: Iterable[Row], chosen: str | None, typed: str, whose: Sequence[str] = ()) -> str:
    """
    Draw the list of accounts, whole names and all: beside it there is the one that keys and screen readers use.

    Args:
        rows: Account, whether it is a favourite, whether it is production.

        chosen: The id of the one that is selected.

        typed: What was searched; where it is found is marked.

        whose: The organisation of each, where there are several; it stands above the first.
    """
    rows = list(rows)
    headings = [name if at == 0 or name != whose[at - 1] else "" for at, name in enumerate(whose)] or [""] * len(rows)
    found = _found(typed)
    # Short: a hundred of them go to the page with each letter.
    row = Markup("{heading}<p{chosen}><span>{star}{name}</span>{tag}<code>{number}</code></p>")
    return Markup('<div class="cuaws-rows" aria-hidden="true">{}</div>').format(
        Markup("").join(
            row.format(
                heading=Markup("<b>{}</b>").format(heading) if heading else "",
                chosen=Markup(' class="cuaws-chosen"') if account.id == chosen else "",
                star=f"{render.STAR} " if starred else "",
                name=_marked(account.name, found),
                tag=_TAG if production else "",
                number=_marked(spaced(account.id), found),
            )
            for (account, starred, production), heading in zip(rows, headings, strict=True)
        )
    )


_TAG = Markup('<span class="cuaws-tag">production</span>')


def _found(typed: str) -> re.Pattern[str] | None:
    """Return what finds the words of a search; digits also where a number is written in groups."""
    words = [word for word in re.split(r"[\s*?]+", typed) if len(word) > 1]  # one letter is everywhere
    either = [" ?".join(word) if word.isdigit() else re.escape(word) for word in words]
    return re.compile("|".join(either), re.IGNORECASE) if either else None


def _marked(text: str, found: re.Pattern[str] | None) -> Markup:
    if found is None:
        return Markup("{}").format(text)
    parts, at = [], 0
    for one in found.finditer(text):
        parts += [Markup("{}").format(text[at : one.start()]), Markup("<mark>{}</mark>").format(one[0])]
        at = one.end()
    return Markup("").join([*parts, Markup("{}").format(text[at:])])


def times(bars: Sequence[tuple[str, Bar]]) -> str:
    """Draw how long things last."""
    bar = Markup(
        '<span class="cuaws-line"><span class="cuaws-bar" aria-hidden="true">'
        '<span class="{}" style="width:{}%"></span></span><span>{}</span></span>'
    )
    return _grid([(name, bar.format(one.tone, _percent(one.part), one.text)) for name, one in bars])


def link(url: str, text: str) -> str:
    """Draw a link that looks like a button, and opens beside the notebook."""
    return Markup('<a class="cuaws-link" href="{}" target="_blank" rel="noopener noreferrer">{} ↗</a>').format(
        url, text
    )


def _short(arn: str) -> str:
    """Return an ARN as far as it tells something: without the account, and most of the digest in the role's name."""
    return re.sub(r"(AWSReservedSSO_[^/]*_[0-9a-f]{4})[0-9a-f]{12}(?=/)", r"\1…", arn.split(":", 5)[-1])


def _grid(rows: Iterable[tuple[str, Markup]]) -> Markup:
    cells = Markup("").join(Markup('<span class="cuaws-dim">{}</span><span>{}</span>').format(*row) for row in rows)
    return Markup('<div class="cuaws-facts">{}</div>').format(cells)


def _percent(part: float) -> str:
    return f"{100 * min(1.0, max(0.0, part)):.1f}"


_COLOURS = {
    "line": render.LINE,
    "back": render.BACKGROUND,
    "fg": render.FOREGROUND,
    "soft": render.SOFT,
    "dim": render.DIM,
    "brand": render.BRAND,
    "on": render.ON_BRAND,
    "mono": render.MONO,
    "good": render.TONES["good"],
    "warn": render.TONES["wait"],
    "bad": render.TONES["bad"],
}


def style() -> str:
    """Return it, as a page wants it."""
    variables = "".join(f"--cu-{name}:{value};" for name, value in _COLOURS.items())
    return f"<style>.cuaws-panel{{{variables}}}{_file('panel.css')}</style>"


# An image that is always there: pages run the handler of its loading, but no <script>.
_PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="


def keys() -> str:
    """Return what makes a page listen, as soon as it shows it."""
    return str(Markup('<img alt="" src="{}" onload="{}">').format(_PIXEL, _script()))


def page(markup: str) -> str:
    """Return a part as a page gets it; its script writes times as the reader's own."""
    return render.page(Markup(markup))  # noqa: S704 - each part was escaped when it was drawn


def _script() -> str:
    """Return the script on one line, as an attribute has it; comments would swallow the rest."""
    lines = _file("panel.js").replace("LOCAL_TIME", render.LOCAL_TIME).splitlines()
    return " ".join(" ".join(line for line in lines if not line.startswith("//")).split())


@functools.cache
def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
