"""
`make bench`, second part: what it costs to stay fresh.

A working day is simulated: the clock jumps from one thing that is due to the next,
and the portal counts what it is asked. The rest is measured as it is.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from cuaws_magic.commands.context import Context
from cuaws_magic.commands.login import login, logout
from cuaws_magic.commands.status import release
from cuaws_magic.commands.use import use
from cuaws_magic.practice import Knobs, PracticePortal

if TYPE_CHECKING:
    from cuaws_magic.views.render import View

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "build" / "bench-freshness.md"

WORKING_DAY = timedelta(hours=8)
TOKEN_LIFE = 3600  # seconds that an SSO token lives between two refreshes
KERNELS = 20
CELLS = 20_000
READERS = 8
READS = 400  # of each reader, with and without renewals
SHORT_LIFE = 3  # seconds that credentials live where renewals should fall into the measurement
LATENCY = 0.05  # seconds that the portal takes for an answer there
IDLE = 20  # seconds

PER_CELL_GOAL = 20.0  # µs


class DayClock:
    """A clock that jumps."""

    def __init__(self) -> None:
        self.at = datetime.now(timezone.utc)

    def __call__(self) -> datetime:
        """Return the simulated time."""
        return self.at


class Nowhere:
    """A page that nobody reads."""

    in_place = False

    def __call__(self, view: View) -> Nowhere:  # noqa: ARG002 - as `Display` has it
        """Show nothing."""
        return self

    def update(self, view: View) -> None:
        """Show nothing."""


def main() -> int:
    """Measure, print the table, and keep it under `build/`."""
    lines = ["| what | figure | beside | ratio | goal |", "|---|---:|---:|---:|---|"]
    for measure in (working_day, per_cell, readers, idle):
        for row in measure():
            print(row, flush=True)
            lines.append(row)
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text("\n".join(lines) + "\n")
    return 0


def working_day() -> list[str]:
    """Count the calls of eight hours, for one kernel and for twenty of one home."""
    one, many = _calls_of_a_day(1), _calls_of_a_day(KERNELS)
    total_one, total_many = sum(one.values()), sum(many.values())
    told = ", ".join(f"{number} {operation}" for operation, number in sorted(one.items()))
    same = f"the same: {_yes(one == many)}"
    return [
        f"| calls of a working day, 1 kernel | {total_one} | | 1.00 | {told} |",
        f"| … {KERNELS} kernels | {total_many} | {total_one} | {total_many / total_one:.2f} | {same} |",
    ]


def _calls_of_a_day(kernels: int) -> dict[str, int]:
    clock = DayClock()
    with tempfile.TemporaryDirectory() as home:
        os.environ["HOME"] = home
        with PracticePortal(knobs=Knobs(approve_after=1, token_lifetime=TOKEN_LIFE, interval=0), now=clock) as portal:
            os.environ.update(portal.environment)
            apps = [Context(environ=dict(os.environ), now=clock) for _ in range(kernels)]
            login(apps[0], Nowhere())
            portal.clear_calls()
            begin = clock.at
            seen: dict[Path, int] = {}
            due: list[datetime] = []
            for app in apps:
                app.credentials._renewal.wake = lambda: None  # type: ignore[method-assign]  # noqa: SLF001 - we are the thread
                use(app, Nowhere(), "111111111111/MyRole", verify=False)
                _date(Path(home), clock.at, seen)
                due.append(clock.at)
            while min(due) < begin + WORKING_DAY:
                index = due.index(min(due))
                clock.at = max(clock.at, due[index])
                following = apps[index].credentials._keep_up()  # noqa: SLF001 - what the thread does
                _date(Path(home), clock.at, seen)
                due[index] = following or begin + WORKING_DAY
            counted: dict[str, int] = {}
            for call in portal.calls:
                counted[call.operation] = counted.get(call.operation, 0) + 1
            return counted


def _date(home: Path, at: datetime, seen: dict[Path, int]) -> None:
    """Give files that were written just now the date of the simulated clock."""
    for path in home.rglob("*.json"):
        if seen.get(path) != path.stat().st_mtime_ns:
            os.utime(path, (at.timestamp(), at.timestamp()))
            seen[path] = path.stat().st_mtime_ns


def per_cell() -> list[str]:
    """Measure what the look before each cell costs, beside an empty callback of IPython's."""
    code = f"""
import statistics, sys, time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "cuaws_magic")
magics = shell.magics_manager.registry["CuawsMagics"]
import cuaws_magic as cuaws
cuaws.use("111111111111/MyRole", verify=False)
magics.context
def cost(call):
    rounds = []
    for _ in range(9):
        began = time.perf_counter()
        for _ in range({CELLS}):
            call(None)
        rounds.append(1e6 * (time.perf_counter() - began) / {CELLS})
    return statistics.median(rounds)
class Result:
    error_in_exec = None
def both(_):
    magics.before_cell(None); magics.after_cell(Result)
print(cost(both), cost(lambda _: None))
"""
    with tempfile.TemporaryDirectory() as home, PracticePortal(knobs=Knobs(approve_after=1)) as portal:
        ran = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | portal.environment | {"HOME": home, "IPYTHONDIR": f"{home}/ipython"},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
    ours, empty = map(float, ran.stdout.splitlines()[-1].split())
    goal = f"under {PER_CELL_GOAL:g} µs: {_yes(ours < PER_CELL_GOAL)}"
    return [
        f"| before and after a cell | {ours:.2f} µs | {empty:.2f} µs, an empty callback | {ours / empty:.1f} | {goal} |"
    ]


def readers() -> list[str]:
    """Measure how long eight threads wait for credentials, with renewals going on and without."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["HOME"] = home
        with PracticePortal(knobs=Knobs(approve_after=1, latency=LATENCY)) as portal:
            os.environ.update(portal.environment)
            quiet = _slowest_reads(portal, role_life=4 * 3600)
            renewing = _slowest_reads(portal, role_life=SHORT_LIFE)
    rows = []
    for name, pick in (("median", statistics.median), ("slowest", max)):
        with_renewals, without = 1e6 * pick(renewing), 1e6 * pick(quiet)
        rows.append(
            f"| {READERS} threads read credentials, {name} | {with_renewals:.0f} µs with renewals of 50 ms | "
            f"{without:.0f} µs without | {with_renewals / without:.2f} | no reader waits for a renewal: "
            f"{_yes(with_renewals < 1e6 * LATENCY)} |"
        )
    return rows


def _slowest_reads(portal: PracticePortal, role_life: float) -> list[float]:
    from dataclasses import replace

    portal.knobs = replace(portal.knobs, role_lifetime=role_life)
    app = Context(environ=dict(os.environ))
    use(app, Nowhere(), "111111111111/MyRole", verify=False)
    source = app.credentials.current.source  # type: ignore[union-attr]  # in use since the line above
    took: list[float] = []
    before = portal.count("GetRoleCredentials")

    def read() -> None:
        bound = app.credentials.bind(source)  # what a client of botocore holds
        for _ in range(READS):
            began = time.perf_counter()
            bound()
            took.append(time.perf_counter() - began)
            time.sleep(0.01)

    threads = [threading.Thread(target=read) for _ in range(READERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    renewals = portal.count("GetRoleCredentials") - before
    if role_life == SHORT_LIFE and not renewals:
        message = "no renewal fell into the measurement"
        raise RuntimeError(message)
    logout(app)
    return took


def idle() -> list[str]:
    """Measure what the thread costs while nothing is due."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["HOME"] = home
        with PracticePortal(knobs=Knobs(approve_after=1)) as portal:
            os.environ.update(portal.environment)
            app = Context(environ=dict(os.environ))
            login(app, Nowhere())
            looks = 0
            work = app.credentials._keep_up  # noqa: SLF001 - what the thread does

            def counted() -> datetime | None:
                nonlocal looks
                looks += 1
                return work()

            app.credentials._renewal._work = counted  # noqa: SLF001 - to count it
            tracemalloc.start()
            before = tracemalloc.get_traced_memory()[0]
            use(app, Nowhere(), "111111111111/MyRole", verify=False)
            time.sleep(1)
            memory = (tracemalloc.get_traced_memory()[0] - before) / 1024
            tracemalloc.stop()
            first = looks
            time.sleep(IDLE)
            woken = looks - first
            release(app)
    return [
        f"| the idle thread wakes | {woken} times in {IDLE} s | | | at most every 5 minutes: {_yes(woken == 0)} |",
        f"| an account in use, Python memory | {memory:.0f} KiB | | | |",
    ]


def _yes(held: bool) -> str:  # noqa: FBT001 - one word of a table
    return "yes" if held else "**no**"


if __name__ == "__main__":
    for name in [name for name in os.environ if name.startswith(("AWS_", "CUAWS_", "XDG_"))]:
        del os.environ[name]
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    sys.exit(main())
