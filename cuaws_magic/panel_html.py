"""
The parts of the panel that are HTML. Pure; everything is escaped here, once.

An `ipywidgets.HTML` is not sanitised by JupyterLab, so nothing gets into one but
through `Markup.format`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markupsafe import Markup

from cuaws_magic import sign_in_card
from cuaws_magic.account_list import clean, spaced
from cuaws_magic.render import breakable, coded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from cuaws_magic.in_use_card import InUse
    from cuaws_magic.panel_state import Bar, PanelState, Trouble
    from cuaws_magic.results import AwaitingApproval


def head(state: PanelState) -> str:
    """Draw the title line: what is the case, and where. A screen reader hears it change."""
    return Markup(
        '<div role="status" class="{marked}"><span class="cuaws-title">'
        '<span class="cuaws-dot {tone}" aria-hidden="true"></span>{title} {tag}</span>'
        '<span class="cuaws-side">{side}</span></div>'
    ).format(
        marked="cuaws-marked" if state.production else "",
        tone=state.tone,
        title=clean(state.title),
        tag=Markup('<span class="cuaws-tag">production</span>') if state.production else "",
        side=clean(state.side),
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
    first, _ = sign_in_card.instructions(card.sso_session)
    return Markup(
        "<ol><li>{first}</li><li>Check that the page shows this code, then choose <b>Allow access</b>.</li></ol>"
        '<div class="cuaws-line" style="margin-top:8px"><code class="cuaws-code" aria-label="Code {code}">{code}</code>'
        '<button type="button" class="cuaws-link" onclick="{copy}">Copy</button>'
        '<a class="cuaws-link cuaws-primary" href="{url}" target="_blank" rel="noopener noreferrer">'
        "Open sign-in page ↗</a></div>"
    ).format(
        first=first,
        code=card.authorization.user_code,
        copy=sign_in_card.COPY,
        url=card.authorization.verification_uri_complete,
    )


def warnings(card: AwaitingApproval) -> list[str]:
    """Return what to say below a code."""
    said = ["Approve only a code that you see here."]
    if card.attempt > 1:
        said.append("The last code ran out; this is a new one.")
    return [*said, *([f"{card.trouble} Still trying."] if card.trouble else [])]


def how_to_sign_in(state: PanelState) -> str:
    """Say what the button will ask for."""
    if state.ended:
        return Markup('<span class="cuaws-dim"><code>%cuaws login</code> does the same</span>')
    if state.at_cu:
        return Markup('<span class="cuaws-dim">with your IdentiKey and Duo; no keys to copy</span>')
    return Markup('<span class="cuaws-dim">in your browser; no keys to copy</span>')


def code_left(card: AwaitingApproval, now: datetime) -> str:
    """Draw how long the code is good."""
    authorization = card.authorization
    left = (authorization.expires_at - now).total_seconds()
    part = left / (authorization.expires_at - authorization.issued_at).total_seconds()
    words = f"code good for {int(left) // 60}:{int(left) % 60:02d}" if left > 0 else "this code has run out"
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
            Markup("{} <code>{}</code>").format(clean(in_use.account_name), spaced(in_use.account)),
        )
    )
    rows.append(("Role", Markup("{} in {}").format(in_use.role, in_use.region)))
    return _grid(rows)


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
