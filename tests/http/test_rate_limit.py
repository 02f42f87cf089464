"""P14: an even rate for all tasks of a client, without bursts."""

import asyncio
import time
from bisect import bisect_left
from collections.abc import Callable
from math import ceil
from random import Random
from typing import Any

import jwt
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from videosdk_transcripts import Clock, ConfigurationError, RetryPolicy, TranscriptsClient
from videosdk_transcripts._http.rate_limit import RateLimiter
from videosdk_transcripts._http.request_queue import RequestQueue
from videosdk_transcripts.testing import Exchange, FakeVideoSDK, Status

from ..conftest import ManualClock


def queue_at(rate: float | None, clock: Clock) -> RequestQueue:
    """Return a queue with more slots than a test needs, and a rate limit."""
    return RequestQueue(100, RateLimiter(rate, clock=clock))


async def acquire(queue: RequestQueue) -> None:
    """Wait for a turn, like a due request."""
    if not queue.try_acquire():
        await queue.acquire(None)


async def test_requests_are_evenly_spaced(clock: ManualClock) -> None:
    """The first is sent immediately, and each other one an interval later."""
    pace = queue_at(4, clock.clock)
    for _ in range(4):
        await acquire(pace)
    assert clock.slept == [0.25, 0.25, 0.25]


async def test_late_timer_lets_one_request_follow_early() -> None:
    """After a blocked event loop, the rate is kept without a burst."""
    clock = ManualClock()

    async def late(seconds: float) -> None:
        await clock.sleep(seconds)
        clock.now += 0.2 if len(clock.slept) == 1 else 10

    pace = queue_at(4, evolve(clock.clock, sleep=late))
    began = clock.now
    turns = []
    for _ in range(5):
        await acquire(pace)
        turns.append(clock.now - began)
    # 0.25 came 0.2 s late, so that 0.5 is kept; what comes 10 s late frees one turn.
    assert turns == pytest.approx([0, 0.45, 10.5, 10.5, 20.75])


async def test_idle_time_is_not_saved_up(clock: ManualClock) -> None:
    """There is no burst after a pause."""
    pace = queue_at(4, clock.clock)
    await acquire(pace)
    clock.now += 60
    for _ in range(3):
        await acquire(pace)
    assert clock.slept == [0.25, 0.25]


async def test_no_limit_means_no_wait(clock: ManualClock) -> None:
    """This is the default."""
    pace = queue_at(None, clock.clock)
    for _ in range(100):
        await acquire(pace)
    assert clock.slept == []


async def test_rate_is_shared_by_all_walks(fake: FakeVideoSDK) -> None:
    """At 280 requests per second, a server with a limit of 40 in 0.1 s refuses none."""
    fake.add_transcriptions(60)
    loop = asyncio.get_running_loop()
    arrived: list[float] = []

    async def strict(exchange: Exchange) -> Any:
        arrived.append(loop.time())
        if sum(1 for moment in arrived[-60:] if moment > arrived[-1] - 0.1) > 40:
            return await Status(429)(exchange)
        return exchange.response()

    fake.every(1, strict)
    async with fake.client(requests_per_second=280, retry=RetryPolicy(attempts=1)) as client:

        async def walk() -> int:
            return len([t async for t in client.iter_transcriptions(page_size=5)])

        assert await asyncio.gather(*(walk() for _ in range(12))) == [60] * 12
    assert len(arrived) == 144
    assert arrived[-1] - arrived[0] >= 140 / 280


async def test_request_with_renewed_token_keeps_the_pace(
    fake: FakeVideoSDK, clock: ManualClock
) -> None:
    """The repeated request counts like any other."""
    fake.fail_next(Status(401))
    async with fake.client(requests_per_second=2, clock=clock.clock) as client:
        await client.count()
    assert clock.slept == [0.5]


@pytest.mark.parametrize("rate", [0, -1, float("nan"), "5", True])
def test_invalid_rate_is_rejected_by_constructor(rate: Any) -> None:
    """Nothing has been sent by then."""
    with pytest.raises(ConfigurationError, match="requests_per_second must be a number above 0"):
        TranscriptsClient(token="t", requests_per_second=rate)


async def test_requests_go_in_the_order_in_which_they_asked() -> None:
    """A cancelled one leaves no gap."""
    pace = queue_at(200, Clock())
    began = time.monotonic()
    order = []

    async def wait(number: int) -> None:
        await acquire(pace)
        order.append(number)

    waiting = [asyncio.ensure_future(wait(number)) for number in range(30)]
    await asyncio.sleep(0.02)
    for number in (10, 11, 12):
        waiting[number].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert order == [number for number in range(30) if number not in (10, 11, 12)]
    assert time.monotonic() - began >= 25 / 200


async def test_request_waits_for_token_before_its_turn(fake: FakeVideoSDK) -> None:
    """Otherwise all requests that wait for a renewal would be sent in a burst."""
    arrived: list[float] = []
    token = jwt.encode({"apikey": fake.api_key, "version": 2, "exp": 4_000_000_000}, fake.secret)

    async def note(exchange: Exchange) -> Any:
        arrived.append(time.monotonic())
        return exchange.response()

    async def provider() -> str:
        await asyncio.sleep(0.2)
        return token

    fake.every(1, note)
    async with fake.client(token=provider, requests_per_second=100, max_in_flight=40) as client:
        await asyncio.gather(*(client.count() for _ in range(40)))
    # Some of the first wait for their connection.
    assert arrived[-1] - arrived[0] >= 30 / 100


async def test_attempt_timeout_excludes_waiting_for_turn(
    fake: FakeVideoSDK,
) -> None:
    """The delay is not the fault of the service."""
    fake.fail_next(Status(401))
    policy = RetryPolicy(attempts=1, attempt_timeout=0.8)
    async with fake.client(requests_per_second=1, retry=policy) as client:
        assert await client.count() == 0
    assert len(fake.requests) == 2


# The documented arithmetic.


async def starts_at(
    rate: float, lateness: Callable[[], float], seconds: float, began: float
) -> list[float]:
    """Return when a client with always more to send starts its requests, if timers are late."""
    clock = ManualClock()
    clock.now = began

    async def late(wait: float) -> None:
        await clock.sleep(wait + lateness())

    queue = queue_at(rate, evolve(clock.clock, sleep=late))
    starts = []
    while clock.now < began + seconds:
        await acquire(queue)
        queue.release()
        starts.append(clock.now)
    return starts


def most_in_a_second(starts: list[float], window: float = 1) -> int:
    """Return the most starts in any second, its end excluded."""
    starts = sorted(starts)
    # Times that are equal except for rounding count as equal.
    return max(bisect_left(starts, one + window - 1e-6) - n for n, one in enumerate(starts))


@settings(max_examples=25)
@given(
    rate=st.floats(0.3, 40),
    seed=st.integers(0, 10_000),
    is_late=st.sampled_from([0.0, 0.2, 1.0]),
    jitter=st.floats(0, 2),
)
async def test_one_second_has_no_more_starts_than_documented(
    rate: float, seed: int, is_late: float, jitter: float
) -> None:
    """However late the timers are."""
    chance = Random(seed)  # noqa: S311 - of a test

    def lateness() -> float:
        return chance.uniform(0, 3 / rate) if chance.random() < is_late else 0.0

    starts = await starts_at(rate, lateness, 20 / rate + 3, began=1000)
    assert most_in_a_second(starts) <= ceil(rate) + 1
    arrivals = [one + chance.uniform(0, jitter) for one in starts]
    assert most_in_a_second(arrivals) <= ceil(rate * (1 + jitter)) + 1


@pytest.mark.parametrize(("rate", "together"), [(1.6, 9), (1, 6), (0.1, 6)])
async def test_independent_processes_can_exceed_a_small_limit(rate: float, together: int) -> None:
    """No rate keeps three of them below 5 requests in any one second: the bound is reached."""
    # Late by one interval and a little more, once, at the same moment.
    lateness = iter([1 / rate + 0.01])
    starts = await starts_at(rate, lambda: next(lateness, 0.0), 12 / rate, began=1000)
    assert 3 * most_in_a_second(starts) == together == 3 * (ceil(rate) + 1)


@pytest.mark.parametrize(("rate", "jitter"), [(4, 0.25), (3, 0.66)])
def test_shared_pace_keeps_a_small_limit(rate: float, jitter: float) -> None:
    """The number of processes does not matter, if requests arrive with such delays."""
    chance = Random(1)  # noqa: S311 - of a test
    arrivals = [number / rate + chance.choice([0, jitter]) for number in range(2000)]
    assert most_in_a_second(arrivals) == 5 == ceil(rate * (1 + jitter))
