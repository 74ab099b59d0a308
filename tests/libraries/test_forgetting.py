"""Packages that keep a client: they are named at `use`, and forget it when they are asked to."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Machine

# An artifact store as there are many: a client in the module, one in a class, one behind a cache.
KEEPER = """
import functools
import boto3

_client = None

def client():
    global _client
    if _client is None:
        _client = boto3.client("sts")
    return _client

class Store:
    _default = None

    @classmethod
    def default(cls):
        if cls._default is None:
            cls._default = boto3.client("sts")
        return cls._default

@functools.lru_cache
def cached():
    return boto3.client("sts")

REGISTRY = {}

def registered():
    return REGISTRY.setdefault("sts", boto3.client("sts"))
"""


@pytest.fixture
def keeper() -> Iterator[str]:
    """Such a package, installed for this test alone."""
    name = f"cuaws_test_keeper_{os.getpid()}"  # tests run beside each other
    path = Path(sysconfig.get_path("purelib")) / f"{name}.py"
    path.write_text(KEEPER)
    yield name
    path.unlink(missing_ok=True)


@pytest.mark.parametrize("way", ["client", "Store.default", "cached", "registered"])
def test_a_package_that_keeps_a_client(machine: Machine, keeper: str, way: str) -> None:
    """A line names it, `status` too; `forget_clients` has it begin anew; a person's own client is not named."""
    steps = machine.run(
        f"""
import {keeper} as keeper
use(A)
mine = boto3.client("sts")
note("under A", lambda: who(keeper.{way}()))
said = repr(cuaws.use(B))
STEPS["named at use"] = "{keeper} still works as awsucob0myaccount" in said
STEPS["named by status"] = "{keeper} still works as awsucob0myaccount" in repr(cuaws.status())
note("still", lambda: who(keeper.{way}()))
STEPS["forgotten"] = "{keeper} makes new clients" in repr(cuaws.forget_clients())
note("after that", lambda: who(keeper.{way}()))
note("mine", lambda: who(mine))
STEPS["named again"] = "still works" in repr(cuaws.status())
"""
    )

    assert steps == {
        "under A": "A",
        "named at use": True,
        "named by status": True,
        "still": "A",
        "forgotten": True,
        "after that": "B",
        "mine": "A",
        "named again": False,
    }


def test_nothing_is_named_where_nothing_is_kept(machine: Machine) -> None:
    """A client that a person holds, and one that nobody holds any more."""
    steps = machine.run(
        """
use(A)
mine = boto3.client("sts")
boto3.client("s3").list_buckets()
STEPS["said"] = "still works" in repr(cuaws.use(B))
STEPS["nothing"] = "nothing to forget" in repr(cuaws.forget_clients())
"""
    )

    assert steps == {"said": False, "nothing": True}
