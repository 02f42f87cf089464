"""The floor: bare aiohttp and `json.loads` into plain dicts, with no check at all."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from itertools import islice
from typing import Any, Final

import aiohttp

from .jobs import LIST, ROOM, Job, Walked

__all__ = ["structure", "walk"]

_HEADERS: Final = {"Authorization": "x" * 150}


async def walk(job: Job) -> Walked:
    """Walk all pages in order, one at a time or with so many in flight."""
    base = f"{job.url}{LIST}?roomId={ROOM}"
    count, marked, marked_at = 0, job.marked_row, 0.0

    async def fetch(page: int) -> Any:
        url = f"{base}&page={page}&perPage={job.page_size}"
        async with session.get(url, headers=_HEADERS) as response:
            return json.loads(await response.read())

    def hand_out(data: Any) -> None:
        nonlocal count, marked_at
        for _ in data["transcriptions"]:
            count += 1
            if count == marked:
                marked_at = time.perf_counter()

    # No cap of the connector's own: the window alone says how many are in flight.
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        data = await fetch(1)
        pages = iter(range(2, data["pageInfo"]["lastPage"] + 1))
        if not job.in_flight:
            hand_out(data)
            for page in pages:
                hand_out(await fetch(page))
            return Walked(count, marked_at)
        first = islice(pages, job.in_flight)
        window = deque(asyncio.create_task(fetch(page)) for page in first)
        hand_out(data)
        while window:
            data = await window.popleft()
            window.extend(asyncio.create_task(fetch(page)) for page in islice(pages, 1))
            hand_out(data)
    return Walked(count, marked_at)


async def structure(body: bytes, times: int) -> int:
    """Decode a page so many times, and count the rows."""
    return sum(len(json.loads(body)["transcriptions"]) for _ in range(times))
