"""The file of `--checkpoint`."""

import asyncio
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from videosdk_transcripts import ConfigurationError
from videosdk_transcripts.cli._checkpoint_file import CheckpointFile
from videosdk_transcripts.cli._exit import ExitCode
from videosdk_transcripts.testing import FakeVideoSDK

from .command_line import Run, start

ROOM = "abcd-efgh-ijkl"


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    end = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def kept(path: Path) -> dict[str, object]:
    """Return the content of a checkpoint of `follow`, complete whenever the file exists."""
    message: dict[str, object] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return message


def test_killed_follow_repeats_no_change(run: Run, account: FakeVideoSDK, tmp_path: Path) -> None:
    """The file is current within a second, also while nothing happens."""
    account.add_transcriptions(5)
    path = tmp_path / "follow.json"
    options = ("follow", ROOM, "--since", "start", "--checkpoint", str(path))
    with start(*options) as process:
        assert process.stdout is not None
        assert sum(1 for _ in zip(range(10), process.stdout, strict=False)) == 10
        # The file has eight bytes of each row, in Base64.
        wait_until(lambda: len(str(kept(path).get("known", ""))) == 56)
        wait_until(lambda: kept(path)["unfinished"] == [])
        process.kill()
    row = account.add_transcription()
    again = run(*options, "--limit", "2").out
    assert [line.split("\t")[:2] for line in again.splitlines()] == [
        ["new", row["id"]],
        ["finished", row["id"]],
    ]


def test_follow_killed_before_the_first_change_misses_none(
    run: Run, account: FakeVideoSDK, tmp_path: Path
) -> None:
    """The next run prints what happened in between."""
    account.add_transcriptions(2)
    path = tmp_path / "follow.json"
    with start("follow", "--checkpoint", str(path)) as process:
        wait_until(lambda: kept(path).get("primed") is True)
        process.kill()
        assert process.communicate()[0] == ""
    row = account.add_transcription()
    message = run("follow", "--checkpoint", str(path), "--limit", "1").out
    assert message.split("\t")[:2] == ["new", row["id"]]


async def test_write_error_is_reported_once_and_raised_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A write error is reported once while nothing is printed, and raised at the end."""
    monkeypatch.setattr("videosdk_transcripts.cli._checkpoint_file._WRITE_INTERVAL", 0.01)
    folder = tmp_path / "folder"
    folder.mkdir()
    numbers = iter(range(1000))
    file = CheckpointFile(folder / "checkpoint", lambda: str(next(numbers)))
    message = (
        f"the checkpoint cannot be written to {folder / 'checkpoint'}: No such file or directory"
    )
    err = ""
    async with file.kept_current(), asyncio.timeout(10):
        (folder / "checkpoint").unlink()
        folder.rmdir()
        while not err:
            await asyncio.sleep(0.01)
            err = capsys.readouterr().err
        await asyncio.sleep(0.05)
    assert err + capsys.readouterr().err == f"{message}\n"
    with pytest.raises(ConfigurationError, match="cannot be written"):
        file.close(complete=False)


async def test_output_that_failed_is_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file stays as it was before."""
    monkeypatch.setattr("videosdk_transcripts.cli._checkpoint_file._WRITE_INTERVAL", 0.01)
    now = ["before"]
    file = CheckpointFile(tmp_path / "checkpoint", lambda: now[0])

    def fail() -> None:
        now[0] = "behind"
        raise OSError

    async with file.kept_current():
        with pytest.raises(OSError), file.printing():
            fail()
        await asyncio.sleep(0.05)
    file.close(complete=False)
    assert (tmp_path / "checkpoint").read_text("utf-8") == "before"


def test_checkpoint_of_another_walk_is_rejected(
    run: Run, account: FakeVideoSDK, tmp_path: Path
) -> None:
    """It is left unchanged."""
    account.add_transcriptions(30)
    path = tmp_path / "walk.json"
    run("list", "--checkpoint", str(path), "--limit", "5")
    before = path.read_bytes()
    code, out, err = run("list", ROOM, "--checkpoint", str(path))
    assert (code, out) == (ExitCode.USAGE, "")
    assert "checkpoint" in err
    assert path.read_bytes() == before


def test_checkpoint_whose_rows_were_removed_is_explained(
    run: Run, account: FakeVideoSDK, tmp_path: Path
) -> None:
    """The command fails without rows, and explains how to start again."""
    account.add_transcriptions(700)
    path = tmp_path / "walk.json"
    run("list", "--checkpoint", str(path), "--limit", "600", "--page-size", "100")
    del account.rows[50:]
    again = "list", "--checkpoint", str(path), "--page-size", "100"
    code, out, err = run(*again)
    assert (code, out) == (ExitCode.SERVICE, "")
    assert "delete the --checkpoint file, if any, and run the command again" in err
    path.unlink()
    assert len(run(*again).out.splitlines()) == 50


@pytest.mark.parametrize("content", [b"\xff", None])
def test_unreadable_checkpoint_is_rejected_before_a_request(
    run: Run, account: FakeVideoSDK, tmp_path: Path, content: bytes | None
) -> None:
    """The text may be invalid, or the file may be impossible to open."""
    path = tmp_path / "walk.json"
    if content is None:
        path = tmp_path / ("a" * 300)
    else:
        path.write_bytes(content)
    code, out, err = run("list", "--checkpoint", str(path))
    assert (code, out) == (ExitCode.USAGE, "")
    assert f"{path} cannot be read" in err
    assert account.requests == []


def test_unwritable_checkpoint_is_rejected_before_a_request(
    run: Run, account: FakeVideoSDK, tmp_path: Path
) -> None:
    """No partial file remains."""
    account.add_transcriptions(5)
    path = tmp_path / "no" / "walk.json"
    code, out, err = run("list", "--checkpoint", str(path), "--limit", "3")
    assert (code, out) == (ExitCode.USAGE, "")
    assert f"the checkpoint cannot be written to {path}: No such file or directory" in err
    assert account.requests == []


def test_planted_symbolic_link_is_not_followed(
    run: Run, account: FakeVideoSDK, tmp_path: Path
) -> None:
    """The file that it points to is unchanged, and the command fails before a request."""
    path, other = tmp_path / "cp.json", tmp_path / "other"
    other.write_text("precious")
    (tmp_path / ".cp.json.part").symlink_to(other)
    code, out, err = run("list", "--checkpoint", str(path), "--limit", "3")
    assert (code, out) == (ExitCode.USAGE, "")
    assert f"the checkpoint cannot be written to {path}: " in err
    assert other.read_text() == "precious"
    assert account.requests == []


def test_checkpoint_is_flushed_to_the_disk_before_it_replaces_the_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash of the machine leaves either the old or the new file, and no other one."""
    path = tmp_path / "cp.json"
    path.write_text("old")
    flushed: list[str] = []
    by_system = os.fsync

    def fsync(file: int) -> None:
        flushed.append(path.read_text())
        by_system(file)

    monkeypatch.setattr(os, "fsync", fsync)
    CheckpointFile(path, lambda: "new").close(complete=False)
    assert flushed == ["old", "new"]
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"cp.json": "new"}


@pytest.mark.parametrize("command", ["list", "follow"])
def test_file_that_is_not_a_checkpoint_is_rejected(run: Run, command: str, tmp_path: Path) -> None:
    """The file is named and unchanged; the error of an invalid argument does not name it."""
    path = tmp_path / "notes.txt"
    path.write_text("remember the milk")
    code, out, err = run(command, "--sandbox", "--checkpoint", str(path))
    assert (code, out) == (ExitCode.USAGE, "")
    assert f"cannot resume from {path}: " in err
    assert path.read_text() == "remember the milk"
    _, _, err = run(command, "a room", "--sandbox", "--checkpoint", str(path))
    assert "the room must be" in err
    assert str(path) not in err
