"""What the device flow asks for one sign-in, with the AWS CLI's cached registration."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from cuaws_magic.aws.hosts import check_sign_in_page
from cuaws_magic.errors import StorageError

if TYPE_CHECKING:
    from cuaws_magic.aws.identity_center import IdentityCenter
    from cuaws_magic.model import ClientRegistration, DeviceAuthorization, Now, SsoSession, SsoToken
    from cuaws_magic.sso.token_cache import TokenCache

# botocore and the AWS CLI treat a registration as over 15 minutes before its end.
_REGISTRATION_MARGIN = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class IdentityCenterGateway:
    """
    A `device_flow.Gateway`.

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

    def registration(self, *, refused: bool) -> ClientRegistration:
        """Return the cached client registration, or a new one; settles first where the start URL leads."""
        self.identity_center.start_urls.resolved(self.sso_session)
        cached = None if refused else self.cache.load_registration(self.sso_session)
        if cached is not None and cached.expires_at - self.now() > _REGISTRATION_MARGIN:
            return cached
        registration = self.identity_center.register_client(self.sso_session)
        # The sign-in works without; what cannot be written is said once, for the SSO token.
        with contextlib.suppress(StorageError):
            self.cache.save_registration(self.sso_session, registration)
        return registration

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
