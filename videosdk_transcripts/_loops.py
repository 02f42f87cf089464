"""
State that belongs to an event loop.

A client may be created outside of any loop and used in several, one after another or in
several threads. Whatever asyncio binds to a loop (locks, tasks, sessions) is therefore
created on first use in that loop and kept here.
"""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class PerLoop(Generic[T]):
    """Keep one value for each event loop, until that loop is closed."""

    def __init__(self) -> None:
        self._values: dict[asyncio.AbstractEventLoop, T] = {}

    def __len__(self) -> int:
        return len(self._values)

    def find(self) -> T | None:
        """Return the value of the running loop, or None if it has none."""
        return self._values.get(asyncio.get_running_loop())

    def add(self, value: T) -> T:
        """Set the value of the running loop, and forget those of closed loops."""
        still_open = {loop: old for loop, old in self._values.items() if not loop.is_closed()}
        self._values = {**still_open, asyncio.get_running_loop(): value}
        return value

    def open_loops(self) -> list[asyncio.AbstractEventLoop]:
        """Return the loops that have a value and are not closed."""
        return [loop for loop in self._values if not loop.is_closed()]

    def pop(self) -> T | None:
        """Remove and return the value of the running loop."""
        return self._values.pop(asyncio.get_running_loop(), None)


class LoopLock:
    """Provide a lock for each event loop: asyncio binds a lock to the loop that waits for it."""

    def __init__(self) -> None:
        self._locks: PerLoop[asyncio.Lock] = PerLoop()

    def of_this_loop(self) -> asyncio.Lock:
        """Return the lock of the running loop."""
        return self._locks.find() or self._locks.add(asyncio.Lock())
