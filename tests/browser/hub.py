"""A JupyterHub on loopback: people who type any password, each with a home of their own."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

PATIENCE = 40.0  # seconds for the hub to answer

_CONFIG = """
c.JupyterHub.bind_url = {url!r}
c.JupyterHub.hub_ip = "127.0.0.1"
c.JupyterHub.hub_port = {hub_port}
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie_secret"
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.cleanup_servers = True
c.JupyterHub.log_level = "WARN"
c.Authenticator.allow_all = True
c.ConfigurableHTTPProxy.command = [{node!r}, {proxy!r}]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.ConfigurableHTTPProxy.auth_token = {secret!r}
c.ConfigurableHTTPProxy.pid_file = "{folder}/proxy.pid"
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/homes/{{username}}"
c.Spawner.ip = "127.0.0.1"
c.Spawner.default_url = "/lab"
c.Spawner.environment = {environment!r}
c.Spawner.args = [
    "--allow-root", "--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True",
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--LabApp.extension_manager=readonly",
    "--ServerApp.log_level=WARN",
]
"""

_SETTINGS = {
    "apputils-extension/themes": {"theme": "JupyterLab Light"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    # Cells that are not in sight stay on the page.
    "notebook-extension/tracker": {"windowingMode": "none"},
    "docmanager-extension/plugin": {"autosave": False},
}


def missing_parts(parts: Path, chromium: Path) -> str:
    """Say in one line what is missing, and how to get it; nothing if all is there."""
    missing = [] if chromium.exists() else ["Chromium (`apt-get install chromium`)"]
    if not _proxy(parts).exists() or shutil.which("node") is None:
        missing.append("configurable-http-proxy (`sh scripts/browser_parts.sh`, which needs npm)")
    packages = ("jupyterhub", "playwright")
    missing += [f"{package} (`make test` installs it)" for package in packages if not _installed(package)]
    return f"The browser tests need {', '.join(missing)}." if missing else ""


def give_up(missing: str, environ: Mapping[str, str]) -> NoReturn:
    """Skip a person's run, and fail CI's, which has to have a browser."""
    (pytest.fail if environ.get("CI") == "true" else pytest.skip)(missing)


def _installed(package: str) -> bool:
    from importlib.util import find_spec

    return find_spec(package) is not None


def _proxy(parts: Path) -> Path:
    return parts / "node_modules" / "configurable-http-proxy" / "bin" / "configurable-http-proxy"


class Hub:
    """
    A running hub.

    Args:
        folder: Where homes, database and log are.

        parts: Where the proxy and other lines of ipykernel are.

        environment: What leads the users' kernels to the practice portal.
    """

    def __init__(self, folder: Path, parts: Path, environment: dict[str, str]) -> None:
        self._folder = folder
        # Another name than the portal's, since cookies do not know ports.
        self.url = f"http://localhost:{_free_port()}"
        self.log = folder / "hub.log"
        kernels = folder / "jupyter"
        self.kernels = {"python3"} | {
            _kernelspec(kernels, extra) for extra in sorted(parts.glob("ipykernel*")) if extra.is_dir()
        }
        (folder / "jupyterhub_config.py").write_text(
            _CONFIG.format(
                url=self.url.replace("localhost", "127.0.0.1"),
                hub_port=_free_port(),
                api_port=_free_port(),
                folder=folder,
                node=shutil.which("node"),
                proxy=str(_proxy(parts)),
                secret=secrets.token_hex(16),
                environment={
                    **environment,
                    "AWS_EC2_METADATA_DISABLED": "true",
                    "JUPYTER_PATH": str(kernels),
                    "TZ": "UTC",
                    "PYTHONPATH": "",
                },
            )
        )

    def __enter__(self) -> Hub:  # noqa: PYI034 - Self is not in Python 3.10
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "-f", str(self._folder / "jupyterhub_config.py")],
                cwd=self._folder,
                env=os.environ | {"PATH": path, "HOME": str(self._folder)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        end = time.monotonic() + PATIENCE
        while True:
            try:
                opener.open(f"{self.url}/hub/health", timeout=5).close()
            except OSError:  # noqa: PERF203 - a few attempts, with a pause each
                if time.monotonic() > end or self._process.poll() is not None:
                    self.__exit__(None, None, None)
                    raise AssertionError(f"The hub did not start:\n{self.log.read_text()[-3000:]}") from None
                time.sleep(0.2)
            else:
                return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(15)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # the proxy and the servers, if the hub left them
        self._process.wait()

    def home(self, user: str) -> Path:
        """Return somebody's home."""
        folder = self._folder / "homes" / user
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def clean(self) -> None:
        """Make every home one where nobody has signed in."""
        for home in (self._folder / "homes").glob("*"):
            for name in (".aws", ".local/state"):
                shutil.rmtree(home / name, ignore_errors=True)

    def settings(self, user: str, theme: str) -> None:
        """Write a person's settings of JupyterLab."""
        for name, content in _SETTINGS.items():
            path = (
                self.home(user) / ".jupyter" / "lab" / "user-settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"theme": f"JupyterLab {theme}"} if "theme" in content else content))

    def files(self, user: str) -> str:
        """Return everything in somebody's home as text."""
        return "\n".join(
            f"{path}\n{path.read_bytes().decode(errors='replace')}"
            for path in sorted(self.home(user).rglob("*"))
            if path.is_file()
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _kernelspec(kernels: Path, extra: Path) -> str:
    """Describe a kernel of this Python with another ipykernel in front of its own."""
    folder = kernels / "kernels" / extra.name
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(
        json.dumps(
            {
                "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
                "display_name": extra.name,
                "language": "python",
                "env": {"PYTHONPATH": str(extra)},
            }
        )
    )
    return extra.name


def let_it_end(hub: Hub, minutes: float) -> None:
    """Let the sign-in end soon, for all that this home remembers of it."""
    home, end = hub.home("ralphie"), time.time() + 60 * minutes
    (state,) = home.glob(".local/state/cuaws_magic/sign-in-*.json")
    state.write_text(json.dumps({"at": end - 8 * 3600}))
    (path,) = (one for one in home.glob(".aws/sso/cache/*.json") if "accessToken" in one.read_text())
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"expiresAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end))}))
