"""
What was used last: in this notebook, else in this home; and what a notebook says that it is made for.

Nothing secret is remembered: an account, a role, a region. The kernel never writes a notebook.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cuaws_magic.credentials.sources import RoleSource
from cuaws_magic.errors import CuawsError
from cuaws_magic.humanize import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cuaws_magic.config.files import AwsFiles
    from cuaws_magic.credentials.in_use import InUseRole
    from cuaws_magic.model import AccountRole
    from cuaws_magic.state_store import StateStore

_KIND = "last"
_HOME = "home"
_KEPT = 8  # accounts that are remembered of a notebook
_LARGEST = 200_000_000  # bytes of a notebook that is looked into
_OPTIONAL = ("region", "session", "account_id")
_NOTEBOOK = "JPY_SESSION_NAME"  # Jupyter Server's: the path of the notebook of a kernel; sometimes an id


@dataclass(frozen=True, slots=True)
class Used:
    """
    An account as it was used.

    Attributes:
        target: What to use again: `ID/ROLE`, or the name of a profile.

        name: The account, for people.

        role: The role.

        region: Where clients went, if that was said.

        session: Name of the `[sso-session]`; `None` for the one that commands use.

        account_id: Its number, where that is known.
    """

    target: str
    name: str
    role: str
    region: str | None = None
    session: str | None = None
    account_id: str | None = None

    @property
    def label(self) -> str:
        """The account and role, for people."""
        return f"{self.name} as {self.role}" if self.role and self.role != self.name else self.name


class LastUsed:
    """
    The memory of a notebook and its home.

    Args:
        state_store: Where it is.

        environ: Says which notebook this is.
    """

    def __init__(self, state_store: StateStore, environ: Mapping[str, str]) -> None:
        self._store = state_store
        self._environ = environ

    def again(self) -> Used | None:
        """Return what `%cuaws use` alone means: what the notebook is made for, else what was used last."""
        return self.made_for() or next(iter(self.all()), None)

    def before(self) -> Used | None:
        """Return what `%cuaws use -` means: the one before the last."""
        return next(iter(self.all()[1:]), None)

    def all(self) -> list[Used]:
        """Return what was used, the latest first; of this notebook, else of this home."""
        for key in self._keys():
            found = [one for entry in self._load(key) if (one := _used(entry)) is not None]
            if found:
                return found
        return []

    def sign_ins(self, aws_files: AwsFiles) -> list[str]:
        """Return under which names (`SsoSession.cache_key`) the accounts were reached, the latest first."""
        found = []
        with contextlib.suppress(CuawsError):
            config = aws_files.read()
            for one in self.all():
                sso_session = config.sign_in_of(one.target) if one.session is None else None
                found += [one.session or (sso_session.cache_key if sso_session is not None else "")]
        return list(dict.fromkeys(found))

    def recent_ids(self) -> list[str]:
        """Return the accounts that were used in this home, by number, the latest first."""
        found = (_used(entry) for entry in self._load(_HOME))
        return [one.account_id for one in found if one is not None and one.account_id is not None]

    def remember(self, current: InUseRole, region: str | None) -> None:
        """
        Remember what came into use.

        Args:
            region: Where clients go, if a person said it.
        """
        source = current.source
        if isinstance(source, RoleSource):
            role = source.role
            target = role.profile or f"{role.account.id}/{role.role_name}"
            session = None if role.profile else role.sso_session.name
            region = region or self.region_of(role)
            used = Used(target, role.account.name, role.role_name, region, session, role.account.id)
        else:
            target = source.profile or current.client_profile or ""
            used = Used(target, current.account.name, current.role_name, region, None, current.account.id or None)
        if not used.target:
            return  # keys that were pasted
        for key in self._keys():
            before = self._load(key)
            uses = [asdict(used), *(entry for entry in before if entry.get("target") != used.target)][:_KEPT]
            if uses != before:
                self._store.save(_KIND, key, {"uses": uses}, durable=False)  # a convenience: nobody waits for it

    def region_of(self, role: AccountRole) -> str | None:
        """Return where clients of an account went the last time that a person said so."""
        targets = {role.profile, f"{role.account.id}/{role.role_name}"}
        return next((one.region for one in self.all() if one.target in targets), None)

    def made_for(self) -> Used | None:
        """Return what the notebook's metadata say that it is made for (`cuaws-magic stamp`)."""
        path = self._notebook()
        try:
            if path is None or path.stat().st_size > _LARGEST:
                return None
            stamp = json.loads(path.read_bytes())["metadata"]["cuaws"]
            account, role, region = (stamp.get(name) for name in ("account", "role", "region"))
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return None  # no file, no notebook, no stamp
        if not isinstance(account, str) or not account.strip():
            return None
        role = role if isinstance(role, str) else ""
        name = printable(account)
        return Used(
            f"{account}/{role}" if role else account, name, printable(role), region if isinstance(region, str) else None
        )

    def _notebook(self) -> Path | None:
        path = self._environ.get(_NOTEBOOK, "")
        return Path(path) if path.endswith(".ipynb") else None

    def _keys(self) -> list[str]:
        path = self._notebook()
        return [_HOME] if path is None else [str(path), _HOME]

    def _load(self, key: str) -> list[dict[str, Any]]:
        uses = self._store.load(_KIND, key).get("uses", [])
        return [entry for entry in uses if isinstance(entry, dict)] if isinstance(uses, list) else []


def _used(entry: dict[str, Any]) -> Used | None:
    fields = {name: entry.get(name) for name in ("target", "name", "role", *_OPTIONAL)}
    if not all(isinstance(fields[name], str) for name in ("target", "name", "role")):
        return None
    if not all(fields[name] is None or isinstance(fields[name], str) for name in _OPTIONAL):
        return None
    return Used(**fields)  # type: ignore[arg-type]  # as was just looked at
