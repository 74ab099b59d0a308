"""
The words of this package, as frozen values.

Inside the package a time is an aware UTC `datetime`, an account id is a string of
twelve digits, and a secret is a `Secret`: it compares and hashes, and prints as `…`.
Wire and file formats are turned into these values at the doors and nowhere else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, NoReturn

from cuaws_magic.settings import DEFAULT_SCOPES

if TYPE_CHECKING:
    from collections.abc import Callable

    Now = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the current time, aware, UTC."""
    return datetime.now(timezone.utc)


# A file's date may be a moment ahead of the clock that it is compared with.
_CLOCK_TOLERANCE = timedelta(minutes=1)

# A client that asks in the last minute waits for a new set instead of taking the old one.
_LAST_MOMENTS = timedelta(minutes=1)


class Secret:
    """
    A text that does not print itself.

    `reveal()` gives the text; call it only where the text goes out of a door.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the secret text."""
        return self._text

    def __repr__(self) -> str:
        return "…"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        message = "a secret is not pickled"
        raise TypeError(message)


@dataclass(frozen=True, slots=True)
class SsoSession:
    """
    One way to sign in: an `[sso-session]` of `~/.aws/config`, or a bare start URL.

    Attributes:
        name: The section's name; `None` for the legacy form without a section.

        start_url: Address of the access portal, exactly as configured.

        sso_region: Region of the Identity Center instance; not the kernel's region.

        scopes: `sso_registration_scopes`; `None` where none are configured, and
            then the service gives no refresh token.
    """

    name: str | None
    start_url: str
    sso_region: str
    scopes: tuple[str, ...] | None

    @property
    def code_scopes(self) -> tuple[str, ...]:
        """The scopes of a sign-in by authorization code, which cannot do without (the AWS CLI's default)."""
        return self.scopes or DEFAULT_SCOPES

    @property
    def cache_key(self) -> str:
        """The text whose SHA-1 names the token file (botocore `SSOTokenLoader`)."""
        return self.name or self.start_url

    @property
    def label(self) -> str:
        """What to call it in a message."""
        return self.name or self.start_url


@dataclass(frozen=True, slots=True)
class ClientRegistration:
    """What `RegisterClient` gave: this program, known to the service for some months."""

    client_id: str = field(repr=False)
    client_secret: Secret
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class DeviceAuthorization:
    """
    What `StartDeviceAuthorization` gave (RFC 8628 §3.2). Lives minutes, never on disk.

    Attributes:
        device_code: What we poll with; secret.

        user_code: What the person compares with the page; not in `repr`.

        verification_uri: The page.

        verification_uri_complete: The page with the code filled in.

        interval: Seconds between two polls.

        issued_at: When it was asked for.

        expires_at: When the codes end.
    """

    device_code: Secret
    user_code: str = field(repr=False)
    verification_uri: str
    verification_uri_complete: str = field(repr=False)
    interval: int
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """
    A request for an authorization code (RFC 6749 §4.1.1, RFC 7636 §4.3). Lives minutes, never on disk.

    Attributes:
        page: Where a person approves it; the state is in it.

        redirect_uri: Where the browser goes then, with the port.

        state: Ties the answer to this request.

        verifier: What the challenge in the page was made of; never leaves this process before the code is exchanged.

        issued_at: When it was made.

        expires_at: When the answer is not waited for any more.
    """

    page: str = field(repr=False)
    redirect_uri: str
    state: Secret
    verifier: Secret
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SsoToken:
    """
    Proof of a sign-in for the access portal: the content of a token file.

    Attributes:
        start_url: As configured when it was obtained.

        sso_region: Region of the Identity Center instance.

        access_token: Bearer token for the portal.

        expires_at: End of the access token; the sign-in itself may last longer.

        refresh_token: Gets the next access token without a person; may be absent.

        registration: The client that may use the refresh token.

        obtained_at: When it was obtained, as far as known.
    """

    start_url: str
    sso_region: str | None
    access_token: Secret
    expires_at: datetime
    refresh_token: Secret | None = None
    registration: ClientRegistration | None = None
    obtained_at: datetime | None = field(default=None, compare=False)

    def refresh_at(self, margin: timedelta) -> datetime:
        """When to refresh it: a margin before its end, but not before two thirds of a short life."""
        if self.obtained_at is None:
            return self.expires_at - margin
        return self.expires_at - min(margin, (self.expires_at - self.obtained_at) / 3)

    def refreshable(self, now: datetime) -> bool:
        """Whether a next access token can be had without a person."""
        return self.refresh_token is not None and self.registration is not None and now < self.registration.expires_at


@dataclass(frozen=True, slots=True)
class Account:
    """An AWS account that the person may enter."""

    id: str
    name: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class AccountRole:
    """
    One way into one account.

    Attributes:
        account: The account; its name may be its id where nobody listed it yet.

        role_name: Name of the permission set, as `GetRoleCredentials` takes it.

        sso_session: The sign-in through which it is reached.

        region: Region of the profile it came from, if it came from one.

        profile: That profile; its client settings go with it.

        notes: What a person should know of how it was found: who did not answer, who has that name too.
    """

    account: Account
    role_name: str
    sso_session: SsoSession
    region: str | None = None
    profile: str | None = None
    notes: tuple[str, ...] = field(default=(), compare=False, repr=False)

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells one set of role credentials from another."""
        return (self.sso_session.cache_key, self.account.id, self.role_name)


@dataclass(frozen=True, slots=True)
class Credentials:
    """
    One set of AWS keys, from wherever: temporary, or for good.

    Attributes:
        account_id: Whose; `None` where nobody said.

        session_token: Part of temporary ones; `None` for those of an IAM user.

        expires_at: When they end, as AWS said; `None` where nobody did.

        obtained_at: When they came here.
    """

    account_id: str | None
    access_key_id: Secret
    secret_access_key: Secret
    session_token: Secret | None
    expires_at: datetime | None
    obtained_at: datetime

    def refresh_at(self) -> datetime | None:
        """When to fetch the next ones: once a third of their life has passed; `None` where no end is known."""
        return None if self.expires_at is None else self.obtained_at + (self.expires_at - self.obtained_at) / 3

    def refresh_needed(self, now: datetime) -> bool:
        """Whether to fetch the next ones now; also when the clock was set back behind their beginning."""
        refresh_at = self.refresh_at()
        return refresh_at is not None and (now >= refresh_at or now < self.obtained_at - _CLOCK_TOLERANCE)

    def expired(self, now: datetime) -> bool:
        """Whether they have ended, as far as is known."""
        return self.expires_at is not None and now >= self.expires_at

    def last_moments(self) -> timedelta:
        """How little life makes it worth waiting for the next ones."""
        return timedelta() if self.expires_at is None else min(_LAST_MOMENTS, (self.expires_at - self.obtained_at) / 10)


@dataclass(frozen=True, slots=True)
class RoleCredentials(Credentials):
    """
    Temporary credentials of one role in one account (`GetRoleCredentials`).

    Attributes:
        session_token: Part of the credentials; not the SSO token.

        obtained_at: When they were fetched; with `expires_at` tells their life.
    """

    account_id: str
    session_token: Secret
    expires_at: datetime

    def refresh_at(self) -> datetime:
        """When to fetch the next ones: once a third of their life has passed."""
        return self.obtained_at + (self.expires_at - self.obtained_at) / 3

    def remaining(self, now: datetime) -> timedelta:
        """How long they are still good."""
        return self.expires_at - now


@dataclass(frozen=True, slots=True)
class Origin:
    """
    Where credentials come from, in words.

    Attributes:
        label: What to call them.

        remedy: What to type when they expired.

        renews: Whether they are renewed automatically.
    """

    label: str
    remedy: str
    renews: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """Who AWS says we are (`sts:GetCallerIdentity`)."""

    account: str
    arn: str
    user_id: str

    @property
    def person(self) -> str:
        """The name of the role session: for Identity Center, the person's user name."""
        return self.arn.rsplit("/", 1)[-1]

    @property
    def role_name(self) -> str:
        """The role that was taken on, as a person knows it; for an IAM user or root, that."""
        kind, _, rest = self.arn.rsplit(":", 1)[-1].partition("/")
        if kind != "assumed-role":
            return f"{kind} {rest}".rstrip()
        name = rest.split("/", 1)[0]
        # The IAM role of a permission set is AWSReservedSSO_<name>_<16 hexadecimal digits>.
        permission_set = re.fullmatch(r"AWSReservedSSO_(.+)_[0-9a-f]{16}", name)
        return permission_set[1] if permission_set is not None else name


@dataclass(frozen=True, slots=True)
class DiffLine:
    """
    One line of the difference between two texts.

    Attributes:
        sign: `+` comes, `-` goes, space stays, `@` says where.
    """

    sign: str
    text: str

    def __str__(self) -> str:
        return self.text if self.sign == "@" else f"{self.sign}{self.text}".rstrip()
