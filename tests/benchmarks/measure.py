"""
Run processes one after another and take medians of what they measured.

Whoever measures imports neither this package nor aiohttp: a process begins with the peak
memory of the one that started it, so that this one has to be smaller than all others.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Final, TypeVar

from attrs import fields, frozen

from .jobs import Job, Outcome

__all__ = [
    "TESTS",
    "Spent",
    "command_of",
    "environment",
    "interleaved",
    "medians",
    "outcome_of",
    "run_job",
    "run_program",
    "serving",
]

T = TypeVar("T")

TESTS: Final = Path(__file__).parents[1]


def environment() -> dict[str, str]:
    """Return the environment without what changes how Python runs, and with fixed hashes."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return kept | {"PYTHONHASHSEED": "0"}


@contextmanager
def serving() -> Iterator[str]:
    """Run the server in a process of its own, and give its URL."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=TESTS,
        env=environment(),
    ) as server:
        assert server.stdin
        assert server.stdout
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()


@frozen
class Spent:
    """What a whole process took, from its first instruction to its last; seconds."""

    wall: float
    cpu: float
    output: str


def run_program(command: Sequence[str]) -> Spent:
    """
    Run a program to its end.

    Raises:
        CalledProcessError: it failed, and what it said stands above.
    """
    began = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 - the commands stand in this package
        command, stdout=subprocess.PIPE, text=True, cwd=TESTS, env=environment()
    ) as process:
        assert process.stdout
        output = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - began
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, output)
    return Spent(wall, used.ru_utime + used.ru_stime, output)


def command_of(job: Job) -> list[str]:
    """Return the command line of a measured process."""
    return [sys.executable, "-m", "benchmarks.child", job.dumps()]


def outcome_of(job: Job, output: str) -> Outcome:
    """
    Read what a measured process said.

    Raises:
        ValueError: it did not see all rows, so that its figures mean nothing.
    """
    outcome = Outcome.loads(output)
    if outcome.rows != job.rows:
        raise ValueError(f"{outcome.rows} rows came of {job}")
    return outcome


def run_job(job: Job) -> Outcome:
    """Run a measured process to its end; raises as `outcome_of` does."""
    return outcome_of(job, run_program(command_of(job)).output)


def interleaved(runs: Sequence[Callable[[], T]], rounds: int) -> list[list[T]]:
    """
    Run each of them once a round, each round beginning with another one.

    Whatever slows the machine down for a while slows all of them down.
    """
    results: list[list[T]] = [[] for _ in runs]
    for number in range(rounds):
        for place in range(len(runs)):
            index = (number + place) % len(runs)
            results[index].append(runs[index]())
    return results


def medians(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the median of each measurement by itself."""
    names = [field.name for field in fields(Outcome)]
    return Outcome(**{name: median(getattr(o, name) for o in outcomes) for name in names})
