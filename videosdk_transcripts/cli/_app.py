"""The program: its commands, its streams and its log output."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from ._doctor import doctor
from ._exit import run_with_exit_code
from ._files import download, summary, text
from ._follow import follow, wait
from ._jobs import start, stop
from ._list import count, list_, post, show
from ._options import group
from ._sandbox import completion, sandbox
from ._token import token

_COMMANDS = (
    *(list_, show, count),
    *(text, summary, download),
    *(wait, follow),
    *(start, stop),
    post,
    *(token, doctor),
    *(sandbox, completion),
)


def run(arguments: Sequence[str] | None) -> int:
    """Run a command and return the exit code."""
    _prepare_streams()
    # Warnings of the library, such as dropped rows of another room, go to stderr.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("videosdk-transcripts: %(message)s"))
    logger = logging.getLogger("videosdk_transcripts")
    logger.addHandler(handler)
    try:
        return run_with_exit_code(
            lambda: app.main(arguments, prog_name="videosdk-transcripts", standalone_mode=False)
        )
    finally:
        logger.removeHandler(handler)


def _prepare_streams() -> None:
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # The parent process closed it (`>&-`).
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            # The text of a row may not be encodable in the terminal's encoding.
            stream.reconfigure(errors="backslashreplace")


@group(
    "videosdk-transcripts",
    context_settings={"help_option_names": ["-h", "--help"]},
    # Without a command, some releases of click succeed and others fail; here it always fails.
    invoke_without_command=True,
)
@click.version_option(package_name="videosdk-transcripts", message="%(prog)s %(version)s")
@click.pass_context
def app(context: click.Context) -> None:
    """
    Read the transcriptions of VideoSDK meetings.

    Credentials come from the environment (VIDEOSDK_API_KEY and VIDEOSDK_SECRET, or
    VIDEOSDK_TOKEN) or from a file of such variables (--env-file), never from arguments.
    """
    if context.invoked_subcommand is None:
        raise click.UsageError("missing command; see --help", context)


for _command in _COMMANDS:
    app.add_command(_command)
