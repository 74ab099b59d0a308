"""A portal, a clock that tests move, and a learner with real boto3 clients."""

from __future__ import annotations

import functools
import os
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from cuaws_magic.practice import Knobs, PracticePortal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

REGION = "us-west-2"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


class Clock:
    """A real clock that can be moved."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(timezone.utc) + self.ahead

    def move(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


@dataclass
class Learner:
    """Someone at a notebook: the clients, and the calls in the order of a sign-in."""

    portal: PracticePortal
    open_clients: ExitStack

    def __post_init__(self) -> None:
        self.oidc = self.client("sso-oidc", self.portal.url, config=_anonymous())
        self.sso = self.client("sso", self.portal.url, config=_anonymous())

    def client(self, service: str, url: str, **more: Any) -> Any:
        client = _session().client(service, region_name=REGION, endpoint_url=url, **more)
        self.open_clients.callback(client.close)
        return client

    def register(self, scopes: tuple[str, ...] = ("sso:account:access",)) -> dict[str, str]:
        answer = self.oidc.register_client(
            clientName="botocore-client-fedauth", clientType="public", scopes=list(scopes)
        )
        return {"clientId": answer["clientId"], "clientSecret": answer["clientSecret"]}

    def authorize(self, registration: dict[str, str], start_url: str | None = None) -> Any:
        return self.oidc.start_device_authorization(startUrl=start_url or self.portal.start_url, **registration)

    def poll(self, registration: dict[str, str], device_code: str) -> Any:
        return self.oidc.create_token(grantType=DEVICE_CODE, deviceCode=device_code, **registration)

    def refresh(self, registration: dict[str, str], refresh_token: str) -> Any:
        return self.oidc.create_token(grantType="refresh_token", refreshToken=refresh_token, **registration)

    def sign_in(self, scopes: tuple[str, ...] = ("sso:account:access",)) -> tuple[dict[str, str], Any]:
        registration = self.register(scopes)
        authorization = self.authorize(registration)
        if authorization["userCode"] in self.portal.pending_user_codes():
            self.portal.approve(authorization["userCode"])
        return registration, self.poll(registration, authorization["deviceCode"])

    def take_role(self, sso_token: str, account_id: str = "111111111111", role_name: str = "MyRole") -> dict[str, Any]:
        answer = self.sso.get_role_credentials(accessToken=sso_token, accountId=account_id, roleName=role_name)
        found: dict[str, Any] = answer["roleCredentials"]
        return found

    def aws(self, service: str, credentials: dict[str, Any], **more: Any) -> Any:
        return self.client(
            service,
            self.portal.aws_url,
            aws_access_key_id=credentials["accessKeyId"],
            aws_secret_access_key=credentials["secretAccessKey"],
            aws_session_token=credentials["sessionToken"],
            **more,
        )


@functools.cache
def _session() -> Any:
    # One for all tests: reading the service models again for each would cost more than everything else.
    return boto3.Session()


def _anonymous() -> Config:
    return Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}, read_timeout=10)


@pytest.fixture(autouse=True)
def _no_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide the real home and every AWS setting."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(name="clock")
def _clock() -> Clock:
    return Clock()


@pytest.fixture(name="enroll")
def _enroll(clock: Clock) -> Iterator[Callable[..., Learner]]:
    """Start a portal with these knobs and give it a learner."""
    with ExitStack() as stack:

        def enroll(**knobs: Any) -> Learner:
            portal = stack.enter_context(PracticePortal(knobs=Knobs(**knobs), now=clock))
            return Learner(portal, stack)

        yield enroll


@pytest.fixture(name="learner")
def _learner(enroll: Callable[..., Learner]) -> Learner:
    """A learner at a portal with the usual knobs."""
    return enroll()


@pytest.fixture(name="learner_at")
def _learner_at() -> Iterator[Callable[[Any], Learner]]:
    """Give a learner to a portal that this process did not start."""
    with ExitStack() as stack:
        yield lambda portal: Learner(portal, stack)
