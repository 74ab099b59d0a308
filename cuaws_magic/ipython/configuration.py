"""What IPython's configuration can say: `c.CuawsMagics.session = "work"`, or `%config` later."""

from __future__ import annotations

from typing import Any

from traitlets import Bool, Float, List, Unicode
from traitlets.config import Configurable

from cuaws_magic.settings import Settings


def _patterns(meaning: str) -> Any:
    return List(Unicode(), default_value=None, allow_none=True, help=meaning).tag(config=True)


def _text(meaning: str) -> Any:
    return Unicode("", help=meaning).tag(config=True)


class Configuration(Configurable):
    """The settings, each as a trait; empty or `None` means: not set here."""

    session = _text("Name of the [sso-session] to sign in with.")
    start_url = _text("Address of the access portal of the organisation.")
    sso_region = _text("Region of its Identity Center.")
    region = _text("Region for AWS clients of this kernel.")
    via = _text("How credentials reach programs: auto, env, endpoint or profile.")
    account = _text("What `%cuaws use` alone means where nothing was used before.")
    time_zone = _text("Time zone of the times in text, such as America/Denver.")
    production = _patterns("Patterns of account names to mark; an empty list for none.")
    prefer_roles = _patterns("Patterns of role names, the best first: one is taken where you name none.")
    confirm_production: Any = Bool(
        None, allow_none=True, help="Ask before a role that can change things in a production account is used."
    ).tag(config=True)
    wait_for_sign_in: Any = Float(
        None, allow_none=True, min=0, help="Minutes that a running cell waits for the next sign-in."
    ).tag(config=True)
    pkce: Any = Bool(None, allow_none=True, help="Sign in by authorization code instead of a device code.").tag(
        config=True
    )
    remote: Any = Bool(None, allow_none=True, help="The browser is on another computer than this kernel.").tag(
        config=True
    )

    unattended: Any = Bool(None, allow_none=True, help="Nobody sits here who could approve a sign-in.").tag(config=True)
    login_wait: Any = Float(
        None, allow_none=True, min=0, help="Minutes that an unattended run waits for somebody who approves a sign-in."
    ).tag(config=True)

    @property
    def settings(self) -> Settings:
        """All of them as one value."""
        said = {name: getattr(self, name) for name in SETTINGS}
        return Settings(**{name: _value(one) for name, one in said.items() if one is not None and one != ""})


def _value(said: Any) -> Any:
    return tuple(said) if isinstance(said, list) else said


SETTINGS = tuple(Configuration.class_own_traits(config=True))
