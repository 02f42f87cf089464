"""
P10, P11 and P12 under floods: a typed error or the right rows, in little memory.

Memory is that of Python's own allocations, at its peak.
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
# aiohttp unpacks up to a quarter of a mebibyte at a time, and holds a few of these.
WINDOW = 4 * MIB
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
GOOD = OK + b'Content-Length: 14\r\n\r\n[{"id": "a"}]\n'
MUCH = b" " * 65536


class Memory:
    """What was allocated at most while a block ran."""

    peak = 0


@contextmanager
def measured() -> Iterator[Memory]:
    """Measure a block."""
    memory = Memory()
    tracemalloc.start()
    try:
        yield memory
        memory.peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@asynccontextmanager
async def flood(*parts: bytes, forever: bytes = b"") -> AsyncIterator[tuple[str, list[bytes]]]:
    """Flood the first connection, and answer well on all others. Gives the heads of requests."""
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
        # Left open: a second request on this connection would have no answer.
        await reader.read()

    async with tcp(talk) as url:
        yield url, heads


async def refusal(url: str, timeout: float = 30) -> tuple[VideoSDKTranscriptsError, int]:
    """Return the error of a call and the memory it took, once a second call has its rows."""
    policy = RetryPolicy(attempts=1, attempt_timeout=timeout)
    client = TranscriptsClient(endpoint=url, token="token", retry=policy, max_response_bytes=CAP)
    async with client:
        with measured() as memory, pytest.raises(VideoSDKTranscriptsError) as caught:
            await client.get_page()
        assert [t.id for t in (await client.get_page()).items] == ["a"]
    return caught.value, memory.peak


def packed(encoding: bytes, body: bytes) -> bytes:
    """Write an answer whose body is said to be packed so."""
    head = b"%sContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n"
    return head % (OK, encoding, len(body)) + body


def bomb(window_bits: int) -> bytes:
    """Pack 1 GiB of spaces into 1 MiB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, window_bits)
    first, other = (packer.compress(b" " * MIB) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + other * 1023 + packer.flush()


BOMBS = {
    "gzip": packed(b"gzip", bomb(31)),
    "deflate": packed(b"deflate", bomb(15)),
    "deflate without its head": packed(b"deflate", bomb(-15)),
}


# Bytes.


@pytest.mark.parametrize("name", BOMBS)
async def test_a_bomb_is_not_unpacked_whole(name: str) -> None:
    """A gigabyte in a megabyte ends at the cap, and its connection is not used again."""
    assert 1_000_000 < len(BOMBS[name]) < 1_200_000
    async with flood(BOMBS[name]) as (url, heads):
        error, peak = await refusal(url)
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


async def test_a_bomb_without_the_compiled_parser() -> None:
    """Aiohttp's own fallback in Python keeps to the cap as well."""
    async with flood(BOMBS["gzip"]) as (gzip_url, _), flood(BOMBS["deflate"]) as (deflate_url, _):
        done = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _CLIENT, gzip_url, deflate_url),
            env=os.environ | {"AIOHTTP_NO_EXTENSIONS": "1"},
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await done.communicate()
    is_pure, *lines = said.decode().splitlines()
    assert is_pure == "True"
    assert [line.split()[0] for line in lines] == ["ResponseTooLargeError"] * 2
    assert all(int(line.split()[1]) < CAP + WINDOW for line in lines)


@pytest.mark.parametrize("encoding", [b"gzip, gzip", b"x-gzip", b"br", b"zstd", b"rot13"])
async def test_a_packing_that_was_not_asked_for(encoding: bytes) -> None:
    """It is not unpacked, or not twice, and so no JSON."""
    twice = gzip.compress(bomb(31))
    async with flood(packed(encoding, twice)) as (url, heads):
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
async def test_a_body_without_end(name: str) -> None:
    """However it is announced, it ends at the cap, and its connection is not used again."""
    first, forever = BODIES[name]
    async with flood(first, forever=forever) as (url, heads):
        error, peak = await refusal(url)
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
# Some of these have a bound in aiohttp's parser in Python, and none but time in the compiled one.
SLOW_HEADS = {
    "spaces before a header": (OK + b"X: ", MUCH),
    "a chunk's extension": (CHUNKED + b"2;x=", b"y" * 65536),
    "zeros of a chunk's length": (CHUNKED, b"0" * 65536),
    "chunks of one byte": (CHUNKED, b"1;x=y\r\n \r\n" * 999),
    "100 Continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 999),
    "103 Early Hints": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 999),
}


@pytest.mark.parametrize("name", HEADS)
async def test_http_without_end(name: str) -> None:
    """What is no body has bounds too, and the error comes at once."""
    first, forever = HEADS[name]
    async with flood(first, forever=forever) as (url, heads):
        error, peak = await refusal(url)
    assert type(error) is InvalidResponseError
    assert len(heads) == 2
    assert peak < WINDOW


@pytest.mark.parametrize("name", SLOW_HEADS)
async def test_http_without_end_is_left_in_time(name: str) -> None:
    """Where aiohttp would read for ever, the attempt_timeout ends it, in bounded memory."""
    first, forever = SLOW_HEADS[name]
    async with flood(first, forever=forever) as (url, heads):
        error, peak = await refusal(url, timeout=0.4)
    assert type(error) in (InvalidResponseError, TimedOutError)
    assert len(heads) == 2
    assert peak < CAP + 2 * WINDOW


# Rows.


def page(rows: list[Any] | str) -> bytes:
    """Write the only page of a list, with rows that may be JSON already."""
    listed = rows if isinstance(rows, str) else json.dumps(rows)
    return f'{{"pageInfo": {{"lastPage": 1}}, "transcriptions": {listed}}}'.encode()


@pytest.fixture
def once(fake: FakeVideoSDK) -> Any:
    """Give a client that tries once, with the function that says what it will read."""

    def open_client(body: bytes, status: int = 200, **options: Any) -> TranscriptsClient:
        fake.every(1, Body(body, status))
        return fake.client(retry=RetryPolicy(attempts=1), **options)

    return open_client


async def test_a_large_page(once: Any) -> None:
    """50 MB of rows are refused by the default, and read where the caller allows them."""
    body = page([{"id": str(n), "x": "y" * 50_000} for n in range(1000)])
    async with once(body) as client:
        with pytest.raises(ResponseTooLargeError, match="larger than 33554432 bytes"):
            await client.get_page()
    async with once(body, max_response_bytes=64 * MIB) as client:
        with measured() as memory:
            found = await client.get_page()
    assert [row.id for row in found.items] == [str(n) for n in range(1000)]
    # The body once as it grows, once whole, once as text, once in the rows.
    assert memory.peak < 4.5 * len(body)


async def test_many_rows(once: Any) -> None:
    """Far more rows than were asked for are read, in their order."""
    ids = [str(n) for n in range(200_000)]
    async with once(page([{"id": row_id} for row_id in ids])) as client:
        found = [row.id async for row in client.iter_transcriptions()]
    assert found == ids


async def test_a_million_elements_that_are_no_rows(once: Any) -> None:
    """The first one is told."""
    body = page([0] * 1_000_000)
    async with once(body) as client:
        with measured() as memory, pytest.raises(InvalidRowError, match="found a number") as caught:
            await client.get_page()
    assert caught.value.path == "$.transcriptions[0]"
    assert memory.peak < 10 * len(body)


async def test_elements_that_are_no_rows_are_counted(once: Any) -> None:
    """Each keeps its place and its reason, which is what they cost."""
    async with once(page([0] * 20_000)) as client:
        pager = client.iter_transcriptions(on_invalid="skip")
        with measured() as memory:
            assert [row async for row in pager] == []
    assert pager.stats.invalid_rows == 20_000
    assert memory.peak < 20_000 * 500 + WINDOW


async def test_a_row_with_many_faults(once: Any) -> None:
    """Some are told, and what all of them cost is bounded."""
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
async def test_a_long_refusal_costs_no_time(once: Any, text: bytes, times: int) -> None:
    """What is looked for in its text, such as a token, is looked for at its beginning alone."""
    async with once(text * times, status=500) as client:
        began = time.process_time()
        with pytest.raises(ServerError) as caught:
            await client.get_page()
        took = time.process_time() - began
    assert took < 2
    assert len(str(caught.value)) < 3000
