"""The commands `list`, `show`, `count` and `post`."""

import errno
import json
import signal
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from videosdk_transcripts import RetryPolicy
from videosdk_transcripts.cli._exit import ExitCode
from videosdk_transcripts.testing import Change, Envelope, Exchange, FakeVideoSDK, Status

from .command_line import NAME, Run, shown_on_a_terminal, use_policy

ROOM = "abcd-efgh-ijkl"
SESSION = "64f1a2b3c4d5e6f708192a3b"


def ids(out: str) -> list[str]:
    """Return the first column of the output."""
    return [line.partition("\t")[0] for line in out.splitlines()]


@pytest.fixture
def days(account: FakeVideoSDK) -> list[str]:
    """Five days in March with a row each; the fourth one failed, the fifth has no start."""
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    rows = [account.add_transcription(start=start + timedelta(days=n)) for n in range(5)]
    rows[3]["status"] = "Failed"
    del rows[4]["start"]
    return [row["id"] for row in rows]


# list.


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
    """Room, session and page size are sent as given."""
    account.add_transcription()
    assert run("list", *arguments).code == 0
    assert query == account.requests[0].query


@pytest.mark.parametrize(("limit", "pages"), [(1, [1]), (20, [1]), (21, [1, 2]), (99, [1, 2, 3])])
def test_limit_bounds_rows_and_pages(
    account: FakeVideoSDK, run: Run, limit: int, pages: list[int]
) -> None:
    """`--limit` prints at most that many rows, and requests no page beyond them."""
    account.add_transcriptions(45)
    out = run("list", "--limit", str(limit)).out
    assert min(limit, 45) == len(out.splitlines())
    assert pages == [request.page for request in account.requests]


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
def test_rows_are_filtered_client_side(
    run: Run, days: list[str], options: list[str], kept: list[int]
) -> None:
    """The filter is the status, case-insensitively, or the start. The limit counts matches."""
    code, out, err = run("list", *options)
    assert (code, ids(out)) == (0, [days[n] for n in kept])
    seen = 2 if "--limit" in options else 5
    notes = f"{len(kept)} of {seen} matched (filtered client-side)\n"
    if {"--since", "--until"} & set(options):
        notes += "1 row without a start left out\n"
    assert err == notes


@pytest.mark.parametrize("option", ["--since", "--until"])
@pytest.mark.parametrize(
    "value", ["last week", "2026", "24", "24x", "-24h", "1.5h", "99999999w", "2026-02-30", ""]
)
def test_invalid_time_is_rejected(run: Run, option: str, value: str) -> None:
    """The error shows what a time looks like."""
    code, out, err = run("list", option, value)
    assert (code, out) == (ExitCode.USAGE, "")
    assert f"{value!r} is not a time such as 2026-03-04, 2026-03-04T16:00+01:00, yesterday" in err


def test_empty_time_range_is_rejected(run: Run, account: FakeVideoSDK) -> None:
    """The error names the options, and nothing has been sent."""
    code, out, err = run("list", "--since", "2026-03-04", "--until", "2026-03-04")
    assert (code, out, account.requests) == (ExitCode.USAGE, "", [])
    assert "--until must be later than --since, because it is exclusive" in err


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (["--since", "90m"], [0, 1]),
        (["--since", "2h", "--until", "30m"], [1]),
        (["--since", "2D"], [0, 1, 2]),
        (["--since", "1w"], [0, 1, 2, 3]),
        (["--since", " 7d "], [0, 1, 2, 3]),
        (["--until", "2d"], [3]),
        (["--since", "now"], []),
        (["--until", "NOW", "--limit", "2"], [0, 1]),
    ],
)
def test_times_may_be_relative_to_now(
    run: Run, account: FakeVideoSDK, options: list[str], kept: list[int]
) -> None:
    """Units are minutes, hours, days of 24 hours, and weeks, case-insensitively."""
    now = datetime.now(UTC)
    for hours in (0.1, 1, 36, 100):
        account.add_transcription(row_id=f"t-{hours}", start=now - timedelta(hours=hours))
    code, out, _ = run("list", *options)
    assert (code, ids(out)) == (0, [account.rows[n]["id"] for n in kept])


def test_yesterday_and_today_are_days_in_utc(run: Run, account: FakeVideoSDK) -> None:
    """Each begins at midnight."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for minutes in (-1441, -1440, -1, 0):
        start = midnight + timedelta(minutes=minutes)
        account.add_transcription(row_id=f"t{minutes}", start=start)
    assert ids(run("list", "--since", "yesterday").out) == ["t-1440", "t-1", "t0"]
    assert ids(run("list", "--since", "YESTERDAY", "--until", "today").out) == ["t-1440", "t-1"]


def test_rows_without_start_are_reported(run: Run, account: FakeVideoSDK) -> None:
    """They are in no range."""
    del account.add_transcription()["start"]
    account.add_transcription(row_id="t-1")
    code, out, err = run("list", "--since", "2026-01-01")
    assert (code, ids(out)) == (0, ["t-1"])
    assert err == "1 of 2 matched (filtered client-side)\n1 row without a start left out\n"


def test_checkpoint_keeps_relative_times(
    run: Run, account: FakeVideoSDK, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same command resumes, although its times have moved on; other times are rejected."""
    use_policy(monkeypatch, RetryPolicy(attempts=1))
    now = datetime.now(UTC)
    account.add_transcriptions(15, start=now - timedelta(hours=30))
    account.add_transcriptions(30, start=now - timedelta(hours=20))
    path = tmp_path / "list.json"
    options = ("list", "--checkpoint", str(path))
    account.on_page(2, Status(503))
    first = run(*options, "--since", "24h")
    assert first.code == ExitCode.PARTIAL
    saved = json.loads(path.read_text())["since"]
    for other, message in (
        (("--since", "2026-03-04"), "--since 2026-03-04T00:00:00+00:00; use the same times again"),
        ((), f"a walk with --since {saved}, but this one has no --since"),
        (("--since", "24h", "--until", "1h"), "this one has --until"),
    ):
        rejected = run(*options, *other)
        assert rejected.code == ExitCode.USAGE
        assert message in rejected.err
    second = run(*options, "--since", "24h")
    assert second.code == 0
    assert ids(first.out) + ids(second.out) == [row["id"] for row in account.rows[15:]]
    path.write_text("[]")
    assert "cannot resume from" in run(*options, "--since", "24h").err
    path.write_text("{")
    assert "cannot resume from" in run(*options, "--since", "24h").err


def test_failure_without_a_matching_row_is_not_partial(
    run: Run, account: FakeVideoSDK, days: list[str]
) -> None:
    """Without a printed row the exit code is that of the failure."""
    account.add_transcriptions(30)
    account.on_page(2, Status(404))
    assert run("list", "--status", "running").code == ExitCode.NOT_FOUND
    account.on_page(2, Status(404))
    code, out, err = run("list", "--status", "failed")
    assert (code, ids(out)) == (ExitCode.PARTIAL, [days[3]])
    assert f"{NAME}stopped after 1 row: " in err


def test_foreign_rows_are_reported_in_addition_to_matches(run: Run, account: FakeVideoSDK) -> None:
    """Dropped rows are reported with a filter, too."""
    account.add_transcriptions(3, room_id="other")
    account.fail_next(Change(lambda fake: setattr(fake, "filters", "ignored")))
    _, out, err = run("list", ROOM, "--status", "completed")
    assert out == ""
    assert "3 rows of other rooms or sessions dropped" in err
    assert "0 of 0 matched" in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--columns", "id,words"], "'words' is not one of id, status, start"),
        (["--columns", ""], "'' is not one of id"),
        (["--json", "--columns", "id"], "--columns and --json are mutually exclusive"),
        (["--jsonl", "--columns", "id"], "--columns and --jsonl are mutually exclusive"),
    ],
)
def test_unknown_columns_are_rejected(run: Run, options: list[str], message: str) -> None:
    """They are named, and nothing is sent."""
    code, out, err = run("list", *options)
    assert (code, out) == (ExitCode.USAGE, "")
    assert message in err


@pytest.mark.parametrize("formats", [["--json", "--csv"], ["--jsonl", "--json"]])
def test_output_formats_are_mutually_exclusive(run: Run, formats: list[str]) -> None:
    """No format silently takes precedence."""
    code, out, err = run("list", *formats)
    assert (code, out) == (ExitCode.USAGE, "")
    assert "are mutually exclusive" in err


def test_checkpoint_resumes_a_failed_walk(run: Run, account: FakeVideoSDK, tmp_path: Path) -> None:
    """A failed walk leaves a file, the next run resumes, and the last one removes it."""
    account.add_transcriptions(45)
    path = tmp_path / "walk.json"
    account.on_page(2, Status(404))
    first = run("list", "--checkpoint", str(path))
    assert first.code == ExitCode.PARTIAL
    assert f"run the same command again to resume from {path}" in first.err
    second = run("list", "--checkpoint", str(path), "--limit", "10")
    assert second.code == 0
    third = run("list", "--checkpoint", str(path))
    assert third.code == 0
    assert [*ids(first.out), *ids(second.out), *ids(third.out)] == [r["id"] for r in account.rows]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_leaves_a_checkpoint(run: Run, account: FakeVideoSDK, tmp_path: Path) -> None:
    """The next run resumes where Ctrl-C stopped."""
    account.add_transcriptions(45)
    path = tmp_path / "walk.json"
    here = threading.get_ident()

    async def press(_exchange: Exchange) -> web.StreamResponse:
        signal.pthread_kill(here, signal.SIGINT)
        return web.Response(status=503)

    account.on_page(2, press)
    first = run("list", "--checkpoint", str(path))
    assert first.code == ExitCode.INTERRUPTED
    assert first.err == (
        f"\nrun the same command again to resume from {path}\n\n{NAME}interrupted\n"
    )
    second = run("list", "--checkpoint", str(path))
    assert [*ids(first.out), *ids(second.out)] == [row["id"] for row in account.rows]


def test_row_that_was_not_written_is_printed_again(
    run: Run, account: FakeVideoSDK, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row counts as printed only after it was written."""
    account.add_transcriptions(45)
    path = tmp_path / "walk.json"
    monkeypatch.setattr("videosdk_transcripts.cli._checkpoint_file._WRITE_INTERVAL", 0)
    printed: list[str] = []

    def write(line: str) -> None:
        if len(printed) == 25:
            raise OSError(errno.ENOSPC, "No space left on device")
        printed.append(line)

    with monkeypatch.context() as patched:
        patched.setattr("videosdk_transcripts.cli._output.write", write)
        assert run("list", "--checkpoint", str(path)).code == ExitCode.OUTPUT
    rest = run("list", "--checkpoint", str(path)).out
    assert [*ids("".join(printed)), *ids(rest)] == [row["id"] for row in account.rows]


def test_rows_of_an_earlier_run_are_duplicates(
    run: Run, account: FakeVideoSDK, tmp_path: Path
) -> None:
    """A resumed walk receives them again, because a page is requested whole."""
    account.add_transcriptions(10)
    path = str(tmp_path / "walk.json")
    run("list", "--checkpoint", path, "--limit", "3")
    assert "3 duplicates skipped" in run("list", "--checkpoint", path).err


# count, show and post.


def test_count_prints_the_total(run: Run, account: FakeVideoSDK) -> None:
    """The server's total, as a number or as JSON."""
    account.add_transcriptions(3)
    account.add_transcription(room_id="other")
    assert run("count") == (0, "4\n", "")
    assert json.loads(run("count", ROOM, "--json").out) == {"count": 3}


def test_count_without_a_total_fails(run: Run, account: FakeVideoSDK) -> None:
    """A service that reports no total is an error."""
    account.fail_next(Envelope("no page info"))
    code, out, err = run("count")
    assert (code, out) == (ExitCode.SERVICE, "")
    assert "total" in err


def test_show_prints_one_row(run: Run, account: FakeVideoSDK) -> None:
    """The row is a line, JSON, or one line per column on a terminal."""
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


def test_post_reads_transcriptions_of_recordings(run: Run, account: FakeVideoSDK) -> None:
    """They are listed and shown in the same formats."""
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


# Rows that are missing, and rooms that have none.


def test_missing_rows_are_reported_on_stderr(run: Run, account: FakeVideoSDK) -> None:
    """The exit code stays 0, because the total may be wrong."""
    account.add_transcriptions(3)
    account.every(1, Envelope(info={"total": 5}))
    outcome = run("list")
    assert (outcome.code, len(outcome.out.splitlines())) == (0, 3)
    assert outcome.err.startswith(f"{NAME}Rows are missing: the service reports a total of 5")
    assert outcome.err.endswith(
        "\n2 rows missing, according to the service's total; see --verify\n"
    )
    assert "missing" not in run("list", "--limit", "3").err


def test_verify_fails_if_the_count_does_not_match(run: Run, account: FakeVideoSDK) -> None:
    """All rows were printed, and the exit code is that of a partial result."""
    account.add_transcriptions(3)
    assert run("list", "--verify").code == 0
    account.every(1, Envelope(info={"total": 5}))
    outcome = run("list", "--verify")
    assert (outcome.code, len(outcome.out.splitlines())) == (ExitCode.PARTIAL, 3)
    assert "does not match its total" in outcome.err
    account.rows.clear()
    assert run("list", "--verify").code == ExitCode.PARTIAL


@pytest.mark.parametrize("command", [["list"], ["download"], ["list", "--json"]])
def test_room_with_foreign_rows_alone_is_not_found(
    run: Run, account: FakeVideoSDK, command: list[str]
) -> None:
    """The messages suggest a custom room id, and the option for it."""
    account.filters = "ignored"
    account.add_transcriptions(3, room_id="other")
    code, out, err = run(*command, "my-room")
    assert (code, out.strip()) == (ExitCode.NOT_FOUND, "[]" if "--json" in command else "")
    assert "3 rows of other rooms or sessions dropped" in err
    assert "or may be a custom room id: add --custom-id" in err
    assert "resolve_room" not in err
    assert "no row of this room or session was found" in err
    assert "download" in command or run(*command).code == 0


@pytest.mark.parametrize("options", [[], ["--status", "completed"]])
def test_checkpoint_after_a_limit_is_exact(
    run: Run, account: FakeVideoSDK, tmp_path: Path, options: list[str]
) -> None:
    """This applies whether the pager or the command line counts the rows."""
    rows = [row["id"] for row in account.add_transcriptions(45)]
    path = str(tmp_path / "walk.json")
    found: list[str] = []
    for limit in (10, 7, 20, 8):
        outcome = run("list", "--checkpoint", path, "--limit", str(limit), *options)
        found += [line.split("\t")[0] for line in outcome.out.splitlines()]
    assert found == rows
    assert run("list", "--checkpoint", path, *options).out == ""
