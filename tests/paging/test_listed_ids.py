"""P10: the memory of a walk does not grow with its length, and duplicates are dropped still."""

import pytest
from attrs import evolve

from videosdk_transcripts import PaginationError
from videosdk_transcripts._paging.checkpoint import Position
from videosdk_transcripts._paging.history import ListedIds

from .test_walk import Listing, make_walk, run


def filled(pages: int, size: int = 100, *, total: int | None = None) -> ListedIds:
    """Make one that has seen so many pages."""
    seen = ListedIds((), 1, Position(1, size, total, None))
    for page in range(1, pages + 1):
        seen.add(tuple(f"{page}-{n}" for n in range(size)))
        if seen.is_full:
            seen.forget_old(Position(page + 1, size, total, None))
    return seen


@pytest.mark.parametrize("pages", [100, 101, 149, 150, 1000])
def test_it_is_bounded(pages: int) -> None:
    """Between 5,000 and 10,000 rows, and the first page."""
    seen = filled(pages)
    assert 5000 <= len(seen.ids) <= 10_100
    assert seen.ids >= {f"{page}-0" for page in range(pages - 49, pages + 1)}
    assert seen.ids >= {f"1-{n}" for n in range(100)}


def test_large_pages_are_known_for_two_of_them() -> None:
    """So that a page that comes again is found out at any page size."""
    seen = filled(20, size=4000)
    assert seen.ids >= {f"{page}-{n}" for page in (19, 20) for n in (0, 3999)}
    assert len(seen.ids) <= 5 * 4000


@pytest.mark.parametrize(
    ("total", "last_page", "floor"),
    [(20_000, None, 51), (20_100, None, 51), (19_900, None, 50), (14_000, None, 1)],
)
def test_the_floor_moves_with_what_vanished(
    total: int | None, last_page: int | None, floor: int
) -> None:
    """What is known began at page 51 when there were 20,000 rows."""
    seen = filled(120, total=20_000)
    assert seen.floor(100, total, last_page) == floor


def test_all_is_known_at_first() -> None:
    """The floor is the first page until something was forgotten."""
    assert [filled(pages).floor(100, None, None) for pages in (1, 50, 99, 100)] == [1, 1, 1, 51]


def test_a_long_walk_drops_what_comes_again() -> None:
    """Rows that are pushed back by new ones at the front, each twenty pages."""
    listing = Listing([f"{n}" for n in range(12_000)])
    new = iter(range(100_000))

    def push_back(number: int) -> None:
        if number % 20 == 10:
            listing.ids[:0] = [f"new-{next(new)}" for _ in range(7)]

    found = run(make_walk(page_size=50), listing, push_back)
    assert [row for row in found if not row.startswith("new")] == [f"{n}" for n in range(12_000)]
    assert len(set(found)) == len(found)


def test_a_long_walk_finds_what_slid_past() -> None:
    """Rows that vanish at the front, when their pages have been forgotten."""
    listing = Listing([f"{n}" for n in range(15_000)])

    def take(number: int) -> None:
        if number in (240, 250):
            del listing.ids[:120]

    assert run(make_walk(page_size=50), listing, take) == [f"{n}" for n in range(15_000)]


def test_a_service_that_begins_again_is_found_out() -> None:
    """However many pages it had before: the first one is not forgotten."""
    listing = Listing([f"{n}" for n in range(15_000)], counted=False)
    walk = make_walk(page_size=50)
    while walk.next_page != 301:
        walk.accept(listing.page(walk.next_page or 0, 50))
    walk.accept(evolve(listing.page(1, 50), number=301))
    with pytest.raises(PaginationError, match="page 301 repeats rows"):
        walk.accept(listing.page(300, 50))
