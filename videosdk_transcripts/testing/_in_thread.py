"""A fake service in a thread and an event loop of its own, for tests that are not async."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import TracebackType
from typing import Any, TypeVar

FakeT = TypeVar("FakeT", bound=AbstractAsyncContextManager[Any])


class InThread(AbstractContextManager[FakeT]):
    """
    Runs a service while a block lasts, which gets what its start or its end raises.

    A block that is never left, by a set-up that failed half-way, say, does not keep the process
    from ending. It would if this were a generator, which is closed after the thread has ended
    and then waits for it, or if it were a thread of a pool.

    Args:
        fake: what to run.
    """

    def __init__(self, fake: FakeT) -> None:
        self._fake = fake
        self._begun: Future[None] = Future()
        self._left: Future[None] = Future()
        self._ended: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="FakeVideoSDK", daemon=True)

    def __enter__(self) -> FakeT:
        self._thread.start()
        wait([self._begun, self._ended], return_when=FIRST_COMPLETED)
        if self._ended.done():
            self._ended.result()
        return self._fake

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._left.set_result(None)
        self._thread.join()
        self._ended.result()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - raised above, in the other thread
            self._ended.set_exception(error)
        else:
            self._ended.set_result(None)

    async def _serve(self) -> None:
        async with self._fake:
            self._begun.set_result(None)
            await asyncio.wrap_future(self._left)
