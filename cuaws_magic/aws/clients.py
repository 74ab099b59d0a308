"""
Keeping our own questions out of everybody's logs.

At the level DEBUG botocore logs requests and answers whole: keys, SSO tokens, codes.
What a person's own clients log is theirs; what we ask for them is not to be read there.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import threading
from typing import TYPE_CHECKING, Any

from cuaws_magic.aws.plain_clients import CONNECT_TIMEOUT, Connections, PlainPortal, PlainSts, endpoint
from cuaws_magic.background import ForkSafeLock, import_whole
from cuaws_magic.model import Credentials, Secret, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_HERE = threading.local()
_LIBRARIES = ("botocore", "urllib3")


class _NotOurs(logging.Filter):
    """Lets through what other threads and libraries log, and this one outside of our questions."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not getattr(_HERE, "questions", 0) or record.name.partition(".")[0] not in _LIBRARIES


_NOT_OURS = _NotOurs()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Have botocore log nothing in this thread while the block runs."""
    # A filter holds for its own logger only, not for those below, and with our first question the libraries are
    # imported, which makes more: what those log still goes through the handlers that are there.
    for handler in logging.root.handlers:
        handler.addFilter(_NOT_OURS)  # once: it looks itself
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if name.partition(".")[0] in _LIBRARIES and isinstance(logger, logging.Logger):
            logger.addFilter(_NOT_OURS)
            for handler in logger.handlers:
                handler.addFilter(_NOT_OURS)
    _HERE.questions = getattr(_HERE, "questions", 0) + 1
    try:
        yield
    finally:
        _HERE.questions -= 1


# Settings that change where a client talks to; a client made under others is not reused.
_ROUTE = (
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_DEFAULTS_MODE",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_SSO",
    "AWS_ENDPOINT_URL_SSO_OIDC",
    "AWS_ENDPOINT_URL_STS",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_STS_REGIONAL_ENDPOINTS",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "REQUESTS_CA_BUNDLE",
    *(name for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY") for name in (proxy, proxy.lower())),
)


class BotoClients:
    """
    Botocore clients; one botocore session and one unsigned client per region and route.

    Args:
        found: A variable of the environment as it is without us. The profile that a
            person chose may say how to reach AWS, also while `use` has taken it out.

        plain_profile: Whether a profile, or else `[default]`, has no settings for clients;
            then what a first `use` asks is asked without them (`plain_clients`).
    """

    def __init__(
        self,
        found: Callable[[str], str | None] = os.environ.get,
        plain_profile: Callable[[str | None], bool] = lambda _: False,
    ) -> None:
        self._found = found
        self._plain_profile = plain_profile
        self._lock = ForkSafeLock()
        self.after_fork()

    def after_fork(self) -> None:
        """Start anew in a forked process: on a connection that both have, one would read the other's answers."""
        self._sessions: dict[tuple[object, ...], Any] = {}
        self._unsigned: dict[tuple[object, ...], Any] = {}
        self._connections = Connections()

    def unsigned(self, service: str, region: str, *, dual_stack: bool = False) -> Any:
        """Return a client of a service that takes no signature; safe from any thread."""
        import_whole("botocore.session")
        from botocore import UNSIGNED

        route = self._route()
        key = (service, region, dual_stack, *route)
        # An address that a setting names holds for both, as botocore has it.
        more = {"use_dualstack_endpoint": True} if dual_stack else {}
        with self._lock:
            if key not in self._unsigned:
                self._unsigned[key] = self._anonymous_session(route).create_client(
                    service, region_name=region, config=_config(signature_version=UNSIGNED, **more)
                )
            return self._unsigned[key]

    def portal(self, region: str, *, dual_stack: bool = False) -> Any:
        """Return a client of the access portal; safe from any thread."""
        domain = "api.aws" if dual_stack else "amazonaws.com"
        origin = self._endpoint("SSO", "portal.sso", region, self._profile(), domain)
        if origin is None:
            return self.unsigned("sso", region, dual_stack=dual_stack)
        return PlainPortal(self._connections, origin, lambda: self.unsigned("sso", region, dual_stack=dual_stack))

    def sts(self, credentials: Credentials | None, region: str, profile: str | None = None) -> Any:
        """
        Make an STS client: as these credentials, or as whatever the kernel's own chain finds.

        Args:
            profile: Whose settings say how to reach STS; else those of the profile that a person chose.
        """
        if credentials is None:
            return self._sts_of_the_chain(region)
        origin = self._endpoint("STS", "sts", region, profile or self._profile())
        if origin is not None:
            return PlainSts(self._connections, origin, region, credentials)
        token = credentials.session_token
        with self._lock:
            return self._anonymous_session(self._route(profile)).create_client(
                "sts",
                region_name=region,
                config=_config(),
                aws_access_key_id=credentials.access_key_id.reveal(),
                aws_secret_access_key=credentials.secret_access_key.reveal(),
                aws_session_token=token.reveal() if token is not None else None,
            )

    def _sts_of_the_chain(self, region: str) -> Any:
        """Make an STS client as whatever a new botocore session finds, which is what programs of this kernel find."""
        session = _session_class()()
        origin = self._endpoint("STS", "sts", region, session.profile)
        found = session.get_credentials() if origin is not None else None
        if origin is None or found is None:
            return session.create_client("sts", region_name=region, config=_config())
        keys = found.get_frozen_credentials()
        token = Secret(keys.token) if keys.token else None
        frozen = Credentials(None, Secret(keys.access_key), Secret(keys.secret_key), token, None, utc_now())
        return PlainSts(self._connections, origin, region, frozen)

    def date(self, service: str, region: str, patience: float) -> tuple[str, str | None]:
        """
        Ask a service for nothing; works although the AWS files do not parse.

        Args:
            service: The service.

            region: Which one.

            patience: Seconds to wait for a connection, and again for an answer.

        Returns:
            Its address, and the `Date` header of what it answered.
        """
        origin = self._endpoint("SSO_OIDC", "oidc", region, self._profile()) if service == "sso-oidc" else None
        if origin is not None:
            return origin, Connections(patience, patience).send("GET", origin, "/", {})[1].get("date")
        import_whole("botocore.session")
        import botocore.session
        from botocore.exceptions import ConfigParseError, ProfileNotFound

        try:
            made = botocore.session.Session()
            made.get_scoped_config()
        except (ConfigParseError, ProfileNotFound):
            nowhere = {"profile": (None, None, None, None), "config_file": (None, None, os.devnull, None)}
            made = botocore.session.Session(session_vars=nowhere)
        made.register_component("credential_provider", _Nobody())
        client = made.create_client(service, region_name=region, config=_config())
        address: str = client.meta.endpoint_url
        answer = _sent(made, "GET", address, (patience, patience))
        return address, answer.headers.get("date")

    def page(self, method: str, address: str) -> tuple[int, str | None]:
        """Ask for a page the way AWS is reached (proxy, certificates); returns its status and `Location`."""
        with self._lock:
            made = self._anonymous_session(self._route())
        answer = _sent(made, method, address, (CONNECT_TIMEOUT, CONNECT_TIMEOUT))
        return answer.status_code, answer.headers.get("location")

    def _anonymous_session(self, route: tuple[str | None, ...]) -> Any:
        import_whole("botocore.session")
        import botocore.session

        if route not in self._sessions:
            made = botocore.session.Session(session_vars={"profile": (None, None, route[0], None)})
            # Botocore before 1.40 asked one STS for most regions; what a plain request asks is its own region's.
            if not (os.environ.get("AWS_STS_REGIONAL_ENDPOINTS") or _said(made, "sts_regional_endpoints")):
                made.set_config_variable("sts_regional_endpoints", "regional")
            # The chain would read files and ask the instance metadata service, for nothing.
            made.register_component("credential_provider", _Nobody())
            self._sessions[route] = made
        return self._sessions[route]

    def _endpoint(
        self, service: str, host: str, region: str, profile: str | None, domain: str = "amazonaws.com"
    ) -> str | None:
        return endpoint(service, host, region, domain, plain_profile=lambda: self._plain_profile(profile))

    def _route(self, profile: str | None = None) -> tuple[str | None, ...]:
        """Return the profile, and the settings around it."""
        return (profile or self._profile(), *(os.environ.get(name) for name in _ROUTE))

    def _profile(self) -> str | None:
        """Return the profile that a person chose, in botocore's order."""
        return self._found("AWS_DEFAULT_PROFILE") or self._found("AWS_PROFILE") or None


@functools.cache
def _session_class() -> Any:
    import_whole("botocore.session")
    import botocore.session

    class Session(botocore.session.Session):  # type: ignore[misc]  # botocore has no types
        """Registers the handlers of clients, most of the time that a session takes, with the first client."""

        _has_handlers = False

        def __init__(self) -> None:
            super().__init__(include_builtin_handlers=False)

        def create_client(self, *given: Any, **named: Any) -> Any:
            if not self._has_handlers:
                self._has_handlers = True
                self._register_builtin_handlers(self._events)
            return super().create_client(*given, **named)

    return Session


class _Nobody:
    """A credential resolver that finds nothing."""

    def load_credentials(self) -> None:
        return None


def _said(made: Any, setting: str) -> object:
    """Return what the profile of a botocore session says of a setting."""
    from botocore.exceptions import ProfileNotFound

    try:
        return made.get_scoped_config().get(setting)
    except ProfileNotFound:
        return None


def _sent(made: Any, method: str, address: str, timeout: tuple[float, float]) -> Any:
    """Send one request as clients of a botocore session do; redirects are answers, not followed."""
    from botocore.awsrequest import AWSRequest
    from botocore.httpsession import URLLib3Session
    from botocore.utils import get_environ_proxies

    http = URLLib3Session(
        verify=made.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE") or True,
        proxies=get_environ_proxies(address),
        timeout=timeout,
    )
    try:
        return http.send(AWSRequest(method=method, url=address).prepare())
    finally:
        http.close()


def _config(**more: Any) -> Any:
    from botocore.config import Config

    return Config(
        connect_timeout=10,
        read_timeout=20,
        # `RateLimiter` asks again; two layers of retries would multiply.
        retries={"total_max_attempts": 1},
        max_pool_connections=16,
        user_agent_extra="cuaws-magic",
        **more,
    )
