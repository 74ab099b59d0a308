"""Which addresses a person may be sent to."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from doubles import documented

from cuaws_magic.aws.hosts import check_sign_in_page, check_start_url, is_aws, is_dual_stack, region_in
from cuaws_magic.errors import ConfigurationError, UnsafeSignInPage

AWS_ENDPOINT = "https://oidc.us-west-2.amazonaws.com"
HERE = "http://127.0.0.1:8080"


@dataclass(frozen=True)
class Address:
    documentation: str
    address: str


AWS_ADDRESSES = [
    Address("the guide's", "https://cuboulder.awsapps.com/start"),
    Address("a directory id", "https://d-1234567890.awsapps.com/start"),
    Address("with a fragment, as browsers copy it", "https://cuboulder.awsapps.com/start#/"),
    Address("dual stack", "https://ssoins-1234.portal.us-east-1.app.aws"),
    Address("the portal's own host", "https://x.portal.amazonaws.com/start"),
    Address("China", "https://start.home.awsapps.cn/directory/x"),
    Address("China, portal", "https://x.portal.amazonaws.com.cn"),
    Address("China, dual stack", "https://x.app.amazonwebservices.com.cn"),
    Address("European cloud", "https://x.portal.amazonaws.eu/start"),
    Address("European cloud, API", "https://x.api.amazonwebservices.eu"),
    Address("issuer", "https://identitycenter.amazonaws.com/ssoins-1"),
    Address("issuer in China", "https://identitycenter.amazonaws.com.cn/ssoins-1"),
    Address("issuer in Europe", "https://identitycenter.amazonaws.eu/ssoins-1"),
    Address("issuer in GovCloud", "https://identitycenter.us-gov.amazonaws.com/ssoins-1"),
    Address("the device page", "https://device.sso.us-west-2.amazonaws.com/?user_code=ABCD-1234"),
    Address("the device page, FIPS", "https://device.sso-fips.us-gov-west-1.amazonaws.com/"),
    Address("the device page in China", "https://device.sso.cn-north-1.amazonaws.com.cn/"),
    Address("upper case, which a browser lowers", "HTTPS://CUBoulder.AWSApps.com/start"),
    Address("a port of AWS's host", "https://cuboulder.awsapps.com:443/start"),
]

# Safe to ask where they lead, with a browser or without; never a page to sign in on.
ADDRESSES_OF_OTHERS = [
    Address("somebody else's host", "https://evil.example/start"),
    Address("AWS's name in front", "https://cuboulder.awsapps.com.evil.example/start"),
    Address("AWS's name in the path", "https://evil.example/cuboulder.awsapps.com"),
    Address("AWS's name in the query", "https://evil.example?x=.awsapps.com"),
    Address("AWS's name in the fragment", "https://evil.example#.awsapps.com"),
    Address("lookalike suffix", "https://evilawsapps.com/start"),
    Address("the bare suffix", "https://awsapps.com/start"),
    Address("lookalike exact host", "https://xidentitycenter.amazonaws.com/"),
    Address("any host of amazonaws.com, which customers can have", "https://bucket.s3.amazonaws.com/start"),
    Address("lookalike device page", "https://device.sso.us-west-2.amazonaws.com.evil.example/"),
    Address("a device page with another dot", "https://device.sso.evil.example.amazonaws.com/"),
]

NO_ADDRESSES = [
    Address("plain http", "http://cuboulder.awsapps.com/start"),
    Address("no scheme", "cuboulder.awsapps.com/start"),
    Address("nothing", ""),
    Address("script", "javascript:alert(1)//.awsapps.com"),
    Address("data", "data:text/html,.awsapps.com"),
    Address("file", "file:///etc/passwd"),
    Address("no host", "https:///start"),
    Address("AWS as user name", "https://cuboulder.awsapps.com@evil.example/start"),
    Address("a user name before AWS", "https://evil.example@cuboulder.awsapps.com/start"),
    Address("a password before AWS", "https://a:b@cuboulder.awsapps.com/start"),
    Address("a backslash, which a browser turns", "https://evil.example\\.awsapps.com/start"),
    Address("a backslash before an at sign", "https://evil.example\\@cuboulder.awsapps.com/start"),
    Address("a percent sign in the host", "https://evil.example%2f.awsapps.com/start"),
    Address("a slash of another alphabet", "https://evil.example\uff0f.awsapps.com/start"),
    Address("a space", "https://evil.example .awsapps.com/start"),
    Address("a tab", "https://cuboulder.\tawsapps.com/start"),
    Address("a line end", "https://cuboulder.awsapps.com/start\n"),
    Address("a quotation mark", 'https://cuboulder.awsapps.com/start"onclick="x'),
    Address("an angle bracket", "https://cuboulder.awsapps.com/<script>"),
    Address("a bracket that is not closed", "https://[::1.awsapps.com/start"),
    Address("loopback", "http://127.0.0.1/start"),
]


@documented(AWS_ADDRESSES)
def test_addresses_of_aws(case):
    """An https address on a host of AWS is a start URL and a sign-in page."""
    check_start_url(case.address)
    check_sign_in_page(case.address, AWS_ENDPOINT)


@documented(ADDRESSES_OF_OTHERS)
def test_addresses_of_others(case):
    """An https address of somebody else may be asked where it leads; nobody is sent there to sign in."""
    check_start_url(case.address)
    assert not is_aws(case.address)
    with pytest.raises(UnsafeSignInPage, match="type `%cuaws login`"):
        check_sign_in_page(case.address, AWS_ENDPOINT)


@documented(NO_ADDRESSES)
def test_what_is_no_address(case):
    """Anything else is neither; the error is ours and says what to type."""
    with pytest.raises(ConfigurationError, match="Type `%cuaws login --start-url"):
        check_start_url(case.address)
    with pytest.raises(UnsafeSignInPage, match="type `%cuaws login`"):
        check_sign_in_page(case.address, AWS_ENDPOINT)


@dataclass(frozen=True)
class Portal:
    documentation: str
    address: str
    region: str | None
    dual_stack: bool


@dataclass(frozen=True)
class Loopback:
    documentation: str
    page: str
    endpoint: str
    safe: bool


@documented(
    [
        Loopback("page and service here", f"{HERE}/device", HERE, True),
        Loopback("by name", "http://localhost:8080/device", HERE, True),
        Loopback("IPv6", "http://[::1]:8080/device", "http://[::1]:8080", True),
        Loopback("anywhere in 127", "https://127.8.9.10/device", HERE, True),
        Loopback("a page of AWS for a service here", "https://device.sso.us-west-2.amazonaws.com/", HERE, True),
        Loopback("a page here for AWS", f"{HERE}/device", AWS_ENDPOINT, False),
        Loopback("a page elsewhere for a service here", "http://evil.example/device", HERE, False),
        Loopback("https elsewhere for a service here", "https://evil.example/device", HERE, False),
        Loopback("all interfaces", "http://0.0.0.0:8080/device", HERE, False),
        Loopback("the neighbour", "http://192.168.1.1/device", HERE, False),
        Loopback("lookalike name", "http://localhost.evil.example/device", HERE, False),
        Loopback("lookalike number", "http://127.0.0.1.evil.example/device", HERE, False),
        Loopback("short number, which programs read differently", "http://127.1/device", HERE, False),
        Loopback("user name", "http://127.0.0.1@evil.example/device", HERE, False),
        Loopback("script", "javascript://127.0.0.1/%0aalert(1)", HERE, False),
        Loopback("lookalike service", f"{HERE}/device", "http://127.0.0.1.evil.example", False),
    ]
)
def test_pages_on_loopback(case):
    """A page on this machine is fine if the service is on this machine too, and only then."""
    if case.safe:
        check_sign_in_page(case.page, case.endpoint)
        return

    with pytest.raises(UnsafeSignInPage):
        check_sign_in_page(case.page, case.endpoint)


@documented(
    [
        Portal("CU's", "https://cuboulder.awsapps.com/start", None, False),
        Portal("a dual-stack portal", "https://ssoins-1234.portal.us-east-1.app.aws", "us-east-1", True),
        Portal("of an alias", "https://acme.portal.eu-west-1.app.aws/start", "eu-west-1", True),
        Portal("with a path and a fragment", "https://acme.portal.eu-west-1.app.aws/start/#/?tab=x", "eu-west-1", True),
        Portal("in upper case", "https://ACME.Portal.EU-West-1.app.aws/", "eu-west-1", True),
        Portal("in GovCloud", "https://ssoins-1.portal.us-gov-west-1.app.aws", "us-gov-west-1", True),
        Portal("in China", "https://x.portal.cn-north-1.app.amazonwebservices.com.cn", "cn-north-1", True),
        Portal(
            "in Europe's own cloud", "https://x.portal.eusc-de-east-1.api.amazonwebservices.eu", "eusc-de-east-1", True
        ),
        Portal("IPv4, with its region", "https://ssoins-1.us-west-2.portal.amazonaws.com", "us-west-2", False),
        Portal("IPv4 in China", "https://ssoins-1.cn-north-1.portal.amazonaws.com.cn", "cn-north-1", False),
        Portal("IPv4 in Europe's own cloud", "https://x.eusc-de-east-1.portal.amazonaws.eu", "eusc-de-east-1", False),
        Portal("a lookalike", "https://x.portal.us-east-1.app.aws.evil.example", None, False),
        Portal("no address", "portal.us-east-1.app.aws", None, False),
    ]
)
def test_what_the_host_of_a_portal_tells(case):
    """Some name their region; some of these are dual-stack (`sso/resolve.py` of the AWS CLI)."""
    assert region_in(case.address) == case.region
    assert is_dual_stack(case.address) is case.dual_stack
