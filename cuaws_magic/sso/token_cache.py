"""
The door to the AWS CLI's own cache files, so that we and it share one sign-in.

`~/.aws/sso/cache` holds SSO tokens and client registrations, `~/.aws/cli/cache`
role credentials. Names, keys and dates are the CLI's (`awscli/botocore/utils.py`
`SSOTokenFetcher`, `JSONFileCache`; botocore `SSOTokenLoader`, `SSOCredentialFetcher`).
Whatever cannot be read is as good as absent, for us as for botocore; what cannot be
written is kept in this kernel.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cuaws_magic import storage
from cuaws_magic.aws.hosts import same_portal
from cuaws_magic.aws.identity_center import CODE_GRANT, REFRESH_GRANT
from cuaws_magic.model import ClientRegistration, RoleCredentials, Secret, SsoSession, SsoToken
from cuaws_magic.sso.cache_files import moment_of, objects, read_object, sha1, text_of, wire, write_object, written_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class CachedToken:
    """
    What the token file of one sign-in holds.

    Attributes:
        sso_token: The SSO token, or `None`.

        trouble: Why there is none although there is a file; a sentence for a person.
    """

    sso_token: SsoToken | None
    trouble: str | None = None


class TokenCache:
    """
    The cache files of one home.

    Args:
        sso_folder: Where SSO tokens and registrations are.

        role_folder: Where role credentials are.
    """

    def __init__(self, sso_folder: Path, role_folder: Path) -> None:
        self.sso_folder = sso_folder
        self.role_folder = role_folder
        self._unsaved: dict[str, SsoToken] = {}
        # Files that hold no SSO token, as they were when that was seen.
        self._none: dict[Path, object] = {}
        # Token files as they were parsed last, by path: they are looked at several times for each command.
        self._parsed: dict[Path, tuple[tuple[object, SsoSession | None], SsoToken]] = {}

    @classmethod
    def default(cls) -> TokenCache:
        """Return the one of this user. Like the CLI's, it does not follow `AWS_CONFIG_FILE`."""
        home = Path(os.path.expanduser(os.path.join("~", ".aws")))  # noqa: PTH111, PTH118 - Path.expanduser raises where there is no home
        return cls(home / "sso" / "cache", home / "cli" / "cache")

    # SSO tokens.

    def load(self, sso_session: SsoSession) -> CachedToken:
        """Return the SSO token of a sign-in, whether or not it is still good."""
        path = self.token_path(sso_session)
        unsaved = self._unsaved.get(sso_session.cache_key)
        if unsaved is not None and not _of(unsaved, sso_session):
            unsaved = None
        try:
            sso_token = self._read(path, sso_session)
            if sso_token is None:
                return CachedToken(unsaved)
            if not _of(sso_token, sso_session):
                return CachedToken(unsaved)
        except OSError as error:
            return CachedToken(unsaved, f"{path} cannot be read: {storage.reason(error)}.")
        except (ValueError, KeyError, TypeError):
            return CachedToken(unsaved, f"{path} is not a token file of the AWS CLI.")
        if unsaved is not None and unsaved.expires_at > sso_token.expires_at:
            return CachedToken(unsaved)
        return CachedToken(sso_token)

    def _read(self, path: Path, sso_session: SsoSession | None) -> SsoToken | None:
        """Parse a token file, again only when it changed; what is deleted is not kept here either."""
        stamp = storage.stamp(path)
        kept = self._parsed.get(path)
        if kept is not None and stamp is not None and kept[0][0] == stamp and sso_session in {None, kept[0][1]}:
            return kept[1]
        self._parsed.pop(path, None)
        content = read_object(path)
        if content is None:
            return None
        sso_token = _sso_token(content, path, sso_session)
        # One that was replaced meanwhile is parsed again the next time.
        self._parsed[path] = ((stamp if storage.stamp(path) == stamp else None, sso_session), sso_token)
        return sso_token

    def in_memory(self) -> list[SsoToken]:
        """Return the SSO tokens that this process holds; looks at no file."""
        return [*list(self._unsaved.values()), *(sso_token for _, sso_token in list(self._parsed.values()))]

    def save(self, sso_session: SsoSession, sso_token: SsoToken) -> None:
        """
        Write the token file as the CLI does.

        Raises:
            StorageError: It cannot be written; this kernel keeps the SSO token.
        """
        content: dict[str, Any] = {
            "startUrl": sso_token.start_url,
            "region": sso_token.sso_region,
            "accessToken": sso_token.access_token.reveal(),
            "expiresAt": wire(sso_token.expires_at),
        }
        if sso_token.registration is not None:
            content["clientId"] = sso_token.registration.client_id
            content["clientSecret"] = sso_token.registration.client_secret.reveal()
            content["registrationExpiresAt"] = wire(sso_token.registration.expires_at)
        if sso_token.refresh_token is not None:
            content["refreshToken"] = sso_token.refresh_token.reveal()
        self._unsaved[sso_session.cache_key] = sso_token
        write_object(self.token_path(sso_session), content)
        self._unsaved.pop(sso_session.cache_key, None)

    def forget(self, sso_session: SsoSession) -> bool:
        """
        Delete the token file; `False` if there was none.

        Raises:
            StorageError: It is there and cannot be deleted.
        """
        kept = self._unsaved.pop(sso_session.cache_key, None)
        self._parsed.pop(self.token_path(sso_session), None)
        return storage.remove(self.token_path(sso_session)) or kept is not None

    def all_tokens(self) -> Iterator[tuple[Path, SsoToken]]:
        """Yield every SSO token of the cache, as the CLI's logout finds them, and those that could not be written."""
        for cache_key, sso_token in list(self._unsaved.items()):
            yield self.sso_folder / f"{sha1(cache_key)}.json", sso_token
        for path, content in objects(self.sso_folder):
            if "accessToken" in content:
                try:
                    yield path, _sso_token(content, path, None)
                except (ValueError, KeyError, TypeError, OSError):
                    yield path, _damaged_token(content)

    @property
    def changed(self) -> object:
        """When a file of an SSO token last came, went or was replaced; for comparison only."""
        try:
            at = self.sso_folder.stat().st_mtime_ns
        except OSError:
            at = 0
        return at, len(self._unsaved)

    def tokens(self) -> list[SsoToken]:
        """Return every SSO token that can be read, under whatever name; files are read again only when they changed."""
        found = list(self._unsaved.values())
        paths: list[Path] = []
        with contextlib.suppress(OSError):
            paths = [path for path in self.sso_folder.iterdir() if path.suffix == ".json" and path.name[0] != "."]
        for kept in (self._parsed, self._none):  # what is deleted is not kept here either
            for gone in kept.keys() - set(paths):
                del kept[gone]
        for path in paths:
            stamp = storage.stamp(path)
            if stamp is None or self._none.get(path) == stamp:
                continue
            try:
                sso_token = self._read(path, None)
            except (OSError, ValueError, KeyError, TypeError):
                self._none[path] = stamp  # a registration, or nothing that can be read: as good as absent
                continue
            found += [sso_token] if sso_token is not None else []
        return found

    def forget_unsaved(self) -> None:
        """Drop what could not be written, and what was read."""
        self._unsaved.clear()
        self._parsed.clear()

    def token_path(self, sso_session: SsoSession) -> Path:
        """Return the token file of a sign-in."""
        return self.sso_folder / f"{sha1(sso_session.cache_key)}.json"

    # Client registrations.

    def load_registration(self, sso_session: SsoSession, *, for_codes: bool = False) -> ClientRegistration | None:
        """Return the registration for device codes, or authorization codes, whether or not it is still good."""
        try:
            content = read_object(self.registration_path(sso_session))
            # Both have one file name; the grants tell whose it is (`_is_registration_for_auth_code`).
            if content is None or (CODE_GRANT in content.get("grantTypes", ())) is not for_codes:
                return None
            return ClientRegistration(
                client_id=text_of(content, "clientId"),
                client_secret=Secret(text_of(content, "clientSecret")),
                expires_at=moment_of(text_of(content, "expiresAt")),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def save_registration(
        self, sso_session: SsoSession, registration: ClientRegistration, *, codes_with: tuple[str, ...] | None = None
    ) -> None:
        """
        Keep a registration as the CLI does: without `grantTypes` for device codes.

        Args:
            codes_with: The scopes of one for authorization codes.

        Raises:
            StorageError: It cannot be written.
        """
        content: dict[str, Any] = {
            "clientId": registration.client_id,
            "clientSecret": registration.client_secret.reveal(),
            "expiresAt": wire(registration.expires_at),
        }
        scopes = sso_session.scopes if codes_with is None else codes_with
        if scopes is not None:
            content["scopes"] = list(scopes)
        if codes_with is not None:
            content["grantTypes"] = [CODE_GRANT, REFRESH_GRANT]
        write_object(self.registration_path(sso_session), content)

    def registration_path(self, sso_session: SsoSession) -> Path:
        """Return the registration file of a sign-in."""
        key = json.dumps(
            {
                "tool": "botocore",
                "startUrl": sso_session.start_url,
                "region": sso_session.sso_region,
                "scopes": None if sso_session.scopes is None else list(sso_session.scopes),
                "session_name": sso_session.name,
            },
            sort_keys=True,
        )
        return self.sso_folder / f"{sha1(key)}.json"

    # Role credentials.

    def load_role_credentials(self, sso_session: SsoSession, account_id: str, role_name: str) -> RoleCredentials | None:
        """Return cached role credentials, whether or not they are still good."""
        path = self.role_path(sso_session, account_id, role_name)
        try:
            content = read_object(path)
            if content is None:
                return None
            keys = content["Credentials"]
            if keys.get("AccountId", account_id) != account_id:
                return None  # somebody else's, whatever the file is called
            return RoleCredentials(
                account_id=account_id,
                access_key_id=Secret(text_of(keys, "AccessKeyId")),
                secret_access_key=Secret(text_of(keys, "SecretAccessKey")),
                session_token=Secret(text_of(keys, "SessionToken")),
                expires_at=moment_of(text_of(keys, "Expiration")),
                obtained_at=written_at(path),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def save_role_credentials(self, sso_session: SsoSession, role_name: str, credentials: RoleCredentials) -> None:
        """
        Write role credentials as the CLI does.

        Raises:
            StorageError: They cannot be written.
        """
        content = {
            "ProviderType": "sso",
            "Credentials": {
                "AccessKeyId": credentials.access_key_id.reveal(),
                "SecretAccessKey": credentials.secret_access_key.reveal(),
                "SessionToken": credentials.session_token.reveal(),
                "Expiration": wire(credentials.expires_at),
                "AccountId": credentials.account_id,
            },
        }
        write_object(self.role_path(sso_session, credentials.account_id, role_name), content)

    def forget_role_credentials(self, sso_session: SsoSession, account_id: str, role_name: str) -> bool:
        """
        Delete the cached credentials of one role; `False` if there were none.

        Raises:
            StorageError: They are there and cannot be deleted.
        """
        return storage.remove(self.role_path(sso_session, account_id, role_name))

    def forget_all_role_credentials(self) -> int:
        """
        Delete every cached set that came from Identity Center, as `aws sso logout` does.

        Raises:
            StorageError: One is there and cannot be deleted.
        """
        sso_paths = [path for path, content in objects(self.role_folder) if content.get("ProviderType") == "sso"]
        return sum(storage.remove(path) for path in sso_paths)

    def role_path(self, sso_session: SsoSession, account_id: str, role_name: str) -> Path:
        """Return the file of one role's credentials."""
        key = {"roleName": role_name, "accountId": account_id}
        if sso_session.name is not None:
            key["sessionName"] = sso_session.name
        else:
            key["startUrl"] = sso_session.start_url
        return self.role_folder / f"{sha1(json.dumps(key, sort_keys=True, separators=(',', ':')))}.json"


def _of(sso_token: SsoToken, sso_session: SsoSession) -> bool:
    """Whether an SSO token is of this organisation: a section keeps its file when somebody gives it another address."""
    return same_portal(sso_token.start_url, sso_session.start_url)


def _sso_token(content: Mapping[str, Any], path: Path, sso_session: SsoSession | None) -> SsoToken:
    registration = None
    if "clientId" in content and "clientSecret" in content and "registrationExpiresAt" in content:
        registration = ClientRegistration(
            client_id=text_of(content, "clientId"),
            client_secret=Secret(text_of(content, "clientSecret")),
            expires_at=moment_of(text_of(content, "registrationExpiresAt")),
        )
    region = content.get("region")
    start_url = content.get("startUrl")
    return SsoToken(
        start_url=str(start_url or (sso_session.start_url if sso_session else "")),
        sso_region=str(region) if region else (sso_session.sso_region if sso_session else None),
        access_token=Secret(text_of(content, "accessToken")),
        expires_at=moment_of(text_of(content, "expiresAt")),
        refresh_token=Secret(text_of(content, "refreshToken")) if content.get("refreshToken") else None,
        registration=registration,
        obtained_at=written_at(path),
    )


def _damaged_token(content: Mapping[str, Any]) -> SsoToken:
    """What a damaged token file can still be logged out with: it may hold a good token beside a bad date."""
    access_token, region = content["accessToken"], content.get("region")
    sendable = isinstance(access_token, str) and isinstance(region, str) and access_token and region
    return SsoToken(
        start_url=str(content.get("startUrl") or "an access portal"),
        sso_region=region if sendable else None,
        access_token=Secret(str(access_token)),
        expires_at=datetime.fromtimestamp(0, timezone.utc),
    )
