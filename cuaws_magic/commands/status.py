"""What holds in this kernel: `%cuaws status`, `%cuaws whoami`, `%cuaws release`, and the view of an account in use."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from cuaws_magic.aws.console_links import console_url
from cuaws_magic.aws.hosts import is_aws
from cuaws_magic.credentials.sources import IDENTITY_CENTER
from cuaws_magic.errors import ConfigurationError, CredentialsRefused, CuawsError, SeveralSignIns
from cuaws_magic.humanize import clock, use_time_zone
from cuaws_magic.model import Account
from cuaws_magic.settings import SIGN_IN_WARNING
from cuaws_magic.views.account import InUse, Released, Status, Whoami
from cuaws_magic.views.sign_in import SignInState, session_label

if TYPE_CHECKING:
    from cuaws_magic.commands.context import Context
    from cuaws_magic.credentials.in_use import InUseRole
    from cuaws_magic.model import Identity, SsoSession


def status(context: Context) -> Status:
    """Say what holds in this kernel; sends no request."""
    current, now = context.credentials.current, context.now()
    sso_session = own_sign_in(context, current)
    sign_in, trouble = context.login.peek(sso_session) if sso_session is not None else (None, None)
    notes = [f"{trouble} `%cuaws login` replaces it."] if trouble and sign_in is None else []
    if sign_in is not None and sign_in.ends_at - now <= SIGN_IN_WARNING:
        at = clock(sign_in.ends_at, now)
        typed = context.choice.command(sign_in.sso_session, force=True)
        notes.append(f"The sign-in ends soon, at {at}. Type {typed} at a convenient time.")
    notes += context.organisations.troubles() or _unsettled(context)
    zone = context.settings.time_zone
    if zone and not use_time_zone(zone):
        notes.append(f"There is no time zone {zone}. Set CUAWS_TZ to one such as `America/Denver`.")
    if context.approvals.waiting:
        notes.append("A sign-in is waiting for your approval, in the cell where it was started.")
    if context.environment.touched:
        changed = ", ".join(context.environment.touched)
        notes.append(f"{changed} changed since `%cuaws use`; `%cuaws whoami` tells who you are now.")
    notes += context.credentials.remaining.lines()
    return Status(
        sso_session,
        sign_in.ends_at if sign_in else None,
        in_use_view(context, current) if current is not None else None,
        tuple(notes),
        now,
        last.label if current is None and (last := context.last_used.again()) is not None else None,
        tuple(sign_ins(context)),
    )


def _unsettled(context: Context) -> list[str]:
    """Say why it is not settled where to sign in; that there are several is no fault."""
    try:
        context.choice.sso_session()
    except SeveralSignIns:
        return []
    except CuawsError as error:
        return [str(error)]
    return []


def sign_ins(context: Context) -> list[SignInState]:
    """Return every sign-in that is known, where they are of more than one organisation."""
    groups = context.organisations.by_portal()
    found = []
    for one in (one for group in groups for one in group if len(groups) > 1):
        sign_in = context.login.peek(one)[0]
        until, through = (sign_in.ends_at, sign_in.sso_session) if sign_in is not None else (None, None)
        since = context.login.records.approved_at(through or one)
        its_own = through is None or through.cache_key == one.cache_key
        typed = context.choice.command(one)
        ended_at = context.login.ended_at(one) or context.login.records.ended_at(one)
        found.append(SignInState(one, until, ended_at, typed, None if its_own else through, since))
    return found


def whoami(context: Context) -> Whoami:
    """
    Ask STS as whom this kernel's AWS calls go out, whoever set that up (`sts:GetCallerIdentity`).

    Raises:
        NoCredentials: There are none.

        ServiceError: STS does not accept them, or does not answer.
    """
    region = context.environ.get("AWS_REGION") or context.environ.get("AWS_DEFAULT_REGION")
    region = region or context.choice.region(None)
    try:
        try:
            identity = context.identity_center.caller_identity(None, region)
        except CredentialsRefused:
            if not replace_if_refused(context):
                raise
            identity = context.identity_center.caller_identity(None, region)
    except ConfigurationError:
        context.aws_files.read()  # names file and line, where a file is the reason
        raise
    name = account_by_id(context, identity.account).name
    return whoami_view(identity, name, production=context.settings.is_production(name))


def release(context: Context) -> Released:
    """Take the credentials out of the kernel; every variable is again as it was found."""
    current, touched = context.credentials.current, context.environment.touched
    context.credentials.deactivate()
    notes = [f"{', '.join(touched)} changed after `%cuaws use`, so it stays as it is."] if touched else []
    if current is not None and current.sso_session is None:
        notes += still_valid(context, current)
    elif current is not None:
        notes.append("You are still signed in: `%cuaws use ACCOUNT` needs no approval.")
    return Released(current.account.name if current else None, tuple(notes))


def replace_if_refused(context: Context) -> bool:
    """
    Put new credentials in use, if AWS does not accept those in use now; returns whether it did that.

    Cached ones may have been revoked, or be of a role that was made anew: their date does not tell.
    """
    current = context.credentials.current
    if current is None or current.credentials is None or not current.source.origin.renews:
        return False
    if context.environment.keys_touched:
        return False
    try:
        context.identity_center.caller_identity(current.credentials, current.region, current.client_profile)
    except CredentialsRefused:
        with contextlib.suppress(CuawsError):
            context.credentials.replace_refused(current)
            return True
    except CuawsError:
        pass  # not an answer about the credentials
    return False


def in_use_view(context: Context, current: InUseRole, notes: tuple[str, ...] = ()) -> InUse:
    """Return the view of the account in use."""
    sso_session, origin = current.sso_session, current.source.origin
    sign_in = context.login.peek(sso_session)[0] if sso_session is not None else None
    said = current.credentials.expires_at if current.credentials is not None else None
    return InUse(
        account=current.account.id,
        account_name=current.account.name,
        role=current.role_name,
        region=current.region,
        expires_at=current.ends_at,
        signed_in_until=sign_in.ends_at if sign_in is not None else None,
        identity=whoami_view(current.identity) if current.identity is not None else None,
        notes=notes,
        at=context.now(),
        origin=None if origin is IDENTITY_CENTER else origin,
        end_assumed=said is None,
        profile=current.source.profile,
        signs_in=sso_session is not None,
        production=context.settings.is_production(current.account.name),
        reach=_reach(current),
        reach_unusual=current.not_served is not None,
        console_url=console_of(context, current),
        organisation=session_label(sso_session) if sso_session is not None and context.organisations.several() else "",
        login_command=context.choice.command(sso_session) if sso_session is not None else "`%cuaws login`",
    )


def console_of(context: Context, current: InUseRole) -> str | None:
    """Return a link into the console for an account in use; nothing where it did not come through the portal."""
    role = current.account_role
    if role is None:
        return None
    portal = context.identity_center.start_urls.known(role.sso_session.start_url)
    return console_url(portal, role.account.id, role.role_name) if is_aws(portal) else None


def _reach(current: InUseRole) -> str:
    """Say how native libraries and child processes get the credentials; empty where a profile says it all."""
    if current.credentials is None:
        return ""
    why = f"; {current.not_served}" if current.not_served is not None else ""
    if current.served is None:
        return f"keys in the environment, for every program{why}"
    if current.served.keys_too:
        return "keys in the environment of Python; other programs and native libraries get theirs from this kernel"
    return f"no keys in the environment; programs and libraries get theirs from this kernel{why}"


def whoami_view(identity: Identity, account_name: str = "", *, production: bool = False) -> Whoami:
    """Return an identity as a value that shows itself, with the account's name if that is known."""
    return Whoami(identity.account, identity.arn, identity.user_id, identity.person, account_name, production)


def still_valid(context: Context, current: InUseRole) -> list[str]:
    """Say what of the credentials works on although they are taken out of this kernel."""
    ends_at, name = current.ends_at, current.account.name
    if ends_at is None:
        until = "until they expire"
    elif ends_at > context.now():
        until = f"until {clock(ends_at, context.now())}"
    else:
        return []
    return [f"Programs that already hold credentials for {name} can use them {until}: AWS does not revoke them."]


def account_by_id(context: Context, account_id: str) -> Account:
    """Return an account by its id, with its name if that is remembered."""
    with contextlib.suppress(CuawsError):
        for sso_session in context.organisations.all():
            listing = context.accounts.remembered(sso_session)
            for account in listing.accounts if listing is not None else ():
                if account.id == account_id:
                    return account
    return Account(account_id, account_id)


def own_sign_in(context: Context, current: InUseRole | None) -> SsoSession | None:
    """Return the sign-in of this kernel: the account's own, else the one that is settled, if one is."""
    return (current.sso_session if current is not None else None) or context.choice.settled()
