"""The doctor's card: what was found, and one line at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from cuaws_magic import render
from cuaws_magic.doctor import conclusion, judge
from cuaws_magic.results import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cuaws_magic.finding import Finding, Severity
    from cuaws_magic.render import Bundle, Tone
    from cuaws_magic.snapshot import Snapshot

_SIGNS: dict[Severity, str] = {"in the way": "✗", "worth knowing": "!", "fine": "✓"}
_HEADS: dict[Severity, str] = {"in the way": "In the way", "worth knowing": "Worth knowing", "fine": "Fine"}


@dataclass(frozen=True, repr=False)
class Diagnosis(View):
    """
    What the doctor found.

    Attributes:
        findings: What is in the way first.

        conclusion: One line: ready, or what to do first.
    """

    findings: tuple[Finding, ...]
    conclusion: str

    @property
    def ready(self) -> bool:
        """Whether nothing is in the way."""
        return not self._of("in the way")

    def bundle(self) -> Bundle:
        """Return both faces."""
        bad, doubtful = len(self._of("in the way")), len(self._of("worth knowing"))
        title = ", ".join(
            [f"{bad} in the way" if bad else "Nothing in the way", *([f"{doubtful} worth knowing"] if doubtful else [])]
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
        return render.bundle("\n".join([*plain, "", self.conclusion]), render.card(tone, title, "doctor", html))

    def _of(self, severity: Severity) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity == severity]


def diagnose(snapshot: Snapshot) -> Diagnosis:
    """Judge a machine."""
    findings = judge(snapshot)
    return Diagnosis(findings, conclusion(findings, snapshot))


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
    if severity == "fine":
        return Markup(
            '<details style="margin-top:6px"><summary style="cursor:pointer;color:{}">{} ({})</summary>{}</details>'
        ).format(render.DIM, _HEADS[severity], len(findings), rows)
    head = Markup('<div style="margin-top:6px;color:{}">{}</div>').format(render.DIM, _HEADS[severity])
    return head + rows
