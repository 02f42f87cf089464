"""
Where a walk can be taken up again, as versioned JSON that survives the process.

The text is plain, so that it can be read in a log or a database: it names the filter
and the ids handed out last, and holds no secret.
"""

from __future__ import annotations

import json
from typing import Any, Final

from attrs import asdict, frozen

from videosdk_transcripts._api.filter import Filter
from videosdk_transcripts.errors import ConfigurationError

_VERSION: Final = 1
REALTIME: Final = "realtime-transcriptions"
POST: Final = "post-transcriptions"
"""The two lists that can be walked, by their names in the API."""


@frozen
class Position:
    """The page to ask for next, and what the server had said when the walk came there."""

    page: int
    page_size: int
    total: int | None = None
    last_page: int | None = None
    moving: bool = False
    """Whether rows may have moved, and have not been looked for yet."""
    gap_before: frozenset[str] = frozenset()
    """Rows among those handed out last before which one may be missing."""


@frozen
class Checkpoint:
    """A position, exact to the row: the newest ids tell which rows were handed out."""

    wanted: Filter
    asked_page_size: int
    position: Position
    recent: tuple[str, ...]
    complete_from_page: int = 1
    """The page from which on the newest ids are all that was handed out."""
    listed: str = REALTIME
    """Which list was walked."""

    def dumps(self) -> str:
        """Write it as JSON."""
        return json.dumps(
            {
                "version": _VERSION,
                "list": self.listed,
                "room_id": self.wanted.room_id,
                "session_id": self.wanted.session_id,
                "asked_page_size": self.asked_page_size,
                **asdict(self.position),
                "complete_from_page": self.complete_from_page,
                "recent": self.recent,
                # In the order of the others, so that the same walk gives the same text.
                "gap_before": [i for i in self.recent if i in self.position.gap_before],
            }
        )

    @classmethod
    def loads(
        cls, text: object, wanted: Filter, asked_page_size: int, listed: str = REALTIME
    ) -> Checkpoint:
        """
        Read what `dumps` wrote.

        Raises:
            ConfigurationError: it is no checkpoint, of another version, or of a walk
                over another list, or with another filter or page size.
        """
        data = _parse(text)
        if data["list"] != listed:
            raise ConfigurationError(
                f"the checkpoint is of a walk over the {data['list']}, this one is over the "
                f"{listed}; give it to the call that walks the same list"
            )
        theirs = Filter(data["room_id"], data["session_id"])
        if theirs != wanted:
            raise ConfigurationError(
                f"the checkpoint is of a walk over {theirs}, this one is over {wanted}; "
                "ask for the same room and session again"
            )
        if data["asked_page_size"] != asked_page_size:
            raise ConfigurationError(
                f"the checkpoint is of a walk with page_size={data['asked_page_size']}, this one "
                f"has page_size={asked_page_size}; ask for the same page size again"
            )
        position = Position(
            data["page"],
            data["page_size"],
            data["total"],
            data["last_page"],
            data["moving"],
            frozenset(data["gap_before"]),
        )
        recent = tuple(data["recent"])
        return cls(wanted, asked_page_size, position, recent, data["complete_from_page"], listed)


def _parse(text: object) -> dict[str, Any]:
    try:
        data = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or "version" not in data:
        raise ConfigurationError("resume must be a text that a pager gave as its checkpoint")
    if data["version"] != _VERSION:
        raise ConfigurationError(
            f"the checkpoint has version {data['version']!r}, this release reads version "
            f"{_VERSION}; start a new walk, or use the release that wrote it"
        )
    if data.get("list") not in (REALTIME, POST) or not all(
        key in data and fits(data[key]) for key, fits in _FIELDS.items()
    ):
        raise ConfigurationError("the checkpoint is damaged; start a new walk")
    return data


def _is_text(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_positive(value: object) -> bool:
    return type(value) is int and value > 0


def _is_count(value: object) -> bool:
    return value is None or (type(value) is int and value >= 0)


def _is_ids(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


_FIELDS: Final = {
    "room_id": _is_text,
    "session_id": _is_text,
    "asked_page_size": _is_positive,
    "page": _is_positive,
    "page_size": _is_positive,
    "total": _is_count,
    "last_page": _is_count,
    "moving": lambda value: isinstance(value, bool),
    "complete_from_page": _is_positive,
    "recent": _is_ids,
    "gap_before": _is_ids,
}
