"""
Run the full reliability matrix: ``cd tests; python -m matrix.run``.

Prints Markdown tables, with the same seeds each time, and exits with 1 if a row is lost or
duplicated outside of the documented limitation.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Final, get_args

from .faults import EXHAUSTED, KINDS, MIXED, REFUSED, SINGLE, TLS, FaultCase, Shape
from .leaving import leaving_lines, print_leaving
from .moving import MovingCase, moving_lines, resumed_lines, undetectable_lines
from .patterns import PATTERNS
from .served import ServedCase
from .simulation import Outcome, SimulatedCase, print_outcomes
from .tally import Tally, markdown

__all__ = ["main"]

SEEDS: Final = 20
SIMULATED: Final = 10
"""Simulated walks for each seed, since they take no time."""
PAGES: Final = 100
"""The length of the lists that are modified; walks with faults have 200 pages."""


def fault_lines(seeds: int, readahead: int) -> list[FaultCase]:
    """Return the lines of the first table: each kind of fault separately, then mixed."""
    # One seed in five runs four concurrent walks on one client.
    concurrency = tuple(1 if seed % 5 else 4 for seed in range(1, seeds + 1))
    more = {"readahead": readahead}
    lines = [
        # A refusal also resets the connections of concurrent walks.
        FaultCase.of(
            kind, shape, concurrency=concurrency, attempts=60 if kind == REFUSED else 6, **more
        )
        for kind in KINDS
        for shape in get_args(Shape)
    ]
    # These faults count connections, whose order varies with concurrent walks.
    lines += [
        FaultCase.of(TLS, shape, concurrency=(1,) * seeds, **more) for shape in get_args(Shape)
    ]
    lines += [
        FaultCase("mixed", MIXED, concurrency=(concurrency,) * seeds, **more)
        for concurrency in (1, 4)
    ]
    return lines


def exhausted_lines(seeds: int) -> list[FaultCase]:
    """Return the lines without retries, where each fault ends a client."""
    share = f"{SINGLE:.0%} of twelve kinds".replace("%", " %")
    return [FaultCase(share, EXHAUSTED, concurrency=(1,) * seeds, attempts=1, readahead=0)]


def print_faults(lines: Sequence[FaultCase], tallies: Sequence[Tally]) -> str:
    """Format the table of faults."""
    return markdown(
        [
            {
                "fault": line.name,
                "seeds": len(line.concurrency),
                "concurrent walks": max(line.concurrency),
                "walks": tally.walks,
                "faults": tally.faults.total(),
                "requests": tally.requests,
                "retries": tally.retries,
                "rows": tally.expected,
                "lost": tally.lost,
                "duplicates": tally.duplicates,
                "errors": tally.errors.total(),
                "unreported": tally.unreported,
                "flaws": tally.flaws.total(),
            }
            for line, tally in zip(lines, tallies, strict=True)
        ]
    )


def print_moves(lines: Sequence[MovingCase], tallies: Sequence[Tally]) -> str:
    """Format a table of concurrent modification."""
    return markdown(
        [
            {
                "change": line.pattern,
                "position": " to ".join(filter(None, (line.position, line.other_position))),
                "walk": line.manner,
                "rows per change": line.count,
                "when": line.when,
                "walks": tally.walks,
                "changes": tally.faults["changes"],
                "rows listed throughout": tally.expected,
                "lost": tally.lost,
                "duplicates": tally.duplicates,
                "out of order": tally.out_of_order,
                "requests per page": f"{tally.requests / max(1, tally.pages):.2f}",
                "reported moves": tally.drifted,
                "errors": tally.errors.total(),
            }
            for line, tally in zip(lines, tallies, strict=True)
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the matrix and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m matrix.run", description=__doc__)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="number of walks per line")
    parser.add_argument(
        "--readahead", type=int, default=8, help="maximum number of pages to prefetch"
    )
    options = parser.parse_args(arguments)
    began = time.monotonic()
    ahead = options.readahead
    size = {"seeds": tuple(range(1, options.seeds + 1)), "pages": PAGES, "readahead": ahead}
    faults, exhausted = fault_lines(options.seeds, ahead), exhausted_lines(options.seeds)
    moves, resumed = moving_lines(**size), resumed_lines(**size)
    undetectable, verified = undetectable_lines(**size), undetectable_lines(manner="verify", **size)
    leaving = leaving_lines(ahead)
    simulated = [SimulatedCase(pattern, SIMULATED * options.seeds) for pattern in PATTERNS]
    twice = [
        SimulatedCase(pattern, SIMULATED * options.seeds, "verify")
        for pattern in PATTERNS
        if not pattern.stops
    ]
    served = [ServedCase(pattern, options.seeds, ahead) for pattern in PATTERNS]
    with ProcessPoolExecutor(options.processes) as pool:
        groups = (faults, exhausted, moves, resumed, undetectable, verified, leaving)
        cases = (simulated, twice, served)
        pending = [[pool.submit(line) for line in lines] for lines in groups]
        pending_outcomes = [[pool.submit(run_case, case) for case in each] for each in cases]

        def tallies(number: int) -> list[Tally]:
            return [future.result() for future in pending[number]]

        def outcomes(number: int) -> list[Outcome]:
            return [future.result() for future in pending_outcomes[number]]

        _print("Faults", print_faults(faults, by_fault := tallies(0)))
        by_exhaustion = tallies(1)
        errors = ", ".join(f"{n} {name}" for name, n in sorted(by_exhaustion[0].errors.items()))
        _print(
            "Without retries: each error ends a client, and a new client resumes",
            print_faults(exhausted, by_exhaustion),
            f"Each of the errors has a checkpoint: {errors}.\n",
        )
        _print("Concurrent modification", print_moves(moves, by_move := tallies(2)))
        _print(
            "Concurrent modification of walks that are stopped and resumed",
            print_moves(resumed, by_resumption := tallies(3)),
        )
        _print(
            "The documented limitation: as many rows inserted as removed between two responses",
            print_moves(undetectable, by_undetectable := tallies(4)),
        )
        _print(
            'The same, with consistency="verify"',
            print_moves(verified, by_verification := tallies(5)),
        )
        _print("Cancelled walks", print_leaving(leaving, by_leaving := tallies(6)))
        _print(
            "Services that misbehave, simulated",
            print_outcomes(PATTERNS, by_simulation := outcomes(0)),
        )
        _print(
            'The same, with consistency="verify"',
            print_outcomes([case.pattern for case in twice], by_verified := outcomes(1)),
        )
        _print("The same on sockets", print_outcomes(PATTERNS, by_pattern := outcomes(2)))
    lossless = (by_fault, by_exhaustion, by_move, by_resumption, by_verification, by_leaving)
    failed = [tally for group in lossless for tally in group if not tally.is_good]
    # The documented limitation covers lost rows only.
    failed += [t for t in by_undetectable if t.duplicates or t.flaws]
    unexpected = [
        f"{case.pattern.name}: {outcome}"
        for each, found in zip(cases, (by_simulation, by_verified, by_pattern), strict=True)
        for case, outcome in zip(each, found, strict=True)
        if outcome.duplicates or (outcome.lost and case.pattern.can_reveal)
    ]
    for tally in (*failed, *unexpected):
        sys.stdout.write(f"failed: {tally}\n")
    sys.stdout.write(
        f"{len(failed) + len(unexpected)} lines failed. {time.monotonic() - began:.0f} s.\n"
    )
    return 1 if failed or unexpected else 0


def _print(title: str, *parts: str) -> None:
    """Print a section once all of its lines have run, since a whole run takes an hour."""
    sys.stdout.write("\n".join((f"## {title}\n", *parts, "")))
    sys.stdout.flush()


def run_case(case: SimulatedCase | ServedCase) -> Outcome:
    """Run one line, in a process of the pool."""
    return case()


if __name__ == "__main__":
    sys.exit(main())
