"""
What an edit changes, line by line, for the eye: the hunks of `diff -u`.

Pure. The neighbours of a change may be keys: a value is shown only where its setting
is known to be harmless, and comments and blocks never.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cuaws_magic.config_text import OPTION, indent_of, is_comment, lines_of, sections_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cuaws_magic.config_edits import Edited

_AROUND = 3  # lines of the neighbourhood, as `diff -u` shows them

_HARMLESS = {
    "region", "output", "sso_session", "sso_account_id", "sso_role_name", "sso_start_url", "sso_region",
    "sso_registration_scopes", "source_profile", "cli_pager",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class DifferenceLine:
    """
    One line.

    Attributes:
        sign: `+` comes, `-` goes, space stays, `@` says where.
    """

    sign: str
    text: str

    def __str__(self) -> str:
        return self.text if self.sign == "@" else f"{self.sign}{self.text}".rstrip()


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines that go, and lines that come in their place; indices into the old and the new text."""

    old: tuple[int, int]
    new: tuple[int, int]


def difference(edited: Edited) -> tuple[DifferenceLine, ...]:
    """Return the hunks of an edit."""
    old, new = _shown(edited.before), _shown(edited.after)
    found: list[DifferenceLine] = []
    for hunk in _hunks(_blocks(edited)):
        first, last = hunk[0], hunk[-1]
        lead = min(_AROUND, first.old[0])
        trail = min(_AROUND, len(old) - last.old[1])
        spans = [(one[0][0] - lead, one[1][1] - one[0][0] + lead + trail) for one in _ends(first, last)]
        where = " ".join(
            f"{sign}{start + (1 if count else 0)},{count}" for sign, (start, count) in zip("-+", spans, strict=True)
        )
        found.append(DifferenceLine("@", f"@@ {where} @@"))
        at = first.old[0] - lead
        for block in hunk:
            found += [DifferenceLine(" ", line) for line in old[at : block.old[0]]]
            found += [DifferenceLine("-", line) for line in old[slice(*block.old)]]
            found += [DifferenceLine("+", line) for line in new[slice(*block.new)]]
            at = block.old[1]
        found += [DifferenceLine(" ", line) for line in old[at : last.old[1] + trail]]
    return tuple(found)


def _ends(first: _Block, last: _Block) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    yield first.old, last.old
    yield first.new, last.new


def _blocks(edited: Edited) -> Iterator[_Block]:
    lines = lines_of(edited.before)
    at, ahead = 0, 0  # how far we are, and how many lines more there are in the new text so far
    last = "\n"  # of the new text
    for change in edited.changes:
        last = lines[change.start - 1] if change.start > at else last
        count = len(lines_of("".join(change.lines)))
        if count and not last.endswith(("\n", "\r")):
            count -= 1  # the line end that the last line did not have
        start = change.start + ahead
        yield _Block((change.start, change.end), (start, start + count))
        at, last = change.end, change.lines[-1] if change.lines else last
        ahead += count - (change.end - change.start)


def _hunks(blocks: Iterator[_Block]) -> list[list[_Block]]:
    hunks: list[list[_Block]] = []
    for block in blocks:
        if hunks and block.old[0] - hunks[-1][-1].old[1] <= 2 * _AROUND:
            hunks[-1].append(block)
        else:
            hunks.append([block])
    return hunks


def _shown(text: str) -> list[str]:
    """Return the lines as they may be shown."""
    lines = lines_of(text)
    plain = {section.line for section in sections_of(lines)}
    options = {option.start: option.key for section in sections_of(lines) for option in section.options}
    return [_line(line.rstrip(), options.get(number), plain=number in plain) for number, line in enumerate(lines)]


def _line(line: str, key: str | None, *, plain: bool) -> str:
    if not line or plain or key in _HARMLESS:
        return line
    if key is not None:
        found = OPTION.match(line)
        begins = found[0] if found is not None else ""
        return line if begins == line else f"{begins}…"
    return f"{indent_of(line)}{line.strip()[0]} …" if is_comment(line) else f"{indent_of(line)}…"
