"""Stand-ins for time, page and person, and the values that many tests begin with."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from cuaws_magic.aws.identity_center import IdentityCenter
from cuaws_magic.aws.transport import RateLimiter
from cuaws_magic.commands.accounts import accounts
from cuaws_magic.commands.configure import configure, forget
from cuaws_magic.commands.console import console
from cuaws_magic.commands.context import Context
from cuaws_magic.commands.export import export
from cuaws_magic.commands.login import login, logout
from cuaws_magic.commands.paste import paste
from cuaws_magic.commands.status import release, status, whoami
from cuaws_magic.commands.use import use
from cuaws_magic.credentials.broker import Broker
from cuaws_magic.diagnostics.checks import diagnose
from cuaws_magic.diagnostics.gather import gather
from cuaws_magic.model import (
    Account,
    AccountRole,
    ClientRegistration,
    DeviceAuthorization,
    RoleCredentials,
    Secret,
    SsoToken,
)
from cuaws_magic.sso.accounts import Accounts
from cuaws_magic.sso.device_flow import Wait
from cuaws_magic.sso.login import Login
from cuaws_magic.sso.session import CU_BOULDER
from cuaws_magic.sso.targets import Targets
from cuaws_magic.sso.token_cache import TokenCache
from cuaws_magic.state_store import StateStore
from cuaws_magic.views.render import Cell
from cuaws_magic.widget.offer import Offer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

    from cuaws_magic.model import SsoSession
    from cuaws_magic.practice import PracticePortal
    from cuaws_magic.sso.login import SignIn
    from cuaws_magic.views.render import View

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)
SCOPE = "sso:account:access"
# As the guide writes it (option 3, step 1).
THE_GUIDES_SIGN_IN = """\
[sso-session fedauth]
sso_start_url = https://cuboulder.awsapps.com/start
sso_region = us-west-2
sso_registration_scopes = sso:account:access
"""


def sso_profile(name: str, account_id: str, role: str, region: str = "us-west-2") -> str:
    """Return a profile as the guide writes it (option 3, step 2)."""
    return f"""
[profile {name}]
sso_session = fedauth
sso_account_id = {account_id}
sso_role_name = {role}
region = {region}
output = json
"""


def documented(cases: Sequence[Any]) -> pytest.MarkDecorator:
    """Run a test once per case; the case's own sentence is the test's id."""
    sentences = [case.documentation for case in cases]
    assert len(set(sentences)) == len(sentences), "two cases say the same"
    return pytest.mark.parametrize("case", cases, ids=sentences)


def until(holds: Callable[[], object], seconds: float = 20) -> None:
    """Wait until something holds that another thread brings about."""
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, "it never came"
        time.sleep(0.01)


class Clock:
    """A clock that stands until a test moves it."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class RecordingShow:
    """A page that remembers every view, and how often one was put there anew."""

    views: list[View] = field(default_factory=list)
    shown: int = 0
    in_place: bool = False

    def __call__(self, view: View) -> RecordingShow:
        self.shown += 1
        self.views.append(view)
        return self

    def update(self, view: View) -> None:
        self.views.append(view)

    @property
    def kinds(self) -> list[str]:
        return [type(view).__name__ for view in self.views]


_A_CELL = Cell("a", "b")


class NotebookPage(RecordingShow):
    """A page on which a person can press the buttons below its cells."""

    def __init__(self, cell: Cell | None = _A_CELL) -> None:
        super().__init__(in_place=True)
        self.cell = cell

    def button(self, words: str | None = None) -> Offer:
        """Return the button, or the one with these words."""
        (found,) = [one for one in self.views if isinstance(one, Offer) and words in {None, one._button.description}]
        return found


def a_registration(expires_at: datetime = NOON + 2000 * HOUR) -> ClientRegistration:
    return ClientRegistration("client-id", Secret("s3cret-client"), expires_at)


def an_sso_token(text: str = "s3cret-sso", expires_at: datetime = NOON + 8 * HOUR, **more: Any) -> SsoToken:
    return SsoToken(
        **{
            "start_url": CU_BOULDER.start_url,
            "sso_region": "us-west-2",
            "access_token": Secret(text),
            "expires_at": expires_at,
            "refresh_token": Secret("s3cret-refresh"),
            "registration": a_registration(),
            "obtained_at": NOON,
            **more,
        }
    )


def a_device_authorization(issued_at: datetime = NOON, **more: Any) -> DeviceAuthorization:
    return DeviceAuthorization(
        **{
            "device_code": Secret("s3cret-device"),
            "user_code": "ABCD-1234",
            "verification_uri": "https://device.sso.us-west-2.amazonaws.com/",
            "verification_uri_complete": "https://device.sso.us-west-2.amazonaws.com/?user_code=ABCD-1234",
            "interval": 5,
            "issued_at": issued_at,
            "expires_at": issued_at + timedelta(seconds=600),
            **more,
        }
    )


def role_credentials(account_id: str = "111111111111", number: int = 1, **more: Any) -> RoleCredentials:
    return RoleCredentials(
        **{
            "account_id": account_id,
            "access_key_id": Secret(f"ASIAS3CRET{number}"),
            "secret_access_key": Secret(f"s3cret-key-{number}"),
            "session_token": Secret(f"s3cret-role-{number}"),
            "expires_at": NOON + 4 * HOUR,
            "obtained_at": NOON,
            **more,
        }
    )


def account_role(
    account_id: str = "111111111111", role_name: str = "MyRole", sso_session: SsoSession = CU_BOULDER
) -> AccountRole:
    return AccountRole(Account(account_id, "awsucob0myaccount"), role_name, sso_session)


def walk(steps: Generator[Any, None, Any], clock: Clock, seen: list[Any] | None = None) -> tuple[Any, list[Any]]:
    """Do what the steps of a sign-in say, with the clock going on instead of waiting; returns the result and them."""
    seen = [] if seen is None else seen
    while True:
        try:
            step = next(steps)
        except StopIteration as finished:
            return finished.value, seen
        seen.append(step)
        if isinstance(step, Wait):
            clock.forward(seconds=step.seconds)


@dataclass
class Kernel:
    """What `App` wires, each part in reach; several of them are several kernels of one home."""

    home: Path
    portal: PracticePortal
    clock: Clock

    def __post_init__(self) -> None:
        self.cache = TokenCache.default()
        self.own_state = StateStore(self.home / "state")
        self.identity_center = IdentityCenter(now=self.clock, pace=RateLimiter(sleep=lambda _: None))
        self.login = Login(self.identity_center, self.cache, self.own_state, self.clock)
        self.broker = Broker(self.identity_center, self.login, self.cache, self.own_state, self.clock)
        self.directory = Accounts(self.identity_center, self.login, self.own_state, self.clock)
        self.targets = Targets(self.directory)

    def another(self) -> Kernel:
        return Kernel(self.home, self.portal, self.clock)

    def walk(self, steps: Generator[Any, None, SignIn]) -> tuple[SignIn, list[Any]]:
        """Do what the steps say, with the clock going on instead of waiting."""
        return walk(steps, self.clock)

    def sign_in(self, sso_session: SsoSession = CU_BOULDER, *, force: bool = False) -> SignIn:
        return self.walk(self.login.approval(sso_session, force=force))[0]


_COMMANDS = {
    one.__name__: one
    for one in (accounts, configure, console, export, forget, login, logout, paste, release, status, use, whoami)
}


class App:
    """
    One kernel: the commands with their context given, as the magic and the functions give it.

    `app.use(show, "lab")` is `use(app.context, show, "lab")`; the parts of the context are attributes too.
    """

    opened: ClassVar[list[App]] = []  # those of the test that runs

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self.context = Context(*arguments, **named)
        self.opened.append(self)

    def __getattr__(self, name: str) -> Any:
        command = _COMMANDS.get(name)
        return functools.partial(command, self.context) if command is not None else getattr(self.context, name)

    def doctor(self) -> Any:
        return diagnose(gather(self.context))
