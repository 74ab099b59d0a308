"""
`make bench`: credentials for other programs. An answer of the endpoint beside a process for each answer, a cached
`cuaws-magic credentials` beside a Python that does nothing, and a renewal in sixteen Dask workers.
"""

from __future__ import annotations

import http.client
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cuaws_magic.commands.context import Context
from cuaws_magic.commands.credential_process import command_of
from cuaws_magic.commands.use import use
from cuaws_magic.ipython.display import TextDisplay
from cuaws_magic.practice import Knobs, PracticePortal

ROOT = Path(__file__).resolve().parent.parent
CLI_V2 = ROOT / "build" / "aws-cli" / "aws"
ANSWERS = 2000
PROCESSES = 15
WORKERS = 16
PROFILE = """\
[sso-session fedauth]
sso_start_url = https://cuboulder.awsapps.com/start
sso_region = us-west-2
[profile lab]
sso_session = fedauth
sso_account_id = 111111111111
sso_role_name = MyRole
region = us-west-2
"""


if sys.platform == "win32":

    def memory() -> float:
        """Return nothing: the system does not say it in this way."""
        return 0.0

else:

    def memory() -> float:
        """Return the most that this process had, in MB."""
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def milliseconds(command: list[str]) -> float:
    """Return the median of several runs."""
    times = []
    for _ in range(PROCESSES):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


def answers(url: str, token: str) -> list[float]:
    """Ask as an SDK does, a connection for each; in milliseconds."""
    parts, times = urlsplit(url), []
    for _ in range(ANSWERS):
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", parts.port or 0)
        connection.request("GET", parts.path, headers={"Authorization": token})
        connection.getresponse().read()
        connection.close()
        times.append(1000 * (time.perf_counter() - began))
    return sorted(times)


def dask_seconds() -> float:
    """Return how long a set takes to all of sixteen workers."""
    import distributed as _distributed

    import cuaws_magic as cuaws

    distributed: Any = _distributed

    with (
        distributed.LocalCluster(WORKERS, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        cuaws.use("111111111111/MyRole", verify=False)
        cuaws.dask.share(client)
        began = time.perf_counter()
        cuaws.dask.share(client)
        return time.perf_counter() - began


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as home, PracticePortal(knobs=Knobs(approve_after=1, interval=0)) as portal:
        for name in [name for name in os.environ if name.startswith(("AWS_", "XDG_"))]:
            del os.environ[name]
        os.environ.update(portal.environment, HOME=home, AWS_EC2_METADATA_DISABLED="true")
        (Path(home) / ".aws").mkdir()
        (Path(home) / ".aws" / "config").write_text(PROFILE)
        context = Context(os.environ)
        use(context, TextDisplay(os.environ), "111111111111/MyRole", verify=False)
        before = memory()
        served = context.credentials.current
        if served is None or served.served is None:
            sys.exit("nothing is served")
        times = answers(served.served.url, Path(served.served.token_file).read_text())
        grown = memory() - before
        rows = [
            ("endpoint, median", statistics.median(times), "under 1 ms"),
            ("endpoint, 99 of 100", times[int(len(times) * 0.99)], ""),
        ]
        nothing = milliseconds([sys.executable, "-c", "pass"])
        cached = milliseconds(shlex.split(command_of("111111111111", "MyRole", "fedauth")))
        rows += [
            ("`python -c pass`", nothing, ""),
            (f"credentials for `credential_process`, cached: {cached / nothing:.2f} of that", cached, "1.3 of it"),
        ]
        if CLI_V2.exists():
            command = [str(CLI_V2), "configure", "export-credentials", "--profile", "lab"]
            rows.append(
                ("`aws configure export-credentials` (v2), a process for each answer", milliseconds(command), "")
            )
        context.endpoint.close()
        rows.append((f"a renewal to {WORKERS} Dask workers", 1000 * dask_seconds(), ""))
        print("\n## Credentials for other programs\n\n| what | median, ms | goal |\n|---|---|---|")
        for what, value, goal in rows:
            print(f"| {what} | {value:.2f} | {goal} |")
        print(f"\nMemory after {ANSWERS} answers: {grown:.1f} MB more.")
        sys.stdout.flush()
        (ROOT / "build").mkdir(exist_ok=True)
        (ROOT / "build" / "bench-endpoint.json").write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
