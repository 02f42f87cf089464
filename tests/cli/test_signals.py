"""Ctrl-C, SIGTERM and SIGHUP."""

import asyncio
import csv
import fcntl
import io
import json
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from aiohttp import web

from videosdk_transcripts.cli import _output, _signals, main
from videosdk_transcripts.cli._checkpoint_file import CheckpointFile
from videosdk_transcripts.cli._exit import ExitCode
from videosdk_transcripts.cli._output import LinePrinter
from videosdk_transcripts.testing import Exchange, FakeVideoSDK, Fault

from .command_line import NAME, SCRIPT, Run, Terminal, start

pytestmark = pytest.mark.usefixtures("ctrl_c")

SIGNALS = {
    signal.SIGINT: (ExitCode.INTERRUPTED, "interrupted"),
    signal.SIGTERM: (ExitCode.TERMINATED, "ended by SIGTERM"),
    signal.SIGHUP: (ExitCode.HUNG_UP, "ended by SIGHUP"),
}


def sending(number: int) -> Fault:
    """Create a fault: a signal arrives before the response, which is never sent."""
    thread = threading.get_ident()

    async def send(_exchange: Exchange) -> web.StreamResponse:
        signal.pthread_kill(thread, number)
        await asyncio.Event().wait()
        return web.Response()

    return send


def printed_ids(option: str | None, out: str) -> list[str]:
    """Return the ids of the rows in the output of a run that may have been interrupted."""
    if option == "--json":
        document = out if out.endswith("]\n") else f"{out}]" if out else "[]"
        return [row["id"] for row in json.loads(document)]
    if option == "--jsonl":
        return [json.loads(line)["id"] for line in out.splitlines()]
    if option == "--csv":
        return [row[0] for row in csv.reader(io.StringIO(out)) if row[0] != "id"]
    return [line.partition("\t")[0] for line in out.splitlines()]


# The first signal.


@pytest.mark.parametrize("option", [None, "--json", "--jsonl", "--csv"])
@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("page", [1, 2, 3])
def test_rows_before_and_after_a_signal_are_all_rows(
    account: FakeVideoSDK, run: Run, tmp_path: Path, *, option: str | None, number: int, page: int
) -> None:
    """The next run continues after the last row that was printed."""
    account.add_transcriptions(45)
    account.on_page(page, sending(number))
    options = ["list", "--checkpoint", str(tmp_path / "walk.json")]
    options += [] if option is None else [option]
    first = run(*options)
    code, message = SIGNALS[number]
    assert first.code == code
    assert first.err.endswith(f"\n{NAME}{message}\n")
    second = run(*options)
    assert second.code == 0
    ids = printed_ids(option, first.out) + printed_ids(option, second.out)
    assert ids == [row["id"] for row in account.rows]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("list",),
        ("count",),
        ("show", "t-1"),
        ("text", "t-1"),
        ("download",),
        ("wait", "t-1"),
        ("follow",),
        ("stop", "abcd-efgh-ijkl"),
        ("doctor",),
    ],
)
def test_sigterm_ends_every_command(
    account: FakeVideoSDK, run: Run, arguments: tuple[str, ...]
) -> None:
    """Its exit code is the one that a shell reports for the signal."""
    account.fail_next(sending(signal.SIGTERM))
    code, out, err = run(*arguments)
    assert (code, out) == (ExitCode.TERMINATED, "")
    assert err.endswith(f"\n{NAME}ended by SIGTERM\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_process_ends_with_the_exit_code_of_the_signal(number: int) -> None:
    """It exits, and is not killed, as a supervisor expects."""
    with start("sandbox", "--port", "0") as process:
        assert process.stderr is not None
        process.stderr.readline()
        process.send_signal(number)
        _, err = process.communicate(timeout=20)
    code, message = SIGNALS[signal.Signals(number)]
    assert (process.returncode, err) == (code, f"\n{NAME}{message}\n")


def test_handlers_are_set_before_the_first_request(account: FakeVideoSDK, run: Run) -> None:
    """A process with the id 1 would ignore the signals otherwise; afterwards they are restored."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    during: dict[int, object] = {}

    async def look(exchange: Exchange) -> web.StreamResponse:
        during.update({number: signal.getsignal(number) for number in SIGNALS})
        return exchange.response()

    account.fail_next(look)
    assert run("list").code == 0
    assert all(callable(handler) for handler in during.values())
    assert all(handler is not before[signal.Signals(n)] for n, handler in during.items())
    assert {number: signal.getsignal(number) for number in SIGNALS} == before


# The interpreter deletes its globals after it has restored the default handling of signals.
LATE = """
import os, signal
class Late:
    def __del__(self, kill=os.kill, process=os.getpid(), number=signal.SIGTERM):
        kill(process, number)
late = Late()
"""


@pytest.mark.parametrize(
    "late",
    ["import atexit, os, signal; atexit.register(os.kill, os.getpid(), signal.SIGTERM)", LATE],
)
def test_signal_while_the_interpreter_ends_does_not_change_the_exit_code(late: str) -> None:
    """A supervisor would repeat what is complete."""
    command = (sys.executable, "-W", "error", "-c", f"{late}\n{SCRIPT}", "--version")
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
    assert (done.returncode, done.stderr) == (0, b"")


def test_signal_after_the_checkpoint_was_removed_has_no_effect(
    account: FakeVideoSDK, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exit code of a signal would cause another run, which would print all rows again."""
    account.add_transcriptions(25)
    path = tmp_path / "walk.json"
    close = CheckpointFile.close

    def close_and_signal(file: CheckpointFile, *, complete: bool) -> None:
        close(file, complete=complete)
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(CheckpointFile, "close", close_and_signal)
    code, out, _ = run("list", "--checkpoint", str(path))
    assert (code, out.count("\n"), path.exists()) == (0, 25, False)


def test_signal_before_the_checkpoint_is_removed_keeps_it(
    account: FakeVideoSDK, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run prints no row a second time."""
    account.add_transcriptions(25)
    path = tmp_path / "walk.json"
    end = LinePrinter.end

    def end_and_signal(printer: LinePrinter, *, is_complete: bool) -> None:
        end(printer, is_complete=is_complete)
        signal.raise_signal(signal.SIGTERM)

    with monkeypatch.context() as patched:
        patched.setattr(LinePrinter, "end", end_and_signal)
        first = run("list", "--checkpoint", str(path))
    assert (first.code, first.out.count("\n"), path.exists()) == (143, 25, True)
    second = run("list", "--checkpoint", str(path))
    assert (second.code, second.out, path.exists()) == (0, "", False)


@pytest.mark.parametrize("own", [signal.SIG_IGN, lambda _number, _frame: None])
def test_ignored_signal_stays_ignored(
    account: FakeVideoSDK, run: Run, own: Callable[[int, object], None]
) -> None:
    """The command nohup ignores signals; a handler of the calling program is kept, too."""
    account.add_transcriptions(25)
    thread = threading.get_ident()

    async def send(exchange: Exchange) -> web.StreamResponse:
        signal.pthread_kill(thread, signal.SIGHUP)
        return exchange.response()

    account.on_page(2, send)
    before = signal.signal(signal.SIGHUP, own)
    try:
        code, out, _ = run("list")
        assert signal.getsignal(signal.SIGHUP) is own
    finally:
        signal.signal(signal.SIGHUP, before)
    assert (code, len(out.splitlines())) == (0, 25)


def test_signal_before_the_loop_ends_the_command(
    account: FakeVideoSDK, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is requested, and the exit code is that of the signal."""
    run_loop = asyncio.run

    def run_later(main: object) -> object:
        signal.raise_signal(signal.SIGTERM)
        return run_loop(main)  # type: ignore[arg-type]

    monkeypatch.setattr(asyncio, "run", run_later)
    assert run("list") == (ExitCode.TERMINATED, "", f"\n{NAME}ended by SIGTERM\n")
    assert account.requests == []


def test_signal_ends_a_blocking_read(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that never arrives on stdin is not waited for after a signal."""
    reader, writer = os.pipe()
    with os.fdopen(reader) as stdin, os.fdopen(writer, "w"):
        monkeypatch.setattr("sys.stdin", stdin)
        thread, before = threading.get_ident(), signal.getsignal(signal.SIGTERM)

        def send() -> None:
            # Without the handlers, the signal would end the tests.
            while signal.getsignal(signal.SIGTERM) == before:
                time.sleep(0.01)
            time.sleep(0.1)
            signal.pthread_kill(thread, signal.SIGTERM)

        sender = threading.Thread(target=send)
        sender.start()
        code, out, err = run("token", "--inspect", "-")
        sender.join()
    assert (code, out, err) == (ExitCode.TERMINATED, "", f"\n{NAME}ended by SIGTERM\n")


def test_signal_before_a_blocking_read_ends_it() -> None:
    """The read does not begin."""

    def read() -> None:
        with _signals.handle_signals(restore=True):
            signal.raise_signal(signal.SIGHUP)
            with _signals.interruptible():
                pytest.fail("the block began")

    with pytest.raises(SystemExit) as end:
        read()
    assert end.value.code == ExitCode.HUNG_UP


def test_main_works_in_another_thread(account: FakeVideoSDK, run: Run) -> None:
    """Signal handlers can be set in the main thread only, and an earlier signal has no effect."""
    account.fail_next(sending(signal.SIGTERM))
    assert run("list").code == ExitCode.TERMINATED
    codes: list[object] = []

    def call() -> None:
        try:
            main(["list", "--sandbox"])
        except SystemExit as end:
            codes.append(end.code)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    assert codes == [0]


def test_other_threads_keep_the_handlers() -> None:
    """They are kept before, during and after the block."""
    before = signal.getsignal(signal.SIGTERM)
    during: list[object] = []

    def call() -> None:
        with _signals.handle_signals(restore=True):
            during.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    assert [before] == during
    assert before == signal.getsignal(signal.SIGTERM)


def test_system_without_sighup_is_supported() -> None:
    """Windows has none."""
    command = (sys.executable, "-c", f"import signal; del signal.SIGHUP\n{SCRIPT}", "--version")
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
    assert (done.returncode, done.stderr) == (0, b"")


# Further signals.


def test_repeated_signal_has_no_effect() -> None:
    """Closing a terminal delivers SIGHUP twice; the first signal determines the exit code."""
    cleaned: list[bool] = []

    async def work() -> None:
        signal.raise_signal(signal.SIGHUP)
        try:
            await asyncio.Event().wait()
        finally:
            signal.raise_signal(signal.SIGHUP)
            signal.raise_signal(signal.SIGTERM)
            await asyncio.sleep(0)
            cleaned.append(True)

    with pytest.raises(SystemExit) as end, _signals.handle_signals(restore=True):
        _signals.run_until_signal(work)
    assert (end.value.code, cleaned) == (ExitCode.HUNG_UP, [True])


def test_late_second_signal_ends_what_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a KeyboardInterrupt in whatever runs."""
    monkeypatch.setattr(_signals, "_GRACE", 0.0)

    async def refuse_to_end() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            signal.raise_signal(signal.SIGINT)
            pytest.fail("the second signal had no effect")

    with (
        pytest.raises(SystemExit) as end,
        _signals.handle_signals(restore=True),
    ):
        _signals.run_until_signal(refuse_to_end)
    assert end.value.code == ExitCode.TERMINATED


# A reader that does not read.


def kill_when_blocked(reader: int, writer: int, thread: int) -> None:
    """Send SIGTERM to a thread when the pipe that it writes to is full."""
    unread = -1
    end = time.monotonic() + 20
    while time.monotonic() < end:
        time.sleep(0.1)
        (now,) = struct.unpack("i", fcntl.ioctl(reader, termios.FIONREAD, bytes(4)))
        # A pipe that is not full may be waiting for the next page.
        if now == unread and not select.select([], [writer], [], 0)[1]:
            break
        unread = now
    signal.pthread_kill(thread, signal.SIGTERM)


@pytest.mark.parametrize("option", [None, "--json", "--jsonl", "--csv"])
@pytest.mark.parametrize("with_stderr", [False, True])
def test_signal_ends_a_write_to_a_blocked_pipe(
    account: FakeVideoSDK,
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    option: str | None,
    with_stderr: bool,
) -> None:
    """The row that was not written is printed by the next run."""
    monkeypatch.setattr(_signals, "_GRACE", 0.1)
    account.add_transcriptions(700)
    options = ["list", "--page-size", "350", "--checkpoint", str(tmp_path / "walk.json")]
    options += [] if option is None else [option]
    reader, writer = os.pipe()
    killer = threading.Thread(
        target=kill_when_blocked, args=(reader, writer, threading.get_ident())
    )
    killer.start()
    with os.fdopen(writer, "w") as file, redirect_stdout(file):
        if with_stderr:
            with redirect_stderr(file):
                first = run(*options)
        else:
            first = run(*options)
    killer.join()
    with os.fdopen(reader, "rb") as rest:
        out = rest.read().decode()
    assert first.code == ExitCode.TERMINATED
    second = run(*options)
    assert second.code == 0
    ids = printed_ids(option, out) + printed_ids(option, second.out)
    assert ids == [row["id"] for row in account.rows]


@pytest.mark.parametrize(
    "options", [("list", "--page-size", "45"), ("follow", "--since", "start", "--limit", "90")]
)
def test_signal_ends_the_output_within_a_page(
    account: FakeVideoSDK,
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
) -> None:
    """A slow reader would otherwise receive the rest of the page, up to a part of a line."""
    account.add_transcriptions(45)
    options = (*options, "--checkpoint", str(tmp_path / "walk.json"))
    write = _output.write

    def write_and_signal(text: str) -> None:
        write(text)
        if account.rows[2]["id"] in text:
            signal.raise_signal(signal.SIGTERM)

    with monkeypatch.context() as patched:
        patched.setattr(_output, "write", write_and_signal)
        first = run(*options)
    lines = first.out.splitlines()
    assert first.code == ExitCode.TERMINATED
    assert account.rows[2]["id"] in lines[-1]
    assert len(lines) < 10
    total = 90 if options[0] == "follow" else 45
    options = tuple(str(total - len(lines)) if option == "90" else option for option in options)
    second = run(*options)
    assert second.code == 0
    assert len({*lines, *second.out.splitlines()}) == total


# Tables.


def test_row_of_a_table_that_was_not_printed_is_not_counted(
    account: FakeVideoSDK, run: Run, tmp_path: Path
) -> None:
    """The terminal is closed, and the next run prints its rows again."""
    account.add_transcriptions(45)
    terminal = Terminal()
    path = tmp_path / "walk.json"
    read_only = os.open(os.ttyname(terminal.follower), os.O_RDONLY | os.O_NOCTTY)
    # Writing to it fails, as with a terminal that was closed.
    with os.fdopen(read_only, "r") as unwritable:
        stream = io.TextIOWrapper(io.FileIO(unwritable.fileno(), "w", closefd=False))
        with redirect_stdout(stream):
            first = run("list", "--checkpoint", str(path))
    terminal.read()
    assert first.code == ExitCode.OUTPUT
    assert "run the same command again" in first.err
    second = run("list", "--checkpoint", str(path))
    assert printed_ids(None, second.out) == [row["id"] for row in account.rows]
