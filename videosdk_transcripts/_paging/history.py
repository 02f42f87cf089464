"""Which rows were listed lately: enough to tell what moved, however long the walk is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from videosdk_transcripts._api.filter import TranscriptionT
from videosdk_transcripts.models import Page

from .checkpoint import Position

_LEAST: Final = 5000


class ListedIds:
    """
    The ids of the rows that were listed last, at least 5,000 and the rows of two pages.

    Twice as many at most: when enough new ones have come, those from before are
    forgotten together. The ids of the first page are kept as well, so that a service
    that begins again at the front is found out at any length.

    Args:
        recent: the ids that were handed out last, for a walk that is taken up again.
        complete_from_page: the page from which on these are all.
        start: where the walk begins.
    """

    def __init__(self, recent: Iterable[str], complete_from_page: int, start: Position) -> None:
        self._keep = max(_LEAST, 2 * start.page_size)
        self._first: tuple[str, ...] = ()
        self._all = set(recent)
        self._complete_from_page, self._since = complete_from_page, start
        self._newest: list[tuple[str, ...]] = []
        self._count = 0
        self._newest_since = start

    @property
    def ids(self) -> set[str]:
        """Return them all."""
        return self._all

    def add(self, ids: tuple[str, ...], *, are_new: bool = False) -> set[str] | None:
        """
        Take note of the rows of a page.

        Args:
            ids: those of all its rows.
            are_new: whether it is known that none of them had been listed before.

        Returns those that had been listed before, or None if all are new and differ.
        """
        self._first = self._first or ids
        self._newest.append(ids)
        self._count += len(ids)
        known = set() if are_new else self._all.intersection(ids)
        before = len(self._all)
        self._all.update(ids)
        return None if len(self._all) == before + len(ids) else known

    @property
    def is_full(self) -> bool:
        """Tell whether there are enough without the oldest."""
        return self._count >= self._keep

    def forget_old(self, place: Position) -> None:
        """Forget the oldest; the walk goes on at `place`."""
        self._all = set(self._first).union(*self._newest)
        self._complete_from_page, self._since = self._newest_since.page, self._newest_since
        self._newest, self._count, self._newest_since = [], 0, place

    def floor(self, size: int, total: int | None, last_page: int | None) -> int:
        """
        Return the first page on which all rows that were listed are known.

        Args:
            size: rows on a page.
            total: the rows that there are now, if that is known.
            last_page: the last page now, if that is known.
        """
        if self._complete_from_page == 1:
            return 1
        # What vanished since has taken the rows that are known to the front.
        since, slid = self._since, 0
        if since.total is not None and total is not None:
            slid = -((total - since.total) // size)
        elif since.last_page is not None and last_page is not None:
            slid = since.last_page - last_page
        return max(1, self._complete_from_page - max(0, slid))


def ids_of(page: Page[TranscriptionT]) -> tuple[str, ...]:
    """Return the ids of all rows of a page, as far as they could be read."""
    ids = tuple([row.id for row in page.items])
    if not page.invalid_rows:
        return ids
    return ids + tuple(row.row_id for row in page.invalid_rows if row.row_id is not None)


def recent_to_keep(page_size: int) -> int:
    """Return how many of the ids handed out last a checkpoint holds at least."""
    return max(500, 2 * page_size)


class YieldedIds:
    """
    The ids handed out last, with the pages that they came from.

    Args:
        page_size: the page size that was asked for.
        ids: those of an earlier walk that is taken up again.
        complete_from_page: the page from which on these are all.
    """

    def __init__(self, page_size: int, ids: Iterable[str], complete_from_page: int) -> None:
        self._keep = recent_to_keep(page_size)
        old = tuple(ids)
        self._pages: list[tuple[int, tuple[str, ...]]] = [(complete_from_page, old)] if old else []
        self._complete_from_page = complete_from_page
        self._count = 0

    def add(self, page: int, ids: tuple[str, ...]) -> None:
        """Take note of what was handed out of a page."""
        if not ids:
            return
        self._pages.append((page, ids))
        self._count += len(ids)
        # Not for each page: to look for what may be forgotten takes longer than to keep it.
        if self._count > 4 * self._keep:
            self._pages, self._complete_from_page = self._newest(self._pages)
            self._count = 0

    def with_page(self, page: int, ids: tuple[str, ...]) -> tuple[tuple[str, ...], int]:
        """Return the newest ids, with those of the page in progress, and where they begin."""
        pages, complete_from_page = self._newest(
            [*self._pages, (page, ids)] if ids else self._pages
        )
        return tuple(row_id for _, ids in pages for row_id in ids), complete_from_page

    def _newest(
        self, pages: Sequence[tuple[int, tuple[str, ...]]]
    ) -> tuple[list[tuple[int, tuple[str, ...]]], int]:
        count, first = 0, len(pages)
        while first and count < self._keep:
            first -= 1
            count += len(pages[first][1])
        complete_from_page = [self._complete_from_page] if first == 0 else []
        for (before, _), (page, _) in pairwise(pages[max(first - 1, 0) :]):
            # Where the numbers go back, rows slid to the front, and the head of that page
            # may have been handed out long before.
            complete_from_page.append(page if page > before else page + 1)
        return list(pages[first:]), min(complete_from_page)
