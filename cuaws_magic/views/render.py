"""
State to `{"text/plain", "text/html"}`: pure functions, and the one place where HTML is made.

Everything that goes into HTML goes through `markupsafe`, once. Colours are the
theme's own variables (JupyterLab, then VS Code, then a plain value), so the cards
follow light and dark; a colour is never the only sign. Styles are inline: a saved
notebook that is not trusted loses `<style>`, not `style=`.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from markupsafe import Markup

from cuaws_magic.humanize import for_stream, printable, printable_lines, with_moments

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Html = Markup
    MimeBundle = dict[str, str]
    Row = tuple[str, str]

Tone = Literal["good", "wait", "bad", "idle"]

FOREGROUND = "var(--jp-ui-font-color1,var(--vscode-foreground,#1f2328))"
DIM = "var(--jp-ui-font-color2,var(--vscode-descriptionForeground,#57606a))"
LINE = "var(--jp-border-color1,var(--vscode-panel-border,#d0d7de))"
BACKGROUND = "var(--jp-layout-color1,var(--vscode-editor-background,#fff))"
SOFT = "var(--jp-layout-color2,var(--vscode-sideBar-background,#f6f8fa))"
BRAND = "var(--jp-brand-color1,var(--vscode-button-background,#1976d2))"
ON_BRAND = "var(--jp-ui-inverse-font-color1,var(--vscode-button-foreground,#fff))"
MONO = "var(--jp-code-font-family,Menlo,Consolas,'DejaVu Sans Mono',monospace)"
TONES: dict[Tone, str] = {
    "good": "var(--jp-success-color1,#1a7f37)",
    "wait": "var(--jp-warn-color1,#9a6700)",
    "bad": "var(--jp-error-color1,#cf222e)",
    "idle": DIM,
}
_FILLED = {"good", "bad"}

BUTTON = Markup(
    "border:1px solid {line};border-radius:4px;padding:5px 12px;background:{soft};color:{fg};"
    "font:inherit;cursor:pointer;text-decoration:none"
).format(line=LINE, soft=SOFT, fg=FOREGROUND)
PRIMARY = Markup(
    "border:1px solid {brand};border-radius:4px;padding:5px 12px;background:{brand};color:{on};"
    "font:inherit;font-weight:600;cursor:pointer;text-decoration:none;display:inline-block"
).format(brand=BRAND, on=ON_BRAND)


_CODE = Markup('<code style="font-family:{};font-size:.95em;background:none;color:inherit;padding:0">{}</code>')
_MARK = Markup(
    '<span style="font-size:11px;line-height:1.5;border:1px solid;border-radius:8px;padding:0 6px">{}</span>'
)


# A time as the server says it; where scripts run, they write it as the reader's clock does. What is in a time is made
# of digits and a zone's name, so it needs no escaping; the text around it is escaped already.
_TIME = '<time datetime="{moment}" data-cuaws="{seconds}">{text}</time>'
LOCAL_TIME = (
    "function(t){var d=new Date(t.dataset.cuaws*1000),o={hour:'numeric',minute:'2-digit'};"
    "if(d.toDateString()!==new Date().toDateString())o.weekday='short';"
    "t.title=t.textContent;t.textContent=d.toLocaleString([],o);delete t.dataset.cuaws}"
)
# Buttons that need a script are hidden where none runs: in a saved notebook that is not trusted they would do nothing.
# `navigator.clipboard` is missing on plain http with a host name; `execCommand` works there.
_COPYING = (
    "function(b){b.hidden=false;b.onclick=function(){var c=b.dataset.cuawsCopy,w=b.textContent,"
    "d=function(){b.textContent='Copied';setTimeout(function(){b.textContent=w},1500)},"
    "f=function(){var t=document.createElement('textarea');t.value=c;document.body.appendChild(t);t.select();"
    "document.execCommand('copy');t.remove();d()};"
    "navigator.clipboard?navigator.clipboard.writeText(c).then(d,f):f()}}"
)
PAGE_SCRIPT = (
    f"<script>setTimeout(function(){{document.querySelectorAll('time[data-cuaws]').forEach({LOCAL_TIME});"
    f"document.querySelectorAll('button[data-cuaws-copy][hidden]').forEach({_COPYING})}},0)</script>"
)

STAR = "★"
_FAVOURITE = Markup('<span title="Favourite" style="color:{}">{}</span> ')


def mark(production: bool) -> str:  # noqa: FBT001 - the one thing it is told
    """Return the word in a frame beside a title, where an account has one."""
    return "production" if production else ""


def account_name(name: str, *, starred: bool, production: bool) -> Markup:
    """Draw an account's name with its star, and its mark in a frame; a long name breaks and is never cut."""
    return Markup('{star}<bdi style="overflow-wrap:anywhere">{name}</bdi>{mark}').format(
        star=_FAVOURITE.format(TONES["wait"], STAR) if starred else "",
        name=name,
        mark=Markup(" ") + _MARK.format(mark(production)) if production else "",
    )


def coded(text: str) -> Markup:
    """Escape a text, and show as code what stands between backticks in it."""
    # In turn: text, code, text, ...
    parts = enumerate(re.split(r"`([^`\n]+)`", text))
    return Markup("").join(_CODE.format(MONO, part) if number % 2 else part for number, part in parts)


def card(tone: Tone, title: str, side: str, body: Markup, mark: str = "") -> Markup:
    """
    Draw the frame that everything of ours stands in.

    Args:
        tone: Colour and fill of the dot; the title says the same in words.

        title: What is the case.

        side: Small, at the right: where.

        body: The inside, escaped already.

        mark: A word in a frame beside the title, where the card is not to be overlooked.
    """
    dot = Markup(
        '<span aria-hidden="true" style="width:9px;height:9px;border-radius:50%;box-sizing:border-box;flex:none;'
        'border:2px solid {colour};{fill}"></span>'
    ).format(colour=TONES[tone], fill=f"background:{TONES[tone]}" if tone in _FILLED else "")
    head = Markup(
        '<div style="display:flex;align-items:center;gap:8px;padding:9px 12px;background:{soft};font-weight:600;'
        # A theme's dim colour is made for its plain background, and too faint on this one.
        'flex-wrap:wrap{line}">{dot}<bdi>{title}</bdi>{mark}'
        '<span style="margin-left:auto;font-weight:400;opacity:.78"><bdi>{side}</bdi></span></div>'
    ).format(
        soft=f"{SOFT};background:color-mix(in srgb,{TONES['wait']} 16%,{BACKGROUND})" if mark else SOFT,
        line=f";border-bottom:1px solid {LINE}" if body else "",
        dot=dot,
        title=coded(title),
        mark=_MARK.format(mark) if mark else "",
        side=side,
    )
    inside = Markup('<div style="padding:10px 12px">{}</div>').format(body) if body else Markup()
    return Markup(
        '<div role="status" style="border:1px solid {line};border-radius:6px;background:{bg};color:{fg};'
        "overflow:hidden;margin:4px 2px;"
        'font:13px/1.45 var(--jp-ui-font-family,system-ui,sans-serif)">{head}{inside}</div>'
    ).format(line=LINE, bg=BACKGROUND, fg=FOREGROUND, head=head, inside=inside)


def facts(rows: Iterable[Row]) -> Markup:
    """Draw names and values in two columns."""
    cells = Markup("").join(
        Markup('<span style="color:{dim}">{name}</span><bdi style="overflow-wrap:anywhere">{value}</bdi>').format(
            dim=DIM, name=name, value=breakable(value) if value.startswith("arn:") else coded(value)
        )
        for name, value in rows
    )
    return Markup('<div style="display:grid;grid-template-columns:auto 1fr;gap:2px 12px">{}</div>').format(cells)


def buttons(links: Sequence[tuple[str, str]], copied: Sequence[tuple[str, str]]) -> Markup:
    """
    Draw buttons below a card.

    Args:
        links: What to open beside the notebook: words and address.

        copied: What to copy: words and text; shown only where a script runs.
    """
    drawn = [
        Markup('<a href="{}" target="_blank" rel="noopener noreferrer" style="{}">{} ↗</a>').format(url, BUTTON, words)
        for words, url in links
    ]
    drawn += [
        Markup('<button type="button" hidden data-cuaws-copy="{}" style="{}">{}</button>').format(text, BUTTON, words)
        for words, text in copied
    ]
    return (
        Markup('<div style="display:flex;gap:8px;flex-wrap:wrap;margin-top:8px">{}</div>').format(
            Markup("").join(drawn)
        )
        if drawn
        else Markup()
    )


def lines(sentences: Sequence[str]) -> Markup:
    """Draw sentences, one a line."""
    return Markup("").join(Markup('<div style="color:{}">{}</div>').format(DIM, coded(one)) for one in sentences)


def breakable(arn: str) -> Markup:
    """Let an ARN break after its own separators, rather than anywhere."""
    return Markup("<wbr>").join(re.findall(r"[^:/]*[:/]|[^:/]+", arn))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Markup:
    """Draw a table that scrolls inside itself when it is long."""
    cell = "padding:3px 16px 3px 0;text-align:left;vertical-align:top"
    titles = Markup("").join(
        Markup('<th scope="col" style="{};color:{}">{}</th>').format(cell, DIM, title) for title in head
    )
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(
            Markup("").join(Markup('<td style="{}"><bdi>{}</bdi></td>').format(cell, value) for value in row)
        )
        for row in rows
    )
    return Markup(
        '<div style="max-height:360px;overflow:auto"><table style="border-collapse:collapse;margin:0">'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
    ).format(titles, body)


def folded(title: str, body: Markup) -> Markup:
    """Fold something long below a line that opens it."""
    return Markup('<details style="margin-top:8px"><summary style="cursor:pointer">{}</summary>{}</details>').format(
        title, body
    )


def signed(lines: Iterable[tuple[str, str]]) -> Markup:
    """Draw the lines of a difference, each with its sign; they scroll inside themselves."""
    colours = {"+": TONES["good"], "-": TONES["bad"], " ": DIM, "@": DIM}
    inside = Markup("").join(
        Markup('<div style="color:{};min-height:1.45em">{}</div>').format(colours[sign], line) for sign, line in lines
    )
    return Markup(
        '<pre style="max-height:360px;overflow:auto;margin:0;font:12px/1.45 {};color:inherit;background:none">{}</pre>'
    ).format(MONO, inside)


def text(title: str, rows: Sequence[Row] = (), sentences: Sequence[str] = ()) -> str:
    """Write the same as plain text: a title, aligned facts, sentences."""
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join([title, *(f"  {name:<{width}}  {value}" for name, value in rows), *sentences])


def text_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table as plain text; a line break in a cell would make a row of what follows it."""
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    return "\n".join(
        "  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    )


def mimebundle(plain: str, html: Markup) -> MimeBundle:
    """Put text and HTML together, as IPython's `_repr_mimebundle_` wants them."""
    return {"text/plain": printable_lines(plain), "text/html": page(html, script=True)}


def page(html: Markup, *, script: bool = False) -> str:
    """
    Return HTML as a page gets it: times as the reader's own, and nothing in it turns a line around.

    Args:
        script: Bring the script that writes the times, where there are any; else the page has it already.
    """
    timed = with_moments(str(html), _TIME)
    own = PAGE_SCRIPT if script and (timed != html or "data-cuaws-copy" in timed) else ""
    return printable_lines(timed) + own


class View:
    """A value that shows itself: as HTML on a page, as text everywhere else."""

    def mimebundle(self) -> MimeBundle:
        """Return text and HTML."""
        raise NotImplementedError

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> MimeBundle:  # noqa: ARG002 - IPython's protocol
        return self.mimebundle()

    def __repr__(self) -> str:
        # `print(cuaws.status())` in a script whose output is a file or a console without our signs must not fail.
        return for_stream(self.mimebundle()["text/plain"], sys.stdout)


class Blank(View):
    """Nothing, where something stood."""

    def mimebundle(self) -> MimeBundle:
        """Return empty text and HTML."""
        return {"text/plain": "", "text/html": ""}


_NAMED = 5  # names in a line


@dataclass(frozen=True, repr=False)
class Progress(View):
    """How far something long has come."""

    what: str
    done: int
    total: int
    failed: tuple[str, ...] = ()

    def mimebundle(self) -> MimeBundle:
        """Return text and HTML."""
        title = f"{self.what}: {self.done:,} of {self.total:,}"
        notes = [f"Failed: {', '.join(self.failed[:_NAMED])}{', …' if len(self.failed) > _NAMED else ''}"]
        notes = notes if self.failed else []
        return mimebundle(
            "\n".join([title, *notes]),
            card("good" if self.done == self.total else "wait", title, "", lines(notes)),
        )


@dataclass(frozen=True, repr=False)
class Hint(View):
    """
    Something that a person should know about credentials, and what to type.

    Attributes:
        soon: Nothing is wrong yet.

        sign_in: Whether another sign-in is what helps.
    """

    title: str
    sentences: tuple[str, ...]
    soon: bool = False
    sign_in: bool = False

    def mimebundle(self) -> MimeBundle:
        """Return text and HTML."""
        return mimebundle(
            text(f"{self.title}.", [], self.sentences),
            card("wait" if self.soon else "bad", self.title, "", lines(self.sentences)),
        )


class DisplayHandle(Protocol):
    """Something on the page that can be replaced."""

    def update(self, view: View) -> None:
        """Show another view in its place."""


class Display(Protocol):
    """Puts a view on the page."""

    @property
    def in_place(self) -> bool:
        """Whether what is shown can be replaced, and is wanted on the page."""

    def __call__(self, view: View) -> DisplayHandle:
        """Show it; what comes back can be replaced."""


@dataclass(frozen=True)
class Cell:
    """
    A cell that runs.

    Attributes:
        id: The page's name for it; empty where the page does not say.

        run: Which run of it.
    """

    id: str
    run: str
