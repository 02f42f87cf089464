"""
Instructions: what repeats to about 1 % where seconds wander by 30 %.

They are counted by the processor where it tells them, or else by valgrind.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import Final, Literal, get_args

from attrs import evolve, frozen

from .jobs import Job
from .measure import TESTS, command_of, environment, outcome_of

__all__ = ["TOOLS", "Counter", "Tool", "find_counter"]

Tool = Literal["perf", "valgrind"]
TOOLS: Final[tuple[Tool, ...]] = get_args(Tool)

_COMMANDS: Final[dict[Tool, tuple[str, ...]]] = {
    "perf": ("perf", "stat", "-x,", "-e", "instructions:u"),
    "valgrind": ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"),
}
_COUNTS: Final[dict[Tool, re.Pattern[str]]] = {
    "perf": re.compile(r"^(\d+),[^,]*,instructions", re.MULTILINE),
    "valgrind": re.compile(r"Collected : (\d+)"),
}


@frozen
class Counted:
    """What came of a program."""

    instructions: int
    output: str


@frozen
class Counter:
    """Counts the instructions of a process in user mode."""

    tool: Tool

    def __str__(self) -> str:
        return " ".join(_COMMANDS[self.tool])

    def count(self, command: Sequence[str]) -> Counted:
        """
        Run a program, and return how many instructions it took.

        Raises:
            ValueError: the tool named no number.
        """
        done = subprocess.run(  # noqa: S603 - the commands stand in this package
            [*_COMMANDS[self.tool], *command],
            capture_output=True,
            text=True,
            check=True,
            cwd=TESTS,
            env=environment(),
        )
        found = _COUNTS[self.tool].search(done.stderr)
        if found is None:
            raise ValueError(f"{self} named no number: {done.stderr[-500:]}")
        return Counted(int(found[1]), done.stdout)

    def count_per_row(self, job: Job, lengths: tuple[int, int]) -> float:
        """Return those of one row: the difference of two lengths, which leaves the start out."""
        counts = []
        for rows in lengths:
            shorter = evolve(job, rows=rows)
            counted = self.count(command_of(shorter))
            outcome_of(shorter, counted.output)
            counts.append(counted.instructions)
        return (counts[1] - counts[0]) / (lengths[1] - lengths[0])


def find_counter(tools: Sequence[Tool] = TOOLS) -> Counter | None:
    """Return the first one that works here."""
    for tool in tools:
        if shutil.which(tool):
            counter = Counter(tool)
            try:
                counter.count([sys.executable, "-c", "pass"])
            except (ValueError, subprocess.CalledProcessError):
                continue  # perf where the machine does not count
            return counter
    return None
