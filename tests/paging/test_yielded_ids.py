"""P3: what a checkpoint knows of the rows that were handed out last."""

from hypothesis import given
from hypothesis import strategies as st

from videosdk_transcripts._paging.history import YieldedIds, recent_to_keep


def test_it_begins_with_what_an_earlier_walk_knew() -> None:
    """A walk that is taken up and left at once has lost none of it."""
    recent = YieldedIds(20, ["a", "b"], 7)
    assert recent.with_page(0, ()) == (("a", "b"), 7)
    assert recent.with_page(9, ("c",)) == (("a", "b", "c"), 7)
    assert recent.with_page(0, ()) == (("a", "b"), 7), "asking changes nothing"


def test_old_pages_are_forgotten_whole() -> None:
    """So that the page from which on all is known can be named."""
    recent = YieldedIds(20, (), 1)
    for page in range(1, 31):
        recent.add(page, tuple(f"{page}-{n}" for n in range(20)))
    ids, complete_from_page = recent.with_page(31, ("x",))
    assert (len(ids), ids[0], ids[-1], complete_from_page) == (501, "6-0", "x", 6)


def test_rows_that_slid_to_the_front_move_the_place_with_them() -> None:
    """The head of the page that they came from may have been handed out long before."""
    recent = YieldedIds(20, (), 1)
    for page in (*range(1, 31), 25, 26, *range(31, 53)):
        recent.add(page, tuple(f"{page}-{n}" for n in range(20)))
    ids, complete_from_page = recent.with_page(53, ())
    assert (len(ids), ids[0], complete_from_page) == (500, "30-0", 26)


def test_rows_that_slide_after_old_pages_were_forgotten() -> None:
    """The place moves with them as well while none of what is kept can be forgotten."""
    recent = YieldedIds(20, ("old",), 7)
    assert recent.with_page(5, ("x",)) == (("old", "x"), 6)
    recent.add(4, ("y",))
    assert recent.with_page(8, ("x",)) == (("old", "y", "x"), 5)
    for page in range(1, 102):
        recent.add(page, tuple(f"{page}-{n}" for n in range(20)))
    assert recent.with_page(77, ("x",))[1] == 77
    assert recent.with_page(60, ("x",))[1] == 61


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(0, 90)), max_size=120))
def test_forgetting_now_and_then_changes_nothing(pages: list[tuple[int, int]]) -> None:
    """It is done for speed alone: all that is asked for is the same as if all were kept."""
    recent, everything = YieldedIds(20, ["old"], 3), YieldedIds(20, ["old"], 3)
    for n, (page, count) in enumerate(pages):
        ids = tuple(f"{n}-{i}" for i in range(count))
        recent.add(page, ids)
        everything.add(page, ids)
        everything._count = 0  # so that nothing is ever forgotten
        assert recent.with_page(9, ("x",)) == everything.with_page(9, ("x",))
    assert sum(len(ids) for _, ids in recent._pages) <= 5 * recent_to_keep(20)
