"""A timeout that does not leak (P5), and costs almost nothing if it does not expire."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Final, Self

_NEVER_LATER: Final = float("-inf")
_LONGEST_TIMER: Final = 600.0


class Timeout:
    """
    Cancel the current task's wait at a point in time of the event loop's clock.

    ::

        with Timeout(ends_at, active) as timeout:
            return await something()
        # Reached only if the timeout has expired.

    Like `asyncio.timeout`, it takes back its own cancellation and lets every other one through.
    Unlike `asyncio.timeout`, it can be postponed without setting a new timer, because each request
    does that several times: the existing timer is set again only when it fires too early.

    Args:
        ends_at: the end, by the clock of the event loop. `reschedule` also accepts infinity.
        active: the set of active timeouts, which `Sessions.aclose` expires early.
    """

    __slots__ = (
        *("_active", "_before", "_due", "_task", "_timer"),
        *("aborted", "ends_at", "expired", "loop"),
    )

    _timer: asyncio.Handle

    def __init__(self, ends_at: float, active: set[Timeout]) -> None:
        self.loop = asyncio.get_running_loop()
        self.ends_at = ends_at
        self.expired = self.aborted = False
        self._active = active

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a request must be sent from a task: call it from a coroutine")
        self._task = task
        self._before = task.cancelling()
        self._set_timer(self.ends_at)
        self._active.add(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        self._active.discard(self)
        self._timer.cancel()
        if not self.expired:
            return False
        # Any cancellation beyond our own is the caller's.
        is_ours = self._task.uncancel() <= self._before
        return is_ours and isinstance(error, asyncio.CancelledError | TimeoutError)

    def reschedule(self, when: float) -> None:
        """Change the end. Postponing it sets no timer."""
        self.ends_at = when
        if when < self._due:
            self._timer.cancel()
            self._set_timer(when)

    def expire_now(self) -> None:
        """Expire in the next iteration of the loop, even if it is rescheduled until then."""
        if not self.expired:
            self.aborted = True
            self._due = _NEVER_LATER
            self._timer.cancel()
            self._timer = self.loop.call_soon(self._expire)

    def raise_if_expired(self) -> None:
        """Raise the cancellation again, for code that swallowed it."""
        if self.expired:
            raise asyncio.CancelledError

    def _set_timer(self, when: float) -> None:
        self._due = when
        self._timer = self.loop.call_at(self._due, self._fire)

    def _fire(self) -> None:
        if self.ends_at > self._due:
            # Limited, because the loop keeps a cancelled timer until its time has come.
            self._set_timer(min(self.ends_at, self._due + _LONGEST_TIMER))
        else:
            self._expire()

    def _expire(self) -> None:
        self.expired = True
        self._due = _NEVER_LATER
        self._task.cancel()
