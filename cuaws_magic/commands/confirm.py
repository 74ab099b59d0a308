"""AWS confirms whose credentials they are, before anything of them is put in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cuaws_magic.errors import CredentialsRefused
from cuaws_magic.views.account import Confirming

if TYPE_CHECKING:
    from cuaws_magic.commands.context import Context
    from cuaws_magic.model import Account, Credentials, Identity


def confirming(context: Context, account: Account, role_name: str) -> Confirming:
    """Return what to show while AWS is asked."""
    return Confirming(account.name, account.id, role_name, context.settings.is_production(account.name))


def confirmed(
    context: Context, keys: Credentials, region: str, account_id: str | None, profile: str | None
) -> Identity:
    """
    Return whose credentials they are (`sts:GetCallerIdentity`).

    Raises:
        CredentialsRefused: AWS does not accept them, or says another account.
    """
    identity = context.identity_center.caller_identity(keys, region, profile)
    if account_id is not None and identity.account != account_id:
        raise CredentialsRefused(
            f"AWS says that these credentials are for account {identity.account}, not {account_id}. "
            "Nothing was changed. Type `%cuaws logout`, then sign in again.",
            elsewhere=True,
        )
    return identity
