"""What a person is told above a cell and below one that failed, where credentials are the reason."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from cuaws_magic.commands.reasons import made_by, missing_profile, reason, sign_in_key
from cuaws_magic.humanize import clock, quoted, span
from cuaws_magic.model import utc_now
from cuaws_magic.views.render import Hint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from cuaws_magic.commands.last_used import LastUsed
    from cuaws_magic.commands.reasons import Reason
    from cuaws_magic.credentials.in_use import InUseRole
    from cuaws_magic.credentials.kernel import KernelCredentials
    from cuaws_magic.model import Now
    from cuaws_magic.sso.login import Login
    from cuaws_magic.sso.session import SignInChoice

_CLIENTS: dict[Reason, str] = {
    "none": "That client had no credentials",
    "over": "That client's credentials have expired",
    "refused": "AWS refused that client's credentials",
}

# Variables that give a program credentials without an account in use.
_SAYS_WHO = (
    "AWS_ACCESS_KEY_ID",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_DEFAULT_PROFILE",
    "AWS_PROFILE",
    "AWS_ROLE_ARN",
)

# What helps, by what holds the credentials.
_AGAIN = {
    "client": "Run the cell that made the client again, then this one. `%cuaws whoami` tells who you are.",
    "object": "It keeps the credentials that it was opened with. Run the cell that opened it again, then this one.",
    "pool": "Its processes keep the credentials that they began with. Make a new pool, then run this cell again.",
    "connection": (
        "A secret of DuckDB is a copy. Type `import cuaws_magic; cuaws_magic.duckdb(connection)`, which keeps it "
        "fresh, then run this cell again."
    ),
}


class CellHints:
    """
    Looks before a cell and after it.

    Args:
        credentials: What this kernel acts as.

        login: The sign-in that it depends on.

        choice: Knows the sign-in of a plain `%cuaws login`, and all that profiles may need.

        now: The current time, aware, UTC.

        seconds: The same clock as seconds, for the look that every cell pays for.

        environ: Where a profile may be named.

        last_used: What was used before.
    """

    def __init__(
        self,
        credentials: KernelCredentials,
        login: Login,
        choice: SignInChoice,
        now: Now = utc_now,
        seconds: Callable[[], float] = time.time,
        environ: Mapping[str, str] = os.environ,
        last_used: LastUsed | None = None,
    ) -> None:
        self._credentials = credentials
        self._login = login
        self._choice = choice
        self._now = now
        self._seconds = seconds
        self._environ = environ
        self._last_used = last_used
        self._told: object = None

    def before(self) -> Hint | None:
        """Return what to say above the cell that is about to run; nearly always nothing, at once."""
        self._credentials.follow_a_hand()
        if not self._credentials.wants_a_look(self._seconds()):
            return None
        over = self._credentials.look()
        if over is None:
            self._told = None
            return self._soon(self._credentials.warning())
        told = (over.source.key, self._left(over) is None)
        if told == self._told:
            return None
        self._told = told
        return self.signed_out(over) if over.sso_session is not None else self._over(over)

    def _soon(self, ends_at: datetime | None) -> Hint | None:
        """Return what to say some time before a sign-in ends; signing in again interrupts nothing."""
        current = self._credentials.current
        if ends_at is None or current is None:
            return None
        until = f"; credentials for {current.account.name} work until {left}" if (left := self._left(current)) else ""
        return Hint(
            f"The sign-in ends in {span(ends_at - self._now())}, at {clock(ends_at, self._now())}",
            (f"Type {self._command(current, force=True)} at a convenient time: it interrupts nothing{until}.",),
            soon=True,
            sign_in=True,
        )

    def after(self, error: BaseException | None, replaced: Callable[[], bool] = lambda: False) -> Hint | None:
        """
        Return what to say below a cell that failed; nothing if credentials were not the reason.

        Args:
            error: What the cell raised.

            replaced: Puts new credentials in use if AWS refuses those in use, and says whether it did.
        """
        why = reason(error)
        current = self._credentials.current
        if why is None or (current is not None and why in {"region", "profile", "unsigned"}):
            return None  # an account in use brings its region, and needs no profile: the cell wanted something else
        if why == "unsigned" and any(self._environ.get(name) for name in _SAYS_WHO):
            return None  # somebody's own credentials, which may not
        if why == "sign-in":
            return self._of_a_profile(sign_in_key(error), current)
        if current is None:
            return self._without_account(why, error)
        return self._of_account(why, current, replaced, _AGAIN[made_by(error)])

    def _of_account(self, why: Reason, current: InUseRole, replaced: Callable[[], bool], again: str) -> Hint:
        """Return what to say of a client whose credentials did not work although an account is in use."""
        if self._ended(current):
            return self.signed_out(current)
        if self._may_be_over(current):
            return self._over(current)
        if why in {"over", "refused"} and replaced():
            return Hint(
                f"AWS refused the credentials for {current.account.name}; new ones are in use now",
                ("Run this cell again. Clients that you made before use the new ones too.",),
            )
        return Hint(
            f"{_CLIENTS[why]}; those of {current.account.name} are fresh",
            (again,),
        )

    def _ended(self, current: InUseRole) -> bool:
        return current.sso_session is not None and self._login.peek(current.sso_session)[0] is None

    def _of_a_profile(self, key: str | None, current: InUseRole | None) -> Hint:
        """
        Return what to say of a profile that botocore resolved itself, and whose sign-in it did not accept.

        Args:
            key: Which sign-in, where the error says so: the name of an sso-session, or a start URL.

            current: The account in use.
        """
        if current is None:
            return Hint(
                "That profile needs a sign-in",
                (f"Type {self._login_for(key)}, then run this cell again.",),
            )
        of_current = current.sso_session is not None and key in {None, current.sso_session.cache_key}
        if of_current and self._ended(current):
            return self.signed_out(current)
        if of_current and current.source.profile is not None:
            return Hint(
                "The sign-in of a profile was not accepted",
                (f"Type {self._command(current, force=True)}, then run this cell again.",),
            )
        sentence = (
            f"Leave the profile out to act in {current.account.name}. "
            f"To use it, type {self._login_for(key)}, then run this cell again."
        )
        return Hint("The error came from a profile in ~/.aws/config, not from the account in use", (sentence,))

    def _without_account(self, reason: Reason, error: BaseException | None) -> Hint | None:
        if reason == "profile":
            return self._without_profile(missing_profile(error))
        also = ", which also sets the region" if reason == "region" else ""
        last = self._last_used.again() if self._last_used is not None else None
        typed = "`%cuaws use ACCOUNT`" if last is None else f"`%cuaws use {quoted(last.name)}`"
        return Hint("No account is in use in this kernel", (f"Type {typed}{also}, then run this cell again.",))

    def _without_profile(self, name: str | None) -> Hint | None:
        """Return what to say of a profile that is not there; nothing where the cell itself names it."""
        variables = [one for one in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE") if name and self._environ.get(one) == name]
        if not variables:
            return None
        removed = ", ".join(f'os.environ["{one}"]' for one in variables)
        return Hint(
            f"{' and '.join(variables)} names the profile {name}, which is not there",
            (f"Remove it with `import os; del {removed}`, type `%cuaws use ACCOUNT`, then run this cell again.",),
        )

    def _login_for(self, key: str | None) -> str:
        """Say which command brings a profile back, as far as its error and the config tell."""
        concerned = [one for one in self._choice.known() if key in {None, one.cache_key}]
        # botocore looks under this name alone: another sign-in to the same portal is no help.
        over = [one for one in concerned if self._login.peek_own(one) is None]
        commands = {self._choice.command(one, force=self._login.peek(one)[0] is not None) for one in over}
        # Signed in as far as is known here, and not accepted: only a new one helps.
        commands = commands or {self._choice.command(one, force=True) for one in concerned}
        if len(commands) > 1:
            return "`%cuaws login --session NAME` with the NAME of the profile's sso_session"
        return commands.pop() if commands else "`%cuaws login`"

    def _may_be_over(self, current: InUseRole) -> bool:
        """Whether nobody renews the keys in use, and nobody said that they last longer than until now."""
        keys = current.credentials
        said = keys is not None and keys.expires_at is not None and not keys.expired(self._now())
        return keys is not None and not current.source.origin.renews and not said

    def _over(self, current: InUseRole) -> Hint:
        """Return what to say of keys that are not renewed and have expired, or that AWS does not accept."""
        origin, ends_at = current.source.origin, current.ends_at
        words = origin.label[:1].upper() + origin.label[1:]
        sentence = f"Type {origin.remedy}. Then run the cell that made the client again, and this one."
        if ends_at is None or ends_at > self._now():
            return Hint(f"{words} have expired, or are not valid here", (sentence,))
        about = "" if self._said(current) else "about "
        return Hint(f"{words} expired at {about}{clock(ends_at, self._now())}", (sentence,))

    def _said(self, current: InUseRole) -> bool:
        return current.credentials is not None and current.credentials.expires_at is not None

    def signed_out(self, current: InUseRole) -> Hint:
        """Return what to say of an account in use whose sign-in has ended."""
        sso_session = current.sso_session
        ended_at = self._login.ended_at(sso_session) if sso_session is not None else None
        when = f" at {clock(ended_at, self._now())}" if ended_at is not None else ""
        left, typed = self._left(current), self._command(current)
        name = current.account.name
        if current.credentials is None:
            sentence = f"Programs that use {name} work until their credentials expire. Type {typed} to renew them."
        elif left is not None:
            sentence = f"Credentials for {name} work until {left}. Type {typed} to keep working after that."
        else:
            sentence = f"The credentials for {name} have expired. Type {typed}; the account stays in use."
        return Hint(f"The sign-in ended{when}", (sentence,), sign_in=True)

    def _command(self, current: InUseRole, *, force: bool = False) -> str:
        """Return what to type to be signed in where an account is: another organisation's sign-in is no help."""
        if current.sso_session is None:
            return "`%cuaws login --force`" if force else "`%cuaws login`"
        return self._choice.command(current.sso_session, force=force)

    def _left(self, current: InUseRole) -> str | None:
        ends_at = current.ends_at
        return clock(ends_at, self._now()) if ends_at is not None and ends_at > self._now() else None
