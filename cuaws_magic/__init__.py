"""
AWS credentials in a notebook, for people who are not AWS experts.

    %load_ext cuaws_magic
    %cuaws login
    %cuaws use awsucob0myaccount

or the same as functions: `cuaws_magic.login()`, `cuaws_magic.use("awsucob0myaccount")`.
Importing this package imports nothing else; what is asked for comes when it is asked for.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cuaws_magic.api import (
        accounts,
        configure,
        console,
        doctor,
        export,
        forget,
        login,
        logout,
        panel,
        paste,
        release,
        status,
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
    "doctor",
    "export",
    "forget",
    "load_ipython_extension",
    "login",
    "logout",
    "panel",
    "paste",
    "release",
    "status",
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


class _Front(ModuleType):
    """The package itself: where a module has the name of a function (`login`), the name stays the function's."""

    def __setattr__(self, name: str, value: object) -> None:
        # Importing a module of a package puts it in here by its name.
        if not (isinstance(value, ModuleType) and name in __all__):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Front


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
