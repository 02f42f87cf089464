"""
P1 and P3: for any pages and any failures, every row is yielded once and in order.

Over real sockets; the same rules without I/O are in tests/paging.
"""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from videosdk_transcripts import RetryPolicy, VideoSDKTranscriptsError
from videosdk_transcripts.testing import (
    Body,
    CutBody,
    DropConnection,
    Envelope,
    FakeVideoSDK,
    HtmlPage,
    Status,
)

from ..conftest import ManualClock

ROOM = "abcd-efgh-ijkl"
FAULTS: list[Any] = [
    Status(503),
    Status(429, {"Retry-After": "2"}),
    DropConnection(),
    CutBody(),
    HtmlPage(),
    Body(b"{"),
]
SHAPES: list[Any] = [
    "documented",
    "data key",
    "numbers as text",
    "no last page",
    "page and totalPages",
    "pagination",
]

partitions = st.lists(st.integers(0, 5), max_size=8)
schedules = st.lists(st.sampled_from([*FAULTS, None]), max_size=30)


async def _pass(exchange: Any) -> Any:
    """Inject no fault."""
    return exchange.response()


@settings(max_examples=30)
@given(sizes=partitions, schedule=schedules, attempts=st.integers(1, 4))
async def test_any_partition_and_any_faults_yield_each_row_once(
    sizes: list[int], schedule: list[Any], attempts: int
) -> None:
    """When the attempts are exhausted the walk raises, and the next step continues."""
    clock = ManualClock()
    async with FakeVideoSDK(page_sizes=sizes) as fake:
        rows = [row["id"] for row in fake.add_transcriptions(sum(sizes))]
        fake.fail_next(*(fault or _pass for fault in schedule))
        policy = RetryPolicy(attempts=attempts)
        async with fake.client(retry=policy, clock=clock.clock) as client:
            pager = client.iter_transcriptions(ROOM)
            found, failures = [], 0
            while True:
                try:
                    found.append((await anext(pager)).id)
                except StopAsyncIteration:
                    break
                except VideoSDKTranscriptsError as error:
                    failures += 1
                    assert error.checkpoint == pager.checkpoint
                    assert failures <= len(schedule)
    assert found == rows
    assert not pager.stats.drifted
    assert pager.stats.duplicates_dropped == 0


@settings(max_examples=30)
@given(
    count=st.integers(0, 60),
    stops=st.lists(st.integers(0, 60), min_size=1, max_size=4),
    page_size=st.integers(1, 25),
    shape=st.sampled_from(SHAPES),
)
async def test_walk_stopped_at_any_rows_resumes_exactly(
    count: int, stops: list[int], page_size: int, shape: Any
) -> None:
    """It may be stopped any number of times, and each time a new client resumes it."""
    async with FakeVideoSDK() as fake:
        rows = [row["id"] for row in fake.add_transcriptions(count)]
        fake.every(1, Envelope(shape))
        found: list[str] = []
        checkpoint = None
        for stop in [*stops, count + 1]:
            async with fake.client() as client:
                pager = client.iter_transcriptions(ROOM, page_size=page_size, resume=checkpoint)
                for _ in range(stop):
                    try:
                        found.append((await anext(pager)).id)
                    except StopAsyncIteration:
                        break
                checkpoint = pager.checkpoint
    assert found == rows


@settings(max_examples=20)
@given(cancels=st.lists(st.integers(0, 12), max_size=6))
async def test_walk_cancelled_anywhere_continues_exactly(cancels: list[int]) -> None:
    """A step that is cancelled after any number of loop iterations changes nothing."""
    async with FakeVideoSDK() as fake:
        rows = [row["id"] for row in fake.add_transcriptions(9)]
        async with fake.client() as client:
            pager = client.iter_transcriptions(ROOM, page_size=3)
            found: list[str] = []
            for iterations in cancels:
                step = asyncio.ensure_future(anext(pager, None))
                for _ in range(iterations):
                    await asyncio.sleep(0)
                step.cancel()
                try:
                    row = await step
                except asyncio.CancelledError:
                    continue
                if row is not None:
                    found.append(row.id)
            found += [t.id async for t in pager]
    assert found == rows
