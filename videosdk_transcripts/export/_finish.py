"""The end of an export: the errors, then the file that shows success."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from attrs import asdict, field, frozen

from ._names import ERRORS, PROGRESS, SUCCESS
from ._options import Job, Split
from ._plan import Source, pair_shards
from ._records import Digest, columns
from ._shard_summary import ExportError, ShardSummary, count_repr
from ._store import Store
from ._walk import WalkState, read_walk, walk_shard

_VERSION = 1


@frozen
class ExportSummary:
    """What a dataset contains."""

    sink: str
    """The place of the dataset."""
    plan: str
    """The id of the plan, which is part of the names of the parts."""
    is_complete: bool
    """
    Whether everything was exported. Otherwise there are errors, or other jobs have not finished
    yet; the same export continues.
    """
    rows: int = 0
    texts: int = 0
    missing_texts: int = 0
    """Transcriptions without a file so far, or whose file was deleted."""
    text_bytes: int = 0
    """Bytes of the texts, in UTF-8."""
    bytes: int = 0
    """Bytes of the parts."""
    shortfall: int = 0
    """Rows that are missing according to the service's totals."""
    digest: str = f"{0:064x}"
    """Digest of all records, independent of their order, of the parts and of the format."""
    parts: tuple[str, ...] = field(default=(), repr=count_repr)
    """The names of the parts."""
    errors: tuple[ExportError, ...] = field(default=(), repr=count_repr)
    """What could not be exported; the lines of ``_errors.jsonl``."""
    seconds: float = 0.0
    """The time that this run took."""


def shards_of_job(source: Source, size: int, split: Split) -> list[str]:
    """Return the names of the shards of pairs that a job of an array exports."""
    names = [shard.name for shard in pair_shards(source, size)]
    return names[split.index :: split.count]


async def expected_shards(
    store: Store, job: Job, source: Source, split: Split
) -> tuple[set[str] | None, list[WalkState]]:
    """Return the names of all shards, None while one is still unknown, and the walks."""
    if source.walked is None:
        return {shard.name for shard in pair_shards(source, job.options.shard_size)}, []
    labels = [Split(index, split.count).label for index in range(split.count)]
    walks = [await read_walk(store, label) for label in labels]
    if not all(walk.has_ended for walk in walks):
        return None, walks
    return {
        walk_shard(label, number).name
        for label, walk in zip(labels, walks, strict=True)
        for number in range(walk.shards)
    }, walks


def summarize(
    job: Job,
    shown: str,
    summaries: Sequence[ShardSummary],
    walks: Sequence[WalkState],
    *,
    is_whole: bool,
    seconds: float,
) -> ExportSummary:
    """Return the summary of all parts that are committed."""
    digest = Digest()
    for summary in summaries:
        digest.merge(summary.digest)
    errors = [error for walk in walks for error in walk.errors]
    errors += [error for summary in summaries for error in summary.errors]
    return ExportSummary(
        sink=shown,
        plan=job.plan,
        is_complete=is_whole and not errors,
        rows=sum(summary.rows for summary in summaries),
        texts=sum(summary.texts for summary in summaries),
        missing_texts=sum(summary.missing_texts for summary in summaries),
        text_bytes=sum(summary.text_bytes for summary in summaries),
        bytes=sum(summary.size for summary in summaries),
        shortfall=sum(walk.shortfall for walk in walks)
        + sum(summary.shortfall for summary in summaries),
        digest=str(digest),
        parts=tuple(summary.part for summary in summaries),
        errors=tuple(errors),
        seconds=seconds,
    )


async def write_end(
    store: Store, job: Job, summary: ExportSummary, parts: Sequence[ShardSummary]
) -> None:
    """
    Write the errors, and after them the success file if everything was exported.

    Two jobs of an array may do this at the same time, and write the same.
    """
    if summary.errors:
        lines = [json.dumps(asdict(error)).encode() + b"\n" for error in summary.errors]
        await store.write(ERRORS, b"".join(lines))
    else:
        await store.delete([ERRORS])
    if not summary.is_complete:
        return
    success: dict[str, Any] = {"version": _VERSION, **asdict(summary)}
    del success["sink"], success["is_complete"], success["errors"], success["seconds"]
    success["columns"] = columns(job.options)
    success["parts"] = [
        {
            "name": part.part,
            "rows": part.rows,
            "bytes": part.size,
            "sha256": part.sha256,
            "digest": part.digest,
        }
        for part in parts
    ]
    await store.write(SUCCESS, (json.dumps(success, indent=2) + "\n").encode())
    await store.delete(f"{PROGRESS}/{name}" for name in await store.sizes(PROGRESS))


async def read_success(store: Store) -> ExportSummary | None:
    """Return the summary of a complete dataset, None if there is none."""
    data = await store.read_if_present(SUCCESS)
    if data is None:
        return None
    fields: dict[str, Any] = json.loads(data)
    for name in ("version", "columns"):
        del fields[name]
    fields["parts"] = tuple(part["name"] for part in fields["parts"])
    return ExportSummary(sink=str(store), is_complete=True, **fields)
