"""
icechunk's credentials from the environment: it looks there anew for each session, so they are bound to an account here.

`icechunk.s3_storage(from_env=True)` asks a function of `icechunk.credentials` for them, whoever calls it and from
wherever; while an account is in use, that function gives credentials of this account, which renew themselves. In
another process than this they are found in its environment, as without us.
"""

from __future__ import annotations

import importlib.machinery
import sys
from typing import TYPE_CHECKING, Any

from cuaws_magic.credentials.provider_functions import IcechunkFromEnvironment

if TYPE_CHECKING:
    from collections.abc import Callable

    from cuaws_magic.credentials.sources import Bound

_MODULE, _FUNCTION = "icechunk.credentials", "s3_from_env_credentials"


class IcechunkCredentials:
    """What was there before us, and what stands in its place."""

    def __init__(self) -> None:
        self._bind: Callable[[], Bound | None] = lambda: None
        self._found: Any = None
        self._ours: Any = None
        # One for each account: icechunk keeps a pickle of it, and nobody knows for how long.
        self._providers: dict[object, IcechunkFromEnvironment] = {}
        self._listening: _WhenLoaded | None = None

    def bind(self, bind: Callable[[], Bound | None]) -> None:
        """Have storages that are made from now on keep the account in use, also where icechunk is imported later."""
        self._bind = bind
        if self._listening is None and _MODULE not in sys.modules:
            self._listening = _WhenLoaded(_MODULE, self._put)
            sys.meta_path.insert(0, self._listening)
        elif _MODULE in sys.modules:
            self._put(sys.modules[_MODULE])

    def restore(self) -> None:
        """Have it look into the environment again, as it did before."""
        if self._listening is not None:
            self._listening.leave()
            self._listening = None
        module = sys.modules.get(_MODULE)
        if module is not None and self._ours is not None and vars(module).get(_FUNCTION) is self._ours:
            setattr(module, _FUNCTION, self._found)
        self._found = self._ours = None

    def _put(self, module: Any) -> None:
        found = vars(module).get(_FUNCTION)
        if found is None or found is self._ours:
            return

        def from_environment() -> Any:
            bound = self._bind()
            if bound is None or bound.profile is not None:
                return found()  # somebody's own keys are there, or the name of a profile
            key = bound.source.key
            if key not in self._providers:
                self._providers[key] = IcechunkFromEnvironment(bound)
            return module.s3_refreshable_credentials(self._providers[key])

        self._found, self._ours = found, from_environment
        setattr(module, _FUNCTION, from_environment)


class _WhenLoaded:
    """Is told as soon as a module was loaded for the first time (`sys.meta_path`)."""

    def __init__(self, module: str, do: Callable[[Any], None]) -> None:
        self._module = module
        self._do = do

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Find that module as Python would, with a loader that tells."""
        if name != self._module:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Telling(spec.loader, self._do)  # type: ignore[assignment]  # it is one by what it does
        self.leave()
        return spec

    def leave(self) -> None:
        """Be told no more."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)


class _Telling:
    """A loader that does what another does, and then something more."""

    def __init__(self, loader: Any, do: Callable[[Any], None]) -> None:
        self._loader = loader
        self._do = do

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def exec_module(self, module: Any) -> None:
        self._loader.exec_module(module)
        self._do(module)
