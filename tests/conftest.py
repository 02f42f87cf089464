"""Fixtures for all tests: a fake service, a client that does not sleep, a check for leaks."""

import asyncio
import contextlib
import inspect
import logging
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, settings

from videosdk_transcripts import Clock, RetryPolicy, TranscriptsClient
from videosdk_transcripts.testing import FakeVideoSDK

from .cli.command_line import account, ctrl_c, run, wide  # noqa: F401 - fixtures
from .promises.canaries import service, watch  # noqa: F401 - fixtures

# Each example starts a server, which takes longer than Hypothesis allows on a busy machine.
settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50
)
settings.load_profile("default")

# Under nohup, SIGHUP is ignored, and child processes inherit this.
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _is_expected(record: logging.LogRecord) -> bool:
    """Return False for a slow callback, unless a test logs all of them: a busy machine has some."""
    is_slow_callback = str(record.msg).startswith("Executing ")
    return not is_slow_callback or asyncio.get_running_loop().slow_callback_duration == 0


# Tests compare all messages that were logged.
logging.getLogger("asyncio").addFilter(_is_expected)

# Each has its own requirements and settings, and a nox session with its name.
collect_ignore = ["browser", "examples", "export", "integrations"]


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def tcp(talk: Talk) -> AsyncIterator[str]:
    """Serve raw bytes on a socket, for responses that no HTTP server would send."""
    tasks: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        with contextlib.suppress(
            asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError
        ):
            await talk(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}"
        # A connection that was just accepted is served a few iterations of the loop later.
        server.close()
        for _ in range(5):
            await asyncio.sleep(0)
        for task in filter(None, tasks):
            task.cancel()
        await asyncio.gather(*filter(None, tasks))


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """Read the head of a request."""
    return await reader.readuntil(b"\r\n\r\n")


async def until(condition: Callable[[], object]) -> None:
    """Let other tasks run until a condition is true."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - no event signals it
            await asyncio.sleep(0.001)


class ManualClock:
    """A clock that only sleeps advance; it records them and returns immediately."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        self.clock = Clock(monotonic=lambda: self.now, sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the credentials and proxies of the environment from every test."""
    for name in list(os.environ):
        if name.startswith("VIDEOSDK_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NETRC", os.devnull)


@pytest.fixture
def clock() -> ManualClock:
    """Return a clock that only the test advances."""
    return ManualClock()


@pytest.fixture
async def fake() -> AsyncIterator[FakeVideoSDK]:
    """Return a fake service without rows."""
    async with FakeVideoSDK() as server:
        yield server


@pytest.fixture
async def client(fake: FakeVideoSDK, clock: ManualClock) -> AsyncIterator[TranscriptsClient]:
    """Return a client of the fake service with three attempts and no sleeps."""
    async with fake.client(retry=RetryPolicy(attempts=3), clock=clock.clock) as open_client:
        yield open_client


@pytest.fixture(autouse=True)
def _checked_for_leaks(request: pytest.FixtureRequest) -> None:
    """Check asynchronous tests only: for others, the check would start an event loop."""
    if inspect.iscoroutinefunction(inspect.unwrap(request.function)):
        request.getfixturevalue("_nothing_left")


@pytest.fixture
async def _nothing_left() -> AsyncIterator[None]:
    """Check after the test that only its own task remains."""
    yield
    await asyncio.sleep(0)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not {task for task in left if not task.done()}


@pytest.fixture
def rows(fake: FakeVideoSDK) -> list[str]:
    """Add 45 rows of one room, which are three pages, and return their ids."""
    return [row["id"] for row in fake.add_transcriptions(45)]
