"""
P1: a walk over the pages of a list. Which page is next, which rows are yielded, when it ends.

No I/O. `Walk.accept` takes a page whole, or raises and changes nothing, so that the next step
requests the same page again. Rows that move between two responses are the subject of `rescan`.
"""

from __future__ import annotations

from typing import Generic

from attrs import evolve

from videosdk_transcripts._api.filter import TranscriptionT, apply_filter, warn_of_foreign_rows
from videosdk_transcripts.models import Page, WalkStats

from .checkpoint import Checkpoint, Position
from .guards import Guards, size_in_use
from .history import ListedIds, ids_of
from .options import WalkOptions
from .rescan import Numbers, Read, Rescan, Rescans


class Walk(Generic[TranscriptionT]):
    """
    One walk over the pages of a list, as a state machine.

    Args:
        options: the arguments of the walk.
        stats: the counters to count in.
        checkpoint: where to resume; None to start at the first page.
    """

    def __init__(
        self, options: WalkOptions, stats: WalkStats, checkpoint: Checkpoint | None = None
    ) -> None:
        self.stats = stats
        self._options = options
        resumed = checkpoint.position if checkpoint else None
        start = resumed or Position(1, options.page_size)
        # The page after the newest one that was yielded, None at the end.
        self._page_due: int | None = start.page
        self._place = start.page
        self._numbers = Numbers(
            start.page_size, start.total, start.last_page, start.total, start.last_page
        )
        self._guards = Guards(options.max_empty_pages)
        self._listed = ListedIds(start, checkpoint)
        self._rescans: Rescans[TranscriptionT] = Rescans(
            self._listed, self._numbers, stats, resumed
        )

    @property
    def next_page(self) -> int | None:
        """Return the page to request next, None at the end."""
        rescan = self._rescans.running
        return self._page_due if rescan is None else rescan.next_page

    @property
    def page_size(self) -> int:
        """Return how many rows to request on the next page."""
        return self._numbers.page_size

    @property
    def total(self) -> int | None:
        """Return the total of the newest response."""
        return self._numbers.total

    @property
    def last_page(self) -> int | None:
        """Return the last page of the newest response."""
        return self._numbers.last_page

    @property
    def position(self) -> Position:
        """Return the position for a checkpoint behind all pages that were yielded."""
        numbers, rescans = self._numbers, self._rescans
        return Position(
            self._place,
            numbers.page_size,
            numbers.yielded_total,
            numbers.yielded_last_page,
            rescans.may_be_moving,
            rescans.gap_before,
        )

    @property
    def readahead_limit(self) -> int:
        """Return the last page that may be prefetched; 0 while rows are known to move."""
        if self._rescans.running is not None or self._rescans.moving:
            return 0
        # A page is prefetched only if it is known to exist.
        numbers = self._numbers
        return numbers.last_page or -(-(numbers.total or 0) // numbers.page_size)

    def rows_moved(self) -> None:
        """Note that rows have moved, so that the next page starts a rescan."""
        self._rescans.note_rows_moved()

    def rows_may_have_moved(self) -> None:
        """Note that rows may have moved: a response was dropped that might have shown it."""
        self._rescans.note_rows_may_have_moved()

    def finish(self) -> None:
        """End the walk. There is nothing to report."""

    def accept(
        self, page: Page[TranscriptionT], *, was_prefetched: bool = False
    ) -> list[Page[TranscriptionT]]:
        """
        Accept the requested page, and return the pages that can be yielded now, in order.

        The list is empty during a rescan, and when a prefetched page shows that rows moved:
        such a page may be older than the one before it, and is requested again.

        Raises:
            PaginationError: the page information leads nowhere.
            UnverifiedRowError: as `apply_filter` documents.
        """
        options, numbers, rescans = self._options, self._numbers, self._rescans
        read = Read(
            ids_of(page),
            apply_filter(page, options.wanted, options.on_unverified),
            len(page.items) + len(page.invalid_rows),
        )
        if rescans.running is not None:
            return self._continue_rescan(rescans.running, read)
        is_new = self._listed.ids.isdisjoint(read.ids)
        moved = rescans.has_evidence(page, is_new=is_new)
        is_held = rescans.is_due(page.number, moved=moved)
        if is_held and was_prefetched:
            rescans.note_rows_moved()
            return []
        size = size_in_use(page, numbers.page_size, read.count, is_first=page.number == 1)
        brings_new = bool(read.ids) and (is_new or not self._listed.ids.issuperset(read.ids))
        guards = self._guards.after(page, brings_new=brings_new, last_page=numbers.last_page)
        # Nothing below raises: from here on the page is accepted.
        self._guards = guards
        numbers.page_size = size
        numbers.update(page)
        if is_held:
            rescans.start(read, moved=moved)
            return []
        released = self._release(read, is_new=is_new)
        return [] if released is None else [released]

    def _continue_rescan(
        self, rescan: Rescan[TranscriptionT], read: Read[TranscriptionT]
    ) -> list[Page[TranscriptionT]]:
        complete = self._rescans.accept(rescan, read)
        if complete is None:
            return []
        released = [page for one in complete.reads if (page := self._release_found(one))]
        held = self._release(complete.held, after_rescan=True)
        if held is not None:
            released.append(held)
        is_at_end = self.next_page is None
        if is_at_end and self._rescans.moving and any(page.items for page in released):
            self._rescans.start_at_end(complete.held.page.number)
        return released

    def _release_found(self, read: Read[TranscriptionT]) -> Page[TranscriptionT] | None:
        """Return what a page that was read again has of new rows, None if nothing."""
        page = self._without_listed(read)
        self.stats.invalid_rows += len(page.invalid_rows)
        if not page.items and not page.invalid_rows:
            return None
        self.stats.drifted = True
        return page

    def _release(
        self, read: Read[TranscriptionT], *, is_new: bool = False, after_rescan: bool = False
    ) -> Page[TranscriptionT] | None:
        """Move on behind a page, and return its new rows; None behind the end of the list."""
        page = self._without_listed(read, is_new=is_new)
        self._count(read.page, page)
        number, end = page.number, self._numbers.last_page
        is_beyond_end = number > 1 and read.is_empty and (page.last_page or 0) < number
        self._page_due = self._page_after(read, is_beyond_end=is_beyond_end)
        self._place = self._page_due or number
        self._rescans.record_yielded(read, after_rescan=after_rescan)
        if self._listed.is_full:
            self._listed.forget_oldest(self.position)
        if self._page_due is None and end is not None and not page.is_last and page.last_page:
            # The end came closer during a rescan, and the rows behind this page have shifted
            # in front of it.
            self._rescans.start_at_end(number)
        return None if is_beyond_end else page

    def _page_after(self, read: Read[TranscriptionT], *, is_beyond_end: bool) -> int | None:
        """Return the page that follows according to the newest response, None at the end."""
        number, end = read.page.number, self._numbers.last_page
        if end is None:
            return None if read.is_empty else number + 1
        if is_beyond_end and number <= end:
            return number  # the list has grown during the rescan
        return None if number >= end else number + 1

    def _without_listed(
        self, read: Read[TranscriptionT], *, is_new: bool = False
    ) -> Page[TranscriptionT]:
        """Return a page without the rows that were listed before, and remember its ids."""
        page = read.page
        known = self._listed.add(read.ids, are_new=is_new)
        if known is None:
            return page
        new: dict[str, TranscriptionT] = {}
        for row in page.items:
            if row.id not in known:
                new.setdefault(row.id, row)
        invalid = tuple(row for row in page.invalid_rows if row.row_id not in known)
        return evolve(page, items=tuple(new.values()), invalid_rows=invalid)

    def _count(self, filtered: Page[TranscriptionT], released: Page[TranscriptionT]) -> None:
        stats = self.stats
        if filtered.foreign_rows_dropped and not stats.foreign_rows_dropped:
            warn_of_foreign_rows(filtered, self._options.wanted)
        stats.duplicates_dropped += len(filtered.items) - len(released.items)
        stats.foreign_rows_dropped += filtered.foreign_rows_dropped
        stats.unverified_rows += filtered.unverified_rows
        stats.invalid_rows += len(released.invalid_rows)
