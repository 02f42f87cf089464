"""
Decide which request is sent next (P13, P14): due requests before those that prefetch, in order.

A request needs a free slot and, with a rate limit, a turn. It gets both at the same time, so no
request occupies a slot while it waits for its turn. A semaphore and a lock would send prefetched
pages before a page that a caller waits for, which could then time out although the service is
healthy.
"""

from __future__ import annotations

import asyncio
from collections import deque

from attrs import define

from .rate_limit import Pace

Due = asyncio.Future[None]
"""Resolved when a prefetched page becomes due. A request that is due from the start has None."""


@define(eq=False)
class _Waiter:
    """A request in the queue."""

    signal: asyncio.Future[bool]
    """Resolved with True when the request may be sent, or with False to wait for the rate limit."""
    may_be_sent: bool = False


class RequestQueue:
    """
    Assign slots and turns to the requests of one event loop.

    Args:
        slots: maximum number of requests in flight.
        rate_limiter: provides the turns; the queues of all event loops share it.
    """

    def __init__(self, slots: int, rate_limiter: Pace) -> None:
        self._loop = asyncio.get_running_loop()
        self._free = slots
        self._rate_limiter = rate_limiter
        self._due: deque[_Waiter] = deque()
        self._prefetched: deque[_Waiter] = deque()
        # The request that waits for the rate limit on behalf of all.
        self._pacer: _Waiter | None = None

    @property
    def missing(self) -> str:
        """Return what requests wait for, for errors."""
        return f"its turn ({self._rate_limiter.name})" if self._free else "a slot (max_in_flight)"

    def try_acquire(self) -> bool:
        """Take a slot and a turn and return True, or return False if it has to wait for them."""
        if not self._free or self._due or self._prefetched or not self._rate_limiter.take():
            return False
        self._free -= 1
        return True

    async def acquire(self, due: Due | None) -> None:
        """
        Wait for a slot and a turn.

        Args:
            due: None if the request is due, otherwise resolved when it becomes due.
        """
        waiter = _Waiter(self._loop.create_future())

        def promote(_: Due) -> None:
            if waiter in self._prefetched:
                self._prefetched.remove(waiter)
                self._due.append(waiter)

        if due is None or due.done():
            self._due.append(waiter)
        else:
            self._prefetched.append(waiter)
            due.add_done_callback(promote)
        try:
            self._serve()
            while not await waiter.signal:
                waiter.signal = self._loop.create_future()
                await self._rate_limiter.wait()
                self._pacer = None
                self._serve(has_waited=True)
        except BaseException:
            self._leave(waiter)
            raise
        finally:
            if due is not None:
                due.remove_done_callback(promote)

    def release(self) -> None:
        """Return a slot."""
        self._free += 1
        self._serve()

    def _serve(self, *, has_waited: bool = False) -> None:
        """Let waiting requests through, as far as slots and turns allow."""
        while self._free and self._pacer is None and (line := self._due or self._prefetched):
            waiter = line[0]
            if waiter.signal.cancelled():
                line.popleft()
            elif self._rate_limiter.take(has_waited=has_waited):
                line.popleft()
                self._free -= 1
                waiter.may_be_sent = True
                waiter.signal.set_result(True)
            else:
                self._pacer = waiter
                waiter.signal.set_result(False)
            has_waited = False

    def _leave(self, waiter: _Waiter) -> None:
        """Remove a cancelled request, and pass on its slot and its turn to wait."""
        for line in (self._due, self._prefetched):
            if waiter in line:
                line.remove(waiter)
        if waiter is self._pacer:
            self._pacer = None
        if waiter.may_be_sent:
            self._free += 1
        self._serve()
