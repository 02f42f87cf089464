"""P1, P2 and P4 without I/O: which page next, which rows, when to stop."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videosdk_transcripts import (
    InvalidRow,
    Page,
    PaginationError,
    Transcription,
    UnverifiedRowError,
)
from videosdk_transcripts._api.filter import Filter
from videosdk_transcripts._paging.checkpoint import Position

from .lists import SIZE, Listing, make_walk, page, resume_walk, run

# Where it ends.


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 6, 7])
@pytest.mark.parametrize("counted", [True, False])
def test_a_still_list_is_walked_once(count: int, counted: bool) -> None:
    """Every row once and in order, with or without a last page."""
    listing = Listing("abcdefg"[:count], counted=counted)
    walk = make_walk()
    assert run(walk, listing) == list("abcdefg"[:count])
    assert not walk.stats.drifted
    # Without a last page it takes one request more to see the end.
    pages = -(-count // SIZE)
    assert len(listing.requested) == (max(1, pages) if counted else pages + 1)


def test_the_newest_last_page_counts() -> None:
    """A list that grows at its end while it is walked is walked to its new end."""
    listing = Listing("abcd")
    assert run(make_walk(), listing, lambda n: n == 2 and listing.ids.extend("efgh")) == list(
        "abcdefgh"
    )


def test_an_empty_or_thin_page_is_not_the_end() -> None:
    """Below the last page there may be pages with few rows or none."""
    walk = make_walk()
    pages = ["a", "", "", "bc", ""]
    found = []
    for number, ids in enumerate(pages, 1):
        assert walk.next_page == number
        found += [t.id for p in walk.accept(page(number, ids, last_page=5)) for t in p.items]
    assert walk.next_page is None
    assert found == ["a", "b", "c"]


# Guards.


def test_pages_without_anything_new_are_bounded() -> None:
    """A far last page behind empty pages is not walked to for ever, and nothing is lost."""
    walk = make_walk(max_empty_pages=5)
    walk.accept(page(1, "abc", last_page=10**9))
    for number in range(2, 7):
        walk.accept(page(number, "", last_page=10**9))
    for _ in range(2):
        with pytest.raises(PaginationError, match="5 pages in a row brought no new row"):
            walk.accept(page(7, "", last_page=10**9))
        assert walk.next_page == 7
    # The same page with a row takes the walk on.
    assert [p.items[0].id for p in walk.accept(page(7, "d", last_page=10**9))] == ["d"]


def test_pages_of_known_rows_are_bounded_without_a_last_page() -> None:
    """A server that repeats itself with other numbers each time comes to an end as well."""
    walk, total = make_walk(max_empty_pages=5), 10

    def walk_on() -> None:
        nonlocal total
        for _ in range(100):
            total += 1
            walk.accept(page(walk.next_page or 0, "abc", total=total))

    with pytest.raises(PaginationError, match="last page is reported as unknown"):
        walk_on()


def test_a_last_page_that_runs_away_is_an_error() -> None:
    """Growing with each answer without coming nearer is no list that ends."""
    walk, last_page = make_walk(page_size=1), 2

    def walk_on() -> None:
        nonlocal last_page
        for _ in range(2000):
            number = walk.next_page or 0
            last_page = max(last_page, number + 2)
            walk.accept(page(number, [f"r{number}"], last_page=last_page))

    with pytest.raises(PaginationError, match="keeps moving away: it grew 200 times"):
        walk_on()
    assert walk.next_page is not None
    assert walk.next_page < 210


def test_a_list_that_grows_and_is_caught_up_with_is_none() -> None:
    """One burst of a thousand pages, and growth slower than the walk, are honest."""
    walk, last_page, asked = make_walk(page_size=1), 50, 0
    while walk.next_page is not None:
        asked += 1
        last_page += 1000 if asked == 10 else asked % 3 == 0 and asked < 1000
        walk.accept(page(walk.next_page, [f"r{walk.next_page}"], last_page=last_page))
    assert last_page > 1200


@pytest.mark.parametrize("later", ["abc", "ab"])
def test_one_page_under_several_numbers_is_an_error(later: str) -> None:
    """The page before is read again; if it stands as it was, the server repeats itself."""
    walk = make_walk()
    walk.accept(page(1, "abc", last_page=9))
    assert walk.accept(page(2, later, last_page=9)) == []
    assert walk.next_page == 1
    with pytest.raises(PaginationError, match="page 2 repeats rows") as caught:
        walk.accept(page(1, "abc", last_page=9))
    assert caught.value.page == 2
    assert walk.next_page == 2
    # Once the server comes to itself, the walk goes on.
    assert [t.id for p in walk.accept(page(2, "def", last_page=9)) for t in p.items] == list("def")


def test_an_earlier_page_under_a_later_number_is_an_error() -> None:
    """Also when it is not the page right before."""
    walk = make_walk()
    walk.accept(page(1, "abc", last_page=9))
    walk.accept(page(2, "def", last_page=9))
    walk.accept(page(3, "abc", last_page=9))
    with pytest.raises(PaginationError, match="page 3 repeats rows"):
        walk.accept(page(2, "def", last_page=9))


# The page size.


@pytest.mark.parametrize(
    ("echoed", "rows", "used"),
    [(2, "ab", 2), (2, "a", 2), (5, "abcde", 5), (2, "abc", 3), (5, "abc", 3)],
)
def test_the_size_that_the_server_names_is_used_if_the_rows_fit_it(
    echoed: int, rows: str, used: int
) -> None:
    """The echo of the first page counts, unless the rows contradict it."""
    walk = make_walk()
    walk.accept(page(1, rows, page_size=echoed, last_page=9))
    assert used == walk.page_size


def test_a_size_that_changes_under_way_is_an_error() -> None:
    """Page numbers would mean other rows from there on."""
    walk = make_walk()
    walk.accept(page(1, "abc", page_size=3, last_page=3))
    with pytest.raises(PaginationError, match="page size changed from 3 to 2 at page 2"):
        walk.accept(page(2, "de", page_size=2, last_page=3))
    walk.accept(page(2, "def", page_size=2, last_page=3))
    # On the last page the number of its rows is no size.
    walk.accept(page(3, "g", page_size=1, last_page=3))
    assert (walk.next_page, walk.page_size) == (None, 3)


# Rows that move.


@pytest.mark.parametrize("count", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("where", ["front", "middle"])
@pytest.mark.parametrize("request_number", [2, 3, 4])
def test_rows_removed_before_the_place_of_reading(
    count: int, where: str, request_number: int
) -> None:
    """What slid to the front is read again, one row or a block larger than a page."""
    everything = [f"r{n:02}" for n in range(30)]
    listing = Listing(everything)
    walk = make_walk()
    first = 0 if where == "front" else 2
    gone = everything[first : first + count]

    def change(number: int) -> None:
        if number == request_number:
            listing.ids = [i for i in listing.ids if i not in gone]

    found = run(walk, listing, change)
    assert [i for i in found if i not in gone] == [i for i in everything if i not in gone]
    assert len(found) == len(set(found))
    assert walk.stats.drifted
    assert walk.stats.rescans == 1
    # One page to look back at, one for each page's worth of rows that slid, and one to
    # see where they begin.
    assert len(listing.requested) <= -(-len(everything) // SIZE) + 2 + -(-count // SIZE)


# Seven make a page on which every row is known, while the list stands still again.
@pytest.mark.parametrize("count", [1, 3, 5, 7])
def test_rows_added_before_the_place_of_reading(count: int) -> None:
    """What was pushed back comes twice from the server and once from the walk."""
    everything = [f"r{n:02}" for n in range(12)]
    listing = Listing(everything)
    walk = make_walk()
    found = run(
        walk, listing, lambda n: n == 3 and listing.ids.__setitem__(slice(0, 0), "ABCDEFG"[:count])
    )
    assert [i for i in found if i in everything] == everything
    assert len(found) == len(set(found))
    assert walk.stats.drifted
    # Of seven, one page is read after they came, and has no old row to repeat.
    assert min(count, 6) <= walk.stats.duplicates_dropped


def test_one_in_and_one_out_is_seen_by_its_repetition() -> None:
    """With the total unchanged, a row that comes twice tells that the list moves."""
    listing = Listing("abcdefgh")
    walk = make_walk()

    def change(number: int) -> None:
        if number == 2:
            listing.ids = ["X", *listing.ids[:-1]]

    # What is new at the front may come or not; here it does, on the way back.
    assert run(walk, listing, change) == list("abcXdefg")
    assert (walk.stats.duplicates_dropped, walk.stats.drifted) == (1, True)


def test_a_row_removed_with_every_request() -> None:
    """A list that never stands still is walked with a bounded number of requests."""
    everything = [f"r{n:03}" for n in range(90)]
    listing = Listing(everything)
    gone: list[str] = []
    walk = make_walk()

    def change(number: int) -> None:
        if number > 1 and listing.ids:
            gone.append(listing.ids.pop(0))

    found = run(walk, listing, change)
    assert [i for i in everything if i not in gone] == [i for i in found if i not in gone]
    assert len(found) == len(set(found))
    assert len(listing.requested) <= 4 * 30


def test_rows_that_move_again_while_they_are_looked_for() -> None:
    """A row that slid past the page read again is found one page further back."""
    everything = [f"r{n:02}" for n in range(15)]
    listing = Listing(everything)
    walk = make_walk()

    def change(number: int) -> None:
        if number == 4:
            listing.ids = listing.ids[1:]
        if number == 5:
            listing.ids = listing.ids[3:]

    found = run(walk, listing, change)
    assert [i for i in found if i in everything[4:]] == everything[4:]


def test_a_list_that_shrinks_below_the_place_of_reading() -> None:
    """Pages that are no longer there are not asked for on the way back."""
    listing = Listing([f"r{n:02}" for n in range(30)])
    walk = make_walk()

    def change(number: int) -> None:
        if number == 8:
            listing.ids = listing.ids[24:]

    found = run(walk, listing, change)
    assert found == [f"r{n:02}" for n in (*range(21), *range(24, 30))]
    assert listing.requested == [1, 2, 3, 4, 5, 6, 7, 8, 2, 1]


def test_a_page_beyond_the_end_that_comes_into_being() -> None:
    """What was empty because the list had shrunk is asked for again once the list has grown."""
    listing = Listing("abcdefghi")
    walk = make_walk()

    def change(number: int) -> None:
        if number == 3:
            listing.ids = listing.ids[6:]
        if number == 4:
            listing.ids += "ABCDEFGH"

    assert run(walk, listing, change) == [*"abcdefghi", *"ABCDEFGH"]
    assert listing.requested == [1, 2, 3, 1, 3, 2, 1, 3, 2, 1, 4]


def test_a_list_that_vanishes() -> None:
    """Walking what is no longer there ends, with what there was."""
    listing = Listing("abcdefg")
    assert run(make_walk(), listing, lambda n: n == 2 and listing.ids.clear()) == list("abc")


@pytest.mark.parametrize("total", [10, 1, 0, 9999])
def test_an_odd_total_breaks_nothing(total: int) -> None:
    """The vendor's own samples contradict themselves, so that a total is shown and no more."""
    walk = make_walk()
    found = []
    for number, ids in ((1, "abc"), (2, "def"), (3, "g")):
        for p in walk.accept(page(number, ids, last_page=3, total=total)):
            found += [t.id for t in p.items]
    assert (found, walk.total, walk.stats.drifted) == (list("abcdefg"), total, False)


def test_a_total_that_changes_with_every_answer_costs_a_bounded_number_of_requests() -> None:
    """Three requests more for each page at most, and all the rows."""
    walk, listing = make_walk(), Listing([f"r{n:03}" for n in range(60)])
    found: list[str] = []
    while walk.next_page is not None:
        answer = listing.page(walk.next_page, SIZE)
        odd = Page(answer.number, answer.items, last_page=20, total=len(listing.requested) * 7919)
        found += [t.id for p in walk.accept(odd) for t in p.items]
    assert found == listing.ids
    assert len(listing.requested) <= 4 * 20


@given(data=st.data(), count=st.integers(0, 40), size=st.integers(1, 7))
def test_removals_anywhere_lose_no_row_that_stayed(
    data: st.DataObject, count: int, size: int
) -> None:
    """Whatever is removed and whenever, what stayed comes once and in order."""
    everything = [f"r{n:02}" for n in range(count)]
    listing = Listing(everything)
    changes = data.draw(
        st.dictionaries(
            st.integers(2, 20), st.sets(st.sampled_from(everything or ["-"]), max_size=9)
        )
    )
    walk = make_walk(page_size=size, max_empty_pages=50)

    def change(number: int) -> None:
        listing.ids = [i for i in listing.ids if i not in changes.get(number, ())]

    found = run(walk, listing, change)
    gone = set().union(*changes.values()) if changes else set()
    assert [i for i in found if i not in gone] == [i for i in everything if i not in gone]
    assert len(found) == len(set(found))


# Rows.


def test_a_row_twice_on_a_page_is_handed_out_once() -> None:
    """The first one stays, and that the page repeats itself is no sign of a move."""
    walk = make_walk()
    (released,) = walk.accept(page(1, "aba", last_page=1))
    assert [t.id for t in released.items] == ["a", "b"]
    assert (walk.stats.duplicates_dropped, walk.stats.drifted) == (1, False)


def test_foreign_rows_are_dropped_counted_and_warned_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One warning a walk, however many pages hold them."""
    walk = make_walk(wanted=Filter("mine"))
    for number in (1, 2):
        mixed = (
            Transcription(f"a{number}", room_id="mine"),
            Transcription(f"b{number}", room_id="other"),
        )
        (released,) = walk.accept(Page(number, mixed, last_page=2))
        assert [t.id for t in released.items] == [f"a{number}"]
    assert walk.stats.foreign_rows_dropped == 2
    assert [r.levelno for r in caplog.records] == [logging.WARNING]


def test_a_page_of_foreign_rows_is_not_empty() -> None:
    """Without a last page the walk goes on behind it, since the server had rows there."""
    walk = make_walk(wanted=Filter("mine"))
    walk.accept(Page(1, (Transcription("b", room_id="other"),)))
    assert walk.next_page == 2


def test_an_unverified_row_changes_nothing() -> None:
    """The page is asked for again, with its rows not taken for seen."""
    walk = make_walk(wanted=Filter("mine"))
    with pytest.raises(UnverifiedRowError):
        walk.accept(Page(1, (Transcription("a", room_id="mine"), Transcription("b"))))
    assert walk.next_page == 1
    (released,) = walk.accept(Page(1, (Transcription("a", room_id="mine"),)))
    assert [t.id for t in released.items] == ["a"]


def test_unverified_rows_are_counted() -> None:
    """What was yielded on demand is known by its number."""
    walk = make_walk(wanted=Filter("mine"), on_unverified="yield")
    walk.accept(Page(1, (Transcription("a"), Transcription("b")), last_page=1))
    assert walk.stats.unverified_rows == 2


def test_unreadable_rows_are_told_once_and_keep_a_page_from_being_empty() -> None:
    """Read again under drift, an unreadable row is not counted a second time."""
    bad = InvalidRow(1, "$[0]", "why", "bad", None)
    walk = make_walk()
    walk.accept(Page(1, (), invalid_rows=(bad,)))
    assert walk.next_page == 2
    walk.accept(Page(2, (Transcription("a"),), total=9))
    walk.accept(Page(3, (Transcription("a"), Transcription("c")), total=9))
    assert walk.next_page == 2
    released = walk.accept(Page(2, (), invalid_rows=(bad,), total=9))
    assert [(p.number, len(p.items), len(p.invalid_rows)) for p in released] == [(3, 1, 0)]
    assert walk.stats.invalid_rows == 1


def test_rows_that_come_and_go_while_pages_are_read_again_are_no_repetition() -> None:
    """The same rows on two pages prove nothing where these were read at other totals."""
    walk = make_walk()
    answers = [
        page(1, "abc", total=9),
        page(2, "def", total=9),
        page(3, "def", total=9),  # three came at the front, and as many went at the end
        page(2, "def", total=6),  # those at the front went
        page(3, "def", total=9),  # and came back
    ]
    for answer in answers:
        assert walk.next_page == answer.number
        walk.accept(answer)
    assert walk.next_page == 4
    assert walk.stats.drifted


# Taken up again.


def test_a_resumed_walk_drops_what_it_handed_out_before() -> None:
    """The rows named by the checkpoint don't come again, and are no sign of a move."""
    walk = resume_walk(Position(2, SIZE, 7, 3), ("a", "b", "c", "d"))
    assert run(walk, Listing("abcdefg")) == ["e", "f", "g"]
    assert not walk.stats.drifted


def test_a_resumed_walk_sees_that_the_list_has_changed_meanwhile() -> None:
    """Rows that slid to the front between two processes are read again."""
    walk = resume_walk(Position(3, SIZE, 9, 3), tuple("abcdef"))
    assert run(walk, Listing("bcdefghi")) == ["g", "h", "i"]
    assert walk.stats.drifted


def test_a_resumed_walk_does_not_go_back_further_than_it_knows() -> None:
    """Pages whose rows the checkpoint does not name could only be repeated."""
    listing = Listing([f"r{n}" for n in range(9)])
    walk = resume_walk(Position(3, SIZE, 8, 3), ("x", "y", "z"), complete_from_page=2)
    run(walk, listing)
    assert listing.requested == [3, 2]


@pytest.mark.parametrize(("total", "last_page"), [(15, 5), (None, 5)])
def test_what_a_resumed_walk_knows_moves_with_the_list(total: int | None, last_page: int) -> None:
    """Rows that vanished meanwhile take the known ones to the front, and the bound with them."""
    listing = Listing([f"r{n}" for n in range(6, 15)], with_total=total is not None)
    # Of fifteen rows nine were handed out, and the newest three of these are known.
    walk = resume_walk(
        Position(4, SIZE, total, last_page), ("r6", "r7", "r8"), complete_from_page=3
    )
    assert run(walk, listing) == [f"r{n}" for n in range(9, 15)]
    assert listing.requested == [4, 3, 2, 1]


def test_a_resumed_walk_over_a_list_without_numbers() -> None:
    """Where the service names neither a total nor a last page, nothing says what moved."""
    listing = Listing([f"r{n}" for n in range(9)], counted=False)
    walk = resume_walk(Position(3, SIZE), ("r3", "r4", "r5"), complete_from_page=2)
    assert run(walk, listing) == ["r6", "r7", "r8"]
    assert listing.requested == [3, 4]


def test_a_resumed_walk_takes_known_rows_for_no_repetition() -> None:
    """Rows pushed back between two processes come again, and are no fault of the server."""
    before = [f"r{n:02}" for n in range(12)]
    walk = resume_walk(Position(2, SIZE, 18, 6), before[:3])
    found = run(walk, Listing([*"ABCDEF", *before]))
    assert [i for i in found if i in before] == before[3:]


def test_rows_that_move_during_the_second_look_are_looked_for_later() -> None:
    """Three changes around one page are not too many."""
    everything = [f"r{n:02}" for n in range(30)]
    listing = Listing(everything)

    def change(number: int) -> None:
        if number in (4, 5, 6):
            listing.ids = listing.ids[2:]

    walk = make_walk()
    found = run(walk, listing, change)
    assert [i for i in found if i in everything[6:]] == everything[6:]


@pytest.mark.parametrize(
    ("count", "changes"),
    [
        # The end is reached while the second look still saw rows move.
        (12, {3: (0, -4), 4: (0, 4), 7: (0, -3)}),
        # Rows that came too early are no proof that those before them were seen.
        (15, {4: (0, -2), 5: (0, 4), 7: (2, -5)}),
    ],
)
def test_three_changes_around_one_look_back(
    count: int, changes: dict[int, tuple[int, int]]
) -> None:
    """No row that stayed is lost, though one may come out of order."""
    everything = [f"r{n:02}" for n in range(count)]
    listing = Listing(everything)

    def change(number: int) -> None:
        at, by = changes.get(number, (0, 0))
        listing.ids[at : at + max(0, -by)] = [f"n{number}{n}" for n in range(by)]

    found = run(make_walk(), listing, change)
    assert {i for i in listing.ids if i in everything} <= set(found)
    assert len(found) == len(set(found))


def test_unreadable_rows_without_ids_bring_nothing_new() -> None:
    """A server that sends nothing else for ever is left after so many pages."""
    walk = make_walk(max_empty_pages=5)
    nameless = InvalidRow(1, "$[0]", "why", None, {})

    def walk_on() -> None:
        for _ in range(100):
            walk.accept(Page(walk.next_page or 0, (), invalid_rows=(nameless,)))

    with pytest.raises(PaginationError, match="brought no new row"):
        walk_on()


def test_a_resumed_walk_that_had_not_begun_still_learns_the_page_size() -> None:
    """A checkpoint taken before the first answer says nothing of the server's size."""
    walk = resume_walk(Position(1, SIZE))
    walk.accept(page(1, "ab", page_size=2, last_page=9))
    assert walk.page_size == 2


# Pages that were read ahead.


def test_a_page_read_ahead_is_taken_as_it_is_where_nothing_moved() -> None:
    """It is as good as one that was asked for at its turn."""
    walk, listing = make_walk(), Listing("abcdef")
    walk.accept(listing.page(1, SIZE))
    assert [p.number for p in walk.accept(listing.page(2, SIZE), was_prefetched=True)] == [2]
    assert walk.next_page is None


@pytest.mark.parametrize("change", ["total", "repeated row"])
def test_a_page_read_ahead_that_tells_of_movement_is_not_taken(change: str) -> None:
    """It is asked for again, and then the walk looks back, whatever the answer says by then."""
    walk, listing = make_walk(), Listing("abcdefghi")
    walk.accept(listing.page(1, SIZE))
    numbers = {"last_page": 3, "total": 9}
    stale = {
        "total": page(2, "def", **numbers | {"total": 8}),
        "repeated row": page(2, "cde", **numbers),
    }
    assert walk.accept(stale[change], was_prefetched=True) == []
    assert (walk.next_page, walk.readahead_limit, walk.stats.drifted) == (2, 0, False)
    assert walk.accept(listing.page(2, SIZE)) == []
    assert (walk.next_page, walk.readahead_limit, walk.stats.drifted) == (1, 0, True)
    assert [p.number for p in walk.accept(listing.page(1, SIZE))] == [2]
    assert (walk.next_page, walk.readahead_limit) == (3, 3)


def test_a_walk_that_is_told_that_rows_moved_looks_back() -> None:
    """The answer that told so is not there any more, and the next one need not tell it again."""
    walk, listing = make_walk(), Listing("abcdefghi")
    walk.accept(listing.page(1, SIZE))
    listing.ids = [*listing.ids[1:], "j"]
    walk.rows_moved()
    assert walk.accept(listing.page(2, SIZE)) == []
    assert [[t.id for t in p.items] for p in walk.accept(listing.page(1, SIZE))] == [
        ["d"],
        ["e", "f", "g"],
    ]


@pytest.mark.parametrize(
    ("numbers", "limit"),
    [({"last_page": 7, "total": 9}, 7), ({"total": 10}, 4), ({"total": 0}, 0), ({}, 0)],
)
def test_how_far_a_walk_may_be_read_ahead(numbers: dict[str, int], limit: int) -> None:
    """To the end that the service names, or that its total comes to."""
    walk = make_walk()
    walk.accept(page(1, "abc", **numbers))
    assert walk.readahead_limit == limit


def test_a_walk_in_doubt_looks_back_and_says_nothing_where_nothing_moved() -> None:
    """An answer was given up that might have told of movement; it costs one request."""
    walk, listing = make_walk(), Listing("abcdefghi")
    walk.accept(listing.page(1, SIZE))
    walk.rows_may_have_moved()
    assert (walk.position.moving, walk.readahead_limit) == (True, 3)
    assert walk.accept(listing.page(2, SIZE)) == []
    assert [p.number for p in walk.accept(listing.page(1, SIZE))] == [2]
    assert (walk.position.moving, walk.next_page) == (False, 3)
    assert (walk.stats.rescans, walk.stats.drifted) == (1, False)


@pytest.mark.parametrize("gone", [1, 3])
def test_a_walk_in_doubt_finds_what_moved(gone: int) -> None:
    """One out and one in by the same total, which nothing but a look back can show."""
    walk, listing = make_walk(), Listing("abcdefghi")
    found = [t.id for p in walk.accept(listing.page(1, SIZE)) for t in p.items]
    listing.ids = [*listing.ids[gone:], *"xyz"[:gone]]
    walk.rows_may_have_moved()
    found += run(walk, listing)
    assert "".join(found) == "abcdefghi" + "xyz"[:gone]
    assert walk.stats.drifted


def test_a_doubt_survives_in_a_checkpoint() -> None:
    """The walk that goes on looks back first."""
    first, listing = make_walk(), Listing("abcdefghi")
    first.accept(listing.page(1, SIZE))
    first.rows_may_have_moved()
    walk = resume_walk(first.position, "abc")
    listing.ids = [*listing.ids[1:], "j"]
    assert run(walk, listing) == list("defghij")


@pytest.mark.parametrize("tell", ["rows_moved", "rows_may_have_moved"])
def test_what_comes_while_a_walk_looks_back_makes_it_look_twice(tell: str) -> None:
    """The page held back may be older than what moved."""
    walk, listing = make_walk(), Listing("abcdefghijkl")
    walk.accept(listing.page(1, SIZE))
    listing.ids.append("m")
    assert walk.accept(listing.page(2, SIZE)) == []
    getattr(walk, tell)()
    asked = len(listing.requested)
    found = run(walk, listing)
    assert listing.requested[asked : asked + 3] == [1, 2, 1]
    assert found == list("defghijklm")


def test_a_page_that_repeats_rows_beside_others_is_asked_for_again() -> None:
    """It may be older than what moved since; a service that repeats itself does so again."""
    walk = make_walk()
    walk.accept(page(1, "abc", last_page=9))
    walk.accept(page(2, "def", last_page=9))
    assert walk.accept(page(3, "abc", last_page=9), was_prefetched=True) == []
    for number, ids in ((3, "abc"), (2, "def"), (3, "abc")):
        assert walk.next_page == number
        assert walk.accept(page(number, ids, last_page=9)) == []
    assert walk.next_page == 2
    with pytest.raises(PaginationError, match="page 3 repeats rows"):
        walk.accept(page(2, "def", last_page=9))
