"""The paging of azure-core, which the clients of Azure share."""

from __future__ import annotations

import time
from typing import Any

from azure.core import AsyncPipelineClient
from azure.core.async_paging import AsyncItemPaged, AsyncList
from azure.core.rest import HttpRequest

from ..jobs import LIST, ROOM, Job, WalkResult

__all__ = ["walk"]


async def walk(job: Job) -> WalkResult:
    """Read one page after another."""
    count = 0

    async def get_next(page: int | None) -> Any:
        url = f"{LIST}?roomId={ROOM}&page={page or 1}&perPage={job.page_size}"
        request = HttpRequest("GET", job.url + url, headers={"Authorization": "x" * 150})
        response = await client.send_request(request)
        response.raise_for_status()
        return response.json()

    async def extract_data(data: Any) -> tuple[int | None, Any]:
        info = data["pageInfo"]
        is_last = info["currentPage"] >= info["lastPage"]
        return None if is_last else info["currentPage"] + 1, AsyncList(data["transcriptions"])

    async with AsyncPipelineClient(job.url) as client:
        async for _ in AsyncItemPaged(get_next, extract_data):
            count += 1
    return WalkResult(count, time.perf_counter())
