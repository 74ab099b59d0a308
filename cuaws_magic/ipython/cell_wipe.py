"""
Takes a cell that had keys in it off the page and out of everything that IPython keeps of a cell.

What a cell was goes to many places: the page, `In` and the `_i` variables, the history
in memory and on disk, the compiler's copy for tracebacks, the terminal's own history.
An entry is wiped if the text or any long piece of it is there, so quoting does not hide it.
"""

from __future__ import annotations

import contextlib
import linecache
import re
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableSequence

# What may be a key, or the rest of one; in this session such a text is ours.
_PIECE = re.compile(r"(?=[A-Za-z+/=]*[0-9])[A-Za-z0-9+/=]{16,}")
# What is one, in whatever session it stands.
_KEY = re.compile(r"(?:AKIA|ASIA)[A-Z0-9]{16}|.{40,}")
_SHORTEST = 8  # characters of a text that is worth looking for as a whole
_PATIENCE = 5.0  # seconds, for another kernel that writes the same file


class CellWipe:
    """
    One wipe of one cell.

    Args:
        shell: The running `InteractiveShell`.

        text: What is to be gone.

        instead: What stands there afterwards, in all places but the page.
    """

    def __init__(self, shell: Any, text: str, instead: str) -> None:
        self._shell = shell
        self._instead = instead
        whole = text.strip()
        wholes = [whole, repr(whole)[1:-1]] if len(whole) >= _SHORTEST else []
        self._pieces = list(dict.fromkeys([*_PIECE.findall(text), *wholes]))
        self._keys = [piece for piece in self._pieces if _KEY.fullmatch(piece)]

    def page(self, source: str) -> None:
        """Replace the source of the running cell, where there is a page; it happens after a run that went well."""
        if hasattr(self._shell, "kernel"):
            self._shell.set_next_input(source, replace=True)

    def memory(self) -> None:
        """Clear what is kept in this process; once while the cell runs, and once after it."""
        if not self._pieces:
            return
        history = self._shell.history_manager
        for entries in (history.input_hist_raw, history.input_hist_parsed):
            self._clear_list(entries)
        for name in ("_i00", "_i", "_ii", "_iii"):
            if self._holds(getattr(history, name, None)):
                setattr(history, name, self._instead)
        names = self._shell.user_ns
        for name in [one for one, value in names.items() if one.startswith("_i") and self._holds(value)]:
            names[name] = self._instead
        with history.db_input_cache_lock:
            history.db_input_cache[:] = [
                (number, *(self._instead if self._holds(text) else text for text in texts))
                for number, *texts in history.db_input_cache
            ]
        self._clear_source()
        self._clear_message()
        self._clear_terminal()

    def disk(self) -> str | None:
        """
        Clear the history database, byte for byte.

        Returns:
            What a person should know, if something could not be cleared.
        """
        if not self._pieces:
            return None
        logger = self._shell.logger
        log = (
            f"Your log {logger.logfname} (`%logstart`) contains the keys: delete them there."
            if logger.log_active
            else ""
        )
        return " ".join(filter(None, (self._history(), log))) or None

    def _history(self) -> str | None:
        history = self._shell.history_manager
        path = Path(str(history.hist_file))
        if not getattr(history, "enabled", True) or not path.is_file():
            return None
        try:
            # A connection of our own: IPython's belong to their threads.
            with contextlib.closing(sqlite3.connect(path, timeout=_PATIENCE)) as database:
                database.execute("PRAGMA secure_delete = ON")  # overwrites what an update leaves behind
                self._clear_rows(database)
                if self._in_file(path):
                    database.execute("VACUUM")
        except (sqlite3.Error, OSError) as error:
            return f"IPython's history could not be cleaned ({type(error).__name__}): the keys may still be in {path}."
        return f"The keys may still be in IPython's history, {path}." if self._in_file(path) else None

    def after(self, result: Any) -> None:
        """Clear what the end of the cell has kept (IPython's `post_run_cell`)."""
        self.memory()
        info = result.info
        for name in ("raw_cell", "transformed_cell"):
            if self._holds(getattr(info, name, None)):
                setattr(info, name, self._instead)
        error = result.error_in_exec or result.error_before_exec
        if error is not None:
            error.__traceback__ = None  # its frames hold the cell
        for name in ("last_traceback", "last_exc", "last_value"):
            held = getattr(sys, name, None)
            if isinstance(held, BaseException):
                held.__traceback__ = None
            elif held is not None:
                setattr(sys, name, None)
        exceptions = getattr(self._shell.history_manager, "exceptions", {})
        for number in [one for one, kept in exceptions.items() if self._holds(repr(kept))]:
            del exceptions[number]

    # Inside.

    def _holds(self, text: object) -> bool:
        return isinstance(text, str) and any(piece in text for piece in self._pieces)

    def _clear_list(self, entries: MutableSequence[str]) -> None:
        for number, text in enumerate(entries):
            if self._holds(text):
                entries[number] = self._instead

    def _clear_rows(self, database: sqlite3.Connection) -> None:
        session = self._shell.history_manager.session_number
        with database:
            for piece in self._pieces:
                database.execute(
                    "UPDATE history SET source = :instead, source_raw = :instead "
                    "WHERE (instr(source, :piece) OR instr(source_raw, :piece)) AND (session = :session OR :anywhere)",
                    {
                        "instead": self._instead,
                        "piece": piece,
                        "session": session,
                        "anywhere": piece in self._keys,
                    },
                )
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _in_file(self, path: Path) -> bool:
        files = [path, *path.parent.glob(f"{path.name}-*")]
        contents = b"\0".join(one.read_bytes() for one in files if one.is_file())
        return any(key.encode() in contents for key in self._keys)

    def _clear_source(self) -> None:
        """Clear the copies that tracebacks and the debugger show."""
        for name, entry in list(linecache.cache.items()):
            if len(entry) > 2 and any(self._holds(line) for line in entry[2]):  # noqa: PLR2004 - size, time, lines, name
                linecache.cache[name] = (len(self._instead), None, [f"{self._instead}\n"], name)
                path = Path(name)
                if path.parent.name.startswith("ipykernel_") and path.is_file():
                    path.write_text(self._instead)

    def _clear_message(self) -> None:
        """Clear the request that the kernel holds while it answers it."""
        if hasattr(self._shell, "kernel"):
            content = (self._shell.get_parent() or {}).get("content", {})
            if self._holds(content.get("code")):
                content["code"] = self._instead

    def _clear_terminal(self) -> None:
        for strings in self._terminal_strings():
            self._clear_list(strings)
        readline = sys.modules.get("readline")
        if readline is not None and not hasattr(self._shell, "kernel"):
            for number in range(readline.get_current_history_length(), 0, -1):
                if self._holds(readline.get_history_item(number)):
                    readline.remove_history_item(number - 1)

    def _terminal_strings(self) -> Iterator[MutableSequence[str]]:
        """Yield what the arrow keys of the terminal bring back; prompt_toolkit has no public way to forget."""
        prompt = getattr(self._shell, "pt_app", None)
        for history in (getattr(prompt, "history", None), getattr(self._shell, "_history", None)):
            for name in ("_loaded_strings", "_storage"):
                strings = getattr(history, name, None)
                if isinstance(strings, list):
                    yield strings
