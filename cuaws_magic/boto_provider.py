"""
The door to botocore sessions that other people make: ours are the first credentials asked.

`botocore.register_initializer` (public) calls us for every new botocore session:
boto3's, and aiobotocore's for s3fs. There we register a resolver as the session's
`credential_provider`. A session is bound to the account in use when it was made, or
else when it first needs credentials, and gets fresh ones of *that* account for ever:
through every switch, every renewal, and after `release`.

Keys that nobody renews stay what they are. Where a profile is in use by its name, the
session is bound to that profile, and botocore's own chain resolves it.

It stands aside for an explicit profile, when no account is in use, and when somebody
changed the environment by hand: then the standard chain decides, as without us.
Explicit keys never come here.
"""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from cuaws_magic.model import Keys

    class Bound(Protocol):
        """Good credentials of one account and role, each time it is called."""

        @property
        def renewed(self) -> bool:
            """Whether to ask again before a set ends."""

        @property
        def profile(self) -> str | None:
            """The profile that the standard chain is to resolve instead."""

        def __call__(self) -> Keys:
            """Return a set."""


# What is in use when a session is made.
InUse = TypeVar("InUse")

METHOD = "cuaws-magic"  # what botocore calls the origin of credentials in its logs


class BotoProvider(Generic[InUse]):
    """
    Binds new botocore sessions to the account in use.

    Args:
        in_use: Returns what is in use.

        bind: Returns credentials that stay those of what a session was made with, or of what
            is in use now if that is `None`; gives `None` to stand aside.
    """

    def __init__(self, in_use: Callable[[], InUse | None], bind: Callable[[InUse | None], Bound | None]) -> None:
        self._in_use = in_use
        self._bind = bind
        self._installed = False

    def install(self) -> None:
        """Be asked for every botocore session made from now on."""
        if not self._installed:
            import botocore

            botocore.register_initializer(self._initialize)
            self._installed = True

    def remove(self) -> None:
        """Leave no trace in botocore sessions made from now on; bound ones keep their account."""
        if self._installed:
            import botocore

            self._installed = False
            with contextlib.suppress(ValueError):  # an interrupt may have come between
                botocore.unregister_initializer(self._initialize)

    def _initialize(self, session: Any) -> None:
        resolver = _AsyncResolver if _asynchronous(session) else _Resolver
        in_use = self._in_use()
        bind = functools.partial(self._bind, in_use)
        if in_use is not None:
            _point_to_profile(session, bind())
        session.register_component("credential_provider", resolver(session, bind))


class _Resolver:
    """
    Stands in for botocore's `CredentialResolver`: asks us first, the standard chain after.

    The chain is made when it is needed: boto3 sets the profile only after the
    session exists. Everything else about it is the chain's own.
    """

    def __init__(self, session: Any, bind: Callable[[], Bound | None]) -> None:
        self._session = session
        self._bind = bind
        self._chain: Any = None

    def load_credentials(self) -> Any:
        """Return credentials for the session, or `None`; botocore calls this once a session."""
        bound = self._bound()
        if bound is None:
            return self._standard().load_credentials()
        from botocore.credentials import Credentials, RefreshableCredentials

        if not bound.renewed:
            return Credentials(**_static(bound()))
        return RefreshableCredentials.create_from_metadata(
            metadata=_metadata(bound()), refresh_using=lambda: _metadata(bound()), method=METHOD
        )

    def _bound(self) -> Bound | None:
        if self._session.instance_variables().get("profile"):
            return None
        bound = self._bind()
        return None if _point_to_profile(self._session, bound) else bound

    def _standard(self) -> Any:
        if self._chain is None:
            from botocore.credentials import create_credential_resolver

            self._chain = create_credential_resolver(self._session)
        return self._chain

    def __getattr__(self, name: str) -> Any:
        return getattr(self._standard(), name)


class _AsyncResolver(_Resolver):
    """The same for aiobotocore, where loading and refreshing are awaited."""

    async def load_credentials(self) -> Any:
        """Return credentials for the session, or `None`; aiobotocore awaits this once a session."""
        bound = self._bound()
        if bound is None:
            return await self._standard().load_credentials()
        import asyncio

        from aiobotocore.credentials import AioCredentials, AioRefreshableCredentials

        if not bound.renewed:
            return AioCredentials(**_static(bound()))

        async def refresh() -> dict[str, str | None]:
            # In a thread: a renewal may ask the portal, and the loop has other work.
            return _metadata(await asyncio.to_thread(bound))

        return AioRefreshableCredentials.create_from_metadata(
            metadata=await refresh(), refresh_using=refresh, method=METHOD
        )

    def _standard(self) -> Any:
        if self._chain is None:
            from aiobotocore.credentials import create_credential_resolver

            self._chain = create_credential_resolver(self._session)
        return self._chain


def _asynchronous(session: Any) -> bool:
    return any(base.__module__.startswith("aiobotocore.") for base in type(session).__mro__)


def _point_to_profile(session: Any, bound: Bound | None) -> bool:
    """Bind a session to the profile that is in use by its name, for its region too; whether it was one."""
    if bound is None or bound.profile is None:
        return False
    if not session.instance_variables().get("profile"):
        session.set_config_variable("profile", bound.profile)
    return True


def _metadata(credentials: Keys) -> dict[str, str | None]:
    """Write credentials as botocore's `create_from_metadata` reads them."""
    expires_at = credentials.expires_at
    return {
        "access_key": credentials.access_key_id.reveal(),
        "secret_key": credentials.secret_access_key.reveal(),
        "token": credentials.session_token.reveal() if credentials.session_token is not None else None,
        "expiry_time": expires_at.isoformat() if expires_at is not None else None,
        "account_id": credentials.account_id,
    }


def _static(credentials: Keys) -> dict[str, str | None]:
    """Write keys that are never asked for again, as arguments that every botocore's `Credentials` has."""
    facts = _metadata(credentials)
    return {name: facts[name] for name in ("access_key", "secret_key", "token")} | {"method": METHOD}
