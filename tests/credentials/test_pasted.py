"""What is read from a paste: every form of the portal's page and of the CLI, in every dress; and nothing else."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import string
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from cuaws_magic.commands.export import export_text
from cuaws_magic.credentials import pasted
from cuaws_magic.errors import PasteRefused
from cuaws_magic.model import Credentials, Secret
from cuaws_magic.settings import EXPORT_FORMATS

KEY_ID = "ASIAQWERTYUIOPASDFGH"
KEY = "abcdEFGH1234/+abcdEFGH1234/+abcdEFGH12ab"
TOKEN = "IQoJb3JpZ2luX2VjE" + "abcD123+/" * 40 + "xyz=="
SET = (KEY_ID, KEY, TOKEN)
END = datetime(2099, 1, 2, 3, 4, 5, tzinfo=timezone.utc)

BASE64 = string.ascii_letters + string.digits + "+/"
key_ids = st.text(string.ascii_uppercase + string.digits, min_size=16, max_size=16).map("ASIA{}".format)
keys = st.text(BASE64, min_size=40, max_size=40)
tokens = st.builds("{}{}".format, st.text(BASE64, min_size=100, max_size=900), st.sampled_from(["", "=", "=="]))
sets = st.tuples(key_ids, keys, tokens)


def of_json(key_id, key, token, **more):
    return json.dumps({"AccessKeyId": key_id, "SecretAccessKey": key, "SessionToken": token, **more}, indent=4)


def export_form(name):
    def write(key_id, key, token):
        return export_text(Credentials(None, Secret(key_id), Secret(key), Secret(token), END, END), name).reveal()

    return write


# Every form, as a function of the three values.
FORMS = {
    "bash": lambda i, k, t: (
        f'export AWS_ACCESS_KEY_ID="{i}"\nexport AWS_SECRET_ACCESS_KEY="{k}"\nexport AWS_SESSION_TOKEN="{t}"\n'
    ),
    "PowerShell": lambda i, k, t: (
        f'$Env:AWS_ACCESS_KEY_ID="{i}"\n$Env:AWS_SECRET_ACCESS_KEY="{k}"\n$Env:AWS_SESSION_TOKEN="{t}"\n'
    ),
    "PowerShell, single quotes": lambda i, k, t: (
        f"$env:AWS_ACCESS_KEY_ID = '{i}'\n$env:AWS_SECRET_ACCESS_KEY = '{k}'\n$env:AWS_SESSION_TOKEN = '{t}'\n"
    ),
    "cmd": lambda i, k, t: f"SET AWS_ACCESS_KEY_ID={i}\nSET AWS_SECRET_ACCESS_KEY={k}\nSET AWS_SESSION_TOKEN={t}\n",
    "cmd, quoted as a whole": lambda i, k, t: (
        f'set "AWS_ACCESS_KEY_ID={i}"\nset "AWS_SECRET_ACCESS_KEY={k}"\nset "AWS_SESSION_TOKEN={t}"\n'
    ),
    "fish": lambda i, k, t: (
        f'set -gx AWS_ACCESS_KEY_ID "{i}"\nset -gx AWS_SECRET_ACCESS_KEY "{k}"\nset -gx AWS_SESSION_TOKEN "{t}"\n'
    ),
    "credentials block": lambda i, k, t: (
        f"[111111111111_MyRole]\naws_access_key_id={i}\naws_secret_access_key={k}\naws_session_token={t}\n"
    ),
    "credentials block with spaces": lambda i, k, t: (
        f"[default]\naws_access_key_id = {i}\naws_secret_access_key = {k}\naws_session_token = {t}\n"
        "region = us-west-2\n"
    ),
    "credential_process": lambda i, k, t: of_json(i, k, t, Version=1, Expiration=END.isoformat()),
    "assume-role": lambda i, k, t: json.dumps(
        {
            "Credentials": json.loads(of_json(i, k, t, Expiration="2099-01-02T03:04:05Z")),
            "AssumedRoleUser": {"Arn": "a"},
        }
    ),
    "get-role-credentials": lambda i, k, t: json.dumps(
        {"roleCredentials": {"accessKeyId": i, "secretAccessKey": k, "sessionToken": t, "expiration": 4071006245000}}
    ),
    "python": lambda i, k, t: (
        f'os.environ["AWS_ACCESS_KEY_ID"] = "{i}"\nos.environ["AWS_SECRET_ACCESS_KEY"] = "{k}"\n'
        f'os.environ["AWS_SESSION_TOKEN"] = "{t}"\n'
    ),
    **{f"export-credentials, {name}": export_form(name) for name in EXPORT_FORMATS},
}


def prompts(prompt):
    return lambda text: "".join(f"{prompt}{line}\n" for line in text.splitlines())


# What copying and pasting makes of a text.
DRESSES = {
    "as it is": lambda text: text,
    "Windows line ends": lambda text: text.replace("\n", "\r\n"),
    "old Mac line ends": lambda text: text.replace("\n", "\r"),
    "bash prompts": prompts("$ "),
    "more prompts": prompts("ralphie@lab:~$ "),
    "conda prompts": prompts("(base) ralphie@lab:~$ "),
    "prompts in brackets": prompts("[ralphie@lab ~]$ "),
    "zsh prompts": prompts("% "),
    "cmd prompts": prompts("C:\\Users\\r>"),
    "PowerShell prompts": prompts("PS C:\\> "),
    "Python prompts": prompts(">>> "),
    "IPython prompts": lambda text: "".join(f"In [{n}]: {line}\n" for n, line in enumerate(text.splitlines(), 1)),
    "angle prompts": prompts("> "),
    "a list": prompts("- "),
    "prompts of root": prompts("# "),
    "indented": prompts("    "),
    "line ends taken away": lambda text: text.replace("\n", ""),
    "line ends made spaces": lambda text: text.replace("\n", " "),
    "continuations": lambda text: text.replace("\n", " \\\n"),
    "blank lines": lambda text: text.replace("\n", "\n\n\n"),
    "marks around a paste": lambda text: f"\x1b[200~{text}\x1b[201~",
    "a byte order mark": lambda text: f"\ufeff{text}",
    "zero-width characters": lambda text: text.replace("A", "A\u200b").replace("=", "\u2060="),
    "spaces that do not break": lambda text: text.replace(" ", "\u00a0"),
    "curly quotes": lambda text: re.sub(r'"([^"]*)"', "“\\1”", text),
    "twice the same": lambda text: f"{text}\n{text}",
    "prose around it": lambda text: f"Here they are:\n\n{text}\n\nThanks!",
    "a terminal around it": lambda text: f"$ cat ~/.aws/credentials\n{text}$ ",
}

# Where such a pair leaves no line end behind the last value, words or a prompt follow on it.
WORDS_FOLLOW = {("prose around it", "line ends taken away")} | {
    pair
    for joined in ("line ends taken away", "line ends made spaces", "continuations")
    for pair in itertools.permutations((joined, "a terminal around it"))
}
# Forms with a session token without quotes at their end.
OPEN_END = {"cmd", "credentials block"}
RUNS_ON = "Other text follows the session token directly, so its end cannot be told."


def values(found):
    token = found.session_token
    return (found.access_key_id.reveal(), found.secret_access_key.reveal(), token and token.reveal())


def read_or_line(text):
    try:
        return pasted.read(text)
    except PasteRefused as refused:
        return str(refused)


def dressed(text, dresses):
    for dress in dresses:
        text = DRESSES[dress](text)
    return text


@pytest.mark.parametrize("first", DRESSES)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_in_every_dress(form, first):
    """
    The three values come out exactly, with profile, region and end, however they were written and copied.

    Every pair of dresses, in both orders: `first` is put on before each of the others.
    """
    text = FORMS[form](*SET)
    plain = pasted.read(text)

    found = {
        second: read_or_line(dressed(text, (first, second)))
        for second in DRESSES
        if (first, second) not in WORDS_FOLLOW
    }

    assert values(plain) == SET
    assert {second: one for second, one in found.items() if one != plain} == {}


@pytest.mark.parametrize("pair", sorted(WORDS_FOLLOW), ids=" and ".join)
@pytest.mark.parametrize("form", FORMS)
def test_what_runs_into_a_value_is_refused(form, pair):
    """What stands on the line of a bare session token could be a part of it: that is said, and nothing is guessed."""
    found = read_or_line(dressed(FORMS[form](*SET), pair))

    if form in OPEN_END:
        assert str(found).startswith(RUNS_ON)
    else:
        assert values(found) == SET


# Prompts of shells, and what makes a guess go wrong: letters first, a space behind them, digits that change, two lines.
SHELLS = (
    *("sh-4.2$ ", "mac:~ ralphie$ ", "ralphie@mac ~ % ", "lab% ", "ralphie@lab ~> ", "➜  lab ", "➜  lab git:(main) ✗ "),
    *("PS C:\\Users\\r> ", "PS /home/r> ", "C:\\Users\\r d>", "root # ", "~/lab \u276f ", "[12:30] ralphie $ "),
    *("ralphie@PC MINGW64 ~\n$ ", "┌──(ralphie㉿lab)-[~]\n└─$ ", "In [{}]: ", "12:30:1{} ralphie $ ", "{} % "),
)


@pytest.mark.parametrize("joined", ["line ends taken away", "line ends made spaces", "blank lines"])
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (0, 2, 3, 1), (2, 0, 1, 3)], ids=str)
@pytest.mark.parametrize("shell", SHELLS)
def test_any_prompt_ends_a_value(shell, order, joined):
    """A bare value ends before the prompt of the next line, whatever the prompt and the order of the lines."""
    lines = FORMS["export-credentials, windows-cmd"](*SET).splitlines()
    text = "".join(f"{shell.format(n)}{lines[line]}\n" for n, line in enumerate(order, 1))

    found = pasted.read(DRESSES[joined](text))

    assert values(found) == SET
    assert (found.profile, found.expires_at) == (None, END)


@pytest.mark.parametrize("shell", ["$ ", "PS C:\\> ", "C:\\Users\\r>"])
def test_the_prompt_at_the_end(shell):
    """The prompt behind the last value is known from the lines before; Enter alone repeats it."""
    lines = FORMS["cmd"](*SET).splitlines()

    for text in (
        "".join(f"{shell}{line}" for line in lines) + shell,
        "".join(f"{shell}{line}" for line in lines) + shell.strip(),
        "".join(f"{shell * 3}{line}" for line in lines) + shell * 2,
        f"{shell}{lines[0]}{shell}{lines[1]}{shell * 2}{lines[2]}{shell}\n{shell}",
    ):
        assert values(pasted.read(text)) == SET


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(one=sets, form=st.sampled_from(sorted(FORMS)), dress=st.tuples(*[st.sampled_from(sorted(DRESSES))] * 2))
# Values that end as a command or a prompt begins, or hold a name's words.
@example(one=(KEY_ID, KEY[:-3] + "set", TOKEN), form="credentials block", dress=("as it is", "line ends made spaces"))
@example(one=("ASIAAAAAAAAAAAAAASET", KEY[:-6] + "export", TOKEN[:-6] + "export"), form="bash", dress=("as it is",) * 2)
@example(one=("ASIAAAAAAAAAAAAAASET", KEY, TOKEN), form="cmd", dress=("as it is", "line ends taken away"))
@example(
    one=("ASIAAAAAAAAAAAAAAAPS", KEY[:-2] + "PS", TOKEN.rstrip("=") + "PS"),
    form="export-credentials, windows-cmd",
    dress=("PowerShell prompts", "line ends taken away"),
)
@example(
    one=("ASIAAAAAAAAAAAAAAAAC", KEY[:-1] + "C", TOKEN.rstrip("=") + "C"),
    form="export-credentials, windows-cmd",
    dress=("cmd prompts", "line ends taken away"),
)
def test_round_trip(one, form, dress):
    """Any values survive any form and pair of dresses."""
    assume(dress not in WORDS_FOLLOW)

    assert values(pasted.read(dressed(FORMS[form](*one), dress))) == one


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    one=sets,
    form=st.sampled_from(sorted(FORMS)),
    dresses=st.lists(st.sampled_from(sorted(DRESSES)), min_size=3, max_size=5),
)
@example(
    one=(KEY_ID, KEY, TOKEN.rstrip("=")),
    form="cmd",
    dresses=["prose around it", "PowerShell prompts", "line ends taken away"],
)
def test_wrong_keys_are_never_taken(one, form, dresses):
    """However many dresses, one over the other: the true values, or a refusal without a piece of them."""
    found = read_or_line(dressed(FORMS[form](*one), dresses))

    if isinstance(found, str):
        assert_nothing_of(one, found)
    else:
        assert values(found) == one


def test_what_else_is_read():
    """The name in brackets, the region and the end, where they are there; long-lived keys have no session token."""
    block = pasted.read(FORMS["credentials block with spaces"](*SET))
    one_line = pasted.read(FORMS["credentials block"](*SET).replace("\n", ""))
    ending = pasted.read(FORMS["credential_process"](*SET))
    milliseconds = pasted.read(FORMS["get-role-credentials"](*SET))
    permanent = pasted.read(f"aws_access_key_id = AKIA{KEY_ID[4:]}\naws_secret_access_key = {KEY}")

    assert (block.profile, block.region, block.expires_at) == ("default", "us-west-2", None)
    assert one_line.profile == "111111111111_MyRole"
    assert (ending.profile, ending.expires_at) == (None, END)
    assert milliseconds.expires_at == END
    assert permanent.session_token is None


def test_a_quoted_value_that_the_terminal_broke():
    """A line end inside quotes is not part of the value."""
    broken = FORMS["bash"](*SET).replace(TOKEN, f"{TOKEN[:100]}\n{TOKEN[100:]}")

    assert values(pasted.read(broken)) == SET


def test_nothing_prints_itself():
    """A set of keys has no secret in its `repr`."""
    text = repr(pasted.read(FORMS["bash"](*SET)))

    assert not [one for one in SET if one[:6] in text]


# Inputs with names: what is read of each, or the line that refuses it.

INPUTS = Path(__file__).parent / "pasted"
# Stands for the values in those files, so that no file of the tests looks like a leak.
PLACES = {
    "{KEY_ID}": KEY_ID,
    "{CUT_KEY_ID}": KEY_ID[:-1],
    "{OTHER_KEY_ID}": "ASIAZZZZZZZZZZZZZZ99",
    "{PERMANENT_KEY_ID}": f"AKIA{KEY_ID[4:]}",
    "{KEY}": KEY,
    "{OTHER_KEY}": KEY[::-1],
    "{CUT_KEY}": KEY[:25],
    "{TOKEN}": TOKEN,
    "{OPEN_TOKEN}": TOKEN.rstrip("="),
    "{OTHER_TOKEN}": TOKEN[::-1].lstrip("="),
    "{CUT_TOKEN}": TOKEN[:50],
}


@pytest.mark.parametrize("path", sorted(INPUTS.glob("*.txt")), ids=lambda path: path.stem)
def test_what_each_input_gives(path):
    """The true keys and the name above them; or one clear line that says what to copy where, and repeats nothing."""
    text = path.read_bytes().decode()  # with the line ends as they are
    for place, value in PLACES.items():
        text = text.replace(place, value)

    found = read_or_line(text)

    if not isinstance(found, str):
        assert values(found) in {SET, (KEY_ID, KEY, TOKEN.rstrip("="))}
        found = f"Read. Profile: {found.profile or 'none'}."
    assert found == path.with_suffix(".expected").read_text(encoding="utf-8").strip()
    assert_one_line(found)
    assert_nothing_of(SET, found)


def test_every_input_has_its_line():
    """The folder is complete: no input without its line, and no line without its input."""
    names = [{path.stem for path in INPUTS.glob(f"*.{kind}")} for kind in ("txt", "expected")]

    assert names[0] == names[1]
    assert len(names[0]) > 30


def assert_one_line(error):
    assert "\n" not in str(error)


def assert_nothing_of(secrets, line):
    plain = set(re.findall(r"[A-Za-z]{6,}", line))
    for secret in secrets:
        pieces = {secret[at : at + 6] for at in range(len(secret) - 5)}
        assert not {piece for piece in pieces if piece in line and not any(piece in word for word in plain)}


PIECES = st.one_of(
    st.text(max_size=40),
    st.sampled_from([KEY_ID, KEY, TOKEN, KEY[:30], TOKEN[:60], "AKIA" + KEY_ID[4:], "****", "…", "{", "}", '"', "'"]),
    st.sampled_from(
        [
            "export ",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "=",
            ": ",
            "\n",
            "\\\n",
            "[a]",
            "\x00",
        ]
    ),
)


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PIECES, max_size=25).map("".join))
def test_anything_is_read_or_refused(text):
    """Whatever is pasted: a set of well-formed keys, or one line without a piece of them; never another error."""
    try:
        found = pasted.read(text)
    except PasteRefused as error:
        assert_one_line(error)
        assert_nothing_of(SET, str(error))
    else:
        assert re.fullmatch(r"(AKIA|ASIA)[A-Z0-9]{16}", found.access_key_id.reveal())
        assert len(found.secret_access_key.reveal()) == 40
    pasted.holds_keys(text)


@settings(max_examples=300, deadline=None)
@given(one=sets, form=st.sampled_from(sorted(FORMS)), cut=st.floats(0, 1), start=st.booleans())
def test_a_part_is_never_taken_for_a_set(one, form, cut, start):
    """A text that was not copied whole gives the true values, or is refused without a piece of them."""
    text = FORMS[form](*one)
    at = int(len(text) * cut)
    part = text[at:] if start else text[:at]

    try:
        found = values(pasted.read(part))
    except PasteRefused as error:
        assert_nothing_of(one, str(error))
    else:
        assert found[:2] == one[:2]
        assert one[2].startswith(found[2])  # a token has no length of its own: STS finds out


def test_keys_are_seen_where_they_should_not_be():
    """A line that holds a key is told from one that only talks about it."""
    assert all(pasted.holds_keys(FORMS[form](*SET)) for form in FORMS)
    assert pasted.holds_keys(f"AWS_SECRET_ACCESS_KEY={KEY}")
    assert pasted.holds_keys(f"AWS_SECRET_ACCESS_KEY={KEY}C:\\Users\\r>SET AWS_DEFAULT_REGION=us-west-2")
    assert pasted.holds_keys(f"paste {KEY_ID}")
    assert not pasted.holds_keys("use awsucob0myaccount --region us-west-2")
    assert not pasted.holds_keys('session_token = make("aws_session_token")')


def test_the_settings_of_another_block_are_not_those_of_the_keys():
    """Name and region are of the block that the keys stand in, whatever stands above and below."""
    keys = f"aws_access_key_id = {KEY_ID}\naws_secret_access_key = {KEY}\naws_session_token = {TOKEN}\n"
    around = "[default]\nregion = us-west-2\n\n{}\n[other]\nregion = eu-west-1\n"

    without = pasted.read(around.format(f"[111111111111_MyRole]\n{keys}"))
    own = pasted.read(around.format(f"[111111111111_MyRole]\nregion = ap-south-1\n{keys}"))

    assert (without.profile, without.region) == ("111111111111_MyRole", None)
    assert (own.profile, own.region) == ("111111111111_MyRole", "ap-south-1")


# Nothing that is pasted takes long.

UNITS = (
    "http://", " ", "\t", '"', "aws_access_key_id ", "aws_access_key_id=", "export ", "export -x ", "[a] ", "[", "\n",
    "$ ", "ASIAABCDEFGHIJKLMNOP", "A", "user@host:~$ ", "\x1b[", "user_code=", "set ", "a.", "/", ":", "_", "access ",
    "secret", "\\", "# ", ";", "access____", "=", "session token\n", "declare --a ", "PS C:\\>", "In [1]: ",
    'aws_access_key_id="',
)  # fmt: skip


def seconds_for(text):
    begun = time.process_time()
    with contextlib.suppress(PasteRefused):
        pasted.read(text)
    pasted.holds_keys(text)
    return time.process_time() - begun


@pytest.mark.parametrize("unit", UNITS, ids=repr)
def test_a_hundred_kilobytes_take_no_longer_than_their_length(unit):
    """Four times the text takes some four times as long: nothing that is pasted stops a kernel."""
    short, long = (unit * (size // len(unit) + 1) for size in (25_000, 100_000))

    quarter, whole = (
        min(seconds_for(text[:size]) for _ in range(2)) for text, size in ((short, 25_000), (long, 100_000))
    )

    assert whole < 10 * quarter + 0.05
