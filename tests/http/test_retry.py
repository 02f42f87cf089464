"""P6: what is tried again is named, and the waits are honest."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from videosdk_transcripts import (
    ConfigurationError,
    ConnectionFailedError,
    InvalidResponseError,
    InvalidRowError,
    NotFoundError,
    PaginationError,
    RateLimitedError,
    ResponseTooLargeError,
    RetryPolicy,
    ServerError,
    TimedOutError,
    UnverifiedRowError,
    VideoSDKTranscriptsError,
    WalkStats,
)
from videosdk_transcripts._api.protocol import status_error
from videosdk_transcripts._http.retry import Attempts, is_retryable, with_retries
from videosdk_transcripts.errors import StatusError

from ..conftest import ManualClock


async def run(
    failures: list[BaseException],
    clock: ManualClock,
    policy: RetryPolicy | None = None,
    *,
    deadline: float = 1e9,
    stats: WalkStats | None = None,
) -> str:
    """Meet these failures, one an attempt, and then succeed."""
    left = list(failures)

    async def attempt() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return await with_retries(
        attempt,
        policy or RetryPolicy(),
        subject="page 2",
        attempts=Attempts(),
        stats=stats or WalkStats(),
        time_left=lambda: deadline - clock.now,
        sleep=clock.sleep,
    )


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_repeated_statuses(status: int) -> None:
    """These six, for a read."""
    assert is_retryable(status_error(status)("x", status=status))


@pytest.mark.parametrize("status", [301, 400, 401, 402, 403, 404, 406, 409, 410, 422, 501, 505])
def test_statuses_that_stay(status: int) -> None:
    """And no others."""
    assert not is_retryable(status_error(status)("x", status=status))


@pytest.mark.parametrize(
    ("error", "repeated"),
    [
        (ConnectionFailedError("x"), True),
        (TimedOutError("x"), True),
        (InvalidResponseError("x"), True),
        (ResponseTooLargeError("x"), False),
        (InvalidRowError("x"), False),
        (UnverifiedRowError("x"), False),
        (PaginationError("x"), False),
        (VideoSDKTranscriptsError("x"), False),
        (asyncio.CancelledError(), False),
        (KeyboardInterrupt(), False),
        (ValueError("x"), False),
        (TimeoutError("x"), False),
    ],
)
def test_repeated_failures(error: BaseException, repeated: bool) -> None:
    """Broken connections, limits of an attempt and unreadable bodies; nothing unnamed."""
    assert repeated is is_retryable(error)


async def test_it_goes_on_until_it_succeeds(clock: ManualClock) -> None:
    """Each failure but the last attempt's is waited out and counted."""
    stats = WalkStats()
    failures: list[BaseException] = [ServerError("x", status=503)] * 5
    assert await run(failures, clock, stats=stats) == "done"
    assert (len(clock.slept), stats.retries) == (5, 5)


async def test_the_last_failure_is_raised_as_it_was(clock: ManualClock) -> None:
    """With the number of attempts, and without tenacity's own error."""
    failures = [ServerError("x", status=503) for _ in range(3)]
    with pytest.raises(ServerError) as caught:
        await run(list(failures), clock, RetryPolicy(attempts=3))
    assert caught.value is failures[-1]
    assert (caught.value.attempts, len(clock.slept)) == (3, 2)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("error", [NotFoundError("x", status=404), InvalidRowError("x")])
async def test_what_is_not_named_is_raised_at_once(
    clock: ManualClock, error: VideoSDKTranscriptsError
) -> None:
    """One attempt and no wait."""
    with pytest.raises(type(error)):
        await run([error], clock)
    assert (error.attempts, clock.slept) == (1, [])


async def test_a_cancellation_gets_through(clock: ManualClock) -> None:
    """And so does what is not of this package."""
    for error in (asyncio.CancelledError(), KeyError("x")):
        with pytest.raises(type(error)):
            await run([error], clock)
    assert clock.slept == []


async def test_waits_double_with_full_jitter(clock: ManualClock) -> None:
    """Drawn evenly from zero to a bound that doubles until its longest."""
    policy = RetryPolicy(attempts=7, wait_initial=0.5, wait_max=4.0)
    seen: list[list[float]] = [[] for _ in range(6)]
    for _ in range(200):
        clock.slept.clear()
        await run([ServerError("x", status=503)] * 6, clock, policy)
        for waits, waited in zip(seen, clock.slept, strict=True):
            waits.append(waited)
    for waits, bound in zip(seen, (0.5, 1, 2, 4, 4, 4), strict=True):
        assert 0 <= min(waits) < bound * 0.1
        assert bound * 0.9 < max(waits) <= bound


@pytest.mark.parametrize("asked", [0.0, 3.0, 60.0])
async def test_retry_after_is_never_undercut(clock: ManualClock, asked: float) -> None:
    """The jitter comes on top of it."""
    await run([RateLimitedError("x", status=429, retry_after=asked)], clock)
    assert asked <= clock.slept[0] <= asked + 0.5


async def test_a_retry_after_beyond_the_cap_is_raised_at_once(clock: ManualClock) -> None:
    """With its value, and without an early attempt."""
    with pytest.raises(RateLimitedError) as caught:
        await run([RateLimitedError("x", status=429, retry_after=60.1)], clock)
    assert (caught.value.retry_after, caught.value.attempts, clock.slept) == (60.1, 1, [])


async def test_a_wait_beyond_the_deadline_is_not_begun(clock: ManualClock) -> None:
    """The failure is raised while there is still time to do something else."""
    with pytest.raises(RateLimitedError):
        await run(
            [RateLimitedError("x", status=429, retry_after=5.0)], clock, deadline=clock.now + 5.0
        )
    assert clock.slept == []


async def test_each_retry_is_a_record(clock: ManualClock, caplog: pytest.LogCaptureFixture) -> None:
    """Page, attempt, reason and wait, as text and as fields."""
    with caplog.at_level(logging.INFO, "videosdk_transcripts"):
        await run([ServerError("x", status=503), ConnectionFailedError("x")], clock)
    first, second = caplog.records
    assert first.getMessage().startswith("page 2: attempt 1 failed with 503, next one in ")
    assert second.getMessage().startswith("page 2: attempt 2 failed with ConnectionFailedError")
    fields: Callable[[Any], tuple[Any, ...]] = lambda r: (r.attempt, r.reason, r.status, r.wait)  # noqa: E731
    assert fields(first) == (1, "ServerError", 503, clock.slept[0])
    assert fields(second) == (2, "ConnectionFailedError", None, clock.slept[1])


@pytest.mark.parametrize(
    ("count", "last", "text"),
    [
        (0, None, "before the first attempt"),
        (1, None, "in attempt 1"),
        (3, StatusError("it broke"), "in attempt 3, after it broke"),
    ],
)
def test_attempts_tell_what_was_tried(
    count: int, last: VideoSDKTranscriptsError | None, text: str
) -> None:
    """For the error of a deadline."""
    assert text == str(Attempts(count, last))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("attempts", 0),
        ("attempts", 1.5),
        ("attempts", True),
        ("wait_initial", -1),
        ("wait_max", float("nan")),
        ("max_retry_after", "60"),
        ("attempt_timeout", 0),
        ("page_timeout", None),
    ],
)
def test_a_policy_out_of_bounds(name: str, value: Any) -> None:
    """Refused at construction, by name."""
    with pytest.raises(ConfigurationError, match=f"{name} must be"):
        RetryPolicy(**{name: value})


def test_the_defaults_and_their_arithmetic() -> None:
    """The numbers of the docstring."""
    policy = RetryPolicy()
    waits = [min(policy.wait_max, policy.wait_initial * 2**n) for n in range(policy.attempts - 1)]
    assert waits == [0.5, 1, 2, 4, 8]
    assert policy.attempts * policy.attempt_timeout + sum(waits) == 195.5
    assert policy.page_timeout == 120
