"""
The text of an AWS ini file, read as botocore reads it.

Pure. Values come from `configparser`, as botocore's do; a second look at the lines
says where each of them stands, for those who change or show them.
"""

from __future__ import annotations

import configparser
import io
import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from cuaws_magic.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# `block` is a section of the credentials file, whose header is the bare name.
Kind = Literal["profile", "sso-session", "block"]

_BOM = b"\xef\xbb\xbf"
_KINDS = ("profile", "sso-session", "services")  # botocore's order; it looks at how a header begins
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")  # the line ends that Python's text files know
_BARE_NAME = re.compile(r"[\w@%+=:,./-]+")  # `shlex.quote` leaves these alone too

# From the beginning of an option's line to where its value begins.
OPTION = re.compile(r"(?P<key>.*?)\s*[=:]\s*")


@dataclass(slots=True)
class Option:
    """Where `key = value` stands: the lines from `start` to before `end`, blocks and continuations included."""

    key: str
    start: int
    end: int


@dataclass(slots=True)
class Section:
    """Where a section stands: its header, and its options."""

    header: str
    line: int
    options: list[Option] = field(default_factory=list)

    @property
    def end(self) -> int:
        """The index after the last line that says something."""
        return self.options[-1].end if self.options else self.line + 1


def decoded(data: bytes) -> str:
    """
    Return a file's bytes as text.

    Raises:
        Malformed: It is not UTF-8, or begins with a byte order mark.
    """
    if data.startswith(_BOM):
        raise Malformed(1, "it starts with a byte order mark; save it as UTF-8 without BOM")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(data.count(b"\n", 0, error.start) + 1, "it is not UTF-8 text") from None


def values(text: str) -> dict[str, dict[str, str]]:
    """
    Return the settings of each section, by its header.

    Raises:
        Malformed: botocore would refuse it; nothing of the line's text is repeated, it may be a key.
    """
    parser = _parser(text)
    found = {header: dict(parser.items(header)) for header in parser.sections()}
    _check_blocks(text, found)
    return found


# With none of these a header is split at its spaces, which takes a tenth of the time.
_QUOTES = frozenset("\\'\"")


def kind_and_name(header: str) -> tuple[str, str]:
    """Split a header of the config file as botocore does; what it would drop silently has no kind."""
    if header == "default":
        return ("profile", "default")
    kind = next((kind for kind in _KINDS if header.startswith(kind)), "")
    if header.isascii() and header.isprintable() and not _QUOTES & set(header):
        words = header.split(" ")
        words = [word for word in words if word]
    else:
        try:
            words = shlex.split(header)
        except ValueError:
            return ("", header)
    return (kind, words[1]) if kind and len(words) == 2 else ("", header)  # noqa: PLR2004 - said by the line itself


def lines_of(text: str) -> list[str]:
    """Return the lines, each with its line end."""
    return _LINE.findall(text)


def sections_of(lines: Sequence[str]) -> list[Section]:
    """
    Say where everything stands, in a text that parses.

    Which line continues the one before depends on indents as in `configparser`: an
    indented header below an option is no header.
    """
    found: list[Section] = []
    option: Option | None = None
    level = 0
    for number, line in enumerate(lines):
        content = line.strip()
        if not content or content[0] in "#;":
            continue
        indent = len(indent_of(line))
        if option is not None and indent > level:
            option.end = number + 1
            continue
        level = indent
        header = configparser.RawConfigParser.SECTCRE.match(content)
        if header is not None:
            found.append(Section(header["header"], number))
            option = None
            continue
        key = OPTION.match(content)
        if key is not None and found:
            option = Option(key["key"].lower(), number, number + 1)
            found[-1].options.append(option)
    return found


# Names.


def header_of(kind: Kind, name: str) -> str | None:
    """Write the header that botocore reads as this name; `None` for a name that has none, or not a safe one."""
    if not name.isprintable() or not name.strip() or set(name) & set("[]"):
        return None
    if kind == "block":
        return name if name == name.strip() and name != configparser.DEFAULTSECT else None
    if (kind, name) == ("profile", "default"):
        return "default"
    if _BARE_NAME.fullmatch(name):
        written = name
    elif "'" not in name:
        written = f"'{name}'"
    else:
        written = f'"{name}"'
    header = f"{kind} {written}"
    return header if kind_and_name(header) == (kind, name) else None


def writable(value: str) -> bool:
    """Tell whether a text can stand behind an equals sign and be read as the same."""
    return value.isprintable() and value == value.strip()


def parsed(text: str) -> configparser.RawConfigParser:
    """Return what `values` is made of, as `values` does."""
    parser = _parser(text)
    _check_blocks(text, {header: dict(parser.items(header)) for header in parser.sections()})
    return parser


def _parser(text: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()  # as botocore makes it
    try:
        parser.read_file(io.StringIO(text, newline=None))
    except configparser.DuplicateSectionError as error:
        raise Malformed(error.lineno, f"[{error.section}] is there twice") from None
    except configparser.DuplicateOptionError as error:
        raise Malformed(error.lineno, f"{error.option} is there twice in [{error.section}]") from None
    except configparser.MissingSectionHeaderError as error:
        raise Malformed(error.lineno, "a [section] line is missing before it") from None
    except configparser.ParsingError as error:
        raise Malformed(error.errors[0][0] if error.errors else None, "not `key = value`") from None
    return parser


def _check_blocks(text: str, sections: Mapping[str, Mapping[str, str]]) -> None:
    for header, settings in sections.items():
        for key, value in settings.items():
            if value.startswith("\n") and not _is_block(value):
                raise Malformed(_line_of(text, header, key), f"not `key = value`, in the block of {key}")


def _is_block(value: str) -> bool:
    """Tell whether botocore can read an indented block; it splits it as `str.splitlines` does."""
    return all("=" in line for line in value.splitlines() if line.strip())


def _line_of(text: str, header: str, key: str) -> int | None:
    lines = lines_of(text)
    for section in sections_of(lines):
        for option in section.options if section.header in {header, configparser.DEFAULTSECT} else ():
            for number in range(option.start + 1, option.end) if option.key == key else ():
                if not is_comment(lines[number]) and not _is_block(lines[number]):
                    return number + 1
    return None


def indent_of(line: str) -> str:
    """Return the white space that a line begins with."""
    return line[: len(line) - len(line.lstrip())]


def is_comment(line: str) -> bool:
    """Tell whether a line is a comment to `configparser`, which knows none behind a value."""
    return line.strip().startswith(("#", ";"))


def is_blank(line: str) -> bool:
    """Tell whether a line says nothing."""
    return not line.strip()
