"""Waiting for one file."""

from __future__ import annotations

import asyncio

from attrs import frozen

from videosdk_transcripts import TranscriptsClient

from ._options import Form
from ._rows import show_row
from ._text import tell


@frozen
class Patience:
    """What to wait for, and how long."""

    format: str
    summary: bool
    timeout: float
    poll: float
    grace: float


async def wait_for(
    client: TranscriptsClient,
    transcription_id: str,
    patience: Patience,
    form: Form | None,
    *,
    post: bool,
) -> None:
    """Wait, and print the row that has the file."""
    what = f"{patience.format} file{' of the summary' if patience.summary else ''}"
    tell(f"waiting up to {patience.timeout:g} s for the {what} of {transcription_id}")
    try:
        # Only a row says which of the two lists it is of.
        row = await client.get_post_transcription(transcription_id) if post else transcription_id
        ready = await client.wait_until_ready(
            row,
            format=patience.format,
            summary=patience.summary,
            timeout=patience.timeout,
            poll=patience.poll,
            grace=patience.grace,
        )
    except asyncio.CancelledError:
        tell("\nto go on, run the same command again")
        raise
    show_row(ready, form)
