"""P13: pages are asked for before their turn, and nobody notices but for the time."""

import asyncio
import contextlib
import gc
import threading
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
from videosdk_transcripts._paging.readahead import ReadAhead
from videosdk_transcripts.testing import Change, Delay, Envelope, Exchange, FakeVideoSDK, Status

from ..conftest import until
from ..matrix.leaving import client_tasks, turns

ROOM = "abcd-efgh-ijkl"
PAGES = 30


@pytest.fixture
def rows(fake: FakeVideoSDK) -> list[str]:
    """Return the ids of thirty pages."""
    return [row["id"] for row in fake.add_transcriptions(PAGES * 20, room_id=ROOM)]


class Service:
    """Gives pages when it is told to, and knows what was asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.stats = WalkStats()
        self.total = 1000
        self.moved = 0
        self.maybe_moved = 0
        self._gates: dict[int, asyncio.Event] = {}

    async def fetch(
        self, page: int, page_size: int, *, deadline: float | None
    ) -> Page[Transcription]:
        assert (page_size, deadline) == (20, None)
        self.asked.append(page)
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
        """Get a page, and return which ones have been asked for meanwhile."""
        before = len(self.asked)
        found, _ = await ahead.get(page, 20, deadline=None, readahead_limit=limit)
        assert found.number == page
        await turns(2)
        return sorted(self.asked[before:])


def reading(service: Service, max_window: int = 8) -> ReadAhead[Transcription]:
    """Make one that reads ahead for a loop which does not end."""
    ahead = ReadAhead(service.fetch, max_window, service.stats, service)
    ahead.leases = 1
    return ahead


# The window.


async def test_the_window_doubles_from_the_second_page_on() -> None:
    """1, 2, 4, 8 pages ahead, and then one more with each page."""
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
async def test_the_window_has_a_bound(max_window: int, came: list[list[int]]) -> None:
    """It goes as far as was asked for, and with 0 nothing is read ahead."""
    service = Service()
    ahead = reading(service, max_window)
    assert [await service.step(ahead, page) for page in range(1, 5)] == came


async def test_the_window_is_halved_where_the_service_asks_for_less() -> None:
    """And grows by one from then on."""
    service = Service()
    ahead = reading(service)
    for page in range(1, 6):
        await service.step(ahead, page)
    assert max(service.asked) == 13
    service.stats.throttled += 3
    came = [await service.step(ahead, page) for page in range(6, 12)]
    assert came == [[], [], [14], [15, 16], [17, 18], [19]], "the window is 4, 5, 6, 7, 8 and 8"


async def test_the_window_does_not_vanish() -> None:
    """Half of one page is one page."""
    service = Service()
    ahead = reading(service)
    await service.step(ahead, 1)
    for page in range(2, 6):
        service.stats.throttled += 1
        assert await service.step(ahead, page) == ([2, 3] if page == 2 else [page + 1])


async def test_nothing_is_asked_for_beyond_the_reach() -> None:
    """The end of the list, or what a limit lets through."""
    service = Service()
    ahead = reading(service)
    came = [await service.step(ahead, page, limit=4) for page in range(1, 5)]
    assert came == [[1], [2, 3], [4], []]


async def test_going_back_drops_what_was_read_ahead() -> None:
    """It may be too old, and the window is halved, since it went too far."""
    service = Service()
    ahead = reading(service)
    for page in range(1, 5):
        await service.step(ahead, page)
    assert max(service.asked) == 8
    assert await service.step(ahead, 3, limit=0) == [3]
    assert await service.step(ahead, 5) == [5, 6, 7]
    assert await service.step(ahead, 6) == [8, 9]
    ahead.stop()


async def test_answers_that_differ_are_noticed_in_the_order_in_which_they_come() -> None:
    """Page 4 comes before page 3, and was another list."""
    service = Service()
    ahead = reading(service)
    for page in (3, 4):
        service.hold(page)
    await service.step(ahead, 1)
    await service.step(ahead, 2)
    assert service.asked == [1, 2, 3]
    third = asyncio.create_task(ahead.get(3, 20, deadline=None, readahead_limit=50))
    await turns(3)
    service.total = 999
    service.hold(4).set()
    await turns(3)
    service.total = 1000
    service.hold(3).set()
    page, was_ahead = await third
    assert (page.total, was_ahead, service.moved) == (1000, True, 2)
    ahead.stop()


# A walk.


async def test_one_page_is_one_request(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """Nobody knows yet that another one will be wanted."""
    async for page in client.iter_transcriptions(ROOM).by_page():
        assert len(page.items) == 20
        break
    found = []
    async for t in client.iter_transcriptions(ROOM):
        found.append(t.id)
        if len(found) == 20:
            break
    await turns(10)
    assert found == rows[:20]
    assert [request.page for request in fake.requests] == [1, 1]


async def test_rows_come_in_order_whenever_their_pages_came(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """The pages ahead are asked for at once, and some of them are slow."""
    for page in range(3, PAGES, 3):
        fake.on_page(page, Delay(0.1))
    pager = client.iter_transcriptions(ROOM)
    assert [t.id async for t in aiter(pager)] == rows
    assert pager.stats == WalkStats(requests=PAGES, rows_yielded=len(rows))
    assert fake.most_in_flight > 2


async def test_a_walk_by_pages_reads_ahead_as_well(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """Both kinds of loops do."""
    fake.every(1, Delay(0.01))
    pages = [page async for page in client.iter_transcriptions(ROOM).by_page()]
    assert [t.id for page in pages for t in page.items] == rows
    assert fake.most_in_flight > 2


async def test_steps_by_hand_read_nothing_ahead(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """There is no loop whose end would end it."""
    pager = client.iter_transcriptions(ROOM)
    assert [(await anext(pager)).id for _ in range(61)] == rows[:61]
    assert (await anext(pager.by_page())).items[0].id == rows[61]
    assert [request.page for request in fake.requests] == [1, 2, 3, 4]
    assert client_tasks() == set()


@pytest.mark.parametrize(("limit", "pages"), [(20, 1), (21, 2), (40, 2), (41, 3), (100, 5)])
async def test_a_limit_bounds_what_is_asked_for(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str], limit: int, pages: int
) -> None:
    """No page is fetched of which no row can be handed out."""
    found = [t.id async for t in client.iter_transcriptions(ROOM, limit=limit)]
    assert found == rows[:limit]
    assert sorted(request.page or 0 for request in fake.requests) == list(range(1, pages + 1))


@pytest.mark.parametrize(
    ("shape", "most", "requests"),
    [("documented", 9, 30), ("no last page", 9, 31), ("no page info", 1, 31)],
)
async def test_nothing_is_asked_for_that_is_not_known_to_be_there(
    fake: FakeVideoSDK,
    client: TranscriptsClient,
    shape: Any,
    most: int,
    requests: int,
) -> None:
    """Neither beyond the end, nor at all where the service does not say where that is."""
    fake.add_transcriptions(PAGES * 20, room_id=ROOM)
    fake.every(1, Slow(shape))
    pager = client.iter_transcriptions(ROOM)
    assert [t.id async for t in pager] == [row["id"] for row in fake.rows]
    assert pager.stats.requests == requests
    assert most // 2 < fake.most_in_flight <= most


class Slow:
    """An answer of another shape that takes a while, so that others are under way with it."""

    def __init__(self, shape: Any) -> None:
        self.shape = Envelope(shape)

    async def __call__(self, exchange: Exchange) -> Any:
        await asyncio.sleep(0.05)
        return await self.shape(exchange)


# What goes wrong ahead.


async def test_a_page_that_failed_before_its_turn_is_asked_for_again(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """Nobody had asked for it, so that nobody hears of it."""
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


async def test_a_page_that_fails_at_its_turn_is_an_error(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """With the page, and with nothing left behind when the caller hears of it."""

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


async def test_what_a_token_callable_raises_ahead_waits_for_its_turn(
    fake: FakeVideoSDK, rows: list[str]
) -> None:
    """An exception that is not ours is the caller's own, and comes as it is."""
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


async def test_answers_that_ask_for_less_halve_the_window(
    fake: FakeVideoSDK, rows: list[str]
) -> None:
    """They are counted, and no row is lost."""
    most = 3

    async def crowded(exchange: Exchange) -> Any:
        is_crowd = fake.in_flight > most
        await asyncio.sleep(0.005)
        return await Status(429)(exchange) if is_crowd else exchange.answer()

    fake.every(1, crowded)
    retry = RetryPolicy(attempts=50, wait_initial=0.01, wait_max=0.05)
    async with fake.client(retry=retry) as client:
        pager = client.iter_transcriptions(ROOM)
        assert [t.id async for t in pager] == rows
    assert 0 < pager.stats.throttled == pager.stats.retries < PAGES * 2


# Rows that move.


async def test_a_page_read_ahead_that_tells_of_movement_is_asked_for_again(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """It may be older than the page before it, which a page asked for in its turn can't be."""
    fake.on_page(5, Change(lambda f: f.rows.__delitem__(slice(3))))
    pager = client.iter_transcriptions(ROOM)
    assert [t.id async for t in pager] == rows
    assert pager.stats.drifted
    assert _pages(fake).count(5) >= 2


async def test_movement_that_only_a_later_page_tells_of(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """One out and one in while page 4 was under way, of which page 5 knew in between."""
    took = []

    async def late(exchange: Exchange) -> Any:
        await until(lambda: bool(took))
        await asyncio.sleep(0.02)
        fake.add_transcription(room_id=ROOM)
        return exchange.answer()

    async def early(exchange: Exchange) -> Any:
        took.append(fake.rows.pop(0)["id"])
        return exchange.answer()

    fake.on_page(4, late)
    fake.on_page(5, early)
    pager = client.iter_transcriptions(ROOM)
    found = [t.id async for t in pager]
    assert [row_id for row_id in found if row_id in rows] == rows
    assert len(found) == len(rows) + 1
    assert pager.stats.drifted


# Large pages.


@pytest.mark.parametrize(("page_size", "waits"), [(20, False), (400, True)])
async def test_large_pages_are_read_one_after_another(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str], page_size: int, waits: bool
) -> None:
    """Together they would hold the event loop as long as one of them and more."""
    task = asyncio.create_task(
        collect(client.iter_transcriptions(ROOM, page_size=page_size), found := [])
    )
    async with client._reading.of_this_loop():
        await until(lambda: bool(fake.requests) and not fake.in_flight)
        await turns(20)
        assert (found == []) is waits
    await task
    assert found == rows


# Leaving.


async def test_a_break_ends_what_was_read_ahead(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """In a few turns of the event loop, although the pager is still there; and it goes on."""
    fake.every(1, Delay(0.01))
    pager, found = client.iter_transcriptions(ROOM), []
    for _ in range(3):
        async for t in pager:
            found.append(t.id)
            if len(found) % 100 == 0:
                break
        assert client_tasks()
        await turns(3)
        assert client_tasks() == set()
    await collect(pager, found)
    assert found == rows
    # What was given up might have told of movement, so that each loop looked back once.
    assert (pager.stats.rescans, pager.stats.drifted) == (3, False)


async def test_leaving_a_block_ends_it_at_once(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """With `async with`, or after `aclose`, nothing is there any more."""
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


async def test_closing_it_within_the_loop_ends_it_at_once(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """The loop is told so at its next step."""
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


async def test_a_cancellation_ends_it(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """Wherever the walk waits, and it goes on from there."""
    fake.on_page(7, Delay(0.05))
    pager, found = client.iter_transcriptions(ROOM), []
    task = asyncio.create_task(collect(pager, found))
    await until(lambda: len(found) == 120)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    await turns(3)
    assert client_tasks() == set()
    await collect(pager, found)
    assert found == rows


async def test_a_step_that_is_closed_ends_it(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """A coroutine that is thrown away may not wait for what it began."""
    fake.every(1, Delay(0.01))
    loop = aiter(client.iter_transcriptions(ROOM))
    for _ in range(20):
        await anext(loop)
    step = loop.__anext__()
    step.send(None)  # type: ignore[attr-defined]
    await turns(2)
    assert client_tasks()
    step.close()  # type: ignore[attr-defined]
    await turns(3)
    assert client_tasks() == set()


@pytest.mark.parametrize("where", ["another task", "another thread"])
async def test_a_loop_that_is_collected_elsewhere(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str], where: str
) -> None:
    """What was read ahead for it ends all the same."""
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
    await turns(5)
    assert client_tasks() == set()


async def test_a_loop_in_a_cycle_is_collected(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """By the garbage collector, which may come at any time."""
    fake.every(1, Delay(0.05))
    cycle: list[Any] = [aiter(client.iter_transcriptions(ROOM))]
    cycle.append(cycle)
    for _ in range(41):
        await anext(cycle[0])
    del cycle
    gc.collect()
    await turns(3)
    assert client_tasks() == set()


async def test_two_loops_over_one_pager(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """They share its place; where one ends, the other one goes on."""
    pager, found = client.iter_transcriptions(ROOM), []
    async for t in pager:
        found.append(t.id)
        if len(found) == 50:
            async for u in pager:
                found.append(u.id)
                if len(found) == 150:
                    break
    assert found == rows


async def test_closing_the_client_ends_it(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """And the walk is told so at its next page."""
    fake.every(1, Delay(0.05))
    found = []

    async def walk() -> None:
        async for t in client.iter_transcriptions(ROOM):
            found.append(t.id)
            if len(found) == 41:
                await client.aclose()
                await turns(3)
                assert client_tasks() == set()

    with pytest.raises(ClientClosedError):
        await walk()
    assert len(found) >= 60
    assert found == rows[: len(found)]


def test_a_loop_that_goes_on_in_another_event_loop() -> None:
    """What was read ahead in the first one is asked for again in the second."""
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
async def test_no_window(client: TranscriptsClient, readahead: Any) -> None:
    """It is refused before anything is sent."""
    with pytest.raises(ConfigurationError, match="readahead must be a whole number, 0 or more"):
        client.iter_transcriptions(ROOM, readahead=readahead)


async def test_a_checkpoint_knows_nothing_of_it(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """What was read ahead has not been handed out."""
    found: list[str] = []
    pager = client.iter_transcriptions(ROOM)
    async for t in pager:
        found.append(t.id)
        if len(found) == 130:
            break
    found += [t.id async for t in client.iter_transcriptions(ROOM, resume=pager.checkpoint)]
    assert found == rows


async def collect(pager: Any, found: list[str]) -> None:
    """Walk on, and keep what came."""
    async for t in pager:
        found.append(t.id)  # noqa: PERF401 - an error must not take them along


def _pages(fake: FakeVideoSDK) -> list[int | None]:
    return [request.page for request in fake.requests]
