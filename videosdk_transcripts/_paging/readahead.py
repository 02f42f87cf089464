"""
P13: adaptive read-ahead: fetch pages before they are due.

The order of rows and errors does not change: a prefetched page that failed is fetched again
when it is due, and only then is an error raised. No HTTP: a function fetches the pages.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakSet

from attrs import define

from videosdk_transcripts._api.filter import TranscriptionLike, TranscriptionT
from videosdk_transcripts.models import Page, WalkStats

from .rescan import numbers_differ

Transcription_co = TypeVar("Transcription_co", bound=TranscriptionLike, covariant=True)


class FetchPage(Protocol[Transcription_co]):
    """Fetch one page, with as many attempts as necessary."""

    def __call__(
        self,
        page: int,
        page_size: int,
        *,
        deadline: float | None,
        due: asyncio.Future[None] | None = None,
    ) -> Awaitable[Page[Transcription_co]]: ...


class PrefetchLimit:
    """
    Limit the prefetched pages of all walks of a client, both in flight and in memory.

    A page counts until its walk uses or drops it.

    Args:
        max_pages: maximum number of pages; infinity for no bound.
    """

    def __init__(self, max_pages: float) -> None:
        self._max_pages = max_pages
        # Weak references, so that a walk that is garbage-collected needs no cleanup.
        self._tasks: WeakSet[asyncio.Task[Any]] = WeakSet()

    @property
    def is_reached(self) -> bool:
        """Return whether no more pages may be prefetched now."""
        return len(self._tasks) >= self._max_pages

    def add(self, task: asyncio.Task[Any]) -> None:
        """Count the page that a task fetches, as long as the task exists."""
        self._tasks.add(task)


class MovableRows(Protocol):
    """A walk that can be notified that rows moved."""

    def rows_moved(self) -> None: ...
    def rows_may_have_moved(self) -> None: ...


class ReadAhead(Generic[TranscriptionT]):
    """
    Fetch the pages of a walk, and those that it will request next.

    Nothing is prefetched until a second page is requested. Then the window doubles with
    each page: 1, 2, 4, 8. It is halved when the service throttles or when rows move, and
    grows by one from then on. While the client's limit is reached, nothing is prefetched.

    Args:
        fetch: fetches one page.
        max_window: maximum number of pages to prefetch; 0 for none.
        limit: limits the prefetched pages of all walks together.
        stats: counts the responses by which the service throttles.
        walk: is notified when a prefetched page shows that rows have moved, even if that page is
            never used, and when a page is cancelled that might have shown it.
    """

    def __init__(
        self,
        fetch: FetchPage[TranscriptionT],
        max_window: int,
        limit: PrefetchLimit,
        stats: WalkStats,
        walk: MovableRows,
    ) -> None:
        self._fetch = fetch
        self._walk = walk
        self._max_window = max_window
        self._limit = limit
        self._stats = stats
        self._throttled = 0
        self._window = 0
        self._was_halved = False
        self._page_due: int | None = None
        self._page_size: int | None = None
        self._total: int | None = None
        self._last_page: int | None = None
        self.leases = 0
        """How many loops hold a lease. Without a lease, nothing is prefetched."""
        self._prefetched: dict[int, _Prefetched[TranscriptionT]] = {}
        self._ending: set[asyncio.Task[Page[TranscriptionT] | Exception]] = set()

    def lease(self) -> LoopLease:
        """Return a lease; pages are prefetched only while one exists."""
        return LoopLease(self)

    async def get(
        self, number: int, page_size: int, *, deadline: float | None, readahead_limit: int
    ) -> tuple[Page[TranscriptionT], bool]:
        """
        Return a page, and whether it had been prefetched.

        Args:
            number: the number of the page.
            page_size: how many rows to request.
            deadline: when the whole walk must have ended, by the clock's ``monotonic``; None for
                no limit.
            readahead_limit: the last page that may be prefetched now; 0 for none.
        """
        if number == self._page_due:
            self._adapt()
        elif self._prefetched:
            # The walk goes back, or requests a page again, so prefetched pages may be outdated.
            # Requests in flight may finish: they can show that rows moved, and cancelling a
            # request costs its connection.
            self._halve()
            self._let_all_end()
        self._use_page_size(page_size)
        self._page_due = number + 1
        due = self._prefetched.pop(number, None)
        try:
            last = min(number + self._window, readahead_limit) if self.leases else 0
            for page in range(number + 1, last + 1):
                if page not in self._prefetched and not self._limit.is_reached:
                    self._prefetched[page] = self._start(page, page_size, deadline)
            if due is None or not _is_usable(due.task):
                found = await self._fetch(number, page_size, deadline=deadline)
                self._total, self._last_page = found.total, found.last_page
                return found, False
            return await _result(due), True
        except BaseException as error:
            if due is not None:
                self._prefetched[number] = due
            if isinstance(error, Exception):
                await self.aclose()
            else:
                # A coroutine that is cancelled or closed must not wait.
                self.stop()
            raise

    def stop(self) -> None:
        """Cancel requests in flight, and prefetch nothing until a second page is requested."""
        self._let_all_end()
        self._page_due, self._window = None, 0
        if self._ending:
            self._walk.rows_may_have_moved()
        for task in tuple(self._ending):
            _cancel(task)

    async def aclose(self) -> None:
        """Stop, and wait until no request is in flight."""
        self.stop()
        if self._ending:
            loop = asyncio.get_running_loop()
            here = [task for task in self._ending if task.get_loop() is loop]
            await asyncio.gather(*here, return_exceptions=True)

    def _start(
        self, number: int, page_size: int, deadline: float | None
    ) -> _Prefetched[TranscriptionT]:
        due: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        prefetch = self._prefetch(number, page_size, deadline, due)
        task = asyncio.create_task(prefetch, name=f"page {number} ahead")
        self._limit.add(task)
        return _Prefetched(task, due)

    async def _prefetch(
        self, number: int, page_size: int, deadline: float | None, due: asyncio.Future[None]
    ) -> Page[TranscriptionT] | Exception:
        # Otherwise an eager task would send its request before that of the due page.
        await asyncio.sleep(0)
        try:
            page = await self._fetch(number, page_size, deadline=deadline, due=due)
        except Exception as error:  # noqa: BLE001 - of any kind; raised when the page is due
            return error
        if numbers_differ(page, self._total, self._last_page):
            self._walk.rows_moved()
        self._total, self._last_page = page.total, page.last_page
        return page

    def _use_page_size(self, page_size: int) -> None:
        if page_size != self._page_size:
            # The last page depends on the page size, so the old one can't be compared any more.
            self._page_size, self._last_page = page_size, None

    def _adapt(self) -> None:
        if self._throttled != self._stats.throttled:
            self._throttled = self._stats.throttled
            self._halve()
        elif self._was_halved:
            self._window = min(self._window + 1, self._max_window)
        else:
            self._window = min(2 * self._window or 1, self._max_window)

    def _halve(self) -> None:
        self._window = min(max(1, self._window // 2), self._max_window)
        self._was_halved = True

    def _let_all_end(self) -> None:
        for prefetched in self._prefetched.values():
            task = prefetched.task
            if not task.done():
                self._ending.add(task)
                task.add_done_callback(self._ending.discard)
        self._prefetched = {}


@define(eq=False)
class _Prefetched(Generic[TranscriptionT]):
    """A page that is fetched before it is due."""

    task: asyncio.Task[Page[TranscriptionT] | Exception]
    due: asyncio.Future[None]
    """Resolved when the page is due, so that its request precedes those of other pages."""


async def _result(prefetched: _Prefetched[TranscriptionT]) -> Page[TranscriptionT]:
    prefetched.due.set_result(None)
    # Cancelling the caller cancels the task as well, because nothing else uses its page.
    found = await prefetched.task
    if isinstance(found, Exception):
        raise found
    return found


def _is_usable(task: asyncio.Task[Page[TranscriptionT] | Exception]) -> bool:
    if not task.done():
        return task.get_loop() is asyncio.get_running_loop()
    return not task.cancelled() and not isinstance(task.result(), Exception)


def _cancel(task: asyncio.Task[Any]) -> None:
    # The iterator may be garbage-collected in another thread, or outside an event loop. A closed
    # loop raises a RuntimeError, and has no tasks to cancel.
    with contextlib.suppress(RuntimeError):
        task.get_loop().call_soon_threadsafe(task.cancel)


class LoopLease:
    """
    Stop prefetching when the only holder, the iterator of a loop, is garbage-collected.

    An iterator is not notified when ``break`` leaves its loop: it is only garbage-collected,
    possibly in another thread.
    """

    def __init__(self, ahead: ReadAhead[Any]) -> None:
        self._ahead = ahead
        ahead.leases += 1

    def __del__(self) -> None:
        self._ahead.leases -= 1
        self._ahead.stop()
