"""P10 and P3: the ids that a walk remembers, and from which page on they are complete."""

from __future__ import annotations

from itertools import chain

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from videosdk_transcripts import PaginationError
from videosdk_transcripts._api.filter import Filter
from videosdk_transcripts._paging.checkpoint import REPAIRED, Checkpoint, Position
from videosdk_transcripts._paging.history import ListedIds, YieldedIds, yielded_to_keep

from .lists import LIST, Listing, accept, make_walk, run

# The ids that were listed.


def listed_ids(
    pages: int, size: int = 100, *, total: int | None = None, last_page: int | None = None
) -> ListedIds:
    """Return the ids of a walk that has listed so many pages."""
    listed = ListedIds(Position(1, size, total, last_page), None)
    for page in range(1, pages + 1):
        listed.add(tuple(f"{page}-{n}" for n in range(size)))
        if listed.is_full:
            listed.forget_oldest(Position(page + 1, size, total, last_page))
    return listed


@pytest.mark.parametrize("pages", [100, 101, 149, 150, 1000])
def test_listed_ids_are_bounded(pages: int) -> None:
    """Between 5,000 and 10,000 ids are kept, and those of the first page."""
    listed = listed_ids(pages)
    assert 5000 <= len(listed.ids) <= 10_100
    assert listed.ids >= {f"{page}-0" for page in range(pages - 49, pages + 1)}
    assert listed.ids >= {f"1-{n}" for n in range(100)}


@pytest.mark.parametrize("size", [4000, 6000])
def test_listed_ids_cover_two_large_pages(size: int) -> None:
    """A repeated page is recognized at any page size."""
    listed = listed_ids(20, size)
    assert listed.ids >= {f"{page}-{n}" for page in (19, 20) for n in (0, size - 1)}
    assert len(listed.ids) <= 5 * size


@pytest.mark.parametrize(
    ("before", "total", "last_page", "expected"),
    [
        ((20_000, None), 20_000, None, 51),
        ((20_000, None), 20_100, None, 51),
        ((20_000, None), 19_999, None, 50),
        ((20_000, None), 19_900, None, 50),
        ((20_000, None), 14_000, None, 1),
        # The total is more precise than the last page.
        ((20_000, 200), 19_900, 200, 50),
        ((20_000, 200), None, 198, 49),
        ((None, 200), None, 200, 51),
        ((None, 200), None, 202, 51),
        ((None, 200), None, 199, 50),
        ((None, 200), 19_900, 199, 50),
        ((None, 200), None, 100, 1),
        # Numbers that are only given once can't be compared.
        ((20_000, None), None, 100, 51),
        ((None, 200), 10_000, None, 51),
        ((None, None), 10_000, 100, 51),
    ],
)
def test_first_complete_page_shifts_when_rows_are_removed(
    before: tuple[int | None, int | None], total: int | None, last_page: int | None, expected: int
) -> None:
    """The remembered ids began at page 51 when there were 20,000 rows."""
    listed = listed_ids(120, total=before[0], last_page=before[1])
    assert listed.first_complete_page(100, total, last_page) == expected


def test_first_complete_page_shifts_by_rows_removed_since_then() -> None:
    """Rows that were removed earlier have not shifted the remembered ones."""
    listed = ListedIds(Position(1, 100, 20_000, None), None)
    for number in range(1, 121):
        listed.add(tuple(f"{number}-{n}" for n in range(100)))
        if listed.is_full:
            listed.forget_oldest(Position(number + 1, 100, 15_000, None))
    found = [listed.first_complete_page(100, total, None) for total in (15_000, 14_000)]
    assert found == [51, 41]


def test_new_ids_of_a_page_with_known_rows_are_remembered() -> None:
    """They are as new as those of any other page, when older ones are forgotten."""
    listed = listed_ids(50)
    listed.add(("50-98", "50-99", "x", "y"))
    for number in range(52, 102):
        listed.add(tuple(f"{number}-{n}" for n in range(100)))
    assert listed.is_full
    listed.forget_oldest(Position(102, 100))
    assert listed.ids >= {"x", "y", "52-0", "101-99", "1-0"}
    assert listed.ids.isdisjoint({"50-97", "2-0"})
    assert listed.met == 50 * 100 + 2 + 50 * 100


def test_first_complete_page_is_1_until_ids_are_forgotten() -> None:
    """The oldest 5,000 ids are forgotten after 10,000."""
    found = [listed_ids(pages).first_complete_page(100, None, None) for pages in (1, 50, 99, 100)]
    assert found == [1, 1, 1, 51]
    found = [listed_ids(n, 1).first_complete_page(1, None, None) for n in (9_999, 10_000)]
    assert found == [1, 5001]


def test_long_walk_yields_rows_once_when_rows_are_inserted() -> None:
    """New rows at the front shift the others backwards, every twenty pages."""
    listing = Listing([f"{n}" for n in range(12_000)])
    new = iter(range(100_000))

    def insert(number: int) -> None:
        if number % 20 == 10:
            listing.ids[:0] = [f"new-{next(new)}" for _ in range(7)]

    found = run(make_walk(page_size=50), listing, insert)
    assert [row for row in found if not row.startswith("new")] == [f"{n}" for n in range(12_000)]
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("at", [61, 120, 121, 199])
@pytest.mark.parametrize("count", [3000, 5000])
def test_thousands_of_rows_pushed_back_are_yielded_once(at: int, count: int) -> None:
    """Rows that are listed again do not displace the ids of those that follow."""
    everything = [f"{n}" for n in range(12_000)]
    listing = Listing(everything)
    walk = make_walk(page_size=50, max_empty_pages=200)

    def insert(number: int) -> None:
        if number in (at, at + 150):
            listing.ids[:0] = [f"new-{number}-{n}" for n in range(count)]

    found = run(walk, listing, insert)
    assert [row for row in found if not row.startswith("new")] == everything
    assert len(set(found)) == len(found)


def test_long_walk_finds_shifted_rows_after_forgetting() -> None:
    """Rows are removed at the front, whose pages have been forgotten."""
    listing = Listing([f"{n}" for n in range(15_000)])

    def remove(number: int) -> None:
        if number in (240, 250):
            del listing.ids[:120]

    assert run(make_walk(page_size=50), listing, remove) == [f"{n}" for n in range(15_000)]


def test_service_that_starts_over_is_an_error_after_any_number_of_pages() -> None:
    """The ids of the first page are never forgotten."""
    listing = Listing([f"{n}" for n in range(15_000)], counted=False)
    walk = make_walk(page_size=50)
    while walk.next_page != 301:
        accept(walk, listing.page(walk.next_page or 0, 50))
    accept(walk, evolve(listing.page(1, 50), number=301))
    accept(walk, listing.page(300, 50))
    with pytest.raises(PaginationError, match="page 301 repeats rows"):
        accept(walk, listing.page(299, 50))


def test_rows_of_the_first_page_do_not_show_that_the_newest_are_left() -> None:
    """A list that was cut still starts with them."""
    listed = listed_ids(2, 3)
    ids = ("1-0", "1-1", "2-0")
    assert [listed.newest_of(ids[:count]) for count in (0, 2, 3)] == [set(), set(), {"2-0"}]


def test_resumed_walk_forgets_its_first_page() -> None:
    """That is not the first page of the list."""
    listed = ListedIds(Position(9, 100), checkpoint(7, "a"))
    listed.add(("b", "c"))
    assert listed.newest_of("abcd") == {"a", "b", "c"}
    for _ in range(2):
        listed.add(tuple(f"{len(listed.ids)}-{n}" for n in range(5000)))
        listed.forget_oldest(Position(60, 100))
    assert listed.ids.isdisjoint("abc")
    assert len(listed.ids) == 5000


# The ids that were yielded.


def checkpoint(complete_from_page: int, *ids: str) -> Checkpoint:
    """Return a checkpoint with these ids."""
    yielded = ((complete_from_page, ids),) if ids else ()
    return Checkpoint(Filter(), 20, Position(9, 20), yielded, complete_from_page, LIST)


def ids_with_page(
    yielded: YieldedIds, page: int, ids: tuple[str, ...]
) -> tuple[tuple[str, ...], int]:
    """Return the ids for a checkpoint, and the page from which on they are complete."""
    pages, complete_from_page = yielded.with_page(page, ids)
    return tuple(chain.from_iterable(ids for _, ids in pages)), complete_from_page


def test_yielded_ids_start_with_those_of_the_checkpoint() -> None:
    """A walk that is resumed and stopped immediately forgets none of them."""
    yielded = YieldedIds.of(20, checkpoint(7, "a", "b"))
    assert ids_with_page(yielded, 0, ()) == (("a", "b"), 7)
    assert ids_with_page(yielded, 9, ("c",)) == (("a", "b", "c"), 7)
    assert ids_with_page(yielded, 0, ()) == (("a", "b"), 7), "reading changes nothing"


@pytest.mark.parametrize(("page", "ids"), [(1, ()), (1, ("a",)), (3, ("a", "b"))])
def test_yielded_ids_of_a_new_walk_are_complete_from_the_first_page(
    page: int, ids: tuple[str, ...]
) -> None:
    """None have been forgotten."""
    assert ids_with_page(YieldedIds.of(20, None), page, ids) == (ids, 1)


def test_yielded_ids_of_an_empty_checkpoint_are_empty() -> None:
    """Only the page from which on they are complete is kept."""
    assert ids_with_page(YieldedIds.of(20, checkpoint(7)), 0, ()) == ((), 7)


def test_yielded_ids_forget_whole_pages() -> None:
    """So it is known from which page on they are complete."""
    yielded = YieldedIds.of(20, None)
    for page in range(1, 31):
        yielded.add(page, tuple(f"{page}-{n}" for n in range(20)))
    ids, complete_from_page = ids_with_page(yielded, 31, ("x",))
    assert (len(ids), ids[0], ids[-1], complete_from_page) == (501, "6-0", "x", 6)


def test_yielded_ids_are_as_many_as_a_checkpoint_needs() -> None:
    """No page more is kept."""
    yielded = YieldedIds.of(1, None)
    for page in range(1, 601):
        yielded.add(page, (f"{page}",))
    ids, complete_from_page = ids_with_page(yielded, 601, ())
    assert (len(ids), ids[0], complete_from_page) == (500, "101", 101)


def test_page_whose_first_rows_are_forgotten_is_not_complete() -> None:
    """It was requested twice, because the list had grown, and had other rows before."""
    yielded = YieldedIds.of(20, None)
    yielded.add(29, ("a",))
    yielded.add(30, ("b",))
    yielded.add(30, tuple(f"30-{n}" for n in range(500)))
    ids, complete_from_page = ids_with_page(yielded, 31, ())
    assert (len(ids), complete_from_page) == (500, 31)


def test_yielded_ids_of_a_rescan_lower_the_first_complete_page() -> None:
    """
    The first rows of a page that was read again may have been yielded much earlier.

    The rows of a rescan do not count, because those that were yielded before may follow them.
    """
    yielded = YieldedIds.of(20, None)
    for page in (*range(1, 31), 25, 26, *range(31, 53)):
        yielded.add(page, tuple(f"{page}-{n}" for n in range(20)))
    ids, complete_from_page = ids_with_page(yielded, 53, ())
    assert (len(ids), ids[0], complete_from_page) == (540, "28-0", 26)


def test_yielded_ids_of_a_rescan_lower_the_first_complete_page_of_a_checkpoint() -> None:
    """This also applies while there are too few ids to forget any."""
    yielded = YieldedIds.of(20, checkpoint(7, "old"))
    assert ids_with_page(yielded, 5, ("x",)) == (("old", "x"), 6)
    yielded.add(4, ("y",))
    assert ids_with_page(yielded, 8, ("x",)) == (("old", "y", "x"), 5)
    for page in range(1, 102):
        yielded.add(page, tuple(f"{page}-{n}" for n in range(20)))
    assert ids_with_page(yielded, 77, ("x",))[1] == 77
    assert ids_with_page(yielded, 60, ("x",))[1] == 61


def test_yielded_ids_are_bounded() -> None:
    """A long walk remembers at most five times as many ids as a checkpoint has."""
    yielded, most = YieldedIds.of(20, None), 0
    for page in range(1, 1000):
        yielded.add(page, tuple(f"{page}-{n}" for n in range(20)))
        most = max(most, sum(len(ids) for _, ids in yielded._pages))
    assert 500 <= most <= 2500 + 20


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(0, 90)), max_size=120))
def test_forgetting_yielded_ids_changes_no_checkpoint(pages: list[tuple[int, int]]) -> None:
    """It only saves memory: a checkpoint is the same as if all ids were kept."""
    yielded, everything = (YieldedIds.of(20, checkpoint(3, "old")) for _ in range(2))
    for n, (page, count) in enumerate(pages):
        ids = tuple(f"{n}-{i}" for i in range(count))
        yielded.add(page, ids)
        # Without a count, nothing is ever forgotten.
        everything.add(page, ids)
        everything._added = 0
        assert ids_with_page(yielded, 9, ("x",)) == ids_with_page(everything, 9, ("x",))
    assert sum(len(ids) for _, ids in yielded._pages) <= 5 * yielded_to_keep(20)


def test_copy_of_yielded_ids_does_not_change() -> None:
    """A checkpoint that is made later is that of the moment at which it was taken."""
    yielded = YieldedIds.of(20, checkpoint(7, "a"))
    taken = yielded.copy()
    yielded.add(9, ("b",))
    yielded.add(REPAIRED, ("c",))
    assert ids_with_page(taken, 0, ()) == (("a",), 7)
    assert ids_with_page(yielded, 0, ()) == (("a", "b", "c"), 7)


def test_ids_that_rescans_found_are_kept_next_to_the_others_and_bounded() -> None:
    """They can be anywhere before the page in progress, and do not replace the newest ones."""
    yielded = YieldedIds.of(1, None)
    for page in range(1, 601):
        yielded.add(page, (f"{page}",))
    for number in range(400):
        yielded.add(300, (f"x{number}",))
    ids, _ = ids_with_page(yielded, 601, ("y",))
    assert (len(ids), ids[0], ids[499], ids[-1]) == (900, "102", "x0", "y")
    for number in range(2000):
        yielded.add(300, (f"z{number}",))
    assert ids_with_page(yielded, 0, ())[0] == tuple(f"z{number}" for number in range(2000))


def test_ids_that_a_repair_found_are_all_kept_next_to_the_others() -> None:
    """They can be anywhere in the list, so they neither replace other ids nor are forgotten."""
    yielded = YieldedIds.of(20, None)
    for page in range(1, 31):
        yielded.add(page, tuple(f"{page}-{n}" for n in range(20)))
    for number in range(600):
        yielded.add(REPAIRED, (f"r{number}", f"s{number}"))
    ids, complete_from_page = ids_with_page(yielded, REPAIRED, ("x",))
    assert (len(ids), ids[0], ids[500], ids[-1]) == (500 + 1200 + 1, "6-0", "r0", "x")
    assert complete_from_page == 6
    pages, _ = yielded.with_page(REPAIRED, ("x",))
    resumed = YieldedIds.of(20, evolve(checkpoint(complete_from_page), yielded=pages))
    resumed.add(31, ("y",))
    assert ids_with_page(resumed, 32, ("z",)) == ((*ids[:500], "y", "z", *ids[500:]), 6)


@pytest.mark.parametrize(("page_size", "kept"), [(1, 500), (20, 500), (500, 1000)])
def test_yielded_ids_cover_two_pages(page_size: int, kept: int) -> None:
    """All rows of the page in progress are known, whatever its size."""
    assert kept == yielded_to_keep(page_size)
