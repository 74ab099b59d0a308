"""`cuaws-magic autoload`: into the IPython profile and out again, with the rest of the file as it was."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from doubles import App, RecordingShow

from cuaws_magic.settings import Settings


def autoload(*words):
    return subprocess.run(
        [sys.executable, "-m", "cuaws_magic", "autoload", *words],
        capture_output=True, text=True, check=False, timeout=60, env=dict(os.environ),
    )  # fmt: skip


def ipython(code):
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner", "-c", code],
        capture_output=True, text=True, check=False, timeout=60, env=dict(os.environ) | {"TERM": "dumb"},
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.fixture
def profile(home):
    return home / ".ipython" / "profile_default" / "ipython_config.py"


def test_every_kernel_has_it_then(profile, portal):
    """Written once, however often it is asked for; without a request before the first command."""
    said = autoload()
    autoload("--account", "awsucob0myaccount")
    portal.clear_calls()

    text = ipython("%cuaws")

    assert f"Written to {profile}" in said.stdout
    assert profile.read_text().count("extensions.append") == 1
    assert "CU Boulder · fedauth" in text
    assert portal.calls == []


def test_it_is_taken_out_again(profile):
    """What else is in the file stays, byte for byte."""
    profile.parent.mkdir(parents=True)
    mine = "c = get_config()\nc.TerminalInteractiveShell.confirm_exit = False\n"
    profile.write_text(mine)

    autoload()
    with_it = profile.read_text()
    removed = autoload("--remove")
    again = autoload("--remove")

    assert with_it.startswith(mine)
    assert profile.read_text() == mine
    assert "not load cuaws_magic any more" in removed.stdout
    assert "nothing was changed" in again.stdout


def test_a_profile_that_cannot_be_read(profile):
    """One line, exit 1, and the file as it was."""
    profile.parent.mkdir(parents=True)
    profile.write_bytes(b"\xff\xfe")

    done = autoload()

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert profile.read_bytes() == b"\xff\xfe"


def test_the_account_is_what_use_alone_means(app: App):
    """Until something was used."""
    app.choice.configure(Settings(account="awsucob0myotheraccount"))

    assert app.use(RecordingShow(), None).account == "222222222222"
    app.use(RecordingShow(), "awsucob0myaccount")
    assert app.use(RecordingShow(), None).account == "111111111111"
