"""
What a person means by TARGET: one account and role, resolved and never guessed.

A profile of `~/.aws/config`, an account's name in any case, an account id, or one of
them with `/role`. One exact match, or an error that names the nearest. A name that is
not in the remembered list is looked up at the portal before anybody is told that it
does not exist.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cuaws_magic.errors import AmbiguousTarget, NoAccess, RoleNeeded, UnknownTarget
from cuaws_magic.humanize import quoted
from cuaws_magic.model import Account, AccountRole
from cuaws_magic.settings import ACCOUNT_ID
from cuaws_magic.sso.lookup import also_named, elsewhere, listings, named, nearest, said_of, several_named
from cuaws_magic.sso.session import sign_in_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cuaws_magic.config.content import AwsConfig, Profile
    from cuaws_magic.model import SsoSession
    from cuaws_magic.sso.accounts import Accounts
    from cuaws_magic.sso.lookup import Listings

    # Which sign-ins: the one that was named, if one was; else those that stand, or that know the account.
    LookedIn = Callable[[str | None, Callable[[SsoSession], bool]], Sequence[SsoSession]]

_NUMBER = re.compile(r"[0-9]+")
_DIGITS = 12  # of an account id


@dataclass(frozen=True, slots=True)
class PortalTarget:
    """
    An account and role that the access portal gives, as somebody typed it.

    Attributes:
        profile: The SSO profile of that name, if there is one.

        session: The sign-in that was named with it (`SESSION:TARGET`, `--session`).
    """

    text: str
    profile: Profile | None = None
    session: str | None = None


@dataclass(frozen=True, slots=True)
class ProfileTarget:
    """A profile whose credentials botocore finds: saved keys, a role, a program."""

    name: str


def classify(text: str, config: AwsConfig, session: str | None = None) -> PortalTarget | ProfileTarget:
    """
    Tell what kind of TARGET was typed; which account it is, `Targets.resolve` finds out.

    Args:
        session: The sign-in that was named with it; then a profile of another sign-in is not meant.
    """
    profile = config.profile(text)
    if session is not None:
        its_own = profile is not None and profile.sso and profile.merged.get("sso_session") == session
        return PortalTarget(text if its_own else spelled(text), profile if its_own else None, session)
    if profile is None:
        return PortalTarget(spelled(text))
    return PortalTarget(text, profile) if profile.sso else ProfileTarget(text)


# Forms in which consoles, logs and other tools write an account, or a role in one. The permission set of a role that
# Identity Center made stands between its prefix and sixteen digits.
_FORMS = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?P<id>[0-9]{4}-[0-9]{4}-[0-9]{4})(?:[/:](?P<role>[\w+=,.@-]{1,64}))?",
        r"(?P<id>[0-9]{12}):(?P<role>[\w+=,.@-]{1,64})",
        (
            r"arn:aws[\w-]*:(?:iam|sts)::(?P<id>[0-9]{12}):(?:assumed-role|role)/(?:[\w+=,.@/-]{1,512}?/)?"
            r"AWSReservedSSO_(?P<role>[\w+=,.@-]{1,64})_[0-9a-f]{16}(?:/[\w+=,.@-]{1,64})?"
        ),
        r"arn:aws[\w-]*:sts::(?P<id>[0-9]{12}):assumed-role/(?P<role>[\w+=,.@-]{1,64})/[\w+=,.@-]{1,64}",
        r"arn:aws[\w-]*:iam::(?P<id>[0-9]{12}):role/(?:[\w+=,.@/-]{1,512}/)?(?P<role>[\w+=,.@-]{1,64})",
        r"arn:aws[\w-]*:iam::(?P<id>[0-9]{12}):root",
    )
)


def spelled(text: str) -> str:
    """Return `ID` or `ID/ROLE` for what was written in another form: an ARN, a number with dashes."""
    for form in _FORMS:
        match = form.fullmatch(text.strip())
        if match is not None:
            found = match.groupdict()
            number, role = found["id"].replace("-", ""), found.get("role")
            return f"{number}/{role}" if role else number
    return text


def of_the_portal(target: PortalTarget | ProfileTarget) -> PortalTarget:
    """
    Return a TARGET again, for what only the portal can give.

    Raises:
        UnknownTarget: It is a profile that the portal knows nothing of.
    """
    if isinstance(target, ProfileTarget):
        raise UnknownTarget(
            f"The profile {target.name} does not sign in with Identity Center, which this needs. To act with it, "
            f"type `%cuaws use {quoted(target.name)}`."
        )
    return target


class Targets:
    """
    Finds the account and role of a target.

    Args:
        directory: Knows the accounts and roles.

        preferred: Picks one of several roles, where the person said which they prefer.

        unasked: The organisations that nobody is signed in to, each with what to type.

        known: A sign-in of each organisation.
    """

    def __init__(
        self,
        directory: Accounts,
        preferred: Callable[[Sequence[str]], str | None] = lambda _: None,
        unasked: Callable[[], Sequence[tuple[SsoSession, str]]] = tuple,
        known: Callable[[], Sequence[SsoSession]] = tuple,
    ) -> None:
        self._directory = directory
        self._preferred = preferred
        self._unasked = unasked
        self._known = known

    def resolve(
        self, target: PortalTarget, role_name: str | None, looked_in: LookedIn, config: AwsConfig
    ) -> AccountRole:
        """
        Return the one account and role that a person means.

        Args:
            target: What was typed, from `classify`.

            role_name: The role, if it was named apart.

            looked_in: The sign-ins for everything but profiles, which name their own.

            config: What the AWS files say.

        Raises:
            UnknownTarget: There is no such profile, account or role.

            AmbiguousTarget: More than one account answers to it, in one organisation or several.

            RoleNeeded: There are several roles and none was named or taken before.

            NotSignedIn: The portal has to be asked and nobody is signed in.
        """
        if target.profile is not None:
            return self._of_profile(target.profile, role_name, config, alone=target.session is not None)
        name = target.text
        sso_sessions = functools.cache(lambda: looked_in(target.session, functools.partial(self._knows, name)))
        if "/" in name:
            name, role_name = self._split(name, role_name, config, sso_sessions)
            profile = config.profile(name)
            if profile is not None and profile.sso and not ACCOUNT_ID.fullmatch(name) and target.session is None:
                return self._of_profile(profile, role_name, config)
        chosen, account, notes = self._account(name, sso_sessions(), config, alone=target.session is not None)
        return AccountRole(account, self._role(chosen, account, role_name), chosen, notes=notes)

    def account(self, text: str, sso_sessions: Sequence[SsoSession], config: AwsConfig) -> tuple[SsoSession, Account]:
        """
        Return the one account of some sign-ins that a name or number means, and whose it is.

        Raises:
            TargetError: There is none, or more than one.
        """
        profile = config.profile(text)
        if profile is not None and profile.sso:
            role = self._of_profile(profile, None, config)
            return role.sso_session, role.account
        return self._account(spelled(text), sso_sessions, config)[:2]

    def _knows(self, text: str, sso_session: SsoSession) -> bool:
        """Whether an account of that name or number is in the remembered list of a sign-in."""
        listing = self._directory.remembered(sso_session)
        name = text.rpartition("/")[0] if "/" in text else text
        accounts = listing.accounts if listing is not None else ()
        return bool(named(accounts, text) or named(accounts, name)) or any(one.id == name for one in accounts)

    def _split(
        self,
        target: str,
        role_name: str | None,
        config: AwsConfig,
        sso_sessions: Callable[[], Sequence[SsoSession]],
    ) -> tuple[str, str | None]:
        """Split `account/role` at the last slash, unless an account has the whole as its name."""
        name, slash, role = target.rpartition("/")
        if not slash or not name or not role:
            return target, role_name
        if config.profile(name) is None and not ACCOUNT_ID.fullmatch(name):
            lists = [self._directory.remembered(one) for one in sso_sessions()]
            if any(named(one.accounts, target) for one in lists if one is not None):
                return target, role_name
        if role_name is not None and role_name != role:
            raise UnknownTarget(f"Two roles were named, {role} and {role_name}. Leave one of them out.")
        return name, role

    def _of_profile(
        self, profile: Profile, role_name: str | None, config: AwsConfig, *, alone: bool = False
    ) -> AccountRole:
        if ACCOUNT_ID.fullmatch(profile.name) and profile.name != profile.account_id:
            raise AmbiguousTarget(
                f"{profile.name} is a profile for account {profile.account_id} and also the number of another account. "
                f"For the profile, type `%cuaws use {profile.account_id}`; for the account, name a role too: "
                f"`%cuaws use {profile.name}/ROLE`."
            )
        sso_session = sign_in_of(profile, config)
        listing = self._directory.remembered(sso_session)
        accounts = listing.accounts if listing is not None else ()
        # An account of that name may be another organisation's.
        lists = [] if alone else [self._directory.remembered(one) for one in self._known()]
        everywhere = [*accounts, *(one for other in lists if other is not None for one in other.accounts)]
        for account in named(everywhere, profile.name):
            if account.id != profile.account_id:
                raise AmbiguousTarget(
                    f"{profile.name} is a profile for account {profile.account_id} and also the name of account "
                    f"{account.id}. Type the number of the one you mean: `%cuaws use {account.id}`."
                )
        its_own = next(
            (one for one in accounts if one.id == profile.account_id), Account(profile.account_id, profile.name)
        )
        return AccountRole(its_own, role_name or profile.role_name, sso_session, profile.region, profile.name)

    def _account(
        self, name: str, sso_sessions: Sequence[SsoSession], config: AwsConfig, *, alone: bool = False
    ) -> tuple[SsoSession, Account, tuple[str, ...]]:
        """
        Return the one account, whose it is, and what a person should know of how it was found.

        Args:
            alone: Only these sign-ins are meant; otherwise those that nobody is signed in to are remembered too.
        """
        if ACCOUNT_ID.fullmatch(name) and len(sso_sessions) == 1:
            (sso_session,) = sso_sessions
            listing = self._directory.remembered(sso_session)
            for account in listing.accounts if listing is not None else ():
                if account.id == name:
                    return sso_session, account, ()
            others = [] if alone else self._remembered_elsewhere(name)
            # The portal itself says whether it is ours when its roles are asked for.
            return (*(others[0] if len(others) == 1 else (sso_session, Account(name, name))), ())
        lists = listings(self._directory, sso_sessions)
        found = lists.named(name)
        if not found:
            lists = lists.looked_again(self._directory)  # it may be new
            found = lists.named(name)
        others = [] if alone else self._remembered_elsewhere(name)
        notes = [said_of(*one) for one in lists.silent]
        notes += [also_named(one, account) for one, account in others if found]
        found = found or others
        if len(found) == 1:
            return (*found[0], tuple(notes))
        if found:
            raise AmbiguousTarget(several_named(name, found))
        rest = self._nearest(name, lists, config, alone=alone)
        raise UnknownTarget(f"There is no account or profile {name}. {rest}")

    def _remembered_elsewhere(self, name: str) -> list[tuple[SsoSession, Account]]:
        """Return the accounts of that name or number where nobody is signed in, as they were listed last."""
        found = []
        for sso_session, _ in self._unasked():
            listing = self._directory.remembered(sso_session)
            accounts = listing.accounts if listing is not None else ()
            found += [(sso_session, one) for one in accounts if one.id == name or one in named(accounts, name)]
        return found

    def _nearest(self, name: str, lists: Listings, config: AwsConfig, *, alone: bool) -> str:
        whole = name.zfill(_DIGITS) if _NUMBER.fullmatch(name) else ""
        accounts = [account for _, listing in lists.found for account in listing.accounts]
        more = "".join(f" {said_of(*one)}" for one in lists.silent)
        more += "".join(f" {one}" for one in elsewhere(() if alone else self._unasked()))
        for account in accounts:
            if account.id == whole != name:  # spreadsheets take the zeros in front away
                return f"Nearest: {whole}, {account.name}. Type `%cuaws use {whole}`.{more}"
        profiles = [name for name, one in config.profiles.items() if one.sso]
        return nearest(name, [account.name for account in accounts] + profiles) + more

    def _role(self, sso_session: SsoSession, account: Account, role_name: str | None) -> str:
        if role_name is not None and ACCOUNT_ID.fullmatch(account.name):
            return role_name  # id and role: nothing to look up, GetRoleCredentials will tell
        names = self._roles(sso_session, account)
        if role_name is not None and role_name not in names:
            names = self._directory.roles(sso_session, [account.id], refresh=True)[account.id]
        names = tuple(sorted(names, key=power))
        offered = ", ".join(names) or "none"
        if role_name is not None:
            exact = [one for one in names if one == role_name] or [
                one for one in names if one.casefold() == role_name.casefold()
            ]
            if len(exact) == 1:
                return exact[0]
            raise UnknownTarget(
                f"You have no role {role_name} in {account.name} (yours there: {offered}). "
                f"Type `%cuaws use {quoted(account.name)} --role ROLE`."
            )
        if len(names) == 1:
            return names[0]
        last = self._directory.used_before(sso_session).get(account.id)
        if last in names:
            return str(last)
        preferred = self._preferred(names)
        if preferred is not None:
            return preferred
        if not names:
            raise UnknownTarget(
                f"You have no role in {account.name}. Type `%cuaws accounts --refresh` to see what is yours."
            )
        raise RoleNeeded(
            f"You have several roles in {account.name}: {offered}. "
            f"Type `%cuaws use {quoted(account.name)} --role ROLE` with the one you want."
        )

    def _roles(self, sso_session: SsoSession, account: Account) -> tuple[str, ...]:
        try:
            return self._directory.roles(sso_session, [account.id])[account.id]
        except NoAccess:
            its_name = "" if account.name == account.id else f" ({account.name})"
            raise NoAccess(
                f"The account {account.id}{its_name} is not among yours at the access portal. "
                "Type `%cuaws accounts --refresh` to see them."
            ) from None


# What the names of permission sets say: those that can only look are named first, those that can do anything last.
_LOOKING = re.compile(r"read|view|audit|billing|monitor", re.IGNORECASE)
_ANYTHING = re.compile(r"admin|owner|root|poweruser|full", re.IGNORECASE)


def power(role_name: str) -> tuple[int, str]:
    """Return what sorts roles, the least powerful first, as far as their names tell."""
    rank = 0 if _LOOKING.search(role_name) else 2 if _ANYTHING.search(role_name) else 1
    return rank, role_name.casefold()


def only_looks(role_name: str) -> bool:
    """Whether a role can change nothing, as far as its name tells."""
    return power(role_name)[0] == 0
