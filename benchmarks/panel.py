"""
How long the panel takes with 1,000 accounts, in a real kernel, beside plain widgets in the same kernel.

Run it alone: `.venv/bin/python benchmarks/panel.py`. Figures of one machine in one hour
mean little; the ratios to what ipywidgets itself takes there mean more.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ACCOUNTS = 1000
RUNS = 5  # fresh kernels
TIMEOUT = 60  # seconds for a cell

OPEN_GOAL = 150.0  # ms
FILTER_GOAL = 50.0  # ms
BYTES_GOAL = 20_000

# In the kernel: everything that is sent to the page is counted where it leaves.
MEASURE = """
import json, statistics, threading, time
shell = get_ipython()
session = shell.kernel.session
sent = [0]
def counted(stream, *args, _send=session.send, **more):
    message = _send(stream, *args, **more)
    if message: sent[0] += len(json.dumps(message, default=str))
    return message
session.send = counted
def timed(work):
    sent[0] = 0; began = time.perf_counter(); result = work()
    return 1000 * (time.perf_counter() - began), sent[0], result
shell.run_line_magic("load_ext", "cuaws_magic")
shell.run_line_magic("cuaws", "status")
first = timed(lambda: shell.run_line_magic("cuaws", "panel"))
again = timed(lambda: shell.run_line_magic("cuaws", "panel"))
import ipywidgets
plain = timed(lambda: ipywidgets.VBox([ipywidgets.Text() for _ in range(25)]))
panel = again[2].panel
while panel._widgets.role.disabled: time.sleep(0.01)  # it asks for the roles of the first account by itself
painted, paint = threading.Event(), panel._paint_safely
def paint_and_tell():
    paint(); painted.set()
panel._paint_safely = paint_and_tell
def typed(text):  # as a page's letter comes in, by the panel's own thread, which alone draws
    painted.clear(); panel._actions.put(lambda: panel._choice.type(text)); painted.wait(10)
def letters():
    return [timed(lambda: typed(text)) for text in ("r", "re", "res", "research-a", "prod 04", "1111", "")]
taken = letters() + letters() + letters()
select = ipywidgets.Select(options=[])
def whole(number): select.options = [f"research-{number}-{one}" for one in range(1000)]
whole_list = statistics.median(timed(lambda: whole(number))[0] for number in range(9))
print(json.dumps({
    "first": first[0], "again": again[0], "opened": again[1], "plain": plain[0],
    "filter": statistics.median(one[0] for one in taken), "slowest": max(one[0] for one in taken),
    "sent": max(one[1] for one in taken), "whole_list": whole_list,
}))
"""


def main() -> int:
    """Measure and print; returns the exit status."""
    sys.path.insert(0, str(ROOT / "scripts"))
    import cuaws_magic
    from cuaws_magic.practice import Knobs
    from cuaws_magic.practice.machine import practice_machine

    with practice_machine(Knobs(approve_after=1, accounts=ACCOUNTS - 5)):
        cuaws_magic.accounts(refresh=True)
        runs = sorted((_measured() for _ in range(RUNS)), key=lambda run: run["again"])
    middle = {name: sorted(run[name] for run in runs)[RUNS // 2] for name in runs[0]}
    print(f"## `%cuaws panel` with {ACCOUNTS:,} accounts, median of {RUNS} fresh kernels\n")
    print("| | median | ratio | goal |\n|---|---:|---:|---|")
    print(f"| 25 plain text fields of ipywidgets | {middle['plain']:.1f} ms | 1.00 | |")
    for what, name in (("first `%cuaws panel`, with its imports", "first"), ("another `%cuaws panel`", "again")):
        ratio = middle[name] / middle["plain"]
        print(f"| {what} | {middle[name]:.1f} ms | {ratio:.2f} | {_goal(middle[name], OPEN_GOAL, 'ms')} |")
    print(f"| a plain list of {ACCOUNTS:,} | {middle['whole_list']:.1f} ms | 1.00 | |")
    for what, name in (("a letter in the search field", "filter"), ("the slowest letter", "slowest")):
        ratio = middle[name] / middle["whole_list"]
        print(f"| {what} | {middle[name]:.1f} ms | {ratio:.2f} | {_goal(middle[name], FILTER_GOAL, 'ms')} |")
    goal = _goal(middle["sent"], BYTES_GOAL, "bytes")
    print(f"| the most that a letter sends | {middle['sent']:,.0f} bytes | | {goal} |")
    return 0


def _measured() -> dict[str, float]:
    """Run the cell in a new kernel."""
    from jupyter_client.manager import start_new_kernel

    printed: list[str] = []

    def listen(message: dict[str, object]) -> None:
        content = message["content"]
        if message["msg_type"] == "stream" and isinstance(content, dict) and content["name"] == "stdout":
            printed.append(str(content["text"]))

    manager, client = start_new_kernel(extra_arguments=["--IPKernelApp.log_level=ERROR"])
    try:
        # A page can ask for input, which is how the panel knows that somebody sits there.
        reply = client.execute_interactive(MEASURE, output_hook=listen, timeout=TIMEOUT, allow_stdin=True)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    if reply["content"]["status"] != "ok":
        sys.exit(f"The kernel says {reply['content']['ename']}: {reply['content']['evalue']}")
    figures: dict[str, float] = json.loads("".join(printed))
    return figures


def _goal(figure: float, goal: float, unit: str) -> str:
    return f"under {goal:,.0f} {unit}: {'yes' if figure < goal else '**no**'}"


if __name__ == "__main__":
    sys.exit(main())
