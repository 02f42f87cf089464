"""A small part of the long matrix (`run.py`), with few seeds and short walks."""

from __future__ import annotations

import pytest

from .faults import EXHAUSTED, KINDS, MIXED, Faults
from .moving import BLOCK, Moving, Pattern
from .run import print_faults, print_moves


@pytest.mark.parametrize("kind", KINDS)
async def test_bursts_of_a_fault_are_survived(kind: str) -> None:
    """Every kind in bursts of three costs requests and no row."""
    line = Faults(f"{kind}, bursts", {kind: 0.3}, 3, concurrency=(1,), pages=10)
    tally = await line.walk_all()
    assert tally.is_good, tally
    assert tally.faults[kind] >= 2
    assert tally.wanted == 10 * 20
    assert f"| {kind}, bursts | 1 | 1 | 1 |" in print_faults([line], [tally])


async def test_mixed_faults_are_survived_by_walks_side_by_side() -> None:
    """Four walks on one client, each with its own room."""
    tally = await Faults("mixed", MIXED, concurrency=(4,), pages=25).walk_all()
    assert tally.is_good, tally
    assert tally.walks == 4
    assert tally.faults.total() > 5


async def test_without_a_second_attempt_a_new_client_goes_on() -> None:
    """Each error has a checkpoint, and all the parts together are the list."""
    tally = await Faults(
        "exhausted", EXHAUSTED, concurrency=(1,), attempts=1, pages=120, readahead=0
    ).walk_all()
    assert tally.is_good, tally
    assert tally.errors.total() == tally.faults.total() > 3


@pytest.mark.parametrize("pattern", ["inserted", "removed", "in turn", "uneven"])
@pytest.mark.parametrize("count", [1, BLOCK])
async def test_rows_that_move_while_the_total_changes(pattern: Pattern, count: int) -> None:
    """No row that stayed is lost or comes twice, and the walk says that rows moved."""
    line = Moving(pattern, "front", count, seeds=(1,), pages=30)
    tally = await line.walk_all()
    assert tally.is_good, tally
    assert tally.drifted == 1
    assert f"| {pattern} | front | once | {count} | every 5 pages | 1 |" in print_moves(
        [line], [tally]
    )


async def test_the_documented_limit_is_counted_and_not_hidden() -> None:
    """One out at the front and one in at the end leave no evidence, and the figures say so."""
    tally = await Moving("even", "front", 1, other_place="end", seeds=(1,), pages=30).walk_all()
    assert tally.lost == tally.faults["moments"] > 3
    assert (tally.drifted, tally.unreported, tally.is_good) == (0, 1, False)


async def test_a_verified_walk_finds_what_the_limit_hides() -> None:
    """The same list as above, and no row is lost."""
    line = Moving("even", "front", 1, other_place="end", manner="verify", seeds=(1,), pages=30)
    tally = await line.walk_all()
    assert tally.is_good, tally
    assert tally.faults["moments"] > 3


@pytest.mark.parametrize("pattern", ["removed", "in turn"])
async def test_rows_that_move_while_a_walk_stops_and_is_taken_up(pattern: Pattern) -> None:
    """Whatever happens between two clients, the next one finds the rows that slid past."""
    line = Moving(
        pattern, "middle", BLOCK, "at random requests", manner="taken up again", seeds=(1, 2)
    )
    tally = await line.walk_all()
    assert tally.is_good, tally
    assert tally.faults["moments"] > 3
