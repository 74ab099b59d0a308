"""What `configure` and `forget` show: the difference first, then what was done."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cuaws_magic.humanize import counted
from cuaws_magic.views import render
from cuaws_magic.views.render import View

if TYPE_CHECKING:
    from pathlib import Path

    from cuaws_magic.model import DiffLine
    from cuaws_magic.views.render import MimeBundle, Row, Tone

_LONGEST = 400  # lines of a difference on the page; `x.difference` has all of them
_NAMES = 12  # names in a sentence


@dataclass(frozen=True, repr=False)
class ProposedChange(View):
    """
    What is about to change in a file.

    Attributes:
        added: Names of the profiles that come.

        removed: Names of the profiles that go.
    """

    path: Path
    lines: tuple[DiffLine, ...]
    dry_run: bool
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def mimebundle(self) -> MimeBundle:
        """Return text and HTML."""
        signs = [line.sign for line in self.lines]
        what = "would change" if self.dry_run else "changes"
        title = f"What {what}: {counted(signs.count('+'), 'line')} added, {signs.count('-')} removed"
        rows = [("Added", _listed(self.added))] if self.added else []
        rows += [("Removed", _listed(self.removed))] if self.removed else []
        shown = self.lines[:_LONGEST]
        more = [f"… and {len(self.lines) - len(shown)} more lines."] if len(shown) < len(self.lines) else []
        return render.mimebundle(
            "\n".join([render.text(f"{title}.", rows), str(self.path), *map(str, shown), *more]),
            render.card(
                "idle",
                title,
                str(self.path),
                render.facts(rows)
                + render.folded(
                    "Show the difference",
                    render.signed([(line.sign, str(line)) for line in shown]) + render.lines(more),
                ),
            ),
        )


@dataclass(frozen=True, repr=False)
class Configured(View):
    """
    What `configure` did to the config file.

    Attributes:
        path: The file.

        written: Whether it was written: not with `--dry-run`, nor where nothing was to change.

        added: Names of the profiles that came.

        removed: Names of the profiles that went.

        kept: Names of the profiles that were there already for these accounts and roles.

        others: Names of all other profiles; they stay too.

        difference: What changed, as `diff -u` says it.

        organisation: Whose accounts these are, where more than one organisation is known.
    """

    path: Path
    written: bool
    added: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]
    others: tuple[str, ...]
    notes: tuple[str, ...]
    session_name: str
    session_is_new: bool
    difference: str = field(compare=False)
    organisation: str = field(default="", compare=False)

    def rows(self) -> list[Row]:
        """Return the facts."""
        rows = [("Organisation", self.organisation)] if self.organisation else []
        rows += [("New", f"[sso-session {self.session_name}]")] if self.session_is_new else []
        rows += [("Added", _listed(self.added))] if self.added else []
        rows += [("Removed", _listed(self.removed))] if self.removed else []
        rows += [("Already there", _listed(self.kept))] if self.kept else []
        return [*rows, ("Not changed", _listed(self.others))] if self.others else rows

    def _title(self) -> tuple[Tone, str]:
        if not self.difference:
            return "good", "Nothing to change"
        done = ("added", "removed", "completed") if self.written else ("to add", "to remove", "to complete")
        parts = [f"{counted(len(self.added), 'profile')} {done[0]}"] if self.added else []
        parts += [f"{counted(len(self.removed), 'profile')} {done[1]}"] if self.removed else []
        title = ", ".join(parts) or f"[sso-session {self.session_name}] {done[2]}"
        return ("good", title) if self.written else ("idle", f"Nothing was written: {title}")

    def mimebundle(self) -> MimeBundle:
        """Return text and HTML."""
        tone, title = self._title()
        sentences = list(self.notes)
        if self.difference and not self.written:
            sentences.append("Type the same without `--dry-run` to write it.")
        elif self.added:
            sentences.append(f"In a terminal: `aws --profile {shlex.quote(self.added[0])} sts get-caller-identity`.")
        return render.mimebundle(
            render.text(f"{title} ({self.path}).", self.rows(), sentences),
            render.card(tone, title, str(self.path), render.facts(self.rows()) + render.lines(sentences)),
        )


@dataclass(frozen=True, repr=False)
class Forgotten(View):
    """
    A block that is no longer in the credentials file.

    Attributes:
        profile: Its name.

        path: The file.
    """

    profile: str
    path: Path
    sentences: tuple[str, ...]

    def mimebundle(self) -> MimeBundle:
        """Return text and HTML."""
        title = f"Forgot {self.profile}"
        return render.mimebundle(
            render.text(f"{title} ({self.path}).", [], self.sentences),
            render.card("idle", title, str(self.path), render.lines(self.sentences)),
        )


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more
