"""
P1: find rows that moved between two responses. No I/O.

Pages are not a snapshot. When a row is removed from a page that was already read, all later rows
shift forward, and the first row of the next page ends up on a page that was already read. So a
page that shows evidence of movement is not yielded: it is *held* while the pages before it are
read again, backwards. The rows that had shifted onto these pages are then yielded first, in the
order of the list.

Evidence of movement: the total or the last page changed, or an id was listed before. The numbers
are compared with those of the newest response, and with those of the last page that was yielded,
because rows may also move during a rescan.

A rescan goes back to the first page that starts with a row that was listed before, and one page
further: a total can lag by one response, and then the page before the held one has skipped a row
as well. It goes no further than the *floor*, the first page whose listed rows are all remembered
(`ListedIds.first_complete_page`).

======= ============================================== ======= ================================
state   response                                       next    yielded
======= ============================================== ======= ================================
forward a page without evidence                        forward the page
forward a page with evidence that was prefetched       forward nothing; it may be older than
                                                               the page before, so it is
                                                               requested again
forward a page with evidence, or any page after        back    nothing; the page is held
        `rows_may_have_moved`
back    an empty page, or one that starts with a new   back    nothing; one page back
        row, or the first one that does not
back    a page of a list that has grown since the page  back    nothing; the pages onto which
        after it was read, so that it may skip rows            rows were pushed, then back again
back    another page, or the one at the floor          forward the new rows of the pages read
                                                               again, then the held page
back    the same, and the held page repeats the rows   forward nothing; an error, or the held
        of a page that did not change                          page is requested again
back    the same, and no row read is remembered,        forward nothing; an error
        although older ids are forgotten
forward the end, and the numbers changed during the    back    nothing; an empty page after the
        last rescan                                            last one is held
======= ============================================== ======= ================================

If rows are inserted while pages are read backwards, those between a page and the one after it are
pushed onto pages that were read before. These pages are read again at once, because the list may
have its old numbers again when the rescan ends, and nothing would reveal the missing rows.

Replicas that differ show evidence with each response. So after three consecutive rescans without
a new row, a page without a new row is not held. That is safe, because every row that lies between
known rows is known as well. At the end of the list, where no known row follows, three more rescans
without a new row are allowed. A rescan returns to pages at most once, and only if no
rescan since the last new row was fruitless.

A list that changes during a rescan may have its old numbers again at the end. So the next page
causes another rescan then.

A resumed walk reads the page of its checkpoint again. If none of the rows yielded from it are there
now, they have moved, even if the numbers are the same. If the list has grown, they may have been
pushed to later pages: the walk goes on where they may be now, and a rescan searches backwards from
there.

If older ids are forgotten, a rescan drops the rows before all remembered ones: they were yielded,
or were inserted before such rows. If it finds none of the remembered rows, the walk ends with an
error: the rows that it read may be forgotten ones, or new ones.
"""

from __future__ import annotations

from itertools import chain
from typing import Any, Final, Generic

from attrs import define, evolve, frozen

from videosdk_transcripts._api.filter import TranscriptionT
from videosdk_transcripts.errors import PaginationError
from videosdk_transcripts.models import Page, WalkStats

from .checkpoint import Position
from .history import ListedIds

_MAX_FRUITLESS: Final = 3
"""Consecutive rescans without a new row, after which a page without one is not held."""
_MAX_RETURNS: Final = 1
"""How often a rescan returns to pages onto which rows were pushed."""
_MAX_BEYOND: Final = 3
"""How many pages after the held one it returns to at most, since a total may be wrong."""


def numbers_differ(page: Page[Any], total: int | None, last_page: int | None) -> bool:
    """Return whether a page reports another total or last page; missing numbers don't differ."""
    if page.total == total and page.last_page == last_page:
        return False
    pairs = ((page.total, total), (page.last_page, last_page))
    return any(None not in pair and pair[0] != pair[1] for pair in pairs)


# The two classes below need neither equality nor a repr, and attrs creates them faster without.


@define(eq=False, repr=False)
class Read(Generic[TranscriptionT]):
    """A page that was read: all its ids, the filtered page, and how many rows the server sent."""

    ids: tuple[str, ...]
    page: Page[TranscriptionT]
    count: int

    def without_first(self, rows: int) -> Read[TranscriptionT]:
        """Return the page without its first rows, all of which are known not to be new."""
        dropped, page = set(self.ids[:rows]), self.page
        kept = evolve(page, items=tuple(row for row in page.items if row.id not in dropped))
        return Read(self.ids[rows:], kept, self.count - rows)


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
    """Whether the page read last starts with a known row, so that one more page is enough."""
    returns: int = 0
    """How often it has returned to pages onto which rows were pushed."""


@define(eq=False, repr=False)
class Numbers:
    """The numbers that the service reports: the newest ones, and those of the last yielded page."""

    page_size: int
    """The number of rows per page to which page numbers refer."""
    total: int | None
    last_page: int | None
    yielded_total: int | None
    """The total in the response of the last yielded page."""
    yielded_last_page: int | None
    highest_total: int = 0
    """The highest total of all responses."""

    def update(self, page: Page[Any]) -> None:
        """Record the numbers of the newest response."""
        self.last_page = page.last_page
        self.update_total(page)

    def update_total(self, page: Page[Any]) -> None:
        """Record only the total of the newest response, because its page size differs."""
        self.total = page.total
        if page.total is not None and page.total > self.highest_total:
            self.highest_total = page.total

    def use_page_size(self, size: int) -> None:
        """Use another page size from now on, and forget the last page, which depends on it."""
        self.page_size = size
        self.last_page = self.yielded_last_page = None

    def differ_from(self, page: Page[Any]) -> bool:
        """Return whether a page's numbers differ from those of the newest response before it."""
        return numbers_differ(page, self.total, self.last_page)

    def yielded_differ_from(self, page: Page[Any]) -> bool:
        """Return whether a page's numbers differ from those of the last yielded page."""
        return numbers_differ(page, self.yielded_total, self.yielded_last_page)

    def changed_since_yielded(self) -> bool:
        """Return whether the newest numbers differ from those of the last yielded page."""
        pairs = ((self.total, self.yielded_total), (self.last_page, self.yielded_last_page))
        return any(None not in pair and pair[0] != pair[1] for pair in pairs)


class Rescans(Generic[TranscriptionT]):
    """
    Decide when to read pages again, which ones, and when to stop.

    Args:
        listed: the ids listed so far.
        numbers: the numbers of the list, shared with the walk.
        stats: the counters of the walk.
        resumed: the position in the checkpoint, if the walk was resumed.
    """

    def __init__(
        self, listed: ListedIds, numbers: Numbers, stats: WalkStats, resumed: Position | None
    ) -> None:
        self.running: Rescan[TranscriptionT] | None = None
        self.moving = False
        """Whether rows are known to have moved since the last yielded page."""
        self.repeats_page = resumed.page if resumed else None
        """A page that is expected to repeat rows, so that they are no evidence of movement."""
        self._listed = listed
        self._numbers = numbers
        self._stats = stats
        self._is_resumed = resumed is not None
        self._may_be_moving = resumed is not None and resumed.moving
        # Whether pages were in flight at the same time, so that one may be older than the one
        # before it.
        self._may_be_stale = False
        self._yielded_ids: tuple[str, ...] | None = None
        # Consecutive rescans that found no new row.
        self._fruitless = 0
        # Consecutive rescans at the end of the list that found no new row.
        self._fruitless_at_end = 0

    @property
    def may_be_moving(self) -> bool:
        """Return whether rows moved, or may have moved, and have not been searched for yet."""
        return self.moving or self._may_be_moving

    # Evidence.

    def note_rows_moved(self) -> None:
        """Record that rows have moved, so that the next page starts a rescan."""
        self.moving = self._may_be_stale = True

    def note_rows_may_have_moved(self) -> None:
        """Record that rows may have moved: a dropped response might have shown it."""
        self._may_be_moving = True

    def has_evidence(self, page: Page[TranscriptionT], *, is_new: bool) -> bool:
        """
        Return whether there is evidence that rows moved before a page was read.

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
            return False  # almost every page
        return (
            self.moving
            or not (is_new or page.number == self.repeats_page)
            or numbers.yielded_differ_from(page)
            or numbers.differ_from(page)
        )

    def is_due(self, number: int, *, moved: bool, brings_new: bool) -> bool:
        """
        Return whether to hold a page and to read the pages before it again.

        Args:
            number: the number of the page.
            moved: whether there is evidence that rows moved.
            brings_new: whether it has a row that was not listed before.
        """
        return (
            (moved or self._may_be_moving)
            and number > self._floor
            and (brings_new or self._fruitless < _MAX_FRUITLESS)
        )

    def pages_pushed_since_stop(self, page: Page[TranscriptionT]) -> int:
        """
        Return by how many pages rows may have been pushed since the checkpoint was taken.

        Args:
            page: the first page of a walk that was resumed.
        """
        numbers = self._numbers
        if page.total is not None and numbers.total is not None:
            return max(0, (page.total - numbers.total) // numbers.page_size)
        if page.last_page is not None and numbers.last_page is not None:
            return max(0, page.last_page - numbers.last_page)
        return 0

    # A rescan.

    def start(self, held: Read[TranscriptionT], *, moved: bool) -> None:
        """Start a rescan: hold a page, and read the pages before it again."""
        self.running = Rescan(
            held, self._page_before(held.page.number), is_first_movement=not self._stats.drifted
        )
        self.moving = self._may_be_moving = False
        self._stats.drifted |= moved
        self._stats.rescans += 1

    def is_due_at_end(self) -> bool:
        """Return whether to read the last pages again because the list became shorter."""
        moved = self.moving or self._numbers.changed_since_yielded()
        return moved and self._fruitless_at_end < _MAX_FRUITLESS

    def start_at_end(self, last: int) -> None:
        """Start a rescan as if the page after the last one had been read, and were empty."""
        self._fruitless_at_end += 1
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
        pushed = self._pages_pushed(rescan, page)
        rescan = evolve(rescan, reads=(read, *rescan.reads))
        if pushed and rescan.returns < _MAX_RETURNS and not self._fruitless:
            self._stats.drifted = True
            again = min(page.number + pushed, rescan.held.page.number + _MAX_BEYOND)
            self.running = evolve(
                rescan, next_page=again, starts_known=False, returns=rescan.returns + 1
            )
            return None
        starts_known = bool(read.ids) and read.ids[0] in self._listed.ids
        if page.number > self._floor and not (starts_known and rescan.starts_known):
            self._stats.drifted |= not starts_known
            self.running = evolve(
                rescan, next_page=self._page_before(page.number), starts_known=starts_known
            )
            return None
        self.running = None
        if not self._listed.is_complete:
            rescan = self._without_forgotten(rescan)
        if self._is_repeated(rescan):
            self._reject_repeated(rescan)
            return None
        held = rescan.held.page
        # Rows may have moved past the held page, even if its numbers are the newest ones again.
        if not self._numbers.differ_from(held):
            self.moving |= any(
                numbers_differ(held, r.page.total, r.page.last_page) for r in rescan.reads
            )
        return rescan

    def record_page(self, *, brings_new: bool, after_rescan: bool = False) -> None:
        """Count consecutive rescans without a new row."""
        if brings_new:
            self._fruitless = self._fruitless_at_end = 0
        elif after_rescan:
            self._fruitless += 1

    def record_yielded(self, read: Read[TranscriptionT]) -> None:
        """Remember the last yielded page."""
        page, numbers = read.page, self._numbers
        self._yielded_ids = read.ids
        self._may_be_stale = False
        numbers.yielded_total, numbers.yielded_last_page = page.total, page.last_page

    @property
    def _floor(self) -> int:
        """Return the first page that a rescan may read: the ids of earlier ones are forgotten."""
        numbers = self._numbers
        return self._listed.first_complete_page(numbers.page_size, numbers.total, numbers.last_page)

    def _page_before(self, number: int) -> int:
        last_page = self._numbers.last_page or number
        return max(self._floor, min(number - 1, last_page))

    def _pages_pushed(self, rescan: Rescan[TranscriptionT], page: Page[TranscriptionT]) -> int:
        """
        Return onto how many pages after this one rows were pushed while pages were read backwards.

        Args:
            rescan: the rescan, without this page.
            page: the page as received.
        """
        after = (rescan.reads[0] if rescan.reads else rescan.held).page
        if page.total is not None and after.total is not None:
            rows = page.total - after.total
        elif page.last_page is not None and after.last_page is not None:
            rows = (page.last_page - after.last_page) * self._numbers.page_size
        else:
            return 0
        return max(0, -(-rows // self._numbers.page_size))

    def _without_forgotten(self, rescan: Rescan[TranscriptionT]) -> Rescan[TranscriptionT]:
        """
        Return a rescan without the rows before all remembered ones.

        These were yielded, and their ids forgotten, or were inserted before such rows.

        Raises:
            PaginationError: none of the remembered rows was found.
        """
        reads = (*rescan.reads, rescan.held)
        ids = tuple(chain.from_iterable(read.ids for read in reads))
        found = self._listed.newest_of(ids)
        if not found:
            is_list_empty = not ids and reads[0].page.number == 1
            if is_list_empty:
                return rescan
            raise PaginationError(
                f"none of the {len(self._listed.ids)} rows that were listed last was found again. "
                "They were removed, or have moved too far, so the walk can't continue without "
                "repeating or losing rows; start a new walk",
                page=rescan.held.page.number,
            )
        forgotten = next(index for index, row_id in enumerate(ids) if row_id in found)
        kept = list[Read[TranscriptionT]]()
        for read in reads:
            dropped = min(forgotten, len(read.ids))
            kept.append(read.without_first(dropped))
            forgotten -= dropped
        return evolve(rescan, reads=tuple(kept[:-1]), held=kept[-1])

    def _is_repeated(self, rescan: Rescan[TranscriptionT]) -> bool:
        """Return whether the server repeats a page under several numbers, so no rows moved."""
        held, before = rescan.held, rescan.reads[-1]
        if (
            self._numbers.yielded_differ_from(held.page)
            or any(numbers_differ(held.page, r.page.total, r.page.last_page) for r in rescan.reads)
            or not held.ids
            or not self._listed.ids.issuperset(held.ids)
        ):
            return False
        # A block of new rows shifts others backwards by several pages, so a page without new rows
        # proves nothing. Proof is a row that is on two pages at once, or known rows after a page
        # that did not change, if no rows had moved before.
        on_both = not set(before.ids).isdisjoint(held.ids)
        is_static = rescan.is_first_movement and not self._is_resumed
        return on_both or (is_static and before.ids == self._yielded_ids)

    def _reject_repeated(self, rescan: Rescan[TranscriptionT]) -> None:
        """
        Raise an error for a repeated page.

        If others were in flight with it, the page is requested again instead.
        """
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
