"""Judgements on the environment: which variables win, whose keys they are, and where requests go."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cuaws_magic.humanize import until
from cuaws_magic.views.diagnosis import error, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cuaws_magic.diagnostics.snapshot import Snapshot
    from cuaws_magic.views.diagnosis import Finding

_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")
_CONTAINER = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
_POD_IDENTITY = ("169.254.170.23", "fd00:ec2::23")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_GIVES_CREDENTIALS = {
    "aws_access_key_id", "credential_process", "login_session", "role_arn", "sso_account_id",
}  # fmt: skip
_REPLACED = "Type `%cuaws use ACCOUNT`, which replaces them while the account is in use."


def keys(snapshot: Snapshot) -> Iterable[Finding]:
    """Judge keys that somebody put into the environment: whether they are good, and what they win over."""
    subject, there = "Keys in the environment", snapshot.variables
    if snapshot.touched:
        yield warning(
            subject,
            f"{_listed(snapshot.touched)} changed since `%cuaws use`, and what is there now wins",
            "Type `%cuaws whoami` to see who you are, or `%cuaws use ACCOUNT` to be that again.",
        )
    present = [name for name in _KEYS if there.get(name)]
    if not present:
        if not snapshot.touched:
            yield ok(subject, "none but those of the account in use" if snapshot.in_use else "none")
        return
    trouble = _trouble(there, snapshot)
    wins = _losers(there)
    over = f"; they win over {_listed(wins)}" if wins else "; they win over every profile"
    if snapshot.in_use is not None:
        again = f"{_listed(present)} {_verb(present, 'comes', 'come')} back with `%cuaws release`"
        yield warning(
            subject,
            f"{again}, and {trouble}" if trouble else again,
            "Delete them where they are set, if you no longer need them.",
        )
    elif trouble:
        yield error(subject, f"{_listed(present)}: {trouble}{over}", _REPLACED)
    else:
        yield warning(subject, f"{_listed(present)} {_verb(present, 'is', 'are')} set{over}", _REPLACED)


def _trouble(there: Mapping[str, str], snapshot: Snapshot) -> str:
    key_id, secret = there.get("AWS_ACCESS_KEY_ID"), there.get("AWS_SECRET_ACCESS_KEY")
    if key_id and not secret:
        return "the id is there without its AWS_SECRET_ACCESS_KEY"
    if secret and not key_id:
        return "the secret is there without its AWS_ACCESS_KEY_ID"
    if key_id and there.get("AWS_SECURITY_TOKEN") and there.get("AWS_SESSION_TOKEN"):
        return "botocore reads AWS_SECURITY_TOKEN, an old one perhaps, before AWS_SESSION_TOKEN"
    return _over(there.get("AWS_CREDENTIAL_EXPIRATION"), snapshot.at) if key_id else ""


def _over(expiration: str | None, now: datetime) -> str:
    if not expiration:
        return ""
    expires_at = _moment(expiration)
    if expires_at is None:
        return "AWS_CREDENTIAL_EXPIRATION is not a time"
    return f"they {until(expires_at, now)}" if expires_at <= now else ""


def _losers(there: Mapping[str, str]) -> list[str]:
    """Name what else is set that these keys win over."""
    if not (there.get("AWS_ACCESS_KEY_ID") and there.get("AWS_SECRET_ACCESS_KEY")):
        return []
    others = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ROLE_ARN", *_CONTAINER)
    return [name for name in others if there.get(name)]


def profiles(snapshot: Snapshot) -> Iterable[Finding]:
    """Judge `AWS_PROFILE` and `AWS_DEFAULT_PROFILE`."""
    there = snapshot.variables
    named = [(name, there[name]) for name in ("AWS_DEFAULT_PROFILE", "AWS_PROFILE") if there.get(name)]
    readable = snapshot.config.trouble is None and snapshot.credentials.trouble is None
    known = {section.name for _, section in snapshot.sections() if section.kind == "profile"}
    for variable, profile in named:
        if readable and profile not in known:
            do = f'Type `import os; del os.environ["{variable}"]`, and delete it where it is set.'
            what = f"names the profile {profile}, which is not in {snapshot.config.path}"
            if snapshot.in_use is None:
                yield error(variable, f"{what}: every AWS client refuses to start", do)
            else:
                yield warning(variable, f"{what}; it comes back with `%cuaws release`", do)
        else:
            yield ok(variable, f"{profile}; `%cuaws use` takes its place while an account is in use")
    if len({profile for _, profile in named}) > 1:
        yield warning(
            "AWS_DEFAULT_PROFILE",
            "differs from AWS_PROFILE: boto3 takes the first, the AWS CLI the second",
            "Keep AWS_PROFILE only.",
        )


def hub(snapshot: Snapshot) -> Iterable[Finding]:
    """Judge a role that the hub gives its pods or containers."""
    yield from _web_identity(snapshot)
    there = snapshot.variables
    container = [name for name in _CONTAINER if there.get(name)]
    if container:
        kind = "EKS Pod Identity" if _host(there[container[0]]) in _POD_IDENTITY else "container credentials"
        yield warning(
            "Hub's role",
            f"without an account in use, AWS clients may have the hub's own role ({kind}, {container[0]})",
            "Type `%cuaws use ACCOUNT` before the first AWS call.",
        )
    hiding = [
        file
        for file, section in snapshot.sections()
        if (section.kind, section.name) == ("profile", "default") and _GIVES_CREDENTIALS & set(section.settings)
    ]
    if hiding and container:
        yield warning(
            "[default]",
            f"is in {hiding[0].path}, where programs look before they ask for container credentials",
            "Give that profile another name, if programs are to have the hub's role.",
        )


def _web_identity(snapshot: Snapshot) -> Iterable[Finding]:
    subject = "Hub's role"
    role, file = (snapshot.variables.get(name) for name in ("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"))
    if file and not role:
        yield error(
            subject,
            "AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN: every AWS client without an account refuses",
            'Type `import os; del os.environ["AWS_WEB_IDENTITY_TOKEN_FILE"]`.',
        )
    elif file:
        yield warning(
            subject,
            f"without an account in use, AWS clients are {role} (IRSA); it wins over AWS_PROFILE",
            "Type `%cuaws use ACCOUNT` before the first AWS call.",
        )


def regions(snapshot: Snapshot) -> Iterable[Finding]:
    """Judge the two region variables, of which each program reads one."""
    there = snapshot.variables
    first, second = there.get("AWS_REGION"), there.get("AWS_DEFAULT_REGION")
    if first and second and first != second:
        yield warning(
            "Region",
            f"AWS_REGION is {first} and AWS_DEFAULT_REGION is {second}: boto3 takes the second, the AWS CLI the first",
            "`%cuaws use ACCOUNT --region REGION` sets both.",
        )
    elif first and not second:
        yield warning(
            "Region",
            f"AWS_REGION is {first}, but boto3 reads only AWS_DEFAULT_REGION",
            "`%cuaws use ACCOUNT` sets both.",
        )


def endpoints(snapshot: Snapshot) -> Iterable[Finding]:
    """Judge what sends requests elsewhere than to AWS."""
    subject, there = "Endpoints", snapshot.variables
    ignored = there.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").casefold() == "true"
    named = [name for name in there if name.startswith("AWS_ENDPOINT_URL") and there[name]]
    loopback = [name for name in named if _host(there[name]) in _LOOPBACK]
    elsewhere = [name for name in named if name not in loopback]
    in_files = [
        f"[{section.header}] in {file.path}"
        for file, section in snapshot.sections()
        if section.kind == "services" or "endpoint_url" in section.settings
    ]
    if ignored and (named or in_files):
        yield ok(subject, "AWS's own: AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is set")
        return
    if loopback:
        yield warning(
            subject,
            f"{_listed(loopback)} {_verb(loopback, 'leads', 'lead')} to this machine, not to AWS",
            "Start the kernel without them to reach AWS.",
        )
    if elsewhere:
        hosts = sorted({_host(there[name]) for name in elsewhere})
        yield warning(
            subject,
            f"{_listed(elsewhere)} {_verb(elsewhere, 'leads', 'lead')} to {_listed(hosts)}",
            "Delete them, unless that is meant.",
        )
    if in_files:
        yield warning(subject, f"set in {_listed(in_files)}", "Delete that, unless it is meant.")
    if not named and not in_files:
        yield ok(subject, "AWS's own")


def certificates(snapshot: Snapshot) -> Iterable[Finding]:
    """Judge the variables and settings that name a file which has to be there."""
    found = False
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        if not snapshot.variables.get(name):
            continue
        found = True
        if name in snapshot.missing:
            yield error(
                "Certificates",
                f"{name} names {snapshot.variables[name]}, which is not there: no TLS connection can be made",
                f'Type `import os; del os.environ["{name}"]`, or name the right file.',
            )
        else:
            yield ok("Certificates", f"{snapshot.variables[name]} ({name})")
    for file, section in snapshot.sections():
        bundle = section.settings.get("ca_bundle")
        if bundle in snapshot.missing:
            yield warning(
                "Certificates",
                f"ca_bundle of [{section.header}] in {file.path} names {bundle}, which is not there",
                "Delete that line, or name the right file.",
            )
    if not found:
        yield ok("Certificates", "those of Python")
    for variable, file in (("AWS_CONFIG_FILE", snapshot.config), ("AWS_SHARED_CREDENTIALS_FILE", snapshot.credentials)):
        if snapshot.variables.get(variable) and not file.exists:
            yield warning(
                variable, f"names {file.path}, which is not there", "Delete the variable, or name the right file."
            )


def proxies(snapshot: Snapshot) -> Iterable[Finding]:
    """Judge proxies; a name and password in their address is not repeated."""
    there = snapshot.variables
    https = next(
        (there[name] for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY") if there.get(name)), ""
    )
    if https:
        yield warning(
            "Proxy",
            f"requests to AWS go through {_host(https)}",
            "If it reads TLS, set AWS_CA_BUNDLE to its certificate file.",
        )
    else:
        yield ok("Proxy", "none")


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment


def _host(address: str) -> str:
    """Name the host of an address, and nothing else of it: there may be a password in it."""
    try:
        return urlsplit(address if "://" in address else f"//{address}").hostname or "no host"
    except ValueError:
        return "a host without a valid name"


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _verb(names: Sequence[str], one: str, several: str) -> str:
    return one if len(names) == 1 else several
