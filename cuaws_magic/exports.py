"""
Credentials as text for other programs: the six formats of `aws configure export-credentials`.

Byte for byte what the AWS CLI writes (`awscli/customizations/configure/exportcreds.py`):
key id, secret, session token if there is one, expiration if there is one; Unix line
ends on every system; no region, no account id; the expiration as `isoformat()`, so
`+00:00` where other AWS files have `Z`.
"""

from __future__ import annotations

import json
import re
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

# Key of `credential_process` and environment variable, in the CLI's order.
_NAMES = (
    ("AccessKeyId", "AWS_ACCESS_KEY_ID"),
    ("SecretAccessKey", "AWS_SECRET_ACCESS_KEY"),
    ("SessionToken", "AWS_SESSION_TOKEN"),
    ("Expiration", "AWS_CREDENTIAL_EXPIRATION"),
)


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


def is_export(text: str) -> bool:
    """
    Tell whether a text is credentials in one of the formats, and nothing else.

    Args:
        text: What a file has in it; an older export, or the AWS CLI's.
    """
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        lines = [line.strip() for line in text.split("\n") if line.strip()]
        return bool(lines) and any(all(form.fullmatch(line) for line in lines) for form in _whole_lines())
    return isinstance(read, dict) and "AccessKeyId" in read and read.keys() <= {"Version", *(key for key, _ in _NAMES)}


def _whole_lines() -> list[re.Pattern[str]]:
    """Return what a line of each format looks like."""
    names = "|".join(variable for _, variable in _NAMES)
    return [
        re.compile(re.escape(line).replace(r"\{\}", f"({names})", 1).replace(r"\{\}", r"[^\s\"]*", 1))
        for line in _LINES.values()
    ]


def _facts(credentials: Exportable) -> list[tuple[str, str, str]]:
    """List key of `credential_process`, environment variable and value, in the CLI's order."""
    token, ends_at = credentials.session_token, credentials.expires_at
    values = (
        credentials.access_key_id.reveal(),
        credentials.secret_access_key.reveal(),
        None if token is None else token.reveal(),
        None if ends_at is None else ends_at.isoformat(),
    )
    return [(*names, value) for names, value in zip(_NAMES, values, strict=True) if value is not None]
