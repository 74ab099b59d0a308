"""
What commands and functions return: values that show themselves.

`x = %cuaws whoami` gives a value whose `x.account` is a string, and which a notebook
shows as a card and a terminal as text. None of them holds a secret.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, overload

from markupsafe import Markup

from cuaws_magic import render, sign_in_card
from cuaws_magic.model import Identity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from cuaws_magic.model import Account, DeviceAuthorization, SsoSession
    from cuaws_magic.render import Bundle, Row


class View:
    """A value that knows its plain and its HTML face."""

    def bundle(self) -> Bundle:
        """Return both faces."""
        raise NotImplementedError

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Bundle:  # noqa: ARG002 - IPython's protocol
        return self.bundle()

    def __repr__(self) -> str:
        return self.bundle()["text/plain"]


@dataclass(frozen=True, repr=False)
class AwaitingApproval(View):
    """A code that waits for a person. Shown while it lives, then replaced; never kept."""

    sso_session: SsoSession
    authorization: DeviceAuthorization
    attempt: int
    trouble: str | None
    at: datetime

    def bundle(self) -> Bundle:
        """Return both faces."""
        return sign_in_card.waiting(self.sso_session, self.authorization, self.attempt, self.trouble, self.at)


@dataclass(frozen=True, repr=False)
class SignInEnded(View):
    """A sign-in that came to nothing."""

    sso_session: SsoSession
    title: str
    sentences: tuple[str, ...]

    def bundle(self) -> Bundle:
        """Return both faces."""
        return sign_in_card.ended(self.sso_session, self.title, self.sentences)


@dataclass(frozen=True, repr=False)
class SignedIn(View):
    """
    A sign-in that stands.

    Attributes:
        session_name: Name of the sso-session, or `None` for a bare start URL.

        start_url: Address of the access portal.

        until: When a person has to approve again, as well as we know.

        already: Nobody had to approve anything.

        notes: What the person should know.
    """

    sso_session: SsoSession = field(compare=False)
    until: datetime
    already: bool
    notes: tuple[str, ...]
    at: datetime

    @property
    def session_name(self) -> str | None:
        """Name of the sso-session."""
        return self.sso_session.name

    @property
    def start_url(self) -> str:
        """Address of the access portal."""
        return self.sso_session.start_url

    def bundle(self) -> Bundle:
        """Return both faces."""
        return sign_in_card.signed_in(self.sso_session, self.until, self.notes, self.at)


@dataclass(frozen=True, repr=False)
class SigningIn(View):
    """A sign-in that goes on in the background."""

    sso_session: SsoSession

    def bundle(self) -> Bundle:
        """Return both faces."""
        title = "The sign-in goes on while you work"
        sentence = "The card with the code changes by itself when you have approved; `%cuaws use ACCOUNT` waits for it."
        return render.bundle(
            render.text(f"{title}.", [], [sentence]),
            render.card("wait", title, sign_in_card.organisation(self.sso_session), render.lines([sentence])),
        )


@dataclass(frozen=True, repr=False)
class Progress(View):
    """How far something long has come."""

    what: str
    done: int
    total: int

    def bundle(self) -> Bundle:
        """Return both faces."""
        title = f"{self.what}: {self.done} of {self.total}"
        return render.bundle(title, render.card("good" if self.done == self.total else "wait", title, "", Markup()))


@dataclass(frozen=True, repr=False)
class Hint(View):
    """Something that a person should know about credentials, and what to type."""

    title: str
    sentences: tuple[str, ...]

    def bundle(self) -> Bundle:
        """Return both faces."""
        return render.bundle(
            render.text(f"{self.title}.", [], self.sentences),
            render.card("bad", self.title, "", render.lines(self.sentences)),
        )


@dataclass(frozen=True, repr=False)
class SignedOut(View):
    """What a logout did, and what it could not do."""

    organisations: tuple[str, ...]
    sentences: tuple[str, ...]

    def bundle(self) -> Bundle:
        """Return both faces."""
        title = "Signed out" if self.organisations else "You were not signed in"
        side = ", ".join(self.organisations)
        return render.bundle(
            render.text(f"{title}{f' of {side}' if side else ''}.", [], self.sentences),
            render.card("idle", title, side, render.lines(self.sentences)),
        )


@dataclass(frozen=True, repr=False)
class Released(View):
    """The environment is as it was found."""

    account: str | None
    sentences: tuple[str, ...]

    def bundle(self) -> Bundle:
        """Return both faces."""
        title = f"Released {self.account}" if self.account else "There was nothing to release"
        return render.bundle(
            render.text(f"{title}.", [], self.sentences), render.card("idle", title, "", render.lines(self.sentences))
        )


@dataclass(frozen=True, repr=False)
class Whoami(View):
    """
    Who AWS says this kernel is.

    Attributes:
        account: Account id, a string of twelve digits.

        arn: The caller's ARN.

        user_id: The caller's unique id.

        person: The name of the role session: with Identity Center, the person.

        account_name: The account's name, as well as it is known.
    """

    account: str
    arn: str
    user_id: str
    person: str
    account_name: str = field(default="", compare=False)

    @property
    def role(self) -> str:
        """The role, as a person knows it."""
        return Identity(self.account, self.arn, self.user_id).role_name

    def rows(self) -> list[Row]:
        """Return the facts, named as the card of an account in use names them."""
        named = self.account_name and self.account_name != self.account
        return [
            ("Account", f"{self.account_name} ({self.account})" if named else self.account),
            ("Role", self.role),
            ("ARN", self.arn),
            ("User ID", self.user_id),
        ]

    def bundle(self) -> Bundle:
        """Return both faces."""
        return render.bundle(
            render.text(self.person, self.rows()),
            render.card("good", self.person, "", render.facts(self.rows())),
        )


@dataclass(frozen=True, repr=False)
class AccountTable(View):
    """
    Accounts that the person may enter; a sequence of `Account`.

    Attributes:
        roles: Role names by account id, where they were asked for.

        total: How many there are without the pattern.
    """

    accounts: tuple[Account, ...]
    roles: dict[str, tuple[str, ...]] | None
    total: int
    notes: tuple[str, ...]

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

    def bundle(self) -> Bundle:
        """Return both faces."""
        head = ["Account", "Id"] + (["Roles"] if self.roles is not None else [])
        rows = [
            [account.name, account.id] + ([", ".join(self.roles[account.id])] if self.roles is not None else [])
            for account in self.accounts
        ]
        count = f"{len(rows)} of {self.total} accounts" if len(rows) != self.total else f"{self.total} accounts"
        body = render.table(head, rows) if rows else Markup()
        return render.bundle(
            "\n".join([*([render.text_table(head, rows)] if rows else []), f"{count}.", *self.notes]),
            render.card("idle", count, "", body + render.lines(self.notes)),
        )
