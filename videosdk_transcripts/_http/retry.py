"""
What is tried again, when and for how long. Stands on tenacity.

A request is repeated after the failures named here and no others: a list of what not to
repeat would swallow a cancellation (tenacity issue 529).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from attrs import Attribute, define, field, frozen
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception
from tenacity.wait import wait_random_exponential

from videosdk_transcripts._validation import check_count, check_number
from videosdk_transcripts.errors import (
    ConnectionFailedError,
    InvalidResponseError,
    NoResponseError,
    RateLimitedError,
    ServerError,
    StatusError,
    TimedOutError,
    VideoSDKTranscriptsError,
)
from videosdk_transcripts.models import WalkStats

logger = logging.getLogger("videosdk_transcripts")

T = TypeVar("T")

RETRYABLE_STATUSES: Final = frozenset({408, 429, 500, 502, 503, 504})
RETRYABLE_ERRORS: Final = frozenset({ConnectionFailedError, TimedOutError, InvalidResponseError})
"""These classes and none below them: a row that can't be read gets no better by asking again."""
THROTTLING_STATUSES: Final = frozenset({429, 503})
"""By these a service asks for less."""


def _at_least(least: float, *, above: bool = False) -> Callable[..., None]:
    def check(_policy: object, attribute: Attribute[float], value: object) -> None:
        check_number(attribute.name, value, least=least, above=above)

    return check


def _count(_policy: object, attribute: Attribute[int], value: object) -> None:
    check_count(attribute.name, value)


@frozen
class RetryPolicy:
    """
    How long to try. All times are seconds.

    With the defaults one page takes at most 120 s, whatever happens: six attempts of at
    most 30 s each, and waits of at most 0.5, 1, 2, 4 and 8 s between them, each drawn
    evenly from zero up to that (full jitter), would be 195.5 s, and the deadline cuts them off.
    """

    attempts: int = field(default=6, validator=_count)
    """
    Requests for one page at most, the first one included.

    aiohttp by itself sends a read once more where the connection broke before an answer;
    that is part of one attempt, and can't be seen from here.
    """
    wait_initial: float = field(default=0.5, validator=_at_least(0))
    """The longest first wait; it doubles with each attempt."""
    wait_max: float = field(default=8.0, validator=_at_least(0))
    """The longest wait that we choose ourselves."""
    max_retry_after: float = field(default=60.0, validator=_at_least(0))
    """The longest ``Retry-After`` that is waited for. A longer one is raised at once."""
    attempt_timeout: float = field(default=30.0, validator=_at_least(0, above=True))
    """One request, from connecting to the last byte of the body."""
    page_timeout: float = field(default=120.0, validator=_at_least(0, above=True))
    """One page or object, with all its attempts and the waits between them."""


def is_retryable(error: BaseException) -> bool:
    """Tell whether a read is sent again after this failure."""
    if isinstance(error, StatusError):
        return error.status in RETRYABLE_STATUSES
    return type(error) in RETRYABLE_ERRORS


def is_retryable_write(error: BaseException, *, in_doubt: bool) -> bool:
    """
    Tell whether a write may be sent again after this failure.

    Args:
        error: the failure.
        in_doubt: whether it may have been applied, so that somebody looks before it is sent.
    """
    if in_doubt:
        return isinstance(error, _OPEN_FAILURES)
    is_throttled = isinstance(error, StatusError) and error.status == 429
    return is_throttled or type(error) in RETRYABLE_ERRORS


_OPEN_FAILURES: Final = (ConnectionFailedError, TimedOutError, InvalidResponseError, StatusError)
"""With all below them: nothing is sent after these without a look."""


def is_refusal(status: int) -> bool:
    """Tell whether a status says that a write was not applied."""
    return 300 <= status < 500 and status not in _OPEN_STATUSES


_OPEN_STATUSES: Final = frozenset({406, 408})
"""As 406 the service dresses failures of its own, which may come after the deed."""


@define
class Attempts:
    """What has been tried so far for one page or object."""

    count: int = 0
    last_error: VideoSDKTranscriptsError | None = None
    waiting_for: str = ""
    """What the attempt has to have before it can be sent, and has not got yet."""
    deadline_passed: bool = False
    """Whether the time for all of them has passed, so that none is to follow."""
    in_doubt: bool = False
    """Whether one was a write that may have been applied: its body left, and no refusal came."""

    def __str__(self) -> str:
        if not self.count:
            return "before the first attempt"
        after = f", after {self.last_error.message}" if self.last_error else ""
        waiting = f" while it waited for {self.waiting_for}" if self.waiting_for else ""
        return f"in attempt {self.count}{waiting}{after}"


async def with_retries(
    attempt: Callable[[], Awaitable[T]],
    policy: RetryPolicy,
    *,
    subject: str,
    attempts: Attempts,
    stats: WalkStats,
    time_left: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
    is_write: bool = False,
) -> T:
    """
    Call `attempt` until it succeeds, or until the policy says stop.

    Args:
        attempt: sends one request; its errors are those of this package.
        policy: what to try.
        subject: what is asked for, for the log.
        attempts: takes note of what was tried.
        stats: counts the retries.
        time_left: seconds until the deadline.
        sleep: waits that many seconds.
        is_write: whether a second one could do harm; `attempt` looks before it sends again.

    Raises:
        VideoSDKTranscriptsError: the last failure, with the number of attempts.
    """
    # Hardly any page needs a second attempt, and to start tenacity costs half a request.
    attempts.count += 1
    try:
        return await attempt()
    except VideoSDKTranscriptsError as error:
        failures = [error]
    # Out here, where the first failure is no context of the next one.
    back_off = wait_random_exponential(multiplier=policy.wait_initial, max=policy.wait_max)

    def may_repeat(error: BaseException) -> bool:
        asked = getattr(error, "retry_after", None) or 0.0
        is_over = attempts.deadline_passed or asked > policy.max_retry_after
        if is_write:
            return is_retryable_write(error, in_doubt=attempts.in_doubt) and not is_over
        return is_retryable(error) and not is_over

    def wait(state: RetryCallState) -> float:
        # Never less than the service asked for, and not all clients at that moment.
        asked = _failure(state).retry_after or 0.0
        # What a write may have begun gets some time to be seen, before somebody looks.
        return asked + back_off(state) + (policy.wait_initial if is_write else 0.0)

    def is_over(state: RetryCallState) -> bool:
        return state.attempt_number >= policy.attempts or state.upcoming_sleep >= time_left()

    def tell(state: RetryCallState) -> None:
        stats.retries += 1
        attempts.last_error = error = _failure(state)
        logger.info(
            "%s: attempt %d failed with %s, next one in %.2f s",
            subject,
            state.attempt_number,
            error.status if isinstance(error, StatusError) else type(error).__name__,
            state.upcoming_sleep,
            extra={
                "attempt": state.attempt_number,
                "reason": type(error).__name__,
                "status": error.status,
                "wait": state.upcoming_sleep,
            },
        )

    async def again() -> T:
        if failures:
            raise failures.pop()  # the first attempt, told to tenacity as it was
        attempts.count += 1
        return await attempt()

    retrying = AsyncRetrying(
        retry=retry_if_exception(may_repeat),
        stop=is_over,
        wait=wait,
        sleep=sleep,
        before_sleep=tell,
        reraise=True,
    )
    try:
        return await retrying(again)
    except VideoSDKTranscriptsError as error:
        error.attempts = attempts.count
        raise


def _failure(state: RetryCallState) -> VideoSDKTranscriptsError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, VideoSDKTranscriptsError)  # noqa: S101 - `may_repeat` named it
    return error


_REQUEST_TIMEOUT: Final = 408

TRANSIENT_ERRORS: Final = (NoResponseError, RateLimitedError, ServerError)
"""What is no fault of what was asked for: the service does not answer, or wants quiet."""


def is_transient(error: VideoSDKTranscriptsError) -> bool:
    """
    Tell whether a failure may be gone the next time.

    Each has been tried several times before it comes here. A refused token, or a row that
    can't be read, would be met again; a body that broke off, or a page of a proxy in place
    of the answer, need not be.
    """
    is_broken = type(error) is InvalidResponseError  # and no class below it
    return isinstance(error, TRANSIENT_ERRORS) or is_broken or error.status == _REQUEST_TIMEOUT
