"""
Where a start URL leads: AWS's own as it is, an organisation's own address by the one redirect that it answers.

As the AWS CLI does since 2.35.13 (`awscli/customizations/sso/resolve.py`): only the sign-in is asked for at the
address behind it; files keep the one that is configured. botocore resolves nothing, and needs only the token file.
"""

from __future__ import annotations

import contextlib
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urljoin

from cuaws_magic.aws.hosts import SsoRegion, is_aws, is_dual_stack, portal_address, region_in
from cuaws_magic.errors import ConfigurationError
from cuaws_magic.humanize import printable, quoted
from cuaws_magic.settings import CU_START_URL

if TYPE_CHECKING:
    from cuaws_magic.model import SsoSession, SsoToken
    from cuaws_magic.state_store import StateStore

_KIND = "start-url"
_REDIRECTS = {
    HTTPStatus.MOVED_PERMANENTLY,
    HTTPStatus.FOUND,
    HTTPStatus.SEE_OTHER,
    HTTPStatus.TEMPORARY_REDIRECT,
    HTTPStatus.PERMANENT_REDIRECT,
}
# Servers that know no HEAD.
_ASK_AGAIN = {HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED}


class Asked(Protocol):
    """Sends one request, follows nothing; in production the `Transport`."""

    def page(self, method: str, address: str) -> tuple[int, str | None]:
        """Return the status of the answer, and its `Location`."""


class StartUrls:
    """
    What is behind the start URLs of this home.

    Args:
        ask: How to ask.

        own_state: Where it is remembered; without, as long as this object lives.
    """

    def __init__(self, ask: Asked, own_state: StateStore | None = None) -> None:
        self._ask = ask
        self._own_state = own_state
        self._known: dict[str, str] = {}

    def resolved(self, sso_session: SsoSession) -> str:
        """
        Return the access portal's own address, for a sign-in that begins; asks only where the start URL is not AWS's.

        Raises:
            ConfigurationError: It leads nowhere, away from AWS, or to another portal than before.

            ServiceError: It does not answer.
        """
        start_url = sso_session.start_url
        if is_aws(start_url):
            return start_url
        portal = self._behind(start_url)
        before = self.known(start_url)
        if before not in {start_url, portal}:
            logout = "%cuaws logout --all"
            if sso_session.name is not None:
                logout = f"%cuaws logout --session {quoted(sso_session.name)}"
            raise ConfigurationError(
                f"{printable(start_url)} leads to {printable(portal)} now; before, it led to {printable(before)}. "
                f"If your organisation has moved, type `{logout}`, then sign in again."
            )
        region = region_in(portal)
        if region not in {None, sso_session.sso_region}:
            raise ConfigurationError(
                f"{printable(start_url)} leads to an access portal in {region}, not in {sso_session.sso_region}. "
                f"Correct sso_region, or type `%cuaws login --start-url {printable(start_url)} --sso-region {region}`."
            )
        self._known[start_url] = portal
        if self._own_state is not None:
            self._own_state.save(_KIND, start_url, {"portal": portal})
        return portal

    def known(self, start_url: str) -> str:
        """Return the portal's own address as far as it is known without asking; else the start URL itself."""
        if is_aws(start_url):
            return start_url
        found = self._known.get(start_url)
        if found is None and self._own_state is not None:
            portal = self._own_state.load(_KIND, start_url).get("portal")
            found = portal if isinstance(portal, str) and is_aws(portal) else None
        return found or start_url

    def forget(self, start_url: str) -> None:
        """Forget what was behind a start URL."""
        self._known.pop(start_url, None)
        if self._own_state is not None and self._own_state.load(_KIND, start_url):
            self._own_state.save(_KIND, start_url, {})

    def region(self, sign_in: SsoSession | SsoToken, sso_region: str) -> SsoRegion:
        """Return where a sign-in, and the portal that it opens, are asked."""
        return SsoRegion(sso_region, is_dual_stack(self.known(sign_in.start_url)))

    def _behind(self, start_url: str) -> str:
        status, location = self._ask.page("HEAD", start_url)
        if status in _ASK_AGAIN:
            status, location = self._ask.page("GET", start_url)
        if status in _REDIRECTS and location:
            target = ""
            with contextlib.suppress(ValueError):
                target = urljoin(start_url, location)
            if is_aws(target):
                return portal_address(target)
            said = f"leads to {printable(target or location)}, which is not on a host of AWS"
        else:
            said = f"leads to no AWS access portal (HTTP {status})"
        raise ConfigurationError(
            f"{printable(start_url)} {said}. Use the address of the portal itself, such as {CU_START_URL}: "
            "type `%cuaws login --start-url URL --sso-region REGION`."
        )
