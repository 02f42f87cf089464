"""Generated meetings, and the sandbox as a process."""

import asyncio
import json
import os
import re
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import aiohttp
import pytest

from videosdk_transcripts import (
    ClientClosedError,
    TranscriptsClient,
)
from videosdk_transcripts.testing import (
    SANDBOX_ROOMS,
    FakeVideoSDK,
    fill_sandbox,
    open_sandbox,
    run_sandbox,
    serve,
)
from videosdk_transcripts.testing._rows import Row

SANDBOX = "videosdk_transcripts.testing._sandbox"


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - a timer has no event
            await asyncio.sleep(0.005)


NOW = datetime(2026, 3, 20, 10, 0, tzinfo=UTC)


def filled(*, now: datetime = NOW, **options: Any) -> list[Row]:
    """Return the rows of a sandbox at a time."""
    fake = FakeVideoSDK(now=now.timestamp)
    fill_sandbox(fake, **options)
    return fake.rows


@pytest.fixture
def sandbox() -> list[Row]:
    """The rows of a sandbox."""
    return filled()


@asynccontextmanager
async def served(**options: Any) -> AsyncIterator[FakeVideoSDK]:
    """Run a sandbox during a block and end it as Ctrl-C does."""
    begun: asyncio.Future[FakeVideoSDK] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(started=begun.set_result, **options))
    try:
        await asyncio.wait([begun, task], return_when=asyncio.FIRST_COMPLETED)
        yield begun.result()
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def free_port() -> int:
    """Return a port on which no program listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def test_sandbox_is_determined_by_seed(sandbox: list[Row]) -> None:
    """Another seed makes another account."""
    assert sandbox == filled()
    assert sandbox != filled(seed=8)


@pytest.mark.parametrize("hour", [0, 10, 23])
@pytest.mark.parametrize("rooms", [1, 4, 5])
def test_sandbox_ends_today(hour: int, rooms: int) -> None:
    """Each day before has meetings, no row starts or ends later, and the ids stay."""
    now = NOW.replace(hour=hour, minute=20)
    rows = filled(now=now, rooms=rooms)
    starts = [datetime.fromisoformat(row["start"]) for row in rows]
    assert all(above > below for above, below in pairwise(starts))
    assert starts[0] == now - timedelta(minutes=26)
    assert all(datetime.fromisoformat(row.get("end", row["start"])) <= now for row in rows)
    days = {start.date() for start in starts}
    assert {NOW.date() - timedelta(days=n) for n in range(1, 12)} < days
    assert [row["id"] for row in rows] == [row["id"] for row in filled(rooms=rooms)]


async def test_sandbox_has_a_custom_room_id(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """Its first room has the id."""
    fill_sandbox(fake)
    assert await client.resolve_room("weekly-sync") == SANDBOX_ROOMS[0]


def test_sandbox_is_newest_first(sandbox: list[Row]) -> None:
    """No two rows share an id."""
    assert all(above["start"] > below["start"] for above, below in pairwise(sandbox))
    assert len(sandbox) == len({row["id"] for row in sandbox})


def test_sandbox_has_several_rooms(sandbox: list[Row]) -> None:
    """The first one has more than one page of rows."""
    rooms = Counter(row["extension"]["extensionConfig"]["roomId"] for row in sandbox)
    assert set(SANDBOX_ROOMS) == set(rooms)
    assert rooms.pop(SANDBOX_ROOMS[0]) > 20 > max(rooms.values())


def test_sandbox_sessions_have_one_or_two_transcriptions(sandbox: list[Row]) -> None:
    """A session id has 24 digits, as in the vendor's samples."""
    places = Counter(tuple(row["extension"]["extensionConfig"].values()) for row in sandbox)
    assert {1, 2} == set(places.values())
    sessions = {session for _, session in places}
    assert len(places) == len(sessions)
    assert all(re.fullmatch("[0-9a-f]{24}", session) for session in sessions)


def test_sandbox_has_running_failed_and_file_less_rows(sandbox: list[Row]) -> None:
    """There is one of each."""
    without_files = [row for row in sandbox if "transcriptionFilePaths" not in row]
    assert [row["status"] for row in without_files] == ["running", "completed", "failed"]
    assert [row for row in sandbox if "end" not in row] == without_files[:1]
    assert {"completed"} == {row["status"] for row in sandbox if row not in without_files}
    with_summary = [row for row in sandbox if "summarizedFilePaths" in row]
    assert 0 < len(with_summary) < len(sandbox)


async def test_walk_over_a_sandbox_room(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """It yields the rows of that room only."""
    fill_sandbox(fake)
    room = SANDBOX_ROOMS[0]
    walked = [t.to_dict() async for t in client.iter_transcriptions(room)]
    assert [
        row for row in fake.rows if row["extension"]["extensionConfig"]["roomId"] == room
    ] == walked


def test_more_rooms_keep_the_first_ones() -> None:
    """Rooms are determined by the seed."""
    made = []
    for rooms, seed in ((9, 1), (9, 1), (9, 2), (2, 1)):
        fake = FakeVideoSDK()
        fill_sandbox(fake, seed, rooms)
        places = (row["extension"]["extensionConfig"]["roomId"] for row in fake.rows)
        made.append(sorted(set(places)))
    assert made[0] == made[1] != made[2]
    assert [len(one) for one in made] == [9, 9, 9, 2]
    assert set(SANDBOX_ROOMS) <= set(made[0])
    assert set(made[3]) == set(SANDBOX_ROOMS[:2])


async def test_serve_runs_until_cancelled(capsys: pytest.CaptureFixture[str]) -> None:
    """API, dashboard and OpenAPI document are on the given port; nothing is printed."""
    port = free_port()
    async with served(port=port, rooms=6) as fake:
        assert fake.url == f"http://127.0.0.1:{port}"
        async with fake.client() as client:
            rows = [row async for row in client.iter_transcriptions()]
        rooms = {row.room_id for row in rows}
        assert len(rooms) == 6
        assert set(SANDBOX_ROOMS) <= rooms
        async with aiohttp.ClientSession(fake.url) as session:
            async with session.get("/dashboard.json") as answer:
                assert SANDBOX_ROOMS[0] in await answer.text()
            async with session.get("/openapi.json") as answer:
                assert json.loads(await answer.text())["openapi"] == "3.1.0"
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    assert capsys.readouterr() == ("", "")


async def test_serve_is_determined_by_seed() -> None:
    """This includes the ids, so that a front end can use them."""
    found = []
    for seed in (1, 1, 2):
        async with served(port=0, rooms=5, seed=seed) as fake:
            found.append([row["id"] for row in (*fake.rows, *fake.post_rows)])
    assert found[0] == found[1] != found[2]


async def test_serve_without_rooms_is_empty() -> None:
    """A start adds the first row."""
    async with served(port=0, rooms=0) as fake:
        assert fake.rows == fake.post_rows == []
        async with fake.client() as client:
            await client.start_transcription("a-room")
            await client.stop_transcription("a-room")
            (row,) = [row async for row in client.iter_transcriptions("a-room")]
            assert "Ann: " in await client.fetch_text(row)


async def test_serve_names_port_that_is_taken() -> None:
    """No socket is left open."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(OSError, match=f"127.0.0.1:{port}") as caught:
            await serve(port)
    assert caught.value.strerror == (
        f"can't listen on 127.0.0.1:{port}, {os.strerror(caught.value.errno or 0).lower()}; "
        "choose another port"
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"port": 65536}, "not 65536"),
        ({"port": -1}, "not -1"),
        ({"rooms": -1}, "rooms must be 0 or more"),
    ],
)
async def test_serve_rejects_invalid_numbers(options: dict[str, int], words: str) -> None:
    """Nothing has been opened by then."""
    with pytest.raises(ValueError, match=words):
        await serve(**options)


async def test_serve_closes_after_error_in_started() -> None:
    """The port is free afterwards."""
    port = free_port()

    def fail(fake: FakeVideoSDK) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        await serve(port, started=fail)
    with socket.create_server(("127.0.0.1", port)):
        pass


async def test_serve_works_without_started() -> None:
    """It accepts connections."""
    port = free_port()
    task = asyncio.create_task(serve(port, rooms=1))
    async with asyncio.timeout(5):
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                break
            await asyncio.sleep(0.01)
    writer.close()
    await writer.wait_closed()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("is_stopped", [False, True])
async def test_sandbox_changes_over_time(
    fake: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch, *, is_stopped: bool
) -> None:
    """The running transcription ends, another one follows in its room, and that one ends too."""
    monkeypatch.setattr(f"{SANDBOX}._ENDS_AFTER", 0.02)
    run_sandbox(fake)
    before, running = len(fake.rows), fake.rows[0]
    if is_stopped:
        running["status"], running["end"] = "completed", "2026-03-30T10:00:00.000Z"
    await until(lambda: len(fake.rows) > before)
    assert running["status"] == "completed"
    assert (running["end"] == "2026-03-30T10:00:00.000Z") == is_stopped
    following = fake.rows[0]
    assert following["start"] > running["start"]
    assert following["extension"]["extensionConfig"]["roomId"] == SANDBOX_ROOMS[0]
    await until(lambda: following["status"] == "completed")
    assert "end" in following


async def test_open_sandbox_gives_a_client_with_texts() -> None:
    """The client reads the data of the sandbox, and is closed with it."""
    async with open_sandbox() as client:
        t = await anext(client.iter_transcriptions(SANDBOX_ROOMS[2]))
        assert ": " in await client.fetch_text(t)
    with pytest.raises(ClientClosedError):
        await client.count()
