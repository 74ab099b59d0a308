"""
What runs in a worker of Dask: its botocore clients and its environment get the credentials that were sent.

Sent by value, so that a worker needs nothing but botocore; imports nothing of this package.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any

NAME = "cuaws-magic"
_STATE = "_cuaws_magic_dask"  # on the `botocore` module: one place for every copy of this code in a process


class CredentialsPlugin:
    """
    A worker plugin of distributed; a newer one takes the older one's place, by its name.

    Args:
        variables: The environment variables of the set, keys among them; not shown.

        account: The account's name, for people.
    """

    name = NAME
    idempotent = False

    def __init__(self, variables: dict[str, str], account: str, number: int) -> None:
        self._variables = variables
        self.account = account
        self.number = number

    def __repr__(self) -> str:
        return f"CredentialsPlugin({self.account})"

    def setup(self, worker: Any) -> None:  # noqa: ARG002 - the protocol of distributed
        """Take the set (distributed calls this when a worker starts, and for each newer set)."""
        take(self._variables, self.account, self.number)

    def teardown(self, worker: Any) -> None:  # noqa: ARG002 - as above
        """Leave nothing; a newer set that has come meanwhile stays."""
        drop(self.number)


def take(variables: dict[str, str], account: str, number: int) -> None:
    """Put a set in use in this process."""
    import botocore

    state: dict[str, Any] = vars(botocore).setdefault(_STATE, {})
    if state.get("number", -1) > number:
        return
    if "found" not in state:
        state["found"] = {name: os.environ.get(name) for name in (*variables, "AWS_PROFILE", "AWS_SECURITY_TOKEN")}
        state["initializer"] = _initialize
        botocore.register_initializer(_initialize)
    state.update(variables=variables, account=account, number=number)
    for name in ("AWS_PROFILE", "AWS_SECURITY_TOKEN"):
        os.environ.pop(name, None)
    os.environ.update(variables)


def drop(number: int | None = None) -> None:
    """Take the set out again, unless a newer one than that has come; clients that have it keep it until its end."""
    import botocore

    state: dict[str, Any] = vars(botocore).get(_STATE, {})
    if not state or (number is not None and state.get("number") != number):
        return
    with contextlib.suppress(ValueError):
        botocore.unregister_initializer(state["initializer"])
    for name, value in state["found"].items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    vars(botocore).pop(_STATE, None)


def account_here(dask_worker: Any = None) -> tuple[str, int] | None:  # noqa: ARG001 - `Client.run` gives it
    """Return the account that this process has, and the number of its set."""
    import botocore

    state: dict[str, Any] = vars(botocore).get(_STATE, {})
    return (state["account"], state["number"]) if state else None


def _initialize(session: Any) -> None:
    """Be in front of a botocore session's own chain."""
    if not any(base.__module__.startswith("aiobotocore.") for base in type(session).__mro__):
        session.register_component("credential_provider", _Resolver(session))


class _Resolver:
    def __init__(self, session: Any) -> None:
        self._session = session

    def load_credentials(self) -> Any:
        import botocore
        from botocore.credentials import RefreshableCredentials, create_credential_resolver

        state: dict[str, Any] = vars(botocore).get(_STATE, {})
        if not state or self._session.instance_variables().get("profile"):
            return create_credential_resolver(self._session).load_credentials()
        last = dict(state["variables"])

        def newest() -> dict[str, Any]:
            nonlocal last
            last = dict(vars(botocore).get(_STATE, {}).get("variables", last))
            return {
                "access_key": last["AWS_ACCESS_KEY_ID"],
                "secret_key": last["AWS_SECRET_ACCESS_KEY"],
                "token": last.get("AWS_SESSION_TOKEN"),
                "expiry_time": last.get("AWS_CREDENTIAL_EXPIRATION"),
            }

        if "AWS_CREDENTIAL_EXPIRATION" not in last:
            from botocore.credentials import Credentials

            found = newest()
            return Credentials(found["access_key"], found["secret_key"], found["token"], method=NAME)
        return RefreshableCredentials.create_from_metadata(newest(), refresh_using=newest, method=NAME)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        from botocore.credentials import create_credential_resolver

        return getattr(create_credential_resolver(self._session), name)
