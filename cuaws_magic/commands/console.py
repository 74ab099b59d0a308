"""`%cuaws console`: a link that opens the AWS console in an account and role, through the access portal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cuaws_magic.aws.console_links import SERVICES, console_page, console_url
from cuaws_magic.commands.names import Names
from cuaws_magic.commands.use import resolved
from cuaws_magic.errors import TargetError
from cuaws_magic.humanize import quoted
from cuaws_magic.settings import ACCOUNT_ID
from cuaws_magic.views.accounts import ConsoleLink

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cuaws_magic.commands.context import Context
    from cuaws_magic.model import AccountRole
    from cuaws_magic.views.render import Display


def console(
    context: Context,
    display: Display,
    service: str | None = None,
    target: str | None = None,
    *,
    session: str | None = None,
) -> ConsoleLink:
    """
    Return the link for a target, or for the account in use.

    Args:
        display: Where the card of a sign-in goes.

        service: The service; a name that is no service but a target is taken as that.

        target: Profile, account name, account id, or one of them with `/role`.

        session: The sign-in in which the target is looked up; otherwise in all that stand.

    Raises:
        ConfigurationError: That cannot be a service.

        TargetError: There is no such account, or none is in use.

        NotSignedIn: The portal has to be asked, and nobody approved a sign-in.
    """
    alone = service if target is None else None
    if alone is not None and (
        means_target(alone, Names(context).target_names()) or context.organisations.prefix(alone)[0] is not None
    ):
        service, target = None, alone
    account_role, region = _chosen(context, display, target, session)
    sso_session = account_role.sso_session
    page = console_page(sso_session, service, region) if service is not None else None
    return ConsoleLink(
        url=console_url(
            context.identity_center.start_urls.resolved(sso_session),
            account_role.account.id,
            account_role.role_name,
            page,
        ),
        account=account_role.account.id,
        account_name=account_role.account.name,
        role=account_role.role_name,
        service=service,
        notes=tuple(_notes(context)),
        production=context.settings.is_production(account_role.account.name),
    )


def _chosen(context: Context, display: Display, target: str | None, session: str | None) -> tuple[AccountRole, str]:
    if target is not None:
        account_role = resolved(context, display, target, session)
        return account_role, account_role.region or context.choice.region(account_role.sso_session)
    if session is not None:
        raise TargetError(
            "`--session` says where an account is looked up. Name one too: "
            f"`%cuaws console s3 ACCOUNT --session {quoted(session)}`."
        )
    current = context.credentials.current
    if current is None:
        raise TargetError(
            "No account is in use in this kernel. Type `%cuaws use ACCOUNT`, or name one: `%cuaws console s3 ACCOUNT`."
        )
    if current.account_role is None:
        raise TargetError(
            f"{current.account.name} is in use with {current.source.origin.label}, and a link leads through the "
            "sign-in. Name an account: `%cuaws console s3 ACCOUNT`."
        )
    return current.account_role, current.region


def _notes(context: Context) -> Iterable[str]:
    if context.environ.get("AWS_ENDPOINT_URL_SSO"):
        yield "AWS_ENDPOINT_URL_SSO is set, perhaps for a practice portal; this link opens the real console."


def means_target(word: str, target_names: Iterable[str]) -> bool:
    """Whether a word alone, in the place of a service, is an account or profile."""
    fold = word.casefold()
    if fold in SERVICES:
        return False
    named = ACCOUNT_ID.fullmatch(word) is not None or fold in {name.casefold() for name in target_names}
    return named or "/" in word
