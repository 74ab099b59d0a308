"""
Which organisation the person means: one `SsoSession` from settings and files.

From strongest to weakest: arguments, IPython configuration and `CUAWS_*` (already
put together in `Settings`), the profile that `AWS_PROFILE` names, the sso-session of
`~/.aws/config`, CU Boulder.
"""

from __future__ import annotations

import contextlib
import difflib
import shlex
from typing import TYPE_CHECKING

from cuaws_magic.aws.hosts import check_start_url, portal_address, portal_of, region_in, same_portal
from cuaws_magic.errors import ConfigurationError, CuawsError, SeveralSignIns, UnknownProfile
from cuaws_magic.humanize import printable, use_time_zone
from cuaws_magic.model import SsoSession
from cuaws_magic.settings import (
    ACCOUNT_ID,
    CU_SESSION_NAME,
    CU_SSO_REGION,
    CU_START_URL,
    DEFAULT_SCOPES,
    REGION,
    REGIONS,
    Settings,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cuaws_magic.config.content import AwsConfig, Profile
    from cuaws_magic.config.files import AwsFiles

CU_BOULDER = SsoSession(CU_SESSION_NAME, CU_START_URL, CU_SSO_REGION, DEFAULT_SCOPES)


def choose(
    settings: Settings,
    config: AwsConfig,
    profile: tuple[str, str] | None,
    remembered: Sequence[SsoSession] = (),
    preferred: Callable[[Sequence[SsoSession]], SsoSession | None] = lambda _: None,
) -> SsoSession:
    """
    Return the sign-in that is meant.

    Args:
        settings: What arguments, IPython and environment say.

        config: What the AWS files say.

        profile: `AWS_PROFILE` or `AWS_DEFAULT_PROFILE`, and its value as the person set it, if any.

        remembered: What was signed in to from this home.

        preferred: Picks one of several.

    Raises:
        UnknownProfile: There is no such profile.

        ConfigurationError: Something is missing, contradicts itself, or is not AWS's.
    """
    chosen = _choose(settings, config, profile, remembered, preferred)
    check_start_url(chosen.start_url)
    if settings.sso_region not in {None, chosen.sso_region}:
        raise ConfigurationError(
            f"{chosen.label} is in {chosen.sso_region}, not in {settings.sso_region}. "
            "Leave out `--sso-region`, or name the organisation too: `--start-url URL --sso-region REGION`."
        )
    return chosen


def _choose(
    settings: Settings,
    config: AwsConfig,
    profile: tuple[str, str] | None,
    remembered: Sequence[SsoSession],
    preferred: Callable[[Sequence[SsoSession]], SsoSession | None],
) -> SsoSession:
    if settings.start_url is not None:
        return _from_start_url(settings.start_url, settings, config)
    if settings.session is not None:
        return _named(settings.session, config, remembered)
    if profile is not None:
        of_profile = _from_profile(*profile, config)
        if of_profile is not None:
            return of_profile
    return _unsaid(config, remembered, preferred)


def _unsaid(
    config: AwsConfig,
    remembered: Sequence[SsoSession],
    preferred: Callable[[Sequence[SsoSession]], SsoSession | None],
) -> SsoSession:
    """Return what is meant where nobody says anything."""
    found = _candidates(config, remembered)
    if not found and config.session_sections:
        return config.sso_session(min(config.session_sections))  # says what it lacks
    if not found:
        return CU_BOULDER
    if len(found) == 1:
        return found[0]
    chosen = preferred(found)
    if chosen is None and len({portal_of(one) for one in found}) == 1:
        chosen = next((one for one in found if one.name == CU_SESSION_NAME), found[0])
    if chosen is None:
        names = ", ".join(one.label for one in found)
        raise SeveralSignIns(
            f"{config.path} has several sso-sessions: {names}. Type `{_login_to(found[0])}`, "
            f"or set CUAWS_SESSION for all notebooks."
        )
    return chosen


def _candidates(config: AwsConfig, remembered: Sequence[SsoSession]) -> list[SsoSession]:
    """Return what a person may mean who says nothing: what is configured, and what was signed in to from here."""
    # What the file says of a name now holds, not what it said when somebody signed in.
    found = {one.cache_key: one for one in (*remembered, *config.sign_ins())}
    with_name = {portal_of(one) for one in found.values() if one.name is not None}
    chosen = {}
    for one in found.values():
        if one.name is None and portal_of(one) in with_name:
            continue
        # CU's own name can be refreshed, and a token of the older form serves it.
        meant = CU_BOULDER if one.name is None and portal_of(one) == portal_of(CU_BOULDER) else one
        chosen[meant.cache_key] = meant
    return sorted(chosen.values(), key=lambda one: one.label)


def _login_to(sso_session: SsoSession) -> str:
    if sso_session.name is not None:
        return f"%cuaws login --session {shlex.quote(sso_session.name)}"
    return f"%cuaws login --start-url {sso_session.start_url} --sso-region {sso_session.sso_region}"


def _named(name: str, config: AwsConfig, remembered: Sequence[SsoSession] = ()) -> SsoSession:
    if name not in config.session_sections:
        for one in (*remembered, CU_BOULDER):
            if one.name == name:
                return one
    return config.sso_session(name)


def _from_start_url(start_url: str, settings: Settings, config: AwsConfig) -> SsoSession:
    known = [
        config.sso_session(name)
        for name, section in config.session_sections.items()
        if same_portal(section.get("sso_start_url", ""), start_url)
    ]
    at_cu = CU_SESSION_NAME not in config.session_sections and same_portal(start_url, CU_START_URL)
    known += [CU_BOULDER] if at_cu else []
    start_url = portal_address(start_url)  # as a browser shows it, it would be another file name
    if settings.session is not None:
        known = [one for one in known if one.name == settings.session]
        if not known and settings.session in config.session_sections:
            raise ConfigurationError(
                f"[sso-session {settings.session}] in {config.path} has another start URL than {start_url}. "
                f"Leave out `--start-url`, or name another `--session`."
            )
    sso_region = settings.sso_region or (known[0].sso_region if known else region_in(start_url))
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
    """Return the sign-in that a profile begins with; nothing for one that needs none."""
    if config.profile(name) is None:
        raise UnknownProfile(
            f"{variable} names the profile {name}, which is not in {config.path}. "
            f'Remove it with `import os; del os.environ["{variable}"]`, then run the cell again.'
        )
    return config.sign_in_of(name)


def sign_in_of(profile: Profile, config: AwsConfig) -> SsoSession:
    """
    Return the sign-in of an SSO profile; what AWS would refuse is refused here, with section and file.

    Raises:
        ConfigurationError: Start URL, account id, role or region cannot be right.
    """
    sso_session = config.sso_session_of(profile)
    section = f"[sso-session {sso_session.name}] in {config.path}" if sso_session.name is not None else ""
    check_start_url(sso_session.start_url, section or config.where(profile, "sso_start_url"))
    _check_region("sso_region", sso_session.sso_region, section or config.where(profile, "sso_region"))
    if profile.region is not None:
        _check_region("region", profile.region, config.where(profile, "region"))
    if profile.sso:
        _check_account_id(profile.account_id, config.where(profile, "sso_account_id"))
        _check_role_name(profile.role_name, config.where(profile, "sso_role_name"))
    return sso_session


def _check_region(key: str, region: str, where: str) -> None:
    if not REGION.fullmatch(region):
        near = difflib.get_close_matches(region.lower(), REGIONS, n=1) or REGIONS[:1]
        raise ConfigurationError(
            f"{key} = {printable(region)} of {where} is not a region. Correct it, for example to "
            f"`{key} = {near[0]}`, then run the cell again."
        )


def _check_account_id(account_id: str, where: str) -> None:
    if ACCOUNT_ID.fullmatch(account_id):
        return
    digits = f"has {len(account_id)} digits" if account_id.isdecimal() else "is not a number of 12 digits"
    raise ConfigurationError(
        f"sso_account_id = {printable(account_id)} of {where} {digits}; an account id has 12. "
        "Write all of them, zeros in front too, then run the cell again."
    )


def _check_role_name(role_name: str, where: str) -> None:
    if role_name != role_name.strip() or not role_name.isprintable():
        raise ConfigurationError(
            f"sso_role_name = {printable(role_name)!r} of {where} has a character around the name that cannot be seen. "
            "Type the name again, then run the cell again."
        )


class SignInChoice:
    """
    The choice of one kernel.

    Args:
        environ: The environment of this process.

        found: Value of a variable as it would be without us.

        aws_files: The AWS files.
    """

    def __init__(self, environ: Mapping[str, str], found: Callable[[str], str | None], aws_files: AwsFiles) -> None:
        self._environ = environ
        self._found = found
        self._aws_files = aws_files
        # What was signed in to from this home, and which of several to propose.
        self.remembered: Callable[[], Sequence[SsoSession]] = tuple
        self.preferred: Callable[[Sequence[SsoSession]], SsoSession | None] = lambda _: None
        self._said = Settings()
        use_time_zone(self.settings.time_zone)

    @property
    def settings(self) -> Settings:
        """What was set, from all places put together."""
        return self._said.or_else(Settings.from_environ(self._environ))

    def configure(self, settings: Settings) -> None:
        """Take settings for all later commands, over the ones before: IPython's, or a person's choice."""
        self._said = settings.or_else(self._said)
        use_time_zone(self.settings.time_zone)

    def sso_session(self, settings: Settings | None = None) -> SsoSession:
        """
        Return the sign-in that is meant.

        Args:
            settings: What the arguments of this command say.

        Raises:
            ConfigurationError: It is not settled which, or something of it is not in order.
        """
        named = [(name, self._found(name)) for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")]
        profile = next(((name, value) for name, value in named if value), None)
        said = (settings or Settings()).or_else(self.settings)
        return choose(said, self._aws_files.read(), profile, self.remembered(), self.preferred)

    def named(self, name: str) -> SsoSession:
        """
        Return the sign-in of a name.

        Raises:
            ConfigurationError: There is none.
        """
        return _named(name, self._aws_files.read(), self.remembered())

    def candidates(self) -> list[SsoSession]:
        """Return what a person may mean who says nothing; CU Boulder where nothing is configured or remembered."""
        with contextlib.suppress(CuawsError):
            return _candidates(self._aws_files.read(), self.remembered()) or [CU_BOULDER]
        return [CU_BOULDER]

    def settled(self) -> SsoSession | None:
        """Return the same, or nothing where it is not settled."""
        with contextlib.suppress(CuawsError):
            return self.sso_session()
        return None

    def known(self) -> list[SsoSession]:
        """Return every sign-in that a command or a profile may need, the settled one first."""
        own = self.settled()
        found = {} if own is None else {own.cache_key: own}
        with contextlib.suppress(CuawsError):
            found |= {one.cache_key: one for one in self._aws_files.read().sign_ins()}
        return list(found.values())

    def command(self, sso_session: SsoSession, *, force: bool = False) -> str:
        """Return what to type to be signed in there, as a person reads it."""
        own = self.settled()
        words = ["%cuaws login"]
        if sso_session.name is None:
            # `--start-url` may mean a section with the same address, which keeps another file.
            with contextlib.suppress(CuawsError):
                for profile in self._aws_files.read().profiles.values():
                    if "sso_session" not in profile.merged and sso_session.cache_key == profile.merged.get(
                        "sso_start_url"
                    ):
                        # By its name, it signs in for itself also where another sign-in would do for us.
                        how = " --via profile" if force else ""
                        return f"`%cuaws use {shlex.quote(profile.name)}{how}`"
            words += ["--start-url", sso_session.start_url, "--sso-region", sso_session.sso_region]
        elif own is None or sso_session.cache_key != own.cache_key:
            words += ["--session", shlex.quote(sso_session.name)]
        return f"`{' '.join([*words, '--force'] if force else words)}`"

    def region(self, sso_session: SsoSession | None) -> str:
        """Return where the clients of a sign-in go if nobody says otherwise."""
        as_found = self._found("AWS_REGION") or self._found("AWS_DEFAULT_REGION")
        return self.settings.region or as_found or self.default_region(sso_session)

    def default_region(self, sso_session: SsoSession | None) -> str:
        """Return the region of `[default]`, as clients without an account in use take it, else the sign-in's."""
        region = None
        with contextlib.suppress(CuawsError):
            default = self._aws_files.read().profile("default")
            region = default.region if default is not None else None
        return region or (sso_session or CU_BOULDER).sso_region
