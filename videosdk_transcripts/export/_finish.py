"""Finish an export: write the open rows, the errors, and then the success file."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Sequence
from typing import Any, Final

from attrs import asdict, field, frozen

from ._generation import Generation, clean_up, next_state, read_state
from ._names import ERRORS, STATE, SUCCESS, open_part_name
from ._options import Job, Pair
from ._part import open_part
from ._records import Digest, Entry, columns
from ._shard_summary import ExportError, ShardSummary, count_repr
from ._store import SinkError, Store
from ._walk import Notes

_VERSION: Final = 1
_LONGEST_LOCK: Final = 30.0
_LOCK_POLL: Final = 0.02
_COUNTS: Final = ("rows", "texts", "missing_texts", "text_bytes", "bytes", "shortfall")


@frozen
class ExportSummary:
    """
    The contents of a dataset.

    Attributes:
        sink: the place of the dataset.
        plan: the id of the plan, which is part of the names of the parts.
        is_complete: whether everything was exported. Otherwise there are errors, or other jobs
            have not finished yet; the same export continues.
        generation: the number of updates so far.
        rows: the number of transcriptions in the dataset.
        texts: the number of transcriptions with a text.
        missing_texts: the number of transcriptions without a file so far, or whose file was
            deleted.
        text_bytes: the size of the texts in bytes, as UTF-8.
        bytes: the size of the parts in bytes.
        shortfall: the number of rows that are missing according to the service's totals.
        open_rows: the number of rows that may still change: running ones, and those whose text
            may still appear.
        digest: a digest of all records, independent of their order, of the parts and of the
            format.
        parts: the names of the parts.
        errors: the items that could not be exported, as in the lines of ``_errors.jsonl``;
            empty if nothing failed.
        seconds: the duration of this run in seconds.
    """

    sink: str
    plan: str
    is_complete: bool
    generation: int = 0
    rows: int = 0
    texts: int = 0
    missing_texts: int = 0
    text_bytes: int = 0
    bytes: int = 0
    shortfall: int = 0
    open_rows: int = 0
    digest: str = f"{0:064x}"
    parts: tuple[str, ...] = field(default=(), repr=count_repr)
    errors: tuple[ExportError, ...] = field(default=(), repr=count_repr)
    seconds: float = 0.0


async def finish(
    store: Store,
    job: Job,
    generation: Generation,
    committed: Sequence[ShardSummary],
    *,
    notes: Notes,
    pairs: tuple[Pair, ...],
    is_whole: bool,
    accept_errors: bool,
) -> ExportSummary:
    """
    Complete the dataset if all jobs have finished, and return its summary.

    Several jobs of an array may do this at the same time: they write the same contents.
    """
    errors = [*notes.errors, *(error for summary in committed for error in summary.errors)]
    before = await read_state(store)
    gone = set(notes.gone)
    carried = {row_id: row for row_id, row in before.open_rows.items() if row_id in gone}
    state = next_state(before, committed, carried, pairs, job)
    # An update has no part without rows; they may all be open ones.
    parts = [summary for summary in committed if summary.rows or not generation.number]
    if state.open_rows and is_whole:
        parts.append(await _write_open_part(store, job, state.open_rows.values()))
    content = _content(job, generation, parts, notes, open_rows=len(state.open_rows))
    summary = _summary(store, content, is_whole and (accept_errors or not errors), errors)
    if is_whole:
        await _write_errors(store, errors)
    if summary.is_complete:
        if state.starts or state.open_rows or state.pairs:
            await store.write(STATE, state.dumps())
        else:
            await store.delete([STATE])
        await store.write(SUCCESS, (json.dumps(content, indent=2) + "\n").encode())
        await clean_up(store, job, generation.number, content)
    return summary


async def _write_open_part(store: Store, job: Job, rows: Iterable[Entry]) -> ShardSummary:
    """Write the part with the open rows, which every run replaces."""
    deadline = time.monotonic() + _LONGEST_LOCK
    while True:
        try:
            return await _try_to_write_open_part(store, job, rows)
        except SinkError as error:
            # Another job of an array writes the same at the same time.
            if not error.is_locked or time.monotonic() >= deadline:
                raise
        await asyncio.sleep(_LOCK_POLL)


async def _try_to_write_open_part(store: Store, job: Job, rows: Iterable[Entry]) -> ShardSummary:
    name = open_part_name(job)
    part = await open_part(store, name, job.options)
    entries = list(rows)
    try:
        for entry in entries:
            part.add(entry.record)
        await part.end()
        await part.commit(replace=True)
    finally:
        await part.discard()
    sizes = [entry.text_bytes for entry in entries if entry.text_bytes is not None]
    return ShardSummary(
        shard="",
        part=name,
        size=part.size,
        sha256=part.sha256,
        digest=str(part.digest),
        rows=len(entries),
        texts=len(sizes),
        missing_texts=len(entries) - len(sizes) if job.options.needs_files else 0,
        text_bytes=sum(sizes),
    )


def _content(
    job: Job,
    generation: Generation,
    summaries: Sequence[ShardSummary],
    notes: Notes,
    *,
    open_rows: int,
) -> dict[str, Any]:
    """Return the content of the success file."""
    base = generation.base
    parts = [part for part in base.get("parts", ()) if part["name"] != open_part_name(job)]
    parts += [
        {
            "name": summary.part,
            "rows": summary.rows,
            "texts": summary.texts,
            "missing_texts": summary.missing_texts,
            "text_bytes": summary.text_bytes,
            "bytes": summary.size,
            "shortfall": summary.shortfall,
            "sha256": summary.sha256,
            "digest": summary.digest,
        }
        for summary in summaries
    ]
    digest = Digest()
    for part in parts:
        digest.merge(part["digest"])
    counts = {name: sum(part[name] for part in parts) for name in _COUNTS}
    counts["shortfall"] += notes.shortfall
    return {
        "version": _VERSION,
        "plan": job.plan,
        "generation": generation.number,
        "started_at": generation.started_at.isoformat(),
        **counts,
        "open_rows": open_rows,
        "digest": str(digest),
        "columns": columns(job.options),
        "parts": parts,
    }


def _summary(
    store: Store, content: dict[str, Any], is_complete: bool, errors: Sequence[ExportError]
) -> ExportSummary:
    fields = {name: content[name] for name in ("plan", "generation", *_COUNTS, "open_rows")}
    return ExportSummary(
        sink=str(store),
        is_complete=is_complete,
        digest=content["digest"],
        parts=tuple(part["name"] for part in content["parts"]),
        errors=tuple(errors),
        **fields,
    )


async def _write_errors(store: Store, errors: Sequence[ExportError]) -> None:
    if errors:
        lines = [json.dumps(asdict(error)).encode() + b"\n" for error in errors]
        await store.write(ERRORS, b"".join(lines))
    else:
        await store.delete([ERRORS])


async def read_summary(store: Store, success: dict[str, Any]) -> ExportSummary:
    """Return the summary of a complete dataset."""
    data = await store.read_if_present(ERRORS)
    errors = [ExportError(**json.loads(line)) for line in (data or b"").splitlines()]
    return _summary(store, success, True, errors)
