"""What every test stands on: a machine that nobody uses, and a practice portal."""

from __future__ import annotations

import os
import signal
import threading
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import boto3
import botocore
import botocore.loaders
import pytest
from doubles import App, Clock, Kernel

from cuaws_magic import humanize
from cuaws_magic.credentials.environment import ADDRESS, SET, TAKEN_OUT, TOKEN_FILE, WINS_OVER_ADDRESS
from cuaws_magic.practice import Knobs, PracticePortal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A suite that was started in the background (`nohup make test &`) inherits an ignored SIGINT, and so would the kernels
# and programs that the tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Whatever of the machine could reach into a test.
_OURS = ("AWS_", "CUAWS_", "XDG_", "JUPYTER", "IPYTHON")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy")


class _SearchPaths(list[str]):
    """Each boto3 session appends boto3's own folder; once is enough."""

    def append(self, path: str) -> None:
        if path not in self:
            super().append(path)


@pytest.fixture(scope="session", autouse=True)
def one_botocore_loader() -> None:
    """Have all botocore sessions of this process share one loader: half of a test's time is reading service models."""
    loader = botocore.loaders.create_loader()
    loader._search_paths = _SearchPaths(loader._search_paths)
    botocore.register_initializer(lambda session: session.register_component("data_loader", loader))


@pytest.fixture(autouse=True)
def _no_credentials_left_behind() -> Iterator[None]:
    """Take out of botocore what a test's kernel put in front of its sessions, also where nobody released it."""
    before = list(botocore._INITIALIZERS)
    yield
    botocore._INITIALIZERS[:] = before


@pytest.fixture(autouse=True)
def _no_default_session() -> Iterator[None]:
    """Have each test find no default session of boto3, and leave none: it would keep the account of another test."""
    boto3.DEFAULT_SESSION = None
    yield
    boto3.DEFAULT_SESSION = None


@pytest.fixture(autouse=True)
def _environment_as_before() -> Iterator[None]:
    """Put the variables back that a test's kernel set and did not release: the next test's programs inherit them."""
    before = dict(os.environ)
    yield
    while App.opened:
        App.opened.pop().endpoint.close()
    for thread in threading.enumerate():
        if thread.name == "cuaws-seen":  # it writes into the home of this test
            thread.join(10)
    if dict(os.environ) != before:
        os.environ.clear()
        os.environ.update(before)
    for name in (*SET, *TAKEN_OUT, *WINS_OVER_ADDRESS, ADDRESS, TOKEN_FILE):
        if name in os.environ:  # what is inherited may be another than `os.environ` says
            os.putenv(name, os.environ[name])
        else:
            os.unsetenv(name)


@pytest.fixture(autouse=True)
def _time_zone_as_before() -> Iterator[None]:
    """A test that sets the zone of the times in texts sets it for itself."""
    yield
    humanize.use_time_zone(None)


@pytest.fixture(autouse=True)
def home(_environment_as_before: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give every test an empty home and no AWS settings; nothing asks the instance metadata service."""
    for name in list(os.environ):
        # IPython warns where another virtual environment is active than the one that runs the tests.
        if name.startswith(_OURS) or name in {*_PROXIES, "VIRTUAL_ENV"}:
            monkeypatch.delenv(name)
    folder = tmp_path / "home"
    folder.mkdir()
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("TZ", "UTC")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):  # a terminal beside a browser signs in by authorization code
        monkeypatch.delenv(name, raising=False)
    # The portals of tests approve by themselves, as a person would.
    monkeypatch.setenv("CUAWS_UNATTENDED", "no")
    return folder


@pytest.fixture
def portal(monkeypatch: pytest.MonkeyPatch) -> Iterator[PracticePortal]:
    """A practice portal that approves by itself at once, and that this process's SDK settings point to."""
    with PracticePortal(knobs=Knobs(approve_after=1, interval=1)) as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def app(portal: PracticePortal) -> Iterator[App]:
    """The app of a new kernel; afterwards the environment is as it was."""
    made = App()
    yield made
    made.release()
    # A client in a cycle of references lives on for a while, and would be renewed at the next test's portal.
    made.credentials._bound.clear()


@pytest.fixture
def clock() -> Clock:
    """A clock that stands at this second until a test moves it."""
    return Clock(datetime.now(timezone.utc).replace(microsecond=0))


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch, home: Path, clock: Clock) -> Iterator[Kernel]:
    """The parts of one kernel, at a practice portal that goes by the same clock."""
    with PracticePortal(knobs=Knobs(approve_after=1), now=clock) as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield Kernel(home, running, clock)
