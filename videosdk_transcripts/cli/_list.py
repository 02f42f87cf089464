"""``list``, ``show``, ``count``, and ``post`` for transcriptions of recordings."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from videosdk_transcripts import VideoSDKTranscriptsError

from ._checkpoint_file import CheckpointFile, open_checkpoint
from ._exit import EXIT_CODES, PartialError, raise_if_only_foreign
from ._options import (
    ListQuery,
    Room,
    account_options,
    checkpoint_option,
    columns_option,
    command,
    filter_options,
    group,
    id_argument,
    output_format_options,
    query_options,
    room_argument,
)
from ._output import (
    LinePrinter,
    OutputFormat,
    notify,
    print_line,
    print_transcription,
    report_skipped_rows,
)
from ._row_filter import RowFilter
from ._settings import Account, run_with_client
from ._signals import end_on_signal
from ._status import Progress, show_progress
from ._table import TablePrinter

if TYPE_CHECKING:
    from videosdk_transcripts import Pager, TranscriptsClient

    from ._output import AnyTranscription


@command("list")
@query_options(page_size=20)
@filter_options
@output_format_options("json", "jsonl", "csv")
@columns_option
@checkpoint_option
@account_options
def list_(account: Account, **options: Any) -> None:
    """
    List the transcriptions of a ROOM, of a SESSION in it, or of the whole account.

    On a terminal the output is a table, elsewhere one line per row with tab-separated columns.
    A narrow terminal hides columns and shortens ids; use --wide or a pipe for whole ids.
    If a request fails, the array of --json is not closed, so that it cannot be mistaken for a
    complete one. --status, --since and --until filter client-side.
    """
    run_with_client(account, lambda client: _list_rows(client, post=False, **options))


@command("show")
@id_argument
@output_format_options("json")
@account_options
def show(
    transcription_id: str, post: bool, output_format: OutputFormat | None, account: Account
) -> None:
    """Show the transcription with this ID."""
    run_with_client(
        account, lambda client: _show_row(client, transcription_id, output_format, post=post)
    )


@command("count")
@room_argument
@click.argument("session", required=False)
@output_format_options("json")
@account_options
def count(
    room: Room, session: str | None, output_format: OutputFormat | None, account: Account
) -> None:
    """Print the number of transcriptions, as reported by the service."""

    async def print_count(client: TranscriptsClient) -> None:
        total = await client.count(await room.resolve(client), session)
        print_line(json.dumps({"count": total}) if output_format == "json" else str(total))

    run_with_client(account, print_count)


# Without a command, some releases of click succeed and others fail. This makes all fail.
@group("post", invoke_without_command=True)
@click.pass_context
def post(context: click.Context) -> None:
    """
    Read transcriptions of recordings.

    To read or download their files, use --post with text, summary, download or wait.
    """
    if context.invoked_subcommand is None:
        raise click.UsageError("missing command; see --help", context)


@post.command("list", short_help="List transcriptions of recordings.", epilog=EXIT_CODES)
@query_options(page_size=20)
@filter_options
@output_format_options("json", "jsonl", "csv")
@columns_option
@checkpoint_option
@account_options
def _post_list(account: Account, **options: Any) -> None:
    """List the transcriptions of recordings, with the options and output of list."""
    run_with_client(account, lambda client: _list_rows(client, post=True, **options))


@post.command("show", short_help="Show one transcription of a recording.", epilog=EXIT_CODES)
@click.argument("transcription_id", metavar="ID")
@output_format_options("json")
@account_options
def _post_show(transcription_id: str, output_format: OutputFormat | None, account: Account) -> None:
    """Show the transcription of a recording with this ID."""
    run_with_client(
        account, lambda client: _show_row(client, transcription_id, output_format, post=True)
    )


async def _show_row(
    client: TranscriptsClient,
    transcription_id: str,
    output_format: OutputFormat | None,
    *,
    post: bool,
) -> None:
    print_transcription(await get_row(client, transcription_id, post=post), output_format)


async def get_row(
    client: TranscriptsClient, transcription_id: str, *, post: bool
) -> AnyTranscription:
    """Return one transcription, of a recording if `post` is set."""
    if post:
        return await client.get_post_transcription(transcription_id)
    return await client.get_transcription(transcription_id)


async def _list_rows(
    client: TranscriptsClient,
    *,
    room: Room,
    query: ListQuery,
    row_filter: RowFilter,
    output_format: OutputFormat | None,
    columns: tuple[str, ...] | None,
    is_wide: bool,
    checkpoint: Path | None,
    post: bool,
) -> None:
    """
    Print the selected rows of a walk to stdout, and the counts of skipped ones to stderr.

    Raises:
        PartialError: the walk failed after some rows.
        NegativeResult: all rows belong to other rooms or sessions.
        VideoSDKTranscriptsError: the walk failed before the first row.
    """
    import asyncio

    query = query._replace(room_id=await room.resolve(client))

    def create(resume: str | None) -> Pager[Any]:
        iterate = client.iter_post_transcriptions if post else client.iter_transcriptions
        return iterate(**query._asdict(), **row_filter.walk_options(resume), resume=resume)

    pager, file = open_checkpoint(checkpoint, create)
    show_progress(lambda: progress_of(pager, row_filter, is_whole=not file.is_resumed))
    printer = _make_printer(output_format, columns, query, is_wide=is_wide)
    succeeded = False
    try:
        async with pager, file.kept_current():
            async for row in pager:
                if row_filter.selects(row):
                    with file.printing():
                        printer.add(row)
                    if row_filter.is_full:
                        break
                await end_on_signal()
        succeeded = True
    except VideoSDKTranscriptsError as error:
        if row_filter.selected:
            raise PartialError.after(row_filter.selected, error) from None
        raise
    except asyncio.CancelledError:
        # The line break separates the message from the ^C on the terminal.
        if checkpoint is not None:
            notify("")
        elif row_filter.selected:
            notify("\nuse --checkpoint FILE to be able to resume an interrupted run")
        raise
    finally:
        _finish(printer, file, row_filter, succeeded=succeeded)
        report_skipped_rows(pager.stats, query.on_unverified)
        row_filter.report(pager.stats)
    raise_if_only_foreign(pager.stats)


def progress_of(
    pager: Pager[Any], row_filter: RowFilter, *, is_whole: bool = True, pending: int = 0
) -> Progress:
    """
    Return the progress of a walk.

    Args:
        pager: the walk.
        row_filter: selects its rows, and may end it.
        is_whole: whether it begins with the first row, so that the total applies to it.
        pending: how many received rows are not done yet.
    """
    total = pager.total if is_whole else None
    if total is not None and row_filter.rows_bound is not None:
        total = min(total, row_filter.rows_bound)
    stats = pager.stats
    received = stats.rows_yielded + stats.rows_out_of_range + stats.rows_without_start
    return Progress(received - pending, total, stats.retries)


def _finish(
    printer: LinePrinter | TablePrinter,
    file: CheckpointFile,
    row_filter: RowFilter,
    *,
    succeeded: bool,
) -> None:
    """Finish the output, and then the checkpoint file, even if the output cannot be written."""
    try:
        if succeeded:
            with file.printing():
                printer.end(is_complete=True)
        else:
            # Prints nothing to stdout, so that no unprinted row counts as printed.
            printer.end(is_complete=False)
    finally:
        # There is more to resume after a limit.
        file.close(complete=succeeded and not row_filter.is_full)


def _make_printer(
    output_format: OutputFormat | None,
    columns: tuple[str, ...] | None,
    query: ListQuery,
    *,
    is_wide: bool,
) -> LinePrinter | TablePrinter:
    if output_format is not None or not sys.stdout.isatty():
        return LinePrinter(output_format, columns)
    requested = {"room": query.room_id, "session": query.session_id}
    constant = [name for name, value in requested.items() if value is not None]
    return TablePrinter(columns, constant, is_wide=is_wide)
