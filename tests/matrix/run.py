"""
The long matrix of what can happen to a walk: ``cd tests; python -m matrix.run``.

Prints its figures as tables in Markdown, the same ones each time, and exits with 1 if
a row is lost or doubled where the documentation does not say so.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Final, get_args

from .faults import ALONE, EXHAUSTED, KINDS, MIXED, REFUSED, TLS, Faults, Shape
from .leaving import leaving_lines, print_leaving
from .moving import Moving, moving_lines, resumed_lines, unseen_lines
from .tally import Tally, markdown

__all__ = ["main"]

SEEDS: Final = 20
PAGES: Final = 100
"""The length of the lists that move; those with faults have 200 pages."""


def fault_lines(seeds: int, readahead: int) -> list[Faults]:
    """Return the lines of the first table: each kind by itself, and then all together."""
    # One seed in five walks four rooms side by side, on one client.
    concurrency = tuple(1 if seed % 5 else 4 for seed in range(1, seeds + 1))
    more = {"readahead": readahead}
    lines = [
        # A refusal resets the connections of the walks beside it as well.
        Faults.of(
            kind, shape, concurrency=concurrency, attempts=60 if kind == REFUSED else 6, **more
        )
        for kind in KINDS
        for shape in get_args(Shape)
    ]
    # Connections are counted there, which several walks take in no fixed order.
    lines += [Faults.of(TLS, shape, concurrency=(1,) * seeds, **more) for shape in get_args(Shape)]
    lines += [
        Faults("mixed", MIXED, concurrency=(concurrency,) * seeds, **more) for concurrency in (1, 4)
    ]
    return lines


def exhausted_lines(seeds: int) -> list[Faults]:
    """Return the lines without a second attempt, where each fault ends a client."""
    share = f"{ALONE:.0%} of twelve kinds".replace("%", " %")
    return [Faults(share, EXHAUSTED, concurrency=(1,) * seeds, attempts=1, readahead=0)]


def print_faults(lines: Sequence[Faults], tallies: Sequence[Tally]) -> str:
    """Write the table of faults."""
    return markdown(
        [
            {
                "fault": line.name,
                "seeds": len(line.concurrency),
                "at once": max(line.concurrency),
                "walks": tally.walks,
                "faults met": tally.faults.total(),
                "requests": tally.requests,
                "retries": tally.retries,
                "rows": tally.wanted,
                "lost": tally.lost,
                "twice": tally.twice,
                "errors": tally.errors.total(),
                "unreported": tally.unreported,
                "flaws": tally.flaws.total(),
            }
            for line, tally in zip(lines, tallies, strict=True)
        ]
    )


def print_moves(lines: Sequence[Moving], tallies: Sequence[Tally]) -> str:
    """Write a table of rows that move."""
    return markdown(
        [
            {
                "change": line.pattern,
                "place": " to ".join(filter(None, (line.place, line.other_place))),
                "walk": line.manner,
                "rows at once": line.count,
                "when": line.when,
                "walks": tally.walks,
                "moments": tally.faults["moments"],
                "rows that stayed": tally.wanted,
                "lost": tally.lost,
                "twice": tally.twice,
                "out of order": tally.out_of_order,
                "requests a page": f"{tally.requests / max(1, tally.pages):.2f}",
                "drifted": tally.drifted,
                "errors": tally.errors.total(),
            }
            for line, tally in zip(lines, tallies, strict=True)
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the matrix and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m matrix.run", description=__doc__)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="walks for each line")
    parser.add_argument("--readahead", type=int, default=8, help="most pages to prefetch")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    ahead = options.readahead
    size = {"seeds": tuple(range(1, options.seeds + 1)), "pages": PAGES, "readahead": ahead}
    faults, exhausted = fault_lines(options.seeds, ahead), exhausted_lines(options.seeds)
    moves, resumed = moving_lines(**size), resumed_lines(**size)
    unseen, verified = unseen_lines(**size), unseen_lines(manner="verify", **size)
    leaving = leaving_lines(ahead)
    with ProcessPoolExecutor(options.processes) as pool:
        running = [
            [pool.submit(line) for line in lines]
            for lines in (faults, exhausted, moves, resumed, unseen, verified, leaving)
        ]
        tallies = [[future.result() for future in futures] for futures in running]
    by_fault, by_exhaustion, by_move, by_resumption, by_unseen, by_verification, by_leaving = (
        tallies
    )
    errors = ", ".join(f"{n} {name}" for name, n in sorted(by_exhaustion[0].errors.items()))
    lossless = (by_fault, by_exhaustion, by_move, by_resumption, by_verification, by_leaving)
    bad = [tally for group in lossless for tally in group if not tally.is_good]
    # The limit is documented for rows alone; nothing else may go wrong there.
    bad += [t for t in by_unseen if t.twice or t.flaws]
    parts = (
        "## Faults\n",
        print_faults(faults, by_fault),
        "## Without retries: each error ends a client, and a new one resumes\n",
        print_faults(exhausted, by_exhaustion),
        f"Each of the errors has a checkpoint: {errors}.\n",
        "## Rows that move\n",
        print_moves(moves, by_move),
        "## Rows that move while the walk is stopped and resumed\n",
        print_moves(resumed, by_resumption),
        "## The documented limitation: as many rows in as out between two responses\n",
        print_moves(unseen, by_unseen),
        '## The same, with consistency="verify"\n',
        print_moves(verified, by_verification),
        "## Abandoned walks\n",
        print_leaving(leaving, by_leaving),
        f"{len(bad)} lines are bad. {time.monotonic() - began:.0f} s.\n",
    )
    sys.stdout.write("\n".join(parts))
    for tally in bad:
        sys.stdout.write(f"bad: {tally}\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
