"""Refresh tokens may be single use: twelve kernels of one home, and the AWS CLI beside them."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jupyter_client.manager import KernelManager

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cuaws_magic.practice import PracticePortal

KERNELS = 12
TOKEN_LIFE = 2  # seconds that an SSO token lives
LIFETIMES = 10
PATIENCE = 60.0  # seconds; more than anything here takes


class Kernels:
    """Real kernels, processes of their own, in one home."""

    def __init__(self, home: Path, number: int) -> None:
        self._stack = ExitStack()
        self.home = home
        log = self._stack.enter_context((home / "kernels.log").open("w"))
        # A short path: names of sockets may not be long.
        sockets = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="k"))
        managers = []
        for index in range(number):
            manager = KernelManager(kernel_name="python3", connection_file=str(home / f"kernel-{index}.json"))
            if os.name == "posix":
                # Ports are chosen before they are taken, and a kernel or portal beside this one may be faster.
                manager.transport, manager.ip = "ipc", f"{sockets}/{index}"
            manager.start_kernel(
                env=os.environ | {"IPYTHONDIR": str(home / f"ipython-{index}")}, stdout=log, stderr=log
            )
            self._stack.callback(manager.shutdown_kernel, now=True)
            managers.append(manager)
        self.clients = []
        for manager in managers:
            client = manager.client()
            client.start_channels()
            self._stack.callback(client.stop_channels)
            client.wait_for_ready(timeout=PATIENCE)
            self.clients.append(client)

    def run(self, code: str) -> list[str]:
        """Run a cell in all of them at the same time; returns what each printed."""
        asked = [client.execute(code, store_history=False) for client in self.clients]
        return [self._printed(client, message) for client, message in zip(self.clients, asked, strict=True)]

    def run_in_the_first(self, code: str) -> str:
        """Run a cell in the first of them, to its end."""
        return self._printed(self.clients[0], self.clients[0].execute(code, store_history=False))

    def _printed(self, client, message: str) -> str:
        text = ""
        while True:
            reply = client.get_iopub_msg(timeout=PATIENCE)
            if reply["parent_header"].get("msg_id") != message:
                continue
            if reply["msg_type"] == "stream":
                text += reply["content"]["text"]
            if reply["msg_type"] == "error":
                text += "ERROR " + reply["content"]["evalue"]
            if reply["msg_type"] == "status" and reply["content"]["execution_state"] == "idle":
                return text

    def close(self) -> None:
        self._stack.close()


@pytest.fixture
def kernels(home: Path, portal: PracticePortal) -> Iterator[Kernels]:
    """Twelve kernels with the extension loaded."""
    made = Kernels(home, KERNELS)
    with contextlib.closing(made):
        made.run("%load_ext cuaws_magic")
        yield made


def refreshes(portal: PracticePortal) -> list:
    return [call for call in portal.calls if call.operation == "CreateToken" and call.detail == "refresh_token"]


# Twice, so that workers share it: twenty lives of a token in all.
@pytest.mark.parametrize("half", ["first", "second"])
def test_twelve_kernels_live_through_ten_single_use_tokens(kernels: Kernels, portal: PracticePortal, half: str) -> None:
    """Nobody is signed out, and each SSO token is refreshed once, not twelve times."""
    portal.knobs = dataclasses.replace(portal.knobs, rotate_refresh_tokens=True, token_lifetime=TOKEN_LIFE)
    kernels.run("import cuaws_magic as cuaws")
    kernels.run_in_the_first("cuaws.login()")
    used = kernels.run("cuaws.use('awsucob0myaccount', verify=False); None")
    portal.clear_calls()
    began = time.monotonic()

    time.sleep(LIFETIMES * TOKEN_LIFE)
    took = time.monotonic() - began
    retry_after_sign_in = kernels.run("print(cuaws.whoami().account, cuaws.status().signed_in_until is not None)")

    calls = refreshes(portal)
    assert not [text for text in used if "ERROR" in text]
    assert [text.strip() for text in retry_after_sign_in] == ["111111111111 True"] * KERNELS
    assert [call.error for call in calls] == [None] * len(calls)  # no refresh token was used twice
    assert took / TOKEN_LIFE <= len(calls) <= took / TOKEN_LIFE * 2.2  # each is refreshed in the last third of its life
    assert min((later.at - earlier.at).total_seconds() for earlier, later in pairwise(calls)) > TOKEN_LIFE / 4
    assert portal.count("StartDeviceAuthorization") == 0


def test_the_aws_cli_beside_us_does_no_harm(home: Path, portal: PracticePortal) -> None:
    """It takes no lock and refreshes whenever it runs; a kernel whose refresh is refused looks at the file again."""
    (home / ".aws").mkdir()
    (home / ".aws" / "config").write_text(
        "[sso-session fedauth]\nsso_start_url = https://cuboulder.awsapps.com/start\nsso_region = us-west-2\n"
        "sso_registration_scopes = sso:account:access\n\n[profile awsucob0myaccount]\nsso_session = fedauth\n"
        "sso_account_id = 111111111111\nsso_role_name = MyRole\nregion = us-west-2\n"
    )
    portal.knobs = dataclasses.replace(portal.knobs, rotate_refresh_tokens=True, token_lifetime=9)
    kernels = Kernels(home, 2)
    ends = threading.Event()
    refused: list[str] = []

    def use_the_cli() -> None:
        aws = Path(sys.executable).with_name("aws")
        while not ends.is_set():
            ran = subprocess.run(
                [aws, "sts", "get-caller-identity", "--profile", "awsucob0myaccount", "--query", "Account"],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            if "111111111111" not in ran.stdout:
                refused.append(ran.stderr)

    with contextlib.closing(kernels):
        kernels.run("%load_ext cuaws_magic\nimport cuaws_magic as cuaws")
        kernels.run_in_the_first("cuaws.login()")
        kernels.run("cuaws.use('awsucob0myaccount', verify=False); None")
        cli = threading.Thread(target=use_the_cli)
        cli.start()
        answers = []
        for _ in range(12):
            time.sleep(1)
            answers += kernels.run("print(cuaws.status().signed_in_until is not None, cuaws.whoami().account)")
        ends.set()
        cli.join(PATIENCE)

    assert {answer.strip() for answer in answers} == {"True 111111111111"}
    assert portal.count("StartDeviceAuthorization") == 1
    assert len(refreshes(portal)) > 2
