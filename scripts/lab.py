"""
`make lab`: JupyterLab on `notebooks/`, with the practice portal in AWS's place, until Ctrl-C.

The notebooks are copies in `build/lab`: JupyterLab saves by itself, and the project's own stay without outputs. What a
person changed there is still there the next time.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from cuaws_magic.practice import Knobs
from cuaws_magic.practice.lab import run

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
COPIES = ROOT / "build" / "lab" / "notebooks"
LOG = ROOT / "build" / "lab.log"


def main() -> int:
    """Run it; returns the exit status."""
    COPIES.mkdir(parents=True, exist_ok=True)
    for notebook in NOTEBOOKS.glob("*.ipynb"):
        if not (COPIES / notebook.name).exists():
            shutil.copyfile(notebook, COPIES / notebook.name)
    return run(Knobs(approve_after=None), COPIES, LOG)


if __name__ == "__main__":
    sys.exit(main())
