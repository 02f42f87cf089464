"""
Run the full reliability matrix: ``cd tests; python -m matrix.run``.

Prints Markdown tables, with the same seeds each time, and exits with 1 if a row is lost or
duplicated outside of the documented limitation. ``--only sockets leaving`` prints these tables.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, Final, get_args

from attrs import frozen

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


Case = Any
"""A line of a table: a callable without arguments that can be sent to another process."""


@frozen
class Section:
    """One table of the matrix."""

    name: str
    """Its name on the command line."""
    title: str
    cases: Sequence[Case]
    format: Callable[[Sequence[Case], Sequence[Any]], str]
    has_failed: Callable[[Case, Any], bool]
    """Whether the result of a case is not what the package promises."""


def sections(seeds: int, readahead: int) -> list[Section]:
    """Return all sections, in the order in which they are printed."""
    size = {"seeds": tuple(range(1, seeds + 1)), "pages": PAGES, "readahead": readahead}
    simulated = [SimulatedCase(pattern, SIMULATED * seeds) for pattern in PATTERNS]
    # A walk that is stopped can't be verified.
    verified = [
        SimulatedCase(pattern, SIMULATED * seeds, "verify")
        for pattern in PATTERNS
        if not pattern.stops
    ]
    served = [ServedCase(pattern, seeds, readahead) for pattern in PATTERNS]
    once, verify = undetectable_lines(**size), undetectable_lines(manner="verify", **size)
    again = 'The same, with consistency="verify"'
    return [
        Section("faults", "Faults", fault_lines(seeds, readahead), print_faults, _is_bad),
        Section(
            "exhausted",
            "Without retries: each error ends a client, and a new client resumes",
            exhausted_lines(seeds),
            print_faults,
            _is_bad,
        ),
        Section("moving", "Concurrent modification", moving_lines(**size), print_moves, _is_bad),
        Section(
            "resumed",
            "Concurrent modification of walks that are stopped and resumed",
            resumed_lines(**size),
            print_moves,
            _is_bad,
        ),
        Section(
            "limitation",
            "The documented limitation: as many rows inserted as removed between two responses",
            once,
            print_moves,
            _is_bad_in_spite_of_the_limitation,
        ),
        Section("limitation-verified", again, verify, print_moves, _is_bad),
        Section("leaving", "Cancelled walks", leaving_lines(readahead), print_leaving, _is_bad),
        Section(
            "simulated",
            "Services that misbehave, simulated",
            simulated,
            _print_patterns,
            _is_unexpected,
        ),
        Section("simulated-verified", again, verified, _print_patterns, _is_unexpected),
        Section("sockets", "The same on sockets", served, _print_patterns, _is_unexpected),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the matrix and return the exit code."""
    names = [section.name for section in sections(1, 0)]
    parser = argparse.ArgumentParser(prog="python -m matrix.run", description=__doc__)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="number of walks per line")
    parser.add_argument(
        "--readahead", type=int, default=8, help="maximum number of pages to prefetch"
    )
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="tables to print")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    failed: list[str] = []
    with ProcessPoolExecutor(options.processes) as pool:
        chosen = [s for s in sections(options.seeds, options.readahead) if s.name in options.only]
        pending = [[pool.submit(run_case, case) for case in section.cases] for section in chosen]
        for section, futures in zip(chosen, pending, strict=True):
            results = [future.result() for future in futures]
            # Printed once all of its lines have run, since a whole run takes an hour.
            sys.stdout.write(f"## {section.title}\n\n{section.format(section.cases, results)}\n")
            sys.stdout.flush()
            failed += [
                f"{section.name}: {case}: {result}"
                for case, result in zip(section.cases, results, strict=True)
                if section.has_failed(case, result)
            ]
    for line in failed:
        sys.stdout.write(f"failed: {line}\n")
    sys.stdout.write(f"{len(failed)} lines failed. {time.monotonic() - began:.0f} s.\n")
    return 1 if failed else 0


def run_case(case: Case) -> Any:
    """Run one line, in a process of the pool."""
    return case()


def _print_patterns(
    cases: Sequence[SimulatedCase | ServedCase], outcomes: Sequence[Outcome]
) -> str:
    return print_outcomes([case.pattern for case in cases], outcomes)


def _is_bad(case: Case, tally: Tally) -> bool:
    return not tally.is_good


def _is_bad_in_spite_of_the_limitation(case: Case, tally: Tally) -> bool:
    # The documented limitation covers lost rows only.
    return bool(tally.duplicates or tally.flaws)


def _is_unexpected(case: SimulatedCase | ServedCase, outcome: Outcome) -> bool:
    return bool(outcome.duplicates or (outcome.lost and case.pattern.can_reveal))


if __name__ == "__main__":
    sys.exit(main())
