"""Tally the results of walks: lost, duplicated and misordered rows, errors and flaws."""

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
    """The totals over the walks of one line of a table."""

    walks: int = 0
    requests: int = 0
    retries: int = 0
    rescans: int = 0
    drifted: int = 0
    """Walks that reported that rows moved."""
    pages: int = 0
    """The highest page that was requested, summed over the walks."""
    expected: int = 0
    """Rows that were listed during the whole walk."""
    lost: int = 0
    duplicates: int = 0
    out_of_order: int = 0
    """Rows that were yielded before a row that precedes them in the list."""
    unreported: int = 0
    """Walks that ended normally although a row was lost or duplicated."""
    faults: Counter[str] = field(factory=Counter)
    """Faults and other events, by name."""
    errors: Counter[str] = field(factory=Counter)
    """Errors raised by walks, by class."""
    flaws: Counter[str] = field(factory=Counter)
    """Other defects, such as a task left behind, by description."""

    @property
    def is_good(self) -> bool:
        """Return whether no row is lost or duplicated and there are no flaws."""
        return not (self.lost or self.duplicates or self.unreported or self.flaws)

    def add_stats(self, stats: WalkStats) -> None:
        """Add the statistics of a pager."""
        self.requests += stats.requests
        self.retries += stats.retries
        self.rescans += stats.rescans
        self.drifted += stats.drifted

    def add_rows(self, found: Sequence[str], listed: Sequence[str], removed: Iterable[str]) -> None:
        """
        Compare the rows that a walk yielded with the rows of the list.

        Args:
            found: the yielded ids, in order.
            listed: the ids in the list when the walk began, in order.
            removed: the ids that were removed during the walk.
        """
        gone = set(removed)
        index = {row_id: n for n, row_id in enumerate(listed) if row_id not in gone}
        order = [index[row_id] for row_id in dict.fromkeys(found) if row_id in index]
        lost, duplicates = len(index) - len(order), len(found) - len(set(found))
        self.walks += 1
        self.expected += len(index)
        self.lost += lost
        self.duplicates += duplicates
        self.unreported += bool(lost or duplicates)
        self.out_of_order += sum(a > b for a, b in pairwise(order))

    async def count_leftovers(self) -> None:
        """Count the tasks that still exist after everything is closed."""
        for _ in range(3):
            await asyncio.sleep(0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        self.flaws["task left behind"] += len(left)
        self.flaws += Counter()  # drops counts of zero


def markdown(lines: Sequence[Mapping[str, object]]) -> str:
    """Format a Markdown table; the keys of the first line are its header."""
    rows = [list(lines[0]), ["---"] * len(lines[0]), *(line.values() for line in lines)]
    return "".join(f"| {' | '.join(map(str, row))} |\n" for row in rows)
