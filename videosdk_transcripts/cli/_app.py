"""
The verbs of the command line, their arguments and their help.

This file imports what help needs. What a verb works with is imported where it runs: the
client and its libraries take five times as long to load as click.
"""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click

from ._exit import ends_well

__all__ = ["run"]

_EXIT_CODES = """
\b
Exit codes:
  0    done, or the reader closed the pipe
  1    the output can't be written
  2    wrong arguments or settings
  3    credentials are missing or refused
  4    not found
  5    rate limited
  6    partial: some rows were printed before it failed
  7    no answer: network or time-out
  8    the service failed or sent what can't be read
  130  interrupted
"""


def run(arguments: Sequence[str] | None) -> int:
    """Run a verb and return the exit code."""
    _prepare_streams()
    # What the library warns of (rows of others, for one) is for the person at the terminal.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("videosdk-transcripts: %(message)s"))
    logger = logging.getLogger("videosdk_transcripts")
    logger.addHandler(handler)
    try:
        return ends_well(
            lambda: app.main(arguments, prog_name="videosdk-transcripts", standalone_mode=False)
        )
    finally:
        logger.removeHandler(handler)


def _prepare_streams() -> None:
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # Closed by whoever started us (`>&-`).
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            # The words of a row need not fit the terminal's encoding.
            stream.reconfigure(errors="backslashreplace")


@click.group(
    epilog=_EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"]},
    # Without a verb some releases of click succeed and others do not; here none does.
    invoke_without_command=True,
)
@click.version_option(package_name="videosdk-transcripts", message="%(prog)s %(version)s")
@click.pass_context
def app(context: click.Context) -> None:
    """
    Read the transcriptions of VideoSDK meetings.

    Credentials come from the environment, VIDEOSDK_API_KEY with VIDEOSDK_SECRET, or
    VIDEOSDK_TOKEN, or from a file with such lines (--env-file), and never from arguments.
    """
    if context.invoked_subcommand is None:
        raise click.UsageError("which verb? See --help", context)


@app.command("list", epilog=_EXIT_CODES)
@click.argument("room", required=False)
@click.argument("session", required=False)
@click.option("--json", "form", flag_value="json", help="One JSON array.")
@click.option("--jsonl", "form", flag_value="jsonl", help="One JSON object a line, as it comes.")
@click.option("--limit", type=click.IntRange(1), help="Rows to print at most.")
@click.option(
    "--page-size", type=click.IntRange(1), default=20, show_default=True, help="Rows a request."
)
@click.option(
    "--unverified",
    type=click.Choice(["raise", "skip", "yield"]),
    default="raise",
    show_default=True,
    help="Rows that name no room or session.",
)
@click.option(
    "--on-invalid",
    type=click.Choice(["raise", "skip"]),
    default="raise",
    show_default=True,
    help="Rows that can't be read.",
)
@click.option(
    "--env-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of NAME=value lines, in place of the environment.",
)
@click.option("--sandbox", is_flag=True, help="Use a fake service with made-up data.")
def list_(  # noqa: PLR0917 - click calls it by keyword
    room: str | None,
    session: str | None,
    form: Literal["json", "jsonl"] | None,
    limit: int | None,
    page_size: int,
    unverified: Literal["raise", "skip", "yield"],
    on_invalid: Literal["raise", "skip"],
    env_file: Path | None,
    sandbox: bool,
) -> None:
    """
    List the transcriptions of a ROOM, of a SESSION in it, or of the whole account.

    On a terminal it is a table; elsewhere one line a row, with tabs between id, status,
    start, end, room, session and formats. With --json an array that failed half-way is
    left open, so that no program takes it for whole.
    """
    if sandbox and env_file:
        raise click.UsageError("--sandbox needs no --env-file")
    import asyncio

    from ._list import Walk, print_transcriptions
    from ._settings import open_client

    walk = Walk(
        room_id=room,
        session_id=session,
        limit=limit,
        page_size=page_size,
        unverified=unverified,
        on_invalid=on_invalid,
    )

    async def work() -> None:
        async with open_client(env_file=env_file, sandbox=sandbox) as client:
            await print_transcriptions(client, walk, form)

    asyncio.run(work())
