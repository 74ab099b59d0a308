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
        self._looked_at: object = None  # the token file, as it was when its secrets were remembered

    def remember_soon(self) -> None:
        """Remember it in a thread, if there is anything new; for `Observers`."""
        current = self._credentials.current
        if current is None or current.credentials is None:
            return
        if self._known.remembers(current.credentials.secret_access_key) and self._looked_at == self._token_file():
            return
        # No daemon: a process that ends lets it finish its file.
        threading.Thread(target=self._remember, name="cuaws-seen").start()

    def _token_file(self) -> object:
        """Tell one state of the token file from another."""
        sso_session = self._choice.settled()
        if sso_session is None:
            return ()
        path = self._token_cache.token_path(sso_session)
        try:
            status = path.stat()
        except OSError:
            return (path,)
        return (path, status.st_mtime_ns, status.st_size, status.st_ino)

    def _remember(self) -> None:
        with contextlib.suppress(CuawsError, OSError):
            current = self._credentials.current
            if current is not None and current.credentials is not None:
                keys = current.credentials
                self._known.remember((keys.secret_access_key, keys.session_token), keys.expires_at)
            looked_at, sso_session = self._token_file(), self._choice.settled()
            sso_token = self._token_cache.load(sso_session).sso_token if sso_session is not None else None
            if sso_token is not None:
                self._known.remember((sso_token.access_token, sso_token.refresh_token), sso_token.expires_at)
            self._looked_at = looked_at
