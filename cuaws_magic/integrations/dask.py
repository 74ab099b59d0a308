"""
One account for all workers of a Dask cluster, now and later, renewed over the scheduler's connection.

    import cuaws_magic as cuaws
    cuaws.dask.share(client)

Workers need no way to AWS's portal, and nothing but botocore.
"""

from __future__ import annotations

import itertools
import sys
import threading
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cuaws_magic.commands.sessions import bound_to
from cuaws_magic.errors import ConfigurationError
from cuaws_magic.integrations import dask_worker
from cuaws_magic.views.render import Hint

if TYPE_CHECKING:
    from cuaws_magic.commands.context import Context
    from cuaws_magic.credentials.followers import Follower
    from cuaws_magic.model import Credentials
    from cuaws_magic.views.render import Display

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_NUMBERS = itertools.count(1)


@dataclass(eq=False)
class _Shared:
    account: str
    follower: Follower | None = None
    ended: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


_CLUSTERS: weakref.WeakKeyDictionary[Any, _Shared] = weakref.WeakKeyDictionary()


def share(context: Context, display: Display, client: Any, target: str | None, *, insecure: bool = False) -> Hint:
    """
    Give every worker of a cluster the credentials of one account, and each renewal of them.

    Args:
        client: A `distributed.Client`.

        target: As `use` takes it; `None` for the account in use.

        insecure: Send them although the connection to the scheduler is not encrypted.

    Raises:
        ConfigurationError: The connection is neither TLS nor loopback.

        CuawsError: There are no credentials for that account.
    """
    address = client.scheduler.address
    if not insecure and not _private(address):
        raise ConfigurationError(
            f"The connection to {address} is not encrypted, and credentials would go over it. Give the cluster TLS "
            "(`distributed.Security`), or call `share(client, insecure=True)` if you trust that network."
        )
    bound, region = bound_to(context, display, target)
    shared = _Shared(bound.source.account.name)

    def send(credentials: Credentials) -> None:
        with shared.lock:  # who takes the credentials back waits for a renewal that is on its way
            if not shared.ended:
                _send(client, credentials, region, shared.account)

    _end(_CLUSTERS.get(client))
    send(bound())
    shared.follower = context.credentials.followers.add(bound, lambda credentials: _try(send, credentials))
    _CLUSTERS[client] = shared
    if _stays not in context.credentials.remaining.remarks:
        context.credentials.remaining.remarks.append(_stays)
    return who(client)


def unshare(client: Any) -> Hint:
    """Take the credentials back from the scheduler and from all workers; what runs keeps its own until they end."""
    _end(_CLUSTERS.pop(client, None))
    client.unregister_worker_plugin(dask_worker.NAME)
    client.run(dask_worker.drop)  # a worker whose set came by another way
    return Hint("The cluster has no credentials of this kernel any more", ())


def _end(shared: _Shared | None) -> None:
    """Have no renewal of what was shared come any more, one that is under way neither."""
    if shared is not None:
        with shared.lock:
            shared.ended = True


def who(client: Any) -> Hint:
    """Say which workers have the credentials of which account; those that were missed get them."""
    shared = _CLUSTERS.get(client)
    has = client.run(dask_worker.account_here)
    by_account: dict[str, int] = {}
    for found in has.values():
        by_account[found[0] if found else "none"] = by_account.get(found[0] if found else "none", 0) + 1
    lines = tuple(f"{number} workers: {account}" for account, number in sorted(by_account.items()))
    name = shared.account if shared is not None else "no account"
    return Hint(f"The cluster acts as {name}", (*lines, "Workers that come later get the same."))


def _send(client: Any, credentials: Credentials, region: str, account: str) -> None:
    """Send a set to all workers, and have the scheduler give it to those that come."""
    variables = {
        "AWS_ACCESS_KEY_ID": credentials.access_key_id.reveal(),
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key.reveal(),
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
    }
    if credentials.session_token is not None:
        variables["AWS_SESSION_TOKEN"] = credentials.session_token.reveal()
    if credentials.expires_at is not None:
        variables["AWS_CREDENTIAL_EXPIRATION"] = credentials.expires_at.isoformat()
    number = next(_NUMBERS)
    plugin = _plugin(variables, account, number)
    client.register_plugin(plugin, name=dask_worker.NAME)
    # A worker that was just registering can be missed (distributed#7035).
    has = client.run(dask_worker.account_here)
    missed = [worker for worker, found in has.items() if found is None or found[1] < number]
    if missed:
        client.run(dask_worker.take, variables, account, number, workers=missed)


def _plugin(variables: dict[str, str], account: str, number: int) -> Any:
    """Make a plugin that is sent by value: the workers may not have this package."""
    import cloudpickle
    from distributed.diagnostics.plugin import WorkerPlugin

    if "cuaws_magic.integrations.dask_worker" not in cloudpickle.list_registry_pickle_by_value():
        cloudpickle.register_pickle_by_value(sys.modules["cuaws_magic.integrations.dask_worker"])
    made = type("CredentialsPlugin", (dask_worker.CredentialsPlugin, WorkerPlugin), {})
    return made(variables, account, number)


def _try(send: Any, credentials: Credentials) -> None:
    try:
        send(credentials)
    except Exception:  # noqa: BLE001 - a cluster that is closed, or a scheduler that is busy: the next renewal tries again
        return


def _private(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme in {"tls", "wss", "inproc"} or parts.hostname in _LOOPBACK


def _stays(name: str) -> list[str]:
    """Say which clusters stay with another account than the one of that name."""
    return [
        f"A Dask cluster stays with {shared.account}. `cuaws.dask.share(client)` gives it {name}."
        for shared in list(_CLUSTERS.values())
        if shared.account != name
    ]
