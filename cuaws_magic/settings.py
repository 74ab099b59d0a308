"""
Defaults, and where each can be overridden.

From strongest to weakest: an argument of the command; IPython's configuration
(`c.CuawsMagics.session = "work"`); the environment (`CUAWS_SESSION`); the profile
that `AWS_PROFILE` names; `~/.aws/config`; the values of CU Boulder below.
`organisation` puts them together.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CU_SESSION_NAME = "fedauth"
CU_START_URL = "https://cuboulder.awsapps.com/start"
CU_SSO_REGION = "us-west-2"

# What `aws configure sso` proposes: without a scope the service gives no refresh token.
DEFAULT_SCOPES = ("sso:account:access",)

# How long a sign-in lasts where nobody changed it: Identity Center's default, and CU's.
SIGN_IN_LIFE = timedelta(hours=8)

# An SSO token is refreshed this long before its end: before botocore's 15 minutes,
# so that other programs find it fresh.
SSO_TOKEN_MARGIN = timedelta(minutes=20)

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
    """

    session: str | None = None
    start_url: str | None = None
    sso_region: str | None = None
    region: str | None = None

    def over(self, weaker: Settings) -> Settings:
        """Return these settings, filled up from weaker ones."""
        return Settings(*((getattr(self, f.name) or getattr(weaker, f.name)) for f in fields(self)))

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read `CUAWS_SESSION`, `CUAWS_START_URL`, `CUAWS_SSO_REGION`, `CUAWS_REGION`."""
        return cls(*(environ.get(f"CUAWS_{f.name.upper()}") or None for f in fields(cls)))
