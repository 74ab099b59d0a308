"""The `aws` commands of this machine: PyPI's v1, which is always there, and v2."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

# `scripts/aws_cli.sh` puts one there.
FETCHED = Path(__file__).parents[1] / "build" / "aws-cli" / "aws"


@dataclass(frozen=True)
class Aws:
    """An `aws` command."""

    path: str
    version: tuple[int, ...]

    @property
    def documentation(self) -> str:
        return f"aws {'.'.join(map(str, self.version))}"

    @property
    def knows_endpoints(self) -> bool:
        """Whether it can be led to the practice portal: v2 reads `AWS_ENDPOINT_URL_…` from 2.13 on."""
        return self.version[0] == 1 or self.version >= (2, 13)


def _available():
    pypi = str(Path(sys.executable).with_name("aws"))
    system = shutil.which("aws", path="/usr/local/bin:/usr/bin")
    found = {}
    for path in filter(None, (pypi, FETCHED.exists() and str(FETCHED), system)):
        printed = subprocess.run([path, "--version"], capture_output=True, text=True, check=True, timeout=60).stdout
        version = tuple(int(number) for number in re.match(r"aws-cli/(\d+)\.(\d+)\.(\d+)", printed).groups())
        found.setdefault(version, Aws(path, version))
    return [aws for aws in found.values() if aws.version[0] == 2 or aws.path == pypi]


COMMANDS = _available()


def newest_version_2():
    """Return a v2 that can be led to the practice portal; without one, skip a person's run and fail CI's."""
    newest = max(COMMANDS, key=lambda aws: aws.version)
    if newest.version >= (2, 13):
        return newest
    missing = "no AWS CLI v2 of 2.13 or later. Type `sh scripts/aws_cli.sh`."
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    return None


def run(*words, **more):
    environ = {**os.environ, "AWS_PAGER": "", **more}
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60, env=environ)
    return done.returncode, done.stdout.strip(), done.stderr.strip()


def python(code, **more):
    return run(sys.executable, "-c", code, **more)
