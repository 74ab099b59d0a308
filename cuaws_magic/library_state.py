"""
The door to what libraries keep for the next caller: boto3's default session, s3fs's instances.

Both would answer for the account before after a switch. What was made stays with the
account that it was made with; what is asked for anew is made anew, and the default that
was there before the first account is there again after the last. Only libraries that are
imported already are looked at.
"""

from __future__ import annotations

import sys
from typing import Any


class LibraryState:
    """What was there before us, and what is made anew since."""

    def __init__(self) -> None:
        self._changed = False
        self._found: Any = None

    def settle(self) -> None:
        """
        Before another account comes in use: let what was made keep the one it was made with.

        An s3fs filesystem makes its botocore session at its first request, and a new one
        when its connections were closed; either could be after the switch.
        """
        for filesystem in _filesystems():
            if getattr(filesystem, "_session_is_owned", False):
                if filesystem.session is None:
                    from aiobotocore.session import AioSession

                    filesystem.session = AioSession(**filesystem.kwargs)
                filesystem._session_is_owned = False  # noqa: SLF001 - s3fs's own mark for a session that it must keep

    def renew(self) -> None:
        """After another account came in use: have boto3 and s3fs make new ones when they are asked."""
        boto3 = vars(sys.modules["boto3"]) if "boto3" in sys.modules else {}
        if not self._changed:
            self._found, self._changed = boto3.get("DEFAULT_SESSION"), True
        self._make_anew(boto3, None)

    def restore(self) -> None:
        """After none is in use any more: the default session that was found is the default again."""
        if self._changed:
            boto3 = vars(sys.modules["boto3"]) if "boto3" in sys.modules else {}
            self._make_anew(boto3, self._found)
            self._found, self._changed = None, False

    def _make_anew(self, boto3: dict[str, Any], default: Any) -> None:
        if boto3:
            boto3["DEFAULT_SESSION"] = default
        if "s3fs" in sys.modules:
            sys.modules["s3fs"].S3FileSystem.clear_instance_cache()


def _filesystems() -> list[Any]:
    if "s3fs" not in sys.modules:
        return []
    # fsspec keeps every instance that was made in the usual way.
    return list(getattr(sys.modules["s3fs"].S3FileSystem, "_cache", {}).values())
