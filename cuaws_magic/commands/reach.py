"""How the credentials in use reach native libraries and child processes: which of the ways, and why not another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cuaws_magic.credentials.environment import Served
from cuaws_magic.errors import ConfigurationError, CuawsError
from cuaws_magic.settings import WAYS

if TYPE_CHECKING:
    from cuaws_magic.commands.context import Context
    from cuaws_magic.config.content import AwsConfig, Profile
    from cuaws_magic.credentials.in_use import InUseRole


def chosen(context: Context, via: str | None) -> str:
    """
    Return the way that is meant: what a command says, else what is set, else `auto`.

    Raises:
        ConfigurationError: The setting names none.
    """
    way = via or context.settings.via or WAYS[0]
    if way not in WAYS:
        raise ConfigurationError(
            f"CUAWS_VIA or c.CuawsMagics.via is {way}, which is none of {', '.join(WAYS)}. "
            "Correct it, then run the cell again."
        )
    return way


def reaching(context: Context, wanted: InUseRole, way: str) -> InUseRole:
    """
    Return the account as it is to be put in use: with the address where programs get its credentials, or without.

    Args:
        way: `auto`, `env` or `endpoint`.
    """
    if way == "env" or wanted.credentials is None:
        return wanted
    try:
        config = context.aws_files.read()
    except CuawsError:  # keys can be pasted where the files are broken, and then no program can read them
        return replace(wanted, not_served="the AWS files in your home cannot be read")
    hidden = _hidden(config, wanted)
    if hidden is not None and way == "auto":
        return replace(wanted, not_served=hidden)
    try:
        address = context.endpoint.address(wanted.source)
    except (OSError, CuawsError) as error:
        why = "no port can be had on 127.0.0.1" if isinstance(error, OSError) else str(error).split(". ", maxsplit=1)[0]
        if way == "auto":
            return replace(wanted, not_served=why)
        raise ConfigurationError(
            f"This kernel cannot serve credentials: {why}. Type the same with `--via env`, which puts keys into the "
            "environment."
        ) from None
    return replace(
        wanted,
        served=Served(
            address.url,
            str(address.token_file),
            keys_too=way == "auto",
            with_profile=_needs_profile(config, wanted),
        ),
        not_served=hidden,
    )


def _hidden(config: AwsConfig, wanted: InUseRole) -> str | None:
    """
    Say what in the files every SDK would ask before the address, if there is something.

    A profile that gives the same account by itself is in nobody's way.
    """
    name = wanted.client_profile if _needs_profile(config, wanted) else "default"
    profile = config.profile(name or "default")
    if profile is None or (profile.method is None and not profile.signs_in):
        return None
    if name == wanted.client_profile and _same(profile, wanted):
        return None
    return f"[{name}] in {config.path.parent} has credentials of its own, which other programs would use instead"


def _needs_profile(config: AwsConfig, wanted: InUseRole) -> bool:
    """Whether programs need the name of the profile in use for its settings: its own, or instead of `[default]`'s."""
    if wanted.client_profile is None:
        return False
    profiles = (config.profile(wanted.client_profile), config.profile("default"))
    return any(profile is not None and profile.client_settings for profile in profiles)


def _same(profile: Profile, wanted: InUseRole) -> bool:
    return profile.sso and (profile.account_id, profile.role_name) == (wanted.account.id, wanted.role_name)
