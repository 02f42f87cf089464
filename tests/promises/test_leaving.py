"""P5 and P14: a walk that is left in any way, at any wait, leaks nothing."""

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import anyio
import pytest
import uvloop
from aiohttp import web
from attrs import evolve

from videosdk_transcripts import (
    ClientClosedError,
    Clock,
    Pager,
    RetryPolicy,
    TimedOutError,
    Transcription,
    TranscriptsClient,
)
from videosdk_transcripts.auth import mint_token
from videosdk_transcripts.testing import Change, Delay, Exchange, FakeVideoSDK, Status

from ..matrix.faults import anonymous_tls
from ..matrix.leaving import (
    CLOSE_TIMEOUT,
    WAYS,
    client_tasks,
    iterations,
    open_connections,
    phase_of,
    record_warnings,
)
from ..matrix.proxy import PASS, Proxy

LONG = 3600.0
PATIENT = RetryPolicy(wait_initial=LONG, wait_max=LONG, attempt_timeout=LONG, page_timeout=9 * LONG)


class Place:
    """A service in which a walk waits after some rows, until `reached` is set."""

    def __init__(self, fake: FakeVideoSDK, stack: AsyncExitStack) -> None:
        self.fake, self.stack, self.url = fake, stack, fake.url
        self.rows = [row["id"] for row in fake.add_transcriptions(45)]
        self.rows_before = 20
        self.reached = asyncio.Event()
        self.others: list[asyncio.Task[int]] = []
        self.connections_made = 0
        self.slow_token = 0
        self.skips_sleeps = False
        self.prepare: Callable[[TranscriptsClient], Awaitable[object]] = lambda _client: iterations(
            0
        )
        self.accept: Callable[[], Awaitable[object]] = lambda: iterations(0)
        self.trace = aiohttp.TraceConfig()
        self.trace.on_connection_create_end.append(self._count)
        self.options: dict[str, Any] = {}
        self._tokens = 0
        self._ahead = 0.0

    def client(self, **options: Any) -> TranscriptsClient:
        mine = {"endpoint": self.url, "token": self._token, "max_in_flight": 1, "retry": PATIENT}
        time_and_trace = {
            "clock": Clock(lambda: time.monotonic() + self._ahead, sleep=self.sleep),
            "trace_configs": [self.trace],
        }
        return TranscriptsClient(**mine | time_and_trace | self.options | options)

    async def hold(self, _exchange: Exchange) -> web.StreamResponse:
        """Never respond."""
        return await self._wait(LONG)

    async def drip(self, exchange: Exchange) -> web.StreamResponse:
        """Respond byte by byte."""
        body = exchange.response().body
        response = web.StreamResponse(headers={"Content-Length": str(len(body))})
        await response.prepare(exchange.request)
        for n, byte in enumerate(body):
            await response.write(bytes((byte,)))
            await asyncio.sleep(0.01)
            if n == 3:
                self.reached.set()
        return response

    async def _wait(self, seconds: float) -> Any:
        self.reached.set()
        await asyncio.sleep(seconds)

    async def sleep(self, seconds: float) -> None:
        if not self.skips_sleeps:
            await self._wait(seconds)
        self._ahead += seconds

    async def _token(self) -> str:
        self._tokens += 1
        if self._tokens == self.slow_token:
            await self._wait(LONG)
        return mint_token(self.fake.api_key, self.fake.secret)

    async def _count(self, *_: object) -> None:
        self.connections_made += 1


# Where a walk waits.


def _listen_without_accepting(place: Place, proxy: Proxy) -> socket.socket:
    """Start the walk with a server that accepts nothing, until the proxy replaces it."""
    silent = place.stack.enter_context(socket.socket())
    silent.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    silent.bind(("127.0.0.1", 0))
    silent.listen(0)
    proxy._port = silent.getsockname()[1]
    place.rows_before, place.url = 0, proxy.url

    async def begins(*_: object) -> None:
        # An accepted connection is established well before.
        asyncio.get_running_loop().call_later(0.01, place.reached.set)

    async def accept() -> None:
        connection, _ = silent.accept()
        with connection, silent:
            connection.settimeout(1)
            while connection.recv(4096):  # until the client has closed it
                pass
        await place.stack.enter_async_context(proxy)

    place.trace.on_connection_create_start.append(begins)
    place.accept = accept
    return silent


async def for_a_connection(place: Place) -> None:
    """The server's queue is full."""
    silent = _listen_without_accepting(place, Proxy(place.url, lambda _target: PASS))
    with socket.socket() as first:
        first.connect(silent.getsockname())  # occupies the queue even after it is closed


async def for_a_handshake(place: Place) -> None:
    """The server has the connection and speaks no TLS."""
    proxy = Proxy(place.url, lambda _target: PASS, tls=anonymous_tls("server"))
    place.options["ssl"] = anonymous_tls("client")
    _listen_without_accepting(place, proxy)


async def for_headers(place: Place) -> None:
    """The server does not respond."""
    place.fake.on_page(2, place.hold)


async def for_a_body(place: Place) -> None:
    """The response arrives byte by byte."""
    place.fake.on_page(2, place.drip)


async def for_another_attempt(place: Place) -> None:
    """The server failed."""
    place.fake.on_page(2, Status(503))


async def for_a_token(place: Place) -> None:
    """The first token was refused, and the next one takes long."""
    place.fake.on_page(2, Status(401))
    place.slow_token = 2


async def for_a_slot(place: Place) -> None:
    """Another call occupies the only slot."""

    async def take(client: TranscriptsClient) -> None:
        place.fake.on_page(1, place.hold)
        place.others.append(asyncio.create_task(client.count()))
        await place.reached.wait()
        place.reached.clear()
        # The walk is in the queue after its first iteration of the loop.
        asyncio.get_running_loop().call_later(0.01, place.reached.set)

    place.prepare = take


async def for_the_rate_limit(place: Place) -> None:
    """The limit is one request per hour."""
    place.options["requests_per_second"] = 1 / LONG


async def nowhere(_place: Place) -> None:
    """The walk does not wait."""


async def for_a_rescan(place: Place) -> None:
    """Rows moved, and the previous page is read again."""
    place.fake.on_page(2, Change(lambda fake: fake.rows.__delitem__(slice(3))))
    place.fake.on_page(1, Delay(0), place.hold)


Phase = Callable[[Place], Awaitable[None]]
PHASES: dict[Phase, tuple[str, int]] = {
    for_a_connection: ("connecting", 1),
    for_a_handshake: ("connecting", 1),
    for_headers: ("headers", 2),
    for_a_body: ("body", 2),
    for_another_attempt: ("back-off", 1),
    for_a_token: ("token", 1),
    for_a_slot: ("slot", 2),
    for_the_rate_limit: ("pace", 1),
    for_a_rescan: ("headers", 2),
}
"""
The phase in the traceback of the cancellation, and the number of connections of the whole
walk: a connection with a response in flight is discarded.
"""
each_phase = pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.__name__)


@asynccontextmanager
async def service(phase: Phase) -> AsyncIterator[Place]:
    """Serve 45 rows, and look at what is left once no client is open."""
    with record_warnings() as complaints:
        async with FakeVideoSDK() as fake, AsyncExitStack() as stack:
            place = Place(fake, stack)
            await phase(place)
            yield place
            await soon(lambda: not open_connections(fake) and not client_tasks())
    assert complaints == []


async def soon(condition: Callable[[], bool]) -> None:
    """Wait until a condition is true that depends on the server."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - a server has no event for it
            await asyncio.sleep(0.002)


# Cancellation.


async def leave_and_continue(phase: Phase, way: str) -> None:
    """Leave a walk where it waits, check for leaks, and continue it."""
    where, connections = PHASES[phase]
    async with service(phase) as place, place.client() as client:
        pager = client.iter_transcriptions(readahead=0)
        found = [(await anext(pager)).id for _ in range(place.rows_before)]
        await place.prepare(client)
        waited: list[str] = []

        async def walk() -> None:
            try:
                await collect(pager, found)
            except asyncio.CancelledError as error:
                waited.append(phase_of(error))
                raise

        assert await WAYS[way](walk, lambda: asyncio.wait_for(place.reached.wait(), 5))
        assert waited == [where]
        assert found == place.rows[: place.rows_before]
        await soon(lambda: place.fake.in_flight == len(place.others))
        assert client_tasks(*place.others) == set()
        for other in place.others:
            other.cancel()
        await place.accept()
        place.skips_sleeps = True
        # There is only one slot and one connection: if one had leaked, this would hang.
        await walk()
        assert found == place.rows
        assert place.connections_made == connections


@pytest.mark.parametrize("way", WAYS)
@each_phase
async def test_left_walk_leaks_nothing(phase: Phase, way: str) -> None:
    """The cancellation gets through, and the next step continues exactly."""
    await leave_and_continue(phase, way)


@each_phase
def test_left_walk_leaks_nothing_in_uvloop(phase: Phase) -> None:
    """There is one way for each phase."""
    way = list(WAYS)[list(PHASES).index(phase) % len(WAYS)]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop, debug=True) as runner:
        runner.run(leave_and_continue(phase, way))


@pytest.mark.parametrize("phase", [for_headers, for_another_attempt, for_a_slot])
@pytest.mark.parametrize("use_uvloop", [True, False])
def test_left_walk_leaks_nothing_in_anyio(phase: Phase, use_uvloop: bool) -> None:
    """The loop is created by anyio."""
    options = {"debug": True, "use_uvloop": use_uvloop}
    anyio.run(leave_and_continue, phase, "anyio.CancelScope", backend_options=options)


# Break and exceptions.


async def collect(pager: Pager[Transcription], found: list[str]) -> None:
    """Continue the walk, and keep the ids of its rows."""
    async for t in pager:
        found.append(t.id)  # noqa: PERF401 - a cancellation must not discard them


@pytest.mark.parametrize("readahead", [0, 8])
@pytest.mark.parametrize("leave", ["break", "an error"])
async def test_left_loop_leaks_nothing(leave: str, readahead: int) -> None:
    """Prefetched pages are cancelled immediately; another loop continues."""
    async with service(nowhere) as place, place.client() as client:
        pager, found = client.iter_transcriptions(readahead=readahead), []
        for _ in range(3):
            with contextlib.suppress(LookupError):
                async for t in pager:
                    found.append(t.id)
                    if len(found) % 21 == 0 and leave == "break":
                        break
                    if len(found) % 21 == 0:
                        raise LookupError
            await iterations(3 if readahead else 0)
            assert (client_tasks(), place.fake.in_flight) == (set(), 0)
        assert found == place.rows


async def test_cancellation_during_decoding_takes_effect_at_the_next_wait() -> None:
    """All rows of that page are yielded before that."""
    task: asyncio.Task[None]

    def loads(body: bytes) -> Any:
        # Nothing can wait here.
        if len(place.fake.requests) == 2:
            task.cancel()
        return json.loads(body)

    async with service(nowhere) as place, place.client(json_loads=loads) as client:
        pager, found = client.iter_transcriptions(), []
        task = asyncio.create_task(collect(pager, found))
        await asyncio.wait([task])
        assert task.cancelled()
        assert found == place.rows[:40]
        await collect(pager, found)
        assert found == place.rows


@pytest.mark.parametrize("limit", ["attempt_timeout", "page_timeout"])
@pytest.mark.parametrize("after", [0.45, 0.55])
async def test_cancellation_in_the_iteration_of_a_timeout_is_a_cancellation(
    limit: str, after: float
) -> None:
    """It does not matter which of the two was due first."""
    policy = RetryPolicy(**{limit: 0.5})
    async with service(for_headers) as place, place.client(retry=policy) as client:
        pager = client.iter_transcriptions()
        found = [(await anext(pager)).id for _ in range(20)]
        step = asyncio.create_task(collect(pager, found))
        loop = asyncio.get_running_loop()
        loop.call_later(after, step.cancel)
        # Both are due in the same iteration of a blocked loop.
        loop.call_later(0.4, time.sleep, 0.2)
        await asyncio.wait([step])
        assert step.cancelled()
        await collect(pager, found)
        assert found == place.rows


async def test_timeout_in_a_task_that_was_cancelled_before() -> None:
    """It is a timeout, and `Task.cancelling()` does not change."""
    policy = RetryPolicy(attempts=1, attempt_timeout=0.5)
    async with service(for_headers) as place, place.client(retry=policy) as client:

        async def continue_after_cancellation() -> int:
            pager, task = client.iter_transcriptions(), asyncio.current_task()
            assert task is not None
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await anext(pager)
            assert [(await anext(pager)).id for _ in range(20)] == place.rows[:20]
            with pytest.raises(TimedOutError):
                await anext(pager)
            return task.cancelling()

        assert await asyncio.create_task(continue_after_cancellation()) == 1


# Closing the client.


@each_phase
async def test_walk_of_closed_client_can_be_resumed(phase: Phase) -> None:
    """It ends immediately, and another client resumes from the error."""
    async with service(phase) as place:
        client = place.client()
        pager, found = client.iter_transcriptions(), []
        found = [(await anext(pager)).id for _ in range(place.rows_before)]
        await place.prepare(client)
        step = asyncio.create_task(collect(pager, found))
        await place.reached.wait()
        await client.aclose()
        async with ended([step, *place.others]) as results:
            assert {type(result) for result in results} == {ClientClosedError}
        await soon(lambda: not open_connections(place.fake))
        await place.accept()
        place.skips_sleeps = True
        async with place.client(trace_configs=[]) as other:
            checkpoint = getattr(results[0], "checkpoint", None)
            await collect(other.iter_transcriptions(resume=checkpoint), found)
        assert found == place.rows


@pytest.mark.parametrize("later", range(4))
async def test_closing_in_the_iteration_of_a_timeout_ends_the_call(later: int) -> None:
    """There is no other attempt."""
    async with service(for_headers) as place:
        client = place.client(retry=evolve(PATIENT, attempt_timeout=0.5))
        pager = client.iter_transcriptions()
        found = [(await anext(pager)).id for _ in range(20)]

        async def close() -> None:
            await asyncio.sleep(0.45)
            await iterations(later)
            await client.aclose()

        tasks = [asyncio.create_task(close()), asyncio.create_task(collect(pager, found))]
        # Both are due in the same iteration of a blocked loop, or in the next one.
        asyncio.get_running_loop().call_later(0.4, time.sleep, 0.2)
        await asyncio.wait(tasks[:1])
        async with ended(tasks) as results:
            assert [type(result) for result in results] == [type(None), ClientClosedError]


async def test_session_closed_between_headers_and_body() -> None:
    """The RuntimeError of aiohttp is not passed on."""
    async with service(nowhere) as place:

        async def close(*_: object) -> None:
            await asyncio.wait([asyncio.create_task(session.close())])

        place.fake.fail_next(place.drip)
        place.trace.on_request_end.append(close)
        async with (
            aiohttp.ClientSession(trace_configs=[place.trace]) as session,
            place.client(session=session, trace_configs=[]) as client,
        ):
            with pytest.raises(ClientClosedError):
                await client.count()


@pytest.mark.parametrize("cancelled", [True, False])
async def test_session_closed_while_connecting_is_not_a_cancellation(cancelled: bool) -> None:
    """Then aiohttp cancels the task; a cancellation by the caller is still a cancellation."""
    connector = aiohttp.TCPConnector(limit=1)
    async with service(nowhere) as place, aiohttp.ClientSession(connector=connector) as session:
        place.fake.every(1, place.hold)
        client = place.client(session=session, trace_configs=[], max_in_flight=2)
        calls = [asyncio.create_task(client.count()) for _ in range(2)]
        await place.reached.wait()
        closing = asyncio.create_task(session.close())
        await iterations(1)
        if cancelled:
            calls[1].cancel()
        async with ended([*calls, closing]) as results:
            second = asyncio.CancelledError if cancelled else ClientClosedError
            assert [type(result) for result in results[:2]] == [ClientClosedError, second]


@pytest.mark.parametrize("count", range(4))
async def test_cancelled_close_can_be_repeated(count: int) -> None:
    """The client can be reopened afterwards."""
    async with service(nowhere) as place:
        client = place.client()
        await client.count()
        closing = asyncio.create_task(client.aclose())
        await iterations(count)
        closing.cancel()
        await asyncio.wait([closing])
        await client.aclose()
        await soon(lambda: not open_connections(place.fake))
        async with client:
            assert await client.count() == 45


@asynccontextmanager
async def ended(tasks: list[asyncio.Task[Any]]) -> AsyncIterator[list[object]]:
    """Return the results of tasks that end soon, and cancel the others."""
    await asyncio.wait(tasks, timeout=CLOSE_TIMEOUT)
    late = [task for task in tasks if not task.done()]
    for task in late:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert not late
    yield results


# The event loop ends without `aclose`.

SCRIPT = """
import asyncio, os, signal, sys
import aiohttp, anyio, uvloop
from videosdk_transcripts import RetryPolicy, TranscriptsClient

url, token, runner, ending = sys.argv[1:]
# Shells make background programs ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
policy = RetryPolicy(wait_initial=0)
answered = []

async def note(*_):
    answered.append(1)

trace = aiohttp.TraceConfig()
trace.on_request_end.append(note)
client = TranscriptsClient(endpoint=url, token=token, retry=policy, trace_configs=[trace])

async def walk(rows):
    pager = client.iter_transcriptions()
    for _ in range(rows):
        await anext(pager)

async def main():
    asyncio.get_running_loop().slow_callback_duration = 60
    await walk(5)
    walks = [asyncio.ensure_future(walk(21)) for _ in range(2)]
    # The fifth request, which was sent before the fourth of these was answered, has no answer.
    while len(answered) < 4:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    if ending == "exit":
        sys.exit(3)
    if ending == "SIGINT":
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(60)

if runner == "anyio":
    anyio.run(main)
else:
    {"asyncio": asyncio.run, "uvloop": uvloop.run}[runner](main())
"""


@contextlib.contextmanager
def served() -> Iterator[FakeVideoSDK]:
    """Serve 45 rows in a thread."""
    with (
        anyio.from_thread.start_blocking_portal() as portal,
        portal.wrap_async_context_manager(FakeVideoSDK()) as fake,
    ):
        fake.add_transcriptions(45)
        yield fake


@pytest.mark.parametrize(
    ("runner", "ending", "code"),
    [
        ("asyncio", "return", 0),
        ("asyncio", "exit", 3),
        ("asyncio", "SIGINT", -signal.SIGINT),
        ("uvloop", "return", 0),
        ("uvloop", "SIGINT", -signal.SIGINT),
        ("anyio", "exit", 3),
    ],
)
def test_program_that_ends_with_open_walks_is_silent(runner: str, ending: str, code: int) -> None:
    """One walk waits for a response, another for its next attempt."""
    with served() as fake:
        # A long backoff would not work here: with full jitter, it may be short.
        fake.on_page(2, Delay(LONG), Status(503, {"Retry-After": "60"}))
        token = mint_token(fake.api_key, fake.secret)
        strict = [sys.executable, "-X", "dev", "-W", "error"]
        ended = subprocess.run(  # noqa: S603 - our own script
            [*strict, "-c", SCRIPT, fake.url, token, runner, ending],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == code
        assert sorted(request.page for request in fake.requests) == [1, 1, 1, 2, 2]
    if ending == "SIGINT":
        assert ended.stderr.splitlines()[-1] == "KeyboardInterrupt"
        for word in ("Warning", "Unclosed", "never retrieved", "destroyed", "closed"):
            assert word not in ended.stderr
    else:
        assert ended.stderr == ""


def test_walk_continues_in_three_loops() -> None:
    """Each loop closes its own session, and the pager continues in the next."""
    with served() as fake:
        client = fake.client()
        pager = client.iter_transcriptions()

        async def walk(rows: int) -> list[str]:
            return [(await anext(pager)).id for _ in range(rows)]

        found = asyncio.run(walk(21), debug=True)
        found += uvloop.run(walk(20), debug=True)
        found += anyio.run(walk, 4, backend_options={"debug": True})
        assert found == [row["id"] for row in fake.rows]
