"""
The door through which `~/.aws/config` and `~/.aws/credentials` are changed.

One writer at a time between the kernels of a home: what a change is made from is read
under the lock and written under it. A file is the old one or the new one, whoever is
killed in between; it keeps its mode, and a symbolic link stays one.
"""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cuaws_magic import aws_files, config_edits, config_text, files
from cuaws_magic.errors import ConfigFileError, Malformed, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from cuaws_magic.config_edits import Edit, Edited
    from cuaws_magic.own_state import OwnState


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
            return config_edits.edited(config_text.decoded(self._data), edits)
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
        if aws_files.bytes_of(self.path) != self._data:
            raise StorageError(
                f"Another program has just changed {self.path}; nothing was written. Wait a minute, "
                "then run the cell again."
            )
        files.write_private(self.path, edited.after.encode(), keep_mode=not private)


class ConfigWriter:
    """
    Opens files for changes.

    Args:
        own_state: Where the locks are; `~/.aws` is other programs' place too.
    """

    def __init__(self, own_state: OwnState) -> None:
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
        with files.lock(self._own_state.lock_path(f"config {target}")):
            _refuse_what_is_no_file(path)
            data = aws_files.bytes_of(path)
            try:
                sections = config_text.values(config_text.decoded(data))
            except Malformed as error:
                raise aws_files.refused(path, error) from None
            yield OpenedFile(path, sections, data)


def _refuse_what_is_no_file(path: Path) -> None:
    """Refuse `/dev/null` and the like: replaced by a file, they would be gone for everybody."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return  # not there, or not readable; reading it will say
    if not stat.S_ISREG(mode):
        raise StorageError(
            f"{path} is not an ordinary file, so nothing can be kept in it. Take AWS_CONFIG_FILE and "
            "AWS_SHARED_CREDENTIALS_FILE out of the environment, then run the cell again."
        )
