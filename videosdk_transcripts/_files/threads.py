"""Run blocking functions in threads, independently of the event loop's default executor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final, TypeVar

from attrs import define

from videosdk_transcripts._loops import PerLoop

T = TypeVar("T")

_MAX_THREADS: Final = 8
_NAME: Final = "videosdk_transcripts"


@define(eq=False)
class _Pool:
    """The threads of one event loop, and how many calls use them."""

    executor: ThreadPoolExecutor | None = None
    users: int = 0


class Threads:
    """
    Run functions in threads, at most 8 at a time in each event loop.

    The threads end with the last call that uses them, so there is nothing to close. The default
    executor of the loop is not used, because a cancelled download would wait for everything that
    is queued there.
    """

    def __init__(self) -> None:
        self._pools: PerLoop[_Pool] = PerLoop()

    @contextmanager
    def kept(self) -> Generator[ThreadPoolExecutor]:
        """Keep the threads during the block, for several functions."""
        pool = self._pools.find() or self._pools.add(_Pool())
        executor = pool.executor = pool.executor or ThreadPoolExecutor(_MAX_THREADS, _NAME)
        pool.users += 1
        try:
            yield executor
        finally:
            pool.users -= 1
            if not pool.users:
                pool.executor = None
                # The threads are idle, so this does not block.
                executor.shutdown()

    async def run(self, function: Callable[[], T]) -> T:
        """
        Call a function in a thread as soon as one is free.

        If the caller is cancelled before the function has started, the function is never called.
        Otherwise the cancellation takes effect when the function has returned, because the
        caller's clean-up would conflict with it.
        """
        with self.kept() as executor:
            return await _result(executor.submit(function), is_dropped_by_cancelling=True)


async def run_now(function: Callable[[], T]) -> T:
    """Call a function in a separate thread, and wait for its return even if cancelled."""
    with ThreadPoolExecutor(1, _NAME) as executor:
        return await _result(executor.submit(function), is_dropped_by_cancelling=False)


async def _result(future: Future[T], *, is_dropped_by_cancelling: bool) -> T:
    # Not a task, because `asyncio.run` cancels all tasks at its end.
    job = asyncio.wrap_future(future)
    cancelled: asyncio.CancelledError | None = None
    while not job.done():
        try:
            await asyncio.wait([job])
        except asyncio.CancelledError as error:
            if is_dropped_by_cancelling and future.cancel():
                raise
            cancelled = error
    if cancelled is not None:
        job.exception()  # retrieved, because asyncio would log it otherwise
        raise cancelled
    return job.result()
