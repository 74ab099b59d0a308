"""The defaults, and the layers over them."""

from __future__ import annotations

from dataclasses import dataclass, fields

from doubles import documented

from cuaws_magic.settings import CU_SESSION_NAME, CU_SSO_REGION, CU_START_URL, DEFAULT_SCOPES, Settings


@dataclass(frozen=True)
class Layers:
    documentation: str
    stronger: Settings
    weaker: Settings
    expected: Settings


@documented(
    [
        Layers("nothing over nothing", Settings(), Settings(), Settings()),
        Layers("the stronger wins", Settings("a"), Settings("b"), Settings("a")),
        Layers(
            "what the stronger leaves open comes from the weaker",
            Settings(session="a"),
            Settings(session="b", region="us-east-1"),
            Settings(session="a", region="us-east-1"),
        ),
        Layers(
            "an organisation is taken whole: a stronger name does not mix with a weaker address",
            Settings(session="a"),
            Settings(start_url="https://x", sso_region="r"),
            Settings(session="a"),
        ),
        Layers(
            "a stronger address does not mix with a weaker name",
            Settings(start_url="https://x", sso_region="r"),
            Settings(session="b"),
            Settings(start_url="https://x", sso_region="r"),
        ),
        Layers("an empty text is not a setting", Settings(session=""), Settings(session="b"), Settings(session="b")),
    ]
)
def test_settings_over_weaker_ones(case):
    """A setting comes from the strongest layer that has it; an organisation is one setting."""
    assert case.stronger.or_else(case.weaker) == case.expected


@dataclass(frozen=True)
class Environment:
    documentation: str
    environ: dict
    expected: Settings


@documented(
    [
        Environment("nothing is set", {}, Settings()),
        Environment("the session", {"CUAWS_SESSION": "work"}, Settings(session="work")),
        Environment("the start URL", {"CUAWS_START_URL": "https://x"}, Settings(start_url="https://x")),
        Environment("the region of Identity Center", {"CUAWS_SSO_REGION": "r"}, Settings(sso_region="r")),
        Environment("the region of clients", {"CUAWS_REGION": "r"}, Settings(region="r")),
        Environment("an empty variable is not set", {"CUAWS_SESSION": ""}, Settings()),
        Environment(
            "patterns by commas", {"CUAWS_PREFER_ROLES": "Read*, Data*"}, Settings(prefer_roles=("Read*", "Data*"))
        ),
        Environment("a no", {"CUAWS_CONFIRM_PRODUCTION": "No"}, Settings(confirm_production=False)),
        Environment("a yes", {"CUAWS_CONFIRM_PRODUCTION": "1"}, Settings(confirm_production=True)),
        Environment("minutes", {"CUAWS_WAIT_FOR_SIGN_IN": "90"}, Settings(wait_for_sign_in=90)),
        Environment("no minutes", {"CUAWS_WAIT_FOR_SIGN_IN": "long"}, Settings()),
        Environment("the time zone", {"CUAWS_TIME_ZONE": "UTC"}, Settings(time_zone="UTC")),
        Environment("the time zone, for short", {"CUAWS_TZ": "UTC"}, Settings(time_zone="UTC")),
        Environment("the SDK's own region is not ours", {"AWS_REGION": "r"}, Settings()),
    ]
)
def test_settings_of_the_environment(case):
    """Every setting has its `CUAWS_` variable."""
    assert Settings.from_environ(case.environ) == case.expected


def test_every_setting_has_a_variable():
    """A new setting cannot be without its variable."""
    everything = {f"CUAWS_{field.name.upper()}": "5" for field in fields(Settings)}

    found = Settings.from_environ(everything)

    assert [
        field.name for field in fields(Settings) if getattr(found, field.name) not in ("5", ("5",), 5.0, True)
    ] == []


def test_the_defaults_are_those_of_the_guide():
    """Without any setting the organisation is CU Boulder, as the guide has people write it."""
    assert (CU_SESSION_NAME, CU_START_URL) == ("fedauth", "https://cuboulder.awsapps.com/start")
    assert (CU_SSO_REGION, DEFAULT_SCOPES) == ("us-west-2", ("sso:account:access",))
