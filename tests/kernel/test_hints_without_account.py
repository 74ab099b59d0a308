"""The first errors of somebody who has not typed `%cuaws use` yet: the line below the traceback says what to type."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Kernel

NO_REGION = "import boto3; boto3.client('ec2')"
IN_USE = "awsucob0myaccount"


def cards(cell):
    return [output for output in cell.outputs if output["output_type"] != "error"]


def test_no_region(kernel: Kernel) -> None:
    """The likeliest first error: boto3 asks for a region before it asks for credentials; `use` brings both."""
    failed = kernel.run(NO_REGION)

    assert "NoRegionError" in failed.text
    assert "No account is in use in this kernel" in cards(failed)[0]["data"]["text/plain"]
    (command,) = re.findall("`(%cuaws[^`]*)`", failed.text)
    assert kernel.good(command.replace("ACCOUNT", IN_USE)).status == "ok"
    assert kernel.good(NO_REGION).status == "ok"


def test_no_region_with_an_account_in_use(kernel: Kernel) -> None:
    """There the cell took it away itself: nothing is said."""
    kernel.good(f"%cuaws use {IN_USE}")

    failed = kernel.run(f"import os; del os.environ['AWS_REGION'], os.environ['AWS_DEFAULT_REGION']; {NO_REGION}")

    assert "NoRegionError" in failed.text
    assert cards(failed) == []


@pytest.mark.parametrize("variable", ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"])
def test_a_variable_that_names_no_profile(start_kernel: Callable[..., Kernel], variable: str) -> None:
    """What the hint says to type brings the cell to its end."""
    kernel = start_kernel(**{variable: "nosuch"}).load()

    failed = kernel.run("import boto3; boto3.client('ec2')")

    hint = cards(failed)[0]["data"]["text/plain"]
    assert f"{variable} names the profile nosuch, which is not there" in hint
    python, use = re.findall("`([^`]*)`", hint)
    kernel.good(python)
    kernel.good(use.replace("ACCOUNT", IN_USE))
    assert kernel.good(NO_REGION).status == "ok"


def test_a_cell_that_names_no_profile(kernel: Kernel) -> None:
    """Its own error says it already; no account would help."""
    failed = kernel.run("import boto3; boto3.Session(profile_name='nosuch')")

    assert "ProfileNotFound" in failed.text
    assert cards(failed) == []
