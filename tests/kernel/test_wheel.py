"""The wheel alone in an empty environment: loads, signs in, and needs no practice portal of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cuaws_magic.practice import PracticePortal

_REPOSITORY = Path(__file__).parents[2]
_PATIENCE = 240  # seconds; mostly pip's

pytestmark = pytest.mark.skipif(
    not (_REPOSITORY / "pyproject.toml").is_file(), reason="the source is not beside these tests"
)


def _call(*command: str | Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    # In an activated environment IPython puts that one's packages beside its own.
    environ = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    return subprocess.run(
        list(map(str, command)),
        capture_output=True, text=True, timeout=_PATIENCE, check=False, cwd=cwd, env=environ | variables,
    )  # fmt: skip


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that `pip wheel .` builds."""
    folder = tmp_path_factory.mktemp("wheel")
    # The build backend is in this environment already, so nothing has to be fetched for it.
    done = subprocess.run(
        [
            sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
            "-w", folder, _REPOSITORY,
        ],
        capture_output=True, text=True, timeout=_PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel and what it asks for, nothing else."""
    folder = tmp_path_factory.mktemp("empty")
    venv.create(folder, with_pip=False)
    made = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = subprocess.run(
        [
            sys.executable, "-m", "pip", "--python", made, "install", "--quiet",
            "--constraint", _REPOSITORY / "requirements" / "dev.txt", wheel,
        ],
        capture_output=True, text=True, timeout=_PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return made


def test_wheel_signs_in_alone(python: Path, portal: PracticePortal, tmp_path: Path):
    """Load, login and use work there, without moto and without the practice portal."""
    script = (
        "%load_ext cuaws_magic\n"
        "%cuaws login\n"
        "in_use = %cuaws use awsucob0myaccount\n"
        "import boto3, importlib.util, sys\n"
        "print('account', boto3.client('sts').get_caller_identity()['Account'])\n"
        "print('moto', importlib.util.find_spec('moto'))\n"
        "print('practice', [name for name in sys.modules if name.startswith('cuaws_magic.practice')])\n"
    )

    done = _call(
        python, "-m", "IPython", "--colors=nocolor", "-c", script, cwd=tmp_path,
        IPYTHONDIR=str(tmp_path / "ipython"), **portal.environment,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Signed in for" in done.stdout
    assert "Using awsucob0myaccount (111111111111) as MyRole" in done.stdout
    assert "account 111111111111" in done.stdout
    assert "moto None" in done.stdout
    assert "practice []" in done.stdout


def test_practice_says_what_is_missing(python: Path, tmp_path: Path):
    """`cuaws-magic practice` there says in one line how to install the extra."""
    done = _call(python, "-m", "cuaws_magic", "practice", cwd=tmp_path)

    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "pip install" in line
    assert "cuaws_magic[practice]" in line.replace("-", "_")


def test_version_without_the_extra(python: Path, tmp_path: Path):
    """What needs no portal works without it: `--version`, and an unknown command is still a usage error."""
    version = _call(python, "-m", "cuaws_magic", "--version", cwd=tmp_path)
    unknown = _call(python, "-m", "cuaws_magic", "nosuch", cwd=tmp_path)

    assert version.returncode == 0
    assert unknown.returncode == 2
    assert "invalid choice" in unknown.stderr
