"""A kernel of its own for each library: two accounts with a bucket each that only its owner may enter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from cuaws_magic.practice import Knobs, PracticePortal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LIFE = 6  # seconds that role credentials live here

# What a scenario has at hand, in a process of its own. Each step is written down; nothing is asserted there.
PREAMBLE = """
import json, os, subprocess, sys, time, warnings
warnings.filterwarnings("ignore")
import boto3
import cuaws_magic as cuaws

A, B = "awsucob0myaccount", "awsucob0myotheraccount"
NUMBERS = {"111111111111": "A", "222222222222": "B"}
ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
HOST = ENDPOINT.split("//")[1]
STEPS = {}

def use(account):
    cuaws.use(account, via=os.environ.get("WAY") or None)

def note(step, do):
    '''Write down what came of a step: its value, or in one word why there is none.'''
    try:
        STEPS[step] = do()
    except BaseException as error:
        text = f"{type(error).__name__}: {error} {error.__cause__} {error.__context__}"
        if os.environ.get("SAY"):
            print(step, text, file=sys.stderr)
        refused = ("AccessDenied", "403", "Forbidden", "ACCESS_DENIED", "Access Denied")
        nothing = ("No account is in use", "NoCredentials", "Unable to locate", "credential")
        if any(word in text for word in refused):
            STEPS[step] = "refused"
        elif any(word.lower() in text.lower() for word in nothing):
            STEPS[step] = "no credentials"
        else:
            STEPS[step] = text[:300]
    return STEPS[step]

def who(client=None):
    return NUMBERS[(client or boto3.client("sts")).get_caller_identity()["Account"]]

CHILD = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"

def who_is(command, **more):
    '''Return the account as which a command acts that prints the number.'''
    done = subprocess.run(command, capture_output=True, text=True, **more)
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        raise RuntimeError(done.stderr[-400:])
    return NUMBERS[lines[-1].strip()]

for account, bucket in ((B, "of-b"), (A, "of-a")):
    cuaws.use(account)
    s3 = boto3.client("s3")
    if not s3.list_buckets()["Buckets"]:  # of an earlier scenario of this machine
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_object(Bucket=bucket, Key="t.csv", Body=b"x\\n" + bucket[-1].upper().encode() + b"\\n")
del s3
boto3.DEFAULT_SESSION = None
cuaws.release()
"""

END = """
print("STEPS" + json.dumps(STEPS))
"""


class Machine:
    """A home and a practice portal; each scenario is a new Python process there."""

    def __init__(self, home: Path, portal: PracticePortal) -> None:
        self.home = home
        self.portal = portal

    def run(self, code: str, **environment: str) -> dict[str, Any]:
        """Run a scenario; returns its steps."""
        path = self.home / "scenario.py"
        # A file with a guard: multiprocessing's `spawn` imports the main module.
        body = textwrap.indent(PREAMBLE + textwrap.dedent(code) + END, "    ")
        path.write_text(f"if __name__ == '__main__':\n{body}", encoding="utf-8")
        done = subprocess.run(
            [sys.executable, str(path)],
            env=os.environ | {"AWS_ALLOW_HTTP": "true"} | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            cwd=self.home,
        )
        lines = [line for line in done.stdout.splitlines() if line.startswith("STEPS")]
        assert lines, done.stdout[-2000:] + done.stderr[-4000:]
        return json.loads(lines[-1][len("STEPS") :])


@pytest.fixture
def machine(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Machine]]:
    """Make a machine with a practice portal."""
    with PracticePortal(knobs=Knobs(approve_after=1, interval=1, role_lifetime=LIFE)) as portal:
        for name, value in portal.environment.items():
            monkeypatch.setenv(name, value)
        yield Machine(home, portal)
