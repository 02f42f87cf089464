"""The commands `follow` and `wait`."""

import json
import signal
import threading
from pathlib import Path

import pytest
from aiohttp import web

from videosdk_transcripts import RetryPolicy
from videosdk_transcripts.cli._exit import ExitCode
from videosdk_transcripts.testing import SANDBOX_ROOMS, Exchange, FakeVideoSDK, Status

from .command_line import NAME, Run, start, use_policy

ROOM = "abcd-efgh-ijkl"


# follow.


def test_follow_prints_one_line_per_change(run: Run, account: FakeVideoSDK) -> None:
    """A line has the kind of change, then the columns of `list`."""
    account.add_transcription(row_id="t-1")
    code, out, err = run("follow", ROOM, "--since", "start", "--limit", "2")
    line = run("list").out
    assert (code, out) == (0, f"new\t{line}finished\t{line}")
    assert err == "polling every 30 s; press Ctrl-C to stop\n"
    jsonl = run("follow", "--since", "start", "--limit", "1", "--jsonl").out
    assert json.loads(jsonl) == {"kind": "new", "transcription": account.rows[0]}


def test_follow_resumes_from_its_checkpoint(
    run: Run, account: FakeVideoSDK, tmp_path: Path
) -> None:
    """The file is kept."""
    account.add_transcriptions(2)
    path = tmp_path / "follow.json"
    options = ("follow", "--since", "start", "--checkpoint", str(path), "--limit", "3")
    first = run(*options)
    assert first.err.endswith(f"run the same command again to resume from {path}\n")
    second = run(*options[:-1], "1")
    kinds = [line.split("\t")[:2] for line in (first.out + second.out).splitlines()]
    ids = [row["id"] for row in account.rows]
    assert kinds == [[kind, one] for one in ids for kind in ("new", "finished")]
    assert path.exists()


def test_follow_counts_only_what_was_printed(
    run: Run, account: FakeVideoSDK, tmp_path: Path
) -> None:
    """A change is not in the checkpoint if its line could not be written."""
    rows = account.add_transcriptions(2, status="running")
    path = tmp_path / "follow.json"
    options = ("follow", "--since", "start", "--checkpoint", str(path))
    assert run(*options, "--limit", "1").out.split("\t")[1] == rows[0]["id"]
    with Path("/dev/full").open("w") as full, start(*options, stdout=full) as failing:
        failing.communicate()
        assert failing.returncode
    assert run(*options, "--limit", "1").out.split("\t")[1] == rows[1]["id"]


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_ends_follow(run: Run, account: FakeVideoSDK) -> None:
    """The exit code is 130, and what was printed stays printed."""
    account.add_transcriptions(100)
    here = threading.get_ident()

    async def press(exchange: Exchange) -> web.StreamResponse:
        signal.pthread_kill(here, signal.SIGINT)
        return exchange.response()

    account.add_transcriptions(1)
    account.on_page(2, press)
    code, out, err = run("follow", "--since", "start")
    assert (code, len(out.splitlines())) == (ExitCode.INTERRUPTED, 200)
    assert err.endswith(f"\n{NAME}interrupted\n")


def test_row_policies_apply_to_follow(run: Run, account: FakeVideoSDK) -> None:
    """The options that an error names exist."""
    account.filters = "ignored"
    account.add_transcription(row_id="unverified", room_id=None, session_id=None)
    account.add_transcription(row_id="bad")["status"] = 7
    account.add_transcription(row_id="good")
    options = ("follow", ROOM, "--since", "start", "--limit", "1")
    assert "use --on-invalid skip" in run(*options).err
    assert "use --on-unverified yield" in run(*options, "--on-invalid", "skip").err
    for word, first in (("skip", "good"), ("yield", "unverified")):
        message = run(*options, "--on-invalid", "skip", "--on-unverified", word).out
        assert message.split("\t")[:2] == ["new", first]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["wait", "p-1", "--post", "--format", ""], "'--format': must be a format such as txt"),
        (["wait", "p-1", "--post", "--timeout", "0"], "seconds, more than 0, not 0"),
        (["wait", "p-1", "--post", "--poll", "nan"], "seconds, more than 0, not nan"),
        (["wait", "p-1", "--post", "--timeout", "inf"], "seconds, more than 0, not inf"),
        (["wait", "p-1", "--post", "--grace", "-1"], "seconds, 0 or more, not -1"),
        (["follow", "--on-unverified", "drop"], "--on-unverified"),
        (["follow", "--json"], "--json"),
        (["follow", "--checkpoint", "/no/such/folder/file"], "cannot be written to /no/such"),
        (["follow", "--poll", "0"], "poll"),
        (["follow", "--once"], "--once prints nothing without --checkpoint FILE"),
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


def test_follow_once_prints_each_change_in_one_run(
    run: Run, account: FakeVideoSDK, tmp_path: Path
) -> None:
    """A cron job needs this: nothing on stderr, and a state that is exact to the change."""
    path = tmp_path / "follow.json"
    options = ("follow", ROOM, "--once", "--checkpoint", str(path))
    _, running = account.add_transcriptions(2)
    running["status"] = "running"
    assert run(*options) == (0, "", "")
    running["status"] = "completed"
    new = account.add_transcription()
    code, out, err = run(*options)
    assert (code, err) == (0, "")
    changes = [tuple(line.split("\t")[:2]) for line in out.splitlines()]
    assert changes == [
        ("finished", running["id"]),
        ("new", new["id"]),
        ("finished", new["id"]),
    ]
    saved = path.read_text()
    assert run(*options) == (0, "", "")
    assert path.read_text() == saved
    assert len(run("follow", ROOM, "--once", "--since", "start").out.splitlines()) == 6


def test_follow_once_continues_behind_its_limit(
    run: Run, account: FakeVideoSDK, tmp_path: Path
) -> None:
    """The next run prints the rest."""
    account.add_transcriptions(2)
    options = ("follow", "--once", "--since", "start", "--checkpoint", str(tmp_path / "f.json"))
    out = run(*options, "--limit", "3").out + run(*options).out
    assert len(set(out.splitlines())) == len(out.splitlines()) == 4


def test_follow_once_fails_if_the_service_does(
    run: Run, account: FakeVideoSDK, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not wait for the service, and the next run prints what is missing."""
    use_policy(monkeypatch, RetryPolicy(attempts=1))
    account.add_transcriptions(120)
    account.on_page(2, Status(503))
    path = tmp_path / "follow.json"
    options = ("follow", "--once", "--since", "start", "--checkpoint", str(path))
    first = run(*options)
    assert (first.code, len(first.out.splitlines())) == (ExitCode.SERVICE, 200)
    assert f"run the same command again to resume from {path}\n" in first.err
    second = run(*options)
    assert (second.code, len(second.out.splitlines()), second.err) == (0, 40, "")


# wait.


def test_wait_prints_the_row_when_its_file_exists(run: Run, account: FakeVideoSDK) -> None:
    """The row may be of a realtime transcription or of a recording."""
    row = account.add_transcription(row_id="t-2", formats=())
    account.files.put(account.add_transcription(row_id="t-1"), "txt", b"Hi.")
    account.add_post_transcription(row_id="p-1")
    account.jobs.formats = ("vtt",)
    account.jobs.stopped(row, account.now() - 1)
    code, out, err = run("wait", "t-2", "--format", "vtt", "--poll", "0.01")
    assert (code, out) == (0, run("show", "t-2").out)
    assert err == "waiting up to 3600 s for the vtt file of t-2\n"
    found = run("wait", "p-1", "--post", "--summary", "--json", "--timeout", "5")
    assert json.loads(found.out)["id"] == "p-1"
    assert found.err == "waiting up to 5 s for the txt summary of p-1\n"
    assert run("wait", "t-1").code == 0


def test_wait_distinguishes_its_failures(
    run: Run, account: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are: timed out, completed without the file, failed, and unknown."""
    use_policy(monkeypatch, RetryPolicy(wait_initial=0, wait_max=0))
    account.add_transcription(row_id="runs", status="running", formats=())
    account.add_transcription(row_id="done", formats=())
    account.add_transcription(row_id="failed", status="failed", formats=())
    quick = ("--poll", "0.01", "--grace", "0")
    for row_id, code, message in (
        ("runs", ExitCode.NETWORK, "runs"),
        ("done", ExitCode.NOT_FOUND, "with a larger --grace"),
        ("failed", ExitCode.SERVICE, "transcription failed"),
        ("unknown", ExitCode.NOT_FOUND, "transcription unknown"),
    ):
        outcome = run("wait", row_id, *quick, "--timeout", "0.2")
        assert (outcome.code, outcome.out) == (code, "")
        assert message in outcome.err
    assert run("wait", "runs", "--timeout", "0").code == ExitCode.USAGE


# In the sandbox, where time passes.


_SANDBOX = "videosdk_transcripts.testing._sandbox"


def test_follow_in_the_sandbox_has_changes(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run has the same changes."""
    monkeypatch.setattr(f"{_SANDBOX}._ENDS_AFTER", 1.0)
    room = SANDBOX_ROOMS[0]
    lines = run("follow", room, "--poll", "1", "--limit", "3", "--sandbox").out.splitlines()
    message = {tuple(line.split("\t")[:2]) for line in lines}
    ended, begun = "c87a7463-19c1-4a0d-8feb-d845d0dfae43", "9edfa3da-6cf5-4b15-8b53-031d05d51433"
    assert message == {("finished", ended), ("new", begun), ("finished", begun)}


def test_wait_without_a_connection_prints_one_warning(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This applies without a terminal; on one, the status line also shows each wait."""
    use_policy(monkeypatch, RetryPolicy(attempts=1))
    monkeypatch.setenv("VIDEOSDK_TOKEN", "t")
    monkeypatch.setenv("VIDEOSDK_API_ENDPOINT", "http://127.0.0.1:1")
    code, _, err = run("wait", "t-1", "--timeout", "0.3", "--poll", "0.05")
    assert code == ExitCode.NETWORK
    warning = "no connection, retrying in 0 s; to find the reason: videosdk-transcripts doctor"
    assert err.splitlines()[1:-1] == [NAME + warning]
    assert "after 0.3 s: the last poll failed: no connection; the file may" in err


def test_wait_in_the_sandbox_succeeds(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The running transcription ends, and gets its file."""
    monkeypatch.setattr(f"{_SANDBOX}._ENDS_AFTER", 0.1)
    monkeypatch.setattr(f"{_SANDBOX}._FILES_AFTER", 0.1)
    running = "c87a7463-19c1-4a0d-8feb-d845d0dfae43"
    code, out, _ = run("wait", running, "--poll", "0.1", "--timeout", "20", "--sandbox")
    assert (code, out.split("\t")[:2]) == (0, [running, "completed"])
    assert out.endswith("\ttxt\n")
