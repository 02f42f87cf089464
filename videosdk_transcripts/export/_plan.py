"""
Write the plan file, which prevents that two different exports are mixed in one dataset.

It contains no secret, and only a digest of the first list of pairs. The pairs are saved in another
file until they are exported, so that an update completes an interrupted export before it adds
others.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from attrs import evolve, frozen

from videosdk_transcripts._paging.time_range import TimeRange
from videosdk_transcripts.errors import ConfigurationError

from ._generation import Generation
from ._names import PLAN, foreign_names, pairs_name
from ._options import Job, Options, Pair, Shard, Split
from ._store import Store

_VERSION: Final = 1


@frozen
class Source:
    """What to export: pairs, or a walk over the account, a room or a session."""

    walked: Pair | tuple[None, None] | None = None
    """The arguments of the walk; None for pairs."""
    pairs: tuple[Pair, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the source as JSON, with a digest instead of the pairs."""
        if self.walked is not None:
            return {"room_id": self.walked[0], "session_id": self.walked[1]}
        digest = sha256(json.dumps(self.pairs).encode()).hexdigest()
        return {"pairs": len(self.pairs), "pairs_sha256": digest}


def pair_shards(source: Source, size: int) -> list[Shard]:
    """Return the shards of a list of pairs, which depend only on the pairs and the size."""
    pairs = source.pairs
    return [
        Shard(f"{number:05}", pairs[start : start + size])
        for number, start in enumerate(range(0, len(pairs), size))
    ]


def make_plan(
    source: Source, options: Options, split: Split, relative: dict[str, str]
) -> dict[str, Any]:
    """
    Return the plan of an export as JSON.

    Args:
        source: what to export.
        options: the content of the dataset.
        split: the jobs.
        relative: the times that were given relative to now, by the name of the option. Those of
            an earlier plan are in force.
    """
    # The jobs of an array share one list of shards of pairs, but make separate walks.
    jobs = split.count if source.walked is not None else None
    plan = {"version": _VERSION, "source": source.to_dict(), **options.to_dict(), "jobs": jobs}
    return plan | {"relative": relative} if relative else plan


def plan_id(plan: dict[str, Any]) -> str:
    """Return the id of a plan, which is part of the names of its parts."""
    return sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()[:8]


async def claim(
    store: Store, job: Job, plan: dict[str, Any], source: Source, now: datetime
) -> tuple[Job, Generation]:
    """
    Write the plan into an empty sink, or check that an existing plan is the same.

    The pairs and the number of jobs are not compared: an update may have others.

    Returns:
        The job with the plan in force, and the first export.

    Raises:
        ConfigurationError: the sink has another plan, or files of another program.
        SinkError: the sink can't be written.
    """
    await store.prepare()
    text = json.dumps({**plan, "created_at": now.isoformat()}, indent=2) + "\n"
    names = await store.sizes()
    if PLAN not in names:
        _check_names(store, foreign_names(job, names))
        if source.walked is None:
            # First, so that each plan has its pairs. Another job may write the same ones.
            lines = [json.dumps(pair).encode() + b"\n" for pair in source.pairs]
            await store.write(pairs_name(job.plan), b"".join(lines))
        if await store.write(PLAN, text.encode(), replace=False):
            return job, Generation(0, now, plan["jobs"])
    found = _read_plan(await store.read(PLAN))
    created_at = _created_at(found)
    if found is None or created_at is None:
        raise ConfigurationError(f"{PLAN} in {store} is not the plan of an export")
    del found["created_at"]
    differing = _differing(found, plan)
    if differing:
        raise ConfigurationError(
            f"{store} has another export: {differing}; choose another place, or repeat the "
            "export with its options"
        )
    times = TimeRange.of(found.get("since"), found.get("until"))
    job = evolve(job, plan=plan_id(found), options=evolve(job.options, times=times))
    _check_names(store, foreign_names(job, names))
    return job, Generation(0, created_at, found.get("jobs"))


def _created_at(plan: dict[str, Any] | None) -> datetime | None:
    try:
        return datetime.fromisoformat((plan or {})["created_at"])
    except (KeyError, TypeError, ValueError):
        return None


def _check_names(store: Store, foreign: Sequence[str]) -> None:
    if foreign:
        listed = ", ".join(foreign[:3]) + (" and others" if len(foreign) > 3 else "")
        raise ConfigurationError(
            f"{store} has files that are not part of an export ({listed}); choose an empty place"
        )


def _read_plan(data: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(data)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _differing(found: dict[str, Any], plan: dict[str, Any]) -> str:
    """Return which options differ; empty if all are the same."""
    there, here = _compared(found), _compared(plan)
    return ", ".join(
        f"{name} is {json.dumps(there.get(name))} there and {json.dumps(here.get(name))} here"
        for name in here | there
        if there.get(name) != here.get(name)
    )


def _compared(plan: dict[str, Any]) -> dict[str, Any]:
    """Return what each run of an export must have in common."""
    compared = {name: plan[name] for name in plan if name not in ("jobs", "relative")}
    compared |= plan.get("relative", {})
    source = plan.get("source")
    if isinstance(source, dict) and "pairs" in source:
        compared["source"] = "pairs"
    return compared
