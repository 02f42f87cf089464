"""P13 and P14: prefetched pages never delay a page that is due, in any walk of a client."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest

from videosdk_transcripts import Pager, RetryPolicy, Transcription, TranscriptsClient
from videosdk_transcripts.testing import Delay, Exchange, FakeVideoSDK

from ..conftest import until
from ..matrix.leaving import client_tasks, iterations

PAGE_SIZE = 5
PAGES = 8
ROOMS = [f"room-{number}" for number in range(12)]


@pytest.fixture
async def fake() -> AsyncIterator[FakeVideoSDK]:
    """Serve twelve rooms of eight pages."""
    async with FakeVideoSDK() as server:
        for room in ROOMS:
            server.add_transcriptions(PAGES * PAGE_SIZE, room_id=room)
        yield server


def pagers(client: TranscriptsClient, **options: Any) -> list[Pager[Transcription]]:
    """Return a pager for each room."""
    return [client.iter_transcriptions(room, page_size=PAGE_SIZE, **options) for room in ROOMS]


async def count_rows(pager: Pager[Transcription]) -> int:
    """Walk to the end."""
    return len([t async for t in pager])


def pages_of(fake: FakeVideoSDK) -> list[int]:
    """Return the requested pages, in the order of the requests."""
    return [request.page or 0 for request in fake.requests]


@pytest.mark.parametrize("rate", [None, 400])
async def test_walks_advance_together(fake: FakeVideoSDK, rate: float | None) -> None:
    """All walks get a page before any walk gets the page after the next one."""
    fake.every(1, Delay(0.005))
    async with fake.client(max_in_flight=2, requests_per_second=rate) as client:
        walks = pagers(client)
        assert await asyncio.gather(*map(count_rows, walks)) == [PAGES * PAGE_SIZE] * len(ROOMS)
    pages = pages_of(fake)
    assert len(pages) == PAGES * len(ROOMS)
    # Two in flight may arrive in any order.
    assert pages[: len(ROOMS) - 2] == [1] * (len(ROOMS) - 2)
    for page in range(2, PAGES + 1):
        last_of_page_before = len(pages) - 1 - pages[::-1].index(page - 1)
        ahead = [number for number in pages[:last_of_page_before] if number > page]
        assert len(ahead) <= 2


async def test_queued_walks_do_not_time_out(fake: FakeVideoSDK) -> None:
    """All of them take longer than page_timeout, and each response a fraction of it."""
    fake.every(1, Delay(0.015))
    policy = RetryPolicy(page_timeout=0.8)
    async with fake.client(max_in_flight=1, retry=policy) as client:
        walks = pagers(client)[:8]
        assert await asyncio.gather(*map(count_rows, walks)) == [PAGES * PAGE_SIZE] * 8
    assert len(fake.requests) == PAGES * 8


async def test_every_kind_of_request_goes_before_prefetched_pages(fake: FakeVideoSDK) -> None:
    """One walk has queued its window when the others come."""
    held = asyncio.Event()

    async def hold(exchange: Exchange) -> Any:
        await held.wait()
        return exchange.response()

    fake.on_page(2, hold)
    row_id = fake.rows[0]["id"]
    async with fake.client(max_in_flight=1) as client:
        (walk, *_others) = pagers(client)
        walking = asyncio.create_task(count_rows(walk))
        await until(lambda: fake.in_flight and len(client_tasks()) > 1)
        calls: list[Awaitable[object]] = [
            client.count(ROOMS[1]),
            client.get_page(ROOMS[1], page=1),
            client.get_transcription(row_id),
            client.start_transcription("room-99"),
            anext(client.iter_transcriptions(ROOMS[1])),
            client.wait_until_ready(row_id),
        ]
        tasks = [asyncio.ensure_future(call) for call in calls]
        await iterations(10)
        held.set()
        await asyncio.gather(walking, *tasks)
    kinds = [(r.method, r.query.get("roomId"), r.page) for r in fake.requests]
    own = [number for number, kind in enumerate(kinds) if kind[1] == ROOMS[0]]
    # Pages 1 and 2 were requested before; page 3, which was prefetched, is last in the queue.
    assert own[2] == 2 + len(calls)


async def test_prefetched_page_that_becomes_due_keeps_its_place(fake: FakeVideoSDK) -> None:
    """Its place is after pages that became due earlier, and before those that become due later."""
    gates = [asyncio.Event(), asyncio.Event()]

    def hold(gate: asyncio.Event) -> Any:
        async def respond(exchange: Exchange) -> Any:
            await gate.wait()
            return exchange.response()

        return respond

    async with fake.client(max_in_flight=1) as client:
        rows = aiter(client.iter_transcriptions(ROOMS[0], page_size=PAGE_SIZE, readahead=1))
        for _ in range(PAGE_SIZE):
            await anext(rows)
        fake.on_page(2, hold(gates[0]))
        fake.on_page(1, hold(gates[1]))

        async def step() -> Transcription:
            return await anext(rows)

        # Page 2 is in flight, and page 3 is prefetched.
        second = asyncio.create_task(step())
        await until(lambda: fake.in_flight)
        before = asyncio.create_task(client.count(ROOMS[1]))
        await iterations(5)
        gates[0].set()
        await second
        for _ in range(PAGE_SIZE - 1):
            await anext(rows)
        third = asyncio.create_task(step())
        await iterations(5)
        after = asyncio.create_task(client.count(ROOMS[2]))
        await iterations(5)
        gates[1].set()
        await asyncio.gather(before, third, after)
    asked = [r.query["roomId"] for r in fake.requests]
    assert asked[:5] == [ROOMS[0], ROOMS[0], ROOMS[1], ROOMS[0], ROOMS[2]]


async def test_prefetched_pages_of_all_walks_are_bounded(fake: FakeVideoSDK) -> None:
    """There are four per slot, which wait for a slot or for a loop that works on its rows."""
    async with fake.client(max_in_flight=2) as client:
        loops = [aiter(pager) for pager in pagers(client)]
        for _ in range(4 * PAGE_SIZE + 1):
            await asyncio.gather(*(anext(rows) for rows in loops))
        await until(lambda: not client_tasks())
        assert 5 * len(loops) < len(fake.requests) <= 5 * len(loops) + 8
        # Pages that one walk no longer prefetches may be prefetched by the others.
        del loops[6:]
        for _ in range(PAGE_SIZE):
            await asyncio.gather(*(anext(rows) for rows in loops))
        await until(lambda: not client_tasks())
        rooms = set(ROOMS[:6])
        found = [r.page or 0 for r in fake.requests if r.query["roomId"] in rooms]
        assert 6 * 6 < len(found) <= 6 * 6 + 8
        loops.clear()


async def test_due_page_goes_before_prefetched_ones_of_eager_tasks(fake: FakeVideoSDK) -> None:
    """Where Python has them, tasks start when they are created."""
    loop = asyncio.get_running_loop()
    loop.set_task_factory(getattr(asyncio, "eager_task_factory", None))
    try:
        async with fake.client(max_in_flight=1) as client:
            assert await count_rows(pagers(client)[0]) == PAGES * PAGE_SIZE
    finally:
        loop.set_task_factory(None)
    assert pages_of(fake) == list(range(1, PAGES + 1))
