"""`%cuaws paste` in a real kernel: the keys work, and are gone from everything that keeps a cell."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from typing import TYPE_CHECKING

import nbformat
import pytest
from doubles import App, RecordingShow

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Kernel

    from cuaws_magic.practice import PracticePortal

ACCOUNT, ID = "awsucob0myaccount", "111111111111"
WHO = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"


@pytest.fixture
def keys(portal: PracticePortal, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Keys as the portal's page gives them; the machine that they are pasted on never signed in."""
    for name, value in portal.environment.items():
        monkeypatch.setenv(name, value)
    app = App(environ=dict(os.environ))
    values = json.loads(app.export(RecordingShow(), ACCOUNT, "process").reveal())
    return {name: values[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")}


@pytest.fixture
def text(keys: dict[str, str]) -> str:
    """The lines for bash."""
    return (
        f'export AWS_ACCESS_KEY_ID="{keys["AccessKeyId"]}"\n'
        f'export AWS_SECRET_ACCESS_KEY="{keys["SecretAccessKey"]}"\n'
        f'export AWS_SESSION_TOKEN="{keys["SessionToken"]}"\n'
    )


def pieces(keys: dict[str, str]) -> list[str]:
    """Whole values, and parts of them that quoting or cutting would leave."""
    return [part for value in keys.values() for part in (value[:16], value[-16:], value)]


# Looks for pieces in all that a kernel keeps in its memory; itself without leaving them in `In`.
SEEN = """
import gc as _gc, json as _json, linecache as _lc, os as _os
def _seen(path):
    pieces = _json.load(open(path))
    shell = get_ipython()
    hm = shell.history_manager
    places = {
        'In': shell.user_ns['In'], '_ih': shell.user_ns['_ih'], '_oh': [repr(v) for v in shell.user_ns['_oh'].values()],
        '_i': [v for k, v in shell.user_ns.items() if k.startswith('_i') and isinstance(v, str)],
        'raw': hm.input_hist_raw, 'parsed': hm.input_hist_parsed, 'exceptions': [repr(getattr(hm, 'exceptions', ''))],
        'cache': [repr(hm.db_input_cache)], 'attributes': [hm._i, hm._ii, hm._iii, hm._i00],
        'linecache': [repr(v) for v in list(_lc.cache.values())],
        'request': [repr(shell.get_parent())], 'result': [repr(shell.last_execution_result)],
        'namespace': [repr(v) for k, v in list(shell.user_ns.items()) if isinstance(v, (str, list, dict, tuple))],
        'history': [line for _, _, line in hm.get_range(raw=True)] + [line for _, _, line in hm.get_range(raw=False)],
        'tail': [line for _, _, line in hm.get_tail(50, include_latest=True)],
    }
    return sorted(name for name, texts in places.items() if any(p in t for p in pieces for t in texts))
"""


class Search:
    """Looks for keys in a kernel and in its home, without writing them where it looks."""

    def __init__(self, kernel: Kernel, keys: dict[str, str], folder: Path) -> None:
        self.kernel = kernel
        self.keys = keys
        self.path = folder / "what-to-look-for.json"
        self.path.write_text(json.dumps(pieces(keys)))
        kernel.good(SEEN)

    def in_memory(self) -> list[str]:
        found: list[str] = self.kernel.value(f"_seen({str(self.path)!r})")
        return found

    def on_disk(self) -> list[str]:
        """Names of files below the home that hold a piece, byte for byte; the history among them."""
        self.kernel.good("get_ipython().history_manager.writeout_cache()")
        wanted = [piece.encode() for piece in pieces(self.keys)]
        files = [path for path in self.kernel.home.rglob("*") if path.is_file()]
        assert any(path.name.startswith("history.sqlite") for path in files)
        return [path.name for path in files if any(piece in path.read_bytes() for piece in wanted)]

    def assert_nowhere(self, *cells: object) -> None:
        assert self.in_memory() == []
        assert self.on_disk() == []
        shown = "".join(str(getattr(cell, "ever", "")) + json.dumps(getattr(cell, "reply", "")) for cell in cells)
        assert not [piece for piece in pieces(self.keys) if piece in shown]


@pytest.fixture
def search(kernel: Kernel, keys: dict[str, str], tmp_path: Path) -> Search:
    return Search(kernel, keys, tmp_path)


def replaced_by(cell: object) -> str:
    """What JupyterLab puts in the cell's place: it reads this from a reply that is `ok`, and from no other."""
    assert cell.status == "ok"  # type: ignore[attr-defined]
    (payload,) = [one for one in cell.reply["payload"] if one["source"] == "set_next_input"]  # type: ignore[attr-defined]
    assert payload["replace"] is True
    return str(payload["text"])


def test_the_cell_wipes_itself(kernel: Kernel, text: str, search: Search) -> None:
    """The keys work in this kernel; the page, the memory and the history have them no more."""
    cell = kernel.good(f"%%cuaws paste\n{text}")
    following = kernel.good(WHO)

    assert following.text.strip() == ID
    assert "You are" in cell.text
    assert "ralphie@colorado.edu" in cell.text
    assert "not renewed" in cell.text
    instead = replaced_by(cell)
    assert instead.startswith("%%cuaws paste\n# The keys that were here are now in this kernel, at most until about ")
    search.assert_nowhere(cell)


def test_status_says_not_renewed(kernel: Kernel, text: str) -> None:
    """`%cuaws` shows the end, four hours from now, and what follows."""
    kernel.good(f"%%cuaws paste\n{text}")

    status = kernel.good("%cuaws")

    assert "until about" in status.text
    assert "not renewed; then type `%cuaws paste`" in status.text
    assert "Sign-in" not in status.text


def test_saved_as_well(kernel: Kernel, keys: dict[str, str], text: str) -> None:
    """`--save` writes the block; the cell's first line stays as it was typed."""
    cell = kernel.good(f"%%cuaws paste --save work\n{text}")

    assert replaced_by(cell).startswith("%%cuaws paste --save work\n#")
    credentials = kernel.home / ".aws" / "credentials"
    assert keys["SecretAccessKey"] in credentials.read_text()
    assert credentials.stat().st_mode & 0o777 == 0o600


BAD = {
    "cut off": lambda text: text[:-40],
    "only the first line": lambda text: text.splitlines()[0],
    "with invisible characters, cut off": lambda text: "\u200b".join(text[: len(text) // 2]),
    "not accepted by AWS": lambda text: text.replace('_ID="ASIA', '_ID="ASIA', 1).replace(text[-30:-20], text[-20:-10]),
    "JSON that is not whole": lambda text: json.dumps({"SecretAccessKey": text.split('"')[3]}),
}


@pytest.mark.parametrize("how", BAD)
def test_a_refused_cell_wipes_itself_too(kernel: Kernel, text: str, search: Search, how: str) -> None:
    """One clean line; "Run all" stops; the cell is replaced all the same."""
    cell = kernel.send(f"%%cuaws paste\n{BAD[how](text)}")
    behind = kernel.send("print('ran on')")
    kernel.finish(cell)
    kernel.finish(behind)

    assert cell.kind == "PasteRefused"
    assert replaced_by(cell).startswith("%%cuaws paste\n# What was here was refused")
    assert behind.status == "aborted"
    assert kernel.good("1+1").status == "ok"
    search.assert_nowhere(cell)


@pytest.mark.parametrize("line", ["past", "use awsucob0myaccount", "paste --sav x y z", ""])
def test_keys_below_another_line(kernel: Kernel, text: str, search: Search, line: str) -> None:
    """A slip in the first line must not leave them on the page."""
    cell = kernel.finish(kernel.send(f"%%cuaws {line}\n{text}"))

    assert replaced_by(cell).startswith("%%cuaws ")
    assert "%cuaws" in cell.text
    search.assert_nowhere(cell)


def test_keys_on_the_line_itself(kernel: Kernel, text: str, search: Search) -> None:
    """`%cuaws paste export …`: refused without a word of it, and gone."""
    cell = kernel.finish(kernel.send(f"%cuaws paste {text.splitlines()[1]}"))

    assert "Do not type keys on the command line" in cell.text
    assert replaced_by(cell).startswith("%%cuaws paste\n")
    search.assert_nowhere(cell)


def test_a_bug_shows_no_traceback(kernel: Kernel, text: str, search: Search) -> None:
    """Whatever goes wrong inside: one line, since a traceback would show the cell."""
    kernel.good("%xmode Verbose")
    kernel.good(
        "import cuaws_magic.commands.paste as _p\n"
        "def _broken(context, text, save=None): raise KeyError(text)\n"
        "_p.paste = _broken"
    )

    cell = kernel.finish(kernel.send(f"%%cuaws paste\n{text}"))
    kernel.run("%tb")

    assert "Something went wrong inside cuaws_magic (KeyError)" in cell.error
    search.assert_nowhere(cell)


def test_a_cell_that_failed_before_the_extension_was_there(
    start_kernel: object, text: str, keys: dict[str, str], tmp_path: Path
) -> None:
    """The next attempt takes what the first one left."""
    kernel = start_kernel()  # type: ignore[operator]
    first = kernel.run(f"%%cuaws paste\n{text}")
    kernel.load()

    kernel.good(f"%%cuaws paste\n{text}")

    assert first.status == "error"
    Search(kernel, keys, tmp_path).assert_nowhere()


def test_it_is_gone_while_aws_is_asked(kernel: Kernel, portal: PracticePortal, keys: dict[str, str], text: str) -> None:
    """Also if the kernel dies in the middle: the history on disk has had nothing in it since before STS was asked."""
    import dataclasses

    portal.knobs = dataclasses.replace(portal.knobs, latency=3.0)
    kernel.good("1")
    cell = kernel.send(f"%%cuaws paste\n{text}")
    time.sleep(1.5)

    history = next(kernel.home.rglob("history.sqlite"))
    in_the_middle = history.read_bytes()
    status = cell.status
    kernel.finish(cell)

    assert status == ""
    assert not [piece for piece in pieces(keys) if piece.encode() in in_the_middle]


def test_a_wiped_cell_asks_when_it_runs_again(kernel: Kernel, text: str, search: Search) -> None:
    """After a restart: the cell has only our comment in it, so the keys are asked for, hidden."""
    first = kernel.good(f"%%cuaws paste\n{text}")
    again = kernel.send(replaced_by(first))

    question = kernel.asked()
    kernel.answer(text.replace("\n", ""))
    kernel.finish(again)

    assert question["password"] is True
    assert "until about" in again.text
    search.assert_nowhere(again)


def test_the_hidden_prompt(kernel: Kernel, text: str, search: Search) -> None:
    """`%cuaws paste` asks with a password field, which drops the line ends."""
    cell = kernel.send("%cuaws paste")

    question = kernel.asked()
    kernel.answer(text.replace("\n", ""))
    kernel.finish(cell)

    assert question["password"] is True
    assert "Paste the keys" in question["prompt"]
    assert "ralphie@colorado.edu" in cell.text
    assert kernel.good(WHO).text.strip() == ID
    search.assert_nowhere(cell)


def test_the_hidden_prompt_refuses(kernel: Kernel, keys: dict[str, str], search: Search) -> None:
    """What was typed there is not repeated either."""
    cell = kernel.send("%cuaws paste")
    kernel.asked()
    kernel.answer(keys["SecretAccessKey"])
    kernel.finish(cell)

    assert cell.status == "error"
    assert cell.error.startswith("There are no keys in what was pasted.")
    search.assert_nowhere(cell)


def test_a_value_from_it(kernel: Kernel, text: str) -> None:
    """`x = %cuaws paste` gives the account in use."""
    cell = kernel.send("x = %cuaws paste")
    kernel.asked()
    kernel.answer(text)
    kernel.finish(cell)

    assert kernel.value("x.account") == ID


def test_where_nobody_can_be_asked(kernel: Kernel) -> None:
    """nbclient, papermill, nbconvert: one line that says what to do instead, and "Run all" stops."""
    notebook, error = kernel.run_all("%cuaws paste", "print('ran on')")

    assert error is not None
    said = notebook.cells[0].outputs[0]["evalue"]
    assert said.startswith("Keys cannot be asked for here. Type `%cuaws use ACCOUNT` instead, or `%cuaws use NAME`")
    assert "%%cuaws paste" not in said
    assert notebook.cells[1].outputs == []


@pytest.mark.parametrize("first_line", ["%%cuaws paste\n", "%%cuaws paste --save mine\n", "%%cuaws use x\n", "%cuaws "])
def test_a_notebook_without_a_page(
    kernel: Kernel, portal: PracticePortal, keys: dict[str, str], text: str, search: Search, first_line: str
) -> None:
    """With nbclient nothing wipes the cell: the keys are not used, and one line says where they still stand."""
    keys_there = text if first_line.endswith("\n") else text.replace("\n", " ")
    asked = portal.count("GetCallerIdentity")

    notebook, error = kernel.run_all(f"{first_line}{keys_there}", "print('ran on')")

    assert error is not None
    (output,) = notebook.cells[0].outputs
    assert output["ename"] == "PasteRefused"
    assert "were not used" in output["evalue"]
    assert "they are still in the notebook file. Delete them there by hand" in output["evalue"]
    assert output["evalue"].count("\n") == 0
    assert notebook.cells[1].outputs == []
    assert portal.count("GetCallerIdentity") == asked
    for cell in notebook.cells:
        cell.source = ""  # nbclient has no page to replace; the file that was there had them already
    written = nbformat.writes(notebook)
    assert not [piece for piece in pieces(keys) if piece in written]
    search.assert_nowhere()


def test_a_failing_cell_afterwards_gets_its_hint(kernel: Kernel, portal: PracticePortal, text: str) -> None:
    """When AWS says that they are over, the line under the traceback says what they were and what to type."""
    import dataclasses

    kernel.good(f"%%cuaws paste\n{text}")
    kernel.good("import boto3; sts = boto3.client('sts')")
    portal.knobs = dataclasses.replace(portal.knobs, clock_offset=4.2 * 3600)

    failed = kernel.run("sts.get_caller_identity()")

    assert "ExpiredToken" in failed.text
    assert "Pasted keys have expired" in failed.text
    assert "`%cuaws paste` with new ones, or `%cuaws use ACCOUNT`" in failed.text


def test_what_cannot_be_wiped_is_said(kernel: Kernel, text: str) -> None:
    """A log that the person asked IPython for is theirs; a history that is locked may keep the row."""
    kernel.good("%logstart mine.py")
    kernel.good(
        "import sqlite3\nother = sqlite3.connect(get_ipython().history_manager.hist_file)\n"
        "import cuaws_magic.ipython.cell_wipe as _w; _w._PATIENCE = 0.1\n"
        "get_ipython().history_manager.writeout_cache(); other.execute('BEGIN IMMEDIATE')"
    )

    cell = kernel.good(f"%%cuaws paste\n{text}")
    kernel.good("other.rollback()")

    assert "mine.py (`%logstart`) contains the keys" in cell.text
    assert "IPython's history could not be cleaned" in cell.text


def test_other_cells_keep_their_history(kernel: Kernel, text: str) -> None:
    """Only what had keys in it is wiped."""
    kernel.good("before = 'abcdefghijklmnop1234'")
    kernel.good(f"%%cuaws paste\n{text}")
    kernel.good("after = 1")

    kernel.good("get_ipython().history_manager.writeout_cache()")
    with sqlite3.connect(next(kernel.home.rglob("history.sqlite"))) as database:
        lines = [line for (line,) in database.execute("SELECT source_raw FROM history")]

    assert "before = 'abcdefghijklmnop1234'" in lines
    assert "after = 1" in lines
    assert any(line.startswith("%%cuaws paste\n# The keys that were here have been removed") for line in lines)
