"""`make demo` and `make lab` as processes, on copies of the project's scripts and notebooks."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import urllib.error
import urllib.request
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import nbformat
import psutil
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).parents[2]
PATIENCE = 120  # seconds; each takes some ten

# Runs a script as `python SCRIPT` does, and then says which secrets the practice portal gave away meanwhile.
_TELLING = """\
import atexit, json, runpy, sys
from pathlib import Path
from cuaws_magic.practice.moto_world import MotoWorld
from cuaws_magic.practice.state import State

script, told = sys.argv.pop(1), sys.argv.pop(1)
given = {}

def telling(kind, name, *secrets):
    method = getattr(kind, name)
    def called(*arguments):
        value = method(*arguments)
        for secret in secrets:
            given.setdefault(secret, []).append(getattr(value, secret))
        return value
    setattr(kind, name, called)

telling(MotoWorld, "issue", "access_key_id", "secret_access_key", "session_token")
telling(State, "register", "client_secret")
telling(State, "authorize", "user_code", "device_code")
telling(State, "sign_in", "sso_token", "refresh_token")
atexit.register(lambda: Path(told).write_text(json.dumps(given)))
sys.path[0] = str(Path(script).parent)
runpy.run_path(script, run_name="__main__")
"""


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project of its own, without a browser; afterwards nothing of it is in the folder for temporary files."""
    for folder in ("scripts", "notebooks"):
        shutil.copytree(PROJECT / folder, tmp_path / "project" / folder)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)

    yield tmp_path / "project"

    assert [path for path in temporary.iterdir() if path.name.startswith("cuaws-practice-")] == []


@pytest.mark.skipif(not shutil.which("make"), reason="no make here")
@pytest.mark.parametrize("target", ["demo", "lab"])
def test_make_runs_these_scripts(target: str):
    """What `make` would do last is to run the script, with the Python of .venv."""
    steps = subprocess.run(
        ["make", "--dry-run", "VENV=.venv", target], capture_output=True, text=True, check=True, cwd=PROJECT
    ).stdout

    assert steps.splitlines()[-1] == f"exec .venv/bin/python scripts/{target}.py"


def _plain(output: nbformat.NotebookNode) -> str:
    return str(output["text"] if output.output_type == "stream" else output.data["text/plain"]).rstrip("\n")


def _text(html: str) -> str:
    """What a person reads of a page, without any space."""
    return "".join(unescape(re.sub(r"<[^>]*>", "", html)).split())


def test_demo(copy: Path):
    """Every cell's output is in the terminal and in what is saved, no key is anywhere, and it says what comes next."""
    told = copy / "told.json"
    ran = subprocess.run(
        [sys.executable, "-c", _TELLING, str(copy / "scripts" / "demo.py"), str(told)],
        capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=copy,
    )  # fmt: skip

    assert (ran.returncode, ran.stderr) == (0, "")
    assert "make lab" in ran.stdout.splitlines()[-2] + ran.stdout.splitlines()[-1]
    notebook = nbformat.read(copy / "build" / "quickstart.ipynb", as_version=4)
    page = (copy / "build" / "quickstart.html").read_text(encoding="utf-8")
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    parts = re.split(r"^\[\d+\] ", ran.stdout, flags=re.MULTILINE)[1:]
    assert len(parts) == len(cells) > 10
    for part, cell in zip(parts, cells, strict=True):
        assert part.startswith(cell.source.splitlines()[0])
        for output in cell.outputs:
            assert textwrap.indent(_plain(output), "    ") in part
            assert _text(output.get("data", {}).get("text/html", "")) in _text(page)
    assert [cell.source for cell in cells if not cell.outputs and not cell.source.endswith(";")] == [
        "%load_ext cuaws_magic"
    ]
    for words in ("Signed in for", "ARN", "research-climate-dev", "cuaws-quickstart-", "Signed out of"):
        assert words in ran.stdout

    given = json.loads(told.read_text())
    saved = page + (copy / "build" / "quickstart.ipynb").read_text(encoding="utf-8")
    assert len(given) == 8
    assert given["user_code"][0] in ran.stdout
    for kind, secrets in given.items():
        assert secrets
        assert not [kind for secret in secrets if secret in saved]
        assert kind == "user_code" or not [kind for secret in secrets if secret in ran.stdout]
    assert not re.search(r"""<(script|link|img)\b[^>]*\b(src|href)=["']?(https?:)?//""", page)


def test_demo_with_a_cell_that_fails(copy: Path):
    """It names the cell and the error, ends with 1, and saves what ran until then."""
    path = copy / "notebooks" / "quickstart.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in ("1 + 1", "1 / 0", "2 + 2")]
    nbformat.write(notebook, path)

    ran = subprocess.run(
        [sys.executable, str(copy / "scripts" / "demo.py")],
        capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=copy,
    )  # fmt: skip

    saved = nbformat.read(copy / "build" / "quickstart.ipynb", as_version=4)
    assert (ran.returncode, ran.stderr.strip()) == (1, "Cell [2] failed: ZeroDivisionError: division by zero")
    assert "ZeroDivisionError" in ran.stdout
    assert "make lab" not in ran.stdout.splitlines()[-1]
    assert [len(cell.outputs) for cell in saved.cells] == [1, 1, 0]


def _status(url: str, method: str = "GET") -> int:
    request = urllib.request.Request(url, method=method, data=b"{}" if method == "POST" else None)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # loopback
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@contextlib.contextmanager
def _ended(parent: int) -> Iterator[list[psutil.Process]]:
    """Yield a list for processes; afterwards, those in it, the parent and all that it started are ended by force."""
    started: list[psutil.Process] = []
    try:
        yield started
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            started.extend(psutil.Process(parent).children(recursive=True))
            psutil.Process(parent).kill()
        for process in started:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def _words(process: psutil.Process) -> list[str]:
    """What others see of a process; nothing of one that has ended meanwhile, a zombie too."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return list(process.cmdline())
    return []


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C for one process")
@pytest.mark.parametrize(
    ("command", "number"),
    [
        (["scripts/lab.py"], signal.SIGINT),
        (["scripts/lab.py"], signal.SIGTERM),
        (["-m", "cuaws_magic", "practice", "--lab"], signal.SIGINT),
    ],
)
def test_lab(copy: Path, command: list[str], number: signal.Signals):
    """
    It says an address that opens the notebook, and none without its key; Ctrl-C ends all that it started.

    `make lab` from a clone, `cuaws-magic practice --lab` from an installed package.
    """
    with subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=copy,
    ) as lab, _ended(lab.pid) as started:  # fmt: skip
        lines: list[str] = []
        while not lines or "Ctrl-C" not in lines[-1]:
            lines.append(lab.stdout.readline())
            assert lines[-1], lab.stderr.read()
        said = "".join(lines)
        address, key = re.search(
            r"^Open +(http://\S+/lab/tree/quickstart\.ipynb\?token=(\w+))$", said, re.MULTILINE
        ).groups()
        portal = re.search(r"practice portal, (http://\S+)$", said, re.MULTILINE)[1]
        server = address.partition("/lab/")[0]

        statuses = [_status(address), _status(portal), _status(f"{server}/api/contents")]
        assert _status(f"{server}/api/kernels?token={key}", "POST") == 201
        started.extend(psutil.Process(lab.pid).children(recursive=True))
        seen_by_others = "\n".join(" ".join(_words(process)) for process in started)
        lab.send_signal(number)
        out, err = lab.communicate(timeout=PATIENCE)
        left = [process for process in started if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]

    assert statuses == [200, 200, 403]
    assert (copy / "build" / "lab.log").exists() is (command == ["scripts/lab.py"])
    assert "ipykernel" in seen_by_others
    assert key not in seen_by_others
    assert (lab.returncode, out, err) == (0, "\nEnded.\n", "")
    assert left == []
    for url in (server, portal):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", urlsplit(url).port)) != 0
