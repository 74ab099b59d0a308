"""Judgements on what is installed: packages, the widget's other half in the browser, the `aws` command."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cuaws_magic.finding import fine, in_the_way, worth_knowing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cuaws_magic.finding import Finding
    from cuaws_magic.snapshot import Installed, Snapshot

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
        yield fine("Versions", ", ".join(good))


def _package(package: Installed, *, kernel: bool) -> Iterable[Finding]:
    name, version = package.name, package.version
    if version is None:
        if package.needed is not None:
            yield in_the_way(
                "Versions", f"{name} is not installed", f"Type `%pip install {name}`, then restart the kernel."
            )
        return
    if package.loaded is not None and numbers(package.loaded) != numbers(version):
        yield worth_knowing(
            "Versions",
            f"{name} {version} is installed, but this kernel still runs {package.loaded}",
            "Restart the kernel.",
        )
    if package.needed is not None and numbers(version) < numbers(package.needed):
        yield in_the_way(
            "Versions",
            f"{name} {version} is too old; {package.needed} or later is needed",
            f'Type `%pip install "{name}>={package.needed}"`, then restart the kernel.',
        )
    if kernel and name == "ipykernel" and _IPYKERNEL_FAULTY[0] <= numbers(version) < _IPYKERNEL_FAULTY[1]:
        yield worth_knowing(
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
        yield worth_knowing(
            subject,
            f"{FRONT_END} is not in this environment; the server may have it in its own, which a kernel cannot see",
            f"If `%cuaws panel` shows only text, install {FRONT_END} 3 where the server runs.",
        )
        return
    fitting = _FRONT_ENDS.get(numbers(widgets)[0]) if widgets else None
    if fitting is not None and numbers(installed)[0] not in fitting:
        yield worth_knowing(
            subject,
            f"{FRONT_END} {installed} does not go with ipywidgets {widgets}",
            f'Type `%pip install "{FRONT_END}=={fitting[-1]}.*"`, then start the server again.',
        )
    else:
        yield fine(subject, f"{FRONT_END} {installed}, if the server runs from this environment")


def aws_command(snapshot: Snapshot) -> Iterable[Finding]:
    """Judge the `aws` command, which nothing here needs."""
    subject, command = "AWS CLI", snapshot.aws
    if command is None:
        yield fine(subject, "not on the PATH, and not needed")
    elif command.version is None:
        yield worth_knowing(
            subject, f"{command.path} did not say its version in time", "Type `!aws --version` to see for yourself."
        )
    elif numbers(command.version) < (2,):
        yield worth_knowing(
            subject,
            f"{command.path} is version {command.version}: it acts as the account in use, but has no `aws sso login`",
            "`%cuaws login` does that for it.",
        )
    elif numbers(command.version) < _SSO_SESSIONS:
        yield worth_knowing(
            subject,
            f"{command.path} is version {command.version}, which does not know [sso-session]",
            "Update it to 2.9 or later, or use it with the account in use only.",
        )
    else:
        yield fine(subject, f"{command.path}, version {command.version}")


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with; what follows them does not matter here."""
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in match[0].split(".")) if match else (0,)
