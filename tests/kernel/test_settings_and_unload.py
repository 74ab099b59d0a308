"""Which organisation a kernel means, and that unloading leaves no trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cuaws_magic.practice import PracticePortal

_CONFIG = """\
[sso-session fedauth]
sso_start_url = https://cuboulder.awsapps.com/start
sso_region = us-west-2

[sso-session work]
sso_start_url = https://work.awsapps.com/start
sso_region = us-east-1

[profile work-profile]
sso_session = work
sso_account_id = 111111111111
sso_role_name = MyRole
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with two organisations."""
    folder = tmp_path / "configured"
    (folder / ".aws").mkdir(parents=True)
    (folder / ".aws" / "config").write_text(_CONFIG)
    return folder


def _label(kernel) -> str:
    return str(kernel.value("__import__('cuaws_magic').status().sso_session.label"))


def test_default_is_cu(start_kernel: Callable):
    """With no setting at all it is CU Boulder."""
    kernel = start_kernel().load()

    cell = kernel.good("%cuaws")

    assert "CU Boulder · fedauth" in cell.text


@pytest.mark.parametrize(
    ("environment", "label"),
    [
        ({"CUAWS_SESSION": "work"}, "work"),
        ({"AWS_PROFILE": "work-profile"}, "work"),
        ({"AWS_PROFILE": "work-profile", "CUAWS_SESSION": "fedauth"}, "fedauth"),
        (
            {"CUAWS_START_URL": "https://third.awsapps.com/start", "CUAWS_SSO_REGION": "eu-west-1"},
            "https://third.awsapps.com/start",
        ),
    ],
    ids=lambda value: " ".join(value) or "nothing" if isinstance(value, dict) else "",
)
def test_environment_chooses(start_kernel: Callable, home: Path, environment: dict[str, str], label: str):
    """`CUAWS_*` and `AWS_PROFILE` choose the organisation, in that order."""
    kernel = start_kernel(home, **environment).load()

    assert _label(kernel) == label


def test_ipython_configuration_chooses(start_kernel: Callable, home: Path):
    """`c.CuawsMagics.session` is stronger than the environment; an argument is stronger still, and stays."""
    profile = home / ".ipython" / "profile_default"
    profile.mkdir(parents=True)
    (profile / "ipython_kernel_config.py").write_text("")
    (profile / "ipython_config.py").write_text(
        "c.CuawsMagics.session = 'work'\nc.CuawsMagics.region = 'eu-north-1'\n"
        "c.InteractiveShellApp.extensions = ['cuaws_magic']\n"
    )
    kernel = start_kernel(home, CUAWS_SESSION="fedauth")

    configured = kernel.good("%cuaws")
    use = kernel.good("%cuaws use awsucob0myaccount")
    kernel.good("%cuaws login --session fedauth")
    argued = kernel.good("%cuaws release\n%cuaws")

    assert "work.awsapps.com · work" in configured.text
    assert "eu-north-1" in use.text
    assert "CU Boulder · fedauth" in argued.text


def test_config_in_a_cell_holds_at_once(start_kernel: Callable, home: Path):
    """`%config CuawsMagics.…` counts after the first command as before it; an argument typed later is newer."""
    kernel = start_kernel(home).load()
    before = kernel.value("__import__('cuaws_magic').status().sso_session")
    kernel.good("%cuaws")

    kernel.good("%config CuawsMagics.session = 'work'\n%cuaws")
    after = _label(kernel)
    use = kernel.good("%config CuawsMagics.region = 'eu-north-1'\n%cuaws use awsucob0myaccount")

    assert before is None  # two of them, and nothing says which
    assert after == "work"
    assert "eu-north-1" in use.text


def test_a_later_organisation_replaces_the_earlier(start_kernel: Callable, home: Path):
    """`--session` after `--start-url` means that sso-session, not a mixture of both."""
    kernel = start_kernel(home).load()
    kernel.good("%cuaws login --start-url https://third.awsapps.com/start --sso-region eu-west-1")

    cell = kernel.good("%cuaws login --session work")

    assert "work.awsapps.com · work" in cell.text
    assert _label(kernel) == "work"


def test_argument_against_environment(start_kernel: Callable, home: Path):
    """`--session` is stronger than a start URL in the environment, as a whole."""
    variables = {"CUAWS_START_URL": "https://third.awsapps.com/start", "CUAWS_SSO_REGION": "eu-west-1"}
    kernel = start_kernel(home, **variables).load()

    cell = kernel.good("%cuaws login --session work")

    assert "work.awsapps.com · work" in cell.text


def test_unload_leaves_no_trace(start_kernel: Callable):
    """After `%unload_ext` the environment, magics and completion are as before; `%load_ext` works again."""
    kernel = start_kernel(AWS_REGION="eu-west-1")
    before = (
        "import os; before = (dict(os.environ), sorted(get_ipython().magics_manager.magics['line']), "
        "sorted(get_ipython().magics_manager.magics['cell']), "
        "sorted(get_ipython().strdispatchers['complete_command'].strs))"
    )
    kernel.good(before)
    kernel.load()
    kernel.good("%cuaws use awsucob0myaccount")

    kernel.good("%unload_ext cuaws_magic")
    kernel.good(before.replace("before", "after"))
    gone = kernel.run("%cuaws")
    kernel.load()
    reloaded = kernel.good("%cuaws use awsucob0myotheraccount")

    assert kernel.value("before == after")
    assert gone.status == "error"
    assert len(reloaded.outputs) == 1
    assert "Using awsucob0myotheraccount" in reloaded.text


def test_unload_ends_a_sign_in_behind(kernel, portal: PracticePortal):
    """A sign-in in the background ends with the extension, and its code leaves the page."""
    portal.knobs = type(portal.knobs)()
    cell = kernel.good("%cuaws login --no-wait")
    kernel.until(lambda: "Allow access" in cell.text)

    kernel.good("%unload_ext cuaws_magic")
    kernel.until(lambda: "Allow access" not in cell.text)

    assert "Sign-in cancelled" in cell.text


def test_loading_is_light(start_kernel: Callable):
    """`%load_ext` imports none of boto3, botocore, ipywidgets and nbformat."""
    kernel = start_kernel()
    heavy = "[name for name in ('boto3', 'botocore', 'ipywidgets', 'nbformat') if name in __import__('sys').modules]"
    before = kernel.value(heavy)

    kernel.load()

    assert kernel.value(heavy) == before == []
