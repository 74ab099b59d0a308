"""Credentials of any account for a library or a session of one's own, without touching the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cuaws_magic.commands.use import resolved
from cuaws_magic.credentials.provider import session_of
from cuaws_magic.credentials.provider_functions import SHAPES
from cuaws_magic.credentials.sources import RoleSource
from cuaws_magic.errors import ConfigurationError, TargetError
from cuaws_magic.views.render import Hint

if TYPE_CHECKING:
    from collections.abc import Callable

    from cuaws_magic.commands.context import Context
    from cuaws_magic.credentials.sources import Bound
    from cuaws_magic.views.render import Display


def bound_to(context: Context, display: Display, target: str | None) -> tuple[Bound, str]:
    """
    Return credentials that stay those of an account, and the region of its clients; signs in first if need be.

    Args:
        target: As `use` takes it; `None` for the account in use.

    Raises:
        CuawsError: There is no such account, or none is in use.
    """
    if target is None:
        current = context.credentials.current
        if current is None or current.credentials is None:
            raise TargetError("No account is in use in this kernel. Name one, or type `%cuaws use ACCOUNT` first.")
        return context.credentials.bind(current.source), current.region
    role = resolved(context, display, target)
    bound = context.credentials.bind(RoleSource(context.broker, role))
    context.approvals.retry_after_sign_in(bound, display)
    return bound, role.region or context.choice.region(role.sso_session)


def session(context: Context, display: Display, target: str | None, region: str | None = None) -> Any:
    """Return a boto3 session of an account, which renews itself and stays with it."""
    bound, usual = bound_to(context, display, target)
    return session_of(bound, region or usual)


def storage_options(context: Context, display: Display, target: str | None) -> dict[str, Any]:
    """Return what pandas, Dask, xarray and fsspec take as `storage_options` for S3: a session that renews itself."""
    bound, region = bound_to(context, display, target)
    return {"session": session_of(bound, region, asynchronous=True), "client_kwargs": {"region_name": region}}


def credential_provider(
    context: Context, display: Display, target: str | None, library: str = "obstore"
) -> Callable[[], Any]:
    """
    Return a function that gives an account's credentials in the shape that a library asks for.

    Raises:
        ConfigurationError: There is no shape for that library.
    """
    if library not in SHAPES:
        raise ConfigurationError(f"There is no provider for {library}. Choose one of: {', '.join(sorted(SHAPES))}.")
    bound, _ = bound_to(context, display, target)
    return SHAPES[library](bound)


def forget_clients(context: Context) -> Hint:
    """Have packages forget the clients of another account than the one in use; says what could not be found."""
    forgotten = context.credentials.remaining.forget_clients()
    left = context.credentials.remaining.clients()
    if not forgotten:
        return Hint("No package holds clients of another account", ("There was nothing to forget.",))
    sentences = [f"{package} makes new clients from now on." for package in sorted(forgotten.keys() - left.keys())]
    sentences += [
        f"{package} holds clients of {name} where they cannot be found. Restart the kernel to be rid of them."
        for package, name in sorted(left.items())
    ]
    return Hint("Clients of another account were forgotten", tuple(sentences))
