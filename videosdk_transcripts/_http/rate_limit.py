"""An even pace for all requests of a client (P14)."""

from __future__ import annotations

from videosdk_transcripts._clock import Clock


class RateLimiter:
    """
    Let requests through at an even interval, never in a burst.

    A token bucket would start with a burst, and so exceed a limit of the service that is
    only slightly higher. `RequestQueue` decides whose turn it is.

    Args:
        per_second: requests a second, or None for no limit.
        clock: the time, and how to wait.
    """

    def __init__(self, per_second: float | None, *, clock: Clock) -> None:
        self._interval = 0.0 if per_second is None else 1 / per_second
        self._clock = clock
        self._next = 0.0

    def take(self, *, has_waited: bool = False) -> bool:
        """
        Take the next turn, and return False if it is too early for it.

        Args:
            has_waited: whether a request waited for this turn. After a late timer the next
                turn follows early; the burst size is 1.
        """
        if not self._interval:
            return True
        now = self._clock.monotonic()
        if now < self._next:
            return False
        earliest = self._next if has_waited else now
        self._next = max(earliest, now - self._interval) + self._interval
        return True

    async def wait(self) -> None:
        """Wait until the next turn, which may have been taken by then."""
        seconds = self._next - self._clock.monotonic()
        if seconds > 0:
            await self._clock.sleep(seconds)
