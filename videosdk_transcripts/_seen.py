"""Which rows were listed lately: enough to tell what moved, however long the walk is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ._checkpoint import Position
from ._filter import PlacedT
from .models import Page

__all__ = ["Seen", "ids_of"]

_LEAST: Final = 5000


class Seen:
    """
    The ids of the rows that were listed last, at least 5,000 and the rows of two pages.

    Twice as many at most: when enough new ones have come, those from before are
    forgotten together. The ids of the first page are kept as well, so that a service
    that begins again at the front is found out at any length.

    Args:
        recent: the ids that were handed out last, for a walk that is taken up again.
        known_from: the page from which on these are all.
        start: where the walk begins.
    """

    def __init__(self, recent: Iterable[str], known_from: int, start: Position) -> None:
        self._keep = max(_LEAST, 2 * start.page_size)
        self._first: tuple[str, ...] = ()
        self._all = set(recent)
        self._known_from, self._since = known_from, start
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
        self._known_from, self._since = self._newest_since.page, self._newest_since
        self._newest, self._count, self._newest_since = [], 0, place

    def floor(self, size: int, total: int | None, last_page: int | None) -> int:
        """
        Return the first page on which all rows that were listed are known.

        Args:
            size: rows on a page.
            total: the rows that there are now, if that is known.
            last_page: the last page now, if that is known.
        """
        if self._known_from == 1:
            return 1
        # What vanished since has taken the rows that are known to the front.
        since, slid = self._since, 0
        if since.total is not None and total is not None:
            slid = -((total - since.total) // size)
        elif since.last_page is not None and last_page is not None:
            slid = since.last_page - last_page
        return max(1, self._known_from - max(0, slid))


def ids_of(page: Page[PlacedT]) -> tuple[str, ...]:
    """Return the ids of all rows of a page, as far as they could be read."""
    ids = tuple([row.id for row in page.items])
    if not page.invalid_rows:
        return ids
    return ids + tuple(row.row_id for row in page.invalid_rows if row.row_id is not None)
