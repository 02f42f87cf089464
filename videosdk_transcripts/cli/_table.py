"""Rows as a table for a person."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ._columns import Row, heading, shown
from ._text import plain, plural, tell

_LEFT_OUT_FIRST: Final = ("session", "room", "duration", "files")


def print_table(rows: Sequence[Row], columns: Sequence[str]) -> None:
    """
    Print the rows to stdout, and their number to stderr.

    Args:
        rows: what to print.
        columns: their names, in order.

    On a narrow terminal columns are left out, which is told on stderr: an id that is
    folded over lines can't be copied.
    """
    console = Console()
    names = list(columns)
    left_out: list[str] = []
    table = _make_table(rows, names)
    # Otherwise a table is measured as what it is cut to.
    unlimited = console.options.update(max_width=sys.maxsize)
    for name in _LEFT_OUT_FIRST:
        if name in names and console.measure(table, options=unlimited).maximum > console.width:
            names.remove(name)
            left_out.append(name)
            table = _make_table(rows, names)
    console.print(table)
    narrow = f" (too narrow for: {', '.join(left_out)})" if left_out else ""
    tell(f"{plural(len(rows), 'transcription')}{narrow}")


def _make_table(rows: Sequence[Row], names: Sequence[str]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in names:
        table.add_column(heading(name), overflow="fold")
    for row in rows:
        table.add_row(*(Text(plain(shown(row, name))) for name in names))
    return table
