"""
List an account, a room or a session once, as shards of rows. Runs in the exporting process.

The rows of a shard are a file, and after it the position of the walk is saved. So a killed
process continues the walk where it was, and workers get no more than the name of a shard.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from hashlib import sha256
from typing import Any, Final

from attrs import asdict, define, field

from videosdk_transcripts import InvalidRow, Transcription, TranscriptsClient

from ._names import rows_name, walk_name
from ._options import Options, Pair, Shard, Split
from ._progress import Counters
from ._shard_summary import ExportError
from ._store import Store

_PAGE_SIZE: Final = 100


@define
class WalkState:
    """How far the walk of one job is."""

    shards: int = 0
    """Shards that were listed."""
    checkpoint: str | None = None
    has_ended: bool = False
    rows: int = 0
    shortfall: int = 0
    errors: list[ExportError] = field(factory=list)

    def dumps(self) -> bytes:
        """Return it as JSON."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def loads(cls, data: bytes | None) -> WalkState:
        """Read what `dumps` wrote, or return the state at the start."""
        if data is None:
            return cls()
        fields: dict[str, Any] = json.loads(data)
        errors = [ExportError(**error) for error in fields.pop("errors")]
        return cls(**fields, errors=errors)


def walk_shard(label: str, number: int) -> Shard:
    """Return the shard of a walk by its number."""
    return Shard(f"{label}{number:05}")


async def read_walk(store: Store, label: str) -> WalkState:
    """Return how far a walk is."""
    return WalkState.loads(await store.read_if_present(walk_name(label)))


async def list_shards(
    store: Store,
    client: TranscriptsClient,
    wanted: Pair | tuple[None, None],
    *,
    options: Options,
    split: Split,
    counters: Counters,
) -> AsyncGenerator[Shard]:
    """
    Continue the walk and yield each shard after its rows are saved.

    Raises:
        VideoSDKTranscriptsError: the walk failed; the next run continues it.
    """
    state = await read_walk(store, split.label)
    if state.has_ended:
        return
    rows: list[Transcription] = []
    pager = client.iter_transcriptions(
        *wanted,
        since=options.times.since,
        until=options.times.until,
        page_size=_PAGE_SIZE,
        on_invalid="collect",
        resume=state.checkpoint,
    )
    async with pager:
        async for page in pager.by_page():
            counters.rows_total = None if split.count > 1 else pager.total
            state.errors.extend(_error_of(invalid, wanted) for invalid in page.invalid_rows)
            rows.extend(row for row in page.items if _is_of_job(row, split))
            if len(rows) >= options.rows_per_part:
                yield await _save(store, state, rows, pager.checkpoint, split)
                rows = []
    state.shortfall = pager.stats.shortfall or 0
    state.has_ended = True
    if rows or not state.shards:
        # A dataset without rows has one part, so that its schema is known.
        yield await _save(store, state, rows, None, split)
    else:
        await store.write(walk_name(split.label), state.dumps())


async def _save(
    store: Store,
    state: WalkState,
    rows: Sequence[Transcription],
    checkpoint: str | None,
    split: Split,
) -> Shard:
    shard = walk_shard(split.label, state.shards)
    lines = [json.dumps(row.to_dict()).encode() + b"\n" for row in rows]
    await store.write(rows_name(shard.name), b"".join(lines))
    state.shards += 1
    state.rows += len(rows)
    state.checkpoint = checkpoint
    # After the rows: if the process is killed in between, they are listed again.
    await store.write(walk_name(split.label), state.dumps())
    return shard


def _error_of(invalid: InvalidRow, wanted: Pair | tuple[None, None]) -> ExportError:
    reason = f"{invalid.reason} @ {invalid.path} on page {invalid.page}"
    return ExportError("InvalidRowError", reason, wanted[0], wanted[1], invalid.row_id)


def _is_of_job(row: Transcription, split: Split) -> bool:
    """Return whether a job of an array has to export a row: by its id, wherever it is listed."""
    if split.count == 1:
        return True
    number = int.from_bytes(sha256(row.id.encode("utf-8", "replace")).digest()[:8])
    return number % split.count == split.index
