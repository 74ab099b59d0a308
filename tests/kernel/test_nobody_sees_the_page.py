"""
`jupyter nbconvert --execute` when signed out: nobody is there, so it fails at once.

With `CUAWS_LOGIN_WAIT` the code comes to the terminal, and the run waits for the approval.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import nbformat
import pytest

from cuaws_magic.practice import Failure, Knobs

if TYPE_CHECKING:
    from pathlib import Path

    from cuaws_magic.practice import PracticePortal

PATIENCE = 120  # seconds
USED = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
LINE = re.compile(r"Sign in to CU Boulder · fedauth: open (\S+) and check the code (\S+) \(good for .+, until .+\)")


class Run:
    """A notebook that nbconvert executed, as a person does in a terminal."""

    def __init__(self, portal: PracticePortal, folder: Path, *cells: str, **variables: str) -> None:
        source, home = folder / "run.ipynb", folder / "run-home"
        home.mkdir()
        nbformat.write(
            nbformat.v4.new_notebook(
                cells=[nbformat.v4.new_code_cell(one) for one in ("%load_ext cuaws_magic", *cells)]
            ),
            source,
        )
        environment = os.environ | portal.environment | {
            "HOME": str(home), "IPYTHONDIR": str(home / ".ipython"), "JUPYTER_CONFIG_DIR": str(home / "c"),
            "JUPYTER_DATA_DIR": str(home / "d"), "JUPYTER_RUNTIME_DIR": str(home / "r"), "CUAWS_UNATTENDED": "",
            "CUAWS_LOGIN_WAIT": "2",
        } | variables  # fmt: skip
        if variables.get("PYTEST_CURRENT_TEST") == "":
            del environment["PYTEST_CURRENT_TEST"]  # where it stands ipykernel leaves standard error alone
        command = [sys.executable, "-m", "nbconvert", "--execute", "--to", "notebook", "--output", "done", str(source)]
        said = subprocess.run(
            command, env=environment, capture_output=True, encoding="utf-8", check=False, timeout=PATIENCE
        )
        self.status, self.terminal, self.out = said.returncode, said.stderr, said.stdout
        done = folder / "done.ipynb"
        self.file = done.read_text(encoding="utf-8") if done.exists() else ""

    @property
    def codes(self) -> list[tuple[str, str]]:
        """Link and code of each line of ours."""
        return LINE.findall(self.terminal)


@pytest.mark.parametrize("outside_pytest", [True, False], ids=["standard error watched", "left alone"])
def test_the_code_comes_to_the_terminal(portal: PracticePortal, tmp_path: Path, outside_pytest: bool) -> None:  # noqa: FBT001 - a case
    """Once, in one line; then the run goes on by itself, and the file that is written has no code in it."""
    portal.knobs = Knobs(approve_after=3)

    run = Run(
        portal,
        tmp_path,
        "%cuaws use awsucob0myaccount",
        USED,
        **({"PYTEST_CURRENT_TEST": ""} if outside_pytest else {}),
    )

    assert run.status == 0, run.terminal
    ((page, code),) = run.codes
    assert page == f"{portal.url}/device?user_code={code}"
    assert "111111111111" in run.file
    assert code not in run.file
    assert code not in run.out


def test_each_new_code_comes_too(portal: PracticePortal, tmp_path: Path) -> None:
    """When one has expired, the next is written; it is for nothing in the end, and the run ends with an error."""
    portal.knobs = Knobs(code_lifetime=1)

    run = Run(portal, tmp_path, "%cuaws login", PYTEST_CURRENT_TEST="")

    assert run.status != 0
    codes = [code for _, code in run.codes]
    assert len(codes) == len(set(codes)) == 4
    assert "4 codes expired" in run.terminal


def test_a_poll_without_answer_changes_the_card_alone(kernel, portal: PracticePortal) -> None:
    """The card says that the service has a problem; in the terminal the code stands already."""
    portal.knobs = Knobs(approve_after=4, failures=(Failure("CreateToken", 2, "503"),))

    _, error = kernel.run_all("%cuaws login")

    assert error is None
    assert (kernel.home / "kernel.log").read_text().count("and check the code") == 1


def test_nothing_is_written_where_the_page_is_seen(kernel, portal: PracticePortal) -> None:
    """A front end with a person before it has the card; the log of the server does not need it."""
    portal.knobs = Knobs(approve_after=2)

    cell = kernel.good("%cuaws login")

    log = (kernel.home / "kernel.log").read_text()
    assert "Sign in to" in cell.ever
    assert "Sign in to" not in log


def test_nothing_is_written_when_nobody_has_to_approve(kernel, portal: PracticePortal) -> None:
    """Signed in already: the run just goes on."""
    kernel.good("%cuaws login")

    _, error = kernel.run_all("%cuaws use awsucob0myaccount")

    assert error is None
    assert "Sign in to" not in (kernel.home / "kernel.log").read_text()
