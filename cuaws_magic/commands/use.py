"""
`%cuaws use`: an account is put in use through the access portal, through a profile, or by a profile's name.

Nothing changes in the kernel unless all of it succeeds.
"""

from __future__ import annotations

import contextlib
import difflib
import functools
from dataclasses import replace
from typing import TYPE_CHECKING

from cuaws_magic.aws import profile_credentials
from cuaws_magic.commands.early import EarlyCard
from cuaws_magic.commands.last_used import Used
from cuaws_magic.commands.reach import chosen, reaching
from cuaws_magic.commands.status import account_by_id, in_use_view
from cuaws_magic.credentials.in_use import InUseRole
from cuaws_magic.credentials.sources import ProfileSource, RefreshableSource, RoleSource, StaticSource
from cuaws_magic.errors import AmbiguousTarget, ConfigurationError, CredentialsRefused, UnknownTarget
from cuaws_magic.humanize import quoted
from cuaws_magic.model import Account, Origin
from cuaws_magic.settings import Settings
from cuaws_magic.sso.targets import PortalTarget, ProfileTarget, classify, portal_target, spelled
from cuaws_magic.views.account import Confirming

if TYPE_CHECKING:
    from cuaws_magic.aws.profile_credentials import ProfileFacts
    from cuaws_magic.commands.context import Context
    from cuaws_magic.config.content import AwsConfig
    from cuaws_magic.credentials.sources import Source
    from cuaws_magic.model import AccountRole, Credentials, Identity, SsoSession
    from cuaws_magic.views.account import InUse
    from cuaws_magic.views.render import Display


def use(
    context: Context,
    display: Display,
    target: str | None,
    *,
    role: str | None = None,
    region: str | None = None,
    via: str | None = None,
    verify: bool = True,
) -> InUse:
    """
    Put an account in use, signing in first if need be.

    Args:
        display: Where the card of a sign-in goes.

        target: Profile, account name, account id, or one of the last two with `/role`; `None` for what the notebook is
            made for or was used last, `-` for the one before.

        role: The role.

        region: Where clients go by default.

        via: `env` for keys in the environment, `profile` for the name of a profile, `endpoint` for an address where
            programs get them, `auto` for keys in Python and the address for the rest; `None` for what is set.

        verify: Confirm with `sts:GetCallerIdentity`.

    Raises:
        CuawsError: There is no such account or profile, or no credentials for it.

        Superseded: Somebody asked for another account meanwhile, or to sign out.

        Cancelled: Ctrl-C or the stop button during the sign-in.
    """
    card = EarlyCard(display)
    with card.kept_true():
        generation = context.credentials.next_generation()
        said_region = region
        if target in {None, "-"}:
            again = _again(context, before=target is not None)
            target, said_region = again.target, region or again.region
            settled = context.choice.settled()
            if again.session is not None and (settled is None or settled.name != again.session):
                context.choice.configure(Settings(session=again.session))
        config = context.aws_files.read()
        meant = classify(str(target), config)
        region = said_region
        way = chosen(context, via)
        if way == "profile":
            ready = _by_name(context, display, meant, config, role=role, region=region, verify=verify)
        elif isinstance(meant, ProfileTarget):
            if role is not None:
                raise ConfigurationError(f"The profile {meant.name} has its own role. Leave `--role` out.")
            ready = _through_profile(context, display, meant.name, config, region, card if verify else None)
        else:
            confirm = card if verify else None
            ready = _through_portal(context, display, meant, config, role=role, region=region, confirm=confirm)
        current = context.credentials.activate(reaching(context, ready, way), generation)
        if isinstance(current.source, RoleSource):
            context.accounts.used(current.source.role)
        made_for = context.last_used.made_for()
        context.last_used.remember(current, said_region)
        notes = context.credentials.remaining.lines()
        if made_for is not None and not _is(current, made_for):
            notes = (*notes, f"This notebook was made for {made_for.label}. To use that, type `%cuaws use`.")
        view = in_use_view(context, current, notes)
    card.finish(view)
    return view


def _again(context: Context, *, before: bool) -> Used:
    """Return what was used last, or the one before that."""
    found = context.last_used.before() if before else context.last_used.again()
    if found is None and not before and context.settings.account:
        found = Used(context.settings.account, context.settings.account, "")
    if found is not None:
        return found
    if before:
        raise UnknownTarget("Only one account was used here. To see all of yours, type `%cuaws accounts`.")
    raise UnknownTarget("No account was used here before. To see yours, type `%cuaws accounts`, or `%cuaws panel`.")


def _is(current: InUseRole, made_for: Used) -> bool:
    """Whether an account in use is the one that a notebook is made for."""
    names = {current.account.name.casefold(), current.account.id, (current.source.profile or "").casefold()}
    account = made_for.target.rpartition("/")[0] if made_for.role else made_for.target
    return spelled(account).casefold() in names and made_for.role.casefold() in {"", current.role_name.casefold()}


def ready(
    context: Context, display: Display, target: str, *, role: str | None = None, region: str | None = None
) -> InUseRole:
    """
    Return an account as `use` would put it in use, with its credentials; not confirmed with AWS.

    Raises:
        CuawsError: There is no such account or profile, or no credentials for it.
    """
    config = context.aws_files.read()
    meant, way = classify(target, config), chosen(context, None)
    if isinstance(meant, ProfileTarget):
        found = _through_profile(context, display, meant.name, config, region, None)
    else:
        found = _through_portal(context, display, meant, config, role=role, region=region, confirm=None)
    return reaching(context, found, "auto" if way == "profile" else way)


def resolved(context: Context, display: Display, target: str) -> AccountRole:
    """
    Return the one account and role that a TARGET means, signing in first if need be.

    Raises:
        CuawsError: There is no such account, or the portal cannot be asked.
    """
    config = context.aws_files.read()
    meant = portal_target(target, config)
    return context.approvals.retry_after_sign_in(
        lambda: context.targets.resolve(meant, None, context.choice.sso_session, config), display
    )


def _through_portal(
    context: Context,
    display: Display,
    target: PortalTarget,
    config: AwsConfig,
    *,
    role: str | None,
    region: str | None,
    confirm: EarlyCard | None,
) -> InUseRole:
    def obtain() -> tuple[AccountRole, Credentials]:
        account_role = context.targets.resolve(target, role, context.choice.sso_session, config)
        return account_role, context.broker.credentials(account_role)

    account_role, keys = context.approvals.retry_after_sign_in(obtain, display)
    region = region or account_role.region or context.last_used.region_of(account_role)
    region = region or context.choice.region(account_role.sso_session)
    identity = None
    if confirm is not None:
        keys, identity = _accepted(context, display, confirm, account_role, keys, region)
    return InUseRole(RoleSource(context.broker, account_role), keys, region, identity, account_role.profile)


def _accepted(
    context: Context, display: Display, card: EarlyCard, account_role: AccountRole, keys: Credentials, region: str
) -> tuple[Credentials, Identity]:
    """Have AWS confirm a set; one from a cache that it refuses is fetched anew, once."""
    account = account_role.account
    confirmed = functools.partial(
        _confirmed, context, region=region, account_id=account.id, profile=account_role.profile
    )
    try:
        return keys, card.while_waiting(
            functools.partial(confirmed, keys), lambda: _confirming(context, account, account_role.role_name)
        )
    except CredentialsRefused:
        fetched = context.approvals.retry_after_sign_in(
            lambda: context.broker.replace_refused(account_role, keys), display
        )
    try:
        return fetched, confirmed(fetched)
    except CredentialsRefused as error:
        if error.elsewhere:
            raise
        raise CredentialsRefused(
            f"AWS does not accept credentials for {account_role.account.name} as {account_role.role_name}, not even "
            "new ones. If the role is new or was just changed, wait a minute, then run the cell again; otherwise ask "
            "the administrators of your organisation."
        ) from None


def _confirming(context: Context, account: Account, role_name: str) -> Confirming:
    return Confirming(account.name, account.id, role_name, context.settings.is_production(account.name))


def _confirmed(
    context: Context, keys: Credentials, region: str, account_id: str | None, profile: str | None
) -> Identity:
    identity = context.identity_center.caller_identity(keys, region, profile)
    if account_id is not None and identity.account != account_id:
        raise CredentialsRefused(
            f"AWS says that these credentials are for account {identity.account}, not {account_id}. "
            "Nothing was changed. Type `%cuaws logout`, then sign in again.",
            elsewhere=True,
        )
    return identity


def _through_profile(
    context: Context, display: Display, name: str, config: AwsConfig, region: str | None, confirm: EarlyCard | None
) -> InUseRole:
    facts = profile_credentials.facts(name)
    sso_session = _sign_in_behind(facts, config)
    region = region or facts.region or context.choice.region(sso_session)
    keys, renewable = _resolved(context, display, name, sso_session, region)
    identity = None
    if confirm is not None:
        identity = confirm.while_waiting(
            lambda: _profile_confirmed(context, name, keys, region, renewable=renewable),
            lambda: _confirming(context, Account(keys.account_id or "", name), "profile"),
        )
    account_id = identity.account if identity is not None else keys.account_id
    account = account_by_id(context, account_id) if account_id is not None else Account("", name)
    _refuse_another(context, name, account_id)
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
            fetch=lambda: _fetched_again(context, name, account_id, region),
            now=context.now,
        )
    else:
        source = StaticSource(keys, account, role_name, _origin_of_kept(name, renewable, keys))
    return InUseRole(source, keys, region, identity, name)


def _profile_confirmed(context: Context, name: str, keys: Credentials, region: str, *, renewable: bool) -> Identity:
    try:
        return _confirmed(context, keys, region, None, name)
    except CredentialsRefused:
        raise CredentialsRefused(_why_refused(name, keys, renewable=renewable)) from None


def _why_refused(name: str, keys: Credentials, *, renewable: bool) -> str:
    """Say what of a profile AWS refuses, and what leads out: nothing makes saved keys good again."""
    origin = _origin_of_kept(name, renewable, keys)
    if "EXAMPLE" in keys.access_key_id.reveal():
        return (
            f"The keys of the profile {name} are the example keys of AWS's documentation, which open no account. "
            f"Type `%cuaws paste --save {quoted(name)}` with your own, or `%cuaws use ACCOUNT`."
        )
    if renewable or keys.expires_at is not None:
        return (
            f"AWS does not accept {origin.label}: they have expired or were revoked. "
            "Renew them where they come from, then run the cell again."
        )
    if keys.session_token is None:
        return (
            f"AWS does not accept {origin.label}: they were deleted or switched off in IAM, or are mistyped. "
            "Correct them in ~/.aws/credentials, or type `%cuaws use ACCOUNT`."
        )
    return f"AWS does not accept {origin.label}: they have expired. For new ones, type {origin.remedy}."


def _resolved(
    context: Context, display: Display, name: str, sso_session: SsoSession | None, region: str
) -> tuple[Credentials, bool]:
    def obtain() -> tuple[Credentials, bool]:
        if sso_session is not None:
            context.login.required(sso_session)
        return profile_credentials.fetch(name, region, context.now)

    return context.approvals.retry_after_sign_in(obtain, display)


def _fetched_again(context: Context, name: str, account_id: str, region: str) -> Credentials:
    """Fetch the next credentials of a profile; a profile that leads elsewhere by now is not followed."""
    keys, _ = profile_credentials.fetch(name, region, context.now)
    found = keys.account_id or context.identity_center.caller_identity(keys, region, name).account
    if found != account_id:
        raise CredentialsRefused(
            f"The profile {name} leads to account {found} now, not to {account_id}. "
            f"Type `%cuaws use {quoted(name)}` if you want that."
        )
    return replace(keys, account_id=account_id)


def _refuse_another(context: Context, name: str, account_id: str | None) -> None:
    """Refuse a profile whose name is that of another account: which one is meant is not to be guessed."""
    with contextlib.suppress(ConfigurationError):
        listing = context.accounts.remembered(context.choice.sso_session())
        for account in listing.accounts if listing is not None and account_id is not None else ():
            if name.casefold() in {account.name.casefold(), account.id} and account.id != account_id:
                raise AmbiguousTarget(
                    f"{name} is a profile for account {account_id} and also the name of account {account.id}. "
                    f"For the latter, type `%cuaws use {account.id}`; for the profile, give it another name."
                )


def _by_name(
    context: Context,
    display: Display,
    target: PortalTarget | ProfileTarget,
    config: AwsConfig,
    *,
    role: str | None,
    region: str | None,
    verify: bool,
) -> InUseRole:
    if isinstance(target, PortalTarget) and target.profile is None:
        raise _no_such_profile(target.text, config)
    name = target.name if isinstance(target, ProfileTarget) else target.text
    if role is not None or region is not None:
        raise ConfigurationError(
            f"With `--via profile` role and region are those of the profile {name}. "
            "Leave `--role` and `--region` out, or leave `--via profile` out."
        )
    account_role, sso_session = None, None
    if isinstance(target, PortalTarget):
        account_role = context.targets.resolve(target, None, context.choice.sso_session, config)
        sso_session, its_region = account_role.sso_session, account_role.region
    else:
        facts = profile_credentials.facts(name)
        sso_session, its_region = _sign_in_behind(facts, config), facts.region
    its_region = its_region or context.choice.region(sso_session)
    identity, account_id = None, account_role.account.id if account_role is not None else None
    if verify:
        keys, _ = _resolved(context, display, name, sso_session, its_region)
        identity = _confirmed(context, keys, its_region, account_id, name)
        account_id = identity.account
    elif sso_session is not None:
        context.approvals.retry_after_sign_in(lambda: context.login.required(sso_session), display)
    if account_role is not None:
        account, role_name = account_role.account, account_role.role_name
    else:
        account = account_by_id(context, account_id) if account_id is not None else Account("", name)
        role_name = identity.role_name if identity is not None else name
        _refuse_another(context, name, account_id)
    source = ProfileSource(name, account, role_name, sso_session, account_role)
    return InUseRole(source, None, its_region, identity)


def _sign_in_behind(facts: ProfileFacts, config: AwsConfig) -> SsoSession | None:
    """Return the sign-in that the first credentials of a profile need."""
    root = config.root(facts.name)
    if root is None or not root.signs_in:
        return None
    if not root.sso and not {"sso_account_id", "sso_role_name"} <= root.merged.keys():
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
        f"There is no profile {name} in {config.path}.{nearest} To write one for each account, "
        "type `%cuaws configure`; to use no profile, leave out `--via profile`."
    )
