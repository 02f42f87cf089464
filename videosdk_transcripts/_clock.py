"""Time as the client sees it: one object, so that tests can replace it."""

from __future__ import annotations

import asyncio
import time as _time
from collections.abc import Awaitable, Callable

from attrs import frozen


@frozen
class Clock:
    """
    Provide the time to a client, and replace it in tests.

    ::

        TranscriptsClient(clock=Clock(sleep=record_and_return))
    """

    monotonic: Callable[[], float] = _time.monotonic
    """Return seconds that only increase. Timeouts, waits and token lifetimes use them."""
    time: Callable[[], float] = _time.time
    """Return seconds since the epoch, for tokens and for dates in ``Retry-After``."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Wait for a number of seconds."""
