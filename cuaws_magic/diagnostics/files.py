"""Judgements on `~/.aws`: what does not parse, what is passed over, and who can read what."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from cuaws_magic.aws.hosts import region_in
from cuaws_magic.settings import ACCOUNT_ID, CU_SSO_REGION, CU_START_URL, REGION
from cuaws_magic.views.diagnosis import error, of_message, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cuaws_magic.diagnostics.snapshot import AwsFile, Section, Snapshot
    from cuaws_magic.views.diagnosis import Finding

# Settings in which a comment is not a blemish but a wrong value.
_EXACT = {"region", "sso_account_id", "sso_region", "sso_role_name", "sso_session", "sso_start_url"}
_KINDS = {"profile", "sso-session", "services"}
_WITHOUT_NAME = {"plugins", "preview"}  # of AWS CLI v1
_MANY = 3


def parsing(snapshot: Snapshot) -> Iterable[Finding]:
    """Judge whether the files can be read at all."""
    for subject, file in (("Config file", snapshot.config), ("Credentials file", snapshot.credentials)):
        if file.trouble is not None:
            yield of_message("error", subject, file.trouble)
        elif not file.exists:
            yield ok(subject, f"{file.path} is not there, and need not be")
        else:
            kinds = [section.kind for section in file.sections]
            counts = [_count(kinds.count("profile"), "profile")]
            counts += [_count(kinds.count("sso-session"), "sso-session")] if file is snapshot.config else []
            yield ok(subject, f"{file.path}: {', '.join(counts)}")


def access(snapshot: Snapshot) -> Iterable[Finding]:
    """Judge who can read files with secrets in them."""
    if snapshot.unreadable:
        yield error(
            "Permissions",
            f"{_some(snapshot.unreadable)} cannot be read by you",
            f"Type `!chmod u+rw {_quoted(snapshot.unreadable)}`; ask the operator of this machine if that is refused.",
        )
    if snapshot.exposed:
        yield warning(
            "Permissions",
            f"other users of this machine can read {_some(snapshot.exposed)}, with secrets in it",
            f"Type `!chmod 600 {_quoted(snapshot.exposed)}`.",
        )
    if snapshot.writable:
        yield error(
            "Permissions",
            f"other users of this machine can change {_some(snapshot.writable)}, and so run programs as you",
            f"Type `!chmod go-w {_quoted(snapshot.writable)}`.",
        )
    if snapshot.foreign:
        yield error(
            "Permissions",
            f"{_some(snapshot.foreign)} belongs to another user, so it is not used",
            f"Type `!rm {_quoted(snapshot.foreign)}`; ask the operator of this machine if that is refused.",
        )
    if snapshot.leftovers:
        yield warning(
            "Permissions",
            f"{_some(snapshot.leftovers)} was left by a program that was killed, and may hold a sign-in",
            f"Type `!rm {_quoted(snapshot.leftovers)}`.",
        )
    if not any((snapshot.unreadable, snapshot.exposed, snapshot.writable, snapshot.foreign, snapshot.leftovers)):
        yield ok("Permissions", "only you can read what is secret")


def sections(snapshot: Snapshot) -> Iterable[Finding]:
    """Judge sections one by one: passed over, commented, with values that cannot be right."""
    for message in snapshot.file_troubles:
        yield of_message("warning", "Config file", message)
    profiles = {one.name for _, one in snapshot.sections() if one.kind == "profile"}
    sign_ins = {one.settings.get("sso_session") for one in snapshot.config.sections}
    for section in snapshot.config.sections:
        yield from _header(section, snapshot.config, sign_ins)
        yield from _values(section, snapshot.config, snapshot, profiles)
    for section in snapshot.credentials.sections:
        yield from _comments(section, snapshot.credentials)


def _header(section: Section, file: AwsFile, sign_ins: set[str | None]) -> Iterable[Finding]:
    header = section.header
    if section.kind in _KINDS or header in _WITHOUT_NAME:
        return
    first, _, rest = header.partition(" ")
    if first in _KINDS and rest.strip():
        name = rest.strip().strip("'\"")
        yield warning(
            "Config file",
            f"[{header}] in {file.path} is ignored by every AWS program: a name with spaces needs quotation marks",
            f'Write it [{first} "{name}"].',
        )
    elif header.startswith(("sso_session ", "sso-session-", "sso session ")):
        name = header.replace("sso session", "sso_session", 1)[len("sso_session ") :].strip()
        yield warning(
            "Config file",
            f"[{header}] in {file.path} is ignored by every AWS program: it is written with a hyphen",
            f"Write it [sso-session {name}].",
        )
    elif section.settings and _is_session(section, sign_ins):
        yield warning(
            "Config file",
            f"[{header}] in {file.path} is ignored by every AWS program: the word sso-session is missing",
            f"Write it [sso-session {shlex.quote(header)}].",
        )
    elif section.settings:
        yield warning(
            "Config file",
            f"[{header}] in {file.path} is ignored by every AWS program: the word profile is missing",
            f"Write it [profile {shlex.quote(header)}].",
        )


def _is_session(section: Section, sign_ins: set[str | None]) -> bool:
    """Whether a section without a known word before its name is meant as an sso-session: a profile names it as one."""
    return section.header in sign_ins and "sso_account_id" not in section.settings


def _values(section: Section, file: AwsFile, snapshot: Snapshot, profiles: set[str]) -> Iterable[Finding]:
    yield from _comments(section, file)
    where = f"[{section.header}] in {file.path}"
    for key in ("sso_region", "region"):
        value = section.settings.get(key)
        if value and key not in (*section.commented, *section.continued) and not REGION.fullmatch(value):
            yield warning("Config file", f"{key} = {value} of {where} is not a region", _correct(key))
    yield from _sso_region(section, where, snapshot)
    yield from _needs(section, where, profiles)
    account_id = section.settings.get("sso_account_id")
    if account_id and "sso_account_id" not in section.commented and not ACCOUNT_ID.fullmatch(account_id):
        yield warning(
            "Config file",
            f"sso_account_id = {account_id} of {where} is not twelve digits",
            "Write all twelve, zeros in front too.",
        )


def _needs(section: Section, where: str, known: set[str]) -> Iterable[Finding]:
    """Judge what a profile is lacking, without which every AWS program refuses it."""
    sign_in = next((key for key in ("sso_session", "sso_start_url") if key in section.settings), None)
    for one, other in (("sso_account_id", "sso_role_name"), ("sso_role_name", "sso_account_id")):
        if (
            section.kind == "profile"
            and sign_in is not None
            and one in section.settings
            and other not in section.settings
        ):
            yield warning(
                "Config file",
                f"{where} has {one}, but no {other}: AWS programs refuse it",
                f"Add the line `{other} = …` to it, or type `%cuaws configure`.",
            )
    source = section.settings.get("source_profile")
    if section.kind == "profile" and source and source not in known:
        yield warning(
            "Config file",
            f"source_profile = {source} of {where} is no profile: AWS programs refuse it",
            "Correct the name, or add that profile.",
        )


def _sso_region(section: Section, where: str, snapshot: Snapshot) -> Iterable[Finding]:
    start_url, sso_region = section.settings.get("sso_start_url", ""), section.settings.get("sso_region", "")
    if not start_url or not REGION.fullmatch(sso_region):
        return
    at_cu = start_url.rstrip("/#") == CU_START_URL
    right = CU_SSO_REGION if at_cu else region_in(start_url)
    if right is None or right == sso_region:
        return
    if not at_cu:
        yield warning(
            "Config file",
            f"sso_region = {sso_region} of {where} is another region than {start_url} names: that is right only "
            "where your organisation has Identity Center in several regions",
            f"If sign-ins fail, write `sso_region = {right}`.",
        )
        return
    what = f"sso_region = {sso_region} of {where} is wrong for {start_url}: sign-ins are asked for in another region"
    do = f"Write `sso_region = {right}`."
    chosen = snapshot.sso_session is not None and snapshot.sso_session.start_url == start_url
    yield error("Config file", what, do) if chosen else warning("Config file", what, do)


def _comments(section: Section, file: AwsFile) -> Iterable[Finding]:
    for key in section.continued:
        what = f"{key} of [{section.header}] in {file.path} runs on into the next line, which begins with a space"
        yield (error if key in _EXACT else warning)(
            "Config file", what, "Delete what is in front of the key in that line."
        )
    for key in section.commented:
        what = f"{key} of [{section.header}] in {file.path} has a comment after its value, and AWS reads both"
        yield (error if key in _EXACT else warning)("Config file", what, "Put the comment on a line of its own.")


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _correct(key: str) -> str:
    return f"Correct it, for example to `{key} = {CU_SSO_REGION}`."


def _some(paths: tuple[object, ...]) -> str:
    named = ", ".join(str(path) for path in paths[:_MANY])
    return f"{named} and {len(paths) - _MANY} more" if len(paths) > _MANY else named


def _quoted(paths: tuple[object, ...]) -> str:
    return " ".join(shlex.quote(str(path)) for path in paths)
