"""Measure this package, with all of its checks enabled."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from videosdk_transcripts import Transcription, TranscriptsClient
from videosdk_transcripts._api.filter import Filter
from videosdk_transcripts._api.pages import PageReader
from videosdk_transcripts._api.protocol import REALTIME, Response, list_request, load_json

from .jobs import ROOM, Job, WalkResult

__all__ = ["structure", "walk"]

_KEY: Final = "7f1c0f4e-0d43-4f5e-9d2a-55c4e3a1b0c9"
_SECRET: Final = "benchmark-secret-" * 4


async def walk(job: Job, json_loads: Callable[[bytes], Any] | None = None) -> WalkResult:
    """Iterate over all rows, with `job.in_flight` pages of read-ahead."""
    count, marked, marked_at = 0, job.marked_row, 0.0
    async with TranscriptsClient(
        api_key=_KEY,
        secret=_SECRET,
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
