"""
The pager: walks pages through a fetch function, and knows no HTTP.

A class and not a generator: a generator is finished by its first error and then looks
complete. What is read ahead belongs to a loop over the pager, and ends with it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterator
from operator import length_hint
from types import TracebackType
from typing import TYPE_CHECKING, Generic, NoReturn, Self

from attrs import evolve

from videosdk_transcripts._api.filter import Filter, TranscriptionT
from videosdk_transcripts._clock import Clock
from videosdk_transcripts.errors import VideoSDKTranscriptsError
from videosdk_transcripts.models import InvalidRow, Page, WalkStats

from .checkpoint import REALTIME, Checkpoint
from .guards import numbers_differ
from .history import YieldedIds
from .readahead import FetchPage, ReadAhead
from .verify import VerifiedWalk
from .walk import Walk


class Pager(Generic[TranscriptionT]):
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
        fetch: FetchPage[TranscriptionT],
        walk: Walk[TranscriptionT] | VerifiedWalk[TranscriptionT],
        *,
        wanted: Filter,
        page_size: int,
        limit: int | None,
        readahead: int,
        walk_timeout: float | None,
        collect_invalid: bool,
        clock: Clock,
        recent: tuple[str, ...] = (),
        complete_from_page: int = 1,
        listed: str = REALTIME,
    ) -> None:
        self._walk = walk
        self._stats = walk.stats
        self._ahead = ReadAhead(fetch, readahead, walk.stats, walk)
        self._wanted = wanted
        self._listed = listed
        self._asked_page_size = page_size
        self._left = limit
        self._walk_deadline = walk_timeout
        self._clock = clock
        self._ends_at: float | None = None
        self._ready: deque[Page[TranscriptionT]] = deque()
        # The page in progress, those of its rows that are handed out, and what is left of them.
        self._page: Page[TranscriptionT] | None = None
        self._rows: tuple[TranscriptionT, ...] = ()
        self._coming: Iterator[TranscriptionT] = iter(())
        self._recent = YieldedIds(page_size, recent, complete_from_page)
        self._collect_invalid = collect_invalid
        self._invalid: list[InvalidRow] = []
        self._stepping = False
        self._finished = False
        self._closed = False

    @property
    def stats(self) -> WalkStats:
        """Return the counters of this walk, which go on counting."""
        return self._stats

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
        number, ids = (page.number, self._ids_handed_out()) if page else (0, ())
        if page is None or len(ids) >= len(page.items):
            page = self._ready[0] if self._ready else None
        if page is not None:
            # With its own total: the list may have moved since this page was read.
            has_moved = numbers_differ(page, self.total, self.last_page)
            position = evolve(
                position,
                page=page.number,
                total=page.total,
                last_page=page.last_page,
                moving=position.moving or has_moved,
            )
        recent, complete_from_page = self._recent.with_page(number, ids)
        complete_from_page = min(complete_from_page, position.page)
        found = (self._asked_page_size, position, recent, complete_from_page, self._listed)
        return Checkpoint(self._wanted, *found).dumps()

    def by_page(self) -> PageIterator[TranscriptionT]:
        """
        Return an iterator over whole pages, for ``async for page in pager.by_page()``.

        A page may be empty below the last one. It shares the pager's place: rows that
        were handed out are not in it.
        """
        return PageIterator(self)

    def __aiter__(self) -> AsyncIterator[TranscriptionT]:
        self._begin()
        return _Rows(self)

    async def __anext__(self) -> TranscriptionT:
        while True:
            for row in self._coming:
                self._stats.rows_yielded += 1
                return row
            if not await self._turn():
                raise StopAsyncIteration

    async def aclose(self) -> None:
        """
        End the walk, and wait until nothing that it read ahead is on its way.

        May be called at any time, and more than once.
        """
        self._closed = True
        self._leave_rows(self._rows[: self._index])
        await self._ahead.aclose()

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

    async def _next_page(self) -> Page[TranscriptionT]:
        """Return what is left of the page in progress, or else the next page."""
        page = self._page
        if page is None or not length_hint(self._coming):
            page = await self._turn()
            if page is None:
                raise StopAsyncIteration
        rows = tuple(self._coming)
        self._stats.rows_yielded += len(rows)
        return page if len(rows) == len(page.items) else evolve(page, items=rows)

    async def _turn(self) -> Page[TranscriptionT] | None:
        """Open the next page, if there is one."""
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
            self._put_away()
            while not self._ready and self._walk.next_page is not None and self._left != 0:
                await self._step(self._walk.next_page)
        finally:
            self._stepping = False
        if self._left == 0 or not self._ready:
            self._finish()
            return None
        self._page = page = self._ready.popleft()
        self._rows = page.items if self._left is None else page.items[: self._left]
        self._coming = iter(self._rows)
        return page

    @property
    def _index(self) -> int:
        """Return how many rows of the page in progress have been handed out."""
        # No hint but the number itself, as for every iterator over a tuple.
        return len(self._rows) - length_hint(self._coming)

    def _leave_rows(self, handed_out: tuple[TranscriptionT, ...] = ()) -> None:
        self._rows, self._coming = handed_out, iter(())

    def _ids_handed_out(self) -> tuple[str, ...]:
        """Return those of the page in progress."""
        return tuple([row.id for row in self._rows[: self._index]])

    def _put_away(self) -> None:
        """Take note of the page in progress, whose rows have been handed out."""
        if self._page is None:
            return
        self._recent.add(self._page.number, self._ids_handed_out())
        if self._left is not None:
            self._left -= self._index
        self._page = None
        self._leave_rows()

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
            self._ends_at = self._clock.monotonic() + self._walk_deadline
        size = self._walk.page_size
        reach = self._walk.reach
        if self._left is not None:
            reach = min(reach, number - 1 - (-self._left // size))
        try:
            page, was_ahead = await self._ahead.get(
                number, size, deadline=self._ends_at, reach=reach
            )
            released = self._walk.accept(page, was_ahead=was_ahead)
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


class _Rows(Generic[TranscriptionT]):
    """One loop over the rows of a pager."""

    __slots__ = ("_hold", "_pager", "_stats")

    def __init__(self, pager: Pager[TranscriptionT]) -> None:
        self._pager = pager
        self._stats = pager.stats
        self._hold = pager._ahead.lease()  # noqa: SLF001 - the two are one thing seen from two sides

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> TranscriptionT:
        # Not just the pager's own step: a call more for each row is a percent of its cost.
        for row in self._pager._coming:  # noqa: SLF001
            self._stats.rows_yielded += 1
            return row
        return await self._pager.__anext__()


class PageIterator(Generic[TranscriptionT]):
    """Iterate over the pages of a pager. Made by `Pager.by_page`."""

    def __init__(self, pager: Pager[TranscriptionT], *, is_loop: bool = False) -> None:
        self._pager = pager
        self._hold = pager._ahead.lease() if is_loop else None  # noqa: SLF001

    def __aiter__(self) -> PageIterator[TranscriptionT]:
        self._pager._begin()  # noqa: SLF001
        return PageIterator(self._pager, is_loop=True)

    async def __anext__(self) -> Page[TranscriptionT]:
        return await self._pager._next_page()  # noqa: SLF001
