"""The pace of all requests of a client (P14): an even rate, or the caller's own limiter."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable
from typing import Protocol

from videosdk_transcripts._clock import Clock
from videosdk_transcripts._validation import check_number
from videosdk_transcripts.errors import ConfigurationError


class AcquiresTurns(Protocol):
    """A caller's rate limiter: `acquire` returns as soon as one more request may be sent."""

    def acquire(self) -> Awaitable[object]: ...


class Pace(Protocol):
    """The interface of a rate limit that `RequestQueue` requires."""

    @property
    def name(self) -> str:
        """Return what sets the pace, for errors: an argument of the client, or the service."""
        ...

    def take(self, *, has_waited: bool = False) -> bool: ...
    async def wait(self) -> None: ...


class RateLimiter:
    """
    Let requests through at an even interval, never in a burst.

    A token bucket would start with a burst, and so exceed a limit of the service that is
    only slightly higher. `RequestQueue` decides which request is next.

    Args:
        per_second: requests per second, or None for no limit.
        clock: the source of time and waits.
    """

    name: str = "requests_per_second"

    def __init__(self, per_second: float | None, *, clock: Clock) -> None:
        self._interval = 0.0 if per_second is None else 1 / per_second
        self._clock = clock
        self._next = 0.0

    def take(self, *, has_waited: bool = False) -> bool:
        """
        Take the next turn and return True, or return False if it is too early.

        Args:
            has_waited: whether a request waited for this turn. If its timer was late, the next
                turn comes earlier, to keep the rate; the burst size is 1.
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
        """Wait until the next turn, which another request may have taken by then."""
        seconds = self._next - self._clock.monotonic()
        if seconds > 0:
            await self._clock.sleep(seconds)


class SharedLimiter:
    """
    Let a request through for each turn that the caller's own rate limiter grants.

    Turns are acquired one at a time, and only while a request and a slot for it are available. So
    a turn goes to the first request in the queue, and no turn is wasted.

    Args:
        limiter: an object with an asynchronous method `acquire`, without arguments.

    Raises:
        ConfigurationError: it has no such method, or is a lock.
    """

    name: str = "rate_limiter"

    def __init__(self, limiter: AcquiresTurns) -> None:
        if isinstance(limiter, type):
            raise ConfigurationError(
                f"rate_limiter must be an object, not the class {limiter.__name__}"
            )
        acquire: object = getattr(limiter, "acquire", None)
        if not callable(acquire) or not _takes_no_arguments(acquire):
            raise ConfigurationError(
                "rate_limiter must have a method 'async def acquire(self)', but "
                f"{type(limiter).__name__!r} does not"
            )
        if isinstance(limiter, asyncio.Semaphore | asyncio.Lock | asyncio.Condition):
            # Requests never release it, so it would block once its turns are used up.
            raise ConfigurationError(
                f"rate_limiter can't be an asyncio.{type(limiter).__name__}, which limits "
                "concurrency; use max_in_flight for that"
            )
        self._limiter = limiter
        self._turns = 0

    def take(self, *, has_waited: bool = False) -> bool:
        """Take a turn that `wait` has acquired and return True, or return False without one."""
        if not self._turns:
            return False
        self._turns -= 1
        return True

    async def wait(self) -> None:
        """
        Acquire a turn.

        Raises:
            ConfigurationError: `acquire` is not asynchronous.
        """
        turn: object = self._limiter.acquire()
        if not inspect.isawaitable(turn):
            raise ConfigurationError(
                f"rate_limiter.acquire() must be asynchronous, but that of "
                f"{type(self._limiter).__name__!r} returned {type(turn).__name__!r}; write it "
                "as 'async def acquire(self)'"
            )
        await turn
        self._turns += 1


def choose_pace(
    requests_per_second: float | None, rate_limiter: AcquiresTurns | None, *, clock: Clock
) -> Pace:
    """
    Return the pace for two arguments of the client, of which at most one may be set.

    Raises:
        ConfigurationError: both are given, or one of them is invalid.
    """
    if requests_per_second is not None:
        check_number("requests_per_second", requests_per_second, least=0, above=True)
    if rate_limiter is None:
        return RateLimiter(requests_per_second, clock=clock)
    if requests_per_second is not None:
        raise ConfigurationError("pass either requests_per_second or rate_limiter, not both")
    return SharedLimiter(rate_limiter)


def _takes_no_arguments(acquire: object) -> bool:
    """Return whether a callable accepts a call without arguments; True if that is unknown."""
    try:
        inspect.signature(acquire).bind()  # type: ignore[arg-type]
    except TypeError:
        return False
    except ValueError:
        # Some built-in functions have no signature.
        return True
    return True
