"""icechunk told to look into the environment: bound to the account in use, wherever and whenever it is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cuaws_magic.credentials import provider_functions
from cuaws_magic.errors import NoCredentials

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Machine

STORE = """
def storage():
    import icechunk
    places = dict(bucket="of-a", prefix="ice", region="us-west-2", endpoint_url=ENDPOINT, allow_http=True)
    return icechunk.s3_storage(**places, force_path_style=True, from_env=True)
def read(repository):
    import zarr
    return {1: "A"}[int(zarr.open_group(repository.readonly_session("main").store, mode="r")["x"][0])]
def made():
    import icechunk, numpy, zarr
    repository = icechunk.Repository.create(storage())
    session = repository.writable_session("main")
    zarr.create_array(session.store, name="x", data=numpy.array([1]))
    session.commit("first")
    return repository
# What another process does with a pickled store.
there = "import pickle, sys, zarr; store = pickle.loads(bytes.fromhex(sys.stdin.read()))\\n"
there += "print(int(zarr.open_group(store, mode='r')['x'][0]))"
"""


def test_imported_after_the_account_came_into_use(machine: Machine) -> None:
    """In the same cell even: what is opened then stays with the account."""
    steps = machine.run(
        STORE
        + """
use(A)
import sys
note("not there yet", lambda: "icechunk" in sys.modules)
repository = made()
use(B)
note("under B", lambda: read(repository))
"""
    )

    assert steps == {"not there yet": False, "under B": "A"}


def test_afterwards_it_is_as_it_was_found(machine: Machine) -> None:
    """`release` puts icechunk's own function back; keys that a person sets by hand are theirs."""
    steps = machine.run(
        STORE
        + """
import icechunk.credentials
found = icechunk.credentials.s3_from_env_credentials
use(A)
note("in use", lambda: icechunk.credentials.s3_from_env_credentials is found)
os.environ["AWS_ACCESS_KEY_ID"] = "AKIAOFMYOWN"
note("by hand", lambda: type(icechunk.credentials.s3_from_env_credentials()).__name__)
cuaws.release()
note("released", lambda: icechunk.credentials.s3_from_env_credentials is found)
"""
    )

    assert steps == {"in use": False, "by hand": "PyS3Credentials_FromEnv", "released": True}


def test_a_store_that_goes_to_another_process(machine: Machine) -> None:
    """There it finds what that process has, as it did without us; a child of this kernel has its account."""
    steps = machine.run(
        STORE
        + """
import pickle, subprocess, sys
use(A)
pickled = pickle.dumps(made().readonly_session("main").store)
def again():
    import zarr
    return int(zarr.open_group(pickle.loads(pickled), mode="r")["x"][0])
def child():
    done = subprocess.run([sys.executable, "-c", there], input=pickled.hex(), capture_output=True, text=True)
    return done.stdout.strip() or done.stderr[-400:]
note("a child", child)
note("here", again)
"""
    )

    assert steps == {"a child": "1", "here": 1}


def test_a_process_without_credentials(home: Path) -> None:
    """What stands there for the account's credentials says so; icechunk has its own words for it."""
    with pytest.raises(NoCredentials, match="There are no AWS credentials in this process"):
        provider_functions._again_or_environment("of another process")()
