"""The fake service on a socket, in a thread, and its clients."""

import asyncio
import gc
import socket
import subprocess
import sys
import threading
import time
import weakref
from contextlib import suppress

import aiohttp
import pytest

from videosdk_transcripts import (
    AuthenticationError,
    ConfigurationError,
    TranscriptsClient,
)
from videosdk_transcripts.testing import (
    Delay,
    FakeVideoSDK,
)

from .plain_http import ask, signed


async def iterations(count: int) -> None:
    """Wait for a number of iterations of the event loop."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_client_passes_options_on(fake: FakeVideoSDK) -> None:
    """It has the address and the credentials of the service."""
    with pytest.raises(ConfigurationError, match="max_in_flight"):
        fake.client(max_in_flight=0)
    async with fake.client() as client:
        assert await client.count() == 0
    assert fake.url in repr(client)


async def test_ended_service_is_not_kept_in_memory() -> None:
    """A suite with thousands of tests creates as many services, each with its rows."""
    async with FakeVideoSDK() as fake, fake.client() as client:
        assert await client.count() == 0
    ended = weakref.ref(fake)
    del fake, client
    gc.collect()
    assert ended() is None


async def test_client_accepts_a_token(fake: FakeVideoSDK) -> None:
    """The token is sent unchanged and checked."""
    async with fake.client(token=signed(fake)) as client:
        assert await client.count() == 0
    async with fake.client(token=signed(fake, apikey="another")) as client:
        with pytest.raises(AuthenticationError, match="Token is invalid"):
            await client.count()


async def test_service_can_be_entered_again(http: aiohttp.ClientSession) -> None:
    """It refuses connections in between and keeps its rows."""
    fake = FakeVideoSDK()
    fake.add_transcriptions(2)
    async with fake:
        assert fake.url.startswith("http://127.0.0.1:")
    with pytest.raises(aiohttp.ClientConnectorError):
        await ask(http, fake)
    async with fake:
        assert (await ask(http, fake))[1]["pageInfo"]["total"] == 2


@pytest.mark.parametrize("count", range(6))
async def test_exit_closes_connections_just_accepted(count: int) -> None:
    """The number of iterations since then does not matter."""
    async with FakeVideoSDK() as fake:
        host, port = fake.url.removeprefix("http://").split(":")
        caller = socket.create_connection((host, int(port)))
        await iterations(count)
    with caller:
        await iterations(3)
        caller.settimeout(1)
        with suppress(ConnectionResetError):
            assert caller.recv(1) == b""


async def test_exit_without_enter_does_nothing() -> None:
    """There is nothing to close."""
    fake = FakeVideoSDK()
    await fake.__aexit__(None, None, None)
    assert fake.url == ""


def test_in_thread_serves_a_synchronous_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is found through the environment and closed after the block."""
    with FakeVideoSDK().in_thread() as fake:
        fake.add_transcriptions(3)
        for name, value in fake.environ.items():
            monkeypatch.setenv(name, value)

        async def program() -> str:
            async with TranscriptsClient() as client:
                row = fake.add_transcription()
                fake.files.put(row, "txt", b"Hi.")
                return await client.fetch_text(await client.get_transcription(row["id"]))

        assert asyncio.run(program()) == "Hi."
        port = int(fake.url.rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_in_thread_raises_if_port_is_taken() -> None:
    """The error is raised in the test's thread."""
    with FakeVideoSDK().in_thread() as fake:
        port = int(fake.url.rpartition(":")[2])
        with pytest.raises(OSError, match=r"[Aa]ddress"):  # noqa: SIM117
            with FakeVideoSDK(port=port).in_thread():
                raise AssertionError
    with FakeVideoSDK(port=port).in_thread() as fake:
        assert fake.url == f"http://127.0.0.1:{port}"


def test_in_thread_propagates_errors_of_the_block() -> None:
    """The exception is unchanged."""
    with pytest.raises(KeyError), FakeVideoSDK().in_thread():
        raise KeyError


def test_in_thread_leaves_no_thread() -> None:
    """A request in progress does not delay the end."""
    before = threading.active_count()
    with FakeVideoSDK().in_thread() as fake:
        fake.fail_next(Delay(60))
        with socket.create_connection(("127.0.0.1", int(fake.url.rpartition(":")[2]))) as asking:
            asking.sendall(b"GET /ai/v1/realtime-transcriptions HTTP/1.1\r\nHost: fake\r\n\r\n")
            while not fake.in_flight:
                time.sleep(0.001)
    assert threading.active_count() == before


def test_in_thread_does_not_keep_the_process_alive() -> None:
    """This applies even if the block is never left."""
    code = (
        "from videosdk_transcripts.testing import FakeVideoSDK\n"
        "block = FakeVideoSDK().in_thread()\n"
        "assert block.__enter__().url\n"
    )
    command = (sys.executable, "-W", "error", "-c", code)
    done = subprocess.run(command, capture_output=True, timeout=20, check=True)  # noqa: S603
    assert done.stderr == b""


def test_rows_may_change_while_responses_are_sent() -> None:
    """Each response is complete."""
    with FakeVideoSDK().in_thread() as fake:
        fake.add_transcriptions(100)
        is_over = threading.Event()

        def change() -> None:
            number = 0
            while not is_over.wait(0.0001):
                number += 1
                fake.add_transcription(at=0)
                row = fake.rows.pop(number * 7 % 100)
                row[f"key {number % 50}"] = row["extension"][f"key {number % 50}"] = number
                row.pop(f"key {number * 3 % 50}", None)
                fake.rows.insert(50, row)
                fake.rows.pop()

        async def walk() -> set[int | None]:
            async with fake.client() as client:
                for _ in range(40):
                    page = await client.get_page(page_size=200)
                    assert 98 <= len(page.items) <= 102
            return {seen.status for seen in fake.requests}

        changing = threading.Thread(target=change)
        changing.start()
        try:
            assert asyncio.run(walk()) == {200}
        finally:
            is_over.set()
            changing.join()
