"""
Share polls: one request to the list serves many waits.

Each wait registers a poll with two times: when it may be made, and when it is due. When the first
poll is due, all polls that may be made are combined: one walk over the beginning of the list finds
their rows. If there is only one poll, or the walk does not find a row, the wait requests the row
by its id instead.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Final, Generic, Protocol, TypeVar

from attrs import define

from videosdk_transcripts._clock import Clock
from videosdk_transcripts._loops import PerLoop
from videosdk_transcripts.errors import InvalidResponseError, VideoSDKTranscriptsError
from videosdk_transcripts.models import Page

logger = logging.getLogger("videosdk_transcripts")

_MAX_PAGES: Final = 10
# A sleep below the resolution of the clock would return immediately, and the loop would spin.
_MIN_SLEEP: Final = 0.001
_NOT_SLEEPING: Final = float("-inf")


class HasId(Protocol):
    """A row that has an id."""

    @property
    def id(self) -> str: ...


HasIdT = TypeVar("HasIdT", bound=HasId)


@define(eq=False)
class _Poll(Generic[HasIdT]):
    """One poll of one wait."""

    row_id: str
    not_before: float
    due: float
    result: asyncio.Future[HasIdT | None]


class SharedPolls(Generic[HasIdT]):
    """
    Poll the list for many waits, separately in each event loop.

    Args:
        pages: starts a walk over the list; must keep nothing open between two pages.
        clock: the source of time and waits.
    """

    def __init__(
        self,
        pages: Callable[[], AsyncIterator[Page[HasIdT]]],
        *,
        clock: Clock,
    ) -> None:
        self._pages = pages
        self._clock = clock
        self._loops: PerLoop[_LoopPolls[HasIdT]] = PerLoop()

    async def poll(self, row_id: str, *, not_before: float, due: float) -> HasIdT | None:
        """
        Wait until the poll is made, and return its row.

        Args:
            row_id: the id of the row.
            not_before: when the poll may be made, by the clock.
            due: when the poll must be made. If that is before `not_before`, nothing is requested,
                and None is returned at that time.

        Returns:
            The row as listed. If it is None, the caller must request the row by its id.

        Raises:
            VideoSDKTranscriptsError: the service failed during the shared walk.
            CancelledError: a function of the caller cancelled the shared walk.
        """
        polls = self._loops.find() or self._loops.add(_LoopPolls(self._pages, self._clock))
        result = asyncio.get_running_loop().create_future()
        return await polls.poll(_Poll(row_id, not_before, due, result))

    def end(self, make_error: Callable[[], BaseException]) -> None:
        """End all registered polls of the running loop, each with a separate error."""
        polls = self._loops.find()
        if polls is not None:
            polls.end(make_error)


class _LoopPolls(Generic[HasIdT]):
    """The polls of one event loop, and the task that makes them, which ends with the last poll."""

    def __init__(
        self,
        pages: Callable[[], AsyncIterator[Page[HasIdT]]],
        clock: Clock,
    ) -> None:
        self._pages = pages
        self._clock = clock
        self._polls: set[_Poll[HasIdT]] = set()
        self._task: asyncio.Task[None] | None = None
        self._sleeps_until = _NOT_SLEEPING

    async def poll(self, poll: _Poll[HasIdT]) -> HasIdT | None:
        self._polls.add(poll)
        if self._task is None or self._task.done():
            self._start()
        elif poll.due < self._sleeps_until:
            # The task would sleep for too long. Cancelling it is safe while it sleeps.
            self._task.cancel()
            self._start()
        try:
            return await poll.result
        finally:
            self._polls.discard(poll)
            task = self._task
            if task is not None and not task.done() and not self._polls:
                # The task may take some time to end. A new poll must start another task meanwhile.
                self._task = None
                task.cancel()
                await asyncio.wait({task})

    def end(self, make_error: Callable[[], BaseException]) -> None:
        for poll in self._polls:
            if not poll.result.done():
                poll.result.set_exception(make_error())

    def _start(self) -> None:
        self._sleeps_until = _NOT_SLEEPING
        self._task = asyncio.create_task(self._run(), name="videosdk-transcripts-waits")
        self._task.add_done_callback(self._on_done)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        # Errors of this package are handled in `_make`; this one is from a token callable or a
        # clock of the caller.
        error = None if task.cancelled() else task.exception()
        if task is not self._task:
            return
        if error is not None:
            self.end(lambda: error)
        elif task.cancelled():
            # A token callable may have awaited a cancelled task, for example.
            for poll in self._polls:
                poll.result.cancel()

    async def _run(self) -> None:
        # Otherwise an eager task would poll for the first wait alone, before others register.
        await asyncio.sleep(0)
        while self._polls:
            now = self._clock.monotonic()
            first_due = min(poll.due for poll in self._polls)
            if first_due > now:
                self._sleeps_until = first_due
                await self._clock.sleep(max(first_due - now, _MIN_SLEEP))
                self._sleeps_until = _NOT_SLEEPING
                continue
            # Polls that are due before they may be made end without a request.
            self._resolve([p for p in self._polls if p.due <= now < p.not_before], {})
            ready = [poll for poll in self._polls if poll.not_before <= now]
            if any(poll.due <= now for poll in ready):
                await self._make(ready)

    async def _make(self, ready: list[_Poll[HasIdT]]) -> None:
        found: dict[str, HasIdT] = {}
        failure: VideoSDKTranscriptsError | None = None
        if len(ready) > 1:
            try:
                found = await self._scan({poll.row_id for poll in ready})
            except VideoSDKTranscriptsError as error:
                failure = error
        self._resolve(ready, found, failure)

    def _resolve(
        self,
        polls: list[_Poll[HasIdT]],
        found: dict[str, HasIdT],
        failure: VideoSDKTranscriptsError | None = None,
    ) -> None:
        self._polls.difference_update(polls)
        for poll in polls:
            if poll.result.done():
                continue
            if failure is not None:
                poll.result.set_exception(failure)
            else:
                poll.result.set_result(found.get(poll.row_id))

    async def _scan(self, wanted: set[str]) -> dict[str, HasIdT]:
        """Walk over the beginning of the list, and return the wanted rows found there."""
        found: dict[str, HasIdT] = {}
        # If the rows are elsewhere, this wastes at most half a request per row.
        pages_left = min(_MAX_PAGES, max(1, len(wanted) // 2))
        try:
            async for page in self._pages():
                found.update((row.id, row) for row in page.items if row.id in wanted)
                pages_left -= 1
                if len(found) == len(wanted) or not pages_left:
                    break
        except VideoSDKTranscriptsError as error:
            if error.is_transient and not isinstance(error, InvalidResponseError):
                raise
            # An unreadable list, or an unreadable row of another room, must not end a wait. An
            # error that affects all requests is raised again when a wait requests its row by id.
            logger.debug("shared poll of the list failed: %s", type(error).__name__)
        return found
