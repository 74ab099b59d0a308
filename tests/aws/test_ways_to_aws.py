"""
Where requests go: GovCloud, China, FIPS, proxies, certificates, `[services]`, all by botocore's own settings.

Seen from outside: what a proxy was asked to connect to, and what a TLS server behind it was asked under which name.
"""

from __future__ import annotations

import base64
import ssl
from dataclasses import dataclass, field

import pytest
from certificates import self_signed
from doubles import App, RecordingShow, documented

from cuaws_magic.errors import ConfigurationError, CuawsError, Unreachable
from cuaws_magic.settings import CU_START_URL, Settings

ACCOUNT = "awsucob0myaccount"


@pytest.fixture
def working(way_out):
    """A kernel that signs in and uses an account; returns what was asked of AWS, by name."""
    made = []

    def work(start_url=CU_START_URL, region="us-west-2"):
        app = App()
        made.append(app)
        app.login(RecordingShow(), Settings(None, start_url, region))
        app.use(RecordingShow(), ACCOUNT)
        return {name for _, name, _ in way_out.asked}

    yield work
    for app in made:
        app.release()


@dataclass(frozen=True)
class Way:
    documentation: str
    names: set[str]
    start_url: str = CU_START_URL
    region: str = "us-west-2"
    variables: dict[str, str] = field(default_factory=dict)


@documented(
    [
        Way("CU", {f"{one}.us-west-2.amazonaws.com" for one in ("oidc", "portal.sso", "sts")}),
        Way(
            "GovCloud",
            {f"{one}.us-gov-west-1.amazonaws.com" for one in ("oidc", "portal.sso", "sts")},
            "https://start.us-gov-home.awsapps.com/directory/d-1234567890",
            "us-gov-west-1",
        ),
        Way(
            "GovCloud, dual-stack",
            {"oidc.us-gov-west-1.api.aws", "portal.sso.us-gov-west-1.api.aws", "sts.us-gov-west-1.amazonaws.com"},
            "https://ssoins-1.portal.us-gov-west-1.app.aws",
            "us-gov-west-1",
        ),
        Way(
            "China",
            {f"{one}.cn-north-1.amazonaws.com.cn" for one in ("oidc", "portal.sso", "sts")},
            "https://start.home.awsapps.cn/directory/d-1234567890",
            "cn-north-1",
        ),
        Way(
            "FIPS",
            {f"{one}-fips.us-west-2.amazonaws.com" for one in ("oidc", "portal.sso", "sts")},
            variables={"AWS_USE_FIPS_ENDPOINT": "true"},
        ),
        Way(
            "FIPS at a dual-stack portal",
            {"oidc-fips.us-west-2.api.aws", "portal.sso-fips.us-west-2.api.aws", "sts-fips.us-west-2.amazonaws.com"},
            "https://ssoins-1.portal.us-west-2.app.aws",
            variables={"AWS_USE_FIPS_ENDPOINT": "true"},
        ),
        Way(
            "dual-stack by the variable",
            {f"{one}.us-west-2.api.aws" for one in ("oidc", "portal.sso", "sts")},
            variables={"AWS_USE_DUALSTACK_ENDPOINT": "true"},
        ),
    ]
)
def test_partitions_and_variants(working, way_out, monkeypatch, case):
    """Sign-in, portal and STS, each at the address of its partition; through the proxy, all of it."""
    for name, value in case.variables.items():
        monkeypatch.setenv(name, value)

    names = working(case.start_url, case.region)

    assert names == case.names
    assert set(way_out.tunnels) == {f"{name}:443" for name in names}


def test_fips_of_a_profile(working, home, monkeypatch):
    """A profile's setting is heard as a variable is."""
    (home / ".aws").mkdir(exist_ok=True)
    (home / ".aws" / "config").write_text("[profile lab]\nuse_fips_endpoint = true\n")
    monkeypatch.setenv("AWS_PROFILE", "lab")

    assert working() == {f"{one}-fips.us-west-2.amazonaws.com" for one in ("oidc", "portal.sso", "sts")}


@pytest.mark.parametrize(
    ("setting", "services"),
    [
        ("services = mine\n", "[services mine]\nsso_oidc =\n  endpoint_url = {0}\nsso =\n  endpoint_url = {0}\n"),
        ("endpoint_url = {0}\n", ""),
    ],
    ids=["a services section", "endpoint_url"],
)
def test_endpoints_of_a_profile(working, portal, home, monkeypatch, way_out, setting, services):
    """`[services]` sections lead sign-in and portal elsewhere; what they do not name stays where it is."""
    (home / ".aws").mkdir(exist_ok=True)
    text = f"[profile lab]\n{setting}{services}".format(portal.url)
    (home / ".aws" / "config").write_text(text)
    monkeypatch.setenv("AWS_PROFILE", "lab")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", portal.aws_url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    assert working() == set()
    assert way_out.tunnels == []
    assert portal.count("GetRoleCredentials") == 1


# Proxies.


def test_what_is_not_to_go_through_the_proxy(working, way_out, monkeypatch):
    """`NO_PROXY` is heard: nothing is asked of the proxy then, and here nothing else answers."""
    monkeypatch.setenv("NO_PROXY", ".amazonaws.com")
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr("cuaws_magic.aws.clients._config", _impatient)

    with pytest.raises(Unreachable):
        working()

    assert way_out.tunnels == []


def _impatient(**more):
    from botocore.config import Config

    return Config(connect_timeout=0.2, read_timeout=1, retries={"total_max_attempts": 1}, **more)


def test_a_proxy_with_a_password(working, way_out, monkeypatch):
    """Name and password stand in its address."""
    way_out.password = base64.b64encode(b"ralphie:s3cret").decode()
    monkeypatch.setenv("HTTPS_PROXY", way_out.url.replace("http://", "http://ralphie:s3cret@"))

    assert len(working()) == 3


@pytest.mark.parametrize("said", ["", "ralphie:wr0ng@"], ids=["none", "a wrong one"])
def test_a_proxy_that_wants_a_password(working, way_out, monkeypatch, said):
    """It says so, and how to give it; doing that leads out. The one that was given is not said."""
    way_out.password = base64.b64encode(b"ralphie:s3cret").decode()
    monkeypatch.setenv("HTTPS_PROXY", way_out.url.replace("http://", f"http://{said}"))
    monkeypatch.setattr("time.sleep", lambda _: None)

    with pytest.raises(Unreachable) as caught:
        working()

    assert str(caught.value) == (
        "The sign-in service of AWS cannot be reached from this machine: the proxy wants a name and a password. Set "
        "HTTPS_PROXY to http://NAME:PASSWORD@HOST:PORT, then run the cell again."
    )
    assert "wr0ng" not in repr(caught.value.__context__)
    monkeypatch.setenv("HTTPS_PROXY", way_out.url.replace("http://", "http://ralphie:s3cret@"))
    assert len(working()) == 3


def test_a_proxy_that_does_not_answer(working, monkeypatch):
    """The kind of failure is named."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setattr("time.sleep", lambda _: None)

    with pytest.raises(Unreachable, match="the proxy does not answer"):
        working()


# Certificates.


@pytest.mark.parametrize("name", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_certificates_of_a_variable(working, way_out, monkeypatch, name):
    """As botocore has it, either will do."""
    monkeypatch.delenv("AWS_CA_BUNDLE")
    monkeypatch.setenv(name, str(way_out.certificate))

    assert len(working()) == 3


def test_certificates_of_a_profile(working, way_out, home, monkeypatch):
    """`ca_bundle` of the profile that a person chose."""
    monkeypatch.delenv("AWS_CA_BUNDLE")
    (home / ".aws").mkdir(exist_ok=True)
    (home / ".aws" / "config").write_text(f"[profile lab]\nca_bundle = {way_out.certificate}\n")
    monkeypatch.setenv("AWS_PROFILE", "lab")

    assert len(working()) == 3


def test_a_certificate_that_is_not_trusted(working, monkeypatch, tmp_path):
    """It says which variable helps."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(self_signed(tmp_path / "other.pem", "127.0.0.1")))

    with pytest.raises(Unreachable, match=r"is not trusted: the TLS certificate did not verify\. .* set AWS_CA_BUNDLE"):
        working()


@pytest.mark.parametrize("name", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_a_file_of_certificates_that_is_missing(working, way_out, monkeypatch, tmp_path, name):
    """One clean line that names the file and the setting; doing what it says leads out."""
    missing = tmp_path / "nowhere.pem"
    monkeypatch.delenv("AWS_CA_BUNDLE")
    monkeypatch.setenv(name, str(missing))

    with pytest.raises(ConfigurationError) as caught:
        working()

    assert str(caught.value) == (
        f"The file of certificates {missing}, set by {name}, is not there. "
        "Correct or delete that setting, then run the cell again."
    )
    monkeypatch.setenv(name, str(way_out.certificate))
    assert len(working()) == 3


def test_the_same_of_a_profile(working, home, monkeypatch, tmp_path):
    """With section and file."""
    monkeypatch.delenv("AWS_CA_BUNDLE")
    (home / ".aws").mkdir(exist_ok=True)
    (home / ".aws" / "config").write_text(f"[profile lab]\nca_bundle = {tmp_path}/nowhere.pem\n")
    monkeypatch.setenv("AWS_PROFILE", "lab")

    with pytest.raises(ConfigurationError) as caught:
        working()

    assert f"set by ca_bundle of [profile lab] in {home}/.aws/config, is not there" in str(caught.value)


def test_a_file_that_holds_no_certificates(working, monkeypatch, tmp_path):
    """One clean line."""
    (tmp_path / "empty.pem").write_text("nothing")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "empty.pem"))
    with pytest.raises(ssl.SSLError):
        ssl.create_default_context(cafile=tmp_path / "empty.pem")

    with pytest.raises(CuawsError) as caught:
        working()

    assert "run the cell again" in str(caught.value)
