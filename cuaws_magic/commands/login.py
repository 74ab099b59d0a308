"""Ending sign-ins: at the portal, on disk, and honestly about what lives on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cuaws_magic.errors import CuawsError, SsoTokenRefused
from cuaws_magic.humanize import clock
from cuaws_magic.model import utc_now
from cuaws_magic.views.sign_in import organisation

if TYPE_CHECKING:
    from cuaws_magic.aws.identity_center import IdentityCenter
    from cuaws_magic.config.files import AwsConfig
    from cuaws_magic.credentials.broker import Broker
    from cuaws_magic.model import Now, SsoSession, SsoToken
    from cuaws_magic.sso.accounts import Accounts
    from cuaws_magic.sso.login import Login
    from cuaws_magic.sso.token_cache import TokenCache


@dataclass(frozen=True, slots=True)
class Ended:
    """
    What a logout ended.

    Attributes:
        organisations: Where; empty if nobody was signed in.

        sentences: What could not be ended.
    """

    organisations: tuple[str, ...]
    sentences: tuple[str, ...]


class Logout:
    """
    Ends one sign-in, or all.

    Args:
        identity_center: Where to say it.

        login: Whose SSO tokens are deleted.

        broker: Whose role credentials are deleted.

        directory: Knows which roles there may be credentials of.

        cache: Where both lie.

        now: The current time, aware, UTC.
    """

    def __init__(
        self,
        identity_center: IdentityCenter,
        login: Login,
        broker: Broker,
        directory: Accounts,
        cache: TokenCache,
        now: Now = utc_now,
    ) -> None:
        self._identity_center = identity_center
        self._login = login
        self._broker = broker
        self._directory = directory
        self._cache = cache
        self._now = now

    def one(self, sso_session: SsoSession, config: AwsConfig | None) -> Ended:
        """
        End one sign-in.

        Args:
            sso_session: Which.

            config: The AWS files, if they can be read: a role of theirs may have a cached set.

        Raises:
            StorageError: A file is there and cannot be deleted.
        """
        sso_token = self._cache.load(sso_session).sso_token
        sentences: tuple[str, ...] = ()
        # First at AWS: a file that cannot be deleted must not keep the sign-in alive.
        if sso_token is not None and self._now() < sso_token.expires_at:
            sentences = self._revoked(sso_token, sso_session.sso_region)
        self._login.forget(sso_session)
        self._broker.forget_all(sso_session, self._directory.known_roles(sso_session, config))
        return Ended((organisation(sso_session),) if sso_token is not None else (), sentences)

    def every(self, sso_session: SsoSession | None) -> Ended:
        """
        End every sign-in of the cache, as `aws sso logout` does, and those that only this kernel has.

        Args:
            sso_session: The one of this kernel, if it is settled which that is.

        Raises:
            StorageError: A file is there and cannot be deleted.
        """
        found = list(self._cache.all_tokens())
        sentences: list[str] = []
        for _, sso_token in found:
            # Also one that is over by its date, as the CLI does: the date is a hint, and so is this clock.
            sentences += self._revoked(sso_token, sso_token.sso_region)
        self._login.forget_files(path for path, _ in found)
        if sso_session is not None:
            self._login.forget(sso_session)
        self._broker.forget_every()
        return Ended(
            tuple(dict.fromkeys(sso_token.start_url for _, sso_token in found)), tuple(dict.fromkeys(sentences))
        )

    def _revoked(self, sso_token: SsoToken, sso_region: str | None) -> tuple[str, ...]:
        if sso_region is None:
            return ()
        try:
            self._identity_center.logout(sso_token, sso_region)
        except SsoTokenRefused:
            return ()  # it had ended already
        except CuawsError as error:
            if self._now() >= sso_token.expires_at:
                return ()
            ends = clock(sso_token.expires_at, self._now())
            return (
                f"{str(error).split('. ', 1)[0]}. The sign-in is gone from here, but AWS will end it only at {ends}.",
            )
        return ()
