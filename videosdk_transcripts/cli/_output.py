"""Rows on stdout, for people and for programs; messages and progress on stderr."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal

from videosdk_transcripts._redact import printable

if TYPE_CHECKING:
    from datetime import timedelta

    from rich.console import Console

    from videosdk_transcripts import Pager, PostTranscription, Transcription, WalkStats

    AnyTranscription = Transcription | PostTranscription

OutputFormat = Literal["json", "jsonl", "csv"]

COLUMNS: Final = ("id", "status", "start", "end", "duration", "room", "session", "files")
"""All columns that can be printed."""
_LINE_COLUMNS: Final = ("id", "status", "start", "end", "room", "session", "files")
"""Default columns of a tab-separated line. Their order is part of the public interface."""
_PROGRESS_AFTER: Final = 1.0
"""Seconds before progress is shown. A walk that is done by then needs none."""
_REFRESH: Final = 0.1
"""Seconds between two updates of the progress line."""
_MIN_WIDTH: Final = 20
"""Columns of the narrowest table; a terminal that is narrower breaks its lines."""


# Text.


def write(text: str) -> None:
    """
    Write a text to stdout immediately, and wait until all of it is written.

    On a terminal, characters that would move the cursor are replaced; elsewhere nothing is.

    Raises:
        OSError: it cannot be written.
    """
    sys.stdout.write(readable(text) if sys.stdout.isatty() else text)
    sys.stdout.flush()


def print_line(text: str) -> None:
    """Write a line to stdout, as `write` does."""
    write(f"{text}\n")


def notify(text: str) -> None:
    """Print a message to stderr. A message that cannot be written does not stop the command."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def plain(text: str) -> str:
    """Replace the characters that would move a terminal's cursor or break a line."""
    return printable(text, len(text))


def readable(text: str) -> str:
    """Replace the same characters of a longer text, and keep line breaks and tabs."""
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
    # To the millisecond, as the service counts, and never in exponent notation.
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
        columns: what to print of a row; None for the default of the format.
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
        """Finish the output. After a failure the JSON array stays open instead, hence invalid."""
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


def _console(*, stderr: bool = False) -> Console:
    """Return a console of the width of the terminal."""
    import shutil

    # Imported here: rich takes longer to load than a short walk.
    from rich.console import Console

    # rich prints nothing on a terminal without columns.
    width, height = shutil.get_terminal_size()
    return Console(stderr=stderr, width=max(width, _MIN_WIDTH), height=height)


def _comma_separated(values: Sequence[str]) -> str:
    """Return the values as a line of CSV."""
    import csv
    import io

    line = io.StringIO()
    # Before Python 3.13 a value is quoted only for those line breaks that are in the terminator.
    csv.writer(line, lineterminator="\r\n").writerow(values)
    return line.getvalue().removesuffix("\r\n") + "\n"


def report_skipped_rows(stats: WalkStats, on_unverified: Literal["raise", "skip", "yield"]) -> None:
    """Report on stderr the rows that a walk received and did not yield, and why."""
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


# Progress.


@asynccontextmanager
async def progress_of(
    pager: Pager[Any], *, rows_scroll: bool, counted: Callable[[], str] | None = None
) -> AsyncGenerator[None]:
    """
    Show the progress of a walk on stderr during the block, and clear it at the end.

    It counts the walk's rows, unless `counted` returns something else.

    Nothing is shown where stderr is not a terminal, or where `rows_scroll` on the same terminal.
    """
    import asyncio

    if rows_scroll or not sys.stderr.isatty():
        yield
        return
    task = asyncio.create_task(_show_progress(pager, counted))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _show_progress(pager: Pager[Any], counted: Callable[[], str] | None) -> None:
    import asyncio

    await asyncio.sleep(_PROGRESS_AFTER)
    with live_line() as update:
        while True:
            rows = _rows_of_total(pager) if counted is None else counted()
            update(f"{rows}{_retries(pager)}")
            await asyncio.sleep(_REFRESH)


@contextmanager
def live_line() -> Generator[Callable[[str], None]]:
    """Show a line on the terminal of stderr during the block; yield a function that sets it."""
    from rich.live import Live
    from rich.spinner import Spinner

    spinner = Spinner("dots")
    # Rows are written to stdout directly, so that it must not be redirected to this console.
    with Live(
        spinner,
        console=_console(stderr=True),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ):
        yield lambda text: spinner.update(text=text)


def _rows_of_total(pager: Pager[Any]) -> str:
    stats = pager.stats
    done = stats.rows_yielded + stats.rows_out_of_range + stats.rows_without_start
    return f"{done} of {pager.total or '?'} rows"


def _retries(pager: Pager[Any]) -> str:
    retries = pager.stats.retries
    noun = "retry" if retries == 1 else "retries"
    return f", {retries} {noun}" if retries else ""
