"""Simulate walks over `PATTERNS` without sockets: thousands of walks in seconds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Final, Literal

from attrs import define, fields, frozen

from videosdk_transcripts import (
    Clock,
    Page,
    Pager,
    Transcription,
    VideoSDKTranscriptsError,
    WalkStats,
)
from videosdk_transcripts._api.filter import Filter
from videosdk_transcripts._paging.options import WalkOptions
from videosdk_transcripts._paging.repair import WrongTotals

from .patterns import ROOM, Pattern
from .tally import markdown

__all__ = ["Outcome", "SimulatedCase", "print_outcomes", "walk_over"]

Consistency = Literal["once", "verify"]
MakePager = Callable[[int | None, str | None], Pager[Transcription]]

LIST: Final = "realtime-transcriptions"
MAX_REQUESTS: Final = 5000


@define
class Outcome:
    """What happened in the walks over one pattern."""

    walks: int = 0
    lost: int = 0
    """Rows that were listed during the whole walk, and were missing although it ended normally."""
    walks_with_loss: int = 0
    without_sign: int = 0
    """Those of them without a shortfall."""
    duplicates: int = 0
    out_of_order: int = 0
    """Rows that were yielded before a row that precedes them in the list."""
    errors: int = 0
    shortfalls: int = 0
    """Walks with a shortfall although nothing is missing, mostly because the total is wrong."""
    requests: int = 0
    pages: int = 0

    def add(self, other: Outcome) -> None:
        """Add the walks over another pattern."""
        for field in fields(Outcome):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))


async def walk_over(pattern: Pattern, make_pager: MakePager, outcome: Outcome) -> None:
    """Walk over a pattern once, and add the result."""
    found: list[str] = []
    failed = False
    limit = pattern.chance.randint(1, 60) if pattern.stops else None
    pager = make_pager(limit, None)
    try:
        while True:
            before = len(found)
            async for t in pager:
                found.append(t.id)  # noqa: PERF401 - rows before an error are kept
            if limit is None or len(found) < before + limit:
                break
            limit = pattern.chance.randint(1, 60)
            pager = make_pager(limit, pager.checkpoint)
    except VideoSDKTranscriptsError:
        failed = True
    index = {row_id: n for n, row_id in enumerate(pattern.listed) if row_id in pattern.always}
    order = [index[row_id] for row_id in dict.fromkeys(found) if row_id in index]
    lost = 0 if failed else len(index) - len(order)
    outcome.walks += 1
    outcome.errors += failed
    outcome.lost += lost
    outcome.walks_with_loss += lost > 0
    outcome.without_sign += lost > 0 and not pager.stats.shortfall
    outcome.shortfalls += not failed and not lost and bool(pager.stats.shortfall)
    outcome.duplicates += len(found) - len(set(found))
    outcome.out_of_order += sum(a > b for a, b in pairwise(order))
    outcome.requests += pattern.requests
    outcome.pages += max(1, -(-pattern.largest // min(pattern.size, pattern.served)))


@frozen
class SimulatedCase:
    """
    One line of the table.

    Args:
        pattern: the list.
        seeds: how many walks, each with its own seed.
        consistency: one walk, or a verified one.
    """

    pattern: type[Pattern]
    seeds: int
    consistency: Consistency = "once"

    def __call__(self) -> Outcome:
        """Run all walks of this line."""
        # Thousands of warnings are expected.
        logging.getLogger("videosdk_transcripts").setLevel(logging.ERROR)
        return asyncio.run(self.walk_all())

    async def walk_all(self) -> Outcome:
        """Run all walks of this line in the running event loop."""
        outcome = Outcome()
        for seed in range(self.seeds):
            pattern = self.pattern(seed)
            await walk_over(pattern, self._make_pager(pattern), outcome)
        return outcome

    def _make_pager(self, pattern: Pattern) -> MakePager:
        wrong_totals = WrongTotals()

        async def fetch(
            page: int, page_size: int, *, deadline: float | None
        ) -> Page[Transcription]:
            assert deadline is None
            assert pattern.requests < MAX_REQUESTS, f"{pattern.name}: the walk does not end"
            return pattern.respond(page, page_size)

        def make_pager(limit: int | None, resume: str | None) -> Pager[Transcription]:
            options = WalkOptions(
                wanted=Filter(ROOM),
                limit=limit,
                page_size=pattern.size,
                resume=resume,
                on_unverified="raise",
                on_invalid="raise",
                consistency=self.consistency,
                max_empty_pages=1000,
                readahead=0,
                walk_timeout=None,
            )
            return Pager(
                fetch,
                options,
                options.load_checkpoint(LIST),
                WalkStats(),
                clock=Clock(sleep=_skip),
                list_name=LIST,
                wrong_totals=wrong_totals,
            )

        return make_pager


async def _skip(_seconds: float) -> None:
    """Skip a wait."""


def print_outcomes(
    patterns: Sequence[type[Pattern]], outcomes: Sequence[Outcome], *, brief: bool = False
) -> str:
    """
    Format a table, with the sum of all lines at its end.

    Args:
        patterns: the patterns.
        outcomes: their outcomes.
        brief: whether to omit the patterns without a loss.
    """
    everything = Outcome()
    for outcome in outcomes:
        everything.add(outcome)
    lines = [
        (pattern.name, outcome)
        for pattern, outcome in zip(patterns, outcomes, strict=True)
        if outcome.lost or not brief
    ]
    return markdown([_line(name, outcome) for name, outcome in [*lines, ("all", everything)]])


def _line(name: str, outcome: Outcome) -> dict[str, Any]:
    return {
        "pattern": name,
        "walks": outcome.walks,
        "rows lost": outcome.lost,
        "walks with loss": outcome.walks_with_loss,
        "losses without a sign": outcome.without_sign,
        "duplicates": outcome.duplicates,
        "out of order": outcome.out_of_order,
        "errors": outcome.errors,
        "shortfall though complete": outcome.shortfalls,
        "requests per page": f"{outcome.requests / max(1, outcome.pages):.2f}",
    }
