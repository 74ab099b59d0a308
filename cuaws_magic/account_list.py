"""
Finding one account among a thousand: by parts of its name or number, those used last on top. Pure.

Everything that a keystroke needs is prepared once; a keystroke only looks through it.
"""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cuaws_magic.model import Account

SHOWN = 100  # accounts sent to the page at a time
_WIDEST = 40  # letters of a name and its mark; the rest of a longer name is left out in its middle
_MARK = "  production"
_NUMBER = re.compile(r"[\d\s-]*\d[\d\s-]*")


class AccountList:
    """
    The accounts of one sign-in, in the order to show them.

    Args:
        accounts: All of them.

        used: Ids of those used before; the last used at the end.

        production: Patterns of names that are marked.
    """

    def __init__(self, accounts: Iterable[Account], used: Sequence[str], production: Sequence[str]) -> None:
        by_id = {account.id: account for account in accounts}
        on_top = [by_id[account_id] for account_id in reversed(used) if account_id in by_id]
        tops = {account.id for account in on_top}
        rest = sorted(
            (one for one in by_id.values() if one.id not in tops), key=lambda one: (one.name.casefold(), one.id)
        )
        self._by_id = by_id
        self._production = tuple(pattern.casefold() for pattern in production)
        self._searchable = [(f"{one.name.casefold()} {one.id}", one) for one in (*on_top, *rest)]

    def __len__(self) -> int:
        return len(self._searchable)

    def __contains__(self, account_id: object) -> bool:
        return account_id in self._by_id

    def find(self, typed: str) -> list[Account]:
        """Return the accounts that have every word of what was typed in their name or number."""
        number = _NUMBER.fullmatch(typed)
        words = [re.sub(r"\D", "", typed)] if number and not typed.isspace() else typed.casefold().split()
        if len(words) == 1:
            (word,) = words
            return [account for text, account in self._searchable if word in text]
        return [account for text, account in self._searchable if all(word in text for word in words)]

    def production(self, account: Account) -> bool:
        """Whether an account is to be marked."""
        return is_production(account.name, self._production)

    def labels(self, accounts: Sequence[Account]) -> list[tuple[str, str]]:
        """Return what to show for each account, in columns, with its id as the value."""
        names = [clean(account.name) for account in accounts]
        width = min(_WIDEST, max(map(len, names), default=0))
        return [(self._label(account, name, width), account.id) for name, account in zip(names, accounts, strict=True)]

    def _label(self, account: Account, name: str, width: int) -> str:
        # The mark right behind the name: what is at the end is cut off where there is little room.
        mark = _MARK if self.production(account) else ""
        marked = f"{_fitted(name, _WIDEST - len(mark))}{mark}"
        return f"{marked.ljust(width)}  {spaced(account.id)}"


def is_production(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name matches one of the patterns, any case."""
    fold = name.casefold()
    return any(fnmatch.fnmatchcase(fold, pattern.casefold()) for pattern in patterns)


def spaced(account_id: str) -> str:
    """Write an account id as AWS's console does: in groups of four."""
    return " ".join(account_id[at : at + 4] for at in range(0, len(account_id), 4))


def clean(name: str) -> str:
    """Return a name without characters that cannot be seen, or that turn the line around."""
    return name if name.isprintable() else "".join(one if one.isprintable() else "�" for one in name)


def _fitted(name: str, width: int) -> str:
    if len(name) <= width:
        return name
    half = (width - 1) // 2
    return f"{name[: width - 1 - half]}…{name[-half:]}"
