"""s3fs, whose sessions are aiobotocore's: a filesystem made under one account never acts as another."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, ClassVar

import boto3
import fsspec
import pytest
import s3fs
from doubles import RecordingShow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doubles import App

    from cuaws_magic.practice import PracticePortal


@pytest.fixture
def two_accounts(app: App, portal: PracticePortal) -> Iterator[App]:
    """A bucket in each of two accounts, named after it; the first is in use."""
    for name in ("awsucob0myotheraccount", "awsucob0myaccount"):
        app.use(RecordingShow(), name)
        boto3.client("s3").create_bucket(
            Bucket=f"of-{name}", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
        )
    yield app
    s3fs.S3FileSystem.clear_instance_cache()


def test_a_filesystem_that_was_used_keeps_its_account(two_accounts: App, portal: PracticePortal) -> None:
    """Through a switch, through renewals, and after its connections were closed."""
    portal.knobs = dataclasses.replace(portal.knobs, role_lifetime=3)
    two_accounts.release()
    two_accounts.logout()
    two_accounts.use(RecordingShow(), "awsucob0myaccount")
    first = s3fs.S3FileSystem()
    assert first.ls("") == ["of-awsucob0myaccount"]

    two_accounts.use(RecordingShow(), "awsucob0myotheraccount")
    time.sleep(4)
    first.invalidate_cache()
    assert first.ls("") == ["of-awsucob0myaccount"]

    if hasattr(first, "_session_is_owned"):  # from s3fs 2026.6 on
        first.connect(refresh=True)
        first.invalidate_cache()
        assert first.ls("") == ["of-awsucob0myaccount"]


def test_a_filesystem_that_was_not_used_yet_keeps_its_account(two_accounts: App) -> None:
    """s3fs connects at the first request; by then another account may be in use."""
    first = s3fs.S3FileSystem()

    two_accounts.use(RecordingShow(), "awsucob0myotheraccount")

    assert first.ls("") == ["of-awsucob0myaccount"]


def test_a_filesystem_asked_for_after_the_switch_is_the_new_accounts(two_accounts: App) -> None:
    """fsspec hands out the same instance for the same arguments, but not across accounts."""
    first = s3fs.S3FileSystem()
    first.ls("")

    two_accounts.use(RecordingShow(), "awsucob0myotheraccount")
    second = s3fs.S3FileSystem()

    assert second is not first
    assert second.ls("") == ["of-awsucob0myotheraccount"]


def test_a_filesystem_with_its_own_keys_is_left_alone(two_accounts: App) -> None:
    """Explicit keys never come to us."""
    theirs = s3fs.S3FileSystem(key="AKIATHEIRS", secret="their-secret")

    with pytest.raises(PermissionError, match="does not exist in our records"):
        theirs.ls("")


def test_after_release_a_new_filesystem_finds_nothing(two_accounts: App) -> None:
    """And the old one goes on as its account."""
    first = s3fs.S3FileSystem()

    two_accounts.release()
    later = s3fs.S3FileSystem()

    assert first.ls("") == ["of-awsucob0myaccount"]
    with pytest.raises(Exception, match=r"(?i)credentials"):
        later.ls("of-awsucob0myaccount")


def test_a_filesystem_of_somebody_else(two_accounts: App) -> None:
    """One with a session of its own kind is not given ours."""

    class Other(fsspec.AbstractFileSystem):
        session = None
        kwargs: ClassVar[dict[str, str]] = {}

    other = Other()

    two_accounts.use(RecordingShow(), "awsucob0myotheraccount")

    assert other.session is None
