"""Rows as a table for a person."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from videosdk_transcripts import Transcription

from ._text import formats, plain, plural, tell

__all__ = ["print_table"]

Cell = Callable[[Transcription], str]


def _start(t: Transcription) -> str:
    return f"{t.start:%Y-%m-%d %H:%M}" if t.start else ""


def _duration(t: Transcription) -> str:
    return str(t.duration).partition(".")[0] if t.duration and t.duration.days >= 0 else ""


_COLUMNS: Final[dict[str, Cell]] = {
    "Id": lambda t: t.id,
    "Start (UTC)": _start,
    "Duration": _duration,
    "Status": lambda t: t.status or "",
    "Room": lambda t: t.room_id or "",
    "Session": lambda t: t.session_id or "",
    "Files": formats,
}
_LEFT_OUT_FIRST: Final = ("Session", "Room", "Duration", "Files")


def print_table(rows: Sequence[Transcription], *, known: Sequence[str] = ()) -> None:
    """
    Print the rows to stdout, and their number to stderr.

    Args:
        rows: what to print.
        known: names of columns that would say the same in each row.

    On a narrow terminal columns are left out, which is told on stderr: an id that is
    folded over lines can't be copied.
    """
    console = Console()
    names = [name for name in _COLUMNS if name not in known]
    left_out: list[str] = []
    table = _make_table(rows, names)
    # Otherwise a table is measured as what it is cut to.
    unlimited = console.options.update(max_width=sys.maxsize)
    for name in _LEFT_OUT_FIRST:
        if name in names and console.measure(table, options=unlimited).maximum > console.width:
            names.remove(name)
            left_out.append(name.lower())
            table = _make_table(rows, names)
    console.print(table)
    narrow = f" (too narrow for: {', '.join(left_out)})" if left_out else ""
    tell(f"{plural(len(rows), 'transcription')}{narrow}")


def _make_table(rows: Sequence[Transcription], names: Sequence[str]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    for t in rows:
        table.add_row(*(Text(plain(_COLUMNS[name](t))) for name in names))
    return table
