"""Log records of the library on stderr, and the option -v."""

import logging
import re

import pytest

from videosdk_transcripts.testing import FakeVideoSDK, Status

from .command_line import Run

ROOM = "abcd-efgh-ijkl"
LINE = re.compile(r"\d\d:\d\d:\d\d\.\d{3} (.*)")


def logged(err: str) -> list[str]:
    """Return the messages of the lines with a time."""
    return [found[1] for line in err.splitlines() if (found := LINE.fullmatch(line))]


@pytest.mark.parametrize("arguments", [["-v", "count"], ["count", "-v"], ["count", "--verbose"]])
def test_verbose_prints_requests_and_retries(
    account: FakeVideoSDK, run: Run, arguments: list[str]
) -> None:
    """The option may be before or after the command; each line has its time."""
    account.fail_next(Status(429, {"Retry-After": "0"}))
    code, out, err = run(*arguments)
    assert (code, out) == (0, "0\n")
    subject = "GET page 1 of the transcriptions of the whole account: "
    begun, refused, retried, again, done = logged(err)
    assert begun == f"{subject}attempt 1"
    assert refused.startswith(f"{subject}status 429 after 0.")
    assert retried.startswith(f"{subject}attempt 1 failed with 429, retrying in 0.")
    assert again == f"{subject}attempt 2"
    assert done.startswith(f"{subject}status 200 after 0.")


def test_verbose_prints_files_and_subcommands(account: FakeVideoSDK, run: Run) -> None:
    """This includes the requests for files, and those of ``post list``."""
    row = account.add_transcription(row_id="t")
    account.files.put(row, "txt", b"Ann: Hi.")
    messages = logged(run("text", "t", "-v").err)
    assert "GET the file txt of transcription t: attempt 1" in messages
    assert messages[-1].startswith("GET the file txt of transcription t: status 200 after 0.")
    assert len(logged(run("post", "list", "-v").err)) == 2


def test_verbose_redacts_secrets(account: FakeVideoSDK, run: Run) -> None:
    """Neither the token, the key nor the secret is shown."""
    err = run("list", ROOM, "-v").err
    assert logged(err)
    assert account.secret not in err
    assert account.api_key not in err
    assert "eyJ" not in err


def test_log_is_quiet_by_default_and_unchanged_afterwards(account: FakeVideoSDK, run: Run) -> None:
    """Only warnings are printed, and the level of the logger is restored."""
    logger = logging.getLogger("videosdk_transcripts")
    before = logger.level, list(logger.handlers)
    account.fail_next(Status(429, {"Retry-After": "0"}))
    assert run("count").err == ""
    run("count", "-v")
    assert (logger.level, logger.handlers) == before
