"""The fixtures that pytest finds once the package is installed."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ASYNC_TEST = """
from videosdk_transcripts.testing import Status

async def test_rows(fake_videosdk, transcripts_client):
    fake_videosdk.add_transcriptions(25)
    fake_videosdk.fail_next(Status(503), times=2)
    assert len([t async for t in transcripts_client.iter_transcriptions()]) == 25

async def test_second(fake_videosdk, transcripts_client):
    assert await transcripts_client.count() == 0
    assert len(fake_videosdk.requests) == 1
"""
SYNC_TEST = """
import asyncio
import urllib.request

from videosdk_transcripts import TranscriptsClient

def test_program(fake_videosdk, monkeypatch):
    fake_videosdk.add_transcriptions(3)
    for name, value in fake_videosdk.environ.items():
        monkeypatch.setenv(name, value)

    async def program():
        async with TranscriptsClient() as client:
            return await client.count()

    assert asyncio.run(program()) == 3
"""
STRICT = "import pytest\npytestmark = pytest.mark.asyncio\n"
ANYIO = """
import pytest
pytestmark = pytest.mark.anyio

@pytest.fixture
def anyio_backend():
    return "asyncio"
"""
LOOP = ("-o", "asyncio_default_fixture_loop_scope=function")
AUTO = (*LOOP, "-o", "asyncio_mode=auto")
NO_OTHERS = ("-p", "no:randomly", "-p", "no:cacheprovider", "-W", "error")


@pytest.fixture(autouse=True)
def _no_coverage_in_other_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests in this process cover the plugin, and coverage takes long to start."""
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


@pytest.mark.parametrize(
    ("head", "options"),
    [
        ("", AUTO),
        (STRICT, (*LOOP, "-o", "asyncio_mode=strict")),
        (ANYIO, ("-p", "no:asyncio")),
        (ANYIO, (*LOOP, "-o", "asyncio_mode=strict")),
    ],
    ids=["auto", "strict", "anyio", "anyio and strict"],
)
def test_async_plugins_can_use_the_fixtures(
    pytester: pytest.Pytester, head: str, options: tuple[str, ...]
) -> None:
    """Each test has a service of its own."""
    pytester.makepyfile(head + ASYNC_TEST)
    pytester.runpytest_subprocess(*NO_OTHERS, *options).assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("backend", "refused"), [("'trio'", 1), ("('trio', {})", 1), ("('asyncio', {})", 0)]
)
def test_client_requires_the_asyncio_backend(
    pytester: pytest.Pytester, backend: str, refused: int
) -> None:
    """Tests on trio can use the service alone."""
    pytester.makepyfile(
        f"""
        import pytest
        pytestmark = pytest.mark.usefixtures("anyio_backend")

        @pytest.fixture
        def anyio_backend():
            return {backend}

        def test_client(transcripts_client): ...

        def test_service(fake_videosdk): ...
        """
    )
    result = pytester.runpytest_inprocess(*NO_OTHERS, "-p", "no:asyncio")
    result.assert_outcomes(passed=2 - refused, errors=refused)
    if refused:
        result.stdout.fnmatch_lines(["transcripts_client requires asyncio, not trio: *"])


def test_synchronous_test_can_use_the_service(pytester: pytest.Pytester) -> None:
    """The program under test creates its own client and event loop."""
    pytester.makepyfile(SYNC_TEST)
    pytester.runpytest_inprocess(*NO_OTHERS, "-p", "no:asyncio").assert_outcomes(passed=1)


def test_scope_setting_shares_the_service(pytester: pytest.Pytester) -> None:
    """The client works in one event loop after another."""
    pytester.makepyfile(
        """
        async def test_first(fake_videosdk, transcripts_client):
            fake_videosdk.add_transcriptions(2)
            assert await transcripts_client.count() == 2

        async def test_second(fake_videosdk, transcripts_client):
            assert await transcripts_client.count() == 2
        """
    )
    options = (*AUTO, "-o", "videosdk_transcripts_scope=session")
    pytester.runpytest_inprocess(*NO_OTHERS, *options).assert_outcomes(passed=2)
    pytester.runpytest_subprocess(*NO_OTHERS, *AUTO).assert_outcomes(passed=1, failed=1)


# anyio keeps a loop as long as an async fixture uses it.
ANYIO_MODULE = """
import pytest
pytestmark = pytest.mark.anyio

@pytest.fixture(scope="module")
def anyio_backend():
    return "asyncio"

@pytest.fixture(scope="module", autouse=True)
async def loop(anyio_backend):
    yield
"""
CLOSED_AFTER_EACH_TEST = """
import asyncio
import pytest
from videosdk_transcripts import ClientClosedError
from videosdk_transcripts.testing import Delay

async def test_file(fake_videosdk, transcripts_client):
    fake_videosdk.files.put(fake_videosdk.add_transcription(), "txt", b"Ann: Shall we begin?")
    t = await anext(transcripts_client.iter_transcriptions())
    assert await transcripts_client.fetch_text(t) == "Ann: Shall we begin?"

async def test_left_in_flight(fake_videosdk, transcripts_client):
    fake_videosdk.fail_next(Delay(30))
    global task
    task = asyncio.create_task(transcripts_client.count())
    while not fake_videosdk.requests:
        await asyncio.sleep(0.001)

async def test_ended():
    with pytest.raises(ClientClosedError):
        await task
"""


def loops(scope: str) -> tuple[str, ...]:
    """Return the options for event loops of a scope."""
    kinds = ("fixture", "test")
    return tuple(f"--override-ini=asyncio_default_{k}_loop_scope={scope}" for k in kinds)


@pytest.mark.parametrize(
    ("head", "options"),
    [
        (STRICT, loops("module")),
        (STRICT, loops("session")),
        (ANYIO_MODULE, ("-p", "no:asyncio")),
    ],
    ids=["module", "session", "anyio"],
)
def test_client_is_closed_after_each_test_in_a_loop_that_goes_on(
    pytester: pytest.Pytester, head: str, options: tuple[str, ...]
) -> None:
    """No test leaves a connection or a warning for the next one."""
    pytester.makepyfile(head + ASYNC_TEST + CLOSED_AFTER_EACH_TEST)
    pytester.runpytest_inprocess(*NO_OTHERS, *options).assert_outcomes(passed=5)


@pytest.mark.parametrize("scope", ["session", "function"])
def test_shared_client_is_closed_after_its_last_test(pytester: pytest.Pytester, scope: str) -> None:
    """The tests share one loop, or each has its own."""
    pytester.makepyfile(
        STRICT
        + """
async def test_first(transcripts_client):
    assert await transcripts_client.count() == 0

async def test_second(transcripts_client):
    assert await transcripts_client.count() == 0
"""
    )
    options = (*loops(scope), "-o", "videosdk_transcripts_scope=session")
    pytester.runpytest_inprocess(*NO_OTHERS, *options).assert_outcomes(passed=2)


def test_client_is_closed_in_a_loop_of_another_thread(pytester: pytest.Pytester) -> None:
    """A program under test may run its loop there."""
    pytester.makepyfile(
        """
        import asyncio, threading
        import pytest

        @pytest.fixture(scope="module")
        def loop():
            loop = asyncio.new_event_loop()
            thread = threading.Thread(target=loop.run_forever)
            thread.start()
            yield loop
            asyncio.run_coroutine_threadsafe(loop.shutdown_asyncgens(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

        clients = []

        def test_count(loop, transcripts_client):
            clients.append(transcripts_client)
            asyncio.run_coroutine_threadsafe(transcripts_client.count(), loop).result()

        def test_closed(loop):
            async def wait():
                while "closed" not in repr(clients[0]):
                    await asyncio.sleep(0.001)
            asyncio.run_coroutine_threadsafe(wait(), loop).result()
        """
    )
    options = ("-p", "no:asyncio", "-p", "no:anyio")
    pytester.runpytest_inprocess(*NO_OTHERS, *options).assert_outcomes(passed=2)


def test_unknown_scope_is_a_usage_error(pytester: pytest.Pytester) -> None:
    """The error names the setting and its values."""
    pytester.makepyfile("def test_nothing(): ...")
    options = (*NO_OTHERS, *AUTO, "-o", "videosdk_transcripts_scope=sesion")
    result = pytester.runpytest_inprocess(*options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: videosdk_transcripts_scope must be one of *, not 'sesion'"]
    )


def test_xdist_workers_have_their_own_service(pytester: pytest.Pytester) -> None:
    """Each worker is a process."""
    pytester.makepyfile(test_a=ASYNC_TEST, test_b=ASYNC_TEST)
    pytester.runpytest_subprocess(*NO_OTHERS, *AUTO, "-n", "2").assert_outcomes(passed=4)


def test_fixtures_are_described(pytester: pytest.Pytester) -> None:
    """The output of `pytest --fixtures` has the descriptions."""
    lines = pytester.runpytest_inprocess(*NO_OTHERS, *AUTO, "--fixtures").stdout
    lines.fnmatch_lines(["fake_videosdk*", "*a real server on loopback, without rows.*"])
    lines.fnmatch_lines(["transcripts_client*", "*Return a TranscriptsClient of `fake_videosdk`*"])


def test_plugin_imports_only_pytest_until_used(tmp_path: Path) -> None:
    """A run that uses no fixture loads no dependency of the package."""
    (tmp_path / "test_x.py").write_text(
        "import sys\n"
        "def test_x():\n"
        "    ours = {name for name in sys.modules if name.startswith('videosdk_transcripts.')}\n"
        "    parts = {'pytest_plugin', 'errors', '_redact', '_version'}\n"
        "    assert ours == {f'videosdk_transcripts.{part}' for part in parts}\n"
        "    heavy = {'aiohttp', 'attr', 'cattrs', 'jwt', 'tenacity', 'click', 'rich'}\n"
        "    assert not heavy & set(sys.modules)\n"
    )
    others = ("asyncio", "anyio", "randomly", "timeout", "xdist", "hypothesispytest", "rerun")
    without = [word for name in others for word in ("-p", f"no:{name}")]
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-W", "error", "-m", "pytest", "-q", *without, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
