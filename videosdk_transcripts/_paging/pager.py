"""
Iterate over a list: step a walk, yield its rows or pages, and resume after errors.

No HTTP: a function fetches the pages. The pager is a class, because a generator ends with its
first error, and then looks complete. Prefetched pages belong to a loop over the pager, and are
dropped when the loop ends.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice, takewhile
from operator import length_hint
from types import TracebackType
from typing import TYPE_CHECKING, Generic, NoReturn, Self

from attrs import evolve

from videosdk_transcripts._api.filter import TranscriptionT, warn_of_only_foreign_rows
from videosdk_transcripts._clock import Clock
from videosdk_transcripts.errors import BadRequestError, VideoSDKTranscriptsError
from videosdk_transcripts.models import InvalidRow, Page, WalkStats

from .checkpoint import REPAIRED, Checkpoint
from .history import YieldedIds
from .options import WalkOptions
from .readahead import FetchPage, PrefetchLimit, ReadAhead
from .repair import WrongTotals
from .rescan import numbers_differ
from .verify import VerifiedWalk
from .walk import Released, Walk


class Pager(Generic[TranscriptionT]):
    """
    Iterate over the rows of a list, page after page.

    Returned by `TranscriptsClient.iter_transcriptions`; nothing is sent until the first
    step. Use it in ``async for``, row by row, or through `by_page`::

        async for t in client.iter_transcriptions(room_id, session_id):
            print(t.id)

    After any error or cancellation, the next step requests the same page again. A ``break`` needs
    no cleanup, and another loop continues after the last row that was yielded.

    Raises:
        VideoSDKTranscriptsError: a step failed, as described in
            `TranscriptsClient.iter_transcriptions`. The error of a page has its number and a
            checkpoint.
        RuntimeError: the pager has ended or is closed, or two tasks step it at the same time.
        TypeError: the pager is used with ``for`` or ``await`` instead of ``async for``.
    """

    def __init__(
        self,
        fetch: FetchPage[TranscriptionT],
        options: WalkOptions,
        checkpoint: Checkpoint | None,
        stats: WalkStats,
        *,
        clock: Clock,
        list_name: str,
        prefetch_limit: PrefetchLimit | None = None,
        wrong_totals: WrongTotals | None = None,
    ) -> None:
        """
        Create the pager without sending anything.

        Args:
            fetch: fetches a page of the list.
            options: the arguments of the walk.
            checkpoint: where to resume; None to start at the first page.
            stats: the counters of the walk.
            clock: the source of time, for ``walk_timeout``.
            list_name: the name of the list in the API, for checkpoints.
            prefetch_limit: bounds the prefetched pages of several pagers; None for no bound.
            wrong_totals: the lists not to repair, shared by several pagers; None to repair all.
        """
        self._options = options
        self._stats = stats
        self._clock = clock
        self._list_name = list_name
        self._walk: Walk[TranscriptionT] | VerifiedWalk[TranscriptionT] = (
            VerifiedWalk(options, stats)
            if options.consistency == "verify"
            else Walk(options, stats, checkpoint, wrong_totals or WrongTotals())
        )
        prefetch_limit = prefetch_limit or PrefetchLimit(math.inf)
        self._ahead = ReadAhead(fetch, options.readahead, prefetch_limit, stats, self._walk)
        self._select = options.times.selector(stats)
        self._deadline: float | None = None
        # Pages that the walk has released, and that have not been opened yet.
        self._released: deque[Released[TranscriptionT]] = deque()
        # The page in progress; its rows up to the limit; an iterator over the rows that remain;
        # and an iterator over those of them that will be yielded.
        self._page: Released[TranscriptionT] | None = None
        self._rows: tuple[TranscriptionT, ...] = ()
        self._rows_ahead: Iterator[TranscriptionT] = iter(())
        self._rows_to_come = self._rows_ahead
        self._yielded = YieldedIds.of(options.first_page_size, checkpoint)
        self._resumed_behind_rows = checkpoint is not None and bool(checkpoint.yielded)
        self._met_before = checkpoint.position.met if checkpoint else 0
        self._invalid: list[InvalidRow] = []
        self._stepping = False
        self._finished = False
        self._closed = False

    @property
    def stats(self) -> WalkStats:
        """Return the counters of this walk, which are updated in place."""
        return self._stats

    @property
    def total(self) -> int | None:
        """Return the total of the newest response; None until it is known."""
        return self._walk.total

    @property
    def last_page(self) -> int | None:
        """Return the last page of the newest response; None until it is known."""
        return self._walk.last_page

    @property
    def invalid_rows(self) -> tuple[InvalidRow, ...]:
        """Return the rows that could not be read, collected with ``on_invalid="collect"``."""
        return tuple(self._invalid)

    @property
    def checkpoint(self) -> str:
        """
        Return where this walk can be resumed, exact to the row, as JSON text.

        Pass it to ``iter_transcriptions(..., resume=checkpoint)`` with the same ids, times and
        page size, in this process or in another one.
        """
        return take_checkpoint(self)()

    def _take_checkpoint(self) -> Callable[[], str]:
        walk, yielded, options = self._walk.position, self._yielded.copy(), self._options
        current, rows, index = self._page, self._rows, self._index
        total, last_page, list_name = self.total, self.last_page, self._list_name

        # Without a reference to the pager, which ends its read-ahead when it is collected.
        def checkpoint() -> str:
            position, number, ids = walk, 0, tuple[str, ...]()
            if current is not None:
                number, ids = _number_of(current), _ids_of(current, rows, index)
                position = evolve(walk, met=current.met + len(ids))
            if current is not None and not current.is_repaired:
                # The numbers are those of this page's response: rows may have moved since then.
                page = current.page
                position = evolve(
                    position,
                    page=page.number,
                    total=page.total,
                    last_page=page.last_page,
                    moving=walk.moving or numbers_differ(page, total, last_page),
                    page_ids=_ids_before_rest(current, len(ids)),
                )
            yielded_pages, complete_from_page = yielded.with_page(number, ids)
            return Checkpoint(
                options.wanted,
                options.page_size,
                position,
                yielded_pages,
                min(complete_from_page, position.page),
                list_name,
                options.times,
            ).dumps()

        return checkpoint

    def by_page(self) -> PageIterator[TranscriptionT]:
        """
        Return an iterator over whole pages, for ``async for page in pager.by_page()``.

        A page before the last one may be empty. Rows and pages share the pager's position, so a
        page does not contain rows that were already yielded.
        """
        return PageIterator(self)

    def __aiter__(self) -> AsyncIterator[TranscriptionT]:
        self._check_not_finished()
        return _Rows(self)

    async def __anext__(self) -> TranscriptionT:
        while True:
            for row in self._rows_to_come:
                self._stats.rows_yielded += 1
                return row
            if not await self._open_page():
                raise StopAsyncIteration

    async def aclose(self) -> None:
        """
        End the walk, and wait until no prefetched page is in flight.

        It can be called at any time, more than once, and from another task. No row is yielded
        after it returns, and a step in progress raises a RuntimeError.
        """
        self._closed = True
        self._drop_rows(self._rows[: self._index])
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

    # Hidden from type checkers, so that they report both mistakes.
    if not TYPE_CHECKING:

        def __iter__(self) -> NoReturn:
            raise TypeError(
                "a pager is asynchronous: write 'async for t in client.iter_transcriptions(...)'"
            )

        def __await__(self) -> NoReturn:
            raise TypeError(
                "a pager can't be awaited: write 'async for t in client.iter_transcriptions(...)', "
                "or 'await client.get_page(...)' for one page"
            )

    def __repr__(self) -> str:
        at = self._walk.next_page
        last = self.last_page
        # A walk may go beyond a last page that is wrong.
        of = f" of {last or '?'}" if at and (last is None or at <= last) else ""
        place = f"at page {at}{of}" if at else "at its end"
        over = self._options.wanted
        return f"<Pager over {over}, {place}, {self.stats.rows_yielded} rows yielded>"

    def _check_not_finished(self) -> None:
        if self._finished:
            raise RuntimeError(
                "this pager has ended; call client.iter_transcriptions(...) for a new walk, or "
                "with resume=pager.checkpoint to continue after a limit"
            )

    def _check_not_closed(self) -> None:
        if self._closed:
            raise RuntimeError(
                "this pager is closed; continue with client.iter_transcriptions(..., "
                "resume=pager.checkpoint)"
            )

    async def _next_page(self) -> Page[TranscriptionT]:
        """Return the rest of the page in progress, or the next page."""
        if self._page is None or not length_hint(self._rows_ahead) or self._rows_left == 0:
            await self._open_page()
        if self._page is None or self._finished:
            raise StopAsyncIteration
        page = self._page.page
        rows = tuple(self._rows_to_come)
        self._stats.rows_yielded += len(rows)
        return page if len(rows) == len(page.items) else evolve(page, items=rows)

    async def _open_page(self) -> bool:
        """Open the next page, and return whether there is one."""
        self._check_not_closed()
        if self._stepping:
            raise RuntimeError(
                "two tasks step this pager at the same time; use one pager for each task, or "
                "pass the rows through an asyncio.Queue"
            )
        limit = self._rows_left
        if limit == 0:
            # The page in progress stays open, because it may have rows beyond the limit.
            self._finished = True
            return False
        self._stepping = True
        try:
            self._close_page()
            while not self._released and (number := self._walk.next_page) is not None:
                await self._step(number, limit)
        finally:
            self._stepping = False
        if not self._released:
            self._finish()
            return False
        self._page = self._released.popleft()
        items = self._page.page.items
        if self._select is None:
            self._rows = items[:limit]
            self._rows_to_come = self._rows_ahead = iter(self._rows)
        else:
            self._rows, self._rows_ahead = items, iter(items)
            self._rows_to_come = islice(filter(self._select, self._rows_ahead), limit)
        return True

    @property
    def _rows_left(self) -> int | None:
        """Return how many rows may still be yielded; None without a limit."""
        limit = self._options.limit
        return None if limit is None else max(0, limit - self._stats.rows_yielded)

    @property
    def _index(self) -> int:
        """Return how many rows of the page in progress have been yielded or skipped."""
        # `length_hint` is exact for an iterator over a tuple.
        return len(self._rows) - length_hint(self._rows_ahead)

    def _drop_rows(self, yielded: tuple[TranscriptionT, ...] = ()) -> None:
        """Drop the remaining rows of the page in progress."""
        self._rows, self._rows_ahead = yielded, iter(())
        self._rows_to_come = self._rows_ahead

    def _close_page(self) -> None:
        """Record the page in progress, all of whose rows have been yielded."""
        if self._page is None:
            return
        ids = _ids_of(self._page, self._rows, self._index)
        self._yielded.add(_number_of(self._page), ids)
        self._page = None
        self._drop_rows()

    def _finish(self) -> None:
        self._finished = True
        stats = self._stats
        if (
            stats.foreign_rows_dropped
            and not (stats.rows_yielded or self._resumed_behind_rows)
            and not (stats.unverified_rows or stats.invalid_rows or stats.only_foreign_rows)
            and not (stats.rows_out_of_range or stats.rows_without_start)
        ):
            stats.only_foreign_rows = True
            warn_of_only_foreign_rows(self._options.wanted)
        try:
            self._walk.finish()
        except VideoSDKTranscriptsError as error:
            error.checkpoint = self.checkpoint
            raise

    async def _step(self, number: int, rows_left: int | None) -> None:
        """
        Fetch a page and let the walk accept it.

        Args:
            number: the number of the page.
            rows_left: how many rows may still be yielded; None without a limit.
        """
        if self._options.walk_timeout is not None and self._deadline is None:
            self._deadline = self._clock.monotonic() + self._options.walk_timeout
        if self._walk.pause:
            await self._clock.sleep(self._walk.pause)
            self._check_not_closed()
        size = self._walk.page_size
        readahead_limit = self._walk.readahead_limit
        # With a time range, a limit of rows does not limit the pages: any page may have no row.
        if rows_left is not None and self._select is None:
            readahead_limit = min(readahead_limit, number - 1 - (-rows_left // size))
        try:
            page, was_prefetched = await self._ahead.get(
                number, size, deadline=self._deadline, readahead_limit=readahead_limit
            )
            # If another task has closed the pager, a resumed walk requests this page again.
            self._check_not_closed()
            released = self._walk.accept(page, was_prefetched=was_prefetched)
        except VideoSDKTranscriptsError as error:
            if isinstance(error, BadRequestError) and self._walk.reduce_page_size():
                return  # the next step requests the same page
            error.page = error.page or number
            error.checkpoint = self.checkpoint
            raise
        except StopAsyncIteration as error:
            # Raised by a caller's function, it would end the loop as if the walk were complete.
            raise RuntimeError(
                "a function passed to the client raised StopAsyncIteration"
            ) from error
        self._released.extend(released)
        if self._options.on_invalid == "collect":
            for one in released:
                self._invalid.extend(one.page.invalid_rows)


def take_checkpoint(pager: Pager[TranscriptionT]) -> Callable[[], str]:
    """
    Return a function that returns the checkpoint of a pager as it is now.

    Making a checkpoint takes longer than fetching a file, and few of them are read.
    """
    return pager._take_checkpoint()  # noqa: SLF001 - a part of the pager


def expected_rows(pager: Pager[TranscriptionT]) -> int | None:
    """Return how many rows a pager will have yielded at its end; None until it is known."""
    stats, options = pager.stats, pager._options  # noqa: SLF001 - a part of the pager
    if pager._finished:  # noqa: SLF001
        return stats.rows_yielded
    if pager.total is None:
        return None
    left_out = (
        stats.foreign_rows_dropped
        + stats.invalid_rows
        + stats.rows_out_of_range
        + stats.rows_without_start
        + (stats.unverified_rows if options.on_unverified == "skip" else 0)
    )
    expected = pager.total - pager._met_before - left_out  # noqa: SLF001
    expected = max(expected, stats.rows_yielded)
    return expected if options.limit is None else min(expected, options.limit)


def _number_of(released: Released[TranscriptionT]) -> int:
    """Return the number of a page for a checkpoint."""
    return REPAIRED if released.is_repaired else released.page.number


def _ids_of(
    released: Released[TranscriptionT], rows: tuple[TranscriptionT, ...], count: int
) -> tuple[str, ...]:
    """Return the ids of the first rows of a page."""
    if len(released.ids) != len(released.page.items):
        return tuple([row.id for row in rows[:count]])
    return released.ids[:count]


def _ids_before_rest(released: Released[TranscriptionT], count: int) -> tuple[str, ...]:
    """Return the ids that the service listed on a page before the rows that remain."""
    rest = {row.id for row in released.page.items[count:]}
    return tuple(takewhile(lambda row_id: row_id not in rest, released.ids))


class _Rows(Generic[TranscriptionT]):
    """One loop over the rows of a pager."""

    __slots__ = ("_lease", "_pager", "_stats")

    def __init__(self, pager: Pager[TranscriptionT]) -> None:
        self._pager = pager
        self._stats = pager.stats
        self._lease = pager._ahead.lease()  # noqa: SLF001 - a part of the pager

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> TranscriptionT:
        # Repeats the beginning of `Pager.__anext__`, because another call per row costs 1 %.
        for row in self._pager._rows_to_come:  # noqa: SLF001
            self._stats.rows_yielded += 1
            return row
        # The traceback of an error must not keep this loop, and its lease, alive.
        pager = self._pager
        del self
        return await pager.__anext__()


class PageIterator(Generic[TranscriptionT]):
    """
    Iterate over the pages of a pager. Returned by `Pager.by_page`.

    ::

        async for page in client.iter_transcriptions(room_id).by_page():
            print(page.number, len(page.items))

    After an error or a cancellation, the next step requests the same page again.

    Raises:
        VideoSDKTranscriptsError: a step failed, as for `Pager`.
        RuntimeError: the pager has ended or is closed, or two tasks step it at the same time.
    """

    def __init__(self, pager: Pager[TranscriptionT], *, is_loop: bool = False) -> None:
        """
        Create the iterator without sending anything.

        Args:
            pager: the pager.
            is_loop: whether this is the iterator of one loop, which may prefetch pages.
        """
        self._pager = pager
        self._lease = pager._ahead.lease() if is_loop else None  # noqa: SLF001

    def __aiter__(self) -> PageIterator[TranscriptionT]:
        self._pager._check_not_finished()  # noqa: SLF001
        return PageIterator(self._pager, is_loop=True)

    async def __anext__(self) -> Page[TranscriptionT]:
        # As in a loop over rows.
        pager = self._pager
        del self
        return await pager._next_page()  # noqa: SLF001
