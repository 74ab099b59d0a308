"""An account is put in use through a profile that botocore resolves, or by a profile's name alone."""

from __future__ import annotations

import contextlib
import difflib
from dataclasses import replace
from typing import TYPE_CHECKING

from cuaws_magic.aws import profile_credentials
from cuaws_magic.commands.confirm import confirmed, confirming
from cuaws_magic.commands.status import account_by_id
from cuaws_magic.credentials.in_use import InUseRole
from cuaws_magic.credentials.sources import ProfileSource, RefreshableSource, StaticSource
from cuaws_magic.errors import AmbiguousTarget, ConfigurationError, CredentialsRefused, NotSignedIn, UnknownTarget
from cuaws_magic.humanize import quoted
from cuaws_magic.model import Account, Origin
from cuaws_magic.sso.targets import PortalTarget, ProfileTarget

if TYPE_CHECKING:
    from cuaws_magic.aws.profile_credentials import ProfileFacts
    from cuaws_magic.commands.context import Context
    from cuaws_magic.commands.early import EarlyCard
    from cuaws_magic.config.content import AwsConfig
    from cuaws_magic.credentials.sources import Source
    from cuaws_magic.model import Credentials, Identity, SsoSession
    from cuaws_magic.views.render import Display


def through_profile(
    context: Context, display: Display, name: str, config: AwsConfig, region: str | None, confirm: EarlyCard | None
) -> InUseRole:
    """
    Return a profile ready for use, with the credentials that botocore finds for it.

    Raises:
        CuawsError: It has none, or AWS does not accept them.
    """
    facts = profile_credentials.facts(name)
    sso_session = _sign_in_behind(facts, config)
    region = region or facts.region or context.choice.region(sso_session)
    keys, renewable = _resolved(context, display, name, sso_session, region)
    identity = None
    if confirm is not None:
        identity = confirm.while_waiting(
            lambda: _profile_confirmed(context, name, keys, region, renewable=renewable),
            lambda: confirming(context, Account(keys.account_id or "", name), "profile"),
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
        return confirmed(context, keys, region, None, name)
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
            _signed_in_itself(context, sso_session)
        return profile_credentials.fetch(name, region, context.now)

    return context.approvals.retry_after_sign_in(obtain, display)


def _signed_in_itself(context: Context, sso_session: SsoSession) -> None:
    """
    Have the very sign-in of a profile stand: botocore and the AWS CLI look under its name alone.

    Raises:
        NotSignedIn: It does not, and says why another to the same portal is not enough.
    """
    try:
        context.login.required(sso_session, own=True)
    except NotSignedIn as error:
        other = context.login.peek(sso_session)[0]
        if other is None:
            raise
        raise NotSignedIn(
            f"You are signed in as {other.sso_session.label}, but programs look for {sso_session.label}. "
            f"Type {context.choice.command(sso_session, force=True)}.",
            error.sso_session,
            why=f"Programs that use this profile look for a sign-in of {sso_session.label}; "
            f"the one of {other.sso_session.label} does not serve them.",
        ) from None


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
        lists = [context.accounts.remembered(one) for one in context.organisations.all()] if account_id else []
        for account in (account for listing in lists if listing is not None for account in listing.accounts):
            if name.casefold() in {account.name.casefold(), account.id} and account.id != account_id:
                raise AmbiguousTarget(
                    f"{name} is a profile for account {account_id} and also the name of account {account.id}. "
                    f"For the latter, type `%cuaws use {account.id}`; for the profile, give it another name."
                )


def by_name(
    context: Context,
    display: Display,
    target: PortalTarget | ProfileTarget,
    config: AwsConfig,
    *,
    role: str | None,
    region: str | None,
    verify: bool,
) -> InUseRole:
    """
    Return a profile ready for use by its name alone (`AWS_PROFILE`); programs fetch their own credentials.

    Raises:
        CuawsError: There is no such profile, or it has no credentials.
    """
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
        account_role = context.targets.resolve(target, None, context.organisations.looked_in, config)
        sso_session, its_region = account_role.sso_session, account_role.region
    else:
        facts = profile_credentials.facts(name)
        sso_session, its_region = _sign_in_behind(facts, config), facts.region
    its_region = its_region or context.choice.region(sso_session)
    identity, account_id = None, account_role.account.id if account_role is not None else None
    if verify:
        keys, _ = _resolved(context, display, name, sso_session, its_region)
        identity = confirmed(context, keys, its_region, account_id, name)
        account_id = identity.account
    elif sso_session is not None:
        context.approvals.retry_after_sign_in(lambda: _signed_in_itself(context, sso_session), display)
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
