"""Rows and pages in the service's own shape."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from attrs import define

Row = dict[str, Any]
"""One row, as the service writes it."""

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

EPOCH: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_CDN: Final = "https://cdn.videosdk.live/transcriptions"


@define
class Listing:
    """One page of rows with its page information, before it becomes an envelope."""

    rows: list[Row]
    current_page: int
    per_page: int
    last_page: int
    total: int

    def envelope(self, shape: Shape = "documented") -> Any:
        """Return the page in a shape: the documented one, or one of a sibling endpoint."""
        return SHAPES[shape](self)


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


SHAPES: Final[dict[Shape, Callable[[Listing], Any]]] = {
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


def new_id(source: random.Random) -> str:
    """Return an id like the service's own, the same for the same seed."""
    return str(UUID(int=source.getrandbits(128), version=4))


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
    Make one row in the documented shape.

    Args:
        row_id: its id, also in the URLs of its files.
        room_id: the room, or None for a row that does not name it.
        session_id: the session, or None likewise.
        status: the service's word.
        start: an aware time.
        duration: None for one that has not ended.
        formats: the files there are; none for a row without file maps.
        summary: whether there is a summary beside the files.
        more: further keys, or other values for the ones above.
    """
    config = {"roomId": room_id, "sessionId": session_id}
    row: Row = {
        "id": row_id,
        "status": status,
        "extension": {
            "enabled": True,
            "provider": "videosdk",
            "extensionConfig": {key: value for key, value in config.items() if value is not None},
        },
    }
    files = {ending: f"{_CDN}/{row_id}/{row_id}.{ending}" for ending in formats}
    if files:
        row["transcriptionFilePaths"] = files
    if files and summary:
        row["summarizedFilePaths"] = {"txt": f"{_CDN}/{row_id}/{row_id}-summary.txt"}
    row["start"] = iso(start)
    if duration is not None:
        row["end"] = iso(start + duration)
    return row | more


def iso(moment: datetime) -> str:
    """Write a time as the service does."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def belongs(row: Row, query: Mapping[str, str]) -> bool:
    """Tell whether a row is of the room and the session that a query asks for."""
    config = (row.get("extension") or {}).get("extensionConfig") or {}
    return all(
        query.get(key) in (None, config.get(key, row.get(key))) for key in ("roomId", "sessionId")
    )
