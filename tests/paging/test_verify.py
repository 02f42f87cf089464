"""P1 where page numbers can't show it: passes until two agree."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from videosdk_transcripts import (
    ConfigurationError,
    IncompleteWalkError,
    Pager,
    Transcription,
    TranscriptsClient,
)
from videosdk_transcripts.testing import (
    Change,
    Delay,
    EmptyPage,
    Envelope,
    Exchange,
    FakeVideoSDK,
)

from ..conftest import ManualClock

ROOM = "abcd-efgh-ijkl"


async def ids(pager: Pager[Transcription]) -> list[str]:
    """Return the ids of the remaining rows."""
    return [t.id async for t in pager]


def one_out_one_in(fake: FakeVideoSDK) -> None:
    """Remove a row at the front and add one at the end, so that no number changes."""
    fake.rows.pop(0)
    fake.add_transcription()


def requested(fake: FakeVideoSDK) -> list[int | None]:
    """Return the pages that were requested."""
    return [request.page for request in fake.requests]


async def test_static_list_is_walked_twice(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """Two passes agree, and each row is yielded once."""
    pager = client.iter_transcriptions(ROOM, consistency="verify")
    assert await ids(pager) == rows
    assert requested(fake) == [1, 2, 3, 1, 2, 3]
    assert (pager.stats.passes, pager.stats.rows_yielded) == (2, 45)
    assert (pager.stats.drifted, pager.stats.duplicates_dropped) == (False, 0)


async def test_row_missed_by_the_first_pass_is_yielded_last(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """The row shifted past the walk while the total stayed the same."""
    fake.on_page(2, Change(one_out_one_in))
    missed = rows[20]
    once = await ids(client.iter_transcriptions(ROOM))
    assert missed not in once

    fake.rows[:] = [row for row in fake.rows if row["id"] in rows]
    fake.add_transcription(at=0)
    fake.on_page(2, Change(one_out_one_in))
    pager = client.iter_transcriptions(ROOM, consistency="verify")
    found = await ids(pager)
    listed = [row["id"] for row in fake.rows]
    assert set(listed) <= set(found)
    assert len(found) == len(set(found))
    assert (pager.stats.passes, pager.stats.drifted) == (3, True)


@pytest.mark.parametrize("number", [21, 33, 44])
async def test_row_that_moves_to_the_front_is_found(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str], number: int
) -> None:
    """It was always listed, but at places where neither of the first two passes was."""
    fake.on_page(2, Change(lambda f: f.rows.insert(0, f.rows.pop(number))))
    found = await ids(client.iter_transcriptions(ROOM, consistency="verify"))
    assert sorted(found) == sorted(rows)


async def test_list_that_changes_in_each_pass_is_an_error(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """After five passes all rows found have been yielded, and the pager stays ended."""
    fake.on_page(3, Change(one_out_one_in), times=9)
    pager = client.iter_transcriptions(ROOM, consistency="verify")
    found: list[str] = []

    async def walk_on() -> None:
        async for t in pager:
            found.append(t.id)  # noqa: PERF401 - kept when the walk ends with an error

    with pytest.raises(IncompleteWalkError, match="walked 5 times .* differ in 4 rows") as caught:
        await walk_on()
    assert {row["id"] for row in fake.rows} <= set(found)
    error = caught.value
    assert (error.passes, error.differing, pager.stats.passes) == (5, 4, 5)
    assert error.checkpoint == pager.checkpoint
    with pytest.raises(RuntimeError, match="this pager has ended"):
        await ids(pager)


async def test_rows_that_move_in_a_later_pass_are_counted(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """The counters cover all passes."""
    fake.on_page(2, _answer, Change(lambda f: f.rows.pop(0)))
    pager = client.iter_transcriptions(ROOM, consistency="verify")
    assert await ids(pager) == rows
    # The passes before and after the change have other totals than the one with it.
    assert (pager.stats.drifted, pager.stats.rescans, pager.stats.passes) == (True, 1, 4)


async def test_row_that_appears_between_two_passes_is_reported(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """Within each pass no row moves, but the second one has a row more than the first."""
    fake.on_page(1, _answer, Change(lambda f: f.add_transcription()))
    pager = client.iter_transcriptions(ROOM, consistency="verify", readahead=0)
    assert await ids(pager) == [*rows, fake.rows[-1]["id"]]
    assert (pager.stats.drifted, pager.stats.rescans, pager.stats.passes) == (True, 0, 3)


async def test_row_that_moves_to_the_front_in_a_later_pass_is_reported(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """Both passes have the same rows, but their order has changed."""
    fake.on_page(2, _answer, Change(lambda f: f.rows.insert(0, f.rows.pop())))
    pager = client.iter_transcriptions(ROOM, consistency="verify", readahead=0)
    assert await ids(pager) == rows
    assert (pager.stats.drifted, pager.stats.rescans, pager.stats.passes) == (True, 1, 2)


async def test_invalid_rows_are_counted_once(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """Those of the first pass are not counted again, but one that appears later is."""
    fake.rows[1]["status"] = 5
    del fake.rows[2]["id"]

    def spoil(fake: FakeVideoSDK) -> None:
        fake.add_transcription(row_id="late", end=5)

    fake.on_page(1, _answer, Change(spoil))
    pager = client.iter_transcriptions(ROOM, consistency="verify", on_invalid="collect")
    assert await ids(pager) == [rows[0], *rows[3:]]
    assert [row.row_id for row in pager.invalid_rows] == [rows[1], None, "late"]
    assert pager.stats.invalid_rows == 3


async def test_foreign_rows_are_counted_and_logged_once(
    fake: FakeVideoSDK, client: TranscriptsClient, caplog: pytest.LogCaptureFixture, rows: list[str]
) -> None:
    """The later passes drop them silently."""
    fake.filters = "ignored"
    fake.add_transcriptions(30, room_id="other")
    pager = client.iter_transcriptions(ROOM, consistency="verify")
    assert await ids(pager) == rows
    assert (pager.stats.passes, pager.stats.foreign_rows_dropped) == (2, 30)
    assert caplog.text.count("ignored the filter") == 1


async def test_limit_needs_no_second_pass(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """Verification concerns the whole list."""
    assert await ids(client.iter_transcriptions(ROOM, consistency="verify", limit=5)) == rows[:5]
    assert requested(fake) == [1]


async def test_later_passes_yield_only_pages_with_new_rows(
    client: TranscriptsClient, rows: list[str]
) -> None:
    """The pages of the first pass are those of a plain walk."""
    pager = client.iter_transcriptions(ROOM, consistency="verify")
    assert [len(page.items) async for page in pager.by_page()] == [20, 20, 5]
    assert (pager.total, pager.last_page) == (45, 3)


async def test_checkpoint_of_a_verified_walk_resumes_a_plain_walk(
    client: TranscriptsClient, rows: list[str]
) -> None:
    """A verified walk can't start in the middle."""
    pager = client.iter_transcriptions(ROOM, consistency="verify")
    found = [(await anext(pager)).id for _ in range(30)]
    assert json.loads(pager.checkpoint)["page"] == 2
    found += await ids(client.iter_transcriptions(ROOM, resume=pager.checkpoint))
    assert found == rows
    with pytest.raises(ConfigurationError, match="can't be verified"):
        client.iter_transcriptions(ROOM, consistency="verify", resume=pager.checkpoint)
    await ids(pager)
    assert json.loads(pager.checkpoint)["page"] == 3


async def _answer(exchange: Any) -> Any:
    """Inject no fault."""
    answer: Callable[[], Any] = exchange.response
    return answer()


async def test_verified_walk_with_readahead_loses_no_row(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Rows move while pages are in flight, and the loop is left once."""
    rows = [row["id"] for row in fake.add_transcriptions(400, room_id=ROOM)]
    fake.on_page(19, Change(lambda f: f.rows.__delitem__(slice(5))))
    pager = client.iter_transcriptions(ROOM, consistency="verify")
    found = []
    async for t in pager:
        found.append(t.id)
        if len(found) == 101:
            break
    found += await ids(pager)
    assert sorted(found) == sorted(rows)
    assert pager.stats.drifted
    assert pager.stats.passes > 1


async def test_movement_shown_only_by_a_prefetched_page_is_noticed(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """The pass reads the pages before it again, so the rows keep their order."""
    rows = [row["id"] for row in fake.add_transcriptions(200, room_id=ROOM)]
    is_removed = asyncio.Event()

    async def early(exchange: Exchange) -> web.StreamResponse:
        fake.rows.pop(0)
        is_removed.set()
        return exchange.response()

    async def late(exchange: Exchange) -> web.StreamResponse:
        await is_removed.wait()
        await asyncio.sleep(0.02)
        fake.add_transcription(room_id=ROOM)
        return exchange.response()

    fake.on_page(4, late)
    fake.on_page(5, early)
    pager = client.iter_transcriptions(ROOM, consistency="verify")
    assert (await ids(pager))[:200] == rows


async def test_rows_that_moved_after_a_break_keep_their_order(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """A response that was cancelled might have shown it, so the pass reads pages again."""
    rows = [row["id"] for row in fake.add_transcriptions(200, room_id=ROOM)]
    fake.on_page(4, Delay(60))
    pager = client.iter_transcriptions(ROOM, consistency="verify")
    found = []
    async for t in pager:
        found.append(t.id)
        if len(found) == 45:
            break
    del fake.rows[:20]
    new = [row["id"] for row in fake.add_transcriptions(20, room_id=ROOM)]
    assert found + await ids(pager) == rows + new


async def test_page_that_is_empty_by_mistake_is_requested_again_after_a_pause(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock, rows: list[str]
) -> None:
    """This is the same as in a plain walk."""
    fake.on_page(2, EmptyPage())
    assert await ids(client.iter_transcriptions(ROOM, consistency="verify", readahead=0)) == rows
    assert requested(fake) == [1, 2, 2, 3, 1, 2, 3]
    assert clock.slept == [0.5]


async def test_each_pass_has_a_page_size_of_its_own(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """Otherwise two passes might miss the same row for the same reason."""
    fake.on_page(2, Change(one_out_one_in), times=9)
    with pytest.raises(IncompleteWalkError):
        await ids(client.iter_transcriptions(ROOM, consistency="verify", readahead=0))
    sizes = dict.fromkeys(request.query["perPage"] for request in fake.requests)
    assert list(sizes) == ["20", "19", "18", "17", "16"]


async def test_passes_start_from_the_size_that_the_service_has(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """Larger sizes would all result in the same pages."""
    fake.max_page_size = 7
    assert await ids(client.iter_transcriptions(ROOM, consistency="verify")) == rows
    assert {request.query["perPage"] for request in fake.requests} == {"20", "7", "6"}


@pytest.mark.parametrize("total", [44, 46])
async def test_passes_that_agree_and_do_not_match_the_total_are_an_error(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str], total: int
) -> None:
    """All rows were yielded, once."""
    fake.every(1, Envelope(info={"total": total}))
    pager = client.iter_transcriptions(ROOM, consistency="verify")
    found: list[str] = []

    async def walk_on() -> None:
        async for t in pager:
            found.append(t.id)  # noqa: PERF401 - kept when the walk ends with an error

    with pytest.raises(IncompleteWalkError, match=f"found 45 rows, .* reports {total}") as caught:
        await walk_on()
    assert (caught.value.passes, caught.value.differing) == (5, 0)
    assert found == rows
    assert pager.stats.shortfall == max(0, total - 45)


async def test_list_without_a_total_is_verified_by_two_passes(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """There is nothing to compare the count with."""
    fake.every(1, Envelope(info={"total": None}))
    pager = client.iter_transcriptions(ROOM, consistency="verify")
    assert await ids(pager) == rows
    assert (pager.stats.passes, pager.stats.shortfall) == (2, None)


async def test_total_that_changes_between_two_passes_takes_a_third(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """A row that no pass has found was removed: the rows agree, but the totals do not."""
    odd = {1: 46, 2: 45, 3: 45}
    passes = 0

    async def answer(exchange: Exchange) -> web.StreamResponse:
        nonlocal passes
        passes += exchange.request.query["page"] == "1"
        return await Envelope(info={"total": odd[passes]})(exchange)

    fake.every(1, answer)
    pager = client.iter_transcriptions(ROOM, consistency="verify", readahead=0)
    assert await ids(pager) == rows
    assert (pager.stats.passes, pager.stats.shortfall) == (3, 0)


async def test_limit_of_all_rows_needs_no_second_pass(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """The end of the list was not reached by then, so nothing is verified."""
    pager = client.iter_transcriptions(ROOM, consistency="verify", limit=45)
    assert await ids(pager) == rows
    assert requested(fake) == [1, 2, 3]
    assert pager.stats.shortfall is None


async def test_checkpoint_in_a_later_pass_stays_at_the_end(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Its page numbers refer to other rows, and old ids are no longer known."""
    rows = [row["id"] for row in fake.add_transcriptions(700, room_id=ROOM)]
    fake.on_page(2, Change(lambda f: f.rows.insert(0, f.rows.pop(300))))
    fake.on_page(1, _answer, Change(lambda f: f.rows.insert(0, f.rows.pop(650))))
    pager = client.iter_transcriptions(ROOM, consistency="verify")
    found = []
    async for t in pager:
        found.append(t.id)
        if len(found) == 700 or pager.stats.passes == 2:
            break
    rest = await ids(client.iter_transcriptions(ROOM, resume=pager.checkpoint))
    assert len(found + rest) == len(set(found + rest))
    assert set(found + rest) <= set(rows)
