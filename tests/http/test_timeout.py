"""P5 and P6: a timeout cancels what its task waits for, takes that back, and leaks nothing."""

import asyncio
import contextlib
import math
import weakref

import pytest

from videosdk_transcripts._http.timeout import Timeout

NEVER = 30.0


def soon(seconds: float = 0.03) -> float:
    """Return a moment in the near future."""
    return asyncio.get_running_loop().time() + seconds


async def ended_after(limit: Timeout) -> float:
    """Return the seconds after which a timeout has ended a wait."""
    began = soon(0)
    with limit:
        await asyncio.sleep(NEVER)
    assert limit.expired
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    return soon(0) - began


async def test_timeout_ends_wait() -> None:
    """It ends on time, and without an exception outside the block."""
    in_force: set[Timeout] = set()
    limit = Timeout(soon(), in_force)
    assert 0.03 <= await ended_after(limit) < 5
    assert (in_force, limit.aborted) == (set(), False)


async def test_result_and_errors_in_time_pass() -> None:
    """This includes errors that resemble those of a timeout."""
    in_force: set[Timeout] = set()
    for error in (LookupError, TimeoutError, asyncio.CancelledError):
        with pytest.raises(error), Timeout(soon(1), in_force):
            raise error
    with Timeout(soon(0.1), in_force) as limit:
        assert in_force == {limit}
        await asyncio.sleep(0)
    assert (in_force, limit.expired) == (set(), False)
    await asyncio.sleep(0.15)  # its timer is cancelled
    assert not limit.expired


@pytest.mark.parametrize("moves", [(0.09,), (NEVER, 0.09), (0.06, NEVER, 0.09), (0.001, 0.09)])
async def test_reschedule_sets_the_end(moves: tuple[float, ...]) -> None:
    """The last call counts, even if the timer has fired before."""
    began = soon(0)
    with Timeout(began + 0.03, set()) as limit:
        for move in moves:
            limit.reschedule(began + move)
        await asyncio.sleep(NEVER)
    assert limit.expired
    assert 0.09 <= soon(0) - began < 5


async def test_reschedule_to_infinity_and_back() -> None:
    """Its timer may have fired in between; no timer is set for longer than needed."""
    for wait in (0, 0.05):
        with Timeout(soon(), set()) as limit:
            limit.reschedule(math.inf)
            await asyncio.sleep(wait)
            assert limit._due < soon(3600)
            limit.reschedule(soon())
            await asyncio.sleep(NEVER)
        assert limit.expired


async def test_repeated_reschedule_prevents_expiry() -> None:
    """Each must be before the end."""
    with Timeout(soon(0.5), set()) as limit:
        for _ in range(5):
            limit.reschedule(soon(0.5))
            await asyncio.sleep(0.12)
    assert not limit.expired


async def test_reschedule_to_earlier_end() -> None:
    """The timer is replaced."""
    limit = Timeout(soon(NEVER), set())
    asyncio.get_running_loop().call_soon(limit.reschedule, soon())
    assert await ended_after(limit) < 5


@pytest.mark.parametrize("times", [1, 2])
async def test_expire_now_aborts(times: int) -> None:
    """No later reschedule prevents it."""
    in_force: set[Timeout] = set()
    with Timeout(soon(NEVER), in_force) as limit:
        for _ in range(times):
            for found in in_force:
                found.expire_now()
        limit.reschedule(soon(NEVER))
        limit.reschedule(soon())
        await asyncio.sleep(NEVER)
    assert (limit.expired, limit.aborted) == (True, True)


async def test_expire_now_after_expiry_changes_nothing() -> None:
    """The task is cancelled only once."""
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


async def test_timeout_error_raised_from_our_cancellation_is_ours() -> None:
    """Some code turns a cancellation into a TimeoutError."""
    with Timeout(soon(0), set()) as limit:
        try:
            await asyncio.sleep(NEVER)
        except asyncio.CancelledError:
            raise TimeoutError from None
    assert limit.expired


async def test_raise_if_expired_ends_code_that_swallowed_the_cancellation() -> None:
    """Before the expiry it does nothing."""
    with Timeout(soon(0), set()) as limit:
        limit.raise_if_expired()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(NEVER)
        limit.raise_if_expired()
        pytest.fail("it goes on")
    assert limit.expired


@pytest.mark.parametrize("turn", range(3))
async def test_foreign_cancellation_gets_through(turn: int) -> None:
    """This also applies in the same iteration of the loop, before or after our own."""
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


async def test_use_outside_of_a_task_is_rejected() -> None:
    """There is nothing to cancel."""
    refused: list[str] = []

    def enter() -> None:
        with pytest.raises(RuntimeError, match="a request must be sent from a task") as caught:
            Timeout(0, set()).__enter__()
        refused.append(str(caught.value))

    asyncio.get_running_loop().call_soon(enter)
    await asyncio.sleep(0)
    assert len(refused) == 1


class Weak(Timeout):
    """Allow weak references."""


@pytest.mark.parametrize("seconds", [0.0, NEVER])
async def test_no_reference_cycle_remains(seconds: float) -> None:
    """It is freed without garbage collection, whether it expired or not."""
    limit = Weak(soon(seconds), set())
    with limit:
        await asyncio.sleep(0.01)
    gone = weakref.ref(limit)
    del limit
    await asyncio.sleep(0)
    assert gone() is None
