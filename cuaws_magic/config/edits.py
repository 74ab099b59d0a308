"""
Changes in one section of an AWS ini file, and nowhere else.

Pure: text in, text out. An edit touches the lines of its section; every other byte
stays, with comments, order, blank lines and line ends. An edit that would mean anything
else than what was asked for, by the parser of botocore, is refused.
"""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cuaws_magic.config.text import (
    OPTION,
    Kind,
    header_of,
    indent_of,
    is_blank,
    is_comment,
    kind_and_name,
    lines_of,
    parsed,
    sections_of,
    values,
    writable,
)
from cuaws_magic.errors import Malformed
from cuaws_magic.model import DiffLine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import TypeAlias

    from cuaws_magic.config.text import Option, Section

    Edit: TypeAlias = "Put | Drop"

_KEY = re.compile(r"[a-z0-9_]+")
_MEANT = re.compile(r"\s*(?P<kind>profile|sso-session)(?P<name>[^\]]*)", re.IGNORECASE)
_COMMENTED_OUT = re.compile(r"\s*[#;]\s*\w+\s*=")


@dataclass(frozen=True, slots=True)
class Put:
    """
    Give a section these settings: each is replaced or added, and the section appended if it is not there.

    Attributes:
        equals: What stands between key and value in lines that are new.
    """

    kind: Kind
    name: str
    settings: Mapping[str, str] = field(repr=False)
    equals: str = " = "


@dataclass(frozen=True, slots=True)
class Drop:
    """Delete a section."""

    kind: Kind
    name: str


@dataclass(frozen=True, slots=True)
class Change:
    """
    Some lines of a text, and what stands there instead.

    Attributes:
        start: Index of the first of the old lines.

        end: Index after the last; the same as `start` where lines are added.

        lines: The new ones, with their line ends.
    """

    start: int
    end: int
    lines: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Edited:
    """
    A text before and after some edits.

    Attributes:
        changes: In the order of the text, none inside another.
    """

    before: str = field(repr=False)
    after: str = field(repr=False)
    changes: tuple[Change, ...]


def edited(text: str, edits: Iterable[Edit]) -> Edited:
    """
    Apply edits, all or none.

    Args:
        text: The whole file.

        edits: No two of the same section.

    Raises:
        Malformed: The text does not parse; or a section is there in a spelling that AWS programs
            do not read, or in two spellings; or it cannot be changed without changing others.
    """
    parser = parsed(text)
    wanted = {header: dict(parser.items(header)) for header in parser.sections()}
    page = _Page(lines_of(text))
    for edit in edits:
        section = page.find(edit.kind, edit.name)
        if isinstance(edit, Drop):
            if section is not None:
                page.drop(section)
                del wanted[section.header]
        else:
            header = section.header if section is not None else _header(edit)
            page.put(section, header, edit, wanted.get(header, {}))
            wanted[header] = {**wanted.get(header, parser.defaults()), **edit.settings}
    after = page.text()
    try:
        reached = values(after)
    except Malformed:
        reached = {}
    if reached != wanted:
        raise Malformed(page.changes[0].start + 1, "a change here would change other sections too")
    return Edited(text, after, tuple(page.changes))


class _Page:
    """The lines of a text, and the changes to make in them."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._sections = sections_of(lines)
        self._named: defaultdict[tuple[str, str], list[Section]] = defaultdict(list)
        self._unread: defaultdict[tuple[str, str], list[Section]] = defaultdict(list)
        for one in self._sections:
            self._named["block", one.header].append(one)
            self._named[kind_and_name(one.header)].append(one)
            meant = _MEANT.match(one.header)
            if meant is not None:
                self._unread[meant["kind"].lower(), meant["name"].strip(" \t\"'")].append(one)
        ends = [line[len(line.rstrip("\r\n")) :] for line in lines]
        self._newline = max(("\n", "\r\n", "\r"), key=ends.count)
        self._changes: list[Change] = []
        self._appended: list[str] = []

    @property
    def changes(self) -> list[Change]:
        """What changes, in the order of the text."""
        found: list[Change] = []
        for change in sorted(self._changes, key=lambda change: (change.start, change.end)):
            done = found[-1].end if found else 0  # two neighbours that go may both claim the blank line between them
            found.append(Change(max(change.start, done), max(change.end, done), change.lines))
        if self._appended:
            found.append(Change(len(self._lines), len(self._lines), (*self._lead(found), *self._appended)))
        return found

    def text(self) -> str:
        """Return the text with the changes made."""
        pieces, at = [], 0
        for change in self.changes:
            pieces += [*self._lines[at : change.start], *change.lines]
            at = change.end
        return "".join([*pieces, *self._lines[at:]])

    def find(self, kind: Kind, name: str) -> Section | None:
        """Return the section, however its header is spelled."""
        found = self._named[kind, name]
        if len(found) > 1:
            raise Malformed(found[1].line + 1, f"[{kind} {name}] is there twice, in two spellings")
        for one in self._unread[kind, name] if not found else ():
            raise Malformed(one.line + 1, f"AWS programs do not read it as [{header_of(kind, name)}]")
        return found[0] if found else None

    def put(self, section: Section | None, header: str, edit: Put, present: Mapping[str, str]) -> None:
        """Replace and add settings, where they differ."""
        if not all(_KEY.fullmatch(key) and writable(value) for key, value in edit.settings.items()):
            message = "a value that no line can hold"  # policy has sorted these out
            raise ValueError(message)
        missing = {key: value for key, value in edit.settings.items() if present.get(key) != value}
        if section is None:
            self._append([f"[{header}]", *(f"{key}{edit.equals}{value}" for key, value in missing.items())])
            return
        for option in section.options:
            if option.key in missing:
                self._replace(option, missing.pop(option.key))
        if missing:
            self._insert(section, [f"{key}{edit.equals}{value}" for key, value in missing.items()])

    def drop(self, section: Section) -> None:
        """
        Delete a section: its header, its options, and the comments in between.

        Comments above it stay; those right below its last option go, unless they stand
        right above the next header. Settings that are commented out go in any case.
        """
        start, below = section.line, section.end
        end = self._skip(below, is_comment)
        if end < len(self._lines) and self._lines[end].strip():  # touches the next header
            commented_out = [number for number in range(below, end) if _COMMENTED_OUT.match(self._lines[number])]
            end = commented_out[-1] + 1 if commented_out else below
        replacement: tuple[str, ...] = ()
        if start == 0 or not self._lines[start - 1].strip():
            end = self._skip(end, is_blank)
            if end == len(self._lines) and start > 0:
                start -= 1
        elif is_comment(self._lines[start - 1]) and end < len(self._lines) and self._lines[end].strip():
            replacement = (self._newline,)  # or it would seem to belong to the next section
        self._changes.append(Change(start, end, replacement))

    def _append(self, added: list[str]) -> None:
        if self._appended:
            self._appended.append(self._newline)
        self._appended += [line + self._newline for line in added]

    def _lead(self, changes: list[Change]) -> list[str]:
        """Return what has to stand between the last line that is left and what is appended."""
        last = changes[-1] if changes and changes[-1].end == len(self._lines) else None
        left = self._lines[: last.start] + list(last.lines) if last is not None else self._lines
        if not left:
            return []
        completed = [] if left[-1].endswith(("\n", "\r")) else [self._newline]
        return [*completed, self._newline] if left[-1].strip() else completed

    def _insert(self, section: Section, added: list[str]) -> None:
        at = section.end
        # As far in as its neighbours, so that no line becomes the continuation of another.
        following = next((one.line for one in self._sections if one.line > section.line), section.line)
        neighbours = [section.options[-1].start] if section.options else [section.line, following]
        indent = max((indent_of(self._lines[number]) for number in neighbours), key=len)
        open_end = [] if self._lines[at - 1].endswith(("\n", "\r")) else [self._newline]
        self._changes.append(Change(at, at, tuple(open_end + [indent + line + self._newline for line in added])))

    def _replace(self, option: Option, value: str) -> None:
        first, last = self._lines[option.start], self._lines[option.end - 1]
        body = first.rstrip("\r\n")
        found = OPTION.match(body)
        before = body[: found.end()] if found is not None else ""
        line_end = last[len(last.rstrip("\r\n")) :]
        self._changes.append(Change(option.start, option.end, (before + value + line_end,)))

    def _skip(self, number: int, is_one: Callable[[str], bool]) -> int:
        while number < len(self._lines) and is_one(self._lines[number]):
            number += 1
        return number


def _header(edit: Put) -> str:
    header = header_of(edit.kind, edit.name)
    if header is None:
        message = "a name that no header can hold"  # policy has sorted these out
        raise ValueError(message)
    return header


_AROUND = 3  # lines of the neighbourhood, as `diff -u` shows them

_HARMLESS = {
    "region", "output", "sso_session", "sso_account_id", "sso_role_name", "sso_start_url", "sso_region",
    "sso_registration_scopes", "source_profile", "cli_pager",
}  # fmt: skip


def difference(edited: Edited) -> tuple[DiffLine, ...]:
    """Return what an edit changes, as `diff -u` shows it; values that may be secret are masked."""
    old, new = _shown(edited.before), _shown(edited.after)
    # Compared as they are: masked, two values would look alike.
    before, after = ([line.rstrip("\r\n") for line in lines_of(text)] for text in (edited.before, edited.after))
    found: list[DiffLine] = []
    for hunk in difflib.SequenceMatcher(None, before, after).get_grouped_opcodes(_AROUND):
        (_, old_start, _, new_start, _), (_, _, old_end, _, new_end) = hunk[0], hunk[-1]
        spans = (("-", old_start, old_end - old_start), ("+", new_start, new_end - new_start))
        where = " ".join(f"{sign}{start + (1 if count else 0)},{count}" for sign, start, count in spans)
        found.append(DiffLine("@", f"@@ {where} @@"))
        for kind, old_from, old_to, new_from, new_to in hunk:
            if kind == "equal":
                found += [DiffLine(" ", line) for line in old[old_from:old_to]]
            else:
                found += [DiffLine("-", line) for line in old[old_from:old_to]]
                found += [DiffLine("+", line) for line in new[new_from:new_to]]
    return tuple(found)


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
