"""
Manage the generations of a dataset: the first export, and each update of it.

An update adds parts and changes none, except the part with the open rows, which may still change.
This part is removed at the start of an update and written again at its end, so that no row is
ever in the dataset twice. The state file contains the data that an update needs: the ids of the
rows that its walk will find again, and the open rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Self

from attrs import field, frozen

from ._names import STATE, SUCCESS, UPDATE, open_part_name
from ._options import Job
from ._records import Entry
from ._shard_summary import ShardSummary
from ._store import Store


@frozen
class Generation:
    """The export in progress: the first one, or an update."""

    number: int
    started_at: datetime
    base: dict[str, Any] = field(factory=dict, repr=False)
    """The content of the success file before an update; empty for the first export."""

    @property
    def label(self) -> str:
        """Return the prefix of the names of its shards."""
        return f"u{self.number}-" if self.number else ""

    def dumps(self) -> bytes:
        """Return the generation as JSON."""
        values = {"number": self.number, "started_at": self.started_at.isoformat()}
        return json.dumps({**values, "base": self.base}).encode()

    @classmethod
    def loads(cls, data: bytes) -> Self:
        """Return the generation in a text from `dumps`."""
        fields = json.loads(data)
        return cls(fields["number"], datetime.fromisoformat(fields["started_at"]), fields["base"])


@frozen
class State:
    """The data about exported rows that an update needs."""

    starts: dict[str, str | None] = field(factory=dict)
    """The start of each row that is recent or has no start, by id."""
    open_rows: dict[str, Entry] = field(factory=dict)
    """The open rows, by id."""

    def knows(self, row_id: str) -> bool:
        """Return whether a row was exported, or will be read again as an open one."""
        return row_id in self.starts or row_id in self.open_rows

    def dumps(self) -> bytes:
        """Return the state as JSON lines."""
        lines: list[Any] = [{"id": row_id, "start": start} for row_id, start in self.starts.items()]
        lines += [{"open": entry} for entry in self.open_rows.values()]
        return b"".join(json.dumps(line).encode() + b"\n" for line in lines)

    @classmethod
    def loads(cls, data: bytes | None) -> Self:
        """Return the state in a text from `dumps`."""
        state = cls()
        for line in (data or b"").splitlines():
            entry = json.loads(line)
            if "open" in entry:
                record, text_bytes = entry["open"]
                state.open_rows[record["id"]] = Entry(record, text_bytes)
            else:
                state.starts[entry["id"]] = entry["start"]
        return state


async def read_state(store: Store) -> State:
    """Return the state after the last complete export."""
    return State.loads(await store.read_if_present(STATE))


def next_state(
    before: State, summaries: Iterable[ShardSummary], carried: dict[str, Entry], job: Job
) -> State:
    """
    Return the state after a generation.

    Args:
        before: the state at its start.
        summaries: the summaries of its shards.
        carried: open rows that could not be read again.
        job: the export.
    """
    state = State(open_rows=dict(carried))
    known = dict(before.starts)
    for summary in summaries:
        known.update(summary.recent)
        state.open_rows.update((entry.record["id"], entry) for entry in summary.open_rows)
    since = job.recent_since
    for row_id, start in known.items():
        if start is None or datetime.fromisoformat(start) >= since:
            state.starts[row_id] = start
    return state


async def begin_update(
    store: Store, job: Job, success: dict[str, Any], now: datetime
) -> Generation:
    """
    Begin an update of a complete dataset, which is incomplete from then on.

    If this is interrupted, `current_generation` completes it in the next run.
    """
    update = Generation(success["generation"] + 1, now, success)
    await store.write(UPDATE, update.dumps(), replace=False)
    await _remove_old_end(store, job)
    return update


async def current_generation(
    store: Store, job: Job, created_at: datetime, success: dict[str, Any] | None
) -> Generation:
    """Return the generation that is in progress, or the newest one."""
    data = await store.read_if_present(UPDATE)
    if data is None:
        number = 0 if success is None else success["generation"]
        return Generation(number, created_at)
    update = Generation.loads(data)
    if success is not None and success["generation"] == update.number:
        # The update was complete, except for the removal of this file.
        await store.delete([UPDATE])
    elif success is not None:
        await _remove_old_end(store, job)
    return update


async def _remove_old_end(store: Store, job: Job) -> None:
    """Remove the files that only a complete dataset has."""
    await store.delete([SUCCESS])
    await store.delete([open_part_name(job)])
