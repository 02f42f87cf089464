"""P13 and P14: due requests go first, in order; a slot and a turn are never lost."""

import asyncio
import random

import pytest
from attrs import evolve

from videosdk_transcripts import Clock
from videosdk_transcripts._http.rate_limit import RateLimiter
from videosdk_transcripts._http.request_queue import Due, RequestQueue

from ..conftest import ManualClock
from ..matrix.leaving import iterations


class Requests:
    """Requests that keep their slot until the test returns it, and the order in which they go."""

    def __init__(self, slots: int, rate: float | None = None, clock: Clock | None = None) -> None:
        self.queue = RequestQueue(slots, RateLimiter(rate, clock=clock or Clock()))
        self.sent: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._due: dict[str, Due] = {}

    async def add(self, *names: str, prefetch: bool = False) -> None:
        """Add requests, in this order."""
        for name in names:
            if prefetch:
                self._due[name] = asyncio.get_running_loop().create_future()
            self.tasks[name] = asyncio.create_task(self._send(name))
            await iterations(2)

    async def becomes_due(self, name: str) -> None:
        """Make the page of a request that prefetches due."""
        self._due[name].set_result(None)
        await iterations(2)

    async def returned(self, slots: int = 1) -> list[str]:
        """Return some slots, and what has been sent so far."""
        for _ in range(slots):
            self.queue.release()
        await iterations(4)
        return self.sent

    async def cancel(self, *names: str) -> None:
        """Cancel requests, and wait for their end."""
        for name in names:
            self.tasks[name].cancel()
        await asyncio.wait([self.tasks[name] for name in names])

    async def _send(self, name: str) -> None:
        if not self.queue.try_acquire():
            await self.queue.acquire(self._due.get(name))
        self.sent.append(name)


async def test_due_requests_go_before_prefetched_ones() -> None:
    """Requests of each kind go in the order of their arrival."""
    requests = Requests(1)
    await requests.add("first", "p1", "p2", prefetch=True)
    await requests.add("d1", "d2")
    await requests.add("p3", prefetch=True)
    await requests.add("d3")
    assert await requests.returned(6) == ["first", "d1", "d2", "d3", "p1", "p2", "p3"]


async def test_request_that_becomes_due_is_the_last_of_the_due_ones() -> None:
    """Its place is at the end of the due ones from then on."""
    requests = Requests(1)
    await requests.add("first", "p1", "p2", "p3", prefetch=True)
    await requests.add("d1")
    await requests.becomes_due("p2")
    await requests.add("d2")
    await requests.becomes_due("first")
    assert await requests.returned(5) == ["first", "d1", "p2", "d2", "p1", "p3"]


async def test_request_that_is_due_when_it_comes() -> None:
    """A page can become due before its request is in the queue."""
    requests = Requests(1)
    await requests.add("first")
    await requests.add("p1", prefetch=True)
    requests._due["p2"] = asyncio.get_running_loop().create_future()
    requests._due["p2"].set_result(None)
    requests.tasks["p2"] = asyncio.create_task(requests._send("p2"))
    await iterations(2)
    assert await requests.returned(2) == ["first", "p2", "p1"]


async def test_slots_bound_what_is_sent() -> None:
    """Several are returned at the same time, or before anything waits for them."""
    requests = Requests(2)
    await requests.add(*"abcdef")
    assert requests.sent == ["a", "b"]
    assert await requests.returned(3) == ["a", "b", "c", "d", "e"]
    assert await requests.returned(3) == ["a", "b", "c", "d", "e", "f"]
    await requests.add(*"ghi")
    assert requests.sent == ["a", "b", "c", "d", "e", "f", "g", "h"]
    await requests.cancel("i")


async def test_cancelled_request_leaves_nothing() -> None:
    """While it is queued, and in the iteration in which it gets its slot."""
    requests = Requests(1)
    await requests.add("first", "a", "b", "c", "d")
    await requests.add("p", prefetch=True)
    await requests.cancel("b", "p")
    requests.queue.release()
    await requests.cancel("a")
    await iterations(3)
    assert requests.sent == ["first", "c"]
    requests.tasks["d"].cancel()
    requests.queue.release()
    await asyncio.wait([requests.tasks["d"]])
    assert requests.queue.try_acquire()
    assert not requests.queue.try_acquire()


async def test_prefetched_request_does_not_get_the_turn_it_waited_for(clock: ManualClock) -> None:
    """A request that becomes due in the meantime does, and no slot is occupied by the wait."""
    go = asyncio.Event()

    async def sleep(seconds: float) -> None:
        await go.wait()
        await clock.sleep(seconds)

    requests = Requests(2, 1, evolve(clock.clock, sleep=sleep))
    await requests.add("first", "p1", "p2", prefetch=True)
    assert requests.queue.missing == "its turn (requests_per_second)"
    await requests.add("d1")
    go.set()
    await iterations(10)
    assert requests.sent == ["first", "d1"]
    assert requests.queue.missing == "a slot (max_in_flight)"
    await requests.returned(2)
    await iterations(10)
    assert requests.sent == ["first", "d1", "p1", "p2"]
    assert clock.slept == [1, 1, 1]


@pytest.mark.parametrize("when", ["during its wait", "before its wait"])
async def test_cancelled_request_passes_on_the_wait_for_a_turn(when: str) -> None:
    """The next request waits instead, and no turn is lost."""
    clock, held = ManualClock(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        await held.wait()
        await clock.sleep(seconds)

    requests = Requests(9, 1, evolve(clock.clock, sleep=sleep))
    await requests.add("first")
    if when == "before its wait":
        requests.tasks["a"] = asyncio.create_task(requests._send("a"))
        await iterations(1)
    else:
        await requests.add("a")
    await requests.add("b") if when == "during its wait" else None
    await requests.cancel("a")
    await requests.add("c")
    held.set()
    await iterations(10)
    names = ["b", "c"] if when == "during its wait" else ["c"]
    assert requests.sent == ["first", *names]
    assert clock.slept == [1] * len(names)


async def test_error_of_a_clock_ends_only_the_request_that_waits() -> None:
    """Each request that uses a broken clock gets the error itself."""
    clock = ManualClock()

    async def broken(seconds: float) -> None:
        if len(clock.slept) < 2:
            clock.slept.append(seconds)
            raise LookupError
        await clock.sleep(seconds)

    requests = Requests(9, 1, evolve(clock.clock, sleep=broken))
    await requests.add("first", "a", "b", "c")
    await iterations(10)
    assert requests.sent == ["first", "c"]
    for name in "ab":
        with pytest.raises(LookupError):
            await requests.tasks[name]


class Crowd(Requests):
    """Requests that come, become due, are cancelled and return their slots at random."""

    def __init__(self, seed: int, slots: int, rate: float | None, clock: Clock) -> None:
        super().__init__(slots, rate, clock)
        self.chance = random.Random(seed)  # noqa: S311 - not for cryptography
        self.returned_slots = 0

    async def act(self, name: str) -> None:
        """Perform one of these actions."""
        waiting = [other for other, task in self.tasks.items() if not task.done()]
        match self.chance.randrange(6):
            case 0 | 1:
                await self.add(name)
            case 2:
                await self.add(name, prefetch=True)
            case 3 if waiting:
                self.tasks[self.chance.choice(waiting)].cancel()
            case 4 if late := [n for n in waiting if n in self._due and not self._due[n].done()]:
                await self.becomes_due(self.chance.choice(late))
            case _ if self.returned_slots < len(self.sent):
                self.returned_slots += 1
                self.queue.release()
        await iterations(self.chance.randrange(3))


@pytest.mark.parametrize("rate", [None, 1000.0])
@pytest.mark.parametrize("seed", range(3))
async def test_random_operations_keep_the_order_and_lose_no_slot(
    seed: int, rate: float | None, clock: ManualClock
) -> None:
    """The cap holds, due requests go in order, and in the end all slots are free."""
    slots = 3
    crowd = Crowd(seed, slots, rate, clock.clock)
    for number in range(300):
        await crowd.act(str(number))
        assert len(crowd.sent) - crowd.returned_slots <= slots
    for task in crowd.tasks.values():
        task.cancel()
    await asyncio.wait(crowd.tasks.values())
    always_due = [int(name) for name in crowd.sent if name not in crowd._due]
    assert always_due == sorted(always_due)
    assert len(crowd.sent) - len(always_due) > 10
    for _ in range(len(crowd.sent) - crowd.returned_slots):
        crowd.queue.release()
    free = 0
    clock.now += 1
    while crowd.queue.try_acquire():
        free += 1
        clock.now += 1
    assert free == slots
