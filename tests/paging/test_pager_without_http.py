"""Pagers over any function that fetches pages."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from videosdk_transcripts import Page, Transcription, WalkStats
from videosdk_transcripts._paging.pager import Pager, expected_rows
from videosdk_transcripts._paging.readahead import FetchPage, PrefetchLimit
from videosdk_transcripts._paging.repair import WrongTotals

from ..conftest import ManualClock
from .lists import LIST, Faulty, Listing, walk_options, without


def pager_over(
    listing: Listing,
    clock: ManualClock,
    *,
    fetch: FetchPage[Transcription] | None = None,
    prefetch_limit: PrefetchLimit | None = None,
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
        wrong_totals=WrongTotals(),
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
