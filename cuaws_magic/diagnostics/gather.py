"""
The doctor's look at this machine: files, environment, packages, AWS's clock.

Changes nothing, asks AWS one question that needs no sign-in, and is done in seconds
whatever is broken: each thing that cannot be looked at is a fact of its own.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import subprocess
import sys
import threading
import time
from datetime import timedelta, timezone
from email.utils import parsedate_to_datetime
from importlib import metadata
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cuaws_magic import storage
from cuaws_magic.aws.clients import BotoClients
from cuaws_magic.aws.hosts import check_start_url
from cuaws_magic.aws.service_errors import translate
from cuaws_magic.credentials.environment import TAKEN_OUT
from cuaws_magic.credentials.sources import RoleSource
from cuaws_magic.diagnostics.checks import FRONT_END
from cuaws_magic.diagnostics.snapshot import (
    HARMLESS_KEYS,
    HIDDEN,
    SECRET_VARIABLES,
    AwsCommand,
    AwsFile,
    Clock,
    Folder,
    Installed,
    Section,
    Snapshot,
)
from cuaws_magic.errors import CredentialsRefused, CuawsError, SeveralSignIns, UnknownProfile
from cuaws_magic.humanize import quoted
from cuaws_magic.sso.session import CU_BOULDER, sign_in_of
from cuaws_magic.state_store import StateStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from cuaws_magic.commands.context import Context
    from cuaws_magic.config.content import AwsConfig, Profile
    from cuaws_magic.model import SsoSession

_PATIENCE = 4.0  # seconds for AWS to connect, and to answer
_LONGEST = 8.0  # seconds for everything that is asked outside of this process

_PACKAGES = ("botocore", "boto3", "ipython", "ipykernel", "ipywidgets", FRONT_END)
_MODULES = {"ipython": "IPython"}
_VARIABLES = re.compile(r"(AWS|CUAWS)_.*|(http|https|all|no)_proxy|REQUESTS_CA_BUNDLE", re.IGNORECASE)
_NAMES_A_FILE = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
# Something behind a blank that reads like a comment; AWS files have none behind a value.
_COMMENT = re.compile(r"\s[#;]")
# A space before a key, a non-breaking one perhaps, makes its line part of the value before. A block begins at once.
_CONTINUED = re.compile(r"[^\n]+\n(?:[^\n]*\n)*?[a-z_]+[ \t]*=")
_OTHERS = stat.S_IRGRP | stat.S_IROTH


def gather(context: Context) -> Snapshot:
    """Gather everything; never raises for what it finds."""
    config = _file(context, context.aws_files.config_path, "AWS_CONFIG_FILE")
    credentials = _file(context, context.aws_files.credentials_path, "AWS_SHARED_CREDENTIALS_FILE")
    readable = config.trouble is None and credentials.trouble is None
    sso_session, choice_trouble = _choice(context) if readable else (None, None)
    clock, aws, refusal = _within(
        _LONGEST,
        lambda: _clock(context, (sso_session or CU_BOULDER).sso_region),
        lambda: _aws_command(context.environ),
        lambda: _refusal(context),
    )
    sign_in, cache_trouble = context.login.peek(sso_session) if sso_session is not None else (None, None)
    current = context.credentials.current
    variables = _variables(context)
    exposed, unreadable = _permissions(context, config)
    writable, foreign = _owners(context)
    folders = (context.aws_files.config_path.parent, context.token_cache.sso_folder, context.token_cache.role_folder)
    return Snapshot(
        at=context.now(),
        variables=variables,
        missing=frozenset(_missing(variables, (*config.sections, *credentials.sections))),
        in_use=current.account.name if current is not None else None,
        touched=context.environment.touched,
        config=config,
        credentials=credentials,
        file_troubles=tuple(_file_troubles(context, choice_trouble)) if readable else (),
        exposed=exposed,
        unreadable=unreadable,
        writable=writable,
        foreign=foreign,
        leftovers=tuple(path for folder in dict.fromkeys(folders) for path in storage.leftovers(folder)),
        folders=tuple(
            Folder(path, storage.trouble_writing(path))
            for path in (context.token_cache.sso_folder, StateStore.default().folder)
        ),
        sso_session=sso_session,
        choice_trouble=choice_trouble,
        signed_in_until=sign_in.ends_at if sign_in is not None else None,
        cache_trouble=cache_trouble if sign_in is None else None,
        clock=clock or _no_answer(),
        packages=_packages(),
        aws=aws,
        kernel="ipykernel" in sys.modules,
        refusal=refusal,
    )


def _file(context: Context, path: Path, variable: str) -> AwsFile:
    trouble = None
    found: tuple[Section, ...] = ()
    try:
        found = tuple(_section(*one) for one in context.aws_files.sections(path))
    except CuawsError as error:
        trouble = str(error)
    return AwsFile(path, variable, _there(path), trouble, found)


def _choice(context: Context) -> tuple[SsoSession | None, str | None]:
    try:
        return context.choice.sso_session(), None
    except UnknownProfile:
        return None, None  # the variables tell
    except SeveralSignIns:
        return None, None  # not in the way: names are looked up in all of them
    except CuawsError as error:
        return None, str(error)


def _file_troubles(context: Context, said: str | None) -> Iterable[str]:
    """Say what each sso-session and SSO profile lacks, once."""
    config = context.aws_files.read()
    troubles: dict[str, None] = {}
    for name in config.session_sections:
        troubles |= dict.fromkeys(_trouble(lambda name=name: _checked(config, name)))  # type: ignore[misc]  # a default argument of a lambda
    for profile in config.profiles.values():
        if profile.signs_in:
            troubles |= dict.fromkeys(_trouble(lambda profile=profile: config.sso_session_of(profile)))  # type: ignore[misc]  # as above
    for one in filter(None, map(config.profile, dict.fromkeys([*config.profiles, *config.saved]))):
        troubles |= dict.fromkeys(_without_effect(one, config))
        if one.sso:
            troubles |= dict.fromkeys(_trouble(lambda one=one: sign_in_of(one, config)))  # type: ignore[misc]  # as above
    return [trouble for trouble in troubles if trouble != said]


def _without_effect(profile: Profile, config: AwsConfig) -> Iterable[str]:
    """Say which settings of a profile botocore never comes to."""
    for key in profile.hidden:
        yield (
            f"{key} of {config.where(profile, key)} has no effect: saved keys of the same name in "
            f"{config.credentials_path} win. To delete them, type `%cuaws forget {quoted(profile.name)}`."
        )
    if profile.method in {"assume-role", "assume-role-with-web-identity"} and "sso_role_name" in profile.merged:
        yield (
            f"sso_role_name of {config.where(profile, 'sso_role_name')} has no effect: its role_arn wins. "
            "Delete one of them."
        )


def _permissions(context: Context, config: AwsFile) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Find files with secrets that others can read, and files that we cannot."""
    holding = [context.aws_files.credentials_path]
    if any("aws_secret_access_key" in section.settings for section in config.sections):
        holding.append(config.path)
    for folder in (context.token_cache.sso_folder, context.token_cache.role_folder):
        with contextlib.suppress(OSError):
            holding += sorted(folder.glob("*.json"))
    exposed, unreadable = [], []
    for path in holding:
        try:
            mode = path.stat().st_mode
        except OSError:
            continue
        if os.name == "posix" and mode & _OTHERS:
            exposed.append(path)
        # Of the AWS files themselves, reading has told already.
        if path.suffix == ".json" and not os.access(path, os.R_OK):
            unreadable.append(path)
    return tuple(exposed), tuple(unreadable)


def _owners(context: Context) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Find what others can change: who can write the config file can have a program run as you."""
    cache = context.token_cache
    looked_at = (
        cache.sso_folder.parents[1],
        context.aws_files.config_path,
        context.aws_files.credentials_path,
        cache.sso_folder,
        cache.role_folder,
        *sorted(cache.sso_folder.glob("*.json")),
    )
    writable, foreign = [], []
    for path in dict.fromkeys(looked_at):
        with contextlib.suppress(OSError):
            if os.name == "posix" and path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                writable.append(path)
            if storage.is_foreign(path):
                foreign.append(path)
    return tuple(writable), tuple(foreign)


def _variables(context: Context) -> dict[str, str]:
    names = {name for name in context.environ if _VARIABLES.fullmatch(name)}
    names |= set(TAKEN_OUT)
    found = {name: context.environment.found(name) for name in sorted(names)}
    return {name: HIDDEN if name in SECRET_VARIABLES else value for name, value in found.items() if value}


def _clock(context: Context, region: str) -> Clock:
    before = context.now()
    try:
        address, date = BotoClients(context.environment.found, context.aws_files.plain).date(
            "sso-oidc", region, _PATIENCE
        )
    except Exception as error:  # noqa: BLE001 - a door: whatever is wrong is a finding
        return Clock("AWS", None, str(translate(error, "StartDeviceAuthorization", context.now())))
    host = urlsplit(address).hostname or "AWS"
    after = context.now()
    try:
        # The header has whole seconds: on average it is half a second behind.
        theirs = parsedate_to_datetime(date or "").astimezone(timezone.utc) + timedelta(seconds=0.5)
    except (TypeError, ValueError):
        return Clock(host, None)
    return Clock(host, before + (after - before) / 2 - theirs)


def _no_answer() -> Clock:
    return Clock(
        "AWS",
        None,
        f"AWS did not answer in {_LONGEST:.0f} seconds. Check the network or proxy, then run the cell again.",
    )


def _section(header: str, kind: str, name: str, settings: Mapping[str, str]) -> Section:
    return Section(
        header,
        kind,
        name,
        {key: value if key in HARMLESS_KEYS else HIDDEN for key, value in settings.items()},
        tuple(key for key, value in settings.items() if any(_COMMENT.search(line) for line in value.splitlines())),
        tuple(key for key, value in settings.items() if _CONTINUED.match(value)),
    )


def _checked(config: AwsConfig, name: str) -> None:
    check_start_url(config.sso_session(name).start_url)


def _trouble(look: Callable[[], object]) -> list[str]:
    try:
        look()
    except CuawsError as error:
        return [str(error)]
    return []


def _there(path: str | Path) -> bool:
    return os.path.lexists(os.path.expanduser(path))  # noqa: PTH111 - Path.expanduser raises where there is no home


def _missing(variables: Mapping[str, str], sections: Iterable[Section]) -> Iterable[str]:
    yield from (name for name in _NAMES_A_FILE if name in variables and not _there(variables[name]))
    bundles = {section.settings["ca_bundle"] for section in sections if "ca_bundle" in section.settings}
    yield from (bundle for bundle in bundles if not _there(bundle))


def _packages() -> tuple[Installed, ...]:
    needed = {}
    with contextlib.suppress(metadata.PackageNotFoundError):
        for line in metadata.requires("cuaws-magic") or ():
            match = re.match(r"([A-Za-z0-9._-]+)\s*>=\s*([0-9.]+)", line)
            if match and "extra ==" not in line:
                needed[match[1].lower()] = match[2]
    return tuple(
        Installed(name, _version(name), _loaded(_MODULES.get(name, name)), needed.get(name)) for name in _PACKAGES
    )


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _loaded(module: str) -> str | None:
    version = getattr(sys.modules.get(module), "__version__", None)
    return version if isinstance(version, str) else None


def _aws_command(environ: Mapping[str, str]) -> AwsCommand | None:
    path = shutil.which("aws", path=environ.get("PATH"))
    if path is None:
        return None
    try:
        said = subprocess.run(  # noqa: S603 - the command that `!aws` would run
            [path, "--version"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=_LONGEST - 1,
            check=False,
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return AwsCommand(path, None)
    match = re.search(r"aws-cli/(\d[\w.]*)", said.stdout + said.stderr)  # old ones say it on stderr
    return AwsCommand(path, match[1] if match else None)


def _refusal(context: Context) -> str | None:
    """Say what leads out where AWS does not accept the credentials in use: their date does not tell."""
    current = context.credentials.current
    if current is None or current.credentials is None or context.environment.keys_touched:
        return None
    try:
        context.identity_center.caller_identity(current.credentials, current.region, current.client_profile)
    except CredentialsRefused:
        origin = current.source.origin
        remedy = (
            f"`%cuaws use {quoted(current.account.name)}`" if isinstance(current.source, RoleSource) else origin.remedy
        )
        return f"Type {remedy}."
    except CuawsError:
        pass  # not an answer about the credentials
    return None


def _within(
    seconds: float,
    clock: Callable[[], Clock],
    aws: Callable[[], AwsCommand | None],
    refusal: Callable[[], str | None],
) -> tuple[Clock | None, AwsCommand | None, str | None]:
    """Ask all at once; who has not answered in time is left alone (a name server can take minutes)."""
    answers: dict[str, Any] = {}

    def start(name: str, ask: Callable[[], object]) -> threading.Thread:
        def keep() -> None:
            answers[name] = ask()

        thread = threading.Thread(target=keep, name=f"cuaws-doctor-{name}", daemon=True)
        thread.start()
        return thread

    threads = [start("clock", clock), start("aws", aws), start("refusal", refusal)]
    until = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return answers.get("clock"), answers.get("aws"), answers.get("refusal")
