"""`%cuaws login` and `%cuaws logout`: signing in, and ending sign-ins at the portal, on disk and in this kernel."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from cuaws_magic import storage
from cuaws_magic.aws.hosts import portal_of
from cuaws_magic.commands.callback import AS_SET
from cuaws_magic.commands.status import own_sign_in, still_valid
from cuaws_magic.errors import CuawsError, SeveralSignIns, SsoTokenRefused
from cuaws_magic.humanize import clock, quoted
from cuaws_magic.settings import Settings
from cuaws_magic.views.sign_in import SignedIn, SignedOut, session_label

if TYPE_CHECKING:
    from cuaws_magic.commands.callback import Wanted
    from cuaws_magic.commands.context import Context
    from cuaws_magic.credentials.in_use import InUseRole
    from cuaws_magic.model import SsoSession, SsoToken
    from cuaws_magic.sso.login import SignIn
    from cuaws_magic.views.render import Display
    from cuaws_magic.views.sign_in import SigningIn

_AT_A_TIME = 8
_PATIENCE = 10  # seconds that a logout waits for AWS
_BROWSER = "Your browser may still be signed in to the access portal: on a shared computer sign out there, too."


def login(
    context: Context,
    display: Display,
    settings: Settings | None = None,
    *,
    force: bool = False,
    wait: bool = True,
    timeout: float | None = None,
    sso_session: SsoSession | None = None,
    wanted: Wanted = AS_SET,
) -> SignedIn | SigningIn:
    """
    Sign in, unless already signed in.

    Args:
        display: Where the card goes.

        settings: What the arguments say of the organisation; holds for later commands.

        force: Sign in again although still signed in.

        wait: Until a person approved; otherwise in the background.

        timeout: Seconds after which to give up.

        sso_session: The very sign-in; otherwise the one that settings say.

        wanted: How it is approved.

    Raises:
        CuawsError: Nobody is signed in.

        Cancelled: Ctrl-C or the stop button.
    """
    sso_session = sso_session or context.choice.sso_session(settings)
    current = None if force else context.login.confirmed(sso_session)
    if current is not None:
        notes = (*current.notes, *_shared(context, sso_session, current))
        signed_in: SignedIn | SigningIn = SignedIn(
            sso_session, current.ends_at, already=True, notes=notes, at=context.now()
        )
    else:
        signed_in = context.approvals.approve(
            sso_session, display, force=force, wait=wait, timeout=timeout, wanted=wanted
        )
    if sso_session.name is not None and context.organisations.several():
        context.choice.configure(settings or Settings(session=sso_session.name))
    elif settings is not None:
        context.choice.configure(settings)
    return signed_in


def _shared(context: Context, sso_session: SsoSession, sign_in: SignIn) -> list[str]:
    """Say through which sign-in one stands, where it is not its own."""
    if sign_in.sso_session.cache_key == sso_session.cache_key:
        return []
    typed = context.choice.command(sso_session, force=True)
    through = f"Through the sign-in of {sign_in.sso_session.label}, to the same portal."
    return [f"{through} The AWS CLI keeps the two apart: for one of its own, type {typed}."]


def logout(context: Context, *, every: bool = False, session: str | None = None) -> SignedOut:
    """
    End the sign-in at the portal and here, and take everything of it out of the kernel.

    Args:
        every: Every sign-in of the cache, as `aws sso logout` does.

        session: The sign-in; otherwise that of the account in use, else the settled one.

    Raises:
        StorageError: A file is there and cannot be deleted.
    """
    current = context.credentials.current
    named = context.organisations.named(session) if session is not None and not every else None
    pending = context.approvals.sso_session
    if named is None or pending is None or _same(pending, named):
        context.approvals.cancel()
    if named is None or (current is not None and current.sso_session and _same(current.sso_session, named)):
        context.credentials.sign_out()  # first: whatever is wrong with the files, no keys stay in the kernel
    else:
        current = None  # it stays in use
    for folder in (context.token_cache.sso_folder, context.token_cache.role_folder, context.state_store.folder):
        storage.sweep(folder)  # what killed writers left holds SSO tokens too
    organisations, sentences = _end_every(context, current) if every else _end_own(context, current, named)
    sentences += still_valid(context, current) if current is not None else []
    sentences += _standing(context)
    sentences += [_BROWSER] if organisations else []
    context.observers.notify()
    return SignedOut(tuple(organisations), tuple(sentences))


def _same(one: SsoSession, other: SsoSession) -> bool:
    return portal_of(one) == portal_of(other)


def _standing(context: Context) -> list[str]:
    """Say which sign-ins still stand after one was ended."""
    standing = context.organisations.standing()
    if not standing:
        return []
    names = ", ".join(session_label(one) for one in standing)
    known = [one for one in standing if context.login.owner(one) is not None]
    # A sign-in whose name nobody knows any more can only be ended with all of them.
    how = f"`%cuaws logout --session {quoted(known[0].label)}`" if known else "`%cuaws logout --all`"
    return [f"You are still signed in to {names}. To sign out there too, type {how}."]


def _meant(context: Context, current: InUseRole | None) -> SsoSession | None:
    """
    Return the sign-in that a plain logout ends: the account's, else the only one that stands, else the settled.

    Nothing where there are several, nobody is signed in to any, and nothing says which.
    """
    if current is not None and current.sso_session is not None:
        return current.sso_session
    standing = context.organisations.standing()
    if len(standing) == 1:
        return standing[0]
    try:
        return context.choice.sso_session()
    except SeveralSignIns:
        if standing:
            raise
        return None


def _end_own(context: Context, current: InUseRole | None, named: SsoSession | None) -> tuple[list[str], list[str]]:
    """End one sign-in; returns which organisations that were, and what could not be ended or ends with it."""
    wanted = named or _meant(context, current)
    if wanted is None:
        return [], []
    sso_session = context.login.owner(wanted) or wanted
    served = [one for one in context.login.same_portal(sso_session) if context.login.peek_own(one) is None]
    config = None
    with contextlib.suppress(CuawsError):  # it only tells of more files to delete
        config = context.aws_files.read()
    sso_token = context.token_cache.load(sso_session).sso_token
    sentences: list[str] = []
    # First at AWS: a file that cannot be deleted must not keep the sign-in alive.
    if sso_token is not None and context.now() < sso_token.expires_at:
        sentences = _revoke(context, [(sso_token, sso_session.sso_region)])
    context.login.forget(sso_session)
    roles = {role for one in (sso_session, *served) for role in context.accounts.known_roles(one, config)}
    for one in (sso_session, *served):
        context.broker.forget_all(one, roles)
    if sso_token is not None and served:
        also = ", ".join(one.label for one in served)
        sentences.append(f"{also} used the same sign-in, and {'is' if len(served) == 1 else 'are'} signed out too.")
    return [session_label(sso_session)] if sso_token is not None else [], sentences


def _end_every(context: Context, current: InUseRole | None) -> tuple[list[str], list[str]]:
    """End every sign-in of the cache, as `aws sso logout` does, and those that only this kernel has."""
    found = list(context.token_cache.all_tokens())
    # Also one that has expired by its date, as the CLI does: the date is a hint, and so is this clock.
    sentences = _revoke(context, [(one, one.sso_region) for _, one in found if one.sso_region is not None])
    context.login.forget_files(path for path, _ in found)
    own = own_sign_in(context, current)
    for sso_session in [*([own] if own is not None else []), *context.login.records.all()]:
        context.login.forget(sso_session)
    context.broker.forget_every()
    return list(dict.fromkeys(sso_token.start_url for _, sso_token in found)), sentences


def _revoke(context: Context, sign_ins: list[tuple[SsoToken, str]]) -> list[str]:
    """
    End sign-ins at the portal, several at a time; who does not answer is not waited for longer than some seconds.

    Returns:
        What to say where that was not possible, each sentence once.
    """
    if not sign_ins:
        return []
    pool = ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="cuaws-logout")
    try:
        asked = {pool.submit(_revoked, context, *one): one[0] for one in sign_ins}
        _, late = wait(asked, _PATIENCE)
        sentences = [sentence for answer in asked if answer not in late for sentence in answer.result()]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    why = f"The access portal did not answer in {_PATIENCE} seconds"
    sentences += [_still_good(context, asked[one], why) for one in late if context.now() < asked[one].expires_at]
    return list(dict.fromkeys(sentences))


def _still_good(context: Context, sso_token: SsoToken, why: str) -> str:
    ends = clock(sso_token.expires_at, context.now())
    return f"{why}. It is deleted here, but AWS ends it only at {ends}."


def _revoked(context: Context, sso_token: SsoToken, sso_region: str) -> list[str]:
    """End a sign-in at the portal (`Logout`); returns what to say where that was not possible."""
    try:
        context.identity_center.logout(sso_token, sso_region)
    except SsoTokenRefused:
        return []  # it had ended already
    except CuawsError as error:
        if context.now() < sso_token.expires_at:
            return [_still_good(context, sso_token, str(error).split(". ", 1)[0])]
    return []
