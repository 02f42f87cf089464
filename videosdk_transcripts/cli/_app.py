"""The program: its verbs, and how it begins and ends."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from ._doctor_command import doctor
from ._exit import ends_well
from ._file_verbs import download, summary, text
from ._job_verbs import start, stop
from ._list_verbs import count, list_, show
from ._options import group
from ._post_verbs import post
from ._shell_verbs import completion, sandbox
from ._token_command import token
from ._wait_verbs import wait, watch

_VERBS = (
    *(list_, show, count),
    *(text, summary, download),
    *(wait, watch),
    *(start, stop),
    post,
    *(token, doctor),
    *(sandbox, completion),
)


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


@group(
    "videosdk-transcripts",
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


for _verb in _VERBS:
    app.add_command(_verb)
