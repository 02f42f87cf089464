"""
Slow down requests after a 429 without Retry-After, or repeated ones (P6, P14).

Otherwise each request would adapt to its own failures only. If many walks together exceed the
limit of the service, some of them would use up all their attempts, however long they wait.
"""

from __future__ import annotations

from typing import Final

from videosdk_transcripts._clock import Clock

from .rate_limit import Pace

_FIRST: Final = 1 / 8
_LONGEST: Final = 4
"""The first and the longest interval between two requests, as multiples of `wait_initial`."""
_SHRINK: Final = 0.9
"""The factor for the interval after a success. About seven successes compensate for one 429."""
_NEGLIGIBLE: Final = 1 / 32
"""The multiple of the first interval below which throttling ends."""


class Throttle:
    """
    Send all requests of a client at an interval that grows with each 429 and shrinks again.

    Args:
        pace: the pace set by the caller, which applies as well.
        wait_initial: `RetryPolicy.wait_initial`; 0 for no interval.
        clock: the source of time and waits.
    """

    def __init__(self, pace: Pace, wait_initial: float, *, clock: Clock) -> None:
        self._pace = pace
        self._first = wait_initial * _FIRST
        self._longest = wait_initial * _LONGEST
        self._clock = clock
        self._interval = 0.0
        self._next = 0.0
        self._is_due = False
        self._waited_for_pace = False
        self.changes = 0
        """How many times the interval has grown."""

    @property
    def name(self) -> str:
        """Return what sets the pace, for errors."""
        return "rate limited by the service" if self._interval else self._pace.name

    def take(self, *, has_waited: bool = False) -> bool:
        """Take the next turn and return True, or return False if it is too early."""
        has_waited = has_waited and self._waited_for_pace
        if not self._interval:
            return self._pace.take(has_waited=has_waited)
        now = self._clock.monotonic()
        if now < self._next and not self._is_due:
            return False
        if not self._pace.take(has_waited=has_waited):
            return False
        self._is_due = False
        self._next = now + self._interval
        return True

    async def wait(self) -> None:
        """Wait until the next turn, which another request may have taken by then."""
        seconds = self._next - self._clock.monotonic() if self._interval else 0.0
        self._waited_for_pace = seconds <= 0 or self._is_due
        if self._waited_for_pace:
            await self._pace.wait()
            return
        await self._clock.sleep(seconds)
        # Recorded, because the clock of a test may not have advanced.
        self._is_due = True

    def slow_down(self, changes: int) -> None:
        """
        Double the interval after a 429.

        Args:
            changes: the value of `changes` when the request was sent. Only one of all requests
                that were sent before the interval grew counts.
        """
        if changes == self.changes:
            self.changes += 1
            self._interval = min(2 * self._interval or self._first, self._longest)
            self._next = self._clock.monotonic() + self._interval
            self._is_due = False

    def speed_up(self, changes: int) -> None:
        """Shorten the interval after a success; for `changes`, see `slow_down`."""
        if self._interval and changes == self.changes:
            shorter = self._interval * _SHRINK
            self._interval = shorter if shorter > self._first * _NEGLIGIBLE else 0.0
