"""
P1: repair a walk once if rows are missing according to the total. No I/O.

A total never decides where a walk ends, but it shows that rows are missing. They are searched for
once: beyond the last page, as long as new rows are found there, and then from the start with
another page size. That shifts all page boundaries, and a cache in front of the service does not
have these pages yet. The repair ends as soon as the number of rows matches the total.

The number is compared with the highest total of the walk. A row that was seen and then removed is
no longer in the newest total, and could conceal that another row is missing.

A total can also be wrong, for example because it counts other rooms. After a repair that found
nothing, a client does not repair this kind of list again (`WrongTotals`).
"""

from __future__ import annotations

from attrs import define

from videosdk_transcripts._api.filter import Filter


def other_page_size(size: int, steps: int = 1) -> int:
    """Return a different page size, with different page boundaries, for each `steps`."""
    return size - steps if size > steps else size + steps


class WrongTotals:
    """Remember the kinds of lists that report wrong totals."""

    def __init__(self) -> None:
        self._kinds: set[tuple[bool, bool]] = set()

    def add(self, wanted: Filter) -> None:
        """Add the kind of list that a filter selects: a room, a session, both or all."""
        self._kinds.add(self._kind(wanted))

    def __contains__(self, wanted: Filter) -> bool:
        return self._kind(wanted) in self._kinds

    @staticmethod
    def _kind(wanted: Filter) -> tuple[bool, bool]:
        return wanted.room_id is not None, wanted.session_id is not None


@define(eq=False, repr=False)
class Repair:
    """A search for missing rows: the next page, and the end of the search."""

    next_page: int | None
    page_size: int
    """How many rows to request on the next page."""
    other_size: int
    """The page size for the second part, from page 1."""
    max_page: int
    """The last page to read, according to the total at the beginning."""
    is_beyond_end: bool
    """Whether the search is in its first part, beyond the last page."""
    found: int = 0
    """How many rows were found."""

    @classmethod
    def begin(cls, end: int, page_size: int, served: int, total: int) -> Repair:
        """
        Return a new repair.

        Args:
            end: the last page that was read.
            page_size: the page size in use.
            served: the number of rows on the first page; 0 if it is unknown.
            total: the newest total.
        """
        # If it has fewer rows, the service may have a limit that it does not report.
        other = served if 0 < served < page_size else other_page_size(page_size)
        # One more page for rows that are inserted meanwhile.
        max_page = -(-total // other) + 1
        if total > end * page_size:
            return cls(end + 1, page_size, other, max_page, is_beyond_end=True)
        return cls(1, other, other, max_page, is_beyond_end=False)

    def advance(self, *, found: int, is_complete: bool, is_end: bool) -> None:
        """
        Move on to the next page.

        Args:
            found: how many new rows the current page had.
            is_complete: whether the number of rows matches the total now.
            is_end: whether no page follows.
        """
        self.found += found
        number = self.next_page or 0
        if is_complete:
            self.next_page = None
        elif not self.is_beyond_end:
            self.next_page = None if is_end or number >= self.max_page else number + 1
        elif found and number < self.max_page:
            self.next_page = number + 1
        else:
            self.next_page, self.page_size, self.is_beyond_end = 1, self.other_size, False
