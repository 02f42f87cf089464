"""
Count instructions, which vary by about 1 % where seconds vary by 30 %.

They are counted by the processor where it supports this, otherwise by valgrind.
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
from .measure import TESTS, command_of, environment, result_of

__all__ = ["TOOLS", "InstructionCounter", "Tool", "find_counter"]

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
class CountedRun:
    """The instruction count and the output of a program."""

    instructions: int
    output: str


@frozen
class InstructionCounter:
    """Count the instructions of a process in user mode."""

    tool: Tool

    def __str__(self) -> str:
        return " ".join(_COMMANDS[self.tool])

    def count(self, command: Sequence[str]) -> CountedRun:
        """
        Run a program and count its instructions.

        Raises:
            ValueError: the tool reported no count.
        """
        done = subprocess.run(  # noqa: S603 - the commands are defined in this package
            [*_COMMANDS[self.tool], *command],
            capture_output=True,
            text=True,
            check=True,
            cwd=TESTS,
            env=environment(),
        )
        found = _COUNTS[self.tool].search(done.stderr)
        if found is None:
            raise ValueError(f"{self} reported no count: {done.stderr[-500:]}")
        return CountedRun(int(found[1]), done.stdout)

    def count_per_row(self, job: Job, lengths: tuple[int, int]) -> float:
        """Return the instructions per row, from two lengths, so that startup is excluded."""
        counts = []
        for rows in lengths:
            shorter = evolve(job, rows=rows)
            counted = self.count(command_of(shorter))
            result_of(shorter, counted.output)
            counts.append(counted.instructions)
        return (counts[1] - counts[0]) / (lengths[1] - lengths[0])


def find_counter(tools: Sequence[Tool] = TOOLS) -> InstructionCounter | None:
    """Return a counter with the first tool that works on this machine, or None."""
    for tool in tools:
        if shutil.which(tool):
            counter = InstructionCounter(tool)
            try:
                counter.count([sys.executable, "-c", "pass"])
            except (ValueError, subprocess.CalledProcessError):
                continue  # perf on a machine without hardware counters
            return counter
    return None
