"""
`make pictures`: the pictures of the README, as the browser tests have just drawn them.

`docs/pictures.json` says from which sources; a test compares that with what they are now, so no picture is old.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DRAWN = ROOT / "build" / "screenshots"
STAMP = ROOT / "docs" / "pictures.json"
PICTURES = {
    f"{name}-{theme}.png": f"{drawn}-{theme}.png"
    for name, drawn in (("panel", "signed-in"), ("sign-in", "login-waiting"))
    for theme in ("light", "dark")
}
SOURCES = (
    "cuaws_magic/views/render.py",
    "cuaws_magic/views/sign_in.py",
    "cuaws_magic/widget/html.py",
    "cuaws_magic/widget/panel.css",
    "cuaws_magic/widget/widgets.py",
)


def digest() -> str:
    """Return what the pictures show, as a digest of what draws it."""
    return hashlib.sha256(b"".join((ROOT / one).read_bytes() for one in SOURCES)).hexdigest()


def main() -> int:
    """Copy them; returns the exit status."""
    missing = [drawn for drawn in PICTURES.values() if not (DRAWN / drawn).exists()]
    if missing:
        print(f"Not drawn: {', '.join(missing)}. Is Chromium there? `sh scripts/browser_parts.sh`", file=sys.stderr)
        return 1
    for name, drawn in PICTURES.items():
        shutil.copyfile(DRAWN / drawn, ROOT / "docs" / name)
    STAMP.write_text(json.dumps({"drawn from": digest()}, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
