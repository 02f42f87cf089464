"""P14: an even pace over all tasks of a client, and no burst."""

import asyncio
import time
from typing import Any

import jwt
import pytest
from attrs import evolve

from videosdk_transcripts import Clock, ConfigurationError, RetryPolicy, TranscriptsClient
from videosdk_transcripts._http.rate_limit import RateLimiter
from videosdk_transcripts.testing import Exchange, FakeVideoSDK, Status

from ..conftest import ManualClock


async def test_turns_are_evenly_spaced(clock: ManualClock) -> None:
    """The first one at once, and each later one an interval behind the one before."""
    pace = RateLimiter(4, clock=clock.clock)
    for _ in range(4):
        await pace.acquire()
    assert clock.slept == [0.25, 0.25, 0.25]


async def test_a_late_timer_is_made_up_for_by_one_turn() -> None:
    """A loop that was held up does not lose its rate, and does not let a crowd through."""
    clock = ManualClock()

    async def late(seconds: float) -> None:
        await clock.sleep(seconds)
        clock.now += 0.2 if len(clock.slept) == 1 else 10

    pace = RateLimiter(4, clock=evolve(clock.clock, sleep=late))
    began = clock.now
    turns = []
    for _ in range(5):
        await pace.acquire()
        turns.append(clock.now - began)
    # 0.25 came 0.2 s late, so that 0.5 is kept; what comes 10 s late frees one turn.
    assert turns == pytest.approx([0, 0.45, 10.5, 10.5, 20.75])


async def test_time_that_passed_is_not_saved_up(clock: ManualClock) -> None:
    """After a pause there is no burst."""
    pace = RateLimiter(4, clock=clock.clock)
    await pace.acquire()
    clock.now += 60
    for _ in range(3):
        await pace.acquire()
    assert clock.slept == [0.25, 0.25]


async def test_without_a_limit_nothing_waits(clock: ManualClock) -> None:
    """The default costs nothing."""
    pace = RateLimiter(None, clock=clock.clock)
    for _ in range(100):
        await pace.acquire()
    assert clock.slept == []


async def test_many_walks_share_one_pace(fake: FakeVideoSDK) -> None:
    """At 280 a second a server that refuses above 40 in any tenth of one refuses nothing."""
    fake.add_transcriptions(60)
    loop = asyncio.get_running_loop()
    arrived: list[float] = []

    async def strict(exchange: Exchange) -> Any:
        arrived.append(loop.time())
        if sum(1 for moment in arrived[-60:] if moment > arrived[-1] - 0.1) > 40:
            return await Status(429)(exchange)
        return exchange.answer()

    fake.every(1, strict)
    async with fake.client(requests_per_second=280, retry=RetryPolicy(attempts=1)) as client:

        async def walk() -> int:
            return len([t async for t in client.iter_transcriptions(page_size=5)])

        assert await asyncio.gather(*(walk() for _ in range(12))) == [60] * 12
    assert len(arrived) == 144
    assert arrived[-1] - arrived[0] >= 140 / 280


async def test_a_token_minted_anew_keeps_the_pace(fake: FakeVideoSDK, clock: ManualClock) -> None:
    """The repeated request is a request."""
    fake.fail_next(Status(401))
    async with fake.client(requests_per_second=2, clock=clock.clock) as client:
        await client.count()
    assert clock.slept == [0.5]


@pytest.mark.parametrize("rate", [0, -1, float("nan"), "5", True])
def test_bad_rates(rate: Any) -> None:
    """Refused at construction."""
    with pytest.raises(ConfigurationError, match="requests_per_second must be a number above 0"):
        TranscriptsClient(token="t", requests_per_second=rate)


async def test_turns_come_in_the_order_asked_for() -> None:
    """Nobody waits longer than those before, and who gives up leaves no gap."""
    pace = RateLimiter(200, clock=Clock())
    began = time.monotonic()
    order = []

    async def wait(number: int) -> None:
        await pace.acquire()
        order.append(number)

    waiting = [asyncio.ensure_future(wait(number)) for number in range(30)]
    await asyncio.sleep(0.02)
    for number in (10, 11, 12):
        waiting[number].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert order == [number for number in range(30) if number not in (10, 11, 12)]
    assert time.monotonic() - began >= 25 / 200


async def test_a_turn_is_not_taken_before_the_token_is_there(fake: FakeVideoSDK) -> None:
    """Else all that waited for a new one would leave at once."""
    arrived: list[float] = []
    token = jwt.encode({"apikey": fake.api_key, "version": 2, "exp": 4_000_000_000}, fake.secret)

    async def note(exchange: Exchange) -> Any:
        arrived.append(time.monotonic())
        return exchange.answer()

    async def provider() -> str:
        await asyncio.sleep(0.2)
        return token

    fake.every(1, note)
    async with fake.client(token=provider, requests_per_second=100, max_in_flight=40) as client:
        await asyncio.gather(*(client.count() for _ in range(40)))
    # Some of the first wait for their connection.
    assert arrived[-1] - arrived[0] >= 30 / 100


async def test_the_turn_of_a_repeated_request_is_no_part_of_its_attempt(
    fake: FakeVideoSDK,
) -> None:
    """A slow pace is not the service's fault."""
    fake.fail_next(Status(401))
    policy = RetryPolicy(attempts=1, attempt_timeout=0.2)
    async with fake.client(requests_per_second=3, retry=policy) as client:
        assert await client.count() == 0
    assert len(fake.requests) == 2
