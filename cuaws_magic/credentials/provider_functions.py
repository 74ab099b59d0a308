"""
Functions that give credentials in the shape that a native library asks for, with their true end.

Each stays with the account that it was made for and gives newer credentials each time it is asked.
"""

from __future__ import annotations

import secrets
import weakref
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any

from cuaws_magic.errors import NoCredentials
from cuaws_magic.model import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable

    from cuaws_magic.credentials.sources import Bound
    from cuaws_magic.model import Credentials


_LOOK_AGAIN = timedelta(minutes=5)  # keys of an environment do not say when they end

# icechunk keeps a pickle of what it asks, polars tells providers apart by theirs: in this process, it leads back here.
_PROVIDERS: weakref.WeakValueDictionary[str, _Provider] = weakref.WeakValueDictionary()
# Those that only a pickle leads to. The others end with what holds them, and the renewal of their account too.
_BY_PICKLE: list[_Provider] = []


class _Provider:
    """
    A function that stays with one account.

    Args:
        bound: Its credentials.
    """

    def __init__(self, bound: Bound) -> None:
        self.bound = bound
        self._name = secrets.token_hex(8)
        _PROVIDERS[self._name] = self

    def __reduce__(self) -> Any:
        return _again, (self._name,)


def _again(name: str) -> _Provider:
    if name not in _PROVIDERS:
        raise NoCredentials("Credentials of a kernel do not leave it. Use the account in that process too.")
    return _PROVIDERS[name]


class PolarsProvider(_Provider):
    """What `polars.Config.set_default_credential_provider` and `credential_provider=` take."""

    def __call__(self) -> tuple[dict[str, str | None], int | None]:
        """Return the keys, and their end in seconds of the epoch; `None` where they have none."""
        credentials = self.bound()
        token = _token(credentials)
        keys: dict[str, str | None] = {
            "aws_access_key_id": credentials.access_key_id.reveal(),
            "aws_secret_access_key": credentials.secret_access_key.reveal(),
            **({"aws_session_token": token} if token is not None else {}),
        }
        return keys, int(credentials.expires_at.timestamp()) if credentials.expires_at is not None else None


class ObstoreProvider(_Provider):
    """What `obstore.store.S3Store(credential_provider=)` takes."""

    def __call__(self) -> dict[str, Any]:
        """Return the keys, and their end."""
        credentials = self.bound()
        return {
            "access_key_id": credentials.access_key_id.reveal(),
            "secret_access_key": credentials.secret_access_key.reveal(),
            "token": _token(credentials),
            "expires_at": credentials.expires_at,
        }


class IcechunkProvider(_Provider):
    """What `icechunk.s3_storage(get_credentials=)` takes."""

    def __init__(self, bound: Bound) -> None:
        super().__init__(bound)
        _BY_PICKLE.append(self)

    def __call__(self) -> Any:
        """Return the keys, and their end."""
        import icechunk

        credentials = self.bound()
        ends_at = credentials.expires_at
        return icechunk.S3StaticCredentials(
            access_key_id=credentials.access_key_id.reveal(),
            secret_access_key=credentials.secret_access_key.reveal(),
            session_token=_token(credentials),
            # It asks again at that moment, and a request that is under way then would fail.
            expires_after=None if ends_at is None else (ends_at - timedelta(minutes=1)).astimezone(timezone.utc),
        )


class IcechunkFromEnvironment(IcechunkProvider):
    """The same for storages that were told to look into the environment; in another process they do."""

    def __reduce__(self) -> Any:
        return _again_or_environment, (self._name,)


def _again_or_environment(name: str) -> Callable[[], Any]:
    kept = _PROVIDERS.get(name)
    return kept if isinstance(kept, IcechunkFromEnvironment) else _of_the_environment


def _of_the_environment() -> Any:
    """Return what botocore finds in the environment of this process, with an end after which it is looked for again."""
    import icechunk

    from cuaws_magic.credentials.provider import found_in_environment

    keys = found_in_environment()
    if keys is None:
        raise NoCredentials("There are no AWS credentials in this process. Use an account in it, then try again.")
    key_id, key, token = keys
    return icechunk.S3StaticCredentials(
        access_key_id=key_id.reveal(),
        secret_access_key=key.reveal(),
        session_token=token.reveal() if token is not None else None,
        expires_after=utc_now() + _LOOK_AGAIN,
    )


def _token(credentials: Credentials) -> str | None:
    return credentials.session_token.reveal() if credentials.session_token is not None else None


SHAPES: dict[str, Callable[[Bound], Callable[[], Any]]] = {
    "obstore": ObstoreProvider,
    "polars": PolarsProvider,
    "icechunk": IcechunkProvider,
}
