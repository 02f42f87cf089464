"""
Remember the ids of a walk. No I/O.

`ListedIds` has the rows that the service listed, including foreign ones: they show duplicates,
and that rows moved. `YieldedIds` has the rows that the caller received: a checkpoint contains
them, so that a resumed walk yields none of them twice.

Memory is bounded (a part of P10): both classes forget the oldest ids, and report from which page
on they are complete.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate, pairwise
from typing import Final

from attrs import define

from videosdk_transcripts._api.filter import TranscriptionT
from videosdk_transcripts.models import Page

from .checkpoint import REPAIRED, Checkpoint, Position, YieldedPage, YieldedPages

_MIN_LISTED: Final = 5000
_MIN_YIELDED: Final = 500


def ids_of(page: Page[TranscriptionT]) -> tuple[str, ...]:
    """Return the ids of all rows of a page, including readable ids of invalid rows."""
    ids = tuple([row.id for row in page.items])
    if not page.invalid_rows:
        return ids
    return ids + tuple(row.row_id for row in page.invalid_rows if row.row_id is not None)


class ListedIds:
    """
    Remember the ids of the rows listed last: at least 5,000, and at least those of two pages.

    At most twice as many are remembered: when this number of new ids has been added, all older
    ones are forgotten together. A row that is listed again counts once. The ids of the first page
    of the list are never forgotten, so that a service that starts over is always noticed.

    Args:
        start: where the walk starts.
        checkpoint: the checkpoint to resume from, whose ids are remembered.
    """

    def __init__(self, start: Position, checkpoint: Checkpoint | None) -> None:
        self._keep = max(_MIN_LISTED, 2 * start.page_size)
        self._ids = set(checkpoint.yielded_ids) if checkpoint else set[str]()
        # How many of the rows seen are not in `_ids`.
        self._others = start.met - len(self._ids)
        # The ids of the first page, unless the walk starts at a later one.
        self._first: tuple[str, ...] | None = None if checkpoint is None else ()
        # All rows from this page on are in `_ids`. The position is the state of the list there.
        self._complete_from_page = checkpoint.complete_from_page if checkpoint else 1
        self._complete_since = start
        # The newest ids, which are kept when the older ones are forgotten.
        self._newest: list[tuple[str, ...]] = []
        self._newest_count = 0
        self._newest_since = start

    def newest_of(self, ids: Iterable[str]) -> set[str]:
        """Return the remembered ids among these, other than those of the first page."""
        return self._ids.intersection(ids).difference(self._first or ())

    @property
    def ids(self) -> set[str]:
        """Return all remembered ids."""
        return self._ids

    @property
    def met(self) -> int:
        """Return how many rows were seen, including those whose ids are forgotten or unknown."""
        return self._others + len(self._ids)

    @property
    def is_complete(self) -> bool:
        """Return whether the ids of all rows seen are remembered."""
        return self._complete_from_page == 1

    def count_without_id(self, rows: int) -> None:
        """Count rows whose ids could not be read."""
        self._others += rows

    def add(self, ids: tuple[str, ...]) -> set[str] | None:
        """
        Add the ids of all rows of a page.

        Returns:
            The ids that were listed before; None if all are new and distinct.
        """
        if self._first is None:
            self._first = ids
        known = self._ids.intersection(ids)
        before = len(self._ids)
        self._ids.update(ids)
        new = len(self._ids) - before
        # Rows that shifted backwards are listed again, and count once.
        self._newest_count += new
        if new == len(ids):
            self._newest.append(ids)
            return None
        first_listed = tuple(i for i in ids if i not in known)
        self._newest.append(first_listed)
        # A row that is on one page twice is in the total twice as well.
        self._others += len(first_listed) - new
        return known

    @property
    def is_full(self) -> bool:
        """Return whether there are enough newest ids to forget the others."""
        return self._newest_count >= self._keep

    def forget_oldest(self, position: Position) -> None:
        """
        Forget all ids except the newest ones and those of the first page.

        Args:
            position: where the walk is now.
        """
        before = len(self._ids)
        self._ids = set(self._first or ()).union(*self._newest)
        self._others += before - len(self._ids)
        self._complete_from_page = self._newest_since.page
        self._complete_since = self._newest_since
        self._newest, self._newest_count, self._newest_since = [], 0, position

    def first_complete_page(self, page_size: int, total: int | None, last_page: int | None) -> int:
        """
        Return the first page from which on all listed rows are remembered.

        Args:
            page_size: the number of rows on a page.
            total: the newest total, if the service reports it.
            last_page: the newest last page, if the service reports it.
        """
        # Removed rows have since shifted the remembered ones to earlier pages.
        since, shift = self._complete_since, 0
        if since.total is not None and total is not None:
            shift = -((total - since.total) // page_size)
        elif since.last_page is not None and last_page is not None:
            shift = since.last_page - last_page
        return max(1, self._complete_from_page - max(0, shift))


def yielded_to_keep(page_size: int) -> int:
    """Return the minimum number of ids in a checkpoint."""
    return max(_MIN_YIELDED, 2 * page_size)


@define(eq=False, repr=False)
class YieldedIds:
    """Remember the ids of the rows yielded last, with their pages, and those a repair found."""

    _keep: int
    _complete_from_page: int
    _pages: list[YieldedPage]
    _repaired: list[YieldedPage]
    """All of them: a repair begins only while all ids of a walk are remembered."""
    _added: int = 0
    """How many ids were added since the oldest ones were last forgotten."""

    @classmethod
    def of(cls, page_size: int, checkpoint: Checkpoint | None) -> YieldedIds:
        """
        Return the ids at the start of a walk.

        Args:
            page_size: the requested page size.
            checkpoint: the checkpoint to resume from, whose ids are remembered.
        """
        keep = yielded_to_keep(page_size)
        if checkpoint is None:
            return cls(keep, 1, [], [])
        pages = [entry for entry in checkpoint.yielded if entry[0] != REPAIRED]
        repaired = [entry for entry in checkpoint.yielded if entry[0] == REPAIRED]
        return cls(keep, checkpoint.complete_from_page, pages, repaired)

    def copy(self) -> YieldedIds:
        """Return a copy, from which a checkpoint can be made later."""
        return YieldedIds(
            self._keep, self._complete_from_page, self._pages.copy(), self._repaired.copy()
        )

    def add(self, page: int, ids: tuple[str, ...]) -> None:
        """
        Add the ids of rows that were yielded.

        Args:
            page: the number of their page; `REPAIRED` if a repair found them.
            ids: the ids.
        """
        if not ids:
            return
        if page == REPAIRED:
            self._repaired.append((page, ids))
            return
        self._pages.append((page, ids))
        self._added += len(ids)
        # Not for each page: finding the ids to forget takes longer than keeping them.
        if self._added > 4 * self._keep:
            self._pages, self._complete_from_page = self._newest(self._pages)
            self._added = 0

    def with_page(self, page: int, ids: tuple[str, ...]) -> tuple[YieldedPages, int]:
        """
        Return the ids for a checkpoint, including those of the page in progress.

        Args:
            page: the number of the page in progress, as in `add`.
            ids: the ids of its rows that were yielded.

        Returns:
            The newest ids with their pages, and the page from which on they are complete.
        """
        pages, repaired = self._pages, self._repaired
        if ids and page == REPAIRED:
            repaired = [*repaired, (page, ids)]
        elif ids:
            pages = [*pages, (page, ids)]
        newest, complete_from_page = self._newest(pages)
        return (*newest, *repaired), complete_from_page

    def _newest(self, pages: list[YieldedPage]) -> tuple[list[YieldedPage], int]:
        """Return the newest of these pages, and the page from which on their ids are complete."""
        count, others, first = 0, 0, len(pages)
        # Rows that a rescan found do not replace those that were yielded before: if they were
        # inserted, these follow them in the list.
        highest = [0, *accumulate((page for page, _ in pages), max)]
        while first and count < self._keep and others < 4 * self._keep:
            first -= 1
            page, ids = pages[first]
            if page >= highest[first]:
                count += len(ids)
            else:
                others += len(ids)
        complete_from_page = [self._complete_from_page] if first == 0 else []
        for (before, _), (page, _) in pairwise(pages[max(first - 1, 0) :]):
            # If page numbers decrease, a rescan found these rows, and the first rows of that page
            # may have been yielded much earlier.
            complete_from_page.append(page if page > before else page + 1)
        return pages[first:], min(complete_from_page)
