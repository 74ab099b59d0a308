"""What a botocore session promises its owner beside credentials: a region, an order of providers, copies."""

from __future__ import annotations

import copy
import os
from typing import TYPE_CHECKING

import boto3
import botocore.session
import pytest
from aiobotocore.session import AioSession
from botocore.credentials import CredentialProvider, Credentials
from doubles import RecordingShow

if TYPE_CHECKING:
    from pathlib import Path

    from doubles import App

A, B = "111111111111/MyRole", "222222222222/MyOtherRole"


def use(app: App, target: str, region: str) -> None:
    app.use(RecordingShow(), target, region=region, verify=False)


# The region of the account.


def test_a_session_keeps_its_region_with_its_account(app: App) -> None:
    """Through a switch to another region, and after `release`, which leaves no region in the environment."""
    use(app, A, "us-west-2")
    made = boto3.Session()
    use(app, B, "eu-west-1")

    assert made.region_name == made.client("sts").meta.region_name == "us-west-2"
    assert boto3.client("sts").meta.region_name == "eu-west-1"
    app.release()
    assert made.client("sqs").meta.region_name == "us-west-2"
    assert boto3.Session().region_name is None


def test_an_explicit_region_and_that_of_an_explicit_profile_go_before(app: App, home: Path) -> None:
    """As they do without us; a client's own argument too."""
    use(app, A, "us-west-2")
    (home / ".aws" / "config").write_text("[profile mine]\nregion = ap-south-1\naws_access_key_id = A\n")
    explicit, of_profile, plain = (
        boto3.Session(region_name="eu-north-1"),
        boto3.Session(profile_name="mine"),
        boto3.Session(),
    )
    app.release()

    assert explicit.region_name == "eu-north-1"
    assert of_profile.region_name == "ap-south-1"
    assert plain.client("sts", region_name="sa-east-1").meta.region_name == "sa-east-1"


def test_a_region_put_into_the_environment_by_hand_counts(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person's own word is newer than ours, for sessions that are there already too."""
    use(app, A, "us-west-2")
    made = boto3.Session()

    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")

    assert made.client("sts").meta.region_name == "eu-west-3"
    assert boto3.Session().region_name == "eu-west-3"


def test_an_asynchronous_session_too(app: App) -> None:
    """The sessions of s3fs and aiobotocore."""
    use(app, A, "us-west-2")
    made = AioSession()
    use(app, B, "eu-west-1")

    assert made.get_config_variable("region") == "us-west-2"
    assert AioSession().get_config_variable("region") == "eu-west-1"


# Providers of other people.


class Mine(CredentialProvider):
    METHOD = "mine"
    CANONICAL_NAME = "Mine"

    def load(self) -> Credentials | None:
        return Credentials("AKIAMINE", "mine") if os.environ.get("MINE") else None


@pytest.mark.parametrize(("says", "ours"), [("1", False), ("", True)])
def test_a_provider_put_before_the_environment_goes_before_ours(
    app: App, monkeypatch: pytest.MonkeyPatch, says: str, ours: object
) -> None:
    """`insert_before("env", …)` is botocore's public way to be first; one that finds nothing leaves it to us."""
    monkeypatch.setenv("MINE", says)
    use(app, A, "us-west-2")
    made = botocore.session.Session()
    made.get_component("credential_provider").insert_before("env", Mine())

    found = made.get_credentials()

    assert (found.access_key == "AKIAMINE") is not ours
    assert (found.method == "cuaws-magic") is ours


def test_a_provider_put_behind_comes_after_ours(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """`insert_after("env", …)` is only asked where the environment gives nothing."""
    monkeypatch.setenv("MINE", "1")
    use(app, A, "us-west-2")
    made = botocore.session.Session()
    made.get_component("credential_provider").insert_after("env", Mine())

    assert made.get_credentials().method == "cuaws-magic"


# Copies.


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy])
def test_a_copy_of_a_session_is_of_the_same_account(app: App, how: object) -> None:
    """Libraries copy sessions and their parts; what comes of it is bound as the original."""
    use(app, A, "us-west-2")
    made = botocore.session.Session()
    copied = how(made)
    use(app, B, "eu-west-1")

    assert copied.get_config_variable("region") == "us-west-2"
    assert copied.create_client("sts").get_caller_identity()["Account"] == "111111111111"
    copy.copy(made.get_component("credential_provider"))
