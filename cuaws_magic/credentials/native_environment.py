"""
The door to the C environment: what native libraries, `!command`, subprocesses and `spawn` inherit.

`os.environ` is Python's copy of it, and the two may differ: `os.putenv` and `os.unsetenv` change
the one without the other. So Python code in this kernel can have keys of which nothing is inherited.
What a person sets in `os.environ` by hand goes to both, as ever.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping


class NativeEnvironment:
    """
    The variables that are others in the C environment than in Python's copy.

    Args:
        environ: Python's copy. Any other mapping than `os.environ` has no C environment behind it.
    """

    def __init__(self, environ: MutableMapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._process = environ is os.environ
        self._apart: dict[str, str | None] = {}

    def __bool__(self) -> bool:
        """Whether anything is apart."""
        return bool(self._apart)

    @property
    def apart(self) -> Mapping[str, str | None]:
        """What is there instead, by name; `None` for a variable that is not there."""
        return dict(self._apart)

    def write(self, name: str, value: str | None) -> None:
        """Set a variable of Python's copy, or take it out; the C environment follows unless it is apart there."""
        data: Any = getattr(self._environ, "_data", None)
        if name in self._apart and self._process and data is not None:
            # `os.environ[name] = value` would put it into the C environment, where a child could inherit it, and
            # where another thread may be in `getenv` just now.
            key = self._environ.encodekey(name)  # type: ignore[attr-defined]  # of `os._Environ`
            if value is None:
                data.pop(key, None)
            else:
                data[key] = self._environ.encodevalue(value)  # type: ignore[attr-defined]  # as above
            return
        if value is None:
            self._environ.pop(name, None)
        else:
            self._environ[name] = value
        if name in self._apart:
            self._put(name, self._apart[name])

    def set_apart(self, values: Mapping[str, str | None]) -> None:
        """Have these variables in the C environment, whatever Python's copy says; `join` ends that."""
        for name, value in values.items():
            if name not in self._apart or self._apart[name] != value:
                self._apart[name] = value
                self._put(name, value)

    def join(self, keep: Mapping[str, str | None] | None = None) -> None:
        """Have the C environment follow Python's copy again, but for what is to be kept apart."""
        for name in self._apart.keys() - (keep or {}).keys():
            del self._apart[name]
            self._put(name, self._environ.get(name))

    def _put(self, name: str, value: str | None) -> None:
        if not self._process:
            return
        if value is None:
            os.unsetenv(name)
        else:
            os.putenv(name, value)
