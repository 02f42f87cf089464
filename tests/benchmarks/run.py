"""
Compare the cost of a walk with raw aiohttp: ``cd tests; python -m benchmarks.run``.

Prints Markdown tables: medians over rounds in which each contender runs once, in a separate
process, against one server process, with the ratio to raw aiohttp of the same run.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from .bench import FULL, QUICK, Bench, Section
from .counting import TOOLS, InstructionCounter, find_counter
from .measure import serving
from .picture import draw
from .scenarios import SCENARIOS
from .tables import machine, targets_table

__all__ = ["main"]

_LEGEND: Final = {
    "raw one": "raw aiohttp, one page at a time",
    "raw many": "raw aiohttp, 8 in flight (below: varies)",
    "ours one": "videosdk_transcripts, readahead=0",
    "ours many": "videosdk_transcripts, readahead=8 (below: varies)",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the scenarios and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--rounds", type=int, help=f"number of rounds, {FULL.rounds} by default")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=SCENARIOS,
        metavar="SCENARIO",
        help=f"scenarios to run: {', '.join(SCENARIOS)}",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="run with few rows and one round, to check that everything works",
    )
    parser.add_argument(
        "--count",
        choices=("auto", *TOOLS, "none"),
        help="the tool that counts instructions; none by default with --quick",
    )
    parser.add_argument(
        "--peers",
        action="store_true",
        help="compare with other libraries instead, as far as they are installed",
    )
    parser.add_argument("--svg", type=Path, metavar="PATH", help="also draw the picture")
    options = parser.parse_args(arguments)
    names = options.only or [name for name in SCENARIOS if (name == "peers") == options.peers]
    if options.svg and not {"delays", "widths"} <= set(names):
        parser.error("the picture requires the scenarios delays and widths")
    scale = QUICK if options.quick else FULL
    began = time.monotonic()
    choice = options.count or ("none" if options.quick else "auto")
    counter = find_counter([tool for tool in TOOLS if choice in (tool, "auto")])
    rounds = options.rounds or scale.rounds
    sys.stdout.write(
        f"Measured on {machine()}.\nRounds: {rounds}. {_counter_note(counter, choice)}\n\n"
    )
    with serving() as url:
        bench = Bench(url, scale, rounds, counter)
        sections = {name: _run(name, bench) for name in names}
    targets = [target for section in sections.values() for target in section.targets]
    if targets:
        sys.stdout.write(f"## Targets\n\n{targets_table(targets)}\n")
    if options.svg:
        options.svg.write_text(_picture(sections, scale.pages), "utf-8")
    sys.stdout.write(f"{time.monotonic() - began:.0f} s.\n")
    return 0


def _run(name: str, bench: Bench) -> Section:
    section = SCENARIOS[name](bench)
    sys.stdout.write(f"## {section.title}\n\n{section.text}\n")
    sys.stdout.flush()
    return section


def _counter_note(counter: InstructionCounter | None, choice: str) -> str:
    if counter is not None:
        return f"Instructions by `{counter}`."
    if choice == "none":
        return "Instructions were not counted."
    missing = "neither perf nor valgrind works" if choice == "auto" else f"{choice} does not work"
    return f"Instructions were not counted: {missing} here."


def _picture(sections: dict[str, Section], pages: int) -> str:
    panels = [panel for name in ("delays", "widths") if (panel := sections[name].panel)]
    return draw(
        panels,
        _LEGEND,
        title=f"Wall time of {pages} pages of 20 rows",
        about=(
            "Two diagrams with logarithmic seconds. Above: by response delay, for raw aiohttp "
            "and videosdk_transcripts, one page at a time and with 8 in flight. Below: by "
            "pages in flight. The tables on this page have the numbers."
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
