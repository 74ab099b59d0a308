"""A link as a QR code (ISO/IEC 18004), for the phone beside the screen; `segno` is imported when one is wanted."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from cuaws_magic.background import import_whole

if TYPE_CHECKING:
    from cuaws_magic.views.render import Html

_QUIET = 4  # modules of light around it, as the standard wants
_LEVEL = "m"  # 15 % of it may be unreadable


def image(link: str) -> Html:
    """Draw it: black on white in every theme."""
    return Markup(
        '<div style="margin:8px 0"><img src="{}" alt="QR code: the sign-in page, for your phone" '
        'style="background:#fff;border-radius:4px;image-rendering:pixelated"></div>'
    ).format(_made(link).png_data_uri(scale=4, border=_QUIET))


def blocks(link: str) -> list[str]:
    """
    Write it with half blocks, two modules a sign; what is light is drawn, as most terminals are dark.

    Nothing where the output has no such signs.
    """
    try:
        "▀▄█".encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return []
    rows = [[not dark for dark in row] for row in _made(link).matrix_iter(border=_QUIET)]
    rows += [[False] * len(rows[0])] * (len(rows) % 2)
    signs = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
    return [
        "".join(signs[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    ]


def _made(link: str) -> Any:
    import_whole("segno")
    import segno

    return segno.make(link, error=_LEVEL, micro=False)
