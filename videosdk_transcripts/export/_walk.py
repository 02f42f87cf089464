"""
List an account, a room or a session once, as shards of rows. Runs in the exporting process.

The rows of a shard are saved to a file, and then the position of the walk. So a new process
continues the walk of a killed one, and workers receive only the name of a shard. An update lists
pairs this way, too, because most of them have no new rows.
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

from ._names import rows_name, walk_name
from ._options import Options, Pair, Shard, Split
from ._progress import Counters
from ._shard import first_error
from ._shard_summary import ExportError
from ._store import Store

Walked = Pair | tuple[None, None]
"""The arguments of a walk."""


@define
class WalkState:
    """The progress of the walks of one job."""

    shards: int = 0
    """The number of listed shards."""
    walk: int = 0
    """The number of the walk in progress."""
    checkpoint: str | None = None
    has_ended: bool = False
    rows: int = 0
    shortfall: int = 0
    gone: list[str] = field(factory=list)
    """Open rows that the service no longer has."""
    errors: list[ExportError] = field(factory=list)

    def dumps(self) -> bytes:
        """Return the state as JSON."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def loads(cls, data: bytes | None) -> WalkState:
        """Return the state in a text from `dumps`, or the state at the start without one."""
        if data is None:
            return cls()
        fields: dict[str, Any] = json.loads(data)
        errors = [ExportError(**error) for error in fields.pop("errors")]
        return cls(**fields, errors=errors)


@frozen
class Listing:
    """The walks to make, and which of their rows to export."""

    walks: Sequence[Walked]
    label: str
    """The prefix of the names of the shards."""
    is_wanted: Callable[[Transcription], bool]
    again: Sequence[str] = ()
    """The ids of rows to read again first."""


def walk_shard(label: str, number: int) -> Shard:
    """Return the shard of a walk by its number."""
    return Shard(f"{label}{number:05}")


async def read_walk(store: Store, label: str) -> WalkState:
    """Return the progress of a walk."""
    return WalkState.loads(await store.read_if_present(walk_name(label)))


def of_job(split: Split) -> Callable[[Transcription], bool]:
    """
    Return a function that returns whether a job of an array exports a row.

    It depends only on the row's id, so that all jobs agree wherever the row is listed.
    """

    def is_of_job(row: Transcription) -> bool:
        number = int.from_bytes(sha256(row.id.encode("utf-8", "replace")).digest()[:8])
        return number % split.count == split.index

    return is_of_job if split.count > 1 else lambda _row: True


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
        self._rows: list[Transcription] = []

    async def shards(self, listing: Listing) -> AsyncGenerator[Shard]:
        """
        Continue a listing, and yield each shard after its rows are saved.

        Raises:
            VideoSDKTranscriptsError: a walk failed; the next run continues it.
        """
        self._state = await read_walk(self._store, listing.label)
        state = self._state
        if state.has_ended:
            return
        if not state.shards:
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
        if self._rows or not state.shards:
            # A dataset without rows has one part, so that its schema is known.
            yield await self._save(listing)
        else:
            await self._save_state(listing)

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
                state.errors.extend(_error_of(invalid, wanted) for invalid in page.invalid_rows)
                self._rows.extend(row for row in page.items if listing.is_wanted(row))
                yield pager
        state.shortfall += pager.stats.shortfall or 0

    async def _read_again(self, ids: Sequence[str]) -> None:
        """Read open rows again, and record those that the service no longer has."""
        limit = asyncio.Semaphore(8)

        async def read(row_id: str) -> Transcription | None:
            async with limit:
                try:
                    return await self._client.get_transcription(row_id)
                except NotFoundError:
                    self._state.gone.append(row_id)
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
        state, rows = self._state, self._rows
        shard = walk_shard(listing.label, state.shards)
        lines = [json.dumps(row.to_dict()).encode() + b"\n" for row in rows]
        await self._store.write(rows_name(shard.name), b"".join(lines))
        state.shards += 1
        state.rows += len(rows)
        # After the rows: if the process is killed before this, they are listed again.
        await self._save_state(listing)
        self._rows = []
        return shard

    async def _save_state(self, listing: Listing) -> None:
        await self._store.write(walk_name(listing.label), self._state.dumps())


def _error_of(invalid: InvalidRow, wanted: Walked) -> ExportError:
    reason = f"{invalid.reason} @ {invalid.path} on page {invalid.page}"
    return ExportError("InvalidRowError", reason, wanted[0], wanted[1], invalid.row_id)
