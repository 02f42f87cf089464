"""P13: pages are fetched before they are due, and only the time differs."""

import asyncio
import contextlib
import gc
import threading
import weakref
from collections.abc import AsyncIterator
from typing import Any

import pytest

from videosdk_transcripts import (
    ClientClosedError,
    ConfigurationError,
    NotFoundError,
    Page,
    RetryPolicy,
    Transcription,
    TranscriptsClient,
    WalkStats,
)
from videosdk_transcripts._paging.readahead import PrefetchLimit, ReadAhead
from videosdk_transcripts.testing import Change, Delay, Envelope, Exchange, FakeVideoSDK, Status

from ..conftest import until
from ..matrix.leaving import client_tasks, iterations

ROOM = "abcd-efgh-ijkl"
PAGES = 30


@pytest.fixture
def rows(fake: FakeVideoSDK) -> list[str]:
    """Return the ids of thirty pages."""
    return [row["id"] for row in fake.add_transcriptions(PAGES * 20, room_id=ROOM)]


class Service:
    """A service that can hold back its responses, and records the requested pages."""

    def __init__(self) -> None:
        self.requested: list[int] = []
        self.stats = WalkStats()
        self.total = 1000
        self.moved = 0
        self.maybe_moved = 0
        self.due: dict[int, asyncio.Future[None]] = {}
        self._gates: dict[int, asyncio.Event] = {}

    async def fetch(
        self,
        page: int,
        page_size: int,
        *,
        deadline: float | None,
        due: asyncio.Future[None] | None = None,
    ) -> Page[Transcription]:
        assert (page_size, deadline) == (20, None)
        self.requested.append(page)
        if due is not None:
            self.due[page] = due
        if page in self._gates:
            await self._gates[page].wait()
        return Page(page, (Transcription(str(page)),), last_page=50, total=self.total)

    def rows_moved(self) -> None:
        self.moved += 1

    def rows_may_have_moved(self) -> None:
        self.maybe_moved += 1

    def hold(self, page: int) -> asyncio.Event:
        return self._gates.setdefault(page, asyncio.Event())

    async def step(self, ahead: ReadAhead[Any], page: int, limit: int = 50) -> list[int]:
        """Get a page, and return the pages that were requested meanwhile."""
        before = len(self.requested)
        found, _ = await ahead.get(page, 20, deadline=None, readahead_limit=limit)
        assert found.number == page
        await iterations(2)
        return sorted(self.requested[before:])


def reading(
    service: Service, max_window: int = 8, *, max_prefetched: int = 64
) -> ReadAhead[Transcription]:
    """Return a read-ahead with a lease that does not end."""
    limit = PrefetchLimit(max_prefetched)
    ahead = ReadAhead(service.fetch, max_window, limit, service.stats, service)
    ahead.leases = 1
    return ahead


# The window.


async def test_window_doubles_from_the_second_page_on() -> None:
    """1, 2, 4, 8 pages are prefetched, then one more with each page."""
    service = Service()
    ahead = reading(service)
    came = [await service.step(ahead, page) for page in range(1, 8)]
    assert came == [[1], [2, 3], [4, 5], [6, 7, 8], list(range(9, 14)), [14], [15]]


@pytest.mark.parametrize(
    ("max_window", "came"),
    [
        (0, [[1], [2], [3], [4]]),
        (1, [[1], [2, 3], [4], [5]]),
        (3, [[1], [2, 3], [4, 5], [6, 7]]),
    ],
)
async def test_window_is_bounded(max_window: int, came: list[list[int]]) -> None:
    """`readahead` limits it; with 0, nothing is prefetched."""
    service = Service()
    ahead = reading(service, max_window)
    assert [await service.step(ahead, page) for page in range(1, 5)] == came


async def test_throttling_halves_the_window() -> None:
    """After that, it grows by one."""
    service = Service()
    ahead = reading(service)
    for page in range(1, 6):
        await service.step(ahead, page)
    assert max(service.requested) == 13
    service.stats.throttled += 3
    came = [await service.step(ahead, page) for page in range(6, 12)]
    assert came == [[], [], [14], [15, 16], [17, 18], [19]], "the window is 4, 5, 6, 7, 8 and 8"


async def test_window_is_at_least_one_page() -> None:
    """Half of one page is one page."""
    service = Service()
    ahead = reading(service)
    await service.step(ahead, 1)
    for page in range(2, 6):
        service.stats.throttled += 1
        assert await service.step(ahead, page) == ([2, 3] if page == 2 else [page + 1])


async def test_nothing_is_prefetched_beyond_the_limit() -> None:
    """The limit is the end of the list, or the last page that `limit` allows."""
    service = Service()
    ahead = reading(service)
    came = [await service.step(ahead, page, limit=4) for page in range(1, 5)]
    assert came == [[1], [2, 3], [4], []]


async def test_going_back_drops_prefetched_pages() -> None:
    """They may be outdated, and the window is halved."""
    service = Service()
    ahead = reading(service)
    for page in range(1, 5):
        await service.step(ahead, page)
    assert max(service.requested) == 8
    assert await service.step(ahead, 3, limit=0) == [3]
    assert await service.step(ahead, 5) == [5, 6, 7]
    assert await service.step(ahead, 6) == [8, 9]
    ahead.stop()


async def test_stopped_read_ahead_begins_again_with_a_second_page() -> None:
    """This is the same as at the start of a walk."""
    service = Service()
    ahead = reading(service)
    for page in range(1, 4):
        await service.step(ahead, page)
    ahead.stop()
    assert [await service.step(ahead, page) for page in (4, 5, 6)] == [[4], [5, 6], [7, 8]]


async def test_limit_of_a_client_bounds_the_window() -> None:
    """Pages of all walks count until their walk uses or drops them."""
    service = Service()
    ahead, other = reading(service, max_prefetched=3), reading(service)
    other._limit = ahead._limit
    assert [await service.step(ahead, page) for page in (1, 2, 3)] == [[1], [2, 3], [4, 5]]
    # Pages 4 and 5 are prefetched.
    assert [await service.step(other, page) for page in (1, 2)] == [[1], [2, 3]]
    assert await service.step(ahead, 4) == []
    assert await service.step(other, 3) == [4]
    await other.aclose()
    assert [await service.step(ahead, page) for page in (5, 6)] == [[6, 7], [8]]


@pytest.mark.parametrize("way", ["used", "dropped when done", "dropped in flight", "stopped"])
async def test_task_of_a_prefetched_page_is_released(way: str) -> None:
    """It is released when it has ended, without the garbage collector."""
    service = Service()
    ahead = reading(service, 1)
    if way == "dropped in flight":
        service.hold(3)
    await service.step(ahead, 1)
    await service.step(ahead, 2)
    (task,) = map(weakref.ref, ahead._limit._tasks)
    gc.disable()
    try:
        if way == "stopped":
            ahead.stop()
        else:
            await service.step(ahead, 3 if way == "used" else 1, limit=0)
        assert (task() is not None) is (way == "dropped in flight")
        service.hold(3).set()
        await iterations(3)
        assert task() is None
    finally:
        gc.enable()


async def test_page_is_due_once_its_walk_needs_it() -> None:
    """Prefetched pages are not due before that."""
    service = Service()
    ahead = reading(service, 2)
    await service.step(ahead, 1)
    service.hold(3)
    await service.step(ahead, 2)
    assert service.due.keys() == {3}
    assert not service.due[3].done()
    step = asyncio.create_task(service.step(ahead, 3))
    await iterations(3)
    assert service.due.keys() == {3, 4, 5}
    assert [due.done() for due in service.due.values()] == [True, False, False]
    service.hold(3).set()
    await step
    ahead.stop()


async def test_page_that_is_due_is_requested_first() -> None:
    """This also applies if the event loop starts tasks eagerly, as it can from Python 3.12 on."""
    eager = getattr(asyncio, "eager_task_factory", None)
    asyncio.get_running_loop().set_task_factory(eager)
    service = Service()
    ahead = reading(service)
    for page in range(1, 4):
        await service.step(ahead, page)
    assert service.requested == [1, 2, 3, 4, 5]
    service = Service()
    ahead = reading(service)
    await service.step(ahead, 1)
    service.hold(2)
    step = asyncio.create_task(service.step(ahead, 2))
    await iterations(3)
    assert service.requested == [1, 2, 3]
    service.hold(2).set()
    await step
    ahead.stop()


async def test_changed_numbers_are_noticed_in_order_of_arrival() -> None:
    """Page 4 arrives before page 3 and reports another total."""
    service = Service()
    ahead = reading(service)
    for page in (3, 4):
        service.hold(page)
    await service.step(ahead, 1)
    await service.step(ahead, 2)
    assert service.requested == [1, 2, 3]
    third = asyncio.create_task(ahead.get(3, 20, deadline=None, readahead_limit=50))
    await iterations(3)
    service.total = 999
    service.hold(4).set()
    await iterations(3)
    service.total = 1000
    service.hold(3).set()
    page, was_ahead = await third
    assert (page.total, was_ahead, service.moved) == (1000, True, 2)
    ahead.stop()


# A walk.


async def test_first_page_prefetches_nothing(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """The caller may need only this page."""
    async for page in client.iter_transcriptions(ROOM).by_page():
        assert len(page.items) == 20
        break
    found = []
    async for t in client.iter_transcriptions(ROOM):
        found.append(t.id)
        if len(found) == 20:
            break
    await iterations(10)
    assert found == rows[:20]
    assert [request.page for request in fake.requests] == [1, 1]


async def test_rows_are_yielded_in_order_whenever_their_pages_arrive(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """The prefetched pages are requested together, and some are slow."""
    for page in range(3, PAGES, 3):
        fake.on_page(page, Delay(0.1))
    pager = client.iter_transcriptions(ROOM)
    assert [t.id async for t in aiter(pager)] == rows
    assert pager.stats == WalkStats(requests=PAGES, rows_yielded=len(rows), shortfall=0)
    assert fake.most_in_flight > 2


async def test_loop_by_page_prefetches_as_well(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """Loops over rows and over pages do so."""
    fake.every(1, Delay(0.01))
    pages = [page async for page in client.iter_transcriptions(ROOM).by_page()]
    assert [t.id for page in pages for t in page.items] == rows
    assert fake.most_in_flight > 2


async def test_anext_prefetches_nothing(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """There is no loop whose end would cancel it."""
    pager = client.iter_transcriptions(ROOM)
    assert [(await anext(pager)).id for _ in range(61)] == rows[:61]
    assert (await anext(pager.by_page())).items[0].id == rows[61]
    assert [request.page for request in fake.requests] == [1, 2, 3, 4]
    assert client_tasks() == set()


async def test_anext_of_a_page_iterator_prefetches_nothing(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """Only the iterator of a loop does, and `by_page` returns none yet."""
    pages = client.iter_transcriptions(ROOM).by_page()
    for number in range(1, 6):
        assert (await anext(pages)).number == number
        assert client_tasks() == set()
    assert [request.page for request in fake.requests] == [1, 2, 3, 4, 5]


async def test_anext_after_a_break_prefetches_nothing(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """The loop that prefetched has ended."""
    pager = client.iter_transcriptions(ROOM)
    found = []
    async for t in pager:
        found.append(t.id)
        if len(found) == 81:
            break
    await iterations(5)
    await until(lambda: not fake.in_flight)
    before = len(fake.requests)
    for _ in range(100):
        found.append((await anext(pager)).id)
        assert client_tasks() == set()
    assert found == rows[:181]
    # Pages 6 to 10, and the rescan after responses that were cancelled.
    assert len(fake.requests) - before <= 7


@pytest.mark.parametrize(("limit", "pages"), [(20, 1), (21, 2), (40, 2), (41, 3), (100, 5)])
async def test_limit_bounds_what_is_fetched(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str], limit: int, pages: int
) -> None:
    """No page is fetched of which no row can be yielded."""
    found = [t.id async for t in client.iter_transcriptions(ROOM, limit=limit)]
    assert found == rows[:limit]
    assert sorted(request.page or 0 for request in fake.requests) == list(range(1, pages + 1))


@pytest.mark.parametrize(
    ("shape", "most", "requests"),
    [("documented", 9, 30), ("no last page", 9, 31), ("no page info", 1, 31)],
)
async def test_only_pages_known_to_exist_are_prefetched(
    fake: FakeVideoSDK,
    client: TranscriptsClient,
    shape: Any,
    most: int,
    requests: int,
) -> None:
    """No page beyond the end is prefetched, and none if the service does not report the end."""
    fake.add_transcriptions(PAGES * 20, room_id=ROOM)
    fake.every(1, Slow(shape))
    pager = client.iter_transcriptions(ROOM)
    assert [t.id async for t in pager] == [row["id"] for row in fake.rows]
    assert pager.stats.requests == requests
    assert most // 2 < fake.most_in_flight <= most


class Slow:
    """A slow response of another shape, so that several are in flight together."""

    def __init__(self, shape: Any) -> None:
        self.shape = Envelope(shape)

    async def __call__(self, exchange: Exchange) -> Any:
        await asyncio.sleep(0.05)
        return await self.shape(exchange)


# Errors of prefetched pages.


async def test_prefetched_page_that_failed_is_fetched_again_when_due(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """The error of the prefetch is never raised."""
    fake.on_page(4, Status(404))
    pager = client.iter_transcriptions(ROOM, limit=100)
    found = []
    async for t in pager:
        found.append(t.id)
        if len(found) == 41:
            await until(lambda: _pages(fake).count(4) == 1 and not client_tasks())
    assert found == rows[:100]
    assert _pages(fake).count(4) == 2
    assert pager.stats.requests == 6


async def test_page_that_fails_when_due_raises(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """The error has the page, and no task is left when it is raised."""

    async def slow_refusal(exchange: Exchange) -> Any:
        await asyncio.sleep(0.05)
        return await Status(404)(exchange)

    fake.on_page(4, slow_refusal)
    fake.on_page(5, Delay(0.2))
    found: list[str] = []
    pager = client.iter_transcriptions(ROOM, readahead=2)
    with pytest.raises(NotFoundError) as caught:
        await collect(pager, found)
    assert client_tasks() == set()
    assert (caught.value.page, found) == (4, rows[:60])
    assert caught.value.checkpoint == pager.checkpoint
    await collect(pager, found)
    assert found == rows


@pytest.mark.parametrize("manner", ["rows", "pages"])
async def test_loop_whose_error_is_kept_cancels_prefetching_at_its_end(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str], manner: str
) -> None:
    """The traceback of an error of an earlier step does not keep the iterator alive."""
    fake.on_page(3, Status(404))
    pager = client.iter_transcriptions(ROOM, readahead=2)
    loop: AsyncIterator[object] = aiter(pager if manner == "rows" else pager.by_page())
    for _ in range(40 if manner == "rows" else 2):
        await anext(loop)
    with pytest.raises(NotFoundError) as caught:
        await anext(loop)
    fake.on_page(6, Delay(60))
    for _ in range(41 if manner == "rows" else 3):
        await anext(loop)
    await until(lambda: fake.in_flight)
    del loop
    await iterations(3)
    assert client_tasks() == set()
    assert caught.value.page == 3


async def test_prefetched_page_whose_task_was_cancelled_is_fetched_again(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """A caller may cancel all tasks that it did not start."""
    fake.every(1, Delay(0.01))
    found = []
    async for t in client.iter_transcriptions(ROOM):
        found.append(t.id)
        if len(found) == 50:
            for task in client_tasks():
                task.cancel()
            await iterations(3)
            assert client_tasks() == set()
    assert found == rows


async def test_error_of_a_token_callable_is_raised_when_the_page_is_due(
    fake: FakeVideoSDK, rows: list[str]
) -> None:
    """The caller's own exception is raised unchanged."""
    asked = 0

    async def token() -> str:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        if asked > 1:
            raise LookupError
        return fake_token

    async with fake.client() as other:
        fake_token = await other._transport._tokens.get()
    fake.on_page(3, Status(401))
    found: list[str] = []
    async with fake.client(api_key=None, secret=None, token=token) as client:
        with pytest.raises(LookupError):
            await collect(client.iter_transcriptions(ROOM), found)
        assert client_tasks() == set()
    assert found == rows[:40]


async def test_throttled_walk_halves_the_window_and_loses_no_row(
    fake: FakeVideoSDK, rows: list[str]
) -> None:
    """429 responses are counted."""
    most = 3

    async def crowded(exchange: Exchange) -> Any:
        is_crowd = fake.in_flight > most
        await asyncio.sleep(0.005)
        return await Status(429)(exchange) if is_crowd else exchange.response()

    fake.every(1, crowded)
    retry = RetryPolicy(attempts=50, wait_initial=0.01, wait_max=0.05)
    async with fake.client(retry=retry) as client:
        pager = client.iter_transcriptions(ROOM)
        assert [t.id async for t in pager] == rows
    assert 0 < pager.stats.throttled == pager.stats.retries < PAGES * 2


# Rows that move.


async def test_prefetched_page_with_moved_rows_is_requested_again(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """It may be older than the previous page, unlike a page that was requested when due."""
    fake.on_page(5, Change(lambda f: f.rows.__delitem__(slice(3))))
    pager = client.iter_transcriptions(ROOM)
    assert [t.id async for t in pager] == rows
    assert pager.stats.drifted
    assert _pages(fake).count(5) >= 2


async def test_movement_shown_only_by_a_later_page_is_noticed(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """A row is removed and one is added while page 4 is in flight; only page 5 shows that."""
    took = []

    async def late(exchange: Exchange) -> Any:
        await until(lambda: bool(took))
        await asyncio.sleep(0.02)
        fake.add_transcription(room_id=ROOM)
        return exchange.response()

    async def early(exchange: Exchange) -> Any:
        took.append(fake.rows.pop(0)["id"])
        return exchange.response()

    fake.on_page(4, late)
    fake.on_page(5, early)
    pager = client.iter_transcriptions(ROOM)
    found = [t.id async for t in pager]
    assert [row_id for row_id in found if row_id in rows] == rows
    assert len(found) == len(rows) + 1
    assert pager.stats.drifted


async def test_last_pages_of_different_page_sizes_are_not_compared() -> None:
    """Page 1 reveals a limit of 7 rows, and page 3 arrives before page 2."""
    arrived = []

    async def early(exchange: Exchange) -> Any:
        arrived.append(3)
        return exchange.response()

    async def late(exchange: Exchange) -> Any:
        await until(lambda: bool(arrived))
        await asyncio.sleep(0.02)
        return exchange.response()

    async with FakeVideoSDK(max_page_size=7) as fake, fake.client() as client:
        rows = [row["id"] for row in fake.add_transcriptions(35, room_id=ROOM)]
        fake.on_page(1, Envelope(info={"perPage": 20, "lastPage": 2}))
        fake.on_page(2, late)
        fake.on_page(3, early)
        pager = client.iter_transcriptions(ROOM)
        assert [t.id async for t in pager] == rows
        assert sorted(_pages(fake)) == [1, 2, 3, 4, 5]
        assert not pager.stats.drifted


# Large pages.


@pytest.mark.parametrize(("page_size", "waits"), [(20, False), (400, True)])
async def test_large_pages_are_decoded_one_at_a_time(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str], page_size: int, waits: bool
) -> None:
    """Several at a time would block the event loop for too long."""
    task = asyncio.create_task(
        collect(client.iter_transcriptions(ROOM, page_size=page_size), found := [])
    )
    async with client._realtime._decoding.of_this_loop():
        await until(lambda: bool(fake.requests) and not fake.in_flight)
        await iterations(20)
        assert (found == []) is waits
    await task
    assert found == rows


# Ends of a loop.


async def test_break_cancels_prefetching(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """It happens within a few iterations of the event loop, although the pager still exists."""
    fake.every(1, Delay(0.01))
    pager, found = client.iter_transcriptions(ROOM), []
    for _ in range(3):
        async for t in pager:
            found.append(t.id)
            if len(found) % 100 == 0:
                break
        assert client_tasks()
        await iterations(3)
        assert client_tasks() == set()
    await collect(pager, found)
    assert found == rows
    # A cancelled response might have shown movement, so each loop rescanned once.
    assert (pager.stats.rescans, pager.stats.drifted) == (3, False)


async def test_leaving_async_with_cancels_prefetching_immediately(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """After `async with`, or after `aclose`, no task is left."""
    fake.every(1, Delay(0.01))
    found = []
    async with client.iter_transcriptions(ROOM) as pager:
        async for t in pager:
            found.append(t.id)
            if len(found) == 100:
                assert client_tasks()
                break
    assert client_tasks() == set()
    assert found == rows[:100]
    with pytest.raises(RuntimeError, match="closed"):
        await anext(pager)


async def test_closing_the_pager_in_its_loop_cancels_prefetching_immediately(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """The next step of the loop raises."""
    fake.every(1, Delay(0.01))
    pager, found = client.iter_transcriptions(ROOM), []

    async def walk() -> None:
        async for t in pager:
            found.append(t.id)
            if len(found) == 90:
                await pager.aclose()
                assert client_tasks() == set()

    with pytest.raises(RuntimeError, match="closed"):
        await walk()
    assert found == rows[:90]


async def test_cancellation_cancels_prefetching(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """The walk may wait anywhere, and continues from there."""
    fake.on_page(7, Delay(0.05))
    pager, found = client.iter_transcriptions(ROOM), []
    task = asyncio.create_task(collect(pager, found))
    await until(lambda: len(found) == 120)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    await iterations(3)
    assert client_tasks() == set()
    await collect(pager, found)
    assert found == rows


async def test_closing_a_step_cancels_prefetching(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """A closed coroutine must not wait for what it started."""
    fake.every(1, Delay(0.01))
    loop = aiter(client.iter_transcriptions(ROOM))
    for _ in range(20):
        await anext(loop)
    step = loop.__anext__()
    step.send(None)  # type: ignore[attr-defined]
    await iterations(2)
    assert client_tasks()
    step.close()  # type: ignore[attr-defined]
    await iterations(3)
    assert client_tasks() == set()


async def test_closing_a_step_cancels_the_prefetched_page_that_it_waits_for(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """Unlike a cancellation, closing a coroutine does not reach what it waits for."""
    loop = aiter(client.iter_transcriptions(ROOM, readahead=1))
    for _ in range(20):
        await anext(loop)
    fake.on_page(3, Delay(60))
    for _ in range(20):
        await anext(loop)
    await until(lambda: fake.in_flight)
    step = loop.__anext__()
    step.send(None)  # type: ignore[attr-defined]
    step.close()  # type: ignore[attr-defined]
    await iterations(3)
    assert client_tasks() == set()


@pytest.mark.parametrize("where", ["another task", "another thread"])
async def test_loop_collected_elsewhere_cancels_prefetching(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str], where: str
) -> None:
    """It may be collected in another task or another thread."""
    fake.every(1, Delay(0.05))
    held = [aiter(client.iter_transcriptions(ROOM))]
    for _ in range(41):
        await anext(held[0])
    assert client_tasks()

    async def drop() -> None:
        held.clear()

    if where == "another task":
        await asyncio.create_task(drop())
    else:
        await asyncio.to_thread(held.clear)
    await iterations(5)
    assert client_tasks() == set()


async def test_loop_in_a_reference_cycle_cancels_prefetching(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """The garbage collector may run at any time."""
    fake.every(1, Delay(0.05))
    cycle: list[Any] = [aiter(client.iter_transcriptions(ROOM))]
    cycle.append(cycle)
    for _ in range(41):
        await anext(cycle[0])
    del cycle
    gc.collect()
    await iterations(3)
    assert client_tasks() == set()


async def test_two_loops_over_one_pager_share_its_position(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """When one ends, the other one continues."""
    pager, found = client.iter_transcriptions(ROOM), []
    async for t in pager:
        found.append(t.id)
        if len(found) == 50:
            async for u in pager:
                found.append(u.id)
                if len(found) == 150:
                    break
    assert found == rows


async def test_closing_the_client_cancels_prefetching(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """The walk raises at its next page."""
    fake.every(1, Delay(0.05))
    found = []

    async def walk() -> None:
        async for t in client.iter_transcriptions(ROOM):
            found.append(t.id)
            if len(found) == 41:
                await client.aclose()
                await iterations(3)
                assert client_tasks() == set()

    with pytest.raises(ClientClosedError):
        await walk()
    assert len(found) >= 60
    assert found == rows[: len(found)]


def test_loop_continues_in_another_event_loop() -> None:
    """Pages prefetched in the first one are fetched again in the second."""
    found: list[str] = []

    async def walk(count: int) -> None:
        found.extend([(await anext(held[0])).id for _ in range(count)])

    started, ended = threading.Event(), threading.Event()
    fakes: list[FakeVideoSDK] = []

    async def serve() -> None:
        async with FakeVideoSDK() as fake:
            fake.add_transcriptions(PAGES * 20, room_id=ROOM)
            fake.every(1, Delay(0.005))
            fakes.append(fake)
            started.set()
            await asyncio.to_thread(ended.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    started.wait()
    client = fakes[0].client()
    held = [aiter(client.iter_transcriptions(ROOM))]
    first, second = asyncio.new_event_loop(), asyncio.new_event_loop()
    try:
        with contextlib.closing(first), contextlib.closing(second):
            first.run_until_complete(walk(81))
            second.run_until_complete(walk(119))
            first.run_until_complete(walk(100))
            held.clear()
            for loop in (first, second):
                loop.run_until_complete(asyncio.sleep(0.02))
                loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        ended.set()
        thread.join()
    assert found == [row["id"] for row in fakes[0].rows][:300]


# As an option.


@pytest.mark.parametrize("readahead", [-1, True, 1.0, "8", None])
async def test_invalid_readahead_is_rejected(client: TranscriptsClient, readahead: Any) -> None:
    """Nothing has been sent by then."""
    with pytest.raises(ConfigurationError, match="readahead must be a whole number, 0 or more"):
        client.iter_transcriptions(ROOM, readahead=readahead)


async def test_checkpoint_does_not_cover_prefetched_pages(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """Their rows have not been yielded."""
    found: list[str] = []
    pager = client.iter_transcriptions(ROOM)
    async for t in pager:
        found.append(t.id)
        if len(found) == 130:
            break
    found += [t.id async for t in client.iter_transcriptions(ROOM, resume=pager.checkpoint)]
    assert found == rows


async def collect(pager: Any, found: list[str]) -> None:
    """Add the remaining ids, also if an error follows."""
    async for t in pager:
        found.append(t.id)  # noqa: PERF401 - an error must not take them along


def _pages(fake: FakeVideoSDK) -> list[int | None]:
    return [request.page for request in fake.requests]
