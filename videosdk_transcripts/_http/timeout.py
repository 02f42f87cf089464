"""A time limit as cheap as a request that never comes to it deserves."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Final, Self

_NEVER_LATER: Final = float("-inf")


class Timeout:
    """
    End what its task waits for at a moment of the event loop's clock::

        with Limit(ends_at, in_force) as limit:
            return await something()
        # Here the limit has ended it.

    It takes its cancellation back as `asyncio.timeout` does, and lets every other one
    through. What differs is that its end can be put off for nothing, which each request
    does several times: the timer stays, and is set again only after it has gone off.

    Args:
        ends_at: when, by the clock of the event loop.
        in_force: where it is found by whoever wants to end it early.
    """

    __slots__ = (
        *("_before", "_due", "_in_force", "_task", "_timer"),
        *("aborted", "ends_at", "expired", "loop"),
    )

    _timer: asyncio.Handle

    def __init__(self, ends_at: float, in_force: set[Timeout]) -> None:
        self.loop = asyncio.get_running_loop()
        self.ends_at = ends_at
        self.expired = self.aborted = False
        self._in_force = in_force

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a request is sent by a task; call it from a coroutine that is one")
        self._task = task
        self._before = task.cancelling()
        self._set_timer()
        self._in_force.add(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        self._in_force.discard(self)
        self._timer.cancel()
        if not self.expired:
            return False
        # What is counted beside our own cancellation is the caller's.
        is_ours = self._task.uncancel() <= self._before
        return is_ours and isinstance(error, asyncio.CancelledError | TimeoutError)

    def reschedule(self, when: float) -> None:
        """Move the end, for nothing where it is a later one."""
        self.ends_at = when
        if when < self._due:
            self._timer.cancel()
            self._set_timer()

    def expire_now(self) -> None:
        """End it in the next turn of the loop, and let nothing put that off."""
        if not self.expired:
            self.aborted = True
            self._due = _NEVER_LATER
            self._timer.cancel()
            self._timer = self.loop.call_soon(self._expire)

    def raise_if_expired(self) -> None:
        """End what swallowed the cancellation."""
        if self.expired:
            raise asyncio.CancelledError

    def _set_timer(self) -> None:
        self._due = self.ends_at
        self._timer = self.loop.call_at(self._due, self._go_off)

    def _go_off(self) -> None:
        if self.ends_at > self._due:
            self._set_timer()
        else:
            self._expire()

    def _expire(self) -> None:
        self.expired = True
        self._due = _NEVER_LATER
        self._task.cancel()
