"""
AWS credentials in a notebook, for people who are not AWS experts.

    %load_ext cuaws_magic
    %cuaws login
    %cuaws use awsucob0myaccount

or the same as functions: `cuaws_magic.login()`, `cuaws_magic.use("awsucob0myaccount")`.
Importing this package imports nothing else; what is asked for comes when it is asked for.
"""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` would be most of what importing this package costs
if TYPE_CHECKING:
    from typing import Any

    from cuaws_magic.api import (
        accounts,
        configure,
        console,
        credential_provider,
        dask,
        doctor,
        duckdb,
        export,
        forget,
        forget_clients,
        login,
        logout,
        map,  # noqa: A004 - as `Executor.map`; it is used as `cuaws.map`
        panel,
        paste,
        release,
        reveal,
        scrub,
        session,
        status,
        storage_options,
        use,
        whoami,
    )
    from cuaws_magic.errors import CuawsError

__version__ = "0.1.0"

__all__ = [
    "CuawsError",
    "__version__",
    "accounts",
    "configure",
    "console",
    "credential_provider",
    "dask",
    "doctor",
    "duckdb",
    "export",
    "forget",
    "forget_clients",
    "load_ipython_extension",
    "login",
    "logout",
    "map",
    "panel",
    "paste",
    "release",
    "reveal",
    "scrub",
    "session",
    "status",
    "storage_options",
    "unload_ipython_extension",
    "use",
    "whoami",
]


def load_ipython_extension(ipython: Any) -> None:
    """Give the shell its `%cuaws` (IPython's `%load_ext`)."""
    from cuaws_magic.ipython import magics

    magics.load(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    """Take `%cuaws` out, and the credentials with it (IPython's `%unload_ext`)."""
    from cuaws_magic.ipython import magics

    magics.unload(ipython)


def __getattr__(name: str) -> Any:
    if name == "CuawsError":
        from cuaws_magic.errors import CuawsError

        return CuawsError
    if name in __all__:
        from cuaws_magic import api

        return getattr(api, name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return __all__
