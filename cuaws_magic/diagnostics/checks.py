"""Judgements on what is installed: packages, the widget's other half in the browser, the `aws` command."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cuaws_magic.diagnostics import environment, files
from cuaws_magic.humanize import remaining
from cuaws_magic.views.diagnosis import Diagnosis, Finding, error, of_message, ok, warning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import timedelta

    from cuaws_magic.diagnostics.snapshot import Installed, Snapshot

FRONT_END = "jupyterlab_widgets"

# ipywidgets and its front end go together by their first numbers (ipywidgets 7 with 1 and 2).
_FRONT_ENDS = {7: (1, 2), 8: (3,)}
# A thread that updates a widget fails in these: `LookupError: shell_parent`.
_IPYKERNEL_FAULTY = ((7, 0, 0), (7, 1, 0))
_SSO_SESSIONS = (2, 9)  # the first AWS CLI that knows [sso-session]


def packages(snapshot: Snapshot) -> Iterable[Finding]:
    """Judge versions, against what we need and against what this process has loaded already."""
    good = []
    for package in snapshot.packages:
        if package.name == FRONT_END:
            continue
        findings = list(_package(package, kernel=snapshot.kernel))
        yield from findings
        if not findings and package.version is not None:
            good.append(f"{package.name} {package.version}")
    if good:
        yield ok("Versions", ", ".join(good))


def _package(package: Installed, *, kernel: bool) -> Iterable[Finding]:
    name, version = package.name, package.version
    if version is None:
        if package.needed is not None:
            yield error("Versions", f"{name} is not installed", f"Type `%pip install {name}`, then restart the kernel.")
        return
    if package.loaded is not None and numbers(package.loaded) != numbers(version):
        yield warning(
            "Versions",
            f"{name} {version} is installed, but this kernel still runs {package.loaded}",
            "Restart the kernel.",
        )
    if package.needed is not None and numbers(version) < numbers(package.needed):
        yield error(
            "Versions",
            f"{name} {version} is too old; {package.needed} or later is needed",
            f'Type `%pip install "{name}>={package.needed}"`, then restart the kernel.',
        )
    if kernel and name == "ipykernel" and _IPYKERNEL_FAULTY[0] <= numbers(version) < _IPYKERNEL_FAULTY[1]:
        yield warning(
            "Versions",
            f"ipykernel {version} cannot update a widget from the background",
            'Type `%pip install "ipykernel>=7.1"`, then restart the kernel.',
        )


def front_end(snapshot: Snapshot) -> Iterable[Finding]:
    """Judge the half of ipywidgets that the Jupyter server delivers, as far as it can be seen from a kernel."""
    subject = "Widget front end"
    by_name = {package.name: package.version for package in snapshot.packages}
    installed, widgets = by_name.get(FRONT_END), by_name.get("ipywidgets")
    if installed is None:
        yield warning(
            subject,
            f"{FRONT_END} is not in this environment; the server may have it in its own, which a kernel cannot see",
            f"If `%cuaws panel` shows only text, install {FRONT_END} 3 where the server runs.",
        )
        return
    fitting = _FRONT_ENDS.get(numbers(widgets)[0]) if widgets else None
    if fitting is not None and numbers(installed)[0] not in fitting:
        yield warning(
            subject,
            f"{FRONT_END} {installed} does not match ipywidgets {widgets}",
            f'Type `%pip install "{FRONT_END}=={fitting[-1]}.*"`, then start the server again.',
        )
    else:
        yield ok(subject, f"{FRONT_END} {installed}, if the server runs from this environment")


def aws_command(snapshot: Snapshot) -> Iterable[Finding]:
    """Judge the `aws` command, which nothing here needs."""
    subject, command = "AWS CLI", snapshot.aws
    if command is None:
        yield ok(subject, "not on the PATH, and not needed")
    elif command.version is None:
        yield warning(
            subject, f"{command.path} did not say its version in time", "Type `!aws --version` to see for yourself."
        )
    elif numbers(command.version) < (2,):
        yield warning(
            subject,
            f"{command.path} is version {command.version}: it acts as the account in use, but has no `aws sso login`",
            "`%cuaws login` does that for it.",
        )
    elif numbers(command.version) < _SSO_SESSIONS:
        yield warning(
            subject,
            f"{command.path} is version {command.version}, which does not know [sso-session]",
            "Update it to 2.9 or later, or use it with the account in use only.",
        )
    else:
        yield ok(subject, f"{command.path}, version {command.version}")


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with; what follows them does not matter here."""
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in match[0].split(".")) if match else (0,)


_ORDER = ("error", "warning", "ok")

# AWS refuses a signature that is more than five minutes off (SigV4).
_CLOCK_TOLERANCE = 5 * 60  # seconds
_CLOCK_DOUBT = 60  # seconds


def judge(snapshot: Snapshot) -> tuple[Finding, ...]:
    """Return every finding, errors first, otherwise in the order in which to correct them."""
    findings = [finding for check in _CHECKS for finding in check(snapshot)]
    return tuple(sorted(findings, key=lambda finding: _ORDER.index(finding.severity)))


def conclusion(findings: Iterable[Finding], snapshot: Snapshot) -> str:
    """Say in one line that all is ready, or what to do first."""
    first = next((finding for finding in findings if finding.severity == "error"), None)
    if first is not None:
        return f"First: {first.do}"
    return "Ready." if snapshot.in_use is not None else "Ready: type `%cuaws use ACCOUNT`."


def _sign_in(snapshot: Snapshot) -> Iterable[Finding]:
    subject = "Sign-in"
    if snapshot.choice_trouble is not None:
        yield of_message("error", subject, snapshot.choice_trouble)
        return
    if snapshot.cache_trouble is not None:
        yield warning(subject, snapshot.cache_trouble.rstrip("."), "Type `%cuaws login`, which replaces it.")
    if snapshot.sso_session is None:
        return
    label = snapshot.sso_session.label
    if snapshot.signed_in_until is not None:
        yield ok(subject, f"{label}, {remaining(snapshot.signed_in_until, snapshot.at, about=True)}")
    else:
        yield ok(subject, f"{label}; not signed in yet; `%cuaws use ACCOUNT` signs in first")


def _accepted(snapshot: Snapshot) -> Iterable[Finding]:
    if snapshot.refusal is not None:
        yield error("Credentials", f"AWS does not accept those of {snapshot.in_use}", snapshot.refusal)


def _clock(snapshot: Snapshot) -> Iterable[Finding]:
    clock = snapshot.clock
    if clock.trouble is not None:
        yield of_message("error", "Network", clock.trouble)
    elif clock.skew is None:
        yield warning(
            "Clock", f"{clock.host} did not send its time", "Compare this machine's clock with yours: type `!date`."
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
        return error("Clock", f"{what}: AWS refuses every request", do)
    if seconds > _CLOCK_DOUBT:
        return warning("Clock", f"{what}; AWS tolerates five minutes", do)
    return ok("Clock", f"as that of {host}, within {max(2, round(seconds))} seconds")


def _folders(snapshot: Snapshot) -> Iterable[Finding]:
    bad = [folder for folder in snapshot.folders if folder.trouble is not None]
    for folder in bad:
        yield warning(
            "Home",
            f"{folder.path} cannot be written: {folder.trouble}; a sign-in works in this kernel only",
            "Make it writable, or free some space there, to be signed in everywhere.",
        )
    if snapshot.folders and not bad:
        yield ok("Home", "writable")


_CHECKS: tuple[Callable[[Snapshot], Iterable[Finding]], ...] = (
    files.parsing,
    files.access,
    environment.profiles,
    _sign_in,
    files.sections,
    _accepted,
    environment.keys,
    environment.hub,
    environment.regions,
    environment.endpoints,
    environment.certificates,
    environment.proxies,
    _clock,
    _folders,
    packages,
    front_end,
    aws_command,
)


def diagnose(snapshot: Snapshot) -> Diagnosis:
    """Judge a machine."""
    findings = judge(snapshot)
    return Diagnosis(findings, conclusion(findings, snapshot))
