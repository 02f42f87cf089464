"""P6 and P14 measured: timeouts end in time, waits are never too short, the rate is even."""

import asyncio
import contextlib
import json
import re
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final

import aiohttp
import jwt
import pytest
from attrs import evolve

from videosdk_transcripts import (
    Clock,
    RateLimitedError,
    RetryPolicy,
    ServerError,
    TimedOutError,
    TranscriptsClient,
)
from videosdk_transcripts.errors import StatusError
from videosdk_transcripts.testing import (
    CutBody,
    Delay,
    DropConnection,
    Exchange,
    FakeVideoSDK,
    HtmlPage,
    Status,
)

from ..conftest import ManualClock, until
from ..matrix.proxy import Action, Proxy

LIMIT: Final = 0.3
# A limit that no busy machine reaches before a response.
WAIT: Final = 10.0
NEVER: Final = 30.0
POLICIES: Final = {
    "attempt_timeout": RetryPolicy(attempts=1, attempt_timeout=LIMIT),
    "page_timeout": RetryPolicy(page_timeout=LIMIT),
    "walk_timeout": RetryPolicy(),
}
DRIP: Final = 0.02


async def timed_out(step: Callable[[], Awaitable[object]], limit: float = LIMIT) -> TimedOutError:
    """
    Return the timeout error of a step, which is never early and not much too late.

    On a busy machine any step can be late, so only one of ten has to be in time.
    """
    loop = asyncio.get_running_loop()
    late = []
    for _ in range(10):
        began = loop.time()
        with pytest.raises(TimedOutError) as caught:
            await step()
        late.append(loop.time() - began - limit)
        assert late[-1] >= 0
        if late[-1] <= 0.05 + 0.05 * limit:
            return caught.value
    pytest.fail(f"after a limit of {limit} s it was late by {late} s")


def first_row(
    client: TranscriptsClient, name: str, limit: float = LIMIT
) -> Callable[[], Awaitable[object]]:
    """Return a function that takes the first step of a new walk with that timeout."""
    deadline = limit if name == "walk_timeout" else None
    return lambda: anext(client.iter_transcriptions(walk_timeout=deadline))


# Timeouts.


@contextmanager
def deaf(*, full: bool) -> Iterator[str]:
    """Listen without accepting: no request is read; with a full queue, none connects."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0 if full else 16)
        for _ in range(8 if full else 0):
            filling = stack.enter_context(socket.socket())
            filling.setblocking(False)
            filling.connect_ex(listener.getsockname())
        yield f"127.0.0.1:{listener.getsockname()[1]}"


async def hang() -> str:
    """Wait, and return no token in time."""
    await asyncio.sleep(NEVER)
    return ""


@asynccontextmanager
async def trap(name: str, fake: FakeVideoSDK) -> AsyncIterator[dict[str, Any]]:
    """Yield the options of a client that gets no response."""
    keys = {"api_key": fake.api_key, "secret": fake.secret}
    actions = {
        "no answer": Action("black hole"),
        "head that drips": Action("throttle", pause=DRIP),
        # The head has some 200 bytes.
        "body that drips": Action("throttle", after=400, pause=DRIP),
    }
    if name in actions:
        async with Proxy(fake.url, lambda _target: actions[name]) as proxy:
            yield {**keys, "endpoint": proxy.url}
    elif name == "no token":
        yield {"token": hang, "endpoint": fake.url}
    else:
        scheme = "https" if name == "no TLS" else "http"
        with deaf(full=name == "no connection") as address:
            yield {**keys, "endpoint": f"{scheme}://{address}"}


@pytest.mark.parametrize(
    "name",
    ["no answer", "head that drips", "body that drips", "no connection", "no TLS", "no token"],
)
async def test_each_timeout_ends(name: str, fake: FakeVideoSDK) -> None:
    """The error names the timeout."""
    fake.add_transcriptions(20)
    async with contextlib.AsyncExitStack() as stack:
        options = await stack.enter_async_context(trap(name, fake))
        clients = [
            await stack.enter_async_context(TranscriptsClient(retry=policy, **options))
            for policy in POLICIES.values()
        ]
        errors = await asyncio.gather(
            *(
                timed_out(first_row(client, limit))
                for client, limit in zip(clients, POLICIES, strict=True)
            )
        )
    texts = [
        ": timed out: attempt_timeout of 0.3 s while waiting for",
        ": timed out: page_timeout on attempt 1",
        ": timed out: walk_timeout on attempt 1",
    ]
    for error, text in zip(errors, texts, strict=True):
        assert text in error.message
        assert (error.page, error.attempts, error.status) == (1, 1, None)
        assert json.loads(error.checkpoint or "")
        assert isinstance(error, TimeoutError)


@pytest.mark.parametrize("options", [{"max_in_flight": 1}, {"requests_per_second": 0.5}])
async def test_walk_timeout_includes_waiting_for_slot_and_rate_limit(
    fake: FakeVideoSDK, options: Any
) -> None:
    """The slot is never released, or the rate is too low."""
    fake.every(1, Delay(NEVER))
    async with fake.client(retry=RetryPolicy(page_timeout=0.1), **options) as client:
        queue = (await client._transport.sessions.open()).queue
        assert queue.try_acquire()
        step = first_row(client, "walk_timeout")
        errors = await asyncio.gather(*(timed_out(step) for _ in range(3)))
        queue.release()
    assert all("timed out: walk_timeout" in error.message for error in errors)
    assert fake.requests == []


@pytest.mark.parametrize("limit", POLICIES)
async def test_walk_continues_after_timeout(fake: FakeVideoSDK, limit: str) -> None:
    """Its next step continues; after walk_timeout, a new walk resumes it."""
    rows = [row["id"] for row in fake.add_transcriptions(45)]
    fake.on_page(2, Delay(NEVER))
    deadline = LIMIT if limit == "walk_timeout" else None
    async with fake.client(retry=POLICIES[limit]) as client:
        pager = client.iter_transcriptions(walk_timeout=deadline)
        found = [(await anext(pager)).id for _ in range(20)]
        with pytest.raises(TimedOutError, match=limit) as caught:
            await anext(pager)
        assert (caught.value.page, caught.value.checkpoint) == (2, pager.checkpoint)
        if deadline:
            with pytest.raises(
                TimedOutError, match="walk_timeout before the first attempt"
            ) as caught:
                await anext(pager)
            assert (caught.value.attempts, len(fake.requests)) == (0, 2)
            pager = client.iter_transcriptions(resume=caught.value.checkpoint)
        assert found + [t.id async for t in pager] == rows


async def test_walk_timeout_includes_work_between_rows(fake: FakeVideoSDK) -> None:
    """It is raised when the next page is due: rows that have arrived are yielded first."""
    rows = [row["id"] for row in fake.add_transcriptions(4)]
    async with fake.client() as client:

        async def work(page_size: int) -> list[str]:
            found = []
            pager = client.iter_transcriptions(page_size=page_size, walk_timeout=LIMIT)
            with contextlib.suppress(TimedOutError):
                async for t in pager:
                    found.append(t.id)
                    await asyncio.sleep(LIMIT / 2 + 0.01)
            return found

        # The timeout expires after two rows, and is raised at the next page, if there is one.
        assert list(await asyncio.gather(work(2), work(4))) == [rows[:2], rows]


@pytest.mark.parametrize(
    ("fault", "asked"), [(Status(503), None), (Status(429, {"Retry-After": "60"}), 60)]
)
@pytest.mark.parametrize("limit", ["page_timeout", "walk_timeout"])
async def test_wait_beyond_the_timeout_is_not_started(
    fake: FakeVideoSDK, fault: Status, asked: float | None, limit: str
) -> None:
    """The failure itself is raised immediately."""
    fake.every(1, fault)
    loop = asyncio.get_running_loop()
    policy = RetryPolicy(
        wait_initial=0 if asked else 1e9,
        wait_max=1e9,
        page_timeout=WAIT if limit == "page_timeout" else 120,
    )
    async with fake.client(retry=policy) as client:
        began = loop.time()
        with pytest.raises(StatusError) as caught:
            await first_row(client, limit, WAIT)()
        assert loop.time() - began < WAIT
    error = caught.value
    assert (error.status, error.attempts, error.page) == (fault.status, 1, 1)
    assert error.retry_after == asked


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"max_in_flight": 1}, r"a slot \(max_in_flight\)"),
        ({"requests_per_second": 0.5}, r"its turn \(requests_per_second\)"),
    ],
)
async def test_timeout_error_names_what_was_waited_for(
    fake: FakeVideoSDK, options: Any, text: str
) -> None:
    """A request delayed by the caller's own settings was not sent."""
    fake.every(1, Delay(30))
    async with fake.client(**options) as client:
        holder = asyncio.ensure_future(client.count())
        await until(lambda: fake.requests)
        with pytest.raises(TimedOutError, match=f"on attempt 1 while waiting for {text}") as caught:
            await anext(client.iter_transcriptions(walk_timeout=0.2))
        holder.cancel()
        await asyncio.gather(holder, return_exceptions=True)
    assert len(fake.requests) == 1
    _requests, between, queued = times_spent(caught.value)
    assert between == 0
    assert queued > 0.1
    assert f" between them, and {queued:.2f} s queued (max_in_flight" in caught.value.message


def times_spent(error: TimedOutError) -> tuple[float, ...]:
    """Return the seconds on requests, between them and in the queue."""
    pattern = r"it spent ([\d.]+) s on requests, ([\d.]+) s between them(?:, .* ([\d.]+) s queued)?"
    found = re.search(pattern, error.message)
    assert found is not None
    return tuple(float(seconds or 0) for seconds in found.groups())


async def test_timeout_error_has_the_times_spent(fake: FakeVideoSDK) -> None:
    """The time in the queue does not count for page_timeout."""
    fake.fail_next(Status(503, {"Retry-After": "0.2"}), Delay(NEVER))
    policy = RetryPolicy(page_timeout=1, wait_initial=0)
    async with fake.client(max_in_flight=1, retry=policy) as client:
        queue = (await client._transport.sessions.open()).queue
        assert queue.try_acquire()
        call = asyncio.create_task(client.count())
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(0.2)
        queue.release()
        with pytest.raises(TimedOutError, match="page_timeout on attempt 2") as caught:
            await call
        elapsed = asyncio.get_running_loop().time() - began
    requests, between, queued = times_spent(caught.value)
    assert requests + between + queued <= elapsed + 0.02
    assert between >= 0.19
    assert queued > 0.1
    assert requests + between >= 0.98
    assert f" between them, not counting {queued:.2f} s queued" in caught.value.message


async def test_timeouts_of_a_page_exclude_waiting_for_slot(
    fake: FakeVideoSDK, clock: ManualClock
) -> None:
    """They exclude it by both clocks, so that there is time for a second attempt."""
    policy = RetryPolicy(attempts=2, attempt_timeout=0.8, page_timeout=0.8, wait_initial=0)
    async with fake.client(retry=policy, clock=clock.clock, max_in_flight=1) as client:
        queue = (await client._transport.sessions.open()).queue

        async def occupy() -> None:
            assert queue.try_acquire()
            await asyncio.sleep(0.9)
            clock.now += 400
            queue.release()

        fake.fail_next(Status(503))
        first = asyncio.create_task(occupy())
        await asyncio.sleep(0)
        assert await client.count() == 0
        await first
    assert len(fake.requests) == 2


async def test_timeouts_of_a_page_exclude_waiting_for_turn(fake: FakeVideoSDK) -> None:
    """This applies to the turn before each attempt."""
    fake.fail_next(Status(503))
    policy = RetryPolicy(attempts=2, attempt_timeout=0.8, page_timeout=0.8, wait_initial=0)
    async with fake.client(retry=policy, requests_per_second=5) as client:
        assert await asyncio.gather(*(client.count() for _ in range(5))) == [0] * 5
    # The first call waited for its turn twice.
    assert len(fake.requests) == 6


async def test_token_callable_that_swallows_its_cancellation_times_out(fake: FakeVideoSDK) -> None:
    """Nothing is sent with its token."""

    async def provider() -> str:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(NEVER)
        return good(fake)

    policy = RetryPolicy(attempts=1, attempt_timeout=LIMIT)
    async with fake.client(token=provider, retry=policy) as client:
        with pytest.raises(TimedOutError, match="attempt_timeout of .* waiting for the token"):
            await client.count()
    assert fake.requests == []


# Retry-After.


async def test_concurrent_walks_honour_their_own_retry_after(fake: FakeVideoSDK) -> None:
    """It may be seconds, a fraction or a date; the server measures the waits."""
    loop = asyncio.get_running_loop()
    began, whole = loop.time(), int(time.time())

    def now() -> float:
        return whole + 0.7 + loop.time() - began

    date, soon = (format_datetime(datetime.fromtimestamp(whole + n, UTC), True) for n in (0, 1))
    asked = {"tenth": "0.1", "fraction": "0.6", "second": "1", "date": soon}
    arrived: dict[str, list[float]] = {room: [] for room in asked}

    async def refuse_once(exchange: Exchange) -> Any:
        room = exchange.request.query["roomId"]
        arrived[room].append(now())
        if len(arrived[room]) > 1:
            return exchange.response()
        return await Status(429, {"Retry-After": asked[room], "Date": date})(exchange)

    fake.every(1, refuse_once)
    async with fake.client(clock=Clock(time=now), retry=RetryPolicy(wait_initial=0)) as client:
        await asyncio.gather(*(client.count(room) for room in asked))
    gaps = {room: second - first for room, (first, second) in arrived.items()}
    for room in ("tenth", "fraction", "second"):
        assert gaps[room] >= float(asked[room])
    assert arrived["date"][1] >= whole + 1
    # None waited for the Retry-After of another.
    assert gaps["tenth"] < gaps["fraction"] < gaps["second"]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("value", "asked"),
    [
        ("59.5", 59.5),
        ("60", 60),
        ("Sun, 01 Mar 2026 12:00:59 GMT", 59),
        ("60.001", 60.001),
        ("Sun, 01 Mar 2026 12:01:01 GMT", 61),
    ],
)
async def test_long_retry_after_is_waited_for_up_to_the_cap(
    clock: ManualClock, status: int, value: str, asked: float
) -> None:
    """A longer one is raised immediately, whatever time is left for the page."""
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    headers = {"Retry-After": value, "Date": format_datetime(noon, usegmt=True)}
    policy = RetryPolicy(page_timeout=3600)
    async with FakeVideoSDK(now=noon.timestamp) as fake:
        fake.fail_next(Status(status, headers))
        async with fake.client(
            clock=evolve(clock.clock, time=noon.timestamp), retry=policy
        ) as client:
            if asked <= 60:
                assert await client.count() == 0
                (slept,) = clock.slept
                assert asked <= slept <= asked + 0.5
                return
            with pytest.raises(StatusError) as caught:
                await client.count()
    error = caught.value
    assert (error.status, error.retry_after, error.attempts) == (status, asked, 1)
    assert (clock.slept, len(fake.requests)) == ([], 1)


def good(fake: FakeVideoSDK) -> str:
    """Return a token that is accepted."""
    claims = {"apikey": fake.api_key, "version": 2, "exp": 4_000_000_000}
    return jwt.encode(claims, fake.secret)


@pytest.mark.parametrize("ahead", [30, -600])
async def test_wrong_clock_does_not_shorten_retry_after(
    fake: FakeVideoSDK, clock: ManualClock, ahead: int
) -> None:
    """A date counts from the Date header of the response."""
    sent = datetime.now(UTC).replace(microsecond=0)
    date, until = (format_datetime(sent + timedelta(seconds=n), usegmt=True) for n in (0, 20))
    fake.fail_next(Status(429, {"Date": date, "Retry-After": until}))
    async with fake.client(
        clock=evolve(clock.clock, time=lambda: time.time() + ahead), token=good(fake)
    ) as client:
        await client.count()
    assert 20 <= clock.slept[0] <= 20.5


# The worst case of the defaults, as in docs/guides/retries.md.

LONGEST_WAITS: Final = (0.5, 1, 2, 4, 8)


async def test_immediate_failures_end_after_15_5_s(fake: FakeVideoSDK, clock: ManualClock) -> None:
    """There are six attempts with five random waits."""
    fake.every(1, Status(503))
    async with fake.client(clock=clock.clock) as client:
        for _ in range(20):
            clock.slept.clear()
            with pytest.raises(ServerError) as caught:
                await client.get_page()
            assert caught.value.attempts == 6
            for slept, longest in zip(clock.slept, LONGEST_WAITS, strict=True):
                assert 0 <= slept <= longest
    assert len(fake.requests) == 20 * 6


async def test_slow_failures_end_after_four_attempts(
    fake: FakeVideoSDK, clock: ManualClock
) -> None:
    """An injected clock does not end an attempt in progress, so the fourth has its whole time."""

    async def slow(exchange: Exchange) -> Any:
        clock.now += RetryPolicy().attempt_timeout
        return await Status(503)(exchange)

    fake.every(1, slow)
    async with fake.client(clock=clock.clock) as client:
        for _ in range(20):
            clock.slept.clear()
            began = clock.now
            with pytest.raises(ServerError) as caught:
                await client.get_page()
            assert (caught.value.attempts, len(clock.slept)) == (4, 3)
            assert clock.now - began == pytest.approx(4 * 30 + sum(clock.slept))
            assert sum(clock.slept) <= 3.5


async def test_defaults_at_two_hundred_times_the_speed() -> None:
    """The event loop's clock ends the fourth attempt, and with it the page."""
    policy = RetryPolicy(wait_initial=0.0025, wait_max=0.04, attempt_timeout=0.15, page_timeout=0.6)
    with deaf(full=False) as address:
        async with TranscriptsClient(endpoint=f"http://{address}", token="t", retry=policy) as c:
            error = await timed_out(c.get_page, 0.6)
    # On a busy machine the first three may leave no time for a fourth.
    assert error.attempts in (3, 4)
    text = rf"page_timeout on attempt {error.attempts} \(last error: attempt_timeout of 0.15 s"
    assert re.search(text, error.message)


@pytest.mark.parametrize(("asked", "attempts"), [(60, 2), (30, 4), (24, 5), (20, 6)])
async def test_repeated_retry_after_is_bounded_by_page_timeout(
    fake: FakeVideoSDK, clock: ManualClock, asked: int, attempts: int
) -> None:
    """There are as many attempts as fit, and no wait is shorter than required."""
    fake.every(1, Status(429, {"Retry-After": str(asked)}))
    async with fake.client(clock=clock.clock) as client:
        began = clock.now
        with pytest.raises(RateLimitedError) as caught:
            await client.get_page()
    assert (caught.value.attempts, caught.value.retry_after) == (attempts, asked)
    for slept, longest in zip(clock.slept, LONGEST_WAITS, strict=False):
        assert asked <= slept <= asked + longest
    assert len(clock.slept) == attempts - 1
    assert clock.now - began < 120


async def test_stopped_clock_does_not_disable_timeouts(
    fake: FakeVideoSDK, clock: ManualClock
) -> None:
    """A request in progress is ended by the event loop's clock."""
    fake.every(1, Delay(NEVER))
    policy = POLICIES["page_timeout"]
    async with fake.client(clock=clock.clock, retry=policy) as client:
        assert (await timed_out(client.get_page)).attempts == 1
    assert clock.slept == []


# Concurrent walks.


async def test_retries_respect_max_in_flight(fake: FakeVideoSDK) -> None:
    """Twelve walks have a cap of three requests, which the server counts."""
    rows = [row["id"] for row in fake.add_transcriptions(20)]
    fake.every(3, Status(503))
    fake.every(4, Status(429, {"Retry-After": "0.01"}))
    fake.every(5, DropConnection())
    fake.every(7, CutBody())
    fake.every(11, HtmlPage())
    fake.every(1, Delay(0.02))
    policy = RetryPolicy(attempts=50, wait_initial=0.001, wait_max=0.01)
    async with (
        # The given session has no cap, because that would hide a broken one of the client.
        aiohttp.ClientSession() as session,
        fake.client(max_in_flight=3, retry=policy, session=session) as client,
    ):
        pagers = [client.iter_transcriptions(page_size=5) for _ in range(12)]

        async def walk(pager: Any) -> list[str]:
            return [t.id async for t in pager]

        assert await asyncio.gather(*(walk(pager) for pager in pagers)) == [rows] * 12
    assert fake.most_in_flight == 3
    assert sum(pager.stats.retries for pager in pagers) > 30


class Strict(asyncio.Protocol):
    """
    A minimal service that rejects requests beyond 300 in any window of one second.

    A counter that is reset every second would check only some of these windows.
    """

    pages = 50

    def __init__(self, arrived: list[float], refused: list[float]) -> None:
        self.arrived = arrived
        self.refused = refused

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        moment = time.monotonic()
        self.arrived.append(moment)
        page = int(data.split(b"page=", 1)[1].split(b"&")[0].split()[0])
        info = {"currentPage": page, "perPage": 1, "lastPage": self.pages, "total": self.pages}
        body = json.dumps({"pageInfo": info, "transcriptions": [{"id": f"row-{page}"}]}).encode()
        status = b"200 OK"
        if len(self.arrived) > 300 and self.arrived[-301] > moment - 1:
            self.refused.append(moment)
            status = b"429 Too Many Requests"
        self.transport.write(
            b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)
        )


def most_within(moments: list[float], seconds: float) -> int:
    """Return the maximum number of moments in any window of this length."""
    most = first = 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


async def test_280_per_second_stays_below_300() -> None:
    """Twelve walks send 600 requests, and the caller blocks the loop: no 429 and no burst."""
    arrived: list[float] = []
    refused: list[float] = []
    server = await asyncio.get_running_loop().create_server(
        lambda: Strict(arrived, refused), "127.0.0.1", 0
    )
    async with (
        server,
        TranscriptsClient(
            endpoint=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}",
            token="t",
            requests_per_second=280,
            max_in_flight=8,
            retry=RetryPolicy(attempts=1),
        ) as client,
    ):

        async def walk(number: int) -> int:
            count = 0
            async for _ in client.iter_transcriptions(page_size=1):
                count += 1
                if (number, count) == (0, 25):
                    time.sleep(0.3)  # noqa: ASYNC251 - blocks on purpose
            return count

        assert await asyncio.gather(*(walk(n) for n in range(12))) == [50] * 12
    assert (len(arrived), refused) == (600, [])
    # At most eight requests in flight can be late, and one delayed request may follow early.
    assert most_within(arrived, 1.0) <= 280 + 8 + 2
    assert most_within(arrived, 0.1) <= 28 + 8 + 2
    # Only a blocked loop can cause five within the interval of one.
    bunches = sum(1 for a, b in zip(arrived, arrived[4:], strict=False) if b - a < 1 / 280)
    assert bunches < len(arrived) / 10
