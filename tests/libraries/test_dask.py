"""A Dask cluster that is given one account: all workers, those that come later, and every renewal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Machine

CLUSTER = """
import logging
logging.disable(logging.CRITICAL)
import dask, distributed
from pathlib import Path
# Workers as on another machine: nothing in their environment, no home with a sign-in.
dask.config.set({"distributed.worker.daemon": True})
def cluster(workers):
    found = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("AWS_ACC")}
    return distributed.LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None)
def who_there(client, workers=None):
    def ask():
        import boto3
        return boto3.client("sts").get_caller_identity()["Account"]
    return sorted({NUMBERS.get(one, one) for one in client.run(ask, workers=workers).values()})
"""


def test_all_workers_act_as_one_account(machine: Machine) -> None:
    """Through a switch, renewals, workers that come later and one that is killed; `unshare` takes it back."""
    steps = machine.run(
        CLUSTER
        + """
with cluster(2) as one, distributed.Client(one) as client:
    use(A)
    STEPS["said"] = "2 workers: awsucob0myaccount" in repr(cuaws.dask.share(client))
    note("shared", lambda: who_there(client))
    STEPS["a line at use"] = "A Dask cluster stays with awsucob0myaccount" in repr(cuaws.use(B))
    note("under B", lambda: who_there(client))
    one.scale(3)
    client.wait_for_workers(3, timeout=60)
    note("with a worker that came later", lambda: who_there(client))
    def long():
        import boto3, time
        client, seen = boto3.client("sts"), []
        for _ in range(16):
            seen.append(client.get_caller_identity()["Account"])
            time.sleep(1)
        return seen
    seen = client.submit(long, pure=False).result(60)
    STEPS["a task longer than its keys"] = sorted({NUMBERS[number] for number in seen})
    pid = next(iter(client.run(os.getpid).values()))
    os.kill(pid, 9)
    time.sleep(3)
    client.wait_for_workers(3, timeout=60)
    time.sleep(1)
    note("with one that was killed", lambda: who_there(client))
    cuaws.dask.unshare(client)
    STEPS["unshared"] = who_there_now = list(set(map(str, client.run(
        lambda: "AWS_SESSION_TOKEN" in os.environ).values())))
"""
    )

    assert steps == {
        "said": True,
        "shared": ["A"],
        "a line at use": True,
        "under B": ["A"],
        "with a worker that came later": ["A"],
        "a task longer than its keys": ["A"],
        "with one that was killed": ["A"],
        "unshared": ["False"],
    }


def test_two_clusters_with_two_accounts(machine: Machine) -> None:
    """Each keeps its own."""
    steps = machine.run(
        CLUSTER
        + """
with cluster(1) as one, cluster(1) as two, distributed.Client(one) as first, distributed.Client(two) as second:
    use(A)
    cuaws.dask.share(first)
    cuaws.dask.share(second, B)
    time.sleep(8)
    note("first", lambda: who_there(first))
    note("second", lambda: who_there(second))
"""
    )

    assert steps == {"first": ["A"], "second": ["B"]}


def test_a_connection_that_is_not_encrypted(machine: Machine) -> None:
    """Credentials go over TLS or loopback only, unless a person says otherwise."""
    steps = machine.run(
        """
import types
use(A)
def refused():
    try:
        cuaws.dask.share(types.SimpleNamespace(scheduler=types.SimpleNamespace(address="tcp://10.0.0.1:8786")))
    except cuaws.CuawsError as error:
        return str(error)
note("refused", refused)
"""
    )

    assert steps["refused"].startswith("The connection to tcp://10.0.0.1:8786 is not encrypted")
    assert "insecure=True" in steps["refused"]
