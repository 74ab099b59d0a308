"""What a sign-in asks: device code or authorization code, with the AWS CLI's cached registration."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from cuaws_magic.aws.hosts import check_sign_in_page
from cuaws_magic.errors import StorageError
from cuaws_magic.model import CodeRequest, Secret
from cuaws_magic.sso.authorization_code import authorization_code_flow
from cuaws_magic.sso.device_flow import device_flow

if TYPE_CHECKING:
    from collections.abc import Generator

    from cuaws_magic.aws.identity_center import IdentityCenter
    from cuaws_magic.model import ClientRegistration, DeviceAuthorization, Now, SsoSession, SsoToken
    from cuaws_magic.sso.authorization_code import Callback
    from cuaws_magic.sso.device_flow import Step
    from cuaws_magic.sso.token_cache import TokenCache

# botocore and the AWS CLI treat a registration as over 15 minutes before its end.
_REGISTRATION_MARGIN = timedelta(minutes=15)
_CODE_LIFE = timedelta(minutes=10)  # as long as the AWS CLI waits for the browser


@dataclass(frozen=True, slots=True)
class _Gateway:
    """
    What both grants ask.

    Attributes:
        identity_center: Where to ask.

        cache: Where the AWS CLI keeps the registration.

        sso_session: Which sign-in.

        now: The current time, aware, UTC.
    """

    identity_center: IdentityCenter
    cache: TokenCache
    sso_session: SsoSession
    now: Now

    def _registration(self, *, refused: bool, for_codes: bool) -> ClientRegistration:
        """Return the cached client registration, or a new one; settles first where the start URL leads."""
        self.identity_center.start_urls.resolved(self.sso_session)
        cached = None if refused else self.cache.load_registration(self.sso_session, for_codes=for_codes)
        if cached is not None and cached.expires_at - self.now() > _REGISTRATION_MARGIN:
            return cached
        registration = self.identity_center.register_client(self.sso_session, for_codes=for_codes)
        # The sign-in works without; what cannot be written is said once, for the SSO token.
        with contextlib.suppress(StorageError):
            codes_with = self.sso_session.code_scopes if for_codes else None
            self.cache.save_registration(self.sso_session, registration, codes_with=codes_with)
        return registration


@dataclass(frozen=True, slots=True)
class DeviceGateway(_Gateway):
    """A `device_flow.Gateway`."""

    def registration(self, *, refused: bool) -> ClientRegistration:
        """Return the cached client registration, or a new one."""
        return self._registration(refused=refused, for_codes=False)

    def start(self, registration: ClientRegistration) -> DeviceAuthorization:
        """Ask for a code, and check that its page may be shown."""
        authorization = self.identity_center.start_device_authorization(self.sso_session, registration)
        endpoint = self.identity_center.sign_in_endpoint(self.sso_session)
        for page in (authorization.verification_uri, authorization.verification_uri_complete):
            check_sign_in_page(page, endpoint)
        return authorization

    def poll(self, registration: ClientRegistration, authorization: DeviceAuthorization) -> SsoToken:
        """Ask once whether the code was approved."""
        return self.identity_center.create_token(self.sso_session, registration, authorization)


@dataclass(frozen=True, slots=True)
class CodeGateway(_Gateway):
    """An `authorization_code.CodeGateway`."""

    def registration(self, *, refused: bool) -> ClientRegistration:
        """Return the cached client registration for this grant, or a new one."""
        return self._registration(refused=refused, for_codes=True)

    def request(self, registration: ClientRegistration, redirect_uri: str) -> CodeRequest:
        """Make the page on which a person approves, and check that it may be shown."""
        import base64  # deferred: most sign-ins are by device code
        import hashlib
        import secrets

        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()  # S256, RFC 7636 §4.2
        page = self.identity_center.authorization_page(self.sso_session, registration, redirect_uri, state, challenge)
        check_sign_in_page(page, self.identity_center.sign_in_endpoint(self.sso_session))
        now = self.now()
        return CodeRequest(page, redirect_uri, Secret(state), Secret(verifier), now, now + _CODE_LIFE)

    def redeem(self, registration: ClientRegistration, request: CodeRequest, code: Secret) -> SsoToken:
        """Exchange the code."""
        return self.identity_center.redeem_code(self.sso_session, registration, request, code)


def approval_steps(
    identity_center: IdentityCenter,
    cache: TokenCache,
    sso_session: SsoSession,
    now: Now,
    callback: Callback | None = None,
) -> Generator[Step, None, SsoToken]:
    """Return the steps of a sign-in: by authorization code where there is a callback, else by device code."""
    if callback is None:
        return device_flow(DeviceGateway(identity_center, cache, sso_session, now), now)
    return authorization_code_flow(CodeGateway(identity_center, cache, sso_session, now), callback, now)
