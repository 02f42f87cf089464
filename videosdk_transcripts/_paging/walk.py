"""
Which page to ask for next, which rows to hand out and when to stop. No I/O.

P1, complete: `Walk.accept` takes a page whole or raises and changes nothing, so that the
next step asks for the same page again.

When the evidence says that rows moved between two answers, the page in hand is held
back and the pages before it are read again, backwards, until one begins with a row
that was listed before: rows that slid to the front stand right before the page in hand.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Generic

from attrs import evolve

from videosdk_transcripts._api.filter import (
    Filter,
    TranscriptionT,
    Unverified,
    apply_filter,
    warn_of_foreign_rows,
)
from videosdk_transcripts.errors import PaginationError
from videosdk_transcripts.models import Page, WalkStats

from .checkpoint import Position
from .guards import Guards, numbers_differ, size_in_use
from .history import ListedIds, ids_of
from .rescan import Read, Rescan


class Walk(Generic[TranscriptionT]):
    """
    One walk over the pages of a list.

    Args:
        wanted: whose rows are handed out.
        on_unverified: what becomes of a row that does not say whose it is.
        page_size: rows to ask for on a page; the server's own word replaces it.
        max_empty_pages: how many pages in a row may bring nothing new.
        stats: the counters to count in.
        start: where to begin, for a walk that is taken up again.
        recent: the ids that were handed out last, for the same.
        complete_from_page: the page from which on these are all, for the same.
    """

    def __init__(
        self,
        wanted: Filter,
        *,
        on_unverified: Unverified,
        page_size: int,
        max_empty_pages: int,
        stats: WalkStats,
        start: Position | None = None,
        recent: Iterable[str] = (),
        complete_from_page: int = 1,
    ) -> None:
        self.stats = stats
        self.next_page: int | None = start.page if start else 1
        self._resumed_at = start.page if start else None
        start = start or Position(1, page_size)
        self._size = start.page_size
        # The newest numbers, and those of the page released last.
        self._total, self._last_page = start.total, start.last_page
        self._place, self._place_total, self._place_last = start.page, start.total, start.last_page
        self._wanted = wanted
        self._on_unverified: Unverified = on_unverified
        self._guards = Guards(max_empty_pages)
        self._seen = ListedIds(recent, complete_from_page, start)
        self._latest_ids: tuple[str, ...] | None = None
        self._rescan: Rescan[TranscriptionT] | None = None
        self._is_moving = False
        self._is_doubtful = start.moving
        self._may_be_old = False
        # Rows handed out while the list still moved: one may be missing right before them. Where
        # a look back has found it, that counts until it has been handed out as well.
        self._gap_before: AbstractSet[str] = start.gap_before
        self._earlier_gaps: AbstractSet[str] = frozenset()

    @property
    def page_size(self) -> int:
        """Return how many rows to ask for on the next page."""
        return self._size

    @property
    def total(self) -> int | None:
        """Return the newest total that the server named."""
        return self._total

    @property
    def last_page(self) -> int | None:
        """Return the newest last page that the server named."""
        return self._last_page

    @property
    def position(self) -> Position:
        """Return where a checkpoint of the pages released so far points to."""
        numbers = (self._place_total, self._place_last)
        moving = self._is_moving or self._is_doubtful
        gap_before = frozenset(self._gap_before | self._earlier_gaps)
        return Position(self._place, self._size, *numbers, moving, gap_before)

    @property
    def reach(self) -> int:
        """Return the last page that may be read ahead: none while rows are known to move."""
        if self._rescan is not None or self._is_moving:
            return 0
        # What is not known to be there is not asked for.
        return self._last_page or -(-(self._total or 0) // self._size)

    def rows_moved(self) -> None:
        """Take it that rows have moved, and look back from the next page."""
        self._is_moving = self._may_be_old = True
        self._look_twice()

    def rows_may_have_moved(self) -> None:
        """Take it that rows may have moved: an answer was given up that might have told."""
        self._is_doubtful = True
        self._look_twice()

    def finish(self) -> None:
        """End the walk, which has nothing left to say."""

    def accept(
        self, page: Page[TranscriptionT], *, was_ahead: bool = False
    ) -> list[Page[TranscriptionT]]:
        """
        Take the page that was asked for, and return what can be handed out now, in order.

        The list is empty while pages are read again, and where rows moved and the page was
        read ahead: it may be older than the one before it, and is asked for once more.

        Raises:
            PaginationError: following the page information leads nowhere.
            UnverifiedRowError: as `screen` says.
        """
        read = Read(
            ids_of(page),
            apply_filter(page, self._wanted, self._on_unverified),
            len(page.items) + len(page.invalid_rows),
        )
        if self._rescan is not None:
            return self._go_on_back(self._rescan, read)
        is_new = self._seen.ids.isdisjoint(read.ids)
        moved = self._has_moved(page, is_new=is_new)
        looks_back = (moved or self._is_doubtful) and page.number > self._floor
        if looks_back and was_ahead:
            self.rows_moved()
            return []
        size = size_in_use(
            page, self._size, read.count, is_first=page.number == 1 and not self._latest_ids
        )
        brings_new = bool(read.ids) and (is_new or not self._seen.ids.issuperset(read.ids))
        guards = self._guards.passed(page, brings_new=brings_new, last_page=self._last_page)
        # Nothing below raises: from here on the page is taken.
        self._guards = guards
        self._size = size
        self._total, self._last_page = page.total, page.last_page
        if not looks_back:
            self._earlier_gaps = frozenset()
            return self._release((), read, is_new=is_new)
        self._look_back(read, moved=moved)
        return []

    # Rows that move.

    @property
    def _floor(self) -> int:
        """Return the first page to read again; of one further back the ids are not known."""
        return self._seen.floor(self._size, self._total, self._last_page)

    def _has_moved(self, page: Page[TranscriptionT], *, is_new: bool) -> bool:
        if (
            is_new
            and not self._is_moving
            and page.total == self._total == self._place_total
            and page.last_page == self._last_page == self._place_last
        ):
            return False  # as nearly every page is
        # Compared with the page before as well as with what was read again meanwhile: rows
        # that moved while pages were read again have slid past this one, too.
        return (
            self._is_moving
            # A page that is taken up again repeats rows by right.
            or not (is_new or page.number == self._resumed_at)
            or numbers_differ(page, self._place_total, self._place_last)
            or self._differs_from_newest(page)
        )

    def _differs_from_newest(self, page: Page[TranscriptionT]) -> bool:
        return numbers_differ(page, self._total, self._last_page)

    def _page_before(self, number: int) -> int:
        last_page = self.last_page or number
        return max(self._floor, min(number - 1, last_page))

    def _look_back(self, held: Read[TranscriptionT], *, moved: bool) -> None:
        self._rescan = Rescan(held, is_first=not self.stats.drifted)
        self._is_doubtful = False
        self.stats.drifted |= moved
        self.stats.rescans += 1
        self.next_page = self._page_before(held.page.number)

    def _look_back_from_the_end(self, last: int) -> None:
        """Look back as if the page behind the last one had been read and were empty."""
        beyond = Page[TranscriptionT](last + 1, (), total=self._total, last_page=self._last_page)
        self._look_back(Read((), beyond, 0), moved=True)

    def _go_on_back(
        self, rescan: Rescan[TranscriptionT], read: Read[TranscriptionT]
    ) -> list[Page[TranscriptionT]]:
        page = read.page
        has_moved = rescan.has_moved or self._differs_from_newest(page)
        self._total, self._last_page = page.total, page.last_page
        rescan = evolve(rescan, reads=(read, *rescan.reads), has_moved=has_moved)
        if page.number > self._floor and (read.is_empty or self._begins_unseen(read)):
            self._rescan = rescan
            self.stats.drifted = True
            self.next_page = self._page_before(page.number)
            return []
        if has_moved and not rescan.is_second:
            # A row may have slid from a page not yet read again to one that was, or to the
            # one held back. A second look, and no third: a total may differ each time.
            self._rescan = evolve(rescan, has_moved=False, is_second=True)
            self.next_page = self._page_before(rescan.held.page.number + 1)
            return []
        self._rescan = None
        # What moved during the second look is looked for behind the next page.
        self._is_moving = has_moved
        if self._seems_repeated(rescan):
            self._refuse_or_ask_again(rescan)
            return []
        self._note_rows_adrift(rescan)
        released = self._release(rescan.reads, rescan.held)
        if has_moved and self.next_page is None and any(p.items for p in released):
            self._look_back_from_the_end(rescan.held.page.number)
        return released

    def _note_rows_adrift(self, rescan: Rescan[TranscriptionT]) -> None:
        again = {i for read in rescan.reads for i in read.ids}
        held = set(rescan.held.ids) - self._seen.ids
        late = again - self._seen.ids - held
        self._earlier_gaps = self._gap_before
        # Whoever was read again now stands behind all that was missing before it.
        self._gap_before = (self._gap_before & self._seen.ids) - again - set(rescan.held.ids)
        # Without late rows it was the numbers that moved, and not the list.
        if rescan.is_second and late:
            self._gap_before |= held | late

    def _look_twice(self) -> None:
        """Let a look back that is under way not be the last one."""
        if self._rescan is not None:
            self._rescan = evolve(self._rescan, has_moved=True)

    def _begins_unseen(self, read: Read[TranscriptionT]) -> bool:
        # A row of the page held back counts as unseen: what slid past stands before it.
        first = read.ids[0] if read.ids else None
        return first is not None and (first not in self._seen.ids or first in self._gap_before)

    def _seems_repeated(self, rescan: Rescan[TranscriptionT]) -> bool:
        """Tell a list that moved from a server that shows one page under several numbers."""
        held, before = rescan.held, rescan.reads[-1]
        if (
            numbers_differ(held.page, self._place_total, self._place_last)
            or any(numbers_differ(held.page, r.page.total, r.page.last_page) for r in rescan.reads)
            or not held.ids
            or not self._seen.ids.issuperset(held.ids)
        ):
            return False
        # Rows pushed back by a block of new ones come again over several pages, so that a
        # page without new rows proves nothing by itself. These two do: a row that is on two
        # pages at once, and known rows behind a page that stands as it was, in a list that
        # had not moved until then.
        on_both = not set(before.ids).isdisjoint(held.ids)
        stood_still = rescan.is_first and self._resumed_at is None
        return on_both or (stood_still and before.ids == self._latest_ids)

    def _refuse_or_ask_again(self, rescan: Rescan[TranscriptionT]) -> None:
        """Ask for the page held back once more where others were on their way beside it."""
        number = self.next_page = rescan.held.page.number
        self.stats.drifted = not rescan.is_first
        if self._may_be_old:
            self._may_be_old = False
            return
        raise PaginationError(
            f"page {number} repeats rows that were listed before, while page "
            f"{rescan.reads[-1].page.number} stands as it was; the service repeats itself, so "
            "start a new walk, or go on from the checkpoint later",
            page=number,
        )

    # Handing out.

    def _release(
        self,
        again: Iterable[Read[TranscriptionT]],
        read: Read[TranscriptionT],
        *,
        is_new: bool = False,
    ) -> list[Page[TranscriptionT]]:
        released = []
        for one in again:
            late = self._without_seen(one)
            self.stats.invalid_rows += len(late.invalid_rows)
            if late.items or late.invalid_rows:
                self.stats.drifted = True
                released.append(late)
        page = self._without_seen(read, is_new=is_new)
        self._count(read.page, page)
        number, end = page.number, self._last_page
        was_beyond = number > 1 and read.is_empty and (page.last_page or 0) < number
        if not was_beyond:
            released.append(page)
        self._latest_ids = read.ids
        self._may_be_old = False
        self.next_page = self._page_after(read, was_beyond=was_beyond)
        self._place = self.next_page or number
        self._place_total, self._place_last = page.total, page.last_page
        if self._seen.is_full:
            self._seen.forget_old(self.position)
        if self.next_page is None and end is not None and not page.is_last and page.last_page:
            # The end came nearer while pages were read again, and the rows behind this page
            # have slid past it.
            self._look_back_from_the_end(number)
        return released

    def _page_after(self, read: Read[TranscriptionT], *, was_beyond: bool) -> int | None:
        """Return the page that follows by the newest word of the server, None at the end."""
        number, end = read.page.number, self._last_page
        if end is None:
            return None if read.is_empty else number + 1
        if was_beyond and number <= end:
            return number  # it has come into being while pages were read again
        return None if number >= end else number + 1

    def _without_seen(
        self, read: Read[TranscriptionT], *, is_new: bool = False
    ) -> Page[TranscriptionT]:
        page = read.page
        known = self._seen.add(read.ids, are_new=is_new)
        if known is None:
            return page
        new: dict[str, TranscriptionT] = {}
        for row in page.items:
            if row.id not in known:
                new.setdefault(row.id, row)
        invalid = tuple(row for row in page.invalid_rows if row.row_id not in known)
        return evolve(page, items=tuple(new.values()), invalid_rows=invalid)

    def _count(self, screened: Page[TranscriptionT], released: Page[TranscriptionT]) -> None:
        stats = self.stats
        if screened.foreign_rows_dropped and not stats.foreign_rows_dropped:
            warn_of_foreign_rows(screened, self._wanted)
        stats.duplicates_dropped += len(screened.items) - len(released.items)
        stats.foreign_rows_dropped += screened.foreign_rows_dropped
        stats.unverified_rows += screened.unverified_rows
        stats.invalid_rows += len(released.invalid_rows)
