"""
Keeping our own questions out of everybody's logs.

At the level DEBUG botocore logs requests and answers whole: keys, SSO tokens, codes.
What a person's own clients log is theirs; what we ask for them is not to be read there.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_HERE = threading.local()
_LIBRARIES = ("botocore", "urllib3")


class _NotOurs(logging.Filter):
    """Lets through what other threads log, and this one outside of our questions."""

    def filter(self, _: logging.LogRecord) -> bool:
        return not getattr(_HERE, "questions", 0)


_NOT_OURS = _NotOurs()


@contextlib.contextmanager
def unlogged() -> Iterator[None]:
    """Have botocore log nothing in this thread while the block runs."""
    # A filter holds for its own logger only, not for those below; libraries make more as they are imported.
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if name.partition(".")[0] in _LIBRARIES and isinstance(logger, logging.Logger):
            logger.addFilter(_NOT_OURS)  # once: it looks itself
    _HERE.questions = getattr(_HERE, "questions", 0) + 1
    try:
        yield
    finally:
        _HERE.questions -= 1
