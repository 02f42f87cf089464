"""The walk of `list`, and its three ways onto stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Callable
from typing import Literal

import click
from attrs import asdict, frozen

from videosdk_transcripts import (
    Pager,
    Transcription,
    TranscriptsClient,
    VideoSDKTranscriptsError,
    WalkStats,
)

from ._exit import PartialOutputError
from ._progress import Progress

__all__ = ["Walk", "print_transcriptions"]


@frozen
class Walk:
    """What to walk: the arguments of `TranscriptsClient.iter_transcriptions`."""

    room_id: str | None
    session_id: str | None
    limit: int | None
    page_size: int
    unverified: Literal["raise", "skip", "yield"]
    on_invalid: Literal["raise", "skip"]


async def print_transcriptions(
    client: TranscriptsClient, walk: Walk, form: Literal["json", "jsonl"] | None
) -> None:
    """
    Print the rows to stdout, and on stderr what was left out.

    Raises:
        PartialOutputError: the walk failed after some rows.
        VideoSDKTranscriptsError: it failed before the first one.
    """
    pager = client.iter_transcriptions(**asdict(walk))
    try:
        if form == "json":
            await _print_array(_rows(pager))
        elif form == "jsonl":
            await _print_lines(_rows(pager), lambda t: json.dumps(t.to_dict()))
        elif sys.stdout.isatty():
            await _print_table(_rows(pager), walk)
        else:
            await _print_lines(_rows(pager), _tabbed)
    except VideoSDKTranscriptsError as error:
        if pager.stats.rows_yielded:
            raise PartialOutputError(pager.stats.rows_yielded, error) from None
        raise
    _tell_of_dropped(pager.stats)


async def _rows(pager: Pager[Transcription]) -> AsyncIterator[Transcription]:
    with Progress() as progress:
        async for row in pager:
            progress.show(pager)
            yield row


async def _print_array(rows: AsyncIterator[Transcription]) -> None:
    before = "[\n"
    async for t in rows:
        click.echo(f"{before}{json.dumps(t.to_dict())}", nl=False)
        before = ",\n"
    click.echo("[]" if before == "[\n" else "\n]")


async def _print_lines(
    rows: AsyncIterator[Transcription], line: Callable[[Transcription], str]
) -> None:
    # `click.echo` flushes, so that each row reaches a pipe when it is there.
    async for t in rows:
        click.echo(line(t))


async def _print_table(rows: AsyncIterator[Transcription], walk: Walk) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    columns: list[tuple[str, Callable[[Transcription], str]]] = [
        ("Start (UTC)", lambda t: f"{t.start:%Y-%m-%d %H:%M}" if t.start else ""),
        ("Duration", lambda t: str(t.duration).partition(".")[0] if t.duration else ""),
        ("Status", lambda t: t.status or ""),
        ("Files", _formats),
        ("Id", lambda t: t.id),
    ]
    if walk.room_id is None:
        columns.insert(3, ("Room", lambda t: t.room_id or ""))
    if walk.session_id is None:
        columns.insert(-2, ("Session", lambda t: t.session_id or ""))
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name, _ in columns:
        # Folded and not cut: an id is there to be copied.
        table.add_column(name, overflow="fold", no_wrap=name in ("Start (UTC)", "Status"))
    count = 0
    async for t in rows:
        table.add_row(*(Text(_plain(cell(t))) for _, cell in columns))
        count += 1
    if count:
        Console().print(table)
    click.echo(f"{count} transcription{'' if count == 1 else 's'}", err=True)


def _tabbed(t: Transcription) -> str:
    start, end = (moment.isoformat() if moment else "" for moment in (t.start, t.end))
    cells = (t.id, t.status, start, end, t.room_id, t.session_id, _formats(t))
    return "\t".join(_plain(cell or "") for cell in cells)


def _formats(t: Transcription) -> str:
    return ",".join([*t.files, *(["summary"] if t.summary_files else [])])


def _plain(text: str) -> str:
    """Replace what would move a terminal's cursor or break a line: the words are not ours."""
    return "".join(c if c.isprintable() else "�" for c in text)


def _tell_of_dropped(stats: WalkStats) -> None:
    counts = (
        (stats.foreign_rows_dropped, "of other rooms or sessions dropped"),
        (stats.duplicates_dropped, "listed twice, printed once"),
        (stats.invalid_rows, "unreadable and left out"),
        (stats.unverified_rows, "without a room or session, treated as asked"),
    )
    for count, what in counts:
        if count:
            click.echo(f"{count} rows {what}", err=True)
