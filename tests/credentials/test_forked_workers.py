"""Workers of a pool that was forked: connections and locks of their own, and the account that they asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from cuaws_magic.practice import PracticePortal

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

# The kernel works in one account; then each worker asks for another, many at a time.
POOL = """
import json, multiprocessing
import boto3
import cuaws_magic as cuaws

TARGETS = ["044444444444/Researcher", "555555555555/Researcher", "111111111111/MyRole", "222222222222/MyOtherRole"]

def work(target):
    exported = cuaws.export(target)
    keys = json.loads(exported.reveal())
    sts = boto3.client(
        "sts", region_name="us-west-2", aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"], aws_session_token=keys["SessionToken"],
    )
    return target, exported.account, sts.get_caller_identity()["Account"]

cuaws.use("044444444444/DataSteward")
with multiprocessing.get_context("fork").Pool(4) as pool:
    for target, said, is_of in pool.map(work, TARGETS * 3, chunksize=1):
        assert target[:12] == said == is_of, (target, said, is_of)
print("all right")
"""

# A child that is forked while a thread of its parent is in the middle of a question.
IN_THE_MIDDLE = """
import os, threading, time
import cuaws_magic as cuaws
from cuaws_magic.commands.context import the_context

cuaws.use("111111111111/MyRole")
app = the_context()
keys = app.credentials.current.credentials
ended = threading.Event()

def busy():
    while not ended.is_set():
        app.identity_center.caller_identity(keys, "us-west-2")

threading.Thread(target=busy, daemon=True).start()
for _ in range(8):
    child = os.fork()
    if child == 0:
        cuaws.use("222222222222/MyOtherRole")
        os._exit(0)
    until = time.monotonic() + 15
    while time.monotonic() < until:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            assert os.waitstatus_to_exitcode(status) == 0
            break
        time.sleep(0.02)
    else:
        os.kill(child, 9)
        raise SystemExit("a child hangs")
ended.set()
print("all right")
"""

# A child that is forked while the renewal thread waits for the program behind a profile.
IN_A_RENEWAL = """
import datetime, json, os, pathlib, sys, time
import cuaws_magic as cuaws
from cuaws_magic.commands.context import the_context

home = pathlib.Path.home()
keys = cuaws.export("111111111111/MyRole", format="process").reveal()
program = home / "program.py"
program.write_text(f'''
import datetime, json, os, time
if os.path.exists({str(home / "slow")!r}):
    time.sleep(3)
ends = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=6)
print(json.dumps(json.loads({keys!r}) | {{"Expiration": ends.isoformat(), "AccountId": "111111111111"}}))
''')
(home / ".aws" / "config").write_text(f"[profile program]\\ncredential_process = {sys.executable} {program}\\n")
cuaws.use("program")
(home / "slow").touch()
source = the_context().credentials.current.source
while not source._turn.locked():
    time.sleep(0.01)
child = os.fork()
if child == 0:
    (home / "slow").unlink()
    source.renew()
    os._exit(0)
until = time.monotonic() + 10
while time.monotonic() < until:
    pid, status = os.waitpid(child, os.WNOHANG)
    if pid:
        assert os.waitstatus_to_exitcode(status) == 0
        print("all right")
        break
    time.sleep(0.02)
else:
    os.kill(child, 9)
    raise SystemExit("the child hangs")
"""


@pytest.mark.parametrize(
    "code", [POOL, IN_THE_MIDDLE, IN_A_RENEWAL], ids=["a pool", "in the middle of a question", "in a renewal"]
)
def test_a_forked_worker_is_on_its_own(portal: PracticePortal, tmp_path: Path, code: str) -> None:
    """Nobody reads another's answers, and nobody waits for a lock that its parent held."""
    command = [sys.executable, "-W", "ignore:This process:DeprecationWarning", "-c", code]

    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100, cwd=tmp_path)

    assert (done.returncode, done.stdout) == (0, "all right\n"), done.stderr[-2000:]
