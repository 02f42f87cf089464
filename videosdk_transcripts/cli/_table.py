"""Print a table on a terminal row by row, with one line for each row."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from ._output import display_cell, heading, notify, plural, print_line

if TYPE_CHECKING:
    from ._output import AnyTranscription

_COLUMNS: Final = ("id", "start", "duration", "status", "room", "session", "files")
_GAP: Final = "  "
_TYPICAL_WIDTHS: Final = {
    "id": 8,
    "status": 9,
    "start": 16,
    "end": 16,
    "duration": 8,
    "room": 14,
    "session": 24,
    "files": 11,
}
"""The widths of common values, because a later row can be wider than the first one."""
_MIN_WIDTHS: Final = {"id": 9, "room": 14, "session": 9, "files": 7}
"""The widths to which values may be shortened; others are shown whole, or not at all."""
_HIDDEN_FOR_IDS: Final = ("session", "duration", "files")
"""The columns to hide, in this order, if that leaves enough space for whole ids."""
_HIDDEN_FIRST: Final = ("session", "duration", "end", "files", "room", "status", "start")
"""The columns to hide, in this order, on a narrower terminal, where ids are shortened."""
_MIN_WIDTH: Final = 20
"""The minimum width of a table; a narrower terminal wraps its lines."""


class TablePrinter:
    """
    Print each row as a line of a table as soon as it arrives.

    The widths of the columns are derived from the terminal and the first row. On a narrow
    terminal, columns are hidden and ids are shortened, so that a row stays on one line.

    Args:
        columns: the columns to print; None for the default.
        constant: columns that the default omits, because all rows have the same value.
        is_wide: whether to print all columns and whole ids, even if the terminal wraps lines.
    """

    def __init__(
        self, columns: Sequence[str] | None, constant: Sequence[str] = (), *, is_wide: bool = False
    ) -> None:
        self._columns = columns or [name for name in _COLUMNS if name not in constant]
        self._is_wide = is_wide
        self._layout: _Layout | None = None
        self._count = 0

    def add(self, row: AnyTranscription) -> None:
        """Print a row, after the headings if it is the first one."""
        cells = {name: display_cell(row, name) for name in self._columns}
        if self._layout is None:
            width = None if self._is_wide else max(shutil.get_terminal_size().columns, _MIN_WIDTH)
            self._layout = _Layout(cells, width)
            print_line(self._layout.line({name: heading(name).upper() for name in cells}))
        print_line(self._layout.line(cells))
        self._count += 1

    def end(self, *, is_complete: bool) -> None:
        """Print to stderr the number of rows, and which columns are hidden or shortened."""
        if not is_complete and not self._count:
            return
        note = "" if self._layout is None else self._layout.describe_loss()
        notify(f"{plural(self._count, 'transcription')}{note}")


class _Layout:
    """
    The columns of a table, and their widths.

    Args:
        first: the cells of the first row, by column.
        width: the width of the terminal; None for no limit.
    """

    def __init__(self, first: Mapping[str, str], width: int | None) -> None:
        wanted = {
            name: max(_width(heading(name)), _TYPICAL_WIDTHS[name], _width(cell))
            for name, cell in first.items()
        }
        self._width = width
        self._widths = wanted if width is None else _fit(wanted, width)
        # In a table with enough space, nothing is shortened, even if a later cell is wider.
        self._is_whole = self._widths == wanted
        self._hidden = [name for name in wanted if name not in self._widths]
        self._shortened: dict[str, None] = {}

    def line(self, cells: Mapping[str, str]) -> str:
        """Return a row as a line."""
        whole = self._join(cells)
        if self._width is None or (self._is_whole and _width(whole) <= self._width):
            return whole
        return self._join({name: self._shorten(name, cells[name]) for name in self._widths})

    def _join(self, cells: Mapping[str, str]) -> str:
        padded = (_padded(cells[name], width) for name, width in self._widths.items())
        return _GAP.join(padded).rstrip()

    def describe_loss(self) -> str:
        """Return which columns are hidden or shortened, and how to see them."""
        parts = [
            f"{what}: {', '.join(names)}"
            for what, names in (
                ("hidden on this width", self._hidden),
                ("shortened", list(self._shortened)),
            )
            if names
        ]
        return f" ({'; '.join(parts)}; see --wide)" if parts else ""

    def _shorten(self, name: str, cell: str) -> str:
        from rich.cells import set_cell_size

        width = self._widths[name]
        if _width(cell) <= width:
            return cell
        self._shortened[name] = None
        return f"{set_cell_size(cell, width - 1)}\N{HORIZONTAL ELLIPSIS}"


def _fit(wanted: Mapping[str, int], width: int) -> dict[str, int]:
    """Return the columns that fit, with their widths."""
    # Whole ids, which other commands accept, are preferred to the first columns to hide.
    for count in range(len(_HIDDEN_FOR_IDS) + 1):
        whole = {name: wanted[name] for name in wanted if name not in _HIDDEN_FOR_IDS[:count]}
        if whole and _total(whole) <= width:
            return whole
    least = {name: min(size, _MIN_WIDTHS.get(name, size)) for name, size in wanted.items()}
    for name in _HIDDEN_FIRST:
        if len(least) > 1 and (_total(least) > width or name == "session"):
            least.pop(name, None)
    # The remaining space goes to ids last, because even short ids distinguish rows.
    for name in sorted(least, key=lambda name: name == "id"):
        least[name] = max(1, min(wanted[name], least[name] + width - _total(least)))
    return least


def _total(widths: Mapping[str, int]) -> int:
    return sum(widths.values()) + len(_GAP) * (len(widths) - 1)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _width(text: str) -> int:
    # Characters of East Asian scripts take two columns.
    from rich.cells import cell_len

    return cell_len(text)
