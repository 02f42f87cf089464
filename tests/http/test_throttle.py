"""P6: 429s slow all requests of a client down, so that walks converge."""

import asyncio
import time
from typing import ClassVar

import pytest
from aiohttp import web

from videosdk_transcripts import RetryPolicy, TranscriptsClient
from videosdk_transcripts._http.rate_limit import RateLimiter, SharedLimiter
from videosdk_transcripts._http.request_queue import RequestQueue
from videosdk_transcripts._http.throttle import Throttle
from videosdk_transcripts.testing import Exchange, FakeVideoSDK, Status

from ..conftest import ManualClock

WALKS = 50


def throttle_at(clock: ManualClock, rate: float | None = None, wait_initial: float = 8) -> Throttle:
    """Return a throttle whose first interval is a second."""
    return Throttle(RateLimiter(rate, clock=clock.clock), wait_initial, clock=clock.clock)


async def turns(throttle: Throttle, clock: ManualClock, number: int) -> list[float]:
    """Return when each of some requests may be sent, in seconds from now."""
    queue, began, found = RequestQueue(100, throttle), clock.now, []
    for _ in range(number):
        if not queue.try_acquire():
            await queue.acquire(None)
        found.append(clock.now - began)
    return found


async def test_requests_are_not_spaced_without_a_429(clock: ManualClock) -> None:
    """Only the pace of the caller applies."""
    assert await turns(throttle_at(clock), clock, 3) == [0, 0, 0]
    assert await turns(throttle_at(clock, rate=2), clock, 3) == [0, 0.5, 1]


async def test_interval_doubles_with_each_429_up_to_a_bound(clock: ManualClock) -> None:
    """It ranges from an eighth to four times `wait_initial`; the next request waits for it, too."""
    throttle = throttle_at(clock)
    throttle.slow_down(0)
    assert await turns(throttle, clock, 3) == [1, 2, 3]
    throttle.slow_down(1)
    assert await turns(throttle, clock, 2) == [2, 4]
    for changes in range(2, 9):
        throttle.slow_down(changes)
    assert await turns(throttle, clock, 2) == [32, 64]


async def test_one_of_the_requests_that_were_sent_together_counts(clock: ManualClock) -> None:
    """The others were sent before the interval grew."""
    throttle = throttle_at(clock)
    for _ in range(16):
        throttle.slow_down(0)
        throttle.speed_up(0)
    assert (throttle.changes, await turns(throttle, clock, 2)) == (1, [1, 2])


async def test_interval_shrinks_with_each_success_and_ends(clock: ManualClock) -> None:
    """It shrinks by a tenth each time."""
    throttle = throttle_at(clock)
    throttle.slow_down(0)
    throttle.speed_up(1)
    assert throttle.name == "rate limited by the service"
    assert await turns(throttle, clock, 3) == pytest.approx([1, 1.9, 2.8])
    for _ in range(32):
        throttle.speed_up(1)
    assert throttle.name == "requests_per_second"
    assert await turns(throttle, clock, 2) == [0, 0]
    throttle.slow_down(1)
    assert await turns(throttle, clock, 2) == [1, 2]


async def test_slower_pace_of_the_caller_applies_as_well(clock: ManualClock) -> None:
    """The slower of the two applies."""
    throttle = throttle_at(clock, rate=0.1)
    throttle.slow_down(0)
    assert await turns(throttle, clock, 3) == [1, 11, 21]


async def test_no_turn_of_a_shared_limiter_is_acquired_in_vain(clock: ManualClock) -> None:
    """It is acquired after the interval."""

    class Shared:
        acquired = 0

        async def acquire(self) -> None:
            self.acquired += 1

    shared = Shared()
    throttle = Throttle(SharedLimiter(shared), 8, clock=clock.clock)
    throttle.slow_down(0)
    assert await turns(throttle, clock, 3) == [1, 2, 3]
    assert shared.acquired == 3


async def test_clock_that_does_not_advance_ends_the_wait(clock: ManualClock) -> None:
    """A test may use such a clock, whose waits return immediately."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    still = ManualClock().clock
    throttle = Throttle(
        RateLimiter(None, clock=still),
        8,
        clock=type(still)(monotonic=still.monotonic, time=still.time, sleep=sleep),
    )
    throttle.slow_down(0)
    assert await turns(throttle, clock, 3) == [0, 0, 0]
    assert slept == [1, 1, 1]


async def test_no_wait_of_the_policy_is_no_interval(clock: ManualClock) -> None:
    """`wait_initial=0` disables both."""
    throttle = throttle_at(clock, wait_initial=0)
    throttle.slow_down(0)
    assert await turns(throttle, clock, 3) == [0, 0, 0]


async def test_repeated_429_slows_requests_down_in_spite_of_the_header(
    fake: FakeVideoSDK, clock: ManualClock
) -> None:
    """The request was sent when the header allowed it, and was refused again."""
    fake.add_transcriptions(3)
    async with fake.client(clock=clock.clock) as client:
        throttle = client._transport.sessions._rate_limiter
        assert isinstance(throttle, Throttle)
        refused = Status(429, {"Retry-After": "1"})
        for faults, changes in (
            ([refused, Status(503), refused], 0),
            ([refused, refused], 1),
        ):
            fake.fail_next(*faults)
            await client.get_page()
            assert throttle.changes == changes


async def test_other_failures_do_not_slow_requests_down(
    fake: FakeVideoSDK, clock: ManualClock
) -> None:
    """A 429 without Retry-After does, and the time counts as time in the queue."""
    fake.add_transcriptions(3)
    async with fake.client(clock=clock.clock) as client:
        throttle = client._transport.sessions._rate_limiter
        for fault, changes in (
            (Status(503), 0),
            (Status(429, {"Retry-After": "1"}), 0),
            (Status(429), 1),
            (Status(429), 2),
        ):
            fake.fail_next(fault)
            await client.get_page()
            assert isinstance(throttle, Throttle)
            assert throttle.changes == changes


async def test_requests_that_succeed_end_the_interval(
    fake: FakeVideoSDK, clock: ManualClock
) -> None:
    """One of them is not sufficient."""
    async with fake.client(clock=clock.clock) as client:
        fake.fail_next(Status(429))
        await client.get_page()
        clock.slept.clear()
        await client.get_page()
        assert len(clock.slept) == 1
        for _ in range(40):
            await client.get_page()
        clock.slept.clear()
        for _ in range(3):
            await client.get_page()
        assert clock.slept == []


class TwoAtATime:
    """A service that refuses a request while two others are in progress."""

    headers: ClassVar[dict[str, str]] = {}

    def __init__(self) -> None:
        self.in_progress = self.refused = 0

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        if self.in_progress == 2:
            self.refused += 1
            return web.json_response({}, status=429, headers=self.headers)
        self.in_progress += 1
        try:
            await asyncio.sleep(0.003)
            return exchange.response()
        finally:
            self.in_progress -= 1


class TwoAtATimeRetriedAtOnce(TwoAtATime):
    """The same service, with a header that does not help: many requests are retried together."""

    headers: ClassVar[dict[str, str]] = {"Retry-After": "0"}


class RefuseAll:
    """A service that refuses all requests for a time, without Retry-After."""

    def __init__(self) -> None:
        self.refused = 0
        self._ends = 0.0

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        now = time.monotonic()
        self._ends = self._ends or now + 0.1
        if now < self._ends:
            self.refused += 1
            return web.json_response({"message": "Too many requests"}, status=429)
        return exchange.response()


async def walk(client: TranscriptsClient) -> int:
    """Return the number of rows of a walk."""
    return len([t async for t in client.iter_transcriptions()])


@pytest.mark.parametrize("storm", [TwoAtATime, TwoAtATimeRetriedAtOnce, RefuseAll])
async def test_storm_of_429_converges(
    fake: FakeVideoSDK, storm: type[TwoAtATime | RefuseAll]
) -> None:
    """No walk of 50 gives up, with the default number of attempts and shorter waits."""
    fake.add_transcriptions(3)
    service = storm()
    fake.every(1, service)
    policy = RetryPolicy(wait_initial=0.01, wait_max=0.16)
    async with fake.client(retry=policy) as client:
        counts = await asyncio.gather(*(walk(client) for _ in range(WALKS)))
    assert counts == [3] * WALKS
    # Each has five attempts more.
    assert 0 < service.refused < 3 * WALKS
