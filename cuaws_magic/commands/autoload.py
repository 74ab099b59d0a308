"""`cuaws-magic autoload`: every notebook and IPython terminal of this home has `%cuaws` from the start."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from cuaws_magic import storage
from cuaws_magic.errors import CuawsError, StorageError

_BEGIN, _END = "# >>> cuaws-magic autoload >>>", "# <<< cuaws-magic autoload <<<"
_BLOCK = re.compile(rf"\n?{re.escape(_BEGIN)}\n.*?{re.escape(_END)}\n", re.DOTALL)


def autoload(account: str | None, *, remove: bool = False) -> int:
    """
    Write the extension into the IPython profile, or take it out; the rest of the file stays. Returns the exit status.

    Args:
        account: What `%cuaws use` alone means where nothing was used before.
    """
    try:
        what = _written(_path(), account, remove=remove)
    except CuawsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command line's answer
        return 1
    print(what)  # noqa: T201 - as above
    return 0


def _path() -> Path:
    folder = os.environ.get("IPYTHONDIR") or os.path.join("~", ".ipython")  # noqa: PTH118 - `expanduser` comes next
    return Path(os.path.expanduser(folder)) / "profile_default" / "ipython_config.py"  # noqa: PTH111 - Path.expanduser raises where there is no home


def _written(path: Path, account: str | None, *, remove: bool) -> str:
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError):
        raise StorageError(f"Cannot read {path}. Make it readable and try again.") from None
    rest = _BLOCK.sub("", before)
    if remove:
        if rest == before:
            return f"{path} does not load cuaws_magic; nothing was changed."
        storage.write_private(path, rest.encode(), keep_mode=True)
        return f"{path} does not load cuaws_magic any more."
    lines = ['get_config().InteractiveShellApp.extensions.append("cuaws_magic")']
    lines += [f"get_config().CuawsMagics.account = {account!r}"] if account else []
    block = "\n".join([_BEGIN, *lines, _END, ""])
    gap = "\n" if rest and not rest.endswith("\n\n") else ""
    storage.write_private(path, f"{rest}{gap}{block}".encode(), keep_mode=True)
    shown = "\n".join(f"  {line}" for line in lines)
    undo = "Every new kernel has `%cuaws` now. To undo it, type `cuaws-magic autoload --remove`."
    return f"Written to {path}:\n{shown}\n{undo}"
