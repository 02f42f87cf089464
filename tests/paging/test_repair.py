"""P1: the count at the end of a walk, and the repair that it causes. Without I/O."""

from __future__ import annotations

import logging

import pytest
from attrs import evolve

from videosdk_transcripts import InvalidRow, Page, Transcription, WalkStats
from videosdk_transcripts._api.filter import Filter
from videosdk_transcripts._paging.checkpoint import Position
from videosdk_transcripts._paging.repair import Repair, WrongTotals, other_page_size
from videosdk_transcripts._paging.walk import Walk

from .lists import (
    SIZE,
    Faulty,
    Listing,
    accept,
    make_walk,
    page,
    resume_walk,
    run,
    truly,
    walk_options,
    without,
)


def shared_walk(wrong_totals: WrongTotals, **options: object) -> Walk[Transcription]:
    """Return a walk of a client that has walked before."""
    return Walk(walk_options(**options), WalkStats(), None, wrong_totals)


def test_static_list_is_counted_without_a_request() -> None:
    """The count matches."""
    walk, listing = make_walk(), Listing("abcdefgh")
    run(walk, listing)
    walk.finish()
    assert (walk.stats.shortfall, walk.stats.repaired) == (0, 0)
    assert listing.requested == [1, 2, 3]


def test_missing_row_is_found_with_another_page_size(caplog: pytest.LogCaptureFixture) -> None:
    """It is yielded last, and the repair ends when the count matches."""
    walk, listing = make_walk(), Faulty("abcdefghijkl", without("e"))
    assert run(walk, listing) == list("abcdfghijkle")
    walk.finish()
    # Page 2 is not empty, so it is not requested again; there are no pages after 4.
    assert listing.requests == [(1, 3), (2, 3), (3, 3), (4, 3), (1, 2), (2, 2), (3, 2)]
    assert (walk.stats.repaired, walk.stats.shortfall) == (1, 0)
    assert caplog.records == []


def test_rows_behind_a_last_page_that_is_too_low_are_found() -> None:
    """They are yielded in order, while there are new ones, and no page is read again."""
    walk, listing = make_walk(), Faulty("abcdefghijk", truly, last_page=2)
    assert run(walk, listing) == list("abcdefghijk")
    walk.finish()
    assert listing.requests == [(1, 3), (2, 3), (3, 3), (4, 3)]
    assert (walk.stats.repaired, walk.stats.shortfall) == (5, 0)


def test_wrong_total_is_searched_for_once(caplog: pytest.LogCaptureFixture) -> None:
    """A client warns once, and repeats no repair for this kind of list, but for other kinds."""
    wrong_totals = WrongTotals()
    listing = Faulty("abcdef", truly, excess=1)
    walk = shared_walk(wrong_totals)
    run(walk, listing)
    walk.finish()
    walk.finish()
    # After the end, again because that page is empty, and from the start with another size.
    behind, again = [(3, 3), (3, 3)], [(1, 2), (2, 2), (3, 2), (4, 2), (4, 2)]
    assert listing.requests == [(1, 3), (2, 3), *behind, *again]
    assert walk.stats.shortfall == 1
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "a total of 7 for the whole account, and this walk found 6" in record.getMessage()
    assert "verify the list" in record.getMessage()

    later = shared_walk(wrong_totals)
    listing.requests.clear()
    run(later, listing)
    later.finish()
    assert (listing.requests, later.stats.shortfall) == ([(1, 3), (2, 3)], 1)
    assert len(caplog.records) == 1

    other = shared_walk(wrong_totals, wanted=Filter("room"), on_unverified="yield")
    run(other, listing)
    other.finish()
    assert len(caplog.records) == 2


def test_repair_that_found_some_rows_is_repeated_by_the_next_walk(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is not known whether the total is wrong, so each walk warns."""
    wrong_totals = WrongTotals()
    for warnings in (1, 2):
        walk = shared_walk(wrong_totals)
        found = run(walk, Faulty("abcdef", without("b"), excess=1))
        walk.finish()
        assert found == list("acdefb")
        assert (walk.stats.repaired, walk.stats.shortfall) == (1, 1)
        assert len(caplog.records) == warnings


@pytest.mark.parametrize(("excess", "shortfall"), [(-2, 0), (None, None)])
def test_total_that_is_too_low_or_missing_costs_nothing(
    excess: int | None, shortfall: int | None
) -> None:
    """Either no row is missing, or it can't be known."""
    listing = (
        Listing("abcdef", with_total=False)
        if excess is None
        else Faulty("abcdef", without("e"), excess=excess)
    )
    walk = make_walk()
    run(walk, listing)
    walk.finish()
    assert (listing.requested, walk.stats.shortfall) == ([1, 2], shortfall)


def test_count_is_compared_with_the_highest_total() -> None:
    """A replica with a row more hides the row that is missing from the other's total."""
    ahead, behind = Listing("Xabcdefgh"), Listing("abcdefgh")
    walk, found = make_walk(), []
    asked = 0
    while walk.next_page is not None:
        asked += 1
        listing = behind if asked % 2 == 0 else ahead
        for released in accept(walk, listing.page(walk.next_page, walk.page_size)):
            found += [row.id for row in released.items]
    assert sorted(found) == sorted("Xabcdefgh")


def test_foreign_unverified_and_invalid_rows_count_as_met() -> None:
    """This includes a row that can't be read and has no id."""
    bad = tuple(InvalidRow(1, "$", "why", row_id, None) for row_id in ("x", None))
    rows = (
        Transcription("a", room_id="mine"),
        Transcription("b", room_id="other"),
        Transcription("c"),
    )
    walk = make_walk(wanted=Filter("mine"), on_unverified="skip", page_size=5)
    accept(walk, Page(1, rows, 5, 1, 5, invalid_rows=bad))
    walk.finish()
    assert (walk.next_page, walk.stats.shortfall) == (None, 0)


def test_invalid_row_that_is_listed_again_counts_once() -> None:
    """If it has a readable id, it is recognized like any other row that was pushed back."""
    walk = make_walk(on_invalid="skip")
    bad = InvalidRow(1, "$", "why", "c", None)
    first = evolve(page(1, "ab", total=5, last_page=2), invalid_rows=(bad,))
    accept(walk, first)
    # A row was inserted at the front, and the rescan finds it.
    accept(walk, evolve(page(2, "de", total=6, last_page=2), invalid_rows=(bad,)))
    found = accept(walk, page(1, "Xab", total=6, last_page=2))
    walk.finish()
    assert [[row.id for row in one.items] for one in found] == [["X"], ["d", "e"]]
    assert (walk.stats.invalid_rows, walk.met, walk.stats.shortfall) == (1, 6, 0)


def test_resumed_walk_counts_the_rows_of_the_checkpoint() -> None:
    """They include those whose ids it does not have."""
    walk = resume_walk(Position(3, SIZE, 8, 3, met=6), "def", complete_from_page=2)
    assert walk.met == 6
    assert run(walk, Listing("abcdefgh")) == ["g", "h"]
    walk.finish()
    assert (walk.met, walk.stats.shortfall, walk.stats.repaired) == (8, 0, 0)


def test_row_that_is_twice_on_a_page_is_not_missing() -> None:
    """It is in the total twice as well, and is yielded once."""
    walk = make_walk()
    found = accept(walk, page(1, "aba", total=3, last_page=1))
    walk.finish()
    assert [row.id for one in found for row in one.items] == ["a", "b"]
    assert (walk.next_page, walk.stats.shortfall) == (None, 0)


def test_found_rows_are_filtered_and_counted_once() -> None:
    """A foreign row that only the repair finds ends it, and is not yielded."""
    walk = make_walk(wanted=Filter("mine"))
    mine = [Transcription(i, room_id="mine") for i in "abd"]
    other = Transcription("c", room_id="other")
    accept(walk, Page(1, tuple(mine), 3, 1, 4))
    assert (walk.next_page, walk.page_size) == (2, 3)
    assert accept(walk, Page(2, (), 3, 1, 4)) == []
    assert accept(walk, Page(2, (), 3, 1, 4)) == []
    assert (walk.next_page, walk.page_size, walk.readahead_limit) == (1, 2, 0)
    assert accept(walk, Page(1, (mine[0], other), 2, 2, 4)) == []
    walk.finish()
    assert walk.next_page is None
    assert (walk.stats.repaired, walk.stats.shortfall, walk.stats.duplicates_dropped) == (0, 0, 0)


@pytest.mark.parametrize("rows", [9_900, 12_000])
def test_walk_is_repaired_while_all_ids_are_in_memory(
    rows: int, caplog: pytest.LogCaptureFixture
) -> None:
    """That is the case up to about ten thousand rows; for more, the shortfall is only reported."""
    ids = [f"r{n}" for n in range(rows)]
    walk, found = make_walk(page_size=500), list[str]()
    while walk.next_page is not None:
        number, size = walk.next_page, walk.page_size
        cut = [i for i in ids[(number - 1) * size : number * size] if size != 500 or i != "r7"]
        answer = page(number, cut, page_size=size, total=rows, last_page=-(-rows // size))
        found += [row.id for released in accept(walk, answer) for row in released.items]
    walk.finish()
    is_repaired = rows < 10_000
    assert (found[-1] == "r7") == is_repaired
    assert len(found) == len(set(found)) == rows - (not is_repaired)
    assert (walk.stats.shortfall, len(caplog.records)) == ((0, 0) if is_repaired else (1, 1))


def test_walk_that_is_left_counts_nothing() -> None:
    """The shortfall is not known before the end."""
    walk = make_walk()
    accept(walk, Listing("abcdef").page(1, SIZE))
    assert walk.stats.shortfall is None


@pytest.mark.parametrize(
    ("size", "sizes"), [(1, [2, 3, 4, 5]), (2, [1, 4, 5, 6]), (20, [19, 18, 17, 16])]
)
def test_other_page_sizes_differ(size: int, sizes: list[int]) -> None:
    """They differ from the first one, and from each other."""
    assert [other_page_size(size, steps) for steps in (1, 2, 3, 4)] == sizes


@pytest.mark.parametrize(("served", "size"), [(20, 19), (13, 13), (1, 1), (0, 19), (25, 19)])
def test_repair_uses_the_size_that_pages_really_had(served: int, size: int) -> None:
    """If no page had as many rows as were requested, the service may have a limit."""
    repair = Repair.begin(3, 20, served, 60)
    assert (repair.next_page, repair.page_size) == (1, size)


def test_repair_is_bounded_by_the_total_at_its_beginning() -> None:
    """One more page is allowed for rows that are added meanwhile."""
    repair = Repair.begin(2, 3, 3, 6)
    pages = []
    while repair.next_page is not None:
        pages.append(repair.next_page)
        repair.advance(found=0, is_complete=False, is_end=False)
    assert pages == [1, 2, 3, 4]


def test_pages_behind_the_end_are_bounded_as_well() -> None:
    """Otherwise a service that always sends new rows would cause an endless walk."""
    repair = Repair.begin(2, 3, 3, 9)
    pages = []
    while repair.page_size == 3:
        pages.append(repair.next_page)
        repair.advance(found=3, is_complete=False, is_end=False)
    assert pages == [3, 4, 5, 6]
    assert repair.next_page == 1


def test_repair_ends_at_the_end_of_the_list() -> None:
    """The total does not matter."""
    repair = Repair.begin(2, 3, 3, 6)
    repair.advance(found=1, is_complete=False, is_end=False)
    repair.advance(found=0, is_complete=False, is_end=True)
    assert (repair.next_page, repair.found) == (None, 1)


# Empty pages.


def walk_pages(pages: dict[int, list[str]], **numbers: int) -> tuple[list[int], str, list[float]]:
    """Walk over pages, each with its responses in order, and return requests, rows and pauses."""
    walk = make_walk()
    requested: list[int] = []
    found, pauses = "", list[float]()
    while (number := walk.next_page) is not None and walk.page_size == SIZE:
        requested.append(number)
        responses = pages[number]
        ids = responses.pop(0) if len(responses) > 1 else responses[0]
        released = accept(walk, page(number, ids, **numbers))
        found += "".join(row.id for one in released for row in one.items)
        pauses.append(walk.pause)
    return requested, found, pauses


@pytest.mark.parametrize("numbers", [{"last_page": 3, "total": 8}, {"last_page": 3}, {"total": 8}])
def test_page_that_is_empty_once_is_requested_once_more(numbers: dict[str, int]) -> None:
    """This applies if the total or the last page indicates rows; there is a pause before."""
    pages = {1: ["abc"], 2: ["", "def"], 3: ["gh"], 4: [""]}
    requested, found, pauses = walk_pages(pages, **numbers)
    assert (requested[:4], found) == ([1, 2, 2, 3], "abcdefgh")
    assert pauses[:4] == [0.0, 0.5, 0.0, 0.0]


def test_last_page_that_is_empty_once_is_requested_once_more() -> None:
    """The total indicates that it has rows."""
    requested, found, _ = walk_pages({1: ["abc"], 2: ["", "de"]}, last_page=2, total=5)
    assert (requested, found) == ([1, 2, 2], "abcde")


def test_only_two_pages_that_stay_empty_are_requested_twice() -> None:
    """A service that fills its pages partly costs two more requests, and not one for each page."""
    pages = {n: [""] for n in range(2, 6)} | {1: ["abc"], 6: ["def"]}
    requested, found, _ = walk_pages(pages, last_page=6)
    assert requested == [1, 2, 2, 3, 3, 4, 5, 6]
    assert found == "abcdef"


def test_other_rows_allow_no_further_request() -> None:
    """They do not show that it helps to request empty pages again."""
    pages = {1: ["abc"], 2: [""], 3: [""], 4: ["def"], 5: [""], 6: ["ghi"]}
    requested, _, _ = walk_pages(pages, last_page=6)
    assert requested == [1, 2, 2, 3, 3, 4, 5, 6]


def test_page_that_is_not_empty_when_requested_again_allows_two_more() -> None:
    """The service has pages that are empty by mistake."""
    pages = {1: ["abc"], 2: [""], 3: ["", "def"], 4: [""], 5: [""], 6: [""], 7: ["ghi"]}
    requested, found, _ = walk_pages(pages, last_page=7)
    assert requested == [1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 7]
    assert found == "abcdefghi"


def test_page_behind_the_total_is_not_requested_again() -> None:
    """A last page that is one too high costs one request."""
    requested, _, pauses = walk_pages({1: ["abc"], 2: [""]}, last_page=2, total=3)
    assert (requested, pauses) == ([1, 2], [0.0, 0.0])


def test_repair_of_a_walk_resumed_on_its_short_last_page_uses_large_pages() -> None:
    """The last page has only the rest of the rows, so its size is no limit of the service."""
    walk = resume_walk(Position(3, SIZE, 7, 3, met=4), "abef")
    listing = Listing("abcdefg")
    assert run(walk, listing) == ["g", "c", "d"]
    assert (listing.requested, walk.page_size) == ([3, 1, 2], 2)


def test_unreadable_row_that_a_repair_finds_is_released_and_counted() -> None:
    """It is the missing row."""
    walk = make_walk(on_invalid="collect")
    accept(walk, page(1, "abc", total=6, last_page=2))
    accept(walk, page(2, "ef", total=6, last_page=2))
    assert accept(walk, page(1, "ab", total=6, last_page=3)) == []
    bad = InvalidRow(2, "$[1]", "why", "d", None)
    found = accept(walk, evolve(page(2, "c", total=6, last_page=3), invalid_rows=(bad,)))
    assert [(one.number, len(one.items), one.invalid_rows) for one in found] == [(2, 0, (bad,))]
    walk.finish()
    assert (walk.next_page, walk.stats.invalid_rows, walk.stats.shortfall) == (None, 1, 0)
