"""The account and role in use: where its credentials come from, those in hand, and how they reach programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from cuaws_magic.credentials.environment import Served
    from cuaws_magic.credentials.sources import Source
    from cuaws_magic.model import Account, AccountRole, Credentials, Identity, SsoSession


@dataclass(frozen=True, slots=True)
class InUseRole:
    """
    The account and role in use.

    Attributes:
        source: Where its credentials come from.

        credentials: Those in the environment; `None` where a profile is there by its name only.

        region: Where clients go by default.

        identity: What STS said; `None` where it was not asked.

        client_profile: The profile whose client settings hold (endpoints, retries, S3 options); `None` for `[default]`.

        served: Where child processes and native libraries get their credentials; `None` for the environment.

        not_served: Why that is not where they get them, in a few words, where somebody might expect it.
    """

    source: Source
    credentials: Credentials | None
    region: str
    identity: Identity | None
    client_profile: str | None = None
    served: Served | None = None
    not_served: str | None = None

    @property
    def account(self) -> Account:
        """The account."""
        return self.source.account

    @property
    def role_name(self) -> str:
        """The role."""
        return self.source.role_name

    @property
    def sso_session(self) -> SsoSession | None:
        """The sign-in that it depends on; `None` where none does."""
        return self.source.sso_session

    @property
    def account_role(self) -> AccountRole | None:
        """The way to it through the access portal; `None` where there is none."""
        return self.source.account_role

    @property
    def ends_at(self) -> datetime | None:
        """When the credentials end, as well as we know."""
        return None if self.credentials is None else self.source.ends_at(self.credentials)
