"""A fake service in a thread and an event loop of its own, for tests that are not async."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, TypeVar

__all__ = ["in_thread"]

FakeT = TypeVar("FakeT", bound=AbstractAsyncContextManager[Any])


@contextmanager
def in_thread(fake: FakeT) -> Generator[FakeT]:
    """
    Run a service while the block lasts. What its start or its end raises is raised here.

    Args:
        fake: what to run.
    """
    begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        async with fake:
            stop = asyncio.Event()
            begun.set_result((asyncio.get_running_loop(), stop))
            await stop.wait()

    with ThreadPoolExecutor(1, "FakeVideoSDK") as pool:
        ended = pool.submit(lambda: asyncio.run(serve()))
        either: list[Future[Any]] = [begun, ended]
        wait(either, return_when=FIRST_COMPLETED)
        if ended.done():
            ended.result()
        loop, stop = begun.result()
        try:
            yield fake
        finally:
            loop.call_soon_threadsafe(stop.set)
            ended.result()
