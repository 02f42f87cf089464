"""Believable data for a sandbox: what an account looks like after some weeks of meetings."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta
from typing import Final

from ._listing import EPOCH, Row, iso
from ._server import FakeVideoSDK

SANDBOX_ROOMS: Final = ("wkly-team-sync", "9hjt-2m4k-p0qa", "sale-call-demo", "bqrz-tt51-x3nd")
"""The rooms of the sandbox. The first one has more than a page of rows."""

_SHARES: Final = (28, 9, 6, 4)
_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz0123456789"
_FILES_AFTER: Final = 2.0
_ENDS_AFTER: Final = 4.0
"""Seconds. Whoever only looks at what there is has long done so."""
_LENGTH: Final = timedelta(minutes=26)


def fill_sandbox(fake: FakeVideoSDK, seed: int = 7, rooms: int = len(SANDBOX_ROOMS)) -> None:
    """
    Fill the fake service, newest first, the same for the same seed.

    Args:
        fake: what to fill.
        seed: makes the data.
        rooms: how many there are, 1 or more; the first ones are those of `SANDBOX_ROOMS`.

    There are several rooms, one with more than a page of rows; sessions with one and with
    two transcriptions; one that is running, one that is completed and has no file yet, and
    one that failed.
    """
    chance = random.Random(seed)  # noqa: S311 - data, and not secrets
    meetings = [room for room, share in _shares(seed, rooms) for _ in range(share)]
    chance.shuffle(meetings)
    start = EPOCH
    for number, room in enumerate(meetings):
        start += timedelta(minutes=chance.randint(40, 900), seconds=chance.random() * 60)
        session_id = f"{chance.getrandbits(96):024x}"
        for _ in range(2 if number % 10 == 4 else 1):
            length = timedelta(minutes=chance.randint(4, 75), seconds=chance.random() * 60)
            summary = chance.random() < 0.6
            fake.add_transcription(
                at=0,
                room_id=room,
                session_id=session_id,
                start=start,
                duration=length,
                summary=summary,
            )
            start += length
    failed = {"status": "failed", "formats": (), "duration": timedelta(seconds=9)}
    unwritten = {"status": "completed", "formats": (), "duration": timedelta(minutes=31)}
    running = {"status": "running", "formats": (), "duration": None}
    for state in (failed, unwritten, running):
        start += timedelta(minutes=chance.randint(40, 200))
        session_id = f"{chance.getrandbits(96):024x}"
        fake.add_transcription(
            at=0, room_id=SANDBOX_ROOMS[0], session_id=session_id, start=start, **state
        )


def run_sandbox(fake: FakeVideoSDK, seed: int = 7, rooms: int = len(SANDBOX_ROOMS)) -> None:
    """
    Fill a fake service that runs, as `fill_sandbox` does, and let time go by in it.

    It has files and recordings. The transcription that is completed without a file gets it
    two seconds later, and the running one ends after four, to be followed by another one in
    the same room, which ends as well. To be called in the loop that serves it.
    """
    fill_sandbox(fake, seed, rooms)
    fake.jobs.files_after = _FILES_AFTER
    for row in fake.rows:
        if row["status"] == "completed" and "transcriptionFilePaths" not in row:
            fake.jobs.stopped(row, fake.now())
    for row in fake.rows[len(fake.rows) // 2 :: 4]:
        config = row["extension"]["extensionConfig"]
        fake.add_post_transcription(room_id=config["roomId"], session_id=config["sessionId"])
    fake.files.serve_all()
    session_id = f"{random.Random(seed).getrandbits(96):024x}"  # noqa: S311 - data again
    loop = asyncio.get_running_loop()
    loop.call_later(_ENDS_AFTER, _end_and_go_on, fake, fake.rows[0], session_id)


def _end_and_go_on(fake: FakeVideoSDK, row: Row, session_id: str) -> None:
    end = _end(fake, row)
    following = fake.add_transcription(
        at=0,
        room_id=SANDBOX_ROOMS[0],
        session_id=session_id,
        start=end + timedelta(minutes=9),
        status="running",
        formats=(),
        duration=None,
    )
    asyncio.get_running_loop().call_later(_ENDS_AFTER, _end, fake, following)


def _end(fake: FakeVideoSDK, row: Row) -> datetime:
    """End a transcription as a stop would, at a made-up time, unless somebody stopped it."""
    end = datetime.fromisoformat(row["start"]) + _LENGTH
    if row["status"] == "running":
        row["status"], row["end"] = "completed", iso(end)
        fake.jobs.stopped(row, fake.now())
    return end


def _shares(seed: int, rooms: int) -> list[tuple[str, int]]:
    """Return rooms, and how many meetings each has."""
    # A source of its own, so that further rooms leave the first ones as they are named.
    chance = random.Random(f"rooms {seed}")  # noqa: S311
    shares: list[tuple[str, int]] = []
    shares.extend(list(zip(SANDBOX_ROOMS, _SHARES, strict=True))[:rooms])
    while len(shares) < rooms:
        parts = ("".join(chance.choices(_LETTERS, k=4)) for _ in range(3))
        shares.append(("-".join(parts), chance.randint(2, 12)))
    return shares
