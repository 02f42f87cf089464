"""The paging of openai's client, which the clients of many other services share."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from openai import AsyncOpenAI, BaseModel
from openai._base_client import BaseAsyncPage, BasePage, PageInfo, make_request_options

from ..jobs import LIST, ROOM, Job, WalkResult

__all__ = ["walk"]


class _Config(BaseModel):
    roomId: str
    sessionId: str


class _Extension(BaseModel):
    enabled: bool
    provider: str
    extensionConfig: _Config


class _Row(BaseModel):
    id: str
    status: str
    extension: _Extension
    transcriptionFilePaths: dict[str, str]
    summarizedFilePaths: dict[str, str]
    start: datetime
    end: datetime | None = None


class _Page(BaseAsyncPage[_Row], BasePage[_Row]):
    pageInfo: dict[str, int]
    transcriptions: list[_Row]

    def _get_page_items(self) -> list[_Row]:
        return self.transcriptions

    def next_page_info(self) -> PageInfo | None:
        info = self.pageInfo
        if info["currentPage"] >= info["lastPage"]:
            return None
        return PageInfo(params={"page": info["currentPage"] + 1})


async def walk(job: Job) -> WalkResult:
    """Read one page after another."""
    count = 0
    async with AsyncOpenAI(api_key="x" * 150, base_url=job.url, max_retries=0) as client:
        query: dict[str, Any] = {"roomId": ROOM, "page": 1, "perPage": job.page_size}
        options = make_request_options(query=query)
        async for _ in client.get_api_list(LIST, page=_Page, options=options, model=_Row):
            count += 1
    return WalkResult(count, time.perf_counter())
