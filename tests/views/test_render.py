"""The pen: pure, escaping everything once, the same in both faces."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import pytest
from doubles import HOUR, NOON, documented
from markupsafe import Markup

from cuaws_magic import humanize
from cuaws_magic.views import render

HOSTILE = "<img src=x onerror=alert(1)> & \"'"


@pytest.fixture(autouse=True)
def _boulder(monkeypatch):
    """A machine in Boulder's time zone."""
    monkeypatch.setenv("TZ", "America/Denver")
    time.tzset()
    yield
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.mark.parametrize(
    "drawn",
    [
        render.card("good", HOSTILE, "", Markup()),
        render.card("bad", "", HOSTILE, Markup()),
        render.facts([(HOSTILE, "value")]),
        render.facts([("name", HOSTILE)]),
        render.lines([HOSTILE]),
        render.table([HOSTILE], [["value"]]),
        render.table(["head"], [[HOSTILE]]),
    ],
    ids=["title", "side", "name", "value", "sentence", "head", "cell"],
)
def test_everything_is_escaped_once(drawn):
    """A hostile text is text, wherever it stands, and is not escaped twice."""
    assert isinstance(drawn, Markup)
    assert "<img" not in drawn
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; &#34;&#39;" in drawn


@pytest.mark.parametrize(
    "drawn",
    [render.card("good", "a `b <i>` c `d`", "", Markup()), render.facts([("n", "a `b <i>` c `d`")]),
     render.lines(["a `b <i>` c `d`"])],
    ids=["title", "value", "sentence"],
)  # fmt: skip
def test_what_to_type_is_code(drawn):
    """Backticks are for plain text; in HTML it is code, escaped like everything."""
    inside = re.sub(r"<code style=[^>]*>", "<code>", drawn)

    assert "a <code>b &lt;i&gt;</code> c <code>d</code>" in inside


@pytest.mark.parametrize("text", ["`", "a ` b", "``", "`a\nb`"])
def test_a_backtick_alone_is_a_backtick(text):
    """Only a pair around something is code; nothing gets lost."""
    assert render.coded(text) == text


def test_an_arn_breaks_at_its_marks():
    """A long ARN goes on in the next line behind `:` or `/`, not in the middle of a name; nothing is added to it."""
    arn = "arn:aws:sts::111111111111:assumed-role/R_1/a@b.c<i>"

    drawn = render.facts([("ARN", arn)])

    assert "<wbr>111111111111:<wbr>assumed-role/<wbr>R_1/<wbr>a@b.c&lt;i&gt;</bdi>" in drawn
    assert "a@b" in drawn.replace("<wbr>", "")
    assert "overflow-wrap:anywhere" in drawn
    assert "<wbr>" not in render.facts([("Path", "/a/b:c")])


def test_a_body_is_not_escaped_again():
    """What was drawn already goes into a card as it is."""
    assert "<div style=" in render.card("good", "title", "", render.lines(["a"])).split("title")[1]


def test_a_card_follows_the_theme():
    """Colours are the theme's variables with a fallback; no style sheet, which an untrusted notebook loses."""
    drawn = render.card("wait", "title", "side", render.facts([("a", "b")]))

    assert "var(--jp-" in drawn
    assert "var(--vscode-" in drawn
    assert "<style" not in drawn
    assert 'class="' not in drawn


@pytest.mark.parametrize("tone", ["good", "wait", "bad", "idle"])
def test_a_dot_is_not_read_out(tone):
    """The colour says nothing that the title does not say; a screen reader hears the title."""
    drawn = render.card(tone, "the title", "", Markup())

    assert 'aria-hidden="true"' in drawn
    assert 'role="status"' in drawn
    assert "the title" in drawn


def test_facts_as_text_stand_in_columns():
    """Names are as wide as the widest; sentences follow."""
    assert render.text("Title", [("A", "1"), ("Longer", "2")], ["Sentence."]) == (
        "Title\n  A       1\n  Longer  2\nSentence."
    )


def test_a_title_alone():
    """Without facts a text is its title."""
    assert render.text("Title") == "Title"


def test_a_table_as_text():
    """Columns are aligned, and no line ends in blanks."""
    assert render.text_table(["Name", "Id"], [["long name", "1"], ["b", "22"]]) == (
        "Name       Id\nlong name  1\nb          22"
    )


def test_a_table_without_rows():
    """A table of nothing is its head."""
    assert render.text_table(["Name", "Id"], []) == "Name  Id"


def test_a_bundle_has_both_faces():
    """A notebook takes the HTML, a terminal the text."""
    assert render.mimebundle("plain", Markup("<b>rich</b>")) == {"text/plain": "plain", "text/html": "<b>rich</b>"}


@dataclass(frozen=True)
class Clock:
    documentation: str
    moment: datetime
    expected: str


@documented(
    [
        Clock("today, in the machine's zone", NOON + HOUR, "06:00 MST"),
        Clock("another day has its name", NOON + 24 * HOUR, "Tue 05:00 MST"),
        Clock("the day is the machine's, not UTC's", datetime(2026, 3, 3, 1, tzinfo=timezone.utc), "18:00 MST"),
        Clock("summer time", datetime(2026, 7, 1, 12, tzinfo=timezone.utc), "Wed 06:00 MDT"),
    ]
)
def test_a_time_of_day(case):
    """A time is told in the zone of the kernel's machine, with the zone's name."""
    assert humanize.printable(humanize.clock(case.moment, NOON)) == case.expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (3660, "1 h 1 min"),
        (8 * 3600, "8 h"),
        (30 * 3600, "30 h"),
    ],
)
def test_a_span(seconds, expected):
    """How long, in the two largest units; never less than nothing."""
    assert humanize.span(timedelta(seconds=seconds)) == expected


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (timedelta(hours=8) - timedelta(seconds=1), "8 h, until 12:59 MST"),
        (timedelta(minutes=12), "12 min, until 05:12 MST"),
        (timedelta(seconds=40), "40 s, until 05:00 MST"),
        (timedelta(0), "ended at 05:00 MST"),
        (timedelta(minutes=-1), "ended at 04:59 MST"),
    ],
)
def test_until(left, expected):
    """Until when and how long from now, rounded to the minute; the past is past."""
    assert humanize.printable(humanize.until(NOON + left, NOON)) == expected


def test_a_page_has_the_moment_of_a_time():
    """Plain text has the time in the zone of texts; the page has the moment too, for the reader's own clock."""
    said = f"until {humanize.clock(NOON + HOUR, NOON)}"

    both = render.mimebundle(said, render.lines([said]))

    assert both["text/plain"] == "until 06:00 MST"
    assert (
        '>until <time datetime="2026-03-02T13:00Z" data-cuaws="1772456400">06:00 MST</time></div>' in both["text/html"]
    )
    assert both["text/html"].endswith(render.PAGE_SCRIPT)
    assert "<script" not in render.mimebundle("", render.lines(["no time"]))["text/html"]


@pytest.mark.parametrize(
    "name", ["\ue0001\ue001<b>\ue002", "\ue000", "\ue0001\ue001", "\ue00199999999999\ue001x\ue002"]
)
def test_a_name_that_looks_like_a_time(name):
    """Whatever characters a name has, it stays text."""
    html = render.mimebundle(name, render.lines([name]))["text/html"]

    assert "<b>" not in html
    assert not set("\ue000\ue001\ue002") & set(html)


@pytest.mark.parametrize(
    ("zone", "expected"), [("America/New_York", "08:00 EST"), ("UTC", "13:00 UTC"), (None, "06:00 MST")]
)
def test_the_zone_of_texts(zone, expected):
    """`CUAWS_TZ` says which; without it, it is the machine's."""
    try:
        assert humanize.use_time_zone(zone)
        assert humanize.printable(humanize.clock(NOON + HOUR, NOON)) == expected
    finally:
        humanize.use_time_zone(None)


@pytest.mark.parametrize("zone", ["Nowhere/Town", "../etc/passwd", "\x00"])
def test_a_zone_that_there_is_not(zone):
    """It says so, and times stay the machine's."""
    assert humanize.use_time_zone(zone) is False
    assert humanize.printable(humanize.clock(NOON + HOUR, NOON)) == "06:00 MST"
