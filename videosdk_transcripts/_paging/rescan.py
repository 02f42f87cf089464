"""
P1: rows that moved between two responses. No I/O.

Page numbers are not a snapshot. When a row is removed from a page that was already read, all
later rows shift forward, and the first row of the next page ends up on a page that is already
behind. So a page that shows evidence of movement is not yielded: it is *held* while the pages
before it are read again, backwards. The rows that had shifted past the walk are then yielded
first, in the order of the list.

Evidence of movement: the total or the last page changed, or an id was listed before. It is
compared with the newest response as well as with the last page that was yielded, because rows
that moved during a rescan have shifted past the held page, too.

A rescan goes back to the first page that starts with a row that was listed before, and one page
further: a total can lag by one response, and then the page before the held one has skipped a
row as well. It goes no further than the *floor*, the first page whose listed rows are all
remembered (`ListedIds.first_complete_page`).

======= ============================================== ======= ================================
state   what arrives                                   next    yielded
======= ============================================== ======= ================================
forward a page without evidence                        forward the page
forward a page with evidence that was prefetched       forward nothing; it may be older than
                                                               the page before, so it is
                                                               requested again
forward a page with evidence, or any page after        back    nothing; the page is held
        `rows_may_have_moved`
back    an empty page, or one that starts with a new   back    nothing; one page back
        row, or the first one that does not
back    another page, or the one at the floor          forward what was read again, then the
                                                               held page
back    the same, and the held page repeats the rows   forward nothing; an error, or the held
        of a page that did not change                          page is requested again
forward the end, and the numbers changed during the    back    nothing; an empty page behind
        last rescan                                            the last one is held
======= ============================================== ======= ================================

Replicas that differ show evidence with each response. So after three rescans in a row without a
new row, the held pages included, a page without one is not held. That is safe: rows between
rows that are known are known as well.
"""

from __future__ import annotations

from typing import Any, Final, Generic

from attrs import define, evolve, frozen

from videosdk_transcripts._api.filter import TranscriptionT
from videosdk_transcripts.errors import PaginationError
from videosdk_transcripts.models import Page, WalkStats

from .checkpoint import Position
from .history import ListedIds

_MAX_FRUITLESS: Final = 3
"""Rescans in a row without a new row, after which a page without one is not held."""


def numbers_differ(page: Page[Any], total: int | None, last_page: int | None) -> bool:
    """Return whether a page reports another total or last page. A missing number never differs."""
    if page.total == total and page.last_page == last_page:
        return False
    pairs = ((page.total, total), (page.last_page, last_page))
    return any(None not in pair and pair[0] != pair[1] for pair in pairs)


# Both classes below are neither compared nor shown, and without these methods attrs creates
# the class in a fraction of the time.


@define(eq=False, repr=False)
class Read(Generic[TranscriptionT]):
    """A page as it was read: all its ids, its rows after the filter, how many the server sent."""

    ids: tuple[str, ...]
    page: Page[TranscriptionT]
    count: int

    @property
    def is_empty(self) -> bool:
        """Return whether the server sent no row."""
        return self.count == 0


@frozen(eq=False, repr=False)
class Rescan(Generic[TranscriptionT]):
    """A held page, and the pages before it that were read again, in the order of the list."""

    held: Read[TranscriptionT]
    next_page: int
    """The page to read again next."""
    is_first_movement: bool
    """Whether nothing had moved in this walk before."""
    reads: tuple[Read[TranscriptionT], ...] = ()
    starts_known: bool = False
    """Whether the page read last starts with a known row, so that one page more is enough."""


@define(eq=False, repr=False)
class Numbers:
    """What the service reports about the list: the newest numbers, and those last yielded."""

    page_size: int
    """Rows on a page, as the page numbers in use count them."""
    total: int | None
    last_page: int | None
    yielded_total: int | None
    """The total that came with the newest page that was yielded."""
    yielded_last_page: int | None
    highest_total: int = 0
    """The highest total of all responses."""

    def update(self, page: Page[Any]) -> None:
        """Keep the numbers of the newest response."""
        self.update_total(page)
        self.last_page = page.last_page

    def update_total(self, page: Page[Any]) -> None:
        """Keep the total of the newest response, whose page size is another one."""
        self.total = page.total
        if page.total is not None and page.total > self.highest_total:
            self.highest_total = page.total

    def use_page_size(self, size: int) -> None:
        """Use another page size from here on, to which the last page does not refer."""
        self.page_size = size
        self.last_page = self.yielded_last_page = None

    def differ_from(self, page: Page[Any]) -> bool:
        """Return whether a page reports other numbers than the newest response before it."""
        return numbers_differ(page, self.total, self.last_page)

    def yielded_differ_from(self, page: Page[Any]) -> bool:
        """Return whether a page reports other numbers than the page yielded last."""
        return numbers_differ(page, self.yielded_total, self.yielded_last_page)

    def changed_since_yielded(self) -> bool:
        """Return whether the newest numbers differ from those of the page yielded last."""
        pairs = ((self.total, self.yielded_total), (self.last_page, self.yielded_last_page))
        return any(None not in pair and pair[0] != pair[1] for pair in pairs)


class Rescans(Generic[TranscriptionT]):
    """
    Decide when pages are read again, which ones, and when that is over.

    Args:
        listed: the ids that were listed so far.
        numbers: the numbers of the list, shared with the walk.
        stats: the counters of the walk.
        resumed: the position in the checkpoint, for a walk that was resumed.
    """

    def __init__(
        self, listed: ListedIds, numbers: Numbers, stats: WalkStats, resumed: Position | None
    ) -> None:
        self.running: Rescan[TranscriptionT] | None = None
        self.moving = False
        """Whether rows are known to have moved since the last page that was yielded."""
        self.repeats_page = resumed.page if resumed else None
        """A page that repeats rows as a matter of course, so that they are no evidence."""
        self._listed = listed
        self._numbers = numbers
        self._stats = stats
        self._is_resumed = resumed is not None
        self._may_be_moving = resumed is not None and resumed.moving
        # Whether pages were in flight together, so that a page may be older than its predecessor.
        self._may_be_stale = False
        self._yielded_ids: tuple[str, ...] | None = None
        # Rescans in a row that found no row.
        self._fruitless = 0

    @property
    def may_be_moving(self) -> bool:
        """Return whether rows moved, or may have moved, and were not searched for yet."""
        return self.moving or self._may_be_moving

    # Evidence.

    def note_rows_moved(self) -> None:
        """Start a rescan at the next page, since rows have moved."""
        self.moving = self._may_be_stale = True

    def note_rows_may_have_moved(self) -> None:
        """Start a rescan at the next page: a dropped response might have shown movement."""
        self._may_be_moving = True

    def has_evidence(self, page: Page[TranscriptionT], *, is_new: bool) -> bool:
        """
        Return whether rows have moved before a page was read.

        Args:
            page: the page as received.
            is_new: whether none of its ids was listed before.
        """
        numbers = self._numbers
        if (
            is_new
            and not self.moving
            and page.total == numbers.total == numbers.yielded_total
            and page.last_page == numbers.last_page == numbers.yielded_last_page
        ):
            return False  # the case of nearly every page
        return (
            self.moving
            or not (is_new or page.number == self.repeats_page)
            or numbers.yielded_differ_from(page)
            or numbers.differ_from(page)
        )

    def is_due(self, number: int, *, moved: bool, brings_new: bool) -> bool:
        """
        Return whether a page must be held and the pages before it read again.

        Args:
            number: the page.
            moved: whether there is evidence that rows moved.
            brings_new: whether it has a row that was not listed before.
        """
        return (
            (moved or self._may_be_moving)
            and number > self._floor
            and (brings_new or self._fruitless < _MAX_FRUITLESS)
        )

    # A rescan.

    def start(self, held: Read[TranscriptionT], *, moved: bool) -> None:
        """Hold a page and read the pages before it again."""
        self.running = Rescan(
            held, self._page_before(held.page.number), is_first_movement=not self._stats.drifted
        )
        self.moving = self._may_be_moving = False
        self._stats.drifted |= moved
        self._stats.rescans += 1

    def start_at_end(self, last: int) -> None:
        """Start a rescan as if the page behind the last one had been read and were empty."""
        numbers = self._numbers
        beyond = Page[TranscriptionT](
            last + 1, (), total=numbers.total, last_page=numbers.last_page
        )
        self.start(Read((), beyond, 0), moved=True)

    def accept(
        self, rescan: Rescan[TranscriptionT], read: Read[TranscriptionT]
    ) -> Rescan[TranscriptionT] | None:
        """
        Accept a page that was read again, and return the rescan once it is complete.

        Raises:
            PaginationError: the held page repeats the rows of a page that did not change.
        """
        page = read.page
        self._numbers.update(page)
        rescan = evolve(rescan, reads=(read, *rescan.reads))
        starts_known = bool(read.ids) and read.ids[0] in self._listed.ids
        if page.number > self._floor and not (starts_known and rescan.starts_known):
            self._stats.drifted |= not starts_known
            self.running = evolve(
                rescan, next_page=self._page_before(page.number), starts_known=starts_known
            )
            return None
        self.running = None
        if self._is_repeated(rescan):
            self._reject_repeated(rescan)
            return None
        return rescan

    def record_page(self, *, brings_new: bool, after_rescan: bool = False) -> None:
        """Count rescans in a row without a new row."""
        if brings_new:
            self._fruitless = 0
        elif after_rescan:
            self._fruitless += 1

    def record_yielded(self, read: Read[TranscriptionT]) -> None:
        """Remember the newest page that is yielded."""
        page, numbers = read.page, self._numbers
        self._yielded_ids = read.ids
        self._may_be_stale = False
        numbers.yielded_total, numbers.yielded_last_page = page.total, page.last_page

    @property
    def _floor(self) -> int:
        """Return the first page worth reading again: the ids of earlier ones are forgotten."""
        numbers = self._numbers
        return self._listed.first_complete_page(numbers.page_size, numbers.total, numbers.last_page)

    def _page_before(self, number: int) -> int:
        last_page = self._numbers.last_page or number
        return max(self._floor, min(number - 1, last_page))

    def _is_repeated(self, rescan: Rescan[TranscriptionT]) -> bool:
        """Distinguish a list that moved from a server that sends one page for several numbers."""
        held, before = rescan.held, rescan.reads[-1]
        if (
            self._numbers.yielded_differ_from(held.page)
            or any(numbers_differ(held.page, r.page.total, r.page.last_page) for r in rescan.reads)
            or not held.ids
            or not self._listed.ids.issuperset(held.ids)
        ):
            return False
        # A block of new rows pushes others back over several pages, so a page without new rows
        # proves nothing. One of these does: a row that is on two pages at once; or known rows
        # behind a page that did not change, in a list that had not moved before.
        on_both = not set(before.ids).isdisjoint(held.ids)
        is_static = rescan.is_first_movement and not self._is_resumed
        return on_both or (is_static and before.ids == self._yielded_ids)

    def _reject_repeated(self, rescan: Rescan[TranscriptionT]) -> None:
        """Raise, or let the held page be requested again if others were in flight with it."""
        self._stats.drifted = not rescan.is_first_movement
        if self._may_be_stale:
            self._may_be_stale = False
            return
        number = rescan.held.page.number
        raise PaginationError(
            f"page {number} repeats rows that were listed before, while page "
            f"{rescan.reads[-1].page.number} did not change; the service repeats rows, so "
            "start a new walk, or resume from the checkpoint later",
            page=number,
        )
