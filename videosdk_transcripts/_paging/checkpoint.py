"""
P3: record where a walk can be resumed, as versioned JSON that is valid in another process. No I/O.

The text is readable in a log or a database: it contains the filter and the ids yielded last, and
no secret.
"""

from __future__ import annotations

import json
from datetime import datetime
from itertools import chain
from typing import Any, Final, Self

from attrs import asdict, frozen

from videosdk_transcripts._api.filter import Filter
from videosdk_transcripts.errors import ConfigurationError

from .time_range import ALL_TIMES, TimeRange

_VERSION: Final = 1

YieldedPage = tuple[int, tuple[str, ...]]
"""The number of a page, with the ids of its rows that were yielded."""

YieldedPages = tuple[YieldedPage, ...]
"""Pages in the order in which their rows were yielded, and then those that a repair read."""

REPAIRED: Final = 0
"""The number of a page that a repair read: its rows can be anywhere in the list."""


@frozen
class Position:
    """The page at which a walk is resumed, and the state of the list when the walk read it."""

    page: int
    page_size: int
    total: int | None = None
    last_page: int | None = None
    met: int = 0
    """How many distinct rows were seen before it, including foreign ones, and yielded from it."""
    moving: bool = False
    """Whether rows moved, or may have moved, and have not been searched for yet."""
    page_ids: tuple[str, ...] = ()
    """The ids of all rows on it, including foreign ones, before the first one to yield next."""


@frozen
class Checkpoint:
    """A position that is exact to the row: the newest ids show which rows were yielded."""

    wanted: Filter
    requested_page_size: int | str
    """The argument of the walk, a number or ``auto``; the size in use is in the position."""
    position: Position
    yielded: YieldedPages
    complete_from_page: int
    """`yielded` contains all rows that were yielded from this page on."""
    list_name: str
    """The name of the list in the API."""
    times: TimeRange = ALL_TIMES

    @property
    def yielded_ids(self) -> tuple[str, ...]:
        """Return the ids of `yielded`."""
        return tuple(chain.from_iterable(ids for _, ids in self.yielded))

    def dumps(self) -> str:
        """Return the checkpoint as JSON."""
        return json.dumps(
            {
                "version": _VERSION,
                "list": self.list_name,
                "room_id": self.wanted.room_id,
                "session_id": self.wanted.session_id,
                "since": _iso(self.times.since),
                "until": _iso(self.times.until),
                "requested_page_size": self.requested_page_size,
                **asdict(self.position),
                "complete_from_page": self.complete_from_page,
                "yielded": self.yielded,
            }
        )

    @classmethod
    def loads(
        cls,
        text: object,
        wanted: Filter,
        requested_page_size: int | str,
        list_name: str,
        times: TimeRange = ALL_TIMES,
    ) -> Self:
        """
        Return the checkpoint in a text from `dumps`, for a walk over the same list.

        Args:
            text: the JSON text.
            wanted: the filter of the walk to resume.
            requested_page_size: the page size of the walk.
            list_name: the list of the walk.
            times: the time range of the walk.

        Raises:
            ConfigurationError: the text is not a checkpoint, has another version, or belongs
                to a walk over another list, or with another filter, time range or page size.
        """
        data = _parse(text)
        if data["list"] != list_name:
            raise ConfigurationError(
                f"the checkpoint belongs to a walk over the {data['list']}, but this one is over "
                f"the {list_name}; pass it to the method that lists the same"
            )
        theirs = Filter(data["room_id"], data["session_id"])
        if theirs != wanted:
            raise ConfigurationError(
                f"the checkpoint belongs to a walk over {theirs}, but this one is over {wanted}; "
                "pass the same room and session again"
            )
        for name in ("since", "until"):
            bound = _iso(getattr(times, name))
            if data[name] != bound:
                raise ConfigurationError(
                    f"the checkpoint belongs to a walk with {name}={data[name]}, but this one has "
                    f"{name}={bound}; pass the same times again"
                )
        if data["requested_page_size"] != requested_page_size:
            raise ConfigurationError(
                "the checkpoint belongs to a walk with "
                f"page_size={data['requested_page_size']}, but this one has "
                f"page_size={requested_page_size}; pass the same page size again"
            )
        position = Position(
            data["page"],
            data["page_size"],
            data["total"],
            data["last_page"],
            data["met"],
            data["moving"],
            tuple(data["page_ids"]),
        )
        return cls(
            wanted,
            requested_page_size,
            position,
            tuple((page, tuple(ids)) for page, ids in data["yielded"]),
            data["complete_from_page"],
            list_name,
            times,
        )


def _parse(text: object) -> dict[str, Any]:
    try:
        data = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or "version" not in data:
        raise ConfigurationError("resume must be the text of a pager's checkpoint")
    if data["version"] != _VERSION:
        raise ConfigurationError(
            f"the checkpoint has version {data['version']!r}, but this release reads version "
            f"{_VERSION}; start a new walk, or use the release that wrote it"
        )
    if not all(key in data and is_valid(data[key]) for key, is_valid in _FIELDS.items()):
        raise ConfigurationError("the checkpoint is damaged; start a new walk")
    return data


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()


def _is_optional_text(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_positive(value: object) -> bool:
    return type(value) is int and value > 0


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_optional_count(value: object) -> bool:
    return value is None or _is_count(value)


def _is_yielded(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(entry, list) and len(entry) == 2 and _is_count(entry[0]) and _is_ids(entry[1])
        for entry in value
    )


def _is_ids(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


_FIELDS: Final = {
    "list": lambda value: isinstance(value, str),
    "room_id": _is_optional_text,
    "session_id": _is_optional_text,
    "since": _is_optional_text,
    "until": _is_optional_text,
    "requested_page_size": lambda value: value == "auto" or _is_positive(value),
    "page": _is_positive,
    "page_size": _is_positive,
    "total": _is_optional_count,
    "last_page": _is_optional_count,
    "met": _is_count,
    "moving": lambda value: isinstance(value, bool),
    "page_ids": _is_ids,
    "yielded": _is_yielded,
    "complete_from_page": _is_positive,
}
