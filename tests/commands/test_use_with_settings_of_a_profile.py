"""`use PROFILE` behaves as that profile in everything but the source of credentials; nothing is guessed."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import boto3
import pytest
from doubles import THE_GUIDES_SIGN_IN, RecordingShow, sso_profile

from cuaws_magic.errors import AmbiguousTarget, ConfigurationError, Unreachable
from cuaws_magic.settings import Settings
from cuaws_magic.sso.session import choose

ACCOUNT, ID, OTHER_ID = "awsucob0myaccount", "111111111111", "222222222222"
DEAD = "http://127.0.0.1:9"  # nobody listens on the discard port


@pytest.fixture
def config(home):
    """Write the config file."""

    def write(text, credentials=None):
        folder = home / ".aws"
        folder.mkdir(exist_ok=True)
        (folder / "config").write_text(text)
        if credentials is not None:
            (folder / "credentials").write_text(credentials)
        return folder / "config"

    return write


@pytest.fixture
def show():
    return RecordingShow()


SETTINGS = "retry_mode = adaptive\nmax_attempts = 7\ns3 =\n  addressing_style = path\n"


def test_client_settings_are_those_of_the_profile(app, show, config):
    """Retries and S3 options: as with `boto3.Session(profile_name=…)`, in this kernel and in a subprocess."""
    config(THE_GUIDES_SIGN_IN + sso_profile("dev", ID, "MyRole") + SETTINGS + "[default]\nmax_attempts = 2\n")
    code = "import boto3; c = boto3.client('s3').meta.config; print(c.retries['total_max_attempts'], c.s3)"

    app.use(show, "dev")
    here = boto3.client("s3").meta.config
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert (here.retries["total_max_attempts"], here.s3) == (7, {"addressing_style": "path"})
    assert there == "7 {'addressing_style': 'path'}\n"
    assert boto3.client("sts").get_caller_identity()["Account"] == ID


def test_an_endpoint_of_default_is_not_the_profiles(app, portal, show, config, monkeypatch):
    """`[default] endpoint_url` on a dead port says nothing about another profile."""
    config(
        f"[default]\nendpoint_url = {DEAD}\n" + THE_GUIDES_SIGN_IN + sso_profile("dev", ID, "MyRole")
        + f"endpoint_url = {portal.environment['AWS_ENDPOINT_URL']}\n"
    )  # fmt: skip
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"):
        monkeypatch.delenv(name)

    used = app.use(show, "dev")

    assert used.identity.account == ID
    assert boto3.client("sts").get_caller_identity()["Account"] == ID


@pytest.mark.parametrize("end", ["release", "use"])
def test_the_profile_goes_with_the_account(app, show, config, monkeypatch, end):
    """AWS_PROFILE is the profile in use, and as it was found afterwards; another account has none."""
    config(THE_GUIDES_SIGN_IN + sso_profile("dev", ID, "MyRole") + "[profile mine]\nregion = us-west-2\n")
    monkeypatch.setenv("AWS_PROFILE", "mine")
    app.use(show, "dev")
    during = os.environ["AWS_PROFILE"]

    if end == "release":
        app.release()
    else:
        app.use(show, "awsucob0myotheraccount")

    assert during == "dev"
    assert os.environ.get("AWS_PROFILE") == ("mine" if end == "release" else None)
    app.release()
    assert os.environ["AWS_PROFILE"] == "mine"


def test_a_hand_at_the_profile_does_not_stop_renewal(app, show, config, monkeypatch):
    """Who sets AWS_PROFILE while keys are in use keeps both: boto3 goes by the keys."""
    config(THE_GUIDES_SIGN_IN + sso_profile("dev", ID, "MyRole") + "[profile other]\nregion = us-west-2\n")
    app.use(show, "dev")
    monkeypatch.setenv("AWS_PROFILE", "other")

    app.credentials.renew()

    assert not app.environment.keys_touched
    assert os.environ["AWS_ACCESS_KEY_ID"] == app.credentials.current.credentials.access_key_id.reveal()


def test_an_address_that_does_not_answer_is_named(app, show, config, monkeypatch):
    """With the setting and the file that it came from."""
    path = config(THE_GUIDES_SIGN_IN + sso_profile("dev", ID, "MyRole") + f"endpoint_url = {DEAD}\n")
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"):
        monkeypatch.delenv(name)

    with pytest.raises(Unreachable, match=re.escape(f"at {DEAD}")) as caught:
        app.use(show, "dev")

    assert f"set by endpoint_url of [profile dev] in {path}" in str(caught.value)


def test_an_address_of_the_environment_is_named(app, show, monkeypatch):
    """A variable too."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", DEAD)

    with pytest.raises(Unreachable, match="set by AWS_ENDPOINT_URL_STS"):
        app.use(show, ACCOUNT)


# Regions.


@pytest.mark.parametrize(
    ("said", "variable", "default", "expected"),
    [
        ("eu-north-1", "us-east-2", "eu-west-3", "eu-north-1"),
        (None, "us-east-2", "eu-west-3", "us-east-2"),
        (None, None, "eu-west-3", "eu-west-3"),
        (None, None, None, "us-west-2"),
    ],
    ids=["said", "environment", "[default]", "sign-in"],
)
def test_the_order_of_regions(app, show, config, monkeypatch, said, variable, default, expected):
    """What was said, then the environment, then `[default]`, then the sign-in's."""
    config(f"[default]\nregion = {default}\n" if default else "")
    if variable:
        monkeypatch.setenv("AWS_DEFAULT_REGION", variable)

    assert app.use(show, ACCOUNT, region=said).region == expected
    assert boto3.client("s3").meta.region_name == expected


def test_configure_writes_the_region_of_default(app, show, config):
    """Profiles get the region that the person's own clients have."""
    path = config("[default]\nregion = eu-west-3\n")

    app.configure(show, ACCOUNT)

    assert f"[profile {ACCOUNT}]" in path.read_text()
    assert path.read_text().count("region = eu-west-3") == 2


# Numbers as names.


def test_a_profile_named_like_the_number_of_another_account(app, show, config):
    """`[profile 222222222222]` for account 1…: neither is guessed, and both ways out work."""
    config(THE_GUIDES_SIGN_IN + sso_profile(OTHER_ID, ID, "MyRole"))

    with pytest.raises(AmbiguousTarget, match=f"`%cuaws use {ID}`.*`%cuaws use {OTHER_ID}/ROLE`"):
        app.use(show, OTHER_ID)

    assert app.use(show, ID).account == ID
    assert app.use(show, f"{OTHER_ID}/MyOtherRole").account == OTHER_ID


def test_configure_writes_no_such_profile(app, show, home, monkeypatch):
    """An account that is named like the number of another gets a longer name."""
    from cuaws_magic.config.files import AwsFiles
    from cuaws_magic.config.profiles import Portal, plan
    from cuaws_magic.model import Account
    from cuaws_magic.sso.session import CU_BOULDER

    twin = Account(ID, OTHER_ID)
    planned = plan(Portal((twin,), {ID: ("MyRole",)}), CU_BOULDER, "us-west-2", AwsFiles().read(), {}, ())

    assert list(planned.added) == [f"{OTHER_ID}-MyRole"]


# Which organisation.


@pytest.mark.parametrize(
    "spelled",
    [
        "https://cuboulder.awsapps.com/start/", "https://cuboulder.awsapps.com/start#/",
        "https://cuboulder.awsapps.com/start/#/", "https://cuboulder.awsapps.com/start/#/?tab=accounts",
        "https://CUBoulder.awsapps.com/start", "https://cuboulder.awsapps.com/start?x=y",
    ],
)  # fmt: skip
@pytest.mark.parametrize("region", [None, "us-west-2"])
def test_a_start_url_as_a_browser_shows_it(spelled, region):
    """Every spelling of CU's portal is CU's sign-in, with a region beside it or without."""
    from cuaws_magic.config.files import AwsFiles

    chosen = choose(Settings(start_url=spelled, sso_region=region), AwsFiles().read(), None)

    assert (chosen.name, chosen.start_url) == ("fedauth", "https://cuboulder.awsapps.com/start")


def test_a_role_on_top_of_an_sso_profile_names_the_organisation(app, config, monkeypatch):
    """AWS_PROFILE names a role on another profile: `login` and `status` go where `use` goes."""
    config(
        "[sso-session work]\nsso_start_url = https://acme.awsapps.com/start\nsso_region = us-east-1\n"
        f"[profile root]\nsso_session = work\nsso_account_id = {ID}\nsso_role_name = R\n"
        f"[profile mid]\nrole_arn = arn:aws:iam::{ID}:role/A\nsource_profile = root\n"
        f"[profile top]\nrole_arn = arn:aws:iam::{OTHER_ID}:role/B\nsource_profile = mid\n"
    )
    monkeypatch.setenv("AWS_PROFILE", "top")

    assert app.status().sso_session.name == "work"


def test_sso_settings_in_the_credentials_file(app, show, config):
    """boto3 supports it: the sign-in is where the block says, in its older form."""
    config("", f"[lab]\nsso_start_url = https://cuboulder.awsapps.com/start\nsso_region = us-west-2\n"
               f"sso_account_id = {OTHER_ID}\nsso_role_name = MyOtherRole\n")  # fmt: skip

    used = app.use(show, "lab")

    assert used.account == OTHER_ID
    assert app.credentials.current.sso_session.name is None


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("sso_start_url = http://cuboulder.awsapps.com/start", "is not the start URL"),
        ("sso_start_url = https://ralphie@cuboulder.awsapps.com/start", "is not the start URL"),
        ('sso_start_url = "https://cuboulder.awsapps.com/start"', "is not the start URL"),
        ("sso_start_url = https://cuboulder.awsapps.com/start # ours", "is not the start URL"),
        ("sso_start_url = https://cuboulder.awsapps.com/\u200bstart", "is not the start URL"),
    ],
)
def test_use_checks_the_start_url_of_a_profile(app, portal, show, config, line, says):
    """As `login` does, with section and file, before anybody is asked; the doctor says the same."""
    path = config(f"[sso-session fedauth]\n{line}\nsso_region = us-west-2\n" + sso_profile("dev", ID, "MyRole"))

    with pytest.raises(ConfigurationError, match=says) as caught:
        app.use(show, "dev")

    assert f"of [sso-session fedauth] in {path}" in str(caught.value)
    assert portal.calls == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            (f"sso_account_id = {ID}", "sso_account_id = 11111111111"),
            "= 11111111111 of .* has 11 digits",
        ),
        ((f"sso_account_id = {ID}", "sso_account_id = lab"), "sso_account_id = lab of .* is not a number of 12 digits"),
        (("sso_role_name = MyRole", "sso_role_name = MyRole\u200b"), "has a character around the name"),
        (("region = us-west-2\noutput", "region = Oregon\noutput"), "region = Oregon of .* is not a region"),
    ],
    ids=["eleven digits", "no number", "invisible", "no region"],
)
def test_what_cannot_be_right_is_said_before_asking(app, portal, show, config, change, says):
    """An id that lost a zero, a region that is none: profile and file are named, and AWS is not asked."""
    profile = sso_profile("dev", ID, "MyRole")
    profile = profile if "output" in profile else f"{profile.rstrip()}\nregion = us-west-2\noutput = json\n"
    path = config(THE_GUIDES_SIGN_IN + profile.replace(*change))

    with pytest.raises(ConfigurationError, match=says) as caught:
        app.use(show, "dev")

    assert str(path) in str(caught.value)
    assert portal.calls == []


# Default sessions.


def test_a_default_session_keeps_its_region(app, show):
    """What a person set with `setup_default_session` stays through a switch; only the account changes."""
    from botocore.config import Config

    app.use(show, ACCOUNT)
    boto3.setup_default_session(region_name="eu-west-1")
    boto3.DEFAULT_SESSION._session.set_default_client_config(Config(retries={"total_max_attempts": 9}))

    app.use(show, "awsucob0myotheraccount")
    client = boto3.client("sts")

    assert client.get_caller_identity()["Account"] == OTHER_ID
    assert client.meta.region_name == "eu-west-1"
    assert client.meta.config.retries["total_max_attempts"] == 9


def test_two_kernels_and_a_default_session_of_nobody(app, show):
    """Without anything set, boto3 makes its default session itself."""
    app.use(show, ACCOUNT)
    boto3.client("sts")

    app.use(show, "awsucob0myotheraccount")

    assert boto3.DEFAULT_SESSION is None
