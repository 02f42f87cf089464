"""What happens, as it happens."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Literal

import click
from attrs import frozen

from videosdk_transcripts import TranscriptionChange, TranscriptsClient

from ._options import Form
from ._place import Place
from ._rows import tabbed
from ._text import tell


@frozen
class Watching:
    """What to watch."""

    room_id: str | None
    session_id: str | None
    since: Literal["now", "start"]
    poll: float
    limit: int | None
    checkpoint: Path | None
    on_unverified: Literal["raise", "skip", "yield"]
    on_invalid: Literal["raise", "skip"]


async def print_changes(client: TranscriptsClient, watching: Watching, form: Form | None) -> None:
    """Print one line for each change, without an end unless there is a limit."""
    resume = Place.read(watching.checkpoint)
    follower = Place.begin(
        watching.checkpoint,
        resume,
        lambda place: client.follow(
            watching.room_id,
            watching.session_id,
            resume=place,
            since=watching.since,
            poll=watching.poll,
            on_unverified=watching.on_unverified,
            on_invalid=watching.on_invalid,
        ),
    )
    place = Place(watching.checkpoint, lambda: follower.checkpoint)
    tell(f"watching, each {watching.poll:g} s; Ctrl-C ends it")
    count = 0
    try:
        async with follower, place.kept():
            async for change in follower:
                place.print(lambda: _print(change, form))  # noqa: B023 - called at once
                count += 1
                if count == watching.limit:
                    break
    except asyncio.CancelledError:
        # The line break leaves the ^C of the terminal behind.
        kept = watching.checkpoint is not None
        tell(
            "" if kept else "\nwith --checkpoint FILE the next run tells of what happens till then"
        )
        raise
    finally:
        place.leave(complete=False)


def _print(change: TranscriptionChange, form: Form | None) -> None:
    row = change.transcription
    if form == "jsonl":
        click.echo(json.dumps({"kind": change.kind, "transcription": row.to_dict()}))
    else:
        click.echo(f"{change.kind}\t{tabbed(row)}")
