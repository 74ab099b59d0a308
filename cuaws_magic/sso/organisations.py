"""
Which organisations this home knows, and which of their sign-ins stand: what is looked in when a name is typed.

An organisation is an access portal; several sso-sessions may lead to it, and one sign-in serves them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cuaws_magic.aws.hosts import check_start_url, portal_of
from cuaws_magic.errors import ConfigurationError, CuawsError
from cuaws_magic.model import SsoSession, utc_now
from cuaws_magic.settings import CU_SESSION_NAME
from cuaws_magic.sso.session import CU_BOULDER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cuaws_magic.config.content import AwsConfig
    from cuaws_magic.config.files import AwsFiles
    from cuaws_magic.model import Now
    from cuaws_magic.sso.login import Login
    from cuaws_magic.sso.session import SignInChoice
    from cuaws_magic.sso.token_cache import TokenCache

    Portal = tuple[str, str | None]


class Organisations:
    """
    The organisations of one kernel.

    Args:
        choice: What a person said of them.

        login: Which sign-ins stand.

        token_cache: What other programs signed in to.

        aws_files: What is configured.

        used_last: Names of the sign-ins whose accounts were used here, the latest first.

        now: The current time, aware, UTC.
    """

    def __init__(
        self,
        choice: SignInChoice,
        login: Login,
        token_cache: TokenCache,
        aws_files: AwsFiles,
        used_last: Callable[[], Iterable[str]],
        now: Now = utc_now,
    ) -> None:
        self._choice = choice
        self._login = login
        self._token_cache = token_cache
        self._aws_files = aws_files
        self._used_last = used_last
        self._now = now
        self._kept: tuple[object, tuple[object, ...], list[SsoSession], int] | None = None

    def all(self) -> list[SsoSession]:
        """Return every sign-in that settings, config, memory and cache know; CU Boulder's if there is none."""
        return self._known()[0]

    def _known(self) -> tuple[list[SsoSession], int]:
        """Return every sign-in, and of how many organisations they are; found again only when something changed."""
        try:
            config = self._aws_files.read()
        except CuawsError:
            config = None
        settings = self._choice.settings
        made_of = (settings.session, settings.start_url, settings.sso_region, self._token_cache.changed)
        parts = (config, self._login.records.content)
        kept = self._kept
        if (
            kept is None
            or kept[0] != made_of
            or any(one is not other for one, other in zip(kept[1], parts, strict=True))
        ):
            found = self._find(config)
            kept = self._kept = (made_of, parts, found, len({portal_of(one) for one in found}))
        return kept[2], kept[3]

    def _find(self, config: AwsConfig | None) -> list[SsoSession]:
        configured = config.sign_ins() if config is not None else []
        found = {one.cache_key: one for one in [*self._choice.candidates(), *configured, *self._said()]}
        portals = {portal_of(one) for one in found.values()}
        for sso_token in self._token_cache.tokens():
            region, now = sso_token.sso_region, self._now()
            if region and sso_token.expires_at > now and portal_of(sso_token) not in portals:
                one = SsoSession(None, sso_token.start_url, region, None)
                one = CU_BOULDER if portal_of(one) == portal_of(CU_BOULDER) else one
                found.setdefault(one.cache_key, one)
        return [one for one in found.values() if _proper(one)]

    def _said(self) -> list[SsoSession]:
        settings = self._choice.settings
        own = self._choice.settled() if settings.session or settings.start_url else None
        return [] if own is None else [own]

    def by_portal(self) -> list[list[SsoSession]]:
        """Return the sign-ins of each organisation together, always in the same order; in each the best first."""
        settled = self._choice.settled()
        groups: dict[Portal, list[SsoSession]] = {}
        for one in [*self.all(), *([settled] if settled is not None else [])]:
            group = groups.setdefault(portal_of(one), [])
            if all(one.cache_key != other.cache_key for other in group):
                group.append(one)

        def worth(one: SsoSession) -> tuple[bool, bool, bool]:
            return one != settled, one.name is None, self._login.peek_own(one) is None

        return [sorted(group, key=worth) if len(group) > 1 else group for group in groups.values()]

    def each(self) -> list[SsoSession]:
        """Return one sign-in of each organisation: the settled one, else the best."""
        return [group[0] for group in self.by_portal()]

    def offered(self) -> list[SsoSession]:
        """Return one sign-in of each organisation that can be named; CU Boulder needs no configuration."""
        known = self.each()
        at_cu = any(portal_of(one) == portal_of(CU_BOULDER) for one in known)
        return known if at_cu or any(one.name == CU_SESSION_NAME for one in known) else [*known, CU_BOULDER]

    def standing(self) -> list[SsoSession]:
        """Return one sign-in of each organisation that somebody is signed in to."""
        return [one for one in self.each() if self._login.peek(one)[0] is not None]

    def unasked(self) -> list[SsoSession]:
        """Return one sign-in of each organisation that nobody is signed in to."""
        known = self.each() if self.several() else []
        return [one for one in known if self._login.peek(one)[0] is None]

    def looked_in(
        self, name: str | None = None, knows: Callable[[SsoSession], bool] = lambda _: False
    ) -> list[SsoSession]:
        """
        Return the sign-ins in which accounts are looked up.

        Args:
            name: The one that was named, if one was.

            knows: Whether an account is remembered to be there.

        Returns:
            All that stand. Where none does: those that are remembered to have the account, else the settled one.

        Raises:
            ConfigurationError: There is no such sign-in, or it is not settled which.
        """
        if name is not None:
            return [self.named(name)]
        if self.several():
            known = self.each()
            found = [one for one in known if self._login.peek(one)[0] is not None] or [*filter(knows, known)]
            if found:
                return found
        return [self._choice.sso_session()]

    def several(self, name: str | None = None) -> bool:
        """Whether a list has to say whose an account is: more than one organisation is known, and none was named."""
        return name is None and self._known()[1] > 1

    def named(self, name: str) -> SsoSession:
        """
        Return a sign-in by its name, or by its start URL where it has none.

        Raises:
            ConfigurationError: There is none.
        """
        for one in self.all():
            if name in {one.name, one.start_url}:
                return one
        return self._choice.named(name)

    def prefix(self, text: str) -> tuple[str | None, str]:
        """Split `SESSION:TARGET`; no session where none is named so."""
        names = {one.label for one in self.all()} | {CU_SESSION_NAME}
        for name in sorted(names, key=len, reverse=True):
            if text.startswith(f"{name}:") and len(text) > len(name) + 1:
                return name, text[len(name) + 1 :]
        return None, text

    def troubles(self) -> list[str]:
        """Say what is wrong with sso-sessions that stand beside good ones."""
        try:
            config = self._aws_files.read()
        except CuawsError as error:
            return [str(error)]
        return [one for name in config.session_sections if (one := _trouble(config, name))]

    def preferred(self, candidates: Sequence[SsoSession]) -> SsoSession | None:
        """Return which of several to propose: used last, signed in to last, or the only one that stands."""
        by_key = {one.cache_key: one for one in candidates}
        last = [*self._used_last(), *(one.cache_key for one in self._login.records.all())]
        for key in last:
            if key in by_key:
                return by_key[key]
        standing = [one for one in candidates if self._login.peek(one)[0] is not None]
        return standing[0] if len({portal_of(one) for one in standing}) == 1 else None


def _trouble(config: AwsConfig, name: str) -> str:
    try:
        check_start_url(config.sso_session(name).start_url)
    except ConfigurationError as error:
        return str(error)
    return ""


def _proper(sso_session: SsoSession) -> bool:
    try:
        check_start_url(sso_session.start_url)
    except ConfigurationError:
        return False
    return True
