"""The command `export`."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, suppress
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from pathlib import Path
from unittest.mock import patch

import dask
import pytest
from support import Failing, Meetings, child, names, texts, wait_until, without_coverage

from videosdk_transcripts.cli import main
from videosdk_transcripts.testing import Delay, FakeVideoSDK

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Meetings]:
    """Return meetings of a service that the environment points to."""
    with FakeVideoSDK().in_thread() as fake:
        for name, value in fake.environ.items():
            monkeypatch.setenv(name, value)
        yield Meetings(fake)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run the program in this process, and return its exit code, stdout and stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        assert isinstance(end.value.code, int)
        return end.value.code, *capsys.readouterr()

    with patch.dict(os.environ), patch.object(sys, "path", [*sys.path]):
        yield call


def write_pairs(account: Meetings, file: Path) -> Path:
    """Write the sessions to a file."""
    file.write_text("".join(f"{room},{session}\n" for room, session in account.pairs))
    return file


def test_account_is_exported(account: Meetings, run: Run, sink: Path) -> None:
    """The summary is printed, tab-separated."""
    code, out, err = run("export", "--to", sink)
    assert (code, err) == (0, "")
    facts = dict(line.split("\t") for line in out.splitlines())
    assert facts["rows"] == facts["texts"] == "60"
    assert (facts["missing_texts"], facts["errors"], facts["complete"]) == ("0", "0", "true")
    assert texts(sink) == account.texts


def test_room_and_session_are_exported(account: Meetings, run: Run, tmp_path: Path) -> None:
    """The summary is JSON."""
    room, session = account.pairs[0]
    code, out, _ = run("export", room, session, "--to", tmp_path / "a", "--json")
    assert (code, json.loads(out)["rows"]) == (0, 3)
    code, out, _ = run("export", room, "--to", tmp_path / "b", "--json", "--no-text")
    assert (code, json.loads(out)["rows"]) == (0, 12)


def test_custom_room_id_is_resolved(account: Meetings, run: Run, sink: Path) -> None:
    """It is resolved as in the other commands."""
    account.fake.custom_ids["weekly"] = "room-1"
    code, out, _ = run("export", "weekly", "--custom-id", "--to", sink, "--json")
    assert (code, json.loads(out)["rows"]) == (0, 12)


def test_pairs_come_from_a_file_or_stdin(
    account: Meetings, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name `-` means stdin."""
    file = write_pairs(account, tmp_path / "pairs.csv")
    assert run("export", "--pairs", file, "--to", tmp_path / "a")[0] == 0
    with file.open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert run("export", "--pairs", "-", "--to", tmp_path / "b")[0] == 0
    assert texts(tmp_path / "a") == texts(tmp_path / "b") == account.texts


def test_bad_pair_is_named_before_anything_starts(
    account: Meetings, run: Run, tmp_path: Path
) -> None:
    """The exit code is that of invalid arguments."""
    file = tmp_path / "pairs.csv"
    file.write_text("room-1,s\nroom 2,s\n")
    code, _, err = run("export", "--pairs", file, "--to", tmp_path / "a")
    assert code == 2
    assert "line 2: the room id must be" in err
    assert not account.requests
    assert not (tmp_path / "a").exists()


def test_unreadable_session_is_partial(account: Meetings, run: Run, tmp_path: Path) -> None:
    """The exit code is 6 until the same command has exported the rest."""
    pairs = write_pairs(account, tmp_path / "pairs.csv")
    account.fake.every(1, Failing(account.pairs[3], status=404))
    command = ("export", "--pairs", pairs, "--to", tmp_path / "a")
    code, out, err = run(*command)
    assert code == 6
    assert "rows\t57\n" in out
    assert f"{' '.join(map(str, account.pairs[3]))}: GET " in err
    assert "run the same command again" in err
    account.fake.clear_faults()
    assert run(*command)[0] == 0
    assert texts(tmp_path / "a") == account.texts


def test_errors_can_be_accepted(account: Meetings, run: Run, sink: Path) -> None:
    """The exit code is 0 then, and the errors are shown."""
    account.fake.rows[4]["status"] = 5
    assert run("export", "--to", sink)[0] == 6
    code, out, err = run("export", "--to", sink, "--accept-errors")
    assert code == 0
    assert "complete\ttrue\n" in out
    assert "can't be read: expected a string" in err


def test_update_adds_what_is_new(account: Meetings, run: Run, sink: Path) -> None:
    """The same command can be run every day."""
    command = ("export", "--to", sink, "--update", "--overlap", 1e9, "--json")
    for rows in (60, 62, 64):
        code, out, _ = run(*command)
        assert (code, json.loads(out)["rows"]) == (0, rows)
        assert texts(sink) == account.texts
        account.add("room-1", 2)


class TwoHoursLater(datetime):
    """The time two hours later."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "TwoHoursLater":
        """Return the time."""
        return cls.fromisoformat((datetime.now(tz) + timedelta(hours=2)).isoformat())


@pytest.mark.parametrize(("given", "other"), [("24h", "1d"), ("yesterday", "today")])
def test_relative_time_is_fixed_at_the_first_start(
    account: Meetings, run: Run, sink: Path, given: str, other: str
) -> None:
    """The other jobs of an array, repeated commands and updates have the time of the first one."""
    for row in account.fake.rows:
        row["start"] = row["end"] = (datetime.now(UTC) - timedelta(hours=23)).isoformat()
    command = ("export", "--to", sink, "--since", given, "--json")
    assert run(*command, "--shard", "0/2")[0] == 0
    plan = json.loads((sink / "_plan.json").read_text())
    assert plan["relative"] == {"since": given}
    with patch("videosdk_transcripts.cli._times.datetime", TwoHoursLater):
        for more in (("--shard", "1/2"), (), ("--update",)):
            code, out, _ = run(*command, *more)
            assert (code, json.loads(out)["rows"]) == (0, 60)
    assert json.loads((sink / "_plan.json").read_text()) == plan
    for since in (other, plan["since"]):
        code, _, err = run("export", "--to", sink, "--since", since)
        assert code == 2
        assert f'since is "{given}" there and "{since}" here' in err


def test_job_of_an_array_reports_that_others_are_not_finished(
    account: Meetings, run: Run, sink: Path
) -> None:
    """It has succeeded, and the last one completes the dataset."""
    code, out, err = run("export", "--to", sink, "--shard", "0/2")
    assert code == 0
    assert "complete\tfalse\n" in out
    assert "other jobs are not finished yet" in err
    code, out, err = run("export", "--to", sink, "--shard", "1/2")
    assert (code, err) == (0, "")
    assert "complete\ttrue\n" in out
    assert texts(sink) == account.texts


def test_progress_is_one_line_on_a_terminal(account: Meetings, sink: Path) -> None:
    """The line is cleared at the end."""
    account.fake.files.faults.every(1, Delay(0.2))
    leader, follower = pty.openpty()
    process = child("export", "--to", str(sink), stderr=follower)
    os.close(follower)
    shown = b""
    with suppress(OSError):
        while chunk := os.read(leader, 65536):
            shown += chunk
    os.close(leader)
    process.communicate()
    assert process.returncode == 0
    assert b" of 60 rows" in shown
    assert b" left" in shown


def test_progress_is_not_shown_before_it_takes_long(
    account: Meetings, run: Run, sink: Path
) -> None:
    """A short export writes nothing to a terminal."""
    leader, follower = pty.openpty()
    with os.fdopen(follower, "w") as terminal, redirect_stderr(terminal):
        account.fake.files.faults.every(1, Delay(0.1))
        assert run("export", "--to", sink)[0] == 0
    os.close(leader)


def test_unreachable_cluster_is_a_network_error(account: Meetings, run: Run, sink: Path) -> None:
    """The exit code is that of a missing response."""
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        code, _, err = run("export", "--to", sink, "--scheduler", "tcp://127.0.0.1:9")
    assert code == 7
    assert "the Dask cluster failed" in err


def test_transform_is_imported_from_the_current_folder(
    account: Meetings, run: Run, sink: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is given as a module and a function."""
    (tmp_path / "my_redaction.py").write_text("def names(text): return text.replace('Ann', 'X')")
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        code, *_ = run("export", "--to", sink, "--transform", "my_redaction:names")
        assert code == 0
    assert all("Ann" not in str(text) for text in texts(sink).values())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--transform", "missing_module:f"), "No module named"),
        (("--transform", "json:missing"), "missing"),
        (("--transform", "json"), "can't import 'json'"),
        (("--worker-token",), "requires --scheduler"),
        (("--sandbox", "--scheduler", "tcp://127.0.0.1:9"), "are mutually exclusive"),
        (("--env-file", __file__, "--scheduler", "tcp://127.0.0.1:9"), "requires --worker-token"),
        (("--shard", "1"), "such as 0/8"),
        (("--shard", "8/8"), "numbered from 0 to 7"),
        (("--since", "x"), "is not a time"),
        (("--pairs", __file__, "room"), "cannot be combined"),
        (("--turns", "--no-text"), "turns require the text"),
    ],
)
def test_invalid_option_is_rejected(
    account: Meetings, run: Run, sink: Path, options: tuple[str, ...], message: str
) -> None:
    """Nothing has been requested or written by then."""
    code, _, err = run("export", "--to", sink, *options)
    assert code == 2
    assert message in err
    assert not account.requests
    assert not sink.exists()


def test_unwritable_sink_is_rejected(account: Meetings, run: Run, tmp_path: Path) -> None:
    """The exit code is that of output that can't be written."""
    (tmp_path / "file").write_text("")
    code, _, err = run("export", "--to", tmp_path / "file" / "a")
    assert code == 1
    assert "can't write to" in err


def test_killed_process_continues(account: Meetings, sink: Path) -> None:
    """It is killed several times: each row is there once, and few requests are repeated."""
    command = ("export", "--to", str(sink), "--concurrency", "4")
    account.fake.files.faults.every(1, Delay(0.05))
    for killed in range(1, 6):
        process = child(*command)
        wait_until(partial(account.has_sent, 10 * killed))
        process.kill()
        process.communicate()
    last = child(*command)
    _, err = last.communicate()
    assert last.returncode == 0, err
    assert texts(sink) == account.texts
    # After each kill, texts that were in flight or not saved yet are requested again.
    assert account.requests <= 61 + 5 * 8
    assert names(sink)[:2] == ["_SUCCESS.json", "_plan.json"]


def test_killed_update_continues(account: Meetings, sink: Path, tmp_path: Path) -> None:
    """It is killed several times, while the list of pairs grows: each row is there once."""
    pairs = write_pairs(account, tmp_path / "pairs.csv")
    command = ("export", "--pairs", str(pairs), "--to", str(sink), "--update", "--concurrency", "4")
    first = child(*command)
    assert first.wait() == 0
    first.communicate()
    account.fake.files.faults.every(1, Delay(0.05))
    for killed in range(1, 4):
        account.add("room-1", 12)
        write_pairs(account, pairs)
        process = child(*command)
        wait_until(partial(account.has_sent, 60 + 6 * killed))
        process.kill()
        process.communicate()
    last = child(*command)
    _, err = last.communicate()
    assert last.returncode == 0, err
    assert texts(sink) == account.texts
    assert len(account.fake.files.requests) <= 96 + 3 * 8
    assert not [name for name in names(sink) if name.startswith(("_update", "_progress"))]


def test_signal_ends_the_command_and_the_next_one_continues(account: Meetings, sink: Path) -> None:
    """Ctrl-C and supervisors send such signals."""
    account.fake.files.faults.every(1, Delay(0.05))
    process = child("export", "--to", str(sink))
    wait_until(lambda: len(account.fake.files.requests) >= 20)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate()
    assert process.returncode == 143
    assert "Traceback" not in err
    last = child("export", "--to", str(sink))
    assert last.wait() == 0
    last.communicate()
    assert texts(sink) == account.texts
    assert account.requests <= 61 + 10


def test_full_disk_leaves_no_part(account: Meetings, sink: Path, tmp_path: Path) -> None:
    """The exit code is 1, and the same command continues when there is space."""
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000)); "
    code = "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    code += limited + "from videosdk_transcripts.cli import main; main()"
    done = subprocess.run(  # noqa: S603 - this Python
        [sys.executable, "-c", code, "export", "--to", str(sink)],
        env=without_coverage(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert not list(sink.glob("part-*"))
    again = child("export", "--to", str(sink))
    _, err = again.communicate()
    assert again.returncode == 0, err
    assert texts(sink) == account.texts


def test_progress_is_shown_on_stderr(
    account: Meetings,
    run: Run,
    sink: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It has rate, errors and time left; without a terminal, a line is printed at intervals."""
    monkeypatch.setattr("videosdk_transcripts.cli._export._LOG_INTERVAL", 0.2)
    account.fake.files.faults.every(1, Delay(0.1))
    code, _, err = run("export", "--to", sink)
    assert code == 0
    assert "of 60 rows, " in err
    assert " rows/s" in err
    assert " left" in err
    pairs = write_pairs(account, tmp_path / "pairs.csv")
    _, _, err = run("export", "--pairs", pairs, "--to", tmp_path / "other")
    assert " rows, 0 of 2 parts, " in err
