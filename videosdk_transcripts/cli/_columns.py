"""What of a row is printed, and how: for a person or for a program."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from videosdk_transcripts import PostTranscription, Transcription

from ._text import formats

Row = Transcription | PostTranscription

FOR_LINES: Final = ("id", "status", "start", "end", "room", "session", "files")
"""In a line with tabs. Others are asked for by name; the order is promised."""
FOR_TABLES: Final = ("id", "start", "duration", "status", "room", "session", "files")


def _day(t: Row) -> str:
    return f"{t.start:%Y-%m-%d %H:%M}" if t.start else ""


def _end_day(t: Row) -> str:
    return f"{t.end:%Y-%m-%d %H:%M}" if t.end else ""


def _length(t: Row) -> str:
    return str(t.duration).partition(".")[0] if t.duration and t.duration.days >= 0 else ""


def _seconds(length: timedelta) -> str:
    # As the service counts them, to the millisecond, and never as 2e+07.
    return f"{length.total_seconds():.3f}".rstrip("0").rstrip(".")


_CELLS: Final[dict[str, Callable[[Row], str | None]]] = {
    "id": lambda t: t.id,
    "status": lambda t: t.status,
    "start": lambda t: t.start.isoformat() if t.start else None,
    "end": lambda t: t.end.isoformat() if t.end else None,
    "duration": lambda t: None if t.duration is None else _seconds(t.duration),
    "room": lambda t: t.room_id,
    "session": lambda t: t.session_id,
    "files": formats,
}
_SHOWN: Final = {**_CELLS, "start": _day, "end": _end_day, "duration": _length}
_HEADINGS: Final = {"start": "Start (UTC)", "end": "End (UTC)"}


def cells(t: Row, columns: tuple[str, ...]) -> list[str]:
    """Return the cells of a row for a program: times in ISO 8601, a duration in seconds."""
    return [_CELLS[name](t) or "" for name in columns]


def shown(t: Row, column: str) -> str:
    """Return a cell of a row for a person: times to the minute, a duration to the second."""
    return _SHOWN[column](t) or ""


def heading(column: str) -> str:
    """Return the head of a column for a person."""
    return _HEADINGS.get(column, column.capitalize())
