"""DuckDB secrets of the SDK's chain: a copy of the keys of an account, or the account in use at their next refresh."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

_QUERY = "SELECT name FROM duckdb_secrets() WHERE provider = 'credential_chain' ORDER BY name"


class ChainSecrets:
    """Which account was in use when such a secret was first seen; asks only connections that a cell can name."""

    def __init__(self) -> None:
        self._made_under: dict[tuple[int, str], str | None] = {}
        self._before: str | None = None

    def lines(self, name: str) -> list[str]:
        """
        Say which secrets were made under another account.

        Args:
            name: The account in use now.
        """
        found = [(id(connection), secret) for connection in _connections() for secret in _secrets(connection)]
        # What is new since the last look was made under the account of then.
        self._made_under = {one: self._made_under.get(one, self._before) for one in found}
        self._before = name
        others = {(secret, made) for (_, secret), made in self._made_under.items() if made not in (None, name)}
        return [
            f"The DuckDB secret {secret} was made under {made} and may become {name}. "
            f'To have one that stays what it is, type `cuaws_magic.duckdb(connection, name="{secret}")`.'
            for secret, made in sorted(others, key=str)
        ]


def _connections() -> list[Any]:
    """Return the connections of this kernel's variables, and the one of `duckdb.sql`."""
    duckdb: Any = sys.modules.get("duckdb")
    kind = getattr(duckdb, "DuckDBPyConnection", None)
    if kind is None:
        return []
    named = [one for one in list(vars(sys.modules["__main__"]).values()) if isinstance(one, kind)]
    with contextlib.suppress(Exception):
        named.append(duckdb.default_connection())
    return list({id(one): one for one in named}.values())


def _secrets(connection: Any) -> list[str]:
    try:
        # A cursor is a connection of its own to the same database: a query may be running in the other.
        return [str(name) for (name,) in connection.cursor().execute(_QUERY).fetchall()]
    except Exception:  # noqa: BLE001 - closed, or of a version without secrets
        return []
