"""P1 without I/O: rows that move between two responses."""

from __future__ import annotations

from itertools import combinations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from videosdk_transcripts import (
    InvalidRow,
    Page,
    PaginationError,
)
from videosdk_transcripts._paging.checkpoint import Position

from .lists import SIZE, Listing, accept, make_walk, page, resume_walk, run


@pytest.mark.parametrize("later", ["abc", "ab"])
def test_same_page_for_several_numbers_is_an_error(later: str) -> None:
    """The previous page is read again; if it did not change, the service repeats itself."""
    walk = make_walk()
    accept(walk, page(1, "abc", last_page=9))
    assert accept(walk, page(2, later, last_page=9)) == []
    assert walk.next_page == 1
    with pytest.raises(PaginationError, match="page 2 repeats rows") as caught:
        accept(walk, page(1, "abc", last_page=9))
    assert caught.value.page == 2
    assert walk.next_page == 2
    # Once the service recovers, the walk continues.
    assert [t.id for p in accept(walk, page(2, "def", last_page=9)) for t in p.items] == list("def")


def test_earlier_page_for_a_later_number_is_an_error() -> None:
    """This also applies if it is not the previous page."""
    walk = make_walk()
    accept(walk, page(1, "abc", last_page=9))
    accept(walk, page(2, "def", last_page=9))
    accept(walk, page(3, "abc", last_page=9))
    accept(walk, page(2, "def", last_page=9))
    with pytest.raises(PaginationError, match="page 3 repeats rows"):
        accept(walk, page(1, "abc", last_page=9))


@pytest.mark.parametrize("count", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("where", ["front", "middle"])
@pytest.mark.parametrize("request_number", [2, 3, 4])
def test_removed_rows_cause_one_rescan_without_loss(
    count: int, where: str, request_number: int
) -> None:
    """The rows that shifted, one or more than a page, are read again."""
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
    # x
    # were removed unread are searched for by a repair.
    repair = -(-len(listing.ids) // 2) if len(found) < len(everything) else 0
    rescan = 3 + -(-count // SIZE)
    assert len(listing.requested) <= -(-len(everything) // SIZE) + rescan + repair


# Seven make a page on which every row is known, while the list no longer changes.
@pytest.mark.parametrize("count", [1, 3, 5, 7])
def test_inserted_rows_cause_no_duplicates(count: int) -> None:
    """Rows that were pushed back are listed twice and yielded once."""
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


def test_repeated_id_reveals_movement_when_the_total_is_unchanged() -> None:
    """One row is inserted and another one removed."""
    listing = Listing("abcdefgh")
    walk = make_walk()

    def change(number: int) -> None:
        if number == 2:
            listing.ids = ["X", *listing.ids[:-1]]

    # New rows at the front may be yielded or not; here the rescan yields them.
    assert run(walk, listing, change) == list("abcXdefg")
    assert (walk.stats.duplicates_dropped, walk.stats.drifted) == (1, True)


def test_row_removed_with_every_request_costs_a_bounded_number_of_requests() -> None:
    """No row that remained in the list is lost."""
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


def test_rows_that_move_during_a_rescan_are_found() -> None:
    """A row that shifted past the page read again is found one page further back."""
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


def test_rescan_skips_pages_that_no_longer_exist() -> None:
    """The list shrinks to fewer pages than were read."""
    listing = Listing([f"r{n:02}" for n in range(30)])
    walk = make_walk()

    def change(number: int) -> None:
        if number == 8:
            listing.ids = listing.ids[24:]

    found = run(walk, listing, change)
    assert found == [f"r{n:02}" for n in (*range(21), *range(24, 30))]
    assert listing.requested[:10] == [1, 2, 3, 4, 5, 6, 7, 8, 2, 1]


def test_page_beyond_the_end_is_requested_again_when_the_list_grows() -> None:
    """It was empty because the list had shrunk."""
    listing = Listing("abcdefghi")
    walk = make_walk()

    def change(number: int) -> None:
        if number == 3:
            listing.ids = listing.ids[6:]
        if number == 4:
            listing.ids += "ABCDEFGH"

    assert run(walk, listing, change) == [*"abcdefghi", *"ABCDEFGH"]
    # Each of the two changes is searched for: first the shorter list, then the longer one.
    assert listing.requested == [1, 2, 3, 1, 4, 3, 2, 1, 3, 2, 1, 4, 3, 2]


def test_total_that_changes_with_every_response_costs_a_bounded_number_of_requests() -> None:
    """There are at most seven requests for each page and a repair, and no row is missing."""
    walk, listing = make_walk(max_empty_pages=50), Listing([f"r{n:03}" for n in range(60)])
    found: list[str] = []
    while walk.next_page is not None:
        answer = listing.page(walk.next_page, SIZE)
        odd = Page(answer.number, answer.items, last_page=20, total=len(listing.requested) * 7919)
        found += [t.id for p in accept(walk, odd) for t in p.items]
    assert found == listing.ids
    assert len(listing.requested) <= 7 * 20


@given(data=st.data(), count=st.integers(0, 40), size=st.integers(1, 7))
def test_removals_at_any_time_lose_no_row_that_stayed(
    data: st.DataObject, count: int, size: int
) -> None:
    """Whatever is removed at any time, the other rows are yielded once and in order."""
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


@pytest.mark.parametrize("block", [2, 4, 5, 7])
@pytest.mark.parametrize("position", ["front", "end"])
def test_blocks_removed_and_inserted_in_turn_lose_no_row(block: int, position: str) -> None:
    """A rescan may read some pages before a change and some after it."""
    everything = [f"r{n:02}" for n in range(45)]

    def walk_while_rows_move_before(requests: tuple[int, ...]) -> None:
        listing, gone = Listing(everything), set[str]()

        def change(number: int) -> None:
            if number not in requests:
                return
            if requests.index(number) % 2:
                at = 0 if position == "front" else len(listing.ids)
                listing.ids[at:at] = [f"n{number}-{n}" for n in range(block)]
            else:
                gone.update(listing.ids[:block])
                del listing.ids[:block]

        found = run(make_walk(), listing, change)
        assert not set(everything) - gone - set(found), requests
        assert len(found) == len(set(found))
        assert len(listing.requested) <= 4 * len(everything) / SIZE

    for requests in (*combinations(range(3, 16), 3), *combinations(range(4, 15), 4)):
        walk_while_rows_move_before(requests)


def test_rows_that_return_during_a_rescan_are_no_repetition() -> None:
    """The same rows on two pages prove nothing if these reported different totals."""
    walk = make_walk()
    answers = [
        page(1, "abc", total=9),
        page(2, "def", total=9),
        page(3, "def", total=9),  # three were added at the front, and three removed at the end
        page(2, "def", total=6),  # those at the front were removed
        page(1, "abc", total=9),  # and added again
        page(2, "def", total=9),  # they may have pushed rows onto this page
        page(1, "abc", total=9),
    ]
    for answer in answers:
        assert walk.next_page == answer.number
        accept(walk, answer)
    assert walk.next_page == 4
    assert walk.stats.drifted


def test_resumed_walk_finds_rows_that_shifted_meanwhile() -> None:
    """Rows that shifted between two processes are read again."""
    walk = resume_walk(Position(3, SIZE, 9, 3), tuple("abcdef"))
    assert run(walk, Listing("bcdefghi")) == ["g", "h", "i"]
    assert walk.stats.drifted


def test_resumed_walk_rescans_no_page_before_the_checkpoints_ids() -> None:
    """Rows of earlier pages could only be repeated."""
    listing = Listing([f"r{n}" for n in range(9)])
    walk = resume_walk(Position(3, SIZE, 8, 3), ("r3", "r4", "r5"), complete_from_page=2)
    run(walk, listing)
    assert listing.requested == [3, 2]


@pytest.mark.parametrize(("total", "last_page"), [(15, 5), (None, 5)])
def test_resumed_walk_rescans_further_when_rows_were_removed(
    total: int | None, last_page: int
) -> None:
    """The remembered rows have shifted forward, and the first page to read again with them."""
    listing = Listing([f"r{n}" for n in range(6, 15)], with_total=total is not None)
    # Of fifteen rows nine were yielded, and the newest three of these are remembered.
    walk = resume_walk(
        Position(4, SIZE, total, last_page), ("r6", "r7", "r8"), complete_from_page=3
    )
    assert run(walk, listing) == [f"r{n}" for n in range(9, 15)]
    assert listing.requested == [4, 3, 2, 1]


def test_resumed_walk_without_numbers_rescans_nothing() -> None:
    """Without a total and a last page there is no evidence."""
    listing = Listing([f"r{n}" for n in range(9)], counted=False)
    walk = resume_walk(Position(3, SIZE), ("r3", "r4", "r5"), complete_from_page=2)
    assert run(walk, listing) == ["r6", "r7", "r8"]
    assert listing.requested == [3, 4]


def test_resumed_walk_accepts_rows_that_were_pushed_back() -> None:
    """Rows that shifted backwards between two processes are listed again, which is not an error."""
    before = [f"r{n:02}" for n in range(12)]
    walk = resume_walk(Position(2, SIZE, 18, 6), before[:3])
    found = run(walk, Listing([*"ABCDEF", *before]))
    assert [i for i in found if i in before] == before[3:]


def test_rows_that_move_during_the_second_pass_are_found_later() -> None:
    """There are three changes around one page."""
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
        # The end is reached while rows were still moving in the second rescan.
        (12, {3: (0, -4), 4: (0, 4), 7: (0, -3)}),
        # Rows that came too early are no proof that those before them were seen.
        (15, {4: (0, -2), 5: (0, 4), 7: (2, -5)}),
    ],
)
def test_three_changes_around_one_rescan_lose_no_row(
    count: int, changes: dict[int, tuple[int, int]]
) -> None:
    """A row may be yielded out of order."""
    everything = [f"r{n:02}" for n in range(count)]
    listing = Listing(everything)

    def change(number: int) -> None:
        at, by = changes.get(number, (0, 0))
        listing.ids[at : at + max(0, -by)] = [f"n{number}{n}" for n in range(by)]

    found = run(make_walk(), listing, change)
    assert {i for i in listing.ids if i in everything} <= set(found)
    assert len(found) == len(set(found))


@pytest.mark.parametrize("change", ["total", "repeated row"])
def test_prefetched_page_with_evidence_is_requested_again(change: str) -> None:
    """Then there is a rescan, whatever that response reports."""
    walk, listing = make_walk(), Listing("abcdefghi")
    accept(walk, listing.page(1, SIZE))
    numbers = {"last_page": 3, "total": 9}
    stale = {
        "total": page(2, "def", **numbers | {"total": 8}),
        "repeated row": page(2, "cde", **numbers),
    }
    assert accept(walk, stale[change], was_prefetched=True) == []
    assert (walk.next_page, walk.readahead_limit, walk.stats.drifted) == (2, 0, False)
    assert walk.position.moving
    assert accept(walk, listing.page(2, SIZE)) == []
    assert (walk.next_page, walk.readahead_limit, walk.stats.drifted) == (1, 0, True)
    assert [p.number for p in accept(walk, listing.page(1, SIZE))] == [2]
    assert (walk.next_page, walk.readahead_limit) == (3, 3)


def test_rows_moved_causes_a_rescan() -> None:
    """The response that showed it was dropped, and the next one need not show it again."""
    walk, listing = make_walk(), Listing("abcdefghi")
    accept(walk, listing.page(1, SIZE))
    listing.ids = [*listing.ids[1:], "j"]
    walk.rows_moved()
    assert accept(walk, listing.page(2, SIZE)) == []
    assert [[t.id for t in p.items] for p in accept(walk, listing.page(1, SIZE))] == [
        ["d"],
        ["e", "f", "g"],
    ]


def test_rows_may_have_moved_causes_a_rescan_without_drift() -> None:
    """A response was dropped that might have shown movement; it costs one request."""
    walk, listing = make_walk(), Listing("abcdefghi")
    accept(walk, listing.page(1, SIZE))
    walk.rows_may_have_moved()
    assert (walk.position.moving, walk.readahead_limit) == (True, 3)
    assert accept(walk, listing.page(2, SIZE)) == []
    assert [p.number for p in accept(walk, listing.page(1, SIZE))] == [2]
    assert (walk.position.moving, walk.next_page) == (False, 3)
    assert (walk.stats.rescans, walk.stats.drifted) == (1, False)


@pytest.mark.parametrize("gone", [1, 3])
def test_rows_may_have_moved_finds_rows_that_moved(gone: int) -> None:
    """A removed and an added row, with the same total, are found only by a rescan."""
    walk, listing = make_walk(), Listing("abcdefghi")
    found = [t.id for p in accept(walk, listing.page(1, SIZE)) for t in p.items]
    listing.ids = [*listing.ids[gone:], *"xyz"[:gone]]
    walk.rows_may_have_moved()
    found += run(walk, listing)
    assert "".join(found) == "abcdefghi" + "xyz"[:gone]
    assert walk.stats.drifted


def test_resumed_walk_rescans_if_rows_may_have_moved() -> None:
    """The checkpoint contains this."""
    first, listing = make_walk(), Listing("abcdefghi")
    accept(first, listing.page(1, SIZE))
    first.rows_may_have_moved()
    walk = resume_walk(first.position, "abc")
    listing.ids = [*listing.ids[1:], "j"]
    assert run(walk, listing) == list("defghij")


@pytest.mark.parametrize("tell", ["rows_moved", "rows_may_have_moved"])
def test_rows_moved_during_a_rescan_cause_another_one(tell: str) -> None:
    """The held page may be older than the movement."""
    walk, listing = make_walk(), Listing("abcdefghijkl")
    accept(walk, listing.page(1, SIZE))
    listing.ids.append("m")
    assert accept(walk, listing.page(2, SIZE)) == []
    getattr(walk, tell)()
    asked = len(listing.requested)
    found = run(walk, listing)
    assert listing.requested[asked : asked + 4] == [1, 3, 2, 1]
    assert found == list("defghijklm")


def test_repeated_page_is_requested_again_if_others_were_in_flight() -> None:
    """It may be stale; a service that repeats itself does so again."""
    walk = make_walk()
    accept(walk, page(1, "abc", last_page=9))
    accept(walk, page(2, "def", last_page=9))
    assert accept(walk, page(3, "abc", last_page=9), was_prefetched=True) == []
    for number, ids in ((3, "abc"), (2, "def"), (1, "abc"), (3, "abc"), (2, "def")):
        assert walk.next_page == number
        assert accept(walk, page(number, ids, last_page=9)) == []
    assert walk.next_page == 1
    with pytest.raises(PaginationError, match="page 3 repeats rows"):
        accept(walk, page(1, "abc", last_page=9))


# The bound of requests.


@pytest.mark.parametrize("count", [3, 6, 30, 60])
@pytest.mark.parametrize("fault", ["replica ahead", "replica behind", "total", "numbers"])
def test_service_that_contradicts_itself_costs_a_bounded_number_of_requests(
    count: int, fault: str
) -> None:
    """There are at most seven per page and twelve more; rows still missing are reported."""
    ids = [f"r{n:02}" for n in range(count)]
    lists = {"replica ahead": ["new", *ids], "replica behind": ids[1:]}
    true, other = Listing(ids), Listing(lists.get(fault, ids))
    walk, found = make_walk(), list[str]()
    asked = 0
    while walk.next_page is not None:
        asked += 1
        assert asked <= 7 * -(-count // SIZE) + 12
        listing = other if asked % 2 else true
        answer = listing.page(walk.next_page, walk.page_size)
        if fault in ("total", "numbers"):
            more = asked % 3 if fault == "numbers" else 0
            answer = evolve(
                answer, total=count + asked % 2, last_page=(answer.last_page or 0) + more
            )
        found += [row.id for released in accept(walk, answer) for row in released.items]
    walk.finish()
    assert walk.stats.shortfall or set(found) >= set(ids[1:])
    assert len(found) == len(set(found))


def test_evidence_on_a_page_with_a_new_row_always_counts() -> None:
    """After three rescans without one, others are not held, but these are."""
    walk, total = make_walk(), 9
    accept(walk, page(1, "abc", total=total, last_page=9))

    def answer(ids: str) -> int | None:
        nonlocal total
        number = walk.next_page or 0
        total += 1
        accept(walk, page(number, ids, total=total, last_page=9))
        return walk.next_page

    for number in (2, 3, 4):
        # Pages that repeat known rows while the total changes: each is held once.
        assert walk.next_page == number
        while answer("abc") != number + 1:
            pass
    rescans = walk.stats.rescans
    assert rescans == 3
    assert answer("abc") == 6
    assert walk.stats.rescans == rescans
    assert answer("def") == 5
    assert walk.stats.rescans == rescans + 1


def test_rescan_goes_one_page_further() -> None:
    """The total is counted before a row is removed, so the previous page shows it too late."""
    everything = [f"r{n:02}" for n in range(15)]
    walk, listing, found = make_walk(), Listing(everything), list[str]()
    total = 15
    while walk.next_page is not None:
        if len(listing.requested) == 2:
            del listing.ids[0]
        answer = evolve(listing.page(walk.next_page, SIZE), total=total)
        total = len(listing.ids)
        found += [row.id for released in accept(walk, answer) for row in released.items]
    # Page 3 skipped a row, and only page 4 reports another total.
    assert listing.requested == [1, 2, 3, 4, 3, 2, 5]
    assert sorted(found) == everything


def test_rows_that_slide_past_the_end_during_a_rescan_are_found() -> None:
    """The list becomes shorter while the pages before its end are read again."""
    everything = [f"r{n:02}" for n in range(12)]
    for at in (4, 5, 6, 7):
        listing, walk = Listing(everything), make_walk()

        def change(number: int, at: int = at, listing: Listing = listing) -> None:
            if number in (4, at):
                del listing.ids[:2]

        found = run(walk, listing, change)
        assert sorted(found) == everything, at


@pytest.mark.parametrize(
    ("count", "removals", "with_total"),
    [
        (12, {3: 1, 4: 4}, True),
        (12, {3: 1, 5: 3, 8: 3}, True),
        (12, {3: 2, 5: 2, 8: 4}, True),
        (12, {3: 1, 4: 4, 8: 3}, True),
        # Only the last page shows it.
        (15, {3: 5, 5: 4}, False),
        (15, {3: 4, 5: 2, 8: 1}, False),
        (15, {3: 4, 4: 4, 10: 4}, False),
    ],
)
def test_rows_that_slide_past_the_end_before_it_is_reached_are_found(
    count: int, removals: dict[int, int], with_total: bool
) -> None:
    """No page follows that could show it, so the numbers at the end cause a rescan."""
    everything = [f"r{n:02}" for n in range(count)]
    listing, walk, gone = Listing(everything, with_total=with_total), make_walk(), list[str]()

    def change(number: int) -> None:
        for _ in range(removals.get(number, 0)):
            gone.append(listing.ids.pop(0))

    found = run(walk, listing, change)
    assert [row for row in everything if row not in found and row not in gone] == []
    assert (len(found), walk.stats.repaired) == (len(set(found)), 0)


def test_number_that_a_rescan_does_not_report_is_no_change() -> None:
    """So the walk ends with the held page."""
    walk = make_walk()
    accept(walk, page(1, "abc", total=6, last_page=2))
    assert accept(walk, page(2, "def", total=7, last_page=2)) == []
    assert [one.number for one in accept(walk, page(1, "abc", last_page=2))] == [2]
    assert (walk.next_page, walk.stats.rescans) == (None, 1)


@pytest.mark.parametrize(
    ("before", "after", "number"),
    [
        # One row was pushed onto page 3, and four onto pages 3 and 4.
        ({"total": 99, "last_page": 33}, {"total": 100, "last_page": 34}, 3),
        ({"total": 99, "last_page": 33}, {"total": 103, "last_page": 35}, 4),
        ({"total": 99, "last_page": 33}, {"total": 108, "last_page": 36}, 5),
        # At most three pages after the held one.
        ({"total": 99, "last_page": 33}, {"total": 112, "last_page": 38}, 6),
        ({"total": 99, "last_page": 33}, {"total": 9999, "last_page": 3333}, 6),
        # Without a total, the last page shows it.
        ({"last_page": 33}, {"last_page": 34}, 3),
        ({"last_page": 33}, {"last_page": 35}, 4),
        ({"last_page": 33}, {"last_page": 99}, 6),
        # Fewer rows push none.
        ({"total": 99, "last_page": 33}, {"total": 98, "last_page": 33}, 1),
        ({"last_page": 33}, {"last_page": 32}, 1),
        ({"last_page": 33}, {"total": 99}, 1),
    ],
)
def test_rescan_returns_to_the_pages_onto_which_rows_were_pushed(
    before: dict[str, int], after: dict[str, int], number: int
) -> None:
    """They follow the page in whose response the list had grown."""
    walk = make_walk()
    accept(walk, page(1, "abc", last_page=20))
    accept(walk, page(2, "def", last_page=20))
    accept(walk, page(3, "ghi", **before))
    assert walk.next_page == 2
    accept(walk, page(2, "xyz", **after))
    assert walk.next_page == number


def test_flickering_total_causes_a_bounded_number_of_rescans_from_the_checkpoint_on() -> None:
    """If all rows are known, three pages are held, and three times the end."""
    rows = "abcdefghijklmnopqr"
    walk, asked = resume_walk(Position(2, SIZE, 18, 6), rows), 0
    while walk.next_page is not None:
        asked += 1
        assert asked < 100
        number = walk.next_page
        answer = page(number, rows[(number - 1) * SIZE : number * SIZE], last_page=6)
        accept(walk, evolve(answer, total=18 + asked % 2))
    assert walk.stats.rescans == 6


def test_resumed_walk_rejects_a_repeated_page() -> None:
    """It is not requested again, because no other page was in flight."""
    walk = resume_walk(Position(3, SIZE, 9, 3, moving=True), "abcdef")
    numbers = {"total": 9, "last_page": 3}
    accept(walk, page(3, "def", **numbers))
    accept(walk, page(2, "def", **numbers))
    with pytest.raises(PaginationError, match="page 3 repeats rows"):
        accept(walk, page(1, "abc", **numbers))


def test_last_page_that_changed_during_a_rescan_causes_another_one() -> None:
    """Even if the next page reports the same one, and there is no total."""
    walk = make_walk()
    accept(walk, page(1, "abc", last_page=9))
    accept(walk, page(2, "def", last_page=8))
    assert len(accept(walk, page(1, "abc", last_page=7))) == 1
    assert accept(walk, page(3, "ghi", last_page=7)) == []
    assert (walk.next_page, walk.stats.rescans) == (2, 2)


@pytest.mark.parametrize("first", [1, 3])
def test_first_page_of_a_resumed_walk_is_not_held_without_earlier_ids(first: int) -> None:
    """Rows of the pages before it could only be repeated."""
    walk = resume_walk(Position(first, SIZE, 18, 6, moving=True), "", complete_from_page=first)
    assert len(accept(walk, page(first, "ghi", total=17, last_page=6))) == 1
    assert (walk.next_page, walk.stats.rescans) == (first + 1, 0)


def test_numbers_that_are_back_at_the_end_cause_a_rescan_there() -> None:
    """A page of the last rescan had other ones, so that rows may have moved since then."""
    walk = make_walk()
    answers = [(1, 9), (2, 9), (3, 8), (2, 7), (1, 8), (2, 8), (1, 8)]
    for number, total in answers:
        assert walk.next_page == number
        rows = "abcdefghi"[(number - 1) * SIZE : number * SIZE]
        accept(walk, page(number, rows, total=total, last_page=3))
    assert (walk.next_page, walk.stats.rescans) == (3, 2)


@pytest.mark.parametrize(("total", "next_page"), [(6, None), (5, 2), (7, 2)])
def test_numbers_that_only_a_rescan_reports_are_movement(total: int, next_page: int | None) -> None:
    """It started because a response was dropped that might have shown some."""
    walk = make_walk()
    accept(walk, page(1, "abc", total=6, last_page=2))
    walk.rows_may_have_moved()
    accept(walk, page(2, "def", total=6, last_page=2))
    assert (walk.next_page, walk.stats.drifted) == (1, False)
    accept(walk, page(1, "abc", total=total, last_page=2))
    assert (walk.next_page, walk.stats.drifted) == (next_page, total != 6)


@pytest.mark.parametrize(
    ("rows", "drifted", "requested"),
    [
        (["jkl", "ghi"], [False, False], [4, 3, 6]),
        (["jkl", "Xgh", "def", "abc"], [False, True, True, True], [4, 3, 2, 1, 6]),
        (["Xjk", "ghi", "def"], [True, True, True], [4, 3, 2, 6]),
        (["Xjk", "Ygh", "def", "abc"], [True, True, True, True], [4, 3, 2, 1, 6]),
    ],
)
def test_rescan_ends_after_two_pages_in_a_row_that_start_with_a_known_row(
    rows: list[str], drifted: list[bool], requested: list[int]
) -> None:
    """A new row at the start of a page may be the end of others, on the page before."""
    walk, asked, seen = make_walk(), list[int](), list[bool]()
    numbers = {"total": 30, "last_page": 10}
    for number, known in enumerate(["abc", "def", "ghi", "jkl"], 1):
        accept(walk, page(number, known, **numbers))
    walk.rows_may_have_moved()
    accept(walk, page(5, "mno", **numbers))
    for answer in rows:
        asked.append(walk.next_page or 0)
        accept(walk, page(asked[-1], answer, **numbers))
        seen.append(walk.stats.drifted)
    assert (seen, [*asked, walk.next_page]) == (drifted, requested)


@pytest.mark.parametrize(
    ("before", "after"), [({}, {"last_page": 99}), ({}, {"total": 99}), ({"last_page": 33}, {})]
)
def test_rescan_does_not_return_for_a_number_that_is_only_given_once(
    before: dict[str, int], after: dict[str, int]
) -> None:
    """It can't be compared."""
    walk = make_walk()
    accept(walk, page(1, "abc"))
    accept(walk, page(2, "def"))
    walk.rows_may_have_moved()
    accept(walk, page(3, "ghi", **before))
    accept(walk, page(2, "xyz", **after))
    assert walk.next_page == 1


@pytest.mark.parametrize(
    ("moving", "answers"),
    [
        # Six rows were inserted at the front, and six removed at the end.
        (False, [(1, "abc", 18), (2, "def", 18), (3, "abc", 18), (2, "xyz", 18), (1, "uvw", 18)]),
        # Three were inserted before page 3 was read, and then others moved.
        (False, [(1, "abc", 9), (2, "def", 9), (3, "def", 12), (2, "bcd", 12), (1, "YZa", 12)]),
        # Rows of a page that is not the one before may have moved, if others moved as well.
        (True, [(3, "abc", 9), (2, "def", 9), (1, "abc", 9)]),
    ],
)
def test_known_rows_that_moved_are_no_repetition(
    moving: bool, answers: list[tuple[int, str, int]]
) -> None:
    """The walk goes on behind the held page."""
    position = Position(3, SIZE, 9, 9, moving=True)
    walk = resume_walk(position, "abcdef") if moving else make_walk()
    for number, rows, total in answers:
        assert walk.next_page == number
        accept(walk, page(number, rows, total=total, last_page=9))
    assert walk.next_page == 4


def test_empty_page_after_an_unchanged_one_is_no_repetition() -> None:
    """It is the end of the list."""
    walk = make_walk()
    for number, rows in ((1, "abc"), (2, "def")):
        accept(walk, page(number, rows, last_page=3))
    walk.rows_may_have_moved()
    for number, rows in ((3, ""), (2, "def"), (1, "abc")):
        assert walk.next_page == number
        accept(walk, page(number, rows, last_page=3))
    assert walk.next_page is None


def test_pages_without_a_new_row_and_without_evidence_are_no_rescans() -> None:
    """After four of them, a page with evidence is still held."""
    walk = make_walk()
    accept(walk, page(1, "abc", last_page=9))
    for number in (2, 2, 3, 3, 4, 5):
        assert walk.next_page == number
        accept(walk, page(number, "", last_page=9))
    assert accept(walk, page(6, "abc", last_page=9)) == []
    assert (walk.next_page, walk.stats.rescans) == (5, 1)


def test_new_row_allows_rescans_again() -> None:
    """Only consecutive rescans without one are bounded."""
    walk, total = make_walk(), 9
    accept(walk, page(1, "abc", total=total, last_page=20))
    # The service repeats its first page, except for pages 6 and 10.
    new = {6: "def", 10: "ghi"}
    while (number := walk.next_page) != 12:
        total += 1
        assert total < 200
        accept(walk, page(number or 0, new.get(number or 0, "abc"), total=total, last_page=20))
    # Pages 2 to 4, 6 with a new row, 7 to 9, 10 with a new row, and 11.
    assert walk.stats.rescans == 9


def test_page_repeated_after_an_outdated_one_was_replaced_is_an_error() -> None:
    """It was requested when no other page was in flight."""
    walk, numbers = make_walk(), {"total": 18, "last_page": 6}
    accept(walk, page(1, "abc", **numbers))
    accept(walk, page(2, "abc", **numbers), was_prefetched=True)
    for number, rows in ((2, "def"), (1, "abc"), (3, "def"), (2, "def")):
        assert walk.next_page == number
        accept(walk, page(number, rows, **numbers))
    with pytest.raises(PaginationError, match="page 3 repeats rows"):
        accept(walk, page(1, "abc", **numbers))


def test_unreadable_row_that_moved_is_found_once() -> None:
    """A page that was read again and has only such a row is released as well."""
    walk = make_walk(on_invalid="collect")
    accept(walk, page(1, "abc", total=9, last_page=3))
    accept(walk, page(2, "def", total=9, last_page=3))
    bad = InvalidRow(2, "$[2]", "why", "g", None)
    moved = {"total": 8, "last_page": 3}
    assert accept(walk, page(3, "hi", **moved)) == []
    assert accept(walk, evolve(page(2, "ef", **moved), invalid_rows=(bad,))) == []
    released = accept(walk, page(1, "bcd", **moved))
    assert [(p.number, [t.id for t in p.items], len(p.invalid_rows)) for p in released] == [
        (2, [], 1),
        (3, ["h", "i"], 0),
    ]
    assert walk.stats.invalid_rows == 1
