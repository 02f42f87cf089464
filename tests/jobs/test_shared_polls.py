"""Shared polls: one request for many waits, which don't affect each other."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from videosdk_transcripts import (
    ClientClosedError,
    Clock,
    ConnectionFailedError,
    NotFoundError,
    Page,
    RetryPolicy,
    Transcription,
    TranscriptsClient,
)
from videosdk_transcripts._jobs.shared_polls import SharedPolls
from videosdk_transcripts._jobs.wait import Waiter
from videosdk_transcripts.testing import Change, Delay, FakeVideoSDK, Status

from ..conftest import ManualClock, until
from .support import TASK_NAME, URL, HeldSleep, add_file, add_running, count_requests, waiter_with


@pytest.fixture
async def client(fake: FakeVideoSDK, clock: ManualClock) -> AsyncIterator[TranscriptsClient]:
    """Open a client without retries, so that each failure reaches the waiter."""
    policy = RetryPolicy(attempts=1)
    async with fake.client(retry=policy, clock=clock.clock) as open_client:
        yield open_client


@pytest.fixture
def waiter(client: TranscriptsClient, clock: ManualClock) -> Waiter[Transcription]:
    """Return a waiter whose intervals are the longest that the jitter allows."""
    return waiter_with(client, clock.clock)


async def test_fifty_waits_cost_one_request_per_poll(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock
) -> None:
    """One walk over the beginning of the list serves all, and they stay in step."""
    rows = add_running(fake, 50)
    fake.add_transcriptions(250)

    def grow(fake: FakeVideoSDK) -> None:
        if len(fake.requests) == 10:
            for row in rows:
                add_file(row)

    fake.every(1, Change(grow))
    waiter = waiter_with(client, clock.clock, jitter=0.5)
    found = await asyncio.gather(*(waiter.wait(row["id"], timeout=None) for row in rows))
    assert [t.id for t in found] == [row["id"] for row in rows]
    assert count_requests(fake) == (10, 0)
    assert {request.query["perPage"] for request in fake.requests} == {"100"}


@pytest.mark.parametrize("factory", [None, getattr(asyncio, "eager_task_factory", None)])
async def test_waits_of_any_task_factory_share_polls(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock, factory: Any
) -> None:
    """Eager tasks, where Python has them, run before the next wait is started."""
    rows = add_running(fake, 60)

    def grow(fake: FakeVideoSDK) -> None:
        if len(fake.requests) == 12:
            for row in rows:
                add_file(row)

    fake.every(1, Change(grow))
    waiter = waiter_with(client, clock.clock, jitter=0.5)
    loop = asyncio.get_running_loop()
    loop.set_task_factory(factory)
    try:
        await asyncio.gather(*(waiter.wait(row["id"], timeout=None) for row in rows))
    finally:
        loop.set_task_factory(None)
    assert count_requests(fake) == (12, 0)


async def test_waits_started_apart_share_polls(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock
) -> None:
    """Waits that may be polled are polled with those that are due, and no others."""
    rows = add_running(fake, 4)
    held = HeldSleep()
    waiter = waiter_with(client, clock.clock, sleep=held)
    waits = []
    for row, poll in ((rows[0], 5), (rows[1], 100)):
        waits.append(asyncio.create_task(waiter.wait(row["id"], poll=poll)))
        await until(lambda: len(fake.requests) == len(waits) and held.sleepers)
    for row in rows:
        add_file(row)
    clock.now += 3
    waits += [asyncio.create_task(waiter.wait(row["id"])) for row in rows[2:]]
    await asyncio.gather(waits[0], *waits[2:])
    assert count_requests(fake) == (1, 2)
    assert not waits[1].done()
    waits[1].cancel()
    await asyncio.wait({waits[1]})


async def test_row_not_at_the_front_is_read_by_id(
    fake: FakeVideoSDK, waiter: Waiter[Transcription]
) -> None:
    """Six waits walk over three pages at most."""
    old = add_running(fake, 4)
    new = [fake.add_transcription(at=0) for _ in range(2)]
    fake.rows[2:2] = [fake.add_transcription() for _ in range(300)]
    del fake.rows[306:]
    for row in old:
        add_file(row)
    found = await asyncio.gather(*(waiter.wait(row["id"]) for row in old + new))
    assert len(found) == 6
    assert count_requests(fake) == (3, 4)


async def test_row_not_listed_is_read_by_id(
    fake: FakeVideoSDK, waiter: Waiter[Transcription], clock: ManualClock
) -> None:
    """The list may lag behind."""
    rows = fake.add_transcriptions(2)
    unknown = asyncio.gather(*(waiter.wait(i, grace=0) for i in "ab"), return_exceptions=True)
    assert len(await asyncio.gather(*(waiter.wait(row["id"]) for row in rows))) == 2
    assert [type(error) for error in await unknown] == [NotFoundError] * 2
    assert count_requests(fake) == (1, 2)


async def test_unreadable_list_does_not_end_waits(
    fake: FakeVideoSDK, waiter: Waiter[Transcription]
) -> None:
    """The page size may be rejected, or a row of another room may be unreadable."""
    rows = fake.add_transcriptions(3)
    fake.on_page(1, Status(400))
    assert len(await asyncio.gather(*(waiter.wait(row["id"]) for row in rows))) == 3
    assert count_requests(fake) == (1, 3)


async def test_outage_during_a_shared_poll_delays_all_waits(
    fake: FakeVideoSDK, waiter: Waiter[Transcription], clock: ManualClock
) -> None:
    """None of them reads its row by id."""
    rows = fake.add_transcriptions(3)
    fake.fail_next(Status(503, {"Retry-After": "40"}))
    assert len(await asyncio.gather(*(waiter.wait(row["id"]) for row in rows))) == 3
    assert count_requests(fake) == (2, 0)
    assert clock.now >= 1040


async def test_cancelling_one_wait_does_not_affect_others(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock
) -> None:
    """This applies between two polls and during a poll."""
    rows = add_running(fake, 3)
    held = HeldSleep()
    waiter = waiter_with(client, clock.clock, sleep=held)
    waits = [asyncio.create_task(waiter.wait(row["id"])) for row in rows]
    await until(lambda: held.sleepers)
    waits[0].cancel()
    await asyncio.wait({waits[0]})
    assert held.sleepers == 1
    fake.fail_next(Delay(0.05))
    for row in rows:
        add_file(row)
    clock.now += 60
    held.go.set()
    await until(lambda: fake.in_flight)
    waits[1].cancel()
    assert (await waits[2]).id == rows[2]["id"]
    assert waits[0].cancelled()
    assert waits[1].cancelled()
    assert count_requests(fake) == (2, 0)


async def test_cancelling_the_last_wait_leaves_nothing(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock
) -> None:
    """P5: neither the sleep nor the walk remains."""
    rows = add_running(fake, 2)
    held = HeldSleep()
    waiter = waiter_with(client, clock.clock, sleep=held)
    for during_walk in (True, False):
        if during_walk:
            fake.fail_next(Delay(30))
        waits = [asyncio.create_task(waiter.wait(row["id"])) for row in rows]
        await until(lambda: fake.in_flight if during_walk else held.sleepers)  # noqa: B023
        for wait in waits:
            wait.cancel()
        await asyncio.wait(waits)
        assert not [t for t in asyncio.all_tasks() if t.get_name() == TASK_NAME]
        assert held.sleepers == 0
        await until(lambda: not fake.in_flight)


class SlowToEnd:
    """A walk, and a sleep, that end late when they are cancelled."""

    def __init__(self) -> None:
        self.is_held = True
        self.begun = 0

    async def __call__(self, _: float = 0) -> None:
        self.begun += 1
        try:
            if self.is_held:
                await asyncio.sleep(30)
        finally:
            self.is_held = False
            for _turn in range(5):
                await asyncio.sleep(0)

    def __aiter__(self) -> AsyncIterator[Page[Transcription]]:
        return self

    async def __anext__(self) -> Page[Transcription]:
        await self()
        raise StopAsyncIteration


@pytest.mark.parametrize("time", [0.0, 5.0])
async def test_wait_started_while_the_task_ends_starts_another_task(time: float) -> None:
    """This applies during a sleep and during a walk."""
    slow = SlowToEnd()

    async def sleep(seconds: float) -> None:
        await slow()
        clock.now += seconds

    clock = ManualClock()
    clock.now = time
    polls = SharedPolls[Transcription](lambda: slow, clock=Clock(lambda: clock.now, sleep=sleep))
    first = [asyncio.create_task(polls.poll(i, not_before=5, due=5)) for i in "ab"]
    await until(lambda: slow.begun)
    for poll in first:
        poll.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        assert await polls.poll("c", not_before=6, due=6) is None
    await asyncio.wait(first)
    assert all(poll.cancelled() for poll in first)
    assert not [t for t in asyncio.all_tasks() if t.get_name() == TASK_NAME]


async def test_self_cancelling_walk_cancels_all_waits(
    fake: FakeVideoSDK, clock: ManualClock
) -> None:
    """A token callable that awaits a cancelled task does this, for example."""

    async def token() -> str:
        raise asyncio.CancelledError

    rows = fake.add_transcriptions(2)
    async with fake.client(token=token, clock=clock.clock) as client:
        waiter = waiter_with(client, clock.clock)
        waits = [asyncio.create_task(waiter.wait(row["id"])) for row in rows]
        done, _ = await asyncio.wait(waits, timeout=5)
    assert len(done) == 2
    assert all(wait.cancelled() for wait in waits)


async def test_new_wait_is_polled_immediately(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock
) -> None:
    """It is polled alone if the others were polled just before."""
    (row,) = add_running(fake)
    held = HeldSleep()
    waiter = waiter_with(client, clock.clock, sleep=held)
    other = asyncio.create_task(waiter.wait(row["id"]))
    await until(lambda: held.sleepers)
    there = fake.add_transcription()
    assert (await waiter.wait(there["id"])).id == there["id"]
    late = fake.add_transcription()
    fake.rows.remove(late)
    third = asyncio.create_task(waiter.wait(late["id"], poll=100))
    await until(lambda: len(fake.requests) == 3 and held.sleepers)
    await asyncio.sleep(0.01)
    # The sleep of the others is kept if it ends before the new wait is due.
    assert held.lengths[-1] == pytest.approx(5)
    for wait in (other, third):
        wait.cancel()
    await asyncio.wait({other, third})


async def test_closing_the_client_ends_all_waits(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock
) -> None:
    """They end immediately, and new ones end with their first request."""
    rows = add_running(fake, 2)
    held = HeldSleep()
    waiter = waiter_with(client, clock.clock, sleep=held)
    waiter.end(lambda: ClientClosedError("closed"))
    waits = [asyncio.create_task(waiter.wait(row["id"])) for row in rows]
    await until(lambda: held.sleepers)
    await client.aclose()
    waits[0].cancel()
    waiter.end(lambda: ClientClosedError("closed"))
    ended = await asyncio.gather(*waits, return_exceptions=True)
    assert [type(error) for error in ended] == [asyncio.CancelledError, ClientClosedError]
    assert held.sleepers == 0
    with pytest.raises(ClientClosedError):
        await waiter.wait(rows[0]["id"])


async def test_closing_during_a_shared_poll_ends_all_waits(
    fake: FakeVideoSDK, client: TranscriptsClient, waiter: Waiter[Transcription]
) -> None:
    """The error of the walk ends them."""
    rows = add_running(fake, 2)
    fake.fail_next(Delay(30))
    waits = [asyncio.create_task(waiter.wait(row["id"])) for row in rows]
    await until(lambda: fake.in_flight)
    await client.aclose()
    ended = await asyncio.gather(*waits, return_exceptions=True)
    assert [type(error) for error in ended] == [ClientClosedError] * 2


async def test_error_of_a_user_callable_reaches_all_waits(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock
) -> None:
    """No wait depends on a task that has ended."""

    async def broken(seconds: float) -> None:
        raise LookupError("made to fail")

    rows = add_running(fake, 2)
    waiter = waiter_with(client, clock.clock, sleep=broken)
    ended = await asyncio.gather(*(waiter.wait(r["id"]) for r in rows), return_exceptions=True)
    assert [type(error) for error in ended] == [LookupError] * 2


def test_state_of_a_closed_event_loop_is_dropped(clock: ManualClock) -> None:
    """One client may be used in consecutive event loops."""

    async def get(row_id: str) -> Transcription:
        return Transcription(id=row_id, files={"txt": URL})

    def pages() -> AsyncIterator[Page[Transcription]]:
        raise ConnectionFailedError("not asked")

    waiter = Waiter(get, pages, clock=clock.clock)
    for _ in range(3):
        assert asyncio.run(waiter.wait("some-id")).id == "some-id"
    assert len(waiter._polls._loops) == 1
