"""Console links: the portal's own, per partition, with nothing secret in them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import pytest
from doubles import RecordingShow, documented
from hypothesis import given
from hypothesis import strategies as st

from cuaws_magic.aws.console_links import console_page, console_url
from cuaws_magic.commands.console import means_target
from cuaws_magic.errors import ConfigurationError, TargetError, UnknownTarget
from cuaws_magic.model import SsoSession
from cuaws_magic.practice import Knobs
from cuaws_magic.sso.session import CU_BOULDER


def portal_of(start_url, sso_region="us-west-2"):
    return SsoSession("x", start_url, sso_region, None)


def fields(url):
    """Return the portal's address before `#`, and what the fragment says."""
    parts = urlsplit(url)
    path, _, query = parts.fragment.partition("?")
    assert path == "/console"
    return f"{parts.scheme}://{parts.netloc}{parts.path}", dict(parse_qsl(query, strict_parsing=True))


# The link.


def test_the_link_of_the_guides_account():
    """Verbatim: account, role, and the page as destination, encoded once."""
    page = console_page(CU_BOULDER, "s3", "us-west-2")

    assert console_url(CU_BOULDER.start_url, "111111111111", "MyRole", page) == (
        "https://cuboulder.awsapps.com/start/#/console?account_id=111111111111&role_name=MyRole"
        "&destination=https%3A%2F%2Fconsole.aws.amazon.com%2Fs3%2Fhome%3Fregion%3Dus-west-2"
    )
    assert console_url(CU_BOULDER.start_url, "111111111111", "MyRole") == (
        "https://cuboulder.awsapps.com/start/#/console?account_id=111111111111&role_name=MyRole"
    )


@pytest.mark.parametrize("end", ["", "/", "#", "/#", "#/", "/#/", "/?x=y"])
def test_ends_of_start_urls(end):
    """A start URL as people write it, with a slash or what the browser shows behind it, gives one link."""
    url = console_url(f"https://e.awsapps.com/start{end}", "111111111111", "R")

    assert url.startswith("https://e.awsapps.com/start/#/console?account_id=111111111111&")


@dataclass(frozen=True)
class Partition:
    documentation: str
    start_url: str
    sso_region: str
    host: str


PARTITIONS = [
    Partition("AWS", "https://e.awsapps.com/start", "us-west-2", "console.aws.amazon.com"),
    Partition("AWS, by region", "https://ssoins-1.portal.eu-west-1.app.aws", "eu-west-1", "console.aws.amazon.com"),
    Partition("China", "https://e.awsapps.cn/start", "cn-north-1", "console.amazonaws.cn"),
    Partition("China, its other host", "https://e.portal.amazonaws.com.cn", "cn-north-1", "console.amazonaws.cn"),
    Partition(
        "China, its newest host", "https://e.app.amazonwebservices.com.cn", "cn-northwest-1", "console.amazonaws.cn"
    ),
    Partition(
        "GovCloud", "https://start.us-gov-home.awsapps.com/directory/e", "us-gov-west-1", "console.amazonaws-us-gov.com"
    ),
    Partition(
        "GovCloud, by its issuer",
        "https://identitycenter.us-gov.amazonaws.com/e",
        "us-gov-east-1",
        "console.amazonaws-us-gov.com",
    ),
    Partition(
        "a name that only sounds like GovCloud",
        "https://us-gov.awsapps.com/start",
        "us-east-1",
        "console.aws.amazon.com",
    ),
    Partition(
        "the European Sovereign Cloud", "https://e.portal.amazonaws.eu", "eusc-de-east-1", "console.amazonaws-eusc.eu"
    ),
]


@documented(PARTITIONS)
def test_partitions(case):
    """The page is on the console of the portal's own partition."""
    sso_session = portal_of(case.start_url, case.sso_region)

    page = console_page(sso_session, "ec2", case.sso_region)

    assert page == f"https://{case.host}/ec2/home?region={case.sso_region}"
    start, said = fields(console_url(sso_session.start_url, "012345678901", "R", page))
    assert start == f"{case.start_url}/"
    assert said == {"account_id": "012345678901", "role_name": "R", "destination": page}


@pytest.mark.parametrize(
    ("service", "path"),
    [
        ("s3", "s3/home"),
        ("S3", "s3/home"),
        ("dynamodb", "dynamodbv2/home"),
        ("logs", "cloudwatch/home"),
        ("redshift", "redshiftv2/home"),
        ("route53", "route53/v2/home"),
        ("ssm", "systems-manager/home"),
        ("stepfunctions", "states/home"),
        ("waf", "wafv2/homev2"),
        ("home", "console/home"),
        ("proton", "proton/home"),
    ],
)
def test_services(service, path):
    """What people call a service leads to the console's word for it; other words are passed on."""
    assert console_page(CU_BOULDER, service, "us-west-2") == f"https://console.aws.amazon.com/{path}?region=us-west-2"


@pytest.mark.parametrize("service", ["", "a b", "../x", "s3?x=", "s3/x", "x#", "ö", "a_b", "@evil.example", "a\n"])
def test_what_cannot_be_a_service(service):
    """Anything but letters, digits and hyphens is refused, with an example."""
    with pytest.raises(ConfigurationError, match=r"Type `%cuaws console s3`"):
        console_page(CU_BOULDER, service, "us-west-2")


@pytest.mark.parametrize("region", ["", "us west", "us-west-2&x=y", "us-west-2#"])
def test_what_cannot_be_a_region(region):
    """A region goes into the link only if it could be one."""
    with pytest.raises(ConfigurationError):
        console_page(CU_BOULDER, "s3", region)


@pytest.mark.parametrize(
    "start_url", ["http://e.awsapps.com/start", "https://e.awsapps.com.example.org/start", "javascript:x"]
)
def test_nobody_is_sent_elsewhere(start_url):
    """A start URL that is not AWS's makes no link."""
    with pytest.raises(ValueError, match=re.escape(start_url)):
        console_url(start_url, "111111111111", "R")


@given(role=st.text(min_size=1), destination=st.none() | st.text())
def test_whatever_the_role_is_called(role, destination):
    """Names come through the encoding as they were, and never break out of their place."""
    role = role.encode("utf-8", "replace").decode()
    destination = None if destination is None else destination.encode("utf-8", "replace").decode()

    url = console_url(CU_BOULDER.start_url, "111111111111", role, destination)

    assert re.fullmatch(r"https://cuboulder\.awsapps\.com/start/#/console\?[A-Za-z0-9_.~%=&-]*", url)
    query = urlsplit(url).fragment.partition("?")[2]
    wanted = {"account_id": "111111111111", "role_name": role}
    wanted |= {} if destination is None else {"destination": destination}
    assert dict(parse_qsl(query, keep_blank_values=True)) == wanted


# Which word is what.


@pytest.mark.parametrize(
    ("word", "target"),
    [
        ("s3", False),
        ("SageMaker", False),
        ("proton", False),
        ("awsucob0myaccount", True),
        ("AWSUCOB0MyAccount", True),
        ("111111111111", True),
        ("awsucob0myaccount/MyRole", True),
        ("batch", False),
    ],
)
def test_one_word_alone(word, target):
    """One word is a service, unless it is an account that is known; a service that is one stays it."""
    assert means_target(word, ["awsucob0myaccount", "batch"]) is target


# In a kernel.


def console(app, *words):
    return app.console(RecordingShow(), *words)


def test_of_the_account_in_use(app, portal):
    """Without TARGET it is the account in use, in its region, and nobody is asked anything."""
    app.use(RecordingShow(), "awsucob0myaccount", region="eu-west-1")
    portal.clear_calls()

    link = console(app, "s3")

    assert (link.account, link.account_name, link.role, link.service) == (
        "111111111111",
        "awsucob0myaccount",
        "MyRole",
        "s3",
    )
    assert fields(link.url)[1]["destination"] == "https://console.aws.amazon.com/s3/home?region=eu-west-1"
    assert portal.calls == []


def test_of_a_target(app):
    """With a TARGET, alone or behind a service, it is that account's; the one in use stays."""
    app.use(RecordingShow(), "awsucob0myaccount")
    before = dict(os.environ)

    alone, behind = console(app, "awsucob0myotheraccount"), console(app, "ec2", "222222222222/MyOtherRole")

    assert fields(alone.url)[1] == {"account_id": "222222222222", "role_name": "MyOtherRole"}
    assert fields(behind.url)[1]["account_id"] == "222222222222"
    assert dict(os.environ) == before
    with pytest.raises(UnknownTarget):
        console(app, "s3", "nobody")


def test_signs_in_first(app, portal):
    """A TARGET whose role only the portal knows is asked for after a sign-in."""
    portal.knobs = Knobs(approve_after=1)

    assert console(app, "s3", "awsucob0myaccount").role == "MyRole"


def test_no_account_in_use(app):
    """It says what to type."""
    with pytest.raises(TargetError, match=r"`%cuaws console s3 ACCOUNT`"):
        console(app, "s3")


def test_both_faces(app):
    """A link that opens in a new tab, the same address as text, and no secret in either."""
    app.use(RecordingShow(), "awsucob0myaccount")

    link = console(app, "s3")

    plain, html = link.mimebundle()["text/plain"], link.mimebundle()["text/html"]
    assert link.url in plain.splitlines()
    assert f'href="{link.url.replace("&", "&amp;")}"' in html
    assert 'target="_blank" rel="noopener noreferrer"' in html
    assert "AWS_ENDPOINT_URL_SSO is set" in plain
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        assert os.environ[name] not in plain + html


@pytest.mark.parametrize(
    ("typed", "nearest"),
    [("sagemakr", "sagemaker"), ("dynamo", "dynamodb"), ("nosuchservice", None), ("clodwatch", "cloudwatch")],
)
def test_a_service_that_there_is_not(app, typed, nearest):
    """It is refused, with the nearest names, the best of them to type."""
    app.use(RecordingShow(), "awsucob0myaccount")

    with pytest.raises(ConfigurationError, match=rf"no page {typed} that is known here\. Nearest: ") as caught:
        console(app, typed)

    assert f"Type `%cuaws console {nearest or ''}" in str(caught.value)


def test_a_service_that_only_botocore_knows(app):
    """Every service that botocore knows has a page; nothing is imported to find out."""
    app.use(RecordingShow(), "awsucob0myaccount")

    assert "braket/home" in fields(console(app, "braket").url)[1]["destination"]


def test_production_is_marked(app):
    """In text and in a frame."""
    link = console(app, "s3", "awsucob0production/ReadOnly") if app.login(RecordingShow()) else None

    assert "as ReadOnly, production:" in repr(link)
    assert ">production</span>" in link.mimebundle()["text/html"]
