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

    Attributes:
        id: the transcription's id.
        status: the status as sent by the service; None if it sent none. ``running`` and
            ``completed`` are documented; others are kept. ``completed`` does not guarantee that
            a file exists: check `files`.
        room_id: the room, from either place in which a response has it; None if it is in
            neither.
        session_id: the session, from either place in which a response has it; None if it is in
            neither.
        start: when it started, in UTC; None if unknown.
        end: when it ended, in UTC; None while it is running, or if unknown.
        files: format, such as ``txt``, to URL. Empty until there is a file.
        summary_files: format to URL of the summary. Empty if there is none.
        provider: the provider of the transcription; None if unknown.
        enabled: whether the extension was enabled; None if unknown.
        webhook_url: the URL that receives events of this transcription; None if the response
            has none. Only the responses to a start and a stop are documented to have one.
        extra: what the service sent beyond this model, nested as in the response; usually
            empty.
    """

    id: str
    status: str | None = None
    room_id: str | None = None
    session_id: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    files: Mapping[str, str] = field(factory=dict, repr=_repr_urls)
    summary_files: Mapping[str, str] = field(factory=dict, repr=_repr_urls)
    provider: str | None = None
    enabled: bool | None = None
    webhook_url: str | None = field(default=None, repr=False)
    extra: Mapping[str, Any] = field(factory=dict, repr=False)

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

    Attributes:
        id: the transcription's id.
        status: the status as sent by the service; None if it sent none. ``completed`` is
            documented; others are kept.
        room_id: the room; None if unknown.
        session_id: the session; None if unknown.
        recording_id: the recording that was transcribed; None if unknown.
        media_url: the file of the recording: a URL, or a path in the account's own storage;
            None if unknown.
        start: when it started, in UTC; None if unknown.
        end: when it ended, in UTC; None if unknown.
        files: format (``json``, ``srt``, ``txt``, ``tsv``, ``vtt``) to URL. Empty until a file
            exists.
        summary_files: format to URL of the summary. Empty if there is none.
        user_storage: the account's own storage, as the service sent it, whose shape is
            undocumented; None if it sent none.
        extra: what the service sent beyond this model, nested as in the response; usually
            empty.
    """

    id: str
    status: str | None = None
    room_id: str | None = None
    session_id: str | None = None
    recording_id: str | None = None
    media_url: str | None = field(default=None, repr=_repr_url)
    start: datetime | None = None
    end: datetime | None = None
    files: Mapping[str, str] = field(factory=dict, repr=_repr_urls)
    summary_files: Mapping[str, str] = field(factory=dict, repr=_repr_urls)
    user_storage: Any = field(default=None, repr=False)
    extra: Mapping[str, Any] = field(factory=dict, repr=False)

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
    """
    A row that could not be read, and that the caller chose to skip or collect.

    Attributes:
        page: the number of the page that had the row, from 1.
        path: where the fault is, as a JSON path into the response.
        reason: what was expected there, without the value that was found.
        row_id: the row's id; None if it could not be read.
        raw: the row as the service sent it; None if it is nested deeper than a hundred levels.
    """

    page: int
    path: str
    reason: str
    row_id: str | None
    raw: Any = field(repr=False, eq=False)


@frozen(slots=False)
class Page(Generic[T_co]):
    """
    One page of a list.

    The numbers are the server's. `total` and `last_page` may change between two pages, and
    are None if the response has none.

    Attributes:
        number: the number of the page, from 1.
        items: the rows, in the server's order. May be empty, even below the last page.
        page_size: how many rows a page has, according to the server; None if it is not known.
        last_page: the number of the last page, according to the server; None if it is not
            known.
        total: how many rows there are in total, according to the server, whose filter is not
            verified; None if it is not known.
        foreign_rows_dropped: the number of rows of other rooms or sessions, which the server
            sent nevertheless.
        unverified_rows: the number of rows without the ids to verify them, yielded or skipped.
        invalid_rows: rows that could not be read and were skipped or collected on request;
            usually empty.
    """

    number: int
    items: tuple[T_co, ...]
    page_size: int | None = None
    last_page: int | None = None
    total: int | None = None
    foreign_rows_dropped: int = 0
    unverified_rows: int = 0
    invalid_rows: tuple[InvalidRow, ...] = ()

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

    Attributes:
        requests: requests sent, including retries, except for those that aiohttp itself
            resends.
        retries: requests sent because an earlier one had failed.
        throttled: responses with status 429 or 503, by which the service throttles.
        rows_yielded: rows yielded so far, each once.
        duplicates_dropped: rows that were listed before in this walk.
        foreign_rows_dropped: rows of other rooms or sessions, which were dropped.
        only_foreign_rows: whether the walk has ended and found rows, but only of other rooms or
            sessions.
        unverified_rows: rows without the ids to verify them, yielded or skipped on request.
        invalid_rows: rows that could not be read and were skipped on request.
        rows_out_of_range: rows that started before ``since=``, or at or after ``until=``, and
            were not yielded.
        rows_without_start: rows without a start, which were not yielded because ``since=`` or
            ``until=`` was given.
        rescans: how often earlier pages were read again because rows had moved.
        passes: how often the list was read: once, or more with ``consistency="verify"``.
        drifted: whether rows moved during the walk.
        repaired: rows that only the repair at the end found; they were yielded last.
        shortfall: rows that are missing: the total minus all rows that were met, those of other
            rooms included; 0 if none is. None before the end of the walk, and if the service
            reports no total.
    """

    requests: int = 0
    retries: int = 0
    throttled: int = 0
    rows_yielded: int = 0
    duplicates_dropped: int = 0
    foreign_rows_dropped: int = 0
    only_foreign_rows: bool = False
    unverified_rows: int = 0
    invalid_rows: int = 0
    rows_out_of_range: int = 0
    rows_without_start: int = 0
    rescans: int = 0
    passes: int = 1
    drifted: bool = False
    repaired: int = 0
    shortfall: int | None = None
