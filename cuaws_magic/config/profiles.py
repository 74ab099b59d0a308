"""
Which profiles `~/.aws/config` should have: one for each account and role, named as a person would.

Pure policy: from what the portal lists and what the file says to the edits to make.
What is there for an account and role stays as it is, whatever its name; a name that
anything else goes by is not taken; and only what this package wrote itself, and nobody
has changed since, is ever removed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cuaws_magic.config.edits import Drop, Put
from cuaws_magic.config.text import header_of, writable
from cuaws_magic.errors import ConfigurationError
from cuaws_magic.humanize import printable
from cuaws_magic.model import Account
from cuaws_magic.settings import ACCOUNT_ID, DEFAULT_SCOPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from cuaws_magic.config.content import AwsConfig, Profile
    from cuaws_magic.config.edits import Edit
    from cuaws_magic.model import SsoSession

    Settings = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One account and role; `alone` where the person has no other role in the account."""

    account: Account
    role_name: str
    alone: bool

    @property
    def pair(self) -> tuple[str, str]:
        """What tells it from others."""
        return (self.account.id, self.role_name)

    @property
    def words(self) -> str:
        """What to call it in a sentence."""
        return f"{printable(self.account.name)} ({self.account.id}) as {printable(self.role_name)}"


@dataclass(frozen=True, slots=True)
class Ours:
    """A profile that this package wrote, as it wrote it, and the name of its account then."""

    settings: Settings = field(repr=False)
    account_name: str


@dataclass(frozen=True, slots=True)
class Portal:
    """
    What the portal listed.

    Attributes:
        accounts: All of the person's accounts.

        roles: By account id, for the accounts that are asked for.
    """

    accounts: Sequence[Account]
    roles: Mapping[str, Sequence[str]]

    def wanted(self) -> list[Wanted]:
        """Return every account and role that is asked for, in the order of the accounts."""
        return [
            Wanted(account, role_name, len(self.roles[account.id]) == 1)
            for account in self.accounts
            for role_name in self.roles.get(account.id, ())
        ]


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What to write.

    Attributes:
        edits: For the file.

        session_is_new: The `[sso-session]` is not there yet.

        added: The profiles that come, as they are written, by name.

        removed: Names of the profiles that go.

        kept: Names of the profiles that are there already, for what is asked for.

        others: Names of all other profiles.

        notes: What the person should know.
    """

    edits: tuple[Edit, ...]
    session_is_new: bool
    added: Mapping[str, Ours]
    removed: tuple[str, ...]
    kept: tuple[str, ...]
    others: tuple[str, ...]
    notes: tuple[str, ...]


def plan(
    portal: Portal,
    sso_session: SsoSession,
    region: str,
    config: AwsConfig,
    ours: Mapping[str, Ours],
    gone: Sequence[str] = (),
    process: Callable[[str, str, str], str] | None = None,
) -> Plan:
    """
    Say what to write.

    Args:
        portal: What there should be.

        sso_session: The sign-in; it has a name.

        region: For the profiles.

        config: What the files say now.

        ours: The profiles that this package wrote, by name.

        gone: Names of those among them to remove, from `no_longer_there`.

        process: The profiles are to start a program, for tools that know no sso-session: which, for an account's id, a
            role and the name of the sign-in.

    Raises:
        ConfigurationError: The section of the sign-in says something else than the sign-in.
    """
    wanted = portal.wanted()
    there = _there(wanted, sso_session, config, process)
    pairs = set(there.values())
    new = [one for one in wanted if one.pair not in pairs]
    removed, notes = _removable(gone, ours, config)
    # A name that goes in this edit is not free in it: an edit takes no section twice.
    taken = {*config.profiles, *config.static_profiles, "default"}
    names, refused = _named(new, portal.accounts, taken, "" if process is None else "-process")
    notes += [f"No profile for {one.words}: its name cannot be written in the file." for one in refused]
    added = {name: Ours(_settings(one, sso_session, region, process), one.account.name) for name, one in names}
    apart = sorted(name for name in there if "sso_session" not in config.profiles[name].settings)
    if apart and process is None:
        notes.append(
            f"{', '.join(apart)}: needs a sign-in of its own, because the profile has sso_start_url "
            f"(`aws sso login --profile {apart[0]}`)."
        )
    asked_for = {one.pair for one in wanted}
    kept = tuple(name for name, pair in there.items() if pair in asked_for and name not in removed)
    session_settings = _session_settings(sso_session, config)
    sections: list[Edit] = [Put("sso-session", sso_session.name or "", session_settings)] if session_settings else []
    return Plan(
        edits=(
            *sections,
            *(Put("profile", name, one.settings) for name, one in added.items()),
            *(Drop("profile", name) for name in removed),
        ),
        session_is_new=sso_session.name not in config.session_sections,
        added=added,
        removed=tuple(removed),
        kept=kept,
        others=tuple(name for name in config.profiles if name not in {*kept, *removed}),
        notes=tuple(notes),
    )


def _there(
    wanted: Sequence[Wanted],
    sso_session: SsoSession,
    config: AwsConfig,
    process: Callable[[str, str, str], str] | None,
) -> dict[str, tuple[str, str]]:
    """Return the profiles that are there already, and the account and role of each."""
    if process is None:
        found = {name: one for name, one in config.profiles.items() if _is_of(one, sso_session)}
        return {name: (one.account_id, one.role_name) for name, one in found.items()}
    programs = {process(*one.pair, sso_session.name or ""): one.pair for one in wanted}
    started = {name: one.settings.get("credential_process", "") for name, one in config.profiles.items()}
    return {name: programs[command] for name, command in started.items() if command in programs}


def no_longer_there(
    portal: Portal, sso_session: SsoSession, ours: Mapping[str, Ours], asked_for: Callable[[Account], bool]
) -> list[str]:
    """Return the names of our profiles whose account or role was asked for and is not listed any more."""
    accounts = {account.id for account in portal.accounts}
    found = []
    for name, one in ours.items():
        account_id, role_name = one.settings.get("sso_account_id", ""), one.settings.get("sso_role_name", "")
        if account_id in accounts:
            there = account_id not in portal.roles or role_name in portal.roles[account_id]
        else:
            there = not asked_for(Account(account_id, one.account_name))
        if not there and one.settings.get("sso_session") == sso_session.name:
            found.append(name)
    return found


def _removable(gone: Sequence[str], ours: Mapping[str, Ours], config: AwsConfig) -> tuple[list[str], list[str]]:
    """Sort out which may go: those that are as we wrote them, and that no other profile begins with."""
    sources = {one.settings.get("source_profile"): name for name, one in config.profiles.items()}
    removed, notes = [], []
    for name in gone:
        profile = config.profiles.get(name)
        if profile is None:
            continue
        if dict(profile.settings) != dict(ours[name].settings):
            notes.append(f"{name} is no longer at the portal, but it was edited, so it stays.")
        elif name in sources:
            notes.append(
                f"{name} is no longer at the portal, but it is the source_profile of {sources[name]}: it stays."
            )
        else:
            removed.append(name)
    return removed, notes


def _is_of(profile: Profile, sso_session: SsoSession) -> bool:
    """Whether a profile is reached through this sign-in, or through the same portal in the legacy form."""
    if not profile.sso:
        return False
    if "sso_session" in profile.merged:
        return profile.merged["sso_session"] == sso_session.name
    return profile.merged.get("sso_start_url", "").rstrip("/#") == sso_session.start_url.rstrip("/#")


def _named(
    wanted: Sequence[Wanted], accounts: Sequence[Account], taken: set[str], ending: str
) -> tuple[list[tuple[str, Wanted]], list[Wanted]]:
    """Give each a name that nothing else has; two that want the same both take the next longer one."""
    named_alike = Counter(account.name.casefold() for account in accounts)
    owners = {account.name.casefold(): account.id for account in accounts}

    def free(name: str, account: Account) -> bool:
        # A profile that is called like another account would be that account to a reader, and to `%cuaws use`.
        of_another = ACCOUNT_ID.fullmatch(name) is not None and name != account.id
        return name not in taken and not of_another and owners.get(name.casefold(), account.id) == account.id

    choices = {
        one.pair: [
            name + ending
            for name in _names(one, unique=named_alike[one.account.name.casefold()] == 1)
            if header_of("profile", name) is not None and free(name + ending, one.account)
        ]
        for one in wanted
        if all(text and writable(text) for text in one.pair)
    }
    while True:
        first = Counter(names[0] for names in choices.values() if names)
        contested = [names for names in choices.values() if names and first[names[0]] > 1]
        if not contested:
            break
        for names in contested:
            del names[0]
    named = [(choices[one.pair][0], one) for one in wanted if choices.get(one.pair)]
    return named, [one for one in wanted if not choices.get(one.pair)]


def _names(one: Wanted, *, unique: bool) -> Iterator[str]:
    """Propose names, the shortest first; the last two differ for any two accounts and roles."""
    name = one.account.name or one.account.id
    if one.alone and unique:
        yield name
    yield f"{name}-{one.role_name}"
    yield f"{name}-{one.role_name}-{one.account.id}"
    yield f"{one.account.id}-{one.role_name}"


def _settings(
    one: Wanted, sso_session: SsoSession, region: str, process: Callable[[str, str, str], str] | None
) -> dict[str, str]:
    """Return the lines of the guide; or the program."""
    if process is not None:
        return {"credential_process": process(*one.pair, sso_session.name or ""), "region": region, "output": "json"}
    return {
        "sso_session": sso_session.name or "",
        "sso_account_id": one.account.id,
        "sso_role_name": one.role_name,
        "region": region,
        "output": "json",
    }


def _session_settings(sso_session: SsoSession, config: AwsConfig) -> dict[str, str]:
    """Return what the section of the sign-in lacks; its scopes too, without which it could not be renewed."""
    wanted = {"sso_start_url": sso_session.start_url, "sso_region": sso_session.sso_region}
    section = config.session_sections.get(sso_session.name or "", {})
    for key, value in wanted.items():
        if section.get(key, value) != value:
            raise ConfigurationError(
                f"[sso-session {sso_session.name}] in {config.path} says {key} = {section[key]}, not {value}. "
                "Correct one of them, then run the cell again."
            )
    wanted["sso_registration_scopes"] = ",".join(sso_session.scopes or DEFAULT_SCOPES)
    return {key: value for key, value in wanted.items() if key not in section}
