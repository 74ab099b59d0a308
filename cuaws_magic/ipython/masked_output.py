"""
Live secrets stay off the page: what a kernel sends is masked on its way, wherever in it the output was made.

All of it leaves through one method of the kernel's `Session`: streams (of every thread), displays, results,
tracebacks, what widgets show. ipykernel's own hooks are for one kind and one thread each, and there is none for
tracebacks. This prevents accidents and stops nobody: code in the kernel can show what it wants.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cuaws_magic.background import ForkSafeLock, hold_interrupts
from cuaws_magic.errors import ConfigurationError
from cuaws_magic.model import Secret
from cuaws_magic.redaction.live import Masker
from cuaws_magic.views.export import Revealed
from cuaws_magic.views.render import Hint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# What a page shows, keeps, or hands to who runs a notebook.
_SHOWN = frozenset(
    {
        "comm_msg",
        "comm_open",
        "display_data",
        "error",
        "execute_reply",
        "execute_result",
        "input_request",
        "inspect_reply",
        "update_display_data",
    }
)
_WAITS = 0.5  # seconds that the end of a text is held back at the most
_WANTED = threading.local()


@contextlib.contextmanager
def unmasked() -> Iterator[None]:
    """Let through what this thread shows in the block: a person asked for it."""
    _WANTED.depth = getattr(_WANTED, "depth", 0) + 1
    try:
        yield
    finally:
        _WANTED.depth -= 1


@dataclass(frozen=True, eq=False)
class _Held:
    text: str = field(repr=False)
    send: Callable[[str], None]


class MaskedOutput:
    """
    Stands before a kernel's session.

    Args:
        session: The kernel's `jupyter_client.session.Session`.

        secrets: What this kernel holds now.
    """

    def __init__(self, session: Any, secrets: Callable[[], Iterable[Secret]]) -> None:
        self._session = session
        self._masker = Masker(secrets)
        self._usual: Any = session.send
        self._lock = ForkSafeLock(threading.RLock)
        # By stream and cell: a thread of an earlier cell may write between what this one writes.
        self._held: dict[tuple[str, str], _Held] = {}
        self._to_say = False
        self._said = False
        self.last: Secret | None = None  # what was masked last, as it was
        session.send = self._send

    def remove(self) -> None:
        """Stand aside; what is held back goes out."""
        self._release()
        vars(self._session).pop("send", None)

    def _send(self, stream: Any, msg_or_type: Any, content: Any = None, *given: Any, **named: Any) -> Any:
        # An interrupt comes when the output is out: its traceback may show what is in hand here.
        with hold_interrupts():
            try:
                if not self._prepare(stream, msg_or_type, content, given, named):
                    return None
                if not isinstance(msg_or_type, dict):
                    content = self._content(msg_or_type, content)
            except Exception:  # noqa: BLE001, S110 - whatever is wrong here, no output is lost, and a log could show it
                pass
            return self._usual(stream, msg_or_type, content, *given, **named)

    def _prepare(self, stream: Any, message: Any, content: Any, given: Any, named: Any) -> bool:
        """Mask a message that is made already; returns whether it is to be sent."""
        if not isinstance(message, dict):
            parent = (named.get("parent") or {}).get("header", {}).get("msg_type")
            if message == "status" and content.get("execution_state") == "idle" and parent == "execute_request":
                self._end(stream, given, named)
            return True
        kind = message.get("msg_type") or message["header"]["msg_type"]
        if kind == "stream":
            return self._stream(stream, message, content, given, named)
        message["content"] = self._content(kind, message["content"])
        return True

    def _content(self, kind: str, content: Any) -> Any:
        if kind not in _SHOWN or getattr(_WANTED, "depth", 0) > 0:
            return content
        masked = self._masker.masked(content)
        if masked is not content:
            self._noted(content)
        return masked

    def _stream(self, stream: Any, message: dict[str, Any], content: Any, given: Any, named: Any) -> bool:
        """Mask a text; its end waits if it may be the start of a secret, which a flush has cut."""
        with self._lock:
            name, header = message["content"]["name"], message["parent_header"]
            key = (name, str(header.get("msg_id", "")))
            before = self._held.pop(key, None)
            text = (before.text if before is not None else "") + message["content"]["text"]
            message["content"]["text"] = text  # from here on nothing of it is lost, whatever goes wrong
            masked = self._masker.masked(text)
            if masked is not text:
                self._noted(text)
            back = self._masker.held_back(masked)
            message["content"]["text"] = masked[: len(masked) - back]
            if back:
                metadata = message.get("metadata")

                def send(rest: str) -> None:
                    made = self._session.msg("stream", {"name": name, "text": rest}, header, metadata=metadata)
                    self._usual(stream, made, content, *given, **named)

                held = self._held[key] = _Held(masked[len(masked) - back :], send)
                timer = threading.Timer(_WAITS, self._release, (key, held))
                timer.daemon = True
                timer.start()
            return back < len(masked)

    def _release(self, key: tuple[str, str] | None = None, only: _Held | None = None) -> None:
        """Send what was held back, all of it or one text if it still waits: nothing came that makes a secret of it."""
        with self._lock:
            if key is None:
                held, self._held = list(self._held.values()), {}
            else:
                held = [self._held.pop(key)] if self._held.get(key) is only and only is not None else []
        for one in held:
            with contextlib.suppress(Exception):  # a kernel that is ending has nowhere to send it
                one.send(one.text)

    def _end(self, stream: Any, given: Any, named: Any) -> None:
        """See to what a cell leaves: before the kernel says that it is idle."""
        self._release()
        if self._to_say and not self._said:
            self._said, self._to_say = True, False
            note = Hint(
                "A secret of yours was masked in this output",
                ("This kernel uses it now. To see what was masked, type `import cuaws_magic; cuaws_magic.reveal()`.",),
                soon=True,
            )
            data = {"data": note.mimebundle(), "metadata": {}, "transient": {}}
            self._usual(stream, "display_data", data, *given, **named)

    def _noted(self, content: Any) -> None:
        self.last = Secret(_as_text(content))
        self._to_say = True


_MASKED: list[MaskedOutput] = []  # of this process: one kernel


def mask(shell: Any, secrets: Callable[[], Iterable[Secret]]) -> None:
    """Mask what a kernel shows from now on; an IPython in a terminal shows nothing that a file keeps."""
    session = getattr(getattr(shell, "kernel", None), "session", None)
    if session is not None and not _MASKED:
        _MASKED.append(MaskedOutput(session, secrets))


def unmask() -> None:
    """Leave no trace in the kernel."""
    while _MASKED:
        _MASKED.pop().remove()


def reveal() -> Revealed:
    """
    Return what was masked last in this kernel.

    Raises:
        ConfigurationError: Nothing was.
    """
    last = _MASKED[0].last if _MASKED else None
    if last is None:
        raise ConfigurationError("Nothing was masked in this kernel. To see keys, type `%cuaws export --show`.")
    return Revealed(last)


def _as_text(content: Any) -> str:
    """Return what was masked as text, whatever kind of message it was in."""
    if isinstance(content, str):
        return content
    data = content.get("data", {})
    if "text/plain" in data:
        return str(data["text/plain"])
    if content.get("traceback"):
        return "\n".join(map(str, content["traceback"]))
    return str(content)
