"""Measure this package, with all of its checks enabled."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

from videosdk_transcripts import Transcription, TranscriptsClient
from videosdk_transcripts._api.filter import Filter
from videosdk_transcripts._api.pages import PageReader
from videosdk_transcripts._api.protocol import REALTIME, Response, list_request, load_json

from .jobs import ROOM, Job, WalkResult

__all__ = ["downloads", "rooms", "structure", "texts", "walk"]

_TOKEN: Final = "x" * 150


async def walk(job: Job, json_loads: Callable[[bytes], Any] | None = None) -> WalkResult:
    """Iterate over all rows, with `job.in_flight` pages of read-ahead."""
    count, marked, marked_at = 0, job.marked_row, 0.0
    async with TranscriptsClient(
        token=_TOKEN,
        endpoint=job.url,
        max_in_flight=max(16, job.in_flight),
        json_loads=json_loads,
    ) as client:
        rows = client.iter_transcriptions(ROOM, page_size=job.page_size, readahead=job.in_flight)
        async for _ in rows:
            count += 1
            if count == marked:
                marked_at = time.perf_counter()
    return WalkResult(count, marked_at)


def _client(job: Job) -> TranscriptsClient:
    return TranscriptsClient(
        token=_TOKEN,
        endpoint=job.url,
        max_in_flight=job.in_flight,
        file_hosts=[job.server],
    )


async def texts(job: Job) -> WalkResult:
    """Fetch the texts of all rows, `job.in_flight` at a time."""
    count = 0
    async with _client(job) as client:
        rows = client.iter_transcriptions(ROOM, page_size=job.page_size)
        async for one in client.fetch_texts(rows, concurrency=job.in_flight):
            count += one.text is not None
    return WalkResult(count)


async def downloads(job: Job) -> WalkResult:
    """Download the texts of all rows, `job.in_flight` at a time."""
    count = 0
    with TemporaryDirectory() as folder:
        async with _client(job) as client:
            rows = client.iter_transcriptions(ROOM, page_size=job.page_size)
            done = client.download_all(rows, folder, summary=False, concurrency=job.in_flight)
            async for one in done:
                count += one.error is None
    return WalkResult(count)


async def rooms(job: Job) -> WalkResult:
    """Walk many lists at the same time, on one client with `job.in_flight` requests in flight."""
    began, firsts = time.perf_counter(), list[float]()

    async def walk_one() -> int:
        count = 0
        async for _ in client.iter_transcriptions(ROOM, page_size=job.page_size):
            if not count:
                firsts.append(time.perf_counter() - began)
            count += 1
        return count

    async with _client(job) as client:
        counts = await asyncio.gather(*(walk_one() for _ in range(job.walks)))
    return WalkResult(sum(counts), unfairness=max(firsts) / median(firsts))


async def structure(
    body: bytes, repeats: int, json_loads: Callable[[bytes], Any] = load_json
) -> int:
    """Structure a page repeatedly, and return the number of rows."""
    count = 0
    request = list_request(REALTIME, Filter.of(ROOM, None), 1, 20)
    for _ in range(repeats):
        response = Response(200, {}, body, loads=json_loads)
        reader = PageReader(response, request, 1, Transcription, on_invalid="raise")
        for _ in reader.slices():
            pass
        count += len(reader.page().items)
    return count
