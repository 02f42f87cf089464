"""Define what the scenarios share: contenders, scale, and sections of the report."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from attrs import frozen

from .counting import InstructionCounter
from .jobs import Job, Kind, Program, Result
from .measure import interleaved, medians, run_job
from .picture import Panel
from .tables import Target

__all__ = ["FULL", "QUICK", "Bench", "Contender", "Scale", "Section", "ours", "ours_orjson", "raw"]


@frozen
class Contender:
    """A program and its number of pages in flight; 0 for one page at a time."""

    program: Program
    in_flight: int = 0

    def __str__(self) -> str:
        if self.program in ("ours", "ours_orjson"):
            is_default = ", the default" if self.in_flight == 8 else ""
            decoder = ", orjson" if self.program == "ours_orjson" else ""
            return f"videosdk_transcripts{decoder}, `readahead={self.in_flight}`{is_default}"
        many = f"{self.in_flight} in flight" if self.in_flight else "one page at a time"
        return f"raw aiohttp, {many}"

    @property
    def baseline(self) -> Contender:
        """Return raw aiohttp with the same number of pages in flight."""
        return raw(self.in_flight)


def raw(in_flight: int = 0) -> Contender:
    """Return raw aiohttp, the baseline."""
    return Contender("raw", in_flight)


def ours(in_flight: int = 0) -> Contender:
    """Return this package."""
    return Contender("ours", in_flight)


def ours_orjson(in_flight: int = 0) -> Contender:
    """Return this package with ``json_loads=orjson.loads``."""
    return Contender("ours_orjson", in_flight)


@frozen
class Scale:
    """The size of each measurement."""

    rounds: int
    small: int
    """Rows in pages of 20."""
    large: int
    """Rows in pages of 100."""
    pages: int
    """Pages of the walks with a delay."""
    delay: int
    """The delay of a response, in milliseconds."""
    delays: tuple[int, ...]
    widths: tuple[int, ...]
    memory: tuple[int, ...]
    """Rows in pages of 100."""
    page_sizes: tuple[int, ...]
    structured: int
    """Rows structured without a network."""
    latency: int
    """Rows in pages of 1,000."""
    responses: int
    """Requests sent to measure the server's ceiling."""
    peers: int
    """Rows of the walks of other libraries."""
    files: int
    """Texts to fetch, and to download."""
    rooms: int
    """Walks at the same time."""


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
    latency=10_000,
    responses=10_000,
    peers=10_000,
    files=2_000,
    rooms=1_000,
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
    latency=2_000,
    responses=20,
    peers=200,
    files=20,
    rooms=4,
)
"""Just enough to check that everything works."""


@frozen
class Bench:
    """A benchmark run against a running server."""

    server: str
    scale: Scale
    rounds: int
    counter: InstructionCounter | None = None

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
        """Create a job for the server; `delay` is in milliseconds."""
        in_flight = contender.in_flight
        return Job(kind, contender.program, self.server, rows, page_size, in_flight, mark, delay)

    def measure(self, jobs: Sequence[Job], *, rounds: int | None = None) -> list[Result]:
        """Run all jobs in each round, and return their median results."""
        runs = [partial(run_job, job) for job in jobs]
        return [medians(found) for found in interleaved(runs, rounds or self.rounds)]

    def count(self, jobs: Sequence[Job], lengths: tuple[int, int]) -> list[float | None]:
        """Return the instructions per row of each job, or None without a counter."""
        counter = self.counter
        if counter is None:
            return [None] * len(jobs)
        # Concurrent processes do not affect an instruction count.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(lambda job: counter.count_per_row(job, lengths), jobs))


@frozen
class Section:
    """A section of the report: the results of one scenario."""

    title: str
    text: str
    targets: tuple[Target, ...] = ()
    panel: Panel | None = None
