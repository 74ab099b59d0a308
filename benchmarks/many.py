"""
`make bench`: many accounts at once, beside a plain loop over boto3 profiles, and listing beside the portal's limit.

Everything runs against the practice portal on loopback; `LATENCY` stands for the network.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LATENCY = 0.06  # seconds that each answer takes
ACCOUNTS = 100
TIMEOUT = 600  # seconds
UTIL = ROOT / "build" / "aws-sso-util"
START_URL = "https://cuboulder.awsapps.com/start"

LOOP = """
import boto3, json, time
names = json.loads(NAMES)
began = time.perf_counter()
for name in names:
    boto3.Session(profile_name=name).client("sts").get_caller_identity()
print(time.perf_counter() - began)
"""

MAP = """
import cuaws_magic as cuaws, json, time
began = time.perf_counter()
found = cuaws.map(lambda session: session.client("sts").get_caller_identity()["Account"], "research-*", workers=WORKERS,
                  role="Researcher")
print(time.perf_counter() - began)
assert not found.failed and len(found) == len(json.loads(NAMES)), found.failed[:3]
"""

MEMORY = """
import cuaws_magic as cuaws, json, resource
def kilobytes():
    return int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS")))
names = json.loads(NAMES)
first = [cuaws.session(f"{name}/Researcher").client("sts") for name in names[:5]]
before = kilobytes()
kept = [cuaws.session(f"{name}/Researcher").client("sts") for name in names[5:]]
print((kilobytes() - before) / len(kept))
"""

AS = """
import statistics, time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "cuaws_magic")
shell.run_line_magic("cuaws", "use awsucob0myaccount --no-verify")
def once():
    began = time.perf_counter()
    shell.run_cell_magic("cuaws", "as awsucob0myotheraccount", "pass")
    return 1000 * (time.perf_counter() - began)
once()
print(statistics.median(once() for _ in range(50)))
"""

EACH = """
import time
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "cuaws_magic")
import cuaws_magic as cuaws
cuaws.accounts("research-*", roles=True)
began = time.perf_counter()
with capture_output():
    shell.run_cell("%%cuaws each research-* --role Researcher --yes\\naccount")
took = time.perf_counter() - began
found = shell.user_ns["_"]
assert not found.failed, found.failed[:3]
print(took, len(found))
"""

LISTING = """
import cuaws_magic as cuaws, time
cuaws.accounts()
began = time.perf_counter()
cuaws.accounts(roles=True)
print(time.perf_counter() - began)
"""


def main() -> int:
    """Measure and print; returns the exit status."""
    from cuaws_magic.practice import Knobs
    from cuaws_magic.practice.machine import practice_machine

    lines = ["# Many accounts\n", "| | seen | beside | goal |", "|---|---:|---:|---|"]
    with practice_machine(Knobs(approve_after=1, accounts=ACCOUNTS - 2), profiles=True) as portal:

        def run(code: str, **words: object) -> list[float]:
            for name, value in words.items():
                code = code.replace(name, repr(value))
            return [float(word) for word in _said(code).splitlines()[-1].split()]

        def forget() -> None:
            for path in (Path.home() / ".aws" / "cli" / "cache").glob("*.json"):
                path.unlink()

        names = _prepare()
        as_there_and_back = run(AS)[0]
        portal.knobs = Knobs(approve_after=1, accounts=ACCOUNTS - 2, latency=LATENCY)
        loops, maps = [], []
        for _ in range(3):
            forget()
            loops.append(run(LOOP, NAMES=json.dumps([f"{name}-Researcher" for name in names]))[0])
            forget()
            maps.append(run(MAP, NAMES=json.dumps(names), WORKERS=8)[0])
        loop, mapped = statistics.median(loops), statistics.median(maps)
        lines.append(
            f"| `cuaws.map` of one STS call over {len(names)} accounts, 8 workers | {mapped:.1f} s | a loop of "
            f"`boto3.Session(profile_name=…)`: {loop:.1f} s, {loop / mapped:.1f} times | 6 times |"
        )
        lines.append(
            f"| memory of a session with an STS client | {run(MEMORY, NAMES=json.dumps(names))[0]:.0f} kB | | |"
        )
        lines.append(f"| `%%cuaws as`, there and back, cached | {as_there_and_back:.1f} ms | | under 10 ms |")
        for limit, accounts, goal in ((10.0, 95, 1.15), (20.0, 95, 1.15)):
            portal.knobs = Knobs(approve_after=1, accounts=accounts, latency=LATENCY, requests_per_second=limit)
            _forget_lists()
            took, least = run(LISTING)[0], (accounts + 5 - limit) / limit
            lines.append(
                f"| roles of {accounts + 5} accounts, the portal allows {limit:g}/s | {took:.1f} s | {least:.1f} s, "
                f"{took / least:.2f} times | {goal} times |"
            )
        lines += _of_aws_sso_util()
        portal.knobs = Knobs(approve_after=1, accounts=498, latency=LATENCY, requests_per_second=20.0)
        _forget_lists()
        forget()
        took, count = run(EACH)
        least = (count - 20) / 20
        lines.append(
            f"| `%%cuaws each` over {count:.0f} accounts, the portal allows 20/s | {took:.1f} s | {least:.1f} s, "
            f"{took / least:.2f} times | 1.15 times |"
        )
    text = "\n".join(lines)
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build" / "bench-many.md").write_text(f"{text}\n", encoding="utf-8")
    print(text)
    return 0


def _of_aws_sso_util() -> list[str]:
    """Have another tool list the same roles, at the same limit; the portal approves its sign-in at once."""
    program = UTIL / "bin" / "aws-sso-util"
    if not program.exists():
        return ["| the same by aws-sso-util | not here | | |"]
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, str(program), "roles", "--sso-start-url", START_URL, "--sso-region", "us-west-2"],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
        cwd=Path.home(),
        env=os.environ | {"PYTHONPATH": str(UTIL)},
        stdin=subprocess.DEVNULL,
    )
    took, lines = time.perf_counter() - began, done.stdout.splitlines()
    said = f"{took:.1f} s, its sign-in among them" if done.returncode == 0 else "fails with the portal's 429"
    return [f"| the last again by `aws-sso-util roles`, {len(lines) - 1} roles | | {said} | |"]


def _said(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=TIMEOUT, check=False, cwd=Path.home()
    )
    if done.returncode != 0:
        sys.exit(done.stderr)
    return done.stdout


def _prepare() -> list[str]:
    """Sign in, and write profiles for the loop."""
    code = (
        "import cuaws_magic as cuaws, json; cuaws.login(); cuaws.accounts('research-*', roles=True); cuaws.configure();"
        "print(json.dumps([one.name for one in cuaws.accounts('research-*')]))"
    )
    names: list[str] = json.loads(_said(code).splitlines()[-1])
    config = (Path.home() / ".aws" / "config").read_text(encoding="utf-8")
    return [name for name in names if f"[profile {name}-Researcher]" in config or _renamed(name, config)]


def _renamed(name: str, config: str) -> bool:
    """Give a profile that has the account's name alone the role's too, for one way to name all."""
    path = Path.home() / ".aws" / "config"
    if f"[profile {name}]" not in config:
        return False
    text = path.read_text(encoding="utf-8").replace(f"[profile {name}]", f"[profile {name}-Researcher]")
    path.write_text(text, encoding="utf-8")
    return True


def _forget_lists() -> None:
    from platformdirs import user_state_dir

    for path in Path(user_state_dir("cuaws_magic", appauthor=False)).glob("accounts*"):
        path.unlink()


if __name__ == "__main__":
    os.environ.pop("PYTHONSTARTUP", None)
    sys.exit(main())
