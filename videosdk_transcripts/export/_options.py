"""The options of an export, and the description of a shard: plain values for the workers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

from attrs import frozen

from videosdk_transcripts._paging.time_range import ALL_TIMES, TimeRange
from videosdk_transcripts._validation import check_count, check_number, check_word
from videosdk_transcripts.errors import ConfigurationError

Format = Literal["jsonl", "csv", "parquet"]
FORMATS: Final = ("jsonl", "csv", "parquet")
Transform = Callable[[str], str]


class Pair(NamedTuple):
    """
    A room and one of its sessions, or all of them.

    Attributes:
        room_id: the room.
        session_id: the session; None for all sessions of the room.
    """

    room_id: str
    session_id: str | None = None


@frozen
class Split:
    """The share of an export that one job of a job array performs."""

    index: int
    count: int

    @property
    def label(self) -> str:
        """Return the prefix of names that belong to this job; empty if there is only one job."""
        return f"{self.index}of{self.count}-" if self.count > 1 else ""


@frozen
class Options:
    """
    The options that determine the content of a dataset, or the names of its parts.

    They are compared with the plan file before an export continues.
    """

    format: Format = "jsonl"
    text: bool = True
    """Whether to add a column with the text."""
    turns: bool = False
    """Whether to add a column with the parsed turns."""
    raw_files: bool = False
    """Whether to save the texts as files as well."""
    text_format: str = "txt"
    times: TimeRange = ALL_TIMES
    transform: Transform | None = None
    shard_size: int = 16
    """Pairs per shard."""
    rows_per_part: int = 1000
    """Rows per shard of a walk."""
    overlap: float = 86_400.0
    """How many seconds before the start of an export an update begins to search for changes."""

    def __attrs_post_init__(self) -> None:
        check_word("format", self.format, FORMATS)
        check_count("shard_size", self.shard_size)
        check_count("rows_per_part", self.rows_per_part)
        check_number("overlap", self.overlap, least=0)
        if self.transform is not None and not callable(self.transform):
            raise ConfigurationError("transform must be a function from a text to a text")
        if self.turns and not self.text:
            raise ConfigurationError("turns require the text")

    @property
    def needs_files(self) -> bool:
        """Return whether to fetch the files of the transcriptions."""
        return self.text or self.raw_files

    def to_dict(self) -> dict[str, Any]:
        """Return the options as JSON, with the name of the transform instead of the function."""
        return {
            "format": self.format,
            "text": self.text,
            "turns": self.turns,
            "raw_files": self.raw_files,
            "text_format": self.text_format,
            "since": _iso(self.times.since),
            "until": _iso(self.times.until),
            "transform": name_of(self.transform),
            "shard_size": self.shard_size,
            "rows_per_part": self.rows_per_part,
            "overlap": self.overlap,
        }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def name_of(transform: Transform | None) -> str | None:
    """Return the module and the name of a function, which identify it in the plan."""
    if transform is None:
        return None
    kind = transform if hasattr(transform, "__qualname__") else type(transform)
    return f"{kind.__module__}:{kind.__qualname__}"


@frozen
class Job:
    """The values that all shards of an export share."""

    sink: str
    plan: str
    """The id of the plan, which is part of the name of each part."""
    options: Options
    concurrency: int
    """Maximum number of files that a shard fetches at a time."""
    recent_since: datetime
    """The next update will find rows again that started at this time or later."""
    trust_env: bool = False
    """Whether clients that are created use the proxy from the environment."""
    files_via_proxy: bool = False
    label: str = ""
    """The prefix of the names of the shards of an update."""


@frozen
class Shard:
    """A part of an export that is committed as a whole."""

    name: str
    pairs: tuple[Pair, ...] = ()
    """The pairs to list; empty if the rows have been listed already."""
