"""
What libraries keep between calls, and with it the account that they were first used with.

Before another account comes into use, what a person holds is made to keep its account. After it,
what a library would hand out again is let go of, so that it is made anew: boto3's default session,
fsspec's instances, the default clients of path and model libraries. Nothing is imported; what a person set
explicitly (keys, a profile, a client of their own) stays.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cuaws_magic.credentials.icechunk_credentials import IcechunkCredentials
from cuaws_magic.credentials.provider import bound_of, lacks_credentials
from cuaws_magic.credentials.provider_functions import PolarsProvider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cuaws_magic.credentials.sources import Bound, Source


class LibraryState:
    """What was there before us, and what is made anew since."""

    def __init__(self) -> None:
        self._changed = False
        self._found: Any = None
        self._polars_found: Any = None
        self._polars_ours: Any = None
        self._icechunk = IcechunkCredentials()

    def settle(self) -> None:
        """
        Before another account comes into use: let what was made keep the one it was made with.

        An s3fs filesystem makes its botocore session at its first request, and a new one
        when its connections were closed; either could be after the switch.
        """
        s3fs = sys.modules.get("s3fs")
        for filesystem in _filesystems():
            # Before s3fs 2026.6 there is no such mark: what has a session keeps it until `connect(refresh=True)`.
            of_s3fs = s3fs is not None and isinstance(filesystem, s3fs.S3FileSystem)
            if getattr(filesystem, "_session_is_owned", of_s3fs and filesystem.session is None):
                if filesystem.session is None:
                    from aiobotocore.session import AioSession

                    filesystem.session = AioSession(**filesystem.kwargs)
                filesystem._session_is_owned = False  # noqa: SLF001 - s3fs's own mark for a session that it must keep

    def renew(self, source: Source, bind: Callable[[], Bound | None]) -> None:
        """
        After another account came into use: have libraries make new ones when they are asked.

        Args:
            source: The account in use.

            bind: Returns credentials that stay those of it.
        """
        boto3 = vars(sys.modules["boto3"]) if "boto3" in sys.modules else {}
        if not self._changed:
            self._found, self._changed = boto3.get("DEFAULT_SESSION"), True
        self._make_anew(boto3, _with_settings_of(boto3.get("DEFAULT_SESSION")))
        self.bind_polars(source, bind)
        self._icechunk.bind(bind)

    def restore(self) -> None:
        """After none is in use any more: the default session that was found is the default again."""
        self._icechunk.restore()
        if self._changed:
            boto3 = vars(sys.modules["boto3"]) if "boto3" in sys.modules else {}
            self._make_anew(boto3, self._found)
            self._found, self._changed = None, False
        builder = _polars()
        if builder is not None and self._polars_ours is not None:
            if vars(builder).get(_DEFAULT) is self._polars_ours:
                _set_polars(self._polars_found)
            self._polars_ours = self._polars_found = None

    def bind_polars(self, source: Source, bind: Callable[[], Bound | None]) -> None:
        """
        Have queries of polars that are written from now on keep the account in use.

        Its native side keeps a store for each bucket, options and provider: with a provider for each account there
        is a store for each. One that a person has set stays.
        """
        builder = _polars()
        if builder is None or _DEFAULT not in vars(builder):
            return
        found = vars(builder)[_DEFAULT]
        if found is self._polars_ours and found is not None and found.bound.source is source:
            return
        if found is not self._polars_ours:
            if found != "auto":
                return
            self._polars_found = found
        bound = bind()
        if bound is None or bound.profile is not None:
            if self._polars_ours is not None:
                _set_polars(self._polars_found)
                self._polars_ours = None
            return
        self._polars_ours = PolarsProvider(bound)
        _set_polars(self._polars_ours)

    def _make_anew(self, boto3: dict[str, Any], default: Any) -> None:
        if boto3:
            boto3["DEFAULT_SESSION"] = default
        for cls in _filesystem_classes():
            with contextlib.suppress(AttributeError):
                cls.clear_instance_cache()
        for name, let_go in _KEEPERS.items():
            if name in sys.modules:
                # A library that was rebuilt inside must not keep an account from coming into use.
                with contextlib.suppress(Exception):
                    let_go(sys.modules[name])


def _filesystem_classes() -> list[Any]:
    """Return every class of fsspec: caching ones and a person's own hold an s3fs filesystem, or are one."""
    base = getattr(sys.modules.get("fsspec.spec"), "AbstractFileSystem", None)
    found: list[Any] = [] if base is None else [base]
    for cls in found:
        found += [one for one in cls.__subclasses__() if one not in found]
    return found


def _filesystems() -> list[Any]:
    # fsspec keeps every instance that was made in the usual way.
    return [one for cls in _filesystem_classes() for one in list(vars(cls).get("_cache", {}).values())]


_DEFAULT = "DEFAULT_CREDENTIAL_PROVIDER"


def _polars() -> Any:
    """Return where polars keeps its default provider, if it is loaded."""
    return sys.modules.get("polars.io.cloud.credential_provider._builder") if "polars" in sys.modules else None


def _set_polars(provider: Any) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # polars calls its own setting unstable
        sys.modules["polars"].Config.set_default_credential_provider(provider)


# Hands for libraries that keep a client in a module or a class.


def _to_renew(held: Any) -> bool:
    """Whether a client that a library keeps is of an account that was in use, or was made when there was none."""
    return bound_of(held) is not None or lacks_credentials(held)


def _cloudpathlib(module: Any) -> None:
    classes = [module.Client]
    for cls in classes:
        classes += cls.__subclasses__()
        default = vars(cls).get("_default_client")
        if default is not None and _to_renew(getattr(default, "client", None)):
            cls._default_client = None


def _s3path(module: Any) -> None:
    # Before Python 3.12 it is another module that has it.
    known = getattr(module, "configuration_map", None) or module._s3_accessor.configuration_map  # noqa: SLF001 - no way
    for path, resource in (known.resources or {}).items():
        if _to_renew(resource):
            known.set_configuration(path, resource=known.default_resource)


def _pathy(module: Any) -> None:
    kept = vars(module)["_instance_cache"]
    if _to_renew(getattr(kept.get("s3"), "client", None)):
        del kept["s3"]


def _pynamodb(module: Any) -> None:
    classes = [module.Model]
    for cls in classes:
        classes += cls.__subclasses__()
        connection = getattr(vars(cls).get("_connection"), "connection", None)
        if connection is not None and _to_renew(getattr(connection, "_client", None)):
            cls._connection = None


def _powertools(module: Any) -> None:
    if any(_to_renew(getattr(one, "client", None)) for one in module.DEFAULT_PROVIDERS.values()):
        module.clear_caches()


def _osgeo(module: Any) -> None:
    module.VSICurlClearCache()


def _bundled_gdal(_module: Any) -> None:
    """
    Have GDAL forget listings, bytes and refusals that it read as another account.

    rasterio, pyogrio and fiona bring a GDAL of their own and no way to its function; where it is loaded from, the
    system says (Linux).
    """
    import ctypes

    with Path("/proc/self/maps").open(encoding="utf-8", errors="replace") as stream:
        paths = {line.split()[-1] for line in stream if "libgdal" in line}
    for path in paths:
        ctypes.CDLL(path).VSICurlClearCache()


_KEEPERS: dict[str, Callable[[Any], None]] = {
    "cloudpathlib.client": _cloudpathlib,
    "s3path.accessor": _s3path,
    "s3path.old_versions": _s3path,
    "pathy": _pathy,
    "pynamodb.models": _pynamodb,
    "aws_lambda_powertools.utilities.parameters.base": _powertools,
    "osgeo.gdal": _osgeo,
    "rasterio": _bundled_gdal,
    "pyogrio": _bundled_gdal,
    "fiona": _bundled_gdal,
}


# Packages whose caches are emptied above, or that make a client for each call: what they still hold, a person holds.
LOOKED_AFTER = frozenset(
    {"s3fs", "fsspec", "polars", "cloudpathlib", "s3path", "pathy", "pynamodb", "aws_lambda_powertools", "smart_open"}
)


def remaining_clients(packages: Mapping[str, str]) -> Iterator[str]:
    """Say which packages still work as another account."""
    for package, name in sorted(packages.items()):
        yield (
            f"{package} still works as {name}. To have it forget that, type "
            "`import cuaws_magic; cuaws_magic.forget_clients()`, or restart the kernel."
        )


def let_go(package: str, foreign: Callable[[Any], bool]) -> int:
    """
    Have a package forget the clients that its modules and classes keep; returns how many it kept.

    Args:
        package: Its name.

        foreign: Whether an object is a client or session of another account.
    """
    forgotten = 0
    for holder in _holders(package):
        for name, value in list(vars(holder).items()):
            if foreign(value):
                with contextlib.suppress(AttributeError, TypeError):
                    setattr(holder, name, None)
                    forgotten += 1
            elif isinstance(value, dict):
                for key in [key for key, one in value.items() if foreign(one)]:
                    del value[key]
                    forgotten += 1
            elif callable(getattr(value, "cache_clear", None)) and getattr(value, "__module__", "") == holder.__name__:
                value.cache_clear()
                forgotten += 1
    return forgotten


def _holders(package: str) -> Iterator[Any]:
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] != package or not hasattr(module, "__dict__"):
            continue
        yield module
        yield from [one for one in vars(module).values() if isinstance(one, type) and one.__module__ == name]


def _with_settings_of(default: Any) -> Any:
    """
    Return a boto3 session with what a person set on the default one: region, user agent, client configuration.

    `None` where nothing was set: boto3 makes such a default session itself, when it is asked.
    """
    if default is None:
        return None
    boto3, before = sys.modules["boto3"], default._session  # noqa: SLF001 - boto3 has no public way to its botocore session
    region, config = before.instance_variables().get("region"), before.get_default_client_config()
    made = boto3.Session(region_name=region)
    after = made._session  # noqa: SLF001 - as above
    if region is None and config is None and _user_agent(before) == _user_agent(after):
        return None
    after.user_agent_name, after.user_agent_version, after.user_agent_extra = _user_agent(before)
    if config is not None:
        after.set_default_client_config(config)
    return made


def _user_agent(session: Any) -> tuple[Any, Any, Any]:
    return session.user_agent_name, session.user_agent_version, session.user_agent_extra
