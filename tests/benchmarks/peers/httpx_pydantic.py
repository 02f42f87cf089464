"""httpx with pydantic models."""

from __future__ import annotations

import time
from datetime import datetime

import httpx
from pydantic import BaseModel

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


class _Info(BaseModel):
    lastPage: int


class _Page(BaseModel):
    pageInfo: _Info
    transcriptions: list[_Row]


async def walk(job: Job) -> WalkResult:
    """Read one page after another."""
    count, page, last = 0, 1, 1
    async with httpx.AsyncClient(headers={"Authorization": "x" * 150}) as client:
        while page <= last:
            response = await client.get(
                f"{job.url}{LIST}?roomId={ROOM}&page={page}&perPage={job.page_size}"
            )
            found = _Page.model_validate_json(response.content)
            last = found.pageInfo.lastPage
            for _ in found.transcriptions:
                count += 1
            page += 1
    return WalkResult(count, time.perf_counter())
