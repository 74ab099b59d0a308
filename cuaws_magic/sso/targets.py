"""
What a person means by TARGET: one account and role, resolved and never guessed.

A profile of `~/.aws/config`, an account's name in any case, an account id, or one of
them with `/role`. One exact match, or an error that names the nearest. A name that is
not in the remembered list is looked up at the portal before anybody is told that it
does not exist.
"""

from __future__ import annotations

import difflib
import heapq
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cuaws_magic.errors import AmbiguousTarget, NoAccess, RoleNeeded, UnknownTarget
from cuaws_magic.humanize import quoted
from cuaws_magic.model import Account, AccountRole
from cuaws_magic.settings import ACCOUNT_ID
from cuaws_magic.sso.session import sign_in_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cuaws_magic.config.content import AwsConfig, Profile
    from cuaws_magic.model import SsoSession
    from cuaws_magic.sso.accounts import Accounts

_NUMBER = re.compile(r"[0-9]+")
_DIGITS = 12  # of an account id
_COMPARED = 100  # names, letter by letter
_PART = 3  # letters
_NEAREST = 5


@dataclass(frozen=True, slots=True)
class PortalTarget:
    """
    An account and role that the access portal gives, as somebody typed it.

    Attributes:
        profile: The SSO profile of that name, if there is one.
    """

    text: str
    profile: Profile | None = None


@dataclass(frozen=True, slots=True)
class ProfileTarget:
    """A profile whose credentials botocore finds: saved keys, a role, a program."""

    name: str


def classify(text: str, config: AwsConfig) -> PortalTarget | ProfileTarget:
    """Tell what kind of TARGET was typed; which account it is, `Targets.resolve` finds out."""
    profile = config.profile(text)
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


def portal_target(text: str, config: AwsConfig) -> PortalTarget:
    """
    Return a TARGET for what only the portal can give.

    Raises:
        UnknownTarget: It is a profile that the portal knows nothing of.
    """
    target = classify(text, config)
    if isinstance(target, ProfileTarget):
        raise UnknownTarget(
            f"The profile {text} does not sign in with Identity Center, which this needs. To act with it, "
            f"type `%cuaws use {quoted(text)}`."
        )
    return target


class Targets:
    """
    Finds the account and role of a target.

    Args:
        directory: Knows the accounts and roles.

        preferred: Picks one of several roles, where the person said which they prefer.
    """

    def __init__(self, directory: Accounts, preferred: Callable[[Sequence[str]], str | None] = lambda _: None) -> None:
        self._directory = directory
        self._preferred = preferred

    def resolve(
        self, target: PortalTarget, role_name: str | None, sso_session: Callable[[], SsoSession], config: AwsConfig
    ) -> AccountRole:
        """
        Return the one account and role that a person means.

        Args:
            target: What was typed, from `classify`.

            role_name: The role, if it was named apart.

            sso_session: The sign-in for everything but profiles, which name their own.

            config: What the AWS files say.

        Raises:
            UnknownTarget: There is no such profile, account or role.

            AmbiguousTarget: More than one account answers to it.

            RoleNeeded: There are several roles and none was named or taken before.

            NotSignedIn: The portal has to be asked and nobody is signed in.
        """
        if target.profile is not None:
            return self._of_profile(target.profile, role_name, config)
        name = target.text
        if "/" in name:
            name, role_name = self._split(name, role_name, config, sso_session)
            profile = config.profile(name)
            if profile is not None and profile.sso and not ACCOUNT_ID.fullmatch(name):
                return self._of_profile(profile, role_name, config)
        chosen = sso_session()
        account = self._account(name, chosen, config)
        return AccountRole(account, self._role(chosen, account, role_name), chosen)

    def account(self, text: str, sso_session: SsoSession, config: AwsConfig) -> Account:
        """
        Return the one account of a sign-in that a name or number means.

        Raises:
            TargetError: There is none, or more than one.
        """
        profile = config.profile(text)
        if profile is not None and profile.sso:
            return self._of_profile(profile, None, config).account
        return self._account(spelled(text), sso_session, config)

    def _split(
        self, target: str, role_name: str | None, config: AwsConfig, sso_session: Callable[[], SsoSession]
    ) -> tuple[str, str | None]:
        """Split `account/role` at the last slash, unless an account has the whole as its name."""
        name, slash, role = target.rpartition("/")
        if not slash or not name or not role:
            return target, role_name
        if config.profile(name) is None and not ACCOUNT_ID.fullmatch(name):
            listing = self._directory.remembered(sso_session())
            if listing is not None and _named(listing.accounts, target):
                return target, role_name
        if role_name is not None and role_name != role:
            raise UnknownTarget(f"Two roles were named, {role} and {role_name}. Leave one of them out.")
        return name, role

    def _of_profile(self, profile: Profile, role_name: str | None, config: AwsConfig) -> AccountRole:
        if ACCOUNT_ID.fullmatch(profile.name) and profile.name != profile.account_id:
            raise AmbiguousTarget(
                f"{profile.name} is a profile for account {profile.account_id} and also the number of another account. "
                f"For the profile, type `%cuaws use {profile.account_id}`; for the account, name a role too: "
                f"`%cuaws use {profile.name}/ROLE`."
            )
        sso_session = sign_in_of(profile, config)
        listing = self._directory.remembered(sso_session)
        accounts = listing.accounts if listing is not None else ()
        for account in _named(accounts, profile.name):
            if account.id != profile.account_id:
                raise AmbiguousTarget(
                    f"{profile.name} is a profile for account {profile.account_id} and also the name of account "
                    f"{account.id}. Type the number of the one you mean: `%cuaws use {account.id}`."
                )
        named = next(
            (one for one in accounts if one.id == profile.account_id), Account(profile.account_id, profile.name)
        )
        return AccountRole(named, role_name or profile.role_name, sso_session, profile.region, profile.name)

    def _account(self, name: str, sso_session: SsoSession, config: AwsConfig) -> Account:
        if ACCOUNT_ID.fullmatch(name):
            listing = self._directory.remembered(sso_session)
            accounts = listing.accounts if listing is not None else ()
            # The portal itself says whether it is ours when its roles are asked for.
            return next((one for one in accounts if one.id == name), Account(name, name))
        listing = self._directory.accounts(sso_session)
        found = _named(listing.accounts, name)
        if not found:
            listing = self._directory.looked_again(sso_session, listing)  # it may be new
            found = _named(listing.accounts, name)
        if len(found) == 1:
            return found[0]
        if found:
            ids = " or ".join(account.id for account in found)
            raise AmbiguousTarget(
                f"{len(found)} accounts are named {name}: {ids}. Type the number: `%cuaws use {found[0].id}`."
            )
        whole = name.zfill(_DIGITS) if _NUMBER.fullmatch(name) else ""
        for account in listing.accounts:
            if account.id == whole:  # spreadsheets take the zeros in front away
                raise UnknownTarget(
                    f"There is no account or profile {name}. Nearest: {whole}, {account.name}. "
                    f"Type `%cuaws use {whole}`."
                )
        raise UnknownTarget(
            _nothing_named(
                name,
                [account.name for account in listing.accounts]
                + [name for name, one in config.profiles.items() if one.sso],
            )
        )

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


def _named(accounts: Iterable[Account], name: str) -> list[Account]:
    return [account for account in accounts if account.name.casefold() == name.casefold()]


def _candidates(name: str, names: list[str]) -> list[str]:
    """Return the names that share most with one: to compare it with thousands letter by letter takes seconds."""
    if len(names) <= _COMPARED:
        return names
    parts = {name[start : start + _PART] for start in range(max(1, len(name) - _PART + 1))}
    shared = {one: count for one in names if (count := len([True for part in parts if part in one]))}
    return heapq.nlargest(_COMPARED, shared, key=shared.__getitem__)


def _nothing_named(name: str, names: list[str]) -> str:
    by_fold = {one.casefold(): one for one in names}
    inside = [fold for fold in sorted(by_fold) if name.casefold() in fold]
    candidates = _candidates(name.casefold(), list(by_fold))
    close = difflib.get_close_matches(name.casefold(), candidates, n=_NEAREST, cutoff=0.6)
    nearest = list(dict.fromkeys(close + inside))[:_NEAREST]
    if nearest:
        listed = ", ".join(by_fold[fold] for fold in nearest)
        best = quoted(by_fold[nearest[0]])
        return f"There is no account or profile {name}. Nearest: {listed}. Type `%cuaws use {best}`."
    return f"There is no account or profile {name}. Type `%cuaws accounts` to see all {len(names)}."
