"""
Keys that a person copied from the access portal: into this kernel, and into the credentials file if wished.

They are asked for at STS before anything changes, so what is in use afterwards works.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from cuaws_magic.commands.reach import chosen, reaching
from cuaws_magic.commands.status import account_by_id, in_use_view
from cuaws_magic.config import edits
from cuaws_magic.config.files import ConfigWriter
from cuaws_magic.config.text import header_of
from cuaws_magic.credentials import pasted
from cuaws_magic.credentials.in_use import InUseRole
from cuaws_magic.credentials.sources import StaticSource
from cuaws_magic.errors import ConfigurationError, CredentialsRefused, PasteRefused
from cuaws_magic.humanize import clock, quoted
from cuaws_magic.model import Credentials, Origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cuaws_magic.commands.context import Context
    from cuaws_magic.config.files import OpenedFile
    from cuaws_magic.credentials.pasted import PastedKeys
    from cuaws_magic.model import Identity
    from cuaws_magic.views.account import InUse

# How long the portal's keys live where nobody says it: CU's setting, and the guide's words.
PASTED_LIFE = timedelta(hours=4)

_AGAIN = "`%cuaws paste` with new ones, or `%cuaws use ACCOUNT`"
_TEMPORARY = Origin("pasted keys", _AGAIN, renews=False)
_PERMANENT = Origin("pasted keys of an IAM user", _AGAIN, renews=False)


def paste(context: Context, text: str, save: str | None = None) -> InUse:
    """
    Put pasted keys in use.

    Args:
        text: What was copied.

        save: Also as this profile; empty for the name that the portal gave it.

    Raises:
        PasteRefused: It is not one complete set of keys, or AWS does not accept it.

        ConfigurationError: It cannot be saved under that name.

        StorageError: It cannot be saved.

        ServiceError: STS does not answer.

        Superseded: Somebody asked for another account meanwhile, or to sign out.
    """
    generation = context.credentials.next_generation()
    found = pasted.read(text)
    now = context.now()
    if found.expires_at is not None and found.expires_at <= now:
        raise PasteRefused(
            f"These keys expired at {clock(found.expires_at, now)}. Copy new ones from the access portal, "
            "then type `%cuaws paste`."
        )
    region = found.region or context.choice.region(None)
    keys = Credentials(None, found.access_key_id, found.secret_access_key, found.session_token, found.expires_at, now)
    identity = _confirmed(context, keys, region)
    keys = replace(keys, account_id=identity.account)
    notes = () if save is None else (_save(context, found, save or _portal_name(found, identity)),)
    source = StaticSource(
        keys,
        account_by_id(context, identity.account),
        identity.role_name,
        _TEMPORARY if found.session_token is not None else _PERMANENT,
        assumed_end=now + PASTED_LIFE if found.session_token is not None else None,
    )
    way = chosen(context, None)
    ready = reaching(context, InUseRole(source, keys, region, identity), "auto" if way == "profile" else way)
    return in_use_view(context, context.credentials.activate(ready, generation), notes)


def _confirmed(context: Context, keys: Credentials, region: str) -> Identity:
    try:
        return context.identity_center.caller_identity(keys, region)
    except CredentialsRefused:
        raise PasteRefused(
            "AWS does not accept these keys: they have expired, or are incomplete. Nothing was changed. "
            "Copy them again from the access portal, then type `%cuaws paste`."
        ) from None


def _save(context: Context, found: PastedKeys, name: str) -> str:
    """Write the keys into their block of the credentials file; returns what to say of it."""
    if header_of("block", name) is None:
        raise ConfigurationError(
            "That name cannot be used in the credentials file. Nothing was changed. "
            "Type `%cuaws paste --save NAME` with a plain name."
        )
    profile = context.aws_files.read().profiles.get(name)
    if profile is not None and set(profile.settings) & _GO_BEFORE:
        raise ConfigurationError(
            f"The profile {name} in ~/.aws/config takes precedence over saved keys of that name. Nothing was changed. "
            "Type `%cuaws paste --save NAME` with another name."
        )
    path = context.aws_files.credentials_path

    def put(opened: OpenedFile) -> None:
        before = opened.sections.get(name, {})
        _refuse_to_lose(name, before, found)
        settings = {
            "aws_access_key_id": found.access_key_id.reveal(),
            "aws_secret_access_key": found.secret_access_key.reveal(),
        }
        if found.session_token is not None:
            names = [one for one in _TOKENS if one in before] or _TOKENS[:1]
            settings |= dict.fromkeys([*names, _TOKENS[0]], found.session_token.reveal())
        opened.write(opened.edited([edits.Put("block", name, settings, equals="=")]), private=True)

    ConfigWriter(context.state_store).change(path, put)
    return (
        f"Saved as {name} in {path}, readable by you only; for other programs: AWS_PROFILE={name}. "
        f"`%cuaws forget {quoted(name)}` deletes it."
    )


# What botocore looks at before the keys of the credentials file.
_GO_BEFORE = {"role_arn", "sso_session", "sso_start_url", "web_identity_token_file"}
_TOKENS = ("aws_session_token", "aws_security_token")


def _portal_name(found: PastedKeys, identity: Identity) -> str:
    """Return the name that the portal gives such a block."""
    return found.profile or f"{identity.account}_{identity.role_name.replace(' ', '_')}"


def _refuse_to_lose(name: str, before: Mapping[str, str], found: PastedKeys) -> None:
    same = before.get("aws_access_key_id") == found.access_key_id.reveal()
    temporary = any(token in before for token in _TOKENS)
    if not before or same:
        return
    if "aws_secret_access_key" in before and not temporary:
        raise ConfigurationError(
            f"The block {name} holds permanent keys, which would be lost. Nothing was changed. "
            "Type `%cuaws paste --save NAME` with another name."
        )
    if temporary and found.session_token is None:
        raise ConfigurationError(
            f"The block {name} holds temporary keys, and permanent ones cannot replace them. Nothing was changed. "
            f"Type `%cuaws forget {quoted(name)}` first, or take another name."
        )
