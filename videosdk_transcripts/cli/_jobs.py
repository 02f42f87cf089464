"""What became of a start or a stop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable

import click

from videosdk_transcripts import WriteResult

from ._options import Form
from ._rows import show_row
from ._text import tell


async def print_result(room_id: str, request: Awaitable[WriteResult], form: Form | None) -> None:
    """Print the row, and how it is known that the service did it."""
    try:
        result = await request
    except asyncio.CancelledError:
        tell(f"\nwhether the service did it is not known: see videosdk-transcripts list {room_id}")
        raise
    if form == "json":
        row = result.transcription.to_dict()
        click.echo(json.dumps({"outcome": result.outcome, "transcription": row}, indent=2))
        return
    show_row(result.transcription, form)
    tell(
        {
            "answered": "the service answered",
            "found": "its answer was lost; this is what the list of the room shows",
            "sent again": "an answer was lost, so that it was sent again",
        }[result.outcome]
    )
