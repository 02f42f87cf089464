"""P14: `rate_limiter=`, a limit that several clients or processes share."""

import asyncio
import os
import re
import sys
import threading
from asyncio.subprocess import PIPE
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from videosdk_transcripts import ConfigurationError, RetryPolicy, TimedOutError, TranscriptsClient
from videosdk_transcripts._http.rate_limit import SharedLimiter
from videosdk_transcripts._http.request_queue import RequestQueue
from videosdk_transcripts.testing import Exchange, FakeVideoSDK, Status

from ..conftest import until


class Turns:
    """A limiter that grants the turns that a test adds."""

    def __init__(self, turns: int = 0) -> None:
        self.turns = asyncio.Semaphore(turns)
        self.granted = 0
        self.waiting = 0
        self.errors: list[Exception] = []

    async def acquire(self) -> bool:
        self.waiting += 1
        try:
            await self.turns.acquire()
        finally:
            self.waiting -= 1
        if self.errors:
            raise self.errors.pop(0)
        self.granted += 1
        return True

    def add(self) -> None:
        self.turns.release()


async def test_each_request_takes_one_turn(fake: FakeVideoSDK) -> None:
    """This includes retries, and requests with a renewed token."""
    limiter = Turns(99)
    fake.fail_next(Status(503), Status(401))
    async with fake.client(rate_limiter=limiter, retry=RetryPolicy(wait_initial=0)) as client:
        await client.count()
        assert limiter.granted == len(fake.requests) == 3
        fake.add_transcriptions(45)
        assert len([t async for t in client.iter_transcriptions()]) == 45
    assert limiter.granted == len(fake.requests) == 6


async def test_nothing_is_sent_before_its_turn(fake: FakeVideoSDK) -> None:
    """Turns are acquired one at a time, so that none is wasted."""
    limiter = Turns()
    async with fake.client(rate_limiter=limiter) as client:
        calls = [asyncio.create_task(client.count()) for _ in range(3)]
        for number in range(3):
            await until(lambda: limiter.waiting)
            assert limiter.waiting == 1
            assert len(fake.requests) == number
            limiter.add()
            await until(lambda number=number: len(fake.requests) > number)
        assert await asyncio.gather(*calls) == [0] * 3


async def test_two_clients_share_one_limiter(fake: FakeVideoSDK) -> None:
    """Each request of both takes one of its turns."""
    limiter = Turns(5)
    async with (
        fake.client(rate_limiter=limiter) as first,
        fake.client(rate_limiter=limiter) as second,
    ):
        calls = [asyncio.create_task(one.count()) for one in (first, second) for _ in range(3)]
        await until(lambda: len(fake.requests) == 5 and limiter.waiting)
        limiter.add()
        assert await asyncio.gather(*calls) == [0] * 6


async def test_turn_goes_to_a_request_that_became_due_meanwhile() -> None:
    """A prefetched page waits for the turn, and a page that is due takes it."""
    limiter = Turns()
    queue = RequestQueue(9, SharedLimiter(limiter))
    order = []

    async def wait(name: str, due: asyncio.Future[None] | None) -> None:
        await queue.acquire(due)
        order.append(name)

    later: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    prefetched = asyncio.create_task(wait("prefetched", later))
    await until(lambda: limiter.waiting)
    due = asyncio.create_task(wait("due", None))
    await asyncio.sleep(0)
    limiter.add()
    await due
    limiter.add()
    await prefetched
    assert order == ["due", "prefetched"]


async def test_cancelled_wait_takes_no_turn(fake: FakeVideoSDK) -> None:
    """The limiter is cancelled, and the next request waits instead."""
    limiter = Turns()
    async with fake.client(rate_limiter=limiter) as client:
        first, second = (asyncio.create_task(client.count()) for _ in range(2))
        await until(lambda: limiter.waiting)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        await until(lambda: limiter.waiting)
        limiter.add()
        assert await second == 0
    assert limiter.granted == 1


async def test_exception_of_the_limiter_is_passed_on(fake: FakeVideoSDK) -> None:
    """The exception is unchanged, and each later call uses the limiter again."""
    limiter = Turns(3)
    limiter.errors.append(LookupError("no connection to the limiter"))
    async with fake.client(rate_limiter=limiter) as client:
        results = await asyncio.gather(*(client.count() for _ in range(3)), return_exceptions=True)
        assert [str(one) for one in results] == ["no connection to the limiter", "0", "0"]
    assert len(fake.requests) == 2


async def test_walk_timeout_ends_a_wait_for_the_limiter(fake: FakeVideoSDK) -> None:
    """The error names what the walk waited for."""
    limiter = Turns()
    async with fake.client(rate_limiter=limiter) as client:
        pager = client.iter_transcriptions(walk_timeout=0.05)
        with pytest.raises(TimedOutError, match=r"waiting for its turn \(rate_limiter\)"):
            await anext(pager)
    assert (limiter.waiting, fake.requests) == (0, [])


async def test_limiter_that_swallows_its_cancellation_sends_nothing(fake: FakeVideoSDK) -> None:
    """The timeout has expired nevertheless."""

    class Stubborn:
        async def acquire(self) -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return

    async with fake.client(rate_limiter=Stubborn()) as client:
        with pytest.raises(TimedOutError, match="walk_timeout"):
            await anext(client.iter_transcriptions(walk_timeout=0.05))
    assert fake.requests == []


class NoAcquire:
    """An object that is not a limiter."""


class NeedsAmount:
    """A limiter whose turns need an argument."""

    async def acquire(self, amount: int) -> None:
        """Acquire some."""


class Optional:
    """A limiter like those of other libraries, with a default amount and a result."""

    async def acquire(self, amount: float = 1) -> bool:
        """Acquire some."""
        return amount > 0


@pytest.mark.parametrize(
    ("limiter", "message"),
    [
        (NoAcquire(), "'NoAcquire' does not"),
        (5, "'int' does not"),
        ("5/s", "'str' does not"),
        (NeedsAmount(), "'NeedsAmount' does not"),
        (Optional, "not the class Optional"),
        (asyncio.Semaphore(5), "asyncio.Semaphore, which limits concurrency; use max_in_flight"),
        (asyncio.BoundedSemaphore(5), "asyncio.BoundedSemaphore"),
        (asyncio.Lock(), "asyncio.Lock"),
    ],
)
def test_invalid_limiter_is_rejected_by_constructor(limiter: Any, message: str) -> None:
    """Nothing has been sent by then."""
    with pytest.raises(ConfigurationError, match="rate_limiter") as caught:
        TranscriptsClient(token="t", rate_limiter=limiter)
    assert message in str(caught.value)


def test_two_rate_limits_are_rejected() -> None:
    """One of them would be ignored."""
    with pytest.raises(ConfigurationError, match="either requests_per_second or rate_limiter"):
        TranscriptsClient(token="t", requests_per_second=5, rate_limiter=Optional())


class Returned:
    """A limiter with this callable."""

    def __init__(self, acquire: Any) -> None:
        self.acquire = acquire


@pytest.mark.parametrize(
    ("limiter", "returned"), [(threading.Lock(), "bool"), (Returned(dict), "dict")]
)
async def test_acquire_that_is_not_asynchronous_is_rejected(
    fake: FakeVideoSDK, limiter: Any, returned: str
) -> None:
    """A built-in callable shows it only when it is called."""
    async with fake.client(rate_limiter=limiter) as client:
        with pytest.raises(ConfigurationError, match=f"asynchronous.*returned '{returned}'"):
            await client.count()
    assert fake.requests == []


async def test_any_awaitable_is_accepted(fake: FakeVideoSDK) -> None:
    """A default amount, a partial function, a future."""

    def future() -> asyncio.Future[None]:
        return asyncio.ensure_future(asyncio.sleep(0))

    for limiter in (Optional(), Returned(partial(Optional().acquire, 2)), Returned(future)):
        async with fake.client(rate_limiter=limiter) as client:
            assert await client.count() == 0
    assert len(fake.requests) == 3


# Several processes.

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "retries.md"
WORKER = """
import asyncio, sys
from pathlib import Path
from videosdk_transcripts import TranscriptsClient


async def main() -> None:
    limiter = SharedRateLimiter(Path(sys.argv[1]), per_second=20)
    async with TranscriptsClient(rate_limiter=limiter) as client:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        for _ in range(5):
            await client.count()


asyncio.run(main())
"""


def documented_limiter() -> str:
    """Return the source of the limiter in the guide: its example without the use of it."""
    blocks = re.findall(
        r"^```python\n(.*?)^```", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    (block,) = [block for block in blocks if "class SharedRateLimiter" in block]
    source, _, _ = block.partition("\n\nwith TemporaryDirectory()")
    return source


async def test_documented_limiter_is_shared_by_processes(
    fake: FakeVideoSDK, tmp_path: Path
) -> None:
    """Three processes together keep one pace, although each could be three times as fast."""
    script = tmp_path / "worker.py"
    script.write_text(documented_limiter() + WORKER, "utf-8")
    loop = asyncio.get_running_loop()
    arrived: list[float] = []

    async def note(exchange: Exchange) -> Any:
        arrived.append(loop.time())
        return exchange.response()

    fake.every(1, note)
    workers = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            str(script),
            str(tmp_path / "turns.db"),
            stdin=PIPE,
            stdout=PIPE,
            env={**os.environ, **fake.environ},
        )
        for _ in range(3)
    ]
    for worker in workers:
        assert worker.stdout
        assert await worker.stdout.readline() == b"ready\n"
    began = loop.time()
    await asyncio.gather(*(worker.communicate(b"go\n") for worker in workers))
    assert [worker.returncode for worker in workers] == [0, 0, 0]
    assert len(arrived) == 15
    # The first turn is not before the start, and the last one is 14 intervals later.
    assert arrived[-1] - began >= 14 / 20 - 0.02
