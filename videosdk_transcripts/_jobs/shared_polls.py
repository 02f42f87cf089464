"""
Whose turn it is to be looked at: many waits share one look at the list.

Each wait says from when on it may be looked at and when it must be. When the first one
must, all that may are looked at with it, and one walk over the front of the list answers
them all. A single one is told to ask for itself, and so is one that the walk did not meet.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Final, Generic, Protocol, TypeVar

from attrs import define

from videosdk_transcripts._clock import Clock
from videosdk_transcripts.errors import InvalidResponseError, VideoSDKTranscriptsError
from videosdk_transcripts.models import Page

logger = logging.getLogger("videosdk_transcripts")

_MOST_PAGES: Final = 10
# Less than a clock can tell apart would be no nap at all.
_LEAST_NAP: Final = 0.001
_NOT_NAPPING: Final = float("-inf")


class _Row(Protocol):
    @property
    def id(self) -> str: ...


RowT = TypeVar("RowT", bound=_Row)


@define(eq=False)
class _Turn(Generic[RowT]):
    """One wait for one look."""

    row_id: str
    opens: float
    due: float
    answer: asyncio.Future[RowT | None]


class Rounds(Generic[RowT]):
    """
    Gives out turns, with a state of its own for each event loop.

    Args:
        pages: begins a walk over the list; must hold nothing open between two pages.
        clock: the time, and how to wait.
    """

    def __init__(
        self,
        pages: Callable[[], AsyncIterator[Page[RowT]]],
        *,
        clock: Clock,
    ) -> None:
        self._pages = pages
        self._clock = clock
        self._of_loops: dict[asyncio.AbstractEventLoop, _LoopRounds[RowT]] = {}

    async def turn(self, row_id: str, *, opens: float, due: float) -> RowT | None:
        """
        Wait for a turn.

        Args:
            row_id: what to look for.
            opens: from when on it may be looked at, by the clock.
            due: when it must be. Where that is before `opens`, nothing is asked for it, and
                it gets None at that time.

        Returns:
            The row as the list has it, or None: then ask for it yourself.

        Raises:
            NoResponseError, RateLimitedError, ServerError: the shared walk failed.
            CancelledError: so did something in it that cancels itself.
        """
        loop = asyncio.get_running_loop()
        rounds = self._of_loops.get(loop)
        if rounds is None:
            open_loops = {old: r for old, r in self._of_loops.items() if not old.is_closed()}
            rounds = _LoopRounds(self._pages, self._clock)
            self._of_loops = {**open_loops, loop: rounds}
        return await rounds.turn(_Turn(row_id, opens, due, loop.create_future()))

    def end(self, make_error: Callable[[], BaseException]) -> None:
        """End all waits for a turn in the running loop, each with an error of its own."""
        rounds = self._of_loops.get(asyncio.get_running_loop())
        if rounds is not None:
            rounds.end(make_error)


class _LoopRounds(Generic[RowT]):
    """The turns of one loop, and the task that lives as long as somebody waits for one."""

    def __init__(
        self,
        pages: Callable[[], AsyncIterator[Page[RowT]]],
        clock: Clock,
    ) -> None:
        self._pages = pages
        self._clock = clock
        self._turns: set[_Turn[RowT]] = set()
        self._task: asyncio.Task[None] | None = None
        self._naps_until = _NOT_NAPPING

    async def turn(self, turn: _Turn[RowT]) -> RowT | None:
        self._turns.add(turn)
        if self._task is None or self._task.done():
            self._start()
        elif turn.due < self._naps_until:
            # A nap too long: nothing but its sleep is lost with the old task.
            self._task.cancel()
            self._start()
        try:
            return await turn.answer
        finally:
            self._turns.discard(turn)
            task = self._task
            if task is not None and not task.done() and not self._turns:
                # It may take its time to end: whoever comes meanwhile must not count on it.
                self._task = None
                task.cancel()
                await asyncio.wait({task})

    def end(self, make_error: Callable[[], BaseException]) -> None:
        for turn in self._turns:
            if not turn.answer.done():
                turn.answer.set_exception(make_error())

    def _start(self) -> None:
        self._naps_until = _NOT_NAPPING
        self._task = asyncio.create_task(self._run(), name="videosdk-transcripts-waits")
        self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        # No error of ours: a token callable or a sleep that was given to the client failed.
        error = None if task.cancelled() else task.exception()
        if task is not self._task:
            return
        if error is not None:
            self.end(lambda: error)
        elif task.cancelled():
            # A token callable that waited for a task which was cancelled, for one.
            for turn in self._turns:
                turn.answer.cancel()

    async def _run(self) -> None:
        while self._turns:
            now = self._clock.monotonic()
            first = min(turn.due for turn in self._turns)
            if first > now:
                self._naps_until = first
                await self._clock.sleep(max(first - now, _LEAST_NAP))
                self._naps_until = _NOT_NAPPING
                continue
            # Whose time is up before it may be looked at again is told so, and no more.
            late = [turn for turn in self._turns if turn.due <= now < turn.opens]
            self._give(late, {})
            ready = [turn for turn in self._turns if turn.opens <= now]
            if any(turn.due <= now for turn in ready):
                await self._answer(ready)

    async def _answer(self, ready: list[_Turn[RowT]]) -> None:
        found: dict[str, RowT] = {}
        trouble: VideoSDKTranscriptsError | None = None
        if len(ready) > 1:
            try:
                found = await self._scan({turn.row_id for turn in ready})
            except VideoSDKTranscriptsError as error:
                trouble = error
        self._give(ready, found, trouble)

    def _give(
        self,
        turns: list[_Turn[RowT]],
        found: dict[str, RowT],
        trouble: VideoSDKTranscriptsError | None = None,
    ) -> None:
        self._turns.difference_update(turns)
        for turn in turns:
            if turn.answer.done():
                continue
            if trouble is not None:
                turn.answer.set_exception(trouble)
            else:
                turn.answer.set_result(found.get(turn.row_id))

    async def _scan(self, wanted: set[str]) -> dict[str, RowT]:
        found: dict[str, RowT] = {}
        # Where the rows are not at the front after all, it was in vain for half a request each.
        pages_left = min(_MOST_PAGES, max(1, len(wanted) // 2))
        try:
            async for page in self._pages():
                found.update((row.id, row) for row in page.items if row.id in wanted)
                pages_left -= 1
                if len(found) == len(wanted) or not pages_left:
                    break
        except VideoSDKTranscriptsError as error:
            if error.is_transient and not isinstance(error, InvalidResponseError):
                raise
            # What is wrong with a row of somebody else, or with listing, is no reason to end a
            # wait. What is wrong with the client, each meets again when it asks for itself.
            logger.debug("A sweep of the list ended early: %s", type(error).__name__)
        return found
