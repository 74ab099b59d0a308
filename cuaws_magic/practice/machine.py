"""A machine that nobody uses: an empty home, nobody's settings, and the practice portal in AWS's place."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cuaws_magic.practice.portal import PracticePortal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from cuaws_magic.practice.knobs import Knobs

# What of the person's own settings could reach in: accounts, proxies, Jupyter's and IPython's files.
_SETTINGS = ("AWS_", "CUAWS_", "JUPYTER", "IPYTHON", "XDG_")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")

# The profiles of the guide, for clients that need one.
_CONFIG = """\
[sso-session fedauth]
sso_start_url = https://cuboulder.awsapps.com/start
sso_region = us-west-2
sso_registration_scopes = sso:account:access

[profile awsucob0myaccount]
sso_session = fedauth
sso_account_id = 111111111111
sso_role_name = MyRole
region = us-west-2

[profile awsucob0myotheraccount]
sso_session = fedauth
sso_account_id = 222222222222
sso_role_name = MyOtherRole
region = us-west-2
"""


@contextlib.contextmanager
def practice_machine(knobs: Knobs, *, profiles: bool = False) -> Iterator[PracticePortal]:
    """
    Make this process and the programs that it starts see such a machine.

    The environment stays so: it is for scripts, which end afterwards.

    Args:
        knobs: How the portal behaves.

        profiles: Put the guide's `~/.aws/config` into the home.
    """
    _end_as_by_ctrl_c(signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="cuaws-practice-", ignore_cleanup_errors=True))
        _enter(Path(folder))
        if profiles:
            config = Path(folder, ".aws", "config")
            config.parent.mkdir()
            config.write_text(_CONFIG, encoding="utf-8")
        portal = stack.enter_context(PracticePortal(knobs=knobs))
        os.environ.update(portal.environment)
        yield portal


def _enter(home: Path) -> None:
    for name in list(os.environ):
        if name.startswith(_SETTINGS) or name.upper() in _PROXIES:
            del os.environ[name]
    os.environ.update(
        HOME=str(home),
        USERPROFILE=str(home),
        AWS_EC2_METADATA_DISABLED="true",
        # `!aws` in a notebook is the one beside this Python.
        PATH=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
    )


def _end_as_by_ctrl_c(*numbers: int) -> None:
    def interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - as signal calls it
        raise KeyboardInterrupt

    for number in numbers:
        signal.signal(number, interrupt)
