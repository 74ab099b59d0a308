"""What can be typed, for completion and for telling words apart: known here, without asking anybody."""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import TYPE_CHECKING

from cuaws_magic.errors import CuawsError
from cuaws_magic.sso.accounts import in_order
from cuaws_magic.sso.session import CU_BOULDER
from cuaws_magic.sso.targets import power

if TYPE_CHECKING:
    from cuaws_magic.commands.context import Context
    from cuaws_magic.model import SsoSession
    from cuaws_magic.sso.accounts import Listing


def on_top(context: Context, sso_session: SsoSession) -> tuple[list[str], list[str]]:
    """Return the ids of the favourites, and of the accounts used before, the last used first."""
    current = context.credentials.current
    in_use = [current.account.id] if current is not None else []
    used = reversed(context.accounts.used_before(sso_session))
    return context.accounts.starred(sso_session), [*in_use, *context.last_used.recent_ids(), *used]


class Names:
    """
    Names that this home knows.

    Args:
        context: The kernel that asks.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def _remembered(self, session: str | None = None) -> list[tuple[SsoSession, Listing]]:
        """Return the lists of all organisations that commands look in, or of one sign-in."""
        with contextlib.suppress(CuawsError):
            looked_in = self._context.organisations.looked_in(session)
            lists = [(one, self._context.accounts.remembered(one)) for one in looked_in]
            return [(one, listing) for one, listing in lists if listing is not None]
        return []

    def target_names(self) -> list[str]:
        """Return profiles and account names; a name of two organisations with each of them before it."""
        above, below = [], []
        lists = self._remembered()
        several = len(lists) > 1
        often = Counter(one.name.casefold() for _, listing in lists for one in listing.accounts) if several else {}
        for sso_session, listing in lists:
            starred, recent = on_top(self._context, sso_session)
            ordered = in_order(listing.accounts, starred, recent)
            names = [
                f"{sso_session.label}:{one.name}" if several and often[one.name.casefold()] > 1 else one.name
                for one in ordered
            ]
            count = len({*starred, *recent} & {account.id for account in listing.accounts})
            above += names[:count]
            below += names[count:]
        profiles: list[str] = []
        with contextlib.suppress(CuawsError):
            profiles = [one.name for one in self._context.aws_files.read().profiles.values() if one.sso]
        return list(dict.fromkeys([*above, *profiles, *below]))

    def names_in(self, session: str) -> list[str]:
        """Return the account names of one sign-in, the usual ones first."""
        for sso_session, listing in self._remembered(session):
            starred, recent = on_top(self._context, sso_session)
            return [account.name for account in in_order(listing.accounts, starred, recent)]
        return []

    def account_ids(self) -> list[str]:
        """Return the numbers of the accounts."""
        return [account.id for _, listing in self._remembered() for account in listing.accounts]

    def role_names(self, target: str) -> list[str]:
        """Return the roles of a target, the least powerful first; those not known here are asked for behind."""
        with contextlib.suppress(CuawsError):
            config = self._context.aws_files.read()
            profile = config.profiles.get(target)
            found = [profile.role_name] if profile is not None and profile.sso else []
            session, target = self._context.organisations.prefix(target)
            fold = target.casefold()
            for sso_session, listing in self._remembered():
                if session in {None, sso_session.label}:
                    ids = [one.id for one in listing.accounts if fold in {one.name.casefold(), one.id}]
                    found += [role for account_id in ids for role in listing.roles.get(account_id, ())]
                    self._ask_for_roles(sso_session, [one for one in ids if one not in listing.roles])
            return sorted(dict.fromkeys(found), key=power)
        return []

    def _ask_for_roles(self, sso_session: SsoSession, account_ids: list[str]) -> None:
        """Have roles known by the next press of Tab; nobody waits for it."""
        if not account_ids or self._context.login.peek(sso_session)[0] is None:
            return

        def ask() -> None:
            with contextlib.suppress(CuawsError):
                self._context.accounts.roles(sso_session, account_ids)

        self._context.tasks.start("names", ask, tuple(account_ids), quiet=True)

    def session_names(self) -> list[str]:
        """Return the sso-sessions that `--session` takes."""
        known = [one.name for one in self._context.organisations.all() if one.name is not None]
        return sorted({*self.configured_sessions(), *known, CU_BOULDER.label})

    def configured_sessions(self) -> list[str]:
        """Return the sso-sessions of `~/.aws/config`."""
        with contextlib.suppress(CuawsError):
            return sorted(self._context.aws_files.read().session_sections)
        return []

    def saved_names(self) -> list[str]:
        """Return the blocks of the credentials file."""
        with contextlib.suppress(CuawsError):
            return list(self._context.aws_files.read().static_profiles)
        return []

    def profile_names(self) -> list[str]:
        """Return the profiles of both files."""
        with contextlib.suppress(CuawsError):
            config = self._context.aws_files.read()
            return [*config.profiles, *config.static_profiles]
        return []
