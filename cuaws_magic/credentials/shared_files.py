"""
Botocore sessions of ours read the AWS files and service models once for all of them.

Each botocore session parses the files again, which with a profile for each of a hundred
accounts is most of what a session takes to make.
"""

from __future__ import annotations

import copy
import functools
import os
from typing import Any

from cuaws_magic.background import import_whole


def new_session() -> Any:
    """Return a botocore session; what it shares with others is what files say, and nothing that a session changes."""
    made = _session_class()()
    made.register_component("data_loader", _loader(made.get_config_variable("data_path")))
    return made


def drop_repeated_paths(session: Any) -> None:
    """Have the shared loader look into each folder once: every boto3 session adds boto3's own."""
    paths = session.get_component("data_loader").search_paths
    paths[:] = dict.fromkeys(paths)


@functools.lru_cache(maxsize=2)
def _loader(data_path: str | None) -> Any:
    from botocore.loaders import create_loader

    return create_loader(data_path)


@functools.cache
def _session_class() -> Any:
    import_whole("botocore.session")
    import botocore.session

    class Session(botocore.session.Session):  # type: ignore[misc]  # botocore has no types
        _parsed: tuple[object, dict[str, Any]] | None = None  # of the class: the files of last time, and what they say

        @property
        def full_config(self) -> dict[str, Any]:
            """What both files say (botocore's property)."""
            held: Any = self
            if held._config is None:  # noqa: SLF001 - where botocore keeps it
                stamp = tuple(_stamp(self.get_config_variable(name)) for name in ("config_file", "credentials_file"))
                if Session._parsed is None or Session._parsed[0] != stamp:
                    Session._parsed = (stamp, super().full_config)
                # A copy: somebody may write into it, and another session is another account's.
                held._config = copy.deepcopy(Session._parsed[1])  # noqa: SLF001 - as above
            config: dict[str, Any] = held._config  # noqa: SLF001 - as above
            return config

    return Session


def _stamp(path: str) -> object:
    """Tell whether a file is the one that was read."""
    full = os.path.expanduser(path)  # noqa: PTH111 - as botocore
    try:
        status = os.stat(full)  # noqa: PTH116 - each time a session is made
    except OSError:
        return (full, None)
    return (full, status.st_mtime_ns, status.st_size, status.st_ino)
