"""What can be typed, for completion and for telling words apart: known here, without asking anybody."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from cuaws_magic.errors import CuawsError
from cuaws_magic.sso.session import CU_BOULDER

if TYPE_CHECKING:
    from cuaws_magic.commands.context import Context


class Names:
    """
    Names that this home knows.

    Args:
        context: The kernel that asks.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def target_names(self) -> list[str]:
        """Return profiles and account names."""
        with contextlib.suppress(CuawsError):
            sso_session, config = self._context.choice.sso_session(), self._context.aws_files.read()
            listing = self._context.accounts.remembered(sso_session)
            names = [profile.name for profile in config.profiles.values() if profile.sso]
            names += [account.name for account in listing.accounts] if listing is not None else []
            return list(dict.fromkeys(names))
        return []

    def role_names(self, target: str) -> list[str]:
        """Return the roles of a target."""
        with contextlib.suppress(CuawsError):
            sso_session, config = self._context.choice.sso_session(), self._context.aws_files.read()
            listing = self._context.accounts.remembered(sso_session)
            profile = config.profiles.get(target)
            found = [profile.role_name] if profile is not None and profile.sso else []
            if listing is not None:
                fold = target.casefold()
                ids = [one.id for one in listing.accounts if fold in {one.name.casefold(), one.id}]
                found += [role for account_id in ids for role in listing.roles.get(account_id, ())]
            return list(dict.fromkeys(found))
        return []

    def session_names(self) -> list[str]:
        """Return the sso-sessions that `--session` takes."""
        return sorted({*self.configured_sessions(), CU_BOULDER.label})

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
