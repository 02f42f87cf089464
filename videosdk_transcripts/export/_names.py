"""The names of all files of a dataset. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from ._options import Job, Shard

PLAN: Final = "_plan.json"
ERRORS: Final = "_errors.jsonl"
SUCCESS: Final = "_SUCCESS.json"
STATE: Final = "_state.jsonl"
UPDATE: Final = "_update.json"
PROGRESS: Final = "_progress"
TEXTS: Final = "texts"

_KNOWN: Final = frozenset({PLAN, ERRORS, SUCCESS, STATE, UPDATE, PROGRESS, TEXTS})
_OPEN: Final = "open"
_PART: Final = re.compile(r"part-(?P<shard>[\w-]+)-(?P<plan>[0-9a-f]{8})\.(?P<format>\w+)")


def part_name(job: Job, shard: str) -> str:
    """Return the name of the part of a shard."""
    return f"part-{shard}-{job.plan}.{job.options.format}"


def open_part_name(job: Job) -> str:
    """Return the name of the part with the open rows."""
    return part_name(job, _OPEN)


def shard_of_part(job: Job, name: str) -> str | None:
    """Return the shard of a part of this export; None if the name is not that of a part."""
    found = _PART.fullmatch(name)
    if found is None or found["plan"] != job.plan or found["format"] != job.options.format:
        return None
    return found["shard"]


def generation_shard(job: Job, name: str) -> str | None:
    """Return the shard of a part of the generation in progress; None for any other name."""
    shard = shard_of_part(job, name)
    if shard is None or shard == _OPEN or not shard.startswith(job.label):
        return None
    # The shards of the first export have no label.
    return shard if job.label or not shard.startswith("u") else None


def foreign_names(job: Job, names: Iterable[str]) -> list[str]:
    """Return the names that are neither part of this dataset nor those of temporary files."""
    return sorted(
        name
        for name in names
        if name not in _KNOWN
        and shard_of_part(job, name) is None
        and not (name.startswith(".") and name.endswith(".part"))
    )


def rows_name(shard: str) -> str:
    """Return the name of the file with the listed rows of a shard."""
    return f"{PROGRESS}/{shard}.rows.jsonl"


def log_name(shard: str, attempt: str) -> str:
    """Return the name of a file with the finished rows of an attempt at a shard."""
    return f"{PROGRESS}/{shard}.{attempt}.log.jsonl"


def summary_name(shard: str, attempt: str) -> str:
    """Return the name of the file with the summary of an attempt at a shard."""
    return f"{PROGRESS}/{shard}.{attempt}.summary.json"


def is_log_of(shard: Shard, name: str) -> bool:
    """Return whether a name in the progress folder is that of a log of a shard."""
    return name.startswith(f"{shard.name}.") and name.endswith(".log.jsonl")


def shard_of_summary(name: str) -> str | None:
    """Return the shard of a summary; None if the name is not that of a summary."""
    shard, _, rest = name.partition(".")
    return shard if rest.endswith(".summary.json") else None


def walk_name(label: str) -> str:
    """Return the name of the file with the position of a walk."""
    return f"{PROGRESS}/{label}walk.json"
