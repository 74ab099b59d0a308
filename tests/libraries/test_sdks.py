"""SDKs of other languages, and the AWS CLI, as child processes: with no key in the environment, or keys for Python."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aws_commands import COMMANDS

if TYPE_CHECKING:
    from conftest import Machine

BUILD = Path(__file__).parents[2] / "build"
JAVASCRIPT = BUILD / "javascript"

NEW = """
command = {command!r}
def act():
    return who_is(command, cwd={folder!r})
use(A)
note("under A", act)
use(B)
note("under B", act)
cuaws.release()
note("released", act)
"""

# A program that asks for its identity once a line, with one client.
LIVING = """
command = {command!r}
use(A)
process = subprocess.Popen(command, cwd={folder!r}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
def ask():
    process.stdin.write("\\n")
    process.stdin.flush()
    line = process.stdout.readline().strip()
    return NUMBERS.get(line, line)
note("at once", ask)
use(B)
time.sleep(8)
note("after its first keys, under B", ask)
process.kill()
process.wait()
"""

SCRIPT = """
const { STSClient, GetCallerIdentityCommand } = require("@aws-sdk/client-sts");
const client = new STSClient({ endpoint: process.env.AWS_ENDPOINT_URL_STS, region: "us-west-2" });
async function main() {
  if (process.argv[2] === "once") {
    console.log((await client.send(new GetCallerIdentityCommand({}))).Account);
    return;
  }
  const lines = require("readline").createInterface({ input: process.stdin });
  for await (const _ of lines) {
    try {
      console.log((await client.send(new GetCallerIdentityCommand({}))).Account);
    } catch (error) {
      console.log(String(error));
    }
  }
}
main().catch((error) => { console.error(String(error)); process.exit(1); });
"""


def node() -> str:
    """Node, with the SDK beside the script; what cannot be had skips a person's run and fails CI's."""
    found = shutil.which("node")
    if found is None or not (JAVASCRIPT / "node_modules" / "@aws-sdk" / "client-sts").is_dir():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(
            "no AWS SDK for JavaScript. Type `sh scripts/other_clients.sh`."
        )
    (JAVASCRIPT / "identity.js").write_text(SCRIPT)
    return str(found)


@pytest.mark.parametrize("way", ["auto", "endpoint"])
def test_the_sdk_for_javascript(machine: Machine, way: str) -> None:
    """A new process is the account in use; one that lives keeps its account beyond its first keys."""
    once = machine.run(NEW.format(command=[node(), "identity.js", "once"], folder=str(JAVASCRIPT)), WAY=way)
    living = machine.run(LIVING.format(command=[node(), "identity.js", "lines"], folder=str(JAVASCRIPT)), WAY=way)

    assert once.pop("released") not in {"A", "B"}
    assert (once["under A"], once["under B"]) == ("A", "B")
    assert living == {"at once": "A", "after its first keys, under B": "A"}


@pytest.mark.parametrize("aws", COMMANDS, ids=lambda aws: aws.documentation)
@pytest.mark.parametrize("way", ["auto", "env", "endpoint"])
def test_the_aws_cli(machine: Machine, aws, way: str) -> None:
    """`!aws sts get-caller-identity`."""
    if not aws.knows_endpoints:
        pytest.skip("this one cannot be led to the practice portal")
    command = [aws.path, "sts", "get-caller-identity", "--query", "Account", "--output", "text"]

    steps = machine.run(NEW.format(command=command, folder=str(machine.home)), WAY=way)

    assert steps.pop("released") not in {"A", "B"}
    assert (steps["under A"], steps["under B"]) == ("A", "B")


NATIVE = """
from pyarrow import fs
import obstore
from obstore.store import S3Store
def arrow(bucket):
    one = fs.S3FileSystem(endpoint_override=HOST, scheme="http", region="us-west-2")
    return one.open_input_file(f"{bucket}/t.csv").read().decode().split()[1]
use(A)
keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
STEPS["keys"] = [name for name in keys if name in os.environ]
note("C++", lambda: arrow("of-a"))
note("Rust", lambda: bytes(obstore.get(S3Store("of-a"), "t.csv").bytes()).decode().split()[1])
note("boto3", who)
use(B)
note("boto3 under B", who)
note("C++ under B", lambda: arrow("of-b"))
cuaws.release()
STEPS["left"] = [name for name in os.environ if name.startswith("AWS_CONTAINER")]
"""


def test_the_endpoint_alone(machine: Machine) -> None:
    """`--via endpoint`: no key in the environment, and native libraries and boto3 in the kernel work."""
    assert machine.run(NATIVE, WAY="endpoint") == {
        "keys": [],
        "C++": "A",
        "Rust": "A",
        "boto3": "A",
        "boto3 under B": "B",
        "C++ under B": "B",
        "left": [],
    }


AIOBOTO3 = """
import asyncio
import aioboto3

async def asked(session, bucket):
    async with session.client("s3") as client:
        answer = await client.get_object(Bucket=bucket, Key="t.csv")
        return (await answer["Body"].read()).decode().split()[1]

def ask(session, bucket):
    return asyncio.run(asked(session, bucket))

use(A)
old = aioboto3.Session()
note("under A", lambda: ask(old, "of-a"))
time.sleep(8)
note("after its first keys", lambda: ask(old, "of-a"))
use(B)
note("the old one under B", lambda: ask(old, "of-a"))
note("the old one, B's bucket", lambda: ask(old, "of-b"))
note("a new one", lambda: ask(aioboto3.Session(), "of-b"))
cuaws.release()
note("the old one after release", lambda: ask(old, "of-a"))
note("a new one after release", lambda: ask(aioboto3.Session(), "of-b"))
"""


def test_aioboto3(machine: Machine) -> None:
    """Its sessions keep their account too; with the older botocore and aiobotocore that it wants."""
    folder = BUILD / "aioboto3"
    if not (folder / "aioboto3").is_dir():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(
            "no aioboto3. Type `sh scripts/other_clients.sh`."
        )

    steps = machine.run(AIOBOTO3, PYTHONPATH=str(folder))

    assert steps.pop("a new one after release") not in {"A", "B"}
    assert steps == {
        "under A": "A",
        "after its first keys": "A",
        "the old one under B": "A",
        "the old one, B's bucket": "refused",
        "a new one": "B",
        "the old one after release": "A",
    }


TERMINAL = """
import pexpect
cuaws.configure()
cuaws.export(format="env", to=os.path.expanduser("~/keys.env"))
cuaws.release()
clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_") or "ENDPOINT" in name}
terminal = pexpect.spawn("bash", ["--norc", "--noprofile"], env=clean | {"PS1": "$ "}, encoding="utf-8", timeout=60)
def type(line):
    terminal.sendline(f"{line}; echo DO''NE")
    terminal.expect("DONE")
    return terminal.before
WHO = f"{os.path.dirname(sys.executable)}/aws sts get-caller-identity --query Account --output text --region us-west-2"
def who_there():
    return next(NUMBERS[word] for word in type(WHO).split() if word in NUMBERS)
type("export AWS_PROFILE=awsucob0myotheraccount")
note("with a profile", who_there)
type("unset AWS_PROFILE")
type("source keys.env")
note("with keys", who_there)
"""


def test_a_terminal_of_the_same_server(machine: Machine) -> None:
    """What `docs/libraries.md` tells to type in a terminal, typed in one."""
    steps = machine.run("use(A)\n" + TERMINAL)

    assert steps == {"with a profile": "B", "with keys": "A"}
