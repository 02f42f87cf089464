"""``export``: export an account, a room or a list of sessions as a dataset."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import click

from ._exit import PartialError
from ._messages import translate
from ._options import (
    Room,
    command,
    file_account_options,
    output_format_options,
    room_argument,
    time_range_options,
)
from ._output import OutputFormat, notify, plain, plural, print_line
from ._settings import Account, use_account
from ._signals import run_until_signal
from ._status import show_progress, status_line

if TYPE_CHECKING:
    from videosdk_transcripts.export import (
        Engine,
        ExportProgress,
        ExportSummary,
        Pair,
    )

DatasetFormat = Literal["jsonl", "csv", "parquet"]

_LOG_INTERVAL: Final = 30.0
"""Seconds between two lines with the progress, if stderr is not a terminal."""
_SHOWN_ERRORS: Final = 5


def _read_split(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[int, int]:
    if value is None:
        return 0, 1
    index, _, count = value.partition("/")
    if not (index.isascii() and index.isdigit() and count.isascii() and count.isdigit()):
        raise click.BadParameter(
            "must be the number of this job and the number of jobs, such as 0/8"
        )
    return int(index), int(count)


def _import_function(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> Callable[[str], str] | None:
    if value is None:
        return None
    from importlib import import_module

    # As `python -m` does: for the installed script, the path has only the script's folder.
    if "" not in sys.path:
        sys.path.insert(0, "")
    module, _, name = value.partition(":")
    try:
        found: Any = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        reason = str(error)
    else:
        return cast("Callable[[str], str]", found)
    raise click.BadParameter(f"can't import {value!r}, a module and a function: {reason}")


@command("export")
@room_argument
@click.argument("session", required=False)
@click.option(
    "--to",
    "sink",
    required=True,
    metavar="PLACE",
    help="Folder, or URL such as s3://bucket/prefix.",
)
@click.option(
    "--pairs",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    metavar="FILE",
    help="Export these rooms and sessions: CSV or JSON lines; - for stdin.",
)
@click.option(
    "--format",
    "dataset_format",
    type=click.Choice(["jsonl", "csv", "parquet"]),
    default="jsonl",
    show_default=True,
    help="Format of the dataset.",
)
@click.option("--no-text", is_flag=True, help="Export metadata only.")
@click.option("--turns", is_flag=True, help="Add a column with the parsed turns.")
@click.option("--raw-files", is_flag=True, help="Also write each text to a file.")
@click.option("--text-format", default="txt", show_default=True, help="Format of the texts.")
@time_range_options
@click.option(
    "--transform",
    callback=_import_function,
    metavar="MODULE:FUNCTION",
    help="Function that changes each text before it is saved.",
)
@click.option(
    "--shard",
    callback=_read_split,
    metavar="I/N",
    help="Export only the share of job I of N, counted from 0.",
)
@click.option("--update", is_flag=True, help="Add new and finished rows to a complete dataset.")
@click.option(
    "--overlap",
    type=click.FloatRange(0),
    default=86_400,
    show_default=True,
    metavar="S",
    help="Seconds before the previous export from which an update searches for changes.",
)
@click.option("--accept-errors", is_flag=True, help="Complete the dataset despite errors.")
@click.option("--scheduler", metavar="ADDRESS", help="Use a Dask cluster, at tcp://HOST:PORT.")
@click.option(
    "--worker-token", is_flag=True, help="Send short-lived tokens to the workers of the cluster."
)
@click.option(
    "--requests-per-second",
    type=click.FloatRange(0, min_open=True),
    metavar="R",
    help="Rate limit for all machines together.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1),
    default=8,
    show_default=True,
    help="Concurrent downloads in a shard.",
)
@click.option(
    "--shards", type=click.IntRange(1), default=1, show_default=True, help="Concurrent shards."
)
@output_format_options("json")
@file_account_options
def export_(  # noqa: PLR0917 - click calls it by keyword
    room: Room,
    session: str | None,
    sink: str,
    pairs: Path | None,
    dataset_format: DatasetFormat,
    no_text: bool,
    scheduler: str | None,
    worker_token: bool,
    shards: int,
    output_format: OutputFormat | None,
    account: Account,
    **options: Any,
) -> None:
    """
    Export a ROOM, a SESSION in it, a list of sessions or the whole account as a dataset.

    If an export is interrupted, run the same command again to continue. Failed items are listed
    in _errors.jsonl, and the same command retries them. _SUCCESS.json is written when the dataset
    is complete.
    """
    if pairs is not None and room.given_id is not None:
        raise click.UsageError("--pairs cannot be combined with ROOM")
    if worker_token and scheduler is None:
        raise click.UsageError("--worker-token requires --scheduler")
    if scheduler is not None and account.sandbox:
        raise click.UsageError("--sandbox and --scheduler are mutually exclusive")
    if scheduler is not None and account.env_file is not None and not worker_token:
        raise click.UsageError("--env-file with --scheduler requires --worker-token")

    async def run() -> ExportSummary:
        from videosdk_transcripts.export import DaskEngine, LocalEngine, export, read_pairs

        engine: Engine = LocalEngine(shards=shards)
        if scheduler is not None:
            engine = DaskEngine(scheduler, credentials="token" if worker_token else "environment")

        listed: list[Pair] | None = None
        if pairs is not None:
            # Read before the account is used, so that an invalid line is reported first.
            listed = read_pairs(sys.stdin if str(pairs) == "-" else pairs)
        async with use_account(account), status_line("the service"):
            source = listed if listed is not None else await _source(account, room, session)
            return await export(
                source,
                sink,
                format=dataset_format,
                text=not no_text,
                engine=engine,
                on_progress=_progress_reporter(),
                **account.proxy_options,
                **options,
            )

    _report(run_until_signal(run), output_format)


async def _source(
    account: Account, room: Room, session: str | None
) -> str | tuple[str, str] | None:
    room_id = room.given_id
    if room.is_custom:
        async with account.open_client() as client:
            room_id = await room.resolve(client)
    return room_id if room_id is None or session is None else (room_id, session)


def _progress_reporter() -> Callable[[ExportProgress], None]:
    """Return a function that shows the progress on stderr, in the status line of a terminal."""
    if sys.stderr.isatty():
        return lambda progress: show_progress(lambda: _progress_text(progress))
    logged_at = time.monotonic()

    def log(progress: ExportProgress) -> None:
        nonlocal logged_at
        now = time.monotonic()
        if now - logged_at >= _LOG_INTERVAL:
            logged_at = now
            notify(_progress_text(progress))

    return log


def _progress_text(progress: ExportProgress) -> str:
    rows = f"{progress.rows} of {progress.rows_total or '?'} rows"
    if progress.rows_total is None and progress.shards_total is not None:
        rows = f"{progress.rows} rows, {progress.shards} of {progress.shards_total} parts"
    left = progress.seconds_left
    return ", ".join(
        [
            rows,
            f"{progress.rows_per_second:.0f} rows/s",
            *([plural(progress.errors, "error")] if progress.errors else []),
            *([] if left is None else [f"{timedelta(seconds=round(left))} left"]),
        ]
    )


def _report(summary: ExportSummary, output_format: OutputFormat | None) -> None:
    """
    Print the summary to stdout, and the first errors to stderr.

    Raises:
        PartialError: there are errors.
    """
    facts = {
        "rows": summary.rows,
        "texts": summary.texts,
        "missing_texts": summary.missing_texts,
        "parts": len(summary.parts),
        "bytes": summary.bytes,
        "shortfall": summary.shortfall,
        "open_rows": summary.open_rows,
        "errors": len(summary.errors),
        "complete": summary.is_complete,
        "digest": summary.digest,
        "seconds": round(summary.seconds, 3),
    }
    if output_format == "json":
        print_line(json.dumps({"sink": summary.sink, "plan": summary.plan, **facts}, indent=2))
    else:
        for name, value in facts.items():
            print_line(f"{name}\t{str(value).lower()}")
    for error in summary.errors[:_SHOWN_ERRORS]:
        place = error.transcription_id or f"{error.room_id} {error.session_id}"
        notify(plain(f"{place}: {translate(error.reason)}"))
    if summary.errors and not summary.is_complete:
        raise PartialError(
            f"{plural(len(summary.errors), 'error')}, listed in _errors.jsonl; run the same "
            "command again to repeat only these"
        )
    if not summary.is_complete:
        notify("other jobs are not finished yet; the last one completes the dataset")
