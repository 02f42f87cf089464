"""What was said, on stdout; and files on disk."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, AsyncIterable, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, Literal

import click
from attrs import frozen

from videosdk_transcripts import (
    FileNotReadyError,
    NotFoundError,
    Pager,
    TranscriptsClient,
    VideoSDKTranscriptsError,
)

from ._chooser import Chooser
from ._columns import Row
from ._exit import PartialError
from ._options import Choice, Form, Walk
from ._progress import progress_of
from ._rows import get_row, tell_of_dropped
from ._text import plain, plural, readable, tell


async def print_text(
    client: TranscriptsClient,
    transcription_id: str,
    format_: str,
    form: Form | None,
    *,
    post: bool,
    summary: bool,
    errors: Literal["strict", "replace", "ignore"],
) -> None:
    """Print the text of a file as it is, or with its id and format as JSON."""
    row = await get_row(client, transcription_id, post=post)
    fetch = client.fetch_summary if summary else client.fetch_text
    text = await fetch(row, format_, errors=errors)
    if form == "json":
        kind = "summary" if summary else "text"
        click.echo(json.dumps({"id": row.id, "format": format_, kind: text}, indent=2))
    elif sys.stdout.isatty():
        click.echo(readable(text), nl=not text.endswith("\n"))
    else:
        click.echo(text, nl=False)


@frozen
class Saving:
    """What to save, and where."""

    directory: Path
    formats: tuple[str, ...]
    summary: bool
    overwrite: bool
    concurrency: int


async def save_files(
    client: TranscriptsClient,
    walk: Walk,
    choice: Choice,
    saving: Saving,
    form: Form | None,
    *,
    post: bool,
) -> None:
    """
    Save the files of a walk, and print what became of each.

    Raises:
        PartialError: some files could not be had, or the walk failed after some rows.
        VideoSDKTranscriptsError: it failed before the first one.
    """
    iterate = client.iter_post_transcriptions if post else client.iter_transcriptions
    chooser = Chooser(choice)
    pager: Any = iterate(**walk._asdict(), limit=chooser.limit)
    tally = _Tally(form)
    try:
        async with progress_of(pager, rows_scroll=sys.stdout.isatty()):
            await _save(client, _Chosen(pager, chooser), saving, tally)
        tally.end()
    finally:
        tell_of_dropped(pager.stats)
        chooser.tell()
    tally.judge()


async def save_files_of(
    client: TranscriptsClient,
    ids: Sequence[str],
    saving: Saving,
    form: Form | None,
    *,
    post: bool,
) -> None:
    """Save the files of rows that are named by their ids. Errors are those of `save_files`."""
    tally = _Tally(form)

    async def rows() -> AsyncGenerator[Row]:
        for row_id in dict.fromkeys(ids):
            try:
                row = await get_row(client, row_id, post=post)
            except NotFoundError as error:
                tally.add(row_id, {}, (), error)
            else:
                yield row

    async with aclosing(rows()) as found:
        await _save(client, found, saving, tally)
    tally.end()
    tally.judge()


async def _save(
    client: TranscriptsClient, rows: AsyncIterable[Row], saving: Saving, tally: _Tally
) -> None:
    try:
        async with client.download_all(
            rows,
            saving.directory,
            formats=saving.formats,
            summary=saving.summary,
            overwrite=saving.overwrite,
            concurrency=saving.concurrency,
        ) as downloads:
            async for done in downloads:
                tally.add(done.transcription.id, done.paths, done.skipped, done.error)
    except VideoSDKTranscriptsError as error:
        if tally.rows:
            raise PartialError.after(tally.rows, error) from None
        raise
    except asyncio.CancelledError:
        again = " without --overwrite" if saving.overwrite else ""
        tell(f"\nto go on, run the same command again{again}: what is saved is kept")
        raise


class _Chosen:
    """The rows of a walk that are wanted, until there are as many as were asked for."""

    def __init__(self, pager: Pager[Any], chooser: Chooser) -> None:
        self._pager = pager
        self._chooser = chooser

    def __aiter__(self) -> _Chosen:
        return self

    async def __anext__(self) -> Row:
        while not self._chooser.is_full:
            row: Row = await anext(self._pager)
            if self._chooser.takes(row):
                return row
        raise StopAsyncIteration


class _Tally:
    """Prints each row when its files are done, and counts."""

    def __init__(self, form: Form | None) -> None:
        self._form = form
        self.rows = self._failed = self._not_ready = self._saved = 0

    def add(
        self,
        row_id: str,
        paths: Mapping[str, Path],
        skipped: Sequence[str],
        error: VideoSDKTranscriptsError | None,
    ) -> None:
        self.rows += 1
        self._saved += len(paths) - len(skipped)
        # That a meeting has no file yet, or none of that format, is nothing that went wrong.
        is_late = isinstance(error, FileNotReadyError)
        self._not_ready += is_late
        self._failed += error is not None and not is_late
        if self._form is None:
            for name, path in paths.items():
                word = "kept" if name in skipped else "saved"
                click.echo(f"{plain(row_id)}\t{word}\t{path}")
            if error is not None:
                word = "not ready" if is_late else "failed"
                click.echo(f"{plain(row_id)}\t{word}\t{plain(str(error))}")
            return
        written = json.dumps(
            {
                "id": row_id,
                "paths": {name: str(path) for name, path in paths.items()},
                "skipped": list(skipped),
                "error": None if error is None else str(error),
            }
        )
        if self._form == "json":
            click.echo(f"{'[' if self.rows == 1 else ','}\n{written}", nl=False)
        else:
            click.echo(written)

    def end(self) -> None:
        if self._form == "json":
            click.echo("\n]" if self.rows else "[]")
        late = f", {self._not_ready} without the file so far" if self._not_ready else ""
        tell(f"{plural(self._saved, 'file')} saved for {plural(self.rows, 'row')}{late}")

    def judge(self) -> None:
        """Raise a PartialError where some could not be saved."""
        if self._failed:
            raise PartialError(
                f"of {plural(self.rows, 'row')} {self._failed} failed; run the same command "
                "again for what is missing"
            )
