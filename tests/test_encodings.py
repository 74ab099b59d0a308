"""Output that lacks our signs, a Windows console or an old locale: text degrades, nothing fails."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from cuaws_magic.humanize import for_stream

SCRIPT = """
import cuaws_magic as cuaws
print(cuaws.status())
cuaws.login()
print(cuaws.accounts())
print(cuaws.use("awsucob0myaccount"))
print(cuaws.whoami())
print(cuaws.console("s3"))
print(cuaws.configure(dry_run=True))
print(cuaws.export(format="env"))
print(cuaws.doctor().findings)
print(cuaws.doctor())
print(cuaws.status())
try:
    cuaws.use("awsucob0production")
except cuaws.CuawsError as error:
    print(error._render_traceback_()[0])
print(cuaws.release())
print(cuaws.logout())
"""

LINES = [
    "%load_ext cuaws_magic",
    "%cuaws --help",
    "%cuaws",
    "%cuaws login",
    "%cuaws accounts",
    "%cuaws use awsucob0myaccount",
    "%cuaws use awsucob0production",
    "%cuaws doctor",
    "%cuaws panel",
    "%cuaws logout",
]


def run(*command, encoding, home):
    return subprocess.run(
        [sys.executable, *command],
        env=os.environ | {"PYTHONIOENCODING": encoding, "IPYTHONDIR": str(home / "ipython"), "TERM": "dumb"},
        capture_output=True, check=False, timeout=120, cwd=home,
    )  # fmt: skip


@pytest.mark.parametrize("encoding", ["ascii", "iso-8859-1", "cp437", "cp1252", "utf-8"])
def test_a_script(portal, home, encoding):
    """Every command, from signing in to signing out."""
    done = run("-c", SCRIPT, encoding=encoding, home=home)

    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode(encoding)
    assert "CU Boulder" in text
    assert "awsucob0myaccount" in text
    assert ("·" in text) == (
        encoding not in {"ascii", "cp437"} or "·" in "·".encode(encoding, "ignore").decode(encoding)
    )


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_the_ipython_terminal(portal, home, encoding):
    """The magic, its help, its cards and its errors."""
    done = run("-m", "IPython", "--no-banner", "--quick", "-c", "\n".join(LINES), encoding=encoding, home=home)

    text = done.stdout.decode(encoding) + done.stderr.decode(encoding)
    assert "Unicode" not in text
    assert "Traceback" not in text
    assert "You have several roles" in text or "awsucob0production" in text


@pytest.mark.parametrize(
    ("text", "encoding", "written"),
    [
        ("CU Boulder · fedauth", "ascii", "CU Boulder - fedauth"),
        ("CU Boulder · fedauth", "cp1252", "CU Boulder · fedauth"),
        ("✓ “Access keys” → …", "ascii", 'ok "Access keys" -> ...'),
        ("José 東京", "ascii", "Jos? ??"),
        ("José", "cp1252", "José"),
        ("x", "no-such-encoding", "x"),
        ("·", None, "·"),
    ],
)
def test_a_text_for_a_stream(text, encoding, written):
    """With the nearest signs, or a question mark."""

    class Stream:
        pass

    stream = Stream()
    stream.encoding = encoding

    assert for_stream(text, stream) == written
