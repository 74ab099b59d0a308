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
from typing import TYPE_CHECKING, TypeVar

from cuaws_magic import storage
from cuaws_magic.config import text as ini_text
from cuaws_magic.config.content import AwsConfig, Profile
from cuaws_magic.config.edits import edited
from cuaws_magic.errors import ChangedMeanwhile, ConfigFileError, Malformed, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from cuaws_magic.config.edits import Edit, Edited
    from cuaws_magic.state_store import StateStore


class AwsFiles:
    """
    Both files of one environment, parsed again only when they changed.

    Args:
        environ: For `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE`.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._kept: tuple[object, AwsConfig] | None = None
        self._usual: dict[str, tuple[object, Path]] = {}
        self._parsed: dict[Path, tuple[object, dict[str, dict[str, str]]]] = {}

    @property
    def config_path(self) -> Path:
        """The config file, as botocore finds it."""
        return self._path("AWS_CONFIG_FILE", "config")

    @property
    def credentials_path(self) -> Path:
        """The credentials file, as botocore finds it."""
        return self._path("AWS_SHARED_CREDENTIALS_FILE", "credentials")

    def _path(self, variable: str, name: str) -> Path:
        said = self._environ.get(variable)
        if said:
            return self._expanded(said)
        # Asked for several times in each command, and nearly always the same.
        at = (os.environ.get("HOME"), os.environ.get("USERPROFILE"))
        usual = self._usual.get(name)
        if usual is None or usual[0] != at:
            usual = self._usual[name] = (at, self._expanded(os.path.join("~", ".aws", name)))  # noqa: PTH118 - as text, as botocore does
        return usual[1]

    @staticmethod
    def _expanded(path: str) -> Path:
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
            for header, settings in self._settings(path).items()
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
            self._kept = (stamp, config_from(paths[0], self._settings(paths[0]), self._settings(paths[1]), paths[1]))
        return self._kept[1]

    def _settings(self, path: Path) -> dict[str, dict[str, str]]:
        """Return the settings of each section of a file, parsed again only when it changed."""
        stamp = _stamp(path)
        found = self._parsed.get(path)
        if found is None or found[0] != stamp:
            found = self._parsed[path] = (stamp, _sections(path))
        return found[1]

    def plain(self, profile: str | None) -> bool:
        """Whether a profile, or else `[default]`, is there and has no settings for clients; `False` if in doubt."""
        try:
            found = self.read().profile(profile or "default")
        except (ConfigFileError, StorageError):
            return False
        return not found.client_settings if found is not None else profile is None


def config_from(
    path: Path,
    sections: Mapping[str, Mapping[str, str]],
    saved: Mapping[str, Mapping[str, str]],
    credentials_path: Path,
) -> AwsConfig:
    """Return what the sections of both files say, whichever way they were read."""
    profiles: dict[str, Profile] = {}
    session_sections: dict[str, Mapping[str, str]] = {}
    for header, settings in sections.items():
        kind, name = ini_text.kind_and_name(header)
        if kind == "profile":
            profiles[name] = Profile(name, settings, saved.get(name, {}))
        elif kind == "sso-session":
            session_sections[name] = settings
    return AwsConfig(path, profiles, session_sections, saved, credentials_path)


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


def _stamp(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except OSError:
        return (0, 0)
    return (stat.st_mtime_ns, stat.st_size)


Result = TypeVar("Result")

_ATTEMPTS = 20  # at a file that another program changes while we do


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
    _inode: object = field(repr=False)

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
            StorageError: It cannot be written.

            ChangedMeanwhile: A program that takes no lock (an editor, the AWS CLI) has changed it since it was opened.
        """
        if edited.after == edited.before:
            return
        if self.path.exists() and not os.access(self.path, os.W_OK):
            storage.check_writable(self.path)
        storage.write_private(
            self.path,
            edited.after.encode(),
            keep_mode=not private,
            # The date last: it is the quickest to look at, so it leaves the smallest gap before the rename.
            unchanged=lambda: bytes_of(self.path) == self._data and _inode(self.path) == self._inode,
        )


class ConfigWriter:
    """
    Opens files for changes.

    Args:
        own_state: Where the locks are; `~/.aws` is other programs' place too.
    """

    def __init__(self, own_state: StateStore) -> None:
        self._own_state = own_state

    def change(self, path: Path, change: Callable[[OpenedFile], Result]) -> Result:
        """
        Open a file and have it changed; from the start again when another program changed it meanwhile.

        Raises:
            StorageError: Another program changes it all the time.

            CuawsError: As `opened`, and what `change` raises.
        """
        for _ in range(_ATTEMPTS):
            with contextlib.suppress(ChangedMeanwhile), self.opened(path) as opened:
                return change(opened)
        raise StorageError(
            f"Another program keeps changing {path}; nothing was written. Wait a minute, then run the cell again."
        )

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
            inode, data = _inode(path), bytes_of(path)
            try:
                sections = ini_text.values(ini_text.decoded(data))
            except Malformed as error:
                raise refused(path, error) from None
            yield OpenedFile(path, sections, data, inode)


def _inode(path: Path) -> object:
    """Tell one state of a file from another, without reading it."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


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
