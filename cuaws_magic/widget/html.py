"""
The parts of the panel that are HTML. Pure; everything is escaped here, once.

An `ipywidgets.HTML` is not sanitised by JupyterLab, so nothing gets into one but
through `Markup.format`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markupsafe import Markup

from cuaws_magic.humanize import clean, spaced
from cuaws_magic.views import render, sign_in
from cuaws_magic.views.render import breakable, coded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from cuaws_magic.views.account import InUse
    from cuaws_magic.views.sign_in import AwaitingApproval
    from cuaws_magic.widget.state import Bar, PanelState, Trouble


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
        return Markup('<span class="cuaws-dim"><code>%cuaws login</code> does the same</span>')
    if state.at_cu:
        return Markup('<span class="cuaws-dim">with your IdentiKey and Duo; no keys to copy</span>')
    return Markup('<span class="cuaws-dim">in your browser; no keys to copy</span>')


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

_RULES = """
.cuaws-panel{border:1px solid var(--cu-line);border-radius:6px;background:var(--cu-back);color:var(--cu-fg);
 max-width:560px;margin:4px 2px; overflow:hidden;font:13px/1.45 var(--jp-ui-font-family,system-ui,sans-serif);
 container-type:inline-size}
.cuaws-panel,.cuaws-panel *{box-sizing:border-box}
.cuaws-panel .widget-html,.cuaws-panel .widget-html-content,.cuaws-panel .jupyter-widgets{font:inherit;
 line-height:1.45}
.cuaws-panel .widget-html,.cuaws-panel .widget-box,.cuaws-panel .jupyter-button{margin:0;height:auto;
 overflow:visible}
.cuaws-panel .widget-html>.widget-label{display:none}
.cuaws-panel .widget-html-content{width:100%;color:inherit;overflow-wrap:anywhere;align-self:auto;min-width:0}
.cuaws-panel .cuaws-style,.cuaws-panel .cuaws-gone{display:none}
.cuaws-panel .cuaws-head .widget-html-content>div{display:flex;align-items:center;gap:2px 8px;padding:9px 12px;
 background:var(--cu-soft);border-bottom:1px solid var(--cu-line);font-weight:600;flex-wrap:wrap}
.cuaws-panel .cuaws-head .widget-html-content>.cuaws-marked{background:var(--cu-soft);
 background:color-mix(in srgb,var(--cu-warn) 16%,var(--cu-back))}
.cuaws-panel .cuaws-dot{display:inline-block;width:9px;height:9px;border-radius:50%;margin-right:8px;
 border:2px solid var(--cu-dim)}
.cuaws-panel .cuaws-dot.good{background:var(--cu-good);border-color:var(--cu-good)}
.cuaws-panel .cuaws-dot.bad{background:var(--cu-bad);border-color:var(--cu-bad)}
.cuaws-panel .cuaws-dot.wait{border-color:var(--cu-warn)}
.cuaws-panel .cuaws-side{margin-left:auto;font-weight:400;color:var(--cu-fg);opacity:.78}
.cuaws-panel .cuaws-tag{margin-left:2px;font-size:11px;display:inline-block;line-height:1.5;font-weight:600;
 border:1px solid currentColor;border-radius:8px;
 padding:0 6px}
.cuaws-panel .cuaws-body{padding:12px;gap:9px;width:100%}
.cuaws-panel .cuaws-row{gap:8px;align-items:center;flex-flow:row wrap;width:100%}
.cuaws-panel .cuaws-column{gap:9px;width:100%}
.cuaws-panel .cuaws-dim{color:var(--cu-fg);opacity:.78}
.cuaws-panel code{background:none;color:inherit;padding:0;font-family:var(--cu-mono);font-size:12px}
.cuaws-panel .jupyter-button,.cuaws-panel .cuaws-link{border:1px solid var(--cu-line);border-radius:4px;
 padding:5px 12px; background:var(--cu-soft);color:var(--cu-fg);font:inherit;line-height:1.45;width:auto;
 height:auto;cursor:pointer;text-decoration:none; display:inline-block;white-space:nowrap;flex:none;
 box-shadow:none;max-width:100%}
.cuaws-panel .cuaws-link:visited{color:var(--cu-fg)}
.cuaws-panel .jupyter-button:hover:enabled,.cuaws-panel .cuaws-link:hover{border-color:var(--cu-dim);
 text-decoration:none}
.cuaws-panel .jupyter-button.mod-primary,
 .cuaws-panel .cuaws-link.cuaws-primary, .cuaws-panel .cuaws-link.cuaws-primary:visited{
 background:var(--cu-brand);border-color:var(--cu-brand);color:var(--cu-on);font-weight:600}
.cuaws-panel .jupyter-button.mod-primary:hover:enabled,.cuaws-panel .cuaws-link.cuaws-primary:hover{
 filter:brightness(1.08)}
.cuaws-panel .jupyter-button:disabled{opacity:.65;cursor:default}
.cuaws-panel .jupyter-button:focus-visible,.cuaws-panel .cuaws-link:focus-visible,
 .cuaws-panel select:focus-visible, .cuaws-panel input:focus-visible{outline:2px solid var(--cu-brand)!important;
 outline-offset:2px}
.cuaws-panel .cuaws-list select:focus-visible,.cuaws-panel .cuaws-search input:focus-visible{outline-offset:0}
.cuaws-panel .cuaws-end{margin-left:auto}
.cuaws-panel .cuaws-grow{flex:1 1 150px;min-width:0;width:auto}
.cuaws-panel .widget-text,.cuaws-panel .widget-dropdown,.cuaws-panel .widget-select{margin:0;width:100%;
 height:auto;min-width:0}
.cuaws-panel .widget-dropdown.cuaws-grow{flex:1 1 130px;width:auto}
.cuaws-panel .cuaws-unseen>.widget-label{position:absolute;width:1px;height:1px;overflow:hidden;
 clip-path:inset(50%); margin:0;padding:0;white-space:nowrap}
.cuaws-panel input[type=text],.cuaws-panel select{border:1px solid var(--cu-line);border-radius:4px;
 padding:5px 8px;background-color:var(--cu-back); color:var(--cu-fg);font:inherit;height:auto;width:100%;
 min-width:0;margin:0;flex:1 1 auto;box-shadow:none}
.cuaws-panel .widget-dropdown>select{padding-right:26px;height:31px;text-overflow:ellipsis;
 background-color:var(--cu-back);
 background-image:linear-gradient(45deg,transparent 50%,var(--cu-dim) 50%),
 linear-gradient(135deg,var(--cu-dim) 50%,transparent 50%);background-repeat:no-repeat;background-size:5px 5px;
 background-position:right 14px center,right 9px center}
.cuaws-panel input::placeholder{color:var(--cu-fg);opacity:.7}
.cuaws-panel .cuaws-list>select{height:126px;padding:0;font-family:var(--cu-mono);font-size:12px;overflow:auto;
 max-width:100%}
.cuaws-panel .cuaws-list option{padding:3px 8px;line-height:1.45;color:var(--cu-fg)}
.cuaws-panel .cuaws-list option:checked{font-weight:600;
 background:var(--cu-brand) linear-gradient(var(--cu-brand),var(--cu-brand));color:var(--cu-on)}
.cuaws-panel ol{margin:0 0 0 18px;padding:0}
.cuaws-panel ol li{margin:3px 0;list-style:decimal}
.cuaws-panel .cuaws-code{font:600 26px var(--cu-mono);letter-spacing:.08em;padding:2px 10px;
 border:1px dashed var(--cu-dim);border-radius:4px; user-select:all}
.cuaws-panel .cuaws-line{display:flex;gap:8px;align-items:center;flex-wrap:wrap}
.cuaws-panel .cuaws-bar{height:4px;border-radius:2px;background:var(--cu-line);overflow:hidden;flex:1 1 80px;
 min-width:60px}
.cuaws-panel .cuaws-bar>span{display:block;height:100%;background:var(--cu-brand)}
.cuaws-panel .cuaws-bar>.good{background:var(--cu-good)}
.cuaws-panel .cuaws-bar>.wait{background:var(--cu-warn)}
.cuaws-panel .cuaws-bar>.bad{background:var(--cu-bad)}
.cuaws-panel .cuaws-facts{display:grid;grid-template-columns:76px minmax(0,1fr);gap:3px 12px}
.cuaws-panel .cuaws-facts b{font-weight:600}
.cuaws-panel .cuaws-facts code{overflow-wrap:anywhere}
.cuaws-panel .cuaws-notice{border-left:3px solid var(--cu-warn);padding:6px 10px;background:var(--cu-soft);
 gap:8px;align-items:center; flex-flow:row wrap;width:100%}
.cuaws-panel .cuaws-notice.cuaws-urgent{border-left-color:var(--cu-bad)}
.cuaws-panel .cuaws-notice .widget-html{flex:1 1 240px;width:auto;min-width:0}
.cuaws-panel .cuaws-notice .jupyter-button{background:var(--cu-back)}
.cuaws-panel .cuaws-notice .jupyter-button.mod-primary{background:var(--cu-brand)}
.cuaws-panel.jupyter-widgets-disconnected::before,
.cuaws-panel .jupyter-widgets-disconnected::before{display:none}
.cuaws-panel.jupyter-widgets-disconnected>.cuaws-body{display:none}
.cuaws-panel.jupyter-widgets-disconnected>.cuaws-head{display:none}
.cuaws-panel.jupyter-widgets-disconnected>.cuaws-gone{display:block}
.cuaws-panel .cuaws-gone .widget-html-content>div{padding:9px 12px;background:var(--cu-soft)}
@container (max-width:260px){.cuaws-panel .jupyter-button,.cuaws-panel .cuaws-link{white-space:normal}}
@container (max-width:380px){.cuaws-panel .cuaws-list>select{font-size:11px}
 .cuaws-panel .cuaws-list option{padding:3px 6px}
 .cuaws-panel .cuaws-side{margin-left:17px;flex-basis:100%}
.cuaws-panel .cuaws-facts{grid-template-columns:minmax(0,1fr);gap:0 12px}
.cuaws-panel .cuaws-facts>:nth-child(even){margin-bottom:5px}
.cuaws-panel .cuaws-code{font-size:22px}}
@media (prefers-reduced-motion:no-preference){.cuaws-panel .cuaws-bar>span{transition:width 1s linear}}
@media (forced-colors:active){.cuaws-panel .cuaws-bar>span{background:Highlight}}
"""


def style() -> str:
    """Return it, as a page wants it."""
    variables = "".join(f"--cu-{name}:{value};" for name, value in _COLOURS.items())
    return f"<style>.cuaws-panel{{{variables}}}{_RULES}</style>"


# An image that is always there: pages run the handler of its loading, but no <script>.
_PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="

_LISTEN = """
var image=this,tries=0;(function listen(){
 var panel=image.closest('.cuaws-panel');
 if(!panel){if(tries++<50)setTimeout(listen,100);return}
 panel.addEventListener('keydown',function(event){
  var target=event.target,plain=!event.ctrlKey&&!event.metaKey&&!event.altKey;
  if(!plain||(event.shiftKey&&event.key==='Enter'))return;
  if(/^(SELECT|BUTTON|A)$/.test(target.tagName))event.stopPropagation();
  var list=panel.querySelector('.cuaws-list select');
  if(event.key==='Enter'&&target===list){event.preventDefault();panel.querySelector('.cuaws-use').click()}
  if(event.key==='ArrowDown'&&target.closest('.cuaws-search')&&list){event.preventDefault();list.focus()}
 },true);
 panel.addEventListener('click',function(event){
  var button=event.target.closest('.jupyter-button'),looks=0;
  if(!button||event.detail)return;
  var timer=setInterval(function(){
   var has=document.activeElement,gone=button.offsetParent===null,next=gone?seen():button;
   if(looks++>150||!panel.isConnected||(has&&has!==document.body&&!panel.contains(has)))return clearInterval(timer);
   if(looks<5||(has&&has!==document.body&&!has.disabled)||!next||next.disabled)return;
   next.focus();clearInterval(timer)
  },100)
 });
 function seen(){
  return [].filter.call(panel.querySelectorAll('.cuaws-primary,.mod-primary:enabled,.jupyter-button:enabled'),
   function(one){return one.offsetParent!==null})[0]
 }
})()
"""


def keys() -> str:
    """Return what makes a page listen, as soon as it shows it."""
    return str(Markup('<img alt="" src="{}" onload="{}">').format(_PIXEL, " ".join(_LISTEN.split())))
