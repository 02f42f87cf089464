"""P10 and P12: content encodings of the API, whatever is installed next to aiohttp."""

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from videosdk_transcripts import (
    AuthenticationError,
    InvalidResponseError,
    RetryPolicy,
    ServerError,
    TranscriptsClient,
)

from ..conftest import read_request, tcp

PAGE = json.dumps({"pageInfo": {"total": 7, "lastPage": 1}, "transcriptions": []}).encode()
ENCODED = {
    "gzip": gzip.compress(PAGE),
    "x-gzip": gzip.compress(PAGE),
    "GZIP": gzip.compress(PAGE),
    "deflate": zlib.compress(PAGE),
    "identity": PAGE,
}


@asynccontextmanager
async def serving(body: bytes, coding: str, status: int = 200) -> AsyncIterator[str]:
    """Serve one response to every request."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            head = f"HTTP/1.1 {status} X\r\nContent-Encoding: {coding}\r\n"
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    async with tcp(talk) as url:
        yield url


def client_of(url: str, session: aiohttp.ClientSession | None = None) -> TranscriptsClient:
    """Return a client with one attempt."""
    return TranscriptsClient(
        endpoint=url, token="token", session=session, retry=RetryPolicy(attempts=1)
    )


async def test_server_that_prefers_br_sends_gzip() -> None:
    """It has to choose among the requested encodings, of which the first one is gzip."""
    offered: list[list[str]] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await read_request(reader)).decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        offered.append([name.strip() for name in headers["Accept-Encoding"].split(",")])
        # These bytes would be an error: a real server would send br.
        coding = next(c for c in ("br", "zstd", "gzip") if c in offered[-1])
        body = ENCODED.get(coding, b"\x0b\x02\x80")
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(body)}"
        writer.write(f"{head}\r\n\r\n".encode() + body)

    async with tcp(talk) as url:
        async with client_of(url) as client:
            assert await client.count() == 7
        headers = {"Accept-Encoding": "br, zstd"}
        async with aiohttp.ClientSession(headers=headers) as session:
            assert await client_of(url, session).count() == 7
    assert offered == [["gzip", "deflate"]] * 2


@pytest.mark.parametrize("coding", ENCODED)
@pytest.mark.parametrize("decompress", [True, False])
async def test_requested_encoding_is_decoded(coding: str, decompress: bool) -> None:
    """It is decoded once, whatever a passed session does."""
    async with (
        serving(ENCODED[coding], coding) as url,
        aiohttp.ClientSession(auto_decompress=decompress) as session,
    ):
        assert await client_of(url, session).count() == 7
        async with client_of(url) as own:
            assert await own.count() == 7


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, br", "rot13"])
async def test_encoding_that_cannot_be_decoded_is_named(coding: str) -> None:
    """The error states what was requested instead."""
    async with serving(PAGE, coding) as url, client_of(url) as client:
        with pytest.raises(InvalidResponseError) as caught:
            await client.count()
    assert caught.value.status == 200
    assert (
        f"the response of {url.removeprefix('http://')} has the Content-Encoding {coding!r}, "
        "which was not requested and can't be decoded; gzip, deflate can"
    ) in str(caught.value)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (gzip.compress(PAGE)[:-1], "has truncated compressed data"),
        (b"\x1f\x8b\x08", "has truncated compressed data"),
        (PAGE, "is damaged: its compressed data can't be decoded"),
        (b"", "no body"),
    ],
    # A fixed time, because test processes must have the same parameter names.
    ids=["without its end", "only a header", "not compressed", "empty"],
)
async def test_damaged_compressed_data_are_named(body: bytes, problem: str) -> None:
    """This also applies if the JSON in it is complete."""
    async with serving(body, "gzip") as url, client_of(url) as client:
        with pytest.raises(InvalidResponseError, match=problem):
            await client.count()


@pytest.mark.parametrize("coding", ["br", "gzip"])
@pytest.mark.parametrize(("status", "kind"), [(401, AuthenticationError), (503, ServerError)])
async def test_status_counts_if_the_body_of_an_error_cannot_be_decoded(
    coding: str, status: int, kind: type[Exception]
) -> None:
    """The class of the error does not depend on the body."""
    async with serving(b"{}", coding, status) as url, client_of(url) as client:
        with pytest.raises(kind, match=f"the service responded with {status}"):
            await client.count()
