"""``text``, ``summary`` and ``download``: print or download transcript and summary files."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncGenerator, AsyncIterable, Mapping, Sequence
from contextlib import aclosing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import click

from videosdk_transcripts import FileNotReadyError, NotFoundError, VideoSDKTranscriptsError

from ._checkpoint_file import CheckpointFile, open_checkpoint
from ._exit import PartialError, raise_if_only_foreign
from ._list import get_row, progress_of
from ._messages import describe
from ._options import (
    ListQuery,
    Room,
    checkpoint_option,
    command,
    file_account_options,
    file_format_option,
    filter_options,
    id_argument,
    output_format_options,
    query_options,
)
from ._output import (
    OutputFormat,
    notify,
    plain,
    plural,
    print_line,
    report_skipped_rows,
    write,
)
from ._row_filter import RowFilter
from ._settings import Account, run_with_client
from ._signals import end_on_signal
from ._status import Progress, show_progress

if TYPE_CHECKING:
    from videosdk_transcripts import Download, Pager, Results, TranscriptsClient

    from ._output import AnyTranscription


DecodingErrors = Literal["strict", "replace", "ignore"]

_errors_option = click.option(
    "--errors",
    type=click.Choice(["strict", "replace", "ignore"]),
    default="strict",
    show_default=True,
    help="Handling of invalid UTF-8.",
)


@command("text")
@id_argument
@file_format_option
@_errors_option
@output_format_options("json")
@file_account_options
def text(  # noqa: PLR0917 - click calls it by keyword
    transcription_id: str,
    post: bool,
    file_format: str,
    errors: DecodingErrors,
    output_format: OutputFormat | None,
    account: Account,
) -> None:
    """Print the transcript file of the transcription with this ID, unchanged."""

    async def print_text(client: TranscriptsClient) -> None:
        row = await get_row(client, transcription_id, post=post)
        content = await client.fetch_text(row, file_format, errors=errors)
        if output_format == "json":
            _print_json({"id": row.id, "format": file_format, "text": content})
        else:
            _print_content(content)

    run_with_client(account, print_text)


@command("summary")
@id_argument
@_errors_option
@output_format_options("json")
@file_account_options
def summary(
    transcription_id: str,
    post: bool,
    errors: DecodingErrors,
    output_format: OutputFormat | None,
    account: Account,
) -> None:
    """Print the summary of the transcription with this ID."""

    async def print_summary(client: TranscriptsClient) -> None:
        row = await get_row(client, transcription_id, post=post)
        content = await client.fetch_summary(row, errors=errors)
        if output_format == "json":
            _print_json({"id": row.id, "format": "txt", "summary": content})
        else:
            _print_content(content)

    run_with_client(account, print_summary)


def _print_json(document: Mapping[str, str]) -> None:
    print_line(json.dumps(document, indent=2))


def _print_content(content: str) -> None:
    # On a terminal, a line break keeps the prompt on a separate line. Elsewhere nothing is added.
    write(content if content.endswith("\n") or not sys.stdout.isatty() else f"{content}\n")


@command("download")
@query_options(page_size="auto")
@filter_options
@click.option(
    "--to",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=".",
    show_default=True,
    help="Target directory; created if missing.",
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    default=("txt",),
    show_default=True,
    help="Format of the transcript. Repeatable.",
)
@click.option("--no-summary", is_flag=True, help="Do not download summaries.")
@click.option("--overwrite", is_flag=True, help="Re-download existing files.")
@click.option(
    "--concurrency",
    type=click.IntRange(1),
    default=4,
    show_default=True,
    help="Concurrent downloads.",
)
@click.option(
    "--id",
    "ids",
    multiple=True,
    metavar="ID",
    help="Download only the transcription with this ID. Repeatable.",
)
@click.option("--post", is_flag=True, help="Download transcriptions of recordings.")
@checkpoint_option
@output_format_options("json", "jsonl")
@file_account_options
def download(  # noqa: PLR0917 - click calls it by keyword
    room: Room,
    query: ListQuery,
    row_filter: RowFilter,
    directory: Path,
    formats: tuple[str, ...],
    no_summary: bool,
    overwrite: bool,
    concurrency: int,
    ids: tuple[str, ...],
    post: bool,
    checkpoint: Path | None,
    output_format: OutputFormat | None,
    account: Account,
) -> None:
    """
    Download the files of a ROOM, of a SESSION in it, or of the whole account.

    Existing files are complete, and are kept. To continue an interrupted download, run the same
    command again; with --checkpoint, it also skips the part of the list that is done. A failed
    file does not stop the others. The output is one line per file: id, outcome and path,
    separated by tabs.
    """
    if ids and (room.given_id is not None or row_filter.has_options):
        raise click.UsageError(
            "--id cannot be combined with ROOM, --limit, --status, --since or --until"
        )
    if ids and checkpoint is not None:
        raise click.UsageError("--id and --checkpoint are mutually exclusive")
    import asyncio

    report = _DownloadReport(output_format)

    async def save_files(client: TranscriptsClient) -> None:
        def save(rows: AsyncIterable[AnyTranscription]) -> Results[Download[AnyTranscription]]:
            return client.download_all(
                rows,
                directory,
                formats=formats,
                summary=not no_summary,
                overwrite=overwrite,
                concurrency=concurrency,
            )

        try:
            if ids:
                total = len(set(ids))
                show_progress(lambda: Progress(report.rows, total, noun="transcriptions"))
                async with aclosing(_named_rows(client, ids, report, post=post)) as rows:
                    await report.print_all(save(rows))
            else:
                iterate = client.iter_post_transcriptions if post else client.iter_transcriptions
                arguments = query._replace(room_id=await room.resolve(client))._asdict()

                def create(resume: str | None) -> _Sweep:
                    pager = iterate(**arguments, **row_filter.walk_options(resume), resume=resume)
                    rows = _SelectedRows(pager, row_filter)
                    return _Sweep(pager, save(rows if row_filter.is_by_status else pager), report)

                sweep, file = open_checkpoint(checkpoint, create)
                await _save_listed(sweep, file, query, row_filter)
        except asyncio.CancelledError:
            notify(f"\n{report.interrupted(is_overwriting=overwrite and checkpoint is None)}")
            raise

    run_with_client(account, save_files)
    report.raise_if_failed()


class _SelectedRows:
    """The rows of a walk that have a selected status, with the checkpoint of the walk."""

    def __init__(self, pager: Pager[Any], row_filter: RowFilter) -> None:
        self._pager = pager
        self._row_filter = row_filter

    @property
    def checkpoint(self) -> str:
        return self._pager.checkpoint

    async def __aiter__(self) -> AsyncGenerator[AnyTranscription]:
        async for row in self._pager:
            if self._row_filter.selects(row):
                yield row
            if self._row_filter.is_full:
                return


class _Sweep(NamedTuple):
    """The downloads of a walk."""

    pager: Pager[Any]
    downloads: Results[Download[AnyTranscription]]
    report: _DownloadReport

    @property
    def checkpoint(self) -> str:
        """Return where to resume: at the first row that failed, or after the last printed row."""
        return self.report.resume_at or self.downloads.checkpoint or ""


async def _save_listed(
    sweep: _Sweep,
    file: CheckpointFile,
    query: ListQuery,
    row_filter: RowFilter,
) -> None:
    pager, downloads, report = sweep
    succeeded = False

    def progress() -> Progress:
        if row_filter.is_by_status:
            # The number of rows with a status is unknown until all rows are read.
            return progress_of(pager, row_filter, pending=row_filter.selected - report.rows)
        return Progress(report.rows, downloads.total, pager.stats.retries, "transcriptions")

    show_progress(progress)
    try:
        async with pager, file.kept_current():
            await report.print_all(downloads, file)
        succeeded = True
    finally:
        if not row_filter.is_by_status:
            row_filter.count(pager.stats)
        # There is more to resume after a limit, and a failed row has to be tried again.
        is_done = not row_filter.is_full and not report.has_failures
        file.close(complete=succeeded and is_done)
        report_skipped_rows(pager.stats, query.on_unverified)
        row_filter.report(pager.stats)
    raise_if_only_foreign(pager.stats)


async def _named_rows(
    client: TranscriptsClient, ids: Sequence[str], report: _DownloadReport, *, post: bool
) -> AsyncGenerator[AnyTranscription]:
    for row_id in dict.fromkeys(ids):
        try:
            row = await get_row(client, row_id, post=post)
        except NotFoundError as error:
            report.add(row_id, {}, (), error)
        else:
            yield row


class _DownloadReport:
    """Print the outcome of each row as soon as it is known, and count the outcomes."""

    def __init__(self, output_format: OutputFormat | None) -> None:
        self._format = output_format
        self.rows = self._failed = self._not_ready = self._saved = 0
        self._downloads: Results[Download[AnyTranscription]] | None = None
        self.resume_at: str | None = None
        """The checkpoint before the first failed row, or after the last row if none failed."""

    @property
    def has_failures(self) -> bool:
        """Return whether some files could not be saved."""
        return self._failed > 0

    async def print_all(
        self,
        downloads: Results[Download[AnyTranscription]],
        file: CheckpointFile | None = None,
    ) -> None:
        """
        Make the downloads, and print the outcome of each.

        Raises:
            PartialError: the walk failed after some rows.
            VideoSDKTranscriptsError: the walk failed before the first row.
        """
        self._downloads = downloads
        self.resume_at = downloads.checkpoint
        try:
            async with downloads:
                async for done in downloads:
                    with nullcontext() if file is None else file.printing():
                        self.add(done.transcription.id, done.paths, done.skipped, done.error)
                        if not self.has_failures:
                            self.resume_at = downloads.checkpoint
                    await end_on_signal()
        except VideoSDKTranscriptsError as error:
            if self.rows:
                raise PartialError.after(self.rows, error) from None
            raise
        self.end()

    def add(
        self,
        row_id: str,
        paths: Mapping[str, Path],
        skipped: Sequence[str],
        error: VideoSDKTranscriptsError | None,
    ) -> None:
        """Print the outcome for one row."""
        self.rows += 1
        self._saved += len(paths) - len(skipped)
        # A meeting that has no file, or none of this format, is not a failure.
        is_late = isinstance(error, FileNotReadyError)
        self._not_ready += is_late
        self._failed += error is not None and not is_late
        if self._format is None:
            for name, path in paths.items():
                outcome = "kept" if name in skipped else "saved"
                print_line(f"{plain(row_id)}\t{outcome}\t{path}")
            if error is not None:
                outcome = "not ready" if is_late else "failed"
                print_line(f"{plain(row_id)}\t{outcome}\t{plain(describe(error))}")
            return
        document = json.dumps(
            {
                "id": row_id,
                "paths": {name: str(path) for name, path in paths.items()},
                "skipped": list(skipped),
                "error": None if error is None else describe(error),
            }
        )
        if self._format == "json":
            write(f"{'[' if self.rows == 1 else ','}\n{document}")
        else:
            print_line(document)

    def progress(self) -> str:
        """Return how many transcriptions are done, and how many there are if that is known."""
        downloads = self._downloads
        total = None if downloads is None else downloads.total
        noun = "transcription" if total == 1 else "transcriptions"
        return f"{self.rows} of {'?' if total is None else total} {noun}"

    def interrupted(self, *, is_overwriting: bool) -> str:
        """Return the message for an interruption."""
        without = " without --overwrite" if is_overwriting else ""
        return (
            f"{self.progress()} done; run the same command again{without} to continue; saved "
            "files are kept"
        )

    def end(self) -> None:
        """Finish the output, and print a summary to stderr."""
        if self._format == "json":
            print_line("\n]" if self.rows else "[]")
        not_ready = f", {self._not_ready} not ready" if self._not_ready else ""
        notify(
            f"{plural(self._saved, 'file')} saved for {plural(self.rows, 'transcription')}"
            f"{not_ready}"
        )

    def raise_if_failed(self) -> None:
        """Raise a PartialError if some files could not be saved."""
        if self._failed:
            raise PartialError(
                f"{self._failed} of {plural(self.rows, 'transcription')} failed; "
                "run the same command again to retry"
            )
