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
PROGRESS: Final = "_progress"
TEXTS: Final = "texts"

_KNOWN: Final = frozenset({PLAN, ERRORS, SUCCESS, STATE, PROGRESS, TEXTS})
_OPEN: Final = "open"
_UPDATE: Final = re.compile(r"_update-(\d+)\.json")
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
    if shard is None or shard == _OPEN or not _has_label(shard, job.label):
        return None
    return shard


def is_progress_of(label: str, name: str) -> bool:
    """Return whether a name in the folder of the progress belongs to the generation of a label."""
    return _has_label(name, label)


def _has_label(name: str, label: str) -> bool:
    # The names of the first export have no label.
    return name.startswith(label) if label else not name.startswith("u")


def foreign_names(job: Job, names: Iterable[str]) -> list[str]:
    """Return the names that are neither part of this dataset nor those of temporary files."""
    return sorted(
        name
        for name in names
        if name not in _KNOWN
        and update_number(name) is None
        and shard_of_part(job, name) is None
        and not (name.startswith(".") and name.endswith(".part"))
    )


def generation_label(number: int) -> str:
    """Return the prefix of the names of the shards of a generation."""
    return f"u{number}-" if number else ""


def update_name(number: int) -> str:
    """Return the name of the file that exists while an update is in progress."""
    return f"_update-{number}.json"


def update_number(name: str) -> int | None:
    """Return the number of the update that a file is about, None for any other name."""
    found = _UPDATE.fullmatch(name)
    return None if found is None else int(found[1])


def pairs_name(plan: str) -> str:
    """Return the name of the file with the pairs of the first export."""
    return f"{PROGRESS}/pairs-{plan}.jsonl"


def rows_name(shard: str) -> str:
    """Return the name of the file with the listed rows of a shard."""
    return f"{PROGRESS}/{shard}.rows.jsonl"


def walk_file_number(label: str, name: str) -> int | None:
    """Return the number of a file of a walk, None for any other name."""
    found = re.fullmatch(rf"{re.escape(label)}(\d{{5,}})\.rows\.jsonl", name)
    return None if found is None else int(found[1])


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
