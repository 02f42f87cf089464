"""A file is complete only if its end is proved: lengths, chunks and compressed data."""

import gzip
import os
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from videosdk_transcripts import InvalidResponseError, ResponseTooLargeError, RetryPolicy
from videosdk_transcripts._files.download import Downloader
from videosdk_transcripts._files.fetch import Files
from videosdk_transcripts._files.transport import FileTransport
from videosdk_transcripts._http.encoding import BodyDecoder

from ..conftest import read_request, tcp
from .support import contents, failure, not_reread, opened, row_with_link

TEXT: Final = b"Ann: Good morning, and welcome.\nBob: Thank you.\n" * 4
ONCE: Final = RetryPolicy(attempts=1)


def deflated(data: bytes, wbits: int = zlib.MAX_WBITS) -> bytes:
    """Compress without the header and trailer of gzip."""
    stream = zlib.compressobj(wbits=wbits)
    return stream.compress(data) + stream.flush()


COMPRESSED: Final = {
    "gzip": ("gzip", gzip.compress(TEXT)),
    "gzip in two members": ("gzip", gzip.compress(TEXT[:90]) + gzip.compress(TEXT[90:])),
    "gzip with a name": (
        "x-gzip",
        b"\x1f\x8b\x08\x08"
        + bytes(5)
        + b"\xffa.txt\0"
        + b"".join(
            (
                deflated(TEXT, -15),
                zlib.crc32(TEXT).to_bytes(4, "little"),
                len(TEXT).to_bytes(4, "little"),
            )
        ),
    ),
    "deflate": ("deflate", deflated(TEXT)),
    "deflate without a header": ("deflate", deflated(TEXT, -zlib.MAX_WBITS)),
}
"""The header and the body."""


def framed(framing: str, body: bytes, *headers: str) -> bytes:
    """Return a response with a body, whose end is marked by the framing."""
    version = "1.0" if framing == "closed, HTTP/1.0" else "1.1"
    lines = [f"HTTP/{version} 200 OK", *headers]
    if framing == "length":
        lines.append(f"Content-Length: {len(body)}")
    elif framing == "chunks":
        lines.append("Transfer-Encoding: chunked")
        parts = (body[:7], body[7:])
        body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts if part)
        body += b"0\r\n\r\n"
    return "\r\n".join([*lines, "", ""]).encode() + body


FRAMINGS: Final = ("length", "chunks", "closed", "closed, HTTP/1.0")


class RawHost:
    """A file host that sends these bytes, whatever they are, and closes the connection."""

    def __init__(self) -> None:
        self.url = ""
        self.responses: list[bytes] = []
        """The last one is sent again and again."""
        self.requests: list[bytes] = []

    async def fetch(self, transport: FileTransport, *responses: bytes) -> bytes:
        """Fetch a file from it."""
        self.responses = list(responses)
        return await Files(transport).fetch_bytes(
            row_with_link(self.url), "txt", summary=False, reread=not_reread
        )


@asynccontextmanager
async def raw_host() -> AsyncIterator[RawHost]:
    """Serve raw responses."""
    host = RawHost()

    async def talk(reader: object, writer: object) -> None:
        host.requests.append(await read_request(reader))  # type: ignore[arg-type]
        responses = host.responses
        writer.write(responses.pop(0) if len(responses) > 1 else responses[0])  # type: ignore[attr-defined]

    async with tcp(talk) as url:
        host.url = f"{url}/"
        yield host


# Compressed data.


@pytest.mark.parametrize("name", COMPRESSED)
@pytest.mark.parametrize("step", [1, 1000])
def test_compressed_file_is_complete_only_with_its_last_byte(name: str, step: int) -> None:
    """Truncated at any byte, it is an error, however it arrives."""
    coding, body = COMPRESSED[name]
    # The end of the first member can't be distinguished from the end of the file.
    ends = {len(body), len(gzip.compress(TEXT[:90])) if name == "gzip in two members" else 0}
    for size in range(len(body) + 1):
        decoder = BodyDecoder(coding, subject="x", status=200)
        parts = [body[start : min(start + step, size)] for start in range(0, size, step)]
        decoded = b"".join(piece for part in parts for piece in decoder.decode(part))
        assert TEXT.startswith(decoded)
        if size in ends - {0}:
            decoder.check_end()
        else:
            with pytest.raises(InvalidResponseError, match="x has truncated compressed data"):
                decoder.check_end()
    assert decoded == TEXT


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("name", COMPRESSED)
async def test_truncated_compressed_file_is_an_error(name: str, framing: str) -> None:
    """The response itself is complete."""
    coding, body = COMPRESSED[name]
    header = f"Content-Encoding: {coding}"
    async with raw_host() as host, opened(host.url[:-1], policy=ONCE) as transport:
        for size in (0, 20, len(body) - 1):
            with pytest.raises(InvalidResponseError) as caught:
                await host.fetch(transport, framed(framing, body[:size], header))
            assert "127.0.0.1 has truncated compressed data" in str(caught.value)
            assert caught.value.is_transient
            assert caught.value.__context__ is None
        assert await host.fetch(transport, framed(framing, body, header)) == TEXT


@pytest.mark.parametrize("name", COMPRESSED)
async def test_truncated_compressed_file_is_fetched_again(name: str) -> None:
    """No data of the first attempt remains."""
    coding, body = COMPRESSED[name]
    header = f"Content-Encoding: {coding}"
    async with raw_host() as host, opened(host.url[:-1]) as transport:
        found = await host.fetch(
            transport,
            framed("length", body[:-1], header),
            framed("chunks", body[:-9], header),
            framed("length", body, header),
        )
    assert found == TEXT
    assert len(host.requests) == 3


@pytest.mark.parametrize("rest", [b"\0", b"x", b"\x1f", b"\x1f\x8b\x08", TEXT])
@pytest.mark.parametrize("name", COMPRESSED)
async def test_data_after_the_compressed_data_are_an_error(name: str, rest: bytes) -> None:
    """They may be the rest of a file whose middle is missing."""
    coding, body = COMPRESSED[name]
    async with raw_host() as host, opened(host.url[:-1], policy=ONCE) as transport:
        for framing in ("length", "closed"):
            with pytest.raises(InvalidResponseError, match="is damaged|truncated"):
                await host.fetch(
                    transport, framed(framing, body + rest, f"Content-Encoding: {coding}")
                )


@pytest.mark.parametrize("name", ["gzip", "gzip in two members", "gzip with a name", "deflate"])
async def test_damaged_compressed_data_are_an_error(name: str) -> None:
    """The checksum is verified."""
    coding, body = COMPRESSED[name]
    async with raw_host() as host, opened(host.url[:-1], policy=ONCE) as transport:
        for index in (0, len(body) // 2, len(body) - 1):
            damaged = body[:index] + bytes([body[index] ^ 0x55]) + body[index + 1 :]
            with pytest.raises(InvalidResponseError, match="is damaged|truncated") as caught:
                await host.fetch(
                    transport, framed("length", damaged, f"Content-Encoding: {coding}")
                )
            assert caught.value.__context__ is None


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 131_072, 1_000_000])
@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_compressed_file_of_any_size_is_decoded(size: int, coding: str) -> None:
    """The data may decode to many steps, or to none."""
    for data in (bytes(size), os.urandom(size)):
        body = gzip.compress(data) if coding == "gzip" else deflated(data)
        header = f"Content-Encoding: {coding}"
        async with (
            raw_host() as host,
            opened(host.url[:-1], policy=ONCE, max_file_bytes=size) as transport,
        ):
            assert await host.fetch(transport, framed("length", body, header)) == data


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_size_cap_applies_to_decoded_bytes(coding: str) -> None:
    """The limit is exact, and at most one step is decoded at a time."""
    data = bytes(100_000)
    body = gzip.compress(data) if coding == "gzip" else deflated(data)
    response = framed("length", body, f"Content-Encoding: {coding}")
    async with raw_host() as host, opened(host.url[:-1], max_file_bytes=99_999) as transport:
        with pytest.raises(ResponseTooLargeError, match="larger than 99999 bytes"):
            await host.fetch(transport, response)
    assert len(host.requests) == 1
    decoder = BodyDecoder(coding, subject="x", status=200)
    assert max(map(len, decoder.decode(body))) == 65_536


# Encodings.


@pytest.mark.parametrize(
    "coding",
    ["br", "zstd", "BR", "compress", "aws-chunked", "gzip, gzip", "br, gzip", "gzip, deflate", "x"],
)
@pytest.mark.parametrize("framing", FRAMINGS)
async def test_encoding_that_was_not_requested_is_an_error(coding: str, framing: str) -> None:
    """No decoder could prove that it is complete."""
    async with raw_host() as host:
        host.responses = [framed(framing, TEXT, f"Content-Encoding: {coding}")]
        error = await failure(host.url, host.url[:-1])
    assert type(error) is InvalidResponseError
    assert f"has the Content-Encoding {coding!r}, which was not requested" in str(error)
    assert (error.status, error.attempts, len(host.requests)) == (200, 3, 3)


async def test_encodings_on_several_lines_are_one_list() -> None:
    """HTTP defines this."""
    async with raw_host() as host:
        host.responses = [framed("length", TEXT, "Content-Encoding: gzip", "Content-Encoding: br")]
        error = await failure(host.url, host.url[:-1])
    assert "Content-Encoding 'gzip, br'" in str(error)


@pytest.mark.parametrize(
    "headers", [["Content-Encoding: identity"], ["Content-Encoding:"], ["content-encoding: , "]]
)
async def test_identity_is_no_encoding(headers: list[str]) -> None:
    """An empty list is none, either."""
    async with raw_host() as host, opened(host.url[:-1]) as transport:
        assert await host.fetch(transport, framed("length", TEXT, *headers)) == TEXT
        body, header = gzip.compress(TEXT), "Content-Encoding: identity, GZIP"
        assert await host.fetch(transport, framed("length", body, header)) == TEXT
    assert all(b"Accept-Encoding: gzip, deflate\r\n" in request for request in host.requests)


# Framing.


@pytest.mark.parametrize("framing", ["length", "chunks"])
async def test_file_with_a_proven_end_is_complete(framing: str) -> None:
    """This includes an empty file."""
    async with raw_host() as host, opened(host.url[:-1]) as transport:
        for body in (TEXT, b""):
            assert await host.fetch(transport, framed(framing, body)) == body
        old = framed("length", TEXT).replace(b"HTTP/1.1", b"HTTP/1.0")
        assert await host.fetch(transport, old) == TEXT
    assert len(host.requests) == 3


@pytest.mark.parametrize("framing", ["closed", "closed, HTTP/1.0"])
@pytest.mark.parametrize("body", [TEXT, b"", TEXT[:50]])
async def test_file_without_length_and_chunks_is_an_error(framing: str, body: bytes) -> None:
    """Its end could be that of the connection; a later attempt with a length is accepted."""
    async with raw_host() as host:
        host.responses = [framed(framing, body)]
        error = await failure(host.url, host.url[:-1])
        assert type(error) is InvalidResponseError
        assert "127.0.0.1 has no length, so a truncated file would look complete" in str(error)
        assert len(host.requests) == 3
        async with opened(host.url[:-1]) as transport:
            found = await host.fetch(transport, framed(framing, body), framed("length", TEXT))
            assert found == TEXT


@pytest.mark.parametrize(
    "response",
    [
        framed("length", TEXT)[:-1],
        framed("length", TEXT)[: -len(TEXT)],
        framed("length", TEXT) + b"more",
        framed("chunks", TEXT)[: -len("0\r\n\r\n")],
        framed("chunks", TEXT)[: -len("\r\n")],
        framed("chunks", TEXT)[:-9],
        framed("chunks", TEXT).replace(b"\r\n7\r\n", b"\r\n6\r\n"),
        framed("closed", TEXT, "Transfer-Encoding: identity"),
        framed("closed", gzip.compress(TEXT), "Transfer-Encoding: gzip"),
        framed("closed", gzip.compress(TEXT), "Transfer-Encoding: chunked, gzip"),
        framed("chunks", gzip.compress(TEXT)).replace(b": chunked", b": gzip, chunked"),
        framed("length", TEXT, "Content-Length: 7"),
        framed("chunks", TEXT, f"Content-Length: {len(TEXT)}"),
        framed("closed", TEXT, "Content-Length: many"),
        framed("closed", TEXT, "Content-Length: -1"),
        TEXT,
    ],
)
async def test_file_with_a_broken_frame_is_an_error(response: bytes, tmp_path: Path) -> None:
    """After three attempts, and no file is left."""
    async with raw_host() as host, opened(host.url[:-1]) as transport:
        host.responses = [response]
        downloader = Downloader.of(
            Files(transport),
            not_reread,
            tmp_path,
            formats=("txt",),
            summary=False,
            overwrite=False,
        )
        done = await downloader.save(row_with_link(host.url))
        assert type(done.error) is InvalidResponseError
        assert (done.error.attempts, len(host.requests)) == (3, 3)
        assert contents(tmp_path) == {}


@pytest.mark.parametrize("status", [201, 202, 203, 204, 205, 206, 226])
async def test_success_other_than_200_is_an_error(status: int) -> None:
    """Its body is a part of the file, a modified one, or none."""
    response = framed("length", b"" if status in {204, 205} else TEXT)
    async with raw_host() as host:
        host.responses = [response.replace(b"200 OK", f"{status} X".encode())]
        error = await failure(host.url, host.url[:-1])
    assert type(error) is InvalidResponseError
    assert f"responded with {status}, which is not a complete, unmodified file" in str(error)
    assert (error.status, error.attempts) == (status, 3)
