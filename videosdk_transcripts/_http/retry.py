"""
What is retried, when and for how long (P6).

In reading order: the table of what is retried and the functions that read it, the policy
that users set, the state of a call, and the loop itself: attempt, classify, wait, retry.

Only what is named here is retried: a list of what not to retry would swallow cancellations
(https://github.com/jd/tenacity/issues/529).
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import Any, Final, Generic, TypeVar

import aiohttp
from attrs import Attribute, define, field, frozen
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception
from tenacity.wait import wait_random_exponential

from videosdk_transcripts._clock import Clock
from videosdk_transcripts._validation import check_count, check_number
from videosdk_transcripts.errors import (
    ConnectionFailedError,
    InvalidResponseError,
    StatusError,
    TimedOutError,
    VideoSDKTranscriptsError,
)
from videosdk_transcripts.models import WalkStats

from .session import Sessions
from .timeout import Timeout

logger = logging.getLogger("videosdk_transcripts")

T = TypeVar("T")


# What is retried.


@frozen
class _Rule:
    """A row of the table."""

    read: bool
    """A read is sent again."""
    write: bool
    """A start or stop that was certainly not applied is sent again."""
    throttling: bool
    """The service asks for fewer requests."""
    in_doubt: bool
    """A start or stop may have been applied: it is not sent again before that is known."""


# The table of what is retried, by status.
# fmt: off
_RULES: Final = {
    #           read   write  throttling  in_doubt
    406:  _Rule(False, False, False,      True),  # sent for internal errors, maybe after the change
    408:  _Rule(True,  False, False,      True),
    429:  _Rule(True,  True,  True,       False),
    500:  _Rule(True,  False, False,      True),
    502:  _Rule(True,  False, False,      True),
    503:  _Rule(True,  False, True,       True),
    504:  _Rule(True,  False, False,      True),
}
_REFUSED: Final = _Rule(False, False, False,      False)  # any other 3xx or 4xx
_OTHER: Final   = _Rule(False, False, False,      True)   # any other status
# fmt: on
# A failure without a status (no connection, a timeout, a response that broke off or is not the
# promised JSON) has no row: it is retried if it `is_transient`, a property of the error. A start
# or stop is in doubt then once its body has been sent.

THROTTLING_STATUSES: Final = frozenset(s for s, rule in _RULES.items() if rule.throttling)
"""Derived once, because every response is checked."""


def _rule_for(status: int) -> _Rule:
    return _RULES.get(status) or (_REFUSED if 300 <= status < 500 else _OTHER)


def is_retryable(error: BaseException) -> bool:
    """Return whether a read is sent again after this failure."""
    if isinstance(error, StatusError):
        return _rule_for(error.status or 0).read
    return _is_transient_without_status(error)


def is_retryable_write(error: BaseException, *, in_doubt: bool) -> bool:
    """
    Return whether a start or stop may be sent again after this failure.

    Args:
        error: the failure.
        in_doubt: whether it may have been applied. It is not sent again then, unless
            `Call.reconcile` finds that it was not.
    """
    if in_doubt:
        return isinstance(error, _REQUEST_FAILURES)
    if isinstance(error, StatusError):
        return _rule_for(error.status or 0).write
    return _is_transient_without_status(error)


_REQUEST_FAILURES: Final = (ConnectionFailedError, TimedOutError, InvalidResponseError, StatusError)
"""Failures of the request itself, as opposed to errors of the caller's own functions."""


def leaves_in_doubt(status: int) -> bool:
    """Return whether a start or stop may have been applied, given the status of the response."""
    return _rule_for(status).in_doubt


def _is_transient_without_status(error: BaseException) -> bool:
    return isinstance(error, _REQUEST_FAILURES) and error.is_transient


# The policy.


def _at_least(least: float, *, above: bool = False) -> Callable[..., None]:
    def check(_policy: object, attribute: Attribute[float], value: object) -> None:
        check_number(attribute.name, value, least=least, above=above)

    return check


def _count(_policy: object, attribute: Attribute[int], value: object) -> None:
    check_count(attribute.name, value)


@frozen
class RetryPolicy:
    """
    Set how often and for how long a request is tried. All times are seconds.

    With the defaults one page takes at most 120 s: six attempts of at most 30 s each, and
    waits of at most 0.5, 1, 2, 4 and 8 s between them, each drawn evenly from zero up to that
    (full jitter), would take up to 195.5 s, and `page_timeout` ends them.
    """

    attempts: int = field(default=6, validator=_count)
    """
    Maximum number of requests for one page, including the first.

    aiohttp itself sends a read once more if the connection broke before a response came;
    that is part of one attempt, and can't be observed here.
    """
    wait_initial: float = field(default=0.5, validator=_at_least(0))
    """Upper bound of the first wait; it doubles with each attempt."""
    wait_max: float = field(default=8.0, validator=_at_least(0))
    """Upper bound of every wait that the client chooses."""
    max_retry_after: float = field(default=60.0, validator=_at_least(0))
    """The longest ``Retry-After`` that is waited for. A longer one is raised immediately."""
    attempt_timeout: float = field(default=30.0, validator=_at_least(0, above=True))
    """One request, from connecting to the last byte of the body."""
    page_timeout: float = field(default=120.0, validator=_at_least(0, above=True))
    """One page or object, with all its attempts and the waits between them."""


# The state of a call.


@define
class Attempts:
    """What has been tried so far for one page, object or file."""

    count: int = 0
    last_error: VideoSDKTranscriptsError | None = None
    waiting_for: str = ""
    """What the current attempt needs before it can be sent, and does not have yet."""
    deadline_passed: bool = False
    """Whether the time for all of them is over, so that no other follows."""
    in_doubt: bool = False
    """Whether one was a write that may have been applied: its body was sent, and not refused."""


@define(eq=False)
class Call(Generic[T]):
    """One page, object or file to request, and what all its attempts share."""

    what: str
    """What is requested, for errors and log lines."""
    send: Callable[[Attempt], Awaitable[T]]
    """Send one request and return its result; raises errors of this package."""
    stats: WalkStats
    attempts: Attempts
    timeout_name: str
    """The name of the timeout that applies to all attempts together."""
    deadline: float
    """When that timeout ends, by the client's clock, which decides whether to try again."""
    ends_at: float
    """The same by the clock of the event loop, which ends what is in progress."""
    reconcile: Callable[[], Awaitable[T | None]] | None
    """
    Find the result of a write that may have been applied; None if it was not.

    None for a read, which can be sent again without harm.
    """


@define(eq=False)
class Attempt:
    """One attempt in progress: the session to send it with, and the timeout it runs under."""

    call: Call[Any]
    session: aiohttp.ClientSession
    timeout: Timeout
    _semaphore: asyncio.Semaphore
    _has_slot: bool = True

    def response_received(self) -> None:
        """Release the slot, and lift the attempt_timeout: the response is complete."""
        self.release_slot()
        self.timeout.reschedule(self.call.ends_at)

    def release_slot(self) -> None:
        """Let another request have the slot."""
        if self._has_slot:
            self._has_slot = False
            self._semaphore.release()


# The loop.


class Runner:
    """
    Run calls: attempt, classify the failure, wait, retry.

    The API and the files have one each; they differ in what they send, and in their sessions.

    Args:
        sessions: the sessions to send with. Closing them ends every call in progress.
        policy: attempts and time limits.
        clock: the time, and how to wait.
    """

    def __init__(self, sessions: Sessions, policy: RetryPolicy, clock: Clock) -> None:
        self._sessions = sessions
        self._policy = policy
        self._clock = clock

    async def run(
        self,
        what: str,
        send: Callable[[Attempt], Awaitable[T]],
        *,
        stats: WalkStats,
        attempts: Attempts | None = None,
        deadline: float | None = None,
        reconcile: Callable[[], Awaitable[T | None]] | None = None,
    ) -> T:
        """
        Call `send` until it succeeds, or until the policy ends it.

        Args:
            what: what is requested, for errors and log lines.
            send: sends one request and returns its result; raises errors of this package.
            stats: counts the retries.
            attempts: records what was tried, for the caller.
            deadline: when all of it must have ended, by the client's clock, if that is
                before the page_timeout.
            reconcile: for a write, finds the result of one that may have been applied.

        Raises:
            VideoSDKTranscriptsError: the last failure, with the number of attempts.
        """
        now = self._clock.monotonic()
        timeout_name, time_left = "page_timeout", self._policy.page_timeout
        if deadline is not None and deadline < now + time_left:
            timeout_name = "page_timeout" if reconcile else "walk_timeout"
            time_left = deadline - now
        call = Call(
            what,
            send,
            stats,
            attempts or Attempts(),
            timeout_name,
            now + time_left,
            asyncio.get_running_loop().time() + time_left,
            reconcile,
        )
        # Checked here because a timeout ends only what waits: one request would be sent.
        if time_left <= 0:
            raise self._call_timed_out(call)
        try:
            try:
                # Few calls need a second attempt, and starting tenacity costs half a request.
                return await self._attempt(call)
            except VideoSDKTranscriptsError as error:
                failure = error
            # Outside of `except`, so that the first failure is not the context of the next.
            return await self._retry(call, failure)
        except (VideoSDKTranscriptsError, asyncio.CancelledError) as error:
            # A traceback with locals would show the headers and the proxy (aiohttp's frames)
            # and rows (ours). What a caller's own function raises keeps its frames.
            traceback.clear_frames(error.__traceback__)
            raise

    async def _attempt(self, call: Call[T]) -> T:
        """Wait for a slot and send one request, within its timeouts."""
        call.attempts.count += 1
        if call.reconcile is not None and call.attempts.in_doubt:
            found = await call.reconcile()
            if found is not None:
                return found
            call.attempts.in_doubt = False
        resources = await self._sessions.open()
        attempt_timeout = self._policy.attempt_timeout
        # One timer for both timeouts. It is set for the earlier one: moving it later is free.
        earlier = min(call.ends_at, resources.loop.time() + attempt_timeout)
        with self._sessions.limit(earlier) as timeout:
            # Waiting for a slot does not count: it is not the service that is slow.
            timeout.reschedule(call.ends_at)
            call.attempts.waiting_for = "a slot (max_in_flight)"
            # Not `async with`, which would run two more coroutines for the same two calls.
            await resources.semaphore.acquire()
            attempt = Attempt(call, resources.session, timeout, resources.semaphore)
            call.attempts.waiting_for = ""
            try:
                timeout.reschedule(min(call.ends_at, resources.loop.time() + attempt_timeout))
                return await call.send(attempt)
            finally:
                attempt.release_slot()
        raise self._timed_out(call, timeout)

    async def _retry(self, call: Call[T], failure: VideoSDKTranscriptsError) -> T:
        """Classify a first failure, and wait and send again as often as the policy allows."""
        policy, attempts = self._policy, call.attempts
        is_write = call.reconcile is not None
        back_off = wait_random_exponential(multiplier=policy.wait_initial, max=policy.wait_max)

        def may_retry(error: BaseException) -> bool:
            retry_after = getattr(error, "retry_after", None) or 0.0
            if attempts.deadline_passed or retry_after > policy.max_retry_after:
                return False
            if is_write:
                return is_retryable_write(error, in_doubt=attempts.in_doubt)
            return is_retryable(error)

        def wait(state: RetryCallState) -> float:
            # Never less than the service requires, and not all clients at the same moment.
            # A write that may have been applied gets some time to appear in the list.
            retry_after = _failure(state).retry_after or 0.0
            return retry_after + back_off(state) + (policy.wait_initial if is_write else 0.0)

        def must_stop(state: RetryCallState) -> bool:
            # A wait that would not end in time is not begun.
            is_too_long = state.upcoming_sleep >= call.deadline - self._clock.monotonic()
            return is_too_long or state.attempt_number >= policy.attempts

        def record(state: RetryCallState) -> None:
            call.stats.retries += 1
            attempts.last_error = _failure(state)
            _log_retry(call.what, state.attempt_number, _failure(state), state.upcoming_sleep)

        first = [failure]

        async def attempt() -> T:
            if first:
                raise first.pop()  # the first attempt, passed on to tenacity
            return await self._attempt(call)

        retrying = AsyncRetrying(
            retry=retry_if_exception(may_retry),
            stop=must_stop,
            wait=wait,
            sleep=lambda seconds: self._sleep(call, seconds),
            before_sleep=record,
            reraise=True,
        )
        try:
            return await retrying(attempt)
        except VideoSDKTranscriptsError as error:
            error.attempts = attempts.count
            raise

    async def _sleep(self, call: Call[T], seconds: float) -> None:
        with self._sessions.limit(call.ends_at) as timeout:
            return await self._clock.sleep(seconds)
        raise self._timed_out(call, timeout)

    def _timed_out(self, call: Call[T], timeout: Timeout) -> VideoSDKTranscriptsError:
        """Return the error for whichever end an expired timeout has reached."""
        if timeout.aborted:
            return self._sessions.closed_error()
        if timeout.ends_at >= call.ends_at:
            return self._call_timed_out(call)
        missing = call.attempts.waiting_for or "the whole response"
        limit = f"attempt_timeout of {self._policy.attempt_timeout:g} s"
        return TimedOutError(f"{call.what}: {_TIMED_OUT}{limit} while waiting for {missing}")

    def _call_timed_out(self, call: Call[T]) -> TimedOutError:
        attempts = call.attempts
        attempts.deadline_passed = True
        text = f"{call.what}: {_TIMED_OUT}{call.timeout_name}"
        if not attempts.count:
            text += " before the first attempt"
        else:
            text += f" on attempt {attempts.count}"
            if attempts.waiting_for:
                text += f" while waiting for {attempts.waiting_for}"
            if attempts.last_error is not None:
                # It names the same request, so its beginning would be a repetition.
                reason = attempts.last_error.message.removeprefix(f"{call.what}: ")
                text += f" (last error: {reason.removeprefix(_TIMED_OUT)})"
        return TimedOutError(f"{text}; allow more time, or resume later", attempts=attempts.count)


_TIMED_OUT: Final = "timed out: "


def _log_retry(what: str, number: int, error: VideoSDKTranscriptsError, wait: float) -> None:
    reason = type(error).__name__
    logger.info(
        "%s: attempt %d failed with %s, retrying in %.2f s",
        what,
        number,
        error.status if isinstance(error, StatusError) else reason,
        wait,
        extra={"attempt": number, "reason": reason, "status": error.status, "wait": wait},
    )


def _failure(state: RetryCallState) -> VideoSDKTranscriptsError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, VideoSDKTranscriptsError)  # noqa: S101 - `may_retry` accepted it
    return error
