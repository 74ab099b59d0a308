"""The account in use, and what holds in this kernel, as values that show themselves."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cuaws_magic import humanize
from cuaws_magic.model import Identity
from cuaws_magic.views import render
from cuaws_magic.views.render import View
from cuaws_magic.views.sign_in import SignInState, session_label

if TYPE_CHECKING:
    from datetime import datetime

    from cuaws_magic.model import Origin, SsoSession
    from cuaws_magic.views.render import Html, MimeBundle, Row, Tone


@dataclass(frozen=True, repr=False)
class InUse(View):
    """
    The account and role that this kernel acts as.

    Attributes:
        account: Account id, a string of twelve digits; empty where nobody has said it.

        account_name: Its name at the portal, or as well as it is known.

        role: The role.

        region: Where clients go by default.

        expires_at: When these credentials end; `None` where that is not known, or they do not.

        signed_in_until: When a person has to approve again, as well as we know (in the year 9000: nobody does); `None`
            where nobody is signed in any more, or no sign-in is needed.

        identity: What STS said, or `None` where it was not asked.

        origin: Where the credentials come from; `None` for Identity Center.

        end_assumed: `expires_at` is what is usual; nobody said it.

        profile: The profile that programs find by its name; then no keys are in the environment.

        signs_in: Whether the credentials depend on a sign-in.

        production: Whether the account is to be marked: a mistake there costs more.

        reach: How programs get the credentials, which is not for the card of `use` to say unless it is unusual.

        reach_unusual: Whether somebody might not expect it.

        console_url: A link into the console, through the access portal.

        organisation: Whose the account is, where more than one organisation is known.

        login_command: What to type when the sign-in has ended.
    """

    account: str
    account_name: str
    role: str
    region: str
    expires_at: datetime | None
    signed_in_until: datetime | None
    identity: Whoami | None
    notes: tuple[str, ...]
    at: datetime
    origin: Origin | None = field(default=None, compare=False)
    end_assumed: bool = False
    profile: str | None = None
    signs_in: bool = True
    production: bool = False
    reach: str = ""
    reach_unusual: bool = False
    console_url: str | None = field(default=None, compare=False)
    organisation: str = field(default="", compare=False)
    login_command: str = field(default="`%cuaws login`", compare=False)

    def rows(self, *, all_of_them: bool = False) -> list[Row]:
        """Return the facts; those of `use`, or all of them."""
        who = (
            [("You are", self.identity.person), ("ARN", self.identity.arn)]
            if self.identity
            else [("You are", "not confirmed with AWS")]
        )
        return [
            *who,
            ("Region", self.region),
            *([("Organisation", self.organisation)] if self.organisation else []),
            *([("From", self.origin.label)] if self.origin is not None else []),
            ("Credentials", self._credentials()),
            *([("Sign-in", sign_in_row(self.signed_in_until, self.at, self.login_command))] if self.signs_in else []),
            *([("Programs", self.reach)] if self.reach and (all_of_them or self.reach_unusual) else []),
        ]

    def _credentials(self) -> str:
        if self.profile is not None:
            by_name = f"(AWS_PROFILE={self.profile})"
            if self.signs_in:
                return f"programs fetch and renew their own {by_name}"
            # What the profile gives is not ours to know: a program's keys come anew, saved ones do not.
            return f"programs read the profile {by_name}; saved keys are not renewed"
        if self.origin is not None and not self.origin.renews:
            return self._not_renewed(self.origin)
        return self._renewed()

    def _renewed(self) -> str:
        again = self.origin.remedy if self.origin is not None else self.login_command
        if self.expires_at is None or self.expires_at <= self.at:
            return f"expired; type {again}"
        left = humanize.remaining(self.expires_at, self.at)
        over = self.signs_in and (self.signed_in_until is None or self.signed_in_until <= self.at)
        if over:
            return f"{left}; after that, type {self.login_command}"
        if self.signs_in and self.signed_in_until is not None and self.signed_in_until < self.expires_at:
            return f"{left}; not renewed after {humanize.clock(self.signed_in_until, self.at)}, when the sign-in ends"
        return f"{left}, renewed automatically"

    @property
    def tone(self) -> Tone:
        """Green as long as all is well: an account whose sign-in has ended is not."""
        over = self.signs_in and (self.signed_in_until is None or self.signed_in_until <= self.at)
        return "wait" if over else "good"

    def _not_renewed(self, origin: Origin) -> str:
        if self.expires_at is None:
            return "not renewed; it is not known when they expire"
        about = "about " if self.end_assumed else ""
        ends = f"{about}{humanize.clock(self.expires_at, self.at)}"
        if self.expires_at <= self.at:
            return f"expired at {ends}; type {origin.remedy}"
        if self.end_assumed:
            # Reckoned from when they came here; how old they were then nobody said.
            return f"at most until {ends}, not renewed; then type {origin.remedy}"
        return f"{humanize.remaining(self.expires_at, self.at)}, not renewed; then type {origin.remedy}"

    @property
    def title(self) -> tuple[str, str]:
        """What is in use: for a card, and for a line of text."""
        number = f" ({self.account})" if self.account and self.account != self.account_name else ""
        mark = f", {self.mark}" if self.mark else ""
        return f"{self.account_name} · {self.role}", f"Using {self.account_name}{number} as {self.role}{mark}"

    def buttons(self) -> Html:
        """Draw what a person may want to do next with the account, on a page."""
        copied = [("Copy account number", self.account)] if self.account else []
        copied += [("Copy ARN", self.identity.arn)] if self.identity is not None else []
        return render.buttons([("Open console", self.console_url)] if self.console_url else [], copied)

    @property
    def mark(self) -> str:
        """What stands beside the title in a frame, where something does."""
        return render.mark(self.production)

    def mimebundle(self) -> MimeBundle:
        """Return text and HTML."""
        title, plain = self.title
        return render.mimebundle(
            render.text(plain, self.rows(), self.notes),
            render.card(
                self.tone,
                title,
                self.account,
                render.facts(self.rows()) + render.lines(self.notes) + self.buttons(),
                mark=self.mark,
            ),
        )


@dataclass(frozen=True, repr=False)
class Confirming(View):
    """What comes into use, while AWS is asked to confirm it."""

    account_name: str
    account: str
    role: str
    production: bool = False
    over: bool = False

    def failed(self) -> Confirming:
        """Return what to say where it was not confirmed."""
        return replace(self, over=True)

    def mimebundle(self) -> MimeBundle:
        """Return text and HTML."""
        title = f"{self.account_name} · {self.role}"
        sentence = "Not put in use." if self.over else "The credentials are here. Confirming them with AWS …"
        return render.mimebundle(
            render.text(title, [], [sentence]),
            render.card(
                "idle" if self.over else "wait",
                title,
                self.account,
                render.lines([sentence]),
                mark=render.mark(self.production),
            ),
        )


@dataclass(frozen=True, repr=False)
class Status(View):
    """
    What holds in this kernel now; asked of nobody.

    Attributes:
        sso_session: The sign-in that commands would use; `None` where that is not settled.

        signed_in_until: As in `InUse`.

        in_use: The account in use, or `None`.

        last: What `%cuaws use` alone would put in use, where none is.

        sign_ins: Every sign-in that is known, where they are of more than one organisation.
    """

    sso_session: SsoSession | None
    signed_in_until: datetime | None
    in_use: InUse | None
    notes: tuple[str, ...]
    at: datetime
    last: str | None = field(default=None, compare=False)
    sign_ins: tuple[SignInState, ...] = field(default=(), compare=False)

    @property
    def where(self) -> str:
        """The organisation."""
        return session_label(self.sso_session) if self.sso_session is not None else ""

    @property
    def _how(self) -> str:
        again = f"for {self.last}, used last, type `%cuaws use`" if self.last else ""
        return again or "type `%cuaws use ACCOUNT`"

    def _of_each(self) -> list[Row]:
        return [(session_label(one.sso_session), one.said(self.at)) for one in self.sign_ins]

    def mimebundle(self) -> MimeBundle:
        """Return text and HTML."""
        tone: Tone = "good"
        mark = self.in_use.mark if self.in_use is not None else ""
        if self.in_use is not None:
            rows, tone = self.in_use.rows(all_of_them=True), self.in_use.tone
            title, plain = self.in_use.title
        elif self.signed_in_until is not None:
            rows = [
                ("Sign-in", sign_in_row(self.signed_in_until, self.at)),
                ("Account", f"none in use; {self._how}"),
            ]
            title, plain = "Signed in", f"Signed in to {self.where}"
        else:
            rows = [
                ("Sign-in", "none; type `%cuaws login`"),
                ("Account", f"none in use; {self._how}" if self.last else "none in use"),
            ]
            title, tone, plain = "Not signed in", "idle", f"Not signed in to {self.where}"
        if self.sign_ins:
            rows = [*self._of_each(), *(row for row in rows if row[0] != "Sign-in")]
            standing = [one for one in self.sign_ins if one.until is not None]
            if self.in_use is None:
                title = plain = f"Signed in to {len(standing)} of {len(self.sign_ins)}" if standing else "Not signed in"
                tone = "good" if standing else "idle"
        return render.mimebundle(
            render.text(plain, rows, self.notes),
            render.card(tone, title, self.where, render.facts(rows) + render.lines(self.notes), mark=mark),
        )


def sign_in_row(until: datetime | None, at: datetime, again: str = "`%cuaws login`") -> str:
    """Say how long a sign-in lasts."""
    if until is None or until <= at:
        return f"expired; type {again}"
    return humanize.remaining(until, at, about=True)


@dataclass(frozen=True, repr=False)
class Released(View):
    """The environment is as it was found."""

    account: str | None
    sentences: tuple[str, ...]

    def mimebundle(self) -> MimeBundle:
        """Return text and HTML."""
        title = f"Released {self.account}" if self.account else "Nothing to release"
        return render.mimebundle(
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

        production: Whether the account is to be marked.
    """

    account: str
    arn: str
    user_id: str
    person: str
    account_name: str = field(default="", compare=False)
    production: bool = field(default=False, compare=False)

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

    def mimebundle(self) -> MimeBundle:
        """Return text and HTML."""
        return render.mimebundle(
            render.text(f"{self.person}, production" if self.production else self.person, self.rows()),
            render.card(
                "good",
                self.person,
                "",
                render.facts(self.rows())
                + render.buttons([], [("Copy account number", self.account), ("Copy ARN", self.arn)]),
                mark=render.mark(self.production),
            ),
        )
