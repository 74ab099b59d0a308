"""
The door to what libraries keep for the next caller: boto3's default session, s3fs's instances.

Both would answer for the account before after a switch. What was made stays with the
account that it was made with; what is asked for anew is made anew. Only libraries that
are imported already are looked at.
"""

from __future__ import annotations

import sys
from typing import Any


def settle() -> None:
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


def renew() -> None:
    """After another account came in use: have boto3 and s3fs make new ones when they are asked."""
    if "boto3" in sys.modules:
        vars(sys.modules["boto3"])["DEFAULT_SESSION"] = None
    if "s3fs" in sys.modules:
        sys.modules["s3fs"].S3FileSystem.clear_instance_cache()


def _filesystems() -> list[Any]:
    if "s3fs" not in sys.modules:
        return []
    # fsspec keeps every instance that was made in the usual way.
    return list(getattr(sys.modules["s3fs"].S3FileSystem, "_cache", {}).values())
