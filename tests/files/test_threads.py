"""Blocking functions in threads: cancellation, limits, and nothing left running."""

import asyncio
import gc
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from videosdk_transcripts._files.threads import Threads, run_now
from videosdk_transcripts.testing import FakeVideoSDK

from ..conftest import until
from .support import contents, downloader, send_part, transcription


def ours() -> list[threading.Thread]:
    """Return the threads that were started for files."""
    return [t for t in threading.enumerate() if t.name.startswith("videosdk_transcripts")]


@asynccontextmanager
async def busy_default_executor() -> AsyncIterator[None]:
    """Keep all threads of the loop's default executor busy, and others waiting for them."""
    loop, go = asyncio.get_running_loop(), threading.Event()
    jobs = [loop.run_in_executor(None, go.wait, 20) for _ in range(60)]
    try:
        yield
    finally:
        go.set()
        await asyncio.gather(*jobs)


@pytest.fixture
def go() -> Any:
    """Return an event that is set at the end, so that no thread waits for it for long."""
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize("through", ["run", "run_now"])
async def test_cancelled_caller_waits_for_its_running_function(
    go: threading.Event, through: str
) -> None:
    """It may be cancelled several times: the thread no longer uses the file when it continues."""
    threads, steps = Threads(), list[str]()
    used: list[threading.Thread] = []

    def work() -> None:
        used.append(threading.current_thread())
        go.wait(5)
        steps.append("worked")

    async def call() -> None:
        try:
            await (threads.run(work) if through == "run" else run_now(work))
        finally:
            steps.append("left")

    task = asyncio.create_task(call())
    await until(lambda: bool(used))
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    assert steps == []
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert steps == ["worked", "left"]
    threads.close()
    await until(lambda: not used[0].is_alive())


async def test_error_of_a_function_is_raised() -> None:
    """If the caller was cancelled, the error is not logged as unretrieved."""

    def fail() -> None:
        raise OSError(28, "full")

    for run in (Threads().run, run_now):
        with pytest.raises(OSError, match="full"):
            await run(fail)
        task = asyncio.create_task(run(fail))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises((OSError, asyncio.CancelledError)):
            await task


async def test_at_most_eight_functions_run_at_the_same_time(go: threading.Event) -> None:
    """One that waits for its turn is cancelled immediately, and never called."""
    threads, called = Threads(), []

    def work(number: int) -> Callable[[], None]:
        def function() -> None:
            called.append(number)
            go.wait(5)

        return function

    tasks = [asyncio.create_task(threads.run(work(number))) for number in range(12)]
    await until(lambda: len(called) == 8)
    await asyncio.sleep(0.02)
    assert len(called) == 8
    tasks[8].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[8]
    # Clean-up does not wait for a turn.
    await run_now(lambda: called.append(-1))
    # A function that has started is waited for, whatever else waits.
    tasks[0].cancel()
    await asyncio.sleep(0.01)
    assert not tasks[0].done()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]
    await asyncio.gather(*(tasks[1:8] + tasks[9:]))
    assert sorted(called) == [-1, 0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11]


async def test_thread_is_used_again_until_it_is_closed() -> None:
    """A call after that starts another one, and closing twice does nothing."""
    threads = Threads()
    first = await threads.run(threading.current_thread)
    assert await threads.run(threading.current_thread) is first
    threads.close()
    threads.close()
    await until(lambda: not first.is_alive())
    assert await threads.run(threading.current_thread) is not first


async def test_thread_ends_when_nothing_refers_to_it() -> None:
    """A client that is never closed leaves no thread behind."""
    threads = Threads()
    thread = await threads.run(threading.current_thread)
    del threads
    gc.collect()
    await until(lambda: not thread.is_alive())


async def test_closing_a_client_ends_its_threads(fake: FakeVideoSDK, tmp_path: Path) -> None:
    """This applies to the threads of all of its downloads."""
    for row in fake.add_transcriptions(3):
        fake.files.put(row, "txt", b"here")
    of_others = set(ours())
    async with fake.client() as client:
        rows = client.iter_transcriptions()
        errors = [one.error async for one in client.download_all(rows, tmp_path, summary=False)]
        assert errors == [None] * 3
        started = set(ours()) - of_others
        assert started
    await until(lambda: not any(thread.is_alive() for thread in started))


async def test_clean_up_is_done_however_often_it_is_cancelled() -> None:
    """This also applies if its thread has not started yet."""
    called: list[int] = []
    tasks = [asyncio.create_task(run_now(lambda: called.append(1))) for _ in range(20)]
    for _ in range(3):
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert len(called) == 20


def test_threads_are_used_in_one_loop_after_another() -> None:
    """This also applies if more functions wait than may run."""
    threads = Threads()

    async def use() -> list[int]:
        return await asyncio.gather(*(threads.run(lambda: 1) for _ in range(10)))

    for _ in range(2):
        assert asyncio.run(use()) == [1] * 10


async def test_busy_default_executor_does_not_delay_a_download(
    fake: FakeVideoSDK, tmp_path: Path
) -> None:
    """The default executor belongs to the caller's own jobs."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", b"here")
    async with busy_default_executor(), downloader(fake, tmp_path) as d, asyncio.timeout(10):
        await d.save_one(transcription(row))
    assert list(contents(tmp_path).values()) == [b"here"]


async def test_busy_default_executor_does_not_delay_a_cancellation(
    fake: FakeVideoSDK, tmp_path: Path
) -> None:
    """The temporary file is removed immediately."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", bytes(3_000_000))

    async def stall(exchange: Any) -> Any:
        return await send_part(exchange, 2_000_000)

    fake.files.fail_next(stall)
    async with busy_default_executor(), downloader(fake, tmp_path) as d:
        task = asyncio.create_task(d.save_one(transcription(row)))
        await until(lambda: any(len(data) for data in contents(tmp_path).values()))
        started = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.monotonic() - started < 5
        assert contents(tmp_path) == {}
