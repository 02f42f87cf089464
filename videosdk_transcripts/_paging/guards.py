"""P4: ensure that every walk ends: endless or meaningless page numbers are an error. No I/O."""

from __future__ import annotations

from typing import Any, Final

from attrs import evolve, frozen

from videosdk_transcripts.errors import PaginationError
from videosdk_transcripts.models import Page

_MAX_GROWTHS: Final = 100
"""How often the last page may grow before the distance to it must have shrunk."""


@frozen
class Guards:
    """Count signs of an endless walk. `after` returns the state after each page."""

    max_empty_pages: int
    empty_pages: int = 0
    """Consecutive pages without a new row."""
    growths: int = 0
    """How often the last page has grown since `pages_left` was set."""
    pages_left: int = 0
    """The distance to the last page at the first of these growths."""
    rounds_without_progress: int = 0
    """Consecutive rounds of `_MAX_GROWTHS` growths in which that distance did not shrink."""

    def after(self, page: Page[Any], *, brings_new: bool, last_page: int | None) -> Guards:
        """
        Return the state after a page.

        Args:
            page: the page as received.
            brings_new: whether it has a row that was not listed before.
            last_page: the last page reported by the previous response.

        Raises:
            PaginationError: too many consecutive pages had no new row, or the last page grows as
                fast as the walk advances.
        """
        if brings_new and not self.empty_pages and page.last_page == last_page:
            return self
        empty_pages = 0 if brings_new else self._count_empty_page(page)
        return evolve(self._after_growth(page, last_page), empty_pages=empty_pages)

    def _count_empty_page(self, page: Page[Any]) -> int:
        if self.empty_pages >= self.max_empty_pages:
            raise PaginationError(
                f"{self.max_empty_pages} consecutive pages contained no new row, and the last page "
                f"is reported as {page.last_page or 'unknown'}; if that is correct, resume from "
                "the checkpoint with a larger max_empty_pages",
                page=page.number,
            )
        return self.empty_pages + 1

    def _after_growth(self, page: Page[Any], last_page: int | None) -> Guards:
        if page.last_page is None or last_page is None or page.last_page <= last_page:
            return self
        left = page.last_page - page.number
        if self.growths == 0:
            return evolve(self, growths=1, pages_left=left)
        if self.growths < _MAX_GROWTHS:
            return evolve(self, growths=self.growths + 1)
        # A single burst of new rows can explain one such round, but not two consecutive ones.
        rounds = self.rounds_without_progress + 1 if left >= self.pages_left else 0
        if rounds > 1:
            raise PaginationError(
                f"the last page number keeps growing: it grew {2 * _MAX_GROWTHS} times, now to "
                f"{page.last_page}, and the walk came no closer to it; resume from the checkpoint "
                "when the list grows more slowly",
                page=page.number,
            )
        return evolve(self, growths=1, pages_left=left, rounds_without_progress=rounds)


def size_in_use(page: Page[Any], requested: int, received: int, *, is_first: bool) -> int:
    """
    Return the page size to which page numbers refer from this page on.

    Args:
        page: the page as received, with the size that the server reports.
        requested: the size that was requested.
        received: the number of rows that the server sent.
        is_first: whether it is the first page of the list, so that no number depends on the
            size yet.

    Raises:
        PaginationError: the size changed in the middle of the walk.
    """
    reported = page.page_size
    if reported is None or reported == requested:
        return requested
    if is_first:
        # Some services report a size that they don't use; the number of rows shows that.
        fits = received <= reported if reported < requested else received > requested
        return reported if fits else requested
    if received == reported and not page.is_last:
        raise PaginationError(
            f"the page size changed from {requested} to {reported} at page {page.number}, so page "
            f"numbers no longer mean the same rows; start a new walk with page_size={reported}",
            page=page.number,
        )
    return requested
