"""
`make bench`: how long the person waits, beside what they would use otherwise.

Everything runs against the practice portal on loopback, so the network is as good
as absent: what is compared is what programs add to it. Medians, because a machine
that does something else now and then makes means useless.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
CLI_V2 = ROOT / "build" / "aws-cli" / "aws"
TABLE = ROOT / "build" / "bench.md"

LOADS = 15  # fresh processes
PROCESSES = 9  # runs of each whole program
USES = 50  # in one kernel
TIMEOUT = 60  # seconds for any program

LOAD_GOAL = 15.0  # ms
USE_GOAL = 5.0  # ms

PROFILE = "awsucob0myaccount"
OTHER = "awsucob0myotheraccount"
HEAVY = ("boto3", "botocore", "ipywidgets", "nbformat")

LOAD = f"""
import json, sys, time
from IPython.terminal.interactiveshell import TerminalInteractiveShell
shell = TerminalInteractiveShell.instance()
began = time.perf_counter()
shell.run_line_magic("load_ext", sys.argv[1])
took = 1000 * (time.perf_counter() - began)
print(json.dumps([took, [name for name in {HEAVY!r} if name in sys.modules]]))
"""

USE_AGAIN = f"""
import json, statistics, time
shell = get_ipython()
shell.run_line_magic("load_ext", "cuaws_magic")
def timed(line):
    began = time.perf_counter()
    shell.run_line_magic("cuaws", line)
    return 1000 * (time.perf_counter() - began)
for target in ("{PROFILE}", "{OTHER}"):
    timed(f"use {{target}} --no-verify")
same = [timed("use {OTHER} --no-verify") for _ in range({USES})]
turns = [timed(f"use {{target}} --no-verify") for _ in range({USES} // 2) for target in ("{PROFILE}", "{OTHER}")]
print(json.dumps([statistics.median(same), statistics.median(turns)]))
"""

CACHED = "`cuaws_magic.use(…, verify=False)`, credentials cached by another kernel, `python -c`"
OWN_CLIENT = "import boto3; boto3.client('sts').get_caller_identity()"
FIRST_USE_GOALS = {"`cuaws_magic.use(…)`, `python": 0.7, "`cuaws_magic.use(…)`, then": 1.2, CACHED: 0.3}
IDENTITY = f"import boto3; boto3.Session(profile_name='{PROFILE}').client('sts').get_caller_identity()"


@dataclass(frozen=True)
class Row:
    """
    A line of a table.

    Attributes:
        what: What was run.

        median: In milliseconds, or why there is none.

        ratio: Against the first line of its table.

        goal: What was promised, and whether it holds.
    """

    what: str
    median: float | str
    ratio: float | None = None
    goal: str = ""

    def __str__(self) -> str:
        """Write it as Markdown."""
        median = self.median if isinstance(self.median, str) else f"{self.median:.{1 if self.median < 100 else 0}f} ms"  # noqa: PLR2004 - three digits are enough
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return f"| {self.what} | {median} | {ratio} | {self.goal} |"


def main() -> int:
    """Measure, print the tables and write them; returns the exit status."""
    sys.path.insert(0, str(ROOT / "scripts"))
    from cuaws_magic.practice import Knobs
    from cuaws_magic.practice.machine import practice_machine

    try:
        with practice_machine(Knobs(approve_after=1), profiles=True):
            _run([sys.executable, "-c", "import cuaws_magic; cuaws_magic.login()"])
            text = "\n\n".join(
                [
                    "# Benchmarks\n\n"
                    f"Python {platform.python_version()} on {platform.system()}, {os.cpu_count()} processors; "
                    + ", ".join(f"{name} {version(name)}" for name in ("ipython", "boto3", "awscli", "ipykernel")),
                    _table(f"`%load_ext` in a running IPython, median of {LOADS} fresh processes", load()),
                    _table(
                        "First `%cuaws use` with a valid sign-in, as a whole process, nothing cached but the sign-in; "
                        f"median of {PROCESSES}",
                        first_use(),
                    ),
                    _table(f"`%cuaws use … --no-verify` again, in one kernel, median of {USES}", use_again()),
                ]
            )
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(text + "\n", encoding="utf-8")
    print(f"{text}\n\nAlso in build/{TABLE.name}.")
    return 0


def load() -> list[Row]:
    """Load the extension, and a small one of IPython's own beside it."""
    taken: dict[str, list[float]] = {"autoreload": [], "cuaws_magic": []}
    heavy: set[str] = set()
    for _ in range(LOADS):
        for name, times in taken.items():
            took, found = json.loads(_run([sys.executable, "-c", LOAD, name]))
            times.append(took)
            heavy.update(found if name == "cuaws_magic" else ())
    other, ours = (statistics.median(times) for times in taken.values())
    light = f"**no: {', '.join(sorted(heavy))}**" if heavy else "yes"
    return [
        Row("`%load_ext autoreload` (comes with IPython)", other, 1.0),
        Row("`%load_ext cuaws_magic`", ours, ours / other, _goal(ours, LOAD_GOAL)),
        Row(f"… without {', '.join(HEAVY)} in `sys.modules`", light),
    ]


def first_use() -> list[Row]:
    """Run whole programs in turns, so that a slow minute hits all of them."""
    ipython = [str(BIN / "ipython"), "--no-banner", "--no-confirm-exit", "-c"]
    load_and_use = f"%load_ext cuaws_magic\n%cuaws use {PROFILE}"
    programs = {
        "boto3 profile and STS, `python -c`": [sys.executable, "-c", IDENTITY],
        "`cuaws_magic.use(…)`, `python -c`": [sys.executable, "-c", f"import cuaws_magic as c; c.use('{PROFILE}')"],
        "`cuaws_magic.use(…, verify=False)`, `python -c`": [
            *(sys.executable, "-c", f"import cuaws_magic as c; c.use('{PROFILE}', verify=False)"),
        ],
        "`cuaws_magic.use(…)`, then a boto3 client of one's own and STS, `python -c`": [
            *(sys.executable, "-c", f"import cuaws_magic as c; c.use('{PROFILE}'); {OWN_CLIENT}"),
        ],
        CACHED: [sys.executable, "-c", f"import cuaws_magic as c; c.use('{PROFILE}', verify=False)"],
        "boto3 profile and STS, `ipython -c`": [*ipython, IDENTITY],
        "`%cuaws use …`, `ipython -c`": [*ipython, load_and_use],
        f"`aws sts get-caller-identity` (awscli {version('awscli')})": [
            *(str(BIN / "aws"), "sts", "get-caller-identity", "--profile", PROFILE),
        ],
    }
    rows: list[Row] = []
    second = _cli_v2()
    if second is not None:
        name, number = second
        what = f"`aws configure export-credentials` (AWS CLI {number})"
        programs[what] = [name, "configure", "export-credentials", "--profile", PROFILE]
    taken: dict[str, list[float]] = {what: [] for what in programs}
    for _ in range(PROCESSES):
        for what, command in programs.items():
            _forget_role_credentials()
            if what == CACHED:
                _run([sys.executable, "-c", f"import cuaws_magic as c; c.use('{PROFILE}')"])
            began = time.perf_counter()
            _run(command)
            taken[what].append(1000 * (time.perf_counter() - began))
    medians = {what: statistics.median(times) for what, times in taken.items()}
    base = next(iter(medians.values()))
    rows += [Row(what, median, median / base, _of_boto3(what, median / base)) for what, median in medians.items()]
    if second is None:
        rows.append(Row("`aws configure export-credentials`", "no AWS CLI v2 here"))
    return rows


def _of_boto3(what: str, ratio: float) -> str:
    goal = next((goal for name, goal in FIRST_USE_GOALS.items() if what.startswith(name)), None)
    return "" if goal is None else f"≤ {goal:g}: {'met' if ratio <= goal else '**missed**'}"


def use_again() -> list[Row]:
    """Switch in a real kernel, with what is shown on the page."""
    from jupyter_client.manager import start_new_kernel

    printed: list[str] = []

    def listen(message: dict[str, object]) -> None:
        content = message["content"]
        if message["msg_type"] == "stream" and isinstance(content, dict):
            printed.append(str(content["text"]))

    manager, client = start_new_kernel(extra_arguments=["--IPKernelApp.log_level=ERROR"])
    try:
        reply = client.execute_interactive(USE_AGAIN, output_hook=listen, timeout=TIMEOUT)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    if reply["content"]["status"] != "ok":
        sys.exit(f"The kernel says {reply['content']['ename']}: {reply['content']['evalue']}")
    same, turns = json.loads("".join(printed))
    return [
        Row("the same account", same, 1.0, _goal(same, USE_GOAL)),
        Row("two accounts in turns", turns, turns / same, _goal(turns, USE_GOAL)),
    ]


def _cli_v2() -> tuple[str, str] | None:
    """Find the AWS CLI v2 that `scripts/aws_cli.sh` fetched, and its version."""
    if not CLI_V2.exists():
        return None
    answer = _run([str(CLI_V2), "--version"])
    return str(CLI_V2), answer.split()[0].removeprefix("aws-cli/")


def _forget_role_credentials() -> None:
    shutil.rmtree(Path.home() / ".aws" / "cli" / "cache", ignore_errors=True)


def _run(command: list[str]) -> str:
    answer = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
        cwd=Path.home(),
    )
    if answer.returncode != 0:
        sys.exit(f"{' '.join(command)} failed: {(answer.stderr or answer.stdout).strip()}")
    return answer.stdout


def _goal(median: float, goal: float) -> str:
    return f"under {goal:.0f} ms: {'yes' if median < goal else '**no**'}"


def _table(title: str, rows: list[Row]) -> str:
    return "\n".join([f"## {title}\n", "| | median | ratio | goal |", "|---|---:|---:|---|", *map(str, rows)])


if __name__ == "__main__":
    sys.exit(main())
