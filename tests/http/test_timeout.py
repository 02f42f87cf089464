"""P5 and P6: a limit ends what its task waits for, takes that back, and leaves nothing."""

import asyncio
import contextlib
import weakref

import pytest

from videosdk_transcripts._http.timeout import Timeout

NEVER = 30.0


def soon(seconds: float = 0.03) -> float:
    """Return a moment that is near."""
    return asyncio.get_running_loop().time() + seconds


async def ended_after(limit: Timeout) -> float:
    """Return the seconds after which a limit has ended a wait."""
    began = soon(0)
    with limit:
        await asyncio.sleep(NEVER)
    assert limit.expired
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    return soon(0) - began


async def test_it_ends_what_waits() -> None:
    """At its moment, and without an exception."""
    in_force: set[Timeout] = set()
    limit = Timeout(soon(), in_force)
    assert 0.03 <= await ended_after(limit) < 0.5
    assert (in_force, limit.aborted) == (set(), False)


async def test_what_is_in_time_passes() -> None:
    """Its result and its errors alike."""
    in_force: set[Timeout] = set()
    for error in (LookupError, TimeoutError, asyncio.CancelledError):
        with pytest.raises(error), Timeout(soon(), in_force):
            raise error
    with Timeout(soon(), in_force) as limit:
        assert in_force == {limit}
        await asyncio.sleep(0)
    assert (in_force, limit.expired) == (set(), False)
    await asyncio.sleep(0.05)  # its timer is gone
    assert not limit.expired


@pytest.mark.parametrize("moves", [(0.09,), (NEVER, 0.09), (0.06, NEVER, 0.09), (0.001, 0.09)])
async def test_its_end_is_put_off(moves: tuple[float, ...]) -> None:
    """The last word counts, also where the timer had gone off before."""
    began = soon(0)
    with Timeout(began + 0.03, set()) as limit:
        for move in moves:
            limit.reschedule(began + move)
        await asyncio.sleep(NEVER)
    assert limit.expired
    assert 0.09 <= soon(0) - began < 0.5


async def test_its_end_is_put_off_time_and_again() -> None:
    """As long as somebody does so before it comes."""
    with Timeout(soon(), set()) as limit:
        for _ in range(5):
            limit.reschedule(soon())
            await asyncio.sleep(0.02)
    assert not limit.expired


async def test_a_sooner_end() -> None:
    """The timer does not wait for the later one."""
    limit = Timeout(soon(NEVER), set())
    asyncio.get_running_loop().call_soon(limit.reschedule, soon())
    assert await ended_after(limit) < 0.5


@pytest.mark.parametrize("times", [1, 2])
async def test_it_is_cut_short(times: int) -> None:
    """By whoever finds it, and nothing puts that off."""
    in_force: set[Timeout] = set()
    with Timeout(soon(NEVER), in_force) as limit:
        for _ in range(times):
            for found in in_force:
                found.expire_now()
        limit.reschedule(soon(NEVER))
        limit.reschedule(soon())
        await asyncio.sleep(NEVER)
    assert (limit.expired, limit.aborted) == (True, True)


async def test_one_that_has_ended_is_not_cut_short() -> None:
    """What it has come to stays, and it cancels once."""
    with Timeout(soon(0), set()) as limit:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(NEVER)
        limit.expire_now()
        limit.reschedule(soon(0))
        await asyncio.sleep(0.01)
    assert (limit.expired, limit.aborted) == (True, False)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_time_out_in_place_of_its_cancellation() -> None:
    """It is this limit's, whoever has made it of that."""
    with Timeout(soon(0), set()) as limit:
        try:
            await asyncio.sleep(NEVER)
        except asyncio.CancelledError:
            raise TimeoutError from None
    assert limit.expired


async def test_it_insists() -> None:
    """Whoever swallowed its cancellation is ended by the next word of it."""
    with Timeout(soon(0), set()) as limit:
        limit.raise_if_expired()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(NEVER)
        limit.raise_if_expired()
        pytest.fail("it goes on")
    assert limit.expired


@pytest.mark.parametrize("turn", range(3))
async def test_another_cancellation_gets_through(turn: int) -> None:
    """Also in the turn of the limit, and where the task was cancelled before."""
    expired: list[bool] = []

    async def wait() -> None:
        limit = Timeout(soon(NEVER), set())
        loop = asyncio.get_running_loop()
        loop.call_soon(limit.expire_now)
        if turn == 0:
            task.cancel()
        else:
            loop.call_soon(task.cancel) if turn == 1 else loop.call_later(0, task.cancel)
        try:
            with limit:
                await asyncio.sleep(NEVER)
        finally:
            expired.append(limit.expired)

    task = asyncio.create_task(wait())
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (task.cancelling(), len(expired)) == (1, 1)


async def test_what_belongs_to_no_task_is_refused() -> None:
    """There would be nothing to cancel."""
    refused: list[str] = []

    def enter() -> None:
        with pytest.raises(RuntimeError, match="a request must be sent from a task") as caught:
            Timeout(0, set()).__enter__()
        refused.append(str(caught.value))

    asyncio.get_running_loop().call_soon(enter)
    await asyncio.sleep(0)
    assert len(refused) == 1


class Weak(Timeout):
    """One that can be watched."""


@pytest.mark.parametrize("seconds", [0.0, NEVER])
async def test_nothing_holds_it(seconds: float) -> None:
    """It is gone without a collection, whether it has ended something or not."""
    limit = Weak(soon(seconds), set())
    with limit:
        await asyncio.sleep(0.01)
    gone = weakref.ref(limit)
    del limit
    await asyncio.sleep(0)
    assert gone() is None
