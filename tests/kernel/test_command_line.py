"""`cuaws-magic` and `python -m cuaws_magic` as processes."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

import cuaws_magic

_PATIENCE = 30


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cuaws_magic", *arguments],
        capture_output=True, text=True, timeout=_PATIENCE, check=False, cwd=os.environ["HOME"],
    )  # fmt: skip


def test_practice_runs_until_ctrl_c():
    """`cuaws-magic practice` prints variables and a link, answers a client, and ends cleanly on Ctrl-C."""
    command = shutil.which("cuaws-magic", path=sysconfig.get_path("scripts"))
    assert command is not None
    process = subprocess.Popen(
        [command, "practice", "--approve-after", "1"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=os.environ["HOME"],
    )  # fmt: skip
    try:
        lines = []
        while not lines or "Then open" not in lines[-1]:
            lines.append(process.stdout.readline())
            assert lines[-1], process.stderr.read()
        printed = "".join(lines)
        variables = dict(re.findall(r'^export (\w+)="(.*)"$', printed, re.MULTILINE))

        client = boto3.Session().client(
            "sso-oidc",
            region_name="us-west-2",
            endpoint_url=variables["AWS_ENDPOINT_URL_SSO_OIDC"],
            config=Config(signature_version=UNSIGNED),
        )
        registered = client.register_client(clientName="botocore-client-fedauth", clientType="public")
        client.close()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=_PATIENCE)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()

    assert set(variables) == {
        "AWS_ENDPOINT_URL_SSO_OIDC", "AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL",
    }  # fmt: skip
    assert "it is not AWS" in printed
    assert f"Then open {variables['AWS_ENDPOINT_URL_SSO']}/" in printed
    assert registered["clientId"]
    assert (process.returncode, out, err) == (0, "", "")


def test_version():
    """`--version` says name and version."""
    done = _run("--version")

    assert (done.returncode, done.stdout) == (0, f"cuaws-magic {cuaws_magic.__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "says"), [(["nosuch"], "nosuch"), ([], "COMMAND"), (["practice", "--port", "x"], "x")]
)
def test_bad_arguments(arguments: list[str], says: str):
    """What is not understood is said on stderr with the usage, status 2."""
    done = _run(*arguments)

    assert done.returncode == 2
    assert "usage: cuaws-magic" in done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_tests_run_against_the_installed_package():
    """The package under test is the installed one, not the folder beside the tests."""
    assert Path(cuaws_magic.__file__).is_relative_to(sysconfig.get_path("purelib"))


def test_commands_without_the_practice_portal_do_not_import_it():
    """`cuaws-magic credentials` is started by other programs, each time they need credentials."""
    code = (
        "import sys; from cuaws_magic.__main__ import main\n"
        "try:\n    main(['credentials', 'nonsense'])\nfinally:\n"
        "    print([name for name in ('moto', 'cuaws_magic.practice', 'botocore.session') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)

    assert done.stdout == "[]\n", done.stderr
