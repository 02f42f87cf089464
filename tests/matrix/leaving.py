"""Walks that are left at each turn of the event loop, in each way that there is."""

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
    "CLOSING",
    "PHASES",
    "PROMPTLY",
    "WAYS",
    "Leaving",
    "client_tasks",
    "leaving_lines",
    "open_connections",
    "phase_of",
    "print_leaving",
    "turns",
    "watch",
]

PAGE_SIZE: Final = 5
PAGES: Final = 3
TURNS: Final = 3
"""How many turns of the loop a wait takes here, whatever it would be."""
ENOUGH: Final = 10
"""Turns after which a walk has ended by itself."""
PROMPTLY: Final = 0.5
"""Seconds in which a call ends with its client."""

Walk = Callable[[], Coroutine[Any, Any, object]]
Moment = Callable[[], Coroutine[Any, Any, object]]
Way = Callable[[Walk, Moment], Coroutine[Any, Any, bool]]
"""Walks, leaves the walk when the moment has come, and tells whether it was still going on."""


# The ways. Each of them says what a caller of asyncio or anyio may rely on.


@contextlib.asynccontextmanager
async def _at(moment: Moment, act: Callable[[], object]) -> AsyncIterator[None]:
    async def wait() -> None:
        await moment()
        act()

    waiting = asyncio.create_task(wait())
    try:
        yield
    finally:
        waiting.cancel()
        await asyncio.wait([waiting])


def _cancellations() -> int:
    """Return how often the current task was cancelled, less what was taken back."""
    task = asyncio.current_task()
    return task.cancelling() if task else 0


async def by_cancel(walk: Walk, moment: Moment) -> bool:
    """Cancel its task."""
    task = asyncio.create_task(walk())
    await moment()
    goes_on = task.cancel()
    await asyncio.wait([task])
    assert goes_on == task.cancelled(), "cancellation swallowed"
    return goes_on


async def by_wait_for(walk: Walk, moment: Moment) -> bool:
    """Let `asyncio.wait_for` run out of time."""
    task = asyncio.create_task(walk())
    await moment()
    try:
        await asyncio.wait_for(task, 0)
    except TimeoutError:
        assert task.cancelled(), "cancellation swallowed"
        return True
    return False


async def by_timeout(walk: Walk, moment: Moment) -> bool:
    """Let `asyncio.timeout` run out of time."""
    before, limit = _cancellations(), asyncio.timeout(None)
    async with _at(moment, lambda: limit.reschedule(0)):
        with contextlib.suppress(TimeoutError):
            async with limit:
                await walk()
    assert _cancellations() == before, "cancellation not taken back"
    return limit.expired()


async def by_task_group(walk: Walk, moment: Moment) -> bool:
    """Let a sibling in its `asyncio.TaskGroup` fail."""

    async def fail() -> None:
        await moment()
        raise LookupError

    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(walk())
            group.create_task(fail())
    except* LookupError:
        pass
    return task.cancelled()


async def by_move_on(walk: Walk, moment: Moment) -> bool:
    """Cancel a scope of anyio, which cancels again at each wait until the walk is out of it."""
    before, scope = _cancellations(), anyio.CancelScope()
    async with _at(moment, scope.cancel):
        with scope:
            await walk()
    assert _cancellations() == before, "cancellation not taken back"
    return scope.cancelled_caught


async def by_fail_after(walk: Walk, moment: Moment) -> bool:
    """Let `anyio.fail_after` run out of time."""
    before, failed = _cancellations(), False

    def end() -> None:
        scope.deadline = 0

    async with _at(moment, end):
        try:
            with anyio.fail_after(None) as scope:
                await walk()
        except TimeoutError:
            failed = True
    assert _cancellations() == before, "cancellation not taken back"
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


# What must not be left.


@contextlib.contextmanager
def watch() -> Iterator[list[str]]:
    """Note each warning, each exception that nobody retrieved, and each that nobody can raise."""
    complaints: list[str] = []
    loop = asyncio.get_running_loop()
    handler, hook = loop.get_exception_handler(), sys.unraisablehook
    loop.set_exception_handler(lambda _loop, context: complaints.append(context["message"]))
    sys.unraisablehook = lambda args: complaints.append(f"unraisable {args.exc_value!r}")
    # What was there before takes long to go through, and is nobody's leftover here.
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
    """Return the tasks that are neither the current one nor a server's nor known."""
    server = ("RequestHandler.", "Proxy.", "BaseSelectorEventLoop._accept_connection")
    return {
        task
        for task in asyncio.all_tasks() - {asyncio.current_task(), *known}
        if not getattr(task.get_coro(), "__qualname__", "").startswith(server)
    }


PHASES: Final[Mapping[str, frozenset[tuple[str, str]]]] = {
    "slot": frozenset({("locks.py", "acquire")}),
    "pace": frozenset({("rate_limit.py", "acquire")}),
    "token": frozenset({("auth.py", "get")}),
    "connecting": frozenset({("connector.py", "connect")}),
    "headers": frozenset({("client_reqrep.py", "start")}),
    "body": frozenset({("transport.py", "read_body")}),
    "back-off": frozenset({("leaving.py", "sleep"), ("test_leaving.py", "sleep")}),
}
"""The function, with its file, that a walk is inside of. The first one that fits counts."""


def phase_of(walk: BaseException | Coroutine[Any, Any, Any] | None) -> str:
    """Tell where a walk was waiting, from what ended it, or where it is, from its coroutine."""
    codes: list[CodeType] = []
    if isinstance(walk, BaseException):
        codes = [frame.f_code for frame, _ in traceback.walk_tb(walk.__traceback__)]
    while isinstance(walk, CoroutineType):
        codes.append(walk.cr_code)
        walk = walk.cr_await
    inside = {(PurePath(code.co_filename).name, code.co_name) for code in codes}
    return next((phase for phase, where in PHASES.items() if where & inside), "elsewhere")


# The measurement.


async def turns(number: int) -> None:
    """Let the loop turn so many times."""
    for _ in range(number):
        await asyncio.sleep(0)


@frozen
class Leaving:
    """
    One line of the table: a walk for each turn of the loop, left there and then gone on with.

    The service answers with a 503, a 401, two dropped connections and rows that move;
    another call has the only slot at first, tokens take a while, and there is a pace.

    Args:
        way: a name in `WAYS`, or `CLOSING`, after which another client goes on from the
            checkpoint.
        loop: whose event loop.
        every: leave at each nth turn only.
        readahead: pages that are read ahead.
    """

    way: str
    loop: Loop = "asyncio"
    every: int = 1
    readahead: int = 8

    def __call__(self) -> Tally:
        """Run all of it, in debug mode."""
        factory = uvloop.new_event_loop if self.loop == "uvloop" else None
        with asyncio.Runner(debug=True, loop_factory=factory) as runner:
            return runner.run(self.walk_all())

    async def walk_all(self) -> Tally:
        """Run all of it, in a loop that is there."""
        tally = Tally()
        turn = ended = 0
        # The turns of two walks differ by a few, so that the first one that ended is not all.
        while ended < ENOUGH:
            with watch() as complaints:
                goes_on = await self._walk(turn, tally)
                await tally.look_for_leftovers()
            tally.flaws.update(complaints)
            turn += self.every
            ended = 0 if goes_on else ended + self.every
        return tally

    async def _walk(self, turn: int, tally: Tally) -> bool:
        async with FakeVideoSDK() as fake:
            listed = [row["id"] for row in fake.add_transcriptions(PAGES * PAGE_SIZE)]
            fake.on_page(2, Status(503), Status(401), *(DropConnection(),) * 2, _in_two_pieces)
            fake.on_page(3, Change(lambda f: f.rows.__delitem__(slice(2))))
            found: list[str] = []
            leave = self._close if self.way == CLOSING else self._leave
            try:
                goes_on = await leave(turn, fake, found, tally)
            except (VideoSDKTranscriptsError, AssertionError) as error:
                tally.flaws[str(error)] += 1
                goes_on = False
            tally.add_rows(found, listed, ())
            for _ in range(200):
                if not open_connections(fake):
                    break
                await asyncio.sleep(0.001)
            tally.flaws["connection left open"] += open_connections(fake)
        return goes_on

    async def _leave(self, turn: int, fake: FakeVideoSDK, found: list[str], tally: Tally) -> bool:
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
            goes_on = await WAYS[self.way](walk, lambda: turns(turn))
            await turns(TURNS)
            tally.flaws["task left behind"] += len(client_tasks(other))
            if goes_on:
                # A task that is cancelled in its first turn does not even begin.
                tally.faults[phases[0] if phases else "elsewhere"] += 1
                # With one slot and one connection it would wait for ever for what is kept.
                await _collect(pager, found)
            tally.flaws["call that was harmed"] += await other < 1
            tally.add_stats(pager.stats)
        return goes_on

    async def _close(self, turn: int, fake: FakeVideoSDK, found: list[str], tally: Tally) -> bool:
        client = _client(fake)
        pager = client.iter_transcriptions(page_size=PAGE_SIZE, readahead=self.readahead)
        walk = _collect(pager, found)
        tasks = [asyncio.create_task(call) for call in (walk, client.count())]
        await turns(turn)
        goes_on = not tasks[0].done()
        if goes_on:
            tally.faults["rescan" if pager.stats.rescans else phase_of(walk)] += 1
        await client.aclose()
        _, late = await asyncio.wait(tasks, timeout=PROMPTLY)
        tally.flaws["call that did not end with its client"] += len(late)
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, ClientClosedError):
                tally.errors["ClientClosedError"] += 1
            elif isinstance(result, BaseException):
                tally.flaws[f"{type(result).__name__} in place of ClientClosedError"] += 1
        tally.flaws["task left behind"] += len(client_tasks())
        tally.add_stats(pager.stats)
        async with _client(fake) as other:
            pager = other.iter_transcriptions(page_size=PAGE_SIZE, resume=pager.checkpoint)
            await _collect(pager, found)
        return goes_on


async def _in_two_pieces(exchange: Exchange) -> web.StreamResponse:
    whole = exchange.response()
    body = whole.body if isinstance(whole.body, bytes) else b""
    response = web.StreamResponse(headers={"Content-Length": str(len(body))})
    with contextlib.suppress(ConnectionError):  # nobody waits for the rest any more
        await response.prepare(exchange.request)
        await response.write(body[:100])
        await turns(2 * TURNS)
        await response.write(body[100:])
    return response


async def _collect(pager: Pager[Transcription], found: list[str]) -> None:
    async for t in pager:
        found.append(t.id)  # noqa: PERF401 - a cancellation must not take them along


def _client(fake: FakeVideoSDK) -> TranscriptsClient:
    """Make one whose waits take some turns of the loop each, and no time but by its own clock."""
    time = 1000.0

    async def sleep(seconds: float) -> None:
        nonlocal time
        await turns(TURNS)
        time += seconds

    async def token() -> str:
        await turns(TURNS)
        return mint_token(fake.api_key, fake.secret)

    return fake.client(
        token=token,
        clock=Clock(monotonic=lambda: time, sleep=sleep),
        max_in_flight=1,
        requests_per_second=1,
        retry=RetryPolicy(attempt_timeout=2 * PROMPTLY, page_timeout=10),
    )


def open_connections(fake: FakeVideoSDK) -> int:
    """Return how many connections there are at the server's side."""
    server = fake._runner.server if fake._runner else None
    return len(server.connections) if server else 0


def leaving_lines(readahead: int) -> list[Leaving]:
    """Return the lines, each way in each loop."""
    return [
        Leaving(way, loop, readahead=readahead)
        for loop in get_args(Loop)
        for way in (*WAYS, CLOSING)
    ]


def print_leaving(lines: Sequence[Leaving], tallies: Sequence[Tally]) -> str:
    """Write the table, with the phases in which the walks were left."""
    return markdown(
        [
            {
                "left by": line.way,
                "loop": line.loop,
                "points": tally.faults.total(),
                **{phase: tally.faults[phase] for phase in (*PHASES, "rescan", "elsewhere")},
                "rows": tally.wanted,
                "lost": tally.lost,
                "twice": tally.twice,
                "flaws": tally.flaws.total(),
            }
            for line, tally in zip(lines, tallies, strict=True)
        ]
    )
