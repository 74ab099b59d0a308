"""One thing that the doctor found: how bad, where, what, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["in the way", "worth knowing", "fine"]


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
        return f"{self.severity}: {self.subject}: {self.what}.{f' {self.do}' if self.do else ''}"


def in_the_way(subject: str, what: str, do: str) -> Finding:
    """Return what has to be put right."""
    return Finding("in the way", subject, what, do)


def worth_knowing(subject: str, what: str, do: str) -> Finding:
    """Return what works, but may surprise."""
    return Finding("worth knowing", subject, what, do)


def fine(subject: str, what: str) -> Finding:
    """Return what is as it should be."""
    return Finding("fine", subject, what)


def of_message(severity: Severity, subject: str, message: str) -> Finding:
    """Return the finding of an error's message, whose last sentence says what to do."""
    what, _, do = message.removesuffix(".").rpartition(". ")
    return Finding(severity, subject, what, f"{do}.") if what else Finding(severity, subject, do, "Put that right.")
