"""Helpers for the tests of files: rows, transports and downloaders of the fake service."""

import asyncio
import pickle
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from attrs import evolve

from videosdk_transcripts import RetryPolicy, Transcription, VideoSDKTranscriptsError
from videosdk_transcripts._files.download import Downloader
from videosdk_transcripts._files.fetch import Files
from videosdk_transcripts._files.hosts import FileHosts
from videosdk_transcripts._files.transport import FileTransport
from videosdk_transcripts.testing import FakeVideoSDK

from ..conftest import ManualClock

ROOM = "abcd-efgh-ijkl"
RawRow = dict[str, Any]


def transcription(row: RawRow) -> Transcription:
    """Return a row of the fake service as a Transcription."""
    return Transcription(
        row["id"],
        files=dict(row.get("transcriptionFilePaths", {})),
        summary_files=dict(row.get("summarizedFilePaths", {})),
    )


async def not_reread(row_id: str) -> Transcription:
    """Fail: the row must not be read again."""
    raise AssertionError(f"{row_id} was read again")


def reader(fake: FakeVideoSDK) -> Callable[[str], Awaitable[Transcription]]:
    """Return a function that reads a row of the fake service again."""

    async def reread(row_id: str) -> Transcription:
        return next(transcription(row) for row in fake.rows if row["id"] == row_id)

    return reread


def rereads_as(row: Transcription) -> Callable[[str], Awaitable[Transcription]]:
    """Return a function that reads this row again."""

    async def reread(row_id: str) -> Transcription:
        assert row_id == row.id
        return row

    return reread


@asynccontextmanager
async def opened(*hosts: str, **options: Any) -> AsyncIterator[FileTransport]:
    """Open a transport that makes three attempts and does not sleep."""
    clock = ManualClock()
    settings: dict[str, Any] = {
        "policy": RetryPolicy(attempts=3),
        "ssl": True,
        "max_in_flight": 4,
        "max_file_bytes": 1000,
        "clock": evolve(clock.clock, time=lambda: 1_700_000_000.0),
    }
    transport = FileTransport(FileHosts(hosts), **settings | options)
    try:
        yield transport
    finally:
        await transport.aclose()


async def fetched(
    fake: FakeVideoSDK, row: RawRow, wanted: str = "txt", *, summary: bool = False, **options: Any
) -> bytes:
    """Fetch one file of the fake service."""
    async with opened(fake.url, **options) as transport:
        return await Files(transport).fetch_bytes(
            transcription(row), wanted, summary=summary, reread=reader(fake)
        )


def row_with_link(url: str) -> Transcription:
    """Return a row with one link."""
    return Transcription("t-1", files={"txt": url})


async def failure(url: str, *hosts: str, **options: Any) -> Any:
    """Return the error of fetching a link."""
    async with opened(*hosts, **options) as transport:
        with pytest.raises(VideoSDKTranscriptsError) as caught:
            await Files(transport).fetch_bytes(
                row_with_link(url), "txt", summary=False, reread=rereads_as(row_with_link(url))
            )
    # Only the package's own errors, without exceptions of other libraries.
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    return caught.value


def locals_of(error: BaseException) -> str:
    """Return the part of a traceback with locals that shows the package's frames."""
    summary = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [frame for frame in summary.stack if "/videosdk_transcripts/" in frame.filename]
    assert frames
    return "".join(value for frame in frames for value in (frame.locals or {}).values())


@asynccontextmanager
async def downloader(
    fake: FakeVideoSDK, directory: object, **options: Any
) -> AsyncIterator[Downloader[Transcription]]:
    """Open a downloader of the fake service's files, of txt by default."""
    chosen: dict[str, Any] = {"formats": ("txt",), "summary": False, "overwrite": False} | {
        name: options.pop(name) for name in ("formats", "summary", "overwrite") if name in options
    }
    async with opened(fake.url, max_file_bytes=8_000_000, **options) as transport:
        yield Downloader.of(Files(transport), reader(fake), directory, **chosen)


def contents(directory: Path) -> dict[str, bytes]:
    """Return the names and contents of the files in a directory."""
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def add_rows_with_files(fake: FakeVideoSDK, count: int) -> list[str]:
    """Add rows with files to the service and return their ids."""
    for row in fake.add_transcriptions(count, room_id=ROOM):
        fake.files.put(row, "txt", row["id"].encode() * 50)
    return [row["id"] for row in fake.rows]


async def send_part(exchange: Any, size: int) -> Any:
    """Send a part of the body and then stall."""
    response = exchange.response()
    cut = web.StreamResponse()
    cut.content_length = len(response.body)
    await cut.prepare(exchange.request)
    await cut.write(response.body[:size])
    await asyncio.sleep(60)
    return cut
