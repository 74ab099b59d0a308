"""Times, spans, names and lists as a person reads them."""

from __future__ import annotations

import contextlib
import re
from datetime import datetime, timedelta, timezone, tzinfo

# A time in a text keeps its moment, so that a page can show it in the reader's own time zone: private characters
# around the seconds since 1970, which whatever writes plain text takes out.
_MOMENT = re.compile("\ue000([0-9]{1,10})\ue001([^\ue000-\ue002<>&]{0,40})\ue002")

_zone: tzinfo | None = None

# The end of a sign-in of which nobody knows how long it lasts: after every end that is known, and never said.
END_UNKNOWN = datetime(9000, 1, 1, tzinfo=timezone.utc)


def use_time_zone(name: str | None) -> bool:
    """Write times in a zone from now on, the machine's without one; returns whether there is such a zone."""
    global _zone  # noqa: PLW0603 - one for all texts of a process, as TZ is
    if not name:
        _zone = None
        return True
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        _zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        _zone = None
        return False
    return True


def printable(text: str) -> str:
    """
    Replace what a terminal would obey instead of print, and what cannot be seen or turns a line around.

    For every text from elsewhere: names of accounts, roles and people, values of files, what a person typed.
    """
    if text.isprintable():
        return text
    text = _MOMENT.sub(r"\2", text)
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)


def with_moments(text: str, write: str) -> str:
    """Write each time of a text with its moment: `{seconds}` since 1970, `{moment}` in ISO 8601, and its `{text}`."""

    def written(found: re.Match[str]) -> str:
        moment = datetime.fromtimestamp(int(found[1]), timezone.utc)
        return write.format(seconds=found[1], moment=f"{moment:%Y-%m-%dT%H:%MZ}", text=found[2])

    return _MOMENT.sub(written, text)


def printable_lines(text: str) -> str:
    """Do the same for a text of several lines, which stay lines."""
    return "\n".join(line if line.isprintable() else printable(line) for line in text.split("\n"))


# What to write where a terminal, a locale or a file cannot have it.
_PLAIN = str.maketrans(
    {
        "·": "-", "…": "...", "“": '"', "”": '"', "\N{RIGHT SINGLE QUOTATION MARK}": "'", "→": "->", "↗": "",
        "✓": "ok", "✗": "x", "●": "*", "•": "*", "—": "-", "\N{EN DASH}": "-", "─": "-", "│": "|", "├": "|", "└": "`",
    }
)  # fmt: skip


def for_stream(text: str, stream: object) -> str:
    """Write a text so that a stream can have it: with other signs where its encoding lacks ours, never failing."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        plain = text.translate(_PLAIN)
        with contextlib.suppress(LookupError):
            return plain.encode(encoding, "replace").decode(encoding)
        return plain.encode("ascii", "replace").decode("ascii")
    return text


def clock(moment: datetime, now: datetime, *, zone: bool = True) -> str:
    """
    Say a time of day in the time zone of texts, with the weekday if it is not today; a page may say it otherwise.

    Args:
        zone: Name the zone too; not where a line beside it does.
    """
    local = moment.astimezone(_zone)
    day = "" if local.date() == now.astimezone(_zone).date() else f"{local:%a} "
    text = f"{day}{local:%H:%M} {(local.tzname() or '') if zone else ''}".rstrip()
    return f"\ue000{int(moment.timestamp())}\ue001{text}\ue002"


def span(duration: timedelta) -> str:
    """Say how long: `3 h 38 min`, `12 min`, `40 s`; never less than nothing."""
    seconds = max(0, int(duration.total_seconds()))
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else f"{seconds} s"


def until(moment: datetime, now: datetime, *, about: bool = False) -> str:
    """Say how long from now, and when: `4 h, until 18:05 MST`; nothing where nobody knows."""
    if moment == END_UNKNOWN:
        return ""
    if moment <= now:
        return f"ended at {clock(moment, now)}"
    return f"{left(moment, now)}, until {'about ' if about else ''}{clock(moment, now)}"


def remaining(moment: datetime, now: datetime, *, about: bool = False) -> str:
    """Say the same of what is left: `4 h left, until 18:05 MST`."""
    if moment == END_UNKNOWN:
        return "ends when your organisation says so"
    said = until(moment, now, about=about)
    return said if moment <= now else said.replace(", until", " left, until", 1)


def left(moment: datetime, now: datetime) -> str:
    """Say how long until then; rounded to the minute, so that eight hours are not 7 h 59 min."""
    life = moment - now
    return span(life + timedelta(seconds=30) if life > timedelta(minutes=1) else life)


def spaced(account_id: str) -> str:
    """Write an account id as AWS's console does: in groups of four."""
    return " ".join(account_id[at : at + 4] for at in range(0, len(account_id), 4))


def quoted(name: str) -> str:
    """Write a name as it has to be typed after `%cuaws use`."""
    return f'"{name}"' if re.search(r"[\s'\"]", name) else name


def counted(number: int, noun: str) -> str:
    """Say how many: `1 note`, `2 notes`, `1,000 accounts`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
