"""Translate messages of the library to the terms of the command line: options and variables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from logging import LogRecord

    from videosdk_transcripts import VideoSDKTranscriptsError

_NAMES: Final = {
    # ROOM in most commands, and --room in others.
    "room_id": "the room",
    "session_id": "the session",
    "transcription_id": "the id",
    "transcription": "the id",
    "participant_id": "--participant",
    "room_id and participant_id": "--room and --participant",
    "api_key and secret": "VIDEOSDK_API_KEY and VIDEOSDK_SECRET",
    "the endpoint": "VIDEOSDK_API_ENDPOINT",
    "file_hosts": "VIDEOSDK_FILE_HOSTS",
    "webhook_url": "--webhook-url",
    "model_id": "--model",
    "language": "--language",
    "summary": "--summary-prompt",
    "page_size": "--page-size",
    "concurrency": "--concurrency",
    "format": "--format",
    "formats": "--format",
    "directory": "--to",
    "poll": "--poll",
    "timeout": "--timeout",
    "grace": "--grace",
    "since": "--since",
    "until": "--until",
    "limit": "--limit",
    "lifetime": "--lifetime",
    "permissions": "--permission",
    "roles": "--role",
}
"""The option or variable for the argument with which the message about it begins."""

_PHRASES: Final = (
    # Credentials.
    (
        r"in the environment, or pass api_key= .*",
        "in the environment or in a file (--env-file), or use sample data (--sandbox)",
    ),
    # Rows.
    (r"pass on_invalid='skip' or 'collect' to", "use --on-invalid skip to"),
    (
        r"pass (on_unverified='yield' .*) or (on_unverified='skip')",
        r"use \1, or \2",
    ),
    (r"pass the same page size again", "use the same page size again"),
    (r"with consistency='once'", "without --verify"),
    (r"must be later than since,", "must be later than --since,"),
    (r"\b(since|until)=None", r"no --\1"),
    (r"\b(since|until)=", r"--\1 "),
    (r"pass the same times again", "use the same times again"),
    (r"walk again", "run the command again"),
    (r"Walk again later, or verify the list", "Run the command again later, or use --verify"),
    (r"[Ss]tart a new walk, or (resume without --verify)", r"\1"),
    (r"count the rows of iter_\w+\(\)", "count the rows that list prints"),
    (r"pass it to the method that lists the same", "use the command that lists the same"),
    (r"resume must be the text of a pager's checkpoint", "it is not a checkpoint"),
    (
        r"resume from the checkpoint with a larger max_empty_pages",
        "use a larger --page-size",
    ),
    (r"start a new walk, or resume from the checkpoint later", "run the command again later"),
    (r"resume from the checkpoint when", "run the command again when"),
    (
        r"(repeating or losing rows); start a new walk",
        r"\1; delete the --checkpoint file, if any, and run the command again",
    ),
    (r"(start a new walk) with page_size=", r"\1 with --page-size "),
    (r"pass the room id that resolve_room\(\) returns", "add --custom-id"),
    # Files.
    (r"allow it with file_hosts=\['([^']*)'\]", r"add \1 to VIDEOSDK_FILE_HOSTS"),
    (
        r"""pass errors="replace", or use fetch_bytes""",
        "use --errors replace, or download the file",
    ),
    (r"raise max_file_bytes if that is intended", "the command line accepts no larger files"),
    (r"wait again with a longer grace,", "wait again with a larger --grace,"),
    # Datasets.
    (r"add what is missing by an update", "add what is missing with --update"),
    (r"; pass a transcription or its id", ""),
    # Requests.
    (r"be True, False, or a non-empty prompt, which also enables it", "not be empty"),
    (r"request smaller pages, or raise max_response_bytes", "use a smaller --page-size"),
    (r"or pass ssl=", "or set SSL_CERT_FILE to a file with the certificates to trust"),
    (r"(?:timed out: )?attempt_timeout of (\S+ s)", r"timed out after \1"),
    (r"timed out: (?:page|walk)_timeout", "timed out"),
    (r"allow more time, or resume later", "run the command again later"),
    (r" \((?:max_in_flight, )?(?:rate limit|max_in_flight)\)", ""),
    (
        r"check with iter_transcriptions\('([^']*)'\)",
        r"check with: videosdk-transcripts list \1,",
    ),
    (r"; None selects (the service's default|all)", r"; omit it for \1"),
    (r"pass files_via_proxy=True", "use --files-via-proxy"),
    (r"\bfiles_via_proxy=True", "--files-via-proxy"),
    (r"\btrust_env=True", "--trust-env"),
    # An argument with its value, in any other advice.
    (r"\bon_(invalid|unverified)='(\w+)'", r"--on-\1 \2"),
    (r"\bpage_size=(\d+)", r"--page-size \1"),
)

_FAILURES: Final = {
    "ConnectionFailedError": "no connection",
    "TimedOutError": "no response in time",
    "InvalidResponseError": "unreadable response",
    "ResponseTooLargeError": "unreadable response",
    "RateLimitedError": "rate limited (429)",
}
"""The reason why a request is sent again, by class of error."""

_RULES: Final = (
    *(
        (re.compile(rf"\A{name}(?=:| must | begins | contains | has )"), term)
        for name, term in _NAMES.items()
    ),
    *((re.compile(pattern), term) for pattern, term in _PHRASES),
    *(
        (re.compile(rf"the last poll failed with {name}"), f"the last poll failed: {term}")
        for name, term in _FAILURES.items()
    ),
    (re.compile(r"the last poll failed with \w+"), "the last poll failed: the service failed"),
)


def describe(error: VideoSDKTranscriptsError) -> str:
    """Return the translated message of an error."""
    return translate(str(error))


def describe_record(record: LogRecord) -> str:
    """Return the translated message of a log record."""
    wait: float | None = getattr(record, "wait", None)
    if wait is None:
        return translate(record.getMessage())
    text = f"{describe_failure(record)}, retrying in {wait:.0f} s"
    if getattr(record, "reason", "") == "ConnectionFailedError":
        text += "; to find the reason: videosdk-transcripts doctor"
    return text


def describe_failure(record: LogRecord) -> str:
    """Return the reason why a request is sent again, from the log record of the retry."""
    status = getattr(record, "status", None)
    if status == 429:
        return _FAILURES["RateLimitedError"]
    if status is not None and status != 200:
        return f"the service failed ({status})"
    return _FAILURES.get(getattr(record, "reason", ""), "the request failed")


def translate(message: str) -> str:
    """Return a message in which options and commands replace arguments and methods."""
    for pattern, term in _RULES:
        message = pattern.sub(term, message)
    return message
