"""
Run measured processes one after another, and take the medians of their results.

This module imports neither the package nor aiohttp: a process inherits the peak memory of
its parent, so the parent must be smaller than every measured process.
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

from .jobs import Job, Result

__all__ = [
    "TESTS",
    "ProcessUsage",
    "command_of",
    "environment",
    "interleaved",
    "medians",
    "result_of",
    "run_job",
    "run_program",
    "serving",
]

T = TypeVar("T")

TESTS: Final = Path(__file__).parents[1]


def environment() -> dict[str, str]:
    """Return the environment without variables of Python and coverage, with a fixed hash seed."""
    others = ("PYTHON", "COVERAGE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    return kept | {"PYTHONHASHSEED": "0"}


@contextmanager
def serving() -> Iterator[str]:
    """Run the server in a separate process, and yield its URL."""
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
class ProcessUsage:
    """Wall time and CPU time of a whole process, in seconds, and its output."""

    wall: float
    cpu: float
    output: str


def run_program(command: Sequence[str]) -> ProcessUsage:
    """
    Run a program and wait for it to exit.

    Raises:
        CalledProcessError: it failed; its standard error has been printed.
    """
    began = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 - the commands are defined in this package
        command, stdout=subprocess.PIPE, text=True, cwd=TESTS, env=environment()
    ) as process:
        assert process.stdout
        output = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - began
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, output)
    return ProcessUsage(wall, used.ru_utime + used.ru_stime, output)


def command_of(job: Job) -> list[str]:
    """Return the command line of a measured process."""
    if job.program.startswith("node:"):
        return ["node", job.program.removeprefix("node:"), job.dumps()]
    return [sys.executable, "-m", "benchmarks.child", job.dumps()]


def result_of(job: Job, output: str) -> Result:
    """
    Parse the output of a measured process.

    Raises:
        ValueError: it did not read all rows, so its measurements are meaningless.
    """
    result = Result.loads(output)
    if result.rows != job.rows:
        raise ValueError(f"{result.rows} rows read by {job}")
    return result


def run_job(job: Job) -> Result:
    """Run a measured process and return its result; raise the errors of `result_of`."""
    return result_of(job, run_program(command_of(job)).output)


def interleaved(runs: Sequence[Callable[[], T]], rounds: int) -> list[list[T]]:
    """
    Run each callable once per round, and start each round with a different one.

    A temporary slowdown of the machine then affects all of them.
    """
    results: list[list[T]] = [[] for _ in runs]
    for number in range(rounds):
        for offset in range(len(runs)):
            index = (number + offset) % len(runs)
            results[index].append(runs[index]())
    return results


def medians(results: Sequence[Result]) -> Result:
    """Return the median of each measurement separately."""
    names = [field.name for field in fields(Result)]
    return Result(**{name: median(getattr(result, name) for result in results) for name in names})
