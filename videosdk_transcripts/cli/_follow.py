"""``follow`` and ``wait``: stream changes, and wait for the file of one transcription."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from ._checkpoint_file import open_checkpoint
from ._options import (
    OnInvalid,
    OnUnverified,
    Room,
    account_options,
    checkpoint_option,
    command,
    file_format_option,
    id_argument,
    output_format_options,
    room_argument,
    row_policy_options,
)
from ._output import OutputFormat, notify, print_line, print_transcription, tab_separated
from ._settings import Account, run_with_client
from ._signals import end_on_signal

if TYPE_CHECKING:
    from videosdk_transcripts import Follower, TranscriptionChange, TranscriptsClient

_ABOVE_ZERO = math.ulp(0.0)


@command("follow")
@room_argument
@click.argument("session", required=False)
@click.option(
    "--since",
    type=click.Choice(["now", "start"]),
    default="now",
    show_default=True,
    help="Print only changes from now on, or existing transcriptions too.",
)
@click.option(
    "--poll", type=float, default=30.0, show_default=True, help="Polling interval in seconds."
)
@click.option("--limit", type=click.IntRange(1), help="Stop after this number of changes.")
@click.option("--once", is_flag=True, help="Poll the whole list once, then exit; for cron.")
@checkpoint_option
@row_policy_options
@output_format_options("jsonl")
@account_options
def follow(  # noqa: PLR0917 - click calls it by keyword
    room: Room,
    session: str | None,
    since: Literal["now", "start"],
    poll: float,
    limit: int | None,
    once: bool,
    checkpoint: Path | None,
    on_unverified: OnUnverified,
    on_invalid: OnInvalid,
    output_format: OutputFormat | None,
    account: Account,
) -> None:
    """
    Stream the changes in a ROOM, in a SESSION in it, or in the whole account.

    The output is one line for each new transcription and one for each finished one: the kind
    of change, then the columns of list, separated by tabs. Press Ctrl-C to stop, or use --once
    with --checkpoint in a cron job: each run prints the changes since the previous run.
    """
    if once and checkpoint is None and since == "now":
        raise click.UsageError(
            "--once prints nothing without --checkpoint FILE, which stores the changes already "
            "printed, or --since start"
        )

    async def print_changes(client: TranscriptsClient) -> None:
        import asyncio

        room_id = await room.resolve(client)

        def create(resume: str | None) -> Follower:
            return client.follow(
                room_id,
                session,
                resume=resume,
                since=since,
                poll=poll,
                once=once,
                on_unverified=on_unverified,
                on_invalid=on_invalid,
            )

        follower, file = open_checkpoint(checkpoint, create)
        if not once:
            notify(f"polling every {poll:g} s; press Ctrl-C to stop")
        count = 0
        has_ended = False
        try:
            async with follower, file.kept_current():
                async for change in follower:
                    with file.printing():
                        _print_change(change, output_format)
                        # The change is printed and flushed, so the next run must not repeat it.
                        follower.ack()
                    count += 1
                    if count == limit:
                        break
                    await end_on_signal()
            has_ended = once
        except asyncio.CancelledError:
            # The line break separates the message from the ^C on the terminal.
            hint = "use --checkpoint FILE to receive the changes between two runs as well"
            notify("" if checkpoint is not None else f"\n{hint}")
            raise
        finally:
            # Quiet after a complete run, because cron sends an email for any output.
            file.close(complete=False, is_quiet=has_ended)

    run_with_client(account, print_changes, waiting_for=None)


def _print_change(change: TranscriptionChange, output_format: OutputFormat | None) -> None:
    row = change.transcription
    if output_format == "jsonl":
        print_line(json.dumps({"kind": change.kind, "transcription": row.to_dict()}))
    else:
        print_line(f"{change.kind}\t{tab_separated(row)}")


def _at_least(least: float) -> Callable[[click.Context, click.Parameter, float], float]:
    """Check a number of seconds here, because `wait --post` sends a request before the wait."""

    def check(_context: click.Context, _parameter: click.Parameter, value: float) -> float:
        if not least <= value < math.inf:
            bound = "0 or more" if least == 0 else "more than 0"
            raise click.BadParameter(f"must be a number of seconds, {bound}, not {value:g}")
        return value

    return check


@command("wait")
@id_argument
@file_format_option
@click.option("--summary", is_flag=True, help="Wait for the summary.")
@click.option(
    "--timeout",
    type=float,
    default=3600.0,
    callback=_at_least(_ABOVE_ZERO),
    show_default=True,
    help="Seconds to wait in total.",
)
@click.option(
    "--poll",
    type=float,
    default=5.0,
    callback=_at_least(_ABOVE_ZERO),
    show_default=True,
    help="Initial polling interval in seconds.",
)
@click.option(
    "--grace",
    type=float,
    default=120.0,
    callback=_at_least(0),
    show_default=True,
    help="Seconds to wait for the file of a completed transcription.",
)
@output_format_options("json")
@account_options
def wait(  # noqa: PLR0917 - click calls it by keyword
    transcription_id: str,
    post: bool,
    file_format: str,
    summary: bool,
    timeout: float,
    poll: float,
    grace: float,
    output_format: OutputFormat | None,
    account: Account,
) -> None:
    """Wait until the transcription with this ID has its file, and show the transcription."""
    what = f"{file_format} {'summary' if summary else 'file'}"

    async def wait_for_file(client: TranscriptsClient) -> None:
        import asyncio

        notify(f"waiting up to {timeout:g} s for the {what} of {transcription_id}")
        try:
            # The wait treats an id as that of a realtime transcription. A row has its own type.
            target = (
                await client.get_post_transcription(transcription_id) if post else transcription_id
            )
            ready = await client.wait_until_ready(
                target,
                format=file_format,
                summary=summary,
                timeout=timeout,
                poll=poll,
                grace=grace,
            )
        except asyncio.CancelledError:
            notify("\nrun the same command again to continue waiting")
            raise
        print_transcription(ready, output_format)

    run_with_client(account, wait_for_file, waiting_for=f"the {what}")
