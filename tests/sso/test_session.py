"""Which organisation is meant: every layer, and every way to be wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from doubles import SCOPE, documented

from cuaws_magic.config.files import AwsFiles
from cuaws_magic.errors import ConfigurationError
from cuaws_magic.model import SsoSession
from cuaws_magic.settings import Settings
from cuaws_magic.sso.session import CU_BOULDER, choose

NOTHING = Settings()
ACME = "https://acme.awsapps.com/start"
OTHER = "https://other.awsapps.com/start"

WORK = f"[sso-session work]\nsso_start_url = {ACME}\nsso_region = us-east-1\nsso_registration_scopes = {SCOPE}\n"
PLAY = f"[sso-session play]\nsso_start_url = {OTHER}\nsso_region = eu-west-1\n"
FEDAUTH = (
    "[sso-session fedauth]\nsso_start_url = https://cuboulder.awsapps.com/start\nsso_region = us-west-2\n"
    f"sso_registration_scopes = {SCOPE}\n"
)
MODERN = "[profile modern]\nsso_session = play\nsso_account_id = 111111111111\nsso_role_name = R\n"
LEGACY = (
    f"[profile legacy]\nsso_start_url = {ACME}\nsso_region = us-east-1\n"
    "sso_account_id = 111111111111\nsso_role_name = R\n"
)
STATIC = "[profile keys]\nregion = us-west-2\n"

WORK_SESSION = SsoSession("work", ACME, "us-east-1", (SCOPE,))
PLAY_SESSION = SsoSession("play", OTHER, "eu-west-1", None)


@pytest.fixture(name="choosing")
def _choosing(tmp_path):
    def choosing(case):
        (tmp_path / "config").write_text(case.config)
        (tmp_path / "credentials").write_text("[saved]\naws_access_key_id = A\n")
        environ = {
            "AWS_CONFIG_FILE": str(tmp_path / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        }
        profile = ("AWS_DEFAULT_PROFILE", case.profile) if case.profile else None
        return choose(case.settings, AwsFiles(environ).read(), profile)

    return choosing


@dataclass(frozen=True)
class Choice:
    documentation: str
    expected: SsoSession
    config: str = ""
    settings: Settings = NOTHING
    profile: str | None = None


@documented(
    [
        Choice("nothing says anything: CU Boulder", CU_BOULDER),
        Choice("the only sso-session of the file", WORK_SESSION, WORK),
        Choice(
            "the file's own fedauth is believed",
            SsoSession("fedauth", ACME, "us-east-1", (SCOPE,)),
            WORK.replace("session work", "session fedauth"),
        ),
        Choice("a named session", PLAY_SESSION, WORK + PLAY, Settings(session="play")),
        Choice("fedauth by name needs no section", CU_BOULDER, WORK, Settings(session="fedauth")),
        Choice("a modern profile leads to its section", PLAY_SESSION, WORK + PLAY + MODERN, profile="modern"),
        Choice(
            "a legacy profile is a sign-in without a name",
            SsoSession(None, ACME, "us-east-1", None),
            PLAY + LEGACY,
            profile="legacy",
        ),
        Choice("a profile of another kind says nothing", PLAY_SESSION, PLAY + STATIC, profile="keys"),
        Choice("a profile of the credentials file says nothing", PLAY_SESSION, PLAY, profile="saved"),
        Choice("a session is stronger than a profile", WORK_SESSION, WORK + PLAY + MODERN, Settings("work"), "modern"),
        Choice(
            "a start URL is stronger than a profile",
            WORK_SESSION,
            WORK + PLAY + MODERN,
            Settings(start_url=ACME),
            "modern",
        ),
        Choice("a start URL that a section has", PLAY_SESSION, WORK + PLAY, Settings(start_url=OTHER)),
        Choice("CU's start URL is known", CU_BOULDER, "", Settings(start_url=CU_BOULDER.start_url)),
        Choice(
            "a new start URL is a sign-in without name and scopes, as the CLI's legacy form",
            SsoSession(None, ACME, "us-east-1", None),
            "",
            Settings(start_url=ACME, sso_region="us-east-1"),
        ),
        Choice(
            "a new start URL with a new name asks for the scope that gives a refresh token",
            SsoSession("mine", ACME, "us-east-1", (SCOPE,)),
            PLAY,
            Settings("mine", ACME, "us-east-1"),
        ),
        Choice(
            "a start URL in another region than the section's is another sign-in",
            SsoSession(None, ACME, "us-west-2", None),
            WORK,
            Settings(start_url=ACME, sso_region="us-west-2"),
        ),
        Choice("name, URL and region of one section", WORK_SESSION, WORK, Settings("work", ACME, "us-east-1")),
    ]
)
def test_what_is_chosen(case, choosing):
    """Arguments beat the profile, the profile beats the file, the file beats CU."""
    assert choosing(case) == case.expected


@dataclass(frozen=True)
class Refusal:
    documentation: str
    message: str
    config: str = ""
    settings: Settings = NOTHING
    profile: str | None = None


@documented(
    [
        Refusal(
            "several sessions", "has several sso-sessions: play, work. Type `%cuaws login --session play`", WORK + PLAY
        ),
        Refusal("fedauth among several is no default", "has several sso-sessions: fedauth, work.", WORK + FEDAUTH),
        Refusal(
            "a session that is not there",
            "There is no [sso-session nope] in",
            WORK,
            Settings("nope"),
        ),
        Refusal("a session that is not there names those that are", "(there: play, work)", WORK + PLAY, Settings("x")),
        Refusal("a session that is not there, of none", "(there: none)", "", Settings("nope")),
        Refusal(
            "a session without start URL",
            "[sso-session work] in",
            "[sso-session work]\nsso_region = us-east-1\n",
        ),
        Refusal("a start URL without region", f"The region of {ACME} is not known.", "", Settings(start_url=ACME)),
        Refusal(
            "name and start URL contradict each other",
            f"has another start URL than {OTHER}",
            WORK,
            Settings("work", OTHER, "us-east-1"),
        ),
        Refusal(
            "name and region contradict each other",
            "says sso_region us-east-1, not eu-west-1. Leave out `--sso-region`.",
            WORK,
            Settings("work", ACME, "eu-west-1"),
        ),
        Refusal(
            "a profile that is not there",
            "AWS_DEFAULT_PROFILE names the profile nope, which is not in",
            WORK,
            profile="nope",
        ),
        Refusal(
            "a profile that leads to no session",
            "There is no [sso-session play]",
            WORK + MODERN,
            profile="modern",
        ),
        Refusal(
            "a start URL that is not https",
            "must be an https address",
            "",
            Settings(start_url="http://acme.awsapps.com/start", sso_region="us-east-1"),
        ),
        Refusal(
            "a start URL in a section that no browser reads as one",
            "https://evil.example\\@awsapps.com/start is not the start URL of an AWS access portal",
            WORK.replace(ACME, "https://evil.example\\@awsapps.com/start"),
        ),
    ]
)
def test_what_is_refused(case, choosing):
    """What is missing, contradicts itself or is not AWS's is an error that says what to type."""
    with pytest.raises(ConfigurationError, match=re.escape(case.message)) as caught:
        choosing(case)

    assert "`" in str(caught.value)
