"""The notebooks that come with the package run from the first cell to the last."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest

from cuaws_magic.practice import Knobs

if TYPE_CHECKING:
    from collections.abc import Callable

    from cuaws_magic.practice import PracticePortal

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def test_there_are_notebooks():
    """The tour, the guide, and a question to many accounts."""
    assert [path.stem for path in NOTEBOOKS] == ["many-accounts", "quickstart", "the-guide"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_outputs(path: Path):
    """What somebody saved there by accident is not handed on."""
    notebook = nbformat.read(path, as_version=4)

    assert [cell.outputs for cell in notebook.cells if cell.cell_type == "code" and cell.outputs] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(start_kernel: Callable, path: Path):
    """Every cell, in a new home, ends well; nothing secret is in what it shows."""
    notebook = nbformat.read(path, as_version=4)
    kernel = start_kernel()

    cells = [kernel.good(cell.source) for cell in notebook.cells if cell.cell_type == "code"]

    shown = "\n".join(cell.ever for cell in cells)
    if path.stem != "many-accounts":
        assert "111111111111" in shown
        assert "222222222222" in shown
    assert "ASIA" not in shown


def test_a_question_to_forty_accounts(start_kernel: Callable, portal: PracticePortal):
    """The public buckets and the instances are found in the accounts where they are; every account is a row."""
    portal.knobs = Knobs(approve_after=1, accounts=38)  # two of the built-in ones are `research-*` as well
    path = next(path for path in NOTEBOOKS if path.stem == "many-accounts")
    sources = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    kernel = start_kernel()
    kernel.good("import cuaws_magic as cuaws; cuaws.login(); rows = [one.name for one in cuaws.accounts('research-*')]")
    names = kernel.value("rows")
    assert len(names) == 40
    for name, bucket, public in ((names[3], "everybodys", True), (names[3], "ours", False), (names[30], "open", True)):
        kernel.good(
            f"s3 = cuaws.session({name + '/Researcher'!r}).client('s3', region_name='us-east-1')\n"
            f"s3.create_bucket(Bucket={bucket!r}, ACL={'public-read' if public else 'private'!r})"
        )
    kernel.good(
        f"ec2 = cuaws.session({names[7] + '/Researcher'!r}).client('ec2', region_name='us-west-2')\n"
        "image = ec2.describe_images(Owners=['amazon'])['Images'][0]['ImageId']\n"
        "ec2.run_instances(ImageId=image, InstanceType='t3.micro', MinCount=1, MaxCount=1)"
    )

    cells = [kernel.good(source) for source in sources]

    found = next(cell.text for cell, source in zip(cells, sources, strict=True) if source.startswith("buckets = _"))
    assert ast.literal_eval(found) == [(names[3], "everybodys"), (names[30], "open")]
    asked = next(cell for cell, source in zip(cells, sources, strict=True) if "running = " in source)
    where = asked.text.splitlines()[-1]
    assert ast.literal_eval(where) == {names[7]: ["t3.micro"]}
    assert kernel.value("[len(buckets), len(running)]") == [40, 40]
    assert kernel.value("[one.error for one in [*buckets, *running] if one.error]") == []
