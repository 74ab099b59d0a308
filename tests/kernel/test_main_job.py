"""The main job in a real kernel: sign in, use an account, call AWS, switch, sign out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cuaws_magic.practice import Failure, Knobs
from cuaws_magic.views.render import PAGE_SCRIPT

if TYPE_CHECKING:
    from collections.abc import Callable

    from cuaws_magic.practice import PracticePortal

_IDENTITY = 'import boto3; print(boto3.client("sts").get_caller_identity()["Account"])'
_MAKE_BUCKET = (
    'boto3.client("s3").create_bucket(Bucket="made-here", '
    'CreateBucketConfiguration={"LocationConstraint": "us-west-2"}); None'
)
_BUCKETS = '[bucket["Name"] for bucket in boto3.client("s3").list_buckets()["Buckets"]]'


def test_the_four_lines(kernel, portal: PracticePortal):
    """Login, use, AWS calls, switch and logout work in a row, and each account has its own buckets."""
    portal.knobs = Knobs(approve_after=2)

    login = kernel.good("%cuaws login")
    use = kernel.good("%cuaws use awsucob0myaccount")
    first = kernel.good(_IDENTITY)
    kernel.good(_MAKE_BUCKET)
    buckets = kernel.value(_BUCKETS)
    switch = kernel.good("%cuaws use awsucob0myotheraccount")
    second = kernel.good(_IDENTITY)
    other_buckets = kernel.value(_BUCKETS)
    logout = kernel.good("%cuaws logout")

    assert login.text.startswith("Signed in for")
    assert use.text.startswith("Using awsucob0myaccount (111111111111) as MyRole")
    assert "ralphie@colorado.edu" in use.text
    assert first.text.strip() == "111111111111"
    assert buckets == ["made-here"]
    assert "awsucob0myotheraccount (222222222222) as MyOtherRole" in switch.text
    assert second.text.strip() == "222222222222"
    assert other_buckets == []
    assert logout.text.startswith("Signed out of CU Boulder")
    assert portal.count("Logout") == 1


def test_login_waits_for_a_person(kernel, portal: PracticePortal, waiting_code: Callable):
    """The cell blocks until a person approved; one output is updated in place and ends without the code."""
    portal.knobs = Knobs()

    cell = kernel.send("%cuaws login")
    user_code = waiting_code(kernel)
    kernel.until(lambda: user_code in cell.text)
    portal.approve(user_code)
    kernel.finish(cell)

    assert cell.status == "ok"
    (output,) = cell.outputs
    assert output["output_type"] == "display_data"
    assert output["updates"] >= 1
    assert "IdentiKey" in cell.ever
    assert "Allow access" in cell.ever
    assert f"user_code={user_code}" in cell.ever
    assert user_code not in cell.text + cell.html
    assert "Signed in for" in cell.text
    assert "Signed in for" in cell.html
    assert "<script" not in cell.html.replace(PAGE_SCRIPT, "")


def test_card_before_approval_has_link_code_and_life(kernel, portal: PracticePortal, waiting_code: Callable):
    """The card has the link with the code filled in, the code, a copy button and the code's life, in both faces."""
    portal.knobs = Knobs()

    cell = kernel.send("%cuaws login")
    user_code = waiting_code(kernel)
    kernel.until(lambda: user_code in cell.text)
    text, html = cell.text, cell.html
    portal.approve(user_code)
    kernel.finish(cell)

    assert f"{portal.url}/device?user_code={user_code}" in text
    assert "for 10 min, until" in text
    assert f'href="{portal.url}/device?user_code={user_code}"' in html
    assert f">{user_code}</code>" in html
    assert ">Copy</button>" in html
    assert "Duo push" in html


def test_use_signs_in_first(kernel, portal: PracticePortal):
    """`%cuaws use` when nobody is signed in starts the sign-in, then goes on."""
    portal.knobs = Knobs(approve_after=2)

    cell = kernel.good("%cuaws use awsucob0myaccount")

    assert "Signed in for" in cell.text
    assert "Using awsucob0myaccount (111111111111) as MyRole" in cell.text


def test_values_are_strings_and_shown_once(kernel):
    """`x = %cuaws whoami` gives a value whose parts are strings; a result stands on the page once."""
    kernel.good("%cuaws use awsucob0myaccount")

    assigned = kernel.good("x = %cuaws whoami\nx.account")
    alone = kernel.good("%cuaws whoami")
    first_of_two = kernel.good("%cuaws status\nprint('after')")

    assert assigned.outputs[-1]["data"]["text/plain"] == "'111111111111'"
    assert kernel.value("[x.arn, x.person]")[1] == "ralphie@colorado.edu"
    assert [output["output_type"] for output in alone.outputs] == ["display_data"]
    assert "Using awsucob0myaccount" in first_of_two.text
    assert "after" in first_of_two.text


def test_login_when_signed_in_returns_at_once(kernel, portal: PracticePortal):
    """Signed in already: login says until when and asks nobody; `--force` asks again."""
    kernel.good("%cuaws login")
    portal.clear_calls()

    again = kernel.good("%cuaws login")
    calls = [call.operation for call in portal.calls]
    kernel.good("%cuaws login --force")

    assert "Signed in for" in again.text
    assert calls == ["ListAccounts"]  # whether the portal still knows the sign-in
    assert portal.count("StartDeviceAuthorization") == 1


def test_environment_is_as_found(start_kernel: Callable):
    """After `use`, `use` and `release`, and after `use` and `logout`, every variable is as it was found."""
    kernel = start_kernel(AWS_REGION="eu-west-1", AWS_SECURITY_TOKEN="left over", AWS_ACCOUNT_ID="999999999999").load()
    kernel.good("import os; found = dict(os.environ)")

    kernel.good("%cuaws use awsucob0myaccount")
    inside = kernel.value('{name: os.environ.get(name) for name in ("AWS_ACCOUNT_ID", "AWS_SECURITY_TOKEN")}')
    kernel.good("%cuaws use awsucob0myotheraccount")
    kernel.good("%cuaws release")
    released = kernel.value("dict(os.environ) == found")
    kernel.good("%cuaws use awsucob0myaccount")
    kernel.good("%cuaws logout")
    signed_out = kernel.value("dict(os.environ) == found")

    assert inside == {"AWS_ACCOUNT_ID": "111111111111", "AWS_SECURITY_TOKEN": None}
    assert released
    assert signed_out


def test_child_processes_are_in_the_account(kernel):
    """A program started from a cell finds the credentials in its environment."""
    kernel.good("%cuaws use awsucob0myotheraccount")

    cell = kernel.good(
        "import subprocess, sys\n"
        "print(subprocess.run([sys.executable, '-c', "
        '\'import boto3; print(boto3.client("sts").get_caller_identity()["Account"])\'], '
        "capture_output=True, text=True, check=True).stdout)"
    )

    assert "222222222222" in cell.text


def test_functions_are_the_same(kernel, portal: PracticePortal):
    """The functions see what the magic did, and show and return the same."""
    kernel.good("%cuaws login")
    portal.clear_calls()

    cell = kernel.good("import cuaws_magic as cuaws\nin_use = cuaws.use('awsucob0myaccount')\ncuaws.whoami().account")

    assert portal.count("StartDeviceAuthorization") == 0
    assert cell.outputs[-1]["data"]["text/plain"] == "'111111111111'"
    assert kernel.value("in_use.account_name") == "awsucob0myaccount"


def test_accounts_are_a_table(kernel):
    """`%cuaws accounts` lists them, narrowed by a pattern, with roles where asked for."""
    everything = kernel.good("%cuaws accounts")
    some = kernel.good("%cuaws accounts research* --roles")
    values = kernel.good("table = %cuaws accounts research*\n[account.id for account in table]")

    assert "awsucob0myaccount" in everything.text
    assert "<table" in everything.html
    assert "044444444444" in some.text
    assert "DataSteward, Researcher" in some.text
    assert values.outputs[-1]["data"]["text/plain"] == "['044444444444', '555555555555']"


def test_the_account_is_shown_before_it_is_confirmed(kernel, portal):
    """On the page: one output, which becomes the answer; where the value is assigned, none."""
    kernel.good("%cuaws login")
    portal.knobs = Knobs(approve_after=1, failures=(Failure("sts:GetCallerIdentity", 1, "slow", 1),))

    cell = kernel.send("%cuaws use awsucob0myaccount")
    kernel.until(lambda: "Confirming them with AWS" in cell.text)
    kernel.finish(cell)

    assert cell.text.startswith("Using awsucob0myaccount (111111111111) as MyRole")
    assert len(cell.outputs) == 1

    portal.knobs = Knobs(approve_after=1, failures=(Failure("sts:GetCallerIdentity", 1, "slow", 1),))
    assert kernel.good("x = %cuaws use awsucob0myaccount").outputs == []
