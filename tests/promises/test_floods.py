"""
P10, P11 and P12 under floods: a typed error or the correct rows, in bounded memory.

Memory is the peak of Python's own allocations.
"""

import asyncio
import gzip
import json
import os
import sys
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import chain, repeat
from typing import Any

import pytest

from videosdk_transcripts import (
    InvalidResponseError,
    InvalidRowError,
    ResponseTooLargeError,
    RetryPolicy,
    ServerError,
    TimedOutError,
    TranscriptsClient,
    VideoSDKTranscriptsError,
)
from videosdk_transcripts.testing import Body, FakeVideoSDK

from ..conftest import read_request, tcp

MIB = 1 << 20
CAP = MIB
# aiohttp decompresses up to 256 KiB at a time, and holds a few of these blocks.
WINDOW = 4 * MIB
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
GOOD = OK + b'Content-Length: 14\r\n\r\n[{"id": "a"}]\n'
MUCH = b" " * 65536


class Memory:
    """The peak of the memory allocated in a block."""

    peak = 0


@contextmanager
def measured() -> Iterator[Memory]:
    """Measure the memory of a block."""
    memory = Memory()
    tracemalloc.start()
    try:
        yield memory
        memory.peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@asynccontextmanager
async def flood(*parts: bytes, forever: bytes = b"") -> AsyncIterator[tuple[str, list[bytes]]]:
    """Flood the first connection, and respond normally on others. Yields the request heads."""
    heads: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await read_request(reader))
        if len(heads) > 1:
            writer.write(GOOD)
            return
        for part in chain(parts, repeat(forever) if forever else ()):
            for at in range(0, len(part), 65536):
                writer.write(part[at : at + 65536])
                await writer.drain()
        # Left open: a second request on this connection would get no response.
        await reader.read()

    async with tcp(talk) as url:
        yield url, heads


async def error_and_peak(url: str, timeout: float = 30) -> tuple[VideoSDKTranscriptsError, int]:
    """Return the error and the peak memory of a call, after a second call succeeded."""
    policy = RetryPolicy(attempts=1, attempt_timeout=timeout)
    client = TranscriptsClient(endpoint=url, token="token", retry=policy, max_response_bytes=CAP)
    async with client:
        with measured() as memory, pytest.raises(VideoSDKTranscriptsError) as caught:
            await client.get_page()
        assert [t.id for t in (await client.get_page()).items] == ["a"]
    return caught.value, memory.peak


def compressed(encoding: bytes, body: bytes) -> bytes:
    """Return a response with this Content-Encoding and body."""
    head = b"%sContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n"
    return head % (OK, encoding, len(body)) + body


def bomb(window_bits: int) -> bytes:
    """Compress 1 GiB of spaces into 1 MiB."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, window_bits)
    first, other = (
        compressor.compress(b" " * MIB) + compressor.flush(zlib.Z_FULL_FLUSH) for _ in range(2)
    )
    return first + other * 1023 + compressor.flush()


BOMBS = {
    "gzip": compressed(b"gzip", bomb(31)),
    "deflate": compressed(b"deflate", bomb(15)),
    "raw deflate": compressed(b"deflate", bomb(-15)),
}


# Bytes.


@pytest.mark.parametrize("name", BOMBS)
async def test_decompression_bomb_ends_at_the_cap(name: str) -> None:
    """1 GiB in 1 MiB is never decompressed whole, and its connection is not reused."""
    assert 1_000_000 < len(BOMBS[name]) < 1_200_000
    async with flood(BOMBS[name]) as (url, heads):
        error, peak = await error_and_peak(url)
    assert isinstance(error, ResponseTooLargeError)
    assert (error.attempts, error.status, len(heads)) == (1, 200, 2)
    assert peak < CAP + WINDOW


_CLIENT = """
import asyncio, sys, tracemalloc
from aiohttp import http_parser
from videosdk_transcripts import RetryPolicy, TranscriptsClient, VideoSDKTranscriptsError

async def main():
    once = RetryPolicy(attempts=1)
    print(http_parser.HttpResponseParser is http_parser.HttpResponseParserPy)
    for url in sys.argv[1:]:
        options = {"token": "token", "retry": once, "max_response_bytes": 1 << 20}
        async with TranscriptsClient(endpoint=url, **options) as client:
            tracemalloc.start()
            try:
                await client.get_page()
            except VideoSDKTranscriptsError as error:
                print(type(error).__name__, tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()

asyncio.run(main())
"""


async def test_decompression_bomb_ends_at_the_cap_in_pure_python() -> None:
    """This also applies to aiohttp's parser in Python."""
    async with flood(BOMBS["gzip"]) as (gzip_url, _), flood(BOMBS["deflate"]) as (deflate_url, _):
        done = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _CLIENT, gzip_url, deflate_url),
            env=os.environ | {"AIOHTTP_NO_EXTENSIONS": "1"},
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await done.communicate()
    is_pure, *lines = output.decode().splitlines()
    assert is_pure == "True"
    assert [line.split()[0] for line in lines] == ["ResponseTooLargeError"] * 2
    assert all(int(line.split()[1]) < CAP + WINDOW for line in lines)


@pytest.mark.parametrize("encoding", [b"gzip, gzip", b"x-gzip", b"br", b"zstd", b"rot13"])
async def test_unrequested_content_encoding_raises(encoding: bytes) -> None:
    """It is not decompressed, or not twice, so it is not JSON."""
    twice = gzip.compress(bomb(31))
    async with flood(compressed(encoding, twice)) as (url, heads):
        policy = RetryPolicy(attempts=1)
        async with TranscriptsClient(endpoint=url, token="token", retry=policy) as client:
            with measured() as memory, pytest.raises(InvalidResponseError):
                await client.get_page()
    assert memory.peak < WINDOW
    assert b"Accept-Encoding: gzip, deflate" in heads[0]


BODIES = {
    "chunks": (CHUNKED, b"10000\r\n" + MUCH + b"\r\n"),
    "a length": (OK + b"Content-Length: 999999999999999\r\n\r\n", MUCH),
    "until it closes": (OK + b"\r\n", MUCH),
    "of an error": (b"HTTP/1.1 503 Busy\r\n\r\n", MUCH),
    "of a redirect": (b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", MUCH),
}


@pytest.mark.parametrize("name", BODIES)
async def test_endless_body_ends_at_the_cap(name: str) -> None:
    """The framing does not matter, and its connection is not reused."""
    first, forever = BODIES[name]
    async with flood(first, forever=forever) as (url, heads):
        error, peak = await error_and_peak(url)
    assert isinstance(error, ResponseTooLargeError)
    assert len(heads) == 2
    assert peak < CAP + WINDOW


HEADS = {
    "headers": (OK, b"".join(b"X-%d: y\r\n" % i for i in range(5000))),
    "one header": (OK + b"X: ", b"y" * 65536),
    "a folded header": (OK + b"X: y\r\n", b" z\r\n" * 9999),
    "a name": (OK, b"x" * 65536),
    "a reason": (b"HTTP/1.1 200 ", b"x" * 65536),
    "no HTTP": (b"", b"x" * 65536),
    "a length in digits": (OK + b"Content-Length: ", b"9" * 65536),
    "a chunk's length": (CHUNKED, b"f" * 65536),
    "trailers": (CHUNKED + b"2\r\n[]\r\n0\r\n", b"X: y\r\n" * 9999),
    "one trailer": (CHUNKED + b"2\r\n[]\r\n0\r\nX: ", b"y" * 65536),
}
# aiohttp's parser in Python limits some of these; only time limits them in the compiled one.
SLOW_HEADS = {
    "spaces before a header": (OK + b"X: ", MUCH),
    "a chunk's extension": (CHUNKED + b"2;x=", b"y" * 65536),
    "zeros of a chunk's length": (CHUNKED, b"0" * 65536),
    "chunks of one byte": (CHUNKED, b"1;x=y\r\n \r\n" * 999),
    "100 Continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 999),
    "103 Early Hints": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 999),
}


@pytest.mark.parametrize("name", HEADS)
async def test_endless_http_raises_immediately(name: str) -> None:
    """Everything outside the body is bounded, too."""
    first, forever = HEADS[name]
    async with flood(first, forever=forever) as (url, heads):
        error, peak = await error_and_peak(url)
    assert type(error) is InvalidResponseError
    assert len(heads) == 2
    assert peak < WINDOW


@pytest.mark.parametrize("name", SLOW_HEADS)
async def test_endless_http_ends_at_attempt_timeout(name: str) -> None:
    """Otherwise aiohttp would read forever. The memory is bounded."""
    first, forever = SLOW_HEADS[name]
    async with flood(first, forever=forever) as (url, heads):
        error, peak = await error_and_peak(url, timeout=1)
    assert type(error) in (InvalidResponseError, TimedOutError)
    assert len(heads) == 2
    assert peak < CAP + 2 * WINDOW


# Rows.


def page(rows: list[Any] | str) -> bytes:
    """Return the only page of a list; the rows may be JSON already."""
    listed = rows if isinstance(rows, str) else json.dumps(rows)
    return f'{{"pageInfo": {{"lastPage": 1}}, "transcriptions": {listed}}}'.encode()


@pytest.fixture
def once(fake: FakeVideoSDK) -> Any:
    """Return a function that creates a client with one attempt, for a given response body."""

    def open_client(body: bytes, status: int = 200, **options: Any) -> TranscriptsClient:
        fake.every(1, Body(body, status))
        return fake.client(retry=RetryPolicy(attempts=1), **options)

    return open_client


async def test_page_above_the_cap_is_read_with_a_higher_cap(once: Any) -> None:
    """35 MB of rows exceed the default."""
    body = page([{"id": str(n), "x": "y" * 50_000} for n in range(700)])
    async with once(body) as client:
        with pytest.raises(ResponseTooLargeError, match="larger than 33554432 bytes"):
            await client.get_page()
    async with once(body, max_response_bytes=64 * MIB) as client:
        with measured() as memory:
            found = await client.get_page()
    assert [row.id for row in found.items] == [str(n) for n in range(700)]
    # The body exists as it grows, as a whole, as text, and in the rows.
    assert memory.peak < 4.5 * len(body)


async def test_page_with_far_more_rows_than_requested_is_read(once: Any) -> None:
    """All rows are read, in order."""
    ids = [str(n) for n in range(50_000)]
    async with once(page([{"id": row_id} for row_id in ids])) as client:
        found = [row.id async for row in client.iter_transcriptions()]
    assert found == ids


async def test_first_of_many_invalid_rows_raises(once: Any) -> None:
    """The memory is proportional to the body."""
    body = page([0] * 300_000)
    async with once(body) as client:
        with measured() as memory, pytest.raises(InvalidRowError, match="found a number") as caught:
            await client.get_page()
    assert caught.value.path == "$.transcriptions[0]"
    assert memory.peak < 10 * len(body)


async def test_invalid_rows_are_counted_in_bounded_memory(once: Any) -> None:
    """Each is kept with its path and reason."""
    async with once(page([0] * 5_000)) as client:
        pager = client.iter_transcriptions(on_invalid="skip")
        with measured() as memory:
            assert [row async for row in pager] == []
    assert pager.stats.invalid_rows == 5_000
    assert memory.peak < 5_000 * 500 + MIB


async def test_error_of_a_row_with_many_faults_is_bounded(once: Any) -> None:
    """The message names some of them."""
    files = {str(n): n for n in range(20_000)}
    body = page([{"id": "a", "transcriptionFilePaths": files}])
    async with once(body) as client:
        with measured() as memory, pytest.raises(InvalidRowError) as caught:
            await client.get_page()
    assert caught.value.path == "$.transcriptions[0].transcriptionFilePaths['0']"
    assert len(str(caught.value)) < 3000
    assert memory.peak < 30 * len(body)


@pytest.mark.parametrize(
    ("text", "times"),
    [(b"eyJ", 300_000), (b"a ", 8_000_000), ("\u00e9 ".encode(), 5_000_000)],
)
async def test_long_error_body_costs_no_time(once: Any, text: bytes, times: int) -> None:
    """Only its beginning is searched for a message and for tokens."""
    async with once(text * times, status=500) as client:
        began = time.process_time()
        with pytest.raises(ServerError) as caught:
            await client.get_page()
        took = time.process_time() - began
    assert took < 2
    assert len(str(caught.value)) < 3000
