"""
What a person copied from the access portal's "Access keys" page, as one set of keys. Pure.

Reads the page's lines for every system, a block of the credentials file, and the JSON
of the AWS CLI, with what copying adds: prompts, quotes, continuations, invisible
characters; and with what a password field takes away: the line ends. It looks for
names and takes the value after each, so that nothing else on the page matters. Where
other text runs into a value and its end cannot be told, nothing is guessed. No message
repeats any part of what was pasted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from cuaws_magic.errors import PasteRefused
from cuaws_magic.model import Secret
from cuaws_magic.settings import REGION

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY_ID, KEY, TOKEN = "access key id", "secret access key", "session token"
_REGION, _EXPIRATION = "region", "expiration"

# Characters: AWS's longest session tokens have some two thousand. A bound keeps the reading of anything linear.
_LONGEST = 8192
_EXCERPT = 2000  # of what is no keys, enough to tell what it is
_LONGEST_PROMPT = 400

# What shells write in front of a name; where the line end was lost it stands right behind the value before.
_COMMAND = r"(?:(?:export|setx?|declare|env)(?:[ \t]{1,8}-{1,2}\w{1,16}){0,4}[ \t]{1,8}|\$env:)"
_NAMES = {
    KEY_ID: r"access[\s_-]{0,8}key[\s_-]{0,8}id|access_key(?!_)",
    KEY: r"secret[\s_-]{0,8}access[\s_-]{0,8}key|secret_key",
    TOKEN: r"session[\s_-]{0,8}token|security_token",
    _REGION: r"(?:default_)?region",
    _EXPIRATION: r"credential_expiration|session_expiration|expiration",
}
_BEHIND_A_COMMAND, _ALONE = (
    re.compile(
        rf"(?P<command>{command})[\"']?(?<![A-Za-z]_)(?:aws[\s_-]{{0,8}})?"
        rf"(?:{'|'.join(f'(?P<n{number}>{pattern})' for number, pattern in enumerate(_NAMES.values()))})"
        # Behind it an equals sign, a colon, a comma (PowerShell's long form), or nothing (fish, the page itself).
        r"(?:[\"'\]]*[ \t]*[=:,]\s*|[ \t]+|[ \t]*\n[ \t]*)",
        re.IGNORECASE,
    )
    for command in (f"{_COMMAND}?", "")
)
_QUOTED = re.compile(rf"\"([^\"]{{0,{_LONGEST}}})\"|'([^']{{0,{_LONGEST}}})'")
_BARE = re.compile(rf"[^\s\"'`,;&\\^{{}}\[\]]{{0,{_LONGEST}}}")
_OPEN_QUOTE = re.compile(r"[\"']")
# Above a setting: a prompt can have brackets too.
_HEADER = re.compile(r"\[([^\[\]\"'{}\n]{1,128})\](?=\s*\w+[ \t]*[=:])")

# A prompt, which Enter alone repeats; and what it has, but no value.
_PROMPT = re.compile(r"([^\"';,&|{}\n]{1,200}?)(?:[ \t]*\1)*")
_PROMPT_SIGN = re.compile(r"[^A-Za-z0-9+/=\s]")
# Behind a space, the rest of a prompt whose first word may stand in the value: PowerShell's `PS C:\>`, IPython's
# `In [1]:`, or any that has a name or nothing behind it.
_REST_OF_PROMPT = re.compile(r"[ \t](?:(?:[A-Za-z]:|[/~])[^\n]*>|\[[0-9]+\]:|[^\n]*[$>%#\u276f][ \t]*(?=\n|\Z))")

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\x00-\x08\x0e-\x1f\x7f]")
_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")  # colours, and the marks around a paste
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_CONTINUED = re.compile(r"[\\`^][ \t]*\n")
_COMMENT = re.compile(r"^[ \t]*(?:#|;|rem\b|::|//).*$", re.MULTILINE | re.IGNORECASE)
_ODD = str.maketrans(dict.fromkeys("“”„‟«»＂", '"') | dict.fromkeys("‘’‚‛＇", "'") | {"＝": "=", "：": ":"})  # noqa: RUF001 - what word processors make of them

_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_KEY_LENGTH = 40
_SHAPES = {
    KEY_ID: re.compile(r"(?:AKIA|ASIA)[A-Z0-9]{16}"),
    KEY: re.compile(rf"[A-Za-z0-9+/]{{{_KEY_LENGTH}}}"),
    TOKEN: re.compile(r"[A-Za-z0-9+/]{80,}={0,2}"),  # AWS's have some hundreds, and no fixed length
}
_EPOCH = re.compile(r"[0-9]{10}(?:[0-9]{3})?")  # seconds, or milliseconds as GetRoleCredentials has them


@dataclass(frozen=True, slots=True)
class PastedKeys:
    """
    One set of keys.

    Attributes:
        session_token: `None` for the permanent keys of an IAM user.

        profile: The name in brackets above them, if there was one.

        region: If one was named.

        expires_at: If it was named.
    """

    access_key_id: Secret
    secret_access_key: Secret
    session_token: Secret | None
    profile: str | None = None
    region: str | None = None
    expires_at: datetime | None = None


def read(text: str) -> PastedKeys:
    """
    Return the one set of keys in a text.

    Raises:
        PasteRefused: There is none, or not all of it, or more than one.
    """
    clean = _cleaned(text)
    lines = _without_prompts(_COMMENT.sub("", clean))
    found = _found(lines)
    if not any(found[kind] for kind in (KEY_ID, KEY, TOKEN)):
        lines = _without_prompts(clean)  # `# ` may have been the prompt of root
        found = _found(lines)
    if not any(found[kind] for kind in (KEY_ID, KEY, TOKEN)):
        raise _something_else(clean)
    _check_one_set(found)
    key_id, key, token = (next(iter(found[kind]), "") for kind in (KEY_ID, KEY, TOKEN))
    _check(key_id, key, token)
    return PastedKeys(
        Secret(key_id),
        Secret(key),
        Secret(token) if token else None,
        profile=_profile(lines[: lines.find(key_id)]),
        region=next((one for one in _found(_block(lines, key_id))[_REGION] if REGION.fullmatch(one)), None),
        expires_at=next((moment for one in found[_EXPIRATION] if (moment := _moment(one)) is not None), None),
    )


def complete(text: str) -> bool:
    """Tell whether there is one set in a text; for whoever reads it line by line."""
    try:
        read(text)
    except PasteRefused:
        return False
    return True


def holds_keys(text: str) -> bool:
    """Tell whether a text, which should have none, has anything in it that must not stay on a page."""
    if _SHAPES[KEY_ID].search(text):
        return True
    if len(text) < _KEY_LENGTH:  # nearly every line
        return False
    found = _found(_cleaned(text))
    return any(_SHAPES[kind].match(one) for kind in (KEY, TOKEN) for one in found[kind])


# Reading.


def _cleaned(text: str) -> str:
    text = _LINE_END.sub("\n", _TERMINAL.sub("", text))
    text = _INVISIBLE.sub("", text).translate(_ODD)
    text = "".join(" " if one.isspace() and one not in "\n\t" else one for one in text)
    return _CONTINUED.sub("", text).replace("\\/", "/").replace('\\"', '"')


def _names(text: str) -> re.Pattern[str]:
    """Return what finds the names; without a command before the first, a value that ends in `set` is just that."""
    first = _BEHIND_A_COMMAND.search(text)
    return _BEHIND_A_COMMAND if first is not None and first["command"] else _ALONE


def _kind(name: re.Match[str]) -> str:
    return next(kind for number, kind in enumerate(_NAMES) if name[f"n{number}"] is not None)


def _without_prompts(text: str) -> str:
    """
    Put a line end in the place of each prompt.

    Where the line ends were lost, a prompt stands right behind a value, and its first
    letters could be the value's last. So it is learned where that cannot be: behind a
    value of known length.
    """
    names = _names(text)
    for prompt in _prompts(text, names):
        place = rf"(?:{prompt}[ \t]*)+?(?=\Z|\n|\[|{names.pattern})"
        lines, places = re.subn(place, "\n", text, flags=names.flags)
        if places > 1:  # what stands there once may be the rest of a value that is too long
            return lines
    return text


def _prompts(text: str, names: re.Pattern[str]) -> Iterator[str]:
    """Yield, as patterns, what could be a prompt between a bare value of known length and the next name."""
    for name in names.finditer(text):
        kind = _kind(name)
        value = _SHAPES[kind].match(text, name.end()) if kind in (KEY_ID, KEY) else None
        following = names.search(text, value.end()) if value is not None else None
        if value is None or following is None:
            continue
        last_line = text[value.end() : following.start()].rpartition("\n")[2]
        prompt = _PROMPT.fullmatch(last_line.strip()) if len(last_line) <= _LONGEST_PROMPT else None
        if prompt is not None and _PROMPT_SIGN.search(prompt[1]):
            yield re.sub(r"\d", r"\\d", re.escape(prompt[1]))  # digits may count the lines, or tell the time


def _found(text: str) -> dict[str, list[str]]:
    """Return the values behind each kind of name, each once, in the order of the text."""
    found: dict[str, list[str]] = {kind: [] for kind in _NAMES}
    names = _names(text)
    name = names.search(text)
    while name is not None:
        kind = _kind(name)
        value, end = _value(text, name.end(), kind, names)
        if value and value not in found[kind]:
            found[kind].append(value)
        name = names.search(text, end)
    return found


def _value(text: str, start: int, kind: str, names: re.Pattern[str]) -> tuple[str, int]:
    following = names.search(text, start)
    limit = following.start() if following is not None else len(text)
    quoted = _QUOTED.match(text, start)
    if quoted is not None:
        # A quote may be the one behind the next value, where this one's was lost.
        end = min(quoted.end(), limit) if kind != _EXPIRATION else quoted.end()
        return re.sub(r"\s", "", text[start:end].strip("\"'")), max(end, start)
    if _OPEN_QUOTE.match(text, start):
        start += 1
    whole = _BARE.match(text, start)
    end = whole.end() if whole is not None else start
    if kind != KEY or end - start != _KEY_LENGTH:  # else it may well end in `set`
        end = max(start, min(end, limit))
    rest = _REST_OF_PROMPT.match(text, end, limit) if kind == TOKEN else None
    if rest is not None:
        end = rest.end()  # so that it is refused: a token's length does not tell where it ends
    return text[start:end], end


def _block(text: str, key_id: str) -> str:
    """Return what stands under the same name in brackets as the key id: another block has its own settings."""
    at = text.find(key_id)
    headers = [found.start() for found in _HEADER.finditer(text)]
    begin = max((one for one in headers if one < at), default=0)
    return text[begin : min((one for one in headers if one > at), default=len(text))]


def _profile(text: str) -> str | None:
    """Return the last name in brackets."""
    name = next(reversed(_HEADER.findall(text)), "").strip()
    name = name.removeprefix("profile ").strip().strip("\"'")
    return name if name and name.isprintable() else None


def _moment(text: str) -> datetime | None:
    try:
        if _EPOCH.fullmatch(text):
            return datetime.fromtimestamp(int(text[:10]), timezone.utc)
        moment = datetime.fromisoformat(re.sub(r"(?i)z$", "+00:00", text))
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


# Judging. Nothing of a value goes into a message, not even its length.


def _refused(why: str) -> PasteRefused:
    return PasteRefused(
        f"{why} In the access portal open “Access keys” beside the role, press the copy button of option 1 or 2, "
        "and paste all of it after `%cuaws paste`."
    )


def _check_one_set(found: dict[str, list[str]]) -> None:
    for kind in (KEY_ID, KEY, TOKEN):
        if len(found[kind]) > 1:
            raise _refused(f"There is more than one {kind} in what was pasted: copy one set only.")


def _check(key_id: str, key: str, token: str) -> None:
    if any(set(one) & set("*•●…") or "..." in one for one in (key_id, key, token)):
        raise _refused("The page hides a part of these keys, and so the copy has not all of them.")
    swapped = _swapped(key_id, key, token)
    if swapped:
        raise _refused(f"{swapped}: values and names are mixed up.")
    temporary = bool(token) or key_id.startswith("ASIA")
    needed = {KEY_ID: key_id, KEY: key} | ({TOKEN: token} if temporary else {})
    missing = [kind for kind, value in needed.items() if not value]
    if missing:
        listed = " and the ".join(missing)
        raise _refused(f"The {listed} {'is' if len(missing) == 1 else 'are'} missing: copy all the lines.")
    for kind, value in needed.items():
        begun = _SHAPES[kind].match(value)
        if begun is not None and begun[0] != value and (kind == KEY_ID or not _BASE64.fullmatch(value)):
            raise _refused(f"Other text follows the {kind} directly, so its end cannot be told.")
    if not _SHAPES[KEY_ID].fullmatch(key_id):
        raise _refused(f"The {KEY_ID} is not one: AWS's have 20 letters and digits and begin with ASIA.")
    if not _SHAPES[KEY].fullmatch(key):
        what = "is cut off" if len(key) < _KEY_LENGTH else f"is not one: AWS's have {_KEY_LENGTH} characters"
        raise _refused(f"The {KEY} {what}.")
    if token and key_id.startswith("AKIA"):
        raise _refused(f"A permanent {KEY_ID} stands here with the {TOKEN} of a temporary one: two sets are mixed.")
    if token and not _SHAPES[TOKEN].fullmatch(token):
        raise _refused(f"The {TOKEN} is cut off, or not one.")


def _swapped(key_id: str, key: str, token: str) -> str | None:
    kinds = {KEY_ID: key_id, KEY: key, TOKEN: token}
    at = next((kind for kind, value in kinds.items() if kind != KEY_ID and _SHAPES[KEY_ID].fullmatch(value)), None)
    if at is not None:
        return f"The {KEY_ID} stands where the {at} should be"
    if len(token) == _KEY_LENGTH and len(key) > _KEY_LENGTH:
        return f"The {KEY} and the {TOKEN} are swapped"
    return None


# What people paste instead of keys.
_INSTEAD = (
    (r"\A\Z", "Nothing was pasted."),
    (r"\A(?:AKIA|ASIA)[A-Z0-9]{16}\Z", f"That is the {KEY_ID} alone; two more values belong to it."),
    (r"https?://device\.sso\.|user_code=", "That is the address of the sign-in page, not keys."),
    (
        r"https?://\S*(?:awsapps\.(?:com|cn)|\.app\.aws|portal\.amazonaws|/start\b)",
        "That is the address of the access portal, not keys.",
    ),
    (r"https?://\S*(?:console|signin)\.\S*aws", "That is an address of the AWS console, not keys."),
    (r"https?://", "That is a web address, not keys."),
    (r"\baws\s+(?:sso|configure|sts|s3)\b", "That is a command, not keys. To sign in, type `%cuaws login`."),
    (r"", "There are no keys in what was pasted."),
)


def _something_else(text: str) -> PasteRefused:
    """Say what was pasted instead of keys, as far as its kind can be told."""
    text = text.strip()[:_EXCERPT]
    if re.fullmatch(r"[A-Z]{4}-[A-Z0-9]{4}", text):
        return PasteRefused(
            "That is a sign-in code: type it on the sign-in page, not here. To sign in, type `%cuaws login`."
        )
    if re.search(r"\bsso_(?:session|start_url|account_id|role_name)\b", text):
        return PasteRefused(
            "That is a profile for ~/.aws/config, not keys. To have such profiles written, type `%cuaws configure`."
        )
    return _refused(next(why for pattern, why in _INSTEAD if re.search(pattern, text)))
