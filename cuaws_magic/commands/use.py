"""
`%cuaws use`: an account is put in use through the access portal, through a profile, or by a profile's name.

Nothing changes in the kernel unless all of it succeeds.
"""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING

from cuaws_magic.commands.confirm import confirmed, confirming
from cuaws_magic.commands.early import EarlyCard
from cuaws_magic.commands.last_used import Used
from cuaws_magic.commands.reach import chosen, reaching
from cuaws_magic.commands.status import in_use_view
from cuaws_magic.commands.use_profile import by_name, through_profile
from cuaws_magic.credentials.in_use import InUseRole
from cuaws_magic.credentials.sources import RoleSource
from cuaws_magic.errors import ConfigurationError, CredentialsRefused, UnknownTarget
from cuaws_magic.humanize import quoted
from cuaws_magic.sso.targets import PortalTarget, ProfileTarget, classify, of_the_portal, spelled

if TYPE_CHECKING:
    from cuaws_magic.commands.context import Context
    from cuaws_magic.commands.production import Ask
    from cuaws_magic.config.content import AwsConfig
    from cuaws_magic.model import AccountRole, Credentials, Identity
    from cuaws_magic.views.account import InUse
    from cuaws_magic.views.render import Display


def use(  # noqa: PLR0913 - an argument for each option of the command
    context: Context,
    display: Display,
    target: str | None,
    *,
    role: str | None = None,
    region: str | None = None,
    session: str | None = None,
    via: str | None = None,
    verify: bool = True,
    production: bool | Ask = False,
    wait_for_sign_in: bool = False,
) -> InUse:
    """
    Put an account in use, signing in first if need be.

    Args:
        display: Where the card of a sign-in goes.

        target: Profile, account name, account id, or one of the last two with `/role`; `None` for what the notebook is
            made for or was used last, `-` for the one before.

        role: The role.

        region: Where clients go by default.

        session: The sign-in in which the account is looked up; otherwise in all that stand.

        via: `env` for keys in the environment, `profile` for the name of a profile, `endpoint` for an address where
            programs get them, `auto` for keys in Python and the address for the rest; `None` for what is set.

        verify: Confirm with `sts:GetCallerIdentity`.

        production: Whether a role that can change things in a production account is meant, or what asks a person.

        wait_for_sign_in: Have clients wait for the next sign-in where this one ends while a cell runs.

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
            again = _again(context, before=target is not None, session=session)
            target, said_region, session = again.target, region or again.region, session or _known(context, again)
        config = context.aws_files.read()
        meant = _meant(context, str(target), config, session)
        region = said_region
        way = chosen(context, via)
        if way == "profile":
            ready = by_name(context, display, meant, config, role=role, region=region, verify=verify)
        elif isinstance(meant, ProfileTarget):
            if role is not None:
                raise ConfigurationError(f"The profile {meant.name} has its own role. Leave `--role` out.")
            ready = through_profile(context, display, meant.name, config, region, card if verify else None)
        else:
            confirm = card if verify else None
            ready = _through_portal(context, display, meant, config, role=role, region=region, confirm=confirm)
        context.confirmed_production.check(context.settings, ready, meant=production)
        current = context.credentials.activate(reaching(context, ready, way), generation)
        context.sign_in_wait.begin(display, wanted=wait_for_sign_in)
        if isinstance(current.source, RoleSource):
            context.accounts.used(current.source.role)
        made_for = context.last_used.made_for()
        context.last_used.remember(current, said_region)
        how_found = current.account_role.notes if current.account_role is not None else ()
        notes = (*how_found, *context.credentials.remaining.lines())
        if made_for is not None and not _is(context, current, made_for):
            notes = (*notes, f"This notebook was made for {made_for.label}. To use that, type `%cuaws use`.")
        view = in_use_view(context, current, notes)
    card.finish(view)
    return view


def _meant(context: Context, text: str, config: AwsConfig, session: str | None = None) -> PortalTarget | ProfileTarget:
    """
    Tell what kind of TARGET was typed, and in which sign-in if one was named.

    Raises:
        ConfigurationError: There is no such sign-in, or two were named.
    """
    named, rest = None, text
    if ":" in text and config.profile(text) is None:
        named, rest = context.organisations.prefix(text)
    if session is not None and named not in {None, session}:
        raise ConfigurationError(f"Two sign-ins were named, {session} and {named}. Leave one of them out.")
    session = session or named
    if session is not None:
        context.organisations.named(session)
    return classify(rest, config, session)


def _known(context: Context, again: Used) -> str | None:
    """Return the sign-in of what was used before, unless nobody knows it any more: then any may have the account."""
    with contextlib.suppress(ConfigurationError):
        return again.session and context.organisations.named(again.session).name
    return None


def _again(context: Context, *, before: bool, session: str | None = None) -> Used:
    """Return what was used last, or the one before that; of one sign-in, if one was named."""
    if session is not None:
        of_it = [one for one in context.last_used.all() if one.session == session][int(before) :]
        if not of_it:
            raise UnknownTarget(
                f"No account of {session} was used here before. To see yours, type "
                f"`%cuaws accounts --session {quoted(session)}`."
            )
        return of_it[0]
    found = context.last_used.before() if before else context.last_used.again()
    if found is None and not before and context.settings.account:
        found = Used(context.settings.account, context.settings.account, "")
    if found is not None:
        return found
    if before:
        raise UnknownTarget("Only one account was used here. To see all of yours, type `%cuaws accounts`.")
    raise UnknownTarget("No account was used here before. To see yours, type `%cuaws accounts`, or `%cuaws panel`.")


def _is(context: Context, current: InUseRole, made_for: Used) -> bool:
    """Whether an account in use is the one that a notebook is made for."""
    names = {current.account.name.casefold(), current.account.id, (current.source.profile or "").casefold()}
    _, target = context.organisations.prefix(made_for.target)
    account = target.rpartition("/")[0] if made_for.role else target
    return spelled(account).casefold() in names and made_for.role.casefold() in {"", current.role_name.casefold()}


def ready(
    context: Context,
    display: Display,
    target: str,
    *,
    role: str | None = None,
    region: str | None = None,
    session: str | None = None,
) -> InUseRole:
    """
    Return an account as `use` would put it in use, with its credentials; not confirmed with AWS.

    Raises:
        CuawsError: There is no such account or profile, or no credentials for it.
    """
    config = context.aws_files.read()
    meant, way = _meant(context, target, config, session), chosen(context, None)
    if isinstance(meant, ProfileTarget):
        found = through_profile(context, display, meant.name, config, region, None)
    else:
        found = _through_portal(context, display, meant, config, role=role, region=region, confirm=None)
    return reaching(context, found, "auto" if way == "profile" else way)


def resolved(context: Context, display: Display, target: str, session: str | None = None) -> AccountRole:
    """
    Return the one account and role that a TARGET means, signing in first if need be.

    Raises:
        CuawsError: There is no such account, or the portal cannot be asked.
    """
    config = context.aws_files.read()
    meant = of_the_portal(_meant(context, target, config, session))
    return context.approvals.retry_after_sign_in(
        lambda: context.targets.resolve(meant, None, context.organisations.looked_in, config), display
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
        account_role = context.targets.resolve(target, role, context.organisations.looked_in, config)
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
    its_identity = functools.partial(
        confirmed, context, region=region, account_id=account.id, profile=account_role.profile
    )
    try:
        return keys, card.while_waiting(
            functools.partial(its_identity, keys), lambda: confirming(context, account, account_role.role_name)
        )
    except CredentialsRefused:
        fetched = context.approvals.retry_after_sign_in(
            lambda: context.broker.replace_refused(account_role, keys), display
        )
    try:
        return fetched, its_identity(fetched)
    except CredentialsRefused as error:
        if error.elsewhere:
            raise
        raise CredentialsRefused(
            f"AWS does not accept credentials for {account_role.account.name} as {account_role.role_name}, not even "
            "new ones. If the role is new or was just changed, wait a minute, then run the cell again; otherwise ask "
            "the administrators of your organisation."
        ) from None
