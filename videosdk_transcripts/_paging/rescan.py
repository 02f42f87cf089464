"""
P1: rows that moved between two responses. No I/O.

Page numbers are not a snapshot. When a row is removed from a page that was already read, all
later rows shift forward, and the first row of the next page ends up on a page that is already
behind. So a page that shows evidence of movement is not yielded: it is *held* while the pages
before it are read again, backwards, until one starts with a row that was listed before. The
rows that had shifted past the walk are then yielded first, in the order of the list.

Evidence of movement: the total or the last page changed, or an id was listed before. It is
compared with the newest response as well as with the last page that was yielded, because rows
that moved during a rescan have shifted past the held page, too.

The states, with what arrives in each. The *floor* is the first page whose listed rows are all
remembered (`ListedIds.first_complete_page`); no page before it is read again.

======== ============================================= ======== ==============================
state    what arrives                                  next     yielded
======== ============================================= ======== ==============================
forward  a page without evidence                       forward  the page
forward  a page with evidence that was prefetched      forward  nothing; it may be older than
                                                                the page before, so it is
                                                                requested again
forward  a page with evidence, or any page after       first    nothing; the page is held
         `rows_may_have_moved`
first    an empty page, or one that starts with a new  first    nothing; one page back
         row, above the floor
first    another page; nothing moved during the pass   forward  what was read again, then the
                                                                held page
first    another page; rows moved during the pass      second   nothing; the next page is the
                                                                held one, read again as well
second   an empty page, or one that starts with a new  second   nothing; one page back
         row, above the floor
second   another page                                  forward  what was read again, then the
                                                                held page; if rows moved
                                                                during this pass, too, the
                                                                next page starts a rescan
any pass the pass is over, and the held page repeats   forward  nothing; an error, or the held
         the rows of a page that did not change                 page is requested again
forward  the end, and it came closer during a rescan;  first    nothing; an empty page behind
         or rows still move and new ones were found             the last one is held
======== ============================================= ======== ==============================

There is no third pass: a service can report another total with each response.

Checked against P1: a row is skipped only if it shifted past the walk, which is evidence on the
next page (forward, third line) or at the end (last line); a pass ends only at a row that was
listed before, in front of which nothing is new; rows that move during a pass cause the second
one, and during that one, the rescan of the next page.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any, Generic

from attrs import define, evolve, frozen

from videosdk_transcripts._api.filter import TranscriptionT
from videosdk_transcripts.errors import PaginationError
from videosdk_transcripts.models import Page, WalkStats

from .checkpoint import Position
from .history import ListedIds


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
    rows_moved: bool = False
    """Whether rows moved during this pass."""
    is_second_pass: bool = False


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

    def update(self, page: Page[Any]) -> None:
        """Keep the numbers of the newest response."""
        self.total, self.last_page = page.total, page.last_page

    def differ_from(self, page: Page[Any]) -> bool:
        """Return whether a page reports other numbers than the newest response before it."""
        return numbers_differ(page, self.total, self.last_page)

    def yielded_differ_from(self, page: Page[Any]) -> bool:
        """Return whether a page reports other numbers than the page yielded last."""
        return numbers_differ(page, self.yielded_total, self.yielded_last_page)


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
        self._listed = listed
        self._numbers = numbers
        self._stats = stats
        self._resumed_at = resumed.page if resumed else None
        self._may_be_moving = resumed is not None and resumed.moving
        # Whether pages were in flight together, so that a page may be older than its predecessor.
        self._may_be_stale = False
        self._yielded_ids: tuple[str, ...] | None = None
        # Rows yielded while the list was still moving: a row may be missing right before each.
        # Those from before the newest rescan count until what it found has been yielded as well.
        self._gap_before: AbstractSet[str] = resumed.gap_before if resumed else frozenset()
        self._earlier_gaps: AbstractSet[str] = frozenset()

    # What a checkpoint needs.

    @property
    def may_be_moving(self) -> bool:
        """Return whether rows moved, or may have moved, and were not searched for yet."""
        return self.moving or self._may_be_moving

    @property
    def gap_before(self) -> frozenset[str]:
        """Return the yielded rows before which one may be missing."""
        return frozenset(self._gap_before | self._earlier_gaps)

    # Evidence.

    def note_rows_moved(self) -> None:
        """Start a rescan at the next page, since rows have moved."""
        self.moving = self._may_be_stale = True
        self._mark_pass_as_moved()

    def note_rows_may_have_moved(self) -> None:
        """Start a rescan at the next page: a dropped response might have shown movement."""
        self._may_be_moving = True
        self._mark_pass_as_moved()

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
            # The first page of a resumed walk repeats rows as a matter of course.
            or not (is_new or page.number == self._resumed_at)
            or numbers.yielded_differ_from(page)
            or numbers.differ_from(page)
        )

    def is_due(self, number: int, *, moved: bool) -> bool:
        """Return whether a page must be held and the pages before it read again."""
        return (moved or self._may_be_moving) and number > self._floor

    # A rescan.

    def start(self, held: Read[TranscriptionT], *, moved: bool) -> None:
        """Hold a page and read the pages before it again."""
        self.running = Rescan(
            held, self._page_before(held.page.number), is_first_movement=not self._stats.drifted
        )
        self._may_be_moving = False
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
        rows_moved = rescan.rows_moved or self._numbers.differ_from(page)
        self._numbers.update(page)
        rescan = evolve(rescan, reads=(read, *rescan.reads), rows_moved=rows_moved)
        if page.number > self._floor and (read.is_empty or self._starts_with_new_row(read)):
            self._stats.drifted = True
            self.running = evolve(rescan, next_page=self._page_before(page.number))
            return None
        if rows_moved and not rescan.is_second_pass:
            # A row may have shifted to a page that was read again already, or past the held
            # page. So the second pass begins with the held page itself.
            self.running = evolve(
                rescan,
                next_page=self._page_before(rescan.held.page.number + 1),
                rows_moved=False,
                is_second_pass=True,
            )
            return None
        self.running = None
        self.moving = rows_moved
        if self._is_repeated(rescan):
            self._reject_repeated(rescan)
            return None
        self._mark_gaps(rescan)
        return rescan

    def record_yielded(self, read: Read[TranscriptionT], *, after_rescan: bool) -> None:
        """Remember the newest page that is yielded."""
        page, numbers = read.page, self._numbers
        self._yielded_ids = read.ids
        self._may_be_stale = False
        numbers.yielded_total, numbers.yielded_last_page = page.total, page.last_page
        if not after_rescan:
            self._earlier_gaps = frozenset()

    @property
    def _floor(self) -> int:
        """Return the first page worth reading again: the ids of earlier ones are forgotten."""
        numbers = self._numbers
        return self._listed.first_complete_page(numbers.page_size, numbers.total, numbers.last_page)

    def _page_before(self, number: int) -> int:
        last_page = self._numbers.last_page or number
        return max(self._floor, min(number - 1, last_page))

    def _mark_pass_as_moved(self) -> None:
        if self.running is not None:
            self.running = evolve(self.running, rows_moved=True)

    def _starts_with_new_row(self, read: Read[TranscriptionT]) -> bool:
        # A row of the held page counts as new: what shifted past the walk is before it.
        first = read.ids[0] if read.ids else None
        return first is not None and (first not in self._listed.ids or first in self._gap_before)

    def _mark_gaps(self, rescan: Rescan[TranscriptionT]) -> None:
        listed, held = self._listed.ids, rescan.held.ids
        reread = {i for read in rescan.reads for i in read.ids}
        new_held = set(held) - listed
        found = reread - listed - new_held
        self._earlier_gaps = self._gap_before
        # The rows that were read again now follow everything that was missing before them.
        self._gap_before = (self._gap_before & listed) - reread - set(held)
        # If nothing was found, it was the numbers that changed, and not the list.
        if rescan.is_second_pass and found:
            self._gap_before |= new_held | found

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
        is_static = rescan.is_first_movement and self._resumed_at is None
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
            f"{rescan.reads[-1].page.number} did not change; the service repeats itself, so "
            "start a new walk, or resume from the checkpoint later",
            page=number,
        )
