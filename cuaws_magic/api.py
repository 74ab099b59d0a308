"""
The commands as functions, for scripts and libraries: `import cuaws_magic as cuaws; cuaws.use("awsucob0myaccount")`.

The same context as the magic's, and the same sign-in and account. What is shown goes to the notebook, or is printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cuaws_magic.commands.context import the_context
from cuaws_magic.errors import without_frames
from cuaws_magic.ipython.display import display_here
from cuaws_magic.settings import Settings

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from cuaws_magic.views.account import InUse, Released, Status, Whoami
    from cuaws_magic.views.accounts import AccountTable, ConsoleLink
    from cuaws_magic.views.diagnosis import Diagnosis
    from cuaws_magic.views.export import Exported, Revealed
    from cuaws_magic.views.many import Runs
    from cuaws_magic.views.profiles import Configured, Forgotten
    from cuaws_magic.views.render import Hint
    from cuaws_magic.views.sign_in import SignedIn, SignedOut, SigningIn
    from cuaws_magic.widget.view import PanelView


@without_frames
def login(
    session: str | None = None,
    *,
    start_url: str | None = None,
    sso_region: str | None = None,
    force: bool = False,
    wait: bool = True,
    timeout: float | None = None,
    pkce: bool | None = None,
    qr: bool = False,
) -> SignedIn | SigningIn:
    """
    Sign in, unless that is done.

    Args:
        session: Name of an `[sso-session]` of `~/.aws/config`.

        start_url: Address of the access portal of another organisation.

        sso_region: Region of its Identity Center.

        force: Although still signed in.

        wait: Until a person approved; otherwise in the background. `timeout`: seconds after which to give up.
            `pkce`: by authorization code, not device code; `None`: as is set. `qr`: the link as a QR code.

    Raises:
        CuawsError: It came to nothing; a `KeyboardInterrupt` where a person interrupted it.
    """
    from cuaws_magic.commands.callback import Wanted
    from cuaws_magic.commands.login import login as _login

    said = Settings(session, start_url, sso_region)
    return _login(the_context(), display_here(), said, force=force, wait=wait, timeout=timeout, wanted=Wanted(pkce, qr))


@without_frames
def logout(session: str | None = None, *, every: bool = False) -> SignedOut:
    """End a sign-in, at AWS and here, and take what came of it out of this process; `every` as `--all`."""
    from cuaws_magic.commands.login import logout as _logout

    return _logout(the_context(), every=every, session=session)


@without_frames
def use(
    target: str | None = None,
    *,
    role: str | None = None,
    region: str | None = None,
    session: str | None = None,
    via: str | None = None,
    verify: bool = True,
    yes: bool = False,
    wait_for_sign_in: bool = False,
) -> InUse:
    """
    Put credentials for an account into this process's environment, signing in first if need be.

    Args:
        target: Profile, account name (any case), account id, one of the last two with `/role`, or any of these behind
            `SESSION:`; `None` for what was used last, `-` for the one before.

        role: The role, where there are several.

        region: Where clients go by default.

        via: `auto` for keys in Python and an address on loopback for other programs, `env` for keys in environment
            variables alone, `endpoint` for the address alone, `profile` for AWS_PROFILE alone; `None` for what is set.

        verify: Confirm with `sts:GetCallerIdentity`.

        yes: A role that can change things in a production account is meant.

        wait_for_sign_in: Have clients wait for the next sign-in where this one ends while they work.

    Raises:
        CuawsError: There is no such account, or no credentials for it; nothing was changed.
    """
    from cuaws_magic.commands.use import use as _use

    return _use(
        the_context(), display_here(), target, role=role, region=region, session=session, via=via, verify=verify,
        production=yes, wait_for_sign_in=wait_for_sign_in,
    )  # fmt: skip


@without_frames
def paste(text: str, save: str | None = None) -> InUse:
    """
    Put keys that were copied from the access portal into this process's environment; nobody renews them.

    Args:
        text: What the page "Access keys" gives, in any of its forms.

        save: Also as this profile of `~/.aws/credentials`; empty for the portal's own name.

    Raises:
        CuawsError: It is not one complete set, AWS does not accept it, or it cannot be saved; nothing was changed.
    """
    from cuaws_magic.commands.paste import paste as _paste

    return _paste(the_context(), text, save)


@without_frames
def release() -> Released:
    """Take the credentials out again; every variable is as it was found. Stays signed in."""
    from cuaws_magic.commands.status import release as _release

    return _release(the_context())


@without_frames
def whoami() -> Whoami:
    """Return the caller identity, asked from STS; raises `NoCredentials` where there are none."""
    from cuaws_magic.commands.status import whoami as _whoami

    return _whoami(the_context())


@without_frames
def status() -> Status:
    """Return who, which account, time left; sends no request."""
    from cuaws_magic.commands.status import status as _status

    return _status(the_context())


@without_frames
def panel() -> PanelView:
    """Return the panel: a widget to sign in and pick an account; a text with the commands where there are none."""
    from cuaws_magic.widget.view import open_panel

    return open_panel(the_context(), display_here().cell)


@without_frames
def accounts(
    pattern: str | None = None,
    *,
    roles: bool = False,
    refresh: bool = False,
    star: str | None = None,
    session: str | None = None,
) -> AccountTable:
    """
    Return the accounts that the person may enter, a sequence of `Account`; a `CuawsError` where nobody answers.

    Args:
        pattern: Part of a name or id, or a pattern with `*`.

        roles: Also the roles of each; with `refresh` asked for anew, as the accounts are.

        star: An account to make a favourite, or no favourite any more.
    """
    from cuaws_magic.commands.accounts import accounts as _accounts

    how: dict[str, Any] = {"roles": roles, "refresh": refresh, "star": star, "session": session}
    return _accounts(the_context(), display_here(), pattern, **how)


@without_frames
def configure(
    pattern: str | None = None,
    *,
    dry_run: bool = False,
    prune: bool = False,
    process: bool = False,
    session: str | None = None,
) -> Configured:
    """
    Write a profile for each account and role into `~/.aws/config`; shows the difference first.

    A `CuawsError` where no account matches, or the portal or the file does not do its part.

    Args:
        pattern: Which accounts: part of a name or id, or a pattern with `*`; else all.

        dry_run: Show the difference, write nothing.

        prune: Remove the profiles that were written here and whose account or role is no longer the person's.

        process: Write profiles that start `cuaws-magic credentials`, for tools that know no sso-session.
    """
    from cuaws_magic.commands.configure import configure as _configure

    how: dict[str, Any] = {"dry_run": dry_run, "prune": prune, "process": process, "session": session}
    return _configure(the_context(), display_here(), pattern, **how)


@without_frames
def forget(profile: str) -> Forgotten:
    """Delete a saved block of keys from the credentials file, and only that; `UnknownTarget` if there is none."""
    from cuaws_magic.commands.configure import forget as _forget

    return _forget(the_context(), profile)


@without_frames
def export(
    target: str | None = None,
    *,
    format: str = "process",  # noqa: A002 - the name of the command's option, and of the AWS CLI's
    to: str | os.PathLike[str] | None = None,
) -> Exported:
    """
    Hand credentials to a program that cannot fetch its own; nobody renews them there. `target` as for `use`.

    Args:
        format: As in `aws configure export-credentials`: process, env, env-no-export, powershell, windows-cmd, fish.

        to: A file for them, readable by its owner only. Without, `reveal()` of the value gives the text.

    Raises:
        CuawsError: There is no such account or format, no credentials, or the file cannot be written.
    """
    from cuaws_magic.commands.export import export as _export

    return _export(the_context(), display_here(), target, format, to=to)


@without_frames
def console(service: str | None = None, target: str | None = None) -> ConsoleLink:
    """
    Return a link that opens the AWS console in an account and role; nothing in it is secret.

    Args:
        service: Whose page: `s3`, `ec2`, `sagemaker` and so on; a `CuawsError` where that cannot be one.

        target: As `use` takes it, with its errors; else the account in use.
    """
    from cuaws_magic.commands.console import console as _console

    return _console(the_context(), display_here(), service, target)


@without_frames
def session(target: str | None = None, *, region: str | None = None) -> Any:
    """
    Return a boto3 session of an account that renews itself and stays with it; the environment is not touched.

    Args:
        target: As `use` takes it, with its errors; `None` for the account in use.

        region: Where its clients go by default.
    """
    from cuaws_magic.commands.sessions import session as _session

    return _session(the_context(), display_here(), target, region)


@without_frames
def map(  # noqa: A001 - as `Executor.map`; it is used as `cuaws.map`
    function: Callable[[Any], Any],
    targets: str | Sequence[str],
    *,
    workers: int = 8,
    role: str | None = None,
    regions: Sequence[str] | None = None,
    again: Runs | None = None,
    session: str | None = None,
) -> Runs:
    """
    Call a function with a boto3 session of each account, `workers` at a time; the environment is not touched.

    Args:
        function: Takes the session; what it returns is the value of the account.

        targets: A part of names or ids, a pattern with `*`, or several of them.

        role: The role, or a pattern of it.

        again: What came of it before: only what failed or is missing is done again.

    Raises:
        CuawsError: No account matches, or the portal cannot be asked. What fails in one account is a row.
    """
    from cuaws_magic.commands.many import in_threads, places

    context, display = the_context(), display_here()
    patterns = [targets] if isinstance(targets, str) else list(targets)
    found = places(context, display, patterns, role=role, regions=regions, session=session)
    return in_threads(context, display, lambda _, session: function(session), found, workers=workers, before=again)


@without_frames
def storage_options(target: str | None = None) -> dict[str, Any]:
    """Return `storage_options` for pandas, Dask, xarray and fsspec: a session of s3fs that renews itself."""
    from cuaws_magic.commands.sessions import storage_options as _storage_options

    return _storage_options(the_context(), display_here(), target)


@without_frames
def credential_provider(target: str | None = None, library: str = "obstore") -> Callable[[], Any]:
    """Return a function that gives credentials as obstore, icechunk or polars takes them, with their true end."""
    from cuaws_magic.commands.sessions import credential_provider as _credential_provider

    return _credential_provider(the_context(), display_here(), target, library)


@without_frames
def duckdb(connection: Any, target: str | None = None, *, scope: str = "s3://", name: str = "cuaws") -> Hint:
    """Have a DuckDB connection act as an account for a scope's paths while it is open; `name` is its secret's."""
    from cuaws_magic.integrations.duckdb import share

    return share(the_context(), display_here(), connection, target, scope=scope, name=name)


class dask:  # noqa: N801 - it is used as a module: `cuaws.dask.share(client)`
    """One account for all workers of a Dask cluster, now and later, renewed over the scheduler's connection."""

    @staticmethod
    @without_frames
    def share(client: Any, target: str | None = None, *, insecure: bool = False) -> Hint:
        """Give every worker of a `distributed.Client` one account's credentials; `insecure` also without TLS."""
        from cuaws_magic.integrations.dask import share as _share

        return _share(the_context(), display_here(), client, target, insecure=insecure)

    @staticmethod
    @without_frames
    def unshare(client: Any) -> Hint:
        """Take the credentials back from the scheduler and from all workers."""
        from cuaws_magic.integrations.dask import unshare as _unshare

        return _unshare(client)

    @staticmethod
    @without_frames
    def who(client: Any) -> Hint:
        """Say which workers have the credentials of which account."""
        from cuaws_magic.integrations.dask import who as _who

        return _who(client)


@without_frames
def scrub(notebook: Any, *, account_ids: bool = False) -> Any:
    """Return a notebook (text, or an object of nbformat) without secrets of AWS; `account_ids` go too if wished."""
    from cuaws_magic.commands.scrub import scrub as _scrub

    return _scrub(the_context(), notebook, account_ids=account_ids)


@without_frames
def forget_clients() -> Hint:
    """Have packages forget the clients of another account than the one in use that they keep."""
    from cuaws_magic.commands.sessions import forget_clients as _forget_clients

    return _forget_clients(the_context())


@without_frames
def doctor() -> Diagnosis:
    """Return the problems on this machine, each with what to do; `ready` if there are none."""
    from cuaws_magic.diagnostics.checks import diagnose
    from cuaws_magic.diagnostics.gather import gather

    return diagnose(gather(the_context()))


@without_frames
def reveal() -> Revealed:
    """Return what was masked last in this kernel's outputs, to be seen."""
    from cuaws_magic.ipython.masked_output import reveal as _reveal

    return _reveal()
