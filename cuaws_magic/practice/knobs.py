"""
The knobs of the practice portal: how it should behave, and misbehave.

Assign a new `Knobs` to `PracticePortal.knobs` while it runs; it holds from the next request on::

    portal.knobs = dataclasses.replace(portal.knobs, deny=True)
"""

from __future__ import annotations

from dataclasses import dataclass

FAILURE_KINDS = ("500", "503", "429", "401", "403", "reset", "slow", "malformed", "empty")


@dataclass(frozen=True, slots=True)
class Failure:
    """
    The next calls of one operation go wrong.

    Args:
        operation: As in `Call.operation`: `"ListAccounts"`, `"sts:GetCallerIdentity"`; or a service, `"s3"`.

        times: How many calls fail, counted from the moment the knobs were set.

        kind: A status (`"500"`, `"503"`, `"429"`, `"401"`, `"403"`), `"reset"` (the connection breaks),
            `"slow"` (right, but late), `"malformed"` (200 with broken JSON) or `"empty"` (200 with nothing).

        delay: Seconds to wait first; for `"slow"` this is the whole failure.

        start_url: Only calls of the organisation with this start URL fail.
    """

    operation: str
    times: int = 1
    kind: str = "500"
    delay: float = 0.0
    start_url: str | None = None

    def __post_init__(self) -> None:
        """Refuse a kind that does not exist, where it was written."""
        if self.kind not in FAILURE_KINDS:
            message = f"Unknown failure kind {self.kind!r}; there are: {', '.join(FAILURE_KINDS)}."
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Knobs:
    """How the portal behaves; the defaults are those of a friendly real one."""

    approve_after: int | None = None  # poll of a device code that finds it approved (1 = the first); None: a person
    deny: bool = False  # every poll of a waiting code answers access_denied
    interval: int = 1  # s between polls, as StartDeviceAuthorization says; 0 = poll as fast as you like
    slow_down: int = 0  # polls of each device code that answer SlowDown, whatever their pace
    slow_down_step: float = 5  # s added to the needed interval at each SlowDown (RFC 8628, section 3.5)
    code_lifetime: float = 600  # s that a device code waits for approval
    token_lifetime: float = 8 * 3600  # s, expiresIn of an SSO token
    sso_session_lifetime: float = 8 * 3600  # s after the sign-in in which refresh tokens work
    refresh_tokens: bool = True  # issue refresh tokens to clients that registered with scopes
    rotate_refresh_tokens: bool = False  # a refresh token works once; the answer brings the next
    omit_refresh_token: bool = False  # answers to a refresh carry no refreshToken; the old one goes on working
    role_lifetime: float = 4 * 3600  # s that role credentials live
    registration_lifetime: float = 90 * 24 * 3600  # s that a client registration lives
    requests_per_second: float | None = None  # 1/s; listings and role credentials beyond it answer 429
    retry_after: int | None = None  # s, in the Retry-After header of a 429; None: no header
    accounts: int = 0  # generated accounts beside the built-in ones
    organisations: int = 1  # 2: another one behind `people.PARTNER_START_URL`, with accounts of its own
    failures: tuple[Failure, ...] = ()  # what goes wrong next, see Failure
    latency: float = 0.0  # s added to every answer of an operation
    clock_offset: float = 0.0  # s that the clock of the portal and of its AWS is ahead of `now`
