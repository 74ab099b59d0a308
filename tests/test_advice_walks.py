"""
Each message once: what it says goes wrong, what it tells people to do is done, and then it works.

`test_advice.py` types the commands that messages name; here is what has to be done by
hand too: in a file, in the environment, at AWS, or by waiting. The last test holds
that no message of the package is left out.
"""

from __future__ import annotations

import ast
import dataclasses
import errno
import getpass
import json
import os
import re
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.exceptions as foreign
import botocore.session
import pytest
from doubles import THE_GUIDES_SIGN_IN, App, RecordingShow, sso_profile
from IPython.core.error import StdinNotImplementedError, UsageError
from IPython.core.interactiveshell import InteractiveShell
from test_advice import CASES, SAYS

import cuaws_magic
from cuaws_magic import errors, storage
from cuaws_magic.aws import profile_credentials
from cuaws_magic.commands import autoload, credential_process, sessions, stamp
from cuaws_magic.commands import scrub as scrub_command
from cuaws_magic.config import files
from cuaws_magic.credentials import provider_functions
from cuaws_magic.errors import ChangedMeanwhile, CuawsError, Malformed
from cuaws_magic.ipython.magics import CuawsMagics
from cuaws_magic.model import Account, Identity
from cuaws_magic.practice import Failure, Knobs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cuaws_magic.practice import PracticePortal

ACCOUNT, ID, OTHER = "awsucob0myaccount", "111111111111", "222222222222"
CU = "https://cuboulder.awsapps.com/start"
LAB = "https://lab.awsapps.com/start"
LAB_SECTION = f"[sso-session lab]\nsso_start_url = {LAB}\nsso_region = us-west-2\n"
TWO_ROLES = "awsucob0production"
DEPLOY = "role_arn = arn:aws:iam::222222222222:role/Deploy\n"


class World:
    """A page of a new kernel, and what is around it."""

    def __init__(self, portal: PracticePortal, home: Path, patch: pytest.MonkeyPatch, folder: Path) -> None:
        self.portal, self.home, self.patch, self.folder = portal, home, patch, folder
        self.app = App()
        self.magics = CuawsMagics(InteractiveShell())
        self.magics._context = self.app.context
        self.magics._configure()
        self.app.context.identity_center._questions._pace._sleep = lambda _: None
        (home / ".aws").mkdir(exist_ok=True)
        # botocore expands `~` when it is imported, which in a test run is a home before.
        for provider in ("botocore.credentials.SSOProvider", "botocore.tokens.SSOTokenProvider"):
            patch.setattr(f"{provider}._SSO_TOKEN_CACHE_DIR", str(home / ".aws" / "sso" / "cache"))

    def do(self, what: str | Callable[[World], object]) -> object:
        """Type a line after `%cuaws`, or do something else."""
        return self.magics.cuaws(what) if isinstance(what, str) else what(self)

    def cell(self, line: str, body: str) -> object:
        """Run a cell `%%cuaws LINE`."""
        return self.magics.cuaws(line, body)

    def write(self, name: str, text: str) -> Path:
        """Write a file of `~/.aws`."""
        path = self.home / ".aws" / name
        path.write_text(text)
        return path

    def good_keys(self) -> dict[str, str]:
        """Return keys that AWS knows, and sign out again."""
        found = json.loads(self.magics.cuaws(f"export {ID}/MyRole --format process --var keys").reveal())
        self.magics.cuaws("logout")
        return {
            "aws_access_key_id": found["AccessKeyId"],
            "aws_secret_access_key": found["SecretAccessKey"],
            "aws_session_token": found["SessionToken"],
        }

    def fails(self, method: str, error: Exception | Callable[[], Exception], times: int = 1) -> None:
        """Have a client's method raise what botocore does, so many times."""
        clients = self.app.context.identity_center._questions._clients
        left = [times]

        class Failing:
            def __init__(self, client: Any) -> None:
                self.client = client

            def __getattr__(self, name: str) -> Any:
                if name == method and left[0] > 0:
                    left[0] -= 1
                    raise error() if callable(error) else error
                return getattr(self.client, name)

        for maker in ("unsigned", "portal", "sts"):
            made = getattr(clients, maker)
            self.patch.setattr(
                clients, maker, lambda *what, made=made, **more: Failing(made(*what, **more)), raising=False
            )


def text_of(keys: dict[str, str], name: str = "saved") -> str:
    return f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())


def refusal(code: str, status: int = 400, **headers: str) -> foreign.ClientError:
    return foreign.ClientError(
        {
            "Error": {"Code": code, "Message": "no"},
            "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers},
        },
        "X",
    )


@dataclass(frozen=True)
class Walk:
    """
    One message.

    Attributes:
        says: Words of it.

        line: What fails.

        before: What is done first.

        then: What it tells to do.

        again: The line works after that.
    """

    says: str
    line: str | Callable[[World], object]
    before: tuple[str | Callable[[World], object], ...] = ()
    then: tuple[str | Callable[[World], object], ...] = ()
    again: bool = True


def config(text: str) -> Callable[[World], object]:
    """Write the config file."""
    return lambda w: w.write("config", text)


def saved(w: World) -> None:
    """Save keys that AWS knows."""
    w.write("credentials", text_of(w.good_keys()))


def permanent_keys(w: World) -> None:
    """Save keys that do not end."""
    w.write("credentials", text_of({"aws_access_key_id": "AKIA0", "aws_secret_access_key": "x"}, "mine"))


def saved_and_refused(w: World) -> None:
    """Save keys that AWS does not know."""
    w.write(
        "credentials",
        text_of({"aws_access_key_id": "ASIA0000000000000000", "aws_secret_access_key": "x", "aws_session_token": "x"}),
    )


def variable(name: str, value: str | None) -> Callable[[World], object]:
    """Set a variable of the environment, or delete it."""
    return lambda w: w.patch.setenv(name, value) if value is not None else w.patch.delenv(name)


def organisation(url: str) -> Callable[[World], object]:
    """Name an organisation by the environment."""

    def arrange(w: World) -> None:
        w.patch.setenv("CUAWS_START_URL", url)
        w.patch.setenv("CUAWS_SSO_REGION", "us-west-2")

    return arrange


def behave(**knobs: Any) -> Callable[[World], object]:
    """Have the portal behave so."""
    return lambda w: setattr(w.portal, "knobs", dataclasses.replace(w.portal.knobs, **knobs))


def fails(method: str, error: Any, times: int = 1) -> Callable[[World], object]:
    """Have a client's method fail."""
    return lambda w: w.fails(method, error, times)


def unreachable(url: str) -> Exception:
    return foreign.EndpointConnectionError(endpoint_url=url)


def clock_wrong(w: World) -> None:
    """Have AWS refuse a signature, an hour away."""
    w.fails(
        "get_caller_identity",
        lambda: refusal(
            "SignatureDoesNotMatch", 403, date=format_datetime(w.app.context.now() - timedelta(hours=1), usegmt=True)
        ),
    )


def always_the_same_page(w: World) -> None:
    """Have the portal lead back to the page it just gave, once."""
    clients, left = w.app.context.identity_center._questions._clients, [2]
    made = clients.portal

    class Again:
        def __init__(self, client: Any) -> None:
            self.client = client

        def __getattr__(self, name: str) -> Any:
            return getattr(self.client, name)

        def list_accounts(self, **more: Any) -> Any:
            if left[0] > 0:
                left[0] -= 1
                return {"accountList": [], "nextToken": "again"}
            return self.client.list_accounts(**more)

    w.patch.setattr(clients, "portal", lambda *where, **more: Again(made(*where, **more)))


def a_page_of_somebody_else(w: World) -> None:
    """Have a proxy put its own sign-in page into the answer, once."""
    center, left = w.app.context.identity_center, [1]
    real = center.start_device_authorization

    def started(*what: Any) -> Any:
        left[0] -= 1
        page = {"verification_uri": "https://evil.example/", "verification_uri_complete": "https://evil.example/?x"}
        return dataclasses.replace(real(*what), **(page if left[0] >= 0 else {}))

    w.patch.setattr(center, "start_device_authorization", started)


def no_roles(w: World) -> None:
    """Have no role assigned in any account."""
    w.patch.setattr(w.app.context.identity_center, "list_account_roles", lambda *_: iter(()))


def no_accounts(w: World) -> None:
    """Have nothing assigned to the person, for one listing."""
    center, left = w.app.context.identity_center, [1]
    real = center.list_accounts

    def listed(*what: Any) -> Any:
        left[0] -= 1
        return iter(()) if left[0] >= 0 else real(*what)

    w.patch.setattr(center, "list_accounts", listed)


def twins(w: World) -> None:
    """Have two accounts of one name."""
    center = w.app.context.identity_center
    real = center.list_accounts
    w.patch.setattr(center, "list_accounts", lambda *what: [*real(*what), Account(OTHER, ACCOUNT)])


def wrong_account_once(w: World) -> None:
    """Have AWS say that the keys are another account's, and the next set too."""
    center, left = w.app.context.identity_center, [2]
    real = center.caller_identity

    def identity(*what: Any) -> Any:
        found = real(*what)
        left[0] -= 1
        return dataclasses.replace(found, account=OTHER) if left[0] >= 0 else found

    w.patch.setattr(center, "caller_identity", identity)


def overtaken_once(w: World) -> None:
    """Have another command come in between."""
    broker, left = w.app.context.broker, [1]
    real = broker.credentials

    def credentials(role: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            w.app.context.credentials.next_generation()
        return real(role)

    w.patch.setattr(broker, "credentials", credentials)


def once(owner: Callable[[World], Any], name: str, outcome: Any, times: int = 1) -> Callable[[World], object]:
    """Have a function of the package or the system come to something else at first: an error, or a value."""

    def arrange(w: World) -> None:
        there, left = owner(w), [times]
        real = getattr(there, name)

        def first(*what: Any, **more: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                return real(*what, **more)
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome

        w.patch.setattr(there, name, first)

    return arrange


def renewed(w: World) -> None:
    w.app.context.credentials.renew()


def notebook(w: World, name: str = "n.ipynb", text: str | None = None) -> Path:
    path = w.folder / name
    plain = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(plain) if text is None else text)
    return path


def _stamp(w: World, name: str) -> str:
    return stamp._stamped(w.folder / name, ACCOUNT, None, None, remove=False)


def _scrub(w: World, path: Path) -> object:
    return scrub_command._scrubbed(path, w.app.known_secrets.lookup(), check=True, account_ids=False)


def pasted(text: str | Callable[[World], str], save: str | None = None) -> Callable[[World], object]:
    """Paste what the function makes of the world."""
    return lambda w: w.app.paste(text if isinstance(text, str) else text(w), save)


def good_paste(w: World, *, token: bool = True, **more: str) -> str:
    if not hasattr(w, "_pasted"):
        w._pasted = w.good_keys()
    keys = {**w._pasted, **more}
    if not token:
        del keys["aws_session_token"]
    return text_of(keys, "111111111111_MyRole")


_DUCKDB_ERROR = type("InvalidInputException", (Exception,), {"__module__": "duckdb"})


class _DuckDb:
    """A connection that knows S3 secrets once its extension is loaded."""

    def __init__(self, *, loaded: bool = False) -> None:
        self.loaded = loaded

    def cursor(self) -> _DuckDb:
        return self

    def execute(self, text: str, *_: Any) -> _DuckDb:
        self.loaded |= "LOAD httpfs" in text
        if not self.loaded:
            raise _DUCKDB_ERROR("Secret type 's3' does not exist")
        return self


def _nobody_to_ask(_: str) -> str:
    raise StdinNotImplementedError


def a_program(script: str) -> Callable[[World], object]:
    """Have a profile whose program does this."""

    def arrange(w: World) -> None:
        path = w.folder / "program"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o700)
        w.write("config", f"[profile p]\ncredential_process = {path}\n")

    return arrange


def kept_profile(w: World) -> None:
    """Use a profile by a program, which says the account; then the profile leads elsewhere."""
    keys = w.good_keys()
    answer = {
        "Version": 1,
        "AccessKeyId": keys["aws_access_key_id"],
        "SecretAccessKey": keys["aws_secret_access_key"],
        "SessionToken": keys["aws_session_token"],
        "Expiration": "2099-01-01T00:00:00Z",
    }
    a_program(f"echo '{json.dumps(answer)}'")(w)


def _save_permanent(w: World, name: str) -> None:
    """Paste permanent keys, which AWS is said to know."""
    identity = Identity(ID, f"arn:aws:iam::{ID}:user/me", "AIDA")
    w.patch.setattr(w.app.context.identity_center, "caller_identity", lambda *_: identity)
    w.app.paste("[x]\naws_access_key_id = AKIAABCDEFGHIJKLMNOP\naws_secret_access_key = " + "a1B/" * 10, name)


def _bytes(w: World) -> Path:
    path = w.folder / "n.bin"
    path.write_bytes(b"\xff\xfe")
    return path


def _lead_elsewhere(w: World) -> None:
    """Have the profile give another account's keys from now on, which expire soon."""
    center = w.app.context.identity_center
    real = center.caller_identity
    w.patch.setattr(center, "caller_identity", lambda *what: dataclasses.replace(real(*what), account=OTHER))


def _other_keys(w: World) -> dict[str, str]:
    """Return keys of another account than the one that the profile's name is of."""
    found = json.loads(w.magics.cuaws(f"export {OTHER}/MyOtherRole --format process --var keys").reveal())
    w.magics.cuaws("logout")
    names = {"AccessKeyId": "aws_access_key_id", "SecretAccessKey": "aws_secret_access_key"}
    return {**{names[key]: found[key] for key in names}, "aws_session_token": found["SessionToken"]}


def _other_section_meanwhile(w: World) -> None:
    """Have somebody write the section with another address, after it was chosen."""
    chosen = w.app.context.choice.sso_session()
    w.patch.setattr(w.app.context.choice, "sso_session", lambda *_: chosen)
    w.write("config", THE_GUIDES_SIGN_IN.replace("us-west-2", "eu-west-1"))


def _ask_the_portal(w: World) -> object:
    """List accounts without asking anybody to sign in."""
    return w.app.context.accounts.accounts(w.app.context.choice.sso_session(), refresh=True)


def _without_a_person(w: World) -> object:
    """Need the sign-in where nobody can be asked."""
    return w.app.context.login.required(w.app.context.choice.sso_session())


def one_with_zeros(w: World) -> None:
    """Have an account whose number begins with a zero."""
    center = w.app.context.identity_center
    real = center.list_accounts
    w.patch.setattr(center, "list_accounts", lambda *what: [*real(*what), Account("012345678901", "zero")])
    w.patch.setattr(center, "list_account_roles", lambda *_: ["MyRole"])
    keys = center.role_credentials
    w.patch.setattr(center, "role_credentials", lambda token, region, _, role: keys(token, region, ID, role))
    real_identity = center.caller_identity
    w.patch.setattr(
        center, "caller_identity", lambda *what: dataclasses.replace(real_identity(*what), account="012345678901")
    )


use = f"use {ACCOUNT}"
GUIDE = config(THE_GUIDES_SIGN_IN)
PORTAL = "https://portal.sso.us-west-2.amazonaws.com/x"

WALKS = [
    # cuaws_magic.commands
    Walk(
        "Two sign-ins were named",
        f"use fedauth:{ACCOUNT} --session lab",
        (config(LAB_SECTION), "login --session fedauth"),
        (f"use fedauth:{ACCOUNT}",),
        again=False,
    ),
    # cuaws_magic.aws
    Walk(
        "which is not AWS's, so it is not opened",
        "login",
        (a_page_of_somebody_else,),
        ("login",),
    ),
    Walk(
        "is not the start URL of an AWS access portal",
        "login --start-url http://example.org --sso-region us-west-2",
        then=(f"login --start-url {CU} --sso-region us-west-2",),
        again=False,
    ),
    Walk(
        "which is not installed here",
        "use p",
        (config("[profile p]\ncredential_process = no-such-program\n"),),
        (kept_profile,),
    ),
    Walk(
        "AWS did not accept what the profile",
        "use above",
        (saved_and_refused, config(f"[profile above]\n{DEPLOY}source_profile = saved\n")),
        (saved,),
    ),
    Walk(
        "and there is no profile of that name. Correct it",
        "use above",
        (saved, config(f"[profile above]\n{DEPLOY}source_profile = save\n")),
        (config(f"[profile above]\n{DEPLOY}source_profile = saved\n"),),
    ),
    Walk(
        "botocore finds no credentials for the profile",
        "use saved",
        (saved, once(lambda _: botocore.session.Session, "get_credentials", None)),
    ),
    Walk(
        "and there is none here. Use it on",
        "use above",
        (saved, config(f"[profile above]\n{DEPLOY}credential_source = Ec2InstanceMetadata\n")),
        (config(f"[profile above]\n{DEPLOY}source_profile = saved\n"),),
    ),
    Walk(
        "take on its role. Check its role_arn",
        "use above",
        (
            saved,
            config(f"[profile above]\n{DEPLOY}source_profile = saved\n"),
            behave(failures=(Failure("sts:AssumeRole", kind="403", times=9),)),
        ),
        (behave(failures=()),),
    ),
    Walk(
        "begins with the keys of the environment",
        "use above",
        (saved, config(f"[profile above]\n{DEPLOY}credential_source = Environment\n")),
        (config(f"[profile above]\n{DEPLOY}source_profile = saved\n"),),
    ),
    Walk("The request was denied on the sign-in page", "login", (behave(deny=True),), (behave(deny=False), "login")),
    Walk(
        "refused our request (",
        "accounts",
        ("login", fails("list_accounts", refusal("InvalidRequestException"))),
        ("login --force",),
    ),
    Walk(
        "does not know this start URL in this region",
        "login",
        (fails("start_device_authorization", refusal("InvalidRequestException")),),
        (f"login --start-url {CU} --sso-region us-west-2",),
    ),
    Walk(
        "does not know these scopes",
        "login",
        (
            config(THE_GUIDES_SIGN_IN.replace("sso:account:access", "sso:nonsense")),
            fails("register_client", refusal("InvalidScopeException")),
        ),
        (GUIDE, "login"),
    ),
    Walk(
        "a proxy or a firewall, perhaps",
        "login",
        (behave(failures=(Failure("StartDeviceAuthorization", kind="403"),)),),
    ),
    Walk(
        "`%cuaws accounts --roles --refresh` to see what is yours",
        f"use {ID}/MyRole",
        ("login", behave(failures=(Failure("GetRoleCredentials", kind="403"),))),
        ("accounts --roles --refresh",),
    ),
    Walk(
        "cannot be reached from this machine",
        "accounts",
        ("login", fails("list_accounts", unreachable(PORTAL), times=10)),
    ),
    Walk(
        ", HTTP ",
        "accounts",
        ("login", fails("list_accounts", refusal("AuthorizationPendingException"))),
        ("login --force",),
    ),
    Walk("The clock of this machine is", use, ("login", clock_wrong)),
    Walk(
        "too many requests. Wait a minute",
        "accounts",
        ("login", behave(failures=(Failure("ListAccounts", kind="429", times=10),))),
    ),
    Walk("has a problem (", "accounts", ("login", behave(failures=(Failure("ListAccounts", kind="500", times=10),)))),
    Walk(
        "a policy or a network rule forbids it",
        use,
        ("login", fails("get_caller_identity", refusal("AccessDenied", 403), times=9)),
        (f"{use} --no-verify",),
        again=False,
    ),
    Walk(
        "the TLS certificate did not verify",
        "accounts",
        ("login", fails("list_accounts", foreign.SSLError(endpoint_url=PORTAL, error="x"))),
    ),
    Walk(
        "Correct sso_region or region in ~/.aws/config",
        "accounts",
        ("login", fails("list_accounts", foreign.InvalidRegionError(region_name="us west 2"))),
    ),
    Walk(
        "Correct ~/.aws/config or AWS_PROFILE",
        "accounts",
        ("login", fails("list_accounts", foreign.ProfileNotFound(profile="x"))),
    ),
    Walk(
        "to see the settings in use",
        "accounts",
        ("login", fails("list_accounts", foreign.DataNotFoundError(data_path="x"))),
        ("status",),
    ),
    Walk(
        "which is not a region known here",
        "accounts",
        (
            "login",
            fails("list_accounts", unreachable("https://portal.sso.us-wset-2.amazonaws.com/x"), times=10),
        ),
    ),
    Walk(
        "Correct or delete that setting",
        use,
        ("login", variable("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")),
        (lambda w: w.patch.setenv("AWS_ENDPOINT_URL_STS", w.portal.aws_url),),
    ),
    Walk(
        "AWS did not accept the credentials. Type",
        "whoami",
        (use, fails("get_caller_identity", refusal("AuthorizationPendingException"), times=3)),
        (use,),
    ),
    Walk(
        "a Wi-Fi sign-in page may be in between",
        "accounts",
        ("login", behave(failures=(Failure("ListAccounts", kind="malformed", times=10),))),
    ),
    Walk(
        "these keys do not belong together",
        "whoami",
        (use, fails("get_caller_identity", refusal("SignatureDoesNotMatch", 403), times=3)),
        (use,),
    ),
    Walk(
        "they have expired or are not valid here",
        "whoami",
        (use, fails("get_caller_identity", refusal("ExpiredToken", 403), times=3)),
        (use,),
    ),
    Walk("keeps sending the same page", "accounts", ("login", always_the_same_page)),
    Walk(
        "asks for a code from your MFA device",
        "use above",
        (
            saved,
            config(f"[profile above]\n{DEPLOY}source_profile = saved\nmfa_serial = arn:aws:iam::{ID}:mfa/me\n"),
            lambda w: w.patch.setattr(getpass, "getpass", _nobody_to_ask),
        ),
        (lambda w: w.patch.setattr(getpass, "getpass", lambda _: "123456"),),
    ),
    Walk(
        "that botocore does not find, or that has expired",
        "use saved",
        (saved, once(lambda _: botocore.session.Session, "get_credentials", foreign.SSOError())),
        ("login --force",),
    ),
    Walk(
        "begins with a sign-in that has expired",
        "use saved",
        (
            saved,
            once(
                lambda _: botocore.session.Session,
                "get_credentials",
                foreign.TokenRetrievalError(provider="sso", error_msg="x"),
            ),
        ),
        ("login --force",),
    ),
    Walk(
        "are not complete. Copy them again",
        "use saved",
        (lambda w: w.write("credentials", "[saved]\naws_access_key_id = ASIA0000000000000000\n"),),
        (pasted(good_paste, "saved"),),
    ),
    Walk("names gives no credentials", "use p", (a_program("exit 1"),), (kept_profile,)),
    Walk(
        "gave expired credentials. Renew them there",
        "use p",
        (kept_profile, once(lambda _: profile_credentials.Credentials, "expired", True)),
    ),
    # cuaws_magic.commands
    Walk(
        "was not approved within",
        "login --timeout 0.2",
        (behave(approve_after=None),),
        (behave(approve_after=1), "login"),
    ),
    Walk(
        "Make it readable and try again",
        lambda w: autoload._written(w.folder / "config.py", None, remove=False),
        (lambda w: (w.folder / "config.py").mkdir(),),
        (lambda w: (w.folder / "config.py").rmdir(),),
    ),
    Walk("The portal lists no account for you", "configure", (GUIDE, "login", no_accounts)),
    Walk(
        "Profiles need a name for the sign-in",
        "configure",
        (organisation(LAB),),
        (f"login --session lab --start-url {LAB} --sso-region us-west-2",),
    ),
    Walk(
        "can be called",
        "configure",
        (variable("CUAWS_SESSION", "a]b"), organisation(CU)),
        (f"login --session cu --start-url {CU} --sso-region us-west-2",),
    ),
    Walk("No account matches", "configure nosuch*", ("login",), ("accounts",), again=False),
    Walk(
        "it holds no keys to forget",
        "forget dev",
        (config(THE_GUIDES_SIGN_IN + sso_profile("dev", ID, "MyRole")), saved),
        ("logout",),
        again=False,
    ),
    Walk("is not in", "forget dev", (config("[profile dev]\nregion = us-west-2\n"),), (config(""),), again=False),
    Walk(
        "cannot stand on a line of a file",
        "configure",
        (GUIDE, "login", variable("CUAWS_REGION", "eu-west-1\nx = y")),
        (variable("CUAWS_REGION", "eu-west-1"),),
    ),
    Walk(
        "is not a region. Type",
        "console s3",
        (use, lambda w: w.patch.setattr("cuaws_magic.aws.console_links._REGION", re.compile("eu-.*"))),
        (f"{use} --region eu-west-1",),
    ),
    Walk(
        "is not the id of an account and a role",
        lambda w: credential_process._role(ACCOUNT, w.app.context.choice.sso_session()),
        then=(lambda w: credential_process._role(f"{ID}/MyRole", w.app.context.choice.sso_session()),),
        again=False,
    ),
    Walk(
        "There is no format",
        lambda w: w.app.export(RecordingShow(), None, "xml"),
        (use,),
        (lambda w: w.app.export(RecordingShow(), None, "powershell", shown=True),),
        again=False,
    ),
    Walk(
        "is a folder. Name a file in it",
        "export --to keys",
        (use, lambda _: Path("keys").mkdir()),
        ("export --to keys/k.env",),
        again=False,
    ),
    Walk("There is no folder", "export --to keys/k.env", (use,), (lambda _: Path("keys").mkdir(),)),
    Walk(
        "and an export would replace all of it",
        lambda w: w.do(f"export --to {w.home / '.aws' / 'config'}"),
        (use, GUIDE),
        ("export --to k.env",),
        again=False,
    ),
    Walk(
        "and is not an earlier export",
        "export --to k.env",
        (use, lambda _: Path("k.env").write_text("# mine\n")),
        (lambda _: Path("k.env").unlink(),),
    ),
    Walk(
        "marked production: ",
        lambda w: w.cell("each awsucob0p* --role ReadOnly", "1"),
        ("login",),
        (lambda w: w.cell("each awsucob0p* --role ReadOnly --yes", "1"),),
        again=False,
    ),
    Walk("No account matches ", lambda w: w.cell("each nosuch*", "1"), ("login",), ("accounts",), again=False),
    Walk(
        "These keys expired at",
        pasted(lambda w: good_paste(w) + "aws_expiration = 2020-01-01T00:00:00Z\n"),
        then=(pasted(good_paste),),
        again=False,
    ),
    Walk(
        "That name cannot be used in the credentials file",
        pasted(good_paste, "a]b"),
        then=(pasted(good_paste, "ab"),),
        again=False,
    ),
    Walk(
        "takes precedence over saved keys of that name",
        pasted(good_paste, "dev"),
        (config(THE_GUIDES_SIGN_IN + sso_profile("dev", ID, "MyRole")),),
        (pasted(good_paste, "mine"),),
        again=False,
    ),
    Walk(
        "holds permanent keys, which would be lost",
        pasted(good_paste, "mine"),
        (permanent_keys,),
        (pasted(good_paste, "other"),),
        again=False,
    ),
    Walk(
        "holds temporary keys, and permanent ones cannot replace them",
        lambda w: _save_permanent(w, "saved"),
        (saved_and_refused,),
        ("forget saved",),
    ),
    Walk(
        "they have expired, or are incomplete",
        pasted(lambda w: good_paste(w, aws_secret_access_key="A" * 40)),
        then=(pasted(good_paste),),
        again=False,
    ),
    Walk("which is none of", use, ("login", variable("CUAWS_VIA", "nonsense")), (variable("CUAWS_VIA", "env"),)),
    Walk(
        "This kernel cannot serve credentials",
        f"{use} --via endpoint",
        ("login", once(lambda w: w.app.context.endpoint, "address", OSError(errno.EMFILE, "Too many open files"))),
        (f"{use} --via env",),
        again=False,
    ),
    Walk(
        "It cannot be read (",
        lambda w: _scrub(w, w.folder / "none.ipynb"),
        then=(lambda w: _scrub(w, notebook(w)),),
        again=False,
    ),
    Walk(
        "It is not a notebook. Name one that ends in .ipynb",
        lambda w: _scrub(w, _bytes(w)),
        then=(lambda w: _scrub(w, notebook(w)),),
        again=False,
    ),
    Walk(
        "It is not a notebook. Nothing was changed",
        lambda w: scrub_command.scrub(w.app.context, "[1]"),
        then=(lambda w: scrub_command.scrub(w.app.context, notebook(w).read_text()),),
        again=False,
    ),
    Walk(
        "or only a part of one",
        lambda w: scrub_command.scrub(w.app.context, '{"cells": ['),
        then=(lambda w: scrub_command.scrub(w.app.context, notebook(w).read_text()),),
        again=False,
    ),
    Walk(
        "There is no provider for",
        lambda _: cuaws_magic.credential_provider(ACCOUNT, "nonsense"),
        then=(lambda _: cuaws_magic.credential_provider(ACCOUNT, "obstore"),),
        again=False,
    ),
    Walk(
        "Name one, or type `%cuaws use ACCOUNT` first",
        lambda w: sessions.session(w.app.context, RecordingShow(), None),
        then=(use,),
    ),
    Walk(
        "Name a notebook.",
        lambda w: _stamp(w, "no.ipynb"),
        then=(notebook, lambda w: _stamp(w, "n.ipynb")),
        again=False,
    ),
    Walk(
        "is not a notebook. Nothing was changed. Name one",
        lambda w: _stamp(w, "n.ipynb"),
        (lambda w: notebook(w, text="no"),),
        (notebook,),
    ),
    Walk("No account was used here before", "use", then=("accounts", "panel", use)),
    Walk("Only one account was used here", "use -", (use,), ("accounts", f"use {OTHER}/MyOtherRole")),
    Walk("AWS says that these credentials are for account", use, ("login", wrong_account_once), ("logout", "login")),
    Walk("leads to account", renewed, (kept_profile, "use p", _lead_elsewhere), ("use p",)),
    Walk(
        "With `--via profile` role and region are",
        "use dev --via profile --region eu-west-1",
        (config(THE_GUIDES_SIGN_IN + sso_profile("dev", ID, "MyRole")),),
        ("use dev --via profile", "use dev --region eu-west-1"),
        again=False,
    ),
    Walk(
        ", not even new ones",
        use,
        ("login", fails("get_caller_identity", refusal("InvalidClientTokenId", 403), times=2)),
    ),
    Walk("has its own role. Leave `--role` out", "use saved --role MyRole", (saved,), ("use saved",), again=False),
    Walk(
        "For the latter, type",
        f"use {ACCOUNT}",
        (lambda w: w.write("credentials", text_of(_other_keys(w), ACCOUNT)), "login", "accounts"),
        (f"use {ID}",),
        again=False,
    ),
    # cuaws_magic.config
    Walk(
        "Add the line `",
        "login",
        (config("[sso-session fedauth]\nsso_region = us-west-2\n"),),
        (GUIDE,),
    ),
    Walk(
        "has an empty sso_session",
        "use dev",
        (config(THE_GUIDES_SIGN_IN + sso_profile("dev", ID, "MyRole").replace("= fedauth", "=")),),
        (config(THE_GUIDES_SIGN_IN + sso_profile("dev", ID, "MyRole")),),
    ),
    Walk(
        "Delete it from the profile",
        "use dev",
        (config(THE_GUIDES_SIGN_IN + sso_profile("dev", ID, "MyRole") + "sso_region = eu-west-1\n"),),
        (config(THE_GUIDES_SIGN_IN + sso_profile("dev", ID, "MyRole")),),
    ),
    Walk("No AWS program can read this file", "accounts", (config("[profile\n"),), (GUIDE,)),
    Walk(
        "Another program keeps changing",
        "configure",
        (GUIDE, "login", once(lambda _: files.OpenedFile, "write", ChangedMeanwhile(), times=files._ATTEMPTS)),
    ),
    Walk(
        "is not a regular file, so nothing can be saved in it",
        "configure",
        ("login", variable("AWS_CONFIG_FILE", os.devnull)),
        (variable("AWS_CONFIG_FILE", None),),
    ),
    Walk(
        "Make it readable and try again.",
        "accounts",
        (lambda w: (w.home / ".aws" / "config").mkdir(),),
        (lambda w: (w.home / ".aws" / "config").rmdir(),),
    ),
    Walk(
        "Nothing was changed: correct it by hand",
        "configure",
        ("login", GUIDE, once(lambda _: files, "edited", Malformed(3, "it is odd"))),
    ),
    Walk(
        "Correct one of them, then run the cell again",
        "configure",
        (variable("CUAWS_SESSION", "fedauth"), "login", _other_section_meanwhile),
        (GUIDE,),
    ),
    # cuaws_magic.credentials
    Walk(
        "gave credentials that had already expired",
        use,
        ("login", behave(role_lifetime=-60)),
        (behave(role_lifetime=3600),),
    ),
    Walk("another command came in between", use, ("login", overtaken_once), ("",)),
    Walk(
        "In the access portal open “Access keys”",
        pasted("nothing of the kind"),
        then=(pasted(good_paste),),
        again=False,
    ),
    Walk("That is a sign-in code", pasted("ABCD-EFGH"), then=("login",), again=False),
    Walk(
        "That is a profile for ~/.aws/config, not keys",
        pasted("[profile dev]\nsso_session = fedauth\nsso_account_id = 111111111111\n"),
        then=("configure",),
        again=False,
    ),
    Walk("are not renewed. For new ones", renewed, (saved, "use saved"), (use,)),
    Walk(
        "is in use by its name only",
        "export --show",
        (
            config(
                THE_GUIDES_SIGN_IN
                + "[profile chained]\n"
                + DEPLOY
                + "source_profile = dev\n"
                + sso_profile("dev", ID, "MyRole")
            ),
            "use chained --via profile",
        ),
        ("use chained",),
    ),
    # cuaws_magic.integrations
    Walk(
        "Credentials of a kernel do not leave it",
        lambda _: provider_functions._again("of another process"),
        then=(use, lambda w: sessions.credential_provider(w.app.context, RecordingShow(), None)()),
        again=False,
    ),
    Walk(
        "DuckDB took no S3 secret",
        lambda w: cuaws_magic.duckdb(w.duckdb, ACCOUNT),
        (lambda w: setattr(w, "duckdb", _DuckDb()),),
        (lambda w: w.duckdb.execute("INSTALL httpfs; LOAD httpfs"),),
    ),
    Walk(
        "cannot be the name of a secret",
        lambda _: cuaws_magic.duckdb(object(), ACCOUNT, name="a b"),
        then=(lambda _: cuaws_magic.duckdb(_DuckDb(loaded=True), ACCOUNT, name="a_b"),),
        again=False,
    ),
    # cuaws_magic.ipython
    Walk("Only `%%cuaws paste` takes a cell", lambda w: w.cell("use x", "hello"), then=(use,), again=False),
    Walk(
        "Keys go below a line `%%cuaws paste`",
        lambda w: w.cell("use x", "aws_access_key_id=AKIAIOSFODNN7EXAMPLE"),
        then=(pasted(good_paste),),
        again=False,
    ),
    Walk("`each` runs a cell", "each *", ("login",), (lambda w: w.cell(f"each {ACCOUNT}", "1"),), again=False),
    # cuaws_magic.sso
    Walk(
        "AWS refuses the registration of this program",
        "login",
        (fails("start_device_authorization", refusal("InvalidClientException"), times=2),),
        ("login",),
    ),
    Walk(
        "You are not signed in to",
        _without_a_person,
        then=("login",),
    ),
    Walk(
        "Your sign-in to",
        _ask_the_portal,
        ("login", fails("list_accounts", refusal("UnauthorizedException", 401), times=2)),
        ("login --force",),
    ),
    Walk(
        "an account id has 12. Write all of them",
        "use dev",
        (config(THE_GUIDES_SIGN_IN + sso_profile("dev", ID[1:], "MyRole")),),
        (config(THE_GUIDES_SIGN_IN + sso_profile("dev", ID, "MyRole")),),
    ),
    Walk(
        "Leave out `--sso-region`, or name the organisation too",
        "login --sso-region eu-west-1",
        then=("login", f"login --start-url {CU} --sso-region us-west-2"),
        again=False,
    ),
    Walk(
        "is not known. Type `%cuaws login --start-url",
        f"login --start-url {LAB}",
        then=(f"login --start-url {LAB} --sso-region us-west-2",),
        again=False,
    ),
    Walk(
        ". Leave out `--sso-region`.",
        f"login --session fedauth --start-url {CU} --sso-region eu-west-1",
        (GUIDE,),
        (f"login --session fedauth --start-url {CU}",),
        again=False,
    ),
    Walk(
        "Remove it with `import os; del os.environ",
        "accounts",
        (GUIDE, variable("AWS_PROFILE", "nowhere")),
        (lambda _: os.environ.pop("AWS_PROFILE"),),
    ),
    Walk(
        "is not a region. Correct it",
        "use dev",
        (config(THE_GUIDES_SIGN_IN + sso_profile("dev", ID, "MyRole", region="us west 2")),),
        (config(THE_GUIDES_SIGN_IN + sso_profile("dev", ID, "MyRole")),),
    ),
    Walk(
        "has a character around the name that cannot be seen",
        "use dev",
        (config(THE_GUIDES_SIGN_IN + sso_profile("dev", ID, "MyRole\u200b")),),
        (config(THE_GUIDES_SIGN_IN + sso_profile("dev", ID, "MyRole")),),
    ),
    Walk(
        "has another start URL than",
        f"login --session fedauth --start-url {LAB} --sso-region us-west-2",
        (GUIDE,),
        (
            "login --session fedauth",
            f"login --session lab --start-url {LAB} --sso-region us-west-2",
        ),
        again=False,
    ),
    Walk("which this needs. To act with it", "export saved --show", (saved,), ("use saved",), again=False),
    Walk("Two roles were named", f"use {ID}/MyRole --role Other", ("login",), (f"use {ID}/MyRole",), again=False),
    Walk("You have no role in", use, ("login", no_roles), ("accounts --refresh",), again=False),
    Walk(
        "Type the number of the one you mean",
        f"use {ACCOUNT}",
        (config(THE_GUIDES_SIGN_IN + sso_profile(ACCOUNT, OTHER, "MyOtherRole")), "login", "accounts"),
        (f"use {ID}",),
        again=False,
    ),
    Walk(
        "There is no account or profile",
        "use 12345678901",
        ("login", one_with_zeros),
        ("use 012345678901",),
        again=False,
    ),
    Walk(
        "Nothing was masked in this kernel",
        lambda _: cuaws_magic.reveal(),
        (use,),
        ("export --show",),
        again=False,
    ),
    # cuaws_magic.storage
    Walk(
        "Make it writable and try again.",
        lambda w: storage.write_private(w.folder / "f" / "x", b""),
        (lambda w: (w.folder / "f").write_text(""),),
        (lambda w: (w.folder / "f").unlink(),),
    ),
    Walk(
        "is a link that leads back to itself",
        "export --to loop.env",
        (use, lambda _: Path("loop.env").symlink_to("loop.env")),
        ("export --to k.env",),
        again=False,
    ),
    Walk(
        "Free some space there",
        lambda w: storage.write_private(w.folder / "x", b"1"),
        (once(lambda _: os, "fsync", OSError(errno.ENOSPC, "No space left on device")),),
    ),
    Walk(
        "Delete what you do not need",
        lambda w: storage.write_private(w.folder / "x", b"1"),
        (once(lambda _: os, "fsync", OSError(errno.EDQUOT, "Disk quota exceeded")),),
    ),
    Walk(
        "it is read-only. Make it writable",
        lambda w: storage.check_writable(w.write("config", "")),
        (once(lambda _: os, "access", False),),
    ),
    Walk(
        "Free some space or make it writable",
        lambda w: storage.check_writable(w.write("config", "")),
        (once(lambda _: os, "fsync", OSError(errno.ENOSPC, "No space left on device")),),
    ),
    Walk(
        "is a link that another user made",
        "export --to link.env",
        (use, lambda _: Path("link.env").symlink_to("k.env"), lambda w: w.patch.setattr(storage, "_user", lambda: -7)),
        ("export --to k.env",),
        again=False,
    ),
    Walk(
        "Delete it by hand",
        lambda w: storage.remove(w.folder / "d"),
        (lambda w: (w.folder / "d").mkdir(),),
        (lambda w: (w.folder / "d").rmdir(),),
    ),
]

# What needs a kernel, a cluster or a service of its own: the test that walks it.
ELSEWHERE = {
    "The file of certificates": "tests/aws/test_ways_to_aws.py::test_a_file_of_certificates_that_is_missing",
    "the proxy wants a name and a password": "tests/aws/test_ways_to_aws.py::test_a_proxy_that_wants_a_password",
    "Nobody is here to approve a sign-in": "tests/kernel/test_unattended.py::test_a_sign_in_that_stands_works",
    "By authorization code you are asked": "tests/test_pkce.py::test_it_cannot_go_on_in_the_background",
    "Nobody can be asked here for the address": "tests/commands/test_callback.py::test_nobody_to_ask",
    "Nothing can listen on": "tests/commands/test_callback.py::test_nothing_can_listen",
    "AWS did not take the answer": "tests/sso/test_authorization_code.py::test_a_code_that_is_not_taken",
    "Nobody approved on the sign-in page": "tests/sso/test_authorization_code.py::test_nobody_comes_back",
    "That is not the address of the page": "tests/test_pkce.py::test_a_wrong_address",
    "That is the answer to another sign-in": "tests/test_pkce.py::test_a_wrong_address",
    "The sign-in page ended in an error": "tests/sso/test_authorization_code.py::test_what_is_not_the_answer",
    "The request was denied on the sign-in page. …": "tests/test_pkce.py::test_denied",
    "A QR code is for a phone": "tests/commands/test_qr.py::test_not_by_authorization_code",
    "now; before, it led to": "tests/aws/test_start_urls.py::test_one_that_leads_to_another_organisation_than_before",
    "Use the address of the portal itself": "tests/aws/test_start_urls.py::test_one_that_leads_nowhere",
    "leads to an access portal in": "tests/aws/test_start_urls.py::test_one_that_leads_to_another_region",
    "Use an account in it, then try again": "tests/libraries/test_icechunk.py::test_a_process_without_credentials",
    ", but programs look for": "tests/test_organisations.py::test_a_profile_by_name_signs_in_for_its_own_session",
    "or name another organisation with": "tests/test_organisations.py::test_one_organisation_that_is_down",
    "was not confirmed. Type": ("tests/commands/test_production.py::test_who_does_not_confirm_keeps_what_was_in_use"),
    "The connection to ": "tests/libraries/test_dask.py::test_a_connection_that_is_not_encrypted",
    "Keys cannot be asked for here": "tests/kernel/test_paste.py::test_where_nobody_can_be_asked",
    "The keys in this cell were not used": "tests/kernel/test_paste.py::test_a_notebook_without_a_page",
    "Do not type keys on the command line": "tests/kernel/test_paste.py::test_keys_on_the_line_itself",
    "Something went wrong inside cuaws_magic": "tests/kernel/test_paste.py::test_a_bug_shows_no_traceback",
    "codes expired": "tests/sso/test_device_flow.py::test_three_new_codes",
    ", and botocore needs an extra": "tests/commands/test_use_of_aws_login.py::test_a_machine_without_the_part",
    "The sign-in of the profile": "tests/commands/test_use_of_aws_login.py::test_nobody_signed_in",
    "for programs. Ask your administrator": "tests/commands/test_use_of_aws_login.py::test_a_user_who_may_not",
}


@pytest.fixture
def world(portal, home, tmp_path, monkeypatch) -> Iterator[World]:
    """A page of a new kernel, in a folder of its own."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    portal.knobs = Knobs(approve_after=1, interval=0)
    made = World(portal, home, monkeypatch, folder)
    yield made
    made.app.release()
    made.app.credentials._bound.clear()


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.says)
def test_doing_what_it_says_leads_out(walk: Walk, world: World) -> None:
    """The line fails with that message; what it tells to do can be done; where the line was right, it works then."""
    for step in walk.before:
        world.do(step)

    with pytest.raises((CuawsError, UsageError)) as caught:
        world.do(walk.line)
    assert walk.says in str(caught.value)

    for step in walk.then:
        world.do(step)
    if walk.again:
        world.do(walk.line)


def messages() -> dict[str, str]:
    """Return the texts that the package gives to its errors, with … for what differs, and where each is."""
    kinds = {name for name, one in vars(errors).items() if isinstance(one, type)} | {"UsageError"}
    found = {}
    house = Path(cuaws_magic.__file__).parent
    for path in sorted(house.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds and node.args:
                text = literal(node.args[0])
            elif isinstance(node, ast.Tuple) and isinstance(node.elts[:1], list) and len(node.elts) > 1:
                first = node.elts[0]
                text = literal(node.elts[1]) if isinstance(first, ast.Name) and first.id in kinds else None
            else:
                continue
            if text is not None and " " in text:
                found[text] = f"{path.relative_to(house)}:{node.lineno}"
    return found


def literal(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return None


def test_no_message_is_left_out() -> None:
    """Each text of an error is walked here or in `test_advice.py`, or by a test that is named; none twice named."""
    walked = [*(walk.says for walk in WALKS), *SAYS.values()]
    texts = messages()
    root = Path(__file__).parent.parent
    assert len(texts) > 140
    assert {one.documentation for one in CASES} >= SAYS.keys()

    missing = [
        f"{where}: {text}"
        for text, where in texts.items()
        if not any(says in text for says in walked) and not any(says in text for says in ELSEWHERE)
    ]

    assert missing == []
    for says, test in ELSEWHERE.items():
        path, name = test.split("::")
        assert any(says in text for text in texts), says
        assert f"def {name}(" in (root / path).read_text(encoding="utf-8"), test
    for says in walked:
        assert any(says in text for text in texts), says
