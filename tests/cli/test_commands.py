"""What becomes of a verb that is killed, interrupted or asked for what makes no sense."""

import asyncio
import json
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web

from videosdk_transcripts import ConfigurationError, TranscriptsClient
from videosdk_transcripts.cli._exit import ExitCode
from videosdk_transcripts.cli._place import Place
from videosdk_transcripts.testing import (
    SANDBOX_ROOMS,
    Exchange,
    FakeVideoSDK,
    Fault,
    Status,
    run_sandbox,
)

from .command_line import NAME, Run, start

ROOM = "abcd-efgh-ijkl"
_PLACE = "videosdk_transcripts.cli._place._BETWEEN_WRITES"
_SANDBOX = "videosdk_transcripts.testing._sandbox"


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    end = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def kept(place: Path) -> dict[str, object]:
    """Return what a file of a watch says, which is whole whenever it is there."""
    told: dict[str, object] = json.loads(place.read_text("utf-8")) if place.exists() else {}
    return told


# A watch that is killed.


def test_a_watch_that_is_killed_tells_nothing_twice(
    run: Run, account: FakeVideoSDK, tmp_path: Path
) -> None:
    """What it had printed is in its file soon, also while nothing more happens."""
    account.add_transcriptions(5)
    place = tmp_path / "watch.json"
    options = ("watch", ROOM, "--since", "start", "--checkpoint", str(place))
    with start(*options) as process:
        assert process.stdout is not None
        assert sum(1 for _ in zip(range(10), process.stdout, strict=False)) == 10
        # Eight bytes of each row, in base 64.
        wait_until(lambda: len(str(kept(place).get("known", ""))) == 56)
        wait_until(lambda: kept(place)["unfinished"] == [])
        process.kill()
    row = account.add_transcription()
    again = run(*options, "--limit", "2").out
    assert [line.split("\t")[:2] for line in again.splitlines()] == [
        ["new", row["id"]],
        ["finished", row["id"]],
    ]


def test_a_watch_that_is_killed_before_anything_happened(
    run: Run, account: FakeVideoSDK, tmp_path: Path
) -> None:
    """The next run tells of what happened in between."""
    account.add_transcriptions(2)
    place = tmp_path / "watch.json"
    with start("watch", "--checkpoint", str(place)) as process:
        wait_until(lambda: kept(place).get("primed") is True)
        process.kill()
        assert process.communicate()[0] == ""
    row = account.add_transcription()
    told = run("watch", "--checkpoint", str(place), "--limit", "1").out
    assert told.split("\t")[:2] == ["new", row["id"]]


async def test_a_file_that_can_no_longer_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told once while nothing is printed, and raised at the end."""
    monkeypatch.setattr(_PLACE, 0.01)
    folder = tmp_path / "folder"
    folder.mkdir()
    numbers = iter(range(1000))
    place = Place(folder / "place", lambda: str(next(numbers)))
    told = f"the checkpoint can't be written to {folder / 'place'}: No such file or directory"
    err = ""
    async with place.kept(), asyncio.timeout(10):
        (folder / "place").unlink()
        folder.rmdir()
        while not err:
            await asyncio.sleep(0.01)
            err = capsys.readouterr().err
        await asyncio.sleep(0.05)
    assert err + capsys.readouterr().err == f"{told}\n"
    with pytest.raises(ConfigurationError, match="can't be written"):
        place.leave(complete=False)


async def test_what_could_not_be_printed_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file stays as it was before."""
    monkeypatch.setattr(_PLACE, 0.01)
    now = ["before"]
    place = Place(tmp_path / "place", lambda: now[0])

    def fail() -> None:
        now[0] = "behind"
        raise OSError

    async with place.kept():
        with pytest.raises(OSError):
            place.print(fail)
        await asyncio.sleep(0.05)
    place.leave(complete=False)
    assert (tmp_path / "place").read_text("utf-8") == "before"


# Interrupted.


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["download"], "to go on, run the same command again: what is saved is kept"),
        (
            ["download", "--overwrite"],
            "to go on, run the same command again without --overwrite: what is saved is kept",
        ),
        (["wait", "t-1"], "to go on, run the same command again"),
        (["wait", "t-1", "--post"], "to go on, run the same command again"),
        (["watch"], "with --checkpoint FILE the next run tells of what happens till then"),
        (
            ["start", ROOM],
            f"whether the service did it is not known: see videosdk-transcripts list {ROOM}",
        ),
        (
            ["stop", ROOM],
            f"whether the service did it is not known: see videosdk-transcripts list {ROOM}",
        ),
    ],
)
def test_ctrl_c_tells_how_to_go_on(
    run: Run, account: FakeVideoSDK, tmp_path: Path, arguments: list[str], told: str
) -> None:
    """Each verb in its own way, and with 130."""
    account.fail_next(_pressing(threading.get_ident()))
    place = ["--to", str(tmp_path)] if arguments[0] == "download" else []
    code, out, err = run(*arguments, *place)
    assert (code, out) == (ExitCode.INTERRUPTED, "")
    assert err.endswith(f"\n{told}\n\n{NAME}interrupted\n")


def _pressing(thread: int) -> Fault:
    async def press(_exchange: Exchange) -> web.StreamResponse:
        signal.pthread_kill(thread, signal.SIGINT)
        # Otherwise the answer could be there first.
        await asyncio.sleep(0.2)
        return web.Response(status=503)

    return press


# What makes no sense.


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["text", "t-1", "--format", ""], "'--format': it must be a word, as txt"),
        (["wait", "p-1", "--post", "--format", ""], "'--format': it must be a word, as txt"),
        (["wait", "p-1", "--post", "--timeout", "0"], "seconds above 0, not 0"),
        (["wait", "p-1", "--post", "--poll", "nan"], "seconds above 0, not nan"),
        (["wait", "p-1", "--post", "--timeout", "inf"], "seconds above 0, not inf"),
        (["wait", "p-1", "--post", "--grace", "-1"], "seconds of 0 or more, not -1"),
        (["watch", "--on-unverified", "drop"], "--on-unverified"),
        (["watch", "--json"], "--json"),
        (["watch", "--checkpoint", "/no/such/folder/file"], "can't be written to /no/such"),
        (["download", "--format", "../x"], "a format must be 1 to 16 letters"),
        (["download", ROOM, "--id", "t-1"], "--id needs no ROOM"),
        (["download", "--id", "t-1", "--limit", "1"], "--id needs no ROOM"),
    ],
)
def test_it_is_refused_before_anything_is_sent(
    run: Run, account: FakeVideoSDK, arguments: list[str], told: str
) -> None:
    """With the code for wrong arguments, and what is wrong."""
    code, out, err = run(*arguments)
    assert (code, out) == (ExitCode.USAGE, "")
    assert told in err
    assert account.requests == []


def test_odd_rows_of_a_watch(run: Run, account: FakeVideoSDK) -> None:
    """What an error names as the way out is there."""
    account.filters = "ignored"
    account.add_transcription(row_id="nobody's", room_id=None, session_id=None)
    account.add_transcription(row_id="bad")["status"] = 7
    account.add_transcription(row_id="good")
    options = ("watch", ROOM, "--since", "start", "--limit", "1")
    assert "(here: --on-invalid)" in run(*options).err
    assert "(here: --on-unverified)" in run(*options, "--on-invalid", "skip").err
    for word, first in (("skip", "good"), ("yield", "nobody's")):
        told = run(*options, "--on-invalid", "skip", "--on-unverified", word).out
        assert told.split("\t")[:2] == ["new", first]


@pytest.mark.parametrize("verb", ["show", "text"])
def test_one_row_that_can_not_be_read(run: Run, account: FakeVideoSDK, verb: str) -> None:
    """No option is named, since none goes on without the only row."""
    account.add_transcription(row_id="bad")["status"] = 7
    code, out, err = run(verb, "bad")
    assert (code, out) == (ExitCode.SERVICE, "")
    assert err.startswith(f"{NAME}row bad can't be read")
    assert "--on-invalid" not in err


# Files of rows that are named.


def test_download_by_id(run: Run, account: FakeVideoSDK, tmp_path: Path) -> None:
    """Those alone, each once, and one that is unknown does not stop the others."""
    for name in ("t-1", "t-2", "t-3"):
        account.files.put(account.add_transcription(row_id=name, summary=False), "txt", b"Hi.")
    options = ("download", "--to", str(tmp_path))
    named = ("--id", "t-3", "--id", "t-1", "--id", "t-3")
    code, out, err = run(*options, *named)
    assert code == 0
    assert out == "".join(f"{name}\tsaved\t{tmp_path / name}.txt\n" for name in ("t-3", "t-1"))
    assert err == "2 files saved for 2 rows\n"
    code, out, err = run(*options, "--id", "none", "--id", "t-2", "--json")
    assert code == ExitCode.PARTIAL
    told = {row["id"]: row for row in json.loads(out)}
    assert told["t-2"]["paths"] == {"txt": f"{tmp_path / 't-2'}.txt"}
    assert told["none"]["paths"] == {}
    assert "404" in told["none"]["error"]
    assert f"{NAME}of 2 rows 1 failed" in err


def test_download_of_recordings_by_id(run: Run, account: FakeVideoSDK, tmp_path: Path) -> None:
    """Likewise, and a refusal that is of no row ends it with its own code."""
    post = account.add_post_transcription(row_id="p-1", summary=False)
    account.files.put(post, "srt", b"1")
    options = ("download", "--post", "--id", "p-1", "--format", "srt", "--to", str(tmp_path))
    assert run(*options).out == f"p-1\tsaved\t{tmp_path / 'p-1.srt'}\n"
    account.fail_next(Status(403))
    code, out, err = run(*options)
    assert (code, out) == (ExitCode.AUTH, "")
    assert "403" in err


# The sandbox, in which time goes by.


def test_the_sandbox_goes_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A watch has something to tell of, the same each time."""
    monkeypatch.setattr(f"{_SANDBOX}._ENDS_AFTER", 1.0)
    room = SANDBOX_ROOMS[0]
    lines = run("watch", room, "--poll", "1", "--limit", "3", "--sandbox").out.splitlines()
    told = {tuple(line.split("\t")[:2]) for line in lines}
    ended, begun = "c87a7463-19c1-4a0d-8feb-d845d0dfae43", "31d0b664-0589-4877-9b02-52440950fd13"
    assert told == {("finished", ended), ("new", begun), ("finished", begun)}


def test_a_wait_in_the_sandbox(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The running transcription ends, and gets its file."""
    monkeypatch.setattr(f"{_SANDBOX}._ENDS_AFTER", 0.1)
    monkeypatch.setattr(f"{_SANDBOX}._FILES_AFTER", 0.1)
    running = "c87a7463-19c1-4a0d-8feb-d845d0dfae43"
    code, out, _ = run("wait", running, "--poll", "0.1", "--timeout", "20", "--sandbox")
    assert (code, out.split("\t")[:2]) == (0, [running, "completed"])
    assert out.endswith("\ttxt\n")


async def test_a_stop_in_the_sandbox(
    fake: FakeVideoSDK, client: TranscriptsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What somebody has stopped does not end once more."""
    monkeypatch.setattr(f"{_SANDBOX}._ENDS_AFTER", 0.1)
    run_sandbox(fake)
    row = fake.rows[0]
    await client.stop_transcription(SANDBOX_ROOMS[0])
    end = row["end"]
    async with asyncio.timeout(10):
        while fake.rows[0] is row or fake.rows[0]["status"] == "running":  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.02)
    assert row["end"] == end


@pytest.mark.parametrize(
    "arguments",
    [
        ["text", "fb82860d-eabc-48d0-b341-facdff0ac0f1"],
        ["summary", "d67e55fd-642b-4a42-aef9-c00b8a64c1b9", "--json"],
        ["post", "list", "--jsonl"],
        ["post", "show", "38018b47-b29a-4b06-9af6-6c5f2577bffa", "--json"],
        ["start", "sale-call-demo", "--json"],
        ["stop", "wkly-team-sync"],
    ],
)
def test_each_verb_has_something_in_the_sandbox(run: Run, arguments: list[str]) -> None:
    """Without credentials, with data on stdout."""
    code, out, err = run(*arguments, "--sandbox")
    assert code == 0
    assert out
    assert err.startswith("sandbox with made-up rooms: ")
