"""
Public data classes: transcriptions, pages and the counters of a walk.

All classes except the counters are frozen, picklable and consist of plain values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic, TypeVar

from attrs import define, field, frozen

__all__ = ["InvalidRow", "Page", "PostTranscription", "Transcription", "WalkStats"]

T_co = TypeVar("T_co", covariant=True)


# What the two kinds of transcription have in common.


# Documented are "running" and "completed" alone. The other words are assumptions: sibling jobs
# of the service use "queued", "stopping", "stopped" and "failed", and programs test for "error".
_RUNNING: Final = frozenset({"queued", "running", "stopping"})
_FAILED: Final = frozenset({"failed", "error"})
_FINISHED: Final = frozenset({"completed", "stopped"}) | _FAILED


def _word(status: str | None) -> str:
    return (status or "").lower()


def _duration(start: datetime | None, end: datetime | None) -> timedelta | None:
    return None if start is None or end is None else end - start


# A signature in a URL gives access to the file to every reader of a log.
_SIGNATURE: Final = re.compile(r"(?<=//)[^/?#]*@|[?#].*", re.DOTALL)


def _repr_url(url: str | None) -> str:
    """Return the repr of a URL without its user, query and fragment."""
    return repr(None if url is None else _SIGNATURE.sub("…", url))


def _repr_urls(files: Mapping[str, str]) -> str:
    return repr({name: _SIGNATURE.sub("…", url) for name, url in files.items()})


def _present(**values: Any) -> dict[str, Any]:
    """Return the values that are not None."""
    return {key: value for key, value in values.items() if value is not None}


def _iso(time: datetime | None) -> str | None:
    """Write a time as in the vendor's samples: in UTC, with milliseconds."""
    if time is None:
        return None
    time = time.astimezone(UTC)
    # Microseconds are written only if there are any.
    spec = "microseconds" if time.microsecond % 1000 else "milliseconds"
    return time.isoformat(timespec=spec).replace("+00:00", "Z")


def _merge(row: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Add a copy of `extra` to a row, each key at its place."""
    for key, value in extra.items():
        below = row.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            _merge(below, value)
        else:
            row[key] = deepcopy(value)
    return row


@frozen(slots=False)  # a frozen class with slots takes twice as long to create
class Transcription:
    """
    One transcription of a session, as the service lists it.

    Equal by value, hashed by id. What is absent from a response is None, or an empty
    mapping; a missing key, null and ``{}`` are equivalent.

    Source: https://docs.videosdk.live/api-reference/realtime-communication/fetch-realtime-transcriptions
    """

    id: str
    """The transcription's id."""
    status: str | None = None
    """
    The status as sent by the service. ``running`` and ``completed`` are documented; others
    are kept. ``completed`` does not guarantee that a file exists: check `files`.
    """
    room_id: str | None = None
    """The room, from either place in which a response has it."""
    session_id: str | None = None
    """The session, from either place in which a response has it."""
    start: datetime | None = None
    """Start time, in UTC."""
    end: datetime | None = None
    """End time, in UTC; None while it is running."""
    files: Mapping[str, str] = field(factory=dict, repr=_repr_urls)
    """Format, such as ``txt``, to URL. Empty until there is a file."""
    summary_files: Mapping[str, str] = field(factory=dict, repr=_repr_urls)
    """Format to URL of the summary. Empty if there is none."""
    provider: str | None = None
    """The provider of the transcription."""
    enabled: bool | None = None
    """Whether the extension was enabled."""
    webhook_url: str | None = field(default=None, repr=False)
    """The URL that receives events of this transcription."""
    extra: Mapping[str, Any] = field(factory=dict, repr=False)
    """What the service sent beyond this model, nested as in the response."""

    # Written out, because it runs for every row and attrs' own takes a fifth longer.
    def __init__(  # noqa: PLR0917 - rows are created by position, which costs less
        self,
        id: str,  # noqa: A002 - the field is named as in the API
        status: str | None = None,
        room_id: str | None = None,
        session_id: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        files: Mapping[str, str] | None = None,
        summary_files: Mapping[str, str] | None = None,
        provider: str | None = None,
        enabled: bool | None = None,
        webhook_url: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        values = self.__dict__
        values["id"] = id
        values["status"] = status
        values["room_id"] = room_id
        values["session_id"] = session_id
        values["start"] = start
        values["end"] = end
        values["files"] = {} if files is None else files
        values["summary_files"] = {} if summary_files is None else summary_files
        values["provider"] = provider
        values["enabled"] = enabled
        values["webhook_url"] = webhook_url
        values["extra"] = {} if extra is None else extra

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def duration(self) -> timedelta | None:
        """Return the time from start to end, or None if either is unknown."""
        return _duration(self.start, self.end)

    @property
    def is_running(self) -> bool:
        """
        Return whether it is ``running``, ``queued`` or ``stopping``, compared case-insensitively.

        Only ``running`` is documented.
        """
        return _word(self.status) in _RUNNING

    @property
    def is_completed(self) -> bool:
        """Return whether the status is ``completed``, compared case-insensitively."""
        return _word(self.status) == "completed"

    @property
    def is_failed(self) -> bool:
        """Return whether the status is ``failed`` or ``error``, compared case-insensitively."""
        return _word(self.status) in _FAILED

    @property
    def is_finished(self) -> bool:
        """Return whether it has completed or failed, or is ``stopped``, which is undocumented."""
        return _word(self.status) in _FINISHED

    def to_dict(self) -> dict[str, Any]:
        """
        Return the row in the documented shape of the API, ready for `json.dumps`.

        Values that are None or empty are omitted, `extra` is merged in at its place, and the
        ids are where the list endpoint documents them. The result is a copy.
        """
        config = _present(roomId=self.room_id, sessionId=self.session_id)
        extension = _present(
            enabled=self.enabled, provider=self.provider, extensionConfig=config or None
        )
        row = _present(
            id=self.id,
            status=self.status,
            extension=extension or None,
            transcriptionFilePaths=dict(self.files) or None,
            summarizedFilePaths=dict(self.summary_files) or None,
            webhookUrl=self.webhook_url,
            start=_iso(self.start),
            end=_iso(self.end),
        )
        return _merge(row, self.extra)


@frozen(slots=False)  # a frozen class with slots takes twice as long to create
class PostTranscription:
    """
    One transcription of a recording, created after the meeting.

    Like `Transcription`: equal by value, hashed by id, None or an empty mapping for what is
    absent, null or ``{}``.

    Source: https://docs.videosdk.live/api-reference/realtime-communication/fetch-post-transcriptions-summary
    """

    id: str
    """The transcription's id."""
    status: str | None = None
    """The status as sent by the service. ``completed`` is documented; others are kept."""
    room_id: str | None = None
    """The room."""
    session_id: str | None = None
    """The session."""
    recording_id: str | None = None
    """The recording that was transcribed."""
    media_url: str | None = field(default=None, repr=_repr_url)
    """The file of the recording: a URL, or a path in the account's own storage."""
    start: datetime | None = None
    """Start time, in UTC."""
    end: datetime | None = None
    """End time, in UTC; None if unknown."""
    files: Mapping[str, str] = field(factory=dict, repr=_repr_urls)
    """Format (``json``, ``srt``, ``txt``, ``tsv``, ``vtt``) to URL. Empty until a file exists."""
    summary_files: Mapping[str, str] = field(factory=dict, repr=_repr_urls)
    """Format to URL of the summary. Empty if there is none."""
    user_storage: Any = field(default=None, repr=False)
    """The account's own storage, as the service sent it; its shape is undocumented."""
    extra: Mapping[str, Any] = field(factory=dict, repr=False)
    """What the service sent beyond this model, nested as in the response."""

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def duration(self) -> timedelta | None:
        """Return the time from start to end, or None if either is unknown."""
        return _duration(self.start, self.end)

    @property
    def is_running(self) -> bool:
        """
        Return whether it is ``running``, ``queued`` or ``stopping``, compared case-insensitively.

        Only ``running`` is documented.
        """
        return _word(self.status) in _RUNNING

    @property
    def is_completed(self) -> bool:
        """Return whether the status is ``completed``, compared case-insensitively."""
        return _word(self.status) == "completed"

    @property
    def is_failed(self) -> bool:
        """Return whether the status is ``failed`` or ``error``, compared case-insensitively."""
        return _word(self.status) in _FAILED

    @property
    def is_finished(self) -> bool:
        """Return whether it has completed or failed, or is ``stopped``, which is undocumented."""
        return _word(self.status) in _FINISHED

    def to_dict(self) -> dict[str, Any]:
        """
        Return the row in the documented shape of the API, ready for `json.dumps`.

        Values that are None or empty are omitted, and `extra` is merged in at its place. The
        result is a copy.
        """
        row = _present(
            id=self.id,
            status=self.status,
            roomId=self.room_id,
            sessionId=self.session_id,
            recordingId=self.recording_id,
            filePath=self.media_url,
            transcriptionFilePaths=dict(self.files) or None,
            summarizedFilePaths=dict(self.summary_files) or None,
            start=_iso(self.start),
            end=_iso(self.end),
            userStorage=deepcopy(self.user_storage),
        )
        return _merge(row, self.extra)


@frozen
class InvalidRow:
    """A row that could not be read, and that the caller chose to skip or collect."""

    page: int
    """The page that had the row."""
    path: str
    """Where the fault is, as a JSON path into the response."""
    reason: str
    """What was expected there, without the value."""
    row_id: str | None
    """The row's id, or None if it could not be read."""
    raw: Any = field(repr=False, eq=False)
    """The row as the service sent it; None if it is nested deeper than a hundred levels."""


@frozen(slots=False)
class Page(Generic[T_co]):
    """
    One page of a list.

    The numbers are the server's. `total` and `last_page` may change between two pages, and
    are None if the response has none.
    """

    number: int
    """The number of the page, from 1."""
    items: tuple[T_co, ...]
    """The rows, in the server's order. May be empty, even below the last page."""
    page_size: int | None = None
    """How many rows a page has, according to the server."""
    last_page: int | None = None
    """The number of the last page, according to the server."""
    total: int | None = None
    """How many rows there are in total, according to the server; its filter is not verified."""
    foreign_rows_dropped: int = 0
    """Rows of other rooms or sessions that the server sent nevertheless."""
    unverified_rows: int = 0
    """Rows without the ids to verify them, yielded or skipped."""
    invalid_rows: tuple[InvalidRow, ...] = ()
    """Rows that could not be read and were skipped on request."""

    @property
    def is_last(self) -> bool:
        """Return whether this is the last page, according to the server."""
        return self.last_page is not None and self.number >= self.last_page

    def to_dict(self) -> dict[str, Any]:
        """
        Return the page in the service's own shape, ready for `json.dumps`.

        It has ``pageInfo``, without the numbers that are unknown, and ``transcriptions``, the
        rows as their own `to_dict` returns them. Rows that were dropped or could not be read
        are not in it.
        """
        info = _present(
            currentPage=self.number,
            perPage=self.page_size,
            lastPage=self.last_page,
            total=self.total,
        )
        rows: tuple[Any, ...] = self.items
        return {"pageInfo": info, "transcriptions": [row.to_dict() for row in rows]}


@define
class WalkStats:
    """
    The counters of one walk, updated while it runs.

    `Pager.stats` returns them; they are complete when the walk has ended::

        pager = client.iter_transcriptions(room_id)
        rows = [t async for t in pager]
        if pager.stats.shortfall:
            print(f"{pager.stats.shortfall} rows are missing")
    """

    requests: int = 0
    """Requests sent, including retries, except for those that aiohttp itself resends."""
    retries: int = 0
    """Requests sent because an earlier one had failed."""
    throttled: int = 0
    """Responses with status 429 or 503, by which the service throttles."""
    rows_yielded: int = 0
    """Rows yielded so far, each once."""
    duplicates_dropped: int = 0
    """Rows that were listed before in this walk."""
    foreign_rows_dropped: int = 0
    """Rows of other rooms or sessions, which were dropped."""
    only_foreign_rows: bool = False
    """Whether the walk has ended and found rows, but only of other rooms or sessions."""
    unverified_rows: int = 0
    """Rows without the ids to verify them, yielded or skipped on request."""
    invalid_rows: int = 0
    """Rows that could not be read and were skipped on request."""
    rows_out_of_range: int = 0
    """Rows that started before ``since=``, or at or after ``until=``, and were not yielded."""
    rows_without_start: int = 0
    """Rows without a start, which were not yielded because ``since=`` or ``until=`` was given."""
    rescans: int = 0
    """Number of times that earlier pages were read again because rows had moved."""
    passes: int = 1
    """Number of passes over the list: one, or more with ``consistency="verify"``."""
    drifted: bool = False
    """Whether rows moved during the walk."""
    repaired: int = 0
    """Rows that only the repair at the end found; they were yielded last."""
    shortfall: int | None = None
    """
    Rows that are missing: the total minus all rows that were met, those of other rooms included.

    None before the end of the walk, and if the service reports no total.
    """
