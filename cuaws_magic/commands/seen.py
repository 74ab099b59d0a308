"""Secrets of this home are remembered as hashes, in the background, so that `scrub` knows them again."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from cuaws_magic.errors import CuawsError

if TYPE_CHECKING:
    from cuaws_magic.credentials.kernel import KernelCredentials
    from cuaws_magic.redaction.known import KnownSecrets
    from cuaws_magic.sso.session import SignInChoice
    from cuaws_magic.sso.token_cache import TokenCache


class SeenSecrets:
    """What is in use, and what signs in; nobody waits for the disk."""

    def __init__(
        self, known: KnownSecrets, credentials: KernelCredentials, choice: SignInChoice, token_cache: TokenCache
    ) -> None:
        self._known = known
        self._credentials = credentials
        self._choice = choice
        self._token_cache = token_cache

    def remember_soon(self) -> None:
        """Remember it in a thread; for `Observers`."""
        current = self._credentials.current
        if current is not None and current.credentials is not None:
            # No daemon: a process that ends lets it finish its file.
            threading.Thread(target=self._remember, name="cuaws-seen").start()

    def _remember(self) -> None:
        with contextlib.suppress(CuawsError, OSError):
            current = self._credentials.current
            if current is not None and current.credentials is not None:
                keys = current.credentials
                self._known.remember((keys.secret_access_key, keys.session_token), keys.expires_at)
            sso_session = self._choice.settled()
            sso_token = self._token_cache.load(sso_session).sso_token if sso_session is not None else None
            if sso_token is not None:
                self._known.remember((sso_token.access_token, sso_token.refresh_token), sso_token.expires_at)
