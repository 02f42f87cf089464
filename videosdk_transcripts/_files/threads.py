"""Blocking functions in threads, independent of the event loop's default executor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from videosdk_transcripts._loops import PerLoop

T = TypeVar("T")

_MAX_THREADS: Final = 8


class Threads:
    """
    Run functions in threads, at most 8 at a time in each event loop.

    Each thread ends with its function, so that there is nothing to close. The default executor
    of the loop is not used: a cancelled download would wait for whatever is queued there.
    """

    def __init__(self) -> None:
        self._semaphores: PerLoop[asyncio.Semaphore] = PerLoop()

    async def run(self, function: Callable[[], T]) -> T:
        """
        Call a function in a thread as soon as one may start.

        A caller that is cancelled while waiting for that continues immediately; after that, it
        continues when the function has returned, since its clean-up would conflict with it.
        """
        found = self._semaphores.find()
        async with found or self._semaphores.add(asyncio.Semaphore(_MAX_THREADS)):
            return await run_now(function)


async def run_now(function: Callable[[], T]) -> T:
    """
    Call a function in a thread without waiting for others, and always wait for it to return.

    No task is created, which the end of the loop would cancel.
    """
    with ThreadPoolExecutor(1, "videosdk_transcripts") as executor:
        job = asyncio.get_running_loop().run_in_executor(executor, function)
        cancelled: asyncio.CancelledError | None = None
        while not job.done():
            try:
                await asyncio.wait([job])
            except asyncio.CancelledError as error:
                cancelled = error
    if cancelled is not None:
        job.exception()  # retrieved, so that asyncio does not log it
        raise cancelled
    return job.result()
