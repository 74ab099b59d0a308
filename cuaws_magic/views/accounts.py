"""The accounts that a person may enter, and a link into the console of one, as values that show themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from markupsafe import Markup

from cuaws_magic.views import render
from cuaws_magic.views.render import View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cuaws_magic.model import Account
    from cuaws_magic.views.render import MimeBundle

_SHOWN = 200  # rows of a table: more would only make a notebook large


@dataclass(frozen=True, repr=False)
class AccountTable(View):
    """
    Accounts that the person may enter; a sequence of `Account`.

    Attributes:
        roles: Role names by account id, where they were asked for.

        total: How many there are without the pattern.

        starred: Ids of the favourites.

        production: Ids of those to be marked: a mistake there costs more.

        organisations: Whose each account is, where more than one organisation is known.
    """

    accounts: tuple[Account, ...]
    roles: dict[str, tuple[str, ...]] | None
    total: int
    notes: tuple[str, ...]
    starred: frozenset[str] = frozenset()
    production: frozenset[str] = frozenset()
    organisations: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.accounts)

    def __iter__(self) -> Iterator[Account]:
        return iter(self.accounts)

    @overload
    def __getitem__(self, index: int) -> Account: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Account]: ...
    def __getitem__(self, index: int | slice) -> Account | Sequence[Account]:
        return self.accounts[index]

    def mimebundle(self) -> MimeBundle:
        """Return text and HTML."""
        head = ["Account", "Id"] + (["Organisation"] if self.organisations else [])
        head += ["Roles"] if self.roles is not None else []
        shown = self.accounts[:_SHOWN]
        whose = [[one] for one in self.organisations[:_SHOWN]] or [[] for _ in shown]
        roles_of = [([", ".join(self.roles[one.id])] if self.roles is not None else []) for one in shown]
        more = [[*organisation, *names] for organisation, names in zip(whose, roles_of, strict=True)]
        named = [[self._name(one), one.id, *rest] for one, rest in zip(shown, more, strict=True)]
        drawn = [[self._drawn(one), one.id, *rest] for one, rest in zip(shown, more, strict=True)]
        number = len(self.accounts)
        count = f"{number:,} of {self.total:,} accounts" if number != self.total else f"{self.total:,} accounts"
        body = render.table(head, drawn) if drawn else Markup()
        notes = self.notes
        if number > _SHOWN:
            others = f"The first {_SHOWN} are shown. For others, type a part of the name: `%cuaws accounts NAME`."
            notes = (*notes, others)
        return render.mimebundle(
            "\n".join([*([render.text_table(head, named)] if named else []), f"{count}.", *notes]),
            render.card("idle", count, "", body + render.lines(notes)),
        )

    def _name(self, account: Account) -> str:
        star = f"{render.STAR} " if account.id in self.starred else ""
        return f"{star}{account.name}{' (production)' if account.id in self.production else ''}"

    def _drawn(self, account: Account) -> Markup:
        return render.account_name(
            account.name, starred=account.id in self.starred, production=account.id in self.production
        )


@dataclass(frozen=True, repr=False)
class ConsoleLink(View):
    """
    A link into the console.

    Attributes:
        url: The link; nothing in it is secret.

        account: Account id, a string of twelve digits.

        account_name: Its name at the portal.

        role: The role.

        service: The service whose page it opens, or `None`.

        production: Whether the account is to be marked.
    """

    url: str
    account: str
    account_name: str
    role: str
    service: str | None
    notes: tuple[str, ...]
    production: bool = False

    def mimebundle(self) -> MimeBundle:
        """Return text and HTML."""
        page = f"the {self.service} page" if self.service else "the console"
        title = f"{self.account_name} · {self.role}"
        mark = ", production" if self.production else ""
        notes = ("Your browser asks you to sign in to the access portal first, if it must.", *self.notes)
        button = Markup(
            '<div style="margin:2px 0 8px">'
            '<a href="{}" target="_blank" rel="noopener noreferrer" style="{}">{} ↗</a></div>'
        ).format(self.url, render.PRIMARY, f"Open {page}")
        return render.mimebundle(
            render.text(
                f"Open {page} in {self.account_name} ({self.account}) as {self.role}{mark}:", [], [self.url, *notes]
            ),
            render.card("idle", title, self.account, button + render.lines(notes), mark=render.mark(self.production)),
        )
