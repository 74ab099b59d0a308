"""
What the doctor looks at: this machine as facts, gathered once, without a secret in them.

`examination` gathers, `doctor` judges. A setting whose value could be a secret is
kept by its name only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta
    from pathlib import Path

    from cuaws_magic.model import SsoSession

# Settings of the AWS files whose values may be repeated.
HARMLESS_KEYS = frozenset(
    {
        "ca_bundle", "credential_source", "endpoint_url", "login_session", "output", "region", "role_arn", "services",
        "source_profile", "sso_account_id", "sso_region", "sso_registration_scopes", "sso_role_name", "sso_session",
        "sso_start_url", "web_identity_token_file",
    }
)  # fmt: skip

# Variables whose values are secret, or tell who somebody is.
SECRET_VARIABLES = frozenset(
    {
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    }
)  # fmt: skip

HIDDEN = "…"


@dataclass(frozen=True, slots=True)
class Section:
    """
    One section of an AWS file.

    Attributes:
        header: What stands between the brackets.

        kind: What it is the section of, `profile` or `sso-session` for example; empty
            where AWS programs pass it over.

        name: The name of that.

        settings: Its keys; values only of `HARMLESS_KEYS`.

        commented: Keys whose value has something like a comment in it.

        continued: Keys whose value runs on into a line that was meant as a setting of its own.
    """

    header: str
    kind: str
    name: str
    settings: Mapping[str, str]
    commented: tuple[str, ...] = ()
    continued: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AwsFile:
    """
    `~/.aws/config` or `~/.aws/credentials`, or what a variable names instead.

    Attributes:
        path: Where it is.

        variable: The variable that says so.

        exists: Whether it is there.

        trouble: Why nobody can read it; a message that ends with what to do.

        sections: What is in it, if it parses.
    """

    path: Path
    variable: str
    exists: bool
    trouble: str | None = None
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that something has to be written into; `trouble` says why it cannot be, if so."""

    path: Path
    trouble: str | None


@dataclass(frozen=True, slots=True)
class Clock:
    """
    The clock of this machine beside AWS's.

    Attributes:
        host: Who was asked.

        skew: How far we are ahead; `None` where there was no answer.

        trouble: Why there was none; a message that ends with what to do.
    """

    host: str
    skew: timedelta | None
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Installed:
    """
    One package.

    Attributes:
        name: As `pip` knows it.

        version: What is installed here, or `None`.

        loaded: What this process imported, if it did.

        needed: The least version that will do, or `None`.
    """

    name: str
    version: str | None
    loaded: str | None = None
    needed: str | None = None


@dataclass(frozen=True, slots=True)
class AwsCommand:
    """The `aws` command: where, and which version if it said so in time."""

    path: str
    version: str | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """
    One look at the machine.

    Attributes:
        at: When.

        variables: The environment as it is without us: variables of AWS, proxies and
            certificates, secret values hidden.

        missing: Variables, and paths of `ca_bundle`, that name a file which is not there.

        in_use: The account in use, or `None`.

        touched: Variables that somebody changed since `%cuaws use`.

        config: The config file.

        credentials: The credentials file.

        file_troubles: What is wrong with sections of the config file, each a message
            that ends with what to do.

        exposed: Files with secrets that others on this machine can read.

        unreadable: Files of ours that we cannot read.

        writable: Files and folders of the AWS configuration that other users can change.

        foreign: Those that belong to another user.

        leftovers: Temporary files of writers that were killed.

        folders: Where something has to be written.

        sso_session: The sign-in that commands would use, or `None`.

        choice_trouble: Why there is none; a message that ends with what to do.

        signed_in_until: When a person has to approve again, or `None`.

        cache_trouble: What is wrong with the token file.

        clock: The clock.

        packages: The packages.

        aws: The `aws` command, or `None`.

        kernel: Whether a Jupyter kernel runs this.

        refusal: What leads out, where AWS does not accept the credentials in use.
    """

    at: datetime
    variables: Mapping[str, str]
    config: AwsFile
    credentials: AwsFile
    clock: Clock
    missing: frozenset[str] = frozenset()
    in_use: str | None = None
    touched: tuple[str, ...] = ()
    file_troubles: tuple[str, ...] = ()
    exposed: tuple[Path, ...] = ()
    unreadable: tuple[Path, ...] = ()
    writable: tuple[Path, ...] = ()
    foreign: tuple[Path, ...] = ()
    leftovers: tuple[Path, ...] = ()
    folders: tuple[Folder, ...] = ()
    sso_session: SsoSession | None = None
    choice_trouble: str | None = None
    signed_in_until: datetime | None = None
    cache_trouble: str | None = None
    packages: tuple[Installed, ...] = ()
    aws: AwsCommand | None = None
    kernel: bool = field(default=False)
    refusal: str | None = None

    def sections(self) -> tuple[tuple[AwsFile, Section], ...]:
        """Return every section of both files, with its file."""
        return tuple((file, section) for file in (self.config, self.credentials) for section in file.sections)
