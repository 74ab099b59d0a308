"""
`cuaws-magic credentials ACCOUNT/ROLE`: the program behind `credential_process` of a profile.

For tools that know no sso-session (R's paws, Julia's AWS.jl, old SDKs). It never asks a
person for anything: without a sign-in it fails with one line.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cuaws_magic.commands.context import Context
from cuaws_magic.commands.export import export_text
from cuaws_magic.credentials import cached_process
from cuaws_magic.errors import ConfigurationError, CuawsError
from cuaws_magic.model import Account, AccountRole
from cuaws_magic.settings import ACCOUNT_ID, Settings

if TYPE_CHECKING:
    from cuaws_magic.model import SsoSession


def print_credentials(target: str, session_name: str | None) -> int:
    """
    Print credentials as `credential_process` reads them; returns the exit status.

    Args:
        target: `ACCOUNT/ROLE`, the account by its id.

        session_name: Name of the `[sso-session]`; else the one that commands use.
    """
    try:
        context = Context(os.environ)
        sso_session = context.choice.sso_session(Settings(session=session_name))
        text = export_text(context.broker.credentials(_role(target, sso_session)), "process").reveal()
    except CuawsError as error:
        # In a terminal there is no magic.
        said = str(error).replace("`%cuaws login`", "`%cuaws login` in a notebook")
        print(said, file=sys.stderr)  # noqa: T201 - the command line's answer
        return 1
    sys.stdout.write(text)
    return 0


def _role(target: str, sso_session: SsoSession) -> AccountRole:
    account_id, _, role_name = target.partition("/")
    account_id = account_id.replace("-", "")
    if not ACCOUNT_ID.fullmatch(account_id) or not role_name:
        raise ConfigurationError(
            f"{target} is not the id of an account and a role. Type `cuaws-magic credentials 111111111111/MyRole`, "
            "for example."
        )
    return AccountRole(Account(account_id, account_id), role_name, sso_session)


def command_of(account_id: str, role_name: str, session_name: str) -> str:
    """Return what a profile has as its `credential_process`."""
    # Without `site` and the user's settings: Python's own start is most of what an answer from the cache takes.
    words = [sys.executable, "-IS", str(Path(cached_process.__file__)), f"{account_id}/{role_name}"]
    words += ["--session", session_name]
    return " ".join(f'"{word}"' if " " in word else word for word in words)
