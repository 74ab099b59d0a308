"""The view of `%cuaws export`: what was handed over, where it is, and until when it is good."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from markupsafe import Markup

from cuaws_magic import humanize
from cuaws_magic.views import render
from cuaws_magic.views.render import View

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from cuaws_magic.model import Secret
    from cuaws_magic.views.render import MimeBundle


def _for_powershell(name: str) -> str:
    return "'" + name.replace("'", "''") + "'" if re.search(r"[^\w./:\\-]", name) else name


def _for_windows(name: str) -> str:
    return f'"{name}"' if " " in name else name


# What one does with each format, and how its program has a name quoted.
_READ_BY: dict[str, tuple[str, Callable[[str], str]]] = {
    "process": ("JSON, for `credential_process = cat {}` in ~/.aws/config", shlex.quote),
    "env": ("for bash and zsh: `source {}`", shlex.quote),
    "env-no-export": ("for Docker: `--env-file {}`", shlex.quote),
    "powershell": ("for PowerShell: `Get-Content {} | Out-String | Invoke-Expression`", _for_powershell),
    "windows-cmd": ("for the Windows command prompt, where its name ends in .cmd: `call {}`", _for_windows),
    "fish": ("for fish: `source {}`", shlex.quote),
}


@dataclass(frozen=True, repr=False)
class Exported(View):
    """
    Credentials that were handed over.

    Attributes:
        account: Account id, a string of twelve digits.

        account_name: Its name at the portal.

        role: The role.

        format: In which format.

        expires_at: When they end, if that is known; nobody renews them.

        path: The file that they are in, if it is one.

        variable: The variable that they are in, if it is one.
    """

    account: str
    account_name: str
    role: str
    format: str
    expires_at: datetime | None
    path: Path | None
    variable: str | None
    text: Secret = field(repr=False, compare=False)
    shown: bool
    at: datetime
    production: bool = False

    @property
    def shows_secrets(self) -> bool:
        """Whether its keys are to be seen on the page."""
        return self.shown

    def reveal(self) -> str:
        """Return the text with the keys in it."""
        return self.text.reveal()

    def mimebundle(self) -> MimeBundle:
        """Return text and HTML; the keys only where a person asked to see them."""
        title = f"Exported {self.account_name} · {self.role}"
        rows = [
            ("Where", self._where()),
            ("Format", f"{self.format}, {self._read_by()}"),
            (
                "Good for",
                humanize.until(self.expires_at, self.at) if self.expires_at else "not known when they expire",
            ),
        ]
        notes = ["Exported keys are not renewed: after that, export again."]
        if self.shown:
            notes.append("These are keys: clear this output before you save or share the notebook.")
        mark = ", production" if self.production else ""
        plain = render.text(f"{title} ({self.account}){mark}.", rows, notes)
        body = render.facts(rows) + render.lines(notes)
        if self.shown:
            plain = f"{plain}\n\n{self.reveal()}".rstrip("\n")
            body += Markup(
                '<pre style="white-space:pre-wrap;overflow-wrap:anywhere;font-family:{};margin:8px 0 0">{}</pre>'
            ).format(render.MONO, self.reveal())
        return render.mimebundle(
            plain, render.card("good", title, self.account, body, mark=render.mark(self.production))
        )

    def _read_by(self) -> str:
        words, quoted = _READ_BY[self.format]
        return words.format("FILE" if self.path is None else quoted(str(self.path)))

    def _where(self) -> str:
        if self.path is not None:
            return f"{self.path}, readable by you only"
        if self.variable is not None:
            return f"in the variable {self.variable}; printing it shows the keys"
        return "below" if self.shown else "in this value; its reveal() gives the text"


@dataclass(frozen=True, repr=False)
class Revealed(View):
    """
    What was masked, on the page because a person insists.

    Attributes:
        shows_secrets: It is not masked again.
    """

    text: Secret
    shows_secrets: ClassVar[bool] = True

    def mimebundle(self) -> MimeBundle:
        """Return text and HTML."""
        note = "These are secrets: clear this output before you save or share the notebook."
        pre = Markup('<pre style="white-space:pre-wrap;overflow-wrap:anywhere">{}</pre>').format(self.text.reveal())
        return render.mimebundle(
            render.text("What was masked.", [], [self.text.reveal(), note]),
            render.card("wait", "What was masked", "", pre + render.lines([note])),
        )
