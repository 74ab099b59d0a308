"""
How an account comes in use: through the access portal, through a profile, or by a profile's name.

Nothing changes in the kernel unless all of it succeeds.
"""

from __future__ import annotations

import contextlib
import difflib
from dataclasses import replace
from typing import TYPE_CHECKING

from cuaws_magic.aws import profile_credentials
from cuaws_magic.credentials.kernel import InUseRole
from cuaws_magic.credentials.sources import IDENTITY_CENTER, ProfileSource, RefreshableSource, RoleSource, StaticSource
from cuaws_magic.errors import AmbiguousTarget, ConfigurationError, CredentialsRefused, CuawsError, UnknownTarget
from cuaws_magic.humanize import clock, quoted
from cuaws_magic.model import Account, Origin, utc_now
from cuaws_magic.views.account import InUse, Whoami

if TYPE_CHECKING:
    from collections.abc import Callable

    from cuaws_magic.aws.identity_center import IdentityCenter
    from cuaws_magic.aws.profile_credentials import ProfileFacts
    from cuaws_magic.commands.approval import Approvals
    from cuaws_magic.config.files import AwsConfig, AwsFiles
    from cuaws_magic.credentials.broker import Broker
    from cuaws_magic.credentials.kernel import KernelCredentials
    from cuaws_magic.credentials.sources import Source
    from cuaws_magic.model import AccountRole, Credentials, Identity, Now, SsoSession
    from cuaws_magic.sso.accounts import Accounts
    from cuaws_magic.sso.login import Login
    from cuaws_magic.sso.targets import Targets
    from cuaws_magic.views.render import Display


class Entry:
    """
    Brings accounts into use.

    Args:
        aws_files: Which profiles there are.

        targets: Knows what a TARGET means.

        broker: Where role credentials come from.

        login: The sign-ins.

        identity_center: Where STS is asked.

        desk: Where a person signs in if that is needed.

        directory: Remembers names and what was used.

        credentials: Takes the account in use.

        sso_session: The sign-in that commands use.

        region: Where clients go by default, with a sign-in or without.

        marked: Whether an account of this name is to be marked.

        now: The current time, aware, UTC.
    """

    def __init__(  # noqa: PLR0913 - every way in meets here
        self,
        *,
        aws_files: AwsFiles,
        targets: Targets,
        broker: Broker,
        login: Login,
        identity_center: IdentityCenter,
        desk: Approvals,
        directory: Accounts,
        credentials: KernelCredentials,
        sso_session: Callable[[], SsoSession],
        region: Callable[[SsoSession | None], str],
        marked: Callable[[str], bool],
        now: Now = utc_now,
    ) -> None:
        self._aws_files = aws_files
        self._targets = targets
        self._broker = broker
        self._login = login
        self._identity_center = identity_center
        self._desk = desk
        self._directory = directory
        self._credentials = credentials
        self._sso_session = sso_session
        self._region = region
        self._marked = marked
        self._now = now

    def use(
        self,
        show: Display,
        target: str,
        *,
        role: str | None = None,
        region: str | None = None,
        via: str = "env",
        verify: bool = True,
    ) -> InUse:
        """
        Put an account in use, signing in first if need be.

        Args:
            show: Where the card of a sign-in goes.

            target: Profile, account name, account id, or one of the last two with `/role`.

            role: The role.

            region: Where clients go by default.

            via: `env` for keys in the environment, `profile` for the name of a profile.

            verify: Confirm with `sts:GetCallerIdentity`.

        Raises:
            CuawsError: There is no such account or profile, or no credentials for it.

            Overtaken: Somebody asked for another account meanwhile, or to sign out.

            Cancelled: Ctrl-C or the stop button during the sign-in.
        """
        wish = self._credentials.next_generation()
        config = self._aws_files.read()
        profile = config.profiles.get(target)
        if via == "profile":
            ready = self._by_name(show, target, config, role=role, region=region, verify=verify)
        elif (profile is not None and not profile.sso) or (profile is None and target in config.static_profiles):
            if role is not None:
                raise ConfigurationError(f"The profile {target} has its own role. Leave `--role` out.")
            ready = self._through_profile(show, target, config, region, verify=verify)
        else:
            ready = self._through_portal(show, target, config, role=role, region=region, verify=verify)
        current = self._credentials.activate(ready, wish)
        if isinstance(current.source, RoleSource):
            self._directory.used(current.source.role)
        return self.card(current)

    def card(self, current: InUseRole, notes: tuple[str, ...] = ()) -> InUse:
        """Say what is in use."""
        sso_session, origin = current.sso_session, current.source.origin
        sign_in = self._login.peek(sso_session)[0] if sso_session is not None else None
        said = current.credentials.expires_at if current.credentials is not None else None
        return InUse(
            account=current.account.id,
            account_name=current.account.name,
            role=current.role_name,
            region=current.region,
            expires_at=current.ends_at,
            signed_in_until=sign_in.ends_at if sign_in is not None else None,
            identity=whoami(current.identity) if current.identity is not None else None,
            notes=notes,
            at=self._now(),
            origin=None if origin is IDENTITY_CENTER else origin,
            end_assumed=said is None,
            profile=current.source.profile,
            signs_in=sso_session is not None,
            production=self._marked(current.account.name),
        )

    def lives_on(self, current: InUseRole) -> list[str]:
        """Say what of the credentials goes on although they are taken out of this kernel."""
        ends_at, name = current.ends_at, current.account.name
        if ends_at is None:
            until = "until they end"
        elif ends_at > self._now():
            until = f"until {clock(ends_at, self._now())}"
        else:
            return []
        return [f"Programs that already hold credentials for {name} can use them {until}: AWS does not take them back."]

    def account(self, account_id: str) -> Account:
        """Return an account by its id, with its name if that is remembered."""
        with contextlib.suppress(CuawsError):
            listing = self._directory.remembered(self._sso_session())
            for account in listing.accounts if listing is not None else ():
                if account.id == account_id:
                    return account
        return Account(account_id, account_id)

    # Through the access portal.

    def _through_portal(
        self, show: Display, target: str, config: AwsConfig, *, role: str | None, region: str | None, verify: bool
    ) -> InUseRole:
        def obtain() -> tuple[AccountRole, Credentials]:
            account_role = self._targets.resolve(target, role, self._sso_session, config)
            return account_role, self._broker.credentials(account_role)

        account_role, keys = self._desk.retry_after_sign_in(obtain, show)
        region = region or account_role.region or self._region(account_role.sso_session)
        identity = self._confirmed(keys, region, account_role.account.id) if verify else None
        return InUseRole(RoleSource(self._broker, account_role), keys, region, identity)

    def _confirmed(self, keys: Credentials, region: str, account_id: str | None) -> Identity:
        identity = self._identity_center.caller_identity(keys, region)
        if account_id is not None and identity.account != account_id:
            raise CredentialsRefused(
                f"AWS says that these credentials are for account {identity.account}, not {account_id}. "
                "Nothing was changed. Type `%cuaws logout`, then sign in again."
            )
        return identity

    # Through a profile that botocore resolves.

    def _through_profile(
        self, show: Display, name: str, config: AwsConfig, region: str | None, *, verify: bool
    ) -> InUseRole:
        facts = profile_credentials.facts(name)
        sso_session = _sign_in_behind(facts, config)
        region = region or facts.region or self._region(sso_session)
        keys, renewable = self._resolved(show, name, sso_session, region)
        identity = self._identity_center.caller_identity(keys, region) if verify else None
        account_id = identity.account if identity is not None else keys.account_id
        account = self.account(account_id) if account_id is not None else Account("", name)
        self._refuse_another(name, account_id)
        keys = replace(keys, account_id=account_id)
        role_name = identity.role_name if identity is not None else name
        source: Source
        if renewable and not facts.asks and account_id is not None:
            source = RefreshableSource(
                ("profile", name, keys.access_key_id),
                account,
                role_name,
                Origin(f"the profile {name}", f"`%cuaws use {quoted(name)}`", renews=True),
                sso_session=sso_session,
                first=keys,
                fetch=lambda: self._fetched_again(name, account_id, region),
                now=self._now,
            )
        else:
            source = StaticSource(keys, account, role_name, _origin_of_kept(name, renewable, keys))
        return InUseRole(source, keys, region, identity)

    def _resolved(
        self, show: Display, name: str, sso_session: SsoSession | None, region: str
    ) -> tuple[Credentials, bool]:
        def obtain() -> tuple[Credentials, bool]:
            if sso_session is not None:
                self._login.required(sso_session)
            return profile_credentials.fetch(name, region, self._now)

        return self._desk.retry_after_sign_in(obtain, show)

    def _fetched_again(self, name: str, account_id: str, region: str) -> Credentials:
        """Fetch the next credentials of a profile; a profile that leads elsewhere by now is not followed."""
        keys, _ = profile_credentials.fetch(name, region, self._now)
        found = keys.account_id or self._identity_center.caller_identity(keys, region).account
        if found != account_id:
            raise CredentialsRefused(
                f"The profile {name} leads to account {found} now, not to {account_id}. "
                f"Type `%cuaws use {quoted(name)}` if you want that."
            )
        return replace(keys, account_id=account_id)

    def _refuse_another(self, name: str, account_id: str | None) -> None:
        """Refuse a profile whose name is that of another account: which one is meant is not to be guessed."""
        with contextlib.suppress(ConfigurationError):
            listing = self._directory.remembered(self._sso_session())
            for account in listing.accounts if listing is not None and account_id is not None else ():
                if account.name.casefold() == name.casefold() and account.id != account_id:
                    raise AmbiguousTarget(
                        f"{name} is a profile for account {account_id} and also the name of account {account.id}. "
                        f"For the latter, type `%cuaws use {account.id}`; for the profile, give it another name."
                    )

    # By the name of a profile.

    def _by_name(
        self, show: Display, name: str, config: AwsConfig, *, role: str | None, region: str | None, verify: bool
    ) -> InUseRole:
        profile = config.profiles.get(name)
        if profile is None and name not in config.static_profiles:
            raise _no_such_profile(name, config)
        if role is not None or region is not None:
            raise ConfigurationError(
                f"With `--via profile` role and region are those of the profile {name}. "
                "Leave `--role` and `--region` out, or leave `--via profile` out."
            )
        account_role, sso_session = None, None
        if profile is not None and profile.sso:
            account_role = self._targets.resolve(name, None, self._sso_session, config)
            sso_session, its_region = account_role.sso_session, account_role.region
        else:
            facts = profile_credentials.facts(name)
            sso_session, its_region = _sign_in_behind(facts, config), facts.region
        its_region = its_region or self._region(sso_session)
        identity, account_id = None, account_role.account.id if account_role is not None else None
        if verify:
            keys, _ = self._resolved(show, name, sso_session, its_region)
            identity = self._confirmed(keys, its_region, account_id)
            account_id = identity.account
        elif sso_session is not None:
            self._desk.retry_after_sign_in(lambda: self._login.required(sso_session), show)
        if account_role is not None:
            account, role_name = account_role.account, account_role.role_name
        else:
            account = self.account(account_id) if account_id is not None else Account("", name)
            role_name = identity.role_name if identity is not None else name
            self._refuse_another(name, account_id)
        source = ProfileSource(name, account, role_name, sso_session, account_role)
        return InUseRole(source, None, its_region, identity)


def whoami(identity: Identity, account_name: str = "") -> Whoami:
    """Return an identity as a value that shows itself, with the account's name if that is known."""
    return Whoami(identity.account, identity.arn, identity.user_id, identity.person, account_name)


def _sign_in_behind(facts: ProfileFacts, config: AwsConfig) -> SsoSession | None:
    """Return the sign-in that the first credentials of a profile need."""
    root = config.profiles.get(facts.root)
    if root is None or not ("sso_session" in root.settings or "sso_start_url" in root.settings):
        return None
    if not root.sso:
        raise ConfigurationError(
            f"The profile {root.name} signs in, but names no account and role. Add sso_account_id and sso_role_name "
            f"to it in {config.path}, or type `%cuaws accounts` to see what can be used without it."
        )
    return config.sso_session_of(root)


def _origin_of_kept(name: str, renewable: bool, keys: Credentials) -> Origin:  # noqa: FBT001 - as it came
    again = f"`%cuaws use {quoted(name)}`"
    if renewable or keys.expires_at is not None:
        return Origin(f"the credentials of the profile {name}", again, renews=False)
    if keys.session_token is not None:
        again = f"`%cuaws paste --save {quoted(name)}`, or `%cuaws use ACCOUNT`"
    return Origin(f"the saved keys of {name}", again, renews=False)


def _no_such_profile(name: str, config: AwsConfig) -> UnknownTarget:
    names = [*config.profiles, *config.static_profiles]
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    nearest = f" Nearest: {', '.join(near)}." if near else ""
    return UnknownTarget(
        f"There is no profile {name} in {config.path}.{nearest} To have one written for each account, "
        "type `%cuaws configure`; to do without, leave out `--via profile`."
    )
