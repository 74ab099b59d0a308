"""
What goes wrong at each operation: what the person sees, and that the next attempt works.

A failure or two are asked again and nobody sees them; a service that stays down is one
line that says what to type, and changes nothing.
"""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from doubles import RecordingShow, until

from cuaws_magic import storage
from cuaws_magic.errors import CuawsError, NoAccess, NotSignedIn, ServiceFailure, Superseded, Throttled, Unreachable
from cuaws_magic.practice import Failure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from doubles import App

    from cuaws_magic.practice import PracticePortal

ACCOUNT = "awsucob0myaccount"


@pytest.fixture
def impatient(app: App, monkeypatch: pytest.MonkeyPatch) -> App:
    """An app whose pauses between attempts take no time."""
    monkeypatch.setattr(app.identity_center._questions._pace, "_sleep", lambda _: None)  # the pace is made inside
    return app


def login(app: App) -> object:
    return app.login(RecordingShow(), timeout=20)


def refresh(app: App) -> object:
    return app.context.login.required(app.choice.sso_session())


def listed(app: App) -> object:
    return app.accounts(RecordingShow(), refresh=True)


def roles(app: App) -> object:
    return app.accounts(RecordingShow(), ACCOUNT, roles=True, refresh=True)


def use(app: App) -> object:
    return app.use(RecordingShow(), "111111111111/MyRole", verify=False)


def use_and_confirm(app: App) -> object:
    return app.use(RecordingShow(), "111111111111/MyRole")


def logout(app: App) -> object:
    return app.logout()


# Operation, what to do, and whether somebody must be signed in before.
OPERATIONS: dict[str, tuple[Callable[[App], object], bool]] = {
    "RegisterClient": (login, False),
    "StartDeviceAuthorization": (login, False),
    "CreateToken": (login, False),
    "ListAccounts": (listed, True),
    "ListAccountRoles": (roles, True),
    "GetRoleCredentials": (use, True),
    "sts:GetCallerIdentity": (use_and_confirm, True),
}
PASSING = ["500", "503", "429", "reset", "malformed", "empty"]
LASTING = {
    "500": ServiceFailure,
    "503": ServiceFailure,
    "429": Throttled,
    "reset": Unreachable,
    "malformed": ServiceFailure,
    "empty": ServiceFailure,
}


@pytest.mark.parametrize("kind", PASSING)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_failure_that_passes_is_not_seen(impatient: App, portal: PracticePortal, operation: str, kind: str) -> None:
    """Two failures in a row, then an answer: the command succeeds."""
    act, signed_in = OPERATIONS[operation]
    if signed_in:
        login(impatient)
    interval = 1 if operation == "CreateToken" else 0  # 0 would be the five seconds of RFC 8628
    portal.knobs = dataclasses.replace(portal.knobs, interval=interval, failures=(Failure(operation, 2, kind),))

    act(impatient)

    assert portal.count(operation) >= 3


@pytest.mark.parametrize("kind", PASSING)
@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one != "CreateToken"])
def test_a_failure_that_lasts_is_one_line_and_the_next_attempt_works(
    impatient: App, portal: PracticePortal, operation: str, kind: str
) -> None:
    """The error says what to type, the environment is as it was, and afterwards the same command succeeds."""
    act, signed_in = OPERATIONS[operation]
    if signed_in:
        login(impatient)
    before = dict(os.environ)
    portal.knobs = dataclasses.replace(portal.knobs, interval=0, failures=(Failure(operation, 100, kind),))

    with pytest.raises(LASTING[kind]) as caught:
        act(impatient)

    assert "\n" not in str(caught.value)
    assert "again" in str(caught.value) or "`%cuaws" in str(caught.value)
    assert dict(os.environ) == before
    portal.knobs = dataclasses.replace(portal.knobs, failures=())
    act(impatient)


# 429 is not among them: from the sign-in service it is a SlowDown, and no trouble.
@pytest.mark.parametrize("kind", [one for one in PASSING if one != "429"])
def test_polling_goes_on_while_the_service_is_down(impatient: App, portal: PracticePortal, kind: str) -> None:
    """The code is still good: the card says that it goes on trying, and the approval is found."""
    show = RecordingShow()
    portal.knobs = dataclasses.replace(portal.knobs, approve_after=1, failures=(Failure("CreateToken", 2, kind),))

    impatient.login(show, timeout=30)

    assert show.kinds[-1] == "SignedIn"
    assert any("Still trying" in repr(view) for view in show.views)


@pytest.mark.parametrize("kind", PASSING)
def test_a_refresh_that_fails_leaves_a_good_sso_token_in_use(impatient: App, portal: PracticePortal, kind: str) -> None:
    """Due for a refresh, service down: what is still good is used; later it is refreshed."""
    portal.knobs = dataclasses.replace(portal.knobs, token_lifetime=600)
    login(impatient)
    path = impatient.token_cache.token_path(impatient.choice.sso_session())
    os.utime(path, (path.stat().st_mtime - 3600, path.stat().st_mtime - 3600))  # as if it were old: a refresh is due
    portal.knobs = dataclasses.replace(portal.knobs, failures=(Failure("CreateToken", 100, kind),))

    refresh(impatient)
    portal.knobs = dataclasses.replace(portal.knobs, failures=())
    portal.clear_calls()
    refresh(impatient)

    assert portal.count("CreateToken") == 1


# Logout answers with nothing, so nothing can be wrong with its body.
@pytest.mark.parametrize("kind", ["500", "503", "429", "reset", "401"])
def test_logout_ends_the_sign_in_here_whatever_the_portal_answers(
    impatient: App, portal: PracticePortal, kind: str
) -> None:
    """And says until when it lives on at AWS, if it does."""
    login(impatient)
    portal.knobs = dataclasses.replace(portal.knobs, failures=(Failure("Logout", 100, kind),))

    said = repr(impatient.logout())

    assert impatient.status().signed_in_until is None
    assert ("AWS ends it only at" in said) == (kind != "401")


def test_a_429_says_how_long_to_wait(app: App, portal: PracticePortal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry-After is kept."""
    pauses: list[float] = []
    login(app)
    monkeypatch.setattr(app.identity_center._questions._pace, "_sleep", pauses.append)
    portal.knobs = dataclasses.replace(portal.knobs, retry_after=7, failures=(Failure("GetRoleCredentials", 1, "429"),))

    use(app)

    assert max(pauses) == 7.0


def test_a_sign_in_revoked_in_the_middle_asks_for_a_new_one(impatient: App, portal: PracticePortal) -> None:
    """The file says good, the portal says 401: the next command that needs it has a person approve."""
    login(impatient)
    portal.revoke_sign_ins()
    portal.knobs = dataclasses.replace(portal.knobs, approve_after=2, interval=1)
    show = RecordingShow()

    impatient.use(show, ACCOUNT)

    assert portal.count("StartDeviceAuthorization") == 2
    assert show.kinds == ["AwaitingApproval", "SignedIn"]


def test_a_role_that_was_taken_away_is_not_a_sign_in_problem(impatient: App, portal: PracticePortal) -> None:
    """403 is not 401: nobody is asked to approve anything."""
    login(impatient)
    portal.remove_role("111111111111", "MyRole")
    show = RecordingShow()

    with pytest.raises(NoAccess, match="%cuaws accounts --roles --refresh"):
        impatient.use(show, "111111111111/MyRole")

    assert show.views == []
    assert portal.count("StartDeviceAuthorization") == 1


def test_a_slow_service_is_waited_for(impatient: App, portal: PracticePortal) -> None:
    """A late answer is an answer."""
    login(impatient)
    portal.knobs = dataclasses.replace(portal.knobs, failures=(Failure("GetRoleCredentials", 1, "slow", delay=1.0),))

    use(impatient)

    assert portal.count("GetRoleCredentials") == 1


# Disk.

FULL_DISK = """
    import os, resource, signal
    import cuaws_magic as cuaws
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    {before}
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))  # every write fails from here on
    signed_in = cuaws.login()
    print(signed_in)
    print(cuaws.use("awsucob0myaccount").account)
    cuaws.release()
    print(cuaws.use("awsucob0myotheraccount").account)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    cuaws.login(force=True)
    import time
    def names():
        return sorted(name for _, _, names in os.walk(os.path.expanduser("~")) for name in names)
    until = time.monotonic() + 20
    while any(".tmp" in name for name in names()) and time.monotonic() < until:
        time.sleep(0.01)  # a thread in the background, which renews or remembers, writes just now
    print(names())
"""


def python(code: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize("before", ["pass", "cuaws.login()"], ids=["first sign-in", "a file is there already"])
def test_with_a_full_disk_the_kernel_works_and_says_what_is_not_kept(portal: PracticePortal, before: str) -> None:
    """Every write fails: sign-in, accounts and credentials are this kernel's; with room again they are kept."""
    said = python(FULL_DISK.format(before=before))

    assert "111111111111\n222222222222" in said
    assert ("in this kernel only" in said) == (before == "pass")
    assert "68fff89d877d206161aeff3f3b70f2647f88c7b6.json" in said
    assert ".tmp" not in said


HOLDER = """
import sys, time, pathlib
from cuaws_magic import storage
with storage.lock(pathlib.Path(sys.argv[1])) as held:
    print(held, flush=True)
    time.sleep(60)
"""


def test_a_lock_holder_that_died_holds_nothing_up(home: Path) -> None:
    """The system gives the lock back when a process is killed."""
    path = home / "locks" / "one.lock"
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            HOLDER,
            str(path),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        holder.kill()

    with storage.lock(path) as held:
        assert held


@pytest.mark.parametrize("number", ["ENOLCK", "ENOSYS", "EOPNOTSUPP"])
def test_a_home_without_working_locks_is_used_without(home: Path, monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    """Some network file systems have none: at once, unlocked, and no lock file is left to wait for."""
    import errno
    import fcntl

    def refuse(*_: object) -> None:
        raise OSError(getattr(errno, number), "no locks here")

    monkeypatch.setattr(fcntl, "flock", refuse)

    with storage.lock(home / "locks" / "one.lock") as held:
        assert held is False


def test_the_portal_down_at_the_end_of_a_life_is_one_line(impatient: App, portal: PracticePortal) -> None:
    """Signed in, role credentials over, portal down: the error is the portal's, not a traceback."""
    login(impatient)
    portal.knobs = dataclasses.replace(portal.knobs, failures=(Failure("GetRoleCredentials", 100, "503"),))

    with pytest.raises(CuawsError) as caught:
        use(impatient)

    assert not isinstance(caught.value, NotSignedIn)
    assert caught.value._render_traceback_() == [str(caught.value)]


# Something else is wanted before it is done.


@pytest.fixture
def slow_sts(impatient: App, portal: PracticePortal) -> PracticePortal:
    """STS takes a second for its first answer."""
    login(impatient)
    portal.knobs = dataclasses.replace(portal.knobs, failures=(Failure("sts:GetCallerIdentity", 1, "slow", delay=1.0),))
    return portal


@pytest.mark.parametrize("end", ["logout", "release"])
def test_nothing_comes_back_after_an_end(impatient: App, slow_sts: PracticePortal, end: str) -> None:
    """A `use` under way in another thread does not put keys into a kernel that somebody signed out of meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(impatient.use, RecordingShow(), "111111111111/MyRole")
        until(lambda: slow_sts.count("GetRoleCredentials") == 1)
        getattr(impatient, end)()
        with pytest.raises(Superseded, match="another command came in between"):
            under_way.result(20)

    assert impatient.credentials.current is None
    assert "AWS_ACCESS_KEY_ID" not in os.environ


def test_the_latest_wish_counts(impatient: App, slow_sts: PracticePortal) -> None:
    """A slow `use` does not replace the account that was asked for after it."""
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(impatient.use, RecordingShow(), "111111111111/MyRole")
        until(lambda: slow_sts.count("GetRoleCredentials") == 1)
        impatient.use(RecordingShow(), "222222222222/MyOtherRole", verify=False)
        with pytest.raises(Superseded):
            under_way.result(20)

    assert os.environ["AWS_ACCOUNT_ID"] == "222222222222"
