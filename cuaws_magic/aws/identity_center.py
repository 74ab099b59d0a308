"""
The only door to IAM Identity Center (`sso-oidc`, `sso`) and STS.

Our values in and out. What botocore raises comes out translated (`service_errors`), what the wire calls seconds,
milliseconds and strings as aware UTC times. Endpoints, proxies and certificates are the SDK's own settings.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from cuaws_magic.aws.clients import BotoClients
from cuaws_magic.aws.hosts import callback_address
from cuaws_magic.aws.start_urls import StartUrls
from cuaws_magic.aws.transport import RateLimiter, Transport
from cuaws_magic.model import (
    Account,
    ClientRegistration,
    CodeRequest,
    Credentials,
    DeviceAuthorization,
    Identity,
    RoleCredentials,
    Secret,
    SsoSession,
    SsoToken,
    utc_now,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cuaws_magic.aws.hosts import SsoRegion
    from cuaws_magic.model import Now
    from cuaws_magic.state_store import StateStore

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"  # RFC 8628 §3.4
CODE_GRANT = "authorization_code"  # RFC 6749 §4.1
REFRESH_GRANT = "refresh_token"  # RFC 6749 §6
POLL_INTERVAL = 5  # seconds, where the service names none (RFC 8628 §3.2)


class IdentityCenter:
    """
    The services, for any number of sign-ins; without arguments, with clients, clock and pace of its own.

    Attributes:
        start_urls: Where start URLs lead.
    """

    def __init__(
        self,
        clients: BotoClients | None = None,
        now: Now = utc_now,
        pace: RateLimiter | None = None,
        own_state: StateStore | None = None,
    ) -> None:
        self._questions = Transport(clients or BotoClients(), pace or RateLimiter(), now)
        self._now = now
        self.start_urls = StartUrls(self._questions, own_state)

    def after_fork(self) -> None:
        """Start anew in a forked process, with connections of its own."""
        self._questions.after_fork()

    # sso-oidc.

    def sign_in_endpoint(self, sso_session: SsoSession) -> str:
        """Return the address where sign-ins are asked for: AWS's, or where the SDK's settings point."""
        return self._questions.sign_in_endpoint(self._region(sso_session))

    def register_client(self, sso_session: SsoSession, *, for_codes: bool = False) -> ClientRegistration:
        """
        Register this program, under the name that the consent page shows (`RegisterClient`).

        Args:
            for_codes: For the authorization code grant.
        """
        name = sso_session.name or str(int(self._now().timestamp()))
        parameters: dict[str, Any] = {"clientName": f"botocore-client-{name}", "clientType": "public"}
        if sso_session.scopes:
            parameters["scopes"] = list(sso_session.scopes)
        if for_codes:
            parameters |= {
                "scopes": list(sso_session.code_scopes),
                "grantTypes": [CODE_GRANT, REFRESH_GRANT],
                "redirectUris": [callback_address()],
                "issuerUrl": self.start_urls.known(sso_session.start_url),
            }
        return self._questions.oidc(
            "RegisterClient",
            self._region(sso_session),
            lambda client: client.register_client(**parameters),
            lambda answer: ClientRegistration(
                client_id=str(answer["clientId"]),
                client_secret=Secret(answer["clientSecret"]),
                expires_at=datetime.fromtimestamp(answer["clientSecretExpiresAt"], timezone.utc),
            ),
        )

    def authorization_page(
        self, sso_session: SsoSession, registration: ClientRegistration, redirect_uri: str, state: str, challenge: str
    ) -> str:
        """Return the address on which a person approves an authorization code (in no service model; RFC 7636 §4.3)."""
        query = {
            "response_type": "code",
            "client_id": registration.client_id,
            "redirect_uri": redirect_uri,
            "state": state,
            "code_challenge_method": "S256",
            "scopes": " ".join(sso_session.code_scopes),
            "code_challenge": challenge,
        }
        endpoint = self.sign_in_endpoint(sso_session).rstrip("/")
        return f"{endpoint}/authorize?{urlencode(query, quote_via=quote, safe='')}"

    def redeem_code(
        self, sso_session: SsoSession, registration: ClientRegistration, request: CodeRequest, code: Secret
    ) -> SsoToken:
        """
        Exchange an authorization code (`CreateToken`, RFC 6749 §4.1.3, RFC 7636 §4.5).

        Raises:
            AuthorizationCodeRefused: It is used up, old, or of another request.

            RegistrationRefused: The registration is over.
        """
        return self._questions.oidc(
            "RedeemCode",
            self._region(sso_session),
            lambda client: client.create_token(
                grantType=CODE_GRANT,
                clientId=registration.client_id,
                clientSecret=registration.client_secret.reveal(),
                redirectUri=request.redirect_uri,
                codeVerifier=request.verifier.reveal(),
                code=code.reveal(),
            ),
            lambda answer: self._token(answer, sso_session, registration, None),
            attempts=1,  # a code is good once: what was asked may have used it
        )

    def start_device_authorization(
        self, sso_session: SsoSession, registration: ClientRegistration
    ) -> DeviceAuthorization:
        """
        Ask for a code that a person approves (`StartDeviceAuthorization`, RFC 8628 §3.1).

        Raises:
            RegistrationRefused: The registration is unknown or over.

            ConfigurationError: The service does not know the start URL.
        """
        issued_at = self._now()
        return self._questions.oidc(
            "StartDeviceAuthorization",
            self._region(sso_session),
            lambda client: client.start_device_authorization(
                clientId=registration.client_id,
                clientSecret=registration.client_secret.reveal(),
                startUrl=self.start_urls.known(sso_session.start_url),
            ),
            lambda answer: DeviceAuthorization(
                device_code=Secret(answer["deviceCode"]),
                user_code=str(answer["userCode"]),
                verification_uri=str(answer["verificationUri"]),
                verification_uri_complete=str(answer.get("verificationUriComplete") or answer["verificationUri"]),
                interval=int(answer.get("interval") or POLL_INTERVAL),
                issued_at=issued_at,
                expires_at=issued_at + timedelta(seconds=answer["expiresIn"]),
            ),
        )

    def create_token(
        self, sso_session: SsoSession, registration: ClientRegistration, authorization: DeviceAuthorization
    ) -> SsoToken:
        """
        Ask once whether the code was approved (`CreateToken`, RFC 8628 §3.4).

        Raises:
            AuthorizationPending: Not yet.

            SlowDown: Not yet, and asked too fast.

            DeviceCodeExpired: The code expired or was used.

            RegistrationRefused: The registration is unknown or over.

            AuthorizationDenied: The person refused.
        """
        return self._questions.oidc(
            "CreateToken",
            self._region(sso_session),
            lambda client: client.create_token(
                grantType=DEVICE_GRANT,
                clientId=registration.client_id,
                clientSecret=registration.client_secret.reveal(),
                deviceCode=authorization.device_code.reveal(),
            ),
            lambda answer: self._token(answer, sso_session, registration, None),
            attempts=1,  # the device flow asks again
        )

    def refresh_token(self, sso_session: SsoSession, sso_token: SsoToken) -> SsoToken:
        """
        Get the next SSO token without a person (`CreateToken`, RFC 6749 §6).

        Raises:
            RefreshRefused: The refresh token is used up, revoked or over.
        """
        registration, refresh_token = sso_token.registration, sso_token.refresh_token
        if registration is None or refresh_token is None:
            message = "an SSO token without refresh token or registration cannot be refreshed"
            raise ValueError(message)
        return self._questions.oidc(
            "RefreshToken",
            self._region(sso_session),
            lambda client: client.create_token(
                grantType=REFRESH_GRANT,
                clientId=registration.client_id,
                clientSecret=registration.client_secret.reveal(),
                refreshToken=refresh_token.reveal(),
            ),
            lambda answer: self._token(answer, sso_session, registration, refresh_token),
        )

    # The access portal.

    def logout(self, sso_token: SsoToken, sso_region: str) -> None:
        """
        End the sign-in at the portal (`Logout`).

        Raises:
            SsoTokenRefused: It had ended already.

            ServiceError: The portal did not answer itself; a proxy's page is no answer.
        """
        bearer = sso_token.access_token
        self._questions.portal(
            "Logout",
            self.start_urls.region(sso_token, sso_region),
            lambda client: client.logout(accessToken=bearer.reveal()),
            _own_answer,
            attempts=3,
            paced=False,  # nobody can list at the same time with what is ended
        )

    def check(self, sso_token: SsoToken, sso_region: str) -> None:
        """
        Ask the portal once whether it knows an SSO token (`ListAccounts`, one entry).

        Raises:
            SsoTokenRefused: It does not.

            ServiceError: It does not answer.
        """
        bearer = sso_token.access_token
        self._questions.portal(
            "ListAccounts",
            self.start_urls.region(sso_token, sso_region),
            lambda client: client.list_accounts(accessToken=bearer.reveal(), maxResults=1),
            lambda _: None,
            attempts=1,
        )

    def list_accounts(self, sso_token: SsoToken, sso_region: str) -> Iterator[Account]:
        """
        Yield the accounts that the person may enter (`ListAccounts`, 100 a page).

        Raises:
            SsoTokenRefused: The portal does not know the SSO token.
        """
        return self._questions.pages(
            "ListAccounts",
            "list_accounts",
            sso_token.access_token,
            {},
            self.start_urls.region(sso_token, sso_region),
            lambda answer: [
                Account(
                    str(item["accountId"]),
                    str(item.get("accountName") or item["accountId"]),
                    str(item.get("emailAddress") or ""),
                )
                for item in answer["accountList"]
            ],
        )

    def list_account_roles(self, sso_token: SsoToken, sso_region: str, account_id: str) -> Iterator[str]:
        """
        Yield the names of the roles that the person has in an account (`ListAccountRoles`).

        Raises:
            SsoTokenRefused: The portal does not know the SSO token.

            NoAccess: The person may not enter the account.
        """
        return self._questions.pages(
            "ListAccountRoles",
            "list_account_roles",
            sso_token.access_token,
            {"accountId": account_id},
            self.start_urls.region(sso_token, sso_region),
            lambda answer: [str(item["roleName"]) for item in answer["roleList"]],
        )

    def role_credentials(
        self, sso_token: SsoToken, sso_region: str, account_id: str, role_name: str
    ) -> RoleCredentials:
        """
        Fetch credentials for a role (`GetRoleCredentials`; `expiration` is epoch milliseconds).

        Raises:
            SsoTokenRefused: The portal does not know the SSO token.

            NoAccess: The role is not assigned to the person.
        """
        obtained_at = self._now()
        bearer = sso_token.access_token

        def value(answer: Mapping[str, Any]) -> RoleCredentials:
            keys = answer["roleCredentials"]
            return RoleCredentials(
                account_id=account_id,
                access_key_id=Secret(keys["accessKeyId"]),
                secret_access_key=Secret(keys["secretAccessKey"]),
                session_token=Secret(keys["sessionToken"]),
                expires_at=datetime.fromtimestamp(keys["expiration"] / 1000, timezone.utc),
                obtained_at=obtained_at,
            )

        return self._questions.portal(
            "GetRoleCredentials",
            self.start_urls.region(sso_token, sso_region),
            lambda client: client.get_role_credentials(
                accessToken=bearer.reveal(), accountId=account_id, roleName=role_name
            ),
            value,
        )

    # STS.

    def caller_identity(self, credentials: Credentials | None, region: str, profile: str | None = None) -> Identity:
        """
        Ask AWS who we are (`sts:GetCallerIdentity`).

        Args:
            credentials: As whom; `None` for whatever this kernel's own chain finds.

            region: Which STS to ask.

            profile: Whose settings say how to reach it.

        Raises:
            NoCredentials: The chain finds nothing.

            CredentialsRefused: STS does not accept them.

            ClockWrong: … because this machine's clock is off.
        """
        return self._questions.sts(
            "GetCallerIdentity",
            credentials,
            region,
            lambda client: client.get_caller_identity(),
            lambda answer: Identity(str(answer["Account"]), str(answer["Arn"]), str(answer["UserId"])),
            profile,
        )

    def _region(self, sso_session: SsoSession) -> SsoRegion:
        return self.start_urls.region(sso_session, sso_session.sso_region)

    def _token(
        self,
        answer: Mapping[str, Any],
        sso_session: SsoSession,
        registration: ClientRegistration,
        previous: Secret | None,
    ) -> SsoToken:
        fresh = answer.get("refreshToken")
        return SsoToken(
            start_url=sso_session.start_url,
            sso_region=sso_session.sso_region,
            access_token=Secret(answer["accessToken"]),
            expires_at=self._now() + timedelta(seconds=answer["expiresIn"]),
            refresh_token=Secret(fresh) if fresh else previous,  # RFC 6749 §6: none returned, the old one stays
            registration=registration,
            obtained_at=self._now(),
        )


def _own_answer(answer: Mapping[str, Any]) -> None:
    """Refuse an answer without content that is not the service's: its own has a request id, or is JSON, or empty."""
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    kind = str(headers.get("content-type", ""))
    if "html" in kind or not ("x-amzn-requestid" in headers or "json" in kind or headers.get("content-length") == "0"):
        raise ValueError(kind)  # as any answer that cannot be read
