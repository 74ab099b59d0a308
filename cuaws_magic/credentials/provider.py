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
changed the environment by hand: then the standard chain decides, as without us. A
provider that somebody put in front of the environment goes before ours too. Explicit
keys never come here.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import itertools
import sys
import weakref
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from cuaws_magic.background import import_whole
from cuaws_magic.credentials.shared_files import drop_repeated_paths, new_session
from cuaws_magic.model import Secret

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from cuaws_magic.model import Credentials

    class Bound(Protocol):
        """Good credentials of one account and role, each time it is called."""

        @property
        def renewed(self) -> bool:
            """Whether to ask again before a set ends."""

        @property
        def profile(self) -> str | None:
            """The profile that the standard chain is to resolve instead."""

        def refused(self) -> bool:
            """Whether AWS did not accept the set that was given last."""

        def __call__(self) -> Credentials:
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

        region_by_hand: Whether somebody changed the region in the environment since.
    """

    def __init__(
        self,
        in_use: Callable[[], InUse | None],
        bind: Callable[[InUse | None], Bound | None],
        region_by_hand: Callable[[], bool] = lambda: False,
    ) -> None:
        self._in_use = in_use
        self._bind = bind
        self._region_by_hand = region_by_hand
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
        if in_use is not None and not _point_to_profile(session, bind()):
            settings = session.get_component("config_store")
            usual = settings.get_config_provider("region")
            settings.set_config_provider("region", _RegionOfThen(session, usual, self._region_by_hand))
        session.register_component("credential_provider", resolver(session, bind))
        # Before botocore makes the class of a client, of which each client has its own.
        session.register("creating-client-class", functools.partial(_mark, weakref.ref(session)))


class Mark:
    """
    Lives as long as a client, in its class.

    Attributes:
        asked_by: The installed package that made it.

        bound: Its credentials.
    """

    def __init__(self, asked_by: str, bound: Any) -> None:
        self.asked_by = asked_by
        self.bound = bound


_MARKS: weakref.WeakSet[Mark] = weakref.WeakSet()


def marked_clients() -> list[Mark]:
    """Return what is known of the living clients that installed packages made."""
    return list(_MARKS)


def _mark(session: Callable[[], Any], class_attributes: dict[str, Any], **_: object) -> None:
    """Note who makes a client (botocore's event `creating-client-class`); a person's own code is not noted."""
    asked_by = _asking_package()
    bound = bound_of(session())
    if asked_by and bound is not None:
        mark = class_attributes["_cuaws_mark"] = Mark(asked_by, bound)
        _MARKS.add(mark)


class _RegionOfThen:
    """
    The region of the account that a session was made with, beside its credentials (botocore's `BaseProvider`).

    An explicit region or profile, which boto3 sets later, and a region that somebody put
    into the environment meanwhile, go by the usual way.
    """

    def __init__(self, session: Any, usual: Any, by_hand: Callable[[], bool]) -> None:
        self._session = session
        self._usual = usual
        self._by_hand = by_hand
        self._then = usual.provide()

    def provide(self) -> Any:
        """Return it; botocore asks for each client."""
        explicit = self._session.instance_variables()
        if self._then is None or explicit.get("region") or explicit.get("profile") or self._by_hand():
            return self._usual.provide()
        return self._then

    def __deepcopy__(self, memo: dict[int, Any]) -> _RegionOfThen:
        copied = copy.copy(self)
        vars(copied)["_session"] = copy.deepcopy(self._session, memo)
        return copied


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
        self._usual: tuple[Any, ...] = ()

    def load_credentials(self) -> Any:
        """Return credentials for the session, or `None`; botocore calls this once a session."""
        for provider in self._put_in_front():
            found = provider.load()
            if found is not None:
                return found
        bound = self._bound()
        if bound is None:
            return self._standard().load_credentials()
        from botocore.credentials import Credentials, RefreshableCredentials

        if not bound.renewed:
            return _watched(Credentials(**_static(bound())), bound)
        return _watched(
            _heeding_refusals(RefreshableCredentials).create_from_metadata(
                metadata=_metadata(bound()), refresh_using=lambda: _metadata(bound()), method=METHOD
            ),
            bound,
        )

    def _bound(self) -> Bound | None:
        if self._session.instance_variables().get("profile"):
            return None
        bound = self._bind()
        return None if _point_to_profile(self._session, bound) else bound

    def _put_in_front(self) -> list[Any]:
        """Return the providers that somebody put before the environment's (`insert_before`), into the chain."""
        providers = self._chain.providers if self._chain is not None else []
        before = itertools.takewhile(lambda one: one.METHOD != "env", providers)
        return [one for one in before if one not in self._usual]

    def _standard(self) -> Any:
        if self._chain is None:
            self._chain = self._made()
            self._usual = tuple(self._chain.providers)
        return self._chain

    def _made(self) -> Any:
        from botocore.credentials import create_credential_resolver

        return create_credential_resolver(self._session)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # what `copy` asks of an object that is not made yet
            raise AttributeError(name)
        return getattr(self._standard(), name)

    def __deepcopy__(self, memo: dict[int, Any]) -> _Resolver:
        return type(self)(copy.deepcopy(self._session, memo), self._bind)


class _AsyncResolver(_Resolver):
    """The same for aiobotocore, where loading and refreshing are awaited."""

    async def load_credentials(self) -> Any:
        """Return credentials for the session, or `None`; aiobotocore awaits this once a session."""
        for provider in self._put_in_front():
            found = await provider.load()
            if found is not None:
                return found
        bound = self._bound()
        if bound is None:
            return await self._standard().load_credentials()
        import asyncio

        from aiobotocore.credentials import AioCredentials, AioRefreshableCredentials

        if not bound.renewed:
            return _watched(AioCredentials(**_static(bound())), bound)

        async def refresh() -> dict[str, str | None]:
            # In a thread: a renewal may ask the portal, and the loop has other work.
            return _metadata(await asyncio.to_thread(bound))

        return _watched(
            _heeding_refusals(AioRefreshableCredentials).create_from_metadata(
                metadata=await refresh(), refresh_using=refresh, method=METHOD
            ),
            bound,
        )

    def _made(self) -> Any:
        from aiobotocore.credentials import create_credential_resolver

        return create_credential_resolver(self._session)


@functools.cache
def _heeding_refusals(base: Any) -> Any:
    """
    Return botocore's refreshable credentials that also ask for a new set when AWS refused the one in hand.

    botocore goes by the date alone: a client would keep revoked keys for hours.
    """

    class RefreshableCredentials(base):  # type: ignore[misc]  # one of two, known when it is made
        _bound: Bound | None = None

        def refresh_needed(self, refresh_in: int | None = None) -> bool:
            """Tell whether to refresh (botocore's protocol), `refresh_in` seconds before the end."""
            refused = self._bound is not None and self._bound.refused()
            return refused or bool(super().refresh_needed(refresh_in))

    return RefreshableCredentials


def _watched(credentials: Any, bound: Bound) -> Any:
    credentials._bound = bound  # noqa: SLF001 - our own attribute: botocore makes them in a class method
    return credentials


def session_of(bound: Bound, region: str, *, asynchronous: bool = False) -> Any:
    """Return a new session that is bound to an account: boto3's, or aiobotocore's."""
    made: Any
    if asynchronous:
        from aiobotocore.session import AioSession

        made = AioSession()
        made.register_component("credential_provider", _AsyncResolver(made, lambda: bound))
    else:
        made = new_session()
        made.register_component("credential_provider", _Resolver(made, lambda: bound))
    made.set_config_variable("region", region)
    if asynchronous:
        return made
    import_whole("boto3")
    import boto3

    session = boto3.Session(botocore_session=made)
    drop_repeated_paths(made)
    return session


def bound_of(held: Any) -> Any:
    """Return what binds a boto3 client, resource or session to an account; `None` where that was not ours to do."""
    credentials = getattr(_signer(held), "_credentials", None)
    if credentials is None:
        credentials = getattr(getattr(held, "_session", held), "_credentials", None)
    return getattr(credentials, "_bound", None)


def lacks_credentials(held: Any) -> bool:
    """Whether a boto3 client or resource is to sign, and was made when there was nothing to sign with."""
    signer = _signer(held)
    # One that is not to sign has a signature version of its own, which is no text.
    versioned = isinstance(getattr(signer, "_signature_version", None), str)
    return versioned and getattr(signer, "_credentials", None) is None


def _signer(held: Any) -> Any:
    client = getattr(getattr(held, "meta", None), "client", held)
    return getattr(client, "_request_signer", None)


# Between the code that wants a client and us.
_BETWEEN = frozenset({"boto3", "botocore", "s3transfer", "aiobotocore", "aioboto3", "cuaws_magic", "functools"})


def _asking_package() -> str:
    """Name the installed package that makes a session; empty for a person's own code."""
    frame: Any = sys._getframe(2)  # noqa: SLF001 - `inspect.stack` would read files
    while frame is not None:
        name = frame.f_globals.get("__name__", "").partition(".")[0]
        if name not in _BETWEEN:
            installed = any(part in frame.f_code.co_filename for part in ("site-packages", "dist-packages"))
            return name if installed and name not in {"IPython", "ipykernel"} else ""
        frame = frame.f_back
    return ""


def _asynchronous(session: Any) -> bool:
    return any(base.__module__.startswith("aiobotocore.") for base in type(session).__mro__)


def _point_to_profile(session: Any, bound: Bound | None) -> bool:
    """Bind a session to the profile that is in use by its name, for its region too; whether it was one."""
    if bound is None or bound.profile is None:
        return False
    if not session.instance_variables().get("profile"):
        session.set_config_variable("profile", bound.profile)
    return True


def _metadata(credentials: Credentials) -> dict[str, str | None]:
    """Write credentials as botocore's `create_from_metadata` reads them."""
    expires_at = credentials.expires_at
    return {
        "access_key": credentials.access_key_id.reveal(),
        "secret_key": credentials.secret_access_key.reveal(),
        "token": credentials.session_token.reveal() if credentials.session_token is not None else None,
        "expiry_time": expires_at.isoformat() if expires_at is not None else None,
        "account_id": credentials.account_id,
    }


def _static(credentials: Credentials) -> dict[str, str | None]:
    """Write keys that are never asked for again, as arguments that every botocore's `Credentials` has."""
    facts = _metadata(credentials)
    return {name: facts[name] for name in ("access_key", "secret_key", "token")} | {"method": METHOD}


def found_in_environment() -> tuple[Secret, Secret, Secret | None] | None:
    """Return what botocore finds in this process: key id, key, token; `None` where there is nothing."""
    credentials = new_session().get_credentials()
    if credentials is None:
        return None
    key_id, key, token = credentials.get_frozen_credentials()[:3]
    return Secret(key_id), Secret(key), Secret(token) if token else None
