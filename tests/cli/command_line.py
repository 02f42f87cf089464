"""Run the command line in tests: in this process, in a child process, and on a terminal."""

import inspect
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout, suppress
from functools import partial
from typing import Any, NamedTuple
from unittest.mock import patch

import click
import pytest

import videosdk_transcripts
from videosdk_transcripts import RetryPolicy, TranscriptsClient
from videosdk_transcripts.cli import main
from videosdk_transcripts.testing import FakeVideoSDK

NAME = "videosdk-transcripts: "


class Outcome(NamedTuple):
    """The exit code and the output of a run."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


class Terminal:
    """A pseudo-terminal. What is written to its file can be read back."""

    def __init__(self) -> None:
        self._leader, self.follower = pty.openpty()
        self.file = os.fdopen(self.follower, "w", encoding="utf-8")
        self._shown = b""

    def wait_for(self, text: str) -> None:
        """Wait until a text is shown."""
        while text.encode() not in self._shown:
            self._shown += os.read(self._leader, 65536)

    def read(self) -> str:
        """Close the terminal, and return all that was shown, with plain line ends."""
        self.file.close()
        # Some systems end the file here, and Linux fails.
        with suppress(OSError):
            while chunk := os.read(self._leader, 65536):
                self._shown += chunk
        os.close(self._leader)
        return self._shown.decode().replace("\r\n", "\n")


def shown_on_a_terminal(run: Run, *arguments: str) -> tuple[str, Outcome]:
    """Run with stdout on a terminal, and return what it showed, without its styles."""
    terminal = Terminal()
    with redirect_stdout(terminal.file):
        outcome = run(*arguments)
    return click.unstyle(terminal.read()), outcome


def _library_terms() -> re.Pattern[str]:
    """Return a pattern of what only a Python program can use: arguments, methods and classes."""
    methods = {
        name: method
        for name, method in inspect.getmembers(TranscriptsClient, callable)
        if not name.startswith("_")
    }
    callables = [TranscriptsClient, RetryPolicy, *methods.values()]
    arguments = {name for one in callables for name in inspect.signature(one).parameters}
    words = "|".join(name for name in {*arguments, *methods} if "_" in name)
    errors = "|".join(name for name in videosdk_transcripts.__all__ if name.endswith("Error"))
    return re.compile(rf"\b(?:{words}|{errors})\b|\b(?:{'|'.join(arguments)})=|\w\(\)")


LIBRARY_TERMS = _library_terms()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """
    Run the program in this process, with what it prints captured.

    What a run does to the variables of the process ends with the test. No message may use the
    terms of the library, whatever was run.
    """

    def call(*arguments: str) -> Outcome:
        with pytest.raises(SystemExit) as end:
            main(arguments)
        assert isinstance(end.value.code, int)
        out, err = capsys.readouterr()
        assert LIBRARY_TERMS.findall(err) == [], err
        return Outcome(end.value.code, out, err)

    with patch.dict(os.environ):
        yield call


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeVideoSDK]:
    """A fake service, and an environment that points to it."""
    with FakeVideoSDK().in_thread() as fake:
        monkeypatch.setenv("VIDEOSDK_API_KEY", fake.api_key)
        monkeypatch.setenv("VIDEOSDK_SECRET", fake.secret)
        monkeypatch.setenv("VIDEOSDK_API_ENDPOINT", fake.url)
        monkeypatch.setenv("VIDEOSDK_FILE_HOSTS", fake.url)
        yield fake


def use_policy(monkeypatch: pytest.MonkeyPatch, policy: RetryPolicy) -> None:
    """Use a retry policy in place of the default one."""
    monkeypatch.setattr(
        "videosdk_transcripts.TranscriptsClient",
        partial(TranscriptsClient, retry=policy),
    )


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make terminals wide enough for a row on a line."""
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("TERM", "xterm")


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Restore Python's handling of Ctrl-C, which a shell may have disabled."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


WILD = "a\x1b[2J\x1b]0;b\x07c\td\ne\r\x00\x9b1m\u202e\u2028\ud800z"


def add_wild(account: FakeVideoSDK) -> None:
    """Add a row whose every text would move the cursor of a terminal."""
    account.add_transcription(
        row_id=WILD, status=WILD, room_id=WILD, session_id=WILD, formats=(WILD,)
    )


# A child process inherits the handling of Ctrl-C from the shell.
SCRIPT = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from videosdk_transcripts.cli import main
main()
"""


def start(*arguments: str, **streams: Any) -> subprocess.Popen[str]:
    """Start the program in a child process."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    command = (sys.executable, "-W", "error", "-c", SCRIPT, *arguments)
    return subprocess.Popen(command, text=True, **streams)  # noqa: S603
