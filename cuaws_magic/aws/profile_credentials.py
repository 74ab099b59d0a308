"""
The door to what botocore makes of a profile: saved keys, roles on top of others, programs, `aws login`.

Every question goes to a new botocore session for that profile by name, so neither the
environment nor what is in use here comes into it, and what comes back is new.
"""

from __future__ import annotations

import getpass
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cuaws_magic.aws.clients import quiet
from cuaws_magic.aws.service_errors import translate
from cuaws_magic.background import import_whole
from cuaws_magic.errors import ClockWrong, ConfigurationError, NoAccess, NoCredentials, PassingTrouble
from cuaws_magic.humanize import printable, quoted
from cuaws_magic.model import Credentials, Secret, utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cuaws_magic.model import Now

# A profile without any of these would make botocore look for the role of this machine.
_SAYS_WHENCE = (
    "aws_access_key_id", "role_arn", "credential_process", "login_session", "sso_session", "sso_start_url",
    "web_identity_token_file",
)  # fmt: skip
_DEEPEST = 20  # roles on top of each other
# `credential_source`: whose role that is, and where there is one.
_MACHINES = {
    "Ec2InstanceMetadata": ("this machine", "an EC2 instance that has a role"),
    "EcsContainer": ("this container", "ECS, in a task that has a role"),
}


@dataclass(frozen=True, slots=True)
class ProfileFacts:
    """
    What the files say of a profile that names no role of Identity Center itself.

    Attributes:
        region: For its clients.

        chain: The profile, and those that its role stands on.

        asks: A person is asked for a code of an MFA device each time.
    """

    name: str
    region: str | None
    chain: tuple[str, ...]
    asks: bool

    @property
    def root(self) -> str:
        """The profile that the first credentials come from."""
        return self.chain[-1]


def facts(name: str) -> ProfileFacts:
    """
    Read what matters of a profile, as botocore puts both files together.

    Raises:
        ConfigurationError: It configures no credentials, or a kind that cannot be used here.
    """
    import_whole("botocore.session")
    import botocore.session

    profiles: Mapping[str, Mapping[str, Any]] = botocore.session.Session(profile=name).full_config["profiles"]
    chain = _chain(profiles, name)
    for link in chain:
        if profiles.get(link, {}).get("credential_source") == "Environment":
            raise ConfigurationError(
                f"The profile {link} begins with the keys of the environment, which `%cuaws use` writes itself. "
                "Give it a source_profile instead, then run the cell again."
            )
    if len(chain) > 1 and chain[-1] not in profiles:
        raise ConfigurationError(
            f"The profile {chain[-2]} has source_profile = {printable(chain[-1])}, and there is no profile of that "
            "name. Correct it in ~/.aws/config, then run the cell again."
        )
    root = profiles.get(chain[-1], {})
    if not any(key in root for key in (*_SAYS_WHENCE, "credential_source")):
        raise ConfigurationError(
            f"The profile {chain[-1]} configures no credentials: no keys, no role, no program. "
            "Type `%cuaws accounts` to see what else can be used."
        )
    asks = any("mfa_serial" in profiles.get(link, {}) for link in chain if "role_arn" in profiles.get(link, {}))
    return ProfileFacts(name, profiles.get(name, {}).get("region") or None, chain, asks)


def _chain(profiles: Mapping[str, Mapping[str, Any]], name: str) -> tuple[str, ...]:
    chain = [name]
    while len(chain) < _DEEPEST:
        settings = profiles.get(chain[-1], {})
        source = settings.get("source_profile")
        if "role_arn" not in settings or not source or source in chain:
            break
        chain.append(source)
    return tuple(chain)


def fetch(name: str, region: str, now: Now = utc_now) -> tuple[Credentials, bool]:
    """
    Have botocore resolve a profile anew.

    Args:
        name: The profile.

        region: Where to ask if the profile does not say.

        now: The current time, aware, UTC.

    Returns:
        Its credentials, and whether new ones can be had when these end.

    Raises:
        CuawsError: There are none to be had.
    """
    import_whole("botocore.session")
    import botocore.session

    obtained_at = now()
    try:
        session = botocore.session.Session(profile=name)
        if session.get_config_variable("region") is None:
            session.set_config_variable("region", region)
        _ask_here(session)
        with quiet():  # what goes wrong is one line of ours
            found = session.get_credentials()
            frozen = found.get_frozen_credentials() if found is not None else None
    except Exception as error:  # noqa: BLE001 - a door: programs, files and services answer here
        # `from None`: what a program printed, or a request, may hold a secret.
        raise _translated(error, name, now) from None
    if frozen is None:
        raise NoCredentials(
            f"botocore finds no credentials for the profile {name}. Correct it in ~/.aws/config, "
            "then run the cell again."
        )
    # botocore has no public name for the end of credentials; the AWS CLI reads this too.
    expires_at = getattr(found, "_expiry_time", None)
    keys = Credentials(
        account_id=getattr(frozen, "account_id", None) or None,
        access_key_id=Secret(frozen.access_key),
        secret_access_key=Secret(frozen.secret_key),
        session_token=Secret(frozen.token) if frozen.token else None,
        expires_at=expires_at,
        obtained_at=obtained_at,
    )
    if keys.expired(now()):
        raise _translated(RuntimeError(), name, now)
    return keys, expires_at is not None


def _ask_here(session: Any) -> None:
    """Have the code of an MFA device asked for where this cell's questions go, not where botocore was imported."""
    provider = session.get_component("credential_provider").get_provider("assume-role")
    if hasattr(provider, "_prompter"):
        provider._prompter = lambda text: getpass.getpass(text)  # noqa: SLF001, PLW0108 - botocore keeps the one of its import


# What botocore raises, by the name of a class: a base class stands for what derives from it. {0} is the profile,
# {1} the one at the root of its chain.
_MEANT = {
    "StdinNotImplementedError": (
        NoCredentials,
        (
            "The profile {0} asks for a code from your MFA device, and there is nobody to ask here. Run the cell "
            "on a notebook page, or `aws --profile {0} sts get-caller-identity` in a terminal."
        ),
    ),
    "MissingDependencyException": (
        ConfigurationError,
        (
            "The profile {1} signs in with `aws login`, and botocore needs an extra package for that. "
            'Type `%pip install "botocore[crt]"`, restart the kernel, then run the cell again.'
        ),
    ),
    "LoginError": (
        NoCredentials,
        (
            "The sign-in of the profile {1} has expired. Run `aws login --profile {1}` in a terminal "
            "(with `--remote` on a hub), then run the cell again."
        ),
    ),
    "LoginInsufficientPermissions": (
        NoAccess,
        (
            "AWS does not let the user of the profile {1} have credentials for programs. Ask your administrator for "
            "the policy SignInLocalDevelopmentAccess, then run the cell again."
        ),
    ),
    "SSOError": (
        NoCredentials,
        (
            "The profile {0} begins with a sign-in that botocore does not find, or that has expired. Type "
            "`%cuaws login --force`, then run the cell again."
        ),
    ),
    "TokenRetrievalError": (
        NoCredentials,
        "The profile {0} begins with a sign-in that has expired. Type `%cuaws login --force`, then run the cell again.",
    ),
    "PartialCredentialsError": (
        ConfigurationError,
        "The saved keys of the profile {0} are not complete. Copy them again and type `%cuaws paste --save {0}`.",
    ),
    "CredentialRetrievalError": (
        NoCredentials,
        (
            "The program that the profile {0} names gives no credentials. To see why, run "
            "`aws --profile {0} sts get-caller-identity` in a terminal; then run the cell again."
        ),
    ),
}
# `RefreshableCredentials`: what it got has expired.
_MEANT["RuntimeError"] = (
    NoCredentials,
    "The source of the profile {0} gave expired credentials. Renew them there, then run the cell again.",
)
_MEANT["OSError"] = _MEANT["JSONDecodeError"] = _MEANT["CredentialRetrievalError"]
# A cache of `aws login` that is damaged: botocore stumbles over it in as many ways.
_DAMAGED = (LookupError, TypeError, ValueError, AttributeError, RuntimeError)


def _translated(error: Exception, name: str, now: Now) -> Exception:
    from botocore.exceptions import BotoCoreError, ClientError, CredentialRetrievalError

    root, settings = _root(name)
    aws_login = "login_session" in settings
    if isinstance(error, ClientError):
        return _refused(error, name, now)
    if aws_login and isinstance(error, _DAMAGED) and not isinstance(error, BotoCoreError):
        kind, line = _MEANT["LoginError"]
        return kind(line.format(name, root))
    if isinstance(error, FileNotFoundError) and settings.get("credential_process"):
        return _no_such_program(root, settings)
    source = settings.get("credential_source")
    if source in _MACHINES and isinstance(error, CredentialRetrievalError):
        machine, place = _MACHINES[source]
        return NoCredentials(
            f"The profile {root} begins with the role of {machine} (credential_source = {source}), and there is none "
            f"here. Use it on {place}, or give it a source_profile in ~/.aws/config; then run the cell again."
        )
    for base in type(error).__mro__:
        if base.__name__ in _MEANT:
            kind, line = _MEANT[base.__name__]
            return kind(line.format(name, root))
    # What is asked for a role, of STS, fails as this does.
    translated = translate(error, "CreateOAuth2Token" if aws_login and root == name else "GetCallerIdentity", now())
    return translated.final if isinstance(translated, PassingTrouble) else translated


def _root(name: str) -> tuple[str, Mapping[str, Any]]:
    """Return the profile that a chain begins with, and its settings."""
    import_whole("botocore.session")
    import botocore.session

    try:
        profiles = botocore.session.Session(profile=name).full_config["profiles"]
    except Exception:  # noqa: BLE001 - a file that went bad meanwhile; the error in hand says what matters
        return name, {}
    root = _chain(profiles, name)[-1]
    return root, profiles.get(root, {})


def _no_such_program(root: str, settings: Mapping[str, Any]) -> NoCredentials:
    """Name the program, which is not there; what Granted writes says the account and role as well."""
    command = str(settings["credential_process"])
    try:
        program = shlex.split(command)[0]
    except (ValueError, IndexError):
        program = command
    instead = ""
    account, role = settings.get("granted_sso_account_id"), settings.get("granted_sso_role_name")
    if account and role:
        instead = f", or do without it: type `%cuaws use {quoted(f'{account}/{role}')}`"
    return NoCredentials(
        f"The profile {root} gets its credentials from the program {printable(program)}, which is not installed here. "
        f"Install it and run the cell again{instead}."
    )


def _refused(error: Any, name: str, now: Now) -> Exception:
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in {"AccessDenied", "AccessDeniedException"}:
        return NoAccess(
            f"AWS does not let the profile {name} take on its role. Check its role_arn and source_profile in "
            "~/.aws/config; the role's trust policy says who may. Then run the cell again."
        )
    operation = "CreateOAuth2Token" if error.operation_name == "CreateOAuth2Token" else "GetCallerIdentity"
    translated = translate(error, operation, now())
    if isinstance(translated, PassingTrouble):
        return translated.final
    if isinstance(translated, ClockWrong):
        return translated
    return NoCredentials(
        f"AWS did not accept what the profile {name} begins with ({code}): it has expired or is not valid. "
        "Renew that, then run the cell again."
    )
