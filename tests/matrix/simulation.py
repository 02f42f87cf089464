"""
Simulate walks without sockets: ``cd tests; python -m matrix.simulation``.

Prints a Markdown table, with the same seeds each time.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise, repeat

from attrs import define

from videosdk_transcripts import Page, Transcription, VideoSDKTranscriptsError, WalkStats
from videosdk_transcripts._api.filter import Filter
from videosdk_transcripts._clock import Clock
from videosdk_transcripts._paging.options import WalkOptions
from videosdk_transcripts._paging.pager import Pager
from videosdk_transcripts._paging.repair import WrongTotals

from .patterns import PATTERNS, ROOM, Pattern
from .tally import markdown

__all__ = ["Outcome", "main", "simulate"]

SEEDS = 200
MAX_REQUESTS = 3000


@define
class Outcome:
    """What happened in all walks over one pattern."""

    walks: int = 0
    lost: int = 0
    """Rows that were listed during the whole walk, and were not yielded."""
    with_loss: int = 0
    without_sign: int = 0
    """Walks with a loss without an error or a shortfall."""
    undrifted: int = 0
    """Those of them that did not even report that rows moved."""
    duplicates: int = 0
    out_of_order: int = 0
    errors: int = 0
    shortfalls: int = 0
    """Complete walks that reported a shortfall."""
    requests: int = 0
    pages: int = 0
    most: float = 0

    def add(self, other: Outcome) -> None:
        """Add the walks of another pattern."""
        for name in self.__slots__:
            if name not in ("__weakref__", "most"):
                setattr(self, name, getattr(self, name) + getattr(other, name))
        self.most = max(self.most, other.most)


async def _no_wait(_seconds: float) -> None:
    pass


def _pager(pattern: Pattern, limit: int | None, resume: str | None) -> Pager[Transcription]:
    async def fetch(page: int, page_size: int, *, deadline: float | None) -> Page[Transcription]:
        assert deadline is None
        assert pattern.requests < MAX_REQUESTS, "the walk does not end"
        return pattern.respond(page, page_size)

    options = WalkOptions(
        wanted=Filter(ROOM),
        limit=limit,
        page_size=pattern.size,
        resume=resume,
        on_unverified="raise",
        on_invalid="raise",
        consistency="once",
        max_empty_pages=1000,
        readahead=0,
        walk_timeout=None,
    )
    return Pager(
        fetch,
        options,
        options.load_checkpoint("list"),
        WalkStats(),
        clock=Clock(sleep=_no_wait),
        list_name="list",
        wrong_totals=WrongTotals(),
    )


async def _walk(pattern: Pattern, outcome: Outcome) -> None:
    found: list[str] = []
    has_error = False
    pager = _pager(pattern, None, None)
    try:
        if pattern.stops:
            checkpoint = None
            more = True
            while more:
                limit = pattern.chance.randint(1, 60)
                pager = _pager(pattern, limit, checkpoint)
                before = len(found)
                found += [t.id async for t in pager]
                checkpoint = pager.checkpoint
                more = len(found) - before == limit
        else:
            async for t in pager:
                found.append(t.id)
    except VideoSDKTranscriptsError:
        has_error = True
    index = {row_id: n for n, row_id in enumerate(pattern.listed) if row_id in pattern.always}
    order = [index[row_id] for row_id in dict.fromkeys(found) if row_id in index]
    lost = len(index) - len(order)
    shortfall = getattr(pager.stats, "shortfall", None) or 0
    outcome.walks += 1
    outcome.errors += has_error
    outcome.duplicates += len(found) - len(set(found))
    outcome.requests += pattern.requests
    pages = max(1, -(-pattern.largest // pattern.size))
    outcome.pages += pages
    outcome.most = max(outcome.most, pattern.requests / pages)
    outcome.out_of_order += sum(a > b for a, b in pairwise(order))
    if not lost:
        outcome.shortfalls += shortfall > 0
    elif not has_error:
        outcome.lost += lost
        outcome.with_loss += 1
        outcome.without_sign += not shortfall
        outcome.undrifted += not shortfall and not pager.stats.drifted


def simulate(pattern: type[Pattern], seeds: int = SEEDS) -> Outcome:
    """Walk over a pattern once for each seed."""

    async def walk_all() -> Outcome:
        outcome = Outcome()
        for seed in range(seeds):
            await _walk(pattern(seed), outcome)
        return outcome

    return asyncio.run(walk_all())


def print_outcomes(patterns: Sequence[type[Pattern]], outcomes: Sequence[Outcome]) -> str:
    """Format the table."""
    everything = Outcome()
    for outcome in outcomes:
        everything.add(outcome)
    names = [pattern.name for pattern in patterns]
    return markdown(
        [
            {
                "pattern": name,
                "walks": outcome.walks,
                "rows lost": outcome.lost,
                "walks with loss": outcome.with_loss,
                "without a sign": outcome.without_sign,
                "undrifted": outcome.undrifted,
                "duplicates": outcome.duplicates,
                "out of order": outcome.out_of_order,
                "errors": outcome.errors,
                "shortfall though complete": outcome.shortfalls,
                "requests per page": f"{outcome.requests / outcome.pages:.2f}",
                "most": f"{outcome.most:.1f}",
            }
            for name, outcome in zip([*names, "all"], [*outcomes, everything], strict=True)
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate all patterns and print the table."""
    parser = argparse.ArgumentParser(prog="python -m matrix.simulation", description=__doc__)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="number of walks per pattern")
    options = parser.parse_args(arguments)
    logging.disable(logging.WARNING)
    with ProcessPoolExecutor(options.processes) as pool:
        outcomes = list(pool.map(simulate, PATTERNS, repeat(options.seeds)))
    sys.stdout.write(print_outcomes(PATTERNS, outcomes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
