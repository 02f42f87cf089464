"""P4, a walk ends: what page information may not do. No I/O."""

from __future__ import annotations

from typing import Any, Final

from attrs import evolve, frozen

from videosdk_transcripts.errors import PaginationError
from videosdk_transcripts.models import Page

_GROWTHS: Final = 100
"""How often the last page moves away until it is looked at whether it comes nearer."""


@frozen
class Guards:
    """What has been noticed so far. A page that passes gives the next state."""

    max_empty_pages: int
    empty_pages: int = 0
    growths: int = 0
    pages_left: int = 0
    in_vain: int = 0

    def passed(self, page: Page[Any], *, brings_new: bool, last_page: int | None) -> Guards:
        """
        Let a page pass.

        Args:
            page: the page as it came.
            brings_new: whether there is a row on it that was not listed before.
            last_page: the last page by the word of the answer before.

        Raises:
            PaginationError: nothing new has come for too long, or the end runs away.
        """
        if brings_new and not self.empty_pages and page.last_page == last_page:
            return self
        empty_pages = 0 if brings_new else self._one_barren_page_more(page)
        return evolve(self._after_growth(page, last_page), empty_pages=empty_pages)

    def _one_barren_page_more(self, page: Page[Any]) -> int:
        if self.empty_pages >= self.max_empty_pages:
            raise PaginationError(
                f"{self.max_empty_pages} pages in a row brought no new row, and the last page is "
                f"to be {page.last_page or 'unknown'}; if that can be true, go on from the "
                "checkpoint with a larger max_empty_pages",
                page=page.number,
            )
        return self.empty_pages + 1

    def _after_growth(self, page: Page[Any], last_page: int | None) -> Guards:
        if page.last_page is None or last_page is None or page.last_page <= last_page:
            return self
        left = page.last_page - page.number
        if self.growths == 0:
            return evolve(self, growths=1, pages_left=left)
        if self.growths < _GROWTHS:
            return evolve(self, growths=self.growths + 1)
        # One burst of rows may be to blame once, and not twice in a row.
        in_vain = self.in_vain + 1 if left >= self.pages_left else 0
        if in_vain > 1:
            raise PaginationError(
                f"the last page runs away: it moved {2 * _GROWTHS} times, now to {page.last_page}, "
                "without coming nearer; go on from the checkpoint once the list grows slower",
                page=page.number,
            )
        return evolve(self, growths=1, pages_left=left, in_vain=in_vain)


def size_in_use(page: Page[Any], asked: int, received: int, *, is_first: bool) -> int:
    """
    Return the page size that the numbers of the next pages count in.

    Args:
        page: the page as it came, with the size that the server names.
        asked: the size that was asked for.
        received: the rows that the server sent.
        is_first: whether it is the first page of the walk, so that no number counts yet.

    Raises:
        PaginationError: the size changed under way.
    """
    named = page.page_size
    if named is None or named == asked:
        return asked
    if is_first:
        # The rows tell whether the server means what it names: it does not where they don't fit.
        meant = received <= named if named < asked else received > asked
        return named if meant else asked
    if received == named and not page.is_last:
        raise PaginationError(
            f"the page size changed from {asked} to {named} at page {page.number}, so that page "
            f"numbers lost their meaning; start a new walk with page_size={named}",
            page=page.number,
        )
    return asked


def numbers_differ(page: Page[Any], total: int | None, last_page: int | None) -> bool:
    """Tell whether a number that both know has changed."""
    if page.total == total and page.last_page == last_page:
        return False
    pairs = ((page.total, total), (page.last_page, last_page))
    return any(None not in pair and pair[0] != pair[1] for pair in pairs)
