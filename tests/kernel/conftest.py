"""Real kernels with a practice portal behind them, each in a home of its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import ssl
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from certificates import self_signed
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from cuaws_magic.practice import Knobs, PracticePortal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 30.0  # seconds; far more than anything here takes, so that only a hang fails by it
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Cell:
    """
    One execution, and all that came of it.

    Attributes:
        outputs: As they stand on the page now, updates applied.

        ever: Plain text and HTML of everything that stood there at any moment.

        status: `ok`, `error` or `aborted`; empty while it runs.

        reply: The whole reply.
    """

    def __init__(self, message_id: str) -> None:
        self.message_id = message_id
        self.outputs: list[dict[str, Any]] = []
        self.ever = ""
        self.status = ""
        self.reply: dict[str, Any] = {}
        self.idle = False

    @property
    def done(self) -> bool:
        return bool(self.status) and (self.idle or self.status == "aborted")

    @property
    def text(self) -> str:
        """What a person reads now, in plain text."""
        return "\n".join(plain(output) for output in self.outputs)

    @property
    def html(self) -> str:
        return "\n".join(output.get("data", {}).get("text/html", "") for output in self.outputs)

    @property
    def kind(self) -> str:
        """The class of the error; a person does not see it."""
        return next((str(one["ename"]) for one in self.outputs if one["output_type"] == "error"), "")

    @property
    def stopped(self) -> str:
        """What a person reads where they stopped the cell themselves; fails if any of it is red, or it did not end."""
        assert self.status == "error", self.outputs
        assert self.reply["ename"] == "Cancelled", self.reply
        assert not any(output["output_type"] == "error" for output in self.outputs), self.outputs
        assert "--jp-error-color" not in self.html
        return self.text.strip()

    @property
    def error(self) -> str:
        """The one line of the error output; fails if it is not one line."""
        errors = [output for output in self.outputs if output["output_type"] == "error"]
        assert len(errors) == 1, self.outputs
        return one_line(errors[0])


class Kernel:
    """
    A kernel of its own, in a home of its own.

    Args:
        home: Where HOME and the folders of IPython and Jupyter are.

        environment: More variables.
    """

    def __init__(self, home: Path, environment: dict[str, str]) -> None:
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        work = home / "work"
        work.mkdir(exist_ok=True)
        variables = os.environ | {
            "HOME": str(home),
            "USERPROFILE": str(home),
            "IPYTHONDIR": str(home / ".ipython"),
            "JUPYTER_CONFIG_DIR": str(home / ".jupyter"),
            "JUPYTER_DATA_DIR": str(home / "jupyter"),
            "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        self.manager = KernelManager(kernel_name="python3", connection_file=str(home / "kernel.json"))
        self._sockets = tempfile.TemporaryDirectory(prefix="k")  # a short path: names of sockets may not be long
        if os.name == "posix":
            # Ports are chosen before they are taken, and a kernel or portal beside this one may be faster.
            self.manager.transport, self.manager.ip = "ipc", f"{self._sockets.name}/k"
        with (home / "kernel.log").open("w") as log:
            self.manager.start_kernel(env=variables | environment, cwd=str(work), stdout=log, stderr=log)
        self._client = self.manager.client()
        self._client.start_channels()
        try:
            self._client.wait_for_ready(timeout=PATIENCE)
        except BaseException:
            self.end()
            raise
        self._cells: dict[str, Cell] = {}
        self._displays: dict[str, list[dict[str, Any]]] = {}

    def send(self, code: str) -> Cell:
        """Queue a cell as JupyterLab's "Run all" does; what follows an error is not run."""
        cell = Cell(self._client.execute(code, stop_on_error=True))
        self._cells[cell.message_id] = cell
        return cell

    def until(self, condition: Callable[[], object], patience: float = PATIENCE) -> None:
        """Read messages until something holds; fails when the patience is over."""
        end = time.monotonic() + patience
        while not condition():
            assert time.monotonic() < end, f"still waiting after {patience} s"
            self._read()

    def finish(self, cell: Cell, patience: float = PATIENCE) -> Cell:
        """Wait for the end of a cell."""
        self.until(lambda: cell.done, patience)
        return cell

    def run(self, code: str, patience: float = PATIENCE) -> Cell:
        """Run a cell to its end."""
        return self.finish(self.send(code), patience)

    def good(self, code: str) -> Cell:
        """Run a cell that must end well."""
        cell = self.run(code)
        assert cell.status == "ok", cell.text
        return cell

    def load(self) -> Kernel:
        """Load the extension; nothing is masked, so that a test sees what would be shown."""
        self.good(
            "%load_ext cuaws_magic\n"
            "from cuaws_magic.ipython import masked_output as _masked; _masked.mask = lambda *_: None; del _masked"
        )
        return self

    def value(self, expression: str) -> Any:
        """Return what an expression gives, as far as JSON can say it."""
        return json.loads(self.good(f"import json as _json; print(_json.dumps({expression}))").text)

    def complete(self, code: str) -> list[str]:
        """Return what Tab offers with the cursor at the end."""
        message_id = self._client.complete(code, len(code))
        content = self._reply(message_id)
        assert content["status"] == "ok", content
        return list(content["matches"])

    def inspect(self, code: str) -> str:
        """Return what Shift-Tab shows."""
        message_id = self._client.inspect(code, len(code))
        return str(self._reply(message_id)["data"]["text/plain"])

    def asked(self) -> dict[str, Any]:
        """Wait until the kernel asks a person something; returns the question."""
        content: dict[str, Any] = self._client.get_stdin_msg(timeout=PATIENCE)["content"]
        return content

    def answer(self, text: str) -> None:
        """Answer what the kernel asked."""
        self._client.input(text)

    def interrupt(self) -> None:
        """Press the stop button."""
        self.manager.interrupt_kernel()

    def run_all(self, *sources: str) -> tuple[nbformat.NotebookNode, CellExecutionError | None]:
        """Execute a notebook with nbclient; returns it, and the error that stopped it, if one did."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
        # A client with an identity of its own: two with one identity would take each other's replies.
        client = AsyncKernelClient(connection_file=self.manager.connection_file)
        client.load_connection_file()
        client.allow_stdin = False  # as nbclient sets it on a client of its own
        client.start_channels()
        client.allow_stdin = False  # as nbclient does with a client that it makes itself
        runner = NotebookClient(notebook, km=self.manager, timeout=PATIENCE)
        runner.kc = client
        try:
            runner.execute()
        except CellExecutionError as error:
            return notebook, error
        finally:
            client.stop_channels()
        return notebook, None

    def end(self, *, now: bool = True) -> None:
        """End the kernel; not `now`: as a person does, so that it writes its history."""
        self._client.stop_channels()
        if self.manager.has_kernel:
            self.manager.shutdown_kernel(now=now)
        self.manager.cleanup_resources()
        self._sockets.cleanup()

    def _reply(self, message_id: str) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            message = self._client.get_shell_msg(timeout=PATIENCE)
            if message["parent_header"].get("msg_id") == message_id:
                content: dict[str, Any] = message["content"]
                return content
        raise AssertionError("no reply")

    def _read(self) -> None:
        for message in self._waiting(self._client.iopub_channel, 0.05):
            self._take(message)
        for message in self._waiting(self._client.shell_channel, 0):
            cell = self._cells.get(message["parent_header"].get("msg_id"))
            if cell is not None:
                cell.status = message["content"]["status"]
                cell.reply = message["content"]

    @staticmethod
    def _waiting(channel: Any, patience: float) -> Iterator[dict[str, Any]]:
        while channel.socket.poll(int(patience * 1000)):
            yield channel.get_msg(timeout=1)
            patience = 0

    def _take(self, message: dict[str, Any]) -> None:
        kind, content = message["msg_type"], message["content"]
        cell = self._cells.get(message["parent_header"].get("msg_id"))
        if kind == "update_display_data":
            # None where nbclient displayed it.
            for output in self._displays.get(content["transient"]["display_id"], []):
                output["data"] = content["data"]
                output["updates"] += 1
            for one in self._cells.values():
                one.ever += "\n".join(content["data"].values())
        elif cell is None:
            return
        elif kind == "status":
            cell.idle = content["execution_state"] == "idle"
        elif kind in {"display_data", "execute_result", "stream", "error"}:
            output = {"output_type": kind, "updates": 0, **content}
            cell.outputs.append(output)
            cell.ever += plain(output) + output.get("data", {}).get("text/html", "")
            display_id = content.get("transient", {}).get("display_id")
            if display_id:
                self._displays.setdefault(display_id, []).append(output)


def plain(output: dict[str, Any]) -> str:
    """Return an output as plain text."""
    if output["output_type"] == "stream":
        return str(output["text"])
    if output["output_type"] == "error":
        return _COLOURS.sub("", "\n".join(output["traceback"]))
    return str(output["data"].get("text/plain", ""))


def one_line(output: dict[str, Any]) -> str:
    """Return the line of an error output; fails if there is more than one clean line."""
    assert len(output["traceback"]) == 1, output["traceback"]
    (line,) = output["traceback"]
    assert line == output["evalue"]
    assert not line.startswith(output["ename"])
    assert "\n" not in line
    assert "\x1b" not in line
    return str(line)


@pytest.fixture
def portal() -> Iterator[PracticePortal]:
    """A practice portal that approves at the first poll, until a test says otherwise."""
    with PracticePortal(knobs=Knobs(approve_after=1)) as running:
        yield running


@pytest.fixture
def start_kernel(portal: PracticePortal, tmp_path: Path) -> Iterator[Callable[..., Kernel]]:
    """Start kernels; they share a home, as those of one person do, unless another is given."""
    with ExitStack() as stack:

        def start(home: Path | None = None, **environment: str) -> Kernel:
            made = Kernel(home or tmp_path / "kernel-home", portal.environment | environment)
            stack.callback(made.end)
            return made

        yield start


@pytest.fixture
def kernel(start_kernel: Callable[..., Kernel]) -> Kernel:
    """A kernel that has loaded the extension."""
    return start_kernel().load()


@pytest.fixture
def waiting_code(portal: PracticePortal) -> Callable[[], str]:
    """Wait until a code waits for approval; returns it."""

    def wait(kernel: Kernel) -> str:
        kernel.until(portal.pending_user_codes)
        return portal.pending_user_codes()[-1]

    return wait


@pytest.fixture
def untrusted_endpoint() -> Iterator[str]:
    """An https address on loopback whose certificate nobody vouches for."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listening:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self_signed(Path(folder) / "certificate.pem", "127.0.0.1"))

        def shake_hands() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return  # the test is over
                with connection, contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True):
                    pass

        thread = threading.Thread(target=shake_hands, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE)
