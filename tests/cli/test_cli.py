"""The command line: what is printed, what is told, and how it ends."""

import asyncio
import errno
import io
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import pytest
from aiohttp import web

from videosdk_transcripts import RetryPolicy
from videosdk_transcripts.cli import main
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
    fill_sandbox,
)

from .command_line import (
    NAME,
    SCRIPT,
    Outcome,
    Run,
    Terminal,
    shown_on_a_terminal,
    start,
    use_policy,
)

ROOM = "abcd-efgh-ijkl"
SESSION = "64f1a2b3c4d5e6f708192a3b"
SANDBOX_LINE = f"sandbox with made-up rooms: {', '.join(SANDBOX_ROOMS)}\n"


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program does not wait between its attempts."""
    use_policy(monkeypatch, RetryPolicy(wait_initial=0, wait_max=0))


# What it says of itself.


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_tells_every_exit_code(run: Run, option: str) -> None:
    """The help names the exit codes that there are, and no others."""
    for arguments in ([option], ["list", option]):
        code, out, err = run(*arguments)
        assert (code, err) == (0, "")
        assert out.startswith("Usage: videosdk-transcripts")
        told = [int(number) for number in re.findall(r"^ +(\d+)  ", out, re.MULTILINE)]
        assert list(ExitCode) == told


def test_help_names_every_option(run: Run) -> None:
    """The help of `list` names what can be given to it."""
    out = run("list", "--help").out
    assert {
        *("--json", "--jsonl", "--limit", "--page-size", "--on-unverified", "--on-invalid"),
        *("--csv", "--columns", "--status", "--since", "--until", "--checkpoint"),
        *("--env-file", "--profile", "--sandbox", "--help"),
    } == set(re.findall(r"^  (?:-h, )?(--[\w-]+)", out, re.MULTILINE))
    assert "[ROOM] [SESSION]" in out


def test_version(run: Run) -> None:
    """`--version` names the program and the version of the installed package."""
    expected = f"videosdk-transcripts {version('videosdk-transcripts')}\n"
    assert (0, expected, "") == run("--version")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--no-such"], "--no-such"),
        (["no-such"], "no-such"),
        ([], "which verb?"),
        (["list", "--no-such"], "--no-such"),
        (["list", ROOM, SESSION, "third"], "third"),
        (["list", "--limit", "0"], "--limit"),
        (["list", "--page-size", "x"], "--page-size"),
        (["list", "--on-unverified", "drop"], "--on-unverified"),
        (["list", "--on-invalid", "collect"], "--on-invalid"),
        (["list", "--env-file", "/no/such/file"], "--env-file"),
        (["list", "--env-file", "/"], "--env-file"),
        (["list", "--env-file", __file__, "--sandbox"], "--sandbox needs no --env-file"),
        (["list", "--profile", "a", "--sandbox"], "--profile goes with neither"),
        (["list", "--profile", "a", "--env-file", __file__], "--profile goes with neither"),
    ],
)
def test_wrong_arguments(run: Run, arguments: list[str], named: str) -> None:
    """What it does not know ends with 2 and is named on stderr."""
    code, out, err = run(*arguments)
    assert (code, out) == (ExitCode.USAGE, "")
    assert named in err
    assert "Usage: " in err


@pytest.mark.parametrize(
    ("missing", "words"),
    [(("click",), "click"), (("rich",), "rich"), (("click", "rich"), "click and rich")],
)
def test_missing_extra(
    run: Run, monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...], words: str
) -> None:
    """Without the extra it says what is missing and how to get it."""
    monkeypatch.setattr(
        "videosdk_transcripts.cli.find_spec", lambda name: None if name in missing else name
    )
    told = f"{NAME}the command line needs {words}; get it with: pip install "
    assert (2, "", f"{told}'videosdk-transcripts[cli]'\n") == run("--version")


def test_the_arguments_of_the_process_are_the_default(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Called without arguments, it takes those of the process."""
    monkeypatch.setattr(sys, "argv", ["anything", "--version"])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out.startswith("videosdk-transcripts ")


# What it prints.


def test_tabs_off_a_terminal(account: FakeVideoSDK, run: Run) -> None:
    """Elsewhere than on a terminal a row is a line, with tabs between its fields."""
    account.add_transcription(row_id="t-1", formats=("txt", "vtt"))
    account.add_transcription(row_id="t-2", status="running", duration=None, formats=())
    out = (
        "t-1\tcompleted\t2026-03-02T09:00:00+00:00\t2026-03-02T09:25:00+00:00\t"
        f"{ROOM}\t{SESSION}\ttxt,vtt,summary\n"
        f"t-2\trunning\t2026-03-02T10:00:00+00:00\t\t{ROOM}\t{SESSION}\t\n"
    )
    assert (0, out, "") == run("list")


def test_json_is_one_document(account: FakeVideoSDK, run: Run) -> None:
    """`--json` is one array of the rows, in the service's own shape, over all pages."""
    account.add_transcriptions(45)
    code, out, err = run("list", "--json")
    assert (code, err) == (0, "")
    assert account.rows == json.loads(out)
    assert out.endswith("}\n]\n")


def test_jsonl_is_an_object_a_line(account: FakeVideoSDK, run: Run) -> None:
    """`--jsonl` is one object a line, in the service's own shape."""
    account.add_transcriptions(45)
    code, out, err = run("list", "--jsonl")
    assert (code, err) == (0, "")
    assert account.rows == [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize(("options", "out"), [([], ""), (["--jsonl"], ""), (["--json"], "[]\n")])
def test_an_empty_list(account: FakeVideoSDK, run: Run, options: list[str], out: str) -> None:
    """No rows are no failure: nothing is printed, or an array without elements."""
    assert (0, out, "") == run("list", *options)


@pytest.mark.parametrize("options", [[], ["--jsonl"], ["--json"]])
def test_rows_reach_the_reader_as_they_come(
    account: FakeVideoSDK, run: Run, tmp_path: Path, options: list[str]
) -> None:
    """When the second page is asked for, the rows of the first one are written already."""
    account.add_transcriptions(45)
    path = tmp_path / "out"
    seen: list[int] = []

    async def look(exchange: Exchange) -> web.StreamResponse:
        seen.append(sum(row["id"] in path.read_text() for row in account.rows))
        return exchange.answer()

    account.on_page(2, look)
    with path.open("w") as file, redirect_stdout(file):
        assert run("list", *options).code == 0
    assert seen == [20]


@pytest.mark.parametrize(
    ("arguments", "query"),
    [
        ([], {"page": "1", "perPage": "20"}),
        ([ROOM], {"page": "1", "perPage": "20", "roomId": ROOM}),
        ([ROOM, SESSION], {"page": "1", "perPage": "20", "roomId": ROOM, "sessionId": SESSION}),
        (["--page-size", "1"], {"page": "1", "perPage": "1"}),
    ],
)
def test_arguments_reach_the_service(
    account: FakeVideoSDK, run: Run, arguments: list[str], query: dict[str, str]
) -> None:
    """The room, the session and the page size are asked for as they were given."""
    account.add_transcription()
    assert run("list", *arguments).code == 0
    assert query == account.requests[0].query


@pytest.mark.parametrize(("limit", "pages"), [(1, [1]), (20, [1]), (21, [1, 2]), (99, [1, 2, 3])])
def test_limit(account: FakeVideoSDK, run: Run, limit: int, pages: list[int]) -> None:
    """`--limit` prints so many rows at most, and asks for no page beyond them."""
    account.add_transcriptions(45)
    out = run("list", "--limit", str(limit)).out
    assert min(limit, 45) == len(out.splitlines())
    assert pages == [request.page for request in account.requests]


WILD = "a\x1b[2J\x1b]0;b\x07c\td\ne\r\x00\x9b1m\u202e\u2028\ud800z"


def add_wild(account: FakeVideoSDK) -> None:
    """Add a row whose every word would move the cursor of a terminal."""
    account.add_transcription(
        row_id=WILD, status=WILD, room_id=WILD, session_id=WILD, formats=(WILD,)
    )


def test_control_characters_are_not_printed(account: FakeVideoSDK, run: Run) -> None:
    """The words of the service can neither move a cursor nor break a line or a column."""
    add_wild(account)
    code, out, err = run("list")
    assert (code, err) == (0, "")
    assert {"\n", "\t"} == {c for c in out if not c.isprintable()}
    assert (out.count("\n"), out.count("\t")) == (1, 6)
    tame = "a�[2J�]0;b�c�d�e���1m���z"
    assert [tame, tame, tame, tame] == [out.split("\t")[column] for column in (0, 1, 4, 5)]


@pytest.mark.parametrize("option", ["--json", "--jsonl"])
def test_control_characters_are_escaped_in_json(
    account: FakeVideoSDK, run: Run, option: str
) -> None:
    """JSON keeps the words of the service as they are, by escapes alone."""
    add_wild(account)
    code, out, err = run("list", option)
    assert (code, err) == (0, "")
    assert out.isascii()
    assert {"\n"} == {c for c in out if not c.isprintable()}
    found = json.loads(out)
    assert (found[0] if option == "--json" else found)["id"] == WILD


# On a terminal.


@pytest.mark.parametrize(
    ("arguments", "header"),
    [
        ([], "Id | Start (UTC) | Duration | Status | Room | Session | Files"),
        ([ROOM], "Id | Start (UTC) | Duration | Status | Session | Files"),
        ([ROOM, SESSION], "Id | Start (UTC) | Duration | Status | Files"),
    ],
)
@pytest.mark.usefixtures("wide")
def test_table_on_a_terminal(
    account: FakeVideoSDK, run: Run, arguments: list[str], header: str
) -> None:
    """On a terminal it is a table, without a column for what was asked for."""
    account.add_transcription(row_id="t-1", formats=("txt", "vtt"))
    shown, outcome = shown_on_a_terminal(run, "list", *arguments)
    assert outcome == (0, "", "1 transcription\n")
    first, row = ([cell.strip() for cell in re.split(r"  +", line)] for line in shown.splitlines())
    assert header == " | ".join(cell for cell in first if cell)
    cells = {
        "Start (UTC)": "2026-03-02 09:00",
        "Duration": "0:25:00",
        "Status": "completed",
        "Room": ROOM,
        "Session": SESSION,
        "Files": "txt,vtt,summary",
        "Id": "t-1",
    }
    assert [cells[name] for name in header.split(" | ")] == [cell for cell in row if cell]


@pytest.mark.usefixtures("wide")
def test_no_colours_where_none_are_wanted(
    account: FakeVideoSDK, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With NO_COLOR a table has bold heads and no colour, and on a dumb terminal neither."""
    account.add_transcription(status="failed", formats=())
    for variable, value, styles in (("NO_COLOR", "1", {"1", "0"}), ("TERM", "dumb", set())):
        monkeypatch.setenv(variable, value)
        terminal = Terminal()
        with redirect_stdout(terminal.file):
            assert run("list").code == 0
        assert set(re.findall("\x1b\\[([0-9;]*)m", terminal.read())) == styles


@pytest.mark.usefixtures("wide")
def test_table_of_rows_that_say_little(account: FakeVideoSDK, run: Run) -> None:
    """What a row does not say is an empty cell, and its id is never cut."""
    row = account.add_transcription(
        room_id=None, session_id=None, duration=None, formats=(), status=None
    )
    row["start"] = None
    shown, outcome = shown_on_a_terminal(run, "list")
    assert outcome.code == 0
    assert [row["id"]] == shown.splitlines()[1].split()


@pytest.mark.parametrize(
    ("duration", "cell"),
    [
        (timedelta(hours=1, seconds=1), "1:00:01"),
        (timedelta(seconds=1, milliseconds=500), "0:00:01"),
        (timedelta(days=1, hours=2), "1 day, 2:00:00"),
        (timedelta(minutes=-5), ""),
    ],
)
@pytest.mark.usefixtures("wide")
def test_duration_in_a_table(
    account: FakeVideoSDK, run: Run, duration: timedelta, cell: str
) -> None:
    """A duration is shown in whole seconds, and one that can't be is an empty cell."""
    account.add_transcription(duration=duration)
    header, row = shown_on_a_terminal(run, "list")[0].splitlines()
    assert row[header.index("Duration") : header.index("Status")].strip() == cell


# The row of the test needs 134 columns of the terminal for all that there is of it.
@pytest.mark.parametrize(
    ("width", "arguments", "left_out"),
    [
        (134, [], []),
        (133, [], ["Session"]),
        (108, [], ["Session"]),
        (107, [], ["Session", "Room"]),
        (92, [], ["Session", "Room"]),
        (91, [], ["Session", "Room", "Duration"]),
        (82, [], ["Session", "Room", "Duration"]),
        (81, [], ["Session", "Room", "Duration", "Files"]),
        (80, [], ["Session", "Room", "Duration", "Files"]),
        (65, [], ["Session", "Room", "Duration", "Files"]),
        (80, [ROOM], ["Session", "Duration", "Files"]),
        (80, [ROOM, SESSION], ["Duration", "Files"]),
    ],
)
def test_table_on_a_narrow_terminal(
    account: FakeVideoSDK,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    *,
    width: int,
    arguments: list[str],
    left_out: list[str],
) -> None:
    """Where a row has no room on a line, columns are left out and told, and the id is whole."""
    monkeypatch.setenv("COLUMNS", str(width))
    row = account.add_transcription(formats=("txt", "vtt"))
    shown, outcome = shown_on_a_terminal(run, "list", *arguments)
    header, line = shown.splitlines()
    assert len(header) <= width
    assert line.startswith(f"{row['id']}  2026-03-02 09:00  ")
    known = ["Room", "Session"][: len(arguments)]
    names = ["Id", "Start (UTC)", "Duration", "Status", "Room", "Session", "Files"]
    assert re.split("  +", header.strip()) == [n for n in names if n not in left_out + known]
    told = f" (too narrow for: {', '.join(left_out).lower()})" if left_out else ""
    assert outcome == (0, "", f"1 transcription{told}\n")


@pytest.mark.parametrize("width", [64, 40, 30])
def test_table_on_a_terminal_with_no_room_for_an_id(
    account: FakeVideoSDK, run: Run, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    """Where an id can't be on one line it is folded, and all of it is there."""
    monkeypatch.setenv("COLUMNS", str(width))
    row = account.add_transcription()
    lines = shown_on_a_terminal(run, "list")[0].splitlines()
    assert max(len(line) for line in lines) <= width
    first = [line.partition(" ")[0] for line in lines]
    assert row["id"] == "".join(first[first.index("Id") + 1 :])


@pytest.mark.usefixtures("wide")
def test_table_of_a_walk_that_failed(account: FakeVideoSDK, run: Run) -> None:
    """What came before a failure is shown, as the exit code says."""
    account.add_transcriptions(45)
    account.on_page(2, Status(404))
    shown, outcome = shown_on_a_terminal(run, "list")
    assert outcome.code == ExitCode.PARTIAL
    ids = [line.partition(" ")[0] for line in shown.splitlines()]
    assert ["Id", *(row["id"] for row in account.rows[:20])] == ids
    assert outcome.err.startswith(f"20 transcriptions\n{NAME}stopped after 20 rows: ")


def test_no_table_of_a_walk_that_failed_at_once(account: FakeVideoSDK, run: Run) -> None:
    """Without rows a failure is all that is told, and not that there are none."""
    account.on_page(1, Status(404))
    shown, outcome = shown_on_a_terminal(run, "list")
    assert (shown, outcome.code) == ("", ExitCode.NOT_FOUND)
    assert outcome.err.startswith(NAME)
    assert outcome.err.count("\n") == 1


def test_table_of_nothing(account: FakeVideoSDK, run: Run) -> None:
    """Without rows there is no table, and it is said that there are none."""
    assert shown_on_a_terminal(run, "list") == ("", (0, "", "0 transcriptions\n"))


@pytest.mark.usefixtures("wide")
def test_control_characters_are_not_shown(account: FakeVideoSDK, run: Run) -> None:
    """In a table as well, the words of the service are words."""
    add_wild(account)
    shown, outcome = shown_on_a_terminal(run, "list")
    assert outcome.code == 0
    assert {"\n"} == {c for c in shown if not c.isprintable()}


@pytest.mark.usefixtures("wide")
def test_markup_is_not_read(account: FakeVideoSDK, run: Run) -> None:
    """What looks like markup of the table's library is printed as it is."""
    account.add_transcription(status="[red]x[/nonsense]")
    shown, outcome = shown_on_a_terminal(run, "list")
    assert outcome.code == 0
    assert "[red]x[/nonsense]" in shown


def test_table_in_a_process_of_its_own(
    account: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real terminal of 80 columns in front of a real process shows whole ids and their count."""
    monkeypatch.delenv("COLUMNS", raising=False)
    account.add_transcriptions(3)
    terminal = Terminal()
    termios.tcsetwinsize(terminal.follower, (25, 80))
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), terminal.follower)
    with start("list", **streams) as process:
        assert process.wait() == 0
    header, *rows, count = click.unstyle(terminal.read()).splitlines()
    assert header.split("  ")[0] == "Id"
    assert [row["id"] for row in account.rows] == [row.partition(" ")[0] for row in rows]
    assert count == "3 transcriptions (too narrow for: session, room, duration)"


# Progress.


def told_on_a_terminal(
    run: Run, *arguments: str, terminal: Terminal | None = None
) -> tuple[str, Outcome]:
    """Run with stderr on a terminal, and return what it showed."""
    terminal = terminal or Terminal()
    with redirect_stderr(terminal.file):
        outcome = run(*arguments)
    return terminal.read(), outcome


def once_told(terminal: Terminal, text: str, fault: Fault | None = None) -> Fault:
    """Make a fault: no answer comes before a text is shown on a terminal."""

    async def wait_until_told(exchange: Exchange) -> web.StreamResponse:
        await asyncio.to_thread(terminal.wait_for, text)
        return exchange.answer() if fault is None else await fault(exchange)

    return wait_until_told


CLEARED = "\x1b[2K"


@pytest.fixture
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A walk is long at once."""
    monkeypatch.setattr("videosdk_transcripts.cli._progress._PATIENCE", 0.0)
    monkeypatch.setattr("videosdk_transcripts.cli._progress._REFRESH", 0.01)
    monkeypatch.setenv("TERM", "xterm")


@pytest.mark.parametrize("options", [[], ["--json"], ["--jsonl"]])
@pytest.mark.usefixtures("_no_patience")
def test_progress_of_a_long_walk(account: FakeVideoSDK, run: Run, options: list[str]) -> None:
    """A long walk tells a person on stderr how far it is, and clears the line in the end."""
    account.add_transcriptions(45)
    terminal = Terminal()
    account.on_page(2, once_told(terminal, "20 of 45 rows"))
    told, outcome = told_on_a_terminal(run, "list", *options, terminal=terminal)
    assert told.endswith(CLEARED)
    assert "retries" not in told
    # The same is printed as where nobody looks on.
    assert outcome == run("list", *options)


@pytest.mark.usefixtures("_no_patience")
def test_progress_before_the_first_row(account: FakeVideoSDK, run: Run) -> None:
    """That the service is waited for is told before anything has come."""
    account.add_transcriptions(3)
    terminal = Terminal()
    account.on_page(1, once_told(terminal, "0 of ? rows"))
    told, outcome = told_on_a_terminal(run, "list", terminal=terminal)
    assert (outcome.code, len(outcome.out.splitlines())) == (0, 3)
    assert told.endswith(CLEARED)


@pytest.mark.usefixtures("_no_patience", "_impatient")
def test_progress_of_retries(account: FakeVideoSDK, run: Run) -> None:
    """What a person waits for may be a service that fails, so that the retries are told."""
    account.add_transcriptions(3)
    terminal = Terminal()
    answer = once_told(terminal, "0 of ? rows, 2 retries")
    account.on_page(1, Status(503), Status(503), answer)
    _, outcome = told_on_a_terminal(run, "list", terminal=terminal)
    assert (outcome.code, len(outcome.out.splitlines())) == (0, 3)


@pytest.mark.usefixtures("_no_patience")
def test_progress_without_a_total(account: FakeVideoSDK, run: Run) -> None:
    """Where the service names no total, none is shown."""
    account.add_transcriptions(25)
    terminal = Terminal()
    unnumbered = Envelope("no page info")
    account.on_page(2, once_told(terminal, "20 of ? rows", unnumbered))
    account.every(1, unnumbered)
    _, outcome = told_on_a_terminal(run, "list", terminal=terminal)
    assert (outcome.code, len(outcome.out.splitlines())) == (0, 25)


@pytest.mark.usefixtures("_no_patience")
def test_progress_ends_before_the_reason_is_told(account: FakeVideoSDK, run: Run) -> None:
    """When a long walk fails, the line is cleared first, so that the reason can be read."""
    account.add_transcriptions(45)
    terminal = Terminal()
    account.on_page(2, once_told(terminal, "20 of 45 rows", Status(400)))
    told, outcome = told_on_a_terminal(run, "list", terminal=terminal)
    assert outcome.code == ExitCode.PARTIAL
    assert told.rpartition(CLEARED)[2].startswith(NAME)


@pytest.mark.usefixtures("_no_patience", "wide")
def test_progress_ends_before_the_table(account: FakeVideoSDK, run: Run) -> None:
    """On one terminal a table comes behind the progress, whose line is cleared."""
    account.add_transcriptions(25)
    terminal = Terminal()
    account.on_page(2, once_told(terminal, "20 of 25 rows"))
    with redirect_stdout(terminal.file):
        told, outcome = told_on_a_terminal(run, "list", terminal=terminal)
    assert outcome == (0, "", "")
    lines = click.unstyle(told.rpartition(CLEARED)[2]).splitlines()
    assert lines[0].startswith("Id ")
    assert (len(lines), lines[-1]) == (27, "25 transcriptions")


@pytest.mark.parametrize("option", ["--json", "--jsonl"])
@pytest.mark.usefixtures("_no_patience")
def test_no_progress_where_rows_scroll_by(account: FakeVideoSDK, run: Run, option: str) -> None:
    """Progress is not written between the rows on one terminal."""
    account.add_transcriptions(3)
    account.on_page(1, Delay(0.05))
    terminal = Terminal()
    with redirect_stdout(terminal.file):
        told, outcome = told_on_a_terminal(run, "list", option, terminal=terminal)
    assert outcome == (0, "", "")
    assert "\x1b" not in told
    assert all(row["id"] in told for row in account.rows)


def test_no_progress_of_a_short_walk(
    account: FakeVideoSDK, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A walk that is done before a person grows impatient is silent."""
    monkeypatch.setattr("videosdk_transcripts.cli._progress._PATIENCE", 60.0)
    account.add_transcriptions(45)
    told, outcome = told_on_a_terminal(run, "list")
    assert (told, len(outcome.out.splitlines())) == ("", 45)


@pytest.mark.usefixtures("_no_patience")
def test_no_progress_off_a_terminal(account: FakeVideoSDK, run: Run) -> None:
    """A log is spared."""
    account.add_transcriptions(45)
    account.on_page(2, Delay(0.05))
    assert run("list").err == ""


# What it leaves out is told.


def test_rows_of_others_are_told(account: FakeVideoSDK, run: Run) -> None:
    """If the service ignores the filter, the rows of others are dropped, counted and told."""
    account.filters = "ignored"
    account.add_transcriptions(2)
    account.add_transcriptions(3, room_id="another-room")
    code, out, err = run("list", ROOM)
    assert (code, len(out.splitlines())) == (0, 2)
    warning, count = err.splitlines()
    assert warning.startswith(f"{NAME}The service ignored the filter for room {ROOM}")
    assert count == "3 rows of other rooms or sessions dropped"


def test_rows_listed_twice_are_told(account: FakeVideoSDK, run: Run) -> None:
    """A row that is listed again is printed once, and told."""
    account.rows.append(account.add_transcription())
    code, out, err = run("list")
    assert (code, len(out.splitlines()), err) == (0, 1, "1 row listed twice, printed once\n")


def test_unreadable_rows_are_told(account: FakeVideoSDK, run: Run) -> None:
    """With `--on-invalid skip`, rows that can't be read are left out and told."""
    account.add_transcriptions(3)
    account.rows[1]["start"] = 5
    code, out, err = run("list", "--on-invalid", "skip", "--json")
    assert (code, err) == (0, "1 row unreadable and left out\n")
    assert [account.rows[0], account.rows[2]] == json.loads(out)


@pytest.mark.parametrize(("word", "printed"), [("skip", 2), ("yield", 3)])
def test_rows_of_nobody_are_told(account: FakeVideoSDK, run: Run, word: str, printed: int) -> None:
    """With `--on-unverified`, rows without a room are treated as asked, and told."""
    account.filters = "ignored"
    account.add_transcriptions(2)
    account.add_transcription(room_id=None)
    code, out, err = run("list", ROOM, "--on-unverified", word)
    assert (0, printed) == (code, len(out.splitlines()))
    assert err == "1 row without a room or session, treated as asked\n"


@pytest.mark.parametrize("form", [["--json"], []])
def test_dropped_rows_are_told_of_a_walk_that_failed(
    account: FakeVideoSDK, run: Run, form: list[str]
) -> None:
    """What was left out before a failure is told, and then the failure."""
    account.add_transcriptions(45)
    account.rows[5] = account.rows[0]
    account.rows[6]["start"] = 5
    account.on_page(2, Status(404))
    code, _, err = run("list", "--on-invalid", "skip", *form)
    assert code == ExitCode.PARTIAL
    twice, unreadable, failure = err.splitlines()
    assert twice == "1 row listed twice, printed once"
    assert unreadable == "1 row unreadable and left out"
    assert failure.startswith(f"{NAME}stopped after 18 rows: ")


def test_dropped_rows_are_told_of_a_walk_that_failed_before_a_row(
    account: FakeVideoSDK, run: Run
) -> None:
    """Where all that came was left out, it is told as well, and the code is of the failure."""
    account.add_transcriptions(45)
    for row in account.rows:
        row["start"] = 5
    account.on_page(2, Status(404))
    code, out, err = run("list", "--on-invalid", "skip")
    assert (code, out) == (ExitCode.NOT_FOUND, "")
    assert err.startswith(f"20 rows unreadable and left out\n{NAME}GET page 2 ")


def test_a_warning_is_told_once_a_run(account: FakeVideoSDK, run: Run) -> None:
    """A run leaves no handler of its own at the library's logger."""
    before = list(logging.getLogger("videosdk_transcripts").handlers)
    account.filters = "ignored"
    account.add_transcription(room_id="another-room")
    first, second = run("list", ROOM), run("list", ROOM)
    assert first == second
    assert second.err.count("ignored the filter") == 1
    assert before == logging.getLogger("videosdk_transcripts").handlers


# How it ends.


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
    """Prepare by letting every request meet a fault."""

    def prepare(account: FakeVideoSDK, _monkeypatch: pytest.MonkeyPatch) -> None:
        account.every(1, fault)

    return prepare


def having(**fields: Any) -> Callable[[FakeVideoSDK, pytest.MonkeyPatch], None]:
    """Prepare by having one row, which is listed whatever is asked for."""

    def prepare(account: FakeVideoSDK, _monkeypatch: pytest.MonkeyPatch) -> None:
        account.filters = "ignored"
        account.rows.append(account.add_transcription() | fields)
        del account.rows[0]

    return prepare


ENDS = [
    (ExitCode.USAGE, setting(API_ENDPOINT="nowhere"), "the endpoint must look like"),
    (ExitCode.AUTH, setting(API_KEY=None, SECRET=None), "no credentials"),
    (ExitCode.AUTH, setting(API_KEY=None, SECRET=None), "--env-file FILE; --sandbox needs none"),
    (ExitCode.AUTH, setting(SECRET=None), "VIDEOSDK_API_KEY is set and VIDEOSDK_SECRET is not"),
    (ExitCode.AUTH, setting(SECRET=None, TOKEN="Bearer x"), "starts with 'Bearer '"),
    (ExitCode.AUTH, setting(SECRET="a wrong secret of more than 32 bytes"), "answered 401"),
    (ExitCode.AUTH, always(Status(403)), "answered 403"),
    (ExitCode.NOT_FOUND, always(Status(404)), "answered 404"),
    (ExitCode.NOT_FOUND, always(Status(402)), "answered 402"),
    (ExitCode.RATE_LIMITED, always(Status(429, {"Retry-After": "3600"})), "answered 429"),
    (ExitCode.NETWORK, always(DropConnection()), "broke before an answer came"),
    (ExitCode.SERVICE, always(HtmlPage()), "a body that is not JSON"),
    (ExitCode.SERVICE, always(Status(503)), "answered 503"),
    (ExitCode.SERVICE, always(Status(400)), "answered 400"),
    (ExitCode.SERVICE, always(Envelope(info={"currentPage": 9})), "answered with page 9"),
    (
        ExitCode.SERVICE,
        having(start=5),
        "expected a string, found a number",
    ),
    (ExitCode.SERVICE, having(start=5), "(here: --on-invalid)"),
    (ExitCode.SERVICE, having(extension={}), "does not name the room or session"),
    (ExitCode.SERVICE, having(extension={}), "(here: --on-unverified)"),
]


@pytest.mark.parametrize(("expected", "prepare", "words"), ENDS)
@pytest.mark.usefixtures("_impatient")
def test_a_failure_is_a_code_and_a_line(
    account: FakeVideoSDK,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    *,
    expected: ExitCode,
    prepare: Callable[[FakeVideoSDK, pytest.MonkeyPatch], None],
    words: str,
) -> None:
    """What goes wrong before the first row is an exit code, and one line that says what to do."""
    prepare(account, monkeypatch)
    code, out, err = run("list", ROOM, "--json")
    assert (expected, "") == (code, out)
    assert words in err
    assert err.startswith(NAME)
    assert (err.count("\n"), err[-1]) == (1, "\n")


@pytest.mark.usefixtures("_impatient")
def test_a_refused_connection(
    account: FakeVideoSDK, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nobody listens the code is 7, and the address is told."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
        monkeypatch.setenv("VIDEOSDK_API_ENDPOINT", f"http://{address}")
        code, out, err = run("list")
    assert (code, out) == (ExitCode.NETWORK, "")
    assert f"can't connect to {address}" in err


def test_no_answer_in_time(
    account: FakeVideoSDK, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no answer comes in time the code is 7 as well, and the limit is told."""
    use_policy(monkeypatch, RetryPolicy(attempts=1, attempt_timeout=0.02))
    account.every(1, Delay(0.1))
    code, out, err = run("list")
    assert (code, out) == (ExitCode.NETWORK, "")
    assert "no whole answer within the attempt_timeout of 0.02 s" in err


@pytest.mark.parametrize("room", ["", "a b", ".."])
def test_a_room_that_is_no_id(account: FakeVideoSDK, run: Run, room: str) -> None:
    """What can't be an id is a wrong argument, and nothing is sent."""
    code, out, err = run("list", room)
    assert (code, out) == (ExitCode.USAGE, "")
    assert "room_id must be an id" in err
    assert account.requests == []


@pytest.mark.parametrize("fault", [Status(404), Status(401), HtmlPage()])
@pytest.mark.usefixtures("_impatient")
def test_partial_output(account: FakeVideoSDK, run: Run, fault: Fault) -> None:
    """What goes wrong after some rows is a code of its own, and the line says after how many."""
    account.add_transcriptions(45)
    account.on_page(2, fault, times=10)
    code, out, err = run("list")
    assert (code, len(out.splitlines())) == (ExitCode.PARTIAL, 20)
    assert err.startswith(f"{NAME}stopped after 20 rows: GET page 2 ")
    assert err.count("\n") == 1


def test_partial_output_of_one_row(account: FakeVideoSDK, run: Run) -> None:
    """One row is told in the singular."""
    account.add_transcriptions(2)
    account.on_page(2, Status(404))
    assert run("list", "--page-size", "1").err.startswith(f"{NAME}stopped after 1 row: ")


@pytest.mark.parametrize("message", ["a\x1b]0;t\x07b", "a\u202eb", "a\nb"])
def test_control_characters_in_an_error(account: FakeVideoSDK, run: Run, message: str) -> None:
    """The words of the service are plain in an error too, which is one line."""
    account.fail_next(Status(404, message=message))
    code, _, err = run("list")
    assert code == ExitCode.NOT_FOUND
    assert [c for c in err if not c.isprintable()] == ["\n"]


def test_partial_json_is_left_open(account: FakeVideoSDK, run: Run) -> None:
    """An array that failed half-way is no document, and each row in it is whole."""
    account.add_transcriptions(45)
    account.on_page(2, Status(404))
    code, out, _ = run("list", "--json")
    assert code == ExitCode.PARTIAL
    with pytest.raises(json.JSONDecodeError):
        json.loads(out)
    assert account.rows[:20] == json.loads(f"{out}]")


def test_partial_jsonl_is_whole_lines(account: FakeVideoSDK, run: Run) -> None:
    """A stream that failed half-way ends with a whole line."""
    account.add_transcriptions(45)
    account.on_page(2, Status(404))
    code, out, _ = run("list", "--jsonl")
    assert code == ExitCode.PARTIAL
    assert account.rows[:20] == [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize("options", [["--json"], ["--jsonl"], []])
def test_a_failure_behind_empty_pages(account: FakeVideoSDK, run: Run, options: list[str]) -> None:
    """A failure behind pages without rows is no partial output, because nothing was printed."""
    account.add_transcriptions(45)
    account.on_page(1, EmptyPage())
    account.on_page(2, Status(404))
    code, out, _ = run("list", *options)
    assert (code, out) == (ExitCode.NOT_FOUND, "")


# Signals and pipes.


@contextmanager
def closed_pipe() -> Iterator[None]:
    """Nobody reads our stdout."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as file, redirect_stdout(file):
        yield


@pytest.mark.parametrize("options", [[], ["--json"], ["--jsonl"]])
def test_a_pipe_that_nobody_reads(run: Run, options: list[str]) -> None:
    """A reader that has had enough is no failure, and nothing is said of it."""
    with closed_pipe():
        outcome = run("list", "--sandbox", *options)
    assert outcome == (0, "", SANDBOX_LINE)


def test_a_pipe_that_is_closed_half_way(account: FakeVideoSDK) -> None:
    """As in `| head -1`: the process ends with 0, says nothing, and asks for no more pages."""
    account.add_transcriptions(85)
    gone = threading.Event()

    async def wait_until_gone(exchange: Exchange) -> web.StreamResponse:
        await asyncio.to_thread(gone.wait, 10)
        return exchange.answer()

    account.on_page(2, wait_until_gone)
    with start("list") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        process.stdout.close()
        gone.set()
        told = process.stderr.read()
    assert (process.returncode, told) == (0, "")
    assert account.rows[0]["id"] == first.split("\t")[0]
    # Page 3 may have been asked for with page 2, before its turn.
    assert not {4, 5} & {request.page for request in account.requests}


@pytest.mark.parametrize("arguments", [["--help"], ["list", "--help"], ["--version"]])
def test_help_that_nobody_reads(run: Run, arguments: list[str]) -> None:
    """Nobody has to read the help."""
    with closed_pipe():
        assert run(*arguments) == (0, "", "")


def test_help_into_a_closed_pipe() -> None:
    """A process whose help nobody reads ends with 0, and says nothing in the end either."""
    with start("--help") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        told = process.stderr.read()
    assert (process.returncode, told) == (0, "")


@contextmanager
def full_disk() -> Iterator[int]:
    """Nothing can be written to this descriptor, on any system."""
    descriptor = os.open(os.devnull, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


NOT_WRITTEN = f"{NAME}can't write the output: {os.strerror(errno.EBADF)}\n"


@pytest.mark.parametrize("options", [[], ["--json"], ["--jsonl"]])
def test_output_that_cannot_be_written(account: FakeVideoSDK, run: Run, options: list[str]) -> None:
    """Where stdout can't be written the code is 1, and the line says why."""
    account.add_transcriptions(45)
    with full_disk() as descriptor:
        file = os.fdopen(descriptor, "w", closefd=False)
        with redirect_stdout(file):
            outcome = run("list", *options)
        # What it holds is given up.
        with pytest.raises(OSError, match="descriptor"):
            file.close()
    assert outcome == (ExitCode.OUTPUT, "", NOT_WRITTEN)
    assert {1} == {request.page for request in account.requests}


def test_output_that_cannot_be_written_in_a_process_of_its_own() -> None:
    """The process ends with 1 and one line, without a traceback."""
    with full_disk() as descriptor, start("list", "--sandbox", stdout=descriptor) as process:
        told = process.communicate()[1]
    assert (process.returncode, told) == (1, SANDBOX_LINE + NOT_WRITTEN)


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_stream_that_python_left_out(
    account: FakeVideoSDK, run: Run, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A stream that does not exist is nobody's, and the other one is as always."""
    account.rows.append(account.add_transcription(row_id="t"))
    monkeypatch.setattr(sys, name, None)
    code, out, err = run("list")
    with getattr(sys, name) as opened:
        assert opened.name == os.devnull
    assert code == 0
    assert out.startswith("t\t") == (name == "stderr")
    assert err == ("" if name == "stderr" else "1 row listed twice, printed once\n")


@pytest.mark.parametrize(
    ("redirection", "told"),
    [(">&-", SANDBOX_LINE), ("2>&- >/dev/null", ""), (">&- 2>&-", "")],
)
def test_streams_that_are_closed(redirection: str, told: str) -> None:
    """A process that was started without streams does its work without a word of it."""
    command = ("sh", "-c", f'exec "$0" -W error -c "$1" list --sandbox {redirection}')
    done = subprocess.run(  # noqa: S603
        (*command, sys.executable, SCRIPT), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", told)


def test_words_that_the_encoding_lacks(account: FakeVideoSDK) -> None:
    """A row is printed as well as the encoding of stdout can."""
    account.add_transcription(status="\u4f1a\xe9\x07")
    latin = {"env": {**os.environ, "PYTHONIOENCODING": "cp1252"}, "encoding": "cp1252"}
    with start("list", **latin) as process:
        out, err = process.communicate()
    assert (process.returncode, err, out.count("\n")) == (0, "", 1)
    assert out.split("\t")[1] == "\\u4f1a\xe9\\ufffd"


def interrupting(interrupt: Callable[[], None]) -> Fault:
    """Make a fault: Ctrl-C is pressed, and the answer never comes."""

    async def press(_exchange: Exchange) -> web.StreamResponse:
        interrupt()
        await asyncio.Event().wait()
        return web.Response()

    return press


@pytest.mark.parametrize(("page", "printed"), [(1, 0), (2, 20)])
@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c(account: FakeVideoSDK, run: Run, page: int, printed: int) -> None:
    """Ctrl-C ends at once with 130 and one line, whatever was printed."""
    account.add_transcriptions(45)
    here = threading.get_ident()
    account.on_page(page, interrupting(lambda: signal.pthread_kill(here, signal.SIGINT)))
    code, out, err = run("list")
    assert (ExitCode.INTERRUPTED, printed) == (code, len(out.splitlines()))
    # The empty line leaves the ^C of the terminal behind.
    hint = "\nwith --checkpoint FILE an interrupted walk can be taken up again\n" if printed else ""
    assert err == f"{hint}\n{NAME}interrupted\n"


@pytest.mark.usefixtures("ctrl_c", "wide")
def test_ctrl_c_keeps_the_table(account: FakeVideoSDK, run: Run) -> None:
    """Ctrl-C on a terminal shows what had come, and what was left out of it."""
    account.add_transcriptions(45)
    account.rows[5] = account.rows[0]
    here = threading.get_ident()
    account.on_page(2, interrupting(lambda: signal.pthread_kill(here, signal.SIGINT)))
    shown, outcome = shown_on_a_terminal(run, "list")
    ids = [line.partition(" ")[0] for line in shown.splitlines()]
    assert ["Id", *dict.fromkeys(row["id"] for row in account.rows[:20])] == ids
    hint = "\nwith --checkpoint FILE an interrupted walk can be taken up again\n"
    told = f"{hint}19 transcriptions\n1 row listed twice, printed once\n"
    assert outcome == (ExitCode.INTERRUPTED, "", f"{told}\n{NAME}interrupted\n")


def test_ctrl_c_in_a_process_of_its_own(account: FakeVideoSDK) -> None:
    """The process ends with 130, without a traceback and without a warning."""
    begun: Future[subprocess.Popen[str]] = Future()
    account.fail_next(interrupting(lambda: begun.result(10).send_signal(signal.SIGINT)))
    with start("list") as process:
        begun.set_result(process)
        out, err = process.communicate()
    assert (130, "", f"\n{NAME}interrupted\n") == (process.returncode, out, err)


# The sandbox.


def test_the_sandbox_needs_nothing(run: Run) -> None:
    """`--sandbox` works without credentials and network, and names its rooms on stderr."""
    expected = FakeVideoSDK()
    fill_sandbox(expected)
    code, out, err = run("list", "--sandbox", "--json")
    assert (code, err) == (0, SANDBOX_LINE)
    assert [row["id"] for row in expected.rows] == [row["id"] for row in json.loads(out)]


def test_the_sandbox_is_filtered(run: Run) -> None:
    """A room of the sandbox and a session in it can be asked for."""
    room = SANDBOX_ROOMS[1]
    rows = [json.loads(line) for line in run("list", room, "--sandbox", "--jsonl").out.splitlines()]
    places = [row["extension"]["extensionConfig"] for row in rows]
    assert {room} == {place["roomId"] for place in places}
    session = places[0]["sessionId"]
    found = json.loads(run("list", room, session, "--sandbox", "--json").out)
    mine = [row for row, place in zip(rows, places, strict=True) if place["sessionId"] == session]
    # Each run serves its files at an address of its own.
    assert [row["id"] for row in mine] == [row["id"] for row in found]


def test_the_sandbox_hides_the_real_account(account: FakeVideoSDK, run: Run) -> None:
    """With credentials in the environment too, `--sandbox` talks to the sandbox alone."""
    assert run("list", "--sandbox").code == 0
    assert account.requests == []


# Settings from a file.


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    """A place for a file of settings."""
    return tmp_path / "settings.env"


PLAIN = """
VIDEOSDK_API_KEY={key}
VIDEOSDK_SECRET={secret}
VIDEOSDK_API_ENDPOINT={url}
"""

QUOTED = """
export VIDEOSDK_API_KEY='{key}'
export VIDEOSDK_SECRET="{secret}"
VIDEOSDK_API_ENDPOINT = "{url}/v2"
"""

COMMENTED = """
# VIDEOSDK_API_KEY=x
  # export VIDEOSDK_SECRET=x
  VIDEOSDK_API_KEY={key}

no assignment at all
VIDEOSDK_SECRET_KEY={secret}
VIDEOSDK_API_ENDPOINT=http://replaced.example
VIDEOSDK_API_ENDPOINT={url}
"""


BEHIND = """
VIDEOSDK_API_KEY={key} # of the account
export VIDEOSDK_SECRET='{secret}'   # "secret"
VIDEOSDK_API_ENDPOINT={url}  # ours
"""


@pytest.mark.parametrize("lines", [PLAIN, QUOTED, COMMENTED, BEHIND])
@pytest.mark.parametrize(("mark", "newline"), [("", "\n"), ("\ufeff", "\r\n")])
def test_env_file(run: Run, env_file: Path, lines: str, mark: str, newline: str) -> None:
    """A file of settings may have quotes, `export`, comments, empty lines, a mark and CRLF."""
    with FakeVideoSDK(
        api_key="key", secret="a secret of more than 32 bytes=?#"
    ).in_thread() as fake:
        text = lines.format(key=fake.api_key, secret=fake.secret, url=fake.url)
        env_file.write_text(mark + text.strip(), "utf-8", newline=newline)
        fake.add_transcription(row_id="t")
        code, out, err = run("list", "--env-file", str(env_file))
    assert (code, err) == (0, "")
    assert out.startswith("t\t")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("plain", "plain"),
        ("a=b==", "a=b=="),
        ("  spaces  ", "spaces"),
        ('"a b"', "a b"),
        ("'a\"b'", 'a"b'),
        ("''inner''", "'inner'"),
        ('"', '"'),
        ('"open', '"open'),
        ("\"mixed'", "\"mixed'"),
        ("#hash", "#hash"),
        ("a#b", "a#b"),
        ("a # b # c", "a"),
        ("a\t# c", "a"),
        ("'a' # don't 'b'", "a"),
        ("a b  # c", "a b"),
        ("'a b' # c", "a b"),
        ("'a b'\t#c", "a b"),
        ('"a # b"', "a # b"),
        ("\"a # b\"  # c 'd'", "a # b"),
        ('"open # c', '"open'),
        ("größe", "größe"),
    ],
)
def test_quotes_in_an_env_file(
    account: FakeVideoSDK, run: Run, env_file: Path, written: str, meant: str
) -> None:
    """One pair of quotes is taken off a value, and a comment behind it; all else is kept."""
    account.api_key = meant
    env_file.write_text(
        f"VIDEOSDK_API_KEY={written}\nVIDEOSDK_SECRET={account.secret}\n"
        f"VIDEOSDK_API_ENDPOINT={account.url}\n",
        "utf-8",
    )
    assert run("list", "--env-file", str(env_file)) == (0, "", "")


def test_an_empty_value_in_an_env_file_is_none(run: Run, env_file: Path) -> None:
    """A variable that is set to nothing, with quotes or without, counts as not set."""
    env_file.write_text('VIDEOSDK_API_KEY=""\nVIDEOSDK_TOKEN= # none\nVIDEOSDK_SECRET=x\n')
    code, _, err = run("list", "--env-file", str(env_file))
    assert code == ExitCode.AUTH
    assert "VIDEOSDK_SECRET is set and VIDEOSDK_API_KEY is not" in err


def test_an_env_file_is_not_mixed_with_the_environment(
    account: FakeVideoSDK, run: Run, env_file: Path
) -> None:
    """Half of a pair in the file is not completed from the environment."""
    env_file.write_text(f"VIDEOSDK_API_KEY={account.api_key}\n")
    code, _, err = run("list", "--env-file", str(env_file))
    assert code == ExitCode.AUTH
    assert "VIDEOSDK_API_KEY is set and VIDEOSDK_SECRET is not" in err
    assert account.requests == []


def test_an_env_file_sets_nothing_else(account: FakeVideoSDK, run: Run, env_file: Path) -> None:
    """Variables that are not of the client are neither set nor replaced."""
    env_file.write_text(
        f"VIDEOSDK_API_KEY={account.api_key}\nVIDEOSDK_SECRET={account.secret}\n"
        f"VIDEOSDK_API_ENDPOINT={account.url}\nPATH=/nowhere\nNOT_OURS=1\n"
    )
    before = os.environ["PATH"]
    assert run("list", "--env-file", str(env_file)).code == 0
    assert before == os.environ["PATH"]
    assert "NOT_OURS" not in os.environ


def test_an_env_file_that_is_no_text(run: Run, env_file: Path) -> None:
    """A file that is no UTF-8 is a wrong setting, and its name is told and nothing of it."""
    env_file.write_bytes(b"VIDEOSDK_SECRET=hidden\xff")
    told = f"{NAME}{env_file} can't be read: UnicodeDecodeError\n"
    assert (ExitCode.USAGE, "", told) == run("list", "--env-file", str(env_file))


def test_a_nul_in_an_env_file(run: Run, env_file: Path) -> None:
    """What no variable can hold is a wrong setting, and nothing of it is told."""
    env_file.write_bytes(b"VIDEOSDK_API_KEY=a\0b\nVIDEOSDK_SECRET=x\n")
    told = f"{NAME}{env_file} has a line that no variable can hold\n"
    assert (ExitCode.USAGE, "", told) == run("list", "--env-file", str(env_file))


def test_an_env_file_that_vanishes(
    run: Run, env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that can't be read any more when its turn comes is told likewise."""
    env_file.touch()

    def denied(*_arguments: object) -> str:
        raise PermissionError(13, "denied")

    monkeypatch.setattr(Path, "read_text", denied)
    told = f"{NAME}{env_file} can't be read: PermissionError\n"
    assert (ExitCode.USAGE, "", told) == run("list", "--env-file", str(env_file))


# Secrets.


async def echo(exchange: Exchange) -> web.StreamResponse:
    """Answer as a careless gateway does, with the header that it got."""
    said = f"bad header Authorization: {exchange.request.headers['Authorization']}"
    return web.json_response({"message": said, "error": {"message": said}}, status=400)


@pytest.mark.parametrize("options", [[], ["--json"]])
@pytest.mark.parametrize("fault", [echo, Status(401), Status(403), HtmlPage(), DropConnection()])
@pytest.mark.usefixtures("_impatient")
def test_no_secret_is_printed(
    account: FakeVideoSDK, run: Run, options: list[str], fault: Fault
) -> None:
    """Neither the key nor the secret nor a token reaches the output, also if it is echoed."""
    account.add_transcriptions(45)
    account.on_page(2, fault, times=20)
    _, out, err = run("list", *options)
    assert out
    tokens = {request.headers["Authorization"] for request in account.requests}
    parts = {part for token in tokens for part in token.split(".")}
    for hidden in (account.api_key, account.secret, *parts):
        assert hidden not in out + err


def test_no_secret_can_be_an_argument(run: Run) -> None:
    """There is no option for a key, a secret or a token, which a list of processes would show."""
    out = run("list", "--help").out
    assert re.findall(r"--[\w-]*(?:key|secret|token)", out) == []


def test_the_extra_is_loaded_when_it_is_used() -> None:
    """To import the command line loads neither click nor rich, which may be missing."""
    code = "import sys, videosdk_transcripts.cli; print({'click', 'rich'} & set(sys.modules))"
    done = subprocess.run(  # noqa: S603
        (sys.executable, "-c", code), capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"


def loaded_by(*arguments: str, **environment: str) -> tuple[str, set[str]]:
    """Return what a run prints to stdout, and which modules it loads for that."""
    code = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "from videosdk_transcripts.cli import main\n"
        "try:\n"
        "    main(sys.argv[1:])\n"
        "finally:\n"
        "    print(*set(sys.modules) - before, file=sys.stderr)"
    )
    done = subprocess.run(  # noqa: S603
        (sys.executable, "-c", code, *arguments),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    return done.stdout, set(done.stderr.splitlines()[-1].split())


HEAVY = {"aiohttp", "asyncio", "attr", "cattrs", "jwt", "rich", "tenacity"}


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (("--help",), "List transcriptions."),
        (("list", "--help"), "--page-size"),
        (("list", "--no-such"), ""),
        ((), ""),
    ],
)
def test_help_is_quick(arguments: tuple[str, ...], shown: str) -> None:
    """Neither it nor a wrong argument loads what only a request or a table needs."""
    out, loaded = loaded_by(*arguments)
    assert shown in out
    assert loaded & {*HEAVY, "importlib.metadata"} == set()
    assert "click" in loaded


def test_the_version_is_quick() -> None:
    """It is read from the metadata, and nothing else is loaded."""
    out, loaded = loaded_by("--version")
    assert out == f"videosdk-transcripts {version('videosdk-transcripts')}\n"
    assert loaded & HEAVY == set()


@pytest.mark.parametrize(
    ("words", "completed"), [("li", "plain,list\n"), ("list --on-u", "plain,--on-unverified\n")]
)
def test_completion_is_quick(words: str, completed: str) -> None:
    """A shell asks at each press of the key, and waits for the answer."""
    out, loaded = loaded_by(
        _VIDEOSDK_TRANSCRIPTS_COMPLETE="bash_complete",
        COMP_WORDS=f"videosdk-transcripts {words}",
        COMP_CWORD=str(len(words.split())),
    )
    assert out == completed
    assert loaded & {*HEAVY, "importlib.metadata"} == set()


def test_a_stream_of_another_kind(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that calls `main` may have put something else in place of stdout."""
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    assert run("list", "--sandbox", "--limit", "1").code == 0
    assert out.getvalue().count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "lines"), [(("list", "--sandbox"), 0, 55), (("list", "--no-such"), 2, 0)]
)
def test_nobody_listens_to_stderr(arguments: tuple[str, ...], code: int, lines: int) -> None:
    """The rows are printed and the code is told all the same."""
    with start(*arguments) as process:
        assert process.stderr is not None
        process.stderr.close()
        assert process.stdout is not None
        assert (process.stdout.read().count("\n"), process.wait()) == (lines, code)
