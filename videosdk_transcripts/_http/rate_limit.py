"""P14: an evenly paced limit on requests, shared by all walks of a client."""

from __future__ import annotations

from videosdk_transcripts._clock import Clock
from videosdk_transcripts._loops import LoopLock


class RateLimiter:
    """
    Lets one request go every so often, and none in a burst.

    A bucket of tokens starts with a burst and so meets a limit of the service that is
    only a little higher; an even pace does not.

    Args:
        per_second: requests a second, or None for no limit.
        clock: the time, and how to wait.
    """

    def __init__(
        self,
        per_second: float | None,
        *,
        clock: Clock,
    ) -> None:
        self._interval = 0.0 if per_second is None else 1 / per_second
        self._clock = clock
        self._next = 0.0
        self._lock = LoopLock()

    @property
    def is_set(self) -> bool:
        """Tell whether there is a limit, so that a turn has to be waited for."""
        return self._interval > 0

    async def acquire(self) -> None:
        """Wait until it is a request's turn, in the order in which they came."""
        # The first one waits for the time and the others for the lock, which is fair; many
        # timers for one moment would make a lottery of it. Who is cancelled leaves no gap.
        async with self._lock.of_this_loop():
            earliest = now = self._clock.monotonic()
            while (wait := self._next - now) > 0:
                await self._clock.sleep(wait)
                # A timer that was late may be made up for, by one turn and not by a burst.
                earliest = self._next
                now = self._clock.monotonic()
            self._next = max(earliest, now - self._interval) + self._interval
