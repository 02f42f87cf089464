"""Errors and warnings of the library, as the command line prints them."""

import logging
from pathlib import Path
from typing import Any

import pytest

from videosdk_transcripts import RetryPolicy
from videosdk_transcripts.cli._exit import ExitCode
from videosdk_transcripts.cli._messages import describe_record
from videosdk_transcripts.testing import Delay, DropConnection, Envelope, FakeVideoSDK, Status

from .command_line import Run, use_policy

ROOM = "abcd-efgh-ijkl"

# The fixture `run` rejects all terms of the library in what is printed to stderr.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["list", "a b"], "the room must be a non-empty id without whitespace, not 'a b'"),
        (["count", ROOM, ""], "the session must be a non-empty id without whitespace, not ''"),
        (["show", ".."], "the id must be a non-empty id"),
        (["text", "a\tb", "--post"], "the id must be a non-empty id"),
        (["wait", ""], "the id must be a non-empty id without whitespace, not ''\n"),
        (["download", "--id", "a b"], "the id must be a non-empty id"),
        (["stop", "a b"], "the room must be a non-empty id"),
        (["start", ROOM, "--language", "en US"], "--language must be a non-empty id"),
        (["start", ROOM, "--language", ""], "; omit it for the service's default"),
        (["start", ROOM, "--model", ""], "--model must be a non-empty id"),
        (["start", ROOM, "--webhook-url", "x"], "--webhook-url must be an http or https URL"),
        (["start", ROOM, "--summary-prompt", " "], "--summary-prompt must not be empty"),
        (["follow", ROOM, "--poll", "0.5"], "--poll must be a number of 1 or more, not 0.5"),
        (["download", ROOM, "--format", ""], "--format must be a non-empty string"),
        (["token", "--lifetime", "400d"], "--lifetime must be from 1 s to 365 days"),
        (["token", "--permission", "ask_join", "--permission", "allow_join"], "--permission must"),
        (["token", "--room", "a b"], "the room must be a non-empty id"),
    ],
)
def test_invalid_arguments_are_named_as_they_were_given(
    account: FakeVideoSDK, run: Run, arguments: list[str], message: str
) -> None:
    """The message names the option or argument of the command line, and nothing is sent."""
    code, out, err = run(*arguments)
    assert (code, out) == (ExitCode.USAGE, "")
    assert message in err
    assert account.requests == []


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"VIDEOSDK_SECRET": ""}, "VIDEOSDK_API_KEY is set and VIDEOSDK_SECRET is not: set "),
        ({"VIDEOSDK_API_KEY": "", "VIDEOSDK_SECRET": ""}, "or in a file (--env-file)"),
        ({"VIDEOSDK_API_ENDPOINT": "ftp://x"}, "VIDEOSDK_API_ENDPOINT must look like"),
        ({"VIDEOSDK_FILE_HOSTS": "https://a/b"}, "VIDEOSDK_FILE_HOSTS must hold host names"),
        ({"VIDEOSDK_FILE_HOSTS": "10.0.0.1"}, "VIDEOSDK_FILE_HOSTS: 10.0.0.1 is not public"),
    ],
)
@pytest.mark.parametrize("command", [["count"], ["doctor"], ["start", ROOM]])
def test_invalid_settings_are_named_as_variables(
    account: FakeVideoSDK,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    *,
    variables: dict[str, str],
    message: str,
    command: list[str],
) -> None:
    """This applies to every command, including doctor."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    _, out, err = run(*command)
    assert message in out + err
    assert "api_key=" not in out
    assert account.requests == []


def test_advice_on_rows_is_an_option(account: FakeVideoSDK, run: Run) -> None:
    """This applies to rows without ids, unreadable rows and a total without a filter."""
    account.filters = "ignored"
    account.add_transcription(room_id=None)
    assert "; use --on-unverified yield to accept such rows, or --on-unverified skip" in (
        run("list", ROOM).err
    )
    account.rows[0]["start"] = 5
    assert "; use --on-invalid skip to continue without such rows" in run("list").err
    account.rows[0] = account.add_transcription(room_id="another")
    assert "; count the rows that list prints instead" in run("count", ROOM).err


def test_advice_on_checkpoints_is_an_option(
    account: FakeVideoSDK, run: Run, tmp_path: Path
) -> None:
    """The checkpoint is of another page size, or is combined with --verify."""
    account.add_transcriptions(5)
    options = ("list", "--checkpoint", str(tmp_path / "c"))
    assert run(*options, "--page-size", "2", "--limit", "1").code == 0
    assert "belongs to a walk with --page-size 2, but this one has --page-size 20; use the" in (
        run(*options).err
    )
    verified = run(*options, "--page-size", "2", "--verify")
    assert "resume without --verify" in verified.err


def test_failed_verification_names_its_option(account: FakeVideoSDK, run: Run) -> None:
    """The list can be printed without it."""
    account.add_transcriptions(3)
    account.every(1, Envelope(info={"total": 5}))
    code, _, err = run("list", "--verify")
    assert code == ExitCode.PARTIAL
    assert "or without --verify if the total is wrong" in err


def test_warnings_of_the_library_are_translated(account: FakeVideoSDK, run: Run) -> None:
    """An example is the one about missing rows."""
    account.add_transcriptions(3)
    account.every(1, Envelope(info={"total": 5}))
    assert "Run the command again later, or use --verify." in run("list").err


def test_advice_on_files_is_an_option_or_a_variable(account: FakeVideoSDK, run: Run) -> None:
    """The host may not be allowed, or the text may not be UTF-8."""
    row = account.add_transcription(row_id="t")
    row["transcriptionFilePaths"] = {"txt": "https://files.example.com/t.txt"}
    assert "add files.example.com to VIDEOSDK_FILE_HOSTS" in run("text", "t").err
    shown = run("download", "--id", "t", "--no-summary").out
    assert "add files.example.com to VIDEOSDK_FILE_HOSTS" in shown
    assert "file_hosts" not in run("download", "--id", "t", "--no-summary", "--json").out


def test_lost_stop_names_the_command_that_shows_it(
    account: FakeVideoSDK, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the response nor the list of the room has arrived."""
    use_policy(monkeypatch, RetryPolicy(attempts=1, wait_initial=0, wait_max=0))
    account.every(1, DropConnection())
    assert f"check with: videosdk-transcripts list {ROOM}," in run("stop", ROOM).err


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (RetryPolicy(attempts=1, attempt_timeout=0.05), ": timed out after 0.05 s while waiting"),
        (RetryPolicy(page_timeout=0.05), ": timed out on attempt 1"),
        (RetryPolicy(page_timeout=0.05), "; run the command again later"),
    ],
)
def test_timeout_is_explained_without_settings_of_the_library(
    account: FakeVideoSDK,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    policy: RetryPolicy,
    message: str,
) -> None:
    """It may be the timeout of one attempt or of all attempts."""
    use_policy(monkeypatch, policy)
    account.every(1, Delay(30))
    code, _, err = run("count")
    assert code == ExitCode.NETWORK
    assert message in err


def test_no_message_names_the_value_none(run: Run) -> None:
    """An argument is omitted instead."""
    assert run("list", "a b", "--sandbox").err.endswith("not 'a b'; omit it for all\n")


def test_unrelated_text_is_unchanged(account: FakeVideoSDK, run: Run) -> None:
    """What the service sends is quoted as it is."""
    account.fail_next(Status(404, message="the roomId has no page"))
    assert "the roomId has no page" in run("count").err


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": 429, "reason": "RateLimitedError"}, "rate limited (429)"),
        ({"status": 503, "reason": "ServerError"}, "the service failed (503)"),
        ({"status": None, "reason": "ConnectionFailedError"}, "no connection"),
        ({"status": None, "reason": "TimedOutError"}, "no response in time"),
        ({"status": 200, "reason": "InvalidResponseError"}, "unreadable response"),
        ({"status": None, "reason": "Other"}, "the request failed"),
    ],
)
def test_retries_are_described_by_their_cause(fields: dict[str, Any], words: str) -> None:
    """The line has the status or the kind of failure, and the seconds until the next attempt."""
    record = logging.makeLogRecord({"msg": "retry", "wait": 4.2, **fields})
    found = describe_record(record)
    assert found.startswith(f"{words}, retrying in 4 s")
    assert ("doctor" in found) == (words == "no connection")
