"""The walk of `list`, and its three ways onto stdout."""

from __future__ import annotations

import json
import sys
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
from ._progress import progress_of
from ._text import formats, plain, plural, tell

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
    on_terminal = sys.stdout.isatty()
    try:
        if form is None and on_terminal:
            await _print_table(pager, walk)
        else:
            async with progress_of(pager, rows_scroll=on_terminal):
                await _print_lines(pager, form)
    except VideoSDKTranscriptsError as error:
        if pager.stats.rows_yielded:
            raise PartialOutputError(pager.stats.rows_yielded, error) from None
        raise
    finally:
        _tell_of_dropped(pager.stats)


async def _print_table(pager: Pager[Transcription], walk: Walk) -> None:
    # Imported here: rich costs more than a short walk.
    from ._table import print_table

    rows: list[Transcription] = []
    try:
        async with progress_of(pager, rows_scroll=False):
            async for t in pager:
                rows.append(t)  # noqa: PERF401 - what there is must be there if it fails
    finally:
        # Also what a walk that failed had got: its code says that some rows were printed.
        known = (("Room", walk.room_id), ("Session", walk.session_id))
        if rows:
            print_table(rows, known=[name for name, value in known if value is not None])
    if not rows:
        tell(plural(0, "transcription"))


async def _print_lines(pager: Pager[Transcription], form: Literal["json", "jsonl"] | None) -> None:
    # `click.echo` flushes, so that each row reaches a pipe when it is there.
    before = "[\n"
    async for t in pager:
        if form == "json":
            click.echo(f"{before}{json.dumps(t.to_dict())}", nl=False)
            before = ",\n"
        else:
            click.echo(json.dumps(t.to_dict()) if form == "jsonl" else _tabbed(t))
    if form == "json":
        click.echo("[]" if before == "[\n" else "\n]")


def _tabbed(t: Transcription) -> str:
    start, end = (moment.isoformat() if moment else "" for moment in (t.start, t.end))
    cells = (t.id, t.status, start, end, t.room_id, t.session_id, formats(t))
    return "\t".join(plain(cell or "") for cell in cells)


def _tell_of_dropped(stats: WalkStats) -> None:
    counts = (
        (stats.foreign_rows_dropped, "of other rooms or sessions dropped"),
        (stats.duplicates_dropped, "listed twice, printed once"),
        (stats.invalid_rows, "unreadable and left out"),
        (stats.unverified_rows, "without a room or session, treated as asked"),
    )
    for count, what in counts:
        if count:
            tell(f"{plural(count, 'row')} {what}")
