"""What walks came to: rows lost, rows twice, and how they are printed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from attrs import define, field

from videosdk_transcripts import WalkStats

__all__ = ["Tally", "markdown"]


@define
class Tally:
    """The sums over the walks of one line of a table."""

    walks: int = 0
    requests: int = 0
    retries: int = 0
    rescans: int = 0
    drifted: int = 0
    """Walks that said that rows moved."""
    pages: int = 0
    """The highest page that was asked for, summed over the walks."""
    wanted: int = 0
    """Rows that were listed during the whole walk."""
    lost: int = 0
    twice: int = 0
    out_of_order: int = 0
    """Rows that stayed, and came before one that stands before them in the list."""
    unreported: int = 0
    """Walks that ended normally and had lost or doubled a row."""
    faults: Counter[str] = field(factory=Counter)
    """What went wrong, by its name."""
    errors: Counter[str] = field(factory=Counter)
    """Errors that a walk raised, by their class."""
    flaws: Counter[str] = field(factory=Counter)
    """Whatever else must not be, such as a task that is left."""

    @property
    def is_good(self) -> bool:
        """Return whether nothing is lost, doubled or left behind."""
        return not (self.lost or self.twice or self.unreported or self.flaws)

    def add_stats(self, stats: WalkStats) -> None:
        """Add the counters of a pager."""
        self.requests += stats.requests
        self.retries += stats.retries
        self.rescans += stats.rescans
        self.drifted += stats.drifted

    def add_rows(self, found: Sequence[str], listed: Sequence[str], gone: Iterable[str]) -> None:
        """
        Compare what a walk gave with what there was.

        Args:
            found: the ids in the order in which they came.
            listed: the ids that were there when the walk began, in order.
            gone: those that were removed while it lasted.
        """
        left = set(gone)
        place = {row_id: n for n, row_id in enumerate(listed) if row_id not in left}
        came = [place[row_id] for row_id in dict.fromkeys(found) if row_id in place]
        lost, twice = len(place) - len(came), len(found) - len(set(found))
        self.walks += 1
        self.wanted += len(place)
        self.lost += lost
        self.twice += twice
        self.unreported += bool(lost or twice)
        self.out_of_order += sum(a > b for a, b in pairwise(came))

    async def look_for_leftovers(self) -> None:
        """Count the tasks that are still there, once all is closed."""
        for _ in range(3):
            await asyncio.sleep(0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        self.flaws["task left behind"] += len(left)
        self.flaws += Counter()  # without those that are zero


def markdown(lines: Sequence[Mapping[str, object]]) -> str:
    """Write a table, with the names of the first line at its head."""
    rows = [list(lines[0]), ["---"] * len(lines[0]), *(line.values() for line in lines)]
    return "".join(f"| {' | '.join(map(str, row))} |\n" for row in rows)
