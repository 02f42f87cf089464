"""An even pace for all requests of a client (P14)."""

from __future__ import annotations

from videosdk_transcripts._clock import Clock
from videosdk_transcripts._loops import LoopLock


class RateLimiter:
    """
    Let requests through at an even interval, never in a burst.

    A token bucket would start with a burst, and so exceed a limit of the service that is
    only slightly higher.

    Args:
        per_second: requests a second, or None for no limit.
        clock: the time, and how to wait.
    """

    def __init__(self, per_second: float | None, *, clock: Clock) -> None:
        self._interval = 0.0 if per_second is None else 1 / per_second
        self._clock = clock
        self._next = 0.0
        self._lock = LoopLock()

    @property
    def is_set(self) -> bool:
        """Return whether there is a limit, and `acquire` may wait."""
        return self._interval > 0

    async def acquire(self) -> None:
        """Wait for the next slot. Requests get theirs in the order in which they ask."""
        # Only the first waits for the clock, the others for the lock, which is fair: several
        # timers for one moment go off in any order. A cancelled request leaves no gap.
        async with self._lock.of_this_loop():
            earliest = now = self._clock.monotonic()
            while (wait := self._next - now) > 0:
                await self._clock.sleep(wait)
                # After a late timer one request follows early; the burst size is 1.
                earliest = self._next
                now = self._clock.monotonic()
            self._next = max(earliest, now - self._interval) + self._interval
