"""Summarize the export of a shard: counts, digests and errors."""

from __future__ import annotations

import json
from collections.abc import Sized
from typing import Any, Self

from attrs import asdict, field, frozen

from videosdk_transcripts.errors import VideoSDKTranscriptsError

from ._options import Pair
from ._records import Entry


@frozen
class ExportError:
    """
    A session, a row or a text that could not be exported. A line of ``_errors.jsonl``.

    Attributes:
        error: the class of the error.
        reason: what failed, why, and what to do.
        room_id: the room; None if it is unknown.
        session_id: the session; None for all sessions of the room, or if it is unknown.
        transcription_id: the transcription; None if the error is about a session.
    """

    error: str
    reason: str
    room_id: str | None = None
    session_id: str | None = None
    transcription_id: str | None = None

    @classmethod
    def of(
        cls, error: VideoSDKTranscriptsError, pair: Pair | None, row_id: str | None = None
    ) -> Self:
        """
        Return the entry for an error of a call.

        Args:
            error: the error.
            pair: the room and the session; None if unknown.
            row_id: the transcription; None if the error is about a session.

        Returns:
            The entry.
        """
        room_id, session_id = (None, None) if pair is None else pair
        return cls(type(error).__name__, str(error), room_id, session_id, row_id)


def count_repr(errors: Sized) -> str:
    """Return a short repr of a collection: only its length."""
    return f"<{len(errors)}>"


@frozen
class ShardSummary:
    """The counts and digests of one part."""

    shard: str
    part: str
    """The name of the file."""
    size: int
    """The size of the file in bytes."""
    sha256: str
    """The SHA-256 of the file."""
    digest: str
    """The digest of its records, independent of their order and format."""
    rows: int = 0
    texts: int = 0
    missing_texts: int = 0
    """Transcriptions without a file, or whose file was deleted."""
    text_bytes: int = 0
    """The size of the texts in UTF-8."""
    shortfall: int = 0
    """How many rows are missing according to the service's totals."""
    errors: tuple[ExportError, ...] = field(default=(), repr=count_repr)
    recent: tuple[tuple[str, str | None], ...] = field(default=(), repr=count_repr)
    """The ids and starts of rows that the next update will find again."""
    open_rows: tuple[Entry, ...] = field(default=(), repr=count_repr)
    """Rows that may still change, which are not in the part."""

    def dumps(self) -> bytes:
        """Return the summary as JSON."""
        errors = [asdict(error) for error in self.errors]
        return json.dumps({**asdict(self, recurse=False), "errors": errors}).encode()

    @classmethod
    def loads(cls, data: bytes) -> Self:
        """Return the summary in a text from `dumps`."""
        fields: dict[str, Any] = json.loads(data)
        errors = tuple(ExportError(**error) for error in fields.pop("errors"))
        recent = tuple((row_id, start) for row_id, start in fields.pop("recent"))
        open_rows = tuple(Entry(*entry) for entry in fields.pop("open_rows"))
        return cls(**fields, errors=errors, recent=recent, open_rows=open_rows)
