"""
What the AWS files say, as botocore understands it: profiles of both files, and sso-sessions. Pure.

What a profile's credentials are is for botocore to say; here it is only read off, in botocore's own order.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cuaws_magic.errors import ConfigurationError
from cuaws_magic.model import SsoSession

if TYPE_CHECKING:
    from collections.abc import Mapping

Method = Literal[
    "assume-role",
    "assume-role-with-web-identity",
    "sso",
    "shared-credentials-file",
    "login",
    "custom-process",
    "config-file",
]

_DEEPEST = 20  # roles on top of each other


# Settings of a profile that say nothing of its clients: where credentials come from, what the AWS CLI prints.
_OF_CREDENTIALS = re.compile(
    r"region$|output$|color$|sso_|aws_|granted_|cli_|role_|source_profile$|credential_|external_id$|mfa_serial$"
    r"|duration_seconds$|web_identity_token_file$|login_session$"
)


@dataclass(frozen=True, slots=True)
class Profile:
    """
    One profile, as botocore puts both files together.

    Attributes:
        settings: Of its section in the config file.

        saved: Of its section in the credentials file; these win.
    """

    name: str
    settings: Mapping[str, str] = field(repr=False)
    saved: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def merged(self) -> dict[str, str]:
        """The settings of both sections."""
        return {**self.settings, **self.saved}

    @property
    def method(self) -> Method | None:
        """
        Which of botocore's providers answers for it; `None` where none does.

        In the order of `botocore.credentials.create_credential_resolver`; the first that finds its settings is the
        one, also where it then fails.
        """
        merged = self.merged
        found: dict[Method, bool] = {
            "assume-role": "role_arn" in merged and "web_identity_token_file" not in merged,
            "assume-role-with-web-identity": bool(merged.get("web_identity_token_file")),
            "sso": "sso_account_id" in merged or "sso_role_name" in merged,
            "shared-credentials-file": "aws_access_key_id" in self.saved,
            "login": "login_session" in merged,
            "custom-process": "credential_process" in merged,
            "config-file": "aws_access_key_id" in self.settings,
        }
        return next((method for method, there in found.items() if there), None)

    @property
    def sso(self) -> bool:
        """Whether its credentials are those of an account and a role of Identity Center that it names."""
        merged = self.merged
        return self.method == "sso" and self.signs_in and "sso_account_id" in merged and "sso_role_name" in merged

    @property
    def signs_in(self) -> bool:
        """Whether it names a sign-in."""
        merged = self.merged
        return "sso_session" in merged or "sso_start_url" in merged

    @property
    def hidden(self) -> tuple[str, ...]:
        """The settings that have no effect, because saved keys of the same name win over them."""
        if self.method != "shared-credentials-file":
            return ()
        return tuple(key for key in ("login_session", "credential_process") if key in self.merged)

    @property
    def client_settings(self) -> tuple[str, ...]:
        """The settings that clients read from it, whoever gives the credentials: endpoints, retries, S3 options."""
        return tuple(key for key in self.merged if not _OF_CREDENTIALS.match(key))

    @property
    def account_id(self) -> str:
        """The account of an SSO profile, a string of twelve digits."""
        return self.merged["sso_account_id"]

    @property
    def role_name(self) -> str:
        """The role of an SSO profile."""
        return self.merged["sso_role_name"]

    @property
    def region(self) -> str | None:
        """The region that its clients use."""
        return self.merged.get("region") or None


@dataclass(frozen=True, slots=True)
class AwsConfig:
    """
    The content of both files.

    Attributes:
        path: The config file, for messages.

        profiles: Those of the config file, by name.

        session_sections: The settings of each `[sso-session NAME]`, by name.

        saved: The settings of each section of the credentials file, by name.

        credentials_path: The credentials file, for messages.
    """

    path: Path
    profiles: Mapping[str, Profile]
    session_sections: Mapping[str, Mapping[str, str]] = field(repr=False)
    saved: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    credentials_path: Path = Path("~/.aws/credentials")
    _sign_ins: list[list[SsoSession]] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def static_profiles(self) -> tuple[str, ...]:
        """Names of the sections of the credentials file."""
        return tuple(self.saved)

    def profile(self, name: str) -> Profile | None:
        """Return a profile of either file."""
        if name in self.profiles:
            return self.profiles[name]
        return Profile(name, {}, self.saved[name]) if name in self.saved else None

    def root(self, name: str) -> Profile | None:
        """Return the profile at the end of a chain of roles (`source_profile`): the first credentials are its own."""
        profile, seen = self.profile(name), {name}
        while profile is not None and profile.method == "assume-role" and len(seen) < _DEEPEST:
            source = profile.merged.get("source_profile")
            if not source or source in seen:
                break
            seen.add(source)
            profile = self.profile(source)
        return profile

    def sign_in_of(self, name: str) -> SsoSession | None:
        """
        Return the sign-in that the credentials of a profile begin with; `None` where none is needed.

        Raises:
            ConfigurationError: It names one that is not complete.
        """
        root = self.root(name)
        return self.sso_session_of(root) if root is not None and root.signs_in else None

    def where(self, profile: Profile, key: str) -> str:
        """Name section and file of a setting, for a message."""
        if key in profile.saved:
            return f"[{profile.name}] in {self.credentials_path}"
        return f"[{'' if profile.name == 'default' else 'profile '}{profile.name}] in {self.path}"

    def sso_session(self, name: str) -> SsoSession:
        """
        Return an `[sso-session]`.

        Raises:
            ConfigurationError: It is not there, or lacks its start URL or region.
        """
        if name not in self.session_sections:
            known = ", ".join(sorted(self.session_sections)) or "none"
            raise ConfigurationError(
                f"There is no [sso-session {name}] in {self.path} (there: {known}). "
                f"Type `%cuaws login --session {name} --start-url URL --sso-region REGION`."
            )
        section, where = self.session_sections[name], f"[sso-session {name}] in {self.path}"
        return SsoSession(
            name=name,
            start_url=_needed(section, "sso_start_url", where),
            sso_region=_needed(section, "sso_region", where),
            scopes=_scopes(section),
        )

    def sso_session_of(self, profile: Profile) -> SsoSession:
        """
        Return the sign-in that an SSO profile uses, modern or legacy.

        Raises:
            ConfigurationError: Something is missing, or profile and section disagree
                (where botocore raises `InvalidConfigError`).
        """
        merged = profile.merged
        name = merged.get("sso_session")
        if name is None:
            where = self.where(profile, "sso_start_url")
            start_url = _needed(merged, "sso_start_url", where)
            return SsoSession(None, start_url, _needed(merged, "sso_region", where), scopes=None)
        if not name.strip():
            raise ConfigurationError(
                f"{self.where(profile, 'sso_session')} has an empty sso_session. Write the name of an [sso-session] "
                "behind it, or delete the line; then run the cell again."
            )
        sso_session = self.sso_session(name)
        for key, value in (("sso_start_url", sso_session.start_url), ("sso_region", sso_session.sso_region)):
            if merged.get(key, value) != value:
                raise ConfigurationError(
                    f"{key} differs between {self.where(profile, key).replace(f' in {self.path}', '')} and "
                    f"[sso-session {name}] in {self.path}. Delete it from the profile, then run the cell again."
                )
        return sso_session

    def sign_ins(self) -> list[SsoSession]:
        """Return the sign-ins that the config names, each once, without those that lack something."""
        if not self._sign_ins:  # looked for several times in each command, and there may be thousands of profiles
            self._sign_ins.append(self._find_sign_ins())
        return self._sign_ins[0]

    def _find_sign_ins(self) -> list[SsoSession]:
        found = {}
        for name in self.session_sections:
            with contextlib.suppress(ConfigurationError):
                found[name] = self.sso_session(name)
        for profile in (self.profile(name) for name in dict.fromkeys([*self.profiles, *self.saved])):
            if profile is not None and profile.signs_in and "sso_session" not in profile.merged:
                with contextlib.suppress(ConfigurationError):
                    sso_session = self.sso_session_of(profile)
                    found.setdefault(sso_session.cache_key, sso_session)
        return list(found.values())


def _needed(section: Mapping[str, str], key: str, where: str) -> str:
    value = section.get(key)
    if not value:
        raise ConfigurationError(f"{where} has no {key}. Add the line `{key} = …` to it, then run the cell again.")
    return value


def _scopes(section: Mapping[str, str]) -> tuple[str, ...] | None:
    text = section.get("sso_registration_scopes")
    if text is None:
        return None
    return tuple(scope.strip() for scope in text.split(",") if scope.strip())
