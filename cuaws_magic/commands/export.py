"""
Handing credentials to programs that cannot fetch their own: `%cuaws export`.

Into a file, a variable, or, only when asked, onto the page. What is handed over is a
copy that nobody renews; the card says until when it is good.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from cuaws_magic import storage
from cuaws_magic.commands.use import resolved
from cuaws_magic.credentials.sources import RoleSource
from cuaws_magic.errors import ConfigurationError, StorageError, TargetError
from cuaws_magic.humanize import quoted
from cuaws_magic.settings import EXPORT_FORMATS
from cuaws_magic.views.export import Exported

if TYPE_CHECKING:
    from cuaws_magic.commands.context import Context
    from cuaws_magic.credentials.sources import Source
    from cuaws_magic.model import Credentials, Secret
    from cuaws_magic.views.render import Display

_LARGEST = 100_000  # characters that are looked at; an export has some two thousand


def export(
    context: Context,
    display: Display,
    target: str | None,
    format_name: str,
    *,
    to: str | os.PathLike[str] | None = None,
    variable: str | None = None,
    shown: bool = False,
    session: str | None = None,
) -> Exported:
    """
    Export a target's credentials, or those of the account in use; the account in use stays.

    Args:
        display: Where the card of a sign-in goes.

        target: Profile, account name, account id, or one of them with `/role`.

        format_name: One of `EXPORT_FORMATS`.

        to: A file for them, readable by its owner only; an earlier export in it is replaced.

        variable: The variable that the caller puts them into.

        shown: Whether the value may show them.

        session: The sign-in in which the target is looked up; otherwise in all that stand.

    Raises:
        ConfigurationError: There is no such format.

        TargetError: There is no such account, or none is in use.

        StorageError: The file cannot be written.

        CuawsError: There are no credentials.
    """
    if format_name not in EXPORT_FORMATS:
        raise ConfigurationError(f"There is no format {format_name}. Choose one of: {', '.join(EXPORT_FORMATS)}.")
    path = None if to is None else _writable(context, to)
    source = _source(context, display, target, session)
    credentials = context.approvals.retry_after_sign_in(source.credentials, display)
    text = export_text(credentials, format_name)
    if path is not None:
        storage.write_private(path, text.reveal().encode())
    return Exported(
        account=source.account.id,
        account_name=source.account.name,
        role=source.role_name,
        format=format_name,
        expires_at=credentials.expires_at,
        path=path,
        variable=variable,
        text=text,
        shown=shown,
        at=context.now(),
        production=context.settings.is_production(source.account.name),
    )


def _source(context: Context, display: Display, target: str | None, session: str | None) -> Source:
    if target is not None:
        return RoleSource(context.broker, resolved(context, display, target, session))
    if session is not None:
        raise TargetError(
            "`--session` says where an account is looked up. Name one too: "
            f"`%cuaws export ACCOUNT --session {quoted(session)} --to FILE`."
        )
    current = context.credentials.current
    if current is None:
        raise TargetError(
            "No account is in use in this kernel. Type `%cuaws use ACCOUNT`, or name one: "
            "`%cuaws export ACCOUNT --to FILE`."
        )
    role = current.account_role
    return RoleSource(context.broker, role) if role is not None else current.source


def _writable(context: Context, to: str | os.PathLike[str]) -> Path:
    """Return the file that is meant, before anybody is asked for anything."""
    path = Path(os.path.expanduser(to))  # noqa: PTH111 - Path.expanduser raises where there is no home
    if not path.name or path.is_dir():
        raise StorageError(f"{path} is a folder. Name a file in it, then run the cell again.")
    if not path.parent.is_dir():
        raise StorageError(f"There is no folder {path.parent}. Make it, or name another file.")
    own = (context.aws_files.config_path, context.aws_files.credentials_path)
    if os.path.realpath(path) in {os.path.realpath(one) for one in own}:
        raise StorageError(
            f"{path} is a file of the AWS configuration, and an export would replace all of it. Name another file."
        )
    storage.refuse_foreign_link(path)
    _refuse_to_replace(path)
    return path


def _refuse_to_replace(path: Path) -> None:
    """Refuse to replace what is not keys: there is no second copy of it."""
    if not path.exists():
        return
    text = None
    if path.is_file():
        with contextlib.suppress(OSError, UnicodeDecodeError), path.open(encoding="utf-8") as stream:
            text = stream.read(_LARGEST)
    if text is None or (text.strip() and not is_export(text)):
        raise StorageError(
            f"{path} is there already, and is not an earlier export: nothing was changed. "
            "Delete it if you do not need it, or name another file."
        )


# One line of each format but `process`, as the AWS CLI's `_VAR_FORMAT`.
_LINES = {
    "env": "export {}={}",
    "env-no-export": "{}={}",
    "powershell": '$Env:{}="{}"',
    "windows-cmd": "set {}={}",
    "fish": 'set -gx {} "{}"',
}

# Key of `credential_process` and environment variable, in the CLI's order.
_NAMES = (
    ("AccessKeyId", "AWS_ACCESS_KEY_ID"),
    ("SecretAccessKey", "AWS_SECRET_ACCESS_KEY"),
    ("SessionToken", "AWS_SESSION_TOKEN"),
    ("Expiration", "AWS_CREDENTIAL_EXPIRATION"),
)


def export_text(credentials: Credentials, format_name: str) -> Secret:
    """
    Write credentials as another program reads them.

    Args:
        credentials: The set.

        format_name: One of `EXPORT_FORMATS`.
    """
    from cuaws_magic.model import Secret

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


def _facts(credentials: Credentials) -> list[tuple[str, str, str]]:
    """List key of `credential_process`, environment variable and value, in the CLI's order."""
    token, ends_at = credentials.session_token, credentials.expires_at
    values = (
        credentials.access_key_id.reveal(),
        credentials.secret_access_key.reveal(),
        None if token is None else token.reveal(),
        None if ends_at is None else ends_at.isoformat(),
    )
    return [(*names, value) for names, value in zip(_NAMES, values, strict=True) if value is not None]
