"""What stands before a kernel's session: streams that are cut, cells that write at once, a fault of our own."""

from __future__ import annotations

import threading

import pytest

from cuaws_magic.ipython.masked_output import MaskedOutput
from cuaws_magic.model import Secret
from cuaws_magic.redaction.live import MASK

KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYsEcReTkEy1"


class Session:
    """A session that keeps what it is to send, by cell."""

    def __init__(self):
        self.sent = []

    def msg(self, kind, content, parent, metadata=None):
        return {"msg_type": kind, "content": content, "parent_header": parent, "metadata": metadata}

    def send(self, _stream, message, *_given, **_named):
        self.sent.append((message["parent_header"]["msg_id"], message["content"]["text"]))

    def text(self, cell):
        return "".join(text for of, text in self.sent if of == cell)


@pytest.fixture
def timers(monkeypatch):
    """What was to be done after a while; nothing is done by itself."""
    made = []

    class Timer:
        def __init__(self, _seconds, do, given=()):
            made.append(lambda: do(*given))

        def start(self):
            pass

    monkeypatch.setattr(threading, "Timer", Timer)
    return made


@pytest.fixture
def page(timers):
    session = Session()
    output = MaskedOutput(session, lambda: [Secret(KEY)])

    def write(text, cell="1"):
        session.send(None, session.msg("stream", {"name": "stdout", "text": text}, {"msg_id": cell}))

    return session, output, write


def test_what_waits_too_long_is_sent_but_not_what_came_after_it(page, timers):
    """The clock of one text does not release the next: it would be the beginning of a secret that goes on."""
    session, _, write = page
    write("a w")
    write("b " + KEY[:10])

    timers[0]()
    write(KEY[10:20])
    timers[1]()
    write(KEY[20:] + ".")

    assert session.text("1") == f"a wb {MASK}."


def test_the_clock_of_what_waits_releases_it(page, timers):
    """An unfinished line is on the page after a moment."""
    session, _, write = page
    write("progress w")
    assert session.text("1") == "progress "

    timers[0]()

    assert session.text("1") == "progress w"


def test_cells_that_write_at_once(page):
    """What waits of one cell goes to that cell."""
    session, output, write = page
    write("one w", "1")
    write("two w", "2")
    write("orld", "1")
    output._release()

    assert (session.text("1"), session.text("2")) == ("one world", "two w")


def test_a_fault_of_ours_loses_nothing_that_waits(page):
    """What was held back comes with the text at which something went wrong."""
    session, output, write = page
    write("it is w")

    def broken():
        raise OSError

    output._masker._secrets = broken
    write("ell")

    assert session.text("1") == "it is well"


def test_it_does_not_print_what_it_keeps(page):
    """What was masked last is a secret of its own."""
    _, output, write = page
    write(KEY)

    assert KEY not in repr(vars(output)["last"]) + repr(vars(output)["_held"])
