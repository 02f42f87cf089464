"""P1 and P2 without I/O: which page is next, which rows are yielded, when a walk ends."""

from __future__ import annotations

import logging

import pytest

from videosdk_transcripts import (
    InvalidRow,
    Page,
    Transcription,
    UnverifiedRowError,
)
from videosdk_transcripts._api.filter import Filter
from videosdk_transcripts._paging.checkpoint import Position

from .lists import SIZE, Listing, accept, make_walk, page, resume_walk, run


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 6, 7])
@pytest.mark.parametrize("counted", [True, False])
def test_static_list_is_walked_once(count: int, counted: bool) -> None:
    """Every row is yielded once and in order, with or without a last page."""
    listing = Listing("abcdefg"[:count], counted=counted)
    walk = make_walk()
    assert run(walk, listing) == list("abcdefg"[:count])
    assert not walk.stats.drifted
    # Without a last page, it takes one more request to detect the end.
    pages = -(-count // SIZE)
    assert len(listing.requested) == (max(1, pages) if counted else pages + 1)


def test_walk_ends_at_the_newest_last_page() -> None:
    """A list that grows at its end during the walk is walked to its new end."""
    listing = Listing("abcd")
    assert run(make_walk(), listing, lambda n: n == 2 and listing.ids.extend("efgh")) == list(
        "abcdefgh"
    )


def test_empty_or_short_page_is_not_the_end() -> None:
    """Below the last page there may be pages with few rows or none."""
    walk = make_walk()
    pages = ["abc", "", "", "de", ""]
    found, requested = [], []
    while walk.next_page is not None:
        requested.append(walk.next_page)
        answer = page(walk.next_page, pages[walk.next_page - 1], last_page=5)
        found += [t.id for p in accept(walk, answer) for t in p.items]
    assert "".join(found) == "abcde"
    assert requested == [1, 2, 2, 3, 3, 4, 5]


def test_list_that_becomes_empty_ends_the_walk() -> None:
    """The rows yielded before stay valid."""
    listing = Listing("abcdefg")
    assert run(make_walk(), listing, lambda n: n == 2 and listing.ids.clear()) == list("abc")


@pytest.mark.parametrize("total", [10, 1, 0, 9999])
def test_wrong_total_changes_nothing(total: int) -> None:
    """The vendor's own samples contradict themselves, so a constant total is only shown."""
    walk = make_walk()
    found = []
    for number, ids in ((1, "abc"), (2, "def"), (3, "g")):
        for p in accept(walk, page(number, ids, last_page=3, total=total)):
            found += [t.id for t in p.items]
    assert (found, walk.total, walk.stats.drifted) == (list("abcdefg"), total, False)


def test_row_twice_on_a_page_is_yielded_once() -> None:
    """The first one stays, and the repetition is no evidence of movement."""
    walk = make_walk()
    (released,) = accept(walk, page(1, "aba", last_page=1))
    assert [t.id for t in released.items] == ["a", "b"]
    assert (walk.stats.duplicates_dropped, walk.stats.drifted) == (1, False)


def test_foreign_rows_are_dropped_counted_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One warning for each walk, however many pages have foreign rows."""
    walk = make_walk(wanted=Filter("mine"))
    for number in (1, 2):
        mixed = (
            Transcription(f"a{number}", room_id="mine"),
            Transcription(f"b{number}", room_id="other"),
        )
        (released,) = accept(walk, Page(number, mixed, last_page=2))
        assert [t.id for t in released.items] == [f"a{number}"]
    assert walk.stats.foreign_rows_dropped == 2
    assert [r.levelno for r in caplog.records] == [logging.WARNING]


def test_page_of_foreign_rows_is_not_the_end() -> None:
    """Without a last page the walk continues, because the service had rows there."""
    walk = make_walk(wanted=Filter("mine"))
    accept(walk, Page(1, (Transcription("b", room_id="other"),)))
    assert walk.next_page == 2


@pytest.mark.parametrize("wanted", [Filter(None, "mine"), Filter("room", "mine")])
def test_page_of_another_session_is_dropped(wanted: Filter) -> None:
    """All rows of the page belong to one session of the same room."""
    walk = make_walk(wanted=wanted)
    for number, session in ((1, "other"), (2, "mine"), (3, "other")):
        rows = tuple(Transcription(f"{number}{i}", "", "room", session) for i in "abc")
        (released,) = accept(walk, Page(number, rows, last_page=3))
        assert released.items == (rows if session == "mine" else ())
    assert walk.stats.foreign_rows_dropped == 6


def test_unverified_row_raises_and_changes_nothing() -> None:
    """The page is requested again, and its rows do not count as listed."""
    walk = make_walk(wanted=Filter("mine"))
    with pytest.raises(UnverifiedRowError):
        accept(walk, Page(1, (Transcription("a", room_id="mine"), Transcription("b"))))
    assert walk.next_page == 1
    (released,) = accept(walk, Page(1, (Transcription("a", room_id="mine"),)))
    assert [t.id for t in released.items] == ["a"]


def test_unverified_rows_are_counted() -> None:
    """Also when they are yielded on request."""
    walk = make_walk(wanted=Filter("mine"), on_unverified="yield")
    accept(walk, Page(1, (Transcription("a"), Transcription("b")), last_page=1))
    assert walk.stats.unverified_rows == 2


def test_invalid_rows_are_counted_once_and_make_a_page_nonempty() -> None:
    """A rescan does not count an invalid row a second time."""
    bad = InvalidRow(1, "$[0]", "why", "bad", None)
    walk = make_walk()
    accept(walk, Page(1, (), invalid_rows=(bad,)))
    assert walk.next_page == 2
    accept(walk, Page(2, (Transcription("a"),), total=9))
    accept(walk, Page(3, (Transcription("a"), Transcription("c")), total=9))
    assert walk.next_page == 2
    assert accept(walk, Page(2, (Transcription("a"),), total=9)) == []
    released = accept(walk, Page(1, (), invalid_rows=(bad,), total=9))
    assert [(p.number, len(p.items), len(p.invalid_rows)) for p in released] == [(3, 1, 0)]
    assert walk.stats.invalid_rows == 1


def test_resumed_walk_drops_rows_yielded_before() -> None:
    """The rows in the checkpoint are not yielded again, and are no evidence of movement."""
    walk = resume_walk(Position(2, SIZE, 7, 3), ("a", "b", "c", "d"))
    assert run(walk, Listing("abcdefg")) == ["e", "f", "g"]
    assert not walk.stats.drifted


def test_prefetched_page_without_evidence_is_accepted() -> None:
    """It is accepted like a page that was requested when it was due."""
    walk, listing = make_walk(), Listing("abcdef")
    accept(walk, listing.page(1, SIZE))
    assert [p.number for p in accept(walk, listing.page(2, SIZE), was_prefetched=True)] == [2]
    assert walk.next_page is None


@pytest.mark.parametrize(
    ("numbers", "limit"),
    [({"last_page": 7, "total": 9}, 7), ({"total": 10}, 4), ({"total": 0}, 0), ({}, 0)],
)
def test_readahead_limit_is_the_known_end(numbers: dict[str, int], limit: int) -> None:
    """The end is the last page, or is computed from the total."""
    walk = make_walk()
    accept(walk, page(1, "abc", **numbers))
    assert walk.readahead_limit == limit


@pytest.mark.parametrize("last_page", [None, 0, 1])
def test_empty_list_is_one_empty_page(last_page: int | None) -> None:
    """The page that ends a list without numbers is no page of it."""
    assert [p.number for p in accept(make_walk(), Page(1, (), last_page=last_page))] == [1]
    walk = make_walk()
    assert [p.number for p in accept(walk, page(1, "abc"))] == [1]
    assert accept(walk, page(2, "")) == []
    assert walk.next_page is None
