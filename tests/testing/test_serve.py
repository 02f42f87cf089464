"""The fake service on a port of its own, until it is cancelled."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import pytest

from videosdk_transcripts.testing import SANDBOX_ROOMS, FakeVideoSDK
from videosdk_transcripts.testing._serve import serve


@asynccontextmanager
async def served(**options: Any) -> AsyncIterator[FakeVideoSDK]:
    """Serve while a block lasts, and end as a Ctrl-C does."""
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
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


async def test_it_serves_until_it_is_cancelled(capsys: pytest.CaptureFixture[str]) -> None:
    """The API, the page and its description, on the port that was asked for, and it is quiet."""
    port = free_port()
    async with served(port=port, rooms=6) as fake:
        assert fake.url == f"http://127.0.0.1:{port}"
        async with fake.client() as client:
            rows = [row async for row in client.iter_transcriptions()]
        rooms = {row.room_id for row in rows}
        assert len(rooms) == 6
        assert set(SANDBOX_ROOMS) <= rooms
        async with aiohttp.ClientSession(fake.url) as session:
            async with session.get("/") as answer:
                assert SANDBOX_ROOMS[0] in await answer.text()
            async with session.get("/openapi.json") as answer:
                assert json.loads(await answer.text())["openapi"] == "3.1.0"
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    assert capsys.readouterr() == ("", "")


async def test_the_same_for_the_same_seed() -> None:
    """Ids as well, so that a front end may name them."""
    found = []
    for seed in (1, 1, 2):
        async with served(port=0, rooms=5, seed=seed) as fake:
            found.append([row["id"] for row in (*fake.rows, *fake.post_rows)])
    assert found[0] == found[1] != found[2]


async def test_an_empty_one() -> None:
    """Nothing is in it, until somebody starts something."""
    async with served(port=0, rooms=0) as fake:
        assert fake.rows == fake.post_rows == []
        async with fake.client() as client:
            await client.start_transcription("a-room")
            await client.stop_transcription("a-room")
            (row,) = [row async for row in client.iter_transcriptions("a-room")]
            assert "Ann: " in await client.fetch_text(row)


async def test_a_port_that_is_taken() -> None:
    """The error names the port, and nothing is left open."""
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
    [({"port": 65536}, "port 65536"), ({"port": -1}, "port -1"), ({"rooms": -1}, "-1 rooms")],
)
async def test_numbers_that_make_no_sense(options: dict[str, int], words: str) -> None:
    """They are refused before anything is opened."""
    with pytest.raises(ValueError, match=words):
        await serve(**options)


async def test_what_is_told_may_fail() -> None:
    """The service is closed then."""
    port = free_port()

    def fail(fake: FakeVideoSDK) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        await serve(port, started=fail)
    with socket.create_server(("127.0.0.1", port)):
        pass


async def test_nobody_needs_to_be_told() -> None:
    """It serves all the same."""
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
