"""
One sign-in for all, both ways, with real clients: boto3 in another process, and the `aws` command.

Nothing here is pretended but AWS itself: the config is the guide's, the clients run their own code on their own files.
"""

from __future__ import annotations

import json
import os
import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path

import botocore.session
import pytest
from aws_commands import COMMANDS, newest_version_2, python, run
from botocore import UNSIGNED
from botocore.config import Config
from doubles import SCOPE, THE_GUIDES_SIGN_IN, RecordingShow, documented, sso_profile

from cuaws_magic.aws.identity_center import DEVICE_GRANT
from cuaws_magic.model import Secret
from cuaws_magic.sso.device_flow import AwaitApproval
from cuaws_magic.sso.session import CU_BOULDER
from cuaws_magic.sso.token_cache import TokenCache

THE_GUIDES_CONFIG = (
    THE_GUIDES_SIGN_IN
    + sso_profile("awsucob0myaccount", "111111111111", "MyRole")
    + sso_profile("awsucob0myotheraccount", "222222222222", "MyOtherRole")
)
WHO_BY_PROFILE = (
    "import boto3; "
    "print(boto3.Session(profile_name='awsucob0myaccount').client('sts').get_caller_identity()['Account'])"
)
WHO = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"


@pytest.fixture(name="show")
def _show():
    return RecordingShow()


@pytest.fixture(autouse=True)
def _config(home):
    (home / ".aws").mkdir()
    (home / ".aws" / "config").write_text(THE_GUIDES_CONFIG)


# They use our sign-in.


def test_boto3_in_another_process_uses_our_sign_in(app, portal, show):
    """A script with `boto3.Session(profile_name=…)` is signed in after `%cuaws login`."""
    app.login(show)
    asked = portal.count("CreateToken")

    assert python(WHO_BY_PROFILE) == (0, "111111111111", "")
    assert portal.count("CreateToken") == asked


@documented([aws for aws in COMMANDS if aws.knows_endpoints])
def test_the_aws_command_uses_our_sign_in(case, app, portal, show):
    """`aws … --profile …` is signed in after `%cuaws login`."""
    app.login(show)

    status, output, errors = run(case.path, "sts", "get-caller-identity", "--profile", "awsucob0myotheraccount")

    assert (status, errors) == (0, "")
    assert json.loads(output)["Account"] == "222222222222"
    assert portal.count("GetRoleCredentials") == 1
    assert portal.count("StartDeviceAuthorization") == 1


@documented(COMMANDS)
def test_the_aws_command_uses_our_environment(case, app, portal, show):
    """`!aws …` without any profile is in the account that `%cuaws use` took."""
    app.use(show, "awsucob0myotheraccount")

    status, output, errors = run(
        case.path, "sts", "get-caller-identity", "--output", "json", "--endpoint-url", portal.aws_url
    )

    assert (status, errors) == (0, "")
    assert json.loads(output)["Account"] == "222222222222"


@documented(COMMANDS)
def test_the_aws_command_uses_our_role_credentials(case, app, portal, show):
    """
    What `%cuaws use` fetched serves `aws … --profile …`: both keep role credentials in the same file.

    The CLI v2 exports exactly our set and fetches none; v1, which knows no such file, is not disturbed by ours.
    """
    app.use(show, "awsucob0myotheraccount")
    ours = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_CREDENTIAL_EXPIRATION"][:19]
    app.release()
    portal.clear_calls()
    export = ("configure", "export-credentials", "--profile", "awsucob0myotheraccount")
    ask = ("sts", "get-caller-identity", "--profile", "awsucob0myotheraccount", "--endpoint-url", portal.aws_url)

    status, output, errors = run(case.path, *(ask if case.version[0] == 1 else export))

    assert (status, errors) == (0, "")
    found = json.loads(output)
    if case.version[0] == 1:
        assert (found["Account"], portal.count("GetRoleCredentials")) == ("222222222222", 1)
    else:
        assert (found["AccessKeyId"], found["Expiration"][:19]) == ours
        assert portal.count("GetRoleCredentials") == 0


def test_boto3_in_another_process_uses_our_environment(app, portal, show):
    """A subprocess that knows nothing of profiles is in the account in use, and out of it after `release`."""
    app.use(show, "awsucob0myaccount")
    during = python(WHO)
    app.release()
    after = python(WHO, AWS_DEFAULT_REGION="us-west-2")

    assert during == (0, "111111111111", "")
    assert after[0] != 0
    assert "NoCredentials" in after[2]


def test_boto3_refreshes_what_we_signed_in_to_and_we_go_on(app, portal, show):
    """When ours is over boto3 refreshes it, with our registration and refresh token; we read what it wrote."""
    app.login(show)
    path = TokenCache.default().token_path(CU_BOULDER)
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "expiresAt": "2020-01-01T00:00:00Z"}))

    assert python(WHO_BY_PROFILE)[:2] == (0, "111111111111")
    written = json.loads(path.read_text())
    assert written["accessToken"] != content["accessToken"]
    portal.clear_calls()
    assert app.login(show).already is True
    assert app.use(show, "awsucob0myaccount").account == "111111111111"
    assert portal.count("StartDeviceAuthorization") == portal.count("CreateToken") == 0


def test_our_logout_is_theirs(app, portal, show):
    """After `%cuaws logout` boto3 is not signed in either."""
    app.login(show)
    app.logout()

    status, _, errors = python(WHO_BY_PROFILE)

    assert status != 0
    assert "does not exist" in errors


# We use theirs.


def sign_in_as_the_cli(portal):
    """Sign in with a plain client and write the file as the CLI does; returns the file's content."""
    oidc = botocore.session.Session().create_client(
        "sso-oidc", region_name="us-west-2", config=Config(signature_version=UNSIGNED)
    )
    client = oidc.register_client(clientName="botocore-client-fedauth", clientType="public", scopes=[SCOPE])
    known = {"clientId": client["clientId"], "clientSecret": client["clientSecret"]}
    authorization = oidc.start_device_authorization(startUrl=CU_BOULDER.start_url, **known)
    answer = oidc.create_token(grantType=DEVICE_GRANT, deviceCode=authorization["deviceCode"], **known)
    oidc.close()

    def date(seconds):
        return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")

    content = {
        "startUrl": CU_BOULDER.start_url,
        "region": "us-west-2",
        "accessToken": answer["accessToken"],
        "expiresAt": date(answer["expiresIn"]),
        **known,
        "registrationExpiresAt": date(90 * 24 * 3600),
        "refreshToken": answer["refreshToken"],
    }
    folder = Path.home() / ".aws" / "sso" / "cache"
    folder.mkdir(parents=True, exist_ok=True)
    # The name of the guide's sign-in (contracts 2.1).
    (folder / "68fff89d877d206161aeff3f3b70f2647f88c7b6.json").write_text(json.dumps(content))
    portal.clear_calls()
    return content


def test_a_sign_in_of_the_cli_is_ours(app, portal, show):
    """After `aws sso login` nobody has to approve anything here."""
    sign_in_as_the_cli(portal)

    in_use = app.use(show, "awsucob0myaccount")

    assert in_use.account == "111111111111"
    assert show.views == []
    assert {call.operation for call in portal.calls} <= {
        "GetRoleCredentials",
        "sts:GetCallerIdentity",
        "ListAccounts",
        "ListAccountRoles",
    }


def test_a_sign_in_of_the_cli_is_refreshed_with_its_own_registration(app, portal, show):
    """Also when it is over: the file has all that a refresh needs, and boto3 takes what we write."""
    content = sign_in_as_the_cli(portal)
    path = TokenCache.default().token_path(CU_BOULDER)
    path.write_text(json.dumps({**content, "expiresAt": "2020-01-01T00:00:00Z"}))

    assert app.login(show).already is True
    assert portal.count("RegisterClient") == portal.count("StartDeviceAuthorization") == 0
    assert python(WHO_BY_PROFILE) == (0, "111111111111", "")
    assert portal.count("CreateToken") == 1


def test_a_sign_in_of_the_cli_ends_our_wait(kernel):
    """While a code waits here, `aws sso login` in a terminal is as good."""
    kernel.portal.knobs = type(kernel.portal.knobs)(approve_after=None)
    steps = kernel.login.approval(CU_BOULDER)
    shown = next(steps)
    next(steps)

    kernel.portal.knobs = type(kernel.portal.knobs)(approve_after=1)
    content = sign_in_as_the_cli(kernel.portal)
    sign_in, _ = kernel.walk(steps)

    assert isinstance(shown, AwaitApproval)
    assert sign_in.sso_token.access_token == Secret(content["accessToken"])


def test_our_logout_ends_a_sign_in_of_the_cli(app, portal, show):
    """`%cuaws logout` revokes what the CLI signed in to, at the portal and on disk."""
    sign_in_as_the_cli(portal)

    signed_out = app.logout()

    assert signed_out.organisations == ("CU Boulder · fedauth",)
    assert portal.count("Logout") == 1
    assert python(WHO_BY_PROFILE)[0] != 0


# The same with the real `aws sso login` of version 2.


def by_the_cli(*words):
    return run(newest_version_2().path, *words)


def test_the_real_sign_in_is_ours(app, portal, show):
    """`aws sso login` in a terminal, then `%cuaws use`: nobody has to approve anything a second time."""
    status, output, errors = by_the_cli("sso", "login", "--sso-session", "fedauth", "--use-device-code", "--no-browser")
    assert (status, errors) == (0, "")
    assert "Successfully logged into Start URL: https://cuboulder.awsapps.com/start" in output
    portal.clear_calls()

    assert app.use(show, "awsucob0myaccount").account == "111111111111"
    assert show.views == []
    assert portal.count("StartDeviceAuthorization") == portal.count("CreateToken") == 0


def test_one_registration_for_both(app, portal, show):
    """The CLI signs in with the registration that we cached, and we with the one that it did."""
    app.login(show)
    app.logout()

    login = ("sso", "login", "--sso-session", "fedauth", "--use-device-code", "--no-browser")
    assert by_the_cli(*login)[0] == 0
    assert portal.count("RegisterClient") == 1
    app.login(show, force=True)

    assert portal.count("RegisterClient") == 1
    assert portal.count("StartDeviceAuthorization") == 3


def test_the_real_sign_in_is_refreshed_by_us_and_by_the_cli_in_turns(app, portal, show):
    """Whoever comes first when the SSO token is over; the other goes on with what that one wrote."""
    app.login(show)
    path = TokenCache.default().token_path(CU_BOULDER)

    def over():
        content = json.loads(path.read_text())
        path.write_text(json.dumps({**content, "expiresAt": "2020-01-01T00:00:00Z"}))
        shutil.rmtree(TokenCache.default().role_folder, ignore_errors=True)
        portal.clear_calls()

    for _ in range(2):
        over()
        status, output, errors = by_the_cli("sts", "get-caller-identity", "--profile", "awsucob0myotheraccount")
        assert (status, errors) == (0, "")
        assert json.loads(output)["Account"] == "222222222222"
        assert portal.count("CreateToken") == 1
        assert app.login(show).already is True
        over()
        assert app.login(show).already is True
        assert portal.count("CreateToken") == 1
        assert by_the_cli("sts", "get-caller-identity", "--profile", "awsucob0myaccount")[0] == 0
        assert portal.count("CreateToken") == 1


def test_the_cli_lists_what_we_list(app, portal, show):
    """`aws sso list-accounts` with the SSO token of our sign-in gives the same accounts."""
    app.login(show)
    token = json.loads(TokenCache.default().token_path(CU_BOULDER).read_text())["accessToken"]

    status, output, _ = by_the_cli("sso", "list-accounts", "--access-token", token, "--region", "us-west-2")

    assert status == 0
    theirs = {one["accountId"]: one["accountName"] for one in json.loads(output)["accountList"]}
    assert theirs == {account.id: account.name for account in app.accounts(show)}


def test_after_our_logout_the_cli_is_out(app, portal, show):
    """It says itself that nobody is signed in."""
    app.login(show)
    app.logout()

    status, _, errors = by_the_cli("sts", "get-caller-identity", "--profile", "awsucob0myaccount")

    assert status != 0
    assert "fedauth" in errors or "sso login" in errors
