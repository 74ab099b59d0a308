"""
A client acts as the account that it was made with, whatever comes in use later.

Real boto3 over a socket; the credentials live seconds, so each test sees several renewals.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from doubles import RecordingShow

if TYPE_CHECKING:
    from collections.abc import Callable

    from doubles import App

    from cuaws_magic.practice import PracticePortal

FIRST = ("awsucob0myaccount", "111111111111")
SECOND = ("awsucob0myotheraccount", "222222222222")
LIFE = 4  # seconds


@pytest.fixture
def short(portal: PracticePortal) -> PracticePortal:
    """A portal whose role credentials live four seconds."""
    portal.knobs = dataclasses.replace(portal.knobs, role_lifetime=LIFE)
    return portal


def account_of(client: Any) -> str:
    return str(client.get_caller_identity()["Account"])


def made_in_a_thread(make: Callable[[], Any]) -> Any:
    made: list[Any] = []
    thread = threading.Thread(target=lambda: made.append(make()))
    thread.start()
    thread.join()
    return made[0]


def test_every_kind_of_client_keeps_its_account_through_switch_renewals_and_release(
    app: App, short: PracticePortal
) -> None:
    """Default client, session, resource, paginator and a thread's client of A stay A; those of B stay B."""
    show = RecordingShow()
    app.use(show, FIRST[0])
    boto3.client("s3").create_bucket(
        Bucket="of-the-first", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    stay_first = {
        "boto3.client": boto3.client("sts"),
        "boto3.Session": boto3.Session().client("sts"),
        "thread": made_in_a_thread(lambda: boto3.Session().client("sts")),
        "unused session": boto3.Session(),
    }
    resource = boto3.resource("s3")
    paginator = boto3.client("s3").get_paginator("list_objects_v2")

    app.use(show, SECOND[0])
    stay_first["unused session"] = stay_first["unused session"].client("sts")
    stay_second = {"boto3.client": boto3.client("sts"), "boto3.Session": boto3.Session().client("sts")}
    answers: list[tuple[dict[str, str], dict[str, str], list[str]]] = []
    ends = time.monotonic() + 2.5 * LIFE
    released = False
    while time.monotonic() < ends:
        answers.append(
            (
                {kind: account_of(client) for kind, client in stay_first.items()},
                {kind: account_of(client) for kind, client in stay_second.items()},
                [bucket.name for bucket in resource.buckets.all()],
            )
        )
        list(paginator.paginate(Bucket="of-the-first"))
        if not released and time.monotonic() > ends - LIFE:
            app.release()
            released = True
        time.sleep(0.3)

    assert {frozenset(first.items()) for first, _, _ in answers} == {frozenset((kind, FIRST[1]) for kind in stay_first)}
    assert {frozenset(second.items()) for _, second, _ in answers} == {
        frozenset((kind, SECOND[1]) for kind in stay_second)
    }
    assert all(buckets == ["of-the-first"] for _, _, buckets in answers)
    assert short.count("GetRoleCredentials") >= 4


def test_a_client_made_before_is_left_as_it_was(app: App, portal: PracticePortal, monkeypatch) -> None:
    """Keys that a client got before us stay its own."""
    with monkeypatch.context() as theirs:
        theirs.setenv("AWS_ACCESS_KEY_ID", "AKIATHEIRS")
        theirs.setenv("AWS_SECRET_ACCESS_KEY", "their-secret")
        before = boto3.Session(region_name="us-west-2")
        client = before.client("sts")
        credentials = before.get_credentials()

    app.use(RecordingShow(), FIRST[0])

    assert before.get_credentials() is credentials
    assert client._request_signer._credentials is credentials  # botocore keeps them nowhere public
    assert (credentials.method, credentials.access_key) == ("env", "AKIATHEIRS")


def test_explicit_keys_are_used(app: App, portal: PracticePortal) -> None:
    """A session that is given keys has them, with an account in use too."""
    app.use(RecordingShow(), FIRST[0])

    session = boto3.Session(aws_access_key_id="AKIATHEIRS", aws_secret_access_key="their-secret")

    assert session.get_credentials().access_key == "AKIATHEIRS"
    assert session.get_credentials().method == "explicit"


def test_an_explicit_profile_is_used(app: App, portal: PracticePortal, home) -> None:
    """A session that names a profile is that profile's."""
    folder = home / ".aws"
    folder.mkdir(exist_ok=True)
    (folder / "credentials").write_text(
        "[theirs]\naws_access_key_id = AKIATHEIRS\naws_secret_access_key = their-secret\n"
    )
    app.use(RecordingShow(), FIRST[0])

    credentials = boto3.Session(profile_name="theirs").get_credentials()

    assert (credentials.method, credentials.access_key) == ("shared-credentials-file", "AKIATHEIRS")


def test_keys_that_somebody_put_into_the_environment_win(app: App, portal: PracticePortal, monkeypatch) -> None:
    """After `use`, a change by hand is what new sessions see."""
    app.use(RecordingShow(), FIRST[0])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATHEIRS")

    credentials = boto3.Session().get_credentials()

    assert (credentials.method, credentials.access_key) == ("env", "AKIATHEIRS")


def test_a_session_made_before_use_is_bound_when_it_first_needs_credentials(app: App, portal: PracticePortal) -> None:
    """With the extension loaded, `boto3.Session()` in an earlier cell does not drift later."""
    app.credentials.prepare()
    session = boto3.Session(region_name="us-west-2")
    app.use(RecordingShow(), FIRST[0])

    client = session.client("sts")
    app.use(RecordingShow(), SECOND[0])

    assert session.get_credentials().method == "cuaws-magic"
    assert account_of(client) == FIRST[1]


def test_release_leaves_no_trace_in_new_sessions(app: App, portal: PracticePortal) -> None:
    """After `release` a new session has botocore's own resolver, and finds nothing."""
    app.use(RecordingShow(), FIRST[0])

    app.release()

    fresh = boto3.Session()
    assert type(fresh._session.get_component("credential_provider")).__module__ == "botocore.credentials"
    assert fresh.get_credentials() is None


def test_the_rest_of_the_resolver_is_the_standard_one(app: App, portal: PracticePortal) -> None:
    """Code that inserts providers of its own into the chain finds the chain (boto3's documented way)."""
    app.use(RecordingShow(), FIRST[0])

    resolver = boto3.Session()._session.get_component("credential_provider")

    assert resolver.get_provider("env").METHOD == "env"
    assert [provider.METHOD for provider in resolver.providers][:2] == ["env", "assume-role"]


def test_clients_go_on_after_logout_until_their_credentials_end(app: App, short: PracticePortal) -> None:
    """Logout says until when; then the client fails with a line that says what to type."""
    short.knobs = dataclasses.replace(short.knobs, role_lifetime=3)
    app.use(RecordingShow(), FIRST[0])
    client = boto3.client("sts")
    account_of(client)

    said = repr(app.logout())
    still = account_of(client)
    time.sleep(3.2)

    assert "can use them until" in said
    assert still == FIRST[1]
    with pytest.raises(Exception, match="Type `%cuaws login`"):
        account_of(client)
