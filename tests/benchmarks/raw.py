"""Provide the baseline: raw aiohttp and `json.loads` into plain dicts, without checks."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

import aiohttp

from .jobs import LIST, ROOM, Job, WalkResult

__all__ = ["downloads", "rooms", "structure", "texts", "walk"]

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


async def texts(job: Job) -> WalkResult:
    """Fetch the texts of all rows, `job.in_flight` at a time."""
    return await _files(job, None)


async def downloads(job: Job) -> WalkResult:
    """Download the texts of all rows, `job.in_flight` at a time, without flushing to the disk."""
    with TemporaryDirectory() as folder:
        return await _files(job, Path(folder))


async def _files(job: Job, folder: Path | None) -> WalkResult:
    base = f"{job.url}{LIST}?roomId={ROOM}"

    async def fetch(row: Any) -> str:
        async with slots, session.get(row["transcriptionFilePaths"]["txt"]) as response:
            body = await response.read()
        if folder is not None:
            (folder / f"{row['id']}.txt").write_bytes(body)
        return body.decode()

    tasks: list[asyncio.Task[str]] = []
    slots = asyncio.Semaphore(job.in_flight)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        for page in range(1, -(-job.rows // job.page_size) + 1):
            url = f"{base}&page={page}&perPage={job.page_size}"
            async with session.get(url, headers=_HEADERS) as response:
                data = json.loads(await response.read())
            tasks += [asyncio.create_task(fetch(row)) for row in data["transcriptions"]]
        return WalkResult(sum([bool(await task) for task in tasks]))


async def rooms(job: Job) -> WalkResult:
    """Walk many lists at the same time, with `job.in_flight` requests in flight."""
    base = f"{job.url}{LIST}?roomId={ROOM}"
    began, firsts = time.perf_counter(), list[float]()

    async def walk_one() -> int:
        count, page, last_page = 0, 1, 1
        while page <= last_page:
            url = f"{base}&page={page}&perPage={job.page_size}"
            async with slots, session.get(url, headers=_HEADERS) as response:
                data = json.loads(await response.read())
            if not count:
                firsts.append(time.perf_counter() - began)
            count += len(data["transcriptions"])
            page, last_page = page + 1, data["pageInfo"]["lastPage"]
        return count

    slots = asyncio.Semaphore(job.in_flight)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        counts = await asyncio.gather(*(walk_one() for _ in range(job.walks)))
    return WalkResult(sum(counts), unfairness=max(firsts) / median(firsts))


async def structure(body: bytes, repeats: int) -> int:
    """Decode a page repeatedly, and return the number of rows."""
    return sum(len(json.loads(body)["transcriptions"]) for _ in range(repeats))
