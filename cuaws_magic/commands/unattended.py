"""Runs before which nobody sits (papermill, nbconvert, cron): how long a sign-in waits for a person there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cuaws_magic.errors import NotSignedIn

if TYPE_CHECKING:
    from cuaws_magic.model import SsoSession
    from cuaws_magic.settings import Settings
    from cuaws_magic.views.render import Display

_MINUTE = 60.0  # seconds


def patience(settings: Settings, sso_session: SsoSession, show: Display, timeout: float | None) -> float | None:
    """
    Return for how many seconds a sign-in waits for a person; `None` for as long as codes last.

    Args:
        settings: Say whether somebody is there, and how long to wait where nobody is.

        sso_session: Which sign-in.

        show: Where its card goes; tells whether somebody sits before it.

        timeout: What was typed.

    Raises:
        NotSignedIn: Nobody is there (papermill, nbconvert, cron), and it is not to wait.
    """
    attended: bool = getattr(show, "attended", True)  # what draws a panel has somebody before it
    if not (settings.unattended if settings.unattended is not None else not attended):
        return timeout
    if not settings.login_wait:
        raise NotSignedIn(
            f"Nobody is here to approve a sign-in to {sso_session.label}. Sign in beforehand, with `%cuaws login` in a "
            "notebook or with `aws sso login`, or set CUAWS_LOGIN_WAIT=10 to have it wait ten minutes for you.",
            sso_session,
        )
    longest = _MINUTE * settings.login_wait
    return longest if timeout is None else min(longest, timeout)
