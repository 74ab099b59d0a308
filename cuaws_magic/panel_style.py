"""
The panel's style sheet: one calm card in the colours of the page's theme.

Scoped by the class `cuaws-panel`; every colour is one of the variables at the top, and
those are the theme's own. It comes with the panel, because on a hub nobody can install
a front end.
"""

from __future__ import annotations

from cuaws_magic import render

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
