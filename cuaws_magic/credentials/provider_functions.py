"""
Functions that give credentials in the shape that a native library asks for, with their true end.

Each stays with the account that it was made for and gives newer credentials each time it is asked.
"""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from cuaws_magic.credentials.sources import Bound
    from cuaws_magic.model import Credentials


class PolarsProvider:
    """What `polars.Config.set_default_credential_provider` and `credential_provider=` take."""

    def __init__(self, bound: Bound) -> None:
        self.bound = bound

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

    def __reduce__(self) -> Any:
        # polars would pickle it to tell providers apart; a query that is sent elsewhere resolves its own there.
        raise TypeError("credentials of a kernel do not leave it")


class ObstoreProvider:
    """What `obstore.store.S3Store(credential_provider=)` takes."""

    def __init__(self, bound: Bound) -> None:
        self.bound = bound

    def __call__(self) -> dict[str, Any]:
        """Return the keys, and their end."""
        credentials = self.bound()
        return {
            "access_key_id": credentials.access_key_id.reveal(),
            "secret_access_key": credentials.secret_access_key.reveal(),
            "token": _token(credentials),
            "expires_at": credentials.expires_at,
        }


class IcechunkProvider:
    """What `icechunk.s3_storage(get_credentials=)` takes."""

    def __init__(self, bound: Bound) -> None:
        self.bound = bound

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


def _token(credentials: Credentials) -> str | None:
    return credentials.session_token.reveal() if credentials.session_token is not None else None


SHAPES: dict[str, Callable[[Bound], Callable[[], Any]]] = {
    "obstore": ObstoreProvider,
    "polars": PolarsProvider,
    "icechunk": IcechunkProvider,
}
