"""
Manage the generations of a dataset: the first export, and each update of it.

An update adds parts and changes none, except the one with the open rows: those that may still
change. This part is removed at the start of an update and written again at its end, so that no
row is ever there twice. What an update has to know is in the state file: the pairs that were
exported, the ids of rows that its walk will meet again, and the open rows.

Two processes may begin the same update, and both export it then. Its file is removed last.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Self

from attrs import evolve, field, frozen

from videosdk_transcripts.errors import ConfigurationError

from ._names import (
    PROGRESS,
    STATE,
    SUCCESS,
    generation_label,
    generation_shard,
    is_progress_of,
    open_part_name,
    pairs_name,
    update_name,
    update_number,
)
from ._options import Job, Pair
from ._pairs import drop_included
from ._records import Entry
from ._shard_summary import ShardSummary
from ._store import Store


@frozen
class Generation:
    """The export in progress: the first one, or an update."""

    number: int
    started_at: datetime
    jobs: int | None = None
    """The number of jobs that list it; None if it is not important."""
    added: tuple[Pair, ...] = field(default=(), repr=False)
    """Pairs that an update adds."""
    base: dict[str, Any] = field(factory=dict, repr=False)
    """The content of the success file before an update; empty for the first export."""

    @property
    def label(self) -> str:
        """Return the prefix of the names of its shards."""
        return generation_label(self.number)

    def dumps(self) -> bytes:
        """Return it as JSON."""
        return json.dumps(
            {
                "number": self.number,
                "started_at": self.started_at.isoformat(),
                "jobs": self.jobs,
                "added": self.added,
                "base": self.base,
            }
        ).encode()

    @classmethod
    def loads(cls, data: bytes) -> Self:
        """Return the generation in a text from `dumps`."""
        fields = json.loads(data)
        started_at = datetime.fromisoformat(fields.pop("started_at"))
        added = tuple(Pair(*pair) for pair in fields.pop("added"))
        return cls(**fields, started_at=started_at, added=added)


@frozen
class State:
    """The data about exported rows that an update needs."""

    starts: dict[str, str | None] = field(factory=dict)
    """The start of each row that is recent or has no start, by id."""
    open_rows: dict[str, Entry] = field(factory=dict)
    """The open rows, by id."""
    pairs: tuple[Pair, ...] = ()
    """The pairs that were exported; empty if the source is a walk."""

    def knows(self, row_id: str) -> bool:
        """Return whether a row was exported, or will be read again as an open one."""
        return row_id in self.starts or row_id in self.open_rows

    def dumps(self) -> bytes:
        """Return the state as JSON lines."""
        lines: list[Any] = [{"id": row_id, "start": start} for row_id, start in self.starts.items()]
        lines += [{"open": entry} for entry in self.open_rows.values()]
        lines += [{"pair": pair} for pair in self.pairs]
        return b"".join(json.dumps(line).encode() + b"\n" for line in lines)

    @classmethod
    def loads(cls, data: bytes | None) -> Self:
        """Return the state in a text from `dumps`."""
        state = cls()
        pairs: list[Pair] = []
        for line in (data or b"").splitlines():
            entry = json.loads(line)
            if "open" in entry:
                record, text_bytes = entry["open"]
                state.open_rows[record["id"]] = Entry(record, text_bytes)
            elif "pair" in entry:
                pairs.append(Pair(*entry["pair"]))
            else:
                state.starts[entry["id"]] = entry["start"]
        return evolve(state, pairs=tuple(pairs))


async def read_state(store: Store) -> State:
    """Return the state after the last complete export."""
    return State.loads(await store.read_if_present(STATE))


def next_state(
    before: State,
    summaries: Iterable[ShardSummary],
    carried: dict[str, Entry],
    pairs: tuple[Pair, ...],
    job: Job,
) -> State:
    """
    Return the state after a generation.

    Args:
        before: the state at its start.
        summaries: the summaries of its shards.
        carried: open rows that could not be read again.
        pairs: its pairs.
        job: the export.
    """
    state = State(open_rows=dict(carried), pairs=pairs)
    known = dict(before.starts)
    for summary in summaries:
        known.update(summary.recent)
        state.open_rows.update((entry.record["id"], entry) for entry in summary.open_rows)
    since = job.recent_since
    for row_id, start in known.items():
        if start is None or datetime.fromisoformat(start) >= since:
            state.starts[row_id] = start
    return state


async def read_exported_pairs(store: Store, job: Job, generation: Generation) -> tuple[Pair, ...]:
    """
    Return the pairs of a generation, in the order in which it lists them.

    Raises:
        ConfigurationError: their file was deleted.
    """
    pairs = (await read_state(store)).pairs
    if not pairs:
        data = await store.read_if_present(pairs_name(job.plan))
        if data is None:
            raise ConfigurationError(
                f"{pairs_name(job.plan)} is missing in {store}; choose an empty place"
            )
        pairs = tuple(Pair(*json.loads(line)) for line in data.splitlines())
    return tuple(drop_included((*pairs, *generation.added)))


async def begin_update(store: Store, update: Generation) -> None:
    """Begin an update of a complete dataset, unless another process has begun it."""
    await store.write(update_name(update.number), update.dumps(), replace=False)


async def find_generation(
    store: Store, job: Job, first: Generation
) -> tuple[Generation, dict[str, Any] | None]:
    """
    Return the generation that is in progress, or the newest one with its success file.

    Args:
        store: where the dataset is.
        job: the export.
        first: the first export.
    """
    while True:
        success = await read_success(store)
        done = -1 if success is None else success["generation"]
        found = [update_number(name) for name in await store.sizes()]
        numbers = sorted(number for number in found if number is not None)
        for number in numbers:
            if success is not None and number <= done:
                # It is complete, except that it was not cleaned up.
                await clean_up(store, job, number, success)
        if not numbers or numbers[-1] <= done:
            if success is not None:
                started_at = datetime.fromisoformat(success["started_at"])
                return Generation(done, started_at), success
            # Unless an update was completed in the middle of this.
            if await read_success(store) is None:
                return first, None
            continue
        data = await store.read_if_present(update_name(numbers[-1]))
        if data is not None and await read_success(store) == success:
            if success is not None:
                await _remove_old_end(store, job)
            return Generation.loads(data), None


async def _remove_old_end(store: Store, job: Job) -> None:
    """Remove the files that only a complete dataset has."""
    await store.delete([SUCCESS])
    await store.delete([open_part_name(job)])


async def clean_up(store: Store, job: Job, number: int, success: dict[str, Any]) -> None:
    """Remove what a generation needs only while it is in progress."""
    label = generation_label(number)
    parts = {part["name"] for part in success["parts"]}
    labelled = evolve(job, label=label)
    empty = [
        name
        for name in await store.sizes()
        if number and generation_shard(labelled, name) is not None and name not in parts
    ]
    progress = [name for name in await store.sizes(PROGRESS) if is_progress_of(label, name)]
    await store.delete([*empty, *(f"{PROGRESS}/{name}" for name in progress)])
    if number:
        # Last, so that all of this is repeated if the process is killed.
        await store.delete([update_name(number)])


async def read_success(store: Store) -> dict[str, Any] | None:
    """Return the content of the success file, None if there is none."""
    data = await store.read_if_present(SUCCESS)
    return None if data is None else json.loads(data)
