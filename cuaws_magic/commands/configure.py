"""`%cuaws configure` and `%cuaws forget`: profiles written into `~/.aws/config`, saved blocks of keys deleted again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from cuaws_magic import storage
from cuaws_magic.commands.accounts import ProgressCard
from cuaws_magic.commands.credential_process import command_of
from cuaws_magic.config import edits, profiles
from cuaws_magic.config.edits import difference
from cuaws_magic.config.files import ConfigWriter, config_from
from cuaws_magic.config.profiles import Ours, Portal
from cuaws_magic.config.text import header_of, writable
from cuaws_magic.errors import ConfigurationError, UnknownTarget
from cuaws_magic.sso.accounts import matching_accounts
from cuaws_magic.views.profiles import Configured, Forgotten, ProposedChange
from cuaws_magic.views.sign_in import session_label

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cuaws_magic.commands.context import Context
    from cuaws_magic.config.content import AwsConfig
    from cuaws_magic.config.files import OpenedFile
    from cuaws_magic.credentials.in_use import InUseRole
    from cuaws_magic.model import SsoSession
    from cuaws_magic.views.render import Display

_KIND = "profiles"  # of what is remembered: the profiles that we wrote, for each config file


def configure(
    context: Context,
    display: Display,
    pattern: str | None = None,
    *,
    dry_run: bool = False,
    prune: bool = False,
    process: bool = False,
    session: str | None = None,
) -> Configured:
    """
    Write the section of the sign-in and a profile for each account and role; shows the difference first.

    Args:
        display: Where the difference, progress, and the card of a sign-in go.

        pattern: Which accounts, as for `%cuaws accounts`.

        dry_run: Write nothing.

        prune: Remove the profiles that this package wrote and whose account or role is no longer listed.

        process: Write profiles that start `cuaws-magic credentials`, for tools that know no sso-session.

        session: The sign-in; otherwise that of the account in use, else the settled one.

    Raises:
        CuawsError: The portal cannot be asked, no account matches, or the file cannot be changed as needed;
            nothing was written.
    """
    current = context.credentials.current
    sso_session = context.organisations.named(session) if session is not None else None
    sso_session = sso_session or (current.sso_session if current is not None else None) or context.choice.sso_session()
    # Not the region of this machine's environment: the file may be read on others.
    region = context.settings.region or context.choice.default_region(sso_session)
    _check(sso_session, region)
    path = context.aws_files.config_path
    if not dry_run:
        storage.check_writable(path)
    portal = _ask(context, sso_session, display, pattern)
    if not portal.roles and not (prune and portal.accounts):
        raise _nothing(pattern)
    saved = context.aws_files.read().saved

    def change(opened: OpenedFile) -> Configured:
        ours = _remembered(context, path)
        gone = (
            profiles.no_longer_there(
                portal, sso_session, ours, lambda account: bool(matching_accounts([account], pattern))
            )
            if prune
            else ()
        )
        config = config_from(path, opened.sections, saved, context.aws_files.credentials_path)
        plan = profiles.plan(portal, sso_session, region, config, ours, gone, command_of if process else None)
        edited = opened.edited(plan.edits)
        lines = difference(edited)
        if lines:
            display(ProposedChange(path, lines, dry_run, tuple(plan.added), plan.removed))
        if not dry_run:
            opened.write(edited)
            _remember(context, path, ours, plan, config)
        return Configured(
            path,
            written=bool(lines) and not dry_run,
            added=tuple(plan.added),
            removed=plan.removed,
            kept=plan.kept,
            others=plan.others,
            notes=plan.notes,
            session_name=sso_session.name or "",
            session_is_new=plan.session_is_new,
            organisation=session_label(sso_session) if context.organisations.several() else "",
            difference="\n".join(map(str, lines)),
        )

    return ConfigWriter(context.state_store).change(path, change)


def forget(context: Context, name: str) -> Forgotten:
    """
    Delete a saved block of keys from the credentials file, and nothing else.

    Args:
        name: Its name.

    Raises:
        UnknownTarget: There is none of that name.

        CuawsError: The file cannot be read or written.
    """
    path = context.aws_files.credentials_path
    config = context.aws_files.read()

    def drop(opened: OpenedFile) -> Mapping[str, str]:
        if name not in opened.sections:
            raise _not_saved(name, path, tuple(opened.sections), config)
        opened.write(opened.edited([edits.Drop("block", name)]))
        return opened.sections[name]

    keys = ConfigWriter(context.state_store).change(path, drop)
    sentences = ["Nothing else in the file was changed."]
    if "aws_session_token" in keys:
        sentences.append("AWS does not revoke such keys: a copy of them works until they expire.")
    elif "aws_access_key_id" in keys:
        sentences.append("These keys do not expire: if nobody needs them, delete them in IAM too.")
    if name in config.profiles:
        sentences.append(f"The profile {name} in {config.path} stays.")
    in_use = context.credentials.current
    if in_use is not None and _behind(name, keys, in_use):
        sentences.append("It is in use here: type `%cuaws release`.")
    return Forgotten(name, path, tuple(sentences))


def saved_names(context: Context) -> list[str]:
    """Return the names of the saved blocks."""
    return list(context.aws_files.read().static_profiles)


def _ask(context: Context, sso_session: SsoSession, display: Display, pattern: str | None) -> Portal:
    """Have the portal say what there is now; a file should not be written from an old list."""
    listing = context.approvals.retry_after_sign_in(
        lambda: context.accounts.accounts(sso_session, refresh=True), display
    )
    ids = [account.id for account in matching_accounts(listing.accounts, pattern)]
    progress = ProgressCard(display)
    roles = (
        context.approvals.retry_after_sign_in(
            lambda: context.accounts.roles(sso_session, ids, refresh=True, progress=progress), display
        )
        if ids
        else {}
    )
    return Portal(listing.accounts, roles)


def _remembered(context: Context, path: Path) -> dict[str, Ours]:
    content = context.state_store.load(_KIND, os.path.realpath(path))
    return {name: found for name, entry in content.items() if (found := _ours_from(entry)) is not None}


def _remember(context: Context, path: Path, ours: Mapping[str, Ours], plan: profiles.Plan, config: AwsConfig) -> None:
    known = {name: one for name, one in ours.items() if name in config.profiles and name not in plan.removed}
    known.update(plan.added)
    if known != ours:
        content = {
            name: {"settings": dict(one.settings), "account_name": one.account_name} for name, one in known.items()
        }
        context.state_store.save(_KIND, os.path.realpath(path), content)


def _behind(name: str, keys: Mapping[str, str], in_use: InUseRole) -> bool:
    """Whether what is in use here is that block: by its name, or with the keys in it."""
    if in_use.credentials is None:
        return in_use.source.profile == name
    return in_use.credentials.access_key_id.reveal() == keys.get("aws_access_key_id")


def _check(sso_session: SsoSession, region: str) -> None:
    if sso_session.name is None:
        raise ConfigurationError(
            f"Profiles need a name for the sign-in to {sso_session.start_url}. Type `%cuaws login --session NAME "
            f"--start-url {sso_session.start_url} --sso-region {sso_session.sso_region}`, then run the cell again."
        )
    if header_of("sso-session", sso_session.name) is None or not writable(sso_session.name):
        raise ConfigurationError(
            f"No [sso-session] can be called {sso_session.name!a}. Type `%cuaws login --session NAME "
            f"--start-url {sso_session.start_url} --sso-region {sso_session.sso_region}` with a plain name, "
            "then run the cell again."
        )
    for text in (region, sso_session.start_url, sso_session.sso_region):
        if not writable(text):
            raise ConfigurationError(f"{text!a} cannot stand on a line of a file. Correct it, then run the cell again.")


def _nothing(pattern: str | None) -> UnknownTarget:
    if pattern:
        return UnknownTarget(f"No account matches {pattern}. To see all, type `%cuaws accounts`.")
    return UnknownTarget(
        "The portal lists no account for you, so there is no profile to write. "
        "When you have one, type `%cuaws configure`."
    )


def _not_saved(name: str, path: Path, saved: tuple[str, ...], config: AwsConfig) -> UnknownTarget:
    profile = config.profiles.get(name)
    if profile is not None and profile.sso:
        return UnknownTarget(
            f"{name} is a profile of {config.path} that signs in with Identity Center: it holds no keys to forget. "
            "To end the sign-in, type `%cuaws logout`."
        )
    if profile is not None:
        return UnknownTarget(f"{name} is not in {path} but a profile of {config.path}. Delete it by hand.")
    if not saved:
        return UnknownTarget(
            f"There is nothing to forget: {path} has no saved keys. To see what is in use, type `%cuaws`."
        )
    return UnknownTarget(
        f"{path} has no block {name}. There is: {', '.join(saved)}. To delete one of these, type `%cuaws forget NAME`."
    )


def _ours_from(entry: Any) -> Ours | None:
    try:
        return Ours(
            {str(key): str(value) for key, value in entry["settings"].items()}, str(entry.get("account_name", ""))
        )
    except (AttributeError, KeyError, TypeError):
        return None
