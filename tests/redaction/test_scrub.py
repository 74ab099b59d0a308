"""Secrets out of notebooks: in every dress, nothing but them, every other byte as it was."""

from __future__ import annotations

import base64
import html
import json
import os
import random
import string
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import nbformat
import pytest
import yaml
from doubles import NOON, Clock, RecordingShow, until

import cuaws_magic as cuaws
from cuaws_magic.errors import ConfigFileError
from cuaws_magic.model import Secret
from cuaws_magic.redaction.known import KnownSecrets
from cuaws_magic.redaction.notebook import scrubbed
from cuaws_magic.redaction.patterns import find
from cuaws_magic.state_store import StateStore

ROOT = Path(__file__).parents[2]
_RANDOM = random.Random(20261126)
_BASE64 = string.ascii_letters + string.digits + "+/"


def _text(alphabet, length):
    return "".join(_RANDOM.choice(alphabet) for _ in range(length))


def key_id():
    return "ASIA" + _text(string.ascii_uppercase + "234567", 16)


def secret_key():
    return _text(_BASE64, 40)


def session_token():
    return "IQoJb3JpZ2luX2Vj" + _text(_BASE64, 400) + "=="


ID, KEY, TOKEN = key_id(), secret_key(), session_token()
SSO = "aoaAAAAAG" + _text(_BASE64, 120)

# What people have in notebooks, with what of it is secret.
LEAKS = {
    "the portal's block": (
        f'export AWS_ACCESS_KEY_ID="{ID}"\nexport AWS_SECRET_ACCESS_KEY="{KEY}"\nexport AWS_SESSION_TOKEN="{TOKEN}"',
        (ID, KEY, TOKEN),
    ),
    "PowerShell": (f'$Env:AWS_ACCESS_KEY_ID="{ID}"\n$Env:AWS_SECRET_ACCESS_KEY="{KEY}"', (ID, KEY)),
    "a credentials block": (
        f"[lab]\naws_access_key_id={ID}\naws_secret_access_key={KEY}\naws_session_token={TOKEN}", (ID, KEY, TOKEN)
    ),
    "boto3's arguments": (f"boto3.client('s3', aws_access_key_id='{ID}', aws_secret_access_key='{KEY}')", (ID, KEY)),
    "a dict that was printed": (
        f"{{'AccessKeyId': '{ID}', 'SecretAccessKey': '{KEY}', 'SessionToken': '{TOKEN}'}}", (ID, KEY, TOKEN)
    ),
    "os.environ": (f"environ({{'AWS_SECRET_ACCESS_KEY': '{KEY}', 'AWS_SESSION_TOKEN': '{TOKEN}'}})", (KEY, TOKEN)),
    "JSON in JSON": (json.dumps(json.dumps({"SecretAccessKey": KEY, "SessionToken": TOKEN})), (KEY, TOKEN)),
    "an SSO token file": (json.dumps({"accessToken": SSO, "expiresAt": "2026-11-26T00:00:00Z"}), (SSO,)),
    "a refresh token": (f'"refreshToken": "{SSO.replace("aoa", "aor")}"', (SSO.replace("aoa", "aor"),)),
    "percent signs": (f"https://x/?AWS_SECRET_ACCESS_KEY={quote(KEY + '/', safe='')}&id={ID}", (ID,)),
    "HTML": (html.escape(f'<td>aws_secret_access_key = "{KEY}"</td>'), (KEY,)),
    "colours": (f"AWS_SECRET_ACCESS_KEY=\x1b[32m{KEY[:20]}\x1b[0m{KEY[20:]}", ()),
    "base64": (base64.b64encode(f"aws_secret_access_key = {KEY}\n".encode()).decode(), ()),
    "a bare token": (f"the token is {TOKEN} and so on", (TOKEN,)),
    "a key near its id": (f"{ID}\t{KEY}", (ID, KEY)),
    "a sign-in code": ("Open https://device.sso.us-west-2.amazonaws.com/ and enter ABCD-WXYZ.", ("ABCD-WXYZ",)),
    "a sign-in link": ("https://device.sso.us-west-2.amazonaws.com/?user_code=ABCD-WXYZ", ("ABCD-WXYZ",)),
    "a console link": (f"https://signin.aws.amazon.com/federation?SigninToken={_text(_BASE64[:62], 200)}&x=1", ()),
}  # fmt: skip

# What looks like one and is none.
CLEAN = [
    "AKIAIOSFODNN7EXAMPLE and wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "aws_secret_access_key = xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "aws_access_key_id = AKIAAAAAAAAAAAAAAAAA",
    "commit 9f2c4b1d0e8a7f6c5b4d3e2f1a0b9c8d7e6f5a4b",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0ba0b4a1b2c3d4e5f60718",
    "550e8400-e29b-41d4-a716-446655440000",
    base64.b64encode(_RANDOM.randbytes(3000)).decode(),
    _text(_BASE64, 40),
    f"the model is called {_text(string.ascii_letters, 40)}",
    "secret_key = get_secret()",
    "access_token = os.environ['TOKEN']",
    "AWS_SECRET_ACCESS_KEY",
    "df['session_token'].head()",
    "GATC-GATT is a sequence",
    "arn:aws:iam::111111111111:role/MyRole",
    "https://d-1234567890.awsapps.com/start",
    "data:image/png;base64," + base64.b64encode(_RANDOM.randbytes(600)).decode(),
]


def notebook(*sources, outputs=()):
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in sources])
    for index, cell in enumerate(made.cells):
        cell["id"] = f"x{index}"
        cell["outputs"] = list(outputs)
    return nbformat.writes(made) + "\n"


@pytest.mark.parametrize("name", LEAKS)
def test_a_leak_is_found_wherever_it_stands(name):
    """In a source, a stream, a result of any type, an error, metadata; and nothing of it is left."""
    text, secrets = LEAKS[name]
    stream = nbformat.v4.new_output("stream", text=text)
    result = nbformat.v4.new_output(
        "display_data", {"text/html": f"<pre>{text}</pre>", "application/json": {"a": [text]}}
    )
    error = nbformat.v4.new_output("error", ename="E", evalue=text, traceback=text.split("\n"))
    made = json.loads(notebook(text, outputs=[stream, result, error]))
    made["metadata"]["widgets"] = {"state": {"1": {"value": text}}}
    made["cells"][0]["attachments"] = {"x.txt": {"text/plain": text}}

    clean, removed = scrubbed(json.dumps(made))

    places = {one.place for one in removed}
    assert {"source", "outputs", "attachments", "metadata"} <= places
    for secret in (*secrets, KEY, TOKEN[:100]):
        assert secret not in clean
    assert "[removed: " in clean
    assert scrubbed(clean) == (clean, [])


@pytest.mark.parametrize("text", CLEAN, ids=lambda text: text[:40])
def test_nothing_else_is_touched(text):
    """Examples, hashes, ids, images and names are left alone."""
    assert find(text) == []


def test_every_other_byte_stays():
    """A file is the same but for what was secret, whatever it was written with."""
    text = notebook("x = 'ünïcode \\u00e9'\n", f"key = '{KEY}'\naws_secret_access_key = '{KEY}'\n", "print(1)")
    for form in (
        text,
        json.dumps(json.loads(text)),
        json.dumps(json.loads(text), indent=3, ensure_ascii=False),
        text.replace("\n", "\r\n"),
    ):
        clean, removed = scrubbed(form)

        assert len(removed) == 1
        assert clean.replace("[removed: AWS secret key]", KEY) == form
    without = notebook("x = 1", "é")
    assert scrubbed(without) == (without, [])


def test_a_secret_over_several_lines():
    """A list of lines is one text."""
    made = json.loads(notebook(f"aws_secret_access_key = \\\n'{KEY}'"))
    made["cells"][0]["source"] = ["aws_secret_access_key = '" + KEY[:20], KEY[20:] + "'\n"]

    clean, removed = scrubbed(json.dumps(made))

    assert [one.kind for one in removed] == ["AWS secret key"]
    assert KEY[:20] not in clean
    assert KEY[20:] not in clean


def test_account_ids_only_if_wished():
    """They are no secret; some would rather not publish them."""
    text = notebook("# account 111111111111")

    assert scrubbed(text)[1] == []
    clean, removed = scrubbed(text, account_ids=True)
    assert [one.kind for one in removed] == ["account id"]
    assert "111111111111" not in clean


def test_nbformat_3():
    """Cells in worksheets."""
    made = nbformat.v3.new_notebook(
        worksheets=[nbformat.v3.new_worksheet(cells=[nbformat.v3.new_code_cell(f"aws_secret_access_key='{KEY}'")])]
    )

    clean, removed = scrubbed(json.dumps(made))

    assert (removed[0].cell, removed[0].place) == (1, "input")
    assert KEY not in clean


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"a": 1}', "no", '"cells"', "[" * 100_000])
def test_what_is_no_notebook(text):
    """It is said, and nothing is changed."""
    with pytest.raises(ConfigFileError, match="Nothing was changed"):
        scrubbed(text)


# What this home has seen.


def test_a_bare_secret_of_this_home_is_known(tmp_path):
    """Without a name or an id near it; another string of forty is left alone."""
    known = KnownSecrets(StateStore(tmp_path), lambda: NOON)
    known.remember((Secret(text), NOON + timedelta(hours=4)) for text in (KEY, "short"))

    text = f"x = '{KEY}'; y = '{secret_key()}'"

    assert find(text) == []
    (found,) = find(text, known.lookup())
    assert (text[found.start : found.end], found.kind) == (KEY, "secret of this home")
    content = "".join(path.read_text() for path in tmp_path.rglob("*.json"))
    assert KEY not in content


def test_it_is_forgotten_after_a_while(tmp_path):
    """Thirty days after its end; the memory does not grow without end."""
    clock = Clock()
    known = KnownSecrets(StateStore(tmp_path), clock)
    known.remember([(Secret(KEY), NOON)])
    clock.forward(days=31)
    known.remember([(Secret(secret_key()), NOON + timedelta(days=31))])

    assert not known.lookup()(KEY)


def test_the_memory_is_bounded_and_private(tmp_path, monkeypatch):
    """The hashes that end last are kept, in a file that only its owner reads, without the secrets."""
    monkeypatch.setattr("cuaws_magic.redaction.known._MOST", 10)
    known = KnownSecrets(StateStore(tmp_path), lambda: NOON)
    seen = [secret_key() for _ in range(15)]

    known.remember([(Secret(text), NOON + timedelta(hours=number)) for number, text in enumerate(seen)])

    lookup = KnownSecrets(StateStore(tmp_path), lambda: NOON).lookup()
    assert [lookup(text) for text in seen] == [False] * 5 + [True] * 10
    (path,) = tmp_path.rglob("*.json")
    assert path.stat().st_mode & 0o777 == 0o600
    assert not [text for text in seen if text in path.read_text()]


def test_what_is_used_here_is_remembered(app):
    """The keys of an account in use, and the sign-in's tokens."""
    app.use(RecordingShow(), "awsucob0myaccount")
    keys = app.credentials.current.credentials
    token = app.token_cache.load(app.choice.sso_session()).sso_token

    until(lambda: KnownSecrets(app.state_store).lookup()(token.access_token.reveal()))
    assert KnownSecrets(app.state_store).lookup()(keys.secret_access_key.reveal())


# The command.


def run(*words, stdin=None):
    return subprocess.run(
        [sys.executable, "-m", "cuaws_magic", "scrub", *words],
        input=stdin, capture_output=True, check=False, timeout=60, env=dict(os.environ),
    )  # fmt: skip


def test_the_command(home):
    """A table of places and kinds, never the secret; exit 1 where something was found, 0 the next time."""
    leaky, clean = home / "leaky.ipynb", home / "clean.ipynb"
    leaky.write_text(notebook("1", LEAKS["the portal's block"][0]))
    leaky.chmod(0o640)
    clean.write_text(notebook("1"))
    before = leaky.read_bytes()

    checked = run("--check", str(home))
    assert leaky.read_bytes() == before
    done = run(str(home))
    again = run(str(home))

    assert (checked.returncode, done.returncode, again.returncode) == (1, 1, 0)
    text = done.stdout.decode()
    assert "3 secrets removed" in text
    assert "leaky.ipynb" in text
    assert "clean.ipynb" not in text
    assert KEY not in text + done.stderr.decode()
    assert KEY.encode() not in leaky.read_bytes()
    assert leaky.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("content", [None, b"no notebook", b"\xff\xfe\x00", b'{"cells": ['])
def test_what_cannot_be_scrubbed(home, content):
    """One line, exit 2, and the file as it was."""
    path = home / "x.ipynb"
    if content is not None:
        path.write_bytes(content)

    done = run(str(path))

    assert (done.returncode, done.stderr.count(b"\n"), done.stdout) == (2, 1, b"")
    assert (path.read_bytes() if path.exists() else None) == content


def test_as_a_filter_of_git(home):
    """`git add` stores the clean notebook, the one on the disk stays; what is no notebook goes through."""
    program = f"{sys.executable} -m cuaws_magic scrub -"
    git = ["git", "-C", str(home), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "config", "filter.cuaws.clean", program], check=True)
    (home / ".gitattributes").write_text("*.ipynb filter=cuaws\n")
    (home / "x.ipynb").write_text(notebook(f"aws_secret_access_key = '{KEY}'"))
    subprocess.run([*git, "add", "x.ipynb"], check=True)

    stored = subprocess.run([*git, "show", ":x.ipynb"], capture_output=True, text=True, check=True).stdout

    assert KEY not in stored
    assert "[removed: AWS secret key]" in stored
    assert KEY in (home / "x.ipynb").read_text()
    assert run("-", stdin=b"anything \xff").stdout == b"anything \xff"


def test_as_a_hook_of_pre_commit(home):
    """A commit with a secret is refused and the notebook cleaned; what is committed then has none."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    # The repository itself is not cloned for it: the program is the one that is installed here.
    hook |= {
        "language": "system",
        "entry": f"{sys.executable} -m {hook['entry'].replace('cuaws-magic', 'cuaws_magic')}",
    }
    (home / ".pre-commit-config.yaml").write_text(json.dumps({"repos": [{"repo": "local", "hooks": [hook]}]}))
    (home / "x.ipynb").write_text(notebook(f"aws_secret_access_key = '{KEY}'", "print(1)"))
    environment = os.environ | {"PRE_COMMIT_HOME": str(home / "cache")}

    def git(*words, good=True):
        done = subprocess.run(
            ["git", "-C", str(home), "-c", "user.name=x", "-c", "user.email=x@example.org", *words],
            capture_output=True, text=True, check=False, timeout=120, env=environment,
        )  # fmt: skip
        assert (done.returncode == 0) == good, done.stdout + done.stderr
        return done.stdout + done.stderr

    git("init", "--quiet")
    subprocess.run([sys.executable, "-m", "pre_commit", "install"], cwd=home, env=environment, check=True, timeout=120)
    git("add", "x.ipynb", ".pre-commit-config.yaml")
    refused = git("commit", "-m", "x", good=False)
    git("add", "x.ipynb")
    git("commit", "-m", "x")

    assert "1 secret removed" in refused
    assert KEY not in refused
    stored = git("show", "HEAD:x.ipynb")
    assert KEY not in stored
    assert "print(1)" in stored


def test_as_a_function(portal, home):
    """Text, a dict and nbformat's own object; what was given is not changed."""
    text = notebook(f"aws_secret_access_key = '{KEY}'")
    parsed, node = json.loads(text), nbformat.reads(text, as_version=4)

    assert KEY not in cuaws.scrub(text)
    assert KEY not in json.dumps(cuaws.scrub(parsed))
    assert KEY not in nbformat.writes(cuaws.scrub(node))
    assert KEY in json.dumps(parsed)
    assert KEY in nbformat.writes(node)
    assert type(cuaws.scrub(node)) is type(node)


# Misses and false alarms on notebooks with known truth.


def corpus(number, leaky):
    """Notebooks from templates; a leaky one has one leak somewhere in ordinary work."""
    ordinary = [
        "import pandas as pd\ndf = pd.read_csv('s3://bucket/x.csv')\ndf.head()", "# Results\n\nAs *expected*.",
        *CLEAN, "for i in range(10):\n    print(i)", json.dumps({"a": list(range(50))}),
    ]  # fmt: skip
    for index in range(number):
        cells = [_RANDOM.choice(ordinary) for _ in range(6)]
        leak = None
        if leaky:
            fresh = key_id(), secret_key(), session_token()
            text, _ = LEAKS[_RANDOM.choice(list(LEAKS))]
            for old, new in zip((ID, KEY, TOKEN), fresh, strict=True):
                text = text.replace(old, new)
            leak = text
            cells.insert(_RANDOM.randrange(6), text)
        outputs = [nbformat.v4.new_output("stream", text=_RANDOM.choice(ordinary))]
        yield index, notebook(*cells, outputs=outputs), leak


def test_no_miss_and_no_false_alarm():
    """Five hundred leaky notebooks and five hundred clean ones."""
    missed = [leak for _, text, leak in corpus(500, leaky=True) if not scrubbed(text)[1]]
    alarms = [removed for _, text, _ in corpus(500, leaky=False) if (removed := scrubbed(text)[1])]

    assert missed == []
    assert alarms == []


def test_a_text_that_is_long_takes_no_longer_than_its_length():
    """Every pattern is bounded: four times the text takes about four times as long."""
    for unit in ("secret_access_key=", "A", "aws ", "<", "&#", "%2F", "\\u00", "accessToken:", "IQoJ" + "a" * 90):
        short, long = (unit * (size // len(unit) + 1) for size in (25_000, 100_000))
        times = []
        for text in (short, long):
            began = time.perf_counter()
            find(text)
            times.append(time.perf_counter() - began)
        assert times[1] < 12 * times[0] + 0.2, unit
