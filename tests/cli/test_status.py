"""The status line: progress and waits on a terminal, and nothing of it elsewhere."""

import asyncio
import json
import os
import re
import termios
import time
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from aiohttp import web
from rich.spinner import Spinner

from videosdk_transcripts import RetryPolicy
from videosdk_transcripts.cli._exit import ExitCode
from videosdk_transcripts.cli._status import _StatusLine
from videosdk_transcripts.testing import Delay, Envelope, Exchange, FakeVideoSDK, Fault, Status

from .command_line import NAME, Outcome, Run, Terminal, start, use_policy

ROOM = "abcd-efgh-ijkl"


@pytest.fixture
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program does not wait between attempts."""
    use_policy(monkeypatch, RetryPolicy(wait_initial=0, wait_max=0))


def screen(output: str) -> list[str]:
    """Return the lines that are left on a terminal after the sequences that rich sends."""
    lines = [""]
    for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\n|\r|[^\x1b\r\n]+", output):
        if part == "\n":
            lines.append("")
        elif part == "\x1b[1A":
            lines.pop()
        elif part == "\x1b[2K":
            lines[-1] = ""
        elif part[0] not in "\r\x1b":
            lines[-1] += part
    return lines[:-1] if lines[-1] == "" else lines


def stderr_on_a_terminal(
    run: Run, *arguments: str, terminal: Terminal | None = None
) -> tuple[str, Outcome]:
    """Run with stderr on a terminal, and return what it showed."""
    terminal = terminal or Terminal()
    with redirect_stderr(terminal.file):
        outcome = run(*arguments)
    return terminal.read(), outcome


def once_shown(terminal: Terminal, text: str, fault: Fault | None = None) -> Fault:
    """Create a fault: the response waits until a text is shown on a terminal."""

    async def wait_until_told(exchange: Exchange) -> web.StreamResponse:
        await asyncio.to_thread(terminal.wait_for, text)
        return exchange.response() if fault is None else await fault(exchange)

    return wait_until_told


CLEARED = "\x1b[2K"


@pytest.fixture
def _progress_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress is shown immediately."""
    monkeypatch.setattr("videosdk_transcripts.cli._status._PROGRESS_AFTER", 0.0)
    monkeypatch.setattr("videosdk_transcripts.cli._status._REFRESH", 0.01)
    monkeypatch.setenv("TERM", "xterm")


@pytest.mark.parametrize("options", [[], ["--json"], ["--jsonl"]])
@pytest.mark.usefixtures("_progress_at_once")
def test_long_walk_shows_progress_and_clears_it(
    account: FakeVideoSDK, run: Run, options: list[str]
) -> None:
    """A long walk shows how many rows have arrived, and clears the line at the end."""
    account.add_transcriptions(45)
    terminal = Terminal()
    account.on_page(2, once_shown(terminal, "20 of 45 rows"))
    message, outcome = stderr_on_a_terminal(run, "list", *options, terminal=terminal)
    assert message.endswith(CLEARED)
    assert "retries" not in message
    # The output is the same as without a terminal.
    assert outcome == run("list", *options)


@pytest.mark.usefixtures("_progress_at_once")
def test_progress_is_shown_before_the_first_row(account: FakeVideoSDK, run: Run) -> None:
    """Progress is shown while the first response is awaited."""
    account.add_transcriptions(3)
    terminal = Terminal()
    account.on_page(1, once_shown(terminal, "0 of ? rows"))
    message, outcome = stderr_on_a_terminal(run, "list", terminal=terminal)
    assert (outcome.code, len(outcome.out.splitlines())) == (0, 3)
    assert message.endswith(CLEARED)


@pytest.mark.usefixtures("_progress_at_once", "_no_waits")
def test_progress_counts_retries(account: FakeVideoSDK, run: Run) -> None:
    """Retries are shown."""
    account.add_transcriptions(3)
    terminal = Terminal()
    response = once_shown(terminal, "0 of ? rows, 2 retries")
    account.on_page(1, Status(503), Status(503), response)
    _, outcome = stderr_on_a_terminal(run, "list", terminal=terminal)
    assert (outcome.code, len(outcome.out.splitlines())) == (0, 3)


@pytest.mark.usefixtures("_progress_at_once")
def test_progress_without_a_total_shows_a_question_mark(account: FakeVideoSDK, run: Run) -> None:
    """A missing total is shown as a question mark."""
    account.add_transcriptions(25)
    terminal = Terminal()
    unnumbered = Envelope("no page info")
    account.on_page(2, once_shown(terminal, "20 of ? rows", unnumbered))
    account.every(1, unnumbered)
    _, outcome = stderr_on_a_terminal(run, "list", terminal=terminal)
    assert (outcome.code, len(outcome.out.splitlines())) == (0, 25)


@pytest.mark.usefixtures("_progress_at_once")
def test_progress_is_cleared_before_an_error(account: FakeVideoSDK, run: Run) -> None:
    """The line is cleared before the error is printed."""
    account.add_transcriptions(45)
    terminal = Terminal()
    account.on_page(2, once_shown(terminal, "20 of 45 rows", Status(400)))
    message, outcome = stderr_on_a_terminal(run, "list", terminal=terminal)
    assert outcome.code == ExitCode.PARTIAL
    assert message.rpartition(CLEARED)[2].startswith(NAME)


@pytest.mark.usefixtures("_progress_at_once", "wide")
def test_progress_is_shown_below_the_rows_of_a_table(account: FakeVideoSDK, run: Run) -> None:
    """On one terminal it is cleared before each row, so that no row is overwritten."""
    account.add_transcriptions(45)
    terminal = Terminal()
    account.on_page(2, once_shown(terminal, "20 of 45 rows"))
    with redirect_stdout(terminal.file):
        message, outcome = stderr_on_a_terminal(run, "list", terminal=terminal)
    assert outcome == (0, "", "")
    lines = screen(message)
    assert [line.partition(" ")[0] for line in lines[1:-1]] == [row["id"] for row in account.rows]
    assert lines[-1] == "45 transcriptions"


@pytest.mark.usefixtures("_progress_at_once")
def test_progress_does_not_overwrite_part_of_a_line(account: FakeVideoSDK, run: Run) -> None:
    """A row of a JSON array does not end its line."""
    account.add_transcriptions(25)
    account.on_page(2, Delay(0.2))
    terminal = Terminal()
    with redirect_stdout(terminal.file):
        message, outcome = stderr_on_a_terminal(run, "list", "--json", terminal=terminal)
    assert outcome == (0, "", "")
    assert "20 of 25 rows" not in message
    assert json.loads("".join(screen(message))) == account.rows


@pytest.mark.usefixtures("_progress_at_once")
def test_progress_has_a_bar_a_rate_and_the_time_left(account: FakeVideoSDK, run: Run) -> None:
    """This requires a total; with `--limit`, that is the limit."""
    account.add_transcriptions(45)
    for options, text in (((), "20 of 45 rows"), (("--limit", "30"), "20 of 30 rows")):
        terminal = Terminal()
        account.on_page(2, once_shown(terminal, " left"))
        message, outcome = stderr_on_a_terminal(run, "list", *options, terminal=terminal)
        assert outcome.code == 0
        shown = click.unstyle(message)
        assert re.search(rf"{text} \S*━\S* [\d,.]+ rows/s, 0:00:\d\d left", shown), shown


@pytest.mark.usefixtures("_progress_at_once")
def test_progress_of_a_resumed_walk_has_no_total(
    account: FakeVideoSDK, run: Run, tmp_path: Path
) -> None:
    """How many rows an earlier run has printed is not known."""
    account.add_transcriptions(45)
    options = ("list", "--checkpoint", str(tmp_path / "c"))
    assert run(*options, "--limit", "20").code == 0
    terminal = Terminal()
    account.on_page(3, once_shown(terminal, "20 of ? rows"))
    _, outcome = stderr_on_a_terminal(run, *options, terminal=terminal)
    assert outcome.code == 0


@pytest.mark.usefixtures("_progress_at_once")
def test_progress_of_a_download_by_ids_has_their_number(
    account: FakeVideoSDK, run: Run, tmp_path: Path
) -> None:
    """It is known before the first request."""
    rows = account.add_transcriptions(3, summary=False)
    for row in rows:
        account.files.put(row, "txt", b"Ann: Hi.")
    account.files.fail_next(Delay(0.2))
    ids = [part for row in rows for part in ("--id", row["id"])]
    message, outcome = stderr_on_a_terminal(run, "download", *ids, "--to", str(tmp_path))
    assert (outcome.code, len(outcome.out.splitlines())) == (0, 3)
    assert "0 of 3 transcriptions" in message


@pytest.mark.usefixtures("_progress_at_once")
@pytest.mark.parametrize(
    ("options", "progress"),
    [
        ([], "20 of 45 transcriptions"),
        (["--limit", "30"], "20 of 30 transcriptions"),
        (["--since", "2026-03-05"], "8 of 33 transcriptions"),
        (["--status", "completed"], "20 of 45 rows"),
    ],
)
def test_download_shows_how_many_of_how_many_are_done(
    account: FakeVideoSDK, run: Run, tmp_path: Path, options: list[str], progress: str
) -> None:
    """The numbers are those of the selected rows, if they are known."""
    for number in range(45):
        start = datetime(2026, 3, 4, 12, tzinfo=UTC) + timedelta(hours=number)
        account.files.put(account.add_transcription(start=start), "txt", b"Hi.")
    terminal = Terminal()
    account.on_page(2, once_shown(terminal, progress))
    command = ("download", "--no-summary", "--to", str(tmp_path))
    _, outcome = stderr_on_a_terminal(run, *command, *options, terminal=terminal)
    assert outcome.code == 0


# Waits.


@pytest.fixture
def _silence_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("videosdk_transcripts.cli._status._SILENCE", 0.0)


@pytest.mark.parametrize("command", [["count"], ["show", "t"], ["start", ROOM], ["wait", "t"]])
@pytest.mark.usefixtures("_progress_at_once")
def test_wait_for_a_retry_is_explained_and_cleared(
    account: FakeVideoSDK, run: Run, command: list[str]
) -> None:
    """This applies to every command; the line has the reason and the seconds that are left."""
    account.add_transcription(row_id="t")
    account.fail_next(Status(429, {"Retry-After": "0.4"}))
    message, outcome = stderr_on_a_terminal(run, *command)
    assert outcome.code == 0
    assert "rate limited (429), retrying in 1 s" in message
    assert all("retrying" not in line for line in screen(message))


def test_longest_of_concurrent_waits_is_shown() -> None:
    """Several pages or files may wait at the same time."""
    line = _StatusLine("the service")
    line.announce_retry("rate limited (429)", 60)
    line.announce_retry("no connection", 5)
    content = line._content(time.monotonic())
    assert isinstance(content, Spinner)
    assert str(content.text) == "rate limited (429), retrying in 60 s"


@pytest.mark.usefixtures("_progress_at_once")
def test_wait_for_a_retry_replaces_the_bar(account: FakeVideoSDK, run: Run) -> None:
    """The rows so far stay visible."""
    account.add_transcriptions(25)
    account.on_page(2, Status(503, {"Retry-After": "0.4"}))
    message, outcome = stderr_on_a_terminal(run, "list")
    assert outcome.code == 0
    assert "20 of 25 rows, 1 retry; the service failed (503), retrying in 1 s" in message


@pytest.mark.usefixtures("_progress_at_once", "_silence_at_once")
def test_slow_response_is_explained(account: FakeVideoSDK, run: Run) -> None:
    """The line has the seconds since the command began."""
    terminal = Terminal()
    account.fail_next(once_shown(terminal, "waiting for the service, 0 s"))
    message, outcome = stderr_on_a_terminal(run, "count", terminal=terminal)
    assert outcome == (0, "0\n", "")
    assert screen(message) == []


@pytest.mark.usefixtures("_progress_at_once", "_silence_at_once")
def test_wait_names_the_file_that_it_waits_for(account: FakeVideoSDK, run: Run) -> None:
    """It does not name the service, which responds in the meantime."""
    account.add_transcription(row_id="t")
    terminal = Terminal()
    account.fail_next(once_shown(terminal, "waiting for the srt file, 0 s"))
    options = ("--format", "srt", "--grace", "0")
    _, outcome = stderr_on_a_terminal(run, "wait", "t", *options, terminal=terminal)
    assert outcome.code == ExitCode.NOT_FOUND


def test_failed_poll_of_a_wait_is_explained(account: FakeVideoSDK) -> None:
    """Its reason is printed once, and shown until the next poll."""
    account.add_transcription(row_id="t")
    refused = Status(429, {"Retry-After": "61"})
    terminal = Terminal()
    account.fail_next(refused)
    termios.tcsetwinsize(terminal.follower, (25, 120))
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), terminal.follower)
    with start("wait", "t", **streams, env=os.environ | {"TERM": "xterm"}) as process:
        terminal.wait_for("rate limited (429), retrying in 6")
        process.terminate()
        process.wait()
    assert "rate limited (429), retrying in 6" in screen(terminal.read())[1]


@pytest.mark.usefixtures("_progress_at_once", "_silence_at_once")
def test_doctor_explains_a_slow_response(account: FakeVideoSDK, run: Run) -> None:
    """Every command that connects does this."""
    terminal = Terminal()
    account.fail_next(once_shown(terminal, "waiting for the service, 0 s"))
    message, outcome = stderr_on_a_terminal(run, "doctor", terminal=terminal)
    assert outcome.code == ExitCode.DONE
    assert screen(message) == ["no problem found"]


@pytest.mark.usefixtures("_progress_at_once", "_silence_at_once")
def test_follow_shows_no_status_between_changes(account: FakeVideoSDK, run: Run) -> None:
    """Waiting is its purpose."""
    account.add_transcription()
    account.fail_next(Delay(0.1))
    message, _ = stderr_on_a_terminal(run, "follow", "--since", "start", "--limit", "1")
    assert "\x1b" not in message


def test_dumb_terminal_gets_a_line_for_a_long_wait(
    account: FakeVideoSDK, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot redraw a line."""
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr("videosdk_transcripts.cli._status._SILENCE", 0.05)
    account.fail_next(Status(429, {"Retry-After": "0.1"}))
    message, outcome = stderr_on_a_terminal(run, "count")
    assert outcome == (0, "0\n", "")
    assert re.fullmatch(r"rate limited \(429\), retrying in \d s\n", message)


def test_process_explains_a_wait_on_a_terminal_of_80_columns(account: FakeVideoSDK) -> None:
    """Stdout and stderr are one terminal, and the line is gone at the end."""
    account.fail_next(Status(429, {"Retry-After": "2"}))
    terminal = Terminal()
    termios.tcsetwinsize(terminal.follower, (25, 80))
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), terminal.follower)
    with start("count", **streams, env=os.environ | {"TERM": "xterm"}) as process:
        terminal.wait_for("rate limited (429), retrying in 1 s")
        assert process.wait() == 0
    assert screen(terminal.read()) == ["0"]


def test_short_walk_shows_no_progress(
    account: FakeVideoSDK, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A walk that is done within a second shows no progress."""
    monkeypatch.setattr("videosdk_transcripts.cli._status._PROGRESS_AFTER", 60.0)
    account.add_transcriptions(45)
    message, outcome = stderr_on_a_terminal(run, "list")
    assert (message, len(outcome.out.splitlines())) == ("", 45)


@pytest.mark.usefixtures("_progress_at_once")
def test_no_progress_off_a_terminal(account: FakeVideoSDK, run: Run) -> None:
    """A log file receives no progress."""
    account.add_transcriptions(45)
    account.on_page(2, Delay(0.05))
    assert run("list").err == ""
