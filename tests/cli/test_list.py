"""Rows on the command line: which ones, which columns, and where an interrupted walk goes on."""

import csv
import errno
import io
import json
import signal
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from videosdk_transcripts.cli._exit import ExitCode
from videosdk_transcripts.testing import Change, Envelope, Exchange, FakeVideoSDK, Status

from .command_line import NAME, Run, shown_on_a_terminal

ROOM = "abcd-efgh-ijkl"


def ids(out: str) -> list[str]:
    """Return the first column of what was printed."""
    return [line.partition("\t")[0] for line in out.splitlines()]


@pytest.fixture
def days(account: FakeVideoSDK) -> list[str]:
    """Five days in March with a row each; the fourth one failed, the fifth has no start."""
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    rows = [account.add_transcription(start=start + timedelta(days=n)) for n in range(5)]
    rows[3]["status"] = "Failed"
    del rows[4]["start"]
    return [row["id"] for row in rows]


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (["--status", "failed"], [3]),
        (["--status", "failed", "--status", "COMPLETED", "--limit", "2"], [0, 1]),
        (["--since", "2026-03-02"], [1, 2, 3]),
        (["--until", "2026-03-02T12:00"], [0]),
        (["--since", "2026-03-02T14:00+02:00", "--until", "2026-03-03T12:00:00.5Z"], [1, 2]),
        (["--since", "2026-03-03", "--status", "completed"], [2]),
    ],
)
def test_rows_are_chosen_here(
    run: Run, days: list[str], options: list[str], kept: list[int]
) -> None:
    """By status in any case, and by start, in UTC unless said otherwise. The limit counts those."""
    code, out, err = run("list", *options)
    assert (code, ids(out)) == (0, [days[n] for n in kept])
    seen = 2 if "--limit" in options else 5
    assert err == (
        f"{len(kept)} of {seen} rows chosen here by status or start; the service lists all\n"
    )


@pytest.mark.parametrize("option", ["--since", "--until"])
def test_a_time_that_is_none(run: Run, option: str) -> None:
    """It is named, with how one looks."""
    code, out, err = run("list", option, "yesterday")
    assert (code, out) == (ExitCode.USAGE, "")
    assert "'yesterday' is no date or time, as 2026-03-04" in err


def test_a_failure_behind_rows_that_were_not_wanted(
    run: Run, account: FakeVideoSDK, days: list[str]
) -> None:
    """Nothing was printed, so that it is no partial output."""
    account.add_transcriptions(30)
    account.on_page(2, Status(404))
    assert run("list", "--status", "running").code == ExitCode.NOT_FOUND
    account.on_page(2, Status(404))
    code, out, err = run("list", "--status", "failed")
    assert (code, ids(out)) == (ExitCode.PARTIAL, [days[3]])
    assert f"{NAME}stopped after 1 row: " in err


def test_csv(run: Run, account: FakeVideoSDK) -> None:
    """A header and all columns, quoted where it must be, and a header alone for no rows."""
    account.add_transcription(row_id="t-1", room_id='a,"b"', duration=timedelta(seconds=90.5))
    account.add_transcription(row_id="t-2", room_id=None, session_id=None, duration=None)
    code, out, err = run("list", "--csv")
    assert (code, err) == (0, "")
    assert list(csv.DictReader(io.StringIO(out))) == [
        {
            "id": "t-1",
            "status": "completed",
            "start": "2026-03-02T09:00:00+00:00",
            "end": "2026-03-02T09:01:30.500000+00:00",
            "duration": "90.5",
            "room": 'a,"b"',
            "session": "64f1a2b3c4d5e6f708192a3b",
            "files": "txt,summary",
        },
        {
            "id": "t-2",
            "status": "completed",
            "start": "2026-03-02T10:00:00+00:00",
            "end": "",
            "duration": "",
            "room": "",
            "session": "",
            "files": "txt,summary",
        },
    ]
    assert run("list", "no-such-room", "--csv").out == (
        "id,status,start,end,duration,room,session,files\n"
    )


def test_csv_of_a_walk_that_failed(run: Run, account: FakeVideoSDK) -> None:
    """Nothing is printed that could pass for an empty list."""
    account.fail_next(Status(404))
    assert run("list", "--csv").out == ""


@pytest.mark.usefixtures("wide")
def test_columns(run: Run, account: FakeVideoSDK) -> None:
    """Those that are asked for, in that order, in lines, in CSV and in a table."""
    account.add_transcription(row_id="t-1")
    assert run("list", "--columns", "files, id").out == "txt,summary\tt-1\n"
    assert run("list", "--csv", "--columns", "id,duration").out == "id,duration\nt-1,1500\n"
    shown, _ = shown_on_a_terminal(run, "list", ROOM, "--columns", "end,room,id")
    assert [line.split() for line in shown.splitlines()] == [
        ["End", "(UTC)", "Room", "Id"],
        ["2026-03-02", "09:25", ROOM, "t-1"],
    ]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--columns", "id,words"], "'words' is none of id, status, start"),
        (["--columns", ""], "'' is none of id"),
        (["--json", "--columns", "id"], "--json has no columns"),
        (["--jsonl", "--columns", "id"], "--jsonl has no columns"),
    ],
)
def test_columns_that_are_none(run: Run, options: list[str], told: str) -> None:
    """They are named, and nothing is sent."""
    code, out, err = run("list", *options)
    assert (code, out) == (ExitCode.USAGE, "")
    assert told in err


def test_count(run: Run, account: FakeVideoSDK) -> None:
    """The server's total, as a number or as JSON."""
    account.add_transcriptions(3)
    account.add_transcription(room_id="other")
    assert run("count") == (0, "4\n", "")
    assert json.loads(run("count", ROOM, "--json").out) == {"count": 3}


def test_show(run: Run, account: FakeVideoSDK) -> None:
    """One row: a line, JSON, or one line a column on a terminal."""
    row = account.add_transcription(row_id="t-1", duration=None)
    line = run("show", "t-1").out
    assert line == run("list").out
    assert json.loads(run("show", "t-1", "--json").out) == row
    shown, _ = shown_on_a_terminal(run, "show", "t-1")
    assert shown.splitlines() == [
        "Id           t-1",
        "Status       completed",
        "Start (UTC)  2026-03-02 09:00",
        "End (UTC)",
        "Duration",
        f"Room         {ROOM}",
        "Session      64f1a2b3c4d5e6f708192a3b",
        "Files        txt,summary",
    ]
    assert run("show", "t-2").code == ExitCode.NOT_FOUND


def test_recordings(run: Run, account: FakeVideoSDK) -> None:
    """They are listed and shown by the same rules."""
    row = account.add_post_transcription(row_id="p-1", formats=("srt",), summary=False)
    account.add_post_transcription(row_id="p-2", room_id="other")
    expected = (
        f"p-1\tcompleted\t2026-03-02T09:00:00+00:00\t2026-03-02T09:25:00+00:00\t{ROOM}\t"
        "64f1a2b3c4d5e6f708192a3b\tsrt\n"
    )
    assert run("post", "list", ROOM).out == expected
    assert [one["id"] for one in json.loads(run("post", "list", "--json").out)] == ["p-1", "p-2"]
    assert json.loads(run("post", "show", "p-1", "--json").out)["filePath"] == row["filePath"]
    assert run("show", "p-1", "--post").out == expected
    assert run("show", "p-1").code == ExitCode.NOT_FOUND


def test_an_interrupted_walk_is_taken_up_again(
    run: Run, account: FakeVideoSDK, tmp_path: Path
) -> None:
    """A walk that failed leaves a file, the next run goes on there, and the last one removes it."""
    account.add_transcriptions(45)
    place = tmp_path / "walk.json"
    account.on_page(2, Status(404))
    first = run("list", "--checkpoint", str(place))
    assert first.code == ExitCode.PARTIAL
    assert f"to go on, run the same command again: {place} says where it was" in first.err
    second = run("list", "--checkpoint", str(place), "--limit", "10")
    assert second.code == 0
    third = run("list", "--checkpoint", str(place))
    assert third.code == 0
    assert [*ids(first.out), *ids(second.out), *ids(third.out)] == [r["id"] for r in account.rows]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_leaves_a_checkpoint(run: Run, account: FakeVideoSDK, tmp_path: Path) -> None:
    """And says how to go on."""
    account.add_transcriptions(45)
    place = tmp_path / "walk.json"
    here = threading.get_ident()

    async def press(_exchange: Exchange) -> web.StreamResponse:
        signal.pthread_kill(here, signal.SIGINT)
        return web.Response(status=503)

    account.on_page(2, press)
    first = run("list", "--checkpoint", str(place))
    assert first.code == ExitCode.INTERRUPTED
    assert first.err == (
        f"\nto go on, run the same command again: {place} says where it was\n\n{NAME}interrupted\n"
    )
    second = run("list", "--checkpoint", str(place))
    assert [*ids(first.out), *ids(second.out)] == [row["id"] for row in account.rows]


def test_a_row_that_nobody_read_is_printed_again(
    run: Run, account: FakeVideoSDK, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be printed does not count as printed."""
    account.add_transcriptions(45)
    place = tmp_path / "walk.json"
    monkeypatch.setattr("videosdk_transcripts.cli._place._BETWEEN_WRITES", 0)
    printed: list[str] = []

    def echo(line: str, *, err: bool = False) -> None:
        if len(printed) == 25:
            raise OSError(errno.ENOSPC, "No space left on device")
        if not err:
            printed.append(line)

    with monkeypatch.context() as patched:
        patched.setattr("videosdk_transcripts.cli._rows.click.echo", echo)
        assert run("list", "--checkpoint", str(place)).code == ExitCode.OUTPUT
    rest = run("list", "--checkpoint", str(place)).out
    assert [*ids("\n".join(printed)), *ids(rest)] == [row["id"] for row in account.rows]


def test_a_checkpoint_of_another_walk(run: Run, account: FakeVideoSDK, tmp_path: Path) -> None:
    """It is refused and left as it is."""
    account.add_transcriptions(30)
    place = tmp_path / "walk.json"
    run("list", "--checkpoint", str(place), "--limit", "5")
    before = place.read_bytes()
    code, out, err = run("list", ROOM, "--checkpoint", str(place))
    assert (code, out) == (ExitCode.USAGE, "")
    assert "checkpoint" in err
    assert place.read_bytes() == before


@pytest.mark.parametrize("content", [b"\xff", None])
def test_a_checkpoint_that_can_not_be_read(
    run: Run, account: FakeVideoSDK, tmp_path: Path, content: bytes | None
) -> None:
    """No text, or no file at all: an error before anything is sent."""
    place = tmp_path / "walk.json"
    if content is None:
        place = tmp_path / ("a" * 300)
    else:
        place.write_bytes(content)
    code, out, err = run("list", "--checkpoint", str(place))
    assert (code, out) == (ExitCode.USAGE, "")
    assert f"{place} can't be read" in err
    assert account.requests == []


def test_a_checkpoint_that_can_not_be_written(
    run: Run, account: FakeVideoSDK, tmp_path: Path
) -> None:
    """It is told before anything is sent, and leaves no half file."""
    account.add_transcriptions(5)
    place = tmp_path / "no" / "walk.json"
    code, out, err = run("list", "--checkpoint", str(place), "--limit", "3")
    assert (code, out) == (ExitCode.USAGE, "")
    assert f"the checkpoint can't be written to {place}: No such file or directory" in err
    assert account.requests == []


def test_rows_that_moved_are_told(run: Run, account: FakeVideoSDK) -> None:
    """As for all walks, with a choice too."""
    account.add_transcriptions(3, room_id="other")
    account.fail_next(Change(lambda fake: setattr(fake, "filters", "ignored")))
    _, out, err = run("list", ROOM, "--status", "completed")
    assert out == ""
    assert "3 rows of other rooms or sessions dropped" in err
    assert "0 of 0 rows chosen here" in err


def test_a_total_is_asked_for_once(run: Run, account: FakeVideoSDK) -> None:
    """A service that names none is told as such."""
    account.fail_next(Envelope("no page info"))
    code, out, err = run("count")
    assert (code, out) == (ExitCode.SERVICE, "")
    assert "named no total" in err


@pytest.mark.parametrize("forms", [["--json", "--csv"], ["--jsonl", "--json"]])
def test_two_forms(run: Run, forms: list[str]) -> None:
    """Neither wins in silence."""
    code, out, err = run("list", *forms)
    assert (code, out) == (ExitCode.USAGE, "")
    assert "are two forms; choose one" in err


def test_a_long_duration(run: Run, account: FakeVideoSDK) -> None:
    """In seconds, to the millisecond, and in no other notation."""
    for length in (timedelta(days=252), timedelta(seconds=3008.579), timedelta(0)):
        account.add_transcription(duration=length)
    assert run("list", "--columns", "duration").out == "21772800\n3008.579\n0\n"


def test_rows_of_an_earlier_run_are_not_called_listed_twice(
    run: Run, account: FakeVideoSDK, tmp_path: Path
) -> None:
    """They are met again, since a page is asked for whole."""
    account.add_transcriptions(10)
    place = str(tmp_path / "walk.json")
    run("list", "--checkpoint", place, "--limit", "3")
    assert "3 rows seen once more, and not printed again" in run("list", "--checkpoint", place).err


@pytest.mark.parametrize("verb", ["list", "watch"])
def test_a_file_that_is_no_checkpoint(run: Run, verb: str, tmp_path: Path) -> None:
    """It is named, with what to do, and left as it is."""
    place = tmp_path / "notes.txt"
    place.write_text("remember the milk")
    code, out, err = run(verb, "--sandbox", "--checkpoint", str(place))
    assert (code, out) == (ExitCode.USAGE, "")
    assert f"{place} is no place to go on from: " in err
    assert place.read_text() == "remember the milk"
    _, _, err = run(verb, "a room", "--sandbox", "--checkpoint", str(place))
    assert "room_id must be an id" in err
    assert str(place) not in err
