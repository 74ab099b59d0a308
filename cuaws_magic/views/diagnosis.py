"""One thing that the doctor found: how bad, where, what, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from markupsafe import Markup

from cuaws_magic.humanize import counted, printable
from cuaws_magic.views import render
from cuaws_magic.views.render import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cuaws_magic.views.render import MimeBundle, Tone

Severity = Literal["error", "warning", "ok"]


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One finding.

    Attributes:
        severity: How bad.

        subject: What was looked at, in a word or two.

        what: What is the case; no full stop.

        do: What to do about it, a sentence; empty where all is fine.
    """

    severity: Severity
    subject: str
    what: str
    do: str = ""

    @property
    def line(self) -> str:
        """The finding as one line."""
        return printable(f"{self.severity}: {self.subject}: {self.what}.{f' {self.do}' if self.do else ''}")


def error(subject: str, what: str, do: str) -> Finding:
    """Return a finding that has to be corrected."""
    return Finding("error", subject, what, do)


def warning(subject: str, what: str, do: str) -> Finding:
    """Return a finding that works, but may surprise."""
    return Finding("warning", subject, what, do)


def ok(subject: str, what: str) -> Finding:
    """Return a finding that is as it should be."""
    return Finding("ok", subject, what)


def of_message(severity: Severity, subject: str, message: str) -> Finding:
    """Return the finding of an error's message, whose last sentence says what to do."""
    what, _, do = message.removesuffix(".").rpartition(". ")
    return Finding(severity, subject, what, f"{do}.") if what else Finding(severity, subject, do, "Correct that.")


_SIGNS: dict[Severity, str] = {"error": "✗", "warning": "!", "ok": "✓"}
_HEADS: dict[Severity, str] = {"error": "Problems", "warning": "Notes", "ok": "OK"}


@dataclass(frozen=True, repr=False)
class Diagnosis(View):
    """
    What the doctor found.

    Attributes:
        findings: Errors first, then warnings.

        conclusion: One line: ready, or what to do first.
    """

    findings: tuple[Finding, ...]
    conclusion: str

    @property
    def ready(self) -> bool:
        """Whether there are no errors."""
        return not self._of("error")

    def mimebundle(self) -> MimeBundle:
        """Return text and HTML."""
        bad, doubtful = len(self._of("error")), len(self._of("warning"))
        title = ", ".join(
            [counted(bad, "problem") if bad else "No problems", *([counted(doubtful, "note")] if doubtful else [])]
        )
        tone: Tone = "bad" if bad else "wait" if doubtful else "good"
        groups = [(severity, self._of(severity)) for severity in _SIGNS]
        plain = [f"{title}."]
        html = Markup()
        for severity, findings in groups:
            if findings:
                plain += ["", f"{_HEADS[severity]}:", *_plain(severity, findings)]
                html += _html(severity, findings)
        html += Markup('<div style="margin-top:8px;font-weight:600">{}</div>').format(render.coded(self.conclusion))
        return render.mimebundle("\n".join([*plain, "", self.conclusion]), render.card(tone, title, "doctor", html))

    def _of(self, severity: Severity) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity == severity]


def _plain(severity: Severity, findings: Sequence[Finding]) -> list[str]:
    lines = []
    for finding in findings:
        lines.append(f"  {_SIGNS[severity]} {finding.subject}: {finding.what}.")
        if finding.do:
            lines.append(f"    {finding.do}")
    return lines


def _html(severity: Severity, findings: Sequence[Finding]) -> Markup:
    rows = Markup("").join(
        Markup(
            '<div style="display:flex;gap:8px;margin:3px 0">'
            '<span aria-hidden="true" style="flex:none;width:1em">{}</span>'
            '<span style="overflow-wrap:anywhere"><b>{}</b> · {}{}</span></div>'
        ).format(
            _SIGNS[severity],
            finding.subject,
            render.coded(f"{finding.what}."),
            Markup('<br><span style="color:{}">{}</span>').format(render.DIM, render.coded(finding.do))
            if finding.do
            else Markup(),
        )
        for finding in findings
    )
    if severity == "ok":
        return Markup(
            '<details style="margin-top:6px"><summary style="cursor:pointer;color:{}">{} ({})</summary>{}</details>'
        ).format(render.DIM, _HEADS[severity], len(findings), rows)
    head = Markup('<div style="margin-top:6px;color:{}">{}</div>').format(render.DIM, _HEADS[severity])
    return head + rows
