"""
What secrets of AWS look like in a text.

A bare string of forty characters may be anything, so it counts only near a key id, a name or a token, or where this
home has seen it. A text is looked at as it is and in its dresses: with colours of a terminal, percent signs, HTML
entities, backslashes, and inside base64.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY_ID, SECRET_KEY, SESSION_TOKEN = "AWS key id", "AWS secret key", "AWS session token"
SSO_TOKEN, DEVICE_CODE, SIGN_IN_LINK = "SSO token", "sign-in code", "console sign-in token"
KNOWN, ACCOUNT_ID = "secret of this home", "account id"

_NEAR = 300  # characters between a secret and what tells that it is one
_ALPHABET = "A-Za-z0-9+/"

_KEY_ID = re.compile(r"(?<![A-Za-z0-9/+])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9/+])")
_FORTY = re.compile(rf"(?<![{_ALPHABET}=_-])[{_ALPHABET}]{{40}}(?![{_ALPHABET}=_-])")
_TOKEN = re.compile(rf"(?<![{_ALPHABET}])(?:IQoJ|FwoG|FQoG|FwoD)[{_ALPHABET}]{{96,4096}}={{0,2}}")
# A name, what stands between it and its value (quotes, escaped ones too), and the value.
_BETWEEN = r"[\\\"'`]{0,4}\s{0,8}(?:=>|[:=,])\s{0,8}[\\\"'`(\[]{0,4}"
_NAMED = (
    (SECRET_KEY, re.compile(
        rf"(?i:secret[_\s-]?(?:access)?[_\s-]?key){_BETWEEN}(?P<value>[{_ALPHABET}]{{40}})(?![{_ALPHABET}])"
    )),
    (SESSION_TOKEN, re.compile(
        rf"(?i:(?:session|security)[_\s-]?token){_BETWEEN}(?P<value>[{_ALPHABET}]{{64,4096}}={{0,2}})"
    )),
    (SSO_TOKEN, re.compile(
        rf"(?i:access[_-]?token|refresh[_-]?token|client[_-]?secret|device[_-]?code){_BETWEEN}"
        r"(?P<value>[A-Za-z0-9+/=_.:~-]{32,8192})"
    )),
    (SIGN_IN_LINK, re.compile(r"(?i:SigninToken)=(?P<value>[A-Za-z0-9%_.~+/=-]{32,8192})")),
    (DEVICE_CODE, re.compile(r"(?i:user_code)=(?P<value>[A-Z]{4}-[A-Z]{4})(?![A-Z-])")),
)  # fmt: skip
_SSO = re.compile(r"(?<![A-Za-z0-9])ao[ar]AAAAAG[A-Za-z0-9+/=_:-]{32,8192}")
_CODE = re.compile(r"(?<![A-Za-z0-9-])[A-Z]{4}-[A-Z]{4}(?![A-Za-z0-9-])")
_VERIFICATION = re.compile(r"device\.sso\.[a-z0-9-]+\.|awsapps\.com/start/#?/?device|\.portal\.[a-z0-9-]+\.app\.aws")
_ACCOUNT = re.compile(r"(?<![0-9A-Za-z.])[0-9]{12}(?![0-9A-Za-z.])")
_RUN = re.compile(r"[A-Za-z0-9+/=_.:~-]{16,8192}")
_BASE64 = re.compile(rf"(?<![{_ALPHABET}=])[{_ALPHABET}]{{40,}}={{0,2}}")
_HEX = re.compile(r"[0-9a-fA-F]+|[0-9A-Z]+|[0-9a-z]+")
_LONGEST_BASE64 = 200_000


@dataclass(frozen=True, slots=True)
class Found:
    """
    A secret in a text; its value is not kept.

    Attributes:
        start: Its first character.

        end: Behind its last one.

        kind: What it is, for people.
    """

    start: int
    end: int
    kind: str

    @property
    def mark(self) -> str:
        """What stands there instead."""
        return f"[removed: {self.kind}]"


def find(text: str, known: Callable[[str], bool] | None = None, *, account_ids: bool = False) -> list[Found]:
    """
    Find the secrets of a text, in the order of their places; none overlaps another.

    Args:
        known: Whether this home has seen a text as a secret.

        account_ids: Account ids as well.
    """
    return apart(
        [one for plain, places in _dresses(text) for one in _mapped(_plain(plain, known, account_ids), places)]
    )


def apart(found: list[Found]) -> list[Found]:
    """Return them in the order of their places, without those that overlap one before."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept


def _mapped(found: Iterator[Found], places: list[int] | None) -> Iterator[Found]:
    for one in found:
        if places is None:
            yield one
        else:
            yield Found(places[one.start], places[one.end], one.kind)


def _plain(text: str, known: Callable[[str], bool] | None, account_ids: bool) -> Iterator[Found]:  # noqa: FBT001 - as it came
    ids = [match for match in _KEY_ID.finditer(text) if not _placeholder(match[0])]
    yield from (Found(*match.span(), KEY_ID) for match in ids)
    tokens = [match for match in _TOKEN.finditer(text) if not _placeholder(match[0])]
    yield from (Found(*match.span(), SESSION_TOKEN) for match in tokens)
    yield from (Found(*match.span(), SSO_TOKEN) for match in _SSO.finditer(text) if not _placeholder(match[0]))
    for kind, pattern in _NAMED:
        for match in pattern.finditer(text):
            if not _placeholder(match["value"]) and not (kind == SECRET_KEY and _HEX.fullmatch(match["value"])):
                yield Found(*match.span("value"), kind)
    near = [match.span() for match in (*ids, *tokens)]
    if near:
        for match in _FORTY.finditer(text):
            value = match[0]
            if not _HEX.fullmatch(value) and not _placeholder(value) and _is_near(match.span(), near):
                yield Found(*match.span(), SECRET_KEY)
    pages = [match.span() for match in _VERIFICATION.finditer(text)]
    if pages:
        yield from (Found(*one.span(), DEVICE_CODE) for one in _CODE.finditer(text) if _is_near(one.span(), pages))
    if known is not None:
        yield from (Found(*one.span(), KNOWN) for one in _RUN.finditer(text) if known(one[0]))
    if account_ids:
        yield from (Found(*match.span(), ACCOUNT_ID) for match in _ACCOUNT.finditer(text))
    yield from _in_base64(text, known)


def _in_base64(text: str, known: Callable[[str], bool] | None) -> Iterator[Found]:
    """Find a text in base64 that has a secret in it; an image is no text."""
    for match in _BASE64.finditer(text):
        coded = match[0]
        if len(coded) > _LONGEST_BASE64 or len(coded.rstrip("=")) % 4 == 1:
            continue
        try:
            inside = base64.b64decode(coded + "=" * (-len(coded) % 4)).decode("ascii")
        except (binascii.Error, UnicodeDecodeError):
            continue
        if inside.isprintable() or "\n" in inside or "\t" in inside:
            kinds = [one.kind for one in _plain(inside, known, account_ids=False)]
            if kinds:
                yield Found(*match.span(), kinds[0])


def _is_near(place: tuple[int, int], others: list[tuple[int, int]]) -> bool:
    return any(start - _NEAR <= place[1] and place[0] <= end + _NEAR for start, end in others)


def _placeholder(text: str) -> bool:
    """Whether it is an example: AWS's own, or few characters again and again."""
    return "EXAMPLE" in text.upper() or len(set(text)) <= max(4, len(text) // 12) or "xxxx" in text.lower()


# Dresses: what stands for one character of the text, and how to read it.
_DRESSES = (
    (re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]"), lambda _: ""),
    (re.compile(r"(?:%[0-9A-Fa-f]{2})+"), unquote),
    (re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[a-zA-Z]{2,8});"), html.unescape),
    (re.compile(r"\\u[0-9A-Fa-f]{4}|\\[\"'/\\]"), lambda text: json.loads(f'"{text}"') if text[1] == "u" else text[1]),
    (re.compile(r"<[^<>]{1,200}>"), lambda _: ""),
)  # fmt: skip


def _dresses(text: str) -> Iterator[tuple[str, list[int] | None]]:
    """Return the text as it is, and without each dress that it has, with the place of each character."""
    yield text, None
    for pattern, read in _DRESSES:
        if pattern.search(text) is not None:
            plain: list[str] = []
            places: list[int] = []
            at = 0
            for match in pattern.finditer(text):
                plain.append(text[at : match.start()])
                places += range(at, match.start())
                inside = read(match[0])
                plain.append(inside)
                places += [match.start()] * len(inside)
                at = match.end()
            plain.append(text[at:])
            places += [*range(at, len(text)), len(text)]
            yield "".join(plain), places
