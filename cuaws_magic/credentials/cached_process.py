"""
Role credentials from the AWS CLI's cache, for a program that is started for each answer.

A tool that knows only `credential_process` starts one each time it wants credentials, so what is cached has to come
as fast as a Python can start: this module imports nothing that is not loaded by then. Profiles start it as a file and
without `site` (`python -IS cached_process.py ACCOUNT/ROLE --session NAME`), which is `cuaws-magic credentials` does.
"""

import os
import sys
import time

TYPE_CHECKING = False  # `typing` alone costs more than everything here
if TYPE_CHECKING:
    from collections.abc import Mapping

_AHEAD = 20 * 60  # seconds that credentials have to last: botocore asks again when 15 minutes are left
_FOLDER = ("~", ".aws", "cli", "cache")
_LARGEST = 16384  # bytes
_WORDS = 3  # of `ACCOUNT/ROLE --session NAME`


def answer(account_id: str, role_name: str, session_name: str) -> "str | None":
    """
    Return the answer of `credential_process` in its version 1 from the cache; `None` where there is none that is good.

    Args:
        account_id: Twelve digits.

        role_name: The role.

        session_name: Name of the `[sso-session]`.
    """
    if not _plain(account_id + role_name + session_name):
        return None
    key = f'{{"accountId":"{account_id}","roleName":"{role_name}","sessionName":"{session_name}"}}'
    folder = os.path.expanduser(os.path.join(*_FOLDER))  # noqa: PTH111, PTH118 - pathlib costs more than all of this
    path = os.path.join(folder, f"{_sha1(key)}.json")  # noqa: PTH118 - as above
    found = _read(path)
    ahead = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + _AHEAD))
    # Dates of this form are in the order of their letters.
    if found is None or len(found["Expiration"]) != len(ahead) or found["Expiration"] < ahead:
        return None
    fields = "".join(f', "{name}": "{value}"' for name, value in found.items())
    return f'{{"Version": 1{fields}}}'


def _read(path: str) -> "Mapping[str, str] | None":
    """Return the set in a file of ours or the AWS CLI's; both write one line without blanks or escapes."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        if hasattr(os, "getuid") and os.fstat(descriptor).st_uid not in {os.getuid(), _owner_of_home()}:
            return None
        text = os.read(descriptor, _LARGEST).decode("ascii", "replace").replace('": "', '":"')
    finally:
        os.close(descriptor)
    found = {}
    for name in ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"):
        _, there, rest = text.partition(f'"{name}":"')
        value, closed, _ = rest.partition('"')
        if not there or not closed or "\\" in value:
            return None
        found[name] = value
    return found


def _owner_of_home() -> int:
    try:
        return os.stat(os.path.expanduser("~")).st_uid  # noqa: PTH111, PTH116 - as above
    except OSError:
        return -1


def _plain(text: str) -> bool:
    """Whether a name stands in JSON as it is."""
    return text.isascii() and text.isprintable() and '"' not in text and "\\" not in text


def _sha1(text: str) -> str:
    try:
        from _sha1 import sha1  # type: ignore[import-not-found]  # CPython's own; `hashlib` loads OpenSSL
    except ImportError:
        from hashlib import sha1
    return str(sha1(text.encode("ascii")).hexdigest())  # noqa: S324 - the AWS CLI names its files so


def main(words: "list[str]") -> int:
    """Print what is cached; else do as `cuaws-magic credentials`, with everything that it needs."""
    if len(words) == _WORDS and words[1] == "--session":
        account_id, _, role_name = words[0].partition("/")
        found = answer(account_id, role_name, words[2])
        if found is not None:
            print(found)  # noqa: T201 - the answer
            return 0
    command = [sys.executable, "-m", "cuaws_magic", "credentials", *words]
    if os.name == "posix":
        os.execv(sys.executable, command)  # noqa: S606 - this Python again
    import subprocess

    return subprocess.call(command)  # noqa: S603 - as above


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
