"""Pagers over any function that fetches pages."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from videosdk_transcripts import Clock, Page, PaginationError, ServerError, Transcription, WalkStats
from videosdk_transcripts._api.filter import Filter
from videosdk_transcripts._paging.pager import Pager, expected_rows, take_checkpoint
from videosdk_transcripts._paging.readahead import FetchPage, PrefetchLimit
from videosdk_transcripts._paging.repair import WrongTotals

from ..conftest import ManualClock
from .lists import LIST, Faulty, Listing, truly, walk_options, without


def pager_over(
    listing: Listing,
    clock: ManualClock,
    *,
    fetch: FetchPage[Transcription] | None = None,
    prefetch_limit: PrefetchLimit | None = None,
    wrong_totals: WrongTotals | None = None,
    **options: Any,
) -> Pager[Transcription]:
    """Return a pager over a list, which may resume a walk."""

    async def get(page: int, page_size: int, **_options: object) -> Page[Transcription]:
        return listing.page(page, page_size)

    chosen = walk_options(**options)
    return Pager(
        fetch or get,
        chosen,
        chosen.load_checkpoint(LIST),
        WalkStats(),
        clock=clock.clock,
        list_name=LIST,
        prefetch_limit=prefetch_limit,
        wrong_totals=wrong_totals,
    )


async def ids(pager: Pager[Transcription]) -> list[str]:
    """Return the ids of the remaining rows."""
    return [row.id async for row in pager]


async def test_pager_works_with_any_function_that_fetches_pages(clock: ManualClock) -> None:
    """It needs no HTTP."""

    async def fetch(page: int, page_size: int, *, deadline: float | None) -> Page[Transcription]:
        assert (page_size, deadline) == (2, None)
        return Page(page, (Transcription(f"{page}a"), Transcription(f"{page}b")), last_page=2)

    options = walk_options(page_size=2, max_empty_pages=1)
    pager = Pager(
        fetch,
        options,
        None,
        WalkStats(),
        clock=clock.clock,
        list_name=LIST,
        wrong_totals=WrongTotals(),
    )
    assert await ids(pager) == ["1a", "1b", "2a", "2b"]


async def test_expected_rows_of_a_walk(clock: ManualClock) -> None:
    """It is the total without the rows of earlier walks, until the walk has ended."""
    listing = Listing("abcdefgh")
    pager = pager_over(listing, clock)
    assert expected_rows(pager) is None
    await anext(pager)
    assert expected_rows(pager) == 8
    for _ in range(3):
        await anext(pager)
    rest = pager_over(listing, clock, resume=pager.checkpoint)
    limited = pager_over(listing, clock, resume=pager.checkpoint, limit=3)
    for resumed, expected in ((rest, 4), (limited, 3)):
        assert expected_rows(resumed) == expected
        await anext(resumed)
        assert expected_rows(resumed) == expected
        await ids(resumed)
        assert expected_rows(resumed) == expected


async def test_expected_rows_are_at_least_those_that_were_yielded(clock: ManualClock) -> None:
    """A total may be wrong."""
    pager = pager_over(Faulty("abcdefgh", truly, excess=-3), clock)
    expected = []
    for _ in range(8):
        await anext(pager)
        expected.append(expected_rows(pager))
    assert expected == [5, 5, 5, 5, 5, 6, 7, 8]
    higher = pager_over(Faulty("abcdefgh", truly, excess=3), clock, limit=10)
    await anext(higher)
    assert expected_rows(higher) == 10
    await ids(higher)
    assert expected_rows(higher) == 8


async def test_pager_without_shared_objects_repairs_its_list(clock: ManualClock) -> None:
    """They only have to be given to share them."""
    listing = Faulty("abcdef", without("b"))

    async def fetch(page: int, page_size: int, **_options: object) -> Page[Transcription]:
        return listing.page(page, page_size)

    pager = Pager(fetch, walk_options(), None, WalkStats(), clock=clock.clock, list_name=LIST)
    assert await ids(pager) == list("acdefb")


async def test_pagers_share_which_totals_are_wrong(clock: ManualClock) -> None:
    """The second one does not search for the missing rows again."""
    listing, wrong_totals = Faulty("abcdef", truly, excess=1), WrongTotals()
    for requests in (9, 2):
        listing.requests.clear()
        pager = pager_over(listing, clock, wrong_totals=wrong_totals)
        assert await ids(pager) == list("abcdef")
        assert len(listing.requests) == requests


async def test_checkpoint_that_is_made_later_is_that_of_its_moment(clock: ManualClock) -> None:
    """It does not change with the walk, not even when old ids are forgotten."""
    listing = Listing([f"r{n}" for n in range(3000)])
    pager, taken = pager_over(listing, clock, page_size=100), list[tuple[Callable[[], str], str]]()
    async for _ in pager:
        if pager.stats.rows_yielded % 90 == 0:
            taken.append((take_checkpoint(pager), pager.checkpoint))
    assert len(taken) == 33
    assert all(make() == at_once for make, at_once in taken)


async def test_checkpoint_within_a_repair_continues_at_the_end(clock: ManualClock) -> None:
    """The numbers of its pages are those of another page size."""
    listing = Faulty("abcdefghijkl", without("e", "f"))
    pager = pager_over(listing, clock)
    found = [(await anext(pager)).id for _ in range(11)]
    assert "".join(found) == "abcdghijkle"
    listing.requests.clear()
    rest = pager_over(listing, clock, resume=pager.checkpoint)
    assert await ids(rest) == ["f"]
    assert listing.requests[0] == (4, 3)


@pytest.mark.parametrize(
    ("options", "ahead"),
    [
        ({}, [3, 4, 5]),
        ({"prefetch_limit": PrefetchLimit(0)}, []),
        ({"readahead": 0}, []),
        ({"limit": 6}, []),
        ({"limit": 7}, [3]),
        ({"limit": 9}, [3]),
        ({"limit": 10}, [3, 4]),
        ({"limit": 12}, [3, 4]),
        ({"limit": 13}, [3, 4, 5]),
        ({"limit": 99}, [3, 4, 5]),
    ],
)
async def test_pages_that_are_needed_are_prefetched(
    clock: ManualClock, options: dict[str, Any], ahead: list[int]
) -> None:
    """Those are all from the third on, and with a limit of rows, those with such a row."""
    listing, prefetched = Listing("abcdefghijklmno"), list[int]()

    async def fetch(
        page: int,
        page_size: int,
        *,
        deadline: float | None,
        due: asyncio.Future[None] | None = None,
    ) -> Page[Transcription]:
        assert deadline is None
        prefetched.extend([] if due is None else [page])
        return listing.page(page, page_size)

    pager = pager_over(listing, clock, fetch=fetch, **{"readahead": 8, **options})
    assert await ids(pager) == listing.ids[: options.get("limit")]
    assert prefetched == ahead


@pytest.mark.parametrize("stop", range(1, 19))
async def test_rows_found_by_a_repair_count_in_its_checkpoint(
    clock: ManualClock, caplog: pytest.LogCaptureFixture, stop: int
) -> None:
    """A walk that is resumed after some of them finds the others, and no row is said to lack."""
    listing = Faulty("abcdefghijklmnopqr", without("d", "h", "l"))
    first = pager_over(listing, clock, limit=stop)
    found = await ids(first)
    second = pager_over(listing, clock, resume=first.checkpoint)
    found += await ids(second)
    assert sorted(found) == list("abcdefghijklmnopqr")
    assert (second.stats.shortfall, caplog.records) == (0, [])


async def test_rows_found_by_a_later_pass_count_in_its_checkpoint(clock: ManualClock) -> None:
    """A walk that is resumed after them reports no missing row."""
    listing = Faulty("abcdefghijklmnopqr", without("d", "h", "l"))
    first = pager_over(listing, clock, consistency="verify")
    found = [(await anext(first)).id for _ in range(17)]
    second = pager_over(listing, clock, resume=first.checkpoint)
    found += await ids(second)
    assert (sorted(found), second.stats.shortfall) == (list("abcdefghijklmnopqr"), 0)


async def test_checkpoint_among_rows_found_by_a_later_pass_repeats_no_row(
    clock: ManualClock,
) -> None:
    """The number of their page refers to another page size, and the oldest ids are forgotten."""
    listing = Listing([f"r{n}" for n in range(900)])

    async def fetch(page: int, page_size: int, **_options: object) -> Page[Transcription]:
        found = listing.page(page, page_size)
        kept = tuple(row for row in found.items if row.id not in {"r10", "r11"})
        return evolve(found, items=kept) if page_size == 20 else found

    first = pager_over(listing, clock, fetch=fetch, page_size=20, consistency="verify")
    found = [(await anext(first)).id for _ in range(899)]
    assert found[-1] == "r10"
    second = pager_over(listing, clock, fetch=fetch, page_size=20, resume=first.checkpoint)
    assert (await ids(second), second.stats.shortfall) == ([], 1)


async def test_checkpoint_in_a_held_page_remembers_that_the_list_has_changed_since(
    clock: ManualClock,
) -> None:
    """The list looks like that page again when the walk is resumed, but rows moved in between."""
    listing = Listing("abcdefghijklmno")
    changes = {4: (4, ""), 5: (0, "XYZ"), 6: (0, "UVW")}

    async def fetch(page: int, page_size: int, **_options: object) -> Page[Transcription]:
        removed, inserted = changes.get(len(listing.requested) + 1, (0, ""))
        listing.ids[:removed] = inserted
        return listing.page(page, page_size)

    first = pager_over(listing, clock, fetch=fetch)
    found = [(await anext(first)).id for _ in range(11)]
    assert "".join(found) == "abcdefghijn"
    del listing.ids[:6]
    rest = await ids(pager_over(listing, clock, fetch=fetch, resume=first.checkpoint))
    assert sorted(found + rest) == list("abcdefghijklmno")


async def test_checkpoint_of_a_walk_in_small_parts_is_bounded(clock: ManualClock) -> None:
    """It has the newest ids only, although each part yields fewer rows than these."""
    listing = Listing([f"r{n}" for n in range(2000)])
    checkpoint: str | None = None
    found: list[str] = []
    while len(found) < 2000:
        pager = pager_over(listing, clock, page_size=20, limit=90, resume=checkpoint)
        found += await ids(pager)
        checkpoint = pager.checkpoint
        count = sum(len(yielded) for _, yielded in json.loads(checkpoint)["yielded"])
        assert count <= min(len(found), 520)
    assert found == listing.ids


async def test_pager_closed_during_a_pause_requests_no_more_pages(clock: ManualClock) -> None:
    """Neither the page that was empty, nor those after it."""
    listing = Faulty("abcdefghijklmno", lambda number, _size, ids: [] if number == 2 else ids)
    paused, go_on = asyncio.Event(), asyncio.Event()

    async def sleep(_seconds: float) -> None:
        paused.set()
        await go_on.wait()

    clock.clock = Clock(monotonic=lambda: 0.0, sleep=sleep)
    pager = pager_over(listing, clock, readahead=8)
    task = asyncio.create_task(ids(pager))
    await paused.wait()
    await pager.aclose()
    listing.requested.clear()
    go_on.set()
    with pytest.raises(RuntimeError, match="this pager is closed"):
        await task
    await asyncio.sleep(0)
    assert listing.requested == []


def new_rows(count: int) -> list[str]:
    """Return the ids of new rows."""
    return [f"new{n}" for n in range(count)]


@pytest.mark.parametrize("count", [19, 300, 470, 489, 490, 499, 500, 510, 520, 999, 3000])
@pytest.mark.parametrize("at", [0, 690, 1190, 1200, 1300, 2000])
async def test_rows_inserted_before_a_walk_is_resumed_repeat_no_row(
    clock: ManualClock, at: int, count: int
) -> None:
    """A checkpoint has 500 ids, but the rows may be pushed further than that."""
    listing = Listing([f"r{n}" for n in range(2000)])
    first = pager_over(listing, clock, page_size=20, limit=1200)
    found = await ids(first)
    listed = set(listing.ids)
    listing.ids[at:at] = new_rows(count)
    rest = pager_over(listing, clock, page_size=20, max_empty_pages=100, resume=first.checkpoint)
    found += await ids(rest)
    assert [row for row in found if row in listed] == [f"r{n}" for n in range(2000)]
    assert len(found) == len(set(found))
    assert len(listing.requested) < 60 + 60 + 2 * count / 20 + 30


@pytest.mark.parametrize("removed", [1, 30, 300])
@pytest.mark.parametrize("count", [100, 700])
async def test_rows_removed_and_appended_before_a_walk_is_resumed_lose_no_row(
    clock: ManualClock, removed: int, count: int
) -> None:
    """Rows moved up although the list has grown."""
    listing = Listing([f"r{n}" for n in range(2000)])
    first = pager_over(listing, clock, page_size=20, limit=1210)
    found = await ids(first)
    del listing.ids[:removed]
    listing.ids += new_rows(count)
    rest = pager_over(listing, clock, page_size=20, resume=first.checkpoint)
    found += await ids(rest)
    assert found == [f"r{n}" for n in range(2000)] + new_rows(count)


async def test_row_that_moved_hides_no_row_before_it(clock: ManualClock) -> None:
    """One remembered row on a page does not show that the rows before it were yielded."""
    listing = Listing([f"r{n}" for n in range(2000)])
    first = pager_over(listing, clock, page_size=20, limit=1200)
    found = await ids(first)
    listing.ids.remove("r705")
    listing.ids.insert(0, "new")
    listing.ids.insert(1515, "r705")
    rest = pager_over(listing, clock, page_size=20, resume=first.checkpoint)
    found += await ids(rest)
    assert found == [f"r{n}" for n in range(2000)]


@pytest.mark.parametrize("counted", [(True, True), (True, False), (False, True), (False, False)])
async def test_rows_inserted_before_a_short_walk_is_resumed_repeat_no_row(
    clock: ManualClock, counted: tuple[bool, bool]
) -> None:
    """With all ids in the checkpoint, it goes back at once."""
    listing = Listing([f"r{n}" for n in range(200)], counted=counted[0])
    first = pager_over(listing, clock, page_size=20, limit=100)
    found = await ids(first)
    listing.ids[0:0] = new_rows(40)
    listing.counted = counted[1]
    listing.requested.clear()
    found += await ids(pager_over(listing, clock, page_size=20, resume=first.checkpoint))
    assert [row for row in found if row.startswith("r")] == [f"r{n}" for n in range(200)]
    assert listing.requested[:3] == [5, 4, 3]


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("after", [True, False])
async def test_rows_inserted_before_a_walk_is_resumed_are_recognized_by_the_last_page(
    clock: ManualClock, *, before: bool, after: bool
) -> None:
    """A service may report no total, or not always."""
    listing = Listing([f"r{n}" for n in range(2000)], with_total=before)
    first = pager_over(listing, clock, page_size=20, limit=1200)
    found = await ids(first)
    listing.ids[0:0] = new_rows(700)
    listing.with_total = after
    rest = pager_over(listing, clock, page_size=20, resume=first.checkpoint)
    assert found + await ids(rest) == [f"r{n}" for n in range(2000)]


@pytest.mark.parametrize("count", [3, 480, 500, 700])
async def test_rows_inserted_before_a_repair_is_resumed_repeat_no_row(
    clock: ManualClock, count: int
) -> None:
    """The many rows that it has found do not replace the newest ones in the checkpoint."""
    rows = [f"r{n}" for n in range(2000)]
    hidden = rows[3:1100:2]
    listing = Faulty(rows, without(*hidden))
    first = pager_over(listing, clock, max_empty_pages=600, limit=1451 + 520)
    found = await ids(first)
    assert first.stats.repaired == 520
    listing.ids[0:0] = new_rows(count)
    rest = pager_over(listing, clock, max_empty_pages=600, resume=first.checkpoint)
    found += await ids(rest)
    assert [row for row, times in Counter(found).items() if times > 1] == []
    assert set(rows) - set(found) <= set(hidden)


@pytest.mark.parametrize("with_total", [True, False])
@pytest.mark.parametrize("removed", [1, 19, 20, 21, 60, 480])
@pytest.mark.parametrize("limit", [100, 104, 119, 1200, 1201])
async def test_rows_removed_before_a_walk_is_resumed_are_found_although_as_many_were_added(
    clock: ManualClock, limit: int, removed: int, with_total: bool
) -> None:
    """The numbers of the list are the same, but the page read last has other rows now."""
    listing = Listing([f"r{n}" for n in range(2000)], with_total=with_total)
    first = pager_over(listing, clock, page_size=20, limit=limit)
    found = await ids(first)
    del listing.ids[: min(removed, limit)]
    listing.ids += new_rows(min(removed, limit))
    rest = pager_over(listing, clock, page_size=20, resume=first.checkpoint)
    found += await ids(rest)
    assert found == [f"r{n}" for n in range(2000)] + new_rows(min(removed, limit))


@pytest.mark.parametrize("limit", [1200, 1207])
@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.__delitem__(slice(300, None)),
        lambda rows: rows.__setitem__(slice(1300), new_rows(1300)),
        lambda rows: rows.__setitem__(slice(600, 1300), new_rows(100)),
        lambda rows: rows.__setitem__(slice(600, 1300), new_rows(2000)),
    ],
)
async def test_walk_whose_remembered_rows_were_removed_is_not_resumed(
    clock: ManualClock, limit: int, change: Callable[[list[str]], None]
) -> None:
    """Nothing shows which of the rows were yielded, so that others would be repeated or lost."""
    listing = Listing([f"r{n}" for n in range(2000)])
    first = pager_over(listing, clock, page_size=20, limit=limit)
    await ids(first)
    change(listing.ids)
    checkpoint = first.checkpoint
    for _ in range(2):
        rest = pager_over(listing, clock, page_size=20, max_empty_pages=100, resume=checkpoint)
        for _ in range(2):
            with pytest.raises(PaginationError, match="none of the 5.. rows .* start a new") as e:
                await ids(rest)
        assert rest.stats.rows_yielded == 0
        assert e.value.checkpoint is not None
        checkpoint = e.value.checkpoint


async def test_resumed_walk_over_a_list_that_is_empty_now_ends(clock: ManualClock) -> None:
    """No row can be repeated or lost."""
    listing = Listing([f"r{n}" for n in range(2000)])
    first = pager_over(listing, clock, page_size=20, limit=1200)
    await ids(first)
    listing.ids.clear()
    assert await ids(pager_over(listing, clock, page_size=20, resume=first.checkpoint)) == []


async def test_list_that_is_cut_after_a_walk_was_resumed_is_an_error(clock: ManualClock) -> None:
    """A resumed walk has the ids of its checkpoint and of the pages after it."""
    listing = Listing([f"r{n}" for n in range(2000)])
    first = pager_over(listing, clock, page_size=20, limit=1200)
    await ids(first)
    rest = pager_over(listing, clock, page_size=20, resume=first.checkpoint)
    assert (await anext(rest)).id == "r1200"
    del listing.ids[300:]
    with pytest.raises(PaginationError, match="none of the 520 rows"):
        await ids(rest)
    assert rest.stats.rows_yielded == 20


@pytest.mark.parametrize("count", [1, 14, 15, 16, 40])
async def test_rows_added_after_the_end_are_found_by_a_resumed_walk(
    clock: ManualClock, count: int
) -> None:
    """Without numbers, an empty page marked the end. The page before it may have more rows now."""
    listing = Listing([f"r{n}" for n in range(65)], counted=False)
    first = pager_over(listing, clock, page_size=20)
    await ids(first)
    listing.ids += new_rows(count)
    rest = pager_over(listing, clock, page_size=20, resume=first.checkpoint)
    assert await ids(rest) == new_rows(count)


@pytest.mark.parametrize("counted", [(True, False), (False, True), (False, False)])
@pytest.mark.parametrize("count", [1, 20, 30, 470])
async def test_rows_inserted_before_a_walk_is_resumed_repeat_no_row_without_numbers(
    clock: ManualClock, count: int, counted: tuple[bool, bool]
) -> None:
    """The rows of the page read last show that they were pushed back."""
    listing = Listing([f"r{n}" for n in range(2000)], counted=counted[0], with_total=False)
    first = pager_over(listing, clock, page_size=20, limit=1200)
    found = await ids(first)
    listing.ids[0:0] = new_rows(count)
    listing.counted = counted[1]
    rest = pager_over(listing, clock, page_size=20, max_empty_pages=30, resume=first.checkpoint)
    assert found + await ids(rest) == [f"r{n}" for n in range(2000)]


async def test_rows_pushed_too_far_are_an_error_without_numbers(clock: ManualClock) -> None:
    """Nothing shows on which pages they are now."""
    listing = Listing([f"r{n}" for n in range(2000)], counted=False)
    first = pager_over(listing, clock, page_size=20, limit=1200)
    await ids(first)
    listing.ids[0:0] = new_rows(600)
    rest = pager_over(listing, clock, page_size=20, resume=first.checkpoint)
    with pytest.raises(PaginationError, match="none of the 500 rows"):
        await ids(rest)


@pytest.mark.parametrize("left", [1, 2, 5])
@pytest.mark.parametrize("count", [480, 490])
async def test_remembered_rows_that_remain_show_which_rows_were_yielded(
    clock: ManualClock, left: int, count: int
) -> None:
    """All rows before them were yielded."""
    listing = Listing([f"r{n}" for n in range(2000)])
    first = pager_over(listing, clock, page_size=20, limit=1200)
    found = await ids(first)
    del listing.ids[700 : 1200 - left]
    listing.ids[0:0] = new_rows(count)
    rest = pager_over(listing, clock, page_size=20, resume=first.checkpoint)
    found += await ids(rest)
    assert found == [f"r{n}" for n in range(2000)]
    assert json.loads(rest.checkpoint)["met"] == 2000


async def test_list_without_numbers_that_ends_before_the_remembered_pages_is_an_error(
    clock: ManualClock,
) -> None:
    """Only empty pages are read again, and rows may be before them."""
    listing = Listing([f"r{n}" for n in range(1500)], counted=False)
    first = pager_over(listing, clock, page_size=20, limit=1200)
    await ids(first)
    del listing.ids[:1100]
    rest = pager_over(listing, clock, page_size=20, resume=first.checkpoint)
    with pytest.raises(PaginationError, match="none of the 500 rows"):
        await ids(rest)


@pytest.mark.parametrize("count", [420, 460])
@pytest.mark.parametrize("stop", [100, 260, 440])
async def test_walk_that_yielded_inserted_rows_is_resumed_without_repeating_older_ones(
    clock: ManualClock, stop: int, count: int
) -> None:
    """The inserted rows do not replace the older ones, which follow them, in the checkpoint."""
    listing = Listing([f"r{n}" for n in range(947)])
    first = pager_over(listing, clock, page_size=20, limit=438)
    found = await ids(first)
    listing.ids[0:0] = new_rows(count)
    options: dict[str, Any] = {"page_size": 20, "max_empty_pages": 100}
    second = pager_over(listing, clock, limit=stop, resume=first.checkpoint, **options)
    found += await ids(second)
    found += await ids(pager_over(listing, clock, resume=second.checkpoint, **options))
    assert Counter(found) == Counter(listing.ids)


@pytest.mark.parametrize("own", [110, 119, 120])
async def test_foreign_rows_show_that_rows_moved_before_a_walk_is_resumed(
    clock: ManualClock, own: int
) -> None:
    """The page read last may have no row of the room, if the service ignores the filter."""
    listing = Listing([f"r{n}" for n in range(400)])

    async def fetch(page: int, page_size: int, **_options: object) -> Page[Transcription]:
        received = listing.page(page, page_size)
        rooms = {f"r{n}": "room" for n in (*range(90), *range(own, 400))}
        items = tuple(evolve(row, room_id=rooms.get(row.id, "other")) for row in received.items)
        return evolve(received, items=items)

    options: dict[str, Any] = {"fetch": fetch, "page_size": 20, "wanted": Filter("room")}
    first = pager_over(listing, clock, **options)
    found = list[str]()
    async for page in first.by_page():
        found += [row.id for row in page.items]
        if page.number == 6:
            break
    del listing.ids[10:70]
    listing.ids += new_rows(60)
    found += await ids(pager_over(listing, clock, resume=first.checkpoint, **options))
    assert found == [f"r{n}" for n in (*range(90), *range(own, 400))]


@pytest.mark.parametrize(("counted", "with_total"), [(True, True), (True, False), (False, False)])
async def test_resumed_walk_over_a_list_that_did_not_grow_goes_back_at_once(
    clock: ManualClock, *, counted: bool, with_total: bool
) -> None:
    """Its rows can't be on later pages."""
    listing = Listing([f"r{n}" for n in range(1300)], counted=counted, with_total=with_total)
    first = pager_over(listing, clock, page_size=20, limit=1200)
    found = await ids(first)
    del listing.ids[:30]
    listing.requested.clear()
    found += await ids(pager_over(listing, clock, page_size=20, resume=first.checkpoint))
    assert found == [f"r{n}" for n in range(1300)]
    assert listing.requested[:5] == [60, 59, 58, 61, 62]


@pytest.mark.parametrize("calls", [1, 2])
async def test_missing_rows_are_reported_once(
    clock: ManualClock, caplog: pytest.LogCaptureFixture, calls: int
) -> None:
    """A step after the end does not report them again."""
    pager = pager_over(Faulty("abcdef", truly, excess=1), clock)
    await ids(pager)
    for _ in range(calls):
        with pytest.raises(StopAsyncIteration):
            await anext(pager)
    assert (pager.stats.shortfall, len(caplog.records)) == (1, 1)


async def test_pages_that_overlap_are_no_empty_pages(clock: ManualClock) -> None:
    """Each has a new row."""
    rows = [f"r{n:02}" for n in range(40)]

    def overlapping(number: int, _size: int, _ids: list[str]) -> list[str]:
        return rows[number - 1 : number + 2]

    listing = Faulty(rows, overlapping, last_page=38)
    assert await ids(pager_over(listing, clock, max_empty_pages=1)) == rows


@pytest.mark.parametrize("removed", [1, 20, 60])
async def test_checkpoint_of_an_error_shows_that_rows_moved_since(
    clock: ManualClock, removed: int
) -> None:
    """It has the ids of the page before the one that failed."""
    listing = Listing([f"r{n}" for n in range(2000)])

    async def fail_at_61(page: int, page_size: int, **_options: object) -> Page[Transcription]:
        if page == 61:
            raise ServerError("broken", status=503)
        return listing.page(page, page_size)

    first = pager_over(listing, clock, page_size=20, fetch=fail_at_61)
    found = [(await anext(first)).id for _ in range(1200)]
    with pytest.raises(ServerError) as caught:
        await anext(first)
    del listing.ids[:removed]
    listing.ids += new_rows(removed)
    resume = caught.value.checkpoint
    found += await ids(pager_over(listing, clock, page_size=20, resume=resume))
    assert found == [f"r{n}" for n in range(2000)] + new_rows(removed)


async def test_row_that_is_added_during_a_repair_is_found(clock: ManualClock) -> None:
    """The repair ends according to the newest total."""
    listing = Faulty("abcdefghijkl", without("e", "j"))
    pager = pager_over(listing, clock)
    found = [(await anext(pager)).id for _ in range(11)]
    assert pager.stats.repaired == 1
    listing.ids.append("m")
    found += await ids(pager)
    assert "".join(found) == "abcdfghiklejm"
    assert pager.stats.shortfall == 0
