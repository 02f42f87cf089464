"""Convert rows to records, which have the same values in every format, and digest them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final, NamedTuple

from videosdk_transcripts import Transcription, Turn

from ._options import Options

Record = dict[str, Any]

_LINE_BREAKS: Final = tuple(
    (chr(code).encode(), b"\\u%04x" % code) for code in (0x85, 0x2028, 0x2029)
)
_MODULUS: Final = 2**256


class Entry(NamedTuple):
    """A record, and the size of its text."""

    record: Record
    text_bytes: int | None
    """The size of the text in UTF-8; None if there is no text."""


def columns(options: Options) -> list[str]:
    """Return the columns of a dataset, in order."""
    names = ["id", "room_id", "session_id", "status", "start", "end", "provider", "files", "extra"]
    return names + ["text"] * options.text + ["turns"] * options.turns


def make_record(
    row: Transcription, options: Options, text: str | None, turns: Sequence[Turn] | None
) -> Record:
    """
    Return a row with its text as JSON.

    Times are in UTC with milliseconds. Links are omitted, because they expire and may be signed.
    Values that the model has no field for are kept as JSON text.
    """
    record: Record = {
        "id": _valid(row.id),
        "room_id": _valid(row.room_id),
        "session_id": _valid(row.session_id),
        "status": _valid(row.status),
        "start": _time(row.start),
        "end": _time(row.end),
        "provider": _valid(row.provider),
        "files": sorted(_valid(name) or "" for name in row.files),
        "extra": _valid(json.dumps(row.extra, sort_keys=True)) if row.extra else None,
    }
    if options.text:
        record["text"] = _valid(text)
    if options.turns:
        record["turns"] = None if turns is None else [_turn(turn) for turn in turns]
    return record


def _turn(turn: Turn) -> Record:
    return {
        "speaker": _valid(turn.speaker),
        "text": _valid(turn.text),
        "start": turn.start,
        "end": turn.end,
    }


def _time(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _valid(text: str | None) -> str | None:
    """Return a text that can be encoded, because JSON may contain lone surrogates."""
    if text is None:
        return None
    # A new string, because a subclass of `str` may have another repr.
    return text.encode("utf-8", "replace").decode("utf-8")


def is_open(entry: Entry, options: Options, recent_since: datetime) -> bool:
    """
    Return whether a row may still change: it is running, or its text may still appear.

    A missing text is expected until the row is older than the overlap of an update.
    """
    record, text_bytes = entry
    if Transcription(record["id"], status=record["status"]).is_running:
        return True
    last = record["end"] or record["start"]
    if not options.needs_files or text_bytes is not None or last is None:
        return False
    return datetime.fromisoformat(last) >= recent_since


def is_recent(record: Record, recent_since: datetime) -> bool:
    """Return whether the next update will find a row again."""
    return record["start"] is None or datetime.fromisoformat(record["start"]) >= recent_since


def to_line(record: Record) -> bytes:
    """
    Return a record as a line of JSON, without the line break.

    Unicode line breaks are escaped, because many programs split lines at them.
    """
    line = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
    for encoded, escaped in _LINE_BREAKS:
        line = line.replace(encoded, escaped)
    return line


class Digest:
    """
    Compute a digest of a set of records, independent of their order, parts and format.

    It is the sum of the SHA-256 digests of the records as JSON, modulo 2**256.
    """

    def __init__(self, text: str = "") -> None:
        self._sum = int(text, 16) if text else 0

    def add(self, line: bytes) -> None:
        """Add a record, passed as the result of `to_line`."""
        self._sum = (self._sum + int.from_bytes(sha256(line).digest())) % _MODULUS

    def merge(self, text: str) -> None:
        """Add all records of another digest."""
        self._sum = (self._sum + int(text, 16)) % _MODULUS

    def __str__(self) -> str:
        return f"{self._sum:064x}"
