"""
Where nobody sits: papermill, nbconvert, `jupyter execute`, cron.

A sign-in that needs a person fails at once with one line, or waits as long as `CUAWS_LOGIN_WAIT` says; one that stands
works, without a prompt and without a browser.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import nbformat
import pytest
from browsing import Person

from cuaws_magic.practice import Knobs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Kernel

    from cuaws_magic.practice import PracticePortal

PATIENCE = 120  # seconds
SIGN_IN = "import cuaws_magic as cuaws; cuaws.login()"
NOBODY = (
    "Nobody is here to approve a sign-in to fedauth. Sign in beforehand, with `%cuaws login` in a notebook or with "
    "`aws sso login`, or set CUAWS_LOGIN_WAIT=10 to have it wait ten minutes for you."
)


@pytest.fixture(autouse=True)
def _a_person_is_needed(portal: PracticePortal) -> None:
    portal.knobs = Knobs()


class Machine:
    """A home, and programs that run in it without a terminal; whatever opens a browser is noted."""

    def __init__(self, folder: Path, portal: PracticePortal) -> None:
        self.folder = folder
        home = folder / "home-of-cron"
        (home / "bin").mkdir(parents=True)
        self.opened = home / "opened"
        browser = home / "bin" / "browser"
        browser.write_text(f'#!/bin/sh\necho "$1" >> {self.opened}\n')
        browser.chmod(0o755)
        self.variables = portal.environment | {
            "HOME": str(home), "USERPROFILE": str(home), "IPYTHONDIR": str(home / ".ipython"),
            "JUPYTER_CONFIG_DIR": str(home / "c"), "JUPYTER_DATA_DIR": str(home / "d"),
            "JUPYTER_RUNTIME_DIR": str(home / "r"), "CUAWS_UNATTENDED": "", "AWS_EC2_METADATA_DISABLED": "true",
            "DISPLAY": ":99", "BROWSER": str(browser),
        }  # fmt: skip

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a program to its end; returns what it said. Nothing is typed into it, and nobody reads along."""
        return subprocess.run(
            [sys.executable, *words], env=os.environ | self.variables | variables, cwd=self.folder,
            stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", check=False, timeout=PATIENCE,
        )  # fmt: skip

    def notebook(self, *cells: str, **tagged: str) -> Path:
        """Write a notebook; `parameters` is papermill's cell."""
        path = self.folder / "work.ipynb"
        made = [nbformat.v4.new_code_cell(one) for one in ("%load_ext cuaws_magic", *cells)]
        for tag, source in tagged.items():
            made.insert(1, nbformat.v4.new_code_cell(source, metadata={"tags": [tag]}))
        notebook = nbformat.v4.new_notebook(cells=made)
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "python3", "language": "python"}
        nbformat.write(notebook, path)
        return path


@pytest.fixture
def machine(tmp_path: Path, portal: PracticePortal) -> Machine:
    return Machine(tmp_path, portal)


RUNNERS = {
    "papermill": lambda path: ("-m", "papermill", str(path), str(path.with_name("done.ipynb"))),
    "nbconvert": lambda path: ("-m", "nbconvert", "--execute", "--to", "notebook", "--output", "done", str(path)),
    "jupyter execute": lambda path: ("-c", "from nbclient.cli import main; main()", str(path)),
}


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("line", ["%cuaws login", "%cuaws use awsucob0myaccount", "%cuaws login --no-wait"])
def test_it_fails_at_once(machine: Machine, portal: PracticePortal, runner: str, line: str) -> None:
    """One line that says what to do; no code is asked for, no browser opens, and what stands below does not run."""
    path = machine.notebook(line, "print('went on')")

    said = machine.run(*RUNNERS[runner](path))

    assert said.returncode != 0
    assert NOBODY in said.stderr.replace("\x1b[", "")
    assert portal.count("StartDeviceAuthorization") == 0
    assert not machine.opened.exists()


def test_a_script_of_cron(machine: Machine, portal: PracticePortal) -> None:
    """A script without a terminal, too."""
    said = machine.run("-c", SIGN_IN)

    assert said.returncode != 0
    assert said.stderr.strip().endswith(NOBODY)
    assert said.stdout == ""
    assert portal.calls == []
    assert not machine.opened.exists()


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_sign_in_that_stands_works(machine: Machine, portal: PracticePortal, runner: str) -> None:
    """Signed in before, everything runs: nobody is asked anything."""
    portal.knobs = Knobs(approve_after=1)
    assert machine.run("-c", SIGN_IN, CUAWS_LOGIN_WAIT="1").returncode == 0
    portal.clear_calls()
    path = machine.notebook(
        "%cuaws login", "%cuaws use awsucob0myaccount", "import boto3; boto3.client('sts').get_caller_identity()"
    )

    said = machine.run(*RUNNERS[runner](path))

    assert said.returncode == 0, said.stderr
    assert portal.count("StartDeviceAuthorization") == 0
    assert portal.count("sts:GetCallerIdentity") >= 2


def test_it_waits_if_that_is_wanted(machine: Machine, portal: PracticePortal) -> None:
    """Link and code come out, no browser opens, and it goes on when somebody approves."""
    portal.knobs = Knobs(approve_after=3)

    said = machine.run("-c", SIGN_IN, CUAWS_LOGIN_WAIT="1")

    assert said.returncode == 0, said.stderr
    assert f"{portal.url}/device?user_code=" in said.stdout
    assert not machine.opened.exists()


def test_it_waits_for_an_authorization_code_too(start_kernel: Callable[..., Kernel]) -> None:
    """Where nobody sees the page its link comes to the terminal, as a code does."""
    kernel = start_kernel(CUAWS_UNATTENDED="", CUAWS_LOGIN_WAIT="1", CUAWS_PKCE="1", CUAWS_REMOTE="0")
    link = re.compile(r"open (http://127\.0\.0\.1:\d+/authorize\?\S+)")
    people = []

    def approve() -> None:
        found = None
        while found is None:
            time.sleep(0.1)
            found = link.search((kernel.home / "kernel.log").read_text())
        people.append(Person(found[1]))

    threading.Thread(target=approve, daemon=True).start()
    notebook, error = kernel.run_all("%load_ext cuaws_magic", "%cuaws login")

    assert error is None
    assert "You are signed in" in people[0].sees()
    assert "authorize?" not in str(notebook)


def test_it_waits_no_longer_than_that(machine: Machine) -> None:
    """Then it is one line."""
    began = time.monotonic()

    said = machine.run("-c", SIGN_IN, CUAWS_LOGIN_WAIT="0.05")

    assert "The sign-in was not approved within 3 s." in said.stderr
    assert time.monotonic() - began < PATIENCE / 2


@pytest.mark.parametrize("wait", ["0", "never", "-1"])
def test_no_time_to_wait(machine: Machine, portal: PracticePortal, wait: str) -> None:
    """Nothing, or nonsense, is not for ever."""
    said = machine.run("-c", SIGN_IN, CUAWS_LOGIN_WAIT=wait)

    assert NOBODY in said.stderr
    assert portal.calls == []


def test_a_page_before_which_nobody_sits(start_kernel: Callable[..., Kernel], portal: PracticePortal) -> None:
    """`CUAWS_UNATTENDED=1` says so where it cannot be told, and IPython's configuration does."""
    kernel = start_kernel(CUAWS_UNATTENDED="1").load()

    assert kernel.run("%cuaws login").error == NOBODY
    assert kernel.run("%cuaws use awsucob0myaccount").error == NOBODY
    kernel.good("%config CuawsMagics.unattended = False")
    portal.knobs = Knobs(approve_after=1)
    assert kernel.good("%cuaws login").status == "ok"


def test_a_run_that_somebody_watches(machine: Machine, portal: PracticePortal) -> None:
    """`CUAWS_UNATTENDED=0` says that somebody reads along."""
    portal.knobs = Knobs(approve_after=3)

    said = machine.run("-c", SIGN_IN, CUAWS_UNATTENDED="0")

    assert said.returncode == 0, said.stderr


WORK = """
import time, boto3
sts, ends, keys = boto3.client("sts"), set(), set()
stop = time.monotonic() + seconds
while time.monotonic() < stop:
    assert sts.get_caller_identity()["Account"] == number
    keys.add(hash(sts._get_credentials().get_frozen_credentials().access_key))
    time.sleep(0.5)
print("sets of keys:", len(keys))
"""


def test_papermill_with_parameters_over_a_renewal(machine: Machine, portal: PracticePortal) -> None:
    """A real notebook with parameters: its account, and keys that are renewed while a cell runs."""
    portal.knobs = Knobs(approve_after=1, role_lifetime=45)  # renewed at a third of it
    assert machine.run("-c", SIGN_IN, CUAWS_LOGIN_WAIT="1").returncode == 0
    path = machine.notebook(
        "%cuaws use {account}", WORK, parameters="account, number, seconds = 'awsucob0myaccount', '111111111111', 1"
    )
    done = path.with_name("done.ipynb")

    said = machine.run(
        "-m", "papermill", str(path), str(done), "-p", "account", "awsucob0myotheraccount",
        "-r", "number", "222222222222", "-p", "seconds", "25",
    )  # fmt: skip

    assert said.returncode == 0, said.stderr
    (printed,) = [
        output.text
        for cell in nbformat.read(done, as_version=4).cells
        for output in cell.get("outputs", [])
        if output.get("text", "").startswith("sets of keys")
    ]
    assert int(printed.rpartition(" ")[2]) >= 2
    assert portal.count("GetRoleCredentials") >= 2
    assert portal.count("StartDeviceAuthorization") == 1
