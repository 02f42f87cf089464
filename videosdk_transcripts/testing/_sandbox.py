"""
The sandbox: a fake service with generated meetings, as a process of its own if needed.

The data resembles an account after some weeks of meetings.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Final

from ._rows import EPOCH, Row, find_id, iso, new_session_id
from ._server import FakeVideoSDK
from ._service import FakeService

SANDBOX_ROOMS: Final = ("wkly-team-sync", "9hjt-2m4k-p0qa", "sale-call-demo", "bqrz-tt51-x3nd")
"""The rooms of the sandbox. The first one has more than one page of rows."""

_SHARES: Final = (28, 9, 6, 4)
_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz0123456789"
_FILES_AFTER: Final = 2.0
_ENDS_AFTER: Final = 4.0
"""Seconds until the running transcription ends."""
_LENGTH: Final = timedelta(minutes=26)


def fill_sandbox(fake: FakeService, seed: int = 7, rooms: int = len(SANDBOX_ROOMS)) -> None:
    """
    Fill a fake service with generated meetings, newest first, the same for the same seed.

    Args:
        fake: the service to fill.
        seed: determines the data.
        rooms: how many rooms, 1 or more; the first ones are those of `SANDBOX_ROOMS`.

    One room has more than a page of rows. Sessions have one or two transcriptions. One
    transcription is running, one is completed without a file so far, and one failed.
    """
    chance = random.Random(seed)  # noqa: S311 - sample data, not secrets
    meetings = [room for room, share in _shares(seed, rooms) for _ in range(share)]
    chance.shuffle(meetings)
    start = EPOCH
    for number, room in enumerate(meetings):
        start += timedelta(minutes=chance.randint(40, 900), seconds=chance.random() * 60)
        session_id = new_session_id(chance)
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
    without_files = {"status": "completed", "formats": (), "duration": timedelta(minutes=31)}
    running = {"status": "running", "formats": (), "duration": None}
    for state in (failed, without_files, running):
        start += timedelta(minutes=chance.randint(40, 200))
        session_id = new_session_id(chance)
        fake.add_transcription(
            at=0, room_id=SANDBOX_ROOMS[0], session_id=session_id, start=start, **state
        )


def _shares(seed: int, rooms: int) -> list[tuple[str, int]]:
    """Return each room with its number of meetings."""
    # Its own source, so that more rooms do not change the first ones.
    chance = random.Random(f"rooms {seed}")  # noqa: S311 - sample data, not secrets
    shares: list[tuple[str, int]] = []
    shares.extend(list(zip(SANDBOX_ROOMS, _SHARES, strict=True))[:rooms])
    while len(shares) < rooms:
        parts = ("".join(chance.choices(_LETTERS, k=4)) for _ in range(3))
        shares.append(("-".join(parts), chance.randint(2, 12)))
    return shares


def run_sandbox(fake: FakeService, seed: int = 7, rooms: int = len(SANDBOX_ROOMS)) -> None:
    """
    Fill a service that is being served, as `fill_sandbox` does, and change it over time.

    It has files and recordings. The completed transcription without a file gets it after two
    seconds. The running one ends after four seconds and is followed by another one in the same
    room, which ends as well. Call it in the event loop that serves the service.
    """
    fill_sandbox(fake, seed, rooms)
    fake.jobs.files_after = _FILES_AFTER
    for row in fake.rows:
        if row["status"] == "completed" and "transcriptionFilePaths" not in row:
            fake.jobs.stopped(row, fake.now())
    for row in fake.rows[len(fake.rows) // 2 :: 4]:
        fake.add_post_transcription(
            room_id=find_id(row, "roomId"), session_id=find_id(row, "sessionId")
        )
    fake.files.serve_all()
    session_id = new_session_id(random.Random(seed))  # noqa: S311 - sample data, not secrets
    loop = asyncio.get_running_loop()
    loop.call_later(_ENDS_AFTER, _end_and_continue, fake, fake.rows[0], session_id)


def _end_and_continue(fake: FakeService, row: Row, session_id: str) -> None:
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


def _end(fake: FakeService, row: Row) -> datetime:
    """End a transcription at a generated time, unless a request has stopped it already."""
    end = datetime.fromisoformat(row["start"]) + _LENGTH
    if row["status"] == "running":
        row["status"], row["end"] = "completed", iso(end)
        fake.jobs.stopped(row, fake.now())
    return end


async def serve(
    port: int = 8787,
    *,
    rooms: int = len(SANDBOX_ROOMS),
    seed: int = 7,
    started: Callable[[FakeVideoSDK], object] | None = None,
) -> None:
    """
    Run a sandbox on loopback until this is cancelled.

    Args:
        port: the port to listen on, up to 65535; 0 for any free port.
        rooms: how many generated rooms, as in `run_sandbox`; 0 for an empty service.
        seed: determines the data, the same for the same seed.
        started: called once with the service when it accepts connections, for example to print
            its address or to add faults.

    Raises:
        ValueError: `port` or `rooms` is out of its bounds.
        OSError: the port is not available, for example because another program listens on it.
            Its ``strerror`` names the port and the reason.
    """
    if not 0 <= port <= 65535:
        raise ValueError(f"port must be from 0 to 65535, not {port}")
    if rooms < 0:
        raise ValueError(f"rooms must be 0 or more, not {rooms}")
    async with AsyncExitStack() as stack:
        try:
            fake = await stack.enter_async_context(FakeVideoSDK(port=port, seed=seed))
        except OSError as error:
            reason = os.strerror(error.errno or 0).lower()
            text = f"can't listen on 127.0.0.1:{port}, {reason}; choose another port"
            raise OSError(error.errno, text) from None
        if rooms:
            run_sandbox(fake, seed, rooms)
        if started is not None:
            started(fake)
        await asyncio.get_running_loop().create_future()
