"""
P1 where page numbers can't show it: walk the list again until two passes agree. No I/O.

One change leaves no evidence in the responses: rows are removed before the current page while
as many are added behind it. A second pass finds what the first one missed.
"""

from __future__ import annotations

from typing import Final, Generic

from attrs import evolve

from videosdk_transcripts._api.filter import TranscriptionT
from videosdk_transcripts.errors import IncompleteWalkError
from videosdk_transcripts.models import Page, WalkStats

from .checkpoint import Position
from .history import ids_of
from .options import WalkOptions
from .walk import Walk

_MAX_PASSES: Final = 5


class VerifiedWalk(Generic[TranscriptionT]):
    """
    Walks over the same list, pass after pass, that yield each row once.

    It has the interface of a `Walk`.

    Args:
        options: the arguments of each pass.
        stats: the counters of all passes together.
    """

    def __init__(self, options: WalkOptions, stats: WalkStats) -> None:
        self.stats = stats
        self._options = options
        self._pass: Walk[TranscriptionT] = Walk(options, stats)
        self._end_of_first_pass: Position | None = None
        self._yielded: set[str] = set()
        # The ids that this pass has listed, those of the pass before, and how many differ.
        self._listed: set[str] = set()
        self._listed_before: set[str] | None = None
        self._differing = 0

    @property
    def next_page(self) -> int | None:
        """Return the page to request next, None once two passes agree or too many don't."""
        return self._pass.next_page

    @property
    def page_size(self) -> int:
        """Return how many rows to request on the next page."""
        return self._pass.page_size

    @property
    def total(self) -> int | None:
        """Return the total of the newest response."""
        return self._pass.total

    @property
    def last_page(self) -> int | None:
        """Return the last page of the newest response."""
        return self._pass.last_page

    @property
    def position(self) -> Position:
        """Return the position for a checkpoint: the end of the list after the first pass."""
        return self._end_of_first_pass or self._pass.position

    @property
    def readahead_limit(self) -> int:
        """Return the last page that may be prefetched."""
        return self._pass.readahead_limit

    def rows_moved(self) -> None:
        """Note that rows have moved, so that the next page starts a rescan."""
        self._pass.rows_moved()

    def rows_may_have_moved(self) -> None:
        """Note that rows may have moved."""
        self._pass.rows_may_have_moved()

    def accept(
        self, page: Page[TranscriptionT], *, was_prefetched: bool = False
    ) -> list[Page[TranscriptionT]]:
        """Accept the requested page, as `Walk.accept` does, and drop rows of earlier passes."""
        released = self._pass.accept(page, was_prefetched=was_prefetched)
        self._listed.update(ids_of(page))
        if self._end_of_first_pass is not None:
            cleaned = (self._without_yielded(p) for p in released)
            released = [p for p in cleaned if p.items or p.invalid_rows]
        for p in released:
            self._yielded.update(row.id for row in p.items)
            self._yielded.update(row.row_id for row in p.invalid_rows if row.row_id)
        if self._pass.next_page is None:
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
                f"the list was walked {self.stats.passes} times and changed each time: the last "
                f"two passes differ in {self._differing} rows. All rows that were found have been "
                "yielded; walk again when the list changes less",
                passes=self.stats.passes,
                differing=self._differing,
            )

    def _end_pass(self) -> None:
        listed, self._listed = self._listed, set()
        if self._pass.stats is not self.stats:
            self.stats.rescans += self._pass.stats.rescans
            self.stats.drifted |= self._pass.stats.drifted
        if self._listed_before is None:
            self._end_of_first_pass = self._pass.position
            self._differing = 1  # there is nothing to compare with yet
        else:
            self._differing = len(listed ^ self._listed_before)
            self.stats.drifted |= self._differing > 0
        self._listed_before = listed
        if self._differing and self.stats.passes < _MAX_PASSES:
            self.stats.passes += 1
            # With counters of its own: its rows and duplicates were counted in the first pass.
            self._pass = Walk(self._options, WalkStats())

    def _without_yielded(self, page: Page[TranscriptionT]) -> Page[TranscriptionT]:
        yielded = self._yielded
        items = tuple(row for row in page.items if row.id not in yielded)
        # An invalid row without an id can't be distinguished from those of earlier passes.
        invalid = tuple(
            row for row in page.invalid_rows if row.row_id and row.row_id not in yielded
        )
        self.stats.invalid_rows += len(invalid)
        return evolve(page, items=items, invalid_rows=invalid)
