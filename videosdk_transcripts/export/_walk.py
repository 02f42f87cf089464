"""
List an account, a room or a session once, as shards of rows. Runs in the exporting process.

The rows of a shard are saved to a file, which begins with the position of the walk after them. So a
new process continues the walk of a killed one, and workers receive only the name of a shard. These
files are never replaced: if two processes make the same walk, one of them fails, so that each row
is in one shard. An update lists pairs this way, too, because most of them have no new rows.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from hashlib import sha256
from typing import Any

from attrs import asdict, define, field, frozen

from videosdk_transcripts import (
    InvalidRow,
    NotFoundError,
    Pager,
    Transcription,
    TranscriptsClient,
    VideoSDKTranscriptsError,
)
from videosdk_transcripts.errors import ConfigurationError

from ._names import PROGRESS, rows_name, walk_file_number
from ._options import Options, Pair, Shard, Split
from ._progress import Counters
from ._shard import first_error
from ._shard_summary import ExportError
from ._store import SinkError, Store

Walked = Pair | tuple[None, None]
"""The arguments of a walk."""


@define
class WalkState:
    """The progress of the walks of one job."""

    files: int = 0
    shards: int = 0
    """The number of listed shards. The last file may have no rows, and is not a shard then."""
    walk: int = 0
    """The number of the walk in progress."""
    checkpoint: str | None = None
    has_ended: bool = False
    rows: int = 0
    noted: list[int] = field(factory=list)
    """The numbers of the files with notes."""


@define
class Notes:
    """What was found while the rows of one file were listed, or those of all files."""

    gone: list[str] = field(factory=list)
    """Open rows that the service no longer has."""
    errors: list[ExportError] = field(factory=list)
    shortfall: int = 0


@frozen
class Listing:
    """The walks to make, and which of their rows to export."""

    walks: Sequence[Walked]
    label: str
    """The prefix of the names of the shards."""
    is_wanted: Callable[[Transcription, Walked], bool]
    again: Sequence[str] = ()
    """Ids of rows to read again first."""
    is_update: bool = False


def walk_shard(label: str, number: int) -> Shard:
    """Return the shard of a walk by its number."""
    return Shard(f"{label}{number:05}")


async def read_walks(store: Store, labels: Sequence[str]) -> list[WalkState]:
    """
    Return how far the walks with some labels are.

    Raises:
        ConfigurationError: their files were deleted in the meantime.
    """
    names = await store.sizes(PROGRESS) if labels else ()
    states = []
    for label in labels:
        numbers = [walk_file_number(label, name) for name in names]
        newest = max((number for number in numbers if number is not None), default=None)
        state = WalkState()
        if newest is not None:
            state = WalkState(**(await _read_header(store, label, newest))["state"])
        states.append(state)
    return states


async def read_notes(store: Store, labels: Sequence[str], states: Sequence[WalkState]) -> Notes:
    """
    Return the notes in all files of walks.

    Raises:
        ConfigurationError: the files were deleted in the meantime.
    """
    notes = Notes()
    for label, state in zip(labels, states, strict=True):
        for number in state.noted:
            found = (await _read_header(store, label, number))["notes"]
            notes.gone += found["gone"]
            notes.errors += [ExportError(**error) for error in found["errors"]]
            notes.shortfall += found["shortfall"]
    return notes


async def _read_header(store: Store, label: str, number: int) -> dict[str, Any]:
    name = rows_name(walk_shard(label, number).name)
    data = await store.read_if_present(name)
    if data is None:
        raise ConfigurationError(f"{name} in {store} was deleted; repeat the export")
    header: dict[str, Any] = json.loads(data.partition(b"\n")[0])
    return header


def is_of_job(split: Split, row_id: str) -> bool:
    """
    Return a function that returns whether a job of an array exports a row.

    It depends only on the row's id, so that all jobs agree wherever the row is listed.
    """
    number = int.from_bytes(sha256(row_id.encode("utf-8", "replace")).digest()[:8])
    return number % split.count == split.index


class Lister:
    """
    List rows, and save them as shards.

    Args:
        store: where the dataset is.
        client: sends the requests.
        options: the time range, and the size of a shard.
        counters: receives the service's total, if all rows are exported.
    """

    def __init__(
        self, store: Store, client: TranscriptsClient, options: Options, counters: Counters
    ) -> None:
        self._store = store
        self._client = client
        self._options = options
        self._counters = counters
        self._state = WalkState()
        self._notes = Notes()
        self._rows: list[Transcription] = []

    async def shards(self, listing: Listing) -> AsyncGenerator[Shard]:
        """
        Continue a listing, and yield each shard after its rows are saved.

        Raises:
            VideoSDKTranscriptsError: a walk failed; the next run continues it.
        """
        (state,) = await read_walks(self._store, [listing.label])
        self._state = state
        if state.has_ended:
            return
        if not state.files:
            await self._read_again(listing.again)
        for number in range(state.walk, len(listing.walks)):
            state.walk = number
            async with aclosing(self._walk(listing, listing.walks[number])) as pages:
                async for pager in pages:
                    if len(self._rows) >= self._options.rows_per_part:
                        state.checkpoint = pager.checkpoint
                        yield await self._save(listing)
            state.checkpoint = None
        state.has_ended = True
        # A dataset without rows has one part, so that its schema is known.
        if self._rows or not (state.shards or listing.is_update):
            yield await self._save(listing)
        else:
            await self._save_file(listing)

    async def _walk(self, listing: Listing, wanted: Walked) -> AsyncGenerator[Pager[Transcription]]:
        """Collect the rows of a walk, and yield its pager after each page."""
        state, times = self._state, self._options.times
        pager = self._client.iter_transcriptions(
            *wanted,
            since=times.since,
            until=times.until,
            page_size="auto",
            on_invalid="collect",
            resume=state.checkpoint,
        )
        async with pager:
            async for page in pager.by_page():
                if not listing.label:
                    self._counters.rows_total = pager.total
                errors = [_error_of(invalid, wanted) for invalid in page.invalid_rows]
                self._notes.errors.extend(errors)
                self._rows.extend(row for row in page.items if listing.is_wanted(row, wanted))
                yield pager
        self._notes.shortfall += pager.stats.shortfall or 0

    async def _read_again(self, ids: Sequence[str]) -> None:
        """Read open rows again, and record those that the service no longer has."""
        limit = asyncio.Semaphore(8)

        async def read(row_id: str) -> Transcription | None:
            async with limit:
                try:
                    return await self._client.get_transcription(row_id)
                except NotFoundError:
                    self._notes.gone.append(row_id)
                    return None

        failure: BaseException | None = None
        reading: list[asyncio.Task[Transcription | None]] = []
        try:
            async with asyncio.TaskGroup() as group:
                reading += [group.create_task(read(row_id)) for row_id in ids]
        except* VideoSDKTranscriptsError as errors:
            failure = first_error(errors)
        if failure is not None:
            raise failure
        self._rows.extend(row for task in reading if (row := task.result()) is not None)

    async def _save(self, listing: Listing) -> Shard:
        state = self._state
        shard = walk_shard(listing.label, state.shards)
        state.shards += 1
        await self._save_file(listing)
        return shard

    async def _save_file(self, listing: Listing) -> None:
        """
        Save the rows so far, and the position after them.

        Raises:
            SinkError: another process has listed other rows in the meantime.
        """
        state, rows = self._state, self._rows
        number = state.files
        state.files += 1
        state.rows += len(rows)
        if self._notes != Notes():
            state.noted.append(number)
        header = {"state": asdict(state), "notes": asdict(self._notes)}
        lines = [header, *(row.to_dict() for row in rows)]
        data = b"".join([json.dumps(line).encode() + b"\n" for line in lines])
        name = rows_name(walk_shard(listing.label, number).name)
        is_ours = await self._store.write(name, data, replace=False)
        # A repeated put may find its own object.
        if not is_ours and await self._store.read(name) != data:
            raise SinkError(
                f"another process exports to {self._store} at the same time; wait for it to "
                "finish, and run the same export again"
            )
        self._rows, self._notes = [], Notes()


def _error_of(invalid: InvalidRow, wanted: Walked) -> ExportError:
    reason = f"{invalid.reason} on page {invalid.page}"
    return ExportError("InvalidRowError", reason, wanted[0], wanted[1], invalid.row_id)
