"""
P1 where page numbers alone can't show it: walk again until two passes agree. No I/O.

One thing leaves no evidence in the answers: rows that vanish before the place of reading
while as many appear behind it. A second pass sees what the first one missed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Generic

from attrs import evolve

from videosdk_transcripts._api.filter import TranscriptionT
from videosdk_transcripts.errors import IncompleteWalkError
from videosdk_transcripts.models import Page, WalkStats

from .checkpoint import Position
from .history import ids_of
from .walk import Walk

_MOST_PASSES: Final = 5


class VerifiedWalk(Generic[TranscriptionT]):
    """
    Walks over the same list, pass after pass, that hand out each row once.

    Args:
        make_walk: makes the walk of a pass, which counts in the stats that it is given.
        stats: the counters of all passes together.
    """

    def __init__(
        self, make_walk: Callable[[WalkStats], Walk[TranscriptionT]], stats: WalkStats
    ) -> None:
        self.stats = stats
        self._make_walk = make_walk
        self._walk = make_walk(stats)
        self._pass_stats = stats
        self._first_end: Position | None = None
        self._found: set[str] = set()
        self._before: set[str] | None = None
        self._handed_out: set[str] = set()
        self._differing = 0

    @property
    def next_page(self) -> int | None:
        """Return the page to ask for next, None once two passes agree or too many don't."""
        return self._walk.next_page

    @property
    def page_size(self) -> int:
        """Return how many rows to ask for on it."""
        return self._walk.page_size

    @property
    def total(self) -> int | None:
        """Return the newest total that the server named."""
        return self._walk.total

    @property
    def last_page(self) -> int | None:
        """Return the newest last page that the server named."""
        return self._walk.last_page

    @property
    def position(self) -> Position:
        """Return where a checkpoint points to: the end of the list after the first pass."""
        return self._first_end or self._walk.position

    @property
    def reach(self) -> int:
        """Return the last page that may be read ahead."""
        return self._walk.reach

    def rows_moved(self) -> None:
        """Take it that rows have moved, and look back from the next page."""
        self._walk.rows_moved()

    def rows_may_have_moved(self) -> None:
        """Take it that rows may have moved."""
        self._walk.rows_may_have_moved()

    def accept(
        self, page: Page[TranscriptionT], *, was_ahead: bool = False
    ) -> list[Page[TranscriptionT]]:
        """Take the page that was asked for, as `Walk.accept` does, and drop known rows."""
        released = self._walk.accept(page, was_ahead=was_ahead)
        self._found.update(ids_of(page))
        if self._first_end is not None:
            cleaned = (self._without_known(p) for p in released)
            released = [p for p in cleaned if p.items or p.invalid_rows]
        for p in released:
            self._handed_out.update(row.id for row in p.items)
            self._handed_out.update(row.row_id for row in p.invalid_rows if row.row_id)
        if self._walk.next_page is None:
            self._end_pass()
        return released

    def finish(self) -> None:
        """
        End the walk.

        Raises:
            IncompleteWalkError: no two passes agreed.
        """
        if self._differing:
            raise IncompleteWalkError(
                f"the list was walked {self.stats.passes} times and never stood still: the last "
                f"two passes differ in {self._differing} rows. All rows that were seen have been "
                "handed out; walk again when less is going on",
                passes=self.stats.passes,
                differing=self._differing,
            )

    def _end_pass(self) -> None:
        found, self._found = self._found, set()
        if self._pass_stats is not self.stats:
            self.stats.rescans += self._pass_stats.rescans
            self.stats.drifted |= self._pass_stats.drifted
        if self._before is None:
            self._first_end = self._walk.position
            self._differing = 1  # nothing to compare with yet
        else:
            self._differing = len(found ^ self._before)
            self.stats.drifted |= self._differing > 0
        self._before = found
        if self._differing and self.stats.passes < _MOST_PASSES:
            self.stats.passes += 1
            self._pass_stats = WalkStats()
            self._walk = self._make_walk(self._pass_stats)

    def _without_known(self, page: Page[TranscriptionT]) -> Page[TranscriptionT]:
        known = self._handed_out
        items = tuple(row for row in page.items if row.id not in known)
        # One without an id can't be told from those of the pass before.
        invalid = tuple(row for row in page.invalid_rows if row.row_id and row.row_id not in known)
        self.stats.invalid_rows += len(invalid)
        return evolve(page, items=items, invalid_rows=invalid)
