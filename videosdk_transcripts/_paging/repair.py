"""
P1: the count at the end of a walk, and one repair if rows are missing. No I/O.

A total is never trusted for the end of a walk, but it reveals that rows are missing. They are
searched for once: behind the last page, as long as that brings new rows, and then from the
start with another page size. That moves all page boundaries, and a cache in front of the
service has no such pages yet. The repair ends as soon as the count matches.

The count is compared with the highest total of the walk. A row that was met and then removed
counts as met, but no longer in the newest total, and would hide one that was missed.

A total can simply be wrong, for example because it counts other rooms. After a repair that
found nothing, a client repairs no such list again (`WrongTotals`).
"""

from __future__ import annotations

from attrs import define

from videosdk_transcripts._api.filter import Filter


def other_page_size(size: int, steps: int = 1) -> int:
    """Return a page size with other page boundaries, a different one for each `steps`."""
    return size - steps if size > steps else size + steps


class WrongTotals:
    """The kinds of lists whose totals were found to be wrong."""

    def __init__(self) -> None:
        self._kinds: set[tuple[bool, bool]] = set()

    def add(self, wanted: Filter) -> None:
        """Add the kind of list that a filter selects: one room, one session, both or all."""
        self._kinds.add(self._kind(wanted))

    def __contains__(self, wanted: Filter) -> bool:
        return self._kind(wanted) in self._kinds

    @staticmethod
    def _kind(wanted: Filter) -> tuple[bool, bool]:
        return wanted.room_id is not None, wanted.session_id is not None


@define(eq=False, repr=False)
class Repair:
    """A search for missing rows: which page is next, and when it is over."""

    next_page: int | None
    page_size: int
    """How many rows to request on the next page."""
    other_size: int
    """The page size of the pages from the start."""
    max_page: int
    """The last page to read, by the total at the beginning."""
    is_behind_end: bool
    """Whether the pages behind the last one come first."""
    found: int = 0
    """How many rows were found."""

    @classmethod
    def begin(cls, end: int, page_size: int, served: int, total: int) -> Repair:
        """
        Begin a repair.

        Args:
            end: the last page that was read.
            page_size: the page size in use.
            served: the most rows that a page has had.
            total: the newest total.
        """
        # Fewer rows on every page may be a limit that the service does not report.
        other = served if 0 < served < page_size else other_page_size(page_size)
        # Rows that are inserted meanwhile may need one page more.
        max_page = -(-total // other) + 1
        if total > end * page_size:
            return cls(end + 1, page_size, other, max_page, is_behind_end=True)
        return cls(1, other, other, max_page, is_behind_end=False)

    def advance(self, *, found: int, is_complete: bool, is_end: bool) -> None:
        """
        Move on behind the page that was read.

        Args:
            found: how many of its rows had not been met before.
            is_complete: whether the count matches now.
            is_end: whether no page follows.
        """
        self.found += found
        number = self.next_page or 0
        if is_complete:
            self.next_page = None
        elif not self.is_behind_end:
            self.next_page = None if is_end or number >= self.max_page else number + 1
        elif found and number < self.max_page:
            self.next_page = number + 1
        else:
            self.next_page, self.page_size, self.is_behind_end = 1, self.other_size, False
