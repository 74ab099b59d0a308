"""
Which addresses are AWS's, so that nobody is sent to sign in anywhere else.

The list is the AWS CLI's (`awscli/customizations/sso/resolve.py`), plus the host of
the device page, which is the service's own and in no list of start URLs.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cuaws_magic.errors import ConfigurationError, UnsafeSignInPage
from cuaws_magic.humanize import printable
from cuaws_magic.settings import CU_START_URL

if TYPE_CHECKING:
    from cuaws_magic.model import SsoSession, SsoToken

_SUFFIXES = (
    ".awsapps.com",
    ".app.aws",
    ".portal.amazonaws.com",
    ".awsapps.cn",
    ".portal.amazonaws.com.cn",
    ".app.amazonwebservices.com.cn",
    ".portal.amazonaws.eu",
    ".api.amazonwebservices.eu",
)
_HOSTS = {
    "identitycenter.amazonaws.com",
    "identitycenter.amazonaws.com.cn",
    "identitycenter.amazonaws.eu",
    "identitycenter.us-gov.amazonaws.com",
}
# StartDeviceAuthorization answers `https://device.sso.REGION.amazonaws.com/`.
_DEVICE_PAGE = re.compile(r"device\.sso(-fips)?\.[a-z0-9-]+\.amazonaws\.(com|com\.cn|eu)")
# The authorization code grant has its page at the endpoint of the service itself.
_OIDC = re.compile(
    r"oidc(-fips)?\.[a-z0-9-]+\.(amazonaws\.(com|com\.cn|eu)|api\.aws|api\.amazonwebservices\.(com\.cn|eu))"
)
# The end of a sign-in by authorization code, as the AWS CLI registers it.
CALLBACK_HOST, CALLBACK_PATH = "127.0.0.1", "/oauth/callback"
# Hosts of portals that name their region, and those of them that answer at dual-stack addresses.
_OF_A_REGION = re.compile(
    r"[^.]+\.(?:portal\.([a-z0-9-]+)\.(?:app\.aws|app\.amazonwebservices\.com\.cn|api\.amazonwebservices\.eu)"
    r"|([a-z0-9-]+)\.portal\.amazonaws\.(?:com|com\.cn|eu))"
)


@dataclass(frozen=True, slots=True)
class SsoRegion:
    """
    Where an Identity Center is asked.

    Attributes:
        name: The region.

        dual_stack: At the addresses for IPv4 and IPv6 (`oidc.REGION.api.aws`): a portal with a start URL of that kind
            refuses what was begun at the usual ones, whatever `AWS_USE_DUALSTACK_ENDPOINT` says.
    """

    name: str
    dual_stack: bool = False


def callback_address(port: int | None = None) -> str:
    """Return where a browser comes back to this machine; registered without a port, as any will do (RFC 8252 §7.3)."""
    return f"http://{CALLBACK_HOST}{'' if port is None else f':{port}'}{CALLBACK_PATH}"


def is_dual_stack(start_url: str) -> bool:
    """Whether a start URL is that of a dual-stack portal, such as `https://ssoins-1.portal.us-east-1.app.aws`."""
    found = _region_of(start_url)
    return found is not None and found[1] is not None


def region_in(start_url: str) -> str | None:
    """Return the region that the host of a portal names, if it names one."""
    found = _region_of(start_url)
    return None if found is None else found[1] or found[2]


def _region_of(start_url: str) -> re.Match[str] | None:
    parts = _split(start_url)
    return None if parts is None else _OF_A_REGION.fullmatch(parts[1])


def check_start_url(start_url: str, where: str = "") -> None:
    """
    Refuse what cannot be a start URL: it must be https.

    It need not be on a host of AWS; where it leads is asked when somebody signs in (`start_urls`).

    Args:
        where: Section and file that it stands in; empty where it was typed.

    Raises:
        ConfigurationError: It is no https address, or browsers may read it differently.
    """
    parts = _split(start_url)
    if parts is None or parts[0] != "https":
        subject = f"sso_start_url = {printable(start_url)} of {where}" if where else printable(start_url)
        remedy = (
            "Correct that line, then run the cell again."
            if where
            else "Type `%cuaws login --start-url URL --sso-region REGION`."
        )
        raise ConfigurationError(
            f"{subject} is not the start URL of an AWS access portal: it must be an https address, such as "
            f"{CU_START_URL}. {remedy}"
        )


@functools.lru_cache(maxsize=64)
def portal_address(start_url: str) -> str:
    """
    Return a start URL without what a browser adds to it, so that two spellings of one portal are equal.

    Browsers show `https://d-x.awsapps.com/start/#/?tab=accounts` for `https://d-x.awsapps.com/start`, and the case of
    a host does not matter (RFC 3986 §6.2.2).
    """
    try:
        parts = urlsplit(start_url.strip())
    except ValueError:
        return start_url
    if not parts.hostname or "@" in parts.netloc:
        return start_url
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def portal_of(sign_in: SsoSession | SsoToken) -> tuple[str, str | None]:
    """Return what is one access portal: its address and its region; several sso-sessions may lead to it."""
    return portal_address(sign_in.start_url), sign_in.sso_region


def same_portal(start_url: str, other: str) -> bool:
    """Whether two start URLs lead to the same access portal."""
    return portal_address(start_url) == portal_address(other)


def check_sign_in_page(page: str, endpoint: str) -> None:
    """
    Refuse to send a person to a sign-in page that is not AWS's.

    Args:
        page: The address that the service gave.

        endpoint: Where the service was asked. A page on loopback is fine if the
            service is on loopback too: then it is a practice portal.

    Raises:
        UnsafeSignInPage: The page is somewhere else.
    """
    parts = _split(page)
    if is_aws(page) or (parts is not None and parts[0] == "https" and _OIDC.fullmatch(parts[1])):
        return
    if _is_loopback(page) and _is_loopback(endpoint):
        return
    raise UnsafeSignInPage(
        f"The sign-in page is on {_host(page)}, which is not AWS's, so it is not opened. "
        "Check AWS_ENDPOINT_URL_SSO_OIDC and the proxy, then type `%cuaws login`."
    )


def is_aws(address: str) -> bool:
    """Whether this is an https address on a host of AWS."""
    parts = _split(address)
    if parts is None or parts[0] != "https":
        return False
    host = parts[1]
    return host in _HOSTS or host.endswith(_SUFFIXES) or _DEVICE_PAGE.fullmatch(host) is not None


def _is_loopback(address: str) -> bool:
    parts = _split(address)
    if parts is None or parts[0] not in {"http", "https"}:
        return False
    if parts[1] == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts[1]).is_loopback
    except ValueError:
        return False


@functools.lru_cache(maxsize=64)
def _split(address: str) -> tuple[str, str] | None:
    """Return scheme and host; nothing for what could read differently in a browser."""
    if not address.isascii() or not address.isprintable():
        return None
    if any(character.isspace() or character in "\\\"'<>`" for character in address):
        return None
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return None
    if not host or "@" in parts.netloc or "%" in parts.netloc:
        return None
    return parts.scheme, host


def _host(address: str) -> str:
    """Name the host for a message; the address may be nonsense."""
    try:
        return urlsplit(address).hostname or "no host"
    except ValueError:
        return "a host without a valid name"
