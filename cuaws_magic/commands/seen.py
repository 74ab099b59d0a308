"""Secrets of this home are remembered as hashes, in the background, so that `scrub` knows them again."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from cuaws_magic.errors import CuawsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cuaws_magic.credentials.broker import Broker
    from cuaws_magic.credentials.kernel import KernelCredentials
    from cuaws_magic.model import Secret
    from cuaws_magic.redaction.known import KnownSecrets
    from cuaws_magic.sso.token_cache import TokenCache


class SeenSecrets:
    """What is in use, and what signs in; nobody waits for the disk."""

    def __init__(
        self, known: KnownSecrets, credentials: KernelCredentials, token_cache: TokenCache, broker: Broker
    ) -> None:
        self._known = known
        self._broker = broker
        self._credentials = credentials
        self._token_cache = token_cache

    def remember_soon(self) -> None:
        """Remember it in a thread, if there is anything new; for `Observers`."""
        if not all(self._known.remembers(secret) for secret, _ in self._held()):
            # No daemon: a process that ends lets it finish its file.
            threading.Thread(target=self._remember, name="cuaws-seen").start()

    def secrets(self) -> Iterator[Secret]:
        """Yield each secret that this kernel holds now."""
        return (secret for secret, _ in self._held())

    def _held(self) -> Iterator[tuple[Secret, datetime | None]]:
        """Yield each secret that this kernel holds, and when it ends."""
        current = self._credentials.current
        in_use = current.credentials if current is not None else None
        for keys in (in_use, *self._broker.in_memory()):
            if keys is not None:
                yield keys.secret_access_key, keys.expires_at
                if keys.session_token is not None:
                    yield keys.session_token, keys.expires_at
        for sso_token in self._token_cache.in_memory():
            yield sso_token.access_token, sso_token.expires_at
            if sso_token.refresh_token is not None:
                yield sso_token.refresh_token, sso_token.expires_at

    def _remember(self) -> None:
        with contextlib.suppress(CuawsError, OSError):
            self._known.remember(self._held())
