"""Files on the command line: printed, saved, and waited for."""

import json
from pathlib import Path
from typing import Any

import pytest

from videosdk_transcripts import RetryPolicy
from videosdk_transcripts.cli._exit import ExitCode
from videosdk_transcripts.testing import FakeVideoSDK, Status

from .command_line import NAME, Run, shown_on_a_terminal, use_policy

ROOM = "abcd-efgh-ijkl"


@pytest.fixture
def said(account: FakeVideoSDK) -> str:
    """One transcription with a text and a summary, and one of a recording with subtitles."""
    row = account.add_transcription(row_id="t-1")
    account.files.put(row, "txt", "Ann: Grüße.\r\n".encode())
    account.files.put(row, "txt", b"They met.", summary=True)
    post = account.add_post_transcription(row_id="p-1")
    account.files.put(post, "srt", b"1\n00:00 --> 00:01\nHi")
    return "t-1"


def test_text(run: Run, said: str) -> None:
    """The text of the file, byte for byte, or in JSON."""
    assert run("text", said) == (0, "Ann: Grüße.\r\n", "")
    assert json.loads(run("text", said, "--json").out) == {
        "id": said,
        "format": "txt",
        "text": "Ann: Grüße.\r\n",
    }
    assert run("text", "p-1", "--post", "--format", "srt").out == "1\n00:00 --> 00:01\nHi"


def test_summary(run: Run, said: str) -> None:
    """Likewise of the summary."""
    assert run("summary", said) == (0, "They met.", "")
    assert json.loads(run("summary", said, "--json").out)["summary"] == "They met."


def test_text_on_a_terminal(run: Run, account: FakeVideoSDK) -> None:
    """It ends with a line break, and can't move the cursor."""
    for text in (b"Ann:\tHi \x1b[2J\nBob: Yes.", b"Ann:\tHi \x1b[2J\nBob: Yes.\n"):
        row = account.add_transcription()
        account.files.put(row, "txt", text)
        shown, _ = shown_on_a_terminal(run, "text", row["id"])
        assert shown.replace(" " * 4, "\t") == "Ann:\tHi \N{REPLACEMENT CHARACTER}[2J\nBob: Yes.\n"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["text", "t-1", "--format", "vtt"], ExitCode.NOT_FOUND, "there is txt"),
        (["text", "t-2"], ExitCode.NOT_FOUND, "transcription t-2"),
        (["text", "bad"], ExitCode.SERVICE, "(here: --errors)"),
        (["text", "gone"], ExitCode.NOT_FOUND, "gone"),
        (["text", "foreign"], ExitCode.USAGE, "(here: VIDEOSDK_FILE_HOSTS)"),
        (["text"], ExitCode.USAGE, "ID"),
        (["text", "t-1", "--errors", "x"], ExitCode.USAGE, "--errors"),
    ],
)
@pytest.mark.usefixtures("said")
def test_no_text(
    run: Run, account: FakeVideoSDK, arguments: list[str], code: int, told: str
) -> None:
    """Each failure has a code and a line that says what to do."""
    account.files.put(account.add_transcription(row_id="bad"), "txt", b"\xff")
    gone = account.add_transcription(row_id="gone")
    account.files.put(gone, "txt")
    account.files.expire(gone, renew=False)
    account.add_transcription(row_id="foreign")["transcriptionFilePaths"] = {
        "txt": "https://files.example.com/a.txt"
    }
    outcome = run(*arguments)
    assert (outcome.code, outcome.out) == (code, "")
    assert told in outcome.err


def test_bytes_that_are_no_text(run: Run, account: FakeVideoSDK) -> None:
    """They can be replaced."""
    account.files.put(account.add_transcription(row_id="bad"), "txt", b"a\xff")
    assert run("text", "bad", "--errors", "ignore").out == "a"


def saved(folder: Path) -> list[str]:
    """Return the names of the files that there are."""
    return sorted(path.name for path in folder.iterdir())


def test_download(run: Run, account: FakeVideoSDK, said: str, tmp_path: Path) -> None:
    """Each file is named on stdout, and one that is there is kept."""
    account.add_transcription(row_id="t-2", formats=(), status="running")
    folder = tmp_path / "new"
    code, out, err = run("download", ROOM, "--to", str(folder))
    assert code == 0
    text, summary, late = out.splitlines()
    assert text == f"{said}\tsaved\t{folder / 't-1.txt'}"
    assert summary == f"{said}\tsaved\t{folder / 't-1-summary.txt'}"
    assert late.startswith("t-2\tnot ready\t")
    assert err == "2 files saved for 2 rows, 1 without the file so far\n"
    assert saved(folder) == ["t-1-summary.txt", "t-1.txt"]
    before = len(account.files.requests)
    again = run("download", ROOM, "--to", str(folder), "--status", "completed", "--limit", "1")
    assert again.out.splitlines()[0] == f"{said}\tkept\t{folder / 't-1.txt'}"
    told = "1 of 1 row chosen here by status or start; the service lists all\n"
    assert again.err == f"0 files saved for 1 row\n{told}"
    assert len(account.files.requests) == before
    running = run("download", ROOM, "--to", str(folder), "--status", "running")
    assert running.out == f"{late}\n"
    run("download", ROOM, "--to", str(folder), "--overwrite", "--no-summary")
    assert len(account.files.requests) == before + 1


def test_download_for_programs(run: Run, account: FakeVideoSDK, tmp_path: Path) -> None:
    """As an array, and as an object a line."""
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


def test_a_download_that_fails(run: Run, account: FakeVideoSDK, said: str, tmp_path: Path) -> None:
    """The others are saved, the reason is told, and the code says that it is partial."""
    other = account.add_transcription(row_id="t-2", summary=False)
    account.files.put(other, "txt", b"Bob: Hi.")
    row = account.rows[0]
    account.files.expire(row, renew=False)
    code, out, err = run("download", "--to", str(tmp_path))
    assert code == ExitCode.PARTIAL
    assert out.splitlines()[0].startswith(f"{said}\tfailed\t")
    assert err.endswith(
        f"{NAME}of 2 rows 1 failed; run the same command again for what is missing\n"
    )
    assert saved(tmp_path) == ["t-2.txt"]


def test_a_directory_that_can_not_be_made(run: Run, tmp_path: Path, said: str) -> None:
    """It ends with 1, as all output that can't be written."""
    place = tmp_path / "file"
    place.write_text("")
    code, out, err = run("download", said, "--to", str(place / "folder"))
    assert (code, out) == (ExitCode.OUTPUT, "")
    assert str(place) in err


def test_a_walk_of_a_download_that_fails(run: Run, account: FakeVideoSDK, tmp_path: Path) -> None:
    """Behind some rows it is partial, before the first one it is the failure's own code."""
    for row in account.add_transcriptions(25):
        account.files.put(row, "txt", b"Hi.")
    account.on_page(2, Status(404))
    code, out, err = run("download", "--to", str(tmp_path), "--no-summary")
    assert (code, len(out.splitlines())) == (ExitCode.PARTIAL, 20)
    assert f"{NAME}stopped after 20 rows: " in err
    account.on_page(1, Status(404))
    assert run("download", "--to", str(tmp_path)).code == ExitCode.NOT_FOUND


def test_wait(run: Run, account: FakeVideoSDK, said: str) -> None:
    """The row is printed when its file is there."""
    row = account.add_transcription(row_id="t-2", formats=())
    account.jobs.formats = ("vtt",)
    account.jobs.stopped(row, account.now() - 1)
    code, out, err = run("wait", "t-2", "--format", "vtt", "--poll", "0.01")
    assert (code, out) == (0, run("show", "t-2").out)
    assert err == "waiting up to 3600 s for the vtt file of t-2\n"
    found = run("wait", "p-1", "--post", "--summary", "--json", "--timeout", "5")
    assert json.loads(found.out)["id"] == "p-1"
    assert found.err == "waiting up to 5 s for the txt file of the summary of p-1\n"
    assert run("wait", said).code == 0


def test_a_wait_in_vain(run: Run, account: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch) -> None:
    """Timed out, completed without the file, failed, and unknown are told apart."""
    use_policy(monkeypatch, RetryPolicy(wait_initial=0, wait_max=0))
    account.add_transcription(row_id="runs", status="running", formats=())
    account.add_transcription(row_id="done", formats=())
    account.add_transcription(row_id="failed", status="failed", formats=())
    quick = ("--poll", "0.01", "--grace", "0")
    for row_id, code, told in (
        ("runs", ExitCode.NETWORK, "Wait again with its id"),
        ("done", ExitCode.NOT_FOUND, "(here: --grace)"),
        ("failed", ExitCode.SERVICE, "says of transcription failed that it failed"),
        ("nobody", ExitCode.NOT_FOUND, "transcription nobody"),
    ):
        outcome = run("wait", row_id, *quick, "--timeout", "0.2")
        assert (outcome.code, outcome.out) == (code, "")
        assert told in outcome.err
    assert run("wait", "runs", "--timeout", "0").code == ExitCode.USAGE
