"""Run blocking functions in threads, independently of the event loop's default executor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

from videosdk_transcripts._loops import PerLoop

T = TypeVar("T")

_MAX_THREADS: Final = 8
_NAME: Final = "videosdk_transcripts"


class Threads:
    """
    Run functions in threads, at most 8 at a time in each event loop.

    The threads of an event loop stay until `close`, because starting them again for each file
    takes longer than writing it. They also end when this object is no longer referenced. The
    default executor of the loop is not used: a cancelled download would wait for everything
    that is queued there.
    """

    def __init__(self) -> None:
        self._executors: PerLoop[ThreadPoolExecutor] = PerLoop()

    def close(self) -> None:
        """End the threads of the running event loop as soon as their functions have returned."""
        executor = self._executors.pop()
        if executor is not None:
            executor.shutdown(wait=False)

    async def run(self, function: Callable[[], T]) -> T:
        """
        Call a function in a thread as soon as one is free.

        If the caller is cancelled before the function has started, the function is never called.
        Otherwise the cancellation takes effect when the function has returned, because the
        caller's clean-up would conflict with it.
        """
        executor = self._executors.find() or self._executors.add(
            ThreadPoolExecutor(_MAX_THREADS, _NAME)
        )
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
