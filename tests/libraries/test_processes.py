"""Child processes: what is made anew is the account in use, what was made keeps its own, longer than its keys last."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Machine

PYTHON = "[sys.executable, '-c', CHILD]"

NEW = """
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
def cell(text):
    with capture_output() as captured:
        InteractiveShell.instance().run_cell(text)
    lines = captured.stdout.strip().splitlines()
    if not lines:
        raise RuntimeError(captured.stderr[-400:])
    return NUMBERS[lines[-1].strip()]
use(A)
note("under A", lambda: {who})
use(B)
note("under B", lambda: {who})
cuaws.release()
note("released", lambda: {who})
"""


@pytest.mark.parametrize(
    "who",
    [
        f"who_is({PYTHON})",
        "who_is(f'{sys.executable} -c \"{CHILD}\"', shell=True)",
        f"who_is({PYTHON}, env=os.environ.copy())",
        "NUMBERS[os.popen(f'{sys.executable} -c \"{CHILD}\"').read().strip()]",
        "cell('%%bash\\n' + f'{sys.executable} -c \"{CHILD}\"')",
        "cell('!' + f'{sys.executable} -c \"{CHILD}\"')",
    ],
    ids=["subprocess", "a shell", "a copy of the environment", "popen", "a cell of bash", "an exclamation mark"],
)
@pytest.mark.parametrize("way", ["auto", "env", "endpoint"])
def test_a_new_child_is_the_account_in_use(machine: Machine, who: str, way: str) -> None:
    """Under A it is A, under B it is B, after `release` nobody."""
    steps = machine.run(NEW.format(who=who), WAY=way)

    assert steps.pop("released") not in {"A", "B"}
    assert steps == {"under A": "A", "under B": "B"}


LIVING = """
import tempfile
import textwrap
child = textwrap.dedent('''
import boto3, sys
client = boto3.client("sts")
for line in sys.stdin:
    try:
        print(client.get_caller_identity()["Account"], flush=True)
    except Exception as error:
        print(type(error).__name__, error, flush=True)
''')
use(A)
process = subprocess.Popen([sys.executable, "-c", child], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
def ask():
    process.stdin.write("\\n")
    process.stdin.flush()
    line = process.stdout.readline().strip()
    return NUMBERS.get(line, line)
note("at once", ask)
time.sleep(8)
note("after its first keys", ask)
use(B)
note("under B", ask)
time.sleep(7)
note("later", ask)
cuaws.release()
note("released", ask)
process.kill()
process.wait()
"""


def test_a_living_child_keeps_its_account_and_is_renewed(machine: Machine) -> None:
    """Longer than its first keys last, through a switch and after `release`."""
    steps = machine.run(LIVING)

    assert steps == dict.fromkeys(["at once", "after its first keys", "under B", "later", "released"], "A")


POOLS = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
import childs
use(A)
context = multiprocessing.get_context({method!r})
pool = ProcessPoolExecutor(1, mp_context=context)
note("at once", lambda: NUMBERS[pool.submit(childs.who).result(60)])
time.sleep(8)
note("after its first keys", lambda: NUMBERS[pool.submit(childs.who).result(60)])
use(B)
note("under B", lambda: NUMBERS[pool.submit(childs.who).result(60)])
new = ProcessPoolExecutor(1, mp_context=context)
note("a new pool under B", lambda: NUMBERS[new.submit(childs.who).result(60)])
cuaws.release()
third = ProcessPoolExecutor(1, mp_context=context)
note("a new pool after release", lambda: NUMBERS[third.submit(childs.who).result(60)])
for one in (pool, new, third):
    one.shutdown(wait=False, cancel_futures=True)
"""
CHILDS = "import boto3\ndef who():\n    return boto3.client('sts').get_caller_identity()['Account']\n"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.skipif(os.name != "posix", reason="only `spawn` there")
def test_pools_of_processes(machine: Machine, method: str) -> None:
    """A pool made under A is A as long as it lives; a new one is the account in use, or nobody."""
    (machine.home / "childs.py").write_text(CHILDS)

    steps = machine.run(POOLS.format(method=method), PYTHONPATH=str(machine.home))

    assert steps.pop("a new pool after release") not in {"A", "B"}
    assert steps == {"at once": "A", "after its first keys": "A", "under B": "A", "a new pool under B": "B"}


GROWING = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
import childs
use(A)
pool = ProcessPoolExecutor(4, mp_context=multiprocessing.get_context({method!r}))
note("at once", lambda: NUMBERS[pool.submit(childs.who).result(60)])
use(B)
note("under B", lambda: sorted(NUMBERS[one.result(60)] for one in [pool.submit(childs.slow_who) for _ in range(6)]))
pool.shutdown(wait=False, cancel_futures=True)
"""


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_pool_does_not_grow_into_another_account(machine: Machine, method: str) -> None:
    """A pool made under A starts no worker of B: it goes on with those that it has."""
    (machine.home / "childs.py").write_text(
        CHILDS + "def slow_who():\n    import time\n    time.sleep(0.3)\n    return who()\n"
    )

    steps = machine.run(GROWING.format(method=method), PYTHONPATH=str(machine.home))

    assert steps == {"at once": "A", "under B": ["A"] * 6}


REPLACING = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
import childs
context = multiprocessing.get_context({method!r})
use(A)
pool = context.Pool(1, childs.mark, ("own initializer",), maxtasksperchild=1)
plain = context.Pool(1)
pools = [pool, plain]
note("at once", lambda: [NUMBERS[pool.apply(childs.who)], NUMBERS[plain.apply(childs.who)]])
if {method!r} != "fork" and sys.version_info >= (3, 11):
    executor = ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1)
    note("an executor", lambda: NUMBERS[executor.submit(childs.who).result(60)])
use(B)
note("under B", lambda: [NUMBERS[pool.apply(childs.who)] for _ in range(4)])
note("its own initializer", lambda: pool.apply(childs.marked))
def replaced():
    plain.apply_async(os._exit, (1,))
    time.sleep(1)
    return NUMBERS[plain.apply_async(childs.who).get(60)]
note("a worker in place of one that died", replaced)
note("a new pool", lambda: NUMBERS[context.Pool(1, maxtasksperchild=1).apply(childs.who)])
if {method!r} != "fork" and sys.version_info >= (3, 11):
    note("the executor under B", lambda: [NUMBERS[executor.submit(childs.who).result(60)] for _ in range(3)])
    executor.shutdown(wait=False, cancel_futures=True)
cuaws.release()
note("after release", lambda: [NUMBERS[pool.apply(childs.who)] for _ in range(3)])
note("the kernel itself", who)
for one in pools:
    one.terminate()
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.skipif(os.name != "posix", reason="only `spawn` there")
def test_a_pool_that_replaces_its_workers_stays_one_account(machine: Machine, method: str) -> None:
    """Workers that a pool of A starts under B, or when none is in use, begin as A; the pool's initializer runs too."""
    (machine.home / "childs.py").write_text(
        CHILDS + "MARK = []\ndef mark(text):\n    MARK.append(text)\ndef marked():\n    return MARK\n"
    )

    steps = machine.run(REPLACING.format(method=method), PYTHONPATH=str(machine.home))

    assert steps.pop("the kernel itself") not in {"A", "B"}
    if method != "fork" and sys.version_info >= (3, 11):
        assert steps.pop("an executor") == "A"
        assert steps.pop("the executor under B") == ["A"] * 3
    assert steps == {
        "at once": ["A", "A"],
        "under B": ["A"] * 4,
        "its own initializer": ["own initializer"],
        "a worker in place of one that died": "A",
        "a new pool": "B",
        "after release": ["A"] * 3,
    }


LOKY = """
from joblib import Parallel, delayed
import childs
def parallel(n):
    return sorted(NUMBERS[one] for one in Parallel(n_jobs=n)(delayed(childs.who)() for _ in range(2 * n)))
use(A)
note("at once", lambda: parallel(2))
time.sleep(8)
note("after its first keys", lambda: parallel(2))
use(B)
note("under B", lambda: parallel(2))
note("more under B", lambda: parallel(3))
cuaws.release()
note("released", lambda: parallel(2))
"""


def test_joblib(machine: Machine) -> None:
    """Its idle workers end with the account and with its keys: what is run is the account in use, all of it."""
    (machine.home / "childs.py").write_text(CHILDS)

    steps = machine.run(LOKY, PYTHONPATH=str(machine.home))

    assert isinstance(steps.pop("released"), str)
    assert steps == {
        "at once": ["A"] * 4,
        "after its first keys": ["A"] * 4,
        "under B": ["B"] * 4,
        "more under B": ["B"] * 6,
    }


BUSY_LOKY = """
import threading
from joblib import Parallel, delayed
from joblib.externals.loky import reusable_executor
import childs
use(A)
busy = threading.Thread(target=lambda: Parallel(n_jobs=2)(delayed(time.sleep)(4) for _ in range(2)))
busy.start()
while not getattr(reusable_executor._executor, "_pending_work_items", None): time.sleep(0.05)
line = [one for one in cuaws.use(B).notes if "joblib" in one]
note("at use B", lambda: line)
busy.join()
exec(line[0].split("`")[1])
note("then", lambda: sorted(NUMBERS[one] for one in Parallel(n_jobs=2)(delayed(childs.who)() for _ in range(4))))
note("said", lambda: [one for one in cuaws.status().notes if "joblib" in one])
"""


def test_busy_workers_of_joblib(machine: Machine) -> None:
    """Workers that are at work are named; what the line says to type ends them, and what runs then is B."""
    (machine.home / "childs.py").write_text(CHILDS)

    steps = machine.run(BUSY_LOKY, PYTHONPATH=str(machine.home))

    (line,) = steps.pop("at use B")
    assert line.startswith("joblib workers are still running as awsucob0myaccount.")
    assert steps == {"then": ["B"] * 4, "said": []}


THREADS = """
from concurrent.futures import ThreadPoolExecutor
use(A)
pool = ThreadPoolExecutor(2)
client = boto3.client("sts")
note("under A", lambda: pool.submit(who).result())
use(B)
note("a new client under B", lambda: pool.submit(who).result())
note("the old one", lambda: pool.submit(who, client).result())
"""


def test_threads(machine: Machine) -> None:
    """A thread is no process: what it makes is the account in use, what it was given keeps its own."""
    assert machine.run(THREADS) == {"under A": "A", "a new client under B": "B", "the old one": "A"}


INHERITED = """
secrets = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
def inherited():
    code = "import json, os; print(json.dumps(dict(os.environ)))"
    return json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout)
before = inherited()
use(A)
keys = {os.environ[name] for name in secrets}
STEPS["keys are inherited"] = bool(keys & set(inherited().values()))
time.sleep(3)
keys |= {os.environ[name] for name in secrets}
STEPS["keys are inherited after a renewal"] = bool(keys & set(inherited().values()))
STEPS["renewed"] = len(keys) > 3
cuaws.release()
STEPS["as before"] = inherited() == before == dict(os.environ)
"""


def test_nothing_secret_is_inherited(machine: Machine) -> None:
    """Neither at first nor after a renewal in another thread; afterwards what is inherited is as it was."""
    assert machine.run(INHERITED) == {
        "keys are inherited": False,
        "keys are inherited after a renewal": False,
        "renewed": True,
        "as before": True,
    }


def test_all_of_it_with_keys_everywhere(machine: Machine) -> None:
    """`--via env` gives every program keys."""
    assert machine.run(INHERITED, WAY="env") == {
        "keys are inherited": True,
        "keys are inherited after a renewal": True,
        "renewed": True,
        "as before": True,
    }


POD = """
os.environ |= {
    "AWS_ROLE_ARN": "arn:aws:iam::999999999999:role/pod",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/secrets/token",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/x",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/pod",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN": "of-the-pod",
}
def of_the_pod():
    code = "import json, os; print(json.dumps({k: v for k, v in os.environ.items() if k.startswith('AWS_')}))"
    return json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout)
before = of_the_pod()
use(A)
note("under A", lambda: who_is([sys.executable, "-c", CHILD]))
STEPS["of the pod in os.environ"] = os.environ.get("AWS_ROLE_ARN")
cuaws.release()
STEPS["as before"] = of_the_pod() == before
"""


@pytest.mark.parametrize("way", ["auto", "endpoint"])
def test_the_role_of_a_pod_does_not_win(machine: Machine, way: str) -> None:
    """What EKS and ECS set is taken out for child processes, and put back."""
    steps = machine.run(POD, WAY=way)

    assert steps == {
        "under A": "A",
        "of the pod in os.environ": "arn:aws:iam::999999999999:role/pod" if way == "auto" else None,
        "as before": True,
    }


BY_HAND = """
from cuaws_magic.commands.context import the_context
keys = json.loads(cuaws.export("222222222222/MyOtherRole", format="process").reveal())
use(A)
os.environ["AWS_ACCESS_KEY_ID"] = keys["AccessKeyId"]
os.environ["AWS_SECRET_ACCESS_KEY"] = keys["SecretAccessKey"]
os.environ["AWS_SESSION_TOKEN"] = keys["SessionToken"]
note("keys of B", lambda: who_is([sys.executable, "-c", CHILD]))
the_context().hints.before()
note("in the next cell", lambda: who_is([sys.executable, "-c", CHILD]))
for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
    del os.environ[name]
the_context().hints.before()
note("taken out", lambda: who_is([sys.executable, "-c", CHILD]))
use(A)
note("used again", lambda: who_is([sys.executable, "-c", CHILD]))
"""


def test_what_a_person_sets_by_hand_reaches_their_child_processes(machine: Machine) -> None:
    """Keys that a person puts into `os.environ` win there too, and what a person takes out is not there either."""
    # Nobody renews them, and a slow machine takes its time to start four programs.
    machine.portal.knobs = replace(machine.portal.knobs, role_lifetime=3600)
    steps = machine.run(BY_HAND)

    assert steps.pop("taken out") not in {"A", "B"}
    assert steps == {"keys of B": "B", "in the next cell": "B", "used again": "A"}


DEFAULT = """
from pathlib import Path
home = Path.home() / ".aws"
home.mkdir(exist_ok=True)
(home / "credentials").write_text("[default]\\naws_access_key_id = AKIAX\\naws_secret_access_key = y\\n")
use(A)
note("a child", lambda: who_is([sys.executable, "-c", CHILD]))
STEPS["said"] = "[default]" in repr(cuaws.status())
(home / "credentials").write_text("[default]\\nregion = us-east-1\\n")
use(A)
note("without keys there", lambda: who_is([sys.executable, "-c", CHILD]))
STEPS["said then"] = "[default]" in repr(cuaws.status())
STEPS["served then"] = "get theirs from this kernel" in repr(cuaws.status())
"""


def test_a_default_profile_with_credentials(machine: Machine) -> None:
    """It would win over the endpoint in every SDK: keys stay in the environment then, and `status` says why."""
    assert machine.run(DEFAULT) == {
        "a child": "A",
        "said": True,
        "without keys there": "A",
        "said then": False,
        "served then": True,
    }


IPYPARALLEL = """
import ipyparallel
import childs
use(A)
cluster = ipyparallel.Cluster(n=1, log_level=40)
view = cluster.start_and_connect_sync(activate=False)[:]
note("at once", lambda: NUMBERS[view.apply_sync(childs.who)[0]])
time.sleep(8)
note("after its first keys", lambda: NUMBERS[view.apply_sync(childs.who)[0]])
use(B)
note("under B", lambda: NUMBERS[view.apply_sync(childs.who)[0]])
cluster.stop_cluster_sync()
"""


def test_ipyparallel(machine: Machine) -> None:
    """Engines keep their account and are renewed."""
    (machine.home / "childs.py").write_text(CHILDS)

    steps = machine.run(IPYPARALLEL, PYTHONPATH=str(machine.home))

    assert steps == {"at once": "A", "after its first keys": "A", "under B": "A"}


RAY = """
import logging
import ray
import childs
def start():
    ray.init(num_cpus=1, log_to_driver=False, include_dashboard=False, logging_level=logging.ERROR)
    return ray.remote(childs.who)
use(A)
who_there = start()
note("at once", lambda: NUMBERS[ray.get(who_there.remote(), timeout=60)])
time.sleep(8)
note("after its first keys", lambda: NUMBERS[ray.get(who_there.remote(), timeout=60)])
use(B)
note("under B", lambda: NUMBERS[ray.get(who_there.remote(), timeout=60)])
ray.shutdown()
who_there = start()
note("begun again under B", lambda: NUMBERS[ray.get(who_there.remote(), timeout=60)])
ray.shutdown()
"""


def test_ray(machine: Machine) -> None:
    """Workers keep their account and are renewed, until Ray is begun again."""
    ray = pytest.importorskip("ray", reason="there is no Ray for this Python")
    assert ray.__version__
    (machine.home / "childs.py").write_text(CHILDS)

    steps = machine.run(RAY, PYTHONPATH=str(machine.home))

    assert steps == {"at once": "A", "after its first keys": "A", "under B": "A", "begun again under B": "B"}
