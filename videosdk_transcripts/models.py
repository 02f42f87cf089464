"""
What users hold: transcriptions, pages and the counters of a walk.

All classes but the counters are frozen, slotted, picklable and made of plain values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic, TypeVar

from attrs import define, field, frozen

__all__ = [
    "iso",
    "merged",
    "present",
    "says_completed",
    "says_failed",
    "says_running",
    "time_between",
    "unsigned",
    "unsigned_all",
]

# No page of the API names a failure; these two are what programs around it test for.
_FAILED: Final = frozenset({"failed", "error"})
# A signed URL opens the file to whoever reads it in a log.
_SIGNED: Final = re.compile(r"(?<=//)[^/?#]*@|[?#].*", re.DOTALL)


def says_running(status: str | None) -> bool:
    """Tell whether the status says ``running``, in any case."""
    return (status or "").lower() == "running"


def says_completed(status: str | None) -> bool:
    """Tell whether the status says ``completed``, in any case."""
    return (status or "").lower() == "completed"


def says_failed(status: str | None) -> bool:
    """Tell whether the status says ``failed`` or ``error``, in any case."""
    return (status or "").lower() in _FAILED


def time_between(start: datetime | None, end: datetime | None) -> timedelta | None:
    """Return the time from start to end, or None while either is unknown."""
    return None if start is None or end is None else end - start


def unsigned(url: str | None) -> str:
    """Show a URL without its user, query and fragment."""
    return repr(None if url is None else _SIGNED.sub("…", url))


def unsigned_all(files: Mapping[str, str]) -> str:
    """Show a map of files likewise."""
    return repr({name: _SIGNED.sub("…", url) for name, url in files.items()})


def present(**values: Any) -> dict[str, Any]:
    """Return the values that there are."""
    return {key: value for key, value in values.items() if value is not None}


def iso(moment: datetime | None) -> str | None:
    """Write a time as the service does."""
    if moment is None:
        return None
    moment = moment.astimezone(UTC)
    # The service writes milliseconds; more is kept where there is more.
    spec = "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return moment.isoformat(timespec=spec).replace("+00:00", "Z")


def merged(row: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Put what the model has no field for at its place again, as a copy."""
    for key, value in extra.items():
        below = row.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged(below, value)
        else:
            row[key] = deepcopy(value)
    return row


__all__ = ["InvalidRow", "Page", "PostTranscription", "Transcription", "WalkStats"]

T_co = TypeVar("T_co", covariant=True)


# Without a slot for weak references, which nobody needs: see `_rows` for what stands in its way.
@frozen(weakref_slot=False)
class Transcription:
    """
    One transcription of a session, as the service lists it.

    Equal by value, hashed by id. What may be absent from an answer is None, or an
    empty mapping; null, an absent key and ``{}`` are alike.

    Source: https://docs.videosdk.live/api-reference/realtime-communication/fetch-realtime-transcriptions
    """

    id: str
    """The transcription's id."""
    status: str | None = None
    """
    The service's own word. ``running`` and ``completed`` are documented; any other
    survives. ``completed`` does not promise that a file is there: look at `files`.
    """
    room_id: str | None = None
    """The room, from wherever the answer carried it."""
    session_id: str | None = None
    """The session, from wherever the answer carried it."""
    start: datetime | None = None
    """When it began, in UTC."""
    end: datetime | None = None
    """When it ended, in UTC; None while it runs."""
    files: Mapping[str, str] = field(factory=dict, repr=unsigned_all)
    """Format to URL, ``txt`` for one. Empty until the service has written a file."""
    summary_files: Mapping[str, str] = field(factory=dict, repr=unsigned_all)
    """Format to URL of the summary. Empty where there is none."""
    provider: str | None = None
    """Who transcribed."""
    enabled: bool | None = None
    """Whether the extension was enabled."""
    webhook_url: str | None = field(default=None, repr=False)
    """Where the service reports events of this transcription."""
    extra: Mapping[str, Any] = field(factory=dict, repr=False)
    """What the service sent beyond this model, each at its place in the answer."""

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def duration(self) -> timedelta | None:
        """Return the time from start to end, or None while either is unknown."""
        return time_between(self.start, self.end)

    @property
    def is_running(self) -> bool:
        """Tell whether the status says ``running``, in any case."""
        return says_running(self.status)

    @property
    def is_completed(self) -> bool:
        """Tell whether the status says ``completed``, in any case."""
        return says_completed(self.status)

    @property
    def is_failed(self) -> bool:
        """Tell whether the status says ``failed`` or ``error``, in any case."""
        return says_failed(self.status)

    @property
    def is_finished(self) -> bool:
        """Tell whether the status says that nothing more will happen: completed or failed."""
        return self.is_completed or self.is_failed

    def to_dict(self) -> dict[str, Any]:
        """
        Return the row in the service's own shape and words, ready for `json.dumps`.

        What is None or empty is left out, `extra` stands at its place again, and the
        ids are where the list endpoint documents them. The result is the caller's own.
        """
        config = present(roomId=self.room_id, sessionId=self.session_id)
        extension = present(
            enabled=self.enabled, provider=self.provider, extensionConfig=config or None
        )
        row = present(
            id=self.id,
            status=self.status,
            extension=extension or None,
            transcriptionFilePaths=dict(self.files) or None,
            summarizedFilePaths=dict(self.summary_files) or None,
            webhookUrl=self.webhook_url,
            start=iso(self.start),
            end=iso(self.end),
        )
        return merged(row, self.extra)


@frozen
class PostTranscription:
    """
    One transcription of a recording, made after the meeting.

    The same view as `Transcription`: equal by value, hashed by id, None or an empty mapping
    for what is absent, null or ``{}``.

    Source: https://docs.videosdk.live/api-reference/realtime-communication/fetch-post-transcriptions-summary
    """

    id: str
    """The transcription's id."""
    status: str | None = None
    """The service's own word. ``completed`` is documented; any other survives."""
    room_id: str | None = None
    """The room."""
    session_id: str | None = None
    """The session."""
    recording_id: str | None = None
    """The recording that was transcribed."""
    media_url: str | None = field(default=None, repr=unsigned)
    """The recording's file, as the service names it: a URL, or a path of your own storage."""
    start: datetime | None = None
    """When it began, in UTC."""
    end: datetime | None = None
    """When it ended, in UTC; None while it is unknown."""
    files: Mapping[str, str] = field(factory=dict, repr=unsigned_all)
    """Format to URL: ``json``, ``srt``, ``txt``, ``tsv``, ``vtt``. Empty until there is one."""
    summary_files: Mapping[str, str] = field(factory=dict, repr=unsigned_all)
    """Format to URL of the summary. Empty where there is none."""
    user_storage: Any = field(default=None, repr=False)
    """What the service says of a storage of your own, as it came; nobody documents its shape."""
    extra: Mapping[str, Any] = field(factory=dict, repr=False)
    """What the service sent beyond this model."""

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def duration(self) -> timedelta | None:
        """Return the time from start to end, or None while either is unknown."""
        return time_between(self.start, self.end)

    @property
    def is_running(self) -> bool:
        """Tell whether the status says ``running``, in any case."""
        return says_running(self.status)

    @property
    def is_completed(self) -> bool:
        """Tell whether the status says ``completed``, in any case."""
        return says_completed(self.status)

    @property
    def is_failed(self) -> bool:
        """Tell whether the status says ``failed`` or ``error``, in any case."""
        return says_failed(self.status)

    @property
    def is_finished(self) -> bool:
        """Tell whether the status says that nothing more will happen: completed or failed."""
        return self.is_completed or self.is_failed

    def to_dict(self) -> dict[str, Any]:
        """
        Return the row in the service's own shape and words, ready for `json.dumps`.

        What is None or empty is left out. The result is the caller's own.
        """
        row = present(
            id=self.id,
            status=self.status,
            roomId=self.room_id,
            sessionId=self.session_id,
            recordingId=self.recording_id,
            filePath=self.media_url,
            transcriptionFilePaths=dict(self.files) or None,
            summarizedFilePaths=dict(self.summary_files) or None,
            start=iso(self.start),
            end=iso(self.end),
            userStorage=deepcopy(self.user_storage),
        )
        return merged(row, self.extra)


@frozen
class InvalidRow:
    """A row that could not be read, where the caller asked to go on without it."""

    page: int
    """The page it stood on."""
    path: str
    """Where the fault is, as a JSON path into the answer."""
    reason: str
    """What was expected there. Never the value itself."""
    row_id: str | None
    """The row's id, where that could be read."""
    raw: Any = field(repr=False, eq=False)
    """The row as the service sent it; None where it is nested deeper than a hundred levels."""


@frozen(weakref_slot=False)
class Page(Generic[T_co]):
    """
    One page of a list.

    The numbers are the server's. `total` and `last_page` may change between two
    pages, and may be None where the answer named none.
    """

    number: int
    """The number of the page, from 1."""
    items: tuple[T_co, ...]
    """The rows, in the server's order. May be empty, also below the last page."""
    page_size: int | None = None
    """How many rows a page holds, as the server says."""
    last_page: int | None = None
    """The number of the last page, as the server says."""
    total: int | None = None
    """How many rows there are in all, as the server says. Its filter is not verified."""
    foreign_rows_dropped: int = 0
    """Rows of other rooms or sessions that the server sent all the same."""
    unverified_rows: int = 0
    """Rows without ids, whether they were yielded or skipped."""
    invalid_rows: tuple[InvalidRow, ...] = ()
    """Rows that could not be read and were passed over, because that was asked for."""

    @property
    def is_last(self) -> bool:
        """Tell whether the server says that no page follows."""
        return self.last_page is not None and self.number >= self.last_page


@define
class WalkStats:
    """The counters of one walk. They go on counting while it lasts."""

    requests: int = 0
    """Requests sent, repeated ones included, but for what aiohttp repeats by itself."""
    retries: int = 0
    """Requests sent because an earlier one had failed."""
    throttled: int = 0
    """Answers 429 and 503, by which the service asked for less."""
    rows_yielded: int = 0
    """Rows handed out."""
    duplicates_dropped: int = 0
    """Rows that had been listed before in this walk."""
    foreign_rows_dropped: int = 0
    """Rows of other rooms or sessions."""
    unverified_rows: int = 0
    """Rows that named no room or session, yielded or skipped as was asked."""
    invalid_rows: int = 0
    """Rows that could not be read and were passed over."""
    rescans: int = 0
    """Times the walk went back, because rows had moved."""
    passes: int = 1
    """Times the list was walked: one, but for ``consistency="verify"``."""
    drifted: bool = False
    """Whether rows moved while the walk lasted."""
