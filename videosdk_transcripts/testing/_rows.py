"""Create rows and pages as the API documents them. Imports no other module of the fake."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from attrs import define

ErrorShape = Literal["message", "error", "nested", "msg", "text", "empty"]
"""The form of an error: the key that has the message, or no JSON."""

FileMaps = Literal["missing", "null", "empty"]
"""The value of the file maps of a row without files."""

FILE_MAPS: Final = ("transcriptionFilePaths", "summarizedFilePaths")

Row = dict[str, Any]
"""One transcription in the documented shape, as JSON data."""

Shape = Literal[
    "documented",
    "data key",
    "numbers as text",
    "no last page",
    "no page info",
    "page and totalPages",
    "pagination",
    "bare array",
]
"""The form of a page: the documented one, or that of another list of the same host."""

EPOCH: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""The start of the first row."""

_CDN: Final = "https://cdn.videosdk.live"
_POST_FORMATS: Final = ("json", "srt", "txt", "tsv", "vtt")


def new_id(source: random.Random) -> str:
    """Return a UUID like those in the vendor's samples. It depends only on the seed."""
    return str(UUID(int=source.getrandbits(128), version=4))


def new_session_id(source: random.Random) -> str:
    """Return a session id like those in the vendor's samples: 24 hexadecimal digits."""
    return f"{source.getrandbits(96):024x}"


def make_row(
    row_id: str,
    *,
    room_id: str | None,
    session_id: str | None,
    status: str = "completed",
    start: datetime = EPOCH,
    duration: timedelta | None = timedelta(minutes=25),
    formats: Iterable[str] = ("txt",),
    summary: bool = True,
    **more: Any,
) -> Row:
    """
    Return one realtime transcription in the documented shape.

    Args:
        row_id: the id, which is also part of the URLs of the files.
        room_id: the room; None to omit it.
        session_id: the session; None to omit it.
        status: the status.
        start: the start, an aware time.
        duration: the duration; None for a transcription that has not ended.
        formats: the formats of the files; empty for a row without file maps.
        summary: whether there is a summary in addition to the files.
        more: additional keys, or replacements for the ones above.
    """
    row_id = plain(row_id)
    return (
        {
            "id": row_id,
            "status": plain(status),
            "extension": {
                "enabled": True,
                "provider": "videosdk",
                "extensionConfig": _present(roomId=plain(room_id), sessionId=plain(session_id)),
            },
        }
        | _file_maps(row_id, formats, summary=summary)
        | _times(start, duration)
        | more
    )


def make_post_row(
    row_id: str,
    *,
    room_id: str | None,
    session_id: str | None,
    status: str = "completed",
    start: datetime = EPOCH,
    duration: timedelta | None = timedelta(minutes=25),
    formats: Iterable[str] = _POST_FORMATS,
    summary: bool = True,
    **more: Any,
) -> Row:
    """Return one transcription of a recording; for the arguments, see `make_row`."""
    row_id = plain(row_id)
    return (
        {"id": row_id, "status": plain(status)}
        | _present(roomId=plain(room_id), sessionId=plain(session_id))
        | {
            "recordingId": row_id.replace("-", "")[:24],
            "filePath": f"{_CDN}/recordings/{row_id}.mp4",
        }
        | _file_maps(row_id, formats, summary=summary)
        | _times(start, duration)
        | {"userStorage": None}
        | more
    )


def make_room(room_id: str, custom_id: str | None) -> Row:
    """Return a room in the documented shape, without its creator."""
    number = uuid5(NAMESPACE_URL, room_id).hex[:24]
    return {
        "roomId": room_id,
        "customRoomId": custom_id,
        "disabled": False,
        "createdAt": iso(EPOCH),
        "updatedAt": iso(EPOCH),
        "id": number,
        "links": {
            "get_room": f"https://api.videosdk.live/v2/rooms/{room_id}",
            "get_session": "https://api.videosdk.live/v2/sessions/",
        },
    }


def plain(value: Any) -> Any:
    """
    Return the text of a string as an exact `str`, and any other value unchanged.

    A member of ``class Room(str, Enum)`` would be formatted as ``Room.SALES`` in a URL, and its
    hash differs from that of its text.
    """
    return str.__str__(value) if isinstance(value, str) else value


def iso(moment: datetime) -> str:
    """Return a time as in the vendor's samples: UTC with milliseconds and ``Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fill_file_maps(row: Row, instead: FileMaps) -> Row:
    """Return a row in which null or an empty object replaces each missing file map."""
    if instead == "missing":
        return row
    filler: Row | None = None if instead == "null" else {}
    return row | {name: row.get(name) or filler for name in FILE_MAPS}


def find_id(row: Row, key: Literal["roomId", "sessionId"]) -> Any:
    """Return an id from the extension of a row, or else from its top level; None if missing."""
    extension = row.get("extension")
    config = extension.get("extensionConfig") if isinstance(extension, dict) else None
    found = config if isinstance(config, dict) else {}
    return found.get(key, row.get(key))


def select_rows(rows: Iterable[Row], query: Mapping[str, str]) -> list[Row]:
    """Return the rows of the room and the session of a query, in the same order."""
    keys: tuple[Literal["roomId", "sessionId"], ...] = ("roomId", "sessionId")
    selected = list(rows)
    for key in keys:
        wanted = query.get(key)
        if wanted is not None:
            selected = [row for row in selected if find_id(row, key) == wanted]
    return selected


def _present(**values: Any) -> Row:
    return {key: value for key, value in values.items() if value is not None}


def _file_maps(row_id: str, formats: Iterable[str], *, summary: bool) -> Row:
    base = f"{_CDN}/transcriptions/{row_id}/{row_id}"
    files = {ending: f"{base}.{ending}" for ending in map(plain, formats)}
    if not files:
        return {}
    maps: Row = {"transcriptionFilePaths": files}
    return maps | ({"summarizedFilePaths": {"txt": f"{base}-summary.txt"}} if summary else {})


def _times(start: datetime, duration: timedelta | None) -> Row:
    return {"start": iso(start)} | ({} if duration is None else {"end": iso(start + duration)})


@define
class Listing:
    """
    One page of rows with its page information, before it becomes JSON.

    Attributes:
        rows: the rows, in the documented shape.
        current_page: the number of the page, from 1.
        per_page: the number of rows per page.
        last_page: the number of the last page.
        total: the number of rows on all pages.
    """

    rows: list[Row]
    current_page: int
    per_page: int
    last_page: int
    total: int

    def envelope(self, shape: Shape = "documented") -> Any:
        """
        Return the page as JSON data, in the documented shape or in another one.

        Args:
            shape: the shape.

        Returns:
            An object, or an array for ``bare array``.
        """
        return _ENVELOPES[shape](self)


def _info(page: Listing) -> dict[str, Any]:
    return {
        "currentPage": page.current_page,
        "perPage": page.per_page,
        "lastPage": page.last_page,
        "total": page.total,
    }


def _without_last_page(page: Listing) -> dict[str, Any]:
    info = _info(page)
    del info["lastPage"]
    return {**info, "totalItems": page.total}


_ENVELOPES: Final[dict[Shape, Callable[[Listing], Any]]] = {
    "documented": lambda page: {"pageInfo": _info(page), "transcriptions": page.rows},
    "data key": lambda page: {"pageInfo": _info(page), "data": page.rows},
    "numbers as text": lambda page: {
        "pageInfo": {key: str(value) for key, value in _info(page).items()},
        "transcriptions": page.rows,
    },
    "no last page": lambda page: {
        "pageInfo": _without_last_page(page),
        "transcriptions": page.rows,
    },
    "no page info": lambda page: {"transcriptions": page.rows},
    "page and totalPages": lambda page: {
        "pageInfo": {"page": page.current_page, "totalPages": page.last_page},
        "transcriptions": page.rows,
    },
    "pagination": lambda page: {
        "pagination": {
            "page": page.current_page,
            "perPage": page.per_page,
            "totalPages": page.last_page,
            "total": page.total,
        },
        "records": page.rows,
    },
    "bare array": lambda page: page.rows,
}
