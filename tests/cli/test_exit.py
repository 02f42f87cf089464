"""How the program ends: exit codes, errors, pipes, Ctrl-C and secrets."""

import asyncio
import errno
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from videosdk_transcripts import RetryPolicy
from videosdk_transcripts.cli import _exit
from videosdk_transcripts.cli._exit import ExitCode
from videosdk_transcripts.testing import (
    SANDBOX_ROOMS,
    Delay,
    DropConnection,
    EmptyPage,
    Envelope,
    Exchange,
    FakeVideoSDK,
    Fault,
    HtmlPage,
    Status,
)

from .command_line import NAME, Run, shown_on_a_terminal, start, use_policy

ROOM = "abcd-efgh-ijkl"
SANDBOX_LINE = f"sandbox rooms: {', '.join(SANDBOX_ROOMS)}\n"


@pytest.fixture
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program does not wait between attempts."""
    use_policy(monkeypatch, RetryPolicy(wait_initial=0, wait_max=0))


# Errors.


def setting(**variables: str | None) -> Callable[[FakeVideoSDK, pytest.MonkeyPatch], None]:
    """Prepare by setting variables, or by deleting those that are None."""

    def prepare(_service: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in variables.items():
            if value is None:
                monkeypatch.delenv(f"VIDEOSDK_{name}")
            else:
                monkeypatch.setenv(f"VIDEOSDK_{name}", value)

    return prepare


def always(fault: Fault) -> Callable[[FakeVideoSDK, pytest.MonkeyPatch], None]:
    """Prepare a fault for every request."""

    def prepare(account: FakeVideoSDK, _monkeypatch: pytest.MonkeyPatch) -> None:
        account.every(1, fault)

    return prepare


def having(**fields: Any) -> Callable[[FakeVideoSDK, pytest.MonkeyPatch], None]:
    """Prepare one row that is listed for every filter."""

    def prepare(account: FakeVideoSDK, _monkeypatch: pytest.MonkeyPatch) -> None:
        account.filters = "ignored"
        account.rows.append(account.add_transcription() | fields)
        del account.rows[0]

    return prepare


ENDS = [
    (ExitCode.USAGE, setting(API_ENDPOINT="nowhere"), "VIDEOSDK_API_ENDPOINT must"),
    (ExitCode.AUTH, setting(API_KEY=None, SECRET=None), "no credentials"),
    (
        ExitCode.AUTH,
        setting(API_KEY=None, SECRET=None),
        "in the environment or in a file (--env-file)",
    ),
    (ExitCode.AUTH, setting(SECRET=None), "VIDEOSDK_API_KEY is set and VIDEOSDK_SECRET is not"),
    (ExitCode.AUTH, setting(SECRET=None, TOKEN="Bearer x"), "Bearer"),
    (ExitCode.AUTH, setting(SECRET="a wrong secret of more than 32 bytes"), " 401"),
    (ExitCode.AUTH, always(Status(400, code=4001)), " 400"),
    (ExitCode.AUTH, always(Status(403)), " 403"),
    (ExitCode.NOT_FOUND, always(Status(404)), " 404"),
    (ExitCode.NOT_FOUND, always(Status(402)), " 402"),
    (ExitCode.RATE_LIMITED, always(Status(429, {"Retry-After": "3600"})), " 429"),
    (ExitCode.NETWORK, always(DropConnection()), "127.0.0.1"),
    (ExitCode.SERVICE, always(HtmlPage()), "JSON"),
    (ExitCode.SERVICE, always(Status(503)), " 503"),
    (ExitCode.SERVICE, always(Status(400)), " 400"),
    (ExitCode.SERVICE, always(Envelope(info={"currentPage": 9})), "page 9"),
    (
        ExitCode.SERVICE,
        having(start=5),
        "string",
    ),
    (ExitCode.SERVICE, having(start=5), "use --on-invalid skip"),
    (ExitCode.SERVICE, having(extension={}), "session"),
    (ExitCode.SERVICE, having(extension={}), "use --on-unverified yield"),
]


@pytest.mark.parametrize(("expected", "prepare", "words"), ENDS)
@pytest.mark.usefixtures("_no_waits")
def test_failure_is_an_exit_code_and_one_line(
    account: FakeVideoSDK,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    *,
    expected: ExitCode,
    prepare: Callable[[FakeVideoSDK, pytest.MonkeyPatch], None],
    words: str,
) -> None:
    """A failure before the first row is an exit code and one line on stderr."""
    prepare(account, monkeypatch)
    code, out, err = run("list", ROOM, "--json")
    assert (expected, "") == (code, out)
    assert words in err
    assert err.startswith(NAME)
    assert (err.count("\n"), err[-1]) == (1, "\n")


@pytest.mark.usefixtures("_no_waits")
def test_refused_connection_names_the_address(
    account: FakeVideoSDK, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused connection exits with 7 and names the address."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        monkeypatch.setenv("VIDEOSDK_API_ENDPOINT", f"http://{address}")
        code, out, err = run("list")
    assert (code, out) == (ExitCode.NETWORK, "")
    assert address in err


def test_timeout_exits_with_the_network_code(
    account: FakeVideoSDK, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A timeout exits with 7 and names the limit."""
    use_policy(monkeypatch, RetryPolicy(attempts=1, attempt_timeout=0.02))
    account.every(1, Delay(30))
    code, out, err = run("list")
    assert (code, out) == (ExitCode.NETWORK, "")
    assert "0.02 s" in err


@pytest.mark.parametrize("room", ["", "a b", ".."])
def test_invalid_room_is_rejected_before_a_request(
    account: FakeVideoSDK, run: Run, room: str
) -> None:
    """An invalid id is a usage error, and nothing is sent."""
    code, out, err = run("list", room)
    assert (code, out) == (ExitCode.USAGE, "")
    assert "the room must be" in err
    assert account.requests == []


@pytest.mark.parametrize("command", ["show", "text"])
def test_unreadable_single_row_names_no_option(
    run: Run, account: FakeVideoSDK, command: str
) -> None:
    """No option is suggested, because none continues without the only row."""
    account.add_transcription(row_id="bad")["status"] = 7
    code, out, err = run(command, "bad")
    assert (code, out) == (ExitCode.SERVICE, "")
    assert err.startswith(NAME)
    assert "bad" in err
    assert "--on-invalid" not in err


@pytest.mark.parametrize("message", ["a\x1b]0;t\x07b", "a\u202eb", "a\nb"])
def test_control_characters_in_an_error_are_replaced(
    account: FakeVideoSDK, run: Run, message: str
) -> None:
    """An error is one line, whatever text the service sends."""
    account.fail_next(Status(404, message=message))
    code, _, err = run("list")
    assert code == ExitCode.NOT_FOUND
    assert [c for c in err if not c.isprintable()] == ["\n"]


# Partial output.


@pytest.mark.parametrize("fault", [Status(404), Status(401), HtmlPage()])
@pytest.mark.usefixtures("_no_waits")
def test_failure_after_rows_exits_with_partial(
    account: FakeVideoSDK, run: Run, fault: Fault
) -> None:
    """A failure after some rows has its own exit code, and the line states after how many."""
    account.add_transcriptions(45)
    account.on_page(2, fault, times=10)
    code, out, err = run("list")
    assert (code, len(out.splitlines())) == (ExitCode.PARTIAL, 20)
    assert err.startswith(f"{NAME}stopped after 20 rows: ")
    assert err.count("\n") == 1


def test_partial_output_of_one_row_is_singular(account: FakeVideoSDK, run: Run) -> None:
    """One row is reported in the singular."""
    account.add_transcriptions(2)
    account.on_page(2, Status(404))
    assert run("list", "--page-size", "1").err.startswith(f"{NAME}stopped after 1 row: ")


@pytest.mark.parametrize("options", [["--json"], ["--jsonl"], []])
def test_failure_after_empty_pages_is_not_partial(
    account: FakeVideoSDK, run: Run, options: list[str]
) -> None:
    """Without a printed row the exit code is that of the failure."""
    account.add_transcriptions(45)
    # An empty page is requested once more.
    account.on_page(1, EmptyPage(), times=2)
    account.on_page(2, Status(404))
    code, out, _ = run("list", *options)
    assert (code, out) == (ExitCode.NOT_FOUND, "")


# Pipes and disks.


@contextmanager
def closed_pipe() -> Iterator[None]:
    """Replace stdout by a pipe that nothing reads."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as file, redirect_stdout(file):
        yield


@pytest.mark.parametrize("options", [[], ["--json"], ["--jsonl"]])
def test_closed_pipe_is_success(run: Run, options: list[str]) -> None:
    """A reader that has closed the pipe is not a failure."""
    with closed_pipe():
        outcome = run("list", "--sandbox", *options)
    assert outcome == (0, "", SANDBOX_LINE)


def test_pipe_closed_during_a_walk_ends_it(account: FakeVideoSDK) -> None:
    """With `| head -1`, the process exits with 0 and requests no more pages."""
    account.add_transcriptions(85)
    gone = threading.Event()

    async def wait_until_gone(exchange: Exchange) -> web.StreamResponse:
        await asyncio.to_thread(gone.wait, 10)
        return exchange.response()

    account.on_page(2, wait_until_gone)
    with start("list") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        process.stdout.close()
        gone.set()
        message = process.stderr.read()
    assert (process.returncode, message) == (0, "")
    assert account.rows[0]["id"] == first.split("\t")[0]
    # Page 3 may have been prefetched with page 2.
    assert not {4, 5} & {request.page for request in account.requests}


@pytest.mark.parametrize("arguments", [["--help"], ["list", "--help"], ["--version"]])
def test_help_into_a_closed_pipe_is_success(run: Run, arguments: list[str]) -> None:
    """Help and version may be piped to a closed reader."""
    with closed_pipe():
        assert run(*arguments) == (0, "", "")


def test_process_with_help_into_a_closed_pipe_is_silent() -> None:
    """A process whose help is not read exits with 0 and prints no error at exit."""
    with start("--help") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        message = process.stderr.read()
    assert (process.returncode, message) == (0, "")


@contextmanager
def full_disk() -> Iterator[int]:
    """Return a descriptor that cannot be written, on any system."""
    descriptor = os.open(os.devnull, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


NOT_WRITTEN = f"{NAME}cannot write the output: {os.strerror(errno.EBADF)}\n"


@pytest.mark.parametrize("options", [[], ["--json"], ["--jsonl"]])
def test_write_error_exits_with_the_output_code(
    account: FakeVideoSDK, run: Run, options: list[str]
) -> None:
    """A write error exits with 1, and the line states the reason."""
    account.add_transcriptions(45)
    with full_disk() as descriptor:
        file = os.fdopen(descriptor, "w", closefd=False)
        with redirect_stdout(file):
            outcome = run("list", *options)
        # The buffered output is discarded, so that closing the file does not fail again.
        file.close()
    assert outcome == (ExitCode.OUTPUT, "", NOT_WRITTEN)
    assert {1} == {request.page for request in account.requests}


@pytest.mark.parametrize(("options", "code"), [([], 0), (["--no-such"], 2)])
def test_unwritable_stderr_does_not_change_the_exit_code(
    run: Run, options: list[str], code: int
) -> None:
    """A message that can't be written is discarded, so that closing stderr does not fail."""
    with full_disk() as descriptor:
        file = os.fdopen(descriptor, "w", closefd=False)
        with redirect_stderr(file):
            outcome = run("list", "--sandbox", *options)
        file.close()
    assert (outcome.code, len(outcome.out.splitlines())) == (code, 0 if code else 55)


def test_process_with_a_write_error_prints_one_line() -> None:
    """The process exits with 1 and one line, without a traceback, with buffered output too."""
    with full_disk() as descriptor, start("list", "--sandbox", stdout=descriptor) as process:
        message = process.communicate()[1]
    assert (process.returncode, message) == (1, SANDBOX_LINE + NOT_WRITTEN)


# Ctrl-C.


def interrupting(interrupt: Callable[[], None]) -> Fault:
    """Create a fault: Ctrl-C is pressed, and the response never comes."""

    async def press(_exchange: Exchange) -> web.StreamResponse:
        interrupt()
        await asyncio.Event().wait()
        return web.Response()

    return press


@pytest.mark.parametrize(("page", "printed"), [(1, 0), (2, 20)])
@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_exits_with_130(account: FakeVideoSDK, run: Run, page: int, printed: int) -> None:
    """Ctrl-C exits with 130 and one line, whatever was printed."""
    account.add_transcriptions(45)
    here = threading.get_ident()
    account.on_page(page, interrupting(lambda: signal.pthread_kill(here, signal.SIGINT)))
    code, out, err = run("list")
    assert (ExitCode.INTERRUPTED, printed) == (code, len(out.splitlines()))
    # The empty line ends the line with the terminal's ^C.
    hint = "\nuse --checkpoint FILE to be able to resume an interrupted run\n" if printed else ""
    assert err == f"{hint}\n{NAME}interrupted\n"


@pytest.mark.usefixtures("ctrl_c", "wide")
def test_ctrl_c_prints_the_table_so_far(account: FakeVideoSDK, run: Run) -> None:
    """Ctrl-C on a terminal prints the rows so far, and what was skipped."""
    account.add_transcriptions(45)
    account.rows[5] = account.rows[0]
    here = threading.get_ident()
    account.on_page(2, interrupting(lambda: signal.pthread_kill(here, signal.SIGINT)))
    shown, outcome = shown_on_a_terminal(run, "list")
    ids = [line.partition(" ")[0] for line in shown.splitlines()]
    assert ["ID", *dict.fromkeys(row["id"] for row in account.rows[:20])] == ids
    hint = "\nuse --checkpoint FILE to be able to resume an interrupted run\n"
    message = f"{hint}19 transcriptions\n1 duplicate skipped\n"
    assert outcome == (ExitCode.INTERRUPTED, "", f"{message}\n{NAME}interrupted\n")


def test_process_interrupted_prints_no_traceback(account: FakeVideoSDK) -> None:
    """The process exits with 130, without a traceback or a warning."""
    begun: Future[subprocess.Popen[str]] = Future()
    account.fail_next(interrupting(lambda: begun.result(10).send_signal(signal.SIGINT)))
    with start("list") as process:
        begun.set_result(process)
        out, err = process.communicate()
    assert (130, "", f"\n{NAME}interrupted\n") == (process.returncode, out, err)


def pressing(thread: int) -> Fault:
    """Create a fault: Ctrl-C is pressed before the response is sent."""

    async def press(_exchange: Exchange) -> web.StreamResponse:
        signal.pthread_kill(thread, signal.SIGINT)
        # Otherwise the response could arrive first.
        await asyncio.sleep(0.2)
        return web.Response(status=503)

    return press


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["download"], "run the same command again to continue; saved files are kept"),
        (
            ["download", "--overwrite"],
            "run the same command again without --overwrite to continue; saved files are kept",
        ),
        (["wait", "t-1"], "run the same command again to continue waiting"),
        (["wait", "t-1", "--post"], "run the same command again to continue waiting"),
        (["follow"], "use --checkpoint FILE to receive the changes between two runs as well"),
        (
            ["start", ROOM],
            f"outcome unknown; to check it, run: videosdk-transcripts list {ROOM}",
        ),
        (
            ["stop", ROOM],
            f"outcome unknown; to check it, run: videosdk-transcripts list {ROOM}",
        ),
    ],
)
def test_ctrl_c_states_how_to_continue(
    run: Run, account: FakeVideoSDK, tmp_path: Path, arguments: list[str], message: str
) -> None:
    """Each command states how to continue, and exits with 130."""
    account.fail_next(pressing(threading.get_ident()))
    target = ["--to", str(tmp_path)] if arguments[0] == "download" else []
    code, out, err = run(*arguments, *target)
    assert (code, out) == (ExitCode.INTERRUPTED, "")
    assert err.endswith(f"{message}\n\n{NAME}interrupted\n")


# Secrets.


async def echo(exchange: Exchange) -> web.StreamResponse:
    """Respond with the header that was received, like a gateway that echoes requests."""
    text = f"bad header Authorization: {exchange.request.headers['Authorization']}"
    return web.json_response({"message": text, "error": {"message": text}}, status=400)


@pytest.mark.parametrize("options", [[], ["--json"]])
@pytest.mark.parametrize("fault", [echo, Status(401), Status(403), HtmlPage(), DropConnection()])
@pytest.mark.usefixtures("_no_waits")
def test_no_secret_is_printed(
    account: FakeVideoSDK, run: Run, options: list[str], fault: Fault
) -> None:
    """Neither key nor secret nor token reaches the output, even if the service echoes it."""
    account.add_transcriptions(45)
    account.on_page(2, fault, times=20)
    _, out, err = run("list", *options)
    assert out
    tokens = {request.headers["Authorization"] for request in account.requests}
    parts = {part for token in tokens for part in token.split(".")}
    for hidden in (account.api_key, account.secret, *parts):
        assert hidden not in out + err


@pytest.mark.parametrize(("is_closed", "code"), [(False, 1), (True, 129)])
def test_output_that_fails_after_a_hangup_is_that_of_the_signal(
    monkeypatch: pytest.MonkeyPatch, *, is_closed: bool, code: int
) -> None:
    """A terminal that is closed sends a signal, and refuses the next row."""
    monkeypatch.setattr(_exit, "has_arrived", lambda: is_closed)
    monkeypatch.setattr(_exit, "interrupted_exit_code", lambda: 129)

    def write() -> None:
        raise OSError(errno.EIO, "Input/output error")

    assert _exit.run_with_exit_code(write) == code
