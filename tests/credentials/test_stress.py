"""Eight threads as fast as they can, short credentials, accounts that change every second."""

from __future__ import annotations

import dataclasses
import threading
import time
from typing import TYPE_CHECKING

import boto3
import pytest
from doubles import RecordingShow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doubles import App

    from cuaws_magic.practice import PracticePortal

ACCOUNTS = {"awsucob0myaccount": "111111111111", "awsucob0myotheraccount": "222222222222"}
BYSTANDER = "research-genomics"  # used once at the beginning; its client is renewed all the same
LIFE = 12  # seconds that role credentials live
LONGEST = 40  # seconds; the test ends earlier when it has seen enough
RENEWALS = 10
THREADS = 8
CALLS_A_CLIENT = 25  # then a thread makes new clients, of whatever account is in use then


@pytest.fixture(autouse=True)
def _no_default_session() -> Iterator[None]:
    """Leave boto3 as it was found."""
    yield
    boto3.DEFAULT_SESSION = None


class Caller(threading.Thread):
    """
    Calls STS and S3 without a pause, with clients whose account it knows.

    Args:
        switching: Held while the account in use changes, so that a client's account is known.

        in_use: The account id in use, first element.
    """

    def __init__(self, switching: threading.Lock, in_use: list[str], ends: threading.Event) -> None:
        super().__init__(daemon=True)
        self.switching = switching
        self.in_use = in_use
        self.ends = ends
        self.calls = 0
        self.strangers: list[tuple[str, str]] = []
        self.failures: list[str] = []

    def run(self) -> None:
        while not self.ends.is_set():
            with self.switching:
                account = self.in_use[0]
                session = boto3.Session()
                sts, s3 = session.client("sts"), session.client("s3")
            for _ in range(CALLS_A_CLIENT):
                try:
                    answered = sts.get_caller_identity()["Account"]
                    buckets = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
                except Exception as error:  # noqa: BLE001 - whatever it is, it is what this test looks for
                    self.failures.append(repr(error))
                    return
                self.calls += 2
                if (answered, buckets) != (account, [f"of-{account}"]):
                    self.strangers.append((account, f"{answered} {buckets}"))
                if self.ends.is_set():
                    return


# Twice, so that workers share it.
@pytest.mark.parametrize("half", ["first", "second"])
def test_no_call_fails_and_none_is_answered_as_another_account(app: App, portal: PracticePortal, half: str) -> None:
    """Over at least ten renewals each, with `use` every second between two accounts."""
    portal.knobs = dataclasses.replace(portal.knobs, role_lifetime=LIFE)
    show = RecordingShow()
    switching, in_use, ends = threading.Lock(), [""], threading.Event()

    def switch(name: str) -> None:
        with switching:
            app.use(show, name, verify=False)
            in_use[0] = ACCOUNTS[name]

    app.use(show, BYSTANDER)
    bystander = boto3.client("sts")
    for name, account in ACCOUNTS.items():
        switch(name)
        boto3.client("s3").create_bucket(
            Bucket=f"of-{account}", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
        )
    callers = [Caller(switching, in_use, ends) for _ in range(THREADS)]
    began = time.monotonic()
    for caller in callers:
        caller.start()
    switches = 0
    # Three first sets, then the renewals.
    while portal.count("GetRoleCredentials") < RENEWALS + 3 and time.monotonic() - began < LONGEST:
        switch(list(ACCOUNTS)[switches % 2])
        switches += 1
        time.sleep(1)
    ends.set()
    for caller in callers:
        caller.join(30)

    assert [failure for caller in callers for failure in caller.failures] == []
    assert [stranger for caller in callers for stranger in caller.strangers] == []
    assert bystander.get_caller_identity()["Account"] == "555555555555"
    assert portal.count("GetRoleCredentials") >= RENEWALS + 3
    assert sum(caller.calls for caller in callers) > 1000
    assert all(caller.calls for caller in callers)
