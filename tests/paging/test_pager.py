"""P3 and the pager's interface over real sockets, misuse included."""

import asyncio
import gc
import json
import weakref
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from aiohttp import web

from videosdk_transcripts import (
    ConfigurationError,
    InvalidRowError,
    PaginationError,
    RateLimitedError,
    ServerError,
    TimedOutError,
    Transcription,
    TranscriptsClient,
    UnverifiedRowError,
)
from videosdk_transcripts._paging.pager import Pager, expected_rows
from videosdk_transcripts.testing import (
    Change,
    Delay,
    EmptyPage,
    Envelope,
    Exchange,
    FakeVideoSDK,
    RepeatPage,
    Status,
)

from ..conftest import ManualClock, until

ROOM = "abcd-efgh-ijkl"


async def ids(pager: Pager[Transcription]) -> list[str]:
    """Return the ids of the remaining rows."""
    return [t.id async for t in pager]


# Errors, cancellation and odd pages.


async def test_step_after_an_error_requests_the_same_page(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """No row is lost or duplicated."""
    fake.on_page(2, Status(503), times=3)
    pager = client.iter_transcriptions(ROOM)
    found = [(await anext(pager)).id for _ in range(20)]
    with pytest.raises(ServerError) as caught:
        await anext(pager)
    assert (caught.value.page, caught.value.attempts) == (2, 3)
    assert caught.value.checkpoint == pager.checkpoint
    resumed = client.iter_transcriptions(ROOM, resume=pager.checkpoint)
    assert found + await ids(resumed) == rows
    assert (resumed.stats.repaired, resumed.stats.shortfall) == (0, 0)
    found += await ids(pager)
    assert found == rows


async def test_step_after_a_cancellation_requests_the_same_page(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """A cancellation is not suppressed, and changes nothing."""
    fake.on_page(2, Delay(30))
    pager = client.iter_transcriptions(ROOM)
    found = [(await anext(pager)).id for _ in range(20)]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await anext(pager)
    found += await ids(pager)
    assert found == rows


async def test_empty_page_in_the_middle_is_not_the_end(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock, rows: list[str]
) -> None:
    """It is requested again, and then the walk continues to the last page."""
    fake.page_sizes = [20, 0, 0, 20, 5]
    assert await ids(client.iter_transcriptions(ROOM, readahead=0)) == rows
    assert [r.page for r in fake.requests] == [1, 2, 2, 3, 3, 4, 5]
    assert clock.slept == [0.5, 0.5]


async def test_page_that_is_empty_by_mistake_is_requested_once_more(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock, rows: list[str]
) -> None:
    """There is a short wait before, which the public clock can replace."""
    fake.on_page(2, EmptyPage())
    pages = [p async for p in client.iter_transcriptions(ROOM, readahead=0).by_page()]
    assert [len(p.items) for p in pages] == [20, 20, 5]
    assert [r.page for r in fake.requests] == [1, 2, 2, 3]
    assert clock.slept == [0.5]


async def test_repeated_page_is_an_error_after_one_rescan(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """The error has the page, and no row is duplicated."""
    fake.on_page(2, RepeatPage(1), times=9)
    pager = client.iter_transcriptions(ROOM)
    found = [(await anext(pager)).id for _ in range(20)]
    with pytest.raises(PaginationError, match="page 2 repeats rows") as caught:
        await anext(pager)
    assert (caught.value.page, found) == (2, rows[:20])
    assert [r.page for r in fake.requests] == [1, 2, 1]
    assert not pager.stats.drifted


async def test_1500_empty_pages_are_an_error(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """They are bounded by default, without recursion."""
    first = fake.add_transcription()["id"]
    fake.page_sizes = [1, *[0] * 1500, 1]
    pager = client.iter_transcriptions(ROOM)
    assert (await anext(pager)).id == first
    with pytest.raises(PaginationError, match="1000 consecutive pages .* larger max_empty_pages"):
        await anext(pager)
    # Page 2 twice, the first time with the size of page 1, which is short.
    assert len(fake.requests) == 1003


async def test_walk_with_too_many_empty_pages_resumes_with_a_higher_limit(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """The error explains how to continue."""
    first, last = fake.add_transcription()["id"], fake.add_transcription()["id"]
    fake.page_sizes = [1, *[0] * 30, 1]
    pager = client.iter_transcriptions(ROOM, max_empty_pages=20)
    assert (await anext(pager)).id == first
    with pytest.raises(PaginationError, match="20 consecutive pages .* larger max_empty_pages"):
        await anext(pager)
    patient = client.iter_transcriptions(ROOM, resume=pager.checkpoint, max_empty_pages=30)
    assert await ids(patient) == [last]


async def test_second_task_at_a_page_boundary_gets_an_error(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """The first task's walk is not affected."""
    pager = client.iter_transcriptions(ROOM)
    first, second = await asyncio.gather(anext(pager), anext(pager), return_exceptions=True)
    assert isinstance(second, RuntimeError)
    assert "two tasks" in str(second)
    assert isinstance(first, Transcription)
    assert [first.id, *await ids(pager)] == rows


async def test_second_loop_continues_after_the_last_row(
    client: TranscriptsClient, rows: list[str]
) -> None:
    """After the end it is an error."""
    pager = client.iter_transcriptions(ROOM)
    found = []
    async for t in pager:
        found.append(t.id)
        if len(found) == 25:
            break
    found += await ids(pager)
    assert found == rows
    with pytest.raises(RuntimeError, match="this pager has ended; call client.iter_transcriptions"):
        await ids(pager)
    with pytest.raises(RuntimeError, match="this pager has ended"):
        [page async for page in pager.by_page()]
    with pytest.raises(StopAsyncIteration):
        await anext(pager)


async def test_invalid_row_raises_until_it_can_be_read(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """The error has its location, and the whole page is yielded once the row can be read."""
    fake.rows[22]["start"] = "yesterday"
    pager = client.iter_transcriptions(ROOM)
    found = [(await anext(pager)).id for _ in range(20)]
    for _ in range(2):
        with pytest.raises(InvalidRowError) as caught:
            await anext(pager)
    error = caught.value
    assert (error.page, error.path, error.row_id) == (2, "$.transcriptions[2].start", rows[22])
    assert "yesterday" not in str(error)
    # Such an error is not transient, so each step sent one request.
    assert [r.page for r in fake.requests] == [1, 2, 2]
    fake.rows[22]["start"] = None
    found += await ids(pager)
    assert found == rows


async def test_pages_in_a_list_are_distinct_values(
    client: TranscriptsClient, rows: list[str]
) -> None:
    """A page does not change after it was yielded."""
    pages = [page async for page in client.iter_transcriptions(ROOM).by_page()]
    assert [(p.number, len(p.items), p.last_page, p.total) for p in pages] == [
        (1, 20, 3, 45),
        (2, 20, 3, 45),
        (3, 5, 3, 45),
    ]
    assert [t.id for page in pages for t in page.items] == rows


# Steps.


async def test_nothing_is_sent_before_the_first_step(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """Creating a pager costs nothing, and one row costs one request."""
    pager = client.iter_transcriptions(ROOM)
    assert (fake.requests, pager.total, pager.last_page) == ([], None, None)
    assert "at page 1 of ?" in repr(pager)
    await anext(pager)
    assert (len(fake.requests), pager.total, pager.last_page) == (1, 45, 3)
    assert repr(pager) == f"<Pager over room {ROOM}, at page 2 of 3, 1 rows yielded>"
    for _ in range(20):
        await anext(pager)
    assert repr(pager) == f"<Pager over room {ROOM}, at page 3 of 3, 21 rows yielded>"
    assert len(await ids(pager)) == 24
    assert repr(pager) == f"<Pager over room {ROOM}, at its end, 45 rows yielded>"


async def test_rows_are_released_while_the_next_page_is_fetched(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """The pager keeps their ids only."""
    fake.on_page(2, Delay(60))
    pager = client.iter_transcriptions(ROOM)
    found = [weakref.ref(await anext(pager)) for _ in range(20)]
    step = asyncio.ensure_future(anext(pager))
    await until(lambda: len(fake.requests) == 2)
    gc.collect()
    assert [row() for row in found] == [None] * 20
    step.cancel()


async def test_repr_beyond_the_last_page_names_no_last_page(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """Full pages and a total that is higher show that it is wrong."""
    fake.on_page(1, Envelope(info={"lastPage": 1}))
    pager = client.iter_transcriptions(ROOM)
    await anext(pager)
    assert "at page 2, " in repr(pager)


async def test_options_are_sent_with_every_page(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """The filter and the page size are sent with every page, and not only with the first."""
    session = "64f1a2b3c4d5e6f708192a3b"
    await ids(client.iter_transcriptions(ROOM, session, page_size=10))
    assert [dict(r.query) for r in fake.requests] == [
        {"roomId": ROOM, "sessionId": session, "page": str(n), "perPage": "10"} for n in range(1, 6)
    ]


@pytest.mark.parametrize(("limit", "requests"), [(1, 1), (20, 1), (21, 2), (45, 3), (99, 3)])
async def test_limit_bounds_rows_and_requests(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str], limit: int, requests: int
) -> None:
    """No page is requested for rows beyond it."""
    pager = client.iter_transcriptions(ROOM, limit=limit)
    assert await ids(pager) == rows[:limit]
    assert len(fake.requests) == requests
    assert pager.stats.rows_yielded == min(limit, 45)


async def test_limit_cuts_the_last_page(client: TranscriptsClient, rows: list[str]) -> None:
    """This also applies to `by_page`."""
    pages = [p async for p in client.iter_transcriptions(ROOM, limit=25).by_page()]
    assert [len(p.items) for p in pages] == [20, 5]


async def test_limit_counts_yielded_rows(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """Foreign rows do not count."""
    fake.filters = "ignored"
    fake.add_transcriptions(20, room_id="other")
    mine = fake.add_transcriptions(3)
    found = await ids(client.iter_transcriptions(ROOM, limit=2))
    assert found == [row["id"] for row in mine[:2]]


async def test_rows_and_pages_share_one_position(
    client: TranscriptsClient, rows: list[str]
) -> None:
    """A page does not contain rows that were already yielded."""
    pager = client.iter_transcriptions(ROOM)
    found = [(await anext(pager)).id for _ in range(5)]
    page = await anext(pager.by_page())
    assert (page.number, len(page.items)) == (1, 15)
    found += [t.id for t in page.items]
    found += await ids(pager)
    assert found == rows


async def test_empty_list_is_one_empty_page(client: TranscriptsClient) -> None:
    """The page has no rows."""
    assert await ids(client.iter_transcriptions(ROOM)) == []
    pages = [p async for p in client.iter_transcriptions(ROOM).by_page()]
    assert [(p.number, p.items, p.total) for p in pages] == [(1, (), 0)]


async def test_empty_page_behind_the_end_is_not_yielded(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """Without a last page, it only indicates the end."""
    fake.every(1, Envelope("no last page"))
    pages = [p async for p in client.iter_transcriptions(ROOM).by_page()]
    assert [len(p.items) for p in pages] == [20, 20, 5]
    assert [r.page for r in fake.requests] == [1, 2, 3, 4]


async def test_closed_pager_raises_and_can_be_resumed(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """`async with` closes it, and closing it twice is allowed; it sends no more requests."""
    async with client.iter_transcriptions(ROOM) as pager:
        found = [(await anext(pager)).id for _ in range(20)]
    await pager.aclose()
    with pytest.raises(RuntimeError, match="this pager is closed.*resume=pager.checkpoint"):
        await anext(pager)
    assert [request.page for request in fake.requests] == [1]
    found += await ids(client.iter_transcriptions(ROOM, resume=pager.checkpoint))
    assert found == rows


async def test_closed_pager_yields_no_more_rows_of_its_page(
    client: TranscriptsClient, rows: list[str]
) -> None:
    """The next walk yields them."""
    pager = client.iter_transcriptions(ROOM)
    first = (await anext(pager)).id
    await pager.aclose()
    with pytest.raises(RuntimeError, match="this pager is closed"):
        await anext(pager)
    rest = await ids(client.iter_transcriptions(ROOM, resume=pager.checkpoint))
    assert [first, *rest] == rows


async def test_stop_iteration_of_a_callers_function_is_an_error(
    fake: FakeVideoSDK, rows: list[str]
) -> None:
    """It does not end the walk."""
    tokens = iter([fake.client()._transport._tokens])

    async def provider() -> str:
        source = next(tokens, None)
        if source is None:
            raise StopAsyncIteration
        return await source.get()

    fake.on_page(2, Status(401))
    async with fake.client(token=provider) as client:
        pager = client.iter_transcriptions(ROOM)
        found = [(await anext(pager)).id for _ in range(20)]
        with pytest.raises(RuntimeError, match="raised StopAsyncIteration"):
            await anext(pager)
    assert found == rows[:20]


async def test_resumed_walk_rescans_pages_with_foreign_rows(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Rows that shifted between two processes are found after such a page, too."""
    fake.filters = "ignored"
    fake.add_transcription(room_id="other")
    mine = [row["id"] for row in fake.add_transcriptions(59)]
    pager = client.iter_transcriptions(ROOM)
    found = [(await anext(pager)).id for _ in range(19)]
    del fake.rows[:3]
    found += await ids(client.iter_transcriptions(ROOM, resume=pager.checkpoint))
    assert found == mine


def test_plain_loop_and_await_raise_with_the_right_line() -> None:
    """`for` and `await` are the two common mistakes."""
    pager: Any = TranscriptsClient(token="t").iter_transcriptions()
    with pytest.raises(TypeError, match="write 'async for t in client.iter_transcriptions"):
        iter(pager)
    with pytest.raises(TypeError, match=r"be awaited.*async for.*await client\.get_page"):
        pager.__await__()


async def test_walk_timeout_ends_a_walk_that_can_be_resumed(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock, rows: list[str]
) -> None:
    """It starts with the first step and covers all pages."""
    pager = client.iter_transcriptions(ROOM, walk_timeout=60)
    clock.now += 100
    found = [(await anext(pager)).id for _ in range(20)]
    clock.now += 61
    with pytest.raises(TimedOutError, match="walk_timeout before the first attempt") as caught:
        await anext(pager)
    assert (caught.value.page, caught.value.attempts) == (2, 0)
    found += await ids(client.iter_transcriptions(ROOM, resume=caught.value.checkpoint))
    assert found == rows


async def test_wait_beyond_walk_timeout_raises_immediately(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock, rows: list[str]
) -> None:
    """The error has the `Retry-After` of the service."""
    fake.fail_next(Status(429, {"Retry-After": "50"}))
    pager = client.iter_transcriptions(ROOM, walk_timeout=40)
    with pytest.raises(RateLimitedError) as caught:
        await anext(pager)
    assert (caught.value.retry_after, caught.value.attempts, clock.slept) == (50.0, 1, [])


@pytest.mark.parametrize("manner", ["row", "page"])
async def test_closing_from_another_task_ends_a_step_in_progress(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str], manner: str
) -> None:
    """No row is yielded after it returned, and none is lost."""
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def hold(exchange: Exchange) -> web.StreamResponse:
        reached.set()
        await go_on.wait()
        return exchange.response()

    fake.on_page(2, hold)
    pager = client.iter_transcriptions(ROOM)
    found: list[str] = []

    async def walk() -> None:
        if manner == "row":
            async for t in pager:
                found.append(t.id)
        else:
            async for page in pager.by_page():
                found.extend(t.id for t in page.items)

    task = asyncio.create_task(walk())
    await reached.wait()
    await pager.aclose()
    checkpoint = pager.checkpoint
    go_on.set()
    with pytest.raises(RuntimeError, match="this pager is closed"):
        await task
    assert found == rows[:20]
    assert (pager.checkpoint, pager.stats.rows_yielded) == (checkpoint, 20)
    found += await ids(client.iter_transcriptions(ROOM, resume=checkpoint))
    assert found == rows


# Foreign and invalid rows.


@pytest.mark.parametrize("count", [1, 45])
@pytest.mark.parametrize("consistency", ["once", "verify"])
async def test_walk_over_foreign_rows_alone_suggests_a_custom_id(
    fake: FakeVideoSDK,
    client: TranscriptsClient,
    caplog: pytest.LogCaptureFixture,
    count: int,
    consistency: Literal["once", "verify"],
) -> None:
    """It ends normally, because the room may be empty; the warning is logged once."""
    fake.filters = "ignored"
    fake.add_transcriptions(count, room_id="other")
    pager = client.iter_transcriptions("my-room", consistency=consistency)
    assert await ids(pager) == []
    with pytest.raises(StopAsyncIteration):
        await anext(pager)
    assert pager.stats.only_foreign_rows
    assert caplog.text.count("a custom room id: pass the room id that resolve_room() returns") == 1


async def test_walk_resumed_before_any_own_row_suggests_a_custom_id(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """The checkpoint proves no own row."""
    fake.filters = "ignored"
    fake.add_transcriptions(45, room_id="other")
    checkpoint = client.iter_transcriptions("my-room").checkpoint
    resumed = client.iter_transcriptions("my-room", resume=checkpoint)
    assert await ids(resumed) == []
    assert resumed.stats.only_foreign_rows


@pytest.mark.parametrize("odd", ["none", "mine", "unverified", "invalid", "limit"])
async def test_walk_that_may_have_own_rows_suggests_nothing(
    fake: FakeVideoSDK, client: TranscriptsClient, caplog: pytest.LogCaptureFixture, odd: str
) -> None:
    """An empty list, one own row, and rows whose owner is unknown prove nothing."""
    fake.filters = "ignored"
    if odd != "none":
        fake.add_transcriptions(45, room_id="other")
    if odd in ("mine", "limit"):
        fake.add_transcription()
    if odd == "unverified":
        fake.add_transcription(room_id=None)
    if odd == "invalid":
        fake.add_transcription()["start"] = "yesterday"
    limit = 1 if odd == "limit" else None
    pager = client.iter_transcriptions(
        ROOM, on_unverified="skip", on_invalid="skip", limit=limit, page_size=50
    )
    assert len(await ids(pager)) == (odd in ("mine", "limit"))
    rest = client.iter_transcriptions(
        ROOM, on_unverified="skip", on_invalid="skip", page_size=50, resume=pager.checkpoint
    )
    await ids(rest)
    assert not pager.stats.only_foreign_rows
    assert not rest.stats.only_foreign_rows
    assert "mistyped" not in caplog.text


async def test_foreign_rows_are_dropped_when_the_filter_is_ignored(
    fake: FakeVideoSDK, client: TranscriptsClient, caplog: pytest.LogCaptureFixture
) -> None:
    """No row of another room is yielded; they are counted and logged."""
    fake.filters = "ignored"
    mine = []
    for number in range(60):
        room = ROOM if number % 3 else "other"
        row = fake.add_transcription(room_id=room)
        if room == ROOM:
            mine.append(row["id"])
    pager = client.iter_transcriptions(ROOM)
    assert await ids(pager) == mine
    assert pager.stats.foreign_rows_dropped == 20
    assert caplog.text.count("ignored the filter") == 1


@pytest.mark.parametrize(("on_unverified", "count"), [("skip", 2), ("yield", 3)])
async def test_rows_without_ids_follow_on_unverified(
    fake: FakeVideoSDK, client: TranscriptsClient, on_unverified: Any, count: int
) -> None:
    """They are counted."""
    fake.filters = "ignored"
    fake.add_transcriptions(2)
    fake.add_transcription(room_id=None, session_id=None)
    pager = client.iter_transcriptions(ROOM, on_unverified=on_unverified)
    assert len(await ids(pager)) == count
    assert pager.stats.unverified_rows == 1


@pytest.mark.parametrize(("on_unverified", "count"), [("skip", 3), ("yield", 4)])
async def test_rows_that_are_left_out_are_not_expected(
    fake: FakeVideoSDK, client: TranscriptsClient, on_unverified: Any, count: int
) -> None:
    """They are in the total, and are subtracted as soon as they have been read."""
    fake.filters = "ignored"
    noon = datetime(2026, 3, 4, 12, tzinfo=UTC)
    fake.add_transcriptions(2, room_id="other", start=noon)
    fake.add_transcriptions(3, start=noon)
    for _ in range(4):
        fake.add_transcription(start=noon)["status"] = 5
    for _ in range(5):
        del fake.add_transcription()["start"]
    fake.add_transcription(room_id=None, session_id=None, start=noon + timedelta(hours=1))
    fake.add_transcriptions(3, start=noon + timedelta(hours=1))
    pager = client.iter_transcriptions(
        ROOM, since=noon + timedelta(hours=1), on_invalid="skip", on_unverified=on_unverified
    )
    assert expected_rows(pager) is None
    await anext(pager)
    assert expected_rows(pager) == count
    assert len(await ids(pager)) == count - 1
    assert expected_rows(pager) == count


async def test_rows_without_ids_raise_by_default(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """The error names the option and the page, and has a checkpoint."""
    fake.filters = "ignored"
    silent = fake.add_transcription(room_id=None, session_id=None)
    pager = client.iter_transcriptions(ROOM)
    with pytest.raises(UnverifiedRowError, match="on_unverified='yield'") as caught:
        await anext(pager)
    assert (caught.value.page, caught.value.row_id) == (1, silent["id"])
    again = client.iter_transcriptions(ROOM, resume=caught.value.checkpoint, on_unverified="yield")
    assert await ids(again) == [silent["id"]]


@pytest.mark.parametrize(("on_invalid", "collected"), [("skip", 0), ("collect", 1)])
async def test_invalid_row_is_skipped_or_collected(
    fake: FakeVideoSDK,
    client: TranscriptsClient,
    rows: list[str],
    on_invalid: Any,
    collected: int,
) -> None:
    """The others are yielded, and it is counted."""
    fake.rows[22]["start"] = "yesterday"
    pager = client.iter_transcriptions(ROOM, on_invalid=on_invalid)
    assert await ids(pager) == [*rows[:22], *rows[23:]]
    assert pager.stats.invalid_rows == 1
    assert [row.raw for row in pager.invalid_rows] == [fake.rows[22]][:collected]


# Rows that move.


async def test_rows_that_shift_during_the_walk_are_yielded_in_order(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """They are read again, and yielded in their order."""
    fake.on_page(2, Change(lambda f: f.rows.__delitem__(slice(0, 3))))
    pager = client.iter_transcriptions(ROOM, readahead=0)
    assert await ids(pager) == rows
    assert (pager.stats.drifted, pager.stats.rescans) == (True, 1)
    assert [r.page for r in fake.requests] == [1, 2, 1, 3]


async def test_rows_pushed_back_during_the_walk_are_yielded_once(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """They are listed twice."""
    fake.on_page(2, Change(lambda f: f.add_transcription(at=0)))
    pager = client.iter_transcriptions(ROOM)
    found = await ids(pager)
    assert [i for i in found if i in rows] == rows
    assert pager.stats.duplicates_dropped == 1


async def test_walk_that_failed_during_a_rescan_resumes_without_loss(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """The rows that had shifted are found by the new walk."""
    fake.on_page(2, Change(lambda f: f.rows.__delitem__(slice(0, 3))))
    fake.on_page(1, Delay(0))
    fake.on_page(1, Status(503), times=3)
    pager = client.iter_transcriptions(ROOM)
    found = [(await anext(pager)).id for _ in range(20)]
    with pytest.raises(ServerError) as caught:
        await anext(pager)
    found += await ids(client.iter_transcriptions(ROOM, resume=caught.value.checkpoint))
    assert found == rows


# Checkpoints.


@pytest.mark.parametrize("stop", [0, 1, 19, 20, 21, 40, 44, 45])
async def test_walk_stopped_after_any_row_resumes_exactly(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str], stop: int
) -> None:
    """It continues with the next row."""
    pager = client.iter_transcriptions(ROOM)
    found = [(await anext(pager)).id for _ in range(stop)]
    found += await ids(client.iter_transcriptions(ROOM, resume=pager.checkpoint))
    assert found == rows


async def test_checkpoint_between_two_released_pages_is_exact(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """A page that was read again and the held page are yielded separately."""
    fake.on_page(2, Change(lambda f: f.rows.__delitem__(slice(0, 3))))
    pager = client.iter_transcriptions(ROOM)
    found = [(await anext(pager)).id for _ in range(23)]
    state = json.loads(pager.checkpoint)
    assert (state["page"], state["met"]) == (1, 23)
    found += await ids(client.iter_transcriptions(ROOM, resume=pager.checkpoint))
    assert found == rows


@pytest.mark.parametrize("stop", [41, 44])
async def test_checkpoint_among_released_pages_has_the_total_of_their_page(
    fake: FakeVideoSDK, client: TranscriptsClient, stop: int
) -> None:
    """This applies within rows that were found, and within the held page, which was read before."""
    rows = [row["id"] for row in fake.add_transcriptions(85)]
    fake.on_page(3, Change(lambda f: f.rows.__delitem__(slice(0, 3))))
    fake.on_page(2, Delay(0))
    fake.on_page(2, Change(lambda f: f.add_transcriptions(25)))
    pager = client.iter_transcriptions(ROOM)
    found = [(await anext(pager)).id for _ in range(stop)]
    assert json.loads(pager.checkpoint)["met"] == stop
    # The total equals that of the held page again, although rows have shifted since then.
    del fake.rows[:25]
    found += await ids(client.iter_transcriptions(ROOM, resume=pager.checkpoint))
    assert found[:85] == rows
    assert len(found) == len(set(found)) == 85 + 25


async def test_checkpoint_behind_a_dropped_response_starts_with_a_rescan(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """It might have shown that rows moved, which the total no longer shows."""
    rows = [row["id"] for row in fake.add_transcriptions(200)]
    fake.on_page(4, Delay(60))
    found = []
    pager = client.iter_transcriptions(ROOM)
    async for t in pager:
        found.append(t.id)
        if len(found) == 45:
            break
    del fake.rows[:20]
    new = [row["id"] for row in fake.add_transcriptions(20)]
    resumed = client.iter_transcriptions(ROOM, resume=pager.checkpoint)
    assert found + await ids(resumed) == rows + new
    assert resumed.stats.repaired == 0


async def test_checkpoint_behind_a_dropped_response_finds_a_row_that_moved_before(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Page 5 shows that a row was removed, and page 4, served later, has the old total again."""
    rows = [row["id"] for row in fake.add_transcriptions(200)]
    is_removed = asyncio.Event()

    async def early(exchange: Exchange) -> web.StreamResponse:
        fake.rows.pop(0)
        is_removed.set()
        return await Delay(60)(exchange)

    async def late(exchange: Exchange) -> web.StreamResponse:
        await is_removed.wait()
        fake.add_transcription()
        return exchange.response()

    fake.on_page(4, late)
    fake.on_page(5, early)
    found = []
    pager = client.iter_transcriptions(ROOM)
    async for t in pager:
        found.append(t.id)
        if len(found) == 65:
            break
    assert rows[60] not in found
    found += await ids(client.iter_transcriptions(ROOM, resume=pager.checkpoint))
    assert sorted(found) == sorted([*rows, fake.rows[-1]["id"]])


async def test_finished_walk_resumes_with_new_rows_only(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """They are the rows that were added at the end since then."""
    pager = client.iter_transcriptions(ROOM)
    await ids(pager)
    new = [row["id"] for row in fake.add_transcriptions(30)]
    assert await ids(client.iter_transcriptions(ROOM, resume=pager.checkpoint)) == new


async def test_checkpoint_of_another_walk_is_rejected_immediately(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Nothing has been sent by then."""
    checkpoint = client.iter_transcriptions(ROOM).checkpoint
    with pytest.raises(ConfigurationError, match="over room abcd-efgh-ijkl"):
        client.iter_transcriptions("other", resume=checkpoint)
    with pytest.raises(ConfigurationError, match="page_size=20"):
        client.iter_transcriptions(ROOM, resume=checkpoint, page_size=50)
    assert fake.requests == []


async def test_checkpoint_is_bounded(client: TranscriptsClient, fake: FakeVideoSDK) -> None:
    """It contains only the newest ids."""
    fake.add_transcriptions(1000)
    pager = client.iter_transcriptions(ROOM, page_size=50)
    await ids(pager)
    checkpoint = json.loads(pager.checkpoint)
    assert sum(len(ids) for _, ids in checkpoint["yielded"]) == 500
    assert checkpoint["complete_from_page"] == 11


async def test_checkpoint_counts_its_ids_in_current_page_numbers(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """If rows shifted, the remembered ones shifted as well."""
    rows = [row["id"] for row in fake.add_transcriptions(900)]
    fake.on_page(13, Change(lambda f: f.rows.__delitem__(slice(0, 60))))
    pager = client.iter_transcriptions(ROOM)
    found = [(await anext(pager)).id for _ in range(741)]
    state = json.loads(pager.checkpoint)
    assert (state["page"], state["complete_from_page"]) == (35, 11)
    # Those that the rescan found do not count.
    assert sum(len(ids) for _, ids in state["yielded"]) == 541
    del fake.rows[:150]
    found += await ids(client.iter_transcriptions(ROOM, resume=pager.checkpoint))
    assert found == rows


async def test_walk_with_a_smaller_page_size_of_the_service_resumes_exactly(
    client: TranscriptsClient, fake: FakeVideoSDK, rows: list[str]
) -> None:
    """The size that the service reported is part of the checkpoint."""
    fake.max_page_size = 7
    pager = client.iter_transcriptions(ROOM, page_size=20)
    found = [(await anext(pager)).id for _ in range(17)]
    found += await ids(client.iter_transcriptions(ROOM, page_size=20, resume=pager.checkpoint))
    assert found == rows
    assert {r.query["perPage"] for r in fake.requests} == {"20", "7"}


@pytest.mark.parametrize("limit", [1, 10, 19, 20, 21, 44, 45])
@pytest.mark.parametrize("manner", ["rows", "pages"])
async def test_walk_that_reached_its_limit_resumes_exactly(
    client: TranscriptsClient, rows: list[str], limit: int, manner: str
) -> None:
    """The error of an ended pager recommends this; the count is exact, too."""
    pager = client.iter_transcriptions(ROOM, limit=limit)
    if manner == "rows":
        found = await ids(pager)
    else:
        found = [t.id async for page in pager.by_page() for t in page.items]
    assert (found, pager.stats.shortfall) == (rows[:limit], None)
    rest = client.iter_transcriptions(ROOM, resume=pager.checkpoint)
    assert found + await ids(rest) == rows
    assert (rest.stats.shortfall, rest.stats.repaired) == (0, 0)


async def test_limit_behind_a_rescan_that_released_several_pages_resumes_exactly(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """The limit is within the first, the second or the third of them."""
    for limit in (41, 60, 61, 80, 81, 99):
        fake.rows.clear()
        everything = [row["id"] for row in fake.add_transcriptions(120)]
        fake.on_page(3, Change(lambda f: f.rows.__delitem__(slice(0, 40))))
        pager = client.iter_transcriptions(ROOM, limit=limit, readahead=0)
        found = await ids(pager)
        assert found == everything[:limit]
        found += await ids(client.iter_transcriptions(ROOM, resume=pager.checkpoint))
        assert found == everything


async def test_checkpoint_of_an_empty_list_finds_rows_that_come_later(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """The resumed walk starts at the first page."""
    pager = client.iter_transcriptions(ROOM)
    assert await ids(pager) == []
    state = json.loads(pager.checkpoint)
    assert (state["page"], state["met"], state["complete_from_page"]) == (1, 0, 1)
    rows = [row["id"] for row in fake.add_transcriptions(25)]
    assert await ids(client.iter_transcriptions(ROOM, resume=pager.checkpoint)) == rows


async def test_checkpoint_covers_no_more_pages_than_were_read(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Rows that a rescan found belong to an earlier page than those yielded before."""
    everything = [row["id"] for row in fake.add_transcriptions(80)]
    fake.on_page(4, Change(lambda f: f.rows.__delitem__(slice(0, 25))))
    pager = client.iter_transcriptions(ROOM, readahead=0)
    found = [(await anext(pager)).id for _ in range(61)]
    state = json.loads(pager.checkpoint)
    assert state["complete_from_page"] <= state["page"] == 2
    assert found + await ids(client.iter_transcriptions(ROOM, resume=pager.checkpoint)) == (
        everything
    )
