"""The commands `text`, `summary` and `download`."""

import asyncio
import json
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from videosdk_transcripts import RetryPolicy
from videosdk_transcripts.cli._exit import ExitCode
from videosdk_transcripts.testing import Exchange, FakeVideoSDK, Status

from .command_line import NAME, Run, shown_on_a_terminal, use_policy

ROOM = "abcd-efgh-ijkl"


@pytest.fixture
def transcribed(account: FakeVideoSDK) -> str:
    """One transcription with a text and a summary, and one of a recording with subtitles."""
    row = account.add_transcription(row_id="t-1")
    account.files.put(row, "txt", "Ann: Grüße.\r\n".encode())
    account.files.put(row, "txt", b"They met.", summary=True)
    post = account.add_post_transcription(row_id="p-1")
    account.files.put(post, "srt", b"1\n00:00 --> 00:01\nHi")
    return "t-1"


# text and summary.


def test_text_is_printed_unchanged(run: Run, transcribed: str) -> None:
    """The text of the file, byte for byte, or in JSON."""
    assert run("text", transcribed) == (0, "Ann: Grüße.\r\n", "")
    assert json.loads(run("text", transcribed, "--json").out) == {
        "id": transcribed,
        "format": "txt",
        "text": "Ann: Grüße.\r\n",
    }
    assert run("text", "p-1", "--post", "--format", "srt").out == "1\n00:00 --> 00:01\nHi"


def test_summary_is_printed_unchanged(run: Run, transcribed: str) -> None:
    """The text of the summary, or in JSON."""
    assert run("summary", transcribed) == (0, "They met.", "")
    assert json.loads(run("summary", transcribed, "--json").out)["summary"] == "They met."


def test_text_on_a_terminal_is_safe(run: Run, account: FakeVideoSDK) -> None:
    """It ends with a line break, and cannot move the cursor."""
    for text in (b"Ann:\tHi \x1b[2J\nBob: Yes.", b"Ann:\tHi \x1b[2J\nBob: Yes.\n"):
        row = account.add_transcription()
        account.files.put(row, "txt", text)
        shown, _ = shown_on_a_terminal(run, "text", row["id"])
        assert shown.replace(" " * 4, "\t") == "Ann:\tHi \N{REPLACEMENT CHARACTER}[2J\nBob: Yes.\n"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["text", "t-1", "--format", "vtt"], ExitCode.NOT_FOUND, "txt"),
        (["text", "t-2"], ExitCode.NOT_FOUND, "transcription t-2"),
        (["text", "bad"], ExitCode.SERVICE, "use --errors replace"),
        (["text", "gone"], ExitCode.NOT_FOUND, "gone"),
        (["text", "foreign"], ExitCode.USAGE, "to VIDEOSDK_FILE_HOSTS"),
        (["text"], ExitCode.USAGE, "ID"),
        (["text", "t-1", "--errors", "x"], ExitCode.USAGE, "--errors"),
    ],
)
@pytest.mark.usefixtures("transcribed")
def test_missing_text_is_an_exit_code_and_a_reason(
    run: Run, account: FakeVideoSDK, arguments: list[str], code: int, message: str
) -> None:
    """Each failure has an exit code and a line that states what to do."""
    account.files.put(account.add_transcription(row_id="bad"), "txt", b"\xff")
    gone = account.add_transcription(row_id="gone")
    account.files.put(gone, "txt")
    account.files.expire(gone, renew=False)
    account.add_transcription(row_id="foreign")["transcriptionFilePaths"] = {
        "txt": "https://files.example.com/a.txt"
    }
    outcome = run(*arguments)
    assert (outcome.code, outcome.out) == (code, "")
    assert message in outcome.err


def test_invalid_utf8_can_be_ignored(run: Run, account: FakeVideoSDK) -> None:
    """`--errors` applies to invalid UTF-8."""
    account.files.put(account.add_transcription(row_id="bad"), "txt", b"a\xff")
    assert run("text", "bad", "--errors", "ignore").out == "a"


# download.


def saved(folder: Path) -> list[str]:
    """Return the names of the files in a directory."""
    return sorted(path.name for path in folder.iterdir())


def test_download_saves_files_and_keeps_existing_ones(
    run: Run, account: FakeVideoSDK, transcribed: str, tmp_path: Path
) -> None:
    """Each file is named on stdout, and an existing one is kept."""
    account.add_transcription(row_id="t-2", formats=(), status="running")
    folder = tmp_path / "new"
    code, out, err = run("download", ROOM, "--to", str(folder))
    assert code == 0
    text, summary, late = out.splitlines()
    assert text == f"{transcribed}\tsaved\t{folder / 't-1.txt'}"
    assert summary == f"{transcribed}\tsaved\t{folder / 't-1-summary.txt'}"
    assert late.startswith("t-2\tnot ready\t")
    assert err == "2 files saved for 2 transcriptions, 1 not ready\n"
    assert saved(folder) == ["t-1-summary.txt", "t-1.txt"]
    before = len(account.files.requests)
    again = run("download", ROOM, "--to", str(folder), "--status", "completed", "--limit", "1")
    assert again.out.splitlines()[0] == f"{transcribed}\tkept\t{folder / 't-1.txt'}"
    message = "1 of 1 matched (filtered client-side)\n"
    assert again.err == f"0 files saved for 1 transcription\n{message}"
    assert len(account.files.requests) == before
    running = run("download", ROOM, "--to", str(folder), "--status", "running")
    assert running.out == f"{late}\n"
    run("download", ROOM, "--to", str(folder), "--overwrite", "--no-summary")
    assert len(account.files.requests) == before + 1


def test_download_reports_in_json(run: Run, account: FakeVideoSDK, tmp_path: Path) -> None:
    """The report is an array, or an object per line."""
    expected: list[Any] = []
    for number in range(3):
        row = account.add_post_transcription(row_id=f"p-{number}", summary=False)
        account.files.put(row, "vtt", b"WEBVTT")
        path = str(tmp_path / f"p-{number}.vtt")
        expected.append({"id": f"p-{number}", "paths": {"vtt": path}, "skipped": [], "error": None})
    options = ("--post", "--format", "vtt", "--to", str(tmp_path), "--concurrency", "2")
    assert json.loads(run("download", *options, "--json").out) == expected
    for row in expected:
        row["skipped"] = ["vtt"]
    lines = run("download", *options, "--jsonl").out.splitlines()
    assert [json.loads(line) for line in lines] == expected
    assert run("download", "--json").out == "[]\n"


def test_failed_file_does_not_stop_the_others(
    run: Run, account: FakeVideoSDK, transcribed: str, tmp_path: Path
) -> None:
    """The others are saved, the reason is printed, and the exit code is partial."""
    other = account.add_transcription(row_id="t-2", summary=False)
    account.files.put(other, "txt", b"Bob: Hi.")
    row = account.rows[0]
    account.files.expire(row, renew=False)
    code, out, err = run("download", "--to", str(tmp_path))
    assert code == ExitCode.PARTIAL
    assert out.splitlines()[0].startswith(f"{transcribed}\tfailed\t")
    assert err.endswith(
        f"{NAME}1 of 2 transcriptions failed; run the same command again to retry\n"
    )
    assert saved(tmp_path) == ["t-2.txt"]


def test_uncreatable_directory_exits_with_the_output_code(
    run: Run, tmp_path: Path, transcribed: str
) -> None:
    """This is the same for all output that cannot be written."""
    path = tmp_path / "file"
    path.write_text("")
    code, out, err = run("download", transcribed, "--to", str(path / "folder"))
    assert (code, out) == (ExitCode.OUTPUT, "")
    assert str(path) in err


def test_failed_walk_of_a_download_is_partial_after_rows(
    run: Run, account: FakeVideoSDK, tmp_path: Path
) -> None:
    """After some rows it is partial, before the first one it has the failure's own code."""
    for row in account.add_transcriptions(25):
        account.files.put(row, "txt", b"Hi.")
    account.on_page(2, Status(404))
    command = ("download", "--to", str(tmp_path), "--page-size", "20")
    code, out, err = run(*command, "--no-summary")
    assert (code, len(out.splitlines())) == (ExitCode.PARTIAL, 20)
    assert f"{NAME}stopped after 20 rows: " in err
    account.on_page(1, Status(404))
    assert run(*command).code == ExitCode.NOT_FOUND


@pytest.mark.parametrize("options", [(), ("--status", "completed"), ("--since", "20000d")])
def test_download_resumes_from_its_checkpoint(
    run: Run,
    account: FakeVideoSDK,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
) -> None:
    """Of what was done, it reads the last page only; the file goes when all is done."""
    use_policy(monkeypatch, RetryPolicy(attempts=1))
    for row in account.add_transcriptions(45):
        account.files.put(row, "txt", b"Hi.")
    # It fails when it is prefetched, and when it is due.
    account.on_page(3, Status(503), times=2)
    path = tmp_path / "download.json"
    command = ("download", "--to", str(tmp_path / "to"), "--page-size", "20", *options)
    command += ("--no-summary", "--checkpoint", str(path))
    first = run(*command)
    assert (first.code, len(first.out.splitlines())) == (ExitCode.PARTIAL, 40)
    assert f"run the same command again to resume from {path}\n" in first.err
    account.requests.clear()
    second = run(*command)
    assert (second.code, len(second.out.splitlines())) == (0, 5)
    assert [request.page for request in account.requests] == [2, 3]
    assert not path.exists()


def test_download_resumes_at_the_first_row_that_failed(
    run: Run, account: FakeVideoSDK, tmp_path: Path
) -> None:
    """The same command retries it; a row that has no file yet is not a failure."""
    rows = account.add_transcriptions(25)
    for row in rows:
        account.files.put(row, "txt", b"Hi.")
    del rows[3]["transcriptionFilePaths"]
    account.files.expire(rows[21], renew=False)
    path = tmp_path / "download.json"
    command = ("download", "--to", str(tmp_path / "to"), "--no-summary", "--checkpoint", str(path))
    command += ("--page-size", "20")
    first = run(*command)
    assert (first.code, len(first.out.splitlines())) == (ExitCode.PARTIAL, 25)
    account.files.put(rows[21], "txt", b"Hi.")
    account.requests.clear()
    second = run(*command)
    outcomes = [line.split("\t")[:2] for line in second.out.splitlines()]
    assert outcomes == [[rows[21]["id"], "saved"], *([row["id"], "kept"] for row in rows[22:])]
    assert [request.page for request in account.requests] == [2]
    assert (second.code, path.exists()) == (0, False)


@pytest.mark.parametrize(
    ("options", "sizes"),
    [((), ["100"]), (("--page-size", "20"), ["20", "20"]), (("--page-size", "auto"), ["100"])],
)
def test_download_requests_large_pages(
    run: Run, account: FakeVideoSDK, tmp_path: Path, options: tuple[str, ...], sizes: list[str]
) -> None:
    """The whole list is read, so that it takes fewer requests."""
    for row in account.add_transcriptions(25):
        account.files.put(row, "txt", b"Hi.")
    run("download", "--to", str(tmp_path), "--no-summary", *options)
    assert [request.query["perPage"] for request in account.requests] == sizes


def test_download_requests_smaller_pages_if_large_ones_are_rejected(
    run: Run, account: FakeVideoSDK, tmp_path: Path
) -> None:
    """The documented size is used then."""
    for row in account.add_transcriptions(25):
        account.files.put(row, "txt", b"Hi.")
    account.on_page(1, Status(400))
    assert len(run("download", "--to", str(tmp_path), "--no-summary").out.splitlines()) == 25
    assert [request.query["perPage"] for request in account.requests] == ["100", "20", "20"]


@pytest.mark.parametrize("status", [(), ("--status", "completed")])
def test_download_continues_behind_its_limit(
    run: Run, account: FakeVideoSDK, tmp_path: Path, status: tuple[str, ...]
) -> None:
    """The checkpoint is exact to the row."""
    rows = account.add_transcriptions(8)
    for row in rows:
        account.files.put(row, "txt", b"Hi.")
    path = str(tmp_path / "download.json")
    command = ("download", "--to", str(tmp_path / "to"), "--no-summary", "--checkpoint", path)
    outs = [run(*command, "--limit", "3", *status).out for _ in range(3)]
    found = [[line.split("\t")[0] for line in out.splitlines()] for out in outs]
    ids = [row["id"] for row in rows]
    assert found == [ids[:3], ids[3:6], ids[6:]]


@pytest.mark.usefixtures("ctrl_c")
def test_interrupted_download_reports_its_progress(
    run: Run, account: FakeVideoSDK, tmp_path: Path
) -> None:
    """The message states how many of how many rows are done."""
    for row in account.add_transcriptions(45):
        account.files.put(row, "txt", b"Hi.")
    here = threading.get_ident()

    async def press(exchange: Exchange) -> web.StreamResponse:
        signal.pthread_kill(here, signal.SIGINT)
        await asyncio.sleep(30)
        return exchange.response()

    account.on_page(3, press)
    code, out, err = run("download", "--to", str(tmp_path), "--no-summary", "--page-size", "20")
    assert code == ExitCode.INTERRUPTED
    done = len(out.splitlines())
    assert f"{done} of 45 transcriptions done; run the same command again to continue" in err


def test_download_by_id_saves_each_once(run: Run, account: FakeVideoSDK, tmp_path: Path) -> None:
    """An unknown id does not stop the others."""
    for name in ("t-1", "t-2", "t-3"):
        account.files.put(account.add_transcription(row_id=name, summary=False), "txt", b"Hi.")
    options = ("download", "--to", str(tmp_path))
    named = ("--id", "t-3", "--id", "t-1", "--id", "t-3")
    code, out, err = run(*options, *named)
    assert code == 0
    assert out == "".join(f"{name}\tsaved\t{tmp_path / name}.txt\n" for name in ("t-3", "t-1"))
    assert err == "2 files saved for 2 transcriptions\n"
    code, out, err = run(*options, "--id", "none", "--id", "t-2", "--json")
    assert code == ExitCode.PARTIAL
    message = {row["id"]: row for row in json.loads(out)}
    assert message["t-2"]["paths"] == {"txt": f"{tmp_path / 't-2'}.txt"}
    assert message["none"]["paths"] == {}
    assert "404" in message["none"]["error"]
    assert f"{NAME}1 of 2 transcriptions failed" in err


def test_download_of_recordings_by_id(run: Run, account: FakeVideoSDK, tmp_path: Path) -> None:
    """A rejected request ends it with its own exit code."""
    post = account.add_post_transcription(row_id="p-1", summary=False)
    account.files.put(post, "srt", b"1")
    options = ("download", "--post", "--id", "p-1", "--format", "srt", "--to", str(tmp_path))
    assert run(*options).out == f"p-1\tsaved\t{tmp_path / 'p-1.srt'}\n"
    account.fail_next(Status(403))
    code, out, err = run(*options)
    assert (code, out) == (ExitCode.AUTH, "")
    assert "403" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["text", "t-1", "--format", ""], "'--format': must be a format such as txt"),
        (["download", "--format", "../x"], "format"),
        (["download", ROOM, "--id", "t-1"], "--id cannot be combined with ROOM"),
        (["download", "--id", "t-1", "--limit", "1"], "--id cannot be combined with ROOM"),
        (["download", "--id", "t-1", "--checkpoint", "f"], "--id and --checkpoint are mutually"),
    ],
)
def test_invalid_argument_is_rejected_before_a_request(
    run: Run, account: FakeVideoSDK, arguments: list[str], message: str
) -> None:
    """The exit code is 2, and the argument is named."""
    code, out, err = run(*arguments)
    assert (code, out) == (ExitCode.USAGE, "")
    assert message in err
    assert account.requests == []
