"""Provide the baseline: raw aiohttp and `json.loads` into plain dicts, without checks."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from itertools import islice
from typing import Any, Final

import aiohttp

from .jobs import LIST, ROOM, Job, WalkResult

__all__ = ["structure", "walk"]

_HEADERS: Final = {"Authorization": "x" * 150}


async def walk(job: Job) -> WalkResult:
    """Read all pages in order, one at a time or with `job.in_flight` requests in flight."""
    base = f"{job.url}{LIST}?roomId={ROOM}"
    count, marked, marked_at = 0, job.marked_row, 0.0

    async def fetch(page: int) -> Any:
        url = f"{base}&page={page}&perPage={job.page_size}"
        async with session.get(url, headers=_HEADERS) as response:
            return json.loads(await response.read())

    def consume(data: Any) -> None:
        nonlocal count, marked_at
        for _ in data["transcriptions"]:
            count += 1
            if count == marked:
                marked_at = time.perf_counter()

    # The window alone limits the requests in flight, not the connector.
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        data = await fetch(1)
        pages = iter(range(2, data["pageInfo"]["lastPage"] + 1))
        if not job.in_flight:
            consume(data)
            for page in pages:
                consume(await fetch(page))
            return WalkResult(count, marked_at)
        first = islice(pages, job.in_flight)
        window = deque(asyncio.create_task(fetch(page)) for page in first)
        consume(data)
        while window:
            data = await window.popleft()
            window.extend(asyncio.create_task(fetch(page)) for page in islice(pages, 1))
            consume(data)
    return WalkResult(count, marked_at)


async def structure(body: bytes, repeats: int) -> int:
    """Decode a page repeatedly, and return the number of rows."""
    return sum(len(json.loads(body)["transcriptions"]) for _ in range(repeats))
