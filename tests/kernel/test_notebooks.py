"""The notebooks that come with the package run from the first cell to the last."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def test_there_are_notebooks():
    """The tour and the guide."""
    assert [path.stem for path in NOTEBOOKS] == ["quickstart", "the-guide"]


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
    assert "111111111111" in shown
    assert "222222222222" in shown
    assert "ASIA" not in shown
