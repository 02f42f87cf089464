"""P6: what is retried is listed in one table, and waits respect the service and the policy."""

import asyncio
import logging
import pickle
import re
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import aiohttp
import pytest

from videosdk_transcripts import (
    AuthenticationError,
    ClientClosedError,
    Clock,
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
    StatusError,
    TimedOutError,
    UnverifiedRowError,
    VideoSDKTranscriptsError,
    WalkStats,
)
from videosdk_transcripts._api.protocol import status_error
from videosdk_transcripts._http.retry import (
    THROTTLING_STATUSES,
    Attempt,
    Attempts,
    Runner,
    is_retryable,
    is_retryable_write,
    leaves_in_doubt,
)
from videosdk_transcripts._http.session import ConnectionOptions, Sessions
from videosdk_transcripts.testing import Delay, FakeVideoSDK, Status

from ..conftest import ManualClock

RETRIED = [408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 527, 529, 530]


def of_status(status: int) -> VideoSDKTranscriptsError:
    """Return the error for a status."""
    return status_error(status)("x", status=status)


@asynccontextmanager
async def running(
    clock: Clock, policy: RetryPolicy | None = None, sessions: Sessions | None = None
) -> AsyncIterator[Runner]:
    """Provide a runner, and close its session afterwards."""
    sessions = sessions or Sessions(ConnectionOptions())
    yield Runner(sessions, policy or RetryPolicy(), clock)
    await sessions.aclose()


async def run(runner: Runner, failures: list[BaseException], **options: Any) -> str:
    """Run a call that fails with these, one for each attempt, and then succeeds."""
    left = list(failures)

    async def send(_attempt: Attempt) -> str:
        if left:
            raise left.pop(0)
        return "done"

    return await runner.run("GET page 2", send, **{"stats": WalkStats(), **options})


async def never(_attempt: Attempt) -> str:
    """Send a request that gets no response."""
    await asyncio.Event().wait()
    return ""


# The table.


@pytest.mark.parametrize("status", RETRIED)
def test_read_is_retried_after_these_statuses(status: int) -> None:
    """These errors are also transient."""
    assert is_retryable(of_status(status))
    assert of_status(status).is_transient


@pytest.mark.parametrize(
    "status", [301, 400, 401, 404, 406, 409, 410, 422, 501, 505, 519, 525, 526, 528, 531]
)
def test_read_is_not_retried_after_other_statuses(status: int) -> None:
    """Whether to retry after 406, 501, 505 or a bad certificate is up to the caller."""
    assert not is_retryable(of_status(status))
    assert of_status(status).is_transient is (status == 406 or status >= 500)


@pytest.mark.parametrize("status", [*RETRIED, 301, 400, 404, 406, 501])
def test_only_429_lets_a_settled_write_be_sent_again(status: int) -> None:
    """After any other status, the caller must check first, or a retry would not help."""
    assert is_retryable_write(of_status(status), in_doubt=False) is (status == 429)
    assert is_retryable_write(of_status(status), in_doubt=True)


@pytest.mark.parametrize("status", [200, 204, 406, 408, 500, 501, 502, 503, 504, 520])
def test_write_leaves_in_doubt_after_these_statuses(status: int) -> None:
    """A failure may occur after the change, and an unreadable success proves nothing."""
    assert leaves_in_doubt(status)


@pytest.mark.parametrize("status", [301, 304, 400, 401, 403, 404, 409, 422, 429, 499])
def test_rejected_write_is_settled(status: int) -> None:
    """It was not applied."""
    assert not leaves_in_doubt(status)


def test_no_other_status_is_retried_or_settled() -> None:
    """The whole range: a neighbour of a status in the table has its own rule."""
    for status in range(300, 600):
        error = of_status(status)
        assert is_retryable(error) is (status in RETRIED), status
        assert is_retryable_write(error, in_doubt=False) is (status == 429), status
        assert leaves_in_doubt(status) is (status in {406, 408} or status >= 500), status
    assert leaves_in_doubt(199)
    assert leaves_in_doubt(299)


def test_throttling_statuses() -> None:
    """Read-ahead backs off after these."""
    assert frozenset({429, 503}) == THROTTLING_STATUSES


@pytest.mark.parametrize(
    ("error", "retried"),
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
def test_failures_without_status(error: BaseException, retried: bool) -> None:
    """Failed connections, timeouts and unreadable responses are retried, and nothing else."""
    assert retried is is_retryable(error) is is_retryable_write(error, in_doubt=False)
    assert retried is getattr(error, "is_transient", False)


@pytest.mark.parametrize("error", [InvalidRowError("x"), ConnectionFailedError("x")])
def test_write_in_doubt_may_be_sent_again_after_any_failure_of_the_request(
    error: VideoSDKTranscriptsError,
) -> None:
    """Only after `reconcile` has found that it was not applied."""
    assert is_retryable_write(error, in_doubt=True)
    assert not is_retryable_write(ConfigurationError("x"), in_doubt=True)


# The loop.


async def test_retries_until_success(clock: ManualClock) -> None:
    """Each failure is followed by a wait and counted."""
    stats, attempts = WalkStats(), Attempts()
    failures = [ServerError("x", status=503) for _ in range(5)]
    async with running(clock.clock) as runner:
        assert await run(runner, list(failures), stats=stats, attempts=attempts) == "done"
    assert (len(clock.slept), stats.retries, attempts.count) == (5, 5, 6)
    assert attempts.last_error is failures[-1]


async def test_last_failure_is_raised_unchanged(clock: ManualClock) -> None:
    """It has the number of attempts, and tenacity's error is not raised."""
    failures = [ServerError("x", status=503) for _ in range(3)]
    async with running(clock.clock, RetryPolicy(attempts=3)) as runner:
        with pytest.raises(ServerError) as caught:
            await run(runner, list(failures))
    assert caught.value is failures[-1]
    assert (caught.value.attempts, len(clock.slept)) == (3, 2)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


@pytest.mark.parametrize("error", [NotFoundError("x", status=404), InvalidRowError("x")])
async def test_permanent_failure_is_raised_immediately(
    clock: ManualClock, error: VideoSDKTranscriptsError
) -> None:
    """The error is raised after one attempt without a wait."""
    async with running(clock.clock) as runner:
        with pytest.raises(type(error)):
            await run(runner, [error])
    assert (error.attempts, clock.slept) == (1, [])


@pytest.mark.parametrize("error", [asyncio.CancelledError(), KeyError("x")])
async def test_cancellation_and_foreign_errors_get_through(
    clock: ManualClock, error: BaseException
) -> None:
    """Neither is retried."""
    async with running(clock.clock) as runner:
        with pytest.raises(type(error)):
            await run(runner, [error])
    assert clock.slept == []


@pytest.mark.parametrize("outcome", ["cancelled", "refused", "of the caller"])
async def test_frames_of_a_failed_request_are_cleared(clock: ManualClock, outcome: str) -> None:
    """They would show headers and rows; those of a caller's own function are kept."""

    async def send(_attempt: Attempt) -> str:
        headers = "the headers"
        if outcome == "cancelled":
            await asyncio.Event().wait()
        raise NotFoundError("x") if outcome == "refused" else KeyError(headers)

    async with running(clock.clock) as runner:
        call = asyncio.create_task(runner.run("GET page 2", send, stats=WalkStats()))
        await asyncio.sleep(0.01)
        if outcome == "cancelled":
            call.cancel()
        with pytest.raises((asyncio.CancelledError, NotFoundError, KeyError)) as caught:
            await call
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    (sent,) = [frame for frame in frames if frame.f_code is send.__code__]
    assert ("headers" in sent.f_locals) is (outcome == "of the caller")


async def test_waits_double_with_full_jitter(clock: ManualClock) -> None:
    """Each wait is random, from zero up to a bound that doubles until wait_max."""
    policy = RetryPolicy(attempts=7, wait_initial=0.5, wait_max=4.0, page_timeout=1e9)
    seen: list[list[float]] = [[] for _ in range(6)]
    async with running(clock.clock, policy) as runner:
        for _ in range(200):
            clock.slept.clear()
            await run(runner, [ServerError("x", status=503)] * 6)
            for waits, waited in zip(seen, clock.slept, strict=True):
                waits.append(waited)
    for waits, bound in zip(seen, (0.5, 1, 2, 4, 4, 4), strict=True):
        assert 0 <= min(waits) < bound * 0.1
        assert bound * 0.9 < max(waits) <= bound


async def test_429_without_retry_after_waits_for_the_bound_at_least(clock: ManualClock) -> None:
    """The wait is at most twice the bound; other failures may be retried immediately."""
    async with running(clock.clock) as runner:
        for _ in range(50):
            await run(runner, [RateLimitedError("x", status=429)] * 5)
    for number, bound in enumerate([0.5, 1, 2, 4, 8]):
        waits = clock.slept[number::5]
        assert bound <= min(waits) < bound * 1.2
        assert bound * 1.8 < max(waits) <= bound * 2


@pytest.mark.parametrize("asked", [0.0, 3.0, 60.0])
async def test_wait_is_never_shorter_than_retry_after(clock: ManualClock, asked: float) -> None:
    """The jitter is added to it."""
    async with running(clock.clock) as runner:
        await run(runner, [RateLimitedError("x", status=429, retry_after=asked)])
    assert asked <= clock.slept[0] <= asked + 0.5


async def test_retry_after_beyond_the_cap_is_raised_immediately(clock: ManualClock) -> None:
    """The error has its value, and there is no other attempt."""
    async with running(clock.clock) as runner:
        with pytest.raises(RateLimitedError) as caught:
            await run(runner, [RateLimitedError("x", status=429, retry_after=60.1)])
    assert (caught.value.retry_after, caught.value.attempts, clock.slept) == (60.1, 1, [])


@pytest.mark.parametrize("most", [0.0, 0.3, 0.9])
async def test_cap_of_retry_after_below_one_second(clock: ManualClock, most: float) -> None:
    """The limit is exact."""
    async with running(clock.clock, RetryPolicy(max_retry_after=most, wait_initial=0)) as runner:
        await run(runner, [RateLimitedError("x", status=429, retry_after=most)])
        assert clock.slept == [most]
        with pytest.raises(RateLimitedError):
            await run(runner, [RateLimitedError("x", status=429, retry_after=most + 0.01)])
        assert clock.slept == [most]
        # The cap is no reason not to retry a failure without the header.
        assert await run(runner, [ServerError("x", status=503)]) == "done"


async def test_wait_beyond_the_deadline_is_not_begun(clock: ManualClock) -> None:
    """The failure is raised while there is still time for something else."""
    async with running(clock.clock) as runner:
        with pytest.raises(RateLimitedError):
            await run(
                runner,
                [RateLimitedError("x", status=429, retry_after=5.0)],
                deadline=clock.now + 5.0,
            )
    assert clock.slept == []


async def test_wait_that_ends_at_the_deadline_is_not_begun(clock: ManualClock) -> None:
    """There is no time for the attempt after it; a moment more is enough."""
    policy = RetryPolicy(wait_initial=0, wait_max=0)
    throttled = RateLimitedError("x", status=429, retry_after=5.0)
    async with running(clock.clock, policy) as runner:
        with pytest.raises(RateLimitedError):
            await run(runner, [throttled], deadline=clock.now + 5.0)
        assert clock.slept == []
        assert await run(runner, [throttled], deadline=clock.now + 5.1) == "done"
    assert clock.slept == [5.0]


async def test_write_waits_longer_than_a_read(clock: ManualClock) -> None:
    """So that a start or stop that was applied appears in the list; an earlier one is not sent."""

    async def find() -> None:
        return None

    policy = RetryPolicy(wait_initial=0.5, wait_max=0.5)
    async with running(clock.clock, policy) as runner:
        for _ in range(20):
            failure = RateLimitedError("x", status=429, retry_after=2.0)
            assert await run(runner, [failure], reconcile=find) == "done"
    assert 2.5 <= min(clock.slept) <= max(clock.slept) <= 3.0


async def test_write_in_doubt_that_was_applied_is_not_sent_again(clock: ManualClock) -> None:
    """The result is that of the search."""
    sent: list[int] = []

    async def find() -> str:
        return "found"

    async def send(attempt: Attempt) -> str:
        sent.append(1)
        attempt.call.attempts.in_doubt = True
        raise ConnectionFailedError("x")

    async with running(clock.clock) as runner:
        stats = WalkStats()
        assert await runner.run("POST a start", send, stats=stats, reconcile=find) == "found"
    assert (len(sent), stats.retries) == (1, 1)


async def test_doubt_about_a_write_ends_when_it_was_not_applied(clock: ManualClock) -> None:
    """Otherwise a later attempt, which was not sent, would cause a second search."""
    searches: list[int] = []
    failures = [ServerError("x", status=503), ConnectionFailedError("x")]

    async def find() -> None:
        searches.append(1)

    async def send(attempt: Attempt) -> str:
        if len(failures) == 2:
            # As after a request whose body was sent.
            attempt.call.attempts.in_doubt = True
        if failures:
            raise failures.pop(0)
        return "done"

    async with running(clock.clock) as runner:
        stats = WalkStats()
        assert await runner.run("POST a start", send, stats=stats, reconcile=find) == "done"
    assert (len(searches), stats.retries) == (1, 2)


async def test_deadline_beyond_the_page_timeout_does_not_extend_it(clock: ManualClock) -> None:
    """The earlier of the two applies."""
    policy = RetryPolicy(page_timeout=5, wait_initial=0, wait_max=0)
    throttled = RateLimitedError("x", status=429, retry_after=6.0)
    for later in (0.0, 100.0):
        async with running(clock.clock, policy) as runner:
            with pytest.raises(RateLimitedError):
                await run(runner, [throttled], deadline=clock.now + 5 + later)
    assert clock.slept == []


async def test_no_attempt_follows_a_passed_timeout(clock: ManualClock) -> None:
    """Even if there is time left by the client's clock."""
    policy = RetryPolicy(page_timeout=0.05, wait_initial=0, wait_max=0)
    async with running(clock.clock, policy) as runner:
        for deadline, name in ((None, "page_timeout"), (clock.now + 0.04, "walk_timeout")):
            with pytest.raises(TimedOutError, match=f"timed out: {name} on attempt 1"):
                await runner.run("GET page 2", never, stats=WalkStats(), deadline=deadline)


async def test_timeout_error_has_the_times_of_requests_and_waits() -> None:
    """Nothing was queued, and the wait takes the time that the client's clock gives it."""
    policy = RetryPolicy(page_timeout=0.12, wait_initial=0, wait_max=0)
    clock, loop = Clock(sleep=lambda _seconds: asyncio.sleep(0.06)), asyncio.get_running_loop()
    pattern = (
        r"GET page 2: timed out: page_timeout on attempt {attempt}; "
        r"it spent (\d+\.\d\d) s on requests, (\d+\.\d\d) s between them; "
        r"allow more time, or resume later"
    )

    async def fail_once(attempt: Attempt) -> str:
        if attempt.call.attempts.count == 1:
            raise ServerError("GET page 2: status 503", status=503)
        return await never(attempt)

    for send, attempt, waited in (
        (never, "1", 0.0),
        (fail_once, r"2 \(last error: status 503\)", 0.06),
    ):
        began = loop.time()
        async with running(clock, policy) as runner:
            with pytest.raises(TimedOutError) as caught:
                await runner.run("GET page 2", send, stats=WalkStats())
        elapsed = loop.time() - began
        found = re.fullmatch(pattern.format(attempt=attempt), caught.value.message)
        assert found is not None
        sending, between = map(float, found.groups())
        assert waited - 0.01 <= between <= sending + between <= elapsed + 0.01
        assert sending + between >= 0.11
        assert bool(between) is bool(waited)


async def test_attempt_that_times_out_waited_for_the_response(clock: ManualClock) -> None:
    """The error has the seconds, as the caller set them."""
    async with running(clock.clock, RetryPolicy(attempts=1, attempt_timeout=0.05)) as runner:
        with pytest.raises(TimedOutError) as caught:
            await runner.run("GET page 2", never, stats=WalkStats())
    text = "GET page 2: timed out: attempt_timeout of 0.05 s while waiting for the whole response"
    assert caught.value.message == text


@pytest.mark.parametrize(
    ("deadline", "retry_after", "is_waited"),
    [(None, 4.0, True), (None, 6.0, False), (1007.0, 4.0, True), (1003.0, 2.0, False)],
)
async def test_time_in_the_queue_postpones_the_page_timeout_only(
    clock: ManualClock, deadline: float | None, retry_after: float, is_waited: bool
) -> None:
    """It is postponed by exactly that time, and the walk_timeout is not."""
    sessions = Sessions(ConnectionOptions(max_in_flight=1))
    queue = (await sessions.open()).queue
    assert queue.try_acquire()

    async def send(attempt: Attempt) -> str:
        if attempt.call.attempts.count == 2:
            return "done"
        assert await attempt.admit()
        raise RateLimitedError("x", status=429, retry_after=retry_after)

    policy = RetryPolicy(page_timeout=5, wait_initial=0)
    async with running(clock.clock, policy, sessions) as runner:
        call = asyncio.create_task(
            runner.run("GET page 2", send, stats=WalkStats(), deadline=deadline)
        )
        await asyncio.sleep(0.01)
        # The queue took two seconds by the client's clock.
        clock.now += 2.0
        queue.release()
        # 5 s are left until the page_timeout, and 5 s or 1 s until the walk_timeout.
        if is_waited:
            assert await call == "done"
        else:
            with pytest.raises(RateLimitedError):
                await call
    assert clock.slept == [retry_after] * is_waited


@pytest.mark.parametrize(
    ("limit", "waiting", "counting"),
    [
        ("walk_timeout", r" while waiting for a slot \(max_in_flight\)", "and"),
        ("page_timeout", "", "not counting"),
    ],
)
async def test_timeout_error_has_the_time_in_the_queue(
    limit: str, waiting: str, counting: str
) -> None:
    """The page_timeout does not count it, and the walk_timeout does."""
    sessions, loop = Sessions(ConnectionOptions(max_in_flight=1)), asyncio.get_running_loop()
    queue = (await sessions.open()).queue
    assert queue.try_acquire()

    async def send(attempt: Attempt) -> str:
        await attempt.admit()
        return await never(attempt)

    policy = RetryPolicy(attempts=1, attempt_timeout=5, page_timeout=0.1)
    deadline = Clock().monotonic() + 0.2 if limit == "walk_timeout" else None
    began = loop.time()
    async with running(Clock(), policy, sessions) as runner:
        call = asyncio.create_task(
            runner.run("GET page 2", send, stats=WalkStats(), deadline=deadline)
        )
        if deadline is None:
            await asyncio.sleep(0.2)
            queue.release()
        with pytest.raises(TimedOutError) as caught:
            await call
    elapsed = loop.time() - began
    found = re.fullmatch(
        rf"GET page 2: timed out: {limit} on attempt 1{waiting}; "
        r"it spent (\d+\.\d\d) s on requests, 0\.00 s between them, "
        rf"{counting} (\d+\.\d\d) s queued \(max_in_flight, rate limit\); "
        r"allow more time, or resume later",
        caught.value.message,
    )
    assert found is not None
    sending, queued = map(float, found.groups())
    assert 0.18 <= queued <= sending + queued <= elapsed + 0.02
    # Of the 0.3 s, the request had the last 0.1 s.
    assert elapsed >= (0.19 if deadline else 0.29)


async def test_attempt_timeout_begins_after_the_queue() -> None:
    """It is the time for one request, whatever was sent before it."""
    sessions, loop = Sessions(ConnectionOptions(max_in_flight=1)), asyncio.get_running_loop()
    queue = (await sessions.open()).queue
    assert queue.try_acquire()

    async def send(attempt: Attempt) -> str:
        await attempt.admit()
        return await never(attempt)

    policy = RetryPolicy(attempts=1, attempt_timeout=0.1, page_timeout=5)
    began = loop.time()
    async with running(Clock(), policy, sessions) as runner, asyncio.timeout(20):
        call = asyncio.create_task(runner.run("GET page 2", send, stats=WalkStats()))
        await asyncio.sleep(0.2)
        queue.release()
        with pytest.raises(TimedOutError, match=r"attempt_timeout of 0.1 s while waiting for the"):
            await call
    assert loop.time() - began >= 0.29


async def test_slot_is_free_once_the_response_is_complete() -> None:
    """Its rows are read without it."""
    sessions = Sessions(ConnectionOptions(max_in_flight=1))
    queue = (await sessions.open()).queue

    async def send(attempt: Attempt) -> str:
        await attempt.admit()
        assert not queue.try_acquire()
        attempt.response_received()
        assert queue.try_acquire()
        return "done"

    async with running(Clock(), None, sessions) as runner:
        assert await runner.run("GET page 2", send, stats=WalkStats()) == "done"
        # The slot is still that of the test, and was released once.
        assert not queue.try_acquire()


async def test_failed_attempt_releases_its_slot(clock: ManualClock) -> None:
    """The next one gets it, even if it is the only one."""
    sessions = Sessions(ConnectionOptions(max_in_flight=1))

    async def send(attempt: Attempt) -> str:
        assert not await attempt.admit()
        if attempt.call.attempts.count == 1:
            raise ConnectionFailedError("x")
        return "done"

    async with running(clock.clock, None, sessions) as runner, asyncio.timeout(20):
        assert await runner.run("GET page 2", send, stats=WalkStats()) == "done"
        assert (await sessions.open()).queue.try_acquire()


async def test_closing_the_sessions_ends_a_call(clock: ManualClock) -> None:
    """It is not a timeout, and there is no other attempt."""
    sessions = Sessions(ConnectionOptions())
    async with running(clock.clock, None, sessions) as runner:
        call = asyncio.create_task(runner.run("GET page 2", never, stats=WalkStats()))
        await asyncio.sleep(0.01)
        await sessions.aclose()
        with pytest.raises(ClientClosedError, match="the client is closed"):
            await call
    assert clock.slept == []


async def test_near_deadline_allows_an_attempt(clock: ManualClock) -> None:
    """The remaining time may be sufficient."""
    async with running(clock.clock) as runner:
        assert await run(runner, [], deadline=clock.now + 0.9) == "done"


async def test_passed_deadline_sends_nothing(clock: ManualClock) -> None:
    """The error names the timeout and that nothing was tried."""
    async with running(clock.clock) as runner:
        with pytest.raises(TimedOutError) as caught:
            await run(runner, [], deadline=clock.now)
    text = "GET page 2: timed out: walk_timeout before the first attempt; allow more time"
    assert caught.value.message.startswith(text)
    assert caught.value.attempts == 0


async def test_each_retry_is_logged(clock: ManualClock, caplog: pytest.LogCaptureFixture) -> None:
    """The record has the request, the attempt, the reason and the wait, as text and as fields."""
    with caplog.at_level(logging.INFO, "videosdk_transcripts"):
        async with running(clock.clock) as runner:
            await run(runner, [ServerError("x", status=503), ConnectionFailedError("x")])
    first, second = caplog.records
    assert first.getMessage().startswith("GET page 2: attempt 1 failed with 503, retrying in ")
    assert second.getMessage().startswith("GET page 2: attempt 2 failed with ConnectionFailedErr")
    fields: Callable[[Any], tuple[Any, ...]] = lambda r: (r.attempt, r.reason, r.status, r.wait)  # noqa: E731
    assert fields(first) == (1, "ServerError", 503, clock.slept[0])
    assert fields(second) == (2, "ConnectionFailedError", None, clock.slept[1])


async def test_attempt_timeout_ends_with_the_response() -> None:
    """Decoding a large page does not count; the page_timeout still applies."""

    async def send(attempt: Attempt) -> str:
        attempt.response_received()
        await asyncio.sleep(0.15)
        return "done"

    async with running(Clock(), RetryPolicy(attempt_timeout=0.05, page_timeout=30)) as runner:
        assert await runner.run("GET page 2", send, stats=WalkStats()) == "done"
    policy = RetryPolicy(attempts=1, attempt_timeout=30, page_timeout=0.05)
    async with running(Clock(), policy) as runner:
        with pytest.raises(TimedOutError, match="page_timeout on attempt 1"):
            await runner.run("GET page 2", send, stats=WalkStats())


async def test_slot_is_released_once(fake: FakeVideoSDK) -> None:
    """It is released after the response, and not again after the rows were read."""
    # The session of the caller has no limit.
    async with (
        aiohttp.ClientSession() as session,
        fake.client(session=session, max_in_flight=1) as client,
    ):
        await client.get_page()
        await client.get_page()
        fake.fail_next(Delay(0.03), times=4)
        await asyncio.gather(*(client.get_page() for _ in range(4)))
    assert fake.most_in_flight == 1


async def test_request_with_a_new_token_needs_one_slot(fake: FakeVideoSDK) -> None:
    """That of the request whose token was refused is free again."""
    fake.fail_next(Status(401))
    async with fake.client(max_in_flight=1) as client, asyncio.timeout(20):
        assert await client.count() == 0
    assert len(fake.requests) == 2


# The policy.


async def test_policy_adds_statuses(clock: ManualClock) -> None:
    """They are added to those of the table, for reads."""
    failures = [of_status(status) for status in (425, 525, 503)]
    async with running(clock.clock, RetryPolicy(statuses=[425, 525])) as runner:
        assert await run(runner, list(failures)) == "done"
        with pytest.raises(StatusError):
            await run(runner, [of_status(526)])


async def test_added_status_of_a_write_is_raised(clock: ManualClock) -> None:
    """It may have been applied."""

    async def nothing_found() -> None:
        pass

    async with running(clock.clock, RetryPolicy(statuses=[425])) as runner:
        with pytest.raises(StatusError):
            await run(runner, [of_status(425)], reconcile=nothing_found)


def test_added_status_excludes_a_rejected_token() -> None:
    """It was renewed and sent again already."""
    assert is_retryable(of_status(400), {400, 401})
    assert not is_retryable(of_status(401), {400, 401})
    assert not is_retryable(AuthenticationError("x", status=400), {400, 401})


@pytest.mark.parametrize("statuses", [(), [425], {400, 599}, iter([509]), frozenset({425})])
def test_statuses_of_a_policy_become_a_set(statuses: Any) -> None:
    """A policy is frozen, hashable and picklable."""
    policy = RetryPolicy(statuses=statuses)
    assert isinstance(policy.statuses, frozenset)
    assert pickle.loads(pickle.dumps(policy)) == policy
    assert hash(policy) == hash(RetryPolicy(statuses=policy.statuses))


@pytest.mark.parametrize(
    "statuses",
    [425, "425", None, [399], [600], [200], [425.0], [True], ["425"], [[425]], {425: 1.0, 0: 1}],
)
def test_invalid_statuses_are_rejected(statuses: Any) -> None:
    """The constructor raises the error."""
    with pytest.raises(ConfigurationError, match="^statuses must be"):
        RetryPolicy(statuses=statuses)


@pytest.mark.parametrize(("statuses", "shown"), [(425, "425"), ([399, 425], r"\[399, 425\]")])
def test_error_for_statuses_has_the_value(statuses: Any, shown: str) -> None:
    """Whether it is a collection or not."""
    with pytest.raises(ConfigurationError, match=f"such as {{425, 509}}, not {shown}$"):
        RetryPolicy(statuses=statuses)


def test_policy_may_be_at_its_bounds() -> None:
    """The bounds are no wait, one attempt, and very short timeouts."""
    policy = RetryPolicy(
        attempts=1,
        wait_initial=0,
        wait_max=0,
        max_retry_after=0,
        attempt_timeout=0.001,
        page_timeout=0.001,
    )
    assert (policy.attempts, policy.wait_max, policy.page_timeout) == (1, 0, 0.001)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("wait_initial", -0.1),
        ("wait_max", -0.1),
        ("max_retry_after", -0.1),
        ("attempt_timeout", 0.0),
        ("page_timeout", 0.0),
        ("page_timeout", -1),
    ],
)
def test_policy_just_out_of_bounds_is_rejected(name: str, value: float) -> None:
    """A timeout of zero would end every request."""
    with pytest.raises(ConfigurationError, match=f"^{name} must be"):
        RetryPolicy(**{name: value})  # type: ignore[arg-type]


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
def test_policy_out_of_bounds_is_rejected_by_name(name: str, value: Any) -> None:
    """The constructor raises the error."""
    with pytest.raises(ConfigurationError, match=f"^{name} must be"):
        RetryPolicy(**{name: value})


def test_defaults_match_the_arithmetic_of_the_docstring() -> None:
    """The numbers of `RetryPolicy`."""
    policy = RetryPolicy()
    waits = [min(policy.wait_max, policy.wait_initial * 2**n) for n in range(policy.attempts - 1)]
    assert waits == [0.5, 1, 2, 4, 8]
    assert policy.attempts * policy.attempt_timeout + sum(waits) == 195.5
    assert policy.wait_max == 8
    assert policy.page_timeout == 120
    assert policy.max_retry_after == 60


def test_statuses_may_be_members_of_http_status() -> None:
    """They are integers, and are kept as exact ones."""
    policy = RetryPolicy(statuses=frozenset({HTTPStatus.LOCKED}))
    assert [type(status) for status in policy.statuses] == [int]
    assert policy == RetryPolicy(statuses=frozenset({423}))
