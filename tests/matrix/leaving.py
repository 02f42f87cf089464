"""Measure walks that are cancelled or closed at each iteration of the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import traceback
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from pathlib import PurePath
from types import CodeType, CoroutineType
from typing import Any, Final, Literal, get_args

import anyio
import uvloop
from aiohttp import web
from attrs import frozen

from videosdk_transcripts import (
    ClientClosedError,
    Clock,
    Pager,
    RetryPolicy,
    Transcription,
    TranscriptsClient,
    VideoSDKTranscriptsError,
)
from videosdk_transcripts.auth import mint_token
from videosdk_transcripts.testing import Change, DropConnection, Exchange, FakeVideoSDK, Status

from .tally import Tally, markdown

__all__ = [
    "CLOSE_TIMEOUT",
    "CLOSING",
    "PHASES",
    "WAYS",
    "LeavingCase",
    "client_tasks",
    "iterations",
    "leaving_lines",
    "open_connections",
    "phase_of",
    "print_leaving",
    "record_warnings",
]

PAGE_SIZE: Final = 5
PAGES: Final = 3
ITERATIONS: Final = 3
"""Iterations of the event loop that a wait takes here, instead of its duration."""
END_MARGIN: Final = 10
"""Consecutive iterations at which the walk had already ended, before the measurement stops."""
CLOSE_TIMEOUT: Final = 2.0
"""Seconds within which a call ends after its client is closed."""

WalkCall = Callable[[], Coroutine[Any, Any, object]]
Trigger = Callable[[], Coroutine[Any, Any, object]]
Way = Callable[[WalkCall, Trigger], Coroutine[Any, Any, bool]]
"""Start the walk, end it after the trigger, and return whether it was still running."""


# The ways to end a walk. Each asserts what callers of asyncio or anyio rely on.


@contextlib.asynccontextmanager
async def _at(trigger: Trigger, act: Callable[[], object]) -> AsyncIterator[None]:
    async def wait() -> None:
        await trigger()
        act()

    waiting = asyncio.create_task(wait())
    try:
        yield
    finally:
        waiting.cancel()
        await asyncio.wait([waiting])


def _cancellations() -> int:
    """Return the number of pending cancellation requests of the current task."""
    task = asyncio.current_task()
    return task.cancelling() if task else 0


async def by_cancel(walk: WalkCall, trigger: Trigger) -> bool:
    """Cancel the task of the walk."""
    task = asyncio.create_task(walk())
    await trigger()
    was_running = task.cancel()
    await asyncio.wait([task])
    assert was_running == task.cancelled(), "cancellation swallowed"
    return was_running


async def by_wait_for(walk: WalkCall, trigger: Trigger) -> bool:
    """Let `asyncio.wait_for` time out."""
    task = asyncio.create_task(walk())
    await trigger()
    try:
        await asyncio.wait_for(task, 0)
    except TimeoutError:
        assert task.cancelled(), "cancellation swallowed"
        return True
    return False


async def by_timeout(walk: WalkCall, trigger: Trigger) -> bool:
    """Let `asyncio.timeout` expire."""
    before, limit = _cancellations(), asyncio.timeout(None)
    async with _at(trigger, lambda: limit.reschedule(0)):
        with contextlib.suppress(TimeoutError):
            async with limit:
                await walk()
    assert _cancellations() == before, "cancellation not uncancelled"
    return limit.expired()


async def by_task_group(walk: WalkCall, trigger: Trigger) -> bool:
    """Let a sibling task in the same `asyncio.TaskGroup` fail."""

    async def fail() -> None:
        await trigger()
        raise LookupError

    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(walk())
            group.create_task(fail())
    except* LookupError:
        pass
    return task.cancelled()


async def by_move_on(walk: WalkCall, trigger: Trigger) -> bool:
    """Cancel an anyio scope, which cancels again at each await until the walk leaves it."""
    before, scope = _cancellations(), anyio.CancelScope()
    async with _at(trigger, scope.cancel):
        with scope:
            await walk()
    assert _cancellations() == before, "cancellation not uncancelled"
    return scope.cancelled_caught


async def by_fail_after(walk: WalkCall, trigger: Trigger) -> bool:
    """Let `anyio.fail_after` expire."""
    before, failed = _cancellations(), False

    def end() -> None:
        scope.deadline = 0

    async with _at(trigger, end):
        try:
            with anyio.fail_after(None) as scope:
                await walk()
        except TimeoutError:
            failed = True
    assert _cancellations() == before, "cancellation not uncancelled"
    return failed


WAYS: Final[Mapping[str, Way]] = {
    "task.cancel": by_cancel,
    "asyncio.wait_for": by_wait_for,
    "asyncio.timeout": by_timeout,
    "asyncio.TaskGroup": by_task_group,
    "anyio.CancelScope": by_move_on,
    "anyio.fail_after": by_fail_after,
}
CLOSING: Final = "client.aclose"
Loop = Literal["asyncio", "uvloop"]


# Leak detection.


@contextlib.contextmanager
def record_warnings() -> Iterator[list[str]]:
    """Record each warning, each exception never retrieved and each unraisable exception."""
    complaints: list[str] = []
    loop = asyncio.get_running_loop()
    handler, hook = loop.get_exception_handler(), sys.unraisablehook
    loop.set_exception_handler(lambda _loop, context: complaints.append(context["message"]))
    sys.unraisablehook = lambda args: complaints.append(f"unraisable {args.exc_value!r}")
    # Older objects are slow to traverse, and not leaks of this block.
    gc.freeze()
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield complaints
            gc.collect()
        complaints += [str(warning.message) for warning in caught]
    finally:
        gc.unfreeze()
        loop.set_exception_handler(handler)
        sys.unraisablehook = hook


def client_tasks(*known: asyncio.Task[Any]) -> set[asyncio.Task[Any]]:
    """Return all tasks except the current one, those of a server and the known ones."""
    server = ("RequestHandler.", "Proxy.", "BaseSelectorEventLoop._accept_connection")
    return {
        task
        for task in asyncio.all_tasks() - {asyncio.current_task(), *known}
        if not getattr(task.get_coro(), "__qualname__", "").startswith(server)
    }


PHASES: Final[Mapping[str, frozenset[tuple[str, str]]]] = {
    "pace": frozenset({("rate_limit.py", "wait")}),
    "slot": frozenset({("request_queue.py", "acquire")}),
    "token": frozenset({("auth.py", "get")}),
    "connecting": frozenset({("connector.py", "connect")}),
    "headers": frozenset({("client_reqrep.py", "start")}),
    "body": frozenset({("transport.py", "read_body")}),
    "back-off": frozenset({("leaving.py", "sleep"), ("test_leaving.py", "sleep")}),
}
"""The functions, with their files, in which a walk may be waiting; the first match counts."""


def phase_of(walk: BaseException | Coroutine[Any, Any, Any] | None) -> str:
    """Return where a walk was waiting, from its exception, or where it is, from its coroutine."""
    codes: list[CodeType] = []
    if isinstance(walk, BaseException):
        codes = [frame.f_code for frame, _ in traceback.walk_tb(walk.__traceback__)]
    while isinstance(walk, CoroutineType):
        codes.append(walk.cr_code)
        walk = walk.cr_await
    inside = {(PurePath(code.co_filename).name, code.co_name) for code in codes}
    return next((phase for phase, where in PHASES.items() if where & inside), "elsewhere")


# The measurement.


async def iterations(number: int) -> None:
    """Wait for a number of iterations of the event loop."""
    for _ in range(number):
        await asyncio.sleep(0)


@frozen
class LeavingCase:
    """
    One line of the table: for each iteration of the loop, a walk that is ended there and continued.

    The service responds with a 503, a 401, two dropped connections and rows that move;
    another call holds the semaphore at first, tokens take some iterations, and requests are rate
    limited.

    Args:
        way: a name in `WAYS`, or `CLOSING`, after which another client resumes from the
            checkpoint.
        loop: the event loop implementation.
        every: end walks at each nth iteration only.
        readahead: the number of pages to prefetch.
    """

    way: str
    loop: Loop = "asyncio"
    every: int = 1
    readahead: int = 8

    def __call__(self) -> Tally:
        """Run all walks of this line, in debug mode."""
        factory = uvloop.new_event_loop if self.loop == "uvloop" else None
        with asyncio.Runner(debug=True, loop_factory=factory) as runner:
            return runner.run(self.walk_all())

    async def walk_all(self) -> Tally:
        """Run all walks of this line in the running event loop."""
        tally = Tally()
        iteration = ended = 0
        # Walks vary by a few iterations, so the first walk that ended is not the end.
        while ended < END_MARGIN:
            with record_warnings() as complaints:
                was_running = await self._walk(iteration, tally)
                await tally.count_leftovers()
            tally.flaws.update(complaints)
            iteration += self.every
            ended = 0 if was_running else ended + self.every
        return tally

    async def _walk(self, iteration: int, tally: Tally) -> bool:
        async with FakeVideoSDK() as fake:
            listed = [row["id"] for row in fake.add_transcriptions(PAGES * PAGE_SIZE)]
            fake.on_page(
                2, Status(503), Status(401), *(DropConnection(),) * 2, _send_body_in_two_parts
            )
            fake.on_page(3, Change(lambda f: f.rows.__delitem__(slice(2))))
            found: list[str] = []
            leave = self._close if self.way == CLOSING else self._leave
            try:
                was_running = await leave(iteration, fake, found, tally)
            except (VideoSDKTranscriptsError, AssertionError) as error:
                tally.flaws[str(error)] += 1
                was_running = False
            tally.add_rows(found, listed, ())
            for _ in range(200):
                if not open_connections(fake):
                    break
                await asyncio.sleep(0.001)
            tally.flaws["connection left open"] += open_connections(fake)
        return was_running

    async def _leave(
        self, iteration: int, fake: FakeVideoSDK, found: list[str], tally: Tally
    ) -> bool:
        async with _client(fake) as client:
            pager = client.iter_transcriptions(page_size=PAGE_SIZE, readahead=self.readahead)

            phases: list[str] = []

            async def walk() -> None:
                try:
                    await _collect(pager, found)
                except asyncio.CancelledError as error:
                    phases.append("rescan" if pager.stats.rescans else phase_of(error))
                    raise

            other = asyncio.create_task(client.count())
            was_running = await WAYS[self.way](walk, lambda: iterations(iteration))
            await iterations(ITERATIONS)
            tally.flaws["task left behind"] += len(client_tasks(other))
            if was_running:
                # A task cancelled in its first iteration never starts.
                tally.faults[phases[0] if phases else "elsewhere"] += 1
                # With one slot and one connection, a leaked one would block this forever.
                await _collect(pager, found)
            tally.flaws["unrelated call affected"] += await other < 1
            tally.add_stats(pager.stats)
        return was_running

    async def _close(
        self, iteration: int, fake: FakeVideoSDK, found: list[str], tally: Tally
    ) -> bool:
        client = _client(fake)
        pager = client.iter_transcriptions(page_size=PAGE_SIZE, readahead=self.readahead)
        walk = _collect(pager, found)
        tasks = [asyncio.create_task(call) for call in (walk, client.count())]
        await iterations(iteration)
        was_running = not tasks[0].done()
        if was_running:
            tally.faults["rescan" if pager.stats.rescans else phase_of(walk)] += 1
        await client.aclose()
        _, pending = await asyncio.wait(tasks, timeout=CLOSE_TIMEOUT)
        tally.flaws["call that outlived its client"] += len(pending)
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, ClientClosedError):
                tally.errors["ClientClosedError"] += 1
            elif isinstance(result, BaseException):
                tally.flaws[f"{type(result).__name__} instead of ClientClosedError"] += 1
        tally.flaws["task left behind"] += len(client_tasks())
        tally.add_stats(pager.stats)
        async with _client(fake) as other:
            pager = other.iter_transcriptions(page_size=PAGE_SIZE, resume=pager.checkpoint)
            await _collect(pager, found)
        return was_running


async def _send_body_in_two_parts(exchange: Exchange) -> web.StreamResponse:
    whole = exchange.response()
    body = whole.body if isinstance(whole.body, bytes) else b""
    response = web.StreamResponse(headers={"Content-Length": str(len(body))})
    with contextlib.suppress(ConnectionError):  # the client may have disconnected
        await response.prepare(exchange.request)
        await response.write(body[:100])
        await iterations(2 * ITERATIONS)
        await response.write(body[100:])
    return response


async def _collect(pager: Pager[Transcription], found: list[str]) -> None:
    async for t in pager:
        found.append(t.id)  # noqa: PERF401 - rows read before a cancellation are kept


def _client(fake: FakeVideoSDK) -> TranscriptsClient:
    """Create a client whose waits take some iterations and only advance its own clock."""
    time = 1000.0

    async def sleep(seconds: float) -> None:
        nonlocal time
        await iterations(ITERATIONS)
        time += seconds

    async def token() -> str:
        await iterations(ITERATIONS)
        return mint_token(fake.api_key, fake.secret)

    return fake.client(
        token=token,
        clock=Clock(monotonic=lambda: time, sleep=sleep),
        max_in_flight=1,
        requests_per_second=1,
        retry=RetryPolicy(attempt_timeout=2 * CLOSE_TIMEOUT, page_timeout=10),
    )


def open_connections(fake: FakeVideoSDK) -> int:
    """Return the number of open connections at the server."""
    server = fake._runner.server if fake._runner else None
    return len(server.connections) if server else 0


def leaving_lines(readahead: int) -> list[LeavingCase]:
    """Return the lines: each way in each event loop."""
    return [
        LeavingCase(way, loop, readahead=readahead)
        for loop in get_args(Loop)
        for way in (*WAYS, CLOSING)
    ]


def print_leaving(lines: Sequence[LeavingCase], tallies: Sequence[Tally]) -> str:
    """Format the table, with the phases in which the walks were ended."""
    return markdown(
        [
            {
                "ended by": line.way,
                "loop": line.loop,
                "iterations": tally.faults.total(),
                **{phase: tally.faults[phase] for phase in (*PHASES, "rescan", "elsewhere")},
                "rows": tally.expected,
                "lost": tally.lost,
                "duplicates": tally.duplicates,
                "flaws": tally.flaws.total(),
            }
            for line, tally in zip(lines, tallies, strict=True)
        ]
    )
