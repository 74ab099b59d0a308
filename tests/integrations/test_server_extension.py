"""A real Jupyter server with the save hook: what it writes, beside other hooks, and where something is wrong."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
from doubles import RecordingShow, until

from cuaws_magic.redaction.known import KnownSecrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY_ID, KEY = "AKIAQ3EGR7Y2KJ5MZ4NB", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYsEcReTkEy1"
LEAKY = f"import os\nos.environ['AWS_SECRET_ACCESS_KEY'] = '{KEY}'\nkey_id = '{KEY_ID}'"
MODULE = "cuaws_magic.integrations.server_extension"

OTHER_HOOK = """
def other(model, **_):
    if model["type"] == "notebook":
        model["content"]["metadata"]["other"] = "was here"
c.FileContentsManager.pre_save_hook = other
"""


class Server:
    """A server of its own, in a folder of its own."""

    def __init__(self, folder: Path, config: str, *, enabled: bool) -> None:
        self.folder = folder / "notebooks"
        self.folder.mkdir()
        (folder / "config").mkdir()
        on = f"c.ServerApp.jpserver_extensions = {{{MODULE!r}: True}}\n" if enabled else ""
        (folder / "config" / "jupyter_server_config.py").write_text(f"{on}{config}")
        with socket.create_server(("127.0.0.1", 0)) as one:
            self.port = one.getsockname()[1]
        self.log = folder / "server.log"
        environment = os.environ | {"JUPYTER_CONFIG_DIR": str(folder / "config")}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "jupyter_server", "--no-browser", "--ip=127.0.0.1", "--allow-root"),
                    *(f"--port={self.port}", f"--ServerApp.root_dir={self.folder}", "--IdentityProvider.token=t0"),
                ],
                stdout=log,
                stderr=log,
                env=environment,
            )
        until(self.answers, 60)

    def answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(OSError):
            return bool(self.ask("GET", "api/status"))
        return False

    def ask(self, method: str, path: str, content: object = None) -> bytes:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/{path}",
            method=method,
            data=None if content is None else json.dumps(content).encode(),
            headers={"Authorization": "token t0", "Content-Type": "application/json"},
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
            return bytes(answer.read())

    def save(self, name: str, source: str = LEAKY, kind: str = "notebook") -> str:
        """Save as a page does; returns what is in the file."""
        made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
        content = made if kind == "notebook" else source
        model = {"type": kind, "format": "json" if kind == "notebook" else "text", "content": content}
        self.ask("PUT", f"api/contents/{name}", model)
        return (self.folder / name).read_text()

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture
def server(tmp_path: Path, home: Path) -> Iterator[Callable[..., Server]]:
    """Start servers; they end with the test."""
    started = []

    def start(config: str = "", *, enabled: bool = True) -> Server:
        started.append(Server(tmp_path, config, enabled=enabled))
        return started[-1]

    yield start
    for one in started:
        one.end()


def test_what_is_saved_has_no_secret(server: Callable[..., Server]) -> None:
    """The keys are not in the file, all the rest is; the log says so without them; text files are left alone."""
    running = server()

    saved = running.save("leaky.ipynb")

    assert KEY not in saved
    assert KEY_ID not in saved
    assert "[removed: AWS secret key]" in saved
    assert "import os" in saved
    nbformat.validate(nbformat.reads(saved, 4))
    clean = running.save("clean.ipynb", "print('nothing here')")
    assert "print('nothing here')" in clean
    assert running.save("notes.txt", LEAKY, "file") == LEAKY
    log = running.log.read_text()
    assert "2 secret(s) of AWS taken out of leaky.ipynb as it was saved" in log
    assert KEY not in log
    assert "clean.ipynb as" not in log


def test_off_unless_enabled(server: Callable[..., Server]) -> None:
    """A server that nobody enabled it in saves what it is given."""
    assert KEY in server(enabled=False).save("leaky.ipynb")


def test_the_server_knows_it(tmp_path: Path) -> None:
    """It comes with the package, valid, and off: `jupyter server extension enable` finds it."""
    listed = subprocess.run(
        [str(Path(sys.executable).parent / "jupyter-server"), "extension", "list"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=os.environ | {"JUPYTER_CONFIG_DIR": str(tmp_path)},
    )

    said = (listed.stdout + listed.stderr).partition(f"{MODULE} ")[2].splitlines()
    assert "disabled" in said[0]
    assert "OK" in said[2]


def test_beside_the_hook_of_somebody_else(server: Callable[..., Server]) -> None:
    """Both run."""
    saved = server(OTHER_HOOK).save("leaky.ipynb")

    assert KEY not in saved
    assert '"was here"' in saved


def test_a_failure_loses_no_save(server: Callable[..., Server], home: Path) -> None:
    """The notebook is in the file as it is, and the log says why."""
    broken = (
        "import cuaws_magic.integrations.server_extension as one\ndef fails(*_): raise OSError\none._scrub = fails\n"
    )
    running = server(broken)

    saved = running.save("leaky.ipynb")

    assert KEY in saved
    assert "leaky.ipynb was saved as it is (OSError)" in running.log.read_text()


def test_a_secret_of_this_home(server: Callable[..., Server], app) -> None:
    """A bare key that this home has used is known."""
    app.use(RecordingShow(), "111111111111")
    key = app.credentials.current.credentials.secret_access_key.reveal()
    until(lambda: KnownSecrets(app.state_store).lookup()(key))

    assert key not in server().save("bare.ipynb", f"x = '{key}'")
