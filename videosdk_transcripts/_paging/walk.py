"""
P1: walk over the pages of a list: choose the next page, the rows to yield, and the end.

No I/O. `Walk.accept` accepts a whole page, or raises an error and changes nothing, so that the
next step requests the same page again. A walk has three states: it goes forward, it goes back
after rows moved (`rescan`), or it searches for rows that are missing according to the total
(`repair`).
"""

from __future__ import annotations

import logging
from typing import Final, Generic

from attrs import define, evolve

from videosdk_transcripts._api.filter import TranscriptionT, apply_filter, warn_of_foreign_rows
from videosdk_transcripts._api.pages import size_served
from videosdk_transcripts.models import Page, WalkStats

from .checkpoint import Checkpoint, Position
from .guards import Guards, size_in_use
from .history import ListedIds, ids_of
from .options import DOCUMENTED_PAGE_SIZE, WalkOptions
from .repair import Repair, WrongTotals
from .rescan import Numbers, Read, Rescan, Rescans

logger = logging.getLogger("videosdk_transcripts")

_PAUSE: Final = 0.5
"""Seconds to wait before an empty page is requested again."""
_MAX_VAIN_RETRIES: Final = 2
"""How often a page may still be empty when requested again; a page that is not allows more."""


@define(eq=False, repr=False)
class Released(Generic[TranscriptionT]):
    """A page to yield, and the data for a checkpoint before it."""

    page: Page[TranscriptionT]
    met: int
    """How many rows were seen before it, or, if it is repaired, how many a checkpoint counts."""
    is_repaired: bool = False
    """Whether a repair or a later pass found it, so that a walk can't be resumed at its number."""
    ids: tuple[str, ...] = ()
    """The ids of all rows that the service listed on it; empty if it is repaired."""


class Walk(Generic[TranscriptionT]):
    """
    Walk over the pages of a list, as a state machine.

    Args:
        options: the arguments of the walk.
        stats: the counters to update.
        checkpoint: where to resume; None to start at the first page.
        wrong_totals: the lists not to repair; None to repair no list.
    """

    def __init__(
        self,
        options: WalkOptions,
        stats: WalkStats,
        checkpoint: Checkpoint | None = None,
        wrong_totals: WrongTotals | None = None,
    ) -> None:
        self.stats = stats
        self.pause = 0.0
        """Seconds to wait before the next request."""
        self._options = options
        self._wrong_totals = wrong_totals
        resumed = checkpoint.position if checkpoint else None
        start = resumed or Position(1, options.first_page_size)
        # The page after the last yielded one; None at the end.
        self._page_due: int | None = start.page
        self._place = start.page
        self._met_before_place = start.met
        self._listed_at_place = start.page_ids
        self._numbers = Numbers(
            start.page_size, start.total, start.last_page, start.total, start.last_page
        )
        self._guards = Guards(options.max_empty_pages)
        self._listed = ListedIds(start, checkpoint)
        self._rescans: Rescans[TranscriptionT] = Rescans(
            self._listed, self._numbers, stats, resumed
        )
        self._repair: Repair | None = None
        # They show whether rows moved while the walk was stopped.
        self._ids_before_stop = frozenset(start.page_ids)
        # How many rows were found by a repair and released.
        self._repaired = 0
        # The largest number of rows on the first page; 0 if the walk started at a later one.
        self._served = 0
        # The previous page size, while the next page has to confirm a smaller one.
        self._size_before: int | None = None
        # The empty page that is requested again, and how many consecutive ones were still empty.
        self._retried: int | None = None
        self._vain_retries = 0

    @property
    def next_page(self) -> int | None:
        """Return the page to request next; None at the end."""
        if self._rescans.running is not None:
            return self._rescans.running.next_page
        return self._page_due if self._repair is None else self._repair.next_page

    @property
    def page_size(self) -> int:
        """Return how many rows to request on the next page."""
        return self._numbers.page_size if self._repair is None else self._repair.page_size

    @property
    def total(self) -> int | None:
        """Return the total of the newest response."""
        return self._numbers.total

    @property
    def last_page(self) -> int | None:
        """Return the last page of the newest response."""
        return self._numbers.last_page

    @property
    def met(self) -> int:
        """Return how many distinct rows were seen, including foreign ones."""
        return self._listed.met

    @property
    def position(self) -> Position:
        """Return the position for a checkpoint after all yielded pages."""
        numbers = self._numbers
        return Position(
            self._place,
            numbers.page_size,
            numbers.yielded_total,
            numbers.yielded_last_page,
            self._met_before_place + self._repaired,
            self._rescans.may_be_moving,
            self._listed_at_place,
        )

    @property
    def readahead_limit(self) -> int:
        """Return the last page that may be prefetched; 0 while rows are known to move."""
        if self._rescans.running is not None or self._rescans.moving or self._repair is not None:
            return 0
        # Only pages that are known to exist are prefetched.
        numbers = self._numbers
        return numbers.last_page or -(-(numbers.total or 0) // numbers.page_size)

    def reduce_page_size(self) -> bool:
        """
        Choose smaller pages after the first one was refused, and return whether that is possible.

        Only with ``page_size="auto"``, only once, and only before any page was read, because
        page numbers depend on the size.
        """
        numbers = self._numbers
        is_auto = self._options.page_size == "auto"
        if not is_auto or self._page_due != 1 or numbers.page_size <= DOCUMENTED_PAGE_SIZE:
            return False
        logger.info(
            "The service rejected a page of %d rows; requesting pages of %d.",
            numbers.page_size,
            DOCUMENTED_PAGE_SIZE,
        )
        numbers.use_page_size(DOCUMENTED_PAGE_SIZE)
        return True

    def rows_moved(self) -> None:
        """Record that rows have moved, so that the next page starts a rescan."""
        self._rescans.note_rows_moved()

    def rows_may_have_moved(self) -> None:
        """Record that rows may have moved: a dropped response might have shown it."""
        self._rescans.note_rows_may_have_moved()

    def finish(self) -> None:
        """End the walk: compare its rows with the total, and warn about missing ones."""
        total, wrong_totals = self._numbers.total, self._wrong_totals
        if total is None or wrong_totals is None:
            return
        wanted = self._options.wanted
        self.stats.shortfall = max(0, total - self.met)
        if not self.stats.shortfall or wanted in wrong_totals:
            return
        if self._repair is not None and not self._repair.found:
            wrong_totals.add(wanted)
        logger.warning(
            "Rows are missing: the service reports a total of %d for %s, and this walk found %d. "
            "Walk again later, or verify the list. If the difference is always the same, the "
            "total is wrong and no rows are missing.",
            total,
            wanted,
            self.met,
        )

    def accept(
        self, page: Page[TranscriptionT], *, was_prefetched: bool
    ) -> list[Released[TranscriptionT]]:
        """
        Accept the requested page, and return the pages that can be yielded now, in order.

        The list is empty during a rescan, when a prefetched page shows that rows moved (such a
        page may be older than the one before it, and is requested again), and when an empty
        page is requested again.

        Raises:
            PaginationError: the page information contradicts itself or does not advance.
            UnverifiedRowError: as `apply_filter` documents.
        """
        options, rescan = self._options, self._rescans.running
        read = Read(
            ids_of(page),
            apply_filter(page, options.wanted, options.on_unverified),
            len(page.items) + len(page.invalid_rows),
        )
        if (not read.count or self._retried is not None) and self._is_retried(read):
            return []
        if page.number == 1:
            self._served = max(self._served, read.count)
        if rescan is not None:
            return self._continue_rescan(rescan, read)
        if self._repair is not None:
            return self._continue_repair(self._repair, read)
        return self._go_forward(page, read, was_prefetched=was_prefetched)

    def _go_forward(
        self, page: Page[TranscriptionT], read: Read[TranscriptionT], *, was_prefetched: bool
    ) -> list[Released[TranscriptionT]]:
        numbers, rescans = self._numbers, self._rescans
        is_new = self._listed.ids.isdisjoint(read.ids)
        is_place = bool(self._ids_before_stop) and page.number == self._place
        if is_place and self._is_elsewhere(page, read):
            return []
        moved = rescans.has_evidence(page, is_new=is_new)
        brings_new = bool(read.ids) and (is_new or not self._listed.ids.issuperset(read.ids))
        is_held = rescans.is_due(page.number, moved=moved, brings_new=brings_new)
        if is_held and was_prefetched:
            rescans.note_rows_moved()
            return []
        if self._size_before is not None and not self._confirms_page_size(read, self._size_before):
            return []
        reported = size_in_use(page, numbers.page_size, read.count, is_first=page.number == 1)
        guards = self._guards.after(
            page,
            brings_new=brings_new or is_place,
            last_page=numbers.last_page,
        )
        # The page is accepted: nothing below raises an error.
        self._guards = guards
        numbers.page_size = reported
        numbers.update(page)
        if is_held:
            rescans.start(read, moved=moved)
            return []
        rescans.record_page(brings_new=brings_new)
        released = self._release(read)
        if page.number == 1:
            self._adapt_page_size(read)
        if self._page_due is None:
            self._end(page.number)
        return released

    def _is_elsewhere(self, page: Page[TranscriptionT], read: Read[TranscriptionT]) -> bool:
        """Return whether rows may have been pushed to later pages while the walk was stopped."""
        if not self._ids_before_stop.isdisjoint(read.ids):
            return False
        # All rows that were before the place on this page have moved, or were removed.
        self._rescans.note_rows_moved()
        pushed = 0 if self._listed.is_complete else self._rescans.pages_pushed_since_stop(page)
        # Rows that are neither on that page nor before it are found from there, backwards.
        self._page_due = page.number + pushed
        return pushed > 0

    def _is_retried(self, read: Read[TranscriptionT]) -> bool:
        """Return whether to request an empty page again, because it should have rows."""
        page, retried = read.page, self._retried
        self._retried, self.pause = None, 0.0
        if read.count:
            self._vain_retries = 0
            return False
        if page.number == retried:
            self._vain_retries += 1
            return False
        if page.total is not None:
            has_rows = page.total > (page.number - 1) * self.page_size
        else:
            has_rows = page.last_page is not None and not page.is_last
        if has_rows and self._vain_retries < _MAX_VAIN_RETRIES:
            self._retried, self.pause = page.number, _PAUSE
            return True
        return False

    def _continue_rescan(
        self, rescan: Rescan[TranscriptionT], read: Read[TranscriptionT]
    ) -> list[Released[TranscriptionT]]:
        complete = self._rescans.accept(rescan, read)
        if complete is None:
            return []
        released = [found for one in complete.reads if (found := self._release_found(one))]
        released += self._release(complete.held)
        self._rescans.record_page(
            brings_new=any(one.page.items or one.page.invalid_rows for one in released),
            after_rescan=True,
        )
        if self._page_due is None:
            self._end(complete.held.page.number)
        return released

    def _release_found(self, read: Read[TranscriptionT]) -> Released[TranscriptionT] | None:
        """Return the new rows of a page that was read again; None if there are none."""
        met = self.met
        page = self._without_listed(read)
        self.stats.invalid_rows += len(page.invalid_rows)
        if not page.items and not page.invalid_rows:
            return None
        self.stats.drifted = True
        return Released(page, met, ids=read.ids)

    def _release(self, read: Read[TranscriptionT]) -> list[Released[TranscriptionT]]:
        """Move on to the next page, and return the new rows of this one, unless it is the end."""
        listed = self._listed
        met = listed.met
        page = self._without_listed(read)
        if read.count != len(read.ids):
            listed.count_without_id(read.count - len(read.ids))
        self._count(read.page, page)
        number = page.number
        is_beyond_end = not read.count and number > 1 and (page.last_page or 0) < number
        self._page_due = self._page_after(read, is_beyond_end=is_beyond_end)
        if read.count:
            # A walk that is resumed reads this page again, and counts the rows that were not
            # yielded then. So only those that were yielded are counted here.
            self._place, self._met_before_place = number, met + len(page.items)
            self._listed_at_place = read.ids
        self._rescans.record_yielded(read)
        if listed.is_full:
            listed.forget_oldest(evolve(self.position, page=number + 1))
        return [] if is_beyond_end else [Released(page, met, ids=read.ids)]

    def _adapt_page_size(self, read: Read[TranscriptionT]) -> None:
        """Continue with the page size that the service uses, according to the first page."""
        numbers = self._numbers
        served = size_served(read.page, numbers.page_size, read.count)
        if served != numbers.page_size:
            self._size_before = numbers.page_size
            numbers.use_page_size(served)
            # If the service only fills its pages partly, page 2 starts with known rows.
            self._page_due = self._rescans.repeats_page = 2

    def _confirms_page_size(self, read: Read[TranscriptionT], size_before: int) -> bool:
        """Return whether page 2 confirms the smaller page size, and undo the change otherwise."""
        page, self._size_before = read.page, None
        is_full = read.count >= self._numbers.page_size
        if is_full or page.is_last or (not read.count and page.last_page is None):
            return True
        # Page 2 is short, too: the service has no limit, but fills its pages partly.
        self._numbers.use_page_size(size_before)
        return False

    def _end(self, last: int) -> None:
        """Start a rescan or a repair after the last page, if rows may be missing."""
        numbers, rescans, total = self._numbers, self._rescans, self._numbers.total
        if rescans.is_due_at_end():
            # The list became shorter during a rescan, and rows have shifted forward.
            rescans.start_at_end(last)
        elif (
            total is not None
            and self.met < numbers.highest_total
            and self._listed.is_complete
            and self._wrong_totals is not None
            and self._options.wanted not in self._wrong_totals
        ):
            self._repair = Repair.begin(last, numbers.page_size, self._served, total)

    def _continue_repair(
        self, repair: Repair, read: Read[TranscriptionT]
    ) -> list[Released[TranscriptionT]]:
        numbers, met, position = self._numbers, self.met, self.position
        page = self._without_listed(read)
        numbers.update_total(page)
        repair.advance(
            found=self.met - met,
            is_complete=self.met >= numbers.highest_total,
            # The last page may be wrong, for example if the service divides by the requested size.
            is_end=not read.count and (page.last_page or 0) <= page.number,
        )
        self._count(read.page, page)
        self.stats.repaired += len(page.items)
        # Other rows are found again by a walk that is resumed.
        self._repaired += len(page.items)
        if not page.items and not page.invalid_rows:
            return []
        return [Released(page, position.met, is_repaired=True)]

    def _page_after(self, read: Read[TranscriptionT], *, is_beyond_end: bool) -> int | None:
        """Return the next page according to the newest response; None at the end."""
        number, end = read.page.number, self._numbers.last_page
        if end is None:
            return number + 1 if read.count else None
        if is_beyond_end and number <= end:
            return number  # the list grew during the rescan
        return None if number >= end else number + 1

    def _without_listed(self, read: Read[TranscriptionT]) -> Page[TranscriptionT]:
        """Return a page without the rows that were listed before, and remember its ids."""
        page = read.page
        known = self._listed.add(read.ids)
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
        if filtered is released and not (
            filtered.foreign_rows_dropped or filtered.unverified_rows or filtered.invalid_rows
        ):
            return  # almost every page
        if filtered.foreign_rows_dropped and not stats.foreign_rows_dropped:
            warn_of_foreign_rows(filtered, self._options.wanted)
        if self._repair is None:
            # A repair reads rows that were counted before.
            stats.duplicates_dropped += len(filtered.items) - len(released.items)
            stats.foreign_rows_dropped += filtered.foreign_rows_dropped
            stats.unverified_rows += filtered.unverified_rows
        stats.invalid_rows += len(released.invalid_rows)
