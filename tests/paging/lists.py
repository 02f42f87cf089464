"""Lists that can change, and walks over them without I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from videosdk_transcripts import Page, Transcription, WalkStats
from videosdk_transcripts._api.filter import Filter
from videosdk_transcripts._paging.checkpoint import Checkpoint, Position
from videosdk_transcripts._paging.options import WalkOptions
from videosdk_transcripts._paging.repair import WrongTotals
from videosdk_transcripts._paging.walk import Walk

SIZE = 3
LIST = "realtime-transcriptions"


def walk_options(**options: Any) -> WalkOptions:
    """Return the options of a walk, by default small pages and no read-ahead."""
    defaults: dict[str, Any] = {
        "wanted": Filter(),
        "limit": None,
        "page_size": SIZE,
        "resume": None,
        "on_unverified": "raise",
        "on_invalid": "raise",
        "consistency": "once",
        "max_empty_pages": 5,
        "readahead": 0,
        "walk_timeout": None,
    }
    return WalkOptions(**(defaults | options))


def make_walk(**options: Any) -> Walk[Transcription]:
    """Return a walk from the first page."""
    return Walk(walk_options(**options), WalkStats(), None, WrongTotals())


def resume_walk(
    position: Position, yielded_ids: Iterable[str] = (), complete_from_page: int = 1
) -> Walk[Transcription]:
    """Return a walk that resumes from a checkpoint."""
    yielded = ((complete_from_page, tuple(yielded_ids)),)
    checkpoint = Checkpoint(Filter(), SIZE, position, yielded, complete_from_page, LIST)
    return Walk(walk_options(), WalkStats(), checkpoint, WrongTotals())


def accept(
    walk: Walk[Transcription], page: Page[Transcription], *, was_prefetched: bool = False
) -> list[Page[Transcription]]:
    """Let a walk accept a page, and return the pages that it releases."""
    return [one.page for one in walk.accept(page, was_prefetched=was_prefetched)]


def page(number: int, ids: Iterable[str], **numbers: Any) -> Page[Transcription]:
    """Return a page of rows with these ids."""
    return Page(number, tuple(Transcription(i) for i in ids), **numbers)


class Listing:
    """A list of ids that can change, cut into pages as a server does."""

    def __init__(
        self, ids: Iterable[str], *, counted: bool = True, with_total: bool = True
    ) -> None:
        self.ids = list(ids)
        self.counted = counted
        self.with_total = with_total
        self.requested: list[int] = []

    def page(self, number: int, size: int) -> Page[Transcription]:
        self.requested.append(number)
        numbers: dict[str, Any] = {}
        if self.counted:
            last_page = max(1, -(-len(self.ids) // size))
            total = len(self.ids) if self.with_total else None
            numbers = {"page_size": size, "last_page": last_page, "total": total}
        return page(number, self.ids[(number - 1) * size : number * size], **numbers)


Cut = Callable[[int, int, list[str]], list[str]]


class Faulty(Listing):
    """
    A list with faulty pages, and a total of its own.

    Args:
        ids: the rows.
        cut: returns the rows of a page, given its number, its size and its true rows.
        excess: what the total counts too much.
        last_page: the last page that is reported for pages of three rows; None for the true one.
    """

    def __init__(
        self, ids: Iterable[str], cut: Cut, *, excess: int = 0, last_page: int | None = None
    ) -> None:
        super().__init__(ids)
        self.requests: list[tuple[int, int]] = []
        self._cut, self._excess, self._last_page = cut, excess, last_page

    def page(self, number: int, size: int) -> Page[Transcription]:
        true = super().page(number, size)
        self.requests.append((number, size))
        last_page = true.last_page if self._last_page is None or size != SIZE else self._last_page
        return page(
            number,
            self._cut(number, size, [row.id for row in true.items]),
            page_size=size,
            total=len(self.ids) + self._excess,
            last_page=last_page,
        )


def truly(_number: int, _size: int, ids: list[str]) -> list[str]:
    """Return the true rows of a page."""
    return ids


def without(*missing: str) -> Cut:
    """Leave out some rows, on pages of the first size only."""
    return lambda _number, size, ids: [i for i in ids if size != SIZE or i not in missing]


def run(
    walk: Walk[Transcription],
    listing: Listing,
    before: Callable[[int], object] = lambda _number: None,
) -> list[str]:
    """Walk to the end; `before` is called with the number of each request, from 1."""
    found: list[str] = []
    while walk.next_page is not None:
        before(len(listing.requested) + 1)
        assert len(listing.requested) < 600
        for released in accept(walk, listing.page(walk.next_page, walk.page_size)):
            found += [t.id for t in released.items]
    return found
