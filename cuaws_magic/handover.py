"""
Handing credentials to programs that cannot fetch their own: `%cuaws export`.

Into a file, a variable, or, only when asked, onto the page. What is handed over is a
copy that nobody renews; the card says until when it is good.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from cuaws_magic import files, render
from cuaws_magic.errors import ConfigurationError, StorageError, TargetError
from cuaws_magic.exports import FORMATS, export_text, is_export
from cuaws_magic.model import Secret, utc_now
from cuaws_magic.results import View
from cuaws_magic.sources import RoleSource

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cuaws_magic.approval import Show
    from cuaws_magic.aws_files import AwsFiles
    from cuaws_magic.broker import Broker
    from cuaws_magic.kernel_credentials import KernelCredentials
    from cuaws_magic.model import AccountRole, Now
    from cuaws_magic.render import Bundle
    from cuaws_magic.sign_in_desk import SignInDesk
    from cuaws_magic.sources import Source

_LARGEST = 100_000  # characters that are looked at; an export has some two thousand
_LINKS = 40  # that lead from one to the next, as Linux allows


def _for_powershell(name: str) -> str:
    return "'" + name.replace("'", "''") + "'" if re.search(r"[^\w./:\\-]", name) else name


def _for_windows(name: str) -> str:
    return f'"{name}"' if " " in name else name


# What one does with each format, and how its program has a name quoted.
_READ_BY: dict[str, tuple[str, Callable[[str], str]]] = {
    "process": ("JSON, for `credential_process = cat {}` in ~/.aws/config", shlex.quote),
    "env": ("for bash and zsh: `source {}`", shlex.quote),
    "env-no-export": ("for Docker: `--env-file {}`", shlex.quote),
    "powershell": ("for PowerShell: `Get-Content {} | Out-String | Invoke-Expression`", _for_powershell),
    "windows-cmd": ("for the Windows command prompt, where its name ends in .cmd: `call {}`", _for_windows),
    "fish": ("for fish: `source {}`", shlex.quote),
}


@dataclass(frozen=True, repr=False)
class Exported(View):
    """
    Credentials that were handed over.

    Attributes:
        account: Account id, a string of twelve digits.

        account_name: Its name at the portal.

        role: The role.

        format: In which format.

        expires_at: When they end, if that is known; nobody renews them.

        path: The file that they are in, if it is one.

        variable: The variable that they are in, if it is one.
    """

    account: str
    account_name: str
    role: str
    format: str
    expires_at: datetime | None
    path: Path | None
    variable: str | None
    text: Secret = field(repr=False, compare=False)
    shown: bool
    at: datetime

    def reveal(self) -> str:
        """Return the text with the keys in it."""
        return self.text.reveal()

    def bundle(self) -> Bundle:
        """Return both faces; the keys only where a person asked to see them."""
        title = f"Exported {self.account_name} · {self.role}"
        rows = [
            ("Where", self._where()),
            ("Format", f"{self.format}, {self._read_by()}"),
            ("Good until", render.until(self.expires_at, self.at) if self.expires_at else "nobody said when they end"),
        ]
        notes = ["Exported keys are not renewed: after that, export again."]
        if self.shown:
            notes.append("These are keys: clear this output before you save or share the notebook.")
        plain = render.text(f"{title} ({self.account}).", rows, notes)
        body = render.facts(rows) + render.lines(notes)
        if self.shown:
            plain = f"{plain}\n\n{self.reveal()}".rstrip("\n")
            body += Markup(
                '<pre style="white-space:pre-wrap;overflow-wrap:anywhere;font-family:{};margin:8px 0 0">{}</pre>'
            ).format(render.MONO, self.reveal())
        return render.bundle(plain, render.card("good", title, self.account, body))

    def _read_by(self) -> str:
        words, quoted = _READ_BY[self.format]
        return words.format("FILE" if self.path is None else quoted(str(self.path)))

    def _where(self) -> str:
        if self.path is not None:
            return f"{self.path}, readable by you only"
        if self.variable is not None:
            return f"in the variable {self.variable}; printing it shows the keys"
        return "below" if self.shown else "in this value; its reveal() gives the text"


class Handover:
    """
    Exports.

    Args:
        credentials: Knows the account in use.

        broker: Where credentials come from.

        desk: Where a person signs in if that is needed.

        account_role: Says which account and role a TARGET means.

        aws_files: Which files are not to be overwritten.

        now: The current time, aware, UTC.
    """

    def __init__(
        self,
        credentials: KernelCredentials,
        broker: Broker,
        desk: SignInDesk,
        account_role: Callable[[Show, str], AccountRole],
        aws_files: AwsFiles,
        now: Now = utc_now,
    ) -> None:
        self._credentials = credentials
        self._broker = broker
        self._desk = desk
        self._account_role = account_role
        self._aws_files = aws_files
        self._now = now

    def export(
        self,
        show: Show,
        target: str | None,
        format_name: str,
        *,
        to: str | os.PathLike[str] | None = None,
        variable: str | None = None,
        shown: bool = False,
    ) -> Exported:
        """
        Export a target's credentials, or those of the account in use; the account in use stays.

        Args:
            show: Where the card of a sign-in goes.

            target: Profile, account name, account id, or one of them with `/role`.

            format_name: One of `exports.FORMATS`.

            to: A file for them, readable by its owner only; an earlier export in it is replaced.

            variable: The variable that the caller puts them into.

            shown: Whether the value may show them.

        Raises:
            ConfigurationError: There is no such format.

            TargetError: There is no such account, or none is in use.

            StorageError: The file cannot be written.

            CuawsError: There are no credentials.
        """
        if format_name not in FORMATS:
            raise ConfigurationError(f"There is no format {format_name}. Take one of: {', '.join(FORMATS)}.")
        path = None if to is None else self._writable(to)
        source = self._source(show, target)
        credentials = self._desk.answered(source.credentials, show)
        text = export_text(credentials, format_name)
        if path is not None:
            files.write_private(path, text.reveal().encode())
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
            at=self._now(),
        )

    def _source(self, show: Show, target: str | None) -> Source:
        if target is not None:
            return RoleSource(self._broker, self._account_role(show, target))
        current = self._credentials.current
        if current is None:
            raise TargetError(
                "No account is in use in this kernel. Type `%cuaws use ACCOUNT`, or name one: "
                "`%cuaws export ACCOUNT --to FILE`."
            )
        role = current.account_role
        return RoleSource(self._broker, role) if role is not None else current.source

    def _writable(self, to: str | os.PathLike[str]) -> Path:
        """Return the file that is meant, before anybody is asked for anything."""
        path = Path(os.path.expanduser(to))  # noqa: PTH111 - Path.expanduser raises where there is no home
        if not path.name or path.is_dir():
            raise StorageError(f"{path} is a folder. Name a file in it, then run the cell again.")
        if not path.parent.is_dir():
            raise StorageError(f"There is no folder {path.parent}. Make it, or name another file.")
        own = (self._aws_files.config_path, self._aws_files.credentials_path)
        if os.path.realpath(path) in {os.path.realpath(one) for one in own}:
            raise StorageError(
                f"{path} is a file of the AWS configuration, and an export would replace all of it. Name another file."
            )
        _refuse_foreign_link(path)
        _refuse_to_replace(path)
        return path


def _refuse_foreign_link(path: Path) -> None:
    """Refuse to follow a link that another user laid, in /tmp say: the keys would go where that user wants them."""
    link, followed = path, 0
    while os.name == "posix" and link.is_symlink() and followed < _LINKS:
        if link.lstat().st_uid != os.geteuid():
            raise StorageError(f"{path} is a link that another user made, so it is not followed. Name another file.")
        link, followed = link.parent / link.readlink(), followed + 1
    if followed == _LINKS:
        raise StorageError(f"{path} is a link that leads in a circle. Name another file.")


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
