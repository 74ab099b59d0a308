"""The guard rail: a role that can change things in a production account is confirmed once in each kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cuaws_magic.errors import ProductionUnconfirmed
from cuaws_magic.humanize import quoted
from cuaws_magic.sso.targets import only_looks

if TYPE_CHECKING:
    from collections.abc import Callable

    from cuaws_magic.credentials.in_use import InUseRole
    from cuaws_magic.settings import Settings

    Ask = Callable[[str], str]


class ConfirmedProduction:
    """Which production accounts a person confirmed in this kernel."""

    def __init__(self) -> None:
        self._confirmed: set[str] = set()

    def check(self, settings: Settings, ready: InUseRole, *, meant: bool | Ask) -> None:
        """
        Have a person confirm that they mean it, where a mistake costs more.

        Args:
            settings: Which accounts are production, and whether to ask at all.

            ready: What is about to come into use.

            meant: Whether they have said so; or what shows a question and returns what was typed.

        Raises:
            ProductionUnconfirmed: They did not, or nobody can be asked.
        """
        account, role = ready.account, ready.role_name
        if not settings.is_production(account.name) or settings.confirm_production is False or only_looks(role):
            return
        key = account.id or account.name
        if key in self._confirmed:
            return
        if meant is not True:
            what = f"{account.name} is a production account, and {role} may change things there"
            again = f"`%cuaws use {quoted(account.name)} --role {quoted(role)} --yes`"
            if meant is False:
                raise ProductionUnconfirmed(
                    f"{account.name} is a production account, and {role} may change things there. "
                    f"If you mean it, type {again}.",
                    f"{what}.",
                )
            typed = meant(f"{what}.\nType the account's name to use it, or press Enter to leave it: ").strip()
            if typed.casefold() not in {account.name.casefold(), account.id or account.name.casefold()}:
                raise ProductionUnconfirmed(f"Nothing was changed: {account.name} was not confirmed. Type {again}.")
        self._confirmed.add(key)
