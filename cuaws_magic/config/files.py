"""
The door to `~/.aws/config` and `~/.aws/credentials`.

Reads them as botocore does (`botocore.configloader`, here `config_text`): strict, no
inline comments, section names split like a shell line. A file that botocore would refuse is refused
here with its line, since every other AWS program will stumble over it too.
"""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cuaws_magic import storage
from cuaws_magic.config import text as ini_text
from cuaws_magic.config.edits import edited
from cuaws_magic.errors import ConfigFileError, ConfigurationError, Malformed, StorageError
from cuaws_magic.model import SsoSession

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cuaws_magic.config.edits import Edit, Edited
    from cuaws_magic.storage import StateStore


@dataclass(frozen=True, slots=True)
class Profile:
    """
    One `[profile NAME]`, with the settings of the config file only.

    Attributes:
        sso: Its sign-in, account and role are reached through Identity Center.
    """

    name: str
    settings: Mapping[str, str] = field(repr=False)

    @property
    def sso(self) -> bool:
        """Whether it names an account and a role of Identity Center."""
        modern = "sso_session" in self.settings or "sso_start_url" in self.settings
        return modern and "sso_account_id" in self.settings and "sso_role_name" in self.settings

    @property
    def account_id(self) -> str:
        """The account of an SSO profile, a string of twelve digits."""
        return self.settings["sso_account_id"]

    @property
    def role_name(self) -> str:
        """The role of an SSO profile."""
        return self.settings["sso_role_name"]

    @property
    def region(self) -> str | None:
        """The region that its clients use."""
        return self.settings.get("region") or None


@dataclass(frozen=True, slots=True)
class AwsConfig:
    """
    The content of both files.

    Attributes:
        path: The config file, for messages.

        profiles: By name.

        session_sections: The settings of each `[sso-session NAME]`, by name.

        static_profiles: Names of the sections of the credentials file.
    """

    path: Path
    profiles: Mapping[str, Profile]
    session_sections: Mapping[str, Mapping[str, str]] = field(repr=False)
    static_profiles: tuple[str, ...] = ()

    def sso_session(self, name: str) -> SsoSession:
        """
        Return an `[sso-session]`.

        Raises:
            ConfigurationError: It is not there, or lacks its start URL or region.
        """
        if name not in self.session_sections:
            known = ", ".join(sorted(self.session_sections)) or "none"
            raise ConfigurationError(
                f"There is no [sso-session {name}] in {self.path} (there: {known}). "
                f"Type `%cuaws login --session {name} --start-url URL --sso-region REGION`."
            )
        section = self.session_sections[name]
        return SsoSession(
            name=name,
            start_url=self._needed(section, "sso_start_url", f"[sso-session {name}]"),
            sso_region=self._needed(section, "sso_region", f"[sso-session {name}]"),
            scopes=_scopes(section),
        )

    def sso_session_of(self, profile: Profile) -> SsoSession:
        """
        Return the sign-in that an SSO profile uses, modern or legacy.

        Raises:
            ConfigurationError: Something is missing, or profile and section disagree
                (where botocore raises `InvalidConfigError`).
        """
        name = profile.settings.get("sso_session")
        if name is None:
            where = f"[profile {profile.name}]"
            start_url = self._needed(profile.settings, "sso_start_url", where)
            return SsoSession(None, start_url, self._needed(profile.settings, "sso_region", where), scopes=None)
        sso_session = self.sso_session(name)
        for key, value in (("sso_start_url", sso_session.start_url), ("sso_region", sso_session.sso_region)):
            if profile.settings.get(key, value) != value:
                raise ConfigurationError(
                    f"{key} differs between [profile {profile.name}] and [sso-session {name}] in {self.path}. "
                    f"Delete it from the profile, then run the cell again."
                )
        return sso_session

    def sign_ins(self) -> list[SsoSession]:
        """Return the sign-ins that the config names, each once, without those that lack something."""
        found = {}
        for name in self.session_sections:
            with contextlib.suppress(ConfigurationError):
                found[name] = self.sso_session(name)
        for profile in self.profiles.values():
            if "sso_start_url" in profile.settings and "sso_session" not in profile.settings:
                with contextlib.suppress(ConfigurationError):
                    sso_session = self.sso_session_of(profile)
                    found.setdefault(sso_session.cache_key, sso_session)
        return list(found.values())

    def _needed(self, section: Mapping[str, str], key: str, where: str) -> str:
        value = section.get(key)
        if not value:
            raise ConfigurationError(
                f"{where} in {self.path} has no {key}. Add the line `{key} = …` to it, then run the cell again."
            )
        return value


class AwsFiles:
    """
    Both files of one environment, parsed again only when they changed.

    Args:
        environ: For `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE`.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._kept: tuple[object, AwsConfig] | None = None

    @property
    def config_path(self) -> Path:
        """The config file, as botocore finds it."""
        return self._path("AWS_CONFIG_FILE", "config")

    @property
    def credentials_path(self) -> Path:
        """The credentials file, as botocore finds it."""
        return self._path("AWS_SHARED_CREDENTIALS_FILE", "credentials")

    def _path(self, variable: str, name: str) -> Path:
        path = self._environ.get(variable) or os.path.join("~", ".aws", name)  # noqa: PTH118 - as text, as botocore does
        return Path(os.path.expanduser(os.path.expandvars(path)))  # noqa: PTH111 - Path.expanduser raises where there is no home

    def sections(self, path: Path) -> list[tuple[str, str, str, Mapping[str, str]]]:
        """
        Return header, kind, name and settings of each section of one of the files.

        Raises:
            ConfigFileError: It does not parse; names file and line.

            StorageError: It is there and cannot be read.
        """
        in_credentials = path == self.credentials_path
        return [
            (header, *(("profile", header) if in_credentials else ini_text.kind_and_name(header)), settings)
            for header, settings in _sections(path).items()
        ]

    def read(self) -> AwsConfig:
        """
        Return what the files say; missing files say nothing.

        Raises:
            ConfigFileError: A file does not parse; names file and line.

            StorageError: A file is there and cannot be read.
        """
        paths = (self.config_path, self.credentials_path)
        stamp = tuple((path, *_stamp(path)) for path in paths)
        if self._kept is None or self._kept[0] != stamp:
            self._kept = (stamp, _read(*paths))
        return self._kept[1]


def config_from(path: Path, sections: Mapping[str, Mapping[str, str]], static_profiles: tuple[str, ...]) -> AwsConfig:
    """Return what the sections of a config file say, whichever way they were read."""
    profiles: dict[str, Profile] = {}
    session_sections: dict[str, Mapping[str, str]] = {}
    for header, settings in sections.items():
        kind, name = ini_text.kind_and_name(header)
        if kind == "profile":
            profiles[name] = Profile(name, settings)
        elif kind == "sso-session":
            session_sections[name] = settings
    return AwsConfig(path, profiles, session_sections, static_profiles)


def bytes_of(path: Path) -> bytes:
    """
    Return a file's content; nothing where there is no file.

    Raises:
        StorageError: It is there and cannot be read.
    """
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return b""
    except OSError as error:
        raise StorageError(f"Cannot read {path}: {storage.reason(error)}. Make it readable and try again.") from None


def _read(config_path: Path, credentials_path: Path) -> AwsConfig:
    return config_from(config_path, _sections(config_path), tuple(_sections(credentials_path)))


def _sections(path: Path) -> dict[str, dict[str, str]]:
    try:
        return ini_text.values(ini_text.decoded(bytes_of(path)))
    except Malformed as error:
        raise refused(path, error) from None


def refused(path: Path, error: Malformed) -> ConfigFileError:
    """Say what is the matter with a file that does not parse."""
    return ConfigFileError(
        f"{path}, line {error.line or '?'}: {error.why}. No AWS program can read this file: correct the line, "
        "then run the cell again."
    )


def _scopes(section: Mapping[str, str]) -> tuple[str, ...] | None:
    text = section.get("sso_registration_scopes")
    if text is None:
        return None
    return tuple(scope.strip() for scope in text.split(",") if scope.strip())


def _stamp(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except OSError:
        return (0, 0)
    return (stat.st_mtime_ns, stat.st_size)


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """
    A file that no other kernel changes meanwhile.

    Attributes:
        sections: The settings of each section, by its header.
    """

    path: Path
    sections: Mapping[str, Mapping[str, str]] = field(repr=False)
    _data: bytes = field(repr=False)

    def edited(self, edits: Iterable[Edit]) -> Edited:
        """
        Return what the file would be; writes nothing.

        Raises:
            ConfigFileError: It cannot be edited like that; names the line.
        """
        try:
            return edited(ini_text.decoded(self._data), edits)
        except Malformed as error:
            raise ConfigFileError(
                f"{self.path}, line {error.line or '?'}: {error.why}. Nothing was changed: correct it by hand, "
                "then run the cell again."
            ) from None

    def write(self, edited: Edited, *, private: bool = False) -> None:
        """
        Write it, if it is another than before.

        Args:
            edited: What to write.

            private: It is to be readable by its owner only, whatever it was before.

        Raises:
            StorageError: It cannot be written, or a program that knows no locks has changed it meanwhile.
        """
        if edited.after == edited.before:
            return
        if not os.access(self.path, os.W_OK) and self.path.exists():
            raise StorageError(f"Cannot write {self.path}: it is read-only. Make it writable and try again.")
        if bytes_of(self.path) != self._data:
            raise StorageError(
                f"Another program changed {self.path}; nothing was written. Wait a minute, then run the cell again."
            )
        storage.write_private(self.path, edited.after.encode(), keep_mode=not private)


class ConfigWriter:
    """
    Opens files for changes.

    Args:
        own_state: Where the locks are; `~/.aws` is other programs' place too.
    """

    def __init__(self, own_state: StateStore) -> None:
        self._own_state = own_state

    @contextlib.contextmanager
    def opened(self, path: Path) -> Iterator[OpenedFile]:
        """
        Hold a file for this kernel while the block runs.

        Raises:
            ConfigFileError: It does not parse; names file and line.

            StorageError: It cannot be read, or is not a file.
        """
        target = os.path.realpath(path)  # two links to one file are one file
        with storage.lock(self._own_state.lock_path(f"config {target}")):
            _refuse_what_is_no_file(path)
            data = bytes_of(path)
            try:
                sections = ini_text.values(ini_text.decoded(data))
            except Malformed as error:
                raise refused(path, error) from None
            yield OpenedFile(path, sections, data)


def _refuse_what_is_no_file(path: Path) -> None:
    """Refuse `/dev/null` and the like: replaced by a file, they would be gone for everybody."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return  # not there, or not readable; reading it will say
    if not stat.S_ISREG(mode):
        raise StorageError(
            f"{path} is not a regular file, so nothing can be saved in it. Take AWS_CONFIG_FILE and "
            "AWS_SHARED_CREDENTIALS_FILE out of the environment, then run the cell again."
        )
