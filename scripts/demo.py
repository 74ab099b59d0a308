"""
`make demo`: the quickstart notebook in a real kernel, on the practice portal, shown as it goes.

Nothing of the person's own is read or written: home and AWS are pretend ones.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cuaws_magic.practice import Knobs
from cuaws_magic.practice.machine import practice_machine

if TYPE_CHECKING:
    from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "notebooks" / "quickstart.ipynb"
BUILD = ROOT / "build"
LOG = BUILD / "kernel.log"  # what the kernel itself says, and where to approve a sign-in

CELL_TIMEOUT = 120  # seconds; a cell here takes one or two
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
WIDTH = min(shutil.get_terminal_size().columns, 100)


def main() -> int:
    """Run it; returns the exit status."""
    # A cell that is interrupted leaves its task behind, and asyncio would say so at length.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    paper = Paper()
    paper.text(
        "The quickstart notebook, in a real kernel. AWS is the practice portal, a pretend one on this machine: "
        "nothing leaves it. The portal approves the sign-in by itself; in `make lab` you do."
    )
    began = time.monotonic()
    try:
        with practice_machine(Knobs(approve_after=2)):
            os.environ["CUAWS_UNATTENDED"] = "no"  # the portal is the person
            failure = run(paper)
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    if failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    paper.text(
        f"Done in {time.monotonic() - began:.0f} s. As it ran: build/quickstart.ipynb; as a page: build/quickstart.html"
    )
    paper.text("Now yours: `make lab` opens it in JupyterLab, and you approve the sign-in in your browser.")
    return 0


def run(paper: Paper) -> str | None:
    """Execute the notebook and save it; returns a sentence about the cell that failed, if one did."""
    # Only now: Jupyter reads its folders from the environment when it is imported.
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    class ShownAsItGoes(NotebookClient):
        """Prints what nbclient collects."""

        def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
            paper.message(msg["msg_type"], msg["content"])
            return super().process_message(msg, cell, cell_index)

    notebook = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]  # Jupyter is half typed
    client = ShownAsItGoes(notebook, timeout=CELL_TIMEOUT)
    failure = None
    number = 0
    BUILD.mkdir(exist_ok=True)
    with LOG.open("wb") as log, client.setup_kernel(cwd=str(NOTEBOOK.parent), stdout=log, stderr=log):
        for index, cell in enumerate(notebook.cells):
            if cell.cell_type != "code":
                paper.markdown(cell.source)
                continue
            number += 1
            paper.source(number, cell.source)
            try:
                client.execute_cell(cell, index)
            except CellExecutionError as error:
                failure = f"Cell [{number}] failed: {error.ename}: {error.evalue}"
                break
            except CellTimeoutError:
                failure = f"Cell [{number}] had not ended after {CELL_TIMEOUT} seconds."
                break
            except DeadKernelError:
                failure = f"The kernel died in cell [{number}]; {LOG} may tell why."
                break
    save(notebook)
    return failure


def save(notebook: NotebookNode) -> None:
    """Write the executed notebook and a page of it under `build/`; the page loads nothing from elsewhere."""
    import nbformat
    from nbconvert import HTMLExporter

    nbformat.write(notebook, BUILD / "quickstart.ipynb")  # type: ignore[no-untyped-call]  # as above
    exporter = HTMLExporter(template_name="lab")  # type: ignore[no-untyped-call]  # as above
    page, _ = exporter.from_notebook_node(notebook)
    # Formulas, diagrams and widgets come from elsewhere, and there are none.
    page = re.sub(r"<script\b[^>]*\bsrc=\"https?://[^>]*>\s*</script>", "", page)
    page = re.sub(r"<script type=\"module\">.*?</script>", "", page, flags=re.DOTALL)
    (BUILD / "quickstart.html").write_text(page, encoding="utf-8")


class Paper:
    """The terminal: text, code and output apart from each other, in colour where that is wanted."""

    def __init__(self) -> None:
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal without UTF-8 shows `?`
        self._live = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self._colours = self._live and "NO_COLOR" not in os.environ
        self._replaceable = False

    def text(self, paragraph: str) -> None:
        """Print a paragraph."""
        print("\n" + textwrap.fill(" ".join(paragraph.split()), WIDTH), flush=True)

    def markdown(self, source: str) -> None:
        """Print a Markdown cell: titles strong, the rest as paragraphs."""
        for block in source.replace("**", "").split("\n\n"):
            if block.startswith("#"):
                print("\n" + self._in("1", block.lstrip("# ")), flush=True)
            else:
                print("\n" + self._in("2", textwrap.fill(" ".join(block.split()), WIDTH)), flush=True)

    def source(self, number: int, source: str) -> None:
        """Print the source of a code cell."""
        prompt = f"[{number}] "
        lines = textwrap.indent(source, " " * len(prompt)).lstrip()
        print("\n" + self._in("36", prompt) + self._in("1", lines), flush=True)
        self._replaceable = False

    def message(self, kind: str, content: dict[str, Any]) -> None:
        """Print what a message of the kernel would show on a page."""
        if kind == "stream":
            self._output(content["text"].rstrip("\n"))
        elif kind in {"display_data", "execute_result"}:
            self._output(_plain(content))
        elif kind == "update_display_data":
            self._replacement(_plain(content))
        elif kind == "error":
            self._output("\n".join(content["traceback"]), "31")

    def _output(self, text: str, colour: str = "") -> None:
        if not text:
            return
        if not self._colours:
            text = _COLOURS.sub("", text)
        print(textwrap.indent(self._in(colour, text), "    "), flush=True)
        self._replaceable = self._live and "\n" not in text and len(text) < WIDTH - 4

    def _replacement(self, text: str) -> None:
        """One line is written over the one before; a card stays, and its successor stands below it."""
        if self._replaceable:
            print("\x1b[1A\x1b[2K", end="")
        else:
            print(self._in("2", "    … and then, in the same place:"))
        self._output(text)

    def _in(self, colour: str, text: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._colours and colour else text


def _plain(content: dict[str, Any]) -> str:
    return str(content["data"].get("text/plain", "")).rstrip("\n")


if __name__ == "__main__":
    sys.exit(main())
