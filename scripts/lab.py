"""
`make lab`: JupyterLab on `notebooks/`, with the practice portal in AWS's place, until Ctrl-C.

The notebooks are copies in `build/lab`: JupyterLab saves by itself, and the project's own stay without outputs. What a
person changed there is still there the next time. Home, and so `~/.aws`, is an empty one that is deleted afterwards.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from practice_machine import practice_machine

from cuaws_magic.practice import Knobs

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
COPIES = ROOT / "build" / "lab" / "notebooks"
LOG = ROOT / "build" / "lab.log"

PATIENCE = 60  # seconds until JupyterLab must answer
FAREWELL = 10  # seconds that it has to end its kernels


def main() -> int:
    """Run it; returns the exit status."""
    try:
        with practice_machine(Knobs(approve_after=None)) as portal:
            return lab(portal.url)
    except KeyboardInterrupt:
        print("\nEnded.")
        return 0


def lab(portal_url: str) -> int:
    """Run JupyterLab until it ends or somebody ends it; returns the exit status."""
    port = _free_port()
    token = secrets.token_hex(16)
    COPIES.mkdir(parents=True, exist_ok=True)
    for notebook in NOTEBOOKS.glob("*.ipynb"):
        if not (COPIES / notebook.name).exists():
            shutil.copyfile(notebook, COPIES / notebook.name)
    with LOG.open("wb") as log:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1"),
                *(f"--port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={COPIES}"),
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
                print(f"JupyterLab did not start; {LOG} tells why.", file=sys.stderr)
                return 1
            print(
                f"\nOpen   http://127.0.0.1:{port}/lab/tree/quickstart.ipynb?token={token}\n\n"
                f"The pretend AWS is the practice portal, {portal_url}\n"
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


if __name__ == "__main__":
    sys.exit(main())
