"""An interrupt while botocore or boto3 is imported for us leaves no half of them behind."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from doubles import RecordingShow

# Presses the stop button as soon as a module is looked for, once.
PRESSED = """
import os, signal, sys
class Pressed:
    def find_spec(self, name, *_):
        if name == {module!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Pressed())
import cuaws_magic as cuaws
try:
    {action}
except KeyboardInterrupt as error:
    print("stopped")
import boto3
print(boto3.client("sts", region_name="us-west-2").meta.region_name)
cuaws.use("111111111111")
print(boto3.client("sts").get_caller_identity()["Account"])
print(cuaws.session("222222222222").client("sts").get_caller_identity()["Account"])
"""


@pytest.mark.skipif(os.name != "posix", reason="a signal to this process")
@pytest.mark.parametrize(
    ("module", "action"),
    [
        ("boto3.resources.factory", "cuaws.session('111111111111')"),
        ("boto3.resources.params", "cuaws.session('111111111111')"),
        ("botocore.tokens", "cuaws.session('111111111111')"),
        ("botocore.monitoring", "cuaws.login(force=True)"),
        ("botocore.tokens", "cuaws.login(force=True)"),
        ("botocore.tokens", "cuaws.whoami()"),
    ],
)
def test_everything_works_afterwards(app, portal, module, action):
    """The command is stopped, and what comes next has whole packages."""
    app.login(RecordingShow())

    done = subprocess.run(
        [sys.executable, "-c", PRESSED.format(module=module, action=action)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=dict(os.environ),
    )

    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["stopped", "us-west-2", "111111111111", "222222222222"]
