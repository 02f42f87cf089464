"""The rows that were handed out last, by which a walk is taken up again exact to the row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

__all__ = ["Recent", "recent_to_keep"]


def recent_to_keep(page_size: int) -> int:
    """Return how many of the ids handed out last a checkpoint holds at least."""
    return max(500, 2 * page_size)


class Recent:
    """
    The ids handed out last, with the pages that they came from.

    Args:
        page_size: the page size that was asked for.
        ids: those of an earlier walk that is taken up again.
        known_from: the page from which on these are all.
    """

    def __init__(self, page_size: int, ids: Iterable[str], known_from: int) -> None:
        self._keep = recent_to_keep(page_size)
        old = tuple(ids)
        self._pages: list[tuple[int, tuple[str, ...]]] = [(known_from, old)] if old else []
        self._known_from = known_from
        self._count = 0

    def add(self, page: int, ids: tuple[str, ...]) -> None:
        """Take note of what was handed out of a page."""
        if not ids:
            return
        self._pages.append((page, ids))
        self._count += len(ids)
        # Not for each page: to look for what may be forgotten takes longer than to keep it.
        if self._count > 4 * self._keep:
            self._pages, self._known_from = self._newest(self._pages)
            self._count = 0

    def with_page(self, page: int, ids: tuple[str, ...]) -> tuple[tuple[str, ...], int]:
        """Return the newest ids, with those of the page in progress, and where they begin."""
        pages, known_from = self._newest([*self._pages, (page, ids)] if ids else self._pages)
        return tuple(row_id for _, ids in pages for row_id in ids), known_from

    def _newest(
        self, pages: Sequence[tuple[int, tuple[str, ...]]]
    ) -> tuple[list[tuple[int, tuple[str, ...]]], int]:
        count, first = 0, len(pages)
        while first and count < self._keep:
            first -= 1
            count += len(pages[first][1])
        known_from = [self._known_from] if first == 0 else []
        for (before, _), (page, _) in pairwise(pages[max(first - 1, 0) :]):
            # Where the numbers go back, rows slid to the front, and the head of that page
            # may have been handed out long before.
            known_from.append(page if page > before else page + 1)
        return list(pages[first:]), min(known_from)
