"""
The commands as functions, for scripts and libraries.

    import cuaws_magic as cuaws
    cuaws.use("awsucob0myaccount")

The same app as the magic's, so both see the same sign-in and account. Errors are
those of `cuaws_magic.errors`; what is shown goes to the notebook, or is printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cuaws_magic.app import the_app
from cuaws_magic.settings import Settings
from cuaws_magic.show import face_here

if TYPE_CHECKING:
    from cuaws_magic.results import AccountTable, InUse, Released, SignedIn, SignedOut, SigningIn, Status, Whoami


def login(
    session: str | None = None,
    *,
    start_url: str | None = None,
    sso_region: str | None = None,
    force: bool = False,
    wait: bool = True,
    timeout: float | None = None,
) -> SignedIn | SigningIn:
    """
    Sign in, unless that is done.

    Args:
        session: Name of an `[sso-session]` of `~/.aws/config`.

        start_url: Address of the access portal of another organisation.

        sso_region: Region of its Identity Center.

        force: Although still signed in.

        wait: Until a person approved; otherwise in the background.

        timeout: Seconds after which to give up.

    Raises:
        CuawsError: It came to nothing.

        KeyboardInterrupt: A person interrupted it.
    """
    return the_app().login(
        face_here(), Settings(session, start_url, sso_region), force=force, wait=wait, timeout=timeout
    )


def logout(*, every: bool = False) -> SignedOut:
    """End the sign-in, at AWS and here, and take everything out of this process; `every` as `--all`."""
    return the_app().logout(every=every)


def use(target: str, *, role: str | None = None, region: str | None = None, verify: bool = True) -> InUse:
    """
    Put credentials for an account into this process's environment, signing in first if need be.

    Args:
        target: Profile, account name (any case), account id, or one of them with `/role`.

        role: The role, where there are several.

        region: Where clients go by default.

        verify: Confirm with `sts:GetCallerIdentity`.

    Raises:
        CuawsError: There is no such account, or no credentials for it; nothing was changed.

        KeyboardInterrupt: A person interrupted the sign-in.
    """
    return the_app().use(face_here(), target, role=role, region=region, verify=verify)


def release() -> Released:
    """Take the credentials out again; every variable is as it was found. Stays signed in."""
    return the_app().release()


def whoami() -> Whoami:
    """Return the caller identity, asked from STS; raises `NoCredentials` where there are none."""
    return the_app().whoami()


def status() -> Status:
    """Return who, which account, time left; asks nobody."""
    return the_app().status()


def accounts(pattern: str | None = None, *, roles: bool = False, refresh: bool = False) -> AccountTable:
    """
    Return the accounts that the person may enter, a sequence of `Account`.

    Args:
        pattern: Part of a name or id, or a pattern with `*`.

        roles: Also the roles of each.

        refresh: Ask the portal, not the list of the last 24 hours.

    Raises:
        CuawsError: The portal cannot be asked.
    """
    return the_app().accounts(face_here(), pattern, roles=roles, refresh=refresh)
