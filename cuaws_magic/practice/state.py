"""What the pretend Identity Center remembers: registrations, waiting codes, sign-ins and who may do what."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from cuaws_magic.practice import people

if TYPE_CHECKING:
    from collections.abc import Callable

    from cuaws_magic.practice.knobs import Knobs

# No vowels, so that no code is a word; nothing that can be taken for something else.
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_DIGITS = "23456789"


class Decision(Enum):
    """What became of a device code."""

    WAITING = "waiting"
    APPROVED = "approved"
    DENIED = "denied"
    USED = "used"


@dataclass(frozen=True, slots=True)
class Registration:
    """A client that may ask for device codes, or for authorization codes if it registered for them."""

    client_id: str
    client_secret: str = field(repr=False)
    client_name: str
    scopes: tuple[str, ...]
    expires_at: datetime
    redirect_uris: tuple[str, ...] = ()
    issuer_url: str | None = None


@dataclass(slots=True)
class Authorization:
    """A device code and what has happened to it so far."""

    device_code: str = field(repr=False)
    user_code: str = field(repr=False)
    registration: Registration
    start_url: str
    expires_at: datetime
    interval: float  # s that must lie between two polls
    decision: Decision = Decision.WAITING
    polls: int = 0
    last_poll: datetime | None = None


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """A page that asks whether a client may have an authorization code (RFC 6749 §4.1.1, RFC 7636 §4.3)."""

    registration: Registration
    redirect_uri: str
    state: str
    code_challenge: str
    expires_at: datetime

    def verified(self, verifier: str) -> bool:
        """Tell whether somebody knows what the challenge was made of (S256, RFC 7636 §4.6)."""
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
        return secrets.compare_digest(digest, self.code_challenge.encode())


@dataclass(frozen=True, slots=True)
class SignIn:
    """One approval by the user; all its SSO tokens and refresh tokens end together."""

    number: int
    client_id: str
    start_url: str
    refreshable_until: datetime


@dataclass(frozen=True, slots=True)
class IssuedTokens:
    """What CreateToken hands out."""

    sso_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)


class State:
    """The memory of one running portal. Every method is safe to call from every thread."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Remember nothing yet; `now` is the portal's own clock, offset included."""
        self.now = now
        self.lock = threading.RLock()
        self._registrations: dict[str, Registration] = {}
        self._authorizations: dict[str, Authorization] = {}
        self._codes: dict[str, CodeRequest] = {}
        self._sso_tokens: dict[str, tuple[SignIn, datetime]] = {}
        self._refresh_tokens: dict[str, SignIn] = {}
        self._sign_ins = 0
        self._removed: set[tuple[str, str]] = set()

    def register(
        self,
        client_name: str,
        scopes: tuple[str, ...],
        lifetime: float,
        redirect_uris: tuple[str, ...] = (),
        issuer_url: str | None = None,
    ) -> Registration:
        """Register a client."""
        registration = Registration(
            client_id=secrets.token_urlsafe(24),
            client_secret=f"eyJraWQiOiJwcmFjdGljZSJ9.{secrets.token_urlsafe(48)}",
            client_name=client_name,
            scopes=scopes,
            expires_at=self.now() + timedelta(seconds=lifetime),
            redirect_uris=redirect_uris,
            issuer_url=issuer_url,
        )
        with self.lock:
            self._registrations[registration.client_id] = registration
        return registration

    def registration(self, client_id: str, client_secret: str) -> Registration | None:
        """Find the registration that these two words belong to, expired or not."""
        with self.lock:
            registration = self._registrations.get(client_id)
        if registration and secrets.compare_digest(registration.client_secret.encode(), client_secret.encode()):
            return registration
        return None

    def client(self, client_id: str) -> Registration | None:
        """Find a registration by its public name, as the sign-in page does."""
        with self.lock:
            return self._registrations.get(client_id)

    def issue_code(self, request: CodeRequest) -> str:
        """Make the authorization code of a request that the user allowed."""
        code = f"practice-{secrets.token_urlsafe(48)}"
        with self.lock:
            self._codes[code] = request
        return code

    def spend_code(self, code: str) -> CodeRequest | None:
        """Take an authorization code, which is good once (RFC 6749 §4.1.2)."""
        with self.lock:
            return self._codes.pop(code, None)

    def authorize(self, registration: Registration, start_url: str, knobs: Knobs) -> Authorization:
        """Begin a device authorization."""
        with self.lock:
            authorization = Authorization(
                device_code=secrets.token_urlsafe(48),
                user_code=self._new_user_code(),
                registration=registration,
                start_url=start_url,
                expires_at=self.now() + timedelta(seconds=knobs.code_lifetime),
                interval=knobs.interval,
            )
            self._authorizations[authorization.device_code] = authorization
            return authorization

    def authorization(self, device_code: str) -> Authorization | None:
        """Find a device authorization; hold `lock` while changing it."""
        with self.lock:
            return self._authorizations.get(device_code)

    def authorization_of(self, user_code: str) -> Authorization | None:
        """Find the newest authorization with what a person typed: any case, with or without the hyphen."""
        wanted = _plain(user_code)
        with self.lock:
            matches = [one for one in self._authorizations.values() if _plain(one.user_code) == wanted]
        return matches[-1] if matches else None

    def waiting(self) -> list[Authorization]:
        """List what waits for a person, oldest first."""
        now = self.now()
        with self.lock:
            everything = list(self._authorizations.values())
        return [one for one in everything if one.decision is Decision.WAITING and now < one.expires_at]

    def decide(self, user_code: str, decision: Decision) -> bool:
        """Approve or deny a waiting code; false when it waits no longer."""
        with self.lock:
            authorization = self.authorization_of(user_code)
            if authorization is None or authorization not in self.waiting():
                return False
            authorization.decision = decision
            return True

    def sign_in(self, registration: Registration, start_url: str, knobs: Knobs) -> IssuedTokens:
        """Make the SSO token, and the refresh token if the client may have one, of a new sign-in."""
        with self.lock:
            self._sign_ins += 1
            until = self.now() + timedelta(seconds=knobs.sso_session_lifetime)
            sign_in = SignIn(self._sign_ins, registration.client_id, start_url, until)
            refreshable = knobs.refresh_tokens and bool(registration.scopes)
            return IssuedTokens(
                self._new_sso_token(sign_in, knobs), self._new_refresh_token(sign_in) if refreshable else None
            )

    def refresh(self, registration: Registration, refresh_token: str, knobs: Knobs) -> IssuedTokens | None:
        """Exchange a refresh token; `None` when it is not good, or no longer."""
        with self.lock:
            sign_in = self._refresh_tokens.get(refresh_token)
            if sign_in is None or sign_in.client_id != registration.client_id:
                return None
            if self.now() >= sign_in.refreshable_until:
                return None
            answered: str | None = refresh_token
            if knobs.omit_refresh_token:
                answered = None
            elif knobs.rotate_refresh_tokens:
                del self._refresh_tokens[refresh_token]
                answered = self._new_refresh_token(sign_in)
            return IssuedTokens(self._new_sso_token(sign_in, knobs), answered)

    def is_signed_in(self, sso_token: str) -> bool:
        """Tell whether the access portal accepts this SSO token."""
        with self.lock:
            found = self._sso_tokens.get(sso_token)
        return found is not None and self.now() < found[1]

    def start_url_of(self, sso_token: str) -> str | None:
        """Return the start URL that a sign-in began with."""
        with self.lock:
            found = self._sso_tokens.get(sso_token)
        return found[0].start_url if found is not None else None

    def sign_out(self, sso_token: str) -> None:
        """End the sign-in of this SSO token, refresh tokens included."""
        with self.lock:
            found = self._sso_tokens.get(sso_token)
            if found:
                number = found[0].number
                self._sso_tokens = {k: v for k, v in self._sso_tokens.items() if v[0].number != number}
                self._refresh_tokens = {k: v for k, v in self._refresh_tokens.items() if v.number != number}

    def revoke_sign_ins(self) -> None:
        """End every sign-in."""
        with self.lock:
            self._sso_tokens.clear()
            self._refresh_tokens.clear()

    def remove_role(self, account_id: str, role_name: str) -> None:
        """Take a permission set away from the user."""
        with self.lock:
            self._removed.add((account_id, role_name))

    def assignments(self, knobs: Knobs, start_url: str = people.START_URL) -> tuple[people.PretendAccount, ...]:
        """List an organisation's accounts with the roles that are left; an account without any role is not there."""
        with self.lock:
            removed = set(self._removed)
        rest = []
        for account in people.accounts_of(start_url, knobs.accounts, knobs.organisations):
            roles = tuple(role for role in account.roles if (account.account_id, role) not in removed)
            if roles:
                rest.append(people.PretendAccount(account.account_id, account.name, roles))
        return tuple(rest)

    def _new_user_code(self) -> str:
        taken = {one.user_code for one in self._authorizations.values()}
        while True:
            letters = "".join(secrets.choice(_LETTERS) for _ in range(4))
            digits = "".join(secrets.choice(_DIGITS) for _ in range(4))
            if (user_code := f"{letters}-{digits}") not in taken:
                return user_code

    def _new_sso_token(self, sign_in: SignIn, knobs: Knobs) -> str:
        sso_token = f"aoaAAAAAG{secrets.token_urlsafe(96)}"
        self._sso_tokens[sso_token] = (sign_in, self.now() + timedelta(seconds=knobs.token_lifetime))
        return sso_token

    def _new_refresh_token(self, sign_in: SignIn) -> str:
        refresh_token = f"aorAAAAAG{secrets.token_urlsafe(96)}"
        self._refresh_tokens[refresh_token] = sign_in
        return refresh_token


def _plain(user_code: str) -> str:
    return "".join(letter for letter in user_code.upper() if letter.isalnum())
