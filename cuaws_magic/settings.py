"""
Defaults, and where each can be overridden.

From strongest to weakest: an argument of the command; IPython's configuration
(`c.CuawsMagics.session = "work"`); the environment (`CUAWS_SESSION`); the profile
that `AWS_PROFILE` names; `~/.aws/config`; the values of CU Boulder below.
`organisation` puts them together.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

CU_SESSION_NAME = "fedauth"
CU_START_URL = "https://cuboulder.awsapps.com/start"
CU_SSO_REGION = "us-west-2"

# The form of an account id (`\d` takes digits of every alphabet) and of a region's name.
ACCOUNT_ID = re.compile(r"[0-9]{12}")
REGION = re.compile(r"[a-z]{2,5}(?:-[a-z]+)+-[0-9]{1,2}")

# For completion, and to name the nearest; any of that form can be typed. Those open by default, in the order of
# `us-*` first.
REGIONS = (
    "us-west-2", "us-east-1", "us-east-2", "us-west-1", "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1",
    "eu-west-2", "eu-west-3", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1",
    "ap-southeast-2", "sa-east-1",
)  # fmt: skip

# How credentials reach programs: `auto` for keys in Python and the endpoint for the rest, where nothing hides it.
WAYS = ("auto", "env", "endpoint", "profile")

# What `aws configure export-credentials --format` takes, the default first.
EXPORT_FORMATS = ("process", "env", "env-no-export", "powershell", "windows-cmd", "fish")

# What `aws configure sso` proposes: without a scope the service gives no refresh token.
DEFAULT_SCOPES = ("sso:account:access",)

# How long a sign-in lasts at CU Boulder. Elsewhere it is from 15 minutes to 90 days, as the organisation has it.
CU_SIGN_IN_LIFE = timedelta(hours=8)

# An SSO token is refreshed this long before its end: before botocore's 15 minutes,
# so that other programs find it fresh.
SSO_TOKEN_MARGIN = timedelta(minutes=20)

# Accounts with such names are marked: a mistake there costs more.
PRODUCTION = ("*production*", "prod", "prod-*", "*-prod", "*-prod-*")

# From this long before its end, a person is told that a sign-in ends; above a cell, once at each of the two.
SIGN_IN_WARNING = timedelta(minutes=30)
SIGN_IN_WARNINGS = (SIGN_IN_WARNING, timedelta(minutes=10))

# A list of accounts is shown from the cache for this long without asking the portal.
LISTING_LIFE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Settings:
    """
    What a person may set; `None` means: not set here.

    Attributes:
        session: Name of an `[sso-session]`.

        start_url: Address of the access portal.

        sso_region: Region of the Identity Center instance.

        region: Region for the kernel's AWS clients.

        production: Patterns of account names to mark; `()` for none.

        via: One of `WAYS`.

        account: What `%cuaws use` alone means where nothing was used before.

        prefer_roles: Patterns of role names, the best first; one is taken where nobody names a role.

        confirm_production: Whether a role that can change things in a production account is asked about; it is,
            unless this says no.

        time_zone: Of the times in text, such as `America/Denver`.

        wait_for_sign_in: Minutes that a running cell waits for the next sign-in when it needs new credentials.

        pkce: Sign in by authorization code; device codes may be forbidden.

        remote: Whether the browser is on another computer than the kernel; else it is told by the environment.

        unattended: Whether nobody sits here who could approve a sign-in; else it is told by the page.

        login_wait: Minutes that an unattended run waits for somebody who approves a sign-in.
    """

    session: str | None = None
    start_url: str | None = None
    sso_region: str | None = None
    region: str | None = None
    production: tuple[str, ...] | None = None
    via: str | None = None
    account: str | None = None
    prefer_roles: tuple[str, ...] | None = None
    confirm_production: bool | None = None
    time_zone: str | None = None
    wait_for_sign_in: float | None = None
    pkce: bool | None = None
    remote: bool | None = None
    unattended: bool | None = None
    login_wait: float | None = None

    def preferred(self, role_names: Iterable[str]) -> str | None:
        """Return the role that a person prefers of some, if they said so; any case."""
        names = list(role_names)
        for pattern in self.prefer_roles or ():
            found = [one for one in names if fnmatch.fnmatchcase(one.casefold(), pattern.casefold())]
            if found:
                return found[0]
        return None

    def is_production(self, name: str) -> bool:
        """Whether an account of this name is to be marked; any case."""
        fold = name.casefold()
        patterns = PRODUCTION if self.production is None else self.production
        return any(fnmatch.fnmatchcase(fold, pattern.casefold()) for pattern in patterns)

    def or_else(self, weaker: Settings) -> Settings:
        """Return these settings, filled up from weaker ones; an organisation is taken whole, from one place."""
        if self.session or self.start_url:
            organisation = self
        else:
            organisation = replace(
                self,
                session=weaker.session,
                start_url=weaker.start_url,
                sso_region=self.sso_region or weaker.sso_region,
            )
        alone: dict[str, Any] = {
            name: getattr(weaker if getattr(self, name) is None else self, name) for name in _ALONE
        }
        return replace(organisation, **alone)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read `CUAWS_SESSION`, `CUAWS_START_URL`, … by the names of the settings; patterns by commas."""
        found: dict[str, Any] = {}
        for name, variable in _VARIABLES:
            text = environ.get(variable) or (environ.get("CUAWS_TZ") if name == "time_zone" else None)
            if text:
                found[name] = _READ.get(name, str)(text)
        return cls(**found)


# The name of each setting, and of its variable.
_VARIABLES = tuple((field.name, f"CUAWS_{field.name.upper()}") for field in fields(Settings))
_ALONE = tuple(name for name, _ in _VARIABLES if name not in {"session", "start_url", "sso_region"})


def _patterns(text: str) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, text.split(","))))


def _minutes(text: str) -> float | None:
    try:
        return max(0.0, float(text))
    except ValueError:
        return None


def _yes(text: str) -> bool:
    return text.strip().casefold() not in {"0", "no", "false", "off"}


# How the text of a variable is read, where it is not the setting itself.
_READ: dict[str, Callable[[str], Any]] = {
    "production": _patterns,
    "prefer_roles": _patterns,
    "confirm_production": _yes,
    "pkce": _yes,
    "remote": _yes,
    "unattended": _yes,
    "login_wait": _minutes,
    "wait_for_sign_in": _minutes,
}
