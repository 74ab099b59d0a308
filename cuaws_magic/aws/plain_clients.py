"""
The requests of a first `use` without botocore's clients, which take longer to make than the requests to be answered.

For the plain case alone: where a setting changes how AWS is reached, botocore's own
clients ask (`clients`). What comes back is what theirs would give, errors too.
`tests/aws/test_plain_clients.py` compares both, request by request.
"""

from __future__ import annotations

import functools
import os
import re
import sys
import weakref
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

if TYPE_CHECKING:
    import http.client
    import ssl
    from collections.abc import Callable, Mapping

    from cuaws_magic.model import Credentials

CONNECT_TIMEOUT = 10  # seconds
READ_TIMEOUT = 20  # seconds
POOL_SIZE = 16  # connections kept open to one address

# Settings that change how AWS is reached, as botocore reads them; with any of them its own clients are used.
_CHANGES_THE_WAY = (
    "AWS_DATA_PATH",
    "AWS_DEFAULTS_MODE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_MAX_ATTEMPTS",
    "AWS_RETRY_MODE",
    "AWS_SDK_UA_APP_ID",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
)
# Of the partitions whose addresses all end in amazonaws.com.
_REGION = re.compile(r"(?:af|ap|ca|eu|il|me|mx|sa|us)(?:-gov)?-[a-z]{4,9}-[0-9]{1,2}", re.ASCII)


def endpoint(
    service: str, host: str, region: str, domain: str = "amazonaws.com", *, plain_profile: Callable[[], bool]
) -> str | None:
    """
    Return where a service is, if nothing but `AWS_ENDPOINT_URL` says how to reach it.

    Args:
        service: As in the variable's name: `SSO`, `STS`.

        host: As in AWS's own address: `portal.sso`, `sts`.

        region: Which one.

        domain: What AWS's own address ends in; `api.aws` for dual-stack ones.

        plain_profile: Whether the profile that counts has no settings for clients.

    Returns:
        `None` where botocore has to decide.
    """
    environ = os.environ
    if any(name in environ for name in _CHANGES_THE_WAY) or not _REGION.fullmatch(region):
        return None
    if environ.get("AWS_STS_REGIONAL_ENDPOINTS", "regional") != "regional" or not os.path.isfile(_bundle()):  # noqa: PTH113 - each time
        return None
    if _proxies() or not plain_profile():
        return None
    url = environ.get(f"AWS_ENDPOINT_URL_{service}") or environ.get("AWS_ENDPOINT_URL")
    if not url:
        return f"https://{host}.{region}.{domain}"
    parts = urlsplit(url)
    odd = parts.query or parts.fragment or "@" in parts.netloc or not parts.hostname or parts.path not in {"", "/"}
    return None if odd or parts.scheme not in {"http", "https"} else f"{parts.scheme}://{parts.netloc}"


def _proxies() -> dict[str, str]:
    from urllib.request import getproxies  # the system's settings too, on macOS and Windows

    return {kind: proxy for kind, proxy in getproxies().items() if kind != "no"}


class Connections:
    """
    Connections that stay open between requests, for any thread; closed with this object.

    Args:
        connect: Seconds to wait for a connection.

        read: Seconds to wait for an answer.
    """

    def __init__(self, connect: float | None = None, read: float | None = None) -> None:
        self._timeouts = (connect or CONNECT_TIMEOUT, read or READ_TIMEOUT)
        self._idle: dict[str, list[http.client.HTTPConnection]] = {}
        weakref.finalize(self, _close, self._idle)

    def send(
        self, method: str, origin: str, target: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """
        Send one request that may be sent twice without harm.

        Args:
            origin: Scheme, host and port.

            target: Path and query.

        Returns:
            Status, headers by lower-case name, content.

        Raises:
            HTTPClientError: There is no answer; one of botocore's kinds of it.
        """
        import http.client

        idle = self._idle.setdefault(origin, [])
        while True:
            try:
                connection, used = idle.pop(), True
            except IndexError:
                connection, used = _connected(origin, f"{origin}{target}", *self._timeouts), False
            try:
                connection.request(method, target, body, {"User-Agent": _user_agent(), **headers})
                answer = connection.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                if used and not isinstance(error, TimeoutError):
                    continue  # the service has closed it meanwhile
                raise _as_botocore(error, f"{origin}{target}") from None
            except BaseException:
                connection.close()
                raise
            if answer.will_close or len(idle) >= POOL_SIZE:
                connection.close()
            else:
                idle.append(connection)
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content


def _close(idle: dict[str, list[http.client.HTTPConnection]]) -> None:
    for connections in idle.values():
        for connection in connections:
            connection.close()


def _connected(origin: str, url: str, connect: float, read: float) -> http.client.HTTPConnection:
    import http.client

    scheme, _, authority = origin.partition("://")
    connection = (
        http.client.HTTPSConnection(authority, timeout=connect, context=_tls(_bundle()))
        if scheme == "https"
        else http.client.HTTPConnection(authority, timeout=connect)
    )
    connection.set_debuglevel(0)  # whoever watches their own requests that way would print our secrets
    try:
        connection.connect()
    except OSError as error:
        connection.close()
        raise _as_botocore(error, url, connecting=True) from None
    connection.sock.settimeout(read)
    return connection


def _bundle() -> str:
    """
    Return the file of certificates to trust: the one that is set, certifi's where it is installed, else botocore's.

    So `botocore.httpsession` does it; what a profile says of it makes the profile not a plain one.
    """
    said = os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE")
    if said:
        return said
    try:
        import certifi
    except ImportError:
        import botocore

        return os.path.join(os.path.dirname(botocore.__file__), "cacert.pem")  # noqa: PTH118, PTH120 - as botocore
    return certifi.where()


@functools.lru_cache(maxsize=4)
def _tls(bundle: str) -> ssl.SSLContext:
    import ssl

    return ssl.create_default_context(cafile=bundle)


def _as_botocore(error: Exception, url: str, *, connecting: bool = False) -> Exception:
    """Make botocore's error of a failed request, as its `URLLib3Session` does."""
    import ssl

    from botocore import exceptions

    kind: Any = exceptions.ConnectionClosedError
    if isinstance(error, ssl.SSLError):
        kind = exceptions.SSLError
    elif isinstance(error, TimeoutError):
        kind = exceptions.ConnectTimeoutError if connecting else exceptions.ReadTimeoutError
    elif connecting:
        kind = exceptions.EndpointConnectionError
    made: Exception = kind(endpoint_url=url, error=error, request=None)
    return made


def _user_agent() -> str:
    return f"cuaws-magic python/{sys.version_info.major}.{sys.version_info.minor}"


class PlainPortal:
    """
    The access portal, under the names of botocore's client `sso`.

    Args:
        connections: To send with.

        origin: Where the portal is.

        everything_else: Makes botocore's client, for operations that are not here.
    """

    def __init__(self, connections: Connections, origin: str, everything_else: Callable[[], Any]) -> None:
        self._connections = connections
        self._origin = origin
        self._everything_else = everything_else

    def __getattr__(self, name: str) -> Any:
        return getattr(self._everything_else(), name)

    def get_role_credentials(self, *, accessToken: str, accountId: str, roleName: str) -> dict[str, Any]:  # noqa: N803 - botocore's
        """Fetch credentials for a role (`GetRoleCredentials`)."""
        query = {"role_name": roleName, "account_id": accountId}
        return self._get("GetRoleCredentials", "/federation/credentials", accessToken, query)

    def list_accounts(self, *, accessToken: str, maxResults: int, nextToken: str | None = None) -> dict[str, Any]:  # noqa: N803 - botocore's
        """List a page of accounts (`ListAccounts`)."""
        query = {"next_token": nextToken, "max_result": maxResults}
        return self._get("ListAccounts", "/assignment/accounts", accessToken, query)

    def list_account_roles(
        self,
        *,
        accessToken: str,  # noqa: N803 - botocore's
        accountId: str,  # noqa: N803 - as above
        maxResults: int,  # noqa: N803 - as above
        nextToken: str | None = None,  # noqa: N803 - as above
    ) -> dict[str, Any]:
        """List a page of the roles in an account (`ListAccountRoles`)."""
        query = {"next_token": nextToken, "max_result": maxResults, "account_id": accountId}
        return self._get("ListAccountRoles", "/assignment/roles", accessToken, query)

    def _get(self, operation: str, path: str, bearer: str, query: Mapping[str, object]) -> dict[str, Any]:
        import json

        target = f"{path}?{urlencode({k: v for k, v in query.items() if v is not None}, quote_via=quote, safe='-._~')}"
        answer = self._connections.send("GET", self._origin, target, {"x-amz-sso_bearer_token": bearer})
        _refuse_errors(answer, "rest-json", operation)
        content = json.loads(answer[2])
        if not isinstance(content, dict):
            raise TypeError(operation)
        return content


class PlainSts:
    """
    STS, under the names of botocore's client `sts`, as one set of credentials.

    Args:
        connections: To send with.

        origin: Where STS is.

        region: Which one.

        credentials: As whom.
    """

    def __init__(self, connections: Connections, origin: str, region: str, credentials: Credentials) -> None:
        self._connections = connections
        self._origin = origin
        self._region = region
        self._credentials = credentials

    def get_caller_identity(self) -> dict[str, str]:
        """Ask who these credentials are (`GetCallerIdentity`)."""
        from datetime import datetime, timezone
        from xml.etree import ElementTree as ET

        body = b"Action=GetCallerIdentity&Version=2011-06-15"
        headers = signed(self._credentials, self._region, self._origin, body, datetime.now(timezone.utc))
        answer = self._connections.send("POST", self._origin, "/", headers, body)
        _refuse_errors(answer, "query", "GetCallerIdentity")
        try:
            found = ET.fromstring(answer[2])  # noqa: S314 - as botocore reads it
        except ET.ParseError:
            raise ValueError("GetCallerIdentity") from None
        texts = {element.tag.rpartition("}")[2]: element.text or "" for element in found.iter()}
        return {name: texts[name] for name in ("Account", "Arn", "UserId")}


def signed(credentials: Credentials, region: str, origin: str, body: bytes, now: Any) -> dict[str, str]:
    """
    Sign a POST to STS (AWS Signature Version 4); returns all headers but what the connection adds.

    Args:
        now: When, aware, UTC.
    """
    import hashlib
    import hmac

    moment = now.strftime("%Y%m%dT%H%M%SZ")
    headers = {
        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        "Host": origin.partition("://")[2],
        "X-Amz-Date": moment,
    }
    if credentials.session_token is not None:
        headers["X-Amz-Security-Token"] = credentials.session_token.reveal()
    lower = {name.lower(): value for name, value in sorted(headers.items(), key=lambda item: item[0].lower())}
    names = ";".join(lower)
    lines = [f"{name}:{value}" for name, value in lower.items()]
    canonical = "\n".join(["POST", "/", "", *lines, "", names, hashlib.sha256(body).hexdigest()])
    scope = f"{moment[:8]}/{region}/sts/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{credentials.secret_access_key.reveal()}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key_id.reveal()}/{scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    return headers


def _refuse_errors(answer: tuple[int, dict[str, str], bytes], protocol: str, operation: str) -> None:
    """Raise botocore's `ClientError` for an answer that is none, read by botocore's own parser."""
    status, headers, content = answer
    if status < 300:  # noqa: PLR2004 - as botocore.parsers
        return
    from botocore.awsrequest import HeadersDict
    from botocore.exceptions import ClientError
    from botocore.parsers import create_parser

    facts = {"status_code": status, "headers": HeadersDict(headers), "body": content}
    raise ClientError(create_parser(protocol).parse(facts, None), operation)
