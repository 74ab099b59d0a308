"""What came of running something in many accounts: a table of values and errors, a row for each account and region."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

from markupsafe import Markup

from cuaws_magic.humanize import counted, printable
from cuaws_magic.views import render
from cuaws_magic.views.render import View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cuaws_magic.views.render import MimeBundle

_SHOWN = 200  # rows on a page
_WIDE = 60  # characters of a value in a table


@dataclass(frozen=True)
class Run:
    """
    What came of one account and region.

    Attributes:
        account: The account's name.

        id: Twelve digits.

        role: The role; empty where none was found.

        region: The region.

        value: What it gave.

        error: Why it gave nothing; `None` where all went well.

        seconds: How long it took.

        enabled: `False` where the account has not enabled the region, which is no error.

        organisation: Whose the account is, where more than one organisation is known.
    """

    account: str
    id: str
    role: str
    region: str
    value: Any = field(default=None, repr=False)
    error: str | None = None
    seconds: float = 0.0
    enabled: bool = True
    organisation: str = ""

    @property
    def ok(self) -> bool:
        """Whether it gave a value."""
        return self.error is None and self.enabled


@dataclass(frozen=True, repr=False)
class Runs(View):
    """
    All of them, in the order of the accounts' names; a sequence of `Run`.

    Attributes:
        missing: How many were not begun, because it was stopped.
    """

    runs: tuple[Run, ...]
    missing: int = 0

    def __len__(self) -> int:
        return len(self.runs)

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)

    @overload
    def __getitem__(self, index: int) -> Run: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Run]: ...
    def __getitem__(self, index: int | slice) -> Run | Sequence[Run]:
        return self.runs[index]

    @property
    def failed(self) -> tuple[Run, ...]:
        """Those with an error."""
        return tuple(one for one in self.runs if one.error is not None)

    def to_dict(self) -> dict[str, Any]:
        """Return the values by account: by its id where names repeat, with the region where there are several."""
        regions = {one.region for one in self.runs}
        names = Counter(one.account for one in {(one.id, one.account): one for one in self.runs}.values())
        found = {}
        for one in self.runs:
            name = one.account if names[one.account] == 1 else one.id
            if one.ok:
                found[name if len(regions) == 1 else f"{name} {one.region}"] = one.value
        return found

    def records(self) -> list[dict[str, Any]]:
        """Return rows for a table: a value that is a dict becomes columns, a list of dicts becomes rows as well."""
        rows: list[dict[str, Any]] = []
        for one in self.runs:
            head = {"account": one.account, "id": one.id, "role": one.role, "region": one.region}
            head |= {"organisation": one.organisation} if self._organisations else {}
            tail = {"error": one.error, "seconds": round(one.seconds, 3)}
            values = one.value if isinstance(one.value, list) and one.value else [one.value]
            if all(isinstance(value, dict) for value in values):
                rows += [{**head, **value, **tail} for value in values]
            else:
                rows.append({**head, "value": one.value, **tail})
        return rows

    def to_frame(self) -> Any:
        """Return the same as a `pandas.DataFrame`."""
        import pandas as pd

        return pd.DataFrame(self.records())

    def mimebundle(self) -> MimeBundle:
        """Return text and HTML."""
        several = len({one.region for one in self.runs}) > 1
        head = ["Account", "Id", *(["Organisation"] if self._organisations else []), *(["Region"] if several else [])]
        head.append("Value")
        rows = [
            [
                one.account,
                one.id,
                *([one.organisation] if self._organisations else []),
                *([one.region] if several else []),
                _shown(one),
            ]
            for one in self.runs[:_SHOWN]
        ]
        title = self._title()
        notes = self._notes()
        table = [render.text_table(head, rows)] if rows else []
        return render.mimebundle(
            "\n".join([*table, f"{title}.", *notes]),
            render.card(
                "bad" if self.failed else "good",
                title,
                "",
                (render.table(head, rows) if rows else Markup()) + render.lines(notes),
            ),
        )

    @property
    def _organisations(self) -> bool:
        return any(one.organisation for one in self.runs)

    def _title(self) -> str:
        done = sum(one.ok for one in self.runs)
        off = sum(not one.enabled for one in self.runs)
        parts = [f"{done:,} of {len(self.runs) + self.missing:,} done"]
        parts += [f"{len(self.failed):,} failed"] if self.failed else []
        parts += [f"{counted(off, 'region')} not enabled"] if off else []
        parts += [f"{self.missing:,} not begun"] if self.missing else []
        return ", ".join(parts)

    def _notes(self) -> list[str]:
        notes = []
        if len(self.runs) > _SHOWN:
            notes.append(f"The first {_SHOWN} are shown; `_.to_frame()` has all.")
        if self.failed or self.missing:
            notes.append("To run what failed or is missing, add `--again` to the line.")
        return notes


def _shown(one: Run) -> str:
    if not one.enabled:
        return "region not enabled"
    text = printable(one.error if one.error is not None else " ".join(repr(one.value).split()))
    return text if len(text) <= _WIDE else f"{text[: _WIDE - 1]}…"
