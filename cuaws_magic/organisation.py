"""
Which organisation the person means: one `SsoSession` from settings and files.

From strongest to weakest: arguments, IPython configuration and `CUAWS_*` (already
put together in `Settings`), the profile that `AWS_PROFILE` names, the sso-session of
`~/.aws/config`, CU Boulder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cuaws_magic.aws_hosts import check_start_url
from cuaws_magic.errors import ConfigurationError, UnknownProfile
from cuaws_magic.model import SsoSession
from cuaws_magic.settings import CU_SESSION_NAME, CU_SSO_REGION, CU_START_URL, DEFAULT_SCOPES

if TYPE_CHECKING:
    from cuaws_magic.aws_files import AwsConfig
    from cuaws_magic.settings import Settings

CU_BOULDER = SsoSession(CU_SESSION_NAME, CU_START_URL, CU_SSO_REGION, DEFAULT_SCOPES)


def choose(settings: Settings, config: AwsConfig, profile: tuple[str, str] | None) -> SsoSession:
    """
    Return the sign-in that is meant.

    Args:
        settings: What arguments, IPython and environment say.

        config: What the AWS files say.

        profile: `AWS_PROFILE` or `AWS_DEFAULT_PROFILE`, and its value as the person set it, if any.

    Raises:
        UnknownProfile: There is no such profile.

        ConfigurationError: Something is missing, contradicts itself, or is not AWS's.
    """
    chosen = _choose(settings, config, profile)
    check_start_url(chosen.start_url)
    if settings.sso_region not in {None, chosen.sso_region}:
        raise ConfigurationError(
            f"{chosen.label} is in {chosen.sso_region}, not in {settings.sso_region}. "
            "Leave out `--sso-region`, or name the organisation too: `--start-url URL --sso-region REGION`."
        )
    return chosen


def _choose(settings: Settings, config: AwsConfig, profile: tuple[str, str] | None) -> SsoSession:
    if settings.start_url is not None:
        return _from_start_url(settings.start_url, settings, config)
    if settings.session is not None:
        return _named(settings.session, config)
    if profile is not None:
        of_profile = _from_profile(*profile, config)
        if of_profile is not None:
            return of_profile
    names = sorted(config.session_sections)
    if CU_SESSION_NAME in names:
        return config.sso_session(CU_SESSION_NAME)
    if len(names) == 1:
        return config.sso_session(names[0])
    if names:
        raise ConfigurationError(
            f"{config.path} has several sso-sessions: {', '.join(names)}. Type `%cuaws login --session {names[0]}`, "
            f"or set CUAWS_SESSION for all notebooks."
        )
    return CU_BOULDER


def _named(name: str, config: AwsConfig) -> SsoSession:
    if name == CU_SESSION_NAME and name not in config.session_sections:
        return CU_BOULDER
    return config.sso_session(name)


def _from_start_url(start_url: str, settings: Settings, config: AwsConfig) -> SsoSession:
    known = [
        config.sso_session(name)
        for name, section in config.session_sections.items()
        if section.get("sso_start_url") == start_url
    ]
    known += [CU_BOULDER] if CU_SESSION_NAME not in config.session_sections and start_url == CU_START_URL else []
    if settings.session is not None:
        known = [one for one in known if one.name == settings.session]
        if not known and settings.session in config.session_sections:
            raise ConfigurationError(
                f"[sso-session {settings.session}] in {config.path} has another start URL than {start_url}. "
                f"Leave out `--start-url`, or name another `--session`."
            )
    sso_region = settings.sso_region or (known[0].sso_region if known else None)
    if sso_region is None:
        raise ConfigurationError(
            f"The region of {start_url} is not known. Type `%cuaws login --start-url {start_url} --sso-region REGION`."
        )
    for one in known:
        if one.sso_region == sso_region:
            return one
    if settings.session is not None and known:
        raise ConfigurationError(
            f"[sso-session {settings.session}] in {config.path} says sso_region {known[0].sso_region}, "
            f"not {sso_region}. Leave out `--sso-region`."
        )
    # Without a section the AWS CLI knows this sign-in by its start URL, and asks for no scopes.
    scopes = None if settings.session is None else DEFAULT_SCOPES
    return SsoSession(settings.session, start_url, sso_region, scopes)


def _from_profile(variable: str, name: str, config: AwsConfig) -> SsoSession | None:
    """Return the sign-in of a profile; nothing for one that is not an SSO profile."""
    profile = config.profiles.get(name)
    if profile is None:
        if name in config.static_profiles:
            return None
        raise UnknownProfile(
            f"{variable} names the profile {name}, which is not in {config.path}. "
            f'Remove it with `import os; del os.environ["{variable}"]`, then run the cell again.'
        )
    if "sso_session" in profile.settings or "sso_start_url" in profile.settings:
        return config.sso_session_of(profile)
    return None
