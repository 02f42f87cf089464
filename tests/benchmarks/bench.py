"""What all scenarios share: who takes part, how much is measured, and what comes of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from attrs import frozen

from .counting import Counter
from .jobs import Job, Kind, Outcome, Program
from .measure import interleaved, medians, run_job
from .picture import Panel
from .tables import Target

__all__ = ["FULL", "QUICK", "Bench", "Contender", "Scale", "Section", "ours", "raw"]


@frozen
class Contender:
    """Who walks, and how many pages are in flight; 0 for one page at a time."""

    program: Program
    in_flight: int = 0

    def __str__(self) -> str:
        if self.program == "ours":
            is_default = ", the default" if self.in_flight == 8 else ""
            return f"videosdk_transcripts, `readahead={self.in_flight}`{is_default}"
        many = f"{self.in_flight} in flight" if self.in_flight else "one page at a time"
        return f"raw aiohttp, {many}"

    @property
    def floor(self) -> Contender:
        """Return raw aiohttp with as many in flight."""
        return raw(self.in_flight)


def raw(in_flight: int = 0) -> Contender:
    """Return the floor."""
    return Contender("raw", in_flight)


def ours(in_flight: int = 0) -> Contender:
    """Return this package."""
    return Contender("ours", in_flight)


@frozen
class Scale:
    """How much is measured."""

    rounds: int
    small: int
    """Rows in pages of 20."""
    large: int
    """Rows in pages of 100."""
    pages: int
    """The length of the walks over a slow network."""
    delay: int
    """Its delay, in milliseconds."""
    delays: tuple[int, ...]
    widths: tuple[int, ...]
    memory: tuple[int, ...]
    """Rows in pages of 100."""
    page_sizes: tuple[int, ...]
    structured: int
    """Rows that are turned into objects."""
    turns: int
    """Rows in pages of 1,000."""
    answers: int
    """What the server is asked for to find its ceiling."""


FULL = Scale(
    rounds=5,
    small=10_000,
    large=100_000,
    pages=100,
    delay=50,
    delays=(0, 10, 25, 50, 100),
    widths=(1, 2, 4, 8, 16, 32),
    memory=(10_000, 100_000, 1_000_000),
    page_sizes=(10, 20, 50, 100, 500, 1000),
    structured=20_000,
    turns=10_000,
    answers=10_000,
)
QUICK = Scale(
    rounds=1,
    small=100,
    large=300,
    pages=18,
    delay=2,
    delays=(0, 2),
    widths=(1, 2),
    memory=(200, 400),
    page_sizes=(10, 20),
    structured=100,
    turns=2_000,
    answers=20,
)
"""Enough to see that all of it works."""


@frozen
class Bench:
    """One run: a server that is up, and how much to ask of it."""

    server: str
    scale: Scale
    rounds: int
    counter: Counter | None = None

    def job(
        self,
        contender: Contender,
        rows: int,
        page_size: int,
        *,
        kind: Kind = "walk",
        delay: int = 0,
        mark: int = 1,
    ) -> Job:
        """Make a job against the server; `delay` is in milliseconds."""
        width = contender.in_flight
        return Job(kind, contender.program, self.server, rows, page_size, width, mark, delay)

    def measure(self, jobs: Sequence[Job], *, rounds: int | None = None) -> list[Outcome]:
        """Run all of them in each round, and return the medians."""
        runs = [partial(run_job, job) for job in jobs]
        return [medians(found) for found in interleaved(runs, rounds or self.rounds)]

    def count(self, jobs: Sequence[Job], lengths: tuple[int, int]) -> list[float | None]:
        """Return the instructions of a row in each of them, or None where nothing counts."""
        counter = self.counter
        if counter is None:
            return [None] * len(jobs)
        # The count of a process is not changed by those beside it.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(lambda job: counter.count_per_row(job, lengths), jobs))


@frozen
class Section:
    """What a scenario prints."""

    title: str
    text: str
    targets: tuple[Target, ...] = ()
    panel: Panel | None = None
