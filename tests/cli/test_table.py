"""Tables on a terminal: which columns are shown, and that rows are printed as they arrive."""

import asyncio
import re
import termios
from contextlib import redirect_stdout
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from videosdk_transcripts.cli._exit import ExitCode
from videosdk_transcripts.testing import Exchange, FakeVideoSDK, Status

from .command_line import NAME, Run, Terminal, add_wild, shown_on_a_terminal, start

ROOM = "abcd-efgh-ijkl"
SESSION = "64f1a2b3c4d5e6f708192a3b"


def columns(line: str) -> list[str]:
    """Return the cells of a line of a table."""
    return re.split("  +", line.strip())


@pytest.mark.parametrize(
    ("arguments", "header"),
    [
        ([], "ID | START (UTC) | DURATION | STATUS | ROOM | SESSION | FILES"),
        ([ROOM], "ID | START (UTC) | DURATION | STATUS | SESSION | FILES"),
        ([ROOM, SESSION], "ID | START (UTC) | DURATION | STATUS | FILES"),
    ],
)
@pytest.mark.usefixtures("wide")
def test_table_omits_columns_that_were_asked_for(
    account: FakeVideoSDK, run: Run, arguments: list[str], header: str
) -> None:
    """On a terminal rows are a table, without columns for the given room and session."""
    account.add_transcription(row_id="t-1", formats=("txt", "vtt"))
    shown, outcome = shown_on_a_terminal(run, "list", *arguments)
    assert outcome == (0, "", "1 transcription\n")
    first, row = ([cell.strip() for cell in re.split(r"  +", line)] for line in shown.splitlines())
    assert header == " | ".join(cell for cell in first if cell)
    cells = {
        "START (UTC)": "2026-03-02 09:00",
        "DURATION": "0:25:00",
        "STATUS": "completed",
        "ROOM": ROOM,
        "SESSION": SESSION,
        "FILES": "txt,vtt,summary",
        "ID": "t-1",
    }
    assert [cells[name] for name in header.split(" | ")] == [cell for cell in row if cell]


@pytest.mark.usefixtures("wide")
def test_table_has_no_styles(account: FakeVideoSDK, run: Run) -> None:
    """It is plain text, which any terminal shows."""
    account.add_transcription(status="failed", formats=())
    terminal = Terminal()
    with redirect_stdout(terminal.file):
        assert run("list").code == 0
    assert "\x1b" not in terminal.read()


@pytest.mark.usefixtures("wide")
def test_missing_values_are_empty_cells(account: FakeVideoSDK, run: Run) -> None:
    """A missing value is an empty cell, and an id is never cut."""
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
def test_table_shows_durations_in_whole_seconds(
    account: FakeVideoSDK, run: Run, duration: timedelta, cell: str
) -> None:
    """A negative duration is an empty cell."""
    account.add_transcription(duration=duration)
    header, row = shown_on_a_terminal(run, "list")[0].splitlines()
    assert row[header.index("DURATION") : header.index("STATUS")].strip() == cell


ACCOUNT = ["ID", "START (UTC)", "DURATION", "STATUS", "ROOM", "SESSION", "FILES"]


@pytest.mark.parametrize(
    ("width", "arguments", "hidden"),
    [
        (134, [], []),
        (130, [], []),
        (129, [], ["session"]),
        (104, [], ["session"]),
        (103, [], ["duration", "session"]),
        (94, [], ["duration", "session"]),
        (93, [], ["duration", "session", "files"]),
        (81, [], ["duration", "session", "files"]),
        (80, [ROOM], ["duration", "session"]),
        (90, [ROOM], ["session"]),
        (80, [ROOM, SESSION], ["duration"]),
        (90, [ROOM, SESSION], []),
    ],
)
def test_narrow_terminal_hides_columns_in_favour_of_whole_ids(
    account: FakeVideoSDK,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    *,
    width: int,
    arguments: list[str],
    hidden: list[str],
) -> None:
    """Columns that do not fit are hidden and named."""
    monkeypatch.setenv("COLUMNS", str(width))
    row = account.add_transcription()
    shown, outcome = shown_on_a_terminal(run, "list", *arguments)
    header, line = shown.splitlines()
    assert max(len(header), len(line)) <= width
    assert line.startswith(f"{row['id']}  2026-03-02 09:00  ")
    left_out = [*hidden, *("room", "session")[: len(arguments)]]
    assert columns(header) == [name for name in ACCOUNT if name.lower() not in left_out]
    note = f" (hidden on this width: {', '.join(hidden)}; see --wide)" if hidden else ""
    assert outcome == (0, "", f"1 transcription{note}\n")


@pytest.mark.parametrize(
    ("width", "shown_columns", "note"),
    [
        (80, "ID,START (UTC),DURATION,STATUS,ROOM,FILES", "hidden on this width: session"),
        (74, "ID,START (UTC),DURATION,STATUS,ROOM,FILES", "shortened: id, files"),
        (64, "ID,START (UTC),STATUS,ROOM,FILES", "hidden on this width: duration, session"),
        (60, "ID,START (UTC),STATUS,ROOM", "hidden on this width: duration, session, files"),
        (40, "ID,START (UTC),STATUS", "hidden on this width: duration, room, session, files"),
        (30, "ID,START (UTC)", "hidden on this width: duration, status, room, session, files"),
        (20, "ID", "hidden on this width: start, duration, status, room, session, files"),
    ],
)
def test_narrow_terminal_shortens_ids_and_keeps_a_row_on_a_line(
    account: FakeVideoSDK,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    *,
    width: int,
    shown_columns: str,
    note: str,
) -> None:
    """Ids are recognizable, and the message names the option that prints them whole."""
    monkeypatch.setenv("COLUMNS", str(width))
    rows = account.add_transcriptions(3)
    shown, outcome = shown_on_a_terminal(run, "list")
    header, *lines = shown.splitlines()
    assert columns(header) == shown_columns.split(",")
    assert len(lines) == 3
    assert max(map(len, [header, *lines])) <= width
    for row, line in zip(rows, lines, strict=True):
        beginning, ellipsis, _ = line.partition("…")
        assert ellipsis
        assert len(beginning) >= 8
        assert row["id"].startswith(beginning)
        assert ROOM in line or "ROOM" not in header
    assert note in outcome.err
    assert "shortened: id" in outcome.err
    assert "see --wide)\n" in outcome.err


@pytest.mark.parametrize("width", ["30", "80"])
def test_wide_table_has_everything_whole(
    account: FakeVideoSDK, run: Run, monkeypatch: pytest.MonkeyPatch, width: str
) -> None:
    """`--wide` prints all columns, whatever the width of the terminal."""
    monkeypatch.setenv("COLUMNS", width)
    row = account.add_transcription()
    shown, outcome = shown_on_a_terminal(run, "list", "--wide")
    header, line = shown.splitlines()
    assert columns(header) == ACCOUNT
    assert columns(line) == [
        *(row["id"], "2026-03-02 09:00", "0:25:00", "completed", ROOM, SESSION, "txt,summary")
    ]
    assert outcome == (0, "", "1 transcription\n")


def test_ids_are_whole_in_a_pipe(
    account: FakeVideoSDK, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other programs receive whole ids, with and without `--wide`."""
    monkeypatch.setenv("COLUMNS", "40")
    row = account.add_transcription()
    out = run("list").out
    assert out.startswith(f"{row['id']}\t")
    assert run("list", "--wide").out == out


@pytest.mark.usefixtures("wide")
def test_value_that_is_wider_than_its_column_is_whole_if_it_fits(
    account: FakeVideoSDK, run: Run
) -> None:
    """The widths are those of the first row, and a later id is longer."""
    account.add_transcription(row_id="t-1")
    account.add_transcription(row_id="transcription-10")
    shown, outcome = shown_on_a_terminal(run, "list")
    assert [columns(line)[0] for line in shown.splitlines()[1:]] == ["t-1", "transcription-10"]
    assert outcome.err == "2 transcriptions\n"


def test_value_that_is_wider_than_the_terminal_is_shortened(
    account: FakeVideoSDK, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This includes characters of two columns, which end before the last one."""
    monkeypatch.setenv("COLUMNS", "80")
    account.add_transcription(row_id="t-1", room_id="a")
    account.add_transcription(row_id="t-2", room_id="会議室" * 20)
    shown, outcome = shown_on_a_terminal(run, "list", "--columns", "id,room,status")
    assert shown.splitlines()[1:] == [
        "t-1       a               completed",
        "t-2       会議室会議室 …  completed",
    ]
    assert outcome.err == "2 transcriptions (shortened: room; see --wide)\n"


def test_only_column_is_shortened_instead_of_hidden(
    account: FakeVideoSDK, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only `--columns` can select a single column."""
    monkeypatch.setenv("COLUMNS", "20")
    account.add_transcription()
    shown, _ = shown_on_a_terminal(run, "list", "--columns", "session")
    assert shown.splitlines() == ["SESSION", f"{SESSION[:19]}…"]


def test_rows_of_a_table_are_shown_before_the_next_page(account: FakeVideoSDK, run: Run) -> None:
    """The rows of the first page are on the terminal when the second page is requested."""
    rows = account.add_transcriptions(45)
    terminal = Terminal()

    async def wait_for_rows(exchange: Exchange) -> web.StreamResponse:
        await asyncio.to_thread(terminal.wait_for, rows[19]["id"][:8])
        return exchange.response()

    account.on_page(2, wait_for_rows)
    with redirect_stdout(terminal.file):
        assert run("list").code == 0
    assert len(terminal.read().splitlines()) == 46


def test_resumed_table_has_the_rest_of_the_rows(
    account: FakeVideoSDK, run: Run, tmp_path: Path
) -> None:
    """A row counts as printed when it is on the terminal."""
    account.add_transcriptions(45)
    account.on_page(2, Status(404))
    options = ("list", "--wide", "--columns", "id", "--checkpoint", str(tmp_path / "c"))
    first, outcome = shown_on_a_terminal(run, *options)
    assert outcome.code == ExitCode.PARTIAL
    second, _ = shown_on_a_terminal(run, *options)
    assert first.splitlines()[1:] + second.splitlines()[1:] == [row["id"] for row in account.rows]


@pytest.mark.usefixtures("wide")
def test_table_of_a_failed_walk_has_the_rows_so_far(account: FakeVideoSDK, run: Run) -> None:
    """Rows before a failure are shown."""
    account.add_transcriptions(45)
    account.on_page(2, Status(404))
    shown, outcome = shown_on_a_terminal(run, "list")
    assert outcome.code == ExitCode.PARTIAL
    ids = [line.partition(" ")[0] for line in shown.splitlines()]
    assert ["ID", *(row["id"] for row in account.rows[:20])] == ids
    assert outcome.err.startswith(f"20 transcriptions\n{NAME}stopped after 20 rows: ")


def test_failure_before_the_first_row_prints_no_table(account: FakeVideoSDK, run: Run) -> None:
    """Without rows only the failure is reported."""
    account.on_page(1, Status(404))
    shown, outcome = shown_on_a_terminal(run, "list")
    assert (shown, outcome.code) == ("", ExitCode.NOT_FOUND)
    assert outcome.err.startswith(NAME)
    assert outcome.err.count("\n") == 1


def test_empty_table_is_a_message(account: FakeVideoSDK, run: Run) -> None:
    """Without rows there is no table, only their number."""
    assert shown_on_a_terminal(run, "list") == ("", (0, "", "0 transcriptions\n"))


@pytest.mark.usefixtures("wide")
def test_control_characters_are_replaced_in_tables(account: FakeVideoSDK, run: Run) -> None:
    """Text of the service cannot move the cursor in a table either."""
    add_wild(account)
    shown, outcome = shown_on_a_terminal(run, "list")
    assert outcome.code == 0
    assert {"\n"} == {c for c in shown if not c.isprintable()}


@pytest.mark.usefixtures("wide")
def test_markup_is_printed_unchanged(account: FakeVideoSDK, run: Run) -> None:
    """Text that looks like markup of rich is printed unchanged."""
    account.add_transcription(status="[red]x[/nonsense]")
    shown, outcome = shown_on_a_terminal(run, "list")
    assert outcome.code == 0
    assert "[red]x[/nonsense]" in shown


@pytest.mark.parametrize("width", [80, 120])
def test_process_on_a_terminal_prints_one_line_per_row(
    account: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    """The width is that of the terminal."""
    monkeypatch.delenv("COLUMNS", raising=False)
    account.add_transcriptions(3)
    terminal = Terminal()
    termios.tcsetwinsize(terminal.follower, (25, width))
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), terminal.follower)
    with start("list", **streams) as process:
        assert process.wait() == 0
    header, *rows, count = terminal.read().splitlines()
    assert columns(header) == [name for name in ACCOUNT if name != "SESSION"]
    assert max(map(len, [header, *rows])) <= width
    assert [columns(row)[4] for row in rows] == [ROOM] * 3
    shown = [columns(row)[0] for row in rows]
    for row, row_id in zip(account.rows, shown, strict=True):
        assert row["id"].startswith(row_id.removesuffix("…"))
        assert (row["id"] == row_id) == (width == 120)
    note = "hidden on this width: session"
    note += "; shortened: id" if width == 80 else ""
    assert count == f"3 transcriptions ({note}; see --wide)"
