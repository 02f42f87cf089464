"""What was said, on stdout; and files on disk."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Literal

import click
from attrs import frozen

from videosdk_transcripts import (
    Download,
    FileNotReadyError,
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

__all__ = ["Saving", "print_text", "save_files"]


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
    at_once: int


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
        async with (
            progress_of(pager, rows_scroll=sys.stdout.isatty()),
            client.download_all(
                _Chosen(pager, chooser),
                saving.directory,
                formats=saving.formats,
                summary=saving.summary,
                overwrite=saving.overwrite,
                at_once=saving.at_once,
            ) as downloads,
        ):
            async for download in downloads:
                tally.add(download)
        tally.end()
    except VideoSDKTranscriptsError as error:
        if tally.rows:
            raise PartialError.after(tally.rows, error) from None
        raise
    finally:
        tell_of_dropped(pager.stats)
        chooser.tell()
    if tally.failed:
        raise PartialError(
            f"of {plural(tally.rows, 'row')} {tally.failed} failed; run the same command again for "
            "what is missing"
        )


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
        self.rows = self.failed = self._not_ready = self._saved = 0

    def add(self, done: Download[Any]) -> None:
        self.rows += 1
        self._saved += len(done.paths) - len(done.skipped)
        # That a meeting has no file yet, or none of that format, is nothing that went wrong.
        is_late = isinstance(done.error, FileNotReadyError)
        self._not_ready += is_late
        self.failed += done.error is not None and not is_late
        if self._form is None:
            self._print_lines(done, is_late=is_late)
            return
        written = json.dumps(
            {
                "id": done.transcription.id,
                "paths": {name: str(path) for name, path in done.paths.items()},
                "skipped": list(done.skipped),
                "error": None if done.error is None else str(done.error),
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

    @staticmethod
    def _print_lines(done: Download[Any], *, is_late: bool) -> None:
        row_id = plain(done.transcription.id)
        for name, path in done.paths.items():
            click.echo(f"{row_id}\t{'kept' if name in done.skipped else 'saved'}\t{path}")
        if done.error is not None:
            word = "not ready" if is_late else "failed"
            click.echo(f"{row_id}\t{word}\t{plain(str(done.error))}")
