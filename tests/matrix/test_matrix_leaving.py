"""A small part of the full measurement of cancelled walks (`leaving.py`)."""

from __future__ import annotations

import pytest
from attrs import evolve

from .leaving import CLOSING, PHASES, WAYS, LeavingCase, leaving_lines, print_leaving

LINES = [line for line in leaving_lines(8) if line.way in WAYS]


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.way} {line.loop}")
def test_cancelled_walks_leak_nothing_and_lose_no_row(line: LeavingCase) -> None:
    """Walks are cancelled at each fifteenth iteration of the event loop."""
    tally = evolve(line, every=15)()
    assert tally.is_good, tally
    # libuv connects in a thread, so the number of iterations varies.
    assert len(tally.faults) > (3 if line.loop == "asyncio" else 1)
    ended = tally.walks - 1
    assert f"| {line.way} | {line.loop} | {ended} |" in print_leaving([line], [tally])


def test_closing_the_client_ends_walks_with_one_error() -> None:
    """At each third iteration, which covers all waits, the walk raises one error immediately."""
    tally = LeavingCase(CLOSING, every=3)()
    assert tally.is_good, tally
    assert tally.faults.keys() >= {*PHASES, "rescan"}
    assert tally.errors["ClientClosedError"] >= tally.faults.total() > 20
