"""Define the job of a measured process, and the result that it reports."""

from __future__ import annotations

import json
from typing import Final, Literal

from attrs import asdict, frozen

__all__ = ["LIST", "PAGES_PER_ROOM", "ROOM", "Job", "Kind", "Program", "Result", "WalkResult"]

ROOM: Final = "abcd-efgh-ijkl"
LIST: Final = "/ai/v1/realtime-transcriptions/"
PAGES_PER_ROOM: Final = 3
"""The pages that each walk of a job with many rooms reads."""

Program = str
"""The module that does the work: ``ours`` or ``ours_orjson`` for this package, ``raw`` for raw
aiohttp, ``raw_socket``, or one of another library in ``peers``; a script for Node is
``node:PATH``."""

Kind = Literal["walk", "structure", "latency", "texts", "downloads", "rooms"]
"""A walk over all pages; structuring one page repeatedly; a walk while another task measures
the latency of the event loop; the texts of all rows; downloading these to a disk; or many walks
at the same time."""


@frozen
class Job:
    """
    The job of one measured process.

    Args:
        kind: the kind of work.
        program: the module that does it.
        server: the URL of the server.
        rows: the length of the list.
        page_size: the number of rows per page.
        in_flight: the number of pages to prefetch; 0 for one page at a time. For texts, downloads
            and rooms, the number of concurrent requests.
        mark: the page at which the steady-state measurement begins.
        delay: milliseconds before each response; for texts and downloads, before each file.
    """

    kind: Kind
    program: Program
    server: str
    rows: int
    page_size: int
    in_flight: int = 0
    mark: int = 1
    delay: int = 0

    @property
    def url(self) -> str:
        """Return the endpoint of the list with this length and delay."""
        if self.kind in ("texts", "downloads"):
            return f"{self.server}/{self.rows}/{self.delay}/files"
        return f"{self.server}/{self._rows_per_walk}/{self.delay}"

    @property
    def walks(self) -> int:
        """Return the number of concurrent walks."""
        return self.rows // self._rows_per_walk

    @property
    def _rows_per_walk(self) -> int:
        return PAGES_PER_ROOM * self.page_size if self.kind == "rooms" else self.rows

    @property
    def marked_row(self) -> int:
        """Return the number of the first row of the marked page, counted from 1."""
        return (self.mark - 1) * self.page_size + 1

    def dumps(self) -> str:
        """Serialize the job for the command line."""
        return json.dumps(asdict(self))

    @staticmethod
    def loads(text: str) -> Job:
        """Parse a serialized job."""
        return Job(**json.loads(text))


@frozen
class WalkResult:
    """The result of a walk."""

    rows: int
    marked_at: float = 0.0
    """The time at which the marked page was yielded, by `time.perf_counter`."""
    unfairness: float = 0.0
    """Of many walks, the slowest wait for a first row, as a ratio to the median."""


@frozen
class Result:
    """The measurements of a process, excluding its startup; in seconds and bytes."""

    rows: int
    wall: float
    steady: float
    """Wall time from the first row of the marked page to the end."""
    cpu: float
    peak: int
    """Peak memory of the process, including its startup."""
    latency: float = 0.0
    """The longest time for which another task of the event loop had to wait."""
    latency_cpu: float = 0.0
    """The same in CPU time, which other processes do not affect."""
    latency_own: float = 0.0
    """The same without garbage collection, which traverses everything imported so far."""
    unfairness: float = 0.0
    """Of many walks, the slowest wait for a first row, as a ratio to the median."""

    def dumps(self) -> str:
        """Serialize the result."""
        return json.dumps(asdict(self))

    @staticmethod
    def loads(text: str) -> Result:
        """Parse a serialized result."""
        return Result(**json.loads(text))
