"""Print rows to stdout, for people and for programs, and messages to stderr."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Literal

from videosdk_transcripts._redact import printable

from ._status import clear_status

if TYPE_CHECKING:
    from datetime import timedelta

    from videosdk_transcripts import PostTranscription, Transcription, WalkStats

    AnyTranscription = Transcription | PostTranscription

OutputFormat = Literal["json", "jsonl", "csv"]

COLUMNS: Final = ("id", "status", "start", "end", "duration", "room", "session", "files")
"""All columns that can be printed."""
_LINE_COLUMNS: Final = ("id", "status", "start", "end", "room", "session", "files")
"""The default columns of a tab-separated line. Their order is part of the public interface."""


# Text.


def write(text: str) -> None:
    """
    Write a text to stdout immediately, and wait until all of it is written.

    On a terminal, characters that would move the cursor are replaced. Elsewhere, the text is
    written unchanged.

    Raises:
        OSError: the text cannot be written.
    """
    is_terminal = sys.stdout.isatty()
    if is_terminal:
        clear_status(text)
    sys.stdout.write(readable(text) if is_terminal else text)
    sys.stdout.flush()


def print_line(text: str) -> None:
    """Write a line to stdout, as `write` does."""
    write(f"{text}\n")


def notify(text: str) -> None:
    """Print a message to stderr. A message that cannot be written does not stop the command."""
    with contextlib.suppress(OSError):
        clear_status("\n")
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def plain(text: str) -> str:
    """Return a text without characters that would move a terminal's cursor or break a line."""
    return printable(text, len(text))


def readable(text: str) -> str:
    """Return a text of several lines like `plain`, but with its line breaks and tabs."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}"
        for c in text.replace("\r\n", "\n")
    )


def plural(count: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


# Columns.


def _minute(row: AnyTranscription) -> str:
    return f"{row.start:%Y-%m-%d %H:%M}" if row.start else ""


def _end_minute(row: AnyTranscription) -> str:
    return f"{row.end:%Y-%m-%d %H:%M}" if row.end else ""


def _clock_time(row: AnyTranscription) -> str:
    return str(row.duration).partition(".")[0] if row.duration and row.duration.days >= 0 else ""


def _seconds(length: timedelta) -> str:
    # To the millisecond, the precision of the service, and never in exponent notation.
    return f"{length.total_seconds():.3f}".rstrip("0").rstrip(".")


def _files(row: AnyTranscription) -> str:
    return ",".join([*row.files, *(["summary"] if row.summary_files else [])])


_CELLS: Final[dict[str, Callable[[AnyTranscription], str | None]]] = {
    "id": lambda row: row.id,
    "status": lambda row: row.status,
    "start": lambda row: row.start.isoformat() if row.start else None,
    "end": lambda row: row.end.isoformat() if row.end else None,
    "duration": lambda row: None if row.duration is None else _seconds(row.duration),
    "room": lambda row: row.room_id,
    "session": lambda row: row.session_id,
    "files": _files,
}
_DISPLAY_CELLS: Final = {**_CELLS, "start": _minute, "end": _end_minute, "duration": _clock_time}
_HEADINGS: Final = {"start": "Start (UTC)", "end": "End (UTC)"}


def _cells(row: AnyTranscription, columns: Sequence[str]) -> list[str]:
    """Return the cells of a row for programs: times in ISO 8601, durations in seconds."""
    return [_CELLS[name](row) or "" for name in columns]


def display_cell(row: AnyTranscription, column: str) -> str:
    """Return a cell for people: times to the minute, durations to the second."""
    return plain(_DISPLAY_CELLS[column](row) or "")


def heading(column: str) -> str:
    """Return the heading of a column for people."""
    return _HEADINGS.get(column, column.capitalize())


# One row.


def print_transcription(row: AnyTranscription, output_format: OutputFormat | None) -> None:
    """Print one row as JSON, as one line per column on a terminal, or as one line with tabs."""
    import json

    if output_format == "json":
        print_line(json.dumps(row.to_dict(), indent=2))
    elif sys.stdout.isatty():
        width = max(map(len, map(heading, COLUMNS)))
        for name in COLUMNS:
            print_line(f"{heading(name):{width}}  {display_cell(row, name)}".rstrip())
    else:
        print_line(tab_separated(row))


def tab_separated(row: AnyTranscription, columns: Sequence[str] = _LINE_COLUMNS) -> str:
    """Return a row as a line of tab-separated cells."""
    return "\t".join(plain(cell) for cell in _cells(row, columns))


# Many rows.


class LinePrinter:
    """
    Print each row as soon as it arrives.

    Args:
        output_format: JSON, JSON lines or CSV; None for tab-separated lines.
        columns: the columns to print; None for the default of the format.
    """

    def __init__(self, output_format: OutputFormat | None, columns: Sequence[str] | None) -> None:
        self._format = output_format
        self._columns = columns or (COLUMNS if output_format == "csv" else _LINE_COLUMNS)
        self._is_empty = True

    def add(self, row: AnyTranscription) -> None:
        """Print a row."""
        import json

        match self._format:
            case "json":
                before = "[\n" if self._is_empty else ",\n"
                write(f"{before}{json.dumps(row.to_dict())}")
            case "jsonl":
                print_line(json.dumps(row.to_dict()))
            case "csv":
                self._print_header_once()
                write(_comma_separated(_cells(row, self._columns)))
            case _:
                print_line(tab_separated(row, self._columns))
        self._is_empty = False

    def end(self, *, is_complete: bool) -> None:
        """Finish the output. After a failure, the JSON array stays open, and so is invalid."""
        if not is_complete:
            return
        if self._format == "json":
            print_line("[]" if self._is_empty else "\n]")
        if self._format == "csv":
            self._print_header_once()

    def _print_header_once(self) -> None:
        if self._is_empty:
            write(_comma_separated(self._columns))
            self._is_empty = False


def _comma_separated(values: Sequence[str]) -> str:
    """Return the values as a line of CSV."""
    import csv
    import io

    line = io.StringIO()
    # Before Python 3.13, a value is quoted only if it has a line break of the line terminator.
    csv.writer(line, lineterminator="\r\n").writerow(values)
    return line.getvalue().removesuffix("\r\n") + "\n"


def report_skipped_rows(stats: WalkStats, on_unverified: Literal["raise", "skip", "yield"]) -> None:
    """Print to stderr how many rows a walk received and did not yield, and why."""
    treated = "included" if on_unverified == "yield" else "skipped"
    for count, noun, what in (
        (stats.foreign_rows_dropped, "row", "of other rooms or sessions dropped"),
        (stats.duplicates_dropped, "duplicate", "skipped"),
        (stats.invalid_rows, "unreadable row", "skipped"),
        (stats.unverified_rows, "row", f"without room or session {treated}"),
        (stats.shortfall, "row", "missing, according to the service's total; see --verify"),
    ):
        if count:
            notify(f"{plural(count, noun)} {what}")
