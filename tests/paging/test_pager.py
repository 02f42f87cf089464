"""P3 and the pager's manners, over real sockets: the nine cases, and how it is held wrongly."""

import asyncio
import json
from typing import Any

import pytest

from videosdk_transcripts import (
    ConfigurationError,
    InvalidRowError,
    Page,
    PaginationError,
    RateLimitedError,
    ServerError,
    TimedOutError,
    Transcription,
    TranscriptsClient,
    UnverifiedRowError,
)
from videosdk_transcripts._paging.pager import Pager
from videosdk_transcripts.models import WalkStats
from videosdk_transcripts.testing import (
    Change,
    Delay,
    EmptyPage,
    Envelope,
    FakeVideoSDK,
    RepeatPage,
    Status,
)

from ..conftest import ManualClock
from .lists import LIST, walk_options

ROOM = "abcd-efgh-ijkl"


async def ids(pager: Pager[Transcription]) -> list[str]:
    """Walk on to the end."""
    return [t.id async for t in pager]


# The nine cases.


async def test_an_error_on_page_2_and_then_on(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """The step after an error asks for the same page again, and nothing is lost or doubled."""
    fake.on_page(2, Status(503), times=3)
    pager = client.iter_transcriptions(ROOM)
    found = [(await anext(pager)).id for _ in range(20)]
    with pytest.raises(ServerError) as caught:
        await anext(pager)
    assert (caught.value.page, caught.value.attempts) == (2, 3)
    assert caught.value.checkpoint == pager.checkpoint
    found += await ids(pager)
    assert found == rows


async def test_a_cancelled_fetch_of_page_2_and_then_on(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """A cancellation gets through and is like an error: nothing has moved."""
    fake.on_page(2, Delay(0.1))
    pager = client.iter_transcriptions(ROOM)
    found = [(await anext(pager)).id for _ in range(20)]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await anext(pager)
    found += await ids(pager)
    assert found == rows


async def test_an_empty_page_in_the_middle(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """It is not the end."""
    fake.page_sizes = [20, 0, 0, 20, 5]
    assert await ids(client.iter_transcriptions(ROOM)) == rows
    assert [r.page for r in fake.requests] == [1, 2, 3, 4, 5]


async def test_a_server_that_repeats_a_page(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """It is an error with the page, after one look back, and no row comes twice."""
    fake.on_page(2, RepeatPage(1), times=9)
    pager = client.iter_transcriptions(ROOM)
    found = [(await anext(pager)).id for _ in range(20)]
    with pytest.raises(PaginationError, match="page 2 repeats rows") as caught:
        await anext(pager)
    assert (caught.value.page, found) == (2, rows[:20])
    assert [r.page for r in fake.requests] == [1, 2, 1]
    assert not pager.stats.drifted


async def test_1500_empty_pages_below_a_far_last_page(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """They are bounded, without recursion, and the error says how to go on."""
    first, last = fake.add_transcription()["id"], fake.add_transcription()["id"]
    fake.page_sizes = [1, *[0] * 1500, 1]
    pager = client.iter_transcriptions(ROOM)
    assert (await anext(pager)).id == first
    with pytest.raises(PaginationError, match="1000 pages in a row .* larger max_empty_pages"):
        await anext(pager)
    assert len(fake.requests) == 1002
    patient = client.iter_transcriptions(ROOM, resume=pager.checkpoint, max_empty_pages=1500)
    assert await ids(patient) == [last]


async def test_two_tasks_at_a_page_boundary(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """The second one gets a RuntimeError, and the first one's walk is unharmed."""
    pager = client.iter_transcriptions(ROOM)
    first, second = await asyncio.gather(anext(pager), anext(pager), return_exceptions=True)
    assert isinstance(second, RuntimeError)
    assert "two tasks" in str(second)
    assert isinstance(first, Transcription)
    assert [first.id, *await ids(pager)] == rows


async def test_break_and_a_second_loop(client: TranscriptsClient, rows: list[str]) -> None:
    """A further loop goes on behind the last row; after the end it is an error."""
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


async def test_a_bad_row_on_page_2_and_then_on(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """The page is raised whole with the row's place, and comes whole once it is mended."""
    fake.rows[22]["start"] = "yesterday"
    pager = client.iter_transcriptions(ROOM)
    found = [(await anext(pager)).id for _ in range(20)]
    for _ in range(2):
        with pytest.raises(InvalidRowError) as caught:
            await anext(pager)
    error = caught.value
    assert (error.page, error.path, error.row_id) == (2, "$.transcriptions[2].start", rows[22])
    assert "yesterday" not in str(error)
    # It can't get better by asking again, so that each step asked once.
    assert [r.page for r in fake.requests] == [1, 2, 2]
    fake.rows[22]["start"] = None
    found += await ids(pager)
    assert found == rows


async def test_pages_in_a_list_stay_distinct(client: TranscriptsClient, rows: list[str]) -> None:
    """Each page is a value of its own."""
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
    """Making a pager costs nothing, and one row costs one request."""
    pager = client.iter_transcriptions(ROOM)
    assert (fake.requests, pager.total, pager.last_page) == ([], None, None)
    assert "at page 1 of ?" in repr(pager)
    await anext(pager)
    assert (len(fake.requests), pager.total, pager.last_page) == (1, 45, 3)
    assert repr(pager) == f"<Pager over room {ROOM}, at page 2 of 3, 1 rows yielded>"


async def test_options_hold_on_every_page(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """Filter and page size are in each request, and not in the first one alone."""
    session = "64f1a2b3c4d5e6f708192a3b"
    await ids(client.iter_transcriptions(ROOM, session, page_size=10))
    assert [dict(r.query) for r in fake.requests] == [
        {"roomId": ROOM, "sessionId": session, "page": str(n), "perPage": "10"} for n in range(1, 6)
    ]


@pytest.mark.parametrize(("limit", "requests"), [(1, 1), (20, 1), (21, 2), (45, 3), (99, 3)])
async def test_limit(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str], limit: int, requests: int
) -> None:
    """So many rows and no more, with no request for rows beyond them."""
    pager = client.iter_transcriptions(ROOM, limit=limit)
    assert await ids(pager) == rows[:limit]
    assert len(fake.requests) == requests
    assert pager.stats.rows_yielded == min(limit, 45)


async def test_limit_holds_for_pages(client: TranscriptsClient, rows: list[str]) -> None:
    """The last page is cut to it."""
    pages = [p async for p in client.iter_transcriptions(ROOM, limit=25).by_page()]
    assert [len(p.items) for p in pages] == [20, 5]


async def test_limit_counts_what_is_handed_out(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Rows of others don't use it up."""
    fake.filters = "ignored"
    fake.add_transcriptions(20, room_id="other")
    mine = fake.add_transcriptions(3)
    found = await ids(client.iter_transcriptions(ROOM, limit=2))
    assert found == [row["id"] for row in mine[:2]]


async def test_rows_and_pages_share_one_place(client: TranscriptsClient, rows: list[str]) -> None:
    """What was taken as a row is not on the page that follows."""
    pager = client.iter_transcriptions(ROOM)
    found = [(await anext(pager)).id for _ in range(5)]
    page = await anext(pager.by_page())
    assert (page.number, len(page.items)) == (1, 15)
    found += [t.id for t in page.items]
    found += await ids(pager)
    assert found == rows


async def test_an_empty_list(client: TranscriptsClient) -> None:
    """It is one page without rows, and a walk without steps."""
    assert await ids(client.iter_transcriptions(ROOM)) == []
    pages = [p async for p in client.iter_transcriptions(ROOM).by_page()]
    assert [(p.number, p.items, p.total) for p in pages] == [(1, (), 0)]


async def test_an_open_end_is_no_page(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """The empty answer behind the rows, where no last page is named, is only the end."""
    fake.every(1, Envelope("no last page"))
    pages = [p async for p in client.iter_transcriptions(ROOM).by_page()]
    assert [len(p.items) for p in pages] == [20, 20, 5]
    assert [r.page for r in fake.requests] == [1, 2, 3, 4]


async def test_closing_a_pager(client: TranscriptsClient, rows: list[str]) -> None:
    """Within `async with` it is closed at the end; it can be closed twice, and not walked on."""
    async with client.iter_transcriptions(ROOM) as pager:
        found = [(await anext(pager)).id for _ in range(20)]
    await pager.aclose()
    with pytest.raises(RuntimeError, match="this pager is closed.*resume=pager.checkpoint"):
        await anext(pager)
    found += await ids(client.iter_transcriptions(ROOM, resume=pager.checkpoint))
    assert found == rows


async def test_closing_a_pager_in_the_middle_of_a_page(
    client: TranscriptsClient, rows: list[str]
) -> None:
    """The rest of the page is not handed out any more."""
    pager = client.iter_transcriptions(ROOM)
    first = (await anext(pager)).id
    await pager.aclose()
    with pytest.raises(RuntimeError, match="this pager is closed"):
        await anext(pager)
    rest = await ids(client.iter_transcriptions(ROOM, resume=pager.checkpoint))
    assert [first, *rest] == rows


async def test_a_function_of_the_caller_that_stops_an_iteration(
    fake: FakeVideoSDK, rows: list[str]
) -> None:
    """It is an error, and not the end of the walk."""
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


async def test_a_resumed_walk_knows_pages_with_foreign_rows(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Rows that slid to the front between two processes are found behind such a page, too."""
    fake.filters = "ignored"
    fake.add_transcription(room_id="other")
    mine = [row["id"] for row in fake.add_transcriptions(59)]
    pager = client.iter_transcriptions(ROOM)
    found = [(await anext(pager)).id for _ in range(19)]
    del fake.rows[:3]
    found += await ids(client.iter_transcriptions(ROOM, resume=pager.checkpoint))
    assert found == mine


def test_a_plain_loop_is_told_the_right_line() -> None:
    """`for` and `await` are the two mistakes that people make."""
    pager: Any = TranscriptsClient(token="t").iter_transcriptions()
    with pytest.raises(TypeError, match="write 'async for t in client.iter_transcriptions"):
        iter(pager)
    with pytest.raises(TypeError, match=r"be awaited.*async for.*await client\.get_page"):
        pager.__await__()


async def test_the_walk_deadline_ends_a_walk(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock, rows: list[str]
) -> None:
    """It counts from the first step, over all pages, and the checkpoint goes on from there."""
    pager = client.iter_transcriptions(ROOM, walk_timeout=60)
    clock.now += 100
    found = [(await anext(pager)).id for _ in range(20)]
    clock.now += 61
    with pytest.raises(
        TimedOutError, match="walk_timeout passed before the first attempt"
    ) as caught:
        await anext(pager)
    assert (caught.value.page, caught.value.attempts) == (2, 0)
    found += await ids(client.iter_transcriptions(ROOM, resume=caught.value.checkpoint))
    assert found == rows


async def test_a_wait_beyond_the_walk_deadline_is_not_begun(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock, rows: list[str]
) -> None:
    """The failure is raised at once, with what the service asked for."""
    fake.fail_next(Status(429, {"Retry-After": "50"}))
    pager = client.iter_transcriptions(ROOM, walk_timeout=40)
    with pytest.raises(RateLimitedError) as caught:
        await anext(pager)
    assert (caught.value.retry_after, caught.value.attempts, clock.slept) == (50.0, 1, [])


# Only yours, and unreadable.


async def test_a_filter_that_is_ignored(
    fake: FakeVideoSDK, client: TranscriptsClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Not one row of another room comes out, and the counters and the log say so."""
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
async def test_rows_without_ids(
    fake: FakeVideoSDK, client: TranscriptsClient, on_unverified: Any, count: int
) -> None:
    """They follow the option, and are counted."""
    fake.filters = "ignored"
    fake.add_transcriptions(2)
    fake.add_transcription(room_id=None, session_id=None)
    pager = client.iter_transcriptions(ROOM, on_unverified=on_unverified)
    assert len(await ids(pager)) == count
    assert pager.stats.unverified_rows == 1


async def test_rows_without_ids_raise_by_default(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """The error names the option, the page and where to go on."""
    fake.filters = "ignored"
    silent = fake.add_transcription(room_id=None, session_id=None)
    pager = client.iter_transcriptions(ROOM)
    with pytest.raises(UnverifiedRowError, match="on_unverified='yield'") as caught:
        await anext(pager)
    assert (caught.value.page, caught.value.row_id) == (1, silent["id"])
    again = client.iter_transcriptions(ROOM, resume=caught.value.checkpoint, on_unverified="yield")
    assert await ids(again) == [silent["id"]]


@pytest.mark.parametrize(("on_invalid", "collected"), [("skip", 0), ("collect", 1)])
async def test_an_unreadable_row_that_is_left_out(
    fake: FakeVideoSDK,
    client: TranscriptsClient,
    rows: list[str],
    on_invalid: Any,
    collected: int,
) -> None:
    """The others come, it is counted, and kept where that was asked for."""
    fake.rows[22]["start"] = "yesterday"
    pager = client.iter_transcriptions(ROOM, on_invalid=on_invalid)
    assert await ids(pager) == [*rows[:22], *rows[23:]]
    assert pager.stats.invalid_rows == 1
    assert [row.raw for row in pager.invalid_rows] == [fake.rows[22]][:collected]


# Rows that move.


async def test_rows_that_vanish_while_walking(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """What slid to the front is read again, and handed out at its place."""
    fake.on_page(2, Change(lambda f: f.rows.__delitem__(slice(0, 3))))
    pager = client.iter_transcriptions(ROOM, readahead=0)
    assert await ids(pager) == rows
    assert (pager.stats.drifted, pager.stats.rescans) == (True, 1)
    assert [r.page for r in fake.requests] == [1, 2, 1, 3]


async def test_rows_that_appear_while_walking(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """What is pushed back comes once."""
    fake.on_page(2, Change(lambda f: f.add_transcription(at=0)))
    pager = client.iter_transcriptions(ROOM)
    found = await ids(pager)
    assert [i for i in found if i in rows] == rows
    assert pager.stats.duplicates_dropped == 1


async def test_a_failure_while_pages_are_read_again(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """Resumed in a new walk, nothing of what slid past is lost."""
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
async def test_stopped_after_any_row_and_resumed(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str], stop: int
) -> None:
    """The rest comes exactly, from the row on."""
    pager = client.iter_transcriptions(ROOM)
    found = [(await anext(pager)).id for _ in range(stop)]
    found += await ids(client.iter_transcriptions(ROOM, resume=pager.checkpoint))
    assert found == rows


async def test_a_checkpoint_between_released_pages(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """A page that was read again and one that was held back are handed out as two."""
    fake.on_page(2, Change(lambda f: f.rows.__delitem__(slice(0, 3))))
    pager = client.iter_transcriptions(ROOM)
    found = [(await anext(pager)).id for _ in range(23)]
    assert json.loads(pager.checkpoint)["page"] == 2
    found += await ids(client.iter_transcriptions(ROOM, resume=pager.checkpoint))
    assert found == rows


async def test_a_checkpoint_among_rows_that_slid_past_knows_how_the_list_stood(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """The total in it is the one of their page, and not that of the page held back before."""
    rows = [row["id"] for row in fake.add_transcriptions(85)]
    fake.on_page(3, Change(lambda f: f.rows.__delitem__(slice(0, 3))))
    fake.on_page(2, Delay(0))
    fake.on_page(2, Change(lambda f: f.add_transcriptions(25)))
    pager = client.iter_transcriptions(ROOM)
    found = [(await anext(pager)).id for _ in range(41)]
    # The total is that of the page held back again, and yet all has moved since.
    del fake.rows[:25]
    found += await ids(client.iter_transcriptions(ROOM, resume=pager.checkpoint))
    assert found[:85] == rows
    assert len(found) == len(set(found)) == 85 + 25


async def test_a_finished_walk_resumes_to_what_is_new(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """Rows that were added at the end since then come, and no others."""
    pager = client.iter_transcriptions(ROOM)
    await ids(pager)
    new = [row["id"] for row in fake.add_transcriptions(30)]
    assert await ids(client.iter_transcriptions(ROOM, resume=pager.checkpoint)) == new


async def test_a_checkpoint_of_another_walk_is_refused_at_once(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Before anything is sent."""
    checkpoint = client.iter_transcriptions(ROOM).checkpoint
    with pytest.raises(ConfigurationError, match="over room abcd-efgh-ijkl"):
        client.iter_transcriptions("other", resume=checkpoint)
    with pytest.raises(ConfigurationError, match="page_size=20"):
        client.iter_transcriptions(ROOM, resume=checkpoint, page_size=50)
    assert fake.requests == []


async def test_a_checkpoint_grows_no_further(client: TranscriptsClient, fake: FakeVideoSDK) -> None:
    """It holds the newest ids and not all of them."""
    fake.add_transcriptions(1000)
    pager = client.iter_transcriptions(ROOM, page_size=50)
    await ids(pager)
    checkpoint = json.loads(pager.checkpoint)
    assert len(checkpoint["yielded_ids"]) == 500
    assert checkpoint["complete_from_page"] == 11


async def test_what_a_checkpoint_knows_is_counted_in_the_newest_page_numbers(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Where rows slid to the front, so did those that are known."""
    rows = [row["id"] for row in fake.add_transcriptions(900)]
    fake.on_page(13, Change(lambda f: f.rows.__delitem__(slice(0, 60))))
    pager = client.iter_transcriptions(ROOM)
    found = [(await anext(pager)).id for _ in range(741)]
    state = json.loads(pager.checkpoint)
    assert (state["page"], state["complete_from_page"], len(state["yielded_ids"])) == (35, 11, 501)
    del fake.rows[:150]
    found += await ids(client.iter_transcriptions(ROOM, resume=pager.checkpoint))
    assert found == rows


async def test_a_smaller_page_of_the_server_is_resumed_exactly(
    client: TranscriptsClient, fake: FakeVideoSDK, rows: list[str]
) -> None:
    """The size that the server named is part of the checkpoint."""
    fake.max_page_size = 7
    pager = client.iter_transcriptions(ROOM, page_size=20)
    found = [(await anext(pager)).id for _ in range(17)]
    found += await ids(client.iter_transcriptions(ROOM, page_size=20, resume=pager.checkpoint))
    assert found == rows
    assert {r.query["perPage"] for r in fake.requests} == {"20", "7"}


# The seam.


async def test_a_pager_needs_no_http(clock: ManualClock) -> None:
    """It walks whatever fetches pages."""

    async def fetch(page: int, page_size: int, *, deadline: float | None) -> Page[Transcription]:
        assert (page_size, deadline) == (2, None)
        return Page(page, (Transcription(f"{page}a"), Transcription(f"{page}b")), last_page=2)

    options = walk_options(page_size=2, max_empty_pages=1)
    pager = Pager(fetch, options, WalkStats(), clock=clock.clock, list_name=LIST)
    assert await ids(pager) == ["1a", "1b", "2a", "2b"]


async def test_an_empty_page_by_fault(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """A page that comes empty once is taken as it came: nothing says that it is wrong."""
    fake.on_page(2, EmptyPage())
    pages = [p async for p in client.iter_transcriptions(ROOM).by_page()]
    assert [len(p.items) for p in pages] == [20, 0, 5]
