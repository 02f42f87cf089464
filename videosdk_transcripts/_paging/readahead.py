"""
P13: pages that are asked for before it is their turn. Knows no HTTP, no rows and no order.

What goes wrong ahead is nobody's concern until the walk gets there, and a page that failed
by then is asked for again: reading ahead changes when an answer comes, and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from typing import Any, Generic, Protocol, TypeVar

from videosdk_transcripts._api.filter import TranscriptionLike, TranscriptionT
from videosdk_transcripts.models import Page, WalkStats

from .guards import numbers_differ

Transcription_co = TypeVar("Transcription_co", bound=TranscriptionLike, covariant=True)


class FetchPage(Protocol[Transcription_co]):
    """Gets one page, with as many attempts as that takes."""

    def __call__(
        self, page: int, page_size: int, *, deadline: float | None
    ) -> Awaitable[Page[Transcription_co]]: ...


class Doubting(Protocol):
    """A walk that looks back when it is told to."""

    def rows_moved(self) -> None: ...
    def rows_may_have_moved(self) -> None: ...


class ReadAhead(Generic[TranscriptionT]):
    """
    Gets the pages of a walk, and those that it will ask for next.

    Nothing is read ahead until a second page is asked for. Then the window doubles with
    each page: 1, 2, 4, 8. Where the service asks for less, or rows move, it is halved,
    and from then on grows by one.

    Args:
        fetch: gets one page.
        most: pages to read ahead at most; 0 for none.
        stats: tells how often the service asked for less.
        walk: is told when an answer that came ahead says that rows have moved since the one
            before it, also where nobody waits for it, and when one is given up that might have.
    """

    def __init__(
        self,
        fetch: FetchPage[TranscriptionT],
        most: int,
        stats: WalkStats,
        walk: Doubting,
    ) -> None:
        self._fetch = fetch
        self._walk = walk
        self._most = most
        self._stats = stats
        self._throttled = 0
        self._window = 0
        self._is_careful = False
        self._next: int | None = None
        self._total: int | None = None
        self._last_page: int | None = None
        self.loops = 0
        """How many loops there are that what is read ahead would end with."""
        self._tasks: dict[int, asyncio.Task[Page[TranscriptionT] | Exception]] = {}
        self._ending: set[asyncio.Task[Page[TranscriptionT] | Exception]] = set()

    def lease(self) -> LoopLease:
        """Read ahead as long as somebody holds the result."""
        return LoopLease(self)

    async def get(
        self, number: int, page_size: int, *, deadline: float | None, reach: int
    ) -> tuple[Page[TranscriptionT], bool]:
        """
        Return a page, and whether it had been asked for before its turn.

        Args:
            number: the page.
            page_size: rows to ask for.
            deadline: where the clock stands when the whole walk must have ended.
            reach: the last page that may be asked for by now; 0 for none.
        """
        if number == self._next:
            self._adapt()
        elif self._tasks:
            # The walk goes back, or asks for a page again: what is there may be too old. What is
            # on its way may come, for what it tells and to keep its connection.
            self._halve()
            for early in self._tasks.values():
                self._let_end(early)
            self._tasks = {}
        self._next = number + 1
        task = self._tasks.pop(number, None)
        try:
            last = min(number + self._window, reach) if self.loops else 0
            for page in range(number + 1, last + 1):
                if page not in self._tasks:
                    reading = self._read(page, page_size, deadline)
                    self._tasks[page] = asyncio.create_task(reading, name=f"page {page} ahead")
            if task is None or not _is_good(task):
                found = await self._fetch(number, page_size, deadline=deadline)
                self._total, self._last_page = found.total, found.last_page
                return found, False
            return await _result(task), True
        except BaseException as error:
            if task is not None:
                self._tasks[number] = task
            if isinstance(error, Exception):
                await self.aclose()
            else:
                # Whoever is cancelled or closed waits for nothing any more.
                self.stop()
            raise

    def stop(self) -> None:
        """Read nothing ahead until a second page is asked for again."""
        for task in self._tasks.values():
            self._let_end(task)
        self._tasks = {}
        self._next, self._window = None, 0
        if self._ending:
            self._walk.rows_may_have_moved()
        for task in tuple(self._ending):
            _cancel(task)

    async def aclose(self) -> None:
        """Stop, and wait until nothing is on its way."""
        self.stop()
        if self._ending:
            loop = asyncio.get_running_loop()
            here = [task for task in self._ending if task.get_loop() is loop]
            await asyncio.gather(*here, return_exceptions=True)

    async def _read(
        self, number: int, page_size: int, deadline: float | None
    ) -> Page[TranscriptionT] | Exception:
        try:
            page = await self._fetch(number, page_size, deadline=deadline)
        except Exception as error:  # noqa: BLE001 - also a caller's own; raised at its turn
            return error
        if numbers_differ(page, self._total, self._last_page):
            self._walk.rows_moved()
        self._total, self._last_page = page.total, page.last_page
        return page

    def _adapt(self) -> None:
        if self._throttled != self._stats.throttled:
            self._throttled = self._stats.throttled
            self._halve()
        elif self._is_careful:
            self._window = min(self._window + 1, self._most)
        else:
            self._window = min(2 * self._window or 1, self._most)

    def _halve(self) -> None:
        self._window = min(max(1, self._window // 2), self._most)
        self._is_careful = True

    def _let_end(self, task: asyncio.Task[Page[TranscriptionT] | Exception]) -> None:
        if not task.done():
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)


async def _result(task: asyncio.Task[Page[TranscriptionT] | Exception]) -> Page[TranscriptionT]:
    # Whoever cancels the caller cancels the task with it, which nobody else needs.
    found = await task
    if isinstance(found, Exception):
        raise found
    return found


def _is_good(task: asyncio.Task[Page[TranscriptionT] | Exception]) -> bool:
    if not task.done():
        return task.get_loop() is asyncio.get_running_loop()
    return not task.cancelled() and not isinstance(task.result(), Exception)


def _cancel(task: asyncio.Task[Any]) -> None:
    try:
        is_here = task.get_loop() is asyncio.get_running_loop()
    except RuntimeError:
        is_here = False
    if is_here:
        task.cancel()
        return
    # Collected in another thread, or outside of any loop; one that is closed has none left.
    with contextlib.suppress(RuntimeError):
        task.get_loop().call_soon_threadsafe(task.cancel)


class LoopLease:
    """
    Held by a loop, and by nothing else: what is read ahead for it ends with it.

    Nobody tells an iterator that a loop was left by ``break``, but that it is not needed any
    more; and that in any thread.
    """

    def __init__(self, ahead: ReadAhead[Any]) -> None:
        self._ahead = ahead
        ahead.loops += 1

    def __del__(self) -> None:
        self._ahead.loops -= 1
        self._ahead.stop()
