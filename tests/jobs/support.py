"""Helpers for the tests of waits."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from attrs import evolve

from videosdk_transcripts import Clock, Page, Transcription, TranscriptsClient
from videosdk_transcripts._jobs.wait import Waiter
from videosdk_transcripts.testing import FakeVideoSDK

URL = "https://cdn.videosdk.live/transcriptions/x/x.txt"
TASK_NAME = "videosdk-transcripts-waits"
RawRow = dict[str, Any]


def add_file(row: RawRow) -> None:
    """Add the file to a row of the fake service."""
    row["transcriptionFilePaths"] = {"txt": URL}


def add_running(fake: FakeVideoSDK, count: int = 1, **fields: Any) -> list[RawRow]:
    """Add running rows without files."""
    return fake.add_transcriptions(count, status="running", formats=(), **fields)


def count_requests(fake: FakeVideoSDK) -> tuple[int, int]:
    """Return the number of requests for pages and for single rows."""
    pages = sum(request.page is not None for request in fake.requests)
    return pages, len(fake.requests) - pages


class HeldSleep:
    """A sleep that ends when the test releases it, or when it is cancelled."""

    def __init__(self) -> None:
        self.sleepers = 0
        self.lengths: list[float] = []
        self.go = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.sleepers += 1
        self.lengths.append(seconds)
        try:
            await self.go.wait()
        finally:
            self.sleepers -= 1


def waiter_with(
    client: TranscriptsClient, clock: Clock, *, jitter: float = 1.0, sleep: Any = None
) -> Waiter[Transcription]:
    """Return the waiter of a client, with a known jitter."""

    def pages() -> AsyncIterator[Page[Transcription]]:
        return client.iter_transcriptions(page_size=100, readahead=0, on_invalid="skip").by_page()

    return Waiter(
        client.get_transcription,
        pages,
        clock=evolve(clock, sleep=sleep) if sleep else clock,
        jitter=lambda: jitter,
    )
