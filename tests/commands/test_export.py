"""Exports: the AWS CLI's six formats byte for byte, and where the keys go, and do not go."""

from __future__ import annotations

import errno
import json
import os
import pickle
import stat
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import boto3
import pytest
from aws_commands import newest_version_2
from doubles import RecordingShow, documented, role_credentials
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.error import UsageError

from cuaws_magic import storage
from cuaws_magic.commands.export import export_text
from cuaws_magic.errors import ConfigurationError, StorageError, TargetError
from cuaws_magic.ipython.grammar import Grammar
from cuaws_magic.model import Secret
from cuaws_magic.practice import Knobs
from cuaws_magic.settings import EXPORT_FORMATS

ENDS = datetime(2099, 1, 2, 3, 4, 5, tzinfo=timezone.utc)

# Verbatim from `aws configure export-credentials` (contracts: 2.6).
GOLDEN = {
    "process": (
        '{\n  "Version": 1,\n  "AccessKeyId": "ASIAEXAMPLE",\n  "SecretAccessKey": "se/cr+et",\n'
        '  "SessionToken": "tok/en==",\n  "Expiration": "2099-01-02T03:04:05+00:00"\n}\n'
    ),
    "env": (
        "export AWS_ACCESS_KEY_ID=ASIAEXAMPLE\nexport AWS_SECRET_ACCESS_KEY=se/cr+et\n"
        "export AWS_SESSION_TOKEN=tok/en==\nexport AWS_CREDENTIAL_EXPIRATION=2099-01-02T03:04:05+00:00\n"
    ),
    "env-no-export": (
        "AWS_ACCESS_KEY_ID=ASIAEXAMPLE\nAWS_SECRET_ACCESS_KEY=se/cr+et\n"
        "AWS_SESSION_TOKEN=tok/en==\nAWS_CREDENTIAL_EXPIRATION=2099-01-02T03:04:05+00:00\n"
    ),
    "powershell": (
        '$Env:AWS_ACCESS_KEY_ID="ASIAEXAMPLE"\n$Env:AWS_SECRET_ACCESS_KEY="se/cr+et"\n'
        '$Env:AWS_SESSION_TOKEN="tok/en=="\n$Env:AWS_CREDENTIAL_EXPIRATION="2099-01-02T03:04:05+00:00"\n'
    ),
    "windows-cmd": (
        "set AWS_ACCESS_KEY_ID=ASIAEXAMPLE\nset AWS_SECRET_ACCESS_KEY=se/cr+et\n"
        "set AWS_SESSION_TOKEN=tok/en==\nset AWS_CREDENTIAL_EXPIRATION=2099-01-02T03:04:05+00:00\n"
    ),
    "fish": (
        'set -gx AWS_ACCESS_KEY_ID "ASIAEXAMPLE"\nset -gx AWS_SECRET_ACCESS_KEY "se/cr+et"\n'
        'set -gx AWS_SESSION_TOKEN "tok/en=="\nset -gx AWS_CREDENTIAL_EXPIRATION "2099-01-02T03:04:05+00:00"\n'
    ),
}

KEY = "[A-Za-z0-9/+=]"
EARLIER = "AWS_ACCESS_KEY_ID=ASIAEARLIER\n"  # what an export of another day left


@dataclass(frozen=True)
class Credentials:
    access_key_id: Secret
    secret_access_key: Secret
    session_token: Secret | None = None
    expires_at: datetime | None = None


EXAMPLE = Credentials(Secret("ASIAEXAMPLE"), Secret("se/cr+et"), Secret("tok/en=="), ENDS)


@pytest.fixture(scope="module")
def cli():
    return newest_version_2()


def by_the_cli(cli, format_name, keys, home):
    """Have the real command export what a `credential_process` or a credentials file gives it."""
    content = {"Version": 1, "AccessKeyId": keys.access_key_id.reveal()}
    content["SecretAccessKey"] = keys.secret_access_key.reveal()
    if keys.session_token is not None:
        content["SessionToken"] = keys.session_token.reveal()
    if keys.expires_at is not None:
        content["Expiration"] = keys.expires_at.isoformat()
    folder = home / ".aws"
    folder.mkdir(exist_ok=True)
    (folder / "keys.json").write_text(json.dumps(content))
    (folder / "config").write_text(f"[profile p]\ncredential_process = cat {folder / 'keys.json'}\n")
    command = [cli.path, "configure", "export-credentials", "--profile", "p", "--format", format_name]
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    said = subprocess.run(command, capture_output=True, check=False, env=environment, timeout=60)
    assert said.returncode == 0, said.stderr
    return said.stdout


# The texts.


@pytest.mark.parametrize("format_name", EXPORT_FORMATS)
def test_golden(format_name):
    """Each of the six formats is what the AWS CLI writes, to the byte."""
    assert export_text(EXAMPLE, format_name).reveal() == GOLDEN[format_name]


def test_the_formats_are_the_clis():
    """Six, in the CLI's order and spelling, `process` first: it is the default."""
    assert EXPORT_FORMATS == ("process", "env", "env-no-export", "powershell", "windows-cmd", "fish")
    assert sorted(GOLDEN) == sorted(EXPORT_FORMATS)


@pytest.mark.parametrize("format_name", EXPORT_FORMATS)
@pytest.mark.parametrize(
    "keys",
    [EXAMPLE, Credentials(Secret("AKIAEXAMPLE"), Secret("a/b+c")), Credentials(Secret("A"), Secret("b"), Secret("c"))],
    ids=["temporary", "static", "without expiration"],
)
def test_the_real_command_writes_the_same(format_name, keys, home, cli):
    """`aws configure export-credentials` gives the same bytes for the same credentials."""
    if format_name == "fish" and cli.version < (2, 33, 8):
        pytest.skip(f"{cli.documentation} does not know fish")

    assert by_the_cli(cli, format_name, keys, home) == export_text(keys, format_name).reveal().encode()


@pytest.mark.parametrize("format_name", EXPORT_FORMATS)
def test_what_is_not_there_has_no_line(format_name):
    """Static keys have neither session token nor expiration, and no line for them."""
    text = export_text(Credentials(Secret("AKIA"), Secret("s")), format_name).reveal()

    assert "TOKEN" not in text.upper()
    assert "EXPIRATION" not in text.upper()


@given(
    key_id=st.from_regex(rf"\A{KEY}{{1,30}}\Z"),
    secret=st.from_regex(rf"\A{KEY}{{1,60}}\Z"),
    session_token=st.none() | st.from_regex(rf"\A{KEY}{{1,200}}\Z"),
    ends=st.none() | st.datetimes(timezones=st.just(timezone.utc)),
)
def test_a_shell_and_a_reader_get_back_what_went_in(key_id, secret, session_token, ends):
    """Whatever AWS's alphabet allows survives: JSON and every line format name the same values."""
    token = None if session_token is None else Secret(session_token)
    keys = Credentials(Secret(key_id), Secret(secret), token, ends)
    wanted = [one for one in (key_id, secret, session_token, ends and ends.isoformat()) if one is not None]

    process = json.loads(export_text(keys, "process").reveal())
    lines = {name: export_text(keys, name).reveal().splitlines() for name in EXPORT_FORMATS[1:]}

    assert list(process.values()) == [1, *wanted]
    assert [line.partition("=")[2] for line in lines["env"]] == wanted
    assert [line.partition("=")[2].strip('"') for line in lines["powershell"]] == wanted
    assert [line.split(" ", 3)[3].strip('"') for line in lines["fish"]] == wanted
    assert [line.removeprefix("export ") for line in lines["env"]] == lines["env-no-export"]
    assert [line.removeprefix("set ") for line in lines["windows-cmd"]] == lines["env-no-export"]


def test_the_text_does_not_print_itself():
    """An export is a secret: its repr shows nothing, and it is not pickled."""
    text = export_text(role_credentials(), "env")

    assert "s3cret" not in repr(text)
    with pytest.raises(TypeError):
        pickle.dumps(text)


@pytest.mark.skipif(os.name != "posix", reason="bash")
@pytest.mark.parametrize(("format_name", "prefix"), [("env", ""), ("env-no-export", "set -a\n")])
def test_bash_takes_it(format_name, prefix):
    """`eval $(…)` of the guide's step 6 works with the text."""
    script = f"{prefix}{export_text(EXAMPLE, format_name).reveal()}\nenv | grep ^AWS_ | sort"

    said = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]}
    )

    assert said.stdout.splitlines() == sorted(GOLDEN["env-no-export"].splitlines())


# Where they go.


def export(app, target=None, format_name="env", **more):
    return app.export(RecordingShow(), target, format_name, **more)


def test_to_a_file(app, home):
    """A file gets the text, readable by its owner only; the value and the environment show nothing of it."""
    app.use(RecordingShow(), "awsucob0myaccount")
    path = home / "keys.sh"
    path.write_text(EARLIER)
    path.chmod(0o644)

    exported = export(app, to=path)

    lines = path.read_bytes().decode().splitlines()
    assert lines[0] == f"export AWS_ACCESS_KEY_ID={os.environ['AWS_ACCESS_KEY_ID']}"
    assert lines[3] == f"export AWS_CREDENTIAL_EXPIRATION={os.environ['AWS_CREDENTIAL_EXPIRATION']}"
    assert lines[3].endswith("+00:00")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in home.iterdir() if one.name.endswith(".tmp")] == []
    shown = str(exported.mimebundle()) + repr(exported) + str(vars(exported))
    assert os.environ["AWS_ACCESS_KEY_ID"] not in shown
    assert os.environ["AWS_SECRET_ACCESS_KEY"] not in shown


@pytest.mark.parametrize("before", [EARLIER, None], ids=["a file is there", "none is"])
def test_a_file_that_cannot_be_replaced_stays(app, home, monkeypatch, before):
    """When the last step fails, the old file is there as it was, nothing lies beside it, and no key is in the error."""
    app.use(RecordingShow(), "awsucob0myaccount")
    path = home / "exports" / "keys.sh"
    path.parent.mkdir()
    if before is not None:
        path.write_text(before)
        path.chmod(0o644)

    def refused(source, target):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(storage, "_replace", refused)
    with pytest.raises(StorageError, match=r"Cannot write .*keys\.sh: permission denied") as caught:
        export(app, to=path)

    assert {one: one.read_text() for one in path.parent.iterdir()} == ({} if before is None else {path: before})
    assert before is None or stat.S_IMODE(path.stat().st_mode) == 0o644
    assert os.environ["AWS_SECRET_ACCESS_KEY"] not in str(caught.value)


@pytest.mark.skipif(os.name != "posix", reason="modes")
@pytest.mark.parametrize("there_before", [True, False])
def test_not_for_a_moment_readable_by_others(app, home, there_before):
    """
    Between any two lines that run, what is in the folder is the old file, untouched, or readable by its owner only.

    Also while it is still empty: who opens it then, reads later what comes into it.
    """
    app.use(RecordingShow(), "awsucob0myaccount")
    path = home / "exports" / "keys.sh"
    path.parent.mkdir()
    if there_before:
        path.write_text(EARLIER)
        path.chmod(0o644)
    old = path.stat().st_ino if there_before else None
    moments, open_to_others = set(), []

    def look(frame, event, argument):
        for one in os.scandir(path.parent):
            found = one.stat(follow_symlinks=False)
            untouched = found.st_ino == old and found.st_size == len(EARLIER)
            moments.add((one.name == path.name, untouched, found.st_size))
            if not untouched and found.st_mode & 0o077:
                open_to_others.append((one.name, oct(found.st_mode), frame.f_code.co_filename, frame.f_lineno))
        return look

    umask = os.umask(0)  # nothing but the program's own care protects the file
    tracing = sys.gettrace()
    sys.settrace(lambda frame, *rest: look(frame, *rest) if "cuaws_magic" in frame.f_code.co_filename else None)
    try:
        export(app, to=path)
    finally:
        sys.settrace(tracing)
        os.umask(umask)

    size = path.stat().st_size
    assert open_to_others == []
    assert {
        (False, False, 0),
        (False, False, size),
        (True, False, size),
    } <= moments  # it did look: born, full, in place
    assert ((True, True, len(EARLIER)) in moments) is there_before


def test_it_says_until_when_and_that_nobody_renews(app):
    """The card has the end and the guide's note."""
    app.use(RecordingShow(), "awsucob0myaccount")

    for face in export(app).mimebundle().values():
        assert "Good for" in face
        assert "4 h, until" in face
        assert "Exported keys are not renewed" in face


def test_of_another_account_without_switching(app):
    """With a TARGET it is that account's credentials; the account in use stays."""
    app.use(RecordingShow(), "awsucob0myaccount")
    before = dict(os.environ)

    exported = export(app, "awsucob0myotheraccount", "process")

    process = json.loads(exported.reveal())
    sts = boto3.session.Session().client(
        "sts",
        "us-west-2",
        aws_access_key_id=process["AccessKeyId"],
        aws_secret_access_key=process["SecretAccessKey"],
        aws_session_token=process["SessionToken"],
    )
    assert sts.get_caller_identity()["Account"] == "222222222222" == exported.account
    assert dict(os.environ) == before


def test_signs_in_first(app, portal):
    """With a TARGET and nobody signed in, it signs in first; nothing comes into use."""
    exported = export(app, "awsucob0myaccount")

    assert exported.account_name == "awsucob0myaccount"
    assert portal.count("StartDeviceAuthorization") == 1
    assert "AWS_ACCESS_KEY_ID" not in os.environ


def test_shown_only_when_asked(app):
    """`--show` alone puts keys on the page, with a warning in both faces."""
    app.use(RecordingShow(), "awsucob0myaccount")
    secret = os.environ["AWS_SECRET_ACCESS_KEY"]

    shown, hidden = export(app, shown=True), export(app, variable="keys")

    plain, html = shown.mimebundle()["text/plain"], shown.mimebundle()["text/html"]
    assert f"export AWS_SECRET_ACCESS_KEY={secret}" in plain
    assert secret in html.replace("&#43;", "+").replace("&#x2F;", "/")
    assert "clear this output before you save" in plain
    assert secret not in str(hidden.mimebundle())
    assert "in the variable keys" in hidden.mimebundle()["text/plain"]


def test_credentials_that_have_hours_ahead(app, portal, monkeypatch):
    """What is exported is the set with the longest life, not one that is about to end."""
    portal.knobs = Knobs(approve_after=1, role_lifetime=60)
    app.use(RecordingShow(), "awsucob0myaccount")
    portal.knobs = Knobs(approve_after=1)
    later = datetime.now(timezone.utc) + timedelta(seconds=40)
    monkeypatch.setattr(app.broker, "_now", lambda: later)

    exported = export(app)

    assert exported.expires_at > later + timedelta(hours=3)


@dataclass(frozen=True)
class Refusal:
    documentation: str
    error: type[Exception]
    says: str
    more: dict[str, str]


REFUSALS = [
    Refusal("no such format", ConfigurationError, "no format bash. Choose one of: process,", {"format_name": "bash"}),
    Refusal("a folder in place of a file", StorageError, "is a folder. Name a file in it", {"to": "~"}),
    Refusal("a folder that is not there", StorageError, "There is no folder", {"to": "~/no/keys.sh"}),
    Refusal("the credentials file", StorageError, "would replace all of it", {"to": "~/.aws/credentials"}),
    Refusal("the config file", StorageError, "would replace all of it", {"to": "~/.aws/config"}),
]  # fmt: skip


@documented(REFUSALS)
def test_refusals(case, app, portal, home):
    """What cannot be is refused with what to do, before anybody is asked for anything."""
    (home / ".aws").mkdir()
    (home / ".aws" / "credentials").write_text("[a]\n")

    with pytest.raises(case.error) as caught:
        export(app, "awsucob0myaccount", **case.more)

    assert case.says in str(caught.value)
    assert portal.calls == []
    assert (home / ".aws" / "credentials").read_text() == "[a]\n"


def test_a_link_to_the_credentials_file_is_refused(app, home):
    """Also by another name."""
    (home / ".aws").mkdir()
    (home / ".aws" / "credentials").write_text("[a]\n")
    (home / "link").symlink_to(home / ".aws" / "credentials")

    with pytest.raises(StorageError):
        export(app, "awsucob0myaccount", to=home / "link")


def test_no_account_in_use(app):
    """Without TARGET and without an account in use, it says what to type."""
    with pytest.raises(TargetError, match=r"`%cuaws export ACCOUNT --to FILE`"):
        export(app)


# What is typed.


@pytest.mark.parametrize(
    "line",
    [
        "export",
        "export a --format env",
        "export --to f --show",
        "export --var x --to f",
        "export --format bash --show",
        "export --var 1x",
        "export --var class",
        "export --var a.b",
        "export --var print",
        "export --var _",
        "export --var In",
    ],
)
def test_the_grammar_refuses(line):
    """Exactly one of `--to`, `--var`, `--show`; a known format; a name that hides nothing."""
    with pytest.raises(UsageError):
        Grammar().parse(line)


def test_the_grammar_takes():
    """TARGET and format are optional; the default is the CLI's."""
    arguments = Grammar().parse("export --var keys")

    assert (arguments.target, arguments.format, arguments.var) == (None, "process", "keys")
    assert Grammar().parse("export a/b --format fish --to f").to == "f"
    assert Grammar().parse("export --help").help


class Names:
    def target_names(self):
        return ["awsucob0myaccount", "My Account"]

    def role_names(self, target):
        return []

    def session_names(self):
        return []


def test_completion():
    """Tab offers options, formats and targets."""
    complete = Grammar().complete

    assert complete("%cuaws export --format e", "e", Names()) == ["env", "env-no-export"]
    assert complete("%cuaws export aws", "aws", Names()) == ["awsucob0myaccount"]
    assert "--var" in complete("%cuaws export --", "--", Names())


def test_loading_needs_none_of_it():
    """The grammar knows the formats, and nothing of the rest is loaded with it."""
    code = (
        "import sys, cuaws_magic.ipython.magics; "
        "ours = [n for n in sys.modules if n.startswith(('cuaws_magic.', 'botocore'))]; "
        "print([n for n in ours if n.endswith(('.export', '.context', 'botocore'))])"
    )

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert said.stdout.strip() == "[]"
