"""Rows on stdout: those of a walk, one by its id, and how many there are."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from attrs import frozen

from videosdk_transcripts import (
    PostTranscription,
    Transcription,
    TranscriptsClient,
    VideoSDKTranscriptsError,
    WalkStats,
)

from ._chooser import Chooser
from ._columns import FOR_LINES, FOR_TABLES, Row, cells, heading, shown
from ._exit import PartialError
from ._options import COLUMNS, Choice, Form, Walk
from ._place import Place
from ._progress import progress_of
from ._text import plain, plural, tell


@frozen
class Output:
    """How to print, and where to note how far it came."""

    form: Form | None
    columns: tuple[str, ...] | None
    checkpoint: Path | None


async def print_rows(
    iterate: Callable[..., Any], walk: Walk, choice: Choice, output: Output
) -> None:
    """
    Print the rows of a walk to stdout, and on stderr what was left out.

    Args:
        iterate: begins the walk, as `TranscriptsClient.iter_transcriptions` does.
        walk: what to walk.
        choice: which rows to print.
        output: how.

    Raises:
        PartialError: the walk failed after some rows.
        VideoSDKTranscriptsError: it failed before the first one.
    """
    chooser = Chooser(choice)
    resume = Place.read(output.checkpoint)
    pager = Place.begin(
        output.checkpoint,
        resume,
        lambda place: iterate(**walk._asdict(), limit=chooser.limit, resume=place),
    )
    place = Place(output.checkpoint, lambda: pager.checkpoint)
    on_terminal = sys.stdout.isatty()
    if output.form is None and on_terminal:
        printer: _Table | _Lines = _Table(walk, output.columns)
    else:
        printer = _Lines(output)
    is_over = False
    try:
        async with (
            pager,
            place.kept(),
            progress_of(pager, rows_scroll=on_terminal and not printer.is_late),
        ):
            async for row in pager:
                if chooser.takes(row):
                    place.print(lambda: printer.add(row))  # noqa: B023 - called at once
                    if chooser.is_full:
                        break
        is_over = True
    except VideoSDKTranscriptsError as error:
        if chooser.taken:
            raise PartialError.after(chooser.taken, error) from None
        raise
    except asyncio.CancelledError:
        # The line break leaves the ^C of the terminal behind.
        if output.checkpoint is not None:
            tell("")
        elif chooser.taken:
            tell("\nwith --checkpoint FILE an interrupted walk can be taken up again")
        raise
    finally:
        # Also what a walk that failed had got: its code says that some rows were printed.
        printer.end(is_over=is_over)
        place.leave(complete=is_over and not chooser.is_full)
        tell_of_dropped(pager.stats, resumed=resume is not None)
        chooser.tell()


async def print_row(
    client: TranscriptsClient, transcription_id: str, form: Form | None, *, post: bool
) -> None:
    """Print one row: as JSON, by lines for a person, or with tabs for a program."""
    show_row(await get_row(client, transcription_id, post=post), form)


def show_row(row: Row, form: Form | None) -> None:
    """Print a row that is there, likewise."""
    if form == "json":
        click.echo(json.dumps(row.to_dict(), indent=2))
    elif sys.stdout.isatty():
        width = max(map(len, map(heading, COLUMNS)))
        for name in COLUMNS:
            click.echo(f"{heading(name):{width}}  {plain(shown(row, name))}".rstrip())
    else:
        click.echo(tabbed(row))


async def get_row(client: TranscriptsClient, transcription_id: str, *, post: bool) -> Row:
    """Return one row of either list."""
    if post:
        return await client.get_post_transcription(transcription_id)
    return await client.get_transcription(transcription_id)


async def print_count(
    client: TranscriptsClient, room_id: str | None, session_id: str | None, form: Form | None
) -> None:
    """Print the server's own total."""
    total = await client.count(room_id, session_id)
    click.echo(json.dumps({"count": total}) if form == "json" else total)


def tabbed(row: Row, columns: tuple[str, ...] = FOR_LINES) -> str:
    """Return a row as a line with tabs."""
    return "\t".join(plain(cell) for cell in cells(row, columns))


def tell_of_dropped(stats: WalkStats, *, resumed: bool = False) -> None:
    """
    Say on stderr what a walk has left out.

    Args:
        stats: what it counted.
        resumed: whether it was taken up again, where it meets rows that were printed before.
    """
    again = "seen once more, and not printed again" if resumed else "listed twice, printed once"
    counts = (
        (stats.foreign_rows_dropped, "of other rooms or sessions dropped"),
        (stats.duplicates_dropped, again),
        (stats.invalid_rows, "unreadable and left out"),
        (stats.unverified_rows, "without a room or session, treated as asked"),
    )
    for count, what in counts:
        if count:
            tell(f"{plural(count, 'row')} {what}")


class _Lines:
    """Prints each row when it is there. `click.echo` flushes, so that it reaches a pipe."""

    is_late = False

    def __init__(self, output: Output) -> None:
        self._form = output.form
        self._columns = output.columns or (COLUMNS if output.form == "csv" else FOR_LINES)
        self._is_first = True

    def add(self, row: Row) -> None:
        match self._form:
            case "json":
                before = "[\n" if self._is_first else ",\n"
                click.echo(f"{before}{json.dumps(row.to_dict())}", nl=False)
            case "jsonl":
                click.echo(json.dumps(row.to_dict()))
            case "csv":
                self._add_header()
                click.echo(_separated(cells(row, self._columns)))
            case _:
                click.echo(tabbed(row, self._columns))
        self._is_first = False

    def end(self, *, is_over: bool) -> None:
        """Close what is open. An array of a walk that failed is left open."""
        if is_over and self._form == "json":
            click.echo("[]" if self._is_first else "\n]")
        if is_over and self._form == "csv":
            self._add_header()

    def _add_header(self) -> None:
        if self._is_first:
            click.echo(_separated(self._columns))
            self._is_first = False


class _Table:
    """Prints all rows at the end: a table is as wide as its widest row."""

    is_late = True

    def __init__(self, walk: Walk, columns: tuple[str, ...] | None) -> None:
        known = {"room": walk.room_id, "session": walk.session_id}
        self._columns = columns or tuple(name for name in FOR_TABLES if known.get(name) is None)
        self._rows: list[Transcription | PostTranscription] = []

    def add(self, row: Row) -> None:
        self._rows.append(row)

    def end(self, *, is_over: bool) -> None:
        if self._rows:
            # Imported here: rich costs more than a short walk.
            from ._table import print_table

            print_table(self._rows, self._columns)
        elif is_over:
            tell(plural(0, "transcription"))


def _separated(values: list[str] | tuple[str, ...]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(values)
    return line.getvalue()
