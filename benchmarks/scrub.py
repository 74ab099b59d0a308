"""
`python benchmarks/scrub.py`: secrets found and missed on a thousand notebooks with known truth, and how fast.

Beside detect-secrets and nbstripout (which takes all outputs away) on the same files, and what masking costs an output.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "redaction"), str(ROOT / "tests")]

from test_scrub import corpus  # type: ignore[import-not-found]  # noqa: E402 - the notebooks that the tests make

from cuaws_magic.model import Secret  # noqa: E402 - as above
from cuaws_magic.redaction.live import Masker  # noqa: E402 - as above

COUNT = 500
TABLE = ROOT / "build" / "bench-scrub.md"


def main() -> int:
    """Measure, print the tables and write them; returns the exit status."""
    with tempfile.TemporaryDirectory(prefix="cuaws-bench-") as name:
        os.environ.update(HOME=name, USERPROFILE=name)
        folder = Path(name, "notebooks")
        for kind in ("leaky", "clean"):
            (folder / kind).mkdir(parents=True)
            for number, text, _ in corpus(COUNT, kind == "leaky"):
                (folder / kind / f"{number}.ipynb").write_text(text, encoding="utf-8")
        size = sum(path.stat().st_size for path in folder.rglob("*.ipynb")) / 1e6
        ours, our_time = _ours(folder)
        theirs, their_time = _detect_secrets(folder)
        strip_time = _nbstripout(folder)
    lines = [
        "# Scrubbing\n",
        f"{COUNT} notebooks with a leak each and {COUNT} without, {size:.1f} MB; whole processes.\n",
        "| | missed | false alarms per MB | MB/s |",
        "|---|---:|---:|---:|",
        _line("`cuaws-magic scrub --check` (goal: none, none)", ours, our_time, size),
        _line("`detect-secrets scan --all-files`", theirs, their_time, size),
        f"| `nbstripout` | | | {size / strip_time:.1f} |" if strip_time else "| `nbstripout` | not here | | |",
        "",
        *_masking(),
    ]
    text = "\n".join(lines)
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(f"{text}\n", encoding="utf-8")
    print(text)
    return 0


def _line(what: str, found: tuple[int, int] | None, seconds: float, size: float) -> str:
    if found is None:
        return f"| {what} | not here | | |"
    missed, alarms = found
    return f"| {what} | {missed} of {COUNT} | {alarms / (size / 2):.1f} | {size / seconds:.1f} |"


def _counted(files: list[str]) -> tuple[int, int]:
    """Return how many leaky notebooks have no finding, and how many findings clean ones have."""
    leaky = {Path(one).name for one in files if "leaky" in Path(one).parts}
    return COUNT - len(leaky), sum("clean" in Path(one).parts for one in files)


def _ours(folder: Path) -> tuple[tuple[int, int], float]:
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "cuaws_magic", "scrub", "--check", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    took = time.perf_counter() - began
    return _counted([line.split(".ipynb")[0] + ".ipynb" for line in done.stdout.splitlines() if ".ipynb" in line]), took


def _detect_secrets(folder: Path) -> tuple[tuple[int, int] | None, float]:
    package = ROOT / "build" / "detect-secrets"
    if not (package / "detect_secrets").exists():
        return None, 1.0
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "detect_secrets", "scan", "--all-files", str(folder)],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(package)},
    )
    took = time.perf_counter() - began
    results: dict[str, list[object]] = json.loads(done.stdout)["results"]
    return _counted([name for name, found in results.items() for _ in found]), took


def _nbstripout(folder: Path) -> float | None:
    package = ROOT / "build" / "nbstripout"
    if not (package / "nbstripout").exists():
        return None
    copy = folder.parent / "copy"
    shutil.copytree(folder, copy)
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "nbstripout", *map(str, copy.rglob("*.ipynb"))],
        capture_output=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(package)},
    )
    return time.perf_counter() - began


def _masking() -> list[str]:
    """Measure what an output costs that has no secret, with as many secrets as a kernel holds."""
    secrets = [Secret("k" * 20 + f"{number:020}") for number in range(2)] + [Secret("T" * 900), Secret("R" * 900)]
    masker = Masker(lambda: secrets)
    outputs = {
        "a line of a stream": "epoch 12: loss 0.1234\n",
        "a table of a DataFrame, 20 kB": {"data": {"text/plain": "1 2 3\n" * 300, "text/html": "<td>1</td>" * 1800}},
        "a picture, 200 kB": {"data": {"image/png": "iVBORw0KGgo" * 18_000, "text/plain": "<Figure>"}},
    }
    lines = ["| masking of an output without a secret | µs (goal: under 100 for an ordinary one) |", "|---|---:|"]
    for name, output in outputs.items():
        took = []
        for _ in range(200):
            began = time.perf_counter()
            if masker.masked(output) is not output:
                sys.exit("An output without a secret was changed.")
            if isinstance(output, str):
                masker.held_back(output)
            took.append(1e6 * (time.perf_counter() - began))
        lines.append(f"| {name} | {statistics.median(took):.1f} |")
    return lines


if __name__ == "__main__":
    sys.exit(main())
