"""A small part of the full matrix (`run.py`): few seeds and short walks."""

from __future__ import annotations

import pytest

from .faults import EXHAUSTED, KINDS, MIXED, FaultCase
from .moving import BLOCK, MovingCase, Pattern
from .patterns import (
    PATTERNS,
    CachedInserted,
    EmptyOnce,
    HiddenCap,
    LowLastPage,
    OneAheadWholePages,
)
from .patterns import Pattern as Misbehaviour
from .run import print_faults, print_moves
from .served import ServedCase
from .simulation import Outcome, SimulatedCase, print_outcomes


@pytest.mark.parametrize("kind", KINDS)
async def test_bursts_of_a_fault_lose_no_row(kind: str) -> None:
    """Bursts of three cost additional requests only."""
    line = FaultCase(f"{kind}, bursts", {kind: 0.3}, 3, concurrency=(1,), pages=10)
    tally = await line.walk_all()
    assert tally.is_good, tally
    assert tally.faults[kind] >= 2
    assert tally.expected == 10 * 20
    assert f"| {kind}, bursts | 1 | 1 | 1 |" in print_faults([line], [tally])


async def test_mixed_faults_in_concurrent_walks_lose_no_row() -> None:
    """Four walks share one client, each with its own room."""
    tally = await FaultCase("mixed", MIXED, concurrency=(4,), pages=25).walk_all()
    assert tally.is_good, tally
    assert tally.walks == 4
    assert tally.faults.total() > 5


async def test_without_retries_each_error_can_be_resumed() -> None:
    """Each error has a checkpoint, and the parts together are the whole list."""
    tally = await FaultCase(
        "exhausted", EXHAUSTED, concurrency=(1,), attempts=1, pages=120, readahead=0
    ).walk_all()
    assert tally.is_good, tally
    assert tally.errors.total() == tally.faults.total() > 3


@pytest.mark.parametrize("pattern", ["inserted", "removed", "in turn", "uneven"])
@pytest.mark.parametrize("count", [1, BLOCK])
async def test_rows_that_move_while_the_total_changes_are_not_lost(
    pattern: Pattern, count: int
) -> None:
    """No row listed throughout is lost or duplicated, and the walk reports that rows moved."""
    line = MovingCase(pattern, "front", count, seeds=(1,), pages=30)
    tally = await line.walk_all()
    assert tally.is_good, tally
    assert tally.drifted == 1
    assert f"| {pattern} | front | once | {count} | every 5 pages | 1 |" in print_moves(
        [line], [tally]
    )


async def test_documented_limitation_is_counted() -> None:
    """A removal at the front with an insertion at the end is not detectable."""
    tally = await MovingCase(
        "even", "front", 1, other_position="end", seeds=(1,), pages=30
    ).walk_all()
    assert tally.lost == tally.faults["changes"] > 3
    assert (tally.drifted, tally.unreported, tally.is_good) == (0, 1, False)


async def test_verified_walk_overcomes_the_documented_limitation() -> None:
    """The same list as above, and no row is lost."""
    line = MovingCase(
        "even", "front", 1, other_position="end", manner="verify", seeds=(1,), pages=30
    )
    tally = await line.walk_all()
    assert tally.is_good, tally
    assert tally.faults["changes"] > 3


@pytest.mark.parametrize("pattern", ["removed", "in turn"])
async def test_rows_that_move_between_stopped_and_resumed_walks_are_not_lost(
    pattern: Pattern,
) -> None:
    """The next client finds the rows that shifted."""
    line = MovingCase(
        pattern, "middle", BLOCK, "at random requests", manner="resumed", seeds=(1, 2), pages=60
    )
    tally = await line.walk_all()
    assert tally.is_good, tally
    assert tally.faults["changes"] > 3


async def test_simulated_walks_lose_no_row_that_page_numbers_can_reveal() -> None:
    """What they can't reveal is rarely lost; a verified walk that ends loses nothing."""
    everything, verified = Outcome(), Outcome()
    for pattern in PATTERNS:
        outcome = await SimulatedCase(pattern, 3).walk_all()
        assert outcome.duplicates == 0, pattern.name
        assert not (outcome.lost and pattern.can_reveal), pattern.name
        everything.add(outcome)
        if not pattern.stops:
            verified.add(await SimulatedCase(pattern, 1, "verify").walk_all())
    assert everything.walks_with_loss / everything.walks < 604 / 8600
    assert everything.lost / everything.walks < 780 / 8600
    assert everything.requests / everything.pages < 2.4
    assert (verified.lost, verified.duplicates) == (0, 0)
    table = print_outcomes(PATTERNS, [Outcome()] * (len(PATTERNS) - 1) + [everything])
    assert f"| all | {everything.walks} | {everything.lost} |" in table


@pytest.mark.parametrize("readahead", [0, 8])
@pytest.mark.parametrize(
    "pattern", [CachedInserted, EmptyOnce, HiddenCap, LowLastPage, OneAheadWholePages]
)
async def test_patterns_on_sockets_lose_no_row(pattern: type[Misbehaviour], readahead: int) -> None:
    """The simulation covers the pager; here the whole client walks, with prefetched pages."""
    outcome = await ServedCase(pattern, 2, readahead).walk_all()
    assert (outcome.walks, outcome.lost, outcome.duplicates, outcome.errors) == (2, 0, 0, 0)
