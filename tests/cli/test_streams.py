"""Standard output and error that are not a blocking, buffered stream in UTF-8."""

import fcntl
import io
import os
import re
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from videosdk_transcripts.cli._exit import ExitCode
from videosdk_transcripts.cli._streams import prepared_streams
from videosdk_transcripts.testing import FakeVideoSDK

from .command_line import NAME, SCRIPT, Run, shown_on_a_terminal, start

WORDS = "\u4f60\u597d, caf\xe9 \U0001f600"
WILD = f"{WORDS}\x1b[2J\x1b]0;t\x07\r\nb\rc\tb\x00\x9b1m\u202e\r\n\x0c\n"

UNBUFFERED = pytest.mark.parametrize("unbuffered", ["", "1"])


@pytest.fixture(autouse=True)
def _no_coverage_in_other_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Coverage cannot write its data where the size of files is limited."""
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


def run_process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Run the program in a child process to its end."""
    command = (sys.executable, "-W", "error", "-c", SCRIPT, *arguments)
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.run(command, check=False, timeout=30, **options)  # noqa: S603


def environment(**variables: str) -> dict[str, str]:
    """Return the environment of this process with other variables."""
    return {**os.environ, **variables}


@contextmanager
def nonblocking_pipe() -> Iterator[tuple[int, int]]:
    """Create a small pipe whose writing end does not block."""
    reader, writer = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(writer, False)
    yield reader, writer
    os.close(reader)


def read_all(reader: int) -> bytes:
    """Read from a pipe until its writing end is closed."""
    data = b""
    while chunk := os.read(reader, 1000):
        data += chunk
    return data


def read_late(reader: int) -> bytes:
    """Read from a pipe in the same way, some time after it has become full."""
    select.select([reader], [], [])
    time.sleep(0.3)
    return read_all(reader)


@pytest.fixture
def text(account: FakeVideoSDK) -> str:
    """The id of a transcription with a text of several hundred kilobytes."""
    row = account.add_transcription(row_id="long")
    account.files.put(row, "txt", b"word " * 60_000)
    return "long"


# Every byte, or an error.


@UNBUFFERED
def test_nonblocking_pipe_receives_everything(
    account: FakeVideoSDK, text: str, unbuffered: str
) -> None:
    """The program waits for the reader of a pipe that does not block."""
    with nonblocking_pipe() as (reader, writer):
        env = environment(PYTHONUNBUFFERED=unbuffered)
        with start("text", text, stdout=writer, env=env) as process:
            os.close(writer)
            data = read_all(reader)
            assert process.stderr is not None
            assert process.stderr.read() == ""
    assert (process.returncode, data) == (0, b"word " * 60_000)


def test_nonblocking_pipe_without_poll_receives_everything(
    run: Run, text: str, account: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system has no poll, the program tries again after a short wait."""
    monkeypatch.delattr(select, "poll")
    monkeypatch.setattr("videosdk_transcripts.cli._streams._WAIT", 0.0001)
    with nonblocking_pipe() as (reader, writer):
        found: list[bytes] = []
        thread = threading.Thread(target=lambda: found.append(read_late(reader)))
        thread.start()
        with os.fdopen(writer, "w") as file, redirect_stdout(file):
            assert run("text", text) == (0, "", "")
        thread.join()
    assert found == [b"word " * 60_000]


def test_full_pipe_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program waits several times if the reader takes longer than one wait."""
    monkeypatch.setattr("videosdk_transcripts.cli._streams._WAIT", 0.01)
    with nonblocking_pipe() as (reader, writer):
        found: list[bytes] = []
        thread = threading.Thread(target=lambda: found.append(read_late(reader)))
        thread.start()
        with os.fdopen(writer, "w") as file, redirect_stdout(file), prepared_streams():
            sys.stdout.write("word " * 60_000)
        thread.join()
    assert found == [b"word " * 60_000]


# -B: a truncated byte-code file could not be imported again.
LIMITED = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))\n{SCRIPT}"


@UNBUFFERED
@pytest.mark.parametrize("command", ["text", "list"])
def test_short_write_exits_with_the_output_code(
    account: FakeVideoSDK, text: str, tmp_path: Path, unbuffered: str, command: str
) -> None:
    """A disk that becomes full accepts a part of a write and fails at the next one."""
    account.add_transcriptions(60)
    path = tmp_path / "out"
    arguments = ("text", text) if command == "text" else ("list", "--jsonl")
    with path.open("wb") as file:
        done = subprocess.run(  # noqa: S603
            (sys.executable, "-B", "-c", LIMITED, *arguments),
            stdout=file,
            stderr=subprocess.PIPE,
            check=False,
            env=environment(PYTHONUNBUFFERED=unbuffered),
        )
    assert (done.returncode, path.stat().st_size) == (ExitCode.OUTPUT, 8192)
    assert done.stderr.decode().startswith(f"{NAME}cannot write the output: ")


def test_checkpoint_is_exact_after_a_short_write(
    account: FakeVideoSDK, run: Run, tmp_path: Path
) -> None:
    """The row that was written in part is printed again, and no other."""
    account.add_transcriptions(60)
    path, checkpoint = tmp_path / "out", str(tmp_path / "walk.json")
    with path.open("wb") as file:
        done = subprocess.run(  # noqa: S603
            (sys.executable, "-B", "-c", LIMITED, "list", "--checkpoint", checkpoint),
            stdout=file,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == ExitCode.OUTPUT
    *complete, _partial = path.read_text().split("\n")
    rest = run("list", "--checkpoint", checkpoint).out.splitlines()
    ids = [line.partition("\t")[0] for line in (*complete, *rest)]
    assert ids == [row["id"] for row in account.rows]


@UNBUFFERED
@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("list", "--sandbox"), 0), (("--no-such",), 2), (("show", "x", "--sandbox"), 4)],
)
def test_process_with_unwritable_stderr_keeps_its_exit_code(
    unbuffered: str, arguments: tuple[str, ...], code: int
) -> None:
    """A message that cannot be written is lost, also when the interpreter ends."""
    # Not writable on any system.
    with Path(os.devnull).open("rb") as full:
        env = environment(PYTHONUNBUFFERED=unbuffered)
        done = run_process(*arguments, stderr=full, env=env)
    assert (done.returncode, done.stdout.count(b"\n")) == (code, 0 if code else 55)


@UNBUFFERED
def test_process_with_unwritable_stdout_exits_with_the_output_code(unbuffered: str) -> None:
    """Help is output, too."""
    with Path(os.devnull).open("rb") as full:
        env = environment(PYTHONUNBUFFERED=unbuffered)
        done = run_process("--help", stdout=full, env=env)
    message = done.stderr.decode()
    assert (done.returncode, message.count("\n")) == (ExitCode.OUTPUT, 1)
    assert message.startswith(f"{NAME}cannot write the output: ")


def test_sandbox_with_unwritable_stdout_exits_with_the_output_code(run: Run) -> None:
    """Its port is not at fault."""
    with Path(os.devnull).open("rb") as full:
        # Writing to its descriptor fails on any system.
        stream = io.TextIOWrapper(io.FileIO(full.fileno(), "w", closefd=False))
        with redirect_stdout(stream):
            code, _, err = run("sandbox", "--port", "0")
    assert code == ExitCode.OUTPUT
    assert err.startswith(f"{NAME}cannot write the output: ")


# UTF-8, unchanged.


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONIOENCODING": "cp1252"},
        {"PYTHONIOENCODING": "ascii:strict"},
        {"LC_ALL": "C", "PYTHONUTF8": "0"},
    ],
)
def test_output_is_utf_8_in_every_locale(account: FakeVideoSDK, variables: dict[str, str]) -> None:
    """Words are never replaced by escapes."""
    row = account.add_transcription(row_id="t")
    account.files.put(row, "txt", f"{WORDS}\r\n".encode())
    env = environment(**variables)
    assert run_process("text", "t", env=env).stdout == f"{WORDS}\r\n".encode()


def test_text_in_a_pipe_is_unchanged(account: FakeVideoSDK) -> None:
    """Control sequences and line ends are those of the file."""
    row = account.add_transcription(row_id="t")
    account.files.put(row, "txt", WILD.encode())
    assert run_process("text", "t").stdout == WILD.encode()


@pytest.mark.parametrize("command", [("text", "t"), ("list", "--csv"), ("list", "--jsonl")])
def test_terminal_receives_no_control_sequence(
    account: FakeVideoSDK, run: Run, command: tuple[str, ...]
) -> None:
    """Characters that would move the cursor are replaced or escaped."""
    row = account.add_transcription(row_id="t", status=WILD, room_id=WILD)
    account.files.put(row, "txt", WILD.encode())
    shown, outcome = shown_on_a_terminal(run, *command)
    assert (outcome.code, outcome.err) == (0, "")
    assert {c for c in shown if not c.isprintable()} <= {"\n", "\t"}
    if command == ("text", "t"):
        assert shown.startswith(f"{WORDS}\N{REPLACEMENT CHARACTER}[2J")


def test_lone_surrogate_is_escaped(account: FakeVideoSDK, run: Run) -> None:
    """JSON can contain what UTF-8 cannot."""
    account.add_transcription(status="a\ud800b")
    assert run("list", "--csv", "--columns", "status").out == "status\na\\ud800b\n"


# Streams of a program that calls `main`.


def test_stream_with_another_encoding_receives_utf_8(account: FakeVideoSDK, run: Run) -> None:
    """Neither its encoding nor its line ends change the bytes."""
    row = account.add_transcription(row_id="t")
    account.files.put(row, "txt", f"{WORDS}\r\nb\n".encode())
    data = io.BytesIO()
    stream = io.TextIOWrapper(data, encoding="cp1252", newline="\r\n")
    stream.write("before\n")
    with redirect_stdout(stream):
        assert run("text", "t") == (0, "", "")
    stream.write("after\n")
    stream.flush()
    assert data.getvalue() == f"before\r\n{WORDS}\r\nb\nafter\r\n".encode()


def test_text_stream_receives_text_unchanged(account: FakeVideoSDK, run: Run) -> None:
    """A stream without bytes, such as a StringIO, receives the text."""
    row = account.add_transcription(row_id="t")
    account.files.put(row, "txt", WILD.encode())
    out = io.StringIO(newline="")
    with redirect_stdout(out):
        assert run("text", "t").code == 0
    assert out.getvalue() == WILD


def test_stream_keeps_its_descriptor(tmp_path: Path) -> None:
    """Libraries ask for it, for example to find the size of a terminal."""
    with (tmp_path / "out").open("w") as file, redirect_stdout(file), prepared_streams():
        assert sys.stdout.fileno() == file.fileno()


def test_closed_streams_are_left_as_they_are(account: FakeVideoSDK, run: Run) -> None:
    """Messages are discarded, but rows that can't be written are an error."""
    account.rows.append(account.add_transcription())
    out, err = io.StringIO(), io.StringIO()
    out.close()
    err.close()
    with redirect_stdout(out), redirect_stderr(err):
        assert run("list").code == 1
        assert (sys.stdout, sys.stderr) == (out, err)


# Widths.


@pytest.mark.parametrize("columns", ["0", "00", "-5", "x", "\xb2", "1", "7", "1000000"])
def test_table_has_every_row_for_every_width(
    account: FakeVideoSDK, run: Run, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    """A width that cannot be used is replaced."""
    monkeypatch.setenv("COLUMNS", columns)
    for number in (1, 2):
        account.add_transcription(row_id=f"row-{number}")
    shown, outcome = shown_on_a_terminal(run, "list")
    assert outcome.code == 0
    assert re.findall(r"row-\d", shown) == ["row-1", "row-2"]
