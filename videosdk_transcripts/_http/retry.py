"""
Decide what is retried, when and for how long, and retry it (P6).

In reading order: the table of statuses to retry and the functions that read it, the policy that
users set, the state of a call, and the loop: attempt, classify, wait, retry.

Only the failures named here are retried: a list of failures not to retry would swallow
cancellations (https://github.com/jd/tenacity/issues/529).
"""

from __future__ import annotations

import asyncio
import logging
import math
import traceback
from collections.abc import Awaitable, Callable, Container, Iterable
from typing import Any, Final, Generic, TypeVar

import aiohttp
from attrs import Attribute, define, field, frozen
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception
from tenacity.wait import wait_exponential, wait_random_exponential

from videosdk_transcripts._clock import Clock
from videosdk_transcripts._validation import check_count, check_number
from videosdk_transcripts.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    InvalidResponseError,
    RateLimitedError,
    StatusError,
    TimedOutError,
    VideoSDKTranscriptsError,
)
from videosdk_transcripts.models import WalkStats

from .request_queue import Due, RequestQueue
from .session import Sessions
from .throttle import Throttle
from .timeout import Timeout

logger = logging.getLogger("videosdk_transcripts")

T = TypeVar("T")


# Statuses to retry.


@frozen
class _Rule:
    """What to do after a status."""

    read: bool
    """Whether a read is sent again."""
    write: bool
    """Whether a start or stop is sent again, because it was certainly not applied."""
    throttling: bool
    """Whether the service asks for fewer requests."""
    in_doubt: bool
    """Whether a start or stop may have been applied, so that it is not sent again blindly."""


# fmt: off
_RULES: Final = {
    #           read   write  throttling  in_doubt
    406:  _Rule(False, False, False,      True),  # an internal error, perhaps after the change
    408:  _Rule(True,  False, False,      True),
    429:  _Rule(True,  True,  True,       False),
    500:  _Rule(True,  False, False,      True),
    502:  _Rule(True,  False, False,      True),
    503:  _Rule(True,  False, True,       True),
    504:  _Rule(True,  False, False,      True),
    # Sent by edge proxies that can't reach the service:
    **dict.fromkeys(
        (520, 521, 522, 523, 524, 527, 529, 530),
          _Rule(True,  False, False,      True),
    ),
}
_REFUSED: Final = _Rule(False, False, False,      False)  # any other 3xx or 4xx
_OTHER: Final   = _Rule(False, False, False,      True)   # any other status
# fmt: on
# A failure without a status (no connection, a timeout, a response that is truncated or not the
# expected JSON) has no rule: it is retried if `is_transient` is true. A start or stop is then in
# doubt if its body was sent.

THROTTLING_STATUSES: Final = frozenset(s for s, rule in _RULES.items() if rule.throttling)
"""Statuses by which the service asks for fewer requests; a set, because it is checked often."""


def _rule_for(status: int) -> _Rule:
    return _RULES.get(status) or (_REFUSED if 300 <= status < 500 else _OTHER)


def is_retryable(error: BaseException, more: Container[int] = ()) -> bool:
    """
    Return whether a read is sent again after this failure.

    Args:
        error: the failure.
        more: statuses to retry in addition to those in the table.
    """
    if isinstance(error, StatusError):
        # A rejected token has been renewed already, whatever its status.
        status = error.status or 0
        is_added = status in more and not isinstance(error, AuthenticationError)
        return is_added or _rule_for(status).read
    return _is_transient_without_status(error)


def is_retryable_write(error: BaseException, *, in_doubt: bool) -> bool:
    """
    Return whether a start or stop may be sent again after this failure.

    Args:
        error: the failure.
        in_doubt: whether it may have been applied. It is sent again then only after
            `Call.reconcile` has found that it was not.
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


def _as_statuses(statuses: Iterable[int]) -> Any:
    """Return statuses as a set; invalid values are left to the validator."""
    # A traceback of an error raised here would show a policy without fields, which has no repr.
    try:
        items: list[Any] = list(statuses)
    except TypeError:
        return statuses
    # Members of http.HTTPStatus are integers, too.
    is_valid = all(isinstance(item, int) and 400 <= item <= 599 for item in items)
    return frozenset(map(int, items)) if is_valid else items


def _check_statuses(_policy: object, _attribute: object, value: object) -> None:
    if not isinstance(value, frozenset):
        raise ConfigurationError(
            "statuses must be a collection of whole numbers from 400 to 599, such as {425, 509}, "
            f"not {value!r}"
        )


@frozen
class RetryPolicy:
    """
    Set how often and for how long a request is tried. All times are in seconds.

    With the defaults, one page takes at most 120 s, the `page_timeout`. Within it, there are up
    to six attempts of at most 30 s each, with waits of at most 0.5, 1, 2, 4 and 8 s between them,
    drawn at random from zero up to these values (full jitter).

    ::

        TranscriptsClient(retry=RetryPolicy(attempts=3, page_timeout=20))

    Raises:
        ConfigurationError: a number is out of its bounds or of the wrong type.

    Attributes:
        attempts: maximum number of requests for one page, including the first; 1 or more.

            aiohttp itself resends a read once if the connection was lost before a response
            arrived; both count as one attempt, because the client can't observe this.
        wait_initial: upper bound of the first wait in seconds, 0 or more; it doubles with each
            attempt.
        wait_max: upper bound of the random waits in seconds, 0 or more.

            After a 429 without ``Retry-After``, the client waits for the upper bound plus the
            random wait. Such a 429, or a second one for the same request, also slows down all
            requests of the client.
        max_retry_after: the longest ``Retry-After`` to wait for, in seconds, 0 or more. After a
            longer one, the error is raised immediately.
        attempt_timeout: seconds for one request, from connecting to the last byte of the body;
            above 0.
        page_timeout: seconds for one page or object, with all its attempts and the waits
            between them; above 0.

            Time in the client's own queue (``max_in_flight``, rate limit) does not count,
            because the service does not cause it.
        statuses: additional statuses after which a read is retried, from 400 to 599; any
            iterable.

            Always retried are 408, 429, 500, 502, 503, 504, 520 to 524, 527, 529 and 530.
            Starts, stops, refused tokens and dead links of files are not affected.
    """

    attempts: int = field(default=6, validator=_count)
    wait_initial: float = field(default=0.5, validator=_at_least(0))
    wait_max: float = field(default=8.0, validator=_at_least(0))
    max_retry_after: float = field(default=60.0, validator=_at_least(0))
    attempt_timeout: float = field(default=30.0, validator=_at_least(0, above=True))
    page_timeout: float = field(default=120.0, validator=_at_least(0, above=True))
    statuses: frozenset[int] = field(
        default=frozenset(), converter=_as_statuses, validator=_check_statuses
    )


# The state of a call.


@define
class Attempts:
    """The attempts made so far for one page, object or file."""

    count: int = 0
    last_error: VideoSDKTranscriptsError | None = None
    waiting_for: str = ""
    """What the current attempt still needs before it can be sent."""
    deadline_passed: bool = False
    """Whether the time for all attempts is over, so that no other follows."""
    in_doubt: bool = False
    """Whether a write may have been applied: its body was sent, and it was not refused."""
    deadline: float = math.inf
    """
    When the time for all attempts is over, by the client's clock.

    It is postponed by the time spent in the queue.
    """
    seconds_queued: float = 0.0
    seconds_between: float = 0.0
    """The time spent waiting between attempts."""


@define(eq=False)
class Call(Generic[T]):
    """One page, object or file to request, and the state that all its attempts share."""

    what: str
    """What is requested, for errors and log lines."""
    send: Callable[[Attempt], Awaitable[T]]
    """Send one request and return its result; raises errors of this package."""
    stats: WalkStats
    attempts: Attempts
    began_at: float
    """When the call began, by the event loop's clock, which also applies to the next two."""
    ends_at: float
    """When page_timeout or walk_timeout ends, whichever is earlier."""
    walk_ends_at: float
    """When walk_timeout ends, which includes the time in the queue."""
    walk_deadline: float
    """When walk_timeout ends, by the client's clock."""
    due: Due | None
    """None if the result is due, otherwise resolved when it becomes due."""
    reconcile: Callable[[], Awaitable[T | None]] | None
    """
    Return the result of a write that may have been applied, or None if it was not applied.

    A read has no such function, because it can be sent again without harm.
    """


@define(eq=False)
class Attempt:
    """One attempt in progress, with its session and its timeout."""

    call: Call[Any]
    session: aiohttp.ClientSession
    timeout: Timeout
    _queue: RequestQueue
    _clock: Clock
    _throttle: Throttle | None = None
    _has_slot: bool = False
    _changes: int = 0

    async def admit(self) -> bool:
        """
        Wait until a request may be sent, and return whether it had to wait.

        The wait counts towards walk_timeout only.
        """
        self.release_slot()
        queued = not self._queue.try_acquire()
        if queued:
            await self._wait_in_queue()
        self._has_slot = True
        if self._throttle is not None:
            self._changes = self._throttle.changes
        return queued

    async def _wait_in_queue(self) -> None:
        call, timeout, attempts = self.call, self.timeout, self.call.attempts
        began, began_on_clock = timeout.loop.time(), self._clock.monotonic()
        attempt_ends_at = timeout.ends_at
        timeout.reschedule(call.walk_ends_at)
        try:
            await self._queue.acquire(call.due)
        except BaseException:
            attempts.waiting_for = self._queue.missing
            raise
        finally:
            seconds = timeout.loop.time() - began
            attempts.seconds_queued += seconds
            call.ends_at = min(call.ends_at + seconds, call.walk_ends_at)
            deadline = attempts.deadline + self._clock.monotonic() - began_on_clock
            attempts.deadline = min(deadline, call.walk_deadline)
        timeout.reschedule(min(attempt_ends_at + seconds, call.ends_at))

    def response_received(self) -> None:
        """Release the slot, and lift the attempt_timeout: the response is complete."""
        self.release_slot()
        self.timeout.reschedule(self.call.ends_at)

    def rate_limited(self) -> None:
        """Slow down all further requests of the client."""
        if self._throttle is not None:
            self._throttle.slow_down(self._changes)

    def succeeded(self) -> None:
        """Speed up all further requests of the client again."""
        if self._throttle is not None:
            self._throttle.speed_up(self._changes)

    def release_slot(self) -> None:
        """Release the slot for another request, if this attempt has one."""
        if self._has_slot:
            self._has_slot = False
            self._queue.release()


# The loop.


class Runner:
    """
    Run calls: attempt, classify the failure, wait, retry.

    A client has one for the API and one for the files, with separate sessions.

    Args:
        sessions: provides the sessions. Closing them ends every call in progress.
        policy: attempts and time limits.
        clock: the source of time and waits.
        throttle: slows down all requests after a 429 without Retry-After, or a repeated one;
            None to slow down only the requests that were refused.
    """

    def __init__(
        self,
        sessions: Sessions,
        policy: RetryPolicy,
        clock: Clock,
        throttle: Throttle | None = None,
    ) -> None:
        self._throttle = throttle
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
        due: Due | None = None,
        reconcile: Callable[[], Awaitable[T | None]] | None = None,
    ) -> T:
        """
        Call `send` until it succeeds, or until the policy ends it.

        Args:
            what: what is requested, for errors and log lines.
            send: sends one request and returns its result; raises errors of this package.
            stats: counts the retries.
            attempts: records what was tried, for the caller.
            deadline: when the whole walk must have ended, by the client's clock; None for no
                limit.
            due: None if the result is due, otherwise resolved when it becomes due.
            reconcile: for a write: returns the result if it was applied, otherwise None.

        Raises:
            VideoSDKTranscriptsError: the last failure, with the number of attempts.
        """
        now, loop_now = self._clock.monotonic(), asyncio.get_running_loop().time()
        walk_time_left = math.inf if deadline is None else deadline - now
        time_left = min(self._policy.page_timeout, walk_time_left)
        attempts = attempts or Attempts()
        attempts.deadline = now + time_left
        call = Call(
            what,
            send,
            stats,
            attempts,
            loop_now,
            loop_now + time_left,
            loop_now + walk_time_left,
            now + walk_time_left,
            due,
            reconcile,
        )
        # Checked here, because a timeout takes effect only at a wait: one request would be sent.
        if time_left <= 0:
            raise self._call_timed_out(call)
        try:
            try:
                # tenacity is only used from the second attempt on: it takes as much CPU time as
                # half a request, and few calls need it.
                return await self._attempt(call)
            except VideoSDKTranscriptsError as error:
                failure = error
            # Outside the `except` block, so that this failure is not the context of the next.
            return await self._retry(call, failure)
        except (VideoSDKTranscriptsError, asyncio.CancelledError) as error:
            # A traceback with locals would show the headers and the proxy (in aiohttp's frames)
            # and rows (in ours). An exception of a caller's own function keeps its frames.
            traceback.clear_frames(error.__traceback__)
            raise

    async def _attempt(self, call: Call[T]) -> T:
        """Send one request, within its timeouts."""
        call.attempts.count += 1
        if call.reconcile is not None and call.attempts.in_doubt:
            found = await call.reconcile()
            if found is not None:
                return found
            call.attempts.in_doubt = False
        resources = await self._sessions.open()
        attempt_timeout = self._policy.attempt_timeout
        # One timer for both timeouts, set for the earlier one, because postponing it is cheap.
        earlier = min(call.ends_at, resources.loop.time() + attempt_timeout)
        with self._sessions.limit(earlier) as timeout:
            attempt = Attempt(
                call, resources.session, timeout, resources.queue, self._clock, self._throttle
            )
            try:
                result = await call.send(attempt)
            except RateLimitedError as error:
                # A Retry-After applies to this request only. If the service refuses the request
                # again after that time, all requests are slowed down.
                is_repeated = isinstance(call.attempts.last_error, RateLimitedError)
                if error.retry_after is None or is_repeated:
                    attempt.rate_limited()
                raise
            else:
                attempt.succeeded()
                return result
            finally:
                attempt.release_slot()
        raise self._timed_out(call, timeout)

    async def _retry(self, call: Call[T], failure: VideoSDKTranscriptsError) -> T:
        """Retry after a first failure, as often as the policy allows."""
        policy, attempts = self._policy, call.attempts
        is_write = call.reconcile is not None

        def may_retry(error: BaseException) -> bool:
            retry_after = getattr(error, "retry_after", None) or 0.0
            if attempts.deadline_passed or retry_after > policy.max_retry_after:
                return False
            if is_write:
                return is_retryable_write(error, in_doubt=attempts.in_doubt)
            return is_retryable(error, policy.statuses)

        def must_stop(state: RetryCallState) -> bool:
            # Don't start a wait that would end after the deadline.
            is_too_long = state.upcoming_sleep >= attempts.deadline - self._clock.monotonic()
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
            wait=_waits(policy, is_write=is_write),
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
            began = timeout.loop.time()
            try:
                return await self._clock.sleep(seconds)
            finally:
                call.attempts.seconds_between += timeout.loop.time() - began
        raise self._timed_out(call, timeout)

    def _timed_out(self, call: Call[T], timeout: Timeout) -> VideoSDKTranscriptsError:
        """Return the error for an expired timeout: attempt, page or walk, or a closed client."""
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
        is_walk = call.ends_at >= call.walk_ends_at
        text = f"{call.what}: {_TIMED_OUT}{'walk_timeout' if is_walk else 'page_timeout'}"
        if not attempts.count:
            text += " before the first attempt"
        else:
            text += f" on attempt {attempts.count}"
            if attempts.waiting_for:
                text += f" while waiting for {attempts.waiting_for}"
            if attempts.last_error is not None:
                # It begins with the same request, which is not repeated.
                reason = attempts.last_error.message.removeprefix(f"{call.what}: ")
                text += f" (last error: {reason.removeprefix(_TIMED_OUT)})"
            text += f"; {_time_spent(call, is_walk=is_walk)}"
        return TimedOutError(f"{text}; allow more time, or resume later", attempts=attempts.count)


def _waits(policy: RetryPolicy, *, is_write: bool) -> Callable[[RetryCallState], float]:
    """Return the function that computes the wait after a failure."""
    limits = {"multiplier": policy.wait_initial, "max": policy.wait_max}
    longest, drawn = wait_exponential(**limits), wait_random_exponential(**limits)

    def wait(state: RetryCallState) -> float:
        # At least as long as the service requires, plus jitter.
        failure = _failure(state)
        least = failure.retry_after
        if least is None:
            # A 429 requires a wait even without a Retry-After. Clients that retry immediately
            # use up their attempts before the service can serve all of them.
            least = longest(state) if isinstance(failure, RateLimitedError) else 0.0
        # A write that was applied needs some time to appear in the list.
        return least + drawn(state) + (policy.wait_initial if is_write else 0.0)

    return wait


_TIMED_OUT: Final = "timed out: "


def _time_spent(call: Call[Any], *, is_walk: bool) -> str:
    queued, between = call.attempts.seconds_queued, call.attempts.seconds_between
    sending = asyncio.get_running_loop().time() - call.began_at - queued - between
    text = f"it spent {sending:.2f} s on requests, {between:.2f} s between them"
    if queued:
        counted = "and" if is_walk else "not counting"
        text += f", {counted} {queued:.2f} s queued (max_in_flight, rate limit)"
    return text


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
