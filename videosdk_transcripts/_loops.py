"""A lock for an object that is used in one event loop after another."""

from __future__ import annotations

import asyncio


class LoopLock:
    """Holds a lock of the running loop: one belongs to the loop that first waited for it."""

    def __init__(self) -> None:
        self._lock: asyncio.Lock | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def of_this_loop(self) -> asyncio.Lock:
        """Return the lock, a new one where the loop is another than before."""
        loop = asyncio.get_running_loop()
        if self._lock is None or self._loop is not loop:
            self._lock, self._loop = asyncio.Lock(), loop
        return self._lock
