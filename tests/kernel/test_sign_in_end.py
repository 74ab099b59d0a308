"""The end of a sign-in, and failures for want of credentials, as a person meets them in a real kernel."""

from __future__ import annotations

import dataclasses
import json
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Kernel

    from cuaws_magic.practice import PracticePortal

CLIENT = "import boto3; sts = boto3.client('sts')"
SIGN_IN, CREDENTIALS = 3, 4  # seconds that they last
# Seconds after which nothing is left: the last renewal falls into the life of the sign-in.
ALL_OVER = SIGN_IN + CREDENTIALS + 0.5
ASK = "print(sts.get_caller_identity()['Account'])"


@pytest.fixture
def short_lived(portal: PracticePortal, kernel: Kernel) -> Kernel:
    """A kernel with an account in use, whose sign-in and credentials last seconds and cannot be refreshed."""
    portal.knobs = dataclasses.replace(
        portal.knobs, token_lifetime=SIGN_IN, refresh_tokens=False, role_lifetime=CREDENTIALS
    )
    kernel.good("%cuaws use awsucob0myaccount")
    kernel.good(CLIENT)
    return kernel


def test_the_next_cell_says_once_that_the_sign_in_has_ended(kernel: Kernel, portal: PracticePortal) -> None:
    """One card above the next cell, with until when credentials go on; then no more; `status` says it too."""
    # Time enough for a slow machine between the end of the sign-in and that of the credentials.
    portal.knobs = dataclasses.replace(portal.knobs, token_lifetime=6, refresh_tokens=False, role_lifetime=9)
    kernel.good("%cuaws use awsucob0myaccount")
    kernel.good(CLIENT)
    time.sleep(6.5)

    first = kernel.good(ASK)
    second = kernel.good("print(1)")
    status = kernel.good("%cuaws status")

    assert "The sign-in ended at" in first.text
    assert "Credentials for awsucob0myaccount work until" in first.text
    assert "%cuaws login" in first.text
    assert "111111111111" in first.text
    assert second.text.strip() == "1"
    assert "expired; type `%cuaws login`" in status.text


def test_signing_in_again_is_picked_up_without_use(short_lived: Kernel, portal: PracticePortal) -> None:
    """After everything ran out: `%cuaws login`, and the same client works again."""
    time.sleep(ALL_OVER)
    failed = short_lived.run(ASK)
    portal.knobs = dataclasses.replace(portal.knobs, token_lifetime=3600, role_lifetime=3600)

    short_lived.good("%cuaws login")
    again = short_lived.good(ASK)

    assert failed.status == "error"
    assert "type `%cuaws login`".casefold() in failed.text.casefold()
    assert again.text.strip() == "111111111111"


def test_a_sign_in_by_another_program_is_picked_up(short_lived: Kernel, portal: PracticePortal) -> None:
    """Everything ran out; the AWS CLI writes a new token file; the next cell just works."""
    time.sleep(ALL_OVER)
    assert short_lived.run(ASK).status == "error"
    portal.knobs = dataclasses.replace(portal.knobs, token_lifetime=3600, role_lifetime=3600)

    short_lived.good(
        "import subprocess, sys\n"
        "print(subprocess.run([sys.executable, '-c', 'import cuaws_magic as c; c.login(force=True)'], check=True))"
    )
    again = short_lived.good(ASK)

    assert "111111111111" in again.text


def test_a_cell_waits_for_a_renewal_instead_of_failing(kernel: Kernel, portal: PracticePortal) -> None:
    """What ran out while nobody renewed (a machine that slept) is renewed before the cell runs."""
    portal.knobs = dataclasses.replace(portal.knobs, role_lifetime=4)
    kernel.good("%cuaws use awsucob0myaccount")
    kernel.good(
        "import cuaws_magic.commands.context as a\n"
        "renewal = a.the_context().credentials._renewal\n"
        "renewal._wait = lambda woken, seconds: woken.wait(3600)  # the clock of waits stands while a machine sleeps\n"
        "renewal.wake()"
    )
    time.sleep(5)

    retry_after_sign_in = kernel.good(
        "import subprocess, sys\n"
        "print(subprocess.run([sys.executable, '-c', 'import boto3; "
        'print(boto3.client("sts").get_caller_identity()["Account"])\'], capture_output=True, text=True))'
    )

    assert "111111111111" in retry_after_sign_in.text


def test_a_cell_without_credentials_is_told_what_to_type(kernel: Kernel) -> None:
    """`NoCredentialsError` keeps its traceback; one card under it says why in plain words."""
    failed = kernel.run("import boto3; boto3.client('s3', region_name='us-west-2').list_buckets()")

    assert failed.status == "error"
    assert failed.outputs[-1]["output_type"] == "display_data"
    assert "No account is in use in this kernel" in failed.text
    assert "%cuaws use ACCOUNT" in failed.text


def test_a_profile_without_sign_in_is_told_what_to_type(kernel: Kernel) -> None:
    """botocore's own SSO errors get the same line."""
    folder = kernel.home / ".aws"
    folder.mkdir()
    (folder / "config").write_text(
        "[sso-session fedauth]\nsso_start_url = https://cuboulder.awsapps.com/start\nsso_region = us-west-2\n"
        "[profile mine]\nsso_session = fedauth\nsso_account_id = 111111111111\nsso_role_name = MyRole\n"
        "region = us-west-2\n"
    )

    failed = kernel.run("import boto3; boto3.Session(profile_name='mine').client('sts').get_caller_identity()")

    assert "That profile needs a sign-in" in failed.text
    assert "%cuaws login" in failed.text


def test_a_client_with_keys_that_aws_refuses_is_told_apart(kernel: Kernel) -> None:
    """The account in use is fine; the client's own keys are not."""
    kernel.good("%cuaws use awsucob0myaccount")

    failed = kernel.run(
        "import boto3\n"
        "boto3.client('sts', aws_access_key_id='AKIATHEIRS', aws_secret_access_key='x').get_caller_identity()"
    )

    assert "AWS refused that client's credentials; those of awsucob0myaccount are fresh" in failed.text


@pytest.mark.parametrize("code", ["1/0", "raise RuntimeError('expired milk')", "open('/does/not/exist')"])
def test_other_failures_are_left_alone(kernel: Kernel, code: str) -> None:
    """Nothing is said below them."""
    kernel.good("%cuaws use awsucob0myaccount")

    failed = kernel.run(code)

    assert [output["output_type"] for output in failed.outputs] == ["error"]


def test_status_says_half_an_hour_before_that_the_sign_in_ends(kernel: Kernel, portal: PracticePortal) -> None:
    """Early enough to do it between two cells."""
    portal.knobs = dataclasses.replace(portal.knobs, token_lifetime=1500, refresh_tokens=False)
    kernel.good("%cuaws use awsucob0myaccount")

    status = kernel.good("%cuaws")

    assert "The sign-in ends soon" in status.text
    assert "%cuaws login --force" in status.text


def test_no_secret_is_in_what_was_said(short_lived: Kernel) -> None:
    """The cards about an end name no key and no SSO token."""
    keys = short_lived.good("import os, json; print(json.dumps([os.environ['AWS_SECRET_ACCESS_KEY'], "
                            "os.environ['AWS_SESSION_TOKEN'], os.environ['AWS_ACCESS_KEY_ID']]))")  # fmt: skip
    secrets = json.loads(keys.text)
    time.sleep(ALL_OVER)

    failed = short_lived.run(ASK)

    assert not [secret for secret in secrets if secret in failed.ever]
