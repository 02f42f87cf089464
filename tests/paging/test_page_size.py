"""P1: the page size that a service really serves."""

from __future__ import annotations

import pytest

from videosdk_transcripts import Page, PaginationError, Transcription, TranscriptsClient
from videosdk_transcripts._api.pages import size_served

from ..matrix.patterns import ROOM, HiddenCap
from ..matrix.served import serve
from .lists import SIZE, Listing, accept, make_walk, page, run


class Capped(Listing):
    """A list with fewer rows on a page than requested, which reports the requested size."""

    def __init__(self, count: int, cap: int, *, offset_by_cap: bool, counted: bool = True) -> None:
        super().__init__([f"r{n:02}" for n in range(count)], counted=counted)
        self.sizes: list[tuple[int, int]] = []
        self._cap, self._offset_by_cap = cap, offset_by_cap

    def page(self, number: int, size: int) -> Page[Transcription]:
        self.sizes.append((number, size))
        true = super().page(number, size)
        first = (number - 1) * (min(size, self._cap) if self._offset_by_cap else size)
        rows = self.ids[first : first + min(size, self._cap)]
        numbers = {"page_size": size, "total": true.total, "last_page": true.last_page}
        return page(number, rows, **numbers)


@pytest.mark.parametrize("offset_by_cap", [True, False])
@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize(("count", "cap", "size"), [(30, 5, 10), (31, 5, 10), (30, 7, 20)])
def test_unreported_limit_of_the_page_size_loses_no_row(
    count: int, cap: int, size: int, offset_by_cap: bool, counted: bool
) -> None:
    """The first page reveals it, and the walk continues with that size."""
    listing = Capped(count, cap, offset_by_cap=offset_by_cap, counted=counted)
    walk = make_walk(page_size=size)
    assert run(walk, listing) == listing.ids
    walk.finish()
    assert listing.sizes[:3] == [(1, size), (2, cap), (3, cap)]
    assert not walk.stats.drifted
    assert walk.stats.shortfall == (0 if counted else None)


def test_limit_of_a_list_with_one_reported_page_is_found_by_the_repair() -> None:
    """The service divides the total by the requested size, so that it reports one page."""
    listing = Capped(15, 7, offset_by_cap=True)
    walk = make_walk(page_size=20)
    assert run(walk, listing) == listing.ids
    assert listing.sizes == [(1, 20), (1, 7), (2, 7), (3, 7)]


class FixedDivisor(Capped):
    """A list of this kind that divides its total by 20, whatever page size is requested."""

    def page(self, number: int, size: int) -> Page[Transcription]:
        capped = super().page(number, size)
        last_page = -(-len(self.ids) // 20)
        return page(
            number, [row.id for row in capped.items], last_page=last_page, total=capped.total
        )


@pytest.mark.parametrize("count", [15, 20])
def test_repair_reads_past_a_last_page_that_is_too_low(count: int) -> None:
    """The total and an empty page limit how far it reads."""
    listing = FixedDivisor(count, 7, offset_by_cap=True)
    walk = make_walk(page_size=20)
    assert run(walk, listing) == listing.ids
    assert listing.sizes == [(1, 20), (1, 7), (2, 7), (3, 7)]


def test_empty_page_does_not_end_a_repair_below_the_last_one() -> None:
    """It was empty twice, but the pages after it may have the missing rows."""
    pages = {(1, 3): "abc", (2, 3): "", (3, 3): "gh", (1, 2): "ab", (2, 2): "", (3, 2): "ef"}
    walk, found = make_walk(), ""
    while (number := walk.next_page) is not None:
        last_page = -(-8 // walk.page_size)
        ids = pages.get((number, walk.page_size), "")
        answer = page(number, ids, last_page=last_page, total=8)
        found += "".join(row.id for one in accept(walk, answer) for row in one.items)
    assert found == "abcghef"


def test_pages_that_are_filled_in_part_keep_the_page_size() -> None:
    """Page 2 with the smaller size is short again, so it is requested with the first size."""
    rows = {(1, 3): "a", (2, 1): "", (2, 3): "de", (3, 3): "fgh"}
    walk, found, requested = make_walk(), "", []
    while (number := walk.next_page) is not None:
        requested.append((number, walk.page_size))
        answer = page(number, rows[requested[-1]], page_size=walk.page_size, last_page=3)
        found += "".join(row.id for one in accept(walk, answer) for row in one.items)
    assert found == "adefgh"
    # The empty page was requested again.
    assert requested == [(1, 3), (2, 1), (2, 1), (2, 3), (3, 3)]


def test_short_first_page_without_numbers_may_be_the_last() -> None:
    """The next page is empty then, as with the requested size."""
    walk, listing = make_walk(), Listing("ab", counted=False)
    assert run(walk, listing) == ["a", "b"]
    assert listing.requested == [1, 2]


@pytest.mark.parametrize(
    ("rows", "numbers", "size"),
    [
        (2, {"last_page": 2}, 2),
        (2, {"last_page": 1}, SIZE),
        (2, {"total": 3}, 2),
        (2, {"total": 2}, SIZE),
        (2, {"last_page": 2, "total": 2}, 2),
        (2, {}, 2),
        (3, {"last_page": 2}, SIZE),
        (0, {"last_page": 2}, SIZE),
    ],
)
def test_size_served_is_that_of_a_short_first_page(
    rows: int, numbers: dict[str, int], size: int
) -> None:
    """This applies if more pages follow."""
    assert size_served(page(1, "abc"[:rows], **numbers), SIZE, rows) == size


@pytest.mark.parametrize("readahead", [0, 8])
async def test_prefetched_pages_of_another_size_are_no_evidence(readahead: int) -> None:
    """Their last page depends on another page size than that of page 1."""
    pattern = HiddenCap(2)
    async with (
        serve(pattern) as endpoint,
        TranscriptsClient(token="t", endpoint=endpoint) as client,
    ):
        pager = client.iter_transcriptions(ROOM, readahead=readahead)
        assert [t.id async for t in pager] == pattern.ids
    assert len(pattern.ids) > 100
    assert not pager.stats.drifted
    assert pattern.requests == -(-len(pattern.ids) // pattern.served)


def test_page_size_that_changes_after_a_limit_was_found_is_an_error() -> None:
    """Page numbers would refer to other rows."""
    walk = make_walk(page_size=6)
    accept(walk, page(1, "abc", page_size=6, last_page=4))
    with pytest.raises(PaginationError, match="page size changed from 3 to 4 at page 2"):
        accept(walk, page(2, "defg", page_size=4, last_page=4))
