"""
`python benchmarks/growth.py`: what grows with a home, and what does not.

Accounts by the thousand (completion, a mistyped name, search in the panel, what `accounts` sends to the page), five
thousand profiles (doctor, a first `use` beside a boto3 session), a thousand ended sign-ins (`logout --all` beside
`aws sso logout`), a warm kernel (`whoami`, a confirmed `use`), and the memory of a first `use`. All on loopback.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent / "scripts")]

from run import PROFILE, Row, _cli_v2, _forget_role_credentials, _goal, _run, _table  # noqa: E402 - as above

from cuaws_magic.practice import Knobs  # noqa: E402 - as above
from cuaws_magic.practice.machine import practice_machine  # noqa: E402 - as above

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ACCOUNTS = (1_000, 5_000, 20_000)
PROFILES = 5_000
SIGN_INS = 1_000
RUNS = 7
TABLE = Path(__file__).resolve().parent.parent / "build" / "bench-growth.md"

KERNEL = f"""
import json, statistics, time
shell = get_ipython()
began = time.perf_counter()
shell.run_line_magic("load_ext", "cuaws_magic")
shell.run_line_magic("cuaws", "use {PROFILE}")
first = 1000 * (time.perf_counter() - began)
def timed(call, runs=20):
    call()
    took = []
    for _ in range(runs):
        began = time.perf_counter()
        call()
        took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took)
def line(text):
    return lambda: shell.run_line_magic("cuaws", text)
import boto3
took = [first, timed(lambda: boto3.Session().client("sts").get_caller_identity()),
        timed(line("whoami")), timed(line("use {PROFILE}"))]
print(json.dumps(took))
"""
BOTO3_IN_A_KERNEL = f"""
import json, time
began = time.perf_counter()
import boto3
boto3.Session(profile_name="{PROFILE}").client("sts").get_caller_identity()
print(json.dumps([1000 * (time.perf_counter() - began)]))
"""
BOTO3 = f"import boto3; boto3.Session(profile_name='{PROFILE}').client('sts').get_caller_identity()"
OURS = f"import cuaws_magic; cuaws_magic.use('{PROFILE}')"
# What a process holds at its end; Linux only.
MEMORY = "; import os; print(int(open('/proc/self/statm').read().split()[1]) * os.sysconf('SC_PAGE_SIZE') / 1e6)"


def median(call: Callable[[], object], runs: int = RUNS) -> float:
    """Run something some times; returns milliseconds."""
    took = []
    for _ in range(runs):
        began = time.perf_counter()
        call()
        took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took)


def in_turns(first: Callable[[], object], second: Callable[[], object]) -> tuple[float, float]:
    """Run two things in turns, both from the same state; returns milliseconds of each."""
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(RUNS):
        for call, kept in zip((first, second), took, strict=True):
            _forget_role_credentials()
            kept.append(median(call, 1))
    return statistics.median(took[0]), statistics.median(took[1])


@contextmanager
def machine(accounts: int = 0, *, profiles: bool = False) -> Iterator[None]:
    """Be in a new home that is signed in, at a practice portal with that many accounts more."""
    with practice_machine(Knobs(approve_after=1, accounts=accounts), profiles=profiles):
        _run([sys.executable, "-c", "import cuaws_magic; cuaws_magic.login()"])
        yield


class Nowhere:
    """A page that nobody looks at."""

    in_place = False

    def __call__(self, view: object) -> Nowhere:  # noqa: ARG002 - as a display is called
        """Show nothing."""
        return self

    def update(self, view: object) -> None:
        """Show nothing."""


def of_accounts(count: int) -> list[Row]:
    """Measure what a person does with very many accounts, in one kernel."""
    from cuaws_magic.commands.accounts import accounts
    from cuaws_magic.commands.context import Context
    from cuaws_magic.commands.names import Names
    from cuaws_magic.commands.use import use
    from cuaws_magic.errors import UnknownTarget
    from cuaws_magic.ipython.grammar import Grammar
    from cuaws_magic.sso.accounts import SHOWN, AccountList

    context, grammar = Context(), Grammar()
    listing = accounts(context, Nowhere(), None)
    name = listing[len(listing) // 2].name

    def unknown() -> None:
        try:
            use(context, Nowhere(), f"{name[:-1]}xyz")
        except UnknownTarget:
            return
        sys.exit("A name that there is not was found.")

    shown = AccountList(listing, [], [], context.settings.is_production)
    typed = name[: len(name) // 2]
    completed = median(lambda: grammar.complete(f"%cuaws use {name[:4]}", name[:4], Names(context)))
    searched = median(lambda: shown.labels(shown.find(typed)[:SHOWN]))
    mistyped = median(unknown)
    table = median(lambda: accounts(context, Nowhere(), None).mimebundle())
    sent = len(json.dumps(accounts(context, Nowhere(), None).mimebundle())) / 1000
    of = f"{count:,} accounts"
    of_typo = _goal(mistyped, 20) if count < max(ACCOUNTS) else ""
    return [
        Row(f"completion, {of}", completed, goal=_goal(completed, 20)),
        Row(f"panel: what is typed, found and ready to send, {of}", searched, goal=_goal(searched, 50)),
        Row(f"a name that there is not, the list under a minute old, {of}", mistyped, goal=of_typo),
        Row(f"`accounts`, {of}: {sent:.0f} kB sent (goal 60)", table),
    ]


def of_profiles() -> list[Row]:
    """Measure a home with very many profiles."""
    config = Path.home() / ".aws" / "config"
    config.write_text(
        config.read_text(encoding="utf-8")
        + "".join(
            f"\n[profile lab{number:04}]\nsso_session = fedauth\nsso_account_id = {number:012}\n"
            "sso_role_name = MyRole\nregion = us-west-2\n"
            for number in range(PROFILES)
        ),
        encoding="utf-8",
    )
    boto3, ours = in_turns(lambda: _run([sys.executable, "-c", BOTO3]), lambda: _run([sys.executable, "-c", OURS]))
    path, os.environ["PATH"] = os.environ["PATH"], os.devnull  # `aws --version` alone takes a second
    doctor = (
        "import time; b = time.perf_counter(); import cuaws_magic; cuaws_magic.doctor(); print(time.perf_counter() - b)"
    )
    examined = 1000 * statistics.median(float(_run([sys.executable, "-c", doctor])) for _ in range(RUNS))
    os.environ["PATH"] = path
    return [
        Row(f"a boto3 session of one of {PROFILES:,} profiles, and STS, whole process", boto3, 1.0),
        Row(
            f"`use` of it, confirmed, whole process, {PROFILES:,} profiles", ours, ours / boto3, _ratio(ours / boto3, 1)
        ),
        Row(f"`doctor`, {PROFILES:,} profiles, no `aws` on the PATH", examined, goal=_goal(examined, 500)),
    ]


def _ratio(ratio: float, goal: float) -> str:
    return f"≤ {goal:g}: {'met' if ratio <= goal else '**missed**'}"


def of_sign_ins() -> list[Row]:
    """Measure the end of very many sign-ins, all of them over, beside the AWS CLI."""
    folder = Path.home() / ".aws" / "sso" / "cache"
    content = {"startUrl": "https://x.awsapps.com/start", "region": "us-west-2", "expiresAt": "2020-01-02T03:04:05Z"}

    def put() -> None:
        for number in range(SIGN_INS):
            text = json.dumps(content | {"accessToken": f"t{number}"})
            (folder / f"{number:040x}.json").write_text(text, encoding="utf-8")

    def timed(command: list[str]) -> float:
        took = []
        for _ in range(3):
            put()
            took.append(median(lambda: _run(command), 1))
        return statistics.median(took)

    cli = _cli_v2()
    theirs = timed([cli[0], "sso", "logout"]) if cli is not None else None
    ours = timed([sys.executable, "-c", "import cuaws_magic; cuaws_magic.logout(every=True)"])
    beside = (
        Row(f"`aws sso logout` of AWS CLI {cli[1]}, {SIGN_INS:,} ended sign-ins", theirs, 1.0)
        if cli and theirs
        else None
    )
    ratio = ours / theirs if theirs else None
    return [
        *([beside] if beside else []),
        Row(f"`logout --all`, {SIGN_INS:,} ended sign-ins", ours, ratio, _ratio(ratio, 1.5) if ratio else ""),
    ]


def of_a_kernel() -> list[Row]:
    """Measure a first `use` in a kernel beside boto3 in another, and a warm one."""
    firsts, theirs, warm = [], [], []
    for _ in range(RUNS):
        _forget_role_credentials()
        theirs += _in_a_kernel(BOTO3_IN_A_KERNEL)
        _forget_role_credentials()
        first, *rest = _in_a_kernel(KERNEL)
        firsts.append(first)
        warm.append(rest)
    boto3, ours = statistics.median(theirs), statistics.median(firsts)
    client, whoami, again = (statistics.median(column) for column in zip(*warm, strict=True))
    return [
        Row("a boto3 session of a profile, and STS, in a new kernel", boto3, 1.0),
        Row("`%load_ext` and a first `use`, confirmed, in a new kernel", ours, ours / boto3, _ratio(ours / boto3, 0.7)),
        Row("in a warm kernel: a new boto3 client, and STS", client),
        Row("in a warm kernel: `whoami`", whoami, goal=_goal(whoami, 10)),
        Row("in a warm kernel: `use`, confirmed", again, goal=_goal(again, 3)),
    ]


def _in_a_kernel(code: str) -> list[float]:
    from jupyter_client.manager import start_new_kernel

    printed: list[str] = []

    def listen(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream":
            printed.append(str(message["content"]["text"]))

    manager, client = start_new_kernel(extra_arguments=["--IPKernelApp.log_level=ERROR"])
    try:
        reply = client.execute_interactive(code, output_hook=listen, timeout=60)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    if reply["content"]["status"] != "ok":
        sys.exit(f"The kernel says {reply['content']['ename']}: {reply['content']['evalue']}")
    found: list[float] = json.loads("".join(printed))
    return found


def of_memory() -> list[str]:
    """Measure the memory that a process holds, beside plain boto3; in MB."""
    if not Path("/proc/self/statm").exists():
        return ["Memory is measured on Linux."]

    def held(program: str) -> float:
        return statistics.median(float(_run([sys.executable, "-c", program + MEMORY]).split()[-1]) for _ in range(RUNS))

    nothing, boto3, ours = held("pass"), held(BOTO3), held(OURS)
    both = held(f"{OURS}; import boto3; boto3.client('sts').get_caller_identity()")
    return [
        "| memory of a process at its end | MB |",
        "|---|---:|",
        f"| Python alone | {nothing:.1f} |",
        f"| a boto3 session of a profile, and STS | {boto3:.1f} |",
        f"| `use`, confirmed | {ours:.1f} |",
        f"| `use`, confirmed, then a boto3 client of one's own, and STS (goal: 4 more than boto3) | {both:.1f} |",
    ]


def main() -> int:
    """Measure, print the tables and write them; returns the exit status."""
    parts = []
    try:
        with machine(profiles=True):
            parts += [_table("In a kernel", of_a_kernel()), "\n".join(of_memory())]
            parts += [_table("A thousand ended sign-ins", of_sign_ins())]
        with machine(profiles=True):
            parts += [_table("Five thousand profiles", of_profiles())]
        rows = []
        for count in ACCOUNTS:
            with machine(count):
                rows += of_accounts(count)
        parts += [_table("Very many accounts, in one kernel", rows)]
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    text = "\n\n".join(["# What grows", *parts])
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(text + "\n", encoding="utf-8")
    print(f"{text}\n\nAlso in build/{TABLE.name}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
