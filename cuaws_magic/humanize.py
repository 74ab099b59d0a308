"""Times, spans, names and lists as a person reads them. Pure."""

from __future__ import annotations

import contextlib
import re
from datetime import datetime, timedelta


def printable(text: str) -> str:
    """
    Replace what a terminal would obey instead of print, and what cannot be seen or turns a line around.

    For every text from elsewhere: names of accounts, roles and people, values of files, what a person typed.
    """
    return (
        text
        if text.isprintable()
        else "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)
    )


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


def clock(moment: datetime, now: datetime) -> str:
    """Say a time of day in the kernel's time zone, with the weekday if it is not today."""
    local = moment.astimezone()
    day = "" if local.date() == now.astimezone().date() else f"{local:%a} "
    return f"{day}{local:%H:%M} {local.tzname() or ''}".rstrip()


def span(duration: timedelta) -> str:
    """Say how long: `3 h 38 min`, `12 min`, `40 s`; never less than nothing."""
    seconds = max(0, int(duration.total_seconds()))
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else f"{seconds} s"


def until(moment: datetime, now: datetime) -> str:
    """Say when, and how long from now."""
    if moment <= now:
        return f"ended at {clock(moment, now)}"
    return f"{clock(moment, now)} ({left(moment, now)})"


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
