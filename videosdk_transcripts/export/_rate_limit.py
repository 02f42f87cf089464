"""Limit the rate of all requests of an export to an even pace."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class AcquiresTurns(Protocol):
    """A rate limiter."""

    async def acquire(self) -> None:
        """Return when one more request may be sent."""
        ...


class EvenPace:
    """
    Provide turns at an even interval, never in a burst.

    Args:
        per_second: turns per second.
    """

    def __init__(self, per_second: float) -> None:
        self._interval = 1 / per_second
        self._next = 0.0

    def reserve(self) -> float:
        """Take the next turn, and return the seconds until then."""
        now = time.monotonic()
        turn = max(self._next, now)
        self._next = turn + self._interval
        return turn - now

    async def acquire(self) -> None:
        """Wait for the next turn."""
        await asyncio.sleep(self.reserve())


class NoLimit:
    """Provide turns immediately."""

    async def acquire(self) -> None:
        """Return immediately."""
