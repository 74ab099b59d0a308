"""A profile that somebody uses by its own, and that nobody is signed in for: the hint's command brings it back."""

from __future__ import annotations

import re

import pytest

CONFIG = """
[sso-session fedauth]
sso_start_url = https://cuboulder.awsapps.com/start
sso_region = us-west-2
sso_registration_scopes = sso:account:access
[sso-session work]
sso_start_url = https://acme.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access
[profile ours]
sso_session = fedauth
sso_account_id = 111111111111
sso_role_name = MyRole
region = us-west-2
[profile mine]
sso_session = work
sso_account_id = 111111111111
sso_role_name = MyRole
region = us-west-2
[profile old]
sso_start_url = https://cuboulder.awsapps.com/start
sso_region = us-west-2
sso_account_id = 111111111111
sso_role_name = MyRole
region = us-west-2
"""


def ask(profile):
    return f"import boto3; boto3.Session(profile_name={profile!r}).client('sts').get_caller_identity()['Account']"


def hint(cell):
    return next(output["data"]["text/plain"] for output in reversed(cell.outputs) if "data" in output)


@pytest.mark.parametrize("account", [None, "awsucob0myotheraccount"], ids=["no account in use", "another in use"])
@pytest.mark.parametrize(
    ("profile", "command"),
    [
        ("ours", "%cuaws login --session fedauth"),
        ("mine", "%cuaws login --session work"),
        ("old", "%cuaws use old"),
    ],
)
def test_the_command_of_the_hint_brings_it_back(kernel, profile, command, account):
    """By the name of its sso-session, or by the profile's own in the older form; never what changes nothing."""
    if profile == "old" and account is not None:
        command += " --via profile"  # we are signed in to that portal, and botocore looks under that name alone
    (kernel.home / ".aws").mkdir()
    (kernel.home / ".aws" / "config").write_text(CONFIG)
    if account is not None:
        kernel.good(f"%cuaws use fedauth:{account}")
        if profile == "ours":
            return  # signed in for by that
    failed = kernel.run(ask(profile))

    assert failed.status == "error"
    assert re.findall("`(%cuaws[^`]*)`", hint(failed)) == [command]
    kernel.good(command)
    assert "111111111111" in kernel.good(ask(profile)).text


def test_several_that_it_may_be(kernel):
    """A sign-in that has ended tells no name: then the person is told to give the profile's."""
    (kernel.home / ".aws").mkdir()
    (kernel.home / ".aws" / "config").write_text(CONFIG)
    raised = "from botocore.exceptions import TokenRetrievalError\n"
    raised += "raise TokenRetrievalError(provider='sso', error_msg='Token has expired and refresh failed')"

    assert "`%cuaws login --session NAME` with the NAME of the profile's sso_session" in hint(kernel.run(raised))


def test_a_sign_in_that_is_there_and_not_accepted(kernel):
    """Only a new one helps."""
    (kernel.home / ".aws").mkdir()
    (kernel.home / ".aws" / "config").write_text(CONFIG.partition("[sso-session work]")[0])
    kernel.good("%cuaws login")

    failed = kernel.run("from botocore.exceptions import UnauthorizedSSOTokenError\nraise UnauthorizedSSOTokenError()")

    assert "Type `%cuaws login --force`, then run this cell again." in hint(failed)
