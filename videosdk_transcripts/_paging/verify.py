"""
P1 for changes that responses can't show: walk the list again until two passes agree. No I/O.

One change leaves no evidence in the responses: rows are removed before the current page while
the same number is added after it. A second pass finds the rows that the first one missed. Each
pass uses a different page size, so that two passes do not miss the same row for the same reason,
and their number of rows has to match the total.
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
from .repair import other_page_size
from .walk import Released, Walk

_MAX_PASSES: Final = 5


class VerifiedWalk(Generic[TranscriptionT]):
    """
    Walk over the same list several times, and yield each row once.

    The class has the interface of `Walk`.

    Args:
        options: the arguments of each pass.
        stats: the combined counters of all passes.
    """

    def __init__(self, options: WalkOptions, stats: WalkStats) -> None:
        self.stats = stats
        self._options = options
        self._pass: Walk[TranscriptionT] = Walk(options, stats)
        self._end_of_first_pass: Position | None = None
        self._yielded: set[str] = set()
        # How many rows only a later pass found.
        self._found_later = 0
        # The ids that this pass listed, those of the pass before, and how many of them differ.
        self._listed: set[str] = set()
        self._listed_before: set[str] = set()
        self._differing = 0
        self._total_before: int | None = None
        self._is_verified = False

    @property
    def next_page(self) -> int | None:
        """Return the page to request next; None once two passes agree, or after the last pass."""
        return self._pass.next_page

    @property
    def page_size(self) -> int:
        """Return how many rows to request on the next page."""
        return self._pass.page_size

    @property
    def pause(self) -> float:
        """Return how many seconds to wait before the next request."""
        return self._pass.pause

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
        end = self._end_of_first_pass
        if end is None:
            return self._pass.position
        return evolve(end, met=end.met + self._found_later)

    @property
    def readahead_limit(self) -> int:
        """Return the last page that may be prefetched."""
        return self._pass.readahead_limit

    def reduce_page_size(self) -> bool:
        """Choose smaller pages after the first was refused, and return whether that is possible."""
        return self._pass.reduce_page_size()

    def rows_moved(self) -> None:
        """Record that rows have moved, so that the next page starts a rescan."""
        self._pass.rows_moved()

    def rows_may_have_moved(self) -> None:
        """Record that rows may have moved."""
        self._pass.rows_may_have_moved()

    def accept(
        self, page: Page[TranscriptionT], *, was_prefetched: bool
    ) -> list[Released[TranscriptionT]]:
        """Accept the requested page, as `Walk.accept` does, and drop rows of earlier passes."""
        released = self._pass.accept(page, was_prefetched=was_prefetched)
        self._listed.update(ids_of(page))
        if self._end_of_first_pass is not None:
            released = [one for one in map(self._without_yielded, released) if one]
        for one in released:
            self._yielded.update(ids_of(one.page))
        if self._pass.next_page is None:
            self._end_pass()
        return released

    def finish(self) -> None:
        """
        End the walk.

        Raises:
            IncompleteWalkError: no two passes agreed, or their rows don't match the total.
        """
        if self.total is not None:
            self.stats.shortfall = max(0, self.total - self._pass.met)
        if self._is_verified:
            return
        if self._differing:
            reason = f"changed each time: the last two passes differ in {self._differing} rows"
        else:
            reason = (
                f"does not match its total: the last pass found {self._pass.met} rows, and the "
                f"service reports {self.total}"
            )
        raise IncompleteWalkError(
            f"the list was walked {self.stats.passes} times and {reason}. All rows that were "
            "found have been yielded; walk again when the list changes less, or with "
            "consistency='once' if the total is wrong",
            passes=self.stats.passes,
            differing=self._differing,
        )

    def _end_pass(self) -> None:
        listed, self._listed = self._listed, set()
        total, met, end = self.total, self._pass.met, self._end_of_first_pass
        if self._pass.stats is not self.stats:
            self.stats.rescans += self._pass.stats.rescans
            self.stats.drifted |= self._pass.stats.drifted
        if end is None:
            end = self._end_of_first_pass = self._pass.position
        else:
            self._differing = len(listed ^ self._listed_before)
            self.stats.drifted |= self._differing > 0
            is_counted = total is None or met == total == self._total_before
            self._is_verified = not self._differing and is_counted
        self._listed_before, self._total_before = listed, total
        if not self._is_verified and self.stats.passes < _MAX_PASSES:
            size = other_page_size(end.page_size, self.stats.passes)
            self.stats.passes += 1
            # With separate counters, because the first pass has counted its rows and duplicates,
            # except the one that limits the warning about foreign rows to the first of them.
            counters = WalkStats(foreign_rows_dropped=self.stats.foreign_rows_dropped)
            self._pass = Walk(evolve(self._options, page_size=size), counters)

    def _without_yielded(
        self, released: Released[TranscriptionT]
    ) -> Released[TranscriptionT] | None:
        yielded, page = self._yielded, released.page
        items = tuple(row for row in page.items if row.id not in yielded)
        # An invalid row without an id can't be distinguished from those of earlier passes.
        invalid = tuple(
            row for row in page.invalid_rows if row.row_id and row.row_id not in yielded
        )
        self.stats.invalid_rows += len(invalid)
        if not items and not invalid:
            return None
        met = self.position.met
        self._found_later += len(items)
        # Marked as repaired, because its number refers to another page size than a checkpoint's.
        kept = evolve(page, items=items, invalid_rows=invalid)
        return Released(kept, met, is_repaired=True)
