"""
Run a sandbox: a fake service with generated meetings, optionally as a separate process.

The data resembles an account after some weeks of meetings, up to the current time.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from videosdk_transcripts.client import TranscriptsClient

from ._meetings import meeting_file
from ._rows import Row, find_id, iso, new_session_id
from ._server import FakeVideoSDK
from ._service import FakeService

SANDBOX_ROOMS: Final = ("wkly-team-sync", "9hjt-2m4k-p0qa", "sale-call-demo", "bqrz-tt51-x3nd")
"""The room ids of the sandbox. The first room has more than one page of rows."""

_SHARES: Final = (28, 9, 6, 4)
_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz0123456789"
_CUSTOM_ID: Final = "weekly-sync"
"""The custom room id of the first room."""
_FILES_AFTER: Final = 2.0
"""Seconds until the completed transcription without a file gets it."""
_ENDS_AFTER: Final = 4.0
"""Seconds until the running transcription ends."""
_HOURS: Final = (14, 9)
"""The hours in UTC in which the two meetings of a day start, the later one first."""


def fill_sandbox(fake: FakeService, seed: int = 0, rooms: int = len(SANDBOX_ROOMS)) -> None:
    """
    Fill a fake service with generated meetings, newest first, which depend only on the seed.

    Each day before today has two meetings. One room has more than a page of rows. Sessions have
    one or two transcriptions. In the last three hours, one transcription failed, one completed
    without a file so far, and one is running.

    Args:
        fake: the service to fill, which must be empty; its seed determines the ids, and its clock
            the dates.
        seed: determines the data.
        rooms: the number of rooms, 1 or more; the first ones are those of `SANDBOX_ROOMS`.
    """
    chance = random.Random(seed)  # noqa: S311 - sample data, not secrets
    meetings = [room for room, share in _shares(seed, rooms) for _ in range(share)]
    chance.shuffle(meetings)
    now = _now(fake)
    today = now.replace(hour=0, minute=0)
    for number, room in enumerate(meetings):
        # The last two meetings took place yesterday.
        days, nth = divmod(len(meetings) - 1 - number, 2)
        start = today - timedelta(days=days + 1) + timedelta(hours=_HOURS[nth])
        start += timedelta(minutes=chance.randrange(0, 60, 15), seconds=chance.random() * 60)
        session_id = new_session_id(chance)
        for _ in range(2 if number % 10 == 4 else 1):
            length = timedelta(minutes=chance.randint(12, 75), seconds=chance.random() * 60)
            fake.add_transcription(
                at=0,
                room_id=room,
                session_id=session_id,
                start=start,
                duration=length,
                summary=chance.random() < 0.6,
            )
            start += length
    states: tuple[tuple[str, timedelta, timedelta | None], ...] = (
        ("failed", timedelta(minutes=170), timedelta(seconds=9)),
        ("completed", timedelta(minutes=75), timedelta(minutes=31)),
        ("running", timedelta(minutes=26), None),
    )
    for status, age, duration in states:
        fake.add_transcription(
            at=0,
            room_id=SANDBOX_ROOMS[0],
            session_id=new_session_id(chance),
            status=status,
            start=now - age,
            duration=duration,
            formats=(),
        )
    fake.custom_ids[_CUSTOM_ID] = SANDBOX_ROOMS[0]


def _now(fake: FakeService) -> datetime:
    """Return the time of the service, to the minute."""
    return datetime.fromtimestamp(fake.now(), UTC).replace(second=0, microsecond=0)


def _shares(seed: int, rooms: int) -> list[tuple[str, int]]:
    """Return each room with its number of meetings."""
    # A separate source, so that more rooms do not change the first ones.
    chance = random.Random(f"rooms {seed}")  # noqa: S311 - sample data, not secrets
    shares: list[tuple[str, int]] = []
    shares.extend(list(zip(SANDBOX_ROOMS, _SHARES, strict=True))[:rooms])
    while len(shares) < rooms:
        parts = ("".join(chance.choices(_LETTERS, k=4)) for _ in range(3))
        shares.append(("-".join(parts), chance.randint(2, 12)))
    return shares


def run_sandbox(fake: FakeService, seed: int = 0, rooms: int = len(SANDBOX_ROOMS)) -> None:
    """
    Fill a running service as `fill_sandbox` does, and change it over time.

    It also has recordings, and files with conversations. The completed transcription without a
    file gets it after two seconds. The running one ends after four seconds, and is followed by
    another one in the same room, which ends as well. Call this function in the event loop that
    runs the service.

    Args:
        fake: the service to fill, as for `fill_sandbox`.
        seed: determines the data.
        rooms: the number of rooms, 1 or more.

    Raises:
        RuntimeError: no event loop is running.
    """
    fill_sandbox(fake, seed, rooms)
    fake.jobs.files_after = _FILES_AFTER
    for row in fake.rows:
        if row["status"] == "completed" and "transcriptionFilePaths" not in row:
            fake.jobs.stopped(row, fake.now())
    fake.files.sample = meeting_file
    fake.files.serve_all()
    for row in [row for row in fake.rows if "transcriptionFilePaths" in row][::5]:
        start, end = (datetime.fromisoformat(row[name]) for name in ("start", "end"))
        post = fake.add_post_transcription(
            room_id=find_id(row, "roomId"),
            session_id=find_id(row, "sessionId"),
            start=start,
            duration=end - start,
        )
        _serve_recording(fake, row, post)
    session_id = new_session_id(random.Random(seed))  # noqa: S311 - sample data, not secrets
    loop = asyncio.get_running_loop()
    loop.call_later(_ENDS_AFTER, _end_and_continue, fake, fake.rows[0], session_id)


@asynccontextmanager
async def open_sandbox() -> AsyncGenerator[TranscriptsClient, None]:
    """
    Open a client for a sandbox, to try the package without an account.

    ::

        async with open_sandbox() as client:
            async for t in client.iter_transcriptions("wkly-team-sync"):
                print(t.start, t.status)

    The sandbox is a fake service on loopback with the data of `run_sandbox`. It ends with the
    block.
    """
    async with FakeVideoSDK() as fake, fake.client() as client:
        run_sandbox(fake)
        yield client


def _serve_recording(fake: FakeService, row: Row, post: Row) -> None:
    """Serve the files of a recording, with the text of the realtime transcription."""
    for ending in post["transcriptionFilePaths"]:
        fake.files.put(post, ending, meeting_file(row, ending))
    fake.files.put(post, "txt", meeting_file(row, "txt", True), summary=True)


def _end_and_continue(fake: FakeService, row: Row, session_id: str) -> None:
    _end(fake, row)
    following = fake.add_transcription(
        at=0,
        room_id=SANDBOX_ROOMS[0],
        session_id=session_id,
        start=datetime.fromtimestamp(fake.now(), UTC),
        status="running",
        formats=(),
        duration=None,
    )
    asyncio.get_running_loop().call_later(_ENDS_AFTER, _end, fake, following)


def _end(fake: FakeService, row: Row) -> None:
    """End a transcription, unless a request has stopped it already."""
    if row["status"] == "running":
        row["status"], row["end"] = "completed", iso(datetime.fromtimestamp(fake.now(), UTC))
        fake.jobs.stopped(row, fake.now())


async def serve(
    port: int = 8787,
    *,
    rooms: int = len(SANDBOX_ROOMS),
    seed: int = 0,
    started: Callable[[FakeVideoSDK], object] | None = None,
) -> None:
    """
    Run a sandbox on loopback until this is cancelled.

    Args:
        port: the port to listen on, up to 65535; 0 for any free port.
        rooms: the number of generated rooms, as for `run_sandbox`; 0 for an empty service.
        seed: determines the data.
        started: called once with the service when it accepts connections, for example to print
            its address or to add faults.

    Raises:
        ValueError: `port` or `rooms` is out of bounds.
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
