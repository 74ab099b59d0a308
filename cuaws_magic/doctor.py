"""
What would get in the way on this machine, and what to do: judgements over a snapshot.

Pure: each check is a function from a `Snapshot` to findings. Whatever is fine is said
too, so that a person sees what was looked at. The order is that in which to put
things right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cuaws_magic import doctor_environment, doctor_files, doctor_programs
from cuaws_magic.finding import Finding, fine, in_the_way, of_message, worth_knowing
from cuaws_magic.render import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import timedelta

    from cuaws_magic.snapshot import Snapshot

_ORDER = ("in the way", "worth knowing", "fine")

# AWS refuses a signature that is more than five minutes off (SigV4).
_CLOCK_TOLERANCE = 5 * 60  # seconds
_CLOCK_DOUBT = 60  # seconds


def judge(snapshot: Snapshot) -> tuple[Finding, ...]:
    """Return every finding, what is in the way first, otherwise in the order of putting right."""
    findings = [finding for check in _CHECKS for finding in check(snapshot)]
    return tuple(sorted(findings, key=lambda finding: _ORDER.index(finding.severity)))


def conclusion(findings: Iterable[Finding], snapshot: Snapshot) -> str:
    """Say in one line that all is ready, or what to do first."""
    first = next((finding for finding in findings if finding.severity == "in the way"), None)
    if first is not None:
        return f"First: {first.do}"
    return "Ready." if snapshot.in_use is not None else "Ready: type `%cuaws use ACCOUNT`."


def _sign_in(snapshot: Snapshot) -> Iterable[Finding]:
    subject = "Sign-in"
    if snapshot.choice_trouble is not None:
        yield of_message("in the way", subject, snapshot.choice_trouble)
        return
    if snapshot.cache_trouble is not None:
        yield worth_knowing(subject, snapshot.cache_trouble.rstrip("."), "Type `%cuaws login`, which replaces it.")
    if snapshot.sso_session is None:
        return
    label = snapshot.sso_session.label
    if snapshot.signed_in_until is not None:
        yield fine(subject, f"{label}, until about {until(snapshot.signed_in_until, snapshot.at)}")
    else:
        yield fine(subject, f"{label}; nobody is signed in yet, `%cuaws use ACCOUNT` does that first")


def _clock(snapshot: Snapshot) -> Iterable[Finding]:
    clock = snapshot.clock
    if clock.trouble is not None:
        yield of_message("in the way", "Network", clock.trouble)
    elif clock.skew is None:
        yield worth_knowing(
            "Clock", f"{clock.host} did not tell its time", "Compare this machine's clock with yours: type `!date`."
        )
    else:
        yield _skewed(clock.host, clock.skew)


def _skewed(host: str, skew: timedelta) -> Finding:
    seconds = abs(skew).total_seconds()
    direction = "ahead of" if skew.total_seconds() > 0 else "behind"
    off = f"{round(seconds / 60)} minutes" if seconds >= _CLOCK_DOUBT * 2 else f"{round(seconds)} seconds"
    what = f"The clock of this machine is {off} {direction} that of {host}"
    do = "Set the clock, or ask the operator of this hub to."
    if seconds > _CLOCK_TOLERANCE:
        return in_the_way("Clock", f"{what}: AWS refuses every request", do)
    if seconds > _CLOCK_DOUBT:
        return worth_knowing("Clock", f"{what}; AWS bears five minutes", do)
    return fine("Clock", f"as that of {host}, within {max(2, round(seconds))} seconds")


def _folders(snapshot: Snapshot) -> Iterable[Finding]:
    bad = [folder for folder in snapshot.folders if folder.trouble is not None]
    for folder in bad:
        yield worth_knowing(
            "Home",
            f"{folder.path} cannot be written: {folder.trouble}; a sign-in holds in this kernel only",
            "Make it writable to be signed in everywhere.",
        )
    if snapshot.folders and not bad:
        yield fine("Home", "writable")


_CHECKS: tuple[Callable[[Snapshot], Iterable[Finding]], ...] = (
    doctor_files.parsing,
    doctor_files.access,
    doctor_environment.profiles,
    _sign_in,
    doctor_files.sections,
    doctor_environment.keys,
    doctor_environment.hub,
    doctor_environment.regions,
    doctor_environment.endpoints,
    doctor_environment.certificates,
    doctor_environment.proxies,
    _clock,
    _folders,
    doctor_programs.packages,
    doctor_programs.front_end,
    doctor_programs.aws_command,
)
