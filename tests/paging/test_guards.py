"""P4 without I/O: page information that would make a walk endless or meaningless."""

from __future__ import annotations

import pytest

from videosdk_transcripts import (
    InvalidRow,
    Page,
    PaginationError,
)
from videosdk_transcripts._paging.checkpoint import Position

from .lists import SIZE, accept, make_walk, page, resume_walk


def test_too_many_empty_pages_are_an_error() -> None:
    """If many empty pages precede a distant last page, the walk ends with an error."""
    walk = make_walk(max_empty_pages=5)
    accept(walk, page(1, "abc", last_page=10**9))
    # The first two are requested again, without effect.
    for number in (2, 2, 3, 3, 4, 5, 6):
        assert walk.next_page == number
        accept(walk, page(number, "", last_page=10**9))
    for _ in range(2):
        with pytest.raises(PaginationError, match="5 consecutive pages contained no new row"):
            accept(walk, page(7, "", last_page=10**9))
        assert walk.next_page == 7
    # The walk continues if the page has a row.
    assert [p.items[0].id for p in accept(walk, page(7, "d", last_page=10**9))] == ["d"]


def test_too_many_empty_pages_from_the_first_one_are_an_error() -> None:
    """As many are accepted as after a page with rows."""
    walk = make_walk(max_empty_pages=5)
    for number in (1, 1, 2, 2, 3, 4, 5):
        assert walk.next_page == number
        accept(walk, page(number, "", last_page=10**9))
    with pytest.raises(PaginationError, match="5 consecutive pages contained no new row"):
        accept(walk, page(6, "", last_page=10**9))


def test_too_many_repeated_pages_are_an_error_without_a_last_page() -> None:
    """If a service repeats a page with another total each time, the walk ends with an error."""
    walk, total = make_walk(max_empty_pages=5), 10

    def walk_on() -> None:
        nonlocal total
        for _ in range(100):
            total += 1
            accept(walk, page(walk.next_page or 0, "abc", total=total))

    with pytest.raises(PaginationError, match="last page is reported as unknown"):
        walk_on()


def test_last_page_that_keeps_moving_away_is_an_error() -> None:
    """It grows with each response, and the walk comes no closer to it."""
    walk, last_page = make_walk(page_size=1), 2

    def walk_on() -> None:
        nonlocal last_page
        for _ in range(2000):
            number = walk.next_page or 0
            last_page = max(last_page, number + 2)
            accept(walk, page(number, [f"r{number}"], last_page=last_page))

    with pytest.raises(PaginationError, match="number keeps growing: it grew 200 times"):
        walk_on()
    # Two rounds of a hundred growths, and not one less: page 1 is the first with two more.
    assert walk.next_page == 202


def test_new_row_resets_the_count_of_empty_pages() -> None:
    """The limit is for consecutive pages."""
    walk = make_walk(max_empty_pages=3)
    pages = ["abc", "", "", "", "def", "", "", "", "ghi"]
    found = ""
    while (number := walk.next_page) is not None:
        released = accept(walk, page(number, pages[number - 1], last_page=9))
        found += "".join(row.id for one in released for row in one.items)
    assert found == "abcdefghi"


def test_last_page_that_is_no_longer_given_ends_the_walk_at_an_empty_page() -> None:
    """A missing number never differs, and is no growth."""
    walk, found = make_walk(), ""
    answers = {1: ("abc", 9), 2: ("def", None), 3: ("ghi", 9), 4: ("jkl", None), 5: ("", None)}
    while (number := walk.next_page) is not None:
        ids, last_page = answers[number]
        for one in accept(walk, page(number, ids, last_page=last_page)):
            found += "".join(row.id for row in one.items)
    assert found == "abcdefghijkl"
    assert (walk.stats.drifted, walk.last_page) == (False, None)


def test_last_page_that_grows_slowly_or_once_is_accepted() -> None:
    """Two bursts of a thousand pages, far apart, and growth slower than the walk."""
    walk, last_page, asked = make_walk(page_size=1), 50, 0
    while walk.next_page is not None:
        asked += 1
        last_page += 1000 if asked in {10, 1300} else asked % 5 == 0 and asked < 1600
        accept(walk, page(walk.next_page, [f"r{walk.next_page}"], last_page=last_page))
    assert last_page > 2300


def test_last_page_that_grows_in_bursts_is_accepted() -> None:
    """Pages between them are no growth, also if every other one is empty."""
    walk, last_page = make_walk(page_size=1), 50
    while (number := walk.next_page) is not None:
        if number % 50 == 0 and number < 1000:
            last_page = max(last_page, number + 50 + number // 10)
        accept(walk, page(number, [f"r{number}"] if number % 2 else "", last_page=last_page))
    assert last_page == 950 + 50 + 95


@pytest.mark.parametrize(
    ("echoed", "rows", "used"),
    [(2, "ab", 2), (2, "a", 1), (5, "abcde", 5), (2, "abc", 3), (5, "abc", 3), (3, "ab", 2)],
)
def test_reported_page_size_is_used_if_the_rows_fit_it(echoed: int, rows: str, used: int) -> None:
    """The size that the first page reports counts, unless its rows contradict it."""
    walk = make_walk()
    accept(walk, page(1, rows, page_size=echoed, last_page=9))
    assert used == walk.page_size


@pytest.mark.parametrize(("echoed", "rows"), [(2, "ab"), (5, "abc")])
def test_page_size_of_a_full_first_page_is_final(echoed: int, rows: str) -> None:
    """A second page that is filled in part does not change it."""
    walk = make_walk()
    accept(walk, page(1, rows, page_size=echoed, last_page=9))
    assert [p.items[0].id for p in accept(walk, page(2, "d", page_size=echoed, last_page=9))] == [
        "d"
    ]
    assert (walk.next_page, walk.page_size) == (3, len(rows))


def test_page_size_that_changes_during_the_walk_is_an_error() -> None:
    """Page numbers would refer to other rows from there on."""
    walk = make_walk()
    accept(walk, page(1, "abc", page_size=3, last_page=3))
    with pytest.raises(PaginationError, match="page size changed from 3 to 2 at page 2"):
        accept(walk, page(2, "de", page_size=2, last_page=3))
    accept(walk, page(2, "def", page_size=2, last_page=3))
    # On the last page the reported size may be the number of its rows.
    accept(walk, page(3, "g", page_size=1, last_page=3))
    assert (walk.next_page, walk.page_size) == (None, 3)


def test_invalid_rows_without_ids_count_as_empty_pages() -> None:
    """If a service sends nothing else, the walk ends with an error."""
    walk = make_walk(max_empty_pages=5)
    nameless = InvalidRow(1, "$[0]", "why", None, {})

    def walk_on() -> None:
        for _ in range(100):
            accept(walk, Page(walk.next_page or 0, (), invalid_rows=(nameless,)))

    with pytest.raises(PaginationError, match="contained no new row"):
        walk_on()


def test_walk_resumed_from_the_first_page_uses_the_reported_page_size() -> None:
    """A checkpoint taken before the first response does not have it."""
    walk = resume_walk(Position(1, SIZE))
    accept(walk, page(1, "ab", page_size=2, last_page=9))
    assert walk.page_size == 2
