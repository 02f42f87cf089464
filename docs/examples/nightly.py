"""
Store the new transcripts of an account every night: ``python nightly.py FOLDER``, run by cron.

Each run reads the whole list once, and downloads the transcripts that have become available since
the previous run. If a transcript has no file yet, the next run tries it again. After an
interruption, the next run repeats the work, and changes no file that is already stored.
"""

import asyncio
import json
import sys
from pathlib import Path

from attrs import asdict, define, field

from videosdk_transcripts import (
    FileGoneError,
    NotFoundError,
    TranscriptsClient,
    VideoSDKTranscriptsError,
)


@define
class State:
    """The checkpoint of earlier runs, and the transcripts that had no file yet."""

    checkpoint: str | None = None
    pending: list[str] = field(factory=list)


async def main(folder: Path) -> None:
    """Download the transcripts that have become available since the previous run."""
    path = folder / "state.json"
    state = State(**json.loads(path.read_text())) if path.exists() else State()
    async with TranscriptsClient() as client:
        resume = state.checkpoint
        async with client.follow(resume=resume, since="start", once=True) as changes:
            async for change in changes:
                if change.kind == "finished":
                    state.pending.append(change.transcription.id)
        state.checkpoint = changes.checkpoint
        state.pending = [one for one in state.pending if not await store(client, one, folder)]
    part = path.with_suffix(".part")
    part.write_text(json.dumps(asdict(state)))
    part.replace(path)
    print(f"without a file so far: {len(state.pending)}")


async def store(client: TranscriptsClient, transcription_id: str, folder: Path) -> bool:
    """Download the files of a transcription, and return whether it needs no further run."""
    try:
        t = await client.get_transcription(transcription_id)
        if not t.files:
            return t.is_failed  # a failed one never gets a file
        await client.download(t, folder)
    except (NotFoundError, FileGoneError) as error:
        print(error)
    return True


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python nightly.py FOLDER")
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    try:
        asyncio.run(main(target))
    except VideoSDKTranscriptsError as error:
        # The state was not saved, so the next run repeats this one. Cron mails the output.
        raise SystemExit(f"{type(error).__name__}: {error}") from None
