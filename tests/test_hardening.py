"""What came out of trying to break the promises: each case stays mended."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ClientError
from doubles import NOON, App, Clock, RecordingShow, role_credentials

from cuaws_magic import api
from cuaws_magic.aws.service_errors import translate
from cuaws_magic.credentials.environment import KernelEnvironment
from cuaws_magic.credentials.refresh import LONGEST_SLEEP, RefreshThread
from cuaws_magic.errors import CredentialsRefused, CuawsError, PassingTrouble, ServiceFailure, Signal, UnknownTarget
from cuaws_magic.humanize import printable
from cuaws_magic.practice import Failure
from cuaws_magic.sso.device_flow import Keep
from cuaws_magic.sso.session import CU_BOULDER

if TYPE_CHECKING:
    from cuaws_magic.practice import PracticePortal

ROLE = "111111111111/MyRole"


class StubbornEnvironment(dict):
    """An environment in which a person presses Ctrl-C at a certain write."""

    def __init__(self, *args: object, interrupt_at: int) -> None:
        super().__init__(*args)
        self.writes = 0
        self.interrupt_at = interrupt_at

    def _count(self) -> None:
        self.writes += 1
        if self.writes == self.interrupt_at:
            raise KeyboardInterrupt

    def __setitem__(self, name: str, value: str) -> None:
        self._count()
        super().__setitem__(name, value)

    def pop(self, *args: object) -> object:
        self._count()
        return super().pop(*args)


@pytest.mark.parametrize("write", range(1, 11))
@pytest.mark.parametrize("act", ["install", "renew", "remove"])
def test_an_interrupt_leaves_the_environment_whole(write: int, act: str) -> None:
    """Wherever Ctrl-C comes: the set before, or the set after, and `remove` still gives back what was found."""
    environ = StubbornEnvironment({"AWS_PROFILE": "theirs", "PATH": "x"}, interrupt_at=-1)
    env = KernelEnvironment(environ)
    env.install(role_credentials(number=1), "us-west-2")
    before = dict(environ)
    environ.writes, environ.interrupt_at = 0, write

    try:
        {
            "install": lambda: env.install(role_credentials("222222222222", number=2), "us-east-1"),
            "renew": lambda: env.renew(role_credentials(number=3)),
            "remove": env.remove,
        }[act]()
        interrupted = False
    except KeyboardInterrupt:
        interrupted = True

    assert not interrupted or dict(environ) == before
    environ.interrupt_at = -1
    env.remove()
    assert dict(environ) == {"AWS_PROFILE": "theirs", "PATH": "x"}


def test_the_renewal_thread_outlives_a_bug() -> None:
    """What nobody foresaw is tried again; the thread does not die in silence."""
    clock = Clock()
    slept: list[float] = []
    answers = iter([RuntimeError("Set changed size during iteration"), None])

    def work() -> None:
        answer = next(answers)
        if answer is not None:
            raise answer

    def wait(_: threading.Event, seconds: float) -> bool:
        slept.append(seconds)
        return False

    renewal = RefreshThread(work, clock, wait)
    renewal.wake()
    end = time.monotonic() + 5
    while renewal.alive and time.monotonic() < end:
        time.sleep(0.01)

    assert slept == [LONGEST_SLEEP.total_seconds()]
    assert next(answers, "used up") == "used up"


def test_sessions_made_in_many_threads_do_not_disturb_the_renewal(app: App, portal: PracticePortal) -> None:
    """Binding and looking at what is bound go on at the same time."""
    app.use(RecordingShow(), ROLE)
    ends = time.monotonic() + 2

    def make() -> None:
        while time.monotonic() < ends:
            boto3.Session().get_credentials()

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    while time.monotonic() < ends:
        app.credentials._keep_up()
    for thread in threads:
        thread.join()

    assert app.credentials._renewal.alive


def test_logout_holds_against_a_renewal_on_its_way_back(app: App, portal: PracticePortal) -> None:
    """The credentials that come back after a logout are not kept."""
    app.use(RecordingShow(), ROLE, verify=False)
    source = app.credentials.current.source
    portal.knobs = dataclasses.replace(portal.knobs, failures=(Failure("GetRoleCredentials", 1, "slow", delay=1.0),))

    def renew() -> None:
        with contextlib.suppress(CuawsError):  # refused, if the portal was told of the logout first
            source.renew()

    renewing = threading.Thread(target=renew)
    renewing.start()
    time.sleep(0.3)

    app.logout()
    renewing.join()

    assert list(app.token_cache.role_folder.glob("*.json")) == []
    assert app.status().signed_in_until is None


def test_a_cancelled_sign_in_is_not_kept(kernel) -> None:
    """Approved in the same moment as nobody wanted it any more: ended at AWS, and not on disk."""
    steps = kernel.login.approval(CU_BOULDER)
    for step in steps:
        if isinstance(step, Keep):
            break

    steps.close()

    assert kernel.cache.load(CU_BOULDER).sso_token is None
    assert kernel.portal.count("Logout") == 1


def test_a_cache_file_of_another_account_is_not_used(app: App, portal: PracticePortal) -> None:
    """Whatever a file is called: what it says of itself decides."""
    app.use(RecordingShow(), ROLE)
    mine = next(app.token_cache.role_folder.glob("*.json"))
    app.use(RecordingShow(), "222222222222/MyOtherRole")
    other = next(path for path in app.token_cache.role_folder.glob("*.json") if path != mine)
    mine.write_bytes(other.read_bytes())

    again = App(environ=dict(os.environ))
    used = again.use(RecordingShow(), ROLE, verify=False)
    again.release()

    assert used.account == "111111111111"
    assert again.token_cache.load_role_credentials(CU_BOULDER, "111111111111", "MyRole").account_id == "111111111111"
    assert portal.count("GetRoleCredentials") == 3


def test_an_expected_error_brings_no_frames_of_ours(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """`%xmode Verbose` would show the values in them when somebody wraps the error."""
    monkeypatch.setattr(api, "the_context", lambda: app)

    with pytest.raises(UnknownTarget) as caught:
        api.use("no-such-account")

    files = {Path(frame.filename).name for frame in traceback.extract_tb(caught.value.__traceback__)}
    assert files <= {"test_hardening.py", "errors.py"}
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "operation",
    ["RegisterClient", "StartDeviceAuthorization", "CreateToken", "GetCallerIdentity"],
)
@pytest.mark.parametrize("code", ["", "UnauthorizedException", "InvalidClientException", "ExpiredTokenException"])
def test_no_turn_of_a_protocol_reaches_a_person(operation: str, code: str) -> None:
    """A proxy may answer 401 where no sign-in is involved; that is a refusal with a sentence."""
    error = ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 401}}, operation)

    translated = translate(error, operation, NOON)

    if isinstance(translated, PassingTrouble):
        translated = translated.final
    expected = {("StartDeviceAuthorization", "InvalidClientException"), ("CreateToken", "InvalidClientException")}
    expected |= {("CreateToken", "ExpiredTokenException")}
    if (operation, code) in expected:
        assert isinstance(translated, Signal)
    else:
        assert isinstance(translated, (ServiceFailure, CredentialsRefused))
        assert "`%cuaws" in str(translated)


@pytest.mark.parametrize(
    "content", ['{"at": 1e300}', '{"listed_at": 1e300, "accounts": {}, "roles": {}}', "[" * 100_000, '{"at": []}']
)
def test_damaged_memory_is_no_memory(app: App, portal: PracticePortal, content: str) -> None:
    """Whatever stands in our own files, commands go on."""
    app.use(RecordingShow(), "awsucob0myaccount")
    for path in app.context.login._own_state.folder.glob("*.json"):
        path.write_text(content)

    again = App(environ=dict(os.environ))

    assert again.status().signed_in_until is not None
    assert again.use(RecordingShow(), "awsucob0myaccount", verify=False).account == "111111111111"
    again.logout()


def test_a_name_that_a_terminal_would_obey_is_shown_as_text() -> None:
    """Escape sequences, bells and reversed writing from elsewhere become a mark."""
    assert printable("a\x1b[31m\u202eb\x07c") == "a\N{REPLACEMENT CHARACTER}[31m" + "\N{REPLACEMENT CHARACTER}b" + (
        "\N{REPLACEMENT CHARACTER}c"
    )


def test_a_cell_does_not_wait_long_for_a_silent_portal(app: App, portal: PracticePortal) -> None:
    """Credentials over, portal silent: the cell starts after a moment, and the next one at once."""
    portal.knobs = dataclasses.replace(portal.knobs, role_lifetime=2)
    app.use(RecordingShow(), ROLE, verify=False)
    portal.knobs = dataclasses.replace(
        portal.knobs, failures=(Failure("GetRoleCredentials", 50, "slow", delay=15.0),), role_lifetime=3600
    )
    time.sleep(2.2)

    waits = []
    for _ in range(2):
        began = time.monotonic()
        app.hints.before()
        waits.append(time.monotonic() - began)
    portal.knobs = dataclasses.replace(portal.knobs, failures=())

    assert waits[0] < 5
    assert waits[1] < 0.5
