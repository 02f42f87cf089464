"""
The pager: walks pages through a fetch function, and knows no HTTP.

A class and not a generator: a generator is finished by its first error and then looks
complete. Nothing is open between two rows, neither a connection nor a task nor a timer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Generic, NoReturn, Protocol, Self, TypeVar, cast

from attrs import evolve

from ._checkpoint import Checkpoint
from ._filter import Filter, Placed, PlacedT
from ._verify import VerifiedWalk
from ._walk import Walk, recent_to_keep
from .errors import VideoSDKTranscriptsError
from .models import InvalidRow, Page, WalkStats

__all__ = ["FetchPage", "PageIterator", "Pager"]


Placed_co = TypeVar("Placed_co", bound=Placed, covariant=True)


class FetchPage(Protocol[Placed_co]):
    """Gets one page, with as many attempts as that takes."""

    async def __call__(
        self, page: int, page_size: int, *, deadline: float | None
    ) -> Page[Placed_co]: ...


class Pager(Generic[PlacedT]):
    """
    Iterate over the rows of a list, page after page.

    Made by `TranscriptsClient.iter_transcriptions`; nothing is sent until the first
    step. Use it in ``async for``, row by row, or through `by_page`::

        async for t in client.iter_transcriptions(room_id, session_id):
            print(t.id)

    After any error or cancellation the next step asks for the same page again. A
    ``break`` leaves nothing behind, and a further loop goes on behind the last row
    handed out. Once it has ended, a further loop is a RuntimeError.
    """

    def __init__(
        self,
        fetch: FetchPage[PlacedT],
        walk: Walk[PlacedT] | VerifiedWalk[PlacedT],
        *,
        wanted: Filter,
        page_size: int,
        limit: int | None,
        walk_deadline: float | None,
        collect_invalid: bool,
        clock: Callable[[], float],
        recent: tuple[str, ...] = (),
        known_from: int = 1,
    ) -> None:
        self._fetch = fetch
        self._walk = walk
        self._wanted = wanted
        self._asked_page_size = page_size
        self._left = limit
        self._walk_deadline = walk_deadline
        self._clock = clock
        self._ends_at: float | None = None
        self._ready: deque[Page[PlacedT]] = deque()
        self._page: Page[PlacedT] | None = None
        self._index = 0
        # The ids handed out last, with the pages that they came from.
        self._recent: deque[tuple[int, list[str]]] = deque([(0, list(recent))])
        self._known_from = known_from
        self._collect_invalid = collect_invalid
        self._invalid: list[InvalidRow] = []
        self._stepping = False
        self._finished = False
        self._closed = False

    @property
    def stats(self) -> WalkStats:
        """Return the counters of this walk, which go on counting."""
        return self._walk.stats

    @property
    def total(self) -> int | None:
        """Return how many rows there are by the server's newest word, None until known."""
        return self._walk.total

    @property
    def last_page(self) -> int | None:
        """Return the last page by the server's newest word, None until known."""
        return self._walk.last_page

    @property
    def invalid_rows(self) -> tuple[InvalidRow, ...]:
        """Return the rows that could not be read, where ``on_invalid="collect"`` asked for it."""
        return tuple(self._invalid)

    @property
    def checkpoint(self) -> str:
        """
        Return where this walk can be taken up again, exact to the row, as JSON text.

        Give it to ``iter_transcriptions(..., resume=checkpoint)`` with the same ids and
        page size, in this process or in another one.
        """
        position, page = self._walk.position, self._page
        if page is None or self._index >= len(page.items):
            page = self._ready[0] if self._ready else None
        if page is not None:
            # With its own total: the list may have moved since this page was read.
            position = evolve(
                position, page=page.number, total=page.total, last_page=page.last_page
            )
        recent = tuple(row_id for _, ids in self._recent for row_id in ids)
        known_from = min(self._known_from, position.page)
        return Checkpoint(self._wanted, self._asked_page_size, position, recent, known_from).dumps()

    def by_page(self) -> PageIterator[PlacedT]:
        """
        Return an iterator over whole pages, for ``async for page in pager.by_page()``.

        A page may be empty below the last one. It shares the pager's place: rows that
        were handed out are not in it.
        """
        return PageIterator(self)

    def __aiter__(self) -> Self:
        self._begin()
        return self

    async def __anext__(self) -> PlacedT:
        while (page := self._page_in_progress) is None:
            if not await self._turn():
                raise StopAsyncIteration
        row = page.items[self._index]
        self._hand_out((row,))
        return row

    async def aclose(self) -> None:
        """End the walk. May be called at any time, and more than once."""
        self._closed = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    # A type checker refuses both lines by itself, as long as these stay unknown to it.
    if not TYPE_CHECKING:

        def __iter__(self) -> NoReturn:
            raise TypeError(
                "a pager is asynchronous: write 'async for t in client.iter_transcriptions(...)'"
            )

        def __await__(self) -> NoReturn:
            raise TypeError(
                "a pager is not awaited: write 'async for t in client.iter_transcriptions(...)', "
                "or 'await client.get_page(...)' for one page"
            )

    def __repr__(self) -> str:
        at = self._walk.next_page
        place = f"at page {at} of {self.last_page or '?'}" if at else "at its end"
        return f"<Pager over {self._wanted}, {place}, {self.stats.rows_yielded} rows yielded>"

    def _begin(self) -> None:
        if self._finished:
            raise RuntimeError(
                "this pager has ended; call client.iter_transcriptions(...) again to walk again, "
                "or with resume=pager.checkpoint to go on behind a limit"
            )

    @property
    def _page_in_progress(self) -> Page[PlacedT] | None:
        """Return the page that still has rows to hand out."""
        page = self._page
        if page is None or self._closed or self._index >= len(page.items) or self._left == 0:
            return None
        return page

    async def _next_page(self) -> Page[PlacedT]:
        """Return what is left of the page in progress, or else the next page."""
        if self._page_in_progress is None and not await self._turn():
            raise StopAsyncIteration
        page = cast("Page[PlacedT]", self._page)
        rows = page.items[self._index :][: self._left]
        self._hand_out(rows)
        return page if rows == page.items else evolve(page, items=rows)

    def _hand_out(self, rows: tuple[PlacedT, ...]) -> None:
        self._index += len(rows)
        self._recent[-1][1].extend(row.id for row in rows)
        self.stats.rows_yielded += len(rows)
        if self._left is not None:
            self._left -= len(rows)

    async def _turn(self) -> bool:
        """Open the next page, and tell whether there is one."""
        if self._closed:
            raise RuntimeError(
                "this pager is closed; go on with client.iter_transcriptions(..., "
                "resume=pager.checkpoint)"
            )
        if self._stepping:
            raise RuntimeError(
                "two tasks step this pager at once; give each task a pager of its own, or "
                "hand the rows over through an asyncio.Queue"
            )
        self._stepping = True
        try:
            while not self._ready and self._walk.next_page is not None and self._left != 0:
                await self._step(self._walk.next_page)
        finally:
            self._stepping = False
        if self._left == 0 or not self._ready:
            self._finish()
            return False
        self._page = self._ready.popleft()
        self._index = 0
        self._forget_old_ids()
        self._recent.append((self._page.number, []))
        return True

    def _forget_old_ids(self) -> None:
        keep = recent_to_keep(self._asked_page_size)
        count = sum(len(ids) for _, ids in self._recent)
        while count - len(self._recent[0][1]) >= keep:
            before, ids = self._recent.popleft()
            count -= len(ids)
            known_from = []
            for page, _ in self._recent:
                # Where the numbers go back, rows slid to the front, and the head of that page
                # may have been handed out long before.
                known_from.append(page if page > before else page + 1)
                before = page
            self._known_from = min(known_from)

    def _finish(self) -> None:
        self._finished = True
        if self._left != 0:
            try:
                self._walk.finish()
            except VideoSDKTranscriptsError as error:
                error.checkpoint = self.checkpoint
                raise

    async def _step(self, number: int) -> None:
        if self._walk_deadline is not None and self._ends_at is None:
            self._ends_at = self._clock() + self._walk_deadline
        try:
            page = await self._fetch(number, self._walk.page_size, deadline=self._ends_at)
            released = self._walk.accept(page)
        except VideoSDKTranscriptsError as error:
            error.page = error.page or number
            error.checkpoint = self.checkpoint
            raise
        except StopAsyncIteration as error:
            # A caller's function that lets it out would end the walk as if it were complete.
            raise RuntimeError(
                "a function given to the client raised StopAsyncIteration"
            ) from error
        self._ready.extend(released)
        if self._collect_invalid:
            for page in released:
                self._invalid.extend(page.invalid_rows)


class PageIterator(Generic[PlacedT]):
    """Iterate over the pages of a pager. Made by `Pager.by_page`."""

    def __init__(self, pager: Pager[PlacedT]) -> None:
        self._pager = pager

    def __aiter__(self) -> Self:
        self._pager._begin()  # noqa: SLF001 - the two are one thing seen from two sides
        return self

    async def __anext__(self) -> Page[PlacedT]:
        return await self._pager._next_page()  # noqa: SLF001
