"""`%cuaws export --to FILE`: what it replaces, where it does not follow, and what the card says to type."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
from dataclasses import dataclass

import pytest
from doubles import RecordingShow, documented, role_credentials

from cuaws_magic.commands.export import export_text, is_export
from cuaws_magic.errors import StorageError
from cuaws_magic.model import Secret
from cuaws_magic.settings import EXPORT_FORMATS


def export(app, format_name="env", **more):
    return app.export(RecordingShow(), "awsucob0myaccount", format_name, **more)


# What is replaced.


@pytest.mark.parametrize("format_name", EXPORT_FORMATS)
def test_an_earlier_export_is_replaced(app, home, format_name):
    """In whatever format, also one that came from the AWS CLI, and with Windows line ends."""
    path = home / "keys"
    earlier = export_text(role_credentials(), format_name).reveal()

    for text in (earlier, earlier.replace("\n", "\r\n")):
        path.write_text(text, newline="")
        export(app, to=path)
        assert path.read_text().startswith("export AWS_ACCESS_KEY_ID=")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "\n"])
def test_an_empty_file_is_replaced(app, home, text):
    """As `mktemp` and `touch` leave it."""
    (home / "keys").write_text(text)

    export(app, to=home / "keys")

    assert (home / "keys").read_text().startswith("export AWS_")


KEPT = {
    "a notebook": '{"cells": [], "metadata": {}, "nbformat": 4}',
    "a JSON list": "[1, 2]",
    "a text": "my thesis\n",
    "settings of a project, with keys among them": "DEBUG=1\nAWS_ACCESS_KEY_ID=a\nAWS_SECRET_ACCESS_KEY=b\n",
    "a script that sets them and goes on": "export AWS_ACCESS_KEY_ID=a\nexport AWS_SECRET_ACCESS_KEY=b; make deploy\n",
    "two formats in one": "export AWS_ACCESS_KEY_ID=a\nset AWS_SECRET_ACCESS_KEY=b\n",
    "JSON with more in it": '{"AccessKeyId": "a", "SecretAccessKey": "b", "Comment": "mine"}',
    "a number": "5",
    "JSON without keys": '{"Version": 1}',
    "deep JSON": "[" * 50_000,
}


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT.keys())
def test_what_is_no_export_is_kept(app, portal, home, text):
    """It is refused, before anybody is asked for anything, with what to type."""
    path = home / "thesis.env"
    path.write_text(text)

    with pytest.raises(
        StorageError, match=r"is not an earlier export: nothing was changed\. Delete it .* another file"
    ):
        export(app, to=path)

    assert path.read_text() == text
    assert portal.calls == []


def test_bytes_are_kept(app, home):
    """A picture is no text."""
    (home / "picture.png").write_bytes(b"\x89PNG\xff\x00")

    with pytest.raises(StorageError):
        export(app, to=home / "picture.png")

    assert (home / "picture.png").read_bytes() == b"\x89PNG\xff\x00"


@pytest.mark.skipif(os.name != "posix", reason="named pipes")
def test_what_is_not_a_file_is_kept(app, home):
    """A pipe or a device would be gone afterwards, and is not even opened: that may wait for ever."""
    os.mkfifo(home / "pipe")

    with pytest.raises(StorageError):
        export(app, to=home / "pipe")

    assert stat.S_ISFIFO((home / "pipe").stat().st_mode)


def test_an_export_says_so():
    """Each of the six, with a session token and without; nothing is not one."""
    both = [role_credentials(), Static()]

    texts = [export_text(keys, name).reveal() for name in EXPORT_FORMATS for keys in both]
    assert all(is_export(text) and is_export(text.replace("\n", "\r\n")) for text in texts)
    assert not is_export("")


class Static:
    access_key_id = Secret("AKIAEXAMPLE")
    secret_access_key = Secret("a/b+c")
    session_token = None
    expires_at = None


# Where it does not follow.


@pytest.mark.skipif(os.name != "posix", reason="links have owners")
@pytest.mark.parametrize("steps", [1, 2])
def test_a_link_of_another_user(app, portal, home, monkeypatch, steps):
    """Whoever laid it would say where the keys go; also where a link of one's own leads to it."""
    (home / "theirs").symlink_to(home / "elsewhere")
    (home / "mine").symlink_to("theirs")
    path = home / ("theirs" if steps == 1 else "mine")
    if steps == 1:
        monkeypatch.setattr(os, "geteuid", lambda: 4711)
    else:
        if os.getuid() != 0:
            pytest.skip("only root can give a link away")
        os.lchown(home / "theirs", 4711, -1)

    with pytest.raises(StorageError, match="is a link that another user made"):
        export(app, to=path)

    assert not (home / "elsewhere").exists()
    assert portal.calls == []


def test_a_link_of_ones_own(app, home):
    """It is followed, and stays a link."""
    (home / "link").symlink_to(home / "keys")

    export(app, to=home / "link")

    assert (home / "link").is_symlink()
    assert (home / "keys").read_text().startswith("export AWS_")


def test_links_in_a_circle(app, home):
    """They lead nowhere, and that is said."""
    (home / "a").symlink_to(home / "b")
    (home / "b").symlink_to(home / "a")

    with pytest.raises(StorageError, match="leads back to itself"):
        export(app, to=home / "a")


# What the card says.


@dataclass(frozen=True)
class Typed:
    documentation: str
    format_name: str
    name: str
    expected: str


@documented(
    [
        Typed("the default", "process", "creds.env", "process, JSON, for `credential_process = cat {}`"),
        Typed("bash", "env", "creds.env", "`source {}`"),
        Typed("Docker", "env-no-export", "creds.env", "`--env-file {}`"),
        Typed("PowerShell", "powershell", "creds.ps1", "`Get-Content {} | Out-String | Invoke-Expression`"),
        Typed("Windows", "windows-cmd", "creds.cmd", "`call {}`"),
        Typed("fish", "fish", "creds.fish", "`source {}`"),
    ]
)
def test_the_file_by_its_name(case, app, home):
    """What is to be typed has the file's own name in it."""
    exported = export(app, case.format_name, to=home / case.name)

    assert case.expected.format(home / case.name) in exported.mimebundle()["text/plain"]
    assert "FILE" not in exported.mimebundle()["text/plain"]


@pytest.mark.parametrize(
    ("format_name", "typed"),
    [
        ("env", "`source '{}/my keys'`"),
        ("powershell", "`Get-Content '{}/my keys' |"),
        ("windows-cmd", '`call "{}/my keys"`'),
    ],
)
def test_a_name_with_a_space(app, home, format_name, typed):
    """It is quoted as the program wants it."""
    exported = export(app, format_name, to=home / "my keys")

    assert typed.format(home) in exported.mimebundle()["text/plain"]


@pytest.mark.skipif(os.name != "posix", reason="bash")
def test_bash_takes_what_the_card_says(app, home):
    """The line of the card, typed as it stands."""
    plain = export(app, to=home / "it's mine").mimebundle()["text/plain"]
    line = next(one for one in plain.splitlines() if "bash and zsh" in one).split("`")[1]

    said = subprocess.run(
        ["bash", "-c", f"{line} && echo $AWS_ACCESS_KEY_ID"], capture_output=True, text=True, check=True
    )

    assert said.stdout.strip().startswith("ASIA")
    assert len(shlex.split(line)) == 2


def test_without_a_file_its_name_is_open(app):
    """What goes into a variable may come into a file later."""
    assert "`source FILE`" in export(app, variable="x").mimebundle()["text/plain"]
