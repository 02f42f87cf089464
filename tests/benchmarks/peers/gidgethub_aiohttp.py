"""gidgethub, whose pages have no numbers, so that the loop over them is written here."""

from __future__ import annotations

import time

import aiohttp
from gidgethub.aiohttp import GitHubAPI

from ..jobs import LIST, ROOM, Job, WalkResult

__all__ = ["walk"]


async def walk(job: Job) -> WalkResult:
    """Read one page after another."""
    count, page, last = 0, 1, 1
    async with aiohttp.ClientSession() as session:
        api = GitHubAPI(session, "benchmark", oauth_token="x" * 150, base_url=job.url)
        while page <= last:
            found = await api.getitem(f"{LIST}?roomId={ROOM}&page={page}&perPage={job.page_size}")
            last = found["pageInfo"]["lastPage"]
            for _ in found["transcriptions"]:
                count += 1
            page += 1
    return WalkResult(count, time.perf_counter())
