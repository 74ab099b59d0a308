"""
Credentials as text for other programs: the six formats of `aws configure export-credentials`.

Byte for byte what the AWS CLI writes (`awscli/customizations/configure/exportcreds.py`):
key id, secret, session token if there is one, expiration if there is one; Unix line
ends on every system; no region, no account id; the expiration as `isoformat()`, so
`+00:00` where other AWS files have `Z`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from cuaws_magic.model import Secret


class Exportable(Protocol):
    """What `RoleCredentials` have, and pasted or static keys may have in part."""

    @property
    def access_key_id(self) -> Secret:
        """The key's id."""

    @property
    def secret_access_key(self) -> Secret:
        """The key."""

    @property
    def session_token(self) -> Secret | None:
        """The third part of temporary credentials."""

    @property
    def expires_at(self) -> datetime | None:
        """When they end; `None` where that is not known."""


# One line of each format but `process`, as the AWS CLI's `_VAR_FORMAT`.
_LINES = {
    "env": "export {}={}",
    "env-no-export": "{}={}",
    "powershell": '$Env:{}="{}"',
    "windows-cmd": "set {}={}",
    "fish": 'set -gx {} "{}"',
}

FORMATS = ("process", *_LINES)


def export_text(credentials: Exportable, format_name: str) -> Secret:
    """
    Write credentials as another program reads them.

    Args:
        credentials: The set.

        format_name: One of `FORMATS`.
    """
    from cuaws_magic.model import Secret  # here, since `%load_ext` reads FORMATS

    facts = _facts(credentials)
    if format_name == "process":
        return Secret(json.dumps({"Version": 1} | {key: value for key, _, value in facts}, indent=2) + "\n")
    line = _LINES[format_name]
    return Secret("".join(line.format(variable, value) + "\n" for _, variable, value in facts))


def _facts(credentials: Exportable) -> list[tuple[str, str, str]]:
    """List key of `credential_process`, environment variable and value, in the CLI's order."""
    facts = [
        ("AccessKeyId", "AWS_ACCESS_KEY_ID", credentials.access_key_id.reveal()),
        ("SecretAccessKey", "AWS_SECRET_ACCESS_KEY", credentials.secret_access_key.reveal()),
    ]
    if credentials.session_token is not None:
        facts.append(("SessionToken", "AWS_SESSION_TOKEN", credentials.session_token.reveal()))
    if credentials.expires_at is not None:
        facts.append(("Expiration", "AWS_CREDENTIAL_EXPIRATION", credentials.expires_at.isoformat()))
    return facts
