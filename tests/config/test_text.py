"""Editing `~/.aws`: the folder `tests/config_edits` is the specification, botocore the judge."""

from __future__ import annotations

import json
import re
import string
import tempfile
from pathlib import Path

import botocore.configloader
import botocore.exceptions
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuaws_magic.config import text as ini_text
from cuaws_magic.config.edits import Drop, Put, difference, edited
from cuaws_magic.errors import Malformed

INPUTS = Path(__file__).parents[1] / "config" / "edits"


def inputs(kind):
    found = sorted(INPUTS.glob(f"*.{kind}"))
    assert found, f"no {kind} inputs"
    return pytest.mark.parametrize("path", found, ids=lambda path: path.stem)


def edits(path):
    found = []
    for line in path.with_suffix(".edit").read_text(encoding="utf-8").splitlines():
        asked = json.loads(line)
        if "drop" in asked:
            found.append(Drop(*asked.pop("drop")))
        else:
            found.append(Put(*asked.pop("put"), asked.pop("settings"), asked.pop("equals", " = ")))
        assert not asked
    return found


def botocores(data, **more):
    """What botocore reads in a file with these bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config"
        path.write_bytes(data)
        return botocore.configloader.raw_config_parse(str(path), **more)


@inputs("after")
def test_an_edit_changes_its_lines_and_no_others(path):
    """The result is the expected one byte for byte, botocore reads it, and the same edit again does nothing."""
    before = path.with_suffix(".before").read_bytes()

    after = edited(ini_text.decoded(before), edits(path)).after

    assert after.encode() == path.read_bytes()
    assert botocores(path.read_bytes(), parse_subsections=False) == ini_text.values(after)
    assert edited(after, edits(path)).changes == ()


@inputs("refused")
def test_what_cannot_be_edited_is_refused(path):
    """What botocore does not read, or would read as something else afterwards, is refused with its line."""
    with pytest.raises(Malformed) as caught:
        edited(ini_text.decoded(path.with_suffix(".before").read_bytes()), edits(path))

    said = f"line {caught.value.line}: {caught.value.why}\n"
    assert said == path.read_text(encoding="utf-8")
    assert "S3CRET" not in said


def test_every_input_has_an_edit_and_an_end():
    """No input of the folder is left out, and no expectation is left over."""
    stems = {kind: {path.stem for path in INPUTS.glob(f"*.{kind}")} for kind in ("before", "edit", "after", "refused")}

    assert stems["before"] == stems["edit"] == stems["after"] | stems["refused"]
    assert stems["after"] & stems["refused"] == set()
    assert {path.suffix for path in INPUTS.iterdir()} == {".before", ".edit", ".after", ".refused", ".md"}


@pytest.mark.parametrize(
    ("kind", "name", "header"),
    [
        ("profile", "awsucob0myaccount", "profile awsucob0myaccount"),
        ("profile", "my account", "profile 'my account'"),
        ("profile", "ralphie's", 'profile "ralphie\'s"'),
        ("profile", 'the "best"', "profile 'the \"best\"'"),
        ("profile", "back\\slash", "profile 'back\\slash'"),
        ("profile", "Data & ML (prod); #1", "profile 'Data & ML (prod); #1'"),
        ("profile", "Göttingen", "profile Göttingen"),
        ("profile", "default", "default"),
        ("sso-session", "default", "sso-session default"),
        ("sso-session", "my work", "sso-session 'my work'"),
        ("block", "111111111111_MyRole", "111111111111_MyRole"),
        ("block", "my keys", "my keys"),
        ("profile", "", None),
        ("profile", " ", None),
        ("profile", "both ' and \"", None),
        ("profile", "line\nbreak", None),
        ("profile", "carriage\rreturn", None),
        ("profile", "line\u2028separator", None),
        ("profile", "zero\u200bwidth", None),
        ("profile", "no-break\u00a0space", None),
        ("profile", "nul\0", None),
        ("profile", "a]\n[default", None),
        ("profile", "a]", None),
        ("profile", "[a", None),
        ("profile", "lone\ud800surrogate", None),
        ("profile", "left\u202eright", None),
        ("block", " edge", None),
        ("block", "DEFAULT", None),
        ("block", "a]b", None),
    ],
)
def test_names(kind, name, header):
    """A name is written so that botocore reads it back, in quotes where it must be; or it is no name."""
    assert ini_text.header_of(kind, name) == header
    if header is not None:
        data = edited("", [Put(kind, name, {"region": "us-west-2"})]).after.encode()
        assert botocores(data) == {header: {"region": "us-west-2"}}
        if kind != "block":
            assert ini_text.kind_and_name(header) == (kind, name)


@pytest.mark.parametrize("put", [Put("profile", "a\nb", {}), Put("profile", "a", {"region": "x\n[y]"})])
def test_nothing_breaks_out_of_its_line(put):
    """A name or value that was not sorted out before stops the edit; there is no way to write it."""
    with pytest.raises(ValueError, match="can hold"):
        edited("[profile a]\n", [put])


# Any file, by hypothesis.

NAMES = st.sampled_from(["a", "b", "my account", "it's", "default", "ö"])
KEYS = st.sampled_from(["region", "output", "sso_session", "cli_pager", "s3_x"])
VALUES = st.text(string.ascii_letters + "0123456789 #;=:[]%'\"ö", max_size=12).map(str.strip)
LINE_ENDS = st.sampled_from(["\n", "\r\n", "\r"])


@st.composite
def option(draw, key):
    written = key.upper() if draw(st.integers(0, 9)) == 0 else key
    value = draw(VALUES)
    if draw(st.integers(0, 4)) == 0:  # a nested block, with a key that looks like one of the section
        inside = draw(
            st.lists(st.sampled_from(["  region = nested", "  a = b", "    deep=1", "  # why", ""]), max_size=4)
        )
        return [f"{written} =", *inside]
    return [f"{written}{draw(st.sampled_from([' = ', '=', ': ', ' =  ']))}{value}"]


@st.composite
def config(draw):
    """A file that parses, with everything that people put into one."""
    decoration = st.lists(st.sampled_from(["# comment", "; comment", "", "   ", "#region = old"]), max_size=2)
    lines = draw(decoration)
    for name in draw(st.lists(NAMES, unique=True, max_size=4)):
        spelled = ini_text.header_of("profile", name)
        if name in {"a", "b"}:
            spelled = draw(st.sampled_from([spelled, f"profile  {name} ", f"profile '{name}'", f'profile\t"{name}"']))
        lines += [f"[{spelled}]", *draw(decoration)]
        for key in draw(st.lists(KEYS, unique=True, max_size=4)):
            lines += draw(option(key)) + draw(decoration)
    if draw(st.booleans()):
        lines += ["[services mine]", "s3 =", "  endpoint_url = http://127.0.0.1:1", *draw(decoration)]
    end = draw(LINE_ENDS)
    text = "".join(line + end for line in lines)
    return text.rstrip("\r\n") if draw(st.booleans()) else text


def without_own_lines(text, headers):
    """The lines of a text that are not of these sections, without blank ones at its end."""
    lines = ini_text.lines_of(text)
    own = set()
    for section in ini_text.sections_of(lines):
        if section.header in headers:
            own |= set(range(section.line, section.end))
    return [line.rstrip("\r\n") for number, line in enumerate(lines) if number not in own and line.strip()]


@settings(max_examples=300, deadline=None)
@given(config(), NAMES, st.dictionaries(KEYS, VALUES, min_size=1, max_size=3))
def test_putting_changes_the_one_section_and_nothing_else(text, name, wanted):
    """Whatever the file: the section has the settings, and every other line and value is as it was."""
    before = ini_text.values(text)
    headers = [one for one in before if ini_text.kind_and_name(one) == ("profile", name)]
    header = headers[0] if headers else ini_text.header_of("profile", name)

    after = edited(text, [Put("profile", name, wanted)]).after

    assert botocores(after.encode(), parse_subsections=False) == {
        **before,
        header: {**before.get(header, {}), **wanted},
    }
    assert without_own_lines(after, {header}) == without_own_lines(text, {header})
    if not headers:
        assert after.startswith(text)


@settings(max_examples=300, deadline=None)
@given(config(), NAMES)
def test_dropping_takes_the_one_section_and_nothing_else(text, name):
    """Whatever the file: the section is gone, and every other line that is no comment or blank is as it was."""
    before = ini_text.values(text)
    header = next((one for one in before if ini_text.kind_and_name(one) == ("profile", name)), None)

    after = edited(text, [Drop("profile", name)]).after

    assert botocores(after.encode(), parse_subsections=False) == {
        one: values for one, values in before.items() if one != header
    }
    rest = [line for line in without_own_lines(text, {header}) if line.strip()[0] not in "#;"]
    assert [line for line in without_own_lines(after, set()) if line.strip()[0] not in "#;"] == rest
    if header is None:
        assert after == text


@settings(max_examples=200, deadline=None)
@given(config(), st.dictionaries(KEYS, VALUES, min_size=1, max_size=3))
def test_what_was_appended_can_be_dropped_again(text, wanted):
    """A section that comes and goes leaves the file as it was, but for the line end after its last line."""
    with_it = edited(text, [Put("profile", "new", wanted)]).after
    without = edited(with_it, [Drop("profile", "new")]).after

    assert without.rstrip() == text.rstrip()


PIECES = st.sampled_from([
    "[profile a]", "[profile 'a b']", "[default]", "[DEFAULT]", "[ profile a ]", " [profile c]", "   [x]", "[a]b]",
    "[", "[]", "region = us", "  output: json", "s3 =", "  k = v", "    deep = 1", "novalue", "= x", "A = 1", "a = 2",
    "# c", "  ; c", "", "   ", "\t", "\x0b", "\u2028", "é = ü", "\x1c", "k = a\x0bb", "  q\x0cz = 1", "\ufeff", "%(x)s",
])  # fmt: skip


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.tuples(PIECES, LINE_ENDS), max_size=9), st.booleans())
def test_the_reader_agrees_with_botocores(pieces, end):
    """Any file at all is read as botocore reads it, or refused as botocore refuses it, with a line."""
    data = "".join(piece + line_end for piece, line_end in pieces).encode()
    data = data if end else data.rstrip(b"\r\n")
    try:
        theirs = botocores(data, parse_subsections=False)
        botocores(data)
    except botocore.exceptions.ConfigParseError:
        with pytest.raises(Malformed) as caught:
            ini_text.values(ini_text.decoded(data))
        assert 1 <= caught.value.line <= len(pieces)
        return

    text = ini_text.decoded(data)
    lines = ini_text.lines_of(text)

    assert ini_text.values(text) == theirs
    assert "".join(lines) == text
    assert [one.header for one in ini_text.sections_of(lines) if one.header != "DEFAULT"] == list(theirs)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_at_all(data):
    """No bytes make the reader fail in another way than by saying which line is wrong."""
    try:
        ini_text.values(ini_text.decoded(data))
    except Malformed as error:
        assert error.line >= 1  # noqa: PT017 - one of two good ends


# The difference.


def test_the_difference_is_that_of_diff():
    """Hunks with three lines around, as `diff -u` gives them, with the numbers of both sides."""
    path = INPUTS / "add-replace-and-drop-at-once.before"

    lines = difference(edited(path.read_text(encoding="utf-8"), edits(path)))

    assert list(map(str, lines)) == [
        "@@ -4,9 +4,11 @@",
        " sso_role_name = MyRole",
        " region = us-west-2",
        " output = json",
        "-",
        "-[profile b]",
        "-region = eu-west-1",
        "+cli_pager = less",
        "",
        " [profile c]",
        "-output = text",
        "+output = json",
        "+",
        "+[profile new]",
        "+region = us-west-2",
        "+output = json",
    ]


def test_the_difference_shows_no_secret():
    """The neighbours of a change may be keys, also in comments and blocks; none of it is on the page."""
    before = (
        "[profile keys]\naws_access_key_id = AKIAS3CRET\n#aws_secret_access_key = S3CRET\nplugin =\n  token = S3CRET\n"
    )

    lines = difference(edited(before, [Put("profile", "new", {"region": "us-west-2"})]))

    shown = "\n".join(map(str, lines))
    assert "S3CRET" not in shown
    assert shown == "@@ -3,3 +3,6 @@\n # …\n plugin =\n   …\n+\n+[profile new]\n+region = us-west-2"


@settings(max_examples=200, deadline=None)
@given(config(), NAMES, NAMES)
def test_the_difference_adds_up(text, put, drop):
    """Whatever the file: what stays and comes is the new text, what stays and goes a part of the old."""
    if put == drop:
        return
    done = edited(text, [Put("profile", put, {"region": "somewhere"}), Drop("profile", drop)])

    lines = difference(done)

    came = sum(line.sign == "+" for line in lines)
    went = sum(line.sign == "-" for line in lines)
    assert len(ini_text.lines_of(done.after)) - len(ini_text.lines_of(done.before)) == came - went
    for hunk in [line.text for line in lines if line.sign == "@"]:
        assert re.fullmatch(r"@@ -\d+,\d+ \+\d+,\d+ @@", hunk)
    assert not any(character in str(line) for line in lines for character in "\r\n")
