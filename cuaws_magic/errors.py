"""
What can go wrong, as one tree.

Every message says what happened in the user's words and ends with what to type
next. In a notebook an error of this tree is one line, and "Run all" stops.

```
CuawsError
├── ConfigurationError          a setting that cannot be used as it is
│   ├── ConfigFileError         … in a file: names file and line
│   ├── SeveralSignIns          several are known, and nothing says which is meant
│   └── UnknownProfile          … in AWS_PROFILE: there is no such profile
├── TargetError                 what was asked for is not exactly one account and role
│   ├── UnknownTarget           no such profile, account or role
│   ├── AmbiguousTarget         more than one account answers to that name
│   ├── ProductionUnconfirmed   a production account, and nobody said that it is meant
│   └── RoleNeeded              the account has several roles and none was named
├── SignInError                 nobody is signed in, or the sign-in did not succeed
│   ├── NotSignedIn             a person has to approve a sign-in first
│   ├── AuthorizationDenied     the person pressed *Deny*
│   ├── AuthorizationExpired    nobody approved the code in time
│   ├── AuthorizationRefused    what the browser brought back is not the answer to this sign-in
│   ├── SignInTimeout           the time given with `--timeout` has passed
│   └── UnsafeSignInPage        the page to open is not one of AWS's
├── ServiceError                AWS said no, or did not answer
│   ├── Unreachable             no network, no name, no connection, TLS failure
│   ├── Throttled               too many requests, also after waiting
│   ├── NoAccess                this role is not (or no longer) yours
│   ├── CredentialsRefused      STS did not accept the credentials
│   ├── ClockWrong              this machine's clock is too far off for AWS
│   └── ServiceFailure          an answer that is an error of the service, or cannot be read
│       └── RequestRefused      … or that our request is wrong: asking again changes nothing
├── NoCredentials               nothing in this kernel to ask STS with
├── PasteRefused                what was pasted is not one complete set of keys
├── Superseded                  somebody wanted something else before it was done
└── StorageError                a file that cannot be read or written

Cancelled (KeyboardInterrupt)   the stop button or Ctrl-C during a command

Signal                          between door and policy; never reaches a person
├── AuthorizationPending        RFC 8628 §3.5: keep polling
├── SlowDown                    RFC 8628 §3.5: five seconds more, for good
├── DeviceCodeExpired           RFC 8628 §3.5 `expired_token`
├── AuthorizationCodeRefused    RFC 6749 §5.2 `invalid_grant`
├── RegistrationRefused         the client registration is unknown or expired
├── RefreshRefused              the refresh token is used up, revoked or expired
├── SsoTokenRefused             the portal does not know this SSO token (401)
├── ChangedMeanwhile            a file was changed between reading and replacing it
├── PassingTrouble              it may be gone at the next attempt; holds the final error
└── Malformed                   a text that AWS programs refuse, or that cannot be edited: line and reason
```
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from cuaws_magic.model import SsoSession

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def _one_line(text: str) -> str:
    """Make visible what a terminal would obey instead of print: a message may have a name from elsewhere in it."""
    from cuaws_magic.humanize import printable

    return printable(text)


class CuawsError(Exception):
    """An expected error: one line for a person, and the run stops."""

    def __str__(self) -> str:
        return _one_line(super().__str__())

    def _render_traceback_(self) -> list[str]:
        """Show one line where IPython would show a traceback (IPython's display protocol)."""
        return _shown(self)


def _shown(error: BaseException) -> list[str]:
    from cuaws_magic.humanize import for_stream  # deferred: nothing fails at `%load_ext`

    return [for_stream(str(error), sys.stdout)]


# What was asked for.


class ConfigurationError(CuawsError):
    """A setting cannot be used as it is."""


class ConfigFileError(ConfigurationError):
    """A file of the AWS configuration does not parse; names file and line."""


class SeveralSignIns(ConfigurationError):
    """Several sign-ins are known, and nothing says which is meant."""


class UnknownProfile(ConfigurationError):
    """A variable names a profile that is in neither AWS file."""


class TargetError(CuawsError):
    """What was asked for is not exactly one account and role."""


class UnknownTarget(TargetError):
    """No profile, account or role has that name."""


class ProductionUnconfirmed(TargetError):
    """
    A production account is to be used with a role that can change things, and nobody confirmed it.

    Args:
        what: The same for somebody who has a button to confirm it.
    """

    def __init__(self, message: str, what: str = "") -> None:
        super().__init__(message)
        self.what = what


class AmbiguousTarget(TargetError):
    """More than one account answers to that name."""


class RoleNeeded(TargetError):
    """The account has several roles and none was named."""


# Signing in.


class SignInError(CuawsError):
    """Nobody is signed in, or the sign-in did not succeed."""


class NotSignedIn(SignInError):
    """
    A person has to approve a sign-in first.

    Args:
        message: One line for the person.

        sso_session: Which sign-in.

        why: What to say to somebody who is signed in already, though not so that it helps here.
    """

    def __init__(self, message: str, sso_session: SsoSession, why: str = "") -> None:
        super().__init__(message)
        self.sso_session = sso_session
        self.why = why


class AuthorizationDenied(SignInError):
    """The person refused the request (RFC 8628 §3.5 `access_denied`)."""


class AuthorizationExpired(SignInError):
    """Nobody approved the code in time."""


class AuthorizationRefused(SignInError):
    """What the browser brought back is not the answer to this sign-in, or not an approval."""


class SignInTimeout(SignInError):
    """The time that the caller gave has passed."""


class UnsafeSignInPage(SignInError):
    """The page to open is not one of AWS's, so it is not shown as a link."""


# What AWS answers.


class ServiceError(CuawsError):
    """AWS said no, or did not answer."""


class Unreachable(ServiceError):
    """No network, no name, no connection, or a TLS failure."""


class Throttled(ServiceError):
    """Too many requests, also after waiting."""


class NoAccess(ServiceError):
    """The role is not assigned to this person, or no longer."""


class CredentialsRefused(ServiceError):
    """
    STS did not accept the credentials.

    Args:
        elsewhere: It did, but for another account than the one that was asked for.
    """

    def __init__(self, message: str, *, elsewhere: bool = False) -> None:
        super().__init__(message)
        self.elsewhere = elsewhere


class ClockWrong(ServiceError):
    """The clock of this machine is too far off for AWS."""


class ServiceFailure(ServiceError):
    """An error of the service, or an answer that makes no sense."""


class RequestRefused(ServiceFailure):
    """The service says that our request is wrong; asking the same again changes nothing."""


# This machine.


class NoCredentials(CuawsError):
    """There is nothing in this kernel to ask STS with."""


class Superseded(CuawsError):
    """Another account was asked for meanwhile, or a logout: the latest command counts."""


class PasteRefused(CuawsError):
    """What was pasted is not one complete set of keys; the message repeats nothing of it."""


class StorageError(CuawsError):
    """A file cannot be read or written."""


def bare(error: CuawsError) -> CuawsError:
    """
    Return an expected error without the frames that it came through.

    Whoever wraps it in an error of their own would otherwise show our frames, and
    `%xmode Verbose` the values in them.
    """
    error.__context__ = None
    return error.with_traceback(None)


def without_frames(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Make a function let expected errors out `bare`."""

    @functools.wraps(function)
    def called(*arguments: Parameters.args, **named: Parameters.kwargs) -> Result:
        try:
            return function(*arguments, **named)
        except CuawsError as error:
            raise bare(error) from None

    return called


class Cancelled(KeyboardInterrupt):
    """
    A person interrupted a sign-in, or another command.

    A `KeyboardInterrupt`, so that scripts treat it as one and "Run all" stops;
    a notebook shows one line instead of the place where the code was waiting.

    Attributes:
        said: Whether that stands on the page already.
    """

    said = False

    def __str__(self) -> str:
        return _one_line(super().__str__())

    def _render_traceback_(self) -> list[str]:
        return _shown(self)


# Between door and policy.


class Signal(Exception):
    """A turn in a protocol; never reaches a person."""


class AuthorizationPending(Signal):
    """Nobody has approved the code yet (RFC 8628 §3.5)."""


class SlowDown(Signal):
    """Poll five seconds slower from now on (RFC 8628 §3.5)."""


class DeviceCodeExpired(Signal):
    """The device code expired or was used (RFC 8628 §3.5 `expired_token`)."""


class AuthorizationCodeRefused(Signal):
    """The authorization code is used up, old, or of another request."""


class RegistrationRefused(Signal):
    """The service does not know this client registration, or no longer."""


class RefreshRefused(Signal):
    """The refresh token is used up, revoked or expired."""


class SsoTokenRefused(Signal):
    """The access portal does not know this SSO token, or no longer (401)."""


class ChangedMeanwhile(Signal):
    """A file was changed between reading and replacing it, by a program that takes no lock."""


class PassingTrouble(Signal):
    """
    A failure that may be gone at the next attempt.

    Args:
        final: What to raise when it was not.

        throttled: The service asked for fewer requests.

        retry_after: Seconds that the service asked to wait, if it did.
    """

    def __init__(self, final: ServiceError, *, throttled: bool = False, retry_after: float | None = None) -> None:
        super().__init__(str(final))
        self.final = final
        self.throttled = throttled
        self.retry_after = retry_after


class Malformed(Signal):
    """
    A text of the AWS configuration that AWS programs refuse, or that cannot be edited as asked.

    Args:
        line: Where, counted from 1; `None` where that is not known.

        why: What is the matter there; nothing of the line itself, which may hold a key.
    """

    def __init__(self, line: int | None, why: str) -> None:
        super().__init__(why)
        self.line = line
        self.why = why
