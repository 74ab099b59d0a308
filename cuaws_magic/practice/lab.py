"""
`cuaws-magic practice --lab`: JupyterLab with the practice portal in AWS's place, until Ctrl-C.

Home, and so `~/.aws`, is an empty one that is deleted afterwards, and so are the notebooks where nobody names a folder
for them. `make lab` is the same, on copies of the project's notebooks that stay.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from cuaws_magic.practice.machine import practice_machine

if TYPE_CHECKING:
    from cuaws_magic.practice.knobs import Knobs

QUICKSTART = "quickstart.ipynb"
_INSTALLED = Path(__file__).with_name(QUICKSTART)  # in the wheel
_OF_THE_PROJECT = Path(__file__).parents[2] / "notebooks" / QUICKSTART  # beside the package

PATIENCE = 60  # seconds until JupyterLab must answer
FAREWELL = 10  # seconds that it has to end its kernels


def run(knobs: Knobs, folder: Path | None = None, log: Path | None = None) -> int:
    """
    Run JupyterLab and the practice portal until Ctrl-C; returns the exit status.

    Args:
        knobs: How the portal behaves.

        folder: Where the notebooks are; an empty one with the quickstart, which is deleted afterwards.

        log: Where JupyterLab writes.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        print("JupyterLab is not installed here. Run: pip install jupyterlab", file=sys.stderr)
        return 1
    try:
        with tempfile.TemporaryDirectory(prefix="cuaws-lab-", ignore_cleanup_errors=True) as temporary:
            if folder is None:
                folder = Path(temporary, "notebooks")
                folder.mkdir()
                shutil.copyfile(_INSTALLED if _INSTALLED.exists() else _OF_THE_PROJECT, folder / QUICKSTART)
            with practice_machine(knobs) as portal:
                return _lab(portal.url, folder, log or Path(temporary, "lab.log"))
    except KeyboardInterrupt:
        print("\nEnded.")
        return 0


def _lab(portal_url: str, folder: Path, log_file: Path) -> int:
    """Run JupyterLab until it ends or somebody ends it; returns the exit status."""
    port = _free_port()
    token = secrets.token_hex(16)
    with log_file.open("wb") as log:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1"),
                *(f"--port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder}"),
                # No news, no list of extensions: nothing here asks the network.
                "--LabApp.news_url=None",
                "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
                "--LabApp.extension_manager=readonly",
            ],
            # Not an argument: those can be read by every user of this machine.
            env=os.environ | {"JUPYTER_TOKEN": token},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for us; we end it in order
        )
        try:
            if not _answers(server, f"http://127.0.0.1:{port}/api?token={token}"):
                said = log_file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
                print(f"JupyterLab did not start; {log_file} tells why: {' '.join(said[-1:])}", file=sys.stderr)
                return 1
            print(
                f"\nOpen   http://127.0.0.1:{port}/lab/tree/{QUICKSTART}?token={token}\n\n"
                f"The pretend AWS is the practice portal, {portal_url}\n"
                "Your own notebooks can have %cuaws from the start: `cuaws-magic autoload`.\n"
                "Its sign-in page opens from the notebook, and there you approve. Ctrl-C here ends both.",
                flush=True,
            )
            return server.wait()
        finally:
            _end(server)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(server: subprocess.Popen[bytes], url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    ends = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < ends:
        try:
            opener.open(url, timeout=5).close()
        except OSError:  # noqa: PERF203 - a few attempts, with a pause each
            time.sleep(0.2)
        else:
            return True
    return False


def _end(server: subprocess.Popen[bytes]) -> None:
    """End it and its kernels; SIGTERM is how Jupyter ends without asking."""
    server.terminate()
    try:
        server.wait(FAREWELL)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
