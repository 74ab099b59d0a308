"""A secret of DuckDB that stays with one account and is made anew at each renewal."""

from __future__ import annotations

import contextlib
import weakref
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cuaws_magic.commands.sessions import bound_to
from cuaws_magic.errors import ConfigurationError
from cuaws_magic.views.render import Hint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cuaws_magic.commands.context import Context
    from cuaws_magic.model import Credentials
    from cuaws_magic.views.render import Display

# Who renews the secret of which connection, for as long as the connection is held.
_KEPT: weakref.WeakKeyDictionary[Any, dict[str, object]] = weakref.WeakKeyDictionary()


def share(
    context: Context,
    display: Display,
    connection: Any,
    target: str | None,
    *,
    scope: str = "s3://",
    name: str = "cuaws",
) -> Hint:
    """
    Have a connection act as an account for the paths of a scope.

    DuckDB's own `credential_chain` takes a snapshot, or becomes the account in use at its first refusal.

    Args:
        connection: Of `duckdb.connect()`.

        target: As `use` takes it; `None` for the account in use.

        scope: The beginning of the paths that it is for: `s3://bucket/`.

        name: Of the secret; another one for another account of the same connection.

    Raises:
        CuawsError: There are no credentials, or DuckDB takes none.
    """
    if not name.isidentifier():
        raise ConfigurationError(f"{name} cannot be the name of a secret. Take letters, digits and underscores.")
    bound, region = bound_to(context, display, target)
    held = weakref.ref(connection)

    def write(credentials: Credentials) -> None:
        living = held()
        if living is not None:
            # A cursor is a connection of its own to the same database: a query may be running in the other.
            living.cursor().execute(_statement(name, credentials, region, scope, context.environ))

    def renew(credentials: Credentials) -> None:
        with contextlib.suppress(Exception):  # a connection that was closed meanwhile
            write(credentials)

    try:
        write(bound())
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in {"duckdb", "_duckdb"}:
            raise
        # `from None`: its text repeats the statement, and with it the keys.
        raise ConfigurationError(
            "DuckDB took no S3 secret. Type `connection.execute('INSTALL httpfs; LOAD httpfs')`, then run the "
            "cell again."
        ) from None
    _KEPT.setdefault(connection, {})[name] = context.credentials.followers.add(bound, renew)
    account = bound.source.account.name
    return Hint(f"DuckDB acts as {account} for {scope}", ("Its credentials are renewed while the connection is open.",))


def _statement(name: str, credentials: Credentials, region: str, scope: str, environ: Mapping[str, str]) -> str:
    token = credentials.session_token
    values = {
        "KEY_ID": credentials.access_key_id.reveal(),
        "SECRET": credentials.secret_access_key.reveal(),
        **({"SESSION_TOKEN": token.reveal()} if token is not None else {}),
        "REGION": region,
        "SCOPE": scope,
    }
    parts = [f"{key} {_literal(value)}" for key, value in values.items()]
    endpoint = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        address = urlsplit(endpoint)
        secure = "false" if address.scheme == "http" else "true"
        parts += [f"ENDPOINT {_literal(address.netloc)}", "URL_STYLE 'path'", f"USE_SSL {secure}"]
    return f"CREATE OR REPLACE SECRET {name} (TYPE s3, PROVIDER config, {', '.join(parts)})"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
